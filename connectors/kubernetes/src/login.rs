//! What signs in: a token, a certificate, or both, as `kubectl` sends them. And where to.

use crate::kubeconfig::Context;
use crate::settings::{Cluster, DESCRIPTOR, Server};
use lastkey_contract::{ConnectorError, Secret};
use lastkey_http::Origin;
use lastkey_tls::Identity;

/// What signs in.
pub struct Login {
    pub token: Option<Secret>,
    pub identity: Option<Identity>,
}

/// A server and who we are there.
pub struct Access {
    pub origin: Origin,
    /// The CA of a kubeconfig, in PEM.
    pub ca: Option<Vec<u8>>,
    pub login: Login,
}

impl Login {
    pub fn token(token: Secret) -> Login {
        Login {
            token: Some(token),
            identity: None,
        }
    }

    /// A certificate and its private key, in PEM.
    pub fn certificate(certificates: &[u8], key: &[u8]) -> Result<Login, ConnectorError> {
        match Identity::from_pem(certificates, key) {
            Ok(identity) => Ok(Login {
                token: None,
                identity: Some(identity),
            }),
            Err(none) => Err(DESCRIPTOR.invalid(
                format!(
                    "the certificate to sign in with cannot be used: {}",
                    none.why()
                ),
                "give the certificate and its private key in PEM, without a passphrase",
            )),
        }
    }

    /// The same login with a token beside it.
    pub fn with(self, token: Option<Secret>) -> Login {
        Login { token, ..self }
    }

    /// What a source's secret is: a token; a certificate with its private key, in PEM; or the private
    /// key alone, of the certificate that the kubeconfig has.
    fn given(secret: &Secret, context: Option<&Context>) -> Result<Login, ConnectorError> {
        let text = secret.expose();
        if !text.contains("-----BEGIN ") {
            return Ok(Login::token(secret.clone()));
        }
        let own = match context {
            Some(context) if !text.contains("-----BEGIN CERTIFICATE-----") => {
                context.certificate()?
            }
            Some(_) | None => None,
        };
        match own {
            Some(certificate) => Login::certificate(&certificate, text.as_bytes()),
            None => Login::certificate(text.as_bytes(), text.as_bytes()),
        }
    }
}

impl Access {
    /// The server of the settings, and the login: the source's secret where there is one, else what
    /// the kubeconfig's user has.
    pub fn of(cluster: &Cluster, secret: Option<&Secret>) -> Result<Access, ConnectorError> {
        match (&cluster.server, secret) {
            (Server::Address(origin), secret) => Ok(Access {
                origin: origin.clone(),
                ca: None,
                login: Login::given(secret.ok_or_else(missing)?, None)?,
            }),
            (Server::Kubeconfig(file), secret) => {
                let context = file.open()?;
                let login = match secret {
                    Some(secret) => Login::given(secret, Some(&context))?,
                    None => context.login()?,
                };
                Ok(Access {
                    origin: context.origin,
                    ca: context.ca,
                    login,
                })
            }
        }
    }
}

/// Nothing to sign in with.
pub fn missing() -> ConnectorError {
    DESCRIPTOR.invalid(
        "the token is missing",
        "give it with --secret-file FILE; a certificate with its private key, in PEM, is taken too",
    )
}
