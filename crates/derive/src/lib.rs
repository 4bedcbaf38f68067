//! Derivations: the contraction that yields a gradient, written down step by step.
//!
//! The steps are no prose about the rules but the rules themselves: each line prints the same network that the other
//! floors contract with numbers, before and after one operation on it.
//!
//! ```
//! use pullback_array::{Array, DType};
//! use pullback_derive::derive;
//! use pullback_network::Dim;
//! use pullback_ops::Val;
//!
//! let (n, d, m) = (Dim::named("N", 5), Dim::named("D", 3), Dim::named("M", 2));
//! let x = Val::symbol("X", &[n, d], DType::F64);
//! let w = Val::symbol("W", &[d, m], DType::F64);
//! let z = x.matmul(&w)?.named("Z");
//! let derivation = derive(&z, &x)?;
//! assert_eq!(derivation.steps.iter().map(|step| step.formula.as_str()).collect::<Vec<_>>(), [
//!     "Z_ij = Σ_k X_ik W_kj",
//!     "∂Z_ij/∂X_mn = δ_im W_nj",
//!     "∂L/∂X_mn = Σ_ij Ḡ_ij ∂Z_ij/∂X_mn",
//!     "= Σ_ij Ḡ_ij δ_im W_nj",
//!     "= Σ_j Ḡ_mj W_nj",
//!     "∂L/∂X = Ḡ Wᵀ",
//! ]);
//! assert_eq!(derivation.code.as_deref(), Some("dL/dZ @ W.T"));
//! # Ok::<(), pullback_ops::Error>(())
//! ```
//!
//! The steps are those of one contraction: they name no intermediate values. The code at the end is written operation by operation
//! ([`gradient_code`]). [`backward`] goes from one named value to the next, as one does on paper, and [`untrue`] holds each of its lines
//! against a program. Formulas are trees ([`notation`]), of which text, LaTeX and MathML are printers.

mod code;
mod export;
mod forward;
pub mod notation;
mod pass;
mod steps;

pub use code::{Known, Source, conditional, gradient_code, shortened, slope};
pub use export::{Exported, Exporting, Framework, NotExported, Wanted, export, statements};
pub use forward::index_notation;
pub use pass::{
    Entry, Inner, Left, Line, Product, Right, Slope, Stage, Untrue, Within, backward, closed, through_loops,
    untrue, with_pieces,
};
pub use steps::{Derivation, Step, derive, derive_knowing};
