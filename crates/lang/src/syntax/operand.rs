//! What operators stand between: numbers, names, calls, lists, parentheses, and indices behind them.

use super::ast::Name;
use super::expr::{BinaryOp, Expr, ExprKind, IndexItem};
use super::expression::Tree;
use super::hint;
use super::lexer::{Token, TokenKind, name_text};
use super::parser::Parser;
use crate::error::{Error, Result};
use crate::foreign;

impl Parser<'_> {
    /// `base[…]`, where the cursor is at the bracket.
    pub(super) fn index(&mut self, base: Tree) -> Result<Tree> {
        if matches!(base.expr.kind, ExprKind::ClaimRef { .. }) {
            self.check_no_layout_here()?;
        }
        self.open();
        let mut depth = base.depth;
        let mut items = Vec::new();
        while self.peek().kind != TokenKind::CloseBracket {
            items.push(self.index_item(&mut depth)?);
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        let close = self.close("`,` or `]`")?;
        let span = base.expr.span.to(close.span());
        self.grow(span, depth, ExprKind::Index { base: Box::new(base.expr), items })
    }

    fn index_item(&mut self, depth: &mut usize) -> Result<IndexItem> {
        if self.eat(TokenKind::Ellipsis).is_some() {
            return Ok(IndexItem::Ellipsis);
        }
        let start = self.bound(depth)?;
        if self.eat(TokenKind::Colon).is_none() {
            return match start {
                Some(Expr { kind: ExprKind::Name(name), .. }) if name == "None" => Ok(IndexItem::NewAxis),
                Some(at) => Ok(IndexItem::At(at)),
                None => Err(self.unexpected("an index")),
            };
        }
        let stop = self.bound(depth)?.map(Box::new);
        let step = if self.eat(TokenKind::Colon).is_some() { self.bound(depth)?.map(Box::new) } else { None };
        Ok(IndexItem::Slice { start: start.map(Box::new), stop, step })
    }

    fn bound(&mut self, depth: &mut usize) -> Result<Option<Expr>> {
        if matches!(self.peek().kind, TokenKind::Colon | TokenKind::Comma | TokenKind::CloseBracket) {
            return Ok(None);
        }
        let bound = self.tree()?;
        *depth = (*depth).max(bound.depth);
        Ok(Some(bound.expr))
    }

    /// A number, name, string, call, list, reference, or anything in parentheses.
    pub(super) fn atom(&mut self) -> Result<Tree> {
        self.room()?;
        let token = self.peek();
        match token.kind {
            TokenKind::Integer | TokenKind::Real => {
                self.advance();
                let value = number(token, self.lexeme(token))?;
                let integer = token.kind == TokenKind::Integer;
                Ok(Tree::leaf(token.span(), ExprKind::Number { value, integer }))
            }
            TokenKind::Text => {
                self.advance();
                let lexeme = self.lexeme(token);
                Ok(Tree::leaf(token.span(), ExprKind::Text(lexeme[1..lexeme.len() - 1].to_owned())))
            }
            TokenKind::Name => {
                if let Some(reference) = self.reference()? {
                    return Ok(reference);
                }
                self.advance();
                match self.lexeme(token) {
                    "true" | "True" => Ok(Tree::leaf(token.span(), ExprKind::Bool(true))),
                    "false" | "False" => Ok(Tree::leaf(token.span(), ExprKind::Bool(false))),
                    lexeme if self.peek().kind == TokenKind::OpenParen => {
                        self.call(Name::new(name_text(lexeme), token.span()), None)
                    }
                    lexeme => Ok(Tree::leaf(token.span(), ExprKind::Name(name_text(lexeme)))),
                }
            }
            TokenKind::OpenParen => self.parenthesised(),
            TokenKind::OpenBracket => {
                let open = self.open();
                let (items, depth) = self.items(TokenKind::CloseBracket, Vec::new(), 0)?;
                let close = self.close("`,` or `]`")?;
                self.grow(open.span().to(close.span()), depth, ExprKind::List(items))
            }
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// `(a + b)`, or a list in Python's other spelling: `(0, 1)`, `(0,)`.
    fn parenthesised(&mut self) -> Result<Tree> {
        let open = self.open();
        let mut tree = self.tree()?;
        if self.eat(TokenKind::Comma).is_some() {
            let (items, depth) = self.items(TokenKind::CloseParen, vec![tree.expr], tree.depth)?;
            let close = self.close("`,` or `)`")?;
            return self.grow(open.span().to(close.span()), depth, ExprKind::List(items));
        }
        let close = self.close("`)`")?;
        tree.expr.span = open.span().to(close.span());
        Ok(tree)
    }

    /// Entries up to the bracket that closes them, after those that are there already.
    fn items(
        &mut self,
        end: TokenKind,
        mut items: Vec<Expr>,
        mut depth: usize,
    ) -> Result<(Vec<Expr>, usize)> {
        while self.peek().kind != end {
            let item = self.tree()?;
            self.warn_of_missing_comma(&item.expr);
            depth = depth.max(item.depth);
            items.push(item.expr);
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        Ok((items, depth))
    }

    /// `[1 -2]` is a subtraction, but who writes it so has mostly forgotten a comma.
    fn warn_of_missing_comma(&mut self, item: &Expr) {
        if let ExprKind::Binary { operator, left, right } = &item.kind
            && operator.kind == BinaryOp::Sub
            && left.span.end < operator.span.start
            && operator.span.end == right.span.start
        {
            let (left, right) = (left.span.slice(self.source), right.span.slice(self.source));
            let (left, right) = (hint::shorten(left), hint::shorten(right));
            let warning = Error::new(item.span, format!("`{left} -{right}` is one entry, a subtraction"))
                .with_hint(format!("write `{left}, -{right}` for two entries, `{left} - {right}` for one"));
            self.warn(warning);
        }
    }

    /// The arguments of a function, the first of which may stand before it.
    pub(super) fn call(&mut self, function: Name, first: Option<Tree>) -> Result<Tree> {
        self.open();
        let start = first.as_ref().map_or(function.span, |first| first.expr.span);
        let mut depth = first.as_ref().map_or(0, |first| first.depth);
        let mut args: Vec<Expr> = first.into_iter().map(|first| first.expr).collect();
        let mut kwargs = Vec::<(Name, Expr)>::new();
        while self.peek().kind != TokenKind::CloseParen {
            let first = self.peek();
            if first.kind == TokenKind::Name && self.kind(1) == TokenKind::Assign {
                self.at += 2;
                let keyword = Name::new(name_text(self.lexeme(first)), first.span());
                if let Some((earlier, _)) = kwargs.iter().find(|(earlier, _)| *earlier == keyword) {
                    return Err(Error::new(keyword.span, format!("`{keyword}` is given twice"))
                        .with_label(earlier.span, "first here"));
                }
                let value = self.tree()?;
                depth = depth.max(value.depth);
                kwargs.push(said_otherwise(keyword, value.expr));
            } else {
                let arg = self.tree()?;
                if let Some((keyword, _)) = kwargs.first() {
                    return Err(Error::new(
                        arg.expr.span,
                        "an argument without a keyword follows one with a keyword",
                    )
                    .with_label(keyword.span, "the keyword")
                    .with_hint("write the arguments without a keyword first"));
                }
                depth = depth.max(arg.depth);
                args.push(arg.expr);
            }
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        let close = self.close("`,` or `)`")?;
        let span = start.to(close.span());
        // A function of the file is called as it is written.
        let function = match self.names.function(&function.text) {
            Some(_) => function,
            None => foreign::called_here(function, &mut args, &mut kwargs),
        };
        self.grow(span, depth, ExprKind::Call { function, args, kwargs })
    }
}

/// PyTorch's other word for a correction: `unbiased=False` is `correction=0`.
fn said_otherwise(keyword: Name, value: Expr) -> (Name, Expr) {
    match value.kind {
        ExprKind::Bool(flag) if keyword.text == "unbiased" => {
            let kind = ExprKind::Number { value: if flag { 1.0 } else { 0.0 }, integer: true };
            (Name::new("correction", keyword.span), Expr::new(value.span, kind))
        }
        _ => (keyword, value),
    }
}

fn number(token: Token, lexeme: &str) -> Result<f64> {
    // `1.` and `1.e-5` are Rust's spelling too, and so is `.5`.
    let value: f64 = lexeme.parse().map_err(|_| Error::new(token.span(), "this is not a number"))?;
    if value.is_infinite() {
        return Err(
            Error::new(token.span(), "this number is too large").with_hint("the largest is about 1.8e308")
        );
    }
    let digits = lexeme.split(['e', 'E']).next().unwrap_or_default();
    if value == 0.0 && digits.contains(|digit: char| ('1'..='9').contains(&digit)) {
        return Err(Error::new(token.span(), "this number is too small and would become 0")
            .with_hint("the smallest is about 4.9e-324"));
    }
    Ok(value)
}
