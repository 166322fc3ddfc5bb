//! Random policies and random requests: the compiled image with the core's judge must agree with an evaluator that loops
//! over the validated policy and knows neither segments nor searches.

mod generate;
mod naive;

use enforcer::config;
use enforcer::document::Errors;
use enforcer::policy::trial::{self, Desk, Outcome};
use enforcer::policy::{compile, parse};
use enforcer_common::policy::UNCOVERED;
use enforcer_common::protocol::Protocol;
use generate::{policies, requests, text};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn image_and_naive_evaluator_agree(conduits in policies(), requests in prop::collection::vec(requests(), 1..40)) {
        let text = text(&conduits, false);
        let valid = parse("p", &text).map_err(|errors| TestCaseError::fail(errors.to_string()))?.valid;
        let compiled = compile(&valid, 1, 0).map_err(|errors| TestCaseError::fail(errors.to_string()))?;
        let mut desk = Desk::remembering();
        for request in &requests {
            let id = trial::conduit(&compiled.image, request.from, request.to, request.transport, request.port);
            let expected = naive::conduit(&valid, request);
            prop_assert_eq!((id != UNCOVERED).then(|| usize::from(id) - 1), expected, "conduit of {:?} in\n{}", request, text);
            let Some(index) = expected else { continue };
            let conduit = &valid.conduits[index];
            if conduit.protocol != Protocol::Modbus {
                continue;
            }
            let (reason, rule) = naive::judge(conduit, &request.parts);
            let before: usize = valid.conduits[..index].iter().map(|conduit| conduit.rules.len()).sum();
            let rule = rule.map(|rule| u16::try_from(before + rule).unwrap());
            // Searched for and remembered, and then perhaps only remembered.
            for _ in 0..2 {
                let outcome = desk.judge(&compiled.image, id, &request.parts);
                prop_assert_eq!(outcome, Some(Outcome { conduit: id, reason, rule }), "{:?} in\n{}", request, text);
            }
        }
    }

    #[test]
    fn the_order_of_rules_never_matters(conduits in policies(), requests in prop::collection::vec(requests(), 1..40)) {
        let image = |reversed| compile(&parse("p", &text(&conduits, reversed)).unwrap().valid, 1, 0).unwrap().image;
        let images = [image(false), image(true)];
        for request in &requests {
            let [forward, backward] = images.each_ref().map(|image| {
                let id = trial::conduit(image, request.from, request.to, request.transport, request.port);
                (id, trial::judge(image, id, &request.parts).map(|outcome| outcome.reason))
            });
            prop_assert_eq!(forward, backward);
        }
    }

    /// Whatever the text, the answer is a policy or sentences with lines inside the file; never a panic.
    #[test]
    fn any_text_gives_a_policy_or_sentences(conduits in policies(), edit in edits()) {
        let text = edit.apply(&text(&conduits, false));
        sentences(parse("p", &text).err(), &text)?;
    }

    /// The same for the box configuration.
    #[test]
    fn any_text_gives_a_configuration_or_sentences(edit in edits()) {
        let text = edit.apply(include_str!("../../../configs/enforcer.toml"));
        sentences(config::parse("c", &text).err(), &text)?;
    }
}

/// One place in a text, some of it taken away, something else put in.
#[derive(Clone, Debug)]
struct Edit {
    at: prop::sample::Index,
    remove: usize,
    insert: String,
}

fn edits() -> impl Strategy<Value = Edit> {
    let insert = prop_oneof![Just(String::new()), "[\\PC\\n]{0,6}", "[\\[\\]\"=,{}0-9.\\\\ \n-]{0,4}"];
    (any::<prop::sample::Index>(), 0usize..12, insert).prop_map(|(at, remove, insert)| Edit { at, remove, insert })
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        let start = self.at.index(chars.len());
        let end = (start + self.remove).min(chars.len());
        chars.splice(start..end, self.insert.chars());
        chars.into_iter().collect()
    }
}

/// Each error is one line and speaks of a line that is there; 0 is the file as a whole.
fn sentences(errors: Option<Errors>, text: &str) -> Result<(), TestCaseError> {
    let lines = text.split('\n').count();
    for problem in errors.iter().flat_map(Errors::problems) {
        prop_assert!(problem.line <= lines, "{}", problem);
        prop_assert!(!problem.to_string().contains('\n'), "{}", problem);
    }
    Ok(())
}
