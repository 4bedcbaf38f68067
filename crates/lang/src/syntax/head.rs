//! The left side of a claim: `dL/dW`, `dv/dW [col]`, `dv/da [u fixed]`, `dZ[i,j]/dX[m,n]`, `d2L/dx dy`.
//!
//! At the start of a statement this is always a claim, whatever the names in it mean, and spaces around `/` do not
//! matter there.

use super::ast::{ClaimKey, Layout, Name};
use super::lexer::{TokenKind, name_text};
use super::parser::Parser;
use crate::error::{Error, Result};
use crate::span::Span;

/// The left side of a claim.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) key: ClaimKey,
    /// The indices of the entry above the bar, if there are any.
    pub(super) of_indices: Option<Vec<Name>>,
    /// The indices of the entry below the bar, if there are any.
    pub(super) wrt_indices: Option<Vec<Name>>,
    pub(super) span: Span,
}

/// What a pair of brackets in a head says.
enum Group {
    Layout(Layout),
    Fixed(Vec<Name>),
    Indices(Vec<Name>),
}

impl Parser<'_> {
    /// Whether a fraction of differentials, with or without indices, starts `ahead` of here.
    pub(super) fn at_head(&self, ahead: usize) -> bool {
        if self.differential(self.token(ahead)).is_none() {
            return false;
        }
        let slash = match self.kind(ahead + 1) {
            TokenKind::OpenBracket => match self.after_bracket(ahead + 1) {
                Some(after) => after,
                None => return false,
            },
            _ => ahead + 1,
        };
        self.kind(slash) == TokenKind::Slash && self.differential(self.token(slash + 1)).is_some()
    }

    /// The place after the bracket that closes the one `ahead` of here.
    pub(super) fn after_bracket(&self, ahead: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut place = ahead;
        loop {
            match self.kind(place) {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket if depth == 1 => return Some(place + 1),
                TokenKind::CloseParen | TokenKind::CloseBracket => depth -= 1,
                TokenKind::End | TokenKind::Semicolon => return None,
                _ => {}
            }
            place += 1;
        }
    }

    /// Takes the head that [`at_head`](Self::at_head) saw.
    pub(super) fn head(&mut self) -> Result<Head> {
        let above = self.advance();
        let of = self.differential(above).expect("at_head saw it");
        let of_indices = match self.kind(0) {
            TokenKind::OpenBracket => Some(self.index_names()?),
            _ => None,
        };
        self.expect(TokenKind::Slash, "`/`")?;
        let below = self.advance();
        let first = self.differential(below).expect("at_head saw it");
        if first.order != 1 {
            return Err(Error::new(
                below.span(),
                "the `2` of a second derivative stands behind the variable here",
            )
            .with_hint(format!("write `d{}2`", first.name)));
        }
        let wrt = self.denominators(of.order, first.name)?;
        if of.order == 1
            && let Some(second) = self.differential(self.token(0))
        {
            let (of, first, second) = (&of.name, &wrt[0], second.name);
            return Err(Error::new(
                self.token(0).span(),
                "a first derivative is taken with respect to one variable",
            )
            .with_hint(format!("a second derivative is written `d2{of}/d{first} d{second}`")));
        }
        let key = ClaimKey { of: of.name, wrt, layout: Layout::Default, fixed: Vec::new() };
        let mut head = Head { key, of_indices, wrt_indices: None, span: above.span() };
        while self.kind(0) == TokenKind::OpenBracket {
            self.group_into(&mut head)?;
        }
        head.span = head.span.to(self.tokens[self.at - 1].span());
        Ok(head)
    }

    fn group_into(&mut self, head: &mut Head) -> Result<()> {
        let open = self.token(0).span();
        let group = self.group()?;
        let span = open.to(self.tokens[self.at - 1].span());
        let twice = |what: &str| Err(Error::new(span, format!("the {what} is given twice")));
        match group {
            Group::Layout(_) if head.key.layout != Layout::Default => return twice("layout"),
            Group::Layout(layout) => head.key.layout = layout,
            Group::Fixed(_) if !head.key.fixed.is_empty() => return twice("list of what is fixed"),
            Group::Fixed(names) => head.key.fixed = names,
            Group::Indices(_) if head.wrt_indices.is_some() => return twice("list of indices"),
            Group::Indices(names) => head.wrt_indices = Some(names),
        }
        Ok(())
    }

    /// `[col]`, `[u, w fixed]` or `[m, n]`.
    fn group(&mut self) -> Result<Group> {
        self.open();
        let (mut names, mut fixed) = (Vec::new(), false);
        while self.peek().kind != TokenKind::CloseBracket {
            names.push(self.index_name()?);
            // `fixed` holds for all names before it: `[u, w fixed]`.
            if self.peek().kind == TokenKind::Name && self.lexeme(self.token(0)) == "fixed" {
                fixed = true;
                self.advance();
            }
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        self.close("`,` or `]`")?;
        self.check_different(&names)?;
        Ok(match names.as_slice() {
            _ if fixed => Group::Fixed(names),
            [name] if name.text == "row" => Group::Layout(Layout::Row),
            [name] if name.text == "col" => Group::Layout(Layout::Col),
            _ => Group::Indices(names),
        })
    }

    /// `[i, j]`: names only, all different.
    pub(super) fn index_names(&mut self) -> Result<Vec<Name>> {
        self.open();
        let mut names = Vec::new();
        while self.peek().kind != TokenKind::CloseBracket {
            names.push(self.index_name()?);
            if self.eat(TokenKind::Comma).is_none() {
                break;
            }
        }
        self.close("`,` or `]`")?;
        self.check_different(&names)?;
        Ok(names)
    }

    fn index_name(&mut self) -> Result<Name> {
        let token = self.peek();
        match token.kind {
            TokenKind::Name => {
                self.advance();
                Ok(Name::new(name_text(self.lexeme(token)), token.span()))
            }
            TokenKind::Integer | TokenKind::Colon => {
                Err(Error::new(token.span(), "an index on the left of `=` is a name").with_hint(
                    "single entries cannot be set; state the rule for all entries, as in `Z[i,j] = X[i,k] * W[k,j]`",
                ))
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    pub(super) fn check_different(&self, names: &[Name]) -> Result<()> {
        // Lists of names are short, but nothing keeps a file from holding one of a million.
        let mut seen = std::collections::HashMap::new();
        for name in names {
            if let Some(earlier) = seen.insert(name.text.as_str(), name.span) {
                return Err(Error::new(name.span, format!("`{name}` stands here twice"))
                    .with_label(earlier, "first here")
                    .with_hint("give each a name of its own"));
            }
        }
        Ok(())
    }
}
