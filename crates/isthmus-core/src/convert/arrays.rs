//! One-dimensional arrays of any column type.
//!
//! Format: `array_recv` of PostgreSQL: dimensions, a flag for NULLs, the element type's OID, then per dimension
//! length and lower bound, then the elements as fields.

use std::collections::HashMap;

use crate::batch::Change;
use crate::bson::Value;
use crate::fault::Code;
use crate::ids::IdCodec;
use crate::json::short_text;
use crate::plan::{ColumnType, Kind, PlanError};

use super::{Converted, Converter, Inside, Refusal, Side, Wrote, NULL_FIELD};

/// OIDs of built-in types, fixed in `pg_type.dat`.
pub(super) fn element_oid(kind: &ColumnType, enum_oids: &HashMap<String, u32>) -> u32 {
    match kind.kind {
        Kind::Text => 25,
        Kind::Varchar => 1_043,
        Kind::Smallint => 21,
        Kind::Integer => 23,
        Kind::Bigint => 20,
        Kind::Real => 700,
        Kind::Double => 701,
        Kind::Numeric => 1_700,
        Kind::Boolean => 16,
        Kind::Date => 1_082,
        Kind::Timestamp => 1_114,
        Kind::Timestamptz => 1_184,
        Kind::Uuid => 2_950,
        Kind::Bytea => 17,
        Kind::Jsonb => 3_802,
        Kind::Enum => kind.name.as_ref().and_then(|name| enum_oids.get(name)).copied().unwrap_or(0),
    }
}

impl Converter {
    pub(super) fn array(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        let raw = match value {
            Value::Array(raw) => raw,
            _ if !self.column.wrap => return Err(self.not_wrapped(value)),
            single => {
                side.count(Change::Coerced);
                let start = out.len();
                self.header(1, out);
                let has_null = self.element(codec, single, depth, side, out)? == Wrote::Null;
                out[start + 4..start + 8].copy_from_slice(&u32::from(has_null).to_be_bytes());
                return Ok(Wrote::Value);
            }
        };
        if raw.is_empty() {
            return self.empty(out);
        }
        let start = out.len();
        self.header(0, out);
        let mut count = 0_u32;
        let mut has_null = false;
        for element in raw.elements() {
            let element = element.map_err(Refusal::bson)?;
            let wrote = self.element(codec, &element.value, depth + 1, side, out);
            has_null |= wrote.map_err(|refusal| self.at(count, &element.value, refusal))? == Wrote::Null;
            count += 1;
        }
        out[start + 4..start + 8].copy_from_slice(&u32::from(has_null).to_be_bytes());
        out[start + 12..start + 16].copy_from_slice(&count.to_be_bytes());
        Ok(Wrote::Value)
    }

    /// Appends one field for an element, as a row of its own holds it.
    pub fn element_field(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        let start = out.len();
        let wrote = self.element(codec, value, depth, side, out);
        if wrote.is_err() {
            out.truncate(start);
            out.extend_from_slice(&NULL_FIELD);
        }
        wrote
    }

    /// Refuses a single value where an array is meant.
    #[cold]
    pub fn not_wrapped(&self, value: &Value<'_>) -> Box<Refusal> {
        Refusal::new(
            Code::Type,
            format!("a {} goes into {}[] only where the mapping says coerce", value.type_name(), self.element_name()),
        )
    }

    /// Appends the field of an array of these texts.
    pub fn labels(&self, codec: &IdCodec, labels: &[&[u8]], side: &mut Side, out: &mut Vec<u8>) -> Converted {
        self.enclose(out, &mut |out: &mut Vec<u8>| {
            if labels.is_empty() {
                return self.empty(out);
            }
            self.header(labels.len() as u32, out);
            for label in labels {
                self.element(codec, &Value::String(label), 1, side, out)?;
            }
            Ok(Wrote::Value)
        })
    }

    /// Checks that the column takes each of these texts.
    ///
    /// # Errors
    /// The first that it refuses.
    pub fn check_labels<'l>(&self, codec: &IdCodec, labels: impl Iterator<Item = &'l [u8]>) -> Result<(), PlanError> {
        for label in labels {
            let wrote = self.element(codec, &Value::String(label), 1, &mut Side::default(), &mut Vec::new());
            if let Err(refusal) = wrote {
                let what = format!("label {:?}", String::from_utf8_lossy(label));
                return Err(PlanError::misfit(&what, &self.column, &format!("{}.", refusal.reason)));
            }
        }
        Ok(())
    }

    fn empty(&self, out: &mut Vec<u8>) -> Converted {
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&self.element_oid.to_be_bytes());
        Ok(Wrote::Value)
    }

    fn header(&self, count: u32, out: &mut Vec<u8>) {
        for part in [1, 0, self.element_oid, count, 1] {
            out.extend_from_slice(&part.to_be_bytes());
        }
    }

    /// One element with its length.
    #[inline]
    fn element(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        match value {
            Value::Null | Value::Undefined => {
                out.extend_from_slice(&NULL_FIELD);
                Ok(Wrote::Null)
            }
            // An array inside an array has no place, also where the column is of jsonb, unless anything is replaced.
            Value::Array(_) if !self.rules.as_ref().is_some_and(|rules| rules.replaces_all()) => {
                Err(self.wrong_type(value, false))
            }
            _ => self.enclose(out, &mut |out: &mut Vec<u8>| self.single(codec, value, depth, side, out)),
        }
    }

    /// Puts the element's place before what was said of it.
    #[cold]
    fn at(&self, index: u32, value: &Value<'_>, mut refusal: Box<Refusal>) -> Box<Refusal> {
        let inside = refusal.inside.take();
        refusal.inside = Some(match inside {
            Some(inside) if inside.path.is_empty() => Inside { path: index.to_string(), ..inside },
            Some(inside) => Inside { path: format!("{index}.{}", inside.path), ..inside },
            None => Inside {
                path: index.to_string(),
                bson_type: value.type_name(),
                value: if self.column.sensitive {
                    crate::fault::HIDDEN.to_owned()
                } else {
                    short_text(value, crate::fault::VALUE_CHARACTERS)
                },
            },
        });
        refusal
    }
}
