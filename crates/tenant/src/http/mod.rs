//! The emulator's calls: one file per resource, with [`gate`] in front of them.

mod agent_reports;
mod api_key;
mod api_keys;
mod asset_groups;
mod assets;
mod audits;
mod body;
mod cases;
mod changes;
mod child;
mod control;
mod endpoints;
mod fault;
mod gate;
mod health;
mod issues;
mod list;
mod objects;
mod path;
mod rbac;
mod role;
mod rules;
mod scope;
mod streamed;
mod tenant_info;
mod user_groups;
mod users;
mod validate;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use cortexkey_api::Envelope;
use cortexkey_core::auth::Verifier;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::faults::Faults;
use crate::inspect::Inspector;
use crate::log::{Logged, Logger, known_method, loggable};
use crate::notices::{NOTICES, Notices, Notification};
use crate::options::{ConsoleKeys, Control, EditRoles, Licence};
use crate::refusal::Refusal;
use crate::replay::Replay;
use crate::store::{Disk, Store};
use crate::webhook::{DeliveryError, Webhook};

use api_keys::Names;
pub(crate) use api_keys::make_in_console;
pub(crate) use asset_groups::regroup;
pub(crate) use fault::ToReset;

/// The base paths under which the products publish the same calls.
const BASES: [&str; 5] =
    ["/public_api/v1", "/xsiam/public/v1", "/xsoar/public/v1", "/xsoar", AGENTIX_BASE];
/// The base path under which lists of keys have lower-case members.
const AGENTIX_BASE: &str = "/agentix/public/v1";

/// The largest number of concurrent searches.
pub(crate) const SEARCHES_MAX: usize = 2;

/// The state that all requests share.
pub(crate) struct App {
    pub(crate) store: RwLock<Store>,
    pub(crate) verifier: Verifier,
    pub(crate) replay: Replay,
    pub(crate) clock: Clock,
    pub(crate) unlicensed: Vec<Licence>,
    pub(crate) explain: bool,
    pub(crate) control: Control,
    pub(crate) edit_roles: EditRoles,
    /// Whether keys can be generated as in the console.
    pub(crate) console_keys: ConsoleKeys,
    /// The child tenants, by id.
    pub(crate) children: BTreeMap<String, Arc<Self>>,
    pub(crate) log: Option<Logger>,
    /// How often keys, scopes or roles may have changed.
    pub(crate) changes: AtomicU64,
    /// The number of requests so far.
    pub(crate) requests: AtomicU64,
    pub(crate) inspector: Inspector,
    pub(crate) faults: Faults,
    pub(crate) notices: Mutex<Notices>,
    /// Set once the tenant is created, if it has one.
    pub(crate) webhook: OnceLock<Webhook>,
    pub(crate) disk: Option<Arc<Disk>>,
    /// Limits concurrent searches of the audit log, which take a processor each.
    pub(crate) searches: Semaphore,
    /// Becomes true when the tenant stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    /// The notices so far.
    pub(crate) fn notices(&self) -> MutexGuard<'_, Notices> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates the notices that are due, and queues them for the webhook.
    pub(crate) fn create_due_notices(&self) {
        let now_ms = self.clock.now_ms();
        let new = {
            let store = self.store();
            let records = store.entries().map(|entry| entry.record.as_ref());
            self.notices().create_due(records, now_ms)
        };
        if let Some(disk) = self.disk.as_ref().filter(|_| !new.is_empty()) {
            // If this fails, they are created again after a restart.
            let _ = disk.set_number(NOTICES, now_ms);
        }
        let Some(webhook) = self.webhook.get() else { return };
        for notification in &new {
            if let Err(why) = webhook.send(notification) {
                self.record_rejected(notification, why);
            }
        }
    }

    /// Records that the webhook did not accept a notice.
    pub(crate) fn record_rejected(&self, notification: &Notification, why: DeliveryError) {
        let why = why.to_string();
        self.notices().record_rejected(notification.id, &why);
        if let Some(log) = &self.log {
            log.add(Logged::Webhook(notification.clone(), why));
        }
    }

    /// Refuses a call that the tenant has no licence for.
    pub(crate) fn licensed(&self, licence: Licence) -> Result<(), Refusal> {
        if !self.unlicensed.contains(&licence) {
            return Ok(());
        }
        let message = "User does not have the required license type to run this API.";
        Err(Refusal::new(StatusCode::PAYMENT_REQUIRED, message)
            .with_remedy("the tenant was started without the licence for this call"))
    }

    /// The store, for reading. A panic of another request cannot have left it half changed.
    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, for changing what is not stored on disk.
    pub(crate) fn store_mut(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes stored data, including refused attempts in the audit log. When this returns without
    /// an error of its own, the change is on disk, if there is one.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Store) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let failed = |why: String| {
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
                .with_remedy(why)
        };
        let mut store = self.store_mut();
        if store.has_failed() {
            return Err(failed("restart the emulator: its disk failed".to_owned()));
        }
        let changed = change(&mut store);
        self.changes.fetch_add(1, Ordering::AcqRel);
        // Writing to disk takes time; other tasks move to other threads.
        tokio::task::block_in_place(|| store.commit())
            .map_err(|error| failed(cortexkey_system::chain(&error)))?;
        changed
    }
}

/// The calls, behind the gate.
pub(crate) fn router(app: &Arc<App>) -> Router {
    // The call that checks a key is also at the root.
    let mut router = both(Router::new(), "/api_keys/validate", validate::calls());
    for (path, call) in [
        ("/platform/iam/v1/api-key/{id}", api_key::calls()),
        ("/platform/iam/v1/user", users::list_calls()),
        ("/platform/iam/v1/user/{email}", users::one_calls()),
        ("/platform/iam/v1/user-group", user_groups::list_calls()),
        ("/platform/iam/v1/user-group/{id}", user_groups::one_calls()),
        ("/platform/notifications/v1/list-rules", rules::list_calls()),
        ("/platform/notifications/v1/rule", rules::create_calls()),
        ("/platform/notifications/v1/rule/{uuid}", rules::one_calls()),
        ("/platform/notifications/v1/update-rule-status/{uuid}", rules::status_calls()),
        ("/platform/iam/v1/role", role::list_calls()),
        ("/platform/iam/v1/role/permission-config", role::config_calls()),
        ("/platform/iam/v1/role/{role_id}", role::delete_calls()),
        ("/platform/iam/v1/scope/{entity}/{id}", scope::calls()),
    ] {
        router = both(router, path, call);
    }
    for base in BASES {
        let names = if base == AGENTIX_BASE { Names::Lower } else { Names::Upper };
        router = router.nest(base, calls(names));
    }
    let calls = router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(app));
    // The gate wraps the router: a layer on the calls would leave the header `Allow` on refusals of
    // existing ones.
    let calls = Router::new()
        .fallback_service(calls)
        .layer(from_fn_with_state(Arc::clone(app), gate::gate));
    // Calls that the product does not have bypass the gate.
    control::router(app).fallback_service(calls)
}

fn calls(names: Names) -> Router<Arc<App>> {
    let mut router = Router::new();
    for (path, call) in [
        ("/api_keys/get_api_keys", api_keys::list_calls(names)),
        ("/api_keys/generate", api_keys::generate_calls()),
        ("/api_keys/delete", api_keys::delete_calls()),
        ("/api_keys/validate", validate::calls()),
        ("/asset-groups", asset_groups::list_calls()),
        ("/asset-groups/create", asset_groups::create_calls()),
        ("/asset-groups/update/{id}", asset_groups::update_calls()),
        ("/asset-groups/delete/{id}", asset_groups::delete_calls()),
        ("/assets", assets::list_calls()),
        ("/assets/{id}", assets::one_calls()),
        ("/audits/agents_reports", agent_reports::calls()),
        ("/audits/management_logs", audits::calls()),
        ("/case/search", cases::calls()),
        ("/endpoints/get_endpoint", endpoints::list_calls()),
        ("/endpoints/isolate", endpoints::isolate_calls()),
        ("/endpoints/unisolate", endpoints::unisolate_calls()),
        ("/issue/search", issues::calls()),
        ("/rbac/get_roles", rbac::roles_calls()),
        ("/rbac/get_user_group", rbac::groups_calls()),
        ("/rbac/get_users", rbac::users_calls()),
        ("/rbac/set_user_role", rbac::set_role_calls()),
        ("/system/get_tenant_info", tenant_info::calls()),
        ("/healthcheck", health::calls()),
        ("/health_check", health::check_calls()),
    ] {
        router = both(router, path, call);
    }
    router
}

/// Clients disagree about the trailing slash.
fn both(router: Router<Arc<App>>, path: &str, call: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    router.route(path, call.clone()).route(&format!("{path}/"), call)
}

async fn unknown_path(method: Method, uri: Uri) -> Refusal {
    Refusal::not_found("No such API call")
        .with_extra(format!(
            "this tenant has no {} {}",
            known_method(&method),
            loggable(uri.path())
        ))
        .with_remedy("compare the path with the API reference; the emulator has fewer calls than the product")
        .in_envelope(envelope_of(uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
        .with_extra(format!("{} does not take {}", loggable(uri.path()), known_method(&method)))
        .with_remedy("the header Allow lists the supported methods")
        .in_envelope(envelope_of(uri.path()))
}

/// The error format of the product's calls under a path.
fn envelope_of(path: &str) -> Envelope {
    if path.starts_with("/platform/") {
        Envelope::Platform
    } else if path.starts_with("/public_api/appsec/") {
        Envelope::AppSec
    } else {
        Envelope::PublicApi
    }
}
