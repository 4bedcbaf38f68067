//! Two mistakes at once: a slip in a right formula, and beside it something that was done to the whole. A multiple of another value
//! is added, the whole is multiplied by one, or it is transposed.
//!
//! All pairs of slips are too many to be tried. But what is done to the whole need not be guessed: with the numbers of a slipped
//! formula at hand, what is left of the claim is a multiple of a value of the program, or it is not.

use pullback_array::Array;
use pullback_lang::{BinaryOp, Expr, make};
use pullback_network::Dim;

use super::formula::{Right, turned};
use super::multiple::{Fitted, Multiple, closeness, multiple};
use super::sweep::dot;
use crate::case::{Case, Known, Trial};
use crate::edit::{binary, number, transposed};
use crate::factor::Quantity;
use crate::search::{Single, singles};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// What is added is this many times a value, or it is no slip: whole numbers, and the hundredth of a weight decay.
pub(super) const WRITTEN: [f64; 6] = [1.0, -1.0, 2.0, -2.0, 0.01, -0.01];

/// What explains fewer numbers than this explains nothing,
const FEWEST: usize = 3;

/// and each tells the less the less precise it is: so many digits have to agree in all, as a natural logarithm.
const DIGITS: f64 = 30.0;

/// What is done to the whole costs so much beside the slip.
const COST: u32 = 3;

/// So many slips of a formula are tried at most.
const MOST_SLIPS: usize = 600;

/// A value that may have come into it, on one set of data.
struct Other<'k> {
    source: &'k Expr,
    numbers: Array,
    across: bool,
}

/// What was done to the whole beside a slip.
enum Done {
    /// A value, perhaps transposed, is added so many times.
    Added {
        source: Expr,
        times: f64,
    },
    /// It is multiplied by a value, entry by entry.
    Multiplied(Expr),
    /// It is multiplied by a number.
    Scaled,
    Transposed,
}

/// A slip in a right formula with something that was done to the whole, which together give the numbers that are sought, and how
/// unlikely both are.
pub(super) fn found(case: &Case<'_>, sought: &Case<'_>, right: &Right) -> Option<(u32, Diagnosis)> {
    let first = sought.trials.first()?;
    let claimed = first.claimed()?;
    let digits = |trial: &Trial<'_>| Some(-trial.close().ln() * trial.claimed()?.len() as f64);
    let digits: f64 = sought.trials.iter().filter_map(digits).sum();
    if claimed.len() < FEWEST || digits < DIGITS {
        return None;
    }
    let others = others(sought, first, claimed.shape());
    let quantities = sought.quantities(usize::MAX);
    let whole = numbers(sought, first, &right.expr)?;
    // Of the right formula itself nothing is told but what was added: all else is told elsewhere.
    for done in Done::all(&claimed, &whole, &others, first.close()) {
        if let Done::Added { .. } = done
            && let Some(wrong) = done.whole(sought, &right.expr, &quantities)
        {
            return Some((COST, told(case, "missing-term", &wrong, wrong.clone(), right)?));
        }
    }
    let mut all = singles(sought, &right.expr);
    all.truncate(MOST_SLIPS);
    all.extend(multiplied(sought, &right.expr));
    for slip in &all {
        if sought.exhausted() {
            return None;
        }
        let Some(value) = numbers(sought, first, &slip.root) else { continue };
        // What changes nothing on this data is no slip.
        if value.is_near(&whole, first.close()) {
            continue;
        }
        for done in Done::all(&claimed, &value, &others, first.close()) {
            let Some(wrong) = done.whole(sought, &slip.root, &quantities) else { continue };
            return Some((slip.cost + COST, told(case, slip.cause, &slip.root, wrong, right)?));
        }
    }
    // The whole may be multiplied by a number, and a value added before or after that,
    for other in &others {
        if two_multiples(&claimed, &whole, &other.numbers, first.close()).is_some()
            && let Some((scaled, wrong)) = scaled_and_added(sought, right, &other.expr(), &quantities)
        {
            return Some((2 * COST, told(case, "missing-factor", &scaled, wrong, right)?));
        }
    }
    // or a value may be added before the whole is multiplied by another one.
    for by in &others {
        let Some(before) = quotient(&claimed, &by.numbers) else { continue };
        for done in Done::all(&before, &whole, &others, first.close()) {
            let Done::Added { .. } = done else { continue };
            let Some(sum) = done.applied(&right.expr) else { continue };
            let wrong = binary(right.expr.span, BinaryOp::Mul, sum.clone(), by.expr());
            if sought.fits(&wrong) {
                return Some((2 * COST, told(case, "missing-term", &sum, wrong, right)?));
            }
        }
    }
    None
}

/// The right formula multiplied by a number, and the same with a multiple of a value added, where that gives the numbers on all
/// data.
fn scaled_and_added(
    case: &Case<'_>,
    right: &Right,
    other: &Expr,
    quantities: &[Quantity],
) -> Option<(Expr, Expr)> {
    let fitted = case.trials.iter().map(|trial| {
        let (value, other) = (numbers(case, trial, &right.expr)?, numbers(case, trial, other)?);
        two_multiples(&trial.expected(value.shape())?, &value, &other, trial.close())
    });
    let fitted: Vec<(f64, f64)> = fitted.collect::<Option<_>>()?;
    let values = fitted.iter().map(|(times, _)| *times).collect();
    let factor = Fitted { values, close: closeness(case) }.named(quantities)?;
    let scaled = factor.times(&right.expr).0;
    let added = |times: f64| Done::Added { source: other.clone(), times };
    let after = written(fitted.iter().map(|(_, more)| *more));
    let before = || written(fitted.iter().map(|(times, more)| more / times));
    let wrong = match after {
        Some(times) => added(times).applied(&scaled)?,
        None => factor.times(&added(before()?).applied(&right.expr)?).0,
    };
    case.fits(&wrong).then_some((scaled, wrong))
}

/// A number of those that one writes, where it is that on all data.
fn written(mut numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let near =
        |number: f64| WRITTEN.into_iter().find(|written| (number - written).abs() <= 1e-3 * written.abs());
    let first = near(numbers.next()?)?;
    numbers.all(|number| near(number) == Some(first)).then_some(first)
}

/// How many times one value and how many times another one add up to what is claimed, where they do.
fn two_multiples(claimed: &Array, one: &Array, other: &Array, close: f64) -> Option<(f64, f64)> {
    if one.shape() != claimed.shape() || other.shape() != claimed.shape() {
        return None;
    }
    let (is, a, b) = (claimed.to_vec_f64(), one.to_vec_f64(), other.to_vec_f64());
    let (aa, ab, bb) = (dot(&a, &a), dot(&a, &b), dot(&b, &b));
    let (ia, ib) = (dot(&is, &a), dot(&is, &b));
    let determinant = aa * bb - ab * ab;
    // Two values that are nearly multiples of one another explain nothing together that one does not.
    if determinant <= 1e-6 * aa * bb {
        return None;
    }
    let (times, more) = ((ia * bb - ib * ab) / determinant, (ib * aa - ia * ab) / determinant);
    let scale = is.iter().chain(&a).fold(0.0f64, |most, entry| most.max(entry.abs()));
    let mut rest = is.iter().zip(a.iter().zip(&b)).map(|(is, (a, b))| is - times * a - more * b);
    (times != 0.0 && rest.all(|rest| rest.abs() <= close * scale)).then_some((times, more))
}

fn told(
    case: &Case<'_>,
    cause: &'static str,
    slipped: &Expr,
    wrong: Expr,
    right: &Right,
) -> Option<Diagnosis> {
    let (span, label) = (case.claim.expr_span, Words::new().say("these numbers are wrong"));
    let fix = Some(Fix { definition: None, expr: wrong, residual: None });
    let found = Diagnosis { cause, explanation: Words::new(), span, label, partner: None, fix };
    turned(case, found, slipped, right)
}

/// One array by another, entry by entry, where no entry is divided by zero.
fn quotient(a: &Array, b: &Array) -> Option<Array> {
    let (above, below) = (a.to_vec_f64(), b.to_vec_f64());
    let entries: Vec<f64> = above.iter().zip(&below).map(|(a, b)| a / b).collect();
    entries.iter().all(|entry| entry.is_finite()).then(|| Array::from_slice(a.shape(), &entries).ok())?
}

/// The numbers of an expression, where more may be computed.
fn numbers(case: &Case<'_>, trial: &Trial<'_>, expr: &Expr) -> Option<Array> {
    if case.spend() { trial.numbers(expr) } else { None }
}

/// The values that have the shape of the claim.
fn others<'k>(case: &'k Case<'_>, trial: &Trial<'_>, shape: &[usize]) -> Vec<Other<'k>> {
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let mut others = Vec::new();
    for known in &case.known {
        let Some(numbers) = trial.numbers(&known.source) else { continue };
        let source = &known.source;
        if shape.len() == 2
            && numbers.shape() == reversed
            && let Ok(turned) = numbers.permute(&[1, 0])
        {
            others.push(Other { source, numbers: turned, across: true });
        }
        if numbers.shape() == shape {
            others.push(Other { source, numbers, across: false });
        }
    }
    others
}

/// The formula multiplied by a value of its shape: as a slip, a factor too many.
fn multiplied(case: &Case<'_>, right: &Expr) -> Vec<Single> {
    let dims = case.claim.of.dims().iter().chain(case.claim.wrt.iter().flat_map(|x| x.dims()));
    let shape: Vec<usize> = dims.map(|dim| dim.size()).collect();
    let has_shape = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).eq(shape.iter().copied());
    let known = case.known.iter().filter(|known| has_shape(&known.dims));
    let single = |known: &Known| Single {
        cause: "missing-factor",
        cost: COST,
        root: binary(right.span, BinaryOp::Mul, right.clone(), known.source.clone()),
    };
    known.map(single).collect()
}

impl Done {
    /// What may have been done to a value to become the claim, as far as one set of data tells.
    fn all(claimed: &Array, value: &Array, others: &[Other<'_>], close: f64) -> Vec<Done> {
        let mut all = Vec::new();
        // What was summed one time too many is broadcast to what is added.
        let spread = value.broadcast_to(claimed.shape());
        if let Ok(value) = &spread {
            if multiple(claimed, value, close).is_some() {
                all.push(Done::Scaled);
            }
            let (is, was) = (claimed.to_vec_f64(), value.to_vec_f64());
            let scale = is.iter().chain(&was).fold(0.0f64, |most, entry| most.max(entry.abs()));
            let rest: Vec<f64> = is.iter().zip(&was).map(|(is, was)| is - was).collect();
            for other in others {
                let by = other.numbers.to_vec_f64();
                let times = dot(&rest, &by) / dot(&by, &by);
                if let Some(times) = written(std::iter::once(times))
                    && rest.iter().zip(&by).all(|(rest, by)| (rest - times * by).abs() <= close * scale)
                {
                    all.push(Done::Added { source: other.expr(), times });
                }
                let mut product = was.iter().zip(&by).map(|(was, by)| was * by);
                if is.iter().all(|is| product.next().is_some_and(|p| (is - p).abs() <= close * scale)) {
                    all.push(Done::Multiplied(other.expr()));
                }
            }
        }
        let is_turned = || value.permute(&[1, 0]).is_ok_and(|turned| turned.is_near(claimed, close));
        if value.ndim() == 2 && claimed.ndim() == 2 && is_turned() {
            all.push(Done::Transposed);
        }
        all
    }

    /// The whole with it, where that gives the numbers on all data.
    fn whole(&self, case: &Case<'_>, slipped: &Expr, quantities: &[Quantity]) -> Option<Expr> {
        let whole = match self {
            Done::Scaled if number(slipped).is_none() => {
                let of = |trial: &Trial<'_>| -> Option<Multiple> {
                    let value = numbers(case, trial, slipped)?;
                    multiple(&trial.expected(value.shape())?, &value, trial.close())
                };
                let multiples: Option<Vec<Multiple>> = case.trials.iter().map(of).collect();
                Fitted::of(&multiples?).named(quantities)?.times(slipped).0
            }
            done => done.applied(slipped)?,
        };
        case.fits(&whole).then_some(whole)
    }

    /// What it makes of an expression, where that is known without numbers.
    fn applied(&self, to: &Expr) -> Option<Expr> {
        let at = to.span;
        Some(match self {
            Done::Added { source, times } => {
                let kind = if *times < 0.0 { BinaryOp::Sub } else { BinaryOp::Add };
                let term = match times.abs() {
                    1.0 => source.clone(),
                    times => binary(at, BinaryOp::Mul, make::number(at, times), source.clone()),
                };
                binary(at, kind, to.clone(), term)
            }
            Done::Multiplied(by) => binary(at, BinaryOp::Mul, to.clone(), by.clone()),
            Done::Transposed => transposed(to),
            Done::Scaled => return None,
        })
    }
}

impl Other<'_> {
    fn expr(&self) -> Expr {
        if self.across { transposed(self.source) } else { self.source.clone() }
    }
}
