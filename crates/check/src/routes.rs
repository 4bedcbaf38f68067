//! The routes to a derivative, each as the tensor `[y…, x…]` in double precision.

use std::cell::RefCell;
use std::collections::BTreeMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_autograd::{Function, jacobian, pullback};
use pullback_ops::{Error, Result, Val};

use crate::convention::{Choices, Fitted, Undecided};
use crate::differences::{Effort, Estimate, Noise, derivative};
use crate::evidence::Along;
use crate::kink::{FIRST_STEP, OneSided, kinks};
use crate::limits::{DIRECTIONS, PROBES, SAFETY};
use crate::rounding::Simulation;
use crate::symmetric::Moves;
use crate::zero::size_if_cancelled;

/// ∂y/∂x with some values held: what the routes compute.
pub(crate) struct Derivative<'a> {
    pub y: &'a Val,
    pub x: &'a Val,
    pub fixed: Vec<&'a Val>,
    /// Which entries of x move together.
    pub moves: Moves,
}

/// Finite differences take every entry of x up to this many, and while a check computes fewer elements than
/// [`MOST_WORK`]; beyond, random directions.
const MOST_ENTRIES: usize = 1024;
const MOST_WORK: usize = 1 << 28;

/// A derivative is gone through row by row while that computes fewer elements: about a second.
const MOST_ROW_WORK: usize = 1 << 27;

/// Evaluations of the program that one derivative takes: two tableaus of six central differences at the least, twelve at two
/// scales at the most; this is typical.
const EVALUATIONS: usize = 80;

/// How far x is moved to see what rounding makes of steps, each entry beside its own size.
const BESIDE: f64 = 1e-3;

/// So many entries with a kink that no operation states are sought out among those that are probed along directions.
const MOST_KINKED: usize = 64;

/// Evaluations that the slopes on both sides of a kink take: two at each side of three steps, and a few smaller ones.
const EVALUATIONS_OF_A_KINK: usize = 16;

/// Of more numbers than that the size of the small ones is that of so many of them.
const MOST_SORTED: usize = 1 << 16;

/// Of so many entries that are not zero one is smaller than what is taken for the size of the small ones.
const SMALL: usize = 10;

/// What finite differences saw.
pub(crate) enum Differences {
    /// Each entry, by its position in the tensor: the derivatives, their errors, and the kinks with both slopes.
    Entries { estimate: Estimate, kinks: Vec<OneSided> },
    /// Derivatives of y along directions of x that leave out entries with kinks; those kinks; and the entries of x that have one
    /// of which no slopes were seen, with an interval in which their derivatives lie. No direction: nothing can be told along one.
    Directions {
        directions: Vec<(Array, Estimate)>,
        kinks: Vec<OneSided>,
        unmeasured: BTreeMap<usize, (f64, f64)>,
    },
}

/// What is known of entries of x at kinks, before differences are taken along directions.
pub(crate) struct Kinks<'a> {
    /// Those that count most, where not all can be measured.
    pub first: &'a dyn Fn(usize) -> bool,
    /// Those whose pieces fit together, so that there is none.
    pub fit: &'a dyn Fn(usize) -> bool,
}

impl Kinks<'_> {
    pub(crate) const NOTHING: Kinks<'static> = Kinks { first: &|_| false, fit: &|_| false };
}

impl Derivative<'_> {
    fn len(value: &Val) -> usize {
        value.shape().iter().product()
    }

    /// A leaf in the cotangent's place, and what reverse mode makes of it. `None`: there is no path.
    fn pulled(&self) -> Result<Option<(Val, Val)>> {
        let ones = Val::new(Array::ones(&self.y.shape(), DType::F64)?);
        let pulled = pullback(&[(self.y, &ones)], &[self.x], &self.fixed)?.remove(0);
        Ok(pulled.map(|pulled| (ones, pulled)))
    }

    /// Reverse mode, one output entry after the other: the tensor, and how much each entry amplifies rounding.
    pub fn by_autograd(&self) -> Result<(Array, Vec<f64>)> {
        let rows = Self::len(self.y);
        let shape = self.shape();
        // Refused here where memory does not suffice, before any work.
        let zeros = Array::zeros(&shape, DType::F64)?;
        let Some((ones, pulled)) = self.pulled()? else {
            let spread = vec![0.0; zeros.len()];
            return Ok((zeros, spread));
        };
        let simulation = Simulation::new(&pulled, &[&ones])?;
        let mut tensor = Vec::with_capacity(zeros.len());
        let mut spread = Vec::with_capacity(zeros.len());
        for row in 0..rows {
            let (gradient, moved) = simulation.run(&[Array::from_vec(&self.y.shape(), self.unit(row))?])?;
            tensor.extend(self.moved(gradient.to_vec_f64()));
            spread.extend(self.moved(moved));
        }
        Ok((Array::from_vec(&shape, tensor)?, spread))
    }

    /// The same without how rounding moves it.
    pub fn tensor(&self) -> Result<Array> {
        let shape = self.shape();
        let zeros = Array::zeros(&shape, DType::F64)?;
        let Some((ones, pulled)) = self.pulled()? else {
            return Ok(zeros);
        };
        let function = Function::new(&[&ones], &[&pulled], &[])?;
        let mut tensor = Vec::with_capacity(zeros.len());
        for row in 0..Self::len(self.y) {
            let gradient = function.call(&[Array::from_vec(&self.y.shape(), self.unit(row))?])?.remove(0);
            tensor.extend(self.moved(gradient.to_vec_f64()));
        }
        Ok(Array::from_vec(&shape, tensor)?)
    }

    /// The cotangent that gives a row.
    pub fn unit(&self, row: usize) -> Vec<f64> {
        let mut unit = vec![0.0; Self::len(self.y)];
        unit[row] = 1.0;
        unit
    }

    /// A direction of x that moves nothing.
    pub fn nowhere(&self) -> Vec<f64> {
        vec![0.0; Self::len(self.x)]
    }

    /// The entries of x about which piecewise constant payloads at their jumps decide, in some row; and the operations that
    /// these belong to. Intervals are those of a scalar, and of a sum of rows else.
    pub fn undecided(&self) -> Result<Undecided> {
        let rows = match Self::len(self.y) {
            1 => self.unit(0),
            _ => Generator::new(0x726f_7773).randn(&self.y.shape(), DType::F64)?.to_vec_f64(),
        };
        match Choices::new(self)? {
            Some(choices) => choices.undecided(&rows),
            None => Ok(Undecided::default()),
        }
    }

    /// Where the conventions of operations at kinks do not compose to the derivative: that.
    pub fn fitted(&self) -> Result<Fitted> {
        Choices::new(self)?.map_or_else(|| Ok(Fitted::default()), |choices| choices.fitted())
    }

    /// One entry by reverse mode, by its position in the tensor.
    pub fn entry(&self, position: usize) -> Result<f64> {
        let columns = Self::len(self.x);
        let unit = Val::new(Array::from_vec(&self.y.shape(), self.unit(position / columns))?);
        match pullback(&[(self.y, &unit)], &[self.x], &self.fixed)?.remove(0) {
            Some(row) => Ok(self.moved(row.array()?.to_vec_f64())[position % columns]),
            None => Ok(0.0),
        }
    }

    /// Rows of derivatives by each entry of x alone, as they are where entries move together.
    pub fn moved(&self, rows: Vec<f64>) -> Vec<f64> {
        self.moves.of(rows, self.x.shape().first().copied().unwrap_or(1))
    }

    /// The shape of the tensor.
    fn shape(&self) -> Vec<usize> {
        self.y.shape().into_iter().chain(self.x.shape()).collect()
    }

    /// The number of entries of the tensor.
    pub fn entries(&self) -> usize {
        self.shape().iter().fold(1, |product, &size| product.saturating_mul(size))
    }

    /// The Jacobian of the whole program, written out; how much each entry amplifies rounding; and whether it is zero by
    /// construction.
    pub fn by_network(&self) -> Result<(Array, Vec<f64>, bool)> {
        let jacobian = jacobian(self.y, self.x, &self.fixed)?;
        let (dense, spread) = Simulation::new(&jacobian.to_dense()?, &[])?.run(&[])?;
        let dense = Array::from_vec(dense.shape(), self.moved(dense.to_vec_f64()))?;
        Ok((dense, self.moved(spread), jacobian.is_zero()))
    }

    /// Would it take long to go through it row by row?
    pub fn is_dear(&self) -> Result<bool> {
        let rows = Self::len(self.y);
        if rows <= PROBES {
            return Ok(false);
        }
        let Some((ones, pulled)) = self.pulled()? else { return Ok(false) };
        let work = Function::new(&[&ones], &[&pulled], &[])?.work();
        Ok(work.saturating_mul(rows).saturating_mul(Simulation::EVALUATIONS) > MOST_ROW_WORK)
    }

    /// Finite differences along directions, however few entries x has.
    pub fn by_directions(&self, kinks: &Kinks<'_>) -> Result<Differences> {
        let program = Program::new(self)?;
        program.along_directions(self, kinks).and_then(|found| program.complete(found))
    }

    /// Finite differences of the forward pass.
    /// `contradicts` says of a position in the tensor, a difference and its error whether these contradict another route:
    /// only then they are taken down to the smallest steps.
    pub fn by_differences(
        &self,
        contradicts: &dyn Fn(usize, f64, f64) -> bool,
        known: &Kinks<'_>,
    ) -> Result<Differences> {
        let program = Program::new(self)?;
        let cheap =
            program.function.work().saturating_mul(EVALUATIONS).saturating_mul(program.at.len()) <= MOST_WORK;
        if program.at.len() > MOST_ENTRIES || !cheap {
            return program.along_directions(self, known).and_then(|found| program.complete(found));
        }
        let (rows, columns) = (program.value.len(), program.at.len());
        let mut estimate = Estimate { value: vec![0.0; rows * columns], error: vec![0.0; rows * columns] };
        let mut found = Vec::new();
        for entry in 0..columns {
            let mut along = program.moved_at(entry);
            let (scales, noise) = (program.scales_of(entry), &program.noise);
            let mut column = derivative(&mut along, noise, &scales, program.reach, Effort::Enough);
            let here = kinks(&mut along, &program.value, &noise.here, scales[scales.len() - 1]);
            let is_contradiction =
                |row: usize| contradicts(row * columns + entry, column.value[row], column.error[row]);
            if (0..rows).any(is_contradiction) {
                column = derivative(&mut along, noise, &scales, program.reach, Effort::All);
            }
            for (row, (&slope, &error)) in column.value.iter().zip(&column.error).enumerate() {
                estimate.value[row * columns + entry] = slope;
                estimate.error[row * columns + entry] = error;
            }
            found.extend(here.into_iter().map(|kink| OneSided { at: kink.at * columns + entry, ..kink }));
        }
        program.complete(Differences::Entries { estimate, kinks: found })
    }

    /// The derivative along a direction, down to the smallest steps.
    pub fn along_thoroughly(&self, direction: &Array) -> Result<Estimate> {
        let program = Program::new(self)?;
        program.complete(program.slope_along(direction, Effort::All).0)
    }

    /// The slopes of an entry of y on both sides along a direction of x; the same where there is no kink.
    pub fn slopes_along(&self, row: usize, direction: Vec<f64>) -> Result<OneSided> {
        let program = Program::new(self)?;
        let direction = Array::from_vec(&self.x.shape(), direction)?;
        let (estimate, kinks) = program.slope_along(&direction, Effort::Enough);
        let (slope, error) = (estimate.value[row], estimate.error[row]);
        let smooth = OneSided { at: row, left: slope, right: slope, error };
        program.complete(kinks.into_iter().find(|kink| kink.at == row).unwrap_or(smooth))
    }

    /// The position in x whose entries of a derivative finite differences contradict, where those along a direction do:
    /// the set of entries is halved until one is left.
    pub fn localise(&self, claim: Along<'_>, direction: &Array) -> Result<usize> {
        let program = Program::new(self)?;
        let full = direction.to_vec_f64();
        let mismatch = |from: usize, to: usize| -> Result<f64> {
            let mut part = vec![0.0; full.len()];
            part[from..to].copy_from_slice(&full[from..to]);
            let part = Array::from_vec(&self.x.shape(), part)?;
            let (slope, _) = program.slope_along(&part, Effort::All);
            let claimed = claim(&part)?;
            let excess = claimed.iter().zip(slope.value.iter().zip(&slope.error));
            Ok(excess.map(|(c, (v, e))| (c - v).abs() - e).fold(f64::NEG_INFINITY, f64::max))
        };
        let (mut from, mut to) = (0, full.len());
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            if mismatch(from, middle)? >= mismatch(middle, to)? { to = middle } else { from = middle }
        }
        program.complete(from)
    }
}

/// Would it take long to take every derivative of y by one of these values by itself?
pub(crate) fn are_dear(y: &Val, values: &[Val]) -> Result<bool> {
    let work = Function::new(&values.iter().collect::<Vec<_>>(), &[y], &[])?.work();
    let runs = |value: &Val| match Derivative::len(value) {
        entries if entries > MOST_ENTRIES => DIRECTIONS,
        entries => entries,
    };
    let runs: usize = values.iter().map(runs).sum();
    Ok(work.saturating_mul(EVALUATIONS).saturating_mul(runs) > MOST_WORK)
}

/// The program as finite differences see it.
struct Program<'a> {
    x: &'a Val,
    moves: Moves,
    function: Function,
    /// x where the derivative is taken, and its entries.
    point: Array,
    at: Vec<f64>,
    /// The entries of y there.
    value: Vec<f64>,
    /// The rounding error of each entry of y, where x is exact, and where x is rounded itself, as it is when all of it is moved.
    noise: Noise,
    noise_along: Noise,
    /// The largest entry of x, and one of the small ones that are not zero: of logits that are masked by −10³⁰ the largest says
    /// nothing of how far the others may be moved.
    largest: f64,
    small: f64,
    /// Has x a size of its own, or is it what terms that cancel have left?
    has_size: bool,
    /// How far x may have to be moved for a change to be seen: by the largest number that is computed from it, and by a unit at
    /// the most, which is what has no size of its own is taken to have.
    reach: f64,
    /// A run for which there was no memory: it says nothing of the program.
    refused: RefCell<Option<Error>>,
}

impl<'a> Program<'a> {
    fn new(of: &Derivative<'a>) -> Result<Program<'a>> {
        let function = Function::new(&[of.x], &[of.y], &of.fixed)?;
        let point = of.x.array()?.clone();
        let at = point.to_vec_f64();
        // What is below the smallest normal number has lost digits, or all of them.
        // What nothing moves is no result that could have become zero.
        let underflow = |spread: f64| if spread > 0.0 { Precision::F64.underflow() } else { 0.0 };
        let noise_of = |spread: &f64| 4.0 * (f64::EPSILON * spread + underflow(*spread));
        let noise = |spread: Vec<f64>| spread.iter().map(noise_of).collect();
        let along = Simulation::along(of.y, of.x, &of.fixed)?;
        let (value, spread) = along.run(std::slice::from_ref(&point))?;
        let here: Vec<f64> = noise(spread);
        let small = of_zeros(sizes(&at).1);
        let step = BESIDE * small;
        let random = Generator::new(0x6e_6f69_7365).randn(&of.x.shape(), DType::F64)?.to_vec_f64();
        let own = |x: f64| if x == 0.0 { small } else { x.abs() };
        let beside = at.iter().zip(of.moved(random)).map(|(x, by)| x + BESIDE * own(*x) * by).collect();
        let beside = match along.run(&[Array::from_vec(point.shape(), beside)?]) {
            Ok((_, spread)) => noise(spread),
            Err(error) if error.is_memory() => return Err(error),
            // Beyond the end of a domain there is nothing.
            Err(_) => vec![0.0; here.len()],
        };
        let is_of_steps = |(here, beside): (&f64, &f64)| beside.is_finite() && *beside > SAFETY * here;
        let of_steps =
            here.iter().zip(&beside).map(|pair| if is_of_steps(pair) { pair.1 / step } else { 0.0 });
        let per_step: Vec<f64> = of_steps.collect();
        let noise_along =
            Noise { here: noise(along.rounded(&point).run(&[])?.1), per_step: per_step.clone() };
        let noise = Noise { here, per_step };
        let reach = scale(0.0).min(function.largest(std::slice::from_ref(&point))?);
        let cancelled = size_if_cancelled(of.x)?;
        let has_size = cancelled.is_none();
        let (largest, small) = match cancelled {
            Some(size) => (size, size),
            None => sizes(&at),
        };
        let value = value.to_vec_f64();
        let refused = RefCell::new(None);
        Ok(Program {
            x: of.x,
            moves: of.moves,
            function,
            point,
            at,
            value,
            noise,
            noise_along,
            largest,
            small,
            has_size,
            reach,
            refused,
        })
    }

    /// What was found, unless memory was refused on the way.
    fn complete<T>(&self, found: T) -> Result<T> {
        self.refused.take().map_or(Ok(found), Err)
    }

    /// The lengths over which the program may be expected to change with an entry of x, in falling order: where the entry is
    /// small beside the others, that of the others too.
    fn scales_of(&self, entry: usize) -> Vec<f64> {
        let (own, common) = (self.at[entry].abs(), 0.1 * self.largest);
        match (own > 0.0 && self.has_size, common > own) {
            (true, true) => vec![common, own],
            (true, false) => vec![own],
            // What is zero has no size of its own.
            _ => self.scales(),
        }
    }

    /// The lengths over which the program may be expected to change with all of x, in falling order.
    fn scales(&self) -> Vec<f64> {
        let mut scales = of_sizes(self.largest, self.small).to_vec();
        scales.dedup();
        scales
    }

    fn slope_along(&self, direction: &Array, effort: Effort) -> (Estimate, Vec<OneSided>) {
        let (mut along, scales) = (self.moved_along(direction), self.scales());
        let estimate = derivative(&mut along, &self.noise_along, &scales, self.reach, effort);
        let last = scales[scales.len() - 1];
        (estimate, kinks(&mut along, &self.value, &self.noise_along.here, last))
    }

    /// Along directions that leave out the entries of x by which some entry of y has a kink. Where an operation is at a kink of its
    /// own, the derivative says about which entries it decides, and those are measured first that are asked about; what else there
    /// is, of masks and jumps that meet, is found by halving.
    fn along_directions(&self, of: &Derivative<'_>, known: &Kinks<'_>) -> Result<Differences> {
        let mut generator = Generator::new(0x70_726f_6265);
        let mut probe = generator.randn(&self.x.shape(), DType::F64)?.to_vec_f64();
        let (mut kinks, mut unmeasured) = (Vec::new(), BTreeMap::new());
        let mut leave_out = |entry: usize, here: Vec<OneSided>| {
            let at = |kink: OneSided| OneSided { at: kink.at * self.at.len() + entry, ..kink };
            kinks.extend(here.into_iter().map(at));
        };
        let mut kinked: Vec<usize> = Vec::new();
        if !self.kinks_along(&probe, 0, probe.len())?.is_empty() {
            let undecided = of.undecided()?.columns.into_iter().filter(|&(entry, _)| !(known.fit)(entry));
            let (mut suspects, others): (Vec<_>, Vec<_>) =
                undecided.partition(|&(entry, _)| (known.first)(entry));
            suspects.extend(others);
            let most = MOST_WORK / self.function.work().saturating_mul(EVALUATIONS_OF_A_KINK).max(1);
            for (number, &(entry, interval)) in suspects.iter().enumerate() {
                let here = if number < most { self.kinks_at(entry) } else { Vec::new() };
                match here.is_empty() {
                    // Where rounding drowns it, it is there all the same.
                    true => drop(unmeasured.insert(entry, interval)),
                    false => leave_out(entry, here),
                }
                kinked.push(entry);
            }
            kinked.iter().for_each(|&entry| probe[entry] = 0.0);
            let mut others = Vec::new();
            self.kinked_entries(&probe, 0, probe.len(), &mut others)?;
            others.iter().for_each(|&entry| leave_out(entry, self.kinks_at(entry)));
            if others.len() > MOST_KINKED {
                return Ok(Differences::Directions { directions: Vec::new(), kinks, unmeasured });
            }
            kinked.extend(others);
        }
        let mut directions = Vec::new();
        for _ in 0..DIRECTIONS {
            let mut weights = generator.randn(&self.x.shape(), DType::F64)?.to_vec_f64();
            kinked.iter().for_each(|&entry| weights[entry] = 0.0);
            let direction = Array::from_vec(&self.x.shape(), weights)?;
            let (estimate, left_over) = self.slope_along(&direction, Effort::Enough);
            if !left_over.is_empty() {
                return Ok(Differences::Directions { directions: Vec::new(), kinks, unmeasured });
            }
            directions.push((direction, estimate));
        }
        Ok(Differences::Directions { directions, kinks, unmeasured })
    }

    fn kinks_at(&self, entry: usize) -> Vec<OneSided> {
        let mut along = self.moved_at(entry);
        let scales = self.scales_of(entry);
        kinks(&mut along, &self.value, &self.noise.here, scales[scales.len() - 1])
    }

    /// The kinks along the part of a direction that belongs to a range of entries of x.
    fn kinks_along(&self, direction: &[f64], from: usize, to: usize) -> Result<Vec<OneSided>> {
        let mut part = vec![0.0; direction.len()];
        part[from..to].copy_from_slice(&direction[from..to]);
        let part = Array::from_vec(&self.x.shape(), part)?;
        let mut along = self.moved_along(&part);
        let scales = self.scales();
        Ok(kinks(&mut along, &self.value, &self.noise_along.here, scales[scales.len() - 1]))
    }

    /// The entries of x in a range that have a kink, by halving it as long as a direction over it has one; a few more than
    /// [`MOST_KINKED`] at the most.
    fn kinked_entries(
        &self,
        direction: &[f64],
        from: usize,
        to: usize,
        found: &mut Vec<usize>,
    ) -> Result<()> {
        if from == to || found.len() > MOST_KINKED {
            return Ok(());
        }
        if self.kinks_along(direction, from, to)?.is_empty() {
            return Ok(());
        }
        if to - from == 1 {
            found.push(from);
            return Ok(());
        }
        let middle = from + (to - from) / 2;
        self.kinked_entries(direction, from, middle, found)?;
        self.kinked_entries(direction, middle, to, found)
    }

    /// The program as a function of one number that moves an entry of x.
    fn moved_at(&self, entry: usize) -> impl FnMut(f64) -> Option<Vec<f64>> {
        let moving = self.moves.with(entry, self.point.shape().first().copied().unwrap_or(1));
        self.moved(move |t| {
            let mut x = self.at.clone();
            moving.iter().for_each(|&(entry, weight)| x[entry] += weight * t);
            let is_moved = |&(entry, weight): &(usize, f64)| is_taken(self.at[entry], x[entry], weight * t);
            moving.iter().all(is_moved).then(|| Array::from_vec(self.point.shape(), x))
        })
    }

    /// The program as a function of one number that moves x along a direction.
    fn moved_along<'f>(&'f self, direction: &Array) -> impl FnMut(f64) -> Option<Vec<f64>> + 'f {
        let size = self.point.shape().first().copied().unwrap_or(1);
        let direction = self.moves.of(direction.to_vec_f64(), size);
        self.moved(move |t| {
            let x = self.at.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
            Some(Array::from_vec(self.point.shape(), x))
        })
    }

    /// The program as a function of one number, of which x is one; `None` where that cannot be moved so little, and where a
    /// result is not finite.
    fn moved<'f>(
        &'f self,
        x: impl Fn(f64) -> Option<pullback_array::Result<Array>> + 'f,
    ) -> impl FnMut(f64) -> Option<Vec<f64>> + 'f {
        move |t| {
            let found = x(t)?.map_err(Error::from).and_then(|x| self.function.call(&[x]));
            let y = match found {
                Ok(mut results) => results.remove(0).to_vec_f64(),
                Err(error) => {
                    if error.is_memory() {
                        self.refused.replace(Some(error));
                    }
                    return None;
                }
            };
            y.iter().all(|y| y.is_finite()).then_some(y)
        }
    }
}

/// The tensor `[y…, x…]` contracted with a direction of x.
pub(crate) fn along(tensor: &Array, direction: &Array, components: usize) -> Vec<f64> {
    let (entries, direction) = (tensor.to_vec_f64(), direction.to_vec_f64());
    (0..components)
        .map(|row| entries[row * direction.len()..].iter().zip(&direction).map(|(c, d)| c * d).sum())
        .collect()
}

/// The largest of some numbers, and the size of the small ones among them that are not zero: that of all, where steps beside a kink
/// are no larger than the small ones.
pub(crate) fn sizes(numbers: &[f64]) -> (f64, f64) {
    let largest = numbers.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let some = |every: usize| -> Vec<f64> {
        numbers.iter().step_by(every).map(|x| x.abs()).filter(|&size| size > 0.0).collect()
    };
    // Of many some tell as much: an odd step goes through all columns of most matrices.
    let mut sizes = some((numbers.len() / MOST_SORTED) | 1);
    if sizes.is_empty() && largest > 0.0 {
        sizes = some(1);
    }
    if sizes.is_empty() {
        return (0.0, 0.0);
    }
    let tenth = sizes.len() / SMALL;
    let (_, &mut small, _) = sizes.select_nth_unstable_by(tenth, f64::total_cmp);
    (largest, if FIRST_STEP * largest <= small { largest } else { small })
}

/// Is a step more than what rounding makes of it?
fn is_taken(from: f64, to: f64, step: f64) -> bool {
    (to - from - step).abs() <= 0.25 * step.abs()
}

/// The lengths over which a program may be expected to change with numbers, in falling order.
pub(crate) fn lengths(numbers: &[f64]) -> [f64; 3] {
    let (largest, small) = sizes(numbers);
    of_sizes(largest, small)
}

/// The same, of the largest of them and the size of the small ones.
fn of_sizes(largest: f64, small: f64) -> [f64; 3] {
    [scale(largest), scale(small), of_zeros(small)]
}

/// The length for what is zero beside numbers of this size: the same; and where all that is not zero masks something, any.
fn of_zeros(size: f64) -> f64 {
    if FIRST_STEP * size > 1.0 { scale(0.0) } else { scale(size) }
}

/// The length over which a program may be expected to change, from the size of its input.
fn scale(size: f64) -> f64 {
    if size > 0.0 && size.is_finite() { size } else { 1.0 }
}
