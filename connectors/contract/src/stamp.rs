//! Records that the engine has as they are: then a connector need not look at them again.
//!
//! A stamp is a number that a record has as long as nothing of it changes, nor of how it is
//! understood. A connector that can tell a record's stamp without understanding it (a row of a
//! file) leaves out what the engine knows, and says where it stood.

use siphasher::sip::SipHasher13;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// The number of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp(pub i64);

/// A record of a page that the engine has as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Same {
    /// How many of the page's other records stood before it.
    pub before: u32,
    pub stamp: Stamp,
}

/// Numbers that are hashes already; tables of them need no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsTheyAre;

impl BuildHasher for AsTheyAre {
    type Hasher = AsItIs;
    fn build_hasher(&self) -> AsItIs {
        AsItIs(0)
    }
}

/// Gives back the number itself.
#[derive(Debug)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_i64(&mut self, number: i64) {
        self.0 = number.cast_unsigned();
    }
}

/// Stamps, each with a place that means something to the engine.
pub type Places = HashMap<i64, u32, AsTheyAre>;

/// What the engine knows of one kind of a source.
#[derive(Clone)]
pub struct Known {
    keys: (u64, u64),
    places: Arc<Places>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} records)", self.places.len())
    }
}

impl Known {
    /// These records, stamped with these keys.
    pub fn new(keys: (u64, u64), places: Arc<Places>) -> Known {
        Known { keys, places }
    }

    /// The stamp of a record: of its own bytes, and of all that says how they are understood.
    pub fn stamp(&self, understood: &[u8], record: &[u8]) -> Stamp {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_usize(understood.len());
        hasher.write(understood);
        hasher.write(record);
        Stamp(hasher.finish().cast_signed())
    }

    /// Whether the engine has the record with this stamp.
    pub fn has(&self, stamp: Stamp) -> bool {
        self.places.contains_key(&stamp.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_of_the_record_and_of_how_it_is_understood() {
        let known = Known::new((1, 2), Arc::default());
        let stamp = known.stamp(b"map", b"row");
        assert_eq!(stamp, known.stamp(b"map", b"row"));
        assert_ne!(stamp, known.stamp(b"ma", b"prow"));
        assert_ne!(stamp, known.stamp(b"map", b"row "));
        let other = Known::new((1, 3), Arc::default());
        assert_ne!(stamp, other.stamp(b"map", b"row"), "another store");
        assert!(!known.has(stamp));
        let places: Places = [(stamp.0, 7)].into_iter().collect();
        assert!(Known::new((1, 2), Arc::new(places)).has(stamp));
    }
}
