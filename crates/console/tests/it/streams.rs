//! What open streams cost. The campaign `console-streams` runs it, built for speed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::site::{Browser, Site, client};

const STREAMS: usize = 500;
const ROUNDS: usize = 15;
/// How long requests are sent in each half of a round.
const HALF: Duration = Duration::from_secs(2);

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

    /// Closes all; how many bytes they had.
    fn close(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.reader.take().unwrap().join().unwrap()
    }
}

/// Signed requests a second, one after the other.
fn rate(site: &Site) -> f64 {
    let client = client(&site.tenant);
    let start = Instant::now();
    let mut sent = 0_u32;
    while start.elapsed() < HALF {
        client.ping().unwrap();
        sent += 1;
    }
    f64::from(sent) / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "the campaign console-streams runs it"]
fn five_hundred_streams_cost_little() {
    let site = Site::start();
    let browser = site.enter();
    rate(&site);
    let before = resident();
    let streams = Streams::open(&browser);
    rate(&site);
    let taken = resident().saturating_sub(before);
    let read = streams.close();
    assert!(read > 0, "the streams had events");
    let round = |_| {
        let without = rate(&site);
        let streams = Streams::open(&browser);
        let with = rate(&site);
        streams.close();
        without / with
    };
    let slower = median((0..ROUNDS).map(round).collect());
    let megabytes = taken / 1_000_000;
    println!(
        "{STREAMS} streams: {megabytes} MB, {read} bytes of events, requests {slower:.3} as long"
    );
    assert!(taken < 20_000_000, "{taken} bytes");
    assert!(slower < 1.05, "{slower}");
}
