//! Suggestions: the nearest of some known words.
//!
//! A distant word is not suggested: a wrong hint is worse than none.

/// The known word nearest to the written one, if it is near enough.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    if folded.is_empty() || folded.len() > 120 {
        return None;
    }
    let length = folded.chars().count();
    let allowed = (length / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let other = fold(candidate);
        // A prefix of at least four letters counts too: `expir`, but not `exp`.
        let starts = folded.len() >= 4 && other.starts_with(&folded);
        if !starts && other.chars().count().abs_diff(length) > allowed {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&folded, &other);
        if (distance <= allowed || starts) && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Suggestions for mistakes of one kind. Only the first mistakes get one: nobody reads thousands,
/// and
/// comparing thousands of words with all known ones takes long.
#[derive(Debug, Default)]
pub struct Suggestions {
    given: usize,
}

impl Suggestions {
    const MAX: usize = 20;

    /// Like [`closest`], but returns nothing after the first mistakes.
    pub fn closest<'a>(
        &mut self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.is_left().then(|| closest(written, known)).flatten()
    }

    /// Like [`did_you_mean`], but returns nothing after the first mistakes.
    pub fn did_you_mean(&mut self, written: &str, known: &[&str]) -> Option<String> {
        self.is_left().then(|| did_you_mean(written, known)).flatten()
    }

    fn is_left(&mut self) -> bool {
        self.given = self.given.saturating_add(1);
        self.given <= Self::MAX
    }
}

/// A sentence with the nearest known word, or with all known words if there are few.
pub fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    if let Some(best) = closest(written, known.iter().copied()) {
        return Some(format!("did you mean `{best}`?"));
    }
    (!known.is_empty() && known.len() <= 12).then(|| format!("expected one of {}", list(known)))
}

/// Words in backticks, with commas.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(closest("rols", ["roles", "scope"]), Some("roles"));
        assert_eq!(closest("advnaced", ["standard", "advanced"]), Some("advanced"));
        assert_eq!(closest("security_level", ["securityLevel"]), Some("securityLevel"));
        assert_eq!(closest("Investigatr", ["Investigator", "Viewer"]), Some("Investigator"));
        assert_eq!(closest("banana", ["roles", "scope"]), None);
        assert_eq!(closest("", ["a"]), None);
    }

    #[test]
    fn only_the_first_mistakes_get_a_suggestion() {
        let mut suggestions = Suggestions::default();
        let given = (0..100).filter(|_| suggestions.closest("rols", ["roles"]).is_some()).count();
        assert_eq!(given, 20);
        assert_eq!(suggestions.did_you_mean("rols", &["roles"]), None);
    }

    #[test]
    fn few_words_are_listed() {
        assert_eq!(did_you_mean("x9", &["none", "all"]).unwrap(), "expected one of `none`, `all`");
    }
}
