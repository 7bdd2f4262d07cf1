//! `lastkey policy carried`: what people hold since before they moved, and since which change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

const POLICY: &str = r#"
@id("finance-ledger")
permit (principal, action == Action::"hold", resource == Entitlement::"erp:ledger")
when { principal has department && principal.department == "Finance" };

@id("ops-console")
permit (principal, action == Action::"hold", resource == Entitlement::"erp:console")
when { principal has department && principal.department == "Ops" };
"#;

fn roster(desk: &Desk, rows: &str) {
    desk.write(
        "hr/identities.csv",
        format!("id,kind,display_name,department\n{rows}"),
    );
    import(desk, "hr");
}

fn import(desk: &Desk, source: &str) {
    let folder = desk.room.path(source).display().to_string();
    let all = ["import", &folder, "--as", source, "--set", "hold_above=100"];
    desk.expect(0, &all);
}

/// Who carries what along, with the sync that showed the change and what changed.
fn carried(desk: &Desk, more: &[&str]) -> Vec<String> {
    let answer = desk
        .lines(0, &[&["policy", "carried"], more].concat())
        .remove(0);
    let people = answer["people"].as_array().unwrap().clone();
    let of_one = |one: Value| -> Vec<String> {
        let lines = one["carried"].as_array().unwrap().iter();
        let words = lines.map(|line| {
            format!(
                "{} {}:{} in {} by {} of {}",
                one["identity"].as_str().unwrap(),
                line["system"].as_str().unwrap(),
                line["id"].as_str().unwrap(),
                line["sync"],
                line["changed"],
                line["permitted_by"],
            )
        });
        words.collect()
    };
    people.into_iter().flat_map(of_one).collect()
}

#[test]
fn who_moved_carries_along_what_the_policy_gave_before_and_since_when() {
    let desk = Desk::new();
    roster(
        &desk,
        "ann,person,Ann,Finance\nben,person,Ben,Finance\ncat,person,Cat,Ops\n",
    );
    desk.write(
        "erp/accounts.csv",
        "system,id,identity_id\nerp,a,ann\nerp,b,ben\nerp,c,cat\n",
    );
    desk.write(
        "erp/entitlements.csv",
        "system,id,name,kind\nerp,ledger,Ledger,role\nerp,console,Console,role\n",
    );
    // Cat holds the ledger, which no policy ever gave her.
    desk.write(
        "erp/grants.csv",
        "system,entitlement_id,principal_type,principal_system,principal_id\n\
         erp,ledger,account,erp,a\nerp,ledger,account,erp,b\nerp,ledger,account,erp,c\n",
    );
    import(&desk, "erp");
    let policy = desk.write("policy.cedar", POLICY);
    desk.trouble(3, &["policy", "carried"], "no access policy is loaded");
    desk.expect(0, &["policy", "load", &policy]);
    assert!(carried(&desk, &[]).is_empty());
    // Ann is renamed, then moves, and moves again: the first move took the right.
    roster(
        &desk,
        "ann,person,Ann B,Finance\nben,person,Ben,Finance\ncat,person,Cat,Ops\n",
    );
    roster(
        &desk,
        "ann,person,Ann B,Ops\nben,person,Ben,Finance\ncat,person,Cat,Ops\n",
    );
    roster(
        &desk,
        "ann,person,Ann B,Sales\nben,person,Ben,Finance\ncat,person,Cat,Sales\n",
    );
    let anns = "ann erp:ledger in 4 by [\"department\"] of [\"finance-ledger\"]";
    assert_eq!(carried(&desk, &[]), [anns]);
    assert_eq!(carried(&desk, &["--identity", "hr:ann"]), [anns]);
    assert!(carried(&desk, &["--identity", "ben"]).is_empty());
    let said = desk.expect(0, &["policy", "carried"]);
    assert!(
        said.contains("when department changed; permitted before by finance-ledger"),
        "{said}"
    );
    // Back in her place, she carries nothing.
    roster(
        &desk,
        "ann,person,Ann B,Finance\nben,person,Ben,Finance\ncat,person,Cat,Sales\n",
    );
    assert!(carried(&desk, &[]).is_empty());
    desk.trouble(2, &["policy", "carried", "--identity", "nobody"], "nobody");
}
