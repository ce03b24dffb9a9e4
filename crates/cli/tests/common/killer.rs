//! A proxy in front of the tenant that kills the program under test at one of its requests: before
//! the tenant gets the request, or after the tenant has processed it and before the response
//! arrives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// A proxy in front of the tenant.
pub(crate) struct Killer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    requests: usize,
    kill_at: Option<(usize, When)>,
    killed: bool,
}

impl Killer {
    pub(crate) fn before(tenant: &str) -> Self {
        let upstream = tenant.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let upstream = upstream.clone();
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream.unwrap(), &upstream, &state));
            }
        });
        Self { url, state }
    }

    /// Runs a program to its end, and kills it at the given request, if any. Returns how many
    /// requests it
    /// made, and whether it succeeded.
    pub(crate) fn run(
        &self,
        command: &mut Command,
        kill_at: Option<(usize, When)>,
    ) -> (usize, bool) {
        {
            let mut state = self.state.lock().unwrap();
            *state = State { kill_at, ..State::default() };
            // Under the lock, so that its first request waits until the process to kill is known.
            state.child = Some(command.spawn().unwrap());
        }
        self.wait()
    }

    /// Runs a program and kills it after a time; returns whether it had succeeded before.
    pub(crate) fn run_for(&self, command: &mut Command, time: Duration) -> bool {
        {
            let mut state = self.state.lock().unwrap();
            *state = State { child: Some(command.spawn().unwrap()), ..State::default() };
        }
        std::thread::sleep(time);
        // A process that has ended cannot be killed.
        let _ = self.state.lock().unwrap().child.as_mut().unwrap().kill();
        self.wait().1
    }

    fn wait(&self) -> (usize, bool) {
        loop {
            let mut state = self.state.lock().unwrap();
            if let Some(status) = state.child.as_mut().unwrap().try_wait().unwrap() {
                return (state.requests, status.success() && !state.killed);
            }
            drop(state);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn serve(stream: &TcpStream, upstream: &str, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line == "\r\n" => break,
            // One request per connection.
            Ok(_) if line.to_ascii_lowercase().starts_with("connection:") => {}
            Ok(_) => head += &line,
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let length = length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    let mut body = vec![0; length];
    // The program may be killed between head and body.
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let when = {
        let mut state = state.lock().unwrap();
        state.requests += 1;
        state.kill_at.filter(|(at, _)| *at == state.requests).map(|(_, when)| when)
    };
    if when == Some(When::Before) {
        return kill(state);
    }
    let mut to = TcpStream::connect(upstream).unwrap();
    to.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    to.write_all(&body).unwrap();
    let mut answer = Vec::new();
    to.read_to_end(&mut answer).unwrap();
    if when == Some(When::After) {
        return kill(state);
    }
    // The program may have ended.
    let _ = (&*stream).write_all(&answer);
}

fn kill(state: &Mutex<State>) {
    let mut state = state.lock().unwrap();
    state.killed = true;
    state.child.as_mut().unwrap().kill().unwrap();
}
