//! Arrays by name, with the precision in which other code computed them.

use super::npz::Npz;
use super::{at, open, safetensors};
use crate::{Array, Error, Precision, Result, memory};
use std::io::Read;
use std::path::Path;

/// What an `.npz` or `.safetensors` file holds.
///
/// NumPy has no bf16, so that many a dump is of f32 numbers that were computed in a narrower format: what is read has the precision
/// in which it is held, and what its digits tell is a matter of [`Digits`](super::Digits).
///
/// ```
/// use pullback_array::{Precision, file::Dump};
/// # let header = br#"{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}"#;
/// # let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0x80, 0x3f, 0x00, 0xc0]].concat();
/// let dump = Dump::from_bytes("dump.safetensors", bytes)?;
/// let x = &dump.entries()[0];
/// assert_eq!((x.name.as_str(), x.precision), ("x", Precision::BF16));
/// assert_eq!(x.array.to_vec_f64(), [1.0, -2.0]);
/// # Ok::<(), pullback_array::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dump {
    entries: Vec<Entry>,
}

/// One array of a dump.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its numbers: f16 and bf16 as f32, integers and booleans as i64.
    pub array: Array,
    /// The precision in which they were computed, where whoever has made the entry knows it; else that in which they are held.
    pub precision: Precision,
    /// The precision in which they are held.
    pub stored: Precision,
}

/// The formats of dumps.
#[derive(Clone, Copy)]
enum Format {
    Npz,
    Safetensors,
}

impl Dump {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Where the file can't be read, is neither an `.npz` nor a `.safetensors` file, holds two arrays of one name or elements
    /// that are no numbers, or memory is refused.
    pub fn open(path: impl AsRef<Path>) -> Result<Dump> {
        let path = path.as_ref();
        let (file, length) = open(path)?;
        memory::room(usize::try_from(length).unwrap_or(usize::MAX))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(|error| at(path, error))?;
        Dump::from_bytes(path, bytes)
    }

    /// Reads bytes that are in memory. The extension of `path` tells the format, or, where it is neither `npz` nor
    /// `safetensors`, the bytes do.
    ///
    /// # Errors
    /// As [`open`](Dump::open).
    pub fn from_bytes(path: impl AsRef<Path>, bytes: Vec<u8>) -> Result<Dump> {
        let path = path.as_ref();
        let entries = match format(path, &bytes)? {
            Format::Npz => of_npz(path, bytes)?,
            Format::Safetensors => safetensors::read(path, &bytes)?,
        };
        let entries =
            entries.into_iter().map(|(name, array, stored)| Entry { name, array, precision: stored, stored });
        Ok(Dump { entries: entries.collect() })
    }

    /// Arrays that are in memory already, each under a name.
    pub fn new(entries: Vec<Entry>) -> Dump {
        Dump { entries }
    }

    /// The arrays, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The array of this name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// Which format a file has.
fn format(path: &Path, bytes: &[u8]) -> Result<Format> {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("npz") => return Ok(Format::Npz),
        Some("safetensors") => return Ok(Format::Safetensors),
        _ => {}
    }
    match bytes {
        [b'P', b'K', 3 | 5, ..] => Ok(Format::Npz),
        // Eight bytes of length, then JSON.
        [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Format::Safetensors),
        _ if bytes.starts_with(b"\x93NUMPY") => {
            Err(at(path, "this is one array without a name").with_hint("write it with `np.savez(path, x=…)`"))
        }
        _ => Err(at(path, "this is no dump").with_hint("`.npz` and `.safetensors` files can be read")),
    }
}

fn of_npz(path: &Path, bytes: Vec<u8>) -> Result<Vec<(String, Array, Precision)>> {
    let mut archive = Npz::in_memory(path, bytes)?;
    if archive.has_duplicates() {
        return Err(at(path, "two of its arrays have one name"));
    }
    let names = archive.names();
    if names.is_empty() {
        return Err(without_arrays(path));
    }
    let read = |name: String| {
        let (array, precision) = archive.read_in_precision(&name)?;
        Ok((name, array, precision))
    };
    names.into_iter().map(read).collect()
}

fn without_arrays(path: &Path) -> Error {
    at(path, "it holds no arrays").with_hint(
        "what `torch.save` writes can't be read: write the tensors with `safetensors.torch.save_file` or `np.savez`",
    )
}
