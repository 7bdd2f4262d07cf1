//! Which records rules and decisions join to persons, and where they leave a doubt.

use super::joining::*;
use super::rules_text::parse_person_rules;
use super::values::IdentityKeys;

const BY_NUMBER: &str = "[[rule]]\nname = \"number\"\nrecord = \"attributes.n\"";
const BY_MAIL: &str = "[[rule]]\nname = \"mail\"\nrecord = \"email\"";

fn record(name: &str) -> (i64, String) {
    let (source, id) = name.split_once(':').unwrap();
    (source.parse().unwrap(), id.to_owned())
}

/// `1:u1 value name since`, with `-` before it where it is gone, and `<` of an earlier version.
/// The value `_` is none.
fn keys(text: &str) -> (IdentityKeys, Listed) {
    let (text, listed) = match text.strip_prefix('-') {
        Some(text) => (text, Listed::Once),
        None => (text, Listed::Now),
    };
    let words: Vec<&str> = text.split(' ').collect();
    let (source, id) = record(words[0]);
    let value = Some(words[1]).filter(|value| *value != "_");
    let mut keys = IdentityKeys::named(source, &id, value);
    if let Some(value) = value {
        keys.attributes.insert("n".to_owned(), value.to_owned());
    }
    keys.display_name = words.get(2).map(|n| (*n).to_owned());
    keys.start_date = words.get(3).map(|n| (*n).into());
    (keys, listed)
}

fn joined(
    rules: &str,
    decisions: &[(Says, &str, &str)],
    all: &[&str],
) -> (Vec<JoinedPerson>, Vec<PersonDoubt>) {
    let decisions: Vec<PersonDecision> = decisions
        .iter()
        .map(|(says, a, b)| PersonDecision {
            says: *says,
            records: [record(a), record(b)],
        })
        .collect();
    let names = (1..5).map(|n| (n, format!("s{n}"))).collect();
    let rules = parse_person_rules(rules).unwrap();
    let mut records = Records::new(rules, names, &decisions);
    let before = |text: &&&str| text.starts_with('<');
    for text in all.iter().filter(before) {
        records.add_before(&keys(&text[1..]).0);
    }
    for text in all.iter().filter(|text| !before(text)) {
        let (keys, listed) = keys(text);
        records.add(&keys, listed);
    }
    records.join(&decisions)
}

fn doubts(rules: &str, all: &[&str]) -> usize {
    joined(rules, &[], all).1.len()
}

fn check(rules: &str, decisions: &[(Says, &str, &str)], all: &[&str], expected: &[&str]) {
    let (persons, doubts) = joined(rules, decisions, all);
    let mut found: Vec<String> = persons
        .iter()
        .map(|person| {
            let records = person.records.iter();
            let records: Vec<String> = records
                .map(|(s, id, how)| format!("{s}:{id} {how}"))
                .collect();
            records.join(", ")
        })
        .collect();
    found.extend(doubts.iter().map(|d| {
        let records: Vec<String> = d
            .records
            .iter()
            .map(|(s, id)| format!("{s}:{id}"))
            .collect();
        format!("{} ({}): {}", records.join(" "), d.rule, d.reason.word())
    }));
    assert_eq!(found, expected, "{all:?}");
}

#[test]
fn records_with_one_value_are_one_person_in_the_order_of_their_sources() {
    let all = ["1:a x", "2:b X", "3:c y"];
    check(BY_NUMBER, &[], &all, &["1:a number, 2:b number"]);
    let ordered = format!("precedence = [\"s2\"]\n{BY_NUMBER}");
    check(&ordered, &[], &all, &["2:b number, 1:a number"]);
    check("", &[], &all, &[]);
}

#[test]
fn decisions_go_before_rules() {
    let all = ["1:a x", "2:b x", "3:c y"];
    let apart = (Says::Apart, "2:b", "1:a");
    check(BY_NUMBER, &[apart], &all, &[]);
    let same = (Says::Same, "1:a", "3:c");
    let joined = ["1:a decision, 2:b number, 3:c decision"];
    check(BY_NUMBER, &[same], &all, &joined);
    check(
        BY_NUMBER,
        &[same, apart],
        &all,
        &["1:a decision, 3:c decision"],
    );
    let never_listed = (Says::Same, "1:a", "4:z");
    check("", &[never_listed], &[], &["1:a decision, 4:z decision"]);
}

#[test]
fn two_that_one_source_lists_at_once_are_two_until_somebody_decides() {
    let all = ["1:a x", "1:b x", "2:c x"];
    let doubt = "1:a 1:b 2:c (number): one source lists several with this value";
    check(BY_NUMBER, &[], &all, &[doubt]);
    let same = (Says::Same, "1:a", "1:b");
    let joined = "1:a decision, 1:b decision, 2:c number";
    check(BY_NUMBER, &[same], &all, &[joined]);
}

#[test]
fn a_rehire_under_a_new_id_is_the_same_person_and_a_mail_given_on_is_not() {
    let rehired = ["-1:a x Ann 2010", "1:b x Ann 2024"];
    check(BY_NUMBER, &[], &rehired, &["1:b number, 1:a number"]);
    check(BY_MAIL, &[], &rehired, &[]);
    let elsewhere = ["1:a x Ann 2010", "2:b x Ann 2024"];
    check(BY_MAIL, &[], &elsewhere, &["1:a mail, 2:b mail"]);
}

#[test]
fn another_name_and_another_beginning_are_another_person() {
    let all = ["1:a x Ann 2010", "2:b x Bob 2024"];
    let doubt = "1:a 2:b (number): names and start dates differ";
    check(BY_NUMBER, &[], &all, &[doubt]);
    let married = ["1:a x Ann 2010", "2:b x Mia 2010"];
    check(BY_NUMBER, &[], &married, &["1:a number, 2:b number"]);
    let same = (Says::Same, "1:a", "2:b");
    let joined = "1:a decision, 2:b decision";
    check(BY_NUMBER, &[same], &all, &[joined]);
}

#[test]
fn a_value_that_one_had_and_has_no_more_leaves_a_doubt_until_somebody_decides() {
    let doubt = |records: &str, rule: &str| {
        format!("{records} ({rule}): one had this value before and has it no more")
    };
    let cleared = ["<1:a x", "1:a _", "2:b x"];
    check(BY_NUMBER, &[], &cleared, &[&doubt("1:a 2:b", "number")]);
    check(BY_MAIL, &[], &cleared, &[&doubt("1:a 2:b", "mail")]);
    let changed = ["<1:a x", "1:a y", "2:b x"];
    check(BY_NUMBER, &[], &changed, &[&doubt("1:a 2:b", "number")]);
    let both = ["<1:a x", "<2:b x", "1:a _", "2:b _"];
    check(BY_NUMBER, &[], &both, &[&doubt("1:a 2:b", "number")]);
    let gone = ["<1:a x", "-1:a _", "2:b x"];
    check(BY_NUMBER, &[], &gone, &[&doubt("1:a 2:b", "number")]);
    let apart = (Says::Apart, "1:a", "2:b");
    check(BY_NUMBER, &[apart], &cleared, &[]);
    let same = (Says::Same, "1:a", "2:b");
    let joined = "1:a decision, 2:b decision";
    check(BY_NUMBER, &[same], &cleared, &[joined]);
    let again = ["<1:a x", "<1:a _", "1:a x", "2:b x"];
    check(BY_NUMBER, &[], &again, &["1:a number, 2:b number"]);
    // Its own source gives the mail to another one, who is meant from then on.
    let given_on = ["<1:a x", "1:a y", "1:c x", "2:b x"];
    let parted = "1:a 2:b (mail): one had this mail until it left or gave it on";
    check(BY_MAIL, &[], &given_on, &["1:c mail, 2:b mail", parted]);
    let number = doubt("1:a 1:c 2:b", "number");
    check(
        BY_NUMBER,
        &[],
        &given_on,
        &["1:c number, 2:b number", &number],
    );
}

#[test]
fn whoever_was_one_by_mail_and_has_left_or_given_it_on_stays_in_doubt() {
    let doubt = "1:a 2:b (mail): one had this mail until it left or gave it on";
    let left = ["-1:a x", "2:b x"];
    check(BY_MAIL, &[], &left, &[doubt]);
    check(BY_MAIL, &[(Says::Apart, "1:a", "2:b")], &left, &[]);
    let joined = "1:a decision, 2:b decision";
    check(BY_MAIL, &[(Says::Same, "2:b", "1:a")], &left, &[joined]);
    check(BY_MAIL, &[], &["-1:a x", "-2:b x"], &[]);
    let changed_since = ["-1:a x", "<2:b x", "2:b y"];
    check(BY_MAIL, &[], &changed_since, &[doubt]);
    let rehired = ["-1:a x", "1:c x", "2:b x"];
    check(BY_MAIL, &[], &rehired, &["1:c mail, 2:b mail", doubt]);
    let in_both = ["<1:a x", "1:a y", "1:c x", "<2:b x", "2:b z", "2:d x"];
    let of = |records: &str| doubt.replace("1:a 2:b", records);
    check(
        BY_MAIL,
        &[],
        &in_both,
        &["1:c mail, 2:d mail", &of("1:a 2:b 2:d"), &of("2:b 1:a 1:c")],
    );
    let another = ["-1:a x Ann 2010", "2:b x Bob 2024"];
    check(BY_MAIL, &[], &another, &[]);
    let named_anew = ["-1:a x Ann 2010", "2:b x Mia 2010"];
    check(BY_MAIL, &[], &named_anew, &[doubt]);
}

#[test]
fn a_value_that_a_source_gave_to_many_tells_of_nobody_once_it_is_replaced() {
    let of = |count: usize, more: &[&'static str]| -> Vec<String> {
        let many = (0..count).flat_map(|n| [format!("<1:u{n} x"), format!("1:u{n} y{n}")]);
        many.chain(more.iter().map(ToString::to_string)).collect()
    };
    let found = |all: &[String]| {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        [BY_NUMBER, BY_MAIL].map(|rules| doubts(rules, &all))
    };
    for more in [&["2:b x"][..], &["<2:b x", "2:b z"]] {
        assert_eq!(found(&of(9, more)), [0, 0], "{more:?}");
        assert_eq!(found(&of(8, more)), [1, 1], "{more:?}");
    }
    let cleared = ["<2:b x", "2:b _", "3:c x"];
    assert_eq!(found(&of(9, &cleared)), [1, 1], "the others stay in doubt");
}

#[test]
fn a_third_that_could_be_either_of_two_apart_is_neither_until_somebody_decides() {
    let all = ["1:a x", "2:b x", "3:c x"];
    let apart = (Says::Apart, "1:a", "2:b");
    let doubt = "1:a 2:b 3:c (number): two with this value were decided to be apart";
    check(BY_NUMBER, &[apart], &all, &[doubt]);
    let same = (Says::Same, "2:b", "3:c");
    let joined = "2:b decision, 3:c decision";
    check(BY_NUMBER, &[apart, same], &all, &[joined]);
    let neither = [
        apart,
        (Says::Apart, "1:a", "3:c"),
        (Says::Apart, "2:b", "3:c"),
    ];
    check(BY_NUMBER, &neither, &all, &[]);
    let twice = ["1:a x", "1:b x"];
    check(BY_NUMBER, &[(Says::Apart, "1:a", "1:b")], &twice, &[]);
}
