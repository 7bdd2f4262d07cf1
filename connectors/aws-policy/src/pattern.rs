//! Texts of a policy with wildcards and variables.

use crate::context::{Known, Value};
use crate::truth::Truth;

/// Which version of the policy language; variables are known to the later one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V2008,
    V2012,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Letter(char),
    /// `*`
    Any,
    /// `?`
    One,
    Variable {
        /// In lower case.
        key: String,
        /// As the policy writes it.
        written: String,
        default: Option<String>,
    },
}

/// A text with its wildcards and variables taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) pieces: Vec<Piece>,
}

/// Whether `*` and `?` stand for others or for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Read,
    Literal,
}

/// Whether letters of both cases are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Kept,
    Folded,
}

impl Pattern {
    /// What is wrong where a variable has no end.
    pub(crate) fn parse(
        text: &str,
        version: Version,
        wildcards: Wildcards,
    ) -> Result<Pattern, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if version == Version::V2012
                && let Some(inside) = rest.strip_prefix("${")
            {
                let Some((inside, after)) = inside.split_once('}') else {
                    return Err(format!("the variable in `{text}` has no end"));
                };
                pieces.push(variable(inside));
                rest = after;
                continue;
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            pieces.push(match (first, wildcards) {
                ('*', Wildcards::Read) => Piece::Any,
                ('?', Wildcards::Read) => Piece::One,
                (letter, _) => Piece::Letter(letter),
            });
        }
        Ok(Pattern { pieces })
    }

    /// Itself where it has neither wildcards nor variables.
    pub(crate) fn literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Letter(letter) => Some(*letter),
                Piece::Any | Piece::One | Piece::Variable { .. } => None,
            })
            .collect()
    }

    /// What stands before a single `*` at the end.
    pub(crate) fn beginning(&self) -> Option<String> {
        let (last, before) = self.pieces.split_last()?;
        let before = Pattern {
            pieces: before.to_vec(),
        };
        (*last == Piece::Any).then(|| before.literal()).flatten()
    }

    pub(crate) fn is_everything(&self) -> bool {
        !self.pieces.is_empty() && self.pieces.iter().all(|piece| *piece == Piece::Any)
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } => Some(key.as_str()),
            Piece::Letter(_) | Piece::Any | Piece::One => None,
        })
    }

    /// Whether the text is one that the pattern stands for. Where a variable has no value, nothing is.
    pub(crate) fn fits(&self, text: &str, known: Known<'_>, case: Case) -> Fit {
        if self.variables().next().is_none() {
            return Fit::of(glob(&self.pieces, text, case));
        }
        let mut missing = None;
        let mut unknown = Vec::new();
        let mut filled = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let Piece::Variable {
                key,
                written,
                default,
            } = piece
            else {
                filled.push(piece.clone());
                continue;
            };
            match (known.get(key), default) {
                (Value::One(value), _) => filled.extend(value.chars().map(Piece::Letter)),
                (Value::Absent, Some(default)) => {
                    filled.extend(default.chars().map(Piece::Letter));
                }
                (Value::Absent, None) => missing = Some(written.clone()),
                (Value::Unknown | Value::Many(_), _) => {
                    unknown.push(written.clone());
                    filled.push(Piece::Any);
                }
            }
        }
        if let Some(key) = missing {
            return Fit::NoValue(key);
        }
        let fits = glob(&filled, text, case);
        if fits && !unknown.is_empty() {
            Fit::Unknown(unknown)
        } else {
            Fit::of(fits)
        }
    }
}

/// Whether a text fits a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// A variable has no value in this request, and no default.
    NoValue(String),
    /// It depends on these keys.
    Unknown(Vec<String>),
}

impl Fit {
    fn of(fits: bool) -> Fit {
        if fits { Fit::Yes } else { Fit::No }
    }

    /// As an answer, where a variable without a value fits nothing.
    pub(crate) fn truth(&self) -> Truth {
        match self {
            Fit::Yes => Truth::Yes,
            Fit::No | Fit::NoValue(_) => Truth::No,
            Fit::Unknown(_) => Truth::Unknown,
        }
    }
}

fn variable(inside: &str) -> Piece {
    match inside {
        "*" => return Piece::Letter('*'),
        "?" => return Piece::Letter('?'),
        "$" => return Piece::Letter('$'),
        _ => {}
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim();
            let quoted = default
                .strip_prefix('\'')
                .and_then(|default| default.strip_suffix('\''));
            (key, quoted.map(str::to_owned))
        }
        None => (inside, None),
    };
    Piece::Variable {
        key: key.trim().to_lowercase(),
        written: key.trim().to_owned(),
        default,
    }
}

fn same(one: char, other: char, case: Case) -> bool {
    one == other || (case == Case::Folded && one.to_lowercase().eq(other.to_lowercase()))
}

/// `*` is any letters or none, `?` is exactly one. Variables are gone by now and fit nothing.
pub(crate) fn glob(pieces: &[Piece], text: &str, case: Case) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let (mut at, mut here) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (pieces.get(at), letters.get(here)) {
            (Some(Piece::Any), _) => {
                back = Some((at + 1, here));
                at += 1;
                continue;
            }
            (None, None) => return true,
            (Some(Piece::One), Some(_)) => {
                at += 1;
                here += 1;
                continue;
            }
            (Some(Piece::Letter(wanted)), Some(letter)) if same(*wanted, *letter, case) => {
                at += 1;
                here += 1;
                continue;
            }
            _ => {}
        }
        match back {
            Some((resume, from)) if from < letters.len() => {
                back = Some((resume, from + 1));
                at = resume;
                here = from + 1;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;

    fn check(pattern: &str, text: &str, fit: Fit) {
        let context = Context::new()
            .one("aws:username", "ann*")
            .absent("aws:PrincipalTag/team");
        let pattern = Pattern::parse(pattern, Version::V2012, Wildcards::Read).unwrap();
        assert_eq!(pattern.fits(text, Known(&[&context]), Case::Kept), fit);
    }

    #[test]
    fn wildcards_and_variables() {
        let yes = [
            ("*", ""),
            ("a*c", "abbc"),
            ("a*b*c", "axxbyyc"),
            ("a?c", "abc"),
            ("${*}x${?}${$}", "*x?$"),
            ("home/${aws:username}/*", "home/ann*/x"),
            ("home/${AWS:UserName}", "home/ann*"),
            ("${aws:PrincipalTag/team, 'all'}/x", "all/x"),
            ("${aws:PrincipalTag/team,'all'}/x", "all/x"),
            ("$x", "$x"),
        ];
        for (pattern, text) in yes {
            check(pattern, text, Fit::Yes);
        }
        let no = [
            ("", "a"),
            ("a?c", "ac"),
            ("a*", "b"),
            ("A", "a"),
            ("${*}", "x"),
            ("home/${aws:username}", "home/anna"),
            ("x/${aws:SourceIp}", "y/1"),
        ];
        for (pattern, text) in no {
            check(pattern, text, Fit::No);
        }
        check(
            "x/${aws:principaltag/team}",
            "x/${aws:principaltag/team}",
            Fit::NoValue("aws:principaltag/team".into()),
        );
        check(
            "x/${aws:SourceIp}",
            "x/1",
            Fit::Unknown(vec!["aws:SourceIp".into()]),
        );
    }

    #[test]
    fn the_old_version_has_no_variables() {
        let pattern = Pattern::parse("${aws:username", Version::V2008, Wildcards::Read).unwrap();
        let fit = pattern.fits("${aws:username", Known(&[]), Case::Kept);
        assert_eq!(fit, Fit::Yes);
        let open = Pattern::parse("${aws:username", Version::V2012, Wildcards::Read);
        assert!(open.is_err());
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let pattern = Pattern::parse(&"*a".repeat(200), Version::V2012, Wildcards::Read).unwrap();
        let fit = pattern.fits(&"a".repeat(199), Known(&[]), Case::Kept);
        assert_eq!(fit, Fit::No);
    }
}
