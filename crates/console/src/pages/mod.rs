//! The pages, one file each, and the list that the routes and the navigation are built from.

mod access;
mod delete;
mod edit;
mod examples;
mod find;
mod findings;
mod form;
mod history;
mod home;
mod key;
mod keys;
mod new_key;
mod notifications;
mod overview;
mod plan;
pub(crate) mod requests;
mod reveal;
mod rotate;
mod settings;

use crate::app::App;
use crate::options::Options;
use crate::page_request::PageRequest;
use crate::response::Response;

/// Renders a page. It may block.
pub(crate) type Handler = fn(&App, &PageRequest) -> Response;

/// A page.
pub(crate) struct Page {
    /// Its path; `{…}` is a parameter.
    pub(crate) path: &'static str,
    /// Its entry in the navigation.
    pub(crate) nav: Option<Nav>,
    /// Handles `GET`.
    pub(crate) get: Handler,
    /// Handles its forms.
    pub(crate) post: Option<Handler>,
}

/// An entry in the navigation.
pub(crate) struct Nav {
    /// The label.
    pub(crate) title: &'static str,
    /// Whether this console has the page.
    pub(crate) is_shown: fn(&Options) -> bool,
}

impl Page {
    /// A page without forms.
    const fn new(path: &'static str, get: Handler) -> Self {
        Self { path, nav: None, get, post: None }
    }

    /// With an entry in the navigation.
    const fn nav(mut self, title: &'static str, is_shown: fn(&Options) -> bool) -> Self {
        self.nav = Some(Nav { title, is_shown });
        self
    }

    /// Whether this console has the page: a page in the navigation exists only if its entry is
    /// shown.
    pub(crate) fn is_available(&self, options: &Options) -> bool {
        self.nav.as_ref().is_none_or(|nav| (nav.is_shown)(options))
    }

    /// With a form.
    const fn post(mut self, post: Handler) -> Self {
        self.post = Some(post);
        self
    }
}

const fn always(_: &Options) -> bool {
    true
}

fn has_definitions(options: &Options) -> bool {
    options.keys.is_some()
}

fn is_emulator(options: &Options) -> bool {
    options.emulator().is_some()
}

/// The entries of a console's navigation: paths and titles.
pub(crate) fn nav(options: &Options) -> Vec<(&'static str, &'static str)> {
    let shown = PAGES.iter().filter(|page| page.is_available(options));
    shown.filter_map(|page| Some((page.path, page.nav.as_ref()?.title))).collect()
}

/// All pages, those of the navigation in order.
pub(crate) const PAGES: &[Page] = &[
    Page::new("/", home::redirect_to_keys),
    Page::new("/leave", home::redirect_to_keys).post(home::sign_out),
    Page::new("/overview", overview::show).nav("Overview", always),
    Page::new("/keys", keys::show).nav("API Keys", always),
    Page::new("/keys/export", keys::export),
    Page::new("/keys/views", keys::show).post(keys::change_views),
    Page::new("/keys/new", new_key::show).post(new_key::generate),
    Page::new("/keys/new/check", new_key::show).post(new_key::check),
    Page::new("/keys/{id}", key::show),
    Page::new("/keys/{id}/examples", examples::show),
    Page::new("/keys/{id}/edit", edit::show).post(edit::edit),
    Page::new("/keys/{id}/edit/check", edit::show).post(edit::check),
    Page::new("/keys/{id}/rotate", rotate::show).post(rotate::rotate),
    Page::new("/keys/{id}/delete", delete::show).post(delete::delete),
    Page::new("/new-keys/{ticket}", reveal::show),
    Page::new("/plan", plan::show).nav("Plan", has_definitions),
    Page::new("/findings", findings::show).nav("Findings", has_definitions),
    Page::new("/findings/rules/{rule}", findings::rule),
    Page::new("/notifications", notifications::show).nav("Notifications", always),
    Page::new("/requests", requests::show).nav("Requests", is_emulator),
    Page::new("/settings", settings::show).post(settings::change).nav("Settings", is_emulator),
    Page::new("/settings/scopes", settings::show_scopes),
];
