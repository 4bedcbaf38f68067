//! Loops: `scan t < T, h = h0, c = c0 -> hs, _ { … }`.
//!
//! The names of a loop are its own until it is over: then the carries, and the names behind the arrow, are bound where the loop stands.

use super::ast::{Name, Scan, StatementKind};
use super::lexer::TokenKind;
use super::names::Binding;
use super::parser::Parser;
use crate::error::{Error, Result};

impl Parser<'_> {
    /// Whether a loop starts here: `scan` is a word of the language only before `name <`.
    pub(super) fn starts_scan(&self) -> bool {
        self.lexeme(self.token(0)) == "scan"
            && self.kind(1) == TokenKind::Name
            && self.kind(2) == TokenKind::Less
    }

    pub(super) fn scan_statement(&mut self) -> Result<StatementKind> {
        let scan = self.scan()?;
        for name in scan.named() {
            self.check_fresh(name)?;
            self.names.bind(name, Binding::Definition);
        }
        Ok(StatementKind::Scan(scan))
    }

    pub(super) fn scan(&mut self) -> Result<Scan> {
        let word = self.advance();
        let index = self.name()?;
        self.expect(TokenKind::Less, "`<`")?;
        let length = self.expression()?;
        let mut carries = Vec::new();
        while self.eat(TokenKind::Comma).is_some() {
            let name = self.name()?;
            self.expect(TokenKind::Assign, "`=`")?;
            carries.push((name, self.expression()?));
        }
        if carries.is_empty() {
            return Err(Error::new(word.span().to(length.span), "the loop carries nothing").with_hint(
                "what goes from step to step is named with its start: `scan t < T, h = h0 { h = … }`",
            ));
        }
        let mut all = Vec::new();
        if let Some(arrow) = self.eat(TokenKind::Arrow) {
            all.push(self.name()?);
            while self.eat(TokenKind::Comma).is_some() {
                all.push(self.name()?);
            }
            if all.len() > carries.len() {
                let message = format!("{} names for all values of {} carries", all.len(), carries.len());
                return Err(Error::new(arrow.span().to(all[all.len() - 1].span), message)
                    .with_hint("they stand in the order of the carries"));
            }
        }
        let names: Vec<Name> = carries
            .iter()
            .map(|(name, _)| name)
            .chain(all.iter().filter(|name| name.binds()))
            .chain([&index])
            .cloned()
            .collect();
        self.check_different(&names)?;
        let outer = self.locals.clone();
        self.locals.extend(carries.iter().map(|(name, _)| name.text.clone()).chain([index.text.clone()]));
        if self.kind(0) != TokenKind::OpenBrace {
            return Err(self.unexpected("`{`"));
        }
        self.at += 1;
        let body = self.inner_statements()?;
        if self.kind(0) != TokenKind::CloseBrace {
            let message = "expected a statement of the loop, `h = …`, or `}`";
            return Err(Error::new(self.token(0).span(), message).with_label(word.span(), "it starts here"));
        }
        self.at += 1;
        self.locals = outer;
        Ok(Scan { index, length, carries, all, body })
    }
}
