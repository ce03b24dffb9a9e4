//! The fields of every file format, each described once.
//!
//! Everything that depends on the set of fields comes from these tables: what the reader accepts
//! and requires, its suggestions, the order of fields (S006), the types that expressions of custom
//! rules see, the sample that they are tried on, the JSON schemas and their hover texts. To add a
//! field, add a row here and read it in `definition`, `policy` or `lock`.

mod key;
mod lock;
mod policy;

use std::collections::BTreeSet;
use std::sync::LazyLock;

pub(crate) use key::{ASSET_GROUP, SCOPE};
pub use key::{KEY, KEY_KIND, SCOPE_FILE};
pub(crate) use lock::LOCKED;
pub use lock::{LOCK, LOCK_KIND};
pub(crate) use policy::EXTENDED;
pub use policy::{CASES, CASES_KIND, MATCH, OVERRIDE, POLICY, POLICY_KIND, SETTINGS};

/// The version of the formats that this program reads.
pub const API_VERSION: &str = "cortexkey/v1";

/// Items of one list. An inventory may fill a file, and a key's lists are compared with each other.
pub const ITEMS_MAX: usize = 10_000;

/// One field of a mapping.
#[derive(Debug)]
pub struct FieldSpec {
    /// Its name in the file.
    pub name: &'static str,
    /// Whether it is required.
    pub presence: Presence,
    /// What it accepts.
    pub kind: FieldKind,
    /// An example value as YAML in one line; empty if no value would fit most files.
    pub example: &'static str,
    /// Its meaning, in one or two sentences.
    pub doc: &'static str,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    /// A missing or empty field is a mistake.
    Required,
    /// Required if the field named first, in the same mapping, has one of these words.
    RequiredWhen(&'static str, &'static [&'static str]),
    /// Optional. A key without a value is a mistake.
    Optional,
    /// A rule of the linter decides, so the reader accepts a missing or empty field.
    ByRule,
}

/// What a field accepts.
#[derive(Clone, Copy, Debug)]
pub enum FieldKind {
    /// Exactly this string.
    Const(&'static str),
    /// A string.
    Text,
    /// A string that matches this regular expression.
    Pattern(&'static str),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
    /// One of these words.
    Choice(fn() -> Vec<&'static str>),
    /// An RFC 3339 time with its offset, or a date.
    Moment,
    /// A time as in `Moment`, or `never`.
    Expiry,
    /// `90d`, `12h` or `30m`.
    Duration,
    /// A list.
    List(&'static Self),
    /// A string, or a list of strings of which any one matches.
    OneOrMore,
    /// Any names, each with a value of this kind.
    Map(&'static Self),
    /// A mapping with these fields.
    Fields(&'static Mapping),
    /// A name, or a mapping that has one.
    NameOr(&'static Mapping),
    /// Rules by name or code, each with these settings and the options of that rule.
    Rules(&'static Mapping),
}

/// The fields of one mapping, in their customary order.
#[derive(Debug)]
pub struct Mapping {
    /// The fields.
    pub fields: &'static [FieldSpec],
    /// Whether other fields are allowed: the options of a rule.
    pub is_open: bool,
}

impl Mapping {
    const fn of(fields: &'static [FieldSpec]) -> Self {
        Self { fields, is_open: false }
    }

    const fn open(fields: &'static [FieldSpec]) -> Self {
        Self { fields, is_open: true }
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldSpec> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of all fields, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.name).collect()
    }

    /// The mapping at a path such as `spec.scope`; this one for an empty path.
    #[must_use]
    pub fn at(&'static self, path: &str) -> Option<&'static Self> {
        let names = path.split('.').filter(|name| !name.is_empty());
        names.into_iter().try_fold(self, |mapping, name| match mapping.field(name)?.kind {
            FieldKind::Fields(inner) => Some(inner),
            _ => None,
        })
    }

    /// A document that has every field, each with its example.
    #[must_use]
    pub fn sample(&self) -> String {
        self.sample_with(&mut |_, field| Some(field))
    }

    /// Like [`sample`](Self::sample), where `edit` can replace each field, given its path.
    pub(crate) fn sample_with(
        &self,
        edit: &mut dyn FnMut(&str, String) -> Option<String>,
    ) -> String {
        let fields = self.sample_fields("", edit);
        fields.into_iter().map(|field| field + "\n").collect()
    }

    fn sample_fields(
        &self,
        path: &str,
        edit: &mut dyn FnMut(&str, String) -> Option<String>,
    ) -> Vec<String> {
        let mut fields = Vec::new();
        for field in self.fields {
            let dot = if path.is_empty() { "" } else { "." };
            let path = format!("{path}{dot}{}", field.name);
            let value = field.kind.sample(field.example, &path, edit);
            fields.extend(edit(&path, format!("{}: {value}", field.name)));
        }
        fields
    }

    /// True if `is` holds for a field of this mapping or of a nested one.
    #[must_use]
    pub fn any(&self, is: &dyn Fn(&FieldSpec) -> bool) -> bool {
        self.fields
            .iter()
            .any(|field| is(field) || field.kind.mapping().is_some_and(|inner| inner.any(is)))
    }

    /// Adds the names of fields, here and below, that accept more than any string.
    fn typed_names(&self, names: &mut BTreeSet<&'static str>) {
        for field in self.fields {
            if !field.kind.is_text() {
                names.insert(field.name);
            }
            if let Some(inner) = field.kind.mapping() {
                inner.typed_names(names);
            }
        }
    }
}

impl FieldKind {
    /// The mapping that values of this kind are or contain.
    #[must_use]
    pub const fn mapping(&self) -> Option<&'static Mapping> {
        match self {
            Self::Fields(inner) | Self::NameOr(inner) | Self::Rules(inner) => Some(inner),
            Self::List(kind) | Self::Map(kind) => kind.mapping(),
            _ => None,
        }
    }

    /// A value of this kind in one line.
    fn sample(
        &self,
        example: &str,
        path: &str,
        edit: &mut dyn FnMut(&str, String) -> Option<String>,
    ) -> String {
        match self {
            Self::Fields(inner) => {
                format!("{{ {} }}", inner.sample_fields(path, edit).join(", "))
            }
            Self::List(Self::Fields(inner)) => {
                format!("[{}]", Self::Fields(inner).sample("", path, edit))
            }
            Self::Map(Self::Fields(inner)) => {
                let inner = Self::Fields(inner).sample("", &format!("{path}.a"), edit);
                format!("{{ a: {inner} }}")
            }
            Self::Choice(words) if example.is_empty() => {
                words().first().copied().unwrap_or_default().to_owned()
            }
            _ => example.to_owned(),
        }
    }

    /// True when any string is valid.
    const fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Pattern(_) | Self::OneOrMore)
    }
}

/// All formats.
pub static FORMATS: [&Mapping; 4] = [&KEY, &POLICY, &CASES, &LOCK];

/// Whether a field of this name accepts something other than any string, in one of the formats. A
/// value that looks random is then not a value of the field, and may be a secret in the wrong line.
pub(crate) fn is_typed(name: &str) -> bool {
    // Called for each line and field of each file, so the tables are searched once.
    static TYPED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
        // Rules own their options; these take durations, flags and periods.
        let mut names = BTreeSet::from(["max", "allowNever", "windows"]);
        for format in FORMATS {
            format.typed_names(&mut names);
        }
        names
    });
    TYPED.contains(name)
}

const fn required(
    name: &'static str,
    kind: FieldKind,
    example: &'static str,
    doc: &'static str,
) -> FieldSpec {
    FieldSpec { name, presence: Presence::Required, kind, example, doc }
}

const fn optional(
    name: &'static str,
    kind: FieldKind,
    example: &'static str,
    doc: &'static str,
) -> FieldSpec {
    FieldSpec { name, presence: Presence::Optional, kind, example, doc }
}

const fn by_rule(
    name: &'static str,
    kind: FieldKind,
    example: &'static str,
    doc: &'static str,
) -> FieldSpec {
    FieldSpec { name, presence: Presence::ByRule, kind, example, doc }
}

/// `apiVersion`, the first field of every file.
const fn version() -> FieldSpec {
    required("apiVersion", FieldKind::Const(API_VERSION), API_VERSION, "The version of the format.")
}

/// `kind`, which names the format of the document.
const fn kind(kind: &'static str) -> FieldSpec {
    required("kind", FieldKind::Const(kind), kind, "What the document describes.")
}
