//! Starts `cortexkey lsp` for the YAML files of a project in Zed.
//!
//! The program is that of the setting `lsp.cortexkey.binary.path`, or the one on the project's search path.
//! Nothing is downloaded.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

const PROGRAM: &str = "cortexkey";

struct Cortexkey;

impl zed::Extension for Cortexkey {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Command> {
        let settings = LspSettings::for_worktree(server.as_ref(), worktree)?;
        let binary = settings.binary;
        let set = binary.as_ref().and_then(|binary| binary.path.clone());
        let command = set.or_else(|| worktree.which(PROGRAM)).ok_or_else(|| {
            format!("cannot find {PROGRAM}: install it, or set lsp.{PROGRAM}.binary.path")
        })?;
        let args = binary.and_then(|binary| binary.arguments);
        let args = args.unwrap_or_else(|| vec!["lsp".to_owned()]);
        Ok(Command { command, args, env: worktree.shell_env() })
    }
}

zed::register_extension!(Cortexkey);
