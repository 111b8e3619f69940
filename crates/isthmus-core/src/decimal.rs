//! Decimal128 and the text of doubles.
//!
//! Format: IEEE 754-2008 decimal128 in the binary integer encoding, as the BSON Decimal128 specification fixes it.

use crate::canonical;

/// The largest coefficient, 10^34 - 1; greater ones are not canonical and mean zero.
const MAX_COEFFICIENT: u128 = 10u128.pow(34) - 1;
const EXPONENT_BIAS: i32 = 6176;

/// A decoded Decimal128; a finite one is coefficient x 10^exponent, trailing zeros kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    Finite { negative: bool, coefficient: u128, exponent: i32 },
    Infinity { negative: bool },
    NaN,
}

impl Decimal {
    /// Decodes the 16 bytes as BSON stores them (little-endian); every bit pattern has a meaning.
    #[must_use]
    pub fn decode(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        let negative = bits >> 127 == 1;
        let combination = (bits >> 122) as u32 & 0b1_1111;
        let (exponent, coefficient) = match combination {
            0b1_1111 => return Decimal::NaN,
            0b1_1110 => return Decimal::Infinity { negative },
            // Two set bits announce a coefficient of 114 bits, which always exceeds the largest one.
            0b1_1000..=0b1_1101 => ((bits >> 111) as i32 & 0x3FFF, 0),
            _ => ((bits >> 113) as i32 & 0x3FFF, bits & ((1 << 113) - 1)),
        };
        let coefficient = if coefficient > MAX_COEFFICIENT { 0 } else { coefficient };
        Decimal::Finite { negative, coefficient, exponent: exponent - EXPONENT_BIAS }
    }

    /// Appends the specification's text: `12.30`, `1E+3`, `-0`, `NaN`, `-Infinity`.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        let (negative, coefficient, exponent) = match *self {
            Decimal::NaN => return out.extend_from_slice(b"NaN"),
            Decimal::Infinity { negative: true } => return out.extend_from_slice(b"-Infinity"),
            Decimal::Infinity { negative: false } => return out.extend_from_slice(b"Infinity"),
            Decimal::Finite { negative, coefficient, exponent } => (negative, coefficient, exponent),
        };
        if negative {
            out.push(b'-');
        }
        let mut buffer = [0; 39];
        let digits = decimal_digits(coefficient, &mut buffer);
        let scientific = exponent + digits.len() as i32 - 1;
        if exponent > 0 || scientific < -6 {
            out.push(digits[0]);
            if digits.len() > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.extend_from_slice(if scientific < 0 { b"E-" } else { b"E+" });
            let mut buffer = [0; 39];
            out.extend_from_slice(decimal_digits(u128::from(scientific.unsigned_abs()), &mut buffer));
            return;
        }
        let fraction = exponent.unsigned_abs() as usize;
        if fraction == 0 {
            out.extend_from_slice(digits);
        } else if fraction < digits.len() {
            out.extend_from_slice(&digits[..digits.len() - fraction]);
            out.push(b'.');
            out.extend_from_slice(&digits[digits.len() - fraction..]);
        } else {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + fraction - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }

    /// As [`Decimal::write_text`].
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = Vec::with_capacity(48);
        self.write_text(&mut out);
        out.into_iter().map(char::from).collect()
    }

    /// The integer that this is; `None` with a fractional part, out of range, or not finite.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        let Decimal::Finite { negative, coefficient, exponent } = *self else { return None };
        if coefficient == 0 {
            return Some(0);
        }
        let power = 10u128.checked_pow(exponent.unsigned_abs());
        let magnitude = if exponent >= 0 {
            coefficient.checked_mul(power?)?
        } else {
            let power = power?;
            if coefficient % power != 0 {
                return None;
            }
            coefficient / power
        };
        let magnitude = i128::try_from(magnitude).ok()?;
        Some(if negative { -magnitude } else { magnitude })
    }

    /// As [`Decimal::to_i128`], in the range of an `i64`.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.to_i128()?.try_into().ok()
    }

    /// True for finite values without a fractional part, however large.
    #[must_use]
    pub fn is_integral(&self) -> bool {
        match *self {
            Decimal::Finite { coefficient, exponent, .. } => {
                coefficient == 0
                    || exponent >= 0
                    || 10u128.checked_pow(exponent.unsigned_abs()).is_some_and(|power| coefficient % power == 0)
            }
            _ => false,
        }
    }

    /// True for -0 of any exponent.
    #[must_use]
    pub fn is_negative_zero(&self) -> bool {
        matches!(self, Decimal::Finite { negative: true, coefficient: 0, .. })
    }

    /// The nearest double (ties to even), infinities and NaN included.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match *self {
            Decimal::NaN => f64::NAN,
            Decimal::Infinity { negative: true } => f64::NEG_INFINITY,
            Decimal::Infinity { negative: false } => f64::INFINITY,
            // Every text of a finite decimal is a valid literal, so the fallback is never taken.
            Decimal::Finite { .. } => self.text().parse().unwrap_or(f64::NAN),
        }
    }

    /// The nearest single (ties to even) in one step, infinities and NaN included.
    #[must_use]
    pub fn to_f32(&self) -> f32 {
        match *self {
            Decimal::Finite { .. } => self.text().parse().unwrap_or(f32::NAN),
            _ => self.to_f64() as f32,
        }
    }

    /// True when this is exactly that double; of zeros the sign does not matter, and all NaNs are one.
    #[must_use]
    pub fn is_f64(&self, number: f64) -> bool {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        canonical::write_decimal(self, &mut ours);
        canonical::write_f64(number, &mut theirs);
        ours == theirs
    }
}

/// The decimal digits of `value` as ASCII, at the end of `buffer`; one `0` for zero.
pub(crate) fn decimal_digits(value: u128, buffer: &mut [u8; 39]) -> &[u8] {
    const CHUNK: u128 = 10u128.pow(19);
    let mut start = buffer.len();
    if let Ok(mut low) = u64::try_from(value) {
        // Nearly every number; 128-bit division costs many times more.
        loop {
            start -= 1;
            buffer[start] = b'0' + (low % 10) as u8;
            low /= 10;
            if low == 0 {
                return &buffer[start..];
            }
        }
    }
    let mut rest = value;
    loop {
        let mut low = (rest % CHUNK) as u64;
        rest /= CHUNK;
        let stop = if rest == 0 { 0 } else { start - 19 };
        while start > stop && (low > 0 || rest > 0) {
            start -= 1;
            buffer[start] = b'0' + (low % 10) as u8;
            low /= 10;
        }
        if rest == 0 {
            break;
        }
    }
    &buffer[start..]
}

/// The shortest decimal digits that read back as the same finite double.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shortest {
    digits: [u8; 17],
    length: usize,
    /// The value is 0.d1d2d3… x 10^point.
    pub(crate) point: i32,
    pub(crate) negative: bool,
}

impl Shortest {
    /// Digits of a finite double, ASCII, without leading or trailing zeros; none for zero.
    pub(crate) fn of(value: f64) -> Self {
        let mut shortest = Shortest { digits: [0; 17], length: 0, point: 0, negative: value.is_sign_negative() };
        let mut buffer = ryu::Buffer::new();
        let mut seen_point = false;
        let mut text = buffer.format_finite(value.abs()).bytes();
        for byte in text.by_ref() {
            match byte {
                b'.' => seen_point = true,
                b'e' => break,
                digit => {
                    if shortest.length > 0 || digit != b'0' {
                        if shortest.length < 17 {
                            shortest.digits[shortest.length] = digit;
                        }
                        shortest.length += 1;
                        shortest.point += i32::from(!seen_point);
                    } else {
                        shortest.point -= i32::from(seen_point);
                    }
                }
            }
        }
        let exponent: String = text.map(char::from).collect();
        shortest.point += exponent.parse().unwrap_or(0);
        shortest.length = shortest.length.min(17);
        while shortest.length > 0 && shortest.digits[shortest.length - 1] == b'0' {
            shortest.length -= 1;
        }
        if shortest.length == 0 {
            shortest.point = 0;
        }
        shortest
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

/// Appends the shortest text that reads back as the same double, laid out as Python's `repr`: always with a point
/// between 1e-4 and 1e16 (`5.0`, `-0.0`), else with a signed exponent (`1e+16`, `1e-05`). What is no number has the
/// words of PostgreSQL and Extended JSON: `NaN`, `Infinity`, `-Infinity`.
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return out.extend_from_slice(text.as_bytes());
    }
    let size = value.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        return out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    }
    let shortest = Shortest::of(value);
    let digits = shortest.digits();
    if shortest.negative {
        out.push(b'-');
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    let exponent = shortest.point - 1;
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let mut buffer = [0; 39];
    let text = decimal_digits(u128::from(exponent.unsigned_abs()), &mut buffer);
    if text.len() == 1 {
        out.push(b'0');
    }
    out.extend_from_slice(text);
}

/// As [`write_double`], but never with an exponent; for finite values of at least 1e-5 and below 1e15, and zero.
pub(crate) fn write_plain_double(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(negative: bool, exponent: i32, coefficient: u128) -> [u8; 16] {
        let biased = (exponent + EXPONENT_BIAS) as u128;
        (u128::from(negative) << 127 | biased << 113 | coefficient).to_le_bytes()
    }

    fn text(negative: bool, coefficient: u128, exponent: i32) -> String {
        Decimal::decode(encode(negative, exponent, coefficient)).text()
    }

    #[test]
    fn decode_then_text_follows_the_specification() {
        assert_eq!(text(false, 0, 0), "0");
        assert_eq!(text(true, 0, 0), "-0");
        assert_eq!(text(false, 1230, -2), "12.30");
        assert_eq!(text(false, 1, 3), "1E+3");
        assert_eq!(text(false, 12, 3), "1.2E+4");
        assert_eq!(text(false, 1, -6), "0.000001");
        assert_eq!(text(false, 1, -7), "1E-7");
        assert_eq!(text(false, 123, -9), "1.23E-7");
        assert_eq!(text(false, 0, -6), "0.000000");
        assert_eq!(text(false, 0, -7), "0E-7");
        assert_eq!(text(false, 0, 3), "0E+3");
        assert_eq!(text(true, MAX_COEFFICIENT, 0), "-9999999999999999999999999999999999");
        assert_eq!(text(false, MAX_COEFFICIENT, 6111), "9.999999999999999999999999999999999E+6144");
        assert_eq!(text(false, 1, -6176), "1E-6176");
        assert_eq!(text(false, 10u128.pow(33), -33), "1.000000000000000000000000000000000");
    }

    #[test]
    fn decode_of_specials_and_non_canonical_coefficients() {
        assert_eq!(Decimal::decode((0x78u128 << 120).to_le_bytes()), Decimal::Infinity { negative: false });
        assert_eq!(Decimal::decode((0xF8u128 << 120).to_le_bytes()), Decimal::Infinity { negative: true });
        assert_eq!(Decimal::decode((0x7Cu128 << 120 | 12).to_le_bytes()), Decimal::NaN);
        assert_eq!(Decimal::decode((0xFEu128 << 120).to_le_bytes()), Decimal::NaN);
        assert_eq!(text(false, MAX_COEFFICIENT + 1, 0), "0");
        let wide = Decimal::decode((0b11u128 << 125 | 6176 << 111 | 5).to_le_bytes());
        assert_eq!(wide, Decimal::Finite { negative: false, coefficient: 0, exponent: 0 });
        assert_eq!(Decimal::decode([0xFF; 16]), Decimal::NaN);
    }

    #[test]
    fn to_integers_only_when_exact() {
        let decimal = |coefficient, exponent| Decimal::Finite { negative: true, coefficient, exponent };
        assert_eq!(decimal(5, 0).to_i64(), Some(-5));
        assert_eq!(decimal(500, -2).to_i64(), Some(-5));
        assert_eq!(decimal(505, -2).to_i64(), None);
        assert_eq!(decimal(5, 18).to_i64(), Some(-5_000_000_000_000_000_000));
        assert_eq!(decimal(5, 19).to_i64(), None);
        assert_eq!(decimal(1 << 63, 0).to_i64(), Some(i64::MIN));
        assert_eq!(decimal(0, 6000).to_i64(), Some(0));
        assert_eq!(decimal(5, -6000).to_i128(), None);
        assert!(decimal(5, 6000).is_integral() && decimal(500, -2).is_integral() && decimal(0, -9).is_integral());
        assert!(!decimal(5, -1).is_integral() && !decimal(5, -6000).is_integral() && !Decimal::NaN.is_integral());
        assert!(decimal(0, 4).is_negative_zero() && !decimal(1, 4).is_negative_zero());
    }

    #[test]
    fn to_doubles_exact_or_nearest() {
        let decimal = |coefficient, exponent| Decimal::Finite { negative: false, coefficient, exponent };
        for (number, nearest, exact) in [
            (decimal(5, -1), 0.5, true),
            (decimal(1, -1), 0.1, false),
            (decimal(1, 22), 1e22, true),
            (decimal(1, 23), 1e23, false),
            (decimal(1, 400), f64::INFINITY, false),
            (decimal(1, -400), 0.0, false),
            (Decimal::Infinity { negative: false }, f64::INFINITY, true),
        ] {
            assert_eq!((number.to_f64(), number.is_f64(nearest)), (nearest, exact));
        }
        assert!(Decimal::NaN.to_f64().is_nan() && Decimal::NaN.is_f64(f64::NAN));
        // Just above the middle of two singles; the nearest double is the middle itself.
        assert_eq!(decimal(1_000_000_059_604_644_775_390_625_000_000_001, -33).to_f32(), 1.000_000_1);
        assert_eq!(Decimal::Infinity { negative: true }.to_f32(), f32::NEG_INFINITY);
    }

    #[test]
    fn write_double_is_laid_out_as_pythons_repr() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (5.0, "5.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (-1.5e300, "-1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.000_012_5, "1.25e-05"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (2e23, "2e+23"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = Vec::new();
            write_double(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn shortest_digits_and_point() {
        for (value, digits, point) in [
            (0.0, "", 0),
            (5.0, "5", 1),
            (1200.0, "12", 4),
            (0.00125, "125", -2),
            (1e22, "1", 23),
            (123_456.5, "1234565", 6),
            (5e-324, "5", -323),
        ] {
            let shortest = Shortest::of(value);
            assert_eq!(shortest.digits(), digits.as_bytes());
            if !digits.is_empty() {
                assert_eq!(shortest.point, point, "{value}");
            }
        }
    }
}
