//! The course of one sync: what it says at its start, the check of our rights, its kinds in
//! order, and what each ending means for the rest.

use super::begin::{Begun, plans};
use super::journal::Journal;
use super::kinds::Kinds;
use super::pace::Pacer;
use super::patience::{Dice, Patience};
use super::reader::{Ended, Reader, stopped};
use super::{CheckFirst, Company, Removals, Rules, SyncSettings};
use crate::mass::Threshold;
use crate::store::{CheckRecord, Hold, NewJournalRow, SourceRecord, Store, StoreError};
use crate::views::FailureView;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, ErrorKind, Kind, KindCapability, Right,
};
use tokio::sync::watch;

/// One sync while it runs.
pub(super) struct Read<'a> {
    pub store: &'a Store,
    pub source: &'a SourceRecord,
    pub begun: &'a Begun,
    pub journal: &'a Journal<'a>,
    pub cancel: watch::Receiver<bool>,
    pub settings: &'a SyncSettings,
    pub rules: Rules,
    pub failures: Vec<FailureView>,
    pub cancelled: bool,
    pub check: Option<CheckRecord>,
}

/// Whether the next kind is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl Read<'_> {
    /// From the first line of the journal to the last page; what went wrong is kept.
    pub(super) async fn all(
        &mut self,
        connector: &dyn Connector,
        capabilities: &[KindCapability],
    ) -> Result<(), StoreError> {
        self.opening_lines().await?;
        let mut reader = Reader {
            connector,
            journal: self.journal,
            cancel: self.cancel.clone(),
            patience: Patience::of(self.settings),
            pacer: Pacer::new(self.rules.pace),
            retries_left: self.settings.retries,
            dice: Dice::new(self.settings.seed),
            session: None,
        };
        if self.rules.check_first == CheckFirst::Yes {
            let checked = reader.check().await;
            if self.checked(checked).await? == Next::Stop {
                return Ok(());
            }
        }
        if let Err(ended) = reader.connect().await {
            return self.ended(None, ended).await.map(|_| ());
        }
        let plans = plans(
            self.store,
            self.source,
            self.begun,
            capabilities,
            &self.rules,
            self.settings,
            self.journal.now(),
        )
        .await?;
        let mut kinds = Kinds {
            store: self.store,
            source: self.source,
            journal: self.journal,
            cancel: self.cancel.clone(),
            started: rfc3339(self.begun.started),
            hold: self.hold(),
            removals: self.settings.removals,
            restarts: self.settings.restarts,
            company: self.settings.company,
            lists: None,
        };
        for plan in &plans {
            if let Err(ended) = kinds.read(plan, &mut reader).await
                && self.ended(Some(plan.kind), ended).await? == Next::Stop
            {
                break;
            }
        }
        drop(reader);
        if !self.cancelled {
            self.broken_references().await?;
            kinds.lists_made().await?;
        }
        self.journal.done();
        Ok(())
    }

    async fn opening_lines(&self) -> Result<(), StoreError> {
        let source = &self.source.name;
        match (&self.begun.resumed, &self.begun.anew) {
            (Some(found), _) => {
                let text = format!(
                    "going on with the read of `{source}` that was cut off after {}",
                    found.last_page_at.format("%Y-%m-%dT%H:%M:%SZ")
                );
                self.journal.line("resume", None, text).await?;
            }
            (None, anew) => {
                self.journal
                    .line("start", None, format!("reading `{source}`"))
                    .await?;
                if let Some(why) = anew {
                    let text = format!("the read that was cut off is begun anew: {why}");
                    self.journal.line("restart", None, text).await?;
                }
            }
        }
        if self.settings.removals == Removals::Accept {
            let payload = serde_json::json!({"source": source, "sync": self.begun.id.0});
            self.store
                .log("removals accepted", &payload, self.journal.now())
                .await?;
            let text = format!("removals are accepted by {}", self.store.operator());
            self.journal.line("note", None, text).await?;
        }
        Ok(())
    }

    fn hold(&self) -> Hold {
        match (self.settings.removals, self.rules.hold_above) {
            (Removals::Accept, _) | (Removals::Hold, None) => Hold::Nothing,
            (Removals::Hold, Some(percent)) => Hold::TooMany(Threshold {
                percent,
                ..Threshold::USUAL
            }),
        }
    }

    /// Keeps what the check found. What it could not look at does not keep the read from
    /// trying; what would refuse the read as well ends it, so that nobody is locked out.
    async fn checked(&mut self, checked: Result<CheckReport, Ended>) -> Result<Next, StoreError> {
        let error = match checked {
            Ok(report) => {
                self.keep_check(report).await?;
                return Ok(Next::GoOn);
            }
            Err(Ended::Failed(error)) => error,
            Err(other) => return self.ended(None, other).await,
        };
        match error.kind {
            ErrorKind::ConfigInvalid
            | ErrorKind::AuthRejected
            | ErrorKind::TlsUntrusted
            | ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Cancelled => {
                self.ended(None, Ended::Failed(error)).await?;
                Ok(Next::Stop)
            }
            ErrorKind::Forbidden
            | ErrorKind::Protocol
            | ErrorKind::NotUnderstood
            | ErrorKind::CursorLost
            | ErrorKind::Unsupported
            | ErrorKind::Bug => {
                let text = format!(
                    "the rights could not be checked: {}",
                    self.journal.redactor.clean(&error.message)
                );
                self.journal.line("note", None, text).await?;
                Ok(Next::GoOn)
            }
        }
    }

    async fn keep_check(&mut self, report: CheckReport) -> Result<(), StoreError> {
        let report = self.journal.redactor.check(report);
        let at = self.journal.now();
        self.store
            .save_check(&self.source.name, &report, at)
            .await?;
        let line = |what: &str, right: &Right| {
            NewJournalRow::plain(
                "right",
                None,
                format!("{what} `{}`: {}", right.name, right.why),
            )
        };
        let missing = report.missing_rights.iter();
        let excess = report.excess_rights.iter();
        let warnings = report.warnings.iter();
        let warnings = warnings.map(|text| NewJournalRow::plain("note", None, text.as_str()));
        let lines: Vec<NewJournalRow> = missing
            .map(|right| line("missing right", right))
            .chain(excess.map(|right| line("right in excess", right)))
            .chain(warnings)
            .collect();
        self.journal.write(&lines).await?;
        self.check = Some(CheckRecord {
            at: rfc3339(at),
            report,
        });
        Ok(())
    }

    /// References to something that no source holds: stored anyway, and said.
    async fn broken_references(&mut self) -> Result<(), StoreError> {
        if self.settings.company == Company::Others {
            return self.store.references_later(self.begun.id).await;
        }
        let mut cancel = self.cancel.clone();
        let broken = tokio::select! {
            biased;
            () = stopped(&mut cancel) => {
                return self.ended(None, Ended::Cancelled).await.map(|_| ());
            }
            broken = self.store.broken_reference_lines(self.source.id) => broken?,
        };
        self.journal.write(&broken).await
    }

    /// What a request's ending means for the rest of the read.
    async fn ended(&mut self, kind: Option<Kind>, ended: Ended) -> Result<Next, StoreError> {
        match ended {
            Ended::Store(error) => Err(error),
            Ended::Cancelled => {
                self.cancelled = true;
                let why = "the read was stopped";
                let line = NewJournalRow::plain("cancel", kind, why);
                match kind {
                    Some(kind) => {
                        self.store
                            .cut_short(self.begun.id, kind, why, line, self.journal.now())
                            .await?;
                    }
                    None => self.journal.write(&[line]).await?,
                }
                Ok(Next::Stop)
            }
            Ended::Failed(error) => self.failed(kind, error).await,
        }
    }

    async fn failed(
        &mut self,
        kind: Option<Kind>,
        error: ConnectorError,
    ) -> Result<Next, StoreError> {
        let clean = |text: &str| self.journal.redactor.clean(text);
        // On what it failed is part of the sentence.
        let mut message = if error.message.contains(&error.system) {
            clean(&error.message)
        } else {
            clean(&format!("{}, at `{}`", error.message, error.system))
        };
        if let Some(request) = &error.request_id {
            message.push_str(&format!(" (request {})", clean(request)));
        }
        self.journal.line("error", kind, message.clone()).await?;
        self.failures.push(FailureView {
            kind: match error.kind.is_of_settings() {
                true => "bad_input",
                false => "not_possible",
            }
            .to_owned(),
            message,
            hint: error.hint.as_deref().map(clean),
            state: None,
        });
        // A refusal of one kind says nothing about the next one.
        Ok(match error.kind {
            ErrorKind::Forbidden | ErrorKind::Unsupported | ErrorKind::NotUnderstood => Next::GoOn,
            ErrorKind::ConfigInvalid
            | ErrorKind::AuthRejected
            | ErrorKind::TlsUntrusted
            | ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Protocol
            | ErrorKind::CursorLost
            | ErrorKind::Cancelled
            | ErrorKind::Bug => Next::Stop,
        })
    }
}
