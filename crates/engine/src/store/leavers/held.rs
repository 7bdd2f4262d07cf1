//! What leavers held: their accounts by any version of them, and what belongs to these.

use super::super::blocks::{self, At, Block, Columns, Which};
use super::super::decisions::{self, About, AccountName};
use super::super::ground::{SourceRows, source_rows};
use super::super::lineage::Lineage;
use super::super::moments::moment;
use super::super::names::Names;
use super::super::outline::{Depth, IdentityOutline};
use super::super::{StoreError, linked, named, persons};
use super::claims::claims;
use super::earlier_decisions::{WasGiven, earlier_decisions};
use super::earlier_rules::EarlierRules;
use super::heads::Head;
use super::lacking::{missing, ruled_out_since, taken_since, unmeasured, untold};
use super::pasts::{Pasts, Reads, all_read_since};
use super::privileged::{self, Entitlements};
use super::secrets::KnownSecrets;
use super::things::{self, Owned, Way};
use super::tried::TriedOf;
use crate::access::signs_in_through;
use crate::correlate::{AccountKeys, Identities, Match, Persons, Several};
use crate::measured::{Claim, Held, HeldKind, Left};
use chrono::{DateTime, Utc};
use lastkey_contract::Kind;
use lastkey_contract::facts::{Account, Identity, LifecycleEvent};
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What all windows go by.
pub(super) struct Ground {
    pub names: Names,
    pub lineage: Lineage,
    pub reads: Reads,
    sources: SourceRows,
    known: Identities,
    persons: Persons,
    depth: Depth,
    pub entitlements: Entitlements,
    tried: TriedOf,
    pub secrets: KnownSecrets,
    /// What accounts were by decisions that are in force no more.
    given: HashMap<AccountName, Vec<WasGiven>>,
    /// When somebody decided whose an account is, and who, by number.
    pub decided: HashMap<i64, (DateTime<Utc>, String)>,
}

impl Ground {
    pub async fn read(
        connection: &mut SqliteConnection,
        names: Names,
        now: DateTime<Utc>,
    ) -> Result<Ground, StoreError> {
        let sources = source_rows(&mut *connection, At::Now).await?;
        let lineage = Lineage::new(&sources);
        let reads = Reads::of(&mut *connection, &lineage, now).await?;
        let (known, depth) = linked::known_at(&mut *connection, At::Now).await?;
        let (persons, _) = persons::at_moment(&mut *connection, At::Now).await?;
        let entitlements = privileged::entitlements(&mut *connection).await?;
        let tried = TriedOf::read(&mut *connection).await?;
        let secrets = KnownSecrets::read(&mut *connection, names).await?;
        let given = earlier_decisions(&mut *connection).await?;
        let mut decided = HashMap::new();
        for one in decisions::in_force(connection, About::Accounts).await? {
            decided.insert(one.id, (moment(&one.at)?, one.who));
        }
        Ok(Ground {
            names,
            lineage,
            reads,
            sources,
            known,
            persons,
            depth,
            entitlements,
            tried,
            secrets,
            given,
            decided,
        })
    }

    pub fn source_name(&self, source: i64) -> String {
        self.sources.names.get(&source).cloned().unwrap_or_default()
    }

    /// A record, whatever source of its name told of it.
    fn record(&self, source: i64, id: &str) -> (i64, String) {
        (self.lineage.first(source), id.to_owned())
    }
}

/// Some leavers, and whose records count as theirs.
pub(super) struct Window<'h> {
    pub heads: &'h [Head],
    /// By the first source of its name and id: places among the heads.
    pub records: HashMap<(i64, String), HashSet<usize>>,
}

/// See `Found::ruled_out`.
pub(super) type RuledOut = (i64, String, DateTime<Utc>, String, Since);

/// What took an account from somebody after they had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Since {
    Rules,
    /// One that undid or replaced the decision by which it was theirs.
    Decision,
}

/// What accounts are there of the leavers of a window.
#[derive(Default)]
struct Found {
    /// By the number of the account's name.
    accounts: HashMap<i64, HashSet<usize>>,
    /// Accounts that are there now and may be theirs.
    doubted: Vec<BTreeSet<String>>,
    /// Accounts that are open and would be theirs by the rules, but for a decision: the number of the
    /// account's name, that name, and the decision.
    taken: Vec<BTreeSet<(i64, String, i64)>>,
    /// Accounts that are open and were theirs by rules that others replaced since: the number of the
    /// account's name, that name, when and by whom.
    ruled_out: Vec<BTreeSet<RuledOut>>,
}

/// All that is known of the leavers of a window.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    ground: &Ground,
    heads: &[Head],
) -> Result<Vec<Left>, StoreError> {
    let window = Window {
        heads,
        records: records(&mut *connection, ground, heads).await?,
    };
    let who = identities(&mut *connection, ground, heads).await?;
    let first_of = |source| ground.lineage.first(source);
    let earlier = EarlierRules::of(&mut *connection, heads, &window.records, first_of).await?;
    let found = accounts(&mut *connection, ground, &window, &earlier).await?;
    let history = (&ground.reads, &ground.lineage);
    let mut keys: HashSet<i64> = found.accounts.keys().copied().collect();
    let mut pasts = Pasts::of(&mut *connection, Kind::Account, &keys, history).await?;
    // What they sign in through, and that through; more than a few in a row there is not.
    for _ in 0..4 {
        let mut leading = HashSet::new();
        for key in &keys {
            for (_, fact) in pasts.facts_of(*key) {
                let account: Account = serde_json::from_str(fact)?;
                let through = signs_in_through(&account);
                leading.extend(through.map(|(system, id)| {
                    let name = named(system.as_str(), id.as_str());
                    ground.names.key(Kind::Account, &name)
                }));
            }
        }
        leading.retain(|key| !keys.contains(key));
        if leading.is_empty() {
            break;
        }
        keys.extend(leading);
        pasts = Pasts::of(&mut *connection, Kind::Account, &keys, history).await?;
    }
    let owned = Owned::of(&mut *connection, ground, &found.accounts).await?;
    let claims = claims(&mut *connection, ground, &window, &found.accounts).await?;
    let claims_read = all_read_since(&ground.reads.ends(Kind::Task));
    let mut theirs: Vec<Vec<i64>> = vec![Vec::new(); heads.len()];
    for (key, of) in &found.accounts {
        for head in of {
            if let Some(keys) = theirs.get_mut(*head) {
                keys.push(*key);
            }
        }
    }
    let mut left = Vec::with_capacity(heads.len());
    let all = (0..)
        .zip(heads)
        .zip(theirs)
        .zip(claims)
        .zip(found.doubted)
        .zip(found.taken)
        .zip(found.ruled_out);
    for ((((((place, head), keys), claims), doubted), taken), ruled_out) in all {
        let mut held = of_leaver(ground, &window, &pasts, (place, &keys))?;
        owned.add_to(ground, &mut held)?;
        ground.tried.add_to(&mut held);
        let mut claims = claims;
        by_login(&mut claims, &held);
        let mut unsaid = taken_since(ground, head, &taken);
        unsaid.extend(ruled_out_since(&ruled_out));
        unsaid.extend(unmeasured(ground, head, &held));
        unsaid.extend(untold(ground, &held));
        held.sort_by(|a, b| {
            (a.kind, &a.names, &a.on_account).cmp(&(b.kind, &b.names, &b.on_account))
        });
        let source = ground.source_name(head.source);
        let identity = who.get(&ground.record(head.source, &head.id));
        left.push(Left {
            identity: format!("{source}:{}", head.id),
            name: (head.name.clone()).or_else(|| identity.and_then(|one| one.display_name.clone())),
            event: head.event,
            kind: identity.map(|one| one.kind),
            leaver_kind: identity.and_then(|one| one.leaver_kind),
            earliest: head.earliest,
            latest: head.latest,
            marks: head.marks.clone(),
            since: head.since,
            back: head.back,
            back_by: head.back_by,
            held,
            claims,
            claims_read,
            missing: missing(ground, head, &doubted, unsaid),
        });
    }
    Ok(left)
}

/// The records of the leavers, and of whoever they were the employer of.
async fn records(
    connection: &mut SqliteConnection,
    ground: &Ground,
    heads: &[Head],
) -> Result<HashMap<(i64, String), HashSet<usize>>, StoreError> {
    let mut records: HashMap<(i64, String), HashSet<usize>> = HashMap::new();
    let mut vendors: HashMap<String, HashSet<usize>> = HashMap::new();
    for (place, head) in heads.iter().enumerate() {
        for (source, id) in ground.persons.with(head.source, &head.id) {
            records
                .entry(ground.record(source, id))
                .or_default()
                .insert(place);
        }
        if head.event == LifecycleEvent::VendorExit {
            let shown = format!("{}:{}", ground.source_name(head.source), head.id);
            for name in [shown, head.id.clone()] {
                vendors.entry(name).or_default().insert(place);
            }
        }
    }
    if vendors.is_empty() {
        return Ok(records);
    }
    // Whom they named last as their employer, and whom they named when that one went.
    let mut employed: HashMap<(i64, String), HashSet<usize>> = HashMap::new();
    let mut then: HashMap<(i64, String), HashSet<usize>> = HashMap::new();
    let ever = Which::ever(Kind::Identity);
    blocks::each(connection, &ever, Columns::Outlined, |block| {
        block.places().try_for_each(|place| {
            let outline: IdentityOutline<'_> = block.outline(place)?;
            let record = (ground.lineage.first(block.source), outline.id.to_string());
            match outline
                .employer_id
                .as_deref()
                .and_then(|id| vendors.get(id))
            {
                Some(of) => {
                    let gone = block.ended_sync(place).and_then(|sync| {
                        let source = ground.lineage.first(block.source);
                        ground.reads.until_of(source, Kind::Identity, sync)
                    });
                    let at_exit = of.iter().copied().filter(|head| {
                        let exit = heads.get(*head).and_then(|head| head.earliest);
                        let named = |exit| gone.is_none_or(|gone| gone > exit);
                        exit.is_none_or(named)
                    });
                    then.entry(record.clone()).or_default().extend(at_exit);
                    employed.insert(record, of.clone());
                }
                // One that names nobody may have been emptied because the vendor went.
                None if outline.employer_id.is_none() => {}
                None => {
                    employed.remove(&record);
                }
            }
            Ok(())
        })
    })
    .await?;
    for (record, of) in then {
        employed.entry(record).or_default().extend(of);
    }
    for ((source, id), of) in employed {
        for (source, id) in ground.persons.with(source, &id) {
            records
                .entry(ground.record(source, id))
                .or_default()
                .extend(&of);
        }
    }
    Ok(records)
}

/// The leavers themselves, as they were last told.
async fn identities(
    connection: &mut SqliteConnection,
    ground: &Ground,
    heads: &[Head],
) -> Result<HashMap<(i64, String), Identity>, StoreError> {
    let ids = heads
        .iter()
        .map(|head| ground.names.key(Kind::Identity, &head.id));
    let keys: HashSet<i64> = ids.collect();
    let marks = blocks::of_keys(&mut *connection, Kind::Identity, &keys).await?;
    let mut last: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for mark in marks {
        let row = last
            .entry((ground.lineage.first(mark.source), mark.key))
            .or_default();
        *row = mark.row.max(*row);
    }
    let mut rows: Vec<i64> = last.into_values().collect();
    rows.sort_unstable();
    let mut identities = HashMap::new();
    blocks::of_rows(connection, &rows, Columns::Facts, |block, place| {
        let fact: Identity = serde_json::from_str(block.fact(place)?)?;
        identities.insert(ground.record(block.source, fact.id.as_str()), fact);
        Ok(())
    })
    .await?;
    Ok(identities)
}

/// Which accounts were theirs by any version that was ever read.
async fn accounts(
    connection: &mut SqliteConnection,
    ground: &Ground,
    window: &Window<'_>,
    earlier: &EarlierRules,
) -> Result<Found, StoreError> {
    let mut found = Found {
        doubted: vec![BTreeSet::new(); window.heads.len()],
        taken: vec![BTreeSet::new(); window.heads.len()],
        ruled_out: vec![BTreeSet::new(); window.heads.len()],
        ..Found::default()
    };
    let mut groups: HashMap<usize, HashSet<usize>> = HashMap::new();
    let depth = ground.depth;
    let ever = Which::ever(Kind::Account);
    blocks::each(connection, &ever, depth.columns(), |block| {
        block.places().try_for_each(|place| {
            let (keys, outline) = depth.account(block, place)?;
            let is_open = block.ended_sync(place).is_none() && outline.enabled != Some(false);
            if let Some((decision, others)) =
                ground.known.but_for_decision(&keys).filter(|_| is_open)
            {
                let name = format!("{}:{}", keys.system, keys.id);
                let key = block.key(place)?;
                let others = (&ground.known, &others);
                for head in could_be(ground, window, others, &mut groups) {
                    if let Some(taken) = found.taken.get_mut(head) {
                        taken.insert((key, name.clone(), decision));
                    }
                }
            }
            if is_open {
                let key = block.key(place)?;
                found.given_before(ground, window, &keys, key);
            }
            for earlier in earlier.all().iter().filter(|_| is_open) {
                let Some((at, who)) = earlier.changed(&keys) else {
                    continue;
                };
                let several = earlier.known.whose(&earlier.known.owner_of(&keys));
                let name = format!("{}:{}", keys.system, keys.id);
                let key = block.key(place)?;
                let several = (&earlier.known, &several);
                let heads = could_be(ground, window, several, &mut HashMap::new());
                for head in heads.into_iter().filter(|head| earlier.is_of(*head)) {
                    if let Some(ruled_out) = found.ruled_out.get_mut(head) {
                        ruled_out.insert((key, name.clone(), *at, who.clone(), Since::Rules));
                    }
                }
            }
            let several = match ground.known.owner_of(&keys) {
                Match::One { identity, .. } => {
                    found.take(ground, window, block, (place, identity))?;
                    return Ok(());
                }
                Match::Gone { source, ref id, .. } => {
                    let record = ground.record(source, id);
                    if let Some(heads) = window.records.get(&record) {
                        let of = found.accounts.entry(block.key(place)?).or_default();
                        of.extend(heads);
                    }
                    return Ok(());
                }
                Match::HandedOn {
                    identity, before, ..
                } => {
                    found.take(ground, window, block, (place, identity))?;
                    before
                }
                Match::Ambiguous { candidates, .. } | Match::Possible { candidates, .. } => {
                    candidates
                }
                Match::None | Match::Nobodys => return Ok(()),
            };
            // What had gone before they left was open to nobody since.
            let gone = block.ended_sync(place).and_then(|sync| {
                let source = ground.lineage.first(block.source);
                ground.reads.until_of(source, Kind::Account, sync)
            });
            let name = format!("{}:{}", keys.system, keys.id);
            let several = (&ground.known, &several);
            for place in could_be(ground, window, several, &mut groups) {
                let left = window.heads.get(place).and_then(|head| head.earliest);
                let before = gone.is_some_and(|gone| left.is_some_and(|left| gone <= left));
                if let Some(doubted) = found.doubted.get_mut(place).filter(|_| !before) {
                    doubted.insert(name.clone());
                }
            }
            Ok(())
        })
    })
    .await?;
    let Found {
        accounts,
        doubted,
        taken,
        ruled_out,
    } = &mut found;
    // Where a decision gives it to them, nothing was taken from them.
    let is_theirs = |key: &i64, head: usize| accounts.get(key).is_some_and(|of| of.contains(&head));
    for (head, taken) in taken.iter_mut().enumerate() {
        taken.retain(|(key, ..)| !is_theirs(key, head));
    }
    for ((head, ruled_out), doubted) in ruled_out.iter_mut().enumerate().zip(doubted) {
        ruled_out.retain(|(key, name, ..)| !is_theirs(key, head) && !doubted.contains(name));
    }
    Ok(found)
}

impl Found {
    /// An open account that was a leaver's by a decision when they left, and was taken from them since.
    fn given_before(
        &mut self,
        ground: &Ground,
        window: &Window<'_>,
        account: &AccountKeys,
        key: i64,
    ) {
        if ground.given.is_empty() {
            return;
        }
        let name = AccountName {
            system: account.system.clone(),
            id: account.id.clone(),
        };
        for one in ground.given.get(&name).into_iter().flatten() {
            let sources = ground.sources.names.iter();
            let of_name = sources.filter(|(_, name)| **name == one.to.source);
            let heads = of_name.filter_map(|(source, _)| {
                let record = ground.record(*source, &one.to.id);
                window.records.get(&record)
            });
            let heads: HashSet<usize> = heads.flatten().copied().collect();
            for head in heads {
                let left = window.heads.get(head);
                let left = left.map(|head| head.earliest.unwrap_or(head.latest));
                let then = left.is_some_and(|left| one.held_at(left));
                if let Some(ruled_out) = self.ruled_out.get_mut(head).filter(|_| then) {
                    let by = Since::Decision;
                    ruled_out.insert((key, name.to_string(), one.until, one.who.clone(), by));
                }
            }
        }
    }

    fn take(
        &mut self,
        ground: &Ground,
        window: &Window<'_>,
        block: &Block,
        (place, identity): (usize, u32),
    ) -> Result<(), StoreError> {
        let known = &ground.known;
        let record = ground.record(known.source(identity), known.id(identity));
        if let Some(heads) = window.records.get(&record) {
            let of = self.accounts.entry(block.key(place)?).or_default();
            of.extend(heads);
        }
        Ok(())
    }
}

/// The leavers whom an account could be as well as others'.
fn could_be(
    ground: &Ground,
    window: &Window<'_>,
    (known, several): (&Identities, &Several),
    groups: &mut HashMap<usize, HashSet<usize>>,
) -> HashSet<usize> {
    let mut all = HashSet::new();
    for part in several.parts() {
        let of_part = groups.entry(part.place()).or_insert_with(|| {
            let (listed, gone) = known.everybody(&Several::from(part.clone()));
            let listed = listed
                .into_iter()
                .map(|one| ground.record(known.source(one), known.id(one)));
            let gone = gone
                .into_iter()
                .map(|(source, id)| ground.record(source, &id));
            let heads = listed
                .chain(gone)
                .filter_map(|record| window.records.get(&record));
            heads.flatten().copied().collect()
        });
        all.extend(of_part.iter().copied());
    }
    all
}

/// Tickets name an account as people call it: of claims that do, the account by its id.
fn by_login(claims: &mut [Claim], held: &[Held]) {
    let accounts = || held.iter().filter(|one| one.kind == HeldKind::Account);
    for claim in claims {
        let Some(named) = &claim.account else {
            continue;
        };
        let mut of_system = accounts().filter(|one| one.names.system == claim.system);
        if of_system.clone().any(|one| one.names.id == *named) {
            continue;
        }
        let called = |one: &&Held| {
            let name = one.name.as_ref();
            name.is_some_and(|name| name.to_lowercase() == named.to_lowercase())
        };
        let first = of_system.find(called);
        if let (Some(one), None) = (first, of_system.find(called)) {
            claim.account = Some(one.names.id.clone());
        }
    }
}

/// The accounts of a leaver, and what leads to them.
fn of_leaver(
    ground: &Ground,
    window: &Window<'_>,
    pasts: &Pasts,
    (place, keys): (usize, &[i64]),
) -> Result<Vec<Held>, StoreError> {
    let is_theirs = |source: i64, account: &Account| {
        let keys = AccountKeys::of(source, account);
        let known = &ground.known;
        let record = match known.owner_of(&keys) {
            Match::One { identity, .. } => {
                ground.record(known.source(identity), known.id(identity))
            }
            Match::Gone { source, id, .. } => ground.record(source, &id),
            Match::Nobodys => return false,
            // In doubt, or nobody's by what it says now: it was theirs.
            Match::Ambiguous { .. }
            | Match::Possible { .. }
            | Match::HandedOn { .. }
            | Match::None => return true,
        };
        let heads = window.records.get(&record);
        heads.is_some_and(|heads| heads.contains(&place))
    };
    let mut held = Vec::new();
    for key in keys {
        held.extend(things::account(
            ground,
            pasts,
            *key,
            Way::Theirs,
            is_theirs,
        )?);
    }
    let mut next = 0;
    while let Some(one) = held.get(next) {
        next += 1;
        let Some(through) = one.through.clone() else {
            continue;
        };
        if held.iter().all(|one| one.names != through) {
            let key = (ground.names).key(Kind::Account, &named(&through.system, &through.id));
            held.extend(things::account(ground, pasts, key, Way::Beside, |_, _| {
                true
            })?);
        }
    }
    Ok(held)
}
