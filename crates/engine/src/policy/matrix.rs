//! A role matrix as a policy, and a policy as a role matrix: who by attributes, what by entitlement.
//!
//! A table in CSV, or in XLSX (`workbook`). Columns without a colon are attributes of identities, by the schema's names or, as
//! `#name`, tags; `id` names the rows. Columns with a colon are entitlements, `system:id`. A cell says
//! `x` (may be held), `b` (birthright: may and should), or nothing. An empty attribute is any; `-` as
//! employer is whoever works for no vendor.
//! There and back gives the same table; a policy that says more than a table can is refused with the
//! names of the rules that do.

use super::asked::OF_IDENTITIES;
use super::needs::{Field, Of, Place};
use super::rules::{AccessPolicy, Effect, Rule};
use super::text::PolicyError;
use std::collections::{BTreeMap, BTreeSet};

/// What a birthright's rule is called beside the rule of the same row.
const BIRTHRIGHT: &str = " (birthright)";

/// Whoever works for no vendor, as it stands in the column of the employer.
pub(super) const NOBODYS: &str = "-";

/// One row of a matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub id: String,
    /// By the column's name.
    pub who: BTreeMap<String, String>,
    pub permitted: BTreeSet<String>,
    pub birthright: BTreeSet<String>,
}

/// A table with a header, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub header: Vec<String>,
    pub rows: Vec<TableRow>,
}

/// A row with its line, and its cells with the place of their column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableRow {
    pub line: u32,
    pub cells: Vec<(usize, String)>,
}

/// The policy that a matrix stands for, as text with one or two rules for each row.
pub fn policy_of_matrix(csv: &str) -> Result<String, PolicyError> {
    let csv = csv.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter(csv))
        .from_reader(csv.as_bytes());
    let header = reader.headers().map_err(unreadable)?;
    let mut table = Table {
        header: header.iter().map(str::to_owned).collect(),
        rows: Vec::new(),
    };
    for (number, record) in (2u32..).zip(reader.records()) {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(number, |position| {
            u32::try_from(position.line()).unwrap_or(number)
        });
        let cells = record.iter().map(str::to_owned);
        table.rows.push(TableRow {
            line,
            cells: cells.enumerate().collect(),
        });
    }
    policy_of_table(&table)
}

/// What parts the cells: a comma, or, where the first line has none, the semicolon or tab that
/// spreadsheets of many languages write.
fn delimiter(csv: &str) -> u8 {
    let header = csv.lines().next().unwrap_or_default();
    let has = |sign: char| header.contains(sign);
    match () {
        () if has(',') => b',',
        () if has(';') => b';',
        () if has('\t') => b'\t',
        () => b',',
    }
}

/// The same of a table, wherever it was read.
pub(super) fn policy_of_table(table: &Table) -> Result<String, PolicyError> {
    let columns: Vec<&str> = table.header.iter().map(|column| column.trim()).collect();
    for (place, column) in columns.iter().enumerate() {
        if let Err(message) = checked_column(column, columns.iter().take(place)) {
            return Err(at(1, place, message).hint(
                "write `id`, an attribute such as `department`, `#tag`, or `system:entitlement`",
            ));
        }
    }
    let mut text = String::new();
    let mut ids = BTreeSet::new();
    for (number, TableRow { line, cells }) in (2u32..).zip(&table.rows) {
        let line = *line;
        let width = cells.last().map_or(0, |(place, _)| place + 1);
        if width > columns.len() {
            let message = format!(
                "the row has {width} cells, and the header {}",
                columns.len()
            );
            return Err(at(line, columns.len(), message));
        }
        let mut row = Row {
            id: format!("row {number}"),
            ..Row::default()
        };
        for (place, cell) in cells {
            let (place, cell) = (*place, cell.trim());
            let Some(column) = columns.get(place).filter(|_| !cell.is_empty()) else {
                continue;
            };
            if *column == "id" {
                cell.clone_into(&mut row.id);
            } else if column.contains(':') && !column.starts_with('#') {
                match cell {
                    "x" | "X" => row.permitted.insert((*column).to_owned()),
                    "b" | "B" => row.birthright.insert((*column).to_owned()),
                    other => {
                        let message = format!("`{other}` in column `{column}` is no mark");
                        return Err(at(line, place, message)
                            .hint("write x (may be held), b (birthright), or nothing"));
                    }
                };
            } else {
                row.who.insert((*column).to_owned(), cell.to_owned());
            }
        }
        if !ids.insert(row.id.clone()) {
            let message = format!("a row before is called `{}` already", row.id);
            return Err(at(line, 0, message).hint("give each row an id of its own"));
        }
        text.push_str(&rules_of(&row));
    }
    if text.is_empty() {
        return Err(at(1, 0, "no cell of the matrix has a mark".to_owned())
            .hint("write x (may be held) or b (birthright) under an entitlement, `system:entitlement`"));
    }
    // What is written here is checked like any other policy.
    AccessPolicy::parse(&text)?;
    Ok(text)
}

/// The matrix that a policy stands for, as CSV; else the names of the rules that say more.
pub fn matrix_of_policy(policy: &AccessPolicy) -> Result<String, Vec<String>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut written = true;
    for row in table_of_policy(policy)? {
        written &= table.write_record(&row).is_ok();
    }
    let bytes = table.into_inner().unwrap_or_default();
    match String::from_utf8(bytes) {
        Ok(text) if written => Ok(text),
        // Writing to memory does not fail.
        Ok(_) | Err(_) => Err(Vec::new()),
    }
}

/// The same as rows of cells, the header first.
pub(super) fn table_of_policy(policy: &AccessPolicy) -> Result<Vec<Vec<String>>, Vec<String>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut more = Vec::new();
    for rule in policy.rules() {
        let Some(row) = row_of(rule) else {
            more.push(rule.name.clone());
            continue;
        };
        match rows.last_mut() {
            Some(last) if last.id == row.id && last.who == row.who => {
                last.permitted.extend(row.permitted);
                last.birthright.extend(row.birthright);
            }
            _ => rows.push(row),
        }
    }
    if !more.is_empty() {
        return Err(more);
    }
    let who: BTreeSet<&String> = rows.iter().flat_map(|row| row.who.keys()).collect();
    let what = rows
        .iter()
        .flat_map(|row| row.permitted.union(&row.birthright));
    let what: BTreeSet<&String> = what.collect();
    let header = std::iter::once("id").chain(who.iter().chain(&what).map(|name| name.as_str()));
    let mut table: Vec<Vec<String>> = vec![header.map(str::to_owned).collect()];
    for row in &rows {
        let attributes = who
            .iter()
            .map(|name| row.who.get(*name).map_or("", String::as_str));
        let marks = what.iter().map(|name| {
            if row.birthright.contains(*name) {
                "b"
            } else if row.permitted.contains(*name) {
                "x"
            } else {
                ""
            }
        });
        let cells = std::iter::once(row.id.as_str())
            .chain(attributes)
            .chain(marks);
        table.push(cells.map(str::to_owned).collect());
    }
    Ok(table)
}

/// The rules of a row; a row without a mark has none.
fn rules_of(row: &Row) -> String {
    let mut text = String::new();
    if !row.permitted.is_empty() {
        text.push_str(&rule_of(&row.id, "", row, &row.permitted));
    }
    if !row.birthright.is_empty() {
        let id = match row.permitted.is_empty() {
            true => row.id.clone(),
            false => format!("{}{BIRTHRIGHT}", row.id),
        };
        text.push_str(&rule_of(&id, " @birthright", row, &row.birthright));
    }
    text
}

/// A rule for these people and entitlements, with more annotations after its id.
pub(super) fn rule_of(id: &str, annotations: &str, row: &Row, what: &BTreeSet<String>) -> String {
    let what: Vec<String> = what
        .iter()
        .map(|name| format!("Entitlement::{}", quoted(name)))
        .collect();
    let mut conditions: Vec<String> = row
        .who
        .iter()
        .map(|(name, value)| asked(name, value))
        .collect();
    conditions.push(format!("resource in [{}]", what.join(", ")));
    format!(
        "@id({}){annotations}\npermit (principal, action == Action::\"hold\", resource)\nwhen {{ {} }};\n",
        quoted(id),
        conditions.join(" && ")
    )
}

fn asked(name: &str, text: &str) -> String {
    let value = quoted(text);
    match name.strip_prefix('#') {
        Some(tag) => {
            let tag = quoted(tag);
            format!("principal.hasTag({tag}) && principal.getTag({tag}) == {value}")
        }
        None if (name, text) == ("employer", NOBODYS) => "!(principal has employer)".to_owned(),
        None if name == "kind" => format!("principal.kind == {value}"),
        None => format!("principal has {name} && principal.{name} == {value}"),
    }
}

/// A text as Cedar writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The row that a rule stands for, if the row stands for exactly this rule.
fn row_of(rule: &Rule) -> Option<Row> {
    let Place::Entitlements(what) = &rule.needs.place else {
        return None;
    };
    let mut row = Row {
        id: rule
            .name
            .strip_suffix(BIRTHRIGHT)
            .unwrap_or(&rule.name)
            .to_owned(),
        ..Row::default()
    };
    for one in &rule.needs.one_of {
        let texts: Vec<&String> = one.texts.iter().collect();
        let (Of::Principal, [value]) = (one.of, texts.as_slice()) else {
            return None;
        };
        let name = match &one.field {
            Field::Attribute(name) => name.clone(),
            Field::Tag(name) => format!("#{name}"),
        };
        row.who.insert(name, (*value).clone());
    }
    match rule.birthright {
        true => row.birthright.clone_from(what),
        false => row.permitted.clone_from(what),
    }
    if rule.effect != Effect::Permit {
        return None;
    }
    let form = rule.form()?;
    let says_it = |row: &Row| {
        let again = AccessPolicy::parse(&rules_of(row)).ok()?;
        let [same] = again.rules() else { return None };
        (same.form()? == form).then_some(())
    };
    if says_it(&row).is_none() {
        // What is no attribute's value is seen only in the whole.
        row.who.insert("employer".to_owned(), NOBODYS.to_owned());
        says_it(&row)?;
    }
    Some(row)
}

fn checked_column<'c>(
    column: &str,
    mut before: impl Iterator<Item = &'c &'c str>,
) -> Result<(), String> {
    if before.any(|other| *other == column) {
        return Err(format!("column `{column}` stands here twice"));
    }
    let entitlement = column.contains(':') || column == "id";
    let tag = column.strip_prefix('#').is_some_and(|tag| !tag.is_empty());
    match entitlement || tag || OF_IDENTITIES.contains(&column) {
        true => Ok(()),
        false => Err(format!(
            "column `{column}` is neither an attribute nor an entitlement"
        )),
    }
}

/// A mistake at a line and the place of a column.
pub(super) fn at(line: u32, column: usize, message: String) -> PolicyError {
    PolicyError {
        line,
        column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        message,
        hint: None,
    }
}

fn unreadable(error: csv::Error) -> PolicyError {
    let line = error.position().map_or(1, csv::Position::line);
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    at(line, 0, format!("the table cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: &str = "\
id,#cost_centre,department,title,ad:staff,erp:admin,erp:ledger
everybody,,,,b,,
clerks,,Finance,Clerk,,,x
\"the \"\"4711\"\"\",4711,,,b,x,x
";

    #[test]
    fn a_matrix_comes_back_from_its_policy() {
        let text = policy_of_matrix(MATRIX).unwrap();
        let policy = AccessPolicy::parse(&text).unwrap();
        assert_eq!(policy.rules().len(), 4, "{text}");
        assert!(policy.remarks().is_empty(), "{:?}", policy.remarks());
        assert_eq!(matrix_of_policy(&policy).unwrap(), MATRIX);
    }

    #[test]
    fn a_matrix_may_be_parted_as_spreadsheets_of_other_languages_do() {
        let text = policy_of_matrix(MATRIX).unwrap();
        for sign in [";", "\t"] {
            assert_eq!(
                policy_of_matrix(&MATRIX.replace(',', sign)),
                Ok(text.clone())
            );
        }
    }

    #[test]
    fn whoever_works_for_no_vendor_has_a_cell_too() {
        let own = "id,department,employer,kind,ad:staff\nown,Finance,-,person,x\n";
        let text = policy_of_matrix(own).unwrap();
        assert!(text.contains("&& !(principal has employer) &&"), "{text}");
        let policy = AccessPolicy::parse(&text).unwrap();
        assert_eq!(matrix_of_policy(&policy).unwrap(), own);
    }

    #[test]
    fn a_policy_that_says_more_is_refused_by_name() {
        let refused = |text: &str| {
            let policy = AccessPolicy::parse(text).unwrap();
            matrix_of_policy(&policy).unwrap_err()
        };
        let when = "permit (principal, action == Action::\"hold\", resource) when";
        let ledger = "resource in [Entitlement::\"erp:ledger\"]";
        for (id, rule) in [
            ("all", "permit (principal, action, resource);".to_owned()),
            (
                "system",
                "permit (principal, action, resource in System::\"erp\");".to_owned(),
            ),
            (
                "not",
                format!("{when} {{ !(principal.kind == \"person\") && {ledger} }};"),
            ),
            (
                "unless",
                format!("{when} {{ {ledger} }} unless {{ principal has employer }};"),
            ),
            (
                "forbid",
                format!(
                    "forbid (principal, action == Action::\"hold\", resource) when {{ {ledger} }};"
                ),
            ),
        ] {
            assert_eq!(refused(&format!("@id(\"{id}\") {rule}")), [id]);
        }
    }

    #[test]
    fn a_mistake_in_a_matrix_has_a_place() {
        let cases = [
            ("departmnt,erp:x\n", (1, 1), "neither an attribute"),
            ("department,erp:x\nFinance,y\n", (2, 2), "no mark"),
            ("id,erp:x\na,x\na,x\n", (3, 1), "called `a` already"),
            ("erp:x,erp:x\n", (1, 2), "twice"),
            ("department,erp:x\nFinance,x,x\n", (2, 3), "3 cells"),
            ("", (1, 1), "no cell of the matrix has a mark"),
            (
                "department,erp:x\n",
                (1, 1),
                "no cell of the matrix has a mark",
            ),
            (
                "department,erp:x\nFinance,\n",
                (1, 1),
                "no cell of the matrix has a mark",
            ),
        ];
        for (csv, place, message) in cases {
            let error = policy_of_matrix(csv).unwrap_err();
            assert_eq!((error.line, error.column), place, "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
