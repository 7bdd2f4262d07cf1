//! Facts on their way to secrets: what is told of credentials beside the graph, and each value at each
//! place.

use super::same;
use super::secrets::{Dates, Secrets, Spot};
use crate::access::columns::{NONE, Texts};
use crate::access::{Graph, is_production};
use lastkey_contract::{SystemName, When};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// What a source tells of a credential, as far as secrets need it.
#[derive(Clone, Debug, Deserialize)]
pub struct CredentialTold<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub id: Cow<'t, str>,
    pub name: Option<Cow<'t, str>>,
    pub created_at: Option<When>,
    pub rotated_at: Option<When>,
    pub expires_at: Option<When>,
    pub last_used_at: Option<When>,
    pub fingerprint: Option<Cow<'t, str>>,
}

/// The same of one row about a place.
#[derive(Clone, Debug, Deserialize)]
pub struct PlaceTold<'t> {
    #[serde(borrow)]
    pub system: Cow<'t, str>,
    #[serde(borrow)]
    pub path: Cow<'t, str>,
    pub credential_system: Option<Cow<'t, str>>,
    pub credential_id: Option<Cow<'t, str>>,
    pub environment: Option<Cow<'t, str>>,
    pub fingerprint: Option<Cow<'t, str>>,
    pub last_rotated_at: Option<When>,
    #[serde(default)]
    pub attributes: AttributesTold<'t>,
}

/// What connectors say of a place beside its columns.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AttributesTold<'t> {
    /// Which value of the place, `path#NAME`.
    pub field: Option<Cow<'t, str>>,
    /// The names of all values of the place, a line each.
    pub keys: Option<Cow<'t, str>>,
    pub created_at: Option<Cow<'t, str>>,
}

/// Secrets in the making.
pub struct Gathering<'g> {
    graph: &'g Graph,
    pub(super) dates: Vec<Dates>,
    /// What each credential is called, by its row; empty where nothing is told.
    names: HashMap<u32, Box<str>>,
    prints: HashMap<Box<str>, u32>,
    /// By fingerprint: under which key it was made. Those of two keys never compare.
    print_keys: Vec<u32>,
    keys: HashMap<Box<str>, u32>,
    credential_prints: Vec<u32>,
    fields: Texts,
    field_rows: HashMap<Box<str>, u32>,
    spots: Vec<Spot>,
    system: Option<(Box<str>, SystemName)>,
}

fn moment(when: Option<When>) -> Option<i64> {
    when.map(|when| when.earliest().timestamp())
}

impl<'g> Gathering<'g> {
    pub fn new(graph: &'g Graph) -> Gathering<'g> {
        let credentials = graph.credentials.len() as usize;
        Gathering {
            graph,
            dates: vec![Dates::default(); credentials],
            names: HashMap::new(),
            prints: HashMap::new(),
            print_keys: Vec::new(),
            keys: HashMap::new(),
            credential_prints: vec![NONE; credentials],
            fields: Texts::default(),
            field_rows: HashMap::new(),
            spots: Vec::new(),
            system: None,
        }
    }

    /// Takes in what a source tells of a credential; what one told before stands.
    pub fn credential(&mut self, told: &CredentialTold<'_>) {
        let system = self.system(&told.system);
        let Some(row) = self.graph.credential(&system, &told.id) else {
            return;
        };
        let print = self.print(told.fingerprint.as_deref());
        if let Some(slot) = self.credential_prints.get_mut(row as usize)
            && *slot == NONE
        {
            *slot = print;
        }
        if let Some(dates) = self.dates.get_mut(row as usize) {
            dates.created = dates.created.or(moment(told.created_at));
            dates.rotated = dates.rotated.or(moment(told.rotated_at));
            dates.used = dates.used.max(moment(told.last_used_at));
            dates.expires = dates.expires.or(moment(told.expires_at));
        }
        if let Some(name) = told.name.as_deref().filter(|name| !name.is_empty()) {
            self.names.entry(row).or_insert_with(|| name.into());
        }
    }

    /// Takes in a row about a place: a value that stands there, or the names of several.
    pub fn place(&mut self, told: &PlaceTold<'_>) {
        let system = self.system(&told.system);
        let Some(location) = self.graph.location(&system, &told.path) else {
            return;
        };
        let credential = told.credential_id.as_deref().and_then(|id| {
            let at = match told.credential_system.as_deref() {
                Some(at) => self.system(at),
                None => system.clone(),
            };
            self.graph.credential(&at, id)
        });
        let created = told.attributes.created_at.as_deref().and_then(When::parse);
        let spot = Spot {
            location,
            field: NONE,
            print: self.print(told.fingerprint.as_deref()),
            credential: credential.unwrap_or(NONE),
            since: moment(told.last_rotated_at).or(moment(created)),
            rotated: moment(told.last_rotated_at),
            production: is_production(told.environment.as_deref()),
        };
        let field = told.attributes.field.as_deref().map(|field| {
            let after = field.strip_prefix(told.path.as_ref());
            after
                .and_then(|rest| rest.strip_prefix('#'))
                .unwrap_or(field)
        });
        match field.filter(|field| !field.is_empty()) {
            Some(field) => {
                let field = self.field(field);
                self.spots.push(Spot { field, ..spot });
            }
            None => {
                self.spots.push(spot);
                let keys = told.attributes.keys.as_deref().unwrap_or_default();
                for key in keys.lines().filter(|key| !key.is_empty()) {
                    let field = self.field(key);
                    self.spots.push(Spot {
                        field,
                        print: NONE,
                        credential: NONE,
                        ..spot
                    });
                }
            }
        }
    }

    pub fn done(self) -> Secrets {
        same::joined(
            self.graph,
            same::Gathered {
                dates: self.dates,
                names: self.names,
                print_keys: self.print_keys,
                credential_prints: self.credential_prints,
                fields: self.fields,
                spots: self.spots,
            },
        )
    }

    fn system(&mut self, name: &str) -> SystemName {
        match &self.system {
            Some((last, system)) if **last == *name => system.clone(),
            Some(_) | None => {
                let system = SystemName::new(name);
                self.system = Some((name.into(), system.clone()));
                system
            }
        }
    }

    fn print(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return NONE;
        };
        if let Some(row) = self.prints.get(text) {
            return *row;
        }
        // Of one that names no key nobody knows how it was made: unequal ones tell nothing.
        let key = match text.split_once(':') {
            Some((key, _)) if !key.is_empty() => {
                let next = u32::try_from(self.keys.len()).unwrap_or(NONE);
                *self.keys.entry(key.into()).or_insert(next)
            }
            Some(_) | None => NONE,
        };
        let row = u32::try_from(self.prints.len()).unwrap_or(NONE - 1);
        self.prints.insert(text.into(), row);
        self.print_keys.push(key);
        row
    }

    fn field(&mut self, text: &str) -> u32 {
        if let Some(row) = self.field_rows.get(text) {
            return *row;
        }
        let row = self.fields.push(text);
        self.field_rows.insert(text.into(), row);
        row
    }
}
