//! What writing a value leaves behind besides its text: where we are, what was changed, what failed.

use crate::bson::Value;
use crate::extended::write_bounded;
use crate::path::Path;

/// Shown in place of sensitive values.
pub(crate) const HIDDEN: &str = "(hidden)";
const NOTE_CHARACTERS: usize = 200;
const FAULT_CHARACTERS: usize = 80;

/// A value that was changed on the way and cannot be recomputed from the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// `nul_removed`, `utf8_replaced` or `nan_null`.
    pub kind: &'static str,
    pub path: String,
    /// The original as printable text, at most 200 characters; `(hidden)` when sensitive.
    pub original: String,
}

/// One reference value that a rewrite met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Which rule, by its position in [`super::Rewrites::new`].
    pub rule: usize,
    /// For values that are not ObjectIds: the source id as `{"_id": value}` BSON, and the derived id's text.
    pub mapped: Option<(Vec<u8>, String)>,
}

/// Collected over any number of values; the caller takes what it needs and clears the rest.
#[derive(Debug, Default)]
pub struct Report {
    /// Leads to the value in hand.
    pub path: Path,
    pub notes: Vec<Note>,
    pub references: Vec<Reference>,
    /// Elements that a later one with the same key replaced.
    pub duplicate_keys: u64,
    /// Values that stayed where ids are rewritten, because they are none.
    pub no_ids: u64,
}

impl Report {
    pub(crate) fn note(&mut self, kind: &'static str, value: &Value<'_>, sensitive: bool) {
        let original = shown(value, NOTE_CHARACTERS, sensitive);
        self.notes.push(Note { kind, path: self.path.text(), original });
    }

    #[cold]
    pub(crate) fn fault(&self, code: &'static str, value: &Value<'_>, sensitive: bool, message: String) -> JsonFault {
        JsonFault {
            code,
            path: self.path.text(),
            bson_type: value.type_name(),
            value: shown(value, FAULT_CHARACTERS, sensitive),
            message,
        }
    }
}

fn shown(value: &Value<'_>, limit: usize, sensitive: bool) -> String {
    if sensitive {
        HIDDEN.to_owned()
    } else {
        short_text(value, limit)
    }
}

/// Why a value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// `bson`, `bson-type`, `nesting`, `nul`, `utf8`, `nan`, `type`, `wrong-collection` or `key-taken`.
    pub code: &'static str,
    pub path: String,
    /// MongoDB's name of the value's type.
    pub bson_type: &'static str,
    /// At most 80 characters; `(hidden)` when sensitive.
    pub value: String,
    /// A full sentence.
    pub message: String,
}

/// A value as printable text of at most `limit` characters, the last one `…` when more was there.
///
/// Texts without quotes, control characters as `\u0000` and bytes that are not UTF-8 as `\xff`; everything else as
/// canonical Extended JSON, numbers, dates and ObjectIds without their wrappers.
#[must_use]
pub fn short_text(value: &Value<'_>, limit: usize) -> String {
    let mut out = Vec::new();
    match value {
        // No character has more than four bytes, and one more than the limit must stay visible.
        Value::String(text) | Value::Symbol(text) | Value::Code(text) => {
            out.extend_from_slice(&text[..text.len().min(limit.saturating_mul(4).saturating_add(4))]);
        }
        _ => write_bounded(value, limit.saturating_mul(4).saturating_add(4), &mut out),
    }
    let mut text = String::with_capacity(limit.min(256));
    let mut count = 0;
    for chunk in out.utf8_chunks() {
        let valid = chunk.valid().chars().map(|character| {
            if character.is_control() {
                format!("\\u{:04x}", u32::from(character))
            } else {
                character.to_string()
            }
        });
        let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        for piece in valid.chain(invalid) {
            count += piece.chars().count();
            if count > limit {
                return cut(&text, limit);
            }
            text.push_str(&piece);
        }
    }
    text
}

fn cut(text: &str, limit: usize) -> String {
    let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}
