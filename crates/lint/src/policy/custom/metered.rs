//! An expression that counts its own work: the compiled one with counters inserted.
//!
//! Each iteration of a loop is counted before it starts, and each value before it is copied, joined
//! or compared. Regular expressions are compiled here, within a limit, and not by the evaluator.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::operators::{
    ADD, CONDITIONAL, INDEX, LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR, NOT_STRICTLY_FALSE, OPT_INDEX,
    OPT_SELECT,
};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue,
    MapEntryExpr, MapExpr, SelectExpr,
};
use cel::extractors::Arguments;
use cel::{Context, DeclarationError, Env, ExecutionError, Value};
use cortexkey_core::access::Role;
use regex::Regex;

use super::STACK_BYTES;
use super::budget::{Meter, units_of};
use super::functions;
use crate::policy::patterns::{PatternError, compile, compile_within};

/// Counts an iteration. No expression can contain these names.
const TURN: &str = "@turn";
/// Counts a value and returns it.
const VALUE: &str = "@value";
/// Everything that an expression sees.
pub(super) struct Inputs {
    pub(super) key: Value,
    pub(super) path: String,
    /// Seconds since 1970.
    pub(super) now: i64,
    pub(super) tenant: Value,
    pub(super) owner_keys: Value,
    /// The roles that the key holds, where the expression asks for their permissions.
    pub(super) roles: Vec<Role<String>>,
}

/// `matches`, counted.
const MATCHES: &str = "@matches";

/// The compiled size of a regular expression that is not a literal of the policy.
const FOREIGN_PATTERN_BYTES: usize = 64 << 10;
/// Nested nodes, including counters, that fit on any thread's stack.
const DEEP: usize = 32;
/// Units of compiling one.
const FOREIGN_PATTERN: u64 = 20_000;

/// An expression that can be evaluated within a budget.
pub(super) struct Metered {
    expression: IdedExpr,
    nodes: u64,
    /// Whether it is so deep that it needs its own stack.
    is_deep: bool,
    /// The regular expressions that are literals of the expression.
    patterns: Arc<HashMap<String, Regex>>,
    env: Arc<Env>,
}

impl Metered {
    /// Inserts the counters. Fails on an invalid regular expression.
    pub(super) fn new(expression: &IdedExpr, env: &Arc<Env>) -> Result<Self, PatternError> {
        let mut writer = Writer::default();
        let metered = writer.expression(expression);
        if let Some(error) = writer.error {
            return Err(error);
        }
        let patterns = Arc::new(writer.patterns);
        let nodes = nodes(expression);
        let is_deep = depth(&metered) > DEEP;
        Ok(Self { expression: metered, nodes, is_deep, patterns, env: Arc::clone(env) })
    }

    /// The answer for a key. The meter tells whether it stayed within the budget.
    pub(super) fn ask(&self, inputs: Inputs, meter: &Meter) -> Result<Value, ExecutionError> {
        if !self.is_deep {
            return self.evaluate(inputs, meter);
        }
        let failed = || ExecutionError::function_error("budget", "no thread could be started");
        std::thread::scope(|scope| {
            let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
            let worker = worker.spawn_scoped(scope, || self.evaluate(inputs, meter));
            worker.map_err(|_| failed())?.join().map_err(|_| failed())?
        })
    }

    fn evaluate(&self, inputs: Inputs, meter: &Meter) -> Result<Value, ExecutionError> {
        meter.charge(self.nodes)?;
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("key", inputs.key);
        context.add_variable_from_value("path", inputs.path);
        context.add_variable_from_value("now", inputs.now);
        context.add_variable_from_value("tenant", inputs.tenant);
        context.add_variable_from_value("ownerKeys", inputs.owner_keys);
        let counters = self.add_counters(&mut context, meter);
        let functions = counters.and_then(|()| add_functions(&mut context, inputs.roles, meter));
        functions.map_err(|error| {
            ExecutionError::function_error("budget", format!("cannot count: {error}"))
        })?;
        context.resolve(&self.expression)
    }

    fn add_counters(
        &self,
        context: &mut Context<'_, '_>,
        meter: &Meter,
    ) -> Result<(), DeclarationError> {
        let counter = meter.clone();
        context.add_function(TURN, move |units: i64| {
            counter.charge(u64::try_from(units).unwrap_or(u64::MAX)).map(|()| true)
        })?;
        let counter = meter.clone();
        context.add_function(VALUE, move |value: Value| {
            counter.charge_value(&value).map(|()| value)
        })?;
        let counter = meter.clone();
        let patterns = Arc::clone(&self.patterns);
        context.add_function(MATCHES, move |text: Arc<String>, pattern: Arc<String>| {
            matches(&text, &pattern, &patterns, &counter)
        })
    }
}

/// Adds the functions that CEL's standard library lacks.
fn add_functions(
    context: &mut Context<'_, '_>,
    roles: Vec<Role<String>>,
    meter: &Meter,
) -> Result<(), DeclarationError> {
    let counter = meter.clone();
    context.add_function("@split", move |text: Value, separator: Value| {
        functions::split(&text, &separator, &counter)
    })?;
    context.add_function("@lowerAscii", |text: Value| functions::lower_ascii(&text))?;
    context.add_function("@upperAscii", |text: Value| functions::upper_ascii(&text))?;
    context.add_function("@timestamp", |text: Value| functions::timestamp(&text))?;
    context.add_function("@duration", |text: Value| functions::duration(&text))?;
    for (name, registered) in [("min", "@min"), ("max", "@max")] {
        let counter = meter.clone();
        context.add_function(registered, move |Arguments(values): Arguments| {
            functions::extreme(name, &values, &counter)
        })?;
    }
    let counter = meter.clone();
    context.add_function("@permission", move |component: Value| {
        functions::permission(&component, &roles, &counter)
    })
}

fn matches(
    text: &str,
    pattern: &str,
    known: &HashMap<String, Regex>,
    meter: &Meter,
) -> Result<bool, ExecutionError> {
    meter.charge(units_of(text.len()).saturating_mul(units_of(pattern.len())))?;
    if let Some(regex) = known.get(pattern) {
        return Ok(regex.is_match(text));
    }
    meter.charge(FOREIGN_PATTERN)?;
    let regex = compile_within(pattern, FOREIGN_PATTERN_BYTES);
    let regex =
        regex.map_err(|error| ExecutionError::function_error("matches", error.to_string()))?;
    Ok(regex.is_match(text))
}

/// How many nodes an expression has.
fn nodes(expression: &IdedExpr) -> u64 {
    1 + parts(expression).into_iter().map(nodes).sum::<u64>()
}

/// How deep the nodes are nested.
fn depth(expression: &IdedExpr) -> usize {
    1 + parts(expression).into_iter().map(depth).max().unwrap_or(0)
}

fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(inner) => vec![
            &inner.iter_range,
            &inner.accu_init,
            &inner.loop_cond,
            &inner.loop_step,
            &inner.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => {
            let entries = map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            });
            entries.collect()
        }
        Expr::Select(select) => vec![&select.operand],
        _ => Vec::new(),
    }
}

#[derive(Default)]
struct Writer {
    patterns: HashMap<String, Regex>,
    error: Option<PatternError>,
}

impl Writer {
    fn expression(&mut self, expression: &IdedExpr) -> IdedExpr {
        let expr = match &expression.expr {
            Expr::Call(call) => Expr::Call(self.call(call)),
            Expr::Comprehension(inner) => Expr::Comprehension(Box::new(self.comprehension(inner))),
            Expr::List(list) => Expr::List(self.list(list)),
            Expr::Map(map) => Expr::Map(self.map(map)),
            Expr::Select(select) => Expr::Select(SelectExpr {
                operand: Box::new(self.expression(&select.operand)),
                field: select.field.clone(),
                test: select.test,
            }),
            other => other.clone(),
        };
        IdedExpr { id: expression.id, expr }
    }

    fn call(&mut self, call: &CallExpr) -> CallExpr {
        // These do not read a whole value.
        let passes = matches!(
            call.func_name.as_str(),
            LOGICAL_AND
                | LOGICAL_OR
                | LOGICAL_NOT
                | CONDITIONAL
                | NOT_STRICTLY_FALSE
                | INDEX
                | OPT_INDEX
                | OPT_SELECT
                | "size"
                | "type"
        );
        let part = |writer: &mut Self, part: &IdedExpr| {
            if passes { writer.expression(part) } else { writer.counted(part) }
        };
        let target = call.target.as_ref().map(|target| part(self, target));
        let args: Vec<IdedExpr> = call.args.iter().map(|arg| part(self, arg)).collect();
        let own = functions::OWN.iter().find(|(name, _)| call.func_name == *name);
        let func_name = match own {
            Some((_, own)) => (*own).to_owned(),
            None if call.func_name == "matches" => {
                self.pattern(call.args.last());
                MATCHES.to_owned()
            }
            None => {
                let target = target.map(Box::new);
                return CallExpr { func_name: call.func_name.clone(), target, args };
            }
        };
        CallExpr { func_name, target: None, args: target.into_iter().chain(args).collect() }
    }

    /// Compiles a literal pattern.
    fn pattern(&mut self, pattern: Option<&IdedExpr>) {
        let Some(Expr::Literal(LiteralValue::String(text))) = pattern.map(|p| &p.expr) else {
            return;
        };
        let text = text.inner();
        match compile(text) {
            Ok(regex) => {
                self.patterns.insert(text.to_owned(), regex);
            }
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }

    fn comprehension(&mut self, inner: &ComprehensionExpr) -> ComprehensionExpr {
        let turn = nodes(&inner.loop_cond) + nodes(&inner.loop_step);
        let mut out = ComprehensionExpr {
            // Each item is copied in its iteration.
            iter_range: self.counted(&inner.iter_range),
            iter_var: inner.iter_var.clone(),
            iter_var2: inner.iter_var2.clone(),
            accu_var: inner.accu_var.clone(),
            accu_init: self.expression(&inner.accu_init),
            loop_cond: self.expression(&inner.loop_cond),
            loop_step: IdedExpr::default(),
            result: self.expression(&inner.result),
        };
        // `map` and `filter` are recognised by their shape, in which they append in place; the iteration
        // is counted inside the appended value.
        if let Some(step) = self.appending(inner, turn) {
            out.loop_step = step;
        } else {
            out.loop_step = self.expression(&inner.loop_step);
            out.loop_cond = in_turn(out.loop_cond, turn);
        }
        out
    }

    /// The step of `map` and `filter`, counted: `result + [x]`, or `guard ? result + [x] : result`.
    fn appending(&mut self, inner: &ComprehensionExpr, turn: u64) -> Option<IdedExpr> {
        if !matches!(inner.loop_cond.expr, Expr::Literal(_)) {
            return None;
        }
        let is_result =
            |part: &IdedExpr| matches!(&part.expr, Expr::Ident(name) if *name == inner.accu_var);
        let Expr::Call(call) = &inner.loop_step.expr else { return None };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (ADD, [result, IdedExpr { id, expr: Expr::List(list) }]) if is_result(result) => {
                let elements = list.elements.iter();
                let elements = elements.map(|e| in_turn(self.counted(e), turn)).collect();
                let list = IdedExpr { id: *id, expr: Expr::List(ListExpr::new(elements)) };
                Some(call_of(inner.loop_step.id, ADD, vec![result.clone(), list]))
            }
            (CONDITIONAL, [guard, step, result]) if is_result(result) => {
                let Expr::Call(add) = &step.expr else { return None };
                let [to, IdedExpr { id, expr: Expr::List(list) }] = add.args.as_slice() else {
                    return None;
                };
                if add.func_name != ADD || !is_result(to) {
                    return None;
                }
                let guard = in_turn(self.expression(guard), turn);
                let list = IdedExpr { id: *id, expr: Expr::List(self.list(list)) };
                let step = call_of(step.id, ADD, vec![to.clone(), list]);
                let parts = vec![guard, step, result.clone()];
                Some(call_of(inner.loop_step.id, CONDITIONAL, parts))
            }
            _ => None,
        }
    }

    fn list(&mut self, list: &ListExpr) -> ListExpr {
        let elements = list.elements.iter().map(|element| self.counted(element)).collect();
        ListExpr::new_with_optionals(elements, list.optional_indices.clone())
    }

    fn map(&mut self, map: &MapExpr) -> MapExpr {
        let entries = map.entries.iter().map(|entry| {
            let expr = match &entry.expr {
                EntryExpr::MapEntry(inner) => EntryExpr::MapEntry(MapEntryExpr {
                    key: self.counted(&inner.key),
                    value: self.counted(&inner.value),
                    optional: inner.optional,
                }),
                field @ EntryExpr::StructField(_) => field.clone(),
            };
            IdedEntryExpr { id: entry.id, expr }
        });
        MapExpr { entries: entries.collect() }
    }

    /// A part whose value is counted; literals are short and need no counter.
    fn counted(&mut self, part: &IdedExpr) -> IdedExpr {
        let inner = self.expression(part);
        match inner.expr {
            Expr::Literal(_) => inner,
            _ => call_of(part.id, VALUE, vec![inner]),
        }
    }
}

/// A part that is evaluated after its iteration is counted.
fn in_turn(part: IdedExpr, units: u64) -> IdedExpr {
    let id = part.id;
    let units = i64::try_from(units).unwrap_or(i64::MAX);
    let literal = |value| IdedExpr { id, expr: Expr::Literal(value) };
    let counter = call_of(id, TURN, vec![literal(LiteralValue::Int(units.into()))]);
    call_of(id, CONDITIONAL, vec![counter, part, literal(LiteralValue::Boolean(false.into()))])
}

fn call_of(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }) }
}
