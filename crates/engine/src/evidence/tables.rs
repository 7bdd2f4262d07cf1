//! The population's tables: the columns of the flat files (docs/flat-files.md), `source` and
//! `first_sync`. Each fact is taken apart field by field, so that a new field breaks the build.

use super::cells::{Pseudonyms, cell, known, left_out, number, time, truth, word};
use super::content::{CompletenessRow, PopulationRow};
use lastkey_contract::facts::*;
use lastkey_contract::when::rfc3339;

/// The columns of a kind's table, without `source` and `first_sync`, which end every line.
pub(super) use crate::store::columns;

/// One line of a kind's table.
pub(super) fn line(row: PopulationRow, names: &Pseudonyms) -> Vec<String> {
    let PopulationRow {
        fact,
        source,
        first_sync,
    } = row;
    let mut cells = match fact {
        Fact::Identity(x) => identity(x),
        Fact::Account(x) => account(x),
        Fact::Entitlement(x) => entitlement(x),
        Fact::Grant(x) => grant(x),
        Fact::Credential(x) => credential(x, names),
        Fact::Location(x) => location(x, names),
        Fact::Reader(x) => {
            let Reader {
                system,
                path,
                principal,
                attributes,
            } = x;
            left_out(attributes);
            let [kind, id, of] = who(principal);
            vec![cell(system.as_str()), cell(path.as_str()), kind, id, of]
        }
        Fact::Control(x) => {
            let Control {
                system,
                account_id,
                principal,
                means,
                attributes,
            } = x;
            left_out(attributes);
            let [kind, id, of] = who(principal);
            vec![
                cell(system.as_str()),
                cell(account_id.as_str()),
                kind,
                id,
                of,
                word(Some(means.word())),
            ]
        }
        Fact::Owner(x) => {
            let Owner {
                object_type,
                system,
                object_id,
                owner_id,
                role,
                attributes,
            } = x;
            left_out(attributes);
            vec![
                word(Some(object_type.word())),
                known(system.as_ref()),
                cell(&object_id),
                cell(owner_id.as_str()),
                word(Some(role.word())),
            ]
        }
        Fact::Session(x) => {
            let Session {
                system,
                account_id,
                id,
                started_at,
                last_seen_at,
                expires_at,
                attributes,
            } = x;
            left_out(attributes);
            vec![
                cell(system.as_str()),
                cell(account_id.as_str()),
                cell(id.as_str()),
                time(started_at),
                time(last_seen_at),
                time(expires_at),
            ]
        }
        Fact::Task(x) => task(x),
    };
    cells.push(cell(source.as_str()));
    cells.push(first_sync.to_string());
    cells
}

/// Type, id and system of a principal.
fn who(principal: Principal) -> [String; 3] {
    let Principal { kind, system, id } = principal;
    [word(Some(kind.word())), cell(&id), cell(system.as_str())]
}

fn identity(x: Identity) -> Vec<String> {
    let Identity {
        id,
        kind,
        display_name,
        email,
        status,
        department,
        title,
        manager_id,
        employer_id,
        location,
        start_date,
        end_date,
        leaver_kind,
        purpose,
        allowed_tools,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(id.as_str()),
        word(Some(kind.word())),
        known(display_name.as_ref()),
        known(email.as_ref()),
        word(status.map(|s| s.word())),
        known(department.as_ref()),
        known(title.as_ref()),
        known(manager_id.as_ref()),
        known(employer_id.as_ref()),
        known(location.as_ref()),
        time(start_date),
        time(end_date),
        word(leaver_kind.map(|k| k.word())),
        known(purpose.as_ref()),
        known(allowed_tools.as_ref()),
    ]
}

fn account(x: Account) -> Vec<String> {
    let Account {
        system,
        id,
        name,
        kind,
        identity_id,
        email,
        enabled,
        local_sign_in,
        signs_in_through_system,
        signs_in_through_id,
        mfa,
        privileged,
        environment,
        created_at,
        created_by,
        last_used_at,
        last_interactive_at,
        disabled_at,
        expires_at,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(system.as_str()),
        cell(id.as_str()),
        known(name.as_ref()),
        word(kind.map(|k| k.word())),
        known(identity_id.as_ref()),
        known(email.as_ref()),
        truth(enabled),
        truth(local_sign_in),
        known(signs_in_through_system.as_ref()),
        known(signs_in_through_id.as_ref()),
        truth(mfa),
        truth(privileged),
        known(environment.as_ref()),
        time(created_at),
        known(created_by.as_ref()),
        time(last_used_at),
        time(last_interactive_at),
        time(disabled_at),
        time(expires_at),
    ]
}

fn entitlement(x: Entitlement) -> Vec<String> {
    let Entitlement {
        system,
        id,
        name,
        kind,
        privileged,
        environment,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(system.as_str()),
        cell(id.as_str()),
        known(name.as_ref()),
        word(kind.map(|k| k.word())),
        truth(privileged),
        known(environment.as_ref()),
    ]
}

fn grant(x: Grant) -> Vec<String> {
    let Grant {
        system,
        entitlement_id,
        principal,
        assignment,
        granted_at,
        granted_by,
        approved_by,
        ticket,
        reason,
        last_used_at,
        expires_at,
        attributes,
    } = x;
    left_out(attributes);
    let [kind, id, of] = who(principal);
    vec![
        cell(system.as_str()),
        kind,
        id,
        cell(entitlement_id.as_str()),
        of,
        word(assignment.map(|a| a.word())),
        time(granted_at),
        known(granted_by.as_ref()),
        known(approved_by.as_ref()),
        known(ticket.as_ref()),
        known(reason.as_ref()),
        time(last_used_at),
        time(expires_at),
    ]
}

fn credential(x: Credential, names: &Pseudonyms) -> Vec<String> {
    let Credential {
        system,
        id,
        kind,
        account_id,
        name,
        enabled,
        environment,
        created_at,
        created_by,
        rotated_at,
        revoked_at,
        expires_at,
        last_used_at,
        fingerprint,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(system.as_str()),
        cell(id.as_str()),
        word(Some(kind.word())),
        known(account_id.as_ref()),
        known(name.as_ref()),
        truth(enabled),
        known(environment.as_ref()),
        time(created_at),
        known(created_by.as_ref()),
        time(rotated_at),
        time(revoked_at),
        time(expires_at),
        time(last_used_at),
        names.name(fingerprint.as_ref()),
    ]
}

fn location(x: Location, names: &Pseudonyms) -> Vec<String> {
    let Location {
        system,
        path,
        credential_system,
        credential_id,
        kind,
        environment,
        fingerprint,
        last_rotated_at,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(system.as_str()),
        cell(path.as_str()),
        known(credential_system.as_ref()),
        known(credential_id.as_ref()),
        word(kind.map(|k| k.word())),
        known(environment.as_ref()),
        names.name(fingerprint.as_ref()),
        time(last_rotated_at),
    ]
}

fn task(x: Task) -> Vec<String> {
    let Task {
        id,
        system,
        event,
        identity_id,
        account_id,
        action,
        status,
        retries,
        requested_at,
        approved_by,
        closed_at,
        closed_by,
        overridden,
        ticket,
        attributes,
    } = x;
    left_out(attributes);
    vec![
        cell(id.as_str()),
        cell(system.as_str()),
        word(Some(event.word())),
        known(identity_id.as_ref()),
        known(account_id.as_ref()),
        known(action.as_ref()),
        word(status.map(|s| s.word())),
        number(retries),
        time(requested_at),
        known(approved_by.as_ref()),
        time(closed_at),
        known(closed_by.as_ref()),
        known(overridden.as_ref()),
        known(ticket.as_ref()),
    ]
}

pub(super) const COMPLETENESS: &[&str] = &[
    "source",
    "kind",
    "complete",
    "reported",
    "received",
    "stored",
    "unchanged",
    "skipped",
    "failed",
    "removed",
    "gaps",
    "query",
    "content_sha256",
    "sync",
    "started_at",
    "ended_at",
    "supplement",
];

/// One line of the completeness sheet.
pub(super) fn completeness(row: CompletenessRow) -> Vec<String> {
    let CompletenessRow {
        source,
        supplement,
        kind,
        sync,
        started_at,
        ended_at,
        reported,
        received,
        stored,
        unchanged,
        skipped,
        failed,
        removed,
        complete,
        gaps,
        queries,
        content_sha256,
    } = row;
    vec![
        cell(&source),
        word(Some(kind.word())),
        truth(Some(complete)),
        number(reported),
        received.to_string(),
        stored.to_string(),
        unchanged.to_string(),
        skipped.to_string(),
        failed.to_string(),
        removed.to_string(),
        super::cells::list(&gaps),
        super::cells::list(&queries),
        super::cells::list(&content_sha256),
        sync.to_string(),
        rfc3339(started_at),
        ended_at.map(rfc3339).unwrap_or_default(),
        truth(Some(supplement)),
    ]
}
