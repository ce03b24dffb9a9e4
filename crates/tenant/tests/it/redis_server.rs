//! A real redis-server or valkey-server in its own process, without persistence, for the tests of
//! several crates.
//!
//! It never mistakes another program for it: a port that is free now may belong to another program
//! a moment later, and a connection to a port that the system assigns may even reach itself.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::print_stderr, reason = "a skip says why")]

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Below the ports that systems assign automatically (from 32,768 or 49,152 on).
const PORTS: std::ops::Range<u16> = 20_000..32_000;

pub(crate) struct RedisServer {
    process: Child,
    port: u16,
    program: PathBuf,
    /// The file with the number of seconds that its clock is ahead; the machine's clock without a
    /// file.
    clock: Option<PathBuf>,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_program(Path::new("redis-server"), None)
    }

    /// One server of each installed program: redis-server and, if available, valkey-server.
    pub(crate) fn start_each() -> Vec<Self> {
        let programs = [Some(PathBuf::from("redis-server")), valkey()];
        programs.iter().flatten().map(|program| Self::start_program(program, None)).collect()
    }

    /// A server whose clock is ahead by the number of seconds in a file.
    pub(crate) fn start_with_clock(program: &Path, clock: &Path) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/server_clock.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(clock.with_extension("so")).arg(source);
        assert!(cc.status().unwrap().success(), "cc cannot build the server's clock");
        Self::start_program(program, Some(clock))
    }

    fn start_program(program: &Path, clock: Option<&Path>) -> Self {
        static TRIED: AtomicU16 = AtomicU16::new(0);
        for _ in 0..100 {
            let tried = u32::from(TRIED.fetch_add(1, Ordering::Relaxed));
            let chance = std::process::id().wrapping_mul(97).wrapping_add(tried);
            let offset = u16::try_from(chance % u32::from(PORTS.end - PORTS.start)).unwrap();
            if let Some(server) = Self::on(PORTS.start + offset, program, clock) {
                return server;
            }
        }
        panic!("redis-server finds no free port");
    }

    /// Ends, if it is running, and starts again without data.
    pub(crate) fn start_again(&mut self) {
        self.end();
        let again = Self::on(self.port, &self.program, self.clock.as_deref());
        *self = again.expect("somebody else took redis-server's port");
    }

    pub(crate) fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's reply, line by line.
    pub(crate) fn lines(
        &self,
        command: &str,
    ) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        Ok(BufReader::new(stream).lines())
    }

    /// `None` if the port belongs to another program.
    fn on(port: u16, program: &Path, clock: Option<&Path>) -> Option<Self> {
        let text = port.to_string();
        let mut command = Command::new(program);
        if let Some(clock) = clock {
            let shim = clock.with_extension("so");
            command.env("LD_PRELOAD", shim).env("SERVER_CLOCK", clock);
        }
        command.args(["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let process = command
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is not installed; cargo xtask test installs it");
        let clock = clock.map(Path::to_owned);
        let mut server = Self { process, port, program: program.to_owned(), clock };
        let until = Instant::now() + Duration::from_secs(20);
        while !server.is_ready() {
            if server.process.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < until, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    /// Whether this process responds.
    fn is_ready(&self) -> bool {
        let own = format!("process_id:{}", self.process.id());
        let Ok(lines) = self.lines("INFO server") else { return false };
        // It is in the first half of that section.
        lines.map_while(Result::ok).take(40).any(|line| line.trim() == own)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where valkey-server is: on the search path, or in the build folder, where `cargo xtask test`
/// puts it.
pub(crate) fn valkey() -> Option<PathBuf> {
    let name = Path::new("valkey-server");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/valkey").join(name);
    let built = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder).join("valkey").join(name),
        None => built,
    };
    let valkey = found.chain([built]).find(|file| file.is_file());
    if valkey.is_none() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "valkey-server is missing");
        eprintln!("skipped: valkey-server is not installed; cargo xtask test installs it");
    }
    valkey
}
