//! The answer of `check`: what is at a place, and as what it will be read.

use crate::place::survey;
use crate::session::{Open, withheld_column};
use crate::settings::Source;
use lastkey_contract::{CheckReport, ConnectorError};

/// The answer of `check`: which files are there, with how many rows and columns.
pub fn look(source: &Source) -> Result<CheckReport, ConnectorError> {
    let found = survey(source)?;
    let mut remarks = Vec::new();
    for (kind, stored) in &found.files {
        let open = Open::at(source, *kind, std::slice::from_ref(stored), 0, None)?;
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
        remarks.push(remark);
        remarks.extend(open.header.withheld.iter().map(|n| withheld_column(n)));
    }
    remarks.extend(
        found
            .unknown
            .iter()
            .map(|name| format!("`{name}` is not a file that lastkey knows and is left alone")),
    );
    Ok(CheckReport {
        rights_known: true,
        remarks,
        ..CheckReport::default()
    })
}
