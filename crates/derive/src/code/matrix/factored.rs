//! Sums of chains as they are written: like terms as one, what terms have in common at an end once, and solutions for inverses that are
//! applied.

use pullback_lang::{BinaryOp, Expr, Span, make};

use super::chain::{Chain, Factor, factor_expr};
use super::known::{Known, OUTER, SOLVE};
use crate::code::node::{over, times};

/// The sum of some chains; `None` where one has no words.
pub(super) fn written(chains: Vec<Chain>, known: &Known) -> Option<Expr> {
    let mut terms: Vec<Chain> = Vec::new();
    for chain in chains {
        if chain.factors.is_empty() {
            return None;
        }
        let like =
            terms.iter_mut().find(|other| other.factors == chain.factors && other.front() == chain.front());
        match like {
            Some(like) => like.number += chain.number,
            None => terms.push(chain),
        }
    }
    terms.retain(|term| term.number != 0.0);
    if terms.is_empty() {
        return None;
    }
    collect(terms, known)
}

/// Writes a sum, with what most of its terms have in common at one end taken out.
fn collect(terms: Vec<Chain>, known: &Known) -> Option<Expr> {
    if terms.len() > 1 {
        let front = terms[0].front();
        let size = terms[0].number.abs();
        let negative = terms.iter().all(|term| term.number < 0.0);
        let is_common = terms.iter().all(|term| term.front() == front && term.number.abs() == size);
        if is_common && (size != 1.0 || negative || !front.is_empty()) {
            // What all are multiplied by stands in front of them.
            let bare: Vec<Chain> = terms
                .iter()
                .map(|term| Chain {
                    number: if negative { 1.0 } else { term.number.signum() },
                    scalars: Vec::new(),
                    divisors: Vec::new(),
                    factors: term.factors.clone(),
                })
                .collect();
            let inner = collect(bare, known)?;
            let number = if negative { -size } else { size };
            return in_front(&Chain { number, ..terms[0].clone() }, inner);
        }
        if let Some(expr) = with_common_end(&terms, known) {
            return Some(expr);
        }
    }
    let mut terms = terms;
    // A sum begins with what has no sign.
    terms.sort_by_key(|term| term.number < 0.0);
    let mut total: Option<Expr> = None;
    for term in &terms {
        let body = product(&term.factors)?;
        let (negative, positive) = (term.number < 0.0, Chain { number: term.number.abs(), ..term.clone() });
        let part = in_front(&positive, body)?;
        let at = Span::default();
        total = Some(match (total, negative) {
            (None, false) => part,
            (None, true) => minus(&part),
            (Some(before), true) => make::binary(at, BinaryOp::Sub, before, part),
            (Some(before), false) => make::binary(at, BinaryOp::Add, before, part),
        });
    }
    total
}

/// The largest group of terms that begin or end with the same factors, collected.
fn with_common_end(terms: &[Chain], known: &Known) -> Option<Expr> {
    let mut best: Option<(usize, Vec<usize>, usize, bool)> = None;
    for from_left in [true, false] {
        for (place, first) in terms.iter().enumerate() {
            for length in (1..first.factors.len()).rev() {
                let end = |term: &Chain| -> Option<Vec<Factor>> {
                    let count = term.factors.len();
                    // Something has to be left of each.
                    (count > length).then(|| match from_left {
                        true => term.factors[..length].to_vec(),
                        false => term.factors[count - length..].to_vec(),
                    })
                };
                let Some(own) = end(first) else { continue };
                let same: Vec<usize> = (place..terms.len())
                    .filter(|&at| {
                        terms[at].front() == first.front() && end(&terms[at]).as_ref() == Some(&own)
                    })
                    .collect();
                let saved = (same.len() - 1) * length;
                let fits = same.len() > 1 && is_cut_well(&own, from_left);
                if fits && best.as_ref().is_none_or(|(most, ..)| saved > *most) {
                    best = Some((saved, same, length, from_left));
                }
            }
        }
    }
    let (_, same, length, from_left) = best?;
    let size = terms[same[0]].number.abs();
    let equal = same.iter().all(|&at| terms[at].number.abs() == size);
    let rest = |term: &Chain| {
        let count = term.factors.len();
        let factors =
            if from_left { term.factors[length..].to_vec() } else { term.factors[..count - length].to_vec() };
        let number = if equal { term.number / size } else { term.number };
        Chain { number, scalars: Vec::new(), divisors: Vec::new(), factors }
    };
    // What is subtracted throughout is subtracted as a whole.
    let negative = same.iter().all(|&at| terms[at].number < 0.0);
    let rest = |term: &Chain| {
        let bare = rest(term);
        Chain { number: if negative { -bare.number } else { bare.number }, ..bare }
    };
    let first = &terms[same[0]];
    let rows = is_row(&rest(first).factors);
    let turned = |chain: Chain| if rows { chain.transposed() } else { chain };
    let inner = collect(same.iter().map(|&at| turned(rest(&terms[at]))).collect(), known)?;
    let count = first.factors.len();
    let common = if from_left { &first.factors[..length] } else { &first.factors[count - length..] };
    let is_vector = known.rank(&inner) == Some(1);
    let folded = Factor { expr: inner, transposed: rows, inverted: false, vector: is_vector };
    let factors: Vec<Factor> = match from_left {
        true => common.iter().cloned().chain([folded]).collect(),
        false => std::iter::once(folded).chain(common.iter().cloned()).collect(),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    let whole = Chain { number: sign * if equal { size } else { 1.0 }, factors, ..first.clone() };
    let others = (0..terms.len()).filter(|at| !same.contains(at)).map(|at| terms[at].clone());
    collect(std::iter::once(whole).chain(others).collect(), known)
}

/// Is the cut between two matrices, before a column that ends the chain, or between a column and a row?
fn is_cut_well(common: &[Factor], from_left: bool) -> bool {
    match (common, from_left) {
        ([.., last], true) => !last.vector || !last.transposed,
        ([first, rest @ ..], false) => !first.vector || first.transposed || rest.is_empty(),
        ([], _) => false,
    }
}

/// Does what is left begin with a row, so that it is a row as a whole?
fn is_row(factors: &[Factor]) -> bool {
    factors.first().is_some_and(|factor| factor.vector && factor.transposed)
}

/// A chain without its number.
fn product(factors: &[Factor]) -> Option<Expr> {
    let at = Span::default();
    // A column before a row is an outer product.
    if let Some(cut) = factors
        .windows(2)
        .position(|two| two[0].vector && !two[0].transposed && two[1].vector && two[1].transposed)
    {
        let (left, right) = factors.split_at(cut + 1);
        let turned: Vec<Factor> = right
            .iter()
            .rev()
            .map(|factor| Factor { transposed: !factor.transposed, ..factor.clone() })
            .collect();
        return Some(make::call(at, OUTER, vec![product(left)?, product(&turned)?], Vec::new()));
    }
    // An inverse that is applied is the solution of a system.
    if let [first, rest @ ..] = factors
        && first.inverted
        && !rest.is_empty()
    {
        let matrix = if first.transposed { make::untransposed(&first.expr) } else { first.expr.clone() };
        return Some(make::call(at, SOLVE, vec![matrix, product(rest)?], Vec::new()));
    }
    let (last, before) = factors.split_last()?;
    if last.vector && last.transposed {
        return None;
    }
    let last = factor_expr(last);
    if before.is_empty() {
        return Some(last);
    }
    if before.iter().any(|factor| factor.vector) {
        return None;
    }
    let inverted = before.iter().position(|factor| factor.inverted);
    if let Some(place) = inverted {
        let right = product(&factors[place..])?;
        let left: Vec<Expr> = before[..place].iter().map(factor_expr).collect();
        let left = left.into_iter().reduce(|a, b| make::binary(at, BinaryOp::MatMul, a, b))?;
        return Some(make::binary(at, BinaryOp::MatMul, left, right));
    }
    let all = before.iter().map(factor_expr).chain([last]);
    all.reduce(|a, b| make::binary(at, BinaryOp::MatMul, a, b))
}

/// A body with the number and the scalars of a chain in front, and its divisors behind.
fn in_front(chain: &Chain, body: Expr) -> Option<Expr> {
    let at = Span::default();
    let mut above = make::integer(at, 1);
    let mut below = make::integer(at, 1);
    let number = chain.number;
    let inverse = number.recip();
    if number.abs() < 1.0 && (inverse - inverse.round()).abs() < 1e-12 && inverse.abs() < 1e9 {
        below = times(below, make::number(at, inverse.round().abs()));
        if number < 0.0 {
            return Some(minus(&in_front(&Chain { number: -number, ..chain.clone() }, body)?));
        }
    } else if number < 0.0 {
        return Some(minus(&in_front(&Chain { number: -number, ..chain.clone() }, body)?));
    } else {
        above = times(above, make::number(at, number));
    }
    for scalar in &chain.scalars {
        above = times(above, scalar.clone());
    }
    for divisor in &chain.divisors {
        below = times(below, divisor.clone());
    }
    Some(over(leading(above, &body), below))
}

/// A scalar before the first factor of a product of matrices.
fn leading(scalar: Expr, body: &Expr) -> Expr {
    match &body.kind {
        pullback_lang::ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::MatMul => {
            make::binary(body.span, operator.kind, leading(scalar, left), (**right).clone())
        }
        _ => times(scalar, body.clone()),
    }
}

/// With a minus before the first factor.
fn minus(expr: &Expr) -> Expr {
    match &expr.kind {
        pullback_lang::ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul) =>
        {
            make::binary(expr.span, operator.kind, minus(left), (**right).clone())
        }
        _ => make::negated(expr),
    }
}
