//! The people that facts may name. Only those that some clue asks for are kept, so that a million
//! identities pass by and a few thousand stay.

use super::clue::{Clue, Pointer, turned, words_in};
use super::standing::OwnerState;
use crate::correlate::{compared, folded};
use lastkey_contract::AsTheyAre;
use lastkey_contract::facts::IdentityKind;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// An identity as a possible owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub source: i64,
    pub source_name: String,
    pub id: String,
    pub kind: IdentityKind,
    pub display_name: Option<String>,
    pub state: OwnerState,
    pub manager_id: Option<String>,
}

impl Person {
    /// How a sentence names somebody.
    pub fn words(&self) -> String {
        match &self.display_name {
            Some(name) => format!("{} ({name})", self.id),
            None => self.id.clone(),
        }
    }
}

/// What somebody can be named by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Exactly.
    Id(String),
    Login(String),
    Mail(String),
    FullName(String),
}

impl Key {
    /// Everything that an identity can be named by.
    pub fn of(named: Named<'_>) -> Vec<Key> {
        let mut keys = Vec::with_capacity(5);
        named.each(|sort, text| {
            let text = text.to_owned();
            keys.push(match sort {
                Sort::Id => Key::Id(text),
                Sort::Login => Key::Login(text),
                Sort::Mail => Key::Mail(text),
                Sort::FullName => Key::FullName(text),
            });
        });
        keys
    }

    fn number(&self) -> i64 {
        match self {
            Key::Id(text) => Sort::Id.number(text),
            Key::Login(text) => Sort::Login.number(text),
            Key::Mail(text) => Sort::Mail.number(text),
            Key::FullName(text) => Sort::FullName.number(text),
        }
    }
}

/// Of which sort a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    Id,
    Login,
    Mail,
    FullName,
}

impl Sort {
    fn number(self, text: &str) -> i64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.write(text.as_bytes());
        hasher.finish().cast_signed()
    }
}

/// What names an identity, as its fact has it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'t> {
    pub id: &'t str,
    pub email: Option<&'t str>,
    pub display_name: Option<&'t str>,
}

impl Named<'_> {
    /// Each name in the form in which it is compared; nothing is kept of a million that pass by.
    fn each(self, mut take: impl FnMut(Sort, &str)) {
        take(Sort::Id, self.id);
        take(Sort::Login, &compared(self.id));
        if let Some(mail) = self.email.map(compared) {
            if let Some((local, _)) = mail.rsplit_once('@') {
                take(Sort::Login, local);
            }
            take(Sort::Mail, &mail);
        }
        if let Some(name) = self.display_name {
            let name = turned(name);
            let words: Vec<&str> = words_in(&name).collect();
            // One word is a first name, which says nothing.
            if let [first, .., last] = words.as_slice() {
                if words.len() > 2 {
                    take(Sort::FullName, &format!("{first} {last}"));
                }
                take(Sort::FullName, &words.join(" "));
            }
        }
    }
}

/// What clues ask for: 8 bytes each, however long the names are.
#[derive(Clone, Debug, Default)]
pub struct Wanted(HashSet<i64, AsTheyAre>);

impl Wanted {
    pub fn clue(&mut self, clue: &Clue) {
        match &clue.pointer {
            Pointer::Identity { id, .. } => self.identity(id),
            Pointer::Login { login, .. } => self.key(&Key::Login(login.clone())),
            Pointer::Mail(mail) => self.key(&Key::Mail(mail.clone())),
            Pointer::FullName(name) => self.key(&Key::FullName(name.clone())),
            Pointer::Team(_) => {}
        }
    }

    /// A reference to an identity: a bare id, or `source:id`.
    pub fn identity(&mut self, text: &str) {
        self.key(&Key::Id(text.to_owned()));
        if let Some((_, id)) = text.split_once(':') {
            self.key(&Key::Id(id.to_owned()));
        }
    }

    fn key(&mut self, key: &Key) {
        self.0.insert(key.number());
    }

    /// Whether anything asks for somebody with these names.
    pub fn asks_for(&self, named: Named<'_>) -> bool {
        let mut asked = false;
        named.each(|sort, text| asked = asked || self.0.contains(&sort.number(text)));
        asked
    }

    /// Whether anything asks for this login, of whatever system.
    pub fn asks_for_login(&self, login: &str) -> bool {
        self.0.contains(&Sort::Login.number(&compared(login)))
    }
}

/// Of a name that more people share, so many stand for all of them.
pub const SHARING: usize = 50;

/// The people that were asked for, by what names them.
#[derive(Clone, Debug, Default)]
pub struct People {
    all: Vec<Person>,
    by_key: HashMap<Key, Vec<usize>>,
    /// Whom no source lists now, by id.
    gone: HashMap<String, Vec<usize>>,
    /// By system and login in compared form: whose account it is; nobody where whoever has it
    /// cannot be named.
    by_account: HashMap<(String, String), Vec<usize>>,
    /// Of a person's further records: the one that stands for all.
    leads: HashMap<usize, usize>,
    /// All records of those who have several, by that one.
    joined: HashMap<usize, Vec<usize>>,
    /// How many share a name, where it is more than are kept with it.
    sharing: HashMap<Key, usize>,
}

impl People {
    /// Takes somebody in; gives their number.
    pub fn add(&mut self, person: Person, keys: Vec<Key>) -> usize {
        let number = self.all.len();
        for key in keys {
            let named = self.by_key.entry(key).or_default();
            if named.last() != Some(&number) {
                named.push(number);
            }
        }
        self.all.push(person);
        number
    }

    /// Says how somebody stands who was taken in before that was known.
    pub fn set_state(&mut self, number: usize, state: OwnerState) {
        if let Some(person) = self.all.get_mut(number) {
            person.state = state;
        }
    }

    /// Takes in somebody whom no source lists now; gives their number. Only references that mean
    /// nobody else lead there.
    pub fn add_gone(&mut self, person: Person) -> usize {
        let number = self.all.len();
        self.gone.entry(person.id.clone()).or_default().push(number);
        self.all.push(person);
        number
    }

    /// Says whose account a login of a system is. None: somebody's who is not known here, and so
    /// nobody's whose name only looks alike.
    pub fn add_login(&mut self, system: &str, login: &str, person: Option<usize>) {
        let key = (system.to_owned(), folded(login));
        let whose = self.by_account.entry(key).or_default();
        if let Some(person) = person.filter(|person| !whose.contains(person)) {
            whose.push(person);
        }
    }

    /// Says that these are one person's records. The first that is there stands for all.
    pub fn join(&mut self, records: &[usize]) {
        let there = |n: &&usize| self.at(**n).is_some_and(|p| !p.state.is_gone());
        if let Some(lead) = records.iter().find(there).or(records.first()).copied() {
            let others = records.iter().filter(|n| **n != lead);
            self.leads.extend(others.map(|n| (*n, lead)));
            self.joined.insert(lead, records.to_vec());
        }
    }

    /// Everybody is taken in and joined. Of a name that thousands share a few are kept, so that a
    /// thousand facts with that name do not grow with those who have it.
    pub fn settle(&mut self) {
        let mut kept = Vec::new();
        for (key, found) in &self.by_key {
            // An id has its source's own meaning.
            if found.len() <= SHARING || matches!(key, Key::Id(_)) {
                continue;
            }
            let mut found = self.who_are_people(found.clone());
            let all = found.len();
            if all > SHARING {
                let name = |n: &usize| self.at(*n).map(|p| (p.id.clone(), p.source_name.clone()));
                found.sort_by_cached_key(name);
                found.truncate(SHARING);
                kept.push((key.clone(), found, all));
            }
        }
        for (key, found, all) in kept {
            self.by_key.insert(key.clone(), found);
            self.sharing.insert(key, all);
        }
    }

    /// How many are meant of whom `named` gives some.
    pub fn meant_by(&self, pointer: &Pointer, named: usize) -> usize {
        let key = match pointer {
            Pointer::Login { login, .. } => Key::Login(login.clone()),
            Pointer::Mail(mail) => Key::Mail(mail.clone()),
            Pointer::FullName(name) => Key::FullName(name.clone()),
            Pointer::Identity { .. } | Pointer::Team(_) => return named,
        };
        let all = self.sharing.get(&key).copied();
        // Where a login is that of accounts, nobody else is meant.
        all.filter(|_| named == SHARING).unwrap_or(named)
    }

    /// One record of each person.
    pub fn one_each(&self, records: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for record in records {
            let lead = self.leads.get(&record).copied().unwrap_or(record);
            if seen.insert(lead) {
                found.push(lead);
            }
        }
        found
    }

    /// Every record of the person for whom one stands.
    pub fn records_of(&self, lead: usize) -> impl Iterator<Item = &Person> {
        let several = self.joined.get(&lead).map(Vec::as_slice);
        let all = several.unwrap_or(&[]).iter().copied();
        let alone = several.is_none().then_some(lead);
        all.chain(alone).filter_map(|record| self.at(record))
    }

    pub fn at(&self, number: usize) -> Option<&Person> {
        self.all.get(number)
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The identities that a reference of a source can mean: its own source before others.
    pub fn referred(&self, id: &str, source: i64) -> Vec<usize> {
        self.meant(id, source, |id| self.by_key.get(&Key::Id(id.to_owned())))
    }

    /// The same, or else those whom no source lists now.
    fn referred_ever(&self, id: &str, source: i64) -> Vec<usize> {
        let listed = self.referred(id, source);
        match listed.is_empty() {
            true => self.meant(id, source, |id| self.gone.get(id)),
            false => listed,
        }
    }

    /// The persons whom a reference of a source can mean, each by the record that stands for it: also
    /// by a record that is listed no more.
    pub fn persons(&self, id: &str, source: i64) -> Vec<usize> {
        self.one_each(self.referred_ever(id, source))
    }

    /// How somebody stands, by the record that stands for all: whoever is there by any record is
    /// there. Several of whom nobody is listed are absent; of others it is not known who is meant.
    pub fn state_of(&self, persons: &[usize]) -> Option<OwnerState> {
        let mut states = persons
            .iter()
            .filter_map(|lead| self.records_of(*lead).map(|record| record.state).min());
        let first = states.next()?;
        let gone = |state: OwnerState| state == OwnerState::Absent;
        match (persons.len(), gone(first) && states.all(gone)) {
            (1, _) | (_, true) => Some(first),
            (_, false) => Some(OwnerState::Unknown),
        }
    }

    fn meant<'p>(
        &'p self,
        id: &str,
        source: i64,
        with_id: impl Fn(&str) -> Option<&'p Vec<usize>>,
    ) -> Vec<usize> {
        let with = |id: &str| with_id(id).map_or(&[][..], Vec::as_slice);
        let bare = with(id);
        if !bare.is_empty() {
            let own = bare
                .iter()
                .find(|n| self.at(**n).is_some_and(|p| p.source == source));
            return own.map_or_else(|| bare.to_vec(), |n| vec![*n]);
        }
        let Some((name, id)) = id.split_once(':') else {
            return Vec::new();
        };
        let of_source = |n: &&usize| self.at(**n).is_some_and(|p| p.source_name == name);
        with(id).iter().filter(of_source).copied().collect()
    }

    /// Who is meant. Only people: a workload that made a key does not answer for it.
    pub fn named(&self, pointer: &Pointer) -> Vec<usize> {
        let by = |key: Key| self.by_key.get(&key).cloned().unwrap_or_default();
        let found = match pointer {
            Pointer::Identity { source, id } => self.referred_ever(id, *source),
            Pointer::Login { system, login } => {
                let account = (system.clone(), login.clone());
                // A login of this very system says more than a name that looks alike.
                match self.by_account.get(&account) {
                    Some(whose) => whose.clone(),
                    None => by(Key::Login(login.clone())),
                }
            }
            Pointer::Mail(mail) => by(Key::Mail(mail.clone())),
            Pointer::FullName(name) => by(Key::FullName(name.clone())),
            Pointer::Team(_) => Vec::new(),
        };
        self.who_are_people(found)
    }

    fn who_are_people(&self, mut found: Vec<usize>) -> Vec<usize> {
        found.retain(|n| self.at(*n).is_some_and(|p| p.kind == IdentityKind::Person));
        self.one_each(found)
    }
}
