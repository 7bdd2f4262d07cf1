//! What would the closings themselves stop? So that a shared secret is rotated and not simply deleted.

use super::closing::{Cause, Closings, Element};
use super::outcome::{Basis, Break, Breaks, Closing};
use super::plan::StepAction;
use super::values::Values;
use crate::access::columns::NONE;
use crate::access::graph::{Graph, Item};
use crate::access::reached::{Reached, closed_at};
use lastkey_contract::facts::{
    AccountKind, CredentialKind, IdentityKind, IdentityStatus, LocationKind, ObjectType,
};

/// Everything that depends on something that closes for the leaver; sorted, each once.
pub(crate) fn breaks(
    closings: &mut Closings<'_, '_>,
    reached: &Reached,
    values: &Values,
) -> Vec<Break> {
    let mut found = Vec::new();
    by_rotation(closings, reached, values, &mut found);
    by_account(closings, &mut found);
    // Whoever joins or moves still owns what they owned.
    if closings.departure.lost.is_none() {
        by_ownership(closings, &mut found);
    }
    found.sort_by(|a, b| {
        (&a.what, &a.when_closed, &a.depends_on).cmp(&(&b.what, &b.when_closed, &b.depends_on))
    });
    found.dedup();
    found
}

/// Accounts and pipelines whose credential stands at a location and is rotated.
fn by_rotation(
    closings: &Closings<'_, '_>,
    reached: &Reached,
    values: &Values,
    found: &mut Vec<Break>,
) {
    let graph = closings.world.graph;
    for node in 0..reached.nodes.len() {
        let Some(Item::Credential(credential)) = reached.item(node) else {
            continue;
        };
        let (Some(element), Some(rotations)) =
            (values.start.at(node), values.rotations.get(&credential))
        else {
            continue;
        };
        // also a rotation that comes too early replaces the value
        let planned = rotations.planned.first();
        let Some((at, _)) = planned.filter(|_| element.cause != Cause::Already) else {
            continue;
        };
        let words = graph.words(Item::Credential(credential));
        let row = graph.credentials.at(credential);
        let mut places: Vec<u32> = graph.places_of.row(credential).to_vec();
        if row.secret != NONE {
            places.extend(graph.secret_places.row(row.secret));
        }
        places.sort_unstable();
        places.dedup();
        let line = |what: Item, certainty, depends_on: String| Break {
            certainty,
            what: graph.words(what),
            depends_on,
            when_closed: words.clone(),
            at: *at,
            basis: Basis::Assumed,
        };
        if row.account != NONE {
            let (certainty, why) = if places.is_empty() {
                (
                    Breaks::Unknown,
                    format!("it is not known where {words} is used"),
                )
            } else {
                let count = places.len();
                let why = format!("{words} is rotated and stands at {count} known place(s)");
                (Breaks::MayBreak, why)
            };
            found.push(line(Item::Account(row.account), certainty, why));
        }
        for place in places {
            let copied = match graph.locations.at(place).kind {
                Some(
                    LocationKind::CiVariable
                    | LocationKind::KubernetesSecret
                    | LocationKind::File
                    | LocationKind::Code
                    | LocationKind::Document,
                ) => true,
                Some(LocationKind::Vault) | None => false,
            };
            if copied {
                let why = format!("what runs from here uses {words}, which is rotated");
                found.push(line(Item::Location(place), Breaks::MayBreak, why));
            }
        }
    }
}

/// What hangs on an account of the leaver that the plan closes.
fn by_account(closings: &mut Closings<'_, '_>, found: &mut Vec<Break>) {
    let graph = closings.world.graph;
    let now = closings.world.at;
    let departure = closings.departure;
    for &account in &departure.accounts {
        let element = closings.sign_in(account);
        let Element {
            closes: Closing::At(_),
            cause,
            ..
        } = element
        else {
            continue;
        };
        if cause == Cause::Already {
            continue;
        }
        let words = graph.words(Item::Account(account));
        let line = |what: Item, certainty, depends_on: String| Break {
            certainty,
            what: graph.words(what),
            depends_on,
            when_closed: words.clone(),
            at: element.closes,
            basis: element.closing_basis,
        };
        for &other in graph.sign_in_here.row(account) {
            if closings.is_mine(other) || !closings.world.can_sign_in(other) {
                continue;
            }
            let certainty = match graph.accounts.at(other).local_sign_in {
                Some(false) => Breaks::WillBreak,
                Some(true) => Breaks::MayBreak,
                None => Breaks::Unknown,
            };
            let why = format!("it signs in through {words}");
            found.push(line(Item::Account(other), certainty, why));
        }
        if graph.accounts.at(account).kind == Some(AccountKind::Shared) {
            let why = "it is a shared account, which others may use".to_owned();
            found.push(line(Item::Account(account), Breaks::MayBreak, why));
        }
        for credential in created_by(graph, graph.account_ids.at(account)) {
            let row = graph.credentials.at(credential);
            let same_system = row.system == graph.account_system(account);
            if same_system
                && row.kind == CredentialKind::Token
                && !closings.is_mine(row.account)
                && !closed_at(row.expires, now)
                && closings.world.is_valid(row)
            {
                let why = format!("it was created by {words}");
                found.push(line(Item::Credential(credential), Breaks::MayBreak, why));
            }
        }
    }
}

fn created_by<'g>(graph: &'g Graph, creator: &'g str) -> impl Iterator<Item = u32> + 'g {
    let from = graph
        .created_by
        .partition_point(|(by, _)| by.as_ref() < creator);
    let rest = graph.created_by.get(from..).unwrap_or(&[]);
    rest.iter()
        .take_while(move |(by, _)| by.as_ref() == creator)
        .map(|(_, credential)| *credential)
}

/// Non-human identities and their accounts that lose their last owner.
fn by_ownership(closings: &Closings<'_, '_>, found: &mut Vec<Break>) {
    let graph = closings.world.graph;
    let departure = closings.departure;
    let leaves = |identity: u32| departure.identities.binary_search(&identity).is_ok();
    let reassigned = |system: Option<u32>, account: u32| {
        departure.steps.iter().any(|step| {
            step.does == StepAction::ReassignOwned
                && match system {
                    Some(system) => {
                        super::departure::Departure::holds(graph, step, system, account)
                    }
                    None => step.system.is_none(),
                }
        })
    };
    for &identity in &departure.identities {
        for &line in graph.owned.row(identity) {
            let owned = graph.owner_lines.at(line);
            let (kind, object) = owned.object;
            let (what, system, account) = match kind {
                ObjectType::Identity => match graph.identities.at(object).kind {
                    IdentityKind::Workload | IdentityKind::Agent if !leaves(object) => (
                        format!("identity {}", graph.identity_ids.at(object)),
                        None,
                        NONE,
                    ),
                    IdentityKind::Workload
                    | IdentityKind::Agent
                    | IdentityKind::Person
                    | IdentityKind::Vendor => continue,
                },
                ObjectType::Account => match graph.accounts.at(object).kind {
                    Some(AccountKind::Service | AccountKind::System | AccountKind::Shared)
                        if !closings.is_mine(object) =>
                    {
                        let system = graph.account_system(object);
                        (graph.words(Item::Account(object)), Some(system), object)
                    }
                    Some(
                        AccountKind::Service
                        | AccountKind::System
                        | AccountKind::Shared
                        | AccountKind::Human,
                    )
                    | None => continue,
                },
                ObjectType::Credential | ObjectType::Location | ObjectType::Entitlement => continue,
            };
            let mut others = graph.owner_lines_of(kind, object).iter();
            let mut unknown = false;
            let stays = others.any(|line| {
                if line.owner == NONE {
                    unknown = true;
                    return false;
                }
                let gone = graph.identities.at(line.owner).status == Some(IdentityStatus::Inactive);
                !leaves(line.owner) && !gone
            });
            if stays {
                continue;
            }
            let (certainty, depends_on) = if unknown {
                let why = "its other owner is in no source".to_owned();
                (Breaks::Unknown, why)
            } else if reassigned(system, account) {
                let why = "its last owner leaves, and the plan reassigns what they owned";
                (Breaks::MayBreak, why.to_owned())
            } else {
                (Breaks::WillBreak, "its last owner leaves".to_owned())
            };
            found.push(Break {
                certainty,
                what,
                depends_on,
                when_closed: format!("identity {}", graph.identity_ids.at(identity)),
                at: Closing::At(closings.world.at),
                basis: owned.basis,
            });
        }
    }
}
