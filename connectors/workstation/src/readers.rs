//! Who can read a file, by owner, group and mode of the file and of every folder above it.
//!
//! Access lists beyond the mode are not evaluated; where a file has one, the session says so.

use crate::people::People;
use std::collections::BTreeSet;

/// Owner, group and mode of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub owner: u32,
    pub group: u32,
    pub mode: u32,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    Account(u32),
    Group(u32),
    /// Every account of the machine.
    Everyone,
}

/// Reading a file, passing through a folder.
const READ: u32 = 4;
const PASS: u32 = 1;

impl Held {
    /// Whether somebody with this number, if any, and these groups may.
    fn lets(self, account: Option<u32>, groups: &BTreeSet<u32>, what: u32) -> bool {
        let bits = match account {
            Some(0) => return true,
            Some(account) if account == self.owner => self.mode >> 6,
            _ if groups.contains(&self.group) => self.mode >> 3,
            _ => self.mode,
        };
        bits & what == what
    }
}

/// Who can read a file behind these folders. Whoever reads as a member of a group, or as anybody,
/// is not told again by name, but the owner; root reads everything.
pub fn readers(file: Held, doors: &[Held], people: &People) -> BTreeSet<Who> {
    let may = |account: Option<u32>, groups: &BTreeSet<u32>| {
        doors.iter().all(|door| door.lets(account, groups, PASS))
            && file.lets(account, groups, READ)
    };
    let mut who = BTreeSet::from([Who::Account(0)]);
    let everyone = may(None, &BTreeSet::new());
    if everyone {
        who.insert(Who::Everyone);
    }
    let all = || doors.iter().chain([&file]);
    if !everyone {
        let groups = all().map(|held| held.group);
        who.extend(
            groups
                .filter(|group| may(None, &BTreeSet::from([*group])))
                .map(Who::Group),
        );
    }
    // Beside the owner only those can read by name whom a folder belongs to.
    for account in all().map(|held| held.owner) {
        let groups = people.groups_of(account);
        let by_group = groups.iter().any(|group| who.contains(&Who::Group(*group)));
        let named = account == file.owner || !everyone && !by_group;
        if named && may(Some(account), &groups) {
            who.insert(Who::Account(account));
        }
    }
    who
}

#[cfg(test)]
mod tests {
    use super::*;
    use Who::{Account, Everyone, Group};

    #[track_caller]
    fn check(file: (u32, u32, u32), doors: &[(u32, u32, u32)], expected: &[Who]) {
        let people = People::parse(
            "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n",
            "root:x:0:\nann:x:1000:\nbob:x:1001:\nops:x:50:ann,bob\n",
        );
        let held = |(owner, group, mode): (u32, u32, u32)| Held { owner, group, mode };
        let doors: Vec<Held> = doors.iter().copied().map(held).collect();
        let found: Vec<Who> = readers(held(file), &doors, &people).into_iter().collect();
        assert_eq!(found, expected, "{file:?} behind {doors:?}");
    }

    const TOP: (u32, u32, u32) = (0, 0, 0o755);

    #[test]
    fn a_file_is_read_by_whom_its_mode_and_its_folders_let() {
        let (root, ann, bob) = (Account(0), Account(1000), Account(1001));
        check((1000, 1000, 0o600), &[TOP], &[root, ann]);
        check((1000, 1000, 0o644), &[TOP], &[root, ann, Everyone]);
        check((1000, 50, 0o640), &[TOP], &[root, ann, Group(50)]);
        check((1000, 50, 0o040), &[TOP], &[root, Group(50)]);
        check((1000, 1000, 0o000), &[TOP], &[root]);
        // A closed folder closes what lies open in it.
        check(
            (1000, 1000, 0o644),
            &[TOP, (1000, 1000, 0o700)],
            &[root, ann],
        );
        check((0, 0, 0o644), &[TOP, (1000, 1000, 0o700)], &[root, ann]);
        check(
            (1000, 1000, 0o644),
            &[TOP, (1000, 50, 0o750)],
            &[root, ann, Group(50)],
        );
        check(
            (1001, 1001, 0o644),
            &[TOP, (1000, 1000, 0o700)],
            &[root, ann],
        );
        check(
            (1001, 1001, 0o600),
            &[TOP, (1000, 1000, 0o711)],
            &[root, bob],
        );
        // The owner's own bits count for the owner, and nobody else's.
        check((1000, 1000, 0o044), &[TOP], &[root, Everyone]);
    }
}
