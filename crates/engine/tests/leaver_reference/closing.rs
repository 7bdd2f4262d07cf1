//! When does each element close: sign-ins, credentials, grants, reader lines, control lines?

use super::reach::Reach;
use super::world::{Begun, Name, Reading, World, account_name, credential_name, is_account, name};
use chrono::{DateTime, TimeDelta, Utc};
use lastkey_contract::facts::{
    Account, Credential, CredentialKind, Identity, IdentityKind, LeaverKind, LifecycleEvent,
    Principal,
};
use lastkey_engine::lifecycle::{Basis, Step, StepAction};
use std::collections::{BTreeMap, BTreeSet};

/// When an element closes, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closes {
    /// Could not be used at T any more, before the event.
    Already,
    At(DateTime<Utc>),
    Never,
}

/// A closing and how it is known: a fact (an expiry) is observed, a step is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    pub closes: Closes,
    pub basis: Basis,
    /// Something that the plan does not declare went into it.
    pub guessed: bool,
}

impl Closing {
    const NEVER: Closing = Closing {
        closes: Closes::Never,
        basis: Basis::Observed,
        guessed: false,
    };
    const ALREADY: Closing = Closing {
        closes: Closes::Already,
        basis: Basis::Observed,
        guessed: false,
    };
    /// The earlier of two; of two at one moment the weaker basis.
    fn and(self, other: Closing) -> Closing {
        let guessed = self.guessed || other.guessed;
        if self.closes == other.closes {
            Closing {
                closes: self.closes,
                basis: self.basis.max(other.basis),
                guessed,
            }
        } else if self.closes < other.closes {
            Closing { guessed, ..self }
        } else {
            Closing { guessed, ..other }
        }
    }
    fn fact(at: Option<DateTime<Utc>>) -> Closing {
        at.map_or(Closing::NEVER, |at| Closing {
            closes: Closes::At(at),
            basis: Basis::Observed,
            guessed: false,
        })
    }
}

/// One rotation step on one known secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rotation {
    pub credential: Name,
    /// Which step of the plan.
    pub step: usize,
    /// T + within.
    pub at: DateTime<Utc>,
}

/// The closing of every element; rows by their number.
#[derive(Clone, Debug)]
pub struct Closings {
    pub sign_ins: BTreeMap<Name, Closing>,
    pub credentials: BTreeMap<Name, Closing>,
    pub grants: Vec<Closing>,
    pub readers: Vec<Closing>,
    pub controls: Vec<Closing>,
}

/// The one who leaves, and what that makes of the plan.
pub struct Leaving<'a> {
    pub world: &'a World,
    pub reading: Reading,
    pub leaver: Option<&'a Identity>,
    pub accounts: BTreeSet<Name>,
    pub own: BTreeSet<Name>,
    /// Own and custody: K before anything is reached.
    pub known: BTreeSet<Name>,
    /// The known secrets K0 and the rest of the reach before the event.
    pub before: Reach,
}

impl Leaving<'_> {
    /// Whether a step counts in this event: on `leaver`, or on the retirement of the leaver's kind.
    pub fn counts(&self, on: LifecycleEvent) -> bool {
        let added = match self.leaver.map(|l| l.kind) {
            Some(IdentityKind::Workload) => Some(LifecycleEvent::WorkloadRetired),
            Some(IdentityKind::Agent) => Some(LifecycleEvent::AgentRetired),
            Some(IdentityKind::Vendor) => Some(LifecycleEvent::VendorExit),
            Some(IdentityKind::Person) | None => None,
        };
        if self.world.lost.is_some() {
            return on == LifecycleEvent::Mover;
        }
        on == LifecycleEvent::Leaver || Some(on) == added
    }

    /// Whoever moves leaves in no way.
    pub fn leaver_kind(&self) -> Option<LeaverKind> {
        let leaver = self.leaver.filter(|_| self.world.lost.is_none());
        leaver.and_then(|l| l.leaver_kind)
    }

    /// Whether a step's conditions are met for a thing of this account.
    fn conditions_met(&self, step: &Step, account: Option<&Account>) -> bool {
        if self.reading == Reading::WithoutConditions {
            return true;
        }
        let identity = account
            .and_then(|a| a.identity_id.as_ref())
            .and_then(|id| self.world.identity(id.as_str()));
        let identity_kind = if step.does == StepAction::RotateKnownSecrets {
            self.leaver.map(|l| l.kind)
        } else {
            identity.map(|i| i.kind)
        };
        let account_kind = account.and_then(|a| a.kind);
        let privileged = account.and_then(|a| a.privileged);
        let leaver_kind = self.leaver_kind();
        (step.identity_kind.is_none() || step.identity_kind == identity_kind)
            && (step.account_kind.is_none() || step.account_kind == account_kind)
            && (step.privileged.is_none() || step.privileged == privileged)
            && (step.leaver_kind.is_none() || step.leaver_kind == leaver_kind)
    }

    /// The earliest of the plan's steps of these actions on a thing of this system and account.
    fn by_plan(&self, actions: &[StepAction], system: &str, account: Option<&Account>) -> Closing {
        let mut closing = Closing::NEVER;
        for step in &self.world.plan.steps {
            if actions.contains(&step.does)
                && names_system(step, system)
                && self.conditions_met(step, account)
            {
                for begins in self.begins(step) {
                    closing = closing.and(Closing {
                        closes: Closes::At(begins + step.within),
                        basis: Basis::Assumed,
                        guessed: false,
                    });
                }
            }
        }
        closing
    }

    /// When a step begins: with the event, or with each thing that begins the plan and that it is on.
    fn begins(&self, step: &Step) -> Vec<DateTime<Utc>> {
        let Some(begun) = &self.world.begun else {
            return match self.counts(step.on) {
                true => vec![self.world.at],
                false => Vec::new(),
            };
        };
        let mut begins = Vec::new();
        for (what, at) in begun {
            let counts = match what {
                Begun::Leaving => self.counts(step.on),
                Begun::Move => {
                    step.on == LifecycleEvent::Mover && step.does != StepAction::RemoveGrants
                }
            };
            if counts {
                begins.push(*at);
            }
        }
        begins
    }

    /// Every rotation that the plan would make, effective or not.
    pub fn rotations(&self) -> Vec<Rotation> {
        let mut rotations = Vec::new();
        for credential in &self.world.snapshot.credentials {
            let secret = credential_name(credential);
            if !self.before.credentials.contains(&secret) || self.own.contains(&secret) {
                continue;
            }
            let reached_places = self.world.places_of(credential, self.reading);
            for (number, step) in self.world.plan.steps.iter().enumerate() {
                let stands_there = reached_places.iter().any(|place| {
                    self.before.locations.contains(place) && names_system(step, &place.0)
                });
                if step.does == StepAction::RotateKnownSecrets
                    && (names_system(step, credential.system.as_str()) || stands_there)
                    && self.conditions_met(step, self.world.account_of(credential))
                {
                    for begins in self.begins(step) {
                        rotations.push(Rotation {
                            credential: secret.clone(),
                            step: number,
                            at: begins + step.within,
                        });
                    }
                }
            }
        }
        rotations
    }

    /// The closing of every element, if exactly these rotations have an effect.
    pub fn closings(&self, effective: &BTreeSet<Rotation>) -> Closings {
        let facts = &self.world.snapshot;
        Closings {
            sign_ins: facts
                .accounts
                .iter()
                .map(|a| (account_name(a), self.sign_in(a)))
                .collect(),
            credentials: facts
                .credentials
                .iter()
                .map(|c| (credential_name(c), self.credential(c, effective)))
                .collect(),
            grants: facts
                .grants
                .iter()
                .map(|g| {
                    let expiry = g
                        .expires_at
                        .filter(|_| self.reading != Reading::WithoutExpiry)
                        .map(|e| e.as_expiry());
                    let target = name(&g.system, &g.entitlement_id);
                    let taken = match &self.world.lost {
                        Some(lost) => lost.contains(&target),
                        None => true,
                    };
                    let line = match taken {
                        true => self.line(&g.principal, g.system.as_str()),
                        false => Closing::NEVER,
                    };
                    line.and(Closing::fact(expiry))
                })
                .collect(),
            readers: facts
                .readers
                .iter()
                .map(|r| self.leaver_line(&r.principal, r.system.as_str()))
                .collect(),
            controls: facts
                .controls
                .iter()
                .map(|c| self.leaver_line(&c.principal, c.system.as_str()))
                .collect(),
        }
    }

    /// Policy says nothing of lines that name an account: a mover keeps them.
    fn leaver_line(&self, principal: &Principal, system: &str) -> Closing {
        match self.world.lost {
            Some(_) => Closing::NEVER,
            None => self.line(principal, system),
        }
    }

    /// A line that names a leaving account closes by `remove_grants`; others never.
    fn line(&self, principal: &Principal, system: &str) -> Closing {
        let account = name(&principal.system, &principal.id);
        if is_account(principal, &account) && self.accounts.contains(&account) {
            self.by_plan(
                &[StepAction::RemoveGrants],
                system,
                self.world.account(&account),
            )
        } else {
            Closing::NEVER
        }
    }

    fn sign_in(&self, account: &Account) -> Closing {
        if !self.world.can_sign_in(account, self.reading) {
            return Closing::ALREADY;
        }
        let expiry = account
            .expires_at
            .filter(|_| self.reading != Reading::WithoutExpiry)
            .map(|e| e.as_expiry());
        let mut closing = Closing::fact(expiry);
        if self.accounts.contains(&account_name(account)) {
            let steps = [StepAction::DisableAccount, StepAction::DeleteAccount];
            closing = closing.and(self.by_plan(&steps, account.system.as_str(), Some(account)));
        }
        if !self.world.local_sign_in(account, self.reading)
            && let Some(through) = self.world.through(account)
        {
            // It can be signed in to, so the chain ends and has no cycle.
            let declared = self
                .world
                .traits_of(account.system.as_str())
                .and_then(|t| t.session_lifetime);
            let session = self.sign_in(through);
            closing = closing.and(match session.closes {
                Closes::At(at) => Closing {
                    closes: Closes::At(at + declared.unwrap_or(TimeDelta::zero())),
                    basis: match declared {
                        Some(_) => session.basis,
                        None => Basis::Assumed,
                    },
                    guessed: session.guessed || declared.is_none(),
                },
                Closes::Already | Closes::Never => session,
            });
        }
        closing
    }

    fn credential(&self, credential: &Credential, effective: &BTreeSet<Rotation>) -> Closing {
        if !self.world.is_valid(credential, self.reading) {
            return Closing::ALREADY;
        }
        let expiry = credential
            .expires_at
            .filter(|_| self.reading != Reading::WithoutExpiry)
            .map(|e| e.as_expiry());
        let mut closing = Closing::fact(expiry).and(Closing::fact(
            credential.revoked_at.map(|r| r.as_revocation()),
        ));
        let account = self.world.account_of(credential);
        let system = credential.system.as_str();
        if self.own.contains(&credential_name(credential)) {
            let steps = [StepAction::RevokeCredentials, StepAction::DeleteAccount];
            closing = closing.and(self.by_plan(&steps, system, account));
            if credential.kind == CredentialKind::Token {
                closing = closing.and(self.by_plan(&[StepAction::RevokeSessions], system, account));
            }
        }
        for rotation in effective {
            if rotation.credential == credential_name(credential) {
                closing = closing.and(Closing {
                    closes: Closes::At(rotation.at),
                    basis: Basis::Assumed,
                    guessed: false,
                });
            }
        }
        if self.world.dies_with_account(credential, self.reading)
            && let Some(account) = account
        {
            closing = closing.and(self.sign_in(account));
        }
        closing.guessed |= self.world.outlives_undeclared(credential)
            && !self.world.dies_with_account(credential, self.reading);
        closing
    }
}

/// Whether a step is about this system: it names it, or every system.
fn names_system(step: &Step, system: &str) -> bool {
    step.system.as_ref().is_none_or(|s| s.as_str() == system)
}
