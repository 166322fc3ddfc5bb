//! The rest of the report, in tables.

use super::super::model::{Counts, Report};
use super::super::text::{short, word};
use super::super::words::thousands as number;
use super::{capital, escaped};

/// What readiness was measured by; nothing where it was not.
pub(super) fn measures(report: &Report) -> String {
    if report.verdict.measures.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section><h2>Readiness, measured</h2>\n<table><thead><tr><th>Measure</th><th>Of</th><th class=\"n\">Value</th>\
         <th class=\"n\">Wanted</th><th>Met</th></tr></thead><tbody>\n",
    );
    for one in &report.verdict.measures {
        let (class, met) = match one.ok {
            Some(true) => ("good", "yes"),
            Some(false) => ("bad", "no"),
            None => ("", "not known"),
        };
        out += &format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"{class}\">{met}</td></tr>\n",
            escaped(&one.name),
            escaped(one.conduit.as_deref().unwrap_or("the box")),
            escaped(&word(&one.value)),
            escaped(&word(&one.threshold))
        );
    }
    out + "</tbody></table></section>\n"
}

/// Denials that no rule decides.
pub(super) fn frames(report: &Report) -> String {
    let mut out = String::from("<section><h2>Denied for other reasons than the policy&rsquo;s rules</h2>\n");
    if report.frames.is_empty() {
        return out + "<p>Nothing: every frame could be inspected in its place.</p></section>\n";
    }
    out += "<p>These are about how frames and conversations are made, not about what was asked for. No rule changes them.</p>\n";
    out += "<table><thead><tr><th>Reason</th><th>Who</th><th>Conduit</th><th class=\"n\">Count</th><th>First and last</th>\
            </tr></thead><tbody>\n";
    for one in &report.frames {
        out += &format!(
            "<tr><td><b>{}</b><br><span class=\"small\">{} {}</span></td><td class=\"nowrap\">{}<br>&rarr; {}</td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"nowrap\">{}<br>{}</td></tr>\n",
            escaped(one.reason),
            escaped(&capital(one.meaning)),
            escaped(one.advice),
            escaped(&one.from),
            escaped(&one.to),
            escaped(one.conduit.as_deref().unwrap_or("none")),
            number(one.count),
            escaped(&short(&one.first)),
            escaped(&short(&one.last))
        );
    }
    out + "</tbody></table></section>\n"
}

pub(super) fn conduits(report: &Report) -> String {
    let mut out = String::from(
        "<section><h2>Conduits</h2>\n<table><thead><tr><th>Conduit</th><th>Mode</th><th class=\"n\">Evaluated</th>\
         <th class=\"n\">Allow</th><th class=\"n\">Log</th><th class=\"n\">Deny</th><th class=\"n\">Would deny</th><th>Ready</th></tr>\
         </thead><tbody>\n",
    );
    let row = |name: &str, mode: &str, one: &Counts, ready: &str| {
        let numbers: String = [one.evaluated, one.allow, one.log, one.deny, one.would_deny]
            .iter()
            .map(|count| format!("<td class=\"n\">{}</td>", number(*count)))
            .collect();
        format!("<tr><td>{}</td><td>{}</td>{numbers}<td>{ready}</td></tr>\n", escaped(name), escaped(mode))
    };
    for one in &report.conduits {
        let ready = match one.ready {
            Some(true) => "<span class=\"good\">yes</span>",
            Some(false) => "<span class=\"bad\">no</span>",
            None => "not measured",
        };
        out += &row(&one.name, &one.mode, &one.counts, ready);
    }
    out += &row("(no conduit)", "", &report.uncovered, "");
    out + "</tbody></table></section>\n"
}

/// What each rule decided.
pub(super) fn rules(report: &Report) -> String {
    let mut out = String::from("<section><h2>What each rule decided</h2>\n");
    if report.rules.is_empty() {
        return out + "<p>The policy has no rules.</p></section>\n";
    }
    let most = report.rules.iter().map(|rule| rule.hits).max().unwrap_or(0).max(1);
    out += "<table><thead><tr><th>Conduit</th><th>Rule</th><th>Action</th><th>Names</th><th class=\"n\">Decided</th><th \
            class=\"barcell\"></th></tr></thead><tbody>\n";
    for rule in &report.rules {
        let hits = match (rule.hits, rule.action) {
            (0, "deny") => "0".to_owned(),
            (0, _) => "<span class=\"bad\">never hit</span>".to_owned(),
            (hits, _) => number(hits),
        };
        // In floating point only to draw it.
        let width = rule.hits as f64 / most as f64 * 100.0;
        let bar = if rule.hits == 0 {
            String::new()
        } else {
            format!("<span class=\"bar\" style=\"width:{width:.1}%\"></span>")
        };
        out += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"small\">{}</td><td class=\"n\">{hits}</td><td class=\"barcell\">\
             {bar}</td></tr>\n",
            escaped(&rule.conduit),
            escaped(&rule.name),
            rule.action,
            escaped(&rule.covers)
        );
    }
    out += "</tbody></table>\n";
    if report.rules.iter().any(|rule| rule.hits == 0 && rule.action != "deny") {
        out += "<p>A rule that was never hit is either for traffic that has not come yet (a change of shift, a batch, a \
                start-up), or not needed. Wait for the one; take out the other.</p>\n";
    }
    out + "</section>\n"
}

pub(super) fn losses(report: &Report) -> String {
    let lost: Vec<_> = report.losses.iter().filter(|loss| loss.count > 0).collect();
    let mut out = String::from("<section><h2>Lost on the way to this report</h2>\n");
    if lost.is_empty() {
        return out + "<p>Nothing was lost.</p></section>\n";
    }
    out += "<p>Counters are exact all the same; groups and samples may be incomplete.</p><table><tbody>\n";
    for loss in lost {
        out += &format!("<tr><td>{}</td><td class=\"n\">{}</td></tr>\n", escaped(&loss.what), number(loss.count));
    }
    out + "</tbody></table></section>\n"
}
