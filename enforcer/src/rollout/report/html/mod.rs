//! The report as one HTML file: no script, nothing from elsewhere, charts as inline SVG. It is read on screens, light and
//! dark, and printed on A4. Names and addresses come from the wire: everything is escaped.

mod charts;
mod groups;
mod tables;

use super::model::Report;
use super::text::short;
use super::words::thousands as number;

/// The whole file.
pub fn html(report: &Report) -> String {
    let state = &report.state;
    let mut page = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    // Nothing may be fetched or run, whatever a name on the wire looks like.
    page += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
    page += &format!("<title>Shadow report: {}</title>\n", escaped(&state.policy));
    page += &format!("<style>\n{}</style>\n</head>\n<body>\n<main>\n", include_str!("style.css"));
    page += &head(report);
    page += &groups::section(report);
    page += &observed(report);
    page += &tables::frames(report);
    page += &tables::conduits(report);
    page += &tables::rules(report);
    page += &tables::losses(report);
    page += &format!(
        "<footer>Made {} UTC by enforcer {}. Times are UTC. Counts come from the box's own counters and journal; \
         &ldquo;proven&rdquo; means that the change was put into the policy, compiled, and the group judged again by the \
         code that runs in the box.</footer>\n</main>\n</body>\n</html>\n",
        escaped(&short(&state.made)),
        escaped(&state.version)
    );
    page
}

/// Text between tags and in quoted attributes. Characters that steer the display are shown by number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' => out.push('\n'),
            // Control characters, and those that turn the direction of writing.
            c if c.is_control() => out += &c.escape_unicode().to_string(),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                out += &c.escape_unicode().to_string();
            }
            c => out.push(c),
        }
    }
    out
}

/// Title, verdict and figures.
fn head(report: &Report) -> String {
    let (state, verdict) = (&report.state, &report.verdict);
    let mut out = format!(
        "<header><p class=\"kind\">Shadow report</p><h1>{}</h1><p class=\"meta\">Revision {}, generation {}. Box in mode \
         <b>{}</b>. Observed from {} to {} UTC.</p></header>\n",
        escaped(&state.policy),
        state.revision,
        state.generation,
        escaped(&state.mode),
        escaped(&short(&state.since)),
        escaped(&short(&state.until))
    );
    let (class, mark) = match verdict.ready {
        Some(true) => ("good", "&#10003;"),
        Some(false) => ("bad", "&#10007;"),
        None => ("open", "?"),
    };
    out += &format!(
        "<section class=\"verdict {class}\"><h2><span class=\"mark\" aria-hidden=\"true\">{mark}</span>{}</h2>\n<ul>",
        escaped(&verdict.headline)
    );
    for sentence in &verdict.why {
        out += &format!("<li>{}</li>", escaped(&capital(sentence)));
    }
    out += "</ul>\n";
    if !report.attention.is_empty() {
        out += "<h3>Needs attention</h3><ul class=\"attention\">";
        // As it stands: it may begin with the name of a port.
        for sentence in &report.attention {
            out += &format!("<li>{}</li>", escaped(sentence));
        }
        out += "</ul>\n";
    }
    out += "</section>\n";
    out += &figures(report);
    out + &tables::measures(report)
}

fn figures(report: &Report) -> String {
    let open = report.groups.iter().filter(|group| !group.settled).count();
    let never = report.rules.iter().filter(|rule| rule.hits == 0 && rule.action != "deny").count();
    let mut out = String::from("<dl class=\"figures\">");
    let rules = report.rules.iter().filter(|rule| rule.action != "deny").count();
    for (name, value) in [
        ("operations evaluated", number(report.totals.evaluated)),
        ("allowed", number(report.totals.allow.saturating_add(report.totals.log))),
        ("would have been denied, by the policies of the time", number(report.totals.would_deny)),
        ("groups to decide", open.to_string()),
        ("allowing rules never hit", format!("{never} of {rules}")),
    ] {
        out += &format!("<div><dd>{value}</dd><dt>{name}</dt></div>");
    }
    if report.totals.deny > 0 {
        out += &format!("<div><dd>{}</dd><dt>denied in enforce</dt></div>", number(report.totals.deny));
    }
    out + "</dl>\n"
}

/// What the report stands on: traffic over time, and how much of it was new.
fn observed(report: &Report) -> String {
    let mut out = String::from("<section><h2>What was observed</h2>\n");
    if report.hours.is_empty() && report.discovery.is_empty() {
        return out + "<p>No course over time was recorded.</p></section>\n";
    }
    out += "<div class=\"pair\">";
    out += &charts::over_time(report, "Operations evaluated", "evaluated", |hour| hour.evaluated);
    out += &charts::discovery(report);
    out + "</div></section>\n"
}

/// A sentence with a capital letter and a full stop.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if sentence.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
