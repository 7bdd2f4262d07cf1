//! The check: who are we, on what server, and which rights are missing or too many.

use crate::api::Got;
use crate::estate::Estate;
use crate::needs::{EXTERNAL, Need, Sort, needs};
use crate::settings::Secrets;
use lastkey_contract::{CheckReport, ConnectorError, Right};
use serde::Deserialize;
use serde_json::json;

/// What the server answers about one right.
#[derive(Deserialize)]
struct Review {
    status: Reviewed,
}

#[derive(Deserialize)]
struct Reviewed {
    allowed: bool,
}

/// Who the server takes us for.
#[derive(Deserialize)]
struct Myself {
    status: MyStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MyStatus {
    user_info: UserInfo,
}

#[derive(Deserialize)]
struct UserInfo {
    username: String,
}

/// Rights that reading does not need, and what each allows.
const EXCESS: [(&str, &str, &str, &str); 14] = [
    ("*", "*", "*", "everything"),
    ("get", "", "secrets", "reading a Secret with its value"),
    (
        "watch",
        "",
        "secrets",
        "following Secrets with their values",
    ),
    ("create", "", "secrets", "writing Secrets"),
    ("update", "", "secrets", "changing Secrets"),
    ("delete", "", "secrets", "removing Secrets"),
    (
        "create",
        "",
        "pods",
        "running pods, and so reading what they can mount",
    ),
    ("create", "", "pods/exec", "entering pods"),
    (
        "create",
        "",
        "serviceaccounts/token",
        "having tokens issued for service accounts",
    ),
    ("impersonate", "", "users", "acting as anybody"),
    (
        "impersonate",
        "",
        "serviceaccounts",
        "acting as service accounts",
    ),
    (
        "create",
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        "giving roles to anybody",
    ),
    (
        "escalate",
        "rbac.authorization.k8s.io",
        "clusterroles",
        "giving roles more rights than its own",
    ),
    (
        "update",
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "having certificates made for anybody",
    ),
];

/// Looks, changes nothing.
pub async fn look(estate: &mut Estate) -> Result<CheckReport, ConnectorError> {
    let version = estate.api.sign_in().await?;
    let mut report = CheckReport {
        signed_in_as: myself(estate).await?,
        server: version.map(|version| format!("Kubernetes {version}")),
        rights_known: true,
        ..CheckReport::default()
    };
    let namespaces: Vec<Option<String>> = match &estate.cluster.namespaces {
        Some(only) => only.iter().cloned().map(Some).collect(),
        None => vec![None],
    };
    let external = estate.serves_external().await?;
    for need in needs(Some(&estate.cluster)) {
        if need.group == EXTERNAL && external == Some(false) {
            continue;
        }
        missing(estate, &need, &namespaces, &mut report).await?;
    }
    for (verb, group, resource, what) in EXCESS {
        for namespace in &namespaces {
            let namespace = namespace.as_deref();
            if may(estate, verb, group, resource, namespace).await? == Some(true) {
                report.excess_rights.push(Right {
                    name: named(verb, resource, namespace),
                    why: format!("it allows {what}, which reading does not need"),
                });
            }
        }
    }
    remarks(estate, &mut report);
    Ok(report)
}

async fn missing(
    estate: &mut Estate,
    need: &Need,
    namespaces: &[Option<String>],
    report: &mut CheckReport,
) -> Result<(), ConnectorError> {
    let whole = [None];
    let namespaces = match need.namespaced {
        true => namespaces,
        false => &whole,
    };
    for namespace in namespaces {
        let namespace = namespace.as_deref();
        match may(estate, "list", need.group, need.resource, namespace).await? {
            Some(true) => {}
            Some(false) => report.missing_rights.push(Right {
                name: named("list", need.resource, namespace),
                why: format!("without it is not seen: {}", need.why),
            }),
            None => report.rights_known = false,
        }
    }
    Ok(())
}

fn named(verb: &str, resource: &str, namespace: Option<&str>) -> String {
    match namespace {
        None => format!("{verb} {resource}"),
        Some(namespace) => format!("{verb} {resource} in {namespace}"),
    }
}

/// Whether we may, as the server says; None where it does not say.
async fn may(
    estate: &mut Estate,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
) -> Result<Option<bool>, ConnectorError> {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": namespace.unwrap_or_default(),
        }},
    });
    let target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let operation = "look up our own rights";
    Ok(
        match estate
            .api
            .question::<Review>(target, &body, operation)
            .await?
        {
            Got::Found(review) => Some(review.status.allowed),
            Got::Hidden(_) => None,
        },
    )
}

/// Who the server takes us for; servers before 1.28 do not tell.
async fn myself(estate: &mut Estate) -> Result<Option<String>, ConnectorError> {
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let target = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let operation = "look up who we are";
    Ok(
        match estate
            .api
            .question::<Myself>(target, &body, operation)
            .await?
        {
            Got::Found(me) => Some(me.status.user_info.username),
            Got::Hidden(_) => None,
        },
    )
}

fn remarks(estate: &Estate, report: &mut CheckReport) {
    let listed = needs(Some(&estate.cluster))
        .iter()
        .any(|need| need.sort == Sort::Secrets);
    if listed && estate.cluster.secrets == Secrets::Listed {
        report.remarks.push(
            "Kubernetes has no right to list Secrets without their values, so this login could read them; Lastkey asks for a table that holds none, and `secrets=referenced` reads without the right".to_owned(),
        );
    }
    if !report.rights_known {
        let why = "the API server did not tell which rights this login has, so neither list of rights is complete";
        report.remarks.push(why.to_owned());
    }
    report.remarks.push(
        "what a webhook or the node authorizer allows beside the roles is not told by the API and is not read: a node reads the Secrets of its own pods".to_owned(),
    );
}
