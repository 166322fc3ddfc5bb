//! Mistakes in `[[conduits.rules]]`.

use super::{GOOD, errors, one, rule, with};

#[test]
fn empty_rule() {
    one(
        "functions = [\"@read\"]",
        "functions = []",
        "19: rule \"r\" of conduit \"c\": \"functions\" is empty, so the rule covers nothing; write [\"@any\"] for every function",
    );
    rule("objects = []", "\"objects\" is empty, so the rule covers nothing; leave it out for any");
    rule("units = []", "\"units\" is empty, so the rule covers nothing; leave it out for any");
    rule("values = []", "\"values\" is empty, so the rule covers nothing; leave it out for any");
}

#[test]
fn unknown_function() {
    one(
        "functions = [\"@read\"]",
        "functions = [\"write_singel_register\"]",
        "19: rule \"r\" of conduit \"c\": unknown function \"write_singel_register\"; did you mean \"write_single_register\"?",
    );
    one(
        "functions = [\"@read\"]",
        "functions = [\"banana\"]",
        "19: rule \"r\" of conduit \"c\": unknown function \"banana\"; a name of the standard, a number or a class such as \
         \"@read\" is wanted",
    );
    one(
        "functions = [\"@read\"]",
        "functions = [256]",
        "19: rule \"r\" of conduit \"c\": function 256 is out of range; modbus has 0 to 255",
    );
}

#[test]
fn unknown_class() {
    one(
        "functions = [\"@read\"]",
        "functions = [\"@banana\"]",
        "19: rule \"r\" of conduit \"c\": unknown class \"@banana\"; possible are @any, @read, @write, @control, @program, \
         @firmware, @diagnose, @discover, @session",
    );
    one(
        "functions = [\"@read\"]",
        "functions = [\"@session\"]",
        "19: rule \"r\" of conduit \"c\": modbus has no function of class \"@session\"",
    );
}

#[test]
fn unknown_object_space() {
    rule(
        "objects = [\"holdin:0-9\"]",
        "unknown kind of object \"holdin\" in \"holdin:0-9\"; did you mean \"holding\"?",
    );
    rule(
        "objects = [\"DB10:0-9\"]",
        "unknown kind of object \"DB10\" in \"DB10:0-9\"; possible are coil, discrete, input, holding, fifo, diagnostic, mei, file",
    );
    rule("objects = [\"file:0-9\"]", "\"file\" needs a number from 0 to 65535, such as \"file1:0-99\"");
}

#[test]
fn a_quoted_text_stays_on_one_line() {
    rule(
        "objects = [\"hol\\nding:0\"]",
        "unknown kind of object \"hol\\nding\" in \"hol\\nding:0\"; did you mean \"holding\"?",
    );
    one(
        "protocol = \"modbus\"",
        "protocol = \"\\u001b[2J\"",
        "16: conduit \"c\": unknown protocol \"\\u{1b}[2J\"; possible are ip, tcp, udp, icmp, modbus, enip",
    );
}

#[test]
fn bad_range() {
    rule("objects = [\"holding:9-3\"]", "in \"holding:9-3\", \"9-3\" ends before it begins");
    rule(
        "objects = [\"holding:a-b\"]",
        "in \"holding:a-b\", \"a-b\" is not a range; write a number or two with a dash, such as \"0-199\"",
    );
    rule(
        "objects = [\"holding:0-65536\"]",
        "in \"holding:0-65536\", \"0-65536\" is out of range; possible are 0 to 65535",
    );
    rule("units = [\"0-256\"]", "in \"units\", \"0-256\" is out of range; possible are 0 to 255");
    rule(
        "units = [\"one\"]",
        "in \"units\", \"one\" is not a range; write a number or two with a dash, such as \"0-199\"",
    );
    rule("values = [\"1000-0\"]", "in \"values\", \"1000-0\" ends before it begins");
}

#[test]
fn bad_rate() {
    rule("rate = \"fast\"", "\"fast\" is not a rate; write a number and s, min or h, such as \"5/s\" or \"30/min\"");
    rule("rate = \"0/s\"", "\"0/s\" is out of range; possible are 1 to 1000000 in a period");
    let text = with("name = \"r\"", "name = \"r\"\nrate = \"5/s\"")
        .replace("[\"@read\"]\naction = \"allow\"", "[\"@read\"]\naction = \"deny\"");
    assert_eq!(
        errors(&text),
        "policy.toml:19: rule \"r\" of conduit \"c\": a deny rule has no rate; it denies every time"
    );
}

#[test]
fn rules_on_an_uninspected_conduit() {
    one(
        "protocol = \"modbus\"",
        "protocol = \"tcp\"",
        "17: rule \"r\" of conduit \"c\": a tcp conduit has no functions, so it can have no rules; it passes as a whole",
    );
    let text = GOOD.replace(
        "\"modbus\"\n[[conduits.rules]]\nname = \"r\"\nfunctions = [\"@read\"]\naction = \"allow\"\n",
        "\"icmp\"\nports = [1]\n",
    );
    assert_eq!(errors(&text), "policy.toml:17: conduit \"c\": icmp has no ports");
}
