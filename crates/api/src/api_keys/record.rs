//! Conversions between the product's JSON and the core's types.

use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::{Expiry, KeyRecord};

use super::{ApiKeyRecord, SecurityLevel};

impl From<SecurityLevel> for Level {
    fn from(level: SecurityLevel) -> Self {
        match level {
            SecurityLevel::Standard => Self::Standard,
            SecurityLevel::Advanced => Self::Advanced,
        }
    }
}

impl From<Level> for SecurityLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Standard => Self::Standard,
            Level::Advanced => Self::Advanced,
        }
    }
}

impl ApiKeyRecord {
    /// The row of the API Keys table; `None` if the id is 0, which no key has.
    pub fn row(&self) -> Option<KeyRecord> {
        Some(KeyRecord {
            key_id: KeyId::new(self.id)?,
            created_ms: self.creation_time.unwrap_or(0),
            created_by: self.created_by.clone().unwrap_or_default(),
            user_name: self.user_name.clone().unwrap_or_default(),
            roles: self.roles.clone(),
            level: self.security_level.into(),
            comment: self.comment.clone(),
            expiry: self.expiration.map_or(Expiry::Never, |ms| Expiry::At { ms }),
        })
    }
}

impl From<&KeyRecord> for ApiKeyRecord {
    fn from(row: &KeyRecord) -> Self {
        Self {
            id: row.key_id.get(),
            creation_time: Some(row.created_ms),
            created_by: Some(row.created_by.clone()),
            user_name: Some(row.user_name.clone()),
            roles: row.roles.clone(),
            security_level: row.level.into(),
            comment: row.comment.clone(),
            expiration: match row.expiry {
                Expiry::Never => None,
                Expiry::At { ms } => Some(ms),
            },
        }
    }
}
