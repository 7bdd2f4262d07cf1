//! Owners from the command line: suggested, previewed, confirmed, edited in a file, taken back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_engine::views::ListQuery;
use lastkey_tests::desk::Desk;
use lastkey_workbench::{KeySource, OpenOptions, OwnerLists, WhenMissing, Workbench};
use serde_json::Value;

/// A person, one who left, a service account with two keys, and who made them.
fn desk() -> Desk {
    let desk = Desk::new();
    let folder = desk.room.path("flat");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in [
        (
            "identities.csv",
            "id,kind,display_name,email,status,manager_id\n\
             p1,person,Ann Smith,ann@bank.example,active,\n\
             p2,person,Bob Stone,bob@bank.example,inactive,p1\n",
        ),
        ("accounts.csv", "system,id,kind\ncorp,svc,service\n"),
        (
            "credentials.csv",
            "system,id,kind,account_id,created_by\n\
             corp,k1,api_key,svc,ann\ncorp,k2,api_key,svc,bob\n",
        ),
        (
            "owners.csv",
            "object_type,system,object_id,owner_id,role\naccount,corp,svc,p2,technical\n",
        ),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    desk.expect(
        0,
        &["import", &folder.display().to_string(), "--as", "flat"],
    );
    desk
}

fn suggested(desk: &Desk) -> Vec<String> {
    let words = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    desk.lines(0, &["owner", "suggest"])
        .iter()
        .map(|row| {
            let [confidence, object, owner] =
                ["confidence", "object", "owner_id"].map(|key| words(row, key));
            format!("{confidence} {object} {owner}")
        })
        .collect()
}

/// The lines of the tables of confirmed owners and of decisions in a package made now.
fn exported(desk: &Desk) -> (Vec<String>, Vec<String>) {
    let package = desk.room.path("package.zip").display().to_string();
    let report = desk.lines(0, &["export", "--out", &package, "--replace"]);
    let signer = report[0]["signer"].as_str().unwrap();
    desk.expect(0, &["verify", &package, "--signer", signer]);
    let table = |name: &str| {
        let text = desk.in_package(&package, name);
        text.lines().skip(1).map(str::to_owned).collect()
    };
    (
        table("owners/confirmed.csv"),
        table("journal/decisions.csv"),
    )
}

#[test]
fn owners_are_suggested_previewed_confirmed_and_taken_back() {
    let desk = desk();
    let left = desk.lines(0, &["owners", "--where", "state=left"]);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["object_id"], "svc");
    let before = suggested(&desk);
    assert!(
        before.contains(&"strong credential:corp:k1 p1".to_owned()),
        "{before:?}"
    );

    let bulk = [
        "owner",
        "confirm",
        "--suggested",
        "--min-confidence",
        "likely",
    ];
    let preview = desk.expect(0, &bulk);
    assert!(preview.contains("nothing was confirmed yet"), "{preview}");
    assert_eq!(suggested(&desk), before);
    let wrong = [&bulk[..], &["--count", "77", "--why", " "]].concat();
    desk.trouble(2, &wrong, "--why");
    let wrong = [&bulk[..], &["--count", "77", "--why", "so"]].concat();
    desk.trouble(2, &wrong, "such suggestions, not 77");
    let preview = desk.lines(0, &bulk);
    let count = preview[0]["confirmed"].to_string();
    let kept = [&bulk[..], &["--count", &count, "--why", "the review"]].concat();
    let kept = desk.lines(0, &kept);
    assert_eq!(kept[0]["done"], true);
    let attested = desk.lines(0, &["owners", "--where", "basis=attested"]);
    assert_eq!(attested.len().to_string(), count);
    assert!(attested.iter().all(|row| row["why"] == "the review"));
    let reject = ["owner", "reject", "credential:corp:k2", "--owner", "p1"];
    desk.trouble(2, &[&reject[..], &["--role", "sponsor"]].concat(), "--why");
    let role = ["--role", "sponsor", "--why", "asked her"];
    desk.expect(0, &[&reject[..], &role].concat());
    let (owners, decisions) = exported(&desk);
    assert_eq!(owners.len().to_string(), count);
    for line in &owners {
        assert!(line.contains(",flat:p1,"), "{line}");
        assert!(line.contains(",attested,present,20"), "{line}");
        assert!(line.contains(",the review,"), "{line}");
    }
    assert!(
        decisions
            .iter()
            .any(|line| line.contains(",rejected,credential:corp:k2,flat:p1,sponsor,"))
    );
    let batch = kept[0]["batch"].to_string();
    let undo = ["owner", "undo", "--batch", &batch, "--why", "a mistake"];
    desk.expect(0, &undo);
    assert_eq!(suggested(&desk), before);
    let (owners, decisions) = exported(&desk);
    assert!(owners.is_empty(), "{owners:?}");
    assert!(decisions.iter().any(|line| line.contains(",undone,")));
    desk.trouble(2, &undo, "nothing to undo");
}

#[test]
fn an_owner_who_leaves_and_one_who_follows_show_after_the_sync_that_says_so() {
    let desk = desk();
    let people = |bob: &str| {
        format!(
            "id,kind,display_name,email,status,manager_id\n\
             p1,person,Ann Smith,ann@bank.example,active,\n\
             p2,person,Bob Stone,bob@bank.example,{bob},p1\n"
        )
    };
    let owned_by = |owner: &str| {
        format!("object_type,system,object_id,owner_id,role\naccount,corp,svc,{owner},technical\n")
    };
    let shows = |people: String, owners: String| {
        desk.write("flat/identities.csv", people);
        desk.write("flat/owners.csv", owners);
        desk.expect(0, &["sync", "flat"]);
    };
    let standing = || {
        let rows = desk.lines(0, &["owner", "list", "--where", "object_id=svc"]);
        rows[0]["standing"].as_str().unwrap().to_owned()
    };
    let state = || {
        let rows = desk.lines(0, &["owners", "--where", "object_id=svc"]);
        rows[0]["state"].as_str().unwrap().to_owned()
    };
    let happened = |event: &str| desk.lines(0, &["events", "--where", &format!("event={event}")]);
    shows(people("active"), owned_by("p2"));
    assert_eq!(
        (standing(), state()),
        ("owned".to_owned(), "present".to_owned())
    );
    assert_eq!(happened("leaver").len(), 0);
    shows(people("inactive"), owned_by("p2"));
    assert_eq!(
        (standing(), state()),
        ("owner_left".to_owned(), "left".to_owned())
    );
    assert_eq!(happened("leaver")[0]["identity"], "p2");
    assert_eq!(happened("owner_change").len(), 0, "he is still named");
    // His manager is suggested, and confirmed: from now on both are named, and one is there.
    let confirm = ["owner", "confirm", "account:corp:svc", "--owner", "p1"];
    let role = ["--role", "technical", "--why", "asked him"];
    desk.expect(0, &[&confirm[..], &role].concat());
    assert_eq!(standing(), "owned");
    shows(people("inactive"), owned_by("p1"));
    let changes = happened("owner_change");
    assert_eq!(changes.len(), 2, "{changes:?}");
    let change = |n: usize| {
        let owner = &changes[n]["owner"];
        assert_eq!(owner["object"], "account:corp:svc");
        let names = |key: &str| owner[key].as_array().unwrap().len();
        (names("before"), names("after"), owner["by"].is_string())
    };
    assert_eq!(change(0), (1, 2, true), "{changes:?}");
    assert_eq!(change(1), (2, 1, false), "{changes:?}");
    let told = desk.expect(0, &["events", "--where", "event=owner_change"]);
    assert!(told.contains("technical: flat:p2 to"), "{told}");
}

#[test]
fn a_file_of_suggestions_is_edited_and_read_back() {
    let desk = desk();
    let file = desk.expect(0, &["owner", "suggest", "--csv", "--where", "object_id=k1"]);
    let edited = file.replace("\n,credential", "\nconfirm,credential");
    assert_ne!(file, edited);
    let path = desk.write("owners.csv", edited);
    let confirm = ["owner", "confirm", "--from", &path];
    desk.trouble(2, &confirm, "a decision needs a reason");
    desk.expect(0, &[&confirm[..], &["--why", "asked them"]].concat());
    let owned = desk.lines(0, &["owner", "list", "--where", "standing=owned"]);
    assert_eq!(owned.len(), 1);
    assert_eq!(owned[0]["object"], "credential:corp:k1");
}

#[test]
fn what_cannot_be_an_owner_is_refused_with_its_reason() {
    let desk = desk();
    let confirm = |object: &str, owner: &str, role: &str, wanted: &str| {
        let arguments = ["owner", "confirm", object, "--owner", owner, "--role", role];
        desk.trouble(2, &[&arguments[..], &["--why", "so"]].concat(), wanted);
    };
    confirm("k1", "p1", "technical", "names no object");
    confirm(
        "credential:corp:k9",
        "p1",
        "technical",
        "there is no credential corp:k9",
    );
    confirm(
        "credential:corp:k1",
        "p9",
        "technical",
        "there is no identity `p9`",
    );
    confirm(
        "credential:corp:k1",
        "p2",
        "technical",
        "answers for nothing any more",
    );
    confirm("credential:corp:k1", "p1", "boss", "is not a role");
    confirm("account:corp:svc", "p1", "custodian", "has no custodian");
    desk.expect(
        0,
        &[
            "owner",
            "confirm",
            "credential:corp:k1",
            "--owner",
            "p2",
            "--role",
            "custodian",
            "--why",
            "he set it up",
        ],
    );
}

/// A custodian by an id that two sources list, by a record that is listed no more, and of a person
/// who splits: whoever could have the key never passes.
#[test]
fn a_custodian_of_whom_it_is_not_known_who_that_is_lets_nobody_pass() {
    let desk = Desk::new();
    let roster = |source: &str, rows: &str| {
        let file = format!("{source}/identities.csv");
        desk.write(&file, format!("id,kind,display_name,status,number\n{rows}"));
    };
    let owner = |owner: &str| {
        let line = format!("credential,ad,pw,{owner},custodian");
        let header = "object_type,system,object_id,owner_id,role";
        desk.write("own/owners.csv", format!("{header}\n{line}\n"));
    };
    roster("hr", "u1,person,Ann,inactive,7\n");
    roster("vd", "u1,person,Ann,active,7\n");
    desk.write(
        "own/credentials.csv",
        "system,id,kind,enabled\nad,pw,password,true\n",
    );
    owner("u1");
    for source in ["hr", "vd", "own"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let missing = |leaver: &str| -> String {
        let line = desk.lines(1, &["rehearse", "leaver", "--identity", leaver]);
        line[0]["missing_facts"].to_string()
    };
    let says = |leaver: &str, fact: &str| {
        let missing = missing(leaver);
        assert!(missing.contains(fact), "{leaver}: {missing}");
    };
    let shown = |column: &str| -> String {
        let line = desk.lines(0, &["owners"]).remove(0);
        line[column].as_str().unwrap_or_default().to_owned()
    };
    says(
        "hr:u1",
        "credential `ad:pw` could be in the custody of `hr:u1`",
    );
    says(
        "vd:u1",
        "credential `ad:pw` could be in the custody of `vd:u1`",
    );
    assert_eq!(shown("state"), "unknown");
    let reach = desk.lines(0, &["reach", "--identity", "vd:u1"]);
    assert!(reach[0]["in_doubt"][0].as_str().unwrap().contains("ad:pw"));

    let rules = "[[rule]]\nname = \"number\"\nrecord = \"attributes.number\"\n";
    desk.write("persons.toml", rules);
    let file = desk.room.path("persons.toml").display().to_string();
    desk.expect(0, &["link", "rules", "--persons", "--set", &file]);
    let open = |leaver: &str| -> usize {
        let line = desk.lines(1, &["rehearse", "leaver", "--identity", leaver]);
        line[0]["residual"].as_array().unwrap().len()
    };
    assert_eq!(open("u1"), 1);
    assert_eq!(shown("state"), "present", "one record is active");
    owner("hr:u1");
    desk.expect(0, &["sync", "own"]);
    roster("hr", "u2,person,Bob,active,\n");
    desk.expect(0, &["sync", "hr", "--accept-removals"]);
    assert_eq!(open("vd:u1"), 1);
    assert_eq!([shown("state"), shown("owner_name")], ["present", "Ann"]);

    roster("hr", "u1,person,Ann,active,\nu2,person,Bob,active,\n");
    desk.expect(0, &["sync", "hr"]);
    says("vd:u1", "`vd:u1` could be one person with `hr:u1`");
    let doubts = desk.lines(0, &["link", "persons", "--doubts"]);
    assert_eq!(
        doubts[0]["reason"],
        "one had this value before and has it no more"
    );
    desk.expect(
        0,
        &["link", "apart", "hr:u1", "vd:u1", "--why", "two of a name"],
    );
    let reach = desk.lines(0, &["reach", "--identity", "vd:u1"]);
    assert!(reach[0]["in_doubt"].is_null(), "it is decided");
    assert!(desk.lines(0, &["link", "persons", "--doubts"]).is_empty());
}

/// A screen shows the lists of owners as they were made last, and says where they are behind: nobody
/// waits for them. What the command line lists is of now.
#[test]
fn a_screen_shows_the_lists_that_are_at_hand_and_brings_them_up_to_date() {
    let desk = Desk::new();
    let read = |source: &str, file: &str, text: &str| {
        desk.write(&format!("{source}/{file}.csv"), text);
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    };
    read("hr", "identities", "id,kind\nu1,person\nu2,person\n");
    read("ad", "accounts", "system,id,kind\ncorp,a5,service\n");
    let decided = ["link", "corp:a5", "hr:u1", "--why", "hers"];
    desk.expect(0, &decided);
    let options = OpenOptions {
        store_path: desk.store.clone().into(),
        key_source: KeySource::KeyFile(desk.key.clone().into()),
        when_missing: WhenMissing::Refuse,
    };
    let asked = ListQuery {
        search: String::new(),
        filters: Vec::new(),
        sort: String::new(),
        descending: false,
        offset: 0,
        limit: 100,
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bench = Workbench::open(&options).await.unwrap().workbench;
        let there = async |lists: OwnerLists| {
            let window = bench.owned_lines(lists, &asked).await.unwrap();
            window.rows.iter().any(|row| row.of.object_id == "a5")
        };
        assert!(bench.owners_behind().await.unwrap());
        assert!(there(OwnerLists::AtHand).await, "as they were made last");
        assert!(bench.owners_behind().await.unwrap());
        bench.ready_lists().await.unwrap();
        assert!(!bench.owners_behind().await.unwrap());
        assert!(!there(OwnerLists::AtHand).await);
        assert!(!there(OwnerLists::UpToDate).await);
        bench.closing().close().await;
    });
}
