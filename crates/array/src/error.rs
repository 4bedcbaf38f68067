//! The one error type of this crate: a message, and where there is one, a hint.
//!
//! A message carries the operation and the shapes it met ("matmul: cannot multiply [2, 3] by [4, 5]: 3 ≠ 4");
//! a hint says what to do about it. Upper crates that only pass a problem on may build their own with
//! [`Error::new`]; those with places in a source file wrap it in a type of theirs.

use std::fmt;

/// What went wrong, as a message for a person and an optional hint.
///
/// ```
/// use pullback_array::Error;
/// let error = Error::new("inverse: [2, 3] is not square").with_hint("only square matrices have an inverse");
/// assert_eq!(error.to_string(), "inverse: [2, 3] is not square");
/// assert_eq!(error.hint(), Some("only square matrices have an inverse"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Shapes, dtypes, indices or values that an operation can't take.
    Invalid,
    /// An allocation that would pass the limit of [`crate::memory`], or that the system refused.
    Memory,
    /// Bytes that can't be read or written.
    File,
}

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error about an operation's operands, without a hint.
    pub fn new(message: impl Into<String>) -> Error {
        Error::of(Kind::Invalid, message.into())
    }

    pub(crate) fn memory(message: String) -> Error {
        Error::of(Kind::Memory, message)
    }

    pub(crate) fn file(message: String) -> Error {
        Error::of(Kind::File, message)
    }

    fn of(kind: Kind, message: String) -> Error {
        Error(Box::new(Inner { kind, message, hint: None }))
    }

    /// The same error with a hint in place of any it had.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// What went wrong: one line, no full stop.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether memory was refused, so that a caller may try a thriftier way.
    pub fn is_memory(&self) -> bool {
        self.0.kind == Kind::Memory
    }

    /// Whether the contents of a file were at fault, or reading it.
    pub fn is_file(&self) -> bool {
        self.0.kind == Kind::File
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
