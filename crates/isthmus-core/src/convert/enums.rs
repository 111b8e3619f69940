//! Labels of an enum type.

use crate::bson::Value;
use crate::fault::Code;

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    /// A label is taken letter by letter; under the policies only NUL and broken UTF-8 are mended first.
    #[inline]
    pub(super) fn label(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let (Value::String(text) | Value::Symbol(text)) = *value else {
            return Err(self.wrong_type(value, false));
        };
        let labels = &self.column.kind.values;
        if let Some(label) = labels.iter().find(|label| ***label == *text) {
            out.extend_from_slice(label);
            return Ok(Wrote::Value);
        }
        let start = out.len();
        self.clean(text, value, side, out)?;
        if labels.iter().any(|label| **label == out[start..]) {
            return Ok(Wrote::Value);
        }
        Err(Refusal::new(Code::Enum, format!("it is none of the {} values of the enum", labels.len())))
    }
}
