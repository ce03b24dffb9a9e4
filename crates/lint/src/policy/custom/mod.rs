//! Rules that a policy defines: a `match`, and an expression (CEL) that must hold.
//!
//! Expressions are compiled and checked when the policy is read: a field that definitions do not
//! have, an unknown function or a wrong type is a mistake of the policy, never a silent `false`. They
//! see one definition and nothing else: no file, no clock, no network. Length, nesting and the work
//! of an expression are limited ([`Budget`]).

mod budget;
mod metered;
mod value;

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Env, ExecutionError, Program, Value};
use cortexkey_manifest::format::{KEY, Kind};
use cortexkey_manifest::policy::{CustomRule, Match};
use cortexkey_manifest::yaml::{Limits, Tree, parse};
use cortexkey_manifest::{Span, did_you_mean, quote};

use super::subject::Subject;
use crate::model::RuleId;

/// Characters of one expression.
const LENGTH_MAX: usize = 1000;
/// Nested brackets and operations.
const DEPTH_MAX: usize = 48;
/// Stack for the parser and its result, which are as deep as the expression.
const STACK_BYTES: usize = 32 << 20;

/// What expressions may call.
const FUNCTIONS: [&str; 12] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "string",
    "int",
    "uint",
    "double",
    "type",
    "min",
    "max",
];

pub(crate) use budget::Budget;
use budget::{EVALUATION_MAX, Meter};
use metered::Metered;

/// A rule that a policy defines, compiled.
pub struct Custom {
    id: RuleId,
    /// The layer that defines it.
    pub(crate) layer: usize,
    /// Where the layer names it.
    pub(crate) name_span: Span,
    message: String,
    matches: Option<Match>,
    assertion: String,
    program: Metered,
    pub(crate) assert_span: Span,
    /// The fields that the expression names, without `key`.
    pub(crate) paths: Vec<Vec<String>>,
}

/// Why a key violates a rule.
pub(crate) struct Violation {
    pub(crate) message: String,
    /// True when the expression has no answer for the key.
    pub(crate) unchecked: bool,
}

impl core::fmt::Debug for Custom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Custom").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A mistake of an expression: where, what, and what to do.
pub(crate) struct ExpressionError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl ExpressionError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }
}

impl Custom {
    /// Compiles a rule; `None` if a field is missing, which has been reported already.
    pub(crate) fn new(
        layer: usize,
        rule: &CustomRule,
        env: &Arc<Env>,
    ) -> Option<Result<Self, (Span, ExpressionError)>> {
        let (id, name) = (rule.id.spanned()?, rule.name.spanned()?);
        let (assert, message) = (rule.assert.spanned()?, rule.message.get()?);
        let compiled = compile(&assert.value, env);
        Some(compiled.map_err(|error| (assert.span, error)).map(|(program, paths)| Self {
            id: RuleId::custom(id.value.clone(), name.value.clone()),
            layer,
            name_span: name.span,
            message: message.clone(),
            matches: rule.matches.get().cloned(),
            assertion: assert.value.clone(),
            program,
            assert_span: assert.span,
            paths,
        }))
    }

    /// Its code and name.
    #[must_use]
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// Its message for keys that violate it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The expression that must hold.
    #[must_use]
    pub fn assertion(&self) -> &str {
        &self.assertion
    }

    /// The keys that it applies to; `None` for all.
    #[must_use]
    pub fn matches(&self) -> Option<&Match> {
        self.matches.as_ref()
    }

    /// True when the rule applies to a key.
    pub(crate) fn applies(&self, subject: &Subject<'_>) -> bool {
        self.matches.as_ref().is_none_or(|wanted| subject.matches(wanted, self.layer))
    }

    /// Evaluates the expression; `None` if it is true.
    pub(crate) fn violation(
        &self,
        tree: &Tree,
        subject: &Subject<'_>,
        budget: &Budget,
    ) -> Option<Violation> {
        let meter = budget.meter();
        let root = tree.document_at(subject.definition.span).map(|document| document.root);
        let answer = answer(&self.program, value::of(tree, root, subject.tenant), &meter);
        budget.settle(&meter);
        let (message, unchecked) = match answer {
            _ if meter.is_over() => (
                format!("{}: the expression takes too many steps for this key", self.message),
                true,
            ),
            Ok(true) => return None,
            Ok(false) => (self.message.clone(), false),
            Err(ExecutionError::NoSuchKey(name)) => (
                format!(
                    "{}: it reads {}, which this key does not have",
                    self.message,
                    quote(&name)
                ),
                false,
            ),
            Err(_) => {
                (format!("{}: the expression has no result for this key", self.message), true)
            }
        };
        Some(Violation { message, unchecked })
    }
}

fn answer(program: &Metered, key: Value, meter: &Meter) -> Result<bool, ExecutionError> {
    match program.ask(key, meter)? {
        Value::Bool(holds) => Ok(holds),
        _ => Err(ExecutionError::UnexpectedType { got: "another".into(), want: "bool".into() }),
    }
}

/// Compiles an expression and checks every name in it.
fn compile(text: &str, env: &Arc<Env>) -> Result<(Metered, Vec<Vec<String>>), ExpressionError> {
    bounded(text)?;
    let program = on_large_stack(text, env)?;
    let mut walk = Walk { bound: Vec::new(), paths: Vec::new(), error: None };
    walk.expression(program.expression(), 0);
    if let Some(error) = walk.error {
        return Err(error);
    }
    if walk.paths.is_empty() {
        let error = ExpressionError::new("the expression names no field of the key");
        return Err(ExpressionError { help: Some("start with `key.`".into()), ..error });
    }
    let metered = Metered::new(program.expression(), env)
        .map_err(|error| ExpressionError::new(format!("a pattern is invalid: {error}")))?;
    try_sample(&metered)?;
    Ok((metered, walk.paths))
}

fn bounded(text: &str) -> Result<(), ExpressionError> {
    if text.chars().count() > LENGTH_MAX {
        let message = format!("an expression has at most {LENGTH_MAX} characters");
        let help = Some("split the rule; all rules of a policy must hold".into());
        return Err(ExpressionError { message, help });
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '!' | '-' | '?' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > DEPTH_MAX {
        return Err(too_deep());
    }
    Ok(())
}

fn too_deep() -> ExpressionError {
    ExpressionError::new(format!("an expression has at most {DEPTH_MAX} levels"))
}

fn on_large_stack(text: &str, env: &Arc<Env>) -> Result<Program, ExpressionError> {
    let env = Arc::clone(env);
    let owned = text.to_owned();
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
    let compiled = worker.spawn(move || {
        env.compile(&owned).map_err(|errors| {
            let first = errors.errors.first();
            // The parser's own message repeats the expression, which the finding shows already.
            first.map_or((1, 1), |error| error.pos)
        })
    });
    let failed = || ExpressionError::new("the expression cannot be compiled");
    let outcome = compiled.map_err(|_| failed())?.join().map_err(|_| failed())?;
    outcome.map_err(|(line, column)| {
        let place = if line > 1 {
            format!("line {line}, column {column}")
        } else {
            format!("column {column}")
        };
        ExpressionError::new(format!("the expression is not valid CEL at {place}"))
    })
}

/// Runs an expression once, since types show only then. A missing label is not an error.
fn try_sample(program: &Metered) -> Result<(), ExpressionError> {
    let sample = parse(&KEY.sample(), &Limits::default()).tree;
    let root = sample.documents().first().map(|document| document.root);
    let meter = Meter::new(EVALUATION_MAX);
    match answer(program, value::of(&sample, root, None), &meter) {
        _ if meter.is_over() => {
            let message = "the expression takes too many steps, even for a small key";
            let help = "iterate over lists of the key, not over nested lists";
            Err(ExpressionError { help: Some(help.into()), ..ExpressionError::new(message) })
        }
        Ok(_) | Err(ExecutionError::NoSuchKey(_)) => Ok(()),
        Err(ExecutionError::UnexpectedType { .. }) => {
            Err(ExpressionError::new("the expression must return `true` or `false`"))
        }
        Err(ExecutionError::NoSuchOverload(error)) => Err(ExpressionError::new(format!(
            "{} does not take {}",
            quote(&plain_operator(error.function())),
            error.argument_types().join(" and ")
        ))),
        Err(_) => Err(ExpressionError::new("the expression cannot be evaluated for any key")),
    }
}

/// `_<=_` as `<=`.
fn plain_operator(function: &str) -> String {
    function.trim_matches(['_', '@']).to_owned()
}

/// Collects the names in an expression.
struct Walk {
    /// Names that `all`, `exists`, `filter` and `map` bind, and their kinds if known.
    bound: Vec<(String, Option<Kind>)>,
    paths: Vec<Vec<String>>,
    error: Option<ExpressionError>,
}

impl Walk {
    fn expression(&mut self, expression: &IdedExpr, depth: usize) {
        if depth > DEPTH_MAX {
            self.error.get_or_insert_with(too_deep);
            return;
        }
        if let Some(path) = chain(expression) {
            self.name(&path);
            return;
        }
        let depth = depth + 1;
        match &expression.expr {
            Expr::Call(call) => {
                self.function(&call.func_name);
                for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                    self.expression(part, depth);
                }
            }
            Expr::Comprehension(inner) => {
                self.expression(&inner.iter_range, depth);
                let before = self.bound.len();
                let item = match chain(&inner.iter_range).and_then(|path| self.shape(&path)) {
                    Some(Kind::List(item)) => Some(*item),
                    _ => None,
                };
                self.bound.push((inner.iter_var.clone(), item));
                self.bound.extend(inner.iter_var2.clone().map(|name| (name, None)));
                self.bound.push((inner.accu_var.clone(), None));
                let parts = [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result];
                for part in parts {
                    self.expression(part, depth);
                }
                self.bound.truncate(before);
            }
            Expr::List(list) => list.elements.iter().for_each(|e| self.expression(e, depth)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    self.expression(&entry.key, depth);
                    self.expression(&entry.value, depth);
                }
            }),
            Expr::Select(select) => self.expression(&select.operand, depth),
            Expr::Struct(_) => {
                self.error
                    .get_or_insert_with(|| ExpressionError::new("types cannot be constructed"));
            }
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// Checks a name, and collects it if it is a field of the key.
    fn name(&mut self, path: &[String]) {
        self.shape(path);
        if let Some((root, fields)) = path.split_first()
            && root == "key"
            && !self.paths.iter().any(|known| known == fields)
        {
            self.paths.push(fields.to_vec());
        }
    }

    /// The kind of a name; an unknown name is an error.
    fn shape(&mut self, path: &[String]) -> Option<Kind> {
        let (root, fields) = path.split_first()?;
        let bound = self.bound.iter().rev().find(|(name, _)| name == root);
        let mut shape = match bound {
            Some((_, shape)) => (*shape)?,
            None if root == "key" => Kind::Fields(&KEY),
            None => {
                let message = format!("{} is not defined here", quote(root));
                let help = did_you_mean(root, &["key"]).or(Some("expressions see `key`".into()));
                self.error.get_or_insert(ExpressionError { message, help });
                return None;
            }
        };
        for (at, field) in fields.iter().enumerate() {
            let so_far = || path.get(..=at).unwrap_or_default().join(".");
            shape = match shape {
                Kind::Fields(known) => {
                    let Some(inner) = known.field(field) else {
                        let message = format!("`{}` has no field {}", so_far(), quote(field));
                        let help = did_you_mean(field, &known.names());
                        self.error.get_or_insert(ExpressionError { message, help });
                        return None;
                    };
                    inner.kind
                }
                // Labels have any names.
                Kind::Map(_) => return None,
                _ => {
                    let message =
                        format!("`{}` has no fields, so {} cannot be read", so_far(), quote(field));
                    self.error.get_or_insert(ExpressionError::new(message));
                    return None;
                }
            };
        }
        Some(shape)
    }

    fn function(&mut self, name: &str) {
        let operator = name.starts_with(['_', '@', '!', '-']);
        if !operator && !FUNCTIONS.contains(&name) {
            let message = format!("there is no function {}", quote(name));
            let help = did_you_mean(name, &FUNCTIONS);
            self.error.get_or_insert(ExpressionError { message, help });
        }
    }
}

/// `a.b.c` as its parts; a `has(a.b)` too.
fn chain(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut path = chain(&select.operand)?;
            path.push(select.field.clone());
            Some(path)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        compile(text, &Arc::new(Env::stdlib())).err().map(|e| e.message).unwrap_or_default()
    }

    #[test]
    fn good_expressions_compile() {
        for text in [
            "size(key.spec.roles) <= 3 && key.spec.securityLevel == 'advanced'",
            "key.spec.roles.all(role, role.startsWith('View') || role in ['Responder'])",
            "has(key.spec.comment) && key.spec.comment.matches('^[A-Z]')",
            "key.metadata.labels.env != 'dev'",
            "!key.spec.scope.casesAndIssues.domains.exists(d, d == 'IT')",
            "key.metadata.approvals.filter(a, a.by.endsWith('@example.com')).size() > 0",
            "key.spec.scope.assets.mode == 'select' ? size(key.spec.scope.assets.groups) < 9 : true",
            "'env' in key.metadata.labels",
        ] {
            assert_eq!(error(text), "", "{text}");
        }
    }

    #[test]
    fn bad_expressions_get_a_reason() {
        for (text, expected) in [
            ("key.spec.rols == []", "`key.spec` has no field `rols`"),
            ("kye.spec.roles == []", "there is no `kye` here"),
            ("sizeof(key.spec.roles) > 1", "there is no function `sizeof`"),
            ("size(key.spec.roles)", "the expression must answer `true` or `false`"),
            ("key.spec.roles <= 3", "`<=` does not take"),
            ("key.spec.roles.name == 'x'", "`key.spec.roles` has no fields"),
            ("key.metadata.approvals.all(a, a.byy == 'x')", "`a` has no field `byy`"),
            ("1 == 1", "names no field"),
            ("key.spec.comment ==", "not CEL"),
            ("", "not CEL"),
        ] {
            let found = error(text);
            assert!(found.contains(expected), "{text}: found {found}");
        }
        assert!(error(&format!("key.spec.comment == '{}'", "x".repeat(1000))).contains("1000"));
        let nested = format!("{}key{}", "(".repeat(60), ")".repeat(60));
        assert!(error(&nested).contains("levels"), "{}", error(&nested));
        let long = format!("size(key.spec.roles){} > 0", " + 1".repeat(100));
        assert!(error(&long).contains("levels"), "{}", error(&long));
    }
}
