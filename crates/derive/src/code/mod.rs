//! A gradient as code: the right side of a claim, written as one would write it by hand.
//!
//! The rules are those by which numbers are computed, and the way is reverse mode; what flows backward is not an array but a
//! sum of products with labels, `Σ_k Ḡ_mk (1 − t²)_mk W_nk`. At the end it is written with the operations of the language:
//! `dL/dt * (1 - t^2) @ W.T`. A value whose cotangent has a name ends a product, and so does one that is a sum by itself: what
//! comes after it refers to it as a whole, as one does on paper.
//!
//! | module | what it knows |
//! |---|---|
//! | `backward` | how cotangents flow, as networks |
//! | `algebra` | what cancels, and what has a name |
//! | `terms` | how a sum of products is written: common factors, signs, the shape it has to have |
//! | `contraction` | how the sums of one product are written: `@`, `sum`, `einsum` |
//! | `node` | an expression whose axes carry labels, and how it is broadcast |
//! | `matrix` | the shortest form of expressions of matrices |
//! | `payload` | how a value of the graph is written |
//! | `condition` | comparisons, which a graph has as steps |
//! | `selection` | what a relation between labels reads, and where it places something |
//! | `slope` | the derivative of an element-wise function |
//!
//! What is not here: a second statement of any derivative; a proof. Whoever uses the code evaluates it and compares (a size that
//! has no name is a number in it, and wrong at other sizes).
//!
//! ```
//! use pullback_array::DType;
//! use pullback_derive::{Source, gradient_code};
//! use pullback_lang::{Span, make, print};
//! use pullback_network::Dim;
//! use pullback_ops::Val;
//!
//! let (n, d, m) = (Dim::named("N", 5), Dim::named("D", 3), Dim::named("M", 2));
//! let x = Val::symbol("X", &[n, d], DType::F64);
//! let w = Val::symbol("W", &[d, m], DType::F64);
//! let t = x.matmul(&w)?.tanh()?.named("T");
//! let of_t = |value: &Val| (value.name() == t.name()).then(|| make::reference(Span::default(), "L", "T"));
//! let code = gradient_code(&t, &x, &Source { cotangent: &of_t, written: &|_| None, as_derived: false });
//! assert_eq!(code.map(|code| print(&code)).as_deref(), Some("dL/dT * (1 - T^2) @ W.T"));
//! # Ok::<(), pullback_ops::Error>(())
//! ```

mod algebra;
mod backward;
pub(crate) mod condition;
mod contraction;
mod matrix;
mod node;
mod payload;
mod selection;
mod slope;
mod terms;

pub(crate) use algebra::Equation;
pub(crate) use backward::{Sent, gradient, gradient_telling};
pub use matrix::{Known, shortened};
pub(crate) use node::{is_zeros, zeros};
pub(crate) use payload::Writer;
pub use slope::slope;
pub(crate) use terms::of_operator;

use pullback_lang::Expr;
use pullback_network::Label;
use pullback_ops::{Network, Term, Val};

/// What a program calls things.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What the cotangent of a value is called, where it is called anything.
    pub cotangent: &'a dyn Fn(&Val) -> Option<Expr>,
    /// How a value is written that has no name of its own, where that is known; else as the operation that it is.
    pub written: &'a dyn Fn(&Val) -> Option<Expr>,
    /// Is the gradient left as reverse mode gives it, with nothing cancelled?
    pub as_derived: bool,
}

/// The gradient of `of` by `wrt` as an expression, of the shape of `wrt`; where `of` is no scalar and its cotangent has no name
/// the Jacobian `[of…, wrt…]`. `None` where the language has no words for it (an index map, a derivative of high rank), where no
/// path leads to it, and where it would be too long to be read.
pub fn gradient_code(of: &Val, wrt: &Val, source: &Source<'_>) -> Option<Expr> {
    gradient(of, wrt, source, &|_, _| None)
}

/// How a value without a name is written on paper that has conditions in it, `[x ≥ 0]`; `None` of any other.
pub fn conditional(value: &Val) -> Option<String> {
    let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
    let written = Writer::new(&source).written(value).filter(|_| value.name().is_none())?;
    let mut has_any = false;
    written.walk(&mut |part| has_any |= condition::is_comparison(part));
    has_any.then(|| crate::notation::of_expr(&written, &|_| None).grouped().text())
}

/// Which terms of a cotangent of a value are zero, and by how which values are computed.
pub(crate) fn vanish(of: &Val, value: &Val, terms: &[Term], writer: &Writer<'_>) -> Vec<Option<Vec<Val>>> {
    let is_summed = |term: &Term| {
        term.factors.iter().flat_map(|factor| factor.labels()).any(|label| !term.slots.contains(&label))
    };
    if !terms.iter().any(is_summed) {
        return vec![None; terms.len()];
    }
    let algebra = algebra::Algebra::new(of, writer);
    let zero_by = |term: &Term| {
        let zero = Network::zero(value.dims(), &[]);
        let network = zero.plus_term(term.coef.clone(), &term.slots, &[], term.factors.iter().cloned());
        let is_zero = algebra.simplest(&network).is_zero();
        let by = algebra.equations().into_iter().flat_map(|equation| equation.by).collect();
        is_zero.then_some(by)
    };
    terms.iter().map(zero_by).collect()
}

/// Terms over the axes of a value and of what it is differentiated by, with like factors as one power; none where they have other
/// factors than values.
pub(crate) fn as_powers(of: &Val, terms: &[Term], writer: &Writer<'_>) -> Option<Vec<Term>> {
    let slots: Vec<Label> = terms.first()?.slots.iter().map(|slot| Label::new(slot.dim())).collect();
    algebra::Algebra::new(of, writer).powers(terms, &slots)
}
