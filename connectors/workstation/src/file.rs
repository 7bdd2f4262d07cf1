//! One file, opened without following a link and without waiting, read in pieces of bounded size.

use crate::contents::{self, Contents, MOST};
use crate::find::Find;
use crate::look::{Looker, finds, last_line_end, pair};
use crate::places::{Form, Place};
use memchr::memchr_iter;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::{Zeroize, Zeroizing};

/// How much is read at once.
const PIECE: usize = 1024 * 1024;
/// How much of a piece is looked at again with the next one: the longest thing that has a shape.
const AGAIN: usize = 40 * 1024;
/// The largest file whose fields are read.
const LARGEST_PLACE: u64 = 8 * 1024 * 1024;
/// How much of the beginning tells text from other files.
const HEAD: usize = 8 * 1024;

/// Why a file was not looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    Vanished,
    NotAllowed,
    Unreadable,
    TooLarge,
    /// No text.
    Binary,
    /// A device, a pipe or a socket.
    NoFile,
    /// A link by now.
    Link,
    /// The scan was told to stop.
    Stopped,
}

/// What a file holds.
pub struct Looked {
    pub about: Metadata,
    pub finds: Vec<Find>,
    /// A known place that is larger than fields are read of, or not of the form of its name.
    pub not_understood: bool,
    /// More was found than is told.
    pub cut: bool,
}

/// Room for a piece, used again for each file of a thread, wiped at the end.
pub struct Room(Zeroizing<Vec<u8>>);

impl Room {
    pub fn new() -> Room {
        Room(Zeroizing::new(vec![0; PIECE + 2 * AGAIN]))
    }
}

/// Opens a file for reading.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // A pipe that took the place of the file would keep us waiting; a link could lead anywhere.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    match std::fs::symlink_metadata(path)?.is_symlink() {
        true => Err(io::Error::from(ErrorKind::InvalidInput)),
        false => File::open(path),
    }
}

fn left(error: &io::Error) -> Left {
    let is_link = || {
        #[cfg(unix)]
        let link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        #[cfg(not(unix))]
        let link = error.kind() == ErrorKind::InvalidInput;
        link
    };
    match error.kind() {
        ErrorKind::NotFound => Left::Vanished,
        ErrorKind::PermissionDenied => Left::NotAllowed,
        _ if is_link() => Left::Link,
        _ => Left::Unreadable,
    }
}

/// Looks through a file.
pub fn look(
    path: &Path,
    place: Option<Place>,
    largest: u64,
    looker: &Looker,
    room: &mut Room,
    stop: &AtomicBool,
) -> Result<Looked, Left> {
    let mut file = open(path).map_err(|error| left(&error))?;
    let about = file.metadata().map_err(|error| left(&error))?;
    if !about.is_file() {
        return Err(Left::NoFile);
    }
    let room = &mut room.0;
    let mut filled = fill(&mut file, room, 0, PIECE)?;
    let head = room.get(..filled.min(HEAD)).unwrap_or_default();
    let wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let text = wide || memchr::memchr(0, head).is_none();
    if let Some(place) = place.filter(|place| place.form == Form::Store) {
        return match contents::is_store(head) {
            true => Ok(Looked {
                about,
                finds: vec![contents::store(place)],
                not_understood: false,
                cut: false,
            }),
            false => Err(Left::Binary),
        };
    }
    if !text {
        return Err(Left::Binary);
    }
    if about.len() > largest {
        return Err(Left::TooLarge);
    }
    let whole = filled < PIECE || place.is_some() || wide;
    if whole && about.len() <= LARGEST_PLACE {
        let rest = match filled < PIECE {
            true => Zeroizing::new(Vec::new()),
            false => rest(&mut file, about.len())?,
        };
        let mut text = Zeroizing::new(Vec::new());
        let first = room.get(..filled).unwrap_or_default();
        let text = match (rest.is_empty(), wide) {
            (true, false) => first,
            (_, wide) => {
                text.reserve_exact((filled + rest.len()) * 2);
                text.extend_from_slice(first);
                text.extend_from_slice(&rest);
                if wide {
                    text = narrow(&text);
                }
                text.as_slice()
            }
        };
        let Contents {
            finds,
            not_understood,
        } = contents::of(looker, place, text);
        return Ok(cut(about, finds, not_understood));
    }
    // What is too large for its fields is looked through for shapes alone.
    let mut all = Vec::new();
    let (mut before, mut kept) = (0u64, 0usize);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Left::Stopped);
        }
        let last = filled < PIECE;
        let piece = room.get(..kept + filled).unwrap_or_default();
        let mut met = looker.met(piece);
        pair(&mut met);
        let done = match last {
            true => piece.len(),
            // The next piece begins with a line, so that nothing begins in the middle of a word.
            false => {
                let most = piece.len().saturating_sub(AGAIN);
                let line = piece.get(..most).and_then(last_line_end);
                line.filter(|at| at + AGAIN > most).unwrap_or(most)
            }
        };
        met.retain(|one| one.at.start < done);
        all.extend(finds(piece, met, before));
        if last || all.len() > MOST {
            break;
        }
        before += memchr_iter(b'\n', piece.get(..done).unwrap_or_default()).count() as u64;
        kept = piece.len() - done;
        room.copy_within(done..done + kept, 0);
        filled = fill(&mut file, room, kept, PIECE)?;
    }
    Ok(cut(about, all, whole))
}

fn cut(about: Metadata, mut finds: Vec<Find>, not_understood: bool) -> Looked {
    let cut = finds.len() > MOST;
    finds.truncate(MOST);
    Looked {
        about,
        finds,
        not_understood,
        cut,
    }
}

/// Reads up to `most` bytes into the room behind `from`; fewer at the end of the file only.
fn fill(file: &mut File, room: &mut [u8], from: usize, most: usize) -> Result<usize, Left> {
    let room = room.get_mut(from..from + most).unwrap_or_default();
    let mut filled = 0;
    while let Some(free) = room.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(left(&error)),
        }
    }
    Ok(filled)
}

/// What comes after the first piece; a file that grows meanwhile is read as far as it was long.
fn rest(file: &mut File, long: u64) -> Result<Zeroizing<Vec<u8>>, Left> {
    let more = usize::try_from(long).unwrap_or(0).saturating_sub(PIECE);
    let mut rest = Zeroizing::new(vec![0; more]);
    let count = fill(file, &mut rest, 0, more)?;
    rest.truncate(count);
    Ok(rest)
}

/// UTF-16 with its mark, as UTF-8.
fn narrow(wide: &[u8]) -> Zeroizing<Vec<u8>> {
    let big = wide.starts_with(&[0xfe, 0xff]);
    let pairs = wide.get(2..).unwrap_or_default().chunks_exact(2);
    let units = pairs.filter_map(|pair| {
        let pair = <[u8; 2]>::try_from(pair).ok()?;
        Some(match big {
            true => u16::from_be_bytes(pair),
            false => u16::from_le_bytes(pair),
        })
    });
    // Room for all of it, so that growing leaves no copy behind.
    let mut out = Zeroizing::new(Vec::with_capacity(wide.len() * 3 / 2 + 3));
    for letter in char::decode_utf16(units) {
        let mut bytes = [0u8; 4];
        let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
        bytes.zeroize();
    }
    out
}

/// The fingerprint of the public key that lies beside a private key, as `ssh-keygen` leaves it.
pub fn public_beside(path: &Path) -> Option<String> {
    let mut name = path.file_name()?.to_owned();
    name.push(".pub");
    let file = open(&path.with_file_name(name)).ok()?;
    let mut text = String::new();
    file.take(16 * 1024).read_to_string(&mut text).ok()?;
    crate::keys::public(&text).map(|(print, _)| print)
}
