//! A company's organisation, as GitHub's documentation writes such answers.

use super::world::{Login, Running, World};
use lastkey_contract::{Connector, Secret, Settings};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// The token of an app with exactly the rights that the README asks for.
pub const APP: &str = "ghs_canary0appTokenOfTheReader00000001";
/// The classic token of an owner: it can do more than read.
pub const CLASSIC: &str = "ghp_canary0classicTokenOfAnOwner0002";
/// The fine-grained token of a person who may hardly see anything.
pub const FEW: &str = "github_pat_canary0tokenWithFewRights03";
/// The classic token of a member who owns nothing: GitHub cuts its answers in silence.
pub const MEMBER: &str = "ghp_canary0classicTokenOfAMember0004";
/// Part of a person's token, which GitHub tells beside a classic token.
pub const LAST_EIGHT: &str = "Zx81c4n4";

/// A public key, as SSH writes it.
pub const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ3b2Z0aGVmaXJzdGtleW9mYWxsa2V5cw== somebody@host";

pub fn user(id: u64, login: &str) -> Value {
    json!({
        "login": login, "id": id, "node_id": format!("U_{id}"), "type": "User",
        "site_admin": false, "url": format!("https://api.github.com/users/{login}"),
        "a_field_of_tomorrow": { "x": [1] }
    })
}

fn with(mut value: Value, more: Value) -> Value {
    for (key, item) in more.as_object().expect("an object") {
        value[key] = item.clone();
    }
    value
}

pub fn team(id: u64, slug: &str, parent: Option<u64>) -> Value {
    json!({
        "id": id, "slug": slug, "name": slug.to_uppercase(), "description": "",
        "privacy": "closed", "permission": "pull",
        "parent": parent.map(|id| json!({ "id": id, "slug": "parent", "name": "Parent" }))
    })
}

pub fn repository(owner: &str, id: u64, name: &str, visibility: &str) -> Value {
    json!({
        "id": id, "name": name, "full_name": format!("{owner}/{name}"), "private": visibility != "public",
        "visibility": visibility, "archived": name == "old", "disabled": false, "description": null,
        "permissions": { "admin": false, "push": false, "pull": true }
    })
}

fn secret(name: &str, visibility: Option<&str>) -> Value {
    let mut made = json!({
        "name": name, "created_at": "2024-01-10T10:59:22Z", "updated_at": "2026-03-01T08:00:00Z"
    });
    if let Some(visibility) = visibility {
        made["visibility"] = json!(visibility);
    }
    made
}

pub fn deploy_key(id: u64, title: &str, read_only: bool) -> Value {
    json!({
        "id": id, "key": PUBLIC_KEY, "title": title, "read_only": read_only, "verified": true,
        "created_at": "2025-05-05T05:05:05Z", "added_by": "olga", "last_used": "2026-11-01T00:00:00Z",
        "enabled": true
    })
}

/// An organisation with nobody in it but its owner.
pub fn empty(name: &str) -> World {
    let mut world = World {
        marks: true,
        ..World::default()
    };
    let of = |rest: &str| format!("/orgs/{name}/{rest}");
    world.object(
        &format!("/orgs/{name}"),
        json!({
            "login": name, "id": 1, "default_repository_permission": "none",
            "two_factor_requirement_enabled": true, "total_private_repos": 0,
            "plan": { "name": "enterprise", "space": 1 }
        }),
    );
    world.object(
        "/installation/repositories",
        json!({ "total_count": 0, "repository_selection": "all", "repositories": [] }),
    );
    for rest in [
        "members?role=admin",
        "members?role=member",
        "members?filter=2fa_disabled",
        "outside_collaborators",
        "invitations",
        "teams",
        "repos",
        "personal-access-tokens",
        "credential-authorizations",
        "audit-log",
    ] {
        world.list(&of(rest), Vec::new());
    }
    for (rest, field) in [
        ("installations", "installations"),
        ("organization-roles", "roles"),
        ("custom-repository-roles", "custom_roles"),
        ("actions/secrets", "secrets"),
        ("dependabot/secrets", "secrets"),
    ] {
        world.below(&of(rest), field, Vec::new());
    }
    world.list(&of("members?role=admin"), vec![user(11, "olga")]);
    let logins = [
        (APP, Login::default()),
        (
            CLASSIC,
            Login {
                user: Some("olga"),
                role: Some("admin"),
                scopes: Some("repo, admin:org, delete_repo"),
                ..Login::default()
            },
        ),
        (
            MEMBER,
            Login {
                user: Some("anna"),
                role: Some("member"),
                scopes: Some("repo, read:org"),
                hidden: vec![
                    ("filter=2fa_disabled", 422),
                    ("outside_collaborators", 403),
                    ("personal-access-tokens", 403),
                    ("credential-authorizations", 403),
                    ("/invitations", 404),
                    ("/installations", 403),
                ],
            },
        ),
        (
            FEW,
            Login {
                user: Some("anna"),
                hidden: vec![
                    ("/teams", 403),
                    ("outside_collaborators", 403),
                    ("/invitations", 403),
                    ("/installations", 403),
                    ("organization-roles", 404),
                    ("custom-repository-roles", 404),
                    ("/secrets", 403),
                    ("/keys", 404),
                    ("/collaborators", 403),
                    ("/environments", 404),
                    ("personal-access-tokens", 403),
                    ("credential-authorizations", 404),
                    ("filter=2fa_disabled", 422),
                ],
                ..Login::default()
            },
        ),
    ];
    world.logins = logins
        .map(|(token, login)| (token.to_owned(), login))
        .into();
    world
}

/// Puts a repository in, with nothing of its own.
pub fn put_repository(world: &mut World, name: &str, repository: Value) {
    let path = format!(
        "/repos/{}",
        repository["full_name"].as_str().expect("a name")
    );
    world.object(&path, repository.clone());
    world.list(
        &format!("{path}/collaborators?affiliation=direct"),
        Vec::new(),
    );
    world.list(&format!("{path}/collaborators"), Vec::new());
    world.list(&format!("{path}/keys"), Vec::new());
    world.below(&format!("{path}/actions/secrets"), "secrets", Vec::new());
    world.below(&format!("{path}/dependabot/secrets"), "secrets", Vec::new());
    world.below(&format!("{path}/environments"), "environments", Vec::new());
    let list = world
        .lists
        .entry(format!("/orgs/{name}/repos"))
        .or_default();
    list.1.push(repository);
}

/// A team, with who is in it and what it may.
fn put_team(
    world: &mut World,
    name: &str,
    team: Value,
    people: [Vec<Value>; 2],
    repos: Vec<Value>,
) {
    let slug = team["slug"].as_str().expect("a slug").to_owned();
    let [maintainers, members] = people;
    let path = format!("/orgs/{name}/teams/{slug}");
    world.list(&format!("{path}/members?role=maintainer"), maintainers);
    world.list(&format!("{path}/members?role=member"), members);
    world.list(&format!("{path}/repos"), repos);
    world
        .lists
        .entry(format!("/orgs/{name}/teams"))
        .or_default()
        .1
        .push(team);
}

/// The company: `example`.
pub fn company() -> World {
    let name = "example";
    let mut world = empty(name);
    let of = |rest: &str| format!("/orgs/{name}/{rest}");
    world.object(
        &format!("/orgs/{name}"),
        json!({
            "login": name, "id": 1, "default_repository_permission": "read",
            "two_factor_requirement_enabled": false, "total_private_repos": 2,
            "plan": { "name": "enterprise", "space": 1 }
        }),
    );
    let [olga, omar] = [user(11, "olga"), user(12, "omar")];
    let [anna, ben, cleo, dan] = [
        user(21, "anna"),
        user(22, "ben"),
        user(23, "cleo"),
        user(24, "dan"),
    ];
    let vera = user(31, "vera-vendor");
    world.list(&of("members?role=admin"), vec![olga.clone(), omar]);
    let plain = vec![anna.clone(), ben.clone(), cleo.clone(), dan.clone()];
    world.list(&of("members?role=member"), plain);
    world.list(&of("members?filter=2fa_disabled"), vec![ben.clone()]);
    world.list(&of("outside_collaborators"), vec![vera.clone()]);
    world.list(
        &of("invitations"),
        vec![
            json!({
                "id": 7, "login": null, "email": "new@example.org", "role": "direct_member",
                "created_at": "2026-11-20T08:00:00Z", "failed_at": null, "failed_reason": null,
                "inviter": { "login": "olga", "id": 11 }, "team_count": 1, "invitation_source": "member"
            }),
            json!({
                "id": 8, "login": "ida", "email": null, "role": "billing_manager",
                "created_at": "2026-11-21T08:00:00Z", "inviter": null, "team_count": 0
            }),
        ],
    );
    let platform = team(41, "platform", None);
    world.list(&of("invitations/7/teams"), vec![platform.clone()]);
    world.below(
        &of("installations"),
        "installations",
        vec![
            json!({
                "id": 51, "app_id": 501, "app_slug": "deployer", "repository_selection": "all",
                "permissions": { "contents": "write", "metadata": "read", "workflows": "write" },
                "created_at": "2023-02-03T04:05:06Z", "updated_at": "2024-02-03T04:05:06Z",
                "suspended_at": null, "suspended_by": null
            }),
            json!({
                "id": 52, "app_id": 502, "app_slug": "reader", "repository_selection": "selected",
                "permissions": { "metadata": "read", "issues": "read" },
                "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
                "suspended_at": "2026-01-01T00:00:00Z", "suspended_by": { "login": "olga" }
            }),
        ],
    );
    let [site, shop] = [
        repository(name, 61, "site", "public"),
        repository(name, 62, "shop", "private"),
    ];
    let tools = repository(name, 63, "tools", "internal");
    for repository in [&site, &shop, &tools] {
        put_repository(&mut world, name, repository.clone());
    }
    let may =
        |repository: &Value, role: &str| with(repository.clone(), json!({ "role_name": role }));
    put_team(
        &mut world,
        name,
        platform,
        [vec![anna.clone()], vec![ben.clone()]],
        vec![may(&shop, "write")],
    );
    put_team(
        &mut world,
        name,
        team(42, "oncall", Some(41)),
        [Vec::new(), vec![ben.clone()]],
        vec![may(&tools, "admin")],
    );
    put_team(
        &mut world,
        name,
        with(
            team(43, "web", None),
            json!({ "privacy": "secret", "description": "the site" }),
        ),
        [Vec::new(), vec![cleo.clone()]],
        vec![may(&site, "releaser")],
    );
    world.below(
        &of("custom-repository-roles"),
        "custom_roles",
        vec![json!({
            "id": 71, "name": "releaser", "description": "", "base_role": "write",
            "permissions": ["delete_alerts_code_scanning"], "organization": { "login": name, "id": 1 }
        })],
    );
    world.below(
        &of("organization-roles"),
        "roles",
        vec![
            json!({
                "id": 81, "name": "security_manager", "description": "looks after alerts",
                "base_role": "read", "source": "Predefined", "permissions": ["read_audit_logs", "write_security"]
            }),
            json!({
                "id": 82, "name": "auditor", "description": null, "base_role": null,
                "source": "Organization", "permissions": ["read_audit_logs"]
            }),
        ],
    );
    world.list(
        &of("organization-roles/81/teams"),
        vec![with(
            team(41, "platform", None),
            json!({ "assignment": "direct" }),
        )],
    );
    world.list(
        &of("organization-roles/81/users"),
        vec![
            with(dan.clone(), json!({ "assignment": "direct" })),
            with(anna.clone(), json!({ "assignment": "indirect" })),
        ],
    );
    world.list(&of("organization-roles/82/teams"), Vec::new());
    world.list(&of("organization-roles/82/users"), vec![cleo.clone()]);
    let shop_path = format!("/repos/{name}/shop");
    world.list(
        &format!("{shop_path}/collaborators?affiliation=direct"),
        vec![
            with(vera, json!({ "role_name": "maintain" })),
            with(dan, json!({ "role_name": "push" })),
        ],
    );
    let odd = lastkey_conformance::odd_texts();
    let keys = odd.iter().enumerate();
    let keys = keys.map(|(at, (_, text))| deploy_key(900 + at as u64, text, at % 2 == 0));
    world.list(&format!("{shop_path}/keys"), keys.collect());
    world.list(
        &format!("/repos/{name}/tools/keys"),
        vec![
            deploy_key(801, "backup", true),
            deploy_key(802, "release", false),
        ],
    );
    world.below(
        &format!("{shop_path}/actions/secrets"),
        "secrets",
        vec![secret("DB_PASSWORD", None)],
    );
    world.below(
        &format!("{shop_path}/dependabot/secrets"),
        "secrets",
        vec![secret("NPM_TOKEN", None)],
    );
    world.below(
        &format!("{shop_path}/environments"),
        "environments",
        vec![json!({
            "id": 91, "name": "prod/eu", "protection_rules": [{ "id": 1, "type": "required_reviewers" }]
        })],
    );
    world.below(
        &format!("{shop_path}/environments/prod%2Feu/secrets"),
        "secrets",
        vec![secret("DB_PASSWORD", None)],
    );
    world.below(
        &of("actions/secrets"),
        "secrets",
        vec![
            secret("FOR_ALL", Some("all")),
            secret("FOR_PRIVATE", Some("private")),
            secret("FOR_SOME", Some("selected")),
        ],
    );
    world.below(
        &of("dependabot/secrets"),
        "secrets",
        vec![secret("FOR_ALL", Some("all"))],
    );
    world.below(
        &of("actions/secrets/FOR_SOME/repositories"),
        "repositories",
        vec![shop],
    );
    world.list(
        &of("personal-access-tokens"),
        vec![
            json!({
                "id": 101, "owner": anna, "repository_selection": "all", "repositories_url": "https://x",
                "permissions": { "organization": { "members": "read" }, "repository": { "metadata": "read" } },
                "access_granted_at": "2026-02-16T08:47:09Z", "token_expired": false,
                "token_expires_at": "2026-12-16T08:47:09Z", "token_id": 1010, "token_name": "laptop",
                "token_last_used_at": "2026-11-21T09:00:00Z"
            }),
            json!({
                "id": 102, "owner": ben, "repository_selection": "none", "permissions": {},
                "access_granted_at": "2026-01-16T08:47:09Z", "token_expired": true,
                "token_expires_at": "2026-02-16T08:47:09Z", "token_last_used_at": null
            }),
        ],
    );
    world.list(
        &of("credential-authorizations"),
        vec![
            json!({
                "login": "Anna", "credential_id": 161_195, "credential_type": "personal access token",
                "token_last_eight": LAST_EIGHT, "credential_authorized_at": "2025-01-26T19:06:43Z",
                "credential_accessed_at": "2026-10-26T19:06:43Z", "authorized_credential_id": 12_345,
                "authorized_credential_note": "old scripts", "authorized_credential_expires_at": null,
                "scopes": ["repo", "user"]
            }),
            json!({
                "login": "gone-girl", "credential_id": 161_196, "credential_type": "SSH key",
                "credential_authorized_at": "2025-01-26T19:06:43Z", "credential_accessed_at": null,
                "fingerprint": "SHA256:abc", "authorized_credential_title": "an old laptop"
            }),
        ],
    );
    world.list(
        &of("audit-log"),
        vec![
            json!({ "@timestamp": 1_795_000_000_000_i64, "actor": "Olga", "action": "org.update_member", "_document_id": "a" }),
            json!({ "@timestamp": 1_794_000_000_000_i64, "actor": "olga", "action": "team.create", "_document_id": "b" }),
        ],
    );
    world
}

/// An organisation of so many members and teams, whose names are so long.
pub fn large(name: &str, members: u32, bytes: u32) -> World {
    let mut world = empty(name);
    let length = (bytes as usize).clamp(16, 200) - 8;
    let people = (0..members).map(|n| {
        user(
            100_000 + u64::from(n),
            &format!("{n:08}{}", "x".repeat(length)),
        )
    });
    world.list(
        &format!("/orgs/{name}/members?role=member"),
        people.collect(),
    );
    world
}

/// Settings for an address and the certificate authority of what stands there.
pub fn settings(organization: &str, at: SocketAddr, ca: &Path, more: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    let ca = ca.display().to_string();
    let address = format!("https://{at}");
    for (key, value) in [
        ("organization", organization),
        ("system", "corp-github"),
        ("address", &address),
        ("ca_file", &ca),
    ]
    .iter()
    .chain(more)
    {
        settings.0.insert((*key).to_owned(), (*value).to_owned());
    }
    settings
}

pub fn connector(settings: &Settings, token: &str) -> Box<dyn Connector> {
    lastkey_github::configure(settings, Some(Secret::new(token.to_owned()))).expect("good settings")
}

/// A world behind TLS.
pub struct Behind {
    pub running: Running,
    pub proxy: lastkey_conformance::proxy::HttpProxy,
    pub ca_pem: String,
    folder: tempfile::TempDir,
}

impl Behind {
    pub fn tls(world: World) -> Behind {
        use lastkey_conformance::proxy::{Authority, HttpProxy, Upstream};
        let running = world.run();
        let address = running.server.address();
        let authority = Authority::new("Contract CA").expect("an authority");
        let proxy = HttpProxy::start(Upstream::Plain { address }, &authority).expect("a proxy");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("its certificate");
        Behind {
            running,
            proxy,
            ca_pem: authority.pem().to_owned(),
            folder,
        }
    }

    pub fn ca(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The connector of an organisation, with this token.
    pub fn connector(
        &self,
        organization: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Box<dyn Connector> {
        let settings = settings(organization, self.proxy.address(), &self.ca(), more);
        connector(&settings, token)
    }
}
