//! Operators between tensors, and between tensors and numbers; and methods for what stands in most programs. Each is one
//! line: what an operation is, its file says.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pullback_array::{Array, DType};
use pullback_ops::Val;

use super::{Result, Tensor};

impl Tensor {
    /// A number beside a tensor of this dtype. It is an operand like any other, as in PyTorch: a product keeps it for the
    /// backward pass.
    fn number(value: f64, dtype: DType) -> Result<Tensor> {
        Ok(Tensor::new(Array::scalar(value, dtype)?))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait<&Tensor> for &Tensor {
            type Output = Result<Tensor>;
            fn $method(self, other: &Tensor) -> Result<Tensor> {
                self.zip(other, |a, b| a.$method(b))
            }
        }

        impl $trait<f64> for &Tensor {
            type Output = Result<Tensor>;
            fn $method(self, number: f64) -> Result<Tensor> {
                self.$method(&Tensor::number(number, self.dtype())?)
            }
        }

        impl $trait<&Tensor> for f64 {
            type Output = Result<Tensor>;
            fn $method(self, tensor: &Tensor) -> Result<Tensor> {
                (&Tensor::number(self, tensor.dtype())?).$method(tensor)
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for &Tensor {
    type Output = Result<Tensor>;
    fn neg(self) -> Result<Tensor> {
        self.map(Val::negated)
    }
}

macro_rules! methods {
    ($($name:ident = $op:ident: $what:literal;)*) => {
        impl Tensor {
            $(
                #[doc = $what]
                ///
                /// # Errors
                /// Those of the operation.
                pub fn $name(&self) -> Result<Tensor> {
                    self.map(Val::$op)
                }
            )*
        }
    };
}

methods! {
    sum = sum_all: "The sum of all elements.";
    mean = mean_all: "The mean of all elements.";
    exp = exp: "The exponential, element by element.";
    log = log: "The natural logarithm, element by element.";
    tanh = tanh: "The hyperbolic tangent, element by element.";
    relu = relu: "The rectifier, element by element.";
    sigmoid = sigmoid: "The logistic function, element by element.";
    t = transpose: "The transpose.";
}

impl Tensor {
    /// The matrix product.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    pub fn matmul(&self, other: &Tensor) -> Result<Tensor> {
        self.zip(other, Val::matmul)
    }

    /// A power, element by element.
    ///
    /// # Errors
    /// On integers.
    pub fn pow(&self, exponent: f64) -> Result<Tensor> {
        self.map(|x| x.powf(exponent))
    }
}
