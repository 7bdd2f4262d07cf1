//! What a store and its sealed file really hold: every table decrypted, and the keys themselves,
//! worked out anew from the recovery key and not through the code under test.

use crate::hunt::Canary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use sha2::Sha256;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A store's keys.
pub struct Opened {
    store: PathBuf,
    store_id: String,
    root: [u8; 32],
}

impl Opened {
    /// From the recovery key that was shown when the store was made.
    pub fn with_recovery_key(store: &Path, recovery_key: &str) -> Self {
        let digits: String = recovery_key
            .trim()
            .trim_start_matches("lastkey-recovery-1")
            .chars()
            .filter(char::is_ascii_hexdigit)
            .take(64)
            .collect();
        let bytes: Vec<u8> = digits
            .as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let keys = std::fs::read_to_string(beside(store, ".keys")).expect("the file of keys");
        let keys: serde_json::Value = serde_json::from_str(&keys).expect("it is JSON");
        let text = |pointer: &str| {
            let value = keys.pointer(pointer).and_then(|value| value.as_str());
            value.expect("the file of keys says it").to_owned()
        };
        let key: [u8; 32] = bytes.try_into().expect("32 bytes");
        let wrapped = |name: &str| {
            let text = text(&format!("/key/recovery/{name}"));
            STANDARD.decode(text).expect("base64")
        };
        let root = open(
            &key,
            &wrapped("nonce"),
            &wrapped("sealed"),
            b"lastkey recovery v1",
        );
        Self {
            store: store.to_owned(),
            store_id: text("/store_id"),
            root: root.try_into().expect("32 bytes"),
        }
    }

    fn key(&self, purpose: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        hkdf::Hkdf::<Sha256>::new(Some(self.store_id.as_bytes()), &self.root)
            .expand(purpose, &mut out)
            .expect("32 bytes can be had");
        out
    }

    /// The keys, none of which may stand anywhere.
    pub fn canaries(&self) -> Vec<Canary> {
        let mut canaries = vec![
            Canary::new("the root key", self.root),
            Canary::new("the store's key", self.key(b"lastkey store v1")),
            Canary::new("the sealing key", self.key(b"lastkey sealing v1")),
        ];
        for (name, text) in self.sealed() {
            if let Ok(bytes) = hex_bytes(&text) {
                canaries.push(Canary::new(&format!("sealed {name}, its bytes"), bytes));
            }
            canaries.push(Canary::new(&format!("sealed {name}"), text));
        }
        canaries
    }

    /// The sealed secrets by name.
    pub fn sealed(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(beside(&self.store, ".sealed")).unwrap_or_default();
        let file: BTreeMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
        let key = self.key(b"lastkey sealing v1");
        file.into_iter()
            .map(|(name, text)| {
                let bytes = STANDARD.decode(text).expect("base64");
                let (nonce, sealed) = bytes.split_at(12);
                let opened = open(&key, nonce, sealed, name.as_bytes());
                (name, String::from_utf8(opened).expect("text"))
            })
            .collect()
    }

    /// Every row of every table, as SQL would write it.
    pub async fn dump(&self) -> String {
        let key: String = self
            .key(b"lastkey store v1")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let mut connection = SqliteConnectOptions::new()
            .filename(&self.store)
            .pragma("key", format!("\"x'{key}'\""))
            .connect()
            .await
            .expect("the store opens");
        let mut out = String::new();
        for table in texts(
            &mut connection,
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        )
        .await
        {
            let columns = texts(
                &mut connection,
                &format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            )
            .await;
            let quoted: Vec<String> = columns.iter().map(|c| format!("quote(\"{c}\")")).collect();
            let sql = format!("SELECT {} FROM \"{table}\"", quoted.join(" || ' ' || "));
            out.push_str(&format!("-- {table}\n"));
            for row in texts(&mut connection, &sql).await {
                out.push_str(&row);
                out.push('\n');
            }
            for column in &columns {
                let sql = format!(
                    "SELECT \"{column}\" FROM \"{table}\" WHERE typeof(\"{column}\") = 'blob'"
                );
                let blobs: Vec<Vec<u8>> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                    .fetch_all(&mut connection)
                    .await
                    .expect("a table");
                for text in blobs.iter().filter_map(|blob| unpacked(blob)) {
                    out.push_str(&text);
                    out.push('\n');
                }
            }
        }
        out
    }
}

/// What a packed blob holds, where it is one.
fn unpacked(blob: &[u8]) -> Option<String> {
    let (size, _) = blob.split_first_chunk::<4>()?;
    // Any four bytes look like a size.
    if u32::from_le_bytes(*size) > 64 << 20 {
        return None;
    }
    let bytes = lz4_flex::decompress_size_prepended(blob).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn open(key: &[u8; 32], nonce: &[u8], sealed: &[u8], context: &[u8]) -> Vec<u8> {
    let nonce: [u8; 12] = nonce.try_into().expect("12 bytes");
    let payload = Payload {
        msg: sealed,
        aad: context,
    };
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher.decrypt(&nonce.into(), payload).expect("it opens")
}

async fn texts(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .expect("the statement runs");
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn hex_bytes(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("-"), 16))
        .collect()
}
