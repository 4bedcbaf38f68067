//! Arrays by name, with the precision in which other code computed them.

use super::npz::Npz;
use super::{at, open, safetensors};
use crate::{Array, Error, Precision, Result, memory};
use std::io::Read;
use std::path::Path;

/// What an `.npz` or `.safetensors` file holds.
///
/// NumPy has no bf16, so that many a dump is of f32 numbers that were computed in a narrower format. Where all numbers of
/// some entries are numbers of such a format, and use it up to its last bit, these entries have its precision.
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
    /// The precision in which they were computed.
    pub precision: Precision,
    /// The precision in which the file holds them: another one where they are numbers of a narrower format.
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
        let mut dump = Dump { entries: entries.collect() };
        dump.narrow();
        Ok(dump)
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

    /// Recognises numbers that were computed in a narrower format than they are held in. Each bf16 number in the range of f16
    /// is one of f16 too, and both are numbers of f32: the narrowest one is asked for first.
    fn narrow(&mut self) {
        use Precision::{BF16, F16, F32, F64};
        for (stored, precision) in [(F32, BF16), (F32, F16), (F64, BF16), (F64, F16), (F64, F32)] {
            let is_one = |entry: &&mut Entry| {
                (entry.stored, entry.precision) == (stored, stored) && fits(&entry.array, precision)
            };
            let narrow: Vec<&mut Entry> = self.entries.iter_mut().filter(is_one).collect();
            if uses_last_bit(narrow.iter().flat_map(|entry| entry.array.to_vec_f64()), precision) {
                for entry in narrow {
                    entry.precision = precision;
                }
            }
        }
    }
}

/// Are all numbers of an array numbers of a narrower format?
fn fits(array: &Array, precision: Precision) -> bool {
    array.to_vec_f64().into_iter().all(|x| {
        let single = x as f32;
        let narrow = match precision {
            Precision::BF16 => half::bf16::from_f32(single).to_f32(),
            Precision::F16 => half::f16::from_f32(single).to_f32(),
            _ => single,
        };
        f64::from(narrow) == x || x.is_nan()
    })
}

/// Is the last significant bit of a format used? Of numbers computed in that format half have it set; of whole numbers and of
/// multiples of 1/4, which are numbers of every format, hardly any. A quarter is far from both, once there are some numbers.
fn uses_last_bit(numbers: impl Iterator<Item = f64>, precision: Precision) -> bool {
    const FEWEST: usize = 8;
    let last = (precision.epsilon() / f64::EPSILON) as u64;
    let (mut count, mut set) = (0usize, 0usize);
    for x in numbers.filter(|&x| (x as f32).is_normal()) {
        count += 1;
        set += usize::from(x.to_bits() & last != 0);
    }
    count >= FEWEST && 4 * set >= count
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
