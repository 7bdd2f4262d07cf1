//! What is said of the rosters of a dated series.

use super::{counted, of_these};
use lastkey_workbench::{Failure, Workbench};

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
pub(super) async fn left_incomplete(
    bench: &Workbench,
    name: &str,
) -> Result<Option<String>, Failure> {
    let days = bench.rosters_left_incomplete(name).await?;
    let Some(first) = days.first() else {
        return Ok(None);
    };
    let which = match days.as_slice() {
        [one] => format!("the roster of {one} was not read completely and stays so"),
        all => format!(
            "{} rosters, the first of {first}, were not read completely and stay so",
            counted(u64::try_from(all.len()).unwrap_or(u64::MAX))
        ),
    };
    Ok(Some(format!(
        "{name}: {which}, as later ones were read since: who left or moved then is told with the next \
         complete one; to mend it, mend the file or have --map at hand for its words, then `lastkey \
         source remove {name}` and import the whole series anew with them"
    )))
}
