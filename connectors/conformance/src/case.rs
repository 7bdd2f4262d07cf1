//! The closed list of cases, each with the name under which its results are kept.

use crate::cases::{access, cursors, honesty, reading, trouble, web};
use crate::outcome::Verdict;
use crate::subject::Subject;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// A case under way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + 'a>>;

macro_rules! cases {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $function:path;)+) => {
        /// What a connector is tried on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Case { $($(#[doc = $doc])+ #[serde(rename = $name)] $variant),+ }

        impl Case {
            /// Every case, in the order in which they run.
            pub const ALL: &'static [Case] = &[$(Case::$variant),+];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Case::$variant => $name),+ }
            }

            /// What must hold, in one sentence.
            pub fn says(self) -> &'static str {
                match self { $(Case::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            pub(crate) fn run(self, subject: &dyn Subject) -> Running<'_> {
                match self { $(Case::$variant => Box::pin($function(subject))),+ }
            }
        }
    };
}

cases! {
    /// A seeded set is read back exactly, and nothing else.
    ExactReadBack = "exact-read-back", reading::exact_read_back;
    /// Pages of one, of three and of the greatest size give the same set, none is larger than asked, and the counts add up.
    PageSizes = "page-sizes", reading::page_sizes;
    /// The same request twice gives the same answer.
    SameRequestTwice = "same-request-twice", reading::same_request_twice;
    /// Unicode, quotes, escapes of DNs, formulas, empty values and 64 kB come through as they are.
    OddText = "odd-text", reading::odd_text;
    /// An empty system is read completely, with nothing in it.
    EmptySystem = "empty-system", reading::empty_system;
    /// A large set is read in flat memory.
    FlatMemory = "flat-memory", reading::flat_memory;
    /// A cursor works in a later session where that is declared, and is declared lost where not.
    CursorResume = "cursor-resume", cursors::cursor_resume;
    /// A cursor that is none is an error, not a page.
    ForeignCursor = "foreign-cursor", cursors::foreign_cursor;
    /// No cursor comes twice in a read, and a source that repeats one is caught.
    RepeatedCursor = "repeated-cursor", cursors::repeated_cursor;
    /// An object removed between two pages makes no other object vanish or come twice.
    RemovedBetweenPages = "removed-between-pages", cursors::removed_between_pages;
    /// Where incremental reading is declared, the changes since a watermark lead to the new state.
    Incremental = "incremental", cursors::incremental;
    /// A read stops within a second of being told to.
    StopsWithinASecond = "stops-within-a-second", trouble::stops_within_a_second;
    /// A wrong secret is refused as such, and not said back.
    WrongSecret = "wrong-secret", access::wrong_secret;
    /// Too few rights are reported, and make no read complete.
    TooFewRights = "too-few-rights", access::too_few_rights;
    /// Rights beyond reading are reported, or that they cannot be known is.
    ExcessRights = "excess-rights", access::excess_rights;
    /// Bad TLS of every sort is refused, with nothing said and nothing weaker tried.
    UntrustedCertificate = "untrusted-certificate", access::untrusted_certificate;
    /// A secret stands in no fact, note, cursor, error, journal or log.
    SecretNeverShown = "secret-never-shown", access::secret_never_shown;
    /// The system's own log shows no write.
    NoWrites = "no-writes", access::no_writes;
    /// A 429 is waited out for as long as it asks.
    RateLimit = "rate-limit", web::rate_limit;
    /// A burst of 5xx, or of refused connections, is survived with retry and reported without.
    ErrorBurst = "error-burst", trouble::error_burst;
    /// A connection that is reset anywhere in the read leaves it incomplete and loses nothing.
    ResetMidPage = "reset-mid-page", trouble::reset_mid_page;
    /// A connection that is closed anywhere in the read leaves it incomplete and loses nothing.
    Truncated = "truncated", trouble::truncated;
    /// Answers that trickle in are read whole.
    SlowBytes = "slow-bytes", trouble::slow_bytes;
    /// The connector itself tries nothing again.
    NoOwnRetry = "no-own-retry", trouble::no_own_retry;
    /// Redirects and links that lead elsewhere are not followed, and no credential goes there.
    EvilLinks = "evil-links", web::evil_links;
    /// A decompression bomb and an endless body are given up in time and in little memory.
    Bombs = "bombs", web::bombs;
    /// Answers that are rubbish are errors.
    Garbage = "garbage", web::garbage;
    /// An answer that the system cut is noted, and absence is not claimed.
    ClippedNoted = "clipped-noted", honesty::clipped_noted;
    /// What is declared impossible is: no watermark, no deletions, no last use, no single moment.
    FlagsDeclaredFalse = "flags-declared-false", honesty::flags_declared_false;
    /// What is declared known is there: a last use, and every kind that is offered is listed by the descriptor.
    FlagsDeclaredTrue = "flags-declared-true", honesty::flags_declared_true;
}
