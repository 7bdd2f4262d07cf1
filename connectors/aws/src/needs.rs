//! What is asked of AWS, and so the rights that reading needs: the one list behind the read, the check
//! and the policy.

use crate::settings::{Cloud, Part};
use lastkey_contract::Kind;

/// One action, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub action: &'static str,
    /// What is not seen without it.
    pub why: &'static str,
    /// The kinds that lack something without it.
    pub about: &'static [Kind],
    pub part: Option<Part>,
}

const ALL_KINDS: &[Kind] = &[
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Reader,
    Kind::Control,
];
const WHO: &[Kind] = &[Kind::Account];
const KEYS: &[Kind] = &[Kind::Account, Kind::Credential];
const PLACES: &[Kind] = &[Kind::Location, Kind::Reader];
const READERS: &[Kind] = &[Kind::Reader];
const POWERS: &[Kind] = &[Kind::Reader, Kind::Control];
const CENTER: &[Kind] = &[Kind::Account, Kind::Entitlement, Kind::Grant, Kind::Control];
const HELD: &[Kind] = &[Kind::Entitlement, Kind::Grant, Kind::Control];

const fn need(action: &'static str, why: &'static str, about: &'static [Kind]) -> Need {
    Need {
        action,
        why,
        about,
        part: None,
    }
}

const fn of(part: Part, action: &'static str, why: &'static str, about: &'static [Kind]) -> Need {
    Need {
        action,
        why,
        about,
        part: Some(part),
    }
}

use Part::{CredentialReport, IdentityCenter, Organization, Parameters, Secrets};

pub const ALL: &[Need] = &[
    need(
        "iam:GetAccountAuthorizationDetails",
        "users, groups, roles and their policies",
        ALL_KINDS,
    ),
    need("iam:ListUsers", "when a password was last used", KEYS),
    need(
        "iam:GetAccountSummary",
        "whether the root user has MFA and keys",
        KEYS,
    ),
    need("iam:GetLoginProfile", "who has a password", KEYS),
    need("iam:ListMFADevices", "who has a second factor", WHO),
    need("iam:ListAccessKeys", "access keys", KEYS),
    need(
        "iam:GetAccessKeyLastUsed",
        "when an access key was last used",
        KEYS,
    ),
    need(
        "iam:ListSigningCertificates",
        "signing certificates of users",
        KEYS,
    ),
    need("iam:ListSSHPublicKeys", "SSH keys of users", KEYS),
    need(
        "iam:ListServiceSpecificCredentials",
        "credentials of users for single services",
        KEYS,
    ),
    need(
        "iam:ListServerCertificates",
        "server certificates",
        &[Kind::Credential],
    ),
    need("iam:ListOpenIDConnectProviders", "OIDC providers", HELD),
    need(
        "iam:GetOpenIDConnectProvider",
        "what an OIDC provider is for",
        &[Kind::Entitlement],
    ),
    need("iam:ListSAMLProviders", "SAML providers", HELD),
    of(
        CredentialReport,
        "iam:GenerateCredentialReport",
        "the credential report, where it is older than four hours",
        KEYS,
    ),
    of(
        CredentialReport,
        "iam:GetCredentialReport",
        "password and keys of the root user, when passwords were changed",
        KEYS,
    ),
    of(
        Organization,
        "organizations:DescribeOrganization",
        "whether an organisation stands over the account",
        POWERS,
    ),
    of(
        Organization,
        "organizations:ListAccounts",
        "accounts of the organisation",
        &[Kind::Entitlement],
    ),
    of(
        Organization,
        "organizations:ListParents",
        "which policies of the organisation count",
        POWERS,
    ),
    of(
        Organization,
        "organizations:ListPoliciesForTarget",
        "which policies of the organisation count",
        POWERS,
    ),
    of(
        Organization,
        "organizations:DescribePolicy",
        "what policies of the organisation say",
        POWERS,
    ),
    of(
        IdentityCenter,
        "sso:ListInstances",
        "whether there is an Identity Center",
        CENTER,
    ),
    of(
        IdentityCenter,
        "sso:ListPermissionSets",
        "permission sets",
        HELD,
    ),
    of(
        IdentityCenter,
        "sso:DescribePermissionSet",
        "names of permission sets",
        HELD,
    ),
    of(
        IdentityCenter,
        "sso:ListAccountsForProvisionedPermissionSet",
        "in which accounts a permission set counts",
        HELD,
    ),
    of(
        IdentityCenter,
        "sso:ListAccountAssignments",
        "who holds a permission set where",
        HELD,
    ),
    of(
        IdentityCenter,
        "identitystore:ListUsers",
        "users of Identity Center",
        WHO,
    ),
    of(
        IdentityCenter,
        "identitystore:ListGroups",
        "groups of Identity Center",
        &[Kind::Entitlement, Kind::Grant],
    ),
    of(
        IdentityCenter,
        "identitystore:ListGroupMemberships",
        "members of groups of Identity Center",
        &[Kind::Grant],
    ),
    of(
        Secrets,
        "secretsmanager:ListSecrets",
        "secrets by name",
        PLACES,
    ),
    of(
        Secrets,
        "secretsmanager:GetResourcePolicy",
        "what the policy of a secret says",
        READERS,
    ),
    of(
        Secrets,
        "secretsmanager:ListSecretVersionIds",
        "when a secret's value was set",
        &[Kind::Location],
    ),
    of(
        Parameters,
        "ssm:DescribeParameters",
        "parameters by name",
        PLACES,
    ),
    of(
        Parameters,
        "ssm:GetResourcePolicies",
        "what the policy of a parameter says",
        READERS,
    ),
    need("kms:DescribeKey", "which key a secret is under", READERS),
    need("kms:GetKeyPolicy", "who may decrypt with a key", READERS),
    need(
        "kms:ListGrants",
        "to whom a key is granted beside its policy",
        READERS,
    ),
];

/// The need with this action.
pub fn of_action(action: &str) -> Option<&'static Need> {
    ALL.iter().find(|need| need.action == action)
}

/// What is asked as configured; without settings, all that can be.
pub fn needs(cloud: Option<&Cloud>) -> Vec<Need> {
    let wanted = |need: &&Need| match cloud {
        None => true,
        Some(cloud) => {
            let keys =
                !need.action.starts_with("kms:") || cloud.reads(Secrets) || cloud.reads(Parameters);
            keys && need.part.is_none_or(|part| cloud.reads(part))
        }
    };
    ALL.iter().filter(wanted).copied().collect()
}
