//! Compiles the header alone, included twice, and in every language standard, with warnings as
//! errors.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use cortexkey_core::access::{BUILT_IN_DOMAINS, COMPONENTS, Component};

use common::{examples, present, root, scratch, succeed};

const HANDLES: [&str; 5] = ["signer", "keyring", "replay_guard", "verifier", "definitions"];
const TWICE: &str = "#include \"cortexkey.h\"\n#include \"cortexkey.h\"\n";
const WARNINGS: [&str; 7] =
    ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wundef", "-Werror"];

fn compile(compiler: &str, standard: &str, flags: &[&str], source: &Path) {
    let output = Command::new(compiler)
        .arg(format!("-std={standard}"))
        .args(WARNINGS)
        .args(flags)
        .args(["-fsyntax-only", "-I"])
        .arg(root().join("include"))
        .arg(source)
        .output()
        .unwrap();
    succeed(&format!("{compiler} -std={standard} {}", source.display()), &output);
}

#[test]
fn clean_as_c() {
    let source = scratch("header").join("twice.c");
    // A C source must not be empty; only clang accepts the header's inline function as content.
    std::fs::write(&source, format!("{TWICE}int used(void);\n")).unwrap();
    let flags = ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wc++-compat"];
    for compiler in present(&["gcc", "clang"]) {
        for standard in ["c99", "c11", "c17", "c2x"] {
            compile(compiler, standard, &flags, &source);
        }
    }
}

#[test]
fn clean_as_cpp() {
    let source = scratch("header").join("twice.cpp");
    std::fs::write(&source, TWICE).unwrap();
    for compiler in present(&["g++", "clang++"]) {
        for standard in ["c++11", "c++14", "c++17", "c++20", "c++2b"] {
            compile(compiler, standard, &["-Wold-style-cast"], &source);
        }
    }
}

#[test]
fn every_pointer_is_marked() {
    let source = scratch("header").join("marked.c");
    std::fs::write(&source, format!("{TWICE}int used(void);\n")).unwrap();
    for compiler in present(&["clang"]) {
        compile(compiler, "c11", &["-Wnullability-completeness"], &source);
    }
}

#[test]
fn an_unused_status_is_noticed() {
    let source = scratch("header").join("unused.c");
    let call = "void f(cxk_signer *s, cxk_headers *h) { cxk_signer_headers(s, h); }\n";
    std::fs::write(&source, format!("{TWICE}{call}")).unwrap();
    for compiler in present(&["gcc", "clang"]) {
        // Not -fsyntax-only: gcc checks for unused results in a later stage.
        let output = Command::new(compiler)
            .args(["-S", "-o", "/dev/null", "-Werror=unused-result", "-I"])
            .arg(root().join("include"))
            .arg(&source)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("unused-result"), "{compiler} takes a status that nobody looks at");
    }
}

/// Each example is compiled in a function with the variables that it needs.
#[test]
fn the_examples_compile() {
    let header = std::fs::read_to_string(root().join("include/cortexkey.h")).unwrap();
    let prototypes = header.matches("\nCXK_API").count() + 1; // and the inline function
    let freeing = HANDLES.len(); // shown in the example that creates the handle
    let examples = examples(&header);
    assert_eq!(
        examples.len(),
        prototypes - freeing + 1,
        "an example at each function except those that free, and one at the top"
    );
    let mut text = String::from(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <time.h>\n\
         #include \"cortexkey.h\"\n\
         static void send(const cxk_headers *h) { puts(h->key_id); }\n",
    );
    // One parameter for each kind of handle.
    let mut parameters = Vec::new();
    let mut uses = String::new();
    for handle in HANDLES {
        if header.contains(&format!("typedef struct cxk_{handle} ")) {
            let name = handle.trim_start_matches("replay_");
            parameters.push(format!("cxk_{handle} *{name}"));
            write!(uses, "(void){name};").unwrap();
        }
    }
    let parameters = parameters.join(", ");
    for (number, example) in examples.iter().enumerate().skip(1) {
        writeln!(
            text,
            "void example{number}({parameters});\nvoid example{number}({parameters}) \
             {{\n{uses}\n(void)send;\n{example}}}"
        )
        .unwrap();
    }
    let source = scratch("header").join("examples.c");
    std::fs::write(&source, text).unwrap();
    for compiler in present(&["gcc", "clang"]) {
        compile(compiler, "c11", &[], &source);
    }
}

#[test]
fn names_that_the_header_gives_exist() {
    let header = std::fs::read_to_string(root().join("include/cortexkey.h")).unwrap();
    for name in ["Public API", "Issues (Application Security)"] {
        assert!(header.contains(&format!("\"{name}\"")), "{name}");
        assert!(Component::by_name(name).is_some(), "{name}");
    }
    assert!(header.contains("\"Live Terminal\""));
    assert!(COMPONENTS.iter().any(|component| component.actions.contains(&"Live Terminal")));
    for domain in BUILT_IN_DOMAINS {
        assert!(header.contains(&format!("\"{domain}\"")), "{domain}");
    }
}
