//! From text to tokens.
//!
//! What is no token becomes [`TokenKind::Unknown`], and the parser reports it if and when it gets there. So each statement
//! has one first error, whichever half finds it. A text as a whole is refused here only where its tokens take too much
//! memory, or one of them is longer than anything that makes sense and would be repeated in a message.
//!
//! Beside ASCII the language takes `∂` for `d` at the start of a name, `²` and `³` after it (`∂²L` is `d2L`), `ᵀ`, `⊙`,
//! `⊗`, `²`, `³`, `−`, `≤`, `≥`, `≠`, letters of every script in names, and subscript digits there. A `'` after an operand transposes it;
//! elsewhere it is a quote, as `"` is.

use crate::error::{Error, Result};
use crate::span::Span;
use logos::Logos;
use pullback_array::memory;

/// What a token is; its text is looked up in the source.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
// All that Unicode calls a space, the byte-order mark that some editors write, and comments.
#[logos(skip(r"[ \t\x0b\x0c\u{85}\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}\u{feff}]+"))]
#[logos(skip(r"#[^\n\r]*", allow_greedy = true))]
pub(crate) enum TokenKind {
    #[regex(r"\r\n|\n|\r")]
    Newline,
    #[token(";")]
    Semicolon,
    // `ᵀ` is a letter to Unicode; here it is the transpose.
    #[regex(r"(∂|[∂d][²³])?[\p{XID_Start}_--ᵀ][\p{XID_Continue}₀-₉--ᵀ]*")]
    #[regex(r"∂2[\p{XID_Start}_--ᵀ][\p{XID_Continue}₀-₉--ᵀ]*")]
    Name,
    #[regex(r"[0-9]+")]
    Integer,
    // `2.` alone is put together in `lex`, so that `x^2.T` can be told from it.
    #[regex(r"[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?")]
    #[regex(r"[0-9]+(\.)?[eE][+-]?[0-9]+")]
    #[regex(r"\.[0-9]+([eE][+-]?[0-9]+)?")]
    Real,
    #[regex("\"[^\"\n\r]*\"")]
    Text,
    #[regex("\"[^\"\n\r]*", allow_greedy = true)]
    UnclosedText,
    #[token("(")]
    OpenParen,
    #[token(")")]
    CloseParen,
    #[token("[")]
    OpenBracket,
    #[token("]")]
    CloseBracket,
    #[token("{")]
    OpenBrace,
    #[token("}")]
    CloseBrace,
    #[token("&")]
    And,
    #[token("|")]
    Or,
    #[token("!")]
    Not,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("~")]
    Tilde,
    #[token("=")]
    Assign,
    #[token(".")]
    Dot,
    #[token("...")]
    Ellipsis,
    #[token("'")]
    Prime,
    #[token("ᵀ")]
    SuperT,
    #[token("²")]
    Squared,
    #[token("³")]
    Cubed,
    #[token("+")]
    Plus,
    #[token("-")]
    #[token("−")]
    Minus,
    #[token("->")]
    #[token("→")]
    Arrow,
    #[token("*")]
    #[token("⊙")]
    Star,
    #[token("/")]
    Slash,
    #[token("//")]
    SlashSlash,
    #[token("%")]
    Percent,
    #[token("@")]
    At,
    #[token("⊗")]
    Kron,
    #[token("^")]
    #[token("**")]
    Power,
    #[token("<")]
    Less,
    #[token(">")]
    Greater,
    #[token("<=")]
    #[token("≤")]
    LessEqual,
    #[token(">=")]
    #[token("≥")]
    GreaterEqual,
    #[token("==")]
    Equal,
    #[token("!=")]
    #[token("≠")]
    NotEqual,
    #[token("+=")]
    #[token("-=")]
    #[token("*=")]
    #[token("/=")]
    #[token("@=")]
    Update,
    /// Anything else: one character.
    Unknown,
    /// The end of the source, once, as the last token.
    End,
}

/// A token: twelve bytes, because a line of ten million brackets must not cost a gigabyte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    start: u32,
    end: u32,
}

impl Token {
    pub(crate) fn span(self) -> Span {
        Span::new(self.start as usize, self.end as usize)
    }

    /// Whether what stands before it may be an operand, so that `'` after it is a transpose.
    fn ends_operand(self) -> bool {
        use TokenKind::{
            CloseBrace, CloseBracket, CloseParen, Cubed, Integer, Name, Prime, Real, Squared, SuperT, Text,
        };
        matches!(
            self.kind,
            Name | Integer
                | Real
                | Text
                | CloseParen
                | CloseBracket
                | CloseBrace
                | Prime
                | SuperT
                | Squared
                | Cubed
        )
    }

    /// Whether `next` follows without so much as a space between.
    pub(crate) fn touches(self, next: Self) -> bool {
        self.end == next.start
    }
}

/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// The longest text in quotes, in bytes: a path may be as long on most systems.
const LONGEST_TEXT: usize = 4096;

/// After so many tokens memory is asked for.
const PORTION: usize = 1 << 16;

/// All tokens of `source`, ended by [`TokenKind::End`]. The source is shorter than 4 GiB: the parser sees to it.
///
/// # Errors
/// Where memory is refused, or a name or a text in quotes is too long.
pub(crate) fn lex(source: &str) -> Result<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut lexer = TokenKind::lexer(source);
    while let Some(mut kind) = lexer.next() {
        if kind == Ok(TokenKind::Prime) && tokens.last().is_none_or(|last| !last.ends_operand()) {
            // There is nothing to transpose: it is a quote.
            let rest = lexer.remainder();
            let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let closing = rest[..line].find('\'');
            kind = Ok(closing.map_or(TokenKind::UnclosedText, |_| TokenKind::Text));
            lexer.bump(closing.map_or(line, |at| at + 1));
        }
        let range = lexer.span();
        if tokens.len().is_multiple_of(PORTION) {
            let growth = tokens.capacity().max(PORTION) * size_of::<Token>();
            memory::room(growth).map_err(|error| too_much(range.clone().into(), &error))?;
        }
        let (what, most) = match kind {
            Ok(TokenKind::Name) => ("name", LONGEST_NAME),
            Ok(TokenKind::Text) => ("text in quotes", LONGEST_TEXT),
            _ => ("token", usize::MAX),
        };
        if range.len() > most {
            let message = format!("a {what} of {} bytes", range.len());
            return Err(Error::new(range.into(), message).with_hint(format!("{most} are the most")));
        }
        let (mut start, end) = (range.start as u32, range.end as u32);
        match kind {
            Ok(TokenKind::Dot) if ends_real(source, &tokens, start, end) => {
                let last = tokens.last_mut().expect("ends_real looked at it");
                *last = Token { kind: TokenKind::Real, start: last.start, end };
            }
            Ok(kind) => tokens.push(Token { kind, start, end }),
            Err(()) => {
                for character in source[range].chars() {
                    let end = start + character.len_utf8() as u32;
                    tokens.push(Token { kind: TokenKind::Unknown, start, end });
                    start = end;
                }
            }
        }
    }
    let end = source.len() as u32;
    tokens.push(Token { kind: TokenKind::End, start: end, end });
    Ok(tokens)
}

/// Memory was refused at a place of the text.
pub(crate) fn too_much(span: Span, error: &pullback_array::Error) -> Error {
    Error::new(span, error.message()).with_hint(match error.hint() {
        Some(hint) => format!("{hint}; data belongs in a file of its own: `load(\"x.npy\")`"),
        None => "data belongs in a file of its own: `load(\"x.npy\")`".to_owned(),
    })
}

/// Whether the dot at `start..end` is the end of a number, as in `[1., 2.]`, and not the dot of `2.T`.
fn ends_real(source: &str, tokens: &[Token], start: u32, end: u32) -> bool {
    let after = source[end as usize..].chars().next();
    tokens.last().is_some_and(|last| last.kind == TokenKind::Integer && last.end == start)
        && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

/// The text of a name, in the one spelling under which it is looked up.
///
/// `∂` at the start is `d`, `²` and `³` after it are `2` and `3`, and the letters that Unicode has twice for old times' sake
/// (the micro sign, the ohm sign) are the Greek ones that they look like.
pub(crate) fn name_text(lexeme: &str) -> String {
    let mut text = lexeme.replace('µ', "μ").replace('\u{2126}', "Ω");
    if let Some(rest) = text.strip_prefix('∂') {
        text = format!("d{rest}");
    }
    for (power, digit) in [('²', '2'), ('³', '3')] {
        if let Some(rest) = text.strip_prefix('d').and_then(|rest| rest.strip_prefix(power)) {
            text = format!("d{digit}{rest}");
        }
    }
    text
}

/// Whether `text` is one name and nothing else.
pub(crate) fn is_name(text: &str) -> bool {
    let mut lexer = TokenKind::lexer(text);
    lexer.next() == Some(Ok(TokenKind::Name)) && lexer.slice() == text
}
