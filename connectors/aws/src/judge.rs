//! Who may: questions about the principals of the account, decided by their policies.

use crate::centre::{Binding, Over};
use crate::iam::Iam;
use crate::objects::{Attached, Shelf, Text, account_of};
use crate::shelves::{Key, Own};
use crate::trust::Outsider;
use lastkey_aws_policy::{
    Asker, Context, Decision, Document, Grant, Grants, Guardrails, Holder, Kind, Level, Policy,
    Principal, Question, Reason, Resource, Target,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many reasons or statements a line names at most.
const NAMED: usize = 5;

/// What is decided about one who is not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Allowed, by these statements.
    Yes(Vec<String>),
    /// It hangs on what is not known.
    Open(Vec<String>),
}

/// A principal of the account with everything that is attached to it.
pub struct Who {
    /// The native id.
    pub id: String,
    arn: String,
    holder: Holder,
    /// Whether any of its documents can be about IAM: others need not be asked.
    about_iam: bool,
}

/// Everybody of the account, ready to be asked about.
pub struct Judge {
    pub account: String,
    partition: String,
    /// The root user is the first.
    pub everybody: Vec<Who>,
    documents: BTreeMap<String, Document>,
    /// Resource control policies over the account.
    resource_guard: Guardrails,
    /// What is not known of policies of the organisation: an allowance holds unless one denies.
    pub unless: Option<String>,
    organisation: Option<Option<String>>,
}

fn document(kind: Kind, name: &str, text: Option<&str>) -> Document {
    match text {
        Some(text) => Document::from(Policy::parse(kind, name, text)),
        None => Document::Unread {
            document: name.to_owned(),
            why: "AWS did not show it".to_owned(),
        },
    }
}

fn guard(binding: &Binding, kind: Kind) -> Guardrails {
    match binding {
        // What was not read is said beside an allowance, once, instead of leaving each open.
        Binding::None | Binding::Unread(_) => Guardrails::None,
        Binding::Levels(levels) => Guardrails::Path(
            levels
                .iter()
                .map(|(name, documents)| Level {
                    name: name.clone(),
                    documents: documents
                        .iter()
                        .map(|(name, text)| document(kind, name, text.as_deref()))
                        .collect(),
                })
                .collect(),
        ),
    }
}

impl Judge {
    pub fn new(account: &str, partition: &str, iam: &Iam, over: &Over) -> Judge {
        let mut judge = Judge {
            account: account.to_owned(),
            partition: partition.to_owned(),
            everybody: Vec::new(),
            documents: BTreeMap::new(),
            resource_guard: guard(&over.resource, Kind::ResourceControl),
            unless: match (&over.service, &over.resource) {
                (Binding::Unread(why), _) | (_, Binding::Unread(why)) => Some(why.clone()),
                (_, _) => None,
            },
            organisation: over.id.clone(),
        };
        for policy in &iam.policies {
            let made = document(Kind::Identity, &policy.arn, policy.text.as_deref());
            judge.documents.insert(policy.arn.clone(), made);
        }
        let groups: BTreeMap<&str, Vec<Document>> = iam
            .groups
            .iter()
            .map(|group| (group.name.as_str(), judge.held(&group.attached)))
            .collect();
        let service = guard(&over.service, Kind::ServiceControl);
        let root = format!("arn:{partition}:iam::{account}:root");
        judge.add(account, &root, Vec::new(), None, None, &service, over);
        for user in &iam.users {
            let mut held = judge.held(&user.attached);
            for group in &user.groups {
                match groups.get(group.as_str()) {
                    Some(of_group) => held.extend(of_group.iter().cloned()),
                    None => held.push(document(Kind::Identity, group, None)),
                }
            }
            let boundary = judge.boundary(&user.attached);
            judge.add(
                &user.id,
                &user.arn,
                held,
                boundary,
                Some(&user.tags),
                &service,
                over,
            );
        }
        for role in &iam.roles {
            let held = judge.held(&role.attached);
            let boundary = judge.boundary(&role.attached);
            // A session may carry tags of its own where the role lets it: then none is known.
            let trust = role.trust.as_deref().unwrap_or("TagSession");
            let tags = ["TagSession", "sts:*", "\"*\""]
                .iter()
                .all(|word| !trust.contains(word));
            let tags = tags.then_some(&role.tags);
            judge.add(&role.id, &role.arn, held, boundary, tags, &service, over);
        }
        judge
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing of the principal"
    )]
    fn add(
        &mut self,
        id: &str,
        arn: &str,
        identity: Vec<Document>,
        boundary: Option<Document>,
        tags: Option<&BTreeMap<String, String>>,
        service: &Guardrails,
        over: &Over,
    ) {
        let Some(mut principal) = Principal::of(arn) else {
            return;
        };
        principal = principal.unique_id(id);
        if let Some(tags) = tags {
            principal = principal.tags(tags);
        }
        if let Some(organisation) = &over.id {
            principal = principal.organisation(organisation.as_deref(), over.path.as_deref());
        }
        let linked = arn.contains(":role/aws-service-role/");
        let about_iam = id == self.account || Judge::about_iam(&identity);
        self.everybody.push(Who {
            id: id.to_owned(),
            arn: arn.to_owned(),
            about_iam,
            holder: Holder {
                identity,
                boundary,
                // They do not bind roles that AWS itself made for a service.
                guardrails: if linked {
                    Guardrails::None
                } else {
                    service.clone()
                },
                ..Holder::new(principal)
            },
        });
    }

    /// Whether one of the documents can allow an action of IAM.
    fn about_iam(documents: &[Document]) -> bool {
        documents.iter().any(|document| match document {
            Document::Read(policy) => policy.can_allow("iam"),
            Document::Unread { .. } => true,
        })
    }

    fn held(&self, attached: &Attached) -> Vec<Document> {
        let inline = |text: &Text| document(Kind::Identity, &text.name, text.text.as_deref());
        let managed = |arn: &String| match self.documents.get(arn) {
            Some(document) => document.clone(),
            None => document(Kind::Identity, arn, None),
        };
        let inline = attached.inline.iter().map(inline);
        inline.chain(attached.managed.iter().map(managed)).collect()
    }

    fn boundary(&self, attached: &Attached) -> Option<Document> {
        let arn = attached.boundary.as_ref()?;
        Some(match self.documents.get(arn) {
            Some(document) => document.clone(),
            None => document(Kind::Boundary, arn, None),
        })
    }

    fn question(
        &self,
        action: &str,
        arn: &str,
        own: Option<Document>,
        context: Context,
    ) -> Option<Question> {
        let target = self.target(arn, own)?;
        Question::new(action, target, context.one("aws:SecureTransport", "true"))
    }

    fn direct(&self, region: &str) -> Context {
        let context = Context::new()
            .made_directly()
            .one("aws:RequestedRegion", region);
        match &self.organisation {
            Some(Some(id)) => context.one("aws:ResourceOrgID", id),
            Some(None) => context
                .absent("aws:ResourceOrgID")
                .absent("aws:ResourceOrgPaths"),
            None => context,
        }
    }

    /// Who of the account can read what stands in a secret or parameter.
    pub fn readers(&self, shelf: &Shelf, own: &Own, key: &Key) -> Vec<(&str, Says)> {
        if shelf.deleted {
            return Vec::new();
        }
        let policy = match own {
            Own::None => None,
            Own::Texts(texts) => Some(match texts.as_slice() {
                [text] => document(Kind::Resource, &shelf.path(), Some(text)),
                several => Document::Unread {
                    document: format!("the policies of {}", shelf.path()),
                    why: format!(
                        "there are {}, which are not weighed together",
                        several.len()
                    ),
                },
            }),
            Own::Unread(action) => Some(Document::Unread {
                document: format!("the policy of {}", shelf.path()),
                why: format!("this login may not use {action}"),
            }),
        };
        let mut context = self.direct(&shelf.region);
        let actions: &[&str] = match shelf.parameter {
            false => {
                for (tag, value) in &shelf.tags {
                    for prefix in ["aws:ResourceTag/", "secretsmanager:ResourceTag/"] {
                        context = context.one(&format!("{prefix}{tag}"), value);
                    }
                }
                context = context
                    .complete("aws:ResourceTag/")
                    .complete("secretsmanager:ResourceTag/");
                &["secretsmanager:GetSecretValue"]
            }
            true => &[
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssm:GetParameterHistory",
                "ssm:GetParametersByPath",
            ],
        };
        let questions: Vec<Question> = actions
            .iter()
            .filter_map(|action| self.question(action, &shelf.arn, policy.clone(), context.clone()))
            .collect();
        let askers: Vec<Asker<'_>> = questions.iter().map(Asker::new).collect();
        let decrypt = self.decrypt(shelf, key);
        let key_asker = decrypt.as_ref().map(Asker::new);
        let mut found = Vec::new();
        for who in &self.everybody {
            let Some(says) = best(askers.iter().map(|asker| asker.ask(&who.holder))) else {
                continue;
            };
            let also = match (key, &key_asker) {
                (_, Some(asker)) => best([asker.ask(&who.holder)]),
                (Key::OfAws, None) => Some(Says::Yes(Vec::new())),
                (Key::Own { arn, .. }, None) => {
                    Some(Says::Open(vec![format!("`{arn}` is not understood")]))
                }
                (Key::Unread(why), None) => Some(Says::Open(vec![format!(
                    "who may use the key is not known: {why}"
                )])),
            };
            if let Some(says) = also.and_then(|also| both(says, also)) {
                found.push((who.id.as_str(), says));
            }
        }
        found
    }

    fn decrypt(&self, shelf: &Shelf, key: &Key) -> Option<Question> {
        let Key::Own {
            arn,
            policy,
            grants,
            ..
        } = key
        else {
            return None;
        };
        let (service, context_key) = match shelf.parameter {
            false => ("secretsmanager", "SecretARN"),
            true => ("ssm", "PARAMETER_ARN"),
        };
        let context = Context::new()
            .one(
                "kms:ViaService",
                &format!("{service}.{}.amazonaws.com", shelf.region),
            )
            .one("kms:CallerAccount", &self.account)
            .one(&format!("kms:EncryptionContext:{context_key}"), &shelf.arn)
            .one("aws:RequestedRegion", &shelf.region)
            .one("aws:ViaAWSService", "true");
        let policy = document(Kind::Resource, arn, policy.as_deref());
        let mut question = self.target(arn, Some(policy))?;
        question.grants = match grants {
            None => Grants::Unread,
            Some(grants) => Grants::Read(
                grants
                    .iter()
                    .map(|(id, grantee, operations)| Grant {
                        id: id.clone(),
                        grantee: grantee.clone(),
                        operations: operations.clone(),
                    })
                    .collect(),
            ),
        };
        Question::new(
            "kms:Decrypt",
            question,
            context.one("aws:SecureTransport", "true"),
        )
    }

    fn target(&self, arn: &str, own: Option<Document>) -> Option<Target> {
        let mut target = Target::new(Resource::parse(arn)?);
        target.policy = own;
        // What takes no resource is asked of the account itself.
        if arn == "*" {
            target.account = Some(self.account.clone());
        }
        if account_of(arn) == Some(self.account.as_str()) {
            target.guardrails = self.resource_guard.clone();
        }
        Some(target)
    }

    /// Who of the account can assume a role.
    pub fn assumers(&self, arn: &str, trust: Option<&str>) -> Vec<(&str, Says)> {
        let policy = document(Kind::Trust, "trust policy", trust);
        let Some(question) = self.question("sts:AssumeRole", arn, Some(policy), self.everywhere())
        else {
            return Vec::new();
        };
        let asker = Asker::new(&question);
        let asked = self
            .everybody
            .iter()
            .map(|who| (who.id.as_str(), best([asker.ask(&who.holder)])));
        asked.filter_map(|(id, says)| Some((id, says?))).collect()
    }

    /// Requests that go to no region that is known.
    fn everywhere(&self) -> Context {
        Context::new().made_directly()
    }

    /// Whether an outsider can assume a role, whatever its own account allows it. None where not.
    pub fn outsider(&self, who: &Outsider, arn: &str, trust: Option<&str>) -> Option<Says> {
        let (principal, action) = match who {
            Outsider::Anyone => return Some(Says::Yes(vec!["everybody is named".to_owned()])),
            Outsider::Account(number) => {
                let root = format!("arn:{}:iam::{number}:role/any", self.partition);
                (Principal::of(&root)?, "sts:AssumeRole")
            }
            Outsider::Principal(arn) => match Principal::of(arn) {
                Some(principal) => (principal, "sts:AssumeRole"),
                None => return Some(Says::Open(vec![format!("who `{arn}` is")])),
            },
            Outsider::Provider(name) if name.contains(":saml-provider/") => {
                (Principal::provider(name), "sts:AssumeRoleWithSAML")
            }
            Outsider::Provider(name) => {
                (Principal::provider(name), "sts:AssumeRoleWithWebIdentity")
            }
            Outsider::Service(name) => (Principal::service(name), "sts:AssumeRole"),
        };
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let all = document(Kind::Identity, "whatever its own account allows", Some(all));
        let holder = Holder {
            identity: vec![all],
            ..Holder::new(principal)
        };
        let policy = document(Kind::Trust, "trust policy", trust);
        let question = self.question(action, arn, Some(policy), Context::new())?;
        best([Asker::new(&question).ask(&holder)])
    }

    /// Who can do an action of IAM to a user, but the user.
    pub fn over_user(&self, action: &str, id: &str, arn: &str) -> Vec<(&str, Says)> {
        let Some(question) = self.question(action, arn, None, self.everywhere()) else {
            return Vec::new();
        };
        let asker = Asker::new(&question);
        let others = self
            .everybody
            .iter()
            .filter(|who| who.about_iam && who.id != id);
        let asked = others.map(|who| (who.id.as_str(), best([asker.ask(&who.holder)])));
        asked.filter_map(|(id, says)| Some((id, says?))).collect()
    }

    /// The ways in which one can give itself or others more: certain ones, and those that hang on
    /// something.
    pub fn ways_up(&self, id: &str) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        match self.everybody.iter().find(|who| who.id == id) {
            Some(who) if who.about_iam => self.ways(&who.holder),
            Some(_) | None => (BTreeSet::new(), BTreeSet::new()),
        }
    }

    /// The same for whoever held these documents and nothing else.
    pub fn ways_of(&self, attached: &Attached) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let identity = self.held(attached);
        let arn = format!(
            "arn:{}:iam::{}:role/lastkey-any",
            self.partition, self.account
        );
        match Principal::of(&arn) {
            Some(principal) if Judge::about_iam(&identity) => self.ways(&Holder {
                identity,
                ..Holder::new(principal)
            }),
            Some(_) | None => (BTreeSet::new(), BTreeSet::new()),
        }
    }

    fn ways(&self, holder: &Holder) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let mut certain = BTreeSet::new();
        let mut open = BTreeSet::new();
        for (action, what) in WAYS_UP {
            let arn = format!(
                "arn:{}:iam::{}:{what}/lastkey-any",
                self.partition, self.account
            );
            let Some(question) = self.question(action, &arn, None, self.everywhere()) else {
                continue;
            };
            match Asker::new(&question).ask(holder) {
                Decision::Allowed { .. } => certain.insert(*action),
                Decision::Undecided { .. } => open.insert(*action),
                Decision::Denied(_) => false,
            };
        }
        (certain, open)
    }

    /// What one may do to anything, for the check of our own rights. None where it is nobody of the
    /// account that is known.
    pub fn may(&self, arn: &str, action: &str) -> Option<Decision> {
        let who = self.everybody.iter().find(|who| who.arn == arn)?;
        let question = self.question(action, "*", None, self.everywhere())?;
        Some(Asker::new(&question).ask(&who.holder))
    }
}

/// Actions by which one gets or gives more rights, and on what they are asked about.
pub const WAYS_UP: &[(&str, &str)] = &[
    ("iam:AddUserToGroup", "group"),
    ("iam:AttachGroupPolicy", "group"),
    ("iam:AttachRolePolicy", "role"),
    ("iam:AttachUserPolicy", "user"),
    ("iam:CreateAccessKey", "user"),
    ("iam:CreateLoginProfile", "user"),
    ("iam:CreatePolicyVersion", "policy"),
    ("iam:PutGroupPolicy", "group"),
    ("iam:PutRolePolicy", "role"),
    ("iam:PutUserPolicy", "user"),
    ("iam:SetDefaultPolicyVersion", "policy"),
    ("iam:UpdateAssumeRolePolicy", "role"),
    ("iam:UpdateLoginProfile", "user"),
];

/// One of several ways is enough: what is certain before what is open. None where all are refused.
fn best(decisions: impl IntoIterator<Item = Decision>) -> Option<Says> {
    let mut open: Option<Says> = None;
    for decision in decisions {
        match decision {
            Decision::Allowed { by } => {
                let by = by.iter().take(NAMED).map(ToString::to_string);
                return Some(Says::Yes(by.collect()));
            }
            Decision::Undecided { reasons } if open.is_none() => {
                open = Some(Says::Open(shown(&reasons)));
            }
            Decision::Undecided { .. } | Decision::Denied(_) => {}
        }
    }
    open
}

fn shown(reasons: &[Reason]) -> Vec<String> {
    let all: BTreeSet<String> = reasons.iter().map(ToString::to_string).collect();
    all.into_iter().take(NAMED).collect()
}

/// Both are needed.
fn both(one: Says, other: Says) -> Option<Says> {
    Some(match (one, other) {
        (Says::Yes(mut by), Says::Yes(also)) => {
            by.extend(also);
            Says::Yes(by)
        }
        (Says::Open(mut on), Says::Open(also)) => {
            on.extend(also);
            Says::Open(on)
        }
        (Says::Open(on), Says::Yes(_)) | (Says::Yes(_), Says::Open(on)) => Says::Open(on),
    })
}
