//! What operations that work element by element have in common: the shape rule, and a network that is a delta on every
//! axis times the derivative.

use pullback_array::{Array, DType, Each, Pairs};
use pullback_network::{Coef, Dim, Label};

use crate::kernel::Recipe;
use crate::labels::{aligned, broadcast};
use crate::{BackwardError, Error, Factor, Network, Op, Result, Site, Spec, Val, promote};

/// A derivative as a coefficient times a value.
pub struct Slope {
    coef: Coef,
    factor: Option<Val>,
}

impl Slope {
    /// A number.
    pub fn number(coef: Coef) -> Option<Slope> {
        Some(Slope { coef, factor: None })
    }

    /// A value; where it is a number that the program states, it becomes part of the coefficient.
    pub fn value(factor: Val) -> Option<Slope> {
        Slope::times(Coef::one(), factor)
    }

    /// A number times a value.
    pub fn times(coef: Coef, factor: Val) -> Option<Slope> {
        match factor.as_coefficient(1) {
            Some(number) => Slope::number(coef.times(&number)),
            None => Some(Slope { coef, factor: Some(factor) }),
        }
    }
}

/// An operation on one value, element by element: `y_i = f(x_i)`.
#[derive(Debug)]
pub struct Unary {
    /// The name.
    pub name: &'static str,
    /// f of the elements of a line, in both precisions.
    pub lines: Each,
    /// f′ from x and y; `None` where it is 0 everywhere it exists: the operation is piecewise constant.
    pub derivative: fn(&Val, &Val) -> Result<Option<Slope>>,
}

/// A [`Unary`] as an operation.
#[derive(Debug, Clone, Copy)]
pub struct Elementwise(pub &'static Unary);

/// What is stated once in the program is the same where it is the same statement.
impl PartialEq for Elementwise {
    fn eq(&self, other: &Elementwise) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Op for Elementwise {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        if !inputs[0].dtype.is_float() {
            return Err(Error::new(format!(
                "{}: an array of {} is not differentiable",
                self.name(),
                inputs[0].dtype
            ))
            .with_hint("draw or load it as a float"));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].each(&self.0.lines)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        Some(recipe.each(&self.0.lines, inputs[0]))
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.y().dims());
        let network = at.network();
        Ok(match (self.0.derivative)(at.x(), at.y())? {
            None => network,
            Some(Slope { coef, factor }) => {
                network.plus_term(coef, &i, &i, factor.map(|value| Factor::Dense(value, i.clone())))
            }
        })
    }
}

/// An operation on two values that broadcast, element by element: `y_i = f(a_i, b_i)`.
#[derive(Debug)]
pub struct Binary {
    /// The name.
    pub name: &'static str,
    /// By what other code may be off.
    pub backward_error: BackwardError,
    /// f of all pairs of elements of two lines, in both precisions.
    pub lines: Pairs,
    /// The partial derivative by the input of the site; `None` where it is 0.
    pub derivative: fn(&Site<'_>) -> Result<Option<Slope>>,
    /// How the result is written.
    pub written: fn(&str, &str) -> String,
}

/// A [`Binary`] as an operation.
#[derive(Debug, Clone, Copy)]
pub struct Elementwise2(pub &'static Binary);

/// What is stated once in the program is the same where it is the same statement.
impl PartialEq for Elementwise2 {
    fn eq(&self, other: &Elementwise2) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Op for Elementwise2 {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn backward_error(&self) -> BackwardError {
        self.0.backward_error
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let [a, b] = inputs else {
            return Err(Error::new(format!("{}: {} operands in place of two", self.name(), inputs.len())));
        };
        let dims: Vec<Dim> = broadcast(self.name(), &a.dims, &b.dims)?;
        let dtype = promote(a.dtype, b.dtype);
        if dtype == DType::I64 {
            return Err(Error::new(format!(
                "{}: integers are indices here, not numbers to compute with",
                self.name()
            ))
            .with_hint("draw or load them as floats"));
        }
        Ok(vec![Spec::new(dims, dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].pairs(inputs[1], self.0.name, &self.0.lines)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        recipe.float(inputs)?;
        Some(recipe.pairs(&self.0.lines, inputs[0], inputs[1]))
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.y().dims());
        let network = at.network();
        Ok(match (self.0.derivative)(at)? {
            None => network,
            Some(Slope { coef, factor }) => {
                let factor = factor.map(|value| {
                    let labels = aligned(&out, value.dims());
                    Factor::Dense(value, labels)
                });
                network.plus_term(coef, &out, &aligned(&out, at.x().dims()), factor)
            }
        })
    }

    fn written(&self, inputs: &[String]) -> String {
        (self.0.written)(&inputs[0], &inputs[1])
    }
}
