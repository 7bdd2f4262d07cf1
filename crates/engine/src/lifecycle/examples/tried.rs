//! Which single step more would close most.

use super::*;
use std::num::NonZero;

/// Lines of what each step that was tried out would close and whom it would let pass.
fn tried(plan: &str) -> (u64, Vec<String>) {
    let graph = Graph::build(&snapshot(SMALL.iter().copied()));
    let plan = Plan::parse(plan).unwrap();
    let (at, settings) = (moment("2026-06-01T00:00:00Z"), RehearsalSettings::default());
    let threads = NonZero::<usize>::MIN;
    let now = everyone(&graph, &plan, at, &settings, threads, &|| true).unwrap();
    let steps = try_steps(&graph, &plan, at, &settings, threads, &|| true, (&now, 5)).unwrap();
    let lines = steps.iter().map(|one| {
        let (does, system) = (one.does.word(), &one.system);
        format!(
            "{does} {system}: {} items, {} identities",
            one.closes, one.mends
        )
    });
    (now.late(), lines.collect())
}

#[test]
fn the_step_that_closes_most_is_named_with_what_it_closes() {
    // Of ann, bob and bot one account each, and bob's once more in the exit of his employer. Whether
    // bot's is enabled is not known, so that it fails nobody.
    let (late, lines) = tried("");
    let all = "disable_account ad: 4 items, 3 identities".to_owned();
    assert_eq!((late, lines), (4, vec![all]));
}

#[test]
fn where_nothing_is_late_no_step_closes_more() {
    let (late, lines) = tried(&step("disable_account", "1h"));
    assert_eq!((late, lines), (0, Vec::new()));
}
