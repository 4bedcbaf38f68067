//! The error of this crate.

use std::fmt;

/// The result of building or evaluating a value.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong when a value is built or evaluated: shapes that do not fit, arguments that an operation does not
/// take, memory. The message carries the operation and both shapes.
#[derive(Debug, Clone)]
pub struct Error(Box<Kind>);

#[derive(Debug, Clone)]
enum Kind {
    Array(pullback_array::Error),
    Network(pullback_network::Error),
    Op { message: String, hint: Option<String> },
}

impl Error {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Error {
        Error(Box::new(Kind::Op { message: message.into(), hint: None }))
    }

    /// The same error with advice on what to do.
    pub fn with_hint(self, hint: impl Into<String>) -> Error {
        Error(Box::new(Kind::Op { message: self.to_string(), hint: Some(hint.into()) }))
    }

    /// Whether memory was refused.
    pub fn is_memory(&self) -> bool {
        matches!(&*self.0, Kind::Array(error) if error.is_memory())
    }

    /// Advice on what to do, where there is any.
    pub fn hint(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Array(error) => error.hint(),
            Kind::Network(_) => None,
            Kind::Op { hint, .. } => hint.as_deref(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Array(error) => write!(f, "{}", error.message()),
            Kind::Network(error) => write!(f, "{error}"),
            Kind::Op { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl From<pullback_array::Error> for Error {
    fn from(error: pullback_array::Error) -> Error {
        Error(Box::new(Kind::Array(error)))
    }
}

impl From<pullback_network::Error> for Error {
    fn from(error: pullback_network::Error) -> Error {
        Error(Box::new(Kind::Network(error)))
    }
}
