//! Precedence, postfix operators, calls, indices, lists.

use crate::{check_inline, sexpr};
use expect_test::expect;
use pullback_lang::{parse_expr, print};

/// What an expression means, written by hand as the S-expression that it must be.
#[track_caller]
fn means(source: &str, expected: &str) {
    match parse_expr(source) {
        Ok(parsed) => assert_eq!(sexpr::expr(&parsed.expr), expected, "{source}"),
        Err(error) => panic!("{source}: {error}"),
    }
}

#[test]
fn precedence_is_pythons() {
    // Written by hand; `python.rs` asks Python.
    for (source, expected) in [
        ("a + b * c", "(+ a (* b c))"),
        ("a - b - c", "(- (- a b) c)"),
        ("a / b / c", "(/ (/ a b) c)"),
        ("a * b @ c", "(@ (* a b) c)"),
        ("a @ b * c", "(* (@ a b) c)"),
        ("a / b * c", "(* (/ a b) c)"),
        ("-x^2", "(neg (^ x 2))"),
        ("(-x)^2", "(^ (neg x) 2)"),
        ("2^-1", "(^ 2 (neg 1))"),
        ("2^-x^2", "(^ 2 (neg (^ x 2)))"),
        ("a^b^c", "(^ a (^ b c))"),
        ("a**b**c", "(^ a (^ b c))"),
        ("-a * b", "(* (neg a) b)"),
        ("a * -b", "(* a (neg b))"),
        ("a - -b", "(- a (neg b))"),
        ("--a", "(neg (neg a))"),
        ("+a", "a"),
        ("-a @ b", "(@ (neg a) b)"),
        ("-a.T", "(neg (T a))"),
        ("a.T @ b", "(@ (T a) b)"),
        ("a^2.0", "(^ a 2.0)"),
        ("a < b + 1", "(< a (+ b 1))"),
        ("(a < b) * c", "(* (< a b) c)"),
        ("-a == b", "(== (neg a) b)"),
        ("-f(x)[0]^2", "(neg (^ (at (call f x) [0]) 2))"),
    ] {
        means(source, expected);
    }
}

#[test]
fn unicode_means_what_ascii_means() {
    for (source, ascii) in [
        ("Xᵀ", "X.T"),
        ("X'", "X.T"),
        ("X''", "error"),
        ("(A @ B)'", "(A @ B).T"),
        ("A[0]'", "A[0].T"),
        ("a ⊙ b", "a * b"),
        ("A ⊗ B", "kron(A, B)"),
        ("a * A ⊗ B", "kron(a * A, B)"),
        ("A ⊗ B ⊗ C", "kron(kron(A, B), C)"),
        ("A + B ⊗ C", "A + kron(B, C)"),
        ("x²", "x^2"),
        ("-x²", "-x^2"),
        ("x³ᵀ", "(x^3).T"),
        ("xᵀ²", "x.T^2"),
        ("2^x²", "2^x^2"),
        ("(a + b)²", "(a + b)^2"),
        ("a − b", "a - b"),
        ("x ≤ y", "x <= y"),
        ("x ≥ y", "x >= y"),
        ("x ≠ y", "x != y"),
        ("µ + 1", "μ + 1"),
        ("σ₁ * x₂₃", "σ₁ * x₂₃"),
        ("ŷ - ŷ_0", "ŷ - ŷ_0"),
    ] {
        match parse_expr(source) {
            Ok(parsed) => assert_eq!(print(&parsed.expr), ascii, "{source}"),
            Err(error) => assert_eq!("error", ascii, "{source}: {error}"),
        }
    }
}

#[test]
fn transposes_look_no_name_up() {
    means("T.T", "(T T)");
    means("x.T.T", "(T (T x))");
    means("f(x).T", "(T (call f x))");
    means("x' * y'", "(* (T x) (T y))");
    means("f(x', y')", "(call f (T x) (T y))");
    means("[[1], [2]]'", "(T [[1] [2]])");
}

#[test]
fn function_names_mean_something_in_call_position_only() {
    means("sum(sum) + var", "(+ (call sum sum) var)");
    means("sum (x)", "(call sum x)");
    means("load", "load");
}

#[test]
fn calls_take_keywords() {
    means("sum(x, axis=0, keepdims=True)", "(call sum x axis=0 keepdims=#true)");
    means("sum(x, dim=-1, keepdim=false,)", "(call sum x dim=(neg 1) keepdim=#false)");
    means("sum(x, axis=(0, 1))", "(call sum x axis=[0 1])");
    means("sum(x, axis=(0,))", "(call sum x axis=[0])");
    means("f()", "(call f)");
    means("f(a == b)", "(call f (== a b))");
    means("einsum(\"ij,jk->ik\", A, B)", "(call einsum \"ij,jk->ik\" A B)");
    means("sum(\n  x,\n  axis=0, # the batch\n)", "(call sum x axis=0)");
}

#[test]
fn indices_and_slices_are_numpys() {
    means("x[1]", "(at x [1])");
    means("x[:, 2]", "(at x [:: 2])");
    means("x[1:4:2, ::-1]", "(at x [1:4:2 ::(neg 1)])");
    means("x[1:]", "(at x [1::])");
    means("x[:n-1]", "(at x [:(- n 1):])");
    means("x[::2]", "(at x [::2])");
    means("x[..., None]", "(at x [... new])");
    means("x[[0, 2]]", "(at x [[0 2]])");
    means("x[i][j]", "(at (at x [i]) [j])");
    means("s[]", "(at s [])");
    means("X[i,k] * W[k,j]", "(* (at X [i k]) (at W [k j]))");
}

#[test]
fn numbers() {
    means("1", "1");
    means("1.", "1.0");
    means(".5", "0.5");
    means("1e-3", "0.001");
    means("1.e+2", "100.0");
    means("1.5E2", "150.0");
    means("[1., 2.]", "[1.0 2.0]");
    means("x^2.", "(^ x 2.0)");
}

#[test]
fn lists_nest() {
    means("[]", "[]");
    means("[[1, 2], [3, 4],]", "[[1 2] [3 4]]");
    means("([1, 2])[0]", "(at [1 2] [0])");
    means("[1, 2][0]", "(at [1 2] [0])");
    means("[([1, 2])[0], 3]", "[(at [1 2] [0]) 3]");
}

#[test]
fn spans_hold_what_was_written() {
    let source = "f( (a + b) * -c' )";
    let parsed = parse_expr(source).expect("it parses");
    let mut slices = Vec::new();
    parsed.expr.walk(&mut |part| slices.push(part.span.slice(source)));
    assert_eq!(slices, ["f( (a + b) * -c' )", "(a + b) * -c'", "(a + b)", "a", "b", "-c'", "c'", "c"]);
}

#[test]
fn printing_leaves_out_needless_parentheses() {
    for (source, expected) in [
        ("((a))", "a"),
        ("(a * b) * c", "a * b * c"),
        ("a * (b * c)", "a * (b * c)"),
        ("a - (b - c)", "a - (b - c)"),
        ("a - (b * c)", "a - b * c"),
        ("(a^b)^c", "(a^b)^c"),
        ("a^(b^c)", "a^b^c"),
        ("2^(-1)", "2^-1"),
        ("-(a * b)", "-(a * b)"),
        ("(-a) * b", "-a * b"),
        ("(a + b).T", "(a + b).T"),
        ("(-a).T", "(-a).T"),
        ("(2).T", "(2).T"),
        ("x[(1) : (n), :]", "x[1:n, :]"),
        ("1e300", "1e300"),
        ("2.0", "2.0"),
        ("(a < b) + 1", "(a < b) + 1"),
    ] {
        let parsed = parse_expr(source).expect("it parses");
        assert_eq!(print(&parsed.expr), expected, "{source}");
    }
}

#[test]
fn an_expression_may_span_lines_at_its_ends() {
    means("\n  a + b\n", "(+ a b)");
    check_inline(
        "a = X @ W; sum(a^2)",
        expect![[r#"
        (define a (@ X W))
        (call sum (^ a 2))
    "#]],
    );
}
