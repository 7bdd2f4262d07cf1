//! The engine's answer and the reference's in one shape, and where they differ.

use super::paths::Paths;
use super::world::Name;
use super::{Answer, Item};
use chrono::{DateTime, Utc};
use lastkey_engine::access::Reach;
use lastkey_engine::lifecycle::{Basis, Closing, ItemKind, Rehearsal, ResidualItem, Severity};

/// What is compared of one residual item.
#[derive(Clone, Debug, PartialEq)]
struct Compared {
    item: String,
    closes_at: String,
    path: Vec<String>,
    basis: Basis,
    closing_basis: Basis,
    severity: Severity,
    limit_at: String,
}

/// Where the engine and the reference differ, in words; none where they agree.
pub fn difference(engine: &Rehearsal, reference: &Answer) -> Option<String> {
    let ours: Vec<Compared> = engine.residual.iter().map(of_engine).collect();
    let theirs: Vec<Compared> = reference.residual.iter().map(of_reference).collect();
    let mut lines = Vec::new();
    for item in theirs
        .iter()
        .filter(|t| !ours.iter().any(|o| o.item == t.item))
    {
        lines.push(format!("only the reference has {item:?}"));
    }
    for item in ours
        .iter()
        .filter(|o| !theirs.iter().any(|t| t.item == o.item))
    {
        lines.push(format!("only the engine has {item:?}"));
    }
    for our in &ours {
        for their in theirs.iter().filter(|t| t.item == our.item && *t != our) {
            lines.push(format!("engine    {our:?}\nreference {their:?}"));
        }
    }
    if lines.is_empty() && ours != theirs {
        lines.push("the same items in another order".to_owned());
    }
    if engine.verdict != reference.verdict {
        let missing = engine.missing_facts.join("; ");
        lines.push(format!(
            "engine says {:?} ({missing}), reference {:?}",
            engine.verdict, reference.verdict
        ));
    }
    lines.extend(engine.residual.iter().filter_map(odd_path));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Where the two blast radii differ, in words; none where they agree.
pub fn radius_difference(engine: &Reach, reference: &Paths) -> Option<String> {
    let ours: Vec<Vec<String>> = engine.items.iter().map(|i| i.path.clone()).collect();
    let theirs: Vec<Vec<String>> = reference
        .values()
        .map(|path| path.iter().map(item_words).collect())
        .collect();
    (ours != theirs).then(|| format!("engine    {ours:#?}\nreference {theirs:#?}"))
}

/// A path whose links do not close as its item does, or an item that is not its last link.
fn odd_path(item: &ResidualItem) -> Option<String> {
    let links: Vec<String> = item
        .links
        .iter()
        .map(|l| words(l.kind, &l.system, &l.id, l.on_account.as_deref()))
        .collect();
    let itself = words(
        item.kind,
        &item.system,
        &item.id,
        item.on_account.as_deref(),
    );
    if links != item.path || links.last() != Some(&itself) {
        return Some(format!(
            "{itself} has path {:?} and links {links:?}",
            item.path
        ));
    }
    let least = item.links.iter().map(|l| l.closes_at).min();
    (least != Some(item.closes_at)).then(|| {
        format!(
            "{itself} closes {} and its links {least:?}",
            item.closes_at.to_text()
        )
    })
}

/// `kind system:id`, entitlements with ` on system:id`.
fn words(kind: ItemKind, system: &str, id: &str, on_account: Option<&str>) -> String {
    let kind = match kind {
        ItemKind::Account => "account",
        ItemKind::Credential => "credential",
        ItemKind::Entitlement => "entitlement",
        ItemKind::Location => "location",
    };
    match on_account {
        Some(account) => format!("{kind} {system}:{id} on {account}"),
        None => format!("{kind} {system}:{id}"),
    }
}

fn of_engine(item: &ResidualItem) -> Compared {
    Compared {
        item: words(
            item.kind,
            &item.system,
            &item.id,
            item.on_account.as_deref(),
        ),
        closes_at: item.closes_at.to_text(),
        path: item.path.clone(),
        basis: item.basis,
        closing_basis: item.closing_basis,
        severity: item.severity,
        limit_at: item.limit_at.to_text(),
    }
}

fn of_reference(left: &super::residual::Left) -> Compared {
    let moment = |at: Option<DateTime<Utc>>| at.map_or(Closing::Never, Closing::At).to_text();
    Compared {
        item: item_words(&left.item),
        closes_at: moment(left.closes_at),
        path: left.path.iter().map(item_words).collect(),
        basis: left.basis,
        closing_basis: left.closing_basis,
        severity: left.severity,
        limit_at: moment(Some(left.limit_at)),
    }
}

fn item_words(item: &Item) -> String {
    let plain = |kind, (system, id): &Name| words(kind, system, id, None);
    match item {
        Item::Account(name) => plain(ItemKind::Account, name),
        Item::Credential(name) => plain(ItemKind::Credential, name),
        Item::Location(name) => plain(ItemKind::Location, name),
        Item::Entitlement((system, id), (on_system, on_id)) => {
            let on = format!("{on_system}:{on_id}");
            words(ItemKind::Entitlement, system, id, Some(&on))
        }
    }
}
