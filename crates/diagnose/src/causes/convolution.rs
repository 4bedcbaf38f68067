//! A convolution in a claim, and the distances at which it reads: no cause, but what several of them look at.

use std::collections::BTreeSet;

use pullback_lang::{Expr, ExprKind, Name};
use pullback_ops::{Factor, Val};

use crate::edit::{integer, number};
use crate::tree::{Place, graph_of};

/// What says how far apart a convolution reads.
pub(super) const KEYWORDS: [&str; 2] = ["stride", "dilation"];

/// A call of a convolution.
pub(super) struct Convolution<'e> {
    expr: &'e Expr,
    function: &'e Name,
    args: &'e [Expr],
    kwargs: &'e [(Name, Expr)],
}

impl<'e> Convolution<'e> {
    pub(super) fn of(expr: &'e Expr) -> Option<Convolution<'e>> {
        let ExprKind::Call { function, args, kwargs } = &expr.kind else { return None };
        let is_one =
            matches!(function.text.as_str(), "conv" | "conv1d" | "conv2d" | "conv3d") && args.len() == 2;
        is_one.then_some(Convolution { expr, function, args, kwargs })
    }

    /// Its stride or its dilation, where that is written as a number.
    pub(super) fn distance(&self, keyword: &str) -> Option<usize> {
        match self.kwargs.iter().find(|(name, _)| name.text == keyword) {
            Some((_, value)) => number(value).map(|value| value as usize),
            None => Some(1),
        }
    }

    /// The same with another one.
    pub(super) fn with(&self, keyword: &str, distance: usize) -> Expr {
        self.with_all(&[(keyword, distance)])
    }

    /// The same with the stride for the dilation, and the reverse.
    pub(super) fn exchanged(&self) -> Option<Expr> {
        let (stride, dilation) = (self.distance("stride")?, self.distance("dilation")?);
        (stride != dilation).then(|| self.with_all(&[("stride", dilation), ("dilation", stride)]))
    }

    fn with_all(&self, distances: &[(&str, usize)]) -> Expr {
        let at = self.expr.span;
        let is_other = |(name, _): &&(Name, Expr)| distances.iter().all(|(keyword, _)| name.text != *keyword);
        let mut kwargs: Vec<(Name, Expr)> = self.kwargs.iter().filter(is_other).cloned().collect();
        let stated = distances.iter().filter(|(_, distance)| *distance != 1);
        kwargs.extend(stated.map(|&(keyword, distance)| (Name::new(keyword, at), integer(at, distance))));
        Expr::new(at, ExprKind::Call { function: self.function.clone(), args: self.args.to_vec(), kwargs })
    }
}

/// The distances beyond 1 at which the forward pass reads anywhere: the coefficients of its affine relations.
pub(super) fn distances(place: &Place<'_>) -> BTreeSet<usize> {
    let of_value = |val: &Val| -> Vec<usize> {
        let networks = (0..val.inputs().len()).filter_map(|input| val.jacobian(input).ok());
        let factors = networks.flat_map(|network| {
            network.terms().iter().flat_map(|term| term.factors.clone()).collect::<Vec<Factor>>()
        });
        let coefficients = factors.flat_map(|factor| match &factor {
            Factor::Relation(relation) => relation.as_affine().map_or_else(Vec::new, |(linear, _)| {
                linear.iter().map(|(coefficient, _)| coefficient.unsigned_abs() as usize).collect()
            }),
            _ => Vec::new(),
        });
        coefficients.filter(|&coefficient| coefficient > 1).collect()
    };
    graph_of(&place.case().claim.of).values().flat_map(of_value).collect()
}
