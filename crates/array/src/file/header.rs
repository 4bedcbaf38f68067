//! The header of an `.npy` file: magic bytes, a version, and a Python dict of three keys.
//!
//! Source of the format: NumPy's `numpy.lib.format`, versions 1.0, 2.0 and 3.0.

use crate::{Error, MOST_AXES, Result};
use std::io::Read;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Far longer than any header of a plain array; NumPy itself refuses more than 10,000 bytes by default.
const LONGEST: usize = 1 << 16;

/// What a header says of the elements behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    /// Bytes per element: 1, 2, 4 or 8.
    pub width: usize,
    pub big_endian: bool,
    pub fortran: bool,
    pub shape: Vec<usize>,
    /// Bytes from the start of the file to the first element.
    pub length: usize,
}

/// What the bits of an element mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Float,
    /// Two bytes: the upper half of an f32.
    BFloat,
    Signed,
    Unsigned,
    /// One byte, 0 or 1.
    Bool,
}

impl Header {
    /// Reads a header and leaves the reader at the first element.
    pub fn read(reader: &mut impl Read) -> Result<Header> {
        let mut start = [0; 10];
        fill(reader, &mut start)?;
        if !start.starts_with(MAGIC) {
            return Err(invalid("not an npy file"));
        }
        let short = u16::from_le_bytes([start[8], start[9]]);
        let (text_length, before) = match start[6] {
            1 => (usize::from(short), start.len()),
            2 | 3 => {
                let mut rest = [0; 2];
                fill(reader, &mut rest)?;
                (u32::from_le_bytes([start[8], start[9], rest[0], rest[1]]) as usize, start.len() + 2)
            }
            version => return Err(invalid(format!("version {version} of the format is unknown"))),
        };
        if text_length > LONGEST {
            return Err(invalid(format!("a header of {text_length} bytes")));
        }
        let mut text = vec![0; text_length];
        fill(reader, &mut text)?;
        let mut header = Parser { rest: &text }.dict()?;
        header.length = before + text_length;
        Ok(header)
    }
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<()> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => invalid("truncated inside of the header"),
        _ => invalid(error.to_string()),
    })
}

pub fn invalid(message: impl std::fmt::Display) -> Error {
    Error::file(format!("npy: {message}"))
}

/// A reader of `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`.
struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    fn dict(mut self) -> Result<Header> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.take(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            match key {
                b"descr" => descr = Some(self.descr()?),
                b"fortran_order" => fortran = Some(self.boolean()?),
                b"shape" => shape = Some(self.shape()?),
                _ => return Err(self.malformed()),
            }
            if !self.take(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.skip_space();
        let (Some((kind, width, big_endian)), Some(fortran), Some(shape), []) =
            (descr, fortran, shape, self.rest)
        else {
            return Err(self.malformed());
        };
        Ok(Header { kind, width, big_endian, fortran, shape, length: 0 })
    }

    fn descr(&mut self) -> Result<(Kind, usize, bool)> {
        self.skip_space();
        if self.rest.starts_with(b"[") {
            return Err(invalid("records are no arrays of numbers"));
        }
        let descr = self.string()?;
        let unknown = || {
            invalid(format!("elements of type '{}'", descr.escape_ascii()))
                .with_hint("f64, f32, f16, bf16, integers and booleans can be read")
        };
        let &[order @ (b'<' | b'>' | b'|' | b'='), kind, digit] = descr else { return Err(unknown()) };
        let (kind, width) = match (kind, digit) {
            (b'f', b'2' | b'4' | b'8') => (Kind::Float, digit),
            // NumPy has no name for it: ml_dtypes makes it two bytes without a meaning, and nothing else does.
            (b'V', b'2') => (Kind::BFloat, digit),
            (b'i', b'1' | b'2' | b'4' | b'8') => (Kind::Signed, digit),
            (b'u', b'1' | b'2' | b'4' | b'8') => (Kind::Unsigned, digit),
            (b'b', b'1') => (Kind::Bool, digit),
            _ => return Err(unknown()),
        };
        Ok((kind, usize::from(width - b'0'), order == b'>'))
    }

    fn boolean(&mut self) -> Result<bool> {
        self.skip_space();
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        let mut shape = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            if shape.len() == MOST_AXES {
                return Err(invalid(format!("an array of more than {MOST_AXES} axes")));
            }
            shape.push(self.size()?);
            if !self.take(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn size(&mut self) -> Result<usize> {
        self.skip_space();
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        // Python 2 wrote its long integers with an L.
        self.rest = rest.strip_prefix(b"L").unwrap_or(rest);
        let text = std::str::from_utf8(number).map_err(|_| self.malformed())?;
        text.parse().map_err(|_| self.malformed())
    }

    fn string(&mut self) -> Result<&'a [u8]> {
        self.skip_space();
        let Some((&quote @ (b'\'' | b'"'), rest)) = self.rest.split_first() else {
            return Err(self.malformed());
        };
        let end = rest.iter().position(|&byte| byte == quote).ok_or_else(|| self.malformed())?;
        self.rest = &rest[end + 1..];
        Ok(&rest[..end])
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed()) }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn malformed(&self) -> Error {
        invalid("a malformed header")
    }
}
