//! `cortexkey keys watch`: each notice is sent once, to targets that work, fail and recover.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::definitions::World;
use crate::common::hook::{Hook, HookBehaviour, MailServer, ReceivedRequest};
use crate::common::killer::{Killer, When};
use crate::common::{Ran, cortexkey, finish};

const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PASSWORD: &str = "mail-password-7";
/// A comment that attacks the display of a chat.
const COMMENT: &str = "<!channel> *x* [a](http://e.example) {{DATE(1)}} SEC-1";

/// A tenant with keys that expire within a week, and a configuration with targets.
struct Watched {
    world: World,
    hook: Hook,
}

impl Watched {
    fn new(targets: &str) -> Self {
        let watched = Self { world: World::new(), hook: Hook::start() };
        // No definitions unless a test has some.
        fs::remove_file(watched.world.path("cortexkey.yaml")).unwrap();
        watched.configure(targets);
        watched
    }

    fn configure(&self, targets: &str) {
        let path = self.world.path("config/cortexkey/config.toml");
        fs::write(path, format!("[profiles.p]\nsink_folder = '../../secrets'\n{targets}")).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.command(&[&["keys", "watch"], args].concat());
        command
            .env("XDG_STATE_HOME", self.world.path("state"))
            .env("HOOK_URL", &self.hook.url)
            .env("CORTEXKEY_HOOK_SECRET", WEBHOOK_SECRET)
            .env("CORTEXKEY_MAIL_PASSWORD", PASSWORD);
        command
    }

    fn run(&self, args: &[&str]) -> (Value, Ran) {
        let ran = finish(&mut self.command(&[args, &["--format", "json"]].concat()));
        for secret in ["hook-secret-7", WEBHOOK_SECRET, PASSWORD] {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
        }
        (serde_json::from_str(&ran.stdout).unwrap_or(Value::Null), ran)
    }

    fn good(&self, args: &[&str]) -> Value {
        let (value, ran) = self.run(args);
        assert_eq!(ran.code, 0, "{ran:?}");
        value
    }

    fn state(&self) -> String {
        fs::read_to_string(self.world.path("state/cortexkey/watch/state.json")).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.world.path(name)).unwrap()
    }
}

const HOOK: &str = "[targets.hook]\nkind = 'webhook'\nurl_env = 'HOOK_URL'\nsecret_env = 'CORTEXKEY_HOOK_SECRET'\n";

fn outcomes(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let deliveries = value["deliveries"].as_array().unwrap().iter();
    deliveries.map(|of| (text(&of["target"]), text(&of["outcome"]))).collect()
}

fn ids(body: &Value) -> Vec<String> {
    let notices = body["notices"].as_array().unwrap().iter();
    notices.map(|notice| notice["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_target_gets_each_notice_once_and_without_markup_or_secrets() {
    let mail = MailServer::start();
    let watched = Watched::new(&format!(
        "[targets.a-slack]\nkind = 'slack'\nurl_env = 'HOOK_URL'\n\
         [targets.b-teams]\nkind = 'teams'\nurl_command = ['printenv', 'HOOK_URL']\n\
         [targets.c-mail]\nkind = 'mail'\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\n\
         user = 'ops'\npassword_env = 'CORTEXKEY_MAIL_PASSWORD'\nfrom = 'Keys <keys@a.example>'\n\
         to = ['ops@a.example', 'sec@a.example']\n\
         [targets.d-file]\nkind = 'file'\npath = '../../notices.jsonl'\n{}",
        mail.port,
        HOOK.replace("targets.hook", "targets.e-hook"),
    ));
    watched.world.make("Viewer", COMMENT);
    // People do write keys into comments.
    watched.world.make("Viewer", &format!("was {}", "k7R".repeat(40)));
    let value = watched.good(&[]);
    assert_eq!(value["due"].as_array().unwrap().len(), 2, "{value}");
    assert_eq!(
        (value["tenants"][0]["queried"].as_bool(), &value["waiting"]),
        (Some(true), &0.into())
    );
    assert!(outcomes(&value).iter().all(|(_, outcome)| outcome == "sent"), "{value}");

    let got = watched.hook.got();
    assert_eq!(got.len(), 3);
    let everything = got.iter().map(|got| got.body.as_str()).collect::<String>()
        + &mail.letters().concat()
        + &watched.read("notices.jsonl");
    assert!(!everything.contains("k7Rk7R"));

    let slack = got[0].json();
    let blocks = slack["blocks"].as_array().unwrap();
    assert!(blocks.iter().all(|block| block["text"]["type"] == "plain_text"), "{slack}");
    assert!(!slack["text"].as_str().unwrap().contains("channel"), "{slack}");
    wording!(blocks[1]["text"]["text"].as_str().unwrap());

    let teams = got[1].json();
    let card = &teams["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    for block in card["content"]["body"].as_array().unwrap() {
        assert_eq!(block["type"], "RichTextBlock");
        assert_eq!(block["inlines"][0]["type"], "TextRun");
    }
    assert!(!teams.to_string().contains("{{"), "{teams}");

    // The receiver's side of the Standard Webhooks specification, with another program's HMAC.
    let hook = &got[2];
    let signed = format!(
        "{}.{}.{}",
        hook.header("webhook-id").unwrap(),
        hook.header("webhook-timestamp").unwrap(),
        hook.body
    );
    let script = "import base64,hashlib,hmac,sys\n\
                  key = base64.b64decode(sys.argv[1])\n\
                  text = sys.stdin.buffer.read()\n\
                  print('v1,' + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode())";
    let key = WEBHOOK_SECRET.strip_prefix("whsec_").unwrap();
    let mut python = Command::new("python3");
    let ran = crate::common::finish_with(python.args(["-c", script, key]), signed.as_bytes());
    assert_eq!(hook.header("webhook-signature"), Some(ran.stdout.trim()));
    assert_eq!(hook.json()["repeat"], false);
    assert_eq!(ids(&hook.json()).len(), 2);

    let talk = mail.talk();
    let has = |start: &str| talk.iter().any(|line| line.starts_with(start));
    assert!(has("AUTH") && has("RCPT TO:<ops@a.example>") && has("RCPT TO:<sec@a.example>"));

    // No secret is stored, and other users cannot read the state.
    let state = watched.state();
    assert!(!state.contains("hook-secret-7") && !state.contains(PASSWORD));
    for file in ["state/cortexkey/watch/state.json", "notices.jsonl"] {
        let mode = fs::metadata(watched.world.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(watched.read("notices.jsonl").lines().count(), 2);

    let again = watched.good(&[]);
    assert_eq!(
        (&again["due"], &again["deliveries"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert!(watched.hook.got().is_empty() && mail.letters().is_empty());
    assert_eq!(watched.read("notices.jsonl").lines().count(), 2);
    // A shorter threshold is a new notice; a longer one that has already passed is not.
    assert_eq!(watched.good(&["--before", "30d", "--before", "7d"])["due"], Value::Array(vec![]));
}

#[test]
fn an_email_states_its_subject_and_has_one_id() {
    let mail = MailServer::start();
    let watched = Watched::new(&format!(
        "[targets.m]\nkind = 'mail'\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\n\
         from = 'keys@a.example'\nto = ['ops@a.example']\n",
        mail.port
    ));
    watched.world.make("Viewer", "Grüße\r\nBcc: all@a.example");
    for (what, answer, outcome) in [
        ("MAIL", Some("451 later"), "failed"),
        ("RCPT", Some("550 hook-secret-7"), "failed"),
        ("DATA", Some("554 no"), "failed"),
        ("EHLO", None, "failed"),
        (".", Some("452 no space"), "failed"),
        (".", Some("554 spam"), "failed"),
        (".", None, "doubtful"),
    ] {
        mail.refuses(Some((what, answer)));
        let (value, ran) = watched.run(&[]);
        assert_eq!(ran.code, 1, "{what}: {ran:?}");
        assert_eq!(outcomes(&value), [("m".to_owned(), outcome.to_owned())], "{what}");
    }
    let first = mail.letters();
    mail.refuses(None);
    watched.good(&[]);
    let letters = mail.letters();
    assert_eq!(letters.len(), 1);
    let id = |letter: &String| {
        letter.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
    };
    assert_eq!(id(first.last().unwrap()), id(&letters[0]));
    // The header has a date.
    wording!(letters[0].split_once("\n\n").unwrap().1);
    assert!(!letters[0].lines().any(|line| line.starts_with("Bcc")), "{}", letters[0]);
}

#[test]
fn a_failing_target_gets_its_notices_later_and_delays_no_other() {
    let targets =
        |timeout: &str| format!("{HOOK}{timeout}[targets.z]\nkind = 'file'\npath = '../../z'\n");
    let watched = Watched::new(&targets(""));
    watched.world.make("Viewer", "SEC-1");
    let mut message = None;
    for (does, outcome, sent) in [
        (HookBehaviour::Answers(500), "failed", true),
        (HookBehaviour::Answers(404), "failed", true),
        (HookBehaviour::Answers(400), "failed", true),
        (HookBehaviour::Answers(429), "failed", true),
        (HookBehaviour::Redirects, "failed", true),
        (HookBehaviour::Closes, "doubtful", true),
        (HookBehaviour::BreaksOff, "doubtful", true),
        (HookBehaviour::Answers(502), "doubtful", true),
        (HookBehaviour::Waits, "doubtful", true),
        (HookBehaviour::Answers(503), "failed", true),
    ] {
        watched.hook.does(does);
        // Only the one that never responds needs a time limit.
        let waits = does == HookBehaviour::Waits;
        watched.configure(&targets(if waits { "timeout_ms = 2000\n" } else { "" }));
        let (value, ran) = watched.run(&[]);
        assert_eq!(ran.code, 1, "{does:?}: {ran:?}");
        assert_eq!(outcomes(&value)[0], ("hook".to_owned(), outcome.to_owned()), "{does:?}");
        assert_eq!(value["waiting"], 1, "{does:?}");
        let got = watched.hook.got();
        assert_eq!(got.len(), usize::from(sent), "{does:?}");
        let id = got[0].header("webhook-id").unwrap().to_owned();
        assert_eq!(*message.get_or_insert(id.clone()), id, "{does:?}");
    }
    // No process listens there.
    let refused = finish(watched.command(&[]).env("HOOK_URL", "http://127.0.0.1:9/hook-secret-7"));
    assert_eq!(refused.code, 1, "{refused:?}");
    wording!(refused.stdout);
    for (variable, bad) in [
        ("HOOK_URL", "http://e.example/hook-secret-7"),
        ("HOOK_URL", ""),
        ("CORTEXKEY_HOOK_SECRET", "short"),
    ] {
        let ran = finish(watched.command(&[]).env(variable, bad));
        assert!(ran.code == 1 && !ran.stdout.contains("hook-secret-7"), "{ran:?}");
    }
    assert!(watched.hook.got().is_empty());
    watched.hook.does(HookBehaviour::Answers(204));
    watched.good(&[]);
    let got = watched.hook.got();
    // An unconfirmed attempt was among them.
    assert_eq!((got.len(), &got[0].json()["repeat"]), (1, &true.into()));
    watched.good(&[]);
    assert!(watched.hook.got().is_empty());
    assert_eq!(watched.read("z").lines().count(), 1);
}

#[test]
fn a_run_killed_anywhere_loses_no_notice() {
    for does in [HookBehaviour::KillsBefore, HookBehaviour::KillsAfter] {
        let watched = Watched::new(HOOK);
        for at in 0..25 {
            watched.world.make("Viewer", &format!("SEC-{at}"));
        }
        watched.hook.does(does);
        let quiet = |command: &mut Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
            watched.hook.run(command)
        };
        assert!(!quiet(&mut watched.command(&[])));
        let killed: Vec<_> = watched.hook.got().iter().map(ReceivedRequest::json).collect();
        assert_eq!(killed.len(), usize::from(does == HookBehaviour::KillsAfter));
        watched.hook.does(HookBehaviour::Answers(200));
        watched.good(&[]);
        let bodies: Vec<Value> = watched.hook.got().iter().map(ReceivedRequest::json).collect();
        let reported: Vec<String> = bodies.iter().flat_map(ids).collect();
        let once: BTreeSet<_> = reported.iter().collect();
        assert_eq!((reported.len(), once.len()), (25, 25), "{does:?}");
        // Only the message that was being sent is marked.
        let repeats: Vec<_> = bodies.iter().map(|body| body["repeat"].as_bool()).collect();
        assert_eq!(repeats, [Some(true), Some(false)], "{does:?}");
        for body in killed {
            assert_eq!(body["id"], bodies[0]["id"]);
        }
        watched.good(&[]);
        assert!(watched.hook.got().is_empty());
    }
    // During calls to the tenant, no message is being sent.
    let watched = Watched::new(HOOK);
    watched.world.make("Viewer", "SEC-1");
    let killer = Killer::before(watched.world.tenant.url());
    let command = || {
        let mut command = watched.command(&[]);
        command.env("CORTEXKEY_FQDN", &killer.url).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    for when in [When::Before, When::After] {
        assert!(!killer.run(&mut command(), Some((1, when))).1);
        assert!(watched.hook.got().is_empty());
    }
    assert!(killer.run(&mut command(), None).1);
    assert_eq!(watched.hook.got().len(), 1);
}

#[test]
fn without_its_state_nothing_is_sent() {
    let watched = Watched::new(HOOK);
    watched.world.make("Viewer", "SEC-1");
    // A limit on the size of files simulates a full disk.
    let mut shell = Command::new("sh");
    let command = watched.command(&[]);
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\" | cat";
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    let environment = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.env_clear().envs(environment).current_dir(watched.world.folder.path());
    let ran = finish(&mut shell);
    assert!(ran.stderr.contains("state.json"), "{ran:?}");
    assert!(watched.hook.got().is_empty());

    fs::create_dir_all(watched.world.path("folder")).unwrap();
    fs::write(watched.world.path("damaged"), "{\"version\":1,\n\"targets\":[]}").unwrap();
    fs::write(watched.world.path("newer"), "{\"version\":2}").unwrap();
    let mut said = String::new();
    for (state, code) in [("damaged", 2), ("newer", 2), ("folder", 1), ("damaged/x", 1)] {
        let (_, ran) = watched.run(&["--state", state]);
        assert_eq!(ran.code, code, "{state}: {ran:?}");
        said.extend([format!("{state}\n{}", ran.stderr)]);
    }
    wording!(said);
    assert!(watched.hook.got().is_empty());

    // One run at a time.
    watched.hook.does(HookBehaviour::Waits);
    let mut first = watched.command(&[]).stdout(Stdio::null()).spawn().unwrap();
    while watched.hook.got().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (_, second) = watched.run(&[]);
    assert_eq!(second.code, 1, "{second:?}");
    wording!(second.stderr);
    watched.hook.does(HookBehaviour::Answers(200));
    assert!(first.wait().unwrap().success());
    watched.good(&[]);
    assert!(watched.hook.got().is_empty());
}

#[test]
fn an_unreachable_tenant_is_one_notice_and_keeps_its_events() {
    let watched = Watched::new(HOOK);
    watched.world.make("Viewer", "SEC-1");
    watched.good(&["--calendar", "keys.ics", "--metrics", "keys.prom"]);
    watched.hook.got();
    let before = watched.read("keys.ics");
    let dead = |args: &[&str]| {
        let mut command = watched.command(&[&["--retries", "0"], args].concat());
        finish(command.env("CORTEXKEY_FQDN", "http://127.0.0.1:9"))
    };
    let ran = dead(&["--calendar", "keys.ics", "--metrics", "keys.prom"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stderr);
    assert_eq!(watched.read("keys.ics"), before);
    let metrics = watched.read("keys.prom");
    assert!(metrics.contains("cortexkey_tenant_up{tenant=\"p\"} 0\n"), "{metrics}");
    assert!(!metrics.contains("cortexkey_key_expires_timestamp_seconds{"), "{metrics}");
    assert!(metrics.contains("cortexkey_tenant_last_success_timestamp_seconds{tenant=\"p\"} "));
    let got = watched.hook.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].json()["notices"][0]["kind"], "unreachable");
    // The same outage and the same keys are not reported again; a new outage is.
    assert_eq!(dead(&[]).code, 1);
    watched.good(&[]);
    assert!(watched.hook.got().is_empty());
    assert_eq!(dead(&[]).code, 1);
    assert_eq!(watched.hook.got().len(), 1);

    // A key that the tenant refuses and an unusable profile count as outages too.
    let refused = finish(watched.command(&[]).env("CORTEXKEY_API_KEY", "k7".repeat(64)));
    assert_eq!(refused.code, 1, "{refused:?}");
    watched.configure(&format!("{HOOK}[profiles.q]\nfqdn = 'q.example'\n"));
    let (value, ran) = watched.run(&["--profiles", "q"]);
    assert_eq!((ran.code, &value["tenants"][0]["queried"]), (1, &false.into()), "{ran:?}");
    assert_eq!(watched.run(&["--profiles", "q,nobody"]).1.code, 2);
    // The key in the environment is for one tenant. Only the first profile would use it.
    assert_eq!(watched.run(&["--profiles", "p"]).0["tenants"][0]["queried"], true);
    let (value, ran) = watched.run(&["--profiles", "p,q"]);
    assert_eq!((ran.code, &value["tenants"][0]["queried"]), (1, &false.into()), "{ran:?}");
}

#[test]
fn arguments_for_one_tenant_are_not_taken_for_several() {
    let watched = Watched::new(HOOK);
    for args in [
        &["--profile", "p"][..],
        &["--fqdn", "a.example"],
        &["--child-tenant", "7"],
        &["--key-id", "2"],
        &["--level", "standard"],
        &["--key-file", "key"],
        &["--key-stdin"],
        &["--key-store", "file:///keys.json#a"],
    ] {
        for command in [&["keys", "watch"][..], &["plan"], &["apply", "--yes"]] {
            let ran = watched.world.run(&[command, args, &["--profiles", "p,q"]].concat());
            assert_eq!(ran.code, 2, "{command:?} {args:?}: {ran:?}");
            assert!(ran.stderr.contains(args[0]) && ran.stderr.contains("--profiles"), "{ran:?}");
        }
    }
}

#[test]
fn without_a_target_due_notices_are_shown_as_unsent() {
    let watched = Watched::new("");
    watched.world.make("Viewer", "SEC-1");
    let mut said = String::new();
    for args in [&["--dry-run"][..], &["--metrics", "keys.prom"], &["--calendar", "keys.ics"]] {
        let value = watched.good(args);
        assert_eq!(value["due"].as_array().unwrap().len(), 1, "{args:?}: {value}");
        assert_eq!(value["withoutTarget"], serde_json::json!(["p"]), "{args:?}");
        let ran = finish(&mut watched.command(args));
        said.extend([format!("{args:?}\n{}", ran.stdout)]);
    }
    wording!(said);
    // A target for other tenants does not count for this one.
    watched.configure(&format!("{HOOK}profiles = ['q']\n[profiles.q]\nfqdn = 'q.example'\n"));
    let value = watched.good(&["--dry-run"]);
    assert_eq!(value["due"].as_array().unwrap().len(), 1, "{value}");
    assert_eq!(value["withoutTarget"], serde_json::json!(["p"]));
    // Once a target has it, nothing is due.
    watched.configure(HOOK);
    assert_eq!(watched.good(&[])["withoutTarget"], serde_json::json!([]));
    let ran = finish(&mut watched.command(&["--dry-run"]));
    wording!(ran.stdout);
}

#[test]
fn a_pipe_as_output_is_refused_instead_of_waited_for() {
    let watched = Watched::new("");
    let pipe = watched.world.path("pipe");
    assert!(cortexkey_system::command("mkfifo").arg(&pipe).status().unwrap().success());
    for option in ["--metrics", "--calendar"] {
        let (_, ran) = watched.run(&[option, "pipe"]);
        assert_eq!(ran.code, 2, "{ran:?}");
    }
}

#[test]
fn metrics_and_calendar_are_valid_for_their_readers() {
    let watched = Watched::new("");
    let odd =
        "a \"quoted\"\\ comment; with, all\nof it — and ümlauts that make the line long enough";
    let id = watched.world.make("Viewer", odd);
    let ran = watched.run(&["--metrics", "keys.prom", "--calendar", "keys.ics"]).1;
    assert_eq!(ran.code, 0, "{ran:?}");
    let metrics = watched.read("keys.prom");
    let samples = open_metrics(&metrics);
    let sample = |name: &str, labels: &[(&str, &str)]| {
        let fits = |has: &[(String, String)]| {
            labels.iter().all(|(name, value)| has.contains(&((*name).into(), (*value).into())))
        };
        let found: Vec<_> = samples.iter().filter(|(of, has, _)| of == name && fits(has)).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {metrics}");
        found[0].2
    };
    assert!((sample("cortexkey_tenant_up", &[("tenant", "p")]) - 1.0).abs() < 0.1);
    assert!((sample("cortexkey_keys", &[("level", "advanced")]) - 2.0).abs() < 0.1);
    assert!((sample("cortexkey_keys_by_role", &[("role", "Viewer")]) - 1.0).abs() < 0.1);
    let expires = sample("cortexkey_key_expires_timestamp_seconds", &[("key_id", &id.to_string())]);
    let record = watched.world.keys().into_iter().find(|key| key.id == id.get()).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a double is exact to the second for long")]
    let seconds = record.expiration.unwrap() as f64 / 1000.0;
    assert!((expires - seconds).abs() < 1.0);
    // The metrics that the alerts and the dashboard use exist.
    for file in ["alerts.yaml", "alerts.test.yaml", "grafana.json"] {
        let text = fs::read_to_string(packaging(file)).unwrap();
        for (at, _) in text.match_indices("cortexkey_") {
            let name = text[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = name.into_iter().next().unwrap();
            assert!(metrics.contains(&format!("# TYPE {name} gauge\n")), "{file}: {name}");
        }
    }
    // Without definitions, it is unknown which keys are unmanaged.
    assert!(!metrics.contains("cortexkey_keys_unmanaged{"));

    let calendar = watched.read("keys.ics");
    assert!(calendar.split_inclusive('\n').all(|line| line.ends_with("\r\n") && line.len() <= 77));
    let unfolded = calendar.replace("\r\n ", "");
    let lines: Vec<&str> = unfolded.split("\r\n").collect();
    assert_eq!((lines[0], lines[lines.len() - 2]), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
    let value = |name: &str| {
        let line = lines.iter().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {calendar}"))[name.len()..].to_owned()
    };
    assert_eq!(value("SUMMARY:"), format!("Key {id} of p expires"));
    wording!(value("DESCRIPTION:"));
    let uid = value("UID:");
    assert!(uid.starts_with(&format!("key-{id}.")) && uid.ends_with("@cortexkey"), "{uid}");
    assert_eq!(lines.iter().filter(|line| **line == "BEGIN:VALARM").count() % 2, 0);
    watched.run(&["--metrics", "keys.prom", "--calendar", "keys.ics"]);
    assert!(watched.read("keys.ics").replace("\r\n ", "").contains(&format!("UID:{uid}\r\n")));

    // If it cannot be written, the run reports that, and the old file stays.
    let (_, ran) = watched.run(&["--metrics", "no/such/folder", "--calendar", "."]);
    assert_eq!((ran.code, ran.stderr.matches("cannot write").count()), (1, 2), "{ran:?}");
}

fn packaging(file: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/watch").join(file)
}

#[test]
fn packaged_files_use_existing_options() {
    let unit = fs::read_to_string(packaging("cortexkey-watch.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/cortexkey "));
    let manifest = fs::read_to_string(packaging("kubernetes.yaml")).unwrap();
    let args = manifest.lines().find_map(|line| line.trim().strip_prefix("args: ["));
    let args = args.unwrap().trim_end_matches(']').replace(',', "");
    for line in [start.unwrap(), &args] {
        let line = format!("{line} --help");
        let ran = finish(&mut cortexkey(&line.split(' ').collect::<Vec<_>>()));
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    let (_, config) = manifest.split_once("config.toml: |\n").unwrap();
    let (config, _) = config.split_once("\n---").unwrap();
    let config = cortexkey_client::Config::parse(config, None, None).unwrap();
    assert_eq!((config.profiles.len(), config.targets.len()), (1, 1));
}

/// A metric's name, its labels and its value.
type Sample = (String, Vec<(String, String)>, f64);

/// Samples of the text format, parsed as strictly as the specification requires: metadata first,
/// each
/// metric once, escaped labels, no sample twice, the end mark.
fn open_metrics(text: &str) -> Vec<Sample> {
    let text = text.strip_suffix("# EOF\n").expect("the end mark");
    let mut samples = Vec::new();
    let mut names = BTreeSet::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(kind == "gauge" && names.insert(name.to_owned()), "{line}");
            name.clone_into(&mut current);
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').unwrap();
            assert!(name == current && name.ends_with(&format!("_{unit}")), "{line}");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.starts_with(&format!("{current} ")), "{line}");
        } else {
            assert!(seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "{line}");
            samples.push(sample(line, &current));
        }
    }
    samples
}

fn sample(line: &str, current: &str) -> Sample {
    let name: String =
        line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    assert_eq!(name, current, "{line}");
    let mut rest = &line[name.len()..];
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap();
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().unwrap() {
                    (at, '"') => break at,
                    (_, '\\') => match chars.next().unwrap().1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("an escape of {c:?}: {line}"),
                    },
                    (_, c) => value.push(c),
                }
            };
            labels.push((label.to_owned(), value));
            rest = &after[end + 1..];
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    (name, labels, rest.strip_prefix(' ').unwrap().parse().unwrap())
}

#[test]
fn definitions_provide_names_owners_drift_and_due_dates() {
    let watched = Watched::new(HOOK);
    let world = &watched.world;
    let policy = crate::common::definitions::POLICY.to_owned() + "notifyBefore: [60d, 1d]\n";
    fs::write(world.path("cortexkey.yaml"), policy).unwrap();
    let spec = "securityLevel: advanced; comment: Reads. SEC-1; lifetime: 50d; roles: [Viewer]";
    world.define("svc-reader", spec, "");
    world.good(&["apply", "--yes"]);
    let alone = world.make("Viewer", "nobody defined it");
    let id = world.keys().iter().map(|key| key.id).find(|id| *id != alone.get()).unwrap();
    let value = watched.good(&["--metrics", "keys.prom"]);
    assert_eq!(
        (&value["tenants"][0]["drifted"], &value["tenants"][0]["unmanaged"]),
        (&0.into(), &3.into())
    );
    let due = value["due"].as_array().unwrap();
    let notice = due.iter().find(|notice| notice["keyId"] == id).unwrap();
    assert_eq!((&notice["name"], &notice["owner"]), (&"svc-reader".into(), &"team".into()));
    assert_eq!(notice["before"], "60d");
    let metrics = watched.read("keys.prom");
    assert!(metrics.contains("cortexkey_keys_unmanaged{tenant=\"p\"} 3\n"), "{metrics}");
    assert!(metrics.contains("name=\"svc-reader\",owner=\"team\""), "{metrics}");

    // The key is changed in the console.
    world.good(&["keys", "edit", &id.to_string(), "--comment", "mine", "--yes"]);
    watched.good(&["--metrics", "keys.prom"]);
    let metrics = watched.read("keys.prom");
    assert!(metrics.contains("cortexkey_keys_drifted{tenant=\"p\"} 1\n"), "{metrics}");

    // Definitions that cannot be read are reported, and expiry notices are still sent.
    fs::write(world.path("cortexkey.lock"), "damaged").unwrap();
    let (value, ran) = watched.run(&["--before", "90d", "--metrics", "keys.prom"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(value["tenants"][0]["definitionsReason"].is_string(), "{value}");
    assert!(!watched.hook.got().is_empty());
    let metrics = watched.read("keys.prom");
    assert!(metrics.contains("cortexkey_definitions_up{tenant=\"p\"} 0\n"), "{metrics}");
    assert!(!metrics.contains("cortexkey_keys_unmanaged{"), "{metrics}");
}

#[test]
fn a_scrape_gets_the_latest_metrics_and_nothing_else() {
    let watched = Watched::new("");
    let mut command = watched.command(&["--every", "6h", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("metrics at http://").unwrap().strip_suffix("/metrics").unwrap();
    // The first check is complete once its output appears. A closed pipe would end the command.
    let mut out = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut out).unwrap();
    let ask = |request: &str| {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("application/openmetrics-text"));
    assert!(open_metrics(body).iter().any(|(name, ..)| name == "cortexkey_tenant_up"));
    assert!(ask("GET /metrics?x HTTP/1.0\r\n\r\n").contains("text/plain"));
    assert!(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn target_errors_contain_no_secrets() {
    let watched = Watched::new("");
    assert_eq!(watched.run(&[]).1.code, 2, "nobody to tell");
    for (target, field) in [
        ("kind = 'slack'\nurl = 'https://h.example/hook-secret-7'", "targets.t.url"),
        ("kind = 'slack'", "targets.t.url"),
        ("kind = 'pager'", "targets.t.kind"),
        ("url_env = 'X'", "targets.t.kind"),
        (
            "kind = 'webhook'\nurl = 'http://127.0.0.1'\nsecret = 'hook-secret-7'",
            "targets.t.secret",
        ),
        ("kind = 'webhook'\nurl_env = 'A'\nurl_file = 'b'", "targets.t.url"),
        ("kind = 'webhook'\nurl_env = 'hook-secret-7'", "targets.t.url_env"),
        ("kind = 'mail'\nhost = 'm'\nfrom = 'a@b.c'\nto = ['a@b.c']\nuser = 'u'", "password_env"),
        ("kind = 'mail'\nhost = 'm'\nfrom = 'a@b.c'\nto = []", "targets.t.to"),
        ("kind = 'mail'\nhost = 'm'\nport = 0\nfrom = 'a@b.c'\nto = ['a@b.c']", "targets.t.port"),
        ("kind = 'file'", "targets.t.path"),
        ("kind = 'file'\npath = 'x'\nurl_env = 'A'", "targets.t.url_env"),
    ] {
        watched.configure(&format!("[targets.t]\n{target}\n"));
        let (_, ran) = watched.run(&[]);
        assert_eq!(ran.code, 2, "{target}: {ran:?}");
        assert!(ran.stderr.contains(field), "{target}: {ran:?}");
    }
    watched.configure(HOOK);
    for args in [
        &["--targets", "nobody"][..],
        &["--before", "soon"],
        &["--every", "1m", "--dry-run"],
        &["--every", "30m", "--key-stdin"],
        &["--listen", "127.0.0.1:0"],
    ] {
        assert_eq!(watched.run(args).1.code, 2, "{args:?}");
    }
    // Testing targets and a dry run neither read nor write state.
    watched.world.make("Viewer", "SEC-1");
    let value = watched.good(&["--dry-run"]);
    assert_eq!(value["due"].as_array().unwrap().len(), 1);
    assert!(watched.hook.got().is_empty() && !watched.world.path("state").exists());
    let value = watched.good(&["--test-targets"]);
    assert_eq!(outcomes(&value), [("hook".to_owned(), "sent".to_owned())]);
    assert_eq!(watched.hook.got()[0].json()["notices"][0]["kind"], "test");
    assert!(!watched.world.path("state").exists());
    assert_eq!(cortexkey(&["keys", "watch", "--help"]).output().unwrap().status.code(), Some(0));
}
