//! [`NoticeTarget`]: where `cortexkey keys watch` sends its notices, and [`SecretSource`], where a target's
//! secret comes from.
//!
//! The address of a chat's webhook is a secret, because anyone who has it can post. The
//! configuration itself never contains it.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use crate::process::Program;
use crate::store::StoreUrl;

/// Where notices go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NoticeTarget {
    /// The name in the configuration. The state records under it what was sent.
    pub name: String,
    /// Its kind.
    pub channel: Channel,
    /// The profiles whose notices it gets; empty for all.
    pub profiles: Vec<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// The kinds of targets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Channel {
    /// Slack's incoming webhook.
    Slack {
        /// Its address.
        url: SecretSource,
    },
    /// A webhook of Microsoft Teams (Workflows).
    Teams {
        /// Its address.
        url: SecretSource,
    },
    /// Any webhook that accepts JSON.
    Webhook {
        /// Its address.
        url: WebhookUrl,
        /// Signs each body.
        secret: Option<SecretSource>,
    },
    /// Mail.
    Mail(Mail),
    /// A file that gets a line of JSON for each notice.
    File {
        /// The file.
        path: PathBuf,
    },
}

/// The address of a webhook.
#[derive(Clone, Debug)]
pub enum WebhookUrl {
    /// The address is not a secret.
    Plain(String),
    /// The address is a secret.
    Secret(SecretSource),
}

/// How mail is sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mail {
    /// The SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub tls: MailTls,
    /// The user name, for servers that require one.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<SecretSource>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// When the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailTls {
    /// From its beginning, usually at port 465.
    Implicit,
    /// After `STARTTLS`, usually at port 587. Nothing is sent to a server without it.
    StartTls,
    /// Never. Only a server on this machine is accepted.
    None,
}

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// An environment variable.
    Variable(String),
    /// A file that only its owner can read.
    File(PathBuf),
    /// A program that prints it.
    Command(Program),
    /// A secret store.
    Store(StoreUrl),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(program) => write!(f, "the program {}", program.name()),
            Self::Store(url) => write!(f, "the secret {url}"),
        }
    }
}
