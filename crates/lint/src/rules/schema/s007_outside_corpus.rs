//! S007 schema-outside-corpus: a key definition in a file that no policy's `keys` name.

use cortexkey_manifest::policy::Severity;

use crate::model::{FindingBuilder, Location, SourceId};
use crate::rule::{CorpusContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

const DEFINITION: &str =
    "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc-export, owner: team-siem }\n";

pub(crate) static RULE: Rule = Rule {
    code: "S007",
    name: "schema-outside-corpus",
    severity: Severity::Error,
    summary: "a key definition outside the files that the policy's `keys` name",
    why: "Only files that `keys` names are checked. A definition elsewhere looks as if it had \
          been checked, and programs that read it trust it.",
    bad: RuleExample::file(DEFINITION).at("other/svc-export.yaml").outside(),
    good: RuleExample::fields("metadata:\n  name: svc-export\n").at("keys/svc-export.yaml"),
    remedy: "Move the file to where `keys` looks, add its folder to `keys`, or delete it. The rule \
             reads all YAML and JSON files of the repository, every file below the folder that a \
             `keys` pattern begins with, and every file named on the command line, even if they \
             contain mistakes. If a repository keeps examples elsewhere, lower the rule's severity \
             in the policy.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Corpus(check),
};

fn check(cx: &CorpusContext<'_>, sink: &mut FindingSink<'_>) {
    for file in &cx.corpus.files {
        let Some(span) = file.outside else { continue };
        let location = Location { source: SourceId::File(file.id), span };
        let message =
            "no policy's `keys` includes this key definition, so nothing else in it is checked";
        FindingBuilder::new(location, message)
            .help("move the file to where `keys` looks, or add its folder to `keys`")
            .report(sink);
    }
}
