//! `x[1, :, None]`, and what is written there.
//!
//! The subscript is a line of the language, which has NumPy's; what PyTorch refuses in words of its own is refused here.

use numpy::PyUntypedArray;
use pullback::array::{Array, DType};
use pullback::autograd::tensor::{Result, Tensor};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyFloat, PySlice, PyString, PyTuple};

use super::errors::told;
use super::kinds::Kind;
use super::line::Line;
use super::{PyTensor, make};

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
        let shape = tensor.tensor.shape();
        let items: Vec<Item> = match index.cast::<PyTuple>() {
            Ok(items) => items.iter().map(Item::of).collect::<PyResult<_>>()?,
            Err(_) => vec![Item::of(index.clone())?],
        };
        if let [Item::Mask(mask)] = &*items
            && mask.shape() == shape
        {
            line.push("masked_select(").push_tensor(tensor.current()?, false).push(", ");
            line.push_tensor(mask, false).push(")");
            return Ok(Subscript { line, node: "IndexBackward0" });
        }
        let taken = items.iter().filter(|item| item.takes()).count();
        if shape.is_empty() && taken > 0 {
            return Err(PyIndexError::new_err(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a \
                 0-dim tensor to a number",
            ));
        }
        if taken > shape.len() {
            let message = format!("too many indices for tensor of dimension {}", shape.len());
            return Err(PyIndexError::new_err(message));
        }
        if items.iter().filter(|item| matches!(item, Item::Ellipsis)).count() > 1 {
            return Err(PyIndexError::new_err("an index can only have a single ellipsis ('...')"));
        }
        line.push_tensor(tensor.current()?, tensor.holds_truths()).push("[");
        let (mut axis, mut node, mut is_copied) = (0, "AliasBackward0", false);
        for (at, item) in items.iter().enumerate() {
            line.push(if at > 0 { ", " } else { "" });
            match item {
                Item::NewAxis => {
                    line.push("None");
                    node = "UnsqueezeBackward0";
                }
                Item::Ellipsis => {
                    line.push("...");
                    axis += shape.len() - taken;
                }
                Item::Slice { start, stop, step } => {
                    let written =
                        |bound: &Option<i64>| bound.map_or(String::new(), |bound| bound.to_string());
                    line.push(&format!("{}:{}:{}", written(start), written(stop), step.unwrap_or(1)));
                    if start.is_some() || stop.is_some() || step.is_some() {
                        node = "SliceBackward0";
                    }
                }
                Item::Number(number) => {
                    line.push(&inside(*number, axis, shape[axis])?.to_string());
                    node = "SelectBackward0";
                }
                Item::Table(table) => {
                    for number in table.array().to_vec_i64().map_err(told)? {
                        inside(number, axis, shape[axis])?;
                    }
                    line.push_tensor(table, false);
                    is_copied = true;
                }
                Item::Mask(mask) => {
                    let truths = mask.array().to_vec_i64().map_err(told)?;
                    if mask.shape() != [shape[axis]] {
                        let of = mask.shape();
                        return Err(PyIndexError::new_err(format!(
                            "The shape of the mask {of:?} at index 0 does not match the shape of the indexed tensor \
                             {shape:?} at index {axis}"
                        )));
                    }
                    let places = (0i64..).zip(truths).filter(|(_, truth)| *truth != 0);
                    let places: Vec<i64> = places.map(|(place, _)| place).collect();
                    let places = Array::from_vec(&[places.len()], places).map_err(told)?;
                    line.push_tensor(&Tensor::new(places), false);
                    is_copied = true;
                }
            }
            axis += usize::from(item.takes());
        }
        line.push("]");
        Ok(Subscript { line, node: if is_copied { "IndexBackward0" } else { node } })
    }
}

/// What stands between the commas of an index.
enum Item {
    NewAxis,
    Ellipsis,
    Slice {
        start: Option<i64>,
        stop: Option<i64>,
        step: Option<i64>,
    },
    Number(i64),
    /// Integers.
    Table(Tensor),
    /// Truths.
    Mask(Tensor),
}

impl Item {
    fn of(item: Bound<'_, PyAny>) -> PyResult<Item> {
        if item.is_none() {
            return Ok(Item::NewAxis);
        }
        if item.is_instance_of::<PyEllipsis>() {
            return Ok(Item::Ellipsis);
        }
        if let Ok(slice) = item.cast::<PySlice>() {
            return Item::slice(slice);
        }
        if item.is_instance_of::<PyBool>() {
            return Err(PyTypeError::new_err(
                "a truth is no index here: give a tensor of them, of the tensor's own shape",
            ));
        }
        if item.is_instance_of::<PyString>() || item.is_instance_of::<PyFloat>() {
            return Err(PyIndexError::new_err(format!(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {})",
                item.get_type().name()?
            )));
        }
        let is_table = item.is_instance_of::<PyTensor>() || item.is_instance_of::<PyUntypedArray>();
        if !is_table && item.hasattr("__index__")? {
            return Ok(Item::Number(item.call_method0("__index__")?.extract()?));
        }
        let table = match item.cast::<PyTensor>() {
            Ok(tensor) => PyTensor::saying(tensor.get().current()?.clone(), tensor.get().said()),
            Err(_) => make::tensor(&item, None)?,
        };
        match table.kind() {
            Kind::Bool => Ok(Item::Mask(table.tensor)),
            Kind::Int64 => Ok(Item::Table(table.tensor)),
            // An empty list is one of floats to NumPy.
            _ if table.tensor.array().is_empty() => {
                Ok(Item::Table(Tensor::new(table.tensor.array().cast(DType::I64).map_err(told)?)))
            }
            _ => {
                let message = "tensors used as indices must be long, int, byte or bool tensors";
                Err(PyIndexError::new_err(message))
            }
        }
    }

    fn slice(slice: &Bound<'_, PySlice>) -> PyResult<Item> {
        let bound = |name: &str| -> PyResult<Option<i64>> {
            let bound = slice.getattr(name)?;
            if bound.is_none() { Ok(None) } else { bound.call_method0("__index__")?.extract().map(Some) }
        };
        let (start, stop, step) = (bound("start")?, bound("stop")?, bound("step")?);
        if step.is_some_and(|step| step < 1) {
            return Err(PyValueError::new_err("step must be greater than zero"));
        }
        Ok(Item::Slice { start, stop, step })
    }

    /// Does it take an axis?
    fn takes(&self) -> bool {
        !matches!(self, Item::NewAxis | Item::Ellipsis)
    }
}

/// An index inside of its axis.
fn inside(number: i64, axis: usize, size: usize) -> PyResult<i64> {
    let whole = size as i64;
    if number < -whole || number >= whole {
        let message = format!("index {number} is out of bounds for dimension {axis} with size {size}");
        return Err(PyIndexError::new_err(message));
    }
    Ok(number)
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
