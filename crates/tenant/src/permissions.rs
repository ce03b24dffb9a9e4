//! The permissions that roles of this tenant can grant: the core's components and named actions,
//! with their names in the product's API.
//!
//! Some of the names are public; the others are derived from the console's names in the same way.

use cortexkey_api::role::{
    ActionPermission, Category, ComponentPermission, DatasetGroup, PermissionConfig, SubCategory,
};
use cortexkey_core::access::{COMPONENTS, Component, ComponentLevels, Permission};

/// Components whose API names are public, without `_view` and `_action`.
const PUBLIC_NAMES: [(&str, &str); 5] = [
    ("Dashboards", "dashboard"),
    ("Detection Rules", "rules"),
    ("External Issues Mapping", "external_alerts"),
    ("Action Center", "actions_center"),
    ("Query Center", "investigation_query"),
];

/// Components whose API name for View is public and has no `_view`.
const BARE_VIEW_NAMES: [&str; 2] = ["Action Center", "Alert Notifications"];

/// The permission that an API name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestedPermission {
    Component(&'static str, Permission),
    Action(&'static str),
}

/// The permission that an API name stands for; `None` if it is unknown.
pub(crate) fn requested(name: &str) -> Option<RequestedPermission> {
    if let Some(action) = actions().find(|action| action_name(action) == name) {
        return Some(RequestedPermission::Action(action));
    }
    COMPONENTS.iter().find_map(|component| {
        let (view, edit) = component_names(component);
        let level = if view.as_deref() == Some(name) {
            Permission::View
        } else if edit.as_deref() == Some(name) {
            Permission::Edit
        } else {
            return None;
        };
        Some(RequestedPermission::Component(component.name, level))
    })
}

/// The component of a named action in the console.
pub(crate) fn component_of(action: &str) -> Option<&'static str> {
    let component = COMPONENTS.iter().find(|component| component.actions.contains(&action))?;
    Some(component.name)
}

/// The named action with this name in the console.
pub(crate) fn action(name: &str) -> Option<&'static str> {
    actions().find(|action| *action == name)
}

/// All permissions that a role can grant.
pub(crate) fn config(datasets: &[DatasetGroup]) -> PermissionConfig {
    let mut categories: Vec<Category> = Vec::new();
    for component in COMPONENTS {
        if categories.last().is_none_or(|last| last.category_name != component.group) {
            let name = component.group.to_owned();
            let parts = vec![SubCategory { sub_category_name: None, permissions: vec![] }];
            categories.push(Category { category_name: name, sub_categories: parts });
        }
        let part = categories.last_mut().and_then(|last| last.sub_categories.last_mut());
        if let Some(part) = part {
            part.permissions.push(permission(component));
        }
    }
    PermissionConfig { rbac_permissions: categories, dataset_groups: datasets.to_vec() }
}

fn permission(component: &Component) -> ComponentPermission {
    let (view_name, edit_name) = component_names(component);
    let actions = component.actions.iter();
    let sub_permissions = actions
        .map(|action| ActionPermission {
            action_name: action_name(action),
            name: (*action).to_owned(),
        })
        .collect();
    ComponentPermission {
        name: component.name.to_owned(),
        view_name,
        action_name: edit_name,
        sub_permissions,
    }
}

fn actions() -> impl Iterator<Item = &'static str> {
    COMPONENTS.iter().flat_map(|component| component.actions.iter().copied())
}

fn component_names(component: &Component) -> (Option<String>, Option<String>) {
    let public = PUBLIC_NAMES.iter().find(|(name, _)| *name == component.name);
    let stem = public.map_or_else(|| snake(component.name), |(_, stem)| (*stem).to_owned());
    let (view, edit) = match component.levels {
        ComponentLevels::Three | ComponentLevels::Switch => (true, true),
        ComponentLevels::NoneView => (true, false),
        ComponentLevels::NoneEdit => (false, true),
    };
    let suffix = if BARE_VIEW_NAMES.contains(&component.name) { "" } else { "_view" };
    (view.then(|| format!("{stem}{suffix}")), edit.then(|| format!("{stem}_action")))
}

fn action_name(action: &str) -> String {
    // Next to the component of the same name, whose name ends in `_action`.
    if action == "Live Terminal" { "live_terminal_session".to_owned() } else { snake(action) }
}

/// `Allow List/Block List` as `allow_list_block_list`.
fn snake(name: &str) -> String {
    let mut words = String::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        if !words.is_empty() {
            words.push('_');
        }
        words.push_str(&part.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_belongs_to_one_object() {
        let config = config(&[]);
        let mut names = BTreeSet::new();
        let mut count = 0;
        let parts = config.rbac_permissions.iter().flat_map(|category| &category.sub_categories);
        for permission in parts.flat_map(|part| &part.permissions) {
            let component = Component::by_name(&permission.name).unwrap().name;
            for (name, level) in [
                (&permission.view_name, Permission::View),
                (&permission.action_name, Permission::Edit),
            ] {
                let Some(name) = name else { continue };
                assert_eq!(requested(name), Some(RequestedPermission::Component(component, level)));
                names.insert(name);
                count += 1;
            }
            for action in &permission.sub_permissions {
                assert_eq!(
                    requested(&action.action_name),
                    self::action(&action.name).map(RequestedPermission::Action)
                );
                names.insert(&action.action_name);
                count += 1;
            }
        }
        assert_eq!(names.len(), count);
        assert!(count > 130, "{count}");
    }

    #[test]
    fn the_public_names_are_these() {
        for name in [
            "dashboard_view",
            "dashboard_action",
            "rules_action",
            "actions_center",
            "actions_center_action",
            "alert_notifications",
            "alert_notifications_action",
            "isolate",
            "quarantine",
            "file_search",
            "external_alerts_action",
            "data_management_action",
            "investigation_query_view",
        ] {
            assert!(requested(name).is_some(), "{name}");
        }
    }
}
