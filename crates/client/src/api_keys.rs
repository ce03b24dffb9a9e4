//! API keys of a tenant: list, generate, delete.
//!
//! It refuses nothing: the tenant decides.

use cortexkey_api::api_keys::{
    DeleteReply, DeleteRequest, Filter, GenerateReply, GenerateRequest, ListReply, ListRequest,
};
use cortexkey_core::auth::KeyId;

use crate::{CallError, Client};

impl Client {
    /// Lists keys.
    pub fn list_keys(&self, request: &ListRequest) -> Result<ListReply, CallError> {
        self.query("/public_api/v1/api_keys/get_api_keys", request)
    }

    /// Makes a key. Its text is in the answer, and never again.
    pub fn generate_key(&self, request: &GenerateRequest) -> Result<GenerateReply, CallError> {
        self.post("/public_api/v1/api_keys/generate", request)
    }

    /// Deletes keys; how many there were.
    pub fn delete_keys(&self, ids: &[KeyId]) -> Result<u64, CallError> {
        let filter = Filter::IdIn(ids.iter().map(|id| id.get()).collect());
        let request = DeleteRequest { filters: vec![filter] };
        let reply: DeleteReply = self.post("/public_api/v1/api_keys/delete", &request)?;
        Ok(reply.update_count)
    }
}
