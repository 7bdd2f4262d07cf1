//! Errors of a plan by line and column; blast radius.

use super::*;

#[test]
fn plan_errors_name_their_place() {
    let cases = [
        (
            "[[step]]\nonn = \"leaver\"\n",
            (2, 1),
            "unknown key `onn` in [[step]]",
        ),
        ("[[stop]]\n", (1, 3), "unknown table `stop`"),
        (
            "[[step]]\non = \"gone\"\nsystem = \"*\"\n",
            (2, 6),
            "unknown word `gone` for `on`",
        ),
        (
            "\n[[limit]]\non = \"leaver\"\n",
            (2, 1),
            "[[limit]] has no `within`",
        ),
        (
            "[[limit]]\non = \"leaver\"\nwithin = \"15\"\n",
            (3, 10),
            "`15` is not a time",
        ),
        (
            "[[limit]]\non = \"leaver\"\nwithin = \"-1h\"\n",
            (3, 10),
            "`-1h` is a negative time",
        ),
        (
            "[[limit]]\non = \"leaver\"\nwithin = \"9999999999d\"\n",
            (3, 10),
            "`9999999999d` is longer than a hundred years",
        ),
        (
            "[[system]]\nname = \"AD\"\n",
            (2, 8),
            "`AD` is not the name of a system",
        ),
        (
            "[step]\non = \"leaver\"\n",
            (1, 1),
            "`step` is not a list of tables",
        ),
    ];
    for (plan, place, message) in cases {
        let error = Plan::parse(plan).unwrap_err();
        assert_eq!(
            ((error.line, error.column), error.message.as_str()),
            (place, message),
            "{plan}"
        );
        assert!(error.hint.is_some(), "{plan}");
    }
    let broken = Plan::parse("[[step]]\non = \n").unwrap_err();
    assert_eq!(broken.line, 2, "{broken}");
}

#[test]
fn blast_radius_of_an_identity_and_of_a_credential() {
    let more = [
        (
            "credentials",
            "system,id,kind,account_id,enabled\nad,k,password,svc,true\nad,own,token,ann,true\nad,off,secret,svc,false\n",
        ),
        (
            "locations",
            "system,path,credential_id\nad,/x,k\nad,/x,off\n",
        ),
        (
            "readers",
            "system,path,principal_type,principal_id\nad,/x,account,ann\n",
        ),
        (
            "grants",
            "system,principal_type,principal_id,entitlement_id,assignment\nad,account,svc,root,eligible\n",
        ),
    ];
    let graph = Graph::build(&snapshot(SMALL.iter().chain(&more).copied()));
    let at = moment("2026-06-01T00:00:00Z");
    let reach = |from| crate::access::reach(&graph, &from, at, |_| None);
    let lines = |from| {
        let items = reach(from).unwrap().items.into_iter();
        items
            .map(|item| item.path.join(" > "))
            .collect::<Vec<String>>()
    };
    use crate::access::ReachFrom;
    assert_eq!(
        lines(ReachFrom::Credential("ad".into(), "k".into())),
        [
            "credential ad:k > account ad:svc",
            "credential ad:k",
            "credential ad:k > account ad:svc > entitlement ad:root on ad:svc",
        ]
    );
    assert_eq!(
        lines(ReachFrom::Identity("ann".into())),
        [
            "account ad:ann",
            "account ad:ann > location ad:/x > credential ad:k > account ad:svc",
            "account ad:ann > location ad:/x > credential ad:k",
            "account ad:ann > location ad:/x > credential ad:off",
            "credential ad:own",
            "account ad:ann > location ad:/x > credential ad:k > account ad:svc > entitlement ad:root on ad:svc",
            "account ad:ann > location ad:/x",
        ]
    );
    let ann = reach(ReachFrom::Identity("ann".into())).unwrap();
    let words: Vec<&str> = ann.items[5]
        .links
        .iter()
        .map(|link| link.by.as_str())
        .collect();
    assert_eq!(
        words,
        [
            "signs in",
            "reads",
            "stands at",
            "opens",
            "holds (eligible)"
        ]
    );
    assert_eq!(
        ann.items[3].valid,
        Some(false),
        "known, whether valid or not"
    );
    assert!(reach(ReachFrom::Identity("nobody".into())).is_none());
}
