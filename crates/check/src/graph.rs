//! What a value of a graph depends on.

pub(crate) use pullback_autograd::ancestors as ancestors_of;
use pullback_ops::{Origin, Result, Val};

/// The value and all it depends on, each once, in forward order.
pub(crate) fn ancestors(value: &Val) -> Vec<Val> {
    ancestors_of(&[value])
}

/// The values that others depend on which the program holds where derivatives are taken.
pub(crate) fn held(values: &[&Val]) -> Vec<Val> {
    ancestors_of(values).into_iter().filter(is_held).collect()
}

fn is_held(value: &Val) -> bool {
    matches!(value.origin(), Origin::Call(op, _) if op.holds())
}

/// The values that others depend on whose derivative by each of their inputs is zero. What is merely held where derivatives are taken is
/// none: it is as large as what it is made of, and rounded as that is.
///
/// # Errors
/// What the rules return.
pub(crate) fn piecewise_constant(values: &[&Val]) -> Result<Vec<Val>> {
    let mut found = Vec::new();
    for value in ancestors_of(values) {
        if is_held(&value) {
            continue;
        }
        let jacobians: Result<Vec<_>> = (0..value.inputs().len()).map(|k| value.jacobian(k)).collect();
        if !value.inputs().is_empty() && jacobians?.iter().all(|jacobian| jacobian.is_zero()) {
            found.push(value);
        }
    }
    Ok(found)
}
