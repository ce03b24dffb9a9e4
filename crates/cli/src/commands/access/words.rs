//! Scopes and lists in words, as every form of `access` and `roles` writes them.

use cortexkey_core::access::{Axis, Scope};
use cortexkey_manifest::access::Access;
use cortexkey_manifest::{is_invisible, mask_tokens};

pub(super) fn endpoints(scope: &Scope<String>) -> String {
    let (groups, tags) = (&scope.endpoints.groups, &scope.endpoints.tags);
    let axis = |axis: &Axis<String>, what: &str| match axis {
        Axis::NoScope => format!("no {what} (no_scope)"),
        Axis::SeeAll => format!("all {what} (see_all)"),
        Axis::Any => format!("any {what}"),
        Axis::Scope(names) if names.is_empty() => format!("{what}: nothing selected"),
        Axis::Scope(names) => format!("{what} {}", names.join(", ")),
    };
    match (groups, tags) {
        (Axis::NoScope, Axis::NoScope) => "none".to_owned(),
        (Axis::SeeAll, Axis::SeeAll) => "all".to_owned(),
        (Axis::Scope(_), Axis::Any) => axis(groups, "groups"),
        (Axis::Any, Axis::Scope(_)) => axis(tags, "tags"),
        _ => format!("{}, and {}", axis(groups, "groups"), axis(tags, "tags")),
    }
}

pub(super) fn rows(access: &Access, scope: &Scope<String>) -> String {
    if !access.tenant.settings.datasets {
        return "not limited by scopes in this tenant".to_owned();
    }
    let Some(datasets) = &scope.datasets else {
        return "none: the scope says nothing of them".to_owned();
    };
    let mut words = if datasets.all { "all".to_owned() } else { "none".to_owned() };
    for (dataset, filter) in &datasets.filters {
        words += &format!("; of {dataset} where {filter}");
    }
    words
}

/// Lines of a list, their words in one column.
pub(crate) fn rows_aligned(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| plain(name).chars().count()).max().unwrap_or(0);
    let width = width.max(20);
    let line =
        |(name, words): &(String, String)| format!("  {:<width$}  {}\n", plain(name), plain(words));
    lines.iter().map(line).collect()
}

/// One line of a list: a name and what is said of it.
pub(crate) fn row(name: &str, words: &str) -> String {
    format!("  {:<20}  {}\n", plain(name), plain(words))
}

/// Text from files and arguments, fit for a terminal: nothing that it would act on, nothing that
/// may be a secret.
pub(crate) fn plain(text: &str) -> String {
    let masked = mask_tokens(text);
    masked.chars().map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}
