//! Runs the guides in `docs/guides` against the emulator, and the examples of `docs/access.md`. The gate's
//! step for the C library runs the guides for C and Go.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};

use crate::common::definitions::{World, git};

#[path = "../../../../xtask/src/guide.rs"]
mod guide;

/// A guide, without the parts that may differ between machines.
struct Guide {
    page: &'static str,
    /// Whether the folder begins with definitions.
    with_definitions: bool,
}

const DEFINITION: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: bot-triage-prod, owner: team-automation }
spec:
  securityLevel: standard
  comment: Closes duplicates.
  lifetime: 90d
  roles: [Viewer]
";

/// Runs a guide with key 7 in `~/.cortex-key`, as the guides say, and two more keys.
fn run(guide: &Guide) {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]);
    if guide.with_definitions {
        fs::create_dir(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join("keys/bot-triage-prod.yaml"), DEFINITION).unwrap();
    }
    for id in 3..10 {
        let role = if id == 7 { "Instance Administrator" } else { "Viewer" };
        let key = GenerateRequest {
            roles: vec![role.to_owned()],
            security_level: SecurityLevel::Advanced,
            expiration: None,
            comment: Some("A key of the guides. SEC-1".into()),
        };
        let new = world.admin.generate_key(&key).unwrap();
        assert_eq!(new.id, id);
        if id == 7 {
            let file = home.path().join(".cortex-key");
            fs::write(&file, new.key.expose()).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_cortexkey")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let variables = [("PATH", path), ("HOME", home.path().to_str().unwrap().to_owned())];
    let replace = [
        ("https://api-acme.xdr.us.paloaltonetworks.com", world.url.clone()),
        (
            "CORTEXKEY_FQDN=acme.xdr.us.paloaltonetworks.com",
            format!("CORTEXKEY_FQDN={}", world.url),
        ),
        ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
        ("/Users/ana", home.path().to_str().unwrap().to_owned()),
    ];
    if let Err(error) = guide::run(guide.page, folder.path(), &variables, &replace) {
        panic!("{error}");
    }
}

/// The page shows the answers for the policy that `quickstart` uses.
#[test]
fn the_examples_of_the_access_page_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let quickstart = root.join("policies/quickstart");
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("keys")).unwrap();
    fs::copy(quickstart.join("cortexkey.yaml"), folder.path().join("cortexkey.yaml")).unwrap();
    for entry in fs::read_dir(quickstart.join("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join("keys").join(entry.file_name())).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_cortexkey")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let page = fs::read_to_string(root.join("docs/access.md")).unwrap();
    if let Err(error) = guide::run(&page, folder.path(), &[("PATH", path)], &[]) {
        panic!("{error}");
    }
}

macro_rules! guides {
    ($($test:ident: $file:literal, $with_definitions:literal;)+) => {
        $(#[test]
        fn $test() {
            let page = include_str!(concat!("../../../../docs/guides/", $file));
            run(&Guide { page, with_definitions: $with_definitions });
        })+

        /// Guides that the gate runs with the C library, and guides that measure.
        const ELSEWHERE: [&str; 4] =
            ["README.md", "benchmark-signing.md", "sign-from-c.md", "sign-from-go.md"];

        #[test]
        fn every_guide_is_run() {
            let here = [$($file),+];
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides");
            for entry in fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let known = here.contains(&name.as_str()) || ELSEWHERE.contains(&name.as_str());
                assert!(known || !name.ends_with(".md"), "no test runs {name}");
            }
        }
    };
}

guides! {
    the_guide_for_curl_runs: "curl.md", false;
    the_guide_for_refusals_runs: "diagnose-a-401.md", false;
    the_guide_for_rotation_runs: "rotate-a-key.md", false;
    the_guide_for_the_emulator_runs: "test-offline.md", false;
    the_guide_for_adopting_the_linter_runs: "adopt-the-linter.md", true;
    the_guide_for_custom_rules_runs: "write-a-rule.md", false;
    the_guide_for_sbac_runs: "turn-on-sbac.md", false;
}
