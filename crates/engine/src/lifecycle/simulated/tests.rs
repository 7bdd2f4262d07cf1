//! Events in small worlds, and what would be told of them.

use super::*;
use crate::access::{Graph, Snapshot};
use crate::lifecycle::events::{Having, Outline};
use crate::lifecycle::{Closing, Plan, RehearsalSettings, Verdict};
use chrono::{DateTime, Utc};
use lastkey_contract::facts::{Account, Identity, LifecycleEvent};
use lastkey_contract::{IdentityId, SourceName};
use serde_json::{Value, json};

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T00:00:00Z").parse().unwrap()
}

/// Records of u1 as `source`, `status` and more columns; a source that begins with `x` is no source
/// of truth.
fn registers(records: &[(&str, &str, Value)]) -> Registers {
    let mut registers = Registers::default();
    let mut all = Vec::new();
    for (source, status, more) in records {
        let mut fact = json!({"id": "u1", "kind": "person"});
        if !status.is_empty() {
            fact["status"] = json!(status);
        }
        for (column, value) in more.as_object().unwrap() {
            fact[column] = value.clone();
        }
        let fact: Identity = serde_json::from_value(fact).unwrap();
        let mut having = Having::default();
        having.add(&Outline::of(&fact));
        // Somebody else, so that no column is empty but for want of a value.
        let other = json!({"id": "u2", "kind": "person", "department": "Sales", "email": "b@x"});
        having.add(&Outline::of(&serde_json::from_value(other).unwrap()));
        let register = Register {
            tells: match source.starts_with('x') {
                true => Tells::OfNobody,
                false => Tells::WhoExists,
            },
            having: Some(having),
            gaps: match source.ends_with("-cut") {
                true => vec!["the connection was lost".to_owned()],
                false => Vec::new(),
            },
        };
        registers.sources.insert(SourceName::new(*source), register);
        let of = RecordOf {
            source: SourceName::new(*source),
            id: "u1".to_owned(),
        };
        all.push((of, fact));
    }
    let id = IdentityId::new("u1");
    let person = PersonRecords {
        id: id.clone(),
        records: all,
        once: Vec::new(),
    };
    registers.persons.insert(id, person);
    registers
}

/// An event of u1 that one source shows.
fn event(kind: &str, day: &str, source: &str) -> SimulatedEvent {
    SimulatedEvent {
        at: at(day),
        identity: IdentityId::new("u1"),
        event: LifecycleEvent::from_word(kind).unwrap(),
        records: vec![RecordOf {
            source: SourceName::new(source),
            id: "u1".to_owned(),
        }],
        shown: Shown::Status,
        set: Vec::new(),
        handed_on: None,
    }
}

fn ends(day: &str) -> NewValue {
    NewValue::EndDate(day_in(day.parse().unwrap(), "UTC"))
}

fn text(column: TextColumn, text: &str) -> NewValue {
    NewValue::Text(column, Some(text.to_owned()))
}

/// u1 with one account that can be signed in to.
fn graph() -> Graph {
    let account = json!({"system": "ad", "id": "a1", "identity_id": "u1", "enabled": true,
        "local_sign_in": true});
    let identity = json!({"id": "u1", "kind": "person"});
    let account: Account = serde_json::from_value(account).unwrap();
    Graph::build(&Snapshot {
        identities: vec![serde_json::from_value(identity).unwrap()],
        accounts: vec![account],
        ..Snapshot::default()
    })
}

const PLAN: &str =
    "[[step]]\non = \"leaver\"\nsystem = \"ad\"\ndoes = \"disable_account\"\nwithin = \"1h\"\n";

fn played(registers: &Registers, events: &[SimulatedEvent]) -> EventsRehearsal {
    let graph = graph();
    rehearse_events(
        SimulatedWorld::new(&graph, registers),
        &Plan::parse(PLAN).unwrap(),
        events,
        &RehearsalSettings::default(),
    )
}

/// Of each event whether it is noticed, when the plan begins, and the first reason why not.
#[track_caller]
fn check(records: &[(&str, &str, Value)], events: &[SimulatedEvent], expected: &[(&str, &str)]) {
    let registers = registers(records);
    let found = played(&registers, events);
    let told: Vec<(String, String)> = found
        .events
        .iter()
        .map(|one| {
            let noticed = serde_json::to_value(one.noticed).unwrap();
            let begins = one.begins_at.map(|at| at.format(" %Y-%m-%d").to_string());
            let noticed = noticed.as_str().unwrap().to_owned() + &begins.unwrap_or_default();
            let why = one.why_not.iter().chain(&one.missing_facts);
            (noticed, why.cloned().collect::<Vec<_>>().join("; "))
        })
        .collect();
    let wanted: Vec<(String, String)> = expected
        .iter()
        .map(|(noticed, why)| ((*noticed).to_owned(), (*why).to_owned()))
        .collect();
    assert_eq!(told, wanted, "{found:#?}");
}

const JUNE: &str = "2026-06-01";

#[test]
fn a_source_of_truth_tells_of_a_leaver_and_another_does_not() {
    let leaver = |source| [event("leaver", JUNE, source)];
    let active = |source| [(source, "active", json!({}))];
    check(&active("hr"), &leaver("hr"), &[("yes 2026-06-01", "")]);
    let no = "`xdir` is no source of truth: what changes there tells of nobody";
    check(&active("xdir"), &leaver("xdir"), &[("no", no)]);
    let inactive = [("hr", "inactive", json!({}))];
    check(
        &inactive,
        &leaver("hr"),
        &[(
            "no",
            "`hr:u1` says nothing of it: it stays inactive, and its end date stays empty",
        )],
    );
    let cut = "the latest read of identities of `hr-cut` is not complete (the connection was lost), \
               and until one is, it tells of nobody";
    check(
        &active("hr-cut"),
        &leaver("hr-cut"),
        &[("unknown 2026-06-01", cut)],
    );
}

#[test]
fn another_source_of_truth_that_goes_on_keeps_a_leaver_unnoticed() {
    let both = [("hr", "active", json!({})), ("crm", "active", json!({}))];
    let one = [event("leaver", JUNE, "hr")];
    let why = "`crm:u1`, another source of truth, still lists them as active";
    check(&both, &one, &[("no", why)]);
    let mut all = event("leaver", JUNE, "hr");
    all.records.extend(event("leaver", JUNE, "crm").records);
    check(&both, &[all], &[("yes 2026-06-01", "")]);
    // Once the other ends, too.
    let two = [one[0].clone(), event("leaver", "2026-06-11", "crm")];
    let late = format!("{why}; `crm:u1` tells of it at 2026-06-11T00:00:00Z");
    check(
        &both,
        &two,
        &[("late 2026-06-11", &late), ("yes 2026-06-11", "")],
    );
    let not_of_truth = [("hr", "active", json!({})), ("xcrm", "active", json!({}))];
    check(&not_of_truth, &one, &[("yes 2026-06-01", "")]);
}

#[test]
fn who_is_never_marked_is_noticed_by_the_last_day_or_never() {
    let mut silent = event("leaver", JUNE, "hr");
    silent.shown = Shown::Nothing;
    let open = [("hr", "active", json!({}))];
    let why = "`hr:u1` says nothing of it: it stays active, and its end date stays empty";
    check(&open, &[silent.clone()], &[("no", why)]);
    let dated = [("hr", "active", json!({"end_date": "2026-09-01T00:00:00Z"}))];
    let why = "`hr:u1` says nothing of it: it stays active, and its last day ends at \
               2026-09-01T00:00:00Z; `hr:u1` tells of it at 2026-09-01T00:00:00Z";
    check(&dated, &[silent.clone()], &[("late 2026-09-01", why)]);
    // An extension before the last day passes takes the notice away.
    let mut extended = event("extension", "2026-07-01", "hr");
    extended.set = vec![ends("2026-12-31")];
    let why = "`hr:u1` says nothing of it: it stays active, and its last day ends at \
               2026-09-01T00:00:00Z; `hr:u1` tells of it at 2027-01-01T00:00:00Z";
    check(
        &dated,
        &[silent.clone(), extended],
        &[("late 2027-01-01", why), ("yes 2026-07-01", "")],
    );
    let mut by_date = event("leaver", JUNE, "hr");
    by_date.shown = Shown::EndDate;
    check(&open, &[by_date], &[("yes 2026-06-01", "")]);
    // Also where the last day passes at the very moment of something else.
    let mut moves = event("mover", "2026-09-01", "hr");
    moves.set = vec![text(TextColumn::Location, "Bern")];
    let registers = registers(&dated);
    let found = played(&registers, &[silent.clone(), moves]);
    assert_eq!(found.events[0].begins_at, Some(at("2026-09-01")));
    // The status says so at once; the last day, that it is not yet.
    let why = "`hr:u1` gives a last day that ends at 2026-09-01T00:00:00Z";
    check(
        &dated,
        &[event("leaver", JUNE, "hr")],
        &[("late 2026-09-01", why)],
    );
}

#[test]
fn a_move_and_a_leaving_that_one_read_shows_are_a_leaving() {
    let sales = [("hr", "active", json!({"department": "Sales"}))];
    let mut mover = event("mover", JUNE, "hr");
    mover.set = vec![text(TextColumn::Department, "Ops")];
    let leaver = event("leaver", JUNE, "hr");
    let why = "what `hr:u1` shows at once is told as leaver, and not as mover";
    check(
        &sales,
        &[mover.clone(), leaver],
        &[("no", why), ("yes 2026-06-01", "")],
    );
    let later = event("leaver", "2026-06-02", "hr");
    check(
        &sales,
        &[later, mover.clone()],
        &[("yes 2026-06-01", ""), ("yes 2026-06-02", "")],
    );
    mover.set = vec![text(TextColumn::Department, "Sales")];
    check(
        &sales,
        &[mover.clone()],
        &[("no", "`hr:u1` is as it was before, and active")],
    );
    mover.set = vec![text(TextColumn::Title, "Head")];
    let why = "nobody in `hr` has that attribute before it: a column that comes tells of nobody, and \
               other columns are no mover";
    check(&sales, &[mover], &[("no", why)]);
}

#[test]
fn before_the_first_day_and_after_the_last() {
    let pending = [(
        "hr",
        "pending",
        json!({"start_date": "2026-07-01T00:00:00Z"}),
    )];
    // Whoever never comes is a leaver, too.
    check(
        &pending,
        &[event("leaver", JUNE, "hr")],
        &[("yes 2026-06-01", "")],
    );
    let early = "`hr:u1` gives 2026-07-01T00:00:00Z as its date";
    check(
        &pending,
        &[event("joiner", JUNE, "hr")],
        &[("late 2026-07-01", early)],
    );
    let mut waits = event("joiner", JUNE, "hr");
    waits.shown = Shown::Nothing;
    check(
        &pending,
        &[waits],
        &[("no", "`hr:u1` is as it was before, and pending")],
    );
    let active = [("hr", "active", json!({}))];
    let mut gone = event("leaver", JUNE, "hr");
    gone.shown = Shown::Nothing;
    let why = "`hr:u1` says nothing of it: it stays active, and its end date stays empty";
    let marked = event("leaver", "2026-06-03", "hr");
    let back = event("rehire", "2026-06-05", "hr");
    let noticed = format!("{why}; `hr:u1` tells of it at 2026-06-03T00:00:00Z");
    check(
        &active,
        &[gone, marked, back],
        &[
            ("late 2026-06-03", &noticed),
            ("yes 2026-06-03", ""),
            ("yes 2026-06-05", ""),
        ],
    );
}

#[test]
fn leave_names_and_extensions_are_told_for_what_they_are() {
    let active = [(
        "hr",
        "active",
        json!({"email": "a@x", "end_date": "2026-09-01T00:00:00Z"}),
    )];
    let mut extension = event("extension", "2026-06-04", "hr");
    extension.set = vec![ends("2026-12-31")];
    let mut name = event("renamed", "2026-06-03", "hr");
    name.set = vec![text(TextColumn::Email, "c@x")];
    check(
        &active,
        &[
            event("leave_start", JUNE, "hr"),
            event("leave_end", "2026-06-02", "hr"),
            name,
            extension.clone(),
        ],
        &[
            ("yes 2026-06-01", ""),
            ("yes 2026-06-02", ""),
            ("yes 2026-06-03", ""),
            ("yes 2026-06-04", ""),
        ],
    );
    extension.set = vec![ends("2026-07-31")];
    let why = "the last day of `hr:u1` is not known, or not later than before";
    check(&active, &[extension], &[("no", why)]);
    let working = [("hr", "active", json!({})), ("crm", "active", json!({}))];
    let why = "`crm:u1`, another source of truth, still lists them as active";
    check(
        &working,
        &[event("leave_start", JUNE, "hr")],
        &[("no", why)],
    );
}

/// When the one account closes of who leaves in June.
#[track_caller]
fn closes(records: &[(&str, &str, Value)], events: &[SimulatedEvent], expected: &str) {
    let found = played(&registers(records), events);
    let rehearsal = found.events[0].rehearsal.as_ref().unwrap();
    let closes: Vec<Closing> = rehearsal.residual.iter().map(|i| i.closes_at).collect();
    let closes: Vec<String> = closes.into_iter().map(Closing::to_text).collect();
    assert_eq!(closes, [expected], "{found:#?}");
}

#[test]
fn the_plan_begins_when_something_tells_and_not_before() {
    let active = |more| [("hr", "active", more)];
    let leaver = event("leaver", JUNE, "hr");
    closes(
        &active(json!({})),
        std::slice::from_ref(&leaver),
        "2026-06-01T01:00:00Z",
    );
    let mut silent = leaver.clone();
    silent.shown = Shown::Nothing;
    closes(&active(json!({})), &[silent.clone()], "never");
    let dated = json!({"end_date": "2026-09-01T00:00:00Z"});
    closes(&active(dated), &[silent.clone()], "2026-09-01T01:00:00Z");
    let both = [("hr", "active", json!({})), ("crm", "active", json!({}))];
    closes(&both, std::slice::from_ref(&leaver), "never");
    let later = event("leaver", "2026-06-11", "crm");
    closes(&both, &[leaver, later.clone()], "2026-06-11T01:00:00Z");
    // Whoever is back before it is noticed is noticed no more.
    let back = event("rehire", "2026-06-05", "hr");
    closes(&active(json!({})), &[silent, back], "never");
}

/// Whom a vendor takes along is read from the graph: what an event changes of that is not passed over.
#[test]
fn a_vendor_exit_after_a_change_of_employer_says_what_it_does_not_reckon() {
    let identity = |text: Value| serde_json::from_value::<Identity>(text).unwrap();
    let acme = identity(json!({"id": "acme", "kind": "vendor", "status": "active"}));
    let u1 = identity(json!({"id": "u1", "kind": "person"}));
    let graph = Graph::build(&Snapshot {
        identities: vec![acme.clone(), u1],
        ..Snapshot::default()
    });
    let mut read = registers(&[("hr", "active", json!({}))]);
    let mut exit = event("vendor_exit", "2026-06-02", "hr");
    exit.identity = acme.id.clone();
    exit.records[0].id = "acme".to_owned();
    let person = PersonRecords {
        id: acme.id.clone(),
        records: vec![(exit.records[0].clone(), acme.clone())],
        once: Vec::new(),
    };
    read.persons.insert(acme.id, person);
    let mut mover = event("mover", JUNE, "hr");
    mover.set = vec![text(TextColumn::Employer, "acme")];
    let facts = |events: &[SimulatedEvent]| {
        let world = SimulatedWorld::new(&graph, &read);
        let settings = RehearsalSettings::default();
        let found = rehearse_events(world, &Plan::default(), events, &settings);
        let rehearsal = found.events.last().unwrap().rehearsal.clone().unwrap();
        assert_eq!(rehearsal.event, LifecycleEvent::VendorExit);
        let facts = rehearsal.missing_facts.into_iter();
        facts.filter(|fact| fact.contains("employer")).count()
    };
    assert_eq!(facts(std::slice::from_ref(&exit)), 0);
    assert_eq!(facts(&[mover, exit]), 1);
}

#[test]
fn unknown_is_not_pass_and_what_was_read_is_only_lent() {
    let read = registers(&[("hr-cut", "active", json!({}))]);
    let kept = read.clone();
    let found = played(&read, &[event("leaver", JUNE, "hr-cut")]);
    assert_eq!(found.verdict, Verdict::Indeterminate);
    let rehearsal = found.events[0].rehearsal.as_ref().unwrap();
    assert_eq!(rehearsal.verdict, Verdict::Indeterminate);
    assert_eq!(read, kept);
    let unnoticed = played(
        &registers(&[("xdir", "active", json!({}))]),
        &[event("leave_start", JUNE, "xdir")],
    );
    assert_eq!(unnoticed.verdict, Verdict::Fail);
}
