//! Family A: what a key may see.

pub(super) mod a001_missing;
pub(super) mod a002_all_assets;
pub(super) mod a003_empty_selection;
pub(super) mod a004_unknown_group;
pub(super) mod a005_mode_conflict;
pub(super) mod a006_unreferenced_cases;
pub(super) mod a007_ineffective;
pub(super) mod a008_not_enforced;
pub(super) mod a009_datasets_unset;
pub(super) mod a010_bypassable;
pub(super) mod a011_group_not_scopable;
pub(super) mod a012_dataset_filter;
pub(super) mod a013_on_product_without;
