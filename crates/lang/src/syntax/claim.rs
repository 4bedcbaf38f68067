//! Statements about derivatives: claims of every kind, and given cotangents.

use super::ast::{Claim, EntryClaim, Layout, Name, ShapeClaim, StatementKind, Upstream};
use super::expr::ExprKind;
use super::head::Head;
use super::lexer::TokenKind;
use super::names::{Binding, total};
use super::parser::Parser;
use crate::error::{Error, Result};

impl Parser<'_> {
    /// A statement whose left side is a fraction of differentials.
    pub(super) fn derivative_statement(&mut self) -> Result<StatementKind> {
        let head = self.head()?;
        match self.kind(0) {
            TokenKind::Colon => self.upstream(head),
            TokenKind::Assign if head.of_indices.is_some() || head.wrt_indices.is_some() => {
                self.entry_claim(head)
            }
            TokenKind::Assign => {
                self.check_not_claimed(&head, false)?;
                self.advance();
                let expr = self.expression();
                self.names.claim(&head.key, head.span, false);
                Ok(StatementKind::Claim(Claim { key: head.key, expr: expr? }))
            }
            TokenKind::Equal => Err(Error::new(self.token(0).span(), "a claim is stated with one `=`")
                .with_hint(format!("write `{} = …`", head.key))),
            TokenKind::Tilde => Err(Error::new(self.token(0).span(), "a given cotangent needs its shape")
                .with_hint(format!("write `{}: [N, M] ~ randn`", head.key))),
            _ => Err(self.unexpected("`=` or `:`")),
        }
    }

    /// `dL/dZ: [N, M] ~ randn`.
    fn upstream(&mut self, head: Head) -> Result<StatementKind> {
        let ([wrt], [], Layout::Default, None, None) =
            (&head.key.wrt[..], &head.key.fixed[..], head.key.layout, &head.of_indices, &head.wrt_indices)
        else {
            return Err(Error::new(head.span, "only a whole first derivative can be given")
                .with_hint("a given cotangent is written `dL/dZ: [N, M] ~ randn`"));
        };
        self.check_not_claimed(&head, false)?;
        self.advance();
        let (of, wrt) = (head.key.of.clone(), wrt.clone());
        let shape = self.shape();
        for dim in shape.iter().flat_map(|shape| &shape.dims) {
            self.names.bind_dim(dim);
        }
        self.names.bind(&of, Binding::Loss);
        self.names.claim(&total(&of, &wrt), head.span, false);
        let shape = shape?;
        let source = self.source()?;
        Ok(StatementKind::Upstream(Upstream { of, wrt, shape, source }))
    }

    /// `dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]`.
    fn entry_claim(&mut self, head: Head) -> Result<StatementKind> {
        let Head { key, of_indices, wrt_indices, span } = head.clone();
        let [wrt] = &key.wrt[..] else {
            return Err(Error::new(span, "a Hessian is claimed as a whole, not entry by entry")
                .with_hint(format!("write `{key} = …`")));
        };
        if !key.fixed.is_empty() || key.layout != Layout::Default {
            return Err(Error::new(span, "a claim entry by entry has no layout and nothing held fixed"));
        }
        let Some(wrt_indices) = wrt_indices else {
            return Err(Error::new(
                wrt.span,
                format!("`{wrt}` needs indices here, as `{}` has them", key.of),
            )
            .with_hint("write one name for each axis, `[]` for a scalar: `dZ[i,j]/dX[m,n] = …`"));
        };
        // A scalar has no indices, and none need be written: `dL/dW[i,j]`.
        let of_indices = of_indices.unwrap_or_default();
        let all: Vec<Name> = of_indices.iter().chain(&wrt_indices).cloned().collect();
        self.check_different(&all)?;
        self.check_not_claimed(&head, true)?;
        self.expect(TokenKind::Assign, "`=`")?;
        self.locals = all.into_iter().map(|name| name.text).collect();
        let expr = self.expression();
        self.names.claim(&key, span, true);
        let wrt = wrt.clone();
        Ok(StatementKind::EntryClaim(EntryClaim { of: key.of, of_indices, wrt, wrt_indices, expr: expr? }))
    }

    /// `shape(dZ/db) = [N, M, M]`.
    pub(super) fn shape_claim(&mut self) -> Result<StatementKind> {
        self.advance();
        self.open();
        let head = self.head()?;
        self.close("`)`")?;
        if head.of_indices.is_some() || head.wrt_indices.is_some() || !head.key.fixed.is_empty() {
            return Err(Error::new(head.span, "a shape is claimed of a whole derivative")
                .with_hint("write `shape(dZ/db) = [N, M, M]`"));
        }
        if head.key.layout != Layout::Default {
            return Err(Error::new(head.span, "a shape is claimed of the tensor, which has no vec layout")
                .with_hint("write `shape(dZ/db) = [N, M, M]`"));
        }
        if self.kind(0) == TokenKind::Equal {
            return Err(Error::new(self.token(0).span(), "a claim is stated with one `=`"));
        }
        self.expect(TokenKind::Assign, "`=`")?;
        let expr = self.expression()?;
        let sizes_span = expr.span;
        let ExprKind::List(sizes) = expr.kind else {
            return Err(Error::new(expr.span, "a shape is a list of sizes")
                .with_hint("write `[N, M]`, and `[]` for a scalar's"));
        };
        Ok(StatementKind::ShapeClaim(ShapeClaim { of: head.key.of, wrt: head.key.wrt, sizes, sizes_span }))
    }

    fn check_not_claimed(&self, head: &Head, entrywise: bool) -> Result<()> {
        match self.names.claimed(&head.key, entrywise) {
            None => Ok(()),
            Some(earlier) => Err(Error::new(head.span, format!("`{}` is claimed already", head.key))
                .with_label(earlier, "claimed here")
                .with_hint("a file claims each derivative once in each layout")),
        }
    }
}
