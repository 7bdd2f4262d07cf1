//! Connector for one Kubernetes cluster: who can do what, which Secrets there are and who can read
//! each, and never a value.
//!
//! It reads service accounts, users and groups as far as bindings and certificates name them, roles
//! where they are bound, Secrets as tables that the server makes without their values, and what uses
//! each. It promises that reading sends nothing but `GET`, that the login goes to the configured
//! origin only, over verified TLS, that no program is ever run to sign in, and that whatever the
//! cluster does not show is noted. Only the reader of values, which is off unless an administrator
//! switches it on, receives a value, and makes a keyed fingerprint of it at once.

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
mod error;
mod estate;
mod kubeconfig;
mod login;
mod map;
mod needs;
mod objects;
mod pages;
mod powers;
pub mod rbac;
mod script;
mod session;
mod settings;
mod shelves;
mod standing;
mod values;

pub use script::scripts;
pub use settings::DESCRIPTOR;

use api::Api;
use async_trait::async_trait;
use estate::Estate;
use lastkey_contract::{
    CheckReport, Connector, ConnectorError, Descriptor, Kind, KindCapability, Secret, Session,
    Settings, ValueReader,
};
use login::Access;
use session::{MAX_PAGE, Reading};
use settings::Cluster;
use values::Values;

/// A connector for the cluster that the settings name; the secret is a token, or a certificate with its
/// private key in PEM.
pub fn configure(
    settings: &Settings,
    secret: Option<Secret>,
) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(KubernetesConnector {
        cluster: Cluster::from_settings(settings)?,
        secret,
    }))
}

/// A configured cluster.
struct KubernetesConnector {
    cluster: Cluster,
    secret: Option<Secret>,
}

impl KubernetesConnector {
    fn estate(&self) -> Result<Estate, ConnectorError> {
        let access = Access::of(&self.cluster, self.secret.as_ref())?;
        let api = Api::new(&self.cluster, access)?;
        Ok(Estate::new(api, self.cluster.clone()))
    }
}

#[async_trait]
impl Connector for KubernetesConnector {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn capabilities(&self) -> Vec<KindCapability> {
        DESCRIPTOR
            .reads
            .iter()
            .map(|kind| KindCapability {
                kind: *kind,
                max_page: MAX_PAGE,
                // lists are kept for a session, and another one's would be of another moment
                cursor_survives_reconnect: false,
                incremental: false,
                deletions_visible: false,
                last_use_known: *kind == Kind::Credential,
                one_moment: true,
            })
            .collect()
    }

    async fn check(&self) -> Result<CheckReport, ConnectorError> {
        check::look(&mut self.estate()?).await
    }

    async fn connect(&self) -> Result<Box<dyn Session>, ConnectorError> {
        let mut estate = self.estate()?;
        estate.api.sign_in().await?;
        Ok(Box::new(Reading::new(estate)))
    }

    fn value_reader(
        &self,
        secret: Option<Secret>,
    ) -> Option<Result<Box<dyn ValueReader>, ConnectorError>> {
        let values = Values::new(self.cluster.clone(), secret);
        Some(Ok(Box::new(values)))
    }
}
