//! How sums round, of this program and of other code, and which operations are sums.
//!
//! An operation that adds up many products rounds inside, at every addition: its partial sums grow like the square root of
//! their number, and so does the error of them all beside that of a single product. How many products an entry of a result adds up is
//! told by the price of the operation's own Jacobian.
//!
//! Of other code it is not known how it adds up. One that adds numbers of one sign one by one, as `np.sum` does along rows, has
//! partial sums that grow with their number, and the error of the sum grows like its root. Numbers that are all the same round
//! in one direction for long, and so drift farther: how far is computed, by adding them up. And what computes in 16 bits
//! adds up in 32. [`Sums`] is what is supposed of it.

use std::collections::HashMap;

use pullback_array::{Array, Precision};
use pullback_ops::{Op, Origin, Result, Stored, Val};

use crate::exact::DIGITS;
use crate::graph::ancestors_of;
use crate::limits::{OF_ONE, SAFETY, STORED};

/// The relative sizes of perturbations of what bends nowhere within rounding, both far above double precision's 2⁻⁵².
const COARSE: f64 = 1.0 / (1u64 << 40) as f64;
const FINE: f64 = 1.0 / (1u64 << 46) as f64;

/// How often a result is perturbed by each size, each time at random. Of a gradient of thousands of entries there is one that
/// four perturbations hardly move by chance; eight do.
pub(super) const SAMPLES: u64 = 4;

/// The same for other code, all of whose entries together are judged too.
const SAMPLES_OF_OTHERS: u64 = 8;

/// The same for other code that computes in 16 bits, of which a mistake may be no more than a few roundings.
const SAMPLES_OF_16_BITS: u64 = 32;

/// A sum has as many products at the least: of one there is nothing to add.
const LEAST_SUM: f64 = 2.0;

/// The error of n random numbers of one sign that are added one by one is √n/3 times half a machine epsilon of their sum, as a
/// deviation: their partial sums are k/n of it, each rounded at random, and Σ(k/n)² is n/3. A perturbation of √n/3 epsilons
/// at the most has that deviation and a seventh more. NumPy's sums of 200 to 100,000 rows of uniform numbers in f32 are off by
/// less than √n/3 epsilons.
const IN_SEQUENCE: f64 = 1.0 / 3.0;

/// Sums of fewer products may run in the format of 16 bits that they are stored in: so PyTorch's LayerNorm adds up the gradient of
/// its bias on a CPU, row by row, off by 4 epsilons beside the root of the sum of squares for 64 rows. Longer ones run in 32.
const SHORT_SUM: f64 = 64.0;

/// A number that is so many times nearer to one of a format than any can be from all of them is rounded by less than the worst. Of others
/// hardly one in so many is as near by chance, and what it is computed from moves it away from there.
const NEAR: f64 = 64.0;

/// Sums of one number again and again are added up to find out how far they drift, as long as that takes fewer additions.
const MOST_ADDED: f64 = (1u64 << 27) as f64;

/// What is computed is no sample: of the factors that a judgement puts before it, this leaves twice a drift.
const KNOWN: f64 = 2.0 / SAFETY;

/// How the squares of numbers tell that all are the same: the sum of n squares is the square of the sum over n, within this.
const ALL_THE_SAME: f64 = 1e-9;

/// What is known of a sum of other code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// It is part of a function that is computed as a whole.
    Inside,
    /// It adds up given numbers, and is all there is.
    OfGiven,
    /// Its products are computed and stored before, or may be: a broadcast product whose axes are summed over is, and several contractions
    /// can be done in another order.
    OfComputed,
}

/// How results round, and sums beside all else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// The format in which results are stored: what it holds is given to the code exactly.
    pub(super) stored: Precision,
    /// The format in which sums run.
    runs: Precision,
    /// May they run one by one?
    pub(super) in_sequence: bool,
    /// May what is computed as a whole be put together of pieces, each of them stored?
    in_pieces: bool,
    /// Is everything stored, and lost where it is too large for that?
    stores_all: bool,
    /// How often each size of perturbations is drawn.
    pub(super) samples: u64,
    /// Which of these are drawn.
    pub(super) drawn: [u64; 2],
}

impl Sums {
    /// Those of this program, in the precision of all else.
    pub(crate) const OWN: Sums = Sums::own(Precision::F64);

    /// Those of a program of the language in some precision.
    pub(crate) const fn own(precision: Precision) -> Sums {
        let drawn = [0, SAMPLES];
        Sums {
            stored: precision,
            runs: precision,
            in_sequence: false,
            in_pieces: false,
            stores_all: false,
            samples: SAMPLES,
            drawn,
        }
    }

    /// Those of other code that runs them in one format and stores them in another.
    pub(crate) fn of(stored: Precision, runs: Precision) -> Sums {
        let samples = if stored.is_of_16_bits() { SAMPLES_OF_16_BITS } else { SAMPLES_OF_OTHERS };
        Sums {
            stored,
            runs,
            in_sequence: true,
            in_pieces: false,
            stores_all: false,
            samples,
            drawn: [0, samples],
        }
    }

    /// The same, where PyTorch's logsumexp is that of a CPU: the largest, and the logarithm of a sum of exponentials, each stored.
    pub(crate) fn in_pieces(self) -> Sums {
        Sums { in_pieces: true, ..self.storing_all() }
    }

    /// The same, where everything that is computed is stored.
    pub(crate) fn storing_all(self) -> Sums {
        Sums { stores_all: true, ..self }
    }

    /// The same in parts, the first of which draws so often, and each other one as often as all before, numbers that are the same alike and
    /// not. The largest of few samples is less than that of many, so what agrees within some parts agrees.
    pub(crate) fn parts(self, first: u64) -> impl Iterator<Item = Sums> {
        let ends = std::iter::successors(Some([0, first]), |[_, end]| Some([*end, 2 * end]));
        ends.take_while(move |[first, _]| *first < self.samples).map(move |drawn| Sums { drawn, ..self })
    }

    /// The sizes of perturbations, the larger one first: of 16 bits that is one of which [`OF_ONE`] times is what rounding does there,
    /// since a function may bend within that. What is perturbed least is to move by more than double precision rounds.
    pub(super) fn sizes(self) -> [f64; 2] {
        let coarse = match self.in_sequence && self.stored.is_of_16_bits() {
            true => STORED * 0.5 * self.stored.epsilon() / OF_ONE,
            false => COARSE,
        };
        [coarse, FINE].map(|size| size / self.stores().0)
    }

    /// Is what they are perturbed by, in units of their epsilon, no less than what sums of this program are by?
    pub(crate) fn covers_own(self) -> bool {
        self.in_sequence && self.stored == self.runs
    }

    /// The machine epsilon of the format in which they run, in units of that in which results are stored.
    pub(super) fn fineness(self) -> f64 {
        match (self.stored, self.runs) {
            (stored, runs) if stored == runs => 1.0,
            // Operands are rounded once, by half an epsilon; f32 rounds inside, by a whole one.
            (Precision::TF32, runs) => 2.0 * runs.epsilon() / Precision::TF32.epsilon(),
            (stored, runs) => runs.epsilon() / stored.epsilon(),
        }
    }

    /// How coarsely results are stored, and how coarsely operands of products are rounded before these are added up.
    pub(super) fn stores(self) -> (f64, f64) {
        if self.stored == Precision::TF32 { (self.fineness(), 1.0) } else { (1.0, 0.0) }
    }

    /// Is the result of an operation of other code kept as it runs, and never stored?
    pub(super) fn keeps(self, op: &dyn Op) -> bool {
        self.in_sequence && self.stored.is_of_16_bits() && op.stored() == Stored::Nothing
    }

    /// How much the operands of a sum of n products are perturbed, and its result, beside being stored.
    pub(super) fn perturbations(self, products: f64, is: Sum) -> (f64, f64) {
        let is_whole = is == Sum::Inside && !self.in_pieces;
        let is_short = self.stored.is_of_16_bits() && !is_whole && products < SHORT_SUM;
        let finer = if is_short { 1.0 } else { self.fineness() };
        let root = products.sqrt() * finer;
        // One by one, the partial sums of n random numbers are n/2 times the square of one in the mean, and each is rounded.
        let root = if self.in_sequence { root / 2f64.sqrt() } else { root };
        let operands = if is == Sum::OfComputed { root.max(self.stores().0) } else { root };
        (operands, if self.in_sequence { IN_SEQUENCE * products.sqrt() * finer } else { 0.0 })
    }

    /// What share of the worst that storing a number does to it. In 16 bits that is half of its last digit, which of a number is the less the
    /// nearer it is to the next power of two; and where other code has the same number before it stores it, `known`, nothing is done to one
    /// that already is of the format, and little to what all but is one, as a hyperbolic tangent of 10. Results of all else are computed
    /// in the format that they are stored in, and off by a digit however near they are.
    pub(super) fn rounds(self, number: f64, known: bool) -> f64 {
        if !self.stored.is_of_16_bits() {
            return 1.0;
        }
        // The number between 1 and 2 that has its digits.
        let half_a_digit = f64::from_bits(1f64.to_bits() | (number.to_bits() & DIGITS)).recip();
        if !known {
            return half_a_digit;
        }
        let lacking = (self.stored.epsilon() / f64::EPSILON) as u64;
        let behind = number.to_bits() & (lacking - 1);
        let distance = behind.min(lacking - behind) as f64 / (lacking / 2) as f64;
        (NEAR * distance).min(1.0) * half_a_digit
    }

    /// What becomes of a stored number that is too small for the format, as a share of it and in units of its epsilon.
    pub(super) fn underflow(self, number: f64) -> f64 {
        let (least, size) = (self.stored.underflow(), number.abs());
        // Half precision loses digits before it loses numbers; where others lose them all is taken for zero.
        let reach = if self.stored == Precision::F16 { least / self.stored.epsilon() } else { least };
        if size == 0.0 || size >= reach { 0.0 } else { (least / size).min(1.0) / self.stored.epsilon() }
    }

    /// Is a number too large to be stored, where everything is? What masks, −∞, is stored as it is.
    pub(super) fn overflows(self, number: f64) -> bool {
        self.stores_all && number.is_finite() && number.abs() > self.stored.largest()
    }

    /// How far n times a number is off where it is added up one by one, relative to it and in units of the epsilon of what is
    /// stored.
    fn drift(self, number: f64, products: f64) -> f64 {
        let count = products.round();
        let (mut single, mut double) = (0.0f32, 0.0f64);
        for _ in 0..count as u64 {
            single += number as f32;
            double += number;
        }
        let off = match self.runs {
            Precision::F64 => (double / (count * number) - 1.0).abs() / f64::EPSILON,
            _ => {
                (f64::from(single) / (count * f64::from(number as f32)) - 1.0).abs() / f64::from(f32::EPSILON)
            }
        };
        if off.is_finite() { off * self.fineness() } else { 0.0 }
    }
}

/// How far an operation's sums drift at the most, of those that add up one number again and again; `None` where none does.
pub(super) fn drift(
    op: &dyn Op,
    inputs: &[&Array],
    results: &[Array],
    products: f64,
    sums: Sums,
) -> Option<f64> {
    let square = |array: &&Array| array.map(|x| x * x, |x| x * x).ok();
    let squares: Vec<Array> = inputs.iter().map(square).collect::<Option<_>>()?;
    let of_squares = op.forward(&squares.iter().collect::<Vec<_>>()).ok()?;
    let is_same =
        |sum: f64, squares: f64| sum != 0.0 && (sum * sum / (products * squares) - 1.0).abs() < ALL_THE_SAME;
    let mut numbers: Vec<f64> = Vec::new();
    for (result, squares) in results.iter().zip(&of_squares) {
        let (sums, squares) = (result.as_f64(), squares.as_f64());
        let same = sums.iter().zip(&*squares).filter(|(sum, squares)| is_same(**sum, **squares));
        numbers.extend(same.map(|(sum, _)| (sum / products).abs()));
    }
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    if numbers.is_empty() || numbers.len() as f64 * products > MOST_ADDED {
        return None;
    }
    let largest = numbers.into_iter().map(|number| sums.drift(number, products)).fold(0.0, f64::max);
    Some(KNOWN * largest)
}

/// The applications that values depend on whose entries are sums, with the number of products in each.
pub(super) fn sums(values: &[&Val]) -> Result<HashMap<u64, f64>> {
    let mut found: HashMap<u64, f64> = HashMap::new();
    for value in ancestors_of(values) {
        if let Some(products) = products(&value)? {
            let known = found.entry(value.order()).or_insert(products);
            *known = known.max(products);
        }
    }
    Ok(found)
}

/// How many products an entry of a value adds up. `None`: it is no sum, or rounds as the operations do that it runs.
pub(super) fn products(value: &Val) -> Result<Option<f64>> {
    if matches!(value.origin(), Origin::Call(op, _) if op.inner_work() > 0.0) {
        return Ok(None);
    }
    let entries: f64 = value.shape().iter().map(|&size| size as f64).product();
    let mut most: Option<f64> = None;
    for (k, input) in value.inputs().iter().enumerate() {
        // An operation cannot add up more products by one input than that one has entries.
        if entries == 0.0 || (input.shape().iter().product::<usize>() as f64) < LEAST_SUM {
            continue;
        }
        let products = value.jacobian(k)?.jvp_flops() / entries;
        if products >= LEAST_SUM && products.is_finite() {
            most = Some(most.map_or(products, |most| most.max(products)));
        }
    }
    Ok(most)
}
