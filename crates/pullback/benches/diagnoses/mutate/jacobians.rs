//! `vjp-for-jacobian`: what `backward` returns, taken for the Jacobian.

use pullback::lang::{Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::source::is_claim;
use crate::tree::{applied, everywhere, reduced};

const LABEL: &str = "vjp-for-jacobian";

/// A Jacobian summed over its outputs: in its own claim, and where a claim refers to it.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = Vec::new();
    if let Some(claim) = site.claim().filter(|_| !site.by_entry()) {
        let outputs = claim.of.ndim();
        if outputs > 0 && claim.wrt.len() == 1 {
            all.extend(summed(site, expr, &claim.of.shape(), &claim.wrt[0].shape()));
            // The Jacobian of an element-wise function as the vector on its diagonal.
            if let Some(("diag", v)) = applied(expr) {
                all.push(Slip::new(LABEL, v.clone()));
            }
        }
    }
    all.extend(everywhere(expr, &mut |part| {
        let ExprKind::ClaimRef { of, wrt } = &part.kind else { return Vec::new() };
        let program = &site.scene.program;
        let find = |name: &str| program.find(name).map(|value| value.val.shape());
        let [wrt] = wrt.as_slice() else { return Vec::new() };
        let (Some(of), Some(wrt)) = (find(&of.text), find(&wrt.text)) else { return Vec::new() };
        if of.is_empty() || !site.scene.source.file.statements.iter().any(|s| is_claim(&s.kind)) {
            return Vec::new();
        }
        summed(site, part, &of, &wrt)
    }));
    all
}

fn summed(site: &Site<'_>, jacobian: &Expr, of: &[usize], wrt: &[usize]) -> Vec<Slip> {
    let Some(shape) = site.shape(jacobian) else { return Vec::new() };
    let outputs = if shape.len() == of.len() + wrt.len() { of.len() } else { 1 };
    let axes: Vec<usize> = (0..outputs).collect();
    vec![Slip::new(LABEL, reduced("sum", jacobian, &axes))]
}
