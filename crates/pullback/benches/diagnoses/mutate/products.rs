//! `elementwise-for-product` and `product-for-elementwise`: `*` for `@`, and the reverse.

use pullback::lang::{BinaryOp, Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{applied, binary, call, everywhere, parts, times};

const ELEMENTWISE: &str = "elementwise-for-product";
const PRODUCT: &str = "product-for-elementwise";

/// Each product as each other kind of product.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    everywhere(expr, &mut |part| {
        if let ExprKind::Call { function, args, .. } = &part.kind {
            return match (function.text.as_str(), args.as_slice()) {
                ("outer" | "dot", [a, b]) => vec![Slip::new(ELEMENTWISE, times(a, b))],
                _ => Vec::new(),
            };
        }
        match parts(part) {
            Some((BinaryOp::MatMul, left, right)) => {
                let mut all = vec![Slip::new(ELEMENTWISE, times(left, right))];
                // `diag(g) @ J` scales rows; `g * J` scales columns.
                if let Some(("diag", g)) = applied(left) {
                    all.push(Slip::new(ELEMENTWISE, times(g, right)));
                }
                all
            }
            Some((BinaryOp::Mul, left, right)) => {
                let axes = |operand: &Expr| site.shape(operand).map_or(0, |shape| shape.len());
                let mut all = Vec::new();
                if axes(left) > 0 && axes(right) > 0 {
                    all.push(Slip::new(PRODUCT, binary(BinaryOp::MatMul, left, right)));
                }
                if axes(left) == 1 && axes(right) == 1 {
                    all.push(Slip::new(PRODUCT, call("outer", vec![left.clone(), right.clone()])));
                }
                all
            }
            _ => Vec::new(),
        }
    })
}
