//! Runs the output of `cortexkey examples` against a tenant.

#![allow(clippy::print_stdout, reason = "what is skipped is said")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Tenant, finish};

/// Runs a program with the one setting that the examples read.
fn run(tenant: &Tenant, level: &str, program: &mut Command) -> crate::common::Ran {
    let (_, key) = tenant.key(level);
    // They contain the other settings.
    program.env("CORTEXKEY_API_KEY", key);
    finish(program)
}

fn example(tenant: &Tenant, language: &str, level: &str) -> String {
    let ran = finish(&mut tenant.with_key(level, &["examples", language]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains(tenant.url()), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&tenant.key(level).1));
    ran.stdout
}

fn is_there(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok();
    if !there {
        println!("skipped: there is no {program} on this machine");
    }
    there
}

#[test]
fn the_examples_of_shell_and_python_work() {
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    for (language, program) in [("curl", "bash"), ("python", "python3")] {
        if !is_there(program, "--version") {
            continue;
        }
        for level in ["standard", "advanced"] {
            let file = folder.path().join(format!("{language}-{level}"));
            fs::write(&file, example(&tenant, language, level)).unwrap();
            for _ in 0..2 {
                let ran = run(&tenant, level, Command::new(program).arg(&file));
                assert_eq!((ran.code, ran.stdout.trim()), (0, "\"true\""), "{language} {ran:?}");
            }
            // Each example works only with its level: the tenant refuses it with a key of the other
            // level.
            let other = if level == "standard" { "advanced" } else { "standard" };
            let ran = run(&tenant, other, Command::new(program).arg(&file));
            assert!(!ran.stdout.contains("\"true\""), "{language} {ran:?}");
        }
    }
}

/// Creates a Go module with an example, and builds it.
struct GoModule(tempfile::TempDir);

impl GoModule {
    fn new() -> Self {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../go").canonicalize().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = "github.com/cortexkey/cortexkey/go";
        let text = format!(
            "module example\n\ngo 1.24\n\nrequire {path} v0.0.0\n\nreplace {path} => {:?}\n",
            module.display()
        );
        fs::write(folder.path().join("go.mod"), text).unwrap();
        Self(folder)
    }

    fn build(&self, text: &str) -> Command {
        fs::write(self.0.path().join("main.go"), text).unwrap();
        let mut compiler = Command::new("go");
        compiler.args(["build", "-o", "example"]).current_dir(self.0.path());
        // Nothing is fetched.
        compiler.envs([("GOFLAGS", "-mod=mod"), ("GOPROXY", "off"), ("CGO_ENABLED", "0")]);
        let built = finish(&mut compiler);
        assert_eq!(built.code, 0, "{built:?}");
        Command::new(self.0.path().join("example"))
    }
}

#[test]
fn the_example_in_go_works() {
    if !is_there("go", "version") {
        return;
    }
    let tenant = Tenant::start();
    let module = GoModule::new();
    for level in ["standard", "advanced"] {
        let mut program = module.build(&example(&tenant, "go", level));
        let ran = run(&tenant, level, &mut program);
        assert_eq!((ran.code, ran.stdout.trim()), (0, "\"true\""), "{ran:?}");
    }
}

/// With `--ca-file` they trust a tenant that the system's store does not know, and only then.
#[test]
fn the_examples_trust_the_certificates_that_are_given() {
    let tenant = Tenant::start_with(&["--tls"]);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("it's \"my\" ca.pem");
    fs::copy(tenant.ready["ca"].as_str().unwrap(), &ca).unwrap();
    let module = GoModule::new();
    for (language, program) in [("curl", "bash"), ("python", "python3"), ("go", "go")] {
        if !is_there(program, if program == "go" { "version" } else { "--version" }) {
            continue;
        }
        let example = |options: &[&str]| {
            let args = [&["examples", language], options].concat();
            let mut command = tenant.with_key("advanced", &args);
            // The example does not run in the folder that the path is relative to.
            let ran = finish(command.current_dir(folder.path()));
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
            ran.stdout
        };
        let answer = |text: String| {
            let mut command = if language == "go" {
                module.build(&text)
            } else {
                let file = folder.path().join(language);
                fs::write(&file, text).unwrap();
                let mut command = Command::new(program);
                command.arg(file);
                command
            };
            let ran = run(&tenant, "advanced", command.current_dir("/"));
            (ran.code == 0, ran.stdout.trim().to_owned())
        };
        let trusting = example(&["--ca-file", ca.file_name().unwrap().to_str().unwrap()]);
        assert_eq!(answer(trusting), (true, "\"true\"".to_owned()), "{language}");
        assert_eq!(answer(example(&[])), (false, String::new()), "{language}");
    }
}

/// No given setting is missing in an example, and no key goes to another host.
#[test]
fn a_setting_that_is_invalid_gives_no_example() {
    for given in [
        &["--fqdn", "http://soc.example.com"][..],
        &["--fqdn", "acme_soc.example.com"],
        &["--profile", "nope"],
        &["--key-id", "0"],
        &["--child-tenant", "eu"],
    ] {
        for language in ["curl", "python", "go", "c", "rust", "powershell"] {
            let args = [&["examples", language, "--level", "standard"], given].concat();
            let ran = finish(&mut crate::common::cortexkey(&args));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {ran:?}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for file in [empty.to_str().unwrap(), "/no/such/ca.pem"] {
        let ran = finish(&mut crate::common::cortexkey(&["examples", "curl", "--ca-file", file]));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
    let ran = finish(&mut crate::common::cortexkey(&["examples", "curl", "--level", "standard"]));
    assert!(ran.code == 0 && !ran.stdout.contains("https://"), "{ran:?}");
}
