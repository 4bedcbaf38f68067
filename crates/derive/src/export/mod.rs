//! A backward pass as code of other languages: `forward`, which returns what has to be saved, and `backward(saved, grads)`.
//!
//! | module | what it knows |
//! |---|---|
//! | `program` | which values are computed, saved and returned |
//! | `statement` | statements, before they are written in some language |
//! | `loops` | the loops of a program, and those back through them |
//! | `python` | how an expression is written for NumPy, PyTorch and JAX |
//! | `rust` | how it is written for ndarray, and the operation of candle |
//!
//! The statements are those of the backward pass ([`backward`](crate::backward)), in its order and under the program's names; nothing is
//! derived here. What a framework has no function for is defined beside the code, and only what is used.
//!
//! In the language itself the program is there, and the statements of the backward pass come after it.

mod loops;
mod program;
mod python;
mod rust;
mod statement;

pub use program::{Exported, Exporting, NotExported};
pub use python::Framework;

/// What is written, beside the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A module of Python.
    Python {
        /// For which framework.
        framework: Framework,
        /// In PyTorch, a `torch.autograd.Function` that calls them.
        autograd_function: bool,
    },
    /// A module of Rust, for ndarray.
    Rust {
        /// An operation of candle that calls them.
        candle: bool,
    },
}

/// A backward pass as a module of another language.
///
/// # Errors
/// Where a value or a cotangent on the way has no expression, or the language lacks what it takes.
pub fn export(asked: &Exporting<'_>, wanted: Wanted) -> Result<String, NotExported> {
    let exported = Exported::new(asked)?;
    match wanted {
        Wanted::Python { framework, autograd_function } => {
            python::module(&exported, framework, autograd_function)
        }
        Wanted::Rust { candle } => rust::module(&exported, candle),
    }
}

/// The backward pass as statements of the language, which come after those of the program.
///
/// # Errors
/// Where a value or a cotangent on the way has no expression.
pub fn statements(asked: &Exporting<'_>) -> Result<String, NotExported> {
    Ok(Exported::new(asked)?.as_statements())
}

/// The functions of the language, each with what it is in one of the columns of the table of functions.
fn functions(column: usize) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("functions.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(move |line| {
        let mut columns = line.split('\t');
        let name = columns.next()?;
        Some((name, columns.nth(column)?))
    })
}
