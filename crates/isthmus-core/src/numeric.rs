//! PostgreSQL's binary `numeric`: sign, weight, display scale and digits of base 10,000.
//!
//! Layout and limits: `numeric_recv` in `src/backend/utils/adt/numeric.c`. Everything here appends one field's
//! payload without its length prefix, and appends nothing unless the outcome is `Exact` or `Rounded`.

use crate::decimal::{decimal_digits, Shortest};
use crate::number_text::NumberText;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Digits that `numeric` holds before and after its point.
const MAX_WHOLE_DIGITS: i64 = 131_072;
const MAX_SCALE: i64 = 16_383;

/// The `(precision, scale)` of a numeric column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typmod {
    pub precision: u16,
    pub scale: u16,
}

/// What to do with digits beyond the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Refuse,
    HalfEven,
}

/// How a value fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Written, nothing lost.
    Exact,
    /// Written after rounding half to even.
    Rounded,
    /// Not written: it has more digits after the point than the scale allows.
    ScaleLost,
    /// Not written: it has more digits before the point than the precision (or PostgreSQL) allows.
    Overflow,
}

fn write_head(groups: u16, weight: i16, sign: u16, scale: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&groups.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
}

/// Writes NaN, which every numeric column takes.
pub fn write_nan(out: &mut Vec<u8>) {
    write_head(0, 0, NAN, 0, out);
}

/// Writes an infinity (since PostgreSQL 14); with a typmod it is an overflow.
pub fn write_infinity(negative: bool, typmod: Option<Typmod>, out: &mut Vec<u8>) -> Outcome {
    if typmod.is_some() {
        return Outcome::Overflow;
    }
    write_head(0, 0, if negative { NEGATIVE_INFINITY } else { INFINITY }, 0, out);
    Outcome::Exact
}

/// Writes an integer.
pub fn write_i64(value: i64, typmod: Option<Typmod>, out: &mut Vec<u8>) -> Outcome {
    let magnitude = value.unsigned_abs();
    if let Some(Typmod { precision, scale }) = typmod {
        let whole = i64::from(precision) - i64::from(scale);
        let limit = u32::try_from(whole).map_or(Some(1), |digits| 10u64.checked_pow(digits));
        if limit.is_some_and(|limit| magnitude >= limit) {
            return Outcome::Overflow;
        }
    }
    let mut groups = [0u16; 5];
    let mut used = 0;
    let mut rest = magnitude;
    while rest > 0 {
        groups[used] = (rest % 10_000) as u16;
        rest /= 10_000;
        used += 1;
    }
    let zeros = groups[..used].iter().take_while(|&&group| group == 0).count();
    let weight = used.saturating_sub(1) as i16;
    let sign = if value < 0 { NEGATIVE } else { 0 };
    write_head((used - zeros) as u16, weight, sign, typmod.map_or(0, |typmod| typmod.scale), out);
    for group in groups[zeros..used].iter().rev() {
        out.extend_from_slice(&group.to_be_bytes());
    }
    Outcome::Exact
}

/// Writes coefficient x 10^exponent. Without a typmod trailing zeros stay: the display scale is `max(0, -exponent)`.
pub fn write_decimal(
    negative: bool,
    coefficient: u128,
    exponent: i32,
    typmod: Option<Typmod>,
    rounding: Rounding,
    out: &mut Vec<u8>,
) -> Outcome {
    let mut buffer = [0; 39];
    write_digits(negative, decimal_digits(coefficient, &mut buffer), i64::from(exponent), typmod, rounding, out)
}

/// Writes a double through the shortest digits that read back as it; NaN and infinities as their own words.
pub fn write_f64(value: f64, typmod: Option<Typmod>, rounding: Rounding, out: &mut Vec<u8>) -> Outcome {
    if value.is_nan() {
        write_nan(out);
        return Outcome::Exact;
    }
    if value.is_infinite() {
        return write_infinity(value < 0.0, typmod, out);
    }
    let shortest = Shortest::of(value);
    let digits = shortest.digits();
    let exponent = i64::from(shortest.point) - digits.len() as i64;
    write_digits(shortest.negative, digits, exponent, typmod, rounding, out)
}

/// Writes a number in [`NumberText`]'s grammar. `None` for any other text.
pub fn write_text(text: &[u8], typmod: Option<Typmod>, rounding: Rounding, out: &mut Vec<u8>) -> Option<Outcome> {
    Some(match NumberText::read(text)? {
        NumberText::NaN => {
            write_nan(out);
            Outcome::Exact
        }
        NumberText::Infinity { negative } => write_infinity(negative, typmod, out),
        NumberText::Finite { negative, whole, fraction, exponent } => {
            let exponent = exponent - fraction.len() as i64;
            write_digits(negative, &[whole, fraction].concat(), exponent, typmod, rounding, out)
        }
    })
}

/// Adds one to the last digit; true when the carry went out at the front, leaving only zeros.
fn increment(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    true
}

fn write_digits(
    negative: bool,
    digits: &[u8],
    exponent: i64,
    typmod: Option<Typmod>,
    rounding: Rounding,
    out: &mut Vec<u8>,
) -> Outcome {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[zeros..];
    let scale = match typmod {
        Some(typmod) => i64::from(typmod.scale),
        None => (-exponent).clamp(0, MAX_SCALE),
    };
    if digits.is_empty() {
        write_head(0, 0, 0, scale as u16, out);
        return Outcome::Exact;
    }
    let mut outcome = Outcome::Exact;
    let mut rounded;
    let mut kept = digits;
    // The value is 0.d1d2d3… x 10^point.
    let mut point = digits.len() as i64 + exponent;
    let dropped = -exponent - scale;
    if dropped > 0 {
        let keep = usize::try_from(digits.len() as i64 - dropped).unwrap_or(0);
        let all_dropped = dropped > digits.len() as i64;
        let tail = &digits[keep..];
        kept = &digits[..keep];
        if tail.iter().any(|&digit| digit != b'0') {
            if rounding == Rounding::Refuse {
                return Outcome::ScaleLost;
            }
            outcome = Outcome::Rounded;
            let odd = kept.last().is_some_and(|digit| digit % 2 == 1);
            let beyond_half = tail[1..].iter().any(|&digit| digit != b'0');
            let up = !all_dropped && (tail[0] > b'5' || (tail[0] == b'5' && (beyond_half || odd)));
            if up {
                rounded = kept.to_vec();
                if increment(&mut rounded) {
                    rounded.insert(0, b'1');
                    point += 1;
                }
                kept = &rounded;
            }
        }
    }
    if kept.is_empty() {
        write_head(0, 0, 0, scale as u16, out);
        return outcome;
    }
    let whole_limit = typmod.map_or(MAX_WHOLE_DIGITS, |typmod| i64::from(typmod.precision) - scale);
    if point > whole_limit {
        return Outcome::Overflow;
    }
    write_groups(negative, kept, point, scale as u16, out);
    outcome
}

/// Writes 0.d1d2d3… x 10^point with d1 not zero, in groups of four digits that the point divides.
fn write_groups(negative: bool, digits: &[u8], point: i64, scale: u16, out: &mut Vec<u8>) {
    let last = digits.iter().rposition(|&digit| digit != b'0').unwrap_or(0);
    let digits = &digits[..=last];
    let weight = (point - 1).div_euclid(4);
    let pad = ((weight + 1) * 4 - point) as usize;
    let groups = (pad + digits.len()).div_ceil(4);
    write_head(groups as u16, weight as i16, if negative { NEGATIVE } else { 0 }, scale, out);
    // The first group is filled with zeros on its left, the last one on its right.
    let mut group = [b'0'; 4];
    let first = digits.len().min(4 - pad);
    group[pad..pad + first].copy_from_slice(&digits[..first]);
    write_group(group, out);
    for chunk in digits[first..].chunks(4) {
        group = [b'0'; 4];
        group[..chunk.len()].copy_from_slice(chunk);
        write_group(group, out);
    }
}

fn write_group(digits: [u8; 4], out: &mut Vec<u8>) {
    let value = digits.iter().fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    out.extend_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a payload back as PostgreSQL prints it.
    fn shown(payload: &[u8]) -> String {
        let words: Vec<u16> = payload.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let (weight, sign, scale) = (words[1] as i16, words[2], usize::from(words[3]));
        match sign {
            NAN => return "NaN".into(),
            INFINITY => return "Infinity".into(),
            NEGATIVE_INFINITY => return "-Infinity".into(),
            _ => {}
        }
        let groups = &words[4..];
        assert_eq!(usize::from(words[0]), groups.len());
        assert!(groups.first() != Some(&0) && groups.last() != Some(&0));
        let group = |at: i32| {
            let index = i32::from(weight) - at;
            usize::try_from(index).ok().and_then(|index| groups.get(index)).copied().unwrap_or(0)
        };
        let whole: String = (0..=i32::from(weight).max(0)).rev().map(|at| format!("{:04}", group(at))).collect();
        let whole = whole.trim_start_matches('0');
        let mut fraction: String = (1..=scale.div_ceil(4) as i32).map(|at| format!("{:04}", group(-at))).collect();
        fraction.truncate(scale);
        let text = format!(
            "{}{}",
            if whole.is_empty() { "0" } else { whole },
            if scale > 0 { format!(".{fraction}") } else { String::new() }
        );
        if sign == NEGATIVE {
            format!("-{text}")
        } else {
            text
        }
    }

    fn typmod(precision: u16, scale: u16) -> Option<Typmod> {
        Some(Typmod { precision, scale })
    }

    fn decimal(coefficient: u128, exponent: i32, typmod: Option<Typmod>, rounding: Rounding) -> (Outcome, String) {
        let mut out = Vec::new();
        let outcome = write_decimal(false, coefficient, exponent, typmod, rounding, &mut out);
        let text = if out.is_empty() { String::new() } else { shown(&out) };
        (outcome, text)
    }

    #[test]
    fn integers_of_every_size() {
        for value in [0, 1, -1, 9999, 10_000, -10_001, 100_000_000, 123_456_789_012_345, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            assert_eq!(write_i64(value, None, &mut out), Outcome::Exact);
            assert_eq!(shown(&out), value.to_string());
            let mut general = Vec::new();
            write_decimal(value < 0, u128::from(value.unsigned_abs()), 0, None, Rounding::Refuse, &mut general);
            assert_eq!(out, general);
        }
        let mut out = Vec::new();
        assert_eq!(write_i64(999, typmod(5, 2), &mut out), Outcome::Exact);
        assert_eq!(shown(&out), "999.00");
        assert_eq!(write_i64(1000, typmod(5, 2), &mut Vec::new()), Outcome::Overflow);
        assert_eq!(write_i64(0, typmod(2, 2), &mut Vec::new()), Outcome::Exact);
        assert_eq!(write_i64(1, typmod(2, 2), &mut Vec::new()), Outcome::Overflow);
        assert_eq!(write_i64(i64::MIN, typmod(1000, 0), &mut Vec::new()), Outcome::Exact);
    }

    #[test]
    fn bytes_of_known_values() {
        let mut out = Vec::new();
        write_decimal(true, 12_345_678, -3, None, Rounding::Refuse, &mut out);
        assert_eq!(out, [0, 3, 0, 1, 0x40, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1A, 0x7C]);
        out.clear();
        write_decimal(true, 0, -2, None, Rounding::Refuse, &mut out);
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn unconstrained_keeps_trailing_zeros_and_expands_exponents() {
        let exact = |coefficient, exponent| decimal(coefficient, exponent, None, Rounding::Refuse).1;
        assert_eq!(exact(1230, -2), "12.30");
        assert_eq!(exact(1, 3), "1000");
        assert_eq!(exact(0, -3), "0.000");
        assert_eq!(exact(1, -7), "0.0000001");
        assert_eq!(exact(12_345, -4), "1.2345");
        assert_eq!(exact(10u128.pow(34) - 1, 2), "999999999999999999999999999999999900");
        assert_eq!(exact(1, 6111).len(), 6112);
        assert_eq!(exact(1, -6176).len(), 6178);
    }

    #[test]
    fn typmod_refuses_or_rounds_half_to_even() {
        let refuse = |coefficient, exponent, p, s| decimal(coefficient, exponent, typmod(p, s), Rounding::Refuse);
        let round = |coefficient, exponent, p, s| decimal(coefficient, exponent, typmod(p, s), Rounding::HalfEven);
        assert_eq!(refuse(1230, -3, 10, 2), (Outcome::Exact, "1.23".into()));
        assert_eq!(refuse(15, -1, 10, 2), (Outcome::Exact, "1.50".into()));
        assert_eq!(refuse(1235, -3, 10, 2), (Outcome::ScaleLost, String::new()));
        assert_eq!(round(1235, -3, 10, 2), (Outcome::Rounded, "1.24".into()));
        assert_eq!(round(1225, -3, 10, 2), (Outcome::Rounded, "1.22".into()));
        assert_eq!(round(12_251, -4, 10, 2), (Outcome::Rounded, "1.23".into()));
        assert_eq!(round(9_995, -3, 3, 2), (Outcome::Overflow, String::new()));
        assert_eq!(round(9_995, -3, 4, 2), (Outcome::Rounded, "10.00".into()));
        assert_eq!(round(5, -3, 4, 2), (Outcome::Rounded, "0.00".into()));
        assert_eq!(round(6, -3, 4, 2), (Outcome::Rounded, "0.01".into()));
        assert_eq!(round(51, -4, 4, 2), (Outcome::Rounded, "0.01".into()));
        assert_eq!(round(9, -4, 4, 2), (Outcome::Rounded, "0.00".into()));
        assert_eq!(round(9, -400, 4, 2), (Outcome::Rounded, "0.00".into()));
        assert_eq!(refuse(12_345, 0, 4, 0), (Outcome::Overflow, String::new()));
        assert_eq!(refuse(1, 4, 4, 0), (Outcome::Overflow, String::new()));
        assert_eq!(refuse(1234, -6, 2, 4), (Outcome::ScaleLost, String::new()));
        assert_eq!(refuse(12, -4, 2, 4), (Outcome::Exact, "0.0012".into()));
        assert_eq!(refuse(123, -4, 2, 4), (Outcome::Overflow, String::new()));
    }

    #[test]
    fn doubles_go_through_their_shortest_digits() {
        let double = |value, typmod| {
            let mut out = Vec::new();
            (
                write_f64(value, typmod, Rounding::Refuse, &mut out),
                if out.is_empty() { String::new() } else { shown(&out) },
            )
        };
        assert_eq!(double(0.1, None).1, "0.1");
        assert_eq!(double(-5.0, None).1, "-5");
        assert_eq!(double(-0.0, None).1, "0");
        assert_eq!(double(1e22, None).1, "10000000000000000000000");
        assert_eq!(double(1.25e-5, None).1, "0.0000125");
        assert_eq!(double(5e-324, None).1.len(), 326);
        assert_eq!(double(f64::MAX, None).1.len(), 309);
        assert_eq!(double(2.5, typmod(5, 1)), (Outcome::Exact, "2.5".into()));
        assert_eq!(double(2.55, typmod(5, 1)).0, Outcome::ScaleLost);
        assert_eq!(double(f64::NAN, typmod(5, 1)).1, "NaN");
        assert_eq!(double(f64::INFINITY, None).1, "Infinity");
        assert_eq!(double(f64::NEG_INFINITY, None).1, "-Infinity");
        assert_eq!(double(f64::INFINITY, typmod(5, 1)).0, Outcome::Overflow);
    }

    #[test]
    fn texts_that_are_numbers_and_texts_that_are_not() {
        let text = |text: &str| {
            let mut out = Vec::new();
            write_text(text.as_bytes(), None, Rounding::Refuse, &mut out)
                .map(|outcome| (outcome, if out.is_empty() { String::new() } else { shown(&out) }))
        };
        assert_eq!(text("+12.30"), Some((Outcome::Exact, "12.30".into())));
        assert_eq!(text("-.5e1"), Some((Outcome::Exact, "-5".into())));
        assert_eq!(text("5."), Some((Outcome::Exact, "5".into())));
        assert_eq!(text("00012e-4"), Some((Outcome::Exact, "0.0012".into())));
        assert_eq!(text("1e131071").unwrap().0, Outcome::Exact);
        assert_eq!(text("1e131072").unwrap().0, Outcome::Overflow);
        assert_eq!(text("1e99999999999999999999").unwrap().0, Outcome::Overflow);
        assert_eq!(text("1e-16383").unwrap().0, Outcome::Exact);
        assert_eq!(text("1e-16384").unwrap().0, Outcome::ScaleLost);
        assert_eq!(text("1e-99999999999999999999").unwrap().0, Outcome::ScaleLost);
        assert_eq!(text("0e-99999999999999999999").unwrap().0, Outcome::Exact);
        let long = format!("{}.{}", "9".repeat(131_072), "9".repeat(16_383));
        assert_eq!(text(&long), Some((Outcome::Exact, long.clone())));
        assert_eq!(text("NaN").unwrap().1, "NaN");
        for bad in ["", "+", ".", "e5", "1e", "1e+", "1.2.3", "1x", " 1", "1 ", "--1", "nan", "inf", "1e5.0", "0x10"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
