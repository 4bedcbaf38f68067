//! `+ − * /` between values, and between values and numbers. The result is a [`Result`]: shapes may not fit.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::{Elementwise2, Result, Val};

macro_rules! operator {
    ($trait:ident, $method:ident, $op:path) => {
        impl $trait<&Val> for &Val {
            type Output = Result<Val>;
            fn $method(self, other: &Val) -> Result<Val> {
                Val::apply(Elementwise2(&$op), &[self, other])
            }
        }

        impl $trait<Val> for Val {
            type Output = Result<Val>;
            fn $method(self, other: Val) -> Result<Val> {
                (&self).$method(&other)
            }
        }

        impl $trait<f64> for &Val {
            type Output = Result<Val>;
            fn $method(self, number: f64) -> Result<Val> {
                self.$method(&Val::number(number, self.dtype()))
            }
        }

        impl $trait<&Val> for f64 {
            type Output = Result<Val>;
            fn $method(self, value: &Val) -> Result<Val> {
                (&Val::number(self, value.dtype())).$method(value)
            }
        }
    };
}

operator!(Add, add, crate::ops::add::ADD);
operator!(Sub, sub, crate::ops::sub::SUB);
operator!(Mul, mul, crate::ops::mul::MUL);
operator!(Div, div, crate::ops::div::DIV);

impl Neg for &Val {
    type Output = Result<Val>;
    fn neg(self) -> Result<Val> {
        self.negated()
    }
}
