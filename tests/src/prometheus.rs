//! Metrics fetched and read as strictly as the text format (0.0.4) is written.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Namespace;

/// What was scraped: `name{label="value"}` as it stands there, with its value; and each family's kind.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    pub samples: BTreeMap<String, f64>,
    pub kinds: BTreeMap<String, String>,
}

impl Exposition {
    /// The sum over all samples of a family whose labels contain each of these texts, such as `verdict="deny"`.
    pub fn sum(&self, family: &str, labels: &[&str]) -> f64 {
        let of =
            |series: &str| series.split('{').next() == Some(family) && labels.iter().all(|one| series.contains(one));
        self.samples.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
    }
}

/// One HTTP request inside a namespace: the status line's code and the body.
pub fn get(namespace: &Namespace, address: SocketAddr, request: &str) -> std::io::Result<(u16, String)> {
    namespace.run(|| {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(15)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let length = format!("Content-Length: {}", body.len());
        if code != 0 && !request.starts_with("HEAD") && !head.contains(&length) {
            return Err(std::io::Error::other(format!("{head} has not {length}")));
        }
        Ok((code, body.to_owned()))
    })
}

/// Reads a text; panics with the line that is wrong.
pub fn read(text: &str) -> Exposition {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut found = Exposition::default();
    let mut helped = None;
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split_once(' ').map(|(name, _)| name.to_owned());
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert_eq!(helped.as_deref(), Some(name), "TYPE without its HELP: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(found.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            name.clone_into(&mut family);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}"))),
            None => (series, ""),
        };
        let kind = &found.kinds[&family];
        let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(suffixes.iter().any(|suffix| name == format!("{family}{suffix}")), "not of {family}: {line}");
        assert!(kind != "counter" || value >= 0.0, "{line}");
        check_labels(labels, line);
        assert!(found.samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
    }
    found
}

/// `name="value",...` with `\\`, `\"` and `\n` as the only escapes.
fn check_labels(labels: &str, line: &str) {
    let mut rest = labels;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name:?} in {line}");
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next() {
                Some((_, '\\')) => {
                    let escaped = letters.next().map(|(_, c)| c);
                    assert!(matches!(escaped, Some('\\' | '"' | 'n')), "{escaped:?} in {line}");
                }
                Some((at, '"')) => break at,
                Some(_) => {}
                None => panic!("a label without end: {line}"),
            }
        };
        rest = &after[end + 1..];
        rest = match rest.strip_prefix(',') {
            Some(more) => more,
            None => {
                assert!(rest.is_empty(), "{rest:?} in {line}");
                rest
            }
        };
    }
}
