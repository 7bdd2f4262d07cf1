//! What each kind is read from.

use super::*;

#[test]
fn accounts_are_people_invitations_apps_and_deploy_keys() {
    check(
        Kind::Account,
        &["1", "2", "3", "inv", "inst", "deploy-key/80"],
        &[
            "11 olga on=Some(true) mfa=Some(true) far=Some(true)",
            "12 omar on=Some(true) mfa=Some(true) far=Some(true)",
            "21 anna on=Some(true) mfa=Some(true) far=None",
            "22 ben on=Some(true) mfa=Some(false) far=None",
            "23 cleo on=Some(true) mfa=Some(true) far=None",
            "24 dan on=Some(true) mfa=Some(true) far=None",
            "31 vera-vendor on=Some(true) mfa=None far=None",
            "deploy-key/801 backup on=Some(true) mfa=None far=None",
            "deploy-key/802 release on=Some(true) mfa=None far=None",
            "installation/51 deployer on=Some(true) mfa=None far=Some(true)",
            "installation/52 reader on=Some(false) mfa=None far=Some(false)",
            "invitation/7 new@example.org on=None mfa=None far=None",
            "invitation/8 ida on=None mfa=None far=None",
        ],
    );
}

#[test]
fn entitlements_are_roles_teams_rights_and_permissions() {
    check(
        Kind::Entitlement,
        &[
            "role",
            "organization",
            "team",
            "repository/62",
            "app",
            "secrets",
        ],
        &[
            "app-permission/contents:write contents:write far=Some(false)",
            "app-permission/issues:read issues:read far=Some(false)",
            "app-permission/metadata:read metadata:read far=Some(false)",
            "app-permission/workflows:write workflows:write far=Some(true)",
            "organization-role/81 security_manager far=Some(true)",
            "organization-role/82 auditor far=Some(false)",
            "repository/62/admin admin on shop far=Some(true)",
            "repository/62/maintain maintain on shop far=Some(false)",
            "repository/62/read read on shop far=Some(false)",
            "repository/62/releaser releaser on shop far=Some(false)",
            "repository/62/triage triage on shop far=Some(false)",
            "repository/62/write write on shop far=Some(false)",
            "role/member Organisation member far=Some(false)",
            "role/owner Organisation owner far=Some(true)",
            "secrets/all-repositories Writes to some repository far=Some(false)",
            "secrets/private-repositories Writes to some repository that is not public far=Some(false)",
            "team/41 PLATFORM far=None",
            "team/42 ONCALL far=None",
            "team/43 WEB far=None",
        ],
    );
}

#[test]
fn grants_lead_through_teams_roles_and_rights() {
    check(
        Kind::Grant,
        &[
            "1",
            "2",
            "3",
            "inv",
            "inst",
            "team",
            "role",
            "deploy-key/80",
        ],
        &[
            "11 -> role/owner active",
            "12 -> role/owner active",
            "21 -> role/member active",
            "21 -> team/41 active",
            "22 -> role/member active",
            "22 -> team/41 active",
            "22 -> team/42 active",
            "23 -> organization-role/82 active",
            "23 -> role/member active",
            "23 -> team/43 active",
            "24 -> organization-role/81 active",
            "24 -> repository/62/write active",
            "24 -> role/member active",
            "31 -> repository/62/maintain active",
            "deploy-key/801 -> repository/63/read active",
            "deploy-key/802 -> repository/63/write active",
            "installation/51 -> app-permission/contents:write active",
            "installation/51 -> app-permission/metadata:read active",
            "installation/51 -> app-permission/workflows:write active",
            "installation/52 -> app-permission/issues:read active",
            "installation/52 -> app-permission/metadata:read active",
            "invitation/7 -> role/member eligible",
            "invitation/7 -> team/41 eligible",
            "role/member -> repository/61/read active",
            "role/member -> repository/62/read active",
            "role/member -> repository/63/read active",
            "role/owner -> repository/61/admin active",
            "role/owner -> repository/62/admin active",
            "role/owner -> repository/63/admin active",
            "role/owner -> role/member active",
            "team/41 -> organization-role/81 active",
            "team/41 -> repository/62/write active",
            "team/42 -> repository/63/admin active",
            "team/42 -> team/41 active",
            "team/43 -> repository/61/releaser active",
        ],
    );
}

#[test]
fn who_may_write_may_use_the_organisations_secrets() {
    check(
        Kind::Grant,
        &["repository/61", "repository/62/w"],
        &[
            "repository/61/admin -> secrets/all-repositories active",
            "repository/61/maintain -> secrets/all-repositories active",
            "repository/61/releaser -> secrets/all-repositories active",
            "repository/61/write -> secrets/all-repositories active",
            "repository/62/write -> secrets/all-repositories active",
            "repository/62/write -> secrets/private-repositories active",
        ],
    );
}

#[test]
fn credentials_are_tokens_authorisations_and_keys() {
    check(
        Kind::Credential,
        &["fine", "auth", "deploy-key/80"],
        &[
            "authorization/161195 of 21 token on=None used=2026-10-26T19:06:43Z",
            "authorization/161196 of ? ssh_key on=None used=?",
            "deploy-key/801 of deploy-key/801 ssh_key on=Some(true) used=2026-11-01T00:00:00Z",
            "deploy-key/802 of deploy-key/802 ssh_key on=Some(true) used=2026-11-01T00:00:00Z",
            "fine-grained-token/101 of 21 token on=Some(true) used=2026-11-21T09:00:00Z",
            "fine-grained-token/102 of 22 token on=Some(false) used=?",
        ],
    );
}

#[test]
fn locations_are_names_of_secrets_with_their_last_change() {
    check(
        Kind::Location,
        &["example"],
        &[
            "example/actions/FOR_ALL 2026-03-01T08:00:00Z",
            "example/actions/FOR_PRIVATE 2026-03-01T08:00:00Z",
            "example/actions/FOR_SOME 2026-03-01T08:00:00Z",
            "example/dependabot/FOR_ALL 2026-03-01T08:00:00Z",
            "example/shop/actions/DB_PASSWORD 2026-03-01T08:00:00Z",
            "example/shop/dependabot/NPM_TOKEN 2026-03-01T08:00:00Z",
            "example/shop/environments/prod%2Feu/DB_PASSWORD 2026-03-01T08:00:00Z",
        ],
    );
}

#[test]
fn readers_are_those_who_can_change_a_workflow() {
    check(
        Kind::Reader,
        &["example/actions", "example/shop/env"],
        &[
            "example/actions/FOR_ALL role/owner",
            "example/actions/FOR_ALL secrets/all-repositories",
            "example/actions/FOR_PRIVATE role/owner",
            "example/actions/FOR_PRIVATE secrets/private-repositories",
            "example/actions/FOR_SOME repository/62/admin",
            "example/actions/FOR_SOME repository/62/maintain",
            "example/actions/FOR_SOME repository/62/releaser",
            "example/actions/FOR_SOME repository/62/write",
            "example/actions/FOR_SOME role/owner",
            "example/shop/environments/prod%2Feu/DB_PASSWORD repository/62/admin",
            "example/shop/environments/prod%2Feu/DB_PASSWORD repository/62/maintain",
            "example/shop/environments/prod%2Feu/DB_PASSWORD repository/62/releaser",
            "example/shop/environments/prod%2Feu/DB_PASSWORD repository/62/write",
        ],
    );
}
