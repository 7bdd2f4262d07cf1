//! One scan, whole: what was found, who reads it, which credentials it names. Pages are cut from it,
//! so that all pages of a session show one state.

use crate::error::unreadable;
use crate::find::{Beside, Named};
use crate::left::LeftOut;
use crate::look::Looker;
use crate::map;
use crate::people::People;
use crate::readers::{Held, Who, readers};
use crate::settings::Scan;
use crate::walk::{self, FilePlace, Kept};
use lastkey_contract::facts::Credential;
use lastkey_contract::{ConnectorError, CredentialId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A place of a secret: a file, one of its finds, and the credential that stands there, where the
/// place names one.
#[derive(Clone, Debug)]
pub struct Row {
    pub file: usize,
    pub find: usize,
    pub credential: Option<CredentialId>,
}

/// What a scan found.
#[derive(Debug)]
pub struct Scanned {
    pub files: Vec<FilePlace>,
    pub rows: Vec<Row>,
    /// Who reads which file.
    pub readers: Vec<(usize, Who)>,
    pub credentials: Vec<Credential>,
    pub left: LeftOut,
    /// How many of the files have an access list that is not evaluated.
    pub listed: Vec<String>,
    /// How many files say nothing of who reads them.
    pub unsaid: u64,
    /// What tells this state from another.
    pub digest: String,
}

/// Which folder stands at the top: its device and number, where the system tells them.
fn which(scan: &Scan, top: &Path) -> Result<(u64, u64), ConnectorError> {
    let failed = |error| unreadable(&scan.shown, "scan", &scan.shown, &error);
    std::fs::read_dir(top).map_err(failed)?;
    let about = std::fs::metadata(top).map_err(failed)?;
    #[cfg(unix)]
    let which = {
        use std::os::unix::fs::MetadataExt;
        (about.dev(), about.ino())
    };
    #[cfg(not(unix))]
    let which = (0, u64::from(about.is_dir()));
    Ok(which)
}

/// Scans below `top`.
pub fn scan(
    scan: &Scan,
    top: &Path,
    people: &People,
    stop: &AtomicBool,
) -> Result<Scanned, ConnectorError> {
    let looker = Looker::new().map_err(|why| crate::error::bug(&scan.shown, "scan", &why))?;
    // A folder that goes away, or a disk that is taken out, must not pass for one without files.
    let before = which(scan, top)?;
    let walked = walk::walk(scan, top, &looker, stop)?;
    if which(scan, top)? != before {
        let what = "the folder became another one while it was read";
        let kind = lastkey_contract::ErrorKind::Unavailable;
        return Err(ConnectorError::new(kind, &scan.shown, "scan", what)
            .hint("sync again, once what it stands on is mounted"));
    }
    let digest = digest(&walked.files);
    let opens = authorized(&walked.files, people);
    let mut rows = Vec::new();
    let mut credentials: BTreeMap<CredentialId, Credential> = BTreeMap::new();
    for (at, file) in walked.files.iter().enumerate() {
        for (n, find) in file.kept.iter().enumerate() {
            let ids = named_here(file, find, &opens, people);
            if is_place(find) {
                match ids.is_empty() {
                    true => rows.push(Row {
                        file: at,
                        find: n,
                        credential: None,
                    }),
                    false => rows.extend(ids.iter().map(|id| Row {
                        file: at,
                        find: n,
                        credential: Some(id.clone()),
                    })),
                }
            }
            let own = !(scan.aws.is_some() && matches!(find.named, Some(Named::AwsKey { .. })));
            for id in ids.into_iter().filter(|_| own) {
                credentials
                    .entry(id.clone())
                    .or_insert_with(|| map::credential(scan, id, file, find, people));
            }
        }
    }
    // Of a key that lies here and opens an account here, the line that lets it in says more.
    let mut doors = Doors::default();
    let with_rows: BTreeSet<usize> = rows.iter().map(|row| row.file).collect();
    let (mut who_reads, mut listed, mut unsaid) = (Vec::new(), Vec::new(), 0);
    for at in with_rows {
        let Some(file) = walked.files.get(at) else {
            continue;
        };
        match file.held {
            Some(held) => {
                let above = doors.above(&file.path);
                let who = readers(held, &above, people);
                who_reads.extend(who.into_iter().map(|who| (at, who)));
            }
            None => unsaid += 1,
        }
        if file.listed {
            listed.push(walk::shown(&file.path));
        }
    }
    Ok(Scanned {
        rows,
        readers: who_reads,
        credentials: credentials.into_values().collect(),
        left: walked.left,
        listed,
        unsaid,
        digest,
        files: walked.files,
    })
}

/// Whether a secret stands there, or a name that only a secret has; the line of a public key that
/// is let in is none.
fn is_place(find: &Kept) -> bool {
    !matches!(find.named, Some(Named::Authorized { .. }))
}

/// The accounts that a public key opens here, by its fingerprint.
type Opens = BTreeMap<String, BTreeSet<CredentialId>>;

fn authorized(files: &[FilePlace], people: &People) -> Opens {
    let mut opens = Opens::new();
    for file in files {
        for find in &file.kept {
            if let Some(Named::Authorized { print, .. }) = &find.named {
                let id = map::authorized_id(print, file, people);
                opens.entry(print.clone()).or_default().insert(id);
            }
        }
    }
    opens
}

/// The ids of the credentials that a find names.
fn named_here(file: &FilePlace, find: &Kept, opens: &Opens, people: &People) -> Vec<CredentialId> {
    match &find.named {
        None
        | Some(Named::AwsKey {
            secret: Beside::NameOnly,
            ..
        }) => Vec::new(),
        Some(Named::AwsKey { id, .. } | Named::GoogleKey { id, .. }) => {
            vec![CredentialId::new(id.clone())]
        }
        Some(Named::KubeUser { name }) => {
            vec![CredentialId::new(format!(
                "{}#{name}",
                walk::shown(&file.path)
            ))]
        }
        Some(Named::Authorized { print, .. }) => vec![map::authorized_id(print, file, people)],
        Some(Named::SshKey { print, .. }) => match opens.get(print) {
            Some(ids) => ids.iter().cloned().collect(),
            None => vec![CredentialId::new(print.clone())],
        },
    }
}

fn digest(files: &[FilePlace]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        // Nothing of a value is in it.
        hash.update(format!("{file:?}\n"));
    }
    hex(&hash.finalize())
}

/// The first half of a hash as text.
pub fn hex(hash: &[u8]) -> String {
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The folders above files, each looked at once.
#[derive(Default)]
struct Doors(HashMap<PathBuf, Option<Held>>);

impl Doors {
    fn above(&mut self, file: &Path) -> Vec<Held> {
        let folders = file.ancestors().skip(1);
        folders
            .filter_map(|folder| {
                *self.0.entry(folder.to_path_buf()).or_insert_with(|| {
                    let about = std::fs::symlink_metadata(folder).ok()?;
                    walk::held(&about)
                })
            })
            .collect()
    }
}
