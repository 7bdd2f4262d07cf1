//! A vault: its values, each way to sign in, secrets that are refused, the reader of values.

use crate::traces::Traced;
use lastkey_tests::hunt::Canary;
use lastkey_tests::safe::{Login, Safe};

/// A source that signs in so, with this secret.
fn add(traced: &mut Traced, safe: &Safe, name: &str, login: Login, secret: &str) {
    let file = traced.secret("secret", secret);
    let file_name = file.display().to_string();
    let mut arguments = vec!["source", "add", "vault", name, "--secret-file", &file_name];
    let settings = safe.settings(login).into_iter();
    let settings: Vec<String> = settings
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    traced.expect(0, &arguments);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn neither_what_a_vault_keeps_nor_what_opens_it_leaves_a_trace() {
    let Some(safe) = Safe::start_or_not_run("canaries of a vault") else {
        return;
    };
    let mut traced = Traced::new();
    let mut canaries = safe.canaries();
    for login in Login::ALL {
        add(&mut traced, &safe, login.word(), login, safe.secret(login));
        traced.run(&["source", "check", login.word()]);
        traced.run(&["source", "check", login.word(), "--json"]);
        traced.expect(0, &["sync", login.word()]);
    }
    // The vault's own answer to a wrong secret is kept out as well; one source reads it at a time.
    for login in Login::ALL {
        let name = format!("wrong-{}", login.word());
        let wrong = format!("canary-wrong-{} \"\u{fc}\" 9f2", login.word());
        // A token that no header can carry is refused before it is sent.
        let wrong = match login {
            Login::Token => "s.canarywrongtoken9f2".to_owned(),
            Login::AppRole | Login::UserPass => wrong,
        };
        traced.expect(0, &["source", "remove", login.word()]);
        add(&mut traced, &safe, &name, login, &wrong);
        for arguments in [
            &["source", "check", &name][..],
            &["source", "check", &name, "--json"],
            &["sync", &name],
            &["sync", &name, "--json"],
        ] {
            let (status, out, err) = traced.run(arguments);
            assert_eq!(status, 3, "{arguments:?}: {out}{err}");
        }
        canaries.push(Canary::new(&format!("the wrong {}", login.word()), wrong));
        traced.expect(0, &["source", "remove", &name]);
    }

    // Values are read now, and reduced.
    let login = Login::UserPass;
    add(&mut traced, &safe, "safe", login, safe.secret(login));
    let token = traced.secret("values-token", safe.values_token());
    let token_name = token.display().to_string();
    let mut consent = vec!["source", "fingerprints", "safe", "on", "--secret-file"];
    consent.push(&token_name);
    traced.expect(0, &consent);
    std::fs::remove_file(token).unwrap();
    traced.expect(0, &["sync", "safe"]);
    let places = traced.run(&["locations", "--json"]).1;
    let printed = places
        .lines()
        .filter(|line| line.contains("\"fingerprint\":\""));
    assert!(printed.count() >= 3, "values were read: {places}");
    traced.ask_everything();
    // The reader of values loses its right: what it says then is looked through too.
    let body = serde_json::json!({ "token": safe.values_token() });
    safe.lab.write("auth/token/revoke-orphan", body);
    let (status, out, err) = traced.run(&["sync", "safe"]);
    assert_eq!(status, 3, "{out}{err}");
    traced.ask_everything();
    traced.hold_none_of(&canaries, &[], &["secret/db/prod", "old/mail"]);
}
