//! Edits of a key: roles, level and comment, in one PUT that is read back and compared.
//!
//! Keys are listed with the display names of their roles, but the PUT takes role ids. Names are
//! resolved before anything is changed, and no name is sent where ids are expected.

use cortexkey_api::api_key::{CommentEdit, EditRequest};
use cortexkey_api::api_keys::{ApiKeyRecord, SecurityLevel};
use cortexkey_api::role::{RoleId, RoleName, RoleRecord};
use cortexkey_api::{Data, RequestData};
use cortexkey_core::auth::KeyId;
use serde::Serialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::permission::ApiPermission;
use crate::transport::CallNotice;
use crate::{CallError, Client, Method, RolesBy};

/// The desired state of a key. Roles are replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEdit {
    /// All roles of the key.
    pub roles: Vec<RoleName>,
    /// Its security level. A different level breaks its clients.
    pub level: SecurityLevel,
    /// The change of its comment.
    pub comment: CommentEdit,
}

/// Why a key is not as requested.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// No role is given, and the tenant shows none of the key's. Nothing was changed.
    #[error(
        "the key was not edited: an edit replaces all roles, and none is given or shown by the tenant"
    )]
    NoRole,
    /// The tenant's roles cannot be read. Nothing was changed.
    #[error("the key was not edited: {}", no_roles(.0))]
    Roles(#[source] CallError),
    /// The tenant has no role of this name. Nothing was changed.
    #[error(
        "the key was not edited: the tenant has no role {:?}\nhelp: `GET /platform/iam/v1/role` lists its \
         roles",
        name.as_str()
    )]
    UnknownRole {
        /// The role's name.
        name: RoleName,
    },
    /// The tenant has several roles of this name. Nothing was changed.
    #[error(
        "the key was not edited: the tenant has several roles {:?} (ids {})\nhelp: give one of them another \
         name",
        name.as_str(),
        ids.iter().map(RoleId::as_str).collect::<Vec<_>>().join(", ")
    )]
    AmbiguousRole {
        /// The role's name.
        name: RoleName,
        /// The ids of these roles.
        ids: Vec<RoleId>,
    },
    /// The PUT failed.
    #[error("{}", not_put(.0))]
    Put(#[source] CallError),
    /// The tenant accepted the edit, but its result cannot be read.
    #[error("the tenant accepted the edit, but its result cannot be read")]
    NotRead(#[source] CallError),
    /// The tenant accepted the edit, but returns something else.
    #[error("the tenant accepted the edit but returns something else: {}", differences.join("; "))]
    NotKept {
        /// The differences, in words.
        differences: Vec<String>,
        /// Whether roles differ.
        roles: bool,
    },
}

impl KeyEdit {
    /// The differences between a record and the request; empty if there are none.
    fn differences(&self, record: &ApiKeyRecord) -> (Vec<String>, bool) {
        let mut differences = Vec::new();
        let missing = self.roles.iter().map(RoleName::as_str);
        let missing = missing.filter(|name| record.roles.iter().all(|has| has != name));
        differences.extend(missing.map(|name| format!("the role {name:?} is missing")));
        let more = record.roles.iter();
        let more = more.filter(|has| self.roles.iter().all(|name| name.as_str() != *has));
        differences.extend(more.map(|name| format!("it still has the role {name:?}")));
        let roles = !differences.is_empty();
        if record.security_level != self.level {
            differences.push("its security level differs".to_owned());
        }
        if let CommentEdit::Set(comment) = &self.comment
            // A tenant may store an empty comment instead of none.
            && comment.as_deref().unwrap_or_default() != record.comment.as_deref().unwrap_or_default()
        {
            differences.push("its comment differs".to_owned());
        }
        (differences, roles)
    }
}

impl Client {
    /// Edits a key, reads it back, and compares.
    ///
    /// Roles are sent by id, as the product documents it. With [`RolesBy::Auto`], the edit is
    /// repeated with names if the tenant does not know the ids or drops them.
    pub fn edit_key(&self, id: KeyId, edit: &KeyEdit) -> Result<ApiKeyRecord, EditError> {
        // A tenant may list roles as `null`, which is not a key without roles.
        if edit.roles.is_empty() {
            return Err(EditError::NoRole);
        }
        let by = self.roles_by();
        if by == RolesBy::Name {
            return self.edit_by(id, edit, edit.roles.clone());
        }
        let ids = self.role_ids(&edit.roles)?;
        let is_same = ids.iter().map(RoleId::as_str).eq(edit.roles.iter().map(RoleName::as_str));
        match self.edit_by(id, edit, ids) {
            Err(error) if by == RolesBy::Auto && !is_same && error.is_about_roles() => {
                match self.edit_by(id, edit, edit.roles.clone()) {
                    Ok(record) => {
                        self.remember_roles_by_name();
                        self.notify(&CallNotice::RolesByName);
                        Ok(record)
                    }
                    // The later reading is the current state of the key.
                    Err(later @ EditError::NotKept { .. }) => Err(later),
                    Err(_) => Err(error),
                }
            }
            edited => edited,
        }
    }

    fn edit_by<R: Serialize>(
        &self,
        id: KeyId,
        edit: &KeyEdit,
        roles: Vec<R>,
    ) -> Result<ApiKeyRecord, EditError> {
        let security_level = edit.level;
        let comment = edit.comment.clone();
        let request = EditRequest { roles, security_level, comment };
        self.put_key(id, &request).map_err(EditError::Put)?;
        let record = self.read_key(id).map_err(EditError::NotRead)?;
        let (differences, roles) = edit.differences(&record);
        if differences.is_empty() {
            Ok(record)
        } else {
            Err(EditError::NotKept { differences, roles })
        }
    }

    fn put_key<R: Serialize>(&self, id: KeyId, request: &EditRequest<R>) -> Result<(), CallError> {
        let body = serde_json::to_vec(&RequestData { request_data: request })
            .map_err(|_| CallError::RequestNotJson)?;
        self.call(Method::Put, &path(id), Some(&body))?.json::<Data<IgnoredAny>>()?;
        Ok(())
    }

    /// The current state of one key; from the list if the call for one key fails.
    pub fn read_key(&self, id: KeyId) -> Result<ApiKeyRecord, CallError> {
        let one = self.call(Method::Get, &path(id), None);
        if let Ok(Data { data }) = one.and_then(|answer| answer.json::<Data<ApiKeyRecord>>())
            && data.id == id.get()
        {
            return Ok(data);
        }
        let missing = CallError::UnexpectedAnswer { expected: "a list with this key" };
        self.find_key(id)?.ok_or(missing)
    }

    /// The ids of roles, in the same order. The tenant's list is read once per run.
    fn role_ids(&self, names: &[RoleName]) -> Result<Vec<RoleId>, EditError> {
        let roles = self.known_roles().map_err(EditError::Roles)?;
        names.iter().map(|name| role_id(roles, name)).collect()
    }
}

fn role_id(roles: &[RoleRecord], name: &RoleName) -> Result<RoleId, EditError> {
    let of_name = roles.iter().filter(|role| role.pretty_name == *name);
    let mut ids: Vec<RoleId> = of_name.map(|role| role.role_id.clone()).collect();
    ids.sort();
    ids.dedup();
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Ok(id),
        (None, _) => Err(EditError::UnknownRole { name: name.clone() }),
        (Some(id), false) => {
            ids.push(id);
            Err(EditError::AmbiguousRole { name: name.clone(), ids })
        }
    }
}

fn path(id: KeyId) -> String {
    format!("/platform/iam/v1/api-key/{id}")
}

impl EditError {
    /// Whether the key is unchanged.
    pub fn is_unchanged(&self) -> bool {
        match self {
            Self::NoRole
            | Self::Roles(_)
            | Self::UnknownRole { .. }
            | Self::AmbiguousRole { .. } => true,
            Self::Put(error) => error.had_no_effect(),
            Self::NotRead(_) | Self::NotKept { .. } => false,
        }
    }

    /// The missing permission, if the tenant named one.
    pub fn missing_permission(&self) -> Option<ApiPermission> {
        match self {
            Self::Roles(error) if error.status() == Some(403) => {
                Some(ApiPermission::AccessManagementView)
            }
            Self::Put(error) if error.status() == Some(403) => {
                Some(ApiPermission::AccessManagementEdit)
            }
            _ => None,
        }
    }

    /// Whether roles that were sent by id are unknown or were dropped.
    fn is_about_roles(&self) -> bool {
        match self {
            Self::NotKept { roles, .. } => *roles,
            Self::Put(CallError::Refused(refused)) => {
                matches!(refused.status, 400 | 404 | 422 | 500)
                    && refused.body.as_ref().is_some_and(|body| {
                        let message = body.err_msg.as_deref().unwrap_or_default();
                        let extra = body.err_extra.as_ref().map(ToString::to_string);
                        let text = format!("{message} {}", extra.unwrap_or_default());
                        text.to_ascii_lowercase().contains("role")
                    })
            }
            _ => false,
        }
    }
}

fn no_roles(error: &CallError) -> String {
    match error.status() {
        Some(403) => lacks(ApiPermission::AccessManagementView),
        _ => "the ids of its roles cannot be read, and editing a key needs them".to_owned(),
    }
}

fn not_put(error: &CallError) -> String {
    match error.status() {
        Some(403) => {
            format!("the key was not edited: {}", lacks(ApiPermission::AccessManagementEdit))
        }
        _ if error.had_no_effect() => "the key was not edited".to_owned(),
        _ => "it is unknown whether the key was edited".to_owned(),
    }
}

fn lacks(permission: ApiPermission) -> String {
    format!("this key lacks {permission}, which editing a key needs")
}
