//! `cortexkey access suggest`: the smallest role for a set of API calls, and the calls that a role
//! cannot make.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cortexkey_client::operations::{
    ApiCall, CallList, Candidate, Combination, Combinations, ExpandedRole, Need, Permissions,
    Requirement, RoleMatch, combine, match_role, operations, read_calls, suggest,
};
use cortexkey_core::access::{Certainty, PredefinedRole, Product};
use cortexkey_manifest::access::ResolvedRole;
use cortexkey_system::{counted, io_reason};
use serde_json::{Map, Value, json};

use super::files::{PolicyInForce, role_named};
use super::layout::{plain, row};
use super::line;
use crate::exit::{Exit, Failure};
use crate::product_arg::product;
use crate::text::{self, BAD, BOLD, DIM, Format, GOOD};

/// The largest size of all files together, in bytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The number of roles and calls that text output names; JSON has all.
const SHOWN_MAX: usize = 5;
const CALLS_SHOWN_MAX: usize = 20;

/// Find the smallest role for a set of API calls, or the calls that a role cannot make
///
/// Reads calls from a list, a HAR file, an access log or the emulator's request log, and prints the
/// permissions that they need and the roles that grant them. Each fact is marked as documented,
/// observed on a live tenant, or assumed from the name of a component. For many calls no public
/// document names the permission; these are listed, and the answer is then incomplete. No tenant is
/// called.
#[derive(clap::Args)]
#[command(after_help = r#"Examples:
  cortexkey access suggest calls.txt                 one call per line: METHOD PATH
  cortexkey access suggest browser.har --format json
  cortexkey tenant --log-format json 2> tenant.log   and later: cortexkey access suggest tenant.log
  cortexkey access suggest --role Viewer calls.txt   which of these calls Viewer cannot make
  cortexkey access suggest --role Responder          the same for all known operations

Roles that certainly grant everything come first, then roles that may. Each group starts with the
unprivileged roles that grant the fewest additional permissions. If only administrators'
roles grant everything, the smallest sets of two to four roles that do so together follow.

Exit codes: 0 a role grants everything, or with --role the role allows every call; 1 a call is
unknown, no role certainly grants everything, or a call is refused; 2 usage error, or an invalid
policy; 3 no call could be read."#)]
pub(crate) struct Args {
    /// Files with calls; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "role")]
    calls: Vec<PathBuf>,

    /// Show which calls this role cannot make
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// Consider the predefined roles of this product; the operations are those of XSIAM
    #[arg(long, value_name = "PRODUCT", default_value = "xsiam", value_parser = product)]
    product: Product,

    /// The policy whose catalog adds roles: a file or `builtin:…` [default: the nearest
    /// cortexkey.yaml in this folder or above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let found = PolicyInForce::policy(args.policy.as_deref(), None)?;
    let list = if args.calls.is_empty() { all_operations() } else { read(&args.calls)? };
    if list.calls.is_empty() {
        let message = "no call could be read";
        return Err(Failure::new(Exit::NoInput, message)
            .help("write one call per line, such as `GET /public_api/v1/healthcheck`"));
    }
    match &args.role {
        Some(name) => reverse(args, &found, name, &list),
        None => forward(args, &found, &list),
    }
}

fn read(paths: &[PathBuf]) -> Result<CallList, Failure> {
    let mut list = CallList::default();
    let mut left = BYTES_MAX;
    for path in paths {
        let failed = |error: io::Error| {
            let why = io_reason(&error);
            Failure::new(Exit::NoInput, format!("cannot read {}: {why}", path.display()))
        };
        let bytes = read_file(path, left).map_err(failed)?;
        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
            let message = format!("the files have more than {BYTES_MAX} bytes together");
            return Err(
                Failure::usage_error(message).help("split them, or give the calls as a list")
            );
        };
        left = rest;
        let one = read_calls(&String::from_utf8_lossy(&bytes));
        for unread in one.unread.iter().take(SHOWN_MAX) {
            let place = format!("{}:{}", path.display(), unread.line);
            text::eprint(&format!("{}: {}\n", plain(&place), unread.reason));
        }
        if one.unread.len() > SHOWN_MAX {
            let more = one.unread.len() - SHOWN_MAX;
            text::eprint(&format!("{}: {more} more such lines\n", plain(&path.to_string_lossy())));
        }
        list.unread.extend(one.unread);
        for (call, count) in one.calls {
            *list.calls.entry(call).or_default() += count;
        }
    }
    Ok(list)
}

/// At most one byte more than the limit.
fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().take(limit + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn all_operations() -> CallList {
    let call = |operation: &cortexkey_client::operations::Operation| {
        ApiCall::new(operation.method, operation.path).map(|call| (call, 1))
    };
    CallList { calls: operations().iter().filter_map(call).collect(), unread: Vec::new() }
}

/// The roles of the catalog and of the product, each with what it implies.
fn roles(found: &PolicyInForce, product: Product) -> Vec<ExpandedRole> {
    let catalog = found.catalog();
    let listed = catalog.iter().map(|role| role.name.value.as_str());
    let predefined = PredefinedRole::for_product(product).map(|role| role.name);
    let mut names: Vec<&str> = listed.chain(predefined).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| held(found, name, product)).collect()
}

fn held(found: &PolicyInForce, name: &str, product: Product) -> ExpandedRole {
    let all = ResolvedRole::all([name], &found.catalog(), Some(product));
    ExpandedRole {
        name: name.to_owned(),
        privileged: all.iter().any(|role| role.facts.privileged),
        roles: all.into_iter().map(|role| role.role).collect(),
    }
}

fn forward(args: &Args, found: &PolicyInForce, list: &CallList) -> Result<Exit, Failure> {
    let suggestion = suggest(list, roles(found, args.product));
    let permissions = &suggestion.permissions;
    let combinations = combine(permissions, &suggestion.roles);
    let is_sure = permissions.is_complete()
        && list.unread.is_empty()
        && suggestion.roles.first().is_some_and(|role| role.fit == RoleMatch::Yes);
    text::print(&match args.format {
        Format::Text => forward_text(list, permissions, &suggestion.roles, &combinations),
        Format::Json => line(&json!({
            "version": 1,
            "product": args.product.as_str(),
            "policy": found.path(),
            "complete": permissions.is_complete() && list.unread.is_empty(),
            "permissions": permissions.required.iter().map(requirement_json).collect::<Vec<_>>(),
            "unknown": calls_json(&permissions.unknown),
            "unlisted": calls_json(&permissions.unlisted),
            "unread": list.unread.iter().map(|unread| unread.line).collect::<Vec<_>>(),
            "customRole": custom_role(permissions),
            "roles": suggestion.roles.iter().map(candidate_json).collect::<Vec<_>>(),
            "combinations": combinations.found.iter()
                .map(|combination| combination_json(permissions, combination)).collect::<Vec<_>>(),
            "combinationsCut": combinations.is_cut,
        })),
    })?;
    Ok(if is_sure { Exit::Done } else { Exit::Findings })
}

fn forward_text(
    list: &CallList,
    permissions: &Permissions,
    roles: &[Candidate],
    combinations: &Combinations,
) -> String {
    let made: usize = list.calls.values().sum();
    let mut out = format!("{}, {} distinct\n\n", counted(made, "call"), list.calls.len());
    out += &format!("{BOLD}Permissions{BOLD:#}\n");
    for requirement in &permissions.required {
        let why = format!("{} ({})", requirement.evidence.as_str(), requirement.source);
        out += &row(&needs(requirement), &why);
        out += &calls_text(&requirement.calls, "    ");
    }
    if permissions.required.is_empty() {
        out += "  none that is known\n";
    }
    out += &missing_text("Permission not public", &permissions.unknown);
    out += &missing_text("In no public list of operations", &permissions.unlisted);
    if !list.unread.is_empty() {
        out += &format!("\n{BAD}{} not recognised{BAD:#}\n", counted(list.unread.len(), "line"));
    }
    out += &format!("\n{BOLD}Roles{BOLD:#}\n");
    let fitting = || roles.iter().filter(|role| role.fit != RoleMatch::No);
    for role in fitting().take(SHOWN_MAX) {
        out += &candidate_text(role);
    }
    let shown = fitting().count().min(SHOWN_MAX);
    let refused = roles.len() - fitting().count();
    let more = fitting().count() - shown;
    out += &format!(
        "{DIM}  {} may be sufficient, and {refused} are not{DIM:#}\n",
        counted(more, "other role")
    );
    out += &combinations_text(permissions, combinations);
    out += &format!("\n{BOLD}As a role of your own, in the policy's catalog{BOLD:#}\n");
    out + &custom_text(permissions)
}

fn needs(requirement: &Requirement) -> String {
    let needs: Vec<String> = requirement.needs.iter().map(Need::to_string).collect();
    needs.join(", or ")
}

fn calls_text(calls: &[ApiCall], indent: &str) -> String {
    let one =
        |call: &ApiCall| format!("{DIM}{indent}{} {}{DIM:#}\n", call.method, plain(&call.path));
    let mut out: String = calls.iter().take(CALLS_SHOWN_MAX).map(one).collect();
    if let Some(more) = calls.len().checked_sub(CALLS_SHOWN_MAX).filter(|more| *more > 0) {
        out += &format!("{DIM}{indent}and {more} more{DIM:#}\n");
    }
    out
}

fn missing_text(heading: &str, calls: &[ApiCall]) -> String {
    if calls.is_empty() {
        return String::new();
    }
    format!("\n{BAD}{heading}{BAD:#}\n{}", calls_text(calls, "  "))
}

fn candidate_text(role: &Candidate) -> String {
    let (color, holds) = match role.fit {
        RoleMatch::Yes => (GOOD, "grants everything"),
        RoleMatch::Unknown => (DIM, "may grant everything"),
        RoleMatch::No => (BAD, "lacks something"),
    };
    let mut words = vec![holds.to_owned()];
    words.extend(role.certainty.map(|certainty| format!("at least {certainty}")));
    if !role.open.is_empty() {
        let open: Vec<String> = role.open.iter().map(needs).collect();
        words.push(format!("unknown: {}", open.join("; ")));
    }
    words.extend(excess_words(role));
    let row = row(&role.name, &words.join(", "));
    format!("{color}{}{color:#}\n", row.trim_end_matches('\n'))
}

fn combinations_text(permissions: &Permissions, combinations: &Combinations) -> String {
    let mut out = String::new();
    for combination in &combinations.found {
        let (color, holds) = match combination.fit {
            RoleMatch::Yes => (GOOD, "grant everything"),
            _ => (DIM, "may grant everything"),
        };
        let count = combination.roles.len();
        out += &format!("\n{BOLD}{count} roles together{BOLD:#} {color}{holds}{color:#}\n");
        for role in &combination.roles {
            let mut words = held_of(permissions, role, &combination.roles);
            words.extend(excess_words(role));
            out += &row(&role.name, &words.join(", "));
        }
    }
    if combinations.is_cut {
        out += &format!(
            "\n{BAD}There are too many roles to try all combinations, so a better one may exist{BAD:#}\n"
        );
    }
    out
}

/// What a role contributes to a combination: what it holds, and what it may hold if none of the others
/// certainly does.
fn held_of(permissions: &Permissions, role: &Candidate, all: &[Candidate]) -> Vec<String> {
    let holds = |role: &Candidate, needed: &Requirement| {
        !role.lacks.contains(needed) && !role.open.contains(needed)
    };
    let word = |needed: &Requirement| {
        if holds(role, needed) {
            return Some(needs(needed));
        }
        let is_open = role.open.contains(needed) && !all.iter().any(|other| holds(other, needed));
        is_open.then(|| format!("perhaps {}", needs(needed)))
    };
    permissions.required.iter().filter_map(word).collect()
}

/// What a role grants in addition, and whether it should be granted with care.
fn excess_words(role: &Candidate) -> Vec<String> {
    let mut words = Vec::new();
    if role.holds_all {
        words.push("and every other permission".to_owned());
    } else if !role.excess.is_empty() {
        words.push(format!("and {} more permissions", role.excess.len()));
    }
    if role.privileged {
        words.push("privileged".to_owned());
    }
    words
}

/// What a role would have to list; if there are several alternatives, the first.
fn custom_role(permissions: &Permissions) -> Value {
    let mut components = Map::new();
    let mut actions = Vec::new();
    for requirement in &permissions.required {
        match requirement.needs.first() {
            Some(Need::Component { name, level }) => {
                components.insert((*name).to_owned(), level.as_str().into());
            }
            Some(Need::Action { name, .. }) => actions.push(*name),
            _ => {}
        }
    }
    json!({ "components": components, "actions": actions })
}

fn custom_text(permissions: &Permissions) -> String {
    let role = custom_role(permissions);
    let mut out = String::from("  catalog:\n    roles:\n      - name: NAME\n");
    let components = role["components"].as_object().filter(|components| !components.is_empty());
    if let Some(components) = components {
        out += "        components:\n";
        for (name, level) in components {
            out += &format!("          {name}: {}\n", level.as_str().unwrap_or_default());
        }
    }
    let actions: Vec<&str> =
        role["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !actions.is_empty() {
        out += &format!("        actions: [{}]\n", actions.join(", "));
    }
    let by_name = permissions.required.iter().flat_map(|requirement| &requirement.needs);
    let by_name = by_name.filter(|need| matches!(need, Need::Role(_) | Need::Unnamed(_)));
    for need in by_name {
        out += &format!("        # not a permission that a role of your own can list: {need}\n");
    }
    out
}

fn reverse(
    args: &Args,
    found: &PolicyInForce,
    name: &str,
    list: &CallList,
) -> Result<Exit, Failure> {
    if role_named(found, name, Some(args.product)).is_none() {
        return Err(Failure::usage_error(format!("there is no role `{}`", plain(name))).help(
            "`cortexkey roles` lists all roles, and names match exactly, including case and spaces",
        ));
    }
    let role = held(found, name, args.product);
    let each = list.calls.keys().map(|call| {
        let one = CallList { calls: [(call.clone(), 1)].into(), unread: Vec::new() };
        let permissions = Permissions::required_by(&one);
        let candidate = match_role(&permissions, &role);
        (call, permissions, candidate)
    });
    let each: Vec<(&ApiCall, Permissions, Candidate)> = each.collect();
    let of = |fit: RoleMatch| each.iter().filter(move |(_, _, candidate)| candidate.fit == fit);
    let is_sure = of(RoleMatch::Yes).count() == each.len() && list.unread.is_empty();
    text::print(&match args.format {
        Format::Text => {
            let mut out = format!(
                "{BOLD}{}{BOLD:#} allows {} of {} calls\n",
                plain(name),
                of(RoleMatch::Yes).count(),
                each.len()
            );
            for (fit, heading) in [(RoleMatch::No, "Refused"), (RoleMatch::Unknown, "Unknown")] {
                if of(fit).next().is_some() {
                    out += &format!("\n{BAD}{heading}{BAD:#}\n");
                }
                for (call, permissions, _) in of(fit) {
                    out += &row(&format!("{} {}", call.method, call.path), &reason(permissions));
                }
            }
            if !list.unread.is_empty() {
                out += &format!(
                    "\n{BAD}{} not recognised{BAD:#}\n",
                    counted(list.unread.len(), "line")
                );
            }
            out
        }
        Format::Json => line(&json!({
            "version": 1,
            "product": args.product.as_str(),
            "policy": found.path(),
            "role": name,
            "unread": list.unread.iter().map(|unread| unread.line).collect::<Vec<_>>(),
            "calls": each.iter().map(|(call, permissions, candidate)| json!({
                "method": call.method,
                "path": call.path,
                "allowed": candidate.fit,
                "certainty": candidate.certainty.map(Certainty::as_str),
                "permissions":
                    permissions.required.iter().map(requirement_json).collect::<Vec<_>>(),
                "listed": permissions.unlisted.is_empty(),
            })).collect::<Vec<_>>(),
        })),
    })?;
    Ok(if is_sure { Exit::Done } else { Exit::Findings })
}

/// What a call needs, in words.
fn reason(permissions: &Permissions) -> String {
    match permissions.required.first() {
        Some(requirement) => {
            format!("needs {}, {}", needs(requirement), requirement.evidence.as_str())
        }
        None if permissions.unlisted.is_empty() => "its permission is not public".to_owned(),
        None => "it is in no public list of operations".to_owned(),
    }
}

fn need_json(need: &Need) -> Value {
    match need {
        Need::Component { name, level } => json!({ "component": name, "level": level.as_str() }),
        Need::Action { component, name } => json!({ "component": component, "action": name }),
        Need::Role(name) => json!({ "role": name }),
        other => json!({ "unnamed": other.to_string() }),
    }
}

fn requirement_json(requirement: &Requirement) -> Value {
    json!({
        "anyOf": requirement.needs.iter().map(need_json).collect::<Vec<_>>(),
        "evidence": requirement.evidence,
        "source": requirement.source,
        "calls": calls_json(&requirement.calls),
    })
}

fn calls_json(calls: &[ApiCall]) -> Value {
    let one = |call: &ApiCall| json!({ "method": call.method, "path": call.path });
    calls.iter().map(one).collect()
}

fn combination_json(permissions: &Permissions, combination: &Combination) -> Value {
    let one = |role: &Candidate| {
        json!({
            "name": role.name,
            "holds": held_of(permissions, role, &combination.roles),
            "inAddition": role.excess,
            "privileged": role.privileged,
        })
    };
    json!({
        "holdsEverything": combination.fit,
        "roles": combination.roles.iter().map(one).collect::<Vec<_>>(),
    })
}

fn candidate_json(role: &Candidate) -> Value {
    json!({
        "name": role.name,
        "holdsEverything": role.fit,
        "certainty": role.certainty.map(Certainty::as_str),
        "lacks": role.lacks.iter().map(needs).collect::<Vec<_>>(),
        "notKnown": role.open.iter().map(needs).collect::<Vec<_>>(),
        "inAddition": role.excess,
        "holdsAll": role.holds_all,
        "privileged": role.privileged,
    })
}
