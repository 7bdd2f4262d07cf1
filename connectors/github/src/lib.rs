//! Connector for one organisation of GitHub or GitHub Enterprise: who can do what, and never a value.
//!
//! It reads members, outside collaborators, invitations, teams, rights on repositories, deploy keys,
//! tokens with access, installed apps, and the names of Actions and Dependabot secrets with who can
//! have them told. It promises that it sends nothing but `GET`, that the token goes to the
//! configured origin only, over verified TLS, and that whatever the plan or the token does not show
//! is noted. GitHub gives the value of a secret to nobody.

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
mod check;
mod error;
mod estate;
mod held;
mod http;
mod make;
mod map;
mod needs;
mod notes;
mod objects;
mod place;
mod script;
mod secrets;
mod session;
mod settings;
mod standing;

pub use script::scripts;
pub use settings::DESCRIPTOR;

use api::Api;
use async_trait::async_trait;
use estate::Estate;
use http::Http;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Secret, Session,
    Settings,
};
use session::{MAX_PAGE, Reading};
use settings::{Extra, Organization};
use standing::Standing;

/// A connector for the organisation that the settings name; the secret is a token.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(GitHubConnector {
        organization: Organization::from_settings(settings)?,
        secret,
    }))
}

/// A configured organisation.
struct GitHubConnector {
    organization: Organization,
    secret: Option<Secret>,
}

impl GitHubConnector {
    async fn estate(&self) -> Result<Estate, ConnectorError> {
        let token = self.secret.clone().ok_or_else(|| {
            error::config("the token is missing", "give it with --secret-file FILE")
        })?;
        let mut api = Api::new(Http::new(&self.organization, token)?);
        let standing = Standing::of(&mut api, &self.organization).await?;
        Ok(Estate::new(api, self.organization.clone(), standing))
    }
}

#[async_trait]
impl Connector for GitHubConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let last_use = |kind| match kind {
            Kind::Credential => true,
            Kind::Account => self.organization.audit_log == Extra::Read,
            _ => false,
        };
        DESCRIPTOR
            .reads
            .iter()
            .map(|kind| KindCapability {
                kind: *kind,
                max_page: MAX_PAGE,
                // a cursor is a name, and the list goes on after it
                cursor_survives_reconnect: true,
                incremental: false,
                deletions_visible: false,
                last_use_known: last_use(*kind),
                one_moment: false,
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        check::look(&mut self.estate().await?).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        Ok(Box::new(Reading::new(self.estate().await?)))
    }
}
