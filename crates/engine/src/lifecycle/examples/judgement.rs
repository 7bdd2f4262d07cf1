//! Limits, severities, reasons, and what breaks.

use super::*;

#[test]
fn limits_and_severities() {
    let more = [(
        "accounts",
        "system,id,identity_id,enabled,local_sign_in,privileged,environment\n\
          crm,p,ann,true,true,true,\ncrm,b,bob,true,true,,Production\n",
    )];
    let world = snapshot(SMALL.iter().chain(&more).copied());
    let limits = "[[limit]]\non = \"leaver\"\nwithin = \"2h\"\n\
        [[limit]]\non = \"leaver\"\nwithin = \"3h\"\nsystem = \"crm\"\n\
        [[limit]]\non = \"leaver\"\nwithin = \"1h\"\nprivileged = false\nsystem = \"crm\"\n";
    let disable = |within| step("disable_account", within);
    // what, plan, who, item, limit, where from, severity
    let cases = [
        (
            "never and privileged",
            String::new(),
            "ann",
            "p",
            "02T00:00",
            "voluntary leaver",
            Severity::Critical,
        ),
        (
            "never",
            String::new(),
            "ann",
            "ann",
            "02T00:00",
            "voluntary leaver",
            Severity::High,
        ),
        (
            "privileged and late",
            disable("25h"),
            "ann",
            "p",
            "02T00:00",
            "voluntary leaver",
            Severity::High,
        ),
        (
            "late",
            disable("25h"),
            "ann",
            "ann",
            "02T00:00",
            "voluntary leaver",
            Severity::Medium,
        ),
        (
            "in time",
            disable("24h"),
            "ann",
            "ann",
            "02T00:00",
            "voluntary leaver",
            Severity::Low,
        ),
        (
            "a third party is one step higher",
            disable("1h"),
            "acme",
            "bob",
            "01T01:00",
            "third-party exit",
            Severity::Medium,
        ),
        (
            "production",
            String::new(),
            "bob",
            "b",
            "02T00:00",
            "voluntary leaver",
            Severity::Critical,
        ),
        (
            "the limit with more conditions",
            format!("{}{limits}", disable("1h")),
            "ann",
            "p",
            "01T03:00",
            "plan",
            Severity::Low,
        ),
        (
            "a condition on something unknown is not met",
            format!("{}{limits}", disable("1h")),
            "bob",
            "b",
            "01T03:00",
            "plan",
            Severity::Low,
        ),
        (
            "the limit without conditions",
            format!("{}{limits}", disable("1h")),
            "ann",
            "ann",
            "01T02:00",
            "plan",
            Severity::Low,
        ),
    ];
    for (why, plan, who, id, limit, source, severity) in cases {
        let found = rehearse(&world, &plan, who);
        let item = found.residual.iter().find(|item| item.id == id).unwrap();
        let limit_at = item.limit_at.to_text();
        let limit_at = limit_at
            .trim_start_matches("2026-06-")
            .trim_end_matches(":00Z");
        assert_eq!(
            (limit_at, item.limit_source.as_str(), item.severity),
            (limit, source, severity),
            "{why}"
        );
        assert_eq!(
            item.would_close.is_some(),
            item.closes_at > item.limit_at,
            "{why}"
        );
    }
}

/// A secret that is read by two accounts of the leaver, of which one is only taken to be enabled.
#[test]
fn of_equally_short_paths_the_best_known_counts() {
    let guessed = "system,id,identity_id,enabled,local_sign_in,kind\nad,aaa,ann,,true,human\n";
    let secret = [
        ("accounts", guessed),
        (
            "credentials",
            "system,id,kind,account_id,enabled\nad,k,password,svc,true\n",
        ),
        ("locations", "system,path,credential_id\nad,/x,k\n"),
    ];
    let reads = |who: &[&str]| {
        let rows = who.iter().map(|who| format!("ad,/x,account,{who}\n"));
        let rows: String = rows.collect();
        format!("system,path,principal_type,principal_id\n{rows}")
    };
    let plan = format!(
        "{}[[limit]]\non = \"leaver\"\nwithin = \"24h\"\n",
        step("disable_account", "1h")
    );
    for (who, basis, verdict) in [
        (["aaa"].as_slice(), Basis::Assumed, Verdict::Indeterminate),
        (&["aaa", "ann"], Basis::Observed, Verdict::Fail),
        (&["ann"], Basis::Observed, Verdict::Fail),
    ] {
        let readers = reads(who);
        let more = [("readers", readers.as_str())];
        let rows = SMALL.iter().chain(&secret).chain(&more);
        let found = rehearse(&snapshot(rows.copied()), &plan, "ann");
        let of = |kind, id: &str| {
            let mut items = found.residual.iter();
            items
                .find(|item| item.kind == kind && item.id == id)
                .unwrap()
        };
        let place = of(ItemKind::Location, "/x");
        assert_eq!(place.basis, basis, "{who:?}: the place");
        let first = who.last().unwrap();
        assert_eq!(place.path[0], format!("account ad:{first}"), "{who:?}");
        let known = of(ItemKind::Credential, "k");
        assert_eq!(known.basis, basis, "{who:?}: the secret");
        assert_eq!(known.known_through[0].id, *first, "{who:?}");
        assert_eq!(of(ItemKind::Account, "svc").basis, basis, "{who:?}");
        assert_eq!(found.verdict, verdict, "{who:?}");
    }
}

#[test]
fn every_item_says_why() {
    let more = [
        (
            "credentials",
            "system,id,kind,account_id,enabled\nad,k,password,svc,true\n",
        ),
        ("locations", "system,path,credential_id\nad,/x,k\n"),
        (
            "readers",
            "system,path,principal_type,principal_id\nad,/x,account,ann\n",
        ),
    ];
    let world = snapshot(SMALL.iter().chain(&more).copied());
    let early = format!(
        "{}{}",
        step("disable_account", "1h"),
        step("rotate_known_secrets", "5m")
    );
    let found = rehearse(&world, &early, "ann");
    let said = |id: &str| {
        let item = found.residual.iter().find(|item| item.id == id).unwrap();
        let known = item.known_through.iter().map(|link| link.by.as_str());
        (
            item.reason.as_str(),
            item.path.join(" > "),
            known.collect::<Vec<_>>().join(", "),
        )
    };
    let wanted = [
        (
            "ann",
            "signing in to account ad:ann ends by the plan: disable_account, within 1 h",
            "account ad:ann",
            "",
        ),
        (
            "svc",
            "credential ad:k is rotated while still readable, so its successor is known too",
            "credential ad:k > account ad:svc",
            "signs in, reads, stands at",
        ),
        (
            "/x",
            "signing in to account ad:ann ends by the plan: disable_account, within 1 h",
            "account ad:ann > location ad:/x",
            "",
        ),
    ];
    for (id, reason, path, known) in wanted {
        assert_eq!(
            said(id),
            (reason, path.to_owned(), known.to_owned()),
            "{id}"
        );
    }
}

#[test]
fn what_breaks() {
    let more = [
        (
            "accounts",
            "system,id,identity_id,enabled,local_sign_in,kind,signs_in_through_system,signs_in_through_id\n\
          crm,team,,true,false,shared,ad,ann\nci,robot,,true,true,service,,\n",
        ),
        (
            "credentials",
            "system,id,kind,account_id,enabled,created_by\nad,k,password,svc,true,\nad,t,token,svc,true,ann\n",
        ),
        (
            "locations",
            "system,path,credential_system,credential_id,kind\nad,/x,,k,vault\nci,/var,ad,k,ci_variable\n",
        ),
        (
            "readers",
            "system,path,principal_type,principal_id\nad,/x,account,ann\n",
        ),
        (
            "owners",
            "object_type,system,object_id,owner_id,role\nidentity,,bot,ann,technical\n\
          account,ci,robot,ann,technical\naccount,ci,robot,bob,business\n",
        ),
    ];
    let world = snapshot(SMALL.iter().chain(&more).copied());
    let plan = format!(
        "{}{}",
        step("disable_account", "1h"),
        step("rotate_known_secrets", "2h")
    );
    let found = rehearse(&world, &plan, "ann");
    let lines = found.breaks.iter().map(|line| {
        let certainty = serde_json::to_value(line.certainty).unwrap();
        format!(
            "{}: {}, {}",
            certainty.as_str().unwrap(),
            line.what,
            line.when_closed
        )
    });
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "may_break: account ad:svc, credential ad:k",
            "will_break: account crm:team, account ad:ann",
            "may_break: credential ad:t, account ad:ann",
            "will_break: identity bot, identity ann",
            "may_break: location ci:/var, credential ad:k",
        ]
    );
    assert!(
        rehearse(&world, "", "svc").breaks.is_empty(),
        "nobody leaves"
    );
}
