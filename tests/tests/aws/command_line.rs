//! An account read by `lastkey` itself: users, keys, secrets and who can read them, as a person sees them.

use crate::estate::*;
use lastkey_tests::desk::Desk;
use std::fs;

#[test]
fn a_sync_shows_on_the_command_line() {
    let Some(estate) = Estate::or_not_run("a sync of AWS on the command line") else {
        return;
    };
    let desk = Desk::new();
    let secret = desk.room.path("secret");
    fs::write(&secret, &estate.reader.secret).unwrap();
    let secret = secret.display().to_string();
    let mut words: Vec<String> = ["source", "add", "aws", "prod", "--secret-file", &secret]
        .map(str::to_owned)
        .to_vec();
    for (key, value) in settings(&estate.lab, &estate.reader, &[]).0 {
        words.extend(["--set".to_owned(), format!("{key}={value}")]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    desk.expect(0, &words);
    let checked = desk.expect(0, &["source", "check", "prod"]);
    assert!(checked.contains("user/lastkey-reader"), "{checked}");
    let said = desk.expect(0, &["sync", "prod"]);
    assert!(said.contains("complete"), "{said}");
    let accounts = desk.expect(0, &["accounts", "--json"]);
    for name in ["ann", "deploy", "vendor-support", "root"] {
        assert!(accounts.contains(name), "{name}: {accounts}");
    }
    let locations = desk.expect(0, &["locations", "--json"]);
    assert!(
        locations.contains("secretsmanager/eu-west-1/db/prod"),
        "{locations}"
    );
    let readers = desk.expect(0, &["readers", "--json"]);
    assert!(
        readers.contains("secretsmanager/eu-west-1/db/prod"),
        "{readers}"
    );
    let credentials = desk.expect(0, &["credentials", "--json"]);
    assert!(credentials.contains("access_key"), "{credentials}");
    let everything = format!("{checked}{said}{accounts}{locations}{readers}{credentials}");
    for canary in CANARIES.iter().chain([&estate.reader.secret.as_str()]) {
        assert!(!everything.contains(canary), "{canary}");
    }
}
