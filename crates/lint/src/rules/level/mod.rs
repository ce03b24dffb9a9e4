//! Family L: the security level.

pub(crate) mod l001_standard_forbidden;
pub(crate) mod l002_implicit;
pub(crate) mod l003_with_privileged_role;
pub(crate) mod l004_without_expiry;
pub(crate) mod l005_unfit_for_consumer;
