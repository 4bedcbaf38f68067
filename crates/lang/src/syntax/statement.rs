//! Statements: which kind one is, is told from its first few tokens.
//!
//! `seed`, `dtype`, `fn` and `shape` are words of the language at the start of a statement only, and there only
//! where no `=` or `:` follows: `seed = 3` is an input called `seed`.

use super::ast::{
    DType, Definition, Definitions, Function, IndexDefinition, Inner, Input, Name, Statement, StatementKind,
};
use super::expr::{Expr, ExprKind};
use super::hint;
use super::lexer::{TokenKind, name_text};
use super::names::Binding;
use super::parser::{Mode, Parser};
use crate::error::{Error, Result};
use crate::foreign;
use crate::span::Span;

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement> {
        let first = self.token(0).span();
        let kind = self.statement_kind()?;
        if !matches!(self.kind(0), TokenKind::Newline | TokenKind::Semicolon | TokenKind::End) {
            return Err(self.unexpected("the end of the statement"));
        }
        let last = self.previous().expect("a statement has a token").span();
        Ok(Statement { span: first.to(last), kind })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        if self.kind(0) != TokenKind::Name {
            return self.expression_statement();
        }
        if self.at_head(0) && (self.mode == Mode::File || self.states()) {
            return self.derivative_statement();
        }
        let next = self.kind(1);
        match (self.lexeme(self.token(0)), next) {
            ("seed", TokenKind::Integer | TokenKind::Real | TokenKind::Minus | TokenKind::OpenParen)
            | ("seed" | "dtype", TokenKind::Name | TokenKind::Text | TokenKind::Newline | TokenKind::End)
            | ("dtype", TokenKind::Integer)
                if self.mode == Mode::File || matches!(next, TokenKind::Integer | TokenKind::Name) =>
            {
                self.setting()
            }
            ("fn", TokenKind::Name) => self.function(),
            ("scan", TokenKind::Name) if self.kind(2) == TokenKind::Less => self.scan_statement(),
            ("shape", TokenKind::OpenParen) if self.at_head(2) => self.shape_claim(),
            (_, TokenKind::Assign) => self.definition(),
            (_, TokenKind::Comma) if self.binds_several() => self.definitions(),
            (_, TokenKind::Colon) => self.input(),
            (_, TokenKind::OpenBracket)
                if self.after_bracket(1).is_some_and(|after| self.kind(after) == TokenKind::Assign) =>
            {
                self.index_definition()
            }
            _ => self.expression_statement(),
        }
    }

    /// Whether the statement says what something is: whether a `=`, `:` or `~` stands outside its brackets.
    fn states(&self) -> bool {
        let mut depth = 0usize;
        for token in &self.tokens[self.at..] {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
                TokenKind::Assign | TokenKind::Colon | TokenKind::Tilde if depth == 0 => return true,
                TokenKind::Newline if depth == 0 => return false,
                TokenKind::Semicolon | TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }

    /// `seed 0`, `dtype f32`.
    fn setting(&mut self) -> Result<StatementKind> {
        let word = self.advance();
        let value = self.token(0);
        let ends = matches!(value.kind, TokenKind::Newline | TokenKind::Semicolon | TokenKind::End);
        let span = if ends { word.span() } else { value.span() };
        let text = self.lexeme(value);
        if self.lexeme(word) == "seed" {
            let seed = text.parse().ok().filter(|_| value.kind == TokenKind::Integer);
            let Some(seed) = seed else {
                return Err(
                    Error::new(span, "a seed is an integer from 0 to 2^64 - 1").with_hint("write `seed 0`")
                );
            };
            self.advance();
            return Ok(StatementKind::Seed(seed));
        }
        let dtype = match text {
            "f32" => DType::F32,
            "f64" => DType::F64,
            _ => {
                let error = Error::new(span, "a dtype is `f32` or `f64`");
                return Err(match text {
                    "float32" | "float" | "single" => error.with_hint("write `dtype f32`"),
                    "float64" | "double" => error.with_hint("write `dtype f64`"),
                    _ => error,
                });
            }
        };
        self.advance();
        Ok(StatementKind::DType(dtype))
    }

    /// `fn rms(a) = sqrt(mean(a^2))`.
    fn function(&mut self) -> Result<StatementKind> {
        self.advance();
        let name = self.name()?;
        if let Some(earlier) = self.names.function(&name.text) {
            return Err(Error::new(name.span, format!("the function `{name}` is defined already"))
                .with_label(earlier, "defined here"));
        }
        self.names.bind_function(&name);
        if self.kind(0) != TokenKind::OpenParen {
            let span = self.token(0).span();
            return Err(Error::new(span, format!("`(` is missing after `{name}`"))
                .with_hint("a function is written `fn f(x) = …`"));
        }
        self.open();
        let (mut params, mut defaults) = (Vec::new(), Vec::new());
        while self.peek().kind != TokenKind::CloseParen {
            params.push(self.name()?);
            let default = self.eat(TokenKind::Assign).map(|_| self.expression()).transpose()?;
            if default.is_none() && defaults.last().is_some_and(Option::is_some) {
                let param = &params[params.len() - 1];
                return Err(Error::new(
                    param.span,
                    format!("`{param}` has no default, and one before it has"),
                )
                .with_hint("write the parameters without a default first"));
            }
            defaults.push(default);
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        self.close("`,` or `)`")?;
        self.check_different(&params)?;
        self.locals = params.iter().map(|param| param.text.clone()).collect();
        if self.kind(0) == TokenKind::OpenBrace {
            let (inside, body) = self.block()?;
            return Ok(StatementKind::Function(Function { name, params, defaults, inside, body }));
        }
        self.expect(TokenKind::Assign, "`=` or `{`")?;
        let body = self.expression()?;
        Ok(StatementKind::Function(Function { name, params, defaults, inside: Vec::new(), body }))
    }

    /// `{ mu = mean(x); (x - mu) * g }`: definitions, and what the function gives.
    fn block(&mut self) -> Result<(Vec<Inner>, Expr)> {
        let open = self.advance();
        let inside = self.inner_statements()?;
        if matches!(self.kind(0), TokenKind::CloseBrace | TokenKind::End) {
            return Err(Error::new(self.token(0).span(), "the block gives nothing")
                .with_label(open.span(), "opened here")
                .with_hint("its last line is what the function gives: `y`, or `(a, b)`"));
        }
        let body = self.expression()?;
        self.skip_ends();
        if self.kind(0) != TokenKind::CloseBrace {
            return Err(self.unexpected("`}`"));
        }
        self.at += 1;
        Ok((inside, body))
    }

    /// The statements between braces, up to what is none.
    pub(super) fn inner_statements(&mut self) -> Result<Vec<Inner>> {
        let mut inside = Vec::new();
        loop {
            self.skip_ends();
            let is_name = self.kind(0) == TokenKind::Name;
            let inner = if is_name && self.starts_scan() {
                Inner::Scan(self.nested(Self::scan)?)
            } else if is_name && (self.kind(1) == TokenKind::Assign || self.binds_several()) {
                let names = self.bound_names()?;
                let expr = self.results(names.len())?;
                Inner::Definitions(Definitions { names, expr })
            } else {
                return Ok(inside);
            };
            let known: Vec<String> = match &inner {
                Inner::Definitions(definitions) => {
                    definitions.named().map(|name| name.text.clone()).collect()
                }
                Inner::Scan(scan) => scan.named().map(|name| name.text.clone()).collect(),
            };
            self.locals.extend(known);
            inside.push(inner);
            if !matches!(self.kind(0), TokenKind::Newline | TokenKind::Semicolon | TokenKind::CloseBrace) {
                return Err(self.unexpected("the end of the statement"));
            }
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.kind(0), TokenKind::Newline | TokenKind::Semicolon) {
            self.at += 1;
        }
    }

    /// Whether names with commas between them stand here, and `=` behind them.
    fn binds_several(&self) -> bool {
        let mut at = 0;
        while self.kind(at) == TokenKind::Name && self.kind(at + 1) == TokenKind::Comma {
            at += 2;
        }
        at > 0 && self.kind(at) == TokenKind::Name && self.kind(at + 1) == TokenKind::Assign
    }

    /// `a, b =`.
    fn bound_names(&mut self) -> Result<Vec<Name>> {
        let mut names = vec![self.name()?];
        while self.eat(TokenKind::Comma).is_some() {
            names.push(self.name()?);
        }
        self.check_different(&names.iter().filter(|name| name.binds()).cloned().collect::<Vec<_>>())?;
        self.expect(TokenKind::Assign, "`=`")?;
        Ok(names)
    }

    /// What so many names are bound to: `v, i = x.max(dim=1)` is the pair that PyTorch has.
    fn results(&mut self, count: usize) -> Result<Expr> {
        let mut expr = self.expression()?;
        if count == 2
            && let ExprKind::Call { function, .. } = &mut expr.kind
        {
            function.text = foreign::with_place(&function.text);
        }
        Ok(expr)
    }

    /// `h, c = lstm(x, h0, c0)`.
    fn definitions(&mut self) -> Result<StatementKind> {
        let names = self.bound_names()?;
        for name in names.iter().filter(|name| name.binds()) {
            self.check_fresh(name)?;
        }
        let expr = self.results(names.len());
        names.iter().filter(|name| name.binds()).for_each(|name| self.names.bind(name, Binding::Definition));
        Ok(StatementKind::Definitions(Definitions { names, expr: expr? }))
    }

    /// `a = W @ x`, `x = [1, 2, 3]`, `X = load("x.npy")`.
    fn definition(&mut self) -> Result<StatementKind> {
        let name = self.fresh_name()?;
        self.advance();
        let expr = self.expression();
        let is_input = expr.as_ref().is_ok_and(|expr| {
            let loads = matches!(&expr.kind, ExprKind::Call { function, .. } if function.text == "load");
            expr.is_literal() || loads
        });
        self.names.bind(&name, if is_input { Binding::Input } else { Binding::Definition });
        let expr = expr?;
        if is_input {
            let source = self.literal_or_load(expr)?;
            return Ok(StatementKind::Input(Input { name, shape: None, source }));
        }
        match &expr.kind {
            ExprKind::Call { function, .. } if self.draws(function) => Err(self.draws_at_once(function)),
            _ => Ok(StatementKind::Definition(Definition { name, expr })),
        }
    }

    /// `W: [m=2, n=3] ~ randn`.
    fn input(&mut self) -> Result<StatementKind> {
        let name = self.fresh_name()?;
        self.advance();
        let shape = self.shape();
        for dim in shape.iter().flat_map(|shape| &shape.dims) {
            self.names.bind_dim(dim);
        }
        self.names.bind(&name, Binding::Input);
        let shape = shape?;
        let source = self.source()?;
        Ok(StatementKind::Input(Input { name, shape: Some(shape), source }))
    }

    /// `Z[i,j] = X[i,k] * W[k,j] + b[j]`.
    fn index_definition(&mut self) -> Result<StatementKind> {
        let name = self.fresh_name()?;
        let indices = self.index_names();
        self.names.bind(&name, Binding::Definition);
        let indices = indices?;
        self.expect(TokenKind::Assign, "`=`")?;
        self.locals = indices.iter().map(|index| index.text.clone()).collect();
        let expr = self.expression()?;
        Ok(StatementKind::IndexDefinition(IndexDefinition { name, indices, expr }))
    }

    /// An expression by itself, and in a file the reason why none of the other kinds fits.
    fn expression_statement(&mut self) -> Result<StatementKind> {
        if self.mode == Mode::Inline {
            return self.expression().map(StatementKind::Expression);
        }
        let (first, next) = (self.token(0), self.token(1));
        let text = hint::shorten(self.lexeme(first));
        let error = |place: Span, message: String| Error::new(place, message);
        match (first.kind, next.kind) {
            (TokenKind::Name, _) if hint::for_statement_word(self.lexeme(first)).is_some() => {
                let hint = hint::for_statement_word(self.lexeme(first)).expect("just seen");
                Err(error(first.span(), format!("no statement starts with `{text}`")).with_hint(hint))
            }
            (TokenKind::Name, TokenKind::Equal) => {
                Err(error(next.span(), "a definition has one `=`".to_owned())
                    .with_hint(format!("write `{text} = …`")))
            }
            (TokenKind::Name, TokenKind::Update) => {
                self.advance();
                Err(self.unexpected("`=`"))
            }
            (TokenKind::Name, TokenKind::Tilde) => {
                Err(error(next.span(), format!("the shape of `{text}` is missing")).with_hint(format!(
                    "write `{text}: [m=2, n=3] ~ randn`, and `{text}: [] ~ randn` for a scalar"
                )))
            }
            (TokenKind::Name, TokenKind::Comma) => {
                Err(error(next.span(), "one name is bound at a time".to_owned())
                    .with_hint("write one statement for each"))
            }
            (TokenKind::Name, TokenKind::Slash) if self.differential(first).is_some() => {
                let place = self.token(2).span();
                let below = hint::shorten(self.lexeme(self.token(2)));
                Err(error(place, "a claim has a differential above and below the bar".to_owned())
                    .with_hint(format!("write `{text}/d{below} = …`")))
            }
            (TokenKind::Name, TokenKind::OpenParen)
                if self.after_bracket(1).is_some_and(|after| self.kind(after) == TokenKind::Assign) =>
            {
                self.advance();
                let params = hint::shorten(self.text_in_parentheses());
                let name = if text == "fn" { "f" } else { &text };
                Err(error(first.span(), "a function is defined with `fn` and a name".to_owned())
                    .with_hint(format!("write `fn {name}({params}) = …`")))
            }
            (
                TokenKind::Unknown
                | TokenKind::CloseParen
                | TokenKind::CloseBracket
                | TokenKind::UnclosedText,
                _,
            ) => Err(self.unexpected("a statement")),
            (
                TokenKind::Plus
                | TokenKind::Minus
                | TokenKind::Star
                | TokenKind::Slash
                | TokenKind::At
                | TokenKind::Dot,
                _,
            ) => Err(error(first.span(), format!("no statement starts with `{text}`"))
                .with_hint("to go on with the line above, put the whole expression in `(…)`")),
            _ => {
                // What is wrong inside the expression is more worth saying than that it stands alone.
                self.expression()?;
                if self.kind(0) == TokenKind::Assign {
                    let left = first.span().to(self.previous().map_or(first.span(), |last| last.span()));
                    return Err(error(left, "this cannot stand to the left of `=`".to_owned())
                        .with_hint("to its left stands a name, `Z[i,j]`, or a derivative such as `dL/dW`"));
                }
                if !matches!(self.kind(0), TokenKind::Newline | TokenKind::Semicolon | TokenKind::End) {
                    return Err(self.unexpected("the end of the statement"));
                }
                let span = first.span().to(self.previous().map_or(first.span(), |last| last.span()));
                Err(error(span, "an expression by itself states nothing".to_owned())
                    .with_hint("give it a name: `y = …`"))
            }
        }
    }

    pub(super) fn name(&mut self) -> Result<Name> {
        let token = self.expect(TokenKind::Name, "a name")?;
        Ok(Name::new(name_text(self.lexeme(token)), token.span()))
    }

    /// A name that nothing has yet.
    fn fresh_name(&mut self) -> Result<Name> {
        let name = self.name()?;
        self.check_fresh(&name)?;
        Ok(name)
    }

    pub(super) fn check_fresh(&self, name: &Name) -> Result<()> {
        if matches!(name.text.as_str(), "true" | "True" | "false" | "False" | "None") {
            return Err(Error::new(name.span, format!("`{name}` is a word of the language, not a name")));
        }
        match self.names.get(&name.text) {
            None => Ok(()),
            Some((binding, place)) => {
                Err(Error::new(name.span, format!("`{name}` is already {}", binding.noun()))
                    .with_label(place, "bound here")
                    .with_hint("each name is bound once; choose another"))
            }
        }
    }

    /// Refuses `m=2` where `m` has a value; where it is a dim, whoever knows the sizes compares them.
    pub(super) fn check_dim(&self, name: &Name) -> Result<()> {
        match self.names.get(&name.text) {
            None | Some((Binding::Dim, _)) => Ok(()),
            Some((binding, place)) => {
                Err(Error::new(name.span, format!("`{name}` is already {}", binding.noun()))
                    .with_label(place, "bound here")
                    .with_hint("dims and values share their names; choose another"))
            }
        }
    }
}
