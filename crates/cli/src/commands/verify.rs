//! `cortexkey verify`: checks requests given as JSON, offline, and prints verdicts.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};
use std::path::PathBuf;

use cortexkey_core::auth::{NonceLengths, Request, Skew, Verdict, Verifier};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, NoReplayGuard, ReplayGuard, Start};
use cortexkey_system::{chain, io_reason};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::text;
use crate::verify_line::{Line, LineError};

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Check requests given as JSON, offline, and print the verdicts
///
/// Reads one JSON object per line: the stored key (null: unknown), the time and skew in
/// milliseconds, and the headers. A list of values is a header that was sent more than once.
#[derive(clap::Args)]
#[command(after_help = r#"Example:
  echo '{"stored":{"key_id":7,"key":"k","level":"standard","expires_ms":null,"revoked":false},
  "now_ms":1790611732512,"skew_ms":60000,"request":{"x-xdr-auth-id":"7","Authorization":"k"}}' |
  tr -d '\n' | cortexkey verify

Exit codes: 0 all requests are accepted; 1 at least one is refused, or a line is
not a request; 3 there are no lines."#)]
pub(crate) struct Args {
    /// Read this file instead of standard input
    file: Option<PathBuf>,

    /// Accept nonces of 16 to 128 characters, instead of exactly 64
    #[arg(long)]
    lenient_nonces: bool,

    /// Use one replay guard for all lines, instead of verifying each line separately
    #[arg(long)]
    replay: bool,

    /// How many requests the replay guard remembers
    #[arg(long, value_name = "N", requires = "replay", default_value_t = 1 << 20)]
    replay_entries: usize,

    /// Start the replay guard at this time, as after a restart, in milliseconds since 1970
    #[arg(long, value_name = "MS", requires = "replay")]
    replay_start_ms: Option<u64>,

    /// The largest clock skew that the replay guard supports, in milliseconds
    #[arg(long, value_name = "MS", requires = "replay", default_value_t = Skew::MAX.as_ms())]
    replay_skew_ms: u64,
}

/// A larger guard would take over 200 MB.
const REPLAY_ENTRIES_MAX: usize = 10_000_000;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut input = open(args)?;
    let guard: Box<dyn ReplayGuard> =
        if args.replay { Box::new(guard_for_a_run(args)?) } else { Box::new(NoReplayGuard) };
    let lengths = if args.lenient_nonces { NonceLengths::LENIENT } else { NonceLengths::EXACT };
    let mut number = 0_u64;
    let mut all_accepted = true;
    while let Some(line) = read_line(&mut *input)? {
        number += 1;
        let answer = match line.and_then(|line| Line::parse(&line)) {
            Ok(line) => {
                let verdict = verdict_of(&line, lengths, &*guard);
                all_accepted &= verdict.is_accept();
                answer(line.name, verdict)
            }
            Err(error) => {
                all_accepted = false;
                json!({ "error": format!("line {number}: {}", chain(&error)) })
            }
        };
        text::print(&text::json(&answer))?;
    }
    if number == 0 {
        return Err(Failure::new(Exit::NoInput, "there is no request to check")
            .help("give one JSON object per line, as in `cortexkey verify --help`"));
    }
    Ok(if all_accepted { Exit::Done } else { Exit::Findings })
}

fn open(args: &Args) -> Result<Box<dyn BufRead>, Failure> {
    let Some(path) = &args.file else {
        if io::stdin().is_terminal() {
            text::eprint(
                "Reading requests from the terminal, one JSON object per line; Ctrl-D ends the input.\n",
            );
        }
        return Ok(Box::new(io::stdin().lock()));
    };
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::NoInput, format!("cannot read {}: {why}", path.display()))
    };
    let file = File::open(path).map_err(|error| unreadable(&io_reason(&error)))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(unreadable(&"it is a folder").help("give a file with one JSON object per line"));
    }
    Ok(Box::new(BufReader::new(file)))
}

fn answer(name: Option<String>, verdict: Verdict) -> Value {
    let mut answer = json!({ "verdict": verdict.code(), "message": verdict.message() });
    if let Some(name) = name {
        answer["name"] = name.into();
    }
    if !verdict.is_accept() {
        answer["number"] = verdict.number().into();
        answer["cause"] = verdict.cause().into();
        answer["remedy"] = verdict.remedy().into();
    }
    answer
}

fn guard_for_a_run(args: &Args) -> Result<MemoryGuard, Failure> {
    if args.replay_entries > REPLAY_ENTRIES_MAX {
        return Err(Failure::usage_error(format!(
            "--replay-entries is above {REPLAY_ENTRIES_MAX}, the most that one run supports"
        )));
    }
    let skew = Skew::from_ms(args.replay_skew_ms)
        .map_err(|error| Failure::usage_error(format!("--replay-skew-ms: {error}")))?;
    let secret = MemoryGuardConfig::secret_from_system().map_err(|error| {
        Failure::new(Exit::Findings, format!("the system returned no random bytes: {error}"))
    })?;
    Ok(MemoryGuard::new(MemoryGuardConfig {
        entries: args.replay_entries,
        skew,
        start: args.replay_start_ms.map_or(Start::First, |at_ms| Start::Fresh { at_ms }),
        secret,
    }))
}

fn verdict_of(line: &Line, lengths: NonceLengths, guard: &dyn ReplayGuard) -> Verdict {
    let verifier = Verifier::new().with_skew(line.skew).with_nonce_lengths(lengths);
    let headers = line.headers.iter().map(|(name, value)| (name, value.as_slice()));
    let verdict = Request::parse(headers, verifier.nonce_lengths())
        .and_then(|request| verifier.verify(&request, line.stored.as_ref(), line.now_ms, guard));
    verdict.err().unwrap_or(Verdict::Accept)
}

/// How much of a line is skipped, at most, when it is too long.
const ENDLESS_BYTES: usize = 64 << 20;

/// The next line without its end, or an error if it is too long.
fn read_line(input: &mut dyn BufRead) -> Result<Option<Result<Vec<u8>, LineError>>, Failure> {
    let mut line = Vec::new();
    let mut len = 0_usize;
    let mut is_begun = false;
    loop {
        let chunk = input.fill_buf().map_err(|error| {
            Failure::new(Exit::NoInput, format!("cannot read the requests: {}", io_reason(&error)))
        })?;
        if chunk.is_empty() && !is_begun {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let taken = end.map_or(chunk.len(), |end| end + 1);
        let part_len = part.len();
        let is_last = end.is_some() || chunk.is_empty();
        input.consume(taken);
        len += part_len;
        is_begun = true;
        // A device may never end a line.
        if len > ENDLESS_BYTES {
            let message = format!("a line of the requests has more than {ENDLESS_BYTES} bytes");
            return Err(Failure::new(Exit::NoInput, message).help("give one JSON object per line"));
        }
        if is_last {
            let too_long = len > LINE_BYTES_MAX;
            return Ok(Some(if too_long {
                Err(LineError::TooLong { limit: LINE_BYTES_MAX })
            } else {
                Ok(line)
            }));
        }
    }
}
