//! The syntax of `.grad`: text in, tree out. One function, [`check`], stands behind every case.

mod claims;
mod errors;
mod examples;
mod expressions;
mod python;
mod recovery;
mod references;
mod robustness;
mod sexpr;
mod statements;
mod tokens;
mod warnings;

use expect_test::Expect;
use pullback_lang::{Error, Parsed};
use std::fmt::Write;

/// Parses a file and compares what comes out, statements as S-expressions and then warnings and errors.
#[track_caller]
fn check(source: &str, expected: Expect) {
    expected.assert_eq(&render(source, &pullback_lang::parse(source)));
}

/// The same for what is given on the command line.
#[track_caller]
fn check_inline(source: &str, expected: Expect) {
    expected.assert_eq(&render(source, &pullback_lang::parse_statements(source)));
}

fn render(source: &str, parsed: &Parsed) -> String {
    let mut text = String::new();
    for statement in &parsed.file.statements {
        writeln!(text, "{}", sexpr::statement(statement)).expect("a String takes all");
    }
    for (what, list) in [("warning", &parsed.warnings), ("error", &parsed.errors)] {
        for error in list {
            write_error(&mut text, source, what, error);
        }
    }
    text
}

fn write_error(text: &mut String, source: &str, what: &str, error: &Error) {
    let place = |span: pullback_lang::Span| {
        let position = span.position(source);
        format!("{}:{} `{}`", position.line, position.column, span.slice(source).replace('\n', "⏎"))
    };
    writeln!(text, "{what}: {} at {}", error.message(), place(error.span())).expect("a String takes all");
    for (span, label) in error.labels() {
        writeln!(text, "  {label} at {}", place(span)).expect("a String takes all");
    }
    if let Some(hint) = error.hint() {
        writeln!(text, "  hint: {hint}").expect("a String takes all");
    }
}
