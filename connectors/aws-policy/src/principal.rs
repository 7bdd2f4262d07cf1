//! Who asks, and whom a statement names.

use crate::context::{Context, Value};
use crate::truth::Truth;
use std::collections::BTreeMap;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    pub(crate) identity: Identity,
    /// Account of the principal; none for services, providers and anonymous requests.
    pub(crate) account: Option<String>,
    facts: Context,
    unique_id: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Root,
    User {
        arn: String,
    },
    /// A role as it is used: always in a session, of any name where none is given.
    Role {
        arn: String,
        session: Option<String>,
    },
    /// A session of GetFederationToken: its own ARN, and the user who asked for it, where known.
    FederatedUser {
        arn: String,
        user: Option<String>,
    },
    /// `lambda.amazonaws.com`
    Service {
        name: String,
    },
    /// A SAML or OIDC provider whose token is exchanged for a role.
    Provider {
        name: String,
    },
    Anonymous,
}

struct Arn<'a> {
    partition: &'a str,
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn arn(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    (parts.next()? == "arn").then_some(())?;
    let partition = parts.next()?;
    let service = parts.next()?;
    let _region = parts.next()?;
    Some(Arn {
        partition,
        service,
        account: parts.next()?,
        resource: parts.next()?,
    })
}

impl Principal {
    /// A user, a role, a federated user session or an account's root, by its ARN. None where the ARN
    /// is of nothing that asks. The ARN of a role session does not say the path of its role, so
    /// that a session is the role with [`Principal::in_session`].
    pub fn of(text: &str) -> Option<Principal> {
        let parts = arn(text)?;
        let account = parts.account.to_owned();
        let own = text.to_owned();
        let facts = Context::new();
        match (parts.service, parts.resource.split_once('/')) {
            ("iam", None) if parts.resource == "root" => {
                let facts = facts.one("aws:PrincipalType", "Account");
                let facts = facts.absent("aws:username").one("aws:userid", &account);
                Some(Principal::with(
                    Identity::Root,
                    Some(account),
                    Some(text),
                    facts,
                ))
            }
            ("iam", Some(("user", path))) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let facts = facts.one("aws:PrincipalType", "User");
                let facts = facts.one("aws:username", name);
                let user = Identity::User { arn: own };
                Some(Principal::with(user, Some(account), Some(text), facts))
            }
            ("iam", Some(("role", _))) => {
                let facts = facts
                    .one("aws:PrincipalType", "AssumedRole")
                    .absent("aws:username");
                let role = Identity::Role {
                    arn: own,
                    session: None,
                };
                Some(Principal::with(role, Some(account), Some(text), facts))
            }
            ("sts", Some(("federated-user", _))) => {
                let facts = facts.one("aws:PrincipalType", "FederatedUser");
                let session = Identity::FederatedUser {
                    user: None,
                    arn: own,
                };
                let facts = facts.absent("aws:username");
                Some(Principal::with(session, Some(account), Some(text), facts))
            }
            _ => None,
        }
    }

    /// A principal of AWS itself, such as `lambda.amazonaws.com`.
    pub fn service(name: &str) -> Principal {
        let facts = Context::new().one("aws:PrincipalServiceName", name);
        let service = Identity::Service {
            name: name.to_owned(),
        };
        Principal::with(service, None, None, facts)
    }

    /// An identity provider whose token is exchanged for a role: an ARN, or
    /// `accounts.google.com`.
    pub fn provider(name: &str) -> Principal {
        let provider = Identity::Provider {
            name: name.to_owned(),
        };
        let facts = Context::new().one("aws:FederatedProvider", name);
        Principal::with(provider, None, None, facts)
    }

    /// A request that nobody signed.
    pub fn anonymous() -> Principal {
        let facts = Context::new()
            .one("aws:PrincipalType", "Anonymous")
            .absent("aws:PrincipalArn")
            .absent("aws:PrincipalOrgID")
            .absent("aws:username")
            .complete("aws:PrincipalTag/");
        Principal::with(Identity::Anonymous, None, None, facts)
    }

    fn with(
        identity: Identity,
        account: Option<String>,
        arn: Option<&str>,
        mut facts: Context,
    ) -> Principal {
        let of_aws = matches!(identity, Identity::Service { .. });
        let yes_or_no = Value::One(of_aws.to_string());
        facts.set("aws:PrincipalIsAWSService", yes_or_no);
        if !of_aws {
            facts.set("aws:PrincipalServiceName", Value::Absent);
            facts.set("aws:PrincipalServiceNamesList", Value::Absent);
        }
        if let Some(arn) = arn {
            facts.set("aws:PrincipalArn", Value::One(arn.to_owned()));
        }
        if let Some(account) = &account {
            facts.set("aws:PrincipalAccount", Value::One(account.clone()));
        }
        Principal {
            identity,
            account,
            facts,
            unique_id: None,
        }
    }

    /// The role in a session of this name.
    #[must_use]
    pub fn in_session(mut self, name: &str) -> Principal {
        if let Identity::Role { session, .. } = &mut self.identity {
            *session = Some(name.to_owned());
        }
        self.name_the_session();
        self
    }

    /// The user who asked for the federated session; a session's name says nothing of it.
    #[must_use]
    pub fn for_user(mut self, arn: &str) -> Principal {
        if let Identity::FederatedUser { user, .. } = &mut self.identity {
            *user = Some(arn.to_owned());
        }
        self
    }

    /// `AIDA…` or `AROA…`, as AWS made it.
    #[must_use]
    pub fn unique_id(mut self, id: &str) -> Principal {
        self.unique_id = Some(id.to_owned());
        if let Identity::User { .. } = &self.identity {
            self.facts.set("aws:userid", Value::One(id.to_owned()));
        }
        self.name_the_session();
        self
    }

    fn name_the_session(&mut self) {
        if let (
            Some(id),
            Identity::Role {
                session: Some(session),
                ..
            },
        ) = (&self.unique_id, &self.identity)
        {
            let id = format!("{id}:{session}");
            self.facts.set("aws:userid", Value::One(id));
        }
    }

    /// All tags of the principal, session tags included: others are absent.
    #[must_use]
    pub fn tags(mut self, tags: &BTreeMap<String, String>) -> Principal {
        for (key, value) in tags {
            let key = format!("aws:PrincipalTag/{key}");
            self.facts.set(&key, Value::One(value.clone()));
        }
        self.facts = self.facts.complete("aws:PrincipalTag/");
        self
    }

    /// The organisation of the principal's account, or that it is in none, and the path to it:
    /// `o-a1b2/r-ab12/ou-ab12-11111111/`.
    #[must_use]
    pub fn organisation(mut self, id: Option<&str>, path: Option<&str>) -> Principal {
        let one = |value: &str| Value::One(value.to_owned());
        self.facts
            .set("aws:PrincipalOrgID", id.map_or(Value::Absent, one));
        match (id, path) {
            (None, _) => self.facts.set("aws:PrincipalOrgPaths", Value::Absent),
            (Some(_), Some(path)) => {
                let many = Value::Many(vec![path.to_owned()]);
                self.facts.set("aws:PrincipalOrgPaths", many);
            }
            (Some(_), None) => {}
        }
        self
    }

    /// Anything else that is known of the principal.
    #[must_use]
    pub fn knowing(mut self, key: &str, value: Value) -> Principal {
        self.facts.set(key, value);
        self
    }

    pub(crate) fn facts(&self) -> &Context {
        &self.facts
    }

    /// Whether the ARN may be of this principal, of its role or of its account.
    pub(crate) fn may_be(&self, text: &str) -> bool {
        let named = Named::parse("AWS", text).or_else(|_| Named::parse("Service", text));
        named.is_ok_and(|named| named.names(self).any() != Truth::No)
    }

    /// Made by AWS for one of its services, which guardrails do not bind.
    pub(crate) fn is_service_linked(&self) -> bool {
        match &self.identity {
            Identity::Role { arn, .. } => arn.contains(":role/aws-service-role/"),
            _ => false,
        }
    }

    pub(crate) fn can_have_boundary(&self) -> bool {
        matches!(
            self.identity,
            Identity::User { .. } | Identity::Role { .. } | Identity::FederatedUser { .. }
        )
    }
}

/// Whom a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Everyone,
    Account(String),
    Arn(String),
    /// What AWS shows in the place of a principal that it no longer knows.
    UniqueId(String),
    Service(String),
    Provider(String),
    CanonicalUser,
}

/// How a list names the principal; what each gives differs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naming {
    /// The user, the session, the service or the provider itself.
    pub(crate) itself: Truth,
    /// The role behind the session, or the user behind the federated session.
    pub(crate) behind: Truth,
    pub(crate) everyone: Truth,
    /// The principal's account: what its own policies say goes.
    pub(crate) account: Truth,
}

impl Naming {
    const NOBODY: Naming = Naming {
        itself: Truth::No,
        behind: Truth::No,
        everyone: Truth::No,
        account: Truth::No,
    };

    pub(crate) fn any(self) -> Truth {
        self.itself
            .or(self.behind)
            .or(self.everyone)
            .or(self.account)
    }

    fn or(self, other: Naming) -> Naming {
        Naming {
            itself: self.itself.or(other.itself),
            behind: self.behind.or(other.behind),
            everyone: self.everyone.or(other.everyone),
            account: self.account.or(other.account),
        }
    }
}

impl Named {
    pub(crate) fn parse(kind: &str, text: &str) -> Result<Named, String> {
        let digits = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        match kind {
            "AWS" if text == "*" => Ok(Named::Everyone),
            "AWS" if digits(text) => Ok(Named::Account(text.to_owned())),
            "AWS" => match arn(text) {
                _ if text.contains(['*', '?']) => Err(format!(
                    "`{text}`: no part of a principal can be a wildcard"
                )),
                Some(Arn {
                    service: "iam",
                    account,
                    resource: "root",
                    ..
                }) => Ok(Named::Account(account.to_owned())),
                Some(_) => Ok(Named::Arn(text.to_owned())),
                None if text.starts_with('A')
                    && text.bytes().all(|b| b.is_ascii_alphanumeric()) =>
                {
                    Ok(Named::UniqueId(text.to_owned()))
                }
                None => Err(format!("`{text}` is no principal")),
            },
            "Service" => Ok(Named::Service(text.to_owned())),
            "Federated" => Ok(Named::Provider(text.to_owned())),
            "CanonicalUser" => Ok(Named::CanonicalUser),
            other => Err(format!("`{other}` is no kind of principal")),
        }
    }

    /// How this names the principal.
    pub(crate) fn names(&self, principal: &Principal) -> Naming {
        let mut naming = Naming::NOBODY;
        match self {
            Named::Everyone => naming.everyone = Truth::Yes,
            Named::Account(account) => {
                naming.account = Truth::from(principal.account.as_ref() == Some(account));
            }
            Named::Arn(text) => match &principal.identity {
                Identity::User { arn } => naming.itself = Truth::from(arn == text),
                Identity::Role { arn, session } => {
                    naming.behind = Truth::from(arn == text);
                    naming.itself = names_session(text, arn, session.as_deref());
                }
                Identity::FederatedUser { arn, user } => {
                    naming.itself = Truth::from(arn == text);
                    let some_user = text.contains(":user/");
                    naming.behind = match user {
                        Some(user) => Truth::from(user == text),
                        None if some_user => Truth::Unknown,
                        None => Truth::No,
                    };
                }
                Identity::Root
                | Identity::Service { .. }
                | Identity::Provider { .. }
                | Identity::Anonymous => {}
            },
            Named::UniqueId(id) => {
                let truth = match &principal.unique_id {
                    Some(own) => Truth::from(own == id),
                    None if principal.can_have_boundary() => Truth::Unknown,
                    None => Truth::No,
                };
                match principal.identity {
                    Identity::Role { .. } => naming.behind = truth,
                    _ => naming.itself = truth,
                }
            }
            Named::Service(wanted) => {
                if let Identity::Service { name } = &principal.identity {
                    naming.itself = Truth::from(name == wanted);
                }
            }
            Named::Provider(wanted) => {
                if let Identity::Provider { name } = &principal.identity {
                    naming.itself = Truth::from(name == wanted);
                }
            }
            // An account of S3's own numbering, which is not read.
            Named::CanonicalUser if principal.account.is_some() => naming.account = Truth::Unknown,
            Named::CanonicalUser => {}
        }
        naming
    }
}

/// `arn:aws:sts::1:assumed-role/NAME/SESSION`: the role's name without its path.
fn names_session(text: &str, role: &str, session: Option<&str>) -> Truth {
    let (Some(named), Some(role)) = (arn(text), arn(role)) else {
        return Truth::No;
    };
    let wanted = named.resource.strip_prefix("assumed-role/");
    let Some((name, wanted)) = wanted.and_then(|path| path.split_once('/')) else {
        return Truth::No;
    };
    let same_role = named.service == "sts"
        && named.partition == role.partition
        && named.account == role.account
        && role.resource.rsplit('/').next() == Some(name);
    match session {
        _ if !same_role => Truth::No,
        Some(session) => Truth::from(session == wanted),
        None => Truth::Unknown,
    }
}

/// How a list names the principal.
pub(crate) fn naming(list: &[Named], principal: &Principal) -> Naming {
    list.iter()
        .map(|named| named.names(principal))
        .fold(Naming::NOBODY, Naming::or)
}

/// Whether the principal is outside the list. AWS looks at the account, at the role and at the
/// session in turn, so that one of which some stand in the list and some do not is not clear.
pub(crate) fn outside(list: &[Named], principal: &Principal) -> Truth {
    let named = naming(list, principal);
    if named.everyone == Truth::Yes {
        return Truth::No;
    }
    let levels: &[Truth] = match &principal.identity {
        Identity::User { .. } => &[named.account, named.itself],
        Identity::Role { .. } | Identity::FederatedUser { .. } => {
            &[named.account, named.behind, named.itself]
        }
        Identity::Root => &[named.account],
        Identity::Service { .. } | Identity::Provider { .. } | Identity::Anonymous => {
            &[named.itself]
        }
    };
    if levels.iter().all(|level| *level == Truth::Yes) {
        Truth::No
    } else if levels.iter().all(|level| *level == Truth::No) {
        Truth::Yes
    } else {
        Truth::Unknown
    }
}
