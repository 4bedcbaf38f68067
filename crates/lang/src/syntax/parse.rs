//! The ways in: a file, bytes, what stands on a command line, one expression.

use super::ast::File;
use super::expr::Expr;
use super::lexer::TokenKind;
use super::names::Names;
use super::parser::{Mode, Parser};
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
    let mut parser = Parser::new(source, Mode::Inline)?;
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
    match check_length(source).and_then(|()| Parser::new(source, mode)) {
        Ok(parser) => parser.text(),
        Err(error) => Parsed { errors: vec![error], ..Parsed::default() },
    }
}

fn check_length(source: &str) -> Result<()> {
    if source.len() <= MAX_SOURCE {
        return Ok(());
    }
    let message = format!("the text is longer than {} MiB", MAX_SOURCE >> 20);
    Err(Error::new(Span::new(0, 0), message)
        .with_hint("put the data in a file and read it with `load(\"x.npy\")`"))
}
