//! The offboarding plan of a random world.

use super::dice::Dice;
use super::facts::SYSTEMS;
use chrono::TimeDelta;
use lastkey_contract::SystemName;
use lastkey_contract::facts::{AccountKind, IdentityKind, LeaverKind, LifecycleEvent};
use lastkey_engine::lifecycle::{How, Limit, Plan, Step, StepAction, SystemTraits};

const IDENTITY_KINDS: [IdentityKind; 4] = [
    IdentityKind::Person,
    IdentityKind::Vendor,
    IdentityKind::Workload,
    IdentityKind::Agent,
];
const LEAVER_KINDS: [LeaverKind; 2] = [LeaverKind::Voluntary, LeaverKind::Involuntary];

pub fn plan(dice: &mut Dice) -> Plan {
    let mut plan = Plan::default();
    for number in 0..dice.between(0, 9) {
        plan.steps.push(step(dice, number));
    }
    for _ in 0..dice.between(0, 5) {
        plan.systems.push(system(dice));
    }
    for _ in 0..dice.between(0, 3) {
        plan.limits.push(limit(dice));
    }
    plan
}

fn event(dice: &mut Dice) -> LifecycleEvent {
    if dice.chance(65) {
        return LifecycleEvent::Leaver;
    }
    dice.pick(&[
        LifecycleEvent::VendorExit,
        LifecycleEvent::VendorExit,
        LifecycleEvent::WorkloadRetired,
        LifecycleEvent::AgentRetired,
        LifecycleEvent::Mover,
    ])
}

/// From at once to after three days; equal figures are frequent on purpose.
fn within(dice: &mut Dice) -> TimeDelta {
    TimeDelta::minutes(dice.pick(&[0, 5, 15, 60, 480, 1_440, 4_320]))
}

fn step(dice: &mut Dice, number: usize) -> Step {
    use StepAction::*;
    Step {
        on: event(dice),
        system: dice.maybe(65, &SYSTEMS).map(SystemName::from),
        does: dice.pick(&[
            DisableAccount,
            DisableAccount,
            DisableAccount,
            DeleteAccount,
            RemoveGrants,
            RemoveGrants,
            RevokeCredentials,
            RevokeSessions,
            RotateKnownSecrets,
            RotateKnownSecrets,
            RotateKnownSecrets,
            RotateKnownSecrets,
            ReassignOwned,
            GrantBirthright,
        ]),
        how: dice.maybe(80, &[How::Automatic, How::Ticket, How::Manual]),
        within: within(dice),
        identity_kind: dice.maybe(8, &IDENTITY_KINDS),
        account_kind: dice.maybe(8, &[AccountKind::Human, AccountKind::Service]),
        leaver_kind: dice.maybe(8, &LEAVER_KINDS),
        privileged: dice.maybe(8, &[true, false]),
        line: number as u32 * 6 + 1,
    }
}

fn system(dice: &mut Dice) -> SystemTraits {
    SystemTraits {
        name: SystemName::from(dice.pick(&SYSTEMS)),
        credentials_die_with_account: dice.maybe(65, &[true, false]),
        session_lifetime: dice.maybe(60, &[0, 15, 480]).map(TimeDelta::minutes),
    }
}

fn limit(dice: &mut Dice) -> Limit {
    Limit {
        on: event(dice),
        within: within(dice),
        identity_kind: dice.maybe(15, &IDENTITY_KINDS),
        leaver_kind: dice.maybe(20, &LEAVER_KINDS),
        privileged: dice.maybe(30, &[true, false]),
        system: dice.maybe(30, &SYSTEMS).map(SystemName::from),
    }
}
