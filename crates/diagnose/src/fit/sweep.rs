//! One pass backward and one forward through a program, and what they tell of every mistake on the way.
//!
//! The backward pass leaves a cotangent w̄ at every value w between x and y; the forward pass pushes random tangents of x to
//! every w. A mistake that changes w̄ by Δ changes the gradient of x by δ = (∂w/∂x)ᵀ Δ, and for a tangent t of x that is seen
//! at once: ⟨t, δ⟩ = ⟨(∂w/∂x) t, Δ⟩, one dot product with what the forward pass has left at w. So hundreds of mistakes are
//! tried for the price of their own operation each; the few that pass are carried back to x and compared entry by entry.

use std::collections::HashMap;
use std::rc::Rc;

use pullback_array::Array;
use pullback_array::random::Generator;
use pullback_autograd::{between, pullback, pushforward};
use pullback_network::Value as _;
use pullback_ops::Val;

use super::node::{Node, Use};
use crate::case::Trial;

/// How far a projection may be off, relatively, beside what the claim's own precision allows: rounding of a few hundred
/// operations stays below it.
pub(super) const SEEN: f64 = 1e-8;

/// Random tangents: one that a wrong explanation passes by chance, it passes to six digits, and three times.
pub(super) const DIRECTIONS: usize = 3;

/// A longer program, or one with more numbers between its ends, is not gone through.
const MOST_NODES: usize = 400;
const MOST_NUMBERS: usize = 1 << 22;

/// What a claim differs from, on one set of data: everything as a gradient, of the shape of x. Of a Jacobian it is the
/// gradient of ⟨u, y⟩ for a random u.
pub(super) struct Sweep {
    x: Val,
    fixed: Vec<Val>,
    /// Between x and y, x first.
    path: Vec<Val>,
    cotangents: HashMap<u64, Val>,
    /// Of a scalar y: its gradients by the named values of the program.
    gradients: Rc<Vec<(String, Val)>>,
    /// Of each value, one for each direction.
    tangents: HashMap<u64, Vec<Vec<f64>>>,
    directions: Vec<Vec<f64>>,
    pub claimed: Vec<f64>,
    pub truth: Vec<f64>,
    /// How far the claim may be from what it is meant to be, in every entry.
    pub slack: f64,
}

impl Sweep {
    /// `None` for what is not gone through: Hessians, long programs, claims of another shape.
    pub(super) fn new(trial: &Trial<'_>, seed: u64) -> Option<Sweep> {
        let claim = trial.claim();
        let [x] = claim.wrt.as_slice() else { return None };
        let (y, fixed) = (&claim.of, claim.fixed.clone());
        let walls: Vec<&Val> = fixed.iter().collect();
        let path = between(&[y], &[x], &walls);
        let numbers: usize = path.iter().map(|value| value.shape().iter().product::<usize>()).sum();
        if path.len() > MOST_NODES || numbers > MOST_NUMBERS {
            return None;
        }
        let mut generator = Generator::new(seed);
        let mut random = |val: &Val| -> Option<Val> {
            let array = generator.randn(&val.shape(), val.dtype()).ok()?;
            Val::with_dims(array, val.dims()).ok()
        };
        let seed = if y.ndim() == 0 { y.one() } else { random(y)? };
        let tensor = trial.truth.tensor_of(&trial.claimed()?, trial.layout())?;
        let (claimed, truth) = (contracted(&seed, &tensor)?, contracted(&seed, trial.truth.tensor())?);

        let named: Vec<(&str, &Val)> = match y.ndim() {
            0 => trial.program().values.iter().map(|value| (value.name.as_str(), &value.val)).collect(),
            _ => Vec::new(),
        };
        // What is called like a derivative is a cotangent that is given.
        let is_value =
            |(name, val): &(&str, &Val)| val.dtype().is_float() && val.id() != y.id() && !name.contains('/');
        let named: Vec<(&str, &Val)> = named.into_iter().filter(is_value).collect();
        let values: Vec<&Val> = path.iter().collect();
        let all: Vec<&Val> = path.iter().chain(named.iter().map(|(_, val)| *val)).collect();
        let mut backward = pullback(&[(y, &seed)], &all, &walls).ok()?;
        let by_name = named.iter().zip(backward.split_off(path.len()));
        let gradient = |((name, _), gradient): (&(&str, &Val), Option<Val>)| {
            Some((format!("d{}/d{name}", claim.of_name), gradient?))
        };
        let gradients = Rc::new(by_name.filter_map(gradient).collect());
        let cotangents =
            path.iter().zip(backward).filter_map(|(value, cotangent)| Some((value.id(), cotangent?)));
        let cotangents = cotangents.collect();
        let mut tangents: HashMap<u64, Vec<Vec<f64>>> = HashMap::new();
        let mut directions = Vec::new();
        for _ in 0..DIRECTIONS {
            let direction = random(x)?;
            for (value, tangent) in path.iter().zip(pushforward(&[(x, &direction)], &values, &walls).ok()?) {
                let tangent = match tangent {
                    Some(tangent) => tangent.array().ok()?.to_vec_f64(),
                    None => Vec::new(),
                };
                tangents.entry(value.id()).or_default().push(tangent);
            }
            directions.push(direction.array().ok()?.to_vec_f64());
        }
        // Rounding is in proportion to the numbers that were computed, and these may be larger than they should be.
        let largest = truth.iter().chain(&claimed).fold(0.0f64, |largest, entry| largest.max(entry.abs()));
        let slack = trial.close() * largest;
        let x = x.clone();
        Some(Sweep { x, fixed, path, cotangents, gradients, tangents, directions, claimed, truth, slack })
    }

    /// The number of values on the way.
    pub(super) fn len(&self) -> usize {
        self.path.len()
    }

    /// One of them, with the operations that it goes into; `None` for what the cotangent does not reach, as nothing comes
    /// from there.
    pub(super) fn node(&self, place: usize) -> Option<Node> {
        let value = self.path.get(place)?;
        if is_of_loss(value) {
            return None;
        }
        let cotangent = self.cotangents.get(&value.id())?.clone();
        let mut uses = Vec::new();
        for user in self.path[place + 1..].iter().filter(|user| !is_of_loss(user)) {
            for (input, _) in user.inputs().iter().enumerate().filter(|(_, input)| input.id() == value.id()) {
                let Some(arriving) = self.cotangents.get(&user.id()) else { continue };
                let network = user.jacobian(input).ok()?;
                if let Some(share) = network.vjp(arriving).ok()? {
                    uses.push(Use {
                        value: user.clone(),
                        input,
                        network,
                        cotangent: arriving.clone(),
                        share,
                    });
                }
            }
        }
        let gradients = self.gradients.clone();
        Some(Node { value: value.clone(), is_end: value.id() == self.x.id(), cotangent, uses, gradients })
    }

    /// What a change of a value's cotangent changes about the gradient, along each direction.
    pub(super) fn seen(&self, node: &Node, change: &[f64]) -> Option<Vec<f64>> {
        let tangents = self.tangents.get(&node.value.id())?;
        Some(tangents.iter().map(|tangent| dot(tangent, change)).collect())
    }

    /// The claim and the truth along each direction.
    pub(super) fn ends_seen(&self) -> Vec<(f64, f64)> {
        self.directions.iter().map(|t| (dot(t, &self.claimed), dot(t, &self.truth))).collect()
    }

    /// How far rounding and what [`Sweep::slack`] allows may move a number that is seen along a direction.
    pub(super) fn slack_seen(&self) -> f64 {
        // Independent errors of n entries, along normal directions, add up as their root; three deviations.
        3.0 * self.slack * (self.claimed.len() as f64).sqrt()
    }

    /// What a change of a value's cotangent changes about the gradient.
    pub(super) fn carried(&self, node: &Node, change: &[f64]) -> Option<Vec<f64>> {
        let array = Array::from_vec(&node.value.shape(), change.to_vec()).ok()?;
        let change = Val::with_dims(array, node.value.dims()).ok()?;
        let walls: Vec<&Val> = self.fixed.iter().collect();
        let carried = pullback(&[(&node.value, &change)], &[&self.x], &walls).ok()?.remove(0);
        Some(match carried {
            Some(carried) => carried.array().ok()?.to_vec_f64(),
            None => vec![0.0; self.truth.len()],
        })
    }

    /// What is left of the claim once the truth and this change, times a number, are taken away: its root mean square, where
    /// no entry is more than may be.
    pub(super) fn left(&self, carried: &[f64], times: f64) -> Option<f64> {
        let left = |((claimed, truth), change): ((&f64, &f64), &f64)| claimed - times * (truth + change);
        let left: Vec<f64> = self.claimed.iter().zip(&self.truth).zip(carried).map(left).collect();
        let most = self.slack * times.abs().max(1.0);
        let square: f64 = left.iter().map(|entry| entry * entry).sum();
        left.iter().all(|entry| entry.abs() <= most).then(|| (square / left.len() as f64).sqrt())
    }

    /// How far the claim is from the derivative: the root mean square.
    pub(super) fn off(&self) -> f64 {
        let square: f64 = self.claimed.iter().zip(&self.truth).map(|(is, truth)| (is - truth).powi(2)).sum();
        (square / self.truth.len() as f64).sqrt()
    }

    /// Is there anything to explain?
    pub(super) fn is_wrong(&self) -> bool {
        self.left(&vec![0.0; self.truth.len()], 1.0).is_none()
    }
}

/// Is it part of the loss ⟨ḡ, Z⟩ of a cotangent that is given? Nobody computes that, and no mistake is made there.
fn is_of_loss(val: &Val) -> bool {
    let is_given = |val: &Val| val.name().is_some_and(|name| name.as_str().contains('/'));
    val.inputs().iter().any(|input| is_given(input) || input.inputs().iter().any(is_given))
}

/// Σ over the axes of y of the cotangent times `[y…, x…]`.
fn contracted(cotangent: &Val, tensor: &Array) -> Option<Vec<f64>> {
    let cotangent = cotangent.array().ok()?.to_vec_f64();
    let tensor = tensor.to_vec_f64();
    let columns = tensor.len() / cotangent.len().max(1);
    let mut sum = vec![0.0; columns];
    for (factor, row) in cotangent.iter().zip(tensor.chunks(columns.max(1))) {
        sum.iter_mut().zip(row).for_each(|(sum, entry)| *sum += factor * entry);
    }
    Some(sum)
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Are numbers the same multiple of others? A single number is a multiple of every other.
pub(super) fn is_multiple(numbers: &[f64], of: &[f64]) -> bool {
    if numbers.len() < 2 {
        return false;
    }
    let square = dot(of, of);
    let times = dot(numbers, of) / square;
    let rest: Vec<f64> = numbers.iter().zip(of).map(|(number, of)| number - times * of).collect();
    dot(&rest, &rest) <= SEEN * SEEN * times * times * square
}
