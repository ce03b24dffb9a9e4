//! Code lenses: which other keys have a role.

use cortexkey_manifest::Spanned;
use cortexkey_manifest::definition::Definition;
use lsp_types::{CodeLens, Command};

use super::OpenDocument;

/// How many keys a lens names; the others are only counted.
const NAMED_MAX: usize = 3;

pub(crate) fn code_lenses(place: &OpenDocument<'_>) -> Vec<CodeLens> {
    let roles = place.definitions().flat_map(|own| own.roles().iter().map(move |it| (own, it)));
    let lens = |(own, role): (&Definition, &Spanned<String>)| {
        let command = Command {
            title: title(place, own, &role.value),
            command: String::new(),
            arguments: None,
        };
        CodeLens { range: place.text.range(role.span), command: Some(command), data: None }
    };
    roles.map(lens).collect()
}

fn title(place: &OpenDocument<'_>, own: &Definition, role: &str) -> String {
    let has = |other: &&Definition| {
        !core::ptr::eq(*other, own) && other.roles().iter().any(|it| it.value == role)
    };
    let others = place.root.definitions().map(|(_, other)| other).filter(has);
    let mut names: Vec<&str> =
        others.map(|it| it.name().unwrap_or("a key without a name")).collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => format!("no other key has {role}"),
        [one] => format!("{one} also has {role}"),
        [all @ .., last] if names.len() <= NAMED_MAX => {
            format!("{} and {last} also have {role}", all.join(", "))
        }
        all => {
            let (first, more) = all.split_at(NAMED_MAX - 1);
            format!("{} and {} more keys also have {role}", first.join(", "), more.len())
        }
    }
}
