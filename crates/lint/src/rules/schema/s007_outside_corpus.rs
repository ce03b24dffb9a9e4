//! S007 schema-outside-corpus: a key definition in a file that no policy's `keys` name.

use cortexkey_manifest::policy::Severity;

use crate::model::{FindingBuilder, Location, SourceId};
use crate::rule::{Check, CorpusContext, Example, Fixes, Rule, Sink};

const DEFINITION: &str =
    "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc-export, owner: team-siem }\n";

pub(crate) static RULE: Rule = Rule {
    code: "S007",
    name: "schema-outside-corpus",
    severity: Severity::Warning,
    summary: "a key definition lies outside the files that `keys` of the policy name",
    why: "Only files that `keys` names are checked. A definition elsewhere looks like one that was \
          checked, and every program that reads it takes it for one.",
    bad: Example::file(DEFINITION).at("other/svc-export.yaml").outside(),
    good: Example::fields("metadata:\n  name: svc-export\n").at("keys/svc-export.yaml"),
    mend: "Move the file to where `keys` looks, add its folder to `keys`, or delete it.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut Sink<'_>) {
    for file in &cx.corpus.files {
        let Some(span) = file.outside else { continue };
        let location = Location { source: SourceId::File(file.id), span };
        let message =
            "this key definition is in no policy's `keys`, so nothing else of it is checked";
        FindingBuilder::new(location, message)
            .help("move the file to where `keys` looks, or add its folder to `keys`")
            .report(sink);
    }
}
