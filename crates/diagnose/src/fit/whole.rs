//! What may have been done to a gradient as a whole: it is a multiple, its axes are in another order, it is not summed over a
//! broadcast, or it is another value's gradient.

use pullback_array::Array;
use pullback_autograd::{between, pullback};
use pullback_check::{Judgement, Note};
use pullback_lang::program::{Program, ValueKind};
use pullback_lang::{Expr, ExprKind};
use pullback_network::Value as _;
use pullback_ops::Val;

use crate::case::{Case, Trial};
use crate::edit::{self, call, integer, transposed};
use crate::factor::{Factor, Quantity};
use crate::inquiry::Inquiry;
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// Sums are the same that are this near, where they are as precise as that.
const SAME: f64 = 1e-6;

/// Permutations and sums are tried on so many axes.
const MOST_AXES: usize = 5;

/// What is done to the derivative in a hypothesis: what the claim should then be, up to a number.
enum Done {
    /// Nothing but a factor.
    Scaled,
    /// Axis k of the claim is axis `p[k]` of the derivative.
    Permuted(Vec<usize>),
    /// The entries in row-major order are those of the derivative in column-major order.
    Reordered,
    /// The entries are those of the derivative, in another shape.
    Reshaped,
    /// The claim is to be summed over these axes.
    Unsummed(Vec<usize>),
    /// It is the Jacobian contracted with ones.
    Contracted,
    /// It is the sum of all entries: a product of vectors for one entry by entry.
    Summed,
    /// It has one axis more, as an outer product has: the derivative is its diagonal over these two axes.
    Diagonal(usize, usize),
    /// The gradient of another value is summed over the first axes instead of the second ones.
    Across(String, Vec<usize>, Vec<usize>),
    /// It is the gradient of another value, perhaps transposed.
    Other(String, bool),
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
        let sizes = case.quantities(usize::MAX);
        let mut found: Vec<Diagnosis> =
            done.diagnosis(inquiry, number, case, &numbers, &sizes).into_iter().collect();
        // On data of one size a number and a size may be equal: then both are told.
        let is_usual = numbers.named(&[]).is_some_and(|factor| factor.is_usual());
        if matches!(done, Done::Scaled) && !case.resized && is_usual {
            let other = done.diagnosis(inquiry, number, case, &numbers, &[]);
            found.extend(other.filter(|other| found.iter().all(|known| known.cause != other.cause)));
        }
        (!found.is_empty()).then_some(found)
    };
    hypotheses(case.own()).unwrap_or_default().into_iter().find_map(explained).unwrap_or_default()
}

/// Are the numbers the derivative times a number that is no size and nothing that one writes: a loss scale? On all data it
/// has to be the same.
pub(super) fn unnamed_multiple(case: &Case<'_>) -> Option<Diagnosis> {
    // Every number is a multiple of another one.
    if case.own().truth.tensor().len() < 2 {
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
    let words = format!("These numbers are {} times the derivative, in every entry.", brief(times));
    Some(said(case, cause, Words::new().say(words)))
}

/// What can be said of numbers whose mistake is not known: which of them are wrong, by the tolerance of each.
pub(super) fn facts(case: &Case<'_>, judgement: &Judgement) -> Option<Diagnosis> {
    let own = case.own();
    let claimed = own.truth.tensor_of(&own.claimed()?, own.layout())?;
    let truth = own.truth.tensor();
    let is = claimed.to_vec_f64();
    let wrong = &judgement.beyond;
    let is_complete = !judgement.notes.iter().any(|note| matches!(note, Note::Probes(_)));
    if !is_complete || wrong.is_empty() || wrong.len() == is.len() {
        return None;
    }
    let mut words = match wrong.len() {
        1 => format!("1 of {} entries is wrong, the others are right", is.len()),
        some => format!("{some} of {} entries are wrong, the others are right", is.len()),
    };
    let shape = truth.shape();
    for axis in 0..shape.len() {
        let inner: usize = shape[axis + 1..].iter().product();
        let at = |flat: usize| flat / inner % shape[axis];
        let first = at(wrong[0]);
        if shape[axis] > 1 && wrong.iter().all(|&flat| at(flat) == first) {
            let all = if wrong.len() == 1 { "it is" } else { "all of them are" };
            words += &format!("; {all} at index {first} of axis {axis}");
        }
    }
    if wrong.iter().all(|&flat| is[flat] == 0.0) {
        words += ", and zero there";
    }
    Some(said(case, "unknown", Words::new().say(words + ".")))
}

/// Numbers of which nothing is known but what they should be.
pub(super) fn unexplained(case: &Case<'_>) -> Diagnosis {
    said(case, "unknown", Words::new().say("No slip that is known gives these numbers."))
}

/// A number in six digits, or whole.
pub(super) fn brief(number: f64) -> String {
    let whole = number.round();
    if (number - whole).abs() <= 1e-6 * whole.abs() {
        return format!("{whole}");
    }
    let digits = format!("{number:.6}");
    digits.trim_end_matches('0').to_owned()
}

pub(super) fn said(case: &Case<'_>, cause: &'static str, explanation: Words) -> Diagnosis {
    let label = Words::new().say("these numbers are wrong");
    Diagnosis { cause, explanation, span: case.claim.expr_span, label, partner: None, fix: None }
}

/// Is it the gradient of a value between, where nothing else explains the numbers? Of one that comes before or after, an
/// operation's backward pass may have been left out, which is told first.
pub(super) fn another(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Option<Diagnosis> {
    let done = others(case.own(), &case.own().claimed()?, ValueKind::Definition);
    done.into_iter().find_map(|done| {
        let numbers = Fitted::of(&done.on_all(case)?);
        done.diagnosis(inquiry, number, case, &numbers, &case.quantities(usize::MAX))
    })
}

fn hypotheses(own: &Trial<'_>) -> Option<Vec<Done>> {
    let claimed = own.claimed()?;
    let truth = own.truth.tensor();
    let mut all = vec![Done::Scaled];
    let axes = truth.ndim();
    if (2..=MOST_AXES).contains(&axes) && claimed.ndim() == axes {
        let fits =
            |p: &Vec<usize>| p.iter().enumerate().all(|(k, &axis)| claimed.shape()[k] == truth.shape()[axis]);
        let identity: Vec<usize> = (0..axes).collect();
        all.extend(permutations(axes).into_iter().filter(|p| *p != identity && fits(p)).map(Done::Permuted));
    }
    if claimed.len() == truth.len() && claimed.shape() != truth.shape() {
        all.push(Done::Reshaped);
    }
    if claimed.len() == truth.len() && axes >= 2 {
        all.push(Done::Reordered);
    }
    if claimed.ndim() == axes + 1 && claimed.ndim() <= MOST_AXES {
        let pairs = (0..claimed.ndim()).flat_map(|a| (a + 1..claimed.ndim()).map(move |b| (a, b)));
        let is_diagonal = |&(a, b): &(usize, usize)| {
            let kept =
                claimed.shape().iter().enumerate().filter(|(axis, _)| *axis != b).map(|(_, size)| size);
            claimed.shape()[a] == claimed.shape()[b] && kept.eq(truth.shape())
        };
        all.extend(pairs.filter(is_diagonal).map(|(a, b)| Done::Diagonal(a, b)));
    }
    if claimed.ndim() >= axes && claimed.ndim() <= MOST_AXES {
        // An axis of one entry may have more at other sizes.
        let is_more = claimed.len() > truth.len() || claimed.ndim() > axes;
        let sets = (1usize..1 << claimed.ndim())
            .map(|set| (0..claimed.ndim()).filter(|k| (set >> k) & 1 == 1).collect::<Vec<usize>>());
        let sets = sets.filter(|set| {
            let shape = claimed.shape();
            let dropped: Vec<usize> =
                (0..shape.len()).filter(|k| !set.contains(k)).map(|k| shape[k]).collect();
            let kept: Vec<usize> =
                (0..shape.len()).map(|k| if set.contains(&k) { 1 } else { shape[k] }).collect();
            is_more && (dropped == truth.shape() || kept == truth.shape())
        });
        all.extend(sets.map(Done::Unsummed));
    }
    let claim = own.claim();
    if claim.of.ndim() > 0 && claim.wrt.len() == 1 && claimed.shape() == claim.wrt[0].shape() {
        all.push(Done::Contracted);
    }
    if claimed.len() == 1 && truth.len() > 1 && claim.of.ndim() == 0 {
        all.push(Done::Summed);
    }
    all.extend(across(own, &claimed).unwrap_or_default());
    all.extend(others(own, &claimed, ValueKind::Input));
    Some(all)
}

/// The gradients of what a value goes into of which the derivative is a sum over some axes, and the claim has the shape of that over
/// others.
fn across(own: &Trial<'_>, claimed: &Array) -> Option<Vec<Done>> {
    let (claim, truth) = (own.claim(), own.truth.tensor());
    let [x] = claim.wrt.as_slice() else { return None };
    if claim.of.ndim() > 0 || !claim.fixed.is_empty() || claimed.ndim() != truth.ndim() {
        return None;
    }
    let values = own.program.values.iter().filter(|value| {
        let val = &value.val;
        (2..=MOST_AXES).contains(&val.ndim()) && val.ndim() > truth.ndim() && val.order() > x.order()
    });
    let mut all = Vec::new();
    for value in values {
        let axes = value.val.ndim();
        let sets: Vec<Vec<usize>> = (1usize..1 << axes)
            .map(|set| (0..axes).filter(|k| (set >> k) & 1 == 1).collect::<Vec<usize>>())
            .filter(|set| set.len() == axes - truth.ndim())
            .collect();
        let summed = |set: &[usize]| -> Vec<usize> {
            let shape = value.val.shape();
            (0..axes).filter(|axis| !set.contains(axis)).map(|axis| shape[axis]).collect()
        };
        let wrong: Vec<&Vec<usize>> = sets.iter().filter(|set| summed(set) == claimed.shape()).collect();
        let right: Vec<&Vec<usize>> = sets.iter().filter(|set| summed(set) == truth.shape()).collect();
        if wrong.is_empty() || right.is_empty() {
            continue;
        }
        let Some(gradient) = gradient_of(own.program, &claim.of_name, own, &value.name) else { continue };
        let is_right = |set: &[usize]| {
            gradient.sum(set, false).is_ok_and(|sum| sum.is_near(truth, own.close().min(SAME)))
        };
        for right in right.into_iter().filter(|set| is_right(set)) {
            let wrong = wrong.iter().filter(|wrong| **wrong != right);
            all.extend(wrong.map(|&wrong| Done::Across(value.name.clone(), wrong.clone(), right.clone())));
        }
    }
    Some(all)
}

/// The gradients of other values of a kind that have the claim's shape, perhaps transposed.
fn others(own: &Trial<'_>, claimed: &Array, kind: ValueKind) -> Vec<Done> {
    let claim = own.claim();
    if claim.of.ndim() > 0 || claim.wrt.len() != 1 || !claim.fixed.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    let values = own.program.values.iter().filter(|value| {
        let val = &value.val;
        // The gradient of a value by itself is one.
        value.kind == kind
            && val.dtype().is_float()
            && val.id() != claim.wrt[0].id()
            && val.id() != claim.of.id()
    });
    for value in values {
        let shape = value.val.shape();
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        if shape == claimed.shape() {
            all.push(Done::Other(value.name.clone(), false));
        }
        if shape.len() == 2 && reversed == claimed.shape() {
            all.push(Done::Other(value.name.clone(), true));
        }
    }
    all
}

/// All orders of so many axes.
fn permutations(axes: usize) -> Vec<Vec<usize>> {
    (0..axes).fold(vec![Vec::new()], |all, axis| {
        let longer = |p: &Vec<usize>| {
            (0..=p.len())
                .map(|at| {
                    let mut p = p.clone();
                    p.insert(at, axis);
                    p
                })
                .collect::<Vec<_>>()
        };
        all.iter().flat_map(longer).collect()
    })
}

impl Done {
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
                    return Some(Multiple { times: 1.0, close: trial.close() });
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
        numbers: &Fitted,
        quantities: &[Quantity],
    ) -> Option<Diagnosis> {
        let claim = &inquiry.exact.claims[number];
        let is_expression = claim.expr.is_some();
        let is_one = numbers.values.iter().all(|number| (number - 1.0).abs() <= numbers.close.max(1e-6));
        let base = match &claim.expr {
            Some(expr) => expr.clone(),
            None => edit::reference(claim.expr_span, &claim.of_name, claim.wrt_names.first()?),
        };
        let at = base.span;
        // Of a single number every other one is a multiple.
        let entries = case.own().truth.tensor().len();
        if !is_one && (entries < 2 && numbers.values.len() < 2) {
            return None;
        }
        let factor = if is_one { None } else { Some(numbers.named(quantities)?) };
        // On data of one size any number is some product of sizes by chance.
        let is_likely = case.resized || factor.as_ref().is_none_or(Factor::is_likely);
        if !is_likely && !is_expression {
            return None;
        }
        let (cause, words, unscaled) = match self {
            Done::Scaled => {
                factor.as_ref()?;
                let (cause, words) = factor_words(case, numbers, quantities)?;
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
                let words = match &factor {
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
        let words = match (&factor, self) {
            (Some(factor), Done::Permuted(_) | Done::Reordered | Done::Reshaped | Done::Unsummed(_)) => {
                words.say(" Besides, they are ").expr(&factor.expr(at)).say(" times that.")
            }
            _ => words,
        };
        let right = match &factor {
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

/// The gradient of a loss by one of a program's inputs.
fn gradient_of(program: &Program, of: &str, trial: &Trial<'_>, name: &str) -> Option<Array> {
    let of = if of == trial.claim().of_name { &trial.claim().of } else { &program.find(of)?.val };
    let x = &program.find(name)?.val;
    let gradient = pullback(&[(of, &of.one())], &[x], &[]).ok()?.remove(0)?;
    gradient.array().ok().cloned()
}

/// The number that one array is times another, as it is fitted to all entries, and how far it may be off, relatively.
#[derive(Clone, Copy)]
pub(super) struct Multiple {
    times: f64,
    close: f64,
}

/// How many standard errors a fitted number may be off: those of numbers in few digits are not quite independent.
const DEVIATIONS: f64 = 6.0;

/// The number that one array is times another, in every entry.
pub(super) fn multiple(is: &Array, meant: &Array, close: f64) -> Option<Multiple> {
    if is.shape() != meant.shape() {
        return None;
    }
    let (is, meant) = (is.to_vec_f64(), meant.to_vec_f64());
    let square = super::sweep::dot(&meant, &meant);
    let times = super::sweep::dot(&is, &meant) / square;
    let largest = meant.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
    let fits =
        is.iter().zip(&meant).all(|(is, meant)| (is - times * meant).abs() <= close * largest * times.abs());
    let off: f64 = is.iter().zip(&meant).map(|(is, meant)| (is - times * meant).powi(2)).sum();
    let deviation = (off / (square * times * times)).sqrt() / (is.len() as f64).sqrt();
    let close = (DEVIATIONS * deviation).min(close);
    (times.is_finite() && times != 0.0 && fits).then_some(Multiple { times, close })
}

/// Numbers that were fitted, one for each set of data, and how far they may be off, relatively.
pub(super) struct Fitted {
    pub values: Vec<f64>,
    pub close: f64,
}

impl Fitted {
    pub(super) fn of(multiples: &[Multiple]) -> Fitted {
        let close = multiples.iter().map(|multiple| multiple.close).fold(0.0, f64::max);
        Fitted { values: multiples.iter().map(|multiple| multiple.times).collect(), close }
    }

    /// The factor that they are.
    pub(super) fn named(&self, quantities: &[Quantity]) -> Option<Factor> {
        Factor::named_within(&self.values, quantities, self.close)
    }
}

/// How far the claim may be from what it is meant to be, relatively, where it is least precise.
pub(super) fn closeness(case: &Case<'_>) -> f64 {
    case.trials.iter().map(Trial::close).fold(0.0, f64::max)
}

/// What is said of a part that is so many times what it should be, and the cause: a mean that lacks its `1/N` misses a
/// factor, a 2 in front is one too many.
pub(super) fn factor_words(
    case: &Case<'_>,
    numbers: &Fitted,
    quantities: &[Quantity],
) -> Option<(&'static str, Words)> {
    let at = case.claim.expr_span;
    let is = numbers.named(quantities)?;
    let lacking = is.inverse();
    if is.is_sign() {
        return is.negative.then(|| ("missing-factor", Words::new().say("its sign is wrong.")));
    }
    // Sizes stand below the line in a gradient, numbers above it.
    let extra = match is.is_number() {
        true => is.value().abs() > 1.0,
        false => is.has_below() && !is.has_above(),
    };
    let words = Words::new().say("it is ").expr(&is.expr(at)).say(" times what it should be: ");
    Some(if extra {
        ("extra-factor", words.expr(&is.expr(at)).say(" is a factor too many."))
    } else {
        ("missing-factor", words.say("the factor ").expr(&lacking.expr(at)).say(" is missing."))
    })
}
