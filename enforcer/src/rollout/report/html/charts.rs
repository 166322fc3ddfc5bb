//! Charts as inline SVG. They show the shape; the numbers stand in the tables. Floating point is for drawing only.

use std::collections::BTreeMap;

use super::super::model::{Hour, Report};
use super::super::words::thousands as number;
use super::escaped;

/// Size of the drawing, and what its axes take.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 10.0;

/// Most bars in one chart: more can't be told apart on paper.
const BARS: u64 = 96;

/// One number per hour, over all conduits.
pub(super) fn over_time(report: &Report, title: &str, class: &str, of: impl Fn(&Hour) -> u64) -> String {
    let mut hours: BTreeMap<u64, u64> = BTreeMap::new();
    for hour in report.hours.iter().flat_map(|series| &series.hours) {
        let sum = hours.entry(hour.at).or_default();
        *sum = sum.saturating_add(of(hour));
    }
    let Some((first, last)) = ends(&hours) else { return missing(title) };
    let width = last.saturating_sub(first).saturating_add(1).div_ceil(BARS);
    let mut bars: BTreeMap<u64, u64> = BTreeMap::new();
    for (at, count) in hours {
        *bars.entry(at.saturating_sub(first) / width).or_default() += count;
    }
    let slots = (last.saturating_sub(first) / width).saturating_add(1);
    let most = nice(bars.values().copied().max().unwrap_or(0));
    let step = (WIDTH - LEFT) / slots as f64;
    let mut drawn = String::new();
    for (slot, count) in &bars {
        let height = (HEIGHT - BOTTOM - TOP) * (*count as f64 / most as f64);
        drawn += &format!(
            "<rect class=\"{class}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
            LEFT + step * *slot as f64,
            HEIGHT - BOTTOM - height,
            (step * 0.85).max(0.6)
        );
    }
    let per = if width == 1 { "per hour".to_owned() } else { format!("per {width} hours") };
    figure(title, &per, most, (first, last), &drawn)
}

/// How many different operations were known at each time.
pub(super) fn discovery(report: &Report) -> String {
    let title = "Different operations seen so far";
    let new: BTreeMap<u64, u64> = report.discovery.iter().map(|one| (one.at, one.new)).collect();
    let Some((first, mut last)) = ends(&new) else { return missing(title) };
    // The curve goes on, flat, as long as something was observed.
    let seen = report.hours.iter().flat_map(|series| &series.hours).map(|hour| hour.at).max();
    last = last.max(seen.unwrap_or(0));
    let span = last.saturating_sub(first).saturating_add(1) as f64;
    let most = nice(new.values().fold(0, |sum: u64, one| sum.saturating_add(*one)));
    let x = |at: u64| LEFT + (WIDTH - LEFT) * (at.saturating_sub(first) as f64 / span);
    let y = |sum: u64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (sum as f64 / most as f64);
    let mut path = format!("M{LEFT:.2} {:.2}", y(0));
    let mut sum = 0_u64;
    for (at, count) in &new {
        path += &format!("H{:.2}", x(*at));
        sum = sum.saturating_add(*count);
        path += &format!("V{:.2}", y(sum));
    }
    path += &format!("H{WIDTH:.2}");
    let drawn = format!("<path class=\"curve\" d=\"{path}\"/>");
    figure(title, "cumulative; flat means nothing new", most, (first, last), &drawn)
}

/// The groups with the highest counts.
pub(super) fn top(report: &Report) -> String {
    let mut groups: Vec<_> = report.groups.iter().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.id));
    groups.truncate(6);
    let most = groups.first().map_or(1, |group| group.count.max(1));
    let mut out = String::from("<figure><figcaption>Most frequent groups</figcaption><ol class=\"top\">");
    for group in groups {
        out += &format!(
            "<li><a href=\"#group-{}\"><span class=\"id\">{}</span><span class=\"what\">{}</span><span class=\"n\">{}</span>\
             </a><span class=\"bar\" style=\"width:{:.1}%\"></span></li>",
            group.id,
            group.id,
            escaped(&group.title),
            number(group.count),
            (group.count as f64 / most as f64 * 100.0).max(0.5)
        );
    }
    out + "</ol></figure>"
}

fn ends(map: &BTreeMap<u64, u64>) -> Option<(u64, u64)> {
    Some((*map.first_key_value()?.0, *map.last_key_value()?.0))
}

fn missing(title: &str) -> String {
    format!("<figure><figcaption>{title}</figcaption><p class=\"small\">No course over time was recorded.</p></figure>")
}

/// Axes around a drawing. `most` is at the top; `ends` are the first and the last hour.
fn figure(title: &str, unit: &str, most: u64, (first, last): (u64, u64), drawn: &str) -> String {
    let base = HEIGHT - BOTTOM;
    let mut out = format!(
        "<figure><figcaption>{title} <span class=\"small\">{unit}</span></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-label=\"{title}, {unit}, at most {}\">",
        number(most)
    );
    for part in [0.5, 1.0] {
        let y = base - (base - TOP) * part;
        let label = number((most as f64 * part) as u64);
        out += &format!("<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        if part == 1.0 || most.is_multiple_of(2) {
            out += &format!("<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 6.0, y + 3.5);
        }
    }
    out += drawn;
    out += &format!("<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{base}\" y2=\"{base}\"/>");
    out += &format!("<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">0</text>", LEFT - 6.0);
    let text = |x: f64, anchor: &str, hour: u64| {
        format!("<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>", HEIGHT - 8.0, clock(hour))
    };
    out += &text(LEFT, "start", first);
    if last > first {
        out += &text(WIDTH, "end", last);
    }
    out + "</svg></figure>"
}

/// An hour since 1970 as `11-23 06:00`.
fn clock(hour: u64) -> String {
    let seconds = i64::try_from(hour.saturating_mul(3_600)).unwrap_or_default();
    let text = crate::replay::time::Timestamp::new(seconds, 0).to_string();
    text.get(5..16).unwrap_or_default().replace('T', " ")
}

/// The next round number: 1, 2 or 5 with zeroes; at least 1.
fn nice(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let candidate = unit.saturating_mul(step);
            if candidate >= most || candidate == u64::MAX {
                return candidate;
            }
        }
        unit = unit.saturating_mul(10);
    }
}
