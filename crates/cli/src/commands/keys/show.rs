//! `cortexkey keys show`: shows one key and its scope. What the tenant does not return is not
//! guessed.

use core::fmt::Display;

use cortexkey_api::scope::{AreaMode, AxisMode, ScopeRead, Tag, Tagged};
use cortexkey_client::ApiPermission;
use cortexkey_client::table::{created_text, one_line, to_json};
use cortexkey_client::time::{now_ms, time_text};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::{Expiry, KeyRecord};
use serde_json::json;

use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS, call_failure};
use crate::exit::{Exit, Failure};
use crate::text::{self, BOLD, DIM, Format};

/// Show one key and its scope
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The key's id
    id: KeyId,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys show 7
  cortexkey keys show 7 --format json

Exit codes: 0 success; 1 no such key, a refusal or no response; 2 usage error; 4 done in part: the key
that signs may not read the scope.";

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let client = args.connection.client()?;
    let (_, record) = super::change::find(&client, args.id)?;
    let scope = match client.scope(args.id) {
        Ok(scope) => Scope::Read(scope),
        Err(error) if error.status() == Some(403) => Scope::Forbidden,
        Err(error) => return Err(call_failure(&error)),
    };
    let now_ms = now_ms();
    let text = match args.format {
        Format::Json => {
            let mut object = to_json(&record, now_ms);
            object["scope"] = match &scope {
                Scope::Read(scope) => json!(scope),
                Scope::Forbidden => json!(null),
            };
            text::json(&json!({ "version": 1, "key": object }))
        }
        Format::Text => show(&record, &scope, now_ms),
    };
    text::print(&text)?;
    if let Scope::Forbidden = scope {
        let permission = ApiPermission::AccessManagementView;
        print_note(&format!("the scope is not shown: this key lacks {permission}"));
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// A scope, as far as the signing key may read it.
enum Scope {
    /// None for a product without scopes.
    Read(Option<ScopeRead>),
    Forbidden,
}

fn show(record: &KeyRecord, scope: &Scope, now_ms: u64) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &dyn Display| {
        out += &format!("{BOLD}{name:18}{BOLD:#} {value}\n");
    };
    line("ID", &record.key_id);
    line("Security level", &record.level);
    line("Roles", &one_line(&record.roles.join(", ")));
    line("Comment", &one_line(record.comment.as_deref().unwrap_or("(none)")));
    let created = created_text(record);
    let created = if created.is_empty() { "unknown" } else { &created };
    line("Created", &format!("{created} by {}", one_line(&record.created_by)));
    let expires = match record.expiry {
        Expiry::Never => "never".to_owned(),
        Expiry::At { ms } => format!("{} ({})", time_text(ms), record.expiry.state(now_ms)),
    };
    line("Expires", &expires);
    let scope = match scope {
        Scope::Read(Some(scope)) => scope,
        Scope::Read(None) => {
            line("Scope", &"(this product has no such call)");
            return out;
        }
        Scope::Forbidden => {
            line("Scope", &"(unknown: this key may not read scopes)");
            return out;
        }
    };
    let groups: Vec<String> = scope
        .assets
        .asset_groups
        .iter()
        .map(|group| format!("{} (id {})", one_line(&group.asset_group_name), group.asset_group_id))
        .collect();
    line("Assets", &area(scope.assets.mode, &groups));
    line("Cases and issues", &area(scope.cases_issues.mode, &names(&scope.cases_issues.tags)));
    line("Endpoint groups", &axis(&scope.endpoints.endpoint_groups));
    line("Endpoint tags", &axis(&scope.endpoints.endpoint_tags));
    if let Some(rows) = &scope.datasets_rows {
        line("Datasets", &area(rows.default_filter_mode, &[]));
        for filter in &rows.filters {
            let row = format!("{}: {}", one_line(&filter.dataset), one_line(&filter.filter));
            line("  filter", &row);
        }
    }
    out += &format!(
        "{DIM}note: the tenant does not report whether the key sees cases and issues that reference \
         no known object{DIM:#}\n"
    );
    out
}

fn area(mode: AreaMode, selected: &[String]) -> String {
    match mode {
        AreaMode::None => "none".to_owned(),
        AreaMode::All => "all".to_owned(),
        AreaMode::Select => selected.join(", "),
    }
}

fn axis(axis: &Tagged<AxisMode>) -> String {
    match axis.mode {
        AxisMode::NoScope => "none".to_owned(),
        AxisMode::SeeAll => "all".to_owned(),
        AxisMode::Any => "any (this axis does not restrict)".to_owned(),
        AxisMode::Scope => names(&axis.tags).join(", "),
    }
}

fn names(tags: &[Tag]) -> Vec<String> {
    tags.iter().map(|tag| one_line(&tag.tag_name)).collect()
}
