//! Finds cycles between the modules of a crate.
//!
//! A module and what is below it count as one for its siblings: among the children of each module,
//! uses may lead in one direction only. Paths are followed through re-exports to the module that
//! defines the item. A parent and its children may use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module's path from the crate's root, which is empty.
type ModulePath = Vec<String>;

/// A use of one module's item in another.
struct Use {
    from: ModulePath,
    path: ModulePath,
    place: String,
}

#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// Items that are defined here.
    items: BTreeSet<String>,
    /// Names that are brought in, with their paths from the root.
    imports: BTreeMap<String, ModulePath>,
    /// Modules whose names are all brought in.
    globs: Vec<ModulePath>,
}

/// The modules of one crate.
#[derive(Default)]
pub(crate) struct Crate {
    modules: BTreeMap<ModulePath, Module>,
    uses: Vec<Use>,
}

impl Crate {
    /// Reads the sources of a crate: paths below its `src`, and their text.
    pub(crate) fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let files: Vec<(&str, &str)> = files.into_iter().collect();
        let mut read = Self::default();
        for (path, _) in &files {
            read.add(&module_of(path));
        }
        for (path, text) in files {
            let tokens = TokenStream::from_str(text).map_err(|error| format!("{path}: {error}"))?;
            let tokens: Vec<TokenTree> = tokens.into_iter().collect();
            read.tokens(&tokens, &module_of(path), path);
        }
        Ok(read)
    }

    /// Adds a module to those above it.
    fn add(&mut self, module: &[String]) {
        self.modules.entry(module.to_vec()).or_default();
        if let Some((child, parent)) = module.split_last() {
            self.add(parent);
            self.modules.entry(parent.to_vec()).or_default().children.insert(child.clone());
        }
    }

    /// The cycles, each with the places of its uses.
    pub(crate) fn cycles(&self) -> Vec<String> {
        // The uses between two children of one module.
        let mut graphs: BTreeMap<&[String], BTreeMap<(&str, &str), &str>> = BTreeMap::new();
        let resolved: Vec<(&Use, ModulePath)> =
            self.uses.iter().map(|used| (used, self.resolve(&used.path, 0))).collect();
        for (used, target) in &resolved {
            let shared =
                used.from.iter().zip(target).take_while(|(one, other)| one == other).count();
            if let (Some(from), Some(to)) = (used.from.get(shared), target.get(shared)) {
                let graph = graphs.entry(&used.from[..shared]).or_default();
                let to = self
                    .modules
                    .get(&used.from[..shared])
                    .and_then(|parent| parent.children.get(to.as_str()).map(String::as_str));
                if let Some(to) = to {
                    graph.entry((from, to)).or_insert(&used.place);
                }
            }
        }
        let mut cycles = Vec::new();
        for (parent, graph) in &graphs {
            for circle in circles(graph) {
                let uses = graph
                    .iter()
                    .filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
                let uses: Vec<String> = uses
                    .map(|((from, to), place)| format!("  {from} uses {to}: {place}"))
                    .collect();
                let parent = if parent.is_empty() { "the root".into() } else { parent.join("::") };
                cycles.push(format!("a cycle of modules in {parent}:\n{}", uses.join("\n")));
            }
        }
        cycles
    }

    /// Follows a path through re-exports to the module that defines its item.
    fn resolve(&self, path: &[String], hops: usize) -> ModulePath {
        let mut at = ModulePath::new();
        for (index, segment) in path.iter().enumerate() {
            let Some(module) = self.modules.get(&at) else { return at };
            if module.children.contains(segment) {
                at.push(segment.clone());
            } else if let Some(target) = module.imports.get(segment).filter(|_| hops < 16) {
                let rest = path.get(index + 1..).unwrap_or_default();
                return self.resolve(&[target.as_slice(), rest].concat(), hops + 1);
            } else if let Some(glob) = module.globs.iter().find(|glob| self.defines(glob, segment))
            {
                return self.resolve(&[glob.as_slice(), &path[index..]].concat(), hops + 1);
            } else {
                return at;
            }
        }
        at
    }

    fn defines(&self, module: &[String], item: &str) -> bool {
        self.modules
            .get(module)
            .is_some_and(|module| module.items.contains(item) || module.imports.contains_key(item))
    }

    fn tokens(&mut self, tokens: &[TokenTree], module: &ModulePath, file: &str) {
        let mut at = 0;
        while at < tokens.len() {
            if let Some(next) = skip_test(&tokens[at..]) {
                at += next;
                continue;
            }
            match &tokens[at] {
                TokenTree::Group(group) => {
                    self.tokens(&group.stream().into_iter().collect::<Vec<_>>(), module, file);
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = tokens[at..].iter().position(|token| is_punct(token, ';'));
                    let end = at + end.unwrap_or(0);
                    let mut paths = Vec::new();
                    tree(&tokens[at + 1..end.max(at + 1)], &[], &mut paths);
                    for (path, name) in paths {
                        self.import(&path, name, module, file, word.span().start().line);
                    }
                    at = end.max(at);
                }
                TokenTree::Ident(word) if is_item(&word.to_string()) => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        let known = self.modules.entry(module.clone()).or_default();
                        known.items.insert(name.to_string());
                    }
                }
                TokenTree::Ident(word) if ["crate", "super", "self"].iter().any(|w| word == w) => {
                    let (path, next) = path_at(tokens, at);
                    if let Some(path) = absolute(&path, module).filter(|_| path.len() > 1) {
                        let place = format!("{file}:{}", word.span().start().line);
                        self.uses.push(Use { from: module.clone(), path, place });
                    }
                    at = next - 1;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn import(
        &mut self,
        path: &[String],
        name: Option<String>,
        module: &ModulePath,
        file: &str,
        line: usize,
    ) {
        let is_child =
            |first: &String| self.modules.get(module).is_some_and(|m| m.children.contains(first));
        let absolute = match path.first() {
            // A path that begins with a child, as `pub use child::Item` in a parent.
            Some(first) if is_child(first) => [module.as_slice(), path].concat(),
            _ => match absolute(path, module) {
                Some(path) => path,
                None => return,
            },
        };
        let known = self.modules.entry(module.clone()).or_default();
        match name {
            Some(name) => {
                known.imports.insert(name, absolute.clone());
            }
            None => known.globs.push(absolute.clone()),
        }
        let place = format!("{file}:{line}");
        self.uses.push(Use { from: module.clone(), path: absolute, place });
    }
}

/// The module of a file below `src`.
fn module_of(path: &str) -> ModulePath {
    let path = path.trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !["lib", "main", "mod"].contains(part));
    parts.map(str::to_owned).collect()
}

/// How many tokens a `#[cfg(test)]` and its item have.
fn skip_test(tokens: &[TokenTree]) -> Option<usize> {
    let [hash, TokenTree::Group(attribute), rest @ ..] = tokens else { return None };
    let text = attribute.stream().to_string();
    if !(is_punct(hash, '#') && text.starts_with("cfg") && text.contains("test")) {
        return None;
    }
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    };
    rest.iter().position(is_end).map(|end| end + 3)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_item(word: &str) -> bool {
    ["fn", "struct", "enum", "trait", "const", "static", "type", "union"].contains(&word)
}

/// A path such as `crate::a::b`, and the place after it.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<String>, usize) {
    let mut path = Vec::new();
    let mut at = start;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        let is_separated = [1, 2]
            .iter()
            .all(|step| tokens.get(at + step).is_some_and(|token| is_punct(token, ':')));
        if !is_separated {
            return (path, at + 1);
        }
        at += 3;
    }
    (path, at)
}

/// The paths of a use, each with the name that it brings in; none for `*`.
fn tree(tokens: &[TokenTree], before: &[String], paths: &mut Vec<(ModulePath, Option<String>)>) {
    let (path, next) = path_at(tokens, 0);
    let whole = [before, &path].concat();
    match tokens.get(next) {
        Some(TokenTree::Group(group)) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            for part in inner.split(|token| is_punct(token, ',')).filter(|part| !part.is_empty()) {
                tree(part, &whole, paths);
            }
        }
        Some(token) if is_punct(token, '*') => paths.push((whole, None)),
        Some(TokenTree::Ident(word)) if word == "as" => {
            let name = tokens.get(next + 1).map(ToString::to_string);
            paths.push((named(whole), name));
        }
        _ => {
            let whole = named(whole);
            let name = whole.last().cloned();
            paths.push((whole, name));
        }
    }
}

/// `a::{self}` is `a`.
fn named(mut path: ModulePath) -> ModulePath {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    path
}

/// A path from the root, of one that begins with `crate`, `super` or `self`.
fn absolute(path: &[String], module: &[String]) -> Option<ModulePath> {
    let mut module = module.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            module.clear();
            rest = &rest[1..];
        }
        "self" => rest = &rest[1..],
        "super" => {}
        _ => return None,
    }
    while let Some((_, after)) = rest.split_first().filter(|(first, _)| *first == "super") {
        module.pop();
        rest = after;
    }
    module.extend(rest.iter().cloned());
    Some(module)
}

/// The strongly connected parts of a graph that have more than one member.
fn circles<'a>(graph: &BTreeMap<(&'a str, &'a str), &str>) -> Vec<BTreeSet<&'a str>> {
    let reach = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            let targets = graph.keys().filter(|(from, _)| *from == at).map(|(_, to)| *to);
            next.extend(targets.filter(|to| seen.insert(*to)));
        }
        seen
    };
    let nodes: BTreeSet<&str> = graph.keys().flat_map(|(from, to)| [*from, *to]).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        nodes.iter().map(|node| (*node, reach(node))).collect();
    let mut circles = BTreeSet::new();
    for (node, targets) in &reached {
        let circle: BTreeSet<&str> =
            targets.iter().filter(|to| reached[*to].contains(node)).copied().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::Crate;

    fn cycles(files: &[(&str, &str)]) -> usize {
        Crate::read(files.iter().copied()).unwrap().cycles().len()
    }

    #[test]
    fn cycles_are_found_however_they_are_written() {
        let root = "mod a; mod b; pub use a::A; pub(crate) use b::*;";
        for (a, b, found) in [
            ("use crate::b::B; pub struct A;", "pub struct B;", 0),
            ("use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;", 1),
            ("use crate::b::B; pub struct A;", "use crate::A; pub struct B;", 1),
            ("use crate::B; pub struct A;", "use super::a::{self, A}; pub struct B;", 1),
            ("pub struct A; fn f() { crate::b::g() }", "fn g() { format!(\"{}\", crate::A) }", 1),
            ("use crate::{b::{B as C}}; pub struct A;", "fn g(_: super::A) {} pub struct B;", 1),
            // Comments, strings and tests are no uses.
            ("use crate::b::B; pub struct A;", "// crate::a::A\nconst B: &str = \"crate::A\";", 0),
            ("use crate::b::B; pub struct A;", "struct B; #[cfg(test)] mod t { use crate::A; }", 0),
        ] {
            assert_eq!(cycles(&[("lib.rs", root), ("a.rs", a), ("b.rs", b)]), found, "{a} {b}");
        }
    }

    #[test]
    fn what_is_below_a_module_counts_as_it_and_parents_are_free() {
        let files = |deep: &'static str, other: &'static str| {
            [
                ("lib.rs", "mod a; mod b;"),
                ("a/mod.rs", "mod deep; pub struct A;"),
                ("a/deep.rs", deep),
                ("b.rs", other),
            ]
        };
        assert_eq!(cycles(&files("use super::A; pub struct D;", "use crate::a::A;")), 0);
        assert_eq!(cycles(&files("use crate::b::B;", "use crate::a::A; pub struct B;")), 1);
        let inner = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod x; mod y; pub use x::X; pub use self::y::Y;"),
            ("a/x.rs", "use super::Y; pub struct X;"),
            ("a/y.rs", "use super::X; pub struct Y;"),
        ];
        assert_eq!(cycles(&inner), 1);
    }
}
