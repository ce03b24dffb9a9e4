//! Questions, from options or from JSON, in the form that the core answers.

use std::fmt;
use std::io;
use std::path::Path;

use cortexkey_core::access::{Endpoint, Permission, Question, Reference};
use cortexkey_manifest::closest;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::files;
use super::layout::plain;
use crate::exit::{Exit, Failure};

/// A question as JSON.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum JsonQuestion {
    Component {
        name: String,
        permission: Level,
    },
    Action {
        name: String,
    },
    Asset {
        groups: Vec<String>,
    },
    Finding {
        #[serde(rename = "assetGroups")]
        asset_groups: Vec<String>,
    },
    Issue(Issue),
    Case {
        domain: String,
        issues: Vec<Issue>,
    },
    Endpoint(EndpointOf),
    ManageEndpoint(EndpointOf),
    DatasetRow {
        dataset: String,
        #[serde(deserialize_with = "row")]
        row: Row,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    View,
    Edit,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    domain: String,
    references: Vec<Referenced>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointOf {
    pub(super) groups: Vec<String>,
    pub(super) tags: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Referenced {
    Asset {
        groups: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<EndpointOf>,
    },
    Deleted,
    Unknown,
}

/// Fields with their values, in the order given.
#[derive(Debug)]
pub(super) struct Row(Vec<(String, String)>);

impl JsonQuestion {
    /// Reads a question from a file; `-` is standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let unread = |error| Failure::from_error(Exit::NoInput, &error);
        let (bytes, shown) = if path.as_os_str() == "-" {
            let name = "standard input";
            (files::bounded(&mut io::stdin().lock(), name).map_err(unread)?, name.to_owned())
        } else {
            (files::read(path).map_err(unread)?, plain(&path.to_string_lossy()))
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let text = plain(&error.to_string());
            let failure = Failure::usage_error(format!("the question in {shown}: {text}"));
            failure.help(near(&error.to_string()).unwrap_or_else(|| {
                r#"a question is {"asset":{"groups":["prod-eu"]}}; `cortexkey access --help` shows more"#
                    .to_owned()
            }))
        })
    }

    /// A component with its level, as `NAME=LEVEL`.
    pub(super) fn component(text: &str) -> Result<Self, Failure> {
        let wrong = |message: String| {
            Failure::usage_error(message)
                .help("write NAME=LEVEL, as in --component \"Public API=edit\"")
        };
        let Some((name, level)) = text.rsplit_once('=') else {
            return Err(wrong(format!("--component {} names no level", plain(text))));
        };
        let level = level.trim();
        let permission = match level.parse() {
            Ok(Permission::View) => Level::View,
            Ok(Permission::Edit) => Level::Edit,
            Ok(Permission::None) => {
                return Err(wrong("every key has the level none: expected view or edit".into()));
            }
            Err(()) => {
                let hint = closest(level, ["view", "edit"]);
                let hint = hint.map_or(String::new(), |hint| format!("; did you mean `{hint}`?"));
                let level = plain(level);
                return Err(wrong(format!("{level} is not a level: expected view or edit{hint}")));
            }
        };
        Ok(Self::Component { name: name.trim().to_owned(), permission })
    }

    /// Whether it asks about visibility, and so about the scope.
    pub(super) fn is_about_scope(&self) -> bool {
        !matches!(self, Self::Component { .. } | Self::Action { .. })
    }

    /// In words that follow "may" and the key's name.
    pub(super) fn to_text(&self) -> String {
        let groups = |groups: &[String]| match groups {
            [] => "no group".to_owned(),
            [one] => format!("group {one}"),
            several => format!("groups {}", several.join(", ")),
        };
        match self {
            Self::Component { name, permission } => {
                format!("hold {name} at {}", permission.core())
            }
            Self::Action { name } => format!("use {name}"),
            Self::Asset { groups: names } => format!("see an asset in {}", groups(names)),
            Self::Finding { asset_groups } => {
                format!("see a finding about an asset in {}", groups(asset_groups))
            }
            Self::Issue(issue) => format!("see this issue of the domain {}", issue.domain),
            Self::Case { domain, .. } => format!("see this case of the domain {domain}"),
            Self::Endpoint(endpoint) => format!("see an endpoint in {}", endpoint.to_text(groups)),
            Self::ManageEndpoint(endpoint) => {
                format!("manage an endpoint in {}", endpoint.to_text(groups))
            }
            Self::DatasetRow { dataset, .. } => format!("see this row of {dataset}"),
        }
    }

    /// Calls `ask` with the core's form of the question.
    pub(super) fn with_core<R>(&self, ask: impl FnOnce(&Question<'_>) -> R) -> R {
        match self {
            Self::Component { name, permission } => {
                ask(&Question::Component { name, permission: permission.core() })
            }
            Self::Action { name } => ask(&Question::Action { name }),
            Self::Asset { groups } => ask(&Question::Asset { groups: &texts(groups) }),
            Self::Finding { asset_groups } => {
                ask(&Question::Finding { asset_groups: &texts(asset_groups) })
            }
            Self::Issue(issue) => {
                let lists = issue.lists();
                let references: Vec<_> = lists.iter().map(Lists::reference).collect();
                ask(&Question::Issue { domain: &issue.domain, references: &references })
            }
            Self::Case { domain, issues } => {
                let lists: Vec<_> = issues.iter().map(Issue::lists).collect();
                let references: Vec<Vec<_>> =
                    lists.iter().map(|l| l.iter().map(Lists::reference).collect()).collect();
                let issues: Vec<(&str, &[Reference<'_>])> = issues
                    .iter()
                    .zip(&references)
                    .map(|(issue, references)| (issue.domain.as_str(), references.as_slice()))
                    .collect();
                ask(&Question::Case { domain, issues: &issues })
            }
            Self::Endpoint(EndpointOf { groups, tags }) => {
                let groups = texts(groups);
                let tags = texts(tags);
                ask(&Question::Endpoint(Endpoint { groups: &groups, tags: &tags }))
            }
            Self::ManageEndpoint(EndpointOf { groups, tags }) => {
                let groups = texts(groups);
                let tags = texts(tags);
                ask(&Question::ManageEndpoint(Endpoint { groups: &groups, tags: &tags }))
            }
            Self::DatasetRow { dataset, row } => {
                let row: Vec<(&str, &str)> =
                    row.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                ask(&Question::DatasetRow { dataset, row: &row })
            }
        }
    }
}

impl Level {
    fn core(self) -> Permission {
        match self {
            Self::View => Permission::View,
            Self::Edit => Permission::Edit,
        }
    }
}

impl EndpointOf {
    fn to_text(&self, groups: impl Fn(&[String]) -> String) -> String {
        match self.tags.as_slice() {
            [] => format!("{}, without tags", groups(&self.groups)),
            tags => format!("{}, with tags {}", groups(&self.groups), tags.join(", ")),
        }
    }
}

/// The names of a reference, borrowed.
enum Lists<'a> {
    Asset { groups: Vec<&'a str>, endpoint: Option<(Vec<&'a str>, Vec<&'a str>)> },
    Deleted,
    Unknown,
}

impl Lists<'_> {
    fn reference(&self) -> Reference<'_> {
        match self {
            Self::Asset { groups, endpoint } => Reference::Asset {
                groups,
                endpoint: endpoint.as_ref().map(|(groups, tags)| Endpoint { groups, tags }),
            },
            Self::Deleted => Reference::Deleted,
            Self::Unknown => Reference::Unknown,
        }
    }
}

impl Issue {
    fn lists(&self) -> Vec<Lists<'_>> {
        let references = self.references.iter().map(|reference| match reference {
            Referenced::Asset { groups, endpoint } => Lists::Asset {
                groups: texts(groups),
                endpoint: endpoint.as_ref().map(|e| (texts(&e.groups), texts(&e.tags))),
            },
            Referenced::Deleted => Lists::Deleted,
            Referenced::Unknown => Lists::Unknown,
        });
        references.collect()
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// A row as an object of strings, in which each field occurs once.
fn row<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Row, D::Error> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Row;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of field names and strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
            let mut row: Vec<(String, String)> = Vec::new();
            while let Some((name, value)) = map.next_entry()? {
                if row.iter().any(|(known, _)| *known == name) {
                    return Err(A::Error::custom(format_args!("the field `{name}` occurs twice")));
                }
                row.push((name, value));
            }
            Ok(Row(row))
        }
    }
    deserializer.deserialize_map(Fields)
}

/// The name that was most likely meant.
fn near(error: &str) -> Option<String> {
    let rest = error.strip_prefix("unknown field ").or(error.strip_prefix("unknown variant "))?;
    let (written, known) = rest.split_once(", expected ")?;
    let best = closest(written.trim_matches('`'), known.split('`').skip(1).step_by(2))?;
    Some(format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<JsonQuestion, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn questions_are_read_strictly() {
        for good in [
            r#"{"component":{"name":"Public API","permission":"edit"}}"#,
            r#"{"action":{"name":"Live Terminal"}}"#,
            r#"{"asset":{"groups":[]}}"#,
            r#"{"finding":{"assetGroups":["a"]}}"#,
            r#"{"issue":{"domain":"IT","references":[{"asset":{"groups":["a"]}},"deleted","unknown"]}}"#,
            r#"{"case":{"domain":"IT","issues":[{"domain":"IT","references":[]}]}}"#,
            r#"{"endpoint":{"groups":["g"],"tags":[]}}"#,
            r#"{"manage-endpoint":{"groups":["g"],"tags":["t"]}}"#,
            r#"{"dataset-row":{"dataset":"xdr_data","row":{"_vendor":"acme"}}}"#,
        ] {
            let asked = read(good).unwrap();
            assert_eq!(serde_json::to_string(&asked).unwrap(), good);
            assert_eq!(asked.is_about_scope(), !good.contains("name\""));
            assert!(!asked.with_core(|question| format!("{question:?}")).is_empty());
        }
        for (bad, why) in [
            (r#"{"isue":{}}"#, "unknown variant `isue`"),
            (r#"{"asset":{"groups":["a"],"tags":[]}}"#, "unknown field `tags`"),
            (r#"{"asset":{}}"#, "missing field `groups`"),
            (r#"{"asset":{"groups":["a"],"groups":["b"]}}"#, "duplicate field `groups`"),
            (r#"{"issue":{"domain":"IT","references":["gone"]}}"#, "unknown variant `gone`"),
            (r#"{"dataset-row":{"dataset":"d","row":{"a":"1","a":"2"}}}"#, "occurs twice"),
            (r#"{"asset":{"groups":[]}} x"#, "trailing characters"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn near_misses_are_named() {
        let error = read(r#"{"issue":{"domian":"IT","references":[]}}"#).unwrap_err();
        assert_eq!(near(&error).unwrap(), "did you mean `domain`?");
        let error = read(r#"{"isue":{}}"#).unwrap_err();
        assert_eq!(near(&error).unwrap(), "did you mean `issue`?");
        assert_eq!(near("EOF while parsing"), None);
    }
}
