//! A source while it is written: what is wrong at which field, the script for the system's
//! administrator, a trial sign-in; and changing a source that is there. Nothing is kept of a
//! draft: its secret lives as long as the call.

use crate::bench::Workbench;
use crate::connectors;
use crate::failure::Failure;
use crate::sources::entry;
use crate::stop::Stop;
use chrono::Utc;
use lastkey_contract::when::rfc3339;
use lastkey_contract::{
    Connector, ConnectorError, Descriptor, Secret, SecretNeed, Settings, SourceName,
};
use lastkey_engine::collect::{CONSENT, OWN_SETTINGS, Redactor};
use lastkey_engine::store::CheckRecord;
use lastkey_engine::views::{self, CheckView, DraftProblem, NewSource, ScriptView, SourceRow};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for a secret that comes later, while the settings are looked at. Never sent.
const LATER: &str = "later";

/// The ready texts for the system's own administrator; none where a kind has none.
pub fn scripts(kind: &str, settings: BTreeMap<String, String>) -> Result<Vec<ScriptView>, Failure> {
    let descriptor = connectors::descriptor(kind)?;
    let known = || descriptor.settings.iter().chain(&OWN_SETTINGS);
    let made = connectors::scripts(kind, &Settings(settings.clone()))?;
    // A text that grants rights must not be made from a setting that was misread.
    if let Some(key) = settings.keys().find(|key| known().all(|s| s.key != **key))
        && !made.is_empty()
    {
        let keys: Vec<_> = known().map(|s| s.key).collect();
        return Err(
            Failure::bad_input(format!("`{key}` is not a setting of {kind}"))
                .hint(format!("known settings: {}", keys.join(", "))),
        );
    }
    Ok(made.into_iter().map(ScriptView::from).collect())
}

/// Writes one of them to a file.
pub fn save_script(
    kind: &str,
    settings: BTreeMap<String, String>,
    file_name: &str,
    out: &Path,
) -> Result<(), Failure> {
    let made = connectors::scripts(kind, &Settings(settings))?;
    let script = made
        .into_iter()
        .find(|script| script.file_name == file_name)
        .ok_or_else(|| Failure::bad_input(format!("there is no script `{file_name}`")))?;
    std::fs::write(out, script.text).map_err(|error| {
        Failure::not_possible(format!("`{}` cannot be written: {error}", out.display()))
            .hint("choose a folder that you may write to")
    })
}

impl Workbench {
    /// What is wrong with a new source; None if it could be added.
    pub async fn review_draft(&self, draft: NewSource) -> Result<Option<DraftProblem>, Failure> {
        if draft.name.is_empty() {
            return Ok(Some(DraftProblem {
                field: Some("name".to_owned()),
                message: "the source has no name yet".to_owned(),
                hint: None,
            }));
        }
        let name = SourceName::new(draft.name.clone());
        if let Err(error) = self.store.name_is_free(&name).await {
            let failure = Failure::from(error);
            return Ok(Some(DraftProblem {
                field: Some("name".to_owned()),
                message: failure.message,
                hint: failure.hint,
            }));
        }
        review(draft)
    }

    /// What is wrong with a change of a source; None if it could be made.
    pub async fn review_change(&self, change: NewSource) -> Result<Option<DraftProblem>, Failure> {
        let changed = self.as_changed(change).await?;
        if let Some(problem) = review(changed.clone())? {
            return Ok(Some(problem));
        }
        let settings = Settings(changed.settings);
        let guarded = self.refuse_other_rows(&changed.name, &settings).await;
        let Some(failure) = guarded.err() else {
            return Ok(None);
        };
        let before = self.store.source(&SourceName::new(changed.name)).await?;
        Ok(Some(DraftProblem {
            field: differing(&before.settings, &settings),
            message: failure.message,
            hint: failure.hint,
        }))
    }

    /// Signs in as the new source would, looks, changes nothing, keeps nothing.
    pub async fn try_draft(&self, draft: NewSource, stop: &Stop) -> Result<CheckView, Failure> {
        try_out(draft, stop).await
    }

    /// The same for a change of a source.
    pub async fn try_change(&self, change: NewSource, stop: &Stop) -> Result<CheckView, Failure> {
        try_out(self.as_changed(change).await?, stop).await
    }

    /// Gives a source other settings, and another secret where one is given.
    pub async fn change_source(&self, change: NewSource) -> Result<SourceRow, Failure> {
        let new_secret = change.secret.clone();
        let name = change.name.clone();
        let changed = self.as_changed(change).await?;
        if let Some(problem) = review(finally(changed.clone()))? {
            let failure = Failure::bad_input(problem.message);
            return Err(match problem.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            });
        }
        let source = SourceName::new(name.clone());
        let before = self.store.source(&source).await?;
        let mut settings = Settings(changed.settings);
        self.refuse_other_rows(&name, &settings).await?;
        // A change of settings neither gives consent nor takes it back.
        if let Some(consent) = before.settings.get(CONSENT) {
            settings.0.insert(CONSENT.to_owned(), consent.to_owned());
        }
        if before.settings != settings {
            self.store
                .set_source_settings(&source, &settings, Utc::now())
                .await?;
        }
        if let Some(text) = new_secret {
            let kept = match text.is_empty() {
                true => self.secrets.forget(&entry(&name)),
                false => self.secrets.put(&entry(&name), &Secret::new(text)),
            };
            if let Err(failure) = kept {
                // Settings and secret belong together: both change or none.
                self.store
                    .set_source_settings(&source, &before.settings, Utc::now())
                    .await?;
                return Err(failure);
            }
            self.store.note_secret_replaced(&source, Utc::now()).await?;
        }
        self.source_row(&name).await
    }

    /// The change as a whole source: its own kind, and the secret that is kept.
    async fn as_changed(&self, change: NewSource) -> Result<NewSource, Failure> {
        let found = self
            .store
            .source(&SourceName::new(change.name.clone()))
            .await?;
        let secret = match change.secret {
            Some(secret) => Some(secret),
            None => {
                let kept = self.secrets.get(&entry(&change.name))?;
                Some(kept.map_or_else(String::new, |kept| kept.expose().to_owned()))
            }
        };
        Ok(NewSource {
            kind: found.kind,
            name: change.name,
            settings: change.settings,
            secret,
        })
    }
}

/// The same draft with its last word about the secret: none yet is none.
fn finally(draft: NewSource) -> NewSource {
    NewSource {
        secret: Some(draft.secret.unwrap_or_default()),
        ..draft
    }
}

fn review(draft: NewSource) -> Result<Option<DraftProblem>, Failure> {
    let descriptor = connectors::descriptor(&draft.kind)?;
    let settings = Settings(draft.settings);
    let tried = |secret: Option<&str>| {
        let secret = secret.map(|text| Secret::new(text.to_owned()));
        connectors::try_configure(&draft.kind, &settings, secret).map(|_| ())
    };
    let problem = match draft.secret.as_deref() {
        // With and without: only what no secret can mend is wrong by now.
        None => match tried(Some(LATER)) {
            Err(error) => tried(None).err().map(|_| error),
            Ok(()) => None,
        },
        Some("") if descriptor.secret == SecretNeed::Required => {
            return Ok(Some(DraftProblem {
                field: Some("secret".to_owned()),
                message: format!(
                    "{} needs a secret ({})",
                    descriptor.title, descriptor.secret_label
                ),
                hint: None,
            }));
        }
        Some("") => match tried(None) {
            Err(error) if tried(Some(LATER)).is_ok() => {
                return Ok(Some(at_field(Some("secret".to_owned()), error)));
            }
            Err(error) => Some(error),
            Ok(()) => None,
        },
        Some(secret) => match tried(Some(secret)) {
            Err(error) if tried(None).is_ok() => {
                return Ok(Some(at_field(Some("secret".to_owned()), error)));
            }
            Err(error) => Some(error),
            Ok(()) => None,
        },
    };
    Ok(problem.map(|error| {
        let field = field_of(descriptor, &settings, &error);
        at_field(field, error)
    }))
}

fn at_field(field: Option<String>, error: ConnectorError) -> DraftProblem {
    DraftProblem {
        field,
        message: error.message,
        hint: error.hint,
    }
}

/// The setting that an error is about: the one it names, else the one whose value it quotes,
/// else the one that its hint names.
fn field_of(
    descriptor: &Descriptor,
    settings: &Settings,
    error: &ConnectorError,
) -> Option<String> {
    let quoted: Vec<&str> = error.message.split('`').skip(1).step_by(2).collect();
    let keys = || {
        let known = descriptor.settings.iter().chain(&OWN_SETTINGS);
        let known = known.map(|spec| spec.key);
        known.chain(settings.0.keys().map(String::as_str))
    };
    let named = keys().find(|key| quoted.contains(key));
    let valued = || {
        let mut given = settings.0.iter();
        given.find_map(|(key, value)| {
            (!value.is_empty() && quoted.contains(&value.as_str())).then_some(key.as_str())
        })
    };
    let hinted = || {
        let hint = error.hint.as_deref().unwrap_or_default();
        let words: Vec<&str> = hint
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .collect();
        keys().find(|key| key.len() > 2 && words.contains(key))
    };
    named.or_else(valued).or_else(hinted).map(str::to_owned)
}

/// The first setting that is another one now.
fn differing(before: &Settings, after: &Settings) -> Option<String> {
    let keys = before.0.keys().chain(after.0.keys());
    let mut differ = keys.filter(|key| key.as_str() != "path" && before.get(key) != after.get(key));
    differ.next().cloned()
}

async fn try_out(draft: NewSource, stop: &Stop) -> Result<CheckView, Failure> {
    let secret = draft
        .secret
        .filter(|text| !text.is_empty())
        .map(Secret::new);
    let hidden: Vec<Secret> = secret.iter().cloned().collect();
    let connector = connectors::configure(&draft.kind, &Settings(draft.settings), secret)?;
    look(connector.as_ref(), &hidden, stop).await
}

/// A check that can be stopped; no secret is in its answer.
async fn look(
    connector: &dyn Connector,
    hidden: &[Secret],
    stop: &Stop,
) -> Result<CheckView, Failure> {
    let redactor = Redactor::new(hidden);
    let mut stopped = stop.listen();
    let answer = tokio::select! {
        answer = connector.check() => answer,
        _ = stopped.wait_for(|stop| *stop) => {
            return Err(Failure::not_possible("the check was stopped"));
        }
    };
    match answer {
        Ok(report) => Ok(views::check_view(CheckRecord {
            at: rfc3339(Utc::now()),
            report: redactor.check(report),
        })),
        Err(error) => Err(redactor.error(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: &str, settings: &[(&str, &str)], secret: Option<&str>) -> NewSource {
        NewSource {
            kind: kind.to_owned(),
            name: "corp".to_owned(),
            settings: settings
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            secret: secret.map(str::to_owned),
        }
    }

    #[track_caller]
    fn check(kind: &str, settings: &[(&str, &str)], secret: Option<&str>, field: Option<&str>) {
        let problem = review(draft(kind, settings, secret)).unwrap();
        let problem = problem.expect("there is a problem");
        assert_eq!(problem.field.as_deref(), field, "{problem:?}");
        assert!(
            !problem.message.contains(LATER),
            "a word of ours: {problem:?}"
        );
    }

    #[track_caller]
    fn fine(kind: &str, settings: &[(&str, &str)], secret: Option<&str>) {
        assert_eq!(review(draft(kind, settings, secret)).unwrap(), None);
    }

    const WHOLE: [(&str, &str); 4] = [
        ("url", "ldaps://ldap.example.org"),
        ("base_dn", "dc=example,dc=org"),
        ("bind_dn", "cn=reader,dc=example,dc=org"),
        ("system", "corp"),
    ];

    #[test]
    fn a_mistake_stands_at_its_field() {
        let with = |key: &'static str, value: &'static str| {
            let kept = WHOLE.into_iter().filter(move |(k, _)| *k != key);
            kept.chain([(key, value)]).collect::<Vec<_>>()
        };
        check("ldap", &with("url", ""), None, Some("url"));
        check("ldap", &with("url", "ftp://x"), None, Some("url"));
        check("ldap", &with("system", "No Such"), None, Some("system"));
        check("ldap", &with("timeout", "soon"), None, Some("timeout"));
        check("ldap", &with("colour", "red"), None, Some("colour"));
        check("ldap", &with("fresh_for", "long"), None, Some("fresh_for"));
        check("flat-files", &[], None, Some("path"));
    }

    #[test]
    fn a_secret_that_comes_later_is_no_mistake_and_one_that_never_comes_is() {
        fine("ldap", &WHOLE, None);
        fine("ldap", &WHOLE, Some("a password"));
        check("ldap", &WHOLE, Some(""), Some("secret"));
    }
}
