//! The operators of conditions, by their names in policies.

use crate::pattern::{Case, Wildcards};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) family: Family,
    /// `StringNotEquals` and the like.
    pub(crate) negated: bool,
    pub(crate) several: Option<Several>,
    pub(crate) if_exists: bool,
    pub(crate) written: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Text { case: Case, wildcards: Wildcards },
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// How the value of the request stands to that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Order::Equal => ordering.is_eq(),
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
        }
    }

    fn parse(name: &str) -> Option<(Order, bool)> {
        Some(match name {
            "Equals" => (Order::Equal, false),
            "NotEquals" => (Order::Equal, true),
            "LessThan" => (Order::Less, false),
            "LessThanEquals" => (Order::LessOrEqual, false),
            "GreaterThan" => (Order::Greater, false),
            "GreaterThanEquals" => (Order::GreaterOrEqual, false),
            _ => return None,
        })
    }
}

/// How several values of a request count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Several {
    All,
    Any,
}

impl Operator {
    pub(crate) fn parse(written: &str) -> Result<Operator, String> {
        let unknown = || format!("`{written}` is no condition operator");
        let (several, name) = match written.split_once(':') {
            Some(("ForAllValues", name)) => (Some(Several::All), name),
            Some(("ForAnyValue", name)) => (Some(Several::Any), name),
            Some(_) => return Err(unknown()),
            None => (None, written),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (family, negated) = base(name).ok_or_else(unknown)?;
        if family == Family::Null && (several.is_some() || if_exists) {
            return Err(unknown());
        }
        Ok(Operator {
            family,
            negated,
            several,
            if_exists,
            written: written.to_owned(),
        })
    }
}

fn base(name: &str) -> Option<(Family, bool)> {
    let text = |case, wildcards| Family::Text { case, wildcards };
    let exact = text(Case::Kept, Wildcards::Literal);
    let folded = text(Case::Folded, Wildcards::Literal);
    let like = text(Case::Kept, Wildcards::Read);
    Some(match name {
        "StringEquals" => (exact, false),
        "StringNotEquals" => (exact, true),
        "StringEqualsIgnoreCase" => (folded, false),
        "StringNotEqualsIgnoreCase" => (folded, true),
        "StringLike" => (like, false),
        "StringNotLike" => (like, true),
        "Bool" => (Family::Bool, false),
        "BinaryEquals" => (Family::Binary, false),
        "IpAddress" => (Family::Address, false),
        "NotIpAddress" => (Family::Address, true),
        "ArnEquals" | "ArnLike" => (Family::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Family::Arn, true),
        "Null" => (Family::Null, false),
        _ => {
            if let Some(order) = name.strip_prefix("Numeric") {
                let (order, negated) = Order::parse(order)?;
                (Family::Number(order), negated)
            } else {
                let (order, negated) = Order::parse(name.strip_prefix("Date")?)?;
                (Family::Date(order), negated)
            }
        }
    })
}
