//! Explores the protocol: members with virtual clocks and disks around the real script on a real
//! server, in seeded runs, with every fault that a server, a clock or a restart can cause. In no
//! run is a use accepted twice.
//!
//! A run is determined by its seed. `CORTEXKEY_GUARD_RUNS` sets the number of runs.

use std::collections::BTreeMap;

use redis::{Connection, Script};

use super::member::{GuardedUse, Known, Member, MemberReply};
use super::{KEYS, SCRIPT};
use crate::redis_server::RedisServer;

const NOW_MS: u64 = 1_790_611_732_512;
const STEPS: usize = 300;

/// A random generator (`SplitMix64`): each seed gives a different run.
struct TestRng(u64);

/// A use that was accepted twice, with what led to it.
#[derive(Debug)]
struct Violation(String);

impl TestRng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len() as u64);
        list[usize::try_from(at).unwrap()]
    }

    fn is(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

/// A tenant, its clock and its disk.
struct Tenant {
    member: Member,
    disk: Option<Known>,
    skew_ms: u64,
    ahead_ms: i64,
    polled_at_ms: u64,
    /// For how long it does not look, like a stalled process.
    stalled_until_ms: u64,
    /// How many processes there were before this one.
    process: u64,
}

/// The limits of a run.
#[derive(Clone, Copy)]
struct Rules {
    /// How far clocks may be set, in milliseconds.
    clocks: &'static [i64],
    skews: &'static [u64],
    /// Whether tenants may be away for longer than a look is valid while the server loses data: the
    /// guarantees then need clocks that agree.
    away: bool,
}

/// Clocks and skews vary freely; a tenant that is away has looked before data is lost.
const WILD: Rules = Rules {
    clocks: &[0, 0, 0, 900, -900, 100_000, -100_000, 400_000, -400_000, 3_600_000, 86_400_000],
    skews: &[1_000, 2_000, 60_000, 300_000],
    away: false,
};
/// Clocks agree within the lead, and tenants may be away for any time.
const STEADY: Rules =
    Rules { clocks: &[0, 900, -900, 2_000, -2_000], skews: &[60_000], away: true };

struct Run<'a> {
    rng: TestRng,
    rules: Rules,
    connection: &'a mut Connection,
    script: &'a Script,
    at_ms: u64,
    tenants: Vec<Tenant>,
    /// Uses, and the process that alone has the key.
    uses: Vec<(GuardedUse, Option<(usize, u64)>)>,
    accepts: BTreeMap<[u8; 16], usize>,
    snapshot: Option<Vec<Option<Vec<u8>>>>,
    /// The events, for the reader of a failure.
    log: Vec<String>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    accepted: u64,
    refused: u64,
    losses: u64,
}

impl Run<'_> {
    fn new<'a>(
        seed: u64,
        rules: Rules,
        connection: &'a mut Connection,
        script: &'a Script,
    ) -> Run<'a> {
        redis::cmd("DEL").arg(&KEYS).exec(connection).unwrap();
        let mut run = Run {
            rng: TestRng(seed),
            rules,
            connection,
            script,
            at_ms: 1,
            tenants: Vec::new(),
            uses: Vec::new(),
            accepts: BTreeMap::new(),
            snapshot: None,
            log: Vec::new(),
            counts: Counts::default(),
        };
        for _ in 0..=run.rng.below(3) {
            let skew_ms = run.rng.one_of(rules.skews);
            let ahead_ms = run.rng.one_of(rules.clocks);
            let tenant = run.started(skew_ms, ahead_ms, None);
            run.tenants.push(tenant);
        }
        for at in 0..run.tenants.len() {
            run.poll(at);
        }
        run
    }

    /// The whole run; returns the use that was accepted twice, if there is one.
    fn go(&mut self) -> Result<Counts, Violation> {
        for _ in 0..STEPS {
            self.step();
            if let Some((_, count)) = self.accepts.iter().find(|(_, count)| **count > 1) {
                let text = format!("accepted {count} times:\n{}", self.log.join("\n"));
                return Err(Violation(text));
            }
        }
        Ok(self.counts)
    }

    fn step(&mut self) {
        let tenant = usize::try_from(self.rng.below(self.tenants.len() as u64)).unwrap();
        match self.rng.below(100) {
            0..=64 => self.ask(tenant),
            65..=84 => {
                let steps = [10, 100, 500, 1_000, 3_000, 70_000, 200_000];
                let by_ms = self.rng.one_of(&steps);
                self.pass(by_ms);
            }
            85..=87 => {
                let ahead_ms = self.rng.one_of(self.rules.clocks);
                self.tenants[tenant].ahead_ms = ahead_ms;
                self.log.push(format!("{tenant}: clock ahead {ahead_ms}"));
            }
            88..=89 => self.restart(tenant),
            90..=91 => {
                let for_ms = self.rng.one_of(&[1_500, 1_900, 5_000, 60_000]);
                self.tenants[tenant].stalled_until_ms = self.at_ms + for_ms;
                self.log.push(format!("{tenant}: stalled for {for_ms}"));
            }
            92..=93 => self.snapshot = Some(self.dump()),
            94..=96 => {
                self.lose();
                // What was just accepted is sent again, to all tenants.
                for _ in 0..12 {
                    let tenant = self.rng.below(self.tenants.len() as u64);
                    self.ask(usize::try_from(tenant).unwrap());
                }
            }
            _ => self.poll(tenant),
        }
    }

    /// Lets time pass; a tenant that is not stalled looks twice a second, and periods longer than a
    /// look is valid need no looks in between.
    fn pass(&mut self, by_ms: u64) {
        let until_ms = self.at_ms + by_ms;
        self.log.push(format!("{by_ms} ms pass"));
        self.at_ms = self.at_ms.max(until_ms.saturating_sub(4_000));
        while self.at_ms < until_ms {
            self.at_ms = until_ms.min(self.at_ms + 250);
            for at in 0..self.tenants.len() {
                let tenant = &self.tenants[at];
                if tenant.stalled_until_ms <= self.at_ms && tenant.polled_at_ms + 500 <= self.at_ms
                {
                    self.poll(at);
                }
            }
        }
    }

    fn now_ms(&self, tenant: usize) -> u64 {
        (NOW_MS + self.at_ms).checked_add_signed(self.tenants[tenant].ahead_ms).unwrap()
    }

    fn started(&mut self, skew_ms: u64, ahead_ms: i64, disk: Option<Known>) -> Tenant {
        let now_ms = (NOW_MS + self.at_ms).checked_add_signed(ahead_ms).unwrap();
        let name = format!("{:016x}", self.rng.next());
        Tenant {
            member: Member::new(name, skew_ms, now_ms, disk.clone()),
            disk,
            skew_ms,
            ahead_ms,
            polled_at_ms: 0,
            stalled_until_ms: 0,
            process: 0,
        }
    }

    fn restart(&mut self, at: usize) {
        let skew_ms = self.rng.one_of(self.rules.skews);
        let ahead_ms = self.tenants[at].ahead_ms;
        let disk = self.tenants[at].disk.clone();
        self.log.push(format!("{at}: starts again with skew {skew_ms}"));
        let process = self.tenants[at].process + 1;
        self.tenants[at] = Tenant { process, ..self.started(skew_ms, ahead_ms, disk) };
        if !self.rng.is(3) {
            self.poll(at);
        }
    }

    fn poll(&mut self, at: usize) {
        let now_ms = self.now_ms(at);
        let new_id = format!("{:016x}", self.rng.next());
        let arguments = self.tenants[at].member.poll(now_ms, new_id);
        let answer = self.call(&arguments);
        let tenant = &mut self.tenants[at];
        let saved = tenant.member.apply_poll(&answer, self.at_ms).unwrap();
        if let Some(known) = &saved {
            // As written and parsed.
            tenant.disk = Some(Known::parse(&known.text()).unwrap());
        }
        tenant.member.rely_on(saved, self.at_ms);
        tenant.polled_at_ms = self.at_ms;
    }

    fn ask(&mut self, at: usize) {
        let now_ms = self.now_ms(at);
        let skew_ms = self.tenants[at].skew_ms;
        let asked = if self.uses.is_empty() || self.rng.is(4) {
            let off_ms = match self.rng.below(3) {
                0 => 0,
                1 => self.rng.below(2 * skew_ms + 1).cast_signed() - skew_ms.cast_signed(),
                _ => self.rng.one_of(&[-skew_ms.cast_signed(), skew_ms.cast_signed()]),
            };
            let mut tag = [0; 16];
            tag[..8].copy_from_slice(&self.rng.next().to_be_bytes());
            let timestamp_ms = now_ms.checked_add_signed(off_ms).unwrap();
            // Sometimes with a key that this tenant has just made.
            let is_own = self.rng.is(4);
            let key_created_ms = if is_own { now_ms } else { 0 };
            let owner = is_own.then(|| (at, self.tenants[at].process));
            self.uses.push((GuardedUse { timestamp_ms, key_created_ms, tag }, owner));
            self.uses.len() - 1
        } else {
            // The latest uses may be lost, the others may be dropped.
            let count = self.uses.len() as u64;
            let latest = if self.rng.is(2) { count } else { count.min(40) };
            self.uses.len() - 1 - usize::try_from(self.rng.below(latest)).unwrap()
        };
        let (mut asked, owner) = self.uses[asked];
        match owner {
            Some((owner, _)) if owner != at => return,
            // Read from the disk, where the creation time is not stored.
            Some((_, process)) if process != self.tenants[at].process => asked.key_created_ms = 0,
            _ => {}
        }
        if asked.timestamp_ms.abs_diff(now_ms) > skew_ms
            || !self.tenants[at].member.is_good(self.at_ms)
        {
            return;
        }
        let answer = self.asked(at, asked);
        let number = u16::from_be_bytes([asked.tag[0], asked.tag[1]]);
        self.log.push(format!("{at}: {number:04x} at {}: {answer:?}", asked.timestamp_ms));
        match answer {
            MemberReply::Accepted => {
                *self.accepts.entry(asked.tag).or_default() += 1;
                self.counts.accepted += 1;
            }
            MemberReply::Join => self.poll(at),
            _ => self.counts.refused += 1,
        }
    }

    /// The guard's answer to a use that is otherwise valid.
    fn asked(&mut self, at: usize, asked: GuardedUse) -> MemberReply {
        let now_ms = self.now_ms(at);
        let at_ms = self.at_ms;
        let member = &mut self.tenants[at].member;
        let young = u8::from(member.is_young(&asked)).to_string();
        let arguments = match member.ask(&asked, now_ms, at_ms) {
            Err(answer) => return answer,
            Ok(arguments) => arguments,
        };
        let mut call = self.script.prepare_invoke();
        call.key(&KEYS).arg(arguments).arg(&asked.tag).arg(young);
        let answer: Vec<String> = call.invoke(self.connection).unwrap();
        self.tenants[at].member.answered(&answer).unwrap()
    }

    fn call(&mut self, arguments: &[String]) -> Vec<String> {
        let mut call = self.script.prepare_invoke();
        call.key(&KEYS).arg(arguments);
        call.invoke(self.connection).unwrap()
    }

    /// The server loses data, in one of many ways.
    fn lose(&mut self) {
        self.counts.losses += 1;
        if !self.rules.away {
            for at in 0..self.tenants.len() {
                if self.tenants[at].polled_at_ms + 2_000 < self.at_ms {
                    self.poll(at);
                }
            }
        }
        match self.rng.below(5) {
            0 => {
                self.log.push("flushed".into());
                redis::cmd("DEL").arg(&KEYS).exec(self.connection).unwrap();
            }
            at @ 1..=2 => {
                let key = KEYS[usize::try_from(at - 1).unwrap()];
                self.log.push(format!("{key} evicted"));
                redis::cmd("DEL").arg(key).exec(self.connection).unwrap();
            }
            3 => {
                self.log.push("another replica becomes the master, with older data".into());
                self.restore();
                self.promote();
            }
            _ => {
                self.log.push("older data is loaded into the running server".into());
                // What others accepted since the last look, which a tenant cannot know.
                for at in 0..self.tenants.len() {
                    self.poll(at);
                }
                self.restore();
            }
        }
    }

    fn dump(&mut self) -> Vec<Option<Vec<u8>>> {
        let mut dump = |key| redis::cmd("DUMP").arg(key).query(self.connection).unwrap();
        KEYS.iter().map(&mut dump).collect()
    }

    fn restore(&mut self) {
        redis::cmd("DEL").arg(&KEYS).exec(self.connection).unwrap();
        for (key, bytes) in KEYS.iter().zip(self.snapshot.iter().flatten()) {
            if let Some(bytes) = bytes {
                let mut restore = redis::cmd("RESTORE");
                restore.arg(key).arg(0).arg(bytes.as_slice()).exec(self.connection).unwrap();
            }
        }
    }

    /// Gives the server another replication history.
    fn promote(&mut self) {
        redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).exec(self.connection).unwrap();
        redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(self.connection).unwrap();
    }
}

/// Runs with these seeds and rules; returns the first failure.
fn explore(
    server: &RedisServer,
    script: &str,
    rules: Rules,
    seeds: u64,
) -> Result<Counts, Violation> {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let script = Script::new(script);
    let mut all = Counts::default();
    for seed in 0..seeds {
        let counts = Run::new(seed, rules, &mut connection, &script)
            .go()
            .map_err(|Violation(text)| Violation(format!("seed {seed}: {text}")))?;
        all.accepted += counts.accepted;
        all.refused += counts.refused;
        all.losses += counts.losses;
    }
    Ok(all)
}

fn runs() -> u64 {
    std::env::var("CORTEXKEY_GUARD_RUNS").map_or(40, |count| count.parse().unwrap())
}

#[test]
fn no_simulated_run_accepts_a_request_twice() {
    for server in RedisServer::start_each() {
        for rules in [WILD, STEADY] {
            let counts = explore(&server, SCRIPT, rules, runs())
                .unwrap_or_else(|Violation(text)| panic!("{text}"));
            println!("{counts:?}");
            // A guard that accepts nothing proves nothing.
            assert!(counts.accepted > 10 * runs() && counts.losses > runs(), "{counts:?}");
        }
    }
}

/// Each part of the protocol is needed: without it, some run accepts a use twice.
#[test]
fn every_mutation_of_the_script_is_detected() {
    let server = RedisServer::start();
    for (part, instead) in [
        ("known[1] == server and ", ""),
        (" == redis.call('ZCARD', used)", " ~= -1"),
        ("and not (id == its_id and accepted < its_accepted)", ""),
        ("if not whole or id ~= its_id then", "if not whole then"),
        ("if redis.call('ZSCORE', used, tag) then", "if false then"),
        ("if within(dropped, time) then", "if false then"),
        ("if not young and within(unknown, time) then", "if false then"),
        ("local taken = add(parse(known[8]), its_taken)", "local taken = parse(known[8])"),
    ] {
        assert_eq!(SCRIPT.matches(part).count(), 1, "{part}");
        let changed = SCRIPT.replace(part, instead);
        let found =
            [WILD, STEADY].iter().any(|rules| explore(&server, &changed, *rules, 300).is_err());
        assert!(found, "nothing fails without: {part}");
    }
}

/// A tenant that was on another server brings the ranges in which it may have accepted something.
#[test]
fn requests_accepted_on_another_server_are_refused() {
    let server = RedisServer::start();
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let script = Script::new(SCRIPT);
    let mut run = Run::new(0, STEADY, &mut connection, &script);
    run.tenants.clear();
    for _ in 0..2 {
        let tenant = run.started(60_000, 0, None);
        run.tenants.push(tenant);
    }
    run.poll(0);
    run.pass(70_000);
    run.tenants[1].stalled_until_ms = u64::MAX;
    let timestamp_ms = run.now_ms(0);
    run.uses.push((GuardedUse { timestamp_ms, key_created_ms: 0, tag: [7; 16] }, None));
    assert_eq!(run.asked(0, run.uses[0].0), MemberReply::Accepted);
    // Another server, which the other tenant has seen start three times.
    run.tenants[0].stalled_until_ms = u64::MAX;
    for _ in 0..3 {
        redis::cmd("DEL").arg(&KEYS).exec(run.connection).unwrap();
        run.poll(1);
    }
    assert_eq!(run.tenants[0].disk.as_ref().map(Known::generation), Some(1));
    run.poll(0);
    assert_eq!(run.tenants[0].disk.as_ref().map(Known::generation), Some(4));
    run.tenants[1].stalled_until_ms = 0;
    run.pass(3_000);
    assert_eq!(run.asked(1, run.uses[0].0), MemberReply::Starting);
}
