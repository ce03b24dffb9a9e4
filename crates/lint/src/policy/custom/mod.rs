//! Rules that a policy defines: a `match`, and an expression (CEL) that must hold.
//!
//! Expressions are compiled and checked when the policy is read: a field that definitions do not
//! have, an unknown function or a wrong type is a mistake of the policy, never a silent `false`. They
//! see the definition, its path, the time of the run, facts of the policy and the other keys of the
//! owner: no file, no clock, no network. Length, nesting and the work of an expression are limited
//! ([`Budget`]).

mod budget;
mod functions;
mod metered;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{Env, ExecutionError, Program, Value};
use cortexkey_core::access::Role;
use cortexkey_manifest::format::{FieldKind, KEY, Mapping, POLICY};
use cortexkey_manifest::policy::{CatalogTenant, CustomRule, Match};
use cortexkey_manifest::yaml::{Tree, YamlLimits, parse};
use cortexkey_manifest::{Span, did_you_mean, quote};
use cortexkey_system::counted;

use jiff::Timestamp;

use super::subject::Subject;
use crate::model::RuleId;

/// Characters of one expression.
const LENGTH_MAX: usize = 1000;
/// Keys of one owner that an expression goes through. Each key of the owner goes through all of them,
/// so that the work grows with the square.
const OWNER_KEYS_MAX: usize = 200;
/// Nested brackets and operations.
const DEPTH_MAX: usize = 48;
/// Stack for the parser and its result, which are as deep as the expression.
const STACK_BYTES: usize = 32 << 20;
/// The time of the sample, 2026-01-01.
const SAMPLE_NOW: i64 = 1_767_225_600;

pub(crate) use budget::Budget;
use budget::{EVALUATION_MAX, Meter};
pub use functions::{FUNCTIONS, Function, VARIABLES};
use metered::{Inputs, Metered};
pub(crate) use value::to_json;

/// What all expressions of a policy are compiled with.
pub(crate) struct ExpressionLanguage {
    env: Arc<Env>,
    /// The components that roles of the catalog name.
    components: BTreeSet<String>,
}

impl ExpressionLanguage {
    pub(crate) fn new(components: BTreeSet<String>) -> Self {
        Self { env: Arc::new(Env::stdlib()), components }
    }
}

/// What an expression sees besides the definition's fields.
pub(crate) struct Bindings<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) now: Timestamp,
    /// The facts of the key's tenant, if the policy has them.
    pub(crate) tenant: Option<&'a CatalogTenant>,
    /// The name of a role that a definition names, in whichever spelling.
    pub(crate) role_name: &'a dyn Fn(&str) -> String,
    /// The roles that the key holds.
    pub(crate) roles: &'a dyn Fn() -> Vec<Role<String>>,
    /// The keys of the owner; `None` until the whole corpus is known.
    pub(crate) owner_keys: Option<&'a OwnerKeys>,
}

/// The keys of one owner, as expressions see them; `None` for more than [`OWNER_KEYS_MAX`].
#[derive(Clone, Debug)]
pub(crate) struct OwnerKeys(Option<Value>);

impl OwnerKeys {
    /// The keys of these documents, each with the tenant of keys that name none.
    pub(crate) fn of<'d>(
        documents: impl Iterator<Item = (&'d Tree, Span, Option<&'d str>)>,
        role_name: &dyn Fn(&str) -> String,
    ) -> Self {
        let keys = documents.map(|(tree, span, tenant)| key_value(tree, span, tenant, role_name));
        let keys: Vec<Value> = keys.take(OWNER_KEYS_MAX + 1).collect();
        Self((keys.len() <= OWNER_KEYS_MAX).then(|| Value::from(keys)))
    }
}

fn key_value(
    tree: &Tree,
    definition: Span,
    tenant: Option<&str>,
    role_name: &dyn Fn(&str) -> String,
) -> Value {
    let root = tree.document_at(definition).map(|document| document.root);
    value::of(tree, root, tenant, role_name)
}

/// An expression, compiled.
pub(crate) struct Expression {
    program: Metered,
    /// The fields of the key that it names, without `key`.
    paths: Vec<Vec<String>>,
    /// The variables and functions of interest that it names.
    names: BTreeSet<&'static str>,
}

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
    expression: Expression,
    pub(crate) assert_span: Span,
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

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Expression {
    /// Compiles an expression and checks every name in it.
    pub(crate) fn new(text: &str, language: &ExpressionLanguage) -> Result<Self, ExpressionError> {
        let (expression, answer) = compile(text, language)?;
        match answer {
            Err(error) => Err(error),
            Ok(_) => Ok(expression),
        }
    }

    /// Like [`compile`](Self::compile), for an expression that must use the key and return `true`
    /// or `false`.
    fn assertion(text: &str, language: &ExpressionLanguage) -> Result<Self, ExpressionError> {
        let (expression, answer) = compile(text, language)?;
        if expression.names.is_empty() && expression.paths.is_empty() {
            let error = ExpressionError::new("the expression names no field of the key");
            return Err(error.help("start with `key.`"));
        }
        match answer? {
            Some(Value::Bool(_)) | None => Ok(expression),
            Some(_) => Err(ExpressionError::new("the expression must return `true` or `false`")),
        }
    }

    /// The value for a key, within a budget.
    pub(crate) fn evaluate(&self, seen: &Bindings<'_>, budget: &Budget) -> Result<Value, NoAnswer> {
        let meter = budget.meter();
        let value = self.program.ask(self.inputs(seen)?, &meter);
        budget.settle(&meter);
        if meter.is_over() {
            return Err(NoAnswer::OverBudget);
        }
        value.map_err(|error| NoAnswer::of(&error))
    }

    fn inputs(&self, seen: &Bindings<'_>) -> Result<Inputs, NoAnswer> {
        let names = |name: &str| self.names.contains(name);
        let subject = seen.subject;
        let key = key_value(seen.tree, subject.definition.span, subject.tenant, seen.role_name);
        let owner_keys = match seen.owner_keys.filter(|_| names("ownerKeys")) {
            Some(OwnerKeys(Some(keys))) => keys.clone(),
            Some(OwnerKeys(None)) => {
                let message = format!("`ownerKeys` holds more than {OWNER_KEYS_MAX} keys");
                return Err(NoAnswer::Failed(message));
            }
            None => Value::from(Vec::<Value>::new()),
        };
        Ok(Inputs {
            owner_keys,
            key,
            path: subject.path.to_owned(),
            now: seen.now.as_second(),
            tenant: value::tenant(subject.tenant, seen.tenant),
            roles: if names("permission") { (seen.roles)() } else { Vec::new() },
        })
    }
}

/// Why an expression has no value for a key. It holds no value of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    OverBudget,
    /// The key does not have this field or entry.
    NoSuchKey(String),
    Failed(String),
}

impl NoAnswer {
    fn of(error: &ExecutionError) -> Self {
        match error {
            ExecutionError::NoSuchKey(name) => Self::NoSuchKey((**name).clone()),
            ExecutionError::FunctionError { function, message } => {
                let function = function.trim_start_matches('@');
                // Messages of the other functions may repeat a value.
                let is_ours = functions::OWN.iter().any(|(name, _)| *name == function);
                let message = if is_ours { message } else { "has no result for this key" };
                Self::Failed(format!("`{function}` {message}"))
            }
            ExecutionError::NoSuchOverload(error) => Self::Failed(does_not_take(error)),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                Self::Failed("it divides by zero".to_owned())
            }
            ExecutionError::Overflow(operator, ..) => {
                Self::Failed(format!("`{operator}` overflows"))
            }
            ExecutionError::IndexOutOfBounds(_) => {
                Self::Failed("a list has no item at this index".to_owned())
            }
            _ => Self::Failed("the expression has no result for this key".to_owned()),
        }
    }
}

impl core::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OverBudget => f.write_str("the expression takes too many steps for this key"),
            Self::NoSuchKey(name) => {
                write!(f, "it reads {}, which this key does not have", quote(name))
            }
            Self::Failed(message) => f.write_str(message),
        }
    }
}

fn does_not_take(error: &cel::OverloadError) -> String {
    let function = quote(&plain_operator(error.function()));
    format!("{function} does not take {}", error.argument_types().join(" and "))
}

impl Custom {
    /// Compiles a rule; `None` if a field is missing, which has been reported already.
    pub(crate) fn new(
        layer: usize,
        rule: &CustomRule,
        language: &ExpressionLanguage,
    ) -> Option<Result<Self, (Span, ExpressionError)>> {
        let id = rule.id.spanned()?;
        let name = rule.name.spanned()?;
        let assert = rule.assert.spanned()?;
        let message = rule.message.get()?;
        let compiled = Expression::assertion(&assert.value, language);
        Some(compiled.map_err(|error| (assert.span, error)).map(|expression| Self {
            id: RuleId::custom(id.value.clone(), name.value.clone()),
            layer,
            name_span: name.span,
            message: message.clone(),
            matches: rule.matches.get().cloned(),
            assertion: assert.value.clone(),
            expression,
            assert_span: assert.span,
        }))
    }

    /// Its code and name.
    #[must_use]
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// Where a policy names it, with the index of the layer.
    #[must_use]
    pub fn place(&self) -> (usize, Span) {
        (self.layer, self.name_span)
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

    /// The fields of the key that the expression names, without `key`.
    pub(crate) fn paths(&self) -> &[Vec<String>] {
        &self.expression.paths
    }

    /// Whether it can only be checked when all keys are known.
    pub(crate) fn sees_other_keys(&self) -> bool {
        self.expression.names.contains("ownerKeys")
    }

    /// Evaluates the expression; `None` if it is true.
    pub(crate) fn violation(&self, seen: &Bindings<'_>, budget: &Budget) -> Option<Violation> {
        let with = |why: &str| format!("{}: {why}", self.message);
        let (message, unchecked) = match self.expression.evaluate(seen, budget) {
            Ok(Value::Bool(true)) => return None,
            Ok(Value::Bool(false)) => (self.message.clone(), false),
            Ok(_) => (with("the expression returns neither `true` nor `false`"), true),
            Err(why) => (with(&why.to_string()), !matches!(why, NoAnswer::NoSuchKey(_))),
        };
        Some(Violation { message, unchecked })
    }
}

type Compiled = (Expression, Result<Option<Value>, ExpressionError>);

/// Compiles an expression, and tries it on a sample.
fn compile(text: &str, language: &ExpressionLanguage) -> Result<Compiled, ExpressionError> {
    bounded(text)?;
    let program = on_large_stack(text, &language.env)?;
    let mut walk = Walk::new(language);
    walk.expression(program.expression(), 0);
    if let Some(error) = walk.error {
        return Err(error);
    }
    let metered = Metered::new(program.expression(), &language.env).map_err(|error| {
        ExpressionError::new(format!("`matches` has an invalid pattern: {error}"))
    })?;
    let answer = try_sample(&metered, &walk.called);
    Ok((Expression { program: metered, paths: walk.paths, names: walk.names }, answer))
}

fn bounded(text: &str) -> Result<(), ExpressionError> {
    if text.chars().count() > LENGTH_MAX {
        let message = format!("an expression has at most {LENGTH_MAX} characters");
        let help = Some("split the rule; all rules of a policy must hold".into());
        return Err(ExpressionError { message, help });
    }
    let mut depth = 0_usize;
    let mut deepest = 0;
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

/// Runs an expression once, since types show only then. `None` if the sample has no answer, as for a
/// missing label, while another key may have one.
fn try_sample(program: &Metered, called: &[&Function]) -> Result<Option<Value>, ExpressionError> {
    let sample = parse(&KEY.sample(), &YamlLimits::default()).tree;
    let root = sample.documents().first().map(|document| document.root);
    let key = value::of(&sample, root, None, &str::to_owned);
    let inputs = Inputs {
        owner_keys: Value::from(vec![key.clone()]),
        key,
        path: "keys/sample.yaml".to_owned(),
        now: SAMPLE_NOW,
        tenant: value::sample_tenant(),
        roles: Vec::new(),
    };
    let meter = Meter::new(EVALUATION_MAX);
    match program.ask(inputs, &meter) {
        _ if meter.is_over() => {
            let message = "the expression takes too many steps, even for a small key";
            let help = "iterate over lists of the key, not over nested lists";
            Err(ExpressionError::new(message).help(help))
        }
        Ok(value) => Ok(Some(value)),
        // These depend on the values.
        Err(
            ExecutionError::NoSuchKey(_)
            | ExecutionError::FunctionError { .. }
            | ExecutionError::IndexOutOfBounds(_)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)
            | ExecutionError::Overflow(..),
        ) => Ok(None),
        Err(ExecutionError::UnexpectedType { got, want }) => {
            let is_type = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric());
            let got = if is_type(&got) { got } else { "another type".to_owned() };
            Err(ExpressionError::new(format!("{got} is used where {want} is needed")))
        }
        Err(ExecutionError::NoSuchOverload(error)) => {
            Err(ExpressionError::new(does_not_take(&error)))
        }
        Err(_) => {
            let calls: Vec<&str> = called.iter().map(|function| function.usage).collect();
            let message = "the expression cannot be evaluated for any key";
            Err(ExpressionError::new(if calls.is_empty() {
                message.to_owned()
            } else {
                format!("{message}; check the values of {}", calls.join(" and "))
            }))
        }
    }
}

/// `_<=_` as `<=`.
fn plain_operator(function: &str) -> String {
    function.trim_matches(['_', '@']).to_owned()
}

/// Collects the names in an expression.
struct Walk<'l> {
    language: &'l ExpressionLanguage,
    /// Names that `all`, `exists`, `filter` and `map` bind, and their kinds if known.
    bound: Vec<(String, Option<FieldKind>)>,
    paths: Vec<Vec<String>>,
    /// The variables besides `key`, and `permission`.
    names: BTreeSet<&'static str>,
    /// The functions that it calls.
    called: Vec<&'static Function>,
    error: Option<ExpressionError>,
}

impl<'l> Walk<'l> {
    fn new(language: &'l ExpressionLanguage) -> Self {
        let bound = Vec::new();
        let paths = Vec::new();
        let names = BTreeSet::new();
        Self { language, bound, paths, names, called: Vec::new(), error: None }
    }

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
                self.function(call);
                for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                    self.expression(part, depth);
                }
            }
            Expr::Comprehension(inner) => {
                self.expression(&inner.iter_range, depth);
                let before = self.bound.len();
                let item = match chain(&inner.iter_range).and_then(|path| self.shape(&path)) {
                    Some(FieldKind::List(item)) => Some(*item),
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
    fn shape(&mut self, path: &[String]) -> Option<FieldKind> {
        let (root, fields) = path.split_first()?;
        let bound = self.bound.iter().rev().find(|(name, _)| name == root);
        let mut shape = match bound {
            Some((_, shape)) => (*shape)?,
            None if root == "key" => FieldKind::Fields(&KEY),
            None => {
                let kind = self.variable(root)?;
                // Its name is not among the facts that a policy sets.
                if root == "tenant" && fields == ["name"] {
                    return Some(FieldKind::Text);
                }
                kind
            }
        };
        for (at, field) in fields.iter().enumerate() {
            let so_far = || path.get(..=at).unwrap_or_default().join(".");
            shape = match shape {
                FieldKind::Fields(known) => {
                    let Some(inner) = known.field(field) else {
                        let message = format!("`{}` has no field {}", so_far(), quote(field));
                        let help = did_you_mean(field, &known.names());
                        self.error.get_or_insert(ExpressionError { message, help });
                        return None;
                    };
                    inner.kind
                }
                // Labels have any names.
                FieldKind::Map(_) => return None,
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

    /// The kind of a variable besides `key`.
    fn variable(&mut self, name: &str) -> Option<FieldKind> {
        let known = VARIABLES.map(|(known, _)| known);
        let Some(known) = known.into_iter().find(|known| *known == name) else {
            let error = ExpressionError::new(format!("{} is not defined here", quote(name)));
            let help = did_you_mean(name, &known);
            let all = format!("expressions see {}", known.map(quote).join(", "));
            self.error.get_or_insert(error.help(help.unwrap_or(all)));
            return None;
        };
        self.names.insert(known);
        Some(match known {
            "ownerKeys" => const { FieldKind::List(&FieldKind::Fields(&KEY)) },
            "tenant" => FieldKind::Fields(tenant_fields()?),
            "now" => FieldKind::Number,
            _ => FieldKind::Text,
        })
    }

    fn function(&mut self, call: &CallExpr) {
        let name = call.func_name.as_str();
        if name.starts_with(['_', '@', '!', '-']) {
            return;
        }
        let Some(function) = Function::find(name) else {
            let message = format!("there is no function {}", quote(name));
            let help = did_you_mean(name, &Function::names());
            self.error.get_or_insert(ExpressionError { message, help });
            return;
        };
        if !self.called.iter().any(|known| known.name == name) {
            self.called.push(function);
        }
        let count = call.args.len() + usize::from(call.target.is_some());
        if !function.takes(count) {
            let message = format!("`{name}` does not take {}", counted(count, "value"));
            let error = ExpressionError::new(message).help(format!("write {}", function.usage));
            self.error.get_or_insert(error);
        }
        if name == "permission" {
            self.names.insert("permission");
        }
        let literal = call.target.as_deref().into_iter().chain(&call.args).next();
        if let Some(Expr::Literal(LiteralValue::String(text))) = literal.map(|part| &part.expr)
            && let Some(wrong) =
                functions::wrong_literal(name, text.inner(), &self.language.components)
        {
            self.error.get_or_insert(ExpressionError::new(wrong));
        }
    }
}

/// The fields that a policy sets for a tenant.
fn tenant_fields() -> Option<&'static Mapping> {
    match POLICY.field("tenants")?.kind {
        FieldKind::Map(item) => item.mapping(),
        _ => None,
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
        let language = ExpressionLanguage::new(["Own Component".to_owned()].into());
        Expression::assertion(text, &language).err().map(|e| e.message).unwrap_or_default()
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
            "has(key.spec.expires) ? timestamp(key.spec.expires) - now < duration('90d') : true",
            "timestamp('2027-01-31') > now && timestamp('2027-01-31T00:00:00Z') > 0",
            "path.startsWith('keys/prod/') || key.metadata.name.split('-').size() == 3",
            "key.metadata.name.lowerAscii() == key.metadata.name",
            "tenant.product == 'xsiam' && tenant.sbac != 'disabled' && tenant.tags == 'permissive'",
            "permission('Public API') != 'edit' && permission('Own Component') == 'none'",
            "ownerKeys.filter(k, k.spec.securityLevel == 'standard').size() < 3",
            "ownerKeys.all(k, size(k.spec.roles) < 9)",
            "tenant.name == 'prod' || !has(tenant.datasets)",
        ] {
            assert_eq!(error(text), "", "{text}");
        }
    }

    #[test]
    fn bad_expressions_get_a_reason() {
        for (text, expected) in [
            ("key.spec.rols == []", "`key.spec` has no field `rols`"),
            ("kye.spec.roles == []", "`kye` is not defined here"),
            ("sizeof(key.spec.roles) > 1", "there is no function `sizeof`"),
            ("size(key.spec.roles)", "the expression must return `true` or `false`"),
            ("key.spec.roles <= 3", "`<=` does not take"),
            ("key.spec.roles.name == 'x'", "`key.spec.roles` has no fields"),
            ("key.metadata.approvals.all(a, a.byy == 'x')", "`a` has no field `byy`"),
            ("1 == 1", "names no field"),
            ("key.spec.comment ==", "not valid CEL"),
            ("", "not valid CEL"),
            ("key.metadata.name.splitt('-') == []", "there is no function `splitt`"),
            ("key.metadata.name.split() == []", "`split` does not take 1 value"),
            ("split(key.spec.roles, '-') == []", "`split` does not take list"),
            ("key.spec.roles.lowerAscii() == ''", "`lowerAscii` does not take list"),
            ("timestamp('soon') > now", "`timestamp` takes a date"),
            ("timestamp(7) > now", "`timestamp` does not take int"),
            ("duration('90 days') > now", "`duration` takes a whole number"),
            ("permission('Publik API') == 'none'", "`permission` takes the name of a component"),
            ("permission() == 'none'", "`permission` does not take 0 values"),
            ("min(key.metadata.name, 1) == 1", "`min` does not take string and int"),
            ("max([key.spec.roles, 1]) == 1", "`max` does not take list and int"),
            ("key.metadata.name.matches('[')", "`matches` has an invalid pattern"),
            ("path.size > 3", "`path` has no fields"),
            ("now.seconds > 3", "`now` has no fields"),
            ("tenant.prodct == 'xdr'", "`tenant` has no field `prodct`"),
            ("ownerKeys.all(k, k.spec.rols == [])", "`k.spec` has no field `rols`"),
            ("ownersKeys.size() > 3", "`ownersKeys` is not defined here"),
            ("now > 3 && tenant.tags > 3", "does not take"),
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
