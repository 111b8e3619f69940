//! What is done to a value before it is converted: texts are trimmed and lowered, listed values replaced.
//!
//! Null and missing are never looked at: they are the walk's business.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::batch::Change;
use crate::bson::Value;
use crate::canonical::write_canonical;
use crate::ids::IdCodec;
use crate::plan::{Json, Literal, PlanError, Role, Rules};

use super::{Changed, Converted, Converter, Refusal, Side, Wrote};

/// The rules of one column with the replacing values encoded.
#[derive(Debug)]
pub(super) struct Prepared {
    trim: bool,
    lower: bool,
    /// By the canonical bytes of the value that is replaced.
    values: HashMap<Vec<u8>, Replaced>,
    others: Option<Replaced>,
}

impl Prepared {
    /// No value that is not null is left as it is.
    pub fn replaces_all(&self) -> bool {
        self.others.is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Replaced {
    /// The payload of the field; none for NULL.
    bytes: Option<Vec<u8>>,
    /// What stood there cannot be told from what stands there now.
    listed: bool,
    /// Its number among the exchanges of its column: the listed values in their order, then all others.
    exchange: usize,
}

impl Converter {
    /// Encodes the replacing values; this converter is the one of defaults, without rules of its own.
    ///
    /// # Errors
    /// A value that the column refuses.
    pub(super) fn prepare(&self, rules: &Rules, codec: &IdCodec) -> Result<Prepared, PlanError> {
        let mut values = HashMap::with_capacity(rules.values.len());
        let mut times: HashMap<Option<Vec<u8>>, usize> = HashMap::new();
        for (exchange, (from, to)) in rules.values.iter().enumerate() {
            let bytes = self.encode(to, codec)?;
            let key = Literal::from_json(from).map_err(|why| self.misfit(&why))?.canonical;
            *times.entry(bytes.clone()).or_default() += 1;
            values.insert(key, Replaced { bytes, listed: false, exchange });
        }
        for value in values.values_mut() {
            value.listed = times.get(&value.bytes).is_some_and(|&times| times > 1);
        }
        let others = rules.others.as_ref().map(|to| self.encode(to, codec)).transpose()?;
        Ok(Prepared {
            trim: rules.trim,
            lower: rules.lower,
            values,
            others: others.map(|bytes| Replaced { bytes, listed: true, exchange: rules.values.len() }),
        })
    }

    fn encode(&self, to: &Json, codec: &IdCodec) -> Result<Option<Vec<u8>>, PlanError> {
        let literal = Literal::from_json(to).map_err(|why| self.misfit(&why))?;
        let mut bytes = Vec::new();
        match literal.value() {
            Value::Null | Value::Undefined => Ok(None),
            value => match self.plain(codec, &value, 1, &mut Side::default(), &mut bytes) {
                Ok(Wrote::Value) => Ok(Some(bytes)),
                Ok(Wrote::Null) => Ok(None),
                Err(refusal) => Err(self.misfit(&refusal.reason)),
            },
        }
    }

    fn misfit(&self, why: &str) -> PlanError {
        PlanError::misfit("list of values", &self.column, &format!("{why}."))
    }

    /// Appends the bytes of one value, changed as the rules say.
    #[inline(never)]
    pub(super) fn by_rules(
        &self,
        rules: &Prepared,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        let text = match *value {
            Value::String(text) | Value::Symbol(text) if rules.trim || rules.lower => {
                Some(self.normalise(rules, text, value, side)?)
            }
            _ => None,
        };
        let changed = match (&text, value) {
            (Some(text), Value::Symbol(_)) => Value::Symbol(text),
            (Some(text), _) => Value::String(text),
            (None, value) => *value,
        };
        if rules.values.is_empty() && rules.others.is_none() {
            return self.plain(codec, &changed, depth, side, out);
        }
        let mut canonical = Vec::new();
        write_canonical(&changed, depth, &mut canonical).map_err(Refusal::bson)?;
        let Some(replaced) = rules.values.get(&canonical).or(rules.others.as_ref()) else {
            return self.plain(codec, &changed, depth, side, out);
        };
        side.changed.push(Changed {
            kind: Change::ValueMapped,
            times: 1,
            original: replaced.listed.then(|| self.original(value)),
            exchange: Some(replaced.exchange),
        });
        let Some(bytes) = &replaced.bytes else {
            return Ok(Wrote::Null);
        };
        out.extend_from_slice(bytes);
        if matches!(self.column.role, Role::Reference | Role::Other) {
            side.references += 1;
        }
        Ok(Wrote::Value)
    }

    /// A text without what the policies take away, then trimmed and lowered.
    fn normalise<'v>(
        &self,
        rules: &Prepared,
        text: &'v [u8],
        value: &Value<'_>,
        side: &mut Side,
    ) -> Result<Cow<'v, [u8]>, Box<Refusal>> {
        let mut clean = Cow::Borrowed(text);
        if memchr::memchr(0, text).is_some() || std::str::from_utf8(text).is_err() {
            let mut mended = Vec::with_capacity(text.len());
            self.mend(text, value, side, &mut mended)?;
            clean = Cow::Owned(mended);
        }
        // Always UTF-8 by now. `trim` and `to_lowercase` are those of Unicode: White_Space, and the full mapping without
        // a locale.
        let whole = std::str::from_utf8(&clean).unwrap_or_default();
        let trimmed = if rules.trim { whole.trim() } else { whole };
        let lowered = if rules.lower { Cow::Owned(trimmed.to_lowercase()) } else { Cow::Borrowed(trimmed) };
        let changed = (*lowered != *whole).then(|| lowered.into_owned().into_bytes());
        Ok(match changed {
            None => clean,
            Some(changed) => {
                self.list(Change::Normalised, value, side);
                Cow::Owned(changed)
            }
        })
    }
}
