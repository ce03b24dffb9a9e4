//! [`CallList`]: the calls in a list, a HAR file, an access log or the emulator's request log.
//!
//! Each line is parsed on its own, so logs may be mixed. A line that is not recognised is reported
//! only by its number, because a log may contain secrets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::{Operation, find};

/// The other base paths at which the product serves the same calls.
const BASES: [&str; 3] = ["/xsoar/public/v1/", "/xsiam/public/v1/", "/agentix/public/v1/"];
const BASE: &str = "/public_api/v1/";
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// A call, without its query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiCall {
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
}

/// A part of the input that was not recognised as a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnrecognisedCall {
    /// The line, or the entry of a HAR file, counted from 1.
    pub line: usize,
    /// Why it was not recognised.
    pub reason: &'static str,
}

/// Calls, each with how often it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallList {
    /// The calls.
    pub calls: BTreeMap<ApiCall, usize>,
    /// What was not recognised.
    pub unread: Vec<UnrecognisedCall>,
}

impl ApiCall {
    /// Parses a method and an address or path; `None` if they are not those of a call.
    pub fn new(method: &str, target: &str) -> Option<Self> {
        let method = method.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return None;
        }
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => target,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        if !path.starts_with('/') || path.contains(char::is_whitespace) {
            return None;
        }
        Some(Self { method, path: path.to_owned() })
    }

    /// The operation that it calls, and whether only another base path suggests that.
    pub(super) fn operation(&self) -> Option<(&'static Operation, bool)> {
        if let Some(operation) = find(&self.method, &self.path) {
            return Some((operation, false));
        }
        let rest = BASES.iter().find_map(|base| self.path.strip_prefix(base))?;
        find(&self.method, &format!("{BASE}{rest}")).map(|operation| (operation, true))
    }
}

/// Reads calls from text of any of the forms.
pub fn read_calls(text: &str) -> CallList {
    let mut list = CallList::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        list.add_json(&value);
        return list;
    }
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        list.add(at + 1, of_line(line));
    }
    list
}

impl CallList {
    fn add(&mut self, line: usize, call: Result<ApiCall, &'static str>) {
        match call {
            Ok(call) => *self.calls.entry(call).or_default() += 1,
            Err(reason) => self.unread.push(UnrecognisedCall { line, reason }),
        }
    }

    /// A HAR file, a list of calls, or one line of a log.
    fn add_json(&mut self, value: &Value) {
        let entries = value["log"]["entries"].as_array();
        if let Some(entries) = entries {
            for (at, entry) in entries.iter().enumerate() {
                self.add(at + 1, of_object(&entry["request"]));
            }
            return;
        }
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let call = item.as_str().map_or_else(|| of_object(item), of_line);
                    self.add(at + 1, call);
                }
            }
            one => self.add(1, of_object(one)),
        }
    }
}

fn of_line(line: &str) -> Result<ApiCall, &'static str> {
    if line.starts_with('{') {
        let value: Value =
            serde_json::from_str(line).map_err(|_| "the JSON is incomplete or invalid")?;
        return of_object(&value);
    }
    // An access log has its request in quotes: "GET /path HTTP/1.1".
    let quoted = line.split('"').skip(1).step_by(2).find_map(|part| {
        let mut words = part.split(' ');
        let method = words.next()?;
        let target = words.next()?;
        let version = words.next()?;
        version.starts_with("HTTP/").then(|| ApiCall::new(method, target)).flatten()
    });
    if let Some(call) = quoted {
        return Ok(call);
    }
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    // The emulator numbers its lines.
    let is_numbered = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    let method = if is_numbered { words.next().unwrap_or_default() } else { first };
    let call = words.next().and_then(|target| ApiCall::new(method, target));
    call.ok_or("expected a call: METHOD PATH, a line of an access log, or JSON")
}

fn of_object(value: &Value) -> Result<ApiCall, &'static str> {
    if value["dropped"].is_u64() {
        return Err("the log lost lines here, so their calls are unknown");
    }
    let text = |name: &str| value[name].as_str();
    let target = text("path").or_else(|| text("url")).or_else(|| text("uri"));
    let call = text("method").zip(target).and_then(|(method, path)| ApiCall::new(method, path));
    call.ok_or("it has no method with a path or url")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn calls(text: &str) -> Vec<String> {
        let list = read_calls(text);
        assert_eq!(list.unread, []);
        list.calls.iter().map(|(call, n)| format!("{n} {} {}", call.method, call.path)).collect()
    }

    #[test]
    fn every_form_is_read() {
        let expected = ["1 GET /a/b", "2 POST /c"];
        for text in [
            "# calls\nGET /a/b?x=1\n\nPOST /c\npost https://api-x.example/c/\n",
            r#"[{"method":"GET","path":"/a/b"},{"method":"POST","url":"https://x/c?q"},"POST /c"]"#,
            r#"{"log":{"entries":[{"request":{"method":"GET","url":"https://x/a/b#f"}},
                {"request":{"method":"POST","url":"https://x/c"}},
                {"request":{"method":"POST","url":"http://x:1/c/"}}]}}"#,
            "{\"method\":\"GET\",\"path\":\"/a/b\"}\n{\"method\":\"POST\",\"path\":\"/c\"}\nPOST /c",
            "1 GET /a/b 200 key 2 accept 10 us\n2 POST /c 200 key 2\n3 POST /c 403 key 2",
            "10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /a/b HTTP/1.1\" 200 5 \"-\" \"curl\"\n\
             ::1 - - [x] \"POST /c HTTP/2.0\" 200 -\n::1 - - [x] \"POST /c?k=v HTTP/2.0\" 200 -",
        ] {
            assert_eq!(calls(text), expected, "{text}");
        }
    }

    #[test]
    fn unrecognised_lines_are_reported_by_number() {
        let list =
            read_calls("GET /a\nhello\n{\"dropped\":3}\n{\"method\":\nBREW /pot\nGET nowhere");
        let lines: Vec<usize> = list.unread.iter().map(|unread| unread.line).collect();
        assert_eq!((list.calls.len(), lines), (1, vec![2, 3, 4, 5, 6]));
        assert_eq!(read_calls("").calls.len(), 0);
        assert_eq!(read_calls("[1, null]").unread.len(), 2);
    }

    #[test]
    fn other_base_paths_name_the_same_operation() {
        let call = ApiCall::new("POST", "/xsoar/public/v1/api_keys/generate").unwrap();
        let (operation, is_suggested) = call.operation().unwrap();
        assert_eq!(operation.path, "/public_api/v1/api_keys/generate");
        assert!(is_suggested);
    }
}
