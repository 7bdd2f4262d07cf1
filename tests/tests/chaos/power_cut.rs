//! Power fails while a source is read: what the disk holds then is a store, its log up to the
//! last sync of the file system or any point after it, and perhaps a torn end.

use crate::estate::Days;
use crate::judge::{self, Cause};
use crate::matrix::{Matrix, Outcome};
use crate::phases::{Changes, Phase, copy, room_of_day_two, text};
use crate::sweep::{evenly, kills};
use lastkey_tests::dice::Dice;
use lastkey_tests::kill::{Moment, Running};
use lastkey_tests::picture::STORE;
use lastkey_tests::window::Room;
use std::process::{Child, Command};
use std::time::Duration;

/// What a power cut does to the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    Whole,
    CutOff,
    Torn,
}

/// One cut: when the files have grown by this part of what a read lets them grow by, and what is
/// left of the log then.
#[derive(Clone, Copy, Debug)]
struct Cut {
    part: f64,
    damage: Damage,
}

fn cut(number: u32) -> Cut {
    Cut {
        part: evenly(number),
        damage: match number % 3 {
            0 => Damage::Whole,
            1 => Damage::CutOff,
            _ => Damage::Torn,
        },
    }
}

/// Stops or continues a process without its knowing.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()), "{name} is sent");
}

/// Waits until the process stands still.
fn still(child: &Child) {
    let stat = format!("/proc/{}/stat", child.id());
    for _ in 0..1_000 {
        let text = std::fs::read_to_string(&stat).unwrap_or_default();
        // `pid (name) state …`
        let state = text
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        if matches!(state, Some('T' | 'Z') | None) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the process does not stand still");
}

/// What SQLite has moved from the log into the store, and so had on the disk before: bytes of
/// the log that cannot be missing after a power cut. From the log's index, where the 32nd number
/// is the last frame that a checkpoint began to move.
fn durable(room: &Room) -> u64 {
    let index = std::fs::read(room.path(&format!("{STORE}-shm"))).unwrap_or_default();
    let number = |at: usize| {
        let bytes = index.get(at..at + 4).and_then(|part| part.try_into().ok());
        u64::from(bytes.map_or(0, u32::from_ne_bytes))
    };
    32 + number(96).max(number(128)) * (4096 + 24)
}

/// The room as the disk might hold it: the end of the log cut off or torn.
fn after_the_cut(room: &Room, damage: Damage, dice: &mut Dice) -> Room {
    let cut = copy(room);
    let log = cut.path(&format!("{STORE}-wal"));
    if let Ok(mut bytes) = std::fs::read(&log) {
        let (least, length) = (durable(room), bytes.len() as u64);
        if least < length {
            let at = usize::try_from(least + dice.below(length - least)).unwrap();
            match damage {
                Damage::Whole => {}
                Damage::CutOff => bytes.truncate(at),
                Damage::Torn => bytes[at..].fill(0),
            }
        }
        std::fs::write(&log, bytes).unwrap();
    }
    if dice.below(2) == 0 {
        let _absent_is_fine = std::fs::remove_file(cut.path(&format!("{STORE}-shm")));
    }
    cut
}

#[test]
fn a_power_cut_in_a_read_loses_at_most_the_end_of_that_read() {
    let days = Days::new();
    let phase = Phase::new(
        "power cut in a read",
        Changes::Facts,
        room_of_day_two(&days),
        &["import", &text(&days.day(3)), "--as", "estate"],
    );
    let mut dice = Dice::of(4_711);
    let mut matrix = Matrix::default();
    let wanted = (kills() / 5).max(1);
    let mut numbers = 0..;
    while matrix.kills() < wanted {
        // Several cuts of one read: it goes on after each as if nothing had been.
        let mut next: Vec<Cut> = numbers
            .by_ref()
            .take(4.min((wanted - matrix.kills()) as usize))
            .map(cut)
            .collect();
        assert!(
            numbers.start < 10 * wanted + 40,
            "reads end before they can be cut"
        );
        next.sort_by(|a, b| a.part.total_cmp(&b.part));
        let room = phase.room();
        let folder = room.path("");
        let mut running = Running::start(phase.command(&room), &folder);
        let mut cuts = Vec::new();
        for Cut { part, damage } in next {
            let moment = Moment::grown(phase.after.measured.grown, part);
            if running.wait_for(moment).is_some() {
                break;
            }
            signal(&running.child, "-STOP");
            still(&running.child);
            cuts.push(after_the_cut(&room, damage, &mut dice));
            signal(&running.child, "-CONT");
        }
        let child = &mut running.child;
        child.kill().and_then(|()| child.wait()).expect("it ends");
        for cut in cuts {
            matrix.count(phase.name, judge::judge(&phase, &cut, Cause::Killed));
        }
    }
    matrix.print("Power cuts, and what the store showed:");
    assert!(
        matrix.of(Outcome::Interrupted) > 0,
        "no cut met a read in the middle"
    );
}
