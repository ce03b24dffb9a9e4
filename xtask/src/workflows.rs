//! `cargo xtask workflows`: checks the workflows, the action and the forms under `.github`.
//!
//! actionlint and zizmor check what is specific to GitHub, and check-jsonschema the forms' schemas.
//! The rest is specific to this project: a step's script is one existing `cargo xtask` command, so
//! that it can be run locally, and an action is pinned by digest with its version next to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::check;
use crate::text_file;
use crate::{campaign, setup, tools};

/// A schema that check-jsonschema contains, and the files that follow it.
const SCHEMAS: [(&str, &[&str]); 5] = [
    ("vendor.github-workflows", &[".github/workflows", "examples/ci/github"]),
    ("vendor.github-actions", &["action.yml"]),
    ("vendor.dependabot", &[".github/dependabot.yml"]),
    ("vendor.github-issue-config", &[".github/ISSUE_TEMPLATE/config.yml"]),
    ("vendor.gitlab-ci", &["examples/ci/gitlab"]),
];

/// Runs every check.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let workflows = yaml_files(&root.join(".github/workflows"))?;
    let mut problems = Vec::new();
    for path in &workflows {
        let text = text_file::read(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        problems.extend(problems_of(&text).into_iter().map(|problem| format!("{name}:{problem}")));
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let mut actionlint = Command::new(setup::go_tool(root, &setup::ACTIONLINT)?);
    // The scripts are single commands, so the local machine does not affect the result.
    actionlint.args(["-shellcheck=", "-pyflakes="]).args(&workflows);
    check(actionlint.args(yaml_files(&root.join("examples/ci/github"))?).current_dir(root))?;
    let programs = tools::environment(root, "checks")?;
    let mut zizmor = Command::new(programs.join("zizmor"));
    zizmor.args(["--offline", "--quiet", "--no-progress", "--persona=auditor"]);
    zizmor.args([".github", "action.yml"]).args(yaml_files(&root.join("examples/ci/github"))?);
    check(zizmor.current_dir(root))?;
    for (schema, files) in SCHEMAS {
        let mut validate = Command::new(programs.join("check-jsonschema"));
        validate.args(["--builtin-schema", schema]).current_dir(root);
        for file in files {
            let path = root.join(file);
            validate.args(if path.is_dir() { yaml_files(&path)? } else { vec![path] });
        }
        check(&mut validate)?;
    }
    Ok(())
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("{}: there is no .yml file", folder.display()));
    }
    Ok(files)
}

/// The problems of a workflow, each with its line.
fn problems_of(workflow: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let proofs = matrix(workflow, "proof");
    for (number, line) in workflow.lines().enumerate() {
        let line = line.trim().trim_start_matches("- ");
        let problem = if let Some(script) = line.strip_prefix("run:") {
            script_problem(script.trim(), &proofs)
        } else if let Some(action) = line.strip_prefix("uses:") {
            pin_problem(action.trim())
        } else {
            None
        };
        problems.extend(problem.map(|problem| format!("{}: {problem}", number + 1)));
    }
    problems
}

fn script_problem(script: &str, proofs: &[String]) -> Option<String> {
    let Some(command) = script.strip_prefix("cargo xtask ") else {
        return Some(format!("expected one `cargo xtask` command, got `{script}`"));
    };
    let words: Vec<&str> = command.split_whitespace().collect();
    if !crate::HELP
        .lines()
        .any(|line| line.trim_start().split(' ').next() == words.first().copied())
    {
        return Some(format!("`cargo xtask help` does not list `{}`", words[0]));
    }
    let named = match words.as_slice() {
        ["campaign", "\"$PROOF\""] => proofs.to_vec(),
        ["campaign", name] => vec![(*name).to_owned()],
        _ => Vec::new(),
    };
    let unknown = named.iter().find(|name| !campaign::exists(name))?;
    Some(format!("`cargo xtask campaign` does not list `{unknown}`"))
}

/// The entries of a job's matrix, in either of YAML's forms.
fn matrix(workflow: &str, key: &str) -> Vec<String> {
    let mut lines = workflow.lines().map(str::trim);
    let head = format!("{key}:");
    let Some(rest) = lines.find_map(|line| line.strip_prefix(&head)) else { return Vec::new() };
    let inline = rest.trim().trim_start_matches('[').trim_end_matches(']');
    if !inline.is_empty() {
        return inline.split(',').map(|name| name.trim().to_owned()).collect();
    }
    lines.map_while(|line| line.strip_prefix("- ").map(str::to_owned)).collect()
}

fn pin_problem(action: &str) -> Option<String> {
    let (reference, comment) = action.split_once(" # ").unwrap_or((action, ""));
    let digest = reference.rsplit_once('@').map_or("", |(_, digest)| digest);
    let is_digest = digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_version = comment.starts_with('v') && comment.split('.').count() == 3;
    if is_digest && is_version {
        return None;
    }
    Some(format!("expected `owner/action@DIGEST # vX.Y.Z`, got `{action}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "3d3c42e5aac5ba805825da76410c181273ba90b1";

    #[test]
    fn an_action_is_pinned_by_digest_with_its_version() {
        let pinned = format!("      - uses: actions/checkout@{DIGEST} # v7.0.1");
        assert_eq!(problems_of(&pinned), Vec::<String>::new());
        for wrong in [
            "- uses: actions/checkout@v7 # v7.0.1".to_owned(),
            format!("- uses: actions/checkout@{DIGEST}"),
            format!("- uses: actions/checkout@{DIGEST} # v7"),
            format!("- uses: actions/checkout@{} # v7.0.1", &DIGEST[..39]),
        ] {
            assert_eq!(problems_of(&wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_script_is_one_command_that_exists() {
        let job = "proof: [msrv, loom]\n- run: cargo xtask campaign \"$PROOF\"\n";
        assert_eq!(problems_of(job), Vec::<String>::new());
        for wrong in [
            "run: |",
            "run: make",
            "run: cargo xtask no-such-command",
            "run: cargo xtask campaign no-such-proof",
            "proof:\n  - loom\n  - no-such-proof\nrun: cargo xtask campaign \"$PROOF\"",
        ] {
            assert_eq!(problems_of(wrong).len(), 1, "{wrong}");
        }
    }
}
