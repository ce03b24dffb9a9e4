//! [`RolesBy`]: whether the PUT of a key names roles by id or by display name.

use core::str::FromStr;

/// How the edit of a key names its roles.
///
/// The product's interface description requires ids. No public source shows what a real tenant
/// accepts, so `Auto` sends ids and falls back to names if the tenant does not know them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RolesBy {
    /// By id; by name if the tenant does not know the ids.
    #[default]
    Auto,
    /// By id only.
    Id,
    /// By display name only.
    Name,
}

impl FromStr for RolesBy {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "id" => Ok(Self::Id),
            "name" => Ok(Self::Name),
            _ => Err(()),
        }
    }
}
