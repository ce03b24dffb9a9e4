//! `cortexkey quickstart`: the main workflow from start to end, on its own emulator.

mod wire;

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::Stdio;
use std::time::{Instant, SystemTime};

use cortexkey_client::{Client, ClientOptions, Method};
use cortexkey_core::address::{Address, VALIDATE_PATH};
use cortexkey_core::auth::{Headers, Key, KeyId, Level, Signer, Timestamp};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Corpus, CorpusFile, Policy, Report};
use cortexkey_tenant::{Options, SeededKey, Tenant};
use jiff::SignedDuration;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::text::{self, BAD, BOLD, DIM, GOOD};

const ROLE: &str = "Viewer";
const LIFETIME_DAYS: i64 = 30;

/// See cortexkey work: a signed call and a linted key, on a local emulator
///
/// Takes a few seconds, needs no setup, and leaves nothing behind.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    text::print(&format!("{BOLD}cortexkey {version}{BOLD:#}: a signed call and a linted key\n"))?;
    let tenant = start_tenant()?;
    let admin = admin_client(&tenant)?;
    let signer = generate(&admin)?;
    let address = admin.address();
    sign_and_call(address, &signer)?;
    call_with_curl(address, &tenant, &signer)?;
    tenant.stop();
    lint()?;
    try_next()?;
    Ok(Exit::Done)
}

fn start_tenant() -> Result<Tenant, Failure> {
    heading(1, "Start a local tenant")?;
    let start = Instant::now();
    let options = Options { explain: true, ..Options::default() };
    let tenant = Tenant::start(options).map_err(|error| unexpected(&error))?;
    let took_ms = start.elapsed().as_secs_f64() * 1000.0;
    text::print(&format!(
        "   {}, ready in {took_ms:.0} ms; an emulator: nothing leaves this machine\n",
        tenant.url()
    ))?;
    Ok(tenant)
}

/// The seeded Advanced key has the role Instance Administrator, like the first key of a real
/// tenant.
fn admin_client(tenant: &Tenant) -> Result<Client, Failure> {
    let seeded =
        tenant.seeded_keys().ok_or_else(|| unexpected(&"the emulator generated no keys"))?;
    let address: Address = tenant.url().parse().map_err(|error| unexpected(&error))?;
    Ok(Client::new(address, signer_of(&seeded.advanced)?, ClientOptions::default()))
}

fn generate(admin: &Client) -> Result<Signer, Failure> {
    heading(2, "Generate an Advanced key with a role, a scope and an expiry")?;
    let expires = jiff::Timestamp::now() + SignedDuration::from_hours(24 * LIFETIME_DAYS);
    let reply = request(
        admin,
        Method::Post,
        "/public_api/v1/api_keys/generate",
        &json!({
            "roles": [ROLE],
            "security_level": "advanced",
            "expiration": expires.as_millisecond(),
            "comment": "made by quickstart",
        }),
    )?;
    let id = reply["reply"]["id"].as_u64().and_then(KeyId::new);
    let id = id.ok_or_else(|| unexpected(&"the emulator returned no key id"))?;
    let Value::String(key) = &reply["reply"]["key"] else {
        return Err(unexpected(&"the emulator returned no key"));
    };
    let key = Zeroizing::new(key.clone());
    let signer = Key::new(key.as_bytes()).map_err(|error| unexpected(&error))?;
    let signer = Signer::new(id, Level::Advanced, signer);
    request(
        admin,
        Method::Put,
        &format!("/platform/iam/v1/scope/api-key/{id}"),
        &json!({
            "assets": { "mode": "scope", "asset_group_ids": [16] },
            "cases_issues": {
                "mode": "scope",
                "names": ["Security"],
                "include_cases_issues_empty_entities": false,
            },
            "endpoints": {
                "endpoint_groups": { "mode": "no_scope", "names": [] },
                "endpoint_tags": { "mode": "no_scope", "names": [] },
            },
        }),
    )?;
    text::print(&format!(
        "   role     {ROLE}\n\
         \x20  scope    asset group prod-eu; cases and issues of the domain Security; no endpoints\n\
         \x20  expires  {}, {LIFETIME_DAYS} days from now\n\
         \x20  Key {id} has {} characters; the tenant shows them once, and they are not printed here\n",
        expires.strftime("%Y-%m-%d"),
        key.len(),
    ))?;
    Ok(signer)
}

fn sign_and_call(address: &Address, signer: &Signer) -> Result<(), Failure> {
    heading(3, "Sign a request: four headers, valid once")?;
    let headers = sign(signer)?;
    for (name, value) in headers.iter() {
        text::print(&format!("   {name}: {value}\n"))?;
    }

    heading(4, "Make the first API call")?;
    let answer = wire::post(address, VALIDATE_PATH, &headers)?;
    show(&answer)?;
    expect(answer.status == 200, "the tenant refused a good request")?;

    heading(5, "Replay the same headers, as an attacker could")?;
    let answer = wire::post(address, VALIDATE_PATH, &headers)?;
    show(&answer)?;
    expect(answer.status == 401, "the tenant accepted a replay")
}

/// Both levels through curl; the vendor's guide says that curl cannot use Advanced keys.
fn call_with_curl(address: &Address, tenant: &Tenant, advanced: &Signer) -> Result<(), Failure> {
    heading(6, "Call with curl, with a Standard and an Advanced key")?;
    if !curl_is_there() {
        return Ok(text::print("   curl is not installed; this step is skipped\n")?);
    }
    let url = address.join(VALIDATE_PATH).map_err(|error| unexpected(&error))?;
    text::print(&format!(
        "   {DIM}cortexkey sign --format curl | curl -K - -d '{{}}' {url}{DIM:#}\n"
    ))?;
    let seeded =
        tenant.seeded_keys().ok_or_else(|| unexpected(&"the emulator generated no keys"))?;
    let standard = signer_of(&seeded.standard)?;
    for signer in [&standard, advanced] {
        let (status, body) = curl(&url, &sign(signer)?)?;
        let level = signer.level();
        text::print(&format!("   {level:9} {}\n", in_colour(status == "200", &status, &body)))?;
        expect(status == "200", "the tenant refused curl")?;
    }
    Ok(())
}

fn lint() -> Result<(), Failure> {
    heading(7, "Lint three key definitions against a policy")?;
    text::print(&format!("   {DIM}cortexkey lint, on the files in policies/quickstart{DIM:#}\n"))?;
    let report = lint_example().ok_or_else(|| unexpected(&"the linter did not run"))?;
    let mut indented = String::new();
    for line in report.render(Format::Human, std::io::stdout().is_terminal()).lines() {
        let indent = if line.is_empty() { "" } else { "   " };
        let _ = writeln!(indented, "{indent}{line}");
    }
    text::print(&indented)?;
    expect(report.findings.len() == 2, "the linter did not report the two mistakes")
}

/// From memory, so that an interrupted run leaves no files.
fn lint_example() -> Option<Report> {
    let now = cortexkey_lint::files::now(None, None).ok()?;
    let limits = cortexkey_lint::files::Options::new("", now).limits;
    let ((path, policy), keys) = cortexkey_lint::example::FILES.split_first()?;
    let policy = Policy::from_text(path, policy);
    let file =
        |(path, text): &(&str, &str)| CorpusFile::new(*path, text.as_bytes().into(), &limits);
    let corpus = Corpus { files: keys.iter().map(file).collect(), ..Corpus::default() };
    Some(cortexkey_lint::lint(&corpus, &policy, now))
}

fn try_next() -> Result<(), Failure> {
    // `cargo run` sets this variable.
    let name = if std::env::var_os("CARGO").is_some() { "cargo run --" } else { "cortexkey" };
    text::print(&format!(
        "\n{BOLD}Try next{BOLD:#}\n\
         \x20  {name} tenant --explain   call a local tenant from your own code\n\
         \x20  {name} tenant --console   see its API Keys page in a browser\n\
         \x20  {name} lint --help        lint your own key definitions\n\
         \x20  {name} ping --help        check a key of a real tenant\n"
    ))?;
    Ok(())
}

fn heading(number: u8, title: &str) -> Result<(), Failure> {
    Ok(text::print(&format!("\n{BOLD}{number}. {title}{BOLD:#}\n"))?)
}

fn show(answer: &wire::Answer) -> Result<(), Failure> {
    let accepted = answer.status == 200;
    let mut shown = in_colour(accepted, &answer.status.to_string(), &answer.body);
    if let (Some(verdict), Some(remedy)) = (&answer.verdict, &answer.remedy)
        && !accepted
    {
        let _ = write!(shown, "\n   why: {verdict}; {remedy}");
    }
    Ok(text::print(&format!("   POST {VALIDATE_PATH}  {shown}\n"))?)
}

fn in_colour(accepted: bool, status: &str, body: &str) -> String {
    let colour = if accepted { GOOD } else { BAD };
    let word = if accepted { "accepted" } else { "refused" };
    format!("{colour}{status} {word}{colour:#}  {DIM}{body}{DIM:#}")
}

fn sign(signer: &Signer) -> Result<Headers<'_>, Failure> {
    let now = Timestamp::from_system_time(SystemTime::now()).map_err(|error| unexpected(&error))?;
    signer.sign_from_system(now).map_err(|error| unexpected(&error))
}

fn signer_of(seeded: &SeededKey) -> Result<Signer, Failure> {
    let key = Key::new(seeded.expose().as_bytes()).map_err(|error| unexpected(&error))?;
    Ok(Signer::new(seeded.id(), seeded.level(), key))
}

fn request(client: &Client, method: Method, path: &str, data: &Value) -> Result<Value, Failure> {
    let body = json!({ "request_data": data }).to_string();
    let response = client.call(method, path, Some(body.as_bytes()));
    response.and_then(|response| response.json()).map_err(|error| unexpected(&error))
}

fn curl_is_there() -> bool {
    let mut probe = cortexkey_system::command("curl");
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Status and body of a call through curl. It reads the headers from standard input, where no other
/// process sees them.
fn curl(url: &str, headers: &Headers<'_>) -> Result<(String, String), Failure> {
    use std::io::Write as _;
    let mut curl = cortexkey_system::command("curl");
    // `-q` comes first: no user configuration changes the call.
    curl.args(["-q", "-sS", "--noproxy", "*", "--max-time", "5", "-K", "-", "-d", "{}"]);
    curl.args(["-w", "\n%{http_code}", url]);
    curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = curl.spawn().map_err(|error| unexpected(&error))?;
    if let Some(stdin) = &mut child.stdin {
        let config = Zeroizing::new(super::sign::curl_config(headers));
        stdin.write_all(config.as_bytes()).map_err(|error| unexpected(&error))?;
    }
    let output = child.wait_with_output().map_err(|error| unexpected(&error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", ""));
    Ok((status.to_owned(), body.trim().to_owned()))
}

fn expect(as_it_should: bool, otherwise: &str) -> Result<(), Failure> {
    if as_it_should { Ok(()) } else { Err(unexpected(&otherwise)) }
}

/// A step failed: a bug in this program, or a machine without loopback.
fn unexpected(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Findings, format!("quickstart cannot continue: {error}"))
        .help("this should not happen; please report it with the output above")
}
