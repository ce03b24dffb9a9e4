//! [`calendar`]: expiries as an iCalendar file (RFC 5545), one event per key.
//!
//! An event's UID names tenant and key, so that a program that reads the file again moves the event
//! of a key whose expiry changed.

use cortexkey_core::lifecycle::Expiry;

use super::notice::{Thresholds, shown};
use super::observation::{Observation, WatchedKey};

/// The largest number of octets in a line, without the line break.
const LINE_OCTETS_MAX: usize = 75;

/// A calendar of these observations. `None` if a tenant did not return all of its keys, because their
/// events would disappear.
pub fn calendar(
    observations: &[Observation],
    thresholds: &Thresholds,
    now_ms: u64,
) -> Option<String> {
    let mut lines = Lines(String::new());
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        concat!("PRODID:-//cortexkey//", env!("CARGO_PKG_VERSION"), "//EN"),
        "CALSCALE:GREGORIAN",
        "X-WR-CALNAME:Cortex API keys",
    ] {
        lines.push(line);
    }
    for observation in observations {
        let observed = observation.seen.as_ref().ok().filter(|observed| observed.is_complete())?;
        for key in &observed.keys {
            if let Expiry::At { ms } = key.record.expiry {
                event(&mut lines, observation, key, ms, thresholds, now_ms);
            }
        }
    }
    lines.push("END:VCALENDAR");
    Some(lines.0)
}

fn event(
    lines: &mut Lines,
    observation: &Observation,
    key: &WatchedKey,
    expires_ms: u64,
    thresholds: &Thresholds,
    now_ms: u64,
) {
    let id = key.record.key_id;
    let place: String = observation
        .place
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let managed = key.managed.as_ref();
    let name = managed.map(|managed| format!(" ({})", shown(&managed.name))).unwrap_or_default();
    let summary = format!("Key {id} of {}{name} expires", shown(&observation.tenant));
    let mut about = vec![format!("Level: {}", key.record.level)];
    let roles: Vec<String> = key.record.roles.iter().map(|role| shown(role)).collect();
    about.push(format!("Roles: {}", roles.join(", ")));
    let owner = managed.and_then(|managed| managed.owner.as_deref());
    about.extend(owner.map(|owner| format!("Owner: {}", shown(owner))));
    about.extend(key.record.comment.as_deref().map(|text| format!("Comment: {}", shown(text))));

    lines.push("BEGIN:VEVENT");
    lines.push(&format!("UID:key-{id}.{place}@cortexkey"));
    lines.push(&format!("DTSTAMP:{}", time(now_ms)));
    lines.push(&format!("DTSTART:{}", time(expires_ms)));
    lines.push("TRANSP:TRANSPARENT");
    lines.push(&format!("SUMMARY:{}", escaped(&summary)));
    lines.push(&format!("DESCRIPTION:{}", escaped(&about.join("\n"))));
    for ms in thresholds.ms() {
        lines.push("BEGIN:VALARM");
        lines.push("ACTION:DISPLAY");
        lines.push(&format!("DESCRIPTION:{}", escaped(&summary)));
        lines.push(&format!("TRIGGER:-PT{}S", ms / 1000));
        lines.push("END:VALARM");
    }
    lines.push("END:VEVENT");
}

/// Content lines, folded and terminated as the format requires.
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        let mut octets = 0;
        for c in line.chars() {
            if octets + c.len_utf8() > LINE_OCTETS_MAX {
                self.0 += "\r\n ";
                octets = 1;
            }
            self.0.push(c);
            octets += c.len_utf8();
        }
        self.0 += "\r\n";
    }
}

/// A value of the type TEXT.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            c => out.push(c),
        }
    }
    out
}

/// A time in UTC, to the second.
fn time(ms: u64) -> String {
    let second = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
    // The format allows only four digits for a year.
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
