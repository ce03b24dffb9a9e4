//! Plots for the performance page: a bar for each row of its tables, and the history of instruction counts.
//!
//! SVG is written directly: bars and labels are a few lines, and the figures are the page's own.

use std::fmt::Write as _;
use std::path::Path;

use super::write;
use crate::instructions;
use crate::svg::{begin, escaped};

const LABEL: usize = 470;
const ROW: usize = 26;

/// The page with a plot before each table of times, and the history at the end.
pub(super) fn beside_tables(root: &Path, docs: &Path, text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut heading = "";
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        heading = line.strip_prefix("### ").unwrap_or(heading);
        if !line.starts_with("| implementation | ns |") {
            out += line;
            out.push('\n');
            continue;
        }
        let mut table = vec![line];
        while let Some(row) = lines.next_if(|next| next.starts_with('|')) {
            table.push(row);
        }
        let bars: Vec<_> = table.iter().skip(2).filter_map(|row| bar(row)).collect();
        if bars.len() > 1 {
            count += 1;
            let name = format!("performance-{count}.svg");
            write(&docs.join("assets").join(&name), &bars_svg(heading, &bars))?;
            let _ =
                write!(out, "\n![{heading}, nanoseconds, as in the table](../assets/{name})\n\n");
        }
        out += &table.join("\n");
        out.push('\n');
    }
    let history = instructions::history_svg(root)?;
    write(&docs.join("assets/instructions.svg"), &history)?;
    out += "\n## Instructions\n\nValgrind counts the instructions of each hot path, which no busy machine \
            changes. `cargo xtask instructions` compares with the last record, and fails where a path grew \
            by more than 5 %. Valgrind's processor has neither SHA instructions nor AVX-512, so these are the \
            portable paths.\n\n![Instructions a call, by record](../assets/instructions.svg)\n";
    Ok(out)
}

/// A row's label and time.
fn bar(row: &str) -> Option<(String, f64)> {
    let mut cells = row.split('|').map(str::trim).skip(1);
    let label = cells.next()?.replace('`', "");
    Some((label, cells.next()?.replace(',', "").parse().ok()?))
}

fn bars_svg(title: &str, bars: &[(String, f64)]) -> String {
    let most = bars.iter().map(|(_, ns)| *ns).fold(1.0, f64::max);
    let height = ROW * bars.len() + 10;
    let mut out = begin(title, height);
    for (index, (label, ns)) in bars.iter().enumerate() {
        let y = index * ROW + 4;
        // Logarithmic: a peer may be 400 times as slow.
        let width = (ns.max(1.0).ln() / most.ln() * 280.0).max(2.0);
        let class = if label.starts_with("cortexkey") { "ours" } else { "other" };
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{LABEL}\" y=\"{y}\" width=\"{width:.0}\" height=\"18\" rx=\"2\"/>\
             <text x=\"{:.0}\" y=\"{}\">{ns}</text>",
            LABEL - 8,
            y + 14,
            escaped(label),
            f64::from(u32::try_from(LABEL).unwrap_or(0)) + width + 6.0,
            y + 14,
        );
    }
    out + "</svg>\n"
}
