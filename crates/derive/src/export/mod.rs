//! A backward pass as code of other languages: `forward`, which returns what has to be saved, and `backward(saved, grads)`.
//!
//! | module | what it knows |
//! |---|---|
//! | `program` | which values are computed, saved and returned |
//! | `python` | how an expression is written for NumPy, PyTorch and JAX |
//!
//! The statements are those of the backward pass ([`backward`](crate::backward)), in its order and under the program's names; nothing is
//! derived here. What a framework has no function for is defined beside the code, and only what is used.
//!
//! What is not here: other languages than Python and the language itself.

mod program;
mod python;

pub use program::{Exported, NotExported};
pub use python::Framework;

use pullback_ops::Val;

use crate::pass::Stage;

/// What is written, beside the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// For which framework.
    pub framework: Framework,
    /// In PyTorch, a `torch.autograd.Function` that calls them.
    pub autograd_function: bool,
}

/// A backward pass as a Python module. `inputs` are the values that the program is given, in order; `wrt` those whose gradients are
/// returned.
///
/// # Errors
/// Where a value or a cotangent on the way has no expression.
pub fn export(
    output: &Val,
    inputs: &[&Val],
    wrt: &[&Val],
    stages: &[Stage],
    wanted: Wanted,
) -> Result<String, NotExported> {
    let exported = Exported::new(output, inputs, wrt, stages)?;
    python::module(&exported, wanted)
}
