//! One event as scripts write it.

use crate::failure::Failure;
use crate::rehearsals::moment_of;
use chrono::{DateTime, Utc};
use lastkey_contract::facts::LifecycleEvent;
use lastkey_engine::lifecycle::simulated::{Shown, TextColumn};

/// One event in words: `kind=leaver,identity=u1,at=2026-06-01,source=hr,shown=gone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventWords {
    pub(crate) event: LifecycleEvent,
    pub(crate) identity: String,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) source: Option<String>,
    pub(crate) shown: Shown,
    pub(crate) set: Vec<(String, String)>,
    /// Of a change of owners: what is handed on, and to whom; `identity` hands it on.
    pub(crate) object: String,
    pub(crate) to: String,
}

/// The kinds of events that can be rehearsed together.
const KINDS: &[LifecycleEvent] = &[
    LifecycleEvent::Joiner,
    LifecycleEvent::Mover,
    LifecycleEvent::Leaver,
    LifecycleEvent::VendorExit,
    LifecycleEvent::WorkloadRetired,
    LifecycleEvent::AgentRetired,
    LifecycleEvent::OwnerChange,
    LifecycleEvent::LeaveStart,
    LifecycleEvent::LeaveEnd,
    LifecycleEvent::Rehire,
    LifecycleEvent::Extension,
    LifecycleEvent::Renamed,
];

/// What may stand before `=` beside columns.
const WORDS: &[&str] = &[
    "kind", "identity", "object", "from", "to", "at", "source", "shown",
];

/// Columns of identities that are no texts.
const OTHER_COLUMNS: &[&str] = &["start_date", "end_date", "status", "leaver_kind"];

/// Reads one event. A comma only parts where a name and `=` follow it, and nowhere in double quotes.
pub fn event_from_text(text: &str) -> Result<EventWords, Failure> {
    let wrong = |what: String| {
        Failure::bad_input(format!("`{text}`: {what}"))
            .hint("write kind=leaver,identity=ID,at=TIME; more in docs/guide/events.md")
    };
    let mut event = None;
    let mut words = EventWords {
        event: LifecycleEvent::Leaver,
        identity: String::new(),
        at: None,
        source: None,
        shown: Shown::default(),
        set: Vec::new(),
        object: String::new(),
        to: String::new(),
    };
    let mut told: Vec<&str> = Vec::new();
    let named = parts(text).map_err(wrong)?;
    for (name, _) in &named {
        let name = match name.as_str() {
            "from" => "identity",
            other => other,
        };
        if told.contains(&name) {
            let names = match name {
                "identity" => "`identity` (or `from`)".to_owned(),
                other => format!("`{other}`"),
            };
            return Err(wrong(format!("{names} stands twice")));
        }
        told.push(name);
    }
    for (name, value) in named {
        match name.as_str() {
            "kind" => {
                let known = LifecycleEvent::from_word(&value).filter(|one| KINDS.contains(one));
                let all: Vec<&str> = KINDS.iter().map(|kind| kind.word()).collect();
                let no_kind = || wrong(format!("`{value}` is none of {}", all.join(", ")));
                event = Some(known.ok_or_else(no_kind)?);
            }
            // Who hands something on is the identity of a change of owners.
            "identity" | "from" => words.identity = value,
            "object" => words.object = value,
            "to" => words.to = value,
            "at" => words.at = Some(moment_of("at", &value)?),
            "source" => words.source = Some(value),
            "shown" => {
                let known = Shown::from_word(&value);
                let no_way = || wrong(format!("`{value}` is none of {}", Shown::WORDS.join(", ")));
                words.shown = known.ok_or_else(no_way)?;
            }
            column if is_column(column) => words.set.push((name, value)),
            other => return Err(wrong(format!("there is no `{other}`")).hint(format!(
                "there are {}, columns of identities and attributes.NAME; a value in which `,NAME=` stands is written in double quotes",
                WORDS.join(", ")
            ))),
        }
    }
    words.event = event.ok_or_else(|| wrong("it has no kind".to_owned()))?;
    if words.identity.is_empty() {
        return Err(wrong("it has no identity".to_owned()));
    }
    let hands_on = words.event == LifecycleEvent::OwnerChange;
    if hands_on && (words.object.is_empty() || words.to.is_empty()) {
        return Err(wrong(
            "a change of owners has object=, from= and to=".to_owned(),
        ));
    }
    let names_what = !words.object.is_empty() || !words.to.is_empty();
    if names_what && !hands_on {
        return Err(wrong(format!(
            "object= and to= stand in an owner_change, and not in a {}",
            words.event.word()
        )));
    }
    if hands_on && !words.set.is_empty() {
        return Err(wrong("a change of owners changes no column".to_owned()));
    }
    Ok(words)
}

fn is_column(name: &str) -> bool {
    TextColumn::from_name(name).is_some()
        || OTHER_COLUMNS.contains(&name)
        || name
            .strip_prefix("attributes.")
            .is_some_and(|own| !own.is_empty())
}

/// Names with values. A value that begins with a double quote ends with one, and two stand for one
/// in it: then nothing in it parts.
fn parts(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut rest, mut quoted) = (text, false);
    loop {
        let (piece, after) = first_piece(rest);
        match (named(piece), found.last_mut()) {
            (Some((name, value)), _) if value.trim_start().starts_with('"') => {
                let begun = piece
                    .find('"')
                    .and_then(|at| rest.get(at..))
                    .unwrap_or_default();
                let (value, behind) = in_quotes(begun).ok_or_else(|| {
                    format!("the value of `{name}` begins with a quote that nothing closes")
                })?;
                found.push((name.to_owned(), value));
                quoted = true;
                match behind.trim_start().strip_prefix(',') {
                    Some(next) => rest = next,
                    None if behind.trim().is_empty() => return Ok(found),
                    None => {
                        return Err(format!(
                            "behind the quoted value of `{name}` a comma has to stand"
                        ));
                    }
                }
                continue;
            }
            (Some((name, value)), _) => {
                found.push((name.to_owned(), value.trim().to_owned()));
                quoted = false;
            }
            (None, Some((name, _))) if quoted => {
                return Err(format!(
                    "behind the quoted value of `{name}` NAME=VALUE has to stand"
                ));
            }
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => return Err("it is not NAME=VALUE".to_owned()),
        }
        match after {
            Some(next) => rest = next,
            None => return Ok(found),
        }
    }
}

/// What stands before the first comma, and what behind it.
fn first_piece(text: &str) -> (&str, Option<&str>) {
    text.split_once(',')
        .map_or((text, None), |(piece, after)| (piece, Some(after)))
}

/// The name with which a piece begins, and what stands behind its `=`.
fn named(piece: &str) -> Option<(&str, &str)> {
    let (name, value) = piece.split_once('=')?;
    let name = name.trim();
    let is_name = WORDS.contains(&name)
        || is_column(name)
        || (!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    is_name.then_some((name, value))
}

/// The value of a text that begins with a double quote, and what stands behind the closing one.
fn in_quotes(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('"')?;
    loop {
        let (before, behind) = rest.split_once('"')?;
        value.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parts(text), Ok(expected), "{text}");
    }

    #[test]
    fn a_comma_parts_only_where_a_name_follows_and_not_in_quotes() {
        check(
            "kind=mover,title=Head, Sales",
            &[("kind", "mover"), ("title", "Head, Sales")],
        );
        let ann = "uid=ann,ou=people,dc=x";
        check(&format!("identity=\"{ann}\""), &[("identity", ann)]);
        check(
            &format!("kind=leaver, identity = \"{ann}\" ,at=2026-06-01"),
            &[("kind", "leaver"), ("identity", ann), ("at", "2026-06-01")],
        );
        check(
            "title=\"the \"\"one\"\"\",at=x",
            &[("title", "the \"one\""), ("at", "x")],
        );
        check("title=the \"one\"", &[("title", "the \"one\"")]);
        check("title=\"\",at= x ", &[("title", ""), ("at", "x")]);
        check("title=\" Head \"", &[("title", " Head ")]);
    }

    #[test]
    fn a_quote_that_is_not_closed_and_what_stands_behind_one_are_named() {
        for (text, wanted) in [
            ("identity=\"uid=ann,ou=people", "nothing closes"),
            ("identity=\"ann\"x", "a comma has to stand"),
            ("identity=\"ann\",x", "NAME=VALUE has to stand"),
            ("ann", "it is not NAME=VALUE"),
        ] {
            let found = parts(text).unwrap_err();
            assert!(found.contains(wanted), "{text}: {found}");
        }
    }
}
