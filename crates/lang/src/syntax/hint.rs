//! What was probably meant.
//!
//! Everything here turns what stands in the source into a sentence for a hint; nothing here decides whether the
//! source is right.

use super::expr::{Expr, ExprKind};
use super::lexer::TokenKind;
use super::print::print;
use crate::foreign;

/// How a token is called in a message.
pub(crate) fn describe(kind: TokenKind, lexeme: &str) -> String {
    match kind {
        TokenKind::End => "the end of the file".to_owned(),
        TokenKind::Newline => "the end of the line".to_owned(),
        _ => format!("`{}`", shorten(lexeme)),
    }
}

/// A piece of source for a message: one line of at most forty characters.
pub(crate) fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = characters.by_ref().take(MOST).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// What to write instead of a character that the language does not have.
pub(crate) fn for_character(character: char) -> Option<&'static str> {
    Some(match character {
        '×' | '∗' | '∘' => "write `*` for the product element by element, `@` for the matrix product",
        '·' | '•' | '⋅' => "write `@` for the matrix product, `*` for the product element by element",
        '÷' | '∕' | '⁄' => "write `/`",
        '–' | '—' | '‐' | '‑' => "this is a dash; write `-`",
        '‘' | '’' | '′' => "write `'` directly after a name, or `.T`, for the transpose",
        '“' | '”' | '„' | '«' | '»' | '`' => "strings stand in straight quotes, \"…\"",
        '⊤' | '⟙' => "write `.T` or `ᵀ` for the transpose",
        '⁻' => "write `inv(A)` for the inverse, `^-1` for the power element by element",
        '⁰' | '¹' | '⁴' | '⁵' | '⁶' | '⁷' | '⁸' | '⁹' | 'ⁿ' => {
            "only `²` and `³` may be written so; write `^4` for other powers"
        }
        '∑' => "write `sum(…)`; in index notation an index that is not on the left is summed",
        '∏' => "there is no product over an axis; `exp(sum(log(x)))` is that of positive numbers",
        '√' => "write `sqrt(…)`",
        '∇' => "a gradient is written `dL/dx`",
        '∂' => "`∂` stands directly before a name, as in `∂L/∂x`",
        '‖' | '∥' | '|' => "write `abs(x)`, or `sqrt(sum(x^2))` for a norm",
        '≔' | '←' => "write `=`",
        '∼' => "write `~`",
        '→' | '⇒' => "a function is written `fn f(x) = …`",
        '½' => "write `1/2`",
        '∞' => "there is no literal for infinity",
        '{' | '}' => "write `(…)` for grouping and `[…]` for lists and indices",
        '\\' => "lines are not continued with `\\`; newlines are free inside brackets",
        '!' | '&' | '?' | '$' => "the operators are `+ - * / // % @ ^` and the comparisons",
        '，' | '、' => "write `,`",
        '（' | '）' => "write `(` and `)`",
        character if character.is_control() => "this cannot be seen; delete it",
        _ => return None,
    })
}

/// What to write instead of a word of another language where an operator was expected.
pub(crate) fn for_word_after_operand(word: &str) -> Option<&'static str> {
    Some(match word {
        "if" | "else" => "there is no `if`; where `c` is 0 or 1, `c * a + (1 - c) * b` is one of both",
        "for" | "in" => "there are no loops; write sums as `sum(…)` or in index notation",
        "and" | "or" => "write `*` or `+` of the comparisons, each in parentheses",
        _ => return None,
    })
}

/// What to write instead of a word of another language at the start of a statement.
pub(crate) fn for_statement_word(word: &str) -> Option<&'static str> {
    Some(match word {
        word if foreign::KEYWORDS.contains(&word) => "a definition needs no keyword: `a = W @ x`",
        "def" | "function" | "lambda" => "a function is written `fn f(x) = …`, on one line",
        "import" | "from" => "nothing is imported; all functions are there",
        "for" | "while" => {
            "a loop is written `scan t < T, h = h0 { h = … }`; sums as `sum(…)` or in index notation"
        }
        "print" => "`pullback run` prints every definition",
        "assert" | "return" => "a claim is written `dL/dx = …`",
        "input" | "param" => "an input is written `x: [n] ~ randn` or `x = [1, 2, 3]`",
        "manual_seed" | "torch" | "np" | "jax" => "the random numbers are seeded with `seed 0`",
        _ => return None,
    })
}

/// What to write instead of `receiver.attribute`, or of `receiver.attribute(arguments)`.
pub(crate) fn for_attribute(receiver: &Expr, attribute: &str, arguments: Option<&str>) -> String {
    let is_operation = matches!(receiver.kind, ExprKind::Binary { .. } | ExprKind::Negate(_));
    let receiver = shorten(&print(receiver));
    match (attribute, arguments) {
        ("transpose" | "H" | "T", _) => {
            let receiver = if is_operation { format!("({receiver})") } else { receiver };
            format!("write `{receiver}.T`; `permute` and `transpose` are functions: `permute(A, [1, 0])`")
        }
        ("grad", _) => "a gradient is written `dL/dx`".to_owned(),
        (written, Some(_)) if written.strip_suffix('_').is_some_and(foreign::exists) => {
            format!("nothing is written in place; `{}` makes another value", written.trim_end_matches('_'))
        }
        _ if !foreign::exists(attribute) => {
            format!("attributes are `.T`, `.mT`, `.shape`, `.ndim` and `.size`; {}", absent(attribute))
        }
        (_, None) => format!(
            "attributes are `.T`, `.mT`, `.shape`, `.ndim` and `.size`; `{attribute}({receiver})` calls a function"
        ),
        (_, Some("")) => format!("write `{attribute}({receiver})`"),
        (_, Some(arguments)) => format!("write `{attribute}({receiver}, {})`", shorten(arguments)),
    }
}

/// What is to be said of a function that is not there, unless a file defines it.
fn absent(function: &str) -> String {
    match foreign::instead_of(function) {
        Some(instead) => instead,
        None => "functions are called by their names, and `pullback ops` lists them".to_owned(),
    }
}

/// The candidate nearest to `word`, if one is near enough to be what was meant: at most one edit for each whole three
/// letters, where an edit inserts, deletes or replaces a letter or swaps two neighbours.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no slip of the finger for anything, and would cost time.
    const LONGEST: usize = 32;
    let letters: Vec<char> = word.chars().take(LONGEST + 1).collect();
    if letters.len() > LONGEST {
        return None;
    }
    let allowed = letters.len() / 3;
    candidates
        .into_iter()
        .filter(|candidate| {
            *candidate != word && candidate.chars().count().abs_diff(letters.len()) <= allowed
        })
        .map(|candidate| (edits(&letters, &candidate.chars().collect::<Vec<_>>()), candidate))
        .filter(|(edits, candidate)| *edits <= allowed && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance with swaps of neighbours (optimal string alignment), by three rolling rows. Upper and lower case
/// of a letter are alike: `z` for `Z` is the commonest slip of all.
fn edits(from: &[char], to: &[char]) -> usize {
    let same = |a: &char, b: &char| a.to_lowercase().eq(b.to_lowercase());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (last[j] + usize::from(!same(a, b))).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(a, &to[j - 1]) && same(&from[i - 1], b) {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_finds_slips_and_nothing_else() {
        let known = ["randn", "rand", "uniform", "positive"];
        assert_eq!(nearest("radnn", known), Some("randn"));
        assert_eq!(nearest("unifrom", known), Some("uniform"));
        assert_eq!(nearest("gauss", known), None);
        assert_eq!(nearest("z", ["Z", "y"]), Some("Z"));
        assert_eq!(nearest("x", ["y"]), None, "one letter of one says nothing");
        assert_eq!(nearest("minimal", ["matmul"]), None);
        assert_eq!(nearest("prod", ["pow"]), None);
    }
}
