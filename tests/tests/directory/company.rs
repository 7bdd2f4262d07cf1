//! The company of these tests: four people, groups in groups, and the roster of the personnel office.

use lastkey_tests::desk::Desk;
use lastkey_tests::labs::{Seed, Slapd};
use serde_json::Value;

pub const PEOPLE: &str = "ou=people,dc=example,dc=org";
pub const GROUPS: &str = "ou=groups,dc=example,dc=org";

pub fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

pub fn person(uid: &str, n: u32, number: &str) -> String {
    format!(
        "dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
         entryUUID: {}\nemployeeNumber: {number}\nmail: {uid}@example.org\n\
         createTimestamp: 20250101000000Z\npwdChangedTime: 20251224000000Z\nuserPassword: kept-by-slapd-{n}\n\n",
        uuid(n)
    )
}

pub fn group(cn: &str, n: u32, members: &[&str]) -> String {
    let members: String = members.iter().map(|m| format!("member: {m}\n")).collect();
    format!(
        "dn: cn={cn},{GROUPS}\nobjectClass: groupOfNames\ncn: {cn}\nentryUUID: {}\n{members}\n",
        uuid(n)
    )
}

/// Ann is a member of ops, ops of admins, admins of all, and all of ops again.
pub fn ldif() -> String {
    let member = |uid: &str| format!("uid={uid},{PEOPLE}");
    let inner = |cn: &str| format!("cn={cn},{GROUPS}");
    [
        person("ann", 1, "0007"),
        person("bob", 2, "0008"),
        person("kim", 3, "0009"),
        person("zoe", 4, "0010"),
        group("ops", 101, &[&member("ann"), &inner("all")]),
        group("admins", 102, &[&inner("ops"), &member("bob")]),
        group("all", 103, &[&inner("admins")]),
        group("others", 104, &[&member("zoe")]),
    ]
    .concat()
}

/// The directory and a desk; nothing is added yet.
pub fn start() -> (Slapd, Desk) {
    let lab = Slapd::start(Seed {
        ldif: ldif(),
        size_limit: None,
    });
    (lab, Desk::new())
}

/// Adds the directory under an address, signed in as this.
pub fn add(desk: &Desk, name: &str, url: &str, ca: &std::path::Path, dn: &str, password: &str) {
    add_with(desk, name, url, ca, dn, password, &[]);
}

pub fn add_with(
    desk: &Desk,
    name: &str,
    url: &str,
    ca: &std::path::Path,
    dn: &str,
    password: &str,
    more: &[&str],
) {
    let secret = desk.write_secret(&format!("{name}.secret"), password);
    let mut arguments = vec![
        "source".to_owned(),
        "add".into(),
        "ldap".into(),
        name.into(),
    ];
    let mut set = |pair: String| arguments.extend(["--set".to_owned(), pair]);
    set(format!("url={url}"));
    if url.starts_with("ldap:") {
        set("starttls=true".to_owned());
    }
    set(format!("base_dn={}", Slapd::BASE));
    set("system=corp-ldap".to_owned());
    set(format!("bind_dn={dn}"));
    set(format!("ca_file={}", ca.display()));
    for pair in more {
        set((*pair).to_owned());
    }
    arguments.extend(["--secret-file".to_owned(), secret.clone()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    desk.expect(0, &arguments);
    std::fs::remove_file(secret).unwrap();
}

/// The roster, as the personnel office exports it.
pub fn import_roster(desk: &Desk) {
    let roster = desk.write(
        "roster.csv",
        "Personnel no.,Employee name,Unit,State,Last day\n\
         0007,Ann Archer,Operations,active,\n0008,Bob Berg,Operations,active,\n\
         0009,Kim Kern,Sales,active,\n0010,Zoë Zahn,Sales,active,\n",
    );
    desk.expect(
        0,
        &[
            "import",
            &roster,
            "--as",
            "hr",
            "--map",
            "id=Personnel no.,display_name=Employee name,department=Unit,status=State,end_date=Last day",
        ],
    );
}

/// Empty lists of everything that a directory does not tell, so that nothing is missing.
pub fn import_the_rest(desk: &Desk) {
    desk.write("rest/locations.csv", "system,path\n");
    desk.write(
        "rest/readers.csv",
        "system,path,principal_type,principal_id\n",
    );
    desk.write(
        "rest/controls.csv",
        "system,account_id,principal_type,principal_id,means\n",
    );
    desk.write(
        "rest/owners.csv",
        "object_type,system,object_id,owner_id,role\n",
    );
    let rest = desk.room.path("rest").display().to_string();
    desk.expect(0, &["import", &rest, "--as", "rest"]);
}

/// Closes accounts in the directory after an hour, within the limit of a day.
pub fn load_plan(desk: &Desk) {
    let plan = desk.write(
        "plan.toml",
        "[[step]]\non = \"leaver\"\nsystem = \"corp-ldap\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"1h\"\n\n\
         [[limit]]\non = \"leaver\"\nwithin = \"24h\"\n",
    );
    desk.expect(0, &["plan", "load", &plan]);
}

/// Everything read once, completely.
pub fn read_all(lab: &Slapd, desk: &Desk) {
    add(
        desk,
        "dir",
        &lab.ldaps_url(),
        &lab.ca_path(),
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
    );
    import_roster(desk);
    import_the_rest(desk);
    desk.expect(0, &["sync", "dir"]);
    load_plan(desk);
}

/// One rehearsed leaver.
pub fn rehearse(desk: &Desk, status: i32, identity: &str) -> Value {
    let out = desk.expect(
        status,
        &["rehearse", "leaver", "--identity", identity, "--json"],
    );
    serde_json::from_str(&out).unwrap()
}

pub fn missing(rehearsal: &Value) -> String {
    rehearsal["missing_facts"].to_string()
}

/// Names of accounts that count as there.
pub fn accounts(desk: &Desk) -> Vec<String> {
    let mut names: Vec<String> = desk
        .lines(0, &["accounts", "--where", "system=corp-ldap"])
        .iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The state of a source's latest read.
pub fn state(desk: &Desk, name: &str) -> String {
    let list = desk.lines(0, &["source", "list"]);
    let rows = list[0].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name).unwrap();
    row["state"].as_str().unwrap().to_owned()
}
