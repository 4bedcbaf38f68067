//! What is said about a token that may not stand where it stands: the likeliest reason, not the grammar.

use super::hint;
use super::lexer::{Token, TokenKind};
use super::parser::{Parser, closer};
use crate::error::Error;

impl Parser<'_> {
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
                let quote = &self.lexeme(token)[..1];
                Error::new(token.span(), "the string is never closed")
                    .with_hint(format!("write the missing `{quote}`"))
            }
            TokenKind::Prime => {
                Error::new(token.span(), "`'` transposes only directly after a name, `)` or `]`")
                    .with_hint("write `.T` for a transpose elsewhere")
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
            TokenKind::Tilde if !self.open.is_empty() => error.with_hint("write the missing `]` before it"),
            TokenKind::Tilde => error.with_hint("an input is written `x: [n] ~ randn`"),
            _ => error,
        }
    }

    /// Whether the statement is over here although brackets are open.
    fn ends_before_closing(&self, token: Token) -> bool {
        let column = self.column(self.start);
        match token.kind {
            TokenKind::End | TokenKind::Semicolon => true,
            TokenKind::Assign => self.at > self.start + 1 && self.resumes(self.at - 1, column),
            _ => self.resumes(self.at, column),
        }
    }

    fn label_end(&self, error: Error, token: Token) -> Error {
        const NEXT: &str = "the next statement seems to start here";
        match token.kind {
            TokenKind::Semicolon => error.with_label(token.span(), "the statement ends here"),
            TokenKind::Assign => error.with_label(self.tokens[self.at - 1].span(), NEXT),
            _ => error.with_label(token.span(), NEXT),
        }
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
