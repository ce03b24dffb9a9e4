//! Runs a hot path a number of times, for `cargo xtask instructions` to count under valgrind.
//! `instructions PATH COUNT prepare` does everything except the path, so that the difference
//! between the two runs is the cost of the path. Nothing depends on the clock or on random numbers.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the terminal")]

use std::hint::black_box;
use std::process::ExitCode;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use cortexkey_benches::KEY;
use cortexkey_core::access::{
    AccessKey, Area, CasesAndIssues, EndpointScope, PredefinedRole, Question, Reference, Scope,
    TenantSettings, Unreferenced, decide,
};
use cortexkey_core::auth::{
    Key, KeyId, Level, NonceLengths, Request, Signature, Signer, Skew, StoredKey, Timestamp,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Start};

/// 2026-09-28; any day would do.
const NOW_MS: u64 = 1_790_611_727_783;
const BATCH: usize = 64;

/// A path's name, and the closure that runs it repeatedly, if requested.
type Path = (&'static str, fn(usize, bool));

const PATHS: [Path; 6] = [
    ("sign-standard", |count, is_run| sign(Level::Standard, count, is_run)),
    ("sign-advanced", |count, is_run| sign(Level::Advanced, count, is_run)),
    ("sign-batch-64", sign_batch),
    ("verify-standard", |count, is_run| verify(Level::Standard, count, is_run)),
    ("verify-advanced", |count, is_run| verify(Level::Advanced, count, is_run)),
    ("decide", decisions),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (name, count, is_run) = match args.as_slice() {
        ["list"] => {
            for (name, _) in PATHS {
                println!("{name}");
            }
            return ExitCode::SUCCESS;
        }
        [name, count] => (*name, *count, true),
        [name, count, "prepare"] => (*name, *count, false),
        _ => return usage(),
    };
    match (PATHS.iter().find(|(path, _)| *path == name), count.parse()) {
        (Some((_, path)), Ok(count)) => path(count, is_run),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("instructions list | PATH COUNT [prepare]");
    ExitCode::from(2)
}

fn signer(level: Level) -> Signer {
    let id = KeyId::new(7).expect("not 0");
    Signer::new(id, level, Key::new(KEY.as_bytes()).expect("a key"))
}

fn now() -> Timestamp {
    Timestamp::from_ms(NOW_MS).expect("a time")
}

fn generator() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

fn sign(level: Level, count: usize, is_run: bool) {
    let signer = signer(level);
    let mut generator = generator();
    for _ in 0..if is_run { count } else { 0 } {
        black_box(black_box(&signer).sign(&mut generator, now()));
    }
}

fn sign_batch(count: usize, is_run: bool) {
    let signer = signer(Level::Advanced);
    let mut generator = generator();
    let advanced = signer.advanced().expect("an Advanced key");
    let mut batch = [Signature::EMPTY; BATCH];
    for _ in 0..if is_run { count / BATCH } else { 0 } {
        black_box(advanced).sign_batch(&mut generator, now(), &mut batch);
        black_box(&batch);
    }
}

fn verify(level: Level, count: usize, is_run: bool) {
    let signer = signer(level);
    let mut generator = generator();
    let sent: Vec<Vec<_>> = (0..count)
        .map(|_| {
            let headers = signer.sign(&mut generator, now());
            headers.iter().map(|(name, value)| (name, value.to_owned())).collect()
        })
        .collect();
    let key = Key::new(KEY.as_bytes()).expect("a key");
    let stored = StoredKey::new(KeyId::new(7).expect("not 0"), level, key);
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: 100_000,
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: [7, 7],
    });
    let verifier = Verifier::new();
    for headers in sent.iter().take(if is_run { count } else { 0 }) {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let accepted = Request::parse(headers, NonceLengths::EXACT).and_then(|request| {
            black_box(&verifier).verify(&request, Some(&stored), NOW_MS, &guard)
        });
        assert!(black_box(accepted).is_ok(), "a signed request is accepted");
    }
}

fn decisions(count: usize, is_run: bool) {
    let groups: Vec<String> = (0..10).map(|i| format!("asset-group-{i}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let roles = [PredefinedRole::by_name("Viewer").expect("a role").role_in(None)];
    let scope = Scope {
        assets: Area::select(&groups),
        cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: Unreferenced::No },
        endpoints: EndpointScope::none(),
        datasets: None,
    };
    let key = AccessKey { roles: &roles, scope: Some(&scope) };
    let reference = [Reference::Asset { groups: &["asset-group-9"], endpoint: None }];
    let question = Question::Issue { domain: "Posture", references: &reference };
    let tenant = TenantSettings::enforcing();
    for _ in 0..if is_run { count } else { 0 } {
        black_box(decide(black_box(&key), &tenant, black_box(&question)).answer());
    }
}
