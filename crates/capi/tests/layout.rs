//! Every structure of the header has the same layout in C and in Rust.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use cortexkey::*;

use common::{present, root, scratch, succeed};

/// A structure or a field, with the size and offset that C must have.
struct Fact {
    name: String,
    asserts: String,
}

/// The layout of the structures in Rust.
macro_rules! facts {
    ($($structure:ident { $($field:ident)* })*) => {{
        let mut facts = Vec::new();
        $(
            let name = stringify!($structure);
            let size = size_of::<$structure>();
            let align = align_of::<$structure>();
            let asserts = format!("sizeof({name}) == {size} && _Alignof({name}) == {align}");
            facts.push(Fact { name: name.to_owned(), asserts });
            $(
                let field = stringify!($field);
                let offset = core::mem::offset_of!($structure, $field);
                let size = size_of_field(|structure: &$structure| &structure.$field);
                let asserts = format!(
                    "offsetof({name}, {field}) == {offset} && sizeof((({name} *)0)->{field}) == {size}"
                );
                facts.push(Fact { name: format!("{name}.{field}"), asserts });
            )*
        )*
        facts
    }};
}

const fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

fn facts() -> Vec<Fact> {
    facts! {
        cxk_headers { key_id authorization nonce timestamp }
        cxk_header_lines { count line }
        cxk_signature { authorization nonce timestamp }
        cxk_expiry { expires_ms week_notice_due_ms day_notice_due_ms state reserved }
        cxk_key { struct_size level key_id key key_len expires_ms created_ms flags reserved }
        cxk_replay_guard_options {
            struct_size flags entries skew_ms started_ms uses_per_key reserved keys
        }
        cxk_verifier_options { struct_size flags skew_ms }
        cxk_header { name name_len value value_len }
        cxk_principal {
            key_id expires_ms signed_ms remember_until_ms level reserved replay_tag
        }
        cxk_request { headers count }
        cxk_definition { key_id expires_ms lifetime_ms level reserved name tenant }
        cxk_endpoint { groups group_count tags tag_count }
        cxk_reference { groups group_count endpoint kind reserved }
        cxk_issue { domain references reference_count }
        cxk_field { name value }
        cxk_question {
            struct_size kind name groups group_count tags tag_count references reference_count
            issues issue_count fields field_count permission reserved
        }
        cxk_decision { answer if_enforced decided scopes_off }
    }
}

#[test]
fn c_and_rust_have_the_same_structures() {
    let mut text = String::from("#include <stddef.h>\n#include \"cortexkey.h\"\n");
    for Fact { name, asserts } in facts() {
        writeln!(text, "_Static_assert({asserts}, \"{name}\");").unwrap();
    }
    let source = scratch("layout").join("layout.c");
    std::fs::write(&source, text).unwrap();
    for compiler in present(&["gcc", "clang"]) {
        let mut compile = Command::new(compiler);
        compile.args(["-std=c11", "-fsyntax-only", "-I"]).arg(root().join("include"));
        succeed(compiler, &compile.arg(&source).output().unwrap());
    }
}

#[test]
fn the_header_declares_every_structure_and_field() {
    let header = std::fs::read_to_string(root().join("include/cortexkey.h")).unwrap();
    let mut declared = BTreeSet::new();
    for definition in header.split("\ntypedef struct ").skip(1) {
        let Some((name, rest)) = definition.split_once(" {\n") else { continue };
        if name.contains(';') {
            // An opaque handle.
            continue;
        }
        declared.insert(name.to_owned());
        let (fields, _) = rest.split_once("\n}").unwrap();
        let is_field = |line: &&str| line.starts_with("  ") && !line.starts_with("   *");
        let is_field = |line: &&str| is_field(line) && line.ends_with(';');
        for line in fields.lines().filter(is_field) {
            let field = line.split(['[', ';']).next().unwrap().rsplit([' ', '*']).next().unwrap();
            declared.insert(format!("{name}.{field}"));
        }
    }
    let known: BTreeSet<String> = facts().into_iter().map(|fact| fact.name).collect();
    assert_eq!(declared, known);
}
