//! [`PageRequest`]: a browser's request, after it passed the gate.

use crate::session::Token;

/// More fields than any form here has: each selected group or tag is one.
const FIELDS_MAX: usize = 8000;

/// The largest query. The links of a page repeat it.
pub(crate) const QUERY_BYTES_MAX: usize = 4 * 1024;

/// Names and values of a query or a form, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses `application/x-www-form-urlencoded`; `None` if there are too many fields.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        // A browser ends lines of a text area with two characters.
        let value = |value: &str| value.replace("\r\n", "\n");
        let fields = form_urlencoded::parse(text).take(FIELDS_MAX + 1);
        let fields: Vec<_> = fields.map(|(name, text)| (name.into_owned(), value(&text))).collect();
        (fields.len() <= FIELDS_MAX).then_some(Self(fields))
    }

    /// Parses a query. It has at most [`QUERY_BYTES_MAX`], so it never has too many fields.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default()
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

    /// Whether a name is present, with any value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are no fields.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with a single value for a name, which replaces all its values; without a value, the
    /// name is removed.
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

/// Which part of a page is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagePart {
    /// All of it.
    Whole,
    /// Its content, to be shown in a dialog.
    Dialog,
    /// The parts of the page that a change of a form's fields affects.
    Live,
}

/// A browser's request.
#[derive(Debug)]
pub(crate) struct PageRequest {
    /// The values of the route's parameters, in order.
    pub(crate) parameters: Vec<String>,
    /// The query.
    pub(crate) query: Fields,
    /// The form of a `POST`.
    pub(crate) form: Fields,
    /// Which part of the page.
    pub(crate) part: PagePart,
    /// Whether the response has no body: such a request consumes nothing.
    pub(crate) is_head: bool,
    /// The token that each form must contain.
    pub(crate) form_token: Token,
}

impl PageRequest {
    /// The route's first parameter.
    pub(crate) fn parameter(&self) -> &str {
        self.parameters.first().map_or("", String::as_str)
    }
}
