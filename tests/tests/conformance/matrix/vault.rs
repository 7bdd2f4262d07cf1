//! What happens to a vault and to a login of it: before a read, and in the middle of one.

use super::between::between;
use super::{Fault, Struck};
use crate::vault::{Estate, token_that, with_token};
use lastkey_contract::Connector;
use serde_json::{Value, json};
use std::sync::Arc;

fn fault(
    name: &str,
    estate: &Arc<Estate>,
    act: impl FnOnce(&Arc<Estate>) -> Box<dyn Connector> + 'static,
    lift: impl FnOnce(&Estate) + 'static,
) -> Fault {
    let (here, after) = (Arc::clone(estate), Arc::clone(estate));
    Fault {
        name: name.to_owned(),
        start: Box::new(move || Struck {
            connector: act(&here),
            lift: Box::new(move || lift(&after)),
            lives: Box::new(()),
        }),
    }
}

/// A login by a token of the reader's policy, with more said about the token.
fn reader(estate: &Estate, more: Value) -> (Box<dyn Connector>, String) {
    let token = token_that(estate, &["lastkey-reader"], more);
    (with_token(estate, &token), token)
}

/// What a vault does to its readers.
pub fn of_a_vault(estate: &Arc<Estate>) -> Vec<Fault> {
    let nothing = |_: &Estate| ();
    let ends = |estate: &Arc<Estate>| {
        let (connector, token) = reader(estate, json!({ "ttl": "1h" }));
        let lab = Arc::clone(estate);
        between(connector, move || {
            lab.lab
                .write("auth/token/revoke", json!({ "token": token }));
        })
    };
    vec![
        fault(
            "sealed",
            estate,
            |estate| {
                estate.lab.seal();
                estate.connector(&[])
            },
            |estate| estate.lab.unseal(),
        ),
        fault(
            "sealed in the middle of a read",
            estate,
            |estate| {
                let lab = Arc::clone(estate);
                between(estate.connector(&[]), move || lab.lab.seal())
            },
            |estate| estate.lab.unseal(),
        ),
        fault("a token that ends in the middle", estate, ends, nothing),
        fault(
            "a token of few uses",
            estate,
            |estate| reader(estate, json!({ "ttl": "1h", "num_uses": 20 })).0,
            nothing,
        ),
        fault(
            "a token without any policy",
            estate,
            |estate| {
                let body = json!({ "ttl": "1h", "no_default_policy": true, "type": "service" });
                with_token(estate, &token_that(estate, &["nothing"], body))
            },
            nothing,
        ),
        fault(
            "a wrapped token",
            estate,
            |estate| with_token(estate, &wrapped(estate)),
            nothing,
        ),
        fault(
            "an AppRole that is not there",
            estate,
            |estate| estate.connector(&[("role_id", "00000000-0000-4000-8000-000000000000")]),
            nothing,
        ),
        fault(
            "a namespace that is not there",
            estate,
            |estate| estate.connector(&[("namespace", "nowhere")]),
            nothing,
        ),
        fault(
            "a store that is not there",
            estate,
            |estate| estate.connector(&[("mounts", "nowhere")]),
            nothing,
        ),
        fault(
            "one folder that may not be listed",
            estate,
            |estate| narrowed(estate, "secret/metadata/db/"),
            nothing,
        ),
        fault(
            "one store that may not be listed",
            estate,
            |estate| narrowed(estate, "team/old/"),
            nothing,
        ),
    ]
}

/// The value of a token that stands in for another, and can only be unwrapped.
fn wrapped(estate: &Estate) -> String {
    let made = estate
        .lab
        .wrapped("auth/token/create-orphan", json!({ "ttl": "1h" }));
    made["wrap_info"]["token"].as_str().unwrap().to_owned()
}

/// The reader's login with a second policy that takes one path away.
fn narrowed(estate: &Estate, path: &str) -> Box<dyn Connector> {
    let text = format!("path \"{path}\" {{ capabilities = [\"deny\"] }}");
    let body = json!({ "policy": text });
    estate.lab.root("PUT", "sys/policies/acl/narrow", body);
    let body = json!({ "ttl": "1h", "type": "batch" });
    with_token(
        estate,
        &token_that(estate, &["lastkey-reader", "narrow"], body),
    )
}

/// A path without the name of the one object that it is about. The reader's own policy stays: it
/// is also looked at before the read.
pub fn shape(path: &str) -> String {
    let path = path.trim_start_matches("/v1/");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let folders = [
        "auth/approle/role/",
        "auth/userpass/users/",
        "identity/entity/id/",
        "identity/group/id/",
        "pki/cert/",
        "secret/metadata/",
        "sys/policies/acl/",
    ];
    let named = folders.iter().find_map(|folder| {
        let name = path.strip_prefix(folder).filter(|name| !name.is_empty())?;
        let rest = match name.split_once('/') {
            Some((_, rest)) if *folder == "auth/approle/role/" => format!("/{rest}"),
            Some(_) | None => String::new(),
        };
        (name != "lastkey-reader").then(|| format!("{folder}NAME{rest}"))
    });
    format!("{} {query}", named.as_deref().unwrap_or(path))
        .trim_end()
        .to_owned()
}
