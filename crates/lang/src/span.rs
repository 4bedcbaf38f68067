//! Places in a source text.
//!
//! A [`Span`] counts bytes, because that is what slices a `str`; a [`Position`] counts lines and characters,
//! because that is what a reader counts. Nothing here holds the source itself.

/// The bytes `start..end` of a source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text at this place; empty where the span does not belong to `source`.
    ///
    /// ```
    /// # use pullback_lang::Span;
    /// assert_eq!(Span::new(4, 9).slice("a = W @ x"), "W @ x");
    /// assert_eq!(Span::new(4, 99).slice("a = W @ x"), "");
    /// ```
    pub fn slice(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or("")
    }

    /// Line and column at which the span starts. Takes time linear in `start`.
    ///
    /// ```
    /// # use pullback_lang::{Position, Span};
    /// let source = "∂ = 1\nμ = 2; x = 3";
    /// let x = source.find('x').expect("x is there");
    /// assert_eq!(Span::new(x, x + 1).position(source), Position { line: 2, column: 8 });
    /// ```
    pub fn position(self, source: &str) -> Position {
        self.position_after(source, 0, Position { line: 1, column: 1 })
    }

    /// The same, counted from an earlier byte whose position is known: whoever asks for many positions remembers some.
    ///
    /// ```
    /// # use pullback_lang::Span;
    /// let (source, third) = ("a\nb\nc = 1", Span::new(4, 5));
    /// let second = Span::new(2, 3).position(source);
    /// assert_eq!(third.position_after(source, 2, second), third.position(source));
    /// ```
    pub fn position_after(self, source: &str, known: usize, mut position: Position) -> Position {
        let mut end = self.start.min(source.len());
        while !source.is_char_boundary(end) {
            end -= 1;
        }
        let passed = source.get(known..end).unwrap_or("");
        for (at, character) in passed.char_indices() {
            let at = known + at;
            // A line ends at `\n`, at `\r\n`, or at a lone `\r`, as in the lexer.
            let ends_line = match character {
                '\n' => true,
                '\r' => !source[at + 1..].starts_with('\n'),
                _ => false,
            };
            position.column += 1;
            if ends_line {
                position = Position { line: position.line + 1, column: 1 };
            }
        }
        position
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(bytes: std::ops::Range<usize>) -> Self {
        Self::new(bytes.start, bytes.end)
    }
}

/// A place as a reader counts it: both numbers start at 1, and columns count characters (Unicode scalar values).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}
