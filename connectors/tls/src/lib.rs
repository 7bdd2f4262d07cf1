//! TLS: the system's trust and the source's own CA, verified always; no switch turns it off.
//! A failure of TLS becomes an error that says what to do. A certificate of ours is sent only where
//! one is given.

mod address;
mod failure;
mod identity;

pub use address::{authority, host_alone, host_and_port};
pub use identity::{Identity, NoIdentity};

use lastkey_contract::{ConnectorError, ErrorKind};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Whose certificates are verified.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The kind of source, for errors of its settings: `ldap`.
    pub kind: &'static str,
    /// What a person calls the other side: "directory".
    pub name: &'static str,
    /// What to look at where its port may be the wrong one.
    pub port: &'static str,
    /// A PEM file with its own CA, trusted beside the system's.
    pub ca_file: Option<&'a Path>,
}

impl Peer<'_> {
    fn config(self, message: impl Into<String>, hint: impl Into<String>) -> ConnectorError {
        ConnectorError::new(ErrorKind::ConfigInvalid, self.kind, "configure", message).hint(hint)
    }
}

/// What a source has of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own<'a> {
    /// PEM with its CA, trusted beside the system's.
    pub ca: Option<&'a [u8]>,
    /// What it shows to a server that asks for a certificate.
    pub identity: Option<&'a Identity>,
}

/// A refused certificate: why, and its fingerprint.
#[derive(Clone, Debug)]
pub struct Refusal {
    why: String,
    sha256: String,
}

/// Verifies as rustls does, and remembers what it refused so that a person can compare, and
/// whether the server asked for a certificate of ours.
#[derive(Debug)]
pub struct Watched {
    inner: Arc<WebPkiServerVerifier>,
    peer: Peer<'static>,
    refusal: Mutex<Option<Refusal>>,
    asked: Arc<Asked>,
}

/// Sends the source's own certificate, if it has one, and remembers that one was asked for.
#[derive(Debug, Default)]
struct Asked {
    was: AtomicBool,
    own: Option<Identity>,
}

impl ResolvesClientCert for Asked {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.was.store(true, Ordering::Relaxed);
        self.own.as_ref().map(|own| own.0.clone())
    }

    fn has_certs(&self) -> bool {
        self.own.is_some()
    }
}

impl Watched {
    /// The error for a connection that failed because of its certificate.
    pub fn error(&self, system: &str) -> Option<ConnectorError> {
        let refusal = self.refusal.lock().ok()?.clone()?;
        let name = self.peer.name;
        Some(
            ConnectorError::new(
                ErrorKind::TlsUntrusted,
                system,
                "connect",
                format!("the {name}'s certificate is not trusted: {}", refusal.why),
            )
            .hint(format!(
                "if SHA-256 {} is the {name}'s certificate, name its CA with ca_file and use the name that the certificate carries",
                refusal.sha256
            )),
        )
    }

    fn was_asked_for_certificate(&self) -> bool {
        self.asked.was.load(Ordering::Relaxed)
    }

    fn sends_certificate(&self) -> bool {
        self.asked.own.is_some()
    }
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner
            .verify_server_cert(end_entity, intermediates, name, ocsp, now)
            .inspect_err(|error| {
                let digest = Sha256::digest(end_entity);
                let sha256: Vec<String> = digest.iter().map(|b| format!("{b:02X}")).collect();
                if let Ok(mut refusal) = self.refusal.lock() {
                    *refusal = Some(Refusal {
                        why: why(error),
                        sha256: sha256.join(":"),
                    });
                }
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// A reason in plain words.
fn why(error: &Error) -> String {
    use rustls::CertificateError as Why;
    match error {
        Error::InvalidCertificate(Why::UnknownIssuer) => {
            "it was issued by a CA that is not known here".to_owned()
        }
        Error::InvalidCertificate(Why::Expired | Why::ExpiredContext { .. }) => {
            "it has expired".to_owned()
        }
        Error::InvalidCertificate(Why::NotValidForName | Why::NotValidForNameContext { .. }) => {
            "it is for another name".to_owned()
        }
        other => format!("{other}"),
    }
}

/// The TLS configuration for a peer, and the verifier to ask after a failure.
pub fn client(peer: Peer<'_>) -> Result<(Arc<ClientConfig>, Arc<Watched>), ConnectorError> {
    client_of(peer, Own::default())
}

/// The same with what the source has of its own.
pub fn client_of(
    peer: Peer<'_>,
    own: Own<'_>,
) -> Result<(Arc<ClientConfig>, Arc<Watched>), ConnectorError> {
    let mut roots = RootCertStore::empty();
    for cert in rustls_native_certs::load_native_certs().certs {
        // One odd certificate among the system's must not take the others away.
        let _ = roots.add(cert);
    }
    if let Some(path) = peer.ca_file {
        let shown = path.display();
        let unusable = |why: String| {
            peer.config(
                format!("the CA file `{shown}` cannot be used: {why}"),
                "give a PEM file with at least one CA certificate",
            )
        };
        let certs = CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.to_string()))?;
        let mut count = 0;
        for cert in certs {
            let cert = cert.map_err(|e| unusable(e.to_string()))?;
            roots.add(cert).map_err(|e| unusable(e.to_string()))?;
            count += 1;
        }
        if count == 0 {
            return Err(unusable("it holds no certificate".to_owned()));
        }
    }
    if let Some(pem) = own.ca {
        let unusable = || {
            peer.config(
                format!("the CA that is given for the {} cannot be used", peer.name),
                "give at least one CA certificate in PEM",
            )
        };
        let mut count = 0;
        for cert in CertificateDer::pem_slice_iter(pem) {
            roots
                .add(cert.map_err(|_| unusable())?)
                .map_err(|_| unusable())?;
            count += 1;
        }
        if count == 0 {
            return Err(unusable());
        }
    }
    if roots.is_empty() {
        return Err(peer.config(
            "this machine trusts no CA at all, so no certificate can be verified",
            format!("name the {}'s CA with ca_file", peer.name),
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let odd = |e: String| peer.config(format!("TLS cannot be set up: {e}"), "check ca_file");
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|e| odd(e.to_string()))?;
    let watched = Arc::new(Watched {
        inner,
        peer: Peer {
            kind: peer.kind,
            name: peer.name,
            port: peer.port,
            ca_file: None,
        },
        refusal: Mutex::new(None),
        asked: Arc::new(Asked {
            was: AtomicBool::default(),
            own: own.identity.cloned(),
        }),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| odd(e.to_string()))?
        .dangerous() // rustls' word for any own verifier; ours only watches its own
        .with_custom_certificate_verifier(watched.clone())
        .with_client_cert_resolver(watched.asked.clone());
    Ok((Arc::new(config), watched))
}
