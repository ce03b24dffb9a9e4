//! A key's history: its entries in the audit log, its creator, and the keys that it created.

use cortexkey_api::audit::AuditRecord;
use cortexkey_client::{AuditLog, creator_key};
use cortexkey_system::chain;
use maud::{Markup, html};

use super::find::SelectedKey;
use crate::app::App;
use crate::error::BoxError;
use crate::parts::layout::fault;
use crate::records::time;

/// The log's last entries, as many as one call returns.
const ENTRIES: usize = 100;

/// The card of a key's page.
pub(super) fn card(app: &App, selected: &SelectedKey) -> Markup {
    html! {
        section class="card" aria-labelledby="history" {
            h2 id="history" { "History" }
            div class="body" {
                (lineage(selected))
                @match log_of(app) {
                    Ok(log) => (entries(selected, &log)),
                    Err(error) => (fault("The audit log could not be read.", &chain(error.as_ref()))),
                }
            }
        }
    }
}

fn log_of(app: &App) -> Result<AuditLog, BoxError> {
    Ok(app.options.client.audit_log(0, app.now_ms(), ENTRIES)?)
}

fn lineage(selected: &SelectedKey) -> Markup {
    let id = selected.row.key.id;
    let rows = &selected.view.snapshot.rows;
    let made: Vec<u64> =
        rows.iter().filter(|row| creator_key(&row.key) == Some(id)).map(|row| row.key.id).collect();
    html! {
        dl class="facts" {
            dt { "Created by" } dd {
                @match creator_key(&selected.row.key) {
                    Some(id) => a href={ "/keys/" (id) } { "key " (id) },
                    None => { (selected.row.record.user_name) }
                }
            }
            dt { "Created keys" } dd {
                @if made.is_empty() { "none that exists" }
                @for (at, id) in made.iter().take(20).enumerate() {
                    @if at > 0 { ", " }
                    a href={ "/keys/" (id) } { (id) }
                }
                @if made.len() > 20 { " and " (made.len() - 20) " more" }
            }
        }
    }
}

fn entries(selected: &SelectedKey, log: &AuditLog) -> Markup {
    let id = selected.row.key.id;
    let by_key = log.by_key();
    let last = by_key.get(&id).and_then(|entries| entries.first());
    let of_key: Vec<&AuditRecord> = log.of_key(id).collect();
    html! {
        p {
            "Last audited use: "
            @match last { Some(entry) => (time(entry.audit_insert_time)), None => "none among the last entries" }
        }
        p class="hint" {
            "The log has what changes something. A key that only reads leaves no entry, so none does not \
             mean unused. Looked at: the last " (log.entries.len()) " entries."
        }
        @if !of_key.is_empty() {
            table class="plain" {
                caption class="unseen" { "Entries of the audit log" }
                thead { tr { th scope="col" { "Time" } th scope="col" { "By" } th scope="col" { "What" }
                    th scope="col" { "Result" } } }
                tbody { @for entry in of_key {
                    tr {
                        td { (time(entry.audit_insert_time)) }
                        td { (entry.audit_owner_name.as_deref().unwrap_or_default()) }
                        td { (entry.audit_description.as_deref().unwrap_or_default()) }
                        td { (entry.audit_result.as_deref().unwrap_or_default()) }
                    }
                } }
            }
        }
    }
}
