//! kill -9 at many moments of many commands.

use crate::estate::Days;
use crate::full_disk;
use crate::judge::{self, Cause};
use crate::matrix::{Matrix, Outcome};
use crate::old_stores;
use crate::phases::{Phase, of_flat_files};
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

/// One moment of a phase: half of them are times, spread over the whole run, half are watched
/// for in the growth of the files.
fn moment(phase: &Phase, dice: &mut Dice, number: u32, of: u32) -> Moment {
    let measured = phase.after.measured;
    let part = (f64::from(number) + dice.part()) / f64::from(of);
    match number % 2 {
        0 => Moment::After(measured.took.mul_f64(part)),
        _ => Moment::Grown(1 + dice.below(measured.grown)),
    }
}

/// Kills the phase so many times and judges each.
pub fn sweep(phase: &Phase, kills: u32, dice: &mut Dice, matrix: &mut Matrix) {
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

#[test]
fn cut_off_at_any_moment_the_store_opens_and_claims_nothing_false() {
    let days = Days::new();
    let mut dice = Dice::of(20_261_121);
    let mut matrix = Matrix::default();
    let mut phases = of_flat_files(&days);
    phases.extend(old_stores::phases());
    let count = u32::try_from(phases.len()).unwrap();
    for (number, phase) in (0..).zip(&phases) {
        sweep(phase, share(kills(), count, number), &mut dice, &mut matrix);
    }
    matrix.print("Killed with SIGKILL, and what the store showed:");
    assert_eq!(matrix.kills(), kills());
    assert!(
        matrix.of(Outcome::Interrupted) > 0,
        "no kill met a command in the middle"
    );
    full_disk::fill_all(&phases, &mut dice);
}
