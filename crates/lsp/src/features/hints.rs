//! Inlay hints: the time left until a key expires.

use cortexkey_manifest::definition::Expiry;
use jiff::Timestamp;
use lsp_types::{InlayHint, InlayHintLabel};

use super::Place;

pub(crate) fn of(place: &Place<'_>) -> Vec<InlayHint> {
    let ends = place.definitions().filter_map(|definition| definition.spec.as_ref()?.end());
    let hint = |end: &cortexkey_manifest::Spanned<Expiry>| {
        let Expiry::At(moment) = end.value else { return None };
        Some(InlayHint {
            position: place.text.position(end.span.range().end),
            label: InlayHintLabel::String(time_left(moment)),
            kind: None,
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    };
    ends.filter_map(hint).collect()
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
