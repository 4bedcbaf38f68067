//! Mathematical notation as a tree: what is printed as text, as LaTeX or as MathML.
//!
//! | module | what it knows |
//! |---|---|
//! | `of_expr` | how an expression of the language is written on paper |
//! | `text`, `latex`, `mathml` | printers |
//!
//! A tree is layout and no more: nothing is evaluated or simplified here, and every bracket that a reader needs is a node of it. The
//! brackets that a fraction bar makes superfluous are the printers' affair.
//!
//! ```
//! use pullback_derive::notation::{Ranks, of_expr};
//! use pullback_lang::parse_expr;
//!
//! let ranks = |name: &str| Some(vec![false; if name == "N" { 0 } else { 2 }]);
//! let math = of_expr(&parse_expr("X.T @ (P - Y) / N").expect("it parses").expr, &ranks as &Ranks);
//! assert_eq!(math.text(), "Xᵀ (P − Y) / N");
//! assert_eq!(math.latex(), r"\frac{X^{\top} (P - Y)}{N}");
//! assert!(math.mathml().starts_with("<mfrac>"));
//! ```

mod latex;
mod mathml;
mod of_expr;
mod text;

pub use of_expr::{Ranks, entry_of_expr, of_expr};
pub(crate) use of_expr::{entry_of_expr_with, has_notation, is_entrywise};

/// The sign of a product entry by entry.
pub(crate) const ENTRYWISE: &str = "⊙";

/// The sign of a sum, which is no letter.
const SUM: &str = "∑";

/// A formula, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Math {
    /// A name, a letter or a word: `X`, `softmax`.
    Word(String),
    /// A number as it is written.
    Number(String),
    /// An operator with space around it: `+`, `−`, `⊙`, `=`.
    Operator(&'static str),
    /// A sign without: `∂`, `−` in front, a comma.
    Sign(&'static str),
    /// Parts one after the other: factors with a space between them.
    Product(Vec<Math>),
    /// Parts one after the other, with no space but that of operators.
    Row(Vec<Math>),
    /// Above and below a bar.
    Fraction(Box<Math>, Box<Math>),
    /// A base and what stands above it.
    Super(Box<Math>, Box<Math>),
    /// What something is in a step of a loop: `h` with the number of the step below it.
    Step(String, Box<Math>),
    /// A base and its indices.
    Sub(Box<Math>, Vec<Math>),
    /// A square root.
    Root(Box<Math>),
    /// In round brackets.
    Bracketed(Box<Math>),
    /// Between two other fences: `|x|`, `[i = k]`.
    Fenced(&'static str, Box<Math>, &'static str),
    /// A function and its arguments.
    Call(Box<Math>, Vec<Math>),
    /// A sum over an index from 1 to a size.
    Sum(String, Box<Math>),
    /// Code, where there is no notation for it.
    Code(String),
}

impl Math {
    /// A name, a letter or a word.
    pub fn word(text: impl Into<String>) -> Math {
        Math::Word(text.into())
    }

    /// A name, which may have the number of a step of a loop: `h[t-1]`, or `W(t)` for what all steps read; and sums and rows over all of
    /// them, `Σ_t dL/dW(t)`.
    pub fn named(text: &str) -> Math {
        let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        if let Some(bare) = bare.filter(|bare| bare.contains(' ')) {
            return Math::Bracketed(Box::new(Math::named(bare)));
        }
        if let Some((over, of)) = text.split_once(' ')
            && let Some((over, step)) = over.split_once('_')
            && let Some((of, by)) = of.strip_prefix('d').and_then(|of| of.split_once("/d"))
        {
            let over = Math::word(if over == "Σ" { SUM } else { over });
            let over = Math::Sub(Box::new(over), vec![Math::word(step)]);
            return Math::Product(vec![over, Math::slope(Math::named(of), Math::named(by))]);
        }
        let number = |text: &str| match text.split_once('-') {
            Some(("", number)) => Math::Row(vec![Math::Sign("−"), Math::Number(number.to_owned())]),
            Some((name, number)) => {
                Math::Row(vec![Math::word(name), Math::Operator("−"), Math::Number(number.to_owned())])
            }
            None if text.chars().all(|c| c.is_ascii_digit()) => Math::Number(text.to_owned()),
            None => Math::word(text),
        };
        let inside = |open: char, close: char| text.strip_suffix(close)?.split_once(open);
        match (inside('[', ']'), inside('(', ')')) {
            (Some((name, step)), _) => Math::Step(name.to_owned(), Box::new(number(step))),
            (_, Some(("", step))) => Math::Bracketed(Box::new(number(step))),
            (_, Some((name, step))) => {
                Math::Super(Box::new(Math::word(name)), Box::new(Math::Bracketed(Box::new(number(step)))))
            }
            _ => Math::word(text),
        }
    }

    /// A base with indices; itself without any.
    pub fn indexed(self, at: &[String]) -> Math {
        // Below the bar of `∂L/∂h_t` the indices are those of `h_t`.
        if let Math::Fraction(above, below) = &self
            && let Math::Row(parts) = &**below
            && let [sign, of @ (Math::Step(..) | Math::Super(..))] = parts.as_slice()
            && self.is_slope()
        {
            let below = Math::Row(vec![sign.clone(), of.clone().indexed(at)]);
            return Math::Fraction(above.clone(), Box::new(below));
        }
        if at.is_empty() { self } else { Math::Sub(Box::new(self), at.iter().map(Math::word).collect()) }
    }

    /// In brackets, unless it holds together by itself.
    pub fn grouped(self) -> Math {
        if self.is_atom() { self } else { Math::Bracketed(Box::new(self)) }
    }

    /// Does it hold together without brackets, however it is printed?
    pub fn is_atom(&self) -> bool {
        match self {
            Math::Operator(_)
            | Math::Sign(_)
            | Math::Product(_)
            | Math::Row(_)
            | Math::Fraction(..)
            | Math::Sum(..) => false,
            Math::Number(text) => !text.contains('e'),
            _ => true,
        }
    }

    /// Is a part of it like another?
    pub(crate) fn has(&self, part: &Math) -> bool {
        let all = |parts: &[Math]| parts.iter().any(|own| own.has(part));
        self == part
            || match self {
                Math::Word(_) | Math::Number(_) | Math::Operator(_) | Math::Sign(_) | Math::Code(_) => false,
                Math::Product(parts) | Math::Row(parts) => all(parts),
                Math::Fraction(a, b) | Math::Super(a, b) => a.has(part) || b.has(part),
                Math::Sub(of, parts) | Math::Call(of, parts) => of.has(part) || all(parts),
                Math::Step(_, of)
                | Math::Root(of)
                | Math::Bracketed(of)
                | Math::Fenced(_, of, _)
                | Math::Sum(_, of) => of.has(part),
            }
    }

    /// `∂a/∂b`, with their indices.
    pub fn slope(of: Math, by: Math) -> Math {
        let differential = |of: Math| Math::Row(vec![Math::Sign("∂"), of]);
        Math::Fraction(Box::new(differential(of)), Box::new(differential(by)))
    }

    /// Is it a `∂a/∂b`?
    pub(crate) fn is_slope(&self) -> bool {
        matches!(self, Math::Fraction(above, _) if matches!(&**above, Math::Row(parts) if parts.first() == Some(&Math::Sign("∂"))))
    }
}
