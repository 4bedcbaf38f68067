//! Text from outside, so that all of it is seen and none of it is obeyed.
//!
//! Names of files and of a dump's arrays, comments and strings may hold characters that a terminal acts on: control characters of
//! both ranges, marks that turn the direction of a line, separators that end one. They are shown by their number.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

/// Is this a character that a terminal acts on, and does not show?
fn is_obeyed(character: char) -> bool {
    // Marks, embeddings, overrides and isolates of bidirectional text (Unicode's UAX 9), and the separators of lines and paragraphs.
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns || matches!(character, '\u{2028}' | '\u{2029}')
}

/// One line of text, with the numbers of such characters in their place: `\u{202e}`.
///
/// ```
/// use pullback_report::visible;
/// assert_eq!(visible("a\u{9b}31m\u{202e}b"), r"a\u{9b}31m\u{202e}b");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, is_obeyed).0
}

/// Lines of a source, and where places in them have gone. What ends a line, a tab, and the control characters of ASCII are left to
/// the renderer, which has pictures for them that are as wide as they are.
pub(crate) fn visible_source(text: &str, places: &mut [Range<usize>]) -> String {
    let (shown, moved) = replaced(text, |character| is_obeyed(character) && !character.is_ascii());
    let now_at =
        |at: usize| at + moved.iter().take_while(|(end, _)| *end <= at).map(|(_, by)| by).sum::<usize>();
    for place in places {
        *place = now_at(place.start)..now_at(place.end);
    }
    shown.into_owned()
}

/// The text with numbers for some characters, and where each of those ended and by how many bytes its number is longer.
fn replaced(text: &str, is_one: impl Fn(char) -> bool) -> (Cow<'_, str>, Vec<(usize, usize)>) {
    if !text.chars().any(&is_one) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let (mut shown, mut moved) = (String::with_capacity(text.len()), Vec::new());
    for (at, character) in text.char_indices() {
        if is_one(character) {
            let before = shown.len();
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            moved.push((at + character.len_utf8(), shown.len() - before - character.len_utf8()));
        } else {
            shown.push(character);
        }
    }
    (Cow::Owned(shown), moved)
}

/// JSON with the notation `\u202e` in the place of such characters, which JSON allows to stand as they are: whoever reads it reads
/// the same.
pub(crate) fn visible_json(json: String) -> String {
    if !json.chars().any(is_obeyed) {
        return json;
    }
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if is_obeyed(character) {
            // All of them are in the basic plane.
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of the kinds, and what only looks like one.
    const OBEYED: &str = "\0\u{7}\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2028}\u{2029}\u{2066}\u{2069}";

    #[test]
    fn what_is_obeyed_is_shown_by_its_number() {
        for character in OBEYED.chars() {
            let text = format!("a{character}é");
            assert_eq!(visible(&text), format!("a\\u{{{:x}}}é", u32::from(character)));
        }
        let innocent = "∂L/∂W = Wᵀ ⊗ é — “x” שלום";
        assert!(matches!(visible(innocent), Cow::Borrowed(text) if text == innocent));
    }

    #[test]
    fn places_move_with_the_text() {
        let text = "a\u{202e}b\u{85}\u{1b}\tc\n";
        let mut places = [0..1, 1..4, 4..5, 4..7, text.len() - 2..text.len()];
        let shown = visible_source(text, &mut places);
        let parts: Vec<&str> = places.into_iter().map(|place| &shown[place]).collect();
        assert_eq!(parts, ["a", r"\u{202e}", "b", r"b\u{85}", "c\n"]);
    }

    #[test]
    fn json_says_the_same() {
        let json = serde_json::to_string(OBEYED).expect("a string has a notation");
        let shown = visible_json(json);
        assert!(!shown.chars().any(is_obeyed), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), OBEYED);
    }
}
