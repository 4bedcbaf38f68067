//! A line of the language that tensors stand in: `torch.std(t0, axis=0)`.
//!
//! What PyTorch's spelling means the language knows (`dim`, `unbiased`, and that `torch.std` divides by n − 1), and so every
//! function of the op table and of the prelude is one of tensors, under every name that it has.

use std::fmt::Write;

use numpy::PyUntypedArray;
use pullback::array::DType;
use pullback::autograd::tensor::{Result, Tensor};
use pullback::lang::parse_expr;
use pullback::lang::program::{Scope, evaluate_all};
use pullback::ops::{self, Val};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::PyTensor;
use super::kinds::{Kind, converted};
use crate::arrays;

/// A line of the language with the tensors that stand in it, as `t0`, `t1`, ….
#[derive(Clone)]
pub struct Line {
    text: String,
    operands: Vec<Tensor>,
    /// Which operands hold truths.
    truths: Vec<bool>,
    /// Does a number with a fraction, or one that may have one, stand in it?
    has_float: bool,
    default: Kind,
}

impl Line {
    /// An empty line. Numbers without a tensor are of the kind `default`.
    pub fn new(default: Kind) -> Line {
        Line { text: String::new(), operands: Vec::new(), truths: Vec::new(), has_float: false, default }
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) -> &mut Line {
        self.text.push_str(text);
        self
    }

    /// Adds a tensor.
    pub fn push_tensor(&mut self, tensor: &Tensor, truth: bool) -> &mut Line {
        // Writing to a string does not fail.
        let _ = write!(self.text, "t{}", self.operands.len());
        self.operands.push(tensor.clone());
        self.truths.push(truth);
        self
    }

    /// Adds a value of Python as the language writes it.
    ///
    /// # Errors
    /// Where the language has no such value.
    pub fn push_value(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(tensor) = value.cast::<PyTensor>() {
            let tensor = tensor.get();
            self.push_tensor(tensor.current()?, tensor.holds_truths());
        } else if value.is_none() {
            self.push("none");
        } else if let Ok(flag) = value.cast::<PyBool>() {
            self.push(if flag.is_true() { "true" } else { "false" });
        } else if value.is_instance_of::<PyInt>() {
            // The language's numbers are floats.
            let number = value.extract().ok().filter(|number: &i64| number.unsigned_abs() <= MOST_WHOLE);
            let number = number.ok_or_else(|| {
                PyOverflowError::new_err(format!(
                    "{value}: beyond 2^53, up to which every whole number is a float"
                ))
            })?;
            self.push(&number.to_string());
        } else if value.is_instance_of::<PyFloat>() {
            let number: f64 = value.extract()?;
            self.has_float = true;
            self.push(&written(number));
        } else if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_cow()?;
            if text.contains(|c: char| c == '"' || c == '\\' || c.is_control()) {
                return Err(PyTypeError::new_err(format!(
                    "{text:?}: a word has no quotes and no control characters"
                )));
            }
            self.push(&format!("\"{text}\""));
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            self.push("[");
            for (at, item) in value.try_iter()?.enumerate() {
                self.push(if at > 0 { ", " } else { "" }).push_value(&item?)?;
            }
            self.push("]");
        } else if value.is_instance_of::<PyUntypedArray>() || value.hasattr("__array__")? {
            let (array, _) = arrays::array("operand", value)?;
            self.push_tensor(&Tensor::new(array), false);
        } else if value.hasattr("__index__")? {
            self.push_value(&value.call_method0("__index__")?)?;
        } else {
            return Err(PyTypeError::new_err(format!(
                "{} is neither a tensor nor a number, a list or a word",
                value.get_type().name()?
            )));
        }
        Ok(())
    }

    /// Adds the arguments of a call, brackets included; the first may be a tensor that is known already.
    ///
    /// # Errors
    /// Those of [`Line::push_value`]; where a keyword is no name.
    pub fn push_arguments(
        &mut self,
        arguments: &Bound<'_, PyTuple>,
        keywords: &[(String, Bound<'_, PyAny>)],
    ) -> PyResult<()> {
        self.push("(");
        for (at, argument) in arguments.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" }).push_value(&argument)?;
        }
        for (at, (keyword, value)) in keywords.iter().enumerate() {
            let is_name = keyword.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && keyword.starts_with(|c: char| c.is_ascii_alphabetic());
            if !is_name {
                return Err(PyTypeError::new_err(format!("{keyword:?} is no name of a parameter")));
            }
            let comma = if at > 0 || !arguments.is_empty() { ", " } else { "" };
            self.push(comma).push(keyword).push("=").push_value(value)?;
        }
        self.push(")");
        Ok(())
    }

    /// The tensors that stand in it.
    pub fn operands(&self) -> &[Tensor] {
        &self.operands
    }

    /// Which of them hold truths.
    pub fn truths(&self) -> &[bool] {
        &self.truths
    }

    /// The line with another tensor in the place of the first.
    pub fn with_first(mut self, tensor: &Tensor) -> Line {
        if let Some(first) = self.operands.first_mut() {
            *first = tensor.clone();
        }
        self
    }

    /// What the line comes to. `makes_whole` says that integers make integers.
    ///
    /// # Errors
    /// Those of the language, and of the operations.
    pub fn results(&self, makes_whole: bool) -> Result<Vec<Tensor>> {
        let is_whole = |tensor: &Tensor| !tensor.dtype().is_float();
        if !self.operands.iter().all(is_whole) || self.operands.is_empty() {
            return self.suited()?.evaluated(self.float());
        }
        // What moves elements moves integers; what computes does so in floats.
        if let Ok(results) = self.evaluated(DType::I64) {
            return Ok(results);
        }
        let stays_whole = makes_whole && !self.has_float;
        let kind = if stays_whole { Kind::Float64 } else { self.default };
        let results = self.all_as(kind)?.evaluated(kind.array())?;
        match stays_whole {
            true => results.iter().map(whole).collect(),
            false => Ok(results),
        }
    }

    /// The precision of the floats in it: that of tensors, of those with axes before those that are numbers.
    fn float(&self) -> DType {
        let of = |with_axes: bool| {
            let floats = self.operands.iter().map(Tensor::array);
            let dtypes = floats.filter(|array| array.dtype().is_float() && (array.ndim() > 0) == with_axes);
            dtypes.map(|array| array.dtype()).reduce(ops::promote)
        };
        of(true).or_else(|| of(false)).unwrap_or(self.default.array())
    }

    /// Numbers beside tensors are in the precision of these, and truths beside floats are floats.
    fn suited(&self) -> Result<Line> {
        let float = self.float();
        let mut suited = self.clone();
        for (operand, truth) in suited.operands.iter_mut().zip(&self.truths) {
            let is_number =
                operand.shape().is_empty() && operand.dtype().is_float() && operand.dtype() != float;
            if *truth || is_number {
                *operand = converted_to(operand, float)?;
            }
        }
        Ok(suited)
    }

    fn all_as(&self, kind: Kind) -> Result<Line> {
        let mut line = self.clone();
        for operand in &mut line.operands {
            *operand = converted(operand, kind)?;
        }
        Ok(line)
    }

    fn evaluated(&self, dtype: DType) -> Result<Vec<Tensor>> {
        let operands: Vec<&Tensor> = self.operands.iter().collect();
        Tensor::apply_all(&operands, |values| self.values(values, dtype))
    }

    fn values(&self, values: &[Val], dtype: DType) -> ops::Result<Vec<Val>> {
        let told = |error: pullback::lang::Error| {
            let told = ops::Error::new(error.message());
            match error.hint() {
                Some(hint) => told.with_hint(hint),
                None => told,
            }
        };
        let mut scope = Scope::new(dtype);
        for (at, value) in values.iter().enumerate() {
            scope.define(&format!("t{at}"), value.clone());
        }
        evaluate_all(&parse_expr(&self.text).map_err(told)?.expr, &scope).map_err(told)
    }
}

/// Up to here every whole number is one of double precision.
const MOST_WHOLE: u64 = 1 << 53;

/// Integers that were computed in floats.
fn whole(result: &Tensor) -> Result<Tensor> {
    if result.array().max_abs() > MOST_WHOLE as f64 {
        let message = "integers beyond 2^53, up to which every whole number is a float";
        return Err(ops::Error::new(message).with_hint("compute in float64").into());
    }
    converted(result, Kind::Int64)
}

fn converted_to(tensor: &Tensor, dtype: DType) -> Result<Tensor> {
    // A wider number that a gradient flows to stays as it is: its history has no narrower form.
    match tensor.requires_grad() && tensor.dtype() == DType::F64 {
        true => Ok(tensor.clone()),
        false => converted(tensor, Kind::of(dtype)),
    }
}

/// A number as the language writes it, in brackets where it has a sign.
fn written(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "inf" } else { "(-inf)" }.to_owned()
    } else if number.is_sign_negative() {
        format!("(-{:?})", -number)
    } else {
        format!("{number:?}")
    }
}
