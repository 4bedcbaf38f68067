//! The kinds of mistakes in local Jacobians: one file each, and one line here.

use super::node::{Node, Slip};
use crate::case::Trial;

/// A kind of mistake.
pub(crate) struct Mistake {
    /// Its cause in JSON.
    pub word: &'static str,
    /// What it would make of the cotangent of a value.
    pub slips: fn(&Node, &Trial<'_>) -> Vec<Slip>,
}

macro_rules! mistakes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// All of them.
        pub(crate) static MISTAKES: &[&Mistake] = &[$(&$name::MISTAKE),*];
    };
}

mistakes! {
    elementwise,
    extra_factor,
    extra_term,
    factor,
    missing_term,
    overwritten,
    stale_cotangent,
    stale_operand,
    stride,
    swapped_operands,
    transposed_factor,
    wrong_axis,
    wrong_derivative,
}
