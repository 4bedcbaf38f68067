//! How a value of the graph is written in the language.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make, parse_expr};
use pullback_network::{Label, Value};
use pullback_ops::{Origin, Val};

use super::Source;
use super::algebra::Monomial;
use super::condition::{condition, holds, of_main_diagonal, triangle};

/// What takes more parts is not read.
const MOST_PARTS: usize = 150;

/// Writes values.
pub(crate) struct Writer<'a> {
    source: &'a Source<'a>,
    /// What stands for values that are symbols for something written already.
    symbols: RefCell<HashMap<u64, Expr>>,
    /// What symbols are as sums of products.
    sums: RefCell<HashMap<u64, Rc<Sum>>>,
    /// When the last value of the program was made: what is younger was made by rules.
    last: u64,
}

/// What a symbol is as a sum of products.
pub(super) struct Sum {
    pub axes: Vec<Label>,
    pub monomials: Vec<Monomial>,
    /// Does it stand for the cotangent of a value, so that it may as well stay?
    stands_in: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(source: &'a Source<'a>) -> Writer<'a> {
        Writer { source, symbols: RefCell::default(), sums: RefCell::default(), last: u64::MAX }
    }

    /// Writes values of the program of an output, and of its derivative.
    pub(crate) fn of_program(source: &'a Source<'a>, output: &Val) -> Writer<'a> {
        Writer { last: output.order(), ..Writer::new(source) }
    }

    /// Lets a symbol stand for an expression.
    pub(super) fn call(&self, symbol: &Val, expr: Expr) {
        self.symbols.borrow_mut().insert(symbol.id(), expr);
    }

    /// Says what a symbol is as a sum of products.
    pub(super) fn know(&self, symbol: &Val, axes: Vec<Label>, monomials: Vec<Monomial>, stands_in: bool) {
        let sum = Sum { axes, monomials, stands_in };
        self.sums.borrow_mut().insert(symbol.id(), Rc::new(sum));
    }

    /// What a symbol is as a sum of products; of one that stands for a cotangent where that is wanted.
    pub(super) fn sum(&self, symbol: &Val, stand_ins: bool) -> Option<Rc<Sum>> {
        self.sums.borrow().get(&symbol.id()).filter(|sum| stand_ins || !sum.stands_in).cloned()
    }

    /// A value as an expression: by its name, else as its operation on what that is applied to.
    pub(crate) fn written(&self, val: &Val) -> Option<Expr> {
        self.part(val, &mut 0)
    }

    fn part(&self, val: &Val, parts: &mut usize) -> Option<Expr> {
        *parts += 1;
        if *parts > MOST_PARTS {
            return None;
        }
        if let Some(known) = self.symbols.borrow().get(&val.id()) {
            return Some(known.clone());
        }
        let at = Span::default();
        if let Some(name) = val.name() {
            let name = name.as_str();
            // A cotangent that is given is called `dL/dZ`, and a constant as it is written: `sqrt(2 / 3)`.
            return match name.strip_prefix('d').and_then(|name| name.split_once("/d")) {
                Some((of, wrt)) => Some(make::reference(at, of, wrt)),
                None => Some(of_main_diagonal(parse_expr(name).ok()?.expr)),
            };
        }
        if let Some(written) = (self.source.written)(val) {
            return Some(written);
        }
        self.call_of(val, parts)
    }

    /// A value as its operation on what that is applied to, whatever its own name is. One of several results is none by itself.
    pub(crate) fn definition(&self, val: &Val) -> Option<Expr> {
        if val.outputs().len() > 1 { None } else { self.call_of(val, &mut 0) }
    }

    fn call_of(&self, val: &Val, parts: &mut usize) -> Option<Expr> {
        let at = Span::default();
        let (op, inputs) = match val.origin() {
            Origin::Number(number) => return Some(make::number(at, *number)),
            Origin::Leaf => return None,
            Origin::Call(op, inputs) => (op, inputs),
        };
        let operands: Vec<Expr> =
            inputs.iter().map(|input| self.part(input, parts)).collect::<Option<_>>()?;
        let binary = |kind| match operands.as_slice() {
            [a, b] => Some(make::binary(at, kind, a.clone(), b.clone())),
            _ => None,
        };
        let written = match op.name() {
            "add" => binary(BinaryOp::Add),
            "sub" => binary(BinaryOp::Sub),
            "mul" => binary(BinaryOp::Mul),
            "div" => binary(BinaryOp::Div),
            "pow" => binary(BinaryOp::Pow),
            "matmul" => binary(BinaryOp::MatMul),
            "neg" => Some(make::negated(operands.first()?)),
            _ if of_cofactors(val).is_some() => {
                let of = |function: &str| make::call(at, function, operands.clone(), Vec::new());
                Some(make::binary(at, BinaryOp::Mul, of("det"), make::transposed(&of("inv"))))
            }
            _ => {
                let names: Vec<String> = (0..operands.len()).map(|k| format!("operand_{k}")).collect();
                let call = parse_expr(&op.written_result(val, &names)?).ok()?.expr;
                let written = make::substituted(&call, &names.into_iter().zip(operands).collect());
                Some(softmax(&written).unwrap_or(written))
            }
        }?;
        if let (Some(triangle), Some(input)) = (triangle(&written), inputs.first())
            && input.dims() == val.dims()
        {
            return Some(triangle);
        }
        // The slope of a rectifier is the step of what it was of, which the program compares with nothing.
        let is_slope = val.order() > self.last && inputs.iter().all(|input| input.order() <= self.last);
        if is_slope && inputs.len() == 1 && !val.is_gated() {
            return Some(written);
        }
        Some(condition(&written, val, &|val| self.holds(val)).unwrap_or(written))
    }

    /// Is a value 1 where something holds and 0 elsewhere, whatever the numbers are?
    pub(crate) fn holds(&self, val: &Val) -> bool {
        let is_own = val.name().is_some_and(|name| name.is_identifier()) && val.as_number().is_none();
        let written = if is_own { self.definition(val) } else { self.written(val) };
        let of_input = |k: usize| val.inputs().get(k).is_some_and(|input| self.holds(input));
        written.is_some_and(|written| holds(&written, &of_input))
    }
}

/// `softmax(z, axis=1)` for `exp(z - logsumexp(z, axis=1, keepdims=true))`.
fn softmax(expr: &Expr) -> Option<Expr> {
    let ExprKind::Call { function, args, .. } = &expr.kind else { return None };
    let [Expr { kind: ExprKind::Binary { operator, left, right }, .. }] = &args[..] else { return None };
    let ExprKind::Call { function: normaliser, args: of, kwargs } = &right.kind else { return None };
    let is_one = function.text == "exp" && operator.kind == BinaryOp::Sub && normaliser.text == "logsumexp";
    let [(axis, along), (keepdims, _)] = &kwargs[..] else { return None };
    let has_axis = axis.text == "axis" && keepdims.text == "keepdims";
    let at = Span::default();
    (is_one && has_axis && of[..] == [(**left).clone()])
        .then(|| make::call(at, "softmax", of.clone(), vec![("axis", along.clone())]))
}

/// The matrix whose cofactors a value holds, where they may be written as books write the slopes of a determinant, det(A) A⁻ᵀ. Of a singular
/// matrix they may not, nor of one that rounding alone tells from it.
pub(super) fn of_cofactors(val: &Val) -> Option<&Val> {
    match val.origin() {
        Origin::Call(op, of) if op.name() == "cofactor" && val.ndim() == 2 => {
            Some(&of[0]).filter(|matrix| are_of_inverse(val, matrix))
        }
        _ => None,
    }
}

fn are_of_inverse(cofactors: &Val, matrix: &Val) -> bool {
    let inverse = || -> Option<bool> {
        let (matrix, cofactors) = (matrix.array().ok()?, cofactors.array().ok()?);
        // An expansion by the first row.
        let (a, c) = (matrix.as_f64(), cofactors.as_f64());
        let det: f64 = a.iter().zip(&*c).take(matrix.shape()[1]).map(|(a, c)| a * c).sum();
        let inverse = matrix.inverse().and_then(|inverse| inverse.permute(&[1, 0])).ok()?;
        Some(inverse.map(|x| x * det as f32, |x| x * det).ok()?.is_near(cofactors, 1e-9))
    };
    inverse().unwrap_or(false)
}
