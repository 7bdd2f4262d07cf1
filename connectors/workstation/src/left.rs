//! What a scan did not look into, by reason, and what that does to the claim that nothing else is
//! there.

use lastkey_contract::{Kind, Note, NoteKind};
use std::collections::BTreeMap;

/// Why something was not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    FolderClosed,
    FolderUnreadable,
    FileClosed,
    FileUnreadable,
    TooLarge,
    NotUnderstood,
    Cut,
    TooMany,
    Vanished,
    Binary,
    NoFile,
    LinkOut,
    Passing,
    Packed,
    Ignored,
    Excluded,
}

impl Reason {
    /// Whether something may stand there that is not told, and in which words.
    fn says(self) -> (NoteKind, &'static str) {
        use NoteKind::{Clipped, Remark, Skipped};
        match self {
            Reason::FolderClosed => (Skipped, "the folder may not be listed by this user"),
            Reason::FolderUnreadable => (Skipped, "the folder could not be listed"),
            Reason::FileClosed => (Skipped, "the file may not be read by this user"),
            Reason::FileUnreadable => (Skipped, "the file could not be read"),
            Reason::TooLarge => (Skipped, "the file is larger than `largest_mib`"),
            Reason::NotUnderstood => (
                Clipped,
                "the file is not of the form of its name, or too large for it: it was searched for token shapes only",
            ),
            Reason::Cut => (
                Clipped,
                "the file holds more than 1000 finds: the rest is not told",
            ),
            Reason::TooMany => (Clipped, "a million finds were told: the rest is not"),
            Reason::Vanished => (Remark, "it went away while the tree was read"),
            Reason::Binary => (Remark, "files that are no text are not looked into"),
            Reason::NoFile => (Remark, "devices, pipes and sockets hold no text"),
            Reason::LinkOut => (Remark, "links that lead out of the folder are not followed"),
            Reason::Passing => (
                Remark,
                "caches, packages of others and the bin are left out of a scan of a home folder",
            ),
            Reason::Packed => (
                Remark,
                "the packed history of repositories, and what a kernel shows as files, are left out",
            ),
            Reason::Ignored => (Remark, "what .gitignore names is left out"),
            Reason::Excluded => (Remark, "what `exclude` names is left out"),
        }
    }
}

/// Counts by reason, with the first few paths of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Reason, (u64, Vec<String>)>);

impl LeftOut {
    pub fn add(&mut self, reason: Reason, path: String) {
        let (count, examples) = self.0.entry(reason).or_default();
        *count += 1;
        examples.push(path);
        tidy(examples);
    }

    pub fn join(&mut self, other: LeftOut) {
        for (reason, (more, paths)) in other.0 {
            let (count, examples) = self.0.entry(reason).or_default();
            *count += more;
            examples.extend(paths);
            tidy(examples);
        }
    }

    /// The notes of the kind that tells of places: each reason with its count.
    pub fn notes(&self) -> Vec<Note> {
        let note = |(reason, (count, examples)): (&Reason, &(u64, Vec<String>))| {
            let (kind, says) = reason.says();
            Note {
                kind,
                about: Kind::Location,
                reason: says.to_owned(),
                count: *count,
                examples: examples.clone(),
            }
        };
        self.0.iter().map(note).collect()
    }

    /// The note of a kind that is made of what was found: that there may be more.
    pub fn shadow(&self, about: Kind) -> Option<Note> {
        let missing = self
            .notes()
            .into_iter()
            .filter(|note| !note.kind.keeps_completeness());
        let count: u64 = missing.map(|note| note.count).sum();
        (count > 0).then(|| Note {
            kind: NoteKind::Clipped,
            about,
            reason: "files or folders were not looked into (see the notes of locations), so there may be more".to_owned(),
            count,
            examples: Vec::new(),
        })
    }
}

/// Few examples, whichever thread saw them first.
fn tidy(examples: &mut Vec<String>) {
    examples.sort();
    examples.dedup();
    examples.truncate(Note::MAX_EXAMPLES);
}
