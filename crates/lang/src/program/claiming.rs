//! Statements that claim something.

use std::collections::BTreeSet;

use pullback_network::Dim;
use pullback_ops::Val;

use super::claim::{Claim, Claimed, differentiable, is_zeros, numerator, ranges};
use super::elaborate::Elaboration;
use super::evaluate::Evaluator;
use super::failure::{Failure, Outcome};
use super::notation;
use super::scope::{Stated, StatedValue};
use crate::syntax::ast::derivative;
use crate::{ClaimKey, EntryClaim, Error, Expr, Layout, MAX_ERRORS, Name, ShapeClaim, Span};

/// What a claim is about.
struct Subject {
    of: Val,
    wrt: Vec<Val>,
    fixed: Vec<Val>,
}

/// A right side that was evaluated, and the claims it refers to.
type Evaluated = (Outcome<Val>, BTreeSet<usize>);

impl Elaboration<'_> {
    /// `dL/dW = expr`, `dv/dW [col] = expr`, `dv/da [u fixed] = expr`, `d2L/dx dy = expr`.
    pub(super) fn claim(&mut self, claim: &crate::Claim, span: Span) -> Outcome<()> {
        let crate::Claim { key, expr } = claim;
        let subject = self.check_not_claimed(&key.to_string(), span).and_then(|()| self.subject(key));
        let evaluated = self.evaluated(|evaluator| evaluator.value(expr));
        self.state(
            key,
            evaluated.0.as_ref().map_or(StatedValue::Failed, |val| StatedValue::Value(val.clone())),
        );
        self.conclude(key.to_string(), span, key, subject, expr, evaluated, None)
    }

    /// `dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]`.
    pub(super) fn entry_claim(&mut self, claim: &EntryClaim, span: Span) -> Outcome<()> {
        let EntryClaim { of, of_indices, wrt, wrt_indices, expr } = claim;
        let shown = |name: &Name, indices: &[Name]| match indices {
            [] => format!("d{name}"),
            _ => format!("d{name}[{}]", texts(indices).join(",")),
        };
        let shown = format!("{}/{}", shown(of, of_indices), shown(wrt, wrt_indices));
        let key = whole(of, std::slice::from_ref(wrt));
        let subject = self.check_not_claimed(&shown, span).and_then(|()| self.subject(&key));
        let entry: Outcome<Vec<(Name, Dim)>> = match &subject {
            Ok(subject) => ranges(of, of_indices, subject.of.dims()).and_then(|mut entry| {
                entry.extend(ranges(wrt, wrt_indices, subject.wrt[0].dims())?);
                Ok(entry)
            }),
            Err(_) => Err(Failure::Silent),
        };
        let evaluated = match &entry {
            Ok(entry) => self.evaluated(|evaluator| notation::entries(evaluator, entry, expr)),
            Err(failure) => (Err(failure.clone()), BTreeSet::new()),
        };
        self.state(
            &key,
            evaluated.0.as_ref().map_or(StatedValue::Failed, |val| StatedValue::Value(val.clone())),
        );
        self.conclude(shown, span, &key, subject, expr, evaluated, entry.ok())
    }

    /// `shape(dZ/db) = [N, M, M]`.
    pub(super) fn shape_claim(&mut self, claim: &ShapeClaim, span: Span) -> Outcome<()> {
        let ShapeClaim { of, wrt, sizes, sizes_span } = claim;
        let shown = format!("shape({})", derivative(of, wrt));
        let key = whole(of, wrt);
        // Nothing can refer to a shape, but it has its number among the claims.
        self.state(&key, StatedValue::Shape);
        self.check_not_claimed(&shown, span)?;
        let Subject { of, wrt, fixed } = self.subject(&key)?;
        let sizes: Outcome<Vec<usize>> =
            sizes.iter().map(|size| Ok(Evaluator::new(&self.scope).size(size)?.size())).collect();
        self.claims.push(Claim {
            key: shown,
            span,
            of,
            of_name: key.of.text.clone(),
            wrt,
            wrt_names: texts(&key.wrt),
            symmetric: self.is_symmetric(&key.wrt),
            fixed,
            claimed: Claimed::Shape(sizes?),
            refers_to: Vec::new(),
            expr_span: *sizes_span,
            expr: None,
            entry: None,
        });
        Ok(())
    }

    /// Makes a claim of what is known about it. Its two sides may be wrong independently of one another; then the error
    /// about the left one is reported and that about the right one returned.
    #[expect(clippy::too_many_arguments, reason = "the parts of a claim, each made in another way")]
    fn conclude(
        &mut self,
        shown: String,
        span: Span,
        key: &ClaimKey,
        subject: Outcome<Subject>,
        expr: &Expr,
        (val, refers_to): Evaluated,
        entry: Option<Vec<(Name, Dim)>>,
    ) -> Outcome<()> {
        let (subject, val) = match (subject, val) {
            (Ok(subject), Ok(val)) => (subject, val),
            (Err(left), Err(right @ Failure::Said(_))) if self.errors.len() + 1 < MAX_ERRORS => {
                self.report(Err(left));
                return Err(right);
            }
            (Err(failure), _) | (_, Err(failure)) => return Err(failure),
        };
        let zeros = is_zeros(&self.scope, expr);
        self.claims.push(Claim {
            key: shown,
            span,
            of: subject.of,
            of_name: key.of.text.clone(),
            wrt: subject.wrt,
            wrt_names: texts(&key.wrt),
            symmetric: self.is_symmetric(&key.wrt),
            fixed: subject.fixed,
            claimed: Claimed::Value { val, layout: key.layout, zeros },
            refers_to: refers_to.into_iter().collect(),
            expr_span: expr.span,
            expr: Some(expr.clone()),
            entry,
        });
        Ok(())
    }

    fn check_not_claimed(&self, key: &str, span: Span) -> Outcome<()> {
        match self.claims.iter().find(|claim| claim.key == key) {
            None => Ok(()),
            Some(earlier) => Err(Error::new(span, format!("`{key}` is claimed already"))
                .with_label(earlier.span, "claimed here")
                .with_hint("a file claims each derivative once in each layout")
                .into()),
        }
    }

    /// What a claim's key names.
    fn subject(&self, key: &ClaimKey) -> Outcome<Subject> {
        let values = |names: &[Name]| -> Outcome<Vec<Val>> {
            names.iter().map(|name| differentiable(&self.scope, name)).collect()
        };
        let of = numerator(&self.scope, &key.of)?;
        let (wrt, fixed) = (values(&key.wrt)?, values(&key.fixed)?);
        Ok(Subject { of, wrt, fixed })
    }

    /// Is there one value, which is declared to be symmetric?
    fn is_symmetric(&self, wrt: &[Name]) -> bool {
        let [name] = wrt else { return false };
        self.values.iter().any(|value| value.name == name.text && value.symmetric)
    }

    /// Makes a claim known to later references.
    fn state(&mut self, key: &ClaimKey, value: StatedValue) {
        self.scope.stated.push(Stated {
            of: key.of.text.clone(),
            wrt: texts(&key.wrt),
            layout: key.layout,
            partial: !key.fixed.is_empty(),
            value,
        });
    }
}

/// The key of a total derivative about whose layout nothing is said.
fn whole(of: &Name, wrt: &[Name]) -> ClaimKey {
    ClaimKey { of: of.clone(), wrt: wrt.to_vec(), layout: Layout::Default, fixed: Vec::new() }
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}
