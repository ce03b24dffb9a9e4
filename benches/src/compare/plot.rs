//! Draws `docs/images/performance.svg`: how many times as fast as a typical Rust implementation each path is.

use std::fmt::Write as _;

use super::{BY_PATH, Comparison, Group, by_path};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 190.0;
const BAR: f64 = 18.0;
/// The distance from one bar to the next, and from one operation to the next.
const STEP: f64 = 22.0;
const GAP: f64 = 40.0;
/// Readable on a light and on a dark page, from the fastest path to the slowest.
const COLOURS: [&str; 4] = ["#2f7ed8", "#3aa675", "#c98a1b", "#8a8f98"];

/// The plot, a group of bars for each operation.
#[must_use]
pub fn svg(comparison: &Comparison) -> String {
    let groups: Vec<(&str, &str, &Group)> = BY_PATH
        .into_iter()
        .filter_map(|(operation, peer)| {
            Some((operation, peer, comparison.group(&by_path(operation))?))
        })
        .collect();
    let times = |group: &Group| -> Vec<(String, f64)> {
        let paths = group.rows.split_last().map_or(&[][..], |(_, paths)| paths);
        let times = |name: &str| group.times_of_peer(name).unwrap_or(0.0);
        paths.iter().map(|row| (row.name.clone(), times(&row.name))).collect()
    };
    let most =
        groups.iter().flat_map(|(_, _, group)| times(group)).map(|(_, t)| t).fold(1.0, f64::max);
    let mut body = String::new();
    let mut y = 30.0;
    for (operation, peer, group) in &groups {
        let peer = peer.split(':').next().unwrap_or(peer);
        let _ = writeln!(
            body,
            r#"<text x="8" y="{y:.0}" font-weight="600">{operation}, times as fast as a {peer}</text>"#
        );
        y += 10.0;
        for ((path, times), colour) in times(group).iter().zip(COLOURS) {
            let width = (WIDTH - LEFT - 60.0) * times / most;
            let text_y = y + BAR - 4.0;
            let _ = writeln!(
                body,
                r#"<text x="{:.0}" y="{text_y:.0}" text-anchor="end">{path}</text><rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{BAR}" rx="2" fill="{colour}"/><text x="{:.1}" y="{text_y:.0}">{times:.1}</text>"#,
                LEFT - 8.0,
                LEFT + width + 6.0,
            );
            y += STEP;
        }
        y += GAP - 10.0;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"How many times as fast as a typical Rust implementation each path is\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#70757d\">\n{body}</svg>\n",
        height = y - 10.0
    )
}
