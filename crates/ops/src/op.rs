//! What an operation states about itself.

use std::any::Any;
use std::fmt;

use pullback_array::{Array, DType};
use pullback_network::{Dim, Value as _};

use crate::kernel::Recipe;
use crate::node::Val;
use crate::{Error, Network, Result};

/// The shape and the dtype of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The size of each axis, with the name it was bound to.
    pub dims: Vec<Dim>,
    /// The type of the elements.
    pub dtype: DType,
}

impl Spec {
    /// A shape and a dtype.
    pub fn new(dims: Vec<Dim>, dtype: DType) -> Spec {
        Spec { dims, dtype }
    }

    /// The same shape and type, with the same names for the sizes?
    pub fn is_called_as(&self, other: &Spec) -> bool {
        let is_alike = |(a, b): (&Dim, &Dim)| a == b && a.name() == b.name();
        self.dtype == other.dtype
            && self.dims.len() == other.dims.len()
            && self.dims.iter().zip(&other.dims).all(is_alike)
    }

    /// The sizes alone.
    pub fn shape(&self) -> Vec<usize> {
        self.dims.iter().map(|dim| dim.size()).collect()
    }
}

/// The dtype of a result of two dtypes: the wider float; an integer gives way to any float.
pub fn promote(a: DType, b: DType) -> DType {
    match (a, b) {
        (DType::F64, _) | (_, DType::F64) => DType::F64,
        (DType::F32, _) | (_, DType::F32) => DType::F32,
        (DType::I64, DType::I64) => DType::I64,
    }
}

/// What stands in the place of a forward pass: it is given the operation, one of the values that an application of it made, and its inputs.
pub type Forward<'a> = dyn FnMut(&dyn Op, &Val, &[&Array]) -> Result<Vec<Array>> + 'a;

/// Which operations are the same one, so that what is known of one application is known of another.
pub trait Same {
    /// Is the other one this very operation: does it give the same results of the same inputs, to the last bit, and the same derivatives?
    /// What holds more than a few numbers is not even the same as itself: it is compared with nothing, and kept by nobody for later.
    fn is_same(&self, other: &dyn Op) -> bool;
}

impl<T: Op + PartialEq> Same for T {
    fn is_same(&self, other: &dyn Op) -> bool {
        (other as &dyn Any).downcast_ref::<T>().is_some_and(|other| self == other)
    }
}

/// An operation: the one place where anything has to be stated about it.
///
/// `forward` is a pure function of its inputs, and `jacobian` builds its payloads from values of the graph only: a
/// payload cut off from the graph would be invisible at first order and wrong from the second on.
pub trait Op: Same + fmt::Debug + Any + Send + Sync {
    /// The name under which the operation stands in the table and in formulas.
    fn name(&self) -> &'static str;

    /// The shape rule: the outputs' shapes and dtypes from the inputs'.
    ///
    /// # Errors
    /// Where the shapes do not fit; the message carries the operation and the shapes.
    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>>;

    /// The forward pass.
    ///
    /// # Errors
    /// Where the values are outside the operation's domain in a way that leaves nothing to return (a singular matrix to
    /// invert), or where memory does not suffice. A logarithm of −1 is NaN and no error.
    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>>;

    /// The forward pass with `inner` in the place of those of operations that this one runs itself, as a loop does; most run none.
    ///
    /// # Errors
    /// Those of [`Op::forward`], and those of `inner`.
    fn forward_by(&self, inputs: &[&Array], _inner: &mut Forward<'_>) -> Result<Vec<Array>> {
        self.forward(inputs)
    }

    /// The forward pass as kernels of these values, of which none is empty, added to `recipe`: the value that is the only output.
    /// `None` where it is no such thing. See [`kernel`](crate::kernel).
    fn recipe(&self, _inputs: &[usize], _recipe: &mut Recipe) -> Option<usize> {
        None
    }

    /// Multiplications of operations that this one runs itself, roughly.
    fn inner_work(&self) -> f64 {
        0.0
    }

    /// The local Jacobian of one output by one input, ∂y/∂x, at a place in a graph.
    ///
    /// # Errors
    /// Where the derivative does not exist, or does not at this order: an error, never a number.
    fn jacobian(&self, at: &Site<'_>) -> Result<Network>;

    /// The local Jacobian, or its transpose, applied to `right`, of shape `[input…, k]` (`[output…, k]`), of an operation whose Jacobian
    /// says so ([`pullback_network::Map::Local`]).
    ///
    /// # Errors
    /// Where the operation states no such map; what the operations that are applied return.
    fn apply_jacobian(&self, _at: &Site<'_>, _right: &Val, _transposed: bool) -> Result<Val> {
        Err(Error::new(format!("{}: its Jacobian is a network", self.name())))
    }

    /// Are the elements those of its input, in their order?
    fn keeps_order(&self) -> bool {
        self.is_copy()
    }

    /// Is the result nothing but its input, as a value of its own?
    fn is_copy(&self) -> bool {
        false
    }

    /// Does it work element by element, so that its Jacobian is a delta on every axis times a slope?
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Are results sums of products of what it is given, each as often as a whole number says, and nothing else? Those of whole numbers are
    /// whole.
    fn sums_products(&self) -> bool {
        false
    }

    /// How many roundings of their own size results are off by, where the forward pass is more than sums of products: one that iterates
    /// rounds many times.
    fn roundings(&self, _inputs: &[&Array]) -> f64 {
        1.0
    }

    /// What other code stores of it where it computes in 16 bits.
    fn stored(&self) -> Stored {
        Stored::Result
    }

    /// Has other code its backward pass as one kernel, which stores nothing but its result?
    fn backward_is_whole(&self) -> bool {
        false
    }

    /// Of which other operand, near the first one, results are those of (see [`BackwardError`]).
    fn backward_error(&self) -> BackwardError {
        BackwardError::None
    }

    /// Is the result held where derivatives are taken, by differences too?
    fn holds(&self) -> bool {
        false
    }

    /// Are zeros of the result structural, where those of these inputs are: does nothing come through them, be it infinite or NaN on the
    /// other side of a product? What says where something is taken at all makes them, and what passes them on keeps them.
    fn gates(&self, _inputs: &[bool]) -> bool {
        false
    }

    /// What an input gets of the cotangent of the result, as it is written: where what the Jacobian says of places has no words of its own,
    /// and an operation of the language is the adjoint. `None`: the Jacobian says it.
    fn adjoint(&self, _at: &Site<'_>, _cotangent: &str, _inputs: &[String]) -> Option<String> {
        None
    }

    /// Why what [`Op::adjoint`] writes is the adjoint, where the Jacobian has no entries that would show it.
    fn adjoint_reason(&self) -> Option<&'static str> {
        None
    }

    /// What it is of simpler operations, as it is written for an input: what a book derives its Jacobian from. None: it is stated as such.
    fn definition(&self, _input: &str) -> Option<String> {
        None
    }

    /// How a result is written in a formula, from how its inputs are.
    fn written(&self, inputs: &[String]) -> String {
        format!("{}({})", self.name(), inputs.join(", "))
    }

    /// How one of several results is written by itself, where an expression of the language gives it: a call of the operation is its first.
    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        (result.output() == 0).then(|| self.written(inputs))
    }
}

/// What other code stores of an operation where it computes in 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The result, which is computed as a whole.
    Result,
    /// What it is put together of too: PyTorch's logsumexp on a CPU stores the largest, and the logarithm of the sum.
    Pieces,
    /// Nothing: it is part of what is computed as a whole.
    Nothing,
}

/// How far an operand is off of which results are the exact ones, but for their own rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackwardError {
    /// It is the very one.
    None,
    /// Each entry by a rounding: what special functions add up is of the size that their argument gives it, also where they are zero.
    OfEntries,
    /// Each operand by a rounding, as far as they cancel: other code multiplies out, `a x − a m` for `a (x − m)`. And a number that the
    /// program states is the nearest one of the format.
    OfTerms,
    /// Each entry of a matrix, in the last two axes, by a rounding of the largest one in its column, the backward error of elimination
    /// with pivots; of a transposed one, in its row (Higham, *Accuracy and Stability of Numerical Algorithms*, theorem 9.3). So is one of
    /// the matrix's norm met, within the root of its size.
    OfColumns,
    /// It is a quotient: its product with the second operand was stored, and divided by that one where it is not zero.
    OfProducts,
}

/// A place in a graph: one output and one input of one application of an operation.
#[derive(Debug)]
pub struct Site<'a> {
    pub(crate) value: &'a Val,
    pub(crate) inputs: &'a [Val],
    pub(crate) input: usize,
}

impl Site<'_> {
    /// Which input the Jacobian is taken by.
    pub fn input(&self) -> usize {
        self.input
    }

    /// Which output the Jacobian is of.
    pub fn output(&self) -> usize {
        self.value.output()
    }

    /// The input the Jacobian is taken by.
    pub fn x(&self) -> &Val {
        &self.inputs[self.input]
    }

    /// All inputs.
    pub fn inputs(&self) -> &[Val] {
        self.inputs
    }

    /// The inputs that are the value which the Jacobian is taken by, in order.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        (0..self.inputs.len()).filter(|&input| self.inputs[input].id() == self.x().id())
    }

    /// The output the Jacobian is of.
    pub fn y(&self) -> &Val {
        self.value
    }

    /// Another output of the same application.
    pub fn sibling(&self, output: usize) -> Val {
        self.value.sibling(output)
    }

    /// The zero map of the right shape, to which a rule adds its terms.
    pub fn network(&self) -> Network {
        Network::zero(self.y().dims(), self.x().dims())
    }
}
