//! Index networks: the one statement from which Pullback gets everything else.
//!
//! The local Jacobian of an operation, written in index notation, is a *network*: a sum of [`Term`]s. A term is
//! a coefficient, a product of [`Factor`]s whose axes carry [`Label`]s, and one label for each axis of the
//! output and of the input: its *slots*. A Kronecker delta is no factor: it is one label standing in two slots.
//! A label that stands in no slot is summed.
//!
//! | operation | Jacobian | slots | factors |
//! |---|---|---|---|
//! | `Z = X W`, by `X` | ∂Z_ij/∂X_mn = δ_im W_nj | `i j · i n` | `W[n, j]` |
//! | `y = tanh x` | ∂y_i/∂x_j = δ_ij (1 − y_i²) | `i · i` | `(1 − y²)[i]` |
//! | `s = mean x` | ∂s/∂x_i = 1/n | `· i` | none; the coefficient is `1/n` |
//! | `a = softmax z` | δ_ij a_i − a_i a_j | `i · i` and `i · j` | `a[i]` and `a[i] a[j]` |
//! | reshape, slice, convolution | an affine [`Relation`] between labels | | `[4i + j = 6k + l]` |
//! | gather | a relation with an index table on one side | | `[n = index[i]]` |
//! | `x = solve(A, b)`, by `b` | ∂x_i/∂b_m = (A⁻¹)_im | `i · m` | an [`Operator`], applied and not formed |
//! | running sums, selection by computed integers, loops | | | other [`Operator`]s |
//!
//! What a network gives: [`Network::vjp`], [`Network::jvp`], [`Network::to_dense`], [`Network::compose`],
//! [`Network::transpose`], [`Network::diagonal`], [`Network::cost`], its formula in index notation
//! ([`Network::formula`]) or, where it is one, in matrix notation ([`Term::matrix_notation`]), and what kind of matrix it
//! is ([`Network::structure`]). The Jacobian of a whole program is a [`Dag`] of networks.
//!
//! **The closure law.** Payloads are of one type `V`, and contraction does nothing to them but what the trait
//! [`Value`] lists. For the floor above, `V` is a node of a graph, with or without an array: contraction then
//! *emits graph operations*, so that what it returns can be differentiated again. In the tests of this crate `V`
//! is a plain array, and for [`Network::cost`] it is a shape that counts what it would have done.
//!
//! What is not here: arrays, operations, graphs. The crate knows of integers and labels only.

mod coef;
mod component;
mod condense;
mod contract;
mod cost;
mod dag;
mod descent;
mod dim;
mod factor;
mod formula;
mod join;
mod matrix;
mod network;
mod operator;
mod order;
mod relation;
mod shorten;
mod simplify;
mod solution;
mod structure;
mod table;
mod vec_notation;

pub use coef::Coef;
pub use cost::Cost;
pub use dag::Dag;
pub use descent::Descended;
pub use dim::{Dim, Label, Name};
pub use factor::{Factor, Value};
pub use formula::{Letters, Written, indexed, subscript, sum as written_sum};
pub use network::{Network, Term};
pub use operator::{Map, Operator};
pub use order::{Plan, contraction_order};
pub use relation::Relation;
pub use structure::{Kind, Structure};
pub use table::{Error, Table};
