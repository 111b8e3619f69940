//! The checksum that a mongodump archive keeps of each collection: CRC-64 with the polynomial of ECMA-182, reflected,
//! all ones before and after (as `hash/crc64` of Go computes it with its table `ECMA`; CRC-64/XZ in the catalogues).

use crc::{Crc, Table, CRC_64_XZ};

const ALGORITHM: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

/// Returns the checksum of bytes whose first part has the checksum `before` and whose rest is `data`; 0 is the
/// checksum of nothing.
#[must_use]
pub fn continued(before: u64, data: &[u8]) -> u64 {
    // The crate takes a register as the polynomial is written, not reflected.
    let mut digest = ALGORITHM.digest_with_initial((!before).reverse_bits());
    digest.update(data);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_of_the_catalogue_s_check_string() {
        assert_eq!(continued(0, b"123456789"), 0x995d_c9bb_df19_39fa);
    }

    #[test]
    fn checksum_of_nothing_changes_nothing() {
        assert_eq!(continued(0, b""), 0);
        assert_eq!(continued(0x1234, b""), 0x1234);
    }

    #[test]
    fn checksum_does_not_depend_on_the_cut() {
        let data: Vec<u8> = (0..1000u32).map(|n| ((n * n) >> 3) as u8).collect();
        let whole = continued(0, &data);
        for cut in 0..=data.len() {
            assert_eq!(continued(continued(0, &data[..cut]), &data[cut..]), whole, "cut at {cut}");
        }
    }
}
