//! Where the judge reads AWS's documentation otherwise than we do.
//!
//! Each is written down as a change of the case that makes our crate read it as the judge does. A
//! case with all of them made must give the judge's very answer, so that nothing else hides behind
//! a known difference. The README of the crate holds AWS's words on each.

use crate::case::{Case, Who};
use crate::make::HOME;
use serde_json::Value;

pub struct Difference {
    pub name: &'static str,
    /// Whether it changed anything.
    pub read_as_the_judge: fn(&mut Case) -> bool,
}

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "root-user",
        read_as_the_judge: root_user,
    },
    Difference {
        name: "variables-in-2008",
        read_as_the_judge: variables_in_2008,
    },
    Difference {
        name: "escapes-in-exact-comparisons",
        read_as_the_judge: escapes_in_exact_comparisons,
    },
    Difference {
        name: "empty-value-and-default",
        read_as_the_judge: empty_value_and_default,
    },
    Difference {
        name: "seconds-since-1970",
        read_as_the_judge: seconds_since_1970,
    },
    Difference {
        name: "range-of-all-addresses",
        read_as_the_judge: range_of_all_addresses,
    },
    Difference {
        name: "single-addresses",
        read_as_the_judge: single_addresses,
    },
    Difference {
        name: "variable-in-a-name-without-a-type",
        read_as_the_judge: variable_without_type,
    },
    Difference {
        name: "session-named-beside-a-session-policy",
        read_as_the_judge: session_named,
    },
];

/// The judge gives an account's root no more than its policies.
fn root_user(case: &mut Case) -> bool {
    let Who::Root(_) = case.who else { return false };
    case.who = Who::RootAsUser(format!("arn:aws:iam::{HOME}:root"));
    true
}

/// The judge fills variables in whatever the version says.
fn variables_in_2008(case: &mut Case) -> bool {
    let mut changed = false;
    for document in case.documents_mut() {
        if document["Version"] != "2012-10-17" && document.to_string().contains("${") {
            document["Version"] = "2012-10-17".into();
            changed = true;
        }
    }
    changed
}

/// Every condition: its operator, key and values.
fn each_condition(case: &mut Case, mut each: impl FnMut(&str, &str, &mut Value)) {
    for document in case.documents_mut() {
        let statements: Vec<&mut Value> = match &mut document["Statement"] {
            Value::Array(list) => list.iter_mut().collect(),
            one => vec![one],
        };
        for statement in statements {
            let Some(Value::Object(operators)) = statement.get_mut("Condition") else {
                continue;
            };
            for (operator, keys) in operators {
                for (key, values) in keys.as_object_mut().unwrap() {
                    match values {
                        Value::Array(list) => {
                            list.iter_mut().for_each(|one| each(operator, key, one));
                        }
                        one => each(operator, key, one),
                    }
                }
            }
        }
    }
}

/// The judge takes `${*}` for itself where the operator knows no wildcards.
fn escapes_in_exact_comparisons(case: &mut Case) -> bool {
    let mut changed = false;
    each_condition(case, |operator, _, value| {
        let exact = operator.contains("String") && !operator.contains("Like");
        let text = value.as_str().unwrap();
        if exact
            && ["${*}", "${?}", "${$}"]
                .iter()
                .any(|one| text.contains(one))
        {
            let mut kept = String::new();
            for (index, part) in text.split("${").enumerate() {
                let special = part.starts_with(['*', '?', '$']);
                let begin = if special { "${$}{" } else { "${" };
                kept.push_str(if index == 0 { "" } else { begin });
                kept.push_str(part);
            }
            *value = kept.into();
            changed = true;
        }
    });
    changed
}

/// The judge takes the default of a variable whose value is there and empty.
fn empty_value_and_default(case: &mut Case) -> bool {
    let empty: Vec<String> = case
        .context
        .iter()
        .filter(|(_, value)| *value == "")
        .map(|(key, _)| key.clone())
        .collect();
    for key in &empty {
        case.context.remove(key);
    }
    !empty.is_empty()
}

/// The judge counts seconds as thousandths.
fn seconds_since_1970(case: &mut Case) -> bool {
    let mut changed = false;
    let mut read = |value: &mut Value| {
        let digits = value.as_str().and_then(|text| text.parse::<i64>().ok());
        if let Some(thousandths) = digits {
            let (seconds, rest) = (thousandths / 1000, thousandths % 1000);
            assert!(seconds < 28 * 86_400, "all of it in one month");
            let (day, second) = (seconds / 86_400 + 1, seconds % 86_400);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let time = format!("1970-01-{day:02}T{hour:02}:{minute:02}:{second:02}.{rest:03}Z");
            *value = time.into();
            changed = true;
        }
    };
    each_condition(case, |operator, _, value| {
        if operator.contains("Date") {
            read(value);
        }
    });
    if let Some(value) = case.context.get_mut("aws:EpochTime") {
        read(value);
    }
    changed
}

/// The judge compares a single address letter by letter, and `NotIpAddress` of the other family never
/// holds.
fn single_addresses(case: &mut Case) -> bool {
    let asked = case.context.get("aws:SourceIp").cloned();
    let Some(asked) = asked.as_ref().and_then(Value::as_str) else {
        return false;
    };
    let family = |text: &str| text.contains(':');
    let everywhere = if family(asked) { "::/0" } else { "0.0.0.0/0" };
    let mut changed = false;
    each_condition(case, |operator, _, value| {
        let text = value.as_str().unwrap().to_owned();
        if !operator.contains("IpAddress") || text.contains('/') || text == asked {
            return;
        }
        changed = true;
        let never = operator.starts_with("Not") && family(&text) != family(asked);
        *value = if never { everywhere } else { "192.0.2.1/32" }.into();
    });
    changed
}

/// To the judge `0.0.0.0/0` holds the one address 0.0.0.0.
fn range_of_all_addresses(case: &mut Case) -> bool {
    let mut changed = false;
    each_condition(case, |operator, _, value| {
        if operator.contains("IpAddress") && *value == "0.0.0.0/0" {
            *value = "0.0.0.0/32".into();
            changed = true;
        }
    });
    changed
}

/// The judge takes the colon inside `${aws:username}` for the end of the resource's type, where no
/// other colon or slash stands before it, and compares what is before it letter by letter.
fn variable_without_type(case: &mut Case) -> bool {
    let mut changed = false;
    let mut read = |value: &mut Value| {
        let text = value.as_str().unwrap();
        let resource = text.splitn(6, ':').nth(5).unwrap_or_default();
        let separator = resource.find([':', '/']);
        let variable = resource.find("${");
        let inside = variable.zip(separator).is_some_and(|(one, end)| one < end);
        if inside && !text.starts_with("arn:aws:s3:") {
            *value = "arn:aws:sqs:eu-west-1:000000000000:none".into();
            changed = true;
        }
    };
    for document in case.documents_mut() {
        let statements: Vec<&mut Value> = match &mut document["Statement"] {
            Value::Array(list) => list.iter_mut().collect(),
            one => vec![one],
        };
        for statement in statements {
            for name in ["Resource", "NotResource"] {
                match statement.get_mut(name) {
                    Some(Value::Array(list)) => list.iter_mut().for_each(&mut read),
                    Some(one) => read(one),
                    None => {}
                }
            }
        }
    }
    changed
}

/// To the judge a session policy limits also what is given to the session by name.
fn session_named(case: &mut Case) -> bool {
    let Some(policy) = case.session.take() else {
        return false;
    };
    case.service_control.push(vec![policy]);
    true
}
