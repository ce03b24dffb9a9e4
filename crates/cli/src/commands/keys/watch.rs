//! `cortexkey keys watch`: sends due notices, and publishes metrics and a calendar.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cortexkey_client::time::{duration_ms, now_ms};
use cortexkey_client::watch::{
    DeliveryOutcome, Due, JournalError, NoticeDelivery, NoticeJournal, NoticeMessage, Observation,
    ObservationError, ObservedTenant, Scrape, Sender, TargetState, Threshold, Thresholds,
    WatchedDefinition, WatchedKey, calendar, deliver, metrics,
};
use cortexkey_client::{ChildTenant, Config, NoticeTarget, is_system, state_folder};
use cortexkey_fleet::{Snapshot, State};
use cortexkey_lint::Policy;
use cortexkey_lint::files::DEFAULT_POLICY;
use cortexkey_system::{counted, io_reason};
use serde_json::{Value, json};

use crate::change::print_note;
use crate::commands::definitions::{DefinitionArgs, Target};
use crate::connection::{ConnectionArgs, OF_ONE_TENANT, SETTINGS, call_failure};
use crate::exit::{BoxError, Exit, Failure};
use crate::many::ChildrenArgs;
use crate::text::{BAD, DIM, Format, GOOD};
use crate::{mask, output_file, text};

/// The state file in the state folder.
const STATE: &str = "watch/state.json";
/// The first delay after which `--every` retries; each further one is twice as long.
const AGAIN: Duration = Duration::from_secs(60);

/// Send notices about expiring keys, each once, and publish metrics and a calendar
///
/// Reads the keys of one or several tenants, and their definitions if there are any. Targets are in
/// the configuration (`[targets.NAME]`): Slack, Microsoft Teams, webhooks, mail and files. A notice
/// is due one week before a key expires, one day before, and once it has expired; the policy's
/// `notifyBefore` or --before sets other times. A tenant that cannot be queried causes a notice,
/// too.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(super) struct Args {
    /// Watch the tenants of these profiles: comma-separated names, or `all`
    #[arg(
        long,
        value_name = "all|NAME,…",
        value_delimiter = ',',
        conflicts_with_all = OF_ONE_TENANT,
        help_heading = "Tenant"
    )]
    profiles: Vec<String>,

    #[command(flatten)]
    children: ChildrenArgs,

    #[command(flatten)]
    definitions: DefinitionArgs,

    /// How long before an expiry a notice is due; repeatable [default: the policy's notifyBefore,
    /// or 7d and 1d]
    #[arg(long, value_name = "DURATION")]
    before: Vec<Threshold>,

    /// Send to these targets only: comma-separated names [default: all of the configuration]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    targets: Vec<String>,

    /// Write the metrics to this file, for the node exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// Write the expiries to this iCalendar file
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,

    /// Keep running, and check again after this interval
    #[arg(long, value_name = "DURATION", value_parser = every, conflicts_with = "key_stdin")]
    every: Option<Duration>,

    /// Serve the metrics at this address, such as 127.0.0.1:9464, under /metrics
    #[arg(long, value_name = "ADDRESS", requires = "every")]
    listen: Option<SocketAddr>,

    /// The file that records what was sent [default: watch/state.json in the state folder]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Show what is due; send and write nothing
    #[arg(long, conflicts_with_all = ["metrics", "calendar", "every"])]
    dry_run: bool,

    /// Send a test notice to each target; query no tenant
    #[arg(long, conflicts_with_all = ["metrics", "calendar", "every", "dry_run", "profiles"])]
    test_targets: bool,

    /// Output format; with --every, one line of JSON for each check
    #[arg(long, default_value = "text")]
    format: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey keys watch --dry-run
  cortexkey keys watch --test-targets
  cortexkey keys watch --profiles all --metrics /var/lib/node_exporter/cortexkey.prom
  cortexkey keys watch --profiles prod,test --every 6h --listen 127.0.0.1:9464
  cortexkey keys watch --before 30d --before 7d --calendar keys.ics

A target in the configuration, whose secret comes from a variable, a file or a program:
  [targets.ops]
  kind = \"slack\"
  url_env = \"CORTEXKEY_SLACK_SECRET\"

Exit codes: 0 everything that is due was sent; 1 a tenant could not be queried, definitions could not be
read, or a target could not be reached (the next run retries); 2 usage error.";

/// What one run found and did.
struct WatchResult {
    observations: Vec<Observation>,
    dues: Vec<Due>,
    deliveries: Vec<NoticeDelivery>,
    /// Tenants whose notices no target takes.
    unsent: Vec<String>,
    waiting: usize,
    exit: Exit,
}

impl WatchResult {
    fn nothing(exit: Exit) -> Self {
        let (observations, dues, deliveries, unsent) = Default::default();
        Self { observations, dues, deliveries, unsent, waiting: 0, exit }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let targets = targets(args)?;
    for path in [&args.metrics, &args.calendar].into_iter().flatten() {
        check_output(path)?;
    }
    if args.test_targets {
        return test_targets(args, &targets);
    }
    if args.dry_run {
        let mut journal =
            NoticeJournal::peek(&state_file(args)?).map_err(|error| failure(&error))?;
        let (observations, thresholds) = observe(args)?;
        let dues = journal.take(&observations, &targets, &thresholds, now_ms());
        let exit = exit_of(&observations, &[]);
        let unsent = unsent(&observations, &targets);
        let ran =
            WatchResult { observations, dues, deliveries: Vec::new(), unsent, waiting: 0, exit };
        print(args.format, &ran)?;
        return Ok(ran.exit);
    }
    let mut journal = NoticeJournal::open(&state_file(args)?).map_err(|error| failure(&error))?;
    let Some(every) = args.every else { return Ok(once(args, &targets, &mut journal, None)?.exit) };
    let scrape = args.listen.map(listen).transpose()?;
    // The first run fails on invalid settings; later ones continue in any case.
    let mut ran = Ok(once(args, &targets, &mut journal, scrape.as_ref())?.exit);
    loop {
        let next = Instant::now() + every;
        let mut wait = AGAIN;
        while ran != Ok(Exit::Done) && Instant::now() + wait < next {
            std::thread::sleep(wait);
            wait = wait.saturating_mul(2);
            ran = again(args, &targets, &mut journal, scrape.as_ref());
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        ran = again(args, &targets, &mut journal, scrape.as_ref());
    }
}

fn again(
    args: &Args,
    targets: &[NoticeTarget],
    journal: &mut NoticeJournal,
    scrape: Option<&Scrape>,
) -> Result<Exit, ()> {
    match once(args, targets, journal, scrape) {
        Ok(ran) => Ok(ran.exit),
        Err(failure) => {
            failure.print();
            Err(())
        }
    }
}

/// Queries the tenants, sends what is due, and writes the files.
fn once(
    args: &Args,
    targets: &[NoticeTarget],
    journal: &mut NoticeJournal,
    scrape: Option<&Scrape>,
) -> Result<WatchResult, Failure> {
    let (observations, thresholds) = observe(args)?;
    let now_ms = now_ms();
    let dues = journal.take(&observations, targets, &thresholds, now_ms);
    journal.save().map_err(|error| failure(&error))?;
    let environment = |name: &str| std::env::var_os(name);
    let sender = Sender { environment: &environment, on_secret: mask::remember_key };
    let deliveries = deliver(journal, targets, &sender, now_ms).map_err(|error| failure(&error))?;
    let mut exit = exit_of(&observations, &deliveries);
    let states = states(targets, journal, &deliveries);
    let text = metrics(&observations, &states, journal, now_ms);
    if let Some(scrape) = scrape {
        scrape.publish(&text);
    }
    let published = [
        args.metrics.as_deref().map(|path| write(path, &text)),
        args.calendar.as_deref().map(|path| match calendar(&observations, &thresholds, now_ms) {
            Some(text) => write(path, &text),
            None => Err(kept(path)),
        }),
    ];
    for failure in published.into_iter().flatten().filter_map(Result::err) {
        failure.print();
        exit = Exit::Findings;
    }
    let waiting = journal.waiting().map(|(_, count)| count).sum();
    let unsent = unsent(&observations, targets);
    let ran = WatchResult { observations, dues, deliveries, unsent, waiting, exit };
    print(args.format, &ran)?;
    Ok(ran)
}

/// Queries each tenant. A failure of one does not affect the others.
fn observe(args: &Args) -> Result<(Vec<Observation>, Thresholds), Failure> {
    let mut observations = Vec::new();
    let mut of_policy: Option<Thresholds> = None;
    let profiles = profiles(args)?;
    let are_several = profiles.len() > 1;
    for profile in profiles {
        match targets_of(args, profile.as_deref(), are_several) {
            Ok(found) => {
                for (name, target) in found {
                    let (observation, thresholds) = look_at(args, name, &target)?;
                    observations.push(observation);
                    of_policy = of_policy.or(thresholds);
                }
            }
            Err(failure) if profile.is_none() => return Err(failure),
            Err(failure) => {
                let tenant = profile.unwrap_or_default();
                let place = format!("profile:{tenant}");
                observations.push(Observation {
                    tenant,
                    place,
                    seen: Err(ObservationError(failure.message().to_owned())),
                });
            }
        }
    }
    let thresholds = match args.before.as_slice() {
        [] => of_policy.unwrap_or_default(),
        given => thresholds(given.iter().cloned())?,
    };
    Ok((observations, thresholds))
}

/// What was read of one tenant, and the policy's thresholds if it sets any.
fn look_at(
    args: &Args,
    tenant: String,
    target: &Target,
) -> Result<(Observation, Option<Thresholds>), Failure> {
    let client = &target.client;
    let child = client.child().map(|child| format!("@{}", child.as_str())).unwrap_or_default();
    let place = client.address().to_string() + &child;
    let source = args.definitions.source(target.tenant.as_deref())?;
    let snapshot = match Snapshot::read(client, Some(&source), now_ms()) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let seen = Err(ObservationError(call_failure(&error).message().to_owned()));
            return Ok((Observation { tenant, place, seen }, None));
        }
    };
    let definitions = &snapshot.definitions;
    let is_own = |policy: &&Policy| {
        source.policy.is_some() || policy.path().is_some_and(|path| path != DEFAULT_POLICY)
    };
    let policy = definitions.policy().filter(is_own);
    let before: Vec<u64> = policy.iter().flat_map(|policy| policy.notify_before_ms()).collect();
    let of_policy = (!before.is_empty())
        .then(|| thresholds(before.into_iter().map(Threshold::of_ms)))
        .transpose()?;
    let definitions = match definitions.faults.as_slice() {
        [] => policy.filter(|_| definitions.is_compared()).map(|_| Ok(())),
        faults => Some(Err(ObservationError(faults.join("; ")))),
    };
    let own = snapshot.rows.iter().filter(|row| !is_system(&row.key));
    let keys = own.map(|row| WatchedKey {
        record: row.record.clone(),
        managed: row.managed.as_ref().map(|managed| WatchedDefinition {
            name: managed.name.clone(),
            owner: managed.owner.clone(),
            drift: managed.state == State::Drifted,
        }),
    });
    let sighting = ObservedTenant { keys: keys.collect(), missing: snapshot.unseen, definitions };
    Ok((Observation { tenant, place, seen: Ok(sighting) }, of_policy))
}

fn thresholds(given: impl IntoIterator<Item = Threshold>) -> Result<Thresholds, Failure> {
    Thresholds::new(given).map_err(|error| Failure::from_error(Exit::UsageError, &error))
}

/// A profile's tenant, or its children, with their names.
fn targets_of(
    args: &Args,
    profile: Option<&str>,
    is_one_of_several: bool,
) -> Result<Vec<(String, Target)>, Failure> {
    let connection = match profile {
        None => args.connection.resolve()?,
        Some(name) => args.connection.resolve_profile(name, is_one_of_several)?,
    };
    let host = || connection.address.value.host().to_owned();
    let name = connection.profile.clone().unwrap_or_else(host);
    let tenant = connection.tenant.clone();
    let new_keys = connection.new_keys.clone();
    let known = connection.children.clone();
    let clients = args.children.clients(connection.client(), known)?;
    let target = |client| Target { client, tenant: tenant.clone(), new_keys: new_keys.clone() };
    let named = clients.into_iter().map(|client| {
        let child = client.child().map(ChildTenant::as_str);
        (child.map_or_else(|| name.clone(), |child| format!("{name}@{child}")), target(client))
    });
    Ok(named.collect())
}

/// The profiles; `None` for the one in force.
fn profiles(args: &Args) -> Result<Vec<Option<String>>, Failure> {
    if args.profiles.is_empty() {
        return Ok(vec![None]);
    }
    let config = config()?;
    if args.profiles.iter().any(|name| name == "all") {
        if config.profiles.is_empty() {
            return Err(Failure::usage_error("the configuration has no profile")
                .help("docs/client.md shows one"));
        }
        return Ok(config.profiles.into_keys().map(Some).collect());
    }
    // With a wrong name, a tenant would never be watched.
    for name in &args.profiles {
        if !config.profiles.contains_key(name) {
            let known: Vec<String> = config.profiles.into_keys().collect();
            return Err(Failure::usage_error("there is no such profile")
                .help(format!("the configuration has {}", known.join(", "))));
        }
    }
    let mut names = args.profiles.clone();
    names.sort();
    names.dedup();
    Ok(names.into_iter().map(Some).collect())
}

fn config() -> Result<Config, Failure> {
    Config::load(&|name| std::env::var_os(name)).map_err(|(path, problem)| {
        Failure::usage_error(format!("the configuration {} {problem}", path.display()))
    })
}

/// The targets of the configuration, or those that are named.
fn targets(args: &Args) -> Result<Vec<NoticeTarget>, Failure> {
    let mut targets = config()?.targets;
    let known: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    if let Some(unknown) = args.targets.iter().find(|name| !known.contains(name)) {
        return Err(Failure::usage_error(format!("there is no target `{unknown}`"))
            .help(format!("the configuration has {}", listed(&known))));
    }
    if !args.targets.is_empty() {
        targets.retain(|target| args.targets.contains(&target.name));
    }
    let publishes = args.metrics.is_some() || args.calendar.is_some() || args.listen.is_some();
    if targets.is_empty() && (args.test_targets || !publishes && !args.dry_run) {
        return Err(Failure::usage_error("the configuration has no target").help(
            "add [targets.NAME] (docs/running-keys.md), or give --metrics, --calendar or \
                 --listen",
        ));
    }
    Ok(targets)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn state_file(args: &Args) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.state {
        return Ok(path.clone());
    }
    let folder = state_folder(&|name| std::env::var_os(name)).ok_or_else(|| {
        Failure::usage_error("neither XDG_STATE_HOME nor HOME is set, so the state cannot be saved")
            .help("set one of them, or give --state FILE")
    })?;
    Ok(folder.join(STATE))
}

fn listen(address: SocketAddr) -> Result<Scrape, Failure> {
    let scrape = Scrape::listen(address).map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot listen at {address}: {}", io_reason(&error)))
    })?;
    print_note(&format!("metrics at http://{}/metrics", scrape.address()));
    if !address.ip().is_loopback() {
        print_note(
            "anyone who can reach this address can read the names, owners and roles of keys",
        );
    }
    Ok(scrape)
}

/// Sends a test notice to each target without recording it.
fn test_targets(args: &Args, targets: &[NoticeTarget]) -> Result<Exit, Failure> {
    let environment = |name: &str| std::env::var_os(name);
    let sender = Sender { environment: &environment, on_secret: mask::remember_key };
    let now_ms = now_ms();
    let test = |target: &NoticeTarget| {
        let message = NoticeMessage::test(&target.name, now_ms);
        let outcome = match sender.send(target, &message, now_ms) {
            Ok(()) => DeliveryOutcome::Sent,
            Err(error) if error.may_have_arrived() => DeliveryOutcome::Doubtful(error.to_string()),
            Err(error) => DeliveryOutcome::Failed(error.to_string()),
        };
        NoticeDelivery { target: target.name.clone(), message: message.id, notices: 1, outcome }
    };
    let deliveries: Vec<NoticeDelivery> = targets.iter().map(test).collect();
    let exit = exit_of(&[], &deliveries);
    let ran = WatchResult { deliveries, ..WatchResult::nothing(exit) };
    print(args.format, &ran)?;
    Ok(ran.exit)
}

/// The tenants whose notices no target takes.
fn unsent(observations: &[Observation], targets: &[NoticeTarget]) -> Vec<String> {
    let is_taken =
        |observation: &Observation| targets.iter().any(|target| target.takes(&observation.tenant));
    let unsent = observations.iter().filter(|observation| !is_taken(observation));
    unsent.map(|observation| observation.tenant.clone()).collect()
}

fn states(
    targets: &[NoticeTarget],
    journal: &NoticeJournal,
    deliveries: &[NoticeDelivery],
) -> Vec<TargetState> {
    let failed = |name: &str| {
        let of_target = deliveries.iter().filter(|delivery| delivery.target == name);
        of_target.into_iter().any(|delivery| delivery.outcome != DeliveryOutcome::Sent)
            || journal.waiting().any(|(target, count)| target == name && count > 0)
    };
    let state = |target: &NoticeTarget| TargetState {
        up: !failed(&target.name),
        name: target.name.clone(),
    };
    targets.iter().map(state).collect()
}

fn exit_of(observations: &[Observation], deliveries: &[NoticeDelivery]) -> Exit {
    let is_whole = |observation: &Observation| {
        observation.seen.as_ref().is_ok_and(|sighting| {
            sighting.is_complete() && !matches!(sighting.definitions, Some(Err(_)))
        })
    };
    let is_sent = |delivery: &NoticeDelivery| delivery.outcome == DeliveryOutcome::Sent;
    if observations.iter().all(is_whole) && deliveries.iter().all(is_sent) {
        Exit::Done
    } else {
        Exit::Findings
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    output_file::write(path, text.as_bytes()).map_err(|error: io::Error| {
        let why = io_reason(&error);
        Failure::new(Exit::Findings, format!("cannot write {}: {why}", path.display()))
    })
}

/// Checks, before anything is queried, that a file to write is not a pipe or a device: opening a pipe
/// that nobody reads would block. A folder is reported when it is written.
fn check_output(path: &Path) -> Result<(), Failure> {
    match path.metadata() {
        Ok(about) if !about.is_file() && !about.is_dir() => {
            let name = path.display();
            Err(Failure::usage_error(format!("{name} is not a regular file"))
                .help("give a file that is new or can be replaced"))
        }
        _ => Ok(()),
    }
}

fn kept(path: &Path) -> Failure {
    Failure::new(
        Exit::Findings,
        format!(
            "{} is not updated: a tenant did not return all of its keys, and their events would be lost",
            path.display()
        ),
    )
}

fn failure(error: &JournalError) -> Failure {
    let exit = match error {
        JournalError::Damaged { .. } => Exit::UsageError,
        _ => Exit::Findings,
    };
    Failure::from_error(exit, error)
}

fn print(format: Format, ran: &WatchResult) -> Result<(), Failure> {
    let now_ms = now_ms();
    text::print(&match format {
        Format::Text => as_text(ran, now_ms),
        Format::Json => text::json(&as_json(ran, now_ms)),
    })?;
    Ok(())
}

fn as_text(ran: &WatchResult, now_ms: u64) -> String {
    let mut out = String::new();
    for observation in &ran.observations {
        let tenant = &observation.tenant;
        match &observation.seen {
            Err(reason) => out += &format!("{tenant}: {BAD}no response{BAD:#}: {reason}\n"),
            Ok(sighting) => {
                out += &format!("{tenant}: {} keys\n", sighting.keys.len());
                if sighting.missing > 0 {
                    let missing = sighting.missing;
                    out += &format!("{tenant}: {BAD}{missing} keys could not be read{BAD:#}\n");
                }
                if let Some(Err(reason)) = &sighting.definitions {
                    out += &format!("{tenant}: {BAD}definitions not read{BAD:#}: {reason}\n");
                }
            }
        }
    }
    for due in &ran.dues {
        out += &format!("due: {}\n", due.notice.text(now_ms));
    }
    for tenant in &ran.unsent {
        out += &format!(
            "{tenant}: {BAD}no target is configured{BAD:#}, so its notices are not sent\n"
        );
    }
    for delivery in &ran.deliveries {
        let NoticeDelivery { target, notices, outcome, .. } = delivery;
        let colour = if *outcome == DeliveryOutcome::Sent { GOOD } else { BAD };
        let notices = counted(*notices, "notice");
        let outcome = outcome.to_string().replace("\nhelp: ", "\n help: ");
        out += &format!("{target}: {notices} {colour}{outcome}{colour:#}\n");
    }
    if ran.waiting > 0 {
        let wait = if ran.waiting == 1 { " waits" } else { "s wait" };
        out += &format!("{DIM}{} notice{wait} for the next run{DIM:#}\n", ran.waiting);
    } else if ran.dues.is_empty() && ran.deliveries.is_empty() {
        out += "nothing is due\n";
    }
    out
}

fn as_json(ran: &WatchResult, now_ms: u64) -> Value {
    let tenant = |observation: &Observation| match &observation.seen {
        Err(reason) => {
            json!({ "tenant": observation.tenant, "queried": false, "reason": reason.0 })
        }
        Ok(sighting) => {
            let mut value = json!({
                "tenant": observation.tenant,
                "queried": true,
                "keys": sighting.keys.len(),
                "unreadable": sighting.missing,
            });
            if let Some(Err(reason)) = &sighting.definitions {
                value["definitionsReason"] = reason.0.clone().into();
            }
            if sighting.has_definitions() {
                let unmanaged = sighting.keys.iter().filter(|key| key.managed.is_none()).count();
                let drifted = sighting
                    .keys
                    .iter()
                    .filter(|key| key.managed.as_ref().is_some_and(|managed| managed.drift));
                value["unmanaged"] = unmanaged.into();
                value["drifted"] = drifted.count().into();
            }
            value
        }
    };
    let delivery = |delivery: &NoticeDelivery| {
        let mut value = json!({
            "target": delivery.target,
            "message": delivery.message,
            "notices": delivery.notices,
            "outcome": delivery.outcome.as_str(),
        });
        if let Some(reason) = delivery.outcome.reason() {
            match reason.split_once("\nhelp: ") {
                Some((reason, help)) => {
                    value["reason"] = reason.into();
                    value["help"] = help.into();
                }
                None => value["reason"] = reason.into(),
            }
        }
        value
    };
    json!({
        "version": 1,
        "tenants": ran.observations.iter().map(tenant).collect::<Vec<_>>(),
        "due": ran.dues.iter().map(|due| due.notice.json(now_ms)).collect::<Vec<_>>(),
        "deliveries": ran.deliveries.iter().map(delivery).collect::<Vec<_>>(),
        "withoutTarget": ran.unsent,
        "waiting": ran.waiting,
    })
}

/// At least a minute: tenants limit their callers.
fn every(text: &str) -> Result<Duration, BoxError> {
    match duration_ms(text)? {
        ms @ 60_000.. => Ok(Duration::from_millis(ms)),
        _ => Err("expected at least one minute".into()),
    }
}
