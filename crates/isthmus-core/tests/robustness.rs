//! No bytes make the core panic: damaged documents, rows and texts through every public entry.
//!
//! Deterministic: one generator with fixed seeds. It cannot see wrong results, only panics and overflows; the unit
//! tests beside each module judge results.

use isthmus_core::bson::{Raw, Value};
use isthmus_core::ids::{IdCodec, IdScheme};
use isthmus_core::json::{NanPolicy, NulPolicy, RenameRule, Report, Rewrites, Settings, Utf8Policy};
use isthmus_core::{canonical, decimal, digest, extended, frame, ids, json, numeric, order, time};

/// SplitMix64: every seed gives another, reproducible run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Bytes with the habits of texts: digits, signs, quotes, escapes, now and then anything.
    fn text(&mut self, longest: usize) -> Vec<u8> {
        const LETTERS: &[u8] = b"0123456789-+.eE:TZ \"\\{}[],untrfalse\xC3\xA9\0\n";
        let length = self.below(longest + 1);
        (0..length)
            .map(|_| if self.below(40) == 0 { self.next() as u8 } else { LETTERS[self.below(LETTERS.len())] })
            .collect()
    }
}

fn finish(mut body: Vec<u8>) -> Vec<u8> {
    body.push(0);
    let length = (body.len() as u32).to_le_bytes();
    body[..4].copy_from_slice(&length);
    body
}

fn random_document(random: &mut Random, depth: usize) -> Vec<u8> {
    const KINDS: [u8; 21] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0x7F, 0xFF];
    const KEYS: [&[u8]; 8] = [b"a", b"$ref", b"$id", b"_id", b"", b"k\xff", b"k\xfe", b"longer_than_eight"];
    let mut body = vec![0; 4];
    for _ in 0..random.below(8) {
        let kind = KINDS[random.below(KINDS.len())];
        let nested = if depth > 0 { random_document(random, depth - 1) } else { vec![5, 0, 0, 0, 0] };
        let raw = Raw::new(&nested).unwrap();
        let text = random.text(12);
        let word: Vec<u8> = text.iter().copied().filter(|&byte| byte != 0).collect();
        let number = f64::from_bits(random.next());
        let id = [random.next() as u8; 12];
        let mut decimal = [0; 16];
        decimal[..8].copy_from_slice(&random.next().to_le_bytes());
        decimal[8..].copy_from_slice(&random.next().to_le_bytes());
        let value = match kind {
            1 => Value::Double(number),
            2 => Value::String(&text),
            3 => Value::Document(raw),
            4 => Value::Array(raw),
            5 => Value::Binary { subtype: [0, 2, 4, 9][random.below(4)], bytes: &text },
            6 => Value::Undefined,
            7 => Value::ObjectId(id),
            8 => Value::Bool(text.len() > 3),
            9 => Value::DateTime(random.next() as i64 >> random.below(64)),
            10 => Value::Null,
            11 => Value::Regex { pattern: &word, options: b"i" },
            12 => Value::DbPointer { namespace: &text, id },
            13 => Value::Code(&text),
            14 => Value::Symbol(&text),
            15 => Value::CodeWithScope { code: &text, scope: raw },
            16 => Value::Int32(random.next() as i32),
            17 => Value::Timestamp { time: random.next() as u32, increment: random.next() as u32 },
            18 => Value::Int64(random.next() as i64),
            19 => Value::Decimal128(decimal),
            0x7F => Value::MaxKey,
            _ => Value::MinKey,
        };
        body.push(kind);
        body.extend_from_slice(KEYS[random.below(KEYS.len())]);
        body.push(0);
        value.write_raw(&mut body);
    }
    finish(body)
}

fn try_everything(bytes: &[u8], codec: &IdCodec, rewrites: &Rewrites) {
    let Ok(raw) = Raw::new(bytes) else { return };
    let value = Value::Document(raw);
    let sound = raw.validate().is_ok();
    let lenient = Settings {
        nul: NulPolicy::Remove,
        utf8: Utf8Policy::Replace,
        nan: NanPolicy::Null,
        sensitive: false,
        rewrites: Some(rewrites),
        codec: Some(codec),
    };
    for settings in [Settings::default(), lenient] {
        let mut out = vec![1];
        if json::write_json(&value, &settings, &mut Report::default(), 0, &mut out).is_ok() {
            assert!(sound);
            digest::write_canonical_json(&out[1..], &mut Vec::new()).unwrap();
        }
        out.truncate(1);
        if extended::write_extras(&value, &settings, &mut Report::default(), 0, &mut out).is_ok() {
            digest::write_canonical_json(&out[1..], &mut Vec::new()).unwrap();
        }
    }
    assert_eq!(extended::extended_json(raw, &[]).is_ok(), sound);
    if let Ok(text) = extended::extended_json(raw, &[vec!["a".into()]]) {
        digest::write_canonical_json(text.as_bytes(), &mut Vec::new()).unwrap();
    }
    assert_eq!(canonical::canonical(&value).is_err(), codec.derive_value("c", &value).is_err());
    assert!(order::compare(&value, &value).is_eq());
    let _ = json::short_text(&value, 80);
    let _ = Value::of_id_document(bytes);
}

fn rewrites() -> Rewrites {
    let path = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
    Rewrites::new(&[
        (path(&["a", "[]"]), "Users".into(), IdScheme::Uuid),
        (path(&["_id"]), "Users".into(), IdScheme::Cuid2),
        (path(&["$id"]), "Users".into(), IdScheme::Keep),
    ])
    .with_renames([RenameRule { path: path(&["a"]), to: "b".into() }])
}

#[test]
fn documents_sound_and_damaged() {
    let codec = IdCodec::new(&[5; 32]).unwrap();
    let rewrites = rewrites();
    for seed in 0..1500 {
        let mut random = Random(seed);
        let bytes = random_document(&mut random, 3);
        assert!(Raw::new(&bytes).unwrap().validate().is_ok());
        try_everything(&bytes, &codec, &rewrites);
        for _ in 0..12 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(damaged.len());
                damaged[at] = [0, 1, 5, 0x7F, 0x80, 0xFF, random.next() as u8][random.below(7)];
            }
            let length = (damaged.len() as u32).to_le_bytes();
            damaged[..4].copy_from_slice(&length);
            *damaged.last_mut().unwrap() = 0;
            try_everything(&damaged, &codec, &rewrites);
            for is_final in [false, true] {
                let frames = frame::frame(&damaged, is_final);
                assert!(frames.end <= damaged.len());
            }
            let _ = frame::hop(&damaged, random.below(damaged.len()));
        }
    }
}

#[test]
fn any_bytes_as_rows_frames_and_documents() {
    use digest::Kind::{Bytes, Double, Jsonb, Real};
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut bytes = random.bytes(40);
        let _ = Raw::new(&bytes).map(|raw| raw.validate());
        let _ = frame::frame(&bytes, seed % 2 == 0);
        let _ = frame::hop(&bytes, random.below(50));
        let json = [&b"\x01"[..], &random.text(30)].concat();
        let row = [&[0, 1, 0, 0, 0, json.len() as u8][..], &json].concat();
        let _ = digest::digest_rows(&row, &[Jsonb]);
        if bytes.len() > 2 {
            bytes[..2].copy_from_slice(&[0, 4]);
        }
        let _ = digest::digest_rows(&bytes, &[Jsonb, Real, Double, Bytes]);
    }
}

#[test]
fn any_text_as_number_date_and_id() {
    let codec = IdCodec::new(&[5; 32]).unwrap();
    for seed in 0..50_000 {
        let mut random = Random(seed);
        let text = random.text(40);
        for typmod in
            [None, Some(numeric::Typmod { precision: 5, scale: 2 }), Some(numeric::Typmod { precision: 2, scale: 4 })]
        {
            for rounding in [numeric::Rounding::Refuse, numeric::Rounding::HalfEven] {
                let _ = numeric::write_text(&text, typmod, rounding, &mut Vec::new());
                let _ = numeric::write_f64(f64::from_bits(random.next()), typmod, rounding, &mut Vec::new());
                let _ = numeric::write_i64(random.next() as i64, typmod, &mut Vec::new());
            }
        }
        let mut bits = [0; 16];
        bits[..8].copy_from_slice(&random.next().to_le_bytes());
        bits[8..].copy_from_slice(&random.next().to_le_bytes());
        let value = decimal::Decimal::decode(bits);
        let _ = value.text();
        let _ = value.to_i128();
        let _ = (value.is_f64(value.to_f64()), value.to_f32());
        let millis = random.next() as i64 >> random.below(64);
        let _ = time::micros_from_millis(millis);
        let _ = time::day_from_millis(millis);
        let _ = time::round_micros(millis, random.below(8) as u8);
        let _ = time::write_iso(millis, &mut Vec::new());
        let _ = time::parse_date(&text);
        let _ = time::parse_timestamp(&text);
        let _ = ids::parse_uuid(&text);
        let _ = ids::v_from_cuid2(&text);
        let _ = codec.reverse(&String::from_utf8_lossy(&text));
    }
}

#[test]
fn doubles_read_back_from_their_text_and_expand_exactly() {
    for seed in 0..20_000 {
        let number = f64::from_bits(Random(seed).next());
        if !number.is_finite() {
            continue;
        }
        let mut text = Vec::new();
        decimal::write_double(number, &mut text);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        let exact = String::from_utf8(canonical::canonical(&Value::Double(number)).unwrap()).unwrap();
        assert_eq!(exact[1..].parse::<f64>().unwrap(), number);
    }
}
