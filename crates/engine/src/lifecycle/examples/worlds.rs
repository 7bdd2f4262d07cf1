//! What is left and until when: the worlds of tests/examples to the letter, and smaller ones.

use super::*;
use crate::access::ReadState;
use chrono::TimeDelta;
use lastkey_contract::{Kind, SourceName, SystemName};
use serde_json::{Value, json};
use std::path::PathBuf;

#[test]
fn the_worked_examples_come_out_to_the_letter() {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/examples");
    for name in [
        "worked-example",
        "rotated-in-time",
        "rotated-too-early",
        "federated",
    ] {
        let folder = examples.join(name);
        let read = |file: &str| std::fs::read_to_string(folder.join(file));
        let stems = Kind::ALL.map(|kind| kind.plural());
        let files: Vec<(&str, String)> = stems
            .into_iter()
            .filter_map(|stem| Some((stem, read(&format!("{stem}.csv")).ok()?)))
            .collect();
        let world = snapshot(files.iter().map(|(stem, text)| (*stem, text.as_str())));
        let found = rehearse(&world, &read("plan.toml").unwrap(), "ann");
        let found = serde_json::to_value(&found).unwrap();
        let wanted: Value = serde_json::from_str(&read("expected.json").unwrap()).unwrap();
        for key in ["identity", "event", "at"] {
            assert_eq!(found[key], wanted[key], "{name}: {key}");
        }
        let short = |item: &Value| {
            json!({"kind": item["kind"], "system": item["system"], "id": item["id"],
                "on_account": item["on_account"], "closes_at": item["closes_at"]})
        };
        let items = found["residual"].as_array().unwrap().iter().map(short);
        let items: Vec<Value> = items.collect();
        assert_eq!(json!(items), wanted["residual"], "{name}");
        // whether one signs in to pg:app locally is not known, and nothing else stays open there
        let verdict = match name {
            "federated" => "indeterminate",
            _ => "fail",
        };
        assert_eq!(found["verdict"], verdict, "{name}");
    }
}

#[test]
fn small_worlds() {
    let disable = step("disable_account", "1h");
    let both = format!("{disable}{}", step("rotate_known_secrets", "2h"));
    type Case<'a> = (
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a str,
        &'a str,
        &'a [&'a str],
    );
    let cases: &[Case<'_>] = &[
        (
            "only what can be signed in to at T counts; cycles and lost targets cannot",
            &[],
            "",
            "ann",
            &["account ad:ann never"],
        ),
        (
            "a step closes the sign-in",
            &[],
            &disable,
            "ann",
            &["account ad:ann 01T01:00"],
        ),
        (
            "a step within 0 leaves nothing",
            &[],
            &step("delete_account", "0s"),
            "ann",
            &[],
        ),
        (
            "a vendor exit takes its people along",
            &[],
            &disable,
            "acme",
            &["account ad:bob 01T01:00"],
        ),
        (
            "cycles of grants are legal, and an expired grant does not count",
            &[(
                "grants",
                "system,principal_type,principal_id,entitlement_id,expires_at\n\
               ad,account,ann,a,\nad,entitlement,a,b,2026-06-03T00:00:00Z\nad,entitlement,b,a,\n\
               ad,entitlement,b,c,2026-06-01T00:00:00Z\n",
            )],
            "",
            "ann",
            &[
                "account ad:ann never",
                "entitlement ad:a on ad:ann never",
                "entitlement ad:b on ad:ann 03T00:00",
            ],
        ),
        (
            "custody is knowledge, and equal fingerprints are one secret",
            &[
                (
                    "credentials",
                    "system,id,kind,account_id,fingerprint\nad,k1,password,svc,f:1\nad,k2,api_key,off,f:1\nad,k3,secret,,f:1\n",
                ),
                (
                    "owners",
                    "object_type,system,object_id,owner_id,role\ncredential,ad,k1,ann,custodian\n",
                ),
            ],
            &both,
            "ann",
            &[
                "account ad:ann 01T01:00",
                "account ad:off never",
                "account ad:svc 01T02:00",
                "credential ad:k1 01T02:00",
                "credential ad:k2 never",
                "credential ad:k3 01T02:00",
            ],
        ),
        (
            "control needs the controlled account to be open to sign-in",
            &[(
                "controls",
                "system,account_id,principal_type,principal_id,means\nad,svc,account,ann,assume\nad,lost,account,ann,assume\n",
            )],
            &disable,
            "ann",
            &["account ad:ann 01T01:00", "account ad:svc 01T01:00"],
        ),
        (
            "removing grants ends reader lines and control lines of the leaver",
            &[
                (
                    "controls",
                    "system,account_id,principal_type,principal_id,means\nad,svc,account,ann,assume\n",
                ),
                (
                    "readers",
                    "system,path,principal_type,principal_id\nad,/x,account,ann\n",
                ),
            ],
            &step("remove_grants", "30m"),
            "ann",
            &[
                "account ad:ann never",
                "account ad:svc 01T00:30",
                "location ad:/x 01T00:30",
            ],
        ),
        (
            "a rotation has effect once every place of the credential has closed",
            &[
                (
                    "credentials",
                    "system,id,kind,account_id\nad,k,password,svc\n",
                ),
                ("locations", "system,path,credential_id\nad,/x,k\nad,/y,k\n"),
                (
                    "readers",
                    "system,path,principal_type,principal_id\nad,/x,account,ann\n",
                ),
            ],
            &format!(
                "{disable}{}{}",
                step("rotate_known_secrets", "30m"),
                step("rotate_known_secrets", "3h")
            ),
            "ann",
            &[
                "account ad:ann 01T01:00",
                "account ad:svc 01T03:00",
                "credential ad:k 01T03:00",
                "location ad:/x 01T01:00",
            ],
        ),
    ];
    for (why, more, plan, who, wanted) in cases {
        let mut found = left(more, plan, who);
        found.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{why}");
    }
}

#[test]
fn the_event_is_the_leavers_kind() {
    let world = snapshot(SMALL.iter().copied());
    for (who, event) in [
        ("ann", "leaver"),
        ("acme", "vendor_exit"),
        ("bot", "workload_retired"),
    ] {
        assert_eq!(rehearse(&world, "", who).event.word(), event, "{who}");
    }
    let bot = rehearse(&world, "", "bot");
    let bases: Vec<Basis> = bot.residual.iter().map(|item| item.basis).collect();
    assert_eq!(
        bases,
        [Basis::Assumed],
        "whether the account is enabled is not known"
    );
    assert_eq!(
        bot.verdict,
        Verdict::Indeterminate,
        "only an assumed item exceeds"
    );
}

#[test]
fn pass_needs_complete_and_fresh_reads() {
    let at = moment("2026-06-01T00:00:00Z");
    let read = |kind, gaps: &[&str], hours| ReadState {
        source: SourceName::new("files"),
        kind,
        systems: vec![SystemName::new("ad")],
        complete_at: Some(at - TimeDelta::hours(hours)),
        gaps: gaps.iter().map(|gap| (*gap).to_owned()).collect(),
        fresh_for_seconds: None,
        removed: false,
        supplement: false,
    };
    let mut world = snapshot(SMALL.iter().copied());
    let plan = step("disable_account", "1h");
    world.reads = Kind::ALL.map(|kind| read(kind, &[], 24)).to_vec();
    let found = rehearse(&world, &plan, "ann");
    assert_eq!(
        (found.verdict, found.missing_facts),
        (Verdict::Pass, Vec::<String>::new())
    );
    world.reads = Kind::ALL.map(|kind| read(kind, &[], 25)).to_vec();
    assert_eq!(
        rehearse(&world, &plan, "ann").verdict,
        Verdict::Indeterminate,
        "stale"
    );
    // Of a day ahead no read can be had: those of today count, if they are fresh today.
    let ahead = at + TimeDelta::days(9);
    for (settings, hours, verdict) in [
        (RehearsalSettings::as_of(at), 24, Verdict::Pass),
        (RehearsalSettings::as_of(at), 25, Verdict::Indeterminate),
        (RehearsalSettings::default(), 24, Verdict::Indeterminate),
    ] {
        world.reads = Kind::ALL.map(|kind| read(kind, &[], hours)).to_vec();
        let graph = Graph::build(&world);
        let leaver = Leaver::Identity("ann".into());
        let plan = Plan::parse(&plan).unwrap();
        let found = rehearse_leaver(&graph, &plan, &leaver, ahead, &settings);
        assert_eq!(found.verdict, verdict, "{hours} {:?}", settings.now);
    }
    world.reads = Kind::ALL
        .map(|kind| read(kind, &["a page failed"], 1))
        .to_vec();
    let found = rehearse(&world, &plan, "ann");
    assert_eq!(found.verdict, Verdict::Indeterminate, "incomplete");
    assert_eq!(found.missing_facts.len(), 9, "{:?}", found.missing_facts);
    assert_eq!(
        rehearse(&world, "", "ann").verdict,
        Verdict::Fail,
        "an observed item never closes"
    );
}

#[test]
fn whoever_leaves_could_be_in_a_group_or_have_an_account_that_nobody_reads() {
    let at = moment("2026-06-01T00:00:00Z");
    let reader = "system,path,principal_type,principal_system,principal_id\nad,/p,KIND,hq,staff\n";
    let reads = |systems: &[&str]| {
        let read = |kind| ReadState {
            source: SourceName::new("files"),
            kind,
            systems: systems.iter().map(|name| SystemName::new(*name)).collect(),
            complete_at: Some(at),
            gaps: Vec::new(),
            fresh_for_seconds: None,
            removed: false,
            supplement: false,
        };
        Kind::ALL.map(read).to_vec()
    };
    let unread = "no source reads grants of `hq`".to_owned();
    let nobodys = "no source reads accounts of `hq`".to_owned();
    for (kind, systems, missing) in [
        ("entitlement", &["ad"][..], vec![unread]),
        ("entitlement", &["ad", "hq"], vec![]),
        ("account", &["ad"], vec![nobodys]),
        ("account", &["ad", "hq"], vec![]),
    ] {
        let reader = reader.replace("KIND", kind);
        let more = [("readers", reader.as_str())];
        let mut world = snapshot(SMALL.iter().chain(&more).copied());
        world.reads = reads(systems);
        let found = rehearse(&world, &step("disable_account", "1h"), "ann");
        assert_eq!(found.missing_facts, missing, "{kind} {systems:?}");
        let passes = found.verdict == Verdict::Pass;
        assert_eq!(passes, missing.is_empty(), "{kind} {systems:?}");
    }
}

#[test]
fn the_decay_curve_falls_to_the_floor() {
    let world = snapshot(SMALL.iter().copied());
    let found = rehearse(&world, &step("disable_account", "1h"), "ann");
    let curve = decay_curve(&found, TimeDelta::days(90));
    let points: Vec<(i64, u64)> = curve
        .iter()
        .map(|p| (p.after_seconds, p.accounts))
        .collect();
    assert_eq!(points, [(0, 1), (3_600, 0), (7_776_000, 0)]);
}
