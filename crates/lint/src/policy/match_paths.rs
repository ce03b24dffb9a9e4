//! The file patterns of a policy's `match` entries, each compiled once.
//!
//! Like `keys`, a pattern starts from the folder of its policy. If that folder is not above the
//! policy in force, as with a shared policy in a separate folder, it starts from the folder of the
//! policy in force.

use std::collections::HashMap;

use cortexkey_manifest::Spanned;
use cortexkey_manifest::policy::{Match, PolicyLayer, SettingSource};
use globset::{ErrorKind, GlobBuilder, GlobMatcher};
use thiserror::Error;

/// Why a pattern is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PathPatternError {
    #[error("the pattern leaves the policy's folder")]
    Leaves,
    #[error("this is not a valid pattern: {0}")]
    Form(ErrorKind),
    /// No file has a path of this form.
    #[error("this pattern matches no file: {0}")]
    NoFile(&'static str),
}

/// The compiled patterns of all layers.
#[derive(Debug, Default)]
pub(crate) struct MatchPaths {
    patterns: HashMap<String, GlobMatcher>,
    /// The prefix that turns a path from the policy in force into one from each layer's folder.
    prefixes: Vec<String>,
}

impl MatchPaths {
    /// Compiles the patterns of all layers. Returns invalid ones with the reason.
    pub(crate) fn new(layers: &[PolicyLayer]) -> (Self, Vec<(SettingSource, PathPatternError)>) {
        let mut paths = Self::default();
        paths.resolve(layers, &|path| path.to_owned());
        let mut faults = Vec::new();
        for (at, layer) in layers.iter().enumerate() {
            for pattern in matches_of(layer).flat_map(|wanted| &wanted.path) {
                if let Err(why) = paths.add(pattern) {
                    faults.push((SettingSource { layer: at, span: pattern.span }, why));
                }
            }
        }
        (paths, faults)
    }

    /// Sets the folders that patterns start from; `whole` gives the absolute path of a layer's path.
    pub(crate) fn resolve(&mut self, layers: &[PolicyLayer], whole: &dyn Fn(&str) -> String) {
        let in_force = layers.last().map(|layer| whole(&layer.path)).unwrap_or_default();
        let prefix = |layer: &PolicyLayer| prefix(folder(&in_force), folder(&whole(&layer.path)));
        self.prefixes = layers.iter().map(prefix).collect();
    }

    fn add(&mut self, pattern: &Spanned<String>) -> Result<(), PathPatternError> {
        let text = pattern.value.strip_prefix("./").unwrap_or(&pattern.value);
        if text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err(PathPatternError::Leaves);
        }
        // Without a wildcard, it names a file, or a folder with all files below it.
        let folder = text.strip_suffix('/').unwrap_or(text);
        let text = if text.contains(['*', '?', '[', '{', '\\']) {
            text.to_owned()
        } else {
            format!("{folder}{{,/**}}")
        };
        let glob = GlobBuilder::new(&text).literal_separator(true).build();
        let glob = glob.map_err(|error| PathPatternError::Form(error.kind().clone()))?;
        if let Some(why) = never_matches(&text) {
            return Err(PathPatternError::NoFile(why));
        }
        self.patterns.insert(pattern.value.clone(), glob.compile_matcher());
        Ok(())
    }

    /// True when a path from the folder of the policy in force matches one of a layer's patterns.
    pub(crate) fn any_matches<'p>(
        &self,
        layer: usize,
        mut patterns: impl Iterator<Item = &'p str>,
        path: &str,
    ) -> bool {
        let prefix = self.prefixes.get(layer).map_or("", String::as_str);
        let path = format!("{prefix}{path}");
        patterns.any(|pattern| self.patterns.get(pattern).is_some_and(|glob| glob.is_match(&path)))
    }
}

/// The `match` entries of a layer: those of overrides and those of its own rules.
pub(super) fn matches_of(layer: &PolicyLayer) -> impl Iterator<Item = &Match> {
    let of_rules = layer.file.rules.iter().flat_map(|rule| &rule.overrides);
    let of_rules = of_rules.map(|item| &item.matches);
    let own = layer.file.custom_rules.iter().filter_map(|rule| rule.matches.get());
    of_rules.chain(own)
}

/// Why a pattern has a form that no file's path has. Settings for keys that nothing matches would
/// have no effect, and nothing would show that.
fn never_matches(pattern: &str) -> Option<&'static str> {
    if pattern != pattern.trim() {
        Some("it begins or ends with a space")
    } else if pattern.starts_with('!') {
        Some("a pattern with `!` excludes nothing here")
    } else if pattern.contains('\\') {
        Some("separate folders with `/`")
    } else if pattern.ends_with('/') || pattern.contains("//") {
        Some("for the files of a folder, write `FOLDER/**`")
    } else {
        None
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path from an upper folder down to a lower one, with a trailing slash; empty if the one is not
/// above the other.
fn prefix(lower: &str, upper: &str) -> String {
    // `..` in a path hides the names of the folders, so that no prefix can be known.
    let below = match (lower, upper) {
        (lower, "") => Some(lower),
        (lower, upper) => lower.strip_prefix(upper).and_then(|rest| rest.strip_prefix('/')),
    };
    match below.filter(|below| !below.is_empty() && !below.starts_with("..")) {
        Some(below) => format!("{below}/"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spanned(pattern: &str) -> Spanned<String> {
        Spanned { value: pattern.to_owned(), span: cortexkey_manifest::Span::default() }
    }

    #[test]
    fn a_pattern_that_no_path_can_match_is_refused() {
        for pattern in [
            "keys/*/",
            "keys//prod/**",
            "keys//prod",
            "!keys/dev/**",
            "keys/**/ ",
            "keys\\prod\\**",
        ] {
            let pattern = spanned(pattern);
            let added = MatchPaths::default().add(&pattern);
            assert!(matches!(added, Err(PathPatternError::NoFile(_))), "{pattern:?}");
        }
        for pattern in ["keys/prod/**", "./keys/*", "keys/a.yaml", "**/prod/*", "keys/{a,b}"] {
            let pattern = spanned(pattern);
            assert_eq!(MatchPaths::default().add(&pattern), Ok(()), "{pattern:?}");
        }
    }

    #[test]
    fn a_folder_means_the_files_below_it() {
        for (pattern, below) in [
            ("keys/prod", true),
            ("keys/prod/", true),
            ("keys", true),
            ("keys/*", false),
            ("prod", false),
        ] {
            let mut paths = MatchPaths::default();
            paths.add(&spanned(pattern)).unwrap();
            let matches = |path| paths.any_matches(0, [pattern].into_iter(), path);
            assert_eq!(matches("keys/prod/eu/a.yaml"), below, "{pattern}");
            assert!(!matches("keys/production/eu/a.yaml") || pattern == "keys", "{pattern}");
        }
    }

    #[test]
    fn a_path_is_taken_from_the_folder_of_the_layer() {
        assert_eq!(prefix("team/a", "team"), "a/");
        assert_eq!(prefix("team", ""), "team/");
        assert_eq!(prefix("/srv/repo/team", "/srv/repo"), "team/");
        for (lower, upper) in [("", ""), ("team", "team"), ("", "org"), ("teams", "team")] {
            assert_eq!(prefix(lower, upper), "", "{lower} {upper}");
        }
    }
}
