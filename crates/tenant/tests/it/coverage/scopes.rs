//! Scopes: every one of a grid, compared with the core, and a table of some.

#![allow(unreachable_pub, reason = "a module of a test crate")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cortexkey_core::access::{
    AccessKey, Answer, Area, Axis, CasesAndIssues, Endpoint, EndpointScope, Question, Reference,
    Sbac, Scope, TagMode, TenantSettings, decide,
};
use cortexkey_core::auth::{Level, Signer};
use serde_json::{Value, json};

use super::open_scope;
use crate::common::{Fixture, start};

/// None, all, or the named objects.
#[derive(Clone)]
enum Selection {
    None,
    All,
    Of(Vec<&'static str>),
}

use Selection::{All, Of};

/// A scope in the form of the PUT and in the core's form.
#[derive(Clone)]
struct ScopeCase {
    assets: Selection,
    cases: Selection,
    unreferenced: bool,
    groups: (&'static str, Vec<&'static str>),
    tags: (&'static str, Vec<&'static str>),
}

const GROUP_IDS: [(&str, u64); 3] = [("prod-eu", 16), ("prod-us", 17), ("dev", 18)];

impl ScopeCase {
    fn json(&self) -> Value {
        let mode = |area: &Selection| match area {
            Selection::None => "no_scope",
            All => "see_all",
            Of(_) => "scope",
        };
        let names = |area: &Selection| match area {
            Of(names) => names.clone(),
            _ => Vec::new(),
        };
        let id = |name: &str| GROUP_IDS.iter().find(|(known, _)| *known == name).unwrap().1;
        let ids: Vec<_> = names(&self.assets).into_iter().map(id).collect();
        let axis = |(mode, names): &(&str, Vec<&str>)| json!({ "mode": mode, "names": names });
        json!({
            "assets": { "mode": mode(&self.assets), "asset_group_ids": ids },
            "cases_issues": {
                "mode": mode(&self.cases),
                "names": names(&self.cases),
                "include_cases_issues_empty_entities": self.unreferenced,
            },
            "endpoints": { "endpoint_groups": axis(&self.groups), "endpoint_tags": axis(&self.tags) },
        })
    }

    fn core(&self) -> Scope<&str> {
        fn area(area: &Selection) -> Area<&str> {
            match area {
                Selection::None => Area::None,
                All => Area::All,
                Of(names) => Area::select(names),
            }
        }
        fn axis<'a>((mode, names): &'a (&'static str, Vec<&'static str>)) -> Axis<&'a str> {
            match *mode {
                "no_scope" => Axis::NoScope,
                "see_all" => Axis::SeeAll,
                "any" => Axis::Any,
                _ => Axis::scope(names),
            }
        }
        Scope {
            assets: area(&self.assets),
            cases_and_issues: CasesAndIssues {
                area: area(&self.cases),
                unreferenced: self.unreferenced.into(),
            },
            endpoints: EndpointScope { groups: axis(&self.groups), tags: axis(&self.tags) },
            datasets: None,
        }
    }
}

/// The index of an asset, or whether it is deleted.
type AssetPlace = Result<usize, bool>;

/// The objects of a tenant, as its responses show them to an unrestricted key.
struct World {
    assets: Vec<(String, Vec<String>, Option<usize>)>,
    endpoints: Vec<(String, Vec<String>, Vec<String>)>,
    /// Id, domain, and the indices of existing assets; for others, whether they are deleted.
    issues: Vec<(String, String, Vec<AssetPlace>)>,
    cases: Vec<(String, String, Vec<usize>)>,
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

impl World {
    fn of(f: &Fixture) -> Self {
        let admin = f.advanced();
        let get = |path: &str, place: &str| {
            let answer = f.call(&admin, path, &json!({})).json();
            answer.pointer(place).unwrap().as_array().unwrap().clone()
        };
        let endpoints: Vec<_> = get("/public_api/v1/endpoints/get_endpoint", "/reply/endpoints")
            .iter()
            .map(|e| {
                let id = e["endpoint_id"].as_str().unwrap().to_owned();
                (id, texts(&e["group_name"]), texts(&e["tags"]["server_tags"]))
            })
            .collect();
        let assets: Vec<_> = get("/public_api/v1/assets", "/reply/data")
            .iter()
            .map(|a| {
                let agent = a["xdm.asset.agent_id"].as_str();
                let agent = agent.map(|id| endpoints.iter().position(|e| e.0 == id).unwrap());
                let id = a["xdm.asset.id"].as_str().unwrap().to_owned();
                (id, texts(&a["xdm.asset.tags"]), agent)
            })
            .collect();
        let asset = |id: &Value| assets.iter().position(|a| a.0 == id.as_str().unwrap()).unwrap();
        let issues: Vec<_> = get("/public_api/v1/issue/search", "/reply/DATA")
            .iter()
            .map(|i| {
                let mut about: Vec<_> =
                    i["asset_ids"].as_array().unwrap().iter().map(|id| Ok(asset(id))).collect();
                // Other referenced objects are deleted or were never known.
                for name in texts(&i["asset_names"]).into_iter().skip(about.len()) {
                    about.push(Err(name == "asset-0"));
                }
                (i["id"].to_string(), i["domain"].as_str().unwrap().to_owned(), about)
            })
            .collect();
        let cases = get("/public_api/v1/case/search", "/reply/DATA")
            .iter()
            .map(|c| {
                let ids = c["issue_ids"].as_array().unwrap().iter();
                let place = |id: &Value| {
                    let id = id.to_string();
                    issues.iter().position(|issue| issue.0 == id).unwrap()
                };
                let domain = c["case_domain"].as_str().unwrap().to_owned();
                (c["case_id"].to_string(), domain, ids.map(place).collect())
            })
            .collect();
        Self { assets, endpoints, issues, cases }
    }

    /// What a key sees, according to the core.
    fn seen(&self, scope: Scope<&str>, tenant: TenantSettings) -> BTreeSet<String> {
        fn strs(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        let endpoint_names: Vec<_> =
            self.endpoints.iter().map(|(_, groups, tags)| (strs(groups), strs(tags))).collect();
        let endpoints: Vec<_> =
            endpoint_names.iter().map(|(groups, tags)| Endpoint { groups, tags }).collect();
        let groups: Vec<_> = self.assets.iter().map(|(_, groups, _)| strs(groups)).collect();
        let references: Vec<Vec<_>> = self
            .issues
            .iter()
            .map(|(_, _, about)| {
                let reference = |about: &AssetPlace| match about {
                    Ok(at) => Reference::Asset {
                        groups: &groups[*at],
                        endpoint: self.assets[*at].2.map(|at| endpoints[at]),
                    },
                    Err(true) => Reference::Deleted,
                    Err(false) => Reference::Unknown,
                };
                about.iter().map(reference).collect()
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut ask = |name: String, question: Question<'_>| {
            let key = AccessKey { roles: &[], scope: Some(&scope) };
            if decide(&key, &tenant, &question).answer() == Answer::Allowed {
                seen.insert(name);
            }
        };
        for (at, (id, _, _)) in self.assets.iter().enumerate() {
            ask(id.clone(), Question::Asset { groups: &groups[at] });
        }
        for (at, (id, _, _)) in self.endpoints.iter().enumerate() {
            ask(id.clone(), Question::Endpoint(endpoints[at]));
        }
        for (at, (id, domain, _)) in self.issues.iter().enumerate() {
            ask(format!("issue {id}"), Question::Issue { domain, references: &references[at] });
        }
        for (id, domain, issues) in &self.cases {
            let parts: Vec<_> = issues
                .iter()
                .map(|at| (self.issues[*at].1.as_str(), references[*at].as_slice()))
                .collect();
            ask(format!("case {id}"), Question::Case { domain, issues: &parts });
        }
        seen
    }
}

/// What a key sees, according to the tenant's responses.
fn answered(f: &Fixture, signer: &Signer) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for (path, place, id, prefix) in [
        ("/public_api/v1/assets", "/reply/data", "xdm.asset.id", ""),
        ("/public_api/v1/endpoints/get_endpoint", "/reply/endpoints", "endpoint_id", ""),
        ("/public_api/v1/issue/search", "/reply/DATA", "id", "issue "),
        ("/public_api/v1/case/search", "/reply/DATA", "case_id", "case "),
    ] {
        let answer = f.call(signer, path, &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        for thing in answer.json().pointer(place).unwrap().as_array().unwrap() {
            let name = thing[id].as_str().map_or_else(|| thing[id].to_string(), str::to_owned);
            seen.insert(format!("{prefix}{name}"));
        }
    }
    seen
}

/// Every scope of a grid.
fn grid() -> Vec<ScopeCase> {
    let assets = [Selection::None, All, Of(vec!["prod-eu"]), Of(vec!["prod-us", "dev"])];
    let cases = [
        (Selection::None, false),
        (All, false),
        (All, true),
        (Of(vec!["Security"]), false),
        (Of(vec!["Posture", "IT"]), true),
    ];
    let axes = [
        (("no_scope", vec![]), ("no_scope", vec![])),
        (("see_all", vec![]), ("see_all", vec![])),
        (("scope", vec!["servers-eu"]), ("any", vec![])),
        (("any", vec![]), ("scope", vec!["vip"])),
        (("scope", vec!["laptops"]), ("scope", vec!["kiosk"])),
    ];
    let mut grid = Vec::new();
    for assets in &assets {
        for (cases, unreferenced) in &cases {
            for (groups, tags) in &axes {
                grid.push(ScopeCase {
                    assets: assets.clone(),
                    cases: cases.clone(),
                    unreferenced: *unreferenced,
                    groups: groups.clone(),
                    tags: tags.clone(),
                });
            }
        }
    }
    grid
}

/// Compares every scope of the grid with the core; returns the number of scopes.
pub fn check(sbac: Sbac, tags: TagMode) -> usize {
    let f = start(|options| {
        options.enforce_scopes = sbac == Sbac::Enforced;
        options.tag_mode = tags;
    });
    let path = "/platform/iam/v1/scope/api-key/2";
    let body = json!({ "request_data": open_scope() });
    assert_eq!(f.put(&f.sign(&f.standard()), path, &body).status, 200);
    let world = World::of(&f);
    let roles = json!({ "roles": ["Privileged Responder"], "security_level": "standard" });
    let key = f.generate(&roles, Level::Standard);
    let tenant = TenantSettings { sbac, tags, datasets: false };
    // A key without a scope.
    assert_eq!(answered(&f, &key), world.seen(Scope::NONE, tenant));
    let grid = grid();
    for asked in &grid {
        let body = json!({ "request_data": asked.json() });
        let answer = f.put(&f.sign(&f.standard()), "/platform/iam/v1/scope/api-key/3", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answered(&f, &key), world.seen(asked.core(), tenant), "{body}");
    }
    grid.len()
}

/// A few scopes, in words, and what a key sees with each.
pub fn table() -> String {
    let f = start(|options| options.enforce_scopes = true);
    let path = "/platform/iam/v1/scope/api-key/2";
    f.put(&f.sign(&f.standard()), path, &json!({ "request_data": open_scope() }));
    let world = World::of(&f);
    let none = || ("no_scope", vec![]);
    let all = || ("see_all", vec![]);
    let asked = |assets, cases, unreferenced, groups, tags| ScopeCase {
        assets,
        cases,
        unreferenced,
        groups,
        tags,
    };
    let rows = [
        ("nothing", asked(Selection::None, Selection::None, false, none(), none())),
        ("everything", asked(All, All, true, all(), all())),
        ("everything, without the switch", asked(All, All, false, all(), all())),
        (
            "group prod-eu, all cases and issues, no endpoints",
            asked(Of(vec!["prod-eu"]), All, false, none(), none()),
        ),
        (
            "group prod-eu, domain Security, no endpoints",
            asked(Of(vec!["prod-eu"]), Of(vec!["Security"]), false, none(), none()),
        ),
        (
            "no assets, domain Security, all endpoints",
            asked(Selection::None, Of(vec!["Security"]), false, all(), all()),
        ),
        (
            "no assets, domain Security, endpoint tag vip",
            asked(
                Selection::None,
                Of(vec!["Security"]),
                false,
                ("any", vec![]),
                ("scope", vec!["vip"]),
            ),
        ),
        ("all assets, no cases", asked(All, Selection::None, false, none(), none())),
        ("only the switch", asked(Selection::None, All, true, none(), none())),
    ];
    let mut table =
        String::from("| scope | assets | endpoints | issues | cases |\n|---|---|---|---|---|\n");
    for (words, asked) in rows {
        let seen = world.seen(asked.core(), TenantSettings::enforcing());
        let part = |prefix: &str| {
            let names: Vec<_> = seen.iter().filter_map(|name| name.strip_prefix(prefix)).collect();
            if names.is_empty() { "–".to_owned() } else { names.join(", ") }
        };
        writeln!(
            table,
            "| {words} | {} | {} | {} | {} |",
            part("asset-"),
            part("agent-"),
            part("issue "),
            part("case ")
        )
        .unwrap();
    }
    table
}
