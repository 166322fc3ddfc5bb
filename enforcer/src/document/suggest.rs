//! "did you mean": the nearest of the words that would have been right.

/// The candidate nearest to `word`, when it is near enough to be a slip of the hand.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let reach = (word.chars().count() / 4).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence about a wrong word: the near miss when there is one, else all that is possible.
pub fn choices(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None => format!("; possible are {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swapped_pair_of_letters_is_near() {
        let names = ["write_multiple_registers", "write_single_register", "write_single_coil"];
        assert_eq!(nearest("write_singel_register", names), Some("write_single_register"));
    }

    #[test]
    fn another_word_is_not_near() {
        assert_eq!(nearest("banana", ["allow", "log", "deny"]), None);
    }
}
