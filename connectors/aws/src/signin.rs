//! Credentials for requests: keys, a profile or SSO, then roles; made again when they end.

use crate::error::{Got, got};
use crate::profile::{self, Base};
use crate::settings::{Assumed, Cloud, DESCRIPTOR, SignIn};
use crate::wire::Wire;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use lastkey_contract::{ConnectorError, ErrorKind, Secret};
use std::fmt;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// What the session of an assumed role is called in AWS's own log.
const SESSION: &str = "lastkey";

/// How clients of the SDK ask: over our wire, once, and with nothing from the environment.
pub fn asking(
    cloud: &Cloud,
    wire: &Wire,
    region: &str,
    credentials: Option<SharedCredentialsProvider>,
) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(wire.clone())
        .sleep_impl(TokioSleep::new())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    builder.set_credentials_provider(credentials);
    builder.set_endpoint_url(cloud.endpoint.clone());
    builder.build()
}

/// Makes credentials when the SDK wants some.
#[derive(Clone)]
pub struct Maker {
    cloud: Cloud,
    wire: Wire,
    secret: Option<Secret>,
}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maker")
    }
}

impl ProvideCredentials for Maker {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.make().await.map_err(CredentialsError::provider_error)
        })
    }
}

impl Maker {
    pub fn new(cloud: &Cloud, wire: &Wire, secret: Option<Secret>) -> Maker {
        Maker {
            cloud: cloud.clone(),
            wire: wire.clone(),
            secret,
        }
    }

    pub async fn make(&self) -> Result<Credentials, ConnectorError> {
        let (mut credentials, mut roles) = match &self.cloud.sign_in {
            SignIn::Keys { id } => {
                let secret = self.secret.as_ref().ok_or_else(|| {
                    DESCRIPTOR.invalid(
                        "the secret access key is missing",
                        "give it with --secret-file FILE",
                    )
                })?;
                let secret = secret.expose().trim();
                (
                    Credentials::new(id, secret, None, None, "lastkey"),
                    Vec::new(),
                )
            }
            SignIn::Profile { name, folder } => {
                let (base, roles) = profile::read(name, folder.as_deref()).await?;
                (self.begin(base).await?, roles)
            }
        };
        roles.extend(self.cloud.role.clone());
        for role in &roles {
            credentials = self.assume(credentials, role).await?;
        }
        Ok(credentials)
    }

    async fn begin(&self, base: Base) -> Result<Credentials, ConnectorError> {
        match base {
            Base::Keys { id, secret, token } => {
                let token = token.map(|token| token.to_string());
                Ok(Credentials::new(
                    id,
                    secret.as_str(),
                    token,
                    None,
                    "lastkey",
                ))
            }
            Base::Sso {
                token,
                region,
                account,
                role,
            } => self.by_sso(&token, &region, &account, &role).await,
        }
    }

    async fn by_sso(
        &self,
        token: &Zeroizing<String>,
        region: &str,
        account: &str,
        role: &str,
    ) -> Result<Credentials, ConnectorError> {
        let client = aws_sdk_sso::Client::new(&asking(&self.cloud, &self.wire, region, None));
        let sent = client
            .get_role_credentials()
            .access_token(token.as_str())
            .account_id(account)
            .role_name(role)
            .send()
            .await;
        let operation = "sso:GetRoleCredentials";
        let found = got(&self.cloud.address(), operation, sent)?;
        let made = self.allowed(operation, &format!("{role} in {account}"), found)?;
        let made = made.role_credentials.ok_or_else(|| self.odd(operation))?;
        let milliseconds = u64::try_from(made.expiration).ok().filter(|at| *at > 0);
        let ends = milliseconds.map(|at| SystemTime::UNIX_EPOCH + Duration::from_millis(at));
        match (made.access_key_id, made.secret_access_key) {
            (Some(id), Some(secret)) => Ok(Credentials::new(
                id,
                secret,
                made.session_token,
                ends,
                "lastkey",
            )),
            (_, _) => Err(self.odd(operation)),
        }
    }

    async fn assume(&self, by: Credentials, role: &Assumed) -> Result<Credentials, ConnectorError> {
        let by = SharedCredentialsProvider::new(by);
        let asking = asking(&self.cloud, &self.wire, self.cloud.home(), Some(by));
        let sent = aws_sdk_sts::Client::new(&asking)
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .send()
            .await;
        let operation = "sts:AssumeRole";
        let found = got(&self.cloud.address(), operation, sent)?;
        let made = self.allowed(operation, &role.arn, found)?;
        let made = made.credentials.ok_or_else(|| self.odd(operation))?;
        let ends = SystemTime::try_from(made.expiration).map_err(|_| self.odd(operation))?;
        let token = Some(made.session_token);
        Ok(Credentials::new(
            made.access_key_id,
            made.secret_access_key,
            token,
            Some(ends),
            "lastkey",
        ))
    }

    fn allowed<T>(&self, operation: &str, what: &str, got: Got<T>) -> Result<T, ConnectorError> {
        let said = match got {
            Got::Found(found) => return Ok(found),
            Got::Refused(said) => said,
            Got::Absent => "there is no such role".to_owned(),
        };
        let message = format!("this login may not take on `{what}`: {said}");
        Err(ConnectorError::new(ErrorKind::Forbidden, self.cloud.address(), operation, message)
            .hint("check the role's name, its trust policy, the external id, and that the login may use sts:AssumeRole on it"))
    }

    fn odd(&self, operation: &str) -> ConnectorError {
        let what = "it lacks the credentials that were asked for";
        crate::error::SERVER.odd(&self.cloud.address(), operation, what)
    }
}
