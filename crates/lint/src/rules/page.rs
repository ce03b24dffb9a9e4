//! A rule's page, for `cortexkey explain`, the documents and editors. Its content is in the rule's
//! own file.

use core::fmt::Write as _;

use std::sync::LazyLock;

use cortexkey_manifest::policy::BUILTINS;
use textwrap::{Options, WordSplitter};

use super::RULES;
pub use crate::policy::level;
use crate::policy::{OptionDoc, Policy};
use crate::rule::{Fixes, Rule, RuleExample};

/// The built-in policies, weakest first.
pub const POLICIES: [&str; 3] = ["minimal", "recommended", "strict"];

impl Rule {
    /// The page in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {} {}\n\n{}\n\n", self.code, self.name, sentence(self.summary));
        let _ = writeln!(out, "| policy | severity |\n|---|---|");
        let levels = self.levels();
        for (policy, level) in POLICIES.iter().zip(levels) {
            let _ = writeln!(out, "| `builtin:{policy}` | {level} |");
        }
        let _ = writeln!(out, "\nAutomatic fix: {}.\n", self.fixed_by());
        let _ = writeln!(out, "## Why\n\n{}\n", self.why);
        let _ = write!(out, "## Example\n\n{}", example("Bad", &self.bad));
        out.push_str(&example("Good", &self.good));
        let _ = writeln!(out, "## Fix\n\n{}\n", self.remedy);
        if !self.options.is_empty() {
            out.push_str(
                "## Options\n\n| option | type | default | description |\n|---|---|---|---|\n",
            );
            for option in self.options {
                let default = default(option).map_or("–".to_owned(), |text| format!("`{text}`"));
                let takes = option.kind.expected().replace('|', "\\|");
                let what = option.what.replace('|', "\\|");
                let _ = writeln!(out, "| `{}` | {takes} | {default} | {what} |", option.name);
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// The page for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{} {}\n{}\n\n", self.code, self.name, sentence(self.summary));
        let levels = POLICIES.iter().zip(self.levels());
        let levels: Vec<String> =
            levels.map(|(policy, level)| format!("{level} in {policy}")).collect();
        let _ = writeln!(out, "{}; automatic fix: {}\n", levels.join(", "), self.fixed_by());
        let _ = writeln!(out, "Why\n{}", indented(&filled(self.why)));
        for (title, example) in [("Bad", &self.bad), ("Good", &self.good)] {
            let _ = writeln!(out, "{title}\n{}", indented(&shown(example)));
        }
        let _ = writeln!(out, "Fix\n{}", indented(&filled(self.remedy)));
        if !self.options.is_empty() {
            out.push_str("Options\n");
            for option in self.options {
                let default =
                    default(option).map_or(String::new(), |text| format!("; default {text}"));
                let text = format!(
                    "{}: {} ({}{default})",
                    option.name,
                    option.what,
                    option.kind.expected()
                );
                out.push_str(&indented(&filled(&text)));
            }
        }
        out
    }

    /// Its severity in each of the built-in policies: `error`, `warning`, `info` or `off`.
    #[must_use]
    pub fn levels(&self) -> [&'static str; 3] {
        static BUILT_IN: LazyLock<[Option<Policy>; 3]> =
            LazyLock::new(|| BUILTINS.map(|(name, _)| Policy::builtin(name)));
        [0, 1, 2].map(|at| {
            let policy = &BUILT_IN[at];
            let settings = policy.as_ref().map(|policy| policy.settings(self));
            settings.map_or("off", |settings| level(settings.enabled, settings.severity))
        })
    }

    fn fixed_by(&self) -> &'static str {
        match self.fixes {
            Fixes::No => "none",
            Fixes::Safe => "`--fix`",
            Fixes::Unsafe => "`--fix --unsafe-fixes`",
        }
    }
}

/// The page that lists all rules.
#[must_use]
pub fn index() -> String {
    let mut out = String::from(
        "# Rules\n\nEach rule has a code and a name; both are accepted everywhere. The pages are generated \
         from the same source as `cortexkey explain RULE`, by `cargo xtask rules`.\n\n\
         A page lists the rule's own options. In addition, every rule accepts `enabled`, `severity`, \
         `locked`, `waivable` and `overrides`.\n\n\
         | code | name | finding | minimal | recommended | strict |\n|---|---|---|---|---|---|\n",
    );
    for rule in RULES {
        let [minimal, recommended, strict] = rule.levels();
        let _ = writeln!(
            out,
            "| {} | [{}]({}.md) | {} | {minimal} | {recommended} | {strict} |",
            rule.code,
            rule.name,
            rule.name,
            rule.summary.replace('|', "\\|"),
        );
    }
    out
}

fn default(option: &OptionDoc) -> Option<String> {
    let list = option.kind.is_list();
    let text = option.default?;
    Some(if list { format!("[{text}]") } else { text.to_owned() })
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let first = if text.starts_with('`') { "`".to_owned() } else { first };
    format!("{first}{}.", chars.as_str())
}

fn example(title: &str, example: &RuleExample) -> String {
    let mut out = title.to_owned();
    let is_policy_only = example.yaml.is_empty() && example.before.is_empty();
    if is_policy_only && !example.policy.is_empty() && example.without.is_empty() {
        return format!("{title} policy:\n\n```yaml\n{}```\n\n", example.policy);
    }
    if !example.path.is_empty() {
        let _ = write!(out, ", in `{}`", example.path);
    }
    if !example.without.is_empty() {
        let _ = write!(out, ", without `{}`", example.without.join("`, `"));
    }
    out.push_str(":\n\n");
    if !example.yaml.is_empty() {
        let _ = writeln!(out, "```yaml\n{}```\n", printable(example.yaml));
    }
    if !example.before.is_empty() {
        let _ = writeln!(out, "At the earlier revision:\n\n```yaml\n{}```\n", example.before);
    }
    if !example.policy.is_empty() {
        let _ = writeln!(out, "With this in the policy:\n\n```yaml\n{}```\n", example.policy);
    }
    if !example.lock.is_empty() {
        let _ = writeln!(out, "With this in `cortexkey.lock`:\n\n```yaml\n{}```\n", example.lock);
    }
    out
}

/// An example for a terminal, followed by its policy and other files.
fn shown(example: &RuleExample) -> String {
    let mut out = String::new();
    let parts = [
        ("", example.yaml),
        ("# at the earlier revision:\n", example.before),
        ("# in the policy:\n", example.policy),
        ("# in cortexkey.lock:\n", example.lock),
    ];
    if !example.path.is_empty() {
        let _ = writeln!(out, "# {}", example.path);
    }
    for (title, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
        out.push_str(title);
        out.push_str(&printable(text));
    }
    for field in example.without {
        let _ = writeln!(out, "# without {field}");
    }
    out
}

/// Shows a tab or a no-break space as a space, with a comment, since YAML would read an escape
/// literally. Other invisible characters are escaped; line endings stay.
fn printable(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let wide = |c: char| matches!(c, '\t' | '\u{a0}');
        let comment = body.find(wide).and_then(|at| body[at..].chars().next());
        let comment = comment
            .map_or(String::new(), |c| format!("  # U+{:04X} is shown as a space", u32::from(c)));
        format!("{}{comment}\n", cortexkey_manifest::escape(&body.replace(wide, " ")))
    });
    lines.collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Wraps text to lines of a readable length, at spaces only.
fn filled(text: &str) -> String {
    let options = Options::new(94).word_splitter(WordSplitter::NoHyphenation).break_words(false);
    textwrap::fill(text, options)
}
