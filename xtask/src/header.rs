//! Generates the C header, `include/cortexkey.h`, and the Go module's copy of it.
//!
//! cbindgen reads `crates/capi`; the verdicts, header names and the release come from the core. Every
//! exported function must reach the header.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config};
use cortexkey_core::auth::{
    HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP, Verdict,
};

/// Where the header goes. The Go module needs a real copy: its archives carry no symbolic links.
const OUTPUTS: [&str; 2] = ["include/cortexkey.h", "go/internal/capi/cortexkey.h"];

/// Parameters that may be NULL; every other pointer may not.
const NULLABLE: [(&str, &str); 12] = [
    ("cxk_wipe", "memory"),
    ("cxk_signer_headers_at", "nonce"),
    ("cxk_signer_free", "signer"),
    ("cxk_keyring_free", "keyring"),
    ("cxk_replay_guard_free", "guard"),
    ("cxk_verifier_new", "options"),
    ("cxk_verifier_new", "guard"),
    ("cxk_verify", "headers"),
    ("cxk_verify_batch", "requests"),
    ("cxk_verifier_free", "verifier"),
    ("cxk_definitions_free", "definitions"),
    ("cxk_decide", "text"),
];

/// Writes the header to its places; with `check` says instead which of them is not up to date.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let header = generate(root)?;
    let stale: Vec<&str> = OUTPUTS
        .into_iter()
        .filter(|output| fs::read_to_string(root.join(output)).ok().as_ref() != Some(&header))
        .collect();
    if check {
        return match stale.as_slice() {
            [] => Ok(()),
            stale => Err(format!(
                "{} differs from crates/capi; `cargo xtask header` renews it",
                stale.join(" and ")
            )),
        };
    }
    for output in stale {
        let path = root.join(output);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, &header))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The text of the header.
pub(crate) fn generate(root: &Path) -> Result<String, String> {
    let capi = root.join("crates/capi");
    let mut config = Config::from_file(capi.join("cbindgen.toml"))
        .map_err(|error| format!("crates/capi/cbindgen.toml: {error}"))?;
    config.after_includes.get_or_insert_default().push_str(&constants());
    let mut builder = Builder::new().with_config(config);
    let mut exported = 0;
    for module in modules(&capi.join("src/lib.rs"))? {
        let path = capi.join("src").join(format!("{module}.rs"));
        exported += read(&path)?.matches("#[unsafe(no_mangle)]").count();
        builder = builder.with_src(path);
    }
    let bindings = builder.generate().map_err(|error| format!("cbindgen: {error}"))?;
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).map_err(|error| format!("cbindgen: {error}"))?;

    let found = text.matches("\nCXK_API").count();
    if found != exported {
        return Err(format!(
            "crates/capi exports {exported} functions, but cbindgen found {found}; it reads only \
             functions that are written literally in a module named in lib.rs"
        ));
    }
    // Rust's convention for contracts; a C manual states them as requirements.
    let text = text.replace(" * # Safety\n *\n", " * Requirements:\n *\n");
    marked(&parenthesised(&text))
}

/// What cbindgen cannot read: the release, the names of the headers, the core's verdicts.
fn constants() -> String {
    let mut text = String::new();
    let mut put = |doc: &str, name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n/**\n * {doc}\n */\n#define CXK_{name} {value}\n");
    };
    put("The release of this header.", "VERSION", concat!('"', env!("CARGO_PKG_VERSION"), '"'));
    put("The major version of this header.", "VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR"));
    put("The minor version of this header.", "VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR"));
    put("The patch version of this header.", "VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH"));
    for (name, value, holds) in [
        ("HEADER_KEY_ID", HEADER_KEY_ID, "the key id"),
        ("HEADER_AUTHORIZATION", HEADER_AUTHORIZATION, "the key (Standard) or digest (Advanced)"),
        ("HEADER_NONCE", HEADER_NONCE, "the nonce of an Advanced request"),
        ("HEADER_TIMESTAMP", HEADER_TIMESTAMP, "the time of an Advanced request"),
    ] {
        put(
            &format!("The name of the header that carries {holds}."),
            name,
            &format!("\"{value}\""),
        );
    }
    for verdict in Verdict::ALL.iter().filter(|verdict| !verdict.is_accept()) {
        let name = format!("VERDICT_{}", verdict.code().replace('-', "_").to_uppercase());
        let doc = format!("Verdict `{}`: {}.", verdict.code(), verdict.message());
        put(&doc, &name, &format!("({})", verdict.number()));
    }
    text
}

/// The modules in the order of lib.rs, which is the order of the header.
fn modules(lib: &Path) -> Result<Vec<String>, String> {
    let text = read(lib)?;
    let module = |line: &str| Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned());
    Ok(text.lines().filter_map(module).collect())
}

/// Puts negative numbers into parentheses, so that a macro is one value in every context.
fn parenthesised(text: &str) -> String {
    let line = |line: &str| match line.split_once(" -") {
        Some((define, number)) if define.starts_with("#define ") => {
            format!("{define} (-{number})\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Marks every pointer of every function as `CXK_NONNULL` or `CXK_NULLABLE`.
fn marked(text: &str) -> Result<String, String> {
    let mut nullable = NULLABLE.to_vec();
    let mut marked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\nCXK_API") {
        let length = rest[start..].find(';').ok_or("a function in the header has no end")?;
        let (before, prototype) = rest[..start + length].split_at(start);
        marked.push_str(&marked_fields(before));
        marked.push_str(&marked_prototype(prototype, &mut nullable));
        rest = &rest[start + length..];
    }
    marked.push_str(rest);
    match nullable.first() {
        None => Ok(marked),
        Some((function, name)) => Err(format!(
            "xtask/src/header.rs states that `{name}` of `{function}` may be NULL, but the \
             header has no such parameter"
        )),
    }
}

/// Marks the pointers in structures: a structure may be all zeros before it is filled.
fn marked_fields(text: &str) -> String {
    let is_field = |line: &str| line.starts_with("  ") && line.trim_end().ends_with(';');
    text.split_inclusive('\n')
        .map(|line| {
            let line = line.to_owned();
            let is_comment = line.trim_start().starts_with('*');
            if is_field(&line) && !is_comment { line.replace('*', "*CXK_NULLABLE ") } else { line }
        })
        .collect()
}

fn marked_prototype(prototype: &str, nullable: &mut Vec<(&str, &str)>) -> String {
    let function = function_name(prototype);
    let mut marked = String::new();
    for (at, character) in prototype.char_indices() {
        marked.push(character);
        if character != '*' {
            continue;
        }
        let behind = &prototype[at + 1..];
        let name = behind.split([',', ')', '(']).next().unwrap_or_default().trim();
        let may_be_null = nullable.iter().position(|entry| *entry == (function, name));
        let mark = if let Some(entry) = may_be_null {
            nullable.swap_remove(entry);
            "CXK_NULLABLE "
        } else if behind.starts_with('*') {
            // The target of an output pointer is NULL until the call succeeds.
            "CXK_NULLABLE "
        } else {
            "CXK_NONNULL "
        };
        marked.push_str(mark);
    }
    marked
}

/// The function's name: the word before the first opening parenthesis.
fn function_name(prototype: &str) -> &str {
    let head = prototype.split('(').next().unwrap_or_default();
    head.rsplit([' ', '*', '\n']).next().unwrap_or_default()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_marked() {
        let mut nullable = vec![("cxk_f", "b")];
        assert_eq!(
            marked_prototype("CXK_API const char *cxk_f(const x *a, x *b, x **out)", &mut nullable),
            "CXK_API const char *CXK_NONNULL cxk_f(const x *CXK_NONNULL a, x *CXK_NULLABLE b, \
             x *CXK_NULLABLE *CXK_NONNULL out)"
        );
        assert!(nullable.is_empty());
    }

    #[test]
    fn fields_are_marked_and_comments_are_not() {
        let text = "/**\n * *a;\n */\ntypedef struct s {\n  const char *const *a;\n} s;\n";
        let marked = "  const char *CXK_NULLABLE const *CXK_NULLABLE a;\n";
        assert_eq!(marked_fields(text), text.replace("  const char *const *a;\n", marked));
    }

    #[test]
    fn negative_numbers_are_one_value() {
        assert_eq!(parenthesised("#define A -1\n * text -1"), "#define A (-1)\n * text -1\n");
    }
}
