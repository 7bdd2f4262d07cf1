//! YAML for connectors: the leaves of a tree, each with its path.
//!
//! It promises that nothing multiplies (aliases are not followed), that depth is bounded, that a
//! leaf's text is wiped once it was looked at, and that no text of a file is ever quoted: a file that
//! is not understood says no more than that. JSON is YAML as well.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use yaml_rust2::parser::{Event, Parser};
use zeroize::Zeroize;

/// How deep a tree is looked into.
const DEEPEST: usize = 100;

/// What stopped a text from being read by its leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood;

/// Hands each leaf over with its path (keys, and places in lists from 0) and its line, in order; also
/// those before the place from which the text is no longer understood.
pub fn leaves(
    text: &str,
    mut leaf: impl FnMut(&[String], Option<u64>, &str),
) -> Result<(), NotUnderstood> {
    // The parser is not ours: were it to panic, this one text was not understood.
    catch_unwind(AssertUnwindSafe(|| events(text, &mut leaf))).unwrap_or(Err(NotUnderstood))
}

/// What is open: a map, with the key that waits for its value, or a list, with its place in it.
enum Open {
    Map(Option<String>),
    List(usize),
}

/// Takes a leaf: its path, its line, its text.
type Leaf<'a> = dyn FnMut(&[String], Option<u64>, &str) + 'a;

fn events(text: &str, leaf: &mut Leaf<'_>) -> Result<(), NotUnderstood> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let (event, mark) = parser.next_token().map_err(|_| NotUnderstood)?;
        match event {
            Event::StreamEnd => return Ok(()),
            Event::MappingStart(..) => open.push(Open::Map(None)),
            Event::SequenceStart(..) => open.push(Open::List(0)),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                value_ends(&mut open);
            }
            Event::Scalar(mut scalar, ..) => {
                if let Some(Open::Map(key @ None)) = open.last_mut() {
                    *key = Some(scalar);
                    continue;
                }
                leaf(&path(&open), u64::try_from(mark.line()).ok(), &scalar);
                scalar.zeroize();
                value_ends(&mut open);
            }
            Event::Alias(_) => match open.last_mut() {
                Some(Open::Map(key @ None)) => *key = Some("*".to_owned()),
                _ => value_ends(&mut open),
            },
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => {}
        }
        if open.len() > DEEPEST {
            return Err(NotUnderstood);
        }
    }
}

fn value_ends(open: &mut [Open]) {
    match open.last_mut() {
        Some(Open::Map(key)) => {
            *key = match key {
                // A map or a list that stood where a key stands has no name of its own.
                None => Some(String::new()),
                Some(_) => None,
            }
        }
        Some(Open::List(at)) => *at += 1,
        None => {}
    }
}

fn path(open: &[Open]) -> Vec<String> {
    open.iter()
        .map(|one| match one {
            Open::Map(key) => key.clone().unwrap_or_default(),
            Open::List(at) => at.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, understood: bool, says: &[(&str, &str)]) {
        let mut found = Vec::new();
        let result = leaves(text, |path, _, value| {
            found.push((path.join("."), value.to_owned()));
        });
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(path, value)| (path.as_str(), value.as_str()))
            .collect();
        assert_eq!(result.is_ok(), understood, "{text}");
        assert_eq!(found, says, "{text}");
    }

    #[test]
    fn leaves_have_their_paths() {
        check("", true, &[]);
        check(
            "a: [x, {b: y}]\nc:\n  - d: 1",
            true,
            &[("a.0", "x"), ("a.1.b", "y"), ("c.0.d", "1")],
        );
        check(
            r#"{"a": {"b": ["x"]}, "c": "y"}"#,
            true,
            &[("a.b.0", "x"), ("c", "y")],
        );
        check("a: &x s\nb: *x\nc: t", true, &[("a", "s"), ("c", "t")]);
    }

    #[test]
    fn what_is_not_understood_says_no_more() {
        check("a: x\nb: [", false, &[("a", "x")]);
        check(&"[".repeat(DEEPEST + 1), false, &[]);
    }
}
