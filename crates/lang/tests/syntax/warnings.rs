//! What is allowed but probably not meant.

use crate::{check, check_inline};
use expect_test::expect;

#[test]
fn powers_that_look_like_matrix_notation() {
    check(
        "A: [n=2, n] ~ randn\nB = A^-1\nC = A^T\nD = (A @ A)**-1\ne = n^-1 + 2^-1\nF = A^-2 + A^-(1)",
        expect![[r#"
            (input A <n:=2, dim n> ~randn)
            (define B (^ A (neg 1)))
            (define C (^ A T))
            (define D (^ (@ A A) (neg 1)))
            (define e (+ (^ n (neg 1)) (^ 2 (neg 1))))
            (define F (+ (^ A (neg 2)) (^ A (neg 1))))
            warning: `A^-1` is the power element by element, not the inverse at 2:5 `A^-1`
              hint: the inverse is `inv(A)`; write `1 / A` for the reciprocals
            warning: `A^T` is a power with the exponent `T`, not the transpose at 3:5 `A^T`
              hint: the transpose is `A.T`
            warning: `(A @ A)^-1` is the power element by element, not the inverse at 4:5 `(A @ A)**-1`
              hint: the inverse is `inv(A @ A)`; write `1 / (A @ A)` for the reciprocals
            warning: `A^-1` is the power element by element, not the inverse at 6:12 `A^-(1)`
              hint: the inverse is `inv(A)`; write `1 / A` for the reciprocals
        "#]],
    );
    check(
        "T = 2 + 1\nA: [n=2, n] ~ randn\nB = A^T\nc = n^T",
        expect![[r#"
        (define T (+ 2 1))
        (input A <n:=2, dim n> ~randn)
        (define B (^ A T))
        (define c (^ n T))
        warning: `A^T` is a power with the exponent `T`, not the transpose at 3:5 `A^T`
          hint: the transpose is `A.T`
    "#]],
    );
    check_inline(
        "A^-1 @ b",
        expect![[r#"
        (@ (^ A (neg 1)) b)
        warning: `A^-1` is the power element by element, not the inverse at 1:1 `A^-1`
          hint: the inverse is `inv(A)`; write `1 / A` for the reciprocals
    "#]],
    );
}

#[test]
fn entries_without_a_comma() {
    check(
        "x = [1 -2]\ny = [1 - 2]\nz = [1-2]\nw = [[1. -2.], [ 3. -4.]]",
        expect![[r#"
        (input x [(- 1 2)])
        (input y [(- 1 2)])
        (input z [(- 1 2)])
        (input w [[(- 1.0 2.0)] [(- 3.0 4.0)]])
        warning: `1 -2` is one entry, a subtraction at 1:6 `1 -2`
          hint: write `1, -2` for two entries, `1 - 2` for one
        warning: `1. -2.` is one entry, a subtraction at 4:7 `1. -2.`
          hint: write `1., -2.` for two entries, `1. - 2.` for one
        warning: `3. -4.` is one entry, a subtraction at 4:18 `3. -4.`
          hint: write `3., -4.` for two entries, `3. - 4.` for one
    "#]],
    );
}

#[test]
fn derivatives_spelt_with_underscores() {
    check(
        "W: [n=3] ~ randn\nL = sum(W^2)\ndL_dW = 2 * W\nd_dx = 1 + 1\ndL_db = 3 * W",
        expect![[r#"
        (input W <n:=3> ~randn)
        (define L (call sum (^ W 2)))
        (define dL_dW (* 2 W))
        (define d_dx (+ 1 1))
        (define dL_db (* 3 W))
        warning: `dL_dW` is an ordinary variable, and no claim uses it at 3:1 `dL_dW`
          hint: write `dL/dW = …` to have it checked
    "#]],
    );
    // Used by a claim, if only through another definition.
    check(
        "W: [n=3] ~ randn\nL = sum(W^2)\ndL_dW = 2 * W\ng = dL_dW + 0\ndL/dW = g",
        expect![[r#"
        (input W <n:=3> ~randn)
        (define L (call sum (^ W 2)))
        (define dL_dW (* 2 W))
        (define g (+ dL_dW 0))
        (claim L by W Default g)
    "#]],
    );
}
