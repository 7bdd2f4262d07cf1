//! kill -9 while a real directory and a real vault are read, for the first time and again after
//! much has changed there: what is gone on the server is gone here only once a read of that kind
//! has come to its end, whether it went on where it was cut off or began anew.

use crate::answers::Answers;
use crate::estate::PLAN;
use crate::matrix::Outcome;
use crate::phases::{Changes, Phase, copy, empty_room, run, text};
use crate::sweep::{Part, sweep_all};
use lastkey_contract::Settings;
use lastkey_tests::labs::{Extras, OpenBao, Seed, Slapd};
use lastkey_tests::window::Room;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

const PEOPLE: u32 = 120;
const GROUPS: u32 = 15;
/// Small, so that a kind has many pages.
const PAGE: &str = "page=16";

fn person_dn(n: u32) -> String {
    format!("uid=u{n},ou=people,{}", Slapd::BASE)
}

fn group_dn(n: u32) -> String {
    format!("cn=g{n},ou=groups,{}", Slapd::BASE)
}

/// Who is in a group: eight people and, but for the first ones, another group.
fn members(group: u32) -> Vec<String> {
    let people = (0..8).map(|k| person_dn((group * 7 + k * 11) % PEOPLE));
    let inner = group.checked_sub(5).map(group_dn);
    people.chain(inner).collect()
}

fn person(n: u32) -> String {
    format!(
        "dn: {}\nobjectClass: inetOrgPerson\nuid: u{n}\ncn: Persön {n}\nsn: {n}\n\
         entryUUID: 00000000-0000-4000-8000-{n:012}\nemployeeNumber: p{n}\nmail: u{n}@example.org\n\
         createTimestamp: 20250101000000Z\npwdChangedTime: 20251224000000Z\nuserPassword: kept-by-slapd-{n}\n\n",
        person_dn(n)
    )
}

fn company() -> String {
    let mut ldif: String = (0..PEOPLE).map(person).collect();
    for n in 0..GROUPS {
        let members = members(n);
        writeln!(
            ldif,
            "dn: {}\nobjectClass: groupOfNames\ncn: g{n}\nentryUUID: 00000000-0000-4000-8001-{n:012}\nmember: {}\n",
            group_dn(n),
            members.join("\nmember: ")
        )
        .unwrap();
    }
    ldif
}

/// People leave, with their memberships; somebody comes, mails change, a group goes.
fn what_changes() -> String {
    let mut ldif = String::new();
    let leavers: Vec<String> = (0..6).map(|n| person_dn(n * 17 + 3)).collect();
    for group in 0..GROUPS {
        for gone in members(group).iter().filter(|m| leavers.contains(m)) {
            writeln!(
                ldif,
                "dn: {}\nchangetype: modify\ndelete: member\nmember: {gone}\n",
                group_dn(group)
            )
            .unwrap();
        }
    }
    for gone in leavers.iter().chain([&group_dn(GROUPS - 1)]) {
        writeln!(ldif, "dn: {gone}\nchangetype: delete\n").unwrap();
    }
    for n in [1, 2, 30, 31, 90] {
        writeln!(
            ldif,
            "dn: {}\nchangetype: modify\nreplace: mail\nmail: new{n}@example.org\n",
            person_dn(n)
        )
        .unwrap();
    }
    for n in PEOPLE..PEOPLE + 3 {
        writeln!(
            ldif,
            "dn: {0}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: u{n}\ncn: u{n}\nsn: {n}\nemployeeNumber: p{n}\n\n\
             dn: {1}\nchangetype: modify\nadd: member\nmember: {0}\n",
            person_dn(n),
            group_dn(n % 7)
        )
        .unwrap();
    }
    ldif
}

/// A store that knows who there is, and a plan for the system; the source under test is not read.
fn room(system: &str, kind: &str, settings: &[(&str, &str)], secret: &str) -> Room {
    let room = empty_room();
    let roster = room.path("roster");
    std::fs::create_dir(&roster).unwrap();
    let mut people = "id,kind,display_name,status\n".to_owned();
    for n in 0..PEOPLE / 4 {
        writeln!(people, "p{n},person,Persön {n},active").unwrap();
    }
    std::fs::write(roster.join("identities.csv"), people).unwrap();
    run(&room, 0, &["import", &text(&roster), "--as", "hr"]);
    std::fs::write(room.path("plan.toml"), PLAN.replace("corp", system)).unwrap();
    run(&room, 0, &["plan", "load", &text(&room.path("plan.toml"))]);
    std::fs::write(room.path("secret"), secret).unwrap();
    let system = format!("system={system}");
    let mut add = vec!["source", "add", kind, "it", "--secret-file", "secret"];
    add.extend(["--set", &system, "--set", PAGE]);
    let pairs: Vec<String> = settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
    for pair in &pairs {
        add.extend(["--set", pair]);
    }
    run(&room, 0, &add);
    run(&room, 0, &["source", "check", "it"]);
    room
}

/// The same room after a first whole read.
fn read_once(room: &Room) -> Room {
    let read = copy(room);
    run(&read, 0, &["sync", "it"]);
    read
}

#[test]
fn cut_off_while_it_reads_a_directory() {
    let lab = Slapd::start_with(
        Seed {
            ldif: company(),
            size_limit: None,
        },
        Extras {
            database: "overlay syncprov\nsyncprov-sessionlog 1000\n",
            ..Extras::default()
        },
    );
    let (url, ca) = (lab.ldaps_url(), text(&lab.ca_path()));
    let settings = [
        ("url", url.as_str()),
        ("base_dn", Slapd::BASE),
        ("bind_dn", Slapd::READER_DN),
        ("ca_file", &ca),
    ];
    let fresh = room("corp-ldap", "ldap", &settings, Slapd::READER_PASSWORD);
    let read = read_once(&fresh);
    lab.modify(&what_changes());
    let sync = ["sync", "it"];
    let phases = [
        Phase::new("first read of a directory", Changes::Facts, fresh, &sync),
        Phase::new("read a directory's changes", Changes::Facts, read, &sync),
    ];
    only_changes_were_read(&phases[1]);
    let written = lab.writes();
    let matrix = sweep_all(&phases, Part::Directory);
    matrix.print("Killed with SIGKILL over LDAPS, and what the store showed:");
    assert!(
        matrix.of(Outcome::Interrupted) > 0,
        "no kill met a read in the middle"
    );
    assert_eq!(lab.writes(), written, "whoever reads writes nothing");
}

/// The undisturbed read asked for changes alone, and heard of deletions; memberships are read in
/// full then, because nobody tells which groups named who is gone.
fn only_changes_were_read(phase: &Phase) {
    let sources = Answers::of(&phase.after.room).sources();
    let it = sources.iter().find(|row| row["name"] == "it").unwrap();
    for kind in it["kinds"].as_array().unwrap() {
        let mode = match kind["kind"].as_str() {
            Some("grant") => "full",
            _ => "incremental",
        };
        assert_eq!(kind["mode"], mode, "{kind:#}");
        let removed = kind["totals"]["removed"].as_u64().unwrap();
        assert!(removed > 0, "{kind:#}");
    }
}

/// Secrets that many may read, users in groups, tokens; and a user that reads it all.
fn vault() -> Option<OpenBao> {
    let lab = OpenBao::start_or_not_run("kills while a vault is read")?;
    let kv = json!({ "type": "kv", "options": { "version": "2" } });
    lab.write("sys/mounts/secret", kv);
    lab.write("sys/auth/userpass", json!({ "type": "userpass" }));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    // A store of the second version upgrades itself in its first moments.
    let config =
        |lab: &OpenBao| lab.ask(lab.root_token(), "", "GET", "secret/config", &Value::Null);
    while config(&lab).status >= 300 {
        assert!(std::time::Instant::now() < deadline, "`secret` comes up");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    for n in 0..50 {
        secret(&lab, n);
    }
    for team in 0..6 {
        let policy = format!(
            "path \"secret/data/team{team}/*\" {{ capabilities = [\"read\"] }}\n\
             path \"secret/data/team{}/k{team}\" {{ capabilities = [\"read\", \"update\"] }}",
            (team + 1) % 5
        );
        let path = format!("sys/policies/acl/team{team}");
        lab.root("PUT", &path, json!({ "policy": policy }));
    }
    for n in 0..12 {
        let policies = json!([format!("team{}", n % 6)]);
        token(&lab, &format!("job{n}"), &policies);
        let entity = json!({ "name": format!("p{n}"), "policies": policies });
        let made = lab.write("identity/entity", entity);
        if n % 3 == 0 {
            let group = json!({ "name": format!("group{n}"), "policies": [format!("team{}", (n + 1) % 6)], "member_entity_ids": [made["data"]["id"]] });
            lab.write("identity/group", group);
        }
    }
    let settings = Settings(BTreeMap::from([
        ("address".to_owned(), lab.url()),
        ("system".to_owned(), "corp-vault".to_owned()),
    ]));
    let reader = &lastkey_vault::scripts(&settings)[0].text;
    let policy = json!({ "policy": reader });
    lab.root("PUT", "sys/policies/acl/lastkey-reader", policy);
    let user = json!({ "password": READER_PASSWORD, "token_policies": ["lastkey-reader"], "token_no_default_policy": true, "token_type": "batch" });
    lab.write("auth/userpass/users/reader", user);
    Some(lab)
}

const READER_PASSWORD: &str = "reader-2718-canary";

fn secret(lab: &OpenBao, n: u32) {
    let path = format!("secret/data/team{}/k{n}", n % 5);
    lab.write(
        &path,
        json!({ "data": { "password": format!("value-{n}-canary") } }),
    );
}

fn token(lab: &OpenBao, name: &str, policies: &Value) {
    let body = json!({ "policies": policies, "display_name": name, "ttl": "48h" });
    lab.write("auth/token/create-orphan", body);
}

#[test]
fn cut_off_while_it_reads_a_vault() {
    let Some(lab) = vault() else { return };
    let (address, ca) = (lab.url(), text(&lab.ca_path()));
    let settings = [
        ("address", address.as_str()),
        ("auth", "userpass"),
        ("username", "reader"),
        ("ca_file", &ca),
    ];
    let fresh = room("corp-vault", "vault", &settings, READER_PASSWORD);
    let read = read_once(&fresh);
    // Secrets come, change and go for good; a policy goes with what it allowed.
    for n in 20..26 {
        secret(&lab, n);
    }
    for n in 50..54 {
        secret(&lab, n);
    }
    for n in 30..36 {
        let path = format!("secret/metadata/team{}/k{n}", n % 5);
        lab.root("DELETE", &path, json!({}));
    }
    lab.root("DELETE", "sys/policies/acl/team5", json!({}));
    lab.root("DELETE", "identity/entity/name/p7", json!({}));
    token(&lab, "late", &json!(["team1"]));
    let sync = ["sync", "it"];
    let phases = [
        Phase::new("first read of a vault", Changes::Facts, fresh, &sync),
        Phase::new("read a vault again, changed", Changes::Facts, read, &sync),
    ];
    let matrix = sweep_all(&phases, Part::Vault);
    matrix.print("Killed with SIGKILL over HTTPS, and what the store showed:");
    assert!(
        matrix.of(Outcome::Interrupted) > 0,
        "no kill met a read in the middle"
    );
}
