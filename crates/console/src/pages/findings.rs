//! Findings: what `cortexkey lint` reports for the definitions, and the page of each rule.

use axum::http::StatusCode;
use cortexkey_fleet::KeyFinding;
use cortexkey_lint::rules::{self, Rule, page::POLICIES};
use cortexkey_lint::{Custom, Policy, Severity};
use maud::{Markup, html};

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::findings::class;
use crate::parts::layout::{self, Frame, fault_box, notes};
use crate::parts::pager::Pager;
use crate::response::Response;
use crate::snapshot::{Freshness, Snapshot};

const PATH: &str = "/findings";
/// The kinds of findings that can be shown alone.
const KINDS: [(&str, &str); 4] =
    [("error", "Errors"), ("warning", "Warnings"), ("info", "Infos"), ("waived", "Suppressed")];

/// The findings.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let freshness = if request.query.has("fresh") { Freshness::Now } else { Freshness::Recent };
    let view = app.snapshot(freshness);
    let all = view.snapshot.definitions.findings();
    let kind = request.query.get("severity");
    let rule = request.query.get("rule");
    let is_known = kind.is_none_or(|kind| KINDS.iter().any(|(word, _)| *word == kind));
    let passing: Vec<&KeyFinding> = all
        .iter()
        .filter(|found| kind.is_none_or(|kind| is_kind(found, kind)))
        .filter(|found| rule.is_none_or(|rule| found.code == rule || found.name == rule))
        .collect();
    let pager = Pager::new(PATH, &request.query, passing.len());
    let frame = Frame {
        actions: html! { a class="button" href="/findings?fresh=1" { "Refresh" } },
        ..Frame::new("Findings", PATH)
    };
    let content = html! {
        (notes(&view))
        (messages(&view.snapshot))
        @if !is_known { (fault_box(Some("severity"), "No findings can be selected.", "there is no such severity")) }
        // Definitions are read together with the keys.
        @if view.snapshot.is_read() {
            ul class="figures card" {
                li { a href=(PATH) { span { "Findings" } strong { (count(&all, None)) } } }
                @for (word, title) in KINDS {
                    li { a href={ (PATH) "?severity=" (word) } {
                        span { (title) } strong { (count(&all, Some(word))) }
                    } }
                }
            }
            section class="card" aria-label="Findings" {
                div class="bar" {
                    output { @if is_known { (passing.len()) @if passing.len() == 1 { " finding" } @else { " findings" } } }
                    @if kind.is_some() || rule.is_some() { a class="button" href=(PATH) { "Show all" } }
                }
                @if !passing.is_empty() { (table(pager.page_of(&passing))) }
                (pager.links())
            }
        }
    };
    layout::page(app, request, &frame, &content)
}

fn is_kind(found: &KeyFinding, kind: &str) -> bool {
    match (found.waived_by, kind) {
        (waived, "waived") => waived.is_some(),
        (Some(_), _) => false,
        (None, kind) => found.severity.as_str() == kind,
    }
}

/// The number of findings of a kind; without a kind, of those that count.
fn count(all: &[KeyFinding], kind: Option<&str>) -> usize {
    let is_it = |found: &&KeyFinding| match kind {
        Some(kind) => is_kind(found, kind),
        None => found.waived_by.is_none(),
    };
    all.iter().filter(is_it).count()
}

/// The linter's other messages, such as what it skipped.
fn messages(snapshot: &Snapshot) -> Markup {
    let outcome = snapshot.definitions.outcome();
    let messages = outcome.map(|outcome| outcome.messages.as_slice()).unwrap_or_default();
    html! {
        @for message in messages { div class="note" { (message) } }
    }
}

fn table(found: &[&KeyFinding]) -> Markup {
    html! {
        div class="scroll" role="region" aria-label="Findings table" tabindex="0" {
            table class="plain" {
                caption class="unseen" { "Findings by file" }
                thead { tr {
                    th scope="col" { "Severity" } th scope="col" { "Rule" }
                    th scope="col" { "Finding" } th scope="col" { "Key" } th scope="col" { "Place" }
                } }
                tbody { @for found in found { (row(found)) } }
            }
        }
    }
}

fn row(found: &KeyFinding) -> Markup {
    let severity = if found.waived_by.is_some() { "" } else { class(found.severity) };
    html! {
        tr data-finding=(found.code) data-line=(found.line) {
            td {
                span class={ "tag " (severity) } { (found.severity.as_str()) }
                @if let Some(by) = found.waived_by { " " span class="hint" { "by " (by.as_str()) } }
            }
            th scope="row" {
                a href={ "/findings/rules/" (found.code) } { (found.code) " " (found.name) }
            }
            td {
                (found.message)
                @if let Some(help) = &found.help { p class="hint" { (help) } }
            }
            td { (found.key.as_deref().unwrap_or("—")) }
            td class="place" { code { (found.file) @if found.line > 0 { ":" (found.line) } } }
        }
    }
}

/// The page of a rule, either built in or from the policy in force.
pub(super) fn rule(app: &App, request: &PageRequest) -> Response {
    let view = app.snapshot(Freshness::Last);
    let policy = view.snapshot.definitions.policy();
    let found = rules::find(request.parameter());
    let own = policy.and_then(|policy| Some((policy, policy.custom(request.parameter())?)));
    let (title, content) = match (found, own) {
        (Some(rule), _) => (rule_title(rule), of_rule(rule)),
        (None, Some((policy, rule))) => (rule.id().to_string(), of_custom(policy, rule)),
        (None, None) => {
            let content = html! { p { a href=(PATH) { "All findings" } } };
            let frame = Frame::new("No such rule", PATH);
            return layout::page_with(StatusCode::NOT_FOUND, app, request, &frame, &content);
        }
    };
    let content = html! {
        (content)
        p { a href={ (PATH) "?rule=" (request.parameter()) } { "Findings of this rule" } }
    };
    let frame = Frame { trail: &[("Findings", PATH)], ..Frame::new(&title, PATH) };
    layout::page(app, request, &frame, &content)
}

fn rule_title(rule: &Rule) -> String {
    format!("{} {}", rule.code, rule.name)
}

/// As `cortexkey explain` prints it.
fn of_rule(rule: &Rule) -> Markup {
    let text = rule.text();
    // The first line is the title.
    let text = text.split_once('\n').map_or(text.as_str(), |(_, rest)| rest);
    html! {
        section class="card" aria-label="Rule" {
            div class="body" {
                ul class="tools" { @for (policy, level) in POLICIES.iter().zip(rule.levels()) {
                    li { span class={ "tag " (level_class(level)) } { (policy) ": " (level) } }
                } }
                pre class="page" tabindex="0" { (text) }
            }
        }
    }
}

fn level_class(level: &str) -> &'static str {
    match level {
        "error" => class(Severity::Error),
        "warning" => class(Severity::Warning),
        _ => "",
    }
}

fn of_custom(policy: &Policy, rule: &Custom) -> Markup {
    html! {
        section class="card" aria-label="Rule" {
            div class="body" {
                p { (rule.message()) }
                dl class="facts" { @for fact in policy.custom_facts(rule) {
                    dt { (fact.what) @if let Some(keys) = &fact.keys { " for " (keys) } }
                    dd {
                        code { (fact.value) }
                        @if let Some(at) = &fact.at { " " span class="hint" { (at) } }
                    }
                } }
            }
        }
    }
}
