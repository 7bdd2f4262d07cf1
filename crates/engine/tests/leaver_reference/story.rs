//! What several records of one person show, day by day, and what of it begins the plan.
//!
//! Written from docs/decisions/simulated-events.md and lifecycle-events.md: a person is there on a
//! day if a source of truth lists them as active and their last day has not passed. Nothing is
//! compared; every day is looked at for itself.

use super::world::Begun;

/// One record of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whether its source says who exists.
    pub of_truth: bool,
    /// None where it is listed no more.
    pub active: Option<bool>,
    /// The day at whose start the last day has passed.
    pub end: Option<i64>,
}

/// What happens to one record on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happens {
    TurnsInactive,
    Goes,
    GetsAnEnd,
    /// They leave, and nobody enters it.
    Nothing,
    ChangesDepartment,
    IsExtended(i64),
    TurnsActive,
}

/// Records, and what happens: at most one thing on a day. The person leaves on day 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    pub records: Vec<Listed>,
    pub days: Vec<(i64, usize, Happens)>,
}

fn is_here(record: &Listed) -> bool {
    record.of_truth && record.active == Some(true)
}

fn is_there(records: &[Listed], day: i64) -> bool {
    records
        .iter()
        .any(|record| is_here(record) && record.end.is_none_or(|end| end > day))
}

fn happen(record: &mut Listed, day: i64, what: Happens) {
    let Some(active) = &mut record.active else {
        return;
    };
    match what {
        Happens::TurnsInactive => *active = false,
        Happens::TurnsActive => *active = true,
        Happens::Goes => record.active = None,
        Happens::GetsAnEnd => record.end = Some(day),
        Happens::IsExtended(end) => record.end = Some(end),
        Happens::Nothing | Happens::ChangesDepartment => {}
    }
}

/// A record that was listed once is listed again as it was last, but for a last day that has passed.
fn comes_back(record: &mut Listed, day: i64) {
    record.active = Some(false);
    record.end = record.end.filter(|end| *end > day);
}

/// What begins the plan, and on which day; None where the person is not there before day 0.
pub fn begun(story: &Story) -> Option<Vec<(Begun, i64)>> {
    let mut records = story.records.clone();
    let mut begun = Vec::new();
    let mut noticed = false;
    for day in -10..100 {
        if day == 0 && !is_there(&records, -1) {
            return None;
        }
        let there_before = is_there(&records, day - 1);
        let today = story.days.iter().find(|(on, _, _)| *on == day);
        let mut ended_with = None;
        if let Some((_, which, what)) = today {
            let others_here = (records.iter().enumerate()).any(|(n, r)| n != *which && is_here(r));
            let record = &mut records[*which];
            let before = *record;
            let once = story.records[*which].active.is_some();
            if *what == Happens::TurnsActive && before.active.is_none() && once {
                comes_back(record, day);
            }
            if *what == Happens::TurnsActive {
                // A last day that has passed was of the time before.
                record.end = record.end.filter(|end| *end > day);
            }
            happen(record, day, *what);
            let after = *record;
            let moved = match (is_here(&before), is_here(&after)) {
                (true, true) => *what == Happens::ChangesDepartment,
                (true, false) | (false, true) => others_here,
                (false, false) => false,
            };
            let dated = match (is_here(&before), is_here(&after)) {
                (true, false) => after.end.or(before.end).unwrap_or(day).max(day),
                _ => day,
            };
            if day > 0 && !is_here(&before) && is_here(&after) && !others_here {
                break; // back
            }
            if day >= 0 && moved {
                begun.push((Begun::Move, dated));
            }
            ended_with = (is_here(&before) && !is_here(&after)).then_some(dated);
        }
        if day >= 0 && !noticed && there_before && !is_there(&records, day) {
            noticed = true;
            let passed = records.iter().any(is_here);
            let at = ended_with.filter(|_| !passed).unwrap_or(day);
            begun.push((Begun::Leaving, at));
        }
    }
    Some(begun)
}
