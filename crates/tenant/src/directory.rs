//! [`Directory`]: the users and user groups of a tenant.
//!
//! Groups list their users and child groups. Users and groups may have a role and a scope, which
//! are stored and returned without effect: requests are signed by keys.

use cortexkey_api::scope::ScopeWrite;
use cortexkey_api::user::{GroupReference, UserGroupRecord, UserRecord};
use serde::{Deserialize, Serialize};

use crate::inventory::People;

/// The largest numbers of users and groups.
pub(crate) const PEOPLE_MAX: usize = 10_000;

/// All users and user groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Directory {
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<UserGroup>,
    /// How many groups were ever created: an id is never reused.
    made: u64,
}

/// A user. The groups contain the memberships.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) record: UserRecord,
    pub(crate) scope: Option<ScopeWrite>,
}

/// A user group. Its role is stored by display name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UserGroup {
    pub(crate) record: UserGroupRecord,
    pub(crate) scope: Option<ScopeWrite>,
}

impl Directory {
    /// The users of an inventory.
    pub(crate) fn new(people: People) -> Self {
        let group = |record| UserGroup { record, scope: None };
        let mut directory =
            Self { groups: people.groups.into_iter().map(group).collect(), ..Self::default() };
        for mut record in people.users {
            for named in std::mem::take(&mut record.groups) {
                directory.join(&record.user_email, &named);
            }
            directory.users.push(User { record, scope: None });
        }
        directory
    }

    /// The user with this e-mail address, in any case.
    pub(crate) fn user(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| user.record.user_email.eq_ignore_ascii_case(email))
    }

    pub(crate) fn user_mut(&mut self, email: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.record.user_email.eq_ignore_ascii_case(email))
    }

    /// The group with this id.
    pub(crate) fn group(&self, id: &str) -> Option<&UserGroup> {
        self.groups.iter().find(|group| group.record.group_id == id)
    }

    pub(crate) fn group_mut(&mut self, id: &str) -> Option<&mut UserGroup> {
        self.groups.iter_mut().find(|group| group.record.group_id == id)
    }

    /// A user in the product's form, with the groups that contain it.
    pub(crate) fn shown(&self, user: &User) -> UserRecord {
        let within = |group: &&UserGroup| group.record.users.contains(&user.record.user_email);
        let groups = self.groups.iter().filter(within).map(|group| reference(&group.record));
        UserRecord { groups: groups.collect(), ..user.record.clone() }
    }

    /// Sets the groups of a user.
    pub(crate) fn set_groups(&mut self, email: &str, ids: &[String]) {
        for group in &mut self.groups {
            group.record.users.retain(|user| user != email);
            if ids.contains(&group.record.group_id) {
                group.record.users.push(email.to_owned());
            }
        }
    }

    /// Whether a user or a group is directly assigned a role.
    pub(crate) fn has_role(&self, name: &str) -> bool {
        let of_user = |user: &User| user.record.role_name.as_deref() == Some(name);
        let of_group = |group: &UserGroup| group.record.pretty_role_name.as_deref() == Some(name);
        self.users.iter().any(of_user) || self.groups.iter().any(of_group)
    }

    /// Adds a group; returns its id.
    pub(crate) fn add_group(&mut self, mut record: UserGroupRecord) -> String {
        self.made += 1;
        record.group_id = format!("5f6b1d3e-0000-4000-8000-{:012x}", self.made);
        let id = record.group_id.clone();
        self.groups.push(UserGroup { record, scope: None });
        id
    }

    /// Deletes a group; its children and users stay. Returns whether it existed.
    pub(crate) fn remove_group(&mut self, id: &str) -> bool {
        let before = self.groups.len();
        self.groups.retain(|group| group.record.group_id != id);
        for group in &mut self.groups {
            group.record.nested_groups.retain(|child| child.group_id != id);
        }
        self.groups.len() < before
    }

    fn join(&mut self, email: &str, named: &GroupReference) {
        let is_meant = |group: &&mut UserGroup| {
            named.group_id == group.record.group_id.as_str()
                || named.group_name == group.record.group_name
        };
        if let Some(group) = self.groups.iter_mut().find(is_meant)
            && !group.record.users.iter().any(|user| user == email)
        {
            group.record.users.push(email.to_owned());
        }
    }
}

/// A group in the form of references.
pub(crate) fn reference(group: &UserGroupRecord) -> GroupReference {
    GroupReference { group_id: group.group_id.clone().into(), group_name: group.group_name.clone() }
}
