//! Making a graph: nodes first, then what leads from one to another, named by numbers.
//!
//! Whoever makes one (a snapshot, the store) gives each identity, account, entitlement,
//! credential and location a number of its own, the same wherever it is named; two of one number
//! are one: what the first does not tell the next one does. Nodes come before what names them. The rows of the
//! finished graph are in id order whatever order things came in.

mod in_order;
mod told;

use super::columns::{Column, NONE, Rows};
pub(crate) use super::coming::{NewAccount, NewCredential, NewLocation, NewOwner, Number};
use super::doubtful::Doubtful;
use super::forgotten::ForgottenPrint;
use super::graph::{
    AccountRow, CredentialRow, EntitlementRow, GrantRow, Graph, IdentityRow, LocationRow, LooseEnd,
    OwnerLine, Terms, find,
};
use super::holding::{From, Holding, Position};
use super::nodes::{Listed, Nodes, Numbered, Order};
use crate::correlate::Employment;
use in_order::order_systems;
use lastkey_contract::Kind;
use lastkey_contract::facts::{ControlMeans, ObjectType, OwnerRole};
use std::collections::BTreeSet;
use told::Credential;

/// A graph in the making.
#[derive(Default)]
pub(crate) struct Making {
    systems: Numbered,
    environments: Numbered,
    identities: Nodes<IdentityRow>,
    employed: Vec<(Number, Employment<u32>)>,
    /// What other records of people call them (`correlate::called`).
    pub other_names: Vec<(Number, u64)>,
    /// `identity` by place, `system` and `through` not yet; each found in `holding`.
    accounts: Listed<AccountRow>,
    through: Vec<(u32, Number, i64)>,
    /// By the place of an account through which nothing that is known leads: a system.
    through_unknown: Vec<(u32, u32)>,
    holding: Holding,
    credentials: Nodes<Credential>,
    created_by: Vec<(Box<str>, u32)>,
    locations: Nodes<LocationRow>,
    /// Location, credential, and the credential's system.
    standing: Vec<(u32, Number, u32)>,
    printed: Vec<(u32, u32)>,
    secrets: Numbered,
    reads: Vec<(From, u32)>,
    controls: Vec<(From, (u32, ControlMeans))>,
    /// Whose lines are about accounts that nothing holds, and the system.
    controls_unknown: Vec<(From, u32)>,
    /// The systems of accounts that lines name as who holds or may do something, and nothing lists.
    unlisted: BTreeSet<u32>,
    owners: Vec<NewOwner>,
    /// What could be somebody's as well as another's.
    pub doubtful: Doubtful,
    /// Fingerprints that sources told once and tell no more.
    pub forgotten: Vec<ForgottenPrint>,
}

impl Making {
    /// Makes room for about so many more of a kind.
    pub(crate) fn expect(&mut self, kind: Kind, more: usize) {
        match kind {
            Kind::Identity => self.identities.expect(more),
            Kind::Account => {
                self.accounts.expect(more);
                self.holding.accounts.expect_named(more);
            }
            Kind::Entitlement => self.holding.entitlements.expect(more),
            Kind::Grant => self.holding.account_grants.reserve(more),
            // There are few of these.
            Kind::Credential
            | Kind::Location
            | Kind::Reader
            | Kind::Control
            | Kind::Owner
            | Kind::Session
            | Kind::Task => {}
        }
    }

    /// The number of an environment for the rows of nodes.
    pub(crate) fn environment(&mut self, text: Option<&str>) -> u32 {
        self.environments.row_of_some(text)
    }

    /// A system that is named, whatever by; its row.
    pub(crate) fn system(&mut self, name: &str) -> u32 {
        self.systems.row(name)
    }

    /// The accounts whose sign-in leads through one that nothing holds: their places, and what they
    /// are known by. Once all accounts have numbers.
    pub(crate) fn through_unknown(&self) -> Vec<(u32, i64)> {
        let accounts = &self.holding.accounts;
        let all = self.through.iter();
        let unknown = all.filter(|(_, number, _)| accounts.get(*number).is_none());
        unknown
            .map(|(place, _, origin)| (*place, *origin))
            .collect()
    }

    /// Where the account would be through which one signs in to the one at a place.
    pub(crate) fn signs_in_through(&mut self, place: u32, system: &str) {
        let system = self.systems.row(system);
        self.through_unknown.push((place, system));
    }

    pub(crate) fn identity(
        &mut self,
        number: Number,
        id: &str,
        row: IdentityRow,
        employers: impl IntoIterator<Item = Employment<Number>>,
    ) {
        let next = self.identities.listed.len();
        let place = self.identities.add(number, 0, id, || row);
        if place == next {
            let employed = employers.into_iter().map(|one| (one.of, one.with(place)));
            self.employed.extend(employed);
        }
    }

    /// An account, and the identity that it was found to be of.
    pub(crate) fn account(
        &mut self,
        number: Number,
        system: &str,
        id: &str,
        new: NewAccount,
        identity: Option<Number>,
    ) {
        // Of a number that was there before the first stands.
        if self.number_account(number) {
            self.numbered_account(system, id, new, identity);
        }
    }

    /// Numbers an account that comes later: `numbered_account` takes the rest of those that were
    /// not there before, in the same order.
    pub(crate) fn number_account(&mut self, number: Number) -> bool {
        let next = self.holding.accounts.len();
        self.holding.accounts.add(number) == next
    }

    /// The next account of those that have numbers.
    pub(crate) fn numbered_account(
        &mut self,
        system: &str,
        id: &str,
        new: NewAccount,
        identity: Option<Number>,
    ) {
        let system = self.systems.row(system);
        let place = self.accounts.len();
        let identity = self.identities.place(identity);
        if let Some(through) = new.through {
            self.through.push((place, through, new.origin));
        }
        let row = AccountRow {
            identity,
            ..new.row
        };
        self.accounts.push(system, id, row);
    }

    /// Who holds what, to be made on another thread; what is left is made meanwhile.
    pub(crate) fn take_holding(&mut self) -> Holding {
        std::mem::take(&mut self.holding)
    }

    pub(crate) fn put_holding(&mut self, holding: Holding) {
        self.holding = holding;
    }

    /// An entitlement that is only named.
    pub(crate) fn named_entitlement(&mut self, number: Number, system: &str, id: &str) {
        self.entitlement(number, system, id, EntitlementRow::unknown());
    }

    /// One line about a location; several may be about one.
    pub(crate) fn location(
        &mut self,
        number: Number,
        system: &str,
        path: &str,
        new: NewLocation<'_>,
    ) {
        let place = self.named_location(number, system, path);
        if let Some(row) = self.locations.listed.row_mut(place) {
            row.kind = row.kind.or(new.kind);
            if row.environment == NONE || new.production {
                row.environment = new.environment;
            }
        }
        if let Some((credential, system)) = new.credential {
            self.standing.push((place, credential, system));
        }
        let secret = self.secrets.row_of_some(new.fingerprint);
        if secret != NONE {
            self.printed.push((place, secret));
        }
    }

    /// A location that is only named; its place.
    pub(crate) fn named_location(&mut self, number: Number, system: &str, path: &str) -> u32 {
        let system = self.systems.row(system);
        self.locations.add(number, system, path, || LocationRow {
            system: 0,
            kind: None,
            environment: NONE,
        })
    }

    /// Whether an account or an entitlement has this number.
    pub(crate) fn has_principal(&self, number: Number) -> bool {
        self.holding.from(number).is_some()
    }

    /// Whether an account has this number.
    pub(crate) fn has_account(&self, number: Number) -> bool {
        self.holding.accounts.get(number).is_some()
    }

    /// An account that a line names as who holds or may do something: where nothing lists it, it may be
    /// anybody's. Once all accounts have numbers.
    pub(crate) fn named_account(&mut self, number: Number, system: &str) {
        if !self.has_account(number) && !system.is_empty() {
            let system = self.systems.row(system);
            self.unlisted.insert(system);
        }
    }

    pub(crate) fn has_location(&self, number: Number) -> bool {
        self.locations.places.get(number).is_some()
    }

    /// A principal holds an entitlement, on these terms.
    pub(crate) fn grant(&mut self, principal: Number, entitlement: Number, terms: Terms) {
        self.holding.grant(principal, entitlement, terms);
    }

    /// Grants whose ends were not known when they came (`Holding::late`).
    pub(crate) fn late_grants(&mut self, late: &[(Position, Number, Number)]) {
        self.holding.late(late);
    }

    /// A principal can read a location.
    pub(crate) fn reader(&mut self, principal: Number, location: Number) {
        let to = self.locations.places.get(location);
        if let (Some(from), Some(to)) = (self.holding.from(principal), to) {
            self.reads.push((from, to));
        }
    }

    /// A principal controls an account of a system.
    pub(crate) fn control(
        &mut self,
        principal: Number,
        (account, system): (Number, &str),
        means: ControlMeans,
    ) {
        let Some(from) = self.holding.from(principal) else {
            return;
        };
        match self.holding.accounts.get(account) {
            Some(to) => self.controls.push((from, (to, means))),
            None => {
                let system = self.systems.row(system);
                self.controls_unknown.push((from, system));
            }
        }
    }

    pub(crate) fn owner(&mut self, owner: NewOwner) {
        self.owners.push(owner);
    }

    /// The graph.
    pub(crate) fn graph(mut self) -> Graph {
        let mut graph = Graph::default();
        let systems = order_systems(&self.systems.texts, &mut graph);
        graph.environments = self.order_environments();
        self.order_secrets();
        let one = Column::filled(0, 1);
        let identities_ordered = || {
            let order = self.identities.listed.in_order(&one);
            let ids = order.texts(&self.identities.listed.ids);
            (order, ids)
        };
        let ((identities, identity_ids), accounts) = std::thread::scope(|scope| {
            let identities = scope.spawn(identities_ordered);
            let accounts = self.accounts.in_order(&systems);
            match identities.join() {
                Ok(identities) => (identities, accounts),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        let Holding {
            accounts: account_places,
            entitlements:
                Nodes {
                    places: entitlement_places,
                    listed: entitlement_list,
                },
            account_grants,
            entitlement_grants,
            terms_list,
            ..
        } = self.holding;
        let entitlements = entitlement_list.in_order(&systems);
        let credentials = self.credentials.listed.in_order(&systems);
        let locations = self.locations.listed.in_order(&systems);
        let account_of = |number: Option<Number>| {
            let place = number.and_then(|number| account_places.get(number));
            accounts.row(place.unwrap_or(NONE))
        };
        let system_of = |nodes: &[u32], place: u32| {
            nodes
                .get(place as usize)
                .map_or(0, |system| *systems.at(*system))
        };

        // identities
        graph.identity_ids = identity_ids;
        graph.identities = identities.column(&self.identities.listed.rows, |row| *row);
        let employed = self.employed.iter().map(|(employer, employed)| {
            let employer = identities.row(self.identities.place(Some(*employer)));
            (employer, employed.with(identities.row(employed.of)))
        });
        let (unknown, employed): (Vec<_>, Vec<_>) =
            employed.partition(|(employer, _)| *employer == NONE);
        let unknown = unknown.into_iter().map(|(_, employed)| employed);
        self.doubtful.unknown_employer.extend(unknown);
        graph.employed = Rows::build(identities.rows.len(), employed);
        let Nodes {
            places: identity_places,
            listed: identity_list,
        } = self.identities;
        drop(identity_list);
        let identity_of = |number: Number| {
            let place = identity_places.get(number);
            identities.row(place.unwrap_or(NONE))
        };

        let names = self.other_names.iter();
        graph.other_names = names
            .map(|(number, called)| (identity_of(*number), *called))
            .collect();
        graph.other_names.sort_unstable();
        graph.other_names.dedup();

        // accounts, and who holds what beside them
        let grants = |mut pairs: Vec<(u32, GrantRow)>, order: &Order| {
            for (from, grant) in &mut pairs {
                *from = order.row(*from);
                grant.entitlement = entitlements.row(grant.entitlement);
            }
            Rows::build(order.rows.len(), pairs)
        };
        (graph.account_grants, graph.entitlement_grants) = std::thread::scope(|scope| {
            let held = scope.spawn(|| {
                let of_accounts = grants(account_grants, &accounts);
                (of_accounts, grants(entitlement_grants, &entitlements))
            });
            graph.account_ids = accounts.texts(&self.accounts.ids);
            graph.accounts = accounts.column(&self.accounts.rows, |account| AccountRow {
                identity: identities.row(account.identity),
                ..*account
            });
            for (place, through, _) in &self.through {
                let through = account_of(Some(*through));
                graph.accounts.at_mut(accounts.row(*place)).through = through;
            }
            for (row, place) in (0..).zip(&accounts.places) {
                graph.accounts.at_mut(row).system = system_of(&self.accounts.systems, *place);
            }
            drop(self.accounts);
            let all = || (0..).zip(graph.accounts.values());
            let mut of_identities = Vec::with_capacity(accounts.places.len());
            of_identities.extend(all().map(|(row, account)| (account.identity, row)));
            let through = all().filter(|(_, account)| account.through != NONE);
            let through = through.map(|(row, account)| (account.through, row));
            graph.sign_in_here = Rows::build(accounts.rows.len(), through.collect());
            graph.accounts_of = Rows::build(identities.rows.len(), of_identities);
            match held.join() {
                Ok(held) => held,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });

        graph.undecided = self.doubtful.done(identities.rows.len(), identity_of);

        // entitlements
        let listed = &entitlement_list;
        graph.entitlement_ids = entitlements.texts(&listed.ids);
        graph.entitlements = entitlements.column(&listed.rows, |row| *row);
        for (row, place) in (0..).zip(&entitlements.places) {
            graph.entitlements.at_mut(row).system = system_of(&listed.systems, *place);
        }
        graph.terms = Column::new(terms_list);

        // credentials
        graph.credential_ids = credentials.texts(&self.credentials.listed.ids);
        graph.credentials =
            credentials.column(&self.credentials.listed.rows, |credential| CredentialRow {
                account: account_of(credential.account),
                ..credential.row
            });
        for (row, place) in (0..).zip(&credentials.places) {
            graph.credentials.at_mut(row).system =
                system_of(&self.credentials.listed.systems, *place);
        }
        let of_account = (0..).zip(graph.credentials.values());
        let of_account = of_account.map(|(row, c)| (c.account, row)).collect();
        graph.credentials_of = Rows::build(accounts.rows.len(), of_account);
        let created = self.created_by.into_iter();
        graph.created_by = created
            .map(|(by, place)| (by, credentials.row(place)))
            .collect();
        graph.created_by.sort();
        graph.created_by.dedup();

        // locations
        graph.location_ids = locations.texts(&self.locations.listed.ids);
        graph.locations = locations.column(&self.locations.listed.rows, |row| *row);
        for (row, place) in (0..).zip(&locations.places) {
            graph.locations.at_mut(row).system = system_of(&self.locations.listed.systems, *place);
        }
        let unlisted = self.unlisted.iter().map(|system| *systems.at(*system));
        graph.unlisted = unlisted.collect();
        let mut loose: Vec<(LooseEnd, (Kind, u32))> = Vec::new();
        let mut standing: Vec<(u32, u32)> = Vec::with_capacity(self.standing.len());
        for (place, credential, system) in &self.standing {
            let named = credentials.row(self.credentials.place(Some(*credential)));
            let location = locations.row(*place);
            match named {
                NONE => loose.push((LooseEnd::At(location), (Kind::Credential, *system))),
                named => standing.push((location, named)),
            }
        }
        for (place, system) in &self.through_unknown {
            let account = LooseEnd::SignIn(accounts.row(*place));
            loose.push((account, (Kind::Account, *system)));
        }
        for (from, system) in &self.controls_unknown {
            let from = match *from {
                From::Account(from) => LooseEnd::ByAccount(accounts.row(from)),
                From::Entitlement(from) => LooseEnd::ByEntitlement(entitlements.row(from)),
            };
            loose.push((from, (Kind::Account, *system)));
        }
        let printed: Vec<(u32, u32)> = self
            .printed
            .iter()
            .map(|(place, secret)| (locations.row(*place), *secret))
            .collect();
        let turned = |pairs: &[(u32, u32)]| pairs.iter().map(|(a, b)| (*b, *a)).collect();
        graph.secrets = self.secrets.texts.len();
        graph.places_of = Rows::build(credentials.rows.len(), turned(&standing));
        graph.credentials_at = Rows::build(locations.rows.len(), standing);
        graph.secret_places = Rows::build(graph.secrets, turned(&printed));
        graph.secrets_at = Rows::build(locations.rows.len(), printed);
        let same = (0..).zip(graph.credentials.values());
        let same = same.map(|(row, c)| (c.secret, row)).collect();
        graph.same_secret = Rows::build(graph.secrets, same);

        // readers and controls
        let (mut by_account, mut by_entitlement) = (Vec::new(), Vec::new());
        for (from, to) in self.reads {
            match from {
                From::Account(from) => by_account.push((accounts.row(from), locations.row(to))),
                From::Entitlement(from) => {
                    by_entitlement.push((entitlements.row(from), locations.row(to)));
                }
            }
        }
        graph.account_reads = Rows::build(accounts.rows.len(), by_account);
        graph.entitlement_reads = Rows::build(entitlements.rows.len(), by_entitlement);
        let (mut by_account, mut by_entitlement) = (Vec::new(), Vec::new());
        for (from, (to, means)) in self.controls {
            let line = (accounts.row(to), means);
            match from {
                From::Account(from) => by_account.push((accounts.row(from), line)),
                From::Entitlement(from) => by_entitlement.push((entitlements.row(from), line)),
            }
        }
        graph.account_controls = Rows::build(accounts.rows.len(), by_account);
        graph.entitlement_controls = Rows::build(entitlements.rows.len(), by_entitlement);

        // owners
        let lines: Vec<OwnerLine> = self
            .owners
            .iter()
            .filter_map(|owner| {
                let number = Some(owner.object);
                let object = match owner.object_type {
                    ObjectType::Identity => identity_of(owner.object),
                    ObjectType::Account => account_of(number),
                    ObjectType::Credential => credentials.row(self.credentials.place(number)),
                    ObjectType::Location => locations.row(self.locations.place(number)),
                    ObjectType::Entitlement => {
                        let place = entitlement_places.get(owner.object);
                        entitlements.row(place.unwrap_or(NONE))
                    }
                };
                let custody = owner.role == OwnerRole::Custodian
                    && owner.object_type == ObjectType::Credential;
                let by = identity_of(owner.owner);
                if custody && object == NONE && by != NONE {
                    loose.push((LooseEnd::Custody(by), (Kind::Credential, owner.system)));
                }
                (object != NONE).then_some(OwnerLine {
                    object: (owner.object_type, object),
                    owner: by,
                    role: owner.role,
                    basis: owner.basis,
                })
            })
            .collect();
        graph.put_owner_lines(lines);
        for (_, (_, system)) in &mut loose {
            *system = *systems.at(*system);
        }
        // A line without a system names nothing that could be read.
        loose.retain(|(_, (_, system))| !graph.systems.at(*system).is_empty());
        loose.sort_unstable();
        graph.loose = loose;
        let secrets = &self.secrets.texts;
        let secret = |print: &str| find(secrets.len(), |row| secrets.at(row).cmp(print));
        graph.leave_untold(&self.forgotten, secret);
        graph.loose.sort_unstable();
        graph.loose.dedup();
        graph
    }
}
