//! Reading: one question for each page, which goes on behind the last key of the page before.

use crate::connection::Connection;
use crate::error::failed;
use crate::map;
use crate::settings::Server;
use async_trait::async_trait;
use lastkey_contract::{
    ConnectorError, Cursor, ErrorKind, Fact, Kind, Note, NoteKind, Page, PageRequest, Session,
    SystemName,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

/// Most records on one page.
pub const MAX_PAGE: u32 = 5_000;
/// What a cursor of this connector begins with.
const CURSOR: &str = "after:";

/// The kinds that are read.
pub const KINDS: [Kind; 5] = [
    Kind::Account,
    Kind::Entitlement,
    Kind::Grant,
    Kind::Credential,
    Kind::Session,
];

/// An open reading session.
pub struct Reading {
    server: Server,
    connection: Connection,
    /// Whether the server tells this login when roles were changed.
    ages: bool,
}

type Make = fn(&SystemName, &Row) -> Result<Fact, Error>;

/// The question for a kind, its words for the evidence, and how rows become facts.
fn question(kind: Kind, ages: bool) -> Option<(&'static str, &'static str, Make)> {
    Some(match kind {
        Kind::Account => (
            include_str!("sql/accounts.sql"),
            "pg_roles, and roles of pg_stat_activity that are no more",
            map::account,
        ),
        Kind::Entitlement => (
            concat!(
                include_str!("sql/rights_told.sql"),
                include_str!("sql/entitlements.sql")
            ),
            "pg_roles that are held, attributes, privileges on databases, schemas and what stands in them, pg_default_acl",
            map::entitlement,
        ),
        Kind::Grant => (
            concat!(
                include_str!("sql/rights_told.sql"),
                include_str!("sql/grants.sql")
            ),
            "pg_auth_members, attributes of pg_roles, privileges of pg_database, pg_namespace, pg_class, pg_attribute and pg_proc, pg_default_acl",
            map::grant,
        ),
        Kind::Credential if ages => (
            concat!(
                include_str!("sql/ages_told.sql"),
                include_str!("sql/credentials.sql")
            ),
            "pg_roles that may log in or have a date, and when each was changed",
            map::credential,
        ),
        Kind::Credential => (
            concat!(
                include_str!("sql/ages_hidden.sql"),
                include_str!("sql/credentials.sql")
            ),
            "pg_roles that may log in or have a date",
            map::credential,
        ),
        Kind::Session => (
            include_str!("sql/sessions.sql"),
            "pg_stat_activity",
            map::session,
        ),
        Kind::Identity
        | Kind::Location
        | Kind::Reader
        | Kind::Control
        | Kind::Owner
        | Kind::Task => return None,
    })
}

impl Reading {
    /// Looks up once what this login is told.
    pub async fn begin(server: Server, connection: Connection) -> Result<Reading, ConnectorError> {
        let operation = "look up what is told";
        let asked = connection
            .client
            .query_one(include_str!("sql/ages.sql"), &[]);
        let row = connection.told(server.timeout, operation, asked).await?;
        let told = row.try_get("told");
        let told = told
            .map_err(|error| failed(&connection.system, operation, &error, &connection.watched))?;
        Ok(Reading {
            server,
            connection,
            ages: told,
        })
    }

    fn error(&self, kind: ErrorKind, operation: &str, message: &str) -> ConnectorError {
        ConnectorError::new(kind, self.connection.system.as_str(), operation, message)
    }

    fn note(&self, kind: Kind, hidden: u64) -> Vec<Note> {
        let note = |sort, reason: &str, count| Note {
            kind: sort,
            about: kind,
            reason: reason.to_owned(),
            count,
            examples: Vec::new(),
        };
        match kind {
            Kind::Credential => {
                let mut notes = vec![note(
                    NoteKind::Remark,
                    "whether a role has a password is not told: each that may log in is taken to have one",
                    1,
                )];
                if !self.ages {
                    notes.push(note(
                        NoteKind::Remark,
                        "how old passwords are is not told to this login: the connector's page says what it takes",
                        1,
                    ));
                }
                notes
            }
            Kind::Entitlement | Kind::Grant => vec![
                note(
                    NoteKind::Remark,
                    "privileges on schemas and on what stands in them are those of the one database that is connected to",
                    1,
                ),
                note(
                    NoteKind::Remark,
                    "privileges on types, languages, foreign servers, large objects, tablespaces and parameters are not read",
                    1,
                ),
            ],
            Kind::Session if hidden > 0 => vec![note(
                NoteKind::Clipped,
                "when and from where sessions of others began is hidden from this login",
                hidden,
            )],
            _ => Vec::new(),
        }
    }
}

#[async_trait]
impl Session for Reading {
    async fn read_page(
        &mut self,
        kind: Kind,
        request: PageRequest,
    ) -> Result<Page, ConnectorError> {
        let operation = format!("read {}", kind.plural());
        let Some((sql, asked, make)) = question(kind, self.ages) else {
            let what = "nothing of this kind is read from PostgreSQL";
            return Err(self.error(ErrorKind::Unsupported, &operation, what));
        };
        let after = match &request.cursor {
            None => "",
            Some(cursor) => cursor.0.strip_prefix(CURSOR).ok_or_else(|| {
                ConnectorError::foreign_cursor(self.connection.system.as_str(), &operation)
            })?,
        };
        let limit = request.limit.clamp(1, MAX_PAGE);
        let key = [&after as &(dyn ToSql + Sync), &i64::from(limit)];
        let asked_for = self.connection.client.query(sql, &key);
        let rows = self
            .connection
            .told(self.server.timeout, &operation, asked_for)
            .await?;
        let odd = |_| {
            self.error(
                ErrorKind::Protocol,
                &operation,
                "a row is not as it was asked for",
            )
        };
        let mut records = Vec::with_capacity(rows.len());
        let mut hidden = 0;
        for row in &rows {
            records.push(make(&self.server.system, row).map_err(odd)?);
            if kind == Kind::Session && map::is_hidden(row).map_err(odd)? {
                hidden += 1;
            }
        }
        let full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
        let next = match rows.last().filter(|_| full) {
            Some(last) => Some(Cursor(format!("{CURSOR}{}", map::key(last).map_err(odd)?))),
            None => None,
        };
        let notes = match request.cursor.is_none() || kind == Kind::Session {
            true => self.note(kind, hidden),
            false => Vec::new(),
        };
        Ok(Page {
            received: records.len() as u64,
            records,
            next,
            notes,
            query: Some(asked.to_owned()),
            ..Page::default()
        })
    }
}
