//! C006 key-widened: compared with an earlier revision: a new key, more roles, a wider scope, a
//! weaker level, a later expiry.

use std::collections::BTreeMap;

use cortexkey_core::access::{KeyDefinition, Widening, compare};
use cortexkey_core::auth::Level;
use cortexkey_core::lifecycle::Expiry;
use cortexkey_manifest::access::KeyAccess;
use cortexkey_manifest::definition::{self, Definition};
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};
use crate::rules::corpus::keys::{Named, keys_of};

pub(crate) static RULE: Rule = Rule {
    code: "C006",
    name: "key-widened",
    severity: Severity::Warning,
    summary: "compared with an earlier revision: a new key, more roles, a wider scope, a weaker \
              level, or a later expiry",
    why: "A diff shows changed lines; this rule shows which permissions they add. A role that \
          implies another one, a mode that changed from select to all, or an expiry one year \
          later is a small change in a file.",
    bad: RuleExample::fields("spec:\n  roles: [Viewer, Responder]\n")
        .before("spec:\n  roles: [Viewer]\n"),
    good: RuleExample::fields("spec:\n  roles: [Viewer]\n")
        .before("spec:\n  roles: [Viewer, Responder]\n"),
    remedy: "Have the change approved, or revert what is not needed. The rule runs only with \
           `--since REV`. Both revisions are compared with the current catalog, so the rule does \
           not see changes to the catalog.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    let Some(before) = &cx.corpus.before else { return };
    let held = |files| -> Vec<Held<'_>> {
        keys_of(cx, files).filter_map(|key| Held::of(cx, key)).collect()
    };
    // Of several keys with one name, none says what the name held.
    let mut older: BTreeMap<String, Option<Held<'_>>> = BTreeMap::new();
    for held in held(&before.files) {
        older.entry(held.id.clone()).and_modify(|only| *only = None).or_insert(Some(held));
    }
    for after in held(&cx.corpus.files) {
        let old = older.get(&after.id).and_then(Option::as_ref);
        let of_ids = old.into_iter().flat_map(|old| other_groups(old, &after));
        for (change, path) in gains(old, &after).into_iter().chain(of_ids) {
            let mut path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            // A key has one expiry, under one of two names.
            let lifetime =
                after.key.definition.spec.as_ref().is_some_and(|s| s.expires.is_missing());
            if let Some(last) = path.last_mut().filter(|last| lifetime && *last == "expires") {
                "lifetime".clone_into(last);
            }
            let tree = &after.key.file.tree;
            let document = tree.document_at(after.key.definition.span);
            let field = document.and_then(|document| tree.deepest(document.root, &path));
            let span = field.unwrap_or(after.key.span);
            let message = format!("since {}: {change}", quote(&before.revision));
            Named { span, ..after.key }
                .finding(message)
                .help("have it approved, or revert what is not needed")
                .report(sink);
        }
    }
}

/// A key with its access, as far as it can be read.
struct Held<'a> {
    key: Named<'a>,
    id: String,
    access: KeyAccess,
    level: Level,
    expiry: Expiry,
}

impl<'a> Held<'a> {
    /// None for a definition that leaves something open, which other rules report.
    fn of(cx: &CorpusContext<'_>, key: Named<'a>) -> Option<Self> {
        let catalog: Vec<_> = cx.policy.roles().collect();
        let tenant = key.tenant.map(|name| (name, cx.policy.tenant(name)));
        let access = KeyAccess::from_definition(key.definition, &catalog, tenant).ok()?;
        let spec = key.definition.spec.as_ref()?;
        let level = *spec.level.get()?;
        let ms = |moment: i64| Expiry::At { ms: u64::try_from(moment).unwrap_or(0) };
        let expiry = match spec.end()?.value {
            definition::ExpirySpec::Never => Expiry::Never,
            definition::ExpirySpec::At(moment) => ms(moment.as_millisecond()),
            // Relative to the same moment on both sides, so that lifetimes can be compared.
            definition::ExpirySpec::After(lifetime) => {
                ms(cx.now.as_millisecond().saturating_add(lifetime.as_secs().saturating_mul(1000)))
            }
        };
        let id = format!("{}/{}", key.tenant.unwrap_or_default(), key.name);
        Some(Self { key, id, access, level, expiry })
    }

    /// The selected asset groups, with the ids that are given.
    fn asset_groups(&self) -> Vec<(&'a str, Option<u64>)> {
        let definition: &'a Definition = self.key.definition;
        let scope = definition.spec.as_ref().and_then(|spec| spec.scope.get());
        let groups = scope.and_then(|scope| scope.assets.get()?.groups.get());
        let groups = groups.into_iter().flatten();
        groups.map(|group| (group.name.value.as_str(), group.id.get().copied())).collect()
    }

    fn definition(&self) -> KeyDefinition<'_, String> {
        let access = self.access.key();
        KeyDefinition {
            name: self.key.name,
            level: self.level,
            expiry: self.expiry,
            // Included in the expiry above.
            lifetime_ms: None,
            roles: access.roles,
            scope: access.scope,
        }
    }
}

/// What a key gained, in words, and its position in the definition.
fn gains(before: Option<&Held<'_>>, after: &Held<'_>) -> Vec<(String, &'static [&'static str])> {
    let before: Vec<_> = before.into_iter().map(Held::definition).collect();
    let gains = compare(&before, &[after.definition()]);
    gains.iter().map(|gain| (change_text(&gain.widening), place(&gain.widening))).collect()
}

/// The asset groups that kept their names, but are others by their ids.
fn other_groups(before: &Held<'_>, after: &Held<'_>) -> Vec<(String, &'static [&'static str])> {
    let had = before.asset_groups();
    let is_other = |(name, id): &(&str, Option<u64>)| {
        let mut same_name = had.iter().filter(|(known, _)| known == name).peekable();
        // Without an id, the name is that of one group only.
        id.is_some()
            && same_name.peek().is_some()
            && same_name.all(|(_, had)| had.is_some() && had != id)
    };
    let others = after.asset_groups().into_iter().filter(is_other);
    let words = |(name, id): (&str, Option<u64>)| {
        format!("asset group {} is the one with id {}", quote(name), id.unwrap_or_default())
    };
    let place: &'static [&'static str] = &["spec", "scope", "assets", "groups"];
    others.map(|group| (words(group), place)).collect()
}

fn change_text(widening: &Widening<'_>) -> String {
    let day = |ms: u64| {
        let moment =
            i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        moment.map_or_else(|| "never".to_owned(), |moment| moment.strftime("%Y-%m-%d").to_string())
    };
    match widening {
        Widening::NewKey => "this key is new".to_owned(),
        Widening::ExpiryLater { from_ms, to_ms } => {
            format!("it expires on {}, not on {}", day(*to_ms), day(*from_ms))
        }
        other => other.to_string(),
    }
}

fn place(widening: &Widening<'_>) -> &'static [&'static str] {
    match widening {
        Widening::RoleAdded { .. }
        | Widening::ComponentRaised { .. }
        | Widening::ActionGained { .. } => &["spec", "roles"],
        Widening::ScopeDropped | Widening::ScopeGiven => &["spec", "scope"],
        Widening::AssetGroupAdded { .. } => &["spec", "scope", "assets", "groups"],
        Widening::DomainAdded { .. } => &["spec", "scope", "casesAndIssues", "domains"],
        Widening::AreaWidened { area: "assets" } => &["spec", "scope", "assets"],
        Widening::AreaWidened { area: "cases and issues" } => &["spec", "scope", "casesAndIssues"],
        // The endpoints, or one axis of them.
        Widening::AreaWidened { .. } => &["spec", "scope", "endpoints"],
        Widening::UnreferencedAllowed => &["spec", "scope", "casesAndIssues", "unreferenced"],
        Widening::EndpointGroupAdded { .. } => &["spec", "scope", "endpoints", "groups"],
        Widening::EndpointTagAdded { .. } => &["spec", "scope", "endpoints", "tags"],
        Widening::DatasetsOpened
        | Widening::DatasetOpened { .. }
        | Widening::DatasetFilterDropped { .. }
        | Widening::DatasetFilterChanged { .. } => &["spec", "scope", "datasets"],
        Widening::ExpiryLater { .. } | Widening::ExpiryRemoved => &["spec", "expires"],
        Widening::LevelWeakened => &["spec", "securityLevel"],
        _ => &[],
    }
}
