//! What a plan covers of what was read.

use super::*;

const WORLD: &[(&str, &str)] = &[
    ("identities", "id,kind\np,person\nw,workload\nq,person\n"),
    (
        "accounts",
        "system,id,identity_id,enabled,privileged,local_sign_in,kind\n\
         ad,ann,p,true,false,true,human\n\
         ad,root,p,true,true,true,human\n\
         ad,unsure,q,true,,true,human\n\
         ad,off,q,false,false,true,human\n\
         aws,bot,w,true,false,true,service\n",
    ),
    ("entitlements", "system,id\nad,staff\naws,billing\n"),
    (
        "grants",
        "system,entitlement_id,principal_type,principal_id\n\
         ad,staff,account,ann\nad,staff,account,off\naws,billing,account,bot\n",
    ),
    (
        "credentials",
        "system,id,kind,account_id,enabled\n\
         ad,pw,password,ann,true\nad,old,password,off,true\n\
         aws,key,access_key,bot,true\naws,tok,token,bot,true\n",
    ),
    (
        "locations",
        "system,path,credential_system,credential_id\nvault,/k,aws,key\n",
    ),
    (
        "readers",
        "system,path,principal_type,principal_system,principal_id\nvault,/k,account,ad,ann\n",
    ),
];

/// The cells as lines: event, system, what, in time, late, never, unknown.
fn covered(plan: &str) -> Vec<String> {
    let graph = Graph::build(&snapshot(WORLD.iter().copied()));
    let plan = Plan::parse(plan).unwrap();
    let settings = RehearsalSettings::default();
    let cells = reached_by_plan(&graph, &plan, moment("2026-06-01T00:00:00Z"), &settings);
    let lines = cells.into_iter().map(|cell| {
        let Reached {
            in_time,
            late,
            never,
            unknown,
        } = cell.reached;
        let (event, system, thing) = (cell.event.word(), cell.system, cell.thing.words());
        format!("{event} {system} {thing}: {in_time} {late} {never} {unknown}")
    });
    lines.collect()
}

#[test]
fn an_empty_plan_covers_nothing_of_what_works() {
    assert_eq!(
        covered(""),
        [
            "leaver ad sign-in: 0 0 3 0",
            "leaver ad grants: 0 0 1 0",
            "leaver ad own credentials: 0 0 1 0",
            "leaver vault reader lines: 0 0 1 0",
            "leaver vault readable secrets: 0 0 1 0",
            "workload_retired aws sign-in: 0 0 1 0",
            "workload_retired aws grants: 0 0 1 0",
            "workload_retired aws own credentials: 0 0 0 1",
            "workload_retired aws tokens: 0 0 0 1",
            "workload_retired vault readable secrets: 0 0 1 0",
        ]
    );
}

#[test]
fn each_thing_is_counted_where_a_step_closes_it() {
    let plan = "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nhow = \"automatic\"\n\
                within = \"15m\"\nprivileged = false\n\n\
                [[step]]\non = \"workload_retired\"\nsystem = \"aws\"\ndoes = \"delete_account\"\nwithin = \"3d\"\n\n\
                [[step]]\non = \"leaver\"\nsystem = \"vault\"\ndoes = \"rotate_known_secrets\"\nwithin = \"1h\"\n\
                identity_kind = \"person\"\n";
    assert_eq!(
        covered(plan),
        [
            // of one it is not known whether it is privileged, and the step asks
            "leaver ad sign-in: 1 0 1 1",
            "leaver ad grants: 0 0 1 0",
            // a password dies with its account
            "leaver ad own credentials: 1 0 0 0",
            "leaver vault reader lines: 0 0 1 0",
            "leaver vault readable secrets: 1 0 0 0",
            "workload_retired aws sign-in: 0 1 0 0",
            "workload_retired aws grants: 0 0 1 0",
            "workload_retired aws own credentials: 0 0 0 1",
            "workload_retired aws tokens: 0 0 0 1",
            // the rotation is for people
            "workload_retired vault readable secrets: 0 0 1 0",
        ]
    );
}

#[test]
fn what_a_system_declares_is_known() {
    let plan = "[[system]]\nname = \"aws\"\ncredentials_die_with_account = false\n\n\
                [[step]]\non = \"workload_retired\"\nsystem = \"*\"\ndoes = \"revoke_sessions\"\nwithin = \"1h\"\n\
                account_kind = \"service\"\n";
    let lines = covered(plan);
    let of_aws: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|l| l.contains(" aws "))
        .collect();
    assert_eq!(
        of_aws,
        [
            "workload_retired aws sign-in: 0 0 1 0",
            "workload_retired aws grants: 0 0 1 0",
            "workload_retired aws own credentials: 0 0 1 0",
            "workload_retired aws tokens: 1 0 0 0",
        ]
    );
}
