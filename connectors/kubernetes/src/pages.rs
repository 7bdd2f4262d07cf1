//! Facts cut into pages. What is worked out for a page and does not fit on it is kept for the next:
//! a Secret with very many readers is worked out once, and not for each of its pages.

use lastkey_contract::Fact;

/// Where a page ends and the next starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which unit of the kind.
    pub at: usize,
    /// How many of its facts are served.
    pub served: usize,
}

/// The facts of the unit that the page before ended in.
#[derive(Debug, Default)]
pub struct Hand(Option<(usize, Vec<Fact>)>);

impl Hand {
    /// At most `limit` facts from a place on, and where the next page starts: at a fact, so that no
    /// page is empty but the only one. `make` gives all facts of a unit, and is asked once for each
    /// as long as pages are asked for in their order; one that is asked for again costs its units
    /// once more.
    pub fn page(
        &mut self,
        units: usize,
        from: Place,
        limit: usize,
        mut make: impl FnMut(usize) -> Vec<Fact>,
    ) -> (Vec<Fact>, Option<Place>) {
        let mut records: Vec<Fact> = Vec::new();
        let mut served = from.served;
        for at in from.at..units {
            let held = self.0.take().filter(|(unit, _)| *unit == at);
            let facts = held.map_or_else(|| make(at), |(_, facts)| facts);
            let room = limit.saturating_sub(records.len());
            if facts.len().saturating_sub(served) > room {
                records.extend(facts.iter().skip(served).take(room).cloned());
                self.0 = Some((at, facts));
                let served = served + room;
                return (records, Some(Place { at, served }));
            }
            records.extend(facts.into_iter().skip(served));
            served = 0;
        }
        (records, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastkey_contract::SystemName;
    use lastkey_contract::facts::{Location, LocationKind};

    fn fact(unit: usize, number: usize) -> Fact {
        let path = format!("{unit}/{number}");
        let system = SystemName::new("s");
        Fact::Location(Location::of(system, path, LocationKind::KubernetesSecret))
    }

    /// Reads units of these sizes to their end: the pages, and how often a unit was made.
    fn read(sizes: &[usize], limit: usize, again: usize) -> (Vec<Vec<Fact>>, usize) {
        let mut hand = Hand::default();
        let mut made = 0;
        let mut make = |at: usize| {
            made += 1;
            (0..sizes[at]).map(|number| fact(at, number)).collect()
        };
        let mut pages = Vec::new();
        let mut from = Place::default();
        loop {
            let (page, next) = hand.page(sizes.len(), from, limit, &mut make);
            for _ in 0..again {
                let same = hand.page(sizes.len(), from, limit, &mut make);
                assert_eq!(same, (page.clone(), next), "asked again, the same answer");
            }
            pages.push(page);
            match next {
                None => return (pages, made),
                Some(next) => from = next,
            }
        }
    }

    #[test]
    fn every_unit_is_made_once_however_many_pages_it_fills() {
        let sizes = [0, 3, 0, 0, 1_000, 1, 0, 500, 0];
        let all: Vec<Fact> = (0..sizes.len())
            .flat_map(|at| (0..sizes[at]).map(move |number| fact(at, number)))
            .collect();
        for limit in [1, 7, 500, 501, 1_503, 1_504, 5_000] {
            let (pages, made) = read(&sizes, limit, 0);
            assert_eq!(made, sizes.len(), "units made, of pages of {limit}");
            assert_eq!(pages.concat(), all, "{limit}");
            assert_eq!(pages.len(), all.len().div_ceil(limit), "{limit}");
        }
        // Asked for again, only the page that a unit ends on makes it once more.
        let (pages, made) = read(&[1_000], 10, 2);
        assert_eq!((pages.concat().len(), made), (1_000, 3));
    }

    #[test]
    fn nothing_is_one_empty_page() {
        assert_eq!(read(&[], 10, 1).0, [[]]);
        assert_eq!(read(&[0, 0], 10, 1).0, [[]]);
        assert_eq!(read(&[2, 0], 2, 1).0.len(), 1, "no empty page at the end");
    }
}
