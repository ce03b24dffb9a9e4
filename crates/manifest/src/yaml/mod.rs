//! YAML as one tree with the position of every node.
//!
//! Nothing is expanded, retyped or resolved here: an alias stays an alias, `no` stays the two
//! letters. Input over the limits is an error with its position.

mod advice;
mod check;
mod events;
mod plain;
mod retyped;
mod second_reading;
mod secrets;
mod tree;

pub(crate) use advice::TEMPLATE_HELP;
pub use retyped::retyped;
pub use second_reading::disagreement;
pub use secrets::secret_ranges;
pub use tree::{Comment, Document, MappingEntry, Node, NodeId, NodeKind, Parent, Style, Tree};

use crate::{Problem, decode};
use tree::Body;

/// Limits on the size of a file.
#[derive(Clone, Copy, Debug)]
pub struct YamlLimits {
    /// Bytes of one file.
    pub bytes: usize,
    /// Collections inside collections.
    pub depth: usize,
    /// Scalars, sequences and mappings of one file.
    pub nodes: usize,
    /// Documents of one file.
    pub documents: usize,
}

impl Default for YamlLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 200_000, documents: 1024 }
    }
}

/// A file's tree and its YAML problems.
#[derive(Debug)]
pub struct Parsed {
    /// The documents up to the first syntax error.
    pub tree: Tree,
    /// Syntax errors, duplicate keys, indirections, and where readers disagree.
    pub problems: Vec<Problem>,
    /// True if the file could be read to its end.
    pub complete: bool,
}

impl Parsed {
    /// The first document of a file without problems.
    #[must_use]
    pub fn first(&self) -> Option<Document> {
        self.tree.documents().first().copied().filter(|_| self.problems.is_empty())
    }
}

/// Parses the bytes of a file as YAML. If they are not text, that is the only problem.
#[must_use]
pub fn parse_bytes(bytes: Vec<u8>, limits: &YamlLimits) -> Parsed {
    let decoded = decode(bytes);
    let mut parsed = parse(&decoded.text, limits);
    if let Some(problem) = decoded.problem {
        parsed.problems = vec![problem];
    }
    parsed
}

/// Parses a string as YAML: the tree, its problems, and where another reader sees something else.
#[must_use]
pub fn parse(text: &str, limits: &YamlLimits) -> Parsed {
    let (body, error, plain) = read(text, limits);
    let tree = Tree::new(text, limits, body);
    let complete = error.is_none();
    let mut problems: Vec<Problem> = error.into_iter().collect();
    check::structure(&tree, &mut problems);
    if problems.is_empty() && !plain {
        problems.extend(disagreement(&tree));
    }
    problems.sort_by_key(|problem| problem.span);
    Parsed { tree, problems, complete }
}

/// The content of a string up to the first error, and whether it has the plain form.
fn read(text: &str, limits: &YamlLimits) -> (Body, Option<Problem>, bool) {
    if let Some(body) = plain::read(text, limits) {
        return (body, None, true);
    }
    let (body, error) = events::read(text, limits);
    (body, error, false)
}

/// For tests: whether a string has the plain form, and any difference that another reader sees in
/// it but the
/// reader of that form does not. There must never be one.
#[doc(hidden)]
#[must_use]
pub fn plain_form(text: &str, limits: &YamlLimits) -> (bool, Option<String>) {
    let Some(plain) = plain::read(text, limits) else { return (false, None) };
    let (body, error) = events::read(text, limits);
    let seen = format!("{plain:?}");
    let other = format!("{body:?}");
    if seen != other || error.is_some() {
        return (true, Some(format!("{seen}\n{other}\n{error:?}")));
    }
    let other = disagreement(&Tree::new(text, limits, body));
    (true, other.map(|problem| problem.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProblemKind;

    fn kinds(text: &str) -> Vec<ProblemKind> {
        parse(text, &YamlLimits::default()).problems.into_iter().map(|p| p.kind).collect()
    }

    fn places(text: &str) -> Vec<String> {
        parse(text, &YamlLimits::default())
            .problems
            .into_iter()
            .map(|p| format!("{} {:?} {}", p.kind.code(), p.span.slice(text), p.message))
            .collect()
    }

    #[test]
    fn clean_files_have_no_problem() {
        for text in [
            "a: 1\nb: [x, {y: z}]\n",
            "\u{feff}a: 1\r\nb: |\r\n  t\r\n",
            "---\na: 1\n---\nb: 2\n...\n",
            "# only a comment\n",
            "",
            "a: !!str no\n",
            "a:\n  - b\n  -\n  - c: d\n    e:\n",
            "a: |\n  no line feed at the end",
            "a: >-\n  folded\n  text\n\nb: \"q \\u00e9\"\n",
            "\ta: 1\n",
        ] {
            if text.starts_with('\t') {
                // Valid YAML 1.2, and rejected by readers built on libYAML.
                assert_eq!(kinds(text), [ProblemKind::ParserDisagreement]);
            } else {
                assert_eq!(places(text), Vec::<String>::new(), "{text:?}");
            }
        }
    }

    #[test]
    fn duplicate_keys_are_reported_at_the_second() {
        let text = "a: 1\nb: 2\n'a': 3\n";
        let problem = parse(text, &YamlLimits::default()).problems.remove(0);
        assert_eq!(problem.kind, ProblemKind::DuplicateKey);
        assert_eq!(problem.span.range(), 10..13);
        assert_eq!(problem.related[0].0.range(), 0..1);
    }

    #[test]
    fn indirections_are_named_and_not_expanded() {
        let text = "a: &x {b: 1}\nc: *x\nd: {<<: *x}\ne: !env HOME\nf: *missing\n";
        assert_eq!(kinds(text), [ProblemKind::Indirection; 6]);
    }

    #[test]
    fn readers_that_disagree_are_a_problem_with_a_place() {
        let found = places("a: \"x\u{85}y\"\nb: z\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("Y003 \"\\\"x\\u{85}y\\\"\""), "{found:?}");
    }

    #[test]
    fn dropped_trees_are_read_again() {
        let small = YamlLimits { nodes: 4, ..YamlLimits::default() };
        for (text, limits) in [
            ("a: b  # c\n---\nd: [e]\n", YamlLimits::default()),
            ("a: &x |\n  b\r\nc: [\n", YamlLimits::default()),
            ("a: [b, c, d, e]\n", small),
        ] {
            let mut tree = parse(text, &limits).tree;
            let seen = |tree: &Tree| {
                let nodes: Vec<_> = tree.nodes().collect();
                format!("{nodes:?} {:?} {:?}", tree.documents(), tree.comments())
            };
            let before = seen(&tree);
            tree.forget();
            assert_eq!(seen(&tree), before, "{text:?}");
        }
    }

    #[test]
    fn limits_are_errors_with_a_place() {
        let deep = "[".repeat(100);
        assert!(places(&deep)[0].contains("64"), "{:?}", places(&deep));
        let lines: Vec<String> = (0..80).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        let block = lines.concat();
        assert!(places(&block)[0].contains("64"), "{:?}", places(&block));
        let small = YamlLimits { bytes: 10, depth: 64, nodes: 4, documents: 1 };
        let problem = |text: &str| parse(text, &small).problems.remove(0).message;
        assert!(problem("a: 123456789\n").contains("10 bytes"));
        assert!(problem("[1,2,3,4]").contains("4 values"));
        assert!(problem("a\n---\nb").contains("1 document"));
    }
}
