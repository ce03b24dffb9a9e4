//! A corpus of very many files: all of them are checked, with any number of threads, and their
//! trees are not kept in memory.
//!
//! `CORTEXKEY_FILES` sets the number of files; the campaign uses more than the gate.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use common::{HEAD, code, folder, found, key, lint_with, write};

#[test]
fn in_a_large_corpus_nothing_is_missed_and_no_tree_is_kept() {
    let said = std::env::var("CORTEXKEY_FILES").ok();
    let wanted: usize = said.and_then(|count| count.parse().ok()).unwrap_or(1000);
    let policy =
        format!("{HEAD}keys: ['keys/**/*.yaml']\nrules: {{ N002: {{ enabled: false }} }}\n");
    let folder = folder(&[("cortexkey.yaml", &policy)]);
    for number in 0..wanted {
        let name = format!("svc-{number:06}");
        let path = format!("keys/{:03}/{name}.yaml", number % 500);
        write(folder.path(), &path, key(&name).as_bytes());
    }
    let wrong = format!("svc-{:06}", wanted / 2);
    let path = format!("keys/{:03}/{wrong}.yaml", (wanted / 2) % 500);
    let text = key(&wrong).replace("advanced", "standard");
    write(folder.path(), &path, text.as_bytes());
    // The same name in another folder shows only when all are seen together.
    write(folder.path(), "keys/twice.yaml", key("svc-000000").as_bytes());
    for jobs in [1, 4] {
        let start = Instant::now();
        let outcome = lint_with(folder.path(), &[], |options| options.jobs = Some(jobs));
        let lines = found(&outcome);
        let summary = outcome.report.as_ref().unwrap().summary;
        assert_eq!((code(&outcome), summary.files), (1, wanted + 1), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with(&path) && line.contains("L001")));
        assert!(lines.iter().any(|line| line.contains("twice.yaml") && line.contains("C001")));
        assert_eq!(lines.iter().filter(|line| line.contains("error[")).count(), 2, "{lines:?}");
        println!("{wanted} files with {jobs} threads in {:?}", start.elapsed());
    }
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned();
        let peak: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        println!("at most {peak} kB");
        // The peak includes the reports of two runs, one after the other.
        assert!(peak < 24 * 1024 + wanted * 6, "{peak} kB");
    }
}
