//! NumPy's files: one array in `.npy`, several by name in `.npz`; and dumps ([`Dump`]), which may be of safetensors too.
//!
//! Read are f64, f32, f16 and bf16 (both as f32), integers of every width (as i64) and booleans (as i64, 0 and 1), in either
//! byte order and in C or Fortran order. Written are `.npy` files of f32, f64 and i64.
//!
//! Files come from anywhere: a header that is no header, that lies about its size, or whose elements end early is
//! an [`Error`], and memory is taken only for elements that are there. The parser of headers is therefore our
//! own, a short one for a grammar of three keys: parsers of all Python literals recurse without a bound on nested
//! brackets, and multiply sizes without a check.
//!
//! ```
//! use pullback_array::{Array, file};
//! let array = Array::from_slice(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
//! let bytes = file::npy_bytes(&array)?;
//! assert_eq!(file::read_npy(&bytes)?.to_vec_f64(), array.to_vec_f64());
//! assert_eq!(file::read_npy(&bytes[..100]).unwrap_err().message(), "npy: truncated inside of the header");
//! # Ok::<(), pullback_array::Error>(())
//! ```

mod digits;
mod dump;
mod header;
mod npy;
mod npz;
mod safetensors;

pub use digits::{Digits, are_nearest, are_off, rounded_to};
pub use dump::{Dump, Entry};
pub use npy::{load_npy, npy_bytes, read_npy, save_npy};
pub use npz::Npz;

use crate::{Error, Result};
use std::fs::File;
use std::path::Path;

/// Opens the file at `path`, and says how long it is. A pipe or a device is refused before it is opened: it may have no end,
/// and opening a pipe may wait for ever.
fn open(path: &Path) -> Result<(File, u64)> {
    let is_file = std::fs::metadata(path).map_err(|error| at(path, error))?.is_file();
    if !is_file {
        return Err(at(path, "not a file"));
    }
    let file = File::open(path).map_err(|error| at(path, error))?;
    let length = file.metadata().map_err(|error| at(path, error))?.len();
    Ok((file, length))
}

/// An error that begins with the file's name.
fn at(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::file(format!("{}: {error}", path.display()))
}

/// The error `error` with the file's name before its message, its kind and hint kept.
fn within(path: &Path, error: Error) -> Error {
    if error.is_memory() {
        return error;
    }
    let named = at(path, error.message());
    match error.hint() {
        Some(hint) => named.with_hint(hint),
        None => named,
    }
}
