use super::many_tests::owners_of;
use super::*;
use chrono::{DateTime, Utc};
use lastkey_contract::When;
use lastkey_contract::facts::{
    Attributes, Credential, CredentialKind, Identity, IdentityKind, IdentityStatus, Location,
    ObjectType, OwnerRole,
};

pub(super) const HR: i64 = 1;
const VENDORS: i64 = 2;

fn now() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// Ann Smith and Bob Stone are there; two people are called Jan Novak; Leo left and Ann was his
/// manager; Ida left and had none; a workload and a person on leave.
fn people() -> People {
    let mut people = People::default();
    let rows = [
        (
            HR,
            "p1",
            "Ann Smith",
            "ann.smith@bank.example",
            OwnerState::Present,
            None,
        ),
        (
            HR,
            "p2",
            "Stone, Bob",
            "bob@bank.example",
            OwnerState::Present,
            Some("p1"),
        ),
        (
            HR,
            "p3",
            "Jan Novak",
            "jan.novak@bank.example",
            OwnerState::Present,
            None,
        ),
        (
            VENDORS,
            "v9",
            "Jan Novák",
            "novak@vendor.example",
            OwnerState::Present,
            None,
        ),
        (
            HR,
            "p4",
            "Leo Lang",
            "leo@bank.example",
            OwnerState::Left,
            Some("p1"),
        ),
        (
            HR,
            "p5",
            "Ida Moss",
            "ida@bank.example",
            OwnerState::Absent,
            None,
        ),
        (
            HR,
            "p6",
            "Una Vale",
            "una@bank.example",
            OwnerState::OnLeave,
            None,
        ),
        (
            HR,
            "jan.novak",
            "Jan Novak",
            "jn@bank.example",
            OwnerState::Present,
            None,
        ),
    ];
    for (source, id, name, mail, state, manager) in rows {
        let person = Person {
            source,
            source_name: match source {
                HR => "hr",
                _ => "vendors",
            }
            .to_owned(),
            id: id.to_owned(),
            kind: IdentityKind::Person,
            display_name: Some(name.to_owned()),
            state,
            manager_id: manager.map(str::to_owned),
        };
        let keys = Key::of(named(id, mail, name));
        people.add(person, keys);
    }
    let workload = Person {
        source: HR,
        source_name: "hr".to_owned(),
        id: "provisioning".to_owned(),
        kind: IdentityKind::Workload,
        display_name: None,
        state: OwnerState::Present,
        manager_id: None,
    };
    people.add(
        workload,
        Key::of(Named {
            email: None,
            display_name: None,
            ..named("provisioning", "", "")
        }),
    );
    people.add_login("corp", "X100", Some(1));
    people
}

fn named<'t>(id: &'t str, email: &'t str, display_name: &'t str) -> Named<'t> {
    Named {
        id,
        email: Some(email),
        display_name: Some(display_name),
    }
}

/// A credential with these columns and attributes.
pub(super) fn credential(created_by: &str, name: &str, attributes: &[(&str, &str)]) -> Credential {
    let mut credential = Credential::of("corp".into(), "k1", CredentialKind::ApiKey, "svc");
    credential.created_by = (!created_by.is_empty()).then(|| created_by.to_owned());
    credential.name = (!name.is_empty()).then(|| name.to_owned());
    credential.attributes = attributes
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    credential
}

/// `strength role owner`, or `ambiguous role a, b`, in order.
fn lines(clues: &[Clue]) -> Vec<String> {
    let people = people();
    let id = |n: &usize| people.at(*n).unwrap().id.clone();
    ranked(clues, &people)
        .iter()
        .map(|s| {
            let who = match s.owner {
                Some(owner) => id(&owner),
                None => s.candidates.iter().map(id).collect::<Vec<_>>().join(", "),
            };
            format!("{} {} {who}", s.strength.word(), s.role)
        })
        .collect()
}

#[track_caller]
fn check_credential(fact: &Credential, wanted: &[&str]) {
    let subject = Subject::of_credential(HR, fact);
    assert_eq!(lines(&clues(&subject)), wanted, "{fact:?}");
}

#[track_caller]
fn check_path(path: &str, wanted: &[&str]) {
    let fact = Location {
        system: "vault".into(),
        path: path.into(),
        credential_system: None,
        credential_id: None,
        kind: None,
        environment: None,
        fingerprint: None,
        last_rotated_at: None,
        attributes: Attributes::new(),
    };
    let clues: Vec<Clue> = clues(&Subject::of_location(HR, &fact));
    assert_eq!(lines(&clues), wanted, "{path}");
}

#[test]
fn a_creator_is_likely_and_one_who_left_hands_on_to_the_manager() {
    for (created_by, wanted) in [
        ("p1", &["likely technical p1"][..]),
        ("Ann.Smith@BANK.example", &["likely technical p1"]),
        ("bob", &["likely technical p2"]),
        ("x100", &["likely technical p2"]),
        ("CN=Ann Smith,OU=People,DC=bank", &["likely technical p1"]),
        ("uid=bob,ou=people,dc=bank", &["likely technical p2"]),
        ("una", &["likely technical p6"]),
        ("leo", &["weak technical p1"]),
        ("ida", &[]),
        ("provisioning", &[]),
        ("terraform", &[]),
        ("", &[]),
    ] {
        check_credential(&credential(created_by, "", &[]), wanted);
    }
    check_credential(
        &credential("", "", &[("tags.Creator", "bob")]),
        &["likely technical p2"],
    );
}

#[test]
fn tags_name_the_role_and_a_full_name_is_less_than_an_address() {
    for (attributes, wanted) in [
        (
            &[("owner", "ann.smith@bank.example")][..],
            &["strong technical p1"][..],
        ),
        (&[("custom.Owner", "bob")], &["strong technical p2"]),
        (&[("Owner", "Smith, Ann")], &["likely technical p1"]),
        (&[("Business-Owner", "p1")], &["strong business p1"]),
        (&[("sponsor", "bob")], &["strong sponsor p2"]),
        (&[("custodian", "bob")], &["strong custodian p2"]),
        (
            &[("managedBy", "CN=Bob Stone,OU=IT,DC=bank")],
            &["likely technical p2"],
        ),
        (
            &[("contact", "bob@bank.example; ann.smith@bank.example")],
            &["strong technical p1", "strong technical p2"],
        ),
        (&[("cost_owner_code", "bob")], &[]),
        (&[("owner", "")], &[]),
    ] {
        check_credential(&credential("", "", attributes), wanted);
    }
}

#[test]
fn descriptions_name_people_and_addresses() {
    for (text, wanted) in [
        ("key of Ann Smith", &["weak technical p1"][..]),
        ("svc-ann-smith-backup", &["weak technical p1"]),
        ("ask bob@bank.example.", &["likely technical p2"]),
        ("owner: bob, until May", &["likely technical p2"]),
        ("Contact=p1", &["likely technical p1"]),
        ("annsmith backup key", &[]),
        ("stone bob", &[]),
    ] {
        check_credential(&credential("", text, &[]), wanted);
        let described = credential("", "", &[("description", text)]);
        check_credential(&described, wanted);
    }
    let endless = "Ann Smith ".repeat(500);
    check_credential(&credential("", &endless, &[]), &[]);
}

#[test]
fn two_people_with_one_name_are_both_said_and_none_is_suggested() {
    check_credential(
        &credential("", "used by Jan Novak", &[]),
        &["ambiguous technical jan.novak, p3"],
    );
    // An id and another's address without its domain are one login.
    check_credential(
        &credential("jan.novak", "", &[]),
        &["ambiguous technical jan.novak, p3"],
    );
    let fact = credential("", "used by Jan Novak", &[]);
    let found = ranked(&clues(&Subject::of_credential(HR, &fact)), &people());
    assert_eq!(
        found[0].basis(),
        "`name` names `jan novak`, which 2 people fit: hr:jan.novak, hr:p3"
    );
    // Another fact decides between them, and then two agree.
    check_credential(
        &credential("jan.novak@bank.example", "used by Jan Novak", &[]),
        &["likely technical p3"],
    );
}

#[test]
fn facts_that_agree_count_more_and_the_best_stands_first() {
    check_credential(
        &credential("bob", "of Bob Stone", &[("modified_by", "p1")]),
        &["strong technical p2", "likely technical p1"],
    );
    let fact = credential("leo", "", &[("owner", "una@bank.example")]);
    let found = ranked(&clues(&Subject::of_credential(HR, &fact)), &people());
    let basis: Vec<String> = found.iter().map(Suggestion::basis).collect();
    assert_eq!(
        basis,
        [
            "attribute `owner` says `una@bank.example`, which is p6 (Una Vale), who is on leave",
            "created by `leo`, which is p4 (Leo Lang), who left; p1 (Ann Smith) was the manager",
        ]
    );
    assert_eq!(found[0].reasons[0].fact, "credential corp:k1");
}

#[test]
fn whoever_wrote_or_used_it_last_is_likely() {
    for (name, value) in [
        ("last_writer", "bob"),
        ("metadata/updated_by", "bob@bank.example"),
        ("modifiersName", "uid=bob,ou=people,dc=bank"),
        ("lastInteractiveUser", "x100"),
    ] {
        check_credential(
            &credential("", "", &[(name, value)]),
            &["likely technical p2"],
        );
    }
    check_credential(&credential("", "", &[("last_rotated", "bob")]), &[]);
}

#[test]
fn a_persons_folder_names_its_person() {
    for (path, wanted) in [
        ("home/bob/api-key", &["likely technical p2"][..]),
        ("kv/users/p1/token", &["likely technical p1"]),
        ("~ann.smith/.aws/credentials", &["likely technical p1"]),
        ("shared/bob@bank.example/key", &["weak technical p2"]),
        ("kv/prod/bob/db", &[]),
        ("kv/home", &[]),
        ("", &[]),
    ] {
        check_path(path, wanted);
    }
}

#[test]
fn a_registry_names_the_manager_of_a_workload() {
    let mut fact = Identity {
        id: "wl-1".into(),
        kind: IdentityKind::Workload,
        display_name: None,
        email: None,
        status: None,
        department: None,
        title: None,
        manager_id: Some("p2".into()),
        employer_id: None,
        location: None,
        start_date: None,
        end_date: None,
        leaver_kind: None,
        purpose: Some("statements; ask Ann Smith".to_owned()),
        allowed_tools: None,
        attributes: Attributes::new(),
    };
    let wanted = ["likely business p2", "weak technical p1"];
    assert_eq!(lines(&clues(&Subject::of_identity(HR, &fact))), wanted);
    fact.manager_id = Some("hr:p4".into());
    let wanted = ["weak business p1", "weak technical p1"];
    assert_eq!(lines(&clues(&Subject::of_identity(HR, &fact))), wanted);
}

#[test]
fn an_owner_who_left_hands_on_and_a_technical_owner_has_a_manager_who_answers() {
    let people = people();
    let line = |id: &'static str, role| {
        let found = people.referred(id, HR);
        let person = found.first().and_then(|n| people.at(*n));
        Own {
            source: HR,
            owner_id: id,
            role,
            state: person.map_or(OwnerState::Unknown, |p| p.state),
            person,
        }
    };
    use OwnerRole::*;
    for (own, wanted) in [
        (vec![line("p4", Technical)], &["likely technical p1"][..]),
        (vec![line("p4", Technical), line("p3", Technical)], &[]),
        (vec![line("p5", Business)], &[]),
        (vec![line("p99", Business)], &[]),
        (vec![line("p2", Technical)], &["weak business p1"]),
        (vec![line("p2", Technical), line("p3", Business)], &[]),
        (
            vec![line("p2", Technical), line("p4", Business)],
            &["likely business p1"],
        ),
        (vec![line("p4", Custodian)], &[]),
    ] {
        let clues = own_clues("identity wl-1", &own);
        assert_eq!(lines(&clues), wanted, "{own:?}");
    }
}

#[test]
fn owners_of_siblings_keep_their_role_and_custodians_pass_nothing_on() {
    for (relation, owner, role, wanted) in [
        (
            Relation::ItsAccount,
            "p1",
            OwnerRole::Business,
            "strong business p1",
        ),
        (
            Relation::ItsIdentity,
            "hr:p2",
            OwnerRole::Technical,
            "strong technical p2",
        ),
        (
            Relation::SameAccount,
            "p2",
            OwnerRole::Technical,
            "likely technical p2",
        ),
        (
            Relation::ItsPlace,
            "p2",
            OwnerRole::Sponsor,
            "likely sponsor p2",
        ),
        (
            Relation::ItsAccount,
            "p4",
            OwnerRole::Technical,
            "likely technical p1",
        ),
    ] {
        let clues = owners_of([(7, "account corp:svc", owner, role)]).clues(relation, 1, &[]);
        assert_eq!(lines(&clues), [wanted], "{relation:?}");
    }
    let knows = owners_of([(7, "credential corp:k", "p1", OwnerRole::Custodian)]);
    assert!(knows.clues(Relation::SameAccount, 1, &[]).is_empty());
}

#[test]
fn a_team_is_its_owner_or_its_only_member_or_the_manager_of_most() {
    let named = Clue {
        rule: Rule::Team,
        role: OwnerRole::Technical,
        strength: Strength::Likely,
        pointer: Pointer::Team("payments".to_owned()),
        says: "it stands in the folder `payments`".to_owned(),
        fact: "location vault:kv/payments/db".to_owned(),
    };
    let team = |owners: &[(&str, OwnerRole)], members: &[usize]| Team {
        words: "code:team-payments".to_owned(),
        owners: owners
            .iter()
            .map(|(id, role)| (HR, (*id).to_owned(), *role))
            .collect(),
        members: members.to_vec(),
    };
    for (team, wanted) in [
        (
            team(&[("p2", OwnerRole::Business)], &[0]),
            &["likely business p2"][..],
        ),
        (team(&[("p2", OwnerRole::Custodian)], &[0]), &[]),
        (team(&[], &[1]), &["likely technical p2"]),
        // Bob and Leo have one manager; with Jan and Una it is no more than half.
        (team(&[], &[1, 4, 2]), &["weak business p1"]),
        (team(&[], &[1, 4, 2, 6]), &[]),
        (team(&[], &[]), &[]),
    ] {
        let clues = team_clues(&named, &team, &people());
        assert_eq!(lines(&clues), wanted, "{team:?}");
    }
}

#[test]
fn only_those_that_a_clue_asks_for_are_kept() {
    let mut wanted = Wanted::default();
    let fact = credential("bob", "for Ann Smith", &[("owner", "x@y.example")]);
    for clue in clues(&Subject::of_credential(HR, &fact)) {
        wanted.clue(&clue);
    }
    wanted.identity("vendors:v9");
    for (id, mail, name, kept) in [
        ("p2", "bob@bank.example", "Bob Stone", true),
        ("p7", "a@bank.example", "Ann B. Smith", true),
        ("p8", "X@Y.example", "Nobody Here", true),
        ("v9", "n@vendor.example", "Some One", true),
        ("p9", "z@bank.example", "Ann Smithson", false),
    ] {
        assert_eq!(wanted.asks_for(named(id, mail, name)), kept, "{id}");
    }
}

#[test]
fn whether_an_owner_is_there() {
    let end = |text: &str| Some(When::At(text.parse().unwrap()));
    use IdentityStatus::*;
    for (status, end_date, wanted) in [
        (Some(Active), None, OwnerState::Present),
        (None, None, OwnerState::Present),
        (Some(OnLeave), None, OwnerState::OnLeave),
        (Some(Pending), None, OwnerState::NotYet),
        (
            Some(Inactive),
            end("2027-01-01T00:00:00Z"),
            OwnerState::Left,
        ),
        (Some(Active), end("2026-06-01T00:00:00Z"), OwnerState::Ended),
        (
            Some(Active),
            end("2026-06-01T00:00:01Z"),
            OwnerState::Present,
        ),
        (
            Some(OnLeave),
            end("2026-01-01T00:00:00Z"),
            OwnerState::Ended,
        ),
    ] {
        assert_eq!(
            OwnerState::of(status, end_date, now()),
            wanted,
            "{status:?} {end_date:?}"
        );
    }
}

#[test]
fn what_owner_lines_amount_to() {
    use OwnerRole::*;
    use OwnerState::*;
    for (lines, wanted) in [
        (
            &[(Business, Left), (Technical, Present)][..],
            Standing::Owned,
        ),
        (
            &[(Business, Left), (Technical, OnLeave)],
            Standing::OwnerAway,
        ),
        (
            &[(Business, Ended), (Technical, Unknown)],
            Standing::OwnerLeft,
        ),
        (&[(Business, Unknown)], Standing::OwnerUnknown),
        (&[(Custodian, Present)], Standing::NoOwner),
        (&[], Standing::NoOwner),
    ] {
        assert_eq!(standing(lines.iter().copied()), wanted, "{lines:?}");
    }
}

#[test]
fn objects_are_named_in_one_way() {
    for (text, kind, system, id) in [
        ("account:corp:svc", ObjectType::Account, "corp", "svc"),
        ("credential corp:a:b", ObjectType::Credential, "corp", "a:b"),
        ("location:vault:kv/a", ObjectType::Location, "vault", "kv/a"),
        ("identity:wl-1", ObjectType::Identity, "", "wl-1"),
        ("identity:hr:wl-1", ObjectType::Identity, "", "hr:wl-1"),
    ] {
        let object = ObjectName::parse(text).unwrap();
        assert_eq!(object, ObjectName::new(kind, system, id));
        assert_eq!(object.argument(), text.replacen(' ', ":", 1));
    }
    for wrong in [
        "",
        "account",
        "account:corp",
        "account::x",
        "grant:a:b",
        "identity:",
    ] {
        assert_eq!(ObjectName::parse(wrong), None, "{wrong}");
    }
}
