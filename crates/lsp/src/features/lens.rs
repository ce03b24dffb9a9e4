//! Code lenses: how many other keys have a role.

use lsp_types::{CodeLens, Command};

use super::Place;

pub(crate) fn of(place: &Place<'_>) -> Vec<CodeLens> {
    let mut lenses = Vec::new();
    for definition in place.definitions() {
        for role in definition.roles() {
            let has = |other: &cortexkey_manifest::definition::Definition| {
                other.roles().iter().any(|it| it.value == role.value)
            };
            let all = place.root.definitions().filter(|(_, _, other)| has(other)).count();
            let others = all.saturating_sub(1);
            let title = match others {
                0 => format!("no other key has {}", role.value),
                1 => format!("1 other key has {}", role.value),
                _ => format!("{others} other keys have {}", role.value),
            };
            let command = Command { title, command: String::new(), arguments: None };
            let range = place.text.range(role.span);
            lenses.push(CodeLens { range, command: Some(command), data: None });
        }
    }
    lenses
}
