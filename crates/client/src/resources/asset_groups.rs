//! Asset groups, which scopes name by id.
//!
//! It refuses to change them.

use cortexkey_api::asset_group::{AssetGroupRecord, ListReply, ListRequest};

use crate::{CallError, Client};

const PAGE: u64 = 100;
const GROUPS_MAX: usize = 100_000;

impl Client {
    /// All asset groups.
    pub fn asset_groups(&self) -> Result<Vec<AssetGroupRecord>, CallError> {
        let mut all: Vec<AssetGroupRecord> = Vec::new();
        for page in 0.. {
            let request = ListRequest {
                search_from: Some(page * PAGE),
                search_to: Some((page + 1) * PAGE),
                ..ListRequest::default()
            };
            let reply: ListReply = self.query("/public_api/v1/asset-groups", &request)?;
            let is_new = |group: &AssetGroupRecord| all.iter().all(|known| known.id != group.id);
            let new: Vec<_> = reply.data.into_iter().filter(is_new).collect();
            // A tenant that knows no pages gives the same again.
            let is_last = new.is_empty() || (page + 1) * PAGE >= reply.metadata.filter_count;
            all.extend(new);
            if is_last || all.len() > GROUPS_MAX {
                break;
            }
        }
        Ok(all)
    }
}
