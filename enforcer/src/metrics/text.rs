//! Prometheus text format 0.0.4.

use std::fmt::Write as _;

use super::{Family, Value};

/// The whole text. A family without samples is left out.
#[must_use]
pub fn text(families: &[Family]) -> String {
    let mut out = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let definition = family.definition;
        // Writing into a String cannot fail.
        let _ = writeln!(out, "# HELP {} {}", definition.name, escaped(definition.help, false));
        let _ = writeln!(out, "# TYPE {} {}", definition.name, definition.kind.as_str());
        for sample in &family.samples {
            let _ = write!(out, "{}{}", definition.name, sample.suffix);
            for (index, (name, value)) in sample.labels.iter().enumerate() {
                let open = if index == 0 { '{' } else { ',' };
                let _ = write!(out, "{open}{name}=\"{}\"", escaped(value, true));
            }
            if !sample.labels.is_empty() {
                out.push('}');
            }
            let _ = match sample.value {
                Value::Whole(value) => writeln!(out, " {value}"),
                Value::Real(value) => writeln!(out, " {value}"),
            };
        }
    }
    out
}

/// `\` and line ends are escaped, and in label values `"`.
fn escaped(text: &str, label: bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if label => out.push_str("\\\""),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Definition, Family, Kind};
    use super::text;

    const COUNTER: Definition =
        Definition { name: "a_total", kind: Kind::Counter, labels: &["x", "y"], help: "One \\ two\nthree \"four\"." };
    const HISTOGRAM: Definition = Definition { name: "h_seconds", kind: Kind::Histogram, labels: &["x"], help: "H." };
    const EMPTY: Definition = Definition { name: "empty", kind: Kind::Gauge, labels: &[], help: "E." };

    #[test]
    fn labels_and_help_are_escaped_and_whole_numbers_stay_exact() {
        let mut family = Family::new(&COUNTER);
        family.add(&["a\"b\\c\nd", ""], u64::MAX);
        assert_eq!(
            text(&[Family::new(&EMPTY), family]),
            "# HELP a_total One \\\\ two\\nthree \"four\".\n# TYPE a_total counter\n\
             a_total{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 18446744073709551615\n"
        );
    }

    #[test]
    fn a_histogram_has_buckets_sum_and_count() {
        let mut family = Family::new(&HISTOGRAM);
        family.add_histogram(&["v"], &[(0.000_000_1, 3), (f64::INFINITY, 5)], 0.25);
        assert_eq!(
            text(&[family]),
            "# HELP h_seconds H.\n# TYPE h_seconds histogram\nh_seconds_bucket{x=\"v\",le=\"0.0000001\"} 3\n\
             h_seconds_bucket{x=\"v\",le=\"+Inf\"} 5\nh_seconds_sum{x=\"v\"} 0.25\nh_seconds_count{x=\"v\"} 5\n"
        );
    }
}
