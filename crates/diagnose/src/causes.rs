//! The causes: one file each, and one line here.
//!
//! A cause looks at one part of an expression at a time and proposes what may be meant there, with what is to be said if
//! that turns out to be right ([`Edit`]). It need not judge: the search evaluates every proposal on several sets of data,
//! and takes those that give the derivative on all of them. A cause that is no matter of one expression (two claims that are
//! the wrong way round) looks at the whole claim instead.

use pullback_lang::Expr;

use crate::Diagnosis;
use crate::case::Case;
use crate::edit::Edit;
use crate::inquiry::Inquiry;
use crate::tree::Place;

/// A cause.
pub(crate) struct Cause {
    /// Its name in JSON.
    pub word: &'static str,
    /// What may be meant at a place.
    pub edits: fn(&Place<'_>) -> Vec<Edit>,
    /// May it be meant in what a mask compares? That has no derivative, and nothing is multiplied by it or added to it.
    pub in_masks: bool,
    /// What is to be said of a claim of this number as a whole; asked before any edit is tried.
    pub whole: fn(&Inquiry<'_>, usize) -> Option<Diagnosis>,
    /// What the program tells of a claim beyond what was found by edits of it: it may put another cause in the place of one
    /// that was found, or state one where none was.
    pub refine: fn(&Case<'_>, &Expr, &mut Vec<Diagnosis>),
}

impl Cause {
    /// A cause that proposes nothing yet.
    const fn named(word: &'static str) -> Cause {
        Cause { word, edits: |_| Vec::new(), in_masks: false, whole: |_, _| None, refine: |_, _, _| () }
    }
}

macro_rules! causes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All causes.
        pub(crate) static CAUSES: &[&Cause] = &[$(&$name::CAUSE),*];
    };
}

mod convolution;
mod steps;

causes! {
    convention,
    elementwise_for_product,
    extra_factor,
    extra_term,
    missing_factor,
    missing_sum,
    missing_term,
    overwritten,
    product_for_elementwise,
    stale_operand,
    swapped_claims,
    swapped_operands,
    transposed_factor,
    vec_layout,
    vjp_for_jacobian,
    wrong_axis,
    wrong_derivative,
}
