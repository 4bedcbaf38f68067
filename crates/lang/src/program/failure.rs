//! Why an evaluation stopped.

use crate::{Error, Span};

/// Why an evaluation stopped.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// For a reason that is to be reported.
    Said(Error),
    /// Because it depends on what failed already and has been reported.
    Silent,
}

/// The result of evaluating.
pub(super) type Outcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Said(error)
    }
}

impl Failure {
    /// The error; for a silent failure, which only a scope with failed names can lead to, one that says so.
    pub(super) fn into_error(self, span: Span) -> Error {
        match self {
            Failure::Said(error) => error,
            Failure::Silent => Error::new(span, "this uses a name whose own statement failed"),
        }
    }
}

/// An error of an operation, at the expression that applied it.
pub(super) fn at(span: Span, error: &pullback_ops::Error) -> Error {
    let placed = Error::new(span, error.to_string());
    match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    }
}

/// What turns an operation's error into a failure at `span`.
pub(super) fn of_op(span: Span) -> impl Fn(pullback_ops::Error) -> Failure {
    move |error| Failure::Said(at(span, &error))
}

/// What turns an array's error into a failure at `span`.
pub(super) fn of_array(span: Span) -> impl Fn(pullback_array::Error) -> Failure {
    move |error| Failure::Said(at(span, &error.into()))
}
