//! Shell completions: the scripts, and the values that they request from the program.
//!
//! A script runs the program with [`VARIABLE`] set to the shell's name. Values come from local files
//! alone: the configuration, the lock file, the policy and the definitions. No tenant is called, and no
//! key is read. A shell inserts a value without quoting it, and other people may have written the file
//! that it comes from, so only values of plain characters are offered.

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Zsh};
use cortexkey_client::{Config, LockFile};
use cortexkey_lint::files::{self, Options, RunOutcome};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Policy, rules};
use cortexkey_manifest::lock::Lock;

use crate::exit::Failure;
use crate::surroundings;

/// The variable that asks for values; its value is the shell's name.
const VARIABLE: &str = "CORTEXKEY_COMPLETE";
const PROGRAM: &str = "cortexkey";

/// The script for a shell.
pub(crate) fn script(shell: Shell) -> io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Zsh => &Zsh,
        // The dynamic script for PowerShell would evaluate what was typed so far.
        _ => {
            let mut command = with_values(crate::command(), fixed);
            clap_complete::generate(shell, &mut command, PROGRAM, &mut script);
            return Ok(script);
        }
    };
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    if shell == Shell::Bash {
        let registered = String::from_utf8_lossy(&script);
        let joining = registered.replace(" -F _clap_complete_cortexkey ", " -F _cortexkey ");
        script = format!("{BASH_JOIN}{joining}").into_bytes();
    }
    Ok(script)
}

/// Bash splits words at `=`; the program expects `--option=value` as one word.
const BASH_JOIN: &str = r#"
_cortexkey() {
    local -a joined=()
    local word glue= last=-1
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ $last -ge 0 && $word == "=" && ${joined[last]} == --* ]]; then
            joined[last]+="="
            glue=1
        elif [[ $glue ]]; then
            joined[last]+="$word"
            glue=
        else
            joined+=("$word")
            last=$((last + 1))
        fi
    done
    local -a COMP_WORDS=("${joined[@]}")
    local COMP_CWORD=$last
    _clap_complete_cortexkey "$1" "${joined[last]}" "$3"
    if [[ ${joined[last]} == --*=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${joined[last]%%=*}="}")
    fi
}
"#;

/// Answers a completion script. `None` if no script runs the program.
pub(crate) fn answer() -> Option<ExitCode> {
    let shells = clap_complete::env::Shells(&[&Bash, &Elvish, &Fish, &Zsh]);
    let environment = CompleteEnv::with_factory(|| with_values(crate::command(), asked));
    let environment = environment.var(VARIABLE).bin(PROGRAM).completer(PROGRAM).shells(shells);
    let folder = std::env::current_dir().ok();
    match environment.try_complete(std::env::args_os(), folder.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(error) => Some(Failure::usage_error(error.to_string().trim_end()).report()),
    }
}

/// The command line with the possible values of its arguments. Parsing does not use it, because a
/// policy can define rules, and a format can name a file.
fn with_values(command: Command, values: fn(&str, Arg) -> Arg) -> Command {
    let of_command = command.get_name().to_owned();
    let command = command.mut_args(|arg| values(&of_command, arg));
    let names: Vec<String> =
        command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |it| with_values(it, values)))
}

/// Values that are the same everywhere.
fn fixed(_command: &str, arg: Arg) -> Arg {
    let values = match Value::of("", &arg) {
        Some(Value::Rule) => rules::all_ids(),
        Some(Value::Format) => formats(),
        _ => return arg,
    };
    arg.value_parser(PossibleValuesParser::new(values))
}

/// Values that the program looks up when the script asks for them.
fn asked(command: &str, arg: Arg) -> Arg {
    match Value::of(command, &arg) {
        Some(value) => arg.add(ArgValueCompleter::new(value)),
        None => arg,
    }
}

/// A kind of value that an argument takes.
#[derive(Clone, Copy)]
enum Value {
    Rule,
    Format,
    Profile,
    Profiles,
    Target,
    Tenant,
    Owner,
    KeyId,
    KeyName,
    KeyIdOrName,
    KeyNameOrFile,
}

impl Value {
    fn of(command: &str, arg: &Arg) -> Option<Self> {
        let name = arg.get_value_names().and_then(|names| names.first());
        Some(match (command, arg.get_id().as_str(), name?.as_str()) {
            (_, _, "RULE") => Self::Rule,
            (_, _, "FORMAT[=FILE]") => Self::Format,
            (_, "profile" | "ask", _) => Self::Profile,
            (_, "profiles", _) => Self::Profiles,
            ("watch", "targets", _) => Self::Target,
            (_, "tenant", "NAME") => Self::Tenant,
            (_, _, "OWNER") => Self::Owner,
            (_, "key_id", _) | ("show" | "edit" | "delete" | "list", "id" | "ids", _) => {
                Self::KeyId
            }
            (_, _, "ID|NAME") => Self::KeyIdOrName,
            (_, _, "KEY_OR_FILE") => Self::KeyNameOrFile,
            ("waive", "key", _) => Self::KeyName,
            _ => return None,
        })
    }

    fn candidates(self) -> Vec<CompletionCandidate> {
        match self {
            Self::Rule => {
                let own = read().policies().flat_map(own_rules).collect::<Vec<_>>();
                let all = rules::all_ids()
                    .into_iter()
                    .map(|id| (id.to_owned(), rules::find(id).map(|rule| rule.summary.to_owned())));
                all.chain(own).filter_map(|(id, summary)| candidate(&id, summary)).collect()
            }
            Self::Format => plain(formats()),
            Self::Profile => profiles(),
            Self::Profiles => {
                let all = candidate("all", Some("all profiles of the configuration".to_owned()));
                all.into_iter().chain(profiles()).collect()
            }
            Self::Target => plain(config().targets.iter().map(|target| target.name.as_str())),
            Self::Tenant => {
                let read = read();
                plain(read.policies().flat_map(Policy::tenants).map(|(name, _)| &name.value))
            }
            Self::Owner => plain(read().policies().flat_map(Policy::teams)),
            Self::KeyId => key_ids(&lock()),
            Self::KeyName | Self::KeyNameOrFile => key_names(&read()),
            Self::KeyIdOrName => {
                let names = lock();
                let names = names.tenants.values().flat_map(|tenant| tenant.keys.keys());
                let mut all = key_ids(&lock());
                all.extend(plain(names));
                all
            }
        }
    }
}

impl ValueCompleter for Value {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(begun) = current.to_str() else { return Vec::new() };
        let mut all = self.candidates();
        all.retain(|it| it.get_value().to_str().is_some_and(|value| value.starts_with(begun)));
        all.sort_by(|one, other| one.get_value().cmp(other.get_value()));
        all.dedup_by(|one, other| one.get_value() == other.get_value());
        if matches!(self, Self::KeyNameOrFile) {
            all.extend(PathCompleter::file().complete(current));
        }
        all
    }
}

/// A value that needs no quoting in any shell, with what it is.
fn candidate(value: &str, help: Option<String>) -> Option<CompletionCandidate> {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@');
    let fits = !value.is_empty() && !value.starts_with('-') && value.bytes().all(is_plain);
    let help = help.map(|help| help.replace(|c: char| c.is_control(), " ").into());
    fits.then(|| CompletionCandidate::new(value).help(help))
}

fn plain<'v, T: AsRef<str> + 'v>(values: impl IntoIterator<Item = T>) -> Vec<CompletionCandidate> {
    values.into_iter().filter_map(|value| candidate(value.as_ref(), None)).collect()
}

fn formats() -> Vec<&'static str> {
    Format::ALL.iter().map(|(word, _)| *word).collect()
}

/// The user's configuration; an empty one if it has mistakes, which every command reports.
fn config() -> Config {
    Config::load(&|name: &str| std::env::var_os(name)).unwrap_or_default()
}

fn profiles() -> Vec<CompletionCandidate> {
    let profiles = config().profiles.into_iter();
    profiles.filter_map(|(name, profile)| candidate(&name, profile.fqdn)).collect()
}

/// The nearest lock file; an empty one if it has mistakes.
fn lock() -> Lock {
    let nearest = surroundings::current_folder().ok().and_then(|it| LockFile::nearest(&it));
    nearest.and_then(|path| LockFile::read(&path).ok()).unwrap_or_default()
}

/// The ids of keys, each with the key's name.
fn key_ids(lock: &Lock) -> Vec<CompletionCandidate> {
    let keys = lock.tenants.iter().flat_map(|(tenant, locked)| {
        locked.keys.iter().map(move |(name, key)| (format!("{tenant}/{name}"), key))
    });
    keys.filter_map(|(name, key)| candidate(&key.id?.to_string(), Some(name))).collect()
}

/// The definitions of the current folder, and their policies.
struct Read(Option<RunOutcome>);

fn read() -> Read {
    let now = surroundings::time(None).ok();
    let folder = surroundings::current_folder().ok();
    Read(
        folder
            .zip(now)
            .map(|(folder, now)| files::run(&Options::new(folder, now), &mut io::empty())),
    )
}

impl Read {
    fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.0.iter().flat_map(|outcome| outcome.policy.iter().chain(&outcome.others))
    }
}

fn own_rules(policy: &Policy) -> impl Iterator<Item = (String, Option<String>)> {
    policy.custom_rules().map(|rule| (rule.id().code().to_owned(), Some(rule.message().to_owned())))
}

fn key_names(read: &Read) -> Vec<CompletionCandidate> {
    let files = read.0.iter().flat_map(|outcome| &outcome.corpus.files);
    let definitions = files
        .flat_map(|file| file.documents.iter().filter_map(|document| document.definition.as_ref()));
    let names = definitions.filter_map(|definition| {
        let owner = definition.metadata.as_ref().and_then(|it| it.owner.get().cloned());
        candidate(definition.name()?, owner)
    });
    names.collect()
}
