//! A key's history: its entries in the audit log, its creator, and the keys that it created.

use cortexkey_api::audit::{AuditRecord, ListReply, ListRequest};
use cortexkey_client::maker;
use maud::{Markup, html};

use super::find::Found;
use crate::app::App;
use crate::parts::layout::fault;
use crate::records::time;

/// The log's last entries, as many as one call returns.
const ENTRIES: u64 = 100;

/// The card of a key's page.
pub(super) fn card(app: &App, found: &Found) -> Markup {
    html! {
        section class="card" aria-labelledby="history" {
            h2 id="history" { "History" }
            div class="body" {
                (lineage(found))
                @match entries(app) {
                    Ok(entries) => (log(found, &entries)),
                    Err(why) => (fault("The audit log could not be read.", &why)),
                }
            }
        }
    }
}

fn entries(app: &App) -> Result<Vec<AuditRecord>, String> {
    let request =
        ListRequest { search_from: Some(0), search_to: Some(ENTRIES), ..ListRequest::default() };
    let reply =
        app.options.client.query::<_, ListReply>("/public_api/v1/audits/management_logs", &request);
    reply.map(|reply| reply.data).map_err(|error| error.to_string())
}

fn lineage(found: &Found) -> Markup {
    let id = found.row.key.id;
    let rows = &found.view.snapshot.rows;
    let made: Vec<u64> =
        rows.iter().filter(|row| maker(&row.key) == Some(id)).map(|row| row.key.id).collect();
    html! {
        dl class="facts" {
            dt { "Created by" } dd {
                @match maker(&found.row.key) {
                    Some(id) => a href={ "/keys/" (id) } { "key " (id) },
                    None => { (found.row.record.user_name) }
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

fn log(found: &Found, entries: &[AuditRecord]) -> Markup {
    let id = found.row.key.id;
    let name = format!("Public API - {id}");
    let is_by = |entry: &AuditRecord| entry.audit_owner_name.as_deref() == Some(&name);
    let last =
        entries.iter().filter(|entry| is_by(entry)).map(|entry| entry.audit_insert_time).max();
    let of_key: Vec<&AuditRecord> =
        entries.iter().filter(|entry| is_by(entry) || is_about(entry, id)).collect();
    html! {
        p {
            "Last audited use: "
            @match last { Some(ms) => (time(ms)), None => "none among the last entries" }
        }
        p class="hint" {
            "The log has what changes something. A key that only reads leaves no entry, so none does not \
             mean unused. Looked at: the last " (entries.len()) " entries."
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

/// Whether an entry is about a key: its names contain the id as a separate word.
fn is_about(entry: &AuditRecord, id: u64) -> bool {
    let is_key = entry.audit_entity.as_deref().is_some_and(|entity| entity.contains("API Key"));
    let id = id.to_string();
    let names = [&entry.audit_asset_names, &entry.audit_description];
    is_key
        && names
            .into_iter()
            .flatten()
            .any(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == id))
}
