//! Shared by the plots: the SVG header and text elements.

const WIDTH: usize = 860;

/// The head of a plot, with colours that are legible on light and dark pages.
pub(crate) fn begin(title: &str, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\"><title>{}</title><style>\
         .page{{fill:#ffffff}}text{{font:13px sans-serif;fill:#1f2733}}\
         .ours{{fill:#00796b}}.other{{fill:#9aa5b5}}\
         </style><rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"4\"/>",
        escaped(title)
    )
}

/// Text that is no markup.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
