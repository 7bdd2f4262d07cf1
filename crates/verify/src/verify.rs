//! Verifying a package: the archive's shape, the seal, and each file against the statement.
//!
//! The signed statement is the anchor. What it names must be there, what is there must be
//! named, and every other byte of the archive must be the one that the format writes.

use crate::directory::{self, about, whole};
use crate::hex::{is_sha256, to_hex};
use crate::key::Fingerprint;
use crate::layout::{
    self, MANIFEST, Manifest, PREDICATE_TYPE, Previous, STATEMENT, SUMS, Statement, VERSION,
};
use crate::report::{PackageState, Problem, VerifyError, VerifyReport};
use crate::seal::{self, Kept, Seal};
use crate::unpack::{self, Bounds, Content};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What is known beforehand.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Who should have signed it. Without it nobody can say more than "intact, signer unknown".
    pub signer: Option<Fingerprint>,
    /// The package that this one should continue.
    pub extends: Option<PathBuf>,
}

/// Says whether the package is what its signer made, and if not, what is wrong where.
/// Reads with constant memory; never panics. An error only where the file cannot be read.
pub fn verify_package(path: &Path, options: &VerifyOptions) -> Result<VerifyReport, VerifyError> {
    let examined = examine(path, Bounds::default())?;
    let mut problems = examined.problems;
    if let Some(old) = &options.extends {
        let signer = examined.seal.signer.as_ref();
        problems.extend(extends(examined.manifest.as_ref(), signer, old)?);
    }
    let signer = examined.seal.signer.clone();
    let state = match (problems.is_empty(), &signer, &options.signer) {
        (false, _, _) | (true, None, _) => PackageState::Broken,
        (true, Some(_), None) => PackageState::IntactSignerUnknown,
        (true, Some(is), Some(wanted)) if is == wanted => PackageState::Intact,
        (true, Some(is), Some(wanted)) => {
            problems.push(about(
                layout::PUBLIC_KEY,
                format!("the package is signed by {is}, not by {wanted}"),
            ));
            PackageState::IntactSignerUnknown
        }
    };
    let signed = examined.statement.filter(|_| signer.is_some());
    Ok(VerifyReport {
        state,
        signer,
        package_id: signed
            .as_ref()
            .map(|s| crate::text::visible(&s.predicate.package_id)),
        made_at: signed
            .as_ref()
            .map(|s| crate::text::visible(&s.predicate.made_at)),
        files: examined.files,
        problems,
    })
}

/// The id and digest of an intact package, for the one that continues it, and who signed it.
pub fn previous_of(
    path: &Path,
) -> Result<Result<(Previous, Fingerprint), Vec<Problem>>, VerifyError> {
    let examined = examine(path, Bounds::default())?;
    Ok(match (examined.manifest, examined.seal.signer) {
        (Some(manifest), Some(signer)) if examined.problems.is_empty() => {
            let previous = Previous {
                package_id: manifest.package_id,
                sha256: file_sha256(path)?,
            };
            Ok((previous, signer))
        }
        _ => Err(examined.problems),
    })
}

/// Each store signs with a key of its own: a package of another store is continued by none of this.
fn extends(
    manifest: Option<&Manifest>,
    signer: Option<&Fingerprint>,
    old: &Path,
) -> Result<Vec<Problem>, VerifyError> {
    let shown = crate::text::visible(&old.to_string_lossy());
    let (previous, before) = match previous_of(old)? {
        Ok(previous) => previous,
        Err(problems) => {
            return Ok(vec![whole(format!(
                "`{shown}`, which it should continue, is itself broken (problems: {})",
                problems.len()
            ))]);
        }
    };
    if let Some(signer) = signer
        && *signer != before
    {
        return Ok(vec![about(
            layout::PUBLIC_KEY,
            format!(
                "it is signed by {signer}, and `{shown}`, which it should continue, by {before}: \
                 that is a package of another store"
            ),
        )]);
    }
    let named = manifest.and_then(|m| m.previous.as_ref());
    Ok(match named {
        Some(named) if *named == previous => Vec::new(),
        Some(named) => vec![about(
            MANIFEST,
            format!(
                "it continues package {}, not `{shown}`, which is package {}",
                crate::text::visible(&named.package_id),
                previous.package_id
            ),
        )],
        None => vec![about(
            MANIFEST,
            format!("it does not say that it continues `{shown}`"),
        )],
    })
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> VerifyError + '_ {
    move |error| VerifyError::CannotRead {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn file_sha256(path: &Path) -> Result<String, VerifyError> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(unreadable(path))?;
    io::copy(&mut file, &mut hash).map_err(unreadable(path))?;
    Ok(to_hex(&hash.finalize()))
}

#[derive(Default)]
pub(crate) struct Examined {
    pub seal: Seal,
    pub statement: Option<Statement>,
    pub manifest: Option<Manifest>,
    pub files: u64,
    pub problems: Vec<Problem>,
}

/// Everything that can be said without knowing who should have signed.
pub(crate) fn examine(path: &Path, bounds: Bounds) -> Result<Examined, VerifyError> {
    let broken = unreadable(path);
    // before it is opened: opening a pipe would wait for somebody to write
    let about_file = fs::metadata(path).map_err(&broken)?;
    if !about_file.is_file() {
        return Err(broken(io::Error::other("it is not a file")));
    }
    let mut file = File::open(path).map_err(&broken)?;
    let len = about_file.len();
    let directory = match directory::read(&mut file, len).map_err(&broken)? {
        Ok(directory) => directory,
        Err(problem) => {
            return Ok(Examined {
                problems: vec![problem],
                ..Examined::default()
            });
        }
    };
    let mut problems = Vec::new();
    let mut contents = BTreeMap::new();
    let mut names = BTreeSet::new();
    let (mut total, mut packed) = (0_u64, 0_u64);
    for listed in &directory.listed {
        total = total.saturating_add(listed.bytes);
        packed = packed.saturating_add(listed.packed);
        if !layout::is_path(&listed.name) {
            problems.push(about(&listed.name, "no file of a package has such a name"));
        } else if !names.insert(listed.name.as_str()) {
            problems.push(about(&listed.name, "it is in the archive twice"));
        } else if total > bounds.total_bytes {
            problems.push(whole("the files unpack to more than a package may hold"));
            break;
        } else if packed > len {
            // one piece of data read again and again: a bomb without a high ratio
            problems.push(whole("files of the archive overlap"));
            break;
        } else {
            match unpack::content(&mut file, len, listed, bounds).map_err(&broken)? {
                Ok(content) => {
                    contents.insert(listed.name.clone(), content);
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    let kept: Kept = contents
        .iter_mut()
        .filter_map(|(name, content)| Some((name.clone(), content.kept.take()?)))
        .collect();
    let mut examined = Examined {
        files: u64::try_from(directory.listed.len()).unwrap_or(u64::MAX),
        problems,
        ..Examined::default()
    };
    if let Some(newer) = newer_version(&kept) {
        examined.problems = vec![newer];
        return Ok(examined);
    }
    examined.seal = seal::open(&kept);
    examined.problems.append(&mut examined.seal.problems);
    match examined.seal.statement.as_deref().map(statement) {
        Some(Ok(statement)) => {
            let found = against_statement(&statement, &contents, &names);
            examined.problems.extend(found);
            examined.statement = Some(statement);
        }
        Some(Err(problem)) => examined.problems.push(problem),
        None => {}
    }
    examined.manifest = manifest(&kept, &contents, &mut examined.problems);
    let shape = directory::shape(&mut file, len, &directory).map_err(&broken)?;
    examined.problems.extend(shape);
    sort(&mut examined.problems);
    Ok(examined)
}

/// One sentence per file and cause, the files of the content first.
fn sort(problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    problems.retain(|p| seen.insert((p.file.clone(), p.message.clone())));
}

/// Whether a newer Lastkey made it: then this program has no say in the rest.
fn newer_version(kept: &Kept) -> Option<Problem> {
    #[derive(Deserialize)]
    struct Versioned {
        format: String,
        version: u64,
    }
    let manifest: Versioned = serde_json::from_slice(kept.get(MANIFEST)?).ok()?;
    (manifest.format == layout::FORMAT && manifest.version > VERSION).then(|| {
        about(
            MANIFEST,
            format!(
                "it was made by a newer version: its layout is {}, and this program knows up to {VERSION}",
                manifest.version
            ),
        )
    })
}

fn statement(bytes: &[u8]) -> Result<Statement, Problem> {
    let statement: Statement = serde_json::from_slice(bytes).map_err(|_| {
        about(
            STATEMENT,
            "it is not an in-toto statement of this package format",
        )
    })?;
    if statement.kind != layout::STATEMENT_TYPE
        || statement.predicate_type != format!("{PREDICATE_TYPE}{VERSION}")
    {
        return Err(about(
            STATEMENT,
            "it is a statement about something else than a package of this format",
        ));
    }
    if statement
        .subject
        .iter()
        .any(|s| !is_sha256(&s.digest.sha256))
    {
        return Err(about(STATEMENT, "it names a digest that is no SHA-256"));
    }
    Ok(statement)
}

/// What is named must be there as named, and what is there must be named.
fn against_statement(
    statement: &Statement,
    contents: &BTreeMap<String, Content>,
    names: &BTreeSet<&str>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut named = BTreeSet::new();
    for subject in &statement.subject {
        let shown = crate::text::visible(&subject.name);
        if !named.insert(subject.name.as_str()) {
            problems.push(about(STATEMENT, format!("it names `{shown}` twice")));
        }
        match contents.get(&subject.name) {
            Some(content) if content.sha256 == subject.digest.sha256 => {}
            Some(_) => problems.push(about(&shown, "its content is not what the statement names")),
            None if names.contains(subject.name.as_str()) => {}
            None => problems.push(about(&shown, "it is missing: the statement names it")),
        }
    }
    for name in names {
        if !named.contains(name) && !layout::SEAL.contains(name) {
            problems.push(about(name, "it was added: the statement does not name it"));
        }
    }
    problems
}

/// The manifest, and everything that must follow from it to the byte.
fn manifest(
    kept: &Kept,
    contents: &BTreeMap<String, Content>,
    problems: &mut Vec<Problem>,
) -> Option<Manifest> {
    let bytes = kept.get(MANIFEST)?;
    let manifest: Manifest = match serde_json::from_slice(bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            problems.push(about(
                MANIFEST,
                format!(
                    "it is not a manifest of this package format (line {}, column {})",
                    error.line(),
                    error.column()
                ),
            ));
            return None;
        }
    };
    let earlier: BTreeSet<String> = problems.iter().filter_map(|p| p.file.clone()).collect();
    let mut say = |file: &str, message: &str| {
        // a file that is known to be altered needs no second sentence for what follows from it
        if !earlier.contains(file) {
            problems.push(about(file, message));
        }
    };
    if manifest.format != layout::FORMAT || manifest.version != VERSION {
        say(
            MANIFEST,
            "it is the manifest of something else than a package of this format",
        );
    }
    if layout::json(&manifest).ok().as_ref() != Some(bytes)
        || layout::package_id(&manifest).ok().as_ref() != Some(&manifest.package_id)
    {
        say(
            MANIFEST,
            "it is not written as this package format writes it",
        );
    }
    for line in &manifest.files {
        match contents.get(&line.path) {
            None => {}
            Some(c) if c.sha256 != line.sha256 || c.bytes != line.bytes => {
                say(&line.path, "its content is not what the manifest names");
            }
            Some(c) if c.packed_sha256 != line.packed_sha256 || c.packed != line.packed_bytes => {
                say(
                    &line.path,
                    "its content is right, but its compressed form in the archive was replaced",
                );
            }
            Some(c) if line.rows.is_some_and(|rows| rows != c.rows) => {
                say(
                    &line.path,
                    "it has another number of records than the manifest says",
                );
            }
            Some(_) => {}
        }
    }
    // where the manifest itself was altered, these would only repeat it
    if !earlier.contains(MANIFEST) {
        let sums = layout::sums(&manifest, bytes);
        if kept.get(SUMS).is_some_and(|is| *is != sums) {
            say(SUMS, "its lines are not those of the manifest");
        } else if let (Some(is), Ok(wanted)) = (
            kept.get(STATEMENT),
            layout::statement(&manifest, bytes, &sums),
        ) && *is != wanted
        {
            say(STATEMENT, "it does not follow from the manifest");
        }
    }
    Some(manifest)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
