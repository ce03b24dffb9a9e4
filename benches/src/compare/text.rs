//! A comparison for the terminal.

use std::fmt::Write as _;

use super::{Comparison, Row};

/// A table for each group.
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let machine = &comparison.machine;
    let _ = writeln!(text, "{}\n{}", machine.processor, machine.has);
    let _ = writeln!(text, "one step of its clock: {:.3} ns", machine.cycle_ns);
    for (name, version) in &machine.versions {
        let _ = write!(text, "{name} {version}  ");
    }
    text.push('\n');
    for group in &comparison.groups {
        let _ = writeln!(text, "\n{:58} {:>10} {:>8} {:>17}", group.name, "ns", "spread", "95 %");
        group.rows.iter().for_each(|row| add(&mut text, row));
    }
    for skipped in &comparison.skipped {
        let _ = writeln!(text, "skipped: {skipped}");
    }
    text
}

fn add(text: &mut String, row: &Row) {
    let ns = row.ns;
    let interval = format!("{:.1}-{:.1}", ns.low, ns.high);
    let _ = write!(text, "  {:56} {:10.1} {:8.1} {interval:>17}", row.name, ns.median, ns.spread);
    if let Some(ratio) = row.ratio {
        let _ = write!(text, "   x {:.2} ({:.2}-{:.2})", ratio.median, ratio.low, ratio.high);
    }
    text.push('\n');
}
