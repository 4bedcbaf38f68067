//! Jacobians of whole programs.
//!
//! The Jacobian of a program is found by going from the output to the input once, as reverse mode does, with a network in
//! place of a cotangent: at each value the networks of all paths from the output are added, and joined with the local
//! Jacobian of the operation before it. A term that comes to have more than [`MOST_FACTORS`] factors is condensed, and a
//! network of more than [`MOST_TERMS`] terms is written out as one dense factor, so that what is kept at a value stays
//! bounded whatever the program.

use std::collections::{HashMap, HashSet};

use pullback_network::{Coef, Cost, Dim, Label, Value};
use pullback_ops::{Factor, Network, Result, Val};

use crate::walk::between;

/// How many terms the Jacobian of an output by one value may have before it is written out.
const MOST_TERMS: usize = 16;

/// How many factors a term may have before some are multiplied.
const MOST_FACTORS: usize = 10;

/// How a Jacobian is laid out as a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Outputs and inputs as vectors with the last index varying fastest: C, NumPy, PyTorch.
    Row,
    /// With the first index varying fastest: Fortran, MATLAB, and vec(·) in the literature.
    Column,
}

/// ∂y/∂x as a network: a linear map from tangents of x to tangents of y.
#[derive(Clone, Debug)]
pub struct Jacobian {
    network: Network,
    /// 1, in the dtype of y.
    one: Val,
}

/// The Jacobian ∂y/∂x over all paths from x to y that do not pass a `fixed` value.
///
/// # Errors
/// What the rules on the way return.
pub fn jacobian(y: &Val, x: &Val, fixed: &[&Val]) -> Result<Jacobian> {
    let path = between(&[y], &[x], fixed);
    let on_path: HashSet<u64> = path.iter().map(Value::id).collect();
    let mut to: HashMap<u64, Network> = HashMap::new();
    if on_path.contains(&y.id()) {
        to.insert(y.id(), Network::identity(y.dims()));
    }
    for value in path.iter().rev().filter(|value| value.id() != x.id()) {
        let Some(outer) = to.remove(&value.id()) else { continue };
        for (k, input) in value.inputs().iter().enumerate().filter(|(_, input)| on_path.contains(&input.id()))
        {
            let joined = outer.compose(&value.jacobian(k)?);
            let sum = match to.remove(&input.id()) {
                Some(known) => known.plus(&joined),
                None => joined,
            };
            to.insert(input.id(), bounded(sum, &y.one())?);
        }
    }
    let network = to.remove(&x.id()).unwrap_or_else(|| Network::zero(y.dims(), x.dims()));
    Ok(Jacobian { network, one: y.one() })
}

/// The Hessian of a scalar, ∂²L/∂x∂y: the Jacobian by `y` of the gradient by `x`.
///
/// # Errors
/// Where `scalar` has axes, or a rule does.
pub fn hessian(scalar: &Val, x: &Val, y: &Val) -> Result<Jacobian> {
    jacobian(&crate::grad(scalar, &[x])?.remove(0), y, &[])
}

fn bounded(network: Network, one: &Val) -> Result<Network> {
    let network = network.condensed(MOST_FACTORS)?;
    if network.terms().len() <= MOST_TERMS {
        return Ok(network);
    }
    Ok(match network.to_dense(one)? {
        None => network,
        Some(dense) => {
            let (outputs, inputs) = (Label::for_dims(network.outputs()), Label::for_dims(network.inputs()));
            let labels = outputs.iter().chain(&inputs).copied().collect();
            let zero = Network::zero(network.outputs(), network.inputs());
            zero.plus_term(Coef::one(), &outputs, &inputs, [Factor::Dense(dense, labels)])
        }
    })
}

impl Jacobian {
    /// The network itself.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Is it zero by construction: does y not depend on x?
    pub fn is_zero(&self) -> bool {
        self.network.is_zero()
    }

    /// The cotangent of x, of x's shape, for a cotangent of y.
    ///
    /// # Errors
    /// Where the cotangent has not y's shape.
    pub fn vjp(&self, cotangent: &Val) -> Result<Option<Val>> {
        self.network.vjp(cotangent)
    }

    /// The tangent of y, of y's shape, for a tangent of x.
    ///
    /// # Errors
    /// Where the tangent has not x's shape.
    pub fn jvp(&self, tangent: &Val) -> Result<Option<Val>> {
        self.network.jvp(tangent)
    }

    /// The Jacobian of a composition: `self` after `inner`.
    ///
    /// # Panics
    /// Where `self` does not start at the shape at which `inner` ends.
    #[track_caller]
    pub fn compose(&self, inner: &Jacobian) -> Jacobian {
        Jacobian { network: self.network.compose(&inner.network), one: self.one.clone() }
    }

    /// All entries, as a tensor of shape `[y…, x…]`.
    ///
    /// # Errors
    /// Where the number of entries, or that of an index table, is too large. Memory is asked for on evaluation.
    pub fn to_dense(&self) -> Result<Val> {
        match self.network.to_dense(&self.one)? {
            Some(dense) => Ok(dense),
            None => {
                let dims: Vec<Dim> =
                    self.network.outputs().iter().chain(self.network.inputs()).copied().collect();
                let labels = Label::for_dims(&dims);
                Val::contract(&Coef::number(0.0), &[(self.one.clone(), Vec::new())], &labels)
            }
        }
    }

    /// All entries, as a matrix of shape `[|y|, |x|]`.
    ///
    /// # Errors
    /// Where the number of entries, or that of an index table, is too large. Memory is asked for on evaluation.
    pub fn to_matrix(&self, layout: Layout) -> Result<Val> {
        let split = self.network.outputs().len();
        as_matrix(&self.to_dense()?, split, layout)
    }

    /// What it costs, told without evaluating anything.
    pub fn cost(&self) -> Cost {
        self.network.cost()
    }

    /// The network in index notation.
    pub fn formula(&self) -> String {
        self.network.formula()
    }
}

/// A tensor whose first `split` axes are outputs and whose others are inputs, as a matrix.
fn as_matrix(tensor: &Val, split: usize, layout: Layout) -> Result<Val> {
    let count =
        |dims: &[Dim]| Dim::new(dims.iter().map(|dim| dim.size()).fold(1usize, usize::saturating_mul));
    let (outputs, inputs) = tensor.dims().split_at(split);
    let dims = [count(outputs), count(inputs)];
    match layout {
        Layout::Row => tensor.reshape(&dims),
        Layout::Column => {
            let axes: Vec<usize> = (0..split).rev().chain((split..tensor.ndim()).rev()).collect();
            tensor.permute(&axes)?.reshape(&dims)
        }
    }
}
