//! Sends mail by SMTP. Without encryption, it sends only to a server on this machine.

use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;

use super::SendError;
use crate::settings::{Mail, MailTls, NoticeTarget};
use crate::transport::ROOTS_BYTES_MAX;
use crate::watch::message::NoticeMessage;

/// Sends a message as one mail to all recipients.
pub(super) fn send(
    target: &NoticeTarget,
    mail: &Mail,
    password: Option<&str>,
    message: &NoticeMessage,
    now_ms: u64,
) -> Result<(), SendError> {
    let (envelope, letter) = letter(mail, message, now_ms)?;
    let mut connection = connect(target, mail)?;
    if let (Some(user), Some(password)) = (&mail.user, password) {
        let credentials = Credentials::new(user.clone(), password.to_owned());
        let signed_in = connection.auth(DEFAULT_MECHANISMS, &credentials);
        signed_in.map_err(|error| SendError::none(failure_text(&error, "the sign-in")))?;
    }
    let sent = connection.send(&envelope, &letter).map_err(|error| {
        if error.is_permanent() {
            SendError::refused(failure_text(&error, "the mail"))
        } else if error.is_transient() {
            SendError::none(failure_text(&error, "the mail"))
        } else if error.is_client() {
            SendError::refused("the mail server does not take these addresses")
        } else {
            SendError::unknown("the mail server did not confirm the mail")
        }
    });
    // The result is known; how the connection ends makes no difference.
    connection.abort();
    sent.map(drop)
}

fn connect(target: &NoticeTarget, mail: &Mail) -> Result<SmtpConnection, SendError> {
    let is_loopback = matches!(mail.host.as_str(), "127.0.0.1" | "::1" | "localhost");
    if mail.tls == MailTls::None && !is_loopback {
        return Err(SendError::none(
            "`tls = \"none\"` is only for a mail server on this machine\nhelp: set `implicit` or `starttls`",
        ));
    }
    let tls = match mail.tls {
        MailTls::None => None,
        MailTls::Implicit | MailTls::StartTls => Some(tls(target, mail)?),
    };
    let implicit = tls.as_ref().filter(|_| mail.tls == MailTls::Implicit);
    // The server does not need this machine's name.
    let hello = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
    let server = (mail.host.as_str(), mail.port);
    let connection = SmtpConnection::connect(server, Some(target.timeout), &hello, implicit, None);
    let mut connection = connection.map_err(|error| unreachable(&error))?;
    if mail.tls == MailTls::StartTls
        && let Some(tls) = &tls
    {
        if !connection.can_starttls() {
            connection.abort();
            return Err(SendError::none("the mail server does not offer STARTTLS"));
        }
        connection.starttls(tls, &hello).map_err(|error| unreachable(&error))?;
    }
    Ok(connection)
}

fn tls(target: &NoticeTarget, mail: &Mail) -> Result<TlsParameters, SendError> {
    let mut tls = TlsParameters::builder(mail.host.clone());
    if let Some(path) = &target.ca_file {
        let failed = |why: String| {
            SendError::none(format!("the certificates in {} cannot be used: {why}", path.display()))
        };
        // The file's contents are checked as for webhooks.
        super::roots(Some(path))?;
        let pem = cortexkey_system::read(path, ROOTS_BYTES_MAX)
            .map_err(|error| failed(error.to_string()))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| failed("it is not PEM".to_owned()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    tls.build().map_err(|_| SendError::none("TLS cannot be set up for the mail server"))
}

fn letter(
    mail: &Mail,
    message: &NoticeMessage,
    now_ms: u64,
) -> Result<(Envelope, Vec<u8>), SendError> {
    let mailbox = |text: &String, field: &str| {
        let bad = || SendError::none(format!("`{field}` is not a mail address"));
        text.parse::<Mailbox>().map_err(|_| bad())
    };
    let from = mailbox(&mail.from, "from")?;
    let domain = from.email.domain().to_owned();
    let mut letter = Letter::builder()
        .from(from)
        .subject(message.title())
        // Mail programs show one mail per id, even if it arrives several times.
        .message_id(Some(format!("<{}.cortexkey@{domain}>", message.id)));
    for to in &mail.to {
        letter = letter.to(mailbox(to, "to")?);
    }
    let mut text: String = message.lines(now_ms).map(|line| line + "\n\n").collect();
    text.extend(message.repeat_note().into_iter().flat_map(|note| [note, "\n"]));
    let letter = letter
        .header(ContentType::TEXT_PLAIN)
        .body(text)
        .map_err(|_| SendError::refused("the mail cannot be written with these addresses"))?;
    Ok((letter.envelope().clone(), letter.formatted()))
}

fn unreachable(error: &Error) -> SendError {
    SendError::none(if error.is_tls() {
        "the mail server's certificate is not trusted\nhelp: set `ca_file` to your organisation's CA file"
            .to_owned()
    } else if error.status().is_some() {
        failure_text(error, "the connection")
    } else {
        "the mail server cannot be reached".to_owned()
    })
}

/// The server's own words may repeat what it was sent, so only its code is reported.
fn failure_text(error: &Error, what: &str) -> String {
    match error.status() {
        Some(code) => format!("the mail server refuses {what} (code {code})"),
        None => format!("the mail server does not take {what}"),
    }
}
