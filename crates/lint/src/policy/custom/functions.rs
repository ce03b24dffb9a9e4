//! What expressions may name and call, and the functions that CEL's standard library lacks.
//!
//! Times are seconds since 1970 and durations are seconds, both integers, so that `<`, `-` and `+`
//! work on them.

use core::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use cel::{ExecutionError, Value};
use cortexkey_core::access::{Component, Permission, Rights, Role};
use cortexkey_manifest::definition::{lifetime, moment};

use super::budget::{Meter, units_of};

/// A function that expressions may call.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it gives.
    pub what: &'static str,
    /// An expression with it, which holds for the key on the page about the linter.
    pub example: &'static str,
    /// The least and the most values that it takes, the one before the dot included.
    takes: (usize, usize),
}

const fn of(
    name: &'static str,
    takes: (usize, usize),
    usage: &'static str,
    what: &'static str,
    example: &'static str,
) -> Function {
    Function { name, usage, what, example, takes }
}

/// Every function, besides the operators and macros of CEL.
pub const FUNCTIONS: &[Function] = &[
    of(
        "size",
        (1, 1),
        "size(list)",
        "the number of items, entries or characters",
        "size(key.spec.roles) == 1",
    ),
    of(
        "contains",
        (2, 2),
        "text.contains('x')",
        "whether the string contains another one",
        "key.spec.comment.contains('SIEM')",
    ),
    of(
        "startsWith",
        (2, 2),
        "text.startsWith('x')",
        "whether the string starts with another one",
        "key.metadata.name.startsWith('svc-')",
    ),
    of(
        "endsWith",
        (2, 2),
        "text.endsWith('x')",
        "whether the string ends with another one",
        "path.endsWith('.yaml')",
    ),
    of(
        "matches",
        (2, 2),
        "text.matches('^x')",
        "whether a regular expression matches",
        "key.metadata.name.matches('^svc-[a-z-]+$')",
    ),
    of(
        "split",
        (2, 2),
        "text.split('-')",
        "the parts of the string as a list",
        "key.metadata.name.split('-')[0] == 'svc'",
    ),
    of(
        "lowerAscii",
        (1, 1),
        "text.lowerAscii()",
        "the string with ASCII letters in lower case",
        "path.lowerAscii() == path",
    ),
    of(
        "upperAscii",
        (1, 1),
        "text.upperAscii()",
        "the string with ASCII letters in upper case",
        "key.metadata.tenant.upperAscii() == 'PROD'",
    ),
    of(
        "timestamp",
        (1, 1),
        "timestamp('2027-01-31')",
        "seconds since 1970; takes an RFC 3339 time or a date, which means the end of that day in UTC",
        "key.spec.securityLevel == 'advanced' || now < timestamp('2027-01-31')",
    ),
    of(
        "duration",
        (1, 1),
        "duration('90d')",
        "seconds; takes days, hours or minutes",
        "duration(key.spec.lifetime) <= duration('90d')",
    ),
    of(
        "permission",
        (1, 1),
        "permission('Public API')",
        "`none`, `view` or `edit`: what the key's roles grant for a component",
        "permission('Public API') != 'edit'",
    ),
    of(
        "string",
        (1, 1),
        "string(7)",
        "the value as a string",
        "string(size(key.spec.roles)) == '1'",
    ),
    of("int", (1, 1), "int('7')", "the value as an integer", "int(key.metadata.labels.tier) <= 2"),
    of(
        "uint",
        (1, 1),
        "uint('7')",
        "the value as an unsigned integer",
        "uint(size(key.spec.roles)) == uint(1)",
    ),
    of(
        "double",
        (1, 1),
        "double('7')",
        "the value as a floating-point number",
        "double(size(key.spec.roles)) < 1.5",
    ),
    of(
        "type",
        (1, 1),
        "type(value)",
        "the type of the value",
        "type(key.metadata.name) == type('')",
    ),
    of(
        "min",
        (1, usize::MAX),
        "min(1, 2)",
        "the smallest value",
        "min(size(key.spec.roles), 2) == 1",
    ),
    of(
        "max",
        (1, usize::MAX),
        "max(1, 2)",
        "the largest value",
        "max(size(key.spec.roles), 2) == 2",
    ),
];

/// What expressions may name, and what it is.
pub const VARIABLES: [(&str, &str); 5] = [
    ("key", "the definition's fields as written"),
    ("path", "the file's path from the folder of the policy"),
    ("now", "the time of the run, in seconds since 1970"),
    (
        "tenant",
        "the facts of the key's tenant: `name`, `product`, `sbac`, `tags`, `datasets`, and its groups \
         and domains",
    ),
    ("ownerKeys", "the keys of the same owner and tenant, this one included, at most 200"),
];

impl Function {
    /// The function of a name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    pub(super) fn names() -> Vec<&'static str> {
        FUNCTIONS.iter().map(|function| function.name).collect()
    }

    /// Whether it takes so many values.
    pub(super) fn takes(&self, count: usize) -> bool {
        (self.takes.0..=self.takes.1).contains(&count)
    }
}

/// The functions that are implemented here, each with the name that compiled expressions call it by,
/// which no expression can contain.
pub(super) const OWN: [(&str, &str); 8] = [
    ("split", "@split"),
    ("lowerAscii", "@lowerAscii"),
    ("upperAscii", "@upperAscii"),
    ("timestamp", "@timestamp"),
    ("duration", "@duration"),
    ("permission", "@permission"),
    ("min", "@min"),
    ("max", "@max"),
];

/// The error of one of these functions. Its message holds no value of the key.
fn failed(function: &str, message: &str) -> ExecutionError {
    ExecutionError::function_error(function, message)
}

/// The string that a function takes.
fn string(function: &str, value: &Value) -> Result<Arc<String>, ExecutionError> {
    match value {
        Value::String(text) => Ok(Arc::clone(text)),
        other => Err(ExecutionError::no_such_overload(function, vec![other.type_of().to_string()])),
    }
}

pub(super) fn split(
    text: &Value,
    separator: &Value,
    meter: &Meter,
) -> Result<Value, ExecutionError> {
    let text = string("split", text)?;
    let separator = string("split", separator)?;
    if separator.is_empty() {
        return Err(failed("split", "takes a separator that is not empty"));
    }
    meter.charge(units_of(text.len()))?;
    let mut parts = Vec::new();
    for part in text.split(separator.as_str()) {
        meter.charge(units_of(part.len()))?;
        parts.push(Value::from(part));
    }
    Ok(Value::from(parts))
}

pub(super) fn lower_ascii(text: &Value) -> Result<Value, ExecutionError> {
    Ok(Value::from(string("lowerAscii", text)?.to_ascii_lowercase()))
}

pub(super) fn upper_ascii(text: &Value) -> Result<Value, ExecutionError> {
    Ok(Value::from(string("upperAscii", text)?.to_ascii_uppercase()))
}

pub(super) fn timestamp(text: &Value) -> Result<Value, ExecutionError> {
    let time = moment(&string("timestamp", text)?);
    let time = time.map_err(|_| failed("timestamp", "takes a date or an RFC 3339 time"))?;
    Ok(Value::Int(time.as_second()))
}

pub(super) fn duration(text: &Value) -> Result<Value, ExecutionError> {
    let time = lifetime(&string("duration", text)?);
    let time = time.map_err(|_| failed("duration", "takes a duration such as `90d` or `12h`"))?;
    Ok(Value::Int(time.as_secs()))
}

/// The smallest or the largest of some values, or of the items of one list.
pub(super) fn extreme(
    function: &str,
    values: &[Value],
    meter: &Meter,
) -> Result<Value, ExecutionError> {
    let wanted = if function == "min" { Ordering::Less } else { Ordering::Greater };
    let values = match values {
        [Value::List(items)] => items.as_slice(),
        _ => values,
    };
    let (first, others) =
        values.split_first().ok_or_else(|| failed(function, "takes a list that is not empty"))?;
    let mut best = first;
    for value in others {
        meter.charge_value(value)?;
        let order = value.partial_cmp(best).ok_or_else(|| {
            let types = vec![best.type_of().to_string(), value.type_of().to_string()];
            ExecutionError::no_such_overload(function, types)
        })?;
        if order == wanted {
            best = value;
        }
    }
    Ok(best.clone())
}

/// The level that roles grant. What is not known is an error, so that no key passes by it.
pub(super) fn permission(
    component: &Value,
    roles: &[Role<String>],
    meter: &Meter,
) -> Result<Value, ExecutionError> {
    let name = string("permission", component)?;
    let grants: usize = roles.iter().map(|role| role.grants.len() + 1).sum();
    meter.charge(3 * grants as u64)?;
    let is_granted =
        || roles.iter().flat_map(|role| &role.grants).any(|grant| grant.component == *name);
    if Component::by_name(&name).is_none() && !is_granted() {
        return Err(failed("permission", "does not know this component"));
    }
    let rights = Rights(roles);
    let level = [Permission::Edit, Permission::View].into_iter().find_map(|level| {
        match rights.reaches(&name, level) {
            Some((true, _)) => Some(Ok(level)),
            Some((false, _)) => None,
            None => {
                Some(Err(failed("permission", "has no answer: a role's components are unknown")))
            }
        }
    });
    Ok(Value::from(level.unwrap_or(Ok(Permission::None))?.as_str()))
}

/// What is wrong with a literal that a function takes, if anything is.
pub(super) fn wrong_literal(
    function: &str,
    text: &str,
    components: &BTreeSet<String>,
) -> Option<&'static str> {
    match function {
        "timestamp" if moment(text).is_err() => {
            Some("`timestamp` takes a date such as `2027-01-31` or an RFC 3339 time with an offset")
        }
        "duration" if lifetime(text).is_err() => {
            Some("`duration` takes a whole number of days, hours or minutes: `90d`, `12h`, `30m`")
        }
        "permission" if Component::by_name(text).is_none() && !components.contains(text) => {
            Some("`permission` takes the name of a component; `cortexkey roles NAME` shows them")
        }
        _ => None,
    }
}
