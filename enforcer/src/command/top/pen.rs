//! Lines of a page, and values of a status.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use serde_json::Value;

use super::row::plain;

/// Makes lines of the page's width.
pub(super) struct Pen {
    pub width: usize,
    pub colours: bool,
}

impl Pen {
    pub(super) fn plain(&self, text: &str) -> Line<'static> {
        Line::from(self.cut(text))
    }

    pub(super) fn styled(&self, text: &str, colour: Color, strong: bool) -> Line<'static> {
        Line::from(self.span(&self.cut(text), colour, strong))
    }

    pub(super) fn span(&self, text: &str, colour: Color, strong: bool) -> Span<'static> {
        let mut style = Style::default();
        if self.colours {
            style = style.fg(colour);
        }
        if strong {
            style = style.add_modifier(Modifier::BOLD);
        }
        Span::styled(plain(text), style)
    }

    /// A line of dashes with a title in it.
    pub(super) fn rule(&self, title: &str) -> Line<'static> {
        let start = format!("-- {title} ");
        self.plain(&format!("{start:-<width$}", width = self.width))
    }

    /// At most the page's width, with `~` where something is missing.
    pub(super) fn cut(&self, text: &str) -> String {
        let text = plain(text);
        if text.len() <= self.width {
            return text;
        }
        format!("{}~", text.get(..self.width.saturating_sub(1)).unwrap_or_default())
    }
}

/// A word of a status; `-` where it is missing.
pub(super) fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("-")
}

/// A number of a status; 0 where it is missing.
pub(super) fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}
