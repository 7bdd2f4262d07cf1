//! What is asked, and of whom: an action on a resource, and those who may be able to do it.

use crate::context::Context;
use crate::document::{Fault, Policy};
use crate::principal::Principal;
use crate::resource::Resource;
use std::sync::Arc;

/// A document, or why there is none to look at.
#[derive(Clone, Debug)]
pub enum Document {
    Read(Arc<Policy>),
    /// It exists and was not read; nothing is claimed past it.
    Unread {
        document: String,
        why: String,
    },
}

impl From<Result<Policy, Fault>> for Document {
    fn from(parsed: Result<Policy, Fault>) -> Document {
        match parsed {
            Ok(policy) => Document::Read(Arc::new(policy)),
            Err(Fault {
                document,
                place,
                problem,
            }) => Document::Unread {
                why: if place.is_empty() {
                    problem
                } else {
                    format!("{problem}, at {place}")
                },
                document,
            },
        }
    }
}

/// What an organisation holds over an account.
#[derive(Clone, Debug)]
pub enum Guardrails {
    /// No organisation, policies of this kind not switched on, or the organisation's management
    /// account.
    None,
    /// From the root of the organisation down to the account itself, each with its documents.
    Path(Vec<Level>),
    /// They were not read, and why.
    Unread(String),
}

#[derive(Clone, Debug)]
pub struct Level {
    /// `r-ab12`, `ou-ab12-11111111`, `111122223333`
    pub name: String,
    pub documents: Vec<Document>,
}

/// A principal with everything that is attached to it.
#[derive(Clone, Debug)]
pub struct Holder {
    pub principal: Principal,
    /// Inline and managed, its own and of its groups.
    pub identity: Vec<Document>,
    pub boundary: Option<Document>,
    /// Policies that were passed when the session was made; None where none were. Of a session not
    /// yet made nothing is known to limit it.
    pub session: Option<Vec<Document>>,
    /// Service control policies over its account.
    pub guardrails: Guardrails,
}

impl Holder {
    /// With nothing attached, and no organisation.
    pub fn new(principal: Principal) -> Holder {
        Holder {
            principal,
            identity: Vec::new(),
            boundary: None,
            session: None,
            guardrails: Guardrails::None,
        }
    }
}

/// What allows beside all policies: the grants of a KMS key; across accounts, the ACLs of S3.
#[derive(Clone, Debug)]
pub enum Grants {
    Unread,
    /// All that there are.
    Read(Vec<Grant>),
}

#[derive(Clone, Debug)]
pub struct Grant {
    pub id: String,
    /// ARN of who may use it.
    pub grantee: String,
    /// `Decrypt`, `GenerateDataKey`
    pub operations: Vec<String>,
}

/// What it is done to.
#[derive(Clone, Debug)]
pub struct Target {
    pub resource: Resource,
    /// The account that it is in; None where that is not known.
    pub account: Option<String>,
    /// Its own policy; None where it has none. A role's is its trust policy.
    pub policy: Option<Document>,
    /// Resource control policies over its account.
    pub guardrails: Guardrails,
    /// Looked at for keys, and for S3 across accounts.
    pub grants: Grants,
    /// Whether S3 restricts public buckets here (Block Public Access); None where that was not read.
    pub blocks_public: Option<bool>,
}

impl Target {
    /// In the account of its ARN, without a policy of its own and without an organisation; what allows
    /// or blocks beside policies not read.
    pub fn new(resource: Resource) -> Target {
        Target {
            account: resource.account().map(str::to_owned),
            resource,
            policy: None,
            guardrails: Guardrails::None,
            grants: Grants::Unread,
            blocks_public: None,
        }
    }
}

/// An action on a resource.
#[derive(Clone, Debug)]
pub struct Question {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) context: Context,
}

impl Question {
    /// None where the action is not `service:Name`. `context` holds what is known of the request
    /// beyond its principal; what it does not name is unknown.
    pub fn new(action: &str, target: Target, context: Context) -> Option<Question> {
        let (service, name) = action.split_once(':')?;
        (!service.is_empty() && !name.is_empty()).then_some(())?;
        let mut context = context;
        if let Some(account) = &target.account {
            let account = crate::context::Value::One(account.clone());
            context.set_where_unknown("aws:ResourceAccount", account);
        }
        Some(Question {
            service: service.to_ascii_lowercase(),
            name: name.to_owned(),
            target,
            context,
        })
    }

    pub(crate) fn is(&self, service: &str, name: &str) -> bool {
        self.service == service && self.name.eq_ignore_ascii_case(name)
    }

    /// A key or a role: only its own policy says whose policies count.
    pub(crate) fn policy_is_the_root_of_trust(&self) -> bool {
        let path = self.target.resource.path();
        match self.service.as_str() {
            "kms" => path.starts_with("key/"),
            "sts" => path.starts_with("role/"),
            _ => false,
        }
    }
}
