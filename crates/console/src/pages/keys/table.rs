//! The table: headings, filter row, rows, and the controls around it.

use cortexkey_api::api_keys::LIFETIME_MS_MAX;
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::{Expiry, KeyRecord};
use maud::{Markup, html};

use super::columns::{Column, ColumnKind, definition};
use super::export;
use super::query::{Query, ROWS, RowPage, operators};
use super::views;
use crate::app::App;
use crate::page_request::PageRequest;
use crate::parts::{chart, findings};
use crate::records::{day, left, thousands, time};
use crate::snapshot::{Row, Snapshot};
use cortexkey_fleet::State;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The longest text of a cell, in characters: more than a column shows. Long comments would make a
/// page too large.
const CELL_CHARS_MAX: usize = 120;
/// The longest text of a tooltip, in characters.
const TITLE_CHARS_MAX: usize = 300;

/// The table for a query.
pub(super) struct Table<'a> {
    query: &'a Query,
    snapshot: &'a Snapshot,
    found: RowPage<'a>,
    now_ms: u64,
}

impl<'a> Table<'a> {
    pub(super) fn new(app: &App, query: &'a Query, snapshot: &'a Snapshot) -> Self {
        Self { query, snapshot, found: query.page(snapshot), now_ms: app.now_ms() }
    }

    /// The parts that a change of the filters affects.
    pub(super) fn parts(&self) -> Vec<(&'static str, Markup)> {
        vec![
            ("count", self.count()),
            ("heads", self.heads()),
            ("rows", self.rows()),
            ("pager", self.pager()),
            ("kept", self.kept()),
            ("kept-filters", self.kept_filters()),
            ("view-query", self.view_query()),
            ("clear", self.clear()),
            ("exports", self.exports()),
        ]
    }

    /// All of it.
    pub(super) fn markup(&self, app: &App, request: &PageRequest) -> Markup {
        html! {
            section class="card" aria-label="Keys" {
                form id="filters" method="get" action="/keys" data-live {
                    span id="kept" { (self.kept()) }
                }
                div class="bar" {
                    output id="count" aria-live="polite" form="filters" { (self.count()) }
                    div class="tools" {
                        (self.joining())
                        (self.chooser())
                        (views::menu(app, request, &self.view_query()))
                        button type="button" class="drop" popovertarget="exports" {
                            "Export to file"
                        }
                        div id="exports" class="drop-body" popover { (self.exports()) }
                    }
                }
                div class="scroll" role="region" aria-label="API Keys table" tabindex="0" {
                    table class="keys" {
                        caption class="unseen" {
                            "API keys of the tenant. The menu of a row opens with the last button of the \
                             row, the menu key or Shift+F10."
                        }
                        thead {
                            tr id="heads" { (self.heads()) }
                            tr class="filter" { (self.filters()) }
                        }
                        tbody id="rows" { (self.rows()) }
                    }
                }
                div id="pager" class="bar" { (self.pager()) }
            }
        }
    }

    fn count(&self) -> Markup {
        let count = self.found.count;
        let all = self.snapshot.rows.len();
        html! {
            @if let Some(why) = self.query.faults.first() {
                span class="bad" { (why) }
            } @else if self.query.is_filtered() {
                (thousands(count)) " of " (thousands(all)) " keys"
            } @else if !self.snapshot.is_read() {
                "Not read"
            } @else {
                (thousands(all)) @if all == 1 { " key" } @else { " keys" }
            }
        }
    }

    /// The fields of the address that the filters' form keeps: columns only if they were chosen.
    fn kept(&self) -> Markup {
        self.hidden(|name| ["sort", "desc", "col"].contains(&name))
    }

    /// The fields of the address that the choice of columns keeps.
    fn kept_filters(&self) -> Markup {
        self.hidden(|name| !["col", "page"].contains(&name))
    }

    fn hidden(&self, is_kept: impl Fn(&str) -> bool) -> Markup {
        let fields = self.query.fields.iter().filter(|(_, value)| !value.is_empty());
        html! {
            @for (name, value) in fields.filter(|(name, _)| is_kept(name)) {
                input type="hidden" name=(name) value=(value) autocomplete="off";
            }
        }
    }

    /// The address of a saved view.
    fn view_query(&self) -> Markup {
        html! {
            input type="hidden" name="query" value=(self.query.fields.to_query()) autocomplete="off";
        }
    }

    fn clear(&self) -> Markup {
        html! { @if self.query.is_filtered() { a class="button" href="/keys" { "Clear" } } }
    }

    fn heads(&self) -> Markup {
        html! {
            @for column in &self.query.columns {
                @let is_sorted = *column == self.query.sort;
                @let descending = is_sorted && !self.query.descending;
                @let address = self.query.address(&[
                    ("sort", Some(column.as_str())),
                    ("desc", descending.then_some("1")),
                ]);
                @let order = match (is_sorted, self.query.descending) {
                    (false, _) => None,
                    (true, false) => Some("ascending"),
                    (true, true) => Some("descending"),
                };
                th scope="col" class=(class(*column)) aria-sort=[order] {
                    a href=(address) data-live { (column.title()) }
                }
            }
            th scope="col" class="more" { span class="unseen" { "Menu" } }
        }
    }

    fn filters(&self) -> Markup {
        html! {
            @for column in &self.query.columns {
                td class=(class(*column)) { (self.filter(*column)) }
            }
            td class="more" {
                noscript { button type="submit" form="filters" { "Filter" } }
            }
        }
    }

    fn filter(&self, column: Column) -> Markup {
        let (value, operator) = self.query.filter(column);
        let name = column.as_str();
        let title = column.title();
        html! {
            span class="pair" {
                select name={ "o." (name) } form="filters" aria-label={ (title) ": operator" }
                    class="operator" {
                    @for (word, sign) in operators(column) {
                        option value=(word) selected[*word == operator] { (sign) }
                    }
                }
                @if let ColumnKind::Choice(values) = column.kind() {
                    select name={ "f." (name) } form="filters" aria-label={ (title) ": value" } {
                        option value="" { "any" }
                        @for (word, text) in values {
                            option value=(word) selected[value.as_deref() == Some(*word)] { (text) }
                        }
                    }
                } @else {
                    input type="search" name={ "f." (name) } form="filters" autocomplete="off"
                        spellcheck="false" aria-label={ (title) ": value" } value=[value]
                        placeholder=[matches!(column.kind(), ColumnKind::Time(_)).then_some("yyyy-mm-dd")];
                }
            }
        }
    }

    fn rows(&self) -> Markup {
        html! {
            @for row in &self.found.rows {
                tr data-id=(row.record.key_id) data-row=(export::row(row)) {
                    @for column in &self.query.columns { (self.cell(*column, row)) }
                    td class="more" {
                        button type="button" hidden class="quiet" data-menu="row-menu" aria-haspopup="menu"
                            aria-label={ "Menu of key " (row.record.key_id) } { "⋯" }
                    }
                }
            }
            @if self.found.rows.is_empty() {
                tr class="none" {
                    td colspan=(self.query.columns.len() + 1) {
                        @if self.query.is_filtered() {
                            "No key matches the filters. " a href="/keys" { "Clear them" }
                        } @else if !self.snapshot.is_read() {
                            span data-unread { "The keys are not known." }
                        } @else if self.snapshot.unseen > 0 {
                            "No key could be read."
                        } @else {
                            span data-none { "The tenant has no keys." }
                        }
                    }
                }
            }
        }
    }

    fn cell(&self, column: Column, row: &Row) -> Markup {
        let record = &row.record;
        match column {
            Column::Id => html! {
                th scope="row" class="number" {
                    a href={ "/keys/" (record.key_id) } { (record.key_id) }
                }
            },
            Column::Created if record.created_ms == 0 => html! { td class="muted" { "unknown" } },
            Column::Created => times("created", record.created_ms, &day(record.created_ms)),
            Column::Expires => self.expires(record),
            Column::Roles => roles(record),
            Column::Level => html! {
                td class=(if record.level == Level::Standard { "warn" } else { "" }) {
                    (level(record.level))
                }
            },
            Column::Definition => html! {
                td { span class={ "tag " (definition_class(row)) } { (definition(row)) } }
            },
            Column::Policy => policy(row),
            Column::Status => {
                let state = record.expiry.state(self.now_ms);
                html! { td class="text" { (state) } }
            }
            Column::Comment => {
                let text = column.text(row);
                // The script copies the text of a shortened cell from the row's.
                let at = (text.chars().count() > CELL_CHARS_MAX).then_some(export::COMMENT);
                html! {
                    td class="text" title=(shortened(&text, TITLE_CHARS_MAX)) data-at=[at] {
                        (shortened(&text, CELL_CHARS_MAX))
                    }
                }
            }
            Column::CreatedBy | Column::User | Column::Owner | Column::Name | Column::File => {
                let text = column.text(row);
                html! { td class="text" title=(text) { (text) } }
            }
        }
    }

    fn expires(&self, record: &KeyRecord) -> Markup {
        let words = left(record.expiry, self.now_ms);
        let Expiry::At { ms } = record.expiry else {
            return html! { td class="expires bad" { (chart::bar(1, 1, "bad")) "never" } };
        };
        let rest = ms.saturating_sub(self.now_ms);
        let class = match rest {
            0 => "gone",
            rest if rest <= 7 * DAY_MS => "bad",
            rest if rest <= 30 * DAY_MS => "warn",
            _ => "",
        };
        html! {
            td class={ "expires " (class) } data-column="expires" data-time=(time(ms))
                title=(time(ms)) { (chart::bar(rest, LIFETIME_MS_MAX, class)) (words) }
        }
    }

    fn pager(&self) -> Markup {
        let from = self.found.from;
        let count = self.found.count;
        let page = from / ROWS + 1;
        let before = (page - 1).to_string();
        let after = (page + 1).to_string();
        html! {
            span class="muted" {
                @if count > 0 {
                    (thousands(from + 1)) "–" (thousands(from + self.found.rows.len())) " of "
                    (thousands(count))
                }
            }
            span class="muted" {
                @if self.snapshot.is_read() { "As of " (time(self.snapshot.taken_ms)) " · " }
                a href=(self.query.address(&[("fresh", Some("1"))])) { "Refresh" }
            }
            span class="tools" {
                @if page > 1 {
                    a class="button" data-live href=(self.query.address(&[("page", Some(&before))])) {
                        "Previous"
                    }
                }
                @if from + ROWS < count {
                    a class="button" data-live href=(self.query.address(&[("page", Some(&after))])) {
                        "Next"
                    }
                }
            }
        }
    }

    fn exports(&self) -> Markup {
        let address = |format: &str| {
            let fields = self.query.fields.with("page", None).with("format", Some(format));
            format!("/keys/export?{}", fields.to_query())
        };
        html! {
            a href=(address("tsv")) { "TSV" }
            a href=(address("csv")) { "CSV" }
        }
    }

    fn joining(&self) -> Markup {
        let is_or = self.query.fields.get("join") == Some("or");
        html! {
            label class="pick" {
                span { "Match" }
                select name="join" form="filters" {
                    option value="" { "all (AND)" }
                    option value="or" selected[is_or] { "any (OR)" }
                }
            }
            label class="pick" {
                input type="checkbox" name="empty" value="1" form="filters"
                    checked[self.query.fields.has("empty")];
                span { "Include empty values" }
            }
            span id="clear" { (self.clear()) }
        }
    }

    fn chooser(&self) -> Markup {
        html! {
            button type="button" class="drop" popovertarget="columns" { "Columns" }
            form id="columns" class="drop-body" popover method="get" action="/keys" {
                span id="kept-filters" { (self.kept_filters()) }
                fieldset {
                    legend class="unseen" { "Columns" }
                    @for column in Column::ALL {
                        label class="pick" {
                            input type="checkbox" name="col" value=(column.as_str())
                                checked[self.query.columns.contains(&column)];
                            span { (column.title()) }
                        }
                    }
                }
                button type="submit" { "Show these columns" }
            }
        }
    }
}

/// The beginning of a long text.
fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

const fn class(column: Column) -> &'static str {
    match column {
        Column::Id => "number",
        Column::Expires => "expires",
        _ => "",
    }
}

/// The product's word for a level.
pub(in crate::pages) const fn level(level: Level) -> &'static str {
    match level {
        Level::Advanced => "Advanced",
        Level::Standard => "Standard",
    }
}

fn definition_class(row: &Row) -> &'static str {
    match row.managed.as_ref().map(|managed| managed.state) {
        Some(State::Drifted) => "bad",
        Some(State::Pending | State::Unclear) => "warn",
        _ => "",
    }
}

fn times(column: &str, ms: u64, words: &str) -> Markup {
    html! {
        td class="time" data-column=(column) data-time=(time(ms)) title=(time(ms)) { (words) }
    }
}

fn roles(record: &KeyRecord) -> Markup {
    let all = record.roles.join(", ");
    html! {
        td class="text" title=(all) data-text=(all) {
            @if let Some(first) = record.roles.first() { (first) }
            @if record.roles.len() > 1 {
                " " span class="muted" { "+" (record.roles.len() - 1) }
            }
        }
    }
}

fn policy(row: &Row) -> Markup {
    let worst = row.managed.as_ref().and_then(|managed| managed.worst());
    html! {
        @match (worst, &row.managed) {
            (Some(found), Some(managed)) => td class="text" title=(found.message) {
                span class=(findings::class(found.severity)) { (found.name) }
                @if managed.findings.len() > 1 {
                    " " span class="muted" { "+" (managed.findings.len() - 1) }
                }
            },
            (None, Some(_)) => td class="muted" { "clean" },
            (_, None) => td class="muted" title="It has no definition that could be checked" { "—" },
        }
    }
}
