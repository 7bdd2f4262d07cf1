//! kill -9 at many moments of many commands: which moments, how many, and what became of them.

use crate::estate::Days;
use crate::full_disk;
use crate::judge::{self, Cause};
use crate::matrix::{Matrix, Outcome};
use crate::old_stores;
use crate::phases::{self, Phase};
use lastkey_tests::dice::Dice;
use lastkey_tests::kill::{End, Moment, kill_at};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How many kills: all moments of the long sweep, or a slice of them.
pub fn kills() -> u32 {
    let given = |name: &str| std::env::var(name).ok();
    match (given("LASTKEY_KILLS"), given("LASTKEY_LONG")) {
        (Some(number), _) => number.parse().expect("LASTKEY_KILLS is a number"),
        (None, Some(_)) => 300,
        (None, None) => 25,
    }
}

/// One moment of a phase: half of them are watched for in the growth of the files, the first about
/// the middle; half are times, spread over the whole run.
fn moment(phase: &Phase, dice: &mut Dice, number: u32, of: u32) -> Moment {
    let measured = phase.after.measured;
    match number % 2 {
        0 => {
            let part = evenly(number / 2) + (dice.part() - 0.5) / 5.0;
            Moment::grown(measured.grown, part)
        }
        _ => {
            let part = (f64::from(number) + dice.part()) / f64::from(of);
            Moment::After(measured.took.mul_f64(part))
        }
    }
}

/// Parts that fall evenly however many there are: steps of the golden ratio, the first in the middle.
pub fn evenly(number: u32) -> f64 {
    (0.5 + f64::from(number) * 0.618_034).fract()
}

/// Kills the phase so many times and judges each.
fn sweep(phase: &Phase, kills: u32, dice: &mut Dice, matrix: &mut Matrix) {
    for number in 0..kills {
        let mut at = moment(phase, dice, number, kills);
        let mut tries = 0;
        let room = loop {
            let room = phase.room();
            match kill_at(phase.command(&room), room.path("").as_path(), at) {
                End::Killed => break room,
                // Too late: the machine was quicker than when it was measured.
                End::Done(_) => {
                    tries += 1;
                    assert!(tries < 30, "{}: {at:?} never comes", phase.name);
                    at = match at {
                        Moment::After(wait) => Moment::After(wait.mul_f64(0.8)),
                        Moment::Grown(bytes) => Moment::Grown(bytes / 2),
                    };
                }
            }
        };
        let judged = catch_unwind(AssertUnwindSafe(|| {
            judge::judge(phase, &room, Cause::Killed)
        }));
        match judged {
            Ok(judged) => matrix.count(phase.name, judged),
            Err(panic) => {
                matrix.print("Killed so far:");
                let kept = judge::keep(&room);
                let text = format!(
                    "killed in `{}` at {at:?}, kill {number} of {kills}; the room is kept in {kept}\n",
                    phase.name
                );
                let _closed = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
                resume_unwind(panic)
            }
        }
    }
}

/// So many kills for each of several phases, one more for the first ones where it does not divide.
pub fn share(kills: u32, phases: u32, number: u32) -> u32 {
    kills / phases + u32::from(number < kills % phases)
}

/// The phases of one test. All kills are shared out among those of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Files,
    Work,
    Directory,
    Vault,
}

impl Part {
    const ALL: [Part; 4] = [Part::Files, Part::Work, Part::Directory, Part::Vault];

    fn phases(self) -> u32 {
        match self {
            Part::Files => 12,
            Part::Work => 4,
            Part::Directory | Part::Vault => 2,
        }
    }

    fn seed(self) -> u64 {
        match self {
            Part::Files => 20_261_121,
            Part::Work => 6_174,
            Part::Directory => 636,
            Part::Vault => 8_200,
        }
    }
}

/// Kills each phase of a part as often as its share is.
pub fn sweep_all(phases: &[Phase], part: Part) -> Matrix {
    assert_eq!(phases.len(), usize::try_from(part.phases()).unwrap());
    let all = Part::ALL.map(Part::phases).iter().sum();
    let earlier = Part::ALL.iter().take_while(|other| **other != part);
    let first: u32 = earlier.map(|other| other.phases()).sum();
    let (mut dice, mut matrix) = (Dice::of(part.seed()), Matrix::default());
    for (number, phase) in (first..).zip(phases) {
        let share = share(kills(), all, number);
        let before = matrix.kills();
        sweep(phase, share, &mut dice, &mut matrix);
        assert_eq!(matrix.kills() - before, share);
    }
    matrix
}

/// Kills and full disks for one part that needs no server.
fn without_servers(phases: &[Phase], part: Part) {
    let matrix = sweep_all(phases, part);
    matrix.print("Killed with SIGKILL, and what the store showed:");
    assert!(
        matrix.of(Outcome::Interrupted) > 0,
        "no kill met a command in the middle"
    );
    full_disk::fill_all(phases, &mut Dice::of(part.seed() + 1));
}

#[test]
fn cut_off_while_it_reads_files_or_converts_a_store() {
    let days = Days::new();
    let mut phases = phases::reads(&days);
    phases.extend(old_stores::phases());
    without_servers(&phases, Part::Files);
}

#[test]
fn cut_off_while_it_rehearses_exports_or_changes_keys() {
    let days = Days::new();
    without_servers(&phases::work(&days), Part::Work);
}
