//! `cortexkey keys provision`: one key for each line of a list.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cortexkey_client::provision::{
    Defaults, KeyEnd, Line, LineState, PlannedLine, Provision, plan, read_csv, read_users,
};
use cortexkey_client::table::one_line;
use cortexkey_client::time::{duration_ms, now_ms, time_ms};
use cortexkey_client::{
    ApiPermission, Client, LockFile, NewKey, RenewError, Renewal, Sink, StoreSink, state_folder,
};
use cortexkey_core::auth::Level;
use cortexkey_system::{counted, io_reason, message_and_help};
use serde_json::{Value, json};

use super::scope_file::ScopeFile;
use crate::change::{ChangeArgs, announce, print_note};
use crate::connection::{ConnectionArgs, SETTINGS, call_failure, level};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::needs::{CheckArgs, Need};
use crate::renewal::{lock_failure, on_step, renew_failure};
use crate::sink_args::StoreArgs;
use crate::text::{self, BAD, DIM, Format, GOOD};

/// Enough for the 1,000 lines that a list may have.
const LIST_BYTES_MAX: u64 = 1024 * 1024;

/// Generate a key for each person or team in a list, and deliver each to a place of its own
///
/// The list is a CSV file, or the tenant's users. A plan is shown first. A record next to the list
/// maps each line to its key. Run the same command again to continue an interrupted run; no line
/// gets a second key. Keys go only to the sink, under the line's name.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// The CSV file; `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "users")]
    list: Option<PathBuf>,

    /// Generate a key for each active user of the tenant instead of reading a list
    #[arg(long, conflicts_with = "list")]
    users: bool,

    /// Only users of this user group
    #[arg(long, value_name = "NAME", requires = "users")]
    user_group: Option<String>,

    /// A role for lines that name none, by its display name; repeatable
    #[arg(long, value_name = "ROLE", help_heading = "Lines")]
    role: Vec<String>,

    /// The security level for lines that name none
    #[arg(long, value_name = "LEVEL", value_parser = level, help_heading = "Lines")]
    security_level: Option<Level>,

    /// The lifetime for lines that name none, such as 90d
    #[arg(long, value_name = "DURATION", value_parser = duration_ms, help_heading = "Lines")]
    lifetime: Option<u64>,

    /// The expiry for lines that name none (RFC 3339 or a date)
    #[arg(
        long,
        value_name = "TIME",
        value_parser = time_ms,
        conflicts_with = "lifetime",
        help_heading = "Lines"
    )]
    expires: Option<u64>,

    /// The comment for lines that have none; {name} and {owner} are replaced
    /// [default: "{name}, owner {owner}"]
    #[arg(long, value_name = "TEXT", help_heading = "Lines")]
    comment: Option<String>,

    /// The scope of all keys, as for `keys generate`; not allowed if the list has scopes
    #[arg(long, value_name = "FILE", help_heading = "Lines")]
    scope_file: Option<PathBuf>,

    /// Write each key to a file of this existing folder, named after its line
    #[arg(long, value_name = "FOLDER", conflicts_with = "sink_store", help_heading = "New key")]
    sink_folder: Option<PathBuf>,

    #[command(flatten)]
    store: StoreArgs,

    /// Generate new keys for lines whose key is gone from the tenant
    #[arg(long)]
    recreate: bool,

    /// The file that maps lines to keys [default: FILE.lock; for --users in the state folder]
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Show what would be done; change nothing
    #[arg(long)]
    dry_run: bool,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    check: CheckArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys provision team.csv --dry-run
  cortexkey keys provision team.csv --lifetime 90d --security-level advanced --sink-folder keys
  cortexkey keys provision --users --user-group Analysts --role Viewer --lifetime 30d \\
      --security-level advanced --sink-folder keys --yes

The folder of --sink-folder must exist; only you should be able to read it (mkdir -m 700 keys).

A list has a header line. name and owner are required; options fill in what a line leaves empty:
  name,owner,roles,level,lifetime,assets,cases,unreferenced,endpoints
  ana@example.com,ana@example.com,Viewer,advanced,90d,prod-eu,all,false,none
  svc-siem,team-detection,Viewer; SIEM Export,standard,180d,all,Security; Finance,true,servers-eu

Exit codes: 0 each line has its key; 1 a line has none, or one that differs from it, and the output
says why; 2 usage error, or a mistake in the list, and nothing was changed.";

/// The result of a line.
struct Outcome<'a> {
    planned: PlannedLine<'a>,
    made: Option<u64>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let listed = args.list.as_deref().map(|path| read_list(args, path)).transpose()?;
    let shared = args.scope_file.as_deref().map(ScopeFile::read).transpose()?;
    let connection = args.connection.resolve()?;
    let sink = if args.dry_run || args.check.check {
        None
    } else {
        Some(sink(args, &connection.new_keys)?)
    };
    announce(&connection);
    let client = connection.client();
    if let Some(exit) = args.check.run(&client, &needs(args, listed.as_deref()))? {
        return Ok(exit);
    }
    let lines = match listed {
        Some(lines) => lines,
        None => users(args, &client)?,
    };
    let record = record_path(args, &client)?;
    let new_keys = new_keys(&lines, shared.as_ref(), &client)?;
    let Some(sink) = sink else {
        let lock = LockFile::read(&record).map_err(|error| lock_failure(&error))?;
        let keys = client.key_list(&[]).map_err(|error| call_failure(&error))?;
        let planned = plan(&lines, &client, &lock, &keys, args.recreate);
        let outcomes: Vec<_> = planned.into_iter().map(Outcome::planned).collect();
        print(args.format, &client, &outcomes, None)?;
        return Ok(exit(&outcomes, true));
    };
    create_folder(&record)?;
    let renewal = Renewal { client: &client, on_step: &on_step };
    let mut provision = Provision::open(renewal, &record).map_err(|error| lock_failure(&error))?;
    let unfinished = provision.finish(now_ms());
    for (name, error) in &unfinished {
        print_note(&format!("{name}:"));
        renew_failure(error, None, "the same command").print();
    }
    let keys = client.key_list(&[]).map_err(|error| call_failure(&error))?;
    let planned = plan(&lines, &client, provision.record(), &keys, args.recreate);
    let mut outcomes: Vec<_> = planned.into_iter().map(Outcome::planned).collect();
    let count = outcomes.iter().filter(|outcome| outcome.planned.state.generates()).count();
    if count > 0 {
        print_note(&as_text(&outcomes, &sink));
        let keys = if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
        args.change.confirm(&format!("Generate {keys} into {sink}?"))?;
    }
    let failed = generate(&mut provision, &mut outcomes, &new_keys, &sink);
    print(args.format, &client, &outcomes, Some(&sink))?;
    match failed {
        Some(error) => Err(stopped(&error, &sink, &outcomes)),
        None if unfinished.is_empty() => Ok(exit(&outcomes, false)),
        None => Ok(Exit::Findings),
    }
}

impl<'a> Outcome<'a> {
    fn planned(planned: PlannedLine<'a>) -> Self {
        Self { planned, made: None }
    }
}

/// Generates keys one after the other, and stops at the first failure: its cause, such as a full
/// disk, would affect every key.
fn generate(
    provision: &mut Provision<'_>,
    outcomes: &mut [Outcome<'_>],
    new_keys: &BTreeMap<&str, NewKey>,
    sink: &Sink,
) -> Option<RenewError> {
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.planned.state.generates()) {
        let line = outcome.planned.line;
        let Some(new) = new_keys.get(line.name.as_str()) else { continue };
        print_note(&format!("{DIM}line {}: {}{DIM:#}", line.number, line.name));
        match provision.generate(&line.name, new, sink, now_ms()) {
            Ok(id) => outcome.made = Some(id.get()),
            Err(error) => return Some(error),
        }
    }
    None
}

fn stopped(error: &RenewError, sink: &Sink, outcomes: &[Outcome<'_>]) -> Failure {
    let made = outcomes.iter().filter(|outcome| outcome.made.is_some()).count();
    let all = outcomes.iter().filter(|outcome| outcome.planned.state.generates()).count();
    let left = all - made;
    renew_failure(error, Some(sink), "the same command")
        .after(format!("{made} of {all} keys are delivered"))
        .help(format!("run the same command again to continue with the remaining {left}"))
}

fn read_list(args: &Args, path: &Path) -> Result<Vec<Line>, Failure> {
    // Opening a pipe that nobody writes would block, and its record would have no list beside it.
    if path.as_os_str() != "-" && path.metadata().is_ok_and(|about| !about.is_file()) {
        let name = path.display();
        return Err(Failure::usage_error(format!("{name}: the list is not a regular file"))
            .help("give `-` and --record FILE to read it from standard input"));
    }
    let bytes = input::read(path, "the list", LIST_BYTES_MAX)?;
    let name = path.display();
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage_error(format!("{name}: the list is not valid UTF-8")))?;
    let lines = read_csv(text, &defaults(args)).map_err(|error| {
        Failure::usage_error(format!("{name}: {error}")).after(NOTHING_CHANGED).help(
            "correct the list, or set empty fields for all lines with --role, --security-level and \
                 --lifetime; --help shows an example",
        )
    })?;
    if args.scope_file.is_some() && lines.iter().any(|line| line.scope.is_some()) {
        return Err(Failure::usage_error("the list has scopes, and so does --scope-file")
            .help("remove --scope-file, or the scope columns of the list"));
    }
    Ok(lines)
}

/// The tenant's users who can sign in.
fn users(args: &Args, client: &Client) -> Result<Vec<Line>, Failure> {
    let mut users = client.users().map_err(|error| call_failure(&error))?;
    users.retain(|user| !user.is_hidden);
    let is_active = |status: &Option<String>| {
        status.as_deref().is_none_or(|status| status.eq_ignore_ascii_case("active"))
    };
    users.retain(|user| is_active(&user.status));
    if let Some(group) = &args.user_group {
        users.retain(|user| user.groups.iter().any(|of| of.group_name == *group));
        if users.is_empty() {
            return Err(Failure::usage_error("no active user is in that user group")
                .help("the name is the group's, as the console shows it"));
        }
    }
    users.sort_by(|one, other| one.user_email.cmp(&other.user_email));
    read_users(&users, &defaults(args)).map_err(|error| {
        Failure::usage_error(format!("the tenant's users: {error}"))
            .after(NOTHING_CHANGED)
            .help("give --role, --security-level and --lifetime, or list the users in a CSV file")
    })
}

const NOTHING_CHANGED: &str = "nothing was changed";

fn defaults(args: &Args) -> Defaults {
    let lifetime = args.lifetime.filter(|ms| *ms > 0).map(KeyEnd::After);
    Defaults {
        roles: args.role.clone(),
        level: args.security_level,
        end: args.expires.map(KeyEnd::At).or(lifetime),
        comment: args.comment.clone(),
    }
}

/// The keys to generate, by name. All of them are checked before anything is changed.
fn new_keys<'a>(
    lines: &'a [Line],
    shared: Option<&ScopeFile>,
    client: &Client,
) -> Result<BTreeMap<&'a str, NewKey>, Failure> {
    let shared = shared.map(|scope| scope.resolve(client)).transpose()?;
    let groups = if lines.iter().any(Line::selects_groups) {
        client.asset_groups().map_err(|error| {
            call_failure(&error).after("the names of asset groups were not looked up")
        })?
    } else {
        Vec::new()
    };
    // Some keys may not read roles, and older products have no such call.
    let roles: Option<Vec<String>> = client
        .roles()
        .ok()
        .map(|roles| roles.iter().map(|role| role.pretty_name.to_string()).collect());
    let now_ms = now_ms();
    let mut new_keys = BTreeMap::new();
    let mut mistakes = Vec::new();
    let mut remedies = BTreeSet::new();
    for line in lines {
        let unknown = |role: &&String| roles.as_ref().is_some_and(|roles| !roles.contains(role));
        if let Some(role) = line.roles.iter().find(unknown) {
            mistakes.push(format!("line {}: the tenant has no role {role:?}", line.number));
        }
        match line.new_key(&groups, now_ms) {
            Ok(mut new) => {
                if let Err(error) = new.check_expiry(now_ms) {
                    mistakes.push(format!("line {}: {error}", line.number));
                }
                new.scope = new.scope.or_else(|| shared.clone());
                new_keys.insert(line.name.as_str(), new);
            }
            Err(error) => {
                let (why, help) = message_and_help(&error);
                mistakes.push(format!("line {}: {why}", line.number));
                remedies.extend(help);
            }
        }
    }
    if mistakes.is_empty() {
        return Ok(new_keys);
    }
    let failure = Failure::usage_error(mistakes.join("\n")).after(NOTHING_CHANGED);
    let failure = remedies.into_iter().fold(failure, Failure::help);
    Err(failure.help("correct the list, and run the same command again"))
}

fn sink(args: &Args, profile: &cortexkey_client::NewKeys) -> Result<Sink, Failure> {
    if let Some(folder) = &args.sink_folder {
        return Ok(Sink::Folder(folder.clone()));
    }
    let given = args.store.sink_store.clone();
    if given.as_ref().is_some_and(StoreSink::is_one_place) {
        return Err(Failure::usage_error("each key of a list needs a destination of its own")
            .help(DESTINATIONS));
    }
    given.map(Sink::Store).or_else(|| profile.sink()).ok_or_else(|| {
        Failure::usage_error(
            "no destination is set for the new keys, and the tenant shows them only once",
        )
        .help(DESTINATIONS)
    })
}

const DESTINATIONS: &str = "give --sink-folder FOLDER or --sink-store URL with {name} in it, or set \
                            sink_store, sink_command or sink_folder in a profile";

fn needs(args: &Args, listed: Option<&[Line]>) -> Vec<Need> {
    let mut needs = vec![(ApiPermission::PublicApiEdit, "to list, generate and delete keys")];
    let has_scopes = args.scope_file.is_some()
        || listed.is_some_and(|lines| lines.iter().any(|line| line.scope.is_some()));
    if has_scopes {
        needs.push((ApiPermission::AccessManagementEdit, "to set their scopes"));
    } else if args.users {
        needs.push((ApiPermission::AccessManagementView, "to list users"));
    }
    needs
}

fn record_path(args: &Args, client: &Client) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.record {
        return Ok(path.clone());
    }
    match args.list.as_deref() {
        Some(list) if list.as_os_str() != "-" => {
            let mut name = OsString::from(list);
            name.push(".lock");
            Ok(name.into())
        }
        Some(_) => {
            Err(Failure::usage_error("a list from standard input needs a file for its record")
                .help("give --record FILE, the same one in each run"))
        }
        None => {
            let folder = state_folder(&|name| std::env::var_os(name)).ok_or_else(|| {
                Failure::usage_error("neither XDG_STATE_HOME nor HOME is set")
                    .help("set one of them to a folder of yours, or give --record FILE")
            })?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            let tenant = client.address().to_string().replace(|c| !is_plain(c), "_");
            Ok(folder.join(tenant).join("users").join("provision.lock"))
        }
    }
}

fn create_folder(record: &Path) -> Result<(), Failure> {
    let Some(folder) = record.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    // Checked first, because creating folders follows links.
    let stays = cortexkey_system::stays(record).map_err(std::io::Error::from);
    stays.and_then(|()| std::fs::create_dir_all(folder)).map_err(|error| {
        let why = io_reason(&error);
        Failure::new(Exit::Findings, format!("cannot create {}: {why}", folder.display()))
    })
}

fn exit(outcomes: &[Outcome<'_>], is_plan: bool) -> Exit {
    let lacks = |outcome: &Outcome<'_>| {
        let state = &outcome.planned.state;
        state.is_open()
            || state.differs()
            || !is_plan && state.generates() && outcome.made.is_none()
    };
    if outcomes.iter().any(lacks) { Exit::Findings } else { Exit::Done }
}

fn print(
    format: Format,
    client: &Client,
    outcomes: &[Outcome<'_>],
    sink: Option<&Sink>,
) -> Result<(), Failure> {
    let out = match (format, sink) {
        (Format::Json, _) => text::json(&as_json(client, outcomes)),
        (Format::Text, None) => {
            outcomes.iter().map(line_text).collect::<String>() + &remedies(outcomes)
        }
        (Format::Text, Some(sink)) => summary(outcomes, sink),
    };
    text::print(&out)?;
    Ok(())
}

fn as_text(outcomes: &[Outcome<'_>], sink: &Sink) -> String {
    let lines: String = outcomes.iter().map(line_text).collect();
    format!("{lines}{DIM}keys go to {sink}{DIM:#}")
}

fn line_text(outcome: &Outcome<'_>) -> String {
    let PlannedLine { line, state } = &outcome.planned;
    let colour = if state.is_open() || state.differs() { BAD } else { GOOD };
    let reason = state.reason();
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    format!(
        "line {}: {colour}{state}{colour:#} {} ({}) {} {}{}{reason}\n",
        line.number,
        line.name,
        one_line(&line.owner),
        line.level,
        one_line(&line.roles.join(", ")),
        match line.end {
            KeyEnd::At(ms) => format!(", until {}", cortexkey_client::time::time_text(ms)),
            KeyEnd::After(ms) => format!(", for {}", lifetime_text(ms)),
        },
    )
}

/// A lifetime in the largest unit that it is a multiple of.
fn lifetime_text(ms: u64) -> String {
    let units = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)];
    let unit = units.into_iter().find(|(_, unit_ms)| ms.is_multiple_of(*unit_ms));
    let (unit, unit_ms) = unit.unwrap_or(("minute", 60_000));
    counted(usize::try_from(ms / unit_ms).unwrap_or(usize::MAX), unit)
}

/// The remedies of the lines that need attention, each once.
fn remedies(outcomes: &[Outcome<'_>]) -> String {
    let all = outcomes.iter().filter(|outcome| outcome.made.is_none());
    let all: BTreeSet<&str> = all.filter_map(|outcome| outcome.planned.state.help()).collect();
    all.into_iter().map(|help| format!(" help: {help}\n")).collect()
}

fn summary(outcomes: &[Outcome<'_>], sink: &Sink) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let PlannedLine { line, state } = &outcome.planned;
        let number = line.number;
        let name = &line.name;
        match (outcome.made, state) {
            (Some(id), _) => out += &format!("line {number}: wrote key {id} of {name} to {sink}\n"),
            (None, state) if state.is_open() || state.differs() => out += &line_text(outcome),
            (None, state) if state.generates() => {
                out += &format!("line {number}: {BAD}no key{BAD:#} for {name} yet\n");
            }
            _ => {}
        }
    }
    if out.is_empty() { "every line has its key\n".to_owned() } else { out + &remedies(outcomes) }
}

fn as_json(client: &Client, outcomes: &[Outcome<'_>]) -> Value {
    let line = |outcome: &Outcome<'_>| {
        let PlannedLine { line, state } = &outcome.planned;
        let mut value = json!({
            "line": line.number,
            "name": line.name,
            "owner": line.owner,
            "roles": line.roles,
            "level": line.level.as_str(),
            "state": if outcome.made.is_some() { "generated" } else { state.as_str() },
            "id": outcome.made.or(state.id()),
        });
        if outcome.made.is_none() && !state.reason().is_empty() {
            value["reason"] = state.reason().into();
        }
        if let Some(help) = state.help().filter(|_| outcome.made.is_none()) {
            value["help"] = help.into();
        }
        if let LineState::InPlace { differs, .. } = state {
            value["differs"] = differs.clone().into();
        }
        value
    };
    json!({
        "version": 1,
        "tenant": client.address().to_string(),
        "lines": outcomes.iter().map(line).collect::<Vec<_>>(),
    })
}
