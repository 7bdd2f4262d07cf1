//! Canaries of a server and of a vault, tried from the command line: let in, taken away, refused; and what
//! a server that is gone makes of it.

use lastkey_tests::desk::Desk;
use lastkey_tests::labs::{OpenBao, Sshd};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Tries of one account are at least a minute apart.
const A_MINUTE: Duration = Duration::from_secs(61);

fn tried(desk: &Desk, status: i32, name: &str) -> Value {
    desk.lines(status, &["probe", "try", name]).remove(0)
}

fn add(desk: &Desk, name: &str, words: &[&str], secret: &str) {
    let file = desk.write_secret("secret", secret);
    let mut all = vec!["probe", "add", name, "--canary", "--secret-file", &file];
    all.extend(words);
    desk.expect(0, &all);
    std::fs::remove_file(file).unwrap();
}

fn server(desk: &Desk, lab: &Sshd) {
    let (port, key) = (
        format!("port={}", lab.port()),
        format!("host_key={}", lab.host_key()),
    );
    desk.expect(
        0,
        &[
            "source",
            "add",
            "ssh",
            "web",
            "--set",
            "address=127.0.0.1",
            "--set",
            &port,
            "--set",
            &key,
            "--set",
            "system=web-1",
        ],
    );
}

/// A vault whose own login is nobody's: it is never used.
fn vault(desk: &Desk, lab: &OpenBao) {
    let (address, ca) = (
        format!("address={}", lab.url()),
        format!("ca_file={}", lab.ca_path().display()),
    );
    let file = desk.write_secret("vault.secret", "nobody's");
    desk.expect(
        0,
        &[
            "source",
            "add",
            "vault",
            "bao",
            "--set",
            &address,
            "--set",
            &ca,
            "--set",
            "system=corp-vault",
            "--set",
            "role_id=nobody",
            "--secret-file",
            &file,
        ],
    );
    std::fs::remove_file(file).unwrap();
}

fn in_folder(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[test]
fn a_key_and_a_token_are_let_in_taken_away_and_refused() {
    let Some(bao) = OpenBao::start_or_not_run("canaries from the command line") else {
        return;
    };
    let mut sshd = Sshd::start("");
    let desk = Desk::new();
    server(&desk, &sshd);
    vault(&desk, &bao);
    let key = sshd.key("canary", &["-t", "ed25519"]);
    let never = sshd.key("never", &["-t", "ed25519"]);
    sshd.let_in(&["canary"]);
    let user = Sshd::user();
    let account = format!("web-1:{user}");
    add(
        &desk,
        "key",
        &["--source", "web", "--account", &account],
        &key,
    );
    add(
        &desk,
        "wrong-key",
        &["--source", "web", "--account", "web-1:nobody-else"],
        &never,
    );
    let made = bao.write(
        "auth/token/create-orphan",
        json!({ "policies": ["default"], "ttl": "1h" }),
    );
    let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
    let of_vault = [
        "--source",
        "bao",
        "--account",
        "corp-vault:canary",
        "--how",
        "vault_token",
    ];
    add(&desk, "token", &of_vault, &token);

    assert_eq!(tried(&desk, 1, "key")["verdict"], "works");
    assert_eq!(tried(&desk, 1, "token")["verdict"], "works");
    // Never let in: that it is refused proves nothing.
    let wrong = tried(&desk, 1, "wrong-key");
    assert_eq!(wrong["verdict"], "indeterminate", "{wrong}");
    // Not twice within a minute.
    desk.trouble(3, &["probe", "try", "key"], "may be tried again from");

    sshd.let_in(&["never"]);
    bao.write("auth/token/revoke", json!({ "token": token }));
    std::thread::sleep(A_MINUTE);
    for name in ["key", "token"] {
        let refused = tried(&desk, 0, name);
        assert_eq!(refused["verdict"], "dead", "{refused}");
    }

    // A package has every try, the raw answer, and what each proves.
    let package = desk.room.path("p.zip").display().to_string();
    desk.expect(0, &["export", "--out", &package]);
    let table = desk.in_package(&package, "leavers/tries.csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let column =
        |name: &str, of: &csv::StringRecord| of.iter().position(|one| one == name).unwrap();
    let head = rows.headers().unwrap().clone();
    let told: Vec<String> = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            let cell = |name| row[column(name, &head)].to_owned();
            assert!(!cell("raw").is_empty(), "{row:?}");
            assert_eq!(cell("consent"), "canary");
            format!("{} {} {}", cell("probe"), cell("answer"), cell("proves"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "key accepted open",
            "token accepted open",
            "wrong-key rejected nothing",
            "key rejected closed",
            "token rejected closed",
        ]
    );

    // Removed and added again, the positive control is gone, and the pace is not.
    desk.expect(0, &["probe", "remove", "token"]);
    add(&desk, "token", &of_vault, &token);
    desk.trouble(3, &["probe", "try", "token"], "may be tried again from");
    let all = desk.lines(0, &["probe", "list"]);
    let again = all.iter().find(|one| one["name"] == "token").unwrap();
    assert_eq!(again["verdict"], "never tried", "{again}");

    // Another address is another server: what was let in was let in elsewhere.
    desk.expect(0, &["source", "remove", "web"]);
    sshd.stop();
    let other = Sshd::start("");
    server(&desk, &other);
    desk.trouble(3, &["probe", "try", "key"], "its source was changed since");
    for secret in [token.as_str(), key.lines().nth(1).unwrap()] {
        assert!(
            !in_folder(&desk.room.path(""), secret),
            "a secret is in a file"
        );
    }
}
