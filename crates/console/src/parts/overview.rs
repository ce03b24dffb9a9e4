//! The overview: figures, timeline, groups, and the keys that need attention. The page and the
//! report show the same.

use cortexkey_fleet::{Figure, Group, Grouping, KeyFacts, KeyScope, Overview, Tone, expiry_words};
use maud::{Markup, html};

use super::chart;
use crate::records::thousands;

/// The context of the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Medium {
    /// The console, where figures and keys lead to the table and to pages.
    Console,
    /// A standalone file.
    File,
}

impl Medium {
    /// The longest list of keys: the rest is in the table, or in the file's list of all keys.
    const fn keys_max(self) -> usize {
        match self {
            Self::Console => 10,
            Self::File => 100,
        }
    }
}

/// The complete overview. `scopes` replaces the figures of scopes that were not read.
pub(crate) fn overview(overview: &Overview<'_>, medium: Medium, scopes: &Markup) -> Markup {
    html! {
        (figures(overview, medium))
        (timeline(overview))
        div class="columns" {
            @for grouping in &overview.groupings() {
                @let title = grouping.title;
                section class="card" aria-labelledby=(id(title)) {
                    h2 id=(id(title)) { "Keys by " (title.to_lowercase()) }
                    @if title == "Scope" { (scopes) }
                    (shares(grouping, medium))
                }
            }
        }
        @for List { id, title, keys, query, hint } in lists(overview) {
            @if !keys.is_empty() {
                section class="card" aria-labelledby=(id) {
                    h2 id=(id) { (title) " " span class="muted" { (thousands(keys.len())) } }
                    @if let Some(hint) = hint { p class="hint inset" { (hint) } }
                    (list(title, keys, medium, query))
                }
            }
        }
    }
}

fn figures(overview: &Overview<'_>, medium: Medium) -> Markup {
    let class = |figure: &Figure| match figure.tone {
        Tone::Warn if figure.count > 0 => "warn",
        Tone::Bad if figure.count > 0 => "bad",
        _ => "",
    };
    let show = |figure: &Figure| {
        html! { span { (figure.title) } strong class=(class(figure)) { (thousands(figure.count)) } }
    };
    html! {
        ul class="figures card" {
            @for figure in &overview.figures() {
                li {
                    @match address(figure).filter(|_| medium == Medium::Console) {
                        Some(address) => a href=(address) { (show(figure)) },
                        None => div { (show(figure)) },
                    }
                }
            }
        }
    }
}

/// A link to the rows of the table that a figure counts, or to their list on the page.
fn address(figure: &Figure) -> Option<String> {
    let state = |value: &str| format!("/keys?f.state={value}&o.state=is");
    let definition = |value: &str| format!("/keys?f.definition={value}&o.definition=is");
    let list = |id: &str| (figure.count > 0).then(|| format!("#{id}"));
    Some(match figure.code {
        "keys" => "/keys".to_owned(),
        "expired" => state("expired"),
        "expireIn7Days" => state("week"),
        "expireIn30Days" => state("month"),
        "neverExpire" => state("never"),
        "standard" => "/keys?f.security-level=standard&o.security-level=is".to_owned(),
        "unmanaged" => definition("unmanaged"),
        "drifted" => definition("drifted"),
        "notApplied" => definition("pending"),
        "unclear" => definition("unclear"),
        "breakPolicyRule" => "/keys?f.policy=any&o.policy=is".to_owned(),
        "createKeys" => return list("create-keys"),
        "notGenerated" => return list("not-generated"),
        _ => return None,
    })
}

fn timeline(overview: &Overview<'_>) -> Markup {
    let steps = overview.timeline.steps();
    html! {
        section class="card" aria-labelledby="timeline" {
            h2 id="timeline" { "Expiry timeline" }
            figure class="body" {
                (chart::timeline(&steps))
                details {
                    summary { "The figures as a table" }
                    table class="plain" {
                        caption class="unseen" { "How many keys expire when" }
                        thead { tr { th scope="col" { "When" } th scope="col" class="number" { "Keys" } } }
                        tbody { @for step in &steps {
                            tr { th scope="row" { (step.to_text()) } td class="number" { (thousands(step.count)) } }
                        } }
                    }
                }
            }
        }
    }
}

fn shares(grouping: &Grouping<'_>, medium: Medium) -> Markup {
    let Grouping { title, groups, .. } = *grouping;
    let largest = groups.iter().map(|group| group.count).max().unwrap_or(0);
    let (shown, rest) = groups.split_at(groups.len().min(medium.keys_max()));
    let rest: usize = rest.iter().map(|group| group.count).sum();
    let row = |name: &Markup, count: usize| {
        html! {
            tr {
                th scope="row" { (name) }
                td class="bar-cell" { (chart::share(count, largest.max(rest))) }
                td class="number" { (thousands(count)) }
            }
        }
    };
    html! {
        table class="plain shares" {
            caption class="unseen" { "Keys by " (title.to_lowercase()) }
            thead class="unseen" { tr {
                th scope="col" { (title) } th scope="col" { "Share" } th scope="col" { "Keys" }
            } }
            tbody {
                @for group in shown { (row(&group_name(grouping, group, medium), group.count)) }
                @if rest > 0 { (row(&html! { span class="muted" { "others" } }, rest)) }
                @if groups.is_empty() { (row(&html! { span class="muted" { "no keys" } }, 0)) }
            }
        }
    }
}

fn group_name(grouping: &Grouping<'_>, group: &Group, medium: Medium) -> Markup {
    let Some(name) = &group.name else {
        return html! { span class="muted" { (grouping.none) } };
    };
    let column = match grouping.title {
        "Owner" => Some("owner"),
        "Security level" => Some("security-level"),
        _ => None,
    };
    match column.filter(|_| medium == Medium::Console) {
        None => html! { (name) },
        Some(column) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair(&format!("f.{column}"), name);
            query.append_pair(&format!("o.{column}"), "is");
            html! { a href={ "/keys?" (query.finish()) } { (name) } }
        }
    }
}

/// A list of keys that need attention.
struct List<'o> {
    id: &'static str,
    title: &'static str,
    keys: &'o [&'o KeyFacts],
    /// The query that shows the same keys in the table.
    query: Option<&'static str>,
    /// Notes for the reader.
    hint: Option<Markup>,
}

fn lists<'o>(overview: &'o Overview<'o>) -> [List<'o>; 9] {
    let list = |id, title, keys, query, hint| List { id, title, keys, query, hint };
    let drifted = html! {
        "Somebody changed these keys in the tenant. " code { "cortexkey plan" } " shows what differs."
    };
    let unclear = html! {
        "These could not be compared, or " code { "cortexkey apply" } " cannot do what the \
         definition says. " code { "cortexkey plan" } " has the reason."
    };
    let unmanaged = html! { "No definition names these keys, so their owners are not known." };
    let unknown = html! {
        "Neither the policy's catalog nor the product's documents say whether their roles hold \
         Public API at edit."
    };
    [
        list("expired", "Expired", &overview.expired, Some("f.state=expired&o.state=is"), None),
        list(
            "expiring",
            "Expire within 30 days",
            &overview.expiring,
            Some("f.state=month&o.state=is&sort=expires"),
            None,
        ),
        list(
            "drifted",
            "Drifted",
            &overview.drifted,
            Some("f.definition=drifted&o.definition=is"),
            Some(drifted),
        ),
        list(
            "unclear",
            "Unclear",
            &overview.unclear,
            Some("f.definition=unclear&o.definition=is"),
            Some(unclear),
        ),
        list(
            "not-applied",
            "Not applied",
            &overview.not_applied,
            Some("f.definition=pending&o.definition=is"),
            None,
        ),
        list("not-generated", "Defined, not generated", &overview.not_generated, None, None),
        list(
            "unmanaged",
            "Unmanaged",
            &overview.unmanaged,
            Some("f.definition=unmanaged&o.definition=is"),
            Some(unmanaged),
        ),
        list("create-keys", "Can create keys", &overview.creators, None, None),
        list(
            "may-create-keys",
            "May be able to create keys",
            &overview.possible_creators,
            None,
            Some(unknown),
        ),
    ]
}

fn list(title: &str, keys: &[&KeyFacts], medium: Medium, query: Option<&str>) -> Markup {
    let shown = keys.len().min(medium.keys_max());
    html! {
        div class="scroll" role="region" aria-label=(title) tabindex="0" {
            table {
                caption class="unseen" { (title) }
                thead { tr {
                    th scope="col" { "Key" } th scope="col" { "Owner" } th scope="col" { "Roles" }
                    th scope="col" { "Comment" } th scope="col" { "Expires" }
                } }
                tbody { @for key in &keys[..shown] {
                    tr {
                        th scope="row" { (key_name(key, medium)) }
                        td { (key.owner.as_deref().unwrap_or("—")) }
                        td class="text" { (key.roles.join(", ")) }
                        td class="text" { (key.comment.as_deref().unwrap_or_default()) }
                        td class="time" { (expiry_words(key.expiry)) }
                    }
                } }
            }
        }
        @if shown < keys.len() {
            p class="hint inset" {
                @match query.filter(|_| medium == Medium::Console) {
                    Some(query) => a href={ "/keys?" (query) } { "All " (thousands(keys.len())) " keys" },
                    None => { "and " (thousands(keys.len() - shown)) " more" },
                }
            }
        }
    }
}

/// A key's id, and its name if it has one.
pub(crate) fn key_name(key: &KeyFacts, medium: Medium) -> Markup {
    html! {
        @match key.id {
            Some(id) if medium == Medium::Console => a href={ "/keys/" (id) } { (id) },
            Some(id) => (id),
            None => {},
        }
        @if let Some(name) = &key.name { " " span class="mono" { (name) } }
    }
}

/// Why scopes are unknown, if they are.
pub(crate) fn scope_note(keys: &[KeyFacts]) -> Markup {
    let unread = keys.iter().find_map(|key| match &key.scope {
        KeyScope::Unread(why) => Some(why),
        _ => None,
    });
    html! { @if let Some(why) = unread { p class="hint inset" { (why) } } }
}

fn id(title: &str) -> String {
    format!("by-{}", title.to_lowercase().replace(' ', "-"))
}
