//! Digests of COPY binary rows, equal for rows that mean the same.
//!
//! Per column one byte (0 for NULL, 1 otherwise), then for values a big-endian u32 length and the canonical bytes;
//! the row's digest is the first 16 bytes of their blake3. Canonical are, by kind: `jsonb` with sorted keys, no
//! spaces, smallest escapes and folded numbers; `real` and `double` with one NaN (-0.0 stays apart from 0.0); for
//! everything else the bytes themselves. Row layout: "Binary Format" of COPY in the PostgreSQL manual.

use std::fmt;

use crate::canonical::write_exact;
use crate::json::text::write_escaped;

/// Bytes of one row's digest.
pub const DIGEST_BYTES: usize = 16;

/// JSON nests deeper than BSON: a document of 100 levels whose values are code with scope doubles, and wrappers add
/// up to three.
const MAX_JSON_DEPTH: usize = 256;

/// Rows that are not COPY binary, or a value that is not of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestError {
    /// Position of the row, from 0.
    pub row: usize,
    /// Position of the column, from 0; `None` when the row itself is malformed.
    pub column: Option<usize>,
    pub message: &'static str,
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{} (row {}, column {})", self.message, self.row, column),
            None => write!(f, "{} (row {})", self.message, self.row),
        }
    }
}

impl std::error::Error for DigestError {}

/// How a column's bytes become canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Jsonb,
    Real,
    Double,
    /// As they are.
    Bytes,
}

impl Kind {
    /// `jsonb`, `real` and `double`; every other name means bytes as they are.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "jsonb" => Kind::Jsonb,
            "real" => Kind::Real,
            "double" => Kind::Double,
            _ => Kind::Bytes,
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn take_fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take(rest, N)?.try_into().ok()
}

/// Digests rows of COPY binary without header and trailer: [`DIGEST_BYTES`] a row, in order.
///
/// # Errors
/// Rows that are cut off or have another number of columns, and values that are not of their kind.
pub fn digest_rows(data: &[u8], kinds: &[Kind]) -> Result<Vec<u8>, DigestError> {
    let mut digests = Vec::new();
    let mut row = 0;
    let mut rest = data;
    let mut buffer = Vec::new();
    while !rest.is_empty() {
        let failed = |column, message| DigestError { row, column, message };
        let count = take_fixed::<2>(&mut rest).ok_or_else(|| failed(None, "The row is cut off."))?;
        if usize::from(u16::from_be_bytes(count)) != kinds.len() {
            return Err(failed(None, "The row has another number of columns."));
        }
        buffer.clear();
        for (column, &kind) in kinds.iter().enumerate() {
            let failed = |message| failed(Some(column), message);
            let length = take_fixed::<4>(&mut rest).ok_or_else(|| failed("The row is cut off."))?;
            let length = i32::from_be_bytes(length);
            if length == -1 {
                buffer.push(0);
                continue;
            }
            let length = usize::try_from(length).map_err(|_| failed("A value has a negative length."))?;
            let value = take(&mut rest, length).ok_or_else(|| failed("The row is cut off."))?;
            write_value(value, kind, &mut buffer).map_err(failed)?;
        }
        digests.extend_from_slice(&blake3::hash(&buffer).as_bytes()[..DIGEST_BYTES]);
        row += 1;
    }
    Ok(digests)
}

fn write_value(value: &[u8], kind: Kind, out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.push(1);
    let slot = out.len();
    out.extend_from_slice(&[0; 4]);
    match kind {
        Kind::Bytes => out.extend_from_slice(value),
        Kind::Real => {
            let bits: [u8; 4] = value.try_into().map_err(|_| "A real has not 4 bytes.")?;
            let number = f32::from_be_bytes(bits);
            out.extend_from_slice(&if number.is_nan() { 0x7FC0_0000u32.to_be_bytes() } else { bits });
        }
        Kind::Double => {
            let bits: [u8; 8] = value.try_into().map_err(|_| "A double has not 8 bytes.")?;
            let number = f64::from_be_bytes(bits);
            out.extend_from_slice(&if number.is_nan() { 0x7FF8_0000_0000_0000u64.to_be_bytes() } else { bits });
        }
        Kind::Jsonb => {
            let [1, text @ ..] = value else {
                return Err("A jsonb value does not start with version 1.");
            };
            write_canonical_json(text, out)?;
        }
    }
    let length = u32::try_from(out.len() - slot - 4).map_err(|_| "A value is too long.")?;
    out[slot..slot + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Appends the canonical form of a JSON text: no spaces; keys sorted by their written bytes, of equal ones the last;
/// only quotes, backslashes and control characters escaped; numbers as digits without outer zeros, `e`, exponent
/// (`1.50` and `15e-1` are `15e-1`, every zero is `0e0`), however large.
///
/// # Errors
/// A sentence for text that is not JSON in UTF-8, or nests too deep.
pub fn write_canonical_json(text: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "A jsonb value is not UTF-8.")?;
    let mut reader = Reader { text, at: 0 };
    reader.value(1, out)?;
    reader.spaces();
    if reader.at < text.len() {
        return Err(NOT_JSON);
    }
    Ok(())
}

const NOT_JSON: &str = "A jsonb value is not JSON.";

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: u8) -> Result<(), &'static str> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(NOT_JSON)
        }
    }

    fn value(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if depth > MAX_JSON_DEPTH {
            return Err("A jsonb value nests too deep.");
        }
        self.spaces();
        match self.peek() {
            Some(b'{') => self.object(depth, out),
            Some(b'[') => self.array(depth, out),
            Some(b'"') => self.string(out),
            Some(b'-' | b'0'..=b'9') => self.number(out),
            _ => self.word(out),
        }
    }

    fn word(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        for word in ["true", "false", "null"] {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                out.extend_from_slice(word.as_bytes());
                return Ok(());
            }
        }
        Err(NOT_JSON)
    }

    fn array(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.at += 1;
        out.push(b'[');
        self.spaces();
        if !self.take(b']') {
            loop {
                self.value(depth + 1, out)?;
                self.spaces();
                if !self.take(b',') {
                    break;
                }
                out.push(b',');
            }
            self.expect(b']')?;
        }
        out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.at += 1;
        out.push(b'{');
        let start = out.len();
        let mut members: Vec<Member> = Vec::new();
        self.spaces();
        if !self.take(b'}') {
            loop {
                self.spaces();
                let key = out.len();
                if self.peek() != Some(b'"') {
                    return Err(NOT_JSON);
                }
                self.string(out)?;
                let key_end = out.len();
                self.spaces();
                self.expect(b':')?;
                out.push(b':');
                self.value(depth + 1, out)?;
                out.push(b',');
                members.push(Member { start: key - start, key_end: key_end - start, end: out.len() - start });
                self.spaces();
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}')?;
            sort_members(&mut members, start, out);
            out.pop();
        }
        out.push(b'}');
        Ok(())
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.at += 1;
        out.push(b'"');
        loop {
            let bytes = self.text.as_bytes();
            let run = self.at;
            while self.peek().is_some_and(|byte| byte != b'"' && byte != b'\\' && byte >= 0x20) {
                self.at += 1;
            }
            out.extend_from_slice(&bytes[run..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    out.push(b'"');
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    if character == '\0' {
                        out.extend_from_slice(b"\\u0000");
                    } else {
                        write_escaped(character.encode_utf8(&mut [0; 4]), out);
                    }
                }
                _ => return Err(NOT_JSON),
            }
        }
    }

    fn escape(&mut self) -> Result<char, &'static str> {
        let letter = self.peek().ok_or(NOT_JSON)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                let code = if (0xD800..0xDC00).contains(&high) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.hex()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(NOT_JSON);
                    }
                    0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    high
                };
                char::from_u32(code).ok_or(NOT_JSON)?
            }
            _ => return Err(NOT_JSON),
        })
    }

    fn hex(&mut self) -> Result<u32, &'static str> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(NOT_JSON)?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<std::ops::Range<usize>, &'static str> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(NOT_JSON);
        }
        Ok(start..self.at)
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let bytes = self.text.as_bytes();
        let negative = self.take(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && bytes[whole.start] == b'0' {
            return Err(NOT_JSON);
        }
        let fraction = if self.take(b'.') { self.digits()? } else { 0..0 };
        let mut exponent = 0i64;
        if self.take(b'e') || self.take(b'E') {
            let sign = if self.take(b'-') { -1 } else { 1 };
            if sign == 1 {
                self.take(b'+');
            }
            let digits = self.digits()?;
            // Beyond 10^12 nothing is a numeric any more; the bound keeps the sum from overflowing.
            exponent = bytes[digits]
                .iter()
                .fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000_000_000));
            exponent *= sign;
        }
        let exponent = exponent - fraction.len() as i64;
        if fraction.is_empty() {
            write_exact(negative, &bytes[whole], exponent, out);
        } else {
            write_exact(negative, &[&bytes[whole], &bytes[fraction]].concat(), exponent, out);
        }
        Ok(())
    }
}

/// One written member, its trailing comma included; positions count from the first member.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

impl Member {
    fn key<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        &body[self.start..self.key_end]
    }
}

/// Brings the members that lie from `start` on into the order of their keys, of equal keys the last.
fn sort_members(members: &mut [Member], start: usize, out: &mut Vec<u8>) {
    let body = &out[start..];
    let ascending = members.windows(2).all(|pair| pair[0].key(body) < pair[1].key(body));
    if ascending {
        return;
    }
    let body = body.to_vec();
    members.sort_by(|a, b| a.key(&body).cmp(b.key(&body)));
    out.truncate(start);
    for (at, member) in members.iter().enumerate() {
        let replaced = members.get(at + 1).is_some_and(|next| next.key(&body) == member.key(&body));
        if !replaced {
            out.extend_from_slice(&body[member.start..member.end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        write_canonical_json(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn row(fields: &[Option<&[u8]>]) -> Vec<u8> {
        let mut out = (fields.len() as u16).to_be_bytes().to_vec();
        for field in fields {
            match field {
                None => out.extend_from_slice(&(-1i32).to_be_bytes()),
                Some(bytes) => {
                    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
                    out.extend_from_slice(bytes);
                }
            }
        }
        out
    }

    fn digest(fields: &[Option<&[u8]>], kinds: &[Kind]) -> Vec<u8> {
        digest_rows(&row(fields), kinds).unwrap()
    }

    #[test]
    fn numbers_of_one_value_fold_and_others_do_not() {
        for text in ["1", "1.0", "1.00", "1e0", "10e-1", "0.1E+1", "100e-2", " 1 "] {
            assert_eq!(canonical(text), "1e0");
        }
        for text in ["0", "-0", "0.0", "-0.00e5", "0e99"] {
            assert_eq!(canonical(text), "0e0");
        }
        assert_eq!(canonical("-1500.2500"), "-150025e-2");
        assert_eq!(canonical("9007199254740993"), "9007199254740993e0");
        assert_eq!(canonical("1e6144"), "1e6144");
        assert_eq!(canonical("0.00001230"), "123e-7");
        assert_eq!(canonical("1e99999999999999999999"), "1e1000000000000");
    }

    #[test]
    fn keys_are_sorted_at_every_level_and_the_last_of_equal_ones_stays() {
        assert_eq!(canonical(r#"{"b": 1, "a": {"d": [], "c": {}}}"#), r#"{"a":{"c":{},"d":[]},"b":1e0}"#);
        assert_eq!(canonical(r#"{"a":1,"b":2}"#), r#"{"a":1e0,"b":2e0}"#);
        assert_eq!(canonical(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3e0,"b":2e0}"#);
        assert_eq!(canonical(r#"[{"b":1,"a":2},[true,false,null]]"#), r#"[{"a":2e0,"b":1e0},[true,false,null]]"#);
    }

    #[test]
    fn texts_have_one_form() {
        assert_eq!(canonical(r#""\u00e9\/\u0041\ud83d\ude00\t\u0009\u001f""#), "\"é/A😀\\t\\t\\u001f\"");
        assert_eq!(canonical(r#""\"\\\u0000""#), r#""\"\\\u0000""#);
    }

    #[test]
    fn texts_that_are_not_json_are_refused() {
        for text in [
            "",
            " ",
            "nul",
            "tru",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "1e+",
            "NaN",
            "[1,]",
            "[1 2]",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "[",
            "{",
            "\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\u12\"",
            "\"\n\"",
            "1 2",
            "]",
        ] {
            assert!(write_canonical_json(text.as_bytes(), &mut Vec::new()).is_err(), "{text}");
        }
        assert!(write_canonical_json(b"\"\xff\"", &mut Vec::new()).is_err());
        assert!(write_canonical_json("[".repeat(100_000).as_bytes(), &mut Vec::new()).is_err());
        assert!(
            write_canonical_json(format!("{}{}", "[".repeat(256), "]".repeat(256)).as_bytes(), &mut Vec::new()).is_ok()
        );
    }

    #[test]
    fn rows_that_mean_the_same_have_one_digest() {
        let kinds = [Kind::of("jsonb"), Kind::of("real"), Kind::of("double"), Kind::of("text")];
        let nan32 = [0xFF, 0xC0, 0, 1];
        let nan64 = f64::from_bits(0xFFF8_0000_0000_0001).to_be_bytes();
        let a = digest(&[Some(b"\x01{\"b\":1.0,\"a\":2}"), Some(&nan32), Some(&nan64), Some(b"x")], &kinds);
        let b = digest(
            &[
                Some(b"\x01{\"a\": 2, \"b\": 1}"),
                Some(&f32::NAN.to_be_bytes()),
                Some(&f64::NAN.to_be_bytes()),
                Some(b"x"),
            ],
            &kinds,
        );
        assert_eq!(a, b);
        assert_eq!(a.len(), 16);
    }

    #[test]
    fn rows_that_differ_have_other_digests() {
        let double = [Kind::Double];
        assert_ne!(digest(&[Some(&0.0f64.to_be_bytes())], &double), digest(&[Some(&(-0.0f64).to_be_bytes())], &double));
        let texts = [Kind::Bytes, Kind::Bytes];
        assert_ne!(digest(&[None, Some(b"")], &texts), digest(&[Some(b""), None], &texts));
        assert_ne!(digest(&[Some(b"ab"), Some(b"c")], &texts), digest(&[Some(b"a"), Some(b"bc")], &texts));
    }

    #[test]
    fn digest_is_the_blake3_of_the_stated_bytes() {
        let digests = digest(&[None, Some(b"ab"), Some(b"\x01[1.0]")], &[Kind::Bytes, Kind::Bytes, Kind::Jsonb]);
        let expected = blake3::hash(b"\x00\x01\0\0\0\x02ab\x01\0\0\0\x05[1e0]");
        assert_eq!(digests, expected.as_bytes()[..16]);
        let two = [row(&[Some(b"a")]), row(&[None])].concat();
        assert_eq!(digest_rows(&two, &[Kind::Bytes]).unwrap().len(), 32);
        assert_eq!(digest_rows(&[], &[Kind::Bytes]).unwrap(), Vec::<u8>::new());
    }

    #[test]
    fn malformed_rows_are_errors_at_every_cut() {
        let kinds = [Kind::Jsonb, Kind::Double];
        let whole = row(&[Some(b"\x01{\"a\":1}"), Some(&1f64.to_be_bytes())]);
        for end in 1..whole.len() {
            assert!(digest_rows(&whole[..end], &kinds).is_err(), "{end}");
        }
        assert_eq!(digest_rows(&whole, &kinds[..1]).unwrap_err().column, None);
        assert_eq!(digest_rows(&[0xFF, 0xFF], &kinds).unwrap_err().column, None);
        assert_eq!(digest_rows(&row(&[Some(b"\x02{}"), None]), &kinds).unwrap_err().column, Some(0));
        assert_eq!(digest_rows(&row(&[None, Some(b"1234")]), &kinds).unwrap_err().column, Some(1));
        assert!(digest_rows(&[0, 1, 0xFF, 0xFF, 0xFF, 0xFE], &[Kind::Bytes]).is_err());
    }
}
