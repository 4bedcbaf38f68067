//! A vector–Jacobian product is taken for the Jacobian: `grad(z, W, ones)` is 1ᵀ ∂z/∂W, which has the shape of W, and not
//! ∂z/∂W, which has the axes of z and then those of W.

use pullback_array::Array;
use pullback_check::{Subject, Truth};
use pullback_lang::program::{Claim, Claimed};
use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use crate::case::{CLOSE, Case};
use crate::edit::{Edit, call, untransposed};
use crate::inquiry::Inquiry;
use crate::tree::Place;
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// A Jacobian with more entries is not written out to see what contracts it.
const MOST_ENTRIES: usize = 1 << 14;

pub(super) static CAUSE: Cause = Cause { edits, whole, ..Cause::named("vjp-for-jacobian") };

/// `dz/dx` for `sum(dz/dx, axis=0)`: the Jacobian summed over what is differentiated is what `backward` returns.
fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut inner = place.expr;
    while let ExprKind::Call { function, args, .. } = &inner.kind
        && function.text == "sum"
        && let Some(summed) = args.first()
    {
        inner = summed;
    }
    let words = |of: &str| {
        let words = Words::new().say("The Jacobian is summed over ").source(of).say(", as ");
        words
            .source("backward")
            .say(" does: that is a vector–Jacobian product. ")
            .expr(inner)
            .say(" is meant.")
    };
    let claim = place.case().claim;
    if place.is_root() && place.tree.definition.is_none() && claim.of.ndim() > 0 && inner != place.expr {
        return vec![Edit::new(inner.clone(), 2, words(&claim.of_name))];
    }
    let ExprKind::ClaimRef { of, wrt } = &inner.kind else { return Vec::new() };
    let claims = &place.case().own().program.claims;
    let is_it =
        |claim: &&Claim| claim.of_name == of.text && claim.wrt_names.first() == wrt.first().map(|x| &x.text);
    let is_jacobian = claims.iter().find(is_it).is_some_and(|claim| claim.of.ndim() > 0);
    if inner == place.expr || !is_jacobian {
        return Vec::new();
    }
    vec![Edit::new(inner.clone(), 2, words(&of.text))]
}

/// Is the claim the Jacobian contracted with ones, on all data? That needs no expression of the Jacobian.
fn whole(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let claim = &inquiry.exact.claims[number];
    let expr = claim.expr.as_ref()?;
    let Claimed::Value { val, .. } = &claim.claimed else { return None };
    let wrt = claim.wrt.first()?;
    // Of one entry there is no sum.
    let entries: usize = claim.of.shape().iter().product();
    if entries < 2 || val.shape() != wrt.shape() || claim.wrt.len() > 1 {
        return None;
    }
    let case = inquiry.case(number)?;
    let contracted = case.trials.iter().all(|trial| {
        let summed = contracted_with_ones(trial.truth.tensor(), trial.truth.sides().0.len());
        match (trial.numbers(expr), summed) {
            (Some(claimed), Some(summed)) => claimed.is_near(&summed, CLOSE),
            _ => false,
        }
    });
    if !contracted {
        return None;
    }
    let shape: Vec<_> = claim.of.dims().iter().chain(wrt.dims()).copied().collect();
    let explanation = Words::new()
        .say("This is the Jacobian contracted with ones, a vector–Jacobian product: it is what ")
        .source(format!("grad({0}, {1}, ones)", claim.of_name, claim.wrt_names[0]))
        .say(" gives, the gradient of ")
        .source(format!("sum({})", claim.of_name))
        .say(", of the shape ")
        .shape(wrt.dims())
        .say(". The Jacobian keeps the axes of ")
        .source(claim.of_name.clone())
        .say(": ")
        .shape(&shape)
        .say(".");
    let fix = corrections(expr).into_iter().find_map(|corrected| {
        if !case.fits(&corrected) {
            return None;
        }
        let residual = inquiry.accepted(number, &corrected)?;
        Some(Fix { definition: None, expr: corrected, residual: Some(residual) })
    });
    let label = Words::new().say("a vector–Jacobian product, not a Jacobian");
    Some(Diagnosis { cause: CAUSE.word, explanation, span: expr.span, label, partner: None, fix })
}

/// Is an expression, on all data, the Jacobian of the value `of` by what the claim is taken by, contracted with ones?
pub(super) fn contracts_jacobian(case: &Case<'_>, of: &str, expr: &Expr) -> bool {
    case.trials.iter().all(|trial| {
        let contracted = || {
            let of = &trial.program.find(of)?.val;
            let truth = Truth::of(&Subject::new(of, trial.claim().wrt.first()?), MOST_ENTRIES).ok()??;
            let summed = contracted_with_ones(truth.tensor(), of.ndim())?;
            Some(trial.numbers(expr)?.is_near(&summed, CLOSE))
        };
        contracted().unwrap_or(false)
    })
}

fn contracted_with_ones(tensor: &Array, axes: usize) -> Option<Array> {
    tensor.sum(&(0..axes).collect::<Vec<_>>(), false).ok()
}

/// The Jacobians of which usual expressions are contractions with ones.
fn corrections(expr: &Expr) -> Vec<Expr> {
    let at = expr.span;
    let einsum = |spec: &str, a: Expr, b: Expr| {
        let spec = Expr::new(at, ExprKind::Text(spec.to_owned()));
        call(at, "einsum", vec![spec, a, b], Vec::new())
    };
    let eye = |n: &Expr| call(at, "eye", vec![n.clone()], Vec::new());
    match &expr.kind {
        ExprKind::Call { function, args, .. } if function.text == "outer" => match args.as_slice() {
            // z = W x: δ_im x_n.
            [first, x] => sizes_of_ones(first)
                .and_then(|sizes| sizes.first().map(|m| einsum("im,n->imn", eye(m), x.clone())))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        },
        ExprKind::Binary { operator, left, right }
            if operator.kind == BinaryOp::MatMul
                && (sizes_of_ones(left).is_some() || sizes_of_ones(right).is_some()) =>
        {
            match (sizes_of_ones(left).as_deref(), sizes_of_ones(right).as_deref()) {
                // Z = X W: X_im δ_jn, of Xᵀ 1.
                (None, Some([_, m])) => {
                    vec![einsum("im,jn->ijmn", untransposed(left), eye(m))]
                }
                // Z = X W: δ_im W_nj, of 1 Wᵀ.
                (Some([n, _]), None) => {
                    vec![einsum("im,nj->ijmn", eye(n), untransposed(right))]
                }
                // z = x W: W_nj, of 1 Wᵀ; z = W x: W_ij, of 1 W.
                (Some([_]), None) => {
                    vec![(**right).clone(), untransposed(right)]
                }
                _ => Vec::new(),
            }
        }
        // y = f(x), entry by entry: f′ on the diagonal.
        _ => vec![call(at, "diag", vec![expr.clone()], Vec::new())],
    }
}

/// The sizes of `ones(m, n)`.
fn sizes_of_ones(expr: &Expr) -> Option<Vec<Expr>> {
    match &expr.kind {
        ExprKind::Call { function, args, .. } if function.text == "ones" => match args.as_slice() {
            [Expr { kind: ExprKind::List(sizes), .. }] => Some(sizes.clone()),
            sizes => Some(sizes.to_vec()),
        },
        _ => None,
    }
}
