//! From a snapshot to the graph: numbering, joining by id, sorting into rows.
//!
//! Of two rows with one key the first stands; grants, readers, controls and
//! locations may repeat. References to nothing are legal and lead nowhere.

use super::columns::{Column, NONE, Rows, Texts};
use super::graph::{
    AccountRow, Activation, CredentialRow, EntitlementRow, GrantRow, Graph, IdentityRow,
    LocationRow, Membership, OwnerLine,
};
use super::snapshot::Snapshot;
use crate::lifecycle::Closing;
use lastkey_contract::facts::{
    Assignment, EntitlementKind, ObjectType, OwnerRole, Principal, PrincipalType,
};
use lastkey_contract::{Fingerprint, When};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The rows of one kind: keys in id order, and the row of each key.
struct Numbered<'a> {
    keys: Vec<(u32, &'a str)>,
    rows: Vec<HashMap<&'a str, u32>>,
}

impl<'a> Numbered<'a> {
    fn new(mut keys: Vec<(u32, &'a str)>, systems: usize) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let mut rows: Vec<HashMap<&str, u32>> = vec![HashMap::new(); systems];
        for (row, (system, id)) in (0..).zip(&keys) {
            if let Some(of_system) = rows.get_mut(*system as usize) {
                of_system.insert(id, row);
            }
        }
        Self { keys, rows }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(NONE - 1)
    }

    fn find(&self, system: u32, id: &str) -> u32 {
        self.rows
            .get(system as usize)
            .and_then(|of_system| of_system.get(id))
            .copied()
            .unwrap_or(NONE)
    }

    fn texts(&self) -> Texts {
        let mut texts = Texts::default();
        for (_, id) in &self.keys {
            texts.push(id);
        }
        texts
    }

    /// One value per row from facts of which the first of a key stands.
    fn column<T: Clone>(&self, absent: T, facts: impl Iterator<Item = (u32, T)>) -> Column<T> {
        let mut column = Column::filled(absent, self.count());
        let mut seen = Column::filled(false, self.count());
        for (row, value) in facts {
            if row != NONE && !*seen.at(row) {
                *seen.at_mut(row) = true;
                *column.at_mut(row) = value;
            }
        }
        column
    }
}

/// The numbers of texts that occur often.
#[derive(Default)]
struct Interned {
    texts: Texts,
    rows: HashMap<String, u32>,
}

impl Interned {
    fn row(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return NONE;
        };
        if let Some(row) = self.rows.get(text) {
            return *row;
        }
        let row = self.texts.push(text);
        self.rows.insert(text.to_owned(), row);
        row
    }
}

impl Graph {
    /// The graph of a snapshot. Linear in its rows, but for sorting.
    pub fn build(snapshot: &Snapshot) -> Graph {
        let names = system_names(snapshot);
        let system_rows: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
        let system = |name: &str| system_rows.get(name).copied().unwrap_or(NONE);

        let identities = Numbered::new(
            snapshot
                .identities
                .iter()
                .map(|i| (0, i.id.as_str()))
                .collect(),
            1,
        );
        let identity = |id: &str| identities.find(0, id);
        let accounts = Numbered::new(
            snapshot
                .accounts
                .iter()
                .map(|a| (system(a.system.as_str()), a.id.as_str()))
                .collect(),
            names.len(),
        );
        let account = |name: &str, id: &str| accounts.find(system(name), id);
        let credentials = Numbered::new(
            snapshot
                .credentials
                .iter()
                .map(|c| (system(c.system.as_str()), c.id.as_str()))
                .collect(),
            names.len(),
        );
        let credential = |name: &str, id: &str| credentials.find(system(name), id);

        // entitlements and locations that only other rows name count like any other
        let nested = |principal: &'_ Principal| principal.kind == PrincipalType::Entitlement;
        let mut keys: Vec<(u32, &str)> = Vec::new();
        for e in &snapshot.entitlements {
            keys.push((system(e.system.as_str()), e.id.as_str()));
        }
        for g in &snapshot.grants {
            keys.push((system(g.system.as_str()), g.entitlement_id.as_str()));
        }
        let principals = (snapshot.grants.iter().map(|g| &g.principal))
            .chain(snapshot.readers.iter().map(|r| &r.principal))
            .chain(snapshot.controls.iter().map(|c| &c.principal));
        for principal in principals.filter(|p| nested(p)) {
            keys.push((system(principal.system.as_str()), principal.id.as_str()));
        }
        let entitlements = Numbered::new(keys, names.len());
        let entitlement = |name: &str, id: &str| entitlements.find(system(name), id);

        let mut keys: Vec<(u32, &str)> = Vec::new();
        for l in &snapshot.locations {
            keys.push((system(l.system.as_str()), l.path.as_str()));
        }
        for r in &snapshot.readers {
            keys.push((system(r.system.as_str()), r.path.as_str()));
        }
        let locations = Numbered::new(keys, names.len());
        let location = |name: &str, path: &str| locations.find(system(name), path);

        let mut environments = Interned::default();

        let mut graph = Graph {
            identity_ids: identities.texts(),
            account_ids: accounts.texts(),
            entitlement_ids: entitlements.texts(),
            credential_ids: credentials.texts(),
            location_ids: locations.texts(),
            reads: snapshot.reads.clone(),
            never_read: snapshot.never_read.clone(),
            ..Graph::default()
        };
        for account in &snapshot.ambiguous {
            for candidate in &account.candidates {
                let accounts = graph
                    .maybe_accounts
                    .entry(candidate.to_string())
                    .or_default();
                accounts.push(format!("{}:{}", account.system, account.id));
            }
        }
        for name in &names {
            graph.systems.push(name);
        }
        graph.system_text_order = text_order(&names);

        // identities
        let nobody = IdentityRow {
            kind: lastkey_contract::facts::IdentityKind::Person,
            status: None,
            leaver_kind: None,
        };
        graph.identities = identities.column(
            nobody,
            snapshot.identities.iter().map(|i| {
                let row = IdentityRow {
                    kind: i.kind,
                    status: i.status,
                    leaver_kind: i.leaver_kind,
                };
                (identity(i.id.as_str()), row)
            }),
        );
        let employed = snapshot.identities.iter().filter_map(|i| {
            let employer = identity(i.employer_id.as_ref()?.as_str());
            Some((employer, identity(i.id.as_str())))
        });
        graph.employed = Rows::build(identities.count(), employed.collect());

        // accounts
        let no_account = AccountRow {
            system: 0,
            identity: NONE,
            through: NONE,
            expires: Closing::Never,
            kind: None,
            enabled: None,
            local_sign_in: None,
            privileged: None,
            environment: NONE,
        };
        graph.accounts = accounts.column(
            no_account,
            snapshot.accounts.iter().map(|a| {
                let through = a.signs_in_through_id.as_ref().map_or(NONE, |id| {
                    let at = a.signs_in_through_system.as_ref().unwrap_or(&a.system);
                    account(at.as_str(), id.as_str())
                });
                let row = AccountRow {
                    system: system(a.system.as_str()),
                    identity: a
                        .identity_id
                        .as_ref()
                        .map_or(NONE, |id| identity(id.as_str())),
                    through,
                    expires: expiry(a.expires_at),
                    kind: a.kind,
                    enabled: a.enabled,
                    local_sign_in: a.local_sign_in,
                    privileged: a.privileged,
                    environment: environments.row(a.environment.as_deref()),
                };
                (account(a.system.as_str(), a.id.as_str()), row)
            }),
        );
        let of_identity = (0..).zip(graph.accounts.values());
        let of_identity = of_identity.map(|(row, a)| (a.identity, row)).collect();
        graph.accounts_of = Rows::build(identities.count(), of_identity);
        let here = (0..).zip(graph.accounts.values());
        let here = here.map(|(row, a)| (a.through, row)).collect();
        graph.sign_in_here = Rows::build(accounts.count(), here);

        // entitlements and grants
        let named_only = EntitlementRow {
            system: 0,
            group: Membership::Holds,
            privileged: None,
            environment: NONE,
        };
        graph.entitlements = entitlements.column(
            named_only,
            snapshot.entitlements.iter().map(|e| {
                let row = EntitlementRow {
                    group: match e.kind {
                        Some(EntitlementKind::Group | EntitlementKind::Team) => {
                            Membership::MemberOf
                        }
                        Some(
                            EntitlementKind::Role
                            | EntitlementKind::Policy
                            | EntitlementKind::Permission
                            | EntitlementKind::Scope
                            | EntitlementKind::Tool
                            | EntitlementKind::Trust,
                        )
                        | None => Membership::Holds,
                    },
                    privileged: e.privileged,
                    environment: environments.row(e.environment.as_deref()),
                    ..named_only
                };
                (entitlement(e.system.as_str(), e.id.as_str()), row)
            }),
        );
        for (row, (system, _)) in (0..).zip(&entitlements.keys) {
            graph.entitlements.at_mut(row).system = *system;
        }
        let (mut by_account, mut by_entitlement) = (Vec::new(), Vec::new());
        for g in &snapshot.grants {
            let row = GrantRow {
                entitlement: entitlement(g.system.as_str(), g.entitlement_id.as_str()),
                expires: expiry(g.expires_at),
                activation: match g.assignment {
                    Some(Assignment::Eligible) => Activation::Eligible,
                    Some(Assignment::Active) | None => Activation::Active,
                },
            };
            let (name, id) = (g.principal.system.as_str(), g.principal.id.as_str());
            match g.principal.kind {
                PrincipalType::Account => by_account.push((account(name, id), row)),
                PrincipalType::Entitlement => by_entitlement.push((entitlement(name, id), row)),
            }
        }
        graph.account_grants = Rows::build(accounts.count(), by_account);
        graph.entitlement_grants = Rows::build(entitlements.count(), by_entitlement);

        // credentials
        let secret = |fingerprint: Option<&Fingerprint>, known: &mut HashMap<String, u32>| {
            let text = fingerprint.map_or("", |f| f.as_str());
            if text.is_empty() {
                return NONE;
            }
            let next = u32::try_from(known.len()).unwrap_or(NONE - 1);
            *known.entry(text.to_owned()).or_insert(next)
        };
        let mut known_secrets: HashMap<String, u32> = HashMap::new();
        let no_credential = CredentialRow {
            system: 0,
            account: NONE,
            kind: lastkey_contract::facts::CredentialKind::Secret,
            enabled: None,
            expires: Closing::Never,
            revoked: Closing::Never,
            secret: NONE,
            environment: NONE,
        };
        graph.credentials = credentials.column(
            no_credential,
            snapshot.credentials.iter().map(|c| {
                let row = CredentialRow {
                    system: system(c.system.as_str()),
                    account: c
                        .account_id
                        .as_ref()
                        .map_or(NONE, |id| account(c.system.as_str(), id.as_str())),
                    kind: c.kind,
                    enabled: c.enabled,
                    expires: expiry(c.expires_at),
                    revoked: c
                        .revoked_at
                        .map_or(Closing::Never, |at| Closing::At(at.as_revocation())),
                    secret: secret(c.fingerprint.as_ref(), &mut known_secrets),
                    environment: environments.row(c.environment.as_deref()),
                };
                (credential(c.system.as_str(), c.id.as_str()), row)
            }),
        );
        let of_account = (0..).zip(graph.credentials.values());
        let of_account = of_account.map(|(row, c)| (c.account, row)).collect();
        graph.credentials_of = Rows::build(accounts.count(), of_account);
        let created = snapshot.credentials.iter().filter_map(|c| {
            let by = c.created_by.as_deref().filter(|by| !by.is_empty())?;
            Some((Box::from(by), credential(c.system.as_str(), c.id.as_str())))
        });
        graph.created_by = created.collect();
        graph.created_by.sort();
        graph.created_by.dedup();

        // locations: several rows of one path, each with its own secret
        let named_only = LocationRow {
            system: 0,
            kind: None,
            environment: NONE,
        };
        graph.locations = Column::filled(named_only, locations.count());
        for (row, (system, _)) in (0..).zip(&locations.keys) {
            graph.locations.at_mut(row).system = *system;
        }
        let (mut standing, mut printed) = (Vec::new(), Vec::new());
        for l in &snapshot.locations {
            let here = location(l.system.as_str(), l.path.as_str());
            let environment = environments.row(l.environment.as_deref());
            let row = graph.locations.at_mut(here);
            row.kind = row.kind.or(l.kind);
            if row.environment == NONE || is_production(l.environment.as_deref()) {
                row.environment = environment;
            }
            if let Some(id) = &l.credential_id {
                let at = l.credential_system.as_ref().unwrap_or(&l.system);
                let named = credential(at.as_str(), id.as_str());
                if named != NONE {
                    standing.push((here, named));
                }
            }
            let class = secret(l.fingerprint.as_ref(), &mut known_secrets);
            if class != NONE {
                printed.push((here, class));
            }
        }
        graph.secrets = u32::try_from(known_secrets.len()).unwrap_or(NONE - 1);
        let turned = |pairs: &[(u32, u32)]| pairs.iter().map(|(a, b)| (*b, *a)).collect();
        graph.places_of = Rows::build(credentials.count(), turned(&standing));
        graph.credentials_at = Rows::build(locations.count(), standing);
        graph.secret_places = Rows::build(graph.secrets, turned(&printed));
        graph.secrets_at = Rows::build(locations.count(), printed);
        let same = (0..).zip(graph.credentials.values());
        let same = same.map(|(row, c)| (c.secret, row)).collect();
        graph.same_secret = Rows::build(graph.secrets, same);
        graph.environments = environments.texts;

        // readers and controls
        let (mut by_account, mut by_entitlement) = (Vec::new(), Vec::new());
        for r in &snapshot.readers {
            let place = location(r.system.as_str(), r.path.as_str());
            let (name, id) = (r.principal.system.as_str(), r.principal.id.as_str());
            match r.principal.kind {
                PrincipalType::Account => by_account.push((account(name, id), place)),
                PrincipalType::Entitlement => by_entitlement.push((entitlement(name, id), place)),
            }
        }
        graph.account_reads = Rows::build(accounts.count(), by_account);
        graph.entitlement_reads = Rows::build(entitlements.count(), by_entitlement);
        let (mut by_account, mut by_entitlement) = (Vec::new(), Vec::new());
        for c in &snapshot.controls {
            let controlled = account(c.system.as_str(), c.account_id.as_str());
            if controlled == NONE {
                continue;
            }
            let (name, id) = (c.principal.system.as_str(), c.principal.id.as_str());
            let line = (controlled, c.means);
            match c.principal.kind {
                PrincipalType::Account => by_account.push((account(name, id), line)),
                PrincipalType::Entitlement => by_entitlement.push((entitlement(name, id), line)),
            }
        }
        graph.account_controls = Rows::build(accounts.count(), by_account);
        graph.entitlement_controls = Rows::build(entitlements.count(), by_entitlement);

        // owners
        let mut lines = Vec::new();
        for o in &snapshot.owners {
            let at = o.system.as_ref().map_or("", |s| s.as_str());
            let object = match o.object_type {
                ObjectType::Identity => identity(&o.object_id),
                ObjectType::Account => account(at, &o.object_id),
                ObjectType::Credential => credential(at, &o.object_id),
                ObjectType::Location => location(at, &o.object_id),
                ObjectType::Entitlement => entitlement(at, &o.object_id),
            };
            if object != NONE {
                lines.push(OwnerLine {
                    object: (o.object_type, object),
                    owner: identity(o.owner_id.as_str()),
                    role: o.role,
                });
            }
        }
        lines.sort_by_key(|line| (line.object, line.owner, line.role));
        lines.dedup();
        let custody = lines.iter().filter(|line| {
            line.role == OwnerRole::Custodian && line.object.0 == ObjectType::Credential
        });
        let custody = custody.map(|line| (line.owner, line.object.1)).collect();
        graph.custody = Rows::build(identities.count(), custody);
        let owned = (0..)
            .zip(&lines)
            .map(|(row, line)| (line.owner, row))
            .collect();
        graph.owned = Rows::build(identities.count(), owned);
        graph.owner_lines = Column::new(lines);
        graph
    }
}

/// Whether an environment is production.
pub(crate) fn is_production(environment: Option<&str>) -> bool {
    environment.is_some_and(|e| {
        let e = e.trim();
        e.eq_ignore_ascii_case("production") || e.eq_ignore_ascii_case("prod")
    })
}

fn expiry(at: Option<When>) -> Closing {
    at.map_or(Closing::Never, |at| Closing::At(at.as_expiry()))
}

fn system_names(snapshot: &Snapshot) -> Vec<&str> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    names.extend(snapshot.accounts.iter().map(|x| x.system.as_str()));
    names.extend(snapshot.entitlements.iter().map(|x| x.system.as_str()));
    names.extend(snapshot.credentials.iter().map(|x| x.system.as_str()));
    names.extend(snapshot.locations.iter().map(|x| x.system.as_str()));
    for grant in &snapshot.grants {
        names.extend([grant.system.as_str(), grant.principal.system.as_str()]);
    }
    for reader in &snapshot.readers {
        names.extend([reader.system.as_str(), reader.principal.system.as_str()]);
    }
    for control in &snapshot.controls {
        names.extend([control.system.as_str(), control.principal.system.as_str()]);
    }
    names.into_iter().collect()
}

fn text_order(names: &[&str]) -> Column<u32> {
    let by_text: BTreeMap<String, u32> = (0..)
        .zip(names)
        .map(|(row, name)| (format!("{name}:"), row))
        .collect();
    let mut order = Column::filled(0, u32::try_from(names.len()).unwrap_or(NONE - 1));
    for (place, row) in (0..).zip(by_text.values()) {
        *order.at_mut(*row) = place;
    }
    order
}
