//! No text makes the parser panic, overflow its stack, or take more than linear time.

use crate::sexpr;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pullback_lang::{
    BinaryOp, Error, Expr, ExprKind, IndexItem, MAX_DEPTH, MAX_NESTING, Name, Names, Operator, Span, parse,
    parse_bytes, parse_expr, parse_expr_in, parse_statements, print,
};
use std::time::{Duration, Instant};

/// Parses in every way, and holds the results to what every result must keep.
fn parse_everywhere(source: &str) {
    for parsed in [parse(source), parse_statements(source)] {
        for error in parsed.errors.iter().chain(&parsed.warnings) {
            check_places(source, error);
        }
        for statement in &parsed.file.statements {
            assert!(!statement.span.slice(source).is_empty(), "{source:?}");
            sexpr::statement(statement);
        }
    }
    match parse_expr(source) {
        Ok(parsed) => {
            parsed.expr.walk(&mut |part| assert!(!part.span.slice(source).is_empty(), "{source:?}"))
        }
        Err(error) => check_places(source, &error),
    }
}

fn check_places(source: &str, error: &Error) {
    for span in std::iter::once(error.span()).chain(error.labels().map(|(span, _)| span)) {
        assert!(source.get(span.start..span.end).is_some(), "{source:?}: {error}");
        assert!(span.position(source).column > 0);
    }
    assert!(!error.message().contains('\n') && error.message().chars().count() < 200, "{error}");
    assert!(error.hint().is_none_or(|hint| !hint.contains('\n')), "{error}");
}

/// Pieces of the language, so that random rows of them get past the lexer.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "b",
        "L",
        "dL",
        "dL/da",
        "da/dL",
        "d2L/da2",
        "∂L/∂a",
        "∂²L/∂a∂b",
        "x",
        "T",
        ".T",
        ".",
        "'",
        "ᵀ",
        "²",
        "(",
        ")",
        "[",
        "]",
        "[col]",
        "[a fixed]",
        ",",
        ":",
        "~",
        "=",
        "==",
        "+=",
        "+",
        "-",
        "*",
        "/",
        "@",
        "⊗",
        "^",
        "**",
        "<",
        "1",
        "2.",
        "0.5",
        "1e-3",
        "\"s\"",
        "\"",
        "#",
        ";",
        "\n",
        "\n",
        " ",
        " ",
        "\r",
        "seed",
        "dtype",
        "f32",
        "fn",
        "shape",
        "shape(",
        "sum",
        "load",
        "randn",
        "axis=",
        "true",
        "None",
        "...",
        "×",
        "∂",
        "\u{0}",
        "🙂",
        "₁",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    // `dL` and `dv` are here so that divisions of them are told from references.
    prop::sample::select(vec!["a", "W", "T", "dL", "dv", "sum", "σ₁", "e5"]).prop_map(str::to_owned)
}

fn node(kind: ExprKind) -> Expr {
    Expr::new(Span::default(), kind)
}

fn at(text: &str) -> Name {
    Name::new(text, Span::default())
}

/// Trees that the parser can make.
fn tree() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (0..1_000_000_000u32).prop_map(|value| ExprKind::Number { value: value.into(), integer: true }),
        prop::num::f64::POSITIVE
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| ExprKind::Number { value, integer: false }),
        name().prop_map(ExprKind::Name),
        "[a-z,>-]{0,6}".prop_map(ExprKind::Text),
        any::<bool>().prop_map(ExprKind::Bool),
        prop::sample::select(vec![vec!["v"], vec!["v", "v"], vec!["v", "S"], vec!["S", "v"]])
            .prop_map(|wrt| ExprKind::ClaimRef { of: at("L"), wrt: wrt.into_iter().map(at).collect() }),
    ]
    .prop_map(node);
    leaf.prop_recursive(6, 48, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let bound = prop::option::of(inner.clone().prop_map(Box::new));
        let item = prop_oneof![
            inner.clone().prop_map(IndexItem::At),
            (bound.clone(), bound.clone(), bound).prop_map(|(start, stop, step)| IndexItem::Slice {
                start,
                stop,
                step
            }),
            Just(IndexItem::Ellipsis),
            Just(IndexItem::NewAxis),
        ];
        prop_oneof![
            boxed.clone().prop_map(ExprKind::Negate),
            boxed.clone().prop_map(ExprKind::Transpose),
            (prop::sample::select(&BinaryOp::ALL[..]), boxed.clone(), boxed.clone()).prop_map(
                |(kind, left, right)| ExprKind::Binary {
                    operator: Operator { kind, span: Span::default() },
                    left,
                    right
                }
            ),
            (boxed, prop::collection::vec(item, 0..3))
                .prop_map(|(base, items)| ExprKind::Index { base, items }),
            prop::collection::vec(inner.clone(), 0..4).prop_map(ExprKind::List),
            (name(), prop::collection::vec(inner.clone(), 0..3), prop::option::of(inner)).prop_map(
                |(function, args, keyword)| ExprKind::Call {
                    function: at(&function),
                    args,
                    kwargs: keyword.map(|value| (at("axis"), value)).into_iter().collect(),
                }
            ),
        ]
        .prop_map(node)
    })
}

/// The names that the trees above refer to.
fn names() -> Names {
    let parsed = parse(
        "v: [n=3] ~ randn\nS: [n, n] ~ randn\nL = sum(v)\ndL/dv = 1\nd2L/dv2 = 2\nd2L/dv dS = 3\nd2L/dS dv = 4",
    );
    assert!(parsed.errors.is_empty());
    parsed.names
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        parse_bytes(&bytes);
    }

    #[test]
    fn random_text_never_panics(source in any::<String>()) {
        parse_everywhere(&source);
    }

    #[test]
    fn random_tokens_never_panic(source in soup()) {
        parse_everywhere(&source);
        parse_everywhere(&format!("a: [2] ~ randn\nb = a\nL = sum(a)\ndL/da = 1\ndL = 2\ny = {source}"));
    }

    #[test]
    fn what_is_printed_parses_to_the_same_tree(expr in tree()) {
        let text = print(&expr);
        match parse_expr_in(&text, &names()) {
            Ok(parsed) => prop_assert_eq!(parsed.expr, expr, "{}", text),
            Err(error) => prop_assert!(false, "{}: {} at {}", text, error, error.span().slice(&text)),
        }
    }
}

/// Runs on a stack of the size that Rust gives to a thread, whatever the harness has set.
fn on_a_small_stack(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(body).expect("a thread starts");
    assert!(thread.join().is_ok());
}

#[test]
fn nesting_is_bounded() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("f(", ")"),
            ("x[", "]"),
            ("-", ""),
            ("2^", ""),
            ("f(a=", ")"),
            ("-(", ")"),
        ] {
            let levels = if open == "-(" { MAX_NESTING / 2 } else { MAX_NESTING };
            let fits = format!("{}x{}", open.repeat(levels), close.repeat(levels));
            let parsed = parse_expr(&fits).expect("as deep as may be");
            let again = parse_expr(&print(&parsed.expr)).expect("what was printed parses");
            assert_eq!(parsed.expr, again.expr);
            drop(format!("{:?}", again.expr.clone()));
            for levels in [levels + 1, 1_000_000] {
                let source = format!("{}x{}", open.repeat(levels), close.repeat(levels));
                let error = parse_expr(&source).expect_err("too deep");
                assert_eq!(error.message(), "this is nested deeper than 200 levels", "{open}");
            }
        }
    });
}

#[test]
fn rows_are_bounded() {
    on_a_small_stack(|| {
        // A row of `⊗` is printed as nested calls, and so it is read back only as far as calls may be nested.
        for (part, count) in [("x + ", MAX_DEPTH), ("x @ ", MAX_DEPTH), ("x ⊗ ", MAX_NESTING)] {
            let fits = part.repeat(count - 1) + "x";
            let parsed = parse_expr(&fits).expect("as long as may be");
            let again = parse_expr(&print(&parsed.expr)).expect("what was printed parses");
            assert_eq!(parsed.expr, again.expr);
            drop(format!("{:?}", again.expr.clone()));
        }
        for source in [
            "x + ".repeat(MAX_DEPTH) + "x",
            "x + ".repeat(1_000_000) + "x",
            "x".to_owned() + &".T".repeat(5000),
        ] {
            let error = parse_expr(&source).expect_err("too long");
            assert_eq!(error.message(), "this expression is more than 1000 operations deep");
        }
    });
}

/// Ten megabytes on one line, of every kind that could make a parser go back and forth.
#[test]
fn a_long_line_takes_linear_time() {
    let megabytes = |piece: &str| piece.repeat(10_000_000 / piece.len());
    let sources = [
        format!("x = [{}1]", megabytes("1, ")),
        format!("x = [{}1]", megabytes("1 -2, ")),
        format!("x = {}", megabytes("(")),
        format!("x = {}", megabytes(")")),
        format!("x = f({}", megabytes("\n")),
        format!("x = f({}", megabytes("a\n, ")),
        format!("x = {}", megabytes("a")),
        format!("x = \"{}", megabytes("a")),
        format!("# {}", megabytes("a")),
        format!("{}a=({}", "x;".repeat(2_500_000), "\nb".repeat(2_500_000)),
        format!(
            "a: [] ~ randn\n{}",
            (0..400_000).map(|i| format!("da/da [x{i} fixed]=1;")).collect::<String>()
        ),
        megabytes("x[\n"),
        megabytes("dL"),
        megabytes("dL/"),
        megabytes("dL["),
        megabytes("x;"),
        megabytes("x\n"),
        megabytes("a=(\n"),
        megabytes("\u{0}"),
        format!("dL/dx = {}", megabytes("dL/dx*")),
        format!("x[{}i] = 1", megabytes("i, ")),
    ];
    for source in sources {
        let start = Instant::now();
        drop(parse(&source));
        // Quadratic time would be hours. Linear time is under a second, and slow machines are allowed for.
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", &source[..10]);
    }
    let parsed = parse(&" ".repeat(pullback_lang::MAX_SOURCE + 1));
    assert_eq!(parsed.errors[0].message(), "the text is longer than 16 MiB");
}
