//! The allow-list of curl options that `cortexkey curl` passes on.
//!
//! The arguments are parsed once, here. curl gets each option by its long name with its value as a
//! separate argument, so that clusters, abbreviations and changes in later curl versions cannot
//! alter their meaning. An option that is not in the table is refused. Options that print the
//! request's headers, send them twice or add others are not in the table; options that choose
//! another connection need `--allow-other-connection`.

use std::path::{Path, PathBuf};

/// The value of an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    /// No value.
    Nothing,
    /// A string without control characters, or a file to write.
    Text,
    /// Any string.
    Any,
    /// A request method.
    Method,
    /// A header other than ours and those that route or frame the request.
    Header,
    /// A body; `@FILE` reads a file.
    Body,
    /// A form field; `@FILE` and `<FILE` read a file.
    Form,
    /// A file to read.
    File,
}

/// When an option is passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Always: it changes neither the peer nor who can read the headers.
    Always,
    /// With `--allow-other-connection`: it changes the peer, the route to it, or which certificates
    /// are trusted.
    OtherConnection,
}

type Row = (&'static str, Option<char>, ValueKind, When);

use ValueKind::{Any, Body, File, Form, Header, Method, Nothing, Text};
use When::{Always, OtherConnection};

/// Every option that is passed on, by its long name.
const TABLE: &[Row] = &[
    // The request.
    ("data", Some('d'), Body, Always),
    ("data-ascii", None, Body, Always),
    ("data-binary", None, Body, Always),
    ("data-raw", None, Any, Always),
    ("data-urlencode", None, Body, Always),
    ("form", Some('F'), Form, Always),
    ("form-string", None, Any, Always),
    ("get", Some('G'), Nothing, Always),
    ("head", Some('I'), Nothing, Always),
    ("header", Some('H'), Header, Always),
    ("json", None, Body, Always),
    ("range", Some('r'), Text, Always),
    ("referer", Some('e'), Text, Always),
    ("request", Some('X'), Method, Always),
    ("upload-file", Some('T'), File, Always),
    ("url-query", None, Body, Always),
    ("user-agent", Some('A'), Text, Always),
    // The answer.
    ("compressed", None, Nothing, Always),
    ("create-dirs", None, Nothing, Always),
    ("dump-header", Some('D'), Text, Always),
    ("fail", Some('f'), Nothing, Always),
    ("fail-with-body", None, Nothing, Always),
    ("include", Some('i'), Nothing, Always),
    ("max-filesize", None, Text, Always),
    ("no-buffer", Some('N'), Nothing, Always),
    ("no-progress-meter", None, Nothing, Always),
    ("output", Some('o'), Text, Always),
    ("output-dir", None, Text, Always),
    ("progress-bar", Some('#'), Nothing, Always),
    ("remote-name", Some('O'), Nothing, Always),
    ("show-error", Some('S'), Nothing, Always),
    ("silent", Some('s'), Nothing, Always),
    ("write-out", Some('w'), Body, Always),
    // The connection to the tenant.
    ("connect-timeout", None, Text, Always),
    ("expect100-timeout", None, Text, Always),
    ("globoff", Some('g'), Nothing, Always),
    ("http1.0", Some('0'), Nothing, Always),
    ("http1.1", None, Nothing, Always),
    ("http2", None, Nothing, Always),
    ("ipv4", Some('4'), Nothing, Always),
    ("ipv6", Some('6'), Nothing, Always),
    ("keepalive-time", None, Text, Always),
    ("limit-rate", None, Text, Always),
    ("max-time", Some('m'), Text, Always),
    ("pinnedpubkey", None, Text, Always),
    ("speed-limit", Some('Y'), Text, Always),
    ("speed-time", Some('y'), Text, Always),
    ("tlsv1.2", None, Nothing, Always),
    ("tlsv1.3", None, Nothing, Always),
    // Another connection.
    ("abstract-unix-socket", None, Text, OtherConnection),
    ("cacert", None, Text, OtherConnection),
    ("capath", None, Text, OtherConnection),
    ("cert", Some('E'), Text, OtherConnection),
    ("cert-type", None, Text, OtherConnection),
    ("connect-to", None, Text, OtherConnection),
    ("dns-interface", None, Text, OtherConnection),
    ("dns-ipv4-addr", None, Text, OtherConnection),
    ("dns-ipv6-addr", None, Text, OtherConnection),
    ("dns-servers", None, Text, OtherConnection),
    ("doh-url", None, Text, OtherConnection),
    ("insecure", Some('k'), Nothing, OtherConnection),
    ("interface", None, Text, OtherConnection),
    ("key", None, Text, OtherConnection),
    ("key-type", None, Text, OtherConnection),
    ("local-port", None, Text, OtherConnection),
    ("noproxy", None, Text, OtherConnection),
    ("preproxy", None, Text, OtherConnection),
    ("proxy", Some('x'), Text, OtherConnection),
    ("proxy-cacert", None, Text, OtherConnection),
    ("proxy-capath", None, Text, OtherConnection),
    ("proxy-insecure", None, Nothing, OtherConnection),
    ("proxy-user", Some('U'), Text, OtherConnection),
    ("proxytunnel", Some('p'), Nothing, OtherConnection),
    ("resolve", None, Text, OtherConnection),
    ("socks4", None, Text, OtherConnection),
    ("socks4a", None, Text, OtherConnection),
    ("socks5", None, Text, OtherConnection),
    ("socks5-hostname", None, Text, OtherConnection),
    ("unix-socket", None, Text, OtherConnection),
];

/// Headers that a user may not set: ours, other credentials, and those that route or frame a
/// request.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const RESERVED_PREFIXES: &[&str] = &["proxy-", "x-child-tenant-", "x-forwarded-", "x-xdr-"];

/// An option that is not passed on, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) help: &'static str,
}

/// curl's arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Whether they set a proxy or its exceptions.
    pub(super) chooses_proxy: bool,
}

/// Parses the options of one call.
pub(super) fn read(given: &[String], other_connection: bool) -> Result<Options, Refused> {
    let mut options = Options::default();
    let mut given = given.iter().map(String::as_str);
    while let Some(argument) = given.next() {
        if let Some(name) = argument.strip_prefix("--") {
            let row = TABLE.iter().find(|row| row.0 == name);
            let row = permitted(row, argument, other_connection)?;
            take(row, None, &mut given, &mut options)?;
            continue;
        }
        let Some(letters) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            return Err(not_an_option());
        };
        for (at, letter) in letters.char_indices() {
            let row = TABLE.iter().find(|row| row.1 == Some(letter));
            let row = permitted(row, &format!("-{letter}"), other_connection)?;
            let rest = &letters[at + letter.len_utf8()..];
            let attached = Some(rest).filter(|rest| row.2 != Nothing && !rest.is_empty());
            take(row, attached, &mut given, &mut options)?;
            if row.2 != Nothing {
                break;
            }
        }
    }
    Ok(options)
}

fn permitted<'a>(
    row: Option<&'a Row>,
    name: &str,
    other_connection: bool,
) -> Result<&'a Row, Refused> {
    let row = row.ok_or_else(|| Refused {
        message: format!("curl's option {name} is not passed on: {}", reason(name)),
        help: "docs/client.md lists the options that are passed on (Calls with curl)",
    })?;
    if row.3 == OtherConnection && !other_connection {
        return Err(Refused {
            message: format!(
                "curl's option {name} would send the key over a connection that is less protected"
            ),
            help: "give --allow-other-connection before the path if that is what you want",
        });
    }
    Ok(row)
}

/// Why a common curl option is not in the table.
fn reason(name: &str) -> &'static str {
    match name {
        "-L" | "--location" | "--location-trusted" | "--follow" => {
            "it would send the headers to another host"
        }
        "-:" | "--next" | "-Z" | "--parallel" | "--retry" | "--no-globoff" => {
            "it would send the same headers again, and they are valid for one request"
        }
        "-v" | "--verbose" | "--trace" | "--trace-ascii" | "--libcurl" => {
            "it prints the headers, with the key or its digest (--include prints the response's headers)"
        }
        "-K" | "--config" | "--url" | "--" => "the path is the first argument, and the only URL",
        "-u" | "--user" | "--netrc" | "-n" | "--oauth2-bearer" => {
            "it would send another Authorization header"
        }
        _ => "it is not known to keep the headers within one request to the tenant",
    }
}

fn not_an_option() -> Refused {
    Refused {
        message: "an argument after the path is not a curl option, and the path is the only URL"
            .to_owned(),
        help: "write the value of an option right after it",
    }
}

fn take<'a>(
    row: &Row,
    attached: Option<&'a str>,
    rest: &mut impl Iterator<Item = &'a str>,
    options: &mut Options,
) -> Result<(), Refused> {
    let name = row.0;
    let takes = row.2;
    options.chooses_proxy |= name.contains("proxy") || name.starts_with("socks");
    options.arguments.push(format!("--{name}"));
    if takes == Nothing {
        return Ok(());
    }
    let value = attached.or_else(|| rest.next()).ok_or_else(|| Refused {
        message: format!("curl's option --{name} takes a value"),
        help: "write the value right after it",
    })?;
    if let Err(why) = check(takes, value) {
        return Err(Refused {
            message: format!("the value of curl's option --{name} is not passed on: {why}"),
            help: "docs/client.md lists the values that are passed on (Calls with curl)",
        });
    }
    options.arguments.push(value.to_owned());
    Ok(())
}

fn check(takes: ValueKind, value: &str) -> Result<(), &'static str> {
    const STDIN: &str = "curl's standard input carries the headers, so the value must be a file";
    let fault = match takes {
        Nothing | Any => None,
        // Within a header they would start another header.
        Text => Some("it contains control characters").filter(|_| value.contains(char::is_control)),
        Method => Some("a method is a word of letters")
            .filter(|_| value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphabetic())),
        Header => header_fault(value),
        File => Some(STDIN).filter(|_| is_stdin(value) || value == "."),
        Body => Some(STDIN).filter(|_| value.split_once('@').is_some_and(|(_, at)| is_stdin(at))),
        Form => {
            let content = value.split_once('=').map_or("", |(_, content)| content);
            let files = content.strip_prefix(['@', '<']).unwrap_or_default();
            let mut files = files.split([',', ';']).map(|file| file.trim_matches('"'));
            Some(STDIN).filter(|_| files.any(is_stdin))
        }
    };
    fault.map_or(Ok(()), Err)
}

/// curl takes `Name: value`, `Name;` for an empty value, and `Name:` to remove a header.
fn header_fault(value: &str) -> Option<&'static str> {
    if value.contains(char::is_control) {
        return Some("a header is one line");
    }
    let name = value.split([':', ';']).next().unwrap_or_default();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() == value.len() || !name.bytes().all(is_token) {
        return Some("a header is `Name: value`");
    }
    let name = name.to_ascii_lowercase();
    let is_reserved = RESERVED_HEADERS.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_reserved.then_some("the signer sets this header, or it decides where the request goes")
}

/// Whether a file is standard input by another name.
fn is_stdin(file: &str) -> bool {
    if file == "-" {
        return true;
    }
    let mut path = PathBuf::from(file);
    // Follows links such as /dev/stdin, at least as many as the system follows.
    for _ in 0..40 {
        let is_descriptor = path.parent().is_some_and(|folder| folder.ends_with("fd"));
        if is_descriptor && path.file_name().is_some_and(|name| name == "0") {
            return true;
        }
        let Ok(next) = path.read_link() else { return false };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Options that would send the headers elsewhere, send them twice, log them, or add other
    /// credentials.
    const REFUSED: &[&str] = &[
        // Elsewhere.
        "-L",
        "-sSL",
        "--location",
        "--locat",
        "--location-trusted",
        "--follow",
        "--url x",
        "--ur x",
        "--expand-url x",
        "-K file",
        "-sK/dev/null",
        "--conf /dev/null",
        "https://evil.example/x",
        "-s evil.example",
        "-d {} evil.example",
        "-d{} evil.example",
        "--some-new-option evil.example",
        "-- evil.example",
        "-",
        "--connect-to ::evil.example:443",
        "--resolve a:1:127.0.0.1",
        "-x http://evil.example",
        "-sxhttp://evil.example",
        "--proxy http://evil.example",
        "--noproxy x",
        "--preproxy x",
        "--socks5 x",
        "--socks5-hostname x",
        "--socks4 x",
        "--socks4a x",
        "--unix-socket x",
        "--abstract-unix-socket x",
        "--interface lo",
        "--doh-url https://evil.example",
        "--dns-servers 1.1.1.1",
        "--alt-svc x",
        "--proto-redir =http",
        "--proto =http",
        "--proto-default http",
        "--request-target http://evil.example/",
        "-k",
        "--insecure",
        "--cacert x",
        "--capath x",
        "--haproxy-protocol",
        "--haproxy-clientip 1.1.1.1",
        "--ipfs-gateway http://evil.example",
        "--variable x@-",
        "--expand-data {{x}}",
        "--ech true",
        "--ssl-sessions x",
        // Twice.
        "--next",
        "--nex",
        "-:",
        "--retry 1",
        "--retry-all-errors",
        "-Z",
        "--parallel",
        "--no-globoff",
        "--no-glob",
        // Printed.
        "-v",
        "-sv",
        "--verbose",
        "--trace -",
        "--trace-ascii %",
        "--trace-config all",
        "--libcurl -",
        // Another identity.
        "-u a:b",
        "-n",
        "--netrc-file x",
        "--oauth2-bearer x",
        "--digest",
        "--anyauth",
        "--aws-sigv4 x",
        "-b x",
        "-c -",
        "-H Authorization:x",
        "-H authorization;",
        "-H X-XDR-NONCE:x",
        "-H Host:evil.example",
        "-HHost:evil.example",
        "-H Proxy-Authorization:x",
        "-H X-Forwarded-Host:x",
        "-H Transfer-Encoding:chunked",
        "-H Content-Length:0",
        "-H Connection:close",
        "-H @file",
        "-H Name",
        "-H :authority:x",
        "-H Na\tme:x",
        "-H A:b\r\nHost:evil.example",
        "-X GET\thttp://evil.example/",
        "-X",
        "-A a\r\nHost:x",
        "-A a\nHost:x",
        "-e a\nHost:x",
        // Standard input.
        "-d @-",
        "-d@-",
        "-d @/dev/stdin",
        "-d @/dev/fd/0",
        "-d @/proc/self/fd/0",
        "--data-binary @-",
        "--data-urlencode a@-",
        "-T -",
        "-T-",
        "-T .",
        "-T /dev/stdin",
        "-F x=<-",
        "-F x=@-",
        "-F x=@a,-",
        "-w @-",
        "--json @-",
        "--data",
    ];

    fn words(options: &str) -> Vec<String> {
        options.split(' ').map(str::to_owned).collect()
    }

    fn passed(options: &str) -> Option<String> {
        read(&words(options), false).ok().map(|options| options.arguments.join(" "))
    }

    #[test]
    fn curl_options_that_leave_the_tenant_are_refused() {
        for options in REFUSED {
            assert_eq!(passed(options), None, "{options}");
        }
        for (options, expected) in [
            ("-d {}", "--data {}"),
            ("-sSd{}", "--silent --show-error --data {}"),
            ("-d https://x.example", "--data https://x.example"),
            ("-d -L", "--data -L"),
            ("-oL", "--output L"),
            ("-sHX:1", "--silent --header X:1"),
            ("--fail -i", "--fail --include"),
            ("--data @file --output answer.json", "--data @file --output answer.json"),
            (
                "-X PUT --json {} -w %{http_code}",
                "--request PUT --json {} --write-out %{http_code}",
            ),
            ("-d user@example.com", "--data user@example.com"),
            ("-F x=a,b", "--form x=a,b"),
            ("--data-raw @-", "--data-raw @-"),
        ] {
            assert_eq!(passed(options).as_deref(), Some(expected), "{options}");
        }
    }

    #[test]
    fn another_connection_needs_permission_and_never_shows_or_repeats_headers() {
        for row in TABLE.iter().filter(|row| row.3 == OtherConnection) {
            let value = if row.2 == Nothing { "" } else { " x" };
            let option = format!("--{}{value}", row.0);
            let refused = read(&words(&option), false).unwrap_err();
            assert!(refused.help.contains("--allow-other-connection"), "{option}");
            assert_eq!(read(&words(&option), true).unwrap().arguments.join(" "), option);
        }
        for option in ["-v", "--trace -", "--libcurl -", "-L", "--next", "--retry 1", "-u a:b"] {
            assert!(read(&words(option), true).is_err(), "{option}");
        }
    }

    /// If the table and curl disagree on whether an option takes a value, curl uses the value as an
    /// address, or the reverse. So every curl on the search path, or in the folders of
    /// `CORTEXKEY_CURLS`, is asked which options take a value. curl rejects an unknown option
    /// unless it is a prefix of another.
    #[test]
    fn the_option_table_matches_curl() {
        let list = std::env::var_os("CORTEXKEY_CURLS").unwrap_or_default();
        let curls = std::env::split_paths(&list).map(|folder| folder.join("curl"));
        for curl in curls.chain([PathBuf::from("curl")]) {
            let help = |argument: &[&str]| {
                let output = cortexkey_system::command(&curl).args(argument).output();
                output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            };
            // Before 7.73 `--help` lists every option, and `all` is an address.
            let Ok(short) = help(&["--help"]) else { continue };
            let text = if short.contains("--zzz") || short.contains("--xattr") {
                short
            } else {
                help(&["--help", "all"]).unwrap()
            };
            check_against(&text);
        }
    }

    fn check_against(help: &str) {
        let mut known = Vec::new();
        for line in help.lines().filter(|line| line.trim_start().starts_with('-')) {
            let mut words = line.split_whitespace().map(|word| word.trim_end_matches(','));
            let first = words.next().unwrap();
            let long = if first.starts_with("--") { first } else { words.next().unwrap() };
            let takes = words.next().is_some_and(|word| word.starts_with(['<', '[']));
            let name = long.trim_start_matches('-').to_owned();
            // The name since 8.10, which also accepts the old one.
            let name = if name == "show-headers" { "include".to_owned() } else { name };
            let letter = first.strip_prefix('-').filter(|rest| rest.len() == 1);
            if let Some(row) = TABLE.iter().find(|row| row.0 == name) {
                assert_eq!(takes, row.2 != Nothing, "{line}");
                if let Some(letter) = row.1 {
                    assert_eq!(first, format!("-{letter}"), "{line}");
                }
            } else if let Some(letter) = letter {
                assert!(TABLE.iter().all(|row| row.1 != letter.chars().next()), "{line}");
            }
            known.push(name);
        }
        assert!(known.len() > 200, "no list of options: {help}");
        for row in TABLE.iter().filter(|row| known.iter().all(|name| name != row.0)) {
            let longer = known.iter().find(|name| name.starts_with(row.0));
            assert_eq!(longer, None, "{} is taken for another option", row.0);
        }
    }
}
