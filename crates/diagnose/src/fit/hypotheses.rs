//! What may have been done to a gradient as a whole, as far as shapes allow it.

use pullback_array::Array;
use pullback_autograd::pullback;
use pullback_lang::program::{Program, ValueKind};
use pullback_network::Value as _;

use crate::case::Trial;

/// Sums are the same that are this near, where they are as precise as that.
pub(super) const SAME: f64 = 1e-6;

/// Permutations and sums are tried on so many axes.
const MOST_AXES: usize = 5;

/// What is done to the derivative in a hypothesis: what the claim should then be, up to a number.
pub(super) enum Done {
    /// Nothing but a factor.
    Scaled,
    /// Axis k of the claim is axis `p[k]` of the derivative.
    Permuted(Vec<usize>),
    /// The entries in row-major order are those of the derivative in column-major order.
    Reordered,
    /// The entries are those of the derivative, in another shape.
    Reshaped,
    /// The claim is to be summed over these axes.
    Unsummed(Vec<usize>),
    /// It is the Jacobian contracted with ones.
    Contracted,
    /// It is the sum of all entries: a product of vectors for one entry by entry.
    Summed,
    /// It has one axis more, as an outer product has: the derivative is its diagonal over these two axes.
    Diagonal(usize, usize),
    /// The gradient of another value is summed over the first axes instead of the second ones.
    Across(String, Vec<usize>, Vec<usize>),
    /// It is the gradient of another value, perhaps transposed.
    Other(String, bool),
}

/// Those that shapes allow.
pub(super) fn hypotheses(own: &Trial<'_>) -> Option<Vec<Done>> {
    let claimed = own.claimed()?;
    let truth = own.truth.tensor();
    let mut all = vec![Done::Scaled];
    let axes = truth.ndim();
    if (2..=MOST_AXES).contains(&axes) && claimed.ndim() == axes {
        let fits =
            |p: &Vec<usize>| p.iter().enumerate().all(|(k, &axis)| claimed.shape()[k] == truth.shape()[axis]);
        let identity: Vec<usize> = (0..axes).collect();
        all.extend(permutations(axes).into_iter().filter(|p| *p != identity && fits(p)).map(Done::Permuted));
    }
    if claimed.len() == truth.len() && claimed.shape() != truth.shape() {
        all.push(Done::Reshaped);
    }
    if claimed.len() == truth.len() && axes >= 2 {
        all.push(Done::Reordered);
    }
    if claimed.ndim() == axes + 1 && claimed.ndim() <= MOST_AXES {
        let pairs = (0..claimed.ndim()).flat_map(|a| (a + 1..claimed.ndim()).map(move |b| (a, b)));
        let is_diagonal = |&(a, b): &(usize, usize)| {
            let kept =
                claimed.shape().iter().enumerate().filter(|(axis, _)| *axis != b).map(|(_, size)| size);
            claimed.shape()[a] == claimed.shape()[b] && kept.eq(truth.shape())
        };
        all.extend(pairs.filter(is_diagonal).map(|(a, b)| Done::Diagonal(a, b)));
    }
    if claimed.ndim() >= axes && claimed.ndim() <= MOST_AXES {
        // An axis of one entry may have more at other sizes.
        let is_more = claimed.len() > truth.len() || claimed.ndim() > axes;
        let sets = (1usize..1 << claimed.ndim())
            .map(|set| (0..claimed.ndim()).filter(|k| (set >> k) & 1 == 1).collect::<Vec<usize>>());
        let sets = sets.filter(|set| {
            let shape = claimed.shape();
            let dropped: Vec<usize> =
                (0..shape.len()).filter(|k| !set.contains(k)).map(|k| shape[k]).collect();
            let kept: Vec<usize> =
                (0..shape.len()).map(|k| if set.contains(&k) { 1 } else { shape[k] }).collect();
            is_more && (dropped == truth.shape() || kept == truth.shape())
        });
        all.extend(sets.map(Done::Unsummed));
    }
    let claim = own.claim();
    if claim.of.ndim() > 0 && claim.wrt.len() == 1 && claimed.shape() == claim.wrt[0].shape() {
        all.push(Done::Contracted);
    }
    if claimed.len() == 1 && truth.len() > 1 && claim.of.ndim() == 0 {
        all.push(Done::Summed);
    }
    all.extend(across(own, &claimed).unwrap_or_default());
    all.extend(others(own, &claimed, ValueKind::Input));
    Some(all)
}

/// The gradients of what a value goes into of which the derivative is a sum over some axes, and the claim has the shape of that over
/// others.
fn across(own: &Trial<'_>, claimed: &Array) -> Option<Vec<Done>> {
    let (claim, truth) = (own.claim(), own.truth.tensor());
    let [x] = claim.wrt.as_slice() else { return None };
    if claim.of.ndim() > 0 || !claim.fixed.is_empty() || claimed.ndim() != truth.ndim() {
        return None;
    }
    let values = own.program.values.iter().filter(|value| {
        let val = &value.val;
        (2..=MOST_AXES).contains(&val.ndim()) && val.ndim() > truth.ndim() && val.order() > x.order()
    });
    let mut all = Vec::new();
    for value in values {
        let axes = value.val.ndim();
        let sets: Vec<Vec<usize>> = (1usize..1 << axes)
            .map(|set| (0..axes).filter(|k| (set >> k) & 1 == 1).collect::<Vec<usize>>())
            .filter(|set| set.len() == axes - truth.ndim())
            .collect();
        let summed = |set: &[usize]| -> Vec<usize> {
            let shape = value.val.shape();
            (0..axes).filter(|axis| !set.contains(axis)).map(|axis| shape[axis]).collect()
        };
        let wrong: Vec<&Vec<usize>> = sets.iter().filter(|set| summed(set) == claimed.shape()).collect();
        let right: Vec<&Vec<usize>> = sets.iter().filter(|set| summed(set) == truth.shape()).collect();
        if wrong.is_empty() || right.is_empty() {
            continue;
        }
        let Some(gradient) = gradient_of(own.program, &claim.of_name, own, &value.name) else { continue };
        let is_right = |set: &[usize]| {
            gradient.sum(set, false).is_ok_and(|sum| sum.is_near(truth, own.close().min(SAME)))
        };
        for right in right.into_iter().filter(|set| is_right(set)) {
            let wrong = wrong.iter().filter(|wrong| **wrong != right);
            all.extend(wrong.map(|&wrong| Done::Across(value.name.clone(), wrong.clone(), right.clone())));
        }
    }
    Some(all)
}

/// The gradients of other values of a kind that have the claim's shape, perhaps transposed.
pub(super) fn others(own: &Trial<'_>, claimed: &Array, kind: ValueKind) -> Vec<Done> {
    let claim = own.claim();
    if claim.of.ndim() > 0 || claim.wrt.len() != 1 || !claim.fixed.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    let values = own.program.values.iter().filter(|value| {
        let val = &value.val;
        // The gradient of a value by itself is one.
        value.kind == kind
            && val.dtype().is_float()
            && val.id() != claim.wrt[0].id()
            && val.id() != claim.of.id()
    });
    for value in values {
        let shape = value.val.shape();
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        if shape == claimed.shape() {
            all.push(Done::Other(value.name.clone(), false));
        }
        if shape.len() == 2 && reversed == claimed.shape() {
            all.push(Done::Other(value.name.clone(), true));
        }
    }
    all
}

/// All orders of so many axes.
fn permutations(axes: usize) -> Vec<Vec<usize>> {
    (0..axes).fold(vec![Vec::new()], |all, axis| {
        let longer = |p: &Vec<usize>| {
            (0..=p.len())
                .map(|at| {
                    let mut p = p.clone();
                    p.insert(at, axis);
                    p
                })
                .collect::<Vec<_>>()
        };
        all.iter().flat_map(longer).collect()
    })
}

/// The gradient of a loss by one of a program's inputs.
pub(super) fn gradient_of(program: &Program, of: &str, trial: &Trial<'_>, name: &str) -> Option<Array> {
    let of = if of == trial.claim().of_name { &trial.claim().of } else { &program.find(of)?.val };
    let x = &program.find(name)?.val;
    let gradient = pullback(&[(of, &of.one())], &[x], &[]).ok()?.remove(0)?;
    gradient.array().ok().cloned()
}
