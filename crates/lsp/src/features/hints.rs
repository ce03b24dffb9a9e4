//! Inlay hints: when a key expires, and how many components a role grants.

use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::definition::{Definition, ExpirySpec};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lsp_types::{InlayHint, InlayHintLabel, Range};

use super::{OpenDocument, overlap};

/// The hints in a range.
pub(crate) fn inlay_hints(place: &OpenDocument<'_>, range: Range) -> Vec<InlayHint> {
    let all = place.definitions().flat_map(|definition| {
        let expiry = expiry(place, definition).into_iter();
        expiry.chain(components(place, definition))
    });
    all.filter(|hint| overlap(Range::new(hint.position, hint.position), range)).collect()
}

fn hint(place: &OpenDocument<'_>, after: cortexkey_manifest::Span, label: String) -> InlayHint {
    InlayHint {
        position: place.text.position(after.range().end),
        label: InlayHintLabel::String(label),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    }
}

fn expiry(place: &OpenDocument<'_>, definition: &Definition) -> Option<InlayHint> {
    let end = definition.spec.as_ref()?.end()?;
    let label = match end.value {
        ExpirySpec::At(moment) => time_left(moment),
        ExpirySpec::After(lifetime) => {
            let until = Timestamp::now().checked_add(lifetime).ok()?;
            format!("until {}, if generated now", until.to_zoned(TimeZone::UTC).date())
        }
        ExpirySpec::Never => return None,
    };
    Some(hint(place, end.span, label))
}

/// The number of components behind each role whose components are known.
fn components(place: &OpenDocument<'_>, definition: &Definition) -> Vec<InlayHint> {
    let Some((policy, _)) = place.root.policy(&place.path) else { return Vec::new() };
    let catalog: Vec<_> = policy.roles().collect();
    let product = policy.product(definition.tenant().or(policy.only_tenant()));
    let of_role = |role: &cortexkey_manifest::Spanned<String>| {
        let held = ResolvedRole::all([role.value.as_str()], &catalog, product);
        if held.iter().any(|held| held.role.holds_all) {
            return Some(hint(place, role.span, "all components".to_owned()));
        }
        let grants = held.iter().flat_map(|held| &held.role.grants);
        let mut names: Vec<&str> = grants.map(|grant| grant.component.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let label = match names.len() {
            0 => return None,
            1 => "1 component".to_owned(),
            count => format!("{count} components"),
        };
        Some(hint(place, role.span, label))
    };
    definition.roles().iter().filter_map(of_role).collect()
}

/// The time until a moment, in days.
pub(crate) fn time_left(moment: Timestamp) -> String {
    let days = moment.duration_since(Timestamp::now()).as_hours().div_euclid(24);
    match days {
        0 => "less than a day left".to_owned(),
        1 => "1 day left".to_owned(),
        2.. => format!("{days} days left"),
        -1 => "expired".to_owned(),
        _ => format!("expired {} days ago", -days - 1),
    }
}
