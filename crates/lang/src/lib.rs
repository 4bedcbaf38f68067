//! The `.grad` language, from text with spans to a program.
//!
//! A `.grad` file is what one would write on paper: inputs, definitions, and claims about gradients.
//!
//! ```
//! let source = "\
//! W: [m=2, n=3] ~ randn
//! x: [n] ~ randn
//! v = W @ x
//! L = sum(v^2)
//! dL/dv = 2 * v
//! dL/dW = outer(dL/dv, x)
//! ";
//! let parsed = pullback_lang::parse(source);
//! assert!(parsed.errors.is_empty());
//! assert_eq!(parsed.file.statements.len(), 6);
//! ```
//!
//! The crate has two halves. The one at its root goes from text to a tree: [`parse`] for files, [`parse_bytes`] for
//! files as they come from a disk, [`parse_statements`] for the command line, [`parse_expr`] for one expression, and
//! [`print()`] back. Nothing is evaluated, so shapes and sizes, and names that are nowhere defined, are not judged
//! here. No text makes it panic, and no nesting overflows its stack.
//!
//! The other half, [`program`], goes from the tree to values of a graph and claims about them; there sizes, shapes and
//! names are judged.
//!
//! Errors and warnings are values with places ([`Error`]); whoever has the source draws the caret.

mod assume;
mod error;
mod foreign;
mod prelude;
pub mod program;
mod span;
mod syntax;

pub use assume::{Assumed, assume_inputs};
pub use error::{Error, Result};
pub use prelude::definitions as prelude;
pub use span::{Position, Span};
pub use syntax::ast::{
    Claim, ClaimKey, DType, Definition, Definitions, DimSpec, EntryClaim, File, Function, IndexDefinition,
    Inner, Input, Layout, Name, Scan, Shape, ShapeClaim, Source, Statement, StatementKind, Upstream,
};
pub use syntax::expr::{BinaryOp, Expr, ExprKind, IndexItem, MAX_DEPTH, MAX_NESTING, Operator};
pub use syntax::hint::nearest;
pub use syntax::lint::lint;
pub use syntax::make;
pub use syntax::names::{Binding, Claimed, Names};
pub use syntax::parse::{
    MAX_ERRORS, MAX_SOURCE, Parsed, ParsedExpr, parse, parse_bytes, parse_expr, parse_expr_in,
    parse_statements,
};
pub use syntax::print::print;
