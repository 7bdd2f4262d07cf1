//! Why TLS did not come to stand, or broke: what cannot heal by itself is an error that is not
//! tried again, each sort with its own sentence and next step.

use crate::{Peer, Watched};
use lastkey_contract::{ConnectorError, ErrorKind};
use rustls::{AlertDescription as Alert, Error, PeerIncompatible};
use std::io;

/// What a failed handshake shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// What listens there speaks something else.
    NoTls,
    /// Only versions that are broken.
    TooOld,
    /// No method that both sides take.
    NothingInCommon,
    /// It lets nobody in without a certificate.
    WantsCertificate,
    /// It does not take the certificate that was sent.
    RefusesCertificate,
    /// It does not know the name that was asked for.
    OtherName,
    /// It breaks the rules of TLS, or somebody in between changes what it sends.
    Unruly,
    /// It ended the handshake, and says no more.
    Refused,
    /// The connection ended: that may heal.
    Ended,
}

impl Watched {
    /// The error for a handshake that failed.
    pub fn handshake(&self, system: &str, operation: &str, error: &io::Error) -> ConnectorError {
        if let Some(untrusted) = self.error(system) {
            return untrusted;
        }
        if let Some(failed) = self.broken(system, operation, error) {
            return failed;
        }
        let name = self.peer.name;
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                if let Some(failed) = self.closed(system, operation) {
                    return failed;
                }
                format!("the {name} closed the connection before TLS stood")
            }
            _ => format!("the {name} cannot be reached: {error}"),
        };
        ConnectorError::new(ErrorKind::Unavailable, system, operation, message).hint(format!(
            "try again; if it comes back, {}, see that it offers TLS 1.2 or later, and look into the {name}'s log",
            self.peer.port
        ))
    }

    /// The error for a connection that the server closed without an answer, where it had asked
    /// for a certificate: some servers say nothing to whoever has none.
    pub fn closed(&self, system: &str, operation: &str) -> Option<ConnectorError> {
        let error = Error::AlertReceived(Alert::CertificateRequired);
        let asked = self.was_asked_for_certificate();
        asked
            .then(|| self.broken(system, operation, &io::Error::other(error)))
            .flatten()
    }

    /// The error for a connection that broke because of its TLS; None where it only ended.
    pub fn broken(
        &self,
        system: &str,
        operation: &str,
        error: &io::Error,
    ) -> Option<ConnectorError> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        let Peer { name, port, .. } = self.peer;
        let untrusted = ErrorKind::TlsUntrusted;
        let sort = match sort(error, self.was_asked_for_certificate()) {
            Sort::WantsCertificate if self.sends_certificate() => Sort::RefusesCertificate,
            Sort::Refused if self.sends_certificate() && is_about_ours(error) => {
                Sort::RefusesCertificate
            }
            sort => sort,
        };
        let (kind, message, hint) = match sort {
            Sort::Ended => return None,
            Sort::NoTls => (
                untrusted,
                "what answers there does not speak TLS, or not from the start".to_owned(),
                port.to_owned(),
            ),
            Sort::TooOld => (
                untrusted,
                format!("the {name} offers only versions of TLS that are not safe"),
                format!("switch TLS 1.2 or later on in the {name}"),
            ),
            Sort::NothingInCommon => (
                untrusted,
                format!("the {name} offers no method of TLS that is safe ({error})"),
                format!("allow the {name} cipher suites with ECDHE and AES-GCM or ChaCha20"),
            ),
            Sort::WantsCertificate => (
                untrusted,
                format!("the {name} demands a certificate from whoever connects, and none is sent"),
                format!("let the {name} take connections without a certificate of the client"),
            ),
            Sort::RefusesCertificate => (
                ErrorKind::AuthRejected,
                format!("the {name} does not take the certificate that was sent"),
                format!("check when it ends, and that the {name} trusts the CA that issued it"),
            ),
            Sort::OtherName => (
                untrusted,
                format!("the {name} does not go by the name in the address"),
                "give the name that its certificate carries".to_owned(),
            ),
            Sort::Unruly => (
                ErrorKind::Protocol,
                format!("the TLS of the {name} breaks its own rules ({error})"),
                format!("look for what stands between here and the {name}"),
            ),
            Sort::Refused => (
                untrusted,
                format!("no TLS connection could be agreed on ({error})"),
                format!("look into the {name}'s log for the reason"),
            ),
        };
        Some(ConnectorError::new(kind, system, operation, message).hint(hint))
    }
}

/// Whether the server says that the certificate which it was sent cannot count.
fn is_about_ours(error: &Error) -> bool {
    use Alert::{CertificateExpired, CertificateRevoked, CertificateUnknown};
    use Alert::{UnknownCA, UnsupportedCertificate};
    match error {
        Error::AlertReceived(alert) => matches!(
            alert,
            CertificateExpired
                | CertificateRevoked
                | CertificateUnknown
                | UnknownCA
                | UnsupportedCertificate
        ),
        _ => false,
    }
}

fn sort(error: &Error, asked_for_certificate: bool) -> Sort {
    match error {
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => Sort::NoTls,
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Sort::TooOld,
        Error::PeerIncompatible(_) => Sort::NothingInCommon,
        Error::DecryptError | Error::PeerMisbehaved(_) | Error::PeerSentOversizedRecord => {
            Sort::Unruly
        }
        Error::AlertReceived(alert) => match alert {
            Alert::ProtocolVersion => Sort::TooOld,
            Alert::CertificateRequired | Alert::NoCertificate => Sort::WantsCertificate,
            // OpenSSL and GnuTLS up to TLS 1.2 say this to whoever sent no certificate.
            Alert::HandshakeFailure | Alert::BadCertificate | Alert::AccessDenied
                if asked_for_certificate =>
            {
                Sort::WantsCertificate
            }
            Alert::HandshakeFailure | Alert::InsufficientSecurity => Sort::NothingInCommon,
            Alert::UnrecognisedName => Sort::OtherName,
            Alert::CloseNotify | Alert::UserCanceled | Alert::InternalError => Sort::Ended,
            // ours could not be read: changed on the way
            Alert::BadRecordMac | Alert::DecryptError | Alert::DecodeError => Sort::Unruly,
            _ => Sort::Refused,
        },
        _ => Sort::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::InvalidMessage;

    #[track_caller]
    fn check(error: Error, asked: bool, wanted: Sort) {
        assert_eq!(sort(&error, asked), wanted, "{error}");
    }

    #[test]
    fn what_ends_a_handshake_is_told_apart() {
        check(
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            false,
            Sort::NoTls,
        );
        let old = PeerIncompatible::ServerDoesNotSupportTls12Or13;
        check(Error::PeerIncompatible(old), false, Sort::TooOld);
        let alert = Error::AlertReceived;
        check(alert(Alert::ProtocolVersion), false, Sort::TooOld);
        check(alert(Alert::HandshakeFailure), false, Sort::NothingInCommon);
        check(alert(Alert::HandshakeFailure), true, Sort::WantsCertificate);
        check(
            alert(Alert::CertificateRequired),
            false,
            Sort::WantsCertificate,
        );
        check(alert(Alert::InternalError), false, Sort::Ended);
        check(alert(Alert::UnknownCA), false, Sort::Refused);
        check(Error::DecryptError, false, Sort::Unruly);
    }
}
