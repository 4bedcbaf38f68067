//! Slips in a right formula: the numbers may be what a slip in the formula of the gradient gives, and the search for slips finds
//! it when it goes the other way, from the right expression to the wrong numbers. The right formula is the one that the file
//! states, where it states one, or else the one that is derived ([`derived`]).

use std::collections::HashMap;
use std::rc::Rc;

use pullback_autograd::between;
use pullback_check::Truth;
use pullback_lang::{BinaryOp, Expr, ExprKind, StatementKind, print};
use pullback_network::Value as _;
use pullback_ops::Val;

use super::derived::{self, Cotangents};
use super::{LEFT, beside};
use crate::case::{Case, Trial, work};
use crate::edit::size;
use crate::inquiry::Inquiry;
use crate::search::{Depth, search_costed};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// In a derived formula with more parts no slip is sought: there are too many, and what gives the numbers says little.
const MOST_PARTS: usize = 64;

/// A slip in a formula as reverse mode gives it is that much less likely than one in a formula as it would be written.
const AS_DERIVED: u32 = 2;

/// What is found, and how unlikely that is.
pub(super) type Costed = (u32, Vec<Diagnosis>);

/// A formula that the derivative has.
pub(super) struct Right {
    pub expr: Expr,
    /// Does the file state it?
    pub stated: bool,
    /// Is it as reverse mode gives it? What is found in it explains less than what is found in a shorter one.
    pub as_derived: bool,
    /// What it may be made of beside the values of the file, on each set of data.
    names: Vec<Cotangents>,
}

/// The slips in right formulas that give the numbers of a claim: of several formulas those in the one where they are likeliest,
/// since one formula lacks a term where another one has an odd one added.
pub(super) fn slips(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    rights: &[Right],
    depth: Depth,
) -> Option<Costed> {
    likeliest(inquiry, number, case, rights, false, &|backwards, right| {
        let (cost, found) = search_costed(inquiry, number, backwards, &right.expr, depth)?;
        let one = |found: Diagnosis| {
            let slipped = found.fix.as_ref()?.expr.clone();
            turned(case, found, &slipped, right)
        };
        let told: Vec<Diagnosis> = found.into_iter().filter_map(one).collect();
        (!told.is_empty()).then_some((cost, told))
    })
}

/// A slip in a right formula with something that was done to the whole beside it.
pub(super) fn slips_beside(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    rights: &[Right],
) -> Vec<Diagnosis> {
    let found = likeliest(inquiry, number, case, rights, true, &|backwards, right| {
        beside::found(case, backwards, right).map(|(cost, found)| (cost, vec![found]))
    });
    found.map_or_else(Vec::new, |(_, found)| found)
}

/// What is found by going from right formulas to the numbers of a claim, where it is likeliest.
fn likeliest(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    rights: &[Right],
    open: bool,
    found: &dyn Fn(&Case<'_>, &Right) -> Option<Costed>,
) -> Option<Costed> {
    let numbers = |trial: &Trial<'_>| {
        let claimed = trial.claimed()?;
        // Of another shape than the derivative's they are sought all the same.
        Some(trial.truth.stated(&claimed, trial.layout()).unwrap_or_else(|| Truth::of_numbers(claimed)))
    };
    let numbers = case.trials.iter().map(numbers).collect::<Option<Vec<Truth>>>()?;
    let of_one = |right: &Right| {
        if !right.stated && size(&right.expr) > MOST_PARTS {
            return None;
        }
        let work = work(&case.own().among(&right.names.last()?.0).value(&right.expr)?);
        let names: Vec<Rc<HashMap<String, Val>>> = right.names.iter().map(|names| names.0.clone()).collect();
        let mut backwards = inquiry.backwards(number, case, &numbers, &names, work);
        backwards.open = open;
        let found = found(&backwards, right);
        inquiry.spend(&backwards);
        found
    };
    let costed = |right: &Right| {
        let (cost, found) = of_one(right)?;
        Some((cost + if right.as_derived { AS_DERIVED } else { 0 }, found))
    };
    rights.iter().filter_map(costed).min_by_key(|(cost, _)| *cost)
}

/// The formulas that the derivative has on all data, the one that one would begin with first.
pub(super) fn rights(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Right> {
    if inquiry.exact.claims[number].expr.is_some() {
        return Vec::new();
    }
    let nothing = || case.trials.iter().map(|_| Cotangents::default()).collect();
    let stated = stated(inquiry, number).map(|expr| Right {
        expr: expr.clone(),
        stated: true,
        as_derived: false,
        names: nothing(),
    });
    let derived = derived::formulas(inquiry, case).into_iter();
    let derived = derived.map(|(expr, as_derived, names)| Right { expr, stated: false, as_derived, names });
    // A formula that is wrong itself says nothing of what the numbers should be.
    let is_right = |right: &Right| {
        let mut on_data = case.trials.iter().zip(&right.names);
        on_data.all(|(trial, names)| trial.among(&names.0).fits(&right.expr))
    };
    stated.into_iter().chain(derived).filter(is_right).collect()
}

/// The expression that the file claims where numbers stand in its place.
fn stated<'a>(inquiry: &Inquiry<'a>, number: usize) -> Option<&'a Expr> {
    let claim = &inquiry.exact.claims[number];
    inquiry.file.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Claim(stated) if stated.key.to_string() == claim.key => Some(&stated.expr),
        _ => None,
    })
}

/// What makes the numbers of the right formula: told as the slip from that formula to the numbers. `slipped` is the formula with that
/// slip alone.
pub(super) fn turned(case: &Case<'_>, found: Diagnosis, slipped: &Expr, right: &Right) -> Option<Diagnosis> {
    let Fix { definition, expr: wrong, .. } = found.fix?;
    if definition.is_none() && !explains_more(case, &wrong, right) {
        return None;
    }
    let Right { expr: right, stated, names, .. } = right;
    // A reference and a cotangent may be called alike: nobody would see a difference.
    if print(&wrong) == print(right) {
        return None;
    }
    let forgotten = matches!(found.cause, "extra-term") && is_share(slipped, right);
    let cause = match found.cause {
        // A sign is a factor that is missing, whichever it is.
        "missing-factor" if size(slipped) != size(right) => "extra-factor",
        "extra-factor" => "missing-factor",
        "missing-term" | "overwritten" => "extra-term",
        // What comes through one of several uses was never added.
        "extra-term" if forgotten && users(case).len() > 1 => "overwritten",
        "extra-term" => "missing-term",
        "missing-sum" if dot_products(slipped) > dot_products(right) => "product-for-elementwise",
        "missing-sum" => "wrong-axis",
        "wrong-axis" if sums(slipped) < sums(right) => "missing-sum",
        "elementwise-for-product" => "product-for-elementwise",
        "product-for-elementwise" => "elementwise-for-product",
        same => same,
    };
    let words = match &definition {
        None => Words::new().say("These are the numbers of ").expr(&wrong).say("; "),
        Some(name) => {
            let words = Words::new().say("These are the numbers that the file's formula gives with ");
            words.source(format!("{name} = {}", print(&wrong))).say("; ")
        }
    };
    let source = if *stated { ", as the file has it, is right." } else { " is the derivative." };
    // A cotangent that no claim of the file is about is nothing that a claim can refer to.
    let is_claim = names.iter().all(|names| !names.are_used(right));
    let fix = is_claim.then(|| Fix { definition: None, expr: right.clone(), residual: None });
    let (span, label) = match stated {
        true => (found.span, Words::new().say("here the numbers come from something else")),
        // Which operation's backward pass it is, the formula does not say.
        false => (case.claim.expr_span, Words::new().say("these numbers are wrong")),
    };
    Some(Diagnosis { cause, explanation: words.expr(right).say(source), span, label, partner: None, fix })
}

/// Is a wrong formula nearer to the numbers than the right one, on some data by far? Numbers that are the derivative but for a few digits
/// are what every formula of the derivative gives.
fn explains_more(case: &Case<'_>, wrong: &Expr, right: &Right) -> bool {
    let on = |(trial, names): (&Trial<'_>, &Cotangents)| {
        let trial = trial.among(&names.0);
        let claimed = trial.claimed()?;
        let rest = |expr: &Expr| {
            let is = trial.numbers(expr)?;
            if is.shape() != claimed.shape() {
                return Some(f64::INFINITY);
            }
            let (is, claimed) = (is.to_vec_f64(), claimed.to_vec_f64());
            Some(is.iter().zip(&claimed).fold(0.0f64, |most, (is, claimed)| most.max((is - claimed).abs())))
        };
        let (left, whole) = (rest(wrong)?, rest(&right.expr)?);
        Some(left <= LEFT * whole || left.is_infinite())
    };
    case.trials.iter().zip(&right.names).any(|on_trial| on(on_trial).unwrap_or(true))
}

/// The values that are computed from the one that is differentiated by.
fn users(case: &Case<'_>) -> Vec<Val> {
    let [x] = case.claim.wrt.as_slice() else { return Vec::new() };
    let mut path = between(&[&case.claim.of], &[x], &[]);
    path.retain(|val| val.inputs().iter().any(|input| input.id() == x.id()));
    path
}

/// Are the terms of a sum some of those of another?
fn is_share(part: &Expr, whole: &Expr) -> bool {
    fn terms<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
        match &expr.kind {
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Add => {
                terms(left, found);
                terms(right, found);
            }
            _ => found.push(expr),
        }
    }
    let (mut some, mut all) = (Vec::new(), Vec::new());
    terms(part, &mut some);
    terms(whole, &mut all);
    some.len() < all.len() && some.iter().all(|term| all.contains(term))
}

/// How many sums of all entries of a product it takes, as `a @ b` is of vectors.
fn dot_products(expr: &Expr) -> usize {
    let mut products = 0;
    expr.walk(&mut |part| {
        if let ExprKind::Call { function, args, kwargs } = &part.kind
            && let ([Expr { kind: ExprKind::Binary { operator, .. }, .. }], []) = (&args[..], &kwargs[..])
            && function.text == "sum"
            && matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div)
        {
            products += 1;
        }
    });
    products
}

/// How many sums and means an expression takes.
fn sums(expr: &Expr) -> usize {
    let mut sums = 0;
    expr.walk(&mut |part| {
        if let ExprKind::Call { function, .. } = &part.kind
            && matches!(function.text.as_str(), "sum" | "mean")
        {
            sums += 1;
        }
    });
    sums
}
