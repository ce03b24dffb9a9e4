//! [`Ask`]: what a browser asks for, after the gate let it in.

use crate::session::Token;

/// More fields than any form here has.
const FIELDS_MAX: usize = 1000;

/// Names and values of a query or a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let fields = form_urlencoded::parse(text).take(FIELDS_MAX);
        // A browser ends lines of a text area with two characters.
        let value = |value: &str| value.replace("\r\n", "\n");
        Self(fields.map(|(name, text)| (name.into_owned(), value(&text))).collect())
    }

    /// The first value of a name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let named = |(known, value): &&(String, String)| known == name && !value.is_empty();
        self.0.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a name is there with any value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there are no fields.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with one value of a name in place of all that it has; without it where there is none.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: Option<&str>) -> Self {
        let others = self.0.iter().filter(|(known, _)| known != name).cloned();
        let new = value.map(|value| (name.to_owned(), value.to_owned()));
        Self(others.chain(new).collect())
    }

    /// As a query, without the names that have no value.
    pub(crate) fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.0.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }
}

/// How much of a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Its content, to be shown in a dialog.
    Dialog,
    /// What a change of a form's fields changes on the page.
    Live,
}

/// What a browser asks for.
#[derive(Debug)]
pub(crate) struct Ask {
    /// What stands at the places of the route, in their order.
    pub(crate) places: Vec<String>,
    /// The query.
    pub(crate) query: Fields,
    /// The form of a `POST`.
    pub(crate) form: Fields,
    /// How much of the page.
    pub(crate) part: Part,
    /// What each form must bring back.
    pub(crate) form_token: Token,
}

impl Ask {
    /// What stands at the route's first place.
    pub(crate) fn place(&self) -> &str {
        self.places.first().map_or("", String::as_str)
    }
}
