//! Whatever the bytes: the parser returns, every place it names lies in the text, and what it prints of an expression
//! parses to the same expression.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pullback::lang::{Error, parse_bytes, parse_expr, parse_statements, print};

fuzz_target!(|bytes: &[u8]| {
    let parsed = parse_bytes(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for error in parsed.errors.iter().chain(&parsed.warnings).chain(&parse_statements(text).errors) {
        within(text, error);
    }
    match parse_expr(text) {
        Ok(first) => {
            let printed = print(&first.expr);
            match parse_expr(&printed) {
                Ok(second) => assert_eq!(first.expr, second.expr, "{printed}"),
                // A row of `⊗` is printed as nested calls, of which fewer are allowed.
                Err(error) => assert!(error.message().contains(" deep"), "{printed}: {error}"),
            }
        }
        Err(error) => within(text, &error),
    }
});

fn within(text: &str, error: &Error) {
    for span in std::iter::once(error.span()).chain(error.labels().map(|(span, _)| span)) {
        assert!(text.get(span.start..span.end).is_some(), "{error}");
    }
}
