//! Asset groups, which scopes reference by id.

use cortexkey_api::asset_group::{AssetGroupRecord, ListReply, ListRequest};

use super::pages::{Page, Pages, pages};
use crate::{CallError, Client};

impl Client {
    /// All asset groups, by id.
    pub fn asset_groups(&self) -> Result<Vec<AssetGroupRecord>, CallError> {
        self.asset_group_pages().map(|pages| pages.items)
    }

    /// Lists the asset groups, and counts those that the tenant reports without returning them.
    pub(super) fn asset_group_pages(&self) -> Result<Pages<AssetGroupRecord, ()>, CallError> {
        pages(
            usize::MAX,
            |from, to| {
                let request = ListRequest {
                    search_from: Some(from),
                    search_to: Some(to),
                    ..ListRequest::default()
                };
                let reply: ListReply = self.query("/public_api/v1/asset-groups", &request)?;
                let count = Some(reply.metadata.filter_count);
                Ok(Page { items: reply.data, unreadable: Vec::new(), count })
            },
            |group| group.id,
        )
    }
}
