//! AI agents: what they are for, their tools, and a key of the code host each.

use super::access::grant;
use super::company::Company;
use super::machines::{credential, owners, service_account, slug};
use super::seed::Seed;
use super::table::{Row, Tables};

/// One agent by its number.
pub(super) fn one_agent(seed: &mut Seed, company: &Company, tables: &mut Tables, number: usize) {
    let id = format!("ag-{number:04}");
    let deploys = number.is_multiple_of(10);
    let row = Row::of(&[("id", &id), ("kind", "agent"), ("status", "active")])
        .with(
            "display_name",
            format!("{} assistant {number}", slug(number)),
        )
        .with(
            "purpose",
            if deploys {
                "deploys what people approved"
            } else {
                "reads code and opens tickets"
            },
        )
        .with(
            "allowed_tools",
            if deploys {
                "tool-read-code,tool-open-ticket,tool-deploy"
            } else {
                "tool-read-code,tool-open-ticket"
            },
        )
        .with(
            "start_date",
            super::calendar::day(seed.between(30, 300)).to_string(),
        );
    tables.add("workload-registry", "identities", row);
    owners(
        tables,
        "workload-registry",
        ("identity", "", &id),
        company,
        number,
    );
    let account = format!("agent-{number:03}");
    tables.add(
        "code-host",
        "accounts",
        service_account("code-host", &account, &id, "prod", 120),
    );
    let key = credential(
        seed,
        "code-host",
        &format!("key-{account}"),
        "api_key",
        &account,
        "prod",
    );
    tables.add("code-host", "credentials", key);
    for tool in ["tool-read-code", "tool-open-ticket"] {
        grant(
            tables,
            ("code-host", tool),
            "account",
            ("code-host", &account),
        );
    }
    if deploys {
        grant(
            tables,
            ("code-host", "tool-deploy"),
            "account",
            ("code-host", &account),
        );
    }
}
