//! What is left after the event, until when, and by which path: by trying every moment.

use super::closing::{Closes, Closing, Closings, Leaving, Rotation};
use super::reach::reach;
use super::verdict;
use super::world::{
    Name, Reading, World, account_name, credential_name, is_account, is_entitlement, location_name,
    name,
};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Grant, Principal};
use lastkey_engine::lifecycle::{Basis, Severity, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What can be left, in the order of lists: kind, system, id, on_account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Account(Name),
    Credential(Name),
    /// The entitlement, and the account on which it is held.
    Entitlement(Name, Name),
    Location(Name),
}

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

    let planned = leaving.rotations();
    let mut effective: BTreeSet<Rotation> = planned.iter().cloned().collect();
    let (closings, found) = loop {
        let closings = leaving.closings(&effective);
        let found = items(&leaving, &closings);
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

    let ways = paths(&leaving, When::Before);
    let residual: Vec<Left> = found
        .iter()
        .map(|(item, (closes, path))| left(&leaving, &closings, &ways, item, *closes, path))
        .collect();
    Answer {
        verdict: verdict::verdict(&leaving, &residual),
        residual,
        rotations: planned.len(),
        ineffective: planned.iter().filter(|r| !effective.contains(r)).count(),
    }
}

type Paths = BTreeMap<Item, Vec<Item>>;
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
fn items(leaving: &Leaving, closings: &Closings) -> Found {
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
        for (item, path) in paths(leaving, When::OpenUntil(closings, moment)) {
            found.insert(item, (moment, path)); // a later moment overwrites an earlier one
        }
    }
    found
}

/// Which elements take part.
#[derive(Clone, Copy)]
pub enum When<'a> {
    /// Those that work at T before the event; knowing a secret needs no valid one.
    Before,
    /// Those that close at this moment or later.
    OpenUntil(&'a Closings, Closes),
}

/// All items reached, each with its shortest path; of several the first in the order of ids
/// from the start on.
fn paths(leaving: &Leaving, when: When) -> Paths {
    let mut starts: BTreeSet<Item> = BTreeSet::new();
    for account in &leaving.accounts {
        if open_sign_in(leaving, when, account) {
            starts.insert(Item::Account(account.clone()));
        }
    }
    let known = match when {
        When::Before => &leaving.known,
        When::OpenUntil(..) => &leaving.before.credentials,
    };
    for secret in known {
        if open_credential(when, secret) {
            starts.insert(Item::Credential(secret.clone()));
        }
    }
    let mut done = Paths::new();
    let mut edge: Paths = starts
        .into_iter()
        .map(|start| (start.clone(), vec![start]))
        .collect();
    while !edge.is_empty() {
        done.extend(edge.clone());
        let mut next = Paths::new();
        for (item, path) in &edge {
            for follower in followers(leaving, when, item) {
                if done.contains_key(&follower) {
                    continue;
                }
                let mut longer = path.clone();
                longer.push(follower.clone());
                let better = next.get(&follower).is_none_or(|other| longer < *other);
                if better {
                    next.insert(follower, longer);
                }
            }
        }
        edge = next;
    }
    done
}

fn open_sign_in(leaving: &Leaving, when: When, account: &Name) -> bool {
    match when {
        When::Before => leaving
            .world
            .account(account)
            .is_some_and(|a| leaving.world.can_sign_in(a, leaving.reading)),
        When::OpenUntil(closings, moment) => closings
            .sign_ins
            .get(account)
            .is_some_and(|c| c.closes >= moment),
    }
}
fn open_credential(when: When, credential: &Name) -> bool {
    match when {
        When::Before => true,
        When::OpenUntil(closings, moment) => closings
            .credentials
            .get(credential)
            .is_some_and(|c| c.closes >= moment),
    }
}

/// What follows from an item by the elements that take part.
pub fn followers(leaving: &Leaving, when: When, item: &Item) -> BTreeSet<Item> {
    let mut followers = BTreeSet::new();
    match item {
        Item::Account(account) => {
            followers.extend(by_lines(leaving, when, |p| is_account(p, account), account));
        }
        Item::Entitlement(entitlement, on) => {
            let named = |p: &Principal| is_entitlement(p, entitlement);
            followers.extend(by_lines(leaving, when, named, on));
        }
        Item::Location(place) => {
            for credential in &leaving.world.snapshot.credentials {
                let secret = credential_name(credential);
                let stands = leaving.world.snapshot.locations.iter().any(|line| {
                    location_name(line) == *place
                        && leaving.world.stands_at(credential, line, leaving.reading)
                });
                if stands && open_credential(when, &secret) {
                    followers.insert(Item::Credential(secret));
                }
            }
        }
        Item::Credential(secret) => {
            let Some(credential) = leaving.world.credential(secret) else {
                return followers;
            };
            if let Some(account) = leaving.world.opens(credential, leaving.reading) {
                followers.insert(Item::Account(account_name(account)));
            }
            for other in &leaving.world.snapshot.credentials {
                let equal = credential_name(other);
                if leaving.world.equal(credential, other, leaving.reading)
                    && open_credential(when, &equal)
                {
                    followers.insert(Item::Credential(equal));
                }
            }
        }
    }
    followers
}

/// What grants, reader lines and control lines give to a principal.
fn by_lines(
    leaving: &Leaving,
    when: When,
    named: impl Fn(&Principal) -> bool,
    on: &Name,
) -> BTreeSet<Item> {
    let facts = &leaving.world.snapshot;
    let mut items = BTreeSet::new();
    for (number, grant) in facts.grants.iter().enumerate() {
        let open = match when {
            When::Before => !is_expired(leaving, grant),
            When::OpenUntil(closings, moment) => closings.grants[number].closes >= moment,
        };
        if named(&grant.principal) && open {
            let entitlement = name(&grant.system, &grant.entitlement_id);
            items.insert(Item::Entitlement(entitlement, on.clone()));
        }
    }
    for (number, line) in facts.readers.iter().enumerate() {
        let open = match when {
            When::Before => true,
            When::OpenUntil(closings, moment) => closings.readers[number].closes >= moment,
        };
        if named(&line.principal) && open {
            items.insert(Item::Location(name(&line.system, &line.path)));
        }
    }
    for (number, line) in facts.controls.iter().enumerate() {
        let open = match when {
            When::Before => true,
            When::OpenUntil(closings, moment) => closings.controls[number].closes >= moment,
        };
        let controlled = name(&line.system, &line.account_id);
        if leaving.reading != Reading::WithoutControls
            && named(&line.principal)
            && open
            && open_sign_in(leaving, when, &controlled)
        {
            items.insert(Item::Account(controlled));
        }
    }
    items
}

fn is_expired(leaving: &Leaving, grant: &Grant) -> bool {
    leaving.reading != Reading::WithoutExpiry
        && grant
            .expires_at
            .is_some_and(|e| e.as_expiry() <= leaving.world.at)
}

/// How it is known that a secret was known before the event: the weakest of the facts on the
/// path by which it was. A credential on that path counts where it opens an account.
fn basis_of_knowledge(leaving: &Leaving, before: &Paths, secret: &Item) -> Basis {
    let mut basis = Basis::Observed;
    let Some(path) = before.get(secret) else {
        return basis;
    };
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

fn left(
    leaving: &Leaving,
    closings: &Closings,
    before: &Paths,
    item: &Item,
    closes: Closes,
    path: &[Item],
) -> Left {
    let mut basis = match path.first() {
        Some(Item::Credential(secret)) if !leaving.own.contains(secret) => {
            basis_of_knowledge(leaving, before, &path[0])
        }
        Some(_) | None => Basis::Observed,
    };
    let mut closing_basis = Basis::Observed;
    for (number, link) in path.iter().enumerate() {
        let from = number.checked_sub(1).and_then(|n| path.get(n));
        basis = basis.max(verdict::basis_of_link(leaving, from, link));
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
    let limit_at = verdict::limit_at(leaving, item);
    Left {
        item: item.clone(),
        closes_at,
        path: path.to_vec(),
        basis,
        closing_basis,
        severity: verdict::severity(leaving, item, closes_at, limit_at),
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
