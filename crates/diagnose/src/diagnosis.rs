//! What is found of a wrong claim, as a value.

use pullback_lang::{Expr, Span};

use crate::words::Words;

/// A mistake: what it is, where it stands, and what would be right.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The word for it in JSON: `transposed-factor`.
    pub cause: &'static str,
    /// What is wrong, in a sentence or two.
    pub explanation: Words,
    /// Where it stands: the smallest part that has to be changed.
    pub span: Span,
    /// What is to be said at that place.
    pub label: Words,
    /// The other claim of the same mistake: two that are the wrong way round are one.
    pub partner: Option<Partner>,
    /// What to write instead; absent where the mistake is known and no expression of what is right was found.
    pub fix: Option<Fix>,
}

/// The other claim of a mistake.
#[derive(Clone, Debug)]
pub struct Partner {
    /// As it is shown: `dL/dW`.
    pub claim: String,
    /// Where its right side stands.
    pub span: Span,
    /// Its corrected right side.
    pub expr: Expr,
}

/// A corrected expression.
#[derive(Clone, Debug)]
pub struct Fix {
    /// The definition whose right side is to be changed; none where it is the claim's own.
    pub definition: Option<String>,
    /// The whole corrected right side.
    pub expr: Expr,
    /// The largest difference from the routes of the claim once it is corrected; none for a shape.
    pub residual: Option<f64>,
}
