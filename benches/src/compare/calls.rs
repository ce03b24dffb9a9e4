//! What a whole call takes, for signing to be held against.
//!
//! It refuses the network: the tenant is in this process, on loopback.

use cortexkey_client::{Client, ClientOptions, Method};
use cortexkey_core::address::{Address, VALIDATE_PATH};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Options, Tenant};

use super::{CALLS, Extent, Group};
use crate::KEY;
use crate::measure::{Case, side_by_side};

/// Signing, beside calls that are signed.
pub(super) fn calls(extent: Extent) -> Group {
    let id = KeyId::new(7).expect("not 0");
    let signer = Signer::new(id, Level::Advanced, Key::new(KEY.as_bytes()).expect("a key"));
    let tenant = Tenant::start(Options::default()).expect("a tenant starts");
    let seeded = tenant.seeded_keys().expect("a new tenant has keys");
    let key = &seeded.advanced;
    let secret = Key::new(key.expose().as_bytes()).expect("a key");
    let client = Client::new(
        Address::parse(tenant.url()).expect("an address"),
        Signer::new(key.id(), key.level(), secret),
        ClientOptions::default(),
    );
    let call = || client.call(Method::Post, VALIDATE_PATH, None).expect("the call succeeds");
    let cases = vec![
        Case::new("cortexkey signs", || {
            let now = std::time::SystemTime::now();
            let now = cortexkey_core::auth::Timestamp::from_system_time(now).expect("13 digits");
            signer.sign_from_thread(now).expect("random").values().authorization.map(<[u8]>::len)
        }),
        Case::new("a signed call over loopback, connection kept", call),
    ];
    let group = Group::of(CALLS, &side_by_side(cases, extent.rounds));
    tenant.stop();
    group
}
