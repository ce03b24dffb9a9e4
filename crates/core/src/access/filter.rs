//! Dataset filters: their fields and operators, and whether a row matches.
//!
//! An unrecognised filter, or a field that the row lacks, gives no answer.

use core::fmt;

/// The fields that filters of dataset scopes support.
pub const FILTER_FIELDS: [&str; 16] = [
    "_broker_device_id",
    "_broker_device_ip",
    "_broker_device_name",
    "_collector_id",
    "_collector_ip",
    "_collector_name",
    "_collector_type",
    "_device_id",
    "_final_reporting_device_ip",
    "_final_reporting_device_name",
    "_log_type",
    "_product",
    "_scope",
    "_reporting_device_ip",
    "_reporting_device_name",
    "_vendor",
];

/// The operator of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `<=`
    LessOrEqual,
    /// `in`
    In,
    /// `array_contains`
    ArrayContains,
    /// `contains`, which the product advises against.
    Contains,
    /// `starts_with`, which the product advises against.
    StartsWith,
}

const OPERATORS: [(&str, FilterOperator); 10] = [
    // Longer operators first, because they start with the shorter ones.
    (">=", FilterOperator::GreaterOrEqual),
    ("<=", FilterOperator::LessOrEqual),
    ("!=", FilterOperator::NotEqual),
    ("=", FilterOperator::Equal),
    (">", FilterOperator::Greater),
    ("<", FilterOperator::Less),
    ("array_contains", FilterOperator::ArrayContains),
    ("contains", FilterOperator::Contains),
    ("starts_with", FilterOperator::StartsWith),
    ("in", FilterOperator::In),
];

/// One comparison: field, operator, value.
///
/// ```
/// use cortexkey_core::access::RowFilter;
///
/// let filter = RowFilter::parse("_vendor = \"acme\"")?;
/// assert_eq!(filter.matches(&[("_vendor", "acme")]), Some(true));
/// assert_eq!(filter.matches(&[("_product", "fw")]), None, "the row does not say");
/// assert!(RowFilter::parse("secret = 1").is_err(), "not a field that filters take");
/// # Ok::<(), cortexkey_core::access::FilterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowFilter<'a> {
    field: &'a str,
    operator: FilterOperator,
    value: &'a str,
}

impl<'a> RowFilter<'a> {
    /// Parses a filter with one comparison.
    pub fn parse(text: &'a str) -> Result<Self, FilterError> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (field, rest) = text.split_at(end.unwrap_or(text.len()));
        if !FILTER_FIELDS.contains(&field) {
            return Err(FilterError::Field);
        }
        let rest = rest.trim_start();
        let found = OPERATORS.iter().find_map(|(sign, operator)| {
            let value = rest.strip_prefix(sign)?;
            let ends_here = !sign.ends_with(|c: char| c.is_ascii_alphabetic())
                || !value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            ends_here.then_some((*operator, value.trim()))
        });
        let (operator, value) = found.ok_or(FilterError::Operator)?;
        let matches = match operator {
            FilterOperator::In => members(value).is_some(),
            _ => literal(value).is_some(),
        };
        if matches { Ok(Self { field, operator, value }) } else { Err(FilterError::Value) }
    }

    /// The field.
    pub fn field(&self) -> &'a str {
        self.field
    }

    /// The operator.
    pub fn operator(&self) -> FilterOperator {
        self.operator
    }

    /// Whether a row, given as fields and values, matches; `None` if unknown.
    pub fn matches(&self, row: &[(&str, &str)]) -> Option<bool> {
        let (_, seen) = row.iter().find(|(field, _)| *field == self.field)?;
        let value = || literal(self.value);
        let order = || Some(number(seen)?.cmp(&number(value()?)?));
        Some(match self.operator {
            FilterOperator::Equal => *seen == value()?,
            FilterOperator::NotEqual => *seen != value()?,
            FilterOperator::Greater => order()?.is_gt(),
            FilterOperator::Less => order()?.is_lt(),
            FilterOperator::GreaterOrEqual => order()?.is_ge(),
            FilterOperator::LessOrEqual => order()?.is_le(),
            FilterOperator::In => members(self.value)?.any(|member| literal(member) == Some(seen)),
            FilterOperator::Contains => seen.contains(value()?),
            FilterOperator::StartsWith => seen.starts_with(value()?),
            // A row's values are strings here, so arrays cannot be compared.
            FilterOperator::ArrayContains => return None,
        })
    }
}

/// Why a string is not a filter with one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// Filters do not support the field.
    Field,
    /// Filters do not support the operator.
    Operator,
    /// The value is not a word, a quoted string, or a list in brackets after `in`; or more text
    /// follows it.
    Value,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Field => "the filter does not start with a supported field, such as _vendor",
            Self::Operator => {
                "the filter's operator is none of = != > < >= <= in array_contains contains \
                 starts_with"
            }
            Self::Value => {
                "the filter's value is not a word, a string in double quotes, or a list after `in`"
            }
        })
    }
}

impl core::error::Error for FilterError {}

/// A word, or a quoted string without its quotes.
fn literal(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('"') {
        return inner.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\']));
    }
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    (!text.is_empty() && text.chars().all(is_word)).then_some(text)
}

/// The members of a list in brackets; commas within quotes are not supported.
fn members(text: &str) -> Option<impl Iterator<Item = &str>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let members = || inner.split(',').map(str::trim);
    members().all(|member| literal(member).is_some()).then(members)
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_match_do_not_match_or_are_unknown() {
        let row = [("_vendor", "acme"), ("_collector_id", "17"), ("_log_type", "a.b")];
        for (filter, matches) in [
            ("_vendor = acme", Some(true)),
            ("_vendor=\"acme\"", Some(true)),
            ("_vendor != acme", Some(false)),
            ("_vendor in (\"x\", \"acme\")", Some(true)),
            ("_vendor in (x)", Some(false)),
            ("_collector_id >= 17", Some(true)),
            ("_collector_id < 17", Some(false)),
            ("_vendor > 3", None),
            ("_log_type contains \".b\"", Some(true)),
            ("_log_type starts_with b", Some(false)),
            ("_log_type array_contains b", None),
            ("_product = x", None),
        ] {
            assert_eq!(RowFilter::parse(filter).unwrap().matches(&row), matches, "{filter}");
        }
    }

    #[test]
    fn invalid_filters() {
        for (filter, error) in [
            ("", FilterError::Field),
            ("vendor = x", FilterError::Field),
            ("_vendor", FilterError::Operator),
            ("_vendor like x", FilterError::Operator),
            ("_vendor index", FilterError::Operator),
            ("_vendor =", FilterError::Value),
            ("_vendor = \"a", FilterError::Value),
            ("_vendor = a or _vendor = b", FilterError::Value),
            ("_vendor in acme", FilterError::Value),
        ] {
            assert_eq!(RowFilter::parse(filter), Err(error), "{filter}");
        }
    }

    #[test]
    fn a_filter_has_its_field_and_an_error_its_own_words() {
        assert_eq!(RowFilter::parse("_vendor = acme").unwrap().field(), "_vendor");
        let words = [FilterError::Field, FilterError::Operator, FilterError::Value]
            .map(|error| alloc::string::ToString::to_string(&error));
        assert!(words.iter().all(|text| !text.is_empty()));
        assert!(words[0] != words[1] && words[1] != words[2] && words[0] != words[2]);
    }
}
