//! `cortexkey curl`: curl with the headers of a key.
//!
//! It refuses to let another process see the headers: curl reads them from a pipe. It refuses what
//! would send them to another host, or twice: other addresses, `--location`, `--next`, `--retry`.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use cortexkey_core::auth::Timestamp;

use crate::change::announce;
use crate::commands::sign::{curl_config, curl_line, escaped};
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{Exit, Failure};

/// Run curl with the headers of a key, of either level
///
/// The path comes first, then curl's own options. curl reads the headers from a pipe, so that they
/// stand neither among its arguments nor in a file. They are good once, for about a minute.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// The path of the call, or its whole address, and then curl's options
    #[arg(
        value_name = "PATH [CURL OPTION]…",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey curl -- /api_keys/validate/ -d '{}'
  cortexkey curl --profile prod -- /public_api/v1/healthcheck --silent --include
  cortexkey curl -- /public_api/v1/incidents/get_incidents --data @query.json --output answer.json

Exit codes: 0 curl ended well; 1 it did not (its own code is told), or there is no curl; 2 wrong
use. Without curl's --fail, an answer that refuses is a good end.";

/// Short options of curl that take a value, after which no further option follows in a cluster.
const WITH_VALUE: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
/// Options whose value may be an address.
const TAKES_URL: [&str; 12] = [
    "-x",
    "--proxy",
    "--preproxy",
    "-e",
    "--referer",
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--json",
    "-A",
    "--user-agent",
];
/// What would have curl use the headers again or elsewhere, and why it does not stand here.
const REFUSED: [(&str, Option<char>, &str); 7] = [
    ("--location", Some('L'), "it would carry the headers to another host"),
    ("--location-trusted", None, "it would carry the headers to another host"),
    ("--next", Some(':'), "the headers are good for one request"),
    ("--retry", None, "it would send the same headers twice, and a request is good once"),
    ("--config", Some('K'), "curl reads the headers by it"),
    ("--url", None, "the path comes first"),
    ("--parallel", Some('Z'), "the headers are good for one request"),
];

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    announce(&connection);
    let address = connection.address.value;
    let (path, options) = args
        .arguments
        .split_first()
        .map_or(("", &[][..]), |(path, options)| (path.as_str(), options));
    let path = path.strip_prefix(&address.to_string()).unwrap_or(path);
    let url = address.join(path).map_err(|_| {
        Failure::wrong_use(format!(
            "the first argument is no path of {address}; give it first, then curl's options"
        ))
        .help("cortexkey curl -- /api_keys/validate/ -d '{}'")
    })?;
    let mut before = "";
    for option in options {
        check(before, option)?;
        before = option;
    }
    let now = Timestamp::from_system_time(SystemTime::now()).map_err(|_| {
        Failure::new(Exit::Findings, "the clock of this machine shows no time that can be sent")
    })?;
    let signer = connection.credentials.signer;
    let headers = signer.sign_from_system(now).map_err(|error| {
        Failure::new(Exit::Findings, format!("the system gives no random bytes: {error}"))
    })?;
    let mut config = curl_config(&headers);
    if let Some(child) = &connection.options.child_tenant {
        config += &curl_line("x-child-tenant-id", child.as_str());
    }
    if let Some(path) = &connection.ca_file {
        config += &format!("cacert = \"{}\"\n", escaped(&path.display().to_string()));
    }
    if address.is_loopback() {
        config += "noproxy = \"*\"\n";
    }
    start(&url, options, &config)
}

fn start(url: &str, options: &[String], config: &str) -> Result<Exit, Failure> {
    let mut curl = Command::new("curl");
    // First, so that what the user says comes after and holds.
    curl.args(["--config", "-", "--max-redirs", "0"]).args(options).args(["--url", url]);
    curl.env_remove("CORTEXKEY_API_KEY").env_remove("CORTEXCLOUD_API_KEY");
    let mut child = curl.stdin(Stdio::piped()).spawn().map_err(|error| {
        Failure::new(Exit::Findings, format!("curl cannot be run: {error}"))
            .help("install curl, or use `cortexkey call`")
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whether curl wants it or not, its exit code tells what became of it.
        let _ = stdin.write_all(config.as_bytes());
    }
    let status = child.wait().map_err(|error| {
        Failure::new(Exit::Findings, format!("curl cannot be waited for: {error}"))
    })?;
    match status.code() {
        Some(0) => Ok(Exit::Done),
        Some(code) => Err(Failure::new(Exit::Findings, format!("curl ended with {code}"))
            .help("see EXIT CODES in `man curl`")),
        None => Err(Failure::new(Exit::Findings, "curl was ended by a signal")),
    }
}

/// Whether an argument may stand behind another one.
fn check(before: &str, option: &str) -> Result<(), Failure> {
    let refuse =
        |why: &str| Err(Failure::wrong_use(format!("curl's {option} does not stand here: {why}")));
    for (name, letter, why) in REFUSED {
        // curl takes any beginning of a long name that no other has.
        let is_long = option == name || option.len() > 4 && name.starts_with(option);
        if is_long || letter.is_some_and(|letter| cluster(option).contains(letter)) {
            return refuse(why);
        }
    }
    if option.ends_with("@-") || option == "-" || option == "-T-" {
        return refuse("curl's standard input holds the headers; give a file");
    }
    let is_url = option.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
    });
    if is_url && !TAKES_URL.contains(&before) {
        return refuse("one request is made, to the tenant");
    }
    Ok(())
}

/// The short options in an argument such as `-sSL`, up to the first that takes a value.
fn cluster(option: &str) -> &str {
    let Some(letters) = option.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return "";
    };
    let end = letters.find(|c| WITH_VALUE.contains(c)).map_or(letters.len(), |at| at + 1);
    letters.get(..end).unwrap_or(letters)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_leads_elsewhere_or_twice_is_refused() {
        for option in [
            "-L",
            "-sSL",
            "--location",
            "--locat",
            "--location-trusted",
            "--next",
            "-:",
            "--retry",
            "-K",
            "https://evil.example/x",
            "http://127.0.0.1/",
            "@-",
            "-d@-",
            "-",
            "-Z",
        ] {
            assert!(check("--silent", option).is_err(), "{option}");
        }
        for (before, option) in [
            ("", "-d"),
            ("-d", "{}"),
            ("-d", r#"{"url":"https://x.example"}"#),
            ("-d", "https://x.example"),
            ("--proxy", "http://p.example:1"),
            ("", "-sS"),
            ("", "--fail"),
            ("", "-oL"),
            ("", "-HL: K"),
            ("--data", "@file"),
        ] {
            assert!(check(before, option).is_ok(), "{option}");
        }
    }
}
