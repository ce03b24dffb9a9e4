//! `cortexkey keys` against a tenant in its own process.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::common::{CANARY, Ran, Tenant, finish};

struct World {
    tenant: Tenant,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { tenant: Tenant::start(), folder: tempfile::tempdir().unwrap() }
    }

    fn keys(&self, args: &[&str]) -> Ran {
        let mut command = self.tenant.with_key("advanced", &[&["keys"], args].concat());
        command.env("XDG_STATE_HOME", self.folder.path()).current_dir(self.folder.path());
        let mut ran = finish(&mut command);
        ran.stderr = ran.stderr.replace(self.tenant.url(), "URL");
        ran.stderr = ran.stderr.replace(self.folder.path().to_str().unwrap(), "DIR");
        ran.stdout = ran.stdout.replace(self.folder.path().to_str().unwrap(), "DIR");
        ran
    }

    fn good(&self, args: &[&str]) -> String {
        let ran = self.keys(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.stdout
    }

    fn generate(&self, role: &str, expires: &str, comment: &str, file: &str) -> u64 {
        let out = self.good(&[
            "generate",
            "--role",
            role,
            "--security-level",
            "advanced",
            "--expires",
            expires,
            "--comment",
            comment,
            "--sink-file",
            file,
            "--json",
        ]);
        serde_json::from_str::<Value>(&out).unwrap()["id"].as_u64().unwrap()
    }

    fn listed(&self, args: &[&str]) -> Vec<u64> {
        let out = self.good(&[&["list", "--format", "json"], args].concat());
        let value: Value = serde_json::from_str(&out).unwrap();
        value["keys"].as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect()
    }
}

/// A date some days from now, in the form of definitions.
fn in_days(days: i64) -> String {
    let day = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    day.to_string()[..10].to_owned()
}

#[test]
fn keys_are_listed_in_every_format() {
    let world = World::new();
    world.generate("Viewer", &in_days(3), "Exports, \"all\"\tof it. SEC-1", "a.key");
    world.generate("Responder", &in_days(100), "Triage. SEC-2", "b.key");
    let mut all = String::new();
    let json = world.good(&["list", "--format", "json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    let time = |ms: &Value| {
        let second = i64::try_from(ms.as_u64().unwrap() / 1000).unwrap();
        jiff::Timestamp::from_second(second).unwrap().to_string()
    };
    for format in ["table", "row", "csv"] {
        let mut text = world.good(&["list", "--format", format]);
        for key in value["keys"].as_array().unwrap() {
            text = text.replace(&time(&key["creation_time"]), "2026-01-01T00:00:00Z");
            if key["expiration"].is_u64() {
                let id = key["id"].as_u64().unwrap();
                text = text.replace(&time(&key["expiration"]), &format!("2027-01-0{id}T00:00:00Z"));
            }
        }
        all.extend([format, "\n", &text, "\n"]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn tenant_text_cannot_control_terminals_or_spreadsheets() {
    let world = World::new();
    let comment = " =cmd|'/C calc'!A1\u{1b}[31m\u{202e}\u{9b}0m\u{200b}";
    // cortexkey sends no control characters, and other programs do.
    let key = serde_json::json!({ "roles": ["Viewer"], "security_level": "advanced", "comment": comment });
    let body = serde_json::json!({ "request_data": key }).to_string();
    let mut made = world.tenant.with_key("advanced", &["call", "POST"]);
    assert_eq!(finish(made.args(["/public_api/v1/api_keys/generate", "--data", &body])).code, 0);
    let mut all = String::new();
    for args in [&["list"][..], &["list", "--format", "csv"], &["list", "--format", "row"]] {
        let text = world.good(args);
        all += text.lines().last().unwrap().split("advanced").nth(1).unwrap();
        all += "\n";
    }
    let listed = world.good(&["list", "--format", "json"]);
    let shown = world.good(&["show", "3", "--format", "json"]);
    let mut called = world.tenant.with_key("advanced", &["call", "POST"]);
    called.args(["/public_api/v1/api_keys/get_api_keys", "--data"]);
    let called = finish(called.arg(r#"{"request_data":{"filters":[]}}"#)).stdout;
    for (json, at) in
        [(&listed, "/keys/2/comment"), (&shown, "/key/comment"), (&called, "/reply/DATA/2/comment")]
    {
        assert!(json.trim_end().chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{json}");
        let value: Value = serde_json::from_str(json).unwrap();
        assert_eq!(value.pointer(at).unwrap().as_str().unwrap(), comment);
    }
    assert!(!all.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{200b}']), "{all:?}");
    assert!(all.contains(",' =cmd|"), "{all}");
}

#[test]
fn the_filters_of_the_console_exist() {
    let world = World::new();
    let soon = world.generate("Viewer", &in_days(3), "Exports. SEC-1", "a.key");
    let late = world.generate("Responder", &in_days(100), "Triage. SEC-2", "b.key");
    for (args, ids) in [
        (&[][..], vec![1, 2, soon, late]),
        (&["--descending"], vec![late, soon, 2, 1]),
        (&["--id", "1", "--id", "3"], vec![1, 3]),
        (&["--role", "Viewer"], vec![soon]),
        (&["--role", "viewer"], vec![soon]),
        (&["--role", "Viewer", "--role", "Responder"], vec![soon, late]),
        (&["--security-level", "standard"], vec![1]),
        (&["--comment", "sec-2"], vec![late]),
        (&["--until", &format!("expires={}", in_days(10))], vec![soon]),
        (&["--from", &format!("expires={}", in_days(10))], vec![late]),
        (&["--thirty-days-prior-to", &format!("expires={}", in_days(20))], vec![soon]),
        (&["--thirty-days-after", &format!("expires={}", in_days(80))], vec![late]),
        (&["--sort", "expires"], vec![soon, late, 1, 2]),
    ] {
        assert_eq!(world.listed(args), ids, "{args:?}");
    }
    let ran = world.keys(&["expiring", "--within", "7d", "--format", "csv"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 2), "{ran:?}");
    let ran = world.keys(&["expiring", "--within", "1d"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "no keys\n"), "{ran:?}");
}

#[test]
fn a_key_without_a_destination_is_not_generated() {
    let world = World::new();
    let mut all = String::new();
    let generate = ["generate", "--role", "Viewer", "--security-level", "advanced"];
    fs::write(world.folder.path().join("there.key"), "somebody's").unwrap();
    for sink in [
        &[][..],
        &["--show"],
        &["--sink-file", "there.key"],
        &["--sink-file", "no/such/folder/key"],
    ] {
        let ran = world.keys(&[&generate[..], sink].concat());
        assert_ne!(ran.code, 0);
        all.extend([format!("{sink:?} {}\n", ran.code), ran.stderr, "\n".to_owned()]);
    }
    assert_eq!(world.listed(&[]), [1, 2]);
    insta::assert_snapshot!(all);
}

#[test]
fn an_expiry_that_the_product_refuses_is_a_usage_error() {
    let world = World::new();
    let sink = ["--sink-file", "a.key"];
    let generate = [&["generate", "--role", "Viewer", "--security-level", "advanced"], &sink[..]];
    let generate = generate.concat();
    for expiry in [["--lifetime", "185d"], ["--expires", "2020-01-01"]] {
        let ran = world.keys(&[&generate[..], &expiry[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
    let ran = world.keys(&[&["rotate", "1", "--lifetime", "185d", "--yes"], &sink[..]].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(world.listed(&[]), [1, 2]);
    let longest = world.keys(&[&generate[..], &["--lifetime", "184d"]].concat());
    assert_eq!(longest.code, 0, "{longest:?}");
}

#[test]
fn a_key_that_is_named_twice_is_deleted_once() {
    let world = World::new();
    let id = world.generate("Viewer", &in_days(30), "twice", "a.key").to_string();
    let ran = world.keys(&["delete", &id, &id, "--yes"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "deleted 1\n"), "{ran:?}");
    assert_eq!(ran.stderr.matches("twice").count(), 1, "{ran:?}");
    assert_eq!(world.listed(&[]), [1, 2]);
}

/// Everyone who may list keys reads their comments.
#[test]
fn a_comment_with_a_secret_is_a_usage_error() {
    let world = World::new();
    let aws = format!("for AKIA{}", "IOSFODNN7EXAMPLE");
    for comment in [CANARY, &format!("rotates with {CANARY}."), &aws] {
        let level = ["--role", "Viewer", "--security-level", "advanced", "--sink-file", "a.key"];
        for command in [&[&["generate"], &level[..]].concat()[..], &["edit", "1", "--yes"]] {
            let ran = world.keys(&[command, &["--comment", comment]].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
            assert!(!ran.stderr.contains(comment), "{ran:?}");
        }
    }
    assert_eq!(world.listed(&[]), [1, 2]);
    assert!(!world.good(&["list", "--format", "json"]).contains("AKIA"));
}

#[test]
fn a_key_completes_its_life_cycle() {
    let world = World::new();
    let scope = r#"{"assets":{"mode":"see_all"},"cases_issues":{"mode":"scope","names":["IT"]},
        "endpoints":{"endpoint_groups":{"mode":"no_scope"},"endpoint_tags":{"mode":"no_scope"}}}"#;
    fs::write(world.folder.path().join("scope.json"), scope).unwrap();
    let made = world.keys(&[
        "generate",
        "--role",
        "Viewer",
        "--security-level",
        "standard",
        "--lifetime",
        "90d",
        "--comment",
        "Exports. SEC-1",
        "--scope-file",
        "scope.json",
        "--sink-file",
        "a.key",
    ]);
    assert_eq!((made.code, made.stdout.as_str()), (0, "wrote key 3 to the file a.key\n"));
    insta::assert_snapshot!("made", made.stderr);
    let file = world.folder.path().join("a.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let args =
        ["ping", "--key-id", "3", "--level", "standard", "--key-file", file.to_str().unwrap()];
    let ping = finish(crate::common::cortexkey(&args).env("CORTEXKEY_FQDN", world.tenant.url()));
    assert_eq!(ping.code, 0, "{ping:?}");

    // The complete body of the call works too.
    let body = format!(r#"{{"request_data":{}}}"#, scope.replace("IT", "Security"));
    fs::write(world.folder.path().join("body.json"), body).unwrap();
    world.good(&["edit", "3", "--scope-file", "body.json", "--yes"]);
    assert!(world.good(&["show", "3"]).contains("Security\n"));
    world.good(&["edit", "3", "--scope-file", "scope.json", "--yes"]);
    let own = world.keys(&["edit", "2", "--security-level", "standard", "--yes"]);
    assert_eq!(own.code, 2, "{own:?}");
    wording!(own.stderr);

    let edit = ["edit", "3", "--role", "Responder", "--comment", "Triage. SEC-2"];
    let refused = world.keys(&edit);
    assert_eq!(refused.code, 2);
    wording!(refused.stderr);
    world.good(&[&edit[..], &["--yes"]].concat());
    let shown = world.good(&["show", "3"]);
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("20")).collect();
    insta::assert_snapshot!("shown", shown.join("\n"));

    assert_eq!(world.keys(&["delete", "2", "--yes"]).code, 2, "the key that signs");
    assert_eq!(world.keys(&["delete", "3", "99", "--yes"]).code, 1, "one that is not there");
    assert_eq!(world.keys(&["delete", "3"]).code, 2, "nobody can be asked");
    assert_eq!(world.listed(&[]), [1, 2, 3]);
    assert_eq!(world.good(&["delete", "3", "--yes"]), "deleted 1\n");
    assert_eq!(world.keys(&["show", "3"]).code, 1);
}

/// The form of definitions, with names of asset groups, for which the tenant has ids.
#[test]
fn a_scope_file_is_checked_as_a_definition_is() {
    let world = World::new();
    let file = |text: &str| fs::write(world.folder.path().join("scope.yaml"), text).unwrap();
    let generate = ["generate", "--role", "Viewer", "--security-level", "advanced"];
    let generate = |key: &str| {
        world.keys(&[&generate[..], &["--sink-file", key, "--scope-file", "scope.yaml"]].concat())
    };
    let scope_of = |id: &str| {
        let path = format!("/platform/iam/v1/scope/api-key/{id}");
        let ran = finish(&mut world.tenant.with_key("advanced", &["call", "GET", &path]));
        assert_eq!(ran.code, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["data"].clone()
    };
    let text = "assets: { mode: select, groups: [prod-eu] }  # the id is 16\n\
        casesAndIssues:\n  mode: select\n  domains: [Security]\n  unreferenced: true\n\
        endpoints: { mode: select, groups: [servers-eu] }\n";
    file(text);
    let made = generate("a.key");
    assert_eq!(
        (made.code, made.stdout.as_str()),
        (0, "wrote key 3 to the file a.key\n"),
        "{made:?}"
    );
    let scope = scope_of("3");
    assert_eq!(scope["assets"]["asset_groups"][0]["asset_group_id"], 16);
    assert_eq!(scope["cases_issues"]["tags"][0]["tag_name"], "Security");
    assert_eq!(scope["endpoints"]["endpoint_groups"]["mode"], "scope");
    assert_eq!(scope["endpoints"]["endpoint_tags"]["mode"], "any");

    // Copied from a definition, and as JSON.
    let indented = format!("scope:\n  {}\n", text.trim_end().replace('\n', "\n  "));
    file(&indented.replace("[Security]", "[IT]"));
    world.good(&["edit", "3", "--scope-file", "scope.yaml", "--yes"]);
    assert_eq!(scope_of("3")["cases_issues"]["tags"][0]["tag_name"], "IT");
    file(
        r#"{"assets":{"mode":"all"},"casesAndIssues":{"mode":"none"},"endpoints":{"mode":"all"}}"#,
    );
    world.good(&["edit", "3", "--scope-file", "scope.yaml", "--yes"]);
    let all = scope_of("3");
    assert_eq!(
        (&all["assets"]["mode"], &all["cases_issues"]["mode"]),
        (&"see_all".into(), &"no_scope".into())
    );

    let product = r#"{"assets":{"mode":"see_all"},"cases_issues":{"mode":"see_all"},"endpoints":{"endpoint_groups":{"mode":"see_all"},"endpoint_tags":{"mode":"see_all"}}}"#;
    let mut said = String::new();
    for change in [
        ("[prod-eu]", "[prod-us-nope]"),
        ("[prod-eu]", "[{ name: prod-eu, id: 17 }]"),
        ("unreferenced: true", "unreferenced: unknown"),
        ("[prod-eu]", "[]"),
        ("select, groups: [servers", "raw, groupsMode: any, tagsMode: any, groups: [servers"),
        ("[servers-eu]", "[servers-eu], groupsMode: see_all"),
        ("mode: select", "mode: scope"),
        ("casesAndIssues", "casesAndIssue"),
        ("casesAndIssues", "cases_issues"),
        ("endpoints", "spec"),
        (text, ""),
        (text, &format!(r#"{{"request_data":{product},"request_data":{product}}}"#)),
        (text, &format!(r#"{{"request_data":{product},"assets":{{}}}}"#)),
        (text, &product.replacen('{', r#"{"assets":{"mode":"no_scope"},"#, 1)),
        (text, &product.replace("\"endpoints\"", r#""casesAndIssues":{},"endpoints""#)),
    ] {
        file(&text.replacen(change.0, change.1, 1));
        let made = generate("b.key");
        let edited = world.keys(&["edit", "3", "--scope-file", "scope.yaml", "--yes"]);
        assert_eq!((made.code, edited.code), (2, 2), "{change:?}: {made:?} {edited:?}");
        // A usage error is reported before the tenant is named.
        said.extend([&format!("{}\n", change.1), &edited.stderr, "\n"]);
    }
    assert_eq!(world.listed(&[]), [1, 2, 3], "nothing was generated");
    assert_eq!(scope_of("3"), all, "nothing was edited");
    assert!(!world.folder.path().join("b.key").exists());
    insta::assert_snapshot!(said);
}

#[test]
fn a_scope_file_has_the_format_of_a_definition() {
    let world = World::new();
    let file = world.folder.path().join("scope.yaml");
    let scope = "assets: { mode: select, groups: [prod-eu] }\n\
                 casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\n\
                 endpoints: { mode: select, groups: [servers-eu] }\n";
    fs::write(&file, scope).unwrap();
    world.good(&["edit", "1", "--scope-file", "scope.yaml", "--yes"]);
    let shown = world.good(&["show", "1"]);
    assert!(shown.contains("prod-eu") && shown.contains("servers-eu"), "{shown}");
    // JSON is YAML, and an area that selects nothing needs no list of groups.
    let json = r#"{ "assets": { "mode": "none" }, "endpoints": { "mode": "all" },
        "casesAndIssues": { "mode": "all", "unreferenced": true } }"#;
    fs::write(world.folder.path().join("scope.json"), json).unwrap();
    world.good(&["edit", "1", "--scope-file", "scope.json", "--yes"]);

    for (wrong, expected) in [
        (scope.replace("prod-eu", "prod-moon"), "prod-moon"),
        (scope.replace("mode: select, groups: [prod-eu]", "mode: some"), "scope.yaml:1:"),
        (scope.replace("endpoints: {", "endpoint: {"), "scope.yaml:3:1"),
        (scope.replace("false", "unknown"), "unreferenced"),
        ("assets: {".to_owned(), "scope.yaml:"),
        (String::new(), "scope.yaml:"),
        (format!("{scope}---\n{scope}"), "scope.yaml:"),
    ] {
        fs::write(&file, &wrong).unwrap();
        let ran = world.keys(&["edit", "1", "--scope-file", "scope.yaml", "--yes"]);
        assert!(ran.code == 2 && ran.stderr.contains(expected), "{wrong}: {ran:?}");
    }
}

#[test]
fn an_old_key_is_deleted_after_its_grace() {
    let world = World::new();
    let id = world.generate("Viewer", &in_days(30), "Exports. SEC-1", "a.key").to_string();
    let before = fs::read_to_string(world.folder.path().join("a.key")).unwrap();
    let rotate = |grace: &str| {
        world.keys(&["rotate", &id, "--grace", grace, "--sink-file", "a.key", "--yes", "--json"])
    };
    let first = rotate("1h");
    assert_eq!(first.code, 0, "{first:?}");
    let value: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!((&value["id"], &value["retiring"][0]["id"]), (&4.into(), &3.into()));
    let after = fs::read_to_string(world.folder.path().join("a.key")).unwrap();
    assert_ne!(before, after);
    // No second rotation while the first is under way.
    let second = rotate("1h");
    wording!(second.stderr);
    assert_eq!(world.listed(&[]), [1, 2, 3, 4]);
    // A command that only deletes needs no sink.
    let last = world.keys(&["rotate", &id, "--grace", "0", "--yes"]);
    assert_eq!(last.code, 0, "{last:?}");
    assert_eq!(world.listed(&[]), [1, 2, 4]);
    let none = world.keys(&["rotate", "4", "--grace", "0", "--yes"]);
    assert_eq!(none.code, 2, "{none:?}");
    wording!(none.stderr);
    assert_eq!(rotate("0").code, 1, "there is no such key any more");
    assert_eq!(after, fs::read_to_string(world.folder.path().join("a.key")).unwrap());
}

#[test]
fn the_signing_key_is_rotated_and_deleted_with_the_new_one() {
    let world = World::new();
    let id = world.generate("Instance Administrator", &in_days(30), "Admin. SEC-1", "own.key");
    let rotate = |id: u64| {
        let id = id.to_string();
        let old = "3";
        let args = ["rotate", old, "--grace", "0", "--sink-file", "own.key", "--yes"];
        let signs = ["--key-id", &id, "--key-file", "own.key"];
        world.keys(&[&args[..], &signs].concat())
    };
    let first = rotate(id);
    assert_eq!(first.code, 4, "{first:?}");
    wording!(first.stdout);
    assert_eq!(world.listed(&[]), [1, 2, 3, 4]);
    let second = rotate(4);
    assert_eq!((second.code, world.listed(&[])), (0, vec![1, 2, 4]), "{second:?}");
}

#[test]
fn a_date_starts_or_ends_a_range_by_its_position() {
    let world = World::new();
    let id = world.generate("Viewer", &in_days(30), "Exports. SEC-1", "a.key");
    let other = world.generate("Responder", &in_days(3), "", "b.key");
    let out = world.good(&["list", "--id", &id.to_string(), "--format", "json"]);
    let value: Value = serde_json::from_str(&out).unwrap();
    let ms = value["keys"][0]["creation_time"].as_i64().unwrap();
    let time = jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
    let created = format!("created={}", &time[..10]);
    for args in
        [&["--from", &created][..], &["--until", &created], &["--thirty-days-after", &created]]
    {
        assert!(world.listed(args).contains(&id), "{args:?}");
    }
    for (args, ids) in [
        (&["--not", "role=Viewer", "--not", "id=1", "--not", "id=2"][..], &[other][..]),
        (&["--state", "expires-within-week", "--not", "role=Viewer"], &[other]),
        (&["--comment", "SEC-1"], &[id]),
        (&["--comment", "SEC-1", "--include-empty-values", "--not", "role=Viewer"], &[other]),
        (&["--created-by", "nobody@nowhere"], &[]),
        (&["--user", "nobody at all"], &[]),
    ] {
        let seeded = [1, 2];
        let listed = world.listed(args);
        let listed: Vec<_> = listed.into_iter().filter(|id| !seeded.contains(id)).collect();
        assert_eq!(listed, ids, "{args:?}");
    }
    for wrong in [&["--not", "colour=red"][..], &["--state", "dead"], &["--not", "role"]] {
        assert_eq!(world.keys(&[&["list"], wrong].concat()).code, 2, "{wrong:?}");
    }
}
