//! An event in the Common Event Format, version 0.

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

use crate::journal::time;

/// `CEF:0|vendor|product|version|signature|name|severity|extension`, on one line.
pub(super) fn record(event: &Value) -> String {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let kind = text("event").unwrap_or("event");
    let reason = text("reason");
    let signature = reason.map_or_else(|| kind.to_owned(), |reason| format!("{kind}.{reason}"));
    let name = signature.replace('.', ": ").replace('_', " ");
    let mut line = format!(
        "CEF:0|enforcer|enforcer|{}|{}|{}|{}|",
        header(env!("CARGO_PKG_VERSION")),
        header(&signature),
        header(&name),
        severity(kind)
    );
    let before = line.len();
    for (key, value) in fields(event) {
        if line.len() > before {
            line.push(' ');
        }
        line.push_str(key);
        line.push('=');
        line.push_str(&extension(&value));
    }
    line
}

/// 0 to 10.
fn severity(kind: &str) -> u8 {
    match kind {
        "alarm" => 9,
        "deny" | "malformed" | "unsynchronised" => 7,
        "would_deny" | "health" => 5,
        "mode" | "policy" | "grant" => 4,
        _ => 3,
    }
}

/// The extension's fields, in order.
fn fields(event: &Value) -> Vec<(&'static str, String)> {
    let of = |key: &str| event.get(key).filter(|value| !value.is_null()).map(plain);
    let mut fields = Vec::new();
    let mut add = |key: &'static str, value: Option<String>| fields.extend(value.map(|value| (key, value)));
    let moment = of("time").as_deref().and_then(time::parse);
    add("rt", moment.map(|nanoseconds| nanoseconds.div_euclid(1_000_000).to_string()));
    add("cat", of("event"));
    add("cnt", of("count"));
    add("act", of("action"));
    add("reason", of("reason"));
    add("app", of("protocol"));
    for (key, value) in end(of("src"), &SOURCE).into_iter().chain(end(of("dst"), &DESTINATION)) {
        add(key, Some(value));
    }
    let direction = of("side").map(|side| u8::from(side == "device").to_string());
    add("deviceDirection", direction);
    let mut labelled = |key: &'static str, label: &'static str, name: &str, value: Option<String>| {
        if let Some(value) = value {
            add(key, Some(value));
            add(label, Some(name.to_owned()));
        }
    };
    labelled("cs1", "cs1Label", "conduit", of("conduit"));
    labelled("cs2", "cs2Label", "rule", of("rule"));
    labelled("cs3", "cs3Label", "function", of("name").or_else(|| of("function")));
    labelled("cs4", "cs4Label", "objects", objects(event));
    labelled("cs5", "cs5Label", "values", range(event.get("values"), "min", "max"));
    labelled("cs6", "cs6Label", "technique", of("technique"));
    labelled("cn1", "cn1Label", "unit", of("unit"));
    labelled("cn2", "cn2Label", "functionCode", of("function"));
    labelled("cn3", "cn3Label", "generation", of("generation"));
    labelled("flexString1", "flexString1Label", "mode", of("mode"));
    labelled("flexString2", "flexString2Label", "role", of("role"));
    add("msg", of("what").or_else(|| of("fault")));
    fields
}

/// Keys for one end of a conversation: IPv4 address, IPv6 address, its label, port, hardware address.
struct Keys([&'static str; 5], &'static str);

const SOURCE: Keys = Keys(["src", "c6a2", "c6a2Label", "spt", "smac"], "Source IPv6 Address");
const DESTINATION: Keys = Keys(["dst", "c6a3", "c6a3Label", "dpt", "dmac"], "Destination IPv6 Address");

fn end(text: Option<String>, keys: &Keys) -> Vec<(&'static str, String)> {
    let Some(text) = text else { return Vec::new() };
    let Keys([v4, v6, v6_label, port_key, mac], label) = keys;
    let (address, port) = match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
        (Ok(both), _) => (both.ip(), Some(both.port())),
        (_, Ok(address)) => (address, None),
        _ => return vec![(*mac, text)],
    };
    let mut fields = match address {
        IpAddr::V4(address) => vec![(*v4, address.to_string())],
        IpAddr::V6(address) => vec![(*v6, address.to_string()), (*v6_label, (*label).to_owned())],
    };
    fields.extend(port.map(|port| (*port_key, port.to_string())));
    fields
}

/// `holding:40-47,holding:60`.
fn objects(event: &Value) -> Option<String> {
    let list = event.get("objects")?.as_array()?;
    let one = |object: &Value| {
        let space = object.get("space").map(plain)?;
        Some(format!("{space}:{}", range(Some(object), "first", "last")?))
    };
    let words: Vec<String> = list.iter().filter_map(one).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// `first-last`, or one number when they are the same.
fn range(value: Option<&Value>, first: &str, last: &str) -> Option<String> {
    let (first, last) = (value?.get(first).map(plain)?, value?.get(last).map(plain)?);
    Some(if first == last { first } else { format!("{first}-{last}") })
}

/// A text without its quotes; anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// In the header `\` and `|` are escaped, and a line stays a line.
fn header(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' | '|' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// In the extension `\` and `=` are escaped, line ends are written `\n` and `\r`.
fn extension(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' | '=' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{extension, header, record};

    #[test]
    fn a_denied_write_in_full() {
        let event = json!({
            "schema": 1, "event": "deny", "time": "2026-11-23T06:00:00.123456Z", "src": "10.10.1.20:34567",
            "dst": "10.10.2.5:502", "protocol": "modbus", "role": "request", "function": 6,
            "name": "write_single_register", "access": "write", "unit": 1,
            "objects": [{"space": "holding", "first": 40, "last": 40}], "values": {"min": 1200, "max": 1200},
            "exception": null, "conduit": "hmi=press|1", "rule": null, "verdict": "deny", "reason": "value_not_allowed",
            "action": "reset", "technique": "T0836", "generation": 12, "candidate": null, "mode": "enforce", "count": 1,
            "side": "network",
        });
        assert_eq!(
            record(&event),
            format!(
                "CEF:0|enforcer|enforcer|{}|deny.value_not_allowed|deny: value not allowed|7|rt=1795413600123 cat=deny \
                 cnt=1 act=reset reason=value_not_allowed app=modbus src=10.10.1.20 spt=34567 dst=10.10.2.5 dpt=502 \
                 deviceDirection=0 cs1=hmi\\=press|1 cs1Label=conduit cs3=write_single_register cs3Label=function \
                 cs4=holding:40 cs4Label=objects cs5=1200 cs5Label=values cs6=T0836 cs6Label=technique cn1=1 \
                 cn1Label=unit cn2=6 cn2Label=functionCode cn3=12 cn3Label=generation flexString1=enforce \
                 flexString1Label=mode flexString2=request flexString2Label=role",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn ends_without_ipv4_have_keys_of_their_own() {
        let line = record(&json!({"event": "deny", "src": "[fd00::20]:1", "dst": "00:1b:1b:12:34:56"}));
        assert!(line.contains("c6a2=fd00::20 c6a2Label=Source IPv6 Address spt=1 dmac=00:1b:1b:12:34:56"), "{line}");
    }

    #[test]
    fn what_would_break_a_line_is_escaped() {
        assert_eq!(header("a|b\\c\nd=e"), "a\\|b\\\\c d=e");
        assert_eq!(extension("a|b\\c\r\nd=e\u{7}"), "a|b\\\\c\\r\\nd\\=e ");
        let line = record(&json!({"event": "policy", "what": "two\nlines=1"}));
        assert!(line.ends_with("msg=two\\nlines\\=1") && !line.contains('\n'), "{line}");
    }
}
