//! The table shows what the client reads and the core's filters select.

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};

use crate::site::{Answer, Browser, Site, client};

/// Generates keys with these comments, and returns their ids.
fn generate(site: &Site, comments: &[&str]) -> Vec<u64> {
    let client = client(&site.tenant);
    let one = |(at, comment): (usize, &&str)| {
        let request = GenerateRequest {
            roles: vec![if at % 2 == 0 { "Viewer" } else { "Responder" }.to_owned()],
            security_level: SecurityLevel::Advanced,
            expiration: None,
            comment: Some((*comment).to_owned()),
        };
        client.generate_key(&request).unwrap().id
    };
    comments.iter().enumerate().map(one).collect()
}

/// The ids of the rows, in their order.
fn ids(answer: &Answer) -> Vec<u64> {
    let rows = answer.body.split("<tr data-id=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

fn ids_of(browser: &Browser<'_>, query: &str) -> Vec<u64> {
    let whole = ids(&browser.get(&format!("/keys?{query}")));
    assert_eq!(ids(&browser.live(&format!("/keys?{query}"))), whole, "{query}");
    whole
}

#[test]
fn filters_select_matching_rows() {
    let site = Site::start();
    let made = generate(&site, &["svc-a-prod", "svc-b-dev", "Backup"]);
    assert_eq!(made, [3, 4, 5]);
    let browser = site.enter();
    for (query, wanted) in [
        ("", vec![1, 2, 3, 4, 5]),
        ("f.id=3", vec![3]),
        ("f.id=3,5&o.id=is", vec![3, 5]),
        ("f.id=3,5&o.id=not", vec![1, 2, 4]),
        ("f.comment=SVC", vec![3, 4]),
        ("f.comment=svc-*-prod&o.comment=pattern", vec![3]),
        ("f.comment=backup&o.comment=is", vec![5]),
        ("f.comment=svc&o.comment=without", vec![1, 2, 5]),
        ("f.role=viewer&o.role=is", vec![3, 5]),
        ("f.role=view&o.role=is", vec![]),
        ("f.role=viewer&o.role=is&f.comment=svc", vec![3]),
        ("f.role=viewer&o.role=is&f.comment=svc&join=or", vec![3, 4, 5]),
        ("f.security-level=standard&o.security-level=is", vec![1]),
        ("f.security-level=standard&o.security-level=not", vec![2, 3, 4, 5]),
        ("f.state=never", vec![1, 2]),
        ("f.expires=2001-01-01&o.expires=from", vec![3, 4, 5]),
        ("f.expires=2001-01-01&o.expires=from&empty=1", vec![1, 2, 3, 4, 5]),
        ("f.expires=2001-01-01&o.expires=until", vec![]),
        ("f.created=2001-01-01&o.created=prior", vec![]),
        ("f.created=2001-01-01&o.created=not", vec![1, 2, 3, 4, 5]),
        ("f.expires=2001-01-01&o.expires=not", vec![1, 2, 3, 4, 5]),
        ("f.id=3&f.comment=Backup&join=or", vec![3, 5]),
        ("f.id=3&f.comment=Backup&join=and", vec![]),
        ("sort=role&desc=1", vec![3, 5, 4, 1, 2]),
        ("sort=comment", vec![5, 1, 2, 3, 4]),
    ] {
        assert_eq!(ids_of(&browser, query), wanted, "{query}");
    }
}

#[test]
fn an_invalid_filter_matches_nothing_and_is_reported() {
    let site = Site::start();
    let browser = site.enter();
    for query in [
        "f.id=x",
        "f.expires=soon",
        "f.state=odd",
        "f.created=1960-01-01",
        // What is not known must not be taken for something else, or for nothing.
        "f.created=2026-01-01&o.created=before",
        "f.comment=x&o.comment=equals",
        "f.id=1&o.id=from",
        "f.security-level=standard&o.security-level=contains",
        "f.owners=x",
        "o.owners=is&f.id=1",
        "f.id=1&join=xor",
        "f.comment=x&empty=yes",
        "f.comment=generated&f.comment=x",
        "sort=size",
        "col=id&col=size",
        "desc=0",
    ] {
        let answer = browser.get(&format!("/keys?{query}"));
        assert!(ids(&answer).is_empty(), "{query}");
        assert!(answer.body.contains("class=\"bad\""), "{query}");
    }
}

#[test]
fn pages_have_50_rows_and_the_last_is_shown_beyond_the_end() {
    let site = Site::start();
    generate(&site, &["x"; 60]);
    let browser = site.enter();
    assert_eq!(ids_of(&browser, "").len(), 50);
    assert_eq!(ids_of(&browser, "page=2"), (51..=62).collect::<Vec<u64>>());
    assert_eq!(ids_of(&browser, "page=9"), (51..=62).collect::<Vec<u64>>());
    assert_eq!(ids_of(&browser, "page=0").len(), 50);
}

#[test]
fn exports_contain_all_matching_rows_and_no_formula() {
    let site = Site::start();
    generate(&site, &["=HYPERLINK(1)", "two\nlines\tand a tab", "plain"]);
    let browser = site.enter();
    let csv = browser.get("/keys/export?format=csv&f.id=3,4&o.id=is");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.body.lines().count(), 3);
    assert!(csv.body.contains(",'=HYPERLINK(1),"), "{}", csv.body);
    let tsv = browser.get("/keys/export?format=tsv&col=id&col=comment");
    let lines: Vec<&str> = tsv.body.lines().collect();
    assert_eq!(lines[0], "ID\tComment");
    assert_eq!(lines[4], "4\ttwo lines and a tab");
}

#[test]
fn an_export_for_an_invalid_address_is_an_error() {
    let site = Site::start();
    let browser = site.enter();
    for query in ["format=csv&f.id=x", "format=csv&f.owners=x", "format=xlsx"] {
        let answer = browser.get(&format!("/keys/export?{query}"));
        assert_eq!((answer.status, answer.header("content-disposition")), (422, None), "{query}");
    }
}

#[test]
fn a_copied_row_has_no_formula() {
    let site = Site::start();
    generate(&site, &["=HYPERLINK(1)", "+1", "\t@SUM(1)"]);
    let browser = site.enter();
    let page = browser.get("/keys").body;
    let rows: Vec<&str> = page.split("data-row=\"").skip(1).collect();
    assert_eq!(rows.len(), 5);
    for row in rows {
        let row = row.split('"').next().unwrap();
        assert!(
            row.split('\t').all(|cell| !cell.trim_start().starts_with(['=', '+', '@'])),
            "{row}"
        );
    }
}

#[test]
fn long_comments_and_addresses_make_no_heavy_page() {
    const BYTES_MAX: usize = 150_000;
    let site = Site::start();
    let comment = "<".repeat(1024);
    generate(&site, &[comment.as_str(); 60]);
    let browser = site.enter();
    let heavy = "&lt;".repeat(1024);
    let page = browser.get("/keys?page=2").body;
    assert_eq!(page.matches(&heavy).count(), 12, "each comment is there once, to be copied");
    let plain = "x".repeat(1024);
    generate(&site, &[plain.as_str(); 60]);
    let page = browser.get("/keys?fresh=1&page=3").body;
    assert!(page.len() < BYTES_MAX, "{} bytes", page.len());
    let columns: String = ["id", "created", "created-by", "user", "role", "comment", "owner"]
        .map(|column| format!("&col={column}"))
        .concat();
    let filter = "y".repeat(3900);
    let page = browser.get(&format!("/keys?f.comment={filter}{columns}"));
    assert_eq!(page.status, 200);
    assert!(page.body.len() < BYTES_MAX, "{} bytes", page.body.len());
    assert_eq!(browser.get(&format!("/keys?f.comment={filter}{filter}")).status, 414);
}

#[test]
fn a_filter_by_definition_selects_the_words_of_its_column() {
    let site = Site::start();
    let browser = site.enter();
    let unmanaged = ids_of(&browser, "f.definition=unmanaged&o.definition=is");
    assert_eq!(unmanaged, [1, 2]);
    assert!(ids_of(&browser, "f.definition=managed&o.definition=is").is_empty());
    assert_eq!(ids_of(&browser, "f.definition=managed&o.definition=not"), [1, 2]);
}

#[test]
fn deleting_requires_the_id_and_does_what_the_command_does() {
    let site = Site::start();
    let [id] = generate(&site, &["x"])[..] else { panic!("one key") };
    let browser = site.enter();
    let path = format!("/keys/{id}/delete");
    assert_eq!(browser.post(&path, "confirm=").status, 422);
    assert_eq!(browser.post(&path, "confirm=4").status, 422);
    assert_eq!(ids_of(&browser, "").len(), 3);
    let deleted = browser.post(&path, &format!("confirm={id}"));
    assert_eq!((deleted.status, deleted.header("location")), (303, Some("/keys")));
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 2);
    assert_eq!(browser.get(&path).status, 404);
}

#[test]
fn a_read_only_console_changes_nothing() {
    let site = Site::start_with(|options| options.allow_changes = false);
    let [id] = generate(&site, &["x"])[..] else { panic!("one key") };
    let browser = site.enter();
    assert_eq!(browser.post(&format!("/keys/{id}/delete"), &format!("confirm={id}")).status, 422);
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 3);
    assert!(!browser.get("/keys").body.contains("/delete"));
}

/// The filter of a hidden column would be lost with the next change of the form.
#[test]
fn a_filtered_column_is_shown() {
    let site = Site::start();
    let browser = site.enter();
    let field = "name=\"f.state\"";
    assert!(!browser.get("/keys").body.contains(field));
    assert!(browser.get("/keys?f.state=never&o.state=is").body.contains(field));
    assert!(browser.get("/keys?col=id&f.state=never&o.state=is").body.contains(field));
}

#[test]
fn words_that_no_question_and_no_list_has_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().to_owned();
    let site = Site::start_with(|options| options.keys = Some(keys));
    let browser = site.enter();
    let ask = "/keys/1?ask=component&name=Public+API";
    let answered = |path: &str| browser.get(path).body.contains("data-steps");
    assert!(answered(&format!("{ask}&level=edit")));
    for path in [
        format!("{ask}&level=admin"),
        "/keys/1?ask=issue&domain=IT&reference=everything".to_owned(),
        "/keys/1?ask=everything".to_owned(),
    ] {
        assert!(!answered(&path), "{path}");
        assert!(browser.get(&path).body.contains("data-fault=\"question\""), "{path}");
    }
    let findings = browser.get("/findings?severity=fatal").body;
    assert!(findings.contains("data-fault=\"severity\""), "{findings}");
    assert!(!findings.contains("0 findings"), "{findings}");
}
