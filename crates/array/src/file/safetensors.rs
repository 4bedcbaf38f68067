//! Arrays by name in a `.safetensors` file: eight bytes of length, a JSON header of so many bytes, then the elements.
//!
//! Source of the format: <https://github.com/huggingface/safetensors>. The header is read and held against the length of the
//! file by the crate of that name; elements are read as those of an `.npy` file are.

use super::header::{Header, Kind};
use super::{at, npy, within};
use crate::{Array, Error, MOST_AXES, Precision, Result, memory};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::path::Path;

/// Some hundred bytes describe an array: this is room for ten thousand. A header is taken apart before its arrays are looked
/// at, and what that takes is bounded by its length alone.
const LONGEST_HEADER: u64 = 1 << 20;

/// What that takes, for each byte of the header: the tree, the table of names, and the copies made on the way.
const BYTES_OF_A_BYTE: usize = 16;

/// The arrays in these bytes, in the order of their elements, each with its precision.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Array, Precision)>> {
    let length = bytes.first_chunk().map_or(0, |&length| u64::from_le_bytes(length));
    if length > LONGEST_HEADER {
        return Err(at(path, format!("a header of {length} bytes")).with_hint("is this a safetensors file?"));
    }
    memory::room(BYTES_OF_A_BYTE * length as usize)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| malformed(path, &error))?;
    let mut views = tensors.tensors();
    // Where elements begin; arrays without elements begin where others do.
    views.sort_by(|(a, x), (b, y)| (x.data().as_ptr(), a).cmp(&(y.data().as_ptr(), b)));
    if views.is_empty() {
        return Err(at(path, "it holds no arrays"));
    }
    let arrays = views.into_iter().map(|(name, view)| {
        let place = path.join(&name);
        let header = header(view.dtype(), view.shape()).map_err(|error| within(&place, error))?;
        let data = view.data();
        let array = npy::behind(&header, data, data.len() as u64).map_err(|error| within(&place, error))?;
        Ok((name, array, npy::precision(&header)))
    });
    arrays.collect()
}

/// The same as an `.npy` file would say it.
fn header(dtype: Dtype, shape: &[usize]) -> Result<Header> {
    let (kind, width) = match dtype {
        Dtype::F64 => (Kind::Float, 8),
        Dtype::F32 => (Kind::Float, 4),
        Dtype::F16 => (Kind::Float, 2),
        Dtype::BF16 => (Kind::BFloat, 2),
        Dtype::I64 => (Kind::Signed, 8),
        Dtype::I32 => (Kind::Signed, 4),
        Dtype::I16 => (Kind::Signed, 2),
        Dtype::I8 => (Kind::Signed, 1),
        Dtype::U64 => (Kind::Unsigned, 8),
        Dtype::U32 => (Kind::Unsigned, 4),
        Dtype::U16 => (Kind::Unsigned, 2),
        Dtype::U8 => (Kind::Unsigned, 1),
        Dtype::BOOL => (Kind::Bool, 1),
        other => {
            return Err(Error::file(format!("elements of type {other}"))
                .with_hint("f64, f32, f16, bf16, integers and booleans can be read"));
        }
    };
    if shape.len() > MOST_AXES {
        return Err(Error::file(format!("an array of more than {MOST_AXES} axes")));
    }
    Ok(Header { kind, width, big_endian: false, fortran: false, shape: shape.to_vec(), length: 0 })
}

fn malformed(path: &Path, error: &SafeTensorError) -> Error {
    let said = at(path, format!("safetensors: {error}"));
    match error {
        // Of two arrays with one name the crate keeps the last, and then finds a gap among the elements.
        SafeTensorError::InvalidOffset(_) => {
            said.with_hint("elements must follow one another, and each name stand once")
        }
        SafeTensorError::MetadataIncompleteBuffer => said.with_hint("is the file complete?"),
        _ => said,
    }
}
