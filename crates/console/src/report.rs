//! Reports as one HTML file each: the pages' own parts, without scripts, with the styles inside.
//!
//! The file's Content-Security-Policy allows its one stylesheet, by digest, and nothing else: no
//! script, no picture, no address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cortexkey_client::time::time_text;
use cortexkey_core::auth::Level;
use cortexkey_fleet::{
    InventoryKey, KeyFacts, KeyFinding, KeyInventory, KeyState, RoleHolding, TenantReport,
    TenantSource, expiry_words,
};
use cortexkey_lint::WaivedBy;
use cortexkey_manifest::is_invisible;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::parts::findings::class;
use crate::parts::overview::{Medium, key_name, overview, scope_note};
use crate::records::thousands;

/// The pages' styles, and those that only a file needs. They contain no end tag.
const STYLE: &str =
    concat!(include_str!("../assets/console.css"), include_str!("../assets/report.css"));

/// Overview, keys and findings as one file.
pub fn report_html(report: &TenantReport) -> String {
    let figures = report.overview();
    let body = html! {
        (heading("API key report", report.now_ms))
        (sources(report))
        (faults(&report.faults))
        (overview(&figures, Medium::File, &scope_note(&report.keys)))
        (keys(&report.keys))
        (findings(report))
    };
    document("API key report", &body)
}

/// Each key with its lineage, its last audited action, and what it may do and see, as one file.
pub fn inventory_html(inventory: &KeyInventory) -> String {
    let body = html! {
        (heading("API key inventory", inventory.now_ms))
        section class="card" aria-labelledby="sources" {
            h2 id="sources" { "Sources" }
            div class="body" {
                dl class="facts" {
                    (tenant(&inventory.tenant))
                }
                h3 { "What the audit log cannot tell" }
                ul class="limits" { @for limit in inventory.limits() { li { (limit) } } }
            }
        }
        (faults(&inventory.faults))
        (inventory_keys(&inventory.keys))
        (roles(&inventory.keys))
    };
    document("API key inventory", &body)
}

fn document(title: &str, body: &Markup) -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body class="report" { main { (body) } }
        }
    };
    // Names and comments are untrusted: invisible characters, such as controls and direction marks,
    // are replaced.
    let page = page.into_string();
    page.chars().map(|c| if is_invisible(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn heading(title: &str, now_ms: u64) -> Markup {
    html! {
        header class="heading" {
            h1 { (title) }
            p class="muted" { "cortexkey " (env!("CARGO_PKG_VERSION")) ", " (time_text(now_ms)) }
        }
    }
}

fn sources(report: &TenantReport) -> Markup {
    html! {
        section class="card" aria-labelledby="sources" {
            h2 id="sources" { "Sources" }
            div class="body" {
                dl class="facts" {
                    @match &report.tenant {
                        Some(source) => (tenant(source)),
                        None => { dt { "Tenant" } dd { "none: this report is of definitions alone" } },
                    }
                    @match &report.corpus {
                        Some(corpus) => {
                            dt { "Definitions" } dd {
                                (thousands(corpus.definitions)) " in " (thousands(corpus.files))
                                " files"
                            }
                            dt { "Policy" } dd { (corpus.policy) }
                        },
                        None => {
                            dt { "Definitions" } dd { "none: this report is of the tenant alone" }
                        },
                    }
                }
            }
        }
    }
}

fn tenant(source: &TenantSource) -> Markup {
    html! {
        dt { "Tenant" } dd {
            @if let Some(name) = &source.name { (name) ", " }
            (source.host)
            @if let Some(child) = &source.child { ", child " (child) }
        }
    }
}

fn faults(faults: &[String]) -> Markup {
    html! {
        @if !faults.is_empty() {
            div class="note bad" {
                strong { "This is not complete." }
                @for fault in faults { @for line in fault.lines() { p { (line) } } }
            }
        }
    }
}

/// A table that scrolls in a narrow window, and has its full width on paper.
fn table(id: &str, title: &str, count: &str, headings: &[&str], rows: &Markup) -> Markup {
    html! {
        section class="card" aria-labelledby=(id) {
            h2 id=(id) { (title) " " span class="muted" { (count) } }
            div class="scroll" role="region" aria-label=(title) tabindex="0" {
                table class="plain" {
                    caption class="unseen" { (title) }
                    thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                    tbody { (rows) }
                }
            }
        }
    }
}

fn keys(keys: &[KeyFacts]) -> Markup {
    let headings = [
        "Key",
        "Owner",
        "State",
        "Level",
        "Roles",
        "Scope",
        "Creates keys",
        "Comment",
        "Created",
        "Expires",
        "Findings",
    ];
    let rows = html! {
        @for key in keys {
            tr {
                th scope="row" { (key_name(key, Medium::File)) }
                td { (key.owner.as_deref().unwrap_or("—")) }
                td { (key.state.title()) }
                td { (key.level.map_or("unknown", Level::as_str)) }
                td { (key.roles.join(", ")) }
                td { (key.scope.title()) }
                td { (answer(key.can_create_keys)) }
                td { (key.comment.as_deref().unwrap_or_default()) }
                td { (created(key)) }
                td class="time" { (expires(key)) }
                td { (codes(&key.findings)) }
            }
        }
    };
    let generated = keys.iter().filter(|key| key.state != KeyState::NotGenerated).count();
    table("keys", "Keys", &counts(generated, keys.len()), &headings, &rows)
}

/// The number of keys in a table, and of definitions without a key.
fn counts(generated: usize, all: usize) -> String {
    let keys = thousands(generated);
    match all - generated {
        0 => keys,
        1 => format!("{keys}, and 1 definition without a key"),
        without => format!("{keys}, and {} definitions without a key", thousands(without)),
    }
}

const fn answer(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

fn created(key: &KeyFacts) -> Markup {
    html! {
        @if let Some(ms) = key.created_ms { span class="time" { (time_text(ms)) } }
        @if let Some(by) = &key.created_by { " by " (by) }
    }
}

fn expires(key: &KeyFacts) -> Markup {
    html! { (expiry_words(key.expiry)) }
}

fn codes(findings: &[KeyFinding]) -> Markup {
    html! {
        @for found in findings {
            p class=(class(found.severity)) { (found.code) " " (found.name) }
        }
    }
}

fn findings(report: &TenantReport) -> Markup {
    let headings = ["Severity", "Rule", "Finding", "Key", "Place", "Suppressed by"];
    let rows = html! {
        @for found in &report.findings {
            tr {
                td { span class=(class(found.severity)) { (found.severity.as_str()) } }
                td { (found.code) " " (found.name) }
                td {
                    (found.message)
                    @if let Some(help) = &found.help { p class="hint" { (help) } }
                }
                td { (found.key.as_deref().unwrap_or("—")) }
                td { (found.file) ":" (found.line) }
                td { (found.waived_by.map_or("—", WaivedBy::as_str)) }
            }
        }
    };
    if report.corpus.is_none() {
        return html! {};
    }
    table("findings", "Findings", &thousands(report.findings.len()), &headings, &rows)
}

fn inventory_keys(keys: &[InventoryKey]) -> Markup {
    let headings = [
        "Key",
        "Owner",
        "State",
        "Roles",
        "Sees",
        "Would lose under SBAC",
        "Comment",
        "Created",
        "Created keys",
        "Last audited action",
        "Expires",
        "Findings",
    ];
    let rows = html! {
        @for key in keys {
            @let facts = &key.facts;
            tr {
                th scope="row" { (key_name(facts, Medium::File)) }
                td {
                    (facts.owner.as_deref().unwrap_or("—"))
                    @if let Some((file, line)) = &facts.place { p class="hint" { (file) ":" (line) } }
                }
                td { (facts.state.title()) }
                td {
                    (facts.roles.join(", "))
                    p class="hint" { (facts.level.map_or("unknown", Level::as_str)) }
                }
                td class="wide" { (sees(key)) }
                td class="wide" { (lost(key)) }
                td { (facts.comment.as_deref().unwrap_or_default()) }
                td {
                    (created(facts))
                    @if facts.created_by_key.is_some() { p class="hint" { "key " (key.creator_words()) } }
                }
                td { (ids(&key.created_keys)) }
                td { (last_action(key)) }
                td class="time" { (expires(facts)) }
                td { (codes(&facts.findings)) }
            }
        }
    };
    let generated = keys.iter().filter(|key| key.facts.id.is_some()).count();
    table("keys", "Keys", &counts(generated, keys.len()), &headings, &rows)
}

fn sees(key: &InventoryKey) -> Markup {
    html! {
        @match &key.areas {
            None => (key.facts.scope.title()),
            Some(areas) => { @for (area, words) in areas { p { (area) ": " (words) } } },
        }
    }
}

fn lost(key: &InventoryKey) -> Markup {
    html! {
        @match &key.losses {
            Some(losses) if !losses.is_empty() => { @for loss in losses { p { (loss) } } },
            _ => (key.loss_words()),
        }
    }
}

fn ids(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    if ids.is_empty() { "—".to_owned() } else { ids.join(", ") }
}

fn last_action(key: &InventoryKey) -> Markup {
    html! {
        @match (&key.last_action, key.actions) {
            (Some(action), count) => {
                (action.to_text())
                p class="hint" { (time_text(action.ms)) }
                @if let Some(count) = count { p class="hint" { (thousands(count)) " entries" } }
            },
            (None, Some(_)) => span class="muted" { "none in the range" },
            (None, None) if key.facts.id.is_none() => "—",
            (None, None) => span class="muted" { "not known" },
        }
    }
}

/// Each role once, with what it grants, since keys share roles.
fn roles(keys: &[InventoryKey]) -> Markup {
    let mut roles: Vec<&RoleHolding> = Vec::new();
    for role in keys.iter().flat_map(|key| &key.roles) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles.sort_by(|one, other| one.name.cmp(&other.name));
    let headings = ["Role", "Privileged", "Known from", "Holds", "Actions"];
    let rows = html! {
        @for role in &roles {
            tr {
                th scope="row" {
                    (role.name)
                    @if let Some(by) = &role.implied_by { p class="hint" { "implied by " (by) } }
                }
                td { @if role.is_privileged { "yes" } @else { "no" } }
                td { (role.origin) }
                td { (components(role)) }
                td { (actions(role)) }
            }
        }
    };
    table("roles", "Roles", &thousands(roles.len()), &headings, &rows)
}

fn components(role: &RoleHolding) -> String {
    if role.holds_all {
        return "everything".to_owned();
    }
    let components = role.components.iter().map(|(name, level)| format!("{name}: {level}"));
    let components: Vec<String> = components.collect();
    if components.is_empty() { "unknown".to_owned() } else { components.join("; ") }
}

fn actions(role: &RoleHolding) -> String {
    match (role.holds_all, role.actions.as_slice(), role.has_all_actions) {
        (true, ..) => "all".to_owned(),
        (_, [], true) => "none".to_owned(),
        (_, [], false) => "unknown".to_owned(),
        (_, actions, true) => actions.join(", "),
        (_, actions, false) => format!("{}; others unknown", actions.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::STYLE;

    #[test]
    fn styles_cannot_end_their_element_or_load_anything() {
        let style = STYLE.to_lowercase();
        for word in ["</", "url(", "@import", "expression"] {
            assert!(!style.contains(word), "{word}");
        }
    }
}
