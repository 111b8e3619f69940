//! Rows of COPY binary, field by field.
//!
//! Format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use crate::digest::DigestError;

/// What a COPY begins with. As a number of columns its first bytes would be more than a table can have, so no row looks
/// like it.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Flags that a reader must know; there are none any more.
const CRITICAL_FLAGS: u32 = 0xFFFF_0000;
/// Stands where a row would say how many columns it has, after the last one.
const TRAILER: &[u8] = &[0xFF, 0xFF];

const CUT_OFF: &str = "The row is cut off.";

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(u32::from_be_bytes(*head))
}

/// Passes over a header, if there is one.
fn skip_header(rest: &mut &[u8]) -> Result<(), &'static str> {
    let Some(header) = rest.strip_prefix(SIGNATURE) else {
        return Ok(());
    };
    *rest = header;
    let flags = take_u32(rest).ok_or("The header is cut off.")?;
    if flags & CRITICAL_FLAGS != 0 {
        return Err("The header asks for something that is not known.");
    }
    let extension = take_u32(rest).ok_or("The header is cut off.")?;
    take(rest, extension as usize).ok_or("The header is cut off.")?;
    Ok(())
}

/// Hands each row to `each` as its fields, NULL as `None`; returns how many there were.
///
/// # Errors
/// Rows that are cut off or have another number of columns than `width`; what `each` says of a column.
pub(super) fn rows<'d>(
    data: &'d [u8],
    width: usize,
    mut each: impl FnMut(&[Option<&'d [u8]>]) -> Result<(), (usize, &'static str)>,
) -> Result<usize, DigestError> {
    let mut rest = data;
    let mut row = 0;
    let mut fields = vec![None; width];
    skip_header(&mut rest).map_err(|message| DigestError { row, column: None, message })?;
    while !rest.is_empty() {
        if rest == TRAILER {
            break;
        }
        let failed = |column, message| DigestError { row, column, message };
        let count = rest.split_first_chunk::<2>().ok_or_else(|| failed(None, CUT_OFF))?;
        rest = count.1;
        if usize::from(u16::from_be_bytes(*count.0)) != width {
            return Err(failed(None, "The row has another number of columns."));
        }
        for (column, field) in fields.iter_mut().enumerate() {
            let failed = |message| failed(Some(column), message);
            let length = take_u32(&mut rest).ok_or_else(|| failed(CUT_OFF))? as i32;
            *field = if length == -1 {
                None
            } else {
                let length = usize::try_from(length).map_err(|_| failed("A value has a negative length."))?;
                Some(take(&mut rest, length).ok_or_else(|| failed(CUT_OFF))?)
            };
        }
        each(&fields).map_err(|(column, message)| failed(Some(column), message))?;
        row += 1;
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[u8], width: usize) -> Result<Vec<Vec<Option<Vec<u8>>>>, DigestError> {
        let mut read = Vec::new();
        let count = rows(data, width, |fields| {
            read.push(fields.iter().map(|field| field.map(<[u8]>::to_vec)).collect());
            Ok(())
        })?;
        assert_eq!(count, read.len());
        Ok(read)
    }

    const ROW: &[u8] = b"\0\x02\0\0\0\x01a\xff\xff\xff\xff";

    #[test]
    fn header_and_trailer_are_passed_over_wherever_they_belong() {
        let header = [SIGNATURE, &[0, 0, 0, 1, 0, 0, 0, 2, 9, 9]].concat();
        let row = vec![Some(b"a".to_vec()), None];
        for (data, count) in [
            (Vec::new(), 0),
            (header.clone(), 0),
            (TRAILER.to_vec(), 0),
            ([&header, TRAILER].concat(), 0),
            ([&header, ROW].concat(), 1),
            ([ROW, ROW, TRAILER].concat(), 2),
            ([&header, ROW, ROW, TRAILER].concat(), 2),
        ] {
            assert_eq!(read(&data, 2), Ok(vec![row.clone(); count]));
        }
    }

    #[test]
    fn what_is_no_row_is_an_error_at_its_place() {
        let header = [SIGNATURE, &[0; 8]].concat();
        for end in 1..header.len() {
            assert!(read(&header[..end], 2).is_err(), "{end}");
        }
        for end in 1..ROW.len() {
            assert_eq!(read(&[ROW, &ROW[..end]].concat(), 2).unwrap_err().row, 1, "{end}");
        }
        assert!(read(&[SIGNATURE, &[0, 1, 0, 0, 0, 0, 0, 0]].concat(), 2).is_err());
        assert!(read(&[ROW, TRAILER, ROW].concat(), 2).is_err());
        assert!(read(&[ROW, &header].concat(), 2).is_err());
        assert_eq!(read(ROW, 1).unwrap_err().column, None);
        assert_eq!(read(b"\0\x01\xff\xff\xff\xfe", 1).unwrap_err().column, Some(0));
        assert_eq!(read(b"\0\x01\x7f\xff\xff\xff", 1).unwrap_err().column, Some(0));
    }
}
