//! The forward pass in index notation, read off the Jacobians where an operation is linear in its inputs.
//!
//! A product is linear in its first operand, and so is its Jacobian by it times that operand: `Z = ∂Z/∂X · X`. A sum is
//! linear in all at once, `Z = Σ ∂Z/∂Xₖ · Xₖ`, and no Jacobian depends on an input. What is neither is written as a
//! function.

use std::collections::{HashMap, HashSet};

use pullback_array::Array;
use pullback_network::{Letters, Value, Written, indexed, written_sum};
use pullback_ops::{Factor, Network, Op, Origin, Result, Term, Val};

use crate::code::{Source, Writer};

/// A sum of more terms is not written out but left as the operation that it is.
const MOST_TERMS: usize = 200;

/// The value in index notation, its axes lettered `i, j, k, l`: `Σ_k X_ik W_kj + b_j`.
///
/// # Errors
/// What the rules return.
pub fn index_notation(value: &Val) -> Result<String> {
    // Of `Q = P` it is said how P is computed.
    let value = value.original();
    let slots = Letters::of_axes(value.ndim(), 0);
    let terms = Expansion::default().of(value)?;
    // What is no sum of products is written as the function that it is.
    if let [Term { factors, .. }] = &terms[..]
        && let [Factor::Dense(itself, _)] = &factors[..]
        && itself.id() == value.id()
    {
        return Ok(indexed(&value.expression(), &slots));
    }
    Ok(written_sum(
        terms.iter().map(|term| term.written(&slots, &mut Letters::new())).collect::<Vec<Written>>(),
    ))
}

/// The value as a sum of products of values that have names, where it is one.
pub(crate) fn products(value: &Val) -> Result<Option<Vec<Term>>> {
    Expansion::default().products(value)
}

/// No operation on more entries is tried.
const MOST_ENTRIES: usize = 1 << 16;

/// Values as sums of products of named values, as far as operations are linear. Each is worked out once, however many
/// paths lead to it.
#[derive(Default)]
pub(crate) struct Expansion(HashMap<u64, Vec<Term>>);

impl Expansion {
    /// The value as a sum of products of values that have names, where it is one.
    pub(crate) fn products(&mut self, value: &Val) -> Result<Option<Vec<Term>>> {
        let value = value.original();
        let terms = self.of(value)?;
        let is_itself = |term: &Term| match &term.factors[..] {
            [Factor::Dense(itself, _)] => itself.id() == value.id(),
            _ => false,
        };
        Ok(Some(terms).filter(|terms| !matches!(&terms[..], [only] if is_itself(only))))
    }

    fn of(&mut self, value: &Val) -> Result<Vec<Term>> {
        if let Some(known) = self.0.get(&value.id()) {
            return Ok(known.clone());
        }
        let terms = self.worked_out(value)?;
        let terms = if terms.len() > MOST_TERMS { own(value) } else { terms };
        self.0.insert(value.id(), terms.clone());
        Ok(terms)
    }

    /// One product that is summed, and what stands below it: `Σ_k Q_ik K_jk / √D`.
    fn divided(&mut self, network: &Network, above: &Val) -> Result<Option<Vec<Term>>> {
        let [term] = &self.of(above)?[..] else { return Ok(None) };
        let is_summed = |factor: &Factor| factor.labels().iter().any(|label| !term.slots.contains(label));
        if !term.factors.iter().any(is_summed) || !term.factors.iter().all(|f| matches!(f, Factor::Dense(..)))
        {
            return Ok(None);
        }
        let zero = Network::zero(above.dims(), &[]);
        let inner = zero.plus_term(term.coef.clone(), &term.slots, &[], term.factors.clone());
        let terms = network.compose(&inner).terms().to_vec();
        Ok(Some(terms).filter(|terms| terms.len() == 1))
    }

    fn worked_out(&mut self, value: &Val) -> Result<Vec<Term>> {
        let Origin::Call(op, inputs) = value.origin() else { return Ok(own(value)) };
        // What holds or does not is one thing.
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        if inputs.len() == 2 && Writer::new(&source).holds(value) {
            return Ok(own(value));
        }
        let networks: Result<Vec<Network>> = (0..inputs.len()).map(|k| value.jacobian(k)).collect();
        let networks = networks?;
        let linear = |k: usize| !networks[k].is_zero() && !depends(&networks[k], &[&inputs[k], value]);
        let constant = |k: usize| linear(k) && inputs.iter().all(|input| !depends(&networks[k], &[input]));
        let parts: Vec<usize> = match inputs.len() {
            n if n > 0 && (0..n).all(constant) && is_zero_of_zeros(op.as_ref(), value) => (0..n).collect(),
            2 if linear(0) && linear(1) => vec![0],
            // What is divided is a sum of products that are divided, as long as that is one.
            2 if linear(0) && inputs[0].name().is_none() && is_zero_of_zero(op.as_ref(), value) => {
                let Some(terms) = self.divided(&networks[0], &inputs[0])? else { return Ok(own(value)) };
                return Ok(terms);
            }
            _ => return Ok(own(value)),
        };
        let mut terms = Vec::new();
        for k in parts {
            let input = &inputs[k];
            // A value that the program names stands by its name; one that it does not is written out in its place.
            let inner: Vec<Term> = if input.name().is_some() { Vec::new() } else { self.of(input)? };
            if inner.is_empty()
                || inner.iter().any(|term| !term.factors.iter().all(|f| matches!(f, Factor::Dense(..))))
            {
                terms.extend(networks[k].transpose().cotangent_terms(input));
            } else {
                let inner = inner.into_iter().fold(Network::zero(input.dims(), &[]), |network, term| {
                    network.plus_term(term.coef, &term.slots, &[], term.factors)
                });
                terms.extend(networks[k].compose(&inner).terms().iter().cloned());
            }
        }
        Ok(terms)
    }
}

/// The value as a sum of one product of one factor: itself.
fn own(value: &Val) -> Vec<Term> {
    let labels = pullback_network::Label::for_dims(value.dims());
    let factor = Factor::Dense(value.clone(), labels.clone());
    let one = pullback_network::Coef::one();
    Network::zero(value.dims(), &[]).plus_term(one, &labels, &[], [factor]).terms().to_vec()
}

/// Is it zero where all inputs are, as far as that is tried? What pads with threes is not, and no product of its Jacobian and its input.
fn is_zero_of_zeros(op: &dyn Op, value: &Val) -> bool {
    let entries = |val: &Val| val.shape().iter().fold(1usize, |count, &size| count.saturating_mul(size));
    if value.inputs().iter().chain([value]).any(|val| entries(val) > MOST_ENTRIES) {
        return true;
    }
    let zero = |input: &Val| Array::zeros(&[], input.dtype()).ok()?.broadcast_to(&input.shape()).ok();
    let Some(zeros) = value.inputs().iter().map(zero).collect::<Option<Vec<Array>>>() else { return false };
    let results = op.forward(&zeros.iter().collect::<Vec<_>>());
    results.is_ok_and(|results| results[value.output()].max_abs() == 0.0)
}

/// Is it zero where the first of its two inputs is, on ones for the other?
fn is_zero_of_zero(op: &dyn Op, value: &Val) -> bool {
    let inputs = value.inputs();
    let filled = |input: &Val, number: f64| {
        let small = input.shape().iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        small.filter(|&count| count <= MOST_ENTRIES)?;
        Array::scalar(number, input.dtype()).ok()?.broadcast_to(&input.shape()).ok()
    };
    let (Some(zeros), Some(ones)) = (filled(&inputs[0], 0.0), filled(&inputs[1], 1.0)) else { return false };
    op.forward(&[&zeros, &ones]).is_ok_and(|results| results[value.output()].max_abs() == 0.0)
}

/// Does a payload of the network depend on one of the values?
fn depends(network: &Network, on: &[&Val]) -> bool {
    let factors = network.terms().iter().flat_map(|term| &term.factors);
    let mut pending: Vec<Val> = factors.filter_map(Factor::payload).cloned().collect();
    let earliest = on.iter().map(|value| value.order()).min().unwrap_or(0);
    let mut seen = HashSet::new();
    while let Some(payload) = pending.pop() {
        if on.iter().any(|value| value.id() == payload.id()) {
            return true;
        }
        if payload.order() > earliest && seen.insert(payload.id()) {
            pending.extend(payload.inputs().iter().cloned());
        }
    }
    false
}
