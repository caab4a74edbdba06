//! What never changes once it was written, kept after it was read: pipelines that wait ask about the same plans again and
//! again. Only what a look found is kept: what a deciding transaction finds may be its own, and never become true.

use std::collections::HashMap;
use std::hash::Hash as Key;
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::Revision;
use crate::ledger::{Hash, Place};
use crate::name::PlanId;

/// Characters of briefs as they are stored, at most; read, each takes some times as much.
const BRIEFS: usize = 32 << 20;
/// Hashes of the tree, at most.
const HASHES: usize = 1 << 16;

/// Briefs by plan and number, hashes of the tree by their place.
#[derive(Debug, Default)]
pub struct Kept {
    briefs: Shelf<(PlanId, i64), Arc<Revision>>,
    hashes: Shelf<Place, Hash>,
}

/// When it is full it is emptied: what is still wanted is read once more.
#[derive(Debug)]
struct Shelf<K, V>(Mutex<(HashMap<K, V>, usize)>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Shelf<K, V> {
        Shelf(Mutex::new((HashMap::new(), 0)))
    }
}

impl Kept {
    pub fn brief(&self, plan: &PlanId, number: i64) -> Option<Arc<Revision>> {
        self.briefs.get(&(plan.clone(), number))
    }

    /// `size`: of the brief as it is stored.
    pub fn keep_brief(&self, plan: &PlanId, revision: &Arc<Revision>, size: usize) {
        self.briefs.keep((plan.clone(), revision.number), revision.clone(), size, BRIEFS);
    }

    pub fn hash(&self, place: Place) -> Option<Hash> {
        self.hashes.get(&place)
    }

    pub fn keep_hashes(&self, hashes: &HashMap<Place, Hash>) {
        for (place, hash) in hashes {
            self.hashes.keep(*place, *hash, 1, HASHES);
        }
    }

    /// Forgets the tree, where it turns out not to be the one that is stored.
    pub fn forget_hashes(&self) {
        self.hashes.empty();
    }
}

impl<K: Key + Eq, V: Clone> Shelf<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).cloned()
    }

    fn keep(&self, key: K, value: V, size: usize, most: usize) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.1 + size > most && !shelf.0.contains_key(&key) {
            *shelf = (HashMap::new(), 0);
        }
        if shelf.0.insert(key, value).is_none() {
            shelf.1 += size;
        }
    }

    fn empty(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (HashMap::new(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Time};
    use crate::config::Settings;
    use crate::ledger::{SignedCheckpoint, Statement, evidence};
    use crate::plan::Plan;
    use crate::store::plan::PlanRow;

    #[tokio::test]
    async fn a_proof_never_rests_on_hashes_of_another_tree() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read("[people.ada]\n", "the test", folder.path().to_path_buf()).unwrap();
        let clock = Clock::beginning_at(Time::from_ms(1_800_000_000_000));
        let app = crate::cli::serve::build(settings, clock, folder.path().to_path_buf()).await.unwrap();
        let now = app.clock.now();
        let mut tx = app.store.begin(now).await.unwrap();
        let of = |n: i32| {
            let plan = Plan::bare("shop".into(), "production".into(), "ada".into(), now);
            PlanRow::unrecorded(Plan { id: PlanId::new(format!("shop-{n}")), ..plan })
        };
        let entries = (0..9).map(|n| Statement::new("gate.answered").by_system("gate").of(&of(n), None));
        tx.record_all(&app, entries.collect()).await.unwrap();
        tx.commit().await.unwrap();
        let plan = PlanId::from("shop-4");
        let prove = async || {
            let mut tx = app.store.look(now).await.unwrap();
            let (SignedCheckpoint { checkpoint, .. }, mut proven) =
                evidence(&mut tx, &app.signer, std::slice::from_ref(&plan)).await.unwrap();
            let proven = proven.remove(&plan).unwrap();
            proven.check(&checkpoint.origin.ledger, checkpoint.size, checkpoint.root).unwrap();
        };
        prove().await;
        let kept = app.store.kept.clone();
        let lies: HashMap<Place, Hash> =
            kept.hashes.0.lock().unwrap().0.keys().map(|place| (*place, Hash::of(b"another"))).collect();
        assert!(!lies.is_empty(), "hashes are kept");
        kept.keep_hashes(&lies);
        prove().await;
        prove().await;
        app.store.close().await;
    }

    #[test]
    fn a_full_shelf_is_emptied_and_goes_on() {
        let shelf = Shelf::default();
        for n in 0..6 {
            shelf.keep(n, n * n, 1, 3);
            shelf.keep(n, n * n, 1, 3);
            assert_eq!(shelf.get(&n), Some(n * n));
        }
        assert_eq!((shelf.get(&2), shelf.get(&3)), (None, Some(9)));
        shelf.empty();
        assert_eq!(shelf.get(&5), None);
    }
}
