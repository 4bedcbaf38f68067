//! The parser's frame: tokens, brackets, errors, and how to go on after one.
//!
//! Statements are in `statement`, the left side of claims in `head`, expressions in `expression`, references to
//! claims in `reference`. The first error of a statement ends it; parsing goes on at the next one.

use super::ast::File;
use super::expr::{Expr, MAX_NESTING};
use super::hint;
use super::lexer::{Token, TokenKind, lex};
use super::names::Names;
use crate::error::{Error, Result};
use crate::span::Span;

/// The most errors that are reported for one text.
pub const MAX_ERRORS: usize = 20;

/// The longest text that is parsed, in bytes. A `.grad` file is written by hand; data belongs in a file of its own.
pub const MAX_SOURCE: usize = 16 << 20;

/// What a text was found to say, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The statements without an error.
    pub file: File,
    /// The names that the text introduces, those of statements with an error among them.
    pub names: Names,
    /// What is probably not meant, in the order of the text, at most [`MAX_ERRORS`].
    pub warnings: Vec<Error>,
    /// The first error of each statement, at most [`MAX_ERRORS`].
    pub errors: Vec<Error>,
}

/// A single expression.
#[derive(Clone, Debug)]
pub struct ParsedExpr {
    /// What was written.
    pub expr: Expr,
    /// What is probably not meant, in the order of the text.
    pub warnings: Vec<Error>,
}

/// Parses a `.grad` file.
///
/// ```
/// let parsed = pullback_lang::parse("x: [n=3] ~ randn\nL = sum(x^2)\ndL/dx = 2 * x");
/// assert_eq!(parsed.file.statements.len(), 3);
/// assert!(parsed.errors.is_empty());
/// ```
pub fn parse(source: &str) -> Parsed {
    let mut parsed = parse_in_mode(source, Mode::File);
    // A statement that was left out may be the one that uses a name.
    if parsed.errors.is_empty() {
        parsed.warnings.extend(super::lint::lint(&parsed.file));
        parsed.warnings.sort_by_key(|warning| warning.span());
        parsed.warnings.truncate(MAX_ERRORS);
    }
    parsed
}

/// Parses a `.grad` file as it comes from a disk. Bytes that are not UTF-8 are one error, at the first of them;
/// its place holds for `String::from_utf8_lossy` of the bytes too.
pub fn parse_bytes(bytes: &[u8]) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(source) => parse(source),
        Err(error) => {
            let start = error.valid_up_to();
            let end = start + error.error_len().unwrap_or(bytes.len() - start);
            let error = Error::new(Span::new(start, end), "the file is not UTF-8");
            let hint = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16; save it as UTF-8",
                _ if bytes.contains(&0) => {
                    "it looks like a binary file; arrays are read with `load(\"x.npy\")`"
                }
                _ => "save it as UTF-8",
            };
            Parsed { errors: vec![error.with_hint(hint)], ..Parsed::default() }
        }
    }
}

/// Parses what is given on the command line: as [`parse`], but names need not be declared, and an expression may
/// stand by itself as a statement.
///
/// ```
/// let parsed = pullback_lang::parse_statements("a = X @ W; sum(a^2)");
/// assert_eq!(parsed.file.statements.len(), 2);
/// ```
pub fn parse_statements(source: &str) -> Parsed {
    parse_in_mode(source, Mode::Inline)
}

/// Parses one expression, in which no claim can be referred to.
///
/// # Errors
/// The first error in the text.
pub fn parse_expr(source: &str) -> Result<ParsedExpr> {
    parse_expr_in(source, &Names::default())
}

/// Parses one expression as if it stood at the end of the text that introduced `names`.
///
/// # Errors
/// The first error in the text.
pub fn parse_expr_in(source: &str, names: &Names) -> Result<ParsedExpr> {
    check_length(source)?;
    let mut parser = Parser::new(source, Mode::Inline);
    parser.names = names.clone();
    while parser.peek().kind == TokenKind::Newline {
        parser.at += 1;
    }
    parser.start = parser.at;
    let expr = parser.expression()?;
    while parser.peek().kind == TokenKind::Newline {
        parser.at += 1;
    }
    match parser.peek().kind {
        TokenKind::End => Ok(ParsedExpr { expr, warnings: parser.warnings }),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

fn parse_in_mode(source: &str, mode: Mode) -> Parsed {
    if let Err(error) = check_length(source) {
        return Parsed { errors: vec![error], ..Parsed::default() };
    }
    Parser::new(source, mode).text()
}

fn check_length(source: &str) -> Result<()> {
    if source.len() <= MAX_SOURCE {
        return Ok(());
    }
    let message = format!("the text is longer than {} MiB", MAX_SOURCE >> 20);
    Err(Error::new(Span::new(0, 0), message)
        .with_hint("put the data in a file and read it with `load(\"x.npy\")`"))
}

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
    warnings: Vec<Error>,
    errors: Vec<Error>,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, mode: Mode) -> Self {
        Self {
            source,
            tokens: lex(source),
            at: 0,
            start: 0,
            open: Vec::new(),
            nesting: 0,
            names: Names::default(),
            locals: Vec::new(),
            mode,
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn text(mut self) -> Parsed {
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
            match self.statement() {
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

    /// The error that the next token is none of those that may stand here, and the likeliest reason for it.
    pub(super) fn unexpected(&mut self, expected: &str) -> Error {
        let token = self.peek();
        let found = hint::describe(token.kind, self.lexeme(token));
        if let Some(opener) = self.open.last().copied()
            && self.ends_before_closing(token)
        {
            let (opened, missing) = (self.lexeme(opener), closing_text(opener.kind));
            let error = Error::new(opener.span(), format!("`{opened}` is never closed"));
            let error = if token.kind == TokenKind::End { error } else { self.label_end(error, token) };
            return error.with_hint(format!("write the missing `{missing}`"));
        }
        match token.kind {
            TokenKind::Unknown => self.unknown_character(token),
            TokenKind::UnclosedText => {
                Error::new(token.span(), "the string is never closed").with_hint("write the missing `\"`")
            }
            TokenKind::Prime => {
                Error::new(token.span(), "`'` transposes only directly after a name, `)` or `]`")
                    .with_hint("write `.T` for a transpose elsewhere; strings stand in double quotes, \"…\"")
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => self.unexpected_closer(token, expected),
            TokenKind::Assign if self.previous().is_some() => self.unexpected_assign(token, expected),
            TokenKind::Update => Error::new(token.span(), format!("there is no `{}`", self.lexeme(token)))
                .with_hint("a name is bound once; write the whole sum on the right of one `=`"),
            _ if self.operand_follows_operand(token) => self.missing_between(token, &found),
            _ => self.expected(token, expected, &found),
        }
    }

    fn expected(&self, token: Token, expected: &str, found: &str) -> Error {
        let after = match self.previous() {
            Some(previous) => format!(" after `{}`", hint::shorten(self.lexeme(previous))),
            None => String::new(),
        };
        let error = Error::new(token.span(), format!("expected {expected}{after}, found {found}"));
        match token.kind {
            TokenKind::Newline if self.open.is_empty() => {
                error.with_hint("a statement ends with its line; newlines are free inside brackets")
            }
            TokenKind::Colon if self.open.is_empty() => {
                error.with_hint("an input is written `x: [n] ~ randn`")
            }
            TokenKind::Tilde => error.with_hint("an input is written `x: [n] ~ randn`"),
            _ => error,
        }
    }

    /// Whether the statement is over here although brackets are open.
    fn ends_before_closing(&self, token: Token) -> bool {
        match token.kind {
            TokenKind::End | TokenKind::Semicolon => true,
            TokenKind::Assign => self.at > self.start + 1 && self.resumes(self.at - 1),
            _ => self.resumes(self.at),
        }
    }

    fn label_end(&self, error: Error, token: Token) -> Error {
        let place = if token.kind == TokenKind::Assign { self.tokens[self.at - 1] } else { token };
        error.with_label(place.span(), "the next statement seems to start here")
    }

    fn unknown_character(&self, token: Token) -> Error {
        let character = self.lexeme(token).chars().next().unwrap_or('\u{fffd}');
        let shown = if character.is_control() || !is_visible(character) {
            format!("U+{:04X}", u32::from(character))
        } else {
            format!("`{character}`")
        };
        let error = Error::new(token.span(), format!("{shown} means nothing here"));
        match hint::for_character(character) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn unexpected_closer(&self, token: Token, expected: &str) -> Error {
        let found = self.lexeme(token);
        match self.open.last() {
            None => Error::new(token.span(), format!("`{found}` closes nothing"))
                .with_hint(format!("remove it, or write the missing `{}`", opening_text(token.kind))),
            Some(opener) if closer(opener.kind) != token.kind => {
                let (opened, missing) = (self.lexeme(*opener), closing_text(opener.kind));
                Error::new(token.span(), format!("`{found}` does not close `{opened}`"))
                    .with_label(opener.span(), "opened here")
                    .with_hint(format!("write `{missing}` before it"))
            }
            Some(_) => self.expected(token, expected, &format!("`{found}`")),
        }
    }

    fn unexpected_assign(&self, token: Token, expected: &str) -> Error {
        if self.previous().is_some_and(|previous| !ends_operand(previous.kind)) {
            return self.expected(token, expected, "`=`");
        }
        let hint = match self.open.last() {
            Some(opener) if opener.kind == TokenKind::OpenParen => {
                "a keyword argument is a name before `=`, as in `sum(x, axis=0)`; `==` compares"
            }
            Some(_) => "`==` compares",
            None => "a statement has one `=`; `==` compares",
        };
        Error::new(token.span(), "`=` does not stand inside an expression").with_hint(hint)
    }

    fn operand_follows_operand(&self, token: Token) -> bool {
        self.previous().is_some_and(|previous| ends_operand(previous.kind)) && begins_operand(token.kind)
    }

    /// Two operands side by side: an operator or a comma was forgotten.
    fn missing_between(&self, token: Token, found: &str) -> Error {
        let previous = self.previous().expect("operand_follows_operand saw it");
        let before = hint::shorten(self.lexeme(previous));
        let word = hint::for_word_after_operand(self.lexeme(token)).filter(|_| token.kind == TokenKind::Name);
        if let (Some(hint), false) = (word, previous.touches(token)) {
            return Error::new(token.span(), format!("expected an operator after `{before}`, found {found}"))
                .with_hint(hint);
        }
        let (what, hint) = match self.open.last().map(|opener| opener.kind) {
            Some(TokenKind::OpenBracket) => {
                ("a comma", format!("write `{before}, {}`", found.trim_matches('`')))
            }
            Some(_) => {
                ("a comma or an operator", "write `,` between arguments, `*` or `@` for a product".to_owned())
            }
            None => (
                "an operator",
                "write `*` for the product element by element, `@` for the matrix product".to_owned(),
            ),
        };
        Error::new(token.span(), format!("{what} is missing between `{before}` and {found}")).with_hint(hint)
    }

    /// Goes to the end of the statement in which an error was found.
    fn recover(&mut self) {
        if self.at > self.start + 1 && self.resumes(self.at - 1) {
            self.at -= 1;
            return;
        }
        if self.at > self.start && self.resumes(self.at) {
            return;
        }
        let mut depth = self.open.len();
        loop {
            match self.kind(0) {
                TokenKind::End | TokenKind::Semicolon => return,
                TokenKind::Newline if depth == 0 || self.resumes(self.at + 1) => return,
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the token at `at` starts a line that reads like a statement and is not indented against this one:
    /// where a bracket was left open, the next statement is found by this.
    fn resumes(&self, at: usize) -> bool {
        let starts_line = at > self.start && self.tokens[at - 1].kind == TokenKind::Newline;
        if !starts_line
            || self.tokens[at].kind != TokenKind::Name
            || self.column(at) > self.column(self.start)
        {
            return false;
        }
        let mut depth = 0usize;
        let mut states = matches!(self.lexeme(self.tokens[at]), "seed" | "dtype");
        for token in &self.tokens[at..] {
            match token.kind {
                TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
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
    fn column(&self, at: usize) -> usize {
        let start = self.tokens[at].span().start;
        start - self.source[..start].rfind(['\n', '\r']).map_or(0, |newline| newline + 1)
    }
}

fn closer(opener: TokenKind) -> TokenKind {
    match opener {
        TokenKind::OpenParen => TokenKind::CloseParen,
        _ => TokenKind::CloseBracket,
    }
}

fn closing_text(opener: TokenKind) -> &'static str {
    if opener == TokenKind::OpenParen { ")" } else { "]" }
}

fn opening_text(closer: TokenKind) -> &'static str {
    if closer == TokenKind::CloseParen { "(" } else { "[" }
}

fn is_visible(character: char) -> bool {
    // Private use, and the invisible marks that text copied from a page brings along.
    !matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{200c}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{ad}')
}

fn ends_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Integer
            | TokenKind::Real
            | TokenKind::Text
            | TokenKind::CloseParen
            | TokenKind::CloseBracket
            | TokenKind::Prime
            | TokenKind::SuperT
            | TokenKind::Squared
            | TokenKind::Cubed
    )
}

fn begins_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Integer
            | TokenKind::Real
            | TokenKind::Text
            | TokenKind::OpenParen
            | TokenKind::OpenBracket
    )
}
