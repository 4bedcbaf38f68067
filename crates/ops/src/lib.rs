//! Operations, and the graph that they make.
//!
//! A [`Val`] is a value of a program: an array of numbers, or a symbol without one, together with the operation and
//! the values it came from. An [`Op`] states four things, and nothing else has to be stated about it: its name, its
//! shape rule, its forward pass, and its local Jacobian as a [`Network`]. Everything that differentiates is derived
//! from the network, elsewhere.
//!
//! A rule is written once. Its payloads are `Val`s: with arrays they are numbers, without they are symbols, and since
//! they are nodes of the graph, what a contraction makes of them can be differentiated again.
//!
//! ```
//! use pullback_array::Array;
//! use pullback_ops::Val;
//!
//! let x = Val::new(Array::from_slice(&[3], &[1.0, 2.0, 4.0])?).named("x");
//! let y = x.softmax(0)?;
//! let network = y.jacobian(0)?;
//! assert_eq!(network.formula(), "δ_im softmax(x, axis=0)_i − softmax(x, axis=0)_i softmax(x, axis=0)_m");
//! # Ok::<(), pullback_ops::Error>(())
//! ```
//!
//! The [`table()`] lists every operation, with its page of documentation, the way a call of it is read, and samples on which
//! one generic test tries it. Adding an operation is one new file in `src/ops/` and one line in `src/ops.rs`.

mod args;
mod arithmetic;
mod call;
mod definition;
mod error;
pub mod kernel;
mod labels;
mod node;
mod op;
mod ops;
mod parameter;
mod sample;
mod spelled;

pub use args::{Arg, Args};
pub use error::{Error, Result};
pub use labels::broadcast;
pub use node::{Application, Origin, Together, Val, WeakVal, readings};
pub use op::{BackwardError, Forward, Op, Same, Site, Spec, Stored, promote};
pub use ops::*;
pub use parameter::{Kind, Parameter};
pub use sample::Sample;

/// A network whose payloads are values of a graph.
pub type Network = pullback_network::Network<Val>;
/// A term whose payloads are values of a graph.
pub type Term = pullback_network::Term<Val>;
/// A factor whose payload is a value of a graph.
pub type Factor = pullback_network::Factor<Val>;
