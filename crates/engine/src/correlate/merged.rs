//! The attributes of a person with several records: the most trusted record that knows one says
//! it, and which record that was stays known.

use super::employers::employments;
use lastkey_contract::When;
use lastkey_contract::facts::{Identity, IdentityStatus};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A person as its records have it together.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub identity: Identity,
    /// Of each attribute the place of the record that says it.
    pub origins: BTreeMap<String, usize>,
}

/// The person of these records, the most trusted first; `first` is also who gives its name.
pub fn merged(first: &Identity, others: &[&Identity]) -> Merged {
    let mut origins = BTreeMap::new();
    let mut person = first.clone();
    let all: Vec<&Identity> = std::iter::once(first)
        .chain(others.iter().copied())
        .collect();
    macro_rules! first_known {
        ($($column:ident),*) => {$(
            if let Some((place, value)) = first_of(&all, |i| i.$column.as_ref()) {
                person.$column = Some(value.clone());
                origins.insert(stringify!($column).to_owned(), place);
            }
        )*};
    }
    first_known!(
        display_name,
        email,
        department,
        title,
        manager_id,
        location,
        leaver_kind,
        purpose,
        allowed_tools
    );
    // Last days aside: what a person is now is not asked of a time.
    let employer = employments(&all).first().and_then(|first| first.of);
    person.employer_id = employer.and_then(|place| all.get(place)?.employer_id.clone());
    if let Some(place) = employer {
        origins.insert("employer_id".to_owned(), place);
    }
    for (place, record) in all.iter().enumerate() {
        for (name, value) in &record.attributes {
            if let Entry::Vacant(unsaid) = origins.entry(format!("attributes.{name}")) {
                unsaid.insert(place);
                person.attributes.insert(name.clone(), value.clone());
            }
        }
    }
    let mut said = |column: &str, place: Option<usize>| {
        if let Some(place) = place {
            origins.insert(column.to_owned(), place);
        }
    };
    let standing = all.iter().map(|i| rank(i)).max().unwrap_or(0);
    let in_force: Vec<(usize, &Identity)> = all
        .iter()
        .enumerate()
        .filter(|(_, i)| rank(i) == standing)
        .map(|(place, i)| (place, *i))
        .collect();
    person.status = in_force.first().and_then(|(_, i)| i.status);
    said("status", in_force.first().map(|(place, _)| *place));
    let ends = |(_, i): &(usize, &Identity)| i.end_date;
    // Whoever stays somewhere without an end has none.
    let open = standing > LEFT && in_force.iter().any(|one| ends(one).is_none());
    let dated = in_force.iter().filter_map(|one| Some((one.0, ends(one)?)));
    let last = dated.max_by_key(|(_, end): &(usize, When)| end.latest());
    person.end_date = last.map(|(_, end)| end).filter(|_| !open);
    said("end_date", last.map(|(place, _)| place).filter(|_| !open));
    let starts = all.iter().enumerate();
    let starts = starts.filter_map(|(place, i)| Some((place, i.start_date?)));
    let start = starts.min_by_key(|(_, start): &(usize, When)| start.earliest());
    person.start_date = start.map(|(_, start)| start);
    said("start_date", start.map(|(place, _)| place));
    Merged {
        identity: person,
        origins,
    }
}

/// The rank of somebody who left.
const LEFT: u8 = 0;

/// Who is active anywhere is active. Listed without a status counts as active, and is not known.
fn rank(identity: &Identity) -> u8 {
    match identity.status {
        Some(IdentityStatus::Active) => 4,
        None => 3,
        Some(IdentityStatus::OnLeave) => 2,
        Some(IdentityStatus::Pending) => 1,
        Some(IdentityStatus::Inactive) => LEFT,
    }
}

fn first_of<'a, T: ?Sized>(
    all: &[&'a Identity],
    column: impl Fn(&'a Identity) -> Option<&'a T>,
) -> Option<(usize, &'a T)> {
    all.iter()
        .enumerate()
        .find_map(|(place, identity)| Some((place, column(identity)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: serde_json::Value) -> Identity {
        let mut all = serde_json::json!({"id": "u1", "kind": "person"});
        for (key, value) in text.as_object().unwrap() {
            all[key] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    fn check(records: &[serde_json::Value], column: &str, expected: serde_json::Value) {
        let records: Vec<Identity> = records.iter().map(|r| record(r.clone())).collect();
        let others: Vec<&Identity> = records.iter().skip(1).collect();
        let found = merged(&records[0], &others);
        let value = serde_json::to_value(&found.identity).unwrap()[column].clone();
        let origin = found.origins.get(column).copied();
        assert_eq!(serde_json::json!([value, origin]), expected, "{column}");
    }

    #[test]
    fn the_most_trusted_record_that_knows_says_it() {
        use serde_json::json;
        let two = [
            json!({"title": "Clerk", "status": "inactive", "end_date": "2026-01-31T00:00:00Z"}),
            json!({"title": "Driver", "department": "Fleet", "status": "active"}),
        ];
        check(&two, "title", json!(["Clerk", 0]));
        check(&two, "department", json!(["Fleet", 1]));
        let employer = |status: &str| json!({"employer_id": "acme", "status": status});
        let hired = json!({"status": "active"});
        check(
            &[hired.clone(), employer("inactive")],
            "employer_id",
            json!([null, null]),
        );
        check(
            &[hired, employer("active")],
            "employer_id",
            json!(["acme", 1]),
        );
        check(&two, "email", json!([null, null]));
        check(&two, "status", json!(["active", 1]));
        check(&two, "end_date", json!([null, null]));
    }

    #[test]
    fn whoever_is_active_anywhere_has_not_left() {
        use serde_json::json;
        let status = |a: &str, b: &str, expected: serde_json::Value| {
            let one = |s: &str| match s {
                "" => json!({}),
                _ => json!({"status": s}),
            };
            check(&[one(a), one(b)], "status", expected);
        };
        status("inactive", "inactive", json!(["inactive", 0]));
        status("inactive", "on_leave", json!(["on_leave", 1]));
        status("inactive", "", json!([null, 1]));
        status("", "active", json!(["active", 1]));
        status("pending", "active", json!(["active", 1]));
    }

    #[test]
    fn the_last_end_counts_and_the_first_beginning() {
        use serde_json::json;
        let two = [
            json!({"status": "active", "start_date": "2020-01-01T00:00:00Z", "end_date": "2026-01-31T00:00:00Z"}),
            json!({"status": "active", "start_date": "2015-01-01T00:00:00Z", "end_date": "2026-03-31T00:00:00Z"}),
        ];
        let found = merged(&record(two[0].clone()), &[&record(two[1].clone())]);
        let given = record(two[1].clone());
        assert_eq!(found.identity.end_date, given.end_date);
        assert_eq!(found.identity.start_date, given.start_date);
    }
}
