use super::*;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn minutes(count: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(count)
}

/// All reads from a moment to another, each of which takes so long, in seconds since the event.
fn reads(from: i64, to: i64, took: i64, limits: &[TimeDelta]) -> Vec<(i64, i64)> {
    let mut all: Vec<(i64, i64)> = Vec::new();
    let mut last = None;
    let mut now = minutes(from);
    loop {
        let of = Watched {
            event: start(),
            limits,
            last,
        };
        let next = next_read(of, now).max(now);
        if next > minutes(to) {
            return all;
        }
        let ended = next + TimeDelta::seconds(took);
        all.push((
            (next - start()).num_seconds(),
            (ended - start()).num_seconds(),
        ));
        last = Some((next, ended));
        now = ended;
        assert!(all.len() < 10_000, "no end of reads");
    }
}

#[test]
fn reads_come_closer_towards_the_event_and_go_apart_after_it() {
    let all = reads(-24 * 60, 24 * 60, 5, &[]);
    let gaps: Vec<i64> = all.windows(2).map(|two| two[1].0 - two[0].0).collect();
    let at = all.iter().position(|one| one.0 > 0).unwrap();
    let (before, after) = (&gaps[..at - 1], &gaps[at..]);
    assert!(
        before.windows(2).all(|two| two[1] <= two[0].max(66)),
        "{before:?}"
    );
    assert!(
        after.windows(2).all(|two| two[1] + 1 >= two[0]),
        "{after:?}"
    );
    assert!(
        all[at].0 <= 66,
        "the first one after it comes at once: {}",
        all[at].0
    );
    assert!(
        gaps.iter().all(|gap| (60..=6 * 3600 + 5).contains(gap)),
        "{gaps:?}"
    );
}

#[test]
fn one_read_ends_before_each_limit_and_one_begins_right_after() {
    let limits = [15, 60, 24 * 60].map(TimeDelta::minutes);
    for took in [1, 5, 20] {
        let all = reads(0, 30 * 60, took, &limits);
        for limit in limits.map(|limit| limit.num_seconds()) {
            let before = all.iter().rfind(|(_, ended)| *ended <= limit);
            let after = all.iter().find(|(began, _)| *began > limit);
            let (before, after) = (before.unwrap().0, after.unwrap().0);
            assert!(
                limit - before <= 200,
                "{limit}: ends before at {before}, takes {took}"
            );
            assert!(
                after - limit <= 120,
                "{limit}: begins after at {after}, takes {took}"
            );
        }
    }
}

#[test]
fn a_slow_read_is_not_begun_again_at_once() {
    let all = reads(0, 24 * 60, 1_800, &[TimeDelta::hours(1)]);
    let gaps = all.windows(2).map(|two| two[1].0 - two[0].1);
    assert!(gaps.into_iter().all(|gap| gap >= 3_600), "{all:?}");
}

#[test]
fn nothing_was_read_yet_so_it_is_read_at_once() {
    let of = Watched {
        event: start(),
        limits: &[],
        last: None,
    };
    assert_eq!(next_read(of, minutes(-500)), minutes(-500));
}
