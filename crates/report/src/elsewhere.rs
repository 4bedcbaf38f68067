//! Numbers that come from other code: where they come from, and that code which computes another function is not judged.

use std::fmt;

use pullback_array::Precision;
use pullback_check::Entry;
use pullback_lang::Span;

use crate::number::{apart, brief};
use crate::problem::Problem;
use crate::verdict_text::index;

/// Where the numbers of a claim come from, if no expression of the file gave them.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// Whence.
    pub origin: Origin,
    /// The name that they have there.
    pub entry: String,
    /// The precision in which they were computed.
    pub precision: Precision,
    /// The precision in which they are held.
    pub stored: Precision,
}

/// Whence numbers come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A dump of this name.
    Dump(String),
    /// A function of the caller's own.
    Function,
}

impl Origin {
    /// The word for it in JSON.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Origin::Dump(_) => "dump",
            Origin::Function => "function",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Dump(name) => f.write_str(name),
            Origin::Function => f.write_str("the function"),
        }
    }
}

impl Elsewhere {
    /// `numbers of dump.npz, bf16 held as f32`.
    pub(crate) fn text(&self) -> String {
        let held = match self.stored == self.precision {
            true => String::new(),
            false => format!(" held as {}", self.stored),
        };
        format!("numbers of {}, {}{held}", self.origin, self.precision)
    }
}

/// What is to be said where other code computes something else of a value, bound at `span`, than the file does: its gradients
/// are those of another function. Of the inputs in `lacking` the dump says nothing; the difference may be theirs.
pub fn deviation_problem(name: &str, off: &Entry, span: Span, lacking: &[String]) -> Problem {
    let [claimed, expected] = apart(off.claimed, off.expected);
    let difference = brief((off.claimed - off.expected).abs());
    let at = index(&off.at);
    let at = if at.is_empty() { String::new() } else { format!(" {}", at.trim_end()) };
    let more = match lacking {
        [] => String::new(),
        names => format!(", or add what the dump lacks: {}", names.join(", ")),
    };
    let message = format!(
        "the dump's `{name}` is not what the file computes from the dump's inputs: they differ by {difference}{at}"
    );
    Problem {
        span: Some(span),
        labels: vec![(span, format!("this is {expected}{at}, the dump's {claimed}"))],
        ..Problem::new(message)
    }
    .with_hint(format!(
        "gradients of another function can't be judged: mend the file or the other forward pass{more}"
    ))
}
