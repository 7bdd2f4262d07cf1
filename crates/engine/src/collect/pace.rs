//! When the next request may start: the source's own pace, and what a system still allows.

use super::patience::seconds;
use super::rules::Pace;
use lastkey_contract::Quota;
use std::time::Duration;
use tokio::time::Instant;

/// From so few requests left on, they are spread over the time until there are more.
const FEW: u64 = 10;

/// The pace of one sync.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    between: Option<Duration>,
    last: Option<Instant>,
    /// Requests left, and when they start anew.
    quota: Option<(u64, Instant)>,
}

/// A wait before a request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slow {
    pub wait: Duration,
    pub why: String,
}

impl Pacer {
    pub(super) fn new(pace: Option<Pace>) -> Self {
        Self {
            between: pace.map(|pace| pace.between),
            last: None,
            quota: None,
        }
    }

    /// What has to be waited before a request that wants to start now.
    pub(super) fn wait(&self, now: Instant) -> Option<Slow> {
        let pace = self.between.zip(self.last).and_then(|(between, last)| {
            let wait = (last + between).saturating_duration_since(now);
            (!wait.is_zero()).then(|| Slow {
                wait,
                why: format!("the source's pace is one request in {} s", seconds(between)),
            })
        });
        let quota = self.quota.and_then(|(remaining, resets)| {
            let left = resets.saturating_duration_since(now);
            let share = u32::try_from(remaining.saturating_add(1)).unwrap_or(u32::MAX);
            let wait = left / share;
            (remaining <= FEW && !wait.is_zero()).then(|| Slow {
                wait,
                why: format!(
                    "the source allows {remaining} more requests in the next {} s",
                    seconds(left)
                ),
            })
        });
        match (pace, quota) {
            (Some(pace), Some(quota)) if pace.wait > quota.wait => Some(pace),
            (_, Some(quota)) => Some(quota),
            (pace, None) => pace,
        }
    }

    /// A request starts.
    pub(super) fn started(&mut self, now: Instant) {
        self.last = Some(now);
        self.quota = self
            .quota
            .filter(|(_, resets)| *resets > now)
            .map(|(remaining, resets)| (remaining.saturating_sub(1), resets));
    }

    /// What the source said that it still allows.
    pub(super) fn heard(&mut self, quota: Option<Quota>, now: Instant) {
        if let Some(Quota {
            remaining,
            resets_in_ms,
        }) = quota
        {
            self.quota = now
                .checked_add(Duration::from_millis(resets_in_ms))
                .map(|resets| (remaining, resets));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(slow: Option<Slow>) -> u128 {
        slow.map_or(0, |slow| slow.wait.as_millis())
    }

    #[test]
    fn requests_keep_their_distance() {
        let now = Instant::now();
        let mut pacer = Pacer::new(Some(Pace {
            between: Duration::from_millis(200),
        }));
        assert_eq!(pacer.wait(now), None, "the first one starts at once");
        pacer.started(now);
        assert_eq!(millis(pacer.wait(now)), 200);
        assert_eq!(millis(pacer.wait(now + Duration::from_millis(150))), 50);
        assert_eq!(pacer.wait(now + Duration::from_millis(200)), None);
    }

    #[test]
    fn few_requests_left_are_spread_and_none_left_wait() {
        let now = Instant::now();
        let mut pacer = Pacer::new(None);
        let heard = |pacer: &mut Pacer, remaining, resets_in_ms| {
            let quota = Quota {
                remaining,
                resets_in_ms,
            };
            pacer.heard(Some(quota), now);
            millis(pacer.wait(now))
        };
        assert_eq!(heard(&mut pacer, 11, 60_000), 0);
        assert_eq!(heard(&mut pacer, 9, 60_000), 6_000);
        assert_eq!(heard(&mut pacer, 0, 60_000), 60_000);
        assert_eq!(pacer.wait(now + Duration::from_secs(60)), None);
        pacer.heard(None, now);
        assert_eq!(
            millis(pacer.wait(now)),
            60_000,
            "silence is not a new allowance"
        );
    }
}
