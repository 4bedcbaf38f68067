//! One array in a `.npy` file.

use super::header::{Header, Kind, invalid};
use super::{at, open, within};
use crate::buffer::Buffer;
use crate::dtype::with_type;
use crate::memory::human;
use crate::{Array, DType, Element, Precision, Result, shape};
use half::{bf16, f16};
use std::io::{BufReader, Read};
use std::path::Path;

/// Bytes read at a time; a multiple of every element's width.
const CHUNK: usize = 1 << 16;

/// The array in the bytes of an `.npy` file; bytes behind its elements are ignored, as NumPy ignores them.
///
/// # Errors
/// Where the bytes are no such file, end early, hold elements that are no numbers, or memory is refused.
pub fn read_npy(bytes: &[u8]) -> Result<Array> {
    read(bytes, bytes.len() as u64).map(|(array, _)| array)
}

/// The array in the file at `path`.
///
/// # Errors
/// As for [`read_npy`], and where the file can't be read.
pub fn load_npy(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    let (file, length) = open(path)?;
    read(BufReader::new(file), length).map(|(array, _)| array).map_err(|error| within(path, error))
}

/// The array in the `length` bytes of `reader`, and the precision of its elements.
pub fn read<R: Read>(mut reader: R, length: u64) -> Result<(Array, Precision)> {
    let header = Header::read(&mut reader)?;
    Ok((behind(&header, reader, length)?, precision(&header)))
}

/// The precision of the elements that a header tells of.
pub fn precision(header: &Header) -> Precision {
    match (header.kind, header.width) {
        (Kind::Float, 2) => Precision::F16,
        (Kind::Float, 4) => Precision::F32,
        (Kind::Float, _) => Precision::F64,
        (Kind::BFloat, _) => Precision::BF16,
        (Kind::Signed | Kind::Unsigned | Kind::Bool, _) => Precision::Whole,
    }
}

/// The array behind a header that has been read, in a file of `length` bytes.
pub fn behind<R: Read>(header: &Header, reader: R, length: u64) -> Result<Array> {
    let len = shape::len("npy", &header.shape)?;
    // At most isize::MAX, by `shape::len`.
    let needed = len * header.width;
    let there = length.saturating_sub(header.length as u64);
    if there < needed as u64 {
        return Err(truncated(header, needed, there as usize));
    }
    match (header.kind, header.width) {
        (Kind::Float, 2) => elements(reader, header, len, f16::from_le_bytes, |value| Ok(value.to_f32())),
        (Kind::BFloat, _) => elements(reader, header, len, bf16::from_le_bytes, |value| Ok(value.to_f32())),
        (Kind::Float, 4) => elements(reader, header, len, f32::from_le_bytes, Ok),
        (Kind::Float, _) => elements(reader, header, len, f64::from_le_bytes, Ok),
        (Kind::Signed, 1) => elements(reader, header, len, i8::from_le_bytes, |value| Ok(i64::from(value))),
        (Kind::Signed, 2) => elements(reader, header, len, i16::from_le_bytes, |value| Ok(i64::from(value))),
        (Kind::Signed, 4) => elements(reader, header, len, i32::from_le_bytes, |value| Ok(i64::from(value))),
        (Kind::Signed, _) => elements(reader, header, len, i64::from_le_bytes, Ok),
        (Kind::Bool, _) => {
            elements(reader, header, len, u8::from_le_bytes, |value| Ok(i64::from(value != 0)))
        }
        (Kind::Unsigned, 1) => elements(reader, header, len, u8::from_le_bytes, |value| Ok(i64::from(value))),
        (Kind::Unsigned, 2) => {
            elements(reader, header, len, u16::from_le_bytes, |value| Ok(i64::from(value)))
        }
        (Kind::Unsigned, 4) => {
            elements(reader, header, len, u32::from_le_bytes, |value| Ok(i64::from(value)))
        }
        (Kind::Unsigned, _) => elements(reader, header, len, u64::from_le_bytes, |value| {
            i64::try_from(value).map_err(|_| invalid(format!("{value} is no i64")))
        }),
    }
}

/// Reads `len` elements of `N` bytes each.
fn elements<const N: usize, S, T: Element>(
    mut reader: impl Read,
    header: &Header,
    len: usize,
    decode: impl Fn([u8; N]) -> S,
    convert: impl Fn(S) -> Result<T>,
) -> Result<Array> {
    let mut buffer = Buffer::<T>::zeroed(len)?;
    let mut bytes = vec![0; CHUNK.min(len * N)];
    let mut done = 0;
    for part in buffer.as_mut_slice().chunks_mut(CHUNK / N) {
        let bytes = &mut bytes[..part.len() * N];
        reader.read_exact(bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => truncated(header, len * N, done),
            _ => invalid(error),
        })?;
        done += bytes.len();
        for (element, bytes) in part.iter_mut().zip(bytes.chunks_exact(N)) {
            let mut bytes: [u8; N] = bytes.try_into().expect("chunks of N bytes");
            if header.big_endian {
                bytes.reverse();
            }
            *element = convert(decode(bytes))?;
        }
    }
    if !header.fortran {
        return Ok(Array::from_buffer(&header.shape, buffer));
    }
    // Fortran's order is the transpose's row-major order.
    let reversed: Vec<usize> = header.shape.iter().rev().copied().collect();
    let axes: Vec<usize> = (0..header.shape.len()).rev().collect();
    Array::from_buffer(&reversed, buffer).permute(&axes)
}

fn truncated(header: &Header, needed: usize, there: usize) -> crate::Error {
    let shape = &header.shape;
    invalid(format!("truncated: {shape:?} needs {}, at most {} are there", human(needed), human(there)))
}

/// The bytes of an `.npy` file with this array in row-major order.
///
/// # Errors
/// Where memory is refused.
pub fn npy_bytes(array: &Array) -> Result<Vec<u8>> {
    let source = array.contiguous()?;
    let descr = match array.dtype() {
        DType::F32 => "<f4",
        DType::F64 => "<f8",
        DType::I64 => "<i8",
    };
    let sizes: String = array.shape().iter().map(|size| format!("{size}, ")).collect();
    // A tuple of one is `(3,)`; NumPy writes no comma behind the last of more, and reads both.
    let sizes = if array.ndim() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Version 1.0: ten bytes, then the header, padded so that the elements begin at a multiple of 64.
    let padding = 63 - (10 + text.len()) % 64;
    text += &" ".repeat(padding);
    text.push('\n');
    let length = u16::try_from(text.len()).map_err(|_| invalid(format!("{} axes", array.ndim())))?;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
    with_type!(array.dtype(), T => {
        let values = source.as_slice::<T>().expect("contiguous and of this dtype");
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    });
    Ok(bytes)
}

/// Writes `array` to a new `.npy` file at `path`, or over the old one.
///
/// # Errors
/// Where the file can't be written, or memory is refused.
pub fn save_npy(array: &Array, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    std::fs::write(path, npy_bytes(array)?).map_err(|error| at(path, error))
}
