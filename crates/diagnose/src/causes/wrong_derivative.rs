//! The derivative of a function is another one: `sin(x)` for `cos(x)`, `1 + y^2` for `1 - y^2`, `y` for `y * (1 - y)`, `3 * x^3`
//! for `3 * x^2`.
//!
//! What stands in its place is made of the function's argument and result alone. The right form with another operand in it
//! (`1 - x^2`) is a stale operand, and a number times the right form is a matter of a factor.

use pullback_lang::{BinaryOp, Expr, ExprKind, print};

use super::Cause;
use crate::derivative::Derivative;
use crate::edit::{Edit, binary, call, integer, name, negated, number, part, replaced};
use crate::tree::{Place, substituted_parts};
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("wrong-derivative") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = other_exponent(place);
    edits.extend(square_forgotten(place));
    edits.extend(of_functions(place));
    edits.extend(neighbours(place));
    edits.extend(function_itself(place));
    edits.extend(otherwise_compared(place));
    if place.case().backwards {
        edits.extend(squashed_otherwise(place));
    }
    edits
}

/// `1 - h[t]` for `1 - h[t]^2`, in the body of a loop: there the result of the function has no name of its own that it could be known by.
fn square_forgotten(place: &Place<'_>) -> Option<Edit> {
    let less_from = matches!(place.parent, Some((Expr { kind: ExprKind::Binary { operator, left, .. }, .. }, 1))
        if operator.kind == BinaryOp::Sub && number(left) == Some(1.0));
    let is_value = matches!(place.expr.kind, ExprKind::Name(_) | ExprKind::Index { .. });
    (less_from && is_value && place.case().own().is_in_loop()).then(|| {
        let with = binary(place.expr.span, BinaryOp::Pow, place.expr.clone(), integer(place.expr.span, 2));
        let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs.");
        Edit::new(with, 2, words)
    })
}

/// `x >= 0` for `x > 0`, or `x < 0`: the mask of a kinked function, open where it is closed, or that of the other side.
fn otherwise_compared(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return Vec::new() };
    let others = BinaryOp::ORDERS.into_iter().filter(|other| *other != operator.kind);
    let edit = |other: BinaryOp| {
        let with = binary(place.expr.span, other, (**left).clone(), (**right).clone());
        let words = Words::new().source(operator.kind.symbol()).say(" stands where ");
        Edit::new(with, 1, words.source(other.symbol()).say(" belongs."))
    };
    match BinaryOp::ORDERS.contains(&operator.kind) {
        true => others.map(edit).collect(),
        false => Vec::new(),
    }
}

/// `1 - y^2` for `y * (1 - y)`, or the reverse: the derivative of the tangent for that of the logistic function. Towards what is
/// right it is sought among the functions that the forward pass applies.
fn squashed_otherwise(place: &Place<'_>) -> Option<Edit> {
    let at = place.expr.span;
    let of = |kind: BinaryOp, expr: &Expr| match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == kind => {
            Some(((**left).clone(), (**right).clone()))
        }
        _ => None,
    };
    let less_than_one = |expr: &Expr| of(BinaryOp::Sub, expr).filter(|(one, _)| number(one) == Some(1.0));
    let with = match of(BinaryOp::Mul, place.expr) {
        // `g * y * (1 - y)` is `(g * y) * (1 - y)`.
        Some((left, right)) => {
            let (one, y) = less_than_one(&right)?;
            let square = binary(at, BinaryOp::Pow, y.clone(), integer(at, 2));
            let tangent = binary(at, BinaryOp::Sub, one, square);
            match of(BinaryOp::Mul, &left) {
                _ if left == y => tangent,
                Some((rest, last)) if last == y => binary(at, BinaryOp::Mul, rest, tangent),
                _ => return None,
            }
        }
        None => {
            let (one, square) = less_than_one(place.expr)?;
            let (y, _) = of(BinaryOp::Pow, &square).filter(|(_, two)| number(two) == Some(2.0))?;
            binary(at, BinaryOp::Mul, y.clone(), binary(at, BinaryOp::Sub, one, y))
        }
    };
    let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs.");
    Some(Edit::new(with, 1, words))
}

/// `y` for `y * (1 - y)` and for `1 - y^2`, `exp(x)` for `x * exp(x)`: the derivative where the function itself belongs.
fn function_itself(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return None };
    let is_one = |expr: &Expr| number(expr) == Some(1.0);
    let with = match (operator.kind, &left.kind, &right.kind) {
        (BinaryOp::Mul, _, ExprKind::Binary { operator: inner, left: one, right: y })
            if inner.kind == BinaryOp::Sub && is_one(one) && y == left =>
        {
            left
        }
        (BinaryOp::Sub, _, ExprKind::Binary { operator: inner, left: y, right: two })
            if inner.kind == BinaryOp::Pow && is_one(left) && number(two) == Some(2.0) =>
        {
            y
        }
        (BinaryOp::Mul, _, ExprKind::Call { function, args, .. })
            if function.text == "exp" && args.first() == Some(&**left) =>
        {
            right
        }
        _ => return None,
    };
    let words =
        Words::new().expr(place.expr).say(" stands where ").expr(with).say(" belongs, the function itself.");
    Some(Edit::new((**with).clone(), 1, words))
}

/// `u^2` for `u^3`: the exponent was lowered once too often, or not at all.
fn other_exponent(place: &Place<'_>) -> Vec<Edit> {
    if matches!(&place.expr.kind, ExprKind::Name(_)) && place.divides() && !place.tree.is_number(place.expr) {
        let at = place.expr.span;
        let with = binary(at, BinaryOp::Pow, place.expr.clone(), integer(at, 2));
        let words =
            Words::new().say("The exponent is wrong: ").expr(place.expr).say(" stands where ").expr(&with);
        return vec![Edit::new(with, 1, words.say(" belongs."))];
    }
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return Vec::new() };
    let Some(exponent) = number(right).filter(|n| operator.kind == BinaryOp::Pow && n.fract() == 0.0) else {
        return Vec::new();
    };
    let at = place.expr.span;
    let others = [exponent - 1.0, exponent + 1.0].into_iter().filter(|other| (1.0..9.0).contains(other));
    let edits = others.map(|other| {
        let with = match other {
            1.0 => (**left).clone(),
            _ => binary(at, BinaryOp::Pow, (**left).clone(), integer(right.span, other as usize)),
        };
        let words =
            Words::new().say("The exponent is wrong: ").expr(place.expr).say(" stands where ").expr(&with);
        Edit::new(with, 1, words.say(" belongs."))
    });
    edits.collect()
}

/// Functions that are taken for one another's derivatives.
const FUNCTIONS: [&str; 12] =
    ["sin", "cos", "exp", "log", "sqrt", "relu", "step", "sign", "abs", "sigmoid", "tanh", "softmax"];

/// `cos(x)` for `sin(x)`, `step(x)` for `relu(x)`, and `f(x)` for `x`.
fn neighbours(place: &Place<'_>) -> Vec<Edit> {
    let (Some(sought), Some(trial)) = (place.tree.sought(), place.tree.trial()) else { return Vec::new() };
    if place.case().indices.is_some() || place.tree.is_number(place.expr) {
        return Vec::new();
    }
    let Some(above) = sought.around(&place.path) else { return Vec::new() };
    let (Some(wanted), Some(whole)) = (sought.at(above), part(&place.tree.root, above)) else {
        return Vec::new();
    };
    let at = place.expr.span;
    let (function, x) = match &place.expr.kind {
        ExprKind::Call { function, args, kwargs }
            if (kwargs.is_empty() || place.case().backwards)
                && FUNCTIONS.contains(&function.text.as_str()) =>
        {
            match args.as_slice() {
                [x] => (Some(function.text.as_str()), x),
                _ => return Vec::new(),
            }
        }
        ExprKind::Name(_) | ExprKind::Index { .. } => (None, place.expr),
        _ => return Vec::new(),
    };
    let of = |name: &str| call(at, name, vec![x.clone()], Vec::new());
    let mut candidates: Vec<Expr> =
        FUNCTIONS.iter().filter(|name| Some(**name) != function).map(|name| of(name)).collect();
    if function.is_some() {
        candidates.extend([negated(&of("sin")), negated(&of("cos"))]);
        candidates.push(binary(at, BinaryOp::Div, integer(at, 1), x.clone()));
        if function != Some("softmax") {
            candidates.push(x.clone());
        }
    }
    let fits = |with: &Expr| {
        if place.case().open {
            return Some(true);
        }
        let changed = replaced(whole, &place.path[above.len()..], with.clone());
        let numbers = trial.numbers(&place.tree.in_context(&changed))?;
        Some(numbers.shape() == wanted.shape && wanted.is(&numbers.to_vec_f64()))
    };
    // A function that is the same everywhere, as `step` of what is positive, takes the place away rather than another's.
    let varies = |with: &Expr| {
        let with = place.tree.in_context(with);
        let numbers = place.case().trials.iter().filter_map(|trial| Some(trial.numbers(&with)?.to_vec_f64()));
        let numbers: Vec<f64> = numbers.flatten().collect();
        numbers.iter().any(|number| *number != numbers[0])
    };
    let fitting = candidates.into_iter().filter(|with| fits(with) == Some(true) && varies(with));
    let edits = fitting.map(|with| {
        let words = Words::new()
            .expr(place.expr)
            .say(" stands where ")
            .expr(&with)
            .say(" belongs: the derivative of another function.");
        Edit::new(with, 3, words)
    });
    edits.collect()
}

/// The derivatives of the functions that the forward pass applies.
fn of_functions(place: &Place<'_>) -> Vec<Edit> {
    let Some(wanted) = place.tree.sought().and_then(|sought| sought.at(&place.path)) else {
        return Vec::new();
    };
    let Some(trial) = place.tree.trial() else { return Vec::new() };
    let numbers = |expr: &Expr| {
        Some(trial.numbers(&place.tree.in_context(expr))?.broadcast_to(&wanted.shape).ok()?.to_vec_f64())
    };
    let at = place.expr.span;
    let mut edits = Vec::new();
    for derivative in place.tree.derivatives() {
        let Some((kept, wrong)) = split(place.expr, &derivative) else { continue };
        // `g / x` rather than `g * (1 / x)`: that is proposed for the whole product.
        if kept.is_none() && derivative.is_reciprocal() && place.is_factor() {
            continue;
        }
        let with = derivative.times(kept.clone(), at);
        let fits = || numbers(&with).is_some_and(|with| wanted.is(&with));
        if !(place.case().open || fits()) || is_other_slip(place, &wrong, &derivative) {
            continue;
        }
        // `y` for `y * (1 - y)` lacks a factor.
        if derivative.lacks(&wrong).is_some() {
            continue;
        }
        let right = derivative.expr(at);
        let words = Words::new().say("The derivative of ").expr(&derivative.applied).say(" is ").expr(&right);
        let words = words.say(", not ").expr(&wrong).say(".");
        // It says more than that a sign in it is wrong.
        let cost = match kept {
            // Of several factors that stand for it, a slip in one alone is likelier.
            None if factors(&wrong).len() == 1 => 1,
            _ => 1 + factors(&wrong).len() as u32,
        };
        let edit = Edit::new(with.clone(), cost, words);
        edits.push(match kept {
            Some(_) if wrong.span != at => {
                edit.at(wrong.span, Words::new().expr(&right).say(" belongs here"))
            }
            _ => edit,
        });
    }
    edits
}

/// A product as what is kept of it and what stands for the derivative: the factors that are made of nothing but the
/// function's argument and result. `None` where there are none.
fn split(expr: &Expr, derivative: &Derivative) -> Option<(Option<Expr>, Expr)> {
    let is_own = |expr: &Expr| {
        let rest = substituted_parts(expr, &[&derivative.y, &derivative.x, &derivative.applied], &own(expr));
        let mut owns = false;
        let mut others = false;
        rest.walk(&mut |part| match &part.kind {
            ExprKind::Name(name) if name == OWN => owns = true,
            ExprKind::Name(_) | ExprKind::ClaimRef { .. } => others = true,
            _ => {}
        });
        owns && !others
    };
    if is_own(expr) {
        return Some((None, expr.clone()));
    }
    let mut kept: Option<Expr> = None;
    let mut wrong: Option<Expr> = None;
    let join = |whole: &mut Option<Expr>, factor: &Expr, divides: bool| {
        let kind = if divides { BinaryOp::Div } else { BinaryOp::Mul };
        *whole = match whole.take() {
            Some(whole) => Some(binary(whole.span.to(factor.span), kind, whole, factor.clone())),
            None if divides => {
                let one = Expr::new(factor.span, ExprKind::Number { value: 1.0, integer: true });
                Some(binary(factor.span, kind, one, factor.clone()))
            }
            None => Some(factor.clone()),
        };
    };
    for (factor, divides) in factors(expr) {
        join(if is_own(factor) { &mut wrong } else { &mut kept }, factor, divides);
    }
    // Of numbers alone nothing is kept: they belong to the derivative.
    match kept {
        Some(numbers) if number(&numbers).is_some() => Some((None, expr.clone())),
        kept => Some((kept, wrong?)),
    }
}

/// What stands for the argument and the result of a function, where forms are compared.
const OWN: &str = "§";

fn own(expr: &Expr) -> Expr {
    name(expr.span, OWN)
}

/// The factors of a product, and whether it is divided by them.
fn factors(expr: &Expr) -> Vec<(&Expr, bool)> {
    match &expr.kind {
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div) =>
        {
            let mut all = factors(left);
            match operator.kind {
                BinaryOp::Mul => all.extend(factors(right)),
                _ => all.push((right, true)),
            }
            all
        }
        _ => vec![(expr, false)],
    }
}

/// Is it the right form with another operand, or a number times the right form?
fn is_other_slip(place: &Place<'_>, wrong: &Expr, derivative: &Derivative) -> bool {
    let right = derivative.expr(wrong.span);
    let form = |expr: &Expr| print(&substituted_parts(expr, &[&derivative.y, &derivative.x], &own(expr)));
    if form(wrong) == form(&right) {
        return true;
    }
    // The same function along another axis is a matter of the axis.
    if let (ExprKind::Call { function: is, .. }, ExprKind::Call { function: meant, .. }) =
        (&wrong.kind, &right.kind)
        && is.text == meant.text
    {
        return true;
    }
    let ratio = binary(wrong.span, BinaryOp::Div, right, wrong.clone());
    let Some(ratio) = place.case().own().numbers(&place.tree.in_context(&ratio)) else { return false };
    let ratio = ratio.to_vec_f64();
    let constant = ratio.iter().all(|r| (r - ratio[0]).abs() <= 1e-9 * ratio[0].abs());
    let is_call = matches!(wrong.kind, ExprKind::Call { .. });
    let raises = !matches!(derivative.applied.kind, ExprKind::Call { .. });
    // `sin(x)` for `-sin(x)` is the derivative of another function; `3 * x` for `3 * x^2` lacks a factor.
    constant && !is_call || raises && !raised(wrong)
}

/// Is there a power?
fn raised(expr: &Expr) -> bool {
    let mut raised = false;
    expr.walk(&mut |part| {
        raised |= matches!(&part.kind, ExprKind::Binary { operator, .. } if operator.kind == BinaryOp::Pow);
    });
    raised
}
