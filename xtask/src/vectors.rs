//! `vectors/auth.tsv`: the known answers of `vectors/auth.json` for programs without a JSON parser;
//! and the copies in the Go module, whose archives contain nothing outside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

const SOURCE: &str = "vectors/auth.json";
const OUTPUT: &str = "vectors/auth.tsv";

const COPIES: [(&str, &str); 3] = [
    ("vectors/auth.json", "go/testdata/auth.json"),
    ("vectors/definitions/before.ckc", "go/testdata/definitions/before.ckc"),
    ("vectors/definitions/after.ckc", "go/testdata/definitions/after.ckc"),
];

const HEAD: &str = "\
# The known answers of auth.json, a line each, with tabs between. Made by `cargo xtask vectors`.
# sign: name, key id, level, key, nonce, time, Authorization; nonce and time are - with Standard.
# verify: name, verdict, time now, skew, stored key id (- where no key is stored), level, key,
#   expiry (- for never), revoked (0 or 1), and then each header: name=value in hexadecimal.
";

/// Writes the file; with `check` it reports whether it is stale instead.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let text = fs::read_to_string(root.join(SOURCE)).map_err(|e| format!("{SOURCE}: {e}"))?;
    let all: Value = serde_json::from_str(&text).map_err(|e| format!("{SOURCE}: {e}"))?;
    let text = lines(&all)?;
    fresh(&root.join(OUTPUT), text.as_bytes(), check)?;
    for (from, to) in COPIES {
        let bytes = fs::read(root.join(from)).map_err(|e| format!("{from}: {e}"))?;
        fresh(&root.join(to), &bytes, check)?;
    }
    Ok(())
}

fn fresh(path: &Path, bytes: &[u8], check: bool) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let path_shown = path.display();
    if check {
        return Err(format!("{path_shown} is stale; `cargo xtask vectors` renews it"));
    }
    fs::write(path, bytes).map_err(|e| format!("cannot write {path_shown}: {e}"))
}

fn lines(all: &Value) -> Result<String, String> {
    let mut text = HEAD.to_owned();
    let section = |name: &str| all[name].as_array().ok_or(format!("{SOURCE} has no `{name}`"));
    for case in section("signing")? {
        let fields = ["name", "key_id", "level", "key", "nonce", "timestamp_ms", "authorization"];
        let _ = writeln!(text, "sign\t{}", fields.map(|field| word(&case[field])).join("\t"));
    }
    for case in section("verifying")? {
        let fields = ["name", "verdict", "now_ms", "skew_ms"].map(|field| word(&case[field]));
        let stored = &case["stored"];
        let stored = ["key_id", "level", "key", "expires_ms", "revoked"].map(|f| word(&stored[f]));
        let _ = write!(text, "verify\t{}\t{}", fields.join("\t"), stored.join("\t"));
        let headers = case["request"].as_object().ok_or("a request is not an object")?;
        for (name, value) in headers {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let _ = write!(text, "\t{name}={}", hex(value.as_str().unwrap_or_default())?);
            }
        }
        text.push('\n');
    }
    Ok(text)
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::String(text) => text.replace('\t', " "),
        other => other.to_string(),
    }
}

/// Code points up to U+00FF stand for bytes.
fn hex(text: &str) -> Result<String, String> {
    let mut digits = String::new();
    for character in text.chars() {
        let byte = u8::try_from(character).map_err(|_| format!("{character:?} is not a byte"))?;
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}
