//! The forward pass in index notation, read off the Jacobians where an operation is linear in its inputs.
//!
//! A product is linear in its first operand, and so is its Jacobian by it times that operand: `Z = ∂Z/∂X · X`. A sum is
//! linear in all at once, `Z = Σ ∂Z/∂Xₖ · Xₖ`, and no Jacobian depends on an input. What is neither is written as a
//! function.

use pullback_network::{Letters, Value, Written, indexed, written_sum};
use pullback_ops::{Factor, Network, Origin, Result, Term, Val};

/// The value in index notation, its axes lettered `i, j, k, l`: `Σ_k X_ik W_kj + b_j`.
///
/// # Errors
/// What the rules return.
pub fn index_notation(value: &Val) -> Result<String> {
    let slots = Letters::of_axes(value.ndim(), 0);
    let terms = expanded(value)?;
    // What is no sum of products is written as the function that it is.
    if let [Term { factors, .. }] = &terms[..]
        && let [Factor::Dense(itself, _)] = &factors[..]
        && itself.id() == value.id()
    {
        return Ok(indexed(&value.expression(), &slots));
    }
    Ok(written_sum(
        expanded(value)?
            .iter()
            .map(|term| term.written(&slots, &mut Letters::new()))
            .collect::<Vec<Written>>(),
    ))
}

/// The value as a sum of products of named values, as far as operations are linear.
fn expanded(value: &Val) -> Result<Vec<Term>> {
    let own = || -> Vec<Term> {
        let labels = pullback_network::Label::for_dims(value.dims());
        let factor = Factor::Dense(value.clone(), labels.clone());
        Network::zero(value.dims(), &[])
            .plus_term(pullback_network::Coef::one(), &labels, &[], [factor])
            .terms()
            .to_vec()
    };
    let Origin::Call(_, inputs) = value.origin() else { return Ok(own()) };
    let networks: Result<Vec<Network>> = (0..inputs.len()).map(|k| value.jacobian(k)).collect();
    let networks = networks?;
    let linear = |k: usize| !networks[k].is_zero() && !depends(&networks[k], &[&inputs[k], value]);
    let constant = |k: usize| linear(k) && inputs.iter().all(|input| !depends(&networks[k], &[input]));
    let parts: Vec<usize> = match inputs.len() {
        n if n > 0 && (0..n).all(constant) => (0..n).collect(),
        2 if linear(0) && linear(1) => vec![0],
        _ => return Ok(own()),
    };
    let mut terms = Vec::new();
    for k in parts {
        let input = &inputs[k];
        // A value that the program names stands by its name; one that it does not is written out in its place.
        let inner: Vec<Term> = if input.name().is_some() { Vec::new() } else { expanded(input)? };
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

/// Does a payload of the network depend on one of the values?
fn depends(network: &Network, on: &[&Val]) -> bool {
    let mut pending: Vec<Val> = network
        .terms()
        .iter()
        .flat_map(|term| &term.factors)
        .filter_map(|factor| match factor {
            Factor::Dense(payload, _) => Some(payload.clone()),
            Factor::Inverse(inverse) => Some(inverse.matrix.clone()),
            Factor::Relation(_) => None,
        })
        .collect();
    let earliest = on.iter().map(|value| value.order()).min().unwrap_or(0);
    while let Some(payload) = pending.pop() {
        if on.iter().any(|value| value.id() == payload.id()) {
            return true;
        }
        if payload.order() > earliest {
            pending.extend(payload.inputs().iter().cloned());
        }
    }
    false
}
