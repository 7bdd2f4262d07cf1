//! The check: who we are, what we lack, and what we could do beyond reading.

use crate::connection::Connection;
use crate::settings::Server;
use lastkey_contract::{CheckReport, ConnectorError, ErrorKind, Right};
use tokio_postgres::{Error, Row};

const OPERATION: &str = "check rights";

/// Looks, and changes nothing.
pub async fn look(server: &Server, connection: &Connection) -> Result<CheckReport, ConnectorError> {
    let system = connection.system.as_str();
    let asked = connection
        .client
        .query_one(include_str!("sql/rights.sql"), &[]);
    let row = connection.told(server.timeout, OPERATION, asked).await?;
    let odd = |_| {
        let what = "the server describes its own rights in a way that is not known here";
        ConnectorError::new(ErrorKind::Protocol, system, OPERATION, what)
    };
    let mut report = report(server, connection, &row).map_err(odd)?;
    if !row.try_get::<_, bool>("sees_rules").map_err(odd)? {
        report.remarks.push(
            "who may sign in from where and how (pg_hba.conf) is not told to this login".to_owned(),
        );
        return Ok(report);
    }
    let asked = connection
        .client
        .query(include_str!("sql/sign_in_rules.sql"), &[]);
    let rules = connection.told(server.timeout, OPERATION, asked).await?;
    for rule in &rules {
        report.warnings.push(warning(rule).map_err(odd)?);
    }
    Ok(report)
}

/// What a rule of pg_hba.conf lets happen.
fn warning(rule: &Row) -> Result<String, Error> {
    let what = match rule.try_get::<_, bool>("open")? {
        true => "lets people in without a password",
        false => "takes passwords in clear",
    };
    let (line, rule) = (
        rule.try_get::<_, String>("line")?,
        rule.try_get::<_, String>("rule")?,
    );
    Ok(format!("line {line} of pg_hba.conf {what}: `{rule}`"))
}

fn report(server: &Server, connection: &Connection, row: &Row) -> Result<CheckReport, Error> {
    let right = |name: &str, why: &str| Right {
        name: name.to_owned(),
        why: why.to_owned(),
    };
    let mut missing_rights = Vec::new();
    if !row.try_get::<_, bool>("sees_sessions")? {
        missing_rights.push(right(
            "pg_read_all_stats",
            "without it nobody tells when and from where sessions of others began",
        ));
    }
    let mut excess_rights = Vec::new();
    for (name, why) in [
        ("superuser", "a superuser may do everything"),
        ("createrole", "it could make and change roles"),
        ("createdb", "it could make databases"),
        ("replication", "it could copy the whole server"),
        ("bypassrls", "it would see rows that policies hide"),
        ("creates", "it could make schemas in this database"),
    ] {
        if row.try_get::<_, bool>(name)? {
            let name = match name {
                "creates" => format!("CREATE on database {}", server.database),
                name => name.to_uppercase(),
            };
            excess_rights.push(right(&name, why));
        }
    }
    for role in row.try_get::<_, Vec<String>>("roles")? {
        excess_rights.push(right(
            &format!("member of {role}"),
            "reading needs no other role than pg_read_all_stats",
        ));
    }
    let mut remarks = Vec::new();
    let others = row.try_get::<_, Vec<String>>("databases")?;
    if !others.is_empty() {
        remarks.push(format!(
            "schemas are read in `{}` only; other databases: {}",
            server.database,
            others.join(", ")
        ));
    }
    let mut warnings = Vec::new();
    if !connection.password_asked {
        warnings.push(
            "the server let this login in without asking for its password: see its pg_hba.conf"
                .to_owned(),
        );
    }
    let version: String = row.try_get("version")?;
    Ok(CheckReport {
        signed_in_as: Some(row.try_get("name")?),
        // `PostgreSQL 15.10 (Debian …) on …`
        server: Some(version.split(" (").next().unwrap_or_default().to_owned()),
        missing_rights,
        excess_rights,
        rights_known: true,
        warnings,
        remarks,
    })
}
