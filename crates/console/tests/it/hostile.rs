//! Hostile strings: whatever a tenant, a definition, a URL or a form contains remains text.
//!
//! A proxy between the console and the emulator replaces the strings in every response. An HTML
//! tokenizer that does not know the templates reads each page. The campaign `console-strings` sends
//! 10,000 strings through each page.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use html5gum::{Token, Tokenizer};
use serde_json::Value;

use crate::site::{Answer, Browser, Request, Site, answered, client, client_at};

/// The number of strings for each page; the campaign uses more.
const STRINGS: usize = 300;
/// How many pieces form one value.
const JOINED: usize = 6;

const TAGS: &str = "a body button caption code datalist dd details dialog div dl dt fieldset form h1 h2 h3 head \
     header html input label legend li link main meta nav noscript ol option output p pre rect script \
     section select span strong summary svg table tbody td template textarea th thead title tr ul";
const ATTRIBUTES: &str = "action autocomplete autofocus charset checked class colspan content data-may-be-sent data-part disabled \
     download focusable for form height hidden href id inputmode lang list max maxlength method min name \
     open pattern placeholder popover popovertarget readonly rel required role rows rx scope selected size \
     spellcheck src step style-none tabindex title type value width";

/// Pieces with a meaning in HTML, CSS, scripts or templates.
const PIECES: [&str; 28] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)' x='",
    "\" autofocus onfocus=\"alert(1)",
    "</textarea><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</template></table></form>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<style>*{background:url(//evil.example)}</style>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "&lt;script&gt;",
    "&#60;img&#62;",
    "&quot;&apos;&amp",
    "`${1}`",
    "\u{202e}gnp.exe\u{2066}",
    "\u{0}\u{1}\u{8}",
    "\u{fffe}\u{10ffff}",
    "<\u{0}script>",
    "//evil.example/\\x",
    "Größe 大小 \u{1f511}",
];

/// A generator of strings; the same from each seed.
struct Strings(u64);

impl Strings {
    fn number(&mut self) -> usize {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }

    fn next(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=self.number() % 3 {
            text += PIECES[self.number() % PIECES.len()];
            if self.number().is_multiple_of(3) {
                let c = u32::try_from(self.number() % 0x300).unwrap();
                text.push(char::from_u32(c).unwrap_or('x'));
            }
        }
        text
    }

    /// Several strings.
    fn joined(&mut self) -> String {
        (0..JOINED).map(|_| self.next()).collect()
    }
}

/// A tenant whose responses contain such strings.
struct Hostile {
    url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    strings: Strings,
    /// How many were sent.
    sent: usize,
    /// All comments of keys that were sent.
    comments: BTreeMap<u64, Vec<String>>,
}

/// The members of responses that are free text.
const MEMBERS: [&str; 14] = [
    "comment",
    "user_name",
    "created_by",
    "roles",
    "pretty_name",
    "description",
    "tag_name",
    "asset_group_name",
    "XDM.ASSET_GROUP.NAME",
    "AUDIT_OWNER_NAME",
    "AUDIT_DESCRIPTION",
    "AUDIT_RESULT",
    "name",
    "forward_type",
];

impl Hostile {
    /// A proxy between a console and an emulator.
    fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let behind = url.strip_prefix("http://").unwrap().to_owned();
        let strings = Strings(0x2545_f491_4f6c_dd1d);
        let state = Arc::new(Mutex::new(State { strings, sent: 0, comments: BTreeMap::new() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let behind = behind.clone();
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || relay(stream.unwrap(), &behind, &shared));
            }
        });
        Self { url: own, state }
    }

    fn sent(&self) -> usize {
        self.state.lock().unwrap().sent
    }
}

/// Forwards a request, and returns the response with other strings.
fn relay(mut stream: TcpStream, behind: &str, state: &Mutex<State>) {
    let Some(request) = Request::read(&stream) else { return };
    let answer = request.pass_on(behind);
    let body = match serde_json::from_str::<Value>(&answer.body) {
        Ok(mut value) => {
            replace(&mut value, "", &mut state.lock().unwrap());
            value.to_string()
        }
        Err(_) => answer.body,
    };
    let _ = stream.write_all(answered(answer.status, &body).as_bytes());
}

fn replace(value: &mut Value, member: &str, state: &mut State) {
    match value {
        Value::String(text) if MEMBERS.contains(&member) => {
            *text = state.strings.joined();
            state.sent += JOINED;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, member, state)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                replace(value, name, state);
            }
            let id = members.get("id");
            let comment = members.get("comment");
            if let (Some(Value::Number(id)), Some(Value::String(comment))) = (id, comment) {
                state.comments.entry(id.as_u64().unwrap()).or_default().push(comment.clone());
            }
        }
        _ => {}
    }
}

/// Asserts that a page has only the console's own elements and attributes; returns its text.
fn harmless(page: &str, what: &str) -> String {
    let mut all = String::new();
    for Ok(token) in Tokenizer::new(page) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert!(TAGS.split(' ').any(|known| known == name), "{what}: <{name}>");
                for (attribute, value) in &tag.attributes {
                    let attribute = String::from_utf8_lossy(attribute).into_owned();
                    check(&name, &attribute, &String::from_utf8_lossy(&value.value), what);
                }
                let is_script = name == "script"
                    && !tag.attributes.keys().any(|name| name.as_slice() == b"src");
                assert!(!is_script, "{what}: a script of its own");
            }
            Token::String(text) => {
                all += &String::from_utf8_lossy(&text);
                all.push(' ');
            }
            Token::Comment(_) => panic!("{what}: a comment"),
            Token::EndTag(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    all
}

fn check(tag: &str, attribute: &str, value: &str, what: &str) {
    let is_own = attribute.starts_with("data-") || attribute.starts_with("aria-");
    let is_known = ATTRIBUTES.split(' ').any(|known| known == attribute);
    assert!(is_own || is_known, "{what}: <{tag} {attribute}>");
    assert!(attribute != "autofocus" || value.is_empty(), "{what}: <{tag} {attribute}>");
    assert!(!attribute.starts_with("on") && attribute != "style", "{what}: <{tag} {attribute}>");
    if ["href", "src", "action"].contains(&attribute) {
        let is_local = (value.starts_with('/') && !value.starts_with("//")) || value == "#main";
        assert!(is_local && !value.contains('\\'), "{what}: {attribute}={value:?}");
    }
    if tag == "meta" {
        assert!(["charset", "name", "content"].contains(&attribute), "{what}: <meta {attribute}>");
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A folder with attacks in its definitions, file names and custom rule.
fn folder(strings: &mut Strings) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let quoted = |text: String| Value::String(text.replace(['\u{0}', '\u{fffe}'], "")).to_string();
    // Without characters that make a policy invalid: invisible ones and references.
    let in_policy = |text: &str| {
        let text = text.replace("${", "").replace("{{", "");
        Value::String(text.chars().filter(|c| (' '..='~').contains(c)).collect()).to_string()
    };
    let policy = format!(
        "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: t }}\nextends: [builtin:strict]\n\
         keys: [\"*.key.yaml\"]\ncustomRules:\n  - id: ORG001\n    name: org-rule\n    \
         severity: warning\n    message: {}\n    \
         assert: \"size(key.spec.roles) > 99\"\n",
        in_policy(&strings.joined())
    );
    std::fs::write(folder.path().join("cortexkey.yaml"), policy).unwrap();
    for at in 0..10 {
        let definition = format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {}, owner: {} }}\nspec:\n  \
             roles: [{}]\n  securityLevel: {}\n  comment: {}\n  lifetime: {}\n",
            if at % 2 == 0 { format!("svc-{at}-prod") } else { quoted(strings.next()) },
            quoted(strings.next()),
            quoted(strings.next()),
            if at % 3 == 0 { quoted(strings.next()) } else { "advanced".to_owned() },
            quoted(strings.next()),
            if at % 4 == 0 { quoted(strings.next()) } else { "90d".to_owned() },
        );
        let name: String =
            strings.next().chars().filter(|c| *c > ' ' && *c != '/').take(60).collect();
        std::fs::write(folder.path().join(format!("{name}{at}.key.yaml")), definition).unwrap();
    }
    folder
}

/// A page, as a URL or as a form that is refused. Each `§` is replaced by a string.
const PAGES: [(&str, Option<&str>); 28] = [
    ("/keys?fresh=1", None),
    ("/keys?fresh=1&col=created-by&col=comment&col=owner&col=name&col=file&col=policy", None),
    ("/keys?f.comment=§&o.comment=§&f.id=§&sort=§&col=§&page=§&join=§", None),
    ("/keys?f.comment=§&x-live", None),
    ("/keys/3", None),
    ("/keys/3?ask=§&name=§&groups=§&tags=§&domain=§&reference=§&row=§", None),
    ("/keys/3?ask=component&name=§", None),
    ("/keys/3?ask=case&domain=§&groups=§", None),
    ("/keys/3?ask=row&name=§&row=a=§", None),
    ("/keys/§", None),
    ("/keys/3/edit", None),
    ("/keys/3/rotate", None),
    ("/keys/3/delete", None),
    ("/keys/3/examples", None),
    ("/keys/new", None),
    ("/plan?fresh=1", None),
    ("/findings?fresh=1", None),
    ("/findings?severity=§&rule=§&page=§", None),
    ("/findings/rules/§", None),
    ("/findings/rules/ORG001", None),
    ("/notifications?fresh=1", None),
    ("/requests?key=§&verdict=§", None),
    ("/settings", None),
    ("/settings/scopes?page=§", None),
    ("/keys/new", Some("level=§&role=§&comment=§&date=§&time=§&name=§&owner=§&group=§&domain=§")),
    (
        "/keys/3/edit",
        Some("level=§&role=§&comment=§&assets=§&group=§&cases=§&domain=§&has-scope=1"),
    ),
    ("/keys/views", Some("name=§&query=§")),
    ("/settings", Some("set=fault&kind=§&value=§&times=§&path=§")),
];

/// Sends the given number of strings through each page.
fn attack(strings_each: usize) {
    let mut strings = Strings(0x9e37_79b9_7f4a_7c15);
    let folder = folder(&mut strings);
    let mut hostile = None;
    let site = Site::start_between(
        |tenant| {
            let between = Hostile::before(tenant.url());
            let client = client_at(tenant, &between.url);
            hostile = Some(between);
            client
        },
        |options| {
            options.keys = Some(folder.path().to_owned());
            options.state_folder = Some(folder.path().join("state"));
        },
    );
    let hostile = hostile.unwrap();
    for _ in 0..8 {
        let request = GenerateRequest {
            roles: vec!["Viewer".to_owned(), "Responder".to_owned()],
            security_level: SecurityLevel::Advanced,
            expiration: None,
            comment: Some("plain".to_owned()),
        };
        client(&site.tenant).generate_key(&request).unwrap();
    }
    let browser = site.enter();
    for (path, form) in PAGES {
        let mut sent = 0;
        let mut turns = 0;
        while sent < strings_each && turns < strings_each {
            let before = hostile.sent();
            let mut own = 0;
            let mut fill = |text: &str| {
                let parts: Vec<&str> = text.split('§').collect();
                own += (parts.len() - 1) * JOINED;
                parts
                    .iter()
                    .skip(1)
                    .fold(parts[0].to_owned(), |all, part| all + &encoded(&strings.joined()) + part)
            };
            let path = fill(path);
            let form = form.map(&mut fill);
            let answer = ask(&browser, &path, form.as_deref());
            assert!(answer.status < 500, "{path}: {answer:?}");
            assert!(path != "/findings/rules/ORG001" || answer.status == 200, "{path}: {answer:?}");
            let text = harmless(&answer.body, &path);
            assert_eq!(answer.header("content-security-policy").map(|_| ()), Some(()), "{path}");
            if path == "/keys/3" && answer.status == 200 {
                let comments = &hostile.state.lock().unwrap().comments;
                let visible = |text: &str| -> String {
                    text.chars().filter(char::is_ascii_graphic).collect()
                };
                let seen = visible(&text);
                // A plan reads the keys too.
                let is_there = comments[&3].iter().rev().any(|sent| seen.contains(&visible(sent)));
                assert!(is_there, "none of the comments is in the text of {path}");
            }
            sent += hostile.sent() - before + own;
            turns += 1;
        }
    }
}

fn ask(browser: &Browser<'_>, path: &str, form: Option<&str>) -> Answer {
    match form {
        Some(form) => browser.post(path, form),
        None if path.ends_with("x-live") => browser.live(path),
        None => browser.get(path),
    }
}

#[test]
fn hostile_strings_stay_text_on_every_page() {
    attack(STRINGS);
}

#[test]
#[ignore = "the campaign console-strings runs it"]
fn ten_thousand_injection_strings_stay_text() {
    attack(10_000);
}

#[test]
fn the_tokenizer_detects_injections() {
    for page in [
        "<p><script>alert(1)</script>",
        "<img src=x>",
        "<p onclick=x>",
        "<a href=//evil.example>",
        "<a href=javascript:x>",
        "<p style=x>",
        "<meta http-equiv=refresh>",
        "<svg/onload=x>",
        "<!-- x -->",
    ] {
        let seen = std::panic::catch_unwind(|| harmless(page, "a page"));
        assert!(seen.is_err(), "{page}");
    }
    assert_eq!(harmless("<p title=\"&lt;b&gt;\">a &lt;b&gt;</p>", "a page").trim(), "a <b>");
}
