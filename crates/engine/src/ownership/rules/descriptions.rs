//! Names and descriptions in which a person or a mail address stands.

use crate::correlate::folded;
use crate::ownership::clue::{Clue, Pointer, Rule, Strength, words};
use crate::ownership::subject::Subject;
use lastkey_contract::facts::OwnerRole;

/// Attributes that people write sentences into.
const SENTENCES: [&str; 7] = [
    "description",
    "comment",
    "comments",
    "notes",
    "note",
    "purpose",
    "gecos",
];
/// Words behind which somebody is named who answers.
const MARKS: [&str; 6] = [
    "owner",
    "contact",
    "owned by",
    "responsible",
    "maintainer",
    "c/o",
];
/// A text longer than this is no description.
const LONGEST: usize = 2_000;

pub(super) fn clues(subject: &Subject<'_>) -> Vec<Clue> {
    let written = subject.attributes.iter().filter_map(|(name, text)| {
        let word = super::attribute_word(name);
        let sentence = SENTENCES.contains(&word.as_str());
        sentence.then_some((name.as_str(), text.as_str()))
    });
    let mut clues = Vec::new();
    for (field, text) in subject.texts.iter().copied().chain(written) {
        if text.len() > LONGEST {
            continue;
        }
        let mut named = |strength, pointer, name: &str| {
            let known = clues.iter().any(|clue: &Clue| clue.pointer == pointer);
            if !known {
                clues.push(Clue {
                    rule: Rule::Description,
                    role: OwnerRole::Technical,
                    strength,
                    pointer,
                    says: format!("`{field}` names `{name}`"),
                    fact: subject.words.clone(),
                });
            }
        };
        for mail in mails(text) {
            named(Strength::Likely, Pointer::Mail(folded(mail)), mail);
        }
        if let Some(whom) = marked(text)
            && let Some(pointer) = Pointer::of_text(whom, subject.system)
        {
            named(Strength::Likely, pointer, whom);
        }
        for name in full_names(text) {
            named(Strength::Weak, Pointer::FullName(name.clone()), &name);
        }
    }
    clues
}

/// The mail addresses in a text.
fn mails(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "<>()[],;\"'`".contains(c))
        .map(|part| part.trim_matches(|c: char| ".:!?".contains(c)))
        .map(|part| part.trim_start_matches("mailto:"))
        .filter(|part| {
            part.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.contains('@')
            })
        })
}

/// The login behind `owner:` and the like.
fn marked(text: &str) -> Option<&str> {
    let lower = text.to_lowercase();
    // Positions are of the text itself only if folding changed no length.
    if lower.len() != text.len() {
        return None;
    }
    MARKS.iter().find_map(|mark| {
        let behind = text.get(lower.find(mark)? + mark.len()..)?;
        let whom = behind.strip_prefix([':', '='])?.trim_start();
        let end = whom
            .find(|c: char| c.is_whitespace() || ",;()".contains(c))
            .unwrap_or(whom.len());
        let whom = whom.get(..end)?.trim_end_matches('.');
        (!whom.is_empty() && !whom.contains('@')).then_some(whom)
    })
}

/// Every two or three words that stand side by side and could be somebody's name.
fn full_names(text: &str) -> Vec<String> {
    let words: Vec<String> = words(text);
    let mut names = Vec::new();
    for size in [2, 3] {
        for part in words.windows(size) {
            if part.iter().all(|word| word.chars().count() > 1) {
                names.push(part.join(" "));
            }
        }
    }
    names
}
