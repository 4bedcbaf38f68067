//! What is wrong with a text, and how it is shown: the line with a caret, further places, advice.

use std::ops::Range;
use std::sync::OnceLock;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use pullback_lang::{Position, Span};
use serde::Serialize;

use crate::SCHEMA;
use crate::paint::Paint;
use crate::visible::{visible, visible_json, visible_source};

/// A text under the name by which a person knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name of the file, as it was given.
    pub name: String,
    /// Its text. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub text: String,
    /// A byte about every [`STRIDE`] and its position, so that no position is counted from the start of a long text.
    marks: OnceLock<Box<[(usize, Position)]>>,
}

/// How far marks are apart.
const STRIDE: usize = 4096;

/// A line with more bytes is not shown.
const LONGEST_LINE: usize = 1 << 16;

impl Document {
    /// A text under a name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Document {
        Document { name: name.into(), text: text.into(), marks: OnceLock::new() }
    }

    /// Where a span starts.
    fn position(&self, span: Span) -> Position {
        let marks = self.marks.get_or_init(|| {
            let mut marks = vec![(0, Position { line: 1, column: 1 })];
            while let Some(&(known, position)) = marks.last()
                && known + STRIDE < self.text.len()
            {
                // A whole character, and no `\r\n` taken apart.
                let apart =
                    |at: &usize| !self.text.is_char_boundary(*at) || self.text.as_bytes()[*at] == b'\n';
                let next = (known + STRIDE..self.text.len()).find(|at| !apart(at)).unwrap_or(self.text.len());
                marks.push((next, Span::new(next, next).position_after(&self.text, known, position)));
            }
            marks.into()
        });
        let after = marks.partition_point(|&(known, _)| known <= span.start);
        let (known, position) = marks[after.saturating_sub(1)];
        span.position_after(&self.text, known, position)
    }

    /// The whole lines in which spans stand, the number of lines before them, and where they begin.
    fn excerpt(&self, spans: &[Range<usize>]) -> (&str, usize, usize) {
        let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let last = spans.iter().map(|span| span.end).max().unwrap_or(0).max(first);
        let begin = self.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[last..].find('\n').map_or(self.text.len(), |newline| last + newline + 1);
        let before = self.text.as_bytes()[..begin].iter().filter(|&&byte| byte == b'\n').count();
        (&self.text[begin..end], before, begin)
    }

    /// A span as JSON shows it.
    pub(crate) fn place(&self, span: Span) -> Place {
        let position = self.position(span);
        Place { start: span.start, end: span.end, line: position.line, column: position.column }
    }
}

/// An error or a warning. Unlike an error of the language it may have no place: a file that is missing has none, and the
/// message then names the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Further places, each with what it has to do with the problem.
    pub labels: Vec<(Span, String)>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), span: None, hint: None, labels: Vec::new() }
    }

    /// The same at the bytes `start..end`.
    #[must_use]
    pub fn at(self, start: usize, end: usize) -> Problem {
        Problem { span: Some(Span::new(start, end)), ..self }
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }

    /// What an operation has to say, at a place of the text.
    pub fn of_operation(error: &pullback_ops::Error, span: Span) -> Problem {
        Problem {
            message: error.to_string(),
            span: Some(span),
            hint: error.hint().map(str::to_string),
            labels: Vec::new(),
        }
    }
}

impl From<&pullback_lang::Error> for Problem {
    fn from(error: &pullback_lang::Error) -> Problem {
        Problem {
            message: error.message().to_string(),
            span: Some(error.span()),
            hint: error.hint().map(str::to_string),
            labels: error.labels().map(|(span, label)| (span, label.to_string())).collect(),
        }
    }
}

/// A file that cannot be run, and why.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// The file.
    pub document: Document,
    /// What makes it invalid.
    pub errors: Vec<Problem>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

impl Invalid {
    /// A file that cannot be run for one reason.
    pub fn new(document: Document, error: Problem) -> Invalid {
        Invalid { document, errors: vec![error], warnings: Vec::new() }
    }
}

/// The errors of a file that cannot be run.
pub fn invalid_text(invalid: &Invalid, paint: Paint) -> String {
    let drawn: Vec<String> =
        invalid.errors.iter().map(|error| problem_text(&invalid.document, error, paint)).collect();
    drawn.join("\n")
}

/// The errors of a file that cannot be run, as the JSON object that stands in place of its results.
pub fn invalid_json(invalid: &Invalid) -> String {
    let json = InvalidJson {
        schema: SCHEMA,
        file: &invalid.document.name,
        errors: ProblemJson::all(&invalid.document, &invalid.errors),
        warnings: ProblemJson::all(&invalid.document, &invalid.warnings),
    };
    visible_json(serde_json::to_string(&json).expect("strings, numbers and lists have a notation"))
}

#[derive(Serialize)]
struct InvalidJson<'a> {
    schema: u32,
    file: &'a str,
    errors: Vec<ProblemJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
}

/// A place in JSON: bytes from 0 for a program, line and column from 1 for a person.
#[derive(Serialize)]
pub(crate) struct Place {
    start: usize,
    end: usize,
    line: usize,
    column: usize,
}

/// A [`Problem`] in JSON.
#[derive(Serialize)]
pub(crate) struct ProblemJson<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelJson<'a>>,
}

#[derive(Serialize)]
struct LabelJson<'a> {
    message: &'a str,
    span: Place,
}

impl<'a> ProblemJson<'a> {
    pub(crate) fn all(document: &Document, problems: &'a [Problem]) -> Vec<ProblemJson<'a>> {
        problems.iter().map(|problem| ProblemJson::new(document, problem)).collect()
    }

    fn new(document: &Document, problem: &'a Problem) -> ProblemJson<'a> {
        let label = |(span, message): &'a (Span, String)| LabelJson { message, span: document.place(*span) };
        ProblemJson {
            message: &problem.message,
            hint: problem.hint.as_deref(),
            span: problem.span.map(|span| document.place(span)),
            labels: problem.labels.iter().map(label).collect(),
        }
    }
}

/// An error as it is shown, with a line break at the end.
pub fn problem_text(document: &Document, problem: &Problem, paint: Paint) -> String {
    drawn(document, problem, Level::ERROR, paint)
}

/// A warning as it is shown, with a line break at the end.
pub fn warning_text(document: &Document, problem: &Problem, paint: Paint) -> String {
    drawn(document, problem, Level::WARNING, paint)
}

fn drawn(document: &Document, problem: &Problem, level: Level<'static>, paint: Paint) -> String {
    Drawing { problem, level, label: None, notes: Vec::new() }.draw(document, paint)
}

/// A problem with what only some have: words at the caret, and notes below.
pub(crate) struct Drawing<'a> {
    pub(crate) problem: &'a Problem,
    pub(crate) level: Level<'static>,
    pub(crate) label: Option<String>,
    pub(crate) notes: Vec<String>,
}

impl Drawing<'_> {
    pub(crate) fn draw(self, document: &Document, paint: Paint) -> String {
        let (title, path) = (visible(&self.problem.message), visible(&document.name));
        let title = self.level.primary_title(title);
        let mut group = match self.problem.span {
            None => Group::with_title(title),
            Some(span) => {
                let spans: Vec<Range<usize>> = std::iter::once(&span)
                    .chain(self.problem.labels.iter().map(|(span, _)| span))
                    .map(|span| range(*span, &document.text))
                    .collect();
                // The renderer goes through all of what it is given.
                let (excerpt, before, begin) = document.excerpt(&spans);
                let mut places: Vec<Range<usize>> =
                    spans.into_iter().map(|span| span.start - begin..span.end - begin).collect();
                if excerpt.lines().any(|line| line.len() > LONGEST_LINE) {
                    let Position { line, column } = document.position(span);
                    title.element(Origin::path(path).line(line).char_column(column))
                } else {
                    let excerpt = visible_source(excerpt, &mut places);
                    let mut places = places.into_iter();
                    let label = self.label.map(|label| visible(&label).into_owned());
                    let primary = AnnotationKind::Primary.span(places.next().unwrap_or(0..0)).label(label);
                    let others =
                        self.problem.labels.iter().zip(places).map(|((_, label), place)| {
                            AnnotationKind::Context.span(place).label(visible(label))
                        });
                    let snippet = Snippet::source(excerpt).line_start(before + 1).path(path);
                    title.element(snippet.annotation(primary).annotations(others))
                }
            }
        };
        for note in &self.notes {
            group = group.element(Level::NOTE.message(visible(note)));
        }
        if let Some(hint) = &self.problem.hint {
            group = group.element(Level::HELP.message(visible(hint)));
        }
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Ansi => Renderer::styled(),
        };
        let mut text = renderer.render(&[group]);
        text.push('\n');
        text
    }
}

/// The bytes of a span that are in the text, from and to whole characters: the renderer demands it.
fn range(span: Span, text: &str) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    start..boundary(span.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn further_places_are_shown_too() {
        let document = Document::new("a.grad", "W: [m=2] ~ randn\nx: [m=3] ~ randn\n");
        let problem = Problem {
            labels: vec![(Span::new(4, 7), "`m` was bound to 2 here".to_string())],
            ..Problem::new("`m` is 2, not 3").at(21, 24).with_hint("take another name")
        };
        expect![[r#"
            error: `m` is 2, not 3
             --> a.grad:2:5
              |
            1 | W: [m=2] ~ randn
              |     --- `m` was bound to 2 here
            2 | x: [m=3] ~ randn
              |     ^^^
              |
              = help: take another name
        "#]]
        .assert_eq(&problem_text(&document, &problem, Paint::Plain));
    }

    #[test]
    fn a_problem_of_the_whole_file_has_no_caret() {
        let document = Document::new("gone.grad", "");
        let problem = Problem::new("cannot read `gone.grad`").with_hint("is it elsewhere?");
        expect![[r#"
            error: cannot read `gone.grad`
             |
             = help: is it elsewhere?
        "#]]
        .assert_eq(&problem_text(&document, &problem, Paint::Plain));
    }

    /// Wherever a span points, in or out of the text, inside a character or at its end, something is drawn.
    #[test]
    fn no_span_makes_it_panic() {
        for text in ["", "\n", "a", "∂L/∂W = 1\r\n\tx\u{1b}[31m", "\u{feff}é", "a\rb"] {
            let document = Document::new("a.grad", text);
            for start in 0..=text.len() + 2 {
                for end in 0..=text.len() + 2 {
                    let problem = Problem::new("wrong").at(start, end);
                    assert!(problem_text(&document, &problem, Paint::Plain).starts_with("error: wrong\n"));
                }
            }
        }
    }

    /// Positions counted from marks are those counted from the start, also in a long text, at each of its bytes.
    #[test]
    fn marks_do_not_move_positions() {
        let text = "aé\r\n\rx = 1\n∂ ".repeat(700);
        let document = Document::new("a.grad", text.as_str());
        for start in (0..=text.len() + 2).step_by(7).chain(STRIDE - 20..STRIDE + 20) {
            let span = Span::new(start, start);
            assert_eq!(document.position(span), span.position(&text), "{start}");
        }
    }

    /// A line of megabytes is not drawn.
    #[test]
    fn a_long_line_is_named_and_not_shown() {
        let document = Document::new("a.grad", format!("x = 1\ny = {}", "1".repeat(LONGEST_LINE)));
        let problem = Problem::new("too large").at(10, 20).with_hint("make it smaller");
        expect![[r#"
            error: too large
            --> a.grad:2:5
             = help: make it smaller
        "#]]
        .assert_eq(&problem_text(&document, &problem, Paint::Plain));
    }
}
