//! `x[1, :, None]`, and what is written there.
//!
//! The subscript is a line of the language, which has NumPy's; what PyTorch refuses in words of its own is refused here.

use pullback::array::{Array, DType};
use pullback::autograd::tensor::{Result, Tensor};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PyList, PySlice, PyTuple};

use super::PyTensor;

use super::kinds::Kind;
use super::line::Line;

/// A subscript of a tensor, and the node that PyTorch leaves for it.
pub struct Subscript {
    pub line: Line,
    pub node: &'static str,
}

impl Subscript {
    /// `tensor[index]`.
    ///
    /// # Errors
    /// Where the index lies outside, or is none.
    pub fn new(default: Kind, tensor: &PyTensor, index: &Bound<'_, PyAny>) -> PyResult<Subscript> {
        let mut line = Line::new(default);
        if let Some(mask) = mask(index) {
            let fits = mask.shape() == tensor.tensor.shape();
            if !fits {
                let message = format!(
                    "The shape of the mask {:?} does not match the shape of the indexed tensor {:?}",
                    mask.shape(),
                    tensor.tensor.shape()
                );
                return Err(PyIndexError::new_err(message));
            }
            line.push("masked_select(").push_tensor(tensor.current()?, false).push(", ");
            line.push_tensor(&mask, false).push(")");
            return Ok(Subscript { line, node: "IndexBackward0" });
        }
        let items: Vec<Bound<'_, PyAny>> = match index.cast::<PyTuple>() {
            Ok(items) => items.iter().collect(),
            Err(_) => vec![index.clone()],
        };
        let shape = tensor.tensor.shape();
        let takes = |item: &Bound<'_, PyAny>| !item.is_none() && !item.is_instance_of::<PyEllipsis>();
        let taken = items.iter().filter(|item| takes(item)).count();
        if shape.is_empty() && taken > 0 {
            return Err(PyIndexError::new_err(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a \
                 0-dim tensor to a number",
            ));
        }
        if taken > shape.len() {
            return Err(PyIndexError::new_err(format!(
                "too many indices for tensor of dimension {}",
                shape.len()
            )));
        }
        line.push_tensor(tensor.current()?, tensor.holds_truths()).push("[");
        let (mut axis, mut node) = (0, "AliasBackward0");
        for (at, item) in items.iter().enumerate() {
            line.push(if at > 0 { ", " } else { "" });
            if item.is_none() {
                line.push("None");
                node = "UnsqueezeBackward0";
            } else if item.is_instance_of::<PyEllipsis>() {
                line.push("...");
                axis += shape.len() - taken;
            } else if let Ok(slice) = item.cast::<PySlice>() {
                if push_slice(&mut line, slice)? {
                    node = "SliceBackward0";
                }
                axis += 1;
            } else {
                node = push_position(&mut line, item, axis, &shape)?;
                axis += 1;
            }
        }
        line.push("]");
        Ok(Subscript { line, node })
    }
}

/// A tensor of truths in an index.
fn mask(index: &Bound<'_, PyAny>) -> Option<Tensor> {
    let tensor = index.cast::<PyTensor>().ok()?.get();
    tensor.holds_truths().then(|| tensor.current().ok().cloned()).flatten()
}

/// Adds `start:stop:step`; whether it leaves anything out.
fn push_slice(line: &mut Line, slice: &Bound<'_, PySlice>) -> PyResult<bool> {
    let bound = |name: &str| -> PyResult<Option<i64>> {
        let bound = slice.getattr(name)?;
        if bound.is_none() { Ok(None) } else { bound.call_method0("__index__")?.extract().map(Some) }
    };
    let (start, stop, step) = (bound("start")?, bound("stop")?, bound("step")?);
    if step.is_some_and(|step| step < 1) {
        return Err(PyValueError::new_err("step must be greater than zero"));
    }
    let written = |bound: Option<i64>| bound.map_or(String::new(), |bound| bound.to_string());
    line.push(&written(start)).push(":").push(&written(stop));
    if let Some(step) = step {
        line.push(":").push(&step.to_string());
    }
    Ok(start.is_some() || stop.is_some() || step.is_some())
}

/// Adds an index along one axis, or an array of them; the node that it leaves.
fn push_position(
    line: &mut Line,
    item: &Bound<'_, PyAny>,
    axis: usize,
    shape: &[usize],
) -> PyResult<&'static str> {
    if item.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(
            "a truth is no index here: give a tensor of them, of the tensor's own shape",
        ));
    }
    if item.is_instance_of::<PyInt>() {
        let size = shape[axis] as i64;
        let number: i64 = item.extract()?;
        if number < -size || number >= size {
            let message = format!("index {number} is out of bounds for dimension {axis} with size {size}");
            return Err(PyIndexError::new_err(message));
        }
        line.push(&number.to_string());
        return Ok("SelectBackward0");
    }
    if let Ok(items) = item.cast::<PyList>() {
        let positions: Vec<i64> = items.extract()?;
        let array = Array::from_vec(&[positions.len()], positions);
        let array = array.map_err(|error| PyValueError::new_err(error.to_string()))?;
        line.push_tensor(&Tensor::new(array), false);
    } else if let Ok(tensor) = item.cast::<PyTensor>() {
        if tensor.get().tensor.dtype() != DType::I64 {
            return Err(PyIndexError::new_err(
                "tensors used as indices must be long, int, byte or bool tensors",
            ));
        }
        line.push_value(item)?;
    } else {
        line.push_value(item)?;
    }
    Ok("IndexBackward0")
}

/// The tensor with `value` in the place of what the subscript takes.
///
/// # Errors
/// Where `value` does not fit there.
pub fn written_to(default: Kind, tensor: &Tensor, positions: &Tensor, value: &Tensor) -> Result<Tensor> {
    let (at, shape) = (positions.array(), tensor.shape());
    let count: usize = shape.iter().product();
    if !tensor.dtype().is_float() {
        let values = value.array().broadcast_to(at.shape())?.to_vec_i64()?;
        let mut numbers = tensor.array().to_vec_i64()?;
        for (place, value) in at.to_vec_i64()?.into_iter().zip(values) {
            numbers[place as usize] = value;
        }
        return Ok(Tensor::new(Array::from_vec(&shape, numbers)?));
    }
    let mut is_written = vec![0i64; count];
    for place in at.to_vec_i64()? {
        is_written[place as usize] = 1;
    }
    let mut line = Line::new(default);
    let sizes = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    line.push("where(").push_tensor(&Tensor::new(Array::from_vec(&shape, is_written)?), true);
    line.push(", reshape(put(reshape(broadcast_to(").push_tensor(value, false);
    line.push(&format!(", [{}]), [{}]), ", sizes(at.shape()), at.len()));
    line.push_tensor(&Tensor::new(at.reshape(&[at.len()])?), false);
    line.push(&format!(", {count}), [{}]), ", sizes(&shape))).push_tensor(tensor, false).push(")");
    Ok(line.results(true)?.remove(0))
}
