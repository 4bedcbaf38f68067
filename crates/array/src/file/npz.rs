//! Several arrays by name in an `.npz` file: a zip archive of `.npy` files, stored or deflated.

use super::{at, npy, open, within};
use crate::{Array, Error, Precision, Result};
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// Deflate makes at most 1032 bytes of one (zlib's technical notes); an entry that claims more lies.
const MOST_FROM_ONE: u64 = 1032;

/// An open `.npz` file; arrays are read when they are asked for.
pub struct Npz {
    archive: ZipArchive<Box<dyn Source>>,
    /// For messages; empty where the file is in memory.
    path: PathBuf,
}

trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

impl Npz {
    /// Opens the file at `path` and reads its table of contents.
    ///
    /// # Errors
    /// Where the file can't be read or is no zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Npz> {
        let path = path.as_ref();
        let (file, _) = open(path)?;
        Npz::new(Box::new(BufReader::new(file)), path.to_path_buf())
    }

    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// Where the bytes are no zip archive.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Npz> {
        Npz::in_memory(Path::new("npz"), bytes)
    }

    /// The same, with a name for messages.
    pub(super) fn in_memory(path: &Path, bytes: Vec<u8>) -> Result<Npz> {
        Npz::new(Box::new(Cursor::new(bytes)), path.to_path_buf())
    }

    fn new(source: Box<dyn Source>, path: PathBuf) -> Result<Npz> {
        let archive = ZipArchive::new(source).map_err(|error| at(&path, error))?;
        Ok(Npz { archive, path })
    }

    /// The names of the arrays, in the order of the file.
    pub fn names(&self) -> Vec<String> {
        let arrays =
            self.archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_string()));
        arrays.collect()
    }

    /// Reads the array of this name.
    ///
    /// # Errors
    /// Where there is none, it can't be read, or memory is refused.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        self.read_in_precision(name).map(|(array, _)| array)
    }

    /// Do two arrays have one name? Of those, only the last can be read.
    pub(super) fn has_duplicates(&self) -> bool {
        self.archive.has_duplicate_names()
    }

    /// The array of this name, and the precision of its elements.
    pub(super) fn read_in_precision(&mut self, name: &str) -> Result<(Array, Precision)> {
        let names = self.names();
        if !names.iter().any(|n| n == name) {
            let hint =
                if names.is_empty() { "it has none".into() } else { format!("it has {}", names.join(", ")) };
            return Err(at(&self.path, format!("no array named {name}")).with_hint(hint));
        }
        let path = self.path.join(name);
        let entry = self.archive.by_name(&format!("{name}.npy")).map_err(|error| at(&path, error))?;
        let most = match entry.compression() {
            CompressionMethod::Stored => entry.compressed_size(),
            _ => entry.compressed_size().saturating_mul(MOST_FROM_ONE),
        };
        let length = entry.size();
        if length > most {
            return Err(lying(&path, length));
        }
        let mut reader = BufReader::new(entry);
        let read = npy::read(&mut reader, length).map_err(|error| within(&path, error))?;
        // The checksum is compared where the entry ends: behind the elements, unless there is more, which NumPy ignores.
        reader.read(&mut [0]).map_err(|error| at(&path, error))?;
        Ok(read)
    }
}

fn lying(path: &Path, length: u64) -> Error {
    at(path, format!("an entry that claims {length} bytes has not so many"))
}
