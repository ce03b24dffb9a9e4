//! Notifications: which expiry notices are due, which were sent, and where the tenant forwards
//! them.

use cortexkey_client::Method;
use cortexkey_core::lifecycle::ExpiryNotice;
use cortexkey_system::chain;
use maud::{Markup, html};
use serde_json::Value;

use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::layout::{self, Frame, fault, notes};
use crate::parts::pager::Pager;
use crate::records::{left, time};
use crate::response::Response;
use crate::snapshot::{Freshness, Row, Snapshot};

const PATH: &str = "/notifications";

/// The notices of a tenant.
pub(super) fn show(app: &App, request: &PageRequest) -> Response {
    let freshness = if request.query.has("fresh") { Freshness::Now } else { Freshness::Recent };
    let view = app.snapshot(freshness);
    let notices = notices(&view.snapshot, app.now_ms());
    let pager = Pager::new(PATH, &request.query, notices.len());
    let frame = Frame {
        actions: html! { a class="button" href="/notifications?fresh=1" { "Refresh" } },
        ..Frame::new("Notifications", PATH)
    };
    let content = html! {
        (notes(&view))
        @if view.snapshot.is_read() {
            section class="card" aria-labelledby="due" {
                h2 id="due" { "API Key Expiration" }
                (due(app, &view.snapshot, pager.page_of(&notices)))
                (pager.links())
            }
        }
        @if let Some(controls) = app.options.emulator() {
            section class="card" aria-labelledby="given" {
                h2 id="given" { "Issued by the emulator" }
                (given(&controls.notifications(), controls.has_webhook()))
            }
        }
        section class="card" aria-labelledby="rules" {
            h2 id="rules" { "Forwarding rules" }
            (rules(app))
        }
    };
    layout::page(app, request, &frame, &content)
}

/// A notice of a key that has not expired.
struct KeyNotice<'s> {
    row: &'s Row,
    words: &'static str,
    ms: u64,
    is_due: bool,
}

/// The notices of all keys, the earliest first.
fn notices(snapshot: &Snapshot, now_ms: u64) -> Vec<KeyNotice<'_>> {
    let kinds = [
        (ExpiryNotice::OneWeekBefore, "one week before"),
        (ExpiryNotice::OneDayBefore, "one day before"),
    ];
    let alive = snapshot.rows.iter().filter(|row| !row.record.expiry.is_expired(now_ms));
    let for_row = |row| {
        kinds.into_iter().filter_map(move |(notice, words)| {
            let row: &Row = row;
            let ms = row.record.expiry.notice_due_ms(notice)?;
            // A notice that was due before the key was generated is never sent.
            (ms >= row.record.created_ms).then_some(KeyNotice {
                row,
                words,
                ms,
                is_due: ms <= now_ms,
            })
        })
    };
    let mut notices: Vec<KeyNotice<'_>> = alive.flat_map(for_row).collect();
    notices.sort_by_key(|due| (due.ms, due.row.record.key_id));
    notices
}

fn due(app: &App, snapshot: &Snapshot, notices: &[KeyNotice<'_>]) -> Markup {
    html! {
        @if notices.is_empty() {
            div class="body" { p {
                @if snapshot.unseen > 0 { "None of the keys that could be read expires." }
                @else { span data-none { "No key expires, so there is nothing to notify of." } }
            } }
        } @else {
            div class="scroll" role="region" aria-label="Notices table" tabindex="0" {
                table class="plain" {
                    caption class="unseen" { "Notices of expiry, the earliest first." }
                    thead { tr {
                        th scope="col" { "Key" } th scope="col" { "Comment" }
                        th scope="col" { "Notice" } th scope="col" { "Due" }
                        th scope="col" { "Expires in" }
                    } }
                    tbody { @for due in notices { (notice(app, due)) } }
                }
            }
        }
        div class="body" {
            p class="hint" {
                "The product notifies one week and one day before a key expires. A key that never \
                 expires gets no notice."
            }
        }
    }
}

fn notice(app: &App, due: &KeyNotice<'_>) -> Markup {
    let record = &due.row.record;
    html! {
        tr data-notice=(record.key_id) {
            th scope="row" { a href={ "/keys/" (record.key_id) } { (record.key_id) } }
            td { (record.comment.as_deref().unwrap_or("—")) }
            td { (due.words) }
            td {
                @if due.is_due { span class="tag warn" { "due" } " since " (time(due.ms)) }
                @else { (time(due.ms)) }
            }
            td { (left(record.expiry, app.now_ms())) }
        }
    }
}

fn given(given: &[cortexkey_tenant::Notification], has_webhook: bool) -> Markup {
    html! {
        @if given.is_empty() {
            div class="body" { p { "None yet." } }
        } @else {
            div class="scroll" role="region" aria-label="Given notices table" tabindex="0" {
                table class="plain" {
                    caption class="unseen" { "Notices that the emulator gave, the newest first." }
                    thead { tr {
                        th scope="col" { "Time" } th scope="col" { "Message" }
                        th scope="col" { "Expires" } th scope="col" { "Webhook" }
                    } }
                    tbody { @for notification in given.iter().rev().take(100) {
                        tr data-given=(notification.id) {
                            td class="time" { (time(notification.time_ms)) }
                            td { (notification.message) }
                            td class="time" { (time(notification.expiration_ms)) }
                            td { (delivery(notification.webhook_error.as_deref(), has_webhook)) }
                        }
                    } }
                }
            }
        }
    }
}

fn delivery(error: Option<&str>, has_webhook: bool) -> Markup {
    html! {
        @match (error, has_webhook) {
            (Some(why), _) => span class="bad" { "not taken: " (why) },
            (None, true) => "sent",
            (None, false) => span class="muted" { "none" },
        }
    }
}

/// The tenant's own rules for forwarding.
fn rules(app: &App) -> Markup {
    let client = &app.options.client;
    let answer = client.call(Method::Get, "/platform/notifications/v1/list-rules", None);
    let answer = answer.and_then(|answer| answer.json::<Value>());
    let rules = match answer {
        Ok(answer) => answer["data"].as_array().cloned(),
        Err(error) => {
            let why = chain(&error);
            return html! { div class="body" { (fault("The rules could not be read.", &why)) } };
        }
    };
    html! {
        @match rules.as_deref() {
            None => div class="body" {
                (fault("The rules could not be read.", "the answer has no list of rules"))
            },
            Some([]) => div class="body" {
                p { "None: notices stay in the product's Notification Center." }
            },
            Some(rules) => div class="scroll" role="region" aria-label="Rules table" tabindex="0" {
                table class="plain" {
                    caption class="unseen" { "Forwarding rules of the tenant" }
                    thead { tr {
                        th scope="col" { "Rule" } th scope="col" { "Forwards" }
                        th scope="col" { "To" } th scope="col" { "State" }
                    } }
                    tbody { @for rule in rules.iter().take(1000) {
                        tr {
                            th scope="row" { (text(&rule["name"])) }
                            td { (text(&rule["forward_type"])) }
                            td { (places(&rule["forward_source"])) }
                            td { (state(&rule["enabled"])) }
                        }
                    } }
                }
            },
        }
    }
}

/// The destinations of a rule, in words.
fn places(source: &Value) -> String {
    let list = |value: &Value| {
        let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut places = Vec::new();
    if source["email"].is_object() {
        places.push(format!("e-mail {}", list(&source["email"]["distribution_list"])));
    }
    if source["slack"].is_object() {
        places.push(format!("Slack {}", list(&source["slack"]["channels"])));
    }
    if source["syslog"].is_object() {
        places.push(format!("syslog server {}", source["syslog"]["id"]));
    }
    if places.is_empty() { "nowhere".to_owned() } else { places.join("; ") }
}

const fn state(enabled: &Value) -> &'static str {
    match enabled {
        Value::Bool(true) => "enabled",
        Value::Bool(false) => "disabled",
        _ => "unknown",
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("—")
}
