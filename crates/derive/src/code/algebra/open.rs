//! Values taken apart: what is multiplied, divided or raised to a power is a product of powers, and all else a base.

use std::collections::HashMap;
use std::rc::Rc;

use num_traits::One;
use pullback_lang::{BinaryOp, Expr, ExprKind, parse_expr, print};
use pullback_network::{Coef, Dim, Label};
use pullback_ops::{Factor, Origin, Val};

use super::monomial::{Base, Exponent, Monomial, product};
use crate::code::node::is_one_by_chance;
use crate::code::payload::{Writer, of_cofactors};

/// Values are taken apart to this depth.
const DEEPEST: usize = 24;

/// Takes values apart.
#[derive(Clone, Copy)]
pub(super) struct Opener<'a> {
    pub writer: &'a Writer<'a>,
    /// The sizes that the program has names for.
    pub sizes: &'a HashMap<&'static str, Dim>,
    /// Are sums that stand for the cotangents of values multiplied out?
    pub stand_ins: bool,
}

impl Opener<'_> {
    /// A value with labels as a sum of products. It is one product but where a cotangent is multiplied out.
    pub(super) fn value(&self, val: &Val, labels: &[Label]) -> Option<Vec<Monomial>> {
        self.part(val, labels, 0)
    }

    fn part(&self, val: &Val, labels: &[Label], depth: usize) -> Option<Vec<Monomial>> {
        if let Some(known) = self.writer.sum(val, self.stand_ins) {
            return Some(
                known.monomials.iter().map(|monomial| monomial.relabelled(&known.axes, labels)).collect(),
            );
        }
        if let Some(number) = val.as_coefficient(1).or_else(|| self.constant(val)) {
            return Some(vec![Monomial::number(number)]);
        }
        if val.name().is_some() || depth > DEEPEST {
            return self.base(val, labels);
        }
        self.call(val, labels, depth)
    }

    /// A number that the program makes of numbers and sizes, `(2 * N)`.
    fn constant(&self, val: &Val) -> Option<Coef> {
        let coef = self.coefficient(&parse_expr(val.name()?.as_str()).ok()?.expr)?;
        let number = val.as_number()?;
        ((coef.value() - number).abs() <= 1e-12 * number.abs()).then_some(coef)
    }

    fn coefficient(&self, expr: &Expr) -> Option<Coef> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Some(Coef::number(*value)),
            ExprKind::Name(name) => Some(Coef::size(*self.sizes.get(name.as_str())?, 1)),
            ExprKind::Negate(operand) => Some(Coef::minus_one().times(&self.coefficient(operand)?)),
            ExprKind::Binary { operator, left, right } => {
                let power = match operator.kind {
                    BinaryOp::Mul => 1,
                    BinaryOp::Div => -1,
                    _ => return None,
                };
                Some(self.coefficient(left)?.times(&self.coefficient(right)?.power(power)))
            }
            _ => None,
        }
    }

    /// A value by its operation, whatever its name is. A sum is a base.
    pub(super) fn call(&self, val: &Val, labels: &[Label], depth: usize) -> Option<Vec<Monomial>> {
        let Origin::Call(op, inputs) = val.origin() else { return self.base(val, labels) };
        let input = |k: usize| self.part(&inputs[k], &aligned(labels, &inputs[k]), depth + 1);
        let to = |exponent: Exponent| {
            let power = match input(0)?.as_slice() {
                [only] => only.raised(exponent),
                _ => None,
            };
            Some(vec![power.or_else(|| {
                let base = self.base(&inputs[0], &aligned(labels, &inputs[0]))?;
                base[0].raised(exponent)
            })?])
        };
        // det(A) A⁻ᵀ, so that a determinant that is divided by is gone.
        if let Some(matrix) = of_cofactors(val) {
            let turned: Vec<Label> = labels.iter().rev().copied().collect();
            let (det, inverse) = (matrix.det().ok()?, matrix.inv().ok()?);
            return Some(product(&self.base(&det, &[])?, &self.base(&inverse, &turned)?));
        }
        match (op.name(), inputs.len()) {
            ("mul", 2) => Some(product(&input(0)?, &input(1)?)),
            ("div", 2) => {
                let below = match input(1)?.as_slice() {
                    [only] => only.raised(-Exponent::one()),
                    _ => None,
                };
                let below = below.or_else(|| {
                    let base = self.base(&inputs[1], &aligned(labels, &inputs[1]))?;
                    base[0].raised(-Exponent::one())
                })?;
                Some(product(&input(0)?, &[below]))
            }
            ("neg", 1) => Some(product(&[Monomial::number(Coef::minus_one())], &input(0)?)),
            ("sqrt", 1) => to(Exponent::new(1, 2)),
            ("pow", 2) => match inputs[1].as_number().and_then(exponent) {
                Some(exponent) => to(exponent),
                None => self.base(val, labels),
            },
            (_, 1) => match moved(val, labels) {
                Some(moved) => self.part(&inputs[0], &moved, depth + 1),
                None => self.base(val, labels),
            },
            _ => self.base(val, labels),
        }
    }

    /// The terms of a sum or of a difference.
    pub(super) fn terms(&self, val: &Val, labels: &[Label]) -> Option<Vec<Monomial>> {
        let Origin::Call(op, inputs) = val.origin() else { return None };
        let sign = match op.name() {
            "add" => Coef::one(),
            "sub" => Coef::minus_one(),
            _ => return None,
        };
        let side = |input: &Val| {
            let labels = aligned(labels, input);
            let is_sum = input.name().is_none() && self.writer.sum(input, true).is_none();
            match if is_sum { self.terms(input, &labels) } else { None } {
                Some(terms) => Some(terms),
                None => self.value(input, &labels),
            }
        };
        let mut terms = side(&inputs[0])?;
        terms.extend(product(&[Monomial::number(sign)], &side(&inputs[1])?));
        Some(terms)
    }

    /// What a contraction sums: `Σ_j X_nj / D` for a mean.
    pub(super) fn contraction(&self, val: &Val, labels: &[Label]) -> Option<Monomial> {
        let Origin::Call(op, inputs) = val.origin() else { return None };
        if !matches!(op.name(), "sum" | "mean" | "matmul" | "einsum") {
            return None;
        }
        let network = val.jacobian(0).ok()?.simplified();
        let [term] = network.terms() else { return None };
        let (out, by) = term.slots.split_at(val.ndim());
        let mut monomial = Monomial::number(term.coef.clone());
        for factor in &term.factors {
            let Factor::Dense(value, labels) = factor else { return None };
            let [factor] = &self.value(value, labels)?[..] else { return None };
            monomial = monomial.times(factor);
        }
        let [input] = &self.value(&inputs[0], by)?[..] else { return None };
        monomial = monomial.times(input);
        let mut summed: Vec<Label> = Vec::new();
        for label in monomial.powers.iter().flat_map(|power| power.real()) {
            if !out.contains(&label) && !summed.contains(&label) {
                summed.push(label);
            }
        }
        monomial.summed = summed;
        let is_repeated = |(at, label): (usize, &Label)| out[..at].contains(label);
        if monomial.summed.is_empty() || out.iter().enumerate().any(is_repeated) {
            return None;
        }
        Some(monomial.relabelled(out, labels).merged())
    }

    pub(super) fn base(&self, val: &Val, labels: &[Label]) -> Option<Vec<Monomial>> {
        let expr = self.writer.written(val)?;
        let key = print(&expr).into();
        Some(vec![Monomial::of(Base { value: val.clone(), expr: Rc::new(expr), key }, labels.to_vec())])
    }
}

/// The labels of an operand that is broadcast to `out`: an axis that is stretched has one of its own.
fn aligned(out: &[Label], operand: &Val) -> Vec<Label> {
    let own = &out[out.len().saturating_sub(operand.ndim())..];
    let label = |(label, dim): (&Label, &Dim)| {
        if label.dim() == *dim { *label } else { Label::new(*dim) }
    };
    own.iter().zip(operand.dims()).map(label).collect()
}

/// The labels of the input of an operation that does nothing but move elements.
fn moved(val: &Val, labels: &[Label]) -> Option<Vec<Label>> {
    if is_one_by_chance(val) || is_one_by_chance(&val.inputs()[0]) {
        return None;
    }
    let network = val.jacobian(0).ok()?;
    let [term] = network.terms() else { return None };
    if !term.factors.is_empty()
        || !term.coef.is_one()
        || !matches!(val.origin(), Origin::Call(op, _) if is_moving(op.name()))
    {
        return None;
    }
    let (out, by) = term.slots.split_at(val.ndim());
    by.iter()
        .map(|label| match out.iter().position(|other| other == label) {
            Some(at) => Some(labels[at]),
            None => (label.size() == 1).then(|| Label::new(label.dim())),
        })
        .collect()
}

fn is_moving(op: &str) -> bool {
    matches!(op, "reshape" | "permute" | "transpose" | "index")
}

/// A number as an exponent, where it is a small fraction.
fn exponent(number: f64) -> Option<Exponent> {
    let found = [1, 2, 3, 4].into_iter().find(|&below| {
        let above = number * f64::from(below);
        above.fract() == 0.0 && above.abs() <= 64.0
    })?;
    let above = (number * f64::from(found)) as i32;
    (above != 0).then(|| Exponent::new(above, found))
}
