//! Given cotangents: `dL/dZ: [N, M] ~ randn`.
//!
//! The loss is then no value of the file. Claims about it are about Σ ⟨cotangent, output⟩ over all cotangents that are
//! given for it, the scalar whose gradients are what these cotangents propagate.

use std::collections::HashMap;

use pullback_ops::Val;

use super::claim::differentiable;
use super::elaborate::Elaboration;
use super::failure::{Outcome, of_op};
use super::scope::Meaning;
use super::{Value, ValueKind};
use crate::{Error, Span, Upstream};

impl Elaboration<'_> {
    /// `dL/dZ: [N, M] ~ randn`.
    pub(super) fn upstream(&mut self, upstream: &Upstream, span: Span) -> Outcome<()> {
        let Upstream { of, wrt, shape, source } = upstream;
        let key = format!("d{of}/d{wrt}");
        let known =
            self.scope.get(&of.text).map(|bound| (matches!(bound.meaning, Meaning::Loss), bound.span));
        let bound = match known {
            Some((true, _)) => Ok(()),
            Some((false, place)) => {
                Err(Error::new(of.span, format!("`{of}` is defined, so its gradients follow from it"))
                    .with_label(place, "defined here")
                    .with_hint(format!(
                        "a cotangent is given for a loss that is not defined; choose another name than `{of}`"
                    ))
                    .into())
            }
            None => self.scope.bind(of, Meaning::Loss),
        };
        let twice = match self.scope.upstream(&of.text, &wrt.text) {
            Some(_) => Err(Error::new(span, format!("`{key}` is given already")).into()),
            None => Ok(()),
        };
        let val = bound.and(twice).and_then(|()| self.input(wrt, &key, Some(shape), source));
        self.scope.add_upstream(&of.text, &wrt.text, val.as_ref().ok().cloned());
        let val = val?;
        self.values.push(Value {
            name: key,
            span: of.span.to(wrt.span),
            kind: ValueKind::Upstream,
            symmetric: false,
            val: val.clone(),
        });
        self.upstreams.push((upstream.clone(), span, val));
        Ok(())
    }

    /// Puts into the claims about losses the scalars that these are: the sum of ⟨cotangent, output⟩ over all cotangents
    /// of one loss; and returns these scalars by the names of the losses.
    pub(super) fn settle_losses(&mut self) -> HashMap<String, Val> {
        let mut losses: HashMap<String, Val> = HashMap::new();
        for (upstream, span, cotangent) in std::mem::take(&mut self.upstreams) {
            let total = self.share(&upstream, span, &cotangent).and_then(|share| {
                match losses.get(&upstream.of.text) {
                    Some(sum) => (sum + &share).map_err(of_op(span)),
                    None => Ok(share),
                }
            });
            match total {
                Ok(total) => {
                    let total = total.named(&upstream.of.text);
                    losses.insert(upstream.of.text, total);
                }
                Err(failure) => self.report(Err(failure)),
            }
        }
        for claim in &mut self.claims {
            if let Some(loss) = losses.get(&claim.of_name) {
                claim.of = loss.clone();
            }
        }
        losses
    }

    /// What one cotangent contributes to its loss.
    fn share(&self, upstream: &Upstream, span: Span, cotangent: &Val) -> Outcome<Val> {
        let output = differentiable(&self.scope, &upstream.wrt)?;
        if output.shape() != cotangent.shape() {
            let (of, wrt) = (&upstream.of, &upstream.wrt);
            let message = format!(
                "`d{of}/d{wrt}` has the shape {:?} and `{wrt}` has {:?}",
                cotangent.dims(),
                output.dims()
            );
            let error = Error::new(upstream.shape.span, message);
            return Err(match self.scope.get(&wrt.text) {
                Some(bound) => error.with_label(bound.span, format!("`{wrt}` is defined here")),
                None => error,
            }
            .with_hint("a gradient has the shape of what it belongs to")
            .into());
        }
        (cotangent * &output).and_then(|product| product.sum_all()).map_err(of_op(span))
    }
}
