//! The numbers on which a verdict depends, all of them, each with its reason.
//!
//! How routes are taken (steps, samples, budgets of work) is stated where that is done: it decides how well something is known, and
//! what is not known well enough is told so, by these.

/// How many times a measured rounding error or an estimated truncation error may be exceeded: the measurements are
/// samples, and errors of several operations may add up.
pub(crate) const SAFETY: f64 = 8.0;

/// A claim whose rounding errors may pass this share of the derivative cannot be judged by numbers.
pub(crate) const MOST_ROUNDING: f64 = 1e-3;

/// Nor can one where finite differences may be off by this share of it.
pub(crate) const MOST_TRUNCATION: f64 = 1e-2;

/// Numbers of other code have few digits, in bf16 hardly two, and are judged by those entries of which rounding leaves half at
/// least: a factor of 2, a wrong sign, or nothing in their place is seen there. Such entries must make up this share of the
/// derivative, as a sum of squares.
pub(crate) const LEAST_TOLD: f64 = 0.5;

/// How often a result may be stored where numbers of 16 bits are computed in 32: rounded once here, and once more where it is
/// handed on, scaled or added to zeros. Nothing else happens to it at its own size, so that no factor stands before this.
pub(crate) const STORED: f64 = 2.0;

/// How far a single entry may be off in 16 bits, in units of the largest of sixty-four samples. That is 2.4 deviations in the mean, and less
/// than one and a half once in 10⁴ times: an error of so many such units has a probability below 10⁻⁹, and where the samples tell little
/// below 10⁻⁴ of that 10⁻⁴.
pub(crate) const OF_ONE: f64 = 2.75;

/// How far all entries may be off together in 16 bits, in units of the largest of thirty-two samples of that, which is 2.1 deviations in the
/// mean, and less than 1.2 once in 10⁴ times. What they share are numbers that are stored, each off by half a digit at the most: of one or
/// two [`STORED`] beside this is the worst, and of many it is 5.7 deviations.
pub(crate) const OF_SHARED: f64 = OF_ONE;

/// How far all entries may be off together where that is not measured itself ([`crate::allowance::Shared`]), in units of how far rounding is
/// measured to move single ones, however many they are: roundings that all share (of a scale, a mean, a count's inverse) move all to one side, and are measured as the largest of
/// sixteen samples, which one in 2¹⁶ times is less than half of what they may be.
pub(crate) const MOST_OF_ALL: f64 = 2.0;

/// Errors of this share of what a format explains, in the mean, are of its size.
pub(crate) const OF_ITS_SIZE: f64 = 1.0 / 16.0;

/// What rounding does with a smaller chance it has not done: the deviation is systematic.
pub(crate) const LEAST_CHANCE: f64 = 1e-9;

/// Less, in units of tolerances squared, is no reason to turn a choice: an eighth of a tolerance is what rounding is measured to do.
pub(crate) const LEAST_GAIN: f64 = 1.0 / 64.0;

/// How many times a gap between the slopes must exceed what rounding makes of it.
pub(crate) const ABOVE_NOISE: f64 = 1e3;

/// Random directions. A deviation from the claim of twice a row's tolerance or more, along a direction of normally
/// distributed entries, stays below that tolerance with probability P(|z| < 1/2) = 0.383; 15 independent directions all
/// miss it with probability 0.383¹⁵ < 10⁻⁶. (A row's tolerance adds up what rounding may do to its entries.)
pub(crate) const DIRECTIONS: usize = 15;

/// Directions along which all values are moved together by which derivatives of one output are claimed (see [`crate::survey`]).
pub(crate) const DIRECTIONS_OF_ALL: usize = 3;

/// And what is off by so many tolerances along them is missed once in a million times. Differences may be off by one tolerance
/// themselves, so that what is off by less than two passes: P(|z| < 2/M) < 1.64/M, and (1.64 / 164)³.
pub(crate) const TOLERANCES_OF_ALL: f64 = 164.0;

/// What moves an output by less than this share of what another value moves it by, both by a step of their own size, is not moved
/// together with that one: of sixteen digits the differences keep ten, and these four are lost of them.
pub(crate) const LEAST_MOVED: f64 = 1e-4;

/// Sums of rows with random signs, where rows are too many to be gone through: each misses a deviation with probability 1/2 at the
/// most, and all together with less than 10⁻⁶ (see [`crate::probes`]).
pub(crate) const PROBES: usize = 20;
