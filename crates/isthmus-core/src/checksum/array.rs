//! Arrays as `array_send` writes them.

const WRONG: &str = "An array is none.";
/// `MAXDIM` of PostgreSQL.
const MAX_DIMENSIONS: usize = 6;

/// An array whose head was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Array<'a> {
    /// Length and lower bound of each dimension.
    dimensions: [(i32, i32); MAX_DIMENSIONS],
    depth: usize,
    count: usize,
    elements: &'a [u8],
}

fn take_i32(rest: &mut &[u8]) -> Result<i32, &'static str> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(WRONG)?;
    *rest = tail;
    Ok(i32::from_be_bytes(*head))
}

impl<'a> Array<'a> {
    pub(super) fn read(value: &'a [u8]) -> Result<Self, &'static str> {
        let mut rest = value;
        let depth = usize::try_from(take_i32(&mut rest)?).map_err(|_| WRONG)?;
        // Flags, and the element type's OID, which differs between databases.
        take_i32(&mut rest)?;
        take_i32(&mut rest)?;
        if depth > MAX_DIMENSIONS {
            return Err(WRONG);
        }
        let mut dimensions = [(0, 0); MAX_DIMENSIONS];
        let mut count = usize::from(depth > 0);
        for dimension in &mut dimensions[..depth] {
            let length = take_i32(&mut rest)?;
            *dimension = (length, take_i32(&mut rest)?);
            let length = usize::try_from(length).map_err(|_| WRONG)?;
            count = count.checked_mul(length).ok_or(WRONG)?;
        }
        // An element takes at least the four bytes of its length.
        if count > rest.len() / 4 || (count == 0 && !rest.is_empty()) {
            return Err(WRONG);
        }
        Ok(Self { dimensions, depth: if count == 0 { 0 } else { depth }, count, elements: rest })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One dimension that counts from 1, or nothing at all.
    pub(super) fn is_list(&self) -> bool {
        self.depth == 0 || (self.depth == 1 && self.dimensions[0].1 == 1)
    }

    /// Hands out the elements in order, NULL as `None`.
    pub(super) fn each(
        &self,
        mut each: impl FnMut(usize, Option<&'a [u8]>) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        let mut rest = self.elements;
        for index in 0..self.count {
            let length = take_i32(&mut rest)?;
            if length == -1 {
                each(index, None)?;
                continue;
            }
            let length = usize::try_from(length).map_err(|_| WRONG)?;
            let (element, tail) = rest.split_at_checked(length).ok_or(WRONG)?;
            rest = tail;
            each(index, Some(element))?;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(WRONG)
        }
    }

    /// Appends the form, each element's by `write`.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        mut write: impl FnMut(&'a [u8], &mut Vec<u8>) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        out.push(self.depth as u8);
        for (length, lower) in &self.dimensions[..self.depth] {
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&lower.to_le_bytes());
        }
        self.each(|_, element| {
            let start = out.len();
            out.extend_from_slice(&u32::MAX.to_le_bytes());
            if let Some(element) = element {
                write(element, out)?;
                let length = u32::try_from(out.len() - start - 4).map_err(|_| WRONG)?;
                out[start..start + 4].copy_from_slice(&length.to_le_bytes());
            }
            Ok(())
        })
    }
}
