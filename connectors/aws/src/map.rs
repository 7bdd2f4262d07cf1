//! What AWS tells as facts: accounts, entitlements and grants. Pure.

use crate::estate::Known;
use crate::judge::Says;
use crate::objects::{
    Assignment, Attached, Crowd, Group, Managed, Means, Member, PermissionSet, Person, Provider,
    Role, Tags, User, account_of,
};
use crate::report::{ROOT, Row};
use crate::trust::{Outsider, outsiders};
use lastkey_contract::facts::{
    Account, AccountKind, Attributes, Entitlement, EntitlementKind, Grant, Principal, PrincipalType,
};
use lastkey_contract::{SystemName, When};
use std::collections::{BTreeMap, BTreeSet};

/// Policies of AWS that are power over everything or over who holds what.
const POWERFUL: [&str; 3] = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"];

/// The facts of one account.
pub struct Map<'a> {
    pub system: &'a SystemName,
    pub known: &'a Known<'a>,
}

pub fn say(attributes: &mut Attributes, name: &str, text: impl Into<String>) {
    let text = text.into();
    if !text.is_empty() {
        attributes.insert(name.to_owned(), text);
    }
}

fn lines(items: impl IntoIterator<Item = impl Into<String>>) -> String {
    let all: Vec<String> = items.into_iter().map(Into::into).collect();
    all.join("\n")
}

fn said_tags(attributes: &mut Attributes, tags: &Tags) {
    for (key, value) in tags {
        say(attributes, &format!("tag:{key}"), value.as_str());
    }
}

/// What a line says of how it is known.
pub fn said_how(attributes: &mut Attributes, says: Says, unless: Option<&str>) {
    match says {
        Says::Yes(by) => {
            say(attributes, "by", lines(by));
            if let Some(why) = unless {
                say(
                    attributes,
                    "unless",
                    format!("a policy of the organisation denies it: {why}"),
                );
            }
        }
        Says::Open(on) => {
            say(attributes, "evidence", "weaker");
            say(attributes, "hangs_on", lines(on));
        }
    }
}

/// The latest of some times.
pub fn latest(times: impl IntoIterator<Item = Option<When>>) -> Option<When> {
    times.into_iter().flatten().max_by_key(|when| when.latest())
}

impl Map<'_> {
    pub fn principal(&self, kind: PrincipalType, id: &str) -> Principal {
        Principal::of(self.system.clone(), kind, id)
    }

    fn account(&self, id: &str, name: &str) -> Account {
        let mut account = Account::of(self.system.clone(), id);
        account.name = Some(name.to_owned());
        account
    }

    fn powers(&self, account: &mut Account) {
        let (certain, open) = self.known.judge.ways_up(account.id.as_str());
        account.privileged = privileged(&certain, &open);
        said_ways(&mut account.attributes, &certain, &open);
    }

    /// The root user: the account's own number is its id.
    pub fn root(&self) -> Account {
        let id = self.known.judge.account.as_str();
        let mut account = self.account(id, "root");
        account.kind = Some(AccountKind::Shared);
        account.enabled = Some(true);
        account.local_sign_in = Some(true);
        account.privileged = Some(true);
        let summary = &self.known.iam.summary;
        account.mfa = summary.get("AccountMFAEnabled").map(|count| *count > 0);
        say(&mut account.attributes, "type", "root user");
        if let Some(row) = self.row(ROOT) {
            account.mfa = row.is("mfa_active").or(account.mfa);
            account.created_at = row.when("user_creation_time");
            account.last_interactive_at = row.when("password_last_used");
            let keys = [1, 2].map(|n| row.when(&format!("access_key_{n}_last_used_date")));
            account.last_used_at = latest(keys.into_iter().chain([account.last_interactive_at]));
        }
        account
    }

    pub fn row(&self, arn: &str) -> Option<&Row> {
        self.known.report.as_ref()?.get(arn)
    }

    pub fn user(&self, user: &User, means: &Means) -> Account {
        let mut account = self.account(&user.id, &user.name);
        account.kind = match &means.password {
            Some(Some(_)) => Some(AccountKind::Human),
            Some(None) => Some(AccountKind::Service),
            None => None,
        };
        // IAM switches no user off: one who has nothing to sign in with cannot. Of one who was removed
        // after the list, only what the list told is known.
        account.enabled = (!means.gone).then_some(true);
        account.local_sign_in = signs_in(means);
        account.mfa = means.mfa.as_ref().map(|devices| !devices.is_empty());
        account.created_at = user.created;
        account.last_interactive_at = user.password_used;
        let keys = means.keys.iter().flatten().map(|key| key.used);
        account.last_used_at = latest(keys.chain([user.password_used]));
        let attributes = &mut account.attributes;
        say(attributes, "type", "IAM user");
        say(attributes, "arn", user.arn.as_str());
        say(
            attributes,
            "boundary",
            user.attached.boundary.clone().unwrap_or_default(),
        );
        say(
            attributes,
            "mfa_devices",
            lines(means.mfa.iter().flatten().cloned()),
        );
        said_tags(attributes, &user.tags);
        self.powers(&mut account);
        account
    }

    pub fn role(&self, role: &Role) -> Account {
        let mut account = self.account(&role.id, &role.name);
        account.kind = Some(match role.path.starts_with("/aws-service-role/") {
            true => AccountKind::System,
            false => AccountKind::Service,
        });
        account.enabled = Some(true);
        // Whoever may assume it signs in to it; the controls tell who.
        account.local_sign_in = Some(true);
        account.created_at = role.created;
        account.last_used_at = role.used;
        let attributes = &mut account.attributes;
        say(attributes, "type", "IAM role");
        say(attributes, "arn", role.arn.as_str());
        say(
            attributes,
            "boundary",
            role.attached.boundary.clone().unwrap_or_default(),
        );
        say(
            attributes,
            "instance_profiles",
            lines(role.profiles.iter().cloned()),
        );
        let named = role
            .trust
            .as_deref()
            .and_then(|trust| outsiders(trust, &self.known.judge.account));
        let of = |wanted: fn(&Outsider) -> Option<&String>| {
            lines(
                named
                    .iter()
                    .flat_map(|named| named.keys())
                    .filter_map(wanted)
                    .cloned(),
            )
        };
        say(
            attributes,
            "trusted_services",
            of(|who| match who {
                Outsider::Service(name) => Some(name),
                _ => None,
            }),
        );
        say(
            attributes,
            "trusted_accounts",
            of(|who| match who {
                Outsider::Account(name) | Outsider::Principal(name) => Some(name),
                _ => None,
            }),
        );
        say(
            attributes,
            "trusted_providers",
            of(|who| match who {
                Outsider::Provider(name) => Some(name),
                _ => None,
            }),
        );
        said_tags(attributes, &role.tags);
        self.powers(&mut account);
        account
    }

    /// Somebody of another account, whom a role trusts.
    pub fn outsider(&self, who: &Outsider) -> Option<Account> {
        let (id, number, name) = match who {
            Outsider::Account(number) => (number.as_str(), number.as_str(), None),
            Outsider::Principal(arn) => (arn.as_str(), account_of(arn)?, Some(arn.as_str())),
            Outsider::Anyone => ("*", "", Some("anybody with an AWS account")),
            Outsider::Provider(_) | Outsider::Service(_) => return None,
        };
        let member = self
            .known
            .over
            .members
            .iter()
            .find(|member| member.id == number);
        let of_member = member.and_then(|member| member.name.as_deref());
        let mut account = self.account(id, name.or(of_member).unwrap_or(id));
        account.kind = Some(match who {
            Outsider::Principal(_) => AccountKind::Service,
            _ => AccountKind::Shared,
        });
        account.enabled = Some(true);
        account.local_sign_in = Some(true);
        let attributes = &mut account.attributes;
        say(
            attributes,
            "type",
            match who {
                Outsider::Anyone => "everybody",
                Outsider::Principal(_) => "principal of another account",
                _ => "another account",
            },
        );
        let listed = !self.known.over.members.is_empty();
        let of_ours = match (member, listed, &self.known.over.id) {
            (Some(_), _, _) => "no: of the same organisation",
            (None, true, _) | (None, _, Some(None)) => "yes",
            (None, false, _) => "not known: the accounts of the organisation were not read",
        };
        say(attributes, "third_party", of_ours);
        Some(account)
    }

    /// A user of Identity Center.
    pub fn person(&self, person: &Person) -> Account {
        let name = person.name.as_deref().unwrap_or(&person.id);
        let mut account = self.account(&person.id, name);
        account.kind = Some(AccountKind::Human);
        account.email = person.email.clone();
        account.enabled = person.enabled;
        account.created_at = person.created;
        let attributes = &mut account.attributes;
        say(attributes, "type", "Identity Center user");
        say(
            attributes,
            "display_name",
            person.shown.clone().unwrap_or_default(),
        );
        say(
            attributes,
            "title",
            person.title.clone().unwrap_or_default(),
        );
        say(
            attributes,
            "external_id",
            person.external.clone().unwrap_or_default(),
        );
        account
    }

    fn entitlement(&self, id: &str, name: &str, kind: EntitlementKind) -> Entitlement {
        Entitlement {
            system: self.system.clone(),
            id: id.into(),
            name: Some(name.to_owned()),
            kind: Some(kind),
            privileged: None,
            environment: None,
            attributes: Attributes::new(),
        }
    }

    fn held_powers(&self, made: &mut Entitlement, attached: &Attached) {
        let (certain, open) = self.known.judge.ways_of(attached);
        made.privileged = privileged(&certain, &open);
        said_ways(&mut made.attributes, &certain, &open);
    }

    pub fn group(&self, group: &Group) -> Entitlement {
        let mut made = self.entitlement(&group.id, &group.name, EntitlementKind::Group);
        say(&mut made.attributes, "type", "IAM group");
        say(&mut made.attributes, "arn", group.arn.as_str());
        said_when(&mut made.attributes, "created_at", group.created);
        self.held_powers(&mut made, &group.attached);
        made
    }

    pub fn policy(&self, policy: &Managed) -> Entitlement {
        let mut made = self.entitlement(&policy.id, &policy.name, EntitlementKind::Policy);
        let of_aws = account_of(&policy.arn) == Some("aws");
        let attributes = &mut made.attributes;
        say(
            attributes,
            "type",
            if of_aws {
                "policy of AWS"
            } else {
                "managed policy"
            },
        );
        say(attributes, "arn", policy.arn.as_str());
        said_when(attributes, "created_at", policy.created);
        said_when(attributes, "changed_at", policy.changed);
        let attached = Attached {
            managed: vec![policy.arn.clone()],
            ..Attached::default()
        };
        self.held_powers(&mut made, &attached);
        if of_aws && POWERFUL.contains(&policy.name.as_str()) {
            made.privileged = Some(true);
        }
        made
    }

    /// The policies that stand in a user, group or role itself.
    pub fn inline(&self, owner: &str, attached: &Attached) -> Vec<Entitlement> {
        let each = attached.inline.iter().map(|text| {
            let id = inline_id(owner, &text.name);
            let mut made = self.entitlement(&id, &text.name, EntitlementKind::Policy);
            say(&mut made.attributes, "type", "inline policy");
            let alone = Attached {
                inline: vec![text.clone()],
                ..Attached::default()
            };
            self.held_powers(&mut made, &alone);
            made
        });
        each.collect()
    }

    pub fn provider(&self, provider: &Provider) -> Entitlement {
        let name = provider
            .arn
            .split_once("-provider/")
            .map_or(provider.arn.as_str(), |(_, n)| n);
        let mut made = self.entitlement(&provider.arn, name, EntitlementKind::Trust);
        let attributes = &mut made.attributes;
        say(
            attributes,
            "type",
            if provider.saml {
                "SAML provider"
            } else {
                "OIDC provider"
            },
        );
        say(
            attributes,
            "audiences",
            lines(provider.audiences.iter().cloned()),
        );
        said_when(attributes, "created_at", provider.created);
        said_when(attributes, "valid_until", provider.ends);
        made
    }

    /// A provider that a role trusts and that the account does not keep: those of AWS itself.
    pub fn foreign_provider(&self, name: &str) -> Entitlement {
        let mut made = self.entitlement(name, name, EntitlementKind::Trust);
        say(&mut made.attributes, "type", "identity provider");
        made
    }

    pub fn crowd(&self, group: &Crowd) -> Entitlement {
        let name = group.name.as_deref().unwrap_or(&group.id);
        let mut made = self.entitlement(&group.id, name, EntitlementKind::Group);
        say(&mut made.attributes, "type", "Identity Center group");
        say(
            &mut made.attributes,
            "external_id",
            group.external.clone().unwrap_or_default(),
        );
        made
    }

    pub fn member(&self, member: &Member) -> Entitlement {
        let name = member.name.as_deref().unwrap_or(&member.id);
        let mut made = self.entitlement(
            &format!("account/{}", member.id),
            name,
            EntitlementKind::Scope,
        );
        let attributes = &mut made.attributes;
        say(attributes, "type", "account of the organisation");
        say(
            attributes,
            "email",
            member.email.clone().unwrap_or_default(),
        );
        say(
            attributes,
            "status",
            member.status.clone().unwrap_or_default(),
        );
        said_when(attributes, "joined_at", member.joined);
        made
    }

    /// A permission set as it counts in one account.
    pub fn assigned(&self, set: &PermissionSet, account: &str) -> Entitlement {
        let named = self
            .known
            .over
            .members
            .iter()
            .find(|member| member.id == account);
        let shown = named
            .and_then(|member| member.name.as_deref())
            .unwrap_or(account);
        let name = format!("{} in {shown}", set.name);
        let mut made = self.entitlement(&set_id(&set.arn, account), &name, EntitlementKind::Role);
        let attributes = &mut made.attributes;
        say(attributes, "type", "permission set");
        say(attributes, "arn", set.arn.as_str());
        say(attributes, "account", account);
        say(
            attributes,
            "session_duration",
            set.session.clone().unwrap_or_default(),
        );
        said_when(attributes, "created_at", set.created);
        if POWERFUL.contains(&set.name.as_str()) {
            made.privileged = Some(true);
        }
        if let Some(role) = self.role_of(set, account) {
            made.privileged = self.role(role).privileged.or(made.privileged);
        }
        made
    }

    /// The role that Identity Center made for a permission set, where the account is this one.
    pub fn role_of(&self, set: &PermissionSet, account: &str) -> Option<&Role> {
        if account != self.known.judge.account {
            return None;
        }
        let begins = format!("AWSReservedSSO_{}_", set.name);
        let of = |role: &&Role| {
            let rest = role.name.strip_prefix(&begins);
            role.path.starts_with("/aws-reserved/") && rest.is_some_and(|rest| !rest.contains('_'))
        };
        self.known.iam.roles.iter().find(of)
    }

    fn grant(&self, principal: Principal, entitlement: &str) -> Grant {
        Grant::of(principal, entitlement)
    }

    /// What a user, role or group holds of policies.
    pub fn attached(&self, kind: PrincipalType, id: &str, attached: &Attached) -> Vec<Grant> {
        let inline = attached.inline.iter().map(|text| inline_id(id, &text.name));
        let managed = attached.managed.iter().map(|arn| self.policy_id(arn));
        let ids: BTreeSet<String> = inline.chain(managed).collect();
        ids.iter()
            .map(|entitlement| self.grant(self.principal(kind, id), entitlement))
            .collect()
    }

    fn policy_id(&self, arn: &str) -> String {
        let found = self
            .known
            .iam
            .policies
            .iter()
            .find(|policy| policy.arn == arn);
        found.map_or(arn, |policy| policy.id.as_str()).to_owned()
    }

    pub fn memberships(&self, user: &User) -> Vec<Grant> {
        let groups: BTreeMap<&str, &str> = self
            .known
            .iam
            .groups
            .iter()
            .map(|g| (g.name.as_str(), g.id.as_str()))
            .collect();
        let ids: BTreeSet<&str> = user
            .groups
            .iter()
            .map(|name| groups.get(name.as_str()).copied().unwrap_or(name.as_str()))
            .collect();
        let holder = || self.principal(PrincipalType::Account, &user.id);
        ids.into_iter().map(|id| self.grant(holder(), id)).collect()
    }

    pub fn crowd_member(&self, group: &str, user: &str) -> Grant {
        self.grant(self.principal(PrincipalType::Account, user), group)
    }

    pub fn assignment(&self, assignment: &Assignment) -> Vec<Grant> {
        let kind = match assignment.to_group {
            true => PrincipalType::Entitlement,
            false => PrincipalType::Account,
        };
        let id = set_id(&assignment.set, &assignment.account);
        let mut grants = vec![self.grant(self.principal(kind, &assignment.principal), &id)];
        if self
            .known
            .over
            .members
            .iter()
            .any(|member| member.id == assignment.account)
        {
            let account = format!("account/{}", assignment.account);
            let set = self.principal(PrincipalType::Entitlement, &id);
            grants.push(self.grant(set, &account));
        }
        grants
    }
}

/// `inline/AIDA…/NAME`; names are told with their owner's.
fn inline_id(owner: &str, name: &str) -> String {
    let own = name.split_once('/').map_or(name, |(_, own)| own);
    format!("inline/{owner}/{own}")
}

/// `ssoins-1/ps-1/111122223333`
pub fn set_id(arn: &str, account: &str) -> String {
    let set = arn
        .split_once(":permissionSet/")
        .map_or(arn, |(_, set)| set);
    format!("{set}/{account}")
}

fn said_when(attributes: &mut Attributes, name: &str, when: Option<When>) {
    if let Some(when) = when {
        say(attributes, name, when.to_text());
    }
}

fn said_ways(attributes: &mut Attributes, certain: &BTreeSet<&str>, open: &BTreeSet<&str>) {
    say(attributes, "ways_up", lines(certain.iter().copied()));
    say(attributes, "ways_up_perhaps", lines(open.iter().copied()));
}

fn privileged(certain: &BTreeSet<&str>, open: &BTreeSet<&str>) -> Option<bool> {
    match (certain.is_empty(), open.is_empty()) {
        (false, _) => Some(true),
        (true, false) => None,
        (true, true) => Some(false),
    }
}

/// Whether there is anything to sign in with; None where that is not known.
fn signs_in(means: &Means) -> Option<bool> {
    let password = means.password.as_ref().map(Option::is_some);
    let keys = means
        .keys
        .as_ref()
        .map(|keys| keys.iter().any(|key| key.active));
    let others = means
        .others
        .as_ref()
        .map(|others| others.iter().any(|other| other.active));
    let all = [password, keys, others];
    match all.contains(&Some(true)) {
        true => Some(true),
        false if all.contains(&None) => None,
        false => Some(false),
    }
}
