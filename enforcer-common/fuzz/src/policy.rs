//! Policy text through parse, validate and compile.
//!
//! Oracle: no panic; a refusal is at least one sentence, each on one line and at a line of the text; what is accepted
//! compiles or says what does not fit, and the image answers any operation.

use enforcer::policy;
use enforcer_common::operation::Operation;

pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let loaded = match policy::parse("policy.toml", &text) {
        Ok(loaded) => loaded,
        Err(errors) => {
            return sentences(&text, errors.problems().iter().map(|problem| (problem.line, &*problem.cause)));
        }
    };
    sentences(&text, loaded.warnings.iter().map(|warning| (warning.line, &*warning.cause)).chain([(0, "none")]));
    match policy::compile(&loaded.valid, 1, 0) {
        Err(errors) => sentences(&text, errors.problems().iter().map(|problem| (problem.line, &*problem.cause))),
        Ok(compiled) => {
            for (id, _) in compiled.names.conduits() {
                for function in [0, 3, 6, 16, 255] {
                    let operation = Operation { function, unit: 1, space: 3, first: 40, last: 47, ..Operation::EMPTY };
                    let outcome =
                        policy::trial::judge(&compiled.image, id, &[operation]).expect("one range fits a frame");
                    let nameless = outcome.rule.filter(|rule| compiled.names.rule(*rule).is_none());
                    assert_eq!(nameless, None, "a rule without a name");
                }
            }
        }
    }
}

fn sentences<'a>(text: &str, problems: impl Iterator<Item = (usize, &'a str)>) {
    let last = text.split('\n').count();
    let mut count = 0;
    for (line, cause) in problems {
        assert!(line <= last, "line {line} of {last}: {cause}");
        assert!(!cause.is_empty() && !cause.contains('\n'), "not one line: {cause:?}");
        count += 1;
    }
    assert!(count > 0, "a refusal without a word");
}
