//! What is said of the rosters of a dated series.

use super::{counted, of_these};

/// Those that come after one that could not be read.
pub(super) fn rosters_left(left: &[String]) -> Option<String> {
    let first = left.first()?;
    let were = match left.len() {
        1 => "was",
        _ => "were",
    };
    Some(format!(
        "{} from {first} on {were} left: mend what failed and import the series again",
        of_these(left.len() as u64, "roster", "rosters"),
    ))
}

/// Which rosters of a series stay incomplete though a later one is whole, and what mends them.
pub(super) fn left_incomplete(name: &str, days: &[String]) -> Option<String> {
    let first = days.first()?;
    let which = match days {
        [one] => format!("the roster of {one} was not read completely and stays so"),
        all => format!(
            "{} rosters, the first of {first}, were not read completely and stay so",
            counted(u64::try_from(all.len()).unwrap_or(u64::MAX))
        ),
    };
    Some(format!(
        "{name}: {which}, as later ones were read since: who left or moved then is told with the next \
         complete one; to mend it, mend the file or have --map at hand for its words, then `lastkey \
         source remove {name}` and import the whole series anew with them"
    ))
}
