//! Shared by lists: filters in both forms, applied to JSON, and sort orders.
//!
//! Unknown fields and operators are errors, and the size of filters is limited. Visibility is
//! decided elsewhere.

use cortexkey_api::api_keys::SortOrder;
use cortexkey_api::filter::{Condition, Sort, XdmCondition, XdmFilter, XdmSort};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The largest number of conditions in one request, at any depth.
const CONDITIONS_MAX: usize = 100;
/// The largest number of values in all conditions together, and of their bytes.
const VALUES_MAX: usize = 1_000;
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// An object of a list, as JSON.
pub(super) type JsonObject = Map<String, Value>;

/// The JSON of a value that is certainly an object.
pub(super) fn object(value: &impl serde::Serialize) -> JsonObject {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => JsonObject::new(),
    }
}

/// Like [`older`], with only the operators that the product's description has for audit logs.
pub(super) fn documented(
    conditions: &[Condition],
    fields: &[(&str, &'static str)],
) -> Result<Vec<(&'static str, Test)>, Refusal> {
    let known = |condition: &Condition| ["in", "gte", "lte"].contains(&&*condition.operator);
    if !conditions.iter().all(known) {
        return Err(invalid("an operator is one of in, gte, lte"));
    }
    older(conditions, fields)
}

/// Conditions of the older form; `fields` maps their names to the members of the object.
pub(super) fn older(
    conditions: &[Condition],
    fields: &[(&str, &'static str)],
) -> Result<Vec<(&'static str, Test)>, Refusal> {
    let mut room = Remaining::new();
    let test = |condition: &Condition| {
        let known = fields.iter().find(|(name, _)| *name == condition.field);
        let (_, place) = known.ok_or_else(|| {
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            invalid(format!("a filter's field is one of {}", names.join(", ")))
        })?;
        Ok((*place, Test::new(&condition.operator, &condition.value, &mut room)?))
    };
    conditions.iter().map(test).collect()
}

/// Whether an object matches all conditions.
pub(super) fn all_match(conditions: &[(&'static str, Test)], object: &JsonObject) -> bool {
    let value = |place| object.get(place).unwrap_or(&Value::Null);
    conditions.iter().all(|(place, test)| test.matches(value(*place)))
}

/// A filter of the newer form.
pub(super) enum Newer {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test(&'static str, Test),
}

impl Newer {
    /// `fields` maps names, in any case, to the members of the object.
    pub(super) fn new(
        filter: &XdmFilter,
        fields: &[(&str, &'static str)],
    ) -> Result<Self, Refusal> {
        let mut room = Remaining::new();
        Self::within(filter, fields, &mut room)
    }

    fn within(
        filter: &XdmFilter,
        fields: &[(&str, &'static str)],
        room: &mut Remaining,
    ) -> Result<Self, Refusal> {
        let mut list = |filters: &[XdmFilter]| {
            filters
                .iter()
                .map(|filter| Self::within(filter, fields, room))
                .collect::<Result<Vec<_>, _>>()
        };
        match filter {
            XdmFilter::And { all } => list(all).map(Self::All),
            XdmFilter::Or { any } => list(any).map(Self::Any),
            XdmFilter::Everything {} => Ok(Self::All(Vec::new())),
            XdmFilter::Condition(XdmCondition { search_field, search_type, search_value }) => {
                let known = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(search_field));
                let (_, place) = known.ok_or_else(|| {
                    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
                    invalid(format!("a filter's SEARCH_FIELD is one of {}", names.join(", ")))
                })?;
                Ok(Self::Test(place, Test::new(search_type, search_value, room)?))
            }
        }
    }

    /// Whether an object matches.
    pub(super) fn matches(&self, object: &JsonObject) -> bool {
        match self {
            Self::All(all) => all.iter().all(|filter| filter.matches(object)),
            Self::Any(any) => any.iter().any(|filter| filter.matches(object)),
            Self::Test(place, test) => test.matches(object.get(*place).unwrap_or(&Value::Null)),
        }
    }
}

/// The remaining limits of one request.
struct Remaining {
    conditions: usize,
    values: usize,
    bytes: usize,
}

impl Remaining {
    fn new() -> Self {
        Self { conditions: CONDITIONS_MAX, values: VALUES_MAX, bytes: VALUE_BYTES_MAX }
    }

    /// Accounts for a condition with these values; `None` if it exceeds the limits.
    fn take(&mut self, values: &[Value]) -> Option<()> {
        let len = |value: &Value| value.as_str().map_or(8, str::len);
        *self = Self {
            conditions: self.conditions.checked_sub(1)?,
            values: self.values.checked_sub(values.len())?,
            bytes: self.bytes.checked_sub(values.iter().map(len).sum())?,
        };
        Some(())
    }
}

/// A comparison with a value of an object; for a list, one member is enough.
pub(super) struct Test {
    operator: Operator,
    values: Vec<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    AtLeast,
    AtMost,
    Above,
    Below,
    Contains,
    NotContains,
}

impl Test {
    fn new(operator: &str, value: &Value, room: &mut Remaining) -> Result<Self, Refusal> {
        let operator = match operator.to_ascii_lowercase().as_str() {
            "eq" | "in" => Operator::In,
            "neq" | "nin" => Operator::NotIn,
            "gte" => Operator::AtLeast,
            "lte" => Operator::AtMost,
            "gt" => Operator::Above,
            "lt" => Operator::Below,
            "contains" | "array_contains" => Operator::Contains,
            "ncontains" | "not_contains" | "array_not_contains" => Operator::NotContains,
            _ => {
                return Err(invalid(
                    "an operator is one of eq, neq, in, nin, gte, lte, gt, lt, contains, ncontains",
                ));
            }
        };
        let values = match value {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        if room.take(&values).is_none() {
            return Err(Refusal::invalid("too many filters").with_extra(format!(
                "a request has at most {CONDITIONS_MAX} conditions, with {VALUES_MAX} values and \
                 {VALUE_BYTES_MAX} bytes"
            )));
        }
        Ok(Self { operator, values: values.into_iter().map(lower).collect() })
    }

    /// Whether a value of an object matches.
    pub(super) fn matches(&self, value: &Value) -> bool {
        let members = match value {
            Value::Array(members) => members.as_slice(),
            value => core::slice::from_ref(value),
        };
        let any = |test: &dyn Fn(&Value, &Value) -> bool| {
            members.iter().any(|member| {
                let member = lower(member.clone());
                self.values.iter().any(|asked| test(&member, asked))
            })
        };
        let same = |value: &Value, asked: &Value| value == asked;
        let order = |wanted: fn(core::cmp::Ordering) -> bool| {
            any(&|value, asked| {
                value.as_f64().zip(asked.as_f64()).is_some_and(|(a, b)| wanted(a.total_cmp(&b)))
            })
        };
        let holds = |value: &Value, asked: &Value| match (value, asked) {
            (Value::String(text), Value::String(asked)) => text.contains(asked.as_str()),
            (value, asked) => value == asked,
        };
        match self.operator {
            Operator::In => any(&same),
            Operator::NotIn => !any(&same),
            Operator::AtLeast => order(core::cmp::Ordering::is_ge),
            Operator::AtMost => order(core::cmp::Ordering::is_le),
            Operator::Above => order(core::cmp::Ordering::is_gt),
            Operator::Below => order(core::cmp::Ordering::is_lt),
            Operator::Contains => any(&holds),
            Operator::NotContains => !any(&holds),
        }
    }
}

/// Strings in lower case, since comparisons ignore case.
fn lower(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        other => other,
    }
}

/// Sorts objects by one of their values, in ascending order unless `descending`.
pub(super) fn sort(things: &mut [JsonObject], place: &str, descending: bool) {
    sort_by(things, |object| object.get(place), descending);
}

/// Like [`sort`], for any type with such a value.
pub(super) fn sort_by<T>(things: &mut [T], value: impl Fn(&T) -> Option<&Value>, descending: bool) {
    let null = Value::Null;
    things.sort_by(|a, b| {
        let a = value(a).unwrap_or(&null);
        let b = value(b).unwrap_or(&null);
        let order = match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.as_str().unwrap_or_default().cmp(b.as_str().unwrap_or_default()),
        };
        if descending { order.reverse() } else { order }
    });
}

/// The sort field and direction of an order of the older form.
pub(super) fn older_order(
    sort: Option<&Sort>,
    fields: &[(&str, &'static str)],
) -> Result<Option<(&'static str, bool)>, Refusal> {
    let Some(sort) = sort else { return Ok(None) };
    let known = fields.iter().find(|(name, _)| *name == sort.field);
    let (_, place) = known.ok_or_else(|| invalid("the list cannot be sorted by this field"))?;
    Ok(Some((place, sort.keyword == SortOrder::Desc)))
}

/// Like [`older_order`], for the first order of the newer form.
pub(super) fn newer_order(
    sort: &[XdmSort],
    fields: &[(&str, &'static str)],
) -> Result<Option<(&'static str, bool)>, Refusal> {
    let Some(sort) = sort.first() else { return Ok(None) };
    let known = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&sort.field));
    let (_, place) = known.ok_or_else(|| invalid("the list cannot be sorted by this FIELD"))?;
    Ok(Some((place, sort.order.eq_ignore_ascii_case("desc"))))
}

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::invalid("Invalid filters").with_extra(why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn test(operator: &str, value: &Value) -> Test {
        let mut room = Remaining { conditions: 1, values: 10, bytes: 100 };
        Test::new(operator, value, &mut room).ok().unwrap()
    }

    #[test]
    fn values_are_accepted_or_rejected() {
        for (operator, asked, value, matches) in [
            ("eq", json!("dynamic"), json!("Dynamic"), true),
            ("neq", json!("Dynamic"), json!("Static"), true),
            ("in", json!([1, 2]), json!(2), true),
            ("in", json!([1, 2]), json!([7, 2]), true),
            ("nin", json!([1, 2]), json!([7, 2]), false),
            ("GTE", json!(5), json!(5), true),
            ("gt", json!(5), json!(5), false),
            ("lte", json!(5), json!("5"), false),
            ("contains", json!("PROD"), json!("web-prod-1"), true),
            ("contains", json!("a"), json!(["b", "ba"]), true),
            ("ncontains", json!("prod"), json!(null), true),
        ] {
            assert_eq!(test(operator, &asked).matches(&value), matches, "{operator} {asked}");
        }
    }

    #[test]
    fn filters_have_limits() {
        let condition =
            |value: Value| Condition { field: "a".into(), operator: "in".into(), value };
        let fields = [("a", "A")];
        assert!(older(&vec![condition(json!(1)); 101], &fields).is_err());
        assert!(older(&[condition(json!(vec![0; 1001]))], &fields).is_err());
        assert!(older(&[condition(json!(vec![0; 1000]))], &fields).is_ok());
        assert!(older(&[condition(json!(1))], &[("b", "B")]).is_err());
        // Bytes of all values together.
        let long = || condition(json!("É".repeat(VALUE_BYTES_MAX / 4)));
        assert!(older(&[long(), long()], &fields).is_ok());
        assert!(older(&[long(), long(), condition(json!("x"))], &fields).is_err());
    }
}
