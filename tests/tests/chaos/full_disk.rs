//! The disk is full at any point of a read, an export or the making of a store: one sentence,
//! nothing lost, nothing claimed, and with room again the same end as ever.

use crate::judge::{self, Cause};
use crate::matrix::{Judged, Matrix};
use crate::phases::{Phase, copy_folder, said};
use crate::sweep::{kills, share};
use lastkey_tests::dice::Dice;
use lastkey_tests::not_run::not_run;
use lastkey_tests::window::Room;
use std::io::Write;
use std::process::Command;

/// A small file system in memory, with a file in it that takes up what is not to be had.
struct SmallDisk {
    room: Room,
}

const SIZE: u64 = 64 << 20;
const BALLAST: &str = "ballast";

impl SmallDisk {
    /// None where this machine lets nobody make one.
    fn new() -> Option<Self> {
        let room = Room::new();
        let made = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={SIZE},mode=700"),
                "tmpfs",
            ])
            .arg(room.path(""))
            .output();
        made.is_ok_and(|done| done.status.success())
            .then_some(Self { room })
    }

    /// Fills the disk and leaves so many bytes free, in whole blocks.
    fn leave(&self, free: u64) {
        let mut ballast = std::fs::File::create(self.room.path(BALLAST)).expect("the ballast");
        let block = [0u8; 1 << 16];
        let mut length = 0;
        while let Ok(count) = ballast.write(&block) {
            length += count as u64;
        }
        ballast
            .set_len(length.saturating_sub(free))
            .expect("some of it goes");
    }

    fn room_again(&self) {
        std::fs::remove_file(self.room.path(BALLAST)).expect("the ballast goes");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone_already = Command::new("umount").arg(self.room.path("")).status();
    }
}

/// One sentence with a hint, status 3, and no word of a panic.
#[track_caller]
fn told(status: i32, words: &str, phase: &Phase, free: u64) {
    let sentence = format!(
        "{} with {free} bytes free: status {status}: {words}",
        phase.name
    );
    assert!(matches!(status, 3 | 4), "{sentence}");
    assert!(!words.contains("panicked"), "{sentence}");
    assert_eq!(
        words.lines().filter(|l| l.starts_with("error: ")).count(),
        1,
        "{sentence}"
    );
    assert!(
        ["full", "No space", "no space", "cannot be written", "disk"]
            .iter()
            .any(|w| words.contains(w)),
        "it does not say that the disk is full: {sentence}"
    );
}

fn fill(phase: &Phase, dice: &mut Dice) -> Option<Judged> {
    let disk = SmallDisk::new().expect("it could be made a moment ago");
    copy_folder(&phase.room().path(""), &disk.room.path(""));
    let free = dice.below(phase.after.measured.grown);
    disk.leave(free);
    let done = phase.command(&disk.room).status().expect("lastkey starts");
    let words = said(&disk.room);
    let status = done.code().unwrap_or(-1);
    if status == phase.after.measured.status {
        return None;
    }
    // Where not even the sentence found room, the status says it.
    if !words.is_empty() {
        told(status, &words, phase, free);
    }
    disk.room_again();
    Some(judge::judge(phase, &disk.room, Cause::FullDisk))
}

/// Fills the disk at many points of all commands that write.
pub fn fill_all(phases: &[Phase], dice: &mut Dice) {
    if SmallDisk::new().is_none() {
        return not_run(
            "tmpfs",
            "a full disk",
            "this machine does not let us mount a small file system",
        );
    }
    let phases: Vec<&Phase> = phases.iter().filter(|phase| phase.writes()).collect();
    let count = u32::try_from(phases.len()).unwrap();
    let mut matrix = Matrix::default();
    // There are two parts.
    let wanted = (kills() / 10).max(count);
    for (number, phase) in (0..).zip(phases) {
        let share = share(wanted, count, number);
        let (mut met, mut tries) = (0, 0);
        while met < share {
            tries += 1;
            assert!(tries < 10 * share, "{}: the disk never is full", phase.name);
            if let Some(judged) = fill(phase, dice) {
                matrix.count(phase.name, judged);
                met += 1;
            }
        }
    }
    matrix.print("Disk full, and what the store showed:");
    assert_eq!(matrix.kills(), wanted);
}
