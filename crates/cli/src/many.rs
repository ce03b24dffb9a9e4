//! Runs one command for several tenants: profiles, or the children of a parent.
//!
//! A failure for one tenant does not stop the others. Each has a line in the summary.

use cortexkey_client::{ChildTenant, Client};

use crate::change::print_note;
use crate::exit::{Exit, Failure};
use crate::text::{BAD, BOLD, GOOD};

/// The child tenants.
#[derive(clap::Args)]
pub(crate) struct ChildrenArgs {
    /// Run for each of these child tenants: comma-separated ids, or `all` for those in the
    /// profile's `children` and, for plan and apply, in the lock file
    #[arg(
        long,
        value_name = "all|ID,…",
        conflicts_with = "child_tenant",
        value_delimiter = ',',
        help_heading = "Tenant"
    )]
    children: Vec<String>,
}

impl ChildrenArgs {
    /// Whether children were requested.
    pub(crate) fn is_given(&self) -> bool {
        !self.children.is_empty()
    }

    /// The clients: one per child, otherwise the given one. `known` are the children that `all`
    /// means.
    pub(crate) fn clients(
        &self,
        client: Client,
        known: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Client>, Failure> {
        if !self.is_given() {
            return Ok(vec![client]);
        }
        let mut ids: Vec<String> = if self.children.iter().any(|id| id == "all") {
            known.into_iter().collect()
        } else {
            self.children.clone()
        };
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Err(Failure::usage_error(
                "neither the profile nor the lock file names a child",
            )
            .help("set children = [\"ID\", …] in the profile, or give --children ID,ID"));
        }
        let child = |id: String| {
            ChildTenant::new(&id).map(|child| client.for_child(child)).ok_or_else(|| {
                Failure::usage_error("`--children` has an id that is not valid in a header")
                    .help("give the ids of child tenants, separated by commas")
            })
        };
        ids.into_iter().map(child).collect()
    }
}

/// The results of several tenants, one line each.
#[derive(Default)]
pub(crate) struct Summary {
    lines: Vec<(String, Result<Exit, Failure>)>,
}

impl Summary {
    /// Adds a result.
    pub(crate) fn note(&mut self, name: String, result: Result<Exit, Failure>) {
        self.lines.push((name, result));
    }

    /// Prints the summary and returns how the command ends.
    pub(crate) fn end(self) -> Exit {
        let mut exit = Exit::Done;
        for (name, result) in &self.lines {
            let line = match result {
                Ok(Exit::Done) => format!("{GOOD}done{GOOD:#}"),
                Ok(Exit::Partly) => format!("{BOLD}done in part{BOLD:#}"),
                Ok(_) => format!("{BAD}done, except for the problems above{BAD:#}"),
                Err(failure) => {
                    let first = failure.message().lines().next().unwrap_or_default();
                    format!("{BAD}failed{BAD:#}: {first}")
                }
            };
            print_note(&format!("{name}: {line}"));
            exit = match (exit, result) {
                (_, Err(_) | Ok(Exit::Findings | Exit::UsageError | Exit::NoInput)) => {
                    Exit::Findings
                }
                (Exit::Done, Ok(Exit::Partly)) => Exit::Partly,
                (exit, Ok(_)) => exit,
            };
        }
        exit
    }
}

/// Runs a command for each client. A single client is as without children; several each have a
/// heading and a line in the summary.
pub(crate) fn each(
    clients: &[Client],
    mut run: impl FnMut(&Client) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    if let [client] = clients
        && client.child().is_none()
    {
        return run(client);
    }
    let mut summary = Summary::default();
    for client in clients {
        let child = client.child().map_or("", ChildTenant::as_str);
        let name = format!("child {child}");
        print_note(&format!("{BOLD}{name}{BOLD:#}"));
        let result = run(client);
        if let Err(failure) = &result {
            failure.print();
        }
        summary.note(name, result);
    }
    Ok(summary.end())
}
