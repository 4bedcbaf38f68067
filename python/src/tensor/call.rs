//! A call of a function on tensors: a line of the language, and what PyTorch says of its results.

use pullback::autograd::tensor::{Result, Tensor};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyTuple};

use super::PyTensor;
use super::kinds::{Kind, cast};
use super::line::Line;
use super::nodes::{Given, node};

/// Functions of integers whose results are integers, in PyTorch.
const MAKE_WHOLE: [&str; 24] = [
    "add",
    "sub",
    "mul",
    "neg",
    "pow",
    "remainder",
    "floor_divide",
    "matmul",
    "outer",
    "dot",
    "kron",
    "sum",
    "prod",
    "cumsum",
    "cumprod",
    "abs",
    "max",
    "min",
    "maximum",
    "minimum",
    "square",
    "clamp",
    "trace",
    "diff",
];

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
        let tells = TELL_TRUTHS.contains(&self.called.as_str());
        let seen = |tensor: &Tensor| match tells {
            true => Ok(PyTensor::truths(Tensor::new(cast(&tensor.array(), Kind::Bool)?))),
            // What moves truths about leaves them truths.
            false if self.moves_truths(tensor) => Ok(PyTensor::truths(tensor.clone())),
            false => Ok(PyTensor::computed(tensor.clone(), &self.node)),
        };
        self.tensors()?.iter().map(seen).collect()
    }

    fn moves_truths(&self, result: &Tensor) -> bool {
        let all = !self.line.truths().is_empty() && self.line.truths().iter().all(|truth| *truth);
        all && !result.dtype().is_float() && !MAKE_WHOLE.contains(&self.called.as_str())
    }
}

fn ranks(line: &Line) -> Vec<usize> {
    line.operands().iter().map(|operand| operand.shape().len()).collect()
}

/// The product of two tensors of different precision, which PyTorch refuses in its own words.
pub fn refused(line: &Call) -> Option<String> {
    let [a, b] = line.line.operands() else { return None };
    let (of_a, of_b) = (Kind::of(a.dtype()), Kind::of(b.dtype()));
    (line.called == "matmul" && of_a != of_b).then(|| {
        let (a, b) = (of_a.in_messages(), of_b.in_messages());
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        let (large_a, large_b) = (capital(a), capital(b));
        match &*ranks(&line.line) {
            [1, 1] => {
                format!("dot : expected both vectors to have same dtype, but found {large_a} and {large_b}")
            }
            [2, 1] => {
                format!("addmv input tensors must have the same dtype, but got {large_b}, {large_a}, and {large_b}")
            }
            _ => format!("expected m1 and m2 to have the same dtype, but got: {a} != {b}"),
        }
    })
}
