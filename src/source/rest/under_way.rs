//! Requests that are under way: whoever asks the same meanwhile waits for the one answer.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::{Failed, Received};

/// A request is shared with those who come within this time. Later ones want to know what is so now, and who joins an old
/// request would see it time out before their own time is up.
const SHARED_FOR: Duration = Duration::from_secs(1);

type Cell = OnceCell<Arc<Received>>;

/// The requests of one reader.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<Vec<Request>>);

#[derive(Debug)]
struct Request {
    url: String,
    began: Instant,
    /// Lives as long as somebody waits.
    answer: Weak<Cell>,
}

impl UnderWay {
    /// The answer of the same request that is under way, or of `asking`. Where that one is given up or does not get through,
    /// the next who waits asks for itself: nobody else's failure is told as one's own.
    pub async fn or<F>(&self, url: &str, asking: F) -> Result<Arc<Received>, Failed>
    where
        F: Future<Output = Result<Arc<Received>, Failed>>,
    {
        let cell = self.cell(url, Instant::now());
        cell.get_or_try_init(|| asking).await.cloned()
    }

    fn cell(&self, url: &str, now: Instant) -> Arc<Cell> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An answer that is there is not asked for any more, even while somebody still holds it.
        let open = |request: &Request| request.answer.upgrade().filter(|cell| !cell.initialized());
        requests.retain(|request| open(request).is_some() && now.duration_since(request.began) < SHARED_FOR);
        if let Some(cell) = requests.iter().find(|request| request.url == url).and_then(open) {
            return cell;
        }
        let cell = Arc::<Cell>::default();
        requests.push(Request { url: url.to_owned(), began: now, answer: Arc::downgrade(&cell) });
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use tokio::sync::Notify;

    use super::super::says;
    use super::*;

    /// Answers when it is told to.
    struct Server {
        asked: AtomicUsize,
        gate: Notify,
        fails: bool,
    }

    impl Server {
        fn new(fails: bool) -> Server {
            Server { asked: AtomicUsize::new(0), gate: Notify::new(), fails }
        }

        async fn answer(&self) -> Result<Arc<Received>, Failed> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.gate.notified().await;
            if self.fails {
                return Err(says("refused the connection"));
            }
            Ok(Arc::new(Received { status: StatusCode::OK, headers: HeaderMap::new(), body: b"1".to_vec() }))
        }

        fn times(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        /// Lets the next question through.
        async fn open(&self) {
            self.gate.notify_one();
        }
    }

    #[tokio::test]
    async fn who_asks_the_same_meanwhile_waits_for_the_one_answer() {
        let (requests, server) = (UnderWay::default(), Server::new(false));
        let ask = |url| requests.or(url, server.answer());
        let (a, b, c, ()) = tokio::join!(biased; ask("/a"), ask("/a"), ask("/a"), server.open());
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(server.times(), 1);
        // It is over: who asks now asks anew. Another address is another question.
        let (a, b, (), ()) = tokio::join!(biased; ask("/a"), ask("/b"), server.open(), server.open());
        assert!(a.is_ok() && b.is_ok());
        assert_eq!(server.times(), 3);
    }

    #[tokio::test]
    async fn who_gives_up_or_fails_takes_nothing_from_others() {
        let (requests, server) = (UnderWay::default(), Server::new(false));
        let ask = || requests.or("/a", server.answer());
        let hasty = tokio::time::timeout(Duration::from_millis(10), ask());
        let open = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            server.open().await;
        };
        let (hasty, patient, ()) = tokio::join!(biased; hasty, ask(), open);
        assert!(hasty.is_err() && patient.is_ok());
        assert_eq!(server.times(), 2);

        let (requests, server) = (UnderWay::default(), Server::new(true));
        let ask = || requests.or("/a", server.answer());
        let open = async {
            server.open().await;
            tokio::task::yield_now().await;
            server.open().await;
        };
        let (a, b, ()) = tokio::join!(biased; ask(), ask(), open);
        assert!(a.is_err() && b.is_err());
        assert_eq!(server.times(), 2, "each learns it for itself");
    }

    #[test]
    fn a_request_that_has_been_under_way_for_long_is_not_joined() {
        let requests = UnderWay::default();
        let now = Instant::now();
        let first = requests.cell("/a", now);
        assert!(Arc::ptr_eq(&first, &requests.cell("/a", now + SHARED_FOR / 2)));
        assert!(!Arc::ptr_eq(&first, &requests.cell("/a", now + SHARED_FOR)));
        drop(first);
        requests.cell("/b", now + SHARED_FOR);
        assert_eq!(requests.0.lock().unwrap().len(), 1, "what nobody waits for is forgotten");
    }
}
