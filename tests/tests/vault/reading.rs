//! What is read back, exactly: the company as it was put in.

use crate::estate::*;
use lastkey_contract::facts::{Account, Credential, CredentialKind, Location};
use lastkey_contract::{Fact, Kind, NoteKind, PageRequest};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KINDS: [Kind; 7] = [
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Credential,
    Kind::Location,
    Kind::Reader,
    Kind::Control,
];

fn all(estate: &Estate, kind: Kind) -> Vec<Fact> {
    let pages = read(estate.connector(&[]).as_ref(), kind, 500).unwrap();
    assert_eq!(gaps(&pages), Vec::new(), "{kind}");
    facts(&pages)
}

/// Who holds what, by name.
fn grants(estate: &Estate) -> BTreeSet<(String, String)> {
    all(estate, Kind::Grant)
        .into_iter()
        .map(|f| match f {
            Fact::Grant(g) => (
                named(estate, &g.principal.id),
                named(estate, g.entitlement_id.as_str()),
            ),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The name behind an id of the company's, or the id.
fn named(estate: &Estate, id: &str) -> String {
    for (uuid, name) in [
        (&estate.ann, "ann"),
        (&estate.bob, "bob"),
        (&estate.ops, "ops"),
        (&estate.staff, "staff"),
    ] {
        if id == uuid {
            return name.to_owned();
        }
    }
    id.to_owned()
}

#[test]
fn accounts() {
    let Some(estate) = shared("accounts of a vault") else {
        return;
    };
    let accounts: BTreeMap<String, Account> = all(estate, Kind::Account)
        .into_iter()
        .map(|f| match f {
            Fact::Account(a) => (a.id.to_string(), a),
            other => panic!("{other:?}"),
        })
        .collect();
    let ann = &accounts[&estate.ann];
    assert_eq!(ann.name.as_deref(), Some("ann"));
    assert_eq!(ann.email.as_deref(), Some("ann@example.org"));
    assert_eq!(ann.enabled, Some(true));
    let door = ann.signs_in_through_id.as_ref().unwrap();
    assert_eq!(
        (ann.local_sign_in, door.as_str()),
        (Some(false), "auth/userpass/users/ann")
    );
    for id in [
        "auth/userpass/users/ann",
        "auth/userpass/users/bob",
        "auth/userpass/users/zoe",
        "auth/approle/role/deploy",
        "auth/approle/role/lastkey-reader",
    ] {
        assert!(accounts.contains_key(id), "{id}: {:?}", accounts.keys());
    }
    let lone = &accounts[&format!("token/{}", estate.lone_accessor)];
    assert!(lone.expires_at.is_some() && lone.created_at.is_some());
    let root: Vec<&Account> = accounts
        .values()
        .filter(|a| a.privileged == Some(true))
        .collect();
    assert_eq!(root.len(), 1, "the root token stands out");
    // Zoe never signed in, so she has no entity; the AppRole of the reader got one.
    assert_eq!(
        accounts.len(),
        2 + 3 + 2 + 2 + entities_of_readers(&accounts),
        "{:?}",
        accounts.keys()
    );
}

fn entities_of_readers(accounts: &BTreeMap<String, Account>) -> usize {
    accounts
        .values()
        .filter(|a| a.name.as_deref().is_some_and(|n| n.starts_with("entity_")))
        .count()
}

#[test]
fn entitlements_and_grants() {
    let Some(estate) = shared("entitlements and grants of a vault") else {
        return;
    };
    let held: BTreeMap<String, Option<bool>> = all(estate, Kind::Entitlement)
        .into_iter()
        .map(|f| match f {
            Fact::Entitlement(e) => (e.id.to_string(), e.privileged),
            other => panic!("{other:?}"),
        })
        .collect();
    for (id, privileged) in [
        ("policy/root", Some(true)),
        ("policy/admin", Some(true)),
        ("policy/helpdesk", Some(true)),
        ("policy/default", Some(false)),
        ("policy/db-read", Some(false)),
        ("auth/jwt/role/ci", None),
        (estate.ops.as_str(), None),
    ] {
        assert_eq!(held.get(id), Some(&privileged), "{id}: {held:?}");
    }
    let grants = grants(estate);
    for (who, what) in [
        ("ann", "policy/own-home"),
        ("bob", "policy/no-prod"),
        ("ann", "ops"),
        ("ops", "staff"),
        ("bob", "staff"),
        ("ops", "policy/minter"),
        ("staff", "policy/old"),
        ("auth/userpass/users/ann", "policy/all-read"),
        ("auth/userpass/users/ann", "policy/default"),
        ("auth/approle/role/deploy", "policy/db-read"),
        ("auth/jwt/role/ci", "policy/db-read"),
    ] {
        assert!(
            grants.contains(&(who.to_owned(), what.to_owned())),
            "{who} -> {what}: {grants:#?}"
        );
    }
    let no_default = grants.contains(&(
        "auth/approle/role/lastkey-reader".to_owned(),
        "policy/default".to_owned(),
    ));
    assert!(!no_default, "a role without the default policy has none");
}

#[test]
fn credentials() {
    let Some(estate) = shared("credentials of a vault") else {
        return;
    };
    let credentials: Vec<Credential> = all(estate, Kind::Credential)
        .into_iter()
        .map(|f| match f {
            Fact::Credential(c) => c,
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |kind| credentials.iter().filter(move |c| c.kind == kind);
    assert_eq!(of(CredentialKind::Password).count(), 3);
    let secret_id = of(CredentialKind::ClientSecret)
        .find(|c| c.account_id.as_ref().unwrap().as_str() == "auth/approle/role/deploy")
        .unwrap();
    assert!(secret_id.created_at.is_some() && secret_id.expires_at.is_some());
    assert_eq!(secret_id.attributes["metadata.for"], "ci");
    let tokens: Vec<&Credential> = of(CredentialKind::Token).collect();
    let of_ann = tokens
        .iter()
        .find(|c| c.account_id.as_ref().unwrap().as_str() == estate.ann)
        .unwrap();
    assert!(of_ann.expires_at.is_some() && of_ann.attributes["policies"].contains("all-read"));
    let lone = tokens
        .iter()
        .find(|c| c.id.as_str() == estate.lone_accessor)
        .unwrap();
    assert_eq!(
        lone.account_id.as_ref().unwrap().as_str(),
        format!("token/{}", estate.lone_accessor)
    );
}

#[test]
fn locations_are_names_and_times() {
    let Some(estate) = shared("locations of a vault") else {
        return;
    };
    let locations: BTreeMap<String, Location> = all(estate, Kind::Location)
        .into_iter()
        .map(|f| match f {
            Fact::Location(l) => (l.path.to_string(), l),
            other => panic!("{other:?}"),
        })
        .collect();
    let paths: Vec<&str> = locations.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "secret/db/prod",
            "secret/db/test",
            "secret/home/ann/notes",
            "secret/home/bob/notes",
            "secret/odd name/ü?#%",
            "secret/web",
            "team/old/mail"
        ]
    );
    let prod = &locations["secret/db/prod"];
    assert_eq!(prod.attributes["custom.owner"], "ann");
    assert_eq!(prod.attributes["state"], "present");
    assert!(prod.last_rotated_at.is_some());
    assert_eq!(locations["secret/db/test"].attributes["state"], "deleted");
    assert_eq!(locations["secret/web"].attributes["version"], "2");
    assert_eq!(locations["team/old/mail"].last_rotated_at, None);
    let only = read(
        estate.connector(&[("mounts", "team/old")]).as_ref(),
        Kind::Location,
        500,
    )
    .unwrap();
    assert_eq!(facts(&only).len(), 1);
    let missing = read(
        estate.connector(&[("mounts", "nowhere")]).as_ref(),
        Kind::Location,
        500,
    )
    .unwrap_err();
    assert!(missing.message.contains("`nowhere/`"), "{missing}");
}

/// Reader lines, worked out as the engine does: policies through grants, accounts as they stand.
fn readers(estate: &Estate) -> (BTreeSet<(String, String)>, BTreeMap<String, String>) {
    let mut lines = BTreeSet::new();
    let mut limits = BTreeMap::new();
    for fact in all(estate, Kind::Reader) {
        let Fact::Reader(r) = fact else {
            panic!("{fact:?}")
        };
        if let Some(words) = r.attributes.get("limits") {
            limits.insert(r.path.to_string(), words.clone());
        }
        lines.insert((named(estate, &r.principal.id), r.path.to_string()));
    }
    (lines, limits)
}

#[test]
fn readers_are_those_whom_the_server_lets_read() {
    let Some(estate) = shared("readers of a vault") else {
        return;
    };
    let (lines, limits) = readers(estate);
    let has = |who: &str, path: &str| lines.contains(&(who.to_owned(), path.to_owned()));
    assert!(has("policy/db-read", "secret/db/prod") && has("policy/admin", "team/old/mail"));
    assert!(!has("policy/db-read", "secret/web"));
    // Bob holds all-read and no-prod together: the policy alone would say too much.
    assert!(!has("policy/all-read", "secret/db/prod"), "{lines:#?}");
    assert!(has("ann", "secret/db/prod") && has("auth/userpass/users/ann", "secret/db/prod"));
    assert!(!has("bob", "secret/db/prod"));
    assert!(has("policy/all-read", "secret/web"));
    assert!(has("policy/root", "secret/web"));
    assert_eq!(
        limits.get("team/old/mail").map(String::as_str),
        Some("required_parameters")
    );

    // Every person and every path against the server's own word.
    let grants = grants(estate);
    for person in ["ann", "bob"] {
        let mut held = BTreeSet::from([person.to_owned(), format!("auth/userpass/users/{person}")]);
        loop {
            let more: Vec<String> = grants
                .iter()
                .filter(|(who, what)| held.contains(who) && !held.contains(what))
                .map(|(_, what)| what.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            held.extend(more);
        }
        let made = estate.lab.write(
            &format!("auth/userpass/login/{person}"),
            json!({ "password": "pw-of-people-canary" }),
        );
        let token = made["auth"]["client_token"].as_str().unwrap();
        for (path, value) in [
            ("secret/db/prod", "secret/data/db/prod"),
            ("secret/web", "secret/data/web"),
            ("secret/home/ann/notes", "secret/data/home/ann/notes"),
            ("secret/home/bob/notes", "secret/data/home/bob/notes"),
            ("team/old/mail", "team/old/mail?x=1"),
        ] {
            let ours = held.iter().any(|who| has(who, path));
            let status = estate.lab.ask(token, "", "GET", value, &json!({})).status;
            assert_eq!(
                ours,
                status == 200,
                "{person} on {path}: the server says {status}, {held:?}"
            );
        }
        estate
            .lab
            .ask(token, "", "POST", "auth/token/revoke-self", &json!({}));
    }
}

#[test]
fn controls_are_delegated_administration() {
    let Some(estate) = shared("controls of a vault") else {
        return;
    };
    let controls: BTreeSet<(String, String, &str)> = all(estate, Kind::Control)
        .into_iter()
        .map(|f| match f {
            Fact::Control(c) => (
                named(estate, &c.principal.id),
                named(estate, c.account_id.as_str()),
                c.means.word(),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    let has = |who: &str, over: &str, means: &str| {
        controls
            .iter()
            .any(|(w, o, m)| (w.as_str(), o.as_str(), *m) == (who, over, means))
    };
    assert!(
        has(
            "policy/helpdesk",
            "auth/userpass/users/ann",
            "reset_password"
        ),
        "{controls:#?}"
    );
    assert!(has(
        "policy/minter",
        "auth/approle/role/deploy",
        "mint_credential"
    ));
    assert!(!has(
        "policy/minter",
        "auth/approle/role/lastkey-reader",
        "mint_credential"
    ));
    assert!(has("auth/userpass/users/ann", "ann", "assume"));
    assert!(has("policy/admin", "ann", "impersonate"));
    assert!(!has("policy/db-read", "ann", "impersonate"));
}

#[test]
fn every_page_size_gives_the_same() {
    let Some(estate) = shared("page sizes of a vault") else {
        return;
    };
    for kind in KINDS {
        let key = |facts: Vec<Fact>| facts.iter().map(Fact::key).collect::<Vec<_>>();
        let whole = key(all(estate, kind));
        for size in [1, 3, 7] {
            let connector = estate.connector(&[]);
            let pages = read(connector.as_ref(), kind, size).unwrap();
            assert!(
                pages.iter().all(|p| p.records.len() <= size as usize),
                "{kind} by {size}"
            );
            assert_eq!(key(facts(&pages)), whole, "{kind} by {size}");
            let received: u64 = pages.iter().map(|p| p.received).sum();
            assert_eq!(received, whole.len() as u64);
        }
    }
}

#[test]
fn a_cursor_holds_in_a_later_connection() {
    let Some(estate) = shared("cursors of a vault") else {
        return;
    };
    for kind in KINDS {
        let whole: Vec<String> = all(estate, kind).iter().map(Fact::key).collect();
        let mut read = Vec::new();
        let mut cursor = None;
        loop {
            let page = run(async {
                let connector = estate.connector(&[]);
                let mut session = connector.connect().await.unwrap();
                let request = PageRequest {
                    cursor: cursor.clone(),
                    limit: 5,
                    since: None,
                };
                let first = session.read_page(kind, request.clone()).await.unwrap();
                let again = session.read_page(kind, request).await.unwrap();
                assert_eq!(first, again, "{kind}: the same request, the same answer");
                first
            });
            read.extend(page.records.iter().map(Fact::key));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(read, whole, "{kind}");
    }
}

#[test]
fn what_is_removed_between_pages_takes_nothing_along() {
    let Some(lab) = lab("objects removed between pages") else {
        return;
    };
    lab.write(
        "sys/mounts/kv",
        json!({ "type": "kv", "options": { "version": "1" } }),
    );
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    for name in ["a", "b/1", "b/2", "c", "d"] {
        lab.write(&format!("kv/{name}"), json!({ "v": "x" }));
    }
    let connector = by_approle(&lab, &[], least_rights(&lab, &[]));
    let names = run(async {
        let mut session = connector.connect().await.unwrap();
        let mut names = Vec::new();
        let mut cursor = None;
        loop {
            let request = PageRequest {
                cursor,
                limit: 2,
                since: None,
            };
            let page = session.read_page(Kind::Location, request).await.unwrap();
            names.extend(facts(std::slice::from_ref(&page)).iter().map(|f| match f {
                Fact::Location(l) => l.path.to_string(),
                other => panic!("{other:?}"),
            }));
            // The folder that is being read, what was read last, and what is next.
            for name in ["b/1", "b/2", "d"] {
                lab.root("DELETE", &format!("kv/{name}"), json!({}));
            }
            lab.write("kv/e", json!({ "v": "x" }));
            cursor = page.next;
            if cursor.is_none() {
                return names;
            }
        }
    });
    let has = |name: &str| names.contains(&format!("kv/{name}"));
    assert!(has("a") && has("b/1") && has("c"), "{names:?}");
    assert_eq!(
        names.len(),
        names.iter().collect::<BTreeSet<_>>().len(),
        "nothing twice"
    );
}

#[test]
fn an_empty_vault_is_read_to_its_end() {
    let Some(lab) = lab("an empty vault") else {
        return;
    };
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    let connector = by_approle(&lab, &[], least_rights(&lab, &[]));
    for kind in KINDS {
        let pages = read(connector.as_ref(), kind, 500).unwrap();
        let lost = notes(&pages).iter().any(|n| n.kind != NoteKind::Remark);
        assert!(!lost, "{kind}: {:?}", notes(&pages));
        if kind == Kind::Location || kind == Kind::Reader {
            assert_eq!(facts(&pages).len(), 0, "{kind}");
        }
    }
}
