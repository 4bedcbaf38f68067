//! Piecewise constant payloads at their jumps: what each convention is a choice of.

use std::collections::{BTreeMap, HashSet};

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_network::Value as _;
use pullback_ops::{Origin, Result, Val};

use crate::graph::{ancestors_of, piecewise_constant};
use crate::limits::SAFETY;
use crate::routes::sizes;

/// How far the input of a payload is moved to see it jump, in units of its size ([`unit`]): more than rounding may have moved it,
/// and less than any step of a finite difference.
pub(crate) const NUDGE: f64 = 1e-9;

/// How far ties are moved apart at the most, the first from the last: so many neighbours still differ in their last digits.
const NUDGE_OF_TIES: f64 = 16.0 * NUDGE;

/// So many directions in a row are to show nothing of entries whose pieces seem to fit: along each, one that ties with others that do
/// not move is seen on one side.
const QUIET: usize = 2;

/// The size of numbers that are moved by [`NUDGE`]: that of the small ones, but that rounding of the largest is less than it moves. What
/// is smaller than that beside them, an element of 1e-17 that a matrix product left, may be on either side of its jump.
pub(crate) fn unit(numbers: &[f64]) -> f64 {
    let (largest, small) = sizes(numbers);
    let unit = small.max(SAFETY * f64::EPSILON * largest / NUDGE);
    if unit > 0.0 { unit } else { 1.0 }
}

/// A payload at its jump.
pub(crate) struct Jump {
    pub payload: Val,
    pub stated: Array,
    /// Its values on either side.
    pub sides: [Array; 2],
    /// With each tie broken: for the first, for the last.
    pub broken: [Array; 2],
}

/// The conventions that all payloads may follow alike: as stated, that of one side or the other, that of the first of what ties, or of
/// the last.
pub(crate) const ALIKE: [fn(&Jump) -> &Array; 5] = [
    |jump| &jump.stated,
    |jump| &jump.sides[0],
    |jump| &jump.sides[1],
    |jump| &jump.broken[0],
    |jump| &jump.broken[1],
];

/// The payloads of gradients that are at jumps, of those that are computed from some `values` which move: what is itself piecewise
/// constant, a condition, stays where it is beside them, and its own payload is the one that jumps.
pub(crate) fn jumps_of<'a>(gradients: &[&Val], values: impl Iterator<Item = &'a Val>) -> Result<Vec<Jump>> {
    let payloads = piecewise_constant(gradients)?;
    let still: HashSet<u64> = payloads.iter().map(Val::id).collect();
    let mut moving: HashSet<u64> = values.map(Val::id).collect();
    for value in ancestors_of(gradients) {
        if !still.contains(&value.id()) && value.inputs().iter().any(|input| moving.contains(&input.id())) {
            moving.insert(value.id());
        }
    }
    let moved = |payload: &&Val| payload.inputs().iter().any(|input| moving.contains(&input.id()));
    payloads.iter().filter(moved).filter_map(|payload| Jump::of(payload).transpose()).collect()
}

/// The payloads at points `beside`, where their own values stand in this order, and then their inputs.
pub(crate) fn sided(jumps: &[Jump], beside: &[Vec<Array>]) -> Result<Vec<Vec<Array>>> {
    let mut sided: Vec<Vec<Array>> = vec![Vec::new(); beside.len()];
    for (number, jump) in jumps.iter().enumerate() {
        for (of_point, payload) in sided.iter_mut().zip(jump.sided(number, jumps.len(), beside)?) {
            of_point.push(payload);
        }
    }
    Ok(sided)
}

/// Each payload somewhere between all that it may be, at random: what depends on any of them is another there than as they are stated,
/// but where that is a coincidence.
pub(crate) fn mixed(jumps: &[Jump]) -> Result<Vec<Array>> {
    let mut generator = Generator::new(0x6d_6978_6564);
    jumps.iter().map(|jump| jump.mixed(&mut generator)).collect()
}

/// Gradients on either side of a direction that moves some entries.
type Pieces<'a> = dyn FnMut(&[BTreeMap<usize, f64>]) -> Result<Vec<Vec<Array>>> + 'a;

/// Leaves of entries of several gradients, and their slopes, those along which pieces fit together: moved with the other ones alone,
/// they have this slope on both sides. Of elements that tie, one that came behind others along some direction is seen not to once these
/// stay where they are. `rounding` is that of an entry of a gradient, where more is known of it than that it is one of the largest entry.
pub(crate) fn keep_fitting(
    fitted: &mut [BTreeMap<usize, f64>],
    rounding: &dyn Fn(usize) -> f64,
    pieces: &mut Pieces<'_>,
) -> Result<()> {
    let mut quiet = 0;
    let count = |fitted: &[BTreeMap<usize, f64>]| fitted.iter().map(BTreeMap::len).sum::<usize>();
    while quiet < QUIET && count(fitted) > 0 {
        let before = count(fitted);
        for side in pieces(fitted)? {
            for (entries, gradient) in fitted.iter_mut().zip(&side) {
                let of_largest = SAFETY * f64::EPSILON * gradient.max_abs();
                let gradient = gradient.as_f64();
                entries.retain(|&p, &mut slope| (slope - gradient[p]).abs() <= of_largest.max(rounding(p)));
            }
        }
        quiet = if count(fitted) == before { quiet + 1 } else { 0 };
    }
    Ok(())
}

impl Jump {
    /// `None`: the payload is at no jump.
    pub(crate) fn of(payload: &Val) -> Result<Option<Jump>> {
        let Origin::Call(op, inputs) = payload.origin() else { return Ok(None) };
        if !inputs[0].dtype().is_float() {
            return Ok(None);
        }
        let arrays: Vec<Array> = inputs.iter().map(|input| input.array().cloned()).collect::<Result<_>>()?;
        let at = arrays[0].to_vec_f64();
        let scale = unit(&at);
        let moved = |by: &dyn Fn(usize, f64) -> f64| -> Result<Array> {
            let first = at.iter().enumerate().map(|(k, x)| x + by(k, *x)).collect();
            let first = Array::from_vec(arrays[0].shape(), first)?.cast(arrays[0].dtype())?;
            let inputs: Vec<&Array> = std::iter::once(&first).chain(&arrays[1..]).collect();
            Ok(op.forward(&inputs)?.remove(payload.output()))
        };
        let stated = payload.array()?.clone();
        let sides = [moved(&|_, _| NUDGE * scale)?, moved(&|_, _| -NUDGE * scale)?];
        // What ties is alike, and is moved beside its own size.
        let apart = NUDGE_OF_TIES / at.len().max(1) as f64;
        let breaking = |k: usize, x: f64| apart * scale.max(x.abs()) * k as f64;
        let broken = [moved(&|k, x| -breaking(k, x))?, moved(&breaking)?];
        let jump = Jump { payload: payload.clone(), stated, sides, broken };
        let jumps = jump.others().next().is_some();
        Ok(jumps.then_some(jump))
    }

    /// The payload at each point `beside`, where the payloads of all jumps stand, this one's by its `number`, and then their inputs.
    fn sided(&self, number: usize, jumps: usize, beside: &[Vec<Array>]) -> Result<Vec<Array>> {
        // Places are not those of the elements that move.
        if self.is_order() {
            return Ok(beside.iter().map(|point| point[number].clone()).collect());
        }
        let (stated, input) = (self.stated.to_vec_f64(), self.payload.inputs()[0].array()?.to_vec_f64());
        let payloads: Vec<Vec<f64>> = beside.iter().map(|point| point[number].to_vec_f64()).collect();
        let stays = |point: &Vec<Array>| -> Vec<bool> {
            let moved = point[jumps + number].to_vec_f64();
            (0..stated.len()).map(|k| moved.get(k) == input.get(k)).collect()
        };
        let stays: Vec<Vec<bool>> = beside.iter().map(stays).collect();
        let at = |point: usize, k: usize| {
            let stays = |point: usize| stays[point][k] && payloads[point][k] == stated[k];
            let next = (0..beside.len()).map(|by| (point + by) % beside.len()).find(|&point| !stays(point));
            payloads[next.unwrap_or(point)][k]
        };
        let of = |point: usize| (0..stated.len()).map(|k| at(point, k)).collect();
        (0..beside.len()).map(|point| Ok(Array::from_vec(self.stated.shape(), of(point))?)).collect()
    }

    /// Its other values.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Array> {
        self.sides.iter().chain(&self.broken).filter(|other| differ(other, &self.stated))
    }

    /// Somewhere between all that it may be; an order, another one that it may be.
    fn mixed(&self, generator: &mut Generator) -> Result<Array> {
        let mut mixed = self.stated.clone();
        if self.is_order() {
            return Ok(self.others().next().cloned().unwrap_or(mixed));
        }
        for other in self.others() {
            let weights = generator.rand(self.stated.shape(), DType::F64)?;
            let by = other.zip(&self.stated, "mix", |a, b| a - b, |a, b| a - b)?;
            let by = by.zip(&weights, "mix", |by, weight| by * weight, |by, weight| by * weight)?;
            mixed = mixed.zip(&by, "mix", |a, b| a + b, |a, b| a + b)?;
        }
        Ok(mixed)
    }

    /// Is it an order, places instead of numbers?
    pub(crate) fn is_order(&self) -> bool {
        !self.stated.dtype().is_float()
    }

    /// Does it stay where all of its input moves, and not where elements move apart?
    pub(crate) fn is_tie(&self) -> bool {
        let by = |others: &[Array; 2]| others.iter().any(|other| differ(other, &self.stated));
        by(&self.broken) && !by(&self.sides)
    }
}

fn differ(a: &Array, b: &Array) -> bool {
    a.to_vec_f64() != b.to_vec_f64()
}
