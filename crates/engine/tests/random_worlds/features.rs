//! What a random world contains, so that the comparison cannot pass by being empty.

use super::shares::FEATURES;
use crate::leaver_reference::{Answer, Item, World};
use lastkey_contract::When;
use lastkey_contract::facts::{Assignment, IdentityKind, LifecycleEvent, ObjectType, OwnerRole};
use lastkey_contract::facts::{Principal, PrincipalType};
use lastkey_engine::lifecycle::{Basis, Severity, StepAction, Verdict};
use std::collections::BTreeSet;

/// Which of the features the world and its answer have.
pub fn features(world: &World, answer: &Answer) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut has = |feature: &'static str, present: bool| {
        assert!(
            FEATURES.iter().any(|(f, _)| *f == feature),
            "`{feature}` is not in the list"
        );
        if present {
            found.insert(feature);
        }
    };
    of_people(world, &mut has);
    of_sign_ins(world, &mut has);
    of_times(world, &mut has);
    of_lines(world, &mut has);
    of_secrets(world, &mut has);
    of_plan(world, &mut has);
    of_answer(answer, &mut has);
    found
}

type Has<'a> = &'a mut dyn FnMut(&'static str, bool);

fn of_people(world: &World, has: Has) {
    let facts = &world.snapshot;
    let leaver = world.identity(world.leaver.as_str()).unwrap();
    let employs = |id: &str| {
        facts.identities.iter().any(|i| {
            i.id.as_str() != id && i.employer_id.as_ref().is_some_and(|e| e.as_str() == id)
        })
    };
    let vendor = leaver.kind == IdentityKind::Vendor;
    has("leaver is a vendor", vendor);
    has(
        "leaver is a workload",
        leaver.kind == IdentityKind::Workload,
    );
    has("leaver is an agent", leaver.kind == IdentityKind::Agent);
    has("vendor with people", vendor && employs(leaver.id.as_str()));
    has(
        "employed by a person",
        facts
            .identities
            .iter()
            .any(|i| i.kind != IdentityKind::Vendor && employs(i.id.as_str())),
    );
    has(
        "account of nobody known",
        facts.accounts.iter().any(|a| {
            a.identity_id
                .as_ref()
                .is_some_and(|i| world.identity(i.as_str()).is_none())
        }),
    );
    let leaving = facts
        .accounts
        .iter()
        .filter(|a| a.identity_id.as_ref() == Some(&leaver.id));
    has("several accounts leave", leaving.clone().count() > 1);
    let inferred = |a: &lastkey_contract::facts::Account| {
        facts
            .inferred
            .contains_key(&(a.system.clone(), a.id.clone()))
    };
    has(
        "an account's person is inferred",
        leaving.clone().any(inferred),
    );
    let custody = |o: &lastkey_contract::facts::Owner| {
        o.object_type == ObjectType::Credential
            && o.role == OwnerRole::Custodian
            && o.owner_id == leaver.id
    };
    has("custody by the leaver", facts.owners.iter().any(custody));
    has(
        "custody that somebody confirmed",
        facts.attested_owners.iter().any(custody),
    );
}

fn of_sign_ins(world: &World, has: Has) {
    let accounts = &world.snapshot.accounts;
    let key = |a: &lastkey_contract::facts::Account| (a.system.to_string(), a.id.to_string());
    let federated = |a: &&lastkey_contract::facts::Account| a.local_sign_in == Some(false);
    has("no local sign-in", accounts.iter().any(|a| federated(&a)));
    let next = |a: &lastkey_contract::facts::Account| {
        world
            .through(a)
            .filter(|_| a.local_sign_in == Some(false))
            .map(key)
    };
    for account in accounts.iter().filter(federated) {
        let mut chain = vec![key(account)];
        let mut at = account;
        let cycle = loop {
            match next(at) {
                None => break false,
                Some(n) if chain.contains(&n) => break true,
                Some(n) => {
                    at = world.account(&n).unwrap();
                    chain.push(n);
                }
            }
        };
        has("sign-in through another", chain.len() > 1);
        has("chain of sign-ins", chain.len() > 2 && !cycle);
        has("cycle of sign-ins", cycle);
        has(
            "sign-in through nothing known",
            world.through(account).is_none(),
        );
        has(
            "another's account signs in through a leaving one",
            account.identity_id.as_ref() != Some(&world.leaver)
                && world
                    .through(account)
                    .is_some_and(|t| t.identity_id.as_ref() == Some(&world.leaver)),
        );
    }
    has(
        "unknown flag",
        accounts
            .iter()
            .any(|a| a.enabled.is_none() || a.local_sign_in.is_none()),
    );
    has(
        "disabled account",
        accounts.iter().any(|a| a.enabled == Some(false)),
    );
}

fn of_times(world: &World, has: Has) {
    let facts = &world.snapshot;
    let expiries = (facts.accounts.iter().filter_map(|a| a.expires_at))
        .chain(facts.credentials.iter().filter_map(|c| c.expires_at))
        .chain(facts.grants.iter().filter_map(|g| g.expires_at));
    for expiry in expiries {
        has("expires exactly at T", expiry.as_expiry() == world.at);
        has(
            "expires just after T",
            expiry.as_expiry() == world.at + chrono::TimeDelta::seconds(1),
        );
        has("expires with a day", matches!(expiry, When::Day { .. }));
    }
    has(
        "revoked later",
        facts
            .credentials
            .iter()
            .any(|c| c.revoked_at.is_some_and(|r| r.as_revocation() > world.at)),
    );
}

fn of_lines(world: &World, has: Has) {
    let facts = &world.snapshot;
    let known = |p: &Principal| {
        p.kind == PrincipalType::Entitlement
            || facts
                .accounts
                .iter()
                .any(|a| a.system == p.system && a.id.as_str() == p.id)
    };
    let nested = |p: &Principal| p.kind == PrincipalType::Entitlement;
    for grant in &facts.grants {
        has("nested entitlements", nested(&grant.principal));
        has(
            "grant across systems",
            grant.principal.system != grant.system,
        );
        has("grant to nobody known", !known(&grant.principal));
        has(
            "eligible assignment",
            grant.assignment == Some(Assignment::Eligible),
        );
        has(
            "repeated grant",
            facts
                .grants
                .iter()
                .filter(|g| {
                    (&g.system, &g.entitlement_id, &g.principal)
                        == (&grant.system, &grant.entitlement_id, &grant.principal)
                })
                .count()
                > 1,
        );
        // follow members upwards from this grant's entitlement
        let start = (grant.system.to_string(), grant.entitlement_id.to_string());
        let mut above = BTreeSet::new();
        let mut edge = vec![start.clone()];
        while let Some((system, id)) = edge.pop() {
            for next in &facts.grants {
                let p = &next.principal;
                if nested(p) && p.system.as_str() == system && p.id == id {
                    let target = (next.system.to_string(), next.entitlement_id.to_string());
                    if above.insert(target.clone()) {
                        edge.push(target);
                    }
                }
            }
        }
        has("cycle of entitlements", above.contains(&start));
    }
    for reader in &facts.readers {
        has("reader line to an account", !nested(&reader.principal));
        has("reader line to an entitlement", nested(&reader.principal));
    }
    has("control line", !facts.controls.is_empty());
}

fn of_secrets(world: &World, has: Has) {
    let facts = &world.snapshot;
    let forgotten = !facts.in_doubt.forgotten.is_empty();
    has("fingerprint that is told no more", forgotten);
    for credential in &facts.credentials {
        has(
            "credential without account",
            credential.account_id.is_none(),
        );
        has(
            "credential of an unknown account",
            credential.account_id.is_some() && world.account_of(credential).is_none(),
        );
        let empty = credential
            .fingerprint
            .as_ref()
            .is_some_and(|f| f.as_str().is_empty());
        has("empty fingerprint", empty);
        for other in &facts.credentials {
            let equal = (&credential.system, &credential.id) != (&other.system, &other.id)
                && credential.fingerprint.is_some()
                && !empty
                && credential.fingerprint == other.fingerprint;
            has("equal secrets", equal);
            has(
                "equal secrets across systems",
                equal && credential.system != other.system,
            );
        }
    }
    for row in &facts.locations {
        has(
            "location by fingerprint alone",
            row.credential_id.is_none() && row.fingerprint.is_some(),
        );
        has(
            "location with empty credential system",
            row.credential_system.is_none(),
        );
        let system = row.credential_system.as_ref().unwrap_or(&row.system);
        has(
            "location names no credential",
            row.credential_id.as_ref().is_some_and(|id| {
                !facts
                    .credentials
                    .iter()
                    .any(|c| c.system == *system && c.id == *id)
            }),
        );
        has(
            "repeated location row",
            facts
                .locations
                .iter()
                .filter(|l| {
                    (&l.system, &l.path, &l.credential_system, &l.credential_id)
                        == (
                            &row.system,
                            &row.path,
                            &row.credential_system,
                            &row.credential_id,
                        )
                })
                .count()
                > 1,
        );
    }
}

fn of_plan(world: &World, has: Has) {
    for step in &world.plan.steps {
        has(
            match step.does {
                StepAction::DisableAccount => "step: disable_account",
                StepAction::DeleteAccount => "step: delete_account",
                StepAction::RemoveGrants => "step: remove_grants",
                StepAction::RevokeCredentials => "step: revoke_credentials",
                StepAction::RevokeSessions => "step: revoke_sessions",
                StepAction::RotateKnownSecrets => "step: rotate_known_secrets",
                StepAction::ReassignOwned => "step: reassign_owned",
                StepAction::GrantBirthright => "step: grant_birthright",
            },
            true,
        );
        has("step on every system", step.system.is_none());
        has("step within 0", step.within.is_zero());
        has("step on another event", step.on != LifecycleEvent::Leaver);
        has(
            "step with a condition",
            step.identity_kind.is_some()
                || step.account_kind.is_some()
                || step.leaver_kind.is_some()
                || step.privileged.is_some(),
        );
    }
    let names: BTreeSet<_> = world.plan.systems.iter().map(|s| &s.name).collect();
    has(
        "several tables of one system",
        names.len() < world.plan.systems.len(),
    );
    has(
        "limit with a condition",
        world.plan.limits.iter().any(|l| {
            l.identity_kind.is_some()
                || l.leaver_kind.is_some()
                || l.privileged.is_some()
                || l.system.is_some()
        }),
    );
}

fn of_answer(answer: &Answer, has: Has) {
    let left = &answer.residual;
    has("something is left", !left.is_empty());
    has("five items or more are left", left.len() >= 5);
    has(
        "something never closes",
        left.iter().any(|l| l.closes_at.is_none()),
    );
    has(
        "something closes later",
        left.iter().any(|l| l.closes_at.is_some()),
    );
    let times: BTreeSet<_> = left.iter().map(|l| l.closes_at).collect();
    has("three closing times or more", times.len() >= 3);
    let kinds: BTreeSet<_> = left
        .iter()
        .map(|l| match l.item {
            Item::Account(_) => 0,
            Item::Credential(_) => 1,
            Item::Entitlement(..) => 2,
            Item::Location(_) => 3,
        })
        .collect();
    has("item of each kind", kinds.len() == 4);
    for item in left {
        has("path of four links or more", item.path.len() >= 4);
        for pair in item.path.windows(2) {
            if let [before, Item::Account(_)] = pair {
                let opened = matches!(before, Item::Credential(_));
                has("account opened by a credential", opened);
                has("account controlled", !opened);
            }
        }
        has("item of assumed existence", item.basis == Basis::Assumed);
        let later = item.closes_at.is_some();
        has(
            "closing by a fact",
            later && item.closing_basis == Basis::Observed,
        );
        has(
            "closing by a step",
            later && item.closing_basis == Basis::Assumed,
        );
        match item.severity {
            Severity::Low => has("severity: low", true),
            Severity::Medium => has("severity: medium", true),
            Severity::High => has("severity: high", true),
            Severity::Critical => has("severity: critical", true),
            Severity::Info => {}
        }
    }
    has(
        "rotation with effect",
        answer.rotations > answer.ineffective,
    );
    has("rotation without effect", answer.ineffective > 0);
    has(
        match answer.verdict {
            Verdict::Pass => "verdict: pass",
            Verdict::Fail => "verdict: fail",
            Verdict::Indeterminate => "verdict: indeterminate",
        },
        true,
    );
}
