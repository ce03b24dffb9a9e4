//! The users of a tenant.

use cortexkey_api::user::{Listed, UserRecord};

use crate::{CallError, Client, Method};

impl Client {
    /// Lists all users.
    pub fn users(&self) -> Result<Vec<UserRecord>, CallError> {
        let list: Listed<UserRecord> =
            self.call(Method::Get, "/platform/iam/v1/user", None)?.json()?;
        Ok(list.data)
    }
}
