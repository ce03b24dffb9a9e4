//! [`Shard`]: what stands behind one lock of a guard, a table of tags for each slice of time.
//!
//! It refuses to grow, and to forget an entry of a slice that it still takes.

use alloc::boxed::Box;
use alloc::vec;
use core::num::NonZeroU64;

use super::GuardRefusal;

/// Stands for a key id and a digest. Never 0, so that 0 can stand for nothing.
pub(super) type Tag = NonZeroU64;

/// The tables of one shard. A slice has the table of its number modulo their count, so a newer
/// slice takes over from one that is that much older.
pub(super) struct Shard {
    heads: Box<[Head]>,
    /// The places of all tables, one table after the other.
    places: Box<[Option<Tag>]>,
    /// The most tags that a table is let have.
    tags_a_table: usize,
    /// The first slice that is not dropped; it only rises.
    low_water: u64,
}

/// Which slice has a table, and how many tags it has there.
#[derive(Clone, Copy)]
struct Head {
    slice: u64,
    tags: usize,
}

/// Where in a shard a tag belongs.
pub(super) struct Spot {
    tag: Tag,
    slice: u64,
    table: usize,
    /// The place in the table where looking for the tag begins.
    start: usize,
}

impl Spot {
    /// In a shard of so many tables, each of which is let have so many tags.
    pub(super) fn new(slice: u64, tag: Tag, tables: usize, tags_a_table: usize) -> Self {
        let table = usize::try_from(slice % tables as u64).unwrap_or(0);
        // As far into the table as the tag is into all numbers.
        let start = (u128::from(tag.get()) * places_for(tags_a_table) as u128) >> 64;
        Self { tag, slice, table, start: usize::try_from(start).unwrap_or(0) }
    }
}

impl Shard {
    pub(super) fn new(tables: usize, tags_a_table: usize) -> Self {
        Self {
            heads: vec![Head { slice: 0, tags: 0 }; tables].into(),
            places: vec![None; tables * places_for(tags_a_table)].into(),
            tags_a_table,
            low_water: 0,
        }
    }

    /// How much memory one takes.
    #[cfg(test)]
    pub(super) const fn bytes(tables: usize, tags_a_table: usize) -> usize {
        let table = size_of::<Head>() + places_for(tags_a_table) * size_of::<Option<Tag>>();
        size_of::<Self>() + tables * table
    }

    /// Inserts what is new and has room, once `count` has agreed.
    pub(super) fn insert(
        &mut self,
        spot: &Spot,
        count: impl FnOnce() -> Result<(), GuardRefusal>,
    ) -> Result<(), GuardRefusal> {
        if spot.slice < self.low_water {
            return Err(GuardRefusal::Forgotten);
        }
        let places_a_table = places_for(self.tags_a_table);
        let places = &mut self.places[spot.table * places_a_table..][..places_a_table];
        let tables = self.heads.len() as u64;
        let head = &mut self.heads[spot.table];
        if head.slice < spot.slice {
            self.low_water = self.low_water.max((spot.slice + 1).saturating_sub(tables));
            *head = Head { slice: spot.slice, tags: 0 };
            // All at once, which also brings the table near to the processor for what comes now.
            places.fill(None);
        }
        // From the start to the end, and round.
        let (front, back) = places.split_at_mut(spot.start);
        let mut places = back.iter_mut().chain(front);
        match places.find(|place| place.is_none_or(|known| known == spot.tag)) {
            Some(Some(_)) => Err(GuardRefusal::Replayed),
            Some(place) if head.tags < self.tags_a_table => {
                count()?;
                *place = Some(spot.tag);
                head.tags += 1;
                Ok(())
            }
            _ => Err(GuardRefusal::Full),
        }
    }
}

/// A quarter of a table stays empty, so that a tag is found after few places.
const fn places_for(tags: usize) -> usize {
    tags + tags / 3 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn insert(shard: &mut Shard, slice: u64, tag: u64) -> Result<(), GuardRefusal> {
        shard.insert(&spot(shard, slice, tag), || Ok(()))
    }

    fn spot(shard: &Shard, slice: u64, tag: u64) -> Spot {
        Spot::new(slice, Tag::new(tag).unwrap(), shard.heads.len(), shard.tags_a_table)
    }

    #[test]
    fn a_table_takes_what_it_is_let_have_wherever_tags_meet() {
        // All begin at the last place, and go round.
        let mut shard = Shard::new(3, 10);
        for tag in 0..10 {
            assert_eq!(insert(&mut shard, 7, u64::MAX - tag), Ok(()));
        }
        for tag in 0..10 {
            assert_eq!(insert(&mut shard, 7, u64::MAX - tag), Err(GuardRefusal::Replayed));
        }
        assert_eq!(insert(&mut shard, 7, 1), Err(GuardRefusal::Full));
    }

    #[test]
    fn a_newer_slice_takes_over_and_the_older_is_not_accepted_again() {
        let mut shard = Shard::new(3, 10);
        assert_eq!(insert(&mut shard, 7, 1), Ok(()));
        assert_eq!(insert(&mut shard, 9, 1), Ok(()));
        assert_eq!(insert(&mut shard, 7, 1), Err(GuardRefusal::Replayed));
        assert_eq!(insert(&mut shard, 10, 1), Ok(()));
        assert_eq!(insert(&mut shard, 7, 1), Err(GuardRefusal::Forgotten));
        assert_eq!(insert(&mut shard, 7, 2), Err(GuardRefusal::Forgotten));
    }

    #[test]
    fn what_is_not_counted_is_not_remembered() {
        let mut shard = Shard::new(3, 10);
        let refused = shard.insert(&spot(&shard, 7, 1), || Err(GuardRefusal::Full));
        assert_eq!(refused, Err(GuardRefusal::Full));
        assert_eq!(insert(&mut shard, 7, 1), Ok(()));
    }

    proptest! {
        #[test]
        fn a_table_knows_what_a_set_knows(
            tags in proptest::collection::vec(prop_oneof![1..40_u64, u64::MAX - 40..], 1..60),
        ) {
            let mut shard = Shard::new(1, 60);
            let mut known = BTreeSet::new();
            for tag in tags {
                prop_assert_eq!(insert(&mut shard, 5, tag).is_ok(), known.insert(tag));
            }
        }
    }
}
