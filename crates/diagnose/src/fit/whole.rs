//! What may have been done to a gradient as a whole: it is a multiple, its axes are in another order, it is not summed over a
//! broadcast, or it is another value's gradient.

use pullback_array::Array;
use pullback_autograd::between;
use pullback_lang::program::ValueKind;
use pullback_lang::{Expr, ExprKind};
use pullback_network::Value as _;
use pullback_ops::Val;

use super::facts::{brief, said};
use super::hypotheses::{Done, SAME, gradient_of, hypotheses, others};
use super::multiple::{Fitted, Multiple, factor_words, multiple};
use crate::case::{Case, Trial};
use crate::edit::{self, call, integer, transposed};
use crate::factor::Factor;
use crate::inquiry::Inquiry;
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// How likely it may be at most that numbers are a multiple of the derivative by chance.
const CHANCE: f64 = 1e-6;

/// Are the numbers the derivative, as nearly as explanations of the whole are told apart? What is off by less is explained by none of them:
/// another gradient that has the numbers of this one is no likelier than this one.
pub(super) fn is_right_nearly(case: &Case<'_>) -> bool {
    Done::Scaled.on_all(case).is_some_and(|times| Fitted::of(&times).is_one())
}

/// The cause that one of these explains, where one does on all data.
pub(super) fn found(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
    let is_expression = case.claim.expr.is_some();
    if !is_expression
        && case.trials.iter().all(|trial| trial.claimed().is_some_and(|claimed| claimed.max_abs() == 0.0))
    {
        let words = Words::new().say("All of these numbers are zero: nothing was passed back to ");
        return vec![said(case, "missing-term", words.source(case.claim.wrt_names.join(", ")).say("."))];
    }
    let explained = |done: Done| {
        let numbers = Fitted::of(&done.on_all(case)?);
        let factors = done.factors(case, &numbers);
        let mut found: Vec<Diagnosis> = match factors.as_slice() {
            _ if numbers.is_one() => done.diagnosis(inquiry, number, case, None).into_iter().collect(),
            factors => {
                let of_factor = |factor| done.diagnosis(inquiry, number, case, Some(factor));
                factors.iter().filter_map(of_factor).collect()
            }
        };
        let is_true = |fix: &Fix| !is_expression || inquiry.is_confirmed(number, case, &fix.expr);
        found.retain(|found| found.fix.as_ref().is_none_or(is_true));
        (!found.is_empty()).then_some(found)
    };
    hypotheses(case.own()).unwrap_or_default().into_iter().find_map(explained).unwrap_or_default()
}

/// Are the numbers the derivative times a number that is no size and nothing that one writes: a loss scale? On all data it
/// has to be the same.
pub(super) fn unnamed_multiple(case: &Case<'_>) -> Option<Diagnosis> {
    // Every number is a multiple of another one, and few numbers in few digits are so by chance.
    let others = case.own().truth.tensor().len().saturating_sub(1) as f64;
    if others * case.own().close().max(SAME).ln() > CHANCE.ln() {
        return None;
    }
    let fitted = Fitted::of(&Done::Scaled.on_all(case)?);
    let times = *fitted.values.last()?;
    let close = fitted.close.max(1e-6) * times.abs();
    // Numbers that are the derivative as nearly as can be told are no multiple of it.
    if fitted.values.iter().any(|other| (other - times).abs() > close) || (times - 1.0).abs() <= close {
        return None;
    }
    let cause = if times.abs() > 1.0 { "extra-factor" } else { "missing-factor" };
    let subject = if case.claim.expr.is_some() { "What is claimed is" } else { "These numbers are" };
    let words = format!("{subject} {} times the derivative, in every entry.", brief(times, fitted.close));
    Some(said(case, cause, Words::new().say(words)))
}

/// Is it the gradient of a value between, where nothing else explains the numbers? Of one that comes before or after, an
/// operation's backward pass may have been left out, which is told first.
pub(super) fn another(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Option<Diagnosis> {
    let done = others(case.own(), &case.own().claimed()?, ValueKind::Definition);
    done.into_iter().find_map(|done| {
        let numbers = Fitted::of(&done.on_all(case)?);
        if numbers.is_one() {
            return done.diagnosis(inquiry, number, case, None);
        }
        let factors = done.factors(case, &numbers);
        done.diagnosis(inquiry, number, case, Some(factors.first()?))
    })
}

impl Done {
    /// What the numbers that it is multiplied by are called, where they tell: several names that the data do not tell apart.
    fn factors(&self, case: &Case<'_>, numbers: &Fitted) -> Vec<Factor> {
        /// Among more names than this nothing is told.
        const MOST: usize = 3;
        // Of a single number every other one is a multiple.
        if case.own().truth.tensor().len() < 2 && numbers.values.len() < 2 {
            return Vec::new();
        }
        let mut factors = numbers.factors(&case.quantities(usize::MAX));
        // On data of one size any number is some product of sizes by chance.
        factors.retain(|factor| case.resized || case.claim.expr.is_some() || factor.is_likely());
        // There a small number and a size may be equal.
        if !case.resized && matches!(self, Done::Scaled) {
            let plain = numbers.factors(&[]).into_iter().filter(|plain| plain.is_usual());
            let plain: Vec<Factor> = plain.filter(|plain| !factors.contains(plain)).collect();
            factors.extend(plain);
        }
        if factors.len() > MOST { Vec::new() } else { factors }
    }

    /// The numbers that it is multiplied by, on all data.
    fn on_all(&self, case: &Case<'_>) -> Option<Vec<Multiple>> {
        case.trials.iter().map(|trial| self.times(trial)).collect()
    }

    /// The number that what the hypothesis makes of the derivative has to be multiplied by to be the claim.
    fn times(&self, trial: &Trial<'_>) -> Option<Multiple> {
        let claimed = trial.claimed()?;
        let truth = trial.truth.tensor();
        let (is, meant) = match self {
            Done::Scaled => (trial.truth.tensor_of(&claimed, trial.layout())?, truth.clone()),
            Done::Permuted(p) => (claimed, truth.permute(p).ok()?),
            Done::Reordered => {
                let back: Vec<usize> = (0..truth.ndim()).rev().collect();
                (
                    claimed.reshape(&[truth.len()]).ok()?,
                    truth.permute(&back).ok()?.reshape(&[truth.len()]).ok()?,
                )
            }
            Done::Reshaped => (claimed.reshape(truth.shape()).ok()?, truth.clone()),
            Done::Unsummed(axes) => {
                (claimed.sum(axes, false).ok()?.reshape(truth.shape()).ok()?, truth.clone())
            }
            Done::Contracted => {
                let axes: Vec<usize> = (0..trial.truth.sides().0.len()).collect();
                (claimed, truth.sum(&axes, false).ok()?)
            }
            Done::Summed => {
                let axes: Vec<usize> = (0..truth.ndim()).collect();
                (claimed.reshape(&[]).ok()?, truth.sum(&axes, false).ok()?)
            }
            Done::Diagonal(a, b) => {
                let order = (0..claimed.ndim()).filter(|axis| axis != a && axis != b).chain([*a, *b]);
                let order: Vec<usize> = order.collect();
                let length = claimed.shape()[*a];
                let last = claimed.permute(&order).ok()?.to_vec_f64();
                // One row after another of the two axes: its diagonal entries are a row and one entry apart.
                let entries = last.chunks(length * length).flat_map(|rows| rows.iter().step_by(length + 1));
                let shape: Vec<usize> =
                    order[..order.len() - 1].iter().map(|&axis| claimed.shape()[axis]).collect();
                let diagonal = Array::from_vec(&shape, entries.copied().collect()).ok()?;
                let kept: Vec<usize> =
                    order[..order.len() - 1].iter().map(|&axis| axis - usize::from(axis > *b)).collect();
                (diagonal.permute(&inverse(&kept)).ok()?, truth.clone())
            }
            Done::Across(name, wrong, _) => {
                let gradient = gradient_of(trial.program, &trial.claim().of_name, trial, name)?;
                let sum = gradient.sum(wrong, false).ok()?;
                // The rows of a softmax's gradient add up to nothing, and what is claimed then is the rounding of that.
                let most = SAME * gradient.max_abs();
                if claimed.shape() == sum.shape() && claimed.max_abs().max(sum.max_abs()) <= most {
                    return Some(Multiple::once(trial.close()));
                }
                (claimed, sum)
            }
            Done::Other(name, across) => {
                let gradient = gradient_of(trial.program, &trial.claim().of_name, trial, name)?;
                let turned = if *across { gradient.permute(&[1, 0]).ok()? } else { gradient };
                (claimed, turned)
            }
        };
        multiple(&is, &meant, trial.close())
    }

    fn diagnosis(
        &self,
        inquiry: &Inquiry<'_>,
        number: usize,
        case: &Case<'_>,
        factor: Option<&Factor>,
    ) -> Option<Diagnosis> {
        let claim = &inquiry.exact.claims[number];
        let base = match &claim.expr {
            Some(expr) => expr.clone(),
            None => edit::reference(claim.expr_span, &claim.of_name, claim.wrt_names.first()?),
        };
        let at = base.span;
        let (cause, words, unscaled) = match self {
            Done::Scaled => {
                let (cause, words) = factor_words(case, factor?)?;
                (cause, Words::new().say("The whole gradient: ").then(words), base)
            }
            Done::Permuted(p) => {
                let back = inverse(p);
                let right = match p.as_slice() {
                    [1, 0] => transposed(&base),
                    _ => {
                        let axes = back.iter().map(|&axis| integer(at, axis)).collect();
                        let list = Expr::new(at, ExprKind::List(axes));
                        call(at, "permute", vec![base, list], Vec::new())
                    }
                };
                let words = Words::new()
                    .say("These are the right numbers with the axes in another order: ")
                    .expr(&right);
                ("transposed-factor", words.say(" is the derivative."), right)
            }
            Done::Reordered => {
                let shape = edit::shape(at, claim.wrt[0].dims());
                let column = edit::name(at, "col");
                let right = call(at, "unvec", vec![base, shape, column], Vec::new());
                let words = Words::new().say(
                    "These are the right numbers, laid out by columns where rows are meant, or the reverse.",
                );
                ("vec-layout", words, right)
            }
            Done::Reshaped => {
                let dims: Vec<_> = claim.of.dims().iter().chain(claim.wrt[0].dims()).copied().collect();
                let right = call(at, "reshape", vec![base, edit::shape(at, &dims)], Vec::new());
                let words = Words::new()
                    .say("These are the right numbers in another shape: the derivative has ")
                    .shape(&dims);
                ("vec-layout", words.say("."), right)
            }
            Done::Unsummed(axes) => {
                let list: Vec<Expr> = axes.iter().map(|&axis| integer(at, axis)).collect();
                let axis = match list.as_slice() {
                    [one] => one.clone(),
                    _ => Expr::new(at, ExprKind::List(list)),
                };
                let kept = claim.wrt[0].ndim() == case.own().claimed()?.ndim();
                let mut keywords = vec![("axis", axis)];
                if kept {
                    keywords.push(("keepdims", Expr::new(at, ExprKind::Bool(true))));
                }
                let right = call(at, "sum", vec![base], keywords);
                let words = Words::new()
                    .say("These numbers have axes over which the gradient of ")
                    .source(claim.wrt_names.first()?.clone())
                    .say(" is a sum: ")
                    .expr(&right)
                    .say(".");
                // Of a value that is not broadcast, they are those of a product with a matrix, entry by entry.
                let last = case.own().claimed()?.ndim() - 1;
                let is_product = axes[..] == [last] && !kept && !is_broadcast(case);
                (if is_product { "elementwise-for-product" } else { "missing-sum" }, words, right)
            }
            Done::Across(name, wrong, right) => {
                let gradient = edit::reference(at, &claim.of_name, name);
                let over = |axes: &[usize]| match axes {
                    [axis] => format!("axis {axis}"),
                    axes => {
                        format!("axes {}", axes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
                    }
                };
                let words = Words::new().say("These are the numbers of ").expr(&gradient);
                let words = words.say(format!(
                    " summed over {}; the derivative is the sum over {}.",
                    over(wrong),
                    over(right)
                ));
                return factor.is_none().then(|| said(case, "wrong-axis", words));
            }
            Done::Diagonal(..) | Done::Contracted | Done::Summed => {
                let (cause, words) = match self {
                    Done::Diagonal(..) => (
                        "product-for-elementwise",
                        "These numbers have an axis too many, and the derivative on their diagonal: an outer product stands where \
                         one entry by entry belongs.",
                    ),
                    Done::Contracted => (
                        "vjp-for-jacobian",
                        "These are the numbers of the Jacobian contracted with ones, a vector–Jacobian product: the Jacobian \
                         keeps the axes of what is differentiated.",
                    ),
                    _ => (
                        "product-for-elementwise",
                        "This is the sum of the entries of the derivative: a product that sums stands where one entry by \
                         entry belongs.",
                    ),
                };
                return factor.is_none().then(|| Diagnosis {
                    cause,
                    explanation: Words::new().say(words),
                    span: claim.expr_span,
                    label: Words::new().say("these numbers are wrong"),
                    partner: None,
                    fix: None,
                });
            }
            Done::Other(name, across) => {
                let other = edit::reference(at, &claim.of_name, name);
                let other = if *across { transposed(&other) } else { other };
                let words = match factor {
                    // Every single number is a multiple of another one.
                    Some(_) if case.own().claimed()?.len() < 2 => return None,
                    Some(factor) => {
                        Words::new().say("These are ").expr(&factor.expr(at)).say(" times the numbers that ")
                    }
                    None => Words::new().say("These are the numbers that "),
                };
                let words = words.expr(&other).say(" should have.");
                let label = Words::new().say("this is ").expr(&other);
                return Some(Diagnosis {
                    cause: "swapped-claims",
                    explanation: words,
                    span: claim.expr_span,
                    label,
                    partner: None,
                    fix: None,
                });
            }
        };
        let words = match (factor, self) {
            (Some(factor), Done::Permuted(_) | Done::Reordered | Done::Reshaped | Done::Unsummed(_)) => {
                words.say(" Besides, they are ").expr(&factor.expr(at)).say(" times that.")
            }
            _ => words,
        };
        let right = match factor {
            Some(factor) => factor.inverse().times(&unscaled).0,
            None => unscaled,
        };
        let residual = match claim.expr {
            Some(_) => Some(inquiry.accepted(number, &right)?),
            None => None,
        };
        Some(Diagnosis {
            cause,
            explanation: words,
            span: claim.expr_span,
            label: Words::new().say("these numbers are wrong"),
            partner: None,
            fix: Some(Fix { definition: None, expr: right, residual }),
        })
    }
}

/// Is a value stretched to the shape of another one by some operation on the way from it?
fn is_broadcast(case: &Case<'_>) -> bool {
    let [x] = case.claim.wrt.as_slice() else { return false };
    let path = between(&[&case.claim.of], &[x], &[]);
    let stretches = |val: &Val, at: usize| {
        let Ok(network) = val.jacobian(at) else { return false };
        network.terms().iter().any(|term| {
            let (out, by) = term.slots.split_at(val.ndim());
            out.len() > by.len() && by.iter().all(|label| out.contains(label))
        })
    };
    path.iter().any(|val| {
        let inputs = val.inputs().iter().enumerate();
        inputs.filter(|(_, input)| input.id() == x.id()).any(|(at, _)| stretches(val, at))
    })
}

fn inverse(p: &[usize]) -> Vec<usize> {
    let mut back = vec![0; p.len()];
    p.iter().enumerate().for_each(|(k, &axis)| back[axis] = k);
    back
}
