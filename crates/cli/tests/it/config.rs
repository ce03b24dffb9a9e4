//! `cortexkey config explain`, as text.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::common::{CANARY, cortexkey, finish};

#[test]
fn settings_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cortexkey")).unwrap();
    let path = folder.path().join("cortexkey/config.toml");
    let text = r#"
        default_profile = "prod"
        [profiles.prod]
        fqdn = "acme.xdr.us.paloaltonetworks.com"
        key_id = 7
        level = "advanced"
        key_command = ["op", "read", "op://ops/cortex/key"]
        sink_command = ["op", "item", "create", "-"]
        timeout_ms = 5000
    "#;
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let explain = |profile: &[&str], variables: &[(&str, &str)]| {
        let mut command = cortexkey(&[&["config", "explain"], profile].concat());
        command.env("XDG_CONFIG_HOME", folder.path()).envs(variables.iter().copied());
        let ran = finish(&mut command);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(!ran.stdout.contains("CANARY"));
        ran.stdout.replace(folder.path().to_str().unwrap(), "DIR")
    };
    let variables = [
        ("CORTEXKEY_API_KEY", CANARY),
        ("CORTEXKEY_API_KEY_ID", "12"),
        ("CORTEXKEY_API_KEY_TYPE", "advanced"),
    ];
    let with_tenant = [&variables[..], &[("CORTEXKEY_FQDN", "dev.example")]].concat();
    let all = format!(
        "the default profile\n{}\na variable names the tenant\n{}\na key that is left over\n{}\n\
         the profile by hand\n{}",
        explain(&[], &[]),
        explain(&[], &with_tenant),
        explain(&[], &variables),
        explain(&["--profile", "prod"], &with_tenant),
    );
    insta::assert_snapshot!(all);
    let json: serde_json::Value =
        serde_json::from_str(&explain(&["--format", "json"], &[])).unwrap();
    assert_eq!(json["settings"][2]["value"], "https://api-acme.xdr.us.paloaltonetworks.com");
}
