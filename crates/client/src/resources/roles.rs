//! A tenant's roles, which keys reference by display name.

use cortexkey_api::role::{RoleList, RoleRecord};

use crate::{CallError, Client, Method};

impl Client {
    /// All roles.
    pub fn roles(&self) -> Result<Vec<RoleRecord>, CallError> {
        let list: RoleList = self.call(Method::Get, "/platform/iam/v1/role", None)?.json()?;
        Ok(list.data)
    }

    /// All roles, read once per client.
    pub(crate) fn known_roles(&self) -> Result<&[RoleRecord], CallError> {
        if let Some(roles) = self.role_cache().get() {
            return Ok(roles);
        }
        let roles = self.roles()?;
        Ok(self.role_cache().get_or_init(|| roles))
    }
}
