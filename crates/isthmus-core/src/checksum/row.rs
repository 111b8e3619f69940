//! Rows taken apart into their key and their cells.

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::batch::Batch;

use super::array::Array;
use super::json::Json;
use super::side::{Cells, Column, Side, Table};
use super::{copy, ReadError};

/// Bytes before a cell's form: the key's digest. Its table and column need not be in its digest, for their sums are apart.
const PREFIX: usize = 16;
/// Number of an element that stands for an array without any.
pub(super) const NO_ELEMENT: i64 = -1;
/// Number of an element that stands for an array that is no list: with several dimensions, or counting not from 1.
pub(super) const NO_LIST: i64 = -2;

/// Length of a key part that is NULL.
const NULL_PART: u32 = u32::MAX;

/// What becomes of rows and cells.
pub(super) trait Sink {
    /// A row that is left out.
    fn left_out(&mut self, table: usize);

    /// The row that comes next; false when its cells are not wanted. `parts` are the forms of its key.
    fn begin(&mut self, side: &Side, table: &Table, shared: usize, key: u128, parts: &[u8]) -> bool;

    /// The digest of the row itself; not of tables whose rows do not count.
    fn row(&mut self, digest: u128);

    /// Whether a cell of this column is wanted.
    fn wants(&self, column: usize) -> bool;

    /// One cell, with its form; of an element also its number, and no form where it is NULL.
    fn cell(&mut self, column: &Column, shared: usize, digest: u128, element: Option<i64>, form: Option<&[u8]>);
}

/// Room that is used again for every row.
#[derive(Debug, Default)]
pub(super) struct Reader {
    json: Json,
    parts: Vec<u8>,
    cell: Vec<u8>,
}

/// Appends one part of a key with its length.
pub(super) fn put_part<E>(parts: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let start = parts.len();
    parts.extend_from_slice(&[0; 4]);
    write(parts)?;
    // A field is shorter than 2 GiB, and no form is much longer than its field.
    let length = (parts.len() - start - 4) as u32;
    parts[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Takes the first part off a key; `Some(None)` for NULL.
pub(super) fn take_part<'p>(parts: &mut &'p [u8]) -> Option<Option<&'p [u8]>> {
    let (length, rest) = parts.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == NULL_PART {
        *parts = rest;
        return Some(None);
    }
    let (part, rest) = rest.split_at_checked(length as usize)?;
    *parts = rest;
    Some(Some(part))
}

/// Reads rows of the table at this position.
pub(super) fn read(
    side: &Side,
    reader: &mut Reader,
    table: usize,
    data: &[u8],
    sink: &mut impl Sink,
) -> Result<usize, ReadError> {
    let Some(table) = side.tables.get(table) else {
        return Err(ReadError::Table(format!("The side has no table {table}.")));
    };
    Ok(match table.shared {
        Some(shared) => copy::rows(data, table.columns.len(), |fields| reader.row(side, table, shared, fields, sink)),
        None => copy::rows(data, table.columns.len(), |_| Ok(())),
    }?)
}

/// Reads all tables of a batch.
pub(super) fn read_batch(
    side: &Side,
    reader: &mut Reader,
    batch: &Batch,
    sink: &mut impl Sink,
) -> Result<(), ReadError> {
    if batch.outputs.len() != side.tables.len() {
        let (given, known) = (batch.outputs.len(), side.tables.len());
        return Err(ReadError::Table(format!("The batch has {given} tables, but the side {known}.")));
    }
    for (table, output) in batch.outputs.iter().enumerate() {
        read(side, reader, table, output, sink)?;
    }
    Ok(())
}

type Wrong = (usize, &'static str);

impl Reader {
    fn row(
        &mut self,
        side: &Side,
        table: &Table,
        shared: usize,
        fields: &[Option<&[u8]>],
        sink: &mut impl Sink,
    ) -> Result<(), Wrong> {
        if !table.left_out.is_empty() && self.is_left_out(side, table, fields)? {
            if table.row {
                sink.left_out(shared);
            }
            return Ok(());
        }
        self.parts.clear();
        for &position in &table.key {
            match fields[position] {
                None => self.parts.extend_from_slice(&NULL_PART.to_le_bytes()),
                Some(value) => {
                    let (column, json) = (&table.columns[position], &mut self.json);
                    put_part(&mut self.parts, |out| column.write(value, side, json, out))
                        .map_err(|wrong| (position, wrong))?;
                }
            }
        }
        let key = xxh3_128_with_seed(&self.parts, side.seed.wrapping_add(1)); // a cell must not look like a key
        if !sink.begin(side, table, shared, key, &self.parts) {
            return Ok(());
        }
        self.cell.clear();
        self.cell.extend_from_slice(&key.to_le_bytes());
        if table.row {
            sink.row(xxh3_128_with_seed(&self.cell, side.seed));
        }
        for &(position, shared) in &table.compared {
            let column = &table.columns[position];
            let yields = column.unless.iter().any(|&other| fields[other].is_some());
            if yields || !sink.wants(shared) {
                continue;
            }
            self.cell.truncate(PREFIX);
            self.cells(side, table, column, shared, fields[position], fields, sink)
                .map_err(|wrong| (position, wrong))?;
        }
        Ok(())
    }

    fn is_left_out(&mut self, side: &Side, table: &Table, fields: &[Option<&[u8]>]) -> Result<bool, Wrong> {
        let Some((position, value)) = table.owner.and_then(|position| Some((position, fields[position]?))) else {
            return Ok(false);
        };
        self.cell.clear();
        let written = table.columns[position].write(value, side, &mut self.json, &mut self.cell);
        written.map_err(|wrong| (position, wrong))?;
        Ok(table.left_out.contains(&self.cell[..]))
    }

    /// The cell, or cells, of one field.
    #[allow(clippy::too_many_arguments)]
    #[inline]
    fn cells(
        &mut self,
        side: &Side,
        table: &Table,
        column: &Column,
        shared: usize,
        value: Option<&[u8]>,
        fields: &[Option<&[u8]>],
        sink: &mut impl Sink,
    ) -> Result<(), &'static str> {
        match column.cells {
            Cells::One => {
                let Some(value) = value else { return Ok(()) };
                column.write(value, side, &mut self.json, &mut self.cell)?;
                let digest = xxh3_128_with_seed(&self.cell, side.seed);
                sink.cell(column, shared, digest, None, Some(&self.cell[PREFIX..]));
                Ok(())
            }
            Cells::Element(position) => {
                let number = fields[position].ok_or("An element has no number.")?;
                let number = table.columns[position].number(number)?;
                self.element(side, column, shared, number, value, sink)
            }
            Cells::Elements => {
                let Some(value) = value else { return Ok(()) };
                let array = Array::read(value)?;
                if array.is_empty() {
                    return self.element(side, column, shared, NO_ELEMENT, None, sink);
                }
                if !array.is_list() {
                    return self.put_element(side, column, shared, NO_LIST, true, sink, |reader| {
                        column.write(value, side, &mut reader.json, &mut reader.cell)
                    });
                }
                array.each(|index, value| self.element(side, column, shared, index as i64, value, sink))
            }
        }
    }

    fn element(
        &mut self,
        side: &Side,
        column: &Column,
        shared: usize,
        number: i64,
        value: Option<&[u8]>,
        sink: &mut impl Sink,
    ) -> Result<(), &'static str> {
        self.put_element(side, column, shared, number, value.is_some(), sink, |reader| match value {
            Some(value) => column.write_single(value, side, &mut reader.json, &mut reader.cell),
            None => Ok(()),
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn put_element(
        &mut self,
        side: &Side,
        column: &Column,
        shared: usize,
        number: i64,
        present: bool,
        sink: &mut impl Sink,
        write: impl FnOnce(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        self.cell.truncate(PREFIX);
        self.cell.extend_from_slice(&number.to_le_bytes());
        self.cell.push(u8::from(present));
        let start = self.cell.len();
        write(self)?;
        let digest = xxh3_128_with_seed(&self.cell, side.seed);
        sink.cell(column, shared, digest, Some(number), present.then(|| &self.cell[start..]));
        Ok(())
    }
}

impl Column {
    /// Appends the form of a value, an array or not.
    #[inline]
    fn write(&self, value: &[u8], side: &Side, json: &mut Json, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if self.array {
            return Array::read(value)?.write(out, |element, out| self.write_single(element, side, json, out));
        }
        self.write_single(value, side, json, out)
    }

    #[inline]
    fn write_single(&self, value: &[u8], side: &Side, json: &mut Json, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let ids = self.ids.and_then(|group| side.groups.get(group));
        self.form.write(value, ids, &side.groups, json, out)
    }

    /// The number in a column of whole numbers.
    fn number(&self, value: &[u8]) -> Result<i64, &'static str> {
        let mut form = Vec::with_capacity(8);
        self.form.write(value, None, &[], &mut Json::default(), &mut form)?;
        let form = form.try_into().map_err(|_| "An element's number is none.")?;
        Ok(i64::from_le_bytes(form))
    }
}
