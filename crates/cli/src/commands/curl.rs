//! `cortexkey curl`: curl with the headers of a key.
//!
//! It refuses to let another process see the headers: curl reads them from a pipe. It refuses what
//! would send them to another host, or twice: any other address, whatever option it hides behind,
//! `--location`, `--next`, `--retry`, and whatever a `.curlrc` says.

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
/// stand neither among its arguments nor in a file. They are good once, for about a minute. A
/// .curlrc is not read: it could name another address, a proxy or a trace file, which would get them.
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
/// Long options of curl that take a value. What does not stand here takes none, so that a word after
/// it is an address, and refused: one that is missing costs a message, one too many the headers.
#[rustfmt::skip]
const LONG_WITH_VALUE: &[&str] = &[
    "abstract-unix-socket", "alt-svc", "aws-sigv4", "cacert", "capath", "cert", "cert-type", "ciphers",
    "connect-timeout", "connect-to", "continue-at", "cookie", "cookie-jar", "create-file-mode",
    "crlfile", "curves", "data", "data-ascii", "data-binary", "data-raw", "data-urlencode",
    "dns-interface", "dns-ipv4-addr", "dns-ipv6-addr", "dns-servers", "doh-url", "dump-header",
    "engine", "etag-compare", "etag-save", "expect100-timeout", "form", "form-string",
    "happy-eyeballs-timeout-ms", "header", "hsts", "interface", "json", "keepalive-time", "key",
    "key-type", "libcurl", "limit-rate", "local-port", "max-filesize", "max-redirs", "max-time",
    "netrc-file", "noproxy", "oauth2-bearer", "output", "output-dir", "pass", "pinnedpubkey",
    "preproxy", "proto", "proto-default", "proxy", "proxy-cacert", "proxy-capath", "proxy-cert",
    "proxy-cert-type", "proxy-ciphers", "proxy-crlfile", "proxy-header", "proxy-key",
    "proxy-key-type", "proxy-pass", "proxy-pinnedpubkey", "proxy-service-name",
    "proxy-tls13-ciphers", "proxy-user", "range", "rate", "referer", "request", "request-target",
    "resolve", "service-name", "socks4", "socks4a", "socks5", "socks5-hostname", "speed-limit",
    "speed-time", "stderr", "time-cond", "tls-max", "tls13-ciphers", "trace", "trace-ascii",
    "trace-config", "unix-socket", "upload-file", "url-query", "user", "user-agent", "variable",
    "write-out",
];
/// What would have curl use the headers again or elsewhere, and why it does not stand here.
const REFUSED: [(&str, Option<char>, &str); 8] = [
    ("--location", Some('L'), "it would carry the headers to another host"),
    ("--location-trusted", None, "it would carry the headers to another host"),
    ("--follow", None, "it would carry the headers to another host"),
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
    check(options)?;
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
    // The user's own .curlrc may name a further address, a proxy or a trace file, any of which
    // would get the headers; curl heeds this only as the first argument. What follows comes before
    // the user's options, which hold.
    curl.args(["-q", "--config", "-", "--max-redirs", "0", "--globoff"])
        .args(options)
        .args(["--url", url]);
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

/// Goes through options as curl does, so that the path is the only address.
fn check(options: &[String]) -> Result<(), Failure> {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let refuse =
            |why| Err(Failure::wrong_use(format!("curl's {option} does not stand here: {why}")));
        // Newer versions fill variables in, `--expand-url` as `--url`.
        let plain = option.replacen("--expand-", "--", 1);
        for (name, letter, why) in REFUSED {
            // Older versions take any beginning of a long name that no other has.
            let is_long = plain == name || plain.len() > 4 && name.starts_with(&plain);
            if is_long || letter.is_some_and(|letter| cluster(&plain).contains(letter)) {
                return refuse(why);
            }
        }
        let value = match value(&plain) {
            Value::None => continue,
            Value::Here(value) => Some(value),
            // Without one, curl says so.
            Value::Next => options.next().map(String::as_str),
            Value::Address => {
                return refuse(
                    "one request is made, to the tenant; what follows an option that \
                               cortexkey does not know is taken for an address",
                );
            }
        };
        let uploads = plain == "--upload-file" || cluster(&plain).ends_with('T');
        if value.is_some_and(|value| value.ends_with("@-") || uploads && value == "-") {
            return refuse("curl's standard input holds the headers; give a file");
        }
    }
    Ok(())
}

/// Where the value of an option is.
enum Value<'a> {
    None,
    Here(&'a str),
    Next,
    /// It is no option.
    Address,
}

fn value(option: &str) -> Value<'_> {
    if let Some(long) = option.strip_prefix("--") {
        return match long {
            // What stands behind it are addresses.
            "" => Value::Address,
            long if LONG_WITH_VALUE.contains(&long) => Value::Next,
            _ => Value::None,
        };
    }
    let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
        return Value::Address;
    };
    match letters.split_once(|letter| WITH_VALUE.contains(letter)) {
        None => Value::None,
        Some((_, "")) => Value::Next,
        Some((_, value)) => Value::Here(value),
    }
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
    use super::{LONG_WITH_VALUE, WITH_VALUE, check};

    fn is_taken(options: &str) -> bool {
        check(&options.split(' ').map(str::to_owned).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn what_leads_elsewhere_or_twice_is_refused() {
        for options in [
            "-L",
            "-sSL",
            "--location",
            "--locat",
            "--location-trusted",
            "--follow",
            "--next",
            "-:",
            "--retry 1",
            "-K file",
            "--url x",
            "--expand-url x",
            "-Z",
            "https://evil.example/x",
            "evil.example",
            "-s evil.example",
            "--silent evil.example",
            "-d {} evil.example",
            "-d{} evil.example",
            "--data {} --silent evil.example",
            "--some-new-option evil.example",
            "-- evil.example",
            "-",
            "-s -",
            "-d @-",
            "-d@-",
            "--data-binary @-",
            "-T -",
            "-T-",
        ] {
            assert!(!is_taken(options), "{options}");
        }
        for options in [
            "-d {}",
            r#"-d {"url":"https://x.example"}"#,
            "-d https://x.example",
            "--proxy http://p.example:1",
            "-sS",
            "--fail -i",
            "-oL",
            "-HL:",
            "-sHX: -o -",
            "--data @file --output answer.json",
            "-X PUT --json {} -w %{http_code}",
            "--data",
        ] {
            assert!(is_taken(options), "{options}");
        }
    }

    /// One option too many in the tables would let an address pass for its value.
    #[test]
    fn the_options_with_a_value_are_those_of_curl() {
        let Ok(help) = std::process::Command::new("curl").args(["--help", "all"]).output() else {
            return;
        };
        let help = String::from_utf8_lossy(&help.stdout);
        for line in help.lines().filter(|line| line.trim_start().starts_with('-')) {
            let mut words = line.split_whitespace().map(|word| word.trim_end_matches(','));
            let first = words.next().unwrap_or_default();
            let long =
                if first.starts_with("--") { first } else { words.next().unwrap_or_default() };
            let takes = words.next().is_some_and(|word| word.starts_with(['<', '[']));
            let name = long.trim_start_matches('-');
            assert!(takes || !LONG_WITH_VALUE.contains(&name), "{line}");
            let letter = first.strip_prefix('-').filter(|rest| rest.len() == 1);
            let is_short = letter.is_some_and(|letter| WITH_VALUE.contains(letter));
            assert!(takes || !is_short || name == "help", "{line}");
        }
    }
}
