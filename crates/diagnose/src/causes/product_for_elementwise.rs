//! A product that sums where nothing is to be summed: `dL/dv @ g` where `dL/dv * g` belongs, or `dL/dz @ x` where the outer
//! product `outer(dL/dz, x)` does.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use super::vjp_for_jacobian::contracts_jacobian;
use crate::edit::{Edit, binary, call, column};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("product-for-elementwise") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    if place.case().indices.is_some() {
        return Vec::new();
    }
    match &place.expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::MatMul => {
            of_product(place, left, right)
        }
        ExprKind::Call { function, args, kwargs } if kwargs.is_empty() => {
            match (function.text.as_str(), args.as_slice()) {
                ("dot", [left, right]) => of_product(place, left, right),
                ("outer", [left, right]) => vec![entry_by_entry(place, left, right, "An outer product")],
                // A sum of products of entries is a dot product.
                ("sum", [summed]) => match &summed.kind {
                    ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Mul => {
                        let mut edit = entry_by_entry(place, left, right, "A sum of products");
                        edit.cost = 3;
                        vec![edit]
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// What a matrix product is when it is one too many.
const SUMS: &str = "A product that sums";

fn of_product(place: &Place<'_>, left: &Expr, right: &Expr) -> Vec<Edit> {
    let mut edits = vec![entry_by_entry(place, left, right, SUMS)];
    match (place.axes_of(left), place.axes_of(right)) {
        (1, 1) => edits.push(outer(place, left, right, 2)),
        (1, 2) => {
            edits.extend(vectors(place).map(|other| outer(place, left, other, 3)));
            let with = binary(place.expr.span, BinaryOp::Mul, column(left), right.clone());
            edits.push(Edit::new(with, 4, words(SUMS, "each row times its entry")));
        }
        (2, 1) => edits.extend(vectors(place).map(|other| outer(place, other, right, 3))),
        _ => {}
    }
    edits
}

/// The vectors of the program.
fn vectors<'p>(place: &'p Place<'_>) -> impl Iterator<Item = &'p Expr> {
    place.known().filter(|known| known.dims.len() == 1).map(|known| &known.source)
}

fn entry_by_entry(place: &Place<'_>, left: &Expr, right: &Expr, what: &'static str) -> Edit {
    let with = binary(place.expr.span, BinaryOp::Mul, left.clone(), right.clone());
    Edit::new(with, 2, words(what, "a product entry by entry"))
}

/// `dL/dz @ J` where J is taken for ∂z/∂W and is 1ᵀ ∂z/∂W: that is why its shape is one of which `@` makes a vector.
fn root_of_it(place: &Place<'_>) -> Option<Words> {
    let ExprKind::Binary { left, right, .. } = &place.expr.kind else { return None };
    let ExprKind::ClaimRef { wrt, .. } = &left.kind else { return None };
    let [between] = wrt.as_slice() else { return None };
    let wrt = place.case().claim.wrt_names.first()?;
    contracts_jacobian(place.case(), &between.text, right).then(|| {
        Words::new()
            .say(" The root of it: ")
            .expr(right)
            .say(" is no Jacobian ")
            .source(format!("d{between}/d{wrt}"))
            .say(" but a vector–Jacobian product, the one with ones: the gradient of ")
            .source(format!("sum({between})"))
            .say(".")
    })
}

fn outer(place: &Place<'_>, left: &Expr, right: &Expr, cost: u32) -> Edit {
    let with = call(place.expr.span, "outer", vec![left.clone(), right.clone()], Vec::new());
    let explanation = words(SUMS, "an outer product");
    let explanation = explanation
        .say(" Nothing is to be summed here: each entry of ")
        .expr(left)
        .say(" meets each of ")
        .expr(right)
        .say(".");
    let explanation = root_of_it(place).map_or(explanation.clone(), |root| explanation.then(root));
    Edit::new(with, cost, explanation)
}

fn words(what: &'static str, right: &'static str) -> Words {
    Words::new().say(format!("{what} stands where {right} belongs."))
}
