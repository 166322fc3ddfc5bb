//! A bar chart of the lines, as SVG that any browser opens.

use std::fmt::Write as _;

use super::{Findings, Spread};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 220.0;
const BAR: f64 = 14.0;
const ROW: f64 = 40.0;
/// What a longer bar is cut at, as a multiple of the plain bridge's: a thousand rules would squeeze all others.
const CUT: f64 = 3.0;

/// Median and 99th percentile of one transaction behind the other, in microseconds.
#[must_use]
pub fn plot(found: &Findings) -> String {
    let microseconds = |time: u32| f64::from(time) / 1000.0;
    let bridge = found.row(super::Kind::Bridge).map_or(1.0, |row| microseconds(row.flat_out.p50));
    let scale = (WIDTH - LEFT - 70.0) / (bridge * CUT);
    let height = found.rows.len() as f64 * ROW + 50.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"20\">Modbus round trip, µs: median (dark) and 99 % (light)</text>\n"
    );
    for (index, row) in found.rows.iter().enumerate() {
        let top = 36.0 + index as f64 * ROW;
        let Spread { p50, p99, .. } = row.flat_out;
        let _ =
            writeln!(text, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, top + 18.0, row.kind);
        for (place, time, colour) in [(0.0, p50, "#1d4e79"), (1.0, p99, "#9fc0dd")] {
            let time = microseconds(time);
            let length = time.min(bridge * CUT) * scale;
            let (y, end) = (top + place * BAR, if time > bridge * CUT { "…" } else { "" });
            let _ = writeln!(
                text,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\">{end}{time:.2}</text>",
                LEFT + length + 4.0,
                y + 11.0
            );
        }
    }
    text + "</svg>\n"
}
