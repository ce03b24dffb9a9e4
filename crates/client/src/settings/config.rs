//! [`Config`]: the user's `config.toml` with its profiles.
//!
//! A profile contains no key, only where to read it. Unknown fields are errors, and so is a file
//! that others can write, because it names programs to run. Errors never repeat a value, which may
//! be a key in the wrong place.
//!
//! ```toml
//! default_profile = "prod"
//!
//! [profiles.prod]
//! fqdn = "acme.xdr.us.paloaltonetworks.com"
//! key_id = 7
//! level = "advanced"
//! key_command = ["op", "read", "op://ops/cortex/key"]
//! ```

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cortexkey_system::{ReadError, io_reason};
use thiserror::Error;
use toml::{Table, Value};

use super::Environment;
use super::target::{Channel, Mail, MailTls, NoticeTarget, SecretSource, WebhookUrl};
use super::tool::Tool;
use crate::folders::{FolderKind, folder};
use crate::process::Program;
use crate::sink::StoreSink;
use crate::store::{StoreSettings, StoreUrl, StoreUrlError};
use crate::transport::RolesBy;

/// The largest configuration file, in bytes.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// The default time limit of a `key_command`.
const KEY_COMMAND_TIMEOUT_MS: u64 = 30_000;
const SINK_TIMEOUT_MS: u64 = 60_000;
/// One hour, in milliseconds; more is probably a mistake.
pub const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// The largest number of retries of one call.
pub const RETRIES_MAX: u32 = 100;
/// Longer than any variable's name, and shorter than a key.
const VARIABLE_BYTES_MAX: usize = 64;
const VARIABLE: &str = "the name of an environment variable";
const SECRETS: [&str; 7] =
    ["key", "api_key", "apikey", "secret", "token", "password", "authorization"];

/// The user's configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file; `None` if it does not exist.
    pub path: Option<PathBuf>,
    /// The profile that is used by default.
    pub default_profile: Option<String>,
    /// The profiles, by name.
    pub profiles: BTreeMap<String, Profile>,
    /// Where `cortexkey keys watch` sends its notices, by name.
    pub targets: Vec<NoticeTarget>,
}

/// The settings for one key of one tenant. `None` means not set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Profile {
    /// The tenant, in any form that people paste.
    pub fqdn: Option<String>,
    /// Whether the tenant is on premises: its host is used unchanged.
    pub on_premises: Option<bool>,
    /// The key's id.
    pub key_id: Option<String>,
    /// The key's security level.
    pub level: Option<String>,
    /// A file that contains only the key.
    pub key_file: Option<PathBuf>,
    /// A program that prints the key.
    pub key_command: Option<Program>,
    /// The key's address in a secret store.
    pub key_store: Option<StoreUrl>,
    /// The child tenant that calls are for.
    pub child_tenant: Option<String>,
    /// The child tenants that `--children all` means.
    pub children: Vec<String>,
    /// The policy's name for the tenant, for plans.
    pub tenant: Option<String>,
    /// How the edit of a key names roles.
    pub roles_by: Option<RolesBy>,
    /// The timeout of a call.
    pub timeout: Option<Duration>,
    /// The number of retries.
    pub retries: Option<u32>,
    /// Certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// A program that receives new keys.
    pub sink_command: Option<Program>,
    /// A program that checks whether a secret for a new key already exists.
    pub sink_exists_command: Option<Program>,
    /// A folder for new keys.
    pub sink_folder: Option<PathBuf>,
    /// Addresses in a secret store that new keys go to.
    pub sink_store: Option<String>,
    /// The variables that programs of the user's own read, for `cortexkey exec`.
    pub tools: Vec<Tool>,
}

/// What is wrong with the configuration; a phrase that follows the file's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// It cannot be read.
    #[error("cannot be read: {}", io_reason(.0))]
    Io(io::Error),
    /// It is not a regular file.
    #[error("is not a regular file")]
    NotRegular,
    /// It is larger than a megabyte.
    #[error("is larger than {CONFIG_BYTES_MAX} bytes")]
    TooLarge,
    /// Others can write it.
    #[error(
        "can be changed by group or others (mode {mode:04o}), and it names programs that are run\nhelp: \
         run `chmod go-w` on it"
    )]
    Writable {
        /// The file's mode.
        mode: u32,
    },
    /// Another account may change it (Windows).
    #[error(
        "can be changed by {account}, and it names programs that are run\nhelp: remove that account's rights to it"
    )]
    WritableBy {
        /// The account.
        account: String,
    },
    /// It is not valid TOML.
    #[error("is not valid TOML (line {line}, column {column})")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A field that does not exist.
    #[error("has an unknown field `{within}`; expected one of {}", known.join(", "))]
    Unknown {
        /// The field's path, such as `profiles.prod`.
        within: String,
        /// The known fields.
        known: Vec<&'static str>,
    },
    /// A field that would hold a key.
    #[error(
        "has `{field}`, but must not contain a key\nhelp: set key_file or key_command instead, and \
         rotate the key if the file was shared"
    )]
    Secret {
        /// The field, such as `profiles.prod.key`.
        field: String,
    },
    /// A secret of a target.
    #[error(
        "has `{field}`, but must not contain a secret\nhelp: say where it is with {field}_env, \
         {field}_file, {field}_command or {field}_store, and replace it if the file was shared"
    )]
    Inline {
        /// The field, such as `targets.ops.url`.
        field: String,
    },
    /// A value of the wrong kind.
    #[error("has a `{field}` that is not {expected}")]
    Kind {
        /// The field.
        field: String,
        /// What it takes.
        expected: &'static str,
    },
    /// Not the URL of a secret store.
    #[error("has a `{field}` that {problem}")]
    Store {
        /// The field.
        field: String,
        /// What is wrong with it.
        problem: StoreUrlError,
    },
    /// Two fields that do not go together.
    #[error("has both `{one}` and `{other}`\nhelp: remove one of them")]
    Both {
        /// The first field.
        one: String,
        /// The second field.
        other: &'static str,
    },
}

impl Config {
    /// Reads the configuration; an empty one if there is no file.
    pub fn load(environment: &Environment<'_>) -> Result<Self, (PathBuf, ConfigProblem)> {
        let Some(path) = Self::place(environment) else { return Ok(Self::default()) };
        let text = match read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(Self::default()),
            Err(problem) => return Err((path, problem)),
        };
        let home = environment(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let home = home.map(PathBuf::from);
        match Self::parse(&text, path.parent(), home.as_deref()) {
            Ok(config) => Ok(Self { path: Some(path), ..config }),
            Err(problem) => Err((path, problem)),
        }
    }

    /// The path of the configuration.
    pub fn place(environment: &Environment<'_>) -> Option<PathBuf> {
        folder(environment, FolderKind::Settings).map(|folder| folder.join("config.toml"))
    }

    /// Parses a configuration. Relative paths start at `folder`; `~/` is `home`.
    pub fn parse(
        text: &str,
        folder: Option<&Path>,
        home: Option<&Path>,
    ) -> Result<Self, ConfigProblem> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let (line, column) = place(text, error.span().map_or(0, |span| span.start));
            ConfigProblem::Syntax { line, column }
        })?;
        let mut root = Fields { table, within: String::new(), folder, home };
        let default_profile = root.text("default_profile")?;
        let mut profiles = BTreeMap::new();
        for (name, value) in root.table("profiles")? {
            let within = format!("profiles.{}", shown(&name));
            let Value::Table(table) = value else {
                return Err(ConfigProblem::Kind { field: within, expected: "a table" });
            };
            let mut fields = Fields { table, within, folder, home };
            let profile = Profile::read(&mut fields)?;
            fields.end(&PROFILE_FIELDS)?;
            profiles.insert(name, profile);
        }
        let targets = root.targets("targets")?;
        root.end(&["default_profile", "profiles", "targets"])?;
        Ok(Self { path: None, default_profile, profiles, targets })
    }
}

const PROFILE_FIELDS: [&str; 21] = [
    "fqdn",
    "on_premises",
    "key_id",
    "level",
    "key_file",
    "key_command",
    "key_command_timeout_ms",
    "key_store",
    "child_tenant",
    "children",
    "tenant",
    "roles_by",
    "timeout_ms",
    "retries",
    "ca_file",
    "sink_command",
    "sink_command_timeout_ms",
    "sink_exists_command",
    "sink_folder",
    "sink_store",
    "exec",
];
/// How long a target may take unless the configuration says otherwise.
const TARGET_TIMEOUT_MS: u64 = 30_000;
const TARGET_FIELDS: [&str; 4] = ["kind", "profiles", "timeout_ms", "ca_file"];
const URL_FIELDS: [&str; 4] = ["url_env", "url_file", "url_command", "url_store"];
const WEBHOOK_FIELDS: [&str; 9] = [
    "url",
    "url_env",
    "url_file",
    "url_command",
    "url_store",
    "secret_env",
    "secret_file",
    "secret_command",
    "secret_store",
];
const MAIL_FIELDS: [&str; 10] = [
    "host",
    "port",
    "tls",
    "user",
    "password_env",
    "password_file",
    "password_command",
    "password_store",
    "from",
    "to",
];
const TOOL_FIELDS: [&str; 5] = ["api_url", "key_id", "level", "key", "ca_file"];

impl Profile {
    fn read(fields: &mut Fields<'_>) -> Result<Self, ConfigProblem> {
        let timeout = fields.milliseconds("key_command_timeout_ms")?;
        let timeout = timeout.unwrap_or(Duration::from_millis(KEY_COMMAND_TIMEOUT_MS));
        let sink_timeout = fields.milliseconds("sink_command_timeout_ms")?;
        let sink_timeout = sink_timeout.unwrap_or(Duration::from_millis(SINK_TIMEOUT_MS));
        let profile = Self {
            fqdn: fields.text("fqdn")?,
            on_premises: fields.flag("on_premises")?,
            key_id: fields.number("key_id")?.map(|id| id.to_string()),
            level: fields.text("level")?,
            key_file: fields.path("key_file")?,
            key_command: fields.program("key_command", timeout)?,
            key_store: fields.store("key_store")?,
            child_tenant: fields.text("child_tenant")?,
            children: fields.texts("children")?,
            tenant: fields.text("tenant")?,
            roles_by: fields.roles_by("roles_by")?,
            timeout: fields.milliseconds("timeout_ms")?,
            retries: fields.retries()?,
            ca_file: fields.path("ca_file")?,
            sink_command: fields.program("sink_command", sink_timeout)?,
            sink_exists_command: fields.program("sink_exists_command", sink_timeout)?,
            sink_folder: fields.path("sink_folder")?,
            sink_store: fields.store_template("sink_store")?,
            tools: fields.tools("exec")?,
        };
        let keys = [
            ("key_file", profile.key_file.is_some()),
            ("key_command", profile.key_command.is_some()),
            ("key_store", profile.key_store.is_some()),
        ];
        let command = profile.sink_command.is_some() || profile.sink_exists_command.is_some();
        let sinks = [
            ("sink_folder", profile.sink_folder.is_some()),
            ("sink_store", profile.sink_store.is_some()),
            ("sink_command", command),
        ];
        for places in [keys, sinks] {
            let mut set = places.iter().filter(|(_, is_set)| *is_set);
            if let (Some((one, _)), Some((other, _))) = (set.next(), set.next()) {
                return Err(ConfigProblem::Both { one: fields.name(one), other });
            }
        }
        Ok(profile)
    }
}

/// A table that is taken apart field by field; remaining fields are unknown.
struct Fields<'a> {
    table: Table,
    within: String,
    folder: Option<&'a Path>,
    home: Option<&'a Path>,
}

impl Fields<'_> {
    fn name(&self, field: &str) -> String {
        if self.within.is_empty() { field.to_owned() } else { format!("{}.{field}", self.within) }
    }

    fn kind<T>(&self, field: &str, expected: &'static str) -> Result<T, ConfigProblem> {
        Err(ConfigProblem::Kind { field: self.name(field), expected })
    }

    fn text(&mut self, field: &str) -> Result<Option<String>, ConfigProblem> {
        match self.table.remove(field) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => self.kind(field, "a text"),
        }
    }

    fn texts(&mut self, field: &str) -> Result<Vec<String>, ConfigProblem> {
        const EXPECTED: &str = "a list of strings";
        let Some(value) = self.table.remove(field) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { return self.kind(field, EXPECTED) };
        let text = |item| match item {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        };
        match items.into_iter().map(text).collect() {
            Some(texts) => Ok(texts),
            None => self.kind(field, EXPECTED),
        }
    }

    fn path(&mut self, field: &str) -> Result<Option<PathBuf>, ConfigProblem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let path = match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.unwrap_or(Path::new("")).join(&text),
        };
        Ok(Some(path))
    }

    /// The address of a secret.
    fn store(&mut self, field: &str) -> Result<Option<StoreUrl>, ConfigProblem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let problem = |problem| ConfigProblem::Store { field: self.name(field), problem };
        text.parse().map(Some).map_err(problem)
    }

    /// Reads a store's URL that contains placeholders.
    fn store_template(&mut self, field: &str) -> Result<Option<String>, ConfigProblem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        match StoreSink::new(&text, StoreSettings::default()) {
            Ok(_) => Ok(Some(text)),
            Err(problem) => Err(ConfigProblem::Store { field: self.name(field), problem }),
        }
    }

    fn flag(&mut self, field: &str) -> Result<Option<bool>, ConfigProblem> {
        match self.table.remove(field) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(_) => self.kind(field, "`true` or `false`"),
        }
    }

    fn retries(&mut self) -> Result<Option<u32>, ConfigProblem> {
        match self.number("retries")?.map(u32::try_from) {
            None => Ok(None),
            Some(Ok(number)) if number <= RETRIES_MAX => Ok(Some(number)),
            Some(_) => self.kind("retries", "a whole number of at most 100"),
        }
    }

    fn number(&mut self, field: &str) -> Result<Option<u64>, ConfigProblem> {
        match self.table.remove(field) {
            None => Ok(None),
            Some(Value::Integer(number)) if number >= 0 => Ok(Some(number.unsigned_abs())),
            Some(_) => self.kind(field, "a whole number"),
        }
    }

    fn roles_by(&mut self, field: &str) -> Result<Option<RolesBy>, ConfigProblem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        match text.parse() {
            Ok(by) => Ok(Some(by)),
            Err(()) => self.kind(field, "`auto`, `id` or `name`"),
        }
    }

    fn milliseconds(&mut self, field: &str) -> Result<Option<Duration>, ConfigProblem> {
        match self.number(field)? {
            None => Ok(None),
            Some(ms @ 1..=TIMEOUT_MS_MAX) => Ok(Some(Duration::from_millis(ms))),
            Some(_) => self.kind(field, "milliseconds, at most an hour of them"),
        }
    }

    fn program(
        &mut self,
        field: &str,
        timeout: Duration,
    ) -> Result<Option<Program>, ConfigProblem> {
        const EXPECTED: &str =
            "a list of strings, the program first, such as [\"pass\", \"cortex\"]";
        let Some(value) = self.table.remove(field) else { return Ok(None) };
        let Value::Array(items) = value else { return self.kind(field, EXPECTED) };
        let mut argv = Vec::with_capacity(items.len());
        for item in items {
            let Value::String(text) = item else { return self.kind(field, EXPECTED) };
            argv.push(text);
        }
        match Program::new(argv, timeout) {
            Some(program) => Ok(Some(program)),
            None => self.kind(field, EXPECTED),
        }
    }

    fn table(&mut self, field: &str) -> Result<Table, ConfigProblem> {
        match self.table.remove(field) {
            None => Ok(Table::new()),
            Some(Value::Table(table)) => Ok(table),
            Some(_) => self.kind(field, "a table"),
        }
    }

    /// Mappings such as `[profiles.prod.exec.my-tool]`, whose values are names of variables.
    fn tools(&mut self, field: &str) -> Result<Vec<Tool>, ConfigProblem> {
        let mut tools = Vec::new();
        for (name, value) in self.table(field)? {
            let within = format!("{}.{}", self.name(field), shown(&name));
            let Value::Table(table) = value else {
                return Err(ConfigProblem::Kind { field: within, expected: "a table" });
            };
            let mut fields = Fields { table, within, folder: None, home: None };
            let key = fields.variable("key")?;
            let Some(key) = key else { return fields.kind("key", VARIABLE) };
            let tool = Tool {
                name,
                api_url: Vec::from_iter(fields.variable("api_url")?),
                key_id: Vec::from_iter(fields.variable("key_id")?),
                level: Vec::from_iter(fields.variable("level")?),
                standard: vec![key.clone()],
                advanced: vec![key.clone()],
                ca_file: Vec::from_iter(fields.variable("ca_file")?),
                prefers_env_file: false,
            };
            // The key would be in a variable that is shown, or missing.
            let others = [&tool.api_url, &tool.key_id, &tool.level, &tool.ca_file];
            if others.into_iter().flatten().any(|other| *other == key) {
                return fields.kind("key", "a variable that no other field names");
            }
            tools.push(tool);
            fields.end(&TOOL_FIELDS)?;
        }
        Ok(tools)
    }

    /// Targets such as `[targets.ops]`.
    fn targets(&mut self, field: &str) -> Result<Vec<NoticeTarget>, ConfigProblem> {
        let mut targets = Vec::new();
        for (name, value) in self.table(field)? {
            let within = format!("{}.{}", self.name(field), shown(&name));
            let Value::Table(table) = value else {
                return Err(ConfigProblem::Kind { field: within, expected: "a table" });
            };
            let fields = Fields { table, within, folder: self.folder, home: self.home };
            targets.push(fields.target(name)?);
        }
        Ok(targets)
    }

    fn target(mut self, name: String) -> Result<NoticeTarget, ConfigProblem> {
        const KINDS: &str = "`slack`, `teams`, `webhook`, `mail` or `file`";
        let kind = self.text("kind")?;
        let timeout = self.milliseconds("timeout_ms")?;
        let profiles = self.texts("profiles")?;
        let ca_file = self.path("ca_file")?;
        let (channel, own): (_, &[&'static str]) = match kind.as_deref() {
            Some("slack") => (Channel::Slack { url: self.required_secret("url")? }, &URL_FIELDS),
            Some("teams") => (Channel::Teams { url: self.required_secret("url")? }, &URL_FIELDS),
            Some("webhook") => (self.webhook()?, &WEBHOOK_FIELDS),
            Some("mail") => (Channel::Mail(self.mail()?), &MAIL_FIELDS),
            Some("file") => match self.path("path")? {
                Some(path) => (Channel::File { path }, &["path"]),
                None => return self.kind("path", "the path of a file"),
            },
            _ => return self.kind("kind", KINDS),
        };
        self.end(&[&TARGET_FIELDS, own].concat())?;
        let timeout = timeout.unwrap_or(Duration::from_millis(TARGET_TIMEOUT_MS));
        Ok(NoticeTarget { name, channel, profiles, timeout, ca_file })
    }

    fn webhook(&mut self) -> Result<Channel, ConfigProblem> {
        let url = match (self.text("url")?, self.secret("url")?) {
            (Some(_), Some(_)) => {
                return Err(ConfigProblem::Both { one: self.name("url"), other: "url_…" });
            }
            (Some(url), None) => WebhookUrl::Plain(url),
            (None, Some(source)) => WebhookUrl::Secret(source),
            (None, None) => {
                return self
                    .kind("url", "an address, or in url_env, url_file, url_command or url_store");
            }
        };
        Ok(Channel::Webhook { url, secret: self.secret("secret")? })
    }

    fn mail(&mut self) -> Result<Mail, ConfigProblem> {
        let (tls, port) = match self.text("tls")?.as_deref() {
            None | Some("implicit") => (MailTls::Implicit, 465),
            Some("starttls") => (MailTls::StartTls, 587),
            Some("none") => (MailTls::None, 25),
            Some(_) => return self.kind("tls", "`implicit`, `starttls` or `none`"),
        };
        let port = match self.number("port")?.map(u16::try_from) {
            None => port,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return self.kind("port", "a port"),
        };
        let Some(host) = self.text("host")? else { return self.kind("host", "a mail server") };
        let Some(from) = self.text("from")? else { return self.kind("from", "a mail address") };
        let to = self.texts("to")?;
        if to.is_empty() {
            return self.kind("to", "a list of mail addresses");
        }
        let user = self.text("user")?;
        let password = self.secret("password")?;
        if user.is_some() != password.is_some() {
            let missing = if user.is_some() { "password_env" } else { "user" };
            return self.kind(missing, "set, and user and password go together");
        }
        Ok(Mail { host, port, tls, user, password, from, to })
    }

    fn required_secret(&mut self, field: &str) -> Result<SecretSource, ConfigProblem> {
        match self.secret(field)? {
            Some(source) => Ok(source),
            None => self.kind(field, "given by url_env, url_file, url_command or url_store"),
        }
    }

    /// A secret's source: `FIELD_env`, `FIELD_file`, `FIELD_command` or
    /// `FIELD_store`.
    fn secret(&mut self, field: &str) -> Result<Option<SecretSource>, ConfigProblem> {
        if self.table.contains_key(field) {
            return Err(ConfigProblem::Inline { field: self.name(field) });
        }
        let [env, file, command, store] =
            ["env", "file", "command", "store"].map(|end| format!("{field}_{end}"));
        let timeout = Duration::from_millis(KEY_COMMAND_TIMEOUT_MS);
        let sources = [
            self.variable(&env)?.map(SecretSource::Variable),
            self.path(&file)?.map(SecretSource::File),
            self.program(&command, timeout)?.map(SecretSource::Command),
            self.store(&store)?.map(SecretSource::Store),
        ];
        let mut sources = sources.into_iter().flatten();
        match (sources.next(), sources.next()) {
            (_, Some(_)) => {
                Err(ConfigProblem::Both { one: self.name(&env), other: "another source" })
            }
            (source, None) => Ok(source),
        }
    }

    /// The name of an environment variable.
    fn variable(&mut self, field: &str) -> Result<Option<String>, ConfigProblem> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let is_name = text.len() <= VARIABLE_BYTES_MAX
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name { Ok(Some(text)) } else { self.kind(field, VARIABLE) }
    }

    /// No field may remain.
    fn end(self, known: &[&'static str]) -> Result<(), ConfigProblem> {
        let Some((left, _)) = self.table.iter().next() else { return Ok(()) };
        if SECRETS.contains(&left.to_ascii_lowercase().as_str()) {
            return Err(ConfigProblem::Secret { field: self.name(left) });
        }
        Err(ConfigProblem::Unknown { within: self.name(&shown(left)), known: known.to_vec() })
    }
}

/// A name that the user chose, unless it may be a key in the wrong place.
fn shown(name: &str) -> String {
    let is_name = name.len() <= 40 && name.chars().all(|c| c.is_ascii_graphic());
    if is_name { name.to_owned() } else { "(name hidden)".to_owned() }
}

/// Line and column of a byte, counted from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn read(path: &Path) -> Result<Option<String>, ConfigProblem> {
    let file = match cortexkey_system::open(path) {
        Err(error) if error.is_missing() => return Ok(None),
        Err(ReadError::NotAFile) => return Err(ConfigProblem::NotRegular),
        file => file.map_err(|error| ConfigProblem::Io(error.into()))?,
    };
    check_rights(&file)?;
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(ConfigProblem::Io)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(ConfigProblem::TooLarge);
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|error| {
        ConfigProblem::Io(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
    })
}

#[cfg(unix)]
fn check_rights(file: &File) -> Result<(), ConfigProblem> {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(ConfigProblem::Io)?.mode() & 0o7777;
    if mode & 0o022 == 0 { Ok(()) } else { Err(ConfigProblem::Writable { mode }) }
}

#[cfg(windows)]
fn check_rights(file: &File) -> Result<(), ConfigProblem> {
    match cortexkey_system::others_with(file, cortexkey_system::FileAccess::Write) {
        Ok(None) => Ok(()),
        Ok(Some(account)) => Err(ConfigProblem::WritableBy { account }),
        Err(error) => Err(ConfigProblem::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn problem_of(text: &str) -> String {
        Config::parse(text, None, None).unwrap_err().to_string()
    }

    #[test]
    fn a_profile_has_these_fields() {
        let text = r#"
            default_profile = "prod"
            [profiles.prod]
            fqdn = "acme.example"
            on_premises = true
            key_id = 7
            level = "Advanced"
            key_command = ["op", "read", "x"]
            key_command_timeout_ms = 5
            child_tenant = "c-1"
            children = ["c-1", "c-2"]
            tenant = "prod-eu"
            timeout_ms = 1000
            retries = 5
            ca_file = "ca.pem"
            sink_folder = "~/keys"
            [profiles.dev]
        "#;
        let config = Config::parse(text, Some(Path::new("/c")), Some(Path::new("/h/a"))).unwrap();
        let prod = &config.profiles["prod"];
        assert_eq!(prod.key_id.as_deref(), Some("7"));
        assert_eq!(prod.key_command.as_ref().unwrap().to_string(), "op …");
        assert_eq!(prod.ca_file.as_deref(), Some(Path::new("/c/ca.pem")));
        assert_eq!(prod.sink_folder.as_deref(), Some(Path::new("/h/a/keys")));
        assert!(config.profiles["dev"].fqdn.is_none());
        assert!(!format!("{config:?}").contains("read"));
    }

    #[test]
    fn mistakes_are_named_and_no_value_is_repeated() {
        let profile = |line: &str| problem_of(&format!("[profiles.p]\n{line}\n"));
        let lines = [
            "key = \"leak\"",
            "api_key = \"leak\"",
            "key_comand = [\"leak\"]",
            "key_id = \"leak\"",
            "key_command = \"leak\"",
            "key_command = []",
            "timeout_ms = 0",
            "retries = 101",
            "key_file = \"a\"\nkey_command = [\"a\"]",
        ];
        let mut problems = lines.map(profile).to_vec();
        problems.push(problem_of("a = \nb"));
        insta::assert_snapshot!(problems.join("\n"));
        for text in ["key = \"leak\"", "key_id = \"leak\"", "fqdn = [\"leak\"]", "x = 'leak"] {
            assert!(!profile(text).contains("leak"), "{text}");
        }
    }
}
