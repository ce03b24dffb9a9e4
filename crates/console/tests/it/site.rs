//! [`Site`]: an emulator, a console for it, and what a browser sends, in plain HTTP.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use cortexkey_client::{Client, ClientOptions, SigningClock};
use cortexkey_console::{Console, Options, TenantKind};
use cortexkey_core::auth::{Key, Signer};
use cortexkey_tenant::{Clock, SettableClock, Tenant};

/// An emulator and a console for it.
pub(crate) struct Site {
    pub(crate) tenant: Tenant,
    _console: Console,
    pub(crate) reported: Arc<std::sync::Mutex<Vec<String>>>,
    /// Name and port.
    pub(crate) host: String,
    pub(crate) entry: String,
    port: u16,
}

/// A browser with a session.
pub(crate) struct Browser<'s> {
    pub(crate) site: &'s Site,
    pub(crate) cookie: String,
    pub(crate) token: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Site {
    /// A console that may change keys.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A console with other options.
    pub(crate) fn start_with(set: impl FnOnce(&mut Options)) -> Self {
        let options = cortexkey_tenant::Options {
            clock: Clock::Settable(SettableClock::running()),
            ..cortexkey_tenant::Options::default()
        };
        Self::start_for(options, set)
    }

    /// Like [`start_with`](Self::start_with), for an emulator with other options.
    pub(crate) fn start_for(
        options: cortexkey_tenant::Options,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        Self::start_all(options, client, set)
    }

    /// A console that calls its emulator through another program.
    pub(crate) fn start_between(
        between: impl FnOnce(&Tenant) -> Client,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let options = cortexkey_tenant::Options {
            clock: Clock::Settable(SettableClock::running()),
            ..cortexkey_tenant::Options::default()
        };
        Self::start_all(options, between, set)
    }

    fn start_all(
        options: cortexkey_tenant::Options,
        client: impl FnOnce(&Tenant) -> Client,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let tenant = Tenant::start(options).unwrap();
        let client = client(&tenant);
        let reported = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut options = Options::new(client);
        options.kind = TenantKind::Emulator(tenant.controls());
        options.allow_changes = true;
        let tell = Arc::clone(&reported);
        options.on_address = Arc::new(move |address| tell.lock().unwrap().push(address.to_owned()));
        set(&mut options);
        let console = Console::start(options).unwrap();
        let (origin, entry) =
            console.address().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let host = origin.to_owned();
        let entry = format!("/{entry}");
        let port = host.rsplit(':').next().unwrap().parse().unwrap();
        Self { tenant, _console: console, reported, host, entry, port }
    }

    /// A browser with a session.
    pub(crate) fn enter(&self) -> Browser<'_> {
        self.enter_at(&self.entry)
    }

    /// Like [`enter`](Self::enter), with another one-time address.
    pub(crate) fn enter_at(&self, entry: &str) -> Browser<'_> {
        let answer = self.get(entry, &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let mut browser = Browser { site: self, cookie, token: String::new() };
        let page = browser.get("/keys");
        let token = page.body.split("name=\"token\" value=\"").nth(1).unwrap();
        token.split('"').next().unwrap().clone_into(&mut browser.token);
        browser
    }

    /// A GET with the console's own name, and these headers.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let host = [("Host", self.host.as_str())];
        self.raw("GET", path, &[&host, headers].concat(), "")
    }

    /// Sends these bytes as a request.
    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let request =
            format!("{method} {path} HTTP/1.1\r\n{lines}{length}Connection: close\r\n\r\n{body}");
        // A server that refuses early may close the connection before everything was sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }
}

impl Answer {
    /// Reads a response with its whole body.
    pub(crate) fn parse(answer: &[u8]) -> Self {
        let answer = String::from_utf8_lossy(answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunked(body)
        } else {
            body.to_owned()
        };
        Self { status, head: head.to_owned(), body }
    }
}

fn unchunked(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let Ok(length) = usize::from_str_radix(length, 16) else { break };
        let Some(chunk) = rest.get(..length) else { break };
        out += chunk;
        body = rest.get(length + 2..).unwrap_or("");
    }
    out
}

impl Browser<'_> {
    /// Opens a page.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.site.get(path, &[("Cookie", &self.cookie)])
    }

    /// Requests parts of a page, as the script does.
    pub(crate) fn live(&self, path: &str) -> Answer {
        self.site.get(path, &[("Cookie", &self.cookie), ("x-console-part", "live")])
    }

    /// Sends a form of a page.
    pub(crate) fn post(&self, path: &str, fields: &str) -> Answer {
        let body = format!("token={}&{fields}", self.token);
        let origin = format!("http://{}", self.site.host);
        let headers = [
            ("Host", self.site.host.as_str()),
            ("Cookie", self.cookie.as_str()),
            ("Origin", origin.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.site.raw("POST", path, &headers, &body)
    }
}

impl Browser<'_> {
    /// Opens the page that the response to a form leads to after it generated a key.
    pub(crate) fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.get(answer.header("refresh").unwrap().strip_prefix("0; url=").unwrap())
    }
}

/// A client with the key of the emulator's own administrator.
pub(crate) fn client(tenant: &Tenant) -> Client {
    client_at(tenant, tenant.url())
}

/// Like [`client`], at another address.
pub(crate) fn client_at(tenant: &Tenant, url: &str) -> Client {
    client_with(tenant, url, ClientOptions::default())
}

/// Like [`client_at`], with other options.
pub(crate) fn client_with(tenant: &Tenant, url: &str, options: ClientOptions) -> Client {
    let seeded = &tenant.seeded_keys().unwrap().advanced;
    let key = Key::new(seeded.expose().as_bytes()).unwrap();
    let signer = Signer::new(seeded.id(), seeded.level(), key);
    let controls = tenant.controls();
    let clock = Some(SigningClock::new(move || controls.now_ms()));
    Client::new(url.parse().unwrap(), signer, ClientOptions { clock, ..options })
}

/// A request that a program between a console and its tenant received.
pub(crate) struct Request {
    /// The first line and the headers, without `Connection`.
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// Reads it; `None` if the connection ends.
    pub(crate) fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        let mut length = 0_usize;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            if !lower.starts_with("connection:") {
                head += &line;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { head, body })
    }

    /// The first line.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Sends it to the tenant, and returns the answer.
    pub(crate) fn pass_on(&self, tenant: &str) -> Answer {
        let mut tenant = TcpStream::connect(tenant).unwrap();
        let head = format!("{}Connection: close\r\n\r\n", self.head);
        tenant.write_all(head.as_bytes()).unwrap();
        tenant.write_all(&self.body).unwrap();
        let mut answer = Vec::new();
        tenant.read_to_end(&mut answer).unwrap();
        Answer::parse(&answer)
    }
}

/// The bytes of a response.
pub(crate) fn answered(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
