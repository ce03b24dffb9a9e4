//! Shared by the tests: a tenant with a stopped clock, signed calls, raw connections.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several test crates")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use cortexkey_core::auth::{Key, KeyId, Level, Signer, Timestamp};
use cortexkey_tenant::{Clock, Options, SeededKey, SettableClock, Tenant};
use serde_json::{Value, json};

pub const NOW_MS: u64 = 1_790_611_727_783;
pub const LIST: &str = "/public_api/v1/api_keys/get_api_keys";
pub const GENERATE: &str = "/public_api/v1/api_keys/generate";
pub const DELETE: &str = "/public_api/v1/api_keys/delete";
pub const VALIDATE: &str = "/api_keys/validate/";

pub type Headers = Vec<(String, String)>;

pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Everything except the date.
    pub fn without_date(&self) -> (u16, Headers, &str) {
        let headers = self.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        (self.status, headers, &self.body)
    }
}

pub struct Fixture {
    pub tenant: Tenant,
    pub clock: SettableClock,
    pub agent: ureq::Agent,
}

pub fn start(change: impl FnOnce(&mut Options)) -> Fixture {
    let clock = SettableClock::at(NOW_MS);
    let mut options = Options { clock: Clock::Settable(clock.clone()), ..Options::default() };
    change(&mut options);
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    Fixture { tenant: Tenant::start(options).unwrap(), clock, agent: config.into() }
}

impl Fixture {
    pub fn standard(&self) -> Signer {
        signer_of(&self.tenant.seeded_keys().unwrap().standard)
    }

    pub fn advanced(&self) -> Signer {
        signer_of(&self.tenant.seeded_keys().unwrap().advanced)
    }

    /// The headers of one request, signed at the tenant's time.
    pub fn sign(&self, signer: &Signer) -> Headers {
        sign_at(signer, self.clock.now_ms())
    }

    pub fn get(&self, headers: &Headers, path: &str) -> Answer {
        let mut request = self.agent.get(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answer(request.call().unwrap())
    }

    pub fn send(&self, headers: &Headers, path: &str, body: &str) -> Answer {
        let mut request = self.agent.post(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answer(request.header("Content-Type", "application/json").send(body).unwrap())
    }

    pub fn put(&self, headers: &Headers, path: &str, body: &Value) -> Answer {
        let mut request = self.agent.put(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header("Content-Type", "application/json");
        answer(request.send(body.to_string()).unwrap())
    }

    /// A POST without a body and without a content type.
    pub fn post_nothing(&self, headers: &Headers, path: &str) -> Answer {
        let mut request = self.agent.post(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answer(request.send_empty().unwrap())
    }

    pub fn patch(&self, headers: &Headers, path: &str, body: &Value) -> Answer {
        let mut request = self.agent.patch(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.header("Content-Type", "application/json");
        answer(request.send(body.to_string()).unwrap())
    }

    pub fn delete(&self, headers: &Headers, path: &str) -> Answer {
        let mut request = self.agent.delete(self.tenant.url().to_owned() + path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        answer(request.call().unwrap())
    }

    pub fn call(&self, signer: &Signer, path: &str, request_data: &Value) -> Answer {
        let body = json!({ "request_data": request_data }).to_string();
        self.send(&self.sign(signer), path, &body)
    }

    /// Generates a key with the seeded Advanced key.
    pub fn generate(&self, request_data: &Value, level: Level) -> Signer {
        let answer = self.call(&self.advanced(), GENERATE, request_data);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let reply = &answer.json()["reply"];
        let key = Key::new(reply["key"].as_str().unwrap().as_bytes()).unwrap();
        Signer::new(KeyId::new(reply["id"].as_u64().unwrap()).unwrap(), level, key)
    }

    /// Sends bytes and reads until the tenant closes.
    pub fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.tenant.url()["http://".len()..]).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

pub fn signer_of(seeded: &SeededKey) -> Signer {
    Signer::new(seeded.id(), seeded.level(), Key::new(seeded.expose().as_bytes()).unwrap())
}

pub fn sign_at(signer: &Signer, now_ms: u64) -> Headers {
    let headers = signer.sign_from_system(Timestamp::from_ms(now_ms).unwrap()).unwrap();
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Replaces the value of one header.
pub fn with(mut headers: Headers, name: &str, value: &str) -> Headers {
    headers.iter_mut().filter(|(n, _)| n == name).for_each(|(_, v)| value.clone_into(v));
    headers
}

pub fn without(mut headers: Headers, name: &str) -> Headers {
    headers.retain(|(n, _)| n != name);
    headers
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let status = response.status().as_u16();
    Answer { status, headers, body: response.body_mut().read_to_string().unwrap() }
}

/// Checks that a tenant stops before it closes open connections, which it does after a second.
/// Tried
/// three times, because a loaded machine is sometimes slow.
pub fn stops_promptly(mut stop: impl FnMut() -> Duration) {
    let took: Vec<_> = (0..3).map(|_| stop()).collect();
    assert!(took.iter().any(|took| *took < Duration::from_millis(900)), "{took:?}");
}
