//! Whatever is not shown, and how it is told.

use super::trouble::odd;
use super::*;

/// The notes of a kind for a token, as `what reason`.
fn gaps(world: World, kind: Kind, token: &str, more: &[(&str, &str)]) -> (bool, String) {
    let behind = Behind::tls(world);
    let pages = read(behind.connector("example", token, more).as_ref(), kind).unwrap();
    let told: Vec<String> = notes(&pages)
        .iter()
        .map(|note| {
            format!(
                "{} {} {}",
                note.kind.word(),
                note.reason,
                note.examples.join(",")
            )
        })
        .collect();
    (complete(&pages), told.join("\n"))
}

#[test]
fn whatever_is_not_shown_is_noted_and_nothing_counts_as_whole() {
    for (part, kinds) in [
        ("/outside_collaborators", [Kind::Account, Kind::Account]),
        ("/orgs/example/invitations", [Kind::Account, Kind::Grant]),
        ("/installations", [Kind::Account, Kind::Entitlement]),
        (
            "/orgs/example/members?role=member",
            [Kind::Account, Kind::Grant],
        ),
        ("/orgs/example/teams", [Kind::Entitlement, Kind::Grant]),
        ("/teams/web/members", [Kind::Grant, Kind::Grant]),
        ("/orgs/example/repos", [Kind::Entitlement, Kind::Reader]),
        ("/collaborators", [Kind::Grant, Kind::Grant]),
        ("/shop/keys", [Kind::Credential, Kind::Account]),
        (
            "/personal-access-tokens",
            [Kind::Credential, Kind::Credential],
        ),
        (
            "/credential-authorizations",
            [Kind::Credential, Kind::Credential],
        ),
        (
            "/orgs/example/actions/secrets",
            [Kind::Location, Kind::Reader],
        ),
        ("/shop/dependabot/secrets", [Kind::Location, Kind::Reader]),
        ("/environments", [Kind::Location, Kind::Reader]),
        (
            "/custom-repository-roles",
            [Kind::Entitlement, Kind::Reader],
        ),
        ("/organization-roles", [Kind::Entitlement, Kind::Grant]),
        ("FOR_SOME/repositories", [Kind::Reader, Kind::Reader]),
    ] {
        for status in [403, 404] {
            for kind in kinds {
                let hidden = odd(part, refusal(status, "Not Found"));
                let (whole, told) = gaps(hidden, kind, APP, &[]);
                assert!(
                    !whole && told.contains("clipped"),
                    "{part} {status} {kind}: {told}"
                );
            }
        }
    }
}

#[test]
fn what_a_token_is_not_shown_in_silence_is_noted_too() {
    let (whole, told) = gaps(company(), Kind::Account, MEMBER, &[]);
    assert!(!whole && told.contains("outside collaborators"), "{told}");
    let (whole, told) = gaps(company(), Kind::Entitlement, MEMBER, &[]);
    assert!(!whole && told.contains("teams that are secret"), "{told}");
    assert!(told.contains("all repositories"), "{told}");
    let (whole, told) = gaps(company(), Kind::Account, FEW, &[]);
    assert!(!whole && told.contains("public members only"), "{told}");
    let mut more = company();
    more.objects.get_mut("/orgs/example").unwrap()["total_private_repos"] = 3.into();
    let (whole, told) = gaps(more, Kind::Entitlement, APP, &[]);
    assert!(!whole && told.contains("more repositories"), "{told}");
    let mut untold = company();
    let page = untold.objects.get_mut("/orgs/example").unwrap();
    page.as_object_mut()
        .unwrap()
        .remove("default_repository_permission");
    let (whole, told) = gaps(untold, Kind::Grant, APP, &[]);
    assert!(!whole && told.contains("base permission"), "{told}");
}

#[test]
fn what_the_plan_lacks_can_be_said_and_is_told() {
    let mut world = company();
    for path in ["custom-repository-roles", "credential-authorizations"] {
        world.lists.remove(&format!("/orgs/example/{path}"));
    }
    let out = [("leave_out", "custom_roles,authorizations")];
    let behind = Behind::tls(world);
    for (kind, says) in [
        (Kind::Credential, "single sign-on"),
        (Kind::Entitlement, "custom"),
    ] {
        let connector = behind.connector("example", APP, &out);
        let pages = read(connector.as_ref(), kind).unwrap();
        let told = format!("{:?}", notes(&pages));
        assert!(complete(&pages) && told.contains(says), "{told}");
    }
    let mut server = company();
    server.enterprise = Some("3.19.0");
    for path in ["invitations", "credential-authorizations"] {
        server.lists.remove(&format!("/orgs/example/{path}"));
    }
    let behind = Behind::tls(server);
    let connector = behind.connector("example", APP, &[]);
    let pages = read(connector.as_ref(), Kind::Account).unwrap();
    let told = format!("{:?}", notes(&pages));
    assert!(
        complete(&pages) && told.contains("an Enterprise server"),
        "{told}"
    );
    let report = run(connector.check()).unwrap();
    assert_eq!(
        report.server.as_deref(),
        Some("GitHub Enterprise Server 3.19.0")
    );
    assert!(
        report.missing_rights.is_empty(),
        "{:?}",
        report.missing_rights
    );
}

#[test]
fn a_right_without_a_name_is_told_by_its_parts() {
    let mut world = company();
    let path = "/repos/example/shop/collaborators?affiliation=direct";
    let both = &mut world.lists.get_mut(path).unwrap().1;
    both[0].as_object_mut().unwrap().remove("role_name");
    both[0]["permissions"] = serde_json::json!({ "admin": false, "push": true, "pull": true });
    both[1].as_object_mut().unwrap().remove("role_name");
    let behind = Behind::tls(world);
    let pages = read(behind.connector("example", APP, &[]).as_ref(), Kind::Grant).unwrap();
    let lines: Vec<String> = facts(&pages).iter().map(line).collect();
    assert!(lines.contains(&"31 -> repository/62/write active".to_owned()));
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("24 -> repository/62"))
    );
    let failed = notes(&pages);
    let failed = failed
        .iter()
        .find(|note| note.kind == NoteKind::Failed)
        .unwrap();
    assert_eq!(failed.count, 1, "{failed:?}");
}

#[test]
fn words_of_tomorrow_are_told_and_lose_nothing() {
    let mut world = company();
    let path = "/repos/example/shop/collaborators?affiliation=direct";
    world.lists.get_mut(path).unwrap().1[0]["role_name"] = "overlord".into();
    world
        .lists
        .get_mut("/orgs/example/outside_collaborators")
        .unwrap()
        .1
        .push(7.into());
    world
        .lists
        .get_mut("/orgs/example/actions/secrets")
        .unwrap()
        .1[0]["visibility"] = "moon".into();
    let behind = Behind::tls(world);
    let connector = behind.connector("example", APP, &[]);
    let pages = read(connector.as_ref(), Kind::Grant).unwrap();
    assert!(
        facts(&pages)
            .iter()
            .any(|fact| line(fact).contains("62/overlord"))
    );
    assert!(
        notes(&pages)
            .iter()
            .any(|note| note.kind == NoteKind::Drift)
    );
    let pages = read(connector.as_ref(), Kind::Account).unwrap();
    let failed = notes(&pages);
    let failed = failed
        .iter()
        .find(|note| note.kind == NoteKind::Failed)
        .unwrap();
    assert_eq!(failed.count, 1);
    assert!(
        facts(&pages)
            .iter()
            .any(|fact| line(fact).contains("vera-vendor"))
    );
    let pages = read(connector.as_ref(), Kind::Reader).unwrap();
    assert!(
        facts(&pages)
            .iter()
            .any(|fact| line(fact) == "example/actions/FOR_ALL secrets/all-repositories")
    );
    assert!(
        notes(&pages)
            .iter()
            .any(|note| note.kind == NoteKind::Drift)
    );
}
