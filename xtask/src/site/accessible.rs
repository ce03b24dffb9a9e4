//! Fixes the theme's pages where axe finds them inaccessible: names of dialogs, redundant
//! landmarks, table headings without text.

/// The page, fixed.
pub(super) fn fix(html: &str) -> String {
    let html = html
        .replace(
            "data-md-component=\"search\" role=\"dialog\"",
            "data-md-component=\"search\" role=\"dialog\" aria-label=\"Search\"",
        )
        .replace("<th></th>", "<td></td>");
    nested_navigation_as_groups(&html)
}

/// Lists within a navigation are groups of it, not separate navigations.
fn nested_navigation_as_groups(html: &str) -> String {
    const NESTED: &str = "<nav class=\"md-nav\" ";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut open = Vec::new();
    while let Some(at) = rest.find("<nav").into_iter().chain(rest.find("</nav>")).min() {
        out += &rest[..at];
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("</nav>") {
            out += if open.pop() == Some(true) { "</div>" } else { "</nav>" };
            rest = after;
        } else if let Some(after) = rest.strip_prefix(NESTED) {
            open.push(true);
            out += "<div class=\"md-nav\" role=\"group\" ";
            rest = after;
        } else {
            open.push(false);
            out += "<nav";
            rest = &rest[4..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::fix;

    #[test]
    fn nested_lists_are_groups_and_every_tag_is_closed_by_its_own() {
        let page = "<nav a><nav class=\"md-nav\" b><nav class=\"md-nav\" c>x</nav></nav></nav><nav d></nav>";
        let expected = "<nav a><div class=\"md-nav\" role=\"group\" b><div class=\"md-nav\" role=\"group\" \
                        c>x</div></div></nav><nav d></nav>";
        assert_eq!(fix(page), expected);
        assert_eq!(fix("<tr><th></th><th>a</th>"), "<tr><td></td><th>a</th>");
    }
}
