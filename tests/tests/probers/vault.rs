//! Tokens and AppRoles against a real OpenBao.

use crate::harness::*;
use lastkey_conformance::proxy::{
    Authority, Garbage, HttpFault, HttpProxy, RedirectTo, RetryAfter, Rule, Upstream,
};
use lastkey_tests::labs::{HangingServer, OpenBao};
use serde_json::{Value, json};

/// A prober of a source whose own login is another's, and wrong: it is never used.
fn prober(lab: &OpenBao, how: &str, more: &[(&str, &str)]) -> Box<dyn Prober> {
    let (address, ca) = (lab.url(), lab.ca_path().display().to_string());
    let mut pairs = vec![
        ("address", address.as_str()),
        ("system", "corp-vault"),
        ("ca_file", ca.as_str()),
        ("role_id", "nobody"),
    ];
    pairs.extend(more);
    lastkey_vault::prober(how, &settings(&pairs)).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn token(lab: &OpenBao, body: Value) -> String {
    text(&lab.write("auth/token/create-orphan", body)["auth"]["client_token"])
}

#[test]
fn tokens() {
    use Answer::{Accepted, Indeterminate, Rejected};
    let Some(lab) = OpenBao::start_or_not_run("trying tokens") else {
        return;
    };
    let prober = prober(&lab, "vault_token", &[]);
    let check =
        |token: &str, answer, says| check(prober.as_ref(), ("a token", token), answer, says);
    let live = token(&lab, json!({ "policies": ["default"], "ttl": "1h" }));
    check(&live, Accepted, ("HTTP 200", ""));
    check(&format!("{live}\n"), Accepted, ("HTTP 200", ""));
    lab.write("auth/token/revoke", json!({ "token": live }));
    check(&live, Rejected, ("HTTP 403 permission denied", "nobody's"));
    check("s.canaryXylophone0815", Rejected, ("HTTP 403", ""));
    check("", Indeterminate, ("not sent", "empty"));
    check("two words", Indeterminate, ("not sent", "characters"));

    let short = token(&lab, json!({ "policies": ["default"], "ttl": "1s" }));
    std::thread::sleep(std::time::Duration::from_secs(3));
    check(&short, Rejected, ("HTTP 403", ""));

    let batch = token(
        &lab,
        json!({ "policies": ["default"], "ttl": "1h", "type": "batch" }),
    );
    check(&batch, Accepted, ("HTTP 200", ""));

    // Its policies forbid the look-up: that is no word about the token.
    let blind = token(
        &lab,
        json!({ "policies": ["none"], "no_default_policy": true, "ttl": "1h" }),
    );
    check(
        &blind,
        Indeterminate,
        ("HTTP 403 permission denied", "and not the token"),
    );

    let once = token(
        &lab,
        json!({ "policies": ["default"], "ttl": "1h", "num_uses": 1 }),
    );
    check(&once, Accepted, ("HTTP 200", ""));
    check(&once, Rejected, ("HTTP 403", ""));

    // OpenBao has no other words for it; the sentence says so.
    let role = json!({ "token_bound_cidrs": ["192.0.2.1/32"], "orphan": true });
    lab.write("auth/token/roles/elsewhere", role);
    let made = lab.write(
        "auth/token/create/elsewhere",
        json!({ "policies": ["default"], "ttl": "1h" }),
    );
    check(
        &text(&made["auth"]["client_token"]),
        Rejected,
        ("HTTP 403", "bound to other addresses"),
    );
}

#[test]
fn a_token_whose_owner_is_switched_off() {
    let Some(lab) = OpenBao::start_or_not_run("trying a token of a disabled entity") else {
        return;
    };
    lab.write("sys/auth/userpass", json!({ "type": "userpass" }));
    let user = json!({ "password": "pw-of-people-canary", "token_policies": ["default"] });
    lab.write("auth/userpass/users/ann", user);
    let login = json!({ "password": "pw-of-people-canary" });
    let made = lab.write("auth/userpass/login/ann", login);
    let (token, entity) = (
        text(&made["auth"]["client_token"]),
        text(&made["auth"]["entity_id"]),
    );
    let prober = prober(&lab, "vault_token", &[]);
    let prober = prober.as_ref();
    check(prober, ("", &token), Answer::Accepted, ("HTTP 200", ""));
    let path = format!("identity/entity/id/{entity}");
    lab.write(&path, json!({ "disabled": true }));
    check(prober, ("", &token), Answer::Rejected, ("HTTP 403", ""));
}

fn roles(lab: &OpenBao) {
    lab.write("sys/auth/approle", json!({ "type": "approle" }));
    lab.write("sys/auth/machines", json!({ "type": "approle" }));
}

/// A role with this body: its ID and a secret ID.
fn role(lab: &OpenBao, mount: &str, name: &str, body: Value, of_secret: Value) -> (String, String) {
    let path = format!("auth/{mount}/role/{name}");
    lab.write(&path, body);
    let role_id = lab.root("GET", &format!("{path}/role-id"), json!({}));
    let secret_id = lab.write(&format!("{path}/secret-id"), of_secret);
    (
        text(&role_id["data"]["role_id"]),
        text(&secret_id["data"]["secret_id"]),
    )
}

fn tokens_in(lab: &OpenBao) -> usize {
    let listed = lab.root("LIST", "auth/token/accessors", json!({}));
    listed["data"]["keys"].as_array().map_or(0, Vec::len)
}

#[test]
fn app_roles() {
    use Answer::{Accepted, Indeterminate, Rejected};
    let Some(lab) = OpenBao::start_or_not_run("trying AppRoles") else {
        return;
    };
    roles(&lab);
    let prober = prober(&lab, "vault_approle", &[]);
    let check = |role_id: &str, secret: &str, answer, says| {
        check(prober.as_ref(), (role_id, secret), answer, says);
    };
    let plain = json!({ "token_policies": "default" });
    let (id, secret) = role(&lab, "approle", "deploy", plain.clone(), json!({}));
    let before = tokens_in(&lab);
    check(&id, &secret, Accepted, ("HTTP 200", ""));
    check(
        &format!("approle:{id}"),
        &secret,
        Accepted,
        ("HTTP 200", ""),
    );
    assert_eq!(tokens_in(&lab), before, "what it was given is revoked");
    let wrong = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
    check(
        &id,
        wrong,
        Rejected,
        ("HTTP 400 invalid role or secret ID", ""),
    );
    check(wrong, &secret, Rejected, ("HTTP 400 invalid role", ""));
    check(&id, "", Indeterminate, ("not sent", "empty"));
    check("", &secret, Indeterminate, ("not sent", "role ID"));
    check("../sys:x", &secret, Indeterminate, ("not sent", "mount"));
    check(
        &format!("nowhere:{id}"),
        &secret,
        Indeterminate,
        ("HTTP 40", ""),
    );

    let (own, own_secret) = role(&lab, "machines", "own", plain.clone(), json!({}));
    check(&format!("machines:{own}"), &own_secret, Accepted, ("", ""));
    check(&own, &own_secret, Rejected, ("", ""));

    let (id, secret) = role(
        &lab,
        "approle",
        "once",
        json!({ "token_policies": "default", "secret_id_num_uses": 1 }),
        json!({}),
    );
    check(&id, &secret, Accepted, ("", ""));
    check(&id, &secret, Rejected, ("HTTP 400 invalid role", ""));

    let (id, secret) = role(&lab, "approle", "gone", plain.clone(), json!({}));
    lab.root("DELETE", "auth/approle/role/gone", json!({}));
    check(&id, &secret, Rejected, ("HTTP 400 invalid role", ""));

    let elsewhere = json!({ "cidr_list": ["192.0.2.1/32"] });
    let (id, secret) = role(&lab, "approle", "elsewhere", plain.clone(), elsewhere);
    check(&id, &secret, Indeterminate, ("HTTP 400", "other addresses"));

    // Its token is none that can be revoked.
    let batch = json!({ "token_policies": "default", "token_type": "batch" });
    let (id, secret) = role(&lab, "approle", "batch", batch, json!({}));
    check(
        &id,
        &secret,
        Accepted,
        ("HTTP 200", "ends with its own time"),
    );

    let (id, secret) = role(&lab, "approle", "locked", plain, json!({}));
    let mut last = None;
    for _ in 0..6 {
        last = Some(tried(prober.as_ref(), &id, wrong));
    }
    let locked = tried(prober.as_ref(), &id, &secret);
    match last.unwrap().answer {
        // It counted them: then not even the right one is looked at.
        Indeterminate => assert_eq!(locked.answer, Indeterminate, "{locked:?}"),
        _ => assert_eq!(locked.answer, Accepted, "{locked:?}"),
    }
}

#[test]
fn faults_are_indeterminate() {
    use Answer::Indeterminate;
    let Some(lab) = OpenBao::start_or_not_run("faults of a vault under a try") else {
        return;
    };
    roles(&lab);
    let live = token(&lab, json!({ "policies": ["default"], "ttl": "1h" }));
    let plain = json!({ "token_policies": "default" });
    let (id, secret) = role(&lab, "approle", "deploy", plain, json!({}));
    let cases = [("vault_token", "", &live), ("vault_approle", &id, &secret)];
    let authority = Authority::new("Proxy CA").unwrap();
    let address = ([127, 0, 0, 1], lab.clear_port()).into();
    let proxy = HttpProxy::start(Upstream::Plain { address }, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    authority.write(&folder.path().join("ca.pem")).unwrap();
    let ca = folder.path().join("ca.pem").display().to_string();
    let through = |how: &str| {
        let url = proxy.url();
        prober(
            &lab,
            how,
            &[("address", &url), ("ca_file", &ca), ("timeout", "1")],
        )
    };
    for (how, account, secret) in cases {
        for fault in [
            HttpFault::Status(500),
            HttpFault::Status(502),
            HttpFault::Status(503),
            HttpFault::Status(472),
            HttpFault::Status(412),
            HttpFault::Status(401),
            HttpFault::Status(403),
            HttpFault::Status(404),
            HttpFault::Status(400),
            HttpFault::TooMany(RetryAfter::Seconds(1)),
            HttpFault::Redirect(RedirectTo::OtherHost),
            HttpFault::Redirect(RedirectTo::InClear),
            HttpFault::Garbage(Garbage::Html),
            HttpFault::Garbage(Garbage::CutJson),
            HttpFault::Garbage(Garbage::Bytes),
            HttpFault::Garbage(Garbage::OtherShape),
            HttpFault::Garbage(Garbage::Empty),
            HttpFault::CutAfter(3),
            HttpFault::Hang,
            HttpFault::Body(json!({ "data": { "id": "s.another" } }).to_string()),
            HttpFault::Body(
                json!({ "auth": { "client_token": "", "mfa_requirement": {} } }).to_string(),
            ),
        ] {
            proxy.forget();
            proxy.set([Rule::always(fault.clone())]);
            let tried = tried(through(how).as_ref(), account, secret);
            assert_eq!(tried.answer, Indeterminate, "{how} {fault:?}: {tried:?}");
            assert!(proxy.strays().is_empty(), "{how} {fault:?}");
            let asked = proxy.requests();
            assert_eq!(asked, 1, "{how} {fault:?}: no second try");
        }
        proxy.set([]);
        check(
            through(how).as_ref(),
            (account, secret),
            Answer::Accepted,
            ("", ""),
        );
        // Refused, and then no more: what was refused is not known.
        if how == "vault_token" {
            proxy.set([Rule::always(HttpFault::Status(500)).path("internal/ui")]);
            check(
                through(how).as_ref(),
                (account, "s.canaryXylophone0815"),
                Indeterminate,
                ("HTTP 403", ""),
            );
            proxy.set([Rule::always(HttpFault::Hang).path("internal/ui")]);
            check(
                through(how).as_ref(),
                (account, "s.canaryXylophone0815"),
                Indeterminate,
                ("", ""),
            );
        }
        let other = lab.other_ca_path().display().to_string();
        check(
            prober(&lab, how, &[("ca_file", &other)]).as_ref(),
            (account, secret),
            Indeterminate,
            ("no trusted connection", "not trusted"),
        );
        let clear = format!("https://127.0.0.1:{}", lab.clear_port());
        check(
            prober(&lab, how, &[("address", &clear)]).as_ref(),
            (account, secret),
            Indeterminate,
            ("no trusted connection", "does not speak TLS"),
        );
        check(
            prober(&lab, how, &[("address", "https://127.0.0.1:1")]).as_ref(),
            (account, secret),
            Indeterminate,
            ("no answer", "cannot be reached"),
        );
        let hanging = HangingServer::start();
        let slow = format!("https://127.0.0.1:{}", hanging.port());
        check(
            prober(&lab, how, &[("address", &slow), ("timeout", "600")]).as_ref(),
            (account, secret),
            Indeterminate,
            ("no answer in time", "in time"),
        );
        assert_eq!(hanging.connections(), 1);
    }
    lab.seal();
    for (how, account, secret) in cases {
        check(
            prober(&lab, how, &[]).as_ref(),
            (account, secret),
            Indeterminate,
            ("HTTP 503", "sealed"),
        );
    }
}

#[test]
fn a_secret_that_is_said_back_is_not_kept() {
    let secret = "canary-c0ffee-echoed-4711";
    for body in [
        json!({ "errors": [format!("invalid secret_id \"{secret}\"")] }),
        json!({ "errors": [format!("bad token {secret}")] }),
    ] {
        for status in [400, 403, 500] {
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.to_string().len()
            );
            let talker = Talker::start(move |_| answer.clone().into_bytes());
            let url = format!("https://127.0.0.1:{}", talker.port);
            let ca = talker.ca().display().to_string();
            let pairs = [
                ("address", url.as_str()),
                ("system", "corp-vault"),
                ("ca_file", ca.as_str()),
                ("role_id", "nobody"),
            ];
            for how in ["vault_token", "vault_approle"] {
                let prober = lastkey_vault::prober(how, &settings(&pairs)).unwrap();
                check(
                    prober.as_ref(),
                    ("role", secret),
                    Answer::Indeterminate,
                    ("left out", ""),
                );
            }
        }
    }
}
