//! Spreads numbers over the places of a table.

pub(super) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a number, so that each of its bits affects all bits of the result.
#[inline]
pub(super) fn mixed(number: u64) -> u64 {
    let product = u128::from(number) * 0xd6e8_feb8_6659_fd93;
    #[expect(clippy::cast_possible_truncation, reason = "the halves are folded")]
    let folded = (product >> 64) as u64 ^ product as u64;
    folded
}

/// Scales a number of 64 bits to a place below `len`.
#[inline]
pub(super) fn part_of(number: u64, len: usize) -> usize {
    let place = (u128::from(number) * len as u128) >> 64;
    #[expect(clippy::cast_possible_truncation, reason = "it is less than `len`")]
    let place = place as usize;
    place
}
