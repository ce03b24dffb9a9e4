//! [`Program`]: a user's program that prints or receives a key.
//!
//! It runs without a shell, with a time limit, and without the keys in our own environment. Its
//! output is wiped.

use core::fmt;
use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use cortexkey_system::io_reason;
use thiserror::Error;
use wait_timeout::ChildExt as _;
use zeroize::Zeroizing;

/// A program with its arguments. `Debug` and `Display` show only its name, because an argument may
/// contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// Why a program failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// The program does not exist or cannot be executed.
    #[error("{}", not_started(.0))]
    Start(io::Error),
    /// It ended with a status other than 0.
    #[error("{}", ended(*code))]
    Failed {
        /// Its exit code; `None` if a signal ended it.
        code: Option<i32>,
    },
    /// It did not finish in time, and was stopped.
    #[error("did not finish within {} s, and was stopped", after.as_secs_f64())]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// It wrote too much.
    #[error("wrote more than {limit} bytes\nhelp: it should write only the key")]
    TooMuch {
        /// The limit in bytes.
        limit: usize,
    },
    /// The system does not allow communication with it.
    #[error("could not be read from or written to: {}", io_reason(.0))]
    Io(io::Error),
}

/// The result of a program.
pub(crate) struct Exchanged {
    /// Its exit code; absent if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    pub(crate) stderr: String,
}

/// The largest part of a program's messages that is kept.
const MESSAGES_BYTES_MAX: u64 = 64 * 1024;

impl Program {
    /// A name and its arguments; `None` without a name.
    pub fn new(argv: Vec<String>, timeout: Duration) -> Option<Self> {
        let mut argv = argv.into_iter();
        let name = argv.next().filter(|name| !name.is_empty())?;
        Some(Self { name, arguments: argv.collect(), timeout })
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The same program with other arguments.
    pub(crate) fn with_arguments(&self, arguments: Vec<String>) -> Self {
        Self { arguments, ..self.clone() }
    }

    /// Runs it without standard input; returns its standard output.
    pub(crate) fn read(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        let mut command = self.command(&[]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(ProgramError::Start)?;
        let output = child.stdout.take().map(|output| read_aside(output, limit));
        let status = self.wait(&mut child)?;
        // Its child processes may hold the pipe open; they are not waited for beyond the limit.
        let output = output.and_then(|output| output.recv_timeout(self.timeout).ok());
        let output = output.ok_or(ProgramError::Timeout { after: self.timeout })?;
        let output = output.map_err(ProgramError::Io)?;
        // Checked first: a program whose output was not read completely may fail for that reason.
        if output.len() > limit {
            return Err(ProgramError::TooMuch { limit });
        }
        success(status)?;
        Ok(output)
    }

    /// Runs it with a secret on standard input. Its output goes to our standard error.
    pub(crate) fn write(
        &self,
        secret: &[u8],
        environment: &[(&str, String)],
    ) -> Result<(), ProgramError> {
        let mut command = self.command(environment);
        command.stdin(Stdio::piped()).stdout(io::stderr());
        let mut child = command.spawn().map_err(ProgramError::Start)?;
        let stdin = child.stdin.take();
        let secret = Zeroizing::new(secret.to_vec());
        // A key fits into any pipe, but a program that never reads must not block us.
        let written = thread::spawn(move || stdin.map_or(Ok(()), |mut to| to.write_all(&secret)));
        let status = self.wait(&mut child)?;
        success(status)?;
        // A program that ended before it read the key has not stored it, whatever its exit code.
        match written.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ProgramError::Io(error)),
            Err(_) => Err(ProgramError::Io(io::ErrorKind::Other.into())),
        }
    }

    /// Runs it with `input` on standard input, and takes what it writes, whatever its exit code.
    pub(crate) fn exchange(
        &self,
        input: &[u8],
        environment: &[(&str, String)],
        limit: usize,
    ) -> Result<Exchanged, ProgramError> {
        exchange(self.command(environment), input, self.timeout, limit)
    }

    fn command(&self, environment: &[(&str, String)]) -> Command {
        let mut command = cortexkey_system::command(&self.name);
        command.args(&self.arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, ProgramError> {
        wait(child, self.timeout)
    }
}

impl ProgramError {
    /// Whether the program may have done its work, or a process that it started may still do it.
    pub(crate) fn may_continue(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Failed { code: None })
    }
}

impl Exchanged {
    /// What it wrote to standard output, as text without line endings at its end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// Runs a program with `input` on standard input, and takes what it writes, whatever its exit code.
pub(crate) fn exchange(
    mut command: Command,
    input: &[u8],
    timeout: Duration,
    limit: usize,
) -> Result<Exchanged, ProgramError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ProgramError::Start)?;
    let stdin = child.stdin.take();
    let input = Zeroizing::new(input.to_vec());
    let written = thread::spawn(move || stdin.map_or(Ok(()), |mut to| to.write_all(&input)));
    let stdout = child.stdout.take().map(|stdout| read_aside(stdout, limit));
    let stderr = child.stderr.take().map(read_and_drain);
    let status = wait(&mut child, timeout)?;
    let received = |output: Option<Receiver<_>>| {
        let output = output.and_then(|output| output.recv_timeout(timeout).ok());
        let output: io::Result<_> = output.ok_or(ProgramError::Timeout { after: timeout })?;
        output.map_err(ProgramError::Io)
    };
    let stdout = received(stdout)?;
    let stderr = received(stderr)?;
    if stdout.len() > limit {
        return Err(ProgramError::TooMuch { limit });
    }
    // A program that ended before it read all of its input has not stored it, whatever it reports.
    if status.success() {
        match written.join() {
            Ok(written) => written.map_err(ProgramError::Io)?,
            Err(_) => return Err(ProgramError::Io(io::ErrorKind::Other.into())),
        }
    }
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Exchanged { code: status.code(), stdout, stderr })
}

fn wait(child: &mut Child, timeout: Duration) -> Result<ExitStatus, ProgramError> {
    if let Some(status) = child.wait_timeout(timeout).map_err(ProgramError::Io)? {
        return Ok(status);
    }
    // A program that has already ended cannot be killed.
    let _ = child.kill();
    let _ = child.wait();
    Err(ProgramError::Timeout { after: timeout })
}

/// Reads on a separate thread, so that the program's end can be waited for at the same time.
fn read_aside(
    output: impl io::Read + Send + 'static,
    limit: usize,
) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (done, result) = channel();
    thread::spawn(move || {
        // Full capacity from the start: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 64));
        let read = output.take(limit as u64 + 1).read_to_end(&mut bytes);
        // The receiver may be gone.
        let _ = done.send(read.map(|_| bytes));
    });
    result
}

/// Keeps the beginning, and reads the rest to its end so that the program does not block.
fn read_and_drain(
    output: impl io::Read + Send + 'static,
) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (done, result) = channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut output = output.take(MESSAGES_BYTES_MAX);
        let read = output.read_to_end(&mut bytes);
        let drained = io::copy(&mut output.into_inner(), &mut io::sink());
        let _ = done.send(read.and(drained).map(|_| bytes));
    });
    result
}

fn success(status: ExitStatus) -> Result<(), ProgramError> {
    if status.success() { Ok(()) } else { Err(ProgramError::Failed { code: status.code() }) }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.arguments.is_empty() { Ok(()) } else { f.write_str(" …") }
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({self})")
    }
}

/// A phrase that follows the program's name, with the system's error.
fn not_started(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "is not found\nhelp: give its full path, or check that it is on PATH".to_owned()
        }
        _ => format!("cannot be executed: {}", io_reason(error)),
    }
}

fn ended(code: Option<i32>) -> String {
    match code {
        Some(code) => format!("exited with code {code}\nhelp: run it by hand to see why"),
        None => "was stopped by a signal".to_owned(),
    }
}
