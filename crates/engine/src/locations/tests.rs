//! What is one secret, what is only suspected to be, who reads it, and what somebody could read.

use super::*;
use crate::access::{Graph, ReachFrom, ReadState, Snapshot};
use crate::views::ListQuery;
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::*;
use lastkey_contract::{Fingerprint, IdentityId, Kind, SourceName, SystemName};
use std::sync::Arc;

fn at() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn system(name: &str) -> SystemName {
    SystemName::new(name)
}

/// An estate in the making, a line each.
#[derive(Default)]
struct World(Snapshot);

impl World {
    fn person(mut self, id: &str, status: IdentityStatus) -> Self {
        let text = format!(r#"{{"id":"{id}","kind":"person"}}"#);
        let mut fact: Identity = serde_json::from_str(&text).unwrap();
        fact.status = Some(status);
        self.0.identities.push(fact);
        self
    }

    fn account(mut self, name: &str, whose: Option<&str>) -> Self {
        let (at, id) = name.split_once(':').unwrap();
        let mut fact = Account::of(system(at), id);
        fact.identity_id = whose.map(IdentityId::from);
        self.0.accounts.push(fact);
        self
    }

    fn closed(mut self, name: &str, whose: &str) -> Self {
        self = self.account(name, Some(whose));
        self.0.accounts.last_mut().unwrap().enabled = Some(false);
        self
    }

    fn grant(mut self, from: (PrincipalType, &str), to: &str) -> Self {
        let (at, id) = from.1.split_once(':').unwrap();
        let (_, target) = to.split_once(':').unwrap();
        let principal = Principal::of(system(at), from.0, id);
        self.0.grants.push(Grant::of(principal, target));
        self
    }

    fn reads(mut self, from: (PrincipalType, &str), path: &str) -> Self {
        let (at, id) = from.1.split_once(':').unwrap();
        let (_, path) = path.split_once(':').unwrap();
        let principal = Principal::of(system(at), from.0, id);
        self.0.readers.push(Reader::of(principal, path));
        self
    }

    fn credential(mut self, name: &str, account: &str, print: Option<&str>) -> Self {
        let (at, id) = name.split_once(':').unwrap();
        let mut fact = Credential::of(system(at), id, CredentialKind::Password, account);
        fact.fingerprint = print.map(Fingerprint::new);
        self.0.credentials.push(fact);
        self
    }

    /// `SYSTEM:PATH` or `SYSTEM:PATH#FIELD`.
    fn place(self, kind: LocationKind, name: &str, print: Option<&str>) -> Self {
        self.naming(kind, name, print, None)
    }

    fn naming(
        mut self,
        kind: LocationKind,
        name: &str,
        print: Option<&str>,
        credential: Option<&str>,
    ) -> Self {
        let (at, rest) = name.split_once(':').unwrap();
        let (path, field) = match rest.split_once('#') {
            Some((path, _)) => (path, Some(rest)),
            None => (rest, None),
        };
        let mut fact = Location::of(system(at), path, kind);
        fact.fingerprint = print.map(Fingerprint::new);
        if let Some((at, id)) = credential.and_then(|name| name.split_once(':')) {
            fact.credential_system = Some(system(at));
            fact.credential_id = Some(id.into());
        }
        if let Some(field) = field {
            fact.attributes.insert("field".to_owned(), field.to_owned());
        }
        self.0.locations.push(fact);
        self
    }

    fn read(mut self, kinds: &[Kind], of: &str, complete: bool) -> Self {
        for kind in kinds {
            self.0.reads.push(ReadState {
                source: SourceName::new(format!("read-{of}")),
                kind: *kind,
                systems: vec![system(of)],
                supplement: false,
                complete_at: complete.then(at),
                gaps: Vec::new(),
                removed: false,
                fresh_for_seconds: None,
            });
        }
        self
    }

    fn estate(&self) -> Estate {
        let graph = Arc::new(Graph::build(&self.0));
        let mut gathering = Gathering::new(&graph);
        for fact in &self.0.credentials {
            let text = serde_json::to_string(fact).unwrap();
            gathering.credential(&serde_json::from_str(&text).unwrap());
        }
        for fact in &self.0.locations {
            let text = serde_json::to_string(fact).unwrap();
            gathering.place(&serde_json::from_str(&text).unwrap());
        }
        let secrets = gathering.done();
        let of = OfEstate {
            at: at(),
            freshness: TimeDelta::days(2),
        };
        Estate::new(graph, secrets, of)
    }
}

fn query(filters: &[&str]) -> ListQuery {
    ListQuery {
        search: String::new(),
        filters: filters.iter().map(|one| (*one).to_owned()).collect(),
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: 200,
    }
}

fn keys(estate: &Estate, filters: &[&str]) -> Vec<String> {
    let window = estate.secrets(&query(filters), None).unwrap();
    assert_eq!(window.matching, window.rows.len() as u64);
    window.rows.into_iter().map(|row| row.key).collect()
}

/// The places of a secret: certain, and suspected.
fn stands(estate: &Estate, key: &str) -> (Vec<String>, Vec<String>) {
    let detail = estate.detail(key, None).unwrap();
    let names = |places: &[SecretPlace]| places.iter().map(|place| place.key.clone()).collect();
    (names(&detail.places), names(&detail.suspected))
}

use LocationKind::{CiVariable, File, KubernetesSecret, Vault};
use PrincipalType::{Account as A, Entitlement as E};

/// One secret at four places; GitHub tells names alone.
fn planted(print: Option<&str>) -> World {
    World::default()
        .account("pg:16400", None)
        .credential("pg:16400:password", "16400", None)
        .place(Vault, "bao:secret/payments/db#password", print)
        .naming(
            Vault,
            "bao:secret/payments/db#password",
            None,
            Some("pg:16400:password"),
        )
        .place(KubernetesSecret, "k8s:payments/db#password", print)
        .place(
            CiVariable,
            "github:acme/shop/actions/PAYMENTS_DB_PASSWORD",
            None,
        )
        .place(File, "ws-ann:/srv/pay/.env#PAYMENTS_DB_PASSWORD", print)
}

#[test]
fn equal_fingerprints_are_one_secret_and_a_name_alone_is_a_suspicion() {
    let estate = planted(Some("k1:aa")).estate();
    let (certain, suspected) = stands(&estate, "credential:pg:16400:password");
    assert_eq!(
        certain,
        [
            "location:bao:secret/payments/db#password",
            "location:k8s:payments/db#password",
            "location:ws-ann:/srv/pay/.env#PAYMENTS_DB_PASSWORD",
        ]
    );
    assert_eq!(
        suspected,
        ["location:github:acme/shop/actions/PAYMENTS_DB_PASSWORD"]
    );
    let detail = estate
        .detail("location:ws-ann:/srv/pay/.env", None)
        .unwrap();
    assert_eq!(detail.row.key, "credential:pg:16400:password");
    let opens: Vec<_> = detail
        .opens
        .iter()
        .map(|one| (&*one.id, one.certain))
        .collect();
    assert_eq!(opens, [("16400", true)]);
    let (row, kinds) = (detail.row.clone(), detail.row.places);
    assert_eq!(
        (kinds.vault, kinds.cluster, kinds.file, kinds.ci),
        (1, 1, 1, 0)
    );
    assert_eq!((row.place_count, row.suspected.ci), (3, 1));
    // From GitHub's side it is a suspicion, with the account that it may open.
    let there = estate
        .detail("github:acme/shop/actions/PAYMENTS_DB_PASSWORD", None)
        .unwrap();
    assert_eq!(there.suspected.len(), 3);
    let opens: Vec<_> = there
        .opens
        .iter()
        .map(|one| (&*one.id, one.certain))
        .collect();
    assert_eq!(opens, [("16400", false)]);
}

#[test]
fn without_fingerprints_every_copy_is_only_suspected() {
    let estate = planted(None).estate();
    let (certain, suspected) = stands(&estate, "credential:pg:16400:password");
    assert_eq!(certain, ["location:bao:secret/payments/db#password"]);
    assert_eq!(suspected.len(), 3, "{suspected:?}");
    let detail = estate.detail("credential:pg:16400:password", None).unwrap();
    assert!(detail.suspected.iter().all(|place| !place.certain
        && place.how == "same_name"
        && place.how_words == "suspected: same name, payments db password"));
    assert!(
        detail
            .not_known
            .iter()
            .any(|one| one.contains("no source tells a fingerprint")),
        "{:?}",
        detail.not_known
    );
    assert_eq!(estate.summary().copied, 0);
}

#[test]
fn unequal_fingerprints_of_one_key_are_told_apart_whatever_the_name() {
    let of = |one: &str, other: &str| {
        World::default()
            .place(File, "a:/x/.env#PAYMENTS_DB_PASSWORD", Some(one))
            .place(File, "b:/x/.env#PAYMENTS_DB_PASSWORD", Some(other))
            .estate()
    };
    let suspected = |estate: &Estate| stands(estate, "location:a:/x/.env").1.len();
    assert_eq!(
        suspected(&of("k1:aa", "k1:bb")),
        0,
        "they differ for certain"
    );
    assert_eq!(
        suspected(&of("k1:aa", "k2:bb")),
        1,
        "of two keys nothing compares"
    );
    assert_eq!(suspected(&of("aa", "bb")), 1, "made nobody knows how");
}

#[test]
fn suspicions_do_not_travel() {
    // One is suspected to be the other two by two names; those two have none in common.
    let estate = World::default()
        .place(Vault, "v:secret/shop/mail#STRIPE_TOKEN", None)
        .place(CiVariable, "g:o/r/actions/STRIPE_TOKEN", None)
        .place(CiVariable, "g:o/r/actions/MAIL_STRIPE_TOKEN", None)
        .estate();
    assert_eq!(stands(&estate, "location:v:secret/shop/mail").1.len(), 2);
    let (_, of_one) = stands(&estate, "location:g:o/r/actions/STRIPE_TOKEN");
    assert_eq!(of_one, ["location:v:secret/shop/mail#STRIPE_TOKEN"]);
}

#[test]
fn a_name_that_many_have_tells_nothing() {
    let mut world = World::default();
    for n in 0..9 {
        world = world.place(CiVariable, &format!("g:o/r{n}/actions/STRIPE_TOKEN"), None);
    }
    let estate = world.estate();
    assert_eq!(
        stands(&estate, "location:g:o/r0/actions/STRIPE_TOKEN")
            .1
            .len(),
        0
    );
    assert_eq!(keys(&estate, &["copies=suspected"]).len(), 0);
}

#[test]
fn one_login_name_is_no_evidence_for_one_password() {
    let estate = World::default()
        .account("ad:ann.smith", None)
        .account("pg:ann.smith", None)
        .credential("ad:ann.smith", "ann.smith", None)
        .credential("pg:ann.smith", "ann.smith", None)
        .estate();
    assert_eq!(keys(&estate, &["copies=suspected"]).len(), 0);
}

#[test]
fn a_credential_that_is_named_where_two_values_stand_is_joined_with_neither() {
    let estate = World::default()
        .credential("pg:app", "app", None)
        .naming(Vault, "v:s/a#p1", Some("k:aa"), Some("pg:app"))
        .naming(Vault, "v:s/b#p2", Some("k:bb"), Some("pg:app"))
        .estate();
    let detail = estate.detail("credential:pg:app", None).unwrap();
    assert_eq!((detail.places.len(), detail.suspected.len()), (0, 2));
    assert!(
        detail
            .suspected
            .iter()
            .all(|place| place.how == "other_value")
    );
    // The two values are told apart, and stay so.
    assert_eq!(stands(&estate, "location:v:s/a").0, ["location:v:s/a#p1"]);
}

#[test]
fn the_only_value_of_a_place_is_the_credential_that_is_named_there() {
    let one = World::default()
        .credential("pg:app", "app", None)
        .place(Vault, "v:s/db#password", Some("k:aa"))
        .naming(Vault, "v:s/db", None, Some("pg:app"))
        .place(File, "w:/.env#X_DB_PASSWORD", Some("k:aa"));
    assert_eq!(stands(&one.estate(), "credential:pg:app").0.len(), 2);
    let two = one.place(Vault, "v:s/db#other", Some("k:cc")).estate();
    let (certain, _) = stands(&two, "credential:pg:app");
    assert_eq!(
        certain,
        ["location:v:s/db"],
        "which of two it is nobody says"
    );
}

#[test]
fn readers_are_found_through_nested_groups_and_leavers_are_counted() {
    let world = World::default()
        .person("ann", IdentityStatus::Active)
        .person("bob", IdentityStatus::Inactive)
        .account("bao:ann", Some("ann"))
        .closed("bao:bob", "bob")
        .account("bao:robot", None)
        .grant((A, "bao:ann"), "bao:team")
        .grant((A, "bao:bob"), "bao:team")
        .grant((E, "bao:team"), "bao:payers")
        .reads((E, "bao:payers"), "bao:secret/x")
        .reads((A, "bao:robot"), "bao:secret/x")
        .place(Vault, "bao:secret/x#stripe_token", Some("k:aa"));
    let estate = world.estate();
    let window = estate
        .readers("location:bao:secret/x", &query(&[]))
        .unwrap();
    let shown: Vec<_> = window
        .rows
        .iter()
        .map(|one| (&*one.account, one.left, one.works, one.through.len()))
        .collect();
    assert_eq!(
        shown,
        [
            ("bob", true, false, 2),
            ("ann", false, true, 2),
            ("robot", false, true, 0)
        ]
    );
    assert_eq!(
        window.rows[1].through,
        ["entitlement bao:team", "entitlement bao:payers"]
    );
    let row = estate.secrets(&query(&[]), None).unwrap().rows.remove(0);
    assert_eq!(
        (row.readers, row.readers_left, row.readers_whole),
        (3, 1, false)
    );
    let whole = world
        .read(
            &[Kind::Account, Kind::Grant, Kind::Reader, Kind::Location],
            "bao",
            true,
        )
        .estate();
    let row = whole.secrets(&query(&[]), None).unwrap().rows.remove(0);
    assert!(row.readers_whole);
}

#[test]
fn what_a_leaver_could_read_names_the_way_and_whether_it_works_now() {
    let estate = planted(Some("k1:aa"))
        .person("ann", IdentityStatus::Active)
        .person("bob", IdentityStatus::Inactive)
        .account("bao:ann", Some("ann"))
        .closed("ws-ann:1001", "bob")
        .reads((A, "bao:ann"), "bao:secret/payments/db")
        .reads((A, "ws-ann:1001"), "ws-ann:/srv/pay/.env")
        .place(Vault, "bao:secret/other#stripe_token", Some("k1:zz"))
        .estate();
    let of = |who: &str| {
        let known = estate.known_by(&ReachFrom::Identity(IdentityId::from(who)), |_| None);
        estate.secrets(&query(&[]), Some(&known)).unwrap().rows
    };
    let ann: Vec<_> = of("ann")
        .into_iter()
        .map(|row| (row.key, row.way.unwrap()))
        .collect();
    assert_eq!(ann.len(), 2, "{ann:?}");
    assert_eq!(ann[0].0, "credential:pg:16400:password");
    assert!(ann[0].1.now && ann[0].1.certain);
    assert_eq!(
        ann[0].1.path,
        ["account bao:ann", "location bao:secret/payments/db"]
    );
    assert!(
        !ann[1].1.certain,
        "GitHub's is only suspected to be the same"
    );
    let bob = of("bob");
    assert_eq!(bob[0].key, "credential:pg:16400:password");
    assert!(!bob[0].way.as_ref().unwrap().now, "the account is closed");
}

#[test]
fn filters_and_orders_take_windows_and_say_what_they_do_not_know() {
    let estate = planted(Some("k1:aa")).estate();
    assert_eq!(keys(&estate, &["system=bao"]).len(), 1);
    assert_eq!(keys(&estate, &["kind=ci_variable"]).len(), 1);
    assert_eq!(keys(&estate, &["place=ws-ann:/srv/pay/.env"]).len(), 1);
    assert_eq!(keys(&estate, &["account=pg:16400"]).len(), 1);
    assert_eq!(
        keys(&estate, &["copies=yes"]),
        ["credential:pg:16400:password"]
    );
    assert_eq!(keys(&estate, &["system=nowhere"]).len(), 0);
    let wrong = estate.secrets(&query(&["colour=red"]), None).unwrap_err();
    assert!(wrong.message.contains("colour=red"), "{wrong:?}");
    for sort in SECRET_ORDERS {
        for descending in [false, true] {
            let asked = ListQuery {
                sort: sort.to_owned(),
                descending,
                limit: 1,
                ..query(&[])
            };
            let window = estate.secrets(&asked, None).unwrap();
            assert_eq!((window.rows.len(), window.matching), (1, 2), "{sort}");
        }
    }
    let places = estate.places(&query(&["system=k8s"]), None).unwrap();
    assert_eq!(places.matching, 1);
    assert_eq!(
        (places.rows[0].elsewhere, places.rows[0].suspected_elsewhere),
        (2, 1)
    );
    let found = ListQuery {
        search: "payments_DB".to_owned(),
        ..query(&[])
    };
    assert_eq!(estate.secrets(&found, None).unwrap().matching, 2);
}

#[test]
fn nothing_that_is_shown_has_a_fingerprint() {
    let print = "k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let estate = planted(Some(print)).estate();
    let mut shown = serde_json::to_string(&estate.detail("pg:16400:password", None)).unwrap();
    shown += &serde_json::to_string(&estate.secrets(&query(&[]), None).unwrap()).unwrap();
    shown += &serde_json::to_string(&estate.places(&query(&[]), None).unwrap()).unwrap();
    shown += &serde_json::to_string(&estate.summary()).unwrap();
    assert!(shown.contains("payments/db") && !shown.contains("0123456789abcdef"));
}
