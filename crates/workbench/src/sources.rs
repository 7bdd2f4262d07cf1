//! Sources: add, check, remove, read; flat files as a source made on the way.

use crate::bench::Workbench;
use crate::connectors;
use crate::failure::Failure;
use crate::series::Imported;
use crate::stop::Stop;
use crate::syncs::SyncHow;
use chrono::Utc;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{Connector, Kind, Secret, SecretNeed, Settings, SourceName};
use lastkey_engine::collect::{Deriving, Redactor, Rules};
use lastkey_engine::store::{CheckRecord, Removal, RemovedSource, StoreError, TableQuery};
use lastkey_engine::views::{self, CheckView, Forgotten, NewSource, SourceRow, SyncProgress};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

/// Told at most ten times a second.
pub type Tell<'a> = &'a (dyn Fn(SyncProgress) + Send + Sync + 'static);

/// What `import` is asked for.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    pub path: PathBuf,
    pub name: String,
    /// What the rows of a single file are.
    pub file: Option<String>,
    /// `id=user_id,display_name=employee_name`.
    pub map: Option<String>,
    pub settings: BTreeMap<String, String>,
    /// A folder of dated files.
    pub series: bool,
}

impl ImportRequest {
    /// Whether it is said what the rows are.
    pub(crate) fn says_kind(&self) -> bool {
        let keys = ["file", "recipe"];
        self.file.is_some() || keys.iter().any(|key| self.settings.contains_key(*key))
    }

    /// Whether a source that is there could make right what is wrong by itself: it knows what the
    /// rows of its file are, and a mapping goes by that.
    pub fn could_go_on(&self) -> bool {
        let of_kind = |kind: &Kind| {
            let request = ImportRequest {
                file: Some(kind.plural().to_owned()),
                ..self.clone()
            };
            request.validate().is_ok()
        };
        !self.says_kind() && Kind::ALL.iter().any(of_kind)
    }

    /// Wrong use is told before a store is opened or made.
    pub fn validate(&self) -> Result<(), Failure> {
        if let Some(word) = &self.file {
            kind_of_file(word)?;
        }
        if !self.path.exists() {
            return Err(
                Failure::not_possible(format!("there is no `{}`", self.path.display()))
                    .hint("give a folder, a zip or a CSV file"),
            );
        }
        if self.series {
            lastkey_flat_files::series::rosters_by(&self.path, Utc::now())?;
        }
        connectors::configure("flat-files", &self.flat_files(&self.path)?, None).map(|_| ())
    }

    pub(crate) fn flat_files(&self, path: &std::path::Path) -> Result<Settings, Failure> {
        let path = std::path::absolute(path).map_err(|error| {
            Failure::bad_input(format!("`{}` is not a path: {error}", path.display()))
        })?;
        // A path is kept as text: one that is not text would name another file tomorrow.
        let text = path.to_str().ok_or_else(|| {
            Failure::bad_input(format!("the path `{}` is not text (UTF-8)", path.display()))
                .hint("rename the file or folder, or its parent")
        })?;
        let mut settings = self.settings.clone();
        settings.insert("path".to_owned(), text.to_owned());
        if let Some(word) = &self.file {
            settings.insert("file".to_owned(), kind_of_file(word)?.plural().to_owned());
        }
        if let Some(map) = &self.map {
            settings.extend(lastkey_flat_files::mapping::parse_cli(map)?);
        }
        Ok(Settings(settings))
    }
}

fn kind_of_file(word: &str) -> Result<Kind, Failure> {
    Kind::from_word(word).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.plural()).collect();
        Failure::bad_input(format!("`{word}` is not a kind of rows"))
            .hint(format!("kinds: {}", known.join(", ")))
    })
}

/// Whom a source lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleOfSource {
    /// Identities of whom no other source has a record.
    pub listed_only_there: u64,
    /// Accounts of them that other sources carry.
    accounts: HashSet<i64>,
}

/// Whether a source could be made of this; asked before a store is made for it.
pub fn check_new_source(new: &NewSource) -> Result<(), Failure> {
    usable(&new.kind, new.settings.clone(), new.secret.clone()).map(|_| ())
}

/// The settings and the secret of a new source, if its kind takes them.
fn usable(
    kind: &str,
    settings: BTreeMap<String, String>,
    secret: Option<String>,
) -> Result<(Settings, Option<Secret>), Failure> {
    let descriptor = connectors::descriptor(kind)?;
    let settings = Settings(settings);
    let secret = secret.filter(|text| !text.is_empty()).map(Secret::new);
    match (descriptor.secret, &secret) {
        (SecretNeed::Required, None) => {
            return Err(Failure::bad_input(format!(
                "{} needs a secret ({})",
                descriptor.title, descriptor.secret_label
            ))
            .hint("give it with --secret-file FILE, or - to read it from standard input"));
        }
        (SecretNeed::None, Some(_)) => {
            return Err(Failure::bad_input(format!(
                "{} takes no secret",
                descriptor.title
            )));
        }
        (SecretNeed::Required | SecretNeed::Optional, _) | (SecretNeed::None, None) => {}
    }
    connectors::configure(kind, &settings, secret.clone())?;
    Ok((settings, secret))
}

/// Whether a source that is a series can go on with what is given; else what to do.
fn continues(request: &ImportRequest) -> Result<(), Failure> {
    let (name, path) = (&request.name, request.path.display());
    lastkey_flat_files::series::rosters_by(&request.path, Utc::now())
        .map(|_| ())
        .map_err(|error| {
            Failure::bad_input(format!(
                "`{name}` is a series of dated rosters, and `{path}` does not go on with it: {}",
                error.message
            ))
            .hint(format!(
                "name the roster by its date (2026-11-21.csv) and type: lastkey import {path} --as {name} --series; a name of its own after --as makes another source"
            ))
        })
}

impl Workbench {
    /// All sources, each with what its latest read did.
    pub async fn sources(&self) -> Result<Vec<SourceRow>, Failure> {
        let found = views::sources(&self.store, &connectors::descriptors(), self.now()).await?;
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            rows.push(SourceRow {
                left_incomplete: self.rosters_left_incomplete(&row.name).await?,
                ..row
            });
        }
        Ok(rows)
    }

    pub(crate) async fn source_row(&self, name: &str) -> Result<SourceRow, Failure> {
        self.sources()
            .await?
            .into_iter()
            .find(|row| row.name == name)
            .ok_or_else(|| Failure::bad_input(format!("there is no source `{name}`")))
    }

    /// Adds a source. Its secret goes to the keychain; without it nothing is added.
    pub async fn add_source(&self, new: NewSource) -> Result<SourceRow, Failure> {
        let NewSource {
            kind,
            name,
            settings,
            secret,
        } = new;
        let (settings, secret) = usable(&kind, settings, secret)?;
        let source = SourceName::new(name.clone());
        self.store
            .add_source(&source, &kind, &settings, Utc::now())
            .await?;
        if let Some(secret) = &secret
            && let Err(failure) = self.secrets.put(&entry(&name), secret)
        {
            let removal = Removal::OfSource;
            self.store
                .remove_source(&source, removal, Utc::now())
                .await?;
            return Err(failure);
        }
        self.source_row(&name).await
    }

    /// Signs in, looks, changes nothing outside; the answer is kept with the source.
    pub async fn check_source(&self, name: &str) -> Result<CheckView, Failure> {
        let source = SourceName::new(name);
        let (connector, secrets) = self.connector(&source).await?;
        let redactor = Redactor::new(&secrets);
        let report = match connector.check().await {
            Ok(report) => redactor.check(report),
            Err(error) => return Err(redactor.error(error).into()),
        };
        let at = Utc::now();
        self.store.save_check(&source, &report, at).await?;
        Ok(views::check_view(CheckRecord {
            at: rfc3339(at),
            report,
        }))
    }

    /// What nobody would know any more without a source.
    pub async fn removal_forgets(&self, name: &str) -> Result<Forgotten, Failure> {
        let source = SourceName::new(name);
        self.store.source(&source).await?;
        self.store.derive_if_stale().await?;
        let (accounts, some) = self.store.known_by_the_past_of(&source).await?;
        let systems = self.store.told_only_by(&source).await?;
        Ok(Forgotten {
            accounts,
            some,
            systems: systems.iter().map(ToString::to_string).collect(),
        })
    }

    /// The sources that were removed, the last one first.
    pub async fn removed_sources(&self) -> Result<Vec<RemovedSource>, Failure> {
        Ok(self.store.removed_sources().await?)
    }

    /// Whom a source lists, before it is removed.
    pub async fn people_of(&self, name: &str) -> Result<PeopleOfSource, Failure> {
        let source = self.store.source(&SourceName::new(name)).await?;
        let accounts = self.store.accounts_of_people_of(source.id).await?;
        Ok(PeopleOfSource {
            listed_only_there: self.store.listed_only_by(&source.name).await?,
            accounts,
        })
    }

    /// How many accounts have nobody, now that the source of their people is removed.
    pub async fn left_alone(&self, people: &PeopleOfSource) -> Result<u64, Failure> {
        let still = self.store.still_connected(&people.accounts).await?;
        Ok((people.accounts.len() as u64).saturating_sub(still))
    }

    /// How many owner lines a source tells of, custody among them, and whether another source tells
    /// of any.
    pub async fn owner_lines_told_by(&self, name: &str) -> Result<(u64, bool), Failure> {
        let of_source = TableQuery {
            filters: vec![("source".to_owned(), name.to_owned())],
            ..TableQuery::default()
        };
        let own = self.store.table(Kind::Owner, &of_source).await?.matching;
        let all = self
            .store
            .table(Kind::Owner, &TableQuery::default())
            .await?;
        Ok((own, all.matching > own))
    }

    /// That the systems of a source that was removed before are there no more.
    pub async fn retire_source(&self, name: &str) -> Result<(), Failure> {
        let source = SourceName::new(name);
        let retired = self.store.retire(&source, self.now()).await;
        retired.map_err(|error| match error {
            StoreError::NoSource(_) => {
                Failure::bad_input(format!("no source `{name}` was removed")).hint(format!(
                    "lastkey source remove {name} --retired removes one that is there"
                ))
            }
            other => other.into(),
        })
    }

    /// Whether there is a source of this name now.
    pub async fn has_source(&self, name: &str) -> Result<bool, Failure> {
        let found = self.store.find_source(&SourceName::new(name)).await?;
        Ok(found.is_some())
    }

    /// Removes a source and its secret; its history stays.
    pub async fn remove_source(&self, name: &str, removal: Removal) -> Result<Forgotten, Failure> {
        let source = SourceName::new(name);
        let forgotten = self.removal_forgets(name).await?;
        self.store
            .remove_source(&source, removal, Utc::now())
            .await?;
        self.secrets.forget(&entry(name))?;
        self.secrets.forget(&values_entry(name))?;
        self.store.settle_ownership(self.now()).await?;
        Ok(forgotten)
    }

    /// Flat files: made a source where it is not one, then read.
    pub async fn import(
        &self,
        request: ImportRequest,
        tell: Tell<'_>,
        stop: &Stop,
    ) -> Result<Imported, Failure> {
        let imported = self.import_with(request, tell, stop, Deriving::AtOnce);
        let imported = imported.await?;
        self.watch_whom_sources_tell().await?;
        Ok(imported)
    }

    /// The same; where links and lists are made later, whoever calls makes them.
    pub(crate) async fn import_with(
        &self,
        mut request: ImportRequest,
        tell: Tell<'_>,
        stop: &Stop,
        deriving: Deriving,
    ) -> Result<Imported, Failure> {
        self.keep_kind(&mut request).await?;
        request.validate()?;
        let goes_on = !request.series && self.is_series(&request.name).await?;
        if goes_on {
            continues(&request)?;
        }
        if goes_on || request.series {
            let imported = self.import_series(request, tell, stop, deriving).await?;
            return Ok(Imported {
                goes_on,
                ..imported
            });
        }
        let mapping = request.gives_mapping()?;
        self.keep_unless_told(&mut request).await?;
        let settings = request.flat_files(&request.path)?;
        self.refuse_misfit(&request.name, mapping, &settings)
            .await?;
        self.point_at(&request.name, &settings).await?;
        let how = SyncHow {
            deriving,
            ..SyncHow::default()
        };
        let report = self
            .sync_as_of(&request.name, tell, stop, how, None)
            .await?;
        Ok(Imported {
            reports: vec![report],
            ..Imported::default()
        })
    }

    /// Makes the source, or points it at new settings.
    pub(crate) async fn point_at(&self, name: &str, settings: &Settings) -> Result<(), Failure> {
        let source = SourceName::new(name);
        let found = self.store.find_source(&source).await?;
        let mut settings = settings.clone();
        // How the source is read was decided once: pointing it at another file changes nothing of it.
        for (key, value) in found.iter().flat_map(|found| &found.settings.0) {
            if Rules::owns(key) && !settings.0.contains_key(key) {
                settings.0.insert(key.clone(), value.clone());
            }
        }
        match found {
            None => {
                self.store
                    .add_source(&source, "flat-files", &settings, Utc::now())
                    .await?;
            }
            Some(found) if found.kind != "flat-files" => {
                return Err(Failure::bad_input(format!(
                    "`{name}` is a source of another kind ({})",
                    found.kind
                ))
                .hint("choose another name with --as"));
            }
            Some(found) if found.settings != settings => {
                self.store
                    .set_source_settings(&source, &settings, Utc::now())
                    .await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The configured connector, and the secrets that must never be written.
    pub(crate) async fn connector(
        &self,
        source: &SourceName,
    ) -> Result<(Box<dyn Connector>, Vec<Secret>), Failure> {
        let found = self.store.source(source).await?;
        let needs = connectors::descriptor(&found.kind)?.secret;
        let secret = match needs {
            SecretNeed::None => None,
            SecretNeed::Optional | SecretNeed::Required => {
                self.secrets.get(&entry(source.as_str()))?
            }
        };
        if needs == SecretNeed::Required && secret.is_none() {
            return Err(
                Failure::key(format!("the secret of `{source}` is not there"))
                    .hint("remove the source and add it again with its secret"),
            );
        }
        let hidden = secret.iter().cloned().collect();
        // Consent is no setting of the connector's, and can be given in one way only.
        let mut settings = found.settings;
        settings.0.remove(lastkey_engine::collect::CONSENT);
        let connector = connectors::configure(&found.kind, &settings, secret)?;
        Ok((connector, hidden))
    }
}

/// The name under which a source's secret is kept.
pub(crate) fn entry(source: &str) -> String {
    format!("source:{source}")
}

/// The name of its second credential, the one that may read values for fingerprints.
pub(crate) fn values_entry(source: &str) -> String {
    format!("values:{source}")
}
