//! References to claims: `dL/dv` inside an expression.
//!
//! Without spaces, and with `L` and `v` known, it refers to the claim; with spaces it divides two variables. Where
//! `dL` and `dv` are variables too, the unspaced form has two readings and is an error that offers both. A
//! reference is one piece, like a name: `2/dL/dv` is `2 / (dL/dv)`, and `dL/dS.T` transposes all of it.

use super::ast::{Name, derivative};
use super::expr::{BinaryOp, Expr, ExprKind};
use super::expression::Tree;
use super::hint;
use super::lexer::{Token, TokenKind, is_name, name_text};
use super::parser::{Mode, Parser};
use crate::error::{Error, Result};
use crate::span::Span;

/// `dL`, `∂L`, `d2L` or `∂²L`, `d3L` and so on.
pub(super) struct Differential {
    /// From 1 to 9.
    pub(super) order: usize,
    /// `L`.
    pub(super) name: Name,
}

/// The order that a character behind a `d` says.
pub(super) fn order_of(c: char) -> Option<usize> {
    match c {
        '²' => Some(2),
        '³' => Some(3),
        '2'..='9' => c.to_digit(10).map(|digit| digit as usize),
        _ => None,
    }
}

/// A small number as a word.
fn number_of(order: usize) -> String {
    match order {
        2 => "two".to_owned(),
        3 => "three".to_owned(),
        _ => order.to_string(),
    }
}

impl Parser<'_> {
    /// Reads a token as a differential.
    pub(super) fn differential(&self, token: Token) -> Option<Differential> {
        if token.kind != TokenKind::Name {
            return None;
        }
        let rest = self.lexeme(token).strip_prefix(['d', '∂'])?;
        let of = rest.chars().next().and_then(order_of);
        let (order, rest) =
            of.map_or((1, rest), |order| (order, &rest[rest.chars().next().map_or(0, char::len_utf8)..]));
        let end = token.span().end;
        is_name(rest).then(|| Differential {
            order,
            name: Name::new(name_text(rest), Span::new(end - rest.len(), end)),
        })
    }

    /// Whether the tokens from `ahead` are `dL/dx` without a space between.
    fn is_fraction(&self, ahead: usize) -> bool {
        let (above, slash, below) = (self.token(ahead), self.token(ahead + 1), self.token(ahead + 2));
        slash.kind == TokenKind::Slash && above.touches(slash) && slash.touches(below)
    }

    /// The names below the fraction bar, after the first differential there has been taken: `x` of `dL/dx`, `x`
    /// twice of `d2L/dx2`, `x` and `y` of `d2L/dx dy`, `x` twice and `y` of `d3L/dx2 dy`.
    pub(super) fn denominators(&mut self, order: usize, first: Name) -> Result<Vec<Name>> {
        if order == 1 {
            return Ok(vec![first]);
        }
        let at = first.span;
        let mut names = vec![(first, self.power_behind())];
        while names.len() < order
            && let Some(next) = self.differential(self.token(0)).filter(|next| next.order == 1)
        {
            self.at += 1;
            names.push((next.name, self.power_behind()));
        }
        // As many names as the order says are names as they are; of fewer a number at the end of one is a power.
        let is_written_out = names.len() == order;
        let mut found = Vec::new();
        for (name, power) in names {
            let (name, power) = match name.text.chars().last().and_then(order_of) {
                Some(digit)
                    if power == 1 && !is_written_out && is_name(&name.text[..name.text.len() - 1]) =>
                {
                    let text = &name.text[..name.text.len() - 1];
                    (Name::new(text, Span::new(name.span.start, name.span.end - 1)), digit)
                }
                _ => (name, power),
            };
            found.extend(std::iter::repeat_n(name, power));
        }
        if found.len() == order {
            return Ok(found);
        }
        let name = &found[0];
        let word = match order {
            2 => "second",
            3 => "third",
            _ => "higher",
        };
        Err(Error::new(
            at,
            format!("a {word} derivative is taken with respect to {} variables", number_of(order)),
        )
        .with_hint(format!("write `d{order}L/d{name}{order}`, or `d2L/d{name} dy` for different ones")))
    }

    /// The power that stands as a superscript behind a differential.
    fn power_behind(&mut self) -> usize {
        let power = match self.kind(0) {
            TokenKind::Squared => 2,
            TokenKind::Cubed => 3,
            _ => return 1,
        };
        if !self.tokens[self.at - 1].touches(self.token(0)) {
            return 1;
        }
        self.at += 1;
        power
    }

    /// The reference that starts here, if one does.
    pub(super) fn reference(&mut self) -> Result<Option<Tree>> {
        if !self.is_fraction(0) {
            return Ok(None);
        }
        let (above, below) = (self.token(0), self.token(2));
        let (Some(of), Some(first)) = (self.differential(above), self.differential(below)) else {
            return Ok(None);
        };
        let texts = [above, below].map(|token| name_text(self.lexeme(token)));
        let divides = texts.iter().all(|text| self.is_value(text));
        let start = self.at;
        self.at += 3;
        let wrt = match self.denominators(of.order, first.name) {
            Ok(wrt) => wrt,
            Err(_) if divides => {
                self.at = start;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let of = of.name;
        let span = above.span().to(self.tokens[self.at - 1].span());
        let hidden = std::iter::once(&of).chain(&wrt).any(|name| self.locals.contains(&name.text));
        let known = std::iter::once(&of).chain(&wrt).all(|name| self.names.known(&name.text));
        let claimed = !self.names.claims(&of, &wrt).is_empty();
        if hidden || !(known || claimed) {
            self.at = start;
            if self.mode == Mode::File && !divides {
                self.check_hidden(&of, &wrt)?;
                self.check_half_known(&of, &wrt, &texts)?;
            }
            return Ok(None);
        }
        if divides {
            return Err(self.two_readings(span, &texts));
        }
        if !claimed {
            return Err(self.not_claimed_yet(span, &of, &wrt));
        }
        Ok(Some(Tree::leaf(span, ExprKind::ClaimRef { of, wrt })))
    }

    fn two_readings(&self, span: Span, texts: &[String; 2]) -> Error {
        let [above, below] = texts;
        let message = format!("`{above}/{below}` has two readings: a reference to the claim, and a division");
        let mut error = Error::new(span, message).with_hint(format!(
            "write `{above} / {below}` with spaces to divide the variables; to refer to the claim, rename them"
        ));
        for text in texts {
            if let Some((_, place)) = self.names.get(text) {
                error = error.with_label(place, format!("the variable `{text}`"));
            }
        }
        error
    }

    fn not_claimed_yet(&self, span: Span, of: &Name, wrt: &[Name]) -> Error {
        let shown = derivative(of, wrt);
        let error = Error::new(span, format!("`{shown}` is not claimed above"));
        match self.claimed_below(of, &wrt[0]) {
            Some(place) => error
                .with_label(place, "it is claimed here")
                .with_hint("a reference comes after its claim: move the claim up"),
            None => error.with_hint(format!("state it first, `{shown} = …`, or write out its value here")),
        }
    }

    /// The place of a claim that comes too late.
    fn claimed_below(&self, of: &Name, wrt: &Name) -> Option<Span> {
        self.tokens[self.at..].windows(4).find_map(|window| {
            let starts = matches!(window[0].kind, TokenKind::Newline | TokenKind::Semicolon);
            let is =
                |token: Token, name: &Name| self.differential(token).is_some_and(|found| found.name == *name);
            let matches =
                starts && window[2].kind == TokenKind::Slash && is(window[1], of) && is(window[3], wrt);
            matches.then(|| window[1].span().to(window[3].span()))
        })
    }

    /// `dL/dv` inside `fn f(v) = …`: this `v` is not the one that a claim could be about.
    fn check_hidden(&self, of: &Name, wrt: &[Name]) -> Result<()> {
        let hidden = |name: &&Name| self.locals.contains(&name.text) && self.names.known(&name.text);
        let Some(name) = std::iter::once(of).chain(wrt).find(hidden) else {
            return Ok(());
        };
        let message = format!("`{name}` is a parameter or an index here, so this refers to no claim");
        Err(Error::new(name.span, message).with_hint("give the parameter or the index another name"))
    }

    /// `dL/dz` where `L` is known, but neither `z` nor a variable `dL` or `dz` is: neither reading makes sense.
    fn check_half_known(&self, of: &Name, wrt: &[Name], texts: &[String; 2]) -> Result<()> {
        let names = || std::iter::once(of).chain(wrt);
        if texts.iter().any(|text| self.is_value(text)) || !names().any(|name| self.names.known(&name.text)) {
            return Ok(());
        }
        let Some(unknown) = names().find(|name| !self.names.known(&name.text)) else {
            return Ok(());
        };
        let message = format!("`{unknown}` is not defined");
        let hint = match hint::nearest(&unknown.text, self.names.values()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`{}` refers to a claim about a variable defined above", derivative(of, wrt)),
        };
        Err(Error::new(unknown.span, message).with_hint(hint))
    }

    /// `dL / dv` with spaces, where there are no such variables but `L` and `v` are known.
    pub(super) fn check_division(&self, left: &Expr, right: &Expr) -> Result<()> {
        let (Some(above), Some(below)) = (bare_name(last_factor(left)), bare_name(right)) else {
            return Ok(());
        };
        let known = |text: &str| text.strip_prefix('d').is_some_and(|name| self.names.known(name));
        if self.mode == Mode::Inline || !known(above) || !known(below) {
            return Ok(());
        }
        let Some(missing) = [above, below].into_iter().find(|text| !self.is_value(text)) else {
            return Ok(());
        };
        let span = last_factor(left).span.to(right.span);
        Err(Error::new(span, format!("with spaces this is a division, and `{missing}` is not defined"))
            .with_hint(format!("the claim is referred to as `{above}/{below}`, without spaces")))
    }

    /// `dv/dW [col]` and `dv/da [u fixed]` inside an expression, where the cursor is at the bracket.
    pub(super) fn check_no_layout_here(&self) -> Result<()> {
        let (first, second) = (self.token(1), self.token(2));
        let text = self.lexeme(first);
        let layout =
            matches!(text, "row" | "col") && second.kind == TokenKind::CloseBracket && !self.is_value(text);
        let fixed = first.kind == TokenKind::Name && self.lexeme(second) == "fixed";
        if !layout && !fixed {
            return Ok(());
        }
        let shown = if layout { text } else { "… fixed" };
        let span = self.token(0).span().to(second.span());
        Err(Error::new(span, format!("`[{shown}]` stands only in a claim, before its `=`"))
            .with_hint("a reference has the layout in which its claim was written; leave this out"))
    }
}

/// `c` of `a * b / c`, and the expression itself where it is no product.
fn last_factor(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Binary { operator, right, .. }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul) =>
        {
            right
        }
        _ => expr,
    }
}

/// `v` of `v`, `v.T` and `v[0]`.
fn bare_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Transpose(operand) => bare_name(operand),
        ExprKind::Index { base, .. } => bare_name(base),
        _ => None,
    }
}
