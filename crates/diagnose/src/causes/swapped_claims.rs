//! Two claims are the wrong way round: what is claimed of `dL/dX` is `dL/dW`, and the reverse. It is one mistake.

use pullback_lang::program::{Claim, Claimed, Program};
use pullback_lang::{Expr, ExprKind};

use super::Cause;
use crate::inquiry::Inquiry;
use crate::words::Words;
use crate::{Diagnosis, Fix, Partner};

pub(super) static CAUSE: Cause = Cause { whole, ..Cause::named("swapped-claims") };

fn whole(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let claims = &inquiry.exact.claims;
    let (claim, expr) = (&claims[number], claims[number].expr.as_ref()?);
    let mut candidates = inquiry.suspects().filter(|&other| {
        other != number && inquiry.claims_other(number, other) && inquiry.claims_other(other, number)
    });
    candidates.find_map(|other| {
        let case = inquiry.case(number)?;
        let (partner, right) = (&claims[other], claims[other].expr.as_ref()?);
        // An expression may use only what stands before it.
        let in_order = usable(inquiry.exact, right, claim) && usable(inquiry.exact, expr, partner);
        if !in_order || !case.fits(right) || !inquiry.case(other)?.fits(expr) {
            return None;
        }
        let residual = inquiry.accepted(number, right)?;
        inquiry.accepted(other, expr)?;
        let words = Words::new().source(&claim.key).say(" and ").source(&partner.key);
        let mut explanation = words.say(" are the wrong way round: each is claimed to be what the other is.");
        if let (Claimed::Value { val: a, .. }, Claimed::Value { val: b, .. }) =
            (&claim.claimed, &partner.claimed)
            && a.shape() != b.shape()
        {
            explanation = explanation
                .say(" Their shapes give it away: ")
                .shape(a.dims())
                .say(" is claimed of what has ")
                .shape(b.dims())
                .say(".");
        }
        let label = Words::new().say("this is ").source(&partner.key);
        let fix = Fix { definition: None, expr: right.clone(), residual: Some(residual) };
        let partner = Partner { claim: partner.key.clone(), span: partner.expr_span, expr: expr.clone() };
        Some(Diagnosis {
            cause: CAUSE.word,
            explanation,
            span: claim.expr_span,
            label,
            partner: Some(partner),
            fix: Some(fix),
        })
    })
}

fn usable(program: &Program, expr: &Expr, at: &Claim) -> bool {
    let mut usable = true;
    expr.walk(&mut |part| {
        if let ExprKind::Name(name) = &part.kind {
            usable &= program.find(name).is_none_or(|value| value.span.start < at.span.start);
        }
    });
    usable
}
