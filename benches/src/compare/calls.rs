//! The time of a whole call, to compare signing with. The tenants run in this process, on loopback.

use cortexkey_client::{Client, ClientOptions, Method, Roots};
use cortexkey_core::address::{Address, VALIDATE_PATH};
use cortexkey_core::auth::{Key, KeyId, Level, Signer, Timestamp};
use cortexkey_tenant::{Options, Tenant};

use super::{CALLS, Extent, Group};
use crate::KEY;
use crate::measure::{Case, side_by_side};

/// Signing, compared with whole calls.
pub(super) fn calls(extent: Extent) -> Group {
    let id = KeyId::new(7).expect("not 0");
    let signer = Signer::new(id, Level::Advanced, Key::new(KEY.as_bytes()).expect("a key"));
    let plain = Tenant::start(Options::default()).expect("a tenant starts");
    let tls = Options { tls: Some(Vec::new()), ..Options::default() };
    let tls = Tenant::start(tls).expect("a tenant starts");
    let over_plain = client(&plain);
    let over_tls = client(&tls);
    let cases = vec![
        Case::new("cortexkey signs", || {
            let now = Timestamp::from_system_time(std::time::SystemTime::now()).expect("now");
            signer.sign(&mut rand::rng(), now).values().authorization.map(<[u8]>::len)
        }),
        Case::new("a signed call over loopback, connection kept", || call(&over_plain)),
        Case::new("a signed call over loopback and TLS, connection kept", || call(&over_tls)),
        Case::new("a signed call over loopback and TLS, connection new", || call(&client(&tls))),
    ];
    let group = Group::of(CALLS, &side_by_side(cases, extent.rounds));
    plain.stop();
    tls.stop();
    group
}

fn client(tenant: &Tenant) -> Client {
    let key = &tenant.seeded_keys().expect("a new tenant has keys").advanced;
    let secret = Key::new(key.expose().as_bytes()).expect("a key");
    let roots = tenant.ca_path().map(|path| Roots::from_file(path).expect("certificates"));
    Client::new(
        Address::parse(tenant.url()).expect("an address"),
        Signer::new(key.id(), key.level(), secret),
        ClientOptions { roots, ..ClientOptions::default() },
    )
}

fn call(client: &Client) -> u16 {
    client.call(Method::Post, VALIDATE_PATH, None).expect("the call succeeds").status
}
