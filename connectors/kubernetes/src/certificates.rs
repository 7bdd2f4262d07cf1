//! Certificates of clients, as far as signing requests still show them.

use crate::objects::SigningRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::X509Certificate;

/// A certificate that the API server takes for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The name of the signing request.
    pub request: String,
    /// Its common name: the user.
    pub user: String,
    /// Its organisations: the groups.
    pub groups: Vec<String>,
    pub begins: Option<DateTime<Utc>>,
    pub ends: Option<DateTime<Utc>>,
    pub serial: String,
    pub signer: Option<String>,
    /// Who asked for it.
    pub asked_by: Option<String>,
    pub asked_at: Option<String>,
}

/// A signed certificate that could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood;

/// The client certificate of a request; None where none was signed, or where it is no client's.
pub fn certified(request: &SigningRequest) -> Result<Option<Certified>, NotUnderstood> {
    let Some(text) = &request.status.certificate else {
        return Ok(None);
    };
    if !request
        .spec
        .usages
        .iter()
        .any(|usage| usage == "client auth")
    {
        return Ok(None);
    }
    let pem = STANDARD.decode(text.trim()).map_err(|_| NotUnderstood)?;
    let (_, pem) = parse_x509_pem(&pem).map_err(|_| NotUnderstood)?;
    let certificate = pem.parse_x509().map_err(|_| NotUnderstood)?;
    read(request, &certificate).map(Some).ok_or(NotUnderstood)
}

fn read(request: &SigningRequest, certificate: &X509Certificate<'_>) -> Option<Certified> {
    let subject = certificate.subject();
    let names = subject.iter_common_name();
    let user = names.last()?.as_str().ok()?.to_owned();
    let groups: Option<Vec<String>> = subject
        .iter_organization()
        .map(|name| name.as_str().ok().map(str::to_owned))
        .collect();
    let at = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
    Some(Certified {
        request: request.metadata.name.clone(),
        user,
        groups: groups?,
        begins: at(certificate.validity().not_before),
        ends: at(certificate.validity().not_after),
        serial: certificate.raw_serial_as_string(),
        signer: request.spec.signer_name.clone(),
        asked_by: request.spec.username.clone(),
        asked_at: request.metadata.creation_timestamp.clone(),
    })
}
