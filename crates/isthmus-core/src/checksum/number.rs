//! The canonical form of `numeric`: tag, display scale, weight, groups of four digits.
//!
//! Layout of what is read, and rounding: `numeric_recv` and `round_var` in `src/backend/utils/adt/numeric.c`.

const WRONG: &str = "A numeric is none.";

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// First byte of the form.
pub(super) mod tag {
    pub const POSITIVE: u8 = 0;
    pub const NEGATIVE: u8 = 1;
    pub const NAN: u8 = 2;
    pub const INFINITY: u8 = 3;
    pub const NEGATIVE_INFINITY: u8 = 4;
}

/// Appends the form of a value; with a scale first rounds to so many digits after the point (before it, when negative),
/// halves away from zero.
pub(super) fn write(value: &[u8], scale: Option<i32>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let (head, digits) = value.split_first_chunk::<8>().ok_or(WRONG)?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let (weight, sign, dscale) = (word(2) as i16, word(4), word(6));
    if digits.len() != usize::from(word(0)) * 2 {
        return Err(WRONG);
    }
    let negative = match sign {
        0 => false,
        NEGATIVE => true,
        NAN | INFINITY | NEGATIVE_INFINITY => {
            out.push(match sign {
                NAN => tag::NAN,
                INFINITY => tag::INFINITY,
                _ => tag::NEGATIVE_INFINITY,
            });
            return Ok(());
        }
        _ => return Err(WRONG),
    };
    let groups = digits.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    if groups.clone().any(|group| group > 9_999) {
        return Err(WRONG);
    }
    let weight = i32::from(weight);
    match scale {
        // Fewer digits than the scale keeps need no rounding: most values.
        Some(scale) if 4 * (weight + 1) + scale < 4 * i32::from(word(0)) => {
            let (groups, weight) = round(groups.collect(), weight, scale);
            put(negative, scale.max(0) as u16, weight, groups.into_iter(), out);
        }
        Some(scale) => put(negative, scale.max(0) as u16, weight, groups, out),
        None => put(negative, dscale, weight, groups, out),
    }
    Ok(())
}

/// Appends a number without the zeros around its groups.
fn put(negative: bool, dscale: u16, weight: i32, groups: impl Iterator<Item = u16>, out: &mut Vec<u8>) {
    let start = out.len();
    out.push(if negative { tag::NEGATIVE } else { tag::POSITIVE });
    out.extend_from_slice(&dscale.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let mut first = weight;
    let mut end = out.len();
    let body = end;
    for group in groups {
        if group == 0 && out.len() == body {
            first -= 1;
            continue;
        }
        out.extend_from_slice(&group.to_le_bytes());
        if group != 0 {
            end = out.len();
        }
    }
    out.truncate(end);
    if end == body {
        out[start] = tag::POSITIVE;
        first = 0;
    }
    out[body - 4..body].copy_from_slice(&first.to_le_bytes());
}

/// The groups rounded at `scale`, and their weight; at least one digit is cut.
fn round(mut groups: Vec<u16>, mut weight: i32, scale: i32) -> (Vec<u16>, i32) {
    // Decimal digits that stay, counted from the first group's first.
    let kept = 4 * (weight + 1) + scale;
    let Ok(kept) = usize::try_from(kept) else {
        return (Vec::new(), 0);
    };
    let (at, inside) = (kept / 4, kept % 4);
    let unit = [10_000, 1_000, 100, 10][inside];
    let cut = groups[at] % unit;
    let up = cut >= unit / 2;
    groups[at] -= cut;
    groups.truncate(at + 1);
    if up {
        let mut carry = unit;
        for group in groups.iter_mut().rev() {
            *group += carry;
            carry = u16::from(*group >= 10_000);
            *group %= 10_000;
            if carry == 0 {
                break;
            }
        }
        if groups[0] == 0 && carry == 1 {
            groups.insert(0, 1);
            weight += 1;
        }
    }
    (groups, weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{write_text, Rounding};

    fn wire(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write_text(text.as_bytes(), None, Rounding::Refuse, &mut out).unwrap();
        out
    }

    fn form(text: &str, scale: Option<i32>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&wire(text), scale, &mut out).unwrap();
        out
    }

    #[test]
    fn equal_numbers_of_one_scale_have_one_form() {
        assert_eq!(form("0", None), [0; 7]);
        assert_ne!(form("1.0", None), form("1.00", None));
        assert_ne!(form("1", None), form("-1", None));
        assert_ne!(form("1", None), form("10000", None));
        let mut padded = Vec::new();
        // 0001 with groups of zeros around it.
        write(&[0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0], None, &mut padded).unwrap();
        assert_eq!(padded, form("1", None));
        let mut minus_zero = Vec::new();
        write(&[0, 1, 0, 5, 0x40, 0, 0, 0, 0, 0], None, &mut minus_zero).unwrap();
        assert_eq!(minus_zero, form("0", None));
        let specials = ["NaN", "Infinity", "-Infinity"].map(|text| form(text, None));
        assert_eq!(specials, [[tag::NAN], [tag::INFINITY], [tag::NEGATIVE_INFINITY]]);
    }

    #[test]
    fn declared_scales_round_halves_away_from_zero() {
        for (text, scale, rounded) in [
            ("1.5", 2, "1.50"),
            ("1.005", 2, "1.01"),
            ("-1.005", 2, "-1.01"),
            ("1.00499", 2, "1.00"),
            ("0.5", 0, "1"),
            ("0.49999", 0, "0"),
            ("-0.4", 0, "0"),
            ("9999.5", 0, "10000"),
            ("99999999.99995", 4, "100000000.0000"),
            ("0.00005", 4, "0.0001"),
            ("0.000049", 4, "0.0000"),
            ("0.000000005", 4, "0.0000"),
            ("12345.67890", 3, "12345.679"),
            ("12345", 0, "12345"),
            ("0", 3, "0.000"),
            ("1234.5678", 4, "1234.5678"),
            ("1234.56785", 4, "1234.5679"),
        ] {
            assert_eq!(form(text, Some(scale)), form(rounded, None), "{text} at {scale}");
        }
        for (text, scale, rounded) in
            [("12345", -2, "12300"), ("12350", -2, "12400"), ("49", -2, "0"), ("50", -2, "100"), ("9950", -2, "10000")]
        {
            assert_eq!(form(text, Some(scale)), form(rounded, None), "{text} at {scale}");
        }
        assert_eq!(form("NaN", Some(2)), form("NaN", None));
    }

    #[test]
    fn what_is_no_numeric_is_refused() {
        for bytes in [
            &b""[..],
            &[0; 7],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10],
            &[0, 0, 0, 0, 1, 0, 0, 0],
        ] {
            assert!(write(bytes, None, &mut Vec::new()).is_err(), "{bytes:?}");
        }
    }
}
