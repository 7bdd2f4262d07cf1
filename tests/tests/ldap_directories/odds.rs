//! What a directory can do to a read without meaning harm: limits, values that are no text, a
//! restart in the middle. Each is told, and nothing is lost in silence.

use crate::harness::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lastkey_contract::{ErrorKind, Fact, Kind, NoteKind, PageRequest};
use lastkey_tests::labs::{Extras, Seed, Slapd};

fn people(make: Make, count: u32) -> String {
    (1..=count)
        .map(|n| person(make, &format!("uid=u{n}"), &format!("u{n}"), n, ""))
        .collect()
}

#[test]
fn a_base_that_does_not_exist_is_no_empty_directory() {
    for make in Make::BOTH {
        let lab = Lab::start(make, &people(make, 1));
        for base in ["ou=nowhere,dc=example,dc=org", "dc=nowhere"] {
            let c = lab.reader(&[("base_dn", base)]);
            let checked = run(c.check()).unwrap_err();
            let read = try_read(c.as_ref(), (Kind::Account, 100), None).unwrap_err();
            for error in [checked, read] {
                assert_eq!(error.kind, ErrorKind::ConfigInvalid, "{make:?}: {error}");
                assert!(error.message.contains("base"), "{make:?} `{base}`: {error}");
            }
        }
    }
}

#[test]
fn an_answer_that_a_time_limit_cut_is_noted() {
    let make = Make::OpenLdap;
    let seed = Seed {
        ldif: people(make, 3),
        size_limit: None,
    };
    // every operation begins two seconds late, and may take one
    let slow = Extras {
        global: "moduleload retcode\ntimelimit 1\n",
        database: "overlay retcode\nretcode-parent \"ou=codes,dc=example,dc=org\"\nretcode-sleep 2\n",
        ..Extras::default()
    };
    let lab = Lab::OpenLdap(Slapd::start_with(seed, slow));
    let pages = read(lab.reader(&[]).as_ref(), Kind::Account);
    assert!(facts(&pages).len() < 3, "{pages:?}");
    let clipped = notes(&pages, NoteKind::Clipped);
    assert!(
        clipped
            .iter()
            .any(|n| n.reason.contains("cut its answer at its time limit")),
        "{clipped:?}"
    );
    assert!(pages.iter().all(|p| p.watermark.is_none()), "{pages:?}");
}

/// 389 DS gives up after so many candidates, and counts them anew for an answer in pages.
#[test]
fn an_answer_that_an_administrative_limit_cut_is_noted() {
    let make = Make::Ds389;
    let lab = Lab::start(make, &people(make, 20));
    for name in ["lookthroughlimit", "pagedlookthroughlimit"] {
        lab.modify(&format!(
            "dn: cn=config,cn=ldbm database,cn=plugins,cn=config\nchangetype: modify\nreplace: nsslapd-{name}\nnsslapd-{name}: 5\n"
        ));
    }
    for kind in [Kind::Account, Kind::Credential] {
        let pages = read(lab.reader(&[]).as_ref(), kind);
        assert!(facts(&pages).len() < 20, "{kind}: {pages:?}");
        let clipped = notes(&pages, NoteKind::Clipped);
        let told = clipped
            .iter()
            .any(|n| n.reason.contains("an administrative limit"));
        assert!(told, "{kind}: {clipped:?}");
    }
}

/// The people stay below the limit, and the aliases do not: the one that points elsewhere is the
/// last.
#[test]
fn aliases_that_a_limit_hid_are_told() {
    let make = Make::OpenLdap;
    let mut ldif = people(make, 2);
    let inside = (1..=6).map(|n| (format!("in{n}"), format!("uid=u1,{PEOPLE}")));
    let outside = ("out".to_owned(), "uid=u1,dc=elsewhere".to_owned());
    for (name, target) in inside.chain([outside]) {
        ldif += &format!(
            "dn: cn={name},{GROUPS}\nobjectClass: alias\nobjectClass: extensibleObject\ncn: {name}\naliasedObjectName: {target}\n\n"
        );
    }
    let lab = Lab::start_limited(make, &ldif, Some(5));
    let pages = read(lab.reader(&[]).as_ref(), Kind::Account);
    assert_eq!(facts(&pages).len(), 2, "no limit met the people");
    let clipped = notes(&pages, NoteKind::Clipped);
    assert_eq!(clipped.len(), 1, "{clipped:?}");
    assert!(
        clipped[0].reason.contains("aliases at its size limit"),
        "{clipped:?}"
    );
}

/// `ssh-ed25519 … Zo\xeb`, in base64 as LDIF has it: the comment is Latin-1.
fn key_of_old() -> String {
    let mut line =
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkzS2tpjQtA4w7mb3Ud0xW0Yv4o2Ih0bDgUbyTZTi7o Zo"
            .to_vec();
    line.push(0xeb);
    STANDARD.encode(line)
}

#[test]
fn a_key_whose_comment_is_no_text_is_still_a_key() {
    for make in Make::BOTH {
        let more = format!(
            "objectClass: ldapPublicKey\nsshPublicKey:: {}\n",
            key_of_old()
        );
        let lab = Lab::start(make, &person(make, "uid=zoe", "zoe", 1, &more));
        let pages = read(lab.reader(&[]).as_ref(), Kind::Credential);
        let keys: Vec<_> = facts(&pages)
            .into_iter()
            .filter_map(|fact| match fact {
                Fact::Credential(c) => c.attributes.get("comment").cloned(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(keys, ["Zo\u{fffd}"], "{make:?}");
        assert!(notes(&pages, NoteKind::Clipped).is_empty(), "{pages:?}");
    }
}

/// As an old directory holds them, from before servers looked at what they take; OpenLDAP cannot be
/// told to take them.
#[test]
fn values_that_are_no_text_are_left_out_and_noted() {
    let make = Make::Ds389;
    let lab = Lab::start(make, &people(make, 1));
    lab.modify("dn: cn=config\nchangetype: modify\nreplace: nsslapd-syntaxcheck\nnsslapd-syntaxcheck: off\n");
    // `Zo\xeb`
    lab.modify(&format!(
        "dn: uid=zoe,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: zoe\ncn: zoe\nsn: zoe\ndisplayName:: Wm/r\n\n\
         dn: cn=unix,{GROUPS}\nchangetype: add\nobjectClass: posixGroup\ncn: unix\ngidNumber: 500\nmemberUid: u1\nmemberUid:: Wm/r\n"
    ));
    for (kind, count, example) in [(Kind::Account, 2, "uid=zoe"), (Kind::Grant, 1, "cn=unix")] {
        let pages = read(lab.reader(&[]).as_ref(), kind);
        assert_eq!(facts(&pages).len(), count, "{kind}: {pages:?}");
        let clipped = notes(&pages, NoteKind::Clipped);
        assert_eq!((clipped.len(), clipped[0].count), (1, 1), "{clipped:?}");
        assert!(clipped[0].reason.contains("not UTF-8"), "{clipped:?}");
        assert!(clipped[0].examples[0].contains(example), "{clipped:?}");
    }
}

#[test]
fn a_restart_in_the_middle_ends_the_read_and_declares_its_place_lost() {
    for make in Make::BOTH {
        let mut lab = Lab::start(make, &people(make, 20));
        let c = lab.reader(&[]);
        let ask = |cursor| PageRequest {
            cursor,
            limit: 2,
            since: None,
        };
        run(async {
            let mut session = c.connect().await.unwrap();
            let first = session.read_page(Kind::Account, ask(None)).await.unwrap();
            lab.restart();
            let mut place = first.next;
            let mut read = first.records.len();
            // what was read ahead may still come
            let error = loop {
                assert!(place.is_some(), "{make:?}: it ended as if whole");
                match session.read_page(Kind::Account, ask(place.clone())).await {
                    Ok(page) => {
                        read += page.records.len();
                        place = page.next;
                    }
                    Err(error) => break error,
                }
            };
            assert!(read < 20, "{make:?}: {read}");
            assert_eq!(error.kind, ErrorKind::Unavailable, "{make:?}: {error}");
            assert!(error.hint.is_some(), "{error:?}");
            let mut again = c.connect().await.unwrap();
            let lost = again
                .read_page(Kind::Account, ask(place))
                .await
                .unwrap_err();
            assert_eq!(lost.kind, ErrorKind::CursorLost, "{make:?}: {lost}");
        });
        let pages = read(c.as_ref(), Kind::Account);
        assert_eq!(facts(&pages).len(), 20, "{make:?}");
    }
}
