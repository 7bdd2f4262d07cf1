//! Defects of claims: what the provisioning process said, and what is so.

use super::calendar::ago;
use super::company::Company;
use super::defect::{Defect, Want, is};
use super::table::{Row, Tables};

/// Changes the leaver's claim for one system.
fn claim(
    tables: &mut Tables,
    id: &str,
    system: &str,
    account: &str,
    cells: &[(&'static str, &str)],
) {
    let row = Row::of(&[
        ("id", id),
        ("system", system),
        ("event", "leaver"),
        ("account_id", account),
        ("action", "disable_account"),
        ("closed_by", "provisioning"),
    ])
    .with("requested_at", ago(30))
    .with("closed_at", ago(26));
    let row = cells
        .iter()
        .fold(row, |row, (column, value)| row.with(column, *value));
    tables.add("provisioning", "tasks", row);
}

/// What the provisioning process said, and what is so.
pub(super) fn plant(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let mut defects = Vec::new();
    for (id, title, slug, position, system, task, cells, planted, gap) in [
        (
            "PE-19",
            "Claimed done and still open",
            "data",
            25,
            "code-host",
            "T90019",
            [("status", "done"), ("retries", "0"), ("override", "")],
            "the task to disable a leaver's account is done; the account is enabled with a sign-in of its own",
            "claimed done, and open after that",
        ),
        (
            "PE-20",
            "Retried out and reported as success",
            "security",
            15,
            "corp-ad",
            "T90020",
            [("status", "done"), ("retries", "5"), ("override", "")],
            "five retries, then reported as done; the directory account is still enabled",
            "reported as done after retries, and open after that",
        ),
        (
            "PE-21",
            "Skipped step of a closed offboarding",
            "payments",
            25,
            "cloud",
            "T90021",
            [("status", "skipped"), ("retries", "0"), ("override", "")],
            "the step for the cloud was skipped and the offboarding closed; the account works",
            "not done, the case closed all the same",
        ),
        (
            "PE-33",
            "Manual override keeps a leaver's account",
            "treasury",
            15,
            "corp-ad",
            "T90033",
            [
                ("status", "skipped"),
                ("retries", "0"),
                ("override", "kept for year-end closing, by phone"),
            ],
            "somebody overrode the step by phone; nobody looked again",
            "overridden, and open after that",
        ),
    ] {
        let p = company.at(slug, position);
        tables.change(
            (system, "accounts"),
            ("id", &p.login),
            &[
                ("enabled", "true"),
                ("local_sign_in", "true"),
                ("disabled_at", ""),
                ("last_used_at", &ago(1)),
            ],
        );
        let password = format!("pw-{}", p.login);
        tables.change(
            ("corp-ad", "credentials"),
            ("id", &password),
            &[(
                "enabled",
                if system == "corp-ad" { "true" } else { "false" },
            )],
        );
        // The claim stands alone: the task that went well is not there for this system.
        tables.drop_where(
            "provisioning",
            "tasks",
            &[
                ("account_id", &p.login),
                ("system", system),
                ("event", "leaver"),
            ],
        );
        claim(tables, task, system, &p.login, &[("identity_id", &p.id)]);
        tables.change(("provisioning", "tasks"), ("id", task), &cells);
        let [status, retries, overridden] = cells.map(|(column, value)| {
            (
                column,
                if value.is_empty() {
                    Want::Empty
                } else {
                    is(value)
                },
            )
        });
        defects.push(
            Defect::new(id, title, "measured revocation", planted)
                .now(
                    format!("lastkey leavers --identity {}", p.id),
                    format!("`account {system}:{}`: {gap}", p.login),
                )
                .left(&p.id)
                .on("account", system, &p.login)
                .on("task", "", task)
                .proof(
                    "provisioning/tasks.csv",
                    &[
                        ("id", is(task)),
                        ("identity_id", is(&p.id)),
                        status,
                        retries,
                        overridden,
                    ],
                )
                .proof(
                    &format!("{system}/accounts.csv"),
                    &[
                        ("id", is(&p.login)),
                        ("enabled", is("true")),
                        ("local_sign_in", is("true")),
                    ],
                ),
        );
    }
    defects
}
