//! The examples that are shipped are in the language.

use pullback_lang::{ExprKind, StatementKind, parse, parse_expr_in, print};

#[test]
fn every_example_parses() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "grad") {
            continue;
        }
        seen += 1;
        let source = std::fs::read_to_string(&path).expect("a text");
        let parsed = parse(&source);
        let errors =
            crate::render(&source, &pullback_lang::Parsed { file: Default::default(), ..parsed.clone() });
        assert_eq!(errors, "", "{}", path.display());
        for statement in &parsed.file.statements {
            let expr = match &statement.kind {
                StatementKind::Claim(claim) => &claim.expr,
                StatementKind::Definition(definition) => &definition.expr,
                _ => continue,
            };
            // Places lie where the text is, and what is printed means what was written.
            expr.walk(&mut |part| {
                if let ExprKind::Name(name) = &part.kind {
                    assert!(part.span.slice(&source).contains(name.as_str()));
                }
            });
            let again = parse_expr_in(&print(expr), &parsed.names).expect("what is printed parses");
            assert_eq!(&again.expr, expr, "{}", path.display());
        }
    }
    assert!(seen > 0);
}
