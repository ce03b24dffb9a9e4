//! Compares names of roles that a person or a tenant reads as the same: [`folded`] and
//! [`same_role`].

use cortexkey_manifest::is_invisible;
use unicode_normalization::UnicodeNormalization as _;

/// A name without what hides a role from rules: case, spaces, invisible characters and other forms of
/// its letters.
pub(crate) fn folded(name: &str) -> String {
    characters(name).collect()
}

/// True for two spellings of one name.
pub(crate) fn same_role(one: &str, other: &str) -> bool {
    one == other || characters(one).eq(characters(other))
}

fn characters(name: &str) -> impl Iterator<Item = char> {
    let shown = name.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c));
    shown.flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_are_the_same_and_other_names_are_not() {
        for spelling in [
            "instance administrator",
            " Instance  Administrator ",
            "InstanceAdministrator",
            "Instance\u{a0}Administrator",
            "Inst\u{200b}ance Administrator",
            "\u{ff29}nstance Administrator",
        ] {
            assert!(same_role(spelling, "Instance Administrator"), "{spelling:?}");
            assert_eq!(folded(spelling), "instanceadministrator", "{spelling:?}");
        }
        assert!(!same_role("Instance Admin", "Instance Administrator"));
        assert!(!same_role("", "Viewer"));
    }
}
