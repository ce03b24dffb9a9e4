//! Family L: the security level.

pub(super) mod l001_standard_forbidden;
pub(super) mod l002_implicit;
pub(super) mod l003_with_privileged_role;
pub(super) mod l004_without_expiry;
pub(super) mod l005_unfit_for_consumer;
