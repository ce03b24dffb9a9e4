//! Sends one HTTP request with given headers to this machine. The client signs every attempt, but
//! the quickstart has to send the same headers twice.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cortexkey_core::address::Address;
use cortexkey_core::auth::Headers;

use super::unexpected;
use crate::exit::Failure;

const ANSWER_BYTES_MAX: u64 = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(5);

/// The tenant's response.
pub(super) struct WireResponse {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) verdict: Option<String>,
    pub(super) remedy: Option<String>,
}

/// Posts `{}`.
pub(super) fn post(
    address: &Address,
    path: &str,
    headers: &Headers<'_>,
) -> Result<WireResponse, Failure> {
    let authority = address.to_string();
    let authority = authority.trim_start_matches("http://");
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\n");
    for (name, value) in headers.iter() {
        request += &format!("{name}: {value}\r\n");
    }
    request += "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    let answer = exchange(authority, &request).map_err(|error| unexpected(&error))?;
    parse(&answer).ok_or_else(|| unexpected(&"the tenant's answer is not HTTP"))
}

fn exchange(authority: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

fn parse(answer: &str) -> Option<WireResponse> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    Some(WireResponse {
        status,
        body: body.trim().to_owned(),
        verdict: header("x-cortexkey-verdict"),
        remedy: header("x-cortexkey-remedy"),
    })
}
