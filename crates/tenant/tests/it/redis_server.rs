//! A real redis-server in a process of its own, without persistence; for the tests of more than one
//! crate.
//!
//! It refuses to take another program for it: a port that is free at one moment is somebody else's
//! at the next, and a connection to a port that the system hands out may even meet itself.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Below what systems hand out by themselves (from 32,768 or 49,152 on).
const PORTS: std::ops::Range<u16> = 20_000..32_000;

pub(crate) struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        static TRIED: AtomicU16 = AtomicU16::new(0);
        for _ in 0..100 {
            let tried = u32::from(TRIED.fetch_add(1, Ordering::Relaxed));
            let chance = std::process::id().wrapping_mul(97).wrapping_add(tried);
            let offset = u16::try_from(chance % u32::from(PORTS.end - PORTS.start)).unwrap();
            if let Some(server) = Self::on(PORTS.start + offset) {
                return server;
            }
        }
        panic!("redis-server finds no free port");
    }

    /// Ends, if it has not, and starts again with nothing remembered.
    pub(crate) fn start_again(&mut self) {
        self.end();
        *self = Self::on(self.port).expect("somebody else took redis-server's port");
    }

    pub(crate) fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What the server answers, line by line.
    pub(crate) fn lines(
        &self,
        command: &str,
    ) -> io::Result<impl Iterator<Item = io::Result<String>>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        Ok(BufReader::new(stream).lines())
    }

    /// Nothing where the port is somebody else's.
    fn on(port: u16) -> Option<Self> {
        let text = port.to_string();
        let process = Command::new("redis-server")
            .args(["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is not installed; cargo xtask test installs it");
        let mut server = Self { process, port };
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

    /// Whether this very process answers.
    fn is_ready(&self) -> bool {
        let own = format!("process_id:{}", self.process.id());
        let Ok(lines) = self.lines("INFO server") else { return false };
        // It stands in the first half of that section.
        lines.map_while(Result::ok).take(40).any(|line| line.trim() == own)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}
