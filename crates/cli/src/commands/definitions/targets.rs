//! The tenants that `plan` and `apply` work on: one, several profiles, or the children of a parent.

use cortexkey_client::{ChildTenant, Config, Connection, LockFile, locked_host};

use super::{DefinitionArgs, Target};
use crate::change::{announce, print_note};
use crate::connection::{ConnectionArgs, OF_ONE_TENANT};
use crate::exit::{Exit, Failure};
use crate::many::{ChildrenArgs, Summary};
use crate::renewal::nearest_lock_file;
use crate::text::BOLD;

/// Which tenants.
#[derive(clap::Args)]
pub(super) struct TargetArgs {
    /// Run for each of these profiles: comma-separated names, or `all` for those whose tenant the
    /// lock file names
    #[arg(
        long,
        value_name = "all|NAME,…",
        value_delimiter = ',',
        conflicts_with_all = OF_ONE_TENANT,
        help_heading = "Tenant"
    )]
    profiles: Vec<String>,

    #[command(flatten)]
    children: ChildrenArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The tenants whose settings can be used.
pub(super) struct Targets {
    targets: Vec<(String, Result<Target, Failure>)>,
    is_one: bool,
}

impl Targets {
    /// Whether it is one tenant and the user did not request several.
    pub(super) fn is_one(&self) -> bool {
        self.is_one
    }
}

impl TargetArgs {
    /// Finds the tenants. A tenant whose settings cannot be used does not stop the others.
    /// `changes` says whether the tenants are changed, and so announced first.
    pub(super) fn resolve(
        &self,
        definitions: &DefinitionArgs,
        changes: bool,
    ) -> Result<Targets, Failure> {
        let is_one = self.profiles.is_empty() && !self.children.is_given();
        let mut targets = Vec::new();
        let profiles = self.profiles(definitions)?;
        for profile in &profiles {
            let connection = match profile {
                None => self.connection.resolve(),
                Some(name) => self.connection.resolve_profile(name, profiles.len() > 1),
            };
            let name = profile.clone().unwrap_or_default();
            let of_profile = connection.and_then(|connection| {
                if changes {
                    announce(&connection);
                }
                self.children_of(connection, definitions)
            });
            match of_profile {
                Ok(found) => targets.extend(found.into_iter().map(|target| {
                    let child = target.client.child().map(ChildTenant::as_str);
                    let child = child.map(|child| format!("child {child}"));
                    let parts = [Some(name.clone()).filter(|name| !name.is_empty()), child];
                    let parts: Vec<String> = parts.into_iter().flatten().collect();
                    (parts.join(", "), Ok(target))
                })),
                // A single tenant needs no heading.
                Err(failure) if profiles.len() == 1 => return Err(failure),
                Err(failure) => targets.push((name, Err(failure))),
            }
        }
        Ok(Targets { targets, is_one })
    }

    fn children_of(
        &self,
        connection: Connection,
        definitions: &DefinitionArgs,
    ) -> Result<Vec<Target>, Failure> {
        let tenant = connection.tenant.clone();
        let new_keys = connection.new_keys.clone();
        let mut known = connection.children.clone();
        let host = locked_host(&connection.address.value);
        let lock = lock(definitions);
        let of_host = lock.tenants.iter().filter(|(_, locked)| locked.host == host);
        known.extend(of_host.filter_map(|(name, _)| LockFile::child_of(name).map(str::to_owned)));
        let clients = self.children.clients(connection.client(), known)?;
        let target = |client| Target { client, tenant: tenant.clone(), new_keys: new_keys.clone() };
        Ok(clients.into_iter().map(target).collect())
    }

    /// The profiles; `None` for the one in force.
    fn profiles(&self, definitions: &DefinitionArgs) -> Result<Vec<Option<String>>, Failure> {
        if self.profiles.is_empty() {
            return Ok(vec![None]);
        }
        if !self.profiles.iter().any(|name| name == "all") {
            let mut names: Vec<Option<String>> = Vec::new();
            for name in &self.profiles {
                if !names.iter().flatten().any(|known| known == name) {
                    names.push(Some(name.clone()));
                }
            }
            return Ok(names);
        }
        let config = Config::load(&|name| std::env::var_os(name)).map_err(|(path, problem)| {
            Failure::usage_error(format!("the configuration {} {problem}", path.display()))
        })?;
        let lock = lock(definitions);
        let is_locked = |tenant: &String| {
            let base = |name: &String| name.split('@').next() == Some(tenant.as_str());
            lock.tenants.keys().any(|name| name == tenant || base(name))
        };
        let profiles = config.profiles.into_iter();
        let locked = profiles.filter(|(_, profile)| profile.tenant.as_ref().is_some_and(is_locked));
        let names: Vec<Option<String>> = locked.map(|(name, _)| Some(name)).collect();
        if names.is_empty() {
            return Err(Failure::usage_error("no profile has a `tenant` that the lock file names")
                .help("set tenant = \"NAME\" in the profiles, or name profiles"));
        }
        Ok(names)
    }
}

/// The lock file, for its names of tenants; a mistake in it is reported later.
fn lock(definitions: &DefinitionArgs) -> cortexkey_manifest::lock::Lock {
    let path = definitions.lock_file.clone().or_else(nearest_lock_file);
    path.and_then(|path| LockFile::read(&path).ok()).unwrap_or_default()
}

/// Runs for each tenant. With several, each has a heading and a line in the summary, and a failure
/// does not stop the others.
pub(super) fn over(
    targets: Targets,
    mut run: impl FnMut(&Target) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut summary = Summary::default();
    for (name, target) in targets.targets {
        if targets.is_one {
            return run(&target?);
        }
        print_note(&format!("{BOLD}{name}{BOLD:#}"));
        let result = target.and_then(|target| run(&target));
        if let Err(failure) = &result {
            failure.print();
        }
        summary.note(name, result);
    }
    Ok(summary.end())
}
