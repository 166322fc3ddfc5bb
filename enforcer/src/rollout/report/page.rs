//! Lines for a terminal: broken at its edge, and with nothing in them that it would obey.

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Lines so far.
#[derive(Default)]
pub(super) struct Page(pub String);

impl Page {
    /// One line as it is, but for what a terminal must not be sent.
    pub(super) fn line(&mut self, line: &str) {
        self.0 += plain(line).trim_end();
        self.0.push('\n');
    }

    /// A heading with an empty line before it.
    pub(super) fn heading(&mut self, words: &str) {
        self.line("");
        self.line(&words.to_uppercase());
    }

    /// Words broken at the edge; `first` begins the first line, the others are indented as far.
    pub(super) fn wrapped(&mut self, first: &str, words: &str) {
        let indent = first.chars().count();
        let mut line = first.to_owned();
        let mut empty = true;
        for word in plain(words).split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = " ".repeat(indent);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line += word;
            empty = false;
        }
        self.line(&line);
    }
}

/// Printable ASCII; other characters as `\u{1b}`: names come from the wire, and a terminal obeys some of them.
fn plain(text: &str) -> String {
    let shown = |c: char| if matches!(c, ' '..='~') { c.to_string() } else { c.escape_unicode().to_string() };
    text.chars().map(shown).collect()
}

/// The same for text to paste: TOML reads `\u00e9` as the letter it stands for.
pub(super) fn pasted(text: &str) -> String {
    let shown = |c: char| match c {
        ' '..='~' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    text.chars().map(shown).collect()
}

/// At most so many columns, with `~` where something is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.len() <= most { text } else { format!("{}~", text.get(..most.saturating_sub(1)).unwrap_or_default()) }
}
