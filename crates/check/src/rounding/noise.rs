//! Random numbers by which results are perturbed, and values moved.

use std::cell::Cell;

use pullback_array::Array;
use pullback_ops::Result;

use super::sums::Sums;
use crate::exact::DIGITS;

/// Numbers between −1 and 1 that have nothing to do with one another: SplitMix64 (Steele, Lea and Flood, *Fast splittable
/// pseudorandom number generators*, 2014). A check draws more of them than it computes anything else.
pub(crate) struct Noise {
    state: Cell<u64>,
    /// Are numbers that are the same perturbed by the same?
    alike: bool,
    /// Is what is too large to be stored lost?
    loses: bool,
    /// Was any?
    lost: Cell<bool>,
}

impl Noise {
    pub(super) fn new(seed: u64) -> Noise {
        Noise {
            state: Cell::new(seed << 32),
            alike: !seed.is_multiple_of(2),
            loses: true,
            lost: Cell::new(false),
        }
    }

    /// The same numbers, where nothing is too large to be stored.
    pub(super) fn unbounded(seed: u64) -> Noise {
        Noise { loses: false, ..Noise::new(seed) }
    }

    /// Was a number lost that is too large to be stored?
    pub(super) fn has_lost(&self) -> bool {
        self.lost.get()
    }

    /// One after the other, without an end.
    pub(crate) fn numbers(seed: u64) -> impl Iterator<Item = f64> {
        let state = Cell::new(seed);
        std::iter::repeat_with(move || Noise::drawn(&state))
    }

    fn next(&self) -> f64 {
        Noise::drawn(&self.state)
    }

    fn drawn(state: &Cell<u64>) -> f64 {
        state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        Noise::mixed(state.get())
    }

    /// What draws many numbers draws them from a state of its own, which no write to an array can change, so that it stays in a register.
    fn drawing<R>(&self, of: impl FnOnce(&Cell<u64>) -> R) -> R {
        let state = Cell::new(self.state.get());
        let result = of(&state);
        self.state.set(state.get());
        result
    }

    fn mixed(state: u64) -> f64 {
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper 53 bits, with their sign.
        ((mixed ^ (mixed >> 31)) as i64 >> 11) as f64 / (1u64 << 52) as f64
    }

    /// Every element times a number within `size` of 1, farther where it is too small to be stored, and by the share of that which storing
    /// one does to it, where that is `known`. What a broadcast array repeats is one number, rounded once.
    pub(super) fn perturb(&self, array: Array, size: f64, sums: Sums, known: bool) -> Result<Array> {
        if !array.dtype().is_float() || size == 0.0 {
            return Ok(array);
        }
        // Rounding depends on the digits of a number, not on its exponent or its sign.
        self.next();
        let by = |x: f64| {
            if self.loses && sums.overflows(x) {
                self.lost.set(true);
                return f64::INFINITY;
            }
            size * (sums.rounds(x, known) + sums.underflow(x))
        };
        let share = |by: f64, drawn: f64| if by.is_finite() { 1.0 + by * drawn } else { by };
        if self.alike {
            let state = self.state.get();
            let of = |x: f64| share(by(x), Noise::mixed(state ^ (x.to_bits() & DIGITS)));
            return Ok(array.map_into(|x| x * of(x.into()) as f32, |x| x * of(x))?);
        }
        self.drawing(|state| {
            let of = |x: f64| share(by(x), Noise::drawn(state));
            Ok(array.map_into(|x| x * of(x.into()) as f32, |x| x * of(x))?)
        })
    }

    /// All elements of arrays times the same number.
    pub(super) fn scale(&self, arrays: Vec<Array>, size: f64) -> Result<Vec<Array>> {
        let by = 1.0 + size * self.next();
        let scaled = |array: Array| Ok(array.map_into(|x| x * by as f32, |x| x * by)?);
        arrays.into_iter().map(scaled).collect()
    }

    pub(super) fn perturb_all(
        &self,
        arrays: Vec<Array>,
        size: f64,
        sums: Sums,
        known: bool,
    ) -> Result<Vec<Array>> {
        arrays.into_iter().map(|array| self.perturb(array, size, sums, known)).collect()
    }

    /// Matrices whose entries are off by as much as a rounding of the largest one in their column; in half of the samples, in their row.
    pub(super) fn perturb_matrices(&self, array: &Array, size: f64) -> Result<Array> {
        let (numbers, shape) = (array.to_vec_f64(), array.shape());
        let [.., rows, columns] = *shape else { return Ok(array.clone()) };
        if !array.dtype().is_float() || size == 0.0 || numbers.is_empty() {
            return Ok(array.clone());
        }
        let mut moved = numbers.clone();
        for (matrix, moved) in numbers.chunks(rows * columns).zip(moved.chunks_mut(rows * columns)) {
            let line = |at: usize| if self.alike { at / columns } else { at % columns };
            let mut largest = vec![0.0f64; rows.max(columns)];
            matrix.iter().enumerate().for_each(|(at, x)| largest[line(at)] = largest[line(at)].max(x.abs()));
            moved.iter_mut().enumerate().for_each(|(at, x)| *x += size * largest[line(at)] * self.next());
        }
        Ok(Array::from_vec(shape, moved)?.cast(array.dtype())?)
    }

    /// A sum or a difference, each entry of which is off by as much as a rounding of what cancels in it: the sizes of its terms, of which
    /// this is the first, without its own.
    pub(super) fn perturb_terms(&self, sum: &Array, first: &Array, size: f64) -> Result<Array> {
        if !sum.dtype().is_float() || size == 0.0 {
            return Ok(sum.clone());
        }
        let first = first.cast(sum.dtype())?.broadcast_to(sum.shape())?;
        self.drawing(|state| {
            // The other one is what the first is off by.
            let of = |sum: f64, a: f64| {
                let cancelled = a.abs() + (a - sum).abs() - sum.abs();
                // Nothing cancels beside what hides all else, −∞.
                if cancelled.is_finite() { size * cancelled * Noise::drawn(state) } else { 0.0 }
            };
            Ok(sum.zip(&first, "terms", |x, a| x + of(x.into(), a.into()) as f32, |x, a| x + of(x, a))?)
        })
    }

    /// A quotient whose product with its divisor was stored before.
    pub(super) fn perturb_quotient(
        &self,
        quotient: &Array,
        divisor: &Array,
        size: f64,
        sums: Sums,
    ) -> Result<Array> {
        let product = quotient.zip(divisor, "a quotient", |q, d| q * d, |q, d| q * d)?;
        let stored = self.perturb(product, size, sums, false)?;
        let by = stored.zip(divisor, "a quotient", |p, d| p / d, |p, d| p / d)?;
        // What a division by zero, or one of what underflows here, says nothing of is computed otherwise.
        Ok(by.zip(
            quotient,
            "a quotient",
            |by, q| if by.is_finite() { by } else { q },
            |by, q| {
                if by.is_finite() { by } else { q }
            },
        )?)
    }

    /// Every element times such a number of its own, as where others stand beside equal ones in their sums.
    pub(super) fn perturb_each(&self, array: &Array, size: f64) -> Result<Array> {
        if !array.dtype().is_float() || size == 0.0 {
            return Ok(array.clone());
        }
        self.drawing(|state| {
            let of = || 1.0 + size * Noise::drawn(state);
            Ok(array.map(|x| x * of() as f32, |x| x * of())?)
        })
    }
}
