//! Defects of non-human identities: owners, tools, rights, sign-ins.

use super::access::{Right, entitlement, grant};
use super::calendar::ago;
use super::company::Company;
use super::defect::{Defect, LATEST, Want, is};
use super::machines::{workload, workload_id};
use super::table::{Row, Tables};

pub(super) fn plant(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let mut defects = owners(company, tables);
    defects.extend(behaviour(tables));
    defects
}

const REGISTRY: &str = "workload-registry/owners.csv";

fn owned_by(tables: &mut Tables, identity: &str, owners: &[(&str, &str)]) {
    tables.drop_where("workload-registry", "owners", &[("object_id", identity)]);
    for (role, owner) in owners {
        tables.add(
            "workload-registry",
            "owners",
            Row::of(&[
                ("object_type", "identity"),
                ("object_id", identity),
                ("owner_id", owner),
                ("role", role),
            ]),
        );
    }
}

/// Nobody answers, or nobody who is there any more.
fn owners(company: &Company, tables: &mut Tables) -> Vec<Defect> {
    let nobody = workload_id(7);
    owned_by(tables, &nobody, &[]);
    let none = Defect::new(
        "PE-06",
        "Workload without an owner",
        "findings",
        "no owner of any kind",
    )
    .on("identity", "", &nobody)
    .now(
        format!("lastkey owners --where object_id={nobody}"),
        "no line",
    )
    .proof("workload-registry/identities.csv", &[("id", is(&nobody))])
    .proofs(REGISTRY, &[("object_id", is(&nobody))], 0);

    let leaver = company.at("it-operations", 15);
    let orphaned = workload_id(11);
    owned_by(
        tables,
        &orphaned,
        &[("business", &leaver.id), ("technical", &leaver.id)],
    );
    let left = Defect::new(
        "PE-07",
        "Owner left",
        "findings",
        "both owners are one person, who left 90 days ago",
    )
    .left(&leaver.id)
    .on("identity", "", &orphaned)
    .now(
        format!("lastkey rehearse leaver --identity {}", leaver.id),
        format!("breaks: `identity {orphaned}` loses its last owner"),
    )
    .proofs(
        REGISTRY,
        &[("object_id", is(&orphaned)), ("owner_id", is(&leaver.id))],
        2,
    )
    .proofs(REGISTRY, &[("object_id", is(&orphaned))], 2);

    let half = workload_id(13);
    let lead = company.at("data", 20);
    owned_by(tables, &half, &[("technical", &lead.id)]);
    let no_business = Defect::new(
        "PE-08",
        "Workload without a business owner",
        "findings",
        "somebody knows how it works, nobody answers for it",
    )
    .on("identity", "", &half)
    .proofs(
        REGISTRY,
        &[("object_id", is(&half)), ("role", is("business"))],
        0,
    )
    .proof(
        REGISTRY,
        &[("object_id", is(&half)), ("role", is("technical"))],
    );

    owned_by(tables, "ag-0007", &[]);
    let agent = Defect::new(
        "PE-27",
        "AI agent without an owner",
        "findings",
        "an agent with a key of its own belongs to nobody",
    )
    .on("identity", "", "ag-0007")
    .now("lastkey owners --where object_id=ag-0007", "no line")
    .proof(
        "workload-registry/identities.csv",
        &[("id", is("ag-0007")), ("kind", is("agent"))],
    )
    .proofs(REGISTRY, &[("object_id", is("ag-0007"))], 0);

    let away = company.at("platform", 45);
    let waiting = workload_id(17);
    owned_by(
        tables,
        &waiting,
        &[("business", &away.id), ("technical", &away.id)],
    );
    let on_leave = Defect::new(
        "PE-35",
        "Only owner is away",
        "findings",
        "both owners are one person, who has been on leave for five months",
    )
    .on("identity", "", &waiting)
    .on("identity", "", &away.id)
    .proof(LATEST, &[("id", is(&away.id)), ("status", is("on_leave"))])
    .proofs(
        REGISTRY,
        &[("object_id", is(&waiting)), ("owner_id", is(&away.id))],
        2,
    );

    let custodian = company.at("security", 25);
    tables.add(
        "corp-ad",
        "owners",
        Row::of(&[
            ("object_type", "credential"),
            ("system", "corp-ad"),
            ("object_id", "pw-breakglass-2"),
            ("owner_id", &custodian.id),
            ("role", "custodian"),
        ]),
    );
    tables.change(
        ("corp-ad", "credentials"),
        ("id", "pw-breakglass-2"),
        &[("rotated_at", &ago(200))],
    );
    let custody = Defect::new(
        "PE-36",
        "Custodian of an emergency password left",
        "",
        "a leaver knew the emergency password, which was last changed long before",
    )
    .left(&custodian.id)
    .on("credential", "corp-ad", "pw-breakglass-2")
    .now(
        format!("lastkey rehearse leaver --identity {}", custodian.id),
        "`credential corp-ad:pw-breakglass-2`, known by custody; closes after 14 days by a ticket, its limit is an hour",
    )
    .proof(
        "corp-ad/owners.csv",
        &[
            ("object_id", is("pw-breakglass-2")),
            ("owner_id", is(&custodian.id)),
            ("role", is("custodian")),
        ],
    )
    .proof(
        "corp-ad/credentials.csv",
        &[
            ("id", is("pw-breakglass-2")),
            ("rotated_at", Want::Before(ago(100))),
        ],
    );
    vec![none, left, no_business, agent, on_leave, custody]
}

/// Machines that do what they are not for.
fn behaviour(tables: &mut Tables) -> Vec<Defect> {
    grant(
        tables,
        ("code-host", "tool-merge"),
        "account",
        ("code-host", "agent-003"),
    );
    let tools = Defect::new(
        "PE-26",
        "AI agent with a tool beyond its task",
        "findings",
        "an agent that reads code and opens tickets may merge",
    )
    .on("identity", "", "ag-0003")
    .on("entitlement", "code-host", "tool-merge")
    .now(
        "lastkey grants --where entitlement_id=tool-merge",
        "one line: account `code-host:agent-003`",
    )
    .proof(
        "workload-registry/identities.csv",
        &[
            ("id", is("ag-0003")),
            ("allowed_tools", is("tool-read-code,tool-open-ticket")),
        ],
    )
    .proof(
        "code-host/grants.csv",
        &[
            ("principal_id", is("agent-003")),
            ("entitlement_id", is("tool-merge")),
        ],
    );

    tables.change(
        ("corp-ad", "accounts"),
        ("id", "svc-010"),
        &[("last_interactive_at", &ago(3))],
    );
    tables.add(
        "corp-ad",
        "sessions",
        Row::of(&[
            ("system", "corp-ad"),
            ("account_id", "svc-010"),
            ("id", "s-desk-svc-010"),
            ("started_at", &ago(3)),
            ("last_seen_at", &ago(3)),
        ]),
    );
    let interactive = Defect::new(
        "PE-28",
        "Person signs in as a service account",
        "findings",
        "a service account has an interactive session of three days ago",
    )
    .on("account", "corp-ad", "svc-010")
    .now(
        "lastkey accounts --where id=svc-010",
        "kind service, last_interactive_at 2026-11-17",
    )
    .proof(
        "corp-ad/accounts.csv",
        &[
            ("id", is("svc-010")),
            ("kind", is("service")),
            ("last_interactive_at", Want::After(ago(4))),
        ],
    )
    .proof("corp-ad/sessions.csv", &[("account_id", is("svc-010"))]);

    let account = format!("sa-{}", workload(19));
    entitlement(
        tables,
        "cloud",
        "project-owner",
        "role",
        Right::Privileged,
        "prod",
    );
    grant(
        tables,
        ("cloud", "administrator"),
        "entitlement",
        ("cloud", "project-owner"),
    );
    grant(
        tables,
        ("cloud", "project-owner"),
        "account",
        ("cloud", &account),
    );
    let over = Defect::new(
        "PE-40",
        "Development workload administers production",
        "findings",
        "a development workload owns a project and so is administrator of the cloud",
    )
    .on("identity", "", &workload_id(19))
    .on("account", "cloud", &account)
    .now(
        format!("lastkey reach --identity {}", workload_id(19)),
        format!("`entitlement cloud:administrator on cloud:{account}`"),
    )
    .proof(
        "cloud/accounts.csv",
        &[("id", is(&account)), ("environment", is("dev"))],
    )
    .proof(
        "cloud/grants.csv",
        &[
            ("principal_id", is(&account)),
            ("entitlement_id", is("project-owner")),
        ],
    )
    .proof(
        "cloud/grants.csv",
        &[
            ("principal_id", is("project-owner")),
            ("entitlement_id", is("administrator")),
        ],
    );
    vec![tools, interactive, over]
}
