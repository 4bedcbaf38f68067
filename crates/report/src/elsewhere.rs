//! Numbers that come from other code: where they come from, and that code which computes another function is not judged.

use std::fmt;

use pullback_array::Precision;
use pullback_check::Entry;
use pullback_lang::Span;

use crate::number::{apart, brief};
use crate::problem::Problem;
use crate::verdict_text::{index, is_or_are};

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
    /// How it is known in which precision they were computed.
    pub because: Because,
}

/// How it is known in which precision numbers were computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// They are held in that.
    Held,
    /// Whoever asked for the check says so.
    Asked,
    /// All of them are numbers of a narrower format than they are held in, and use its last digit.
    OwnDigits,
    /// They are what that format makes of the true numbers, and the one that holds them would not.
    Rounded,
    /// Other numbers of the same source, which were computed too, have the digits of that format.
    OthersDigits {
        /// The name of such.
        name: String,
        /// What their own digits tell, where they do.
        own: Option<Precision>,
    },
    /// Their own digits tell nothing, and the input of this name has those of that format.
    InputsDigits {
        /// The name.
        name: String,
    },
    /// They are held in that, and neither their digits nor those of others tell more.
    NoEvidence,
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

    /// How the precision is known: `all numbers are bf16 numbers`.
    pub(crate) fn reason(&self) -> String {
        let Elsewhere { precision, stored, .. } = self;
        match &self.because {
            Because::Held => format!("held in {stored}"),
            Because::Asked => "said by the caller".to_string(),
            Because::OwnDigits => format!("all numbers are {precision} numbers"),
            Because::Rounded => format!("the numbers are what {precision} makes of the true ones"),
            Because::OthersDigits { name, own: Some(own) } => format!(
                "the digits are those of {own}, but `{name}`, which was computed beside, has those of {precision}: \
                 intermediate results may have been {precision}"
            ),
            Because::OthersDigits { name, own: None } => format!(
                "the digits tell nothing, and `{name}`, which was computed beside, has those of {precision}"
            ),
            Because::InputsDigits { name } => {
                format!("the digits tell nothing, and the input `{name}` has those of {precision}")
            }
            Because::NoEvidence => format!(
                "held in {stored}; whole numbers and simple fractions, which narrower formats have too, tell nothing"
            ),
        }
    }

    /// Was the precision found out, and not known?
    pub(crate) fn is_inferred(&self) -> bool {
        !matches!(self.because, Because::Held | Because::Asked)
    }
}

/// In which precision numbers were taken to be, where that was found out: a sentence for each reason, with the claims that it is
/// that of.
pub(crate) fn precision_notes<'a>(claims: impl Iterator<Item = (&'a str, &'a Elsewhere)>) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    for (key, elsewhere) in claims.filter(|(_, elsewhere)| elsewhere.is_inferred()) {
        let said = format!("taken to be computed in {} ({})", elsewhere.precision, elsewhere.reason());
        match notes.iter_mut().find(|(known, _)| *known == said) {
            Some((_, keys)) => keys.push(key),
            None => notes.push((said, vec![key])),
        }
    }
    let sentence = |(said, keys): (String, Vec<&str>)| {
        format!("{} {said}; the option `precision` says otherwise", is_or_are(&keys))
    };
    notes.into_iter().map(sentence).collect()
}

/// What is to be said where other code computes something else of a value, bound at `span`, than the file does: its gradients
/// are those of another function. Of the inputs in `lacking` `dump` says nothing; the difference may be theirs.
pub fn deviation_problem(name: &str, dump: &str, off: &Entry, span: Span, lacking: &[String]) -> Problem {
    let [claimed, expected] = apart(off.claimed, off.expected);
    let difference = brief((off.claimed - off.expected).abs());
    let at = index(&off.at);
    let at = if at.is_empty() { String::new() } else { format!(" {}", at.trim_end()) };
    let more = match lacking {
        [] => String::new(),
        names => format!(", or add what {dump} lacks: {}", names.join(", ")),
    };
    let message = format!(
        "`{name}` of {dump} is not what the file computes from the same inputs: they differ by {difference}{at}"
    );
    Problem {
        span: Some(span),
        labels: vec![(span, format!("this is {expected}{at}, and `{name}` of {dump} {claimed}"))],
        ..Problem::new(message)
    }
    .with_hint(format!(
        "gradients of another function can't be judged: mend the file or the other forward pass{more}"
    ))
}
