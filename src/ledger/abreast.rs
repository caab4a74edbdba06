//! Work on many pieces at once, on every core, taken up again in their order. A few pieces are under way at a time, so that
//! memory does not grow with their number.

use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;

/// Pieces that wait for each thread.
const AHEAD: usize = 2;

/// Takes pieces from `next`, does `work` on them on as many threads as there are cores, and hands the results to `take` in
/// the order of the pieces, until there are no more or `take` has what it wants.
pub(super) fn abreast<P: Send, D: Send, T>(
    mut next: impl FnMut() -> Option<P>,
    work: impl Fn(P) -> D + Sync,
    mut take: impl FnMut(D) -> ControlFlow<T>,
) -> Option<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads)
            .map(|_| {
                let (give, pieces) = sync_channel::<P>(AHEAD);
                let (done, results) = sync_channel::<D>(AHEAD);
                let work = &work;
                scope.spawn(move || {
                    for piece in pieces {
                        // Nobody takes it any more: what was wanted was found.
                        if done.send(work(piece)).is_err() {
                            break;
                        }
                    }
                });
                (give, results)
            })
            .collect();
        let (mut given, mut taken) = (0, 0);
        loop {
            while given - taken < threads * AHEAD {
                let Some(piece) = next() else { break };
                // A lane ends only by panicking; the scope hands that on.
                lanes[given % threads].0.send(piece).ok()?;
                given += 1;
            }
            if taken == given {
                return None;
            }
            let done = lanes[taken % threads].1.recv().ok()?;
            taken += 1;
            if let ControlFlow::Break(found) = take(done) {
                return Some(found);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_pieces_however_long_each_takes() {
        let mut pieces = 0..1_000u64;
        let mut seen = Vec::new();
        let work = |n: u64| (0..(n * 7919) % 5_000).fold(n, |n, _| std::hint::black_box(n));
        let end = abreast(
            || pieces.next(),
            work,
            |n| {
                seen.push(n);
                ControlFlow::<()>::Continue(())
            },
        );
        assert_eq!(end, None);
        assert!(seen.into_iter().eq(0..1_000));
    }

    #[test]
    fn it_ends_when_what_was_wanted_is_found() {
        let found =
            abreast(|| Some(1), |n| n, |n| if n == 1 { ControlFlow::Break(n) } else { ControlFlow::Continue(()) });
        assert_eq!(found, Some(1));
        let none = abreast(|| None::<u8>, |n| n, ControlFlow::Break);
        assert_eq!(none, None);
    }
}
