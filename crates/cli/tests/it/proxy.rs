//! `cortexkey proxy`: programs that it serves, and programs that it must refuse.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::{Tenant, finish};

/// A proxy in a separate process, which ends with the test.
struct Proxy {
    process: Child,
    ready: Value,
}

impl Proxy {
    fn start(tenant: &Tenant, args: &[&str]) -> Self {
        Self::of(&mut tenant.with_key("advanced", &[&["proxy"], args].concat()))
    }

    fn of(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, ready: serde_json::from_str(&line).unwrap() }
    }

    fn token(&self) -> &str {
        self.ready["token"].as_str().unwrap()
    }

    fn host(&self) -> &str {
        self.ready["url"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Sends bytes and reads the response to its end.
    fn raw(&self, request: &str) -> String {
        exchange(TcpStream::connect(self.host()).unwrap(), request)
    }

    /// A request with the proxy's own host and token.
    fn request(&self, line: &str, headers: &str, body: &str) -> String {
        self.raw(&format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            self.host(),
            self.token()
        ))
    }

    fn stop(mut self) -> String {
        self.process.kill().unwrap();
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn exchange(mut stream: TcpStream, request: &str) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn denial(answer: &str) -> (u16, String) {
    let code = answer.lines().find_map(|line| line.strip_prefix("x-cortexkey-proxy-error: "));
    (status(answer), code.unwrap_or_default().to_owned())
}

const LIST: &str = "/public_api/v1/incidents/get_incidents";
const HEALTH: &str = "/public_api/v1/healthcheck";
const JSON: &str = "Content-Type: application/json\r\nContent-Length: 2\r\n";

#[test]
fn requests_get_a_new_signature_each() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    // The emulator refuses a signature that it has seen.
    for _ in 0..3 {
        let answer = proxy.request(&format!("GET {HEALTH}"), "", "");
        assert_eq!(status(&answer), 200, "{answer}");
        let answer = proxy.request("POST /api_keys/validate/", JSON, "{}");
        assert_eq!(status(&answer), 200, "{answer}");
    }
    let by_path = format!(
        "GET /{}{HEALTH} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        proxy.token(),
        proxy.host()
    );
    assert_eq!(status(&proxy.raw(&by_path)), 200);
    let token = proxy.token().to_owned();
    let (_, key) = tenant.key("advanced");
    let log = proxy.stop();
    assert!(log.contains(HEALTH) && !log.contains(&token) && !log.contains(&key), "{log}");
}

#[test]
fn credentials_of_the_program_do_not_reach_the_tenant() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    let theirs = "x-xdr-auth-id: 999\r\nx-xdr-nonce: x\r\nx-xdr-timestamp: 1\r\nCookie: a=b\r\n";
    let answer = proxy.request(&format!("GET {HEALTH}"), theirs, "");
    assert_eq!(status(&answer), 200, "{answer}");
}

#[test]
fn a_body_is_streamed_in_chunks_and_a_cut_one_does_not_count() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let answer =
        proxy.request("POST /api_keys/validate/", chunked, "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
    assert_eq!(status(&answer), 200, "{answer}");
    // The program disconnects in the middle of the body.
    let mut stream = TcpStream::connect(proxy.host()).unwrap();
    let head = format!(
        "POST /api_keys/validate/ HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n{chunked}\r\n1\r\n{{\r\n",
        proxy.host(),
        proxy.token()
    );
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(status(&proxy.request(&format!("GET {HEALTH}"), "", "")), 200);
}

#[test]
fn unauthorised_users_are_denied() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    let host = proxy.host().to_owned();
    let port = host.rsplit(':').next().unwrap();
    let plain =
        |line: &str, host: &str, headers: &str| {
            denial(&proxy.raw(&format!(
                "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
            )))
        };
    let token = format!("Authorization: {}\r\n", proxy.token());
    let get = format!("GET {HEALTH}");
    assert_eq!(plain(&get, &host, ""), (403, "token".to_owned()));
    assert_eq!(plain(&get, &host, "Authorization: wrong\r\n"), (403, "token".to_owned()));
    for foreign in ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1".into()] {
        assert_eq!(plain(&get, &foreign, &token), (421, "host".to_owned()));
    }
    let browser = format!("{token}Origin: http://{host}\r\n");
    assert_eq!(plain(&get, &host, &browser), (403, "browser".to_owned()));
    let upgrade = format!("{token}Connection: upgrade\r\nUpgrade: websocket\r\n");
    assert_eq!(plain(&get, &host, &upgrade), (501, "upgrade".to_owned()));
    for target in ["http://evil.example/", &format!("http://{host}{HEALTH}")] {
        assert_eq!(plain(&format!("GET {target}"), &host, &token), (400, "target".to_owned()));
    }
    let connect = plain("CONNECT evil.example:443", &host, &token);
    assert_eq!(connect, (400, "target".to_owned()));
    for path in ["//evil.example/x", "/a/../b", "/a/%2e%2e/b"] {
        assert_eq!(plain(&format!("GET {path}"), &host, &token).0, 400, "{path}");
    }
    for path in ["generate", "delete", "edit"] {
        let line = format!("POST /public_api/v1/api_keys/{path}");
        assert_eq!(plain(&line, &host, &token), (403, "call".to_owned()));
    }
    // The product's other interface for keys, and spellings that a server could decode to the first.
    for line in [
        "PUT /platform/iam/v1/api-key/3",
        "PUT /platform/iam/v1/scope/api-key/3",
        "POST /platform/iam/v1/role",
        "DELETE /Platform/IAM/v1/role/custom_role_1",
    ] {
        assert_eq!(plain(line, &host, &token), (403, "call".to_owned()), "{line}");
    }
    for path in ["%61pi_keys/get_api_keys", "api%5fkeys/generate", "api_keys%2/generate"] {
        let line = format!("POST /public_api/v1/{path}");
        assert_eq!(plain(&line, &host, &token), (400, "path".to_owned()), "{line}");
    }
}

#[test]
fn two_requests_are_not_smuggled_as_one() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &["--allow", &format!("POST {LIST}")]);
    let inner = "POST /public_api/v1/api_keys/delete HTTP/1.1\r\nHost: x\r\n\r\n";
    for headers in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 4\r\n",
        "Content-Length: +2\r\n",
    ] {
        let body = format!("0\r\n\r\n{inner}");
        let answers = proxy.request(&format!("POST {LIST}"), headers, &body);
        // Whatever the response to the first, the second never counts as allowed.
        let seen = answers.matches("HTTP/1.1 200").count();
        assert!(seen <= 1, "{headers}: {answers}");
    }
    let log = proxy.stop();
    assert!(!log.contains("api_keys/delete 2"), "{log}");
}

#[test]
fn limits_are_kept() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &["--max-body-mib", "1"]);
    let large = "x".repeat(1024 * 1024 + 1);
    let length = format!("Content-Length: {}\r\n", large.len());
    let answer = proxy.request("POST /api_keys/validate/", &length, "");
    assert_eq!(denial(&answer), (413, "too-large".to_owned()));
    let get = proxy.request(&format!("GET {HEALTH}"), "Content-Length: 1\r\n", "x");
    assert_eq!(denial(&get), (400, "body".to_owned()));
}

#[test]
fn a_socket_serves_only_its_own_user() {
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    let path_text = path.to_str().unwrap();
    let request = format!("GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    {
        let _proxy = Proxy::start(&tenant, &["--socket", path_text]);
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(status(&answer), 200, "{answer}");

        // A socket in use is not replaced.
        let second = finish(&mut tenant.with_key("advanced", &["proxy", "--socket", path_text]));
        assert_eq!(second.code, 1, "{second:?}");

        if is_root() {
            std::fs::set_permissions(
                folder.path(),
                std::os::unix::fs::PermissionsExt::from_mode(0o755),
            )
            .unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))
                .unwrap();
            let mut other = Command::new("curl");
            other.args(["-s", "--unix-socket", path_text, &format!("http://localhost{HEALTH}")]);
            let other = finish(other.uid(65534).gid(65534));
            assert_ne!(other.code, 0, "{other:?}");
            assert_eq!(other.stdout, "");
        }
    }
    // A leftover socket is replaced; a file is not.
    assert!(path.exists());
    let proxy = Proxy::start(&tenant, &["--socket", path_text]);
    drop(proxy);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let refused = finish(&mut tenant.with_key("advanced", &["proxy", "--socket", path_text]));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

#[test]
fn the_child_program_gets_address_and_token_and_no_key() {
    let tenant = Tenant::start();
    let (_, key) = tenant.key("advanced");
    let script = format!(
        "curl -s --fail -H \"x-xdr-auth-id: $XSIAM_AUTH_ID\" -H \"Authorization: $DEMISTO_API_KEY\" \
         \"$DEMISTO_BASE_URL{HEALTH}\"; env; exit 7"
    );
    let args = ["proxy", "--quiet", "--as", "demisto-sdk", "--", "sh", "-c", &script];
    let ran = finish(&mut tenant.with_key("advanced", &args));
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.stdout.contains("available") && !ran.stdout.contains(&key), "{ran:?}");
}

#[test]
fn calls_that_administer_access_are_refused() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    for call in [
        "POST /public_api/v1/authentication-settings/create",
        "POST /public_api/v1/api-keys/generate",
        "POST /public_api/v1/api_key/generate",
        "POST /public_api/v1/rbac/set_users_role",
        "POST /xsoar/public/v1/users/update",
        "POST /gateway/platform/iam/v1/role",
        "PUT /iam/v1/scope/api-key/1",
    ] {
        assert_eq!(denial(&proxy.request(call, JSON, "{}")), (403, "call".to_owned()), "{call}");
    }
    for path in ["/public_api/v1/%C1%A1pi_keys/get_api_keys", "/public_api/v1/api_keys%20/x"] {
        let answer = proxy.request(&format!("POST {path}"), JSON, "{}");
        assert_eq!(denial(&answer), (400, "path".to_owned()), "{path}");
    }
    let answer = proxy.request("POST /public_api/v1/rbac/get_users?_method=PUT", JSON, "{}");
    assert_eq!(denial(&answer), (400, "query".to_owned()));
    let with_wildcard = Proxy::start(&tenant, &["--allow", "/public_api/v1/**"]);
    let generate = "POST /public_api/v1/api_keys/generate";
    assert_eq!(denial(&with_wildcard.request(generate, JSON, "{}")), (403, "call".to_owned()));
}

/// A tenant that records the head of one request.
fn recorded(headers: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = vec![0; 16 * 1024];
        let count = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..count]).to_ascii_lowercase()
    });
    let tenant = Tenant::start();
    let mut command = tenant.with_key("advanced", &["proxy"]);
    let proxy = Proxy::of(command.env("CORTEXKEY_FQDN", format!("http://{address}")));
    assert_eq!(status(&proxy.request(&format!("GET {HEALTH}"), headers, "")), 200);
    server.join().unwrap()
}

#[test]
fn headers_that_could_change_the_call_do_not_reach_the_tenant() {
    let names = [
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-forwarded-host",
        "x-forwarded-path",
        "x-envoy-original-path",
        "x-http-method",
        "x-http-method-override",
        "x-override-url",
        "x-accel-redirect",
        "destination",
        "x-api-key",
    ];
    let theirs: String = names.map(|name| format!("{name}: /theirs\r\n")).concat();
    let head = recorded(&format!("{theirs}Accept: text/csv\r\nX-Request-Id: 5\r\n"));
    assert!(head.contains("accept: text/csv\r\n") && head.contains("x-request-id: 5\r\n"));
    assert!(!head.contains("theirs"), "{head}");
}

/// A server that handles each connection, after the head of its request, on a thread.
fn tenant_that(handle: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let handle = handle.clone();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 16 * 1024]);
                handle(stream);
            });
        }
    });
    url
}

fn proxy_to(url: &str, level: &str, args: &[&str]) -> Proxy {
    let tenant = Tenant::start();
    Proxy::of(tenant.with_key(level, &[&["proxy"], args].concat()).env("CORTEXKEY_FQDN", url))
}

#[test]
fn a_body_may_take_longer_than_the_timeout_and_must_not_stall() {
    let piece = Duration::from_millis(400);
    let drips = tenant_that(move |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
        for byte in b"dripped" {
            std::thread::sleep(piece);
            let _ = stream.write_all(&[*byte]);
        }
    });
    let proxy = proxy_to(&drips, "advanced", &["--timeout-ms", "2000"]);
    let answer = proxy.request(&format!("GET {HEALTH}"), "", "");
    assert!(answer.ends_with("dripped"), "{answer}");

    let stalls = tenant_that(|mut stream| {
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        let _ = stream.read(&mut [0]);
    });
    let args = ["--timeout-ms", "300", "--max-requests", "1"];
    let proxy = proxy_to(&stalls, "advanced", &args);
    // The second request shows that the first one's slot is free.
    for _ in 0..2 {
        let answer = proxy.request(&format!("GET {HEALTH}"), "", "");
        assert!(status(&answer) == 200 && !answer.ends_with("0\r\n\r\n"), "{answer}");
    }
}

#[test]
fn a_stalled_request_releases_its_slot() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &["--timeout-ms", "300", "--max-requests", "1"]);
    let answer = proxy.request(
        "POST /public_api/v1/incidents/get_incidents",
        "Content-Type: application/json\r\nContent-Length: 100\r\n",
        "{",
    );
    assert_eq!(denial(&answer), (408, "slow".to_owned()), "{answer}");
    assert_eq!(status(&proxy.request(&format!("GET {HEALTH}"), "", "")), 200);
}

#[test]
fn a_program_that_never_reads_gives_its_connection_back() {
    // More than the buffers on the way hold.
    let endless = tenant_that(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while stream.write_all(&[b'x'; 8 * 1024]).is_ok() {}
    });
    let args = ["--timeout-ms", "300", "--max-requests", "1"];
    let proxy = proxy_to(&endless, "advanced", &args);
    let open = || {
        let mut stream = TcpStream::connect(proxy.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = proxy.host();
        let token = proxy.token();
        let head =
            format!("GET {HEALTH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, status == *b"HTTP/1.1 200")
    };
    // One request at a time has four connections. A response of 503 does not hold one.
    let mut held = Vec::new();
    while held.len() < 5 {
        let (stream, is_answered) = open();
        held.extend(is_answered.then_some(stream));
    }
}

#[test]
fn silent_and_refused_connections_keep_no_client_out() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &["--max-requests", "1"]);
    let mut silent: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(proxy.host()).unwrap()).collect();
    let refused: Vec<TcpStream> = (0..30)
        .map(|_| {
            let mut stream = TcpStream::connect(proxy.host()).unwrap();
            let host = proxy.host();
            let head =
                format!("POST {LIST} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    assert_eq!(status(&proxy.request(&format!("GET {HEALTH}"), "", "")), 200);
    // The oldest of them were closed, without a response.
    let mut rest = Vec::new();
    silent[0].set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(silent[0].read_to_end(&mut rest).is_err() || rest.is_empty());
    drop(refused);
}

#[test]
fn an_option_that_the_proxy_does_not_use_is_a_usage_error() {
    let tenant = Tenant::start();
    for command in ["proxy", "doctor"] {
        let ran = finish(&mut tenant.with_key("advanced", &[command, "--retries", "1"]));
        assert_eq!(ran.code, 2, "{command}: {ran:?}");
    }
}

#[test]
fn a_header_that_repeats_the_key_is_dropped() {
    let tenant = Tenant::start();
    let (_, key) = tenant.key("standard");
    let echo = key.clone();
    let url = tenant_that(move |mut stream| {
        let head = format!("X-Echo: {echo}\r\nX-Other: kept\r\nContent-Length: 0\r\n");
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes());
    });
    let mut command = tenant.with_key("standard", &["proxy"]);
    let answer =
        Proxy::of(command.env("CORTEXKEY_FQDN", url)).request(&format!("GET {HEALTH}"), "", "");
    assert!(answer.contains("x-other: kept") && !answer.contains(&key), "{answer}");
}

fn terminate(process: &Child) {
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
}

#[test]
fn the_child_program_gets_the_termination_signal() {
    let tenant = Tenant::start();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let args = ["proxy", "--quiet", "--as", "demisto-sdk", "--", "sh", "-c", script];
    let mut process = tenant.with_key("advanced", &args).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    terminate(&process);
    assert_eq!(process.wait().unwrap().code(), Some(9));
}

#[test]
fn a_file_in_place_of_its_socket_is_not_removed() {
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("proxy.sock");
    let mut proxy = Proxy::start(&tenant, &["--socket", socket.to_str().unwrap()]);
    std::fs::remove_file(&socket).unwrap();
    std::fs::write(&socket, "mine").unwrap();
    terminate(&proxy.process);
    assert_eq!(proxy.process.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "mine");
}

/// Redirects and a tenant that disconnects are errors of the proxy, not the tenant's.
#[test]
fn a_redirect_is_not_passed_on() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = elsewhere.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in elsewhere.incoming().take(2) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n",
            );
        }
    });
    let tenant = Tenant::start();
    let mut command = tenant.with_key("advanced", &["proxy"]);
    let proxy = Proxy::of(command.env("CORTEXKEY_FQDN", format!("http://{address}")));
    let answer = proxy.request(&format!("GET {HEALTH}"), "", "");
    assert_eq!(denial(&answer), (502, "call".to_owned()), "{answer}");
    assert!(!answer.to_ascii_lowercase().contains("\r\nlocation:"));
}

#[test]
fn a_key_expires_after_its_lifetime() {
    let ran =
        finish(&mut Tenant::start().with_key("advanced", &["proxy", "--lifetime-minutes", "0"]));
    assert_eq!(ran.code, 2);
}

/// A tenant with one response.
fn tenant_with(response: &'static str) -> String {
    tenant_that(move |mut stream| {
        let _ = stream.write_all(response.as_bytes());
    })
}

#[test]
fn a_response_that_is_not_modified_is_no_redirect_and_protocols_are_not_switched() {
    let url = tenant_with("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    let proxy = proxy_to(&url, "advanced", &[]);
    let answer = proxy.request(&format!("GET {HEALTH}"), "If-None-Match: \"x\"\r\n", "");
    assert!(status(&answer) == 304 && answer.contains("etag: \"x\""), "{answer}");
    for response in [
        "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let proxy = proxy_to(&tenant_with(response), "advanced", &[]);
        let answer = proxy.request(&format!("GET {HEALTH}"), "", "");
        assert_eq!(denial(&answer), (502, "call".to_owned()), "{answer}");
    }
}

#[test]
fn headers_of_the_tenants_connection_are_not_passed_on() {
    let url = tenant_with(
        "HTTP/1.1 200 OK\r\nConnection: close, X-Hop, \r\nX-Hop: theirs\r\nKeep-Alive: theirs\r\n\
         Proxy-Authentication-Info: theirs\r\nAlt-Svc: theirs\r\nSet-Cookie: theirs\r\n\
         X-CortexKey-Proxy-Error: busy\r\nX-Other: kept\r\nContent-Length: 0\r\n\r\n",
    );
    let answer = proxy_to(&url, "advanced", &[]).request(&format!("GET {HEALTH}"), "", "");
    assert_eq!(denial(&answer), (200, String::new()), "{answer}");
    assert!(answer.contains("x-other: kept") && !answer.contains("theirs"), "{answer}");
}

#[test]
fn bodies_have_a_length_or_plain_chunks() {
    let tenant = Tenant::start();
    let proxy = Proxy::start(&tenant, &[]);
    let call = format!("POST {LIST}");
    let gzip = "Transfer-Encoding: gzip, chunked\r\n";
    assert_eq!(denial(&proxy.request(&call, gzip, "0\r\n\r\n")), (501, "coding".to_owned()));
    for chunks in ["0x3\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\na", "-1\r\n\r\n"] {
        let answer = proxy.request(&call, "Transfer-Encoding: chunked\r\n", chunks);
        assert_eq!(denial(&answer), (400, "broken".to_owned()), "{chunks}: {answer}");
    }

    let (heads, received) = std::sync::mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = vec![0; 16 * 1024];
        let count = stream.read(&mut head).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        heads.send(String::from_utf8_lossy(&head[..count]).to_ascii_lowercase()).unwrap();
    });
    assert_eq!(status(&proxy_to(&url, "advanced", &[]).request(&call, "", "")), 200);
    let head = received.recv().unwrap();
    assert!(head.contains("content-length: 0\r\n") && !head.contains("chunked"), "{head}");
}

/// A proxy to a tenant that answers after a second, and a thread with the answer to a request that
/// is open.
fn with_an_open_request() -> (Proxy, std::thread::JoinHandle<String>) {
    let (arrived, has_arrived) = std::sync::mpsc::channel();
    let slow = tenant_that(move |mut stream| {
        arrived.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
        std::thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(b"late");
    });
    let proxy = proxy_to(&slow, "advanced", &[]);
    let host = proxy.host().to_owned();
    let head = format!(
        "GET {HEALTH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\n\r\n",
        proxy.token()
    );
    let client = std::thread::spawn(move || exchange(TcpStream::connect(host).unwrap(), &head));
    has_arrived.recv().unwrap();
    (proxy, client)
}

#[test]
fn open_requests_are_answered_before_the_proxy_stops() {
    let (mut proxy, client) = with_an_open_request();
    // A connection without a request does not hold it up.
    let idle = TcpStream::connect(proxy.host()).unwrap();
    terminate(&proxy.process);
    let answer = client.join().unwrap();
    assert!(status(&answer) == 200 && answer.ends_with("late"), "{answer}");
    assert_eq!(proxy.process.wait().unwrap().code(), Some(0));
    drop(idle);
}

#[test]
fn a_second_signal_ends_open_requests() {
    let (mut proxy, client) = with_an_open_request();
    terminate(&proxy.process);
    while TcpStream::connect(proxy.host()).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    terminate(&proxy.process);
    assert_eq!(proxy.process.wait().unwrap().code(), Some(0));
    assert!(!client.join().unwrap().ends_with("late"));
}

#[test]
fn a_program_that_a_signal_ends_has_the_exit_code_that_shells_give_it() {
    let tenant = Tenant::start();
    let args = ["proxy", "--as", "demisto-sdk", "--", "sh", "-c", "kill -KILL $$"];
    let ran = finish(&mut tenant.with_key("advanced", &args));
    assert!(ran.code == 137 && ran.stderr.contains("signal 9"), "{ran:?}");
}
