//! Where a number that is not finite arises: the first operation, in forward order, that makes one of finite numbers, and the
//! entry at which it does.

use std::collections::HashSet;

use pullback_array::Array;
use pullback_autograd::pullback;
use pullback_network::Value as _;
use pullback_ops::{Factor, Origin, Result, Val};

use crate::claim::{Claim, Subject};
use crate::graph::ancestors;
use crate::layout::unravel;
use crate::routes::Derivative;
use crate::verdict::{Arises, NotFinite, What};

/// What is infinite or NaN of a program: on the way to what is differentiated, or of what it is differentiated by.
pub(crate) fn in_program(subject: &Subject, derivative: &Derivative<'_>) -> Result<Option<NotFinite>> {
    if derivative.x.array()?.all_finite() && derivative.y.array()?.all_finite() {
        return Ok(None);
    }
    for value in [&subject.of, derivative.x, derivative.y] {
        if let Some(found) = first(value, Arises::Program)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is infinite or NaN of a claim, on the graph from which its numbers were computed.
pub(crate) fn in_claim(claim: &Claim) -> Result<Option<NotFinite>> {
    if claim.array.all_finite() {
        return Ok(None);
    }
    if let Some(value) = &claim.computed_by
        && let Some(found) = first(value, Arises::Claim)?
    {
        return Ok(Some(found));
    }
    let given = Val::new(claim.array.clone());
    first(&given, Arises::Claim)
}

/// What is infinite or NaN of a derivative of a program that is finite where it starts and where it ends: a value on the way,
/// else a local Jacobian, else what these add up to.
pub(crate) fn in_derivative(derivative: &Derivative<'_>) -> Result<Option<NotFinite>> {
    if let Some(found) = first(derivative.y, Arises::Program)? {
        return Ok(Some(found));
    }
    let held: HashSet<u64> = derivative.fixed.iter().map(|value| value.id()).collect();
    let mut changing: HashSet<u64> = HashSet::from([derivative.x.id()]);
    for value in ancestors(derivative.y) {
        for (number, input) in value.inputs().iter().enumerate() {
            if !changing.contains(&input.id()) || held.contains(&value.id()) {
                continue;
            }
            changing.insert(value.id());
            if let Some(found) = slope(&value, number)? {
                return Ok(Some(found));
            }
        }
    }
    let one = Val::new(Array::ones(&derivative.y.shape(), derivative.y.dtype())?);
    match pullback(&[(derivative.y, &one)], &[derivative.x], &derivative.fixed)?.remove(0) {
        Some(pulled) => first(&pulled, Arises::Derivative),
        None => Ok(None),
    }
}

/// The first value in forward order that is not finite.
fn first(value: &Val, arises: Arises) -> Result<Option<NotFinite>> {
    for value in ancestors(value) {
        let array = value.array()?;
        if array.all_finite() {
            continue;
        }
        let entries = array.to_vec_f64();
        let at = entries.iter().position(|entry| !entry.is_finite()).unwrap_or(0);
        let operands = operands(&value, at, true)?;
        let what = match (value.inputs().is_empty(), entries[at].is_nan()) {
            (true, _) => What::Given,
            (false, true) => What::Undefined,
            (false, false) if operands.iter().any(|operand| operand.entry == 0.0) => What::Pole,
            (false, false) => What::Overflow,
        };
        let at = unravel(at, &value.shape());
        let entry = entries.into_iter().find(|entry| !entry.is_finite()).unwrap_or(f64::NAN);
        return Ok(Some(NotFinite { arises, what, value, at, entry, operands }));
    }
    Ok(None)
}

/// A payload of a local Jacobian that is not finite.
fn slope(value: &Val, input: usize) -> Result<Option<NotFinite>> {
    for term in value.jacobian(input)?.terms() {
        for factor in &term.factors {
            let Factor::Dense(payload, _) = factor else { continue };
            if payload.array()?.all_finite() {
                continue;
            }
            let entries = payload.array()?.to_vec_f64();
            let at = entries.iter().position(|entry| !entry.is_finite()).unwrap_or(0);
            let entry = entries[at];
            // A payload of another shape says nothing of an entry of the result.
            let same = payload.shape() == value.shape();
            return Ok(Some(NotFinite {
                arises: Arises::Derivative,
                what: What::Slope,
                value: value.clone(),
                at: if same { unravel(at, &value.shape()) } else { Vec::new() },
                entry,
                operands: if same { operands(value, at, false)? } else { Vec::new() },
            }));
        }
    }
    Ok(None)
}

/// One entry of an operand.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// How the operand is written.
    pub expression: String,
    /// Its entry.
    pub entry: f64,
}

/// The entries of the operands that an entry of a result is made of, where the operation works entry by entry; none
/// elsewhere. `decides`: they alone have to make the entry what it is. No operation is known by name, so that is tried: all
/// other entries are replaced by 1.
fn operands(value: &Val, at: usize, decides: bool) -> Result<Vec<Operand>> {
    let Origin::Call(op, inputs) = value.origin() else { return Ok(Vec::new()) };
    let place = unravel(at, &value.shape());
    let (mut found, mut replaced) = (Vec::new(), Vec::new());
    for input in inputs {
        let Some(own) = broadcast_place(&place, &input.shape()) else { return Ok(Vec::new()) };
        let array = input.array()?;
        if !array.dtype().is_float() {
            return Ok(Vec::new());
        }
        let entry = array.to_vec_f64()[own];
        let mut others = vec![1.0; array.len()];
        others[own] = entry;
        replaced.push(Array::from_vec(array.shape(), others)?.cast(array.dtype())?);
        found.push(Operand { expression: input.symbol(), entry });
    }
    if decides {
        let alone = op.forward(&replaced.iter().collect::<Vec<_>>())?.remove(value.output()).to_vec_f64()[at];
        let entry = value.array()?.to_vec_f64()[at];
        if !(alone == entry || (alone.is_nan() && entry.is_nan())) {
            return Ok(Vec::new());
        }
    }
    Ok(found)
}

/// The place in an array that broadcasts, as a row-major position.
fn broadcast_place(place: &[usize], shape: &[usize]) -> Option<usize> {
    let offset = place.len().checked_sub(shape.len())?;
    let mut flat = 0;
    for (&at, &size) in place[offset..].iter().zip(shape) {
        let at = if size == 1 { 0 } else { at };
        if at >= size {
            return None;
        }
        flat = flat * size + at;
    }
    Some(flat)
}
