//! Secrets in every notation, and invisible characters.

#![allow(clippy::format_collect, reason = "short texts of a test")]

use crate::common::key;
use cortexkey_lint::rules::RULES;
use cortexkey_lint::{Corpus, CorpusFile, Policy, Severity, lint as lint_corpus};
use cortexkey_manifest::yaml::YamlLimits;

/// A key in the product's form, which does not exist.
fn secret() -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        char::from(letters[state as usize % letters.len()])
    };
    (0..128).map(|_| next()).collect()
}

/// Encodes text by characters of some bits each.
fn coded(text: &str, bits: usize, alphabet: &[u8]) -> String {
    let mut ones: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    ones.extend(core::iter::repeat_n('0', (bits - ones.len() % bits) % bits));
    let value = |chunk: &[u8]| usize::from_str_radix(core::str::from_utf8(chunk).unwrap(), 2);
    ones.as_bytes().chunks(bits).map(|it| char::from(alphabet[value(it).unwrap()])).collect()
}

fn judge_text(text: &str) -> (Vec<String>, String) {
    let policy = Policy::builtin("builtin:recommended").unwrap();
    let file = CorpusFile::new("abc.yaml", text.as_bytes().to_vec(), &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    let report = lint_corpus(&corpus, &policy, "2026-01-01T00:00:00Z".parse().unwrap());
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
    let codes = errors.map(|finding| finding.rule.code().to_owned()).collect();
    let forms = cortexkey_lint::report::Format::ALL;
    let all: String = forms.iter().map(|(_, form)| report.render(*form, false)).collect();
    (codes, all)
}

#[test]
fn a_real_key_is_an_error_in_any_notation() {
    let secret = secret();
    let (one, two) = secret.split_at(64);
    let a = &secret[..50];
    let b = &secret[50..90];
    let c = &secret[90..];
    let escaped: String = secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let unicode: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let comments = [
        format!("# {secret}"),
        format!("# CORTEX_API_KEY={secret}"),
        format!("# export CORTEXKEY_API_KEY='{secret}'"),
        format!("# https://x.example/?key={secret}&a=1"),
        format!("# https://x.example/v1/{secret}"),
        format!("# {secret}="),
        format!("# {secret}-old"),
        format!("# old_{secret}"),
        format!("# ${{CORTEX_API_KEY:-{secret}}}"),
        format!("# {one}\n# {two}"),
        format!("# {one} {two}"),
        format!("# '{one}' + '{two}'"),
        format!("# {a}\n#   {b}\n#   {c}"),
        format!("# first half: {one}"),
    ];
    let values = [
        format!("\"CORTEX_API_KEY={secret}\""),
        format!("\"{escaped}\""),
        format!("\"{unicode}\""),
        format!("\"{one}\\\n      {two}\""),
        format!("\"{a}\\\n      {b}\\\n      {c}\""),
        format!("\"{}\\x{:02x}{}\"", a, secret.as_bytes()[50], &secret[51..]),
        format!("|\n      {one}\n      {two}"),
        format!(">-\n      {one}\n      {two}"),
        format!("'{one}'"),
    ];
    let comments = comments.iter().map(|comment| format!("{comment}\n{}", key("abc")));
    let values = values.iter().map(|value| {
        key("abc")
            .replace(
                "owner: team-abc",
                &format!("owner: team-abc, annotations: {{ note: {value} }}"),
            )
            .replace(
                "metadata: { name: abc, owner: team-abc, annotations: { note: |",
                "metadata:\n  name: abc\n  owner: team-abc\n  annotations:\n    note: |",
            )
            .replace(
                "metadata: { name: abc, owner: team-abc, annotations: { note: >",
                "metadata:\n  name: abc\n  owner: team-abc\n  annotations:\n    note: >",
            )
    });
    let values = values.map(|text| {
        // A block ends its line, so the end of the flow mapping is removed.
        if text.contains("note: |") || text.contains("note: >") {
            text.replace(&format!("{two} }} }}"), two)
        } else {
            text
        }
    });
    for text in comments.chain(values) {
        let (codes, out) = judge_text(&text);
        assert!(codes.iter().any(|code| code == "X001" || code == "X003"), "{codes:?}\n{text}");
        for part in [&secret[..40], &secret[88..]] {
            assert!(!out.contains(part), "{text}\n{out}");
        }
        assert!(!out.contains(&escaped[..80]) && !out.contains(&unicode[..80]), "{text}");
    }
}

#[test]
fn a_real_key_in_parts_groups_or_an_encoding_is_an_error() {
    let secret = secret();
    let escaped: String = secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let unicode: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spaced = |text: &str, size: usize, by: &str| {
        let groups: Vec<&str> =
            text.as_bytes().chunks(size).map(|it| core::str::from_utf8(it).unwrap()).collect();
        groups.join(by)
    };
    let base32 = coded(&secret, 5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    let base64 =
        coded(&secret, 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    let comments = [
        // In more parts than two, each with its label.
        format!(
            "# KEY_PART0={}\n# KEY_PART1={}\n# KEY_PART2={}",
            &secret[..43],
            &secret[43..86],
            &secret[86..]
        ),
        format!("# a0 {}\n# a1 {}\n# a2 {}", &secret[..43], &secret[43..86], &secret[86..]),
        format!(
            "# k1: {}\n# k2: {}\n# k3: {}\n# k4: {}",
            &secret[..32],
            &secret[32..64],
            &secret[64..96],
            &secret[96..]
        ),
        format!(
            "# part one {}\n# part two {}\n# part three {}\n# {}",
            &secret[..40],
            &secret[40..80],
            &secret[80..120],
            &secret[120..]
        ),
        format!(
            "# {}\n# sha256 {}\n# k2={}\n# k3={}",
            &secret[..43],
            "0123456789abcdef".repeat(4),
            &secret[43..86],
            &secret[86..]
        ),
        // Next to another token.
        format!(
            "# x={}\n# y={}\n# z={}\n# w={}",
            &secret[..43],
            &secret[43..86],
            &secret[86..],
            &secret[20..61]
        ),
        // In groups.
        format!("# {}", spaced(&secret, 15, "\n# ")),
        format!("# {}", spaced(&secret, 8, " ")),
        format!("# note: {} and so on", spaced(&secret, 4, "-")),
        format!("# {}", spaced(&secret, 8, "+")),
        format!("# {}", spaced(&secret, 1, " ")),
        format!("# {}", spaced(&secret, 24, "\n# ")),
        // Encoded.
        format!("# {hex}"),
        format!("# {}", hex.to_uppercase()),
        format!("# {}", spaced(&hex, 60, "\n# ")),
        format!("# {}", spaced(&hex, 2, " ")),
        format!("# {}", spaced(&hex, 2, ":")),
        format!("# {}", spaced(&hex, 4, " ")),
        format!("# h1 {}\n# h2 {}", &hex[..128], &hex[128..]),
        format!("# 0x{}", spaced(&hex, 2, ", 0x")),
        format!("# %{}", spaced(&hex, 2, "%")),
        format!("# {escaped}"),
        format!("# {unicode}"),
        format!("# {base32}==="),
        format!("# {}", base32.to_lowercase()),
        format!("# {}", spaced(&base32, 76, "\n# ")),
        format!("# b1={}\n# b2={}\n# b3={}", &base64[..57], &base64[57..114], &base64[114..]),
        format!("# {}", spaced(&base64, 40, "\n# ")),
    ];
    for comment in comments {
        let (codes, out) = judge_text(&format!("{comment}\n{}", key("abc")));
        assert!(codes.iter().any(|code| code == "X001"), "{codes:?}\n{comment}");
        for part in [&secret[..40], &secret[88..], &hex[..80], &hex[176..]] {
            assert!(!out.contains(part), "{comment}\n{out}");
        }
    }
}

#[test]
fn a_private_key_is_an_error_and_public_pem_is_not() {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
    let pkcs8 = [&[0x30, 0x82, 0x04, 0xbd, 0x02, 0x01, 0x00, 0x30, 0x0d][..], &[7; 60]].concat();
    let pkcs1 = [&[0x30, 0x82, 0x04, 0xa4, 0x02, 0x01, 0x00, 0x02, 0x82][..], &[7; 60]].concat();
    let sec1 = [&[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20][..], &[7; 60]].concat();
    let ssh = [&b"openssh-key-v1\0"[..], &[7; 60]].concat();
    for comment in [
        pem.lines().map(|line| format!("# {line}\n")).collect::<String>(),
        format!("# {}\n", encode(pem.as_bytes())),
        format!("# x{}\n", encode(format!("ab{pem}").as_bytes())),
        format!("# {}\n", encode(&pkcs8)),
        format!("# KEY={}\n", encode(&pkcs1)),
        format!("# {}\n", encode(&sec1)),
        format!("# {}\n", encode(&ssh)),
        "# -----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned(),
        "# -----BEGIN PGP PRIVATE KEY BLOCK-----\n".to_owned(),
    ] {
        let (codes, _) = judge_text(&format!("{comment}{}", key("abc")));
        assert!(codes.iter().any(|code| code == "X003"), "{codes:?} {comment}");
    }
    let length = 0x01a0_usize;
    let content: Vec<u8> =
        (0..length - 4).map(|at| u8::try_from(at * 167 % 251).unwrap()).collect();
    let certificate = [&[0x30, 0x82, 0x01, 0xa0, 0x30, 0x82, 0x01, 0x9c][..], &content].concat();
    let lines = |bytes: &[u8]| -> String {
        let text = encode(bytes);
        text.as_bytes()
            .chunks(64)
            .map(|line| format!("# {}\n", String::from_utf8_lossy(line)))
            .collect()
    };
    for label in [
        "CERTIFICATE",
        "PUBLIC KEY",
        "CERTIFICATE REQUEST",
        "NEW CERTIFICATE REQUEST",
        "X509 CRL",
        "RSA PUBLIC KEY",
        "PKCS7",
    ] {
        let block =
            format!("# -----BEGIN {label}-----\n{}# -----END {label}-----\n", lines(&certificate));
        let (codes, _) = judge_text(&format!("{block}{}", key("abc")));
        assert!(codes.is_empty(), "{label} {codes:?}");
        // A label alone does not make material public.
        let secret = secret();
        let (one, two) = secret.split_at(64);
        let fake =
            format!("# -----BEGIN {label}-----\n# {one}\n# {two}\n# -----END {label}-----\n");
        let (codes, _) = judge_text(&format!("{fake}{}", key("abc")));
        assert!(codes.iter().any(|code| code == "X001"), "{label} {codes:?}");
    }
}

#[test]
fn digests_and_long_names_are_not_keys() {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    for comment in [
        format!("# sha256 {digest}\n# sha256 {digest}\n"),
        format!("# {digest} {digest}\n"),
        // Numbers, names and identifiers.
        format!("# {}\n", (0..200).map(|n| format!("{n} ")).collect::<String>()),
        format!(
            "# {}\n",
            (0..40).map(|n| format!("EU-Prod-K8s-Cluster{n}-Nodes ")).collect::<String>()
        ),
        format!(
            "# {}\n",
            (0..40).map(|n| format!("SEC-{n} by OAuth2 for XSOAR8, ")).collect::<String>()
        ),
        format!("# {}\n", "7d444840-9dc0-11d1-b245-5ffdce74fad2 ".repeat(9)),
        "# organisation2024-reporting-service-of-the-department-for-detection-and-response-eu2\n"
            .to_owned(),
    ] {
        let (codes, _) = judge_text(&format!("{comment}{}", key("abc")));
        assert!(codes.is_empty(), "{codes:?} {comment}");
    }
}

#[test]
fn public_keys_and_digests_are_not_secrets() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let bytes = |count: usize, seed: usize| -> Vec<u8> {
        (0..count).map(|at| u8::try_from((at * 167 + seed * 71) % 251).unwrap()).collect()
    };
    let field =
        |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let blob = |fields: &[&[u8]]| {
        STANDARD.encode(fields.iter().map(|it| field(it)).collect::<Vec<_>>().concat())
    };
    let ed25519 = blob(&[b"ssh-ed25519", &bytes(32, 1)]);
    let rsa = blob(&[b"ssh-rsa", &[1, 0, 1], &bytes(257, 2)]);
    let ecdsa = blob(&[b"ecdsa-sha2-nistp256", b"nistp256", &bytes(65, 3)]);
    let digest = |count: usize, seed: usize| STANDARD.encode(bytes(count, seed));
    let hex = |count: usize| -> String {
        bytes(count, 5).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    for comment in [
        // A public key of the documents of OpenSSH.
        "# ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@x"
            .to_owned(),
        format!("# ssh-ed25519 {ed25519} me@x"),
        format!("# example.com ssh-rsa {rsa}"),
        format!("# ecdsa-sha2-nistp256 {ecdsa} me\n# ssh-ed25519 {ed25519} me"),
        format!("# sha512 {}", hex(64)),
        format!("# sha512:{}", hex(64).to_uppercase()),
        format!("# sha384 {}", hex(48)),
        format!("# integrity: sha512-{}", digest(64, 1)),
        format!(
            "# sha256-{}\n# sha256-{}\n# sha256-{}",
            digest(32, 1),
            digest(32, 2),
            digest(32, 3)
        ),
        format!("# sha384-{} sha384-{}", digest(48, 1), digest(48, 2)),
        format!("# SHA256:{}", digest(32, 4).trim_end_matches('=')),
    ] {
        let (codes, _) = judge_text(&format!("{comment}\n{}", key("abc")));
        assert!(codes.is_empty(), "{codes:?} {comment}");
        let text = key("abc").replace("For this test", &comment[2..].replace("\n# ", " "));
        let (codes, _) = judge_text(&text);
        assert!(!codes.iter().any(|code| code.starts_with('X')), "{codes:?} {comment}");
    }
    // A label and a length are not enough.
    let secret = secret();
    let (one, two) = secret.split_at(64);
    for comment in [
        format!("# ssh-rsa {secret}"),
        format!("# ssh-ed25519 AAAA{secret}"),
        format!("# sha512-{secret}"),
        format!("# sha512-{one}\n# sha512-{two}"),
        format!("# {one}\n# sha512-{}\n# {two}", digest(64, 1)),
    ] {
        let (codes, _) = judge_text(&format!("{comment}\n{}", key("abc")));
        assert!(codes.iter().any(|code| code == "X001"), "{codes:?} {comment}");
    }
}

#[test]
fn no_built_in_policy_lets_a_secret_be_suppressed() {
    for name in ["minimal", "recommended", "strict"] {
        let policy = Policy::builtin(&format!("builtin:{name}")).unwrap();
        for rule in RULES.iter().filter(|r| ["X001", "X002", "X003", "X004"].contains(&r.code)) {
            assert!(!policy.settings(rule).waivable, "{name} {}", rule.code);
        }
    }
}

#[test]
fn an_emoji_is_read_as_one_and_a_joiner_between_words_is_not() {
    let of = |comment: &str| {
        let text = key("abc").replace("For this test", comment);
        judge_text(&text).0.contains(&"Y005".to_owned())
    };
    for emoji in [
        "ok \u{1f468}\u{200d}\u{1f469}",
        "\u{2764}\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
    ] {
        assert!(!of(emoji), "{emoji}");
    }
    for hidden in [
        "a\u{200d}b",
        "\u{1f468}\u{200d}b",
        "a\u{fe0f}",
        "a\u{e0041}b",
        "\u{1f468}\u{e0041}",
        "\u{200d}\u{1f468}",
    ] {
        assert!(of(hidden), "{hidden:?}");
    }
}

#[test]
fn invisible_characters_are_escaped_in_every_format() {
    let hidden = "svc\u{e0041}\u{e0042}-a\u{fe0f}\u{202e}";
    let text = key("abc")
        .replace("name: abc", &format!("name: \"{hidden}\""))
        .replace("[Viewer]", "[\"Vi\u{e0041}ewer\"]")
        .replace("  lifetime", &format!("  x{hidden}: 1\n  lifetime"));
    let (_, out) = judge_text(&text);
    for c in ['\u{e0041}', '\u{e0042}', '\u{fe0f}', '\u{202e}'] {
        assert!(!out.contains(c), "U+{:04X}", u32::from(c));
    }
}
