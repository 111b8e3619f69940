//! jsonb: the version byte and plain JSON text.

use crate::batch::{Change, IdMapEntry};
use crate::bson::Value;
use crate::fault::Code;
use crate::ids::IdCodec;
use crate::json::{self, JsonFault, Report};

use super::{Changed, Converted, Converter, Inside, Refusal, Side, Wrote};

/// A value that becomes a member of an object.
#[derive(Debug)]
pub struct Member<'v> {
    pub key: &'v str,
    /// The keys that lead to it in the document.
    pub path: &'v [Box<[u8]>],
    pub value: Value<'v>,
    /// Level of the document that holds it.
    pub depth: usize,
}

/// `jsonb_recv` knows version 1 only.
pub(crate) const JSONB_VERSION: u8 = 1;

impl Converter {
    pub(super) fn jsonb(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        out.push(JSONB_VERSION);
        json::write_json(value, &self.settings(codec), &mut side.report, depth, out).map_err(from_json)?;
        self.take_report(side);
        Ok(Wrote::Value)
    }

    /// Appends the field of an object of these values, in their order.
    pub fn object(&self, codec: &IdCodec, members: &[Member<'_>], side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let settings = self.settings(codec);
        self.enclose(out, &mut |out: &mut Vec<u8>| {
            out.push(JSONB_VERSION);
            for (number, member) in members.iter().enumerate() {
                out.push(if number == 0 { b'{' } else { b',' });
                json::write_string(member.key, out);
                out.push(b':');
                let level = side.report.path.len();
                member.path.iter().for_each(|key| side.report.path.push_key(key));
                let written = json::write_json(&member.value, &settings, &mut side.report, member.depth, out);
                side.report.path.truncate(level);
                written.map_err(from_json)?;
            }
            out.push(b'}');
            self.take_report(side);
            Ok(Wrote::Value)
        })
    }

    /// Moves what a JSON writer left in its report to where all conversions leave it.
    #[inline]
    pub(crate) fn take_report(&self, side: &mut Side) {
        let Report { duplicate_keys, no_ids, .. } = &mut side.report;
        for (kind, times) in [(Change::DuplicateKey, duplicate_keys), (Change::NotAnId, no_ids)] {
            if *times > 0 {
                side.changed.push(Changed { kind, times: *times, original: None, exchange: None });
                *times = 0;
            }
        }
        for note in side.report.notes.drain(..) {
            let Some(kind) = Change::from_slug(note.kind) else {
                continue;
            };
            side.changed.push(Changed { kind, times: 1, original: Some(note.original), exchange: None });
        }
        for reference in side.report.references.drain(..) {
            side.rewritten.push(reference.rule);
            if let (Some((source_id, id)), Some(rule)) = (reference.mapped, self.column.rewrite.get(reference.rule)) {
                let collection = rule.reference.collection.clone();
                side.id_map.push(IdMapEntry { collection, source_id, id, from_reference: true });
            }
        }
    }
}

/// A fault of a JSON writer as a refusal; it knows its place already.
#[cold]
pub(crate) fn from_json(fault: JsonFault) -> Box<Refusal> {
    let code = Code::from_slug(fault.code).unwrap_or(Code::Bson);
    let inside = Inside { path: fault.path, bson_type: fault.bson_type, value: fault.value };
    let reason = fault.message.trim_end_matches('.').to_owned();
    Box::new(Refusal { code, reason: reason.into(), inside: Some(inside) })
}
