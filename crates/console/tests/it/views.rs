//! Saved views are stored for the user and are still there after the console restarts.

use crate::site::{Browser, Site};

fn site(folder: &std::path::Path) -> Site {
    let folder = folder.join("state");
    Site::start_with(|options| options.state_folder = Some(folder))
}

fn save(browser: &Browser<'_>, name: &str, query: &str) -> (u16, Option<String>) {
    let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let answer = browser.post("/keys/views", &format!("name={name}&query={encoded}"));
    (answer.status, answer.header("location").map(str::to_owned))
}

#[test]
fn a_view_is_there_when_the_console_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = site(folder.path());
    let browser = first.enter();
    let saved = save(&browser, "Mine <b>", "f.comment=a%26b&o.comment=is&page=3&col=id&fresh=1");
    let address = "/keys?f.comment=a%26b&o.comment=is&col=id";
    assert_eq!(saved, (303, Some(address.to_owned())));
    drop(first);
    let second = site(folder.path());
    let browser = second.enter();
    let page = browser.get("/keys").body;
    let link = format!("<a href=\"{}\">Mine &lt;b&gt;</a>", address.replace('&', "&amp;"));
    assert!(page.contains(&link), "{page}");
    // The same name replaces it.
    save(&browser, "Mine <b>", "");
    let page = browser.get("/keys").body;
    assert_eq!(page.matches("Mine &lt;b&gt;</a>").count(), 1);
    assert_eq!(browser.post("/keys/views", "delete=Mine+%3Cb%3E").status, 303);
    assert!(!browser.get("/keys").body.contains("Mine &lt;b&gt;"));
}

#[test]
fn a_view_without_a_name_and_too_many_views_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    let browser = site.enter();
    for name in ["", " ", "a\nb", &"x".repeat(41)] {
        assert_eq!(save(&browser, name, "").0, 422, "{name:?}");
    }
    assert_eq!(save(&browser, "long", &format!("f.comment={}", "x".repeat(8192))).0, 422);
    for at in 0..50 {
        assert_eq!(save(&browser, &at.to_string(), "").0, 303);
    }
    assert_eq!(save(&browser, "50", "").0, 422);
    assert_eq!(save(&browser, "7", "f.id=1").0, 303);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    let browser = site.enter();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    let file = folder.path().join("state/console-views.json");
    std::fs::write(&file, "not JSON").unwrap();
    assert!(browser.get("/keys").body.contains("console-views.json"));
    assert_eq!(save(&browser, "Mine", "").0, 422);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not JSON");
}

#[test]
fn two_consoles_that_save_a_view_at_once_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path());
    let browser = site.enter();
    assert_eq!(save(&browser, "first", "").0, 303);
    let file = folder.path().join("state/console-views.json");
    let lock = std::fs::File::options()
        .write(true)
        .open(folder.path().join("state/console-views.lock"))
        .unwrap();
    // Another console is about to save its own.
    lock.lock().unwrap();
    let saved = std::thread::scope(|scope| {
        let saving = scope.spawn(|| save(&browser, "second", ""));
        let other = std::fs::read_to_string(&file).unwrap();
        let other = other.replace("\"first\"", "\"other\"");
        std::fs::write(&file, other).unwrap();
        drop(lock);
        saving.join().unwrap()
    });
    assert_eq!(saved.0, 303);
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(stored.contains("\"other\"") && stored.contains("\"second\""), "{stored}");
}
