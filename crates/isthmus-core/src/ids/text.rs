//! The written shapes of an id: UUID version 8, cuid2, and the hex text of ObjectIds.

use super::IdScheme;

const LOW_62: u128 = (1 << 62) - 1;
const BASE_36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Twelve base-36 digits, the most that fit a `u64`.
const POWER_12: u128 = 36u128.pow(12);
const HEX: &[u8; 16] = b"0123456789abcdef";

/// UUID bytes of V: 48 bits, version 8, 12 bits, variant 10, 62 bits (RFC 9562, section 5.8).
#[must_use]
#[inline]
pub fn uuid_bytes(v: u128) -> [u8; 16] {
    let high = (v >> 74) & 0xFFFF_FFFF_FFFF;
    let middle = (v >> 62) & 0xFFF;
    (high << 80 | 0x8 << 76 | middle << 64 | 0b10 << 62 | v & LOW_62).to_be_bytes()
}

/// V of UUID bytes; `None` unless version 8 and variant 10.
#[must_use]
pub fn v_from_uuid(bytes: [u8; 16]) -> Option<u128> {
    let bits = u128::from_be_bytes(bytes);
    if (bits >> 76) & 0xF != 0x8 || (bits >> 62) & 0b11 != 0b10 {
        return None;
    }
    Some((bits >> 80) << 74 | ((bits >> 64) & 0xFFF) << 62 | bits & LOW_62)
}

/// V in the shape of a cuid2: a letter, then 23 digits of base 36, most significant first.
#[must_use]
pub fn cuid2(v: u128) -> [u8; 24] {
    let mut out = [b'0'; 24];
    out[0] = b'a' + (v % 26) as u8;
    let rest = v / 26;
    let mut low = (rest % POWER_12) as u64;
    let mut high = (rest / POWER_12) as u64;
    for slot in out[12..].iter_mut().rev() {
        *slot = BASE_36[(low % 36) as usize];
        low /= 36;
    }
    for slot in out[1..12].iter_mut().rev() {
        *slot = BASE_36[(high % 36) as usize];
        high /= 36;
    }
    out
}

/// V of a cuid2-shaped text (lower case); `None` for anything that [`cuid2`] does not write.
#[must_use]
pub fn v_from_cuid2(text: &[u8]) -> Option<u128> {
    let [letter, digits @ ..] = text else { return None };
    if digits.len() != 23 || !letter.is_ascii_lowercase() {
        return None;
    }
    let mut rest = 0u128;
    for &digit in digits {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            _ => return None,
        };
        rest = rest * 36 + u128::from(digit);
    }
    // 36^23 < 2^119, so neither line can overflow.
    let v = rest * 26 + u128::from(letter - b'a');
    (v < 1 << 122).then_some(v)
}

/// Bytes of a UUID in its 8-4-4-4-12 form, either case, any version.
#[must_use]
pub fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut at = 0;
    for slot in &mut out {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *slot = hex_digit(text[at])? << 4 | hex_digit(text[at + 1])?;
        at += 2;
    }
    Some(out)
}

/// The 8-4-4-4-12 form in lower case.
#[must_use]
pub fn uuid_text(bytes: [u8; 16]) -> [u8; 36] {
    let mut out = [b'-'; 36];
    let mut at = 0;
    for byte in bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        out[at] = HEX[usize::from(byte >> 4)];
        out[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out
}

/// The ObjectId written as exactly 24 hex digits of either case.
#[must_use]
#[inline]
pub fn parse_hex_object_id(text: &[u8]) -> Option<[u8; 12]> {
    if text.len() != 24 {
        return None;
    }
    let mut out = [0; 12];
    for (slot, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *slot = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(out)
}

/// 24 hex digits in lower case.
#[must_use]
pub fn object_id_hex(id: [u8; 12]) -> [u8; 24] {
    let mut out = [0; 24];
    for (pair, byte) in out.chunks_exact_mut(2).zip(id) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    out
}

/// V as the text of its scheme; `keep` has no derived ids and is written as a UUID.
#[must_use]
pub fn id_text(v: u128, scheme: IdScheme) -> String {
    match scheme {
        IdScheme::Uuid | IdScheme::Keep => ascii(&uuid_text(uuid_bytes(v))),
        IdScheme::Cuid2 => ascii(&cuid2(v)),
    }
}

/// The id that a text is already, as the target writes it: a text of the form of a scheme's ids that is no ObjectId
/// written out. Whether there is such a row is not asked here, nor whether the id was derived.
#[must_use]
pub fn standing_id(text: &[u8], scheme: IdScheme) -> Option<String> {
    match scheme {
        IdScheme::Uuid => parse_uuid(text).map(|bytes| ascii(&uuid_text(bytes))),
        IdScheme::Cuid2 => {
            let (first, rest) = text.split_first()?;
            let digit = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let formed = text.len() == 24 && first.is_ascii_lowercase() && rest.iter().all(digit);
            (formed && parse_hex_object_id(text).is_none()).then(|| ascii(text))
        }
        IdScheme::Keep => None,
    }
}

/// Never takes the fallback: ids are ASCII.
fn ascii(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_default()
}

#[inline]
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [u128; 7] = [0, 1, 25, 26, (1 << 121) - 1, 1 << 121, (1 << 122) - 1];

    #[test]
    fn uuid_of_edge_numbers_reads_back_and_has_version_and_variant() {
        for v in EDGES {
            let text = uuid_text(uuid_bytes(v));
            assert_eq!(text[14], b'8');
            assert!(b"89ab".contains(&text[19]));
            assert_eq!(v_from_uuid(parse_uuid(&text).unwrap()), Some(v));
            assert_eq!(parse_uuid(&text.to_ascii_uppercase()), Some(uuid_bytes(v)));
        }
        assert_eq!(&uuid_text(uuid_bytes(1 << 74)), b"00000000-0001-8000-8000-000000000000");
    }

    #[test]
    fn cuid2_of_edge_numbers_reads_back() {
        for v in EDGES {
            assert_eq!(v_from_cuid2(&cuid2(v)), Some(v));
        }
        assert_eq!(&cuid2(0), b"a00000000000000000000000");
        assert_eq!(&cuid2(27), b"b00000000000000000000001");
        assert_eq!(&cuid2(26 * 36), b"a00000000000000000000010");
    }

    #[test]
    fn texts_in_the_form_of_ids_stand_as_they_are() {
        // of few digits of base 36 a cuid2 may be all hex digits, and then it reads as an ObjectId
        for v in [25, (1 << 121) - 1, 1 << 121, (1 << 122) - 1] {
            for scheme in [IdScheme::Uuid, IdScheme::Cuid2] {
                let text = id_text(v, scheme);
                assert_eq!(standing_id(text.as_bytes(), scheme).as_deref(), Some(text.as_str()));
            }
        }
        let cuid2 = |text: &str| standing_id(text.as_bytes(), IdScheme::Cuid2);
        assert_eq!(cuid2("zzzzzzzzzzzzzzzzzzzzzzzz").as_deref(), Some("zzzzzzzzzzzzzzzzzzzzzzzz"));
        for text in [
            "",
            "a",
            "5ca4bbc7a2dd94ee5816238c",
            "aca4bbc7a2dd94ee5816238c",
            "1zzzzzzzzzzzzzzzzzzzzzzz",
            "zzzzzzzzzzzzzzzzzzzzzzzZ",
            "zzzzzzzzzzzzzzzzzzzzzzzzz",
            "zzzzzzzzzzz-zzzzzzzzzzzz",
        ] {
            assert_eq!(cuid2(text), None, "{text}");
        }
        let uuid = |text: &str| standing_id(text.as_bytes(), IdScheme::Uuid);
        assert_eq!(
            uuid("00000000-0000-4000-8000-0000000000AB").as_deref(),
            Some("00000000-0000-4000-8000-0000000000ab")
        );
        assert_eq!(uuid("zzzzzzzzzzzzzzzzzzzzzzzz"), None);
        assert_eq!(standing_id(b"zzzzzzzzzzzzzzzzzzzzzzzz", IdScheme::Keep), None);
    }

    #[test]
    fn parse_of_texts_that_are_no_id_gives_none() {
        for text in
            [&b""[..], b"a", b"A00000000000000000000000", b"z\xff0000000000000000000000", b"zzzzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert_eq!(v_from_cuid2(text), None);
            assert_eq!(parse_uuid(text), None);
        }
        for text in [
            "0000000000000000000000000000000000000",
            "00000000_0000-4000-8000-000000000000",
            "0000000000004-000-8000-000000000000",
        ] {
            assert_eq!(parse_uuid(text.as_bytes()), None);
        }
        assert_eq!(parse_hex_object_id(b"5ca4bbc7a2dd94ee5816238g"), None);
        let id = parse_hex_object_id(b"5ca4bbc7a2dd94ee5816238C").unwrap();
        assert_eq!(&object_id_hex(id), b"5ca4bbc7a2dd94ee5816238c");
    }
}
