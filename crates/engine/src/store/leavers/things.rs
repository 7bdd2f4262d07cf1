//! Accounts and what belongs to them, as things that somebody held.

use super::super::blocks::{self, Block, Columns, Which};
use super::super::{StoreError, named};
use super::held::Ground;
use super::pasts::Pasts;
use super::privileged::together;
use crate::access::signs_in_through;
use crate::measured::{Held, HeldKind, Names, Says, Told, Version, Whose};
use lastkey_contract::facts::{
    Account, Control, Credential, CredentialKind, Grant, Reader, Session,
};
use lastkey_contract::{Kind, When};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Whether an account is theirs, or only leads to one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Theirs,
    Beside,
}

/// An account with all that is told of it; none where its versions were deleted.
pub(super) fn account(
    ground: &Ground,
    pasts: &Pasts,
    key: i64,
    way: Way,
    is_theirs: impl Fn(i64, &Account) -> bool,
) -> Result<Option<Held>, StoreError> {
    let mut versions: Vec<Account> = Vec::new();
    for (_, fact) in pasts.facts_of(key) {
        versions.push(serde_json::from_str(fact)?);
    }
    let Some(last) = versions.last() else {
        return Ok(None);
    };
    // Only what never had a sign-in of its own closes with what it signs in through.
    let led = |one: &Account| one.local_sign_in == Some(false);
    let through = signs_in_through(last).filter(|through| {
        versions
            .iter()
            .all(|v| led(v) && signs_in_through(v) == Some(*through))
    });
    let through = through.map(|(system, id)| Names::new(system.as_str(), id.as_str()));
    let told = pasts.told(
        (&[key], last.system.as_str()),
        (&ground.reads, &ground.lineage),
        |mark, fact| {
            let fact: Account = serde_json::from_str(fact)?;
            Ok(Says {
                whose: match is_theirs(mark.source, &fact) {
                    true => Whose::Theirs,
                    false => Whose::NotTheirs,
                },
                enabled: fact.enabled,
                disabled_at: fact.disabled_at,
                revoked_at: None,
                expires_at: fact.expires_at,
            })
        },
    )?;
    Ok(Some(Held {
        kind: HeldKind::Account,
        names: Names::new(last.system.as_str(), last.id.as_str()),
        name: last.name.clone().filter(|name| *name != last.id.as_str()),
        leads_on: false,
        on_account: None,
        credential: None,
        account: last.kind,
        privileged: together(versions.iter().map(|one| one.privileged)),
        through,
        created: last.created_at,
        beside: way == Way::Beside,
        told,
        tried: Vec::new(),
    }))
}

/// A fact that belongs to an account.
enum Belonging {
    Credential(Credential),
    Session(Session),
    Grant(Grant),
    Reader(Reader),
    Control(Control),
}

impl Belonging {
    const KINDS: [Kind; 5] = [
        Kind::Credential,
        Kind::Session,
        Kind::Grant,
        Kind::Reader,
        Kind::Control,
    ];

    fn parse(kind: Kind, fact: &str) -> Result<Option<Belonging>, StoreError> {
        Ok(match kind {
            Kind::Credential => Some(Belonging::Credential(serde_json::from_str(fact)?)),
            Kind::Session => Some(Belonging::Session(serde_json::from_str(fact)?)),
            Kind::Grant => Some(Belonging::Grant(serde_json::from_str(fact)?)),
            Kind::Reader => Some(Belonging::Reader(serde_json::from_str(fact)?)),
            Kind::Control => Some(Belonging::Control(serde_json::from_str(fact)?)),
            Kind::Identity
            | Kind::Account
            | Kind::Entitlement
            | Kind::Location
            | Kind::Owner
            | Kind::Task => None,
        })
    }

    fn account(&self) -> Option<Names> {
        match self {
            Belonging::Credential(x) => {
                let id = x.account_id.as_ref()?;
                Some(Names::new(x.system.as_str(), id.as_str()))
            }
            Belonging::Session(x) => Some(Names::new(x.system.as_str(), x.account_id.as_str())),
            Belonging::Grant(Grant { principal, .. })
            | Belonging::Reader(Reader { principal, .. })
            | Belonging::Control(Control { principal, .. }) => {
                Some(Names::new(principal.system.as_str(), principal.id.as_str()))
            }
        }
    }

    fn names(&self) -> (HeldKind, Names) {
        match self {
            Belonging::Credential(x) => {
                let names = Names::new(x.system.as_str(), x.id.as_str());
                (HeldKind::Credential, names)
            }
            Belonging::Session(x) => (
                HeldKind::Session,
                Names::new(x.system.as_str(), x.id.as_str()),
            ),
            Belonging::Grant(x) => {
                let names = Names::new(x.system.as_str(), x.entitlement_id.as_str());
                (HeldKind::Entitlement, names)
            }
            Belonging::Reader(x) => (
                HeldKind::Location,
                Names::new(x.system.as_str(), x.path.as_str()),
            ),
            Belonging::Control(x) => {
                let names = Names::new(x.system.as_str(), x.account_id.as_str());
                (HeldKind::Control, names)
            }
        }
    }

    fn created(&self) -> Option<When> {
        match self {
            Belonging::Credential(x) => x.created_at,
            Belonging::Session(x) => x.started_at,
            Belonging::Grant(x) => x.granted_at,
            Belonging::Reader(_) | Belonging::Control(_) => None,
        }
    }

    fn says(&self, whose: Whose) -> Says {
        let listed = Says {
            whose,
            ..Says::LISTED
        };
        match self {
            Belonging::Credential(x) => Says {
                enabled: x.enabled,
                revoked_at: x.revoked_at,
                expires_at: x.expires_at,
                ..listed
            },
            Belonging::Session(x) => Says {
                expires_at: x.expires_at,
                ..listed
            },
            Belonging::Grant(x) => Says {
                expires_at: x.expires_at,
                ..listed
            },
            Belonging::Reader(_) | Belonging::Control(_) => listed,
        }
    }
}

/// From the very read that no longer shows theirs somebody holds it whom no source lists: that may be them,
/// and nothing is known of theirs as long as that is so.
fn add_hidden<'h>(told: &mut Told, hidden: impl Iterator<Item = &'h (i64, Option<i64>)>) {
    for (first, ended) in hidden {
        let first = first.cast_unsigned();
        if told
            .versions
            .iter()
            .any(|version| version.ended == Some(first))
        {
            told.versions.push(Version {
                born: first,
                first,
                ended: ended.map(i64::cast_unsigned),
                shown_in: BTreeSet::new(),
                says: Says {
                    whose: Whose::NotTheirs,
                    ..Says::LISTED
                },
            });
        }
    }
}

/// What belongs to the accounts of a window's leavers.
pub(super) struct Owned {
    kinds: Vec<Pasts>,
    /// By account, then what it is; with the place of its kind and the numbers of its names, of which
    /// lines that say the same have several.
    things: HashMap<Names, OfAccount>,
}

type OfAccount = BTreeMap<(HeldKind, Names), (usize, Vec<i64>)>;

impl Owned {
    /// Whatever ever named one of these accounts.
    pub async fn of(
        connection: &mut SqliteConnection,
        ground: &Ground,
        accounts: &HashMap<i64, HashSet<usize>>,
    ) -> Result<Owned, StoreError> {
        let mut owned = Owned {
            kinds: Vec::new(),
            things: HashMap::new(),
        };
        for (place, kind) in Belonging::KINDS.into_iter().enumerate() {
            let mut rows = Vec::new();
            let ever = Which::ever(kind);
            blocks::each(&mut *connection, &ever, Columns::References, |block| {
                rows.extend(block.places().filter_map(|place| {
                    let from = Block::reference(&block.froms, place)?;
                    accounts.contains_key(&from).then(|| block.row(place))
                }));
                Ok(())
            })
            .await?;
            // Later versions may name no account, or another one: all of them are looked at.
            let marks = blocks::marks_of(&mut *connection, &rows).await?;
            let keys: HashSet<i64> = marks.iter().map(|mark| mark.key).collect();
            let history = (&ground.reads, &ground.lineage);
            let pasts = Pasts::of(&mut *connection, kind, &keys, history).await?;
            for key in keys {
                for (_, fact) in pasts.facts_of(key) {
                    let Some(one) = Belonging::parse(kind, fact)? else {
                        continue;
                    };
                    if let Some(account) = one.account() {
                        let of_account = owned.things.entry(account).or_default();
                        let (_, keys) = of_account
                            .entry(one.names())
                            .or_insert_with(|| (place, Vec::new()));
                        if !keys.contains(&key) {
                            keys.push(key);
                        }
                    }
                }
            }
            owned.kinds.push(pasts);
        }
        Ok(owned)
    }

    /// Adds to somebody's accounts what belongs to them, and says which of these are privileged.
    pub fn add_to(&self, ground: &Ground, held: &mut Vec<Held>) -> Result<(), StoreError> {
        let theirs: HashSet<Names> = held
            .iter()
            .filter(|account| !account.beside)
            .map(|account| account.names.clone())
            .collect();
        let mut more = Vec::new();
        for account in held.iter_mut().filter(|account| !account.beside) {
            let things = self.things.get(&account.names).into_iter().flatten();
            let begins = more.len();
            for ((kind, names), (place, keys)) in things {
                let Some(pasts) = self.kinds.get(*place) else {
                    continue;
                };
                more.extend(self.one(
                    ground,
                    pasts,
                    (*kind, names),
                    (keys, &account.names),
                    &theirs,
                )?);
            }
            let of_account = more.get_mut(begins..).unwrap_or_default();
            let held_flags = of_account
                .iter()
                .filter(|one: &&Held| one.kind == HeldKind::Entitlement)
                .map(|one| one.privileged);
            account.privileged = together(held_flags.chain([account.privileged]));
            for one in of_account {
                if one.kind != HeldKind::Entitlement {
                    one.privileged = account.privileged;
                }
            }
        }
        // A credential that was of two of their accounts is one thing.
        more.sort_by(|a, b| {
            (a.kind, &a.names, &a.on_account).cmp(&(b.kind, &b.names, &b.on_account))
        });
        more.dedup_by(|a, b| {
            let alone = matches!(a.kind, HeldKind::Credential | HeldKind::Session);
            alone && a.kind == b.kind && a.names == b.names
        });
        held.extend(more);
        Ok(())
    }

    fn one(
        &self,
        ground: &Ground,
        pasts: &Pasts,
        (kind, names): (HeldKind, &Names),
        (keys, account): (&[i64], &Names),
        theirs: &HashSet<Names>,
    ) -> Result<Option<Held>, StoreError> {
        let fact_kind = match kind {
            HeldKind::Account => return Ok(None),
            HeldKind::Credential => Kind::Credential,
            HeldKind::Session => Kind::Session,
            HeldKind::Entitlement => Kind::Grant,
            HeldKind::Location => Kind::Reader,
            HeldKind::Control => Kind::Control,
        };
        let parse = |fact: &str| {
            Belonging::parse(fact_kind, fact)?
                .ok_or_else(|| StoreError::damaged("a fact of another kind"))
        };
        let mut told = pasts.told(
            (keys, &names.system),
            (&ground.reads, &ground.lineage),
            |_, fact| {
                let one = parse(fact)?;
                let whose = match one.account() {
                    Some(of) if !theirs.contains(&of) => Whose::NotTheirs,
                    Some(_) | None => Whose::Theirs,
                };
                Ok(one.says(whose))
            },
        )?;
        let (mut created, mut credential): (Option<When>, _) = (None, None);
        let mut name: Option<String> = None;
        for key in keys {
            for (_, fact) in pasts.facts_of(*key) {
                let one = parse(fact)?;
                created = match (created, one.created()) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                if let Belonging::Credential(one) = one {
                    // It dies with the account only if every version of it does.
                    credential = match credential {
                        Some(kind) if kind != CredentialKind::Password => Some(kind),
                        _ => Some(one.kind),
                    };
                    name = one.name.filter(|name| *name != one.id.as_str()).or(name);
                }
            }
        }
        let (mut flag, mut leads_on) = (None, false);
        if kind == HeldKind::Entitlement {
            let key = named(&names.system, &names.id);
            let key = ground.names.key(Kind::Entitlement, &key);
            flag = ground.entitlements.privileged.get(&key).copied().flatten();
            name = ground.entitlements.called.get(&key).cloned();
            leads_on = ground.entitlements.leading.contains(&key);
            let hidden = ground.entitlements.by_unlisted.get(&key);
            told.iter_mut()
                .for_each(|told| add_hidden(told, hidden.into_iter().flatten()));
        }
        Ok(Some(Held {
            kind,
            names: names.clone(),
            name,
            on_account: Some(account.clone()),
            credential,
            account: None,
            leads_on,
            privileged: flag,
            through: None,
            created,
            beside: false,
            told,
            tried: Vec::new(),
        }))
    }
}
