//! Statements about the structure of a Jacobian, held against random probes.
//!
//! A [`Kind`] is read off the labels of a network. Here it is asked of the program itself, in forward mode, operation by
//! operation: nothing that was joined is used. Each probe is a random tangent chosen so that a matrix which is not of the
//! kind would answer differently, but for a coincidence of probability zero.
//!
//! | kind | the tangent u | what J u must be |
//! |---|---|---|
//! | zero, identity | random | 0, u |
//! | permutation, selection | random | the entries of u in some order, entries of u or 0 |
//! | diagonal | random powers of two | u ⊙ (J 1) |
//! | block-diagonal | random in one block, 0 elsewhere | 0 outside this block |
//! | Kronecker product | an outer product over the groups of axes | one again |
//! | rank ≤ r | r + 1 random ones | linearly dependent |
//! | diagonal and rank ≤ r | r + 1 random ones on half of the entries | linearly dependent on the other half |

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::jvp;
use pullback_network::Kind;
use pullback_ops::{Result, Val};

use crate::layout::unravel;

/// How many tangents are tried for a statement that takes one.
const PROBES: usize = 2;

/// Statements about ranks beyond this are not probed.
const MOST_RANK: usize = 16;

/// What is taken for zero, as a share of the largest number beside it. Rounding leaves of a sum of n products about √n·2⁻⁵³:
/// less than this for any n that memory holds; a random matrix without the structure leaves a share of order one.
const NOTHING: f64 = 1e-9;

/// What probing a statement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// So many tangents agree with it.
    Confirmed(usize),
    /// One does not: a rule, or the reading of its labels, is wrong.
    Contradicted,
    /// It would take too many tangents, or the matrix has no entries.
    Unprobed,
}

/// Probes what is said of ∂y/∂x; y must be in double precision and have numbers.
///
/// # Errors
/// Where y cannot be evaluated, or a rule returns an error.
pub fn probe(y: &Val, x: &Val, kind: &Kind) -> Result<Probed> {
    Probe { y, x, generator: Generator::new(0x73_7472_7563) }.of(kind)
}

struct Probe<'a> {
    y: &'a Val,
    x: &'a Val,
    generator: Generator,
}

impl Probe<'_> {
    fn of(mut self, kind: &Kind) -> Result<Probed> {
        // A matrix without entries has nothing to be asked.
        if self.x.shape().contains(&0) || self.y.shape().contains(&0) {
            return Ok(Probed::Unprobed);
        }
        if let Kind::LowRank(rank) | Kind::DiagonalPlusLowRank(rank) = kind {
            return self.dependent(*rank, matches!(kind, Kind::DiagonalPlusLowRank(_)));
        }
        let mut probes = 0;
        let groups = match kind {
            Kind::Kronecker(groups) => groups.len(),
            _ => 1,
        };
        for _ in 0..PROBES {
            for group in 0..groups {
                probes += 1;
                if !self.agrees(kind, group)? {
                    return Ok(Probed::Contradicted);
                }
            }
        }
        Ok(Probed::Confirmed(probes))
    }

    fn random(&mut self, count: usize) -> Result<Vec<f64>> {
        Ok(self.generator.randn(&[count], DType::F64)?.to_vec_f64())
    }

    /// J u.
    fn pushed(&self, tangent: &[f64]) -> Result<Vec<f64>> {
        let tangent = Val::new(Array::from_vec(&self.x.shape(), tangent.to_vec())?);
        match jvp(self.y, &[(self.x, &tangent)])? {
            Some(pushed) => Ok(pushed.array()?.to_vec_f64()),
            None => Ok(vec![0.0; self.y.shape().iter().product()]),
        }
    }

    fn agrees(&mut self, kind: &Kind, group: usize) -> Result<bool> {
        let (outputs, inputs) = (self.y.shape(), self.x.shape());
        let mut tangent = self.random(inputs.iter().product())?;
        Ok(match kind {
            Kind::Zero => self.pushed(&tangent)?.iter().all(|&entry| entry == 0.0),
            Kind::Identity => close(&self.pushed(&tangent)?, &tangent),
            Kind::Permutation => {
                let mut pushed = self.pushed(&tangent)?;
                pushed.sort_by(f64::total_cmp);
                tangent.sort_by(f64::total_cmp);
                close(&pushed, &tangent)
            }
            Kind::Selection => {
                let pushed = self.pushed(&tangent)?;
                tangent.push(0.0);
                tangent.sort_by(f64::total_cmp);
                pushed.iter().all(|entry| {
                    let next = tangent.partition_point(|known| known < entry);
                    let nearest = [next.wrapping_sub(1), next].into_iter().filter_map(|k| tangent.get(k));
                    nearest.into_iter().any(|known| (known - entry).abs() <= NOTHING * known.abs().max(1.0))
                })
            }
            Kind::Diagonal => {
                // By a power of two rounding errors are multiplied exactly: slopes that cancel to nothing else are no proof.
                tangent.iter_mut().for_each(|entry| *entry = (4.0 * *entry).round().exp2());
                let slopes = self.pushed(&vec![1.0; tangent.len()])?;
                let expected: Vec<f64> = slopes.iter().zip(&tangent).map(|(slope, u)| slope * u).collect();
                close(&self.pushed(&tangent)?, &expected)
            }
            Kind::BlockDiagonal(axes) => {
                // The block that the largest entry of the tangent is in.
                let largest =
                    (0..tangent.len()).max_by(|&a, &b| tangent[a].abs().total_cmp(&tangent[b].abs()));
                let place = unravel(largest.unwrap_or(0), &inputs);
                for (flat, entry) in tangent.iter_mut().enumerate() {
                    let at = unravel(flat, &inputs);
                    if axes.iter().any(|&(_, axis)| at[axis] != place[axis]) {
                        *entry = 0.0;
                    }
                }
                let pushed = self.pushed(&tangent)?;
                let scale = largest_of(&pushed);
                pushed.iter().enumerate().all(|(flat, entry)| {
                    let at = unravel(flat, &outputs);
                    axes.iter().all(|&(o, i)| at[o] == place[i]) || entry.abs() <= NOTHING * scale
                })
            }
            Kind::Kronecker(groups) => {
                let (of, by) = &groups[group];
                let own = self.random(inputs.iter().product())?;
                // A factor over the group's axes times one over all others.
                let tangent: Vec<f64> = (0..tangent.len())
                    .map(|flat| {
                        let at = unravel(flat, &inputs);
                        own[masked(&at, &inputs, |axis| by.contains(&axis))]
                            * tangent[masked(&at, &inputs, |axis| !by.contains(&axis))]
                    })
                    .collect();
                let pushed = self.pushed(&tangent)?;
                is_outer(&pushed, &outputs, of)
            }
            Kind::LowRank(_) | Kind::DiagonalPlusLowRank(_) => false,
        })
    }

    /// Are J u for `rank + 1` tangents linearly dependent? Where a diagonal is allowed for, only the rows are asked at which
    /// all tangents are 0.
    fn dependent(&mut self, rank: usize, beside_diagonal: bool) -> Result<Probed> {
        if rank > MOST_RANK {
            return Ok(Probed::Unprobed);
        }
        let count: usize = self.x.shape().iter().product();
        let zeroed = |entry: usize| beside_diagonal && entry % 2 == 1;
        let mut answers = Vec::new();
        for _ in 0..=rank {
            let mut tangent = self.random(count)?;
            tangent.iter_mut().enumerate().filter(|(k, _)| zeroed(*k)).for_each(|(_, entry)| *entry = 0.0);
            let pushed = self.pushed(&tangent)?.into_iter().enumerate();
            answers.push(
                pushed
                    .filter(|&(k, _)| !beside_diagonal || zeroed(k))
                    .map(|(_, entry)| entry)
                    .collect::<Vec<f64>>(),
            );
        }
        // Fewer rows than tangents are dependent whatever they are.
        if answers[0].len() <= rank {
            return Ok(Probed::Unprobed);
        }
        Ok(if are_dependent(answers) { Probed::Confirmed(rank + 1) } else { Probed::Contradicted })
    }
}

fn largest_of(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |largest, entry| entry.abs().max(largest))
}

fn close(a: &[f64], b: &[f64]) -> bool {
    let scale = largest_of(b);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= NOTHING * scale)
}

/// The row-major place of a multi-index with some axes set to 0.
fn masked(index: &[usize], shape: &[usize], keep: impl Fn(usize) -> bool) -> usize {
    index
        .iter()
        .zip(shape)
        .enumerate()
        .fold(0, |flat, (axis, (&at, &size))| flat * size + if keep(axis) { at } else { 0 })
}

/// Is an array the outer product of one over some axes and one over the others?
fn is_outer(entries: &[f64], shape: &[usize], axes: &[usize]) -> bool {
    let largest = (0..entries.len()).max_by(|&a, &b| entries[a].abs().total_cmp(&entries[b].abs()));
    let Some(pivot) = largest.filter(|&at| entries[at] != 0.0) else { return true };
    let pivot_at = unravel(pivot, shape);
    (0..entries.len()).all(|flat| {
        let at = unravel(flat, shape);
        let mixed = |own: bool| -> f64 {
            let pick = |axis: usize| if axes.contains(&axis) == own { at[axis] } else { pivot_at[axis] };
            entries[(0..shape.len()).fold(0, |flat, axis| flat * shape[axis] + pick(axis))]
        };
        let expected = mixed(true) / entries[pivot] * mixed(false);
        (entries[flat] - expected).abs() <= NOTHING * entries[pivot].abs()
    })
}

/// Does one of the vectors lie in the span of the others? By Gram and Schmidt, the longest that is left first.
fn are_dependent(mut vectors: Vec<Vec<f64>>) -> bool {
    let norm = |vector: &[f64]| vector.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    let longest = vectors.iter().map(|vector| norm(vector)).fold(0.0, f64::max);
    while let Some(at) = (0..vectors.len()).max_by(|&a, &b| norm(&vectors[a]).total_cmp(&norm(&vectors[b]))) {
        let pivot = vectors.swap_remove(at);
        let length = norm(&pivot);
        if length <= NOTHING * longest {
            return true;
        }
        for vector in &mut vectors {
            // Twice, since once leaves rounding along the pivot.
            for _ in 0..2 {
                let share: f64 =
                    vector.iter().zip(&pivot).map(|(a, b)| a * b).sum::<f64>() / (length * length);
                vector.iter_mut().zip(&pivot).for_each(|(entry, p)| *entry -= share * p);
            }
        }
    }
    false
}
