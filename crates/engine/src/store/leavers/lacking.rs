//! What would have to be known to say of a leaver that all that they had was closed in time.

use super::super::named;
use super::heads::Head;
use super::held::{Ground, RuledOut, Since};
use crate::measured::{Held, HeldKind, Names};
use chrono::SubsecRound;
use lastkey_contract::Kind;
use lastkey_contract::when::rfc3339;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of which some can be a way in, or lead on.
const DECIDE: [Kind; 6] = [
    Kind::Account,
    Kind::Grant,
    Kind::Credential,
    Kind::Session,
    Kind::Reader,
    Kind::Control,
];
/// Those without which nothing passes.
const NEEDED: [Kind; 3] = [Kind::Account, Kind::Grant, Kind::Credential];

/// What of theirs is not measured: secrets that they knew, and everything where no account is known.
pub(super) fn unmeasured(ground: &Ground, head: &Head, held: &[Held]) -> Vec<String> {
    let mut unsaid = Vec::new();
    if held.is_empty() {
        unsaid
            .push("no account is known to have been theirs: are they connected to any?".to_owned());
    }
    let leads = |one: &Held| match one.kind {
        HeldKind::Location => true,
        HeldKind::Entitlement => {
            let name = named(&one.names.system, &one.names.id);
            let key = ground.names.key(Kind::Entitlement, &name);
            let reading = &ground.secrets.readers;
            !reading.is_empty() && ground.entitlements.leads_to(key, reading)
        }
        HeldKind::Account | HeldKind::Credential | HeldKind::Session | HeldKind::Control => false,
    };
    if held.iter().any(leads) {
        unsaid.push(
            "what stands at the places that they read is not measured: whether it was rotated is not known"
                .to_owned(),
        );
    }
    let theirs: BTreeSet<&Names> = held
        .iter()
        .filter(|one| one.kind == HeldKind::Account && !one.beside)
        .map(|one| &one.names)
        .collect();
    let credentials = held.iter().filter(|one| one.kind == HeldKind::Credential);
    for credential in credentials {
        let others = ground.secrets.same.get(&credential.names);
        let mut others = others.into_iter().flatten();
        if let Some(other) = others.find(|other| !theirs.contains(other)) {
            unsaid.push(format!(
                "credential {} is the same secret as one of account {other}: whether that one was changed is not measured",
                credential.names
            ));
        }
    }
    let shown = format!("{}:{}", ground.source_name(head.source), head.id);
    if [&shown, &head.id]
        .iter()
        .any(|name| ground.secrets.custodians.contains(*name))
    {
        unsaid.push(
            "credentials in their custody are not measured: whether they were rotated is not known"
                .to_owned(),
        );
    }
    unsaid
}

/// Accounts that somebody decided to be not theirs after they left: that is a person's word on what was
/// theirs then, and no read shows it.
pub(super) fn taken_since(
    ground: &Ground,
    head: &Head,
    taken: &BTreeSet<(i64, String, i64)>,
) -> Vec<String> {
    let since = taken.iter().filter_map(|(_, account, decision)| {
        let (at, who) = ground.decided.get(decision)?;
        let afterwards = head.earliest.is_none_or(|earliest| *at > earliest);
        afterwards.then(|| {
            let at = rfc3339(at.trunc_subsecs(0));
            format!(
                "account {account} is open and not theirs only as `{who}` decided at {at}, after they left: by its rule it is theirs or may be"
            )
        })
    });
    since.collect()
}

/// Accounts that are not theirs only by rules that somebody set after they left: no read shows that
/// either.
pub(super) fn ruled_out_since(accounts: &BTreeSet<RuledOut>) -> Vec<String> {
    let since = accounts.iter().map(|(_, account, at, who, since)| {
        let at = rfc3339(at.trunc_subsecs(0));
        match since {
            Since::Rules => format!(
                "account {account} is open and not theirs only by the rules that `{who}` set at {at}, after they left: by those before it is theirs or may be"
            ),
            Since::Decision => format!(
                "account {account} is open and was theirs by a decision that `{who}` undid or replaced at {at}, after they left"
            ),
        }
    });
    since.collect()
}

/// What no source tells of the systems in which they had something.
pub(super) fn untold(ground: &Ground, held: &[Held]) -> Vec<String> {
    let theirs = held.iter().filter(|one| !one.beside);
    let systems: BTreeSet<&str> = theirs.map(|one| one.names.system.as_str()).collect();
    let mut untold = Vec::new();
    for kind in NEEDED {
        // That nothing tells of the kind at all, or that it was never read to its end, is said once.
        if !ground.reads.ends(kind).values().any(Option::is_some) {
            continue;
        }
        let of_systems = systems.iter();
        let of_systems = of_systems.filter(|system| !ground.reads.are_told(kind, system));
        untold.extend(
            of_systems
                .map(|system| format!("no source tells of all {} of `{system}`", kind.plural())),
        );
    }
    untold
}

/// What would have to be known to say of a leaver that everything was closed in time.
pub(super) fn missing(
    ground: &Ground,
    head: &Head,
    doubted: &BTreeSet<String>,
    unsaid: Vec<String>,
) -> Vec<String> {
    // By source and what is missing, the kinds of which it is.
    let mut of_sources: BTreeMap<(i64, String), Vec<&'static str>> = BTreeMap::new();
    let mut any = false;
    let mut never: Vec<&'static str> = Vec::new();
    for kind in DECIDE {
        let ends = ground.reads.ends(kind);
        if ends.is_empty() && NEEDED.contains(&kind) {
            never.push(kind.plural());
        }
        for (source, ends) in ends {
            any |= NEEDED.contains(&kind);
            let mut lacks = |what: String| {
                let kinds = of_sources.entry((source, what)).or_default();
                kinds.push(kind.plural());
            };
            let Some((first, last)) = ends else {
                lacks("never read to their end".to_owned());
                continue;
            };
            if head.earliest.is_none_or(|earliest| first.until > earliest) {
                let at = rfc3339(first.from.trunc_subsecs(0));
                lacks(match ground.reads.were_deleted(source, kind) {
                    true => format!(
                        "what was read before {at} was deleted, as retention says: what was gone by then is not known"
                    ),
                    false => format!(
                        "not read to their end before {at}: what was gone by then is not known"
                    ),
                });
            }
            if last.from < head.latest {
                lacks("not read to their end since they left".to_owned());
            }
            if let Some((from, until)) =
                ground
                    .reads
                    .unread_around(source, kind, (head.earliest, head.latest))
            {
                let (from, until) = (
                    rfc3339(from.trunc_subsecs(0)),
                    rfc3339(until.trunc_subsecs(0)),
                );
                lacks(format!(
                    "a read from {from} did not come to its end, and no whole one came by {until}: what was there in between is not known"
                ));
            }
        }
    }
    let mut missing: Vec<String> = of_sources
        .into_iter()
        .map(|((source, what), kinds)| {
            format!(
                "{} of `{}`: {what}",
                kinds.join(", "),
                ground.source_name(source)
            )
        })
        .collect();
    missing.sort();
    if !any {
        missing.push("no source of accounts, grants or credentials was read".to_owned());
    } else if !never.is_empty() {
        missing.push(format!("no source tells of {}", never.join(", ")));
    }
    missing.extend(unsaid);
    missing.extend(
        doubted
            .iter()
            .map(|account| format!("account {account} may be theirs")),
    );
    missing
}
