//! From a source id to its number V and back.

use std::fmt;

use super::speck::{SideBySide, Speck};
use super::text::{parse_hex_object_id, v_from_cuid2, v_from_uuid};
use crate::bson::{BsonError, Value};
use crate::canonical::write_canonical;

const PERMUTATION_CONTEXT: &str = "isthmus 2026-11 id permutation v1";
const TAG_CONTEXT: &str = "isthmus 2026-11 id tag v1";
const HASH_CONTEXT: &str = "isthmus 2026-11 id hash v1";

/// Of the 48 bits of a word, those that the tag leaves out: it has 25.
const UNUSED_TAG_BITS: u32 = 23;

const WORD: u64 = (1 << 48) - 1;
const HASHED: u128 = 1 << 121;

/// ObjectIds that are derived side by side at most.
const LANES: usize = 8;

/// A derived id, before it is written as UUID or cuid2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The id's 122 bits.
    pub v: u128,
    /// True when the id can be turned back into an ObjectId with the key alone.
    pub from_object_id: bool,
    /// True when the source value was the hex text of an ObjectId, not an ObjectId.
    pub hex_text: bool,
}

/// A few ObjectIds whose numbers were derived together, because side by side they cost hardly more than one.
#[derive(Debug, Default)]
pub struct Ahead {
    ids: [[u8; 12]; LANES],
    numbers: [u128; LANES],
    length: usize,
}

impl Ahead {
    /// Forgets all.
    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Adds an id whose number is not known yet; false when there is no room for it.
    #[inline]
    #[must_use]
    pub fn push(&mut self, id: [u8; 12]) -> bool {
        match self.ids.get_mut(self.length) {
            Some(place) => {
                *place = id;
                self.length += 1;
                true
            }
            None => false,
        }
    }

    /// V of an ObjectId, when it is among them.
    #[inline]
    #[must_use]
    pub fn get(&self, id: [u8; 12]) -> Option<u128> {
        self.ids[..self.length].iter().position(|known| *known == id).map(|at| self.numbers[at])
    }
}

/// The ids of one target, made from its 32-byte key. Cheap to share, immutable.
#[derive(Clone)]
pub struct IdCodec {
    permutation: Speck,
    tag: Speck,
    hash: [u8; 32],
    arch: pulp::Arch,
}

impl fmt::Debug for IdCodec {
    /// Shows nothing: everything in here is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdCodec(hidden)")
    }
}

fn subkey<const N: usize>(context: &str, key: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    blake3::Hasher::new_derive_key(context).update(key).finalize_xof().fill(&mut out);
    out
}

/// The two words of an ObjectId.
#[inline(always)]
fn split(id: [u8; 12]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = id;
    (u64::from_be_bytes([0, 0, a, b, c, d, e, f]), u64::from_be_bytes([0, 0, g, h, i, j, k, l]))
}

/// V: the head of the encrypted tag word, then both permuted words.
#[inline(always)]
fn number(tag: u64, x: u64, y: u64) -> u128 {
    u128::from(tag >> UNUSED_TAG_BITS) << 96 | u128::from(x) << 48 | u128::from(y)
}

impl IdCodec {
    /// Derives the three subkeys; `None` unless the key has 32 bytes.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        if key.len() != 32 {
            return None;
        }
        Some(Self {
            permutation: Speck::new(&subkey(PERMUTATION_CONTEXT, key)),
            tag: Speck::new(&subkey(TAG_CONTEXT, key)),
            hash: subkey(HASH_CONTEXT, key),
            arch: pulp::Arch::new(),
        })
    }

    /// V of an ObjectId; the same in every collection.
    #[must_use]
    #[inline]
    pub fn derive_object_id(&self, id: [u8; 12]) -> u128 {
        let (x, y) = split(id);
        let (tag, _) = self.tag.encrypt(x, y);
        let (x, y) = self.permutation.encrypt(x, y);
        number(tag, x, y)
    }

    /// Derives the numbers of the ids that were pushed; a single one is left to whoever needs it.
    pub fn derive_ahead(&self, ahead: &mut Ahead) {
        if ahead.length < 2 {
            ahead.length = 0;
            return;
        }
        // Half as many where the other half would stay empty.
        if ahead.length <= LANES / 2 {
            self.derive_lanes::<{ LANES / 2 }>(ahead);
        } else {
            self.derive_lanes::<LANES>(ahead);
        }
    }

    fn derive_lanes<const N: usize>(&self, ahead: &mut Ahead) {
        let words = ahead.ids.map(split);
        let x = std::array::from_fn::<_, N, _>(|lane| words[lane].0);
        let y = std::array::from_fn::<_, N, _>(|lane| words[lane].1);
        let both = SideBySide { keys: [&self.tag, &self.permutation], x, y };
        let [[tags, _], [x, y]] = self.arch.dispatch(both);
        for lane in 0..N {
            ahead.numbers[lane] = number(tags[lane], x[lane], y[lane]);
        }
    }

    /// V of any `_id` or reference value. A string of exactly 24 hex digits counts as that ObjectId.
    ///
    /// Which types may be an `_id` at all is the caller's decision: every value has a hash.
    ///
    /// # Errors
    /// Malformed or too deep documents inside the value.
    pub fn derive_value(&self, collection: &str, value: &Value<'_>) -> Result<Derived, BsonError> {
        match *value {
            Value::ObjectId(id) => {
                return Ok(Derived { v: self.derive_object_id(id), from_object_id: true, hex_text: false })
            }
            Value::String(text) | Value::Symbol(text) => {
                if let Some(id) = parse_hex_object_id(text) {
                    return Ok(Derived { v: self.derive_object_id(id), from_object_id: true, hex_text: true });
                }
            }
            _ => {}
        }
        let mut input = Vec::with_capacity(collection.len() + 64);
        input.extend_from_slice(collection.as_bytes());
        input.push(0);
        write_canonical(value, 1, &mut input)?;
        let digest = blake3::keyed_hash(&self.hash, &input);
        let mut head = [0; 16];
        head.copy_from_slice(&digest.as_bytes()[..16]);
        Ok(Derived { v: HASHED | (u128::from_be_bytes(head) & (HASHED - 1)), from_object_id: false, hex_text: false })
    }

    /// The ObjectId behind an id in UUID or cuid2 text form; `None` for hashed ids, foreign ids and other keys' ids.
    #[must_use]
    pub fn reverse(&self, text: &str) -> Option<[u8; 12]> {
        let v = match super::parse_uuid(text.as_bytes()) {
            Some(bytes) => v_from_uuid(bytes)?,
            None => v_from_cuid2(text.as_bytes())?,
        };
        self.reverse_v(v)
    }

    /// As [`IdCodec::reverse`], from the number.
    #[must_use]
    pub fn reverse_v(&self, v: u128) -> Option<[u8; 12]> {
        let (x, y) = self.permutation.decrypt((v >> 48) as u64 & WORD, v as u64 & WORD);
        if v >> 96 != u128::from(self.tag.encrypt(x, y).0 >> UNUSED_TAG_BITS) {
            return None;
        }
        let mut id = [0; 12];
        id[..6].copy_from_slice(&x.to_be_bytes()[2..]);
        id[6..].copy_from_slice(&y.to_be_bytes()[2..]);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cuid2, id_text, uuid_bytes, uuid_text, IdScheme};
    use super::*;

    fn codec() -> IdCodec {
        IdCodec::new(&std::array::from_fn::<u8, 32, _>(|at| at as u8)).unwrap()
    }

    #[test]
    fn new_with_a_key_of_another_length_gives_none() {
        assert!(IdCodec::new(&[0; 31]).is_none());
        assert!(IdCodec::new(&[0; 33]).is_none());
    }

    #[test]
    fn derive_object_id_then_reverse_gives_it_back_in_both_shapes() {
        let codec = codec();
        for seed in 0..500u32 {
            let mut id = [0; 12];
            id.copy_from_slice(&blake3::hash(&seed.to_le_bytes()).as_bytes()[..12]);
            let v = codec.derive_object_id(id);
            assert!(v < HASHED);
            for scheme in [IdScheme::Uuid, IdScheme::Cuid2] {
                assert_eq!(codec.reverse(&id_text(v, scheme)), Some(id));
            }
        }
        for id in [[0; 12], [0xFF; 12]] {
            assert_eq!(codec.reverse_v(codec.derive_object_id(id)), Some(id));
        }
    }

    #[test]
    fn derive_ahead_of_any_number_of_ids_equals_one_by_one() {
        let codec = codec();
        let ids: Vec<[u8; 12]> =
            (0..LANES as u8 + 2).map(|n| std::array::from_fn(|at| n.wrapping_mul(31).wrapping_add(at as u8))).collect();
        let mut ahead = Ahead::default();
        for count in 0..=ids.len() {
            ahead.clear();
            let pushed = ids[..count].iter().filter(|&&id| ahead.push(id)).count();
            assert_eq!(pushed, count.min(LANES));
            codec.derive_ahead(&mut ahead);
            for (at, &id) in ids.iter().enumerate() {
                let known = pushed > 1 && at < pushed;
                assert_eq!(ahead.get(id), known.then(|| codec.derive_object_id(id)), "{at} of {count}");
            }
        }
    }

    #[test]
    fn derive_hex_text_of_either_case_equals_its_object_id() {
        let codec = codec();
        let id = [0x5c, 0xa4, 0xbb, 0xc7, 0xa2, 0xdd, 0x94, 0xee, 0x58, 0x16, 0x23, 0x8c];
        let v = codec.derive_object_id(id);
        for text in ["5ca4bbc7a2dd94ee5816238c", "5CA4BBC7A2DD94EE5816238C"] {
            let derived = codec.derive_value("x", &Value::String(text.as_bytes())).unwrap();
            assert_eq!(derived, Derived { v, from_object_id: true, hex_text: true });
        }
        let derived = codec.derive_value("x", &Value::String(b"5ca4bbc7a2dd94ee5816238")).unwrap();
        assert!(!derived.from_object_id && derived.v & HASHED != 0);
    }

    #[test]
    fn derive_numbers_of_one_value_agree_and_texts_and_collections_differ() {
        let codec = codec();
        let v = |collection, value| codec.derive_value(collection, &value).unwrap().v;
        let five = v("a", Value::Int32(5));
        assert_eq!(five, v("a", Value::Int64(5)));
        assert_eq!(five, v("a", Value::Double(5.0)));
        assert_ne!(five, v("a", Value::String(b"5")));
        assert_ne!(five, v("b", Value::Int32(5)));
        assert_eq!(codec.reverse_v(five), None);
    }

    #[test]
    fn reverse_of_a_changed_or_foreign_id_gives_none() {
        let codec = codec();
        let v = codec.derive_object_id([7; 12]);
        assert_eq!(codec.reverse_v(v ^ 1), None);
        assert_eq!(codec.reverse_v(v ^ (1 << 100)), None);
        assert_eq!(IdCodec::new(&[9; 32]).unwrap().reverse_v(v), None);
        for text in ["", "hello", "00000000-0000-4000-8000-000000000000", "zzzzzzzzzzzzzzzzzzzzzzzz", "é"] {
            assert_eq!(codec.reverse(text), None);
        }
    }

    #[test]
    fn known_key_gives_stored_ids() {
        // Checked once against an independent implementation in Python.
        let codec = codec();
        let v = codec.derive_object_id(std::array::from_fn(|at| at as u8 * 16));
        assert_eq!(std::str::from_utf8(&uuid_text(uuid_bytes(v))).unwrap(), "7271c8be-9e85-8bd0-a291-0f16c854e5f8");
        assert_eq!(std::str::from_utf8(&cuid2(v)).unwrap(), "k59yz2amjud0n0c8xumfz7yr");
        let v = codec.derive_value("Tasks", &Value::String("né".as_bytes())).unwrap().v;
        assert_eq!(std::str::from_utf8(&uuid_text(uuid_bytes(v))).unwrap(), "c2c1ce15-4a4f-88e2-a69b-e20e74980f31");
    }
}
