//! Builds and runs a C program against the shared and the static library, as users link them.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use common::{STATIC_LIBS, has_header, libraries, present, root, scratch, succeed};

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

fn compile(compiler: &str, source: &Path, program: &Path, standard: &str, link: &[String]) {
    let output = Command::new(compiler)
        .arg(format!("-std={standard}"))
        .args(WARNINGS)
        .arg("-I")
        .arg(root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(program)
        .args(link)
        .output()
        .unwrap();
    succeed(&format!("{compiler} {}", source.display()), &output);
}

fn link_static() -> Vec<String> {
    let archive = libraries().join("libcortexkey.a");
    let libraries = STATIC_LIBS.map(str::to_owned);
    core::iter::once(archive.to_str().unwrap().to_owned()).chain(libraries).collect()
}

fn link_shared() -> Vec<String> {
    let folder = libraries().to_str().unwrap();
    vec![folder.to_owned() + "/libcortexkey.so", format!("-Wl,-rpath,{folder}")]
}

/// Runs a program of `tests/c` with the known answers as its standard input.
fn run(compiler: &str, name: &str, kind: &str, link: &[String]) -> String {
    let program = scratch("c_api").join(format!("{name}-{compiler}-{kind}"));
    let source = root().join("crates/capi/tests/c").join(name).with_extension("c");
    compile(compiler, &source, &program, "c99", link);
    let vectors = std::fs::File::open(root().join("vectors/auth.tsv")).unwrap();
    let definitions = root().join("vectors/definitions");
    let output = Command::new(&program).arg(definitions).stdin(vectors).output().unwrap();
    succeed(&format!("{}", program.display()), &output);
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The number of known answers.
fn vectors() -> usize {
    let text = std::fs::read_to_string(root().join("vectors/auth.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    ["signing", "verifying"].iter().map(|section| all[section].as_array().unwrap().len()).sum()
}

fn check(kind: &str, link: &[String]) {
    for compiler in present(&["gcc", "clang"]) {
        let said = run(compiler, "vectors", kind, link);
        assert_eq!(said, format!("{} vectors, 0 mistakes", vectors()), "{compiler} {kind}");
        let said = run(compiler, "behaviour", kind, link);
        assert_eq!(said, "0 mistakes", "{compiler} {kind}");
    }
}

#[test]
fn the_static_library_gives_the_known_answers() {
    check("static", &link_static());
}

#[test]
fn the_shared_library_gives_the_known_answers() {
    check("shared", &link_shared());
}

#[test]
fn the_shared_library_exports_what_the_header_declares() {
    if present(&["nm"]).is_empty() {
        return;
    }
    let library = libraries().join("libcortexkey.so");
    let output =
        Command::new("nm").args(["-D", "--defined-only", "-j"]).arg(library).output().unwrap();
    succeed("nm", &output);
    let symbols = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<&str> = symbols.lines().collect();
    let header = std::fs::read_to_string(root().join("include/cortexkey.h")).unwrap();
    let declared: BTreeSet<&str> =
        header.split("\nCXK_API").skip(1).filter_map(function_name).collect();
    assert_eq!(exported, declared);
}

/// The word before the first opening parenthesis.
fn function_name(prototype: &str) -> Option<&str> {
    prototype.split('(').next()?.rsplit([' ', '*', '\n']).next()
}

#[test]
fn the_example_compiles() {
    compile_with_curl(&root().join("crates/capi/examples/sign_curl.c"), "sign_curl");
}

/// The output of `cortexkey examples c`.
#[test]
fn the_first_call_is_answered() {
    compile_with_curl(&root().join("crates/client/src/examples/first_call.c"), "first_call");
    let program = scratch("c_api").join("first_call");
    if !program.exists() {
        return;
    }
    let tenant = cortexkey_tenant::Tenant::start(cortexkey_tenant::Options::default()).unwrap();
    let keys = tenant.seeded_keys().unwrap();
    for seeded in [&keys.standard, &keys.advanced] {
        let output = Command::new(&program)
            .env("CORTEXKEY_API_URL", tenant.url())
            .env("CORTEXKEY_API_KEY_ID", seeded.id().to_string())
            .env("CORTEXKEY_API_KEY_TYPE", seeded.level().as_str())
            .env("CORTEXKEY_API_KEY", seeded.expose())
            .env("no_proxy", "*")
            .output()
            .unwrap();
        succeed("first_call", &output);
        assert_eq!(output.stdout, b"\"true\"\n");
    }
}

#[test]
fn the_program_in_the_header_compiles() {
    let header = std::fs::read_to_string(root().join("include/cortexkey.h")).unwrap();
    let program = common::examples(&header).remove(0);
    assert!(program.lines().count() <= 15, "a first program is short");
    let source = scratch("c_api").join("from_header.c");
    std::fs::write(&source, program).unwrap();
    compile_with_curl(&source, "from_header");
}

fn compile_with_curl(source: &Path, name: &str) {
    for compiler in present(&["cc"]) {
        if has_header(compiler, "curl/curl.h") {
            let program: PathBuf = scratch("c_api").join(name);
            let link = [link_static(), vec!["-lcurl".to_owned()]].concat();
            compile(compiler, source, &program, "c11", &link);
        }
    }
}
