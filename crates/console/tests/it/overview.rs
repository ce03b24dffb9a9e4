//! The overview and the report files: their figures are the model's, and they contain no active
//! content.

use std::fs;

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use cortexkey_client::time::now_ms;
use cortexkey_console::{inventory_html, report_html};
use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{DefinitionSource, KeyInventory, Scopes, Snapshot, TenantReport};
use cortexkey_manifest::lock::{Lock, LockedKey, LockedTenant};

use crate::site::{Site, client};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// An attack in a comment, a name or an owner.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title></style><script>alert(1)</script>",
    "' style='background:url(//x)' x='",
    "&lt;script&gt; &amp; &#60;",
    "javascript:alert(1)",
    "\u{202e}gnitseretni \u{200b}\u{feff}",
    "\u{1b}[31m\u{7}\u{0}",
];

fn generate(site: &Site, role: &str, comment: &str, days: u64) -> u64 {
    let request = GenerateRequest {
        roles: vec![role.to_owned()],
        security_level: SecurityLevel::Advanced,
        expiration: Some(now_ms() + days * DAY_MS),
        // The emulator does not accept NUL.
        comment: Some(comment.replace('\0', "")),
    };
    client(&site.tenant).generate_key(&request).unwrap().id
}

/// A folder with a policy and one definition.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let policy = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n\
                  keys: [\"*.key.yaml\"]\n";
    fs::write(folder.path().join("cortexkey.yaml"), policy).unwrap();
    let key = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  name: svc\n  owner: \
               \"<b>soc</b>\"\nspec:\n  securityLevel: advanced\n  lifetime: 60d\n  roles: [Viewer]\n";
    fs::write(folder.path().join("svc.key.yaml"), key).unwrap();
    folder
}

fn report(site: &Site, source: Option<&DefinitionSource>) -> TenantReport {
    let client = client(&site.tenant);
    let snapshot = Snapshot::read(&client, source, now_ms()).unwrap();
    let ids = snapshot.rows.iter().map(|row| row.record.key_id);
    let scopes = Scopes::read(&client, ids, &|| {}).unwrap();
    TenantReport::of_tenant(&client, &snapshot, &scopes, None)
}

/// The tags of a file, without the stylesheet. No text or attribute value contains `<` or `>`.
fn tags(html: &str) -> Vec<&str> {
    let (head, rest) = html.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    let tags = [head, body].into_iter().flat_map(|part| part.split('<').skip(1));
    tags.map(|tag| tag.split('>').next().unwrap()).collect()
}

/// The figures of a page: titles and counts.
fn figures(html: &str) -> Vec<(String, String)> {
    let list = html.split("<ul class=\"figures card\">").nth(1).unwrap();
    let items = list.split("</ul>").next().unwrap().split("<li>").skip(1);
    let text = |item: &str, tag: &str| {
        let inner = item.split(tag).nth(1).unwrap();
        inner.split('<').next().unwrap().trim_start_matches(|c| c != '>').replace('>', "")
    };
    items.map(|item| (text(item, "<span"), text(item, "<strong"))).collect()
}

#[test]
fn the_page_the_report_and_the_table_have_the_same_figures() {
    let folder = folder();
    let source =
        DefinitionSource { folder: folder.path().to_owned(), ..DefinitionSource::default() };
    let site = Site::start_with(|options| options.keys = Some(folder.path().to_owned()));
    for (role, days) in [("Viewer", 3), ("Viewer", 20), ("Instance Administrator", 90)] {
        generate(&site, role, "x", days);
    }
    let report = report(&site, Some(&source));
    let browser = site.enter();
    let page = browser.get("/overview").body;
    let wanted: Vec<(String, String)> = report
        .overview()
        .figures()
        .into_iter()
        .map(|figure| (figure.title.to_owned(), figure.count.to_string()))
        .collect();
    assert_eq!(figures(&page), wanted);
    assert_eq!(figures(&report_html(&report)), wanted);
    // Each figure's link leads to that number of rows.
    for item in page.split("<li><a href=\"/keys").skip(1).take(wanted.len()) {
        let address = item.split('"').next().unwrap().replace("&amp;", "&");
        let count = item.split("</strong>").next().unwrap().rsplit('>').next().unwrap();
        let rows = browser.get(&format!("/keys{address}")).body;
        assert_eq!(rows.matches("<tr data-id=").count().to_string(), count, "{address}");
    }
}

#[test]
fn the_timeline_is_a_picture_and_a_table_of_the_same_figures() {
    let site = Site::start();
    for days in [3, 3, 20] {
        generate(&site, "Viewer", "x", days);
    }
    let page = site.enter().get("/overview").body;
    let description = page.split("<desc id=\"timeline-text\">").nth(1).unwrap();
    let description = description.split('<').next().unwrap();
    let rows: Vec<(&str, &str)> = page
        .split("How many keys expire when")
        .nth(1)
        .unwrap()
        .split("<th scope=\"row\">")
        .skip(1)
        .take(29)
        .map(|row| {
            let (words, rest) = row.split_once('<').unwrap();
            let count = rest.split("class=\"number\">").nth(1).unwrap();
            (words, count.split('<').next().unwrap())
        })
        .collect();
    assert_eq!(rows.len(), 29);
    let listed: Vec<String> = rows
        .iter()
        .filter(|(_, count)| *count != "0")
        .map(|(words, count)| format!("{words}: {count}"))
        .collect();
    assert_eq!(listed.join("; "), description);
    assert_eq!(listed.len(), 3);
    assert!(listed[0].ends_with(": 2"), "{listed:?}");
}

#[test]
fn hostile_text_is_text_in_pages_and_files() {
    let site = Site::start();
    for text in HOSTILE {
        let text = text.replace('\0', "");
        generate(&site, "Viewer", &text, 3);
    }
    let report = report(&site, None);
    let client = client(&site.tenant);
    let snapshot = Snapshot::read(&client, None, now_ms()).unwrap();
    let ids = snapshot.rows.iter().map(|row| row.record.key_id);
    let scopes = Scopes::read(&client, ids, &|| {}).unwrap();
    let inventory = KeyInventory::read(&client, &snapshot, &scopes, None, 0).unwrap();
    let files = [report_html(&report), inventory_html(&inventory)];
    for html in files.iter().chain([&site.enter().get("/overview").body]) {
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(!html.contains("<img"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
    for html in &files {
        for tag in tags(html) {
            assert!(!tag.starts_with("script"), "{tag}");
            for attribute in ["on", "style=", "src=", "href="] {
                assert!(!tag.contains(&format!(" {attribute}")), "{tag}");
            }
        }
        assert_eq!(html.matches("<style>").count(), 1);
        assert!(!html.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{7}']));
        assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    }
}

#[test]
fn an_unreadable_tenant_is_reported_and_the_last_snapshot_stays() {
    let site = Site::start();
    let browser = site.enter();
    assert_eq!(browser.get("/overview").status, 200);
    client(&site.tenant).delete_keys(&[KeyId::new(2).unwrap()]).unwrap();
    let page = browser.get("/overview?fresh=1").body;
    assert!(page.contains("role=\"alert\""), "{page}");
    assert_eq!(figures(&page)[0], ("Keys".to_owned(), "2".to_owned()));
}

#[test]
fn each_scope_is_read_once_for_a_page() {
    let folder = folder();
    let site = Site::start_with(|options| options.keys = Some(folder.path().to_owned()));
    for _ in 0..3 {
        generate(&site, "Viewer", "x", 60);
    }
    // As `import` records it: comparing the key with its definition needs its scope.
    let host = client(&site.tenant).address().host().to_owned();
    let key = LockedKey { id: KeyId::new(3), ..LockedKey::default() };
    let keys = [("svc".to_owned(), key)].into();
    let tenants = [("main".to_owned(), LockedTenant { host, keys })].into();
    fs::write(folder.path().join("cortexkey.lock"), Lock { tenants }.to_yaml()).unwrap();
    let browser = site.enter();
    let before = site.tenant.controls().requests(usize::MAX).len();
    assert_eq!(browser.get("/overview?fresh=1").status, 200);
    let requests = site.tenant.controls().requests(usize::MAX).split_off(before);
    let mut read: Vec<String> = requests.iter().map(|line| line.path.clone()).collect();
    read.retain(|path| path.contains("/scope/"));
    let count = read.len();
    read.sort_unstable();
    read.dedup();
    assert_eq!((count, read.len()), (5, 5), "{read:?}");
    // Its key was compared.
    assert!(browser.get("/keys/3").body.contains("svc.key.yaml"));
}
