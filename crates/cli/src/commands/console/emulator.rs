//! `cortexkey tenant --console`: serves the console for this process's emulator.

use std::path::Path;
use std::sync::Arc;

use cortexkey_client::{Client, ClientOptions, Roots, SigningClock, state_folder};
use cortexkey_console::{Console, Options, TenantKind};
use cortexkey_core::address::Address;
use cortexkey_core::auth::{Key, Signer};
use cortexkey_tenant::{Clock, SettableClock, Tenant};

use super::{print_address, start_failed};
use crate::exit::{Exit, Failure};

/// Lets the console set the emulator's clock.
pub(in crate::commands) fn prepare(options: &mut cortexkey_tenant::Options) {
    options.clock = Clock::Settable(SettableClock::running());
}

/// The console for this process's emulator.
pub(in crate::commands) fn of_tenant(tenant: &Tenant) -> Result<Console, Failure> {
    let Some(seeded) = tenant.seeded_keys() else {
        return Err(Failure::usage_error(
            "the console needs a new key, but the tenant already has keys",
        )
        .help("give --new-admin-keys"));
    };
    let unexpected = |error: &dyn core::fmt::Display| {
        Failure::new(Exit::Findings, format!("the console cannot start: {error}"))
    };
    let address: Address = tenant.url().parse().map_err(|error| unexpected(&error))?;
    let key = seeded.advanced.expose().as_bytes();
    let key = Key::new(key).map_err(|error| unexpected(&error))?;
    let signer = Signer::new(seeded.advanced.id(), seeded.advanced.level(), key);
    let roots = tenant.ca_path().map(Roots::from_file).transpose();
    let roots = roots.map_err(|error| unexpected(&error))?;
    let controls = tenant.controls();
    // The console's own calls keep working after its user moved the emulator's clock.
    let clock = Some(SigningClock::new(move || controls.now_ms()));
    let client_options = ClientOptions { roots, clock, ..ClientOptions::default() };
    let mut options = Options::new(Client::new(address, signer, client_options));
    options.kind = TenantKind::Emulator(tenant.controls());
    options.allow_changes = true;
    options.ca_file = tenant.ca_path().map(Path::to_path_buf);
    options.state_folder = state_folder(&|name: &str| std::env::var_os(name));
    options.on_address = Arc::new(print_address);
    Console::start(options).map_err(|error| start_failed(&error))
}
