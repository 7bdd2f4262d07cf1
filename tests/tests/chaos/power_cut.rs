//! Power fails while a source is read: what the disk holds then is a store, its log up to the
//! last sync of the file system or any point after it, and perhaps a torn end.

use crate::estate::Days;
use crate::judge::{self, Cause};
use crate::matrix::{Matrix, Outcome};
use crate::phases::{Changes, Phase, copy, room_of_day_one, run, text};
use crate::sweep::kills;
use lastkey_tests::dice::Dice;
use lastkey_tests::picture::STORE;
use lastkey_tests::window::Room;
use std::process::{Child, Command};
use std::time::Duration;

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
fn after_the_cut(room: &Room, dice: &mut Dice) -> Room {
    let cut = copy(room);
    let log = cut.path(&format!("{STORE}-wal"));
    if let Ok(mut bytes) = std::fs::read(&log) {
        let (least, length) = (durable(room), bytes.len() as u64);
        if least < length {
            let at = usize::try_from(least + dice.below(length - least)).unwrap();
            match dice.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at..].fill(0),
                _ => {}
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
    let before = room_of_day_one(&days);
    run(
        &before,
        0,
        &["import", &text(&days.day(2)), "--as", "estate"],
    );
    let phase = Phase::new(
        "power cut in a read",
        Changes::Facts,
        before,
        &["import", &text(&days.day(3)), "--as", "estate"],
    );
    let mut dice = Dice::of(4_711);
    let mut matrix = Matrix::default();
    let wanted = (kills() / 5).max(1);
    while matrix.kills() < wanted {
        let room = phase.room();
        let mut child = phase.command(&room).spawn().expect("lastkey starts");
        // Several cuts of one read: it goes on after each as if nothing had been.
        let mut cuts = Vec::new();
        while child.try_wait().expect("it can be asked for").is_none() && cuts.len() < 4 {
            std::thread::sleep(phase.after.measured.took.mul_f64(dice.part() / 3.0));
            signal(&child, "-STOP");
            still(&child);
            cuts.push(after_the_cut(&room, &mut dice));
            signal(&child, "-CONT");
        }
        child.kill().and_then(|()| child.wait()).expect("it ends");
        for cut in cuts {
            matrix.count(phase.name, judge::judge(&phase, &cut, Cause::Killed));
        }
    }
    matrix.print("Power cuts, and what the store showed:");
    // A few cuts may all fall into the start of the program.
    assert!(
        wanted < 20 || matrix.of(Outcome::Interrupted) > 0,
        "no cut met a read in the middle"
    );
}
