//! Characters that the language does not have, and strings.

use crate::check;
use expect_test::expect;

#[test]
fn characters_of_other_languages() {
    check(
        "a1 = b · c
a2 = b × c
a3 = x ÷ y
a4 = x – y
a5 = x^2 + x⁴
a6 = A⁻¹
a7 = √x
a8 = ∑x
a9 = “ij,jk”
a10 = {1, 2}
a11 = x !y
a12 = x & y
a13 = x \u{200d}y
a14 = ∂ + 1
a15 = A^⊤
a16 = x \\
a17 = x ? 2
a18 = $x$",
        expect![[r#"
            (define a12 (call logical_and x y))
            error: `·` means nothing here at 1:8 `·`
              hint: write `@` for the matrix product, `*` for the product element by element
            error: `×` means nothing here at 2:8 `×`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: `÷` means nothing here at 3:8 `÷`
              hint: write `/`
            error: `–` means nothing here at 4:8 `–`
              hint: this is a dash; write `-`
            error: `⁴` means nothing here at 5:13 `⁴`
              hint: only `²` and `³` may be written so; write `^4` for other powers
            error: `⁻` means nothing here at 6:7 `⁻`
              hint: write `inv(A)` for the inverse, `^-1` for the power element by element
            error: `√` means nothing here at 7:6 `√`
              hint: write `sqrt(…)`
            error: `∑` means nothing here at 8:6 `∑`
              hint: write `sum(…)`; in index notation an index that is not on the left is summed
            error: `“` means nothing here at 9:6 `“`
              hint: strings stand in straight quotes, "…"
            error: expected an expression after `=`, found `{` at 10:7 `{`
            error: expected the end of the statement after `x`, found `!` at 11:9 `!`
            error: U+200D means nothing here at 13:9 `‍`
            error: `∂` means nothing here at 14:7 `∂`
              hint: `∂` stands directly before a name, as in `∂L/∂x`
            error: `⊤` means nothing here at 15:9 `⊤`
              hint: write `.T` or `ᵀ` for the transpose
            error: `\` means nothing here at 16:9 `\`
              hint: lines are not continued with `\`; newlines are free inside brackets
            error: `?` means nothing here at 17:9 `?`
              hint: the operators are `+ - * / // % @ ^` and the comparisons
            error: `$` means nothing here at 18:7 `$`
              hint: the operators are `+ - * / // % @ ^` and the comparisons
        "#]],
    );
}

#[test]
fn strings() {
    check(
        "a = f(\"# no comment; no end\", \"[\")\nb = f(\"unclosed)\nc = einsum('ij,jk->ik', A, B)\nd = g('x)\ne = 'x'\n\
         f = g(x', ['a\"b', y']', how = '#; (')",
        expect![[r##"
            (define a (call f "# no comment; no end" "["))
            (define c (call einsum "ij,jk->ik" A B))
            (define e "x")
            (define f (call g (T x) (T ["a\"b" (T y)]) how="#; ("))
            error: the string is never closed at 2:7 `"unclosed)`
              hint: write the missing `"`
            error: the string is never closed at 4:7 `'x)`
              hint: write the missing `'`
        "##]],
    );
}

#[test]
fn numbers() {
    check(
        "a = 2x\nb = 2.T\nc = x^2.T\nd = 1e999\ne = 1e-999 + 0e-999\nf = 1.2.3\ng = 1..T\nh = 2 x",
        expect![[r#"
            error: an operator is missing between `2` and `x` at 1:6 `x`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: a number has no transpose at 2:5 `2.T`
              hint: postfix operators bind more tightly than `^`: write `(x^2).T`; the product is `2 * T`
            error: a number has no transpose at 3:7 `2.T`
              hint: postfix operators bind more tightly than `^`: write `(x^2).T`; the product is `2 * T`
            error: this number is too large at 4:5 `1e999`
              hint: the largest is about 1.8e308
            error: this number is too small and would become 0 at 5:5 `1e-999`
              hint: the smallest is about 4.9e-324
            error: an operator is missing between `1.2` and `.3` at 6:8 `.3`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: expected `T` after `.`, found `.` at 7:7 `.`
            error: an operator is missing between `2` and `x` at 8:7 `x`
              hint: write `*` for the product element by element, `@` for the matrix product
        "#]],
    );
}

#[test]
fn text_that_is_not_utf8() {
    let parsed = pullback_lang::parse_bytes(b"a = 1\nb = \xff2");
    assert_eq!(parsed.errors.len(), 1);
    assert_eq!(parsed.errors[0].to_string(), "the file is not UTF-8");
    assert_eq!(parsed.errors[0].span(), pullback_lang::Span::new(10, 11));
    let utf16 = pullback_lang::parse_bytes(b"\xff\xfea\0");
    assert_eq!(utf16.errors[0].hint(), Some("it looks like UTF-16; save it as UTF-8"));
    let cut = pullback_lang::parse_bytes(b"a = \xe2\x88");
    assert_eq!(cut.errors[0].span(), pullback_lang::Span::new(4, 6));
}
