//! Owners of very many things that belong together, and names that very many people share.

use super::tests::{HR, credential};
use super::*;
use lastkey_contract::facts::{IdentityKind, OwnerRole};

pub(super) fn owners_of<'a>(
    lines: impl IntoIterator<Item = (i64, &'a str, &'a str, OwnerRole)>,
) -> Owners {
    let owning = lines
        .into_iter()
        .map(|(object, words, owner_id, role)| Owning {
            object,
            words,
            source: HR,
            owner_id,
            role,
        });
    Owners::of(owning, |id, _| id != "gone")
}

#[test]
fn owners_of_many_siblings_are_said_once_with_how_many_and_a_few_of_them() {
    let names: Vec<String> = (0..1_000)
        .map(|n| format!("credential corp:k{n:03}"))
        .collect();
    let own = |n: usize| [(HR, ["p1", "gone"][n % 2], OwnerRole::Business)];
    let line = |n: usize| {
        (
            n as i64,
            names[n].as_str(),
            own(n)[0].1,
            OwnerRole::Business,
        )
    };
    let owners = owners_of((0..1_000).map(line));
    let said = |asking: i64, own: &[(i64, &str, OwnerRole)]| -> Vec<String> {
        let clues = owners.clues(Relation::SameAccount, asking, own).into_iter();
        clues.map(|clue| clue.says).collect()
    };
    // Of a credential of the account itself, the other ones.
    assert_eq!(
        said(2, &own(2)),
        [
            "other credentials of its account, credential corp:k000, credential corp:k004, \
             credential corp:k006 and 496 more, have `p1` as business owner",
            "other credentials of its account, credential corp:k001, credential corp:k003, \
             credential corp:k005 and 497 more, have `gone` as business owner",
        ]
    );
    let two = owners_of([0, 2].map(line));
    let clues = two.clues(Relation::SameAccount, 2, &own(2));
    assert_eq!(
        clues[0].says,
        "another credential of its account, credential corp:k000, has `p1` as business owner"
    );
    let alone = owners_of([line(2)]).clues(Relation::SameAccount, 2, &own(2));
    assert!(alone.is_empty(), "nobody owns another one: {alone:?}");
}

#[test]
fn of_very_many_owners_those_who_are_there_and_own_most_are_named_and_weakly() {
    let ids: Vec<String> = (0..500).map(|n| format!("p{n:03}")).collect();
    let once = ids.iter().zip(0..).map(|(id, n)| (n, id.as_str()));
    let lines = once.chain([(600, "gone"), (601, "gone"), (602, "p400")]);
    let owners = owners_of(lines.map(|(n, id)| (n, "credential corp:k", id, OwnerRole::Technical)));
    let clues = owners.clues(Relation::SameAccount, 1_000, &[]);
    assert_eq!(clues.len(), MOST);
    assert!(clues.iter().all(|clue| clue.strength == Strength::Weak));
    assert_eq!(
        clues[0].says,
        "other credentials of its account, credential corp:k, credential corp:k, have `p400` \
         as technical owner, one of 501 in this role"
    );
    assert!(clues[1].says.contains("`p000`"), "{}", clues[1].says);
}

#[test]
fn of_a_name_that_thousands_share_a_few_stand_for_all() {
    let mut people = People::default();
    for n in 0..3_000 {
        let person = Person {
            source: HR,
            source_name: "hr".to_owned(),
            id: format!("q{n:04}"),
            kind: IdentityKind::Person,
            display_name: Some("Service Desk".to_owned()),
            state: OwnerState::Present,
            manager_id: None,
        };
        people.add(person, vec![Key::FullName("service desk".to_owned())]);
    }
    people.settle();
    let fact = credential("", "used by Service Desk", &[]);
    let found = ranked(&clues(&Subject::of_credential(HR, &fact)), &people);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].owner, found[0].candidates.len()), (None, 50));
    let basis = found[0].basis();
    assert!(
        basis.contains("which 3000 people fit: hr:q0000, "),
        "{basis}"
    );
    assert!(basis.ends_with("hr:q0009 and 2990 more"), "{basis}");
}
