//! The one error type of this crate.
//!
//! An [`Error`] is a value with a place: what is wrong, where, and, where something useful can be said, what to
//! write instead. Carets and colours are drawn elsewhere. A warning is the same value in another list.

use crate::span::Span;

/// What is wrong with a source text, where, and what to do about it.
///
/// ```
/// let parsed = pullback_lang::parse("a = (x + 1");
/// let error = &parsed.errors[0];
/// assert_eq!(error.message(), "`(` is never closed");
/// assert_eq!(error.span().start, 4);
/// assert_eq!(error.hint(), Some("write the missing `)`"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(Box<Content>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Content {
    message: String,
    span: Span,
    hint: Option<String>,
    labels: Vec<(Span, String)>,
}

/// Shorthand of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error at `span`. Messages start in lower case, quote source in backticks and end without a full stop.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(Content { message: message.into(), span, hint: None, labels: Vec::new() }))
    }

    /// The same with advice on what to write instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with a second place that explains the first: "`m` was bound to 2 here".
    #[must_use]
    pub fn with_label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.0.labels.push((span, label.into()));
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it is wrong.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// What to write instead.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Further places, each with what it has to do with the error.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (Span, &str)> {
        self.0.labels.iter().map(|(span, label)| (*span, label.as_str()))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}
