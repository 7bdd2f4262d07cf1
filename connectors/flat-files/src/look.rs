//! The answer of `check`: what is at a place, and as what it will be read.

use crate::misspelt::{column_known_as, is_table, known_as};
use crate::notes::withheld_column;
use crate::place::survey;
use crate::session::Open;
use crate::settings::Source;
use lastkey_contract::{CheckReport, ConnectorError, ErrorKind};

/// The answer of `check`: which files are there, with how many rows and columns.
pub fn look(source: &Source) -> Result<CheckReport, ConnectorError> {
    let found = survey(source)?;
    let (mut warnings, mut remarks) = (Vec::new(), Vec::new());
    for (kind, stored) in &found.files {
        let open = match Open::at(source, *kind, std::slice::from_ref(stored), 0, None) {
            // One file of several that is wrong: the others are read.
            Err(error) if error.kind == ErrorKind::NotUnderstood && found.files.len() > 1 => {
                warnings.push(format!(
                    "{}; the {} are not read",
                    error.message,
                    kind.plural()
                ));
                continue;
            }
            open => open?,
        };
        let rows = match open.inside.rows {
            Some(_) if !open.sieve.takes_all() => "those of its rows that speak of them".to_owned(),
            Some(rows) => format!("{rows} rows"),
            None => "an unknown number of rows, because a quote is not closed".to_owned(),
        };
        let mut remark = format!(
            "`{}` will be read as {}: {rows}",
            stored.name,
            kind.plural()
        );
        if !open.header.unknown.is_empty() {
            let names: Vec<_> = open
                .header
                .unknown
                .iter()
                .map(|(_, n)| format!("`{n}`"))
                .collect();
            remark.push_str(&format!("; kept as attributes: {}", names.join(", ")));
        }
        if source.recipe.is_none() {
            warnings.extend(open.header.unknown.iter().filter_map(|(_, name)| {
                let meant = column_known_as(&open.header, name)?;
                Some(format!(
                    "`{}` has no column `{meant}`: its column `{name}` is not known and is kept \
                     as an attribute; did you mean `{meant}`?",
                    stored.name
                ))
            }));
        }
        remarks.push(remark);
        let withheld = open.header.withheld.iter().map(|n| withheld_column(n));
        match source.recipe {
            // What a recipe names is no surprise in its extracts.
            Some(_) => remarks.extend(withheld),
            None => warnings.extend(withheld.map(|says| format!("`{}`: {says}", stored.name))),
        }
    }
    for name in &found.unknown {
        let known: Vec<String> = match source.recipe {
            Some(_) => Vec::new(),
            None => known_as(name).into_iter().collect(),
        };
        match (is_table(name), known.as_slice()) {
            (true, [known, ..]) => warnings.push(format!(
                "`{name}` is not a file that lastkey knows and is not read: did you mean `{known}`?"
            )),
            (true, []) => warnings.push(format!(
                "`{name}` is not a file that lastkey knows and is not read"
            )),
            (false, _) => remarks.push(format!(
                "`{name}` is not a file that lastkey knows and is left alone"
            )),
        }
    }
    Ok(CheckReport {
        rights_known: true,
        warnings,
        remarks,
        ..CheckReport::default()
    })
}
