//! A file that gets a line of JSON for each notice.
//!
//! An interrupted attempt may have left complete lines and a partial one. The file is searched for
//! existing lines, so that each notice has one line.

use core::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use cortexkey_system::io_reason;
use serde_json::Value;

use super::SendError;
use crate::watch::message::NoticeMessage;
use crate::watch::notice::WatchNotice;

/// The number of bytes at the file's end that are searched for lines of an interrupted attempt.
const TAIL_BYTES_MAX: u64 = 1024 * 1024;
/// The characters after the id in a line.
const ID_END: &str = ",\"kind\":";

/// Appends the missing lines.
pub(super) fn append(path: &Path, message: &NoticeMessage, now_ms: u64) -> Result<(), SendError> {
    let failed = |error: io::Error| {
        let why = io_reason(&error);
        SendError::none(format!("the file {} cannot be written: {why}", path.display()))
    };
    let mut file = open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(SendError::none(format!("{} is not a regular file", path.display())));
    }
    let length = about.len();
    let tail = tail(&mut file, length).map_err(failed)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (whole, partial) = tail.split_at(whole);
    let known = if message.tried { ids(whole) } else { Vec::new() };
    let new = message.notices.iter().filter(|notice| !known.contains(&notice.id));
    let lines: Vec<String> = new.map(|notice| line(notice, now_ms)).collect();
    let is_ours = |line: &String| {
        let id_end = line.find(ID_END).unwrap_or(0);
        let both = partial.iter().zip(line.as_bytes()).take(id_end);
        both.into_iter().all(|(one, other)| one == other)
    };
    let mut text = lines.concat();
    let mut end = length;
    if !partial.is_empty() {
        if message.tried && lines.iter().any(is_ours) {
            // A partial line from an interrupted attempt.
            end -= partial.len() as u64;
        } else {
            text.insert(0, '\n');
        }
    }
    write(&mut file, end, length, text.as_bytes()).map_err(failed)
}

/// A line that always begins with version and id, regardless of the order of map fields.
fn line(notice: &WatchNotice, now_ms: u64) -> String {
    let value = notice.json(now_ms);
    let mut line = format!("{{\"version\":1,\"id\":{}{ID_END}{}", value["id"], value["kind"]);
    let fields = value.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| *name != "id" && *name != "kind") {
        let _ = write!(line, ",{}:{value}", Value::from(name.as_str()));
    }
    line + "}\n"
}

/// Writes at the end. An incomplete write is undone.
fn write(file: &mut File, end: u64, length: u64, text: &[u8]) -> io::Result<()> {
    if end < length {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if written.is_err() {
        // A file can be shortened even if no space is left.
        let _ = file.set_len(end);
    }
    written
}

fn tail(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The ids of the notices that have a complete line.
fn ids(tail: &[u8]) -> Vec<String> {
    let id = |line: &[u8]| {
        let value: Value = serde_json::from_slice(line).ok()?;
        Some(value["id"].as_str()?.to_owned())
    };
    tail.split(|byte| *byte == b'\n').filter_map(id).collect()
}

fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for its reader.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fs;

    use super::*;
    use crate::watch::notice::{Due, NoticeKind};

    fn message(tried: bool) -> NoticeMessage {
        let due = |id: &str| Due {
            notice: WatchNotice::new(id.to_owned(), NoticeKind::Expired, "prod"),
            supersedes: Vec::new(),
        };
        NoticeMessage { tried, ..NoticeMessage::new("file", &[due("a"), due("b")]) }
    }

    #[test]
    fn interrupted_attempts_leave_one_line_per_notice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notices.jsonl");
        fs::write(&path, "{\"id\":\"earlier\"}\n").unwrap();
        append(&path, &message(false), 0).unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!(ids(&whole), ["earlier", "a", "b"]);
        let start = "{\"id\":\"earlier\"}\n".len();
        for cut in start..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            append(&path, &message(true), 0).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let found = ids(text.as_bytes());
            assert_eq!(found, ["earlier", "a", "b"], "{cut}: {text}");
        }
    }

    #[test]
    fn a_line_of_another_writer_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notices.jsonl");
        fs::write(&path, "no line ending").unwrap();
        append(&path, &message(true), 0).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("no line ending\n{\"version\":1,"), "{text}");
        for place in [folder.path(), Path::new("/dev/null"), Path::new("/no/such/folder/x")] {
            assert!(!append(place, &message(false), 0).unwrap_err().may_have_arrived());
        }
    }
}
