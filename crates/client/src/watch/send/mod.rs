//! [`Sender`]: sends one message to one target, and reports whether the target has it.
//!
//! Redirects are not followed. No error repeats an address, a header or a response: the address of
//! a webhook is a secret, and a response may repeat the request.

mod chat;
mod file;
mod http;
mod mail;

use core::fmt;
use std::path::Path;

use cortexkey_system::text_with_help;
use zeroize::Zeroizing;

use super::message::NoticeMessage;
use crate::settings::{Channel, Environment, NoticeTarget, SecretError, SecretSource, WebhookUrl};
use crate::transport::Roots;

/// Sends messages.
pub struct Sender<'a> {
    /// Looks up variables that hold secrets.
    pub environment: &'a Environment<'a>,
    /// Receives each secret that is read, so that a front end can mask it in its output.
    pub on_secret: fn(&[u8]),
}

/// Why a target does not have a message, or may not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    effect: Effect,
    text: String,
}

/// What a failed attempt may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing, and another message would fail the same way.
    None,
    /// Nothing, for a reason that is about this message alone.
    Refused,
    /// Unknown.
    Unknown,
}

impl SendError {
    fn none(text: impl Into<String>) -> Self {
        Self { effect: Effect::None, text: text.into() }
    }

    fn refused(text: impl Into<String>) -> Self {
        Self { effect: Effect::Refused, text: text.into() }
    }

    fn unknown(text: impl Into<String>) -> Self {
        Self { effect: Effect::Unknown, text: text.into() }
    }

    /// Whether the target may have received the message despite the failure.
    pub fn may_have_arrived(&self) -> bool {
        self.effect == Effect::Unknown
    }

    /// Whether another message may succeed.
    pub(super) fn is_about_message(&self) -> bool {
        self.effect == Effect::Refused
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for SendError {}

impl From<SecretError> for SendError {
    fn from(error: SecretError) -> Self {
        Self::none(text_with_help(&error))
    }
}

impl Sender<'_> {
    /// Sends one message.
    pub fn send(
        &self,
        target: &NoticeTarget,
        message: &NoticeMessage,
        now_ms: u64,
    ) -> Result<(), SendError> {
        match &target.channel {
            Channel::Slack { url } => {
                let body = chat::slack(message, now_ms);
                self.post(target, &self.secret(url)?, body.to_string().as_bytes(), &[])
            }
            Channel::Teams { url } => {
                let body = chat::teams(message, now_ms);
                self.post(target, &self.secret(url)?, body.to_string().as_bytes(), &[])
            }
            Channel::Webhook { url, secret } => {
                let url = match url {
                    WebhookUrl::Plain(url) => Zeroizing::new(url.clone()),
                    WebhookUrl::Secret(source) => self.secret(source)?,
                };
                let body = message.json(now_ms).to_string();
                let secret = secret.as_ref().map(|secret| self.secret(secret)).transpose()?;
                let headers = http::signed(&message.id, &body, secret.as_deref(), now_ms)?;
                self.post(target, &url, body.as_bytes(), &headers)
            }
            Channel::Mail(mail) => {
                let password =
                    mail.password.as_ref().map(|source| self.secret(source)).transpose()?;
                mail::send(target, mail, password.as_deref().map(String::as_str), message, now_ms)
            }
            Channel::File { path } => file::append(path, message, now_ms),
        }
    }

    fn secret(&self, source: &SecretSource) -> Result<Zeroizing<String>, SendError> {
        let secret = source.read(self.environment)?;
        (self.on_secret)(secret.as_bytes());
        Ok(secret)
    }

    fn post(
        &self,
        target: &NoticeTarget,
        url: &str,
        body: &[u8],
        headers: &[(&'static str, String)],
    ) -> Result<(), SendError> {
        let request = http::Post { url, body, headers, timeout: target.timeout };
        request.send(roots(target.ca_file.as_deref())?.as_ref(), self.environment)
    }
}

fn roots(path: Option<&Path>) -> Result<Option<Roots>, SendError> {
    let failed = |path: &Path, error| {
        SendError::none(format!("the certificates in {} cannot be used: {error}", path.display()))
    };
    path.map(|path| Roots::from_file(path).map_err(|error| failed(path, error))).transpose()
}
