//! A split-block Bloom filter: of each value eight bits, one in each word of one block of 64 bytes.
//!
//! Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2009; the split into words as
//! in Apache Parquet's filters.

const WORDS: usize = 8;
const BLOCK_BYTES: usize = WORDS * 8;
/// At the expected number of values this gives about one false hit in a thousand.
const BITS_A_VALUE: usize = 16;

#[derive(Debug)]
pub(super) struct Bloom {
    blocks: Vec<[u64; WORDS]>,
}

impl Bloom {
    /// A filter for so many values, in at most so many bytes.
    pub(super) fn new(expected: usize, bytes: usize) -> Self {
        let wanted = expected.saturating_mul(BITS_A_VALUE) / 8 / BLOCK_BYTES + 1;
        let blocks = wanted.min(bytes / BLOCK_BYTES).max(1);
        Self { blocks: vec![[0; WORDS]; blocks] }
    }

    /// The block of a hash, and the bit in each of its words.
    #[inline]
    fn place(&self, hash: u128) -> (usize, [u64; WORDS]) {
        let high = hash >> 64;
        let block = ((high * self.blocks.len() as u128) >> 64) as usize;
        let mut low = hash as u64;
        let bits = std::array::from_fn(|_| {
            let bit = 1 << (low & 63);
            low >>= 6;
            bit
        });
        (block, bits)
    }

    #[inline]
    pub(super) fn insert(&mut self, hash: u128) {
        let (block, bits) = self.place(hash);
        self.blocks[block].iter_mut().zip(bits).for_each(|(word, bit)| *word |= bit);
    }

    #[inline]
    pub(super) fn contains(&self, hash: u128) -> bool {
        let (block, bits) = self.place(hash);
        self.blocks[block].iter().zip(bits).all(|(word, bit)| word & bit != 0)
    }

    /// Takes over the values of a filter of the same size.
    pub(super) fn merge(&mut self, other: &Self) {
        for (block, theirs) in self.blocks.iter_mut().zip(&other.blocks) {
            block.iter_mut().zip(theirs).for_each(|(word, more)| *word |= more);
        }
    }

    /// The chance that a value which is not in finds all its bits set.
    pub(super) fn false_positives(&self) -> f64 {
        let chance =
            |block: &[u64; WORDS]| block.iter().map(|word| f64::from(word.count_ones()) / 64.0).product::<f64>();
        self.blocks.iter().map(chance).sum::<f64>() / self.blocks.len() as f64
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }
}
