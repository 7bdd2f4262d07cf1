//! What no source tells of what stands where: places of which nobody says what they hold, and
//! fingerprints that a source told once and tells no more.
//!
//! A fingerprint is how a secret is recognised that stands in two places. A source that tells it no
//! more frees nobody: who knew the one by the other is in doubt, until it is told again, or the secret
//! is rotated, revoked or gone.

use super::columns::NONE;
use super::graph::{Graph, LooseEnd, find};
use crate::only_values::only_values_of;
use lastkey_contract::facts::{ObjectType, OwnerRole};
use lastkey_contract::{CredentialId, Fingerprint, Kind, LocationPath, SystemName};
use std::collections::{BTreeMap, BTreeSet};

/// What a fingerprint was told of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Printed {
    Credential(SystemName, CredentialId),
    Location(SystemName, LocationPath),
}

/// A fingerprint that a source told of something that is still there, and tells no more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForgottenPrint {
    pub of: Printed,
    pub fingerprint: Fingerprint,
}

/// Sentences about what is not told, by what leads there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untold {
    sentences: Vec<String>,
    /// Sorted; the place of the sentence.
    ends: Vec<(LooseEnd, u32)>,
}

only_values_of! {
    Untold { sentences, ends }
}

impl Untold {
    /// The sentences for whoever comes by an end.
    pub fn about(&self, end: LooseEnd) -> impl Iterator<Item = &str> {
        let from = self.ends.partition_point(|(one, _)| *one < end);
        let rest = self.ends.get(from..).unwrap_or(&[]).iter();
        let of_end = rest.take_while(move |(one, _)| *one == end);
        of_end.filter_map(|(_, place)| self.sentences.get(*place as usize).map(String::as_str))
    }

    fn say(&mut self, sentence: String, ends: impl IntoIterator<Item = LooseEnd>) {
        let place = u32::try_from(self.sentences.len()).unwrap_or(NONE);
        self.sentences.push(sentence);
        self.ends.extend(ends.into_iter().map(|end| (end, place)));
    }
}

/// Whatever has or had one fingerprint, as rows.
#[derive(Default)]
struct Carriers {
    credentials: BTreeSet<u32>,
    locations: BTreeSet<u32>,
}

impl Graph {
    /// Takes in what is not told: locations of systems without anything that stands anywhere, and
    /// forgotten fingerprints; `secret` gives the class of a fingerprint that something has now. Last of
    /// all, and before the loose ends are put in order.
    pub(super) fn leave_untold(
        &mut self,
        forgotten: &[ForgottenPrint],
        secret: impl Fn(&str) -> Option<u32>,
    ) {
        let mut untold = Untold::default();
        self.empty_places(&mut untold);
        let mut carriers: BTreeMap<&str, Carriers> = BTreeMap::new();
        for print in forgotten {
            let group = carriers.entry(print.fingerprint.as_str()).or_default();
            match &print.of {
                Printed::Credential(system, id) => {
                    group
                        .credentials
                        .extend(self.credential(system, id.as_str()));
                }
                Printed::Location(system, path) => {
                    group.locations.extend(self.location(system, path.as_str()));
                }
            }
        }
        for (print, mut group) in carriers {
            if let Some(secret) = secret(print) {
                group.credentials.extend(self.same_secret.row(secret));
                group.locations.extend(self.secret_places.row(secret));
            }
            self.of_group(&group, &mut untold);
        }
        untold.ends.sort_unstable();
        untold.ends.dedup();
        // Whoever comes by such an end is not told of all that stands somewhere.
        let ends = untold.ends.iter();
        let ends =
            ends.filter_map(|(end, _)| Some((*end, (Kind::Location, self.system_at(*end)?))));
        let ends: Vec<(LooseEnd, (Kind, u32))> = ends.collect();
        self.loose.extend(ends);
        self.untold = untold;
    }

    /// Locations of systems where nothing is told to stand anywhere.
    fn empty_places(&self, untold: &mut Untold) {
        let mut told: BTreeSet<u32> = BTreeSet::new();
        let mut by_system: BTreeMap<u32, Vec<LooseEnd>> = BTreeMap::new();
        for row in 0..self.locations.len() {
            let system = self.locations.at(row).system;
            let names = self.loose(LooseEnd::At(row)).next().is_some();
            let holds =
                !self.credentials_at.row(row).is_empty() || !self.secrets_at.row(row).is_empty();
            if names || holds {
                told.insert(system);
            }
        }
        for row in 0..self.locations.len() {
            let system = self.locations.at(row).system;
            if !told.contains(&system) && !self.systems.at(system).is_empty() {
                by_system.entry(system).or_default().push(LooseEnd::At(row));
            }
        }
        for (system, ends) in by_system {
            let system = self.systems.at(system);
            untold.say(
                format!("no source tells what secrets stand at locations of `{system}`"),
                ends,
            );
        }
    }

    /// Who knew one credential of a group by something else of it, and would not know it now.
    fn of_group(&self, group: &Carriers, untold: &mut Untold) {
        let standing = group.credentials.iter();
        let standing = standing.flat_map(|one| self.places_of.row(*one));
        let places: BTreeSet<u32> = standing.chain(&group.locations).copied().collect();
        let open = |row: &&u32| self.credentials.at(**row).enabled != Some(false);
        for known in group.credentials.iter().filter(open) {
            let name = self.credential_text(*known);
            let same = self.equals(*known);
            for place in &places {
                let here = self.credentials_at.row(*place).iter();
                let by_print = self.secrets_at.row(*place).iter();
                let by_print = by_print.flat_map(|secret| self.same_secret.row(*secret));
                if here.chain(by_print).any(|one| same.contains(one)) {
                    continue;
                }
                let at = self.location_text(*place);
                untold.say(
                    format!("whoever read `{at}` knew credential `{name}` by its fingerprint, which a source tells no more"),
                    [LooseEnd::At(*place)],
                );
            }
            for other in group.credentials.iter().filter(|one| !same.contains(*one)) {
                let holders = self.holders_of(*other);
                if !holders.is_empty() {
                    let other = self.credential_text(*other);
                    untold.say(
                        format!("whoever has credential `{other}` knew credential `{name}` by its fingerprint, which a source tells no more"),
                        holders,
                    );
                }
            }
        }
    }

    /// A credential and those that are the same secret.
    fn equals(&self, credential: u32) -> BTreeSet<u32> {
        let secret = self.credentials.at(credential).secret;
        let same = match secret {
            NONE => &[][..],
            secret => self.same_secret.row(secret),
        };
        same.iter().copied().chain([credential]).collect()
    }

    /// Whose account a credential is of, and in whose custody it is.
    fn holders_of(&self, credential: u32) -> Vec<LooseEnd> {
        let account = self.credentials.at(credential).account;
        let owner = (account != NONE).then(|| self.accounts.at(account).identity);
        let owner = owner.filter(|identity| *identity != NONE);
        let lines = self.owner_lines_of(ObjectType::Credential, credential);
        let lines = lines
            .iter()
            .filter(|line| line.role == OwnerRole::Custodian);
        let lines = lines.map(|line| line.owner).filter(|owner| *owner != NONE);
        owner
            .into_iter()
            .chain(lines)
            .map(LooseEnd::Custody)
            .collect()
    }

    pub(crate) fn location(&self, system: &SystemName, path: &str) -> Option<u32> {
        let system = self.system(system)?;
        find(self.locations.len(), |row| {
            let here = self.locations.at(row).system;
            here.cmp(&system)
                .then_with(|| self.location_ids.at(row).cmp(path))
        })
    }

    fn credential_text(&self, row: u32) -> String {
        let system = self.systems.at(self.credentials.at(row).system);
        format!("{system}:{}", self.credential_ids.at(row))
    }

    fn location_text(&self, row: u32) -> String {
        let system = self.systems.at(self.locations.at(row).system);
        format!("{system}:{}", self.location_ids.at(row))
    }

    /// The system that a sentence about an end is of, which has a name.
    fn system_at(&self, end: LooseEnd) -> Option<u32> {
        match end {
            LooseEnd::At(row) => Some(self.locations.at(row).system),
            // Any that has a name: of which system it is says the sentence.
            LooseEnd::Custody(_)
            | LooseEnd::SignIn(_)
            | LooseEnd::ByAccount(_)
            | LooseEnd::ByEntitlement(_) => {
                (0..self.systems.len()).find(|row| !self.systems.at(*row).is_empty())
            }
        }
    }
}
