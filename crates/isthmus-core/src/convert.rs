//! One BSON value into one field of a COPY binary row: the BSON × PostgreSQL table of the design, one kind a file.
//!
//! Decides for every pair of types whether the value goes in exactly, goes in changed because the column asks for
//! it, or is refused. Null, missing and defaults are the walk's business; paths are relative to the value.
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format", and the types' own receive
//! functions.

mod arrays;
mod binary;
mod enums;
mod floats;
mod integers;
mod jsonb;
mod numerics;
mod references;
mod rules;
mod text;
mod things;
mod times;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::batch::{Change, IdMapEntry};
use crate::bson::{BsonError, Value};
use crate::fault::Code;
use crate::ids::{Ahead, IdCodec};
use crate::json::{short_text, RenameRule, Report, RewriteRule, Rewrites, Settings};
use crate::numeric::Typmod;
use crate::plan::{Column, DefaultRule, Kind, Literal, PlanError, Role};

pub(crate) use integers::as_boolean;
pub use jsonb::Member;
pub(crate) use jsonb::{from_json, JSONB_VERSION};
pub(crate) use references::write_id;
pub(crate) use things::EncodedThings;

/// The length that stands for NULL.
pub(crate) const NULL_FIELD: [u8; 4] = (-1_i32).to_be_bytes();

/// PostgreSQL refuses fields of one gibibyte and more (`MaxAllocSize`).
const MAX_FIELD_BYTES: usize = 0x3FFF_FFFF;

/// Characters of an original that the ledger of changes keeps.
const ORIGINAL_CHARACTERS: usize = 200;

/// What a conversion wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    Value,
    Null,
}

/// Why a value does not go into its column.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub code: Code,
    /// The rest of the sentence "… cannot take the value, because …", without a full stop.
    pub reason: Cow<'static, str>,
    /// Where inside the value, when not the value itself.
    pub inside: Option<Inside>,
}

/// A place inside a value that is the one at fault.
#[derive(Debug)]
pub(crate) struct Inside {
    /// Path from the value down; may be empty.
    pub path: String,
    pub bson_type: &'static str,
    /// Shortened already; hidden already in a sensitive column.
    pub value: String,
}

impl Refusal {
    #[cold]
    pub fn new(code: Code, reason: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Self { code, reason: reason.into(), inside: None })
    }

    #[cold]
    pub fn bson(error: BsonError) -> Box<Self> {
        let code = Code::from_slug(error.code).unwrap_or(Code::Bson);
        Self::new(code, format!("at byte {} of the document: {}", error.offset, error.message.trim_end_matches('.')))
    }
}

pub(crate) type Converted = Result<Wrote, Box<Refusal>>;

/// One change made on the way.
#[derive(Debug)]
pub(crate) struct Changed {
    pub kind: Change,
    pub times: u64,
    /// The value as it was, when the ledger must list it.
    pub original: Option<String>,
    /// The number of the exchange that the mapping names, when it is one; `kind` then is its kind.
    pub exchange: Option<usize>,
}

/// What conversions leave besides bytes; the walk takes it after every field.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub report: Report,
    pub changed: Vec<Changed>,
    /// Reference values that are not null.
    pub references: u64,
    pub id_map: Vec<IdMapEntry>,
    /// Not a trace but a help: numbers of ObjectIds that are about to be converted.
    pub ahead: Ahead,
    /// Numbers of rewrite rules that replaced an id.
    pub rewritten: Vec<usize>,
}

impl Side {
    /// Counts a change that can be computed back.
    #[inline]
    pub fn count(&mut self, kind: Change) {
        self.changed.push(Changed { kind, times: 1, original: None, exchange: None });
    }

    /// Forgets everything, after a value that was refused.
    pub fn clear(&mut self) {
        self.report.notes.clear();
        self.report.references.clear();
        self.report.duplicate_keys = 0;
        self.report.no_ids = 0;
        self.report.path.clear();
        self.changed.clear();
        self.references = 0;
        self.id_map.clear();
        self.rewritten.clear();
    }

    /// True when nothing is left to take.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.references == 0 && self.id_map.is_empty() && self.rewritten.is_empty()
    }
}

/// A column with all that its conversion needs.
#[derive(Debug)]
pub(crate) struct Converter {
    pub column: Column,
    typmod: Option<Typmod>,
    rewrites: Option<Rewrites>,
    /// Type OID of array elements; 0 for an enum whose OID nobody gave.
    element_oid: u32,
    pub default: Option<Filled>,
    /// What is done to a value first.
    rules: Option<Box<rules::Prepared>>,
    /// Which thing each document belongs to, encoded.
    pub things: Option<Box<EncodedThings>>,
    /// The slot of a column that is NULL, and nothing else, where its field is missing.
    pub quiet: Option<usize>,
}

/// A default, encoded.
#[derive(Debug)]
pub(crate) enum Filled {
    /// A whole field with its length, with the map entries of a reference that cannot be derived.
    Field { bytes: Vec<u8>, id_map: Vec<IdMapEntry> },
    /// The time inside the document's ObjectId, through a converter that may floor it.
    IdTime(Box<Converter>),
}

impl Converter {
    /// Prepares a column and encodes its default.
    ///
    /// # Errors
    /// A default that the column refuses even with `coerce`.
    pub fn new(
        column: &Column,
        codec: &IdCodec,
        now_us: i64,
        enum_oids: &HashMap<String, u32>,
    ) -> Result<Self, PlanError> {
        let mut converter = Self::bare(column, enum_oids);
        if let Some(things) = &column.things {
            converter.things = Some(Box::new(EncodedThings::new(things, column, codec)?));
        }
        if column.rules.is_none() && column.default.is_none() {
            return Ok(converter);
        }
        let relaxed = Self::bare(&relaxed(column), enum_oids);
        if let Some(rules) = &column.rules {
            converter.rules = Some(Box::new(relaxed.prepare(rules, codec)?));
        }
        let Some(rule) = &column.default else {
            return Ok(converter);
        };
        let what = if matches!(column.role, Role::Constant | Role::Source) { "constant" } else { "default" };
        let refused = |why: &str| PlanError::misfit(what, column, why);
        let mut side = Side::default();
        let mut bytes = Vec::new();
        let said = |refusal: Box<Refusal>| refused(&format!("{}.", refusal.reason));
        converter.default = Some(match rule {
            DefaultRule::Literal { value } => {
                let literal = Literal::from_json(value).map_err(|why| refused(&format!("{why}.")))?;
                match literal.value() {
                    Value::Null | Value::Undefined if column.required => {
                        return Err(refused("it is null, and the column is required."))
                    }
                    Value::Null | Value::Undefined => bytes.extend_from_slice(&NULL_FIELD),
                    value => {
                        relaxed.field(codec, &value, 1, &mut side, &mut bytes).map_err(said)?;
                    }
                }
                Filled::Field { bytes, id_map: side.id_map }
            }
            DefaultRule::Now => {
                let mut field = |out: &mut Vec<u8>| relaxed.instant(codec, now_us, &mut side, out);
                relaxed.enclose(&mut bytes, &mut field).map_err(said)?;
                Filled::Field { bytes, id_map: Vec::new() }
            }
            DefaultRule::IdTime => {
                relaxed.field(codec, &Value::DateTime(0), 1, &mut side, &mut bytes).map_err(said)?;
                Filled::IdTime(Box::new(relaxed))
            }
        });
        Ok(converter)
    }

    fn bare(column: &Column, enum_oids: &HashMap<String, u32>) -> Self {
        let kind = &column.kind;
        let typmod = match (kind.kind, kind.precision) {
            (Kind::Numeric, Some(precision)) => {
                Some(Typmod { precision: precision as u16, scale: kind.scale.unwrap_or(0) as u16 })
            }
            _ => None,
        };
        let rules = column.rewrite.iter().map(|rule| RewriteRule {
            path: rule.path.clone(),
            collection: rule.reference.collection.to_string(),
            ids: rule.reference.ids,
            rewritten: rule.reference.rewritten,
            keep_others: rule.keep_others,
        });
        let renames = column.rename.iter().map(|rule| RenameRule { path: rule.path.clone(), to: rule.to.clone() });
        let rewrites = Rewrites::of(rules).with_renames(renames);
        Self {
            column: column.clone(),
            typmod,
            rewrites: (!rewrites.is_empty()).then_some(rewrites),
            element_oid: arrays::element_oid(kind, enum_oids),
            default: None,
            rules: None,
            things: None,
            quiet: column
                .slot
                .filter(|_| !column.required && !column.default_for_missing && !column.silent())
                .filter(|_| column.things.is_none()),
        }
    }

    /// True for an array of an enum whose OID nobody gave.
    pub fn lacks_oid(&self) -> bool {
        self.column.kind.array && self.element_oid == 0
    }

    /// Appends one field: length and bytes, or NULL. After a refusal a NULL stands in its place.
    ///
    /// `depth` is the nesting level of the document that holds the value.
    #[inline]
    pub fn field(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        self.enclose(out, &mut |out: &mut Vec<u8>| {
            if self.column.kind.array {
                self.array(codec, value, depth, side, out)
            } else {
                self.single(codec, value, depth, side, out)
            }
        })
    }

    #[inline]
    fn enclose(&self, out: &mut Vec<u8>, write: &mut impl FnMut(&mut Vec<u8>) -> Converted) -> Converted {
        let start = out.len();
        out.extend_from_slice(&NULL_FIELD);
        let wrote = write(out);
        let length = out.len() - start - 4;
        match wrote {
            Ok(Wrote::Value) if length <= MAX_FIELD_BYTES => {
                out[start..start + 4].copy_from_slice(&(length as u32).to_be_bytes());
                Ok(Wrote::Value)
            }
            Ok(Wrote::Value) => {
                out.truncate(start + 4);
                Err(Refusal::new(Code::TooLong, "PostgreSQL's fields end at one gibibyte"))
            }
            other => {
                out.truncate(start + 4);
                other
            }
        }
    }

    /// A value or array element, after what its rules make of it.
    #[inline]
    fn single(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        match &self.rules {
            None => self.plain(codec, value, depth, side, out),
            Some(rules) => self.by_rules(rules, codec, value, depth, side, out),
        }
    }

    /// A value or array element by the column's role.
    // Inlined by force into the one caller that every value comes by; a call more costs as much as most conversions.
    #[inline(always)]
    fn plain(&self, codec: &IdCodec, value: &Value<'_>, depth: usize, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        if matches!(self.column.role, Role::Reference | Role::Other) {
            self.reference(codec, value, depth, side, out)
        } else {
            self.scalar(codec, value, depth, side, out)
        }
    }

    /// Appends the bytes of one value by the column's type, without a length.
    #[inline]
    fn scalar(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        match self.column.kind.kind {
            Kind::Text | Kind::Varchar => self.text(value, side, out),
            Kind::Smallint | Kind::Integer | Kind::Bigint => self.integer(value, side, out),
            Kind::Real | Kind::Double => self.float(value, side, out),
            Kind::Numeric => self.numeric(value, side, out),
            Kind::Boolean => self.boolean(value, side, out),
            Kind::Date => self.date(value, side, out),
            Kind::Timestamp | Kind::Timestamptz => self.timestamp(value, side, out),
            Kind::Uuid => self.uuid(value, side, out),
            Kind::Bytea => self.bytea(value, side, out),
            Kind::Jsonb => self.jsonb(codec, value, depth, side, out),
            Kind::Enum => self.label(value, side, out),
        }
    }

    /// What the JSON writers need to know of this column.
    pub fn settings<'p>(&'p self, codec: &'p IdCodec) -> Settings<'p> {
        let policies = &self.column.policies;
        Settings {
            nul: policies.nul,
            utf8: policies.utf8,
            nan: policies.nan,
            sensitive: self.column.sensitive,
            rewrites: self.rewrites.as_ref(),
            codec: Some(codec),
        }
    }

    /// Refuses a type that this column never takes, or takes only with `coerce`.
    #[cold]
    fn wrong_type(&self, value: &Value<'_>, with_coerce: bool) -> Box<Refusal> {
        let name = self.kind_name();
        if with_coerce && !self.column.coerce {
            return Refusal::new(
                Code::Type,
                format!("a {} goes into {name} only where the mapping says coerce", value.type_name()),
            );
        }
        Refusal::new(Code::Type, format!("a {} does not go into {name}", value.type_name()))
    }

    /// Refuses text that does not read as a value of the column's type.
    #[cold]
    fn unreadable(&self) -> Box<Refusal> {
        Refusal::new(Code::Type, format!("the text does not read as {}", self.element_name()))
    }

    /// Lists a change whose original is lost.
    #[cold]
    pub(crate) fn list(&self, kind: Change, value: &Value<'_>, side: &mut Side) {
        side.changed.push(Changed { kind, times: 1, original: Some(self.original(value)), exchange: None });
    }

    /// A value as the ledger of changes keeps it.
    fn original(&self, value: &Value<'_>) -> String {
        if self.column.sensitive {
            crate::fault::HIDDEN.to_owned()
        } else {
            short_text(value, ORIGINAL_CHARACTERS)
        }
    }

    fn kind_name(&self) -> String {
        let element = self.element_name();
        if self.column.kind.array {
            format!("{element}[]")
        } else {
            element
        }
    }

    fn element_name(&self) -> String {
        let kind = &self.column.kind;
        let name = match kind.kind {
            Kind::Text => "text",
            Kind::Varchar => "varchar",
            Kind::Smallint => "smallint",
            Kind::Integer => "integer",
            Kind::Bigint => "bigint",
            Kind::Real => "real",
            Kind::Double => "double precision",
            Kind::Numeric => "numeric",
            Kind::Boolean => "boolean",
            Kind::Date => "date",
            Kind::Timestamp => "timestamp",
            Kind::Timestamptz => "timestamptz",
            Kind::Uuid => "uuid",
            Kind::Bytea => "bytea",
            Kind::Jsonb => "jsonb",
            Kind::Enum => return format!("the enum {}", kind.name.as_deref().unwrap_or("of this column")),
        };
        match (kind.kind, kind.length, kind.precision, kind.scale) {
            (Kind::Varchar, Some(length), ..) => format!("varchar({length})"),
            (Kind::Numeric, _, Some(precision), scale) => format!("numeric({precision},{})", scale.unwrap_or(0)),
            (Kind::Timestamp | Kind::Timestamptz, _, Some(precision), _) => format!("{name}({precision})"),
            _ => name.to_owned(),
        }
    }
}

/// The column as its own default sees it: coercion on, nothing else forgiven.
fn relaxed(column: &Column) -> Column {
    use crate::json::{NanPolicy, NulPolicy, Utf8Policy};
    use crate::plan::{Policies, RangePolicy};
    Column {
        coerce: true,
        wrap: true,
        policies: Policies {
            nul: NulPolicy::DeadLetter,
            utf8: Utf8Policy::DeadLetter,
            nan: NanPolicy::DeadLetter,
            range: RangePolicy::DeadLetter,
        },
        ..column.clone()
    }
}
