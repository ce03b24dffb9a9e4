//! [`ChildTenant`]: the child tenant that a call is for.

const CHARS_MAX: usize = 200;

/// The id of a child tenant, for the header `x-child-tenant-id`.
///
/// ```
/// use cortexkey_client::ChildTenant;
///
/// assert!(ChildTenant::new("9876543210").is_some());
/// assert!(ChildTenant::new("two words").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildTenant(String);

impl ChildTenant {
    /// Accepts visible ASCII of up to 200 characters.
    pub fn new(id: &str) -> Option<Self> {
        let fits = (1..=CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(id.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
