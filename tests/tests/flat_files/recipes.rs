//! Recipes from the command line: each sample is imported as it is, and gives the facts it holds.

use lastkey_tests::desk::Desk;
use serde_json::Value;
use std::path::Path;

/// The folder of a sample beside the connector.
fn sample(name: &str) -> String {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/flat-files/tests/recipes");
    folder.join(name).display().to_string()
}

fn imported(name: &str, recipe: &str) -> Desk {
    let desk = Desk::new();
    desk.expect(
        0,
        &["import", &sample(name), "--as", "x", "--recipe", recipe],
    );
    desk.expect(0, &["store", "check"]);
    desk
}

/// The cells of a table, a row for each line, unknown as `-`, days without their hours.
#[track_caller]
fn check(desk: &Desk, table: &str, columns: &[&str], expected: &[&str]) {
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text
            .split('T')
            .next()
            .filter(|day| day.len() == 10 && text.contains("T00:00:00Z/"))
            .map_or(text.clone(), str::to_owned),
        other => other.to_string(),
    };
    let mut rows: Vec<String> = desk
        .lines(0, &[table])
        .iter()
        .map(|row| {
            columns
                .iter()
                .map(|c| cell(row, c))
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    rows.sort();
    assert_eq!(rows, expected, "{table}");
}

#[test]
fn safes_of_cyberark_are_locations_with_readers_and_credentials() {
    let desk = imported("cyberark", "cyberark");
    let journal = desk.expect(0, &["journal", "x"]);
    let passed = "rows of `safe-members.csv` say nothing of grants (2 times)";
    assert!(journal.contains(passed), "{journal}");
    check(&desk, "accounts", &["id"], &["lena.novak", "tunde.okafor"]);
    check(
        &desk,
        "entitlements",
        &["id", "kind"],
        &[
            "Payments Operators | group",
            "safe:P-LEDGER | permission",
            "safe:P-PAYMENTS-DB | permission",
            "vault-auditors | group",
        ],
    );
    check(
        &desk,
        "readers",
        &["path", "principal_type", "principal_id"],
        &[
            "P-LEDGER | entitlement | safe:P-LEDGER",
            "P-PAYMENTS-DB | entitlement | safe:P-PAYMENTS-DB",
        ],
    );
    // A membership that expires is a grant that does.
    check(
        &desk,
        "grants",
        &[
            "entitlement_id",
            "principal_type",
            "principal_id",
            "expires_at",
        ],
        &[
            "safe:P-LEDGER | account | tunde.okafor | 2026-12-31T00:00:00Z",
            "safe:P-PAYMENTS-DB | account | lena.novak | -",
            "safe:P-PAYMENTS-DB | entitlement | Payments Operators | -",
        ],
    );
    check(
        &desk,
        "credentials",
        &["id", "kind", "created_at", "rotated_at"],
        &[
            "12_3 | password | 2024-01-01T00:00:00Z | 2025-11-05T00:00:00Z",
            "12_4 | ssh_key | 2024-01-01T00:00:00Z | 2024-11-01T00:00:00Z",
            "14_1 | password | 2024-01-01T00:00:00Z | 2023-01-01T00:00:00Z",
        ],
    );
    check(
        &desk,
        "locations",
        &["path", "credential_id", "kind"],
        &[
            "P-LEDGER | 14_1 | vault",
            "P-PAYMENTS-DB | 12_3 | vault",
            "P-PAYMENTS-DB | 12_4 | vault",
        ],
    );
}

#[test]
fn an_unload_of_racf_and_its_csv_give_the_same_facts() {
    for name in ["racf", "racf-csv"] {
        let desk = imported(name, "racf");
        check(
            &desk,
            "accounts",
            &[
                "id",
                "name",
                "enabled",
                "local_sign_in",
                "privileged",
                "last_used_at",
            ],
            &[
                "BATCH01 | NIGHTLY BATCH | true | false | false | 2026-11-20",
                "LNOVAK | LENA NOVÁK | true | true | false | 2026-11-18",
                "MHADDAD | MIRA HADDAD | false | true | false | 2025-02-27",
                "TOKAFOR | TUNDE OKAFOR | true | true | true | 2026-11-19",
            ],
        );
        check(
            &desk,
            "entitlements",
            &["id", "kind", "privileged"],
            &[
                "AUDITOR | permission | true",
                "BATCH | group | -",
                "OPERATIONS | permission | true",
                "PAYMENTS | group | -",
                "SPECIAL | permission | true",
                "SYS1 | group | -",
            ],
        );
        // The connection of MHADDAD is revoked.
        check(
            &desk,
            "grants",
            &["principal_id", "entitlement_id", "granted_at"],
            &[
                "BATCH01 | BATCH | 2009-06-01",
                "BATCH01 | OPERATIONS | -",
                "LNOVAK | PAYMENTS | 2014-02-11",
                "TOKAFOR | AUDITOR | -",
                "TOKAFOR | PAYMENTS | 2018-01-09",
                "TOKAFOR | SPECIAL | -",
                "TOKAFOR | SYS1 | 2011-05-20",
            ],
        );
        // A protected user has no password.
        check(
            &desk,
            "credentials",
            &["id", "account_id", "rotated_at"],
            &[
                "LNOVAK | LNOVAK | 2026-10-30",
                "MHADDAD | MHADDAD | 2025-01-14",
                "TOKAFOR | TOKAFOR | 2026-11-02",
            ],
        );
    }
}

#[test]
fn tables_of_sap_become_accounts_roles_and_who_holds_them_without_the_hashes() {
    let desk = imported("sap", "sap");
    check(
        &desk,
        "accounts",
        &["id", "kind", "enabled", "local_sign_in", "expires_at"],
        &[
            "LNOVAK | human | true | true | -",
            "MHADDAD | human | false | true | 2025-02-28",
            "REF_CLERK | system | true | false | -",
            "RFC_LEDGER | system | true | true | -",
            "TOKAFOR | human | true | true | -",
        ],
    );
    check(
        &desk,
        "entitlements",
        &["id", "name"],
        &[
            "ZC_CLERK | Clerk of payments",
            "ZS_POST | Post a payment",
            "ZS_SHOW | Show payments",
            "Z_BASIS | Administration of the system",
        ],
    );
    check(
        &desk,
        "grants",
        &[
            "principal_type",
            "principal_id",
            "entitlement_id",
            "expires_at",
        ],
        &[
            "account | LNOVAK | ZC_CLERK | -",
            "account | LNOVAK | ZS_POST | -",
            "account | MHADDAD | ZS_SHOW | 2025-02-28",
            "account | TOKAFOR | Z_BASIS | 2026-12-31",
            "entitlement | ZC_CLERK | ZS_POST | -",
            "entitlement | ZC_CLERK | ZS_SHOW | -",
        ],
    );
    for row in desk.lines(0, &["accounts"]) {
        assert!(!row.to_string().contains("7A3F9C0012D4E881"), "{row}");
    }
    let journal = desk.expect(0, &["journal", "x"]);
    assert!(
        journal.contains("`BCODE` seems to hold secret values and is not read"),
        "{journal}"
    );
}

#[test]
fn lists_of_the_information_system_of_sap_are_known_too() {
    let desk = imported("sap-suim", "sap");
    check(
        &desk,
        "accounts",
        &["id", "name", "enabled", "last_used_at", "expires_at"],
        &[
            "LNOVAK | Lena Novák | true | 2026-11-18 | -",
            "MHADDAD | Mira Haddad | false | 2025-02-27 | 2025-02-28",
        ],
    );
    check(&desk, "entitlements", &["id"], &["ZC_CLERK", "ZS_SHOW"]);
    check(
        &desk,
        "grants",
        &["principal_id", "entitlement_id", "expires_at"],
        &[
            "LNOVAK | ZC_CLERK | -",
            "LNOVAK | ZS_SHOW | 2026-12-31",
            "MHADDAD | ZS_SHOW | 2025-02-28",
        ],
    );
}

#[test]
fn three_lists_of_a_key_vault_are_one_kind_of_fact() {
    let desk = imported("azure-key-vault", "azure-key-vault");
    let vault = "https://kv-payments.vault.azure.net";
    check(
        &desk,
        "credentials",
        &["id", "kind", "enabled", "rotated_at", "environment"],
        &[
            &format!(
                "{vault}/certificates/gateway | certificate | true | 2026-01-10T00:00:00Z | -"
            ),
            &format!("{vault}/keys/wrap | secret | true | 2023-01-01T00:00:00Z | -"),
            &format!("{vault}/secrets/ledger-db | secret | true | 2026-10-30T02:00:00Z | prod"),
            &format!("{vault}/secrets/old-gateway | secret | false | 2021-05-05T12:00:00Z | prod"),
        ],
    );
    assert_eq!(desk.lines(0, &["locations"]).len(), 4);
}

#[test]
fn a_roster_of_workday_has_people_who_left_and_who_are_away() {
    let desk = imported("workday/workers.csv", "workday");
    check(
        &desk,
        "identities",
        &[
            "id",
            "display_name",
            "status",
            "manager_id",
            "end_date",
            "leaver_kind",
        ],
        &[
            "000020 | Tunde Okafor | active | - | - | -",
            "000174 | Lena Novák | active | 000020 | - | -",
            "000981 | Mira Haddad | inactive | 000020 | 2025-02-28 | voluntary",
            "C00412 | Jo Virtanen | on_leave | 000020 | - | -",
        ],
    );
}

#[test]
fn the_system_has_the_name_that_is_given_and_own_words_count_before_the_recipe() {
    let desk = Desk::new();
    let safes = sample("cyberark");
    let import = ["import", &safes, "--as", "x", "--recipe", "cyberark"];
    let own = [
        "--set",
        "system=pam-prod",
        "--map",
        "grants.principal_system==corp-ad",
    ];
    desk.expect(0, &[import.as_slice(), &own].concat());
    for row in desk.lines(0, &["grants"]) {
        assert_eq!(
            (&row["system"], &row["principal_system"]),
            (&"pam-prod".into(), &"corp-ad".into())
        );
    }
    desk.trouble(
        2,
        &["import", &safes, "--as", "y", "--recipe", "hal"],
        "hal",
    );
}

#[test]
fn a_recipe_is_suggested_where_none_was_named_and_another_finds_nothing() {
    let desk = Desk::new();
    desk.trouble(3, &["import", &sample("sap"), "--as", "x"], "--recipe sap");
    desk.trouble(
        3,
        &["import", &sample("workday/workers.csv"), "--as", "y"],
        "--recipe workday",
    );
    let told = ["import", &sample("sap"), "--as", "z", "--recipe", "racf"];
    desk.trouble(3, &told, "holds none of the extracts of the recipe `racf`");
}

#[test]
fn a_second_import_with_a_file_less_tells_what_is_gone() {
    let desk = Desk::new();
    for file in ["USR02", "AGR_DEFINE", "AGR_AGRS", "AGR_USERS"] {
        let text = std::fs::read(format!("{}/{file}.csv", sample("sap"))).unwrap();
        desk.write(&format!("in/{file}.csv"), text);
    }
    let folder = desk.room.path("in").display().to_string();
    let import = ["import", &folder, "--as", "x", "--recipe", "sap"];
    desk.expect(0, &import);
    desk.write(
        "in/AGR_AGRS.csv",
        "MANDT,AGR_NAME,CHILD_AGR\n100,ZC_CLERK,ZS_POST\n",
    );
    let (_, out, err) = desk.run(&import);
    assert!(out.contains("grant"), "{out}{err}");
    let nested: Vec<Value> = desk.lines(0, &["grants", "--where", "principal_id=ZC_CLERK"]);
    assert_eq!(nested.len(), 1, "{out}{err}");
}

#[test]
fn a_file_of_other_things_does_not_silently_become_persons() {
    let desk = Desk::new();
    let accounts = desk.write(
        "accts.csv",
        "id,safeName,userName,platformId,name,secretType,createdTime\n12_3,PAY,svc,Win,svc-pay,password,1546300800\n",
    );
    let import = ["import", &accounts, "--as", "ff"];
    let told = desk.trouble(3, &import, "a recipe knows: cyberark");
    let hint = format!("type: lastkey import {accounts} --as NAME --recipe cyberark");
    assert!(told.contains(&hint), "{told}");
    desk.expect(0, &[&import[..], &["--recipe", "cyberark"]].concat());
    assert_eq!(desk.lines(0, &["identities"]), Vec::<Value>::new());
    // What no recipe knows and nothing of says persons.
    let hosts = desk.write("hosts.csv", "id,address,rack\nh1,127.0.0.1,3\n");
    let import = ["import", &hosts, "--as", "hosts"];
    let told = desk.trouble(
        3,
        &import,
        "`hosts.csv` does not look like a list of persons",
    );
    assert!(told.contains("--file accounts (or identities)"), "{told}");
    let said = [&import[..], &["--file", "identities"]].concat();
    assert_eq!(desk.lines(0, &said)[0]["state"], "complete");
}
