//! What is left after the event, until when, and by which path: by trying every moment.

use super::closing::{Closes, Closing, Closings, Leaving, Rotation};
use super::paths::{Item, Paths, When, paths};
use super::reach::{Reach, fixed_point, reach};
use super::verdict;
use super::world::{Reading, World, is_account, is_entitlement, name};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::Principal;
use lastkey_engine::lifecycle::{Basis, Severity, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// One residual item.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    pub item: Item,
    /// None: never.
    pub closes_at: Option<DateTime<Utc>>,
    pub path: Vec<Item>,
    pub basis: Basis,
    pub closing_basis: Basis,
    pub severity: Severity,
    pub limit_at: DateTime<Utc>,
}

/// The answer of the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub residual: Vec<Left>,
    pub verdict: Verdict,
    /// The rotations that the plan would make, and those among them without effect.
    pub rotations: usize,
    pub ineffective: usize,
}

/// Rehearses the leaver of the world.
pub fn rehearse(world: &World, reading: Reading) -> Answer {
    let mut world = world.clone();
    if reading == Reading::WithoutRepeats {
        forget_repeats(&mut world);
    }
    let accounts = world.leaving_accounts(reading);
    let own = world.own_credentials(reading);
    let mut known = own.clone();
    known.extend(world.custody(reading));
    let before = reach(&world, &accounts, &known, reading);
    let leaving = Leaving {
        leaver: world.identity(world.leaver.as_str()),
        world: &world,
        reading,
        accounts,
        own,
        known,
        before,
    };

    let ways = paths(&leaving, When::Before, &|path| {
        ties(reading, || basis_of_knowledge(&leaving, path))
    });
    let planned = leaving.rotations();
    let mut effective: BTreeSet<Rotation> = planned.iter().cloned().collect();
    let (closings, found) = loop {
        let closings = leaving.closings(&effective);
        let found = items(&leaving, &closings, &ways);
        let without_effect: Vec<Rotation> = effective
            .iter()
            .filter(|r| still_readable(&leaving, &found, r))
            .cloned()
            .collect();
        if without_effect.is_empty() || reading == Reading::WithoutRotationRule {
            break (closings, found);
        }
        for rotation in &without_effect {
            effective.remove(rotation);
        }
    };

    let kept = kept(&leaving);
    let residual: Vec<Left> = found
        .iter()
        .filter(|(item, _)| !kept.contains(item))
        .map(|(item, (closes, path))| left(&leaving, &closings, &ways, item, *closes, path))
        .collect();
    Answer {
        verdict: verdict::verdict(&leaving, &residual),
        residual,
        rotations: planned.len(),
        ineffective: planned.iter().filter(|r| !effective.contains(r)).count(),
    }
}

/// What a mover may still reach: by the six rules, but that entitlements which their own accounts
/// may hold no more are gone, and with them what only they lead to. A leaver keeps nothing.
fn kept(leaving: &Leaving) -> BTreeSet<Item> {
    let Some(lost) = &leaving.world.lost else {
        return BTreeSet::new();
    };
    let (world, reading) = (leaving.world, leaving.reading);
    let mut held = leaving.before.clone();
    // Whatever their own accounts hold, by any chain, and may hold.
    held.entitlements
        .retain(|(e, on)| leaving.accounts.contains(on) && !lost.contains(e));
    let own = held.entitlements;
    // The rest follows without the grants of their own accounts.
    let mut elsewhere = world.clone();
    elsewhere.snapshot.grants.retain(|grant| {
        !(leaving.accounts.iter()).any(|account| is_account(&grant.principal, account))
    });
    let follows = |start: Reach| fixed_point(&elsewhere, start, &leaving.accounts, &own, reading);
    let start = Reach {
        credentials: leaving.known.clone(),
        ..Reach::default()
    };
    let kept = follows(start);
    let accounts = kept.accounts.into_iter().map(Item::Account);
    let entitlements = kept.entitlements.into_iter();
    let entitlements = entitlements.map(|(e, on)| Item::Entitlement(e, on));
    accounts
        .chain(entitlements)
        .chain(kept.locations.into_iter().map(Item::Location))
        .chain(kept.credentials.into_iter().map(Item::Credential))
        .collect()
}

type Found = BTreeMap<Item, (Closes, Vec<Item>)>;

/// Whether a location where the secret stands closes for the leaver later than the rotation.
fn still_readable(leaving: &Leaving, found: &Found, rotation: &Rotation) -> bool {
    let Some(credential) = leaving.world.credential(&rotation.credential) else {
        return false;
    };
    leaving
        .world
        .places_of(credential, leaving.reading)
        .into_iter()
        .any(|place| {
            found
                .get(&Item::Location(place))
                .is_some_and(|(closes, _)| *closes > Closes::At(rotation.at))
        })
}

/// Every item that closes later than T, with its closing time and one explaining path.
///
/// An item closes at the latest moment c for which it is reached by elements alone that
/// close at c or later. So every moment at which anything closes is tried.
fn items(leaving: &Leaving, closings: &Closings, before: &Paths) -> Found {
    let at = leaving.world.at;
    let elements = (closings.sign_ins.values())
        .chain(closings.credentials.values())
        .chain(&closings.grants)
        .chain(&closings.readers)
        .chain(&closings.controls);
    let moments: BTreeSet<Closes> = elements
        .map(|e| e.closes)
        .filter(|c| *c > Closes::At(at))
        .collect();
    let mut found = Found::new();
    for moment in moments {
        let weigh = |path: &[Item]| ties(leaving.reading, || basis_of_path(leaving, before, path));
        for (item, path) in paths(leaving, When::OpenUntil(closings, moment), &weigh) {
            found.insert(item, (moment, path)); // a later moment overwrites an earlier one
        }
    }
    found
}

/// What counts of how equally short paths are known: nothing, by that mistake.
fn ties(reading: Reading, known: impl FnOnce() -> Basis) -> Basis {
    match reading {
        Reading::TiesById => Basis::Observed,
        _ => known(),
    }
}

/// How it is known that something was reached before the event: the weakest of the facts on the
/// path by which it was. A credential on that path counts where it opens an account; the custody
/// with which a path begins counts too.
fn basis_of_knowledge(leaving: &Leaving, path: &[Item]) -> Basis {
    let mut basis = Basis::Observed;
    if let Some(Item::Credential(first)) = path.first()
        && !leaving.own.contains(first)
    {
        basis = leaving.world.custody_basis(first, leaving.reading);
    }
    basis = basis.max(leaving.world.whose(path.first(), &leaving.own));
    for (number, link) in path.iter().enumerate() {
        let from = number.checked_sub(1).and_then(|n| path.get(n));
        let used = match link {
            Item::Credential(_) => matches!(path.get(number + 1), Some(Item::Account(_))),
            Item::Account(_) | Item::Entitlement(..) | Item::Location(_) => true,
        };
        if used {
            basis = basis.max(verdict::basis_of_link(leaving, from, link));
        }
    }
    basis
}

/// How it is known that something is reached after the event: the weakest of the facts on the path,
/// and of how the secret was known with which it begins.
fn basis_of_path(leaving: &Leaving, before: &Paths, path: &[Item]) -> Basis {
    let mut basis = match path.first() {
        Some(Item::Credential(secret)) if !leaving.own.contains(secret) => before
            .get(&path[0])
            .map_or(Basis::Observed, |way| basis_of_knowledge(leaving, way)),
        first => leaving.world.whose(first, &leaving.own),
    };
    for (number, link) in path.iter().enumerate() {
        let from = number.checked_sub(1).and_then(|n| path.get(n));
        basis = basis.max(verdict::basis_of_link(leaving, from, link));
    }
    basis
}

fn left(
    leaving: &Leaving,
    closings: &Closings,
    before: &Paths,
    item: &Item,
    closes: Closes,
    path: &[Item],
) -> Left {
    let basis = basis_of_path(leaving, before, path);
    let mut closing_basis = Basis::Observed;
    for (number, link) in path.iter().enumerate() {
        let from = number.checked_sub(1).and_then(|n| path.get(n));
        for element in elements_of_link(leaving, closings, from, link) {
            if element.closes == closes && closes != Closes::Never {
                closing_basis = closing_basis.max(element.basis);
            }
            if element.guessed {
                closing_basis = Basis::Assumed;
            }
        }
    }
    let closes_at = match closes {
        Closes::At(at) => Some(at),
        Closes::Never | Closes::Already => None,
    };
    let privileged = verdict::privileged(leaving, item);
    let limit_at = verdict::limit_at(leaving, item, privileged);
    Left {
        item: item.clone(),
        closes_at,
        path: path.to_vec(),
        basis,
        closing_basis,
        severity: verdict::severity(leaving, item, privileged, closes_at, limit_at),
        limit_at,
    }
}

/// The elements that a link puts on the path; of parallel rows the one that closes last.
fn elements_of_link(
    leaving: &Leaving,
    closings: &Closings,
    before: Option<&Item>,
    link: &Item,
) -> Vec<Closing> {
    let facts = &leaving.world.snapshot;
    let named = |p: &Principal| match before {
        Some(Item::Account(account)) => is_account(p, account),
        Some(Item::Entitlement(entitlement, _)) => is_entitlement(p, entitlement),
        Some(Item::Credential(_) | Item::Location(_)) | None => false,
    };
    match link {
        Item::Account(account) => {
            if let Some(Item::Credential(_)) = before {
                return Vec::new(); // opened: the credential is the element
            }
            let mut elements: Vec<Closing> = closings
                .sign_ins
                .get(account)
                .copied()
                .into_iter()
                .collect();
            elements.extend(last_of(
                facts.controls.iter().zip(&closings.controls),
                |line| named(&line.principal) && name(&line.system, &line.account_id) == *account,
            ));
            elements
        }
        Item::Credential(secret) => closings
            .credentials
            .get(secret)
            .copied()
            .into_iter()
            .collect(),
        Item::Entitlement(entitlement, _) => {
            last_of(facts.grants.iter().zip(&closings.grants), |grant| {
                named(&grant.principal)
                    && name(&grant.system, &grant.entitlement_id) == *entitlement
            })
        }
        Item::Location(place) => last_of(facts.readers.iter().zip(&closings.readers), |line| {
            named(&line.principal) && name(&line.system, &line.path) == *place
        }),
    }
}

/// The closing of the row that closes last, of those asked for; of equals the better known.
fn last_of<'a, Row: 'a>(
    rows: impl Iterator<Item = (&'a Row, &'a Closing)>,
    asked: impl Fn(&Row) -> bool,
) -> Vec<Closing> {
    let mut last: Option<Closing> = None;
    for (row, closing) in rows {
        let better = last.is_none_or(|l| {
            closing.closes > l.closes || (closing.closes == l.closes && closing.basis < l.basis)
        });
        if asked(row) && better {
            last = Some(*closing);
        }
    }
    last.into_iter().collect()
}

/// The mistake `WithoutRepeats`: of several rows with one key only the first stays.
fn forget_repeats(world: &mut World) {
    use lastkey_contract::Fact;
    fn first<Row: Clone>(rows: &mut Vec<Row>, fact: impl Fn(Row) -> Fact) {
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(fact(row.clone()).key()));
    }
    first(&mut world.snapshot.grants, Fact::Grant);
    first(&mut world.snapshot.locations, Fact::Location);
    first(&mut world.snapshot.readers, Fact::Reader);
    first(&mut world.snapshot.controls, Fact::Control);
}
