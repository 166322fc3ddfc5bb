//! Random policies and random requests: the compiled image with the core's judge must agree with an evaluator that loops
//! over the validated policy and knows neither segments nor searches.

mod generate;
mod naive;

use enforcer::policy::trial::{self, Outcome};
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
            let outcome = trial::judge(&compiled.image, id, &request.parts);
            prop_assert_eq!(outcome, Some(Outcome { conduit: id, reason, rule }), "{:?} in\n{}", request, text);
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
    fn any_text_gives_a_policy_or_sentences(
        conduits in policies(),
        at in any::<prop::sample::Index>(),
        insertion in "[\\PC\\n]{0,6}",
    ) {
        let mut text = text(&conduits, false);
        let place = at.index(text.len());
        if text.is_char_boundary(place) {
            text.insert_str(place, &insertion);
        }
        if let Err(errors) = parse("p", &text) {
            let lines = text.split('\n').count();
            for problem in errors.problems() {
                prop_assert!((1..=lines).contains(&problem.line), "{}", problem);
                prop_assert!(!problem.cause.contains('\n'), "{}", problem);
            }
        }
    }
}
