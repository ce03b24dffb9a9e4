//! C001 duplicate-name: two definitions of one tenant have the same name.

use std::collections::BTreeMap;

use cortexkey_manifest::Span;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rules::{Check, CorpusContext, Draft, Example, Rule, Sink};
use crate::settings::Settings;

const TWO: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection }
spec: { securityLevel: advanced, lifetime: 90d, roles: [Viewer], scope: { assets: { mode: none },
  casesAndIssues: { mode: none }, endpoints: { mode: none } } }
---
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: SVC-export, owner: team-detection }
spec: { securityLevel: advanced, lifetime: 30d, roles: [Viewer], scope: { assets: { mode: none },
  casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "C001",
    name: "duplicate-name",
    severity: Severity::Error,
    summary: "two definitions of one tenant have the same name",
    why: "The product has no names for keys, so the name in the definition is what ties it to its \
          key. Two of them, or two that differ by case only, are two owners of one key.",
    bad: Example::file(TWO),
    good: Example::fields("metadata:\n  name: svc-export\n"),
    mend: "Rename one of the two.",
    options: &[],
    check: Check::Corpus(check),
};

/// Where a name stands: file, place, name, and whether the file is reported on.
type Named<'a> = (usize, Span, &'a str, bool);

fn check(cx: &CorpusContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let only = cx.policy.only_tenant();
    let mut by_name: BTreeMap<(Option<&str>, String), Vec<Named<'_>>> = BTreeMap::new();
    for (at, file) in cx.corpus.files.iter().enumerate() {
        let definitions = file.documents.iter().filter_map(|doc| doc.definition.as_ref());
        for definition in definitions {
            let metadata = definition.metadata.as_ref();
            let Some(name) = metadata.and_then(|metadata| metadata.name.spanned()) else {
                continue;
            };
            let tenant = definition.tenant().or(only);
            let folded = name.value.trim().to_lowercase();
            let named = (cx.first_source + at, name.span, name.value.as_str(), file.reported);
            by_name.entry((tenant, folded)).or_default().push(named);
        }
    }
    for ((tenant, _), group) in by_name {
        let Some((first, others)) = group.split_first() else { continue };
        for other in others {
            // Of a pair of which only one is reported on, that one carries the finding.
            let (here, there) = if other.3 || !first.3 { (other, first) } else { (first, other) };
            let place =
                tenant.map_or(String::new(), |tenant| format!(" in tenant {}", quote(tenant)));
            let message = format!("the name {} is taken{place}", quote(here.2));
            let draft = Draft::new(here.0, here.1, message)
                .key(Some(here.2))
                .help("rename one of the two; case does not tell names apart")
                .also_in(there.0, there.1, "the other one");
            sink.report_as(settings, draft);
        }
    }
}
