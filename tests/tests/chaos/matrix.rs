//! What became of each kill, counted by phase.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// What a store showed after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As if the command had never begun.
    AsBefore,
    /// Cut off in the middle, and said so.
    Interrupted,
    /// All was done; only the program's end was cut off.
    Done,
}

impl Outcome {
    const ALL: [Outcome; 3] = [Outcome::AsBefore, Outcome::Interrupted, Outcome::Done];
}

/// What the next run said of a read that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Then {
    /// It goes on where the page mark stands.
    WentOn,
    /// It begins anew, and why.
    BeganAnew,
}

/// One kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judged {
    pub outcome: Outcome,
    /// None where nothing was cut off, or nothing that could be gone on with.
    pub then: Option<Then>,
}

#[derive(Default)]
pub struct Matrix(BTreeMap<&'static str, BTreeMap<Judged, u32>>);

impl Matrix {
    pub fn count(&mut self, phase: &'static str, judged: Judged) {
        *self.0.entry(phase).or_default().entry(judged).or_default() += 1;
    }

    pub fn kills(&self) -> u32 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    pub fn of(&self, outcome: Outcome) -> u32 {
        self.0.values().map(|row| of(row, outcome)).sum()
    }

    /// Past the test's own catch, so that the log of a run that passed shows it.
    pub fn print(&self, title: &str) {
        let mut text = format!(
            "\n{title}\n{:<36} {:>6} {:>10} {:>12} {:>8} {:>6} {:>6}\n",
            "phase", "kills", "as before", "interrupted", "went on", "anew", "done"
        );
        for (phase, row) in &self.0 {
            let [before, interrupted, done] = Outcome::ALL.map(|outcome| of(row, outcome));
            let then = |then| -> u32 {
                let those = row.iter().filter(|(judged, _)| judged.then == Some(then));
                those.map(|(_, count)| count).sum()
            };
            let (on, anew) = (then(Then::WentOn), then(Then::BeganAnew));
            let kills = before + interrupted + done;
            writeln!(
                text,
                "{phase:<36} {kills:>6} {before:>10} {interrupted:>12} {on:>8} {anew:>6} {done:>6}"
            )
            .unwrap();
        }
        writeln!(text, "{:<36} {:>6}", "all", self.kills()).unwrap();
        let _closed = std::io::stderr().write_all(text.as_bytes());
    }
}

fn of(row: &BTreeMap<Judged, u32>, outcome: Outcome) -> u32 {
    let those = row.iter().filter(|(judged, _)| judged.outcome == outcome);
    those.map(|(_, count)| count).sum()
}
