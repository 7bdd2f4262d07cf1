//! Resources of a statement, held against the resource that is asked about.
//!
//! AWS's words on wildcards leave room: they stand within the segments of an ARN, and one that ends a
//! segment "can expand to match beyond the colon boundaries". Where reading the whole text as one
//! pattern and reading it segment by segment differ, the answer is unknown and says so.

use crate::context::Known;
use crate::pattern::{Case, Fit, Pattern, Piece, Version, Wildcards};
use crate::truth::Truth;

/// What an action is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    arn: String,
    /// Six, where it is not every resource.
    segments: Vec<String>,
}

impl Resource {
    /// None where the text is no ARN of six segments. `*` is an action that takes no resource, such
    /// as `secretsmanager:ListSecrets`.
    pub fn parse(arn: &str) -> Option<Resource> {
        let segments: Vec<String> = arn.splitn(6, ':').map(str::to_owned).collect();
        let whole = segments.len() == 6 && segments.first().is_some_and(|first| first == "arn");
        let segments = match (arn, whole) {
            ("*", _) => Vec::new(),
            (_, true) => segments,
            (_, false) => return None,
        };
        Some(Resource {
            arn: arn.to_owned(),
            segments,
        })
    }

    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// `secret:db` of `arn:aws:secretsmanager:eu-west-1:111122223333:secret:db`.
    pub(crate) fn path(&self) -> &str {
        self.segments.get(5).map_or("", String::as_str)
    }

    pub(crate) fn account(&self) -> Option<&str> {
        self.segments
            .get(4)
            .map(String::as_str)
            .filter(|account| !account.is_empty())
    }

    pub(crate) fn is_none(&self) -> bool {
        self.segments.is_empty()
    }
}

/// Services whose resources begin with their type, where AWS documents that no wildcard may stand.
const TYPED: &[&str] = &[
    "dynamodb",
    "ec2",
    "ecs",
    "iam",
    "kms",
    "lambda",
    "logs",
    "organizations",
    "rds",
    "secretsmanager",
    "ssm",
    "sso",
    "sts",
];

#[derive(Debug)]
pub(crate) struct ResourcePattern {
    pub(crate) text: String,
    whole: Pattern,
    /// Where it has fewer than six, the rest may be anything.
    segments: Vec<Pattern>,
    /// A wildcard or variable where AWS wants the plain type, or a variable before the fifth colon.
    misplaced: bool,
}

/// Whether a resource fits, and what of the pattern is not clear.
pub(crate) struct ResourceFit {
    pub(crate) truth: Truth,
    pub(crate) keys: Vec<String>,
    /// A variable without a value: fits nothing, and AWS does not say what that makes of `NotResource`.
    pub(crate) no_value: bool,
}

impl ResourcePattern {
    pub(crate) fn parse(text: &str, version: Version) -> Result<ResourcePattern, String> {
        let whole = Pattern::parse(text, version, Wildcards::Read)?;
        if !whole.is_everything() && !text.starts_with("arn:") {
            return Err(format!("`{text}` is neither an ARN nor `*`"));
        }
        let mut segments = vec![Vec::new()];
        for piece in &whole.pieces {
            if *piece == Piece::Letter(':') && segments.len() < 6 {
                segments.push(Vec::new());
            } else if let Some(last) = segments.last_mut() {
                last.push(piece.clone());
            }
        }
        let variable = |piece: &Piece| matches!(piece, Piece::Variable { .. });
        let early = segments.iter().take(5).flatten().any(variable);
        let segments: Vec<Pattern> = segments
            .into_iter()
            .map(|pieces| Pattern { pieces })
            .collect();
        let typed = segments
            .get(2)
            .and_then(Pattern::literal)
            .is_some_and(|service| TYPED.contains(&service.as_str()));
        let misplaced = early || (typed && segments.get(5).is_some_and(wild_type));
        Ok(ResourcePattern {
            text: text.to_owned(),
            whole,
            segments,
            misplaced,
        })
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.whole.variables()
    }

    pub(crate) fn fits(&self, resource: &Resource, known: Known<'_>) -> ResourceFit {
        if self.whole.is_everything() {
            return ResourceFit::clear(Truth::Yes);
        }
        if resource.is_none() {
            // AWS wants `*` for actions that take no resource; what wildcards within an ARN do is
            // not said.
            let wild = self.whole.pieces.contains(&Piece::Any);
            return ResourceFit::clear(if wild { Truth::Unknown } else { Truth::No });
        }
        let whole = self.whole.fits(&resource.arn, known, Case::Kept);
        let mut by_segment = Truth::Yes;
        for (index, segment) in resource.segments.iter().enumerate() {
            let Some(pattern) = self.segments.get(index) else {
                break;
            };
            let case = if index < 5 { Case::Folded } else { Case::Kept };
            by_segment = by_segment.and(pattern.fits(segment, known, case).truth());
        }
        let no_value = matches!(whole, Fit::NoValue(_));
        let keys = match &whole {
            Fit::Unknown(keys) => keys.clone(),
            Fit::Yes | Fit::No | Fit::NoValue(_) => Vec::new(),
        };
        let whole = whole.truth();
        let truth = if whole != by_segment || (self.misplaced && whole != Truth::No) {
            Truth::Unknown
        } else {
            whole
        };
        ResourceFit {
            truth,
            keys,
            no_value,
        }
    }
}

impl ResourceFit {
    fn clear(truth: Truth) -> ResourceFit {
        ResourceFit {
            truth,
            keys: Vec::new(),
            no_value: false,
        }
    }
}

/// `u*/ann`: a wildcard stands before the type ends.
fn wild_type(resource: &Pattern) -> bool {
    let separator = |piece: &Piece| matches!(piece, Piece::Letter('/' | ':'));
    let end = resource.pieces.iter().position(separator);
    let kind = end.and_then(|end| resource.pieces.get(..end));
    kind.is_some_and(|kind| kind.iter().any(|piece| !matches!(piece, Piece::Letter(_))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    fn check(pattern: &str, resource: &str, truth: Truth) {
        let context = Context::new()
            .one("aws:username", "ann")
            .absent("aws:PrincipalTag/team");
        let compiled = ResourcePattern::parse(pattern, Version::V2012).unwrap();
        let resource = Resource::parse(resource).unwrap();
        let fit = compiled.fits(&resource, Known(&[&context]));
        assert_eq!(fit.truth, truth, "{pattern} and {}", resource.arn());
    }

    #[test]
    fn resources() {
        const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/prod-a1b2c3";
        let cases = [
            ("*", Truth::Yes),
            ("**", Truth::Yes),
            (SECRET, Truth::Yes),
            ("arn:aws:secretsmanager:*:*:secret:db/*", Truth::Yes),
            (
                "arn:aws:secretsmanager:*:111122223333:secret:db/prod-??????",
                Truth::Yes,
            ),
            (
                "arn:aws:secretsmanager:*:111122223333:secret:db/prod-?????",
                Truth::No,
            ),
            ("arn:aws:secretsmanager:*:*:secret:DB/*", Truth::No),
            ("arn:aws:secretsmanager:*:444455556666:*", Truth::No),
            ("arn:aws:secretsmanager:*:*:*", Truth::Yes),
            ("arn:aws:secretsmanager:*", Truth::Yes),
            ("arn:*", Truth::Yes),
            // AWS's documentation leaves open what these stand for
            ("arn:aws:secretsmanager", Truth::Unknown),
            ("arn:aws:secretsmanager:*:secret:db/*", Truth::Unknown),
            ("arn:aws:secretsmanager:*:*:s*:db/*", Truth::Unknown),
            ("arn:aws:SecretsManager:*:*:secret:db/*", Truth::Unknown),
            ("arn:aws:secretsmanager:eu-*-1:*:secret:db/*", Truth::Yes),
        ];
        for (pattern, truth) in cases {
            check(pattern, SECRET, truth);
        }
        check(
            "arn:aws:s3:::home/${aws:username}/*",
            "arn:aws:s3:::home/ann/x",
            Truth::Yes,
        );
        check(
            "arn:aws:s3:::home/${aws:PrincipalTag/team}/*",
            "arn:aws:s3:::home/x/x",
            Truth::No,
        );
        check(
            "arn:aws:s3:::home/${aws:SourceIp}/*",
            "arn:aws:s3:::home/x/x",
            Truth::Unknown,
        );
        check(
            "arn:aws:s3:::home/${aws:SourceIp}/*",
            "arn:aws:s3:::away/x/x",
            Truth::No,
        );
        check(
            "arn:aws:iam::${aws:PrincipalAccount}:user/*",
            "arn:aws:iam::1:user/x",
            Truth::Unknown,
        );
        check("*", "*", Truth::Yes);
        check("arn:aws:kms:*:*:key/x", "*", Truth::Unknown);
        check("arn:aws:kms:us-east-1:111122223333:key/x", "*", Truth::No);
    }

    #[test]
    fn what_is_no_arn() {
        assert!(Resource::parse("secret:db").is_none());
        assert!(Resource::parse("arn:aws:s3").is_none());
        assert!(ResourcePattern::parse("secret:db", Version::V2012).is_err());
    }
}
