//! Each way in: a sign-in, a server that says back what it was sent, an address, a file's column,
//! a mistyped command.

use crate::traces::Traced;
use lastkey_tests::hunt::Canary;
use lastkey_tests::labs::{Seed, Slapd};

const PEOPLE: &str = "ou=people,dc=example,dc=org";

fn person(n: u32, name: &str, description: &str) -> String {
    format!(
        "dn: uid=u{n},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: u{n}\ncn: {name}\nsn: u{n}\n\
         displayName: {name}\ndescription: {description}\nentryUUID: 00000000-0000-4000-8000-{n:012}\n\
         employeeNumber: {n:04}\nmail: u{n}@example.org\npwdChangedTime: 20251224000000Z\n\
         userPassword: kept-by-slapd-{n}-canary\n\n"
    )
}

fn lab(people: &[(&str, &str)]) -> Slapd {
    let ldif = (1..)
        .zip(people)
        .map(|(n, (name, description))| person(n, name, description))
        .collect();
    Slapd::start(Seed {
        ldif,
        ..Seed::default()
    })
}

fn add(traced: &mut Traced, lab: &Slapd, name: &str, dn: &str, password: &str) {
    let secret = traced.secret("secret", password);
    let (url, ca) = (lab.ldaps_url(), lab.ca_path().display().to_string());
    traced.expect(
        0,
        &[
            "source",
            "add",
            "ldap",
            name,
            "--set",
            &format!("url={url}"),
            "--set",
            &format!("ca_file={ca}"),
            "--set",
            &format!("base_dn={}", Slapd::BASE),
            "--set",
            &format!("bind_dn={dn}"),
            "--set",
            "system=corp-ldap",
            "--set",
            "identities=yes",
            "--secret-file",
            &secret.display().to_string(),
        ],
    );
    std::fs::remove_file(secret).unwrap();
}

/// Each goes by its own text.
fn called_so(texts: &[&str]) -> Vec<Canary> {
    texts.iter().map(|text| Canary::new(text, text)).collect()
}

#[test]
fn a_sign_in_leaves_no_trace_of_its_password_nor_of_any_key() {
    let lab = lab(&[("Ann", "who works here"), ("Bob", "who works there")]);
    let mut traced = Traced::new();
    add(
        &mut traced,
        &lab,
        "dir",
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
    );
    traced.run(&["source", "check", "dir"]);
    traced.run(&["source", "check", "dir", "--json"]);
    traced.expect(0, &["sync", "dir"]);
    traced.expect(0, &["sync", "--json"]);
    let plan = "[[step]]\non = \"leaver\"\nsystem = \"corp-ldap\"\ndoes = \"disable_account\"\nhow = \"automatic\"\nwithin = \"1h\"\n";
    let plan = traced.file("plan.toml", plan);
    traced.expect(0, &["plan", "load", &plan]);
    traced.ask_everything();
    let sealed = traced.sealed();
    assert!(sealed.contains_key("signing"), "a package was signed");
    assert_eq!(sealed["source:dir"], Slapd::READER_PASSWORD);
    traced.hold_none_of(
        &[
            Canary::new("the bind password", Slapd::READER_PASSWORD),
            Canary::new("a person's password", "kept-by-slapd-1-canary"),
        ],
        &[],
        &["u1@example.org", Slapd::READER_DN],
    );
    assert!(lab.writes().is_empty(), "{:?}", lab.writes());
}

#[test]
fn a_server_that_puts_our_password_into_its_entries_is_not_repeated() {
    let base64 = "cmVhZGVyLTA4MTUtY2FuYXJ5";
    let hex = "7265616465722d303831352d63616e617279";
    let lab = lab(&[
        (Slapd::READER_PASSWORD, "x"),
        ("Bob", Slapd::READER_PASSWORD),
        (&format!("in {base64}="), hex),
        ("Kim", "innocent"),
    ]);
    let mut traced = Traced::new();
    add(
        &mut traced,
        &lab,
        "dir",
        Slapd::READER_DN,
        Slapd::READER_PASSWORD,
    );
    traced.run(&["sync", "dir"]);
    traced.ask_everything();
    let journal = traced.run(&["journal"]).1;
    assert!(
        journal.contains("own secret stood in what it sent"),
        "{journal}"
    );
    traced.hold_none_of(
        &[Canary::new("the bind password", Slapd::READER_PASSWORD)],
        &[],
        &["u4@example.org", "(hidden)"],
    );
}

#[test]
fn a_server_that_says_the_password_back_when_it_refuses_is_not_repeated() {
    const CANARY: &str = "canary \"c0ffee\" (echoed)";
    let lab = lab(&[("Ann", "x")]);
    let mut traced = Traced::new();
    add(&mut traced, &lab, "echo", Slapd::ECHO_DN, CANARY);
    for arguments in [
        &["source", "check", "echo"][..],
        &["source", "check", "echo", "--json"],
        &["sync", "echo"],
        &["sync", "echo", "--json"],
    ] {
        let (status, out, err) = traced.run(arguments);
        assert_eq!(status, 3, "{out}{err}");
    }
    traced.ask_everything();
    traced.hold_none_of(
        &[Canary::new("the echoed password", CANARY)],
        &[],
        &["(hidden)"],
    );
}

#[test]
fn an_address_with_a_login_is_refused_and_not_repeated() {
    let mut traced = Traced::new();
    let secret = traced.secret("secret", "canary-of-the-file");
    for (kind, settings) in [
        (
            "ldap",
            &[
                "url=ldaps://cn=x:canary-in-url@127.0.0.1:636",
                "base_dn=dc=x",
                "system=corp",
            ][..],
        ),
        (
            "ldap",
            &[
                "url=ldaps://cn=x:canary-in-url@127.0.0.1/dc=x??sub",
                "base_dn=dc=x",
                "system=corp",
            ],
        ),
        (
            "ldap",
            &["url=canary-in-url@127.0.0.1", "base_dn=dc=x", "system=corp"],
        ),
        (
            "vault",
            &[
                "url=https://root:canary-in-url@127.0.0.1:8200",
                "system=corp",
            ],
        ),
        (
            "ldap",
            &[
                "password=canary-in-url",
                "url=ldaps://127.0.0.1",
                "base_dn=dc=x",
                "system=corp",
            ],
        ),
    ] {
        let mut arguments = vec!["source", "add", kind, "dir", "--secret-file"];
        let path = secret.display().to_string();
        arguments.push(&path);
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        let (status, out, err) = traced.run(&arguments);
        assert_eq!(status, 2, "{out}{err}");
        let (status, out, err) = traced.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(status, 2, "{out}{err}");
    }
    // The command's own words are what the person typed; what was answered is looked through.
    let canaries = ["canary-in-url", "canary-of-the-file"];
    let canaries = called_so(&canaries);
    traced.answers_hold_none_of(&canaries, &["secret"]);
}

#[test]
fn a_column_of_secret_values_is_not_read() {
    let mut traced = Traced::new();
    traced.file(
        "files/credentials.csv",
        "system,id,kind,Client Secret,value,password,note\n\
         corp,k1,client_secret,canary-client-9f2,canary-value-9f2,canary-password-9f2,innocent note\n",
    );
    traced.file(
        "files/accounts.csv",
        "system,id,unicodePwd,Passwort,ms-Mcs-AdmPwd\n\
         corp,a1,canary-unicode-9f2,canary-passwort-9f2,canary-laps-9f2\n",
    );
    traced.file(
        "files/identities.csv",
        "id,kind,display_name,PWD\np1,person,Ann,canary-pwd-9f2\n",
    );
    // Whoever wants one read by name is told that it is not, before there is a store.
    for (file, map) in [
        ("credentials", "credentials.name=password"),
        ("accounts", "accounts.name=unicodePwd"),
    ] {
        let import = ["import", "files", "--as", "files", "--map", map];
        let (status, out, err) = traced.run(&import);
        assert_eq!(status, 2, "{file}: {out}{err}");
        let says = "holds secret values, which are never read";
        assert!(err.contains(says), "{file}: {err}");
    }
    let (status, told, _) = traced.run(&["import", "files", "--as", "files"]);
    assert_eq!(status, 0, "{told}");
    traced.ask_everything();
    let journal = traced.run(&["journal"]).1;
    for column in [
        "Client Secret",
        "value",
        "password",
        "PWD",
        "unicodePwd",
        "Passwort",
        "ms-Mcs-AdmPwd",
    ] {
        let wanted = format!("the column `{column}` seems to hold secret values and is not read");
        assert!(journal.contains(&wanted), "{journal}");
        assert!(told.contains(&wanted), "{told}");
    }
    let canaries = [
        "canary-client-9f2",
        "canary-value-9f2",
        "canary-password-9f2",
        "canary-pwd-9f2",
        "canary-unicode-9f2",
        "canary-passwort-9f2",
        "canary-laps-9f2",
    ];
    let canaries = called_so(&canaries);
    traced.hold_none_of(
        &canaries,
        &[
            "files/credentials.csv",
            "files/accounts.csv",
            "files/identities.csv",
        ],
        &["innocent note"],
    );
}

/// Columns whose names are not those of a list, and logins inside the values of other columns.
#[test]
fn secrets_under_other_names_and_logins_in_addresses_are_not_kept() {
    const WITHHELD: [&str; 18] = [
        "unixUserPassword",
        "nt_hash",
        "ntHash",
        "lmHash",
        "hash",
        "otp_seed",
        "pin",
        "recovery_code",
        "recoveryCodes",
        "session_token",
        "cookie",
        "bearer",
        "auth",
        "dsn",
        "DBPassword",
        "password_reset_token",
        "tags.db-password",
        "secret_key",
    ];
    const HARMLESS: [&str; 4] = [
        "password_last_set",
        "pwdLastSet",
        "token_count",
        "hash_of_record",
    ];
    let mut traced = Traced::new();
    let canary = |name: &str| format!("canary-{}-9f2", name.replace(['.', '-', '_'], "x"));
    let columns = WITHHELD.join(",");
    let values: Vec<String> = WITHHELD.iter().map(|name| canary(name)).collect();
    traced.file(
        "files/accounts.csv",
        &format!("system,id,{columns}\ncorp,a1,{}\n", values.join(",")),
    );
    traced.file(
        "files/credentials.csv",
        &format!(
            "system,id,kind,{},backend,note,proxy\n\
             corp,k1,password,kept-in-column-0,kept-in-column-1,kept-in-column-2,kept-in-column-3,postgres://app:canary-in-backend-9f2@db/x,\
             see https://u:canary-in-note-9f2@host.example,root:canary-in-proxy-9f2@localhost:3306\n",
            HARMLESS.join(",")
        ),
    );
    let locations = "system,path,credential_id\n\
         corp,https://u:canary-in-path-9f2@host.example/k1,k1\n";
    traced.file("files/locations.csv", locations);
    let told = traced.expect(0, &["import", "files", "--as", "files"]);
    traced.ask_everything();
    let journal = traced.run(&["journal"]).1;
    for column in WITHHELD {
        let wanted = format!("the column `{column}` seems to hold secret values and is not read");
        assert!(journal.contains(&wanted), "{wanted}: {journal}");
        assert!(told.contains(&wanted), "{wanted}: {told}");
    }
    for column in ["backend", "note", "proxy", "path"] {
        let wanted = format!("the column `{column}` has logins in its values, which are hidden");
        assert!(journal.contains(&wanted), "{wanted}: {journal}");
    }
    let mut canaries: Vec<Canary> = values.iter().map(|text| Canary::new(text, text)).collect();
    for place in ["backend", "note", "proxy", "path"] {
        let text = format!("canary-in-{place}-9f2");
        canaries.push(Canary::new(&text, &text));
    }
    traced.hold_none_of(
        &canaries,
        &[
            "files/accounts.csv",
            "files/credentials.csv",
            "files/locations.csv",
        ],
        &[
            "kept-in-column-0",
            "kept-in-column-1",
            "kept-in-column-2",
            "kept-in-column-3",
            "https://(hidden)@host.example/k1",
        ],
    );
}

/// A row that has slipped by a column, or a header that names the wrong one.
#[test]
fn a_token_in_a_wrong_column_is_not_repeated() {
    let mut traced = Traced::new();
    traced.file(
        "files/accounts.csv",
        "system,id,kind,enabled,created_at,privileged\n\
         corp,a1,human,true,2026-01-01,no\n\
         corp,a2,human,canary0token1in2enabled3,2026-01-01,no\n\
         corp,a3,Canary!word4in5kind,true,2026-01-01,no\n\
         corp,a4,human,true,ghp_canary6in7date,no\n\
         corp,a5,human,true,2026-01-01,perhaps or perhaps not\n\
         Canary8token9In0system1,a6,human,true,2026-01-01,no\n",
    );
    let (status, told, _) = traced.run(&["import", "files", "--as", "files"]);
    assert_eq!(status, 1, "{told}");
    traced.run(&["sync", "files", "--json"]);
    traced.run(&["source", "show", "files"]);
    traced.ask_everything();
    let journal = traced.run(&["journal"]).1;
    for (line, column, what) in [
        (
            3,
            "enabled",
            "a value that is not shown, because it may be a secret, is not a boolean",
        ),
        (6, "privileged", "`perhaps or perhaps not` is not a boolean"),
    ] {
        let wanted = format!("accounts.csv:{line}:{column}: {what}");
        assert!(journal.contains(&wanted), "{journal}");
    }
    let canaries = [
        "canary0token1in2enabled3",
        "Canary!word4in5kind",
        "ghp_canary6in7date",
        "Canary8token9In0system1",
    ];
    let canaries = called_so(&canaries);
    traced.hold_none_of(
        &canaries,
        &["files/accounts.csv"],
        &["perhaps or perhaps not"],
    );
}

#[test]
fn keys_that_do_not_open_the_store_are_not_repeated() {
    let mut traced = Traced::new();
    traced.file(
        "files/identities.csv",
        "id,kind,display_name\np1,person,Ann Archer\n",
    );
    traced.expect(0, &["import", "files", "--as", "files"]);
    let right = std::fs::read_to_string(traced.room.path("key")).unwrap();
    let wrong = [
        "canary-wrong passphrase 1",
        "lastkey-recovery-1-c0ffee00-c0ffee01-c0ffee02-c0ffee03-c0ffee04-c0ffee05-c0ffee06-c0ffee07-00000000",
    ];
    for text in wrong {
        traced.secret("key", text);
        traced.expect(4, &["accounts", "--json"]);
        traced.expect(4, &["store", "check"]);
    }
    traced.secret("key", &right);
    let canaries: Vec<Canary> = wrong.iter().map(|text| Canary::new(text, text)).collect();
    traced.hold_none_of(&canaries, &[], &["Ann Archer"]);
}

/// A program that is brought down leaves no image of its memory.
#[test]
fn a_crash_leaves_no_core() {
    use std::process::Command;
    let hanging = lastkey_tests::labs::HangingServer::start();
    let mut traced = Traced::new();
    let secret = traced.secret("secret", "canary-in-memory-9f2");
    traced.expect(
        0,
        &[
            "source",
            "add",
            "ldap",
            "dir",
            "--set",
            &format!("url=ldaps://127.0.0.1:{}", hanging.port()),
            "--set",
            "base_dn=dc=x",
            "--set",
            "system=corp",
            "--set",
            "bind_dn=cn=x",
            "--set",
            "timeout=60",
            "--secret-file",
            &secret.display().to_string(),
        ],
    );
    std::fs::remove_file(secret).unwrap();
    let mut child = traced
        .room
        .command(std::path::Path::new("sh"))
        .args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\""])
        .arg(lastkey_tests::window::program("lastkey"))
        .arg("--store")
        .arg(traced.room.path("s.lastkey"))
        .arg("--key-file")
        .arg(traced.room.path("key"))
        .args(["sync", "dir"])
        .current_dir(traced.room.path(""))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let begun = std::time::Instant::now();
    let no_core = loop {
        let text = match std::fs::read_to_string(&limits) {
            // The system lets nobody but root look into a process whose memory is not dumped.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => break true,
            read => read.unwrap_or_default(),
        };
        let line = text
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
        if words.get(4..6) == Some(&["0", "0"]) {
            break true;
        }
        if begun.elapsed() > std::time::Duration::from_secs(20) {
            break false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let sent = Command::new("kill")
        .args(["-ABRT", &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    child.wait().unwrap();
    let files = lastkey_tests::kill::files_below(&traced.room.path(""));
    assert!(
        !files.iter().any(|path| path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("core"))),
        "{files:?}"
    );
    assert!(no_core, "a core file may be written");
    traced.hold_none_of(
        &[Canary::new("the secret in memory", "canary-in-memory-9f2")],
        &[],
        &[],
    );
}
