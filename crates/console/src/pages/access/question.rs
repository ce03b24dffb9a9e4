//! A question about a key: the form, the answer, and the reasons. The core decides.

use cortexkey_core::access::{
    Answer, BUILT_IN_DOMAINS, Component, Endpoint, Permission, Product, Question, Reference,
};
use cortexkey_manifest::access::{KeyAccess, ScopeModel};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::SelectedKey;
use crate::page_request::{Fields, PageRequest};
use crate::parts::layout::fault_box;

/// The kinds of questions: the word in the address, and the rest of the sentence "may it".
const KINDS: [(&str, &str); 9] = [
    ("component", "hold a component"),
    ("action", "do an action"),
    ("asset", "see an asset"),
    ("finding", "see a finding about an asset"),
    ("issue", "see an issue"),
    ("case", "see a case"),
    ("endpoint", "see an endpoint"),
    ("manage", "manage an endpoint"),
    ("row", "see a row of a dataset"),
];

const LEVELS: [(&str, &str); 2] = [("view", "view"), ("edit", "edit")];

/// What an issue may reference.
const REFERENCES: [(&str, &str); 5] = [
    ("asset", "an asset"),
    ("endpoint", "an asset with an endpoint"),
    ("deleted", "a deleted asset"),
    ("unknown", "an unknown object"),
    ("nothing", "nothing"),
];

/// The form, and the answer if a question was asked.
pub(super) fn card(request: &PageRequest, selected: &SelectedKey, access: &KeyAccess) -> Markup {
    let fields = &request.query;
    html! {
        form class="form question" method="get"
            action={ "/keys/" (selected.row.record.key_id) "#ask" } {
            div class="fields" {
                (choice(fields, "ask", "May it", "", &KINDS))
                (text(fields, "name", "Name", "component action row", Some("names")))
                (choice(fields, "level", "Level", "component", &LEVELS))
                (text(fields, "domain", "Domain", "issue case", Some("domains")))
                (choice(fields, "reference", "It references", "issue case", &REFERENCES))
                (text(fields, "groups", "In these groups", "asset finding issue case endpoint manage", None))
                (text(fields, "tags", "With these endpoint tags", "issue case endpoint manage", None))
                (text(fields, "row", "With these fields", "row", None))
            }
            (suggestions(access))
            div class="submit" { button type="submit" { "Ask" } }
        }
        @if let Some(kind) = fields.get("ask") { (answer(access, kind, fields)) }
    }
}

/// A field with options. `kinds` are the questions that need it; empty for all.
fn choice(
    fields: &Fields,
    name: &str,
    label: &str,
    kinds: &str,
    options: &[(&str, &str)],
) -> Markup {
    let id = format!("ask-{name}");
    html! {
        div class="field" data-kinds=[Some(kinds).filter(|kinds| !kinds.is_empty())] {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (word, text) in options {
                    option value=(word) selected[fields.get(name) == Some(word)] { (text) }
                }
            }
        }
    }
}

/// A field for text, with the list that suggests values.
fn text(fields: &Fields, name: &str, label: &str, kinds: &str, list: Option<&str>) -> Markup {
    let id = format!("ask-{name}");
    let placeholder = match name {
        "groups" => Some("prod-eu, prod-us"),
        "row" => Some("vendor=acme, region=eu"),
        _ => None,
    };
    html! {
        div class="field" data-kinds=(kinds) {
            label for=(id) { (label) }
            input id=(id) name=(name) value=[fields.get(name)] list=[list] placeholder=[placeholder]
                autocomplete="off" spellcheck="false";
        }
    }
}

fn suggestions(access: &KeyAccess) -> Markup {
    let product = access.tenant.product.unwrap_or(Product::Xsiam);
    html! {
        datalist id="names" { @for component in Component::for_product(product) { option value=(component.name); } }
        datalist id="domains" { @for domain in BUILT_IN_DOMAINS { option value=(domain); } }
    }
}

/// Values separated by commas.
fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

fn answer(access: &KeyAccess, kind: &str, fields: &Fields) -> Markup {
    let of = |name: &str| fields.get(name).unwrap_or_default().trim();
    let name = of("name");
    let domain = of("domain");
    for (field, options) in [("level", LEVELS.as_slice()), ("reference", REFERENCES.as_slice())] {
        let given = fields.get(field);
        if given.is_some_and(|given| options.iter().all(|(word, _)| *word != given)) {
            return wrong(&format!("`{field}` is not one of its options."));
        }
    }
    let groups = list(of("groups"));
    let tags = list(of("tags"));
    let endpoint = Endpoint { groups: &groups, tags: &tags };
    let asset = |endpoint| Reference::Asset { groups: &groups, endpoint };
    let references: Vec<Reference<'_>> = match of("reference") {
        "endpoint" => vec![asset(Some(endpoint))],
        "deleted" => vec![Reference::Deleted],
        "unknown" => vec![Reference::Unknown],
        "nothing" => vec![],
        _ => vec![asset(None)],
    };
    let row: Option<Vec<(&str, &str)>> =
        list(of("row")).into_iter().map(|field| field.split_once('=')).collect();
    let issues = [(domain, references.as_slice())];
    let question = match (kind, row.as_deref()) {
        ("component" | "action" | "row", _) if name.is_empty() => return wrong("Enter a name."),
        ("issue" | "case", _) if domain.is_empty() => return wrong("Enter a domain."),
        ("row", None) => return wrong("Write each field as name=value."),
        ("component", _) => {
            let permission =
                if of("level") == "edit" { Permission::Edit } else { Permission::View };
            Question::Component { name, permission }
        }
        ("action", _) => Question::Action { name },
        ("asset", _) => Question::Asset { groups: &groups },
        ("finding", _) => Question::Finding { asset_groups: &groups },
        ("issue", _) => Question::Issue { domain, references: &references },
        ("case", _) => Question::Case { domain, issues: &issues },
        ("endpoint", _) => Question::Endpoint(endpoint),
        ("manage", _) => Question::ManageEndpoint(endpoint),
        ("row", Some(row)) => Question::DatasetRow { dataset: name, row },
        _ => return wrong("There is no such question."),
    };
    decided(access, &question)
}

fn wrong(why: &str) -> Markup {
    fault_box(Some("question"), "The question cannot be answered.", why)
}

fn decided<'a>(access: &'a KeyAccess, question: &Question<'a>) -> Markup {
    let (answer, decision) = access.decide(question);
    let (class, word) = match answer {
        Answer::Allowed => ("ok", "Allowed"),
        Answer::Refused => ("bad", "Refused"),
        Answer::Unknown => ("warn", "Unknown"),
    };
    let written = json!(decision);
    let list = |name: &str| written[name].as_array().cloned().unwrap_or_default();
    html! {
        p { span class={ "tag " (class) } { (word) }
            @if let Some(decision) = decision.as_ref().filter(|decision| decision.scopes_are_off()) {
                " Scopes are not enforced. If they were: " (decision.if_enforced()) "."
            }
        }
        @match (&decision, access.tenant.scopes) {
            (Some(_), _) => (steps(&list("steps"))),
            (None, ScopeModel::NoScopes) => p { "The product has no scopes: its roles alone decide." },
            (None, _) => p { "The product's older scopes are not evaluated." },
        }
        @for change in list("changes") {
            p { "It would be allowed with: " (message(&change)) }
        }
    }
}

fn steps(steps: &[Value]) -> Markup {
    html! {
        table class="plain" data-steps {
            caption class="unseen" { "How the answer came about" }
            thead { tr { th scope="col" { "Asked" } th scope="col" { "Answer" } } }
            tbody { @for step in steps {
                tr { th scope="row" { (step["subject"].as_str().unwrap_or_default()) }
                    td { (message(step)) } }
            } }
        }
    }
}

fn message(value: &Value) -> &str {
    value["message"].as_str().unwrap_or_default()
}
