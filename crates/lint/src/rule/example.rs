//! A rule's examples: short enough to read, complete enough to run.
//!
//! A page shows only the relevant fields. Tests insert them into a definition without other faults.

use cortexkey_manifest::format::{KEY, Mapping};

/// An example of a rule's page.
#[derive(Clone, Copy, Debug)]
pub struct RuleExample {
    /// What the page shows.
    pub yaml: &'static str,
    /// Fields that are omitted, such as `spec.scope`; the page shows that they are missing.
    pub without: &'static [&'static str],
    /// Entries of the policy that the example needs, besides a tenant and the recommended rules.
    pub policy: &'static str,
    /// The path of the file, if that matters.
    pub path: &'static str,
    /// The definition at an earlier revision, for rules that compare with one.
    pub before: &'static str,
    /// The lock file.
    pub lock: &'static str,
    /// Whether the policy's `keys` do not name its file.
    pub is_outside: bool,
    whole: bool,
}

/// A definition without faults, field by field: section, name, text.
const BASE: &[(&str, &str, &str)] = &[
    ("metadata", "name", "svc-siem-export-prod"),
    ("metadata", "owner", "team-detection"),
    ("spec", "securityLevel", "advanced"),
    ("spec", "comment", "Exports incidents to the SIEM"),
    ("spec", "lifetime", "90d"),
    ("spec", "roles", "[Viewer]"),
    (
        "spec",
        "scope",
        "\n    assets: { mode: select, groups: [prod-eu] }\
         \n    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }\
         \n    endpoints: { mode: none }",
    ),
];

/// A complete definition, by its first lines and its metadata.
macro_rules! definition {
    ($first:literal, $metadata:literal) => {
        concat!(
            $first,
            "\nkind: ApiKey\nmetadata: ",
            $metadata,
            "\nspec:\n  securityLevel: advanced\n  comment: Exports incidents to the SIEM\n",
            "  lifetime: 90d\n  roles: [Viewer]\n",
            "  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } }\n",
        )
    };
}
pub(crate) use definition;

/// A complete definition without faults.
pub(crate) const COMPLETE: &str = definition!(
    "apiVersion: cortexkey/v1",
    "{ name: svc-siem-export-prod, owner: team-detection }"
);

/// The policy that examples are checked against, unless they have one of their own.
const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: example }\n\
    extends: [builtin:recommended]\ntenants:\n  prod-eu: { product: xsiam }\n";

impl RuleExample {
    /// Some fields of a definition; the others have no faults.
    #[must_use]
    pub const fn fields(yaml: &'static str) -> Self {
        Self {
            yaml,
            without: &[],
            policy: "",
            path: "",
            before: "",
            lock: "",
            is_outside: false,
            whole: false,
        }
    }

    /// A complete file.
    #[must_use]
    pub const fn file(yaml: &'static str) -> Self {
        Self { whole: true, ..Self::fields(yaml) }
    }

    /// Leaves out some fields.
    #[must_use]
    pub const fn without(mut self, fields: &'static [&'static str]) -> Self {
        self.without = fields;
        self
    }

    /// Adds entries to the policy.
    #[must_use]
    pub const fn policy(mut self, policy: &'static str) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the file's path.
    #[must_use]
    pub const fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    /// Adds an earlier revision with other fields.
    #[must_use]
    pub const fn before(mut self, yaml: &'static str) -> Self {
        self.before = yaml;
        self
    }

    /// Adds a lock file.
    #[must_use]
    pub const fn lock(mut self, lock: &'static str) -> Self {
        self.lock = lock;
        self
    }

    /// Uses a file that no policy's `keys` name.
    #[must_use]
    pub const fn outside(mut self) -> Self {
        self.is_outside = true;
        self
    }

    /// The path of the file: the given one, or the name of its key.
    #[must_use]
    pub fn file_name(&self) -> String {
        if !self.path.is_empty() {
            return self.path.to_owned();
        }
        let document = self.document();
        let name = document.split("name: ").nth(1).unwrap_or("key");
        let end = name.find([',', '\n', ' ', '}']).unwrap_or(name.len());
        format!("{}.yaml", name.get(..end).unwrap_or("key"))
    }

    /// The file at the earlier revision.
    #[must_use]
    pub fn document_before(&self) -> String {
        Self { yaml: self.before, ..*self }.document()
    }

    /// The policy file that the example is checked against.
    #[must_use]
    pub fn policy_text(&self) -> String {
        if self.policy.starts_with("apiVersion") {
            return self.policy.to_owned();
        }
        format!("{POLICY}{}", self.policy)
    }

    /// The complete file.
    #[must_use]
    pub fn document(&self) -> String {
        if self.whole {
            return self.yaml.to_owned();
        }
        let mut out = String::from("apiVersion: cortexkey/v1\nkind: ApiKey\n");
        for section in ["metadata", "spec"] {
            let shown = shown_fields(self.yaml, section);
            let mut lines: Vec<(usize, String)> = Vec::new();
            for (_, name, text) in BASE.iter().filter(|(owner, ..)| *owner == section) {
                let dropped = self.without.contains(&format!("{section}.{name}").as_str());
                let replaced = shown.iter().any(|(shown, _)| shown == name)
                    || (*name == "lifetime" && shown.iter().any(|(shown, _)| *shown == "expires"));
                if !dropped && !replaced {
                    let gap = if text.starts_with('\n') { "" } else { " " };
                    lines.push((rank(section, name), format!("  {name}:{gap}{text}\n")));
                }
            }
            lines.extend(shown.into_iter().map(|(name, text)| (rank(section, name), text)));
            lines.sort_by_key(|(rank, _)| *rank);
            out.push_str(section);
            out.push_str(":\n");
            out.extend(lines.into_iter().map(|(_, text)| text));
        }
        out
    }
}

/// The position of a field in the usual order; an unknown one comes last.
fn rank(section: &str, name: &str) -> usize {
    let names = KEY.at(section).map(Mapping::names).unwrap_or_default();
    names.iter().position(|known| *known == name).unwrap_or(names.len())
}

/// The fields under a section of what the page shows: name, and its lines as written.
fn shown_fields<'t>(yaml: &'t str, section: &str) -> Vec<(&'t str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    let mut inside = false;
    let mut above = String::new();
    for line in yaml.lines() {
        if !line.starts_with(' ') {
            inside = line.trim_end() == format!("{section}:");
            continue;
        }
        if !inside {
            continue;
        }
        if line.starts_with("  #") {
            above = format!("{above}{line}\n");
            continue;
        }
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '-']));
        match (name, fields.last_mut()) {
            (Some(rest), _) => {
                let name = rest.split(':').next().unwrap_or(rest);
                fields.push((name, format!("{}{line}\n", core::mem::take(&mut above))));
            }
            (None, Some((_, lines))) => {
                lines.push_str(line);
                lines.push('\n');
            }
            (None, None) => {}
        }
    }
    fields
}
