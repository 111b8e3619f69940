//! The second pass: which rows and cells are behind the sums that differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::batch::Batch;

use super::row::{self, take_part, Reader, Sink, NO_ELEMENT, NO_LIST};
use super::side::{Column, Side, Table};
use super::{show, ReadError};

/// Elements of one array that are kept; of further ones only the sum.
const ELEMENTS: usize = 64;

/// What is wrong with a row or a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The row is on the expected side only.
    Missing,
    /// The row is on the actual side only, or more often there.
    Extra,
    /// The cell is another.
    Different,
}

impl Fault {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different => "different",
        }
    }
}

/// One row or cell that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Number of the shared table.
    pub table: usize,
    /// Number of the shared column; `None` for the row itself.
    pub column: Option<usize>,
    /// As PostgreSQL prints the parts; `None` for NULL.
    pub key: Vec<Option<String>>,
    /// The value, shortened; `None` for NULL. Of a row that is on both sides how often.
    pub expected: Option<String>,
    pub actual: Option<String>,
    pub fault: Fault,
}

/// What is looked for in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// By bucket: whether anything is wanted of it.
    any: Vec<bool>,
    /// By column, then bucket; empty for columns of which nothing is wanted.
    columns: Vec<Vec<bool>>,
}

#[derive(Debug)]
struct Element {
    number: i64,
    digest: u128,
    text: Option<Box<str>>,
}

/// What one column of a row holds; NULL is not kept.
#[derive(Debug)]
struct Cell {
    column: usize,
    sum: u128,
    count: u64,
    text: Option<Box<str>>,
    /// Of cells that are elements the first ones, by their numbers.
    elements: Vec<Element>,
}

#[derive(Debug)]
struct Row {
    key: Vec<Option<String>>,
    rows: u64,
    cells: Vec<Cell>,
}

#[derive(Debug, Default)]
struct Found {
    /// By the digests of their keys: those that are lowest.
    kept: BTreeMap<u128, Row>,
    /// Rows beyond the limit.
    beyond: u64,
    /// Whether anything was beyond the limit: then keys above the highest kept one are not known.
    full: bool,
}

/// Reads a side again and keeps what falls into the buckets that are wanted. Memory is that of the rows in the limit.
#[derive(Debug)]
pub struct Finder {
    side: Arc<Side>,
    reader: Reader,
    search: Search,
}

/// The part that takes rows and cells.
#[derive(Debug)]
struct Search {
    wanted: Arc<Vec<Option<Wanted>>>,
    limit: usize,
    found: Vec<Found>,
    /// Of the row in hand.
    table: usize,
    bucket: usize,
    key: u128,
}

impl Finder {
    /// Takes a side, the wanted buckets as JSON and how many rows of each table are kept;
    /// `isthmus._rust.Finder` describes them.
    ///
    /// # Errors
    /// A sentence for JSON that cannot be read, or names what is not there.
    pub fn new(side: &str, wanted: &str, limit: usize) -> Result<Self, String> {
        if limit == 0 {
            return Err("A finder keeps at least one row.".to_owned());
        }
        let side = Side::parse(side)?;
        let wanted = Wanted::parse(wanted, &side)?;
        Ok(Self::of(Arc::new(side), Arc::new(wanted), limit))
    }

    fn of(side: Arc<Side>, wanted: Arc<Vec<Option<Wanted>>>, limit: usize) -> Self {
        let search = Search::new(&side, wanted, limit);
        Self { side, reader: Reader::default(), search }
    }

    /// An empty one of the same side and wishes, which both share.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::of(Arc::clone(&self.side), Arc::clone(&self.search.wanted), self.search.limit)
    }

    /// As [`super::Digester::read_copy`].
    ///
    /// # Errors
    /// As there.
    pub fn read_copy(&mut self, table: usize, data: &[u8]) -> Result<usize, ReadError> {
        row::read(&self.side, &mut self.reader, table, data, &mut self.search)
    }

    /// As [`super::Digester::read_batch`].
    ///
    /// # Errors
    /// As there.
    pub fn read_batch(&mut self, batch: &Batch) -> Result<(), ReadError> {
        row::read_batch(&self.side, &mut self.reader, batch, &mut self.search)
    }

    /// Takes over what another one kept, and leaves it empty.
    ///
    /// # Errors
    /// A sentence when the other looks for something else; then nothing is changed.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), String> {
        self.check_same(other)?;
        let fresh = Search::new(&other.side, Arc::clone(&other.search.wanted), other.search.limit);
        let theirs = std::mem::replace(&mut other.search, fresh);
        for (mine, theirs) in self.search.found.iter_mut().zip(theirs.found) {
            mine.merge(theirs, self.search.limit);
        }
        Ok(())
    }

    /// Rows of each shared table that fell into wanted buckets and were beyond the limit.
    #[must_use]
    pub fn beyond(&self) -> Vec<u64> {
        self.search.found.iter().map(|found| found.beyond).collect()
    }

    /// What differs, by table, key and column; this is the expected side. Rows that one side had beyond its limit are
    /// passed over.
    ///
    /// # Errors
    /// A sentence when the other looks for something else.
    pub fn compare(&self, actual: &Self) -> Result<Vec<Finding>, String> {
        self.check_same(actual)?;
        let mut findings = Vec::new();
        for (table, (expected, actual)) in self.search.found.iter().zip(&actual.search.found).enumerate() {
            let known = expected.highest().min(actual.highest());
            let keys = expected.kept.keys().chain(actual.kept.keys().filter(|key| !expected.kept.contains_key(*key)));
            for key in keys.filter(|key| **key <= known) {
                compare_rows(table, expected.kept.get(key), actual.kept.get(key), &mut findings);
            }
        }
        findings.sort_by(|one, other| (one.table, &one.key, one.column).cmp(&(other.table, &other.key, other.column)));
        Ok(findings)
    }

    fn check_same(&self, other: &Self) -> Result<(), String> {
        self.side.check_same(&other.side)?;
        if self.search.wanted == other.search.wanted && self.search.limit == other.search.limit {
            return Ok(());
        }
        Err("Finders of different wishes or limits cannot be put together.".to_owned())
    }
}

impl Wanted {
    fn parse(json: &str, side: &Side) -> Result<Vec<Option<Self>>, String> {
        let list: Vec<(usize, Option<usize>, Vec<usize>)> =
            serde_json::from_str(json).map_err(|error| format!("What is wanted cannot be read: {error}."))?;
        let mut tables: Vec<Option<Self>> = side.columns.iter().map(|_| None).collect();
        for (table, column, buckets) in list {
            let columns = side.columns.get(table).copied().unwrap_or(0);
            if table >= tables.len() || column.is_some_and(|column| column >= columns) {
                return Err(format!("Column {column:?} of shared table {table} is wanted, which is not there."));
            }
            let wanted = tables[table]
                .get_or_insert_with(|| Self { any: vec![false; side.buckets], columns: vec![Vec::new(); columns] });
            for bucket in buckets {
                let any = wanted.any.get_mut(bucket);
                *any.ok_or_else(|| format!("Bucket {bucket} is wanted, but there are {}.", side.buckets))? = true;
                if let Some(column) = column {
                    let column = &mut wanted.columns[column];
                    column.resize(side.buckets, false);
                    column[bucket] = true;
                }
            }
        }
        Ok(tables)
    }
}

impl Search {
    fn new(side: &Side, wanted: Arc<Vec<Option<Wanted>>>, limit: usize) -> Self {
        let found = side.columns.iter().map(|_| Found::default()).collect();
        Self { wanted, limit, found, table: 0, bucket: 0, key: 0 }
    }
}

impl Sink for Search {
    fn left_out(&mut self, _: usize) {}

    fn begin(&mut self, side: &Side, table: &Table, shared: usize, key: u128, parts: &[u8]) -> bool {
        let bucket = side.bucket(key);
        if !self.wanted[shared].as_ref().is_some_and(|wanted| wanted.any[bucket]) {
            return false;
        }
        (self.table, self.bucket, self.key) = (shared, bucket, key);
        let found = &mut self.found[shared];
        if found.kept.len() >= self.limit && key > found.last() {
            found.full = true;
            found.beyond += u64::from(table.row);
            return false;
        }
        found.kept.entry(key).or_insert_with(|| Row { key: key_texts(table, parts), rows: 0, cells: Vec::new() });
        found.trim(self.limit);
        true
    }

    fn row(&mut self, _: u128) {
        if let Some(row) = self.found[self.table].kept.get_mut(&self.key) {
            row.rows += 1;
        }
    }

    fn wants(&self, column: usize) -> bool {
        let wanted = self.wanted[self.table].as_ref();
        wanted.is_some_and(|wanted| wanted.columns[column].get(self.bucket) == Some(&true))
    }

    fn cell(&mut self, column: &Column, shared: usize, digest: u128, number: Option<i64>, form: Option<&[u8]>) {
        let Some(row) = self.found[self.table].kept.get_mut(&self.key) else { return };
        let element = number.is_some_and(|number| number != NO_LIST);
        let text = form.map(|form| show::text(column, form, element).into_boxed_str());
        let mut cell = Cell { column: shared, sum: digest, count: 1, text: None, elements: Vec::new() };
        match number {
            Some(number) => cell.elements.push(Element { number, digest, text }),
            None => cell.text = text,
        }
        row.add(cell);
    }
}

/// The parts of a key as PostgreSQL prints them.
fn key_texts(table: &Table, mut parts: &[u8]) -> Vec<Option<String>> {
    let part = |&position: &usize| {
        let part = take_part(&mut parts)??;
        Some(show::key(&table.columns[position], part))
    };
    table.key.iter().map(part).collect()
}

impl Found {
    fn last(&self) -> u128 {
        self.kept.last_key_value().map_or(0, |(key, _)| *key)
    }

    /// The highest key up to which everything is known.
    fn highest(&self) -> u128 {
        if self.full {
            self.last()
        } else {
            u128::MAX
        }
    }

    fn trim(&mut self, limit: usize) {
        while self.kept.len() > limit {
            self.full = true;
            self.beyond += self.kept.pop_last().map_or(0, |(_, row)| row.rows);
        }
    }

    fn merge(&mut self, other: Self, limit: usize) {
        self.beyond += other.beyond;
        self.full |= other.full;
        for (key, row) in other.kept {
            match self.kept.get_mut(&key) {
                None => {
                    self.kept.insert(key, row);
                }
                Some(mine) => {
                    mine.rows += row.rows;
                    row.cells.into_iter().for_each(|cell| mine.add(cell));
                }
            }
        }
        self.trim(limit);
    }
}

impl Row {
    fn cell(&self, column: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    fn add(&mut self, cell: Cell) {
        let Some(mine) = self.cells.iter_mut().find(|mine| mine.column == cell.column) else {
            return self.cells.push(cell);
        };
        mine.sum = mine.sum.wrapping_add(cell.sum);
        mine.count += cell.count;
        mine.text = mine.text.take().or(cell.text);
        for element in cell.elements {
            let at = mine.elements.partition_point(|other| other.number <= element.number);
            if at < ELEMENTS {
                mine.elements.insert(at, element);
                mine.elements.truncate(ELEMENTS);
            }
        }
    }
}

fn compare_rows(table: usize, expected: Option<&Row>, actual: Option<&Row>, findings: &mut Vec<Finding>) {
    let Some(either) = expected.or(actual) else { return };
    let mut add = |column, texts: (Option<String>, Option<String>), fault| {
        let key = either.key.clone();
        findings.push(Finding { table, column, key, expected: texts.0, actual: texts.1, fault });
    };
    let rows = |row: Option<&Row>| row.map_or(0, |row| row.rows);
    let (wanted, there) = (rows(expected), rows(actual));
    if wanted != there {
        let fault = if wanted > there { Fault::Missing } else { Fault::Extra };
        let told = wanted > 0 && there > 0;
        let count = |count: u64| told.then(|| count.to_string());
        return add(None, (count(wanted), count(there)), fault);
    }
    let cells = |row: Option<&'_ Row>| -> Vec<usize> {
        row.map_or(Vec::new(), |row| row.cells.iter().map(|cell| cell.column).collect())
    };
    let mut columns = [cells(expected), cells(actual)].concat();
    columns.sort_unstable();
    columns.dedup();
    for column in columns {
        let one = expected.and_then(|row| row.cell(column));
        let other = actual.and_then(|row| row.cell(column));
        if one.map_or(0, |cell| cell.sum) != other.map_or(0, |cell| cell.sum) {
            add(Some(column), texts(one, other), Fault::Different);
        }
    }
}

/// What both sides hold: values, or whole arrays, or the first elements that differ.
fn texts(expected: Option<&Cell>, actual: Option<&Cell>) -> (Option<String>, Option<String>) {
    let of_elements = |cell: Option<&Cell>| cell.is_some_and(|cell| !cell.elements.is_empty());
    if !of_elements(expected) && !of_elements(actual) {
        let text = |cell: Option<&Cell>| cell.and_then(|cell| cell.text.as_deref()).map(str::to_owned);
        return (text(expected), text(actual));
    }
    let whole = |cell: Option<&Cell>| cell.map(whole_array);
    if let (Some(None), _) | (_, Some(None)) = (whole(expected), whole(actual)) {
        return first_element(expected, actual);
    }
    (whole(expected).flatten(), whole(actual).flatten())
}

/// The array that the elements make; none when not all are there, or when it is long.
fn whole_array(cell: &Cell) -> Option<String> {
    if cell.count != cell.elements.len() as u64 {
        return None;
    }
    let mut text = "{".to_owned();
    for (at, element) in cell.elements.iter().enumerate() {
        match element.number {
            NO_ELEMENT if cell.count == 1 && element.text.is_none() => {}
            NO_LIST if cell.count == 1 => return element.text.as_deref().map(str::to_owned),
            number if number == at as i64 => {
                if at > 0 {
                    text.push(',');
                }
                show::push_element(&mut text, element.text.as_deref());
            }
            _ => return None,
        }
    }
    text.push('}');
    (text.chars().count() <= show::CHARACTERS).then_some(text)
}

fn first_element(expected: Option<&Cell>, actual: Option<&Cell>) -> (Option<String>, Option<String>) {
    let elements = |cell: Option<&'_ Cell>| -> Vec<(i64, u128)> {
        cell.map_or(Vec::new(), |cell| cell.elements.iter().map(|element| (element.number, element.digest)).collect())
    };
    let (one, other) = (elements(expected), elements(actual));
    let differ = one.iter().zip(&other).find(|(one, other)| one != other).map(|(one, other)| one.0.min(other.0));
    let shorter = || one.get(other.len()).or(other.get(one.len())).map(|element| element.0);
    let shown = |cell: Option<&Cell>| {
        let cell = cell?;
        let Some(number) = differ.or_else(shorter) else {
            return Some(format!("{} elements, of which the first {ELEMENTS} are equal", cell.count));
        };
        let element = cell.elements.iter().find(|element| element.number == number);
        let Some(element) = element else { return Some(format!("[{number}] is not there")) };
        Some(show::shortened(format!("[{number}] {}", element.text.as_deref().unwrap_or("NULL"))))
    };
    (shown(expected), shown(actual))
}
