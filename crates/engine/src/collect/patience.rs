//! How long to wait before another try: pure, so that a seed decides it in tests.

use super::SyncSettings;
use lastkey_contract::{ConnectorError, ErrorKind};
use std::time::Duration;

/// Random numbers for jitter (SplitMix64): good enough to spread clients, never for keys.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// From the seed, or from the system's random numbers; without those, jitter is the same
    /// each time and nothing else is lost.
    pub(super) fn new(seed: Option<u64>) -> Self {
        Dice(seed.unwrap_or_else(|| getrandom::u64().unwrap_or(0x1a57_4e11)))
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How often and how patiently.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    pub timeout: Duration,
    tries: u32,
    first_wait: Duration,
    longest_wait: Duration,
    /// All waits of one request together.
    in_all: Duration,
}

/// What follows a failed try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Another try after this wait.
    Wait(Duration),
    /// No other try, with the sentence that says so where it is not the failure's own.
    GiveUp(Option<String>),
}

impl Patience {
    pub(super) fn of(settings: &SyncSettings) -> Self {
        Self {
            timeout: settings.request_timeout,
            tries: settings.tries.max(1),
            first_wait: settings.first_wait,
            longest_wait: settings.longest_wait,
            in_all: settings.patience,
        }
    }

    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    pub(super) fn in_all(&self) -> Duration {
        self.in_all
    }

    /// After so many failed tries and so much waiting. What the source asks for is waited in
    /// full or not at all; otherwise anything up to a bound that doubles each time (full jitter).
    pub(super) fn after(
        &self,
        failed_tries: u32,
        waited: Duration,
        error: &ConnectorError,
        random: u64,
    ) -> After {
        if !error.kind.may_retry() || failed_tries >= self.tries {
            return After::GiveUp(None);
        }
        let left = self.in_all.saturating_sub(waited);
        if let Some(asked) = error.retry_after_ms.map(Duration::from_millis) {
            if asked > left {
                return After::GiveUp(Some(format!(
                    "the source asks to wait {} s, longer than the {} s that a read waits",
                    seconds(asked),
                    seconds(self.in_all)
                )));
            }
            return After::Wait(asked);
        }
        let doubled = 2u32.saturating_pow(failed_tries.saturating_sub(1));
        let bound = self
            .first_wait
            .saturating_mul(doubled)
            .min(self.longest_wait)
            .min(left);
        After::Wait(share(bound, random))
    }
}

/// A random share of a time, from nothing to all of it.
fn share(bound: Duration, random: u64) -> Duration {
    let nanos = (bound.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(nanos.try_into().unwrap_or(u64::MAX))
}

/// Seconds for people: whole ones, or tenths below ten.
pub(super) fn seconds(time: Duration) -> String {
    if time >= Duration::from_secs(10) || time.subsec_nanos() == 0 {
        time.as_secs().to_string()
    } else {
        format!("{:.1}", time.as_secs_f32())
    }
}

/// Whether the connection is given up after a failed try. A request that timed out may still
/// be answered on it; one that was refused once may have met a server in need of a moment.
pub(super) fn ends_connection(error: ErrorKind, failed_tries: u32) -> bool {
    match error {
        ErrorKind::TimedOut => true,
        ErrorKind::Unavailable => failed_tries >= 2,
        ErrorKind::RateLimited
        | ErrorKind::ConfigInvalid
        | ErrorKind::AuthRejected
        | ErrorKind::Forbidden
        | ErrorKind::TlsUntrusted
        | ErrorKind::Protocol
        | ErrorKind::NotUnderstood
        | ErrorKind::CursorLost
        | ErrorKind::Unsupported
        | ErrorKind::Cancelled
        | ErrorKind::Bug => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience() -> Patience {
        Patience::of(&SyncSettings {
            tries: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(3),
            patience: Duration::from_secs(60),
            ..SyncSettings::default()
        })
    }

    fn after(failed: u32, waited: u64, kind: ErrorKind, asked: Option<u64>, random: u64) -> After {
        let mut error = ConnectorError::new(kind, "s", "read", "busy");
        error.retry_after_ms = asked;
        patience().after(failed, Duration::from_secs(waited), &error, random)
    }

    #[test]
    fn bounds_double_and_the_wait_is_any_part_of_them() {
        let bounds: Vec<u128> = (1..6)
            .map(
                |n| match after(n, 0, ErrorKind::Unavailable, None, u64::MAX) {
                    After::Wait(time) => time.as_millis() + 1,
                    After::GiveUp(_) => 0,
                },
            )
            .collect();
        assert_eq!(bounds, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(
            after(3, 0, ErrorKind::Unavailable, None, 0),
            After::Wait(Duration::ZERO)
        );
        let half = after(1, 0, ErrorKind::TimedOut, None, u64::MAX / 2 + 1);
        assert_eq!(half, After::Wait(Duration::from_millis(250)));
    }

    #[test]
    fn what_the_source_asks_for_is_waited_in_full_or_not_at_all() {
        let limited = ErrorKind::RateLimited;
        assert_eq!(
            after(1, 0, limited, Some(59_000), 0),
            After::Wait(Duration::from_secs(59))
        );
        assert_eq!(
            after(1, 2, limited, Some(59_000), 0),
            After::GiveUp(Some(
                "the source asks to wait 59 s, longer than the 60 s that a read waits".to_owned()
            ))
        );
    }

    #[test]
    fn only_three_kinds_of_failure_are_tried_again_and_not_for_ever() {
        use ErrorKind::*;
        for kind in [
            ConfigInvalid,
            AuthRejected,
            Forbidden,
            TlsUntrusted,
            Protocol,
            NotUnderstood,
            CursorLost,
            Unsupported,
            Cancelled,
            Bug,
        ] {
            assert_eq!(
                after(1, 0, kind, Some(1), 0),
                After::GiveUp(None),
                "{kind:?}"
            );
        }
        assert_eq!(after(6, 0, Unavailable, None, 0), After::GiveUp(None));
    }

    #[test]
    fn a_seed_decides_the_jitter() {
        let roll = |seed| {
            let mut dice = Dice::new(Some(seed));
            [dice.roll(), dice.roll(), dice.roll()]
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
    }
}
