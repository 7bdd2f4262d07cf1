//! Defects that the suite must find: each is something that connectors have really done.

use crate::case::Case;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io;
use std::sync::Arc;

macro_rules! flaws {
    ($($(#[doc = $doc:literal])+ $variant:ident is found by $case:ident;)+) => {
        /// A defect of the seeded connector, or None.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flaw {
            /// Does everything as it should.
            None,
            $($(#[doc = $doc])+ $variant),+
        }

        impl Flaw {
            /// Every defect with the case that must find it.
            pub const ALL: &'static [(Flaw, Case)] = &[$((Flaw::$variant, Case::$case)),+];
        }
    };
}

flaws! {
    /// Leaves the last object of each kind out.
    LeavesOneOut is found by ExactReadBack;
    /// Gives an object more than was asked for.
    PageTooLarge is found by PageSizes;
    /// Counts more as received than it accounts for.
    MiscountsReceived is found by PageSizes;
    /// Numbers its answers, so that none is like another.
    NeverTheSame is found by SameRequestTwice;
    /// Makes text plain ASCII.
    AsciiOnly is found by OddText;
    /// Makes an empty text out of what is not known.
    EmptyForUnknown is found by OddText;
    /// Invents an object where nothing is.
    InventsOne is found by EmptySystem;
    /// Keeps everything that it read.
    KeepsEverything is found by FlatMemory;
    /// Forgets a cursor with its session, although it declares otherwise.
    ForgetsCursors is found by CursorResume;
    /// Begins at the start where a cursor is none of its own.
    TakesAnyCursor is found by ForeignCursor;
    /// Gives the same cursor for ever.
    SameCursor is found by RepeatedCursor;
    /// Counts objects in cursors, so that a removal moves all that follow.
    CountsInCursors is found by RemovedBetweenPages;
    /// Tells of no deletion, although it declares to.
    HidesDeletions is found by Incremental;
    /// Waits without looking up.
    BlocksItsThread is found by StopsWithinASecond;
    /// Says a wrong secret back.
    SaysSecretBack is found by WrongSecret;
    /// Takes a kind that it may not read for an empty one.
    ForbiddenIsEmpty is found by TooFewRights;
    /// Does not look for rights in excess.
    OverlooksExcess is found by ExcessRights;
    /// Verifies no certificate.
    TrustsAnybody is found by UntrustedCertificate;
    /// Puts the secret into what it says it asked for.
    SecretInQuery is found by SecretNeverShown;
    /// Writes a mark of its own into the system.
    LeavesAMark is found by NoWrites;
    /// Does not say how long to wait.
    IgnoresRetryAfter is found by RateLimit;
    /// Takes a server's error for the end of the list.
    ErrorIsTheEnd is found by ErrorBurst;
    /// Takes a broken connection for the end of the list.
    BreakIsTheEnd is found by ResetMidPage;
    /// Takes a connection that was closed for the end of the list.
    CloseIsTheEnd is found by Truncated;
    /// Gives up where an answer takes longer than a moment.
    NoPatience is found by SlowBytes;
    /// Tries again by itself.
    TriesAgain is found by NoOwnRetry;
    /// Follows links and redirects wherever they lead.
    FollowsAnywhere is found by EvilLinks;
    /// Unpacks and reads without a limit.
    ReadsWithoutLimit is found by Bombs;
    /// Takes rubbish for an empty list.
    RubbishIsEmpty is found by Garbage;
    /// Does not say that an answer was cut.
    SilentAboutCuts is found by ClippedNoted;
    /// Tells a last use of what declares none.
    LastUseUndeclared is found by FlagsDeclaredFalse;
    /// Declares a last use that it does not tell.
    LastUseMissing is found by FlagsDeclaredTrue;
}

/// A client that takes every certificate.
pub(super) fn trusts_anybody() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
