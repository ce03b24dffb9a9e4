//! `cargo xtask test`: the gate. Sets up what is missing, runs every check, and counts.
//!
//! It never skips a step silently, and with `CI=true` it skips none.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::run::{capture, cargo, check, has, target_dir};
use crate::{
    bindings, capi, compare, console, examples, header, instructions, linter, picture, proofs,
    prose, rust_tests, setup, site, supply, tidy, vectors, verdicts, workflows,
};

/// The result of a step.
enum Outcome {
    /// This many tests ran, and all passed.
    Passed(u64),
    /// Some failed; with the output.
    Failed { passed: u64, failed: u64, output: String },
    /// It could not run here; with the reason.
    Skipped(String),
}

impl From<rust_tests::Counts> for Outcome {
    fn from(counts: rust_tests::Counts) -> Self {
        let rust_tests::Counts { passed, failed, output } = counts;
        if failed == 0 { Self::Passed(passed) } else { Self::Failed { passed, failed, output } }
    }
}

struct Step {
    name: &'static str,
    run: fn(&Path) -> Outcome,
}

/// What a contributor runs between edits: format, lints and unit tests, without setting up anything
/// but the toolchain's own components.
const CHECK: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "tidy", run: |root| once(tidy::run(root)) },
    Step { name: "generated files are fresh", run: generated },
    Step { name: "clippy", run: clippy },
    Step { name: "unit tests", run: unit_tests },
];

/// How many of the steps below need only the toolchain. Packages are installed while they run.
const WITHOUT_PACKAGES: usize = 4;

/// Those that need only the toolchain first, then the cheapest, so that a mistake is reported early.
const STEPS: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "tidy", run: |root| once(tidy::run(root)) },
    Step { name: "generated files are fresh", run: generated },
    Step { name: "clippy", run: clippy },
    Step { name: "spelling and grammar", run: |root| once(prose::run(root)) },
    Step { name: "workflows and action", run: workflows },
    Step { name: "supply chain", run: |root| once(supply::run(root, false)) },
    Step { name: "core without std", run: no_std },
    Step { name: "core without panic", run: |root| once(proofs::probe(root)) },
    Step { name: "core in constant time", run: constant_time },
    Step { name: "linter by itself", run: features },
    Step { name: "Rust tests", run: rust_tests },
    Step { name: "core without its kernels", run: |root| counted(proofs::without_kernels(root)) },
    Step { name: "Rust documents", run: rust_documents },
    Step { name: "C library, installed", run: c_library },
    Step { name: "Go, pure", run: go_pure },
    Step { name: "Go, over the C library", run: go_cgo },
    Step { name: "Python against the tenant", run: python },
    Step { name: "Python, Node, PowerShell", run: packages },
    Step { name: "linter against schemas", run: |root| once(linter::schemas(root)) },
    Step { name: "hooks in pre-commit", run: |root| once(linter::pre_commit(root)) },
    Step { name: "examples", run: examples_run },
    Step { name: "quickstart", run: quickstart },
    Step { name: "console in a browser", run: console_in_a_browser },
    Step { name: "documentation site", run: docs },
    Step { name: "instructions", run: instructions_counted },
    Step { name: "speed compared with peers", run: |root| once(compare::run(root, &["--check"])) },
];

/// The fuzz targets use libFuzzer, and CI runs them in a job of their own. The linter's tests run the same bodies
/// over corpora and mutations, without it.
const FUZZ: &str = "cortexkey-fuzz";

/// Runs the quick checks; the last line summarizes them.
pub(crate) fn check_quickly(root: &Path) -> ExitCode {
    setup::components();
    let mut tally = Tally::default();
    tally.run(root, CHECK.iter());
    tally.finish()
}

/// Runs the named steps, or all; the last line summarizes them.
pub(crate) fn run(root: &Path, names: &[&str]) -> ExitCode {
    let is_step = |name: &&&str| STEPS.iter().any(|step| step.name == **name);
    if let Some(unknown) = names.iter().find(|name| !is_step(name)) {
        let steps: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        eprintln!("xtask: there is no step `{unknown}`; there are: {}", steps.join(", "));
        return ExitCode::FAILURE;
    }
    setup::components();
    let is_wanted = |step: &&Step| names.is_empty() || names.contains(&step.name);
    let (first, others) = STEPS.split_at(WITHOUT_PACKAGES);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        scope.spawn(|| setup::packages(root));
        tally.run(root, first.iter().filter(is_wanted));
    });
    tally.run(root, others.iter().filter(is_wanted));
    tally.finish()
}

/// How many tests passed and failed in the steps so far, and how many steps were skipped.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    fn run<'s>(&mut self, root: &Path, steps: impl Iterator<Item = &'s Step>) {
        for step in steps {
            if is_ci() {
                // A job that is ended from outside shows where it was.
                println!("begins   {}", step.name);
            }
            let start = Instant::now();
            let outcome = (step.run)(root);
            self.report(step.name, outcome, start.elapsed().as_secs_f32());
        }
    }

    fn report(&mut self, name: &str, outcome: Outcome, seconds: f32) {
        match outcome {
            Outcome::Passed(count) => {
                self.passed += count;
                println!("ok       {name:28} {count:5} passed {seconds:7.1} s");
            }
            Outcome::Failed { passed, failed, output } => {
                self.passed += passed;
                self.failed += failed;
                println!("{output}");
                println!("FAILED   {name:28} {failed:5} failed {seconds:7.1} s");
            }
            Outcome::Skipped(why) if is_ci() => {
                self.failed += 1;
                println!("FAILED   {name:28} nothing may be skipped with CI=true: {why}");
            }
            Outcome::Skipped(why) => {
                self.skipped += 1;
                println!("skipped  {name:28} {why}");
            }
        }
    }

    fn finish(self) -> ExitCode {
        let Self { passed, failed, skipped } = self;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

fn once(outcome: Result<(), String>) -> Outcome {
    match outcome {
        Ok(()) => Outcome::Passed(1),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn command(command: &mut Command) -> Outcome {
    once(check(command).map(drop))
}

fn format(root: &Path) -> Outcome {
    command(cargo(root).args(["fmt", "--all", "--", "--check"]))
}

fn generated(root: &Path) -> Outcome {
    let fresh = header::run(root, true)
        .and_then(|()| verdicts::run(root, true))
        .and_then(|()| vectors::run(root, true));
    once(fresh)
}

fn clippy(root: &Path) -> Outcome {
    let mut clippy = cargo(root);
    clippy.args(["clippy", "--quiet", "--locked", "--all-targets", "--workspace"]);
    clippy.args(["--exclude", FUZZ]);
    command(clippy.args(["--", "-D", "warnings"]))
}

fn no_std(root: &Path) -> Outcome {
    let mut build = cargo(root);
    build.args(["check", "--quiet", "--locked", "-p", "cortexkey-core", "--no-default-features"]);
    let mut with_alloc = cargo(root);
    with_alloc.args(["check", "--quiet", "--locked", "-p", "cortexkey-core"]);
    with_alloc.args(["--no-default-features", "--features", "alloc"]);
    once(check(&mut build).and_then(|_| check(&mut with_alloc)).map(drop))
}

/// The linter by itself has fewer crates than this, our own among them.
const LINTER_CRATES: usize = 100;

/// What the hooks build compiles, and stays small. The campaign `features` tries every combination.
fn features(root: &Path) -> Outcome {
    if let Err(why) = linter_crates(root) {
        return once(Err(why));
    }
    let mut build = cargo(root);
    build.args(["clippy", "--quiet", "--locked", "-p", "cortexkey", "--no-default-features"]);
    command(build.args(["--features", "lint", "--", "-D", "warnings"]))
}

fn linter_crates(root: &Path) -> Result<(), String> {
    let mut tree = cargo(root);
    tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "-p", "cortexkey"]);
    let tree = check(tree.args(["--no-default-features", "--features", "lint"]))?;
    let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    if crates.len() < LINTER_CRATES {
        return Ok(());
    }
    let crates: Vec<&str> = crates.into_iter().collect();
    Err(format!(
        "the linter by itself has {} crates; it is to have fewer than {LINTER_CRATES}:\n{}",
        crates.len(),
        crates.join("\n")
    ))
}

fn workflows(root: &Path) -> Outcome {
    match setup::go() {
        Ok(()) => once(workflows::run(root)),
        Err(why) => Outcome::Skipped(why),
    }
}

fn console_in_a_browser(root: &Path) -> Outcome {
    if let Some(why) = console::missing() {
        return Outcome::Skipped(why);
    }
    match console::tests(root, false) {
        Ok(passed) => Outcome::Passed(passed),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn docs(root: &Path) -> Outcome {
    match setup::go() {
        Ok(()) => once(site::run(root)),
        Err(why) => Outcome::Skipped(why),
    }
}

fn examples_run(root: &Path) -> Outcome {
    let missing = capi::installed::missing();
    let missing = missing.into_iter().chain(["node", "npm"].into_iter().filter(|name| !has(name)));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        return Outcome::Skipped(format!("{} is not installed", missing.join(", ")));
    }
    match examples::run(root) {
        Ok(passed) => Outcome::Passed(passed),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn instructions_counted(root: &Path) -> Outcome {
    if !has("valgrind") {
        return Outcome::Skipped("valgrind is not installed".into());
    }
    if !cfg!(target_arch = "x86_64") {
        return Outcome::Skipped("the counts are recorded on x86-64".into());
    }
    once(instructions::run(root))
}

fn constant_time(root: &Path) -> Outcome {
    if !has("valgrind") {
        return Outcome::Skipped("valgrind is not installed".into());
    }
    once(proofs::constant_time(root))
}

fn rust_tests(root: &Path) -> Outcome {
    match rust_tests::workspace(root, FUZZ) {
        Ok(counts) => counts.into(),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn unit_tests(root: &Path) -> Outcome {
    let mut test = cargo(root);
    test.args(["test", "--locked", "--no-fail-fast", "--workspace", "--exclude", FUZZ]);
    // The benches' library contains parts of the core, whose tests need more dependencies.
    test.args(["--exclude", "cortexkey-benches", "--lib", "--bins"]);
    counted(vec![test])
}

/// Runs cargo's tests one after the other, and counts them.
fn counted(mut commands: Vec<Command>) -> Outcome {
    for test in &mut commands {
        // Cargo sets it for xtask itself.
        test.env_remove("CARGO_MANIFEST_DIR");
    }
    rust_tests::run(commands, 1).into()
}

fn rust_documents(root: &Path) -> Outcome {
    let mut doc = cargo(root);
    doc.args(["doc", "--quiet", "--locked", "--no-deps", "--workspace", "--exclude", FUZZ]);
    command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn c_library(root: &Path) -> Outcome {
    let missing = capi::installed::missing();
    if !missing.is_empty() {
        return Outcome::Skipped(format!("{} is not installed", missing.join(", ")));
    }
    let installed = capi::installed::install(root);
    let passed = installed.and_then(|installed| {
        let tests = capi::run(root, &installed)?;
        Ok(tests + capi::ends::run(root, &installed)?)
    });
    match passed {
        Ok(passed) => Outcome::Passed(passed),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn go_pure(root: &Path) -> Outcome {
    let tool = |program: &Path| {
        let mut tool = Command::new(program);
        tool.current_dir(root.join("go")).env("CGO_ENABLED", "0");
        tool
    };
    // Also compiled for a 32-bit processor.
    go_tests(root, &tool, &[&["./..."]], Some("386"))
}

fn go_cgo(root: &Path) -> Outcome {
    match capi::installed::install(root) {
        Ok(installed) => {
            let tool = |program: &Path| {
                let mut tool = installed.go_tool(root, program, "1");
                tool.env("LD_LIBRARY_PATH", installed.lib());
                tool
            };
            // The packages over the library, and the build tag that selects it.
            let tests: [&[&str]; 2] = [&["./..."], &["-tags", "cortexkey_cgo", "."]];
            go_tests(root, &tool, &tests, None)
        }
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

/// Checks the module's sources, also for another processor if one is named, then runs the tests,
/// once with each of these arguments.
fn go_tests(
    root: &Path,
    tool: &dyn Fn(&Path) -> Command,
    tests: &[&[&str]],
    processor: Option<&str>,
) -> Outcome {
    if let Err(why) = setup::go() {
        return Outcome::Skipped(why);
    }
    let linters = setup::go_tool(root, &setup::STATICCHECK)
        .and_then(|staticcheck| Ok((staticcheck, setup::go_tool(root, &setup::GOLANGCI_LINT)?)));
    let (staticcheck, golangci_lint) = match linters {
        Ok(linters) => linters,
        Err(why) => return Outcome::Skipped(format!("no linters for Go: {why}")),
    };
    let go = Path::new("go");
    let checked = go_formatted(root)
        .and_then(|()| check(tool(go).args(["vet", "./..."])))
        .and_then(|_| check(tool(&staticcheck).arg("./...")))
        .and_then(|_| check(tool(&golangci_lint).arg("run")))
        .and_then(|_| match processor {
            Some(other) => check(tool(go).args(["vet", "./..."]).env("GOARCH", other)),
            None => Ok(String::new()),
        });
    if let Err(output) = checked {
        return Outcome::Failed { passed: 0, failed: 1, output };
    }
    let mut passed = 0;
    let mut failed = 0;
    let mut output = String::new();
    for arguments in tests {
        let ran = capture(tool(go).args(["test", "-count=1", "-v"]).args(*arguments));
        let count = |mark: &str| {
            let is_result = |line: &&str| line.trim_start().starts_with(mark);
            u64::try_from(ran.stdout.lines().filter(is_result).count()).unwrap_or(0)
        };
        passed += count("--- PASS:");
        if !ran.success || count("--- SKIP:") > 0 {
            failed += count("--- FAIL:").max(1);
            output += &ran.all();
        }
    }
    if failed == 0 { Outcome::Passed(passed) } else { Outcome::Failed { passed, failed, output } }
}

fn go_formatted(root: &Path) -> Result<(), String> {
    let untidy = capture(Command::new("gofmt").args(["-l", "."]).current_dir(root.join("go")));
    if untidy.success && untidy.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("gofmt would change:\n{}", untidy.all()))
}

fn python(root: &Path) -> Outcome {
    let python = match setup::python(root) {
        Ok(python) => python,
        Err(error) => return Outcome::Skipped(format!("no Python with its packages: {error}")),
    };
    let mut build = cargo(root);
    if let Err(output) = check(build.args(["build", "--locked", "-p", "cortexkey"])) {
        return Outcome::Failed { passed: 0, failed: 1, output };
    }
    let binary = target_dir(root).join("debug/cortexkey");
    let run = |script: &str| {
        let script = root.join("crates/tenant/tests/python").join(script);
        check(Command::new(&python).arg(script).arg(&binary)).map(drop)
    };
    once(run("client.py").and_then(|()| run("clients.py")))
}

/// The packages that sign in other languages.
fn packages(root: &Path) -> Outcome {
    let missing: Vec<_> =
        ["node", "npm", "python3"].into_iter().filter(|name| !has(name)).collect();
    if !missing.is_empty() {
        return Outcome::Skipped(format!("{} is not installed", missing.join(", ")));
    }
    match bindings::run(root) {
        Ok(passed) => Outcome::Passed(passed),
        Err(output) => Outcome::Failed { passed: 0, failed: 1, output },
    }
}

fn quickstart(root: &Path) -> Outcome {
    once(picture::run(root, true))
}
