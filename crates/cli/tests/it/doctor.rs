//! `cortexkey doctor`, as text and as JSON.

use serde_json::Value;

use crate::common::{Ran, Tenant, finish, finish_with};

fn shown(tenant: &Tenant, ran: &Ran) -> String {
    assert!(!ran.stdout.contains(&tenant.key("advanced").1), "{ran:?}");
    ran.stdout.replace(tenant.url(), "URL")
}

#[test]
fn each_cause_has_evidence_and_a_remedy() {
    let tenant = Tenant::start();
    let mut all = String::new();
    let key = tenant.key("advanced").1;
    for (what, variable, value, code) in [
        ("nothing", "CORTEXKEY_API_KEY", key.clone(), 0),
        ("quotes and a line ending", "CORTEXKEY_API_KEY", format!("'{key}'\n"), 1),
        ("another id", "CORTEXKEY_API_KEY_ID", "99".into(), 1),
        ("another level", "CORTEXKEY_API_KEY_TYPE", "standard".into(), 1),
        ("no id", "CORTEXKEY_API_KEY_ID", String::new(), 1),
    ] {
        let mut command = tenant.with_key("advanced", &["doctor"]);
        let ran = finish(command.env(variable, value));
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{what}");
        all.extend([what, "\n", &shown(&tenant, &ran), "\n"]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn requests_of_other_clients_are_read_from_a_pipe() {
    let tenant = Tenant::start();
    let (_, key) = tenant.key("standard");
    let request =
        format!("POST /x HTTP/1.1\r\nx-xdr-auth-id: 1\r\nAuthorization: Bearer {key}\r\n\r\n");
    let args = ["doctor", "--request", "-", "--format", "json"];
    let ran = finish_with(&mut crate::common::cortexkey(&args), request.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    assert!(!ran.stdout.contains(&key));
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&value["healthy"], &value["version"]), (&false.into(), &1.into()));
    assert_eq!(value["findings"][0]["cause"], "bearer-prefix");
    assert_eq!(value["findings"][0]["certainty"], "certain");
    let ran = finish_with(&mut crate::common::cortexkey(&args), b"nothing of ours");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
}

/// Whatever the settings contain, the report shows only the vendor's words and ours.
#[test]
fn a_report_contains_no_name_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cortexkey")).unwrap();
    let config = "default_profile = \"canaryprofile\"\n[profiles.canaryprofile]\n\
                  fqdn = \"canarytenant.xdr.us.paloaltonetworks.com\"\nkey_id = 90817263\n\
                  key_command = [\"canaryprogram\", \"canaryargument\"]\n\
                  sink_folder = \"/canary/folder\"\nca_file = \"/canary/ca.pem\"\n";
    std::fs::write(folder.path().join("cortexkey/config.toml"), config).unwrap();
    for format in ["text", "json"] {
        for more in [&[][..], &["--key-file", "/canary/key"], &["--child-tenant", "canarychild"]] {
            let mut command = crate::common::cortexkey(&["doctor", "--report", "--offline"]);
            command.args(["--format", format]).args(more).env("XDG_CONFIG_HOME", folder.path());
            let ran = finish(&mut command);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
            assert!(ran.stdout.contains("xdr.us.paloaltonetworks.com"), "{ran:?}");
            for secret in ["canary", "90817263", &folder.path().display().to_string()] {
                assert!(!ran.stdout.contains(secret), "{secret}: {ran:?}");
            }
        }
    }
}

#[test]
fn a_report_has_what_an_examination_found_without_its_evidence() {
    let tenant = Tenant::start();
    let mut command = tenant.with_key("advanced", &["doctor", "--report", "--format", "json"]);
    let ran = finish(command.env("CORTEXKEY_API_KEY_ID", "99"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains(&tenant.key("advanced").1));
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let report = &value["report"];
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["os"], std::env::consts::OS);
    assert!(report["findings"][0]["cause"].is_string(), "{report}");
    assert!(report["findings"][0].get("evidence").is_none());
    assert!(!ran.stdout.contains(tenant.url().rsplit(':').next().unwrap()));
}
