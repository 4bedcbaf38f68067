//! What stands to the right of an input's name: `[m=2, n] ~ randn`, `[3] = [1, 2, 3]`, `[N, D] = load("x.npy")`.

use super::ast::{DimSpec, Name, Shape, Source};
use super::expr::{Expr, ExprKind};
use super::hint;
use super::lexer::{TokenKind, name_text};
use super::parser::Parser;
use crate::error::{Error, Result};

/// The distributions, each with the number of its arguments and how it is written.
const DISTRIBUTIONS: [(&str, usize, &str); 8] = [
    ("randn", 0, "randn"),
    ("rand", 0, "rand"),
    ("normal", 2, "normal(μ, σ)"),
    ("uniform", 2, "uniform(a, b)"),
    ("randint", 2, "randint(lo, hi)"),
    ("positive", 0, "positive"),
    ("spd", 0, "spd"),
    ("symmetric", 0, "symmetric"),
];

/// Whether values are drawn by that name, after `~`.
pub(crate) fn is_distribution(name: &str) -> bool {
    DISTRIBUTIONS.iter().any(|(known, ..)| *known == name)
}

impl Parser<'_> {
    /// `[m=2, n]`.
    pub(super) fn shape(&mut self) -> Result<Shape> {
        if self.kind(0) != TokenKind::OpenBracket {
            let error = self.unexpected("a shape");
            return Err(match error.hint() {
                Some(_) if self.kind(0) != TokenKind::Newline => error,
                _ => error.with_hint("a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar"),
            });
        }
        let open = self.open();
        let mut dims = Vec::new();
        while self.peek().kind != TokenKind::CloseBracket {
            dims.push(self.dim()?);
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        let close = self.close("`,` or `]`")?;
        Ok(Shape { span: open.span().to(close.span()), dims })
    }

    fn dim(&mut self) -> Result<DimSpec> {
        let first = self.peek();
        if first.kind == TokenKind::Name && self.kind(1) == TokenKind::Assign {
            self.at += 2;
            let name = Name::new(name_text(self.lexeme(first)), first.span());
            self.check_dim(&name)?;
            return Ok(DimSpec::Bind { name, size: self.expression()? });
        }
        let size = self.expression()?;
        match size.kind {
            ExprKind::Name(text) => Ok(DimSpec::Dim(Name::new(text, size.span))),
            _ => Ok(DimSpec::Size(size)),
        }
    }

    /// Where the values come from, after the shape.
    pub(super) fn source(&mut self) -> Result<Source> {
        match self.kind(0) {
            TokenKind::Tilde => {
                self.advance();
                self.distribution()
            }
            TokenKind::Assign => {
                self.advance();
                let expr = self.expression()?;
                self.literal_or_load(expr)
            }
            TokenKind::Newline | TokenKind::Semicolon | TokenKind::End => {
                let shape = self.previous().expect("a shape stands before its source");
                Err(Error::new(shape.span(), "this input has a shape but no values")
                    .with_hint("draw them, `~ randn`, or give them, `= [1, 2, 3]`"))
            }
            _ => Err(self.unexpected("`~` or `=`")),
        }
    }

    /// The source that the expression to the right of `=` is.
    pub(super) fn literal_or_load(&self, expr: Expr) -> Result<Source> {
        match &expr.kind {
            ExprKind::Call { function, args, kwargs } if function.text == "load" => {
                let texts: Option<Vec<&String>> = args
                    .iter()
                    .map(|arg| match &arg.kind {
                        ExprKind::Text(text) => Some(text),
                        _ => None,
                    })
                    .collect();
                match (texts.as_deref(), kwargs.is_empty()) {
                    (Some([path]), true) => {
                        Ok(Source::Load { path: (*path).clone(), entry: None, span: expr.span })
                    }
                    (Some([path, entry]), true) => Ok(Source::Load {
                        path: (*path).clone(),
                        entry: Some((*entry).clone()),
                        span: expr.span,
                    }),
                    _ => Err(Error::new(expr.span, "`load` takes the name of a file, and of an array in it")
                        .with_hint("write `load(\"x.npy\")` or `load(\"d.npz\", \"x\")`")),
                }
            }
            ExprKind::Call { function, .. } if self.draws(function) => Err(self.draws_at_once(function)),
            _ => Ok(Source::Literal(expr)),
        }
    }

    /// Whether a call draws random numbers: by the name of a distribution that no function of the file has taken.
    pub(super) fn draws(&self, function: &Name) -> bool {
        is_distribution(&function.text) && self.names.function(&function.text).is_none()
    }

    pub(super) fn draws_at_once(&self, function: &Name) -> Error {
        Error::new(function.span, format!("`{function}` is a distribution, not a function"))
            .with_hint(format!("an input is drawn with `~`: `x: [n=3] ~ {function}`"))
    }

    fn distribution(&mut self) -> Result<Source> {
        let token = self.expect(TokenKind::Name, "a distribution").map_err(|error| match error.hint() {
            Some(_) => error,
            None => error.with_hint(known_distributions()),
        })?;
        let name = Name::new(name_text(self.lexeme(token)), token.span());
        let Some((_, arity, usage)) = DISTRIBUTIONS.iter().find(|(known, ..)| *known == name.text) else {
            let error = Error::new(name.span, format!("there is no distribution `{name}`"));
            let known = DISTRIBUTIONS.iter().map(|(known, ..)| *known);
            return Err(match hint::nearest(&name.text, known) {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error.with_hint(known_distributions()),
            });
        };
        let mut args = Vec::new();
        let mut span = name.span;
        if self.kind(0) == TokenKind::OpenParen {
            self.open();
            while self.peek().kind != TokenKind::CloseParen {
                args.push(self.expression()?);
                if self.eat(TokenKind::Comma).is_none() {
                    break;
                }
            }
            span = span.to(self.close("`,` or `)`")?.span());
        }
        if args.len() != *arity {
            let numbers = if *arity == 1 { "argument" } else { "arguments" };
            let message = format!("`{name}` takes {arity} {numbers}, not {}", args.len());
            return Err(Error::new(span, message)
                .with_hint(format!("write `~ {usage}`; the shape stands before it, in brackets")));
        }
        if matches!(self.kind(0), TokenKind::Star | TokenKind::Plus | TokenKind::Minus | TokenKind::Slash) {
            return Err(Error::new(self.token(0).span(), "a distribution cannot be computed with")
                .with_hint("write `~ normal(μ, σ)`, or draw first and compute in a definition"));
        }
        Ok(Source::Distribution { name, args })
    }
}

fn known_distributions() -> String {
    let usages: Vec<String> = DISTRIBUTIONS.iter().map(|(_, _, usage)| format!("`{usage}`")).collect();
    format!("the distributions are {}", usages.join(", "))
}
