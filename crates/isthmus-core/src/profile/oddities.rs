//! Keys that paths, drivers or PostgreSQL have trouble with.

/// Bytes of the longest name that PostgreSQL keeps.
const NAME_BYTES: usize = 63;

/// In what ways one key is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oddity(u8);

impl Oddity {
    pub(super) const NAMES: [&'static str; 5] = ["dot", "dollar", "empty", "long", "invalid_utf8"];
    const DOLLAR: u8 = 2;

    #[inline]
    pub(super) fn of(key: &[u8]) -> Self {
        let ways = [
            memchr::memchr(b'.', key).is_some(),
            key.first() == Some(&b'$'),
            key.is_empty(),
            key.len() > NAME_BYTES,
            !key.is_ascii() && std::str::from_utf8(key).is_err(),
        ];
        Self(ways.iter().enumerate().fold(0, |odd, (at, way)| odd | u8::from(*way) << at))
    }

    /// The same without `dollar`: the keys of a DBRef are what they must be.
    pub(super) fn without_dollar(self) -> Self {
        Self(self.0 & !Self::DOLLAR)
    }

    fn has(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }
}

/// How often keys are odd, in the order of [`Oddity::NAMES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Odds(pub(super) [u64; Oddity::NAMES.len()]);

impl Odds {
    #[inline]
    pub(super) fn add(&mut self, oddity: Oddity, times: u64) {
        if oddity.0 > 0 {
            for (at, count) in self.0.iter_mut().enumerate() {
                *count += if oddity.has(at) { times } else { 0 };
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_being_odd() {
        let long = [b'k'; 64];
        let mut odds = Odds::default();
        for key in [&b"plain"[..], b"a.b", b"$set", b"$a.b", b"", b"k\xff", &long, &long[..63], "é".as_bytes()] {
            odds.add(Oddity::of(key), 1);
        }
        odds.add(Oddity::of(b"$ref").without_dollar(), 5);
        assert_eq!(odds.0, [2, 2, 1, 1, 1]);
        let mut both = odds;
        both.merge(&odds);
        assert_eq!(both.0, [4, 4, 2, 2, 2]);
    }
}
