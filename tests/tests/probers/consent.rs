//! Whose credential a probe may be of: no name of somebody's account passes as a canary, and no account is
//! asked for in the name of another.

use lastkey_tests::desk::Desk;

fn company() -> Desk {
    let desk = Desk::new();
    desk.write(
        "hr/identities.csv",
        "id,kind,display_name\nann,person,Ann\nbob,person,Bob\n",
    );
    desk.write(
        "hosts/accounts.csv",
        "system,id,name,identity_id,email\nweb-1,1001,ann,ann,ann@corp.example\nweb-1,1002,bob,bob,\n\
         web-1,1003,spare,,\n",
    );
    for source in ["hr", "hosts"] {
        let folder = desk.room.path(source).display().to_string();
        desk.expect(0, &["import", &folder, "--as", source]);
    }
    let host_key = "host_key=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let web = [
        "source",
        "add",
        "ssh",
        "web",
        "--set",
        "address=127.0.0.1",
        "--set",
        host_key,
    ];
    desk.expect(0, &[&web[..], &["--set", "system=web-1"]].concat());
    desk
}

/// Adds a probe, and is refused with these words.
fn refused(desk: &Desk, words: &[&str], said: &str) {
    let file = desk.write_secret("secret", "-----BEGIN OPENSSH PRIVATE KEY-----\nnone\n");
    let add = [
        "probe",
        "add",
        "p",
        "--source",
        "web",
        "--secret-file",
        &file,
    ];
    desk.trouble(2, &[&add[..], words].concat(), said);
    assert!(
        desk.run(&["probe", "list", "--json"]).1.is_empty(),
        "{words:?}"
    );
}

#[test]
fn what_is_somebodys_is_no_canary_and_no_other_account() {
    let desk = company();
    for (account, asked_as) in [
        ("web-1:nobody", "ann"),
        ("web-1:nobody", "ANN"),
        ("web-1:nobody", "ann@corp.example"),
        ("web-1:nobody", "1001"),
        ("web-1:Ann", "Ann"),
    ] {
        let words = ["--canary", "--account", account, "--as", asked_as];
        refused(
            &desk,
            &words,
            "is an account of `ann` (`web-1:1001`), and no canary",
        );
    }
    let consent = [
        "--identity",
        "bob",
        "--consent",
        "Bob said so on 2026-11-20",
    ];
    let bobs = |asked_as| [&consent[..], &["--account", "web-1:1002", "--as", asked_as]].concat();
    refused(
        &desk,
        &bobs("ann"),
        "`ann` is the account `web-1:1001`, and not `web-1:1002`",
    );
    refused(
        &desk,
        &bobs("carl"),
        "no source tells that `carl` is the account `web-1:1002`",
    );
}
