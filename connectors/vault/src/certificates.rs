//! Certificates that a PKI engine issued and keeps: described, with their ends and revocations.

use crate::map::{seconds, when};
use lastkey_contract::facts::{Credential, CredentialKind};
use lastkey_contract::{SystemName, When};
use serde::Deserialize;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate as the engine keeps it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Issued {
    #[serde(default)]
    certificate: String,
    /// Seconds since 1970; 0 where it was not revoked.
    #[serde(default)]
    revocation_time: i64,
    #[serde(default)]
    revocation_time_rfc3339: String,
    /// The engine's own name for what issued it, where it tells it.
    #[serde(default)]
    issuer_id: String,
}

/// The certificate by its serial number; None where it cannot be understood. Whose it is, is not
/// said but in its names.
pub fn certificate(
    system: &SystemName,
    mount: &str,
    serial: &str,
    issued: &Issued,
) -> Option<Credential> {
    let (_, pem) = parse_x509_pem(issued.certificate.as_bytes()).ok()?;
    let (_, read) = X509Certificate::from_der(&pem.contents).ok()?;
    let id = format!("{mount}cert/{serial}");
    let mut made = Credential::of(system.clone(), id, CredentialKind::Certificate, "");
    made.account_id = None;
    made.name = Some(read.subject().to_string()).filter(|name| !name.is_empty());
    made.created_at = at(read.validity().not_before.timestamp());
    made.expires_at = at(read.validity().not_after.timestamp());
    made.revoked_at =
        when(&issued.revocation_time_rfc3339).or_else(|| seconds(issued.revocation_time));
    // That anybody takes it is not told; that it was revoked is.
    made.enabled = made.revoked_at.is_some().then_some(false);
    let names = read.subject_alternative_name().ok().flatten();
    let names: Vec<String> = names
        .map(|names| names.value.general_names.iter().map(name).collect())
        .unwrap_or_default();
    for (key, value) in [
        ("serial", serial.to_owned()),
        ("subject", read.subject().to_string()),
        ("issuer", read.issuer().to_string()),
        ("issuer_id", issued.issuer_id.clone()),
        ("names", names.join(" ")),
        ("ca", if read.is_ca() { "true" } else { "" }.to_owned()),
    ] {
        if !value.is_empty() {
            made.attributes.insert(key.to_owned(), value);
        }
    }
    Some(made)
}

fn name(name: &x509_parser::extensions::GeneralName<'_>) -> String {
    use x509_parser::extensions::GeneralName;
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            (*name).to_owned()
        }
        other => other.to_string(),
    }
}

fn at(at: i64) -> Option<When> {
    chrono::DateTime::from_timestamp(at, 0).map(When::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_none() {
        for certificate in [
            "",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        ] {
            let issued = Issued {
                certificate: certificate.to_owned(),
                ..Issued::default()
            };
            assert_eq!(super::certificate(&"v".into(), "pki/", "1", &issued), None);
        }
    }
}
