//! The formula of a gradient where the file states none: derived from the forward pass, operation by operation, as one would
//! write it by hand. On the way the cotangents of values that have names are called by theirs, `dL/dZ @ W.T`, whether the file
//! claims anything about them or not; or else everything is put in.

use std::collections::HashMap;
use std::rc::Rc;

use pullback_autograd::{between, pullback};
use pullback_derive::{Source, gradient_code};
use pullback_lang::program::Claim;
use pullback_lang::{BinaryOp, Expr, ExprKind, Span, Statement, StatementKind, make};
use pullback_network::Value as _;
use pullback_ops::Val;

use crate::case::{Case, Trial};
use crate::edit::size;
use crate::inquiry::Inquiry;

/// A sum with more parts is not put in its name's place.
const MOST_OPENED: usize = 9;

/// How near to one the sum of probabilities is.
const ONE: f64 = 1e-12;

/// The true cotangents of named values on one set of data, as `dL/dZ`.
#[derive(Clone, Default)]
pub(super) struct Cotangents(pub Rc<HashMap<String, Val>>);

impl Cotangents {
    /// Does an expression use one of them?
    pub(super) fn are_used(&self, expr: &Expr) -> bool {
        let mut used = false;
        expr.walk(&mut |part| {
            used |= matches!(&part.kind, ExprKind::Name(name) if self.0.contains_key(name));
        });
        used
    }
}

/// The formulas of a gradient, the one first that one would begin with: by the cotangents about which something is claimed, by
/// those of all values that have names, and by none; and as reverse mode gives them, which is said of each. With them what may
/// be called by a name on each set of data.
pub(super) fn formulas(inquiry: &Inquiry<'_>, case: &Case<'_>) -> Vec<(Expr, bool, Vec<Cotangents>)> {
    let claim = case.claim;
    let [x] = claim.wrt.as_slice() else { return Vec::new() };
    let Some(names) = case.trials.iter().map(cotangents).collect::<Option<Vec<Cotangents>>>() else {
        return Vec::new();
    };
    let named = |val: &Val| {
        let name = key(&claim.of_name, val)?;
        let is_between = val.id() != x.id() && val.id() != claim.of.id();
        let is_known = names.iter().all(|names| names.0.contains_key(&name));
        (is_between && is_known).then(|| make::name(Span::default(), &name))
    };
    let claimed = |val: &Val| {
        let name = named(val)?;
        let is_claimed = |name: &str| inquiry.exact.claims.iter().any(|about| about.key == name);
        matches!(&name.kind, ExprKind::Name(name) if is_claimed(name)).then_some(name)
    };
    let by_claims = written(inquiry, claim, &claimed, false);
    let opened = by_claims.as_ref().map(|formula| with_sums_opened(inquiry, formula));
    let at_once = written(inquiry, claim, &|_| None, false);
    let opened_at_once = at_once.as_ref().map(|formula| with_sums_opened(inquiry, formula));
    let short = [by_claims, opened, written(inquiry, claim, &named, false), at_once, opened_at_once];
    // In what cancels a slip may stand too.
    let as_derived = [written(inquiry, claim, &claimed, true), written(inquiry, claim, &|_| None, true)];
    let is_one = |expr: &Expr| {
        case.trials.iter().zip(&names).all(|(trial, names)| {
            let value = trial.among(&names.0).numbers(expr);
            value.is_some_and(|value| value.to_vec_f64().iter().all(|entry| (entry - 1.0).abs() < ONE))
        })
    };
    let mut formulas: Vec<(Expr, bool, Vec<Cotangents>)> = Vec::new();
    let short = short.into_iter().flatten().map(|formula| (formula, false));
    for (formula, is_derived) in short.chain(as_derived.into_iter().flatten().map(|formula| (formula, true)))
    {
        for formula in [without_ones(&formula, &is_one), formula] {
            if formulas.iter().all(|(known, ..)| *known != formula) {
                formulas.push((formula, is_derived, names.clone()));
            }
        }
    }
    formulas
}

/// A formula without the sums that it is multiplied by and that are one: those of probabilities, as the labels of a cross-entropy are.
fn without_ones(formula: &Expr, is_one: &dyn Fn(&Expr) -> bool) -> Expr {
    let is_sum =
        |expr: &Expr| matches!(&expr.kind, ExprKind::Call { function, .. } if function.text == "sum");
    if let ExprKind::Binary { operator, left, right } = &formula.kind
        && operator.kind == BinaryOp::Mul
    {
        for (one, rest) in [(left, right), (right, left)] {
            if is_sum(one) && is_one(one) {
                return without_ones(rest, is_one);
            }
        }
    }
    let mut copy = formula.clone();
    for child in copy.children_mut() {
        *child = without_ones(child, is_one);
    }
    copy
}

/// The formulas of a gradient as one may write them in the place of a claim: by what other claims are about, where it may be built
/// upon them, and with everything put in; short, and else as reverse mode gives it, which is longer and computes less of what
/// cancels.
pub(super) fn whole<'i>(inquiry: &'i Inquiry<'_>, number: usize) -> impl Iterator<Item = Expr> + 'i {
    let claim = &inquiry.exact.claims[number];
    let by_claims = move |val: &Val| {
        let name = val.name().filter(|_| claim.wrt.iter().all(|x| x.id() != val.id()))?;
        let mut before = inquiry.exact.claims.iter().enumerate().take(number);
        let is_it = |(other, about): (usize, &Claim)| {
            let [x] = about.wrt.as_slice() else { return false };
            let is_about = about.of.id() == claim.of.id() && x.id() == val.id() && about.fixed.is_empty();
            is_about && about.expr.is_some() && inquiry.is_usable(number, other)
        };
        before.any(is_it).then(|| make::reference(Span::default(), &claim.of_name, name.as_str()))
    };
    let is_expression = claim.expr.is_some() && claim.of.ndim() == 0;
    let by_claims = move || if is_expression { written(inquiry, claim, &by_claims, false) } else { None };
    let alone =
        [false, true].into_iter().filter_map(|as_derived| written(inquiry, claim, &|_| None, as_derived));
    std::iter::once_with(by_claims).flatten().chain(alone)
}

/// The formula of a gradient by the cotangents that are called something, as if it stood at the end of the file: it may use all
/// that is bound there.
fn written(
    inquiry: &Inquiry<'_>,
    claim: &Claim,
    cotangent: &dyn Fn(&Val) -> Option<Expr>,
    as_derived: bool,
) -> Option<Expr> {
    let [x] = claim.wrt.as_slice() else { return None };
    if !claim.fixed.is_empty() {
        return None;
    }
    let sources = sources(inquiry);
    let written = |val: &Val| {
        let span = inquiry.exact.expression(val)?;
        sources.get(&(span.start, span.end)).copied().cloned()
    };
    let mut expr = gradient_code(&claim.of, x, &Source { cotangent, written: &written, as_derived })?;
    let end = inquiry.file.statements.iter().map(|statement| statement.span.end).max().unwrap_or(0);
    put(&mut expr, Span::new(end, end));
    Some(expr)
}

/// A formula with sums in the place of their names: `A @ X - B` for `R`. Of such one may forget a term.
fn with_sums_opened(inquiry: &Inquiry<'_>, formula: &Expr) -> Expr {
    let sum = |statement: &Statement| match &statement.kind {
        StatementKind::Definition(definition) => {
            let is_sum = matches!(&definition.expr.kind, ExprKind::Binary { operator, .. }
                if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub));
            (is_sum && size(&definition.expr) <= MOST_OPENED)
                .then(|| (definition.name.text.clone(), definition.expr.clone()))
        }
        _ => None,
    };
    make::substituted(formula, &inquiry.file.statements.iter().filter_map(sum).collect())
}

/// Says of an expression and all of its parts that they stand at a place.
fn put(expr: &mut Expr, at: Span) {
    expr.span = at;
    expr.children_mut().into_iter().for_each(|child| put(child, at));
}

/// What the cotangent of a value is called.
fn key(loss: &str, val: &Val) -> Option<String> {
    Some(format!("d{loss}/d{}", val.name().filter(|name| name.is_identifier())?))
}

/// The true cotangents of what has a name between the ends of a claim, and the true values of the other claims.
fn cotangents(trial: &Trial<'_>) -> Option<Cotangents> {
    let claim = trial.claim();
    let x = claim.wrt.first()?;
    let mut names = others(trial);
    if claim.of.ndim() == 0 {
        let path = between(&[&claim.of], &[x], &[]);
        let named: Vec<&Val> = path.iter().filter(|val| val.id() != x.id() && val.name().is_some()).collect();
        let found = pullback(&[(&claim.of, &claim.of.one())], &named, &[]).ok()?;
        for (val, cotangent) in named.into_iter().zip(found) {
            if let (Some(key), Some(cotangent)) = (key(&claim.of_name, val), cotangent) {
                names.insert(key, cotangent);
            }
        }
    }
    Some(Cotangents(Rc::new(names)))
}

/// The true values of the other claims about gradients of scalars.
fn others(trial: &Trial<'_>) -> HashMap<String, Val> {
    /// A loss, and what it is differentiated by, with the name of that derivative.
    type ByLoss<'v> = HashMap<u64, (&'v Val, Vec<(String, &'v Val)>)>;
    let mut by_loss: ByLoss<'_> = HashMap::new();
    let own = &trial.claim().key;
    for claim in trial.program().claims.iter().filter(|claim| claim.of.ndim() == 0 && claim.key != *own) {
        if let ([x], [name], true) =
            (claim.wrt.as_slice(), claim.wrt_names.as_slice(), claim.fixed.is_empty())
        {
            let of_loss = by_loss.entry(claim.of.id()).or_insert_with(|| (&claim.of, Vec::new()));
            of_loss.1.push((format!("d{}/d{name}", claim.of_name), x));
        }
    }
    let mut values = HashMap::new();
    for (loss, by) in by_loss.into_values() {
        let wrt: Vec<&Val> = by.iter().map(|(_, x)| *x).collect();
        let found = pullback(&[(loss, &loss.one())], &wrt, &[]).unwrap_or_default();
        let known = by.into_iter().zip(found);
        values.extend(known.filter_map(|((key, _), cotangent)| Some((key, cotangent?))));
    }
    values
}

/// The expressions of the definitions and their parts, by their places.
fn sources<'f>(inquiry: &Inquiry<'f>) -> HashMap<(usize, usize), &'f Expr> {
    let mut sources = HashMap::new();
    for statement in &inquiry.file.statements {
        if let StatementKind::Definition(definition) = &statement.kind {
            definition.expr.walk(&mut |part| {
                sources.insert((part.span.start, part.span.end), part);
            });
        }
    }
    sources
}
