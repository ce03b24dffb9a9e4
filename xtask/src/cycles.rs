//! Finds cycles between the modules of a crate.
//!
//! A module and what is below it count as one for its siblings: among the children of each module,
//! uses may lead in one direction only. Imports, paths in expressions and types, glob imports and
//! macros all count, and are followed through re-exports to the module that defines the item. A
//! parent and its children may use each other. Tests may use everything.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// A module's path from the crate's root, which is empty.
type ModulePath = Vec<String>;

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
    /// The modules that define a macro.
    macros: BTreeMap<String, ModulePath>,
    /// The paths that each module uses, from the root, with the first place of each.
    uses: BTreeMap<(ModulePath, ModulePath), String>,
}

/// What a module is, and where it is written.
struct Here<'a> {
    module: ModulePath,
    file: &'a str,
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
            read.tokens(&tokens, &Here { module: module_of(path), file: path });
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
        for ((from, path), place) in &self.uses {
            let target = self.target(from, path);
            let shared = from.iter().zip(&target).take_while(|(one, other)| one == other).count();
            let (parent, rest) = from.split_at(shared);
            let (Some(from), Some(to)) = (rest.first(), target.get(shared)) else { continue };
            let children = self.modules.get(parent).map(|parent| &parent.children);
            if let Some(to) = children.and_then(|children| children.get(to)) {
                graphs.entry(parent).or_default().entry((from, to)).or_insert(place);
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

    /// The module that defines what a path of a module names.
    fn target(&self, from: &[String], path: &[String]) -> ModulePath {
        match path.strip_prefix(from) {
            // A macro is also seen where no path leads to it.
            Some([name]) if name.ends_with('!') => {
                let name = name.trim_end_matches('!');
                let found = self.resolve(&[from, &[name.to_owned()]].concat(), 0);
                let by_text = self.macros.get(name).filter(|_| found == from);
                by_text.cloned().unwrap_or(found)
            }
            _ => self.resolve(path, 0),
        }
    }

    /// Follows a path through re-exports to the module that defines its item.
    fn resolve(&self, path: &[String], hops: usize) -> ModulePath {
        let mut at = ModulePath::new();
        for (index, segment) in path.iter().enumerate() {
            let Some(module) = self.modules.get(&at).filter(|_| hops < 16) else { return at };
            let rest = &path[index..];
            let glob = || module.globs.iter().find(|glob| self.defines(glob, segment, hops));
            if module.children.contains(segment) {
                at.push(segment.clone());
            } else if module.items.contains(segment) {
                return at;
            } else if let Some(target) = module.imports.get(segment) {
                return self.resolve(&[target, &rest[1..]].concat(), hops + 1);
            } else if let Some(glob) = glob() {
                return self.resolve(&[glob, rest].concat(), hops + 1);
            } else {
                return at;
            }
        }
        at
    }

    /// Whether a module has an item, a child, or an import of this name.
    fn defines(&self, module: &[String], item: &str, hops: usize) -> bool {
        self.modules.get(module).is_some_and(|module| {
            module.items.contains(item)
                || module.children.contains(item)
                || module.imports.contains_key(item)
                || hops < 16 && module.globs.iter().any(|glob| self.defines(glob, item, hops + 1))
        })
    }

    fn tokens(&mut self, tokens: &[TokenTree], here: &Here) {
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at..] {
                rest if let Some(skipped) = skip_test(rest) => skipped,
                [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
                    if word == "mod" =>
                {
                    let module = [here.module.as_slice(), &[name.to_string()]].concat();
                    self.add(&module);
                    self.tokens(&inside(body), &Here { module, ..*here });
                    3
                }
                [TokenTree::Group(group), ..] => {
                    self.tokens(&inside(group), here);
                    1
                }
                [TokenTree::Ident(word), rest @ ..] if word == "use" => {
                    let end = rest.iter().position(|token| is_punct(token, ';'));
                    let end = end.unwrap_or(rest.len());
                    let mut paths = Vec::new();
                    tree(&rest[..end], &[], &mut paths);
                    for (path, name) in paths {
                        self.import(&path, name, here, word);
                    }
                    1 + end
                }
                [TokenTree::Ident(word), bang, TokenTree::Ident(name), ..]
                    if word == "macro_rules" && is_punct(bang, '!') =>
                {
                    self.macros.insert(name.to_string(), here.module.clone());
                    self.define(name, here);
                    3
                }
                [TokenTree::Ident(word), TokenTree::Ident(name), ..] if is_item(word) => {
                    self.define(name, here);
                    2
                }
                // A field or a method, and a name that a macro fills in.
                [dot, TokenTree::Ident(word), ..]
                    if is_punct(dot, '.') || is_punct(dot, '$') && word != "crate" =>
                {
                    2
                }
                [TokenTree::Ident(word), ..] => {
                    let (mut path, next) = path_at(tokens, at);
                    if let ([name], Some(bang)) = (path.as_mut_slice(), tokens.get(next))
                        && is_punct(bang, '!')
                    {
                        name.push('!');
                    }
                    self.used(&path, here, word);
                    next - at
                }
                _ => 1,
            };
        }
    }

    fn define(&mut self, name: &Ident, here: &Here) {
        self.modules.entry(here.module.clone()).or_default().items.insert(name.to_string());
    }

    /// Notes a path as it is written in a module.
    fn used(&mut self, path: &[String], here: &Here, word: &Ident) {
        let path =
            absolute(path, &here.module).unwrap_or_else(|| [here.module.as_slice(), path].concat());
        let place = || format!("{}:{}", here.file, word.span().start().line);
        self.uses.entry((here.module.clone(), path)).or_insert_with(place);
    }

    fn import(&mut self, path: &[String], name: Option<String>, here: &Here, word: &Ident) {
        let known = self.modules.entry(here.module.clone()).or_default();
        let absolute = match (absolute(path, &here.module), path) {
            (Some(absolute), _) => absolute,
            // A macro that is handed on, or an item of this file.
            (None, [only]) if Some(only) == name.as_ref() => return,
            // A path that begins with a child, as `pub use child::Item` in a parent, or with a name
            // that is imported. A path into another crate resolves to nothing.
            (None, _) => [here.module.as_slice(), path].concat(),
        };
        match name {
            Some(name) => {
                known.imports.insert(name, absolute.clone());
            }
            None => known.globs.push(absolute.clone()),
        }
        self.used(path, here, word);
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
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    if !(is_punct(hash, '#') && (text == "cfg(test)" || text.starts_with("cfg(all(test,"))) {
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

fn is_item(word: &Ident) -> bool {
    let words = ["fn", "struct", "enum", "trait", "const", "static", "type", "union"];
    words.iter().any(|known| word == known)
}

fn inside(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
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
            for part in
                inside(group).split(|token| is_punct(token, ',')).filter(|part| !part.is_empty())
            {
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
    fn module_cycles_are_found_in_any_notation() {
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
            // Code of a build without tests counts.
            ("use crate::b::B; pub struct A;", "struct B; #[cfg(not(test))] use crate::A;", 1),
            // Modules in a file, and their `super`.
            ("use crate::b::B; pub struct A;", "struct B; mod t { use super::super::a::A; }", 1),
            ("use crate::b::B; pub struct A;", "struct B; mod t { use super::B; fn a() {} }", 0),
            // A name that a glob brings in, and a path through an imported ancestor.
            ("use super::*; pub struct A; fn f(_: B) {}", "pub struct B; fn g(_: crate::A) {}", 1),
            ("use super::*; pub struct A; fn f() {}", "pub struct B; fn g(_: crate::A) {}", 0),
            ("use crate as top; pub struct A; fn f(_: top::B) {}", "struct B(super::A);", 1),
            ("use crate::{self as top}; struct A(top::b::B);", "struct B(super::A);", 1),
            // Fields and methods are no uses; a macro of another module is, in any order.
            ("use super::*; pub struct A; fn f() { x.B }", "pub struct B(crate::A);", 0),
            ("macro_rules! m { () => {} } fn f() { crate::b::g() }", "fn g() { m!() }", 1),
            ("macro_rules! m { () => {} } fn f() { crate::b::g() }", "fn g() { vec![] }", 0),
            ("macro_rules! m { () => { $crate::b::g() } }", "use crate::a::m; fn g() {}", 1),
        ] {
            assert_eq!(cycles(&[("lib.rs", root), ("a.rs", a), ("b.rs", b)]), found, "{a} {b}");
        }
    }

    #[test]
    fn submodules_count_as_their_module() {
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
