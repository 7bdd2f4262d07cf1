//! Defects of people: those who left, moved, came back or never came. Positions end in 5,
//! where nothing else happens (company.rs).

use super::calendar::{ago, day};
use super::company::{Company, Move, leaves};
use super::defect::{Defect, LATEST, Want, is};
use super::table::{Row, Tables};

/// Who plays a part, before anything is written.
pub(super) fn cast(company: &mut Company) {
    for (slug, position, days, kind) in [
        ("data", 15, 40, "involuntary"),
        ("platform", 15, 55, "voluntary"),
        ("payments", 15, 60, "voluntary"),
        ("it-operations", 15, 90, "voluntary"),
        ("platform", 25, 120, "involuntary"),
        ("data", 25, 33, "voluntary"),
        ("security", 15, 28, "involuntary"),
        ("payments", 25, 70, "voluntary"),
        ("finance", 15, 100, "voluntary"),
        ("sales", 20, 50, "voluntary"),
        ("treasury", 15, 80, "voluntary"),
        ("platform", 35, 45, "voluntary"),
        ("security", 25, 65, "voluntary"),
    ] {
        company.change(slug, position, |person| leaves(person, days, kind));
    }
    company.change("legal", 15, |person| {
        leaves(person, 25, "voluntary");
        person.says = Some("active");
    });
    company.change("retail", 15, |person| {
        person.start = day(45);
        person.says = Some("pending");
    });
    company.change("data", 35, |person| {
        leaves(person, 150, "voluntary");
        person.back = Some(day(60));
    });
    company.change("platform", 45, |person| {
        person.away = Some((day(150), day(-60)))
    });
    // From the second of the departments in the list, which is that of payments.
    company.change("marketing", 15, |person| {
        person.moved = Some(Move {
            on: day(120),
            from: 2,
        })
    });
}

/// The login of a database administrator.
pub(super) fn dba(login: &str) -> String {
    format!("dba_{}", login.replace(['.', '-'], "_"))
}

pub(super) fn plant(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let mut defects = left_and_open(company, tables);
    defects.extend(records(company, tables));
    defects
}

/// Left, and something still opens.
fn left_and_open(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let p = company.at("data", 15);
    let account = dba(&p.login);
    tables.add(
        "ledger-db",
        "accounts",
        Row::of(&[
            ("system", "ledger-db"),
            ("id", &account),
            ("name", &p.name),
            ("kind", "human"),
            ("identity_id", &p.id),
            ("enabled", "true"),
            ("local_sign_in", "true"),
            ("privileged", "true"),
            ("environment", "prod"),
            ("last_used_at", &ago(2)),
        ]),
    );
    super::access::grant(
        tables,
        ("ledger-db", "ledger-admin"),
        "account",
        ("ledger-db", &account),
    );
    let first = Defect::new("PE-01", "Leaver with a usable account", "", "a database administrator left 40 days ago; the local database account works and was used two days ago")
        .left(&p.id)
        .on("account", "ledger-db", &account)
        .never_closes(&p.id, &format!("account ledger-db:{account}"))
        .proof("ledger-db/accounts.csv", &[("id", is(&account)), ("identity_id", is(&p.id)), ("enabled", is("true")), ("local_sign_in", is("true")), ("last_used_at", Want::After(ago(3)))]);

    let p = company.at("platform", 15);
    let key = format!("AKL-{}", p.id);
    tables.add(
        "cloud",
        "credentials",
        Row::of(&[
            ("system", "cloud"),
            ("id", &key),
            ("kind", "access_key"),
            ("account_id", &p.login),
            ("enabled", "true"),
            ("environment", "prod"),
            ("created_at", &ago(500)),
            ("rotated_at", &ago(70)),
            ("last_used_at", &ago(1)),
        ]),
    );
    super::access::grant(
        tables,
        ("cloud", "operator"),
        "account",
        ("cloud", &p.login),
    );
    let second = Defect::new("PE-02", "Leaver's access key alive", "", "the cloud account of a leaver is disabled; its access key outlives it and was used yesterday")
        .left(&p.id)
        .on("credential", "cloud", &key)
        .never_closes(&p.id, &format!("credential cloud:{key}"))
        .proof("cloud/accounts.csv", &[("id", is(&p.login)), ("enabled", is("false"))])
        .proof("cloud/credentials.csv", &[("id", is(&key)), ("enabled", is("true")), ("revoked_at", Want::Empty), ("expires_at", Want::Empty), ("last_used_at", Want::After(ago(2)))]);

    let p = company.at("platform", 25);
    tables.change(
        ("cloud", "accounts"),
        ("id", &p.login),
        &[
            ("enabled", "true"),
            ("local_sign_in", "true"),
            ("disabled_at", ""),
            ("last_used_at", &ago(1)),
        ],
    );
    let third = Defect::new("PE-18", "Disabled upstream, alive downstream", "", "the directory account is disabled; the cloud account has a sign-in of its own and was used yesterday")
        .left(&p.id)
        .on("account", "cloud", &p.login)
        .now(format!("lastkey rehearse leaver --identity {}", p.id), format!("`account cloud:{}`, closes 4 h after the event by plan only", p.login))
        .proof("corp-ad/accounts.csv", &[("id", is(&p.login)), ("enabled", is("false"))])
        .proof("cloud/accounts.csv", &[("id", is(&p.login)), ("enabled", is("true")), ("local_sign_in", is("true")), ("last_used_at", Want::After(ago(2)))]);

    let p = company.at("platform", 35);
    let token = format!("pat-{}", p.id);
    tables.add(
        "code-host",
        "credentials",
        Row::of(&[
            ("system", "code-host"),
            ("id", &token),
            ("kind", "token"),
            ("account_id", &p.login),
            ("enabled", "true"),
            ("created_at", &ago(400)),
            ("last_used_at", &ago(4)),
        ]),
    );
    let fourth = Defect::new("PE-34", "Token outlives its account", "", "the code host disabled the account of a leaver; a personal token without expiry still works")
        .left(&p.id)
        .on("credential", "code-host", &token)
        .never_closes(&p.id, &format!("credential code-host:{token}"))
        .proof("code-host/accounts.csv", &[("id", is(&p.login)), ("enabled", is("false"))])
        .proof("code-host/credentials.csv", &[("id", is(&token)), ("enabled", is("true")), ("revoked_at", Want::Empty), ("expires_at", Want::Empty)]);

    let p = company.at("finance", 15);
    tables.change(
        ("corp-ad", "credentials"),
        ("id", &format!("pw-{}", p.login)),
        &[("enabled", "true")],
    );
    tables.change(
        ("corp-ad", "accounts"),
        ("id", &p.login),
        &[
            ("enabled", "true"),
            ("last_used_at", &ago(1)),
            ("re_enabled_at", &ago(20)),
            ("re_enabled_by", "helpdesk"),
        ],
    );
    let fifth = Defect::new("PE-22", "Enabled again after leaving", "findings", "the directory account was disabled the day after the leaver's last day and enabled again 20 days ago by the helpdesk")
        .now(
            format!("lastkey leavers --identity {}", p.id),
            format!("`account corp-ad:{}`: closed and open again", p.login),
        )
        .left(&p.id)
        .on("account", "corp-ad", &p.login)
        .proof("corp-ad/accounts.csv", &[("id", is(&p.login)), ("enabled", is("true")), ("disabled_at", Want::Before(ago(90))), ("re_enabled_at", is(&ago(20)))]);
    vec![first, second, third, fourth, fifth]
}

/// What the sources of truth themselves get wrong, and what a move left behind.
fn records(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let p = company.at("marketing", 15);
    super::access::entitlement(
        tables,
        "corp-ad",
        "payments-release",
        "group",
        super::access::Right::Ordinary,
        "prod",
    );
    super::access::grant(
        tables,
        ("corp-ad", "payments-release"),
        "account",
        ("corp-ad", &p.login),
    );
    tables.change(
        ("corp-ad", "grants"),
        ("entitlement_id", "payments-release"),
        &[
            ("granted_at", &ago(700)),
            ("reason", "release duty in Payments"),
        ],
    );
    let moved = Defect::new(
        "PE-04",
        "Stale entitlement after a move",
        "rehearsed movers",
        "moved from Payments to Marketing 120 days ago and still holds payments-release",
    )
    .on("identity", "", &p.id)
    .on("entitlement", "corp-ad", "payments-release")
    .proof(
        "hr/2026-07-20.csv",
        &[("id", is(&p.id)), ("department", is("Payments"))],
    )
    .proof(
        LATEST,
        &[("id", is(&p.id)), ("department", is("Marketing"))],
    )
    .proof(
        "corp-ad/grants.csv",
        &[
            ("principal_id", is(&p.login)),
            ("entitlement_id", is("payments-release")),
            ("expires_at", Want::Empty),
        ],
    );

    let lead = company.at("sales", 20);
    let report = company.at("sales", 21);
    let manager = Defect::new(
        "PE-23",
        "Manager left",
        "findings",
        "the lead of a sales team left 50 days ago; the team still reports to the lead",
    )
    .left(&lead.id)
    .on("identity", "", &report.id)
    .proof(
        LATEST,
        &[
            ("id", is(&report.id)),
            ("manager_id", is(&lead.id)),
            ("status", is("active")),
        ],
    );

    let p = company.at("legal", 15);
    let ended = Defect::new(
        "PE-24",
        "End date passed, still active",
        "findings",
        "the last day was 25 days ago; the roster still says active, so nothing was triggered",
    )
    .on("identity", "", &p.id)
    .now(
        format!("lastkey identities --where id={}", p.id),
        "status active, end_date 2026-10-26",
    )
    .proof(
        LATEST,
        &[
            ("id", is(&p.id)),
            ("status", is("active")),
            ("end_date", is("2026-10-26")),
        ],
    )
    .proof(
        "corp-ad/accounts.csv",
        &[("id", is(&p.login)), ("enabled", is("true"))],
    );

    let p = company.at("data", 35);
    let old = format!("{}-old", p.login);
    tables.change(
        ("corp-ad", "accounts"),
        ("id", &p.login),
        &[("identity_id", &p.id)],
    );
    tables.add(
        "corp-ad",
        "accounts",
        Row::of(&[
            ("system", "corp-ad"),
            ("id", &old),
            ("name", &p.name),
            ("kind", "human"),
            ("identity_id", &p.id),
            ("enabled", "true"),
            ("local_sign_in", "true"),
            ("privileged", "false"),
            ("created_at", &ago(900)),
            ("last_used_at", &ago(155)),
        ]),
    );
    let twice = Defect::new(
        "PE-38",
        "Came back, and the old account came too",
        "findings",
        "rehired 60 days ago with a new account; the one from before is enabled as well",
    )
    .on("identity", "", &p.id)
    .on("account", "corp-ad", &old)
    .proofs(
        "corp-ad/accounts.csv",
        &[
            ("identity_id", is(&p.id)),
            ("enabled", is("true")),
            ("kind", is("human")),
        ],
        2,
    )
    .proof(
        "corp-ad/accounts.csv",
        &[
            ("id", is(&old)),
            ("identity_id", is(&p.id)),
            ("enabled", is("true")),
        ],
    )
    .proof(
        LATEST,
        &[
            ("id", is(&p.id)),
            ("status", is("active")),
            ("start_date", is(&day(60).to_string())),
        ],
    );

    let p = company.at("retail", 15);
    let absent = Defect::new(
        "PE-39",
        "Never came, account enabled",
        "findings",
        "should have started 45 days ago, is still pending; the account waits, enabled",
    )
    .on("identity", "", &p.id)
    .on("account", "corp-ad", &p.login)
    .now(
        format!("lastkey identities --where id={}", p.id),
        "status pending with a start_date in the past",
    )
    .proof(
        LATEST,
        &[
            ("id", is(&p.id)),
            ("status", is("pending")),
            ("start_date", Want::Before("2026-11-20".to_owned())),
        ],
    )
    .proof(
        "corp-ad/accounts.csv",
        &[("id", is(&p.login)), ("enabled", is("true"))],
    );
    vec![moved, manager, ended, twice, absent]
}
