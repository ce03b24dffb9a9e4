//! Kills `cortexkey apply` at every step, and runs it again.
//!
//! After each kill, everyone who had a working key still has one. After the next complete run, the
//! tenant matches the definitions, every key is in its sink, and nothing else was changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::definitions::World;
use common::killer::{Killer, When};

const SPEC: &str =
    "securityLevel: advanced; comment: Exports. SEC-1; lifetime: 90d; roles: [Viewer]";
const SCOPE: &str = "  scope:
    assets: { mode: all }
    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }
    endpoints: { mode: none }
";

/// Definitions that were applied and then changed in every way.
fn world() -> (World, Killer) {
    let mut world = World::new();
    let killer = Killer::before(world.tenant.url());
    // The address must be known from the start, because the sink identifies its tenant by it.
    world.url.clone_from(&killer.url);
    world.make("Viewer", "somebody's");
    for name in ["svc-edit", "svc-replace", "svc-gone"] {
        world.define(name, SPEC, SCOPE);
    }
    world.good(&["apply", "--yes"]);
    world.define("svc-new", SPEC, SCOPE);
    world.define("svc-edit", &SPEC.replace("SEC-1", "SEC-2"), &SCOPE.replace("Security", "IT"));
    world.define("svc-replace", &SPEC.replace("90d", "60d"), SCOPE);
    world.undefine("svc-gone");
    (world, killer)
}

fn apply(world: &World) -> Command {
    let mut command = world.command(&["apply", "--yes", "--grace", "0", "--retries", "0"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn check_usable(world: &World, what: &str) {
    for name in ["svc-edit", "svc-replace"] {
        assert!(world.in_place(name).is_some(), "{what}: nobody has {name}");
    }
}

fn check_done(world: &World, what: &str) {
    let keys = world.keys();
    let comments: BTreeSet<&str> = keys.iter().filter_map(|key| key.comment.as_deref()).collect();
    let expected: BTreeSet<&str> = ["somebody's", "Exports. SEC-1", "Exports. SEC-2"].into();
    assert_eq!((keys.len(), comments), (4, expected), "{what}: {keys:?}");
    for name in ["svc-new", "svc-edit", "svc-replace"] {
        let id = world.in_place(name);
        assert!(
            id.is_some() && world.lock().contains(&format!("{name}: {{ id: {}", id.unwrap())),
            "{what}: {name}"
        );
    }
    let lock = world.lock();
    assert!(!lock.contains("pending") && !lock.contains("retiring"), "{what}: {lock}");
    let secrets = fs::read_dir(world.path("secrets")).unwrap();
    let secrets = secrets
        .filter(|entry| !entry.as_ref().unwrap().file_name().as_encoded_bytes().starts_with(b"."));
    // The sink removes the secret of a deleted key.
    assert_eq!(secrets.count(), 4, "{what}");
    let plan = world.run(&["plan", "--exit-code"]);
    assert_eq!(plan.code, 0, "{what}: {plan:?}");
}

#[test]
fn an_apply_killed_at_any_request_is_finished_by_the_next_run() {
    let (world, killer) = world();
    let (requests, good) = killer.run(&mut apply(&world), None);
    assert!(good && requests > 20, "{requests}");
    println!("killed before and after each of {requests} requests");
    check_done(&world, "without a kill");
    let kills: Vec<(usize, When)> =
        (1..=requests).flat_map(|at| [(at, When::Before), (at, When::After)]).collect();
    // Most of the time is spent waiting, so more threads than processors are used.
    std::thread::scope(|scope| {
        for part in kills.chunks(kills.len().div_ceil(4)) {
            scope.spawn(move || part.iter().for_each(|(at, when)| kill_and_finish(*at, *when)));
        }
    });
}

/// At any moment, between writes to the disk and between requests.
#[test]
fn an_apply_killed_at_any_moment_is_finished_by_the_next_run() {
    let kills = std::env::var("CORTEXKEY_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let (world, killer) = world();
    let started = Instant::now();
    assert!(killer.run(&mut apply(&world), None).1);
    let whole = started.elapsed();
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for at in (part..kills).step_by(4) {
                    // Spread over the whole run, with a small offset each.
                    let share = (f64::from(at) + 0.5) / f64::from(kills);
                    kill_after(whole.mul_f64(share * 1.1));
                }
            });
        }
    });
}

fn kill_after(time: Duration) {
    let what = format!("killed after {time:?}");
    let (world, killer) = world();
    let good = killer.run_for(&mut apply(&world), time);
    check_usable(&world, &what);
    if good {
        return check_done(&world, &what);
    }
    finish(&world, &killer, &what);
}

fn kill_and_finish(at: usize, when: When) {
    let what = format!("killed at request {at}, {when:?}");
    let (world, killer) = world();
    let (_, good) = killer.run(&mut apply(&world), Some((at, when)));
    assert!(!good, "{what}");
    check_usable(&world, &what);
    finish(&world, &killer, &what);
}

fn finish(world: &World, killer: &Killer, what: &str) {
    let (_, good) = killer.run(&mut apply(world), None);
    assert!(good, "{what}: the next run fails");
    // The lock file has whole seconds, so a grace period of zero may end only in the next second.
    if world.lock().contains("retiring") {
        std::thread::sleep(Duration::from_millis(1100));
        assert!(killer.run(&mut apply(world), None).1, "{what}");
    }
    check_done(world, what);
}
