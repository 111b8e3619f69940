//! The sums of one side, by table, bucket and column.

use super::row::Sink;
use super::side::{Column, Side, Table};
use super::Difference;

#[derive(Debug, Default, Clone)]
struct TableSums {
    rows: u64,
    left_out: u64,
    /// By column.
    cells: Vec<u64>,
    /// Of each bucket the sum of its rows, then those of its columns: what one row adds lies together. Empty until the
    /// first row.
    sums: Vec<u128>,
}

#[derive(Debug)]
pub(super) struct Sums {
    buckets: usize,
    tables: Vec<TableSums>,
    /// The table of the row in hand, and where its bucket begins.
    table: usize,
    start: usize,
}

impl Sink for Sums {
    fn left_out(&mut self, table: usize) {
        self.tables[table].left_out += 1;
    }

    #[inline]
    fn begin(&mut self, side: &Side, _: &Table, shared: usize, key: u128, _: &[u8]) -> bool {
        let table = &mut self.tables[shared];
        let width = table.cells.len() + 1;
        if table.sums.is_empty() {
            table.sums = vec![0; width * self.buckets];
        }
        self.table = shared;
        self.start = side.bucket(key) * width;
        true
    }

    #[inline]
    fn row(&mut self, digest: u128) {
        let table = &mut self.tables[self.table];
        table.rows += 1;
        let sum = &mut table.sums[self.start];
        *sum = sum.wrapping_add(digest);
    }

    #[inline]
    fn wants(&self, _: usize) -> bool {
        true
    }

    #[inline]
    fn cell(&mut self, _: &Column, shared: usize, digest: u128, _: Option<i64>, _: Option<&[u8]>) {
        let table = &mut self.tables[self.table];
        table.cells[shared] += 1;
        let sum = &mut table.sums[self.start + 1 + shared];
        *sum = sum.wrapping_add(digest);
    }
}

impl Sums {
    pub(super) fn new(side: &Side) -> Self {
        let tables = side.columns.iter().map(|&columns| TableSums { cells: vec![0; columns], ..TableSums::default() });
        Self { buckets: side.buckets, tables: tables.collect(), table: 0, start: 0 }
    }

    /// Both are of the same buckets and shared tables.
    pub(super) fn merge(&mut self, other: Self) {
        for (mine, theirs) in self.tables.iter_mut().zip(other.tables) {
            mine.rows += theirs.rows;
            mine.left_out += theirs.left_out;
            mine.cells.iter_mut().zip(&theirs.cells).for_each(|(cells, more)| *cells += more);
            if mine.sums.is_empty() {
                mine.sums = theirs.sums;
            } else {
                mine.sums.iter_mut().zip(&theirs.sums).for_each(|(sum, more)| *sum = sum.wrapping_add(*more));
            }
        }
    }

    pub(super) fn rows(&self) -> Vec<u64> {
        self.tables.iter().map(|table| table.rows).collect()
    }

    pub(super) fn left_out(&self) -> Vec<u64> {
        self.tables.iter().map(|table| table.left_out).collect()
    }

    pub(super) fn cells(&self) -> Vec<Vec<u64>> {
        self.tables.iter().map(|table| table.cells.clone()).collect()
    }

    /// Both are of the same buckets and shared tables.
    pub(super) fn compare(&self, other: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (number, (mine, theirs)) in self.tables.iter().zip(&other.tables).enumerate() {
            let width = mine.cells.len() + 1;
            for column in 0..width {
                let mut buckets = vec![0; self.buckets.div_ceil(8)];
                for bucket in 0..self.buckets {
                    let at = bucket * width + column;
                    let sum = |table: &TableSums| table.sums.get(at).copied().unwrap_or(0);
                    if sum(mine) != sum(theirs) {
                        buckets[bucket / 8] |= 1 << (bucket % 8);
                    }
                }
                if buckets.iter().any(|&byte| byte != 0) {
                    differences.push(Difference { table: number, column: column.checked_sub(1), buckets });
                }
            }
        }
        differences
    }
}
