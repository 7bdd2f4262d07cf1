//! A certificate of ours, for servers that take one as a login.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// A certificate with its private key. Shows nothing of itself.
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<CertifiedKey>);

/// Why there is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoIdentity {
    NoCertificate,
    NoKey,
    /// The key is of a sort that is not known, or of another certificate.
    NoPair,
}

impl NoIdentity {
    /// The end of a sentence that begins with the certificate.
    pub fn why(self) -> &'static str {
        match self {
            NoIdentity::NoCertificate => "it holds no certificate in PEM",
            NoIdentity::NoKey => "it has no private key in PEM without a passphrase",
            NoIdentity::NoPair => "its private key is another certificate's, or of an unknown sort",
        }
    }
}

impl Identity {
    /// From PEM: the certificate first and then those that lead to its CA; and its private key. The
    /// same text may hold both.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Identity, NoIdentity> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|_| NoIdentity::NoCertificate)?;
        if chain.is_empty() {
            return Err(NoIdentity::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| NoIdentity::NoKey)?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(chain, key, &provider)
            .map(|pair| Identity(Arc::new(pair)))
            .map_err(|_| NoIdentity::NoPair)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(hidden)")
    }
}
