//! Loads a policy file and all policies that it extends: parents first, each once, without cycles.
//!
//! The caller provides a function that reads a path, and one that identifies paths to the same
//! file. If the caller cannot identify them, two paths through links count as two files, so the
//! number of files and the depth are limited.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{PolicyFile, builtin, is_builtin, is_policy, pinned, read};
use crate::yaml::{Tree, YamlLimits, parse_bytes};
use crate::{Problem, ProblemKind, Span, closest, escape, mask_path, quote};

/// The longest chain of policies that extend one another.
const DEPTH_MAX: usize = 16;
/// The largest number of files of a policy, itself included.
const FILES_MAX: usize = 64;

/// One policy file with the tree it was read from.
#[derive(Clone, Debug)]
pub struct PolicyLayer {
    /// Its path as the caller names it, or `builtin:…`.
    pub path: String,
    /// Indices of all layers that it extends, directly or indirectly.
    pub ancestors: BTreeSet<usize>,
    /// Its text and tree.
    pub tree: Arc<Tree>,
    /// Its content.
    pub file: PolicyFile,
}

/// Mistakes of one file among the layers.
#[derive(Clone, Debug)]
pub struct LayerFault {
    /// The file's path.
    pub path: String,
    /// Its text and tree.
    pub tree: Arc<Tree>,
    /// Its problems.
    pub problems: Vec<Problem>,
}

/// All layers that could be read, ancestors first, and the problems found.
#[derive(Clone, Debug, Default)]
pub struct PolicyLayers {
    /// Ancestors first; the policy itself is the last.
    pub layers: Vec<PolicyLayer>,
    /// Files with mistakes.
    pub faults: Vec<LayerFault>,
}

/// Why a file cannot be read, in the caller's words.
pub type PolicyReadError = Box<dyn core::error::Error + Send + Sync>;

/// Why a policy cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No built-in policy has this name.
    #[error("there is no policy {}", quote(name))]
    NoBuiltin {
        /// The name.
        name: String,
        /// The nearest built-in policy.
        meant: &'static str,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] PolicyReadError),
}

/// Reads a policy and its parents. `read` returns the bytes of a path, or why it cannot; a parent's
/// path is joined to its child's folder.
pub fn load(
    path: &str,
    limits: &YamlLimits,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, PolicyReadError>,
) -> Result<PolicyLayers, LoadError> {
    load_as(path, limits, read, &|path| path.to_owned())
}

/// Like [`load`], where `identity` returns one string for all paths to the same file.
pub fn load_as(
    path: &str,
    limits: &YamlLimits,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, PolicyReadError>,
    identity: &dyn Fn(&str) -> String,
) -> Result<PolicyLayers, LoadError> {
    let bytes = source(path, read)?;
    let out = PolicyLayers::default();
    let ids = Vec::new();
    let open = Vec::new();
    let mut loader = Loader { limits, read, identity, out, ids, open, files: 1 };
    loader.visit(path, bytes);
    Ok(loader.out)
}

fn source(
    path: &str,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, PolicyReadError>,
) -> Result<Vec<u8>, LoadError> {
    if !is_builtin(path) {
        return Ok(read(path)?);
    }
    builtin(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| {
        let known = super::BUILTINS.map(|(name, _)| name);
        let meant = closest(path, known).unwrap_or(known[1]);
        LoadError::NoBuiltin { name: path.to_owned(), meant }
    })
}

struct Loader<'a> {
    limits: &'a YamlLimits,
    read: &'a mut dyn FnMut(&str) -> Result<Vec<u8>, PolicyReadError>,
    identity: &'a dyn Fn(&str) -> String,
    out: PolicyLayers,
    /// The file of each layer.
    ids: Vec<String>,
    /// The chain from the first policy to the one being read: paths, and their files' identities.
    open: Vec<(String, String)>,
    /// How many files were read.
    files: usize,
}

impl Loader<'_> {
    /// Reads one file and its parents; returns the index of its layer, if it becomes one.
    fn visit(&mut self, path: &str, bytes: Vec<u8>) -> Option<usize> {
        let parsed = parse_bytes(bytes, self.limits);
        let tree = Arc::new(parsed.tree);
        let mut problems = parsed.problems;
        let policy = if problems.is_empty() { document(&tree, &mut problems) } else { None };
        let policy = policy.map(|policy| {
            if pinned::is_copy(path) { check_remote(policy, &mut problems) } else { policy }
        });
        let mut index = None;
        if let Some(file) = policy {
            let id = self.id(path);
            self.open.push((path.to_owned(), id.clone()));
            let ancestors = self.parents(path, &file, &mut problems);
            self.open.pop();
            index = Some(self.out.layers.len());
            self.ids.push(id);
            let tree = Arc::clone(&tree);
            self.out.layers.push(PolicyLayer { path: path.to_owned(), ancestors, tree, file });
        }
        if !problems.is_empty() {
            self.out.faults.push(LayerFault { path: path.to_owned(), tree, problems });
        }
        index
    }

    fn id(&self, path: &str) -> String {
        if is_builtin(path) { path.to_owned() } else { (self.identity)(path) }
    }

    /// Reads the parents that are not read yet; returns all layers that the file extends.
    fn parents(
        &mut self,
        path: &str,
        file: &PolicyFile,
        problems: &mut Vec<Problem>,
    ) -> BTreeSet<usize> {
        let mut ancestors = BTreeSet::new();
        for parent in &file.extends {
            let name = match pinned::path_of(path, &parent.value) {
                Ok(name) => name,
                Err(message) => {
                    let help = "name a path within that repository";
                    problems.push(bad(parent.span, message.to_owned()).help(help));
                    continue;
                }
            };
            let id = self.id(&name);
            let seen = self.ids.iter().position(|known| *known == id);
            let found = if self.open.iter().any(|(_, open)| *open == id) {
                let mut way: Vec<&str> = self.open.iter().map(|(path, _)| path.as_str()).collect();
                way.push(&name);
                let way = escape(&mask_path(&way.join(" -> ")));
                let message = format!("this policy extends itself: {way}");
                problems.push(bad(parent.span, message).help("remove one of the `extends`"));
                None
            } else if seen.is_some() {
                // Read already, as another policy's parent.
                seen
            } else if let Some(message) = self.beyond() {
                let help = "remove one of the `extends`; links that lead back to a folder \
                            above make one file look like many";
                problems.push(bad(parent.span, message).help(help));
                // The others would fail for the same reason.
                break;
            } else {
                self.read_parent(&name, parent.span, problems)
            };
            if let Some(found) = found {
                ancestors.insert(found);
                ancestors.extend(&self.out.layers[found].ancestors);
            }
        }
        ancestors
    }

    /// The limit that prevents another file from being read, if any.
    fn beyond(&self) -> Option<String> {
        if self.files >= FILES_MAX {
            Some(format!("a policy consists of at most {FILES_MAX} files; this is one more"))
        } else if self.open.len() >= DEPTH_MAX {
            Some(format!("at most {DEPTH_MAX} policies may extend one another; this is one more"))
        } else {
            None
        }
    }

    fn read_parent(
        &mut self,
        name: &str,
        span: Span,
        problems: &mut Vec<Problem>,
    ) -> Option<usize> {
        self.files += 1;
        match source(name, self.read) {
            Ok(bytes) => self.visit(name, bytes),
            Err(why) => {
                let help = match &why {
                    LoadError::NoBuiltin { meant, .. } => format!("did you mean `{meant}`?"),
                    LoadError::Read(_) if pinned::is_copy(name) => {
                        "run `cortexkey policy update`, and commit the folder .cortexkey".to_owned()
                    }
                    LoadError::Read(_) => {
                        "write `builtin:minimal`, `builtin:recommended`, `builtin:strict`, or a path \
                         relative to this file"
                            .to_owned()
                    }
                };
                problems.push(bad(span, escape(&mask_path(&why.to_string()))).help(help));
                None
            }
        }
    }
}

/// Drops what applies only in the policy's own repository: the patterns of its keys and its cases.
/// A match
/// by path is a mistake, because paths differ in this repository.
fn check_remote(mut policy: PolicyFile, problems: &mut Vec<Problem>) -> PolicyFile {
    policy.keys = None;
    policy.tests = Vec::new();
    let overrides = policy.rules.iter().flat_map(|rule| &rule.overrides).map(|one| &one.matches);
    let custom = policy.custom_rules.iter().filter_map(|rule| rule.matches.get());
    for path in overrides.chain(custom).flat_map(|matching| &matching.path) {
        let message = "a remote policy cannot match paths, which differ in this repository";
        problems.push(bad(path.span, message.to_owned()).help("match labels or names instead"));
    }
    policy
}

/// The one document of a policy file.
fn document(tree: &Tree, problems: &mut Vec<Problem>) -> Option<PolicyFile> {
    let Some((first, rest)) = tree.documents().split_first() else {
        let message = "the file is empty; a policy is expected here";
        problems.push(Problem::new(ProblemKind::MissingField, Span::default(), message));
        return None;
    };
    if let Some(second) = rest.first() {
        let what = if is_policy(tree, *second) { "second policy" } else { "second document" };
        let message = format!("a {what}: a policy file contains one document");
        let span = tree.node(second.root).span;
        problems.push(Problem::new(ProblemKind::WrongType, span, message));
    }
    let lowered = read(tree, *first);
    problems.extend(lowered.problems);
    lowered.policy
}

fn bad(span: Span, message: String) -> Problem {
    Problem::new(ProblemKind::BadValue, span, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\n";

    fn load_all(files: &[(&str, &str)]) -> PolicyLayers {
        let mut read = |path: &str| {
            files
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, body)| format!("{HEAD}{body}").into_bytes())
                .ok_or_else(|| format!("cannot read {path}").into())
        };
        load(files[0].0, &YamlLimits::default(), &mut read).unwrap()
    }

    #[test]
    fn parents_are_loaded_first_and_once() {
        let layers = load_all(&[
            ("a/child.yaml", "extends: [../base.yaml, builtin:minimal, mid.yaml]\n"),
            ("base.yaml", "extends: ['builtin:minimal']\n"),
            ("a/mid.yaml", "extends: [./../base.yaml]\n"),
        ]);
        let order: Vec<&str> = layers.layers.iter().map(|l| l.path.as_str()).collect();
        assert_eq!(order, ["builtin:minimal", "base.yaml", "a/mid.yaml", "a/child.yaml"]);
        assert!(layers.faults.is_empty(), "{:?}", layers.faults);
    }

    #[test]
    fn cycles_networks_and_missing_parents_are_refused() {
        let message =
            |files: &[(&str, &str)]| load_all(files).faults.remove(0).problems.remove(0).message;
        let cycle =
            message(&[("a.yaml", "extends: [b.yaml]\n"), ("b.yaml", "extends: [a.yaml]\n")]);
        assert_eq!(cycle, "this policy extends itself: a.yaml -> b.yaml -> a.yaml");
        let said = ["https://x/y", "c.yaml", "'builtin:strct'"]
            .map(|parent| message(&[("a.yaml", &format!("extends: [{parent}]\n"))]));
        insta::assert_snapshot!(said.join("\n"));
    }
}
