//! The rules of a source: what setting others does, and what they take of a value.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use lastkey_tests::desk::Desk;
use serde_json::Value;

fn explained(desk: &Desk, account: &str) -> Value {
    desk.lines(0, &["link", "explain", account]).remove(0)
}

fn state(desk: &Desk, account: &str) -> String {
    let answer = explained(desk, account);
    let identity = answer["identity"].as_str().unwrap_or("nobody");
    format!("{}: {identity}", answer["state"].as_str().unwrap())
}

#[test]
fn other_rules_say_what_they_did_and_which_default_rules_they_leave_out() {
    let desk = Desk::linked();
    let badge = "[[rule]]\nname = \"badge\"\nidentity = \"attributes.employee_number\"\n\
                 account = { column = \"attributes.badge\", prefix = \"N\" }\n";
    let rules = desk.write("rules.toml", badge);
    let set = ["link", "rules", "ad", "--set", &rules];
    let effect = desk.lines(0, &set).remove(0)["effect"].clone();
    let numbers = |effect: &Value| {
        let keys = [
            "connected_before",
            "connected_now",
            "nobody_now",
            "somebody_else_now",
        ];
        keys.map(|key| effect[key].as_u64().unwrap())
    };
    assert_eq!(
        numbers(&effect),
        [1, 1, 1, 0],
        "a1 lost its person, a4 has one"
    );
    let left_out = serde_json::json!(["identity id", "mail", "login"]);
    assert_eq!(effect["defaults_left_out"], left_out);
    let default = desk.trouble(
        0,
        &["link", "rules", "ad", "--default"],
        "accounts of ad connected: 1 before, 1 now; 1 have nobody now",
    );
    assert!(!default.contains("default rule"), "{default}");
    let said = desk.trouble(
        0,
        &set,
        "ad has no default rule by identity id, mail, login now",
    );
    // What it says to write brings them back.
    let kept = effect["to_keep_them"].as_str().unwrap();
    assert!(said.ends_with(kept), "{said}");
    desk.write("rules.toml", format!("{kept}\n{badge}"));
    let effect = desk.lines(0, &set).remove(0)["effect"].clone();
    assert_eq!(numbers(&effect), [1, 2, 0, 0]);
    assert_eq!(effect["defaults_left_out"], serde_json::json!([]));
    let asked = desk.lines(0, &["link", "rules", "ad"]).remove(0);
    assert_eq!(asked["effect"], Value::Null, "nothing was set");
}

#[test]
fn a_pattern_goes_by_the_capitals_only_where_values_are_compared_exactly() {
    let desk = Desk::linked();
    let check = |compare: &str, pattern: &str, state_of: &str, outcome: &str| {
        let rule = format!(
            "[[rule]]\nname = \"badge\"\n{compare}identity = \"attributes.employee_number\"\n\
             account = {{ column = \"attributes.badge\", pattern = \"{pattern}\" }}\n"
        );
        let rules = desk.write("pattern.toml", rule);
        desk.expect(0, &["link", "rules", "ad", "--set", &rules]);
        assert_eq!(state(&desk, "corp:a4"), state_of, "{compare}{pattern}");
        let told = explained(&desk, "corp:a4");
        assert_eq!(told["rules"][0]["outcome"], outcome, "{compare}{pattern}");
    };
    let (bob, nobody) = ("connected: hr:u2", "not connected: nobody");
    let fits = "leads to one person";
    let exact = "compare = \"exact\"\n";
    check("", "^N([0-9]{3})$", bob, fits);
    check("", "^n([0-9]{3})$", bob, fits);
    check(exact, "^N([0-9]{3})$", bob, fits);
    let other = "takes nothing: `N200` is no attributes.badge as in `^n([0-9]{3})$`";
    check(exact, "^n([0-9]{3})$", nobody, other);
    let other = "takes nothing: `N200` is no attributes.badge as in `^M([0-9]{3})$`";
    check("", "^M([0-9]{3})$", nobody, other);
}
