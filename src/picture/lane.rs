//! Bars with words, put into rows so that nothing lies on anything else; what finds no room is counted.

use super::font::{Type, fit, width};

/// From the end of a bar to the words beside it, and from its edge to words inside.
const GAP: f64 = 4.0;

/// Between neighbours in a row.
const APART: f64 = 3.0;

/// What wants a place: from `x1` to `x2`, with words.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub x1: f64,
    pub x2: f64,
    pub label: String,
    /// Whether words beside it stand before it rather than after.
    pub before: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Which of the wanted ones.
    pub of: usize,
    pub row: usize,
    pub label: String,
    /// Where the words begin.
    pub label_x: f64,
    pub inside: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packed {
    pub placed: Vec<Placed>,
    pub rows: usize,
    /// How many found no room.
    pub hidden: usize,
}

/// Puts bars into at most `rows` rows between `left` and `right`, those that come first in the list first. Words stand
/// in their bar, else after it, else before it, cut where they would not fit anywhere, and no wider than `widest`.
pub fn pack(wanted: &[Wanted], kind: Type, left: f64, right: f64, rows: usize, widest: f64) -> Packed {
    let mut taken: Vec<Vec<(f64, f64)>> = vec![Vec::new(); rows];
    let mut packed = Packed::default();
    for (of, bar) in wanted.iter().enumerate() {
        let homes = homes(bar, kind, left, right, widest);
        let free = |row: &[(f64, f64)], home: &Home| {
            row.iter().all(|(x1, x2)| home.x2 + APART <= *x1 || *x2 + APART <= home.x1)
        };
        let found = taken.iter_mut().enumerate().find_map(|(n, row)| {
            let home = homes.iter().find(|home| free(row, home))?;
            row.push((home.x1, home.x2));
            Some((n, home))
        });
        match found {
            Some((row, home)) => {
                packed.rows = packed.rows.max(row + 1);
                let label = home.label.clone();
                packed.placed.push(Placed { of, row, label, label_x: home.label_x, inside: home.inside });
            }
            None => packed.hidden += 1,
        }
    }
    packed
}

/// A bar with its words, and all the room that they take.
struct Home {
    x1: f64,
    x2: f64,
    label: String,
    label_x: f64,
    inside: bool,
}

/// The ways to set a bar with its words, the best first; where none holds all words, the roomiest holds some.
fn homes(bar: &Wanted, kind: Type, left: f64, right: f64, widest: f64) -> Vec<Home> {
    let (x1, x2) = (bar.x1.min(bar.x2), bar.x2.max(bar.x1));
    let label = fit(&bar.label, kind, widest);
    let wide = width(&label, kind);
    let rooms = [x2 - x1 - 2.0 * GAP, right - x2 - GAP, x1 - left - GAP];
    let order = if bar.before { [0, 2, 1] } else { [0, 1, 2] };
    let mut places: Vec<usize> = order.into_iter().filter(|place| wide <= rooms[*place]).collect();
    if places.is_empty() {
        places.push((1..3).fold(0, |best, next| if rooms[next] > rooms[best] { next } else { best }));
    }
    let home = |place: usize| {
        let label = fit(&label, kind, rooms[place]);
        let wide = width(&label, kind);
        match place {
            _ if label.is_empty() => Home { x1, x2, label, label_x: x1, inside: true },
            0 => Home { x1, x2, label, label_x: x1 + GAP, inside: true },
            1 => Home { x1, x2: x2 + GAP + wide, label, label_x: x2 + GAP, inside: false },
            _ => Home { x1: x1 - GAP - wide, x2, label, label_x: x1 - GAP - wide, inside: false },
        }
    };
    places.into_iter().map(home).collect()
}

/// Moves places apart until they are `gap` from each other, as little as may be, between `left` and `right`; in the
/// order they were given.
pub fn spread(wanted: &[f64], gap: f64, left: f64, right: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut out: Vec<f64> = wanted.iter().map(|x| x.clamp(left, right)).collect();
    for pair in order.windows(2) {
        out[pair[1]] = out[pair[1]].max(out[pair[0]] + gap);
    }
    let mut limit = right;
    for n in order.into_iter().rev() {
        out[n] = out[n].min(limit);
        limit = out[n] - gap;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: Type = Type::regular(11.0);

    fn bar(x1: f64, x2: f64, label: &str) -> Wanted {
        Wanted { x1, x2, label: label.to_owned(), before: false }
    }

    #[test]
    fn words_stand_where_there_is_room() {
        let bars = [bar(0.0, 100.0, "inside"), bar(10.0, 12.0, "after"), bar(296.0, 300.0, "before")];
        let packed = pack(&bars, KIND, 0.0, 300.0, 3, 200.0);
        assert_eq!(packed.placed.iter().map(|placed| placed.row).collect::<Vec<_>>(), [0, 1, 0]);
        assert!(packed.placed[0].inside && !packed.placed[1].inside);
        assert!(packed.placed[1].label_x > 12.0 && packed.placed[2].label_x < 296.0);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let bars: Vec<Wanted> = (0..10).map(|_| bar(0.0, 100.0, "the same time")).collect();
        let packed = pack(&bars, KIND, 0.0, 300.0, 3, 200.0);
        assert_eq!((packed.placed.len(), packed.rows, packed.hidden), (3, 3, 7));
    }

    proptest! {
        #[test]
        fn nothing_lies_on_anything_else(bars in prop::collection::vec((0.0..388.0, 0.0..200.0, "[a-z ]{0,40}"), 0..40)) {
            let wanted: Vec<Wanted> =
                bars.iter().map(|(x, w, label): &(f64, f64, String)| bar(*x, (x + w).min(388.0), label)).collect();
            let packed = pack(&wanted, KIND, 0.0, 388.0, 3, 180.0);
            prop_assert_eq!(packed.placed.len() + packed.hidden, wanted.len());
            let room = |placed: &Placed| {
                let bar = &wanted[placed.of];
                let end = placed.label_x + width(&placed.label, KIND);
                if placed.label.is_empty() { (bar.x1, bar.x2) } else { (bar.x1.min(placed.label_x), bar.x2.max(end)) }
            };
            for (n, one) in packed.placed.iter().enumerate() {
                prop_assert!(room(one).0 >= -0.01 && room(one).1 <= 388.01);
                for other in packed.placed.iter().skip(n + 1).filter(|other| other.row == one.row) {
                    let (a, b) = (room(one), room(other));
                    prop_assert!(a.1 <= b.0 || b.1 <= a.0, "{:?} {:?}", one, other);
                }
            }
        }

        #[test]
        fn marks_are_moved_apart(places in prop::collection::vec(0.0..388.0, 0..5)) {
            let mut out = spread(&places, 20.0, 0.0, 388.0);
            prop_assert!(out.iter().all(|x| (0.0..=388.0).contains(x)));
            out.sort_by(f64::total_cmp);
            prop_assert!(out.windows(2).all(|pair| pair[1] - pair[0] > 19.99));
        }
    }
}
