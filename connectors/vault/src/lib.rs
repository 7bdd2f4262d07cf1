//! Connector for HashiCorp Vault and OpenBao: who can read which secret, and never a value.
//!
//! It reads entities, groups, policies, AppRoles, userpass users, token and secret ID accessors
//! and the metadata of key-value stores, and works out from the policies who can read which path.
//! It promises that no value is asked for (but by the reader of values, which is switched on
//! apart), that a credential is sent to the configured origin only, over verified TLS, and that
//! whatever this login may not see is noted. What it sends changes nothing but for the sign-in.
//! Trying somebody's token or AppRole is apart from all that, in `prober`.

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
mod certificates;
mod check;
mod engines;
mod error;
mod grants;
mod http;
mod make;
mod map;
mod needs;
mod objects;
mod people;
mod place;
mod places;
pub mod policy;
mod prober;
mod reach;
mod script;
mod session;
mod settings;
mod values;
mod walk;
mod ways;

pub use prober::{PROBES, prober};
pub use script::scripts;
pub use settings::DESCRIPTOR;

use api::Api;
use async_trait::async_trait;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Secret, Session,
    Settings, ValueReader,
};
use objects::{Objects, Token};
use session::{MAX_PAGE, Reading};
use settings::{Leases, Vault};

/// A connector for the vault that the settings name; the secret is what it signs in with.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(VaultConnector {
        vault: Vault::from_settings(settings)?,
        secret,
    }))
}

/// A configured vault.
struct VaultConnector {
    vault: Vault,
    secret: Option<Secret>,
}

impl VaultConnector {
    async fn objects(&self) -> Result<Objects, ConnectorError> {
        let api = Api::open(&self.vault, &self.vault.sign_in, self.secret.as_ref()).await?;
        Ok(Objects::new(self.vault.clone(), api))
    }
}

#[async_trait]
impl Connector for VaultConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        let leases = match self.vault.leases {
            Leases::Read => Some(Kind::Session),
            Leases::Leave => None,
        };
        [
            Kind::Account,
            Kind::Entitlement,
            Kind::Grant,
            Kind::Credential,
            Kind::Location,
            Kind::Reader,
            Kind::Control,
        ]
        .into_iter()
        .chain(leases)
        .map(|kind| KindCapability {
            kind,
            max_page: MAX_PAGE,
            // a cursor is a name, and the list goes on after it
            cursor_survives_reconnect: true,
            incremental: false,
            deletions_visible: false,
            last_use_known: false,
            one_moment: false,
        })
        .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        check::look(&mut self.objects().await?).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let mut objects = self.objects().await?;
        let health = objects.api.health().await?;
        check::has_namespaces(&objects.vault, &health)?;
        let token: Token = objects.api.whoami().await?;
        if check::lists_may_be_cut(&mut objects, &token, &health).await? {
            objects.api.lists_come_in_pages();
        }
        Ok(Box::new(Reading::new(objects, health.server_time_utc)))
    }

    fn value_reader(
        &self,
        secret: Option<Secret>,
    ) -> Option<Result<Box<dyn ValueReader>, ConnectorError>> {
        Some(Ok(Box::new(values::Values::new(
            self.vault.clone(),
            secret,
        ))))
    }
}
