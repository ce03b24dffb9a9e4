//! [`Tenant`]: a running tenant, from start to stop.

use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::thread::JoinHandle;

use cortexkey_api::Secret;
use cortexkey_core::access::{Sbac, TenantSettings as Settings};
use cortexkey_core::auth::{KeyId, Level, Verifier};
use cortexkey_core::lifecycle::Expiry;
use serde::Serialize;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::clock::{Clock, SettableClock};
use crate::controls::Controls;
use crate::directory::Directory;
use crate::faults::{Fault, FaultError, Faults};
use crate::http::{App, SEARCHES_MAX, regroup, router};
use crate::inspect::Inspector;
use crate::inventory;
use crate::log::{LogLine, logger};
use crate::notices::{NOTICES, Notices, Notification};
use crate::options::{Control, NewAdminKeys, Options};
use crate::replay_start::replay;
use crate::roles::{INSTANCE_ADMINISTRATOR, Roles};
use crate::server::{Limits, serve};
use crate::signals::Signals;
use crate::start_error::StartError;
use crate::store::{Disk, GenerateError, NewKeyInfo, Store};
use crate::tls::Tls;
use crate::webhook::{DeliveryError, Webhook};

const THREADS_MAX: usize = 4;
/// How often due notices are checked: the clock may be a test's.
const NOTICE_PAUSE: Duration = Duration::from_millis(500);
/// The folder of the children's data, within their parent's.
const CHILDREN_FOLDER: &str = "children";
/// How long a stopping tenant waits for the last lines of its log to be processed.
const LOG_PATIENCE: Duration = Duration::from_millis(300);
/// The backlog of connections that wait to be accepted.
const QUEUE: u32 = 1024;

/// A running tenant. It stops when it is dropped.
pub struct Tenant {
    url: String,
    app: Arc<App>,
    seeded: Option<SeededKeys>,
    children: Vec<ChildTenant>,
    tls: Option<Tls>,
    stop: watch::Sender<bool>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// A child tenant with its own keys, roles and port. A key of the parent manages its keys with the
/// header `x-child-tenant-id`.
pub struct ChildTenant {
    id: String,
    url: String,
    app: Arc<App>,
    seeded: Option<SeededKeys>,
}

impl ChildTenant {
    /// The id, as `x-child-tenant-id` has it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The address, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The keys that were generated because it was empty.
    pub fn seeded_keys(&self) -> Option<&SeededKeys> {
        self.seeded.as_ref()
    }
}

/// The two keys that an empty tenant starts with. Both have the role Instance Administrator and
/// never expire.
pub struct SeededKeys {
    /// A Standard key, id 1.
    pub standard: SeededKey,
    /// An Advanced key, id 2.
    pub advanced: SeededKey,
}

/// A key that an empty tenant starts with. It cannot be printed, and is wiped on drop.
pub struct SeededKey {
    id: KeyId,
    level: Level,
    key: Secret,
}

impl SeededKey {
    /// The key id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The security level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The key itself. Named so that its uses can be found.
    pub fn expose(&self) -> &str {
        self.key.expose()
    }
}

impl Tenant {
    /// Starts a tenant on its own threads. When this returns, it accepts connections.
    pub fn start(mut options: Options) -> Result<Self, StartError> {
        let listen = options.listen;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback { listen });
        }
        check_children(&options.children)?;
        settle_clock(&mut options);
        let (stop, stopping) = watch::channel(false);
        let runtime = runtime().map_err(StartError::Threads)?;
        let handle = runtime.handle().clone();
        let started = start_all(options, &handle, &stopping);
        let Started { served, tls } = match started {
            Ok(started) => started,
            Err(error) => {
                // A plain drop would panic within the caller's own runtime.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let (mut members, serving): (Vec<_>, Vec<_>) =
            served.into_iter().map(|one| member(one, tls.as_ref(), &stopping)).unzip();
        let thread = std::thread::Builder::new()
            .name("cortexkey-tenant".to_owned())
            .spawn(move || {
                runtime.block_on(futures_util::future::join_all(serving));
                runtime.shutdown_background();
            })
            .map_err(StartError::Threads)?;
        // The parent is last: it was started with its children.
        let Some(parent) = members.pop() else { return Err(StartError::NoRoomForKeys) };
        let ChildTenant { url, app, seeded, .. } = parent;
        Ok(Self { url, app, seeded, children: members, tls, stop, handle, thread: Some(thread) })
    }

    /// The child tenants, if it is a parent.
    pub fn children(&self) -> &[ChildTenant] {
        &self.children
    }

    /// The address, such as `http://127.0.0.1:43210`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// With TLS, the file with the certificate that clients must trust.
    pub fn ca_path(&self) -> Option<&Path> {
        self.tls.as_ref().map(|tls| tls.ca_path.as_path())
    }

    /// With TLS, the names that are served, besides 127.0.0.1.
    pub fn hosts(&self) -> &[String] {
        self.tls.as_ref().map_or(&[], |tls| &tls.hosts)
    }

    /// The keys that were generated because the tenant was empty.
    pub fn seeded_keys(&self) -> Option<&SeededKeys> {
        self.seeded.as_ref()
    }

    /// The last requests, at most this many, the earliest first.
    pub fn requests(&self, last: usize) -> Vec<Arc<LogLine>> {
        self.app.inspector.last(last)
    }

    /// The notices about expiring keys, the earliest first.
    pub fn notifications(&self) -> Vec<Notification> {
        self.controls().notifications()
    }

    /// Controls it from within this process.
    pub fn controls(&self) -> Controls {
        Controls::new(Arc::clone(&self.app), self.handle.clone())
    }

    /// Replaces the waiting faults.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        self.app.faults.set(faults)
    }

    /// One line of JSON, without the line ending: address, process and the generated keys. It contains
    /// keys, for the user or program that started the tenant.
    pub fn ready_line(&self) -> String {
        self.ready_line_with(None)
    }

    /// Like [`ready_line`](Self::ready_line), with the one-time address of a console for this
    /// tenant.
    pub fn ready_line_with(&self, console: Option<&str>) -> String {
        let children = self.children.iter().map(|child| ReadyChild {
            id: &child.id,
            url: &child.url,
            keys: child.seeded.as_ref().map(ReadyKeys::new),
        });
        let line = ReadyLine {
            url: &self.url,
            pid: std::process::id(),
            keys: self.seeded.as_ref().map(ReadyKeys::new),
            children: children.collect(),
            ca: self.ca_path(),
            hosts: self.hosts(),
            console,
        };
        // Strings and numbers can always be serialized.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Handles SIGINT and SIGTERM from now on, for [`wait`](Self::wait). A command calls this
    /// before it prints the ready line, so that a signal right after that stops it properly.
    pub fn signals(&self) -> io::Result<Signals> {
        let _inside = self.handle.enter();
        Signals::new()
    }

    /// Waits for a signal, then stops. Must not be called within an async runtime.
    pub fn wait(self, mut signals: Signals) {
        self.handle.block_on(signals.next());
        self.stop();
    }

    /// Stops: no new connections; open requests are answered, within a second.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there has already been reported.
            let _ = thread.join();
        }
        for app in self.children.iter().map(|child| &child.app).chain([&self.app]) {
            if let Some(webhook) = app.webhook.get() {
                webhook.close();
            }
            if let Some(log) = &app.log {
                log.close(LOG_PATIENCE);
            }
            // If it fails, the next start waits a little longer.
            let _ = app.replay.close();
        }
    }
}

/// Shows the address, and nothing of its keys.
impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A tenant with the address of its API, and what serves it until it stops.
fn member(
    served: Served,
    tls: Option<&Tls>,
    stopping: &watch::Receiver<bool>,
) -> (ChildTenant, impl Future + Send + use<>) {
    let Served { child, app, seeded, address, listener } = served;
    let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::clone(&tls.config)));
    let scheme = if tls.is_some() { "https" } else { "http" };
    let keeper = keep(Arc::clone(&app), stopping.clone());
    let answers = serve(listener, router(&app), acceptor, stopping.clone(), Limits::default());
    // Both are waited for: while one runs, the data folder is in use.
    let serving = futures_util::future::join(answers, keeper);
    let url = format!("{scheme}://{address}");
    (ChildTenant { id: child.unwrap_or_default(), url, app, seeded }, serving)
}

const CHILDREN_MAX: usize = 100;
const CHILD_CHARS_MAX: usize = 64;

/// Ids are also names of folders.
fn check_children(ids: &[String]) -> Result<(), StartError> {
    let is_id = |id: &String| {
        (1..=CHILD_CHARS_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let once: BTreeSet<_> = ids.iter().collect();
    if ids.iter().all(is_id) && once.len() == ids.len() && ids.len() <= CHILDREN_MAX {
        return Ok(());
    }
    Err(StartError::Child)
}

/// A clock that is to be set or stored must be settable; parent and children share it.
fn settle_clock(options: &mut Options) {
    let may_be_set = options.control == Control::Change || options.data.is_some();
    if let (true, Clock::System) = (may_be_set, &options.clock) {
        options.clock = Clock::Settable(SettableClock::running());
    }
}

/// All listeners, the parent's last.
struct Started {
    served: Vec<Served>,
    tls: Option<Tls>,
}

/// A tenant that listens.
struct Served {
    /// The id, if it is a child.
    child: Option<String>,
    app: Arc<App>,
    seeded: Option<SeededKeys>,
    address: SocketAddr,
    listener: TcpListener,
}

fn start_all(
    mut options: Options,
    handle: &Handle,
    stopping: &watch::Receiver<bool>,
) -> Result<Started, StartError> {
    let mut served = Vec::new();
    let mut children = BTreeMap::new();
    for id in std::mem::take(&mut options.children) {
        let mut child = options.clone();
        // The parent's authority issues all certificates: they have one name.
        child.tls = None;
        child.listen.set_port(0);
        child.data = options.data.as_ref().map(|folder| folder.join(CHILDREN_FOLDER).join(&id));
        let started = start_one(child, handle, stopping, BTreeMap::new(), Some(id.clone()))?.0;
        children.insert(id, Arc::clone(&started.app));
        served.push(started);
    }
    let (parent, tls) = start_one(options, handle, stopping, children, None)?;
    served.push(parent);
    Ok(Started { served, tls })
}

fn start_one(
    options: Options,
    handle: &Handle,
    stopping: &watch::Receiver<bool>,
    children: BTreeMap<String, Arc<App>>,
    child: Option<String>,
) -> Result<(Served, Option<Tls>), StartError> {
    let listen = options.listen;
    let Prepared { app, seeded, tls } = prepare(options, handle, stopping.clone(), children)?;
    let bound = {
        let _inside = handle.enter();
        bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)))
    };
    let (address, listener) = bound.map_err(|error| StartError::Listen { listen, error })?;
    Ok((Served { child, app, seeded, address, listener }, tls))
}

/// What is created before anything listens.
struct Prepared {
    app: Arc<App>,
    seeded: Option<SeededKeys>,
    tls: Option<Tls>,
}

fn prepare(
    options: Options,
    runtime: &Handle,
    stopping: watch::Receiver<bool>,
    children: BTreeMap<String, Arc<App>>,
) -> Result<Prepared, StartError> {
    let disk = options.data.as_deref().map(Disk::open).transpose()?.map(Arc::new);
    if let (Some(disk), Clock::Settable(clock)) = (&disk, &options.clock) {
        disk.restore_clock(clock)?;
    }
    let kept = options.data.as_deref().zip(disk.as_deref());
    let tls = options.tls.as_deref().map(|hosts| Tls::new(hosts, kept)).transpose()?;
    // The guard is created first, so that it cannot have forgotten a key generated afterwards.
    let now_ms = options.clock.now_ms();
    let replay = replay(&options, runtime, disk.as_ref(), now_ms)?;
    let (mut store, notices) = open_store(&options, disk.as_ref(), now_ms)?;
    let is_empty = store.entries().next().is_none();
    let seeded = if is_empty || options.new_admin_keys == NewAdminKeys::Always {
        let standard = seed(&mut store, Level::Standard, now_ms)?;
        let advanced = seed(&mut store, Level::Advanced, now_ms)?;
        Some(SeededKeys { standard, advanced })
    } else {
        None
    };
    store.commit()?;
    let verifier =
        Verifier::new().with_skew(options.skew).with_nonce_lengths(options.nonce_lengths);
    let log = logger(options.log, options.webhook_log, options.dropped_log)
        .map_err(StartError::Threads)?;
    let app = App {
        store: RwLock::new(store),
        verifier,
        replay,
        clock: options.clock,
        unlicensed: options.unlicensed,
        explain: options.explain,
        control: options.control,
        console_keys: options.console_keys,
        children,
        edit_roles: options.edit_roles,
        log,
        requests: AtomicU64::new(0),
        changes: AtomicU64::new(0),
        inspector: Inspector::new(options.remembered_requests),
        faults: Faults::default(),
        notices: Mutex::new(notices),
        disk,
        webhook: OnceLock::new(),
        searches: Semaphore::new(SEARCHES_MAX),
        stopping,
    };
    let app = Arc::new(app);
    if let Some(url) = options.webhook {
        start_webhook(&app, url)?;
    }
    Ok(Prepared { app, seeded, tls })
}

/// The store with what the data folder and the inventory's file contain, and the notices that were
/// sent before.
fn open_store(
    options: &Options,
    disk: Option<&Arc<Disk>>,
    now_ms: u64,
) -> Result<(Store, Notices), StartError> {
    let roles = Roles::new(options.product, options.custom_roles.clone(), now_ms);
    let enforced = options.enforce_scopes && options.product.has_scopes();
    let settings = Settings {
        sbac: if enforced { Sbac::Enforced } else { Sbac::Disabled },
        tags: options.tag_mode,
        datasets: options.scoped_datasets,
    };
    let mut store = Store::new(options.max_keys, roles, settings);
    let inventory = match &options.inventory {
        Some(path) => inventory::read(path),
        None => inventory::seeded(),
    };
    let (inventory, people) = inventory.map_err(StartError::Inventory)?;
    store.inventory = inventory.clone();
    store.directory = Directory::new(people);
    let of_file = options.inventory.as_ref().map(|_| (inventory, store.directory.clone()));
    let mut notices = Notices::default();
    if let Some(disk) = disk {
        store = store.on(Arc::clone(disk))?;
        let until_ms = disk.number(NOTICES)?.unwrap_or(0);
        notices.skip(store.entries().map(|entry| entry.record.as_ref()), until_ms);
    }
    if let Some((inventory, directory)) = of_file {
        // The file takes precedence over changes of an earlier run.
        store.inventory = inventory;
        store.directory = directory;
        store.keep_groups();
        store.keep_directory();
    }
    regroup(&mut store.inventory);
    Ok((store, notices))
}

fn start_webhook(app: &Arc<App>, url: String) -> Result<(), StartError> {
    let weak = Arc::downgrade(app);
    let given_up = move |notification: &Notification, why: DeliveryError| {
        if let Some(app) = weak.upgrade() {
            app.record_rejected(notification, why);
        }
    };
    let webhook = Webhook::new(url, given_up).map_err(StartError::Threads)?;
    // No other code sets it.
    let _ = app.webhook.set(webhook);
    Ok(())
}

/// Creates notices when they are due, until the tenant stops.
async fn keep(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(NOTICE_PAUSE) => app.create_due_notices(),
        }
    }
}

fn seed(store: &mut Store, level: Level, now_ms: u64) -> Result<SeededKey, StartError> {
    let about = NewKeyInfo {
        roles: vec![INSTANCE_ADMINISTRATOR.to_owned()],
        comment: Some("generated when the tenant started".to_owned()),
        created_by: "tenant@localhost".to_owned(),
        user_name: "Local tenant".to_owned(),
    };
    match store.generate(level, Expiry::Never, about, now_ms) {
        Ok((id, key)) => Ok(SeededKey { id, level, key }),
        Err(GenerateError::Full) => Err(StartError::NoRoomForKeys),
        Err(GenerateError::NoDisk) => Err(StartError::NoRoomOnDisk),
        Err(GenerateError::NoRandom) => Err(StartError::NoRandom),
    }
}

/// Listens with a longer backlog than the standard library's 128: a burst of connections beyond it
/// waits a second for the system's next try.
fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On other systems it means that two processes may listen on one address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(QUEUE)
}

fn runtime() -> io::Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("cortexkey-tenant")
        .enable_all()
        .build()
}

#[derive(Serialize)]
struct ReadyLine<'a> {
    url: &'a str,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<ReadyKeys<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<ReadyChild<'a>>,
    /// The certificate to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<&'a Path>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hosts: &'a [String],
    /// The address of the console, which works once.
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<&'a str>,
}

#[derive(Serialize)]
struct ReadyChild<'a> {
    id: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<ReadyKeys<'a>>,
}

#[derive(Serialize)]
struct ReadyKeys<'a> {
    standard: ReadyKey<'a>,
    advanced: ReadyKey<'a>,
}

#[derive(Serialize)]
struct ReadyKey<'a> {
    id: u64,
    key: &'a str,
}

impl<'a> ReadyKeys<'a> {
    fn new(seeded: &'a SeededKeys) -> Self {
        Self {
            standard: ReadyKey::new(&seeded.standard),
            advanced: ReadyKey::new(&seeded.advanced),
        }
    }
}

impl<'a> ReadyKey<'a> {
    fn new(seeded: &'a SeededKey) -> Self {
        Self { id: seeded.id.get(), key: seeded.expose() }
    }
}
