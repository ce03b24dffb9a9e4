//! `docs/performance.md`.
//!
//! It refuses figures of another run: everything but the words comes from the comparison.

use std::fmt::Write as _;

use super::cases::{FLOOR, NAIVE_A};
use super::{Comparison, Group, Row};

/// The page.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let mut page = Page { comparison, text: String::new() };
    page.text.push_str(HEAD);
    page.whole_call();
    page.how();
    page.text.push_str("\n## Figures\n");
    comparison.groups.iter().for_each(|group| page.group(group));
    page.limits();
    page.text.push_str(LOSSES);
    if !comparison.skipped.is_empty() {
        page.text.push_str("\n## Not measured\n\n");
        comparison.skipped.iter().for_each(|why| page.line(&format!("- {why}")));
    }
    page.text
}

const HEAD: &str = "\
# Performance

Made by `cargo xtask compare --markdown`; change the program, not this page.

## What signing is of a call
";

const LOSSES: &str = "
## Where we lose

- **A nonce from the operating system** costs a call into it: `sign_from_system`, the core's
  convenient entry, is slower than a naive signer with a generator in its process. Bring a
  generator, or take the feature `kernels`.
- **Without AVX-512** a batch is bound by the SHA instructions of one stream. Four streams at a
  time would take two thirds of that; nobody has asked for it yet.
- **A key whose length is no multiple of 64** shares its last block with the nonce, so a signature
  hashes more that is its own.
- **Looking headers up by name** costs half a hash. A server that has them at hand passes their
  values.
- **The first nonce of a thread** asks the operating system for a seed, and maps a page.
";

struct Page<'c> {
    comparison: &'c Comparison,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn whole_call(&mut self) {
        let Some(group) = self.comparison.group(super::CALLS) else { return };
        let Some((signing, calls)) = group.rows.split_first() else { return };
        self.line("\n| | takes | signing is of it |\n|---|---|---|");
        self.line(&format!("| {} | {} | |", signing.name, time(signing.ns.median)));
        for call in calls {
            let part = 100.0 * signing.ns.median / call.ns.median;
            self.line(&format!("| {} | {} | {part:.2} % |", call.name, time(call.ns.median)));
        }
        self.line(
            "\nSo who makes one call after the other gains nothing from a faster signature: the \
             network is all of it.\nBatches are for those who make signatures by the million: a \
             gateway that signs for many, a load generator,\na test that replays a day. A verifier \
             in front of many services gains by the single check and by the guard,\nwhich every \
             request passes.",
        );
    }

    fn how(&mut self) {
        let machine = &self.comparison.machine;
        let versions: Vec<String> =
            machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let _ = write!(
            self.text,
            "\n## How it was measured\n\n\
             On {processor}: {has}. One step of its clock takes {cycle:.3} ns.\n\
             {versions}.\n\n\
             What is in Rust takes turns in one process, some three milliseconds each, pinned to one \
             processor; a ratio is the\nmedian of the ratios of neighbouring turns. What is in \
             another language is a process of its own, which runs after\nthem. \"Spread\": half of the \
             figures are nearer to the median than that. The interval has 95 %. The same code\nplaced \
             elsewhere in a program has been seen to run up to 15 % slower or faster: smaller \
             differences are nothing.\n\n\
             `cargo xtask compare` measures it anew (it needs a C compiler, OpenSSL's headers, Go, \
             Node and Python for all of it),\n`--json` prints it for machines, and `--check` fails \
             where a ratio has fallen under its floor. The benchmarks of\n`cargo bench -p \
             cortexkey-benches` are the same cases for criterion.\n",
            processor = machine.processor,
            has = machine.has,
            cycle = machine.cycle_ns,
            versions = versions.join(", "),
        );
    }

    fn group(&mut self, group: &Group) {
        if group.name == super::CALLS {
            return;
        }
        let _ = write!(
            self.text,
            "\n### {}\n\n| | ns | spread | 95 % | times ours |\n|---|---|---|---|---|\n",
            group.name
        );
        for row in &group.rows {
            let Row { name, ns, ratio } = row;
            let ratio = ratio.map_or_else(String::new, |ratio| {
                format!("**{:.2}** ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high)
            });
            self.line(&format!(
                "| {name} | {:.1} | {:.1} | {:.1} to {:.1} | {ratio} |",
                ns.median, ns.spread, ns.low, ns.high
            ));
        }
    }

    /// What no program on this processor can do better.
    fn limits(&mut self) {
        let ns = |group: &str, row: &str| {
            self.comparison.group(group).and_then(|group| Some(group.row(row)?.ns.median))
        };
        let ours = |group: &str| {
            self.comparison.group(group).and_then(|group| Some(group.rows.first()?.ns.median))
        };
        let mut text = String::from("\n## How far the processor goes\n\n");
        if let (Some(ours), Some(floor)) = (ours("sign one"), ns("sign one", FLOOR)) {
            let _ = writeln!(
                text,
                "**One signature** needs the time and two blocks of SHA-256, of which the second \
                 waits for the first, and the reading\nof the clock lets nothing run beside it: \
                 {floor:.0} ns here. Ours takes {:.2} times that.",
                ours / floor
            );
            if let Some(naive) = ns("sign one", NAIVE_A) {
                let _ = writeln!(
                    text,
                    "No signer that reads the clock for each signature can be more than {:.1} times \
                     as fast as naive A here.",
                    naive / floor
                );
            }
        }
        if let Some(ours) = ours("sign 1,024") {
            let cycles = ours / self.comparison.machine.cycle_ns;
            let _ = write!(
                text,
                "\n**A batch** is bound by the count of its operations. With AVX-512, for sixteen \
                 lanes: 64 rounds of 17 and 48 words of\nthe schedule of 11 make 1,616 for the block \
                 with the nonce; 64 rounds of 16 make 1,024 for the last block, whose\nschedule all \
                 share; sixteen blocks of ChaCha20 take 976. That is {OPERATIONS} operations a \
                 signature; ours takes {cycles:.0} steps of\nthe clock for them, {:.2} operations a \
                 step. Processors of the fourth EPYC generation do two such operations a step, of\n\
                 which one may turn or shift; the fifth does twice that.\n",
                f64::from(OPERATIONS) / cycles
            );
        }
        self.text.push_str(&text);
    }
}

/// Vector operations that a signature of a batch needs at least.
const OPERATIONS: u32 = (1_616 + 1_024 + 976) / 16;

fn time(ns: f64) -> String {
    match ns {
        0.0..1e3 => format!("{ns:.0} ns"),
        1e3..1e6 => format!("{:.1} µs", ns / 1e3),
        _ => format!("{:.2} ms", ns / 1e6),
    }
}
