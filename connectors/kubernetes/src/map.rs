//! What is known of a cluster, as facts. Pure.

use crate::certificates::Certified;
use crate::objects::{CLOUDS, SecretSeen, TOKEN_OF};
use crate::powers::Powers;
use crate::rbac::{Held, Who, of_service_account, service_account};
use crate::shelves::{Shelf, Shelves};
use crate::standing::{Person, Standing};
use chrono::{DateTime, NaiveDate, Utc};
use lastkey_contract::facts::{
    Account, AccountKind, Attributes, Control, ControlMeans, Credential, CredentialKind,
    Entitlement, EntitlementKind, Grant, Location, LocationKind, Principal, PrincipalType, Reader,
};
use lastkey_contract::{Fact, SystemName, When};

/// How many lines of an attribute are told one by one.
const TOLD: usize = 40;

fn at(text: Option<&str>) -> Option<When> {
    let at = DateTime::parse_from_rfc3339(text?).ok()?;
    Some(When::At(at.with_timezone(&Utc)))
}

/// A day as labels have it: `2026-11-22`.
fn day(text: Option<&String>) -> Option<When> {
    let date = NaiveDate::parse_from_str(text?, "%Y-%m-%d").ok()?;
    When::day(date, &Utc)
}

fn say(attributes: &mut Attributes, key: &str, text: impl Into<String>) {
    let text = text.into();
    if !text.is_empty() {
        attributes.insert(key.to_owned(), text);
    }
}

/// Lines with commas between; of many the first, and how many more there are.
fn lines<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<T> = all.into_iter().collect();
    let shown = all.iter().take(TOLD).map(AsRef::as_ref);
    let mut text = shown.collect::<Vec<&str>>().join(", ");
    if all.len() > TOLD {
        text.push_str(&format!(", and {} more", all.len() - TOLD));
    }
    text
}

/// The id of a group.
pub fn group_id(name: &str) -> String {
    format!("group/{name}")
}

/// The id of the credential that a Secret or a signing request is.
fn credential_id(sort: &str, path: &str) -> String {
    format!("{sort}/{path}")
}

/// The facts of one cluster.
pub struct Map<'a> {
    pub system: &'a SystemName,
    pub standing: &'a Standing,
}

impl Map<'_> {
    fn principal(&self, who: &Who) -> Principal {
        let (kind, id) = match who {
            Who::User(user) => (PrincipalType::Account, user.clone()),
            Who::Group(group) => (PrincipalType::Entitlement, group_id(group)),
        };
        Principal::of(self.system.clone(), kind, id)
    }

    fn held(&self, held: &Held) -> Principal {
        Principal::of(self.system.clone(), PrincipalType::Entitlement, held.id())
    }

    /// An account: a service account, or whoever a binding or a certificate names.
    pub fn account(&self, user: &str, person: &Person) -> Fact {
        let mut attributes = Attributes::new();
        let service = person.service.as_ref();
        let own = of_service_account(user);
        if let Some((namespace, _)) = own {
            say(&mut attributes, "namespace", namespace);
        }
        if let Some(service) = service {
            let told = &service.metadata.annotations.told;
            for cloud in CLOUDS {
                if let Some(identity) = told.get(cloud) {
                    say(&mut attributes, cloud, identity);
                }
            }
            if service.automount_service_account_token == Some(false) {
                say(
                    &mut attributes,
                    "token_mounted",
                    "no, where a pod does not ask for it",
                );
            }
            let secrets = service.secrets.iter().map(|named| &named.name);
            say(&mut attributes, "names_secrets", lines(secrets));
        } else {
            let mut by = Vec::new();
            if !person.bound_by.is_empty() {
                by.push("bindings");
            }
            if !person.certified_by.is_empty() {
                by.push("certificates");
            }
            say(&mut attributes, "known_by", lines(by));
        }
        let kind = match (own, user.strip_prefix("system:")) {
            (Some(_), _) => Some(AccountKind::Service),
            (None, Some(_)) => Some(AccountKind::System),
            (None, None) => None,
        };
        Fact::Account(Account {
            name: Some(own.map_or(user.to_owned(), |(space, name)| format!("{space}/{name}"))),
            kind,
            // A service account that is there can always be signed in to; of a user nothing is kept.
            enabled: service.map(|_| true),
            created_at: at(service.and_then(|s| s.metadata.creation_timestamp.as_deref())),
            attributes,
            ..Account::of(self.system.clone(), user)
        })
    }

    fn entitlement(
        &self,
        id: String,
        name: String,
        kind: EntitlementKind,
        privileged: bool,
        attributes: Attributes,
    ) -> Fact {
        Fact::Entitlement(Entitlement {
            system: self.system.clone(),
            id: id.into(),
            name: Some(name),
            kind: Some(kind),
            privileged: Some(privileged),
            environment: None,
            attributes,
        })
    }

    /// A group that something names.
    pub fn group(&self, name: &str) -> Fact {
        let privileged = name == crate::rbac::MASTERS;
        let mut attributes = Attributes::new();
        if privileged {
            let why = "the server lets its members through before any rule is asked";
            say(&mut attributes, "rights", why);
        }
        let kind = EntitlementKind::Group;
        self.entitlement(
            group_id(name),
            name.to_owned(),
            kind,
            privileged,
            attributes,
        )
    }

    /// A role where it is bound.
    pub fn role(&self, held: &Held) -> Fact {
        let (name, gathers) = match held {
            Held::Everywhere(role) => (role.clone(), self.standing.gathers.get(role)),
            Held::Within(role, namespace) => (
                format!("{role} in {namespace}"),
                self.standing.gathers.get(role),
            ),
            Held::Local(namespace, role) => (format!("{role} in {namespace}"), None),
        };
        let mut attributes = Attributes::new();
        let rules = self.standing.access.rules(held);
        say(
            &mut attributes,
            "namespace",
            held.namespace().unwrap_or_default(),
        );
        match rules {
            Some(rules) => {
                let text = rules
                    .iter()
                    .map(crate::rbac::Rule::line)
                    .collect::<Vec<_>>();
                let shown = text
                    .iter()
                    .take(TOLD)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("; ");
                let more = match text.len() > TOLD {
                    true => format!("; and {} more", text.len() - TOLD),
                    false => String::new(),
                };
                say(&mut attributes, "rules", format!("{shown}{more}"));
            }
            None => say(&mut attributes, "rules", "not known: the role was not read"),
        }
        if let Some(gathers) = gathers {
            say(&mut attributes, "gathers", lines(gathers));
        }
        let ways = self.standing.powers.get(held);
        let ways: Vec<&str> = ways.map(|p| p.ways_up.clone()).unwrap_or_default();
        let privileged = match held.namespace() {
            None => !ways.is_empty(),
            // Reading the Secrets of one namespace is told by who reads each.
            Some(_) => ways
                .iter()
                .any(|way| *way != "reads Secrets" && *way != "makes tokens"),
        };
        say(&mut attributes, "ways_up", lines(ways));
        self.entitlement(
            held.id(),
            name,
            EntitlementKind::Role,
            privileged,
            attributes,
        )
    }

    fn grant(&self, to: String, principal: Principal, attributes: Attributes) -> Grant {
        Grant {
            attributes,
            ..Grant::of(principal, to)
        }
    }

    /// Who holds a role where it is bound.
    pub fn holders(&self, held: &Held) -> Vec<Fact> {
        let holders = self.standing.holders.get(held);
        let all = holders.into_iter().flatten();
        all.map(|(who, bindings)| {
            let mut attributes = Attributes::new();
            match bindings.is_empty() {
                true => say(
                    &mut attributes,
                    "by",
                    "the server itself, without a binding",
                ),
                false => say(&mut attributes, "bindings", lines(bindings)),
            }
            Fact::Grant(self.grant(held.id(), self.principal(who), attributes))
        })
        .collect()
    }

    /// The groups that an account is in: by what it is, and by its certificates.
    pub fn memberships(&self, user: &str) -> Vec<Fact> {
        let account = Who::User(user.to_owned());
        let nature = self.standing.groups_by_nature(user).into_iter();
        let mut all: Vec<Grant> = nature
            .map(|group| {
                let mut attributes = Attributes::new();
                say(&mut attributes, "by", "what the account is");
                self.grant(group_id(&group), self.principal(&account), attributes)
            })
            .collect();
        let own = self.standing.certificates.iter().filter(|c| c.user == user);
        for certified in own {
            for group in &certified.groups {
                let mut attributes = Attributes::new();
                say(
                    &mut attributes,
                    "by",
                    format!("certificate {}", certified.request),
                );
                all.push(Grant {
                    expires_at: certified.ends.map(When::At),
                    ..self.grant(group_id(group), self.principal(&account), attributes)
                });
            }
        }
        all.into_iter().map(Fact::Grant).collect()
    }

    /// A certificate as a credential. None is ever taken back: the server knows no revocation.
    pub fn certificate(&self, certified: &Certified) -> Fact {
        let id = credential_id("csr", &certified.request);
        let kind = CredentialKind::Certificate;
        let mut attributes = Attributes::new();
        say(&mut attributes, "serial", &certified.serial);
        say(&mut attributes, "groups", lines(&certified.groups));
        say(
            &mut attributes,
            "signer",
            certified.signer.clone().unwrap_or_default(),
        );
        Fact::Credential(Credential {
            name: Some(format!("certificate of {}", certified.request)),
            enabled: Some(true),
            created_at: certified
                .begins
                .map(When::At)
                .or_else(|| at(certified.asked_at.as_deref())),
            created_by: certified.asked_by.clone(),
            expires_at: certified.ends.map(When::At),
            attributes,
            ..Credential::of(self.system.clone(), id, kind, &certified.user)
        })
    }

    /// A Secret that is a token which does not end, as a credential; None for other Secrets.
    pub fn token(&self, secret: &SecretSeen) -> Option<Fact> {
        let user = token_of(secret)?;
        let id = credential_id("secret", &secret.meta.path());
        let labels = &secret.meta.labels;
        let mut attributes = Attributes::new();
        say(&mut attributes, "ends", "never by itself");
        Some(Fact::Credential(Credential {
            name: Some(secret.meta.path()),
            created_at: at(secret.meta.creation_timestamp.as_deref()),
            revoked_at: day(labels.get("kubernetes.io/legacy-token-invalid-since")),
            last_used_at: day(labels.get("kubernetes.io/legacy-token-last-used")),
            attributes,
            ..Credential::of(self.system.clone(), id, CredentialKind::Token, &user)
        }))
    }

    /// A Secret as a place.
    pub fn location(&self, path: &str, shelf: &Shelf) -> Fact {
        let mut attributes = Attributes::new();
        match &shelf.seen {
            None => say(&mut attributes, "known_by", "what names it"),
            Some(seen) => {
                say(
                    &mut attributes,
                    "type",
                    seen.sort.clone().unwrap_or_default(),
                );
                let names = seen.key_names();
                say(&mut attributes, "keys", lines(&names));
                if let Some(count) = seen.keys {
                    say(&mut attributes, "keys_in_all", count.to_string());
                }
                let created = seen.meta.creation_timestamp.clone();
                say(&mut attributes, "created_at", created.unwrap_or_default());
                say(
                    &mut attributes,
                    "set_at_the_latest",
                    seen.set_at().unwrap_or_default(),
                );
                if seen.meta.annotations.applied {
                    let why = "an annotation of `kubectl apply` may hold its values once more";
                    say(&mut attributes, "copy", why);
                }
            }
        }
        say(&mut attributes, "used_by", lines(&shelf.used_by));
        say(&mut attributes, "upstream", lines(&shelf.upstream));
        let token = shelf.seen.as_ref().filter(|seen| token_of(seen).is_some());
        Fact::Location(Location {
            credential_id: token.map(|_| credential_id("secret", path).into()),
            attributes,
            ..Location::of(self.system.clone(), path, LocationKind::KubernetesSecret)
        })
    }

    /// Who can read a Secret: by its API, and, as weaker evidence, through a pod of the namespace.
    pub fn readers(&self, path: &str, shelf: &Shelf) -> Vec<Fact> {
        let Some((namespace, name)) = path.split_once('/') else {
            return Vec::new();
        };
        let here = self.standing.powers.iter();
        let here = here.filter(|(held, _)| held.reaches(Some(namespace)));
        here.filter_map(|(held, powers)| {
            let attributes = by_which(powers, name, shelf)?;
            Some(Fact::Reader(Reader {
                attributes,
                ..Reader::of(self.held(held), path)
            }))
        })
        .collect()
    }

    /// Who can act as an account.
    pub fn controls(&self, user: &str) -> Vec<Fact> {
        let own = of_service_account(user);
        let mut all = Vec::new();
        for (held, powers) in &self.standing.powers {
            let here = held.reaches(own.map(|(namespace, _)| namespace));
            if !here {
                continue;
            }
            let mut control = |means: ControlMeans, by: String, weaker: bool| {
                let mut attributes = Attributes::new();
                say(&mut attributes, "by", by);
                if weaker {
                    say(&mut attributes, "evidence", "weaker");
                }
                all.push(Fact::Control(Control {
                    system: self.system.clone(),
                    account_id: user.into(),
                    principal: self.held(held),
                    means,
                    attributes,
                }));
            };
            let impersonates = match own {
                // A service account can be named as a user as well.
                Some((_, name)) => powers.impersonates_services.has(name),
                None => powers.impersonates_users.has(user),
            };
            if impersonates {
                let by = "impersonate".to_owned();
                control(ControlMeans::Impersonate, by, false);
            }
            let Some((_, name)) = own else {
                continue;
            };
            if powers.makes_tokens.has(name) {
                let by = "create serviceaccounts/token".to_owned();
                control(ControlMeans::MintCredential, by, false);
            } else if powers.makes_token_secrets {
                let by = "create and read a Secret that is filled with its token".to_owned();
                control(ControlMeans::MintCredential, by, false);
            }
            if !powers.runs_pods.is_empty() {
                let by = format!("running a pod: {}", powers.runs_pods.join(", "));
                control(ControlMeans::Assume, by, true);
            }
        }
        all
    }
}

/// How a role reads a Secret; None where it does not.
fn by_which(powers: &Powers, name: &str, shelf: &Shelf) -> Option<Attributes> {
    let mut attributes = Attributes::new();
    let verbs = powers.reads_secret(name);
    if !verbs.is_empty() {
        say(&mut attributes, "by", verbs.join(" "));
        return Some(attributes);
    }
    let by = match powers.runs_pods.is_empty() {
        false => format!("running a pod: {}", powers.runs_pods.join(", ")),
        // Only what stands in a pod that runs.
        true if powers.enters_pods && !shelf.used_by.is_empty() => "entering a pod".to_owned(),
        true => return None,
    };
    say(&mut attributes, "by", by);
    say(&mut attributes, "evidence", "weaker");
    Some(attributes)
}

/// The service account whose token a Secret is; None for other Secrets.
pub fn token_of(secret: &SecretSeen) -> Option<String> {
    let is_token = secret.sort.as_deref() == Some("kubernetes.io/service-account-token");
    let name = secret.meta.annotations.told.get(TOKEN_OF)?;
    is_token.then(|| service_account(secret.meta.namespace(), name))
}

/// The paths of the Secrets that are tokens, in order.
pub fn tokens(shelves: &Shelves) -> impl Iterator<Item = &String> {
    let tokens = shelves.all.iter().filter(|(_, shelf)| {
        let seen = shelf.seen.as_ref();
        seen.and_then(token_of).is_some()
    });
    tokens.map(|(path, _)| path)
}
