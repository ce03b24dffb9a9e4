//! The doctor against seeded mistakes: each is made, refused by a tenant, and identified.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use cortexkey_client::doctor::{
    Cause, Diagnosis, Likelihood, LiveOptions, examine, examine_requests, read_requests,
};
use cortexkey_client::{Client, ClientOptions, ExplicitSettings};
use cortexkey_core::auth::{Key, Level, Signer, Timestamp};
use cortexkey_tenant::{Clock, Options, SeededKey, SettableClock, Tenant};
use sha2::{Digest, Sha256};

use crate::NOBODY;

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn tenant() -> Tenant {
    Tenant::start(Options::default()).unwrap()
}

fn explaining() -> Tenant {
    Tenant::start(Options { explain: true, ..Options::default() }).unwrap()
}

fn seeded(tenant: &Tenant, level: Level) -> &SeededKey {
    let keys = tenant.seeded_keys().unwrap();
    if level == Level::Standard { &keys.standard } else { &keys.advanced }
}

fn client_of(tenant: &Tenant, seeded: &SeededKey) -> Client {
    let key = Key::new(seeded.expose().as_bytes()).unwrap();
    let signer = Signer::new(seeded.id(), seeded.level(), key);
    Client::new(tenant.url().parse().unwrap(), signer, ClientOptions::default())
}

/// Settings as variables.
struct Settings {
    url: String,
    id: String,
    key: String,
    level: &'static str,
}

impl Settings {
    fn of(tenant: &Tenant, level: Level) -> Self {
        let seeded = seeded(tenant, level);
        let url = tenant.url().to_owned();
        let key = seeded.expose().to_owned();
        Self { url, id: seeded.id().to_string(), key, level: level.as_str() }
    }

    fn examine(&self, options: &LiveOptions<'_>) -> Diagnosis {
        let environment = |name: &str| -> Option<OsString> {
            let value = match name {
                "CORTEXKEY_API_URL" => &self.url,
                "CORTEXKEY_API_KEY_ID" => &self.id,
                "CORTEXKEY_API_KEY" => &self.key,
                "CORTEXKEY_API_KEY_TYPE" => self.level,
                _ => return None,
            };
            (!value.is_empty()).then(|| value.into())
        };
        let given = ExplicitSettings {
            timeout: Some(Duration::from_secs(5)),
            ..ExplicitSettings::default()
        };
        let diagnosis = examine(&given, &environment, &mut std::io::empty(), options);
        let shown = format!("{diagnosis:?}");
        let bare = self.key.trim().trim_matches(['"', '\'']).trim_start_matches("Bearer ");
        assert!(!shown.contains(bare) || bare.is_empty(), "{shown}");
        diagnosis
    }
}

/// Asserts that there is one certain cause, and returns it.
fn certain(diagnosis: &Diagnosis) -> Cause {
    match diagnosis.findings.as_slice() {
        [finding] => {
            assert_eq!(finding.certainty, Likelihood::Certain, "{diagnosis:?}");
            assert_eq!(finding.remedy, finding.cause.remedy());
            finding.cause
        }
        _ => panic!("{diagnosis:?}"),
    }
}

#[test]
fn an_empty_folder_has_no_findings() {
    let tenant = tenant();
    for level in [Level::Standard, Level::Advanced] {
        let diagnosis = Settings::of(&tenant, level).examine(&LiveOptions::default());
        assert!(diagnosis.is_healthy(), "{diagnosis:?}");
        let request = signed(seeded(&tenant, level));
        assert_eq!(send(tenant.url(), &request), 200);
        let diagnosis = look(&[&request], Some(seeded(&tenant, level)));
        assert!(diagnosis.is_healthy(), "{diagnosis:?}");
        let diagnosis = look(&[&request, &signed(seeded(&tenant, level))], None);
        assert!(diagnosis.is_healthy(), "{diagnosis:?}");
    }
}

#[test]
fn characters_around_the_key_are_named() {
    let tenant = tenant();
    for level in [Level::Standard, Level::Advanced] {
        let good = Settings::of(&tenant, level);
        for (key, cause) in [
            (format!("{}\n", good.key), Cause::WhitespaceAroundKey),
            (format!(" {}", good.key), Cause::WhitespaceAroundKey),
            (format!("\"{}\"", good.key), Cause::QuotedKey),
            (format!("'{}'", good.key), Cause::QuotedKey),
            (format!("Bearer {}", good.key), Cause::BearerPrefix),
        ] {
            let settings = Settings { key, ..Settings::of(&tenant, level) };
            assert_eq!(certain(&settings.examine(&LiveOptions::default())), cause);
        }
    }
}

#[test]
fn a_level_that_is_the_other_one_is_found_by_trying() {
    let tenant = tenant();
    let settings = Settings { level: "standard", ..Settings::of(&tenant, Level::Advanced) };
    let diagnosis = settings.examine(&LiveOptions::default());
    assert_eq!(certain(&diagnosis), Cause::LevelMismatch);
    // The reverse would send the key itself, so it needs an option.
    let settings = Settings { level: "advanced", ..Settings::of(&tenant, Level::Standard) };
    let diagnosis = settings.examine(&LiveOptions::default());
    let first = &diagnosis.findings[0];
    assert_eq!((first.cause, first.certainty), (Cause::LevelMismatch, Likelihood::Possible));
    let options = LiveOptions { try_standard: true, ..LiveOptions::default() };
    assert_eq!(certain(&settings.examine(&options)), Cause::LevelMismatch);
}

#[test]
fn a_clock_that_is_off_is_named_with_by_how_much() {
    let ahead = (600_000_i64, "600 s behind");
    let behind = (-7_200_000, "s ahead of");
    for ((off_ms, seconds), explain) in [(ahead, false), (ahead, true), (behind, false)] {
        let clock = SettableClock::at(now_ms().saturating_add_signed(off_ms));
        let options = Options { clock: Clock::Settable(clock), explain, ..Options::default() };
        let tenant = Tenant::start(options).unwrap();
        let diagnosis = Settings::of(&tenant, Level::Advanced).examine(&LiveOptions::default());
        assert_eq!(certain(&diagnosis), Cause::ClockOff);
        let evidence = &diagnosis.findings[0].evidence;
        assert!(evidence.contains(seconds) || evidence.contains("599 s behind"), "{evidence}");
        // A Standard key needs no clock, but the difference is still reported.
        let diagnosis = Settings::of(&tenant, Level::Standard).examine(&LiveOptions::default());
        assert_eq!(diagnosis.findings[0].cause, Cause::ClockOff);
    }
}

#[test]
fn another_key_can_explain_a_refusal() {
    let tenant = tenant();
    let admin = client_of(&tenant, seeded(&tenant, Level::Advanced));
    let options = LiveOptions { try_standard: false, helper: Some(&admin) };
    let made = admin
        .generate_key(&GenerateRequest {
            roles: vec!["Viewer".into()],
            security_level: SecurityLevel::Advanced,
            expiration: Some(now_ms() + 300),
            comment: None,
        })
        .unwrap();
    let settings = || Settings {
        id: made.id.to_string(),
        key: made.key.expose().to_owned(),
        ..Settings::of(&tenant, Level::Advanced)
    };
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(certain(&settings().examine(&options)), Cause::Expired);
    let other = Settings { id: "4711".into(), ..settings() };
    assert_eq!(certain(&other.examine(&options)), Cause::WrongTenant);
    let other = Settings { id: "2".into(), ..settings() };
    assert_eq!(certain(&other.examine(&options)), Cause::WrongKey);
    let other = Settings { level: "advanced", ..Settings::of(&tenant, Level::Standard) };
    assert_eq!(certain(&other.examine(&options)), Cause::LevelMismatch);
    // By the tenant's clock, whatever this machine's says.
    let clock = SettableClock::at(now_ms() - 600_000);
    let options = Options { clock: Clock::Settable(clock), ..Options::default() };
    let behind = Tenant::start(options).unwrap();
    let admin = client_of(&behind, seeded(&behind, Level::Standard));
    let expired_here = GenerateRequest {
        roles: vec!["Viewer".into()],
        security_level: SecurityLevel::Standard,
        expiration: Some(now_ms() - 300_000),
        comment: None,
    };
    let id = admin.generate_key(&expired_here).unwrap().id.to_string();
    let wrong = Settings { id, ..Settings::of(&behind, Level::Standard) };
    let options = LiveOptions { try_standard: false, helper: Some(&admin) };
    let diagnosis = wrong.examine(&options);
    let causes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause).collect();
    assert!(!causes.contains(&Cause::Expired), "{causes:?}");
    assert!(causes.contains(&Cause::WrongKey), "{causes:?}");
    // Without it, nothing is claimed.
    let alone = settings().examine(&LiveOptions::default());
    assert!(alone.findings.len() > 2);
    assert!(alone.findings.iter().all(|finding| finding.certainty == Likelihood::Possible));
}

#[test]
fn an_explaining_tenant_is_trusted() {
    let tenant = explaining();
    let good = Settings::of(&tenant, Level::Advanced);
    for (settings, cause) in [
        (
            Settings { id: "99".into(), ..Settings::of(&tenant, Level::Advanced) },
            Cause::WrongTenant,
        ),
        (
            Settings { key: "k".repeat(128), ..Settings::of(&tenant, Level::Advanced) },
            Cause::WrongKey,
        ),
        (Settings { id: "1".into(), ..good }, Cause::LevelMismatch),
        (
            Settings { id: String::new(), ..Settings::of(&tenant, Level::Advanced) },
            Cause::MissingKeyId,
        ),
    ] {
        assert_eq!(certain(&settings.examine(&LiveOptions::default())), cause);
    }
    let hashed = hex::encode(Sha256::digest(seeded(&tenant, Level::Standard).expose()));
    let settings = Settings { key: hashed, ..Settings::of(&tenant, Level::Standard) };
    let diagnosis = settings.examine(&LiveOptions::default());
    let causes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause).collect();
    assert!(causes.contains(&Cause::HashedStandardKey), "{causes:?}");
}

#[test]
fn a_header_removing_proxy_is_named() {
    let tenant = explaining();
    for header in ["x-xdr-nonce", "x-xdr-timestamp", "authorization", "x-xdr-auth-id"] {
        let url = stripping(tenant.url(), header);
        let settings = Settings { url, ..Settings::of(&tenant, Level::Advanced) };
        assert_eq!(certain(&settings.examine(&LiveOptions::default())), Cause::HeadersStripped);
    }
}

#[test]
fn a_non_api_host_differs_from_one_without_its_prefix() {
    let answering = |answer: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 2 {}
                let _ = reader.get_mut().write_all(answer.as_bytes());
            }
        });
        port
    };
    let login = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    let tenant = tenant();
    for answer in [login, page, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"] {
        let port = answering(answer);
        for (host, cause) in [("localhost", Cause::ConsoleHost), ("127.0.0.1", Cause::NotTheApi)] {
            let url = format!("http://{host}:{port}");
            let settings = Settings { url, ..Settings::of(&tenant, Level::Advanced) };
            assert_eq!(certain(&settings.examine(&LiveOptions::default())), cause, "{answer}");
        }
    }
    for (answer, cause) in [
        ("HTTP/1.1 402 X\r\nContent-Length: 0\r\n\r\n", Cause::NoLicence),
        ("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n", Cause::MissingPermission),
        ("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", Cause::TenantUnavailable),
    ] {
        let url = format!("http://127.0.0.1:{}", answering(answer));
        let settings = Settings { url, ..Settings::of(&tenant, Level::Advanced) };
        assert_eq!(certain(&settings.examine(&LiveOptions::default())), cause);
    }
    // No server, and a server without TLS.
    let port = answering("HTTP/1.1 400 Bad Request\r\n\r\n");
    for (url, cause) in [
        (format!("https://127.0.0.1:{port}"), Cause::Tls),
        (format!("http://{NOBODY}"), Cause::NoConnection),
        ("http://acme.example".to_owned(), Cause::Settings),
    ] {
        let settings = Settings { url, ..Settings::of(&tenant, Level::Advanced) };
        assert_eq!(certain(&settings.examine(&LiveOptions::default())), cause);
    }
}

type Headers = Vec<(&'static str, String)>;

/// The right headers.
fn signed(seeded: &SeededKey) -> Headers {
    let key = Key::new(seeded.expose().as_bytes()).unwrap();
    let signer = Signer::new(seeded.id(), seeded.level(), key);
    let now = Timestamp::from_ms(now_ms()).unwrap();
    let headers = signer.sign_from_system(now).unwrap();
    headers.iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// Headers with a digest that was computed differently.
fn hashed(seeded: &SeededKey, ms: &str, digest: impl Fn(&str, &str, &str) -> String) -> Headers {
    let nonce = "n".repeat(64);
    vec![
        ("x-xdr-auth-id", seeded.id().to_string()),
        ("x-xdr-nonce", nonce.clone()),
        ("x-xdr-timestamp", ms.to_owned()),
        ("Authorization", digest(seeded.expose(), &nonce, ms)),
    ]
}

fn sha(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Sends a request unchanged; returns the status.
fn send(url: &str, headers: &Headers) -> u16 {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(head(headers).replace('\n', "\r\n").as_bytes()).unwrap();
    stream.write_all(b"{}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn head(headers: &Headers) -> String {
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let lines = lines.concat();
    format!(
        "POST /api_keys/validate/ HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\n\
         Content-Length: 2\nConnection: close\n{lines}\n"
    )
}

/// The doctor's findings for requests, in each input format.
fn look(requests: &[&Headers], key: Option<&SeededKey>) -> Diagnosis {
    let heads: String = requests.iter().map(|request| head(request)).collect();
    let curl: String = heads
        .lines()
        .map(|line| if line.is_empty() { ">\n".to_owned() } else { format!("> {line}\n") })
        .collect();
    let curl = format!("* Connected\n{curl}< HTTP/1.1 401 Unauthorized\n< content-length: 0\n<\n");
    let json: Vec<serde_json::Value> = requests
        .iter()
        .map(|request| {
            let pairs =
                request.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
            serde_json::Value::Object(pairs.collect())
        })
        .collect();
    let json = serde_json::Value::Array(json).to_string();
    let of = |text: &str| {
        let requests = read_requests(text.as_bytes()).unwrap();
        let text = key.map(|key| key.expose().as_bytes());
        let diagnosis = examine_requests(&requests, text, key.map(SeededKey::level));
        if let Some(key) = key {
            assert!(!format!("{diagnosis:?} {requests:?}").contains(key.expose()));
        }
        diagnosis
    };
    let diagnosis = of(&heads);
    assert_eq!(diagnosis, of(&json));
    assert_eq!(diagnosis, of(&curl));
    diagnosis
}

#[test]
fn mistakes_of_other_clients_are_refused_by_the_tenant_and_named() {
    let tenant = tenant();
    let standard = seeded(&tenant, Level::Standard);
    let advanced = seeded(&tenant, Level::Advanced);
    let ms = now_ms().to_string();
    let seconds = (now_ms() / 1000).to_string();
    let without = |name: &str, key: &SeededKey| {
        signed(key)
            .into_iter()
            .filter(|(known, _)| !known.eq_ignore_ascii_case(name))
            .collect::<Headers>()
    };
    let with = |name: &'static str, value: String, key: &SeededKey| {
        let mut headers = without(name, key);
        headers.push((name, value));
        headers
    };
    let plain = |key: &str, nonce: &str, ms: &str| sha(&format!("{key}{nonce}{ms}"));
    for (request, key, cause) in [
        (without("x-xdr-auth-id", advanced), advanced, Cause::MissingKeyId),
        (without("x-xdr-auth-id", standard), standard, Cause::MissingKeyId),
        (without("x-xdr-nonce", advanced), advanced, Cause::MissingHeader),
        (without("authorization", advanced), advanced, Cause::MissingHeader),
        (
            with("Authorization", format!("Bearer {}", standard.expose()), standard),
            standard,
            Cause::BearerPrefix,
        ),
        (
            with("Authorization", format!("\"{}\"", standard.expose()), standard),
            standard,
            Cause::QuotedKey,
        ),
        (
            with("Authorization", format!("{}\\n", standard.expose()), standard),
            standard,
            Cause::WhitespaceAroundKey,
        ),
        (
            with("Authorization", sha(standard.expose()), standard),
            standard,
            Cause::HashedStandardKey,
        ),
        (hashed(advanced, &seconds, plain), advanced, Cause::SecondsForMilliseconds),
        (
            hashed(advanced, &ms, |key, nonce, ms| plain(key, nonce, &ms[..10])),
            advanced,
            Cause::SecondsForMilliseconds,
        ),
        (
            hashed(advanced, &ms, |key, nonce, ms| plain(key, nonce, ms).to_uppercase()),
            advanced,
            Cause::UpperCaseDigest,
        ),
        (
            hashed(advanced, &ms, |key, nonce, ms| sha(&format!("{key}:{nonce}:{ms}"))),
            advanced,
            Cause::OtherDigest,
        ),
        (
            hashed(advanced, &ms, |key, nonce, ms| sha(&format!("{key}{ms}{nonce}"))),
            advanced,
            Cause::OtherDigest,
        ),
        (
            hashed(advanced, &ms, |key, nonce, ms| sha(&format!("{key}\n{nonce}{ms}"))),
            advanced,
            Cause::WhitespaceAroundKey,
        ),
        (
            hashed(advanced, &ms, |key, nonce, ms| sha(&format!("'{key}'{nonce}{ms}"))),
            advanced,
            Cause::QuotedKey,
        ),
        (
            vec![("x-xdr-auth-id", "2".into()), ("Authorization", advanced.expose().into())],
            advanced,
            Cause::LevelMismatch,
        ),
        (hashed(standard, &ms, plain), standard, Cause::LevelMismatch),
    ] {
        assert_eq!(send(tenant.url(), &request), 401, "{cause}");
        assert_eq!(certain(&look(&[&request], Some(key))), cause);
        // Without the key, fewer causes are found, and none is wrong.
        for finding in look(&[&request], None).findings {
            let also = [cause, Cause::HashedStandardKey, Cause::OtherDigest];
            assert!(also.contains(&finding.cause), "{cause}: {finding:?}");
        }
    }
    // From another key, or computed in an unknown way: these cannot be distinguished.
    let other = hashed(advanced, &ms, |_, nonce, ms| plain("k", nonce, ms));
    let findings = look(&[&other], Some(advanced)).findings;
    let causes: Vec<_> = findings.iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, [Cause::OtherDigest, Cause::WrongKey]);
    assert!(findings.iter().all(|finding| finding.certainty == Likelihood::Possible));

    let twice = signed(advanced);
    assert_eq!(send(tenant.url(), &twice), 200);
    assert_eq!(send(tenant.url(), &twice), 401);
    assert_eq!(certain(&look(&[&twice, &twice], Some(advanced))), Cause::ReusedNonce);
}

/// Some tenants may accept such a nonce; no document says.
#[test]
fn a_nonce_of_another_form_is_possibly_the_cause() {
    let tenant = tenant();
    let key = seeded(&tenant, Level::Advanced);
    let ms = now_ms().to_string();
    for nonce in ["n".repeat(63), "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d".to_owned()] {
        let request = vec![
            ("x-xdr-auth-id", key.id().to_string()),
            ("x-xdr-nonce", nonce.clone()),
            ("x-xdr-timestamp", ms.clone()),
            ("Authorization", sha(&format!("{}{nonce}{ms}", key.expose()))),
        ];
        assert_eq!(send(tenant.url(), &request), 401);
        for key in [Some(key), None] {
            let findings = look(&[&request], key).findings;
            assert_eq!(findings.len(), 1, "{findings:?}");
            let found = (findings[0].cause, findings[0].certainty);
            assert_eq!(found, (Cause::InvalidNonce, Likelihood::Possible));
        }
    }
}

#[test]
fn curl_output_gives_the_clock_and_the_host() {
    let old = now_ms() - 3_600_000;
    let date = jiff::Timestamp::now();
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let date = printer.timestamp_to_rfc9110_string(&date).unwrap();
    let nonce = "n".repeat(64);
    let text = format!(
        "* Connected\n> POST /public_api/v1/x HTTP/2\n> Host: acme.xdr.us.paloaltonetworks.com\n\
         > x-xdr-auth-id: 7\n> x-xdr-nonce: {nonce}\n> x-xdr-timestamp: {old}\n\
         > Authorization: {}\n>\n< HTTP/2 401\n< date: {date}\n<\n",
        "a".repeat(64)
    );
    let diagnosis = examine_requests(&read_requests(text.as_bytes()).unwrap(), None, None);
    let causes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, [Cause::ConsoleHost, Cause::ClockOff]);
    wording!(diagnosis.findings[1].evidence);
    for text in ["", "no headers here", "{\"a\": ", "[1]", "\u{0}"] {
        assert!(read_requests(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn every_cause_is_in_the_documents() {
    let text = include_str!("../../../../docs/troubleshooting.md");
    for cause in Cause::ALL {
        assert!(text.contains(&format!("| `{cause}` | {} |", cause.title())), "{cause}");
    }
}

/// A proxy that removes a header.
fn stripping(upstream: &str, header: &'static str) -> String {
    let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                    break;
                }
                let name = line.to_ascii_lowercase();
                if !name.starts_with(header) && !name.starts_with("connection") {
                    head += &line;
                }
            }
            let mut to = TcpStream::connect(&upstream).unwrap();
            to.write_all(format!("{head}Connection: close\r\n\r\n{{}}").as_bytes()).unwrap();
            let mut answer = Vec::new();
            to.read_to_end(&mut answer).unwrap();
            let _ = reader.get_mut().write_all(&answer);
        }
    });
    url
}
