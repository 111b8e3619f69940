//! Sums of digests of what tables hold: equal sums mean equal contents, in whatever order the rows came.
//!
//! One side is what documents become, the other what a database gives back; both are COPY binary rows. A value is first
//! written in its canonical form, so that only a difference in meaning is one. A cell's digest is XXH3 with 128 bits over
//! its key's digest and that form; digests are added up by table, by column and by bucket, which the key chooses. So
//! values that changed places are seen, and a difference is looked for in a small part of the rows. A row adds one more
//! digest, of its key alone. NULL adds nothing. Sums, unlike XOR, also tell once from three times.
//!
//! Canonical forms (numbers are little-endian), and what each does not tell apart:
//!
//! | type | form | not seen |
//! |---|---|---|
//! | `boolean` | one byte | |
//! | `smallint`, `integer`, `bigint` | eight bytes | which of the three it was |
//! | `real`, `double` | the bits, big-endian, of their own width; -0 stays apart from 0 | which NaN it was |
//! | `numeric` | sign, display scale, weight, groups of four digits without outer zeros: 1.0 is not 1.00 | |
//! | `numeric(p, s)` | the same after rounding to `s` digits, halves away from zero, as the server does | digits beyond `s` |
//! | `text`, enums | the bytes | the enum's type |
//! | `varchar(n)` | the bytes | spaces beyond the `n`th character, which the server cuts |
//! | `date` | four bytes | |
//! | `timestamp(p)`, `timestamptz(p)` | eight bytes, rounded to `p` digits, halves away from 2000-01-01, as the server does | digits beyond `p`; which of the two it was |
//! | `uuid`, `bytea` | the bytes | |
//! | `jsonb` | its text as the server prints it: keys by length, then bytes; numbers without exponent, zeros at a fraction's end kept (a number of more than 64 characters has a shorter form) | order of keys, all but the last of equal ones, spaces, escapes, exponents, the sign of 0 |
//! | arrays | number of dimensions; length and lower bound of each; of each element its length and form, or a mark for NULL | the OID of the elements' type |
//!
//! Not seen either: what the core itself got wrong when it wrote the rows, and accidents with a probability of 2^-128.

mod array;
mod copy;
mod finder;
mod form;
mod group;
mod json;
mod number;
mod row;
mod show;
mod side;
mod sums;

use std::sync::Arc;

use crate::batch::Batch;
use crate::digest::DigestError;

pub use finder::{Fault, Finder, Finding};

use row::Reader;
use side::Side;
use sums::Sums;

/// Why a batch or rows cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Rows that COPY did not write.
    Rows(DigestError),
    /// The side has no such table, or the batch is not of it.
    Table(String),
}

impl From<DigestError> for ReadError {
    fn from(error: DigestError) -> Self {
        Self::Rows(error)
    }
}

/// Where two digesters differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the shared table.
    pub table: usize,
    /// Number of the shared column; `None` for the rows themselves.
    pub column: Option<usize>,
    /// One bit a bucket, the lowest of the first byte for the first.
    pub buckets: Vec<u8>,
}

/// Adds up one side. Memory is that of its buckets, however many rows there are.
#[derive(Debug)]
pub struct Digester {
    side: Arc<Side>,
    sums: Sums,
    reader: Reader,
}

impl Digester {
    /// Takes a side as JSON; `isthmus._rust.Digester` describes it.
    ///
    /// # Errors
    /// A sentence for a side that cannot be read or contradicts itself.
    pub fn new(side: &str) -> Result<Self, String> {
        Ok(Self::of(Arc::new(Side::parse(side)?)))
    }

    fn of(side: Arc<Side>) -> Self {
        let sums = Sums::new(&side);
        Self { side, sums, reader: Reader::default() }
    }

    /// An empty one of the same side, which both share.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::of(Arc::clone(&self.side))
    }

    /// Adds rows of COPY binary to a table of this side; a header before them and a trailer behind them are passed over.
    /// Returns how many rows there were.
    ///
    /// # Errors
    /// Rows that are cut off or are not those of the table. Rows before the first such one are added.
    pub fn read_copy(&mut self, table: usize, data: &[u8]) -> Result<usize, ReadError> {
        row::read(&self.side, &mut self.reader, table, data, &mut self.sums)
    }

    /// Adds all rows of a batch, whose tables are those of this side.
    ///
    /// # Errors
    /// A batch of another number of tables, or a row that its table does not describe.
    pub fn read_batch(&mut self, batch: &Batch) -> Result<(), ReadError> {
        row::read_batch(&self.side, &mut self.reader, batch, &mut self.sums)
    }

    /// Takes over what another one added up, and leaves it empty.
    ///
    /// # Errors
    /// A sentence when the other has other buckets or shared tables; then nothing is changed.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), String> {
        self.side.check_same(&other.side)?;
        self.sums.merge(std::mem::replace(&mut other.sums, Sums::new(&other.side)));
        Ok(())
    }

    /// Rows of each shared table.
    #[must_use]
    pub fn rows(&self) -> Vec<u64> {
        self.sums.rows()
    }

    /// Rows of each shared table that were left out.
    #[must_use]
    pub fn left_out(&self) -> Vec<u64> {
        self.sums.left_out()
    }

    /// Cells of each shared column that added anything.
    #[must_use]
    pub fn cells(&self) -> Vec<Vec<u64>> {
        self.sums.cells()
    }

    /// Where the sums differ, by table; of each the rows first, then by column.
    ///
    /// # Errors
    /// A sentence when the other has other buckets or shared tables.
    pub fn compare(&self, other: &Self) -> Result<Vec<Difference>, String> {
        self.side.check_same(&other.side)?;
        Ok(self.sums.compare(&other.sums))
    }
}
