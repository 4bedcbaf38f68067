//! Derivatives of programs: what the rules of single operations make together.
//!
//! | function | what it returns |
//! |---|---|
//! | [`grad`] | reverse mode: the cotangents of any values, from those of outputs |
//! | [`jvp`] | forward mode: the tangent of an output, from those of inputs |
//! | [`jacobian`] | the Jacobian of a whole program as one [`Jacobian`]: a network, not an array, until asked |
//! | [`hessian`] | the second derivative of a scalar, a Jacobian again |
//! | [`Function`] | the program itself as a function that can be called on other numbers; it knows no rule |
//! | [`scan`] | a loop: one operation, whose derivatives are loops |
//! | [`tensor`] | PyTorch's semantics on top: numbers that change, `backward`, `.grad`, `no_grad` |
//!
//! All but the last three return values of the graph, so that each may be applied to what another one returned.
//!
//! ```
//! use pullback_array::Array;
//! use pullback_autograd::grad;
//! use pullback_ops::Val;
//!
//! let x = Val::new(Array::from_slice(&[3], &[1.0, 2.0, 3.0])?).named("x");
//! let y = x.powf(3.0)?.sum_all()?;
//! let first = grad(&y, &[&x])?.remove(0);
//! assert_eq!(first.array()?.to_vec_f64(), [3.0, 12.0, 27.0]);
//! let second = grad(&first.sum_all()?, &[&x])?.remove(0);
//! assert_eq!(second.array()?.to_vec_f64(), [6.0, 12.0, 18.0]);
//! # Ok::<(), pullback_ops::Error>(())
//! ```

mod forward;
mod function;
mod jacobian;
mod known;
mod plan;
mod prepared;
mod reverse;
mod scan;
pub mod tensor;
mod walk;

pub use forward::{jvp, pushforward};
pub use function::Function;
pub use jacobian::{Jacobian, Layout, Stage, hessian, jacobian};
pub use reverse::{grad, pullback, pullback_by, zeros};
pub use scan::{Body, Loop, Scanned, loop_of, scan};
pub use walk::{ancestors, between};
