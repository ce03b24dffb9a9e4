//! `cortexkey import --inventory`: writes the objects that a tenant's scopes can name, for the
//! local emulator.

use std::io;
use std::path::Path;

use cortexkey_api::inventory::{FILE_BYTES_MAX, Inventory};
use cortexkey_client::Client;
use cortexkey_client::table::one_line;
use cortexkey_system::io_reason;

use crate::change::print_note;
use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::{output_file, text};

/// Reads the inventory and writes it. An existing file is replaced only with --overwrite.
pub(super) fn write(client: &Client, path: &Path, overwrite: bool) -> Result<Exit, Failure> {
    // Reading may take long, so this is checked first, and again when the file is created.
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let inventory = client.inventory().map_err(|error| call_failure(&error))?;
    for mark in &inventory.incomplete {
        print_note(&format!("{}: {}", mark.section, one_line(&mark.reason)));
    }
    let is_complete = inventory.incomplete.is_empty();
    if !is_complete
        && (Inventory { incomplete: Vec::new(), ..inventory.clone() }) == Inventory::default()
    {
        let failure = Failure::new(Exit::Findings, "no section of the inventory could be read");
        return Err(failure.help("use a key whose roles have the permissions above"));
    }
    save(&inventory, path, overwrite)?;
    text::print(&summary(&inventory, path))?;
    Ok(if is_complete { Exit::Done } else { Exit::Partly })
}

fn save(inventory: &Inventory, path: &Path, overwrite: bool) -> Result<(), Failure> {
    let unwritten = |why: String| {
        Failure::new(Exit::Findings, format!("cannot write {}: {why}", path.display()))
    };
    let mut json =
        serde_json::to_vec_pretty(inventory).map_err(|error| unwritten(error.to_string()))?;
    json.push(b'\n');
    if json.len() as u64 > FILE_BYTES_MAX {
        return Err(unwritten(format!(
            "the inventory has {} bytes; the emulator loads at most {FILE_BYTES_MAX}",
            json.len()
        )));
    }
    let written =
        if overwrite { output_file::write(path, &json) } else { output_file::create(path, &json) };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritten(io_reason(&error)),
    })
}

fn exists(path: &Path) -> Failure {
    Failure::usage_error(format!("{} already exists", path.display()))
        .help("--overwrite replaces it")
}

fn summary(inventory: &Inventory, path: &Path) -> String {
    let counts = [
        ("asset groups", inventory.asset_groups.len()),
        ("endpoints", inventory.endpoints.len()),
        ("assets", inventory.assets.len()),
        ("users", inventory.users.len()),
        ("user groups", inventory.user_groups.len()),
        ("dataset categories", inventory.dataset_groups.len()),
    ];
    let counts: Vec<_> = counts.iter().map(|(what, count)| format!("{what}: {count}")).collect();
    format!("{}: {}\n", path.display(), counts.join(", "))
}
