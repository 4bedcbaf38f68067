//! How a value of the graph is written in the language.

use std::cell::RefCell;
use std::collections::HashMap;

use pullback_lang::{BinaryOp, Expr, Span, make, parse_expr};
use pullback_network::Value;
use pullback_ops::{Origin, Val};

use super::Source;

/// What takes more parts is not read.
const MOST_PARTS: usize = 150;

/// Writes values.
pub(super) struct Writer<'a> {
    source: &'a Source<'a>,
    /// What stands for values that are symbols for something written already.
    symbols: RefCell<HashMap<u64, Expr>>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Writer<'a> {
        Writer { source, symbols: RefCell::default() }
    }

    /// Lets a symbol stand for an expression.
    pub(super) fn call(&self, symbol: &Val, expr: Expr) {
        self.symbols.borrow_mut().insert(symbol.id(), expr);
    }

    /// A value as an expression: by its name, else as its operation on what that is applied to.
    pub(super) fn written(&self, val: &Val) -> Option<Expr> {
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
                None => Some(parse_expr(name).ok()?.expr),
            };
        }
        if let Some(written) = (self.source.written)(val) {
            return Some(written);
        }
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
        match op.name() {
            "add" => binary(BinaryOp::Add),
            "sub" => binary(BinaryOp::Sub),
            "mul" => binary(BinaryOp::Mul),
            "div" => binary(BinaryOp::Div),
            "pow" => binary(BinaryOp::Pow),
            "matmul" => binary(BinaryOp::MatMul),
            "neg" => Some(make::negated(operands.first()?)),
            _ => {
                let names: Vec<String> = (0..operands.len()).map(|k| format!("operand_{k}")).collect();
                let call = parse_expr(&op.written(&names)).ok()?.expr;
                Some(make::substituted(&call, &names.into_iter().zip(operands).collect()))
            }
        }
    }
}
