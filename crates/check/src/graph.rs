//! What a value of a graph depends on.

use std::collections::HashSet;

pub(crate) use pullback_autograd::ancestors as ancestors_of;
use pullback_autograd::pullback_by;
use pullback_ops::{Origin, Result, Val};

/// The value and all it depends on, each once, in forward order.
pub(crate) fn ancestors(value: &Val) -> Vec<Val> {
    ancestors_of(&[value])
}

/// Gradients, and what is computed within the kernels that other code has for backward passes of operations, by
/// [`Val::order`](pullback_ops::Val::order): all that a rule makes of the cotangent and of the values that it is applied to but its result.
pub(crate) struct Backward {
    pub gradients: Vec<Option<Val>>,
    pub within_kernels: HashSet<u64>,
}

impl Backward {
    /// Of an output, whose cotangent this is, by each of `wrt`.
    pub(crate) fn new((y, cotangent): (&Val, &Val), wrt: &[&Val], fixed: &[&Val]) -> Result<Backward> {
        let mut within_kernels = HashSet::new();
        let mut applied = |of: &Val, cotangent: &Val, share: &Val| {
            if !matches!(of.origin(), Origin::Call(op, _) if op.backward_is_whole()) {
                return;
            }
            let is_given = |value: &Val| {
                value.order() <= of.order() || value.order() == cotangent.order() || value.inputs().is_empty()
            };
            let mut ahead: Vec<Val> = share.inputs().to_vec();
            while let Some(value) = ahead.pop() {
                if !is_given(&value) && within_kernels.insert(value.order()) {
                    ahead.extend(value.inputs().iter().cloned());
                }
            }
        };
        let gradients = pullback_by(&[(y, cotangent)], wrt, fixed, &mut applied)?;
        Ok(Backward { gradients, within_kernels })
    }
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
