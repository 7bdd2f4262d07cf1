//! AWS's documented rules, one small case each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod conditions;
mod documents;
mod layers;
mod undecided;

use lastkey_aws_policy::{
    Asker, Context, Decision, Document, Grants, Guardrails, Holder, Kind, Level, Policy, Principal,
    Question, Resource, Target,
};
use std::sync::Arc;

pub const ANN: &str = "arn:aws:iam::111122223333:user/ann";
pub const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
pub const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/build";
pub const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1b2c3";
pub const AWAY: &str = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:db-a1b2c3";
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234";
pub const ROLE: &str = "arn:aws:iam::111122223333:role/target";
pub const AWAY_ROLE: &str = "arn:aws:iam::444455556666:role/target";
pub const READ: &str = "secretsmanager:GetSecretValue";

/// A document of one or more statements.
pub fn document(kind: Kind, name: &str, statements: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let policy = Policy::parse(kind, name, &text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    Document::Read(Arc::new(policy))
}

/// A statement from its parts: `Allow secretsmanager:* *`, then who and when as JSON.
pub fn statement(words: &str, rest: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let [effect, action, resource] = words[..] else {
        panic!("{words:?}");
    };
    let resource = match resource {
        "-" => String::new(),
        resource => format!(r#", "Resource": "{resource}""#),
    };
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!(", {rest}")
    };
    format!(r#"{{"Effect": "{effect}", "Action": "{action}"{resource}{rest}}}"#)
}

pub fn to(arn: &str) -> String {
    format!(r#""Principal": {{"AWS": "{arn}"}}"#)
}

/// A question in the making.
pub struct Case {
    pub holder: Holder,
    pub action: &'static str,
    pub target: Target,
    pub context: Context,
}

impl Case {
    pub fn of(principal: Principal, action: &'static str, resource: &str) -> Case {
        let target = Target {
            grants: Grants::Read(Vec::new()),
            ..Target::new(Resource::parse(resource).unwrap())
        };
        Case {
            holder: Holder::new(principal),
            action,
            target,
            context: Context::new(),
        }
    }

    pub fn ann(action: &'static str, resource: &str) -> Case {
        Case::of(Principal::of(ANN).unwrap(), action, resource)
    }

    pub fn session(action: &'static str, resource: &str) -> Case {
        let role = Principal::of(DEPLOY).unwrap().in_session("build");
        Case::of(role, action, resource)
    }

    pub fn identity(mut self, words: &str, rest: &str) -> Case {
        let document = document(Kind::Identity, "own", &statement(words, rest));
        self.holder.identity.push(document);
        self
    }

    pub fn boundary(mut self, words: &str) -> Case {
        self.holder.boundary = Some(document(Kind::Boundary, "limit", &statement(words, "")));
        self
    }

    pub fn session_policy(mut self, words: &str) -> Case {
        let passed = document(Kind::Session, "passed", &statement(words, ""));
        self.holder.session = Some(vec![passed]);
        self
    }

    /// One level of the organisation more.
    pub fn service_control(mut self, name: &str, words: &str) -> Case {
        let level = Level {
            name: name.to_owned(),
            documents: vec![document(Kind::ServiceControl, name, &statement(words, ""))],
        };
        match &mut self.holder.guardrails {
            Guardrails::Path(levels) => levels.push(level),
            other => *other = Guardrails::Path(vec![level]),
        }
        self
    }

    pub fn resource_control(mut self, words: &str, condition: &str) -> Case {
        let rest = format!(r#""Principal": "*"{condition}"#);
        let statement = statement(words, &rest);
        self.target.guardrails = Guardrails::Path(vec![Level {
            name: "root".into(),
            documents: vec![document(Kind::ResourceControl, "guard", &statement)],
        }]);
        self
    }

    pub fn resource(mut self, words: &str, rest: &str) -> Case {
        let kind = if words.contains("sts:") {
            Kind::Trust
        } else {
            Kind::Resource
        };
        let statement = statement(words, rest);
        self.target.policy = Some(document(kind, "theirs", &statement));
        self
    }

    pub fn context(mut self, context: Context) -> Case {
        self.context = context;
        self
    }

    pub fn decide(&self) -> Decision {
        let question = Question::new(self.action, self.target.clone(), self.context.clone());
        Asker::new(&question.unwrap()).ask(&self.holder)
    }

    /// The answer as a person is shown it.
    #[track_caller]
    pub fn gives(self, expected: &str) {
        assert_eq!(self.decide().to_string(), expected);
    }

    #[track_caller]
    pub fn allowed(self) {
        let decision = self.decide();
        assert!(decision.is_allowed(), "{decision}");
    }

    #[track_caller]
    pub fn denied(self) {
        let decision = self.decide();
        assert!(decision.is_denied(), "{decision}");
    }
}
