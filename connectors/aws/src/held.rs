//! Credentials, places of secrets with who can read them, and who can take over whom, as facts. Pure.

use crate::judge::Says;
use crate::map::{Map, said_how, say};
use crate::objects::{AccessKey, Means, Other, Role, ServerCertificate, Shelf, Sort, User};
use crate::report::ROOT;
use crate::shelves::{Key, Own};
use crate::trust::{Outsider, outsiders};
use lastkey_contract::facts::{
    Attributes, Control, ControlMeans, Credential, CredentialKind, Location, LocationKind,
    Principal, PrincipalType, Reader,
};

/// What IAM lets one do to a user's sign-in.
const OVER_USERS: [(&str, ControlMeans); 3] = [
    ("iam:CreateAccessKey", ControlMeans::MintCredential),
    ("iam:CreateLoginProfile", ControlMeans::ResetPassword),
    ("iam:UpdateLoginProfile", ControlMeans::ResetPassword),
];

impl Map<'_> {
    fn credential(&self, id: &str, kind: CredentialKind, account: &str) -> Credential {
        Credential::of(self.system.clone(), id, kind, account)
    }

    /// Password and keys of the root user, as far as the credential report tells.
    pub fn root_credentials(&self) -> Vec<Credential> {
        let root = self.known.judge.account.as_str();
        let Some(row) = self.row(ROOT) else {
            // The summary tells that there are keys, and not which.
            let keys = self.known.iam.summary.get("AccountAccessKeysPresent");
            let keys = (1..=keys.copied().unwrap_or_default()).map(|number| {
                self.credential(
                    &format!("{root}/access_key_{number}"),
                    CredentialKind::AccessKey,
                    root,
                )
            });
            return keys.collect();
        };
        let mut password =
            self.credential(&format!("password/{root}"), CredentialKind::Password, root);
        password.enabled = Some(true);
        password.last_used_at = row.when("password_last_used");
        password.rotated_at = row.when("password_last_changed");
        let mut made = vec![password];
        for number in [1, 2] {
            let column = |name: &str| format!("access_key_{number}_{name}");
            if row.is(&column("active")) != Some(true) {
                continue;
            }
            let id = format!("{root}/access_key_{number}");
            let mut key = self.credential(&id, CredentialKind::AccessKey, root);
            key.enabled = Some(true);
            key.rotated_at = row.when(&column("last_rotated"));
            key.last_used_at = row.when(&column("last_used_date"));
            said_use(
                &mut key.attributes,
                row.said(&column("last_used_service")),
                row.said(&column("last_used_region")),
            );
            made.push(key);
        }
        made
    }

    /// Everything that a user signs in with.
    pub fn credentials(&self, user: &User, means: &Means) -> Vec<Credential> {
        let mut made = Vec::new();
        if let Some(Some(password)) = &means.password {
            let id = format!("password/{}", user.id);
            let mut credential = self.credential(&id, CredentialKind::Password, &user.id);
            credential.enabled = Some(true);
            credential.created_at = password.created;
            credential.last_used_at = user.password_used;
            if password.must_change {
                say(&mut credential.attributes, "must_change", "yes");
            }
            if let Some(row) = self.row(&user.arn) {
                credential.rotated_at = row.when("password_last_changed");
                if let Some(due) = row.when("password_next_rotation") {
                    say(
                        &mut credential.attributes,
                        "due_for_change_at",
                        due.to_text(),
                    );
                }
            }
            made.push(credential);
        }
        made.extend(
            means
                .keys
                .iter()
                .flatten()
                .map(|key| self.access_key(user, key)),
        );
        made.extend(
            means
                .others
                .iter()
                .flatten()
                .map(|other| self.other(user, other)),
        );
        made
    }

    fn access_key(&self, user: &User, key: &AccessKey) -> Credential {
        let mut made = self.credential(&key.id, CredentialKind::AccessKey, &user.id);
        made.name = Some(key.id.clone());
        made.enabled = Some(key.active);
        made.created_at = key.created;
        made.last_used_at = key.used;
        let (service, region) = (key.used_for.as_deref(), key.used_in.as_deref());
        said_use(&mut made.attributes, service, region);
        made
    }

    fn other(&self, user: &User, other: &Other) -> Credential {
        let kind = match other.sort {
            Sort::Certificate => CredentialKind::Certificate,
            Sort::SshKey => CredentialKind::SshKey,
            Sort::OfService => CredentialKind::ApiKey,
        };
        let mut made = self.credential(&other.id, kind, &user.id);
        made.name = other.name.clone();
        made.enabled = Some(other.active);
        made.created_at = other.created;
        made.expires_at = other.ends;
        say(
            &mut made.attributes,
            "service",
            other.service.clone().unwrap_or_default(),
        );
        made
    }

    pub fn server_certificate(&self, told: &ServerCertificate) -> Credential {
        let mut made = self.credential(&told.id, CredentialKind::Certificate, "");
        made.account_id = None;
        made.name = Some(told.name.clone());
        made.created_at = told.uploaded;
        made.expires_at = told.ends;
        say(&mut made.attributes, "arn", told.arn.as_str());
        say(&mut made.attributes, "type", "server certificate");
        made
    }

    /// A secret or parameter; `set` is when its value was set.
    pub fn location(&self, shelf: &Shelf, set: Option<lastkey_contract::When>) -> Location {
        let mut made = Location::of(self.system.clone(), shelf.path(), LocationKind::Vault);
        made.last_rotated_at = set.or(shelf.rotated);
        let attributes = &mut made.attributes;
        say(attributes, "arn", shelf.arn.as_str());
        for (name, text) in &shelf.told {
            say(attributes, name, text.as_str());
        }
        for (key, value) in &shelf.tags {
            say(attributes, &format!("tag:{key}"), value.as_str());
        }
        let key = match (shelf.encrypted, &shelf.key) {
            (false, _) => "none: it is kept in plain",
            (true, None) => "AWS's own",
            (true, Some(key)) => key,
        };
        say(attributes, "key", key);
        made
    }

    pub fn readers(&self, shelf: &Shelf, own: &Own, key: &Key) -> Vec<Reader> {
        let judge = self.known.judge;
        let path = shelf.path();
        let found = judge.readers(shelf, own, key).into_iter();
        found
            .map(|(id, says)| {
                let principal = self.principal(PrincipalType::Account, id);
                let mut reader = Reader::of(principal, path.as_str());
                said_how(&mut reader.attributes, says, judge.unless.as_deref());
                reader
            })
            .collect()
    }

    fn control(
        &self,
        account: &str,
        principal: Principal,
        means: ControlMeans,
        says: Says,
    ) -> Control {
        let mut attributes = Attributes::new();
        said_how(&mut attributes, says, self.known.judge.unless.as_deref());
        Control {
            system: self.system.clone(),
            account_id: account.into(),
            principal,
            means,
            attributes,
        }
    }

    /// Who can have a key or a password of a user, but the user.
    pub fn over_user(&self, user: &User) -> Vec<Control> {
        let judge = self.known.judge;
        let each = OVER_USERS.iter().flat_map(|(action, means)| {
            let found = judge.over_user(action, &user.id, &user.arn).into_iter();
            found.map(|(id, says)| {
                let principal = self.principal(PrincipalType::Account, id);
                let mut control = self.control(&user.id, principal, *means, says);
                say(&mut control.attributes, "action", *action);
                control
            })
        });
        each.collect()
    }

    /// Who can assume a role: of the account, of others, by a provider's word, by Identity Center.
    pub fn over_role(&self, role: &Role) -> Vec<Control> {
        let judge = self.known.judge;
        let trust = role.trust.as_deref();
        let of = |kind, id: &str| self.principal(kind, id);
        let mut made = Vec::new();
        for (id, says) in judge.assumers(&role.arn, trust) {
            if id != role.id {
                let who = of(PrincipalType::Account, id);
                made.push(self.control(&role.id, who, ControlMeans::Assume, says));
            }
        }
        let named = trust
            .and_then(|trust| outsiders(trust, &judge.account))
            .unwrap_or_default();
        for (outsider, conditions) in named {
            let principal = match &outsider {
                Outsider::Anyone => of(PrincipalType::Account, "*"),
                Outsider::Account(id) | Outsider::Principal(id) => of(PrincipalType::Account, id),
                Outsider::Provider(id) => of(PrincipalType::Entitlement, id),
                // Services stand with the role: nobody signs in as one.
                Outsider::Service(_) => continue,
            };
            let Some(says) = judge.outsider(&outsider, &role.arn, trust) else {
                continue;
            };
            let mut control = self.control(&role.id, principal, ControlMeans::Assume, says);
            let shown: Vec<&str> = conditions.iter().map(String::as_str).collect();
            say(&mut control.attributes, "conditions", shown.join("\n"));
            made.push(control);
        }
        for set in &self.known.center.sets {
            let here = self
                .role_of(set, &judge.account)
                .is_some_and(|of_set| of_set.id == role.id);
            if here {
                let id = crate::map::set_id(&set.arn, &judge.account);
                let who = of(PrincipalType::Entitlement, &id);
                let says = Says::Yes(vec!["the permission set of Identity Center".to_owned()]);
                made.push(self.control(&role.id, who, ControlMeans::Assume, says));
            }
        }
        made
    }
}

fn said_use(attributes: &mut Attributes, service: Option<&str>, region: Option<&str>) {
    say(attributes, "last_used_for", service.unwrap_or_default());
    say(attributes, "last_used_in", region.unwrap_or_default());
}
