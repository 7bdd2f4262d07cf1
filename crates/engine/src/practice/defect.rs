//! A planted defect: what, on whom, where it shows, and how the files prove that it is there.

/// What the defect is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// identity, account, entitlement, credential, location or task.
    pub kind: &'static str,
    /// Empty for an identity.
    pub system: String,
    pub id: String,
}

/// Where the defect shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Today: the command and what is in its answer.
    Now { command: String, expected: String },
    /// Once Lastkey has this capability.
    Needs { capability: &'static str },
}

/// What a cell has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    Is(String),
    Empty,
    /// A time or date before this one, compared as text.
    Before(String),
    /// A time or date after this one, compared as text.
    After(String),
}

impl Want {
    /// Whether the cell holds it.
    pub fn holds(&self, cell: &str) -> bool {
        match self {
            Want::Is(value) => cell == value,
            Want::Empty => cell.is_empty(),
            Want::Before(limit) => !cell.is_empty() && cell < limit.as_str(),
            Want::After(limit) => cell > limit.as_str(),
        }
    }
}

/// A statement about the rows of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub file: String,
    /// Column and what it holds, all in one row.
    pub row: Vec<(&'static str, Want)>,
    /// How many such rows there are.
    pub count: usize,
}

/// One planted defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// `PE-01` to `PE-40`; never given to something else.
    pub id: &'static str,
    pub title: &'static str,
    /// What was planted, in one sentence.
    pub planted: String,
    pub subjects: Vec<Subject>,
    pub shows: Shows,
    pub proofs: Vec<Proof>,
}

pub(super) fn is(value: &str) -> Want {
    Want::Is(value.to_owned())
}

impl Defect {
    /// A defect that needs a later capability to show.
    pub(super) fn new(
        id: &'static str,
        title: &'static str,
        capability: &'static str,
        planted: impl Into<String>,
    ) -> Defect {
        let planted = planted.into();
        Defect {
            id,
            title,
            shows: Shows::Needs { capability },
            planted,
            subjects: Vec::new(),
            proofs: Vec::new(),
        }
    }

    pub(super) fn now(mut self, command: impl Into<String>, expected: impl Into<String>) -> Defect {
        self.shows = Shows::Now {
            command: command.into(),
            expected: expected.into(),
        };
        self
    }

    /// Shows in the rehearsal of a leaver as an item that never closes.
    pub(super) fn never_closes(self, identity: &str, item: &str) -> Defect {
        self.now(
            format!("lastkey rehearse leaver --identity {identity}"),
            format!("`{item}`, never closes"),
        )
    }

    pub(super) fn on(mut self, kind: &'static str, system: &str, id: &str) -> Defect {
        self.subjects.push(Subject {
            kind,
            system: system.to_owned(),
            id: id.to_owned(),
        });
        self
    }

    pub(super) fn proof(self, file: &str, row: &[(&'static str, Want)]) -> Defect {
        self.proofs(file, row, 1)
    }

    pub(super) fn proofs(
        mut self,
        file: &str,
        row: &[(&'static str, Want)],
        count: usize,
    ) -> Defect {
        self.proofs.push(Proof {
            file: file.to_owned(),
            row: row.to_vec(),
            count,
        });
        self
    }

    /// The latest roster says that the person has left.
    pub(super) fn left(self, identity: &str) -> Defect {
        self.on("identity", "", identity).proof(
            LATEST,
            &[
                ("id", is(identity)),
                ("status", is("inactive")),
                ("end_date", Want::Before("2026-11-20".to_owned())),
            ],
        )
    }
}

/// The latest roster.
pub(super) const LATEST: &str = "hr/2026-11-20.csv";
