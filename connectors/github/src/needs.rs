//! The rights that reading needs: the one list behind the check and the scripts.

use crate::settings::{Extra, Organization, Part};

/// Whose permission it is, as GitHub sorts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Organization,
    Repository,
}

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub of: Of,
    /// As the form for tokens and apps calls it.
    pub title: &'static str,
    /// As manifests and addresses call it.
    pub word: &'static str,
    /// The scope of a classic token that has it.
    pub scope: &'static str,
    /// A path to try, below the organisation or the repository.
    pub path: &'static str,
    /// What is not seen without it.
    pub why: &'static str,
    /// The part of the organisation that needs it, where it can be left out.
    pub part: Option<Part>,
}

const fn need(
    of: Of,
    title: &'static str,
    word: &'static str,
    scope: &'static str,
    path: &'static str,
    why: &'static str,
    part: Option<Part>,
) -> Need {
    Need {
        of,
        title,
        word,
        scope,
        path,
        why,
        part,
    }
}

const ALL: [Need; 17] = [
    need(
        Of::Organization,
        "Members",
        "members",
        "read:org",
        "teams",
        "members, teams and who is in them",
        None,
    ),
    need(
        Of::Organization,
        "Members",
        "members",
        "read:org",
        "outside_collaborators",
        "outside collaborators",
        None,
    ),
    need(
        Of::Organization,
        "Members",
        "members",
        "admin:org",
        "invitations",
        "pending invitations",
        Some(Part::Invitations),
    ),
    need(
        Of::Organization,
        "Administration",
        "organization_administration",
        "admin:org",
        "installations",
        "installed apps and what they may",
        Some(Part::Apps),
    ),
    need(
        Of::Organization,
        "Administration",
        "organization_administration",
        "read:org",
        "credential-authorizations",
        "classic tokens and SSH keys that were let through the single sign-on",
        Some(Part::Authorizations),
    ),
    need(
        Of::Organization,
        "Personal access tokens",
        "organization_personal_access_tokens",
        "",
        "personal-access-tokens",
        "fine-grained tokens with access; GitHub tells them to apps only",
        Some(Part::Tokens),
    ),
    need(
        Of::Organization,
        "Secrets",
        "organization_secrets",
        "admin:org",
        "actions/secrets",
        "names of the organisation's Actions secrets",
        None,
    ),
    need(
        Of::Organization,
        "Dependabot secrets",
        "organization_dependabot_secrets",
        "admin:org",
        "dependabot/secrets",
        "names of the organisation's Dependabot secrets",
        Some(Part::Dependabot),
    ),
    need(
        Of::Organization,
        "Custom organization roles",
        "organization_custom_org_roles",
        "admin:org",
        "organization-roles",
        "roles of the organisation and who holds them",
        Some(Part::OrganizationRoles),
    ),
    need(
        Of::Organization,
        "Custom repository roles",
        "organization_custom_roles",
        "admin:org",
        "custom-repository-roles",
        "which of the organisation's own roles can write",
        Some(Part::CustomRoles),
    ),
    need(
        Of::Repository,
        "Metadata",
        "metadata",
        "repo",
        "collaborators",
        "who has rights on a repository of their own",
        None,
    ),
    need(
        Of::Repository,
        "Administration",
        "administration",
        "repo",
        "keys",
        "deploy keys",
        None,
    ),
    need(
        Of::Repository,
        "Secrets",
        "secrets",
        "repo",
        "actions/secrets",
        "names of Actions secrets",
        None,
    ),
    need(
        Of::Repository,
        "Dependabot secrets",
        "dependabot_secrets",
        "repo",
        "dependabot/secrets",
        "names of Dependabot secrets",
        Some(Part::Dependabot),
    ),
    need(
        Of::Repository,
        "Actions",
        "actions",
        "repo",
        "environments",
        "environments and what limits them",
        Some(Part::Environments),
    ),
    need(
        Of::Repository,
        "Environments",
        "environments",
        "repo",
        "",
        "names of the secrets of environments",
        Some(Part::Environments),
    ),
    need(
        Of::Organization,
        "Administration",
        "organization_administration",
        "read:audit_log",
        "audit-log",
        "when accounts were last used",
        None,
    ),
];

/// All rights that reading needs as configured; without settings, all that it can need.
pub fn needs(organization: Option<&Organization>) -> Vec<Need> {
    let wanted = |need: &&Need| match organization {
        None => true,
        Some(organization) => {
            let log = need.path != "audit-log" || organization.audit_log == Extra::Read;
            log && need.part.is_none_or(|part| organization.reads(part))
        }
    };
    ALL.iter().filter(wanted).copied().collect()
}

/// The permissions of a token or an app, each once, in the order of the list.
pub fn permissions(needs: &[Need]) -> Vec<(Of, &'static str, &'static str, Vec<&'static str>)> {
    let mut all: Vec<(Of, &str, &str, Vec<&str>)> = Vec::new();
    for need in needs {
        match all.iter_mut().find(|(_, _, word, _)| *word == need.word) {
            Some((_, _, _, whys)) => whys.push(need.why),
            None => all.push((need.of, need.title, need.word, vec![need.why])),
        }
    }
    all
}
