//! Reverse mode: cotangents, from outputs to inputs.

use std::collections::{HashMap, HashSet};

use pullback_array::Array;
use pullback_network::Value;
use pullback_ops::{Error, Result, Val};

use crate::known::cotangents;
use crate::walk::between;

/// The gradient of a scalar with respect to each of `wrt`, which may be inputs or intermediate values. Its shape is that
/// of the value; it is zero where the scalar does not depend on it.
///
/// # Errors
/// Where `scalar` has axes (hint: [`pullback`] takes a cotangent), or a rule does.
pub fn grad(scalar: &Val, wrt: &[&Val]) -> Result<Vec<Val>> {
    if scalar.ndim() != 0 || !scalar.dtype().is_float() {
        return Err(Error::new(format!(
            "grad: only a scalar has a gradient without a cotangent, not {} {:?}",
            scalar.dtype(),
            scalar.dims()
        ))
        .with_hint("sum it, or say with which cotangent to pull back"));
    }
    let one = scalar.one();
    let cotangents = pullback(&[(scalar, &one)], wrt, &[])?;
    wrt.iter().zip(cotangents).map(|(value, cotangent)| cotangent.map_or_else(|| zeros(value), Ok)).collect()
}

/// Pulls cotangents of outputs back to values, over all paths that do not pass a `fixed` value. `None` where no output
/// depends on a value.
///
/// # Errors
/// Where a cotangent has not its output's shape, or a rule does.
pub fn pullback(outputs: &[(&Val, &Val)], wrt: &[&Val], fixed: &[&Val]) -> Result<Vec<Option<Val>>> {
    cotangents(outputs, wrt, fixed, || pullback_by(outputs, wrt, fixed, &mut |_, _, _| ()))
}

/// The same, from the rules, and tells of each application of one: to which value it was applied, the cotangent there, and the share of
/// an input's cotangent that it gave.
///
/// # Errors
/// As [`pullback`].
pub fn pullback_by(
    outputs: &[(&Val, &Val)],
    wrt: &[&Val],
    fixed: &[&Val],
    applied: &mut dyn FnMut(&Val, &Val, &Val),
) -> Result<Vec<Option<Val>>> {
    let mut cotangents: HashMap<u64, Val> = HashMap::new();
    for (output, cotangent) in outputs {
        if output.dims() != cotangent.dims() {
            return Err(Error::new(format!(
                "pullback: the cotangent has shape {:?} and the output {:?}",
                cotangent.dims(),
                output.dims()
            )));
        }
        accumulate(&mut cotangents, output, (*cotangent).clone())?;
    }
    let to: Vec<&Val> = outputs.iter().map(|(output, _)| *output).collect();
    let path = between(&to, wrt, fixed);
    let on_path: HashSet<u64> = path.iter().map(Value::id).collect();
    let wanted: HashSet<u64> = wrt.iter().map(|value| value.id()).collect();

    for value in path.iter().rev() {
        let cotangent = match wanted.contains(&value.id()) {
            true => cotangents.get(&value.id()).cloned(),
            false => cotangents.remove(&value.id()),
        };
        let Some(cotangent) = cotangent else { continue };
        for (k, input) in value.inputs().iter().enumerate() {
            if on_path.contains(&input.id())
                && let Some(share) = value.jacobian(k)?.vjp(&cotangent)?
            {
                applied(value, &cotangent, &share);
                accumulate(&mut cotangents, input, share)?;
            }
        }
    }
    Ok(wrt
        .iter()
        .map(|value| cotangents.get(&value.id()).filter(|_| on_path.contains(&value.id())).cloned())
        .collect())
}

fn accumulate(cotangents: &mut HashMap<u64, Val>, value: &Val, share: Val) -> Result<()> {
    let sum = match cotangents.remove(&value.id()) {
        Some(sum) => sum.add(&share)?,
        None => share,
    };
    cotangents.insert(value.id(), sum);
    Ok(())
}

/// Zeros of a value's shape and dtype.
///
/// # Errors
/// Where memory does not suffice.
pub fn zeros(value: &Val) -> Result<Val> {
    Val::with_dims(Array::zeros(&value.shape(), value.dtype())?, value.dims())
}
