//! `swapped-operands`: what does not commute, the wrong way round.

use pullback::lang::{BinaryOp, Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{binary, call, everywhere, parts, transposed};

const LABEL: &str = "swapped-operands";

/// Products, differences, quotients and calls with two operands, exchanged.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    everywhere(expr, &mut |part| {
        if let ExprKind::Call { function, args, kwargs } = &part.kind {
            let [a, b] = args.as_slice() else { return Vec::new() };
            return match function.text.as_str() {
                // In a Jacobian the other order of a Kronecker product is the other vec.
                "kron" => {
                    let swapped = call("kron", vec![b.clone(), a.clone()]);
                    vec![Slip::either(&[LABEL, "vec-layout"], swapped)]
                }
                "outer" if kwargs.is_empty() => {
                    vec![Slip::new(LABEL, call("outer", vec![b.clone(), a.clone()]))]
                }
                _ => Vec::new(),
            };
        }
        let Some((operator, left, right)) = parts(part) else { return Vec::new() };
        match operator {
            BinaryOp::MatMul => {
                let mut all = vec![Slip::new(LABEL, binary(operator, right, left))];
                // `X.T @ G` → `G.T @ X`: the names exchanged, the transpose left where it was.
                if let ExprKind::Transpose(a) = &left.kind {
                    all.push(Slip::new(LABEL, binary(operator, &transposed(right), a)));
                }
                if let ExprKind::Transpose(b) = &right.kind {
                    all.push(Slip::new(LABEL, binary(operator, b, &transposed(left))));
                }
                all
            }
            // The wrong way round is a sign as well.
            BinaryOp::Sub => {
                let swapped = binary(operator, right, left);
                vec![Slip::either(&[LABEL, "missing-factor", "extra-factor"], swapped)]
            }
            // Nobody writes `N / G` for `G / N`.
            BinaryOp::Div if site.has_values(left) && site.has_values(right) => {
                vec![Slip::new(LABEL, binary(operator, right, left))]
            }
            BinaryOp::Less | BinaryOp::Greater | BinaryOp::LessEqual | BinaryOp::GreaterEqual => {
                vec![Slip::new(LABEL, binary(operator, right, left))]
            }
            _ => Vec::new(),
        }
    })
}
