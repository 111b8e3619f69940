//! JSON texts, numbers and base64.

use crate::decimal::decimal_digits;

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Marks (in the top bit of each byte) bytes below 0x20, quotes and backslashes. The lowest mark is exact.
#[inline]
fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5C);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & TOPS
}

/// How many bytes at the start need no escape.
#[inline]
pub(crate) fn clean_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk::<8>() {
        let marks = special(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && bytes[at] >= 0x20 && bytes[at] != b'"' && bytes[at] != b'\\' {
        at += 1;
    }
    at
}

/// Appends the inside of a JSON string; NULs are left out and counted.
#[inline]
pub(crate) fn write_escaped(text: &str, out: &mut Vec<u8>) -> usize {
    let mut rest = text.as_bytes();
    let mut nuls = 0;
    loop {
        let clean = clean_prefix(rest);
        out.extend_from_slice(&rest[..clean]);
        let Some(&byte) = rest.get(clean) else {
            return nuls;
        };
        if byte == 0 {
            nuls += 1;
        } else {
            write_escape(byte, out);
        }
        rest = &rest[clean + 1..];
    }
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(if byte < 0x10 { b'0' } else { b'1' });
            return out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// As [`write_escaped`], for bytes; `None` when they are not UTF-8, with an unfinished text left in `out`.
#[inline]
pub(crate) fn write_escaped_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    // Most texts are short and plain ASCII: one pass that looks for everything else costs less than two.
    let mut at = 0;
    while let Some(word) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        if (special(word) | word) & TOPS != 0 {
            break;
        }
        at += 8;
    }
    while at < bytes.len() && (0x20..0x80).contains(&bytes[at]) && bytes[at] != b'"' && bytes[at] != b'\\' {
        at += 1;
    }
    out.extend_from_slice(&bytes[..at]);
    if at == bytes.len() {
        return Some(0);
    }
    // Everything so far was ASCII, so a character starts here.
    Some(write_escaped(std::str::from_utf8(&bytes[at..]).ok()?, out))
}

/// Appends a text as a JSON string with its quotes; NUL becomes `\u0000`, which `jsonb` would refuse.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for (part, piece) in text.split('\0').enumerate() {
        if part > 0 {
            out.extend_from_slice(b"\\u0000");
        }
        write_escaped(piece, out);
    }
    out.push(b'"');
}

pub(crate) fn write_integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(decimal_digits(u128::from(value.unsigned_abs()), &mut [0; 39]));
}

/// Appends base64 with padding (RFC 4648, section 4).
pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        let mut text = [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize]);
        text[chunk.len() + 1..].fill(b'=');
        out.extend_from_slice(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn write_string_escapes_at_every_position() {
        for (byte, expected) in
            [("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\u{1f}", "\\u001f"), ("\0", "\\u0000"), ("\u{8}", "\\b")]
        {
            for before in 0..20 {
                for after in 0..10 {
                    let text = format!("{}{byte}{}", "é".repeat(before), "x".repeat(after));
                    let wanted = format!("\"{}{expected}{}\"", "é".repeat(before), "x".repeat(after));
                    assert_eq!(escaped(&text), wanted);
                }
            }
        }
        assert_eq!(escaped("\u{7f}\u{10ffff}/"), "\"\u{7f}\u{10ffff}/\"");
    }

    #[test]
    fn write_escaped_bytes_equals_write_escaped_and_knows_bad_utf8() {
        for before in 0..20 {
            for middle in ["", "\n", "é", "\"", "é\\x"] {
                let text = format!("{}{middle}plain tail", "a".repeat(before));
                let (mut bytes, mut escaped) = (Vec::new(), Vec::new());
                assert_eq!(write_escaped_bytes(text.as_bytes(), &mut bytes), Some(0));
                write_escaped(&text, &mut escaped);
                assert_eq!(bytes, escaped);
                let bad = [text.as_bytes(), b"\xff"].concat();
                assert_eq!(write_escaped_bytes(&bad, &mut bytes), None);
            }
        }
    }

    #[test]
    fn write_escaped_leaves_out_and_counts_nuls() {
        let mut out = Vec::new();
        assert_eq!(write_escaped("\0a\0\0b", &mut out), 3);
        assert_eq!(out, b"ab");
    }

    #[test]
    fn write_base64_of_the_rfcs_examples() {
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = Vec::new();
            write_base64(bytes.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        write_base64(&[0xFF, 0xFE, 0xFD], &mut out);
        assert_eq!(out, b"//79");
    }

    #[test]
    fn write_integer_of_the_edges() {
        for value in [0, 1, -1, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_integer(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
