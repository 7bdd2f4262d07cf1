//! A world as text: the flat files and the plan that would make it, for a new case of its own.

use crate::leaver_reference::World;
use lastkey_contract::When;
use lastkey_contract::facts::Principal;
use std::fmt::Write;

/// The world as CSV with headers and as plan TOML. Days stand as `from/until`.
pub fn print(world: &World) -> String {
    let facts = &world.snapshot;
    let mut text = format!("leaver {} at {}\n", world.leaver, world.at.to_rfc3339());
    let yes = |flag: Option<bool>| flag.map_or(String::new(), |f| f.to_string());
    let when = |at: Option<When>| at.map_or(String::new(), |at| at.to_text());
    fn opt<T: ToString>(cell: &Option<T>) -> String {
        cell.as_ref().map_or(String::new(), T::to_string)
    }
    let by = |p: &Principal| format!("{},{},{}", p.kind, p.system, p.id);

    table(
        &mut text,
        "identities",
        "id,kind,employer_id,leaver_kind",
        &facts.identities,
        |i| {
            format!(
                "{},{},{},{}",
                i.id,
                i.kind,
                opt(&i.employer_id),
                opt(&i.leaver_kind)
            )
        },
    );
    table(
        &mut text,
        "accounts",
        "system,id,kind,identity_id,enabled,local_sign_in,signs_in_through_system,\
         signs_in_through_id,privileged,environment,expires_at",
        &facts.accounts,
        |a| {
            let through = format!(
                "{},{}",
                opt(&a.signs_in_through_system),
                opt(&a.signs_in_through_id)
            );
            let flags = format!("{},{},{through}", yes(a.enabled), yes(a.local_sign_in));
            let worth = format!("{},{}", yes(a.privileged), opt(&a.environment));
            let who = format!(
                "{},{},{},{}",
                a.system,
                a.id,
                opt(&a.kind),
                opt(&a.identity_id)
            );
            format!("{who},{flags},{worth},{}", when(a.expires_at))
        },
    );
    table(
        &mut text,
        "entitlements",
        "system,id,privileged,environment",
        &facts.entitlements,
        |e| {
            format!(
                "{},{},{},{}",
                e.system,
                e.id,
                yes(e.privileged),
                opt(&e.environment)
            )
        },
    );
    table(
        &mut text,
        "grants",
        "system,entitlement_id,principal_type,principal_system,principal_id,assignment,expires_at",
        &facts.grants,
        |g| {
            let what = format!("{},{},{}", g.system, g.entitlement_id, by(&g.principal));
            format!("{what},{},{}", opt(&g.assignment), when(g.expires_at))
        },
    );
    table(
        &mut text,
        "credentials",
        "system,id,kind,account_id,enabled,environment,revoked_at,expires_at,fingerprint",
        &facts.credentials,
        |c| {
            let what = format!("{},{},{},{}", c.system, c.id, c.kind, opt(&c.account_id));
            let times = format!("{},{}", when(c.revoked_at), when(c.expires_at));
            let state = format!("{},{}", yes(c.enabled), opt(&c.environment));
            format!("{what},{state},{times},{}", opt(&c.fingerprint))
        },
    );
    table(
        &mut text,
        "locations",
        "system,path,credential_system,credential_id,environment,fingerprint",
        &facts.locations,
        |l| {
            let named = format!("{},{}", opt(&l.credential_system), opt(&l.credential_id));
            let more = format!("{},{}", opt(&l.environment), opt(&l.fingerprint));
            format!("{},{},{named},{more}", l.system, l.path)
        },
    );
    let header = "system,path,principal_type,principal_system,principal_id";
    table(&mut text, "readers", header, &facts.readers, |r| {
        format!("{},{},{}", r.system, r.path, by(&r.principal))
    });
    let header = "system,account_id,principal_type,principal_system,principal_id,means";
    table(&mut text, "controls", header, &facts.controls, |c| {
        format!(
            "{},{},{},{}",
            c.system,
            c.account_id,
            by(&c.principal),
            c.means
        )
    });
    let header = "object_type,system,object_id,owner_id,role";
    for (title, lines) in [
        ("owners", &facts.owners),
        ("confirmed owners", &facts.attested_owners),
    ] {
        table(&mut text, title, header, lines, |o| {
            format!(
                "{},{},{},{},{}",
                o.object_type,
                opt(&o.system),
                o.object_id,
                o.owner_id,
                o.role
            )
        });
    }
    for read in &facts.reads {
        let systems: Vec<&str> = read.systems.iter().map(|s| s.as_str()).collect();
        let complete = (read.complete_at).map_or("never".to_owned(), |at| at.to_rfc3339());
        let _ = writeln!(
            text,
            "-- read of {} from {} ({}): complete {complete} {}",
            read.kind,
            read.source,
            systems.join(" "),
            read.gaps.join("; ")
        );
    }
    text.push_str(&plan(world));
    text
}

fn table<Row>(
    text: &mut String,
    file: &str,
    header: &str,
    rows: &[Row],
    line: impl Fn(&Row) -> String,
) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "-- {file}.csv\n{header}");
    for row in rows {
        let _ = writeln!(text, "{}", line(row));
    }
}

fn plan(world: &World) -> String {
    let mut text = "-- plan.toml\n".to_owned();
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value}");
        }
    };
    let quoted = |word: &str| Some(format!("\"{word}\""));
    let seconds = |time: chrono::TimeDelta| Some(format!("\"{}s\"", time.num_seconds()));
    let json = |word: Option<serde_json::Value>| word.map(|w| w.to_string());
    for step in &world.plan.steps {
        line("[[step]] # on", quoted(step.on.word()));
        line("on", quoted(step.on.word()));
        line(
            "system",
            quoted(step.system.as_ref().map_or("*", |s| s.as_str())),
        );
        line("does", json(serde_json::to_value(step.does).ok()));
        line("within", seconds(step.within));
        line(
            "identity_kind",
            step.identity_kind.and_then(|k| quoted(k.word())),
        );
        line(
            "account_kind",
            step.account_kind.and_then(|k| quoted(k.word())),
        );
        line(
            "leaver_kind",
            step.leaver_kind.and_then(|k| quoted(k.word())),
        );
        line("privileged", step.privileged.map(|p| p.to_string()));
    }
    for system in &world.plan.systems {
        line("[[system]] # name", quoted(system.name.as_str()));
        line("name", quoted(system.name.as_str()));
        line(
            "credentials_die_with_account",
            system.credentials_die_with_account.map(|d| d.to_string()),
        );
        line(
            "session_lifetime",
            system.session_lifetime.and_then(seconds),
        );
    }
    for print in &world.snapshot.in_doubt.forgotten {
        line("# told no more", Some(format!("{print:?}")));
    }
    for limit in &world.plan.limits {
        line("[[limit]] # on", quoted(limit.on.word()));
        line("on", quoted(limit.on.word()));
        line("within", seconds(limit.within));
        line(
            "identity_kind",
            limit.identity_kind.and_then(|k| quoted(k.word())),
        );
        line(
            "leaver_kind",
            limit.leaver_kind.and_then(|k| quoted(k.word())),
        );
        line("privileged", limit.privileged.map(|p| p.to_string()));
        line(
            "system",
            limit.system.as_ref().and_then(|s| quoted(s.as_str())),
        );
    }
    text
}
