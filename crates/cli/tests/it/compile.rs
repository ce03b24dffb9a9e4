//! `cortexkey compile` through the binary: compiled definitions give the same answers as `cortexkey
//! access`.

use std::fs;
use std::path::Path;

use cortexkey_core::access::compiled::{CompiledDefinitions, Lookup};
use cortexkey_core::access::{Answer, Permission, Question, decide};
use cortexkey_core::auth::KeyId;

use crate::common::{Ran, cortexkey, finish};

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
keys: [\"keys/*.yaml\"]
tenants:
  on: { product: xsiam, sbac: enforced, tags: permissive, datasets: true }
  old: { product: xpanse }
catalog:
  roles:
  - { name: Minter, components: { \"Public API\": edit }, actions: [Isolate] }
";

const LOCK: &str = "\
apiVersion: cortexkey/v1
kind: Lock
tenants:
  on:
    host: api-acme.xdr.us.paloaltonetworks.com
    keys:
      a: { id: 17, retiring: [{ id: 16, after: \"2027-01-01T00:00:00Z\" }] }
";

const SCOPE: &str = "
  scope:
    assets: { mode: select, groups: [prod-eu] }
    casesAndIssues: { mode: all, unreferenced: false }
    endpoints: { mode: none }
    datasets: { default: none }
";

fn definition(name: &str, tenant: &str, rest: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, tenant: {tenant} }}\n\
         spec:\n  securityLevel: advanced\n  lifetime: 90d\n  roles: [Minter]{rest}\n"
    )
}

/// A folder with a policy and definitions.
fn folder(definitions: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/all.yaml"), definitions.join("---\n")).unwrap();
    folder
}

fn compile_in(folder: &Path, args: &[&str]) -> Ran {
    finish(cortexkey(&[&["compile"][..], args].concat()).current_dir(folder))
}

#[test]
fn compiled_definitions_decide_as_their_source_does() {
    let folder = folder(&[definition("a", "on", SCOPE), definition("a", "old", SCOPE)]);
    let folder = folder.path();
    fs::write(folder.join("cortexkey.lock"), LOCK).unwrap();
    let ran = compile_in(folder, &["-o", "keys.ckc"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.starts_with("2 keys, "), "{ran:?}");
    let bytes = fs::read(folder.join("keys.ckc")).unwrap();
    let definitions = CompiledDefinitions::read(&bytes).unwrap();
    assert_eq!(definitions.find("a"), Lookup::Ambiguous);
    for id in [16, 17] {
        let at = definitions.find_id(KeyId::new(id).unwrap(), None);
        assert_eq!(at, definitions.find("on/a"), "the lock file's ids");
    }
    let Lookup::Found(at) = definitions.find("on/a") else { panic!("on/a is not there") };
    let entry = definitions.entry(at).unwrap();
    assert_eq!(entry.lifetime_ms, Some(90 * 86_400_000));
    let generates = Question::Component { name: "Public API", permission: Permission::Edit };
    let sees = Question::Asset { groups: &["prod-us"] };
    let record = definitions.record(at).unwrap();
    let key = record.key();
    assert_eq!(decide(&key.access(), &key.settings, &generates).answer(), Answer::Allowed);
    assert_eq!(decide(&key.access(), &key.settings, &sees).answer(), Answer::Refused);
    assert!(!key.older_scopes);
    let Lookup::Found(old) = definitions.find("old/a") else { panic!("old/a is not there") };
    assert!(definitions.record(old).unwrap().key().older_scopes);

    // Compiling again gives the same bytes, and compiling a part of the corpus gives that part.
    assert_eq!(compile_in(folder, &["-o", "again.ckc", "keys/"]).code, 0);
    assert_eq!(fs::read(folder.join("again.ckc")).unwrap(), bytes);
    assert!(fs::read_dir(folder).unwrap().all(|f| !f.unwrap().path().ends_with(".tmp")));
}

#[test]
fn mistakes_are_refused_with_their_place_and_nothing_is_written() {
    let mut said = String::new();
    for definitions in [
        vec![definition("a", "on", ""), definition("a", "on", "")],
        vec![definition("a", "on", "\n  rols: [x]")],
        vec![definition("a", "on", &SCOPE.replace("false", "unknown"))],
        vec![definition("a", "on", "").replace("  lifetime: 90d\n", "")],
        vec!["a: [".to_owned()],
    ] {
        let folder = folder(&definitions);
        let ran = compile_in(folder.path(), &["-o", "keys.ckc"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        said += &ran.stderr;
        assert!(!folder.path().join("keys.ckc").exists());
    }
    wording!(said);
    let empty = folder(&[]);
    fs::remove_file(empty.path().join("keys/all.yaml")).unwrap();
    assert_eq!(compile_in(empty.path(), &["-o", "keys.ckc"]).code, 3);
    assert_eq!(compile_in(empty.path(), &[]).code, 2, "without -o");
    let full = folder(&[definition("a", "on", "")]);
    fs::write(full.path().join("cortexkey.lock"), "kind: [").unwrap();
    let ran = compile_in(full.path(), &["-o", "keys.ckc"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    wording!(ran.stderr);
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let folder = folder(&[definition("a", "on", "")]);
    let ran = compile_in(folder.path(), &["-o", "/dev/null"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let ran = compile_in(folder.path(), &["-o", "nowhere/keys.ckc"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stderr);
}

/// Every language reads these files; `CORTEXKEY_RENEW=1` renews them.
#[test]
fn the_files_of_the_vectors_are_what_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/definitions");
    for name in ["before", "after"] {
        let source = format!("{name}.keys.yaml");
        let ran = tempfile::tempdir().unwrap();
        let output = ran.path().join("out.ckc");
        let reported = compile_in(&folder, &[&source, "-o", output.to_str().unwrap()]);
        assert_eq!(reported.code, 0, "{reported:?}");
        let compiled = fs::read(output).unwrap();
        let path = folder.join(name).with_extension("ckc");
        if std::env::var_os("CORTEXKEY_RENEW").is_some() {
            fs::write(&path, &compiled).unwrap();
        }
        let stale = "run this test with CORTEXKEY_RENEW=1, and raise the version of the form";
        assert_eq!(fs::read(path).ok(), Some(compiled), "{stale}");
    }
}
