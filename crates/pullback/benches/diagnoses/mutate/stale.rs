//! `stale-operand`: another value of the same shape in place of one.

use pullback::lang::{Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{applied, everywhere};

const LABEL: &str = "stale-operand";

/// Each name and each reference as another one, and the argument of an activation in place of the activation.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    everywhere(expr, &mut |part| {
        let is_leaf = match &part.kind {
            ExprKind::Name(name) => site.scene.program.find(name).is_some(),
            ExprKind::ClaimRef { .. } => true,
            _ => false,
        };
        if is_leaf {
            let shape = site.shape(part);
            let others = shape.map(|shape| site.alike(&shape)).unwrap_or_default();
            return others.into_iter().filter(|other| other != part).map(|x| Slip::new(LABEL, x)).collect();
        }
        match applied(part) {
            Some(("relu" | "sigmoid" | "tanh" | "softmax", x)) => {
                vec![Slip::either(&[LABEL, "wrong-derivative"], x.clone())]
            }
            _ => Vec::new(),
        }
    })
}
