//! What would have been denied, group by group.

use super::super::model::{Change, End, Group, Report};
use super::super::text::{also, service, short};
use super::super::words::thousands as number;
use super::{capital, charts, escaped};

pub(super) fn section(report: &Report) -> String {
    let mut out = String::from("<section><h2>What would have been denied</h2>\n");
    if report.groups.is_empty() {
        return out + "<p>Nothing that a rule decides would have been denied.</p></section>\n";
    }
    out += "<div class=\"pair\">";
    out += &charts::over_time(report, "Would have been denied", "would-deny", |hour| hour.would_deny);
    out += &charts::top(report);
    out += "</div>\n";
    let mut before = None;
    for group in &report.groups {
        if before != Some(&group.conduit) {
            out += &match &group.conduit {
                Some(name) => format!("<h3 class=\"conduit\">Conduit {}</h3>\n", escaped(name)),
                None => "<h3 class=\"conduit\">Covered by no conduit</h3>\n".to_owned(),
            };
        }
        before = Some(&group.conduit);
        out += &card(group);
    }
    out + "</section>\n"
}

fn card(group: &Group) -> String {
    let dangerous = group.function.as_ref().is_some_and(|function| function.dangerous);
    let class = if dangerous { " dangerous" } else { "" };
    let mut out = format!(
        "<article class=\"group{class}\" id=\"group-{}\"><h4><span class=\"id\">{}</span><span class=\"title\">{}</span>\
         <span class=\"count\">{}&times;</span></h4>\n",
        group.id,
        group.id,
        escaped(&group.title),
        number(group.count)
    );
    out += &format!(
        "<p class=\"who\">{} <span aria-label=\"to\">&rarr;</span> {}<span class=\"service\">{}</span></p>\n",
        end(&group.from),
        end(&group.to),
        escaped(&service(group))
    );
    out += &format!(
        "<p class=\"when\">First {}, last {} UTC{}</p>\n",
        escaped(&short(&group.first)),
        escaped(&short(&group.last)),
        function(group)
    );
    out +=
        &format!("<p class=\"why\"><b>Why:</b> {} <code>{}</code></p>\n", escaped(&capital(&group.why)), group.reason);
    if group.ranges > group.objects.len().max(1) || group.objects.len() > 6 {
        out += &format!(
            "<p class=\"objects\">{} different ranges, joined: {}</p>\n",
            group.ranges,
            escaped(&group.objects.join(", "))
        );
    }
    if group.without_operation > 0 {
        out += &format!(
            "<p class=\"objects\">And {} segments of the same conversations that carry no operation.</p>\n",
            number(group.without_operation)
        );
    }
    for warning in &group.warnings {
        out += &format!("<p class=\"warning\">{}</p>\n", escaped(warning));
    }
    for (index, one) in group.changes.iter().enumerate() {
        out += &change(one, index, dangerous);
    }
    if let Some(sample) = &group.sample {
        let text = serde_json::to_string_pretty(sample).unwrap_or_default();
        out += &format!("<details><summary>One of these events</summary><pre>{}</pre></details>\n", escaped(&text));
    }
    out + "</article>\n"
}

fn end(end: &End) -> String {
    let zone = match &end.zone {
        Some(zone) => format!(" <span class=\"zone\">{}</span>", escaped(zone)),
        None => String::new(),
    };
    format!("<b>{}</b>{zone}", escaped(&end.address))
}

fn function(group: &Group) -> String {
    let Some(function) = &group.function else { return String::new() };
    let technique = function.technique.map(|id| format!(", ATT&amp;CK {}", escaped(id))).unwrap_or_default();
    format!(". Function {}, class {}{technique}", function.number, function.access)
}

fn change(change: &Change, index: usize, dangerous: bool) -> String {
    let start = match (index, dangerous) {
        (0, false) => "To allow it",
        (0, true) => "If it must be allowed",
        _ => "Or",
    };
    let proof = if change.proven {
        "<span class=\"proof yes\">proven</span>"
    } else {
        "<span class=\"proof no\">not proven</span>"
    };
    let also = if change.also_allows.is_empty() { String::new() } else { format!(" {}", also(&change.also_allows)) };
    let mut out =
        format!("<div class=\"change\"><p><b>{start}:</b> {}{} {proof}</p>\n", escaped(&change.text), escaped(&also));
    for piece in &change.pieces {
        out += &format!(
            "<p class=\"place\">{}:</p><pre class=\"paste\">{}</pre>\n",
            escaped(&piece.place),
            escaped(piece.toml.trim_end())
        );
    }
    out + "</div>\n"
}
