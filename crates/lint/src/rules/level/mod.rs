//! Family L: the security level.

pub(super) mod l001_standard_forbidden;
pub(super) mod l002_implicit;
