//! Forward mode: tangents, from inputs to an output.

use std::collections::HashMap;

use pullback_network::Value;
use pullback_ops::{Error, Result, Val};

use crate::walk::between;

/// The tangent of `output` for tangents of `inputs`. `None` where the output depends on none of them.
///
/// # Errors
/// Where a tangent has not its input's shape, or a rule does.
pub fn jvp(output: &Val, inputs: &[(&Val, &Val)]) -> Result<Option<Val>> {
    Ok(pushforward(inputs, &[output], &[])?.remove(0))
}

/// Pushes tangents of inputs forward to values, over all paths that do not pass a `fixed` value. `None` where a value
/// depends on no input.
///
/// # Errors
/// Where a tangent has not its input's shape, or a rule does.
pub fn pushforward(inputs: &[(&Val, &Val)], outputs: &[&Val], fixed: &[&Val]) -> Result<Vec<Option<Val>>> {
    let mut tangents: HashMap<u64, Val> = HashMap::new();
    for (input, tangent) in inputs {
        if input.dims() != tangent.dims() {
            return Err(Error::new(format!(
                "jvp: the tangent has shape {:?} and the input {:?}",
                tangent.dims(),
                input.dims()
            )));
        }
        tangents.insert(input.id(), (*tangent).clone());
    }
    let from: Vec<&Val> = inputs.iter().map(|(input, _)| *input).collect();
    for value in between(outputs, &from, fixed) {
        // An input that depends on another one keeps the tangent it was given, and adds what flows to it.
        let mut sum = tangents.get(&value.id()).cloned();
        for (k, input) in value.inputs().iter().enumerate() {
            let Some(tangent) = tangents.get(&input.id()) else { continue };
            if let Some(share) = value.jacobian(k)?.jvp(tangent)? {
                sum = Some(match sum {
                    Some(sum) => sum.add(&share)?,
                    None => share,
                });
            }
        }
        if let Some(tangent) = sum {
            tangents.insert(value.id(), tangent);
        }
    }
    Ok(outputs.iter().map(|output| tangents.get(&output.id()).cloned()).collect())
}
