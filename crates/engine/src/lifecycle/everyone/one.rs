//! One departure after the other, on one thread.

use super::beyond::{Door, Doors, Remembered};
use super::ground::{Ground, Likes, Sort};
use super::held::Descent;
use super::left::{Departed, Left};
use super::ranks::Late;
use crate::access::columns::NONE;
use crate::access::graph::LooseEnd;
use crate::access::reached::closed_at;
use crate::lifecycle::closing::Closings;
use crate::lifecycle::departure::{Departure, Leaver};
use crate::lifecycle::limits::is_late;
use crate::lifecycle::rehearse::Stage;
use crate::lifecycle::{Basis, Closing, ItemKind, StepAction, Verdict};
use chrono::{DateTime, Utc};

/// Rehearses leavers; what it worked out for one it has for the next.
pub(super) struct Leavers<'a, 'g> {
    stage: Stage<'g>,
    ground: &'a Ground<'g>,
    descent: Descent,
    remembered: Remembered,
}

/// How it is known what the leaver has of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// All of it better than assumed.
    Surely,
    Assumed,
    /// Some so and some so.
    Both,
}

/// What the leaver has of their own, and the doors to what is beyond.
struct Own {
    left: Left,
    late: Late,
    /// Something is open after its limit, and that is not only assumed.
    surely_late: bool,
    lacks: bool,
    known: Known,
    doors: Doors,
}

impl Own {
    fn note(&mut self, basis: Basis) {
        let one = match basis {
            Basis::Observed | Basis::Attested => Known::Surely,
            Basis::Assumed => Known::Assumed,
        };
        self.known = match self.known {
            Known::Nothing => one,
            same if same == one => same,
            _ => Known::Both,
        };
    }
}

/// A way into an account: until when it is open, and how it is known.
type Way = (Closing, Basis);

impl<'a, 'g> Leavers<'a, 'g> {
    pub(super) fn new(stage: Stage<'g>, ground: &'a Ground<'g>) -> Self {
        Leavers {
            descent: Descent::new(ground),
            remembered: Remembered::new(ground.graph),
            stage,
            ground,
        }
    }

    /// What an identity leaves behind, and what of it stays open after its limit.
    pub(super) fn depart(&mut self, identity: u32) -> (Departed, Late) {
        let departure = self.departure(identity);
        self.play(identity, &departure)
    }

    /// Who leaves with an identity, and with what of their own; accounts in order.
    pub(super) fn departure(&mut self, identity: u32) -> Departure {
        let ground = self.ground;
        let like = ground.like(identity);
        let (kinds, steps) = (like.kinds, like.steps.clone());
        let (graph, at, mine) = (ground.graph, ground.at, &mut self.stage.mine);
        let mut departure = Departure::of(graph, Some(identity), kinds, steps, at, mine);
        departure.accounts.sort_unstable();
        departure
    }

    /// What the departure that was made last leaves behind.
    pub(super) fn play(&mut self, identity: u32, departure: &Departure) -> (Departed, Late) {
        self.by_what_is_shared(identity, departure)
            .unwrap_or_else(|| self.alone(identity))
    }

    fn alone(&mut self, identity: u32) -> (Departed, Late) {
        let graph = self.ground.graph;
        let id = graph.identity_ids.at(identity).into();
        let rehearsal = self.stage.rehearse(&Leaver::Identity(id));
        // Whoever is rehearsed last, `mine` knows their accounts.
        let mine = &self.stage.mine;
        let is_own = |row: u32| {
            let account = graph.credentials.at(row).account;
            account != NONE && mine.get(account).is_some()
        };
        let mut late = Late::default();
        for item in rehearsal.residual.iter().filter(|item| is_late(item)) {
            let credential = |kind, system: &str, id: &str| match kind {
                ItemKind::Credential => graph.credential(&system.into(), id),
                ItemKind::Account | ItemKind::Entitlement | ItemKind::Location => None,
            };
            if let Some(system) = graph.system(&item.system.as_str().into()) {
                late.items(system, 1);
            }
            let other = credential(item.kind, &item.system, &item.id).filter(|row| !is_own(*row));
            late.secrets.extend(other);
            let Some(first) = item.links.first() else {
                continue;
            };
            let does = match credential(first.kind, &first.system, &first.id) {
                Some(row) if is_own(row) => StepAction::RevokeCredentials,
                Some(_) => StepAction::RotateKnownSecrets,
                None => StepAction::DisableAccount,
            };
            if let Some(system) = graph.system(&first.system.as_str().into()) {
                late.start(does, system, 1);
            }
        }
        let departed = Departed {
            event: rehearsal.event,
            verdict: rehearsal.verdict,
            left: Left::of(&rehearsal),
        };
        (departed, late)
    }

    /// None where the answer depends on more than what is shared.
    fn by_what_is_shared(
        &mut self,
        identity: u32,
        departure: &Departure,
    ) -> Option<(Departed, Late)> {
        let ground = self.ground;
        let like = ground.like(identity);
        let place = ground.place_of_like(identity);
        let mut own = self.own(departure, like)?;
        if !own.doors.is_empty() {
            let doors = std::mem::take(&mut own.doors);
            let (world, declared) = (&mut self.stage.world, &self.stage.declared);
            let remembered = &mut self.remembered;
            let beyond = remembered.beyond(ground, (place, like), doors, world, declared);
            if beyond.meets(&departure.accounts) {
                return None;
            }
            if !beyond.late.is_empty() && !own.surely_late {
                match own.known {
                    Known::Surely if beyond.sure => own.surely_late = true,
                    // Every path begins with what is assumed.
                    Known::Assumed => {}
                    Known::Nothing | Known::Surely | Known::Both => return None,
                }
            }
            own.lacks |= beyond.lacks;
            own.left.add_all(&beyond.left);
            own.late.add(&beyond.late);
        }
        let lacks = own.lacks || ground.estate_lacks || ground.is_unsettled(departure);
        let verdict = if own.surely_late {
            Verdict::Fail
        } else if lacks || own.left.late() > 0 {
            Verdict::Indeterminate
        } else {
            Verdict::Pass
        };
        let departed = Departed {
            event: departure.event,
            verdict,
            left: own.left,
        };
        Some((departed, own.late))
    }

    /// None where a secret of the leaver's is another's, too.
    fn own(&mut self, departure: &Departure, like: &Likes) -> Option<Own> {
        let (ground, graph) = (self.ground, self.ground.graph);
        let mut own = Own {
            left: Left::default(),
            late: Late::default(),
            surely_late: false,
            lacks: false,
            known: Known::Nothing,
            doors: Doors::new(),
        };
        for identity in &departure.identities {
            own.lacks |= ground.is_unread(LooseEnd::Custody(*identity));
        }
        for (&credential, basis) in &departure.custody {
            let account = graph.credentials.at(credential).account;
            if departure.accounts.binary_search(&account).is_err() {
                own.doors.push((Door::Custody(credential), Closing::Never));
                own.note(*basis);
            }
        }
        let Stage {
            world,
            declared,
            mine,
            ..
        } = &mut self.stage;
        let mut closings = Closings::new(world, declared, departure, mine);
        let past = Closing::At(DateTime::<Utc>::MIN_UTC);
        let mut keys: Vec<Way> = Vec::new();
        for &account in &departure.accounts {
            let row = graph.accounts.at(account);
            own.lacks |= ground.lacks_system(row.system) || ground.signs_in_at_unread(account);
            let can_sign_in = closings.world.can_sign_in(account);
            let mut door = (past, Basis::Observed);
            if can_sign_in {
                let element = closings.sign_in(account);
                door = (element.closes, element.basis.max(row.whose));
                own.note(door.1);
            }
            keys.clear();
            for &credential in graph.credentials_of.row(account) {
                let key = graph.credentials.at(credential);
                if graph.same_secret.row(key.secret).len() > 1 {
                    return None;
                }
                let element = closings.credential(credential);
                let way = (element.closes, element.basis.max(row.whose));
                own.note(way.1);
                if closings.world.opens(key) {
                    keys.push(way);
                }
                if !closed_at(way.0, ground.at) {
                    let sort = ground.sort_of_credential(credential, key);
                    let (late, severity) = like.judge(sort, way.0);
                    own.left.add(ItemKind::Credential, severity, late, way.0, 1);
                    own.surely_late |= late && way.1 != Basis::Assumed;
                    if late {
                        own.late.items(key.system, 1);
                        own.late.start(StepAction::RevokeCredentials, key.system, 1);
                    }
                }
            }
            if !can_sign_in && keys.is_empty() {
                continue;
            }
            let best = keys.iter().map(|(closes, _)| *closes).max();
            let value = best.unwrap_or(past).max(door.0);
            // Signing in is the shorter way; of several keys the best known one counts.
            let basis = |level: Closing| match door.0 >= level {
                true => door.1,
                false => {
                    let open = keys.iter().filter(|(closes, _)| *closes >= level);
                    let best = open.map(|(_, basis)| *basis).min();
                    best.unwrap_or(Basis::Observed)
                }
            };
            let mut count = |kind, sort: Sort, closes: Closing, number: u32| {
                if !closed_at(closes, ground.at) {
                    let (late, severity) = like.judge(sort, closes);
                    own.left.add(kind, severity, late, closes, number);
                    own.surely_late |= late && basis(closes) != Basis::Assumed;
                    if late {
                        let does = match door.0 >= closes {
                            true => StepAction::DisableAccount,
                            false => StepAction::RevokeCredentials,
                        };
                        own.late.items(sort.system(), u64::from(number));
                        own.late.start(does, row.system, u64::from(number));
                    }
                }
            };
            let sort = ground.sort_of_account(account, row);
            count(ItemKind::Account, sort, value, 1);
            self.descent.descend(ground, like, account, value);
            let found = &self.descent.found;
            for (sort, closes, number) in &found.counts {
                count(ItemKind::Entitlement, *sort, *closes, *number);
            }
            own.lacks |= found.lacks;
            let leads = found.leads.iter();
            own.doors
                .extend(leads.map(|(entitlement, until)| (Door::Held(*entitlement), *until)));
            direct_lines(ground, like, account, value, &mut own);
        }
        Some(own)
    }
}

/// What an account of the leaver's reads and controls itself.
fn direct_lines(ground: &Ground<'_>, like: &Likes, account: u32, value: Closing, own: &mut Own) {
    let graph = ground.graph;
    let removed = |system: u32| {
        let steps = like.removals.iter();
        let steps = steps.filter(|step| Departure::holds(graph, step, system, account));
        let first = steps.map(|step| step.closes).min();
        first.unwrap_or(Closing::Never).min(value)
    };
    own.lacks |= ground.is_unread(LooseEnd::ByAccount(account));
    for &row in graph.account_reads.row(account) {
        let until = removed(graph.locations.at(row).system);
        own.doors.push((Door::Location(row), until));
    }
    for &(row, _) in graph.account_controls.row(account) {
        own.lacks |= ground.signs_in_at_unread(row);
        let until = removed(graph.account_system(row));
        own.doors.push((Door::Account(row), until));
    }
}
