//! Detects keys in PEM, private keys in base64, and public material in both.
//!
//! Public material (certificates, requests, public keys, signatures, digests) is not a secret, but
//! only if its content matches its label.

use core::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::runs::{LETTER, Longest, SIGN, runs};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Words in the labels of public material.
const PUBLIC: &[&str] = &[
    "CERTIFICATE",
    "PUBLIC KEY",
    "REQUEST",
    "CRL",
    "SIGNATURE",
    "SIGNED MESSAGE",
    "PKCS7",
    "CMS",
    "PARAMETERS",
];

/// The largest PEM block of public material, in bytes.
const BLOCK_MAX: usize = 64 << 10;

/// The number of base64 characters that are examined.
const ENCODED: usize = 40;

/// `PRIVATE KEY` in base64, at each of its three possible offsets.
const PRIVATE: [&str; 3] = ["UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ", "QUklWQVRFIEtFW"];

/// The first bytes of an OpenSSH private key.
const OPENSSH: &str = "b3BlbnNzaC1rZXktdjE";

/// The PEM blocks of a string.
#[derive(Debug, Default)]
pub(super) struct Pem {
    /// Secrets, and their kinds.
    pub(super) secret: Vec<(Range<usize>, &'static str)>,
    /// Public blocks whose content matches their label.
    pub(super) public: Vec<Range<usize>>,
}

/// Finds all PEM blocks of a string. A secret without its end line extends to the end of the text.
pub(super) fn pem(text: &str, longest: Longest) -> Pem {
    let mut found = Pem::default();
    // Few strings contain five dashes in a row.
    if longest.run < BEGIN.trim_end().len() || !text.contains(BEGIN) {
        return found;
    }
    let mut from = 0;
    while let Some(at) = find(text, BEGIN, from) {
        let label = label_at(text, at + BEGIN.len());
        let body = at + BEGIN.len() + label.len();
        if !is_public(label) {
            let end = find(text, END, body).map_or(text.len(), |end| line_end(text, end));
            let maker =
                if label.contains("PRIVATE KEY") { "a private key" } else { "a secret in PEM" };
            found.secret.push((at..end, maker));
            from = end;
            continue;
        }
        // A block ends before the next one starts.
        let next = find(text, BEGIN, body).unwrap_or(text.len());
        let block = text.get(body..next.min(ceil(text, body + BLOCK_MAX))).unwrap_or_default();
        if let Some(end) = block.find(END)
            && is_what_it_says(label, block.get(..end).unwrap_or_default())
        {
            // Text after the label on its line is not part of the block.
            let label = label_at(text, body + end + END.len());
            found.public.push(at..body + end + END.len() + label.len());
        }
        from = body;
    }
    found
}

/// Private keys without PEM's lines, or with them in base64.
pub(super) fn private(text: &str, longest: Longest) -> Vec<Range<usize>> {
    if longest.run < ENCODED {
        return Vec::new();
    }
    let long = runs(text, LETTER | SIGN).filter(|run| run.len() >= ENCODED);
    let is_private = |run: &Range<usize>| {
        let run = &text[run.clone()];
        run.starts_with(OPENSSH)
            || PRIVATE.iter().any(|part| run.contains(part))
            || (run.starts_with('M') && is_private_der(run))
    };
    long.filter(is_private).collect()
}

/// Names of the types of SSH public keys.
const SSH: &[&str] = &[
    "ssh-ed25519",
    "ssh-rsa",
    "ssh-dss",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The suffix of the type of an SSH certificate.
const SSH_CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Digests with a label, as in `sha256-…`, and the bytes of each.
const DIGESTS: [(&str, usize); 3] = [("sha256", 32), ("sha384", 48), ("sha512", 64)];

/// Public material in base64 without PEM's lines.
#[derive(Debug, Default)]
pub(super) struct Public {
    /// SSH public keys and digests.
    pub(super) certain: Vec<Range<usize>>,
    /// Digests that have as many letters and digits as half a key.
    pub(super) unclear: Vec<Range<usize>>,
}

/// Finds SSH public keys, and digests after their label.
pub(super) fn public(text: &str, longest: Longest) -> Public {
    let mut found = Public::default();
    if longest.run < ENCODED {
        return found;
    }
    for run in runs(text, LETTER | SIGN) {
        if !(ENCODED..=BLOCK_MAX).contains(&run.len()) {
            continue;
        }
        let word = &text[run.clone()];
        if word.starts_with("AAAA") && is_ssh_public(word) {
            found.certain.push(run);
        } else if let Some(bytes) = digest_label(text.get(..run.start).unwrap_or_default())
            && STANDARD_NO_PAD.decode(word).is_ok_and(|digest| digest.len() == bytes)
        {
            // Without padding or a sign, it could also be half a key.
            let is_certain = bytes % 3 != 0 || word.contains(['+', '/']);
            let kind = if is_certain { &mut found.certain } else { &mut found.unclear };
            kind.push(run);
        }
    }
    found
}

/// The length of the digest whose label a string ends with.
fn digest_label(before: &str) -> Option<usize> {
    let before = before.strip_suffix(' ').unwrap_or(before);
    let before = before.strip_suffix(['-', ':'])?;
    let label = before.as_bytes().get(before.len().checked_sub(6)?..)?;
    let found = DIGESTS.iter().find(|(name, _)| label.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, bytes)| *bytes)
}

/// True for the wire format of an SSH public key: fields with their lengths, the first of which
/// repeats the type.
fn is_ssh_public(run: &str) -> bool {
    let Ok(bytes) = STANDARD_NO_PAD.decode(run) else { return false };
    let Some((name, mut rest)) = ssh_field(&bytes) else { return false };
    let name = core::str::from_utf8(name).unwrap_or_default();
    if name.ends_with(SSH_CERTIFICATE) {
        return ssh_field(rest).is_some_and(|(nonce, _)| nonce.len() == 32);
    }
    if !SSH.contains(&name) || rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let Some((_, next)) = ssh_field(rest) else { return false };
        rest = next;
    }
    true
}

/// A field with its length before it, and what follows it.
fn ssh_field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    rest.split_at_checked(length)
}

/// True for the start of PKCS#1, PKCS#8 or SEC 1 in base64: a sequence whose first item is its
/// version. Public material starts with another sequence.
fn is_private_der(run: &str) -> bool {
    let Some(head) = run.get(..ENCODED).and_then(|head| STANDARD_NO_PAD.decode(head).ok()) else {
        return false;
    };
    content(&head).is_some_and(|(_, content)| {
        matches!(content, [0x02, 0x01, 0x00 | 0x01, 0x02 | 0x04 | 0x30, ..])
    })
}

/// The length of a DER sequence, and its contents.
fn content(der: &[u8]) -> Option<(usize, &[u8])> {
    match der {
        [0x30, 0x82, high, low, rest @ ..] => {
            Some((usize::from(*high) << 8 | usize::from(*low), rest))
        }
        [0x30, 0x81, length, rest @ ..] | [0x30, length @ ..=0x7f, rest @ ..] => {
            Some((usize::from(*length), rest))
        }
        _ => None,
    }
}

fn is_public(label: &str) -> bool {
    !label.contains("PRIVATE") && PUBLIC.iter().any(|word| label.contains(word))
}

/// True if a block decodes to one DER sequence, an SSH signature, or an `OpenPGP` packet.
fn is_what_it_says(label: &str, block: &str) -> bool {
    // Indentation, comment marks and the rest of the label's line are not part of it.
    let lines = block.lines().map(|line| line.trim_matches([' ', '\t', '#', '-', '"', '\'']));
    let checksum = |line: &&str| !(line.len() == 5 && line.starts_with('='));
    let text: String = lines.filter(checksum).collect();
    let Ok(bytes) = STANDARD_NO_PAD.decode(text.trim_end_matches('=')) else { return false };
    if label.starts_with("PGP") {
        // Public keys and signatures, in the old and the new form of packets.
        return matches!(bytes.first(), Some(0x88 | 0x89 | 0x98 | 0x99 | 0xc2 | 0xc6));
    }
    bytes.starts_with(b"SSHSIG")
        || content(&bytes)
            .is_some_and(|(length, rest)| length == rest.len() && !matches!(rest, [0x02, 0x01, ..]))
}

/// The text between the word BEGIN and the next dash.
fn label_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == ' ')).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn find(text: &str, mark: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(mark).map(|at| from + at)
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// The next offset at which a character starts.
fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
