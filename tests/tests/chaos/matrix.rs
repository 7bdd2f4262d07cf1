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

#[derive(Default)]
pub struct Matrix(BTreeMap<&'static str, BTreeMap<Outcome, u32>>);

impl Matrix {
    pub fn count(&mut self, phase: &'static str, outcome: Outcome) {
        *self.0.entry(phase).or_default().entry(outcome).or_default() += 1;
    }

    pub fn kills(&self) -> u32 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }

    pub fn of(&self, outcome: Outcome) -> u32 {
        self.0.values().filter_map(|row| row.get(&outcome)).sum()
    }

    /// Past the test's own catch, so that the log of a run that passed shows it.
    pub fn print(&self, title: &str) {
        let mut text = format!(
            "\n{title}\n{:<34} {:>6} {:>10} {:>12} {:>6}\n",
            "phase", "kills", "as before", "interrupted", "done"
        );
        for (phase, row) in &self.0 {
            let [before, interrupted, done] =
                Outcome::ALL.map(|outcome| row.get(&outcome).copied().unwrap_or(0));
            let kills = before + interrupted + done;
            writeln!(
                text,
                "{phase:<34} {kills:>6} {before:>10} {interrupted:>12} {done:>6}"
            )
            .unwrap();
        }
        writeln!(text, "{:<34} {:>6}", "all", self.kills()).unwrap();
        let _closed = std::io::stderr().write_all(text.as_bytes());
    }
}
