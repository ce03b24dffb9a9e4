//! [`Line`]s: the people or teams that each get a key, from a CSV file or the tenant's users.
//!
//! Security settings have no built-in defaults. A role, level, expiry or scope that a line leaves
//! empty comes from the options of the run, or is an error. All mistakes are reported at once.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use cortexkey_api::user::UserRecord;
use cortexkey_core::access::{Area, CasesAndIssues, EndpointScope, Scope, Unreferenced};
use cortexkey_core::auth::Level;
use cortexkey_manifest::is_invisible;
use thiserror::Error;

use crate::plan::DefinedScope;
use crate::resources::{CommentError, check_comment};
use crate::sink::is_name;
use crate::time::{duration_ms, time_ms};

/// The largest number of lines; each line gets a key.
const LINES_MAX: usize = 1000;
const FIELD_CHARS_MAX: usize = 500;
const COLUMNS: [&str; 12] = [
    "name",
    "owner",
    "roles",
    "level",
    "expires",
    "lifetime",
    "comment",
    "assets",
    "cases",
    "unreferenced",
    "endpoints",
    "endpoint_tags",
];
const SCOPE: [&str; 5] = ["assets", "cases", "unreferenced", "endpoints", "endpoint_tags"];

/// One key to generate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// The line of the file, or the position among the tenant's users, counted from 1.
    pub number: usize,
    /// The sink's name for the key, unique in the list.
    pub name: String,
    /// The key's owner.
    pub owner: String,
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub level: Level,
    /// When it expires.
    pub end: KeyEnd,
    /// Its comment, unique in the list.
    pub comment: String,
    /// Its scope, if the list has scopes.
    pub scope: Option<DefinedScope>,
}

/// When a key expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEnd {
    /// At this time, in milliseconds since 1970.
    At(u64),
    /// This many milliseconds after it is generated.
    After(u64),
}

/// The values for fields that a line leaves empty.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The roles.
    pub roles: Vec<String>,
    /// The security level.
    pub level: Option<Level>,
    /// When the key expires.
    pub end: Option<KeyEnd>,
    /// The comment, with `{name}` and `{owner}` in it.
    pub comment: Option<String>,
}

/// A mistake in a line, in words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
struct Mistake(String);

impl From<String> for Mistake {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Mistake {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// All mistakes of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListError {
    /// Each with the number of its line; 0 if it concerns the list itself.
    pub mistakes: Vec<(usize, String)>,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (line, mistake)) in self.mistakes.iter().enumerate() {
            let end = if at + 1 < self.mistakes.len() { "\n" } else { "" };
            match line {
                0 => write!(f, "{mistake}{end}")?,
                line => write!(f, "line {line}: {mistake}{end}")?,
            }
        }
        Ok(())
    }
}

impl core::error::Error for ListError {}

/// Reads a CSV file with a heading.
pub fn read_csv(text: &str, defaults: &Defaults) -> Result<Vec<Line>, ListError> {
    let mut reading = Reading::new(defaults);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns: Vec<String> = match csv.headers() {
        Ok(headings) => headings.iter().map(str::to_ascii_lowercase).collect(),
        Err(error) => return Err(whole(csv_mistake(&error))),
    };
    check_columns(&columns)?;
    reading.has_scopes = columns.iter().any(|name| SCOPE.contains(&name.as_str()));
    for record in csv.records() {
        if reading.lines.len() + reading.mistakes.len() >= LINES_MAX {
            return Err(whole(format!("there are more than {LINES_MAX} lines")));
        }
        match record {
            Ok(record) => {
                let number = record.position().map_or(0, |place| line_at(text, place));
                let fields = columns.iter().map(String::as_str).zip(&record);
                reading.line(number, &fields.filter(|(_, text)| !text.is_empty()).collect());
            }
            Err(error) => {
                let line = error.position().map_or(0, |place| line_at(text, place));
                reading.mistakes.push((line, csv_mistake(&error)));
            }
        }
    }
    reading.end()
}

/// Reads the tenant's users: each gets a key named after the user's e-mail address.
pub fn read_users(users: &[UserRecord], defaults: &Defaults) -> Result<Vec<Line>, ListError> {
    let mut reading = Reading::new(defaults);
    if users.len() > LINES_MAX {
        return Err(whole(format!("there are more than {LINES_MAX} users")));
    }
    for (at, user) in users.iter().enumerate() {
        let email = user.user_email.as_str();
        reading.line(at + 1, &[("name", email), ("owner", email)].into());
    }
    reading.end()
}

struct Reading<'a> {
    defaults: &'a Defaults,
    has_scopes: bool,
    lines: Vec<Line>,
    mistakes: Vec<(usize, String)>,
}

type Fields<'a> = BTreeMap<&'a str, &'a str>;

impl<'a> Reading<'a> {
    fn new(defaults: &'a Defaults) -> Self {
        Self { defaults, has_scopes: false, lines: Vec::new(), mistakes: Vec::new() }
    }

    fn line(&mut self, number: usize, fields: &Fields<'_>) {
        match self.read(number, fields) {
            Ok(line) => self.lines.push(line),
            Err(mistake) => self.mistakes.push((number, mistake.0)),
        }
    }

    fn read(&self, number: usize, fields: &Fields<'_>) -> Result<Line, Mistake> {
        for (column, text) in fields {
            if text.chars().any(is_invisible) {
                return Err(format!("`{column}` contains invisible characters").into());
            }
            if text.chars().count() > FIELD_CHARS_MAX {
                return Err(format!("`{column}` has more than {FIELD_CHARS_MAX} characters").into());
            }
        }
        let required = |column: &str| {
            fields
                .get(column)
                .map(|text| (*text).to_owned())
                .ok_or_else(|| Mistake(format!("`{column}` is empty")))
        };
        let name = required("name")?;
        let owner = required("owner")?;
        if !is_name(&name) {
            return Err(
                "`name` has other characters than letters, digits, `-`, `_`, `.` and `@`, or begins \
                 with `.` or `-`"
                    .into(),
            );
        }
        let roles =
            fields.get("roles").map_or_else(|| self.defaults.roles.clone(), |text| list(text));
        if roles.is_empty() {
            return Err("`roles` is empty".into());
        }
        let comment = match (fields.get("comment"), &self.defaults.comment) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(template)) => template.replace("{owner}", &owner).replace("{name}", &name),
            (None, None) => format!("{name}, owner {owner}"),
        };
        match check_comment(&comment) {
            Ok(()) => {}
            Err(CommentError::Secret) => {
                return Err(
                    "`comment` contains a key or another secret, and everyone who may list \
                            keys reads it"
                        .into(),
                );
            }
            Err(CommentError::Control) => {
                return Err("`comment` contains a control character".into());
            }
        }
        Ok(Line {
            number,
            level: self.level(fields)?,
            end: self.expiry(fields)?,
            scope: if self.has_scopes { Some(DefinedScope::new(scope(fields)?)) } else { None },
            name,
            owner,
            roles,
            comment,
        })
    }

    fn level(&self, fields: &Fields<'_>) -> Result<Level, Mistake> {
        match fields.get("level") {
            Some(text) => text
                .to_ascii_lowercase()
                .parse()
                .map_err(|_| "`level` must be `standard` or `advanced`".into()),
            None => self.defaults.level.ok_or_else(|| Mistake::from("`level` is empty")),
        }
    }

    fn expiry(&self, fields: &Fields<'_>) -> Result<KeyEnd, Mistake> {
        match (fields.get("expires"), fields.get("lifetime")) {
            (Some(_), Some(_)) => Err("`expires` and `lifetime` are both set".into()),
            (Some(text), None) => match time_ms(text) {
                Ok(ms) => Ok(KeyEnd::At(ms)),
                Err(error) => Err(format!("`expires`: {error}").into()),
            },
            (None, Some(text)) => match duration_ms(text) {
                Ok(ms) if ms > 0 => Ok(KeyEnd::After(ms)),
                Ok(_) => Err("`lifetime` must not be zero".into()),
                Err(error) => Err(format!("`lifetime`: {error}").into()),
            },
            (None, None) => {
                self.defaults.end.ok_or_else(|| Mistake::from("`expires` and `lifetime` are empty"))
            }
        }
    }

    /// The lines, if none has a mistake and each name and comment is unique.
    fn end(mut self) -> Result<Vec<Line>, ListError> {
        let mut names = BTreeSet::new();
        let mut comments = BTreeSet::new();
        for line in &self.lines {
            // File systems and mail servers may ignore case.
            if !names.insert(line.name.to_ascii_lowercase()) {
                self.mistakes.push((line.number, format!("the name {} occurs twice", line.name)));
            }
            if !comments.insert(line.comment.trim().to_owned()) {
                let mistake = "`comment` is the same as in another line, but a key is recognised by its \
                               comment";
                self.mistakes.push((line.number, mistake.to_owned()));
            }
        }
        if self.lines.is_empty() && self.mistakes.is_empty() {
            return Err(whole("the list has no lines".to_owned()));
        }
        self.mistakes.sort();
        if self.mistakes.is_empty() {
            Ok(self.lines)
        } else {
            Err(ListError { mistakes: self.mistakes })
        }
    }
}

fn whole(mistake: String) -> ListError {
    ListError { mistakes: vec![(0, mistake)] }
}

/// The line where a record begins, counted from 1. The library counts the carriage return of a
/// Windows line break as a full line break.
fn line_at(text: &str, place: &csv::Position) -> usize {
    let at = usize::try_from(place.byte()).unwrap_or(usize::MAX).min(text.len());
    let (before, rest) = text.as_bytes().split_at(at);
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    before.iter().chain(ends).filter(|byte| **byte == b'\n').count() + 1
}

/// The library's messages may repeat a field, which may contain a key by mistake.
fn csv_mistake(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the line has {len} fields, and the header line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not valid UTF-8".to_owned(),
        _ => "the line is not valid CSV".to_owned(),
    }
}

fn check_columns(columns: &[String]) -> Result<(), ListError> {
    let known = COLUMNS.join(", ");
    let mut seen = BTreeSet::new();
    for column in columns {
        if !COLUMNS.contains(&column.as_str()) {
            return Err(whole(format!(
                "the header line has an unknown column; known columns are {known}, separated by \
                 commas"
            )));
        }
        if !seen.insert(column) {
            return Err(whole(format!("the header line has the column `{column}` twice")));
        }
    }
    for required in ["name", "owner"] {
        if columns.iter().all(|column| column != required) {
            return Err(whole(format!("the header line has no column `{required}`")));
        }
    }
    Ok(())
}

/// The items of a field, separated by semicolons.
fn list(text: &str) -> Vec<String> {
    text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A line's scope. If the list has scopes, every line must fill in every area.
fn scope(fields: &Fields<'_>) -> Result<Scope<String>, Mistake> {
    let area = |column: &str| match fields.get(column).copied() {
        None => Err(Mistake(format!("`{column}` is empty; expected `none`, `all` or names"))),
        Some("none") => Ok(Area::None),
        Some("all") => Ok(Area::All),
        Some(names) => Ok(Area::Select(list(names))),
    };
    let cases = area("cases")?;
    let unreferenced = match (&cases, fields.get("unreferenced").copied()) {
        (Area::None, Some(_)) => return Err("`unreferenced` is empty with no cases".into()),
        (Area::None, None) | (_, Some("false")) => Unreferenced::No,
        (_, Some("true")) => Unreferenced::Yes,
        (_, _) => return Err("`unreferenced` must be `true` or `false`".into()),
    };
    let tags = fields.get("endpoint_tags").map(|text| list(text)).unwrap_or_default();
    let endpoints = match (fields.get("endpoints").copied(), tags.is_empty()) {
        (None, true) => {
            return Err("`endpoints` is empty; expected `none`, `all` or names of groups".into());
        }
        (Some("none"), true) => EndpointScope::none(),
        (Some("all"), true) => EndpointScope::all(),
        (Some("none" | "all"), false) => {
            return Err("`endpoint_tags` goes with names in `endpoints`, or with none".into());
        }
        (Some(names), _) => EndpointScope::select(list(names), tags),
        (None, false) => EndpointScope::select(Vec::new(), tags),
    };
    Ok(Scope {
        assets: area("assets")?,
        cases_and_issues: CasesAndIssues { area: cases, unreferenced },
        endpoints,
        datasets: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn defaults() -> Defaults {
        Defaults {
            roles: vec!["Viewer".to_owned()],
            level: Some(Level::Advanced),
            end: Some(KeyEnd::After(1000)),
            comment: None,
        }
    }

    fn mistakes(text: &str, defaults: &Defaults) -> Vec<(usize, String)> {
        read_csv(text, defaults).unwrap_err().mistakes
    }

    #[test]
    fn a_line_is_read_and_options_fill_what_it_leaves_open() {
        let text = "\u{feff}Name,owner,roles,level,lifetime,comment\r\n\
                    svc-a, team-a ,Viewer; SIEM Export,Standard,90d,\"A, b\"\r\n\
                    ana@example.com,ana@example.com,,,,\r\n";
        let lines = read_csv(text, &defaults()).unwrap();
        assert_eq!((lines[0].number, lines[1].number), (2, 3));
        assert_eq!(lines[0].roles, ["Viewer", "SIEM Export"]);
        assert_eq!(
            (lines[0].level, lines[0].end),
            (Level::Standard, KeyEnd::After(90 * 86_400_000))
        );
        assert_eq!((lines[0].owner.as_str(), lines[0].comment.as_str()), ("team-a", "A, b"));
        assert_eq!((&lines[1].roles, lines[1].level), (&defaults().roles, Level::Advanced));
        assert_eq!(lines[1].comment, "ana@example.com, owner ana@example.com");
        assert!(lines.iter().all(|line| line.scope.is_none()));
    }

    #[test]
    fn security_settings_have_no_default() {
        let found = mistakes("name,owner\na,t\n", &Defaults::default());
        let mut said = vec![format!("no defaults: {found:?}")];
        for text in [
            "name,owner,level\na,t,high\n",
            "name,owner,expires\na,t,soon\n",
            "name,owner,lifetime\na,t,0\n",
            "name,owner,expires,lifetime\na,t,2099-01-01,9d\n",
            "name,owner\n,t\n",
            "name,owner\na,\n",
            "name,owner\n../a,t\n",
            "name,owner\n-a,t\n",
            "name,owner\n\"a\u{200b}b\",t\n",
            "name,owner\na,t\nA,t\n",
            "name,owner,comment\na,t,x\nb,t,x\n",
            "name,owner\na,t,x\n",
            "name,owner\n",
            "",
            "name;owner\na;t\n",
            "name,owner,key\na,t,k7k7\n",
            "name,name,owner\na,a,t\n",
            "name\na\n",
            "name,owner,assets\na,t,all\n",
            "name,owner,assets,cases,endpoints\na,t,all,all,none\n",
            "name,owner,assets,cases,endpoints\na,t,all,none,\n",
            "name,owner,assets,cases,endpoints\na,t,,none,none\n",
            "name,owner,assets,cases,endpoints,endpoint_tags\na,t,all,none,all,vip\n",
        ] {
            let found = mistakes(text, &defaults());
            assert!(!found.is_empty(), "{text}");
            said.push(format!("{text:?}: {found:?}"));
        }
        let said = said.join("\n");
        assert!(!said.replace("name,owner,key\\na,t,k7k7", "").contains("k7k7"), "{said}");
        insta::assert_snapshot!(said);
        let several = mistakes("name,owner\n,t\na,\nb,t\n", &defaults());
        assert_eq!(several.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
        let many = "name,owner\n".to_owned() + &"a,t\n".repeat(1001);
        assert!(mistakes(&many, &defaults())[0].1.contains("1000"));
    }

    #[test]
    fn users_are_named_after_their_addresses() {
        let user =
            |email: &str| UserRecord { user_email: email.to_owned(), ..UserRecord::default() };
        let lines =
            read_users(&[user("ana@e.example"), user("bo@e.example")], &defaults()).unwrap();
        assert_eq!(
            (lines[1].name.as_str(), lines[1].owner.as_str()),
            ("bo@e.example", "bo@e.example")
        );
        assert!(read_users(&[user("a b@e.example")], &defaults()).is_err());
        assert!(read_users(&[], &defaults()).is_err());
    }
}
