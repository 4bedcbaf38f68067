//! The causes: one file each, and one line here.
//!
//! A cause looks at one part of an expression at a time and proposes what may be meant there, with what is to be said if
//! that turns out to be right ([`Edit`]). It need not judge: the search evaluates every proposal on several sets of data,
//! and takes those that give the derivative on all of them. A cause that is no matter of one expression (two claims that are
//! the wrong way round) looks at the whole claim instead.

use crate::Diagnosis;
use crate::edit::Edit;
use crate::inquiry::Inquiry;
use crate::tree::Place;

/// A cause.
pub(crate) struct Cause {
    /// Its name in JSON.
    pub word: &'static str,
    /// What may be meant at a place.
    pub edits: fn(&Place<'_>) -> Vec<Edit>,
    /// What is to be said of a claim of this number as a whole; asked before any edit is tried.
    pub whole: fn(&Inquiry<'_>, usize) -> Option<Diagnosis>,
}

impl Cause {
    /// A cause that proposes nothing yet.
    const fn named(word: &'static str) -> Cause {
        Cause { word, edits: |_| Vec::new(), whole: |_, _| None }
    }
}

macro_rules! causes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All causes.
        pub(crate) static CAUSES: &[&Cause] = &[$(&$name::CAUSE),*];
    };
}

causes! {
    elementwise_for_product,
    extra_factor,
    extra_term,
    missing_factor,
    missing_sum,
    product_for_elementwise,
    swapped_claims,
    swapped_operands,
    transposed_factor,
    vec_layout,
    vjp_for_jacobian,
    wrong_axis,
}
