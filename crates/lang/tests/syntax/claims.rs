//! Claims, in every form, and given cotangents.

use crate::check;
use expect_test::expect;

const NAMES: &str = "W: [m=2, n=3] ~ randn\nx: [n] ~ randn\na = W @ x\nL = sum(a)\n";

/// Checks what follows after a few names; their four lines are left out.
#[track_caller]
fn check_after_names(source: &str, expected: expect_test::Expect) {
    let source = format!("{NAMES}{source}");
    let rendered = crate::render(&source, &pullback_lang::parse(&source));
    let rest: Vec<&str> = rendered.lines().skip(4).collect();
    expected.assert_eq(&rest.join("\n"));
}

#[test]
fn whole_derivatives() {
    check_after_names(
        "dL/da = ones(m)
∂L/∂x = W.T @ dL/da
da/dW = delta
da/dW [col] = xᵀ ⊗ eye(m)
da/dW [row] = eye(m) ⊗ xᵀ
da/dx [W fixed] = W
dL/dx [a, W fixed] = zeros(n)
dL/dx [W, a fixed] = 0
dL/dW[col] = 1
dL / dW = 2
dx/dx [col] [L fixed] = 3",
        expect![[r#"
            (claim L by a Default (call ones m))
            (claim L by x Default (@ (T W) (ref L by a)))
            (claim a by W Default delta)
            (claim a by W Col (call kron (T x) (call eye m)))
            (claim a by W Row (call kron (call eye m) (T x)))
            (claim a by x Default fixed W W)
            (claim L by x Default fixed a W (call zeros n))
            (claim L by W Col 1)
            (claim L by W Default 2)
            (claim x by x Col fixed L 3)
            error: `dL/dx [W, a fixed]` is claimed already at 12:1 `dL/dx [W, a fixed]`
              claimed here at 11:1 `dL/dx [a, W fixed]`
              hint: a file claims each derivative once in each layout"#]],
    );
}

#[test]
fn entry_by_entry() {
    check_after_names(
        "da[i]/dW[p,q] = delta[i,p] * x[q]
da/dW = 1
∂a[i]/∂x[j] = W[i,j]
dL/dW[i,j] = x[j]
dL[]/dx[i] = 1
dL/da[] = 2",
        expect![[r#"
            (claim a[i] by W[p q] (* (at delta [i p]) (at x [q])))
            (claim a by W Default 1)
            (claim a[i] by x[j] (at W [i j]))
            (claim L[] by W[i j] (at x [j]))
            (claim L[] by x[i] 1)
            (claim L[] by a[] 2)"#]],
    );
}

#[test]
fn shapes() {
    check_after_names(
        "shape(da/dW) = [m, m, n]\nshape(dL/dL) = []\nshape(∂²L/∂x²) = (n, n)\nshape(dL/da) = m\nshape(dL/da)",
        expect![[r#"
            (shape a by W [m m n])
            (shape L by L [])
            (shape L by x x [n n])
            error: a shape is a list of sizes at 8:16 `m`
              hint: write `[N, M]`, and `[]` for a scalar's
            error: expected `=` after `)`, found the end of the file at 9:13 ``"#]],
    );
}

#[test]
fn hessians() {
    check_after_names(
        "d2L/dx2 = zeros(n, n)
∂²L/∂a² = 0
d²L/dx dW = 1
∂²L/∂x∂a = 2
y = d2L/dx2 @ x + d2L/dx dW.T - ∂²L/∂a²'
d2L/dx = 3
d2L/dx2 [col] = 4
dL/dx da = 5
d2L/d2x = 6
d2L/dx[i] dx[j] = 7",
        expect![[r#"
            (claim L by x x Default (call zeros n n))
            (claim L by a a Default 0)
            (claim L by x W Default 1)
            (claim L by x a Default 2)
            (claim L by x x Col 4)
            error: `'` transposes only directly after a name, `)` or `]` at 9:40 `'`
              hint: write `.T` for a transpose elsewhere
            error: a second derivative is taken with respect to two variables at 10:6 `x`
              hint: write `d2L/dx2`, or `d2L/dx dy` for different ones
            error: a first derivative is taken with respect to one variable at 12:7 `da`
              hint: a second derivative is written `d2L/dx da`
            error: the `2` of a second derivative stands behind the variable here at 13:5 `d2x`
              hint: write `dx2`
            error: a second derivative is taken with respect to two variables at 14:6 `x`
              hint: write `d2L/dx2`, or `d2L/dx dy` for different ones"#]],
    );
}

#[test]
fn a_name_that_ends_in_2_is_still_a_name() {
    check(
        "x2 = [1]\nL = sum(x2)\ndL/dx2 = [1]\nd2L/dx22 = [[0]]\ny = dL/dx2 + d2L/dx22 + d2L/dx2 dx2",
        expect![[r#"
            (input x2 [1])
            (define L (call sum x2))
            (claim L by x2 Default [1])
            (claim L by x2 x2 Default [[0]])
            (define y (+ (+ (ref L by x2) (ref L by x2 x2)) (ref L by x2 x2)))
        "#]],
    );
}

#[test]
fn a_given_cotangent() {
    check(
        "X: [N=2, D=3] ~ randn
W: [D, M=5] ~ randn
Z = X @ W
dL/dZ: [N, M] ~ randn
dL/dX = dL/dZ @ W.T
dL/dW = X.T @ ∂L/∂Z
∂L/∂X: [N, D] = load(\"d.npz\", \"dL/dX\")",
        expect![[r#"
            (input X <N:=2, D:=3> ~randn)
            (input W <dim D, M:=5> ~randn)
            (define Z (@ X W))
            (given L by Z <dim N, dim M> ~randn)
            (claim L by X Default (@ (ref L by Z) (T W)))
            (claim L by W Default (@ (T X) (ref L by Z)))
            error: `dL/dX` is claimed already at 7:1 `∂L/∂X`
              claimed here at 5:1 `dL/dX`
              hint: a file claims each derivative once in each layout
        "#]],
    );
}

#[test]
fn keys_are_shown_as_they_are_written() {
    let source = format!("{NAMES}da/dW [col] = 1\nda/dx [W, L fixed] = 2\nd2L/dx dW = 3\n∂²L/∂x² = 4");
    let parsed = pullback_lang::parse(&source);
    let keys: Vec<String> = parsed
        .file
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            pullback_lang::StatementKind::Claim(claim) => Some(claim.key.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["da/dW [col]", "da/dx [W, L fixed]", "d2L/dx dW", "d2L/dx2"]);
}

#[test]
fn each_is_claimed_once_in_each_layout() {
    check_after_names(
        "da/dW = 1\nda/dW [col] = 2\nda[i]/dW[p,q] = 3\nda/dW = 4\nda/dW [ col ] = 5\n∂a[j]/∂W[p,q] = 6",
        expect![[r#"
            (claim a by W Default 1)
            (claim a by W Col 2)
            (claim a[i] by W[p q] 3)
            error: `da/dW` is claimed already at 8:1 `da/dW`
              claimed here at 5:1 `da/dW`
              hint: a file claims each derivative once in each layout
            error: `da/dW [col]` is claimed already at 9:1 `da/dW [ col ]`
              claimed here at 6:1 `da/dW [col]`
              hint: a file claims each derivative once in each layout
            error: `da/dW` is claimed already at 10:1 `∂a[j]/∂W[p,q]`
              claimed here at 7:1 `da[i]/dW[p,q]`
              hint: a file claims each derivative once in each layout"#]],
    );
}

#[test]
fn heads_that_are_wrong() {
    check_after_names(
        "dL/W = 1
dL/dW == 2
dL/dW ~ randn
dL/dW += 3
dL/dW
da[i]/dW = 4
da[i]/dW[i,j] = 5
da[0]/dW[i,j] = 6
da/dW [col] [row] = 7
da/dW [col]: [m] ~ randn
da[i]/dx[j] [col] = 8
shape(da[i]/dx[j]) = [m, n]
dL/dx [2*m] = 9",
        expect![[r#"
            error: a claim has a differential above and below the bar at 5:4 `W`
              hint: write `dL/dW = …`
            error: a claim is stated with one `=` at 6:7 `==`
              hint: write `dL/dW = …`
            error: a given cotangent needs its shape at 7:7 `~`
              hint: write `dL/dW: [N, M] ~ randn`
            error: there is no `+=` at 8:7 `+=`
              hint: a name is bound once; write the whole sum on the right of one `=`
            error: expected `=` or `:` after `dW`, found the end of the line at 9:6 `⏎`
              hint: a statement ends with its line; newlines are free inside brackets
            error: `W` needs indices here, as `a` has them at 10:8 `W`
              hint: write one name for each axis, `[]` for a scalar: `dZ[i,j]/dX[m,n] = …`
            error: `i` stands here twice at 11:10 `i`
              first here at 11:4 `i`
              hint: give each a name of its own
            error: an index on the left of `=` is a name at 12:4 `0`
              hint: single entries cannot be set; state the rule for all entries, as in `Z[i,j] = X[i,k] * W[k,j]`
            error: the layout is given twice at 13:13 `[row]`
            error: only a whole first derivative can be given at 14:1 `da/dW [col]`
              hint: a given cotangent is written `dL/dZ: [N, M] ~ randn`
            error: a claim entry by entry has no layout and nothing held fixed at 15:1 `da[i]/dx[j] [col]`
            error: a shape is claimed of a whole derivative at 16:7 `da[i]/dx[j]`
              hint: write `shape(dZ/db) = [N, M, M]`
            error: an index on the left of `=` is a name at 17:8 `2`
              hint: single entries cannot be set; state the rule for all entries, as in `Z[i,j] = X[i,k] * W[k,j]`"#]],
    );
}
