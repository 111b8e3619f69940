//! Speck96/144: 48-bit words, three key words, 29 rounds.
//!
//! Beaulieu, Shors, Smith, Treatman-Clark, Weeks, Wingers: "The SIMON and SPECK Families of Lightweight Block
//! Ciphers" (2013), with rotations 8 and 3. Words live in the low 48 bits of a `u64`; the upper 16 bits may hold
//! rubbish inside a round, because only right shifts would carry it down and those are masked first.

const ROUNDS: usize = 29;
const MASK: u64 = (1 << 48) - 1;

#[inline(always)]
fn rotate_right_8(x: u64) -> u64 {
    ((x & MASK) >> 8) | (x << 40)
}

#[inline(always)]
fn rotate_left_3(y: u64) -> u64 {
    (y << 3) | ((y & MASK) >> 45)
}

/// One round. Shift and add in two halves: the sum of the upper half and y does not wait for the masked lower half.
#[inline(always)]
fn round(x: u64, y: u64, key: u64) -> (u64, u64) {
    let x = (x << 40).wrapping_add(y).wrapping_add((x & MASK) >> 8) ^ key;
    (x, rotate_left_3(y) ^ x)
}

/// One expanded key.
#[derive(Clone)]
pub(super) struct Speck {
    keys: [u64; ROUNDS],
}

impl Speck {
    /// The key bytes are three big-endian words; the last one is the first round's key.
    pub(super) fn new(key: &[u8; 18]) -> Self {
        let word = |at: usize| key[at..at + 6].iter().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        let (mut next, mut after, mut round_key) = (word(6), word(0), word(12));
        let mut keys = [0; ROUNDS];
        for (round, slot) in keys.iter_mut().enumerate() {
            *slot = round_key;
            let fresh = (round_key.wrapping_add(rotate_right_8(next)) ^ round as u64) & MASK;
            round_key = (rotate_left_3(round_key) ^ fresh) & MASK;
            (next, after) = (after, fresh);
        }
        Self { keys }
    }

    /// Both words must be below 2^48, and so are both results.
    #[inline]
    pub(super) fn encrypt(&self, mut x: u64, mut y: u64) -> (u64, u64) {
        for &key in &self.keys {
            (x, y) = round(x, y, key);
        }
        (x & MASK, y & MASK)
    }

    /// Undoes [`Speck::encrypt`].
    pub(super) fn decrypt(&self, mut x: u64, mut y: u64) -> (u64, u64) {
        for &key in self.keys.iter().rev() {
            let mixed = (y ^ x) & MASK;
            y = (mixed >> 3) | ((mixed << 45) & MASK);
            let difference = (x ^ key).wrapping_sub(y) & MASK;
            x = ((difference << 8) | (difference >> 40)) & MASK;
        }
        (x, y)
    }
}

/// `LANES` pairs of words under two keys at once. One pair is a chain of additions that wait for each other; side by
/// side they fill the processor's units, and inside [`pulp::Arch::dispatch`] the compiler puts them into the widest
/// vectors this machine has.
pub(super) struct SideBySide<'k, const LANES: usize> {
    pub(super) keys: [&'k Speck; 2],
    pub(super) x: [u64; LANES],
    pub(super) y: [u64; LANES],
}

impl<const LANES: usize> pulp::WithSimd for SideBySide<'_, LANES> {
    /// First and second words under the first key, then under the second.
    type Output = [[[u64; LANES]; 2]; 2];

    // Always: only inside its caller, which has the wider instructions switched on, is this compiled to use them.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        let [(mut x, mut y), (mut z, mut w)] = [(self.x, self.y); 2];
        for (&first, &second) in self.keys[0].keys.iter().zip(&self.keys[1].keys) {
            for lane in 0..LANES {
                (x[lane], y[lane]) = round(x[lane], y[lane], first);
                (z[lane], w[lane]) = round(z[lane], w[lane], second);
            }
        }
        [[x, y], [z, w]].map(|pair| pair.map(|words| words.map(|word| word & MASK)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector_key() -> [u8; 18] {
        std::array::from_fn(|at| {
            // 15 14 13 12 11 10, 0d 0c 0b 0a 09 08, 05 04 03 02 01 00
            let word = [0x10, 0x08, 0x00][at / 6];
            word + 5 - (at % 6) as u8
        })
    }

    #[test]
    fn encrypt_the_papers_vector_gives_its_cipher() {
        let speck = Speck::new(&vector_key());
        assert_eq!(speck.encrypt(0x656d_6974_206e, 0x6920_2c72_6576), (0x2bf3_1072_228a, 0x7ae4_4025_2ee6));
        assert_eq!(speck.decrypt(0x2bf3_1072_228a, 0x7ae4_4025_2ee6), (0x656d_6974_206e, 0x6920_2c72_6576));
    }

    #[test]
    fn side_by_side_equals_one_by_one_with_and_without_wide_vectors() {
        const LANES: usize = 5;
        let keys = [Speck::new(&[0x5C; 18]), Speck::new(&[0xC5; 18])];
        let x: [u64; LANES] = std::array::from_fn(|lane| (lane as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) & MASK);
        let y: [u64; LANES] = std::array::from_fn(|lane| MASK - lane as u64);
        let both = || SideBySide { keys: [&keys[0], &keys[1]], x, y };
        for found in [pulp::Arch::new().dispatch(both()), pulp::Arch::Scalar.dispatch(both())] {
            for (key, [first, second]) in keys.iter().zip(found) {
                for lane in 0..LANES {
                    assert_eq!((first[lane], second[lane]), key.encrypt(x[lane], y[lane]));
                }
            }
        }
    }

    #[test]
    fn decrypt_after_encrypt_gives_the_words_back() {
        let speck = Speck::new(&[0xA7; 18]);
        let mut state = 1u64;
        for _ in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (x, y) = (state >> 16, state.rotate_left(23) & MASK);
            let (a, b) = speck.encrypt(x, y);
            assert!(a <= MASK && b <= MASK);
            assert_eq!(speck.decrypt(a, b), (x, y));
        }
    }
}
