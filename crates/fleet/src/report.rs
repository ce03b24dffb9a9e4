//! [`TenantReport`]: overview, keys and findings of a tenant, of definitions, or of both, for an audit.

use cortexkey_client::table::{no_formula, one_line};
use cortexkey_client::time::time_text;
use cortexkey_client::{ChildTenant, Client};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::ExpiryState;
use cortexkey_lint::{Severity, WaivedBy};
use serde_json::{Map, Value, json};

use crate::access::KeyScope;
use crate::definitions::{ComparedDefinitions, KeyFinding};
use crate::facts::{KeyExpiry, KeyFacts};
use crate::overview::{DAY_MS, Figure, Group, Grouping, Overview};
use crate::scopes::Scopes;
use crate::snapshot::Snapshot;

/// Overview, keys and findings at one time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TenantReport {
    /// When it was made, in milliseconds since 1970.
    pub now_ms: u64,
    /// The tenant; absent in a report about definitions only.
    pub tenant: Option<TenantSource>,
    /// The definitions; absent in a report about a tenant only.
    pub corpus: Option<CorpusSource>,
    /// Whether both were compared.
    pub is_compared: bool,
    /// The keys.
    pub keys: Vec<KeyFacts>,
    /// The linter's findings. Those that do not count come last.
    pub findings: Vec<KeyFinding>,
    /// Messages about what could not be read, and other notes for the reader.
    pub faults: Vec<String>,
}

/// The tenant of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSource {
    /// The host of its API.
    pub host: String,
    /// The policy's name for it, if known.
    pub name: Option<String>,
    /// The child tenant, if one was selected.
    pub child: Option<String>,
}

/// The definitions of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusSource {
    /// The policy's path, relative to the folder of the run, or its built-in name.
    pub policy: String,
    /// How many files were checked.
    pub files: usize,
    /// How many definitions they have.
    pub definitions: usize,
}

impl TenantSource {
    pub(crate) fn new(client: &Client, name: Option<&str>) -> Self {
        Self {
            host: client.address().host().to_owned(),
            name: name.map(str::to_owned),
            child: client.child().map(|child| ChildTenant::as_str(child).to_owned()),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "host": self.host, "name": self.name, "child": self.child })
    }
}

impl TenantReport {
    /// A report about a tenant, with its definitions if the snapshot has any. `tenant` is the
    /// policy's name for it, if given.
    pub fn of_tenant(
        client: &Client,
        snapshot: &Snapshot,
        scopes: &Scopes,
        tenant: Option<&str>,
    ) -> Self {
        let definitions = &snapshot.definitions;
        let name = definitions.plan.as_ref().map(|plan| plan.tenant.as_str()).or(tenant);
        Self {
            tenant: Some(TenantSource::new(client, name)),
            keys: KeyFacts::of_tenant(snapshot, scopes, tenant),
            is_compared: definitions.is_compared(),
            faults: faults(snapshot, scopes),
            ..Self::of_corpus(definitions, snapshot.taken_ms)
        }
    }

    /// A report about definitions, without a tenant.
    pub fn of_definitions(definitions: &ComparedDefinitions, now_ms: u64) -> Self {
        Self {
            keys: KeyFacts::of_definitions(definitions),
            faults: definitions.faults.clone(),
            ..Self::of_corpus(definitions, now_ms)
        }
    }

    fn of_corpus(definitions: &ComparedDefinitions, now_ms: u64) -> Self {
        let summary = definitions.outcome().and_then(|outcome| outcome.report.as_ref());
        let policy = definitions.policy().and_then(|policy| policy.path());
        let corpus = summary.map(|report| CorpusSource {
            policy: policy.unwrap_or_default().to_owned(),
            files: report.summary.files,
            definitions: definitions.defined().len(),
        });
        Self {
            now_ms,
            tenant: None,
            corpus,
            is_compared: false,
            keys: Vec::new(),
            findings: definitions.findings(),
            faults: Vec::new(),
        }
    }

    /// The figures.
    pub fn overview(&self) -> Overview<'_> {
        Overview::new(&self.keys, self.is_compared, self.now_ms)
    }

    /// How many findings that count are at least this severe.
    pub fn count_from(&self, at: Severity) -> usize {
        let counts = |found: &&KeyFinding| found.waived_by.is_none() && found.severity >= at;
        self.findings.iter().filter(counts).count()
    }

    /// One object for programs, version 1. New fields may be added; none is removed or changed.
    pub fn to_json(&self) -> Value {
        let corpus = self.corpus.as_ref().map(|corpus| {
            json!({
                "policy": corpus.policy,
                "files": corpus.files,
                "definitions": corpus.definitions,
            })
        });
        json!({
            "version": 1,
            "created": time_text(self.now_ms),
            "tenant": self.tenant.as_ref().map(TenantSource::json),
            "definitions": corpus,
            "compared": self.is_compared,
            "faults": self.faults,
            "overview": overview_json(&self.overview()),
            "keys": self.keys.iter().map(|key| key_json(key, self.now_ms)).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(found_json).collect::<Vec<_>>(),
        })
    }

    /// A table for spreadsheets: one row per figure, key, fault and finding. The first cell names
    /// the kind of row. No cell is a formula.
    pub fn to_csv(&self) -> String {
        let mut table = Table::new(&HEADINGS);
        let overview = self.overview();
        for Figure { title, count, .. } in overview.figures() {
            table.row(&["figure", title, "", &count.to_string()]);
        }
        let timeline = overview.timeline.steps();
        for step in &timeline {
            table.row(&["figure", "Expiry timeline", &step.to_text(), &step.count.to_string()]);
        }
        for Grouping { title, none, groups } in overview.groupings() {
            for group in groups {
                let name = group.name.as_deref().unwrap_or(none);
                table.row(&["figure", title, name, &group.count.to_string()]);
            }
        }
        for key in &self.keys {
            let mut cells = vec!["key".to_owned(), String::new(), String::new(), String::new()];
            cells.extend(key_cells(key, self.now_ms));
            table.row(&cells);
        }
        for fault in &self.faults {
            let mut cells = vec![String::new(); HEADINGS.len()];
            "fault".clone_into(&mut cells[0]);
            cells[MESSAGE].clone_from(fault);
            table.row(&cells);
        }
        for found in &self.findings {
            table.row(&found_cells(found));
        }
        table.end()
    }
}

/// Messages about what could not be read from a tenant.
pub(crate) fn faults(snapshot: &Snapshot, scopes: &Scopes) -> Vec<String> {
    let mut faults = snapshot.definitions.faults.clone();
    if snapshot.unseen > 0 {
        faults.push(format!(
            "{} keys of the tenant are missing here: the tenant does not list them, or their records cannot be read",
            snapshot.unseen
        ));
    }
    faults.extend(scopes.fault().map(|why| format!("scopes could not be read: {why}")));
    faults
}

/// A key's cells in a table, under [`KEY_HEADINGS`].
pub(crate) fn key_cells(key: &KeyFacts, now_ms: u64) -> Vec<String> {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let findings = key.findings.iter().map(|found| format!("{} {}", found.code, found.name));
    vec![
        key.id.map(|id| id.to_string()).unwrap_or_default(),
        text(key.name.as_ref()),
        text(key.owner.as_ref()),
        key.place.as_ref().map(|(file, line)| format!("{file}:{line}")).unwrap_or_default(),
        key.state.title().to_owned(),
        key.level.map(|level| level.to_string()).unwrap_or_default(),
        key.roles.join(", "),
        key.privileged_roles.join(", "),
        yes_or_no(key.can_create_keys).to_owned(),
        key.scope.title().to_owned(),
        text(key.comment.as_ref()),
        key.created_ms.map(time_text).unwrap_or_default(),
        text(key.created_by.as_ref()),
        expiry_words(key.expiry),
        key.expiry.state(now_ms).map(|state| state.to_string()).unwrap_or_default(),
        findings.collect::<Vec<_>>().join("; "),
    ]
}

/// The answer to a question in a word, or that it is unknown.
pub(crate) const fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

/// When a key expires, in words.
pub fn expiry_words(expiry: KeyExpiry) -> String {
    match expiry {
        KeyExpiry::Never => "never".to_owned(),
        KeyExpiry::At(ms) => time_text(ms),
        KeyExpiry::After(ms) if ms % DAY_MS == 0 => {
            format!("{} days after it is generated", ms / DAY_MS)
        }
        KeyExpiry::After(ms) => format!("{} hours after it is generated", ms / (DAY_MS / 24)),
        KeyExpiry::Unknown => "unknown".to_owned(),
    }
}

/// The headings of [`key_cells`].
pub(crate) const KEY_HEADINGS: [&str; 16] = [
    "ID",
    "Name",
    "Owner",
    "Definition",
    "State",
    "Security Level",
    "Roles",
    "Privileged Roles",
    "Creates Keys",
    "Scope",
    "Comment",
    "Creation Time",
    "Created By",
    "Expiration Time",
    "Status",
    "Findings",
];

const FIRST_HEADINGS: [&str; 4] = ["Record", "Figure", "Group", "Count"];
const LAST_HEADINGS: [&str; 6] = ["Rule", "Severity", "Message", "Help", "Place", "Suppressed By"];
const HEADINGS: [&str; 26] = headings();
/// The index of the finding's message among the headings.
const MESSAGE: usize = 22;

const fn headings() -> [&'static str; 26] {
    let mut all = [""; 26];
    let (before, rest) = all.split_at_mut(FIRST_HEADINGS.len());
    let (of_key, last) = rest.split_at_mut(KEY_HEADINGS.len());
    before.copy_from_slice(&FIRST_HEADINGS);
    of_key.copy_from_slice(&KEY_HEADINGS);
    last.copy_from_slice(&LAST_HEADINGS);
    all
}

fn found_cells(found: &KeyFinding) -> Vec<String> {
    let mut cells = vec![String::new(); HEADINGS.len()];
    "finding".clone_into(&mut cells[0]);
    cells[5] = found.key.clone().unwrap_or_default();
    cells[20] = format!("{} {}", found.code, found.name);
    found.severity.as_str().clone_into(&mut cells[21]);
    cells[MESSAGE].clone_from(&found.message);
    cells[23] = found.help.clone().unwrap_or_default();
    cells[24] = format!("{}:{}", found.file, found.line);
    cells[25] = found.waived_by.map(|by| by.as_str().to_owned()).unwrap_or_default();
    cells
}

/// A table for spreadsheets; each row has as many cells as there are headings.
pub(crate) struct Table {
    csv: csv::Writer<Vec<u8>>,
    width: usize,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut table = Self { csv: csv::Writer::from_writer(Vec::new()), width: headings.len() };
        table.row(headings);
        table
    }

    pub(crate) fn row(&mut self, cells: &[impl AsRef<str>]) {
        let empty = core::iter::repeat_with(String::new);
        let cells = cells.iter().map(|cell| no_formula(one_line(cell.as_ref())));
        // Writing to memory does not fail.
        let _ = self.csv.write_record(cells.chain(empty).take(self.width));
    }

    pub(crate) fn end(self) -> String {
        let bytes = self.csv.into_inner().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

fn overview_json(overview: &Overview<'_>) -> Value {
    let figures = overview.figures().into_iter();
    let figures: Map<String, Value> =
        figures.map(|figure| (figure.code.to_owned(), figure.count.into())).collect();
    let groups = |groups: &[Group]| -> Vec<Value> {
        groups.iter().map(|group| json!({ "name": group.name, "count": group.count })).collect()
    };
    let keys = |keys: &[&KeyFacts]| -> Vec<Value> {
        keys.iter().map(|key| json!({ "id": key.id, "name": key.name })).collect()
    };
    let timeline = &overview.timeline;
    let weeks = timeline.weeks.iter();
    let weeks: Vec<Value> =
        weeks.map(|week| json!({ "from": time_text(week.from_ms), "count": week.count })).collect();
    json!({
        "figures": figures,
        "timeline": {
            "expired": timeline.expired,
            "weeks": weeks,
            "later": timeline.later,
            "never": timeline.never,
            "undated": timeline.undated,
        },
        "owners": groups(&overview.owners),
        "securityLevels": groups(&overview.levels),
        "privilegedRoles": groups(&overview.privileged_roles),
        "scopes": groups(&overview.scopes),
        "expired": keys(&overview.expired),
        "expiring": keys(&overview.expiring),
        "unmanaged": keys(&overview.unmanaged),
        "drifted": keys(&overview.drifted),
        "notApplied": keys(&overview.not_applied),
        "unclear": keys(&overview.unclear),
        "notGenerated": keys(&overview.not_generated),
        "createKeys": keys(&overview.creators),
        "mayCreateKeys": keys(&overview.possible_creators),
    })
}

/// A key as JSON.
pub(crate) fn key_json(key: &KeyFacts, now_ms: u64) -> Value {
    let (file, line) = key.place.clone().unzip();
    let why = match &key.scope {
        KeyScope::Unread(why) => Some(why),
        _ => None,
    };
    let (expires, lifetime_ms) = match key.expiry {
        KeyExpiry::At(ms) => (Some(time_text(ms)), None),
        KeyExpiry::After(ms) => (None, Some(ms)),
        KeyExpiry::Never | KeyExpiry::Unknown => (None, None),
    };
    json!({
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "tenant": key.tenant,
        "file": file,
        "line": line,
        "state": key.state.as_str(),
        "securityLevel": key.level.map(Level::as_str),
        "roles": key.roles,
        "privilegedRoles": key.privileged_roles,
        "createsKeys": key.can_create_keys,
        "scope": key.scope.as_str(),
        "scopeUnreadWhy": why,
        "comment": key.comment,
        "created": key.created_ms.map(time_text),
        "createdBy": key.created_by,
        "createdByKey": key.created_by_key,
        "expires": expires,
        "neverExpires": key.expiry == KeyExpiry::Never,
        "lifetimeMs": lifetime_ms,
        "status": key.expiry.state(now_ms).map(ExpiryState::as_str),
        "system": key.is_system,
        "findings": key.findings.iter().map(found_json).collect::<Vec<_>>(),
    })
}

fn found_json(found: &KeyFinding) -> Value {
    json!({
        "code": found.code,
        "name": found.name,
        "severity": found.severity.as_str(),
        "message": found.message,
        "help": found.help,
        "key": found.key,
        "file": found.file,
        "line": found.line,
        "suppressedBy": found.waived_by.map(WaivedBy::as_str),
    })
}
