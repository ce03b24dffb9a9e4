//! The folders that cortexkey uses: one for settings, one for state.

use std::ffi::OsString;
use std::path::PathBuf;

/// What one of cortexkey's folders contains.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FolderKind {
    /// What the user writes.
    Settings,
    /// What is kept between two runs.
    State,
}

/// A folder of cortexkey: where XDG's variable says, otherwise the system's usual place.
pub(crate) fn folder(
    environment: &dyn Fn(&str) -> Option<OsString>,
    holds: FolderKind,
) -> Option<PathBuf> {
    folder_on(std::env::consts::OS, environment, holds)
}

fn folder_on(
    system: &str,
    environment: &dyn Fn(&str) -> Option<OsString>,
    holds: FolderKind,
) -> Option<PathBuf> {
    let (xdg, below_home, windows) = match holds {
        FolderKind::Settings => ("XDG_CONFIG_HOME", ".config", "APPDATA"),
        FolderKind::State => ("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA"),
    };
    let absolute =
        |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = |below: &str| absolute("HOME").map(|home| home.join(below));
    let base = absolute(xdg).or_else(|| match system {
        // Some shells set HOME there and others do not.
        "windows" => absolute(windows),
        "macos" => home("Library/Application Support"),
        _ => home(below_home),
    })?;
    Some(base.join("cortexkey"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_folders() {
        let root = std::env::temp_dir();
        let place = |name: &str| root.join(name);
        let environment = |name: &str| match name {
            "HOME" | "APPDATA" | "LOCALAPPDATA" => Some(place(name).into_os_string()),
            _ => None,
        };
        for (system, settings, state) in [
            ("linux", "HOME/.config", "HOME/.local/state"),
            ("freebsd", "HOME/.config", "HOME/.local/state"),
            ("macos", "HOME/Library/Application Support", "HOME/Library/Application Support"),
            ("windows", "APPDATA", "LOCALAPPDATA"),
        ] {
            for (holds, folder) in [(FolderKind::Settings, settings), (FolderKind::State, state)] {
                let expected = place(folder).join("cortexkey");
                assert_eq!(folder_on(system, &environment, holds), Some(expected), "{system}");
            }
            let xdg = |name: &str| (name == "XDG_CONFIG_HOME").then(|| place("x").into_os_string());
            let expected = place("x").join("cortexkey");
            assert_eq!(folder_on(system, &xdg, FolderKind::Settings), Some(expected), "{system}");
        }
    }
}
