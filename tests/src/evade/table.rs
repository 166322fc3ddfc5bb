//! The table that the command prints and the page holds.

use super::CLASSES;
use super::run::Tally;

/// The columns of one class over the settings that were played.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub class: String,
    pub vectors: usize,
    pub runs: usize,
    /// Runs that reach the device when a plain bridge stands in the box; None when that was not played.
    pub bare: Option<usize>,
    pub leaked: usize,
    pub broken: usize,
    pub reasons: usize,
}

/// One row for each class.
pub fn rows(enforce: &[Tally], bare: &[Tally]) -> Vec<Row> {
    let row = |tally: &Tally| Row {
        class: tally.class.to_owned(),
        vectors: tally.vectors,
        runs: tally.runs,
        bare: bare.iter().find(|other| other.class == tally.class).map(|other| other.leaked),
        leaked: tally.leaked,
        broken: tally.broken,
        reasons: tally.reasons,
    };
    enforce.iter().map(row).collect()
}

/// The table as Markdown, which reads well on a terminal too.
pub fn markdown(rows: &[Row]) -> String {
    let mut lines = vec![
        ["class", "vectors", "runs", "reach the device without the box", "leaked", "broken sessions", "other reason"]
            .map(str::to_owned),
    ];
    let number = |value: Option<usize>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let cells = |row: &Row| {
        [
            row.class.clone(),
            row.vectors.to_string(),
            row.runs.to_string(),
            number(row.bare),
            row.leaked.to_string(),
            row.broken.to_string(),
            row.reasons.to_string(),
        ]
    };
    lines.extend(rows.iter().map(cells));
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    lines.push(cells(&Row {
        class: "all".to_owned(),
        vectors: sum(|row| row.vectors),
        runs: sum(|row| row.runs),
        bare: rows.iter().filter_map(|row| row.bare).reduce(|sum, bare| sum + bare),
        leaked: sum(|row| row.leaked),
        broken: sum(|row| row.broken),
        reasons: sum(|row| row.reasons),
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cell = |column: usize| match column {
            0 => format!("{:<width$}", line[column], width = widths[column]),
            _ => format!("{:>width$}", line[column], width = widths[column]),
        };
        text += &format!("| {} |\n", (0..7).map(cell).collect::<Vec<_>>().join(" | "));
        if number == 0 {
            let rule = |column: usize| "-".repeat(widths[column] - 1) + if column == 0 { "-" } else { ":" };
            text += &format!("| {} |\n", (0..7).map(rule).collect::<Vec<_>>().join(" | "));
        }
    }
    text
}

/// How many vectors there are.
pub fn vectors() -> usize {
    CLASSES.iter().map(|class| class.vectors.len()).sum()
}
