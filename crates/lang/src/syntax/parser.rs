//! The parser's frame: tokens, brackets, and how to go on after an error.
//!
//! Statements are in `statement` and `claim`, the left side of claims in `head`, expressions in `expression` and
//! `operand`, references to claims in `reference`, and what is said about a token that may not stand where it
//! stands in `unexpected`. The first error of a statement ends it; parsing goes on at the next one.

use super::ast::File;
use super::expr::MAX_NESTING;
use super::lexer::{Token, TokenKind, lex, too_much};
use super::names::Names;
use super::parse::{MAX_ERRORS, Parsed};
use crate::error::{Error, Result};
use pullback_array::memory;

/// Where the text comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// A file: names are declared.
    File,
    /// The command line: undeclared names are inputs, expressions may stand alone.
    Inline,
}

pub(super) struct Parser<'s> {
    pub(super) source: &'s str,
    pub(super) tokens: Vec<Token>,
    /// The next token.
    pub(super) at: usize,
    /// The first token of this statement.
    pub(super) start: usize,
    /// The brackets that are open here.
    pub(super) open: Vec<Token>,
    /// How many brackets, signs and powers are open here.
    nesting: usize,
    pub(super) names: Names,
    /// Parameters or indices: known inside this statement, where they hide what else has their name.
    pub(super) locals: Vec<String>,
    pub(super) mode: Mode,
    pub(super) warnings: Vec<Error>,
    errors: Vec<Error>,
}

impl<'s> Parser<'s> {
    pub(super) fn new(source: &'s str, mode: Mode) -> Result<Self> {
        Ok(Self {
            source,
            tokens: lex(source)?,
            at: 0,
            start: 0,
            open: Vec::new(),
            nesting: 0,
            names: Names::default(),
            locals: Vec::new(),
            mode,
            warnings: Vec::new(),
            errors: Vec::new(),
        })
    }

    /// All statements.
    pub(super) fn text(mut self) -> Parsed {
        let mut file = File::default();
        loop {
            while matches!(self.kind(0), TokenKind::Newline | TokenKind::Semicolon) {
                self.at += 1;
            }
            if self.kind(0) == TokenKind::End || self.errors.len() == MAX_ERRORS {
                break;
            }
            self.start = self.at;
            self.nesting = 0;
            self.open.clear();
            self.locals.clear();
            match self.room().and_then(|()| self.statement()) {
                Ok(statement) => file.statements.push(statement),
                Err(error) => {
                    self.errors.push(error);
                    self.recover();
                }
            }
        }
        Parsed { file, names: self.names, warnings: self.warnings, errors: self.errors }
    }

    /// The next token. Newlines are free inside brackets.
    pub(super) fn peek(&mut self) -> Token {
        while !self.open.is_empty() && self.kind(0) == TokenKind::Newline {
            self.at += 1;
        }
        self.token(0)
    }

    /// The token `ahead` of the next one, newlines included; past the last one, [`TokenKind::End`].
    pub(super) fn token(&self, ahead: usize) -> Token {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    /// What the token `ahead` of the next one is.
    pub(super) fn kind(&self, ahead: usize) -> TokenKind {
        self.token(ahead).kind
    }

    /// The token before the next one, newlines aside, if it belongs to this statement.
    pub(super) fn previous(&self) -> Option<Token> {
        self.tokens[self.start..self.at].iter().rev().find(|token| token.kind != TokenKind::Newline).copied()
    }

    /// The text of a token.
    pub(super) fn lexeme(&self, token: Token) -> &'s str {
        token.span().slice(self.source)
    }

    /// Takes the next token.
    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// Takes the next token if it is of this kind.
    pub(super) fn eat(&mut self, kind: TokenKind) -> Option<Token> {
        (self.peek().kind == kind).then(|| self.advance())
    }

    pub(super) fn expect(&mut self, kind: TokenKind, expected: &str) -> Result<Token> {
        self.eat(kind).ok_or_else(|| self.unexpected(expected))
    }

    /// Takes an opening bracket. Until [`close`](Self::close), newlines are free.
    pub(super) fn open(&mut self) -> Token {
        let token = self.advance();
        self.open.push(token);
        token
    }

    /// Takes the bracket that closes the one opened last.
    pub(super) fn close(&mut self, expected: &str) -> Result<Token> {
        let opened = self.open.last().expect("close follows open").kind;
        if self.peek().kind != closer(opened) {
            return Err(self.unexpected(expected));
        }
        self.open.pop();
        Ok(self.advance())
    }

    /// Asks whether there is memory for more of the tree.
    pub(super) fn room(&mut self) -> Result<()> {
        memory::check().map_err(|error| too_much(self.peek().span(), &error))
    }

    /// Parses with `inner` one level deeper.
    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting > MAX_NESTING {
            let message = format!("this is nested deeper than {MAX_NESTING} levels");
            return Err(
                Error::new(self.peek().span(), message).with_hint("give a part of it a name of its own")
            );
        }
        self.nesting += 1;
        let result = inner(self)?;
        self.nesting -= 1;
        Ok(result)
    }

    pub(super) fn warn(&mut self, warning: Error) {
        if self.warnings.len() < MAX_ERRORS {
            self.warnings.push(warning);
        }
    }

    /// Goes to the end of the statement in which an error was found.
    fn recover(&mut self) {
        // Once for the whole statement: what stands before it on its line may be long.
        let column = self.column(self.start);
        if self.at > self.start + 1 && self.resumes(self.at - 1, column) {
            self.at -= 1;
            return;
        }
        if self.at > self.start && self.resumes(self.at, column) {
            return;
        }
        let mut depth = self.open.len();
        loop {
            match self.kind(0) {
                TokenKind::End | TokenKind::Semicolon => return,
                TokenKind::Newline if depth == 0 || self.resumes(self.at + 1, column) => return,
                TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the token at `at` starts a line that reads like a statement and is not indented against this one,
    /// which starts at `column`: where a bracket was left open, the next statement is found by this.
    pub(super) fn resumes(&self, at: usize, column: usize) -> bool {
        let starts_line = at > self.start && self.tokens[at - 1].kind == TokenKind::Newline;
        if !starts_line || self.tokens[at].kind != TokenKind::Name || self.column(at) > column {
            return false;
        }
        let mut depth = 0usize;
        let mut states = matches!(self.lexeme(self.tokens[at]), "seed" | "dtype");
        for token in &self.tokens[at..] {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket if depth == 0 => return false,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth -= 1,
                TokenKind::Assign | TokenKind::Colon | TokenKind::Tilde if depth == 0 => states = true,
                TokenKind::Newline | TokenKind::Semicolon | TokenKind::End => break,
                _ => {}
            }
        }
        states
    }

    /// How many bytes stand between the start of the line and the token at `at`.
    pub(super) fn column(&self, at: usize) -> usize {
        let start = self.tokens[at].span().start;
        start - self.source[..start].rfind(['\n', '\r']).map_or(0, |newline| newline + 1)
    }
}

pub(super) fn closer(opener: TokenKind) -> TokenKind {
    match opener {
        TokenKind::OpenParen => TokenKind::CloseParen,
        _ => TokenKind::CloseBracket,
    }
}
