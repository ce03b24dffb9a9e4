//! The cost of open streams. The campaign `console-streams` runs it in an optimised build.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::site::{Browser, Site, client};

const STREAMS: usize = 500;
const ROUNDS: usize = 15;
/// How long requests are sent in each quarter of a round.
const QUARTER: Duration = Duration::from_secs(2);

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Open streams, which a thread reads.
struct Streams {
    stop: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<u64>>,
}

impl Streams {
    fn open(browser: &Browser<'_>) -> Self {
        let port = browser.site.host.rsplit(':').next().unwrap();
        let open = |_| {
            let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
            let host = &browser.site.host;
            let cookie = &browser.cookie;
            let request = format!(
                "GET /requests/stream HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            stream.set_nonblocking(true).unwrap();
            stream
        };
        let mut streams: Vec<TcpStream> = (0..STREAMS).map(open).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reader = std::thread::spawn(move || {
            let mut read = 0;
            let mut bytes = vec![0; 64 * 1024];
            while !stopped.load(Ordering::Relaxed) {
                for stream in &mut streams {
                    while let Ok(count) = stream.read(&mut bytes) {
                        assert!(count > 0, "a stream was cut off");
                        read += count as u64;
                    }
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            read
        });
        Self { stop, reader: Some(reader) }
    }

    /// Closes all streams; returns how many bytes they received.
    fn close(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.reader.take().unwrap().join().unwrap()
    }
}

/// The processor time of this process, in ticks.
fn ticks() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    fields.split(' ').skip(12).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum()
}

/// The time of a signed request, and its processor time in this process.
#[derive(Clone, Copy)]
struct Cost {
    time: f64,
    ticks: f64,
}

/// Sends signed requests one after the other.
fn cost(site: &Site) -> Cost {
    let client = client(&site.tenant);
    let start = Instant::now();
    let before = ticks();
    let mut sent = 0_u32;
    while start.elapsed() < QUARTER {
        client.ping().unwrap();
        sent += 1;
    }
    let sent = f64::from(sent);
    Cost { time: start.elapsed().as_secs_f64() / sent, ticks: (ticks() - before) / sent }
}

/// How many times as much requests cost with open streams. Changes of the machine's load
/// affect both measurements.
fn round(browser: &Browser<'_>) -> Cost {
    let site = browser.site;
    let first = cost(site);
    let streams = Streams::open(browser);
    let with = [cost(site), cost(site)];
    streams.close();
    let last = cost(site);
    let ratio = |of: fn(&Cost) -> f64| (of(&with[0]) + of(&with[1])) / (of(&first) + of(&last));
    Cost { time: ratio(|cost| cost.time), ticks: ratio(|cost| cost.ticks) }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "the campaign console-streams runs it"]
fn five_hundred_streams_cost_little() {
    let site = Site::start();
    let browser = site.enter();
    cost(&site);
    let before = resident();
    let streams = Streams::open(&browser);
    cost(&site);
    let taken = resident().saturating_sub(before);
    let read = streams.close();
    assert!(read > 0, "the streams had events");
    let rounds: Vec<Cost> = (0..ROUNDS).map(|_| round(&browser)).collect();
    let slower = median(rounds.iter().map(|round| round.time));
    let busier = median(rounds.iter().map(|round| round.ticks));
    let megabytes = taken / 1_000_000;
    println!(
        "{STREAMS} streams: {megabytes} MB, {read} bytes of events, requests take {slower:.3} of the \
         time and {busier:.3} of the processor time"
    );
    assert!(taken < 20_000_000, "{taken} bytes");
    assert!(slower < 1.05, "{slower}");
}
