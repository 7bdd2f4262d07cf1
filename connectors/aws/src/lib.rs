//! Connector for one AWS account: who can do what, which secrets there are and who can read each,
//! and never a value.
//!
//! It reads IAM, the account's organisation and Identity Center, the names of secrets and parameters,
//! and weighs policies as AWS does. It promises that it changes nothing, that requests go to AWS or the
//! configured endpoint only, over verified TLS, that nothing of the environment or the machine is asked
//! for keys, that no program is run to sign in, and that whatever AWS does not show is noted. What
//! cannot be decided from policies is told as such. Only the reader of values, which is off unless an
//! administrator switches it on, receives a value, and makes a keyed fingerprint of it at once.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod api;
mod centre;
mod check;
mod error;
mod estate;
mod held;
mod iam;
mod json;
mod judge;
mod lacks;
mod map;
mod needs;
mod objects;
mod profile;
mod report;
mod script;
mod session;
mod settings;
mod shelves;
mod signin;
mod trust;
mod values;
mod wire;

pub use script::scripts;
pub use settings::DESCRIPTOR;

use async_trait::async_trait;
use estate::Estate;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Secret, Session,
    Settings, ValueReader,
};
use session::{MAX_PAGE, Reading};
use settings::{Cloud, Part, SignIn};
use values::Values;

/// A connector for the account that the settings name; the secret is that of the access key.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(AwsConnector {
        cloud: Cloud::from_settings(settings)?,
        secret,
    }))
}

/// A configured account.
struct AwsConnector {
    cloud: Cloud,
    secret: Option<Secret>,
}

impl AwsConnector {
    fn estate(&self) -> Result<Estate, ConnectorError> {
        if let (SignIn::Keys { .. }, None) = (&self.cloud.sign_in, &self.secret) {
            return Err(no_secret());
        }
        Ok(Estate::new(&self.cloud, self.secret.clone()))
    }

    fn reads(&self, kind: Kind) -> bool {
        let shelves = self.cloud.reads(Part::Secrets) || self.cloud.reads(Part::Parameters);
        shelves || !matches!(kind, Kind::Location | Kind::Reader)
    }
}

fn no_secret() -> ConnectorError {
    let what = "the secret access key is missing";
    DESCRIPTOR.invalid(
        what,
        "give it with --secret-file FILE, or sign in with a profile",
    )
}

#[async_trait]
impl Connector for AwsConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let kinds = DESCRIPTOR.reads.iter().filter(|kind| self.reads(**kind));
        kinds
            .map(|kind| KindCapability {
                kind: *kind,
                max_page: MAX_PAGE,
                // lists are kept for a session, and another one's would be of another moment
                cursor_survives_reconnect: false,
                incremental: false,
                deletions_visible: false,
                last_use_known: matches!(kind, Kind::Account | Kind::Credential),
                // the lists are; what is asked of each user and secret follows page by page
                one_moment: !matches!(kind, Kind::Credential | Kind::Reader),
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        check::look(&mut self.estate()?).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let mut estate = self.estate()?;
        estate.sign_in().await?;
        Ok(Box::new(Reading::new(estate)))
    }

    fn value_reader(
        &self,
        secret: Option<Secret>,
    ) -> Option<Result<Box<dyn ValueReader>, ConnectorError>> {
        if !self.reads(Kind::Location) {
            return None;
        }
        Some(
            Values::new(&self.cloud, secret).map(|values| Box::new(values) as Box<dyn ValueReader>),
        )
    }
}
