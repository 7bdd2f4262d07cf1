//! Columns that went missing: a file that had one tells nothing of it now, which is no evidence that
//! there is nothing to tell.

use crate::store::ToldColumns;
use std::collections::BTreeMap;

/// What to say of each column that a file had by its own header and that nothing tells of now. A
/// file is the one of its name; where there is only one, it may have another name by now.
pub(super) fn lost(
    before: &BTreeMap<String, ToldColumns>,
    now: &BTreeMap<String, ToldColumns>,
) -> Vec<String> {
    let alone = match (before.len(), now.len()) {
        (1, 1) => before.values().next(),
        _ => None,
    };
    let mut said = Vec::new();
    for (file, told) in now {
        let Some(had) = before.get(file).or(alone) else {
            continue;
        };
        for column in had.own.difference(&told.all) {
            said.push(format!(
                "{file} has no column `{column}` any more, which the last complete read had: put it back, map the header that it has now, or accept once that it is meant to be gone"
            ));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.csv id status mapped=` as what is told of a file.
    fn files(texts: &[&str]) -> BTreeMap<String, ToldColumns> {
        let file = |text: &&str| {
            let mut words = text.split(' ');
            let name = format!("`{}`", words.next().unwrap_or_default());
            let mut told = ToldColumns::default();
            for word in words {
                match word.strip_suffix('=') {
                    Some(mapped) => told.all.insert(mapped.to_owned()),
                    None => told.own.insert(word.to_owned()) | told.all.insert(word.to_owned()),
                };
            }
            (name, told)
        };
        texts.iter().map(file).collect()
    }

    #[test]
    fn a_column_is_lost_where_its_file_had_it_and_nothing_tells_of_it() {
        for (before, now, expected) in [
            (&["a.csv id status"][..], &["a.csv id status"][..], &[][..]),
            (&["a.csv id status"], &["a.csv id"], &["`a.csv` status"]),
            (&["a.csv id"], &["a.csv id status"], &[]),
            (&["a.csv id status"], &["a.csv id status="], &[]),
            // What a mapping said is gone with the mapping, which somebody took away.
            (&["a.csv id status="], &["a.csv id"], &[]),
            (
                &["2026-01.csv id status"],
                &["2026-02.csv id"],
                &["`2026-02.csv` status"],
            ),
            (&[], &["a.csv id"], &[]),
            (
                &["a.csv id x", "b.csv id y"],
                &["a.csv id", "b.csv id y"],
                &["`a.csv` x"],
            ),
            (&["a.csv id x", "b.csv id y"], &["c.csv id"], &[]),
        ] {
            let said = lost(&files(before), &files(now));
            let told: Vec<String> = said
                .iter()
                .filter_map(|text| {
                    let (file, rest) = text.split_once(" has no column `")?;
                    Some(format!("{file} {}", rest.split_once('`')?.0))
                })
                .collect();
            assert_eq!(told, expected, "{before:?} -> {now:?}");
            assert_eq!(told.len(), said.len());
        }
    }
}
