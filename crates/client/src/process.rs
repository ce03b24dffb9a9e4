//! [`Program`]: a user's program that gives or takes a key.
//!
//! It runs without a shell, with a time limit, and without the keys of our own environment. What it
//! writes is wiped.

use core::fmt;
use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use thiserror::Error;
use wait_timeout::ChildExt as _;
use zeroize::Zeroizing;

/// A program with its arguments. `Debug` and `Display` show its name alone: somebody may have put
/// a secret among the arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    name: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// Why a program did not do what it is for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no such program, or it may not be run.
    #[error("{}", not_started(.0))]
    Start(io::Error),
    /// It ended with another status than 0.
    #[error("{}", ended(*code))]
    Failed {
        /// Its exit code; none where a signal ended it.
        code: Option<i32>,
    },
    /// It was not done in time, and was ended.
    #[error("was not done after {} s, and was ended", after.as_secs_f64())]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// It wrote more than there is room for.
    #[error("wrote more than {limit} bytes; it should write the key alone")]
    TooMuch {
        /// The limit in bytes.
        limit: usize,
    },
    /// The system does not let us talk to it.
    #[error("cannot be talked to: {0}")]
    Io(io::Error),
}

/// What a program answered.
pub(crate) struct Exchanged {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    pub(crate) stderr: String,
}

/// The most that is kept of what a program reports.
const MESSAGES_BYTES_MAX: u64 = 64 * 1024;

impl Program {
    /// Name and arguments; none without a name.
    pub fn new(argv: Vec<String>, timeout: Duration) -> Option<Self> {
        let mut argv = argv.into_iter();
        let name = argv.next().filter(|name| !name.is_empty())?;
        Some(Self { name, arguments: argv.collect(), timeout })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its arguments.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// With other arguments.
    pub(crate) fn with_arguments(&self, arguments: Vec<String>) -> Self {
        Self { arguments, ..self.clone() }
    }

    /// Runs it with nothing on standard input; what it wrote to standard output.
    pub(crate) fn read(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>, ProgramError> {
        let mut command = self.command(&[]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(ProgramError::Start)?;
        let output = child.stdout.take().map(|output| read_aside(output, limit));
        let status = self.wait(&mut child)?;
        // Its own children may hold the pipe open; they are not waited for beyond the limit.
        let output = output.and_then(|output| output.recv_timeout(self.timeout).ok());
        let output = output.ok_or(ProgramError::Timeout { after: self.timeout })?;
        let output = output.map_err(ProgramError::Io)?;
        // First: a program that is not read to its end does not end well.
        if output.len() > limit {
            return Err(ProgramError::TooMuch { limit });
        }
        success(status)?;
        Ok(output)
    }

    /// Runs it with a secret on standard input. What it writes goes to our standard error.
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
        // A key fits any pipe; but a program that never reads must not hold us up.
        let written = thread::spawn(move || stdin.map_or(Ok(()), |mut to| to.write_all(&secret)));
        let status = self.wait(&mut child)?;
        success(status)?;
        // One that ended before it had read the key has not kept it, whatever it says.
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
        let mut command = self.command(environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(ProgramError::Start)?;
        let (stdin, input) = (child.stdin.take(), Zeroizing::new(input.to_vec()));
        let written = thread::spawn(move || stdin.map_or(Ok(()), |mut to| to.write_all(&input)));
        let stdout = child.stdout.take().map(|stdout| read_aside(stdout, limit));
        let stderr = child.stderr.take().map(read_and_drain);
        let status = self.wait(&mut child)?;
        let received = |output: Option<Receiver<_>>| {
            let output = output.and_then(|output| output.recv_timeout(self.timeout).ok());
            let output: io::Result<_> =
                output.ok_or(ProgramError::Timeout { after: self.timeout })?;
            output.map_err(ProgramError::Io)
        };
        let (stdout, stderr) = (received(stdout)?, received(stderr)?);
        if stdout.len() > limit {
            return Err(ProgramError::TooMuch { limit });
        }
        // One that ended before it had read its input has not kept it, whatever it says.
        if status.success() {
            match written.join() {
                Ok(written) => written.map_err(ProgramError::Io)?,
                Err(_) => return Err(ProgramError::Io(io::ErrorKind::Other.into())),
            }
        }
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ok(Exchanged { code: status.code(), stdout, stderr })
    }

    fn command(&self, environment: &[(&str, String)]) -> Command {
        let mut command = cortexkey_system::command(&self.name);
        command.args(&self.arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, ProgramError> {
        if let Some(status) = child.wait_timeout(self.timeout).map_err(ProgramError::Io)? {
            return Ok(status);
        }
        // A program that ended in between cannot be killed.
        let _ = child.kill();
        let _ = child.wait();
        Err(ProgramError::Timeout { after: self.timeout })
    }
}

/// Reads on a thread of its own, so that the program's end can be waited for meanwhile.
fn read_aside(
    output: impl io::Read + Send + 'static,
    limit: usize,
) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (done, result) = channel();
    thread::spawn(move || {
        // Room for all of it from the start: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 64));
        let read = output.take(limit as u64 + 1).read_to_end(&mut bytes);
        // Nobody may wait for it any more.
        let _ = done.send(read.map(|_| bytes));
    });
    result
}

/// Reads the beginning of it, and the rest to its end, so that the program is not held up.
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

/// A phrase about the program, as all of these are, with the system's error in it.
fn not_started(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "is not found; give its full path, or see that it is on PATH".to_owned()
        }
        _ => format!("cannot be run: {error}"),
    }
}

fn ended(code: Option<i32>) -> String {
    match code {
        Some(code) => format!("ended with the exit code {code}; run it by hand to see why"),
        None => "was ended by a signal".to_owned(),
    }
}
