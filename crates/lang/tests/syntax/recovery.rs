//! After an error the next statement is parsed as if nothing had happened.

use crate::check;
use expect_test::expect;

#[test]
fn one_error_a_statement() {
    check(
        "a = 2 3 ? 4\nb = 1\nc = * *; d = 2\ne = )\nf = 3",
        expect![[r#"
        (input b 1)
        (input d 2)
        (input f 3)
        error: an operator is missing between `2` and `3` at 1:7 `3`
          hint: write `*` for the product element by element, `@` for the matrix product
        error: expected an expression after `=`, found `*` at 3:5 `*`
        error: `)` closes nothing at 4:5 `)`
          hint: remove it, or write the missing `(`
    "#]],
    );
}

#[test]
fn an_unclosed_bracket_does_not_swallow_the_file() {
    check(
        "a = (x + 1\nb = 2\nc = 3",
        expect![[r#"
        (input b 2)
        (input c 3)
        error: `(` is never closed at 1:5 `(`
          the next statement seems to start here at 2:1 `b`
          hint: write the missing `)`
    "#]],
    );
    check(
        "a = (x +\nb = 2\nc = 3",
        expect![[r#"
        (input b 2)
        (input c 3)
        error: `(` is never closed at 1:5 `(`
          the next statement seems to start here at 2:1 `b`
          hint: write the missing `)`
    "#]],
    );
    check(
        "a = [1, 2\ndL/da = 2 * a\nc = 3",
        expect![[r#"
        (claim L by a Default (* 2 a))
        (input c 3)
        error: `[` is never closed at 1:5 `[`
          the next statement seems to start here at 2:1 `dL`
          hint: write the missing `]`
    "#]],
    );
    check(
        "a = f(x,\n      y\n\nW: [m=2] ~ randn\nseed 3",
        expect![[r#"
        (input W <m:=2> ~randn)
        (seed 3)
        error: `(` is never closed at 1:6 `(`
          the next statement seems to start here at 4:1 `W`
          hint: write the missing `)`
    "#]],
    );
    check(
        "a = f(x\nseed 3\nc = 3",
        expect![[r#"
        (seed 3)
        (input c 3)
        error: `(` is never closed at 1:6 `(`
          the next statement seems to start here at 2:1 `seed`
          hint: write the missing `)`
    "#]],
    );
}

#[test]
fn an_error_inside_brackets_goes_on_after_them() {
    check(
        "a = f(x y,\n      axis=0)\nb = 2",
        expect![[r#"
        (input b 2)
        error: a comma or an operator is missing between `x` and `y` at 1:9 `y`
          hint: write `,` between arguments, `*` or `@` for a product
    "#]],
    );
    check(
        "a = f(x y,\naxis=0)\nb = 2",
        expect![[r#"
        (input b 2)
        error: a comma or an operator is missing between `x` and `y` at 1:9 `y`
          hint: write `,` between arguments, `*` or `@` for a product
    "#]],
    );
    check(
        "q = [[1 2],\n     [3 4]]\nb = 2",
        expect![[r#"
        (input b 2)
        error: a comma is missing between `1` and `2` at 1:9 `2`
          hint: write `1, 2`
    "#]],
    );
}

#[test]
fn names_of_statements_with_errors_are_known() {
    let parsed = pullback_lang::parse("a = 2 *\nx: [n=3 ~ randn\ndL/da = (");
    assert!(parsed.names.get("a").is_some());
    assert!(parsed.names.get("x").is_some());
    assert_eq!(parsed.errors.len(), 3);
}

#[test]
fn at_most_twenty() {
    let parsed = pullback_lang::parse(&"a = *\n".repeat(50));
    assert_eq!(parsed.errors.len(), pullback_lang::MAX_ERRORS);
    let parsed = pullback_lang::parse(&format!("A = 2 * 3\nb = {}", "A^-1 + ".repeat(50) + "A"));
    assert_eq!(parsed.warnings.len(), pullback_lang::MAX_ERRORS);
}
