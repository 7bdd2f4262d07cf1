//! The facts of a small company: at least four of every kind, with every odd text among them.

use crate::subject::{Facts, odd_texts};
use lastkey_contract::{Fact, Kind};
use serde_json::{Value, json};

/// What the company holds, in one system.
pub fn company(system: &str) -> Facts {
    let mut facts = Facts::new();
    let mut add = |kind: Kind, mut value: Value| {
        if let Value::Object(fields) = &mut value {
            fields.insert("fact".to_owned(), json!(kind.word()));
        }
        // What is no fact is missing, and the tests below count.
        if let Ok(fact) = serde_json::from_value::<Fact>(value) {
            facts.entry(kind).or_default().push(fact);
        }
    };
    for (at, (what, text)) in odd_texts().into_iter().enumerate() {
        add(
            Kind::Identity,
            json!({"id": format!("00{at}"), "kind": "person", "display_name": text,
                "email": format!("p{at}@example.org"), "status": "active", "title": what,
                "start_date": "2024-02-29T08:00:00Z"}),
        );
        add(
            Kind::Account,
            json!({"system": system, "id": format!("a{at}"), "name": format!("login{at}"),
                "kind": "human", "identity_id": format!("00{at}"), "enabled": at % 2 == 0,
                "last_used_at": format!("2026-03-0{}T09:30:00Z", at + 1)}),
        );
        add(
            Kind::Credential,
            json!({"system": system, "id": format!("c{at}"), "kind": "token",
                "account_id": format!("a{at}"), "rotated_at": "2025-12-24T00:00:00Z",
                "last_used_at": "2026-01-02T03:04:05Z"}),
        );
    }
    let principal =
        |at: usize| json!({"kind": "account", "system": system, "id": format!("a{at}")});
    for at in 0..5 {
        add(
            Kind::Entitlement,
            json!({"system": system, "id": format!("g{at}"), "name": format!("group {at}"),
                "kind": "group", "privileged": at == 0}),
        );
        add(
            Kind::Grant,
            json!({"system": system, "entitlement_id": format!("g{at}"),
                "principal": principal(at), "assignment": "active", "reason": "a \"quoted\" reason",
                "last_used_at": "2026-02-02T00:00:00Z"}),
        );
        add(
            Kind::Location,
            json!({"system": system, "path": format!("/db/{at}"), "credential_system": system,
                "credential_id": format!("c{at}"), "kind": "vault"}),
        );
        add(
            Kind::Reader,
            json!({"system": system, "path": format!("/db/{at}"), "principal": principal(at)}),
        );
        add(
            Kind::Control,
            json!({"system": system, "account_id": format!("a{at}"),
                "principal": principal(at + 1), "means": "reset_password"}),
        );
        add(
            Kind::Owner,
            json!({"object_type": "account", "system": system, "object_id": format!("a{at}"),
                "owner_id": "000", "role": "technical"}),
        );
        add(
            Kind::Session,
            json!({"system": system, "account_id": format!("a{at}"), "id": format!("s{at}"),
                "started_at": "2026-03-01T00:00:00Z"}),
        );
        add(
            Kind::Task,
            json!({"id": format!("t{at}"), "system": system, "event": "leaver",
                "identity_id": format!("00{at}"), "status": "done", "retries": at}),
        );
    }
    add(
        Kind::Grant,
        json!({"system": system, "entitlement_id": "g1",
            "principal": {"kind": "entitlement", "system": system, "id": "g0"}}),
    );
    facts
}

/// So many people, each with so many bytes of text, no two alike: a text that packs well is
/// taken for a bomb.
pub fn large(records: u32, bytes: u32) -> Vec<Fact> {
    let mut state = 0x9e37_79b9_u32;
    let mut letter = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        char::from_digit(state % 36, 36).unwrap_or('x')
    };
    (0..records)
        .filter_map(|at| {
            let text: String = (0..bytes).map(|_| letter()).collect();
            serde_json::from_value(json!({"fact": "identity", "id": format!("{at:07}"),
                "kind": "person", "display_name": text}))
            .ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_company_has_four_of_every_kind_and_a_large_one_is_large() {
        let facts = company("corp");
        for kind in Kind::ALL {
            assert!(facts[&kind].len() >= 4, "{kind}");
        }
        assert_eq!(large(50, 10).len(), 50);
    }
}
