//! What the commands print, as it is seen.

use expect_test::{Expect, expect};

use crate::command::{Ran, pullback, without_noise};

/// Runs a command on a source and compares what it prints: the exit code, standard output, then standard error.
#[track_caller]
fn prints(arguments: &[&str], source: &str, expected: Expect) {
    let Ran { code, stdout, stderr } = pullback(arguments, source);
    expected.assert_eq(&format!("exit code {code}\n{}{stderr}", without_noise(&stdout)));
}

const LAYER: &str = "\
# one layer
x: [n=3] = [1, -2, 0.5]
W: [m=2, n] = [[0.5, 1, -1], [2, 0, 1]]
a = W @ x
L = sum(a^2)
";

#[test]
fn claims_that_hold() {
    // Small integers: every route but finite differences is exact.
    prints(
        &["check", "-"],
        "x = [1, 2, 3]; L = sum(x^2)\ndL/dx = 2 * x\nshape(dL/dx) = [3]",
        expect![[r#"
            exit code 0
            <stdin>
              ✓ dL/dx         holds  error 0, tolerance ε  (autograd, Jacobian, finite differences)
              ✓ shape(dL/dx)  holds  [3]
              2 claims hold
        "#]],
    );
}

#[test]
fn a_wrong_claim_and_what_follows_from_it() {
    let source = format!("{LAYER}\ndL/da = -2 * a\ndL/dW = outer(dL/da, x)\ndL/dx = W.T @ dL/da\n");
    prints(
        &["check", "-"],
        &source,
        expect![[r#"
            exit code 1
            <stdin>
              ✗ dL/da  wrong      extra factor; error 10, tolerance ε
              ↳ dL/dW  inherited  holds once dL/da is put right
              ↳ dL/dx  inherited  holds once dL/da is put right

            error: dL/da is wrong: extra factor
             --> <stdin>:7:9
              |
            7 | dL/da = -2 * a
              |         ^^ no minus belongs here
              |
              = note: The sign is wrong: there is a minus too many.
              = note: at [1] this is -5, the derivative 5 (finite difference 5)
              = note: off by up to 10 from autograd, Jacobian and finite differences alike
              = note: rounding and finite differences explain no more than ε there
              = help: write `dL/da = 2 * a`; it holds, with an error of 0

              3 claims: 1 wrong, 2 inherited; the cause is dL/da
        "#]],
    );
    prints(
        &["check", "-", "--quiet"],
        &source,
        expect![[r#"
            exit code 1
            <stdin>
              ✗ dL/da  wrong      extra factor; error 10, tolerance ε
              ↳ dL/dW  inherited  holds once dL/da is put right
              ↳ dL/dx  inherited  holds once dL/da is put right

            error: dL/da is wrong: extra factor
             --> <stdin>:7:9
              |
            7 | dL/da = -2 * a
              |         ^^ no minus belongs here
              |
              = note: The sign is wrong: there is a minus too many.
              = note: at [1] this is -5, the derivative 5 (finite difference 5)
              = note: off by up to 10 from autograd, Jacobian and finite differences alike
              = note: rounding and finite differences explain no more than ε there
              = help: write `dL/da = 2 * a`; it holds, with an error of 0

              3 claims: 1 wrong, 2 inherited; the cause is dL/da
        "#]],
    );
}

#[test]
fn a_wrong_shape() {
    prints(
        &["check", "-"],
        &format!("{LAYER}\ndL/dW = outer(x, 2 * a)"),
        expect![[r#"
            exit code 1
            <stdin>
              ✗ dL/dW  wrong  swapped operands; claimed [3, 2], the derivative has [2, 3]

            error: dL/dW is wrong: swapped operands
             --> <stdin>:7:9
              |
            7 | dL/dW = outer(x, 2 * a)
              |         ^^^^^^^^^^^^^^^ `outer(2 * a, x)` belongs here
              |
              = note: `x` and `2 * a` are the wrong way round: `2 * a` comes first.
              = note: claimed [3, 2], the derivative has [2, 3]
              = help: write `dL/dW = outer(2 * a, x)`; it holds, with an error of 0

              1 claim: 1 wrong; the cause is dL/dW
        "#]],
    );
}

#[test]
fn a_kink_and_a_claim_that_could_not_fail() {
    let source = "x = [-1, 0, 2]; c = 3.0\nL = sum(relu(x))\ndL/dx = [0, 0.5, 1]\ndL/dc = 0 * c";
    prints(
        &["check", "-"],
        source,
        expect![[r#"
            exit code 1
            <stdin>
              ✗ dL/dx  kink     at [1] slope 0 on the left, 1 on the right; the claim takes the mean of both; the convention of `relu` gives 0
              ? dL/dc  vacuous  `L` does not depend on `c`

            error: dL/dx is at a kink, where it does not follow the convention
             --> <stdin>:3:9
              |
            2 | L = sum(relu(x))
              |         ------- the kink arises here, at [1] of its input
            3 | dL/dx = [0, 0.5, 1]
              |         ^^^^^^^^^^^ at [1] slope 0 on the left, 1 on the right; the claim takes the mean of both; the convention of `relu` gives 0
              |
              = note: the subgradients there are the values from 0 to 1
              = note: the convention of `relu(x)` there: relu′(0) = 0, as in PyTorch
              = help: take the value of the convention, or choose inputs beside the kink

            error: dL/dc could not have failed
             --> <stdin>:4:9
              |
            4 | dL/dc = 0 * c
              |         ^^^^^
              |
              = note: `L` does not depend on `c`
              = help: say so with `zeros(…)`

              2 claims: 1 at a kink, 1 vacuous
        "#]],
    );
}

/// The first operation, in forward order, that makes a number infinite, however many come after it.
#[test]
fn what_is_not_finite() {
    prints(
        &["check", "-"],
        "x = [1, 0, 2]\np = 2 * x\ny = log(p)\nL = sum(y)\ndL/dx = 1 / x",
        expect![[r#"
            exit code 1
            <stdin>
              ✗ dL/dx  not-finite  `y = log(p)` is -inf at [1], where `p` is 0

            error: dL/dx is not finite
             --> <stdin>:3:5
              |
            3 | y = log(p)
              |     ^^^^^^ `y = log(p)` is -inf at [1], where `p` is 0
            4 | L = sum(y)
            5 | dL/dx = 1 / x
              |         ----- the claim
              |
              = note: the domain of `log`: Above 0. At 0 the value is −∞, below it NaN, as in PyTorch
              = note: it is the first such number on the way to what is differentiated
              = help: choose inputs at which it is finite, or keep it from there, as an `eps` under a root does

              1 claim: 1 not finite
        "#]],
    );
}

#[test]
fn an_error_and_a_warning() {
    prints(
        &["check", "-"],
        "A: [2, 3] ~ randn\nB = A^T\nC = A @ A",
        expect![[r#"
            exit code 2
            <stdin>

            warning: `A^T` is a power with the exponent `T`, not the transpose
             --> <stdin>:2:5
              |
            2 | B = A^T
              |     ^^^
              |
              = help: the transpose is `A.T`

            error: `T` is not defined
             --> <stdin>:2:7
              |
            2 | B = A^T
              |       ^
              |
              = help: defined here are `A`

            error: matmul: [2, 3] @ [2, 3]: the inner sizes 3 and 2 differ
             --> <stdin>:3:5
              |
            3 | C = A @ A
              |     ^^^^^
              |
              = help: with the first one transposed, `.T`, they would fit

              2 errors: nothing was judged
        "#]],
    );
}

#[test]
fn definitions_and_gradients() {
    prints(
        &["run", "-"],
        LAYER,
        expect![[r#"
        exit code 0
        a = tensor([-2.0000,  2.5000])
        L = tensor(10.2500)

        dL/dx = tensor([ 8., -4.,  9.])
        dL/dW = tensor([[ -4.0000,   8.0000,  -2.0000],
                        [  5.0000, -10.0000,   2.5000]])
    "#]],
    );
    let given = "X: [2, 2] = [[1, 2], [3, 4]]\nZ = 2 * X\ndL/dZ: [2, 2] = [[1, 0], [0, 1]]";
    prints(
        &["run", "-"],
        given,
        expect![[r#"
        exit code 0
        Z = tensor([[2., 4.],
                    [6., 8.]])

        dL/dX = tensor([[2., 0.],
                        [0., 2.]])
    "#]],
    );
    prints(
        &["run", "-"],
        "i = [1, 2]",
        expect![[r#"
        exit code 0
    "#]],
    );
}

#[test]
fn the_structure_of_a_jacobian() {
    prints(
        &["jacobian", "-", "--of", "a", "--wrt", "W"],
        LAYER,
        expect![[r#"
            exit code 0
            ∂a/∂W  [m=2] by [m=2, n=3]

              ∂a_i/∂W_mn = δ_im x_n

              x  [n=3]

              structure    block-diagonal, 2 blocks of 1 × 3  (confirmed by 2 random probes)
                           a Kronecker product, 2 × 2 ⊗ 1 × 3  (confirmed by 4 random probes)
              as a matrix  I_m ⊗ xᵀ  (row-major vec)
              structured   1 term, 3 numbers, 24 B
              written out  12 numbers, 96 B
              vjp          6 multiply–adds
              jvp          6 multiply–adds
        "#]],
    );
    prints(
        &["jacobian", "-", "--of", "L", "--wrt", "x"],
        LAYER,
        expect![[r#"
            exit code 0
            ∂L/∂x  [] by [n=3]

              ∂L/∂x_m = 2 Σ_k a_k W_km

              a  [m=2]
              W  [m=2, n=3]

              as a matrix  2 (Wᵀ a)ᵀ  (row-major vec)
              structured   1 term, 8 numbers, 64 B
              written out  3 numbers, 24 B
              vjp          8 multiply–adds
              jvp          8 multiply–adds

              operation by operation  written out  structured  multiply–adds of a vjp
              ∂L/∂a^2                        16 B         0 B                       0
              ∂a^2/∂a                        32 B        16 B                       2
              ∂a/∂x                          48 B        48 B                       6
        "#]],
    );
    prints(
        &["jacobian", "-", "--of", "x", "--wrt", "W"],
        LAYER,
        expect![[r#"
        exit code 0
        ∂x/∂W  [n=3] by [m=2, n=3]

          ∂x_i/∂W_mn = 0

          zero         x does not depend on W, or only in steps
    "#]],
    );
}

/// A program too long for one formula is shown from one of its names to the next.
/// A size that is 1 by chance is written as any other; one that is 1 for good has no index to sum over.
#[test]
fn the_jacobian_of_sizes_of_one() {
    let formula = |program: &str, of: &str| {
        let Ran { stdout, .. } = pullback(&["jacobian", "-", "--of", of, "--wrt", "x"], program);
        stdout.lines().find(|line| line.contains(" = ")).unwrap_or("none").trim().to_owned()
    };
    let by_chance = "x: [n=1, d=1] ~ randn\nW: [d, n] ~ randn\ny = 2 * x\nz = x @ W @ x";
    let of_more = by_chance.replace("n=1", "n=3").replace("d=1", "d=2");
    for of in ["y", "z"] {
        assert_eq!(formula(by_chance, of), formula(&of_more, of));
    }
    assert_eq!(formula(by_chance, "y"), "∂y_ij/∂x_mn = 2 δ_im δ_jn");
    assert_eq!(formula("x: [1] ~ randn\ny = 2 * x", "y"), "∂y_i/∂x_m = 2");
}

/// The Jacobian of sorting speaks of the order, and not of what is sorted.
#[test]
fn the_jacobian_of_an_order() {
    let program = "x: [n=5] ~ randn\ny, _ = sort(x)";
    let Ran { stdout, .. } = pullback(&["jacobian", "-", "--of", "y", "--wrt", "x"], program);
    assert!(stdout.contains("∂y_i/∂x_m = [m = argsort(x, axis=0)[i]]"), "{stdout}");
}

#[test]
fn the_jacobian_of_a_deep_program() {
    let block = |y: &str, x: &str| format!("{y} = {x} + tanh({x} @ A) @ B\n");
    let source = format!(
        "x: [N=4, d=3] ~ randn; A: [d, 6] ~ randn; B: [6, d] ~ randn\n{}{}{}{}",
        block("h", "x"),
        block("k", "h"),
        block("l", "k"),
        block("y", "l"),
    );
    let Ran { stdout, .. } = pullback(&["jacobian", "-", "--of", "y", "--wrt", "x"], &source);
    let formulas: Vec<&str> =
        stdout.lines().filter(|line| line.starts_with("  ∂") && line.contains(" = ")).collect();
    expect![[r#"
        [
            "  ∂y_ij/∂l_mn = δ_im δ_jn + Σ_k δ_im B_kj (1 − tanh((l @ A))^2)_ik A_nk",
            "  ∂l_ij/∂k_mn = δ_im δ_jn + Σ_l δ_im B_lj (1 − tanh((k @ A))^2)_il A_nl",
            "  ∂k_ij/∂h_mn = δ_im δ_jn + Σ_k δ_im B_kj (1 − tanh((h @ A))^2)_ik A_nk",
            "  ∂h_ij/∂x_mn = δ_im δ_jn + Σ_k δ_im B_kj (1 − tanh((x @ A))^2)_ik A_nk",
        ]
    "#]]
    .assert_debug_eq(&formulas);
}

#[test]
fn the_numbers_of_a_jacobian() {
    prints(
        &["jacobian", "-", "--of", "a", "--wrt", "W", "--dense"],
        LAYER,
        expect![[r#"
            exit code 0
            ∂a/∂W  [m=2] by [m=2, n=3]

              ∂a_i/∂W_mn = δ_im x_n

              x  [n=3]

              structure    block-diagonal, 2 blocks of 1 × 3  (confirmed by 2 random probes)
                           a Kronecker product, 2 × 2 ⊗ 1 × 3  (confirmed by 4 random probes)
              as a matrix  I_m ⊗ xᵀ  (row-major vec)
              structured   1 term, 3 numbers, 24 B
              written out  12 numbers, 96 B
              vjp          6 multiply–adds
              jvp          6 multiply–adds

            # the axes of a, then those of W
            ∂a/∂W = tensor([[[ 1.0000, -2.0000,  0.5000],
                             [ 0.0000,  0.0000,  0.0000]],

                            [[ 0.0000,  0.0000,  0.0000],
                             [ 1.0000, -2.0000,  0.5000]]])
        "#]],
    );
    prints(
        &["jacobian", "-", "--of", "a", "--wrt", "W", "--vec", "row"],
        LAYER,
        expect![[r#"
            exit code 0
            ∂a/∂W  [m=2] by [m=2, n=3]

              ∂a_i/∂W_mn = δ_im x_n

              x  [n=3]

              structure    block-diagonal, 2 blocks of 1 × 3  (confirmed by 2 random probes)
                           a Kronecker product, 2 × 2 ⊗ 1 × 3  (confirmed by 4 random probes)
              as a matrix  I_m ⊗ xᵀ  (row-major vec)
              structured   1 term, 3 numbers, 24 B
              written out  12 numbers, 96 B
              vjp          6 multiply–adds
              jvp          6 multiply–adds

            # a row an entry of a, a column an entry of W, both in row-major vec
            ∂a/∂W = tensor([[ 1.0000, -2.0000,  0.5000,  0.0000,  0.0000,  0.0000],
                            [ 0.0000,  0.0000,  0.0000,  1.0000, -2.0000,  0.5000]])
        "#]],
    );
    prints(
        &["jacobian", "-", "--of", "a", "--wrt", "W", "--vec", "col"],
        LAYER,
        expect![[r#"
            exit code 0
            ∂a/∂W  [m=2] by [m=2, n=3]

              ∂a_i/∂W_mn = δ_im x_n

              x  [n=3]

              structure    block-diagonal, 2 blocks of 1 × 3  (confirmed by 2 random probes)
                           a Kronecker product, 2 × 2 ⊗ 1 × 3  (confirmed by 4 random probes)
              as a matrix  I_m ⊗ xᵀ  (row-major vec)
                           xᵀ ⊗ I_m  (column-major vec)
              structured   1 term, 3 numbers, 24 B
              written out  12 numbers, 96 B
              vjp          6 multiply–adds
              jvp          6 multiply–adds

            # a row an entry of a, a column an entry of W, both in column-major vec
            ∂a/∂W = tensor([[ 1.0000,  0.0000, -2.0000,  0.0000,  0.5000,  0.0000],
                            [ 0.0000,  1.0000,  0.0000, -2.0000,  0.0000,  0.5000]])
        "#]],
    );
}

#[test]
fn a_jacobian_that_does_not_fit() {
    let source = "X: [64, 4096] ~ randn; W: [4096, 4096] ~ randn; Z = X @ W; dtype f32";
    let source = source.replacen("X:", "dtype f32; X:", 1).replace("; dtype f32", "");
    prints(
        &["jacobian", "-", "--of", "Z", "--wrt", "X", "--dense"],
        &source,
        expect![[r#"
        exit code 2
        error: ∂Z/∂X written out takes 256 GiB, and the limit on memory is 2 GiB
         |
         = help: raise it with --memory, if 256 GiB are there
    "#]],
    );
}

#[test]
fn a_derivation() {
    prints(
        &["derive", "-e", "X @ W + b", "--wrt", "W"],
        "",
        expect![[r#"
            exit code 0
            # assumed: X: [N=5, D=3], W: [D=3, M=2], b: [M=2]
            # δ_im is 1 where i and m are the same, and 0 elsewhere

            dL/dW = X.T @ dL/dZ  [D=3, M=2]  by the rules of: matrix product of the last two axes, sum of two values
              Z_ij = Σ_{k=1}^D X_ik W_kj + b_j                     how Z is computed
              ∂Z_ij/∂W_mn = δ_jn X_im                              its derivative by one entry
              ∂L/∂W_mn = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij ∂Z_ij/∂W_mn  the chain rule: every entry of Z passes its share
              = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij δ_jn X_im             the derivatives inserted
              = Σ_{i=1}^N ∂L/∂Z_in X_im                            each δ picks one value of an index and ends its sum
              ∂L/∂W = Xᵀ ∂L/∂Z                                     as a whole
        "#]],
    );
    prints(
        &["derive", "-"],
        "x: [n=3] ~ randn; L = sum(x^2)",
        expect![[r#"
            exit code 0
            dL/dx = 2 * x  [n=3]  by the rules of: power, sum over some axes
              L = Σ_{k=1}^n x_k²  how L is computed
              ∂L/∂x_m = 2 x_m     its derivative by one entry
              ∂L/∂x = 2 x         as a whole

            # pow: Any base with an exponent that is a whole number of the program; a base from 0 on where that is a fraction; one above 0 where the exponent is a value, since the slopes need a logarithm. Outside, the result is NaN or infinite, as in PyTorch.
        "#]],
    );
    prints(
        &["derive", "-e", "X @ (W"],
        "",
        expect![[r#"
        exit code 2
        error: `(` is never closed
         --> <expression>:1:5
          |
        1 | X @ (W
          |     ^
          |
          = help: write the missing `)`
    "#]],
    );
    prints(
        &["derive", "-e", "mean((Z - T)^2)", "--wrt", "Z"],
        "",
        expect![[r#"
            exit code 0
            # assumed: Z: [N=5, D=3], T: [N=5, D=3]

            dL/dZ = 2 * (Z - T) / (D * N)  [N=5, D=3]  by the rules of: difference of two values, power, mean over some axes
              L = 1/(D·N) Σ_{k=1}^N Σ_{l=1}^D (Z_kl − T_kl)²  how L is computed
              ∂L/∂Z_mn = 2/(D·N) (Z_mn − T_mn)                its derivative by one entry
              ∂L/∂Z = 2 (Z − T) / (D N)                       as a whole

            # pow: Any base with an exponent that is a whole number of the program; a base from 0 on where that is a fraction; one above 0 where the exponent is a value, since the slopes need a logarithm. Outside, the result is NaN or infinite, as in PyTorch.
        "#]],
    );
}

/// The gradient that is differentiated once more is the short one, so that the formula is.
#[test]
fn a_hessian() {
    prints(
        &["hessian", "-", "--of", "L", "--wrt", "x", "--dense"],
        "A: [n=2, n] = [[1, 2], [3, 4]]; x: [n] = [1, 2]; L = x @ A @ x",
        expect![[r#"
            exit code 0
            ∂(∂L/∂x)/∂x  [n=2] by [n=2]

              ∂(∂L/∂x)_i/∂x_m = (A.T + A)_im

              (A.T + A)  [n=2, n=2]

              as a matrix  (A.T + A)  (row-major vec)
              structured   1 term, 4 numbers, 32 B
              written out  4 numbers, 32 B
              vjp          4 multiply–adds
              jvp          4 multiply–adds

              operation by operation     written out  structured  multiply–adds of a vjp
              ∂(∂L/∂x)/∂((A.T + A) @ x)         32 B         0 B                       0
              ∂((A.T + A) @ x)/∂x               32 B        32 B                       4

            # the axes of (∂L/∂x), then those of x
            ∂(∂L/∂x)/∂x = tensor([[2., 5.],
                                  [5., 8.]])
        "#]],
    );
    prints(
        &["hessian", "-", "--of", "L", "--wrt", "x", "--wrt", "A"],
        "A: [n=2, n] ~ randn; x: [n] ~ randn; L = x @ A @ x",
        expect![[r#"
            exit code 0
            ∂(∂L/∂x)/∂A  [n=2] by [n=2, n=2]

              ∂(∂L/∂x)_i/∂A_mn = δ_im x_n + δ_in x_m

              x  [n=2]

              as a matrix  I_n ⊗ xᵀ + xᵀ ⊗ I_n  (row-major vec)
              structured   3 terms, 2 numbers, 16 B
              written out  8 numbers, 64 B
              vjp          8 multiply–adds
              jvp          8 multiply–adds

              operation by operation       written out  structured  multiply–adds of a vjp
              ∂(∂L/∂x)/∂((A.T + A) @ x)           32 B         0 B                       0
              ∂((A.T + A) @ x)/∂(A.T + A)         64 B        16 B                       4
              ∂(A.T + A)/∂A.T                    128 B         0 B                       0
              ∂(A.T + A)/∂A                      128 B         0 B                       0
              ∂A.T/∂A                            128 B         0 B                       0
        "#]],
    );
    let refused = pullback(&["hessian", "-", "--of", "y", "--wrt", "x"], "x = [1, 2]; y = x^2");
    assert!(
        refused.code == 2 && refused.stderr.contains("only scalars have a Hessian"),
        "{}",
        refused.stderr
    );
}

/// Names that stand beside scalars alone are scalars, and what reads like a product of matrices and is none is told.
#[test]
fn an_expression_as_it_is_written_on_paper() {
    prints(
        &["derive", "--steps", "brief", "-e", "sum((X @ w - y)^2) / N + lam * sum(w^2)", "--wrt", "w"],
        "",
        expect![[r#"
            exit code 0
            # assumed: X: [D=3, M=2], w: [M=2], y: [D=3], N: [], lam: []

            dL/dw = 2 * (lam * w + X.T @ (X @ w - y) / N)
        "#]],
    );
    prints(
        &["derive", "--steps", "brief", "-e", "x' * A * x", "--wrt", "x"],
        "",
        expect![[r#"
            exit code 0
            # assumed: x: [N=5], A: [D=3, N=5]

            dL/dx = 2 * sum(dL/dZ * A, axis=0) * x  [N=5]  by the rule of: product of two values
            warning: `x.T * A` is a product entry by entry
             --> <expression>:1:1
              |
            1 | x' * A * x
              | ^^^^^^
              |
              = help: the product of matrices is `x.T @ A`
        "#]],
    );
    prints(
        &["derive", "--steps", "brief", "-e", "max(x, 0)", "--wrt", "x"],
        "",
        expect![[r#"
            exit code 0
            # assumed: x: [N=5]

            dL/dx = tie_share(x)  [N=5]  by the rule of: largest element over some axes
            warning: `max(x, 0)` is taken along axis 0 here
             --> <expression>:1:1
              |
            1 | max(x, 0)
              | ^^^^^^^^^
              |
              = help: of two values it is `maximum(x, 0)`; `axis=0` says what is meant
        "#]],
    );
    prints(
        &["derive", "--steps", "brief", "-e", "Q, R = qr(A)", "--wrt", "A"],
        "",
        expect![[r#"
            exit code 0
            # assumed: A: [N=5, D=3]
            # R is differentiated, the last definition; --of names another

            dL/dA = Q @ dL/dR + Q @ ((dL/dR @ R.T * tril(ones(D, D), -1).T).T @ inv(R).T) - Q @ tril(dL/dR @ R.T, -1) @ inv(R).T
        "#]],
    );
}

/// Values with the steps, and no line that is wider than it may be.
#[test]
fn a_derivation_with_its_numbers() {
    prints(
        &["derive", "-", "--values", "--steps", "brief", "--of", "L"],
        "W: [m=2, n=2] = [[1, 2], [3, 4]]; x: [n] = [1, -1]; v = W @ x; L = sum(v^2); after = 2 * L",
        expect![[r#"
            exit code 0
            v = [-1., -1.]
            L = 2.
            after = 4.
            dL/dv = 2 * v  [m=2]  by the rules of: power, sum over some axes
            dL/dv = [-2., -2.]
            dL/dx = W.T @ dL/dv  [n=2]  by the rule of: matrix product of the last two axes
            dL/dx = [ -8., -12.]
            dL/dW = outer(dL/dv, x)  [m=2, n=2]  by the rule of: matrix product of the last two axes
            dL/dW = [[-2.,  2.],
                     [-2.,  2.]]

            # with all of it inserted, and simplified
            dL/dW = 2 * outer(v, x)  [m=2, n=2]
            dL/dx = 2 * W.T @ v  [n=2]
        "#]],
    );
}

#[test]
fn a_page_of_the_op_table() {
    prints(
        &["ops", "relu"],
        "",
        expect![[r#"
        exit code 0
        relu(x)
          The rectifier, element by element.
          formula            y_i = max(x_i, 0)
          Jacobian           ∂y_i/∂x_m = δ_im [x_i > 0]
          domain             All reals. NaN stays NaN.
          at kinks and ties  relu′(0) = 0, as in PyTorch.
          why                The identity above 0 and constant below.
    "#]],
    );
    let unknown = pullback(&["ops", "silo", "--quiet"], "");
    let told = "error: there is no operation `silo`\n |\n = help: did you mean `silu`?";
    assert!(unknown.code == 2 && unknown.stderr.contains(told), "{}", unknown.stderr);
    // A function by its definition, and all that a word is found in.
    prints(
        &["ops", "silu"],
        "",
        expect![[r#"
            exit code 0
            silu(x) = x * sigmoid(x)
        "#]],
    );
    let found = pullback(&["ops", "soft"], "").stdout;
    assert!(["softmax(x", "softplus(x", "softsign(x)"].iter().all(|name| found.contains(name)), "{found}");
}

#[test]
fn colours() {
    let source = "x = [1, 2]; L = sum(x^2); dL/dx = 2 * x";
    let coloured = pullback(&["check", "-", "--color", "always"], source).stdout;
    assert!(coloured.contains("\u{1b}[32m"), "{coloured:?}");
    for arguments in [&["check", "-"][..], &["check", "-", "--color", "never"]] {
        let plain = pullback(arguments, source).stdout;
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
    }
}

/// `pullback ops | head`: a reader who has seen enough is no error and no panic.
#[test]
fn a_reader_who_leaves() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_pullback"))
        .arg("ops")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
