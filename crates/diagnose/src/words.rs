//! What is said of a mistake, as data: words, pieces of source and shapes, in the order of a sentence.
//!
//! No mark-up: whoever shows them decides whether source stands in backticks or in another colour.

use pullback_lang::{Expr, print};
use pullback_network::Dim;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Plain words.
    Text(String),
    /// Source text.
    Source(String),
    /// A shape.
    Shape(Vec<Dim>),
}

/// One sentence or several.
///
/// ```
/// use pullback_diagnose::{Part, Words};
///
/// let words = Words::new().source("W.T").say(" stands where ").source("W").say(" belongs.");
/// assert_eq!(words.parts()[1], Part::Text(" stands where ".to_string()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words(Vec<Part>);

impl Words {
    /// Nothing yet.
    pub fn new() -> Words {
        Words::default()
    }

    /// Plain words behind what is there.
    #[must_use]
    pub fn say(mut self, text: impl Into<String>) -> Words {
        self.0.push(Part::Text(text.into()));
        self
    }

    /// Source behind what is there.
    #[must_use]
    pub fn source(mut self, text: impl Into<String>) -> Words {
        self.0.push(Part::Source(text.into()));
        self
    }

    /// The source of an expression behind what is there.
    #[must_use]
    pub fn expr(self, expr: &Expr) -> Words {
        self.source(print(expr))
    }

    /// A shape behind what is there.
    #[must_use]
    pub fn shape(mut self, dims: &[Dim]) -> Words {
        self.0.push(Part::Shape(dims.to_vec()));
        self
    }

    /// Other words behind these.
    #[must_use]
    pub fn then(mut self, other: Words) -> Words {
        self.0.extend(other.0);
        self
    }

    /// A sentence as a part of another one: no capital at its beginning, unless it begins with source, and no full stop.
    #[must_use]
    pub(crate) fn clause(mut self) -> Words {
        if let Some(Part::Text(text)) = self.0.first_mut()
            && let Some(first) = text.chars().next()
        {
            text.replace_range(..first.len_utf8(), &first.to_lowercase().to_string());
        }
        if let Some(Part::Text(text)) = self.0.last_mut() {
            text.truncate(text.trim_end().trim_end_matches('.').len());
        }
        self
    }

    /// The pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Words};

    #[test]
    fn a_sentence_becomes_a_clause() {
        let text = |text: &str| Part::Text(text.to_string());
        let words = Words::new().say("The factor ").source("A.T").say(" is one too many.").clause();
        assert_eq!(
            words.parts(),
            [text("the factor "), Part::Source("A.T".to_string()), text(" is one too many")]
        );
        let words = Words::new().source("A").say(" stands here.").clause();
        assert_eq!(words.parts(), [Part::Source("A".to_string()), text(" stands here")]);
    }
}
