//! Every layer of policies, heard for one principal.

use crate::answer::{Cited, Layer, Reason, Why};
use crate::asker::Asker;
use crate::context::Known;
use crate::document::{Effect, Policy, Statement};
use crate::principal::{Identity, naming, outside};
use crate::question::{Document, Grants, Guardrails, Holder};
use crate::truth::Truth;
use crate::weigh::{Heard, Route, Say, Scale};

/// Services that AWS documents as bound by resource control policies. The list grows; for others a
/// denial that would apply leaves the answer open.
const RESOURCE_CONTROLLED: &[&str] = &["kms", "s3", "secretsmanager", "sqs", "sts"];

/// All layers of one holder.
pub(crate) struct Weighing<'a, 'q> {
    pub(crate) asker: &'a Asker<'q>,
    pub(crate) holder: &'a Holder,
    pub(crate) known: Known<'a>,
    pub(crate) deny: Heard,
}

impl Weighing<'_, '_> {
    pub(crate) fn scale(mut self) -> Scale {
        let question = self.asker.question;
        let principal = &self.holder.principal;
        let has_identity = principal.account.is_some();
        let route = if !has_identity {
            Route::NoIdentity
        } else if question.policy_is_the_root_of_trust() {
            Route::ByItsPolicy
        } else {
            Route::Usual
        };
        let mut scale = Scale::new(route);
        let root = matches!(principal.identity, Identity::Root);
        let identity = if root {
            Heard::plain(Truth::Yes)
        } else {
            self.documents(Layer::Identity, &self.holder.identity)
        };
        scale.set(Say::Identity, identity);
        let boundary = match &self.holder.boundary {
            Some(document) => self.documents(Layer::Boundary, std::slice::from_ref(document)),
            None => Heard::plain(Truth::Yes),
        };
        scale.set(Say::Boundary, boundary);
        let session = match &self.holder.session {
            Some(documents) => self.documents(Layer::Session, documents),
            None => Heard::plain(Truth::Yes),
        };
        scale.set(Say::Session, session);
        self.service_control(&mut scale, has_identity);
        self.resource_control();
        self.resource(&mut scale, has_identity);
        self.roles_of_aws();
        let same = match (&principal.account, &question.target.account) {
            (Some(one), Some(other)) => Heard::plain(Truth::from(one == other)),
            (None, _) => Heard::plain(Truth::No),
            // an action that takes no resource is done in one's own account
            (Some(_), None) if question.target.resource.is_none() => Heard::plain(Truth::Yes),
            (Some(_), None) => {
                let what = "the account of the resource is not known";
                Heard::doubtful(Why::NotGiven(what.to_owned()))
            }
        };
        scale.set(Say::SameAccount, same);
        scale.set(
            Say::EveryoneIsFree,
            Heard::doubtful(Why::Unclear(
                "a grant to everyone, and a boundary or session policy that does not allow".into(),
            )),
        );
        scale.set(Say::Grant, self.grant());
        scale.set(Say::Deny, self.deny);
        scale
    }

    /// What the documents of a layer allow; what they deny is added to `deny`.
    fn documents(&mut self, layer: Layer, documents: &[Document]) -> Heard {
        let mut allow = Heard::plain(Truth::No);
        for document in documents {
            match document {
                Document::Read(policy) => {
                    for index in self.asker.found(policy).statements.iter() {
                        let Some(statement) = policy.statements.get(*index) else {
                            continue;
                        };
                        let mut doubts = Vec::new();
                        let truth = self.asker.applies(statement, self.known, &mut doubts);
                        let heard = match statement.effect {
                            Effect::Allow => &mut allow,
                            Effect::Deny => &mut self.deny,
                        };
                        heard.or(truth, || cited(layer, policy, statement), &doubts);
                    }
                }
                Document::Unread { document, why } => {
                    allow.or_unread(document, why);
                    self.deny.or_unread(document, why);
                }
            }
        }
        allow
    }

    fn service_control(&mut self, scale: &mut Scale, has_identity: bool) {
        let exempt = !has_identity || self.holder.principal.is_service_linked();
        let heard = match &self.holder.guardrails {
            _ if exempt => Heard::plain(Truth::Yes),
            Guardrails::None => Heard::plain(Truth::Yes),
            Guardrails::Unread(why) => {
                let why = Why::Unread {
                    document: "service control policies".into(),
                    why: why.clone(),
                };
                self.deny.truth = self.deny.truth.or(Truth::Unknown);
                self.deny.doubts.push(Reason {
                    why: why.clone(),
                    at: None,
                });
                Heard::doubtful(why)
            }
            Guardrails::Path(levels) => {
                let mut all = Heard::plain(Truth::Yes);
                for level in levels {
                    let heard = self.documents(Layer::ServiceControl, &level.documents);
                    if heard.truth == Truth::No && scale.level.is_none() {
                        scale.level = Some(level.name.clone());
                    }
                    all.truth = all.truth.and(heard.truth);
                    all.by.extend(heard.by);
                    if heard.truth == Truth::Unknown {
                        all.doubts.extend(heard.doubts);
                    }
                }
                all
            }
        };
        scale.set(Say::ServiceControl, heard);
    }

    /// They only deny: that they allow what they do not deny cannot be taken away.
    fn resource_control(&mut self) {
        let question = self.asker.question;
        let exempt = self.holder.principal.is_service_linked() || question.is("kms", "RetireGrant");
        let before = std::mem::replace(&mut self.deny, Heard::plain(Truth::No));
        match &question.target.guardrails {
            _ if exempt => {}
            Guardrails::None => {}
            Guardrails::Unread(why) => self.deny.or_unread("resource control policies", why),
            Guardrails::Path(levels) => {
                for level in levels {
                    self.documents(Layer::ResourceControl, &level.documents);
                }
            }
        }
        let mut denied = std::mem::replace(&mut self.deny, before);
        let service = question.service.as_str();
        if denied.truth == Truth::Yes && !RESOURCE_CONTROLLED.contains(&service) {
            let what = format!("whether resource control policies bind `{service}`");
            denied = Heard::doubtful(Why::Unclear(what));
        }
        self.deny.truth = self.deny.truth.or(denied.truth);
        self.deny.by.extend(denied.by);
        self.deny.doubts.extend(denied.doubts);
    }

    fn resource(&mut self, scale: &mut Scale, has_identity: bool) {
        const SAYS: [Say; 4] = [Say::Itself, Say::Behind, Say::Everyone, Say::Account];
        let question = self.asker.question;
        let policy = match &question.target.policy {
            None if !question.policy_is_the_root_of_trust() => return,
            None => {
                let what = "a key or a role always has a policy of its own, and it was not given";
                for say in [Say::Itself, Say::Account, Say::Deny] {
                    let heard = Heard::doubtful(Why::NotGiven(what.into()));
                    scale.set(say, heard.clone());
                    if say == Say::Deny {
                        self.deny.truth = self.deny.truth.or(heard.truth);
                        self.deny.doubts.extend(heard.doubts);
                    }
                }
                return;
            }
            Some(Document::Unread { document, why }) => {
                for say in SAYS {
                    if let Some(heard) = scale.get(say) {
                        heard.or_unread(document, why);
                    }
                }
                self.deny.or_unread(document, why);
                return;
            }
            Some(Document::Read(policy)) => policy,
        };
        let principal = &self.holder.principal;
        let bounded = self.holder.boundary.is_some() && principal.can_have_boundary();
        for index in self.asker.found(policy).statements.iter() {
            let Some(statement) = policy.statements.get(*index) else {
                continue;
            };
            let mut doubts = Vec::new();
            let applies = self.asker.applies(statement, self.known, &mut doubts);
            let cite = || cited(Layer::Resource, policy, statement);
            let (names, except) = match &statement.principals {
                Some(listed) if listed.except => (None, outside(&listed.items, principal)),
                Some(listed) => (Some(naming(&listed.items, principal)), Truth::No),
                None => (None, Truth::No),
            };
            let who = "the principal is named in part";
            match (statement.effect, names) {
                (Effect::Deny, names) => {
                    let named = match names {
                        Some(names) => names.any(),
                        None if bounded => Truth::Yes,
                        None => except,
                    };
                    if named == Truth::Unknown {
                        doubts.push(Why::Unclear(who.into()));
                    }
                    self.deny.or(applies.and(named), cite, &doubts);
                }
                (Effect::Allow, Some(names)) => {
                    // `*` in an allowance: whether AWS's services and tokens of providers are meant
                    // is not said
                    let everyone =
                        if has_identity || matches!(principal.identity, Identity::Anonymous) {
                            names.everyone
                        } else {
                            names.everyone.min(Truth::Unknown)
                        };
                    let blocked = everyone == Truth::Yes && self.may_block_public();
                    let everyone = if blocked { Truth::Unknown } else { everyone };
                    let each = [names.itself, names.behind, everyone, names.account];
                    for (say, named) in SAYS.into_iter().zip(each) {
                        let mut doubts = doubts.clone();
                        if blocked && say == Say::Everyone {
                            let what = "whether S3 blocks public access was not read";
                            doubts.push(Why::NotGiven(what.into()));
                        } else if named == Truth::Unknown {
                            doubts.push(Why::Unclear(who.into()));
                        }
                        if let Some(heard) = scale.get(say) {
                            heard.or(applies.and(named), cite, &doubts);
                        }
                    }
                }
                (Effect::Allow, None) => {
                    if except == Truth::Unknown {
                        doubts.push(Why::Unclear(who.into()));
                    }
                    if let Some(heard) = scale.get(Say::Everyone) {
                        heard.or(applies.and(except), cite, &doubts);
                    }
                }
            }
        }
    }

    fn own_account(&self) -> bool {
        let account = &self.holder.principal.account;
        account.is_some() && *account == self.asker.question.target.account
    }

    /// Whether S3 may turn away what is allowed to everyone.
    fn may_block_public(&self) -> bool {
        let question = self.asker.question;
        question.service == "s3"
            && !self.own_account()
            && question.target.blocks_public != Some(false)
    }

    /// AWS lets nobody change the roles that it keeps itself, whatever policies say.
    fn roles_of_aws(&mut self) {
        let question = self.asker.question;
        let path = question.target.resource.path();
        let kept = ["role/aws-reserved/", "role/aws-service-role/"];
        let reads = ["get", "list", "generate", "simulate"];
        let name = question.name.to_ascii_lowercase();
        if question.service == "iam"
            && kept.iter().any(|one| path.starts_with(one))
            && !reads.iter().any(|one| name.starts_with(one))
        {
            let what = "a change of a role that AWS keeps itself";
            let heard = Heard::doubtful(Why::Unclear(what.into()));
            self.deny.truth = self.deny.truth.or(heard.truth);
            self.deny.doubts.extend(heard.doubts);
        }
    }

    /// Whether a grant of the key may allow it: never more than unknown, since a grant's constraints
    /// are not weighed.
    fn grant(&self) -> Heard {
        /// What a grant can allow.
        const GRANTED: &[&str] = &[
            "creategrant",
            "decrypt",
            "derivesharedsecret",
            "describekey",
            "encrypt",
            "generatedatakey",
            "generatedatakeypair",
            "generatedatakeypairwithoutplaintext",
            "generatedatakeywithoutplaintext",
            "generatemac",
            "getpublickey",
            "reencryptfrom",
            "reencryptto",
            "retiregrant",
            "sign",
            "verify",
            "verifymac",
        ];
        let question = self.asker.question;
        let name = question.name.to_ascii_lowercase();
        if question.service == "s3" && !self.own_account() {
            return match &question.target.grants {
                Grants::Read(grants) if grants.is_empty() => Heard::plain(Truth::No),
                Grants::Read(_) => Heard::doubtful(Why::Unclear("what the ACLs give".into())),
                Grants::Unread => Heard::doubtful(Why::NotGiven("ACLs were not read".into())),
            };
        }
        let of_a_key = question.service == "kms" && question.policy_is_the_root_of_trust();
        if !of_a_key || !GRANTED.contains(&name.as_str()) {
            return Heard::plain(Truth::No);
        }
        match &question.target.grants {
            Grants::Unread => {
                Heard::doubtful(Why::NotGiven("the grants of the key were not read".into()))
            }
            Grants::Read(grants) => {
                let fitting = grants.iter().find(|grant| {
                    let operations = &grant.operations;
                    self.holder.principal.may_be(&grant.grantee)
                        && operations.iter().any(|one| one.eq_ignore_ascii_case(&name))
                });
                match fitting {
                    None => Heard::plain(Truth::No),
                    Some(grant) => Heard::doubtful(Why::Unclear(format!(
                        "the grant `{}` of the key, with its constraints,",
                        grant.id
                    ))),
                }
            }
        }
    }
}

fn cited(layer: Layer, policy: &Policy, statement: &Statement) -> Cited {
    Cited {
        layer,
        document: policy.name.clone(),
        index: statement.index,
        sid: statement.sid.clone(),
    }
}
