//! Which secrets and places, in which order: windows.

use super::estate::{Estate, count};
use super::known::Known;
use super::types::{SecretPlace, SecretRow};
use crate::access::columns::NONE;
use crate::views::{ListQuery, RowWindow};
use chrono::TimeDelta;
use lastkey_contract::SystemName;
use lastkey_contract::facts::LocationKind;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Columns by which secrets are sorted.
pub const SECRET_ORDERS: [&str; 8] = [
    "name",
    "age",
    "rotated",
    "used",
    "expires",
    "places",
    "suspected",
    "system",
];

/// The filters of secrets, and what they take.
pub const SECRET_FILTERS: &str = "system=, kind= (of a place), environment=production, place=SYSTEM:PATH, account=SYSTEM:ID, copies=yes, suspected or no, older=DAYS";

/// A list was asked for in words that it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongQuery {
    pub message: String,
    pub hint: String,
}

/// One condition, looked up once.
enum Wanted {
    System(u32),
    Kind(LocationKind),
    Production,
    At(u32),
    Opens(u32),
    Copied,
    Suspected,
    Single,
    Older(i64),
    Nothing,
}

impl Estate {
    /// A window of secrets; with `known` only those that somebody comes by.
    pub fn secrets(
        &self,
        query: &ListQuery,
        known: Option<&Known>,
    ) -> Result<RowWindow<SecretRow>, WrongQuery> {
        let wanted = self.wanted(&query.filters)?;
        let order = self.order(&query.sort, query.descending)?;
        let search = query.search.trim().to_lowercase();
        let matches = |secret: &u32| {
            known.is_none_or(|known| known.ways.contains_key(secret))
                && (search.is_empty() || self.secrets.searched.at(*secret).contains(&search))
                && wanted.iter().all(|one| self.holds(one, *secret))
        };
        let (rows, matching) = window(order.iter().copied().filter(|one| matches(one)), query);
        Ok(RowWindow {
            rows: rows.into_iter().map(|one| self.row(one, known)).collect(),
            offset: query.offset,
            matching,
            total: u64::from(self.secrets.all.len()),
        })
    }

    /// A window of places, each value that stands there by itself; in id order.
    pub fn places(
        &self,
        query: &ListQuery,
        known: Option<&Known>,
    ) -> Result<RowWindow<SecretPlace>, WrongQuery> {
        let wanted = self.wanted(&query.filters)?;
        if !query.sort.is_empty() {
            return Err(WrongQuery {
                message: format!("places are not sorted by `{}`", query.sort),
                hint: "they stand in the order of systems and paths".to_owned(),
            });
        }
        let search = query.search.trim().to_lowercase();
        let of = self.secrets.secret_of_spot.values();
        let matches = |spot: &u32| {
            let secret = of.get(*spot as usize).copied().unwrap_or(NONE);
            let place = self.secrets.spots.at(*spot);
            let row = self.graph.locations.at(place.location);
            known.is_none_or(|known| known.ways.contains_key(&secret))
                && (search.is_empty() || self.secrets.searched.at(secret).contains(&search))
                && wanted.iter().all(|one| match one {
                    Wanted::System(system) => row.system == *system,
                    Wanted::Kind(kind) => row.kind == Some(*kind),
                    Wanted::Production => place.production,
                    Wanted::At(location) => place.location == *location,
                    _ => self.holds(one, secret),
                })
        };
        let all = (0..self.secrets.spots.len()).filter(|spot| matches(spot));
        let (rows, matching) = window(all, query);
        Ok(RowWindow {
            rows: rows
                .into_iter()
                .map(|spot| self.place(spot, None))
                .collect(),
            offset: query.offset,
            matching,
            total: u64::from(self.secrets.spots.len()),
        })
    }

    fn wanted(&self, filters: &[String]) -> Result<Vec<Wanted>, WrongQuery> {
        filters
            .iter()
            .map(|filter| self.one_wanted(filter))
            .collect()
    }

    fn one_wanted(&self, filter: &str) -> Result<Wanted, WrongQuery> {
        let wrong = || WrongQuery {
            message: format!("`{filter}` is no filter of secrets"),
            hint: format!("one of {SECRET_FILTERS}"),
        };
        let (name, value) = filter.split_once('=').ok_or_else(wrong)?;
        let named = |find: &dyn Fn(&SystemName, &str) -> Option<u32>| {
            let colons = value.match_indices(':');
            let mut found = colons.filter_map(|(at, _)| {
                let (system, id) = (value.get(..at)?, value.get(at + 1..)?);
                find(&SystemName::new(system), id)
            });
            found.next()
        };
        // What is nowhere matches nothing, and is no mistake.
        let or_nothing =
            |found: Option<u32>, wanted: fn(u32) -> Wanted| found.map_or(Wanted::Nothing, wanted);
        Ok(match (name, value) {
            ("system", _) => or_nothing(self.graph.system(&SystemName::new(value)), Wanted::System),
            ("kind", word) => {
                Wanted::Kind(LocationKind::from_word(word).ok_or_else(|| WrongQuery {
                    message: format!("`{word}` is no kind of place"),
                    hint: format!("one of {}", LocationKind::WORDS.join(", ")),
                })?)
            }
            ("environment", "production" | "prod") => Wanted::Production,
            ("place", _) => or_nothing(
                named(&|system, path| {
                    let whole = self.graph.location(system, path);
                    whole.or_else(|| self.graph.location(system, path.rsplit_once('#')?.0))
                }),
                Wanted::At,
            ),
            ("account", _) => or_nothing(
                named(&|system, id| self.graph.account(system, id)),
                Wanted::Opens,
            ),
            ("copies", "yes") => Wanted::Copied,
            ("copies", "suspected") => Wanted::Suspected,
            ("copies", "no") => Wanted::Single,
            ("older", days) => {
                let days = days.parse().ok().and_then(TimeDelta::try_days);
                let before = days.and_then(|days| self.of.at.checked_sub_signed(days));
                Wanted::Older(before.ok_or_else(wrong)?.timestamp())
            }
            (_, _) => return Err(wrong()),
        })
    }

    fn holds(&self, wanted: &Wanted, secret: u32) -> bool {
        let secrets = &self.secrets;
        let spots = || {
            secrets
                .spots_of
                .row(secret)
                .iter()
                .map(|spot| secrets.spots.at(*spot))
        };
        let credentials = || {
            let rows = secrets.credentials.row(secret).iter();
            rows.map(|row| self.graph.credentials.at(*row))
        };
        let place = |location: u32| self.graph.locations.at(location);
        let suspected = || !secrets.suspects.row(secret).is_empty();
        match wanted {
            Wanted::System(system) => {
                credentials().any(|row| row.system == *system)
                    || spots().any(|spot| place(spot.location).system == *system)
            }
            Wanted::Kind(kind) => spots().any(|spot| place(spot.location).kind == Some(*kind)),
            Wanted::Production => {
                let production = |row: u32| {
                    row != NONE
                        && crate::access::is_production(Some(self.graph.environments.at(row)))
                };
                spots().any(|spot| spot.production)
                    || credentials().any(|row| production(row.environment))
            }
            Wanted::At(location) => spots().any(|spot| spot.location == *location),
            Wanted::Opens(account) => credentials().any(|row| row.account == *account),
            Wanted::Copied => secrets.stands_twice(secret),
            Wanted::Suspected => suspected(),
            Wanted::Single => !secrets.stands_twice(secret) && !suspected(),
            Wanted::Older(before) => {
                let since = secrets.all.at(secret).since;
                since.is_some_and(|since| since < *before)
            }
            Wanted::Nothing => false,
        }
    }

    /// All secrets in an order; what is not known stands last in both directions.
    fn order(&self, sort: &str, descending: bool) -> Result<Arc<Vec<u32>>, WrongQuery> {
        if !sort.is_empty() && !SECRET_ORDERS.contains(&sort) {
            return Err(WrongQuery {
                message: format!("secrets are not sorted by `{sort}`"),
                hint: format!("one of {}", SECRET_ORDERS.join(", ")),
            });
        }
        let asked = (sort.to_owned(), descending);
        let kept = self.orders.lock().ok();
        if let Some(order) = kept.and_then(|orders| orders.get(&asked).cloned()) {
            return Ok(order);
        }
        let secrets = &self.secrets;
        let mut all: Vec<u32> = (0..secrets.all.len()).collect();
        let mut by_time = |time: &dyn Fn(u32) -> Option<i64>| {
            all.sort_by_cached_key(|secret| {
                let time = time(*secret);
                let turned = time.map(|time| if descending { -time } else { time });
                (time.is_none(), turned, *secret)
            });
        };
        let row = |secret: u32| secrets.all.at(secret);
        match sort {
            // The oldest value is the greatest age.
            "age" => by_time(&|secret| row(secret).since.map(|since| -since)),
            "rotated" => by_time(&|secret| row(secret).rotated),
            "used" => by_time(&|secret| row(secret).used),
            "expires" => by_time(&|secret| row(secret).expires),
            "name" => {
                all.sort_by_cached_key(|secret| secrets.name(&self.graph, *secret).to_lowercase());
                if descending {
                    all.reverse();
                }
            }
            "system" => {
                all.sort_by_cached_key(|secret| (self.system_of(*secret), *secret));
                if descending {
                    all.reverse();
                }
            }
            "suspected" => all.sort_by_cached_key(|secret| {
                let many = count(secrets.suspects.row(*secret).len());
                (turned(many, !descending), *secret)
            }),
            "places" => all.sort_by_cached_key(|secret| {
                let many = count(secrets.locations(*secret).len());
                (turned(many, !descending), *secret)
            }),
            // Copies first: most places, then most suspicions.
            _ => all.sort_by_cached_key(|secret| {
                let places = count(secrets.locations(*secret).len());
                let suspected = count(secrets.suspects.row(*secret).len());
                (
                    Reverse(places.max(1)),
                    Reverse(suspected),
                    Reverse(places),
                    *secret,
                )
            }),
        }
        let order = Arc::new(all);
        if let Ok(mut orders) = self.orders.lock() {
            orders.insert(asked, order.clone());
        }
        Ok(order)
    }

    pub(super) fn system_of(&self, secret: u32) -> u32 {
        let credential = self.secrets.credentials.row(secret).first();
        let spot = self.secrets.spots_of.row(secret).first();
        match (credential, spot) {
            (Some(row), _) => self.graph.credentials.at(*row).system,
            (None, Some(spot)) => {
                let location = self.secrets.spots.at(*spot).location;
                self.graph.locations.at(location).system
            }
            (None, None) => NONE,
        }
    }

    /// The secrets that stand at a location.
    pub(super) fn secrets_at(&self, location: u32) -> BTreeSet<u32> {
        let spots = self.secrets.spots_at.row(location).iter();
        spots
            .map(|spot| *self.secrets.secret_of_spot.at(*spot))
            .collect()
    }
}

/// A number as it sorts, most first unless told otherwise.
fn turned(number: u64, least_first: bool) -> u64 {
    if least_first {
        number
    } else {
        u64::MAX - number
    }
}

/// What of a list is in the window, and how much there is.
fn window(all: impl Iterator<Item = u32>, query: &ListQuery) -> (Vec<u32>, u64) {
    let until = query.offset.saturating_add(u64::from(query.limit));
    let (mut rows, mut matching) = (Vec::new(), 0u64);
    for one in all {
        if matching >= query.offset && matching < until {
            rows.push(one);
        }
        matching += 1;
    }
    (rows, matching)
}
