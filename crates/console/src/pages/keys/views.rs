//! Saved views of the table: names and filters, in a file of the user.
//!
//! The browser cannot store them, because the console has a different address after each start.

use core::time::Duration;
use std::path::PathBuf;

use cortexkey_system::{Links, WriteOptions, chain, lock_exclusively, read, replace};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::error::BoxError;
use crate::page_request::{Fields, PageRequest, QUERY_BYTES_MAX};
use crate::parts::layout;
use crate::response::{self, Response};

const FILE_NAME: &str = "console-views.json";
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const VIEWS_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 40;

/// Locked while the file is changed, by this console or another one.
const LOCK_NAME: &str = "console-views.lock";
/// How long another console may take to change the file.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

#[derive(Default, Serialize, Deserialize)]
struct Views {
    views: Vec<View>,
}

#[derive(Serialize, Deserialize)]
struct View {
    name: String,
    query: String,
}

/// Saves the view of the form, or deletes the one that it names.
pub(in crate::pages) fn change(app: &App, request: &PageRequest) -> Response {
    let query = request.form.get("query").unwrap_or_default();
    if query.len() > QUERY_BYTES_MAX {
        return super::page(app, request, Some("the filters are too long to be saved"));
    }
    let query = Fields::of_query(Some(query));
    let query = query.with("page", None).with("fresh", None).with("token", None).to_query();
    let address = if query.is_empty() { "/keys".to_owned() } else { format!("/keys?{query}") };
    let changed = match request.form.get("delete") {
        Some(name) => update(app, |views| {
            views.retain(|view| view.name != name);
            Ok(())
        }),
        None => request.form.get("name").map_or_else(
            || Err("a view needs a name".into()),
            |name| save(app, name.trim(), query),
        ),
    };
    match changed {
        Ok(()) => response::redirect(&address),
        Err(error) => super::page(app, request, Some(&chain(error.as_ref()))),
    }
}

fn save(app: &App, name: &str, query: String) -> Result<(), BoxError> {
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(format!("the name of a view has 1 to {NAME_CHARS_MAX} characters").into());
    }
    update(app, |views| {
        views.retain(|view| view.name != name);
        if views.len() >= VIEWS_MAX {
            return Err(format!("there are {VIEWS_MAX} views already: delete one").into());
        }
        views.push(View { name: name.to_owned(), query });
        Ok(())
    })
}

fn update(
    app: &App,
    change: impl FnOnce(&mut Vec<View>) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    let path = path(app)?;
    let lock = path.with_file_name(LOCK_NAME);
    let _changing = lock_exclusively(&lock, LOCK_WAIT_MAX)
        .map_err(|error| format!("{} cannot be locked: {error}", lock.display()))?;
    let mut stored = load(app)?;
    change(&mut stored.views)?;
    let bytes = serde_json::to_vec(&stored)?;
    replace(&path, &bytes, WriteOptions::new(Links::Refuse).private())?;
    Ok(())
}

fn load(app: &App) -> Result<Views, BoxError> {
    let path = path(app)?;
    let bytes = match read(&path, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(Views::default()),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} has no views: {error}", path.display()).into())
}

fn path(app: &App) -> Result<PathBuf, BoxError> {
    let folder = app.options.state_folder.as_ref();
    let folder = folder.ok_or("there is no folder for saved views: set HOME or XDG_STATE_HOME")?;
    Ok(folder.join(FILE_NAME))
}

/// The views, and the form that saves the current one.
pub(super) fn menu(app: &App, request: &PageRequest, query: &Markup) -> Markup {
    html! {
        button type="button" class="drop" popovertarget="views" { "Views" }
        div id="views" class="drop-body" popover {
            @match load(app) {
                Err(why) => p class="bad" { (why) },
                Ok(stored) => {
                    @if !stored.views.is_empty() {
                        form method="post" action="/keys/views" {
                            (layout::token_field(request))
                            ul class="views" { @for view in &stored.views {
                                li {
                                    a href={ "/keys?" (view.query) } { (view.name) }
                                    button class="quiet" name="delete" value=(view.name)
                                        aria-label={ "Delete the view " (view.name) } { "✕" }
                                }
                            } }
                        }
                    }
                    form method="post" action="/keys/views" {
                        (layout::token_field(request))
                        span id="view-query" { (query) }
                        label {
                            "Name"
                            input type="text" name="name" maxlength=(NAME_CHARS_MAX) required
                                autocomplete="off";
                        }
                        button type="submit" { "Save this view" }
                    }
                }
            }
        }
    }
}
