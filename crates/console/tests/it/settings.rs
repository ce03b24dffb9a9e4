//! The emulator's settings: each form changes its own setting and nothing else.

use cortexkey_client::ObservedScope;
use cortexkey_core::access::{Product, TagMode};
use cortexkey_core::auth::KeyId;
use cortexkey_core::lifecycle::Expiry;
use cortexkey_tenant::{FaultKind, Options};

use crate::site::{Site, client};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[test]
fn scopes_are_enforced_after_the_losses_were_shown() {
    let site = Site::start();
    let browser = site.enter();
    let controls = site.tenant.controls();
    let page = browser.get("/settings/scopes").body;
    for id in [1, 2] {
        let row = page.split(&format!("<tr data-loses=\"{id}\">")).nth(1).unwrap();
        let row = row.split("</tr>").next().unwrap();
        assert!(row.contains("endpoints"), "{row}");
    }
    assert_eq!(browser.post("/settings", "set=scopes&on=1").status, 422);
    assert!(!controls.settings().enforce_scopes);
    assert_eq!(browser.post("/settings", "set=scopes&on=1&seen=1").status, 303);
    assert!(controls.settings().enforce_scopes);
    // A key's own page uses it.
    assert!(browser.get("/keys/2?ask=asset&groups=x").body.contains("Refused"));
    assert_eq!(browser.post("/settings", "set=scopes&on=0").status, 303);
    assert!(!controls.settings().enforce_scopes);
    assert!(browser.get("/keys/2?ask=asset&groups=x").body.contains("Allowed"));
    let scope = client(&site.tenant).scope(KeyId::new(2).unwrap()).unwrap().unwrap();
    assert!(ObservedScope::from(&scope).is_nothing(), "looking assigned no scope");
}

#[test]
fn tags_clock_and_faults_are_set() {
    let site = Site::start();
    let browser = site.enter();
    let controls = site.tenant.controls();
    assert_eq!(browser.post("/settings", "set=tags&tags=restrictive").status, 303);
    assert_eq!(controls.settings().tags, TagMode::Restrictive);
    assert_eq!(browser.post("/settings", "set=tags&tags=x").status, 422);

    let before = controls.now_ms();
    assert_eq!(browser.post("/settings", "set=clock&to=step&step=week").status, 303);
    assert!((7 * DAY_MS..8 * DAY_MS).contains(&(controls.now_ms() - before)));
    let at = "set=clock&to=time&date=2031-05-06&time=07:08";
    assert_eq!(browser.post("/settings", at).status, 303);
    assert!(browser.get("/settings").body.contains("2031-05-06T07:0"));
    let refused = browser.post("/settings", "set=clock&to=time&date=2031-02-30&time=07:08");
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("2031-02-30"), "what was typed stays");
    assert_eq!(browser.post("/settings", "set=clock&to=machine").status, 303);
    assert!(controls.now_ms().abs_diff(before) < DAY_MS);

    let fault = "set=fault&kind=status&value=503&times=2&path=%2Fpublic_api%2F";
    assert_eq!(browser.post("/settings", fault).status, 303);
    let slow = "set=fault&kind=slow&value=5&times=&after=1&path=%2Fnowhere";
    assert_eq!(browser.post("/settings", slow).status, 303);
    let faults = controls.faults();
    assert_eq!((faults[0].kind.clone(), faults[0].times), (FaultKind::status(503), Some(2)));
    assert_eq!((faults[1].times, faults[1].after), (None, true));
    for bad in
        ["kind=status&value=200", "kind=status&value=x", "kind=nothing", "kind=slow&value=60001"]
    {
        let refused =
            browser.post("/settings", &format!("set=fault&times=1&path=typed-path&{bad}"));
        assert_eq!(refused.status, 422, "{bad}");
        assert!(refused.body.contains("typed-path"), "{bad}");
    }
    // These would wait and never occur.
    for bad in
        ["kind=reset&times=0", "kind=reset&times=1&path=public_api", "kind=redirect&times=1&value="]
    {
        assert_eq!(browser.post("/settings", &format!("set=fault&{bad}")).status, 422, "{bad}");
    }
    assert_eq!(controls.faults().len(), 2);
    assert_eq!(browser.post("/settings", "set=no-faults").status, 303);
    assert!(controls.faults().is_empty());
    assert_eq!(browser.post("/settings", "set=nothing").status, 422);
}

#[test]
fn pages_stay_readable_when_the_clock_is_moved_again_and_again() {
    let site = Site::start();
    let browser = site.enter();
    for form in [
        "to=step&step=half-year",
        "to=step&step=half-year",
        "to=time&date=2003-04-05&time=06:07",
        "to=time&date=2222-04-05&time=06:07",
        "to=machine",
    ] {
        assert_eq!(browser.post("/settings", &format!("set=clock&{form}")).status, 303, "{form}");
        let page = browser.get("/keys?fresh=1").body;
        let last = site.tenant.controls().requests(1);
        assert!(!page.contains("data-fault=\"tenant\""), "{form}: {last:?}");
    }
    // Nothing can be signed at such a time.
    let early = browser.post("/settings", "set=clock&to=time&date=2000-01-01&time=00:00");
    assert_eq!(early.status, 422);
}

#[test]
fn a_key_without_an_expiry_is_shown_in_one_response() {
    let site = Site::start();
    let browser = site.enter();
    let form = "set=key&role=Viewer&level=standard&comment=from+the+dialog&once=1";
    let sent = browser.post("/settings", form);
    let made = browser.follow(&sent);
    assert_eq!((made.status, made.header("cache-control")), (200, Some("no-store")));
    let key = made.body.split("id=\"new-key\"").nth(1).unwrap();
    let key = key.split('>').nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(key.len(), 128);
    let rows = client(&site.tenant).key_rows().unwrap();
    let row = rows.last().unwrap();
    assert_eq!((row.expiry, row.comment.as_deref()), (Expiry::Never, Some("from the dialog")));
    assert!(!browser.get(&format!("/keys/{}", row.key_id)).body.contains(key));
    let again = browser.post("/settings", form);
    assert_eq!(browser.follow(&again).status, 410, "a reload generates no second key");
    assert_eq!(browser.post("/settings", "set=key&level=standard&once=2").status, 422);
    assert_eq!(client(&site.tenant).key_rows().unwrap().len(), rows.len());
}

#[test]
fn a_product_without_scopes_has_no_switch() {
    let options = Options { product: Product::Xsoar8, ..Options::default() };
    let site = Site::start_for(options, |_| {});
    let browser = site.enter();
    assert!(!browser.get("/settings").body.contains("href=\"/settings/scopes\""));
    let form = browser.get("/keys/new").body;
    assert!(!form.contains("name=\"has-scope\" value=\"1\" checked"), "{form}");
    assert_eq!(browser.post("/settings", "set=scopes&on=1&seen=1").status, 422);
}
