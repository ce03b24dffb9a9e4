//! A webhook and a mail server on loopback, which respond as a test tells them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// How a webhook handles a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookBehaviour {
    Answers(u16),
    /// Processes the request and closes the connection without a response.
    Closes,
    /// Closes the connection in the middle of the response's head.
    BreaksOff,
    /// Responds only once it is to do something else; not if the client hangs up before.
    Waits,
    /// Redirects elsewhere.
    Redirects,
    /// Kills the program under test before it has read the request.
    KillsBefore,
    /// Kills it after the request, without a response.
    KillsAfter,
}

/// A request that a webhook accepted.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl ReceivedRequest {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A webhook.
pub(crate) struct Hook {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    does: HookBehaviour,
    got: Vec<ReceivedRequest>,
    child: Option<Child>,
}

impl Hook {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/services/T0/B0/hook-secret-7", listener.local_addr().unwrap());
        let state = State { does: HookBehaviour::Answers(200), got: Vec::new(), child: None };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream.unwrap(), &state));
            }
        });
        Self { url, state }
    }

    pub(crate) fn does(&self, does: HookBehaviour) {
        self.state.lock().unwrap().does = does;
    }

    /// The requests since the last call.
    pub(crate) fn got(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut self.state.lock().unwrap().got)
    }

    /// Runs a program until it ends or is killed; returns whether it succeeded.
    pub(crate) fn run(&self, command: &mut std::process::Command) -> bool {
        {
            let mut state = self.state.lock().unwrap();
            state.child = Some(command.spawn().unwrap());
        }
        loop {
            let status = self.state.lock().unwrap().child.as_mut().unwrap().try_wait().unwrap();
            if let Some(status) = status {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn serve(mut stream: &TcpStream, state: &Mutex<State>) {
    let does = state.lock().unwrap().does;
    if does == HookBehaviour::KillsBefore {
        return kill(state);
    }
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8(body).unwrap();
    state.lock().unwrap().got.push(ReceivedRequest { head, body });
    let status = match does {
        HookBehaviour::Answers(status) => status,
        HookBehaviour::Waits => {
            stream.set_nonblocking(true).unwrap();
            while state.lock().unwrap().does == HookBehaviour::Waits {
                if matches!(stream.peek(&mut [0]), Ok(0)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            stream.set_nonblocking(false).unwrap();
            200
        }
        HookBehaviour::Redirects => 307,
        HookBehaviour::BreaksOff => {
            let _ = stream.write_all(b"HTTP/1.1 2");
            return;
        }
        HookBehaviour::Closes | HookBehaviour::KillsBefore => return,
        HookBehaviour::KillsAfter => return kill(state),
    };
    // The program may have ended. The response repeats the request, as some servers do.
    let answer = format!(
        "HTTP/1.1 {status} Status\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 14\r\n\
         Connection: close\r\n\r\nhook-secret-7!"
    );
    let _ = stream.write_all(answer.as_bytes());
}

fn kill(state: &Mutex<State>) {
    // It has ended once it is waited for.
    let _ = state.lock().unwrap().child.as_mut().unwrap().kill();
}

/// A mail server without TLS; the test sets its response to one command.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    state: Arc<Mutex<MailState>>,
}

#[derive(Default)]
struct MailState {
    /// A command, and the response in place of the usual one; `None` closes the connection.
    refuses: Option<(&'static str, Option<&'static str>)>,
    letters: Vec<String>,
    talk: Vec<String>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(MailState::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || talk(&stream.unwrap(), &state));
            }
        });
        Self { port, state }
    }

    pub(crate) fn refuses(&self, what: Option<(&'static str, Option<&'static str>)>) {
        self.state.lock().unwrap().refuses = what;
    }

    pub(crate) fn letters(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().letters)
    }

    pub(crate) fn talk(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().talk)
    }
}

fn talk(mut stream: &TcpStream, state: &Mutex<MailState>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).is_ok();
    say("220 mail.example ESMTP");
    while let Some(Ok(line)) = lines.next() {
        state.lock().unwrap().talk.push(line.clone());
        let command = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        let refuses = state.lock().unwrap().refuses;
        if let Some((refused, answer)) = refuses
            && refused == command
        {
            match answer {
                Some(answer) => say(answer),
                None => return,
            };
            continue;
        }
        match command.as_str() {
            "EHLO" => say("250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN"),
            "AUTH" => say("235 go on"),
            "DATA" => {
                say("354 go on");
                let mut letter = String::new();
                for line in lines.by_ref() {
                    match line.unwrap().as_str() {
                        "." => break,
                        line => letter.extend([line, "\n"]),
                    }
                }
                state.lock().unwrap().letters.push(letter);
                if let Some((".", answer)) = refuses {
                    match answer {
                        Some(answer) => say(answer),
                        None => return,
                    };
                    continue;
                }
                say("250 taken")
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 good"),
        };
    }
}
