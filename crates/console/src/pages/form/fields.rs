//! [`FormField`] and [`FormFault`]: the fields of a form, and what is wrong with them.

/// The fields that findings can be shown at, in the order of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pages) enum FormField {
    Level,
    Expires,
    Roles,
    Comment,
    /// The scope as a whole.
    Scope,
    Assets,
    Cases,
    Endpoints,
    Datasets,
    Name,
    Owner,
    /// None of the form's fields.
    Other,
}

impl FormField {
    pub(in crate::pages) const ALL: [(Self, &'static str); 12] = [
        (Self::Name, "at-name"),
        (Self::Owner, "at-owner"),
        (Self::Level, "at-level"),
        (Self::Comment, "at-comment"),
        (Self::Expires, "at-expires"),
        (Self::Roles, "at-roles"),
        (Self::Assets, "at-assets"),
        (Self::Cases, "at-cases"),
        (Self::Endpoints, "at-endpoints"),
        (Self::Datasets, "at-datasets"),
        (Self::Scope, "at-scope"),
        (Self::Other, "at-other"),
    ];

    /// The field whose line of the definition starts like this. A missing field is reported at the
    /// line of the mapping that lacks it, and shown at the field that sets it.
    pub(super) fn for_line(line: &str, code: &str) -> Self {
        match code {
            "N004" => return Self::Owner,
            "N006" => return Self::Comment,
            "A001" => return Self::Scope,
            "R007" => return Self::Roles,
            _ => {}
        }
        match line.trim_start().split(':').next().unwrap_or_default() {
            "name" => Self::Name,
            "owner" => Self::Owner,
            "securityLevel" => Self::Level,
            "comment" => Self::Comment,
            "expires" => Self::Expires,
            "roles" => Self::Roles,
            "assets" => Self::Assets,
            "casesAndIssues" => Self::Cases,
            "endpoints" => Self::Endpoints,
            "datasets" => Self::Datasets,
            "scope" => Self::Scope,
            _ => Self::Other,
        }
    }
}

/// What is missing or invalid in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pages) struct FormFault {
    pub(in crate::pages) at: FormField,
    /// In words.
    pub(in crate::pages) text: String,
}

impl FormFault {
    pub(super) fn new(at: FormField, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }

    /// All of them in words, one per line.
    pub(in crate::pages) fn lines(faults: &[Self]) -> String {
        let texts: Vec<&str> = faults.iter().map(|fault| fault.text.as_str()).collect();
        texts.join("\n")
    }
}
