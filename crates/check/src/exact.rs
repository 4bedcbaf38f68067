//! Which numbers of a program have no rounding error.
//!
//! What is given to other code is given exactly: a dump's inputs are the very numbers that it computed with, where its precision
//! can hold them. Moving numbers about (a slice, a broadcast, a mask of 0 and 1 times them, the larger of two) rounds nothing, and
//! whole numbers below 2^p are added and multiplied exactly in a precision of p bits, and so are halves and quarters, few multiples of a
//! power of two. A comparison of such numbers cannot be
//! turned by rounding, and a mask of them is the same in every code.
//!
//! That is asked of the numbers and of the operation, which is tried on other numbers: `tanh(20)` is 1 in double precision, and
//! the mean of equal numbers is one of them, and both are rounded numbers all the same.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use pullback_array::{Array, DType, Precision};
use pullback_ops::{BackwardError, Op, Val};

/// Entries of a result that are sought among those of the operands before all of them are: what computes anything new is
/// seen by one of the first.
const SOUGHT_FIRST: usize = 4;

/// What an operation is tried on, and halves of it: no two of them have a whole quotient, mean or root.
const WHOLE: [f64; 7] = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0];

/// What sums of products of up to 24 halves are multiples of, and roots are not.
const PART: f64 = 1.0 / (1u64 << 24) as f64;

/// The digits among the bits of a number, but for its first one; the others are its sign and its exponent.
pub(crate) const DIGITS: u64 = (1 << 52) - 1;

/// What no few numbers that are multiples of these, or whole numbers, come to.
const GOLDEN: f64 = 0.618_033_988_749_894_8;
const SILVER: f64 = 0.414_213_562_373_095_05;

/// What is known of the values of a program to be exact in a precision, by their place in it.
pub(crate) struct Exact {
    precision: Precision,
    known: HashMap<u64, bool>,
    /// What moves and scales numbers, whatever these are, and rounds none.
    moving: HashSet<u64>,
}

impl Exact {
    pub(crate) fn new(precision: Precision) -> Exact {
        // What goes into products of TF32 is given as f32.
        let precision = if precision == Precision::TF32 { Precision::F32 } else { precision };
        Exact { precision, known: HashMap::new(), moving: HashSet::new() }
    }

    /// A value that nothing was computed of, as this array; `varies`: it is to stand for others too.
    pub(crate) fn given(&mut self, value: &Val, array: &Array, varies: bool) {
        let exact = !varies && is_held(array, self.precision);
        self.known.insert(value.order(), exact);
    }

    /// Is it exact? What has not been met is a number of the program.
    pub(crate) fn is_exact(&self, value: &Val, array: &Array) -> bool {
        self.known.get(&value.order()).copied().unwrap_or_else(|| is_held(array, self.precision))
    }

    /// Is the value with this place known to be exact?
    pub(crate) fn knows(&self, order: u64) -> bool {
        self.known.get(&order).copied().unwrap_or(false)
    }

    /// Does the value with this place move numbers that may be rounded, and rounds none itself?
    pub(crate) fn moves(&self, order: u64) -> bool {
        self.moving.contains(&order)
    }

    /// Results of an operation.
    pub(crate) fn computed(&mut self, op: &dyn Op, value: &Val, inputs: &[&Array], results: &[Array]) {
        let are_exact: Vec<bool> =
            value.inputs().iter().zip(inputs).map(|(value, array)| self.is_exact(value, array)).collect();
        let given = are_exact.iter().all(|&is_exact| is_exact);
        // What other code factorises it computes of other numbers than these.
        let is_direct = matches!(op.backward_error(), BackwardError::None | BackwardError::OfTerms);
        // Of numbers that are rounded it counts where a rounding is more than what is given.
        let moves = is_direct
            && (given || self.precision.is_of_16_bits())
            && moves(inputs, results)
            && moves_others(op, inputs, &are_exact)
            && results.iter().all(|result| self.has_range(result));
        let exact = given
            && is_direct
            && (moves
                || self.are_whole(inputs.iter().copied())
                    && self.are_whole(results)
                    && keeps_whole(op, inputs)
                || self.are_short(inputs) && keeps_short(op, inputs));
        if moves && !exact {
            self.moving.insert(value.order());
        }
        self.known.insert(value.order(), exact);
    }

    /// Are all of these as large as the precision has numbers with all of their digits?
    fn has_range(&self, array: &Array) -> bool {
        let least = self.precision.underflow() / epsilon(self.precision);
        let most = self.precision.largest();
        let is_in_range = |x: &f64| *x == 0.0 || !x.is_finite() || (least..=most).contains(&x.abs());
        array.as_f64().iter().all(is_in_range)
    }

    /// Are all of these whole numbers that are added and multiplied exactly?
    fn are_whole<'a>(&self, arrays: impl IntoIterator<Item = &'a Array>) -> bool {
        let most = 2.0 / epsilon(self.precision);
        let is_whole = |x: &f64| x.fract() == 0.0 && x.abs() <= most;
        arrays.into_iter().all(|array| array.as_f64().iter().all(is_whole))
    }

    /// Are all of these multiples of a power of two, and so few that all products of theirs are added up exactly?
    fn are_short(&self, arrays: &[&Array]) -> bool {
        let most = 2.0 / epsilon(self.precision);
        // That power, and the sum of each array. As more numbers are seen it falls, and their multiples only grow.
        let (mut unit, mut sums) = (f64::INFINITY, Vec::new());
        for array in arrays.iter().filter(|array| array.dtype().is_float()) {
            let mut sum = 0.0;
            for &x in array.as_f64().iter().filter(|x| **x != 0.0) {
                (unit, sum) = (unit.min(last_digit(x)), sum + x.abs());
                if sum > most * unit {
                    return false;
                }
            }
            sums.push(sum);
        }
        sums.into_iter().map(|sum| (sum / unit).max(1.0)).product::<f64>() <= most
    }
}

/// The largest power of two that a number is a multiple of.
fn last_digit(x: f64) -> f64 {
    let (digits, first) = (x.to_bits() | 1 << 52, (x.to_bits() >> 52 & 0x7ff) as i32 - 1023);
    2f64.powi(first - 52 + digits.trailing_zeros() as i32)
}

/// That of integers is that of what they are computed in here.
fn epsilon(precision: Precision) -> f64 {
    if precision.epsilon() > 0.0 { precision.epsilon() } else { f64::EPSILON }
}

/// Can the precision hold these numbers?
pub(crate) fn is_held(array: &Array, precision: Precision) -> bool {
    if !array.dtype().is_float() || array.dtype() == DType::F64 && epsilon(precision) == f64::EPSILON {
        return true;
    }
    // Those of the digits of a double that the precision lacks.
    let more = epsilon(precision) / f64::EPSILON;
    let lacking = more as u64 - 1;
    array.as_f64().iter().all(|x| !x.is_finite() || x.to_bits() & lacking == 0)
}

/// Is every result one of the operands' numbers, but for the sign and a power of two, or zero?
fn moves(inputs: &[&Array], results: &[Array]) -> bool {
    let operands: Vec<(&Array, Cow<'_, [f64]>)> = inputs
        .iter()
        .filter(|array| array.dtype().is_float())
        .map(|array| (*array, array.as_f64()))
        .collect();
    let is_operand = |x: &f64| {
        *x == 0.0 || operands.iter().any(|(_, numbers)| numbers.iter().any(|y| digits(*y) == digits(*x)))
    };
    if !results.iter().all(|array| array.as_f64().iter().take(SOUGHT_FIRST).all(is_operand)) {
        return false;
    }
    // What stays in its place need not be sought.
    let has_its_shape = |(array, _): &&(&Array, Cow<'_, [f64]>)| array.shape() == results[0].shape();
    let same: Vec<&[f64]> = operands.iter().filter(has_its_shape).map(|(_, numbers)| &**numbers).collect();
    let stays = |at: usize, x: f64| {
        same.iter().any(|numbers| numbers.get(at).is_some_and(|y| digits(*y) == digits(x)))
    };
    let mut sought: HashSet<Option<u64>> = HashSet::new();
    for result in results {
        let elsewhere = |(at, x): &(usize, &f64)| **x != 0.0 && !stays(*at, **x);
        sought.extend(result.as_f64().iter().enumerate().filter(elsewhere).map(|(_, &x)| digits(x)));
    }
    for (_, numbers) in &operands {
        if sought.is_empty() {
            break;
        }
        numbers.iter().for_each(|&y| {
            sought.remove(&digits(y));
        });
    }
    sought.is_empty()
}

/// The digits of a number, which its sign and a power of two leave what they are.
fn digits(x: f64) -> Option<u64> {
    (x != 0.0 && x.is_finite()).then_some(x.to_bits() & DIGITS)
}

/// Does it move other numbers too? Nothing and one stay what they are, they mask; and an exact number that is a power of two, it scales.
fn moves_others(op: &dyn Op, inputs: &[&Array], are_exact: &[bool]) -> bool {
    let other = |k: usize, at: usize, x: f64| {
        let number = 1.0 + ((at + 1) as f64 * GOLDEN + k as f64 * SILVER).fract();
        let scales = || inputs[k].ndim() == 0 && are_exact[k] && digits(x) == Some(0);
        if x == 0.0 || x.abs() == 1.0 || scales() { x } else { number.copysign(x) }
    };
    let Some(others) = others(inputs, other) else { return false };
    let others: Vec<&Array> = others.iter().collect();
    op.forward(&others).is_ok_and(|results| moves(&others, &results))
}

/// Does an operation make whole numbers of whole numbers, whatever these are? What does not say so is tried on others twice.
pub(crate) fn keeps_whole(op: &dyn Op, inputs: &[&Array]) -> bool {
    op.sums_products() || (0..2).all(|trial| keeps(op, inputs, trial, 1.0))
}

/// Does it add up products of what it is given, and nothing else? What does not say so is tried on halves: powers of these are none.
fn keeps_short(op: &dyn Op, inputs: &[&Array]) -> bool {
    op.sums_products() || (0..2).all(|trial| keeps(op, inputs, trial, 0.5))
}

/// Does it make multiples of whole numbers, or of [`PART`], of multiples of this one?
fn keeps(op: &dyn Op, inputs: &[&Array], trial: usize, unit: f64) -> bool {
    let number = |k: usize, at: usize, _: f64| unit * WHOLE[(at + 3 * k + trial) % WHOLE.len()];
    let Some(others) = others(inputs, number) else { return false };
    let part = if unit < 1.0 { PART } else { 1.0 };
    // Beyond 2⁵³ of it every number is a multiple.
    let is_short = |x: &f64| (x / part).fract() == 0.0 && x.abs() * f64::EPSILON < part;
    let results = op.forward(&others.iter().collect::<Vec<_>>());
    results.is_ok_and(|results| results.iter().all(|result| result.as_f64().iter().all(is_short)))
}

/// The operands with other numbers, made of the number of the operand, the place in it and the number there; integers stay.
fn others(inputs: &[&Array], number: impl Fn(usize, usize, f64) -> f64) -> Option<Vec<Array>> {
    let other = |(k, array): (usize, &&Array)| {
        if !array.dtype().is_float() {
            return Some((*array).clone());
        }
        let numbers = array.as_f64().iter().enumerate().map(|(at, &x)| number(k, at, x)).collect();
        Array::from_vec(array.shape(), numbers).ok()
    };
    inputs.iter().enumerate().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounding::{Simulation, Sums};
    use pullback_ops::Result;

    /// Is the value computed exactly in a precision?
    fn exact(value: &Val, precision: Precision) -> Result<bool> {
        Ok(Simulation::new(value, &[])?.measure(&[], Sums::of(precision, precision.accumulator()))?.exact)
    }

    fn leaf(numbers: &[f64]) -> Val {
        Val::new(Array::from_slice(&[numbers.len()], numbers).expect("as many as there are"))
    }

    #[test]
    fn what_is_exact() -> Result<()> {
        let (half, tenth, whole) = (leaf(&[0.5, -1.25]), leaf(&[0.1, -0.3]), leaf(&[3.0, 20.0]));
        let mask = leaf(&[1.0, 0.0]);
        let cases: [(&str, Val, [bool; 3]); 21] = [
            // In f64, f32 and bf16.
            ("given", half.clone(), [true; 3]),
            ("given with more digits", tenth.clone(), [true, false, false]),
            ("masked", (&tenth * &mask)?, [true, false, false]),
            ("the larger", tenth.relu()?, [true, false, false]),
            ("negative", (-&half)?, [true; 3]),
            ("whole", (&(&whole * &whole)? - 1.0)?, [true, true, false]),
            ("a sum of whole numbers", whole.sum_all()?, [true; 3]),
            ("a sum of halves and quarters", half.sum_all()?, [true; 3]),
            ("a product of them", half.prod(&[0], false)?, [true; 3]),
            ("a power of two", half.exp2()?, [false; 3]),
            ("scaled by a power of two", (0.25 * &half)?, [true; 3]),
            ("scaled by another number", (0.3 * &half)?, [false; 3]),
            ("more digits than are held", leaf(&[256.0, 0.5]).sum_all()?, [true, true, false]),
            ("digits that a sum loses", leaf(&[1.0 - 2f64.powi(-24), 0.75]).sum_all()?, [true, false, false]),
            ("and another", (&leaf(&[1024.0, 512.0]) + &leaf(&[2f64.powi(-15), 0.5]))?, [true, false, false]),
            ("1 in double precision", leaf(&[20.0, 30.0]).tanh()?, [false; 3]),
            ("a mean that is whole", leaf(&[1.0, 3.0, 5.0]).mean(&[0], false)?, [false; 3]),
            ("a mean of equal numbers", leaf(&[0.5, 0.5, 0.5]).mean(&[0], false)?, [false; 3]),
            ("the only number of a sum", leaf(&[0.0, 0.5]).sum_all()?, [true; 3]),
            ("computed", (&tenth * &tenth)?, [false; 3]),
            ("a sign of what is computed", (&tenth * &tenth)?.sign()?, [true; 3]),
        ];
        for (what, value, expected) in cases {
            let found = [Precision::F64, Precision::F32, Precision::BF16]
                .map(|precision| exact(&value, precision).expect("finite"));
            assert_eq!(found, expected, "{what}");
        }
        Ok(())
    }
}
