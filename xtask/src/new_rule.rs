//! `cargo xtask new-rule FAMILY NAME`: the file of a new rule with its next free code, and its two
//! lines of registration.
//!
//! The skeleton compiles and reports nothing. The test that runs each rule's examples fails until
//! there is a check, and `tidy` fails until the last mark of what is to be written is gone.

use std::fs;
use std::path::Path;

use crate::text_file;

/// Where the rules are, below the workspace's folder.
const RULES: &str = "crates/lint/src/rules";
/// Marks what is to be written; in parts, so that `tidy` does not find it here.
const MARK: &str = concat!("TO", "DO");

/// Writes the rule, and prints what is left to do.
pub(crate) fn run(root: &Path, family: &str, name: &str) -> Result<(), String> {
    let rule = NewRule::plan(root, family, name)?;
    rule.write(root)?;
    println!("{RULES}/{family}/{}.rs is rule {} `{name}`", rule.module, rule.code);
    println!("next: write its check, texts and examples in place of each {MARK},");
    println!("then `cargo xtask rules` for its page, and cases in crates/lint/tests/it/edges");
    Ok(())
}

/// A rule that is about to be written.
struct NewRule<'a> {
    family: &'a str,
    name: &'a str,
    code: String,
    /// The name of its module, such as `e009_on_holiday`.
    module: String,
}

impl<'a> NewRule<'a> {
    fn plan(root: &Path, family: &'a str, name: &'a str) -> Result<Self, String> {
        let of_family = modules(&root.join(RULES).join(family))?;
        let last = of_family.last().ok_or_else(|| {
            format!("there is no family `{family}`; the folders of {RULES} are the families")
        })?;
        check_name(root, name)?;
        let (letter, number) = last.code().ok_or_else(|| format!("{}: no code", last.0))?;
        let number = number + 1;
        let code = format!("{letter}{number:03}");
        let words = name.replace('-', "_");
        let short = words.strip_prefix(&format!("{family}_")).unwrap_or(&words);
        let module = format!("{}_{short}", code.to_lowercase());
        Ok(NewRule { family, name, code, module })
    }

    fn write(&self, root: &Path) -> Result<(), String> {
        let rules = root.join(RULES);
        let folder = rules.join(self.family);
        // Both lists are made before anything is written.
        let declared = self.declare(&text_file::read(&folder.join("mod.rs"))?)?;
        let registered = self.register(&text_file::read(&rules.join("mod.rs"))?)?;
        text_file::write(&folder.join(format!("{}.rs", self.module)), &self.skeleton())?;
        text_file::write(&folder.join("mod.rs"), &declared)?;
        text_file::write(&rules.join("mod.rs"), &registered)
    }

    /// The family's modules with this one behind its last rule.
    fn declare(&self, family: &str) -> Result<String, String> {
        let line = format!("pub(crate) mod {};", self.module);
        insert_after_last(family, &line, |line| {
            line.strip_prefix("pub(crate) mod ")
                .is_some_and(|name| Module(name.into()).code().is_some())
        })
        .ok_or_else(|| format!("{RULES}/{}/mod.rs declares no rule", self.family))
    }

    /// The table of rules with this one behind the last of its family.
    fn register(&self, table: &str) -> Result<String, String> {
        let line = format!("    &{}::{}::RULE,", self.family, self.module);
        let prefix = format!("    &{}::", self.family);
        insert_after_last(table, &line, |line| {
            line.starts_with(&prefix) && line.ends_with("::RULE,")
        })
        .ok_or_else(|| format!("{RULES}/mod.rs registers no rule of `{}`", self.family))
    }

    fn skeleton(&self) -> String {
        let NewRule { name, code, .. } = self;
        format!(
            r#"//! {code} {name}: {MARK} what it reports, in half a sentence.

use cortexkey_manifest::policy::Severity;

use crate::rule::{{Check, Example, Fixes, KeyContext, Rule, Sink}};

pub(crate) static RULE: Rule = Rule {{
    code: "{code}",
    name: "{name}",
    severity: Severity::Warning,
    summary: "{MARK} the finding in one line",
    why: "{MARK} what goes wrong for whom when nobody follows the rule.",
    // The fields that differ from a definition without findings.
    bad: Example::fields("metadata:\n  name: {MARK}-bad\n"),
    good: Example::fields("metadata:\n  name: {MARK}-good\n"),
    remedy: "{MARK} what to change.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
}};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {{
    // {MARK} look at the definition, and report:
    // cx.finding(span, message).help("what to change").report(sink);
    let _ = (cx.definition, sink);
}}
"#
        )
    }
}

/// The module of a rule, such as `e004_soon`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Module(String);

impl Module {
    /// Its family's letter and its number.
    fn code(&self) -> Option<(char, u32)> {
        let (code, _) = self.0.split_once('_')?;
        let letter = code.chars().next().filter(char::is_ascii_lowercase)?;
        let number = code.get(1..).filter(|digits| digits.len() == 3)?.parse().ok()?;
        Some((letter.to_ascii_uppercase(), number))
    }
}

/// The rules of a family, in the order of their codes; none where there is no such family.
fn modules(folder: &Path) -> Result<Vec<Module>, String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut modules = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| format!("{}: {error}", folder.display()))?.file_name();
        let module =
            name.to_str().and_then(|name| name.strip_suffix(".rs")).map(|name| Module(name.into()));
        modules.extend(module.filter(|module| module.code().is_some()));
    }
    modules.sort_unstable();
    Ok(modules)
}

/// A rule's name is lower-case words with hyphens, and no other rule's.
fn check_name(root: &Path, name: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if !name.contains('-') || !name.split('-').all(is_word) {
        return Err(format!("`{name}` is no rule name; expected words such as `expiry-too-long`"));
    }
    if root.join("docs/rules").join(format!("{name}.md")).exists() {
        return Err(format!("`{name}` is a rule already: docs/rules/{name}.md"));
    }
    Ok(())
}

fn insert_after_last(text: &str, new: &str, is_one: impl Fn(&str) -> bool) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| is_one(line))?;
    lines.insert(last + 1, new);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace's own rules, which the generator has to fit.
    fn root() -> std::path::PathBuf {
        crate::root()
    }

    #[test]
    fn a_new_rule_follows_the_last_of_its_family() {
        let rule = NewRule::plan(&root(), "corpus", "corpus-too-large").unwrap();
        assert_eq!((rule.code.as_str(), rule.module.as_str()), ("C009", "c009_too_large"));
        let table =
            rule.register(&text_file::read(&root().join(RULES).join("mod.rs")).unwrap()).unwrap();
        let at = |text: &str| table.lines().position(|line| line.trim() == text).unwrap();
        assert_eq!(at("&corpus::c009_too_large::RULE,"), at("&corpus::c008_id_reuse::RULE,") + 1);
        let family = text_file::read(&root().join(RULES).join("corpus/mod.rs")).unwrap();
        assert!(rule.declare(&family).unwrap().contains("\npub(crate) mod c009_too_large;\n"));
        assert!(rule.skeleton().contains(r#"code: "C009""#));
    }

    #[test]
    fn names_that_are_taken_or_malformed_are_errors() {
        for (family, name) in [
            ("corpus", "expiry-soon"),
            ("corpus", "Expiry-soon"),
            ("corpus", "soon"),
            ("corpus", "../expiry-soon"),
            ("corpus", "expiry--soon"),
            ("nowhere", "expiry-later"),
            ("../rules", "expiry-later"),
        ] {
            assert!(NewRule::plan(&root(), family, name).is_err(), "{family} {name}");
        }
    }
}
