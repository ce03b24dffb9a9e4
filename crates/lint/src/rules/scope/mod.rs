//! Family A: what a key may see.

pub(crate) mod a001_missing;
pub(crate) mod a002_all_assets;
pub(crate) mod a003_empty_selection;
pub(crate) mod a004_unknown_group;
pub(crate) mod a005_mode_conflict;
pub(crate) mod a006_unreferenced_cases;
pub(crate) mod a007_ineffective;
pub(crate) mod a008_not_enforced;
pub(crate) mod a009_datasets_unset;
pub(crate) mod a010_bypassable;
pub(crate) mod a011_group_not_scopable;
pub(crate) mod a012_dataset_filter;
pub(crate) mod a013_on_product_without;
