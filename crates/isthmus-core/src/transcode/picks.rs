//! Values that are made before a row is written: the first of several paths, elements of arrays, flags, and objects of
//! several fields.
//!
//! Decides also what of the fields that were looked at is left over, so that nothing is lost: a value that lost
//! against another, an array of which only a part was taken, a flag that had no room.

use std::borrow::Cow;

use crate::batch::Change;
use crate::bson::{BsonError, Value};
use crate::convert::{as_boolean, Converter, Member, Refusal, NULL_FIELD};
use crate::fault::Code;
use crate::path::{push_index, push_path};
use crate::plan::{Elements, FirstOf, Flag, Flags, Object, Origin, Owner, Part, Pick, Take, ToFlags, Way};

use super::extras;
use super::walk::Walk;

/// Where a made value came from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Picked<'t> {
    /// Level of the document or array that holds it.
    pub level: usize,
    way: Option<&'t Way>,
    element: Option<(usize, &'t str)>,
    /// The pick that could make no value of what it found; where the value would go the reason is told.
    pub refused: Option<usize>,
}

impl<'t> Picked<'t> {
    fn at(way: &'t Way, depth: usize) -> Self {
        Self { level: depth + way.depth() - 1, way: Some(way), element: None, refused: None }
    }

    /// Its printed path; `otherwise` before it was made.
    pub fn path(&self, otherwise: &'t str) -> Cow<'t, str> {
        let path = self.way.map_or(otherwise, |way| &way.path);
        match self.element {
            None => Cow::Borrowed(path),
            Some((index, of)) => {
                let mut path = path.to_owned();
                push_index(index, &mut path);
                push_path(of, &mut path);
                Cow::Owned(path)
            }
        }
    }
}

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Makes the values of a scope whose level was just read; `depth` is that level.
    #[inline]
    pub(super) fn picks(&mut self, scope: usize, depth: usize) {
        let plan = &self.own.plan;
        for number in plan.scopes[scope].picks.clone() {
            match &plan.picks[number] {
                Pick::FirstOf(first) => self.first_of(first, depth),
                Pick::Elements(elements) => self.take_elements(number, elements, depth),
                Pick::Flags(flags) => self.flags(number, flags, depth),
                Pick::Object(_) => {} // put together where it is written
                Pick::ToFlags(flags) => self.flags_of_labels(number, flags, depth),
            }
        }
    }

    /// Notes that a value cannot be made, where the value would have gone.
    #[cold]
    pub(super) fn refuse_made(&mut self, made: Option<usize>) {
        let refused = made.and_then(|made| Some((made, self.picked[made].refused?)));
        let Some((made, pick)) = refused else {
            return;
        };
        match &self.own.plan.picks[pick] {
            Pick::FirstOf(_) | Pick::Object(_) => {}
            Pick::Elements(elements) => {
                let (value, way) = self.origin(&elements.origin);
                let take = elements.takes.iter().find(|take| take.made.number == made);
                if let (Some(value), Some(take)) = (value, take) {
                    self.no_array(take, way, value);
                }
            }
            Pick::Flags(flags) => self.refuse_flags(flags),
            Pick::ToFlags(flags) => {
                let (value, way) = self.origin(&flags.origin);
                if let Some(value) = value {
                    let what = "is neither an array nor a text, so it holds no labels";
                    self.misfit((Code::NotAnArray, what), &way.path, value, flags.table, flags.hidden);
                }
            }
        }
    }

    /// Takes the first value that is not null; others that differ from it are left over.
    fn first_of(&mut self, first: &'t FirstOf, depth: usize) {
        let mut taken: Option<(&'t Way, Value<'d>)> = None;
        let mut null = None;
        for way in &first.ways {
            match (self.slots[way.slot], taken) {
                (None, _) => {}
                (Some(value @ (Value::Null | Value::Undefined)), _) => null = null.or(Some(value)),
                (Some(value), None) => taken = Some((way, value)),
                (Some(value), Some((_, kept))) => {
                    if !is_same(&kept, &value) {
                        self.leave_over(way, value, first.hidden);
                    }
                }
            }
        }
        let way = taken.map_or(&first.ways[0], |(way, _)| way);
        self.slots[first.made.slot] = taken.map(|(_, value)| value).or(null);
        self.picked[first.made.number] = Picked::at(way, depth);
    }

    /// The value a pick works on, and where it lies.
    fn origin(&self, origin: &'t Origin) -> (Option<Value<'d>>, &'t Way) {
        match origin {
            Origin::Way(way) => (self.slots[way.slot], way),
            Origin::FirstOf(pick) => match &self.own.plan.picks[*pick] {
                Pick::FirstOf(first) => {
                    (self.slots[first.made.slot], self.picked[first.made.number].way.unwrap_or(&first.ways[0]))
                }
                _ => unreachable!("the plan names another pick than a first_of"),
            },
        }
    }

    fn take_elements(&mut self, number: usize, elements: &'t Elements, depth: usize) {
        let (value, way) = self.origin(&elements.origin);
        let holder = Picked::at(way, depth);
        for take in &elements.takes {
            self.slots[take.made.slot] = None;
            self.picked[take.made.number] = holder;
        }
        self.elements.clear();
        let Some(value) = value else {
            return;
        };
        let single = match value {
            Value::Null | Value::Undefined => {
                elements.takes.iter().for_each(|take| self.slots[take.made.slot] = Some(value));
                return;
            }
            Value::Array(raw) => {
                for element in raw.elements() {
                    match element {
                        Ok(element) => self.elements.push(element.value),
                        Err(error) => return self.malformed(error),
                    }
                }
                false
            }
            single => {
                let mut strict = elements.takes.iter().filter(|take| !take.coerce).peekable();
                if strict.peek().is_some() {
                    return strict.for_each(|take| {
                        self.slots[take.made.slot] = Some(single);
                        self.picked[take.made.number].refused = Some(number);
                    });
                }
                self.elements.push(single);
                true
            }
        };
        let mut whole: Vec<usize> = Vec::with_capacity(elements.takes.len());
        for take in &elements.takes {
            let Some(index) = position(take.index, self.elements.len()) else {
                continue;
            };
            if single {
                self.count_single_of(take.owner);
            }
            let level = if single { holder.level } else { holder.level + 1 };
            if take.of.is_empty() && !whole.contains(&index) {
                whole.push(index);
            }
            match inside(self.elements[index], &take.of) {
                Ok(None) => {}
                Ok(Some(found)) => {
                    self.slots[take.made.slot] = Some(found);
                    self.picked[take.made.number] =
                        Picked { level: level + take.of.len(), element: Some((index, &take.of_path)), ..holder };
                }
                Err(error) => self.malformed(error),
            }
        }
        if whole.len() == self.elements.len() {
            return;
        }
        match elements.dropped {
            None => self.leave_over(way, value, elements.hidden),
            Some(dropped) => {
                self.books.dropped(dropped);
                if let Err(error) = value.validate_at(holder.level) {
                    self.malformed(error);
                }
            }
        }
    }

    fn count_single_of(&mut self, owner: Owner) {
        match owner {
            Owner::Column { table, column } => self.count_single(&self.own.converters[table][column]),
            Owner::Table { table, .. } => self.books.table_change(table, Change::SingleAsArray, 1),
        }
    }

    #[cold]
    fn no_array(&mut self, take: &'t Take, way: &'t Way, value: Value<'d>) {
        match take.owner {
            Owner::Column { table, column } => {
                let refusal = Refusal::new(Code::NotAnArray, "it is not an array, so it has no elements");
                self.refuse(&self.own.converters[table][column], &way.path, Some(value), refusal);
            }
            Owner::Table { table, hidden } => {
                let what = "is not an array, so it has no element";
                self.misfit((Code::NotAnArray, what), &way.path, value, table, hidden);
            }
        }
    }

    /// Reads the flags of one column, and makes the label of a column that holds one.
    fn flags(&mut self, number: usize, flags: &'t Flags, depth: usize) {
        let converter = &self.own.converters[flags.table][flags.column];
        let mut first: Option<&'t Flag> = None;
        let mut wrong = None;
        for flag in &flags.flags {
            let Some(value) = self.slots[flag.way.slot] else {
                continue;
            };
            let set = match read_flag(&value, flags.coerce) {
                Some(set) => set,
                None => {
                    wrong = Some((flag, value));
                    continue;
                }
            };
            if !matches!(value, Value::Bool(_) | Value::Null | Value::Undefined) {
                self.books.column_change(converter.column.number, Change::Coerced, 1);
            }
            match (set, first, flags.made) {
                (true, None, _) => first = Some(flag),
                (true, Some(_), Some(_)) => self.leave_over(&flag.way, value, converter.column.sensitive),
                _ => {}
            }
        }
        if let Some(made) = flags.made {
            self.slots[made.slot] = first.map(|flag| Value::String(&flag.label));
            self.picked[made.number] = Picked::at(&first.unwrap_or(&flags.flags[0]).way, depth);
            if let Some((_, value)) = wrong {
                self.slots[made.slot] = Some(value);
                self.picked[made.number].refused = Some(number);
            }
        }
    }

    /// Notes every field that is no flag.
    #[cold]
    fn refuse_flags(&mut self, flags: &'t Flags) {
        let converter = &self.own.converters[flags.table][flags.column];
        for flag in &flags.flags {
            let Some(value) = self.slots[flag.way.slot].filter(|value| read_flag(value, flags.coerce).is_none()) else {
                continue;
            };
            let name = value.type_name();
            let reason = match as_boolean(&value) {
                Some(_) => format!("a {name} is a flag only where the mapping says coerce"),
                None => format!("a {name} is no flag"),
            };
            self.refuse(converter, &flag.way.path, Some(value), Refusal::new(Code::Type, reason));
        }
    }

    /// Appends what is put together of several fields; false when none of them is there.
    pub(super) fn several(&mut self, table: usize, converter: &'t Converter, depth: usize) -> bool {
        match converter.column.several.map(|pick| &self.own.plan.picks[pick]) {
            Some(Pick::Flags(flags)) => self.labels(table, converter, flags),
            Some(Pick::Object(object)) => self.object(table, converter, object, depth),
            _ => false,
        }
    }

    /// Appends the object of the fields that are there.
    fn object(&mut self, table: usize, converter: &'t Converter, object: &'t Object, depth: usize) -> bool {
        let found = |part: &'t Part| {
            let value = self.slots[part.way.slot]?;
            Some(Member { key: &part.key, path: &part.path, value, depth: depth + part.way.depth() - 1 })
        };
        let members: Vec<Member<'_>> = object.parts.iter().filter_map(found).collect();
        if members.is_empty() {
            return false;
        }
        let out = &mut self.batch.outputs[table];
        match converter.object(&self.own.codec, &members, &mut self.side, out) {
            Ok(_) => self.settle(converter),
            Err(refusal) => self.refuse(converter, "", None, refusal),
        }
        true
    }

    /// Appends the array of the labels whose flags are true; false when none of the fields is there.
    fn labels(&mut self, table: usize, converter: &'t Converter, flags: &'t Flags) -> bool {
        if flags.flags.iter().all(|flag| self.slots[flag.way.slot].is_none()) {
            return false;
        }
        let mut labels: Vec<&[u8]> = Vec::with_capacity(flags.flags.len());
        for flag in &flags.flags {
            match self.slots[flag.way.slot].map(|value| read_flag(&value, flags.coerce)) {
                Some(Some(true)) => labels.push(&flag.label),
                None | Some(Some(false)) => {}
                Some(None) => {
                    self.batch.outputs[table].extend_from_slice(&NULL_FIELD);
                    self.refuse_flags(flags);
                    return true;
                }
            }
        }
        let out = &mut self.batch.outputs[table];
        match converter.labels(&self.own.codec, &labels, &mut self.side, out) {
            Ok(_) => self.settle(converter),
            Err(refusal) => self.refuse(converter, &converter.column.path, None, refusal),
        }
        true
    }

    /// Makes the booleans of the columns that each stand for one label.
    fn flags_of_labels(&mut self, number: usize, flags: &'t ToFlags, depth: usize) {
        let (value, way) = self.origin(&flags.origin);
        let mut found = [false; 64];
        let mut many = Vec::new();
        let found: &mut [bool] = if flags.labels.len() <= found.len() {
            &mut found[..flags.labels.len()]
        } else {
            many.resize(flags.labels.len(), false);
            &mut many
        };
        let known = |value: &Value<'d>, found: &mut [bool]| match value {
            Value::String(text) | Value::Symbol(text) => {
                let at = flags.labels.iter().position(|(label, _)| **label == **text);
                at.map(|at| found[at] = true).is_some()
            }
            _ => false,
        };
        let mut complete = true;
        let mut absent = None;
        let mut refused = None;
        match value {
            None | Some(Value::Null | Value::Undefined) => absent = Some(value),
            Some(Value::Array(raw)) => {
                for element in raw.elements() {
                    match element {
                        Ok(element) => complete &= known(&element.value, found),
                        Err(error) => {
                            self.malformed(error);
                            break;
                        }
                    }
                }
            }
            Some(single @ (Value::String(_) | Value::Symbol(_))) => {
                complete = known(&single, found);
                self.count_single(&self.own.converters[flags.table][flags.column]);
            }
            Some(_) => refused = Some(number),
        }
        for ((_, made), &set) in flags.labels.iter().zip(found.iter()) {
            self.slots[made.slot] = absent.unwrap_or(Some(Value::Bool(set)));
            // One cause for all of them, at the first.
            self.picked[made.number] = Picked { refused: refused.take(), ..Picked::at(way, depth) };
        }
        if let (false, Some(value)) = (complete, value) {
            self.leave_over(way, value, flags.hidden);
        }
    }

    /// Adds a value that a rule looked at and did not take to the leftovers, unless a rule above takes it.
    fn leave_over(&mut self, way: &'t Way, value: Value<'d>, hidden: bool) {
        let plan = &self.own.plan;
        let Some((_, above)) = way.steps.split_last() else {
            return;
        };
        let is_carried = way.slot == self.shape.id_slot || above.iter().any(|&step| plan.entry(step).ruled);
        if !is_carried {
            extras::insert(&mut self.leftovers, way.steps.iter().map(|&step| plan.entry(step)), value, hidden);
        }
    }
}

/// The position of an element counted from either end; none outside the array.
fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index.checked_add(length)? } else { index };
    (0..length).contains(&index).then_some(index as usize)
}

/// The value at a path of keys inside a value; through anything else than a document there is none.
fn inside<'d>(mut value: Value<'d>, keys: &[Box<[u8]>]) -> Result<Option<Value<'d>>, BsonError> {
    for key in keys {
        let Value::Document(raw) = value else {
            return Ok(None);
        };
        match raw.get(key)? {
            Some(element) => value = element.value,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Whether a flag is set; null is not, and what is no flag is none.
fn read_flag(value: &Value<'_>, coerce: bool) -> Option<bool> {
    match value {
        Value::Bool(set) => Some(*set),
        Value::Null | Value::Undefined => Some(false),
        other => as_boolean(other).filter(|_| coerce),
    }
}

/// Whether two values have the same type and the same bytes.
fn is_same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}
