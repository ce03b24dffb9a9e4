//! The sources of settings, and the errors for missing and invalid ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cortexkey_client::{
    Connection, Credentials, ExplicitSettings, KeySource, SettingOrigin, resolve_address,
};
use cortexkey_core::auth::Level;

const KEY: &str = "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH";

fn table(entries: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + use<> {
    let table: BTreeMap<String, OsString> =
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    move |name| table.get(name).cloned()
}

fn resolve(given: &ExplicitSettings, entries: &[(&str, &str)]) -> Result<Connection, String> {
    Connection::resolve(given, &table(entries), &mut std::io::empty()).map_err(|e| e.to_string())
}

const OURS: [(&str, &str); 4] = [
    ("CORTEXKEY_FQDN", "acme.xdr.us.paloaltonetworks.com"),
    ("CORTEXKEY_API_KEY", KEY),
    ("CORTEXKEY_API_KEY_ID", "56"),
    ("CORTEXKEY_API_KEY_TYPE", "advanced"),
];
const TERRAFORM: [(&str, &str); 4] = [
    ("CORTEXCLOUD_API_URL", "https://api-other.example"),
    ("CORTEXCLOUD_API_KEY", KEY),
    ("CORTEXCLOUD_API_KEY_ID", "7"),
    ("CORTEXCLOUD_API_KEY_TYPE", "standard"),
];

#[test]
fn arguments_precede_our_variables_which_precede_the_providers() {
    let both = [OURS, TERRAFORM].concat();
    let found = resolve(&ExplicitSettings::default(), &both).unwrap();
    let address = &found.address;
    assert_eq!(address.value.to_string(), "https://api-acme.xdr.us.paloaltonetworks.com");
    assert_eq!(address.origin, SettingOrigin::Environment("CORTEXKEY_FQDN"));
    assert_eq!(found.credentials.key_id.value.get(), 56);
    assert_eq!(found.credentials.level.value, Level::Advanced);
    assert_eq!(
        found.credentials.key_origin.to_string(),
        "the environment variable CORTEXKEY_API_KEY"
    );

    let found = resolve(&ExplicitSettings::default(), &TERRAFORM).unwrap();
    assert_eq!(found.address.value.to_string(), "https://api-other.example");
    assert_eq!(
        found.credentials.key_id.origin,
        SettingOrigin::Environment("CORTEXCLOUD_API_KEY_ID")
    );
    assert_eq!(found.credentials.signer.level(), Level::Standard);

    let given = ExplicitSettings {
        fqdn: Some("acme.xdr.us.paloaltonetworks.com".into()),
        key_id: Some("9".into()),
        level: Some(Level::Standard),
        ..ExplicitSettings::default()
    };
    let found = resolve(&given, &both).unwrap();
    assert_eq!(found.address.origin, SettingOrigin::Argument("--fqdn"));
    assert_eq!(found.credentials.key_id.value.get(), 9);
    assert_eq!(found.credentials.level.origin, SettingOrigin::Argument("--level"));
    assert!(!format!("{found:?}").contains(KEY));
}

#[test]
fn each_missing_setting_is_named_with_its_remedy() {
    let mut errors = Vec::new();
    for missing in 0..4 {
        let mut entries = OURS.to_vec();
        entries.remove(missing);
        errors.push(resolve(&ExplicitSettings::default(), &entries).unwrap_err());
    }
    wording!(errors.join("\n"));
}

#[test]
fn invalid_values_are_refused_and_not_repeated() {
    let mut errors = Vec::new();
    for (name, value) in [
        ("CORTEXKEY_FQDN", ""),
        ("CORTEXKEY_FQDN", "http://acme.example"),
        ("CORTEXKEY_API_KEY", ""),
        ("CORTEXKEY_API_KEY", "leak leak"),
        ("CORTEXKEY_API_KEY", "leak\nleak"),
        ("CORTEXKEY_API_KEY_ID", "leak"),
        ("CORTEXKEY_API_KEY_TYPE", "leak"),
    ] {
        let entries: Vec<_> =
            OURS.into_iter().map(|(n, v)| (n, if n == name { value } else { v })).collect();
        let error = resolve(&ExplicitSettings::default(), &entries).unwrap_err();
        assert!(error.contains(name) && !error.contains("leak"), "{error}");
        errors.push(error);
    }
    insta::assert_snapshot!("invalid values", errors.join("\n"));
}

#[test]
fn two_names_for_the_tenant_must_agree() {
    let environment = |other: &'static str| {
        table(&[("CORTEXKEY_FQDN", "acme.example"), ("CORTEXKEY_API_URL", other)])
    };
    let given = ExplicitSettings::default();
    assert!(resolve_address(&given, &environment("https://api-acme.example/")).is_ok());
    let error = resolve_address(&given, &environment("evil.example")).unwrap_err().to_string();
    assert!(error.contains("CORTEXKEY_FQDN") && error.contains("CORTEXKEY_API_URL"), "{error}");

    let of_provider = |other: &'static str| {
        table(&[("CORTEXCLOUD_API_URL", "https://api-a.example"), ("CORTEXCLOUD_FQDN", other)])
    };
    assert!(resolve_address(&given, &of_provider("a.example")).is_ok());
    assert!(resolve_address(&given, &of_provider("b.example")).is_err());

    let given = ExplicitSettings { on_premises: true, ..ExplicitSettings::default() };
    let found = resolve_address(&given, &table(&[("CORTEXKEY_FQDN", "xsoar.corp.example")]));
    assert_eq!(found.unwrap().value.to_string(), "https://xsoar.corp.example");
}

fn from_source(key: KeySource, mut stdin: &[u8]) -> Result<Credentials, String> {
    let given = ExplicitSettings {
        key_id: Some("7".into()),
        level: Some(Level::Standard),
        key: Some(key),
        ..ExplicitSettings::default()
    };
    Credentials::resolve(&given, &table(&[]), &mut stdin).map_err(|error| error.to_string())
}

fn sent(credentials: &Credentials) -> String {
    let now = cortexkey_core::auth::Timestamp::from_ms(1_790_611_727_783).unwrap();
    credentials.signer.sign_from_system(now).unwrap().authorization().to_owned()
}

#[test]
fn exactly_one_line_ending_is_removed() {
    for text in ["abc", "abc\n", "abc\r\n"] {
        assert_eq!(sent(&from_source(KeySource::Stdin, text.as_bytes()).unwrap()), "abc");
    }
    for text in ["abc\n\n", "abc\r", "abc\n\r\n", " abc", "\nabc"] {
        assert!(from_source(KeySource::Stdin, text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(from_source(KeySource::Stdin, b"").is_err());
}

#[cfg(unix)]
#[test]
fn a_key_file_must_be_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "key", KEY.as_bytes());
    let file = |allow_readable| KeySource::File { path: path.clone(), allow_readable };
    let found = from_source(file(false), b"").unwrap();
    assert_eq!(sent(&found), KEY);
    assert_eq!(found.key_origin, SettingOrigin::KeyFile(path.clone()));
    for mode in [0o640, 0o604, 0o644, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = from_source(file(false), b"").unwrap_err();
        assert!(error.contains("--allow-readable-key-file") && error.contains("chmod 600"));
        assert!(error.contains(&format!("mode {mode:04o}")), "{error}");
        assert!(from_source(file(true), b"").is_ok());
    }
}

#[cfg(unix)]
#[test]
fn each_invalid_key_file_has_its_own_message() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| write(folder.path(), name, bytes);
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let mut errors = Vec::new();
    for path in [
        folder.path().join("absent"),
        folder.path().to_owned(),
        fifo,
        PathBuf::from("/dev/zero"),
        write("empty", b""),
        write("line-end", b"\n"),
        write("huge", &[b'k'; 5000]),
        write("long", &[b'k'; 300]),
        write("binary", b"ab\x00c"),
        write("utf-16", b"\xff\xfea\x00b\x00"),
        write("utf-8", b"\xef\xbb\xbfabc"),
        write("lines", b"id=7\nkey=abc\n"),
        write("quoted name", b"key abc"),
    ] {
        let source = KeySource::File { path: path.clone(), allow_readable: false };
        let error = from_source(source, b"").unwrap_err();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        errors.push(error.replace(folder.path().to_str().unwrap(), "FOLDER"));
    }
    insta::assert_snapshot!("key files", errors.join("\n"));
}

#[cfg(unix)]
fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A folder with a configuration, and the variables that lead to it.
#[cfg(unix)]
fn configured(text: &str) -> (tempfile::TempDir, (&'static str, String)) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cortexkey")).unwrap();
    write(&folder.path().join("cortexkey"), "config.toml", text.as_bytes());
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, ("XDG_CONFIG_HOME", path))
}

#[cfg(unix)]
const PROFILES: &str = r#"
default_profile = "prod"
[profiles.prod]
fqdn = "prod.example"
key_id = 5
level = "Advanced"
key_command = ["printf", "%s\n", "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH"]
child_tenant = "child-9"
timeout_ms = 1234
retries = 7
[profiles.other]
fqdn = "other.example"
key_id = 6
level = "standard"
"#;

#[cfg(unix)]
fn resolve_with(
    given: &ExplicitSettings,
    entries: &[(&str, &str)],
    text: &str,
) -> Result<Connection, String> {
    let (_folder, (name, path)) = configured(text);
    let mut entries = entries.to_vec();
    entries.push((name, &path));
    resolve(given, &entries)
}

#[cfg(unix)]
#[test]
fn a_profile_has_all_that_a_call_needs() {
    let found = resolve_with(&ExplicitSettings::default(), &[], PROFILES).unwrap();
    assert_eq!(found.address.value.to_string(), "https://api-prod.example");
    assert_eq!(found.address.origin.to_string(), "the profile prod (fqdn)");
    assert_eq!(found.credentials.key_id.value.get(), 5);
    assert_eq!(found.credentials.level.value, Level::Advanced);
    let origin = found.credentials.key_origin.to_string();
    assert_eq!(origin, "the key_command of the profile prod (printf)");
    assert_eq!(found.options.timeout.as_millis(), 1234);
    assert_eq!(found.options.retry.retries, 7);
    assert_eq!(found.options.child_tenant.as_ref().unwrap().as_str(), "child-9");
    assert!(!format!("{found:?}").contains(KEY));
}

#[cfg(unix)]
#[test]
fn an_explicit_tenant_overrides_the_default_profile() {
    let found = resolve_with(&ExplicitSettings::default(), &OURS, PROFILES).unwrap();
    assert_eq!(found.address.origin, SettingOrigin::Environment("CORTEXKEY_FQDN"));
    assert_eq!(found.credentials.key_id.value.get(), 56);
    assert!(found.options.child_tenant.is_none() && found.profile.is_none());
    // The Terraform provider's variables come last.
    let found = resolve_with(&ExplicitSettings::default(), &TERRAFORM, PROFILES).unwrap();
    assert_eq!(found.profile.as_deref(), Some("prod"));
    assert_eq!(found.credentials.key_id.value.get(), 5);
}

#[cfg(unix)]
#[test]
fn an_explicit_profile_overrides_variables() {
    let given =
        |name: &str| ExplicitSettings { profile: Some(name.into()), ..ExplicitSettings::default() };
    let found = resolve_with(&given("prod"), &OURS, PROFILES).unwrap();
    assert_eq!(found.address.value.to_string(), "https://api-prod.example");
    assert_eq!(found.credentials.key_id.value.get(), 5);
    let error = resolve_with(&given("porduct"), &[], PROFILES).unwrap_err();
    assert!(error.contains("--profile"), "{error}");
    wording!(error);
}

/// What each of the four sources of settings contains, in the order of [`SOURCES`].
#[cfg(unix)]
#[derive(Clone, Copy, Debug, Default)]
struct Contents {
    tenant: Option<&'static str>,
    has_key: bool,
}

#[cfg(unix)]
const SOURCES: usize = 4;
#[cfg(unix)]
const ARGUMENTS: usize = 0;
#[cfg(unix)]
const OUR_VARIABLES: usize = 1;
#[cfg(unix)]
const PROFILE: usize = 2;
#[cfg(unix)]
const PROVIDER: usize = 3;

/// How a profile is selected.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq)]
enum Chosen {
    Argument,
    Variable,
    Default,
}

/// Every source without a tenant, or with one of two, each with and without a key.
#[cfg(unix)]
fn all_contents() -> impl Iterator<Item = [Contents; SOURCES]> {
    let each = || {
        let tenants = [None, Some("one.example"), Some("two.example")].into_iter();
        tenants.flat_map(|tenant| [false, true].map(|has_key| Contents { tenant, has_key }))
    };
    let pairs = move || each().flat_map(move |one| each().map(move |other| (one, other)));
    pairs().flat_map(move |(a, b)| pairs().map(move |(c, d)| [a, b, c, d]))
}

/// The tenant that a key may go to, and the source of the key, from the documented rules.
#[cfg(unix)]
fn allowed(contents: &[Contents; SOURCES], chosen: Chosen) -> Option<(&'static str, usize)> {
    let is_aside = chosen == Chosen::Default
        && [ARGUMENTS, OUR_VARIABLES].iter().any(|source| contents[*source].tenant.is_some());
    let order = match chosen {
        Chosen::Argument => vec![ARGUMENTS, PROFILE, OUR_VARIABLES, PROVIDER],
        _ if is_aside => vec![ARGUMENTS, OUR_VARIABLES, PROVIDER],
        _ => vec![ARGUMENTS, OUR_VARIABLES, PROFILE, PROVIDER],
    };
    let first =
        |has: &dyn Fn(&Contents) -> bool| order.iter().copied().find(|s| has(&contents[*s]));
    let of_tenant = first(&|source| source.tenant.is_some())?;
    let of_key = first(&|source| source.has_key)?;
    let tenant = contents[of_tenant].tenant?;
    let fits = match contents[of_key].tenant {
        _ if of_key == ARGUMENTS => true,
        Some(own) => own == tenant,
        None => of_tenant == ARGUMENTS || !contents[of_tenant].has_key,
    };
    fits.then_some((tenant, of_key))
}

#[cfg(unix)]
#[test]
fn a_key_is_sent_only_to_its_own_tenant() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cortexkey")).unwrap();
    let key = write(folder.path(), "given", KEY.as_bytes());
    let of_profile = write(folder.path(), "profile", KEY.as_bytes());
    let origins = [
        SettingOrigin::KeyFile(key.clone()),
        SettingOrigin::Environment("CORTEXKEY_API_KEY"),
        SettingOrigin::KeyFile(of_profile.clone()),
        SettingOrigin::Environment("CORTEXCLOUD_API_KEY"),
    ];
    let mut counts = [0; 2];
    for chosen in [Chosen::Argument, Chosen::Variable, Chosen::Default] {
        for contents in all_contents() {
            let default = (chosen == Chosen::Default).then_some("default_profile = \"p\"\n");
            let fqdn = contents[PROFILE].tenant.map(|tenant| format!("fqdn = \"{tenant}\"\n"));
            let file = format!("key_file = \"{}\"\n", of_profile.display());
            let file = contents[PROFILE].has_key.then_some(file);
            let text = [
                default.unwrap_or_default(),
                "[profiles.p]\n",
                &fqdn.unwrap_or_default(),
                &file.unwrap_or_default(),
            ]
            .concat();
            write(&folder.path().join("cortexkey"), "config.toml", text.as_bytes());
            let mut entries = vec![("XDG_CONFIG_HOME", folder.path().to_str().unwrap())];
            let variables = [
                (OUR_VARIABLES, "CORTEXKEY_FQDN", "CORTEXKEY_API_KEY"),
                (PROVIDER, "CORTEXCLOUD_API_URL", "CORTEXCLOUD_API_KEY"),
            ];
            for (source, address, key) in variables {
                entries.extend(contents[source].tenant.map(|tenant| (address, tenant)));
                entries.extend(contents[source].has_key.then_some((key, KEY)));
            }
            if chosen == Chosen::Variable {
                entries.push(("CORTEXKEY_PROFILE", "p"));
            }
            let source = KeySource::File { path: key.clone(), allow_readable: false };
            let given = ExplicitSettings {
                profile: (chosen == Chosen::Argument).then(|| "p".into()),
                fqdn: contents[ARGUMENTS].tenant.map(Into::into),
                key: contents[ARGUMENTS].has_key.then_some(source),
                key_id: Some("7".into()),
                level: Some(Level::Advanced),
                ..ExplicitSettings::default()
            };
            let found = resolve(&given, &entries).ok();
            let sent = found.map(|found| {
                let tenant = found.address.value.to_string();
                (tenant, found.credentials.key_origin)
            });
            let expected = allowed(&contents, chosen)
                .map(|(tenant, of_key)| (format!("https://api-{tenant}"), origins[of_key].clone()));
            assert_eq!(sent, expected, "{chosen:?} {contents:?}");
            counts[usize::from(expected.is_some())] += 1;
        }
    }
    assert_eq!(counts.iter().sum::<i32>(), 3 * 6_i32.pow(4));
    assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
}

#[cfg(unix)]
#[test]
fn an_address_in_other_words_is_the_same_tenant() {
    let given = |fqdn: &str| ExplicitSettings {
        profile: Some("prod".into()),
        fqdn: Some(fqdn.into()),
        ..ExplicitSettings::default()
    };
    assert!(resolve_with(&given("https://api-prod.example/"), &[], PROFILES).is_ok());
    let error = resolve_with(&given("http://127.0.0.1:1"), &[], PROFILES).unwrap_err();
    assert!(error.contains("tenant"), "{error}");
    // Versions of the provider differ in the name.
    let entries = [("CORTEXCLOUD_FQDN", "two.example"), TERRAFORM[1], TERRAFORM[2], TERRAFORM[3]];
    assert!(resolve(&ExplicitSettings::default(), &entries).is_ok());
    let one = ExplicitSettings { fqdn: Some("one.example".into()), ..ExplicitSettings::default() };
    assert!(resolve(&one, &entries).is_err());
    // An invalid address in the key's own source may be that of another tenant.
    let given =
        ExplicitSettings { fqdn: Some("one.example".into()), ..ExplicitSettings::default() };
    for own in ["http://one.example", ""] {
        let entries: Vec<_> = OURS
            .into_iter()
            .map(|(n, v)| (n, if n == "CORTEXKEY_FQDN" { own } else { v }))
            .collect();
        assert!(resolve(&given, &entries).is_err(), "{own:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_command_that_fails_is_reported_without_its_arguments() {
    let mut errors = Vec::new();
    for command in [
        r#"["/nonexistent/leak", "leak"]"#,
        r#"["false", "leak"]"#,
        r#"["sleep", "60"]"#,
        r#"["sh", "-c", "yes leak | head -c 100000"]"#,
        r#"["true"]"#,
        r#"["printf", "leak leak"]"#,
    ] {
        let text = format!(
            "[profiles.p]\nfqdn = 'a.example'\nkey_id = 1\nlevel = 'standard'\n\
             key_command = {command}\nkey_command_timeout_ms = 200\n"
        );
        let given = ExplicitSettings { profile: Some("p".into()), ..ExplicitSettings::default() };
        let started = std::time::Instant::now();
        let error = resolve_with(&given, &[], &text).unwrap_err();
        let shown = error.replace("/nonexistent/leak", "PROGRAM");
        assert!(!shown.contains("leak"), "{error}");
        assert!(started.elapsed().as_secs() < 30);
        errors.push(shown);
    }
    insta::assert_snapshot!("key commands", errors.join("\n"));
}

#[cfg(unix)]
#[test]
fn a_configuration_that_others_may_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, (name, path)) = configured(PROFILES);
    let file = folder.path().join("cortexkey/config.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    let error = resolve(&ExplicitSettings::default(), &[(name, &path)]).unwrap_err();
    assert!(error.contains("0664") && error.contains("chmod"), "{error}");
}

#[cfg(unix)]
#[test]
fn every_setting_is_explained_and_no_key_is_shown_or_fetched() {
    let marker = tempfile::tempdir().unwrap();
    let touched = marker.path().join("touched");
    let text = PROFILES.replace("printf", "touch").replace("%s\\n", touched.to_str().unwrap());
    let (_folder, (name, path)) = configured(&text);
    let entries = [(name, path.as_str()), ("CORTEXCLOUD_API_KEY_ID", "99")];
    let explained =
        cortexkey_client::explain(&ExplicitSettings::default(), &table(&entries)).unwrap();
    let of = |setting: &str| explained.iter().find(|entry| entry.setting == setting).unwrap();
    assert_eq!(of("profile").value.as_deref(), Some("prod"));
    assert_eq!(of("fqdn").origin.as_deref(), Some("the profile prod (fqdn)"));
    assert_eq!(of("key_id").value.as_deref(), Some("5"));
    assert_eq!(of("key_id").overridden, ["the environment variable CORTEXCLOUD_API_KEY_ID"]);
    assert_eq!(of("key").value.as_deref(), Some("(not shown)"));
    assert_eq!(of("key").origin.as_deref(), Some("the key_command of the profile prod (touch)"));
    assert_eq!(of("timeout_ms").value.as_deref(), Some("1234"));
    assert_eq!(of("certificates").origin.as_deref(), Some("the default"));
    assert!(!touched.exists());

    let explained = cortexkey_client::explain(&ExplicitSettings::default(), &table(&OURS)).unwrap();
    assert!(!format!("{explained:?}").contains(KEY));
}
