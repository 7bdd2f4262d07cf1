//! References of a source's current facts that lead to nothing known.

use super::objects::UNIT;
use super::{Store, StoreError};
use lastkey_contract::{Kind, Note};

/// References of one sort that lead nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokenReferences {
    pub kind: Kind,
    /// What they name, in words.
    pub what: &'static str,
    pub count: u64,
    pub examples: Vec<String>,
}

/// Kind, column, prefix of the references that count, kind that they name, words.
/// A prefix is cut off before the target is looked up.
const SORTS: &[(Kind, &str, &str, Kind, &str)] = &[
    (Kind::Identity, "from_ref", "", Kind::Identity, "managers"),
    (Kind::Identity, "to_ref", "", Kind::Identity, "employers"),
    (Kind::Account, "from_ref", "", Kind::Identity, "identities"),
    (
        Kind::Account,
        "to_ref",
        "",
        Kind::Account,
        "accounts to sign in through",
    ),
    (
        Kind::Grant,
        "from_ref",
        "account\u{1f}",
        Kind::Account,
        "accounts",
    ),
    (
        Kind::Grant,
        "from_ref",
        "entitlement\u{1f}",
        Kind::Entitlement,
        "entitlements",
    ),
    (
        Kind::Grant,
        "to_ref",
        "",
        Kind::Entitlement,
        "granted entitlements",
    ),
    (Kind::Credential, "from_ref", "", Kind::Account, "accounts"),
    (
        Kind::Location,
        "from_ref",
        "",
        Kind::Credential,
        "credentials",
    ),
    (
        Kind::Reader,
        "from_ref",
        "account\u{1f}",
        Kind::Account,
        "accounts",
    ),
    (
        Kind::Reader,
        "from_ref",
        "entitlement\u{1f}",
        Kind::Entitlement,
        "entitlements",
    ),
    (Kind::Reader, "to_ref", "", Kind::Location, "locations"),
    (
        Kind::Control,
        "from_ref",
        "account\u{1f}",
        Kind::Account,
        "accounts",
    ),
    (
        Kind::Control,
        "from_ref",
        "entitlement\u{1f}",
        Kind::Entitlement,
        "entitlements",
    ),
    (
        Kind::Control,
        "to_ref",
        "",
        Kind::Account,
        "controlled accounts",
    ),
    (Kind::Owner, "from_ref", "", Kind::Identity, "owners"),
    (
        Kind::Owner,
        "to_ref",
        "account\u{1f}",
        Kind::Account,
        "owned accounts",
    ),
    (
        Kind::Owner,
        "to_ref",
        "credential\u{1f}",
        Kind::Credential,
        "owned credentials",
    ),
    (
        Kind::Owner,
        "to_ref",
        "entitlement\u{1f}",
        Kind::Entitlement,
        "owned entitlements",
    ),
    (
        Kind::Owner,
        "to_ref",
        "location\u{1f}",
        Kind::Location,
        "owned locations",
    ),
    (Kind::Session, "from_ref", "", Kind::Account, "accounts"),
    (Kind::Task, "from_ref", "", Kind::Identity, "identities"),
    (Kind::Task, "to_ref", "", Kind::Account, "accounts"),
];

impl Store {
    /// What the current facts of a source refer to and no source holds.
    pub(crate) async fn broken_references(
        &self,
        source: i64,
    ) -> Result<Vec<BrokenReferences>, StoreError> {
        let mut broken = Vec::new();
        for (kind, column, prefix, target, what) in SORTS {
            // The columns and conditions are from the list above; values are bound.
            let known = match target {
                Kind::Location => {
                    "SELECT 1 FROM objects t WHERE t.kind = 'location' AND t.to_ref = r.named AND t.ended_sync IS NULL"
                }
                Kind::Identity => {
                    "SELECT 1 FROM people t WHERE t.id = r.named UNION ALL
                     SELECT 1 FROM people t JOIN sources s ON s.id = t.source
                     WHERE instr(r.named, ':') > 0 AND t.id = substr(r.named, instr(r.named, ':') + 1)
                     AND s.name = substr(r.named, 1, instr(r.named, ':') - 1)"
                }
                Kind::Account
                | Kind::Entitlement
                | Kind::Grant
                | Kind::Credential
                | Kind::Reader
                | Kind::Control
                | Kind::Owner
                | Kind::Session
                | Kind::Task => {
                    "SELECT 1 FROM objects t WHERE t.kind = ?4 AND t.key = r.named AND t.ended_sync IS NULL"
                }
            };
            let from = format!(
                "FROM (SELECT key, substr({column}, ?5) AS named FROM objects
                 WHERE source = ?1 AND kind = ?2 AND ended_sync IS NULL AND {column} IS NOT NULL
                 AND substr({column}, 1, ?5 - 1) = ?3) r WHERE NOT EXISTS ({known})"
            );
            let start: i64 = prefix.chars().count().try_into().unwrap_or(0) + 1;
            let (count,): (i64,) =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT count(*) {from}")))
                    .bind(source)
                    .bind(kind.word())
                    .bind(*prefix)
                    .bind(target.word())
                    .bind(start)
                    .fetch_one(self.readers())
                    .await?;
            if count == 0 {
                continue;
            }
            let sql = format!("SELECT DISTINCT r.named {from} ORDER BY 1 LIMIT ?6");
            let named: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(source)
                .bind(kind.word())
                .bind(*prefix)
                .bind(target.word())
                .bind(start)
                .bind(i64::try_from(Note::MAX_EXAMPLES).unwrap_or(10))
                .fetch_all(self.readers())
                .await?;
            broken.push(BrokenReferences {
                kind: *kind,
                what,
                count: count.cast_unsigned(),
                examples: named.into_iter().map(|(n,)| n.replace(UNIT, ":")).collect(),
            });
        }
        Ok(broken)
    }
}
