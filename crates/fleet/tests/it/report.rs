//! The report: states, figures and formats.

use cortexkey_client::time::now_ms;
use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{ComparedDefinitions, KeyState, Scopes, State, TenantReport};
use cortexkey_manifest::lock::Retiring;
use serde_json::Value;

use crate::world::{World, locked};

fn state_of(report: &TenantReport, label: &str) -> KeyState {
    report.keys.iter().find(|key| key.label() == label).unwrap().state
}

#[test]
fn each_key_is_compared_with_its_definition_as_in_the_plan() {
    let world = World::new();
    world.define(&[
        ("same", "soc", "Viewer"),
        ("edited", "soc", "Viewer"),
        ("new", "platform", "Viewer"),
        ("gone", "platform", "Viewer"),
        ("never", "platform", "No Such Role"),
    ]);
    let same = world.generate("Viewer", "same", 60);
    let edited = world.generate("Responder", "edited", 60);
    let old = world.generate("Viewer", "same", 3);
    let unmanaged = world.generate("Viewer", "", 3);
    let never = world.generate("Viewer", "never", 60);
    let mut entry = locked(same);
    entry.retiring = vec![Retiring { id: KeyId::new(old).unwrap(), after_ms: u64::MAX / 2 }];
    world.lock(&[
        ("same", entry),
        ("edited", locked(edited)),
        ("gone", locked(999)),
        ("never", locked(never)),
    ]);
    let report = world.report(Some(&world.source()));
    assert_eq!(report.faults, Vec::<String>::new());
    for (label, state) in [
        (same.to_string(), KeyState::Managed(State::InPlace)),
        (edited.to_string(), KeyState::Managed(State::Pending)),
        (old.to_string(), KeyState::Managed(State::Replaced)),
        (unmanaged.to_string(), KeyState::Unmanaged),
        // An action that cannot be done is not in place.
        (never.to_string(), KeyState::Managed(State::Unclear)),
        ("new".to_owned(), KeyState::NotGenerated),
        ("gone".to_owned(), KeyState::NotGenerated),
    ] {
        assert_eq!(state_of(&report, &label), state, "{label}");
    }
    let overview = report.overview();
    // The two keys of the emulator have no definition either.
    let figure = |code: &str| {
        overview.figures().into_iter().find(|figure| figure.code == code).unwrap().count
    };
    assert_eq!(figure("keys"), 7);
    assert_eq!(figure("unmanaged"), 3);
    assert_eq!(figure("notApplied"), 1);
    assert_eq!(figure("unclear"), 1);
    assert_eq!(figure("notGenerated"), 2);
    assert_eq!(figure("expireIn7Days"), 2);
    assert_eq!(figure("createKeys"), 2);
    let plan = world.snapshot(Some(&world.source())).definitions.plan.clone().unwrap();
    let of_plan: Vec<u64> = plan.unmanaged.iter().map(|key| key.id).collect();
    let of_overview: Vec<u64> = overview.unmanaged.iter().filter_map(|key| key.id).collect();
    assert_eq!(of_plan, of_overview);
}

#[test]
fn a_key_whose_definition_has_a_gap_is_not_unmanaged() {
    let world = World::new();
    world.define(&[("a", "soc", "Viewer"), ("b", "soc", "Viewer")]);
    let path = world.folder.path().join("keys/b.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("  securityLevel: advanced\n", "")).unwrap();
    let [a, b] = ["a", "b"].map(|name| world.generate("Viewer", name, 60));
    world.lock(&[("a", locked(a)), ("b", locked(b))]);
    let report = world.report(Some(&world.source()));
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    assert_eq!(state_of(&report, &a.to_string()), KeyState::Managed(State::InPlace));
    assert_eq!(state_of(&report, &b.to_string()), KeyState::Managed(State::Unclear));
}

#[test]
fn all_forms_have_the_same_figures() {
    let world = World::new();
    world.define(&[("a", "soc", "Viewer"), ("b", "platform", "Viewer")]);
    world.lock(&[("a", locked(world.generate("Viewer", "a", 60)))]);
    let report = world.report(Some(&world.source()));
    let json = report.to_json();
    let csv = report.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for figure in report.overview().figures() {
        assert_eq!(json["overview"]["figures"][figure.code], figure.count, "{}", figure.code);
        let row = rows.iter().find(|row| &row[0] == "figure" && &row[1] == figure.title).unwrap();
        assert_eq!(row[3], figure.count.to_string(), "{}", figure.code);
    }
    let of_record = |record: &str| rows.iter().filter(|row| &row[0] == record).count();
    assert_eq!(of_record("key"), json["keys"].as_array().unwrap().len());
    assert_eq!(of_record("finding"), json["findings"].as_array().unwrap().len());
    assert!(of_record("finding") > 0);
    let total = |groups: &Value| -> u64 {
        groups.as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum()
    };
    for groups in ["owners", "securityLevels", "privilegedRoles", "scopes"] {
        assert_eq!(total(&json["overview"][groups]), 3, "{groups}");
    }
    let steps: usize = report.overview().timeline.steps().iter().map(|step| step.count).sum();
    assert_eq!(steps, 3);
}

#[test]
fn a_report_of_definitions_compares_nothing() {
    let world = World::new();
    world.define(&[("a", "soc", "Instance Administrator")]);
    let definitions =
        ComparedDefinitions::load(Some(&world.source()), None, &Scopes::default(), now_ms());
    let report = TenantReport::of_definitions(&definitions, now_ms());
    let json = report.to_json();
    assert_eq!(json["tenant"], Value::Null);
    assert_eq!(json["compared"], false);
    assert_eq!(json["keys"][0]["state"], "defined");
    assert_eq!(json["keys"][0]["createsKeys"], true);
    assert_eq!(json["keys"][0]["lifetimeMs"], 60 * crate::world::DAY_MS);
    assert_eq!(json["overview"]["figures"].get("unmanaged"), None);
    assert!(json["overview"]["figures"].get("breakPolicyRule").is_some());
    assert_eq!(json["overview"]["timeline"]["undated"], 1);
}

#[test]
fn a_tenant_without_definitions_has_no_unmanaged_keys() {
    let world = World::new();
    let report = world.report(None);
    assert!(report.keys.iter().all(|key| key.state == KeyState::NotCompared));
    let json = report.to_json();
    let figures = &json["overview"]["figures"];
    // No definition was compared with them, and no rule checked.
    assert_eq!((figures.get("unmanaged"), figures.get("breakPolicyRule")), (None, None));
    assert_eq!(figures["keys"], report.keys.len());
}

#[test]
fn a_policy_without_matching_definitions_compares_nothing() {
    let world = World::new();
    world.define(&[]);
    let report = world.report(Some(&world.source()));
    assert!(!report.is_compared);
    assert_eq!(report.faults.len(), 1);
    assert!(report.keys.iter().all(|key| key.state == KeyState::NotCompared));
}

#[test]
fn no_form_has_a_formula_or_a_secret() {
    let world = World::new();
    let secret = "Q3".repeat(64);
    for comment in ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", &format!("old key {secret}")] {
        world.generate("Viewer", comment, 3);
    }
    let report = world.report(None);
    let csv = report.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for row in reader.records() {
        for cell in &row.unwrap() {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
            assert!(!cell.contains(char::is_control), "{cell}");
        }
    }
    assert!(!csv.contains(&secret));
    assert!(!report.to_json().to_string().contains(&secret));
    let inventory = world.inventory(None, 0);
    assert!(!inventory.to_csv().contains(&secret));
    assert!(!inventory.to_json().to_string().contains(&secret));
}
