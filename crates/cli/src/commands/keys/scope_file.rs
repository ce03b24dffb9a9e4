//! `--scope-file`: a scope in the product's JSON form, or as definitions write it.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use cortexkey_api::scope::ScopeWrite;
use cortexkey_client::{Client, DefinedScope};
use cortexkey_lint::check_scope;
use cortexkey_lint::report::Format;
use cortexkey_manifest::yaml::{NodeKind, YamlLimits, parse};
use serde::Deserialize;
use serde_json::Value;

use crate::change::print_note;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::input;

const BYTES_MAX: u64 = 16 * 1024 * 1024;

const FORMS: &str = "a scope file takes what PUT /platform/iam/v1/scope takes, or what a key \
                     definition has under `spec.scope`; docs/keys.md shows both (Scope files)";

/// The fields that only the product's form has, from the top.
const OF_PRODUCT: [&[&str]; 6] = [
    &["request_data"],
    &["cases_issues"],
    &["datasets_rows"],
    &["assets", "asset_group_ids"],
    &["endpoints", "endpoint_groups"],
    &["endpoints", "endpoint_tags"],
];

/// A scope from a file.
pub(super) enum ScopeFile {
    /// In the product's form.
    Product(ScopeWrite),
    /// In the form of definitions, with names of asset groups.
    Defined(DefinedScope),
}

/// The whole body of the product's call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    request_data: ScopeWrite,
}

impl ScopeFile {
    /// Reads a scope in either form, without calling a tenant.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::read(path, "the scope", BYTES_MAX)?;
        let fields = fields(&bytes);
        let has = |field: &[&str]| fields.iter().any(|has| has == field);
        if OF_PRODUCT.iter().any(|field| has(field)) {
            return product(&bytes, has(&["request_data"])).map(Self::Product).map_err(|error| {
                let message =
                    format!("{}: not a scope in the product's JSON form: {error}", path.display());
                Failure::usage_error(message).help(FORMS)
            });
        }
        if has(&["spec"]) {
            let message = format!("{}: expected a scope, got a key definition", path.display());
            return Err(Failure::usage_error(message).help(
                "put the contents of its `spec.scope` into a file; `cortexkey apply` takes \
                 definitions",
            ));
        }
        defined(path, bytes.to_vec()).map(Self::Defined)
    }

    /// The scope with the tenant's ids instead of names of asset groups.
    pub(super) fn resolve(&self, client: &Client) -> Result<ScopeWrite, Failure> {
        let scope = match self {
            Self::Product(scope) => return Ok(scope.clone()),
            Self::Defined(scope) => scope,
        };
        let groups = if scope.selects_groups() {
            client.asset_groups().map_err(|error| {
                call_failure(&error)
                    .after("the names of the scope's asset groups were not looked up")
            })?
        } else {
            Vec::new()
        };
        scope.to_write(&groups).map_err(|error| {
            Failure::because(Exit::UsageError, "the scope file cannot be used", &error)
                .help("correct the scope file and run the same command again")
        })
    }
}

/// The paths of a file's fields, two levels deep; empty if it is neither YAML nor JSON.
fn fields(bytes: &[u8]) -> Vec<Vec<String>> {
    if let Ok(json) = serde_json::from_slice::<Value>(bytes) {
        let inner = |(name, value): (&String, &Value)| {
            let below = value.as_object().into_iter().flat_map(|below| below.keys());
            let below: Vec<_> = below.map(|below| vec![name.clone(), below.clone()]).collect();
            [vec![vec![name.clone()]], below].concat()
        };
        return json.as_object().into_iter().flatten().flat_map(inner).collect();
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return Vec::new() };
    let tree = parse(text, &YamlLimits::default()).tree;
    let entries = |id| match &tree.node(id).kind {
        NodeKind::Mapping { entries, .. } => entries.as_slice(),
        _ => &[],
    };
    let mut fields = Vec::new();
    for document in tree.documents() {
        for outer in entries(document.root) {
            let Some(name) = tree.text_of(outer.key) else { continue };
            fields.push(vec![name.to_owned()]);
            let below = entries(outer.value).iter().filter_map(|inner| tree.text_of(inner.key));
            fields.extend(below.map(|inner| vec![name.to_owned(), inner.to_owned()]));
        }
    }
    fields
}

fn product(bytes: &[u8], is_body: bool) -> Result<ScopeWrite, serde_json::Error> {
    if is_body {
        serde_json::from_slice(bytes).map(|body: Body| body.request_data)
    } else {
        serde_json::from_slice(bytes)
    }
}

fn defined(path: &Path, bytes: Vec<u8>) -> Result<DefinedScope, Failure> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let no_scope = || {
        Failure::usage_error(format!("{name}: not a scope in the form of a definition")).help(FORMS)
    };
    let scope = check_scope(&name, bytes).map_err(|report| {
        print_note(&report.render(Format::Human, io::stderr().is_terminal()));
        no_scope()
    })?;
    DefinedScope::from_definition(&scope).map_err(|gap| no_scope().after(gap.message))
}
