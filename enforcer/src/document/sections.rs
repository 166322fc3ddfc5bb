//! From TOML text to typed pieces, one section at a time.
//!
//! A whole-file deserialisation stops at its first mistake. Here each table is deserialised alone, and a key that is
//! unknown or has the wrong shape is reported, taken out, and the rest tried again: the user sees all mistakes at once.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error, ValueDeserializer};

use super::{Errors, Problem, Source, choices};

/// So many mistakes are reported in one table; a table with more is no table of ours.
const MOST_MISTAKES: usize = 20;

/// A table out of the file that has not been deserialised yet, with the words that errors call it by.
#[derive(Debug)]
pub struct Piece<'s> {
    pub label: String,
    pub span: Range<usize>,
    table: DeTable<'s>,
}

impl<'s> Piece<'s> {
    /// The text under a key, when it is one: what a conduit or rule calls itself, needed before anything is checked.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.table.get(key).and_then(|value| value.get_ref().as_str())
    }

    /// Every entry of the table, for tables whose keys are names that the user chose.
    pub fn entries(self) -> Vec<(Spanned<String>, Spanned<DeValue<'s>>)> {
        let named = self.table.into_iter();
        named.map(|(key, value)| (Spanned::new(key.span(), key.into_inner().into_owned()), value)).collect()
    }
}

/// Reads pieces of one file and gathers what is wrong with them.
#[derive(Debug)]
pub struct Reader<'s> {
    pub source: &'s Source,
    problems: Vec<Problem>,
}

impl<'s> Reader<'s> {
    /// Parses the text. A syntax error ends the reading: after it, nothing else in the file can be trusted.
    pub fn open(source: &'s Source) -> Result<(Self, Piece<'s>), Errors> {
        let (root, errors) = DeTable::parse_recoverable(source.text());
        let problems: Vec<Problem> = errors.iter().map(|error| syntax(source, error)).collect();
        if let Some(errors) = Errors::from_problems(problems) {
            return Err(errors);
        }
        let piece = Piece { label: String::new(), span: root.span(), table: root.into_inner() };
        Ok((Self { source, problems: Vec::new() }, piece))
    }

    pub fn report(&mut self, span: &Range<usize>, cause: impl AsRef<str>) {
        self.problems.push(self.source.problem(span, cause));
    }

    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// How many mistakes there are so far.
    pub fn problems(&self) -> usize {
        self.problems.len()
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Top-level keys other than the known ones are mistakes.
    pub fn only(&mut self, piece: &Piece<'s>, known: &[&str]) {
        for (key, value) in &piece.table {
            if known.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let kind = if value.get_ref().is_table() { "section" } else { "key" };
            self.report(&key.span(), format!("unknown {kind} \"{}\"{}", key.get_ref(), choices(key.get_ref(), known)));
        }
    }

    /// Takes the table `key` out of a piece; `None` when absent, reported when it is no table.
    pub fn table(&mut self, piece: &mut Piece<'s>, key: &str) -> Option<Piece<'s>> {
        let value = piece.table.remove(key)?;
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            self.report(&span, format!("\"{key}\" must be a section: write [{key}]"));
            return None;
        };
        Some(Piece { label: format!("[{key}]"), span, table })
    }

    /// Takes the list of tables `key` out of a piece, each labelled by `label(position from 1, table)`.
    pub fn tables(
        &mut self,
        piece: &mut Piece<'s>,
        key: &str,
        label: impl Fn(usize, Option<&str>) -> String,
    ) -> Vec<Piece<'s>> {
        let Some(value) = piece.table.remove(key) else { return Vec::new() };
        let span = value.span();
        let wrong = format!("\"{key}\" must be a list of sections: write [[{key}]]");
        let DeValue::Array(list) = value.into_inner() else {
            self.report(&span, wrong);
            return Vec::new();
        };
        let mut pieces = Vec::new();
        for (position, entry) in list.into_iter().enumerate() {
            let span = entry.span();
            let DeValue::Table(table) = entry.into_inner() else {
                self.report(&span, wrong.as_str());
                continue;
            };
            let mut piece = Piece { label: String::new(), span, table };
            piece.label = label(position + 1, piece.text("name"));
            pieces.push(piece);
        }
        pieces
    }

    /// Takes a value that must be a table, under the words `label`.
    pub fn piece(&mut self, label: String, value: Spanned<DeValue<'s>>) -> Option<Piece<'s>> {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            self.report(&span, format!("{label}: a table is wanted here, such as {{ key = \"value\" }}"));
            return None;
        };
        Some(Piece { label, span, table })
    }

    /// Deserialises a single value, under the words `label`.
    pub fn value<T: DeserializeOwned>(&mut self, label: &str, value: Spanned<DeValue<'s>>) -> Option<T> {
        let span = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().unwrap_or(span);
                self.report(&at, format!("{label}: {}", shape(error.message())));
                None
            }
        }
    }

    /// Deserialises a piece. `None` when something had the wrong shape; unknown keys alone are reported and skipped.
    pub fn read<T: DeserializeOwned>(&mut self, piece: Piece<'s>) -> Option<T> {
        let Piece { label, span, mut table } = piece;
        let mut whole = true;
        for _ in 0..MOST_MISTAKES {
            let error = match T::deserialize(Deserializer::from(Spanned::new(span.clone(), table.clone()))) {
                Ok(value) => return whole.then_some(value),
                Err(error) => error,
            };
            let at = error.span().unwrap_or_else(|| span.clone());
            let culprit = culprit(&table, &at);
            match unknown_field(error.message()) {
                Some((field, known)) => {
                    self.report(&at, format!("{label}: unknown key \"{field}\"{}", choices(&field, &known)));
                }
                None => {
                    whole = false;
                    let key = culprit.as_deref().map(|key| format!("\"{key}\": ")).unwrap_or_default();
                    self.report(&at, format!("{label}: {key}{}", shape(error.message())));
                }
            }
            // Without the culprit the next attempt can find the next mistake; without a culprit there is no next.
            match culprit {
                Some(key) if table.remove(key.as_str()).is_some() => {}
                _ => return None,
            }
        }
        None
    }
}

/// The key whose name or value covers the place of an error.
fn culprit(table: &DeTable<'_>, at: &Range<usize>) -> Option<String> {
    let covers = |span: Range<usize>| span.start <= at.start && at.start < span.end.max(span.start + 1);
    let mut entries = table.iter();
    entries
        .find(|(key, value)| covers(key.span()) || covers(value.span()))
        .map(|(key, _)| key.get_ref().clone().into_owned())
}

/// serde's "unknown field `x`, expected one of `a`, `b`" taken apart; another message gives `None`.
fn unknown_field(message: &str) -> Option<(String, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((field.to_owned(), known))
}

/// serde's wording of a wrong shape, put into the words of the file.
fn shape(message: &str) -> String {
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.split_once(", expected "))
    else {
        return message.to_owned();
    };
    let expected = match expected {
        "a sequence" => "a list",
        "a string" => "a text in quotes",
        "i64" => "a whole number",
        other if other.starts_with("struct ") || other == "a map" => "a table",
        other => other,
    };
    let found = match found {
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        other => other.replace("string ", "the text ").replace("integer ", "the number ").replace('`', ""),
    };
    format!("{expected} is wanted here, not {found}")
}

/// The TOML parser's complaint as one sentence. A repeated key names itself.
fn syntax(source: &Source, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let cause = if error.message().starts_with("duplicate key") {
        repeated(source, &span)
    } else {
        format!("not valid TOML: {}", error.message())
    };
    source.problem(&span, cause)
}

/// Keys of `[zones]` and `[devices]` are names, so a repeated one is a zone or device that is there twice.
fn repeated(source: &Source, span: &Range<usize>) -> String {
    let key = source.slice(span).trim_matches(['"', '\'']);
    let before = source.slice(&(0..span.start));
    let section = before.lines().rev().find(|line| line.trim_start().starts_with('[')).unwrap_or_default();
    match section.split('#').next().unwrap_or_default().trim() {
        "[zones]" => format!("zone \"{key}\" is there twice"),
        "[devices]" => format!("device \"{key}\" is there twice"),
        _ => format!("\"{key}\" is there twice"),
    }
}
