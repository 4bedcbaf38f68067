//! A call of a function on tensors: a line of the language, and what PyTorch says of its results.

use pullback::autograd::tensor::{Result, Tensor};
use pyo3::exceptions::{PyNotImplementedError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyTuple};

use super::PyTensor;
use super::kinds::{Kind, cast};
use super::line::Line;
use super::nodes::{Given, node};
use super::view::View;

/// Functions of integers whose results are integers, in PyTorch.
const MAKE_WHOLE: [&str; 36] = [
    "abs",
    "add",
    "amax",
    "amin",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "cumprod",
    "cumsum",
    "diff",
    "dot",
    "floor",
    "floor_divide",
    "fmod",
    "kron",
    "matmul",
    "max",
    "maximum",
    "min",
    "minimum",
    "mul",
    "neg",
    "outer",
    "pow",
    "prod",
    "relu",
    "remainder",
    "round",
    "sign",
    "square",
    "sub",
    "sum",
    "trace",
    "trunc",
];

/// Those that choose one of what they are given: of truths, a truth.
const CHOOSE: [&str; 6] = ["amax", "amin", "max", "maximum", "min", "minimum"];

/// Functions that tell truths.
const TELL_TRUTHS: [&str; 9] =
    ["logical_and", "logical_or", "logical_not", "logical_xor", "isnan", "isinf", "isfinite", "any", "all"];

/// A call of a function by its name, before it is evaluated.
pub struct Call {
    line: Line,
    called: String,
    node: String,
}

impl Call {
    /// `module.name(arguments, keywords)`.
    ///
    /// # Errors
    /// Those of [`Line::push_arguments`].
    pub fn new(
        default: Kind,
        module: &str,
        name: &str,
        arguments: &Bound<'_, PyTuple>,
        keywords: &[(String, Bound<'_, PyAny>)],
    ) -> PyResult<Call> {
        let mut line = Line::new(default);
        line.push(module).push(".").push(name).push_arguments(arguments, keywords)?;
        let is_number = |at: usize| {
            arguments
                .get_item(at)
                .is_ok_and(|it| it.is_instance_of::<PyInt>() || it.is_instance_of::<PyFloat>())
        };
        let names_axis = keywords.iter().any(|(keyword, _)| matches!(keyword.as_str(), "dim" | "axis"));
        let node = node(
            name,
            &Given {
                ranks: &ranks(&line),
                starts_with_number: is_number(0),
                ends_with_number: is_number(1),
                has_axis: names_axis || arguments.len() > 1,
            },
        );
        Ok(Call { line, called: name.to_owned(), node })
    }

    /// `a + b`, by the name of the operation, `add`, and its operator.
    ///
    /// # Errors
    /// Those of [`Line::push_value`].
    pub fn infix(
        default: Kind,
        name: &str,
        operator: &str,
        a: &Bound<'_, PyAny>,
        b: &Bound<'_, PyAny>,
    ) -> PyResult<Call> {
        let mut line = Line::new(default);
        for (operand, behind) in [(a, operator), (b, "")] {
            // A truth is a number here, and a sign holds less than a power.
            match operand.cast::<PyBool>() {
                Ok(flag) => drop(line.push(if flag.is_true() { "1" } else { "0" })),
                Err(_) => {
                    line.push("(").push_value(operand)?;
                    line.push(")");
                }
            }
            line.push(behind);
        }
        let is_number = |operand: &Bound<'_, PyAny>| !operand.is_instance_of::<PyTensor>();
        let node = node(
            name,
            &Given {
                ranks: &ranks(&line),
                starts_with_number: is_number(a),
                ends_with_number: is_number(b),
                has_axis: false,
            },
        );
        Ok(Call { line, called: name.to_owned(), node })
    }

    /// Are its results truths?
    pub fn tells_truths(&self) -> bool {
        TELL_TRUTHS.contains(&self.called.as_str()) || self.joins_truths()
    }

    /// Is it a sum or a product of two truths? It is one again.
    fn joins_truths(&self) -> bool {
        matches!(self.called.as_str(), "add" | "mul") && self.line.truths() == [true, true]
    }

    /// The line, and the name of the function.
    pub fn line(&self) -> (&Line, &str) {
        (&self.line, &self.called)
    }

    /// The line with another tensor in the place of the first operand.
    pub fn with_first(self, tensor: &Tensor) -> Call {
        Call { line: self.line.with_first(tensor), ..self }
    }

    /// The name of the node that it leaves.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The results.
    ///
    /// # Errors
    /// Those of [`Line::results`].
    pub fn tensors(&self) -> Result<Vec<Tensor>> {
        self.line.results(MAKE_WHOLE.contains(&self.called.as_str()))
    }

    /// The results as Python sees them.
    ///
    /// # Errors
    /// Those of [`Line::results`].
    pub fn results(&self) -> Result<Vec<PyTensor>> {
        let tells = self.tells_truths();
        let seen = |tensor: &Tensor| match tells {
            true => Ok(PyTensor::truths(Tensor::new(cast(&tensor.array(), Kind::Bool)?))),
            // What moves truths about leaves them truths.
            false if self.moves_truths(tensor) => Ok(PyTensor::truths(tensor.clone())),
            false => Ok(PyTensor::computed(tensor.clone(), &self.node)),
        };
        let several = |(at, tensor): (usize, &Tensor)| match at > 0 && !View::makes(&self.called) {
            // Where something stands is no truth.
            true => Ok(PyTensor::computed(tensor.clone(), &self.node)),
            false => seen(tensor),
        };
        self.tensors()?.iter().enumerate().map(several).collect()
    }

    /// Does it only move truths? What says where something stands counts.
    fn moves_truths(&self, result: &Tensor) -> bool {
        let is_one = result.array().to_vec_i64().is_ok_and(|all| all.iter().all(|x| matches!(x, 0 | 1)));
        let says_where = self.called.starts_with("arg");
        if says_where || !is_one {
            return false;
        }
        let all = !self.line.truths().is_empty() && self.line.truths().iter().all(|truth| *truth);
        let counts = MAKE_WHOLE.contains(&self.called.as_str()) && !CHOOSE.contains(&self.called.as_str());
        all && !result.dtype().is_float() && !counts
    }
}

fn ranks(line: &Line) -> Vec<usize> {
    line.operands().iter().map(|operand| operand.shape().len()).collect()
}

/// Functions that PyTorch has of floats alone.
const OF_FLOATS: [&str; 7] = ["log_softmax", "mean", "mse_loss", "norm", "softmax", "std", "var"];

/// What PyTorch refuses, in its words, and Pullback would do.
pub fn refused(call: &Call) -> Option<PyErr> {
    let words = |words: String| Some(PyRuntimeError::new_err(words));
    let (called, operands, truths) = (call.called.as_str(), call.line.operands(), call.line.truths());
    let kinds: Vec<Kind> = operands.iter().map(|operand| Kind::of(operand.dtype())).collect();
    if OF_FLOATS.contains(&called) && kinds.iter().all(|kind| !kind.array().is_float()) {
        let got = if truths.first() == Some(&true) { "Bool".to_owned() } else { "Long".to_owned() };
        let message = match called {
            "mean" => format!(
                "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {got}"
            ),
            "std" | "var" => "std and var only support floating point and complex dtypes".to_owned(),
            _ => format!("\"{called}\" not implemented for '{got}'"),
        };
        return Some(PyNotImplementedError::new_err(message));
    }
    if called == "sub" && truths.contains(&true) {
        let message = match truths {
            [true, true] => {
                "with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
            }
            _ => {
                "with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` \
                 operator instead."
            }
        };
        return Some(PyNotImplementedError::new_err(format!("Subtraction, the `-` operator, {message}")));
    }
    let ranks = ranks(&call.line);
    match (called, &*ranks) {
        ("dot", [a, b]) if (*a, *b) != (1, 1) => {
            return words(format!("1D tensors expected, but got {a}D and {b}D tensors"));
        }
        ("mm", [2, 2]) => {}
        ("mm", [2, _]) => return words(format!("mm: mat2 must be a matrix, got {}-D tensor", ranks[1])),
        ("mm", [_, _]) => return words(format!("mm: self must be a matrix, got {}-D tensor", ranks[0])),
        _ => {}
    }
    let [of_a, of_b] = *kinds else { return None };
    if !["dot", "matmul", "mm", "mv"].contains(&called) || of_a == of_b {
        return None;
    }
    let (a, b) = (of_a.in_messages(), of_b.in_messages());
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let (large_a, large_b) = (capital(a), capital(b));
    words(match &*ranks {
        [1, 1] => {
            format!("dot : expected both vectors to have same dtype, but found {large_a} and {large_b}")
        }
        [2, 1] => {
            format!(
                "addmv input tensors must have the same dtype, but got {large_b}, {large_a}, and {large_b}"
            )
        }
        _ => format!("expected m1 and m2 to have the same dtype, but got: {a} != {b}"),
    })
}
