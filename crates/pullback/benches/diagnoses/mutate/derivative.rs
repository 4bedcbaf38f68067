//! `wrong-derivative`: the derivative of a function misremembered.

use pullback::lang::{BinaryOp, Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{applied, binary, call, everywhere, integer, name, negated, number, parts, times};

const LABEL: &str = "wrong-derivative";

/// Functions and the formulas of their derivatives, as they are mistaken; only of functions that the program has.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let forward = site.forward_functions();
    let derived = |function: &str| forward.iter().any(|own| own == function);
    let mut all = everywhere(expr, &mut |part| {
        let changed = match applied(part) {
            Some((function, x)) => of_function(function, x, &derived),
            None => of_formula(part, &derived),
        };
        let mut slips: Vec<Slip> = changed.into_iter().map(|expr| Slip::new(LABEL, expr)).collect();
        slips.extend(of_power(part));
        slips
    });
    all.extend(whole_power(site, expr));
    all
}

/// `cos(x)` → `sin(x)`, and what else is taken for the derivative of its neighbour.
fn of_function(function: &str, x: &Expr, derived: &dyn Fn(&str) -> bool) -> Vec<Expr> {
    let of = |other: &str| call(other, vec![x.clone()]);
    match function {
        "cos" if derived("sin") => vec![of("sin"), negated(&of("sin"))],
        "sin" if derived("cos") => vec![of("cos"), negated(&of("cos"))],
        "exp" if derived("exp") => vec![x.clone(), times(x, &of("exp"))],
        "step" if derived("relu") => vec![of("relu"), of("sign"), of("sigmoid")],
        "sign" if derived("abs") => vec![of("abs"), of("step")],
        "sigmoid" => vec![of("tanh"), times(&of("sigmoid"), &complement(&of("sigmoid")))],
        "tanh" if derived("tanh") => {
            vec![of("sigmoid"), complement(&binary(BinaryOp::Pow, &of("tanh"), &integer(2)))]
        }
        "softmax" => vec![of("sigmoid"), of("exp")],
        "inv" if derived("inv") => vec![x.clone()],
        _ => Vec::new(),
    }
}

fn complement(y: &Expr) -> Expr {
    binary(BinaryOp::Sub, &integer(1), y)
}

fn of_formula(part: &Expr, derived: &dyn Fn(&str) -> bool) -> Vec<Expr> {
    let Some((operator, left, right)) = parts(part) else { return Vec::new() };
    match operator {
        // 1 − y² of tanh; 1 − y of the sigmoid.
        BinaryOp::Sub if number(left) == Some(1.0) => match squared(right) {
            Some(y) => vec![
                binary(BinaryOp::Add, left, right),
                complement(y),
                times(y, &complement(y)),
                binary(BinaryOp::Pow, &complement(y), &integer(2)),
            ],
            None => Vec::new(),
        },
        BinaryOp::Mul => match of_sigmoid(left, right) {
            Some((before, y)) => {
                let mistaken = [
                    complement(&binary(BinaryOp::Pow, y, &integer(2))),
                    times(y, &binary(BinaryOp::Add, &integer(1), y)),
                    y.clone(),
                ];
                let whole = |formula: &Expr| match before {
                    Some(before) => times(before, formula),
                    None => formula.clone(),
                };
                mistaken.iter().map(whole).collect()
            }
            None => Vec::new(),
        },
        BinaryOp::Div => of_quotient(left, right, derived),
        _ => Vec::new(),
    }
}

/// `x^2` → `x^3`: an exponent that was not lowered, or lowered twice; which is a factor too many or too few as well.
fn of_power(part: &Expr) -> Vec<Slip> {
    let Some((BinaryOp::Pow, base, exponent)) = parts(part) else { return Vec::new() };
    let Some(exponent) = number(exponent).filter(|value| value.fract() == 0.0) else { return Vec::new() };
    let words = [LABEL, "missing-factor", "extra-factor"];
    let to = |exponent: i64| binary(BinaryOp::Pow, base, &integer(exponent));
    let mut all = vec![Slip::either(&words, to(exponent as i64 + 1))];
    if exponent > 1.0 {
        all.push(Slip::either(&words, to(exponent as i64 - 1)));
    }
    all
}

/// `y^2` or `y * y`.
fn squared(expr: &Expr) -> Option<&Expr> {
    match parts(expr) {
        Some((BinaryOp::Pow, y, two)) if number(two) == Some(2.0) => Some(y),
        Some((BinaryOp::Mul, y, again)) if y == again => Some(y),
        _ => applied(expr).filter(|(function, _)| *function == "square").map(|(_, y)| y),
    }
}

/// y of `y * (1 - y)`, and what stands before it in `g * y * (1 - y)`.
fn of_sigmoid<'a>(left: &'a Expr, right: &'a Expr) -> Option<(Option<&'a Expr>, &'a Expr)> {
    let (BinaryOp::Sub, one, y) = parts(right)? else { return None };
    if number(one) != Some(1.0) {
        return None;
    }
    match parts(left) {
        Some((BinaryOp::Mul, before, last)) if last == y => Some((Some(before), y)),
        _ => (left == y).then_some((None, y)),
    }
}

/// `1 / x` → `log(x)`, `1 / (2 * sqrt(x))` → `1 / (2 * x)`, and the like.
fn of_quotient(left: &Expr, right: &Expr, derived: &dyn Fn(&str) -> bool) -> Vec<Expr> {
    let over = |below: &Expr| binary(BinaryOp::Div, left, below);
    let mut all = Vec::new();
    if derived("log") && matches!(right.kind, ExprKind::Name(_) | ExprKind::Index { .. }) {
        if number(left) == Some(1.0) {
            all.push(call("log", vec![right.clone()]));
        }
        all.push(times(left, &call("log", vec![right.clone()])));
        all.push(over(&binary(BinaryOp::Pow, right, &integer(2))));
    }
    if let Some(("sqrt", x)) = applied(right) {
        all.push(over(x));
        all.push(times(left, right));
    }
    if let Some((BinaryOp::Mul, two, root)) = parts(right)
        && let Some(("sqrt", x)) = applied(root)
    {
        all.push(over(&times(two, x)));
        all.push(times(left, root));
    }
    if let Some(x) = squared(right) {
        all.push(over(x));
    }
    all
}

/// The exponent not lowered: `2 * x` → `2 * x^2`.
fn whole_power(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let Some(claim) = site.claim().filter(|_| !site.by_entry()) else { return Vec::new() };
    let [wrt] = claim.wrt_names.as_slice() else { return Vec::new() };
    let x = name(wrt);
    everywhere(expr, &mut |part| match parts(part) {
        Some((BinaryOp::Mul, left, right)) if number(left).is_some() && *right == x => {
            let lowered = binary(BinaryOp::Pow, &x, &integer(2));
            vec![Slip::new(LABEL, times(left, &lowered))]
        }
        _ => Vec::new(),
    })
}
