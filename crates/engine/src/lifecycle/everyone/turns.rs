//! Everyone in turns, by several threads.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many identities a thread takes at a time.
const TURN: u32 = 4_096;

/// What came of each turn, in order, and what each thread has in the end. None where `goes_on`, which
/// is asked before each turn, said no.
pub(super) fn in_turns<W, R, E>(
    count: u32,
    threads: NonZero<usize>,
    goes_on: &(dyn Fn() -> bool + Sync),
    begin: impl Fn() -> W + Sync,
    turn: impl Fn(&mut W, Range<u32>) -> R + Sync,
    end: impl Fn(W) -> E + Sync,
) -> Option<(Vec<R>, Vec<E>)>
where
    R: Send,
    E: Send,
{
    let next = AtomicU32::new(0);
    let done: Mutex<Vec<(u32, R)>> = Mutex::default();
    let ended: Mutex<Vec<E>> = Mutex::default();
    let work = || {
        let mut worker = begin();
        loop {
            let from = next.fetch_add(TURN, Ordering::Relaxed);
            if from >= count || !goes_on() {
                break;
            }
            let to = from.saturating_add(TURN).min(count);
            let result = turn(&mut worker, from..to);
            let mut done = done.lock().unwrap_or_else(|broken| broken.into_inner());
            done.push((from, result));
        }
        let end = end(worker);
        let mut ended = ended.lock().unwrap_or_else(|broken| broken.into_inner());
        ended.push(end);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(work);
        }
        work();
    });
    let mut turns = done
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    turns.sort_unstable_by_key(|(from, _)| *from);
    let all = count.div_ceil(TURN) as usize == turns.len();
    let ended = ended
        .into_inner()
        .unwrap_or_else(|broken| broken.into_inner());
    all.then(|| {
        let turns = turns.into_iter().map(|(_, turn)| turn);
        (turns.collect(), ended)
    })
}
