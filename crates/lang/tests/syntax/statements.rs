//! Every kind of statement but claims.

use crate::{check, check_inline};
use expect_test::expect;

#[test]
fn the_file_of_the_design() {
    check(
        "\
# Linear → RMSNorm → gain and bias → Σv²
seed 0
dtype f32
W: [m=2, n=3] ~ randn          # an input; names m and n are bound here
x: [n] ~ randn
g: [m] ~ randn
b: [m] ~ randn

a = W @ x
u = sqrt(mean(a^2))
v = g * (a / u) + b
L = sum(v^2)

dL/dv = 2 * v                                        # a claim about a gradient
dL/db = dL/dv                                        # claims may use earlier claims
dL/dg = dL/dv * (a / u)
dv/da = diag(g) @ (eye(m) - outer(a, a) / (m * u^2)) / u   # a claim about a Jacobian
da/dW = kron(eye(m), x.T)                            # [m, m·n]: row-major vec
dL/dW = reshape(dL/dv @ dv/da @ da/dW, [m, n])
",
        expect![[r#"
            (seed 0)
            (dtype F32)
            (input W <m:=2, n:=3> ~randn)
            (input x <dim n> ~randn)
            (input g <dim m> ~randn)
            (input b <dim m> ~randn)
            (define a (@ W x))
            (define u (call sqrt (call mean (^ a 2))))
            (define v (+ (* g (/ a u)) b))
            (define L (call sum (^ v 2)))
            (claim L by v Default (* 2 v))
            (claim L by b Default (ref L by v))
            (claim L by g Default (* (ref L by v) (/ a u)))
            (claim v by a Default (/ (@ (call diag g) (- (call eye m) (/ (call outer a a) (* m (^ u 2))))) u))
            (claim a by W Default (call kron (call eye m) (T x)))
            (claim L by W Default (call reshape (@ (@ (ref L by v) (ref v by a)) (ref a by W)) [m n]))
        "#]],
    );
}

#[test]
fn inputs() {
    check(
        "\
W: [m=2, n=2*3] ~ normal(0, 1e-2)
y: [m, 2*n, 3] ~ uniform(-1, 1)
c: [] ~ rand
k: [m] ~ randint(0, n)
S: [m, m] ~ spd
x: [3] = [1, 2, 3]
z: [] = -0.5
e: [m] = ones(m)
p = [1, -2.5, 1/3]
q = [[1, 2],
     [3, 4]]
s = 2.0
t = -2
X: [N, D] = load(\"x.npy\")
Y = load(\"d.npz\", \"x\")
",
        expect![[r#"
            (input W <m:=2, n:=(* 2 3)> ~normal(0 0.01))
            (input y <dim m, (* 2 n), 3> ~uniform((neg 1) 1))
            (input c <> ~rand)
            (input k <dim m> ~randint(0 n))
            (input S <dim m, dim m> ~spd)
            (input x <3> [1 2 3])
            (input z <> (neg 0.5))
            (input e <dim m> (call ones m))
            (input p [1 (neg 2.5) (/ 1 3)])
            (input q [[1 2] [3 4]])
            (input s 2.0)
            (input t (neg 2))
            (input X <dim N, dim D> (load "x.npy"))
            (input Y (load "d.npz" "x"))
        "#]],
    );
}

#[test]
fn definitions() {
    check(
        "\
x: [n=3] ~ randn
half = 1/2
two = (2)
y = half * x; z = y + x
w = (x
  + y

  + z)
r = x\u{a0}* y
s = n * n
",
        expect![[r#"
            (input x <n:=3> ~randn)
            (define half (/ 1 2))
            (input two 2)
            (define y (* half x))
            (define z (+ y x))
            (define w (+ (+ x y) z))
            (define r (* x y))
            (define s (* n n))
        "#]],
    );
}

#[test]
fn index_notation() {
    check(
        "Z[i,j] = X[i,k] * W[k,j] + b[j]\nL[] = Z[i,j]^2\nt[i] = X[i,i]",
        expect![[r#"
        (define Z[i j] (+ (* (at X [i k]) (at W [k j])) (at b [j])))
        (define L[] (^ (at Z [i j]) 2))
        (define t[i] (at X [i i]))
    "#]],
    );
}

#[test]
fn functions() {
    check(
        "fn rms(a) = sqrt(mean(a^2))\nfn two() = 2\nfn affine(x, w, b) = x @ w + b\nrms = rms(two())",
        expect![[r#"
            (fn rms(a) (call sqrt (call mean (^ a 2))))
            (fn two() 2)
            (fn affine(x, w, b) (+ (@ x w) b))
            (define rms (call rms (call two)))
        "#]],
    );
}

#[test]
fn words_of_the_language_are_words_only_where_a_statement_starts() {
    check(
        "seed = 3\ndtype = 2 * seed\nfn = dtype\nshape = fn\nvar: [2] ~ randn\nsum = sum(var, axis=0)\nT = var.T\nload = T + shape",
        expect![[r#"
            (input seed 3)
            (define dtype (* 2 seed))
            (define fn dtype)
            (define shape fn)
            (input var <2> ~randn)
            (define sum (call sum var axis=0))
            (define T (T var))
            (define load (+ T shape))
        "#]],
    );
}

#[test]
fn settings() {
    check(
        "seed 18446744073709551615\nseed 0; dtype f64\nseed 18446744073709551616\nseed -1\nseed\nseed = 1.5\nseed 1.5\ndtype float32\ndtype",
        expect![[r#"
            (seed 18446744073709551615)
            (seed 0)
            (dtype F64)
            (input seed 1.5)
            error: a seed is an integer from 0 to 2^64 - 1 at 3:6 `18446744073709551616`
              hint: write `seed 0`
            error: a seed is an integer from 0 to 2^64 - 1 at 4:6 `-`
              hint: write `seed 0`
            error: a seed is an integer from 0 to 2^64 - 1 at 5:1 `seed`
              hint: write `seed 0`
            error: a seed is an integer from 0 to 2^64 - 1 at 7:6 `1.5`
              hint: write `seed 0`
            error: a dtype is `f32` or `f64` at 8:7 `float32`
              hint: write `dtype f32`
            error: a dtype is `f32` or `f64` at 9:1 `dtype`
        "#]],
    );
}

#[test]
fn line_ends_and_comments() {
    check(
        "\u{feff}a = 1\r\nb = 2 # c = 3\rc = 4;;; d = 5;\n\n# e = 6\n#",
        expect![[r#"
        (input a 1)
        (input b 2)
        (input c 4)
        (input d 5)
    "#]],
    );
    check("", expect![[""]]);
    check("# nothing", expect![[""]]);
}

#[test]
fn the_command_line_lets_expressions_stand_alone() {
    check_inline(
        "sum((X @ W)^2)",
        expect![[r#"
        (call sum (^ (@ X W) 2))
    "#]],
    );
    check_inline(
        "x: [3] ~ randn; y = x^2\nsum(y); dL/dx; dy/dx = 2 * diag(x)",
        expect![[r#"
        (input x <3> ~randn)
        (define y (^ x 2))
        (call sum y)
        (/ dL dx)
        (claim y by x Default (* 2 (call diag x)))
    "#]],
    );
    check_inline(
        "seed 1; softmax(x @ W)[0]",
        expect![[r#"
        (seed 1)
        (at (call softmax (@ x W)) [0])
    "#]],
    );
}
