//! Audit packages: write one of the store's latest state, check any.

use crate::bench::Workbench;
use crate::failure::Failure;
use crate::keys::{hex, key_from_hex, random_bytes};
use crate::leavers::{LeaversAsked, Period};
use crate::trust;
use chrono::{DateTime, Utc};
use lastkey_contract::{Kind, Secret};
use lastkey_engine::access::Graph;
use lastkey_engine::evidence::{
    CompletenessRow, ConfirmedOwner, DecidedOn, DecisionLine, EvidenceError, LinkedAccountRow,
    PackageContent, PlanText, PopulationRow, PopulationTable, Rehearsed, Rows, write_package,
};
use lastkey_engine::lifecycle::{Plan, RehearsalSettings, rehearse_all};
use lastkey_engine::measured::{MeasuredLeaver, measure};
use lastkey_engine::store::{LeaversQuery, PolicyStanding, Store, StoreError, WhichLinks};
use lastkey_engine::views::{ExportProgress, ExportReport, JournalRow, ProblemView, VerifyView};
use lastkey_verify::{
    Fingerprint, PackageKey, PackageState, Previous, VerifyOptions, VerifyReport, previous_of,
    verify_package,
};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// Checks a package; needs no store. Without `signer`, the list of trusted signers counts.
pub fn verify(
    path: &Path,
    signer: Option<&str>,
    extends: Option<&Path>,
) -> Result<VerifyView, Failure> {
    let asked = signer
        .filter(|text| !text.trim().is_empty())
        .map(|text| {
            text.trim().parse::<Fingerprint>().map_err(|error| {
                Failure::bad_input(error.to_string())
                    .hint("the signer prints it when exporting; `lastkey verify` shows it too")
            })
        })
        .transpose()?;
    let report = verify_package(
        path,
        &VerifyOptions {
            signer: asked.clone(),
            extends: extends.map(Path::to_owned),
        },
    )
    .map_err(|error| Failure::not_possible(error.to_string()))?;
    let VerifyReport {
        state,
        signer,
        package_id,
        made_at,
        files,
        problems,
    } = report;
    let trusted = match (&signer, &asked) {
        (Some(signer), None) => trust::trusted().iter().any(|t| t == signer.as_str()),
        _ => false,
    };
    let state = match state {
        PackageState::IntactSignerUnknown if trusted => PackageState::Intact,
        PackageState::Intact | PackageState::IntactSignerUnknown | PackageState::Broken => state,
    };
    Ok(VerifyView {
        path: path.display().to_string(),
        state: state.words().to_owned(),
        signer: signer.map(|fingerprint| fingerprint.as_str().to_owned()),
        package_id,
        made_at,
        files,
        problems: problems
            .into_iter()
            .map(|problem| ProblemView {
                file: problem.file,
                message: problem.message,
            })
            .collect(),
    })
}

/// The package that another one continues: only an intact one of the same store can be.
fn continued(old: &Path, key: &PackageKey) -> Result<Previous, Failure> {
    let (previous, signer) = previous_of(old)
        .map_err(|error| Failure::not_possible(error.to_string()))?
        .map_err(|problems| {
            let places = problems.len();
            Failure::bad_input(format!(
                "`{}`, which the package should continue, is broken (problems: {places})",
                old.display()
            ))
            .hint("`lastkey verify` says where")
        })?;
    if signer != key.fingerprint() {
        return Err(Failure::bad_input(format!(
            "`{}`, which the package should continue, is of another store: it is signed by {signer}",
            old.display()
        ))
        .hint("continue the latest package of this store"));
    }
    Ok(previous)
}

/// What goes into a package, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageAsked {
    /// The moment of the rehearsals; now, unless said.
    pub at: Option<DateTime<Utc>>,
    /// A time, or a date in UTC: whoever may have left then or later is measured.
    pub since: Option<String>,
    /// A time, or a date in UTC, which counts whole: whoever may have left by then is.
    pub until: Option<String>,
    /// The package that this one continues.
    pub extends: Option<PathBuf>,
}

impl Workbench {
    /// When a package was exported last, if one ever was.
    pub async fn exported_at(&self) -> Result<Option<String>, Failure> {
        Ok(self.store.exported_at().await?)
    }

    /// Writes a signed audit package of the latest state, with everyone's rehearsal, and with what
    /// whoever left in the period really kept.
    pub async fn export(
        &self,
        out: &Path,
        asked: &PackageAsked,
        tell: &(dyn Fn(ExportProgress) + Send + Sync),
    ) -> Result<ExportReport, Failure> {
        let period = Period::of(asked.since.as_deref(), asked.until.as_deref())?;
        let key = self.signing_key().await?;
        let extends = asked.extends.as_deref();
        let previous = extends.map(|old| continued(old, &key)).transpose()?;
        let (_, graph) = self.graph().await?;
        let (plan, _) = self.plan().await?;
        let at = asked.at.unwrap_or_else(|| self.now());
        let names = self.store.identity_names().await?;
        let (store, status) = (&self.store, self.status().await?);
        let mut sizes = Vec::new();
        for kind in Kind::ALL {
            sizes.push((kind, store.population_size(kind).await?));
        }
        let (_, journal_expected) = store.journal(None, None, 0, 1).await?;
        let (_, decided) = store.decisions(0, 1).await?;
        let (_, owners_decided) = store.owner_decisions(0, 1).await?;
        let links_expected = store.link_counts().await?;
        let links_expected = links_expected.iter().map(|(_, count)| count).sum();
        let content = Prepared {
            completeness: store.completeness().await?,
            syncs: store.latest_syncs().await?,
            plan: store.plan().await?.map(|plan| PlanText {
                name: plan.name,
                text: plan.text,
            }),
            sizes,
            journal_expected,
            links_expected,
            owners_expected: store.confirmed_count().await?,
            decisions_expected: decided + owners_decided,
            not_known: self.leaver_caveats(period).await?,
        };
        // The package is written on this thread, which may block; rows come from the store
        // by window, so that a million rows need no more memory than a thousand.
        let movers = self.movers_of(asked).await?;
        let tries = self.store.tried_lines().await?;
        let runtime = tokio::runtime::Handle::current();
        let report = tokio::task::block_in_place(|| {
            let rehearsals_expected = u64::try_from(graph.identity_count()).unwrap_or(u64::MAX);
            let left = (period, self.now());
            let leavers = begin_leavers(store.clone(), runtime.clone(), left, plan.clone());
            let rehearsals = Everyones::begin(graph.clone(), plan, at, names);
            let package = PackageContent {
                made_at: Utc::now(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                previous,
                scope: "whole estate".to_owned(),
                period_from: period.since,
                period_until: period.before,
                snapshot_at: status
                    .snapshot_at
                    .as_deref()
                    .and_then(|text| crate::rehearsals::moment_from_text(text).ok()),
                syncs: content.syncs,
                rehearsed_at: Some(at),
                operator: Some(store.operator().to_owned()),
                practice_date: status.practice_date.clone(),
                population: content
                    .sizes
                    .iter()
                    .map(|(kind, expected)| PopulationTable {
                        kind: *kind,
                        expected: *expected,
                        rows: population(store, &runtime, *kind),
                    })
                    .collect(),
                links: links(store, &runtime),
                links_expected: content.links_expected,
                owners: owners(store, &runtime, at),
                owners_expected: content.owners_expected,
                decisions: Box::new(
                    [DecidedOn::Link, DecidedOn::Owner]
                        .into_iter()
                        .flat_map(|about| decisions(store, &runtime, about)),
                ),
                decisions_expected: content.decisions_expected,
                leavers: Box::new(leavers.into_iter()),
                movers: movers
                    .map(|all| -> Rows<'_, MeasuredLeaver> { Box::new(all.into_iter().map(Ok)) }),
                tries,
                not_known: content.not_known,
                completeness: content.completeness,
                rehearsals: Box::new(rehearsals),
                rehearsals_expected,
                plan: content.plan,
                journal: journal(store, &runtime),
                journal_expected: content.journal_expected,
            };
            let never = AtomicBool::new(false);
            write_package(out, package, &key, &mut |p| tell(p), &never)
        })
        .map_err(|error| {
            let failure = Failure::not_possible(error.to_string());
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        trust::enrol(&report.signer, store.operator())?;
        let payload = serde_json::json!({
            "package": report.package_id, "sha256": report.sha256, "signer": report.signer,
        });
        store.log("package exported", &payload, Utc::now()).await?;
        Ok(report)
    }

    /// Whoever moved in the period, measured; none without a policy to measure by.
    async fn movers_of(
        &self,
        asked: &PackageAsked,
    ) -> Result<Option<Vec<MeasuredLeaver>>, Failure> {
        if self.store.policy(PolicyStanding::Active).await?.is_none() {
            return Ok(None);
        }
        let asked = LeaversAsked {
            since: asked.since.clone(),
            until: asked.until.clone(),
            movers: true,
            ..LeaversAsked::default()
        };
        let mut all = Vec::new();
        self.each_measured_leaver(&asked, |window| {
            all.extend(window);
            Ok(())
        })
        .await?;
        Ok(Some(all))
    }

    /// The signing key of this store: made at the first export, kept like every secret.
    async fn signing_key(&self) -> Result<PackageKey, Failure> {
        let seed = match self.secrets.get(SIGNING_KEY)? {
            Some(text) => key_from_hex(text.expose())
                .ok_or_else(|| Failure::key("the signing key in the keychain is damaged"))?,
            None => {
                // A key that was there and is gone is not replaced in silence.
                if let Some(signer) = self.store.last_signer().await? {
                    return Err(Failure::key(format!(
                        "the signing key of this store is gone; its packages were signed with `{signer}`"
                    ))
                    .hint("put the store's `.sealed` file back from a backup, or unlock the keychain it was kept in"));
                }
                let seed = Zeroizing::new(random_bytes::<32>()?);
                self.secrets
                    .put(SIGNING_KEY, &Secret::new(hex(seed.as_ref())))?;
                seed
            }
        };
        Ok(PackageKey::from_seed(&seed))
    }
}

/// The name under which the signing key is kept.
pub(crate) const SIGNING_KEY: &str = "signing";
const WINDOW: u32 = 5_000;

/// What is read before the package is begun.
struct Prepared {
    completeness: Vec<CompletenessRow>,
    syncs: Vec<String>,
    plan: Option<PlanText>,
    sizes: Vec<(Kind, u64)>,
    journal_expected: u64,
    links_expected: u64,
    owners_expected: u64,
    decisions_expected: u64,
    not_known: Vec<String>,
}

fn broken_off(error: impl std::fmt::Display) -> EvidenceError {
    EvidenceError::Source {
        part: "the store".to_owned(),
        reason: error.to_string(),
    }
}

/// Rows of the store, window by window; `next` gives none once all were given.
fn windows<'a, T: 'a>(mut next: impl FnMut() -> Result<Vec<T>, StoreError> + 'a) -> Rows<'a, T> {
    let mut over = false;
    let windows = std::iter::from_fn(move || {
        if over {
            return None;
        }
        match next() {
            Ok(rows) if rows.is_empty() => None,
            Ok(rows) => Some(rows.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => {
                over = true;
                Some(vec![Err(broken_off(error))])
            }
        }
    });
    Box::new(windows.flatten())
}

/// The rows of one kind.
fn population<'a>(store: &'a Store, runtime: &'a Handle, kind: Kind) -> Rows<'a, PopulationRow> {
    let mut after = 0i64;
    windows(move || {
        let rows = runtime.block_on(store.population(kind, after, WINDOW))?;
        after = rows.last().map_or(after, |(row, _)| *row);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    })
}

/// Whose each account is.
fn links<'a>(store: &'a Store, runtime: &'a Handle) -> Rows<'a, LinkedAccountRow> {
    let all = WhichLinks::default();
    let mut after = Some(0i64);
    windows(move || {
        let Some(row) = after else {
            return Ok(Vec::new());
        };
        let (rows, next) = runtime.block_on(store.links_after(&all, row, WINDOW))?;
        after = next;
        Ok(rows.into_iter().map(LinkedAccountRow::from).collect())
    })
}

/// Who is confirmed as an owner.
fn owners<'a>(
    store: &'a Store,
    runtime: &'a Handle,
    at: DateTime<Utc>,
) -> Rows<'a, ConfirmedOwner> {
    let mut after = 0i64;
    windows(move || {
        let rows = runtime.block_on(store.confirmed_window(after, WINDOW, at))?;
        after = rows.last().map_or(after, |(decision, _)| *decision);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    })
}

/// Everything that was decided on one thing.
fn decisions<'a>(
    store: &'a Store,
    runtime: &'a Handle,
    about: DecidedOn,
) -> Rows<'a, DecisionLine> {
    let mut after = 0i64;
    windows(move || {
        let rows = runtime.block_on(store.decision_lines(about, after, WINDOW))?;
        after = rows.last().map_or(after, |row| row.number);
        Ok(rows)
    })
}

/// The journal.
fn journal<'a>(store: &'a Store, runtime: &'a Handle) -> Rows<'a, JournalRow> {
    let mut offset = 0u64;
    windows(move || {
        let (rows, _) = runtime.block_on(store.journal(None, None, offset, WINDOW))?;
        offset += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Ok(rows)
    })
}

/// Why no more leavers come.
enum Ended {
    /// Nobody listens any more: the export has ended.
    Unheard,
    Broken(StoreError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Ended::Broken(error)
    }
}

/// Whoever left in a period, measured one by one, from a thread that runs a few ahead.
fn begin_leavers(
    store: Store,
    runtime: Handle,
    (period, now): (Period, DateTime<Utc>),
    plan: Plan,
) -> Receiver<Result<MeasuredLeaver, EvidenceError>> {
    let (send, receive) = sync_channel(64);
    std::thread::spawn(move || {
        let query = LeaversQuery {
            since: period.since,
            before: period.before,
            ..LeaversQuery::default()
        };
        let take = |window: Vec<_>| {
            for left in window {
                let listened = send.send(Ok(measure(left, &plan)));
                listened.map_err(|_| Ended::Unheard)?;
            }
            Ok(())
        };
        if let Err(Ended::Broken(error)) =
            runtime.block_on(store.each_past_leaver(&query, now, take))
        {
            let _over = send.send(Err(broken_off(error)));
        }
    });
    receive
}

/// Everyone's rehearsal, one by one, from a thread that runs a few ahead.
struct Everyones(Receiver<Rehearsed>);

impl Everyones {
    fn begin(
        graph: Arc<Graph>,
        plan: Plan,
        at: DateTime<Utc>,
        names: HashMap<String, (Option<String>, String)>,
    ) -> Self {
        let (send, receive) = sync_channel(64);
        std::thread::spawn(move || {
            rehearse_all(
                &graph,
                &plan,
                at,
                &RehearsalSettings::default(),
                |rehearsal| {
                    let (display_name, kind) =
                        names.get(&rehearsal.identity).cloned().unwrap_or_default();
                    let row = Rehearsed {
                        rehearsal,
                        display_name,
                        kind,
                    };
                    // Nobody listens any more: the export has ended.
                    match send.send(row) {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(()),
                    }
                },
            );
        });
        Self(receive)
    }
}

impl Iterator for Everyones {
    type Item = Result<Rehearsed, EvidenceError>;
    fn next(&mut self) -> Option<Self::Item> {
        self.0.recv().ok().map(Ok)
    }
}
