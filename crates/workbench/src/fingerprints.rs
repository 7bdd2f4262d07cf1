//! Fingerprints of values: switched on for one source by somebody who consents, and off again.
//!
//! The consent stands in the event log with its time, its person and its source. The login that
//! reads values is another than the one that reads names, and its secret is kept apart; files have
//! no sign-in, and need none.

use crate::bench::Workbench;
use crate::connectors::descriptor;
use crate::failure::Failure;
use chrono::Utc;
use lastkey_contract::{Connector, Secret, SecretNeed, SourceName};
use lastkey_engine::collect::{CONSENT, Fingerprinting, Prints};
use lastkey_engine::views::SourceRow;
use std::sync::Arc;

/// What somebody says about the values of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    TakenBack,
}

impl Workbench {
    /// Switches fingerprints of one source on, with the secret of the login that may read values
    /// where its kind has a sign-in, or off.
    pub async fn set_fingerprints(
        &self,
        name: &str,
        consent: Consent,
        secret: Option<String>,
    ) -> Result<SourceRow, Failure> {
        let source = SourceName::new(name);
        let found = self.store.source(&source).await?;
        let mut settings = found.settings.clone();
        let secret = secret
            .filter(|text| !text.trim().is_empty())
            .map(Secret::new);
        let login = descriptor(&found.kind)?.secret != SecretNeed::None;
        let (what, given) = match (consent, secret) {
            (Consent::Given, None) if login => {
                return Err(Failure::bad_input(
                    "fingerprints need a login of their own that may read values",
                )
                .hint(
                    "give its secret with --secret-file FILE, or - to read it from standard input",
                ));
            }
            (Consent::Given, Some(_)) if !login => {
                return Err(Failure::bad_input(
                    "this kind of source has no sign-in, so its values need no secret",
                )
                .hint("leave --secret-file out"));
            }
            (Consent::TakenBack, Some(_)) => {
                return Err(Failure::bad_input(
                    "switching fingerprints off takes no secret",
                ));
            }
            (Consent::Given, secret) => {
                let (connector, _) = self.connector(&source).await?;
                if connector.value_reader(None).is_none() {
                    let kind = connector.descriptor().title;
                    return Err(Failure::bad_input(format!(
                        "{kind} keeps no values that could be fingerprinted"
                    )));
                }
                settings.0.insert(CONSENT.to_owned(), "on".to_owned());
                ("fingerprints switched on", secret)
            }
            (Consent::TakenBack, None) => {
                settings.0.remove(CONSENT);
                ("fingerprints switched off", None)
            }
        };
        // The secret first: with the consent alone, the next read could not be made.
        match &given {
            Some(secret) => self.keep_values_secret(name, secret)?,
            None => self.secrets.forget(&crate::sources::values_entry(name))?,
        }
        self.store
            .change_source(&source, &settings, what, Utc::now())
            .await?;
        self.source_row(name).await
    }

    /// The connector as a sync reads with it, and the secrets that must never be written, the
    /// value reader's among them.
    pub(crate) async fn reading_connector(
        &self,
        source: &SourceName,
    ) -> Result<(Box<dyn Connector>, Vec<Secret>), Failure> {
        let (connector, mut secrets) = self.connector(source).await?;
        let found = self.store.source(source).await?;
        if found.settings.get(CONSENT) != Some("on") {
            return Ok((connector, secrets));
        }
        let secret = self.values_secret(source.as_str())?;
        let login = connector.descriptor().secret != SecretNeed::None;
        if secret.is_none() && login {
            return Err(Failure::key(format!(
                "the secret that reads values of `{source}` is not there"
            ))
            .hint(format!(
                "switch fingerprints on again with its secret, or off: lastkey source fingerprints {source} off"
            )));
        }
        secrets.extend(secret.clone());
        let (key, id) = self.fingerprint_key()?;
        let prints = Arc::new(Prints::new(key, id));
        let reading = Fingerprinting::new(connector, secret, prints);
        Ok((Box::new(reading), secrets))
    }
}
