//! One generated case, as our crate and as the judge are asked it.

use lastkey_aws_policy::{
    Asker, Context, Decision, Document, Grants, Guardrails, Holder, Kind, Level, Policy, Principal,
    Question, Resource, Target, Value as Known,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Who {
    /// By ARN.
    Root(String),
    /// A root that has no more than a user.
    RootAsUser(String),
    User(String),
    /// Role and session.
    Session {
        role: String,
        session: String,
    },
    /// Federated session and user, of one name: the judge takes the one for the other.
    Federated {
        session: String,
        user: String,
    },
    Service(String),
    Anonymous,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub who: Who,
    pub action: String,
    pub resource: String,
    pub resource_account: String,
    /// What the request really carries. Keys not named are absent.
    pub context: BTreeMap<String, Value>,
    /// Keys of which our crate is not told.
    pub hidden: BTreeSet<String>,
    pub identity: Vec<Value>,
    pub boundary: Option<Value>,
    pub session: Option<Value>,
    pub service_control: Vec<Vec<Value>>,
    pub resource_control: Vec<Vec<Value>>,
    pub resource_policy: Option<Value>,
}

/// Every key that the generator knows; what a case does not carry of them is absent.
pub const KEYS: &[&str] = &[
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SecureTransport",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:SourceIp",
    "aws:SourceVpce",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:UserAgent",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:TagKeys",
    "aws:CalledVia",
    "aws:ViaAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalTag/team",
    "aws:PrincipalTag/site",
    "aws:ResourceTag/team",
    "aws:RequestTag/team",
    "aws:userid",
    "aws:username",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:ResourceAccount",
];

/// Told by the principal and the resource themselves.
pub const DERIVED: &[&str] = &[
    "aws:username",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:ResourceAccount",
];

fn document(kind: Kind, name: &str, document: &Value) -> Document {
    let policy = Policy::parse(kind, name, &document.to_string());
    Document::Read(Arc::new(policy.unwrap_or_else(|fault| {
        panic!("{fault}: {document}");
    })))
}

fn path(kind: Kind, levels: &[Vec<Value>]) -> Guardrails {
    if levels.is_empty() {
        return Guardrails::None;
    }
    let level = |(index, documents): (usize, &Vec<Value>)| Level {
        name: format!("level {index}"),
        documents: documents
            .iter()
            .map(|one| document(kind, "guardrail", one))
            .collect(),
    };
    Guardrails::Path(levels.iter().enumerate().map(level).collect())
}

impl Case {
    /// Our answer.
    pub fn ours(&self) -> Decision {
        let (holder, question) = self.asked();
        Asker::new(&question).ask(&holder)
    }

    pub fn asked(&self) -> (Holder, Question) {
        let principal = match &self.who {
            Who::Root(arn) | Who::User(arn) => Principal::of(arn).unwrap(),
            Who::RootAsUser(arn) => Principal::of(&format!("{}:user/nobody", &arn[..25]))
                .unwrap()
                .knowing("aws:PrincipalArn", Known::One(arn.clone()))
                .knowing("aws:PrincipalType", Known::One("Account".into()))
                .knowing("aws:username", Known::Absent),
            Who::Session { role, session } => Principal::of(role).unwrap().in_session(session),
            Who::Federated { session, user } => Principal::of(session).unwrap().for_user(user),
            Who::Service(name) => Principal::service(name),
            Who::Anonymous => Principal::anonymous(),
        };
        let unsigned = matches!(self.who, Who::Service(_) | Who::Anonymous);
        let mut context = Context::new();
        for key in KEYS {
            if self.hidden.contains(*key) || (DERIVED.contains(key) && !unsigned) {
                continue;
            }
            let value = match self.context.get(*key) {
                None => Known::Absent,
                Some(Value::String(text)) => Known::One(text.clone()),
                Some(Value::Array(texts)) => Known::Many(
                    texts
                        .iter()
                        .map(|text| text.as_str().unwrap().to_owned())
                        .collect(),
                ),
                Some(other) => panic!("{other}"),
            };
            context = context.with(key, value);
        }
        let kind = if self.action == "sts:AssumeRole" {
            Kind::Trust
        } else {
            Kind::Resource
        };
        let policy = self.resource_policy.as_ref();
        let target = Target {
            account: Some(self.resource_account.clone()),
            policy: policy.map(|one| document(kind, "resource", one)),
            guardrails: path(Kind::ResourceControl, &self.resource_control),
            grants: Grants::Read(Vec::new()),
            blocks_public: Some(false),
            ..Target::new(Resource::parse(&self.resource).unwrap())
        };
        let one = |kind, one: &Value| document(kind, "one", one);
        let holder = Holder {
            principal,
            identity: self
                .identity
                .iter()
                .map(|document| one(Kind::Identity, document))
                .collect(),
            boundary: self.boundary.as_ref().map(|two| one(Kind::Boundary, two)),
            session: self
                .session
                .as_ref()
                .map(|two| vec![one(Kind::Session, two)]),
            guardrails: path(Kind::ServiceControl, &self.service_control),
        };
        let question = Question::new(&self.action, target, context).unwrap();
        (holder, question)
    }

    /// The principal as the judge takes it; nothing for an unsigned request.
    fn principal(&self) -> Option<String> {
        match &self.who {
            Who::Root(arn) | Who::RootAsUser(arn) | Who::User(arn) => Some(arn.clone()),
            Who::Session { role, session } => {
                let account = role.split(':').nth(4).unwrap();
                let name = role.rsplit('/').next().unwrap();
                Some(format!(
                    "arn:aws:sts::{account}:assumed-role/{name}/{session}"
                ))
            }
            Who::Federated { session, .. } => Some(session.clone()),
            Who::Service(name) => Some(name.clone()),
            Who::Anonymous => None,
        }
    }

    /// The case as a simulation of the judge's.
    pub fn simulation(&self) -> Value {
        let named = |documents: &[Value]| {
            let named: Vec<Value> = documents
                .iter()
                .enumerate()
                .map(|(index, policy)| json!({"name": format!("p{index}"), "policy": policy}))
                .collect();
            Value::from(named)
        };
        let levels = |levels: &[Vec<Value>]| {
            let levels: Vec<Value> = levels
                .iter()
                .enumerate()
                .map(|(index, documents)| {
                    json!({"orgIdentifier": format!("ou-{index}"), "policies": named(documents)})
                })
                .collect();
            Value::from(levels)
        };
        let mut simulation = json!({
            "request": {
                "principal": self.principal(),
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": self.resource_account},
                "contextVariables": self.context,
            },
            "identityPolicies": named(&self.identity),
            "serviceControlPolicies": levels(&self.service_control),
            "resourceControlPolicies": levels(&self.resource_control),
        });
        if let Some(policy) = &self.resource_policy {
            simulation["resourcePolicy"] = policy.clone();
        }
        if let Some(policy) = &self.session {
            simulation["sessionPolicy"] = policy.clone();
        }
        if let Some(policy) = &self.boundary {
            simulation["permissionBoundaryPolicies"] = named(std::slice::from_ref(policy));
        }
        simulation
    }

    /// Every document of the case, to be changed.
    pub fn documents_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.identity
            .iter_mut()
            .chain(&mut self.boundary)
            .chain(&mut self.session)
            .chain(self.service_control.iter_mut().flatten())
            .chain(self.resource_control.iter_mut().flatten())
            .chain(&mut self.resource_policy)
    }
}
