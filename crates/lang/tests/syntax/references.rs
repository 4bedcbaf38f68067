//! `dL/dv` without spaces refers to a claim; with spaces it divides.

use expect_test::expect;

const NAMES: &str = "v: [n=3] ~ randn\nS: [n, n] ~ randn\nL = sum(v)\ndL/dv = 2 * v\ndL/dS = S\n";

#[track_caller]
fn check_after_names(source: &str, expected: expect_test::Expect) {
    let source = format!("{NAMES}{source}");
    let rendered = crate::render(&source, &pullback_lang::parse(&source));
    let rest: Vec<&str> = rendered.lines().skip(5).collect();
    expected.assert_eq(&rest.join("\n"));
}

#[test]
fn a_reference_is_one_piece() {
    check_after_names(
        "a = dL/dv
b = 2*dL/dv*3
c = 2/dL/dv
d = dL/dS.T @ v
e = dL/dS' - ∂L/∂Sᵀ
f = -dL/dv^2
g = dL/dv²
h = 2^dL/dv
i = dL/dv[0]
j = sum(dL/dv, axis=0)
k = dL/dv/dL/dv
l = ∂L/dv",
        expect![[r#"
            (define a (ref L by v))
            (define b (* (* 2 (ref L by v)) 3))
            (define c (/ 2 (ref L by v)))
            (define d (@ (T (ref L by S)) v))
            (define e (- (T (ref L by S)) (T (ref L by S))))
            (define f (neg (^ (ref L by v) 2)))
            (define g (^ (ref L by v) 2))
            (define h (^ 2 (ref L by v)))
            (define i (at (ref L by v) [0]))
            (define j (call sum (ref L by v) axis=0))
            (define k (/ (ref L by v) (ref L by v)))
            (define l (ref L by v))"#]],
    );
}

#[test]
fn with_spaces_it_is_a_division() {
    check_after_names(
        "dL = 1 + 1
dv = 2 * v
a = dL / dv
b = dL /dv
c = dL/ dv
d = 3 * dL / dv.T",
        expect![[r#"
            (define dL (+ 1 1))
            (define dv (* 2 v))
            (define a (/ dL dv))
            (define b (/ dL dv))
            (define c (/ dL dv))
            (define d (/ (* 3 dL) (T dv)))"#]],
    );
}

#[test]
fn without_such_variables_the_spaces_are_the_mistake() {
    check_after_names(
        "a = 2 * dL / dS.T\nb = dL / dv",
        expect![[r#"
        error: with spaces this is a division, and `dL` is not defined at 6:9 `dL / dS.T`
          hint: the claim is referred to as `dL/dS`, without spaces
        error: with spaces this is a division, and `dL` is not defined at 7:5 `dL / dv`
          hint: the claim is referred to as `dL/dv`, without spaces"#]],
    );
}

#[test]
fn without_such_names_it_is_a_division() {
    check_after_names(
        "data = 2 * v\ndim = 1 + 1\na = data/dim\nb = dtheta/dalpha\nc = dL_dv/dL",
        expect![[r#"
            (define data (* 2 v))
            (define dim (+ 1 1))
            (define a (/ data dim))
            (define b (/ dtheta dalpha))
            error: `L_dv` is not defined at 10:6 `L_dv`
              hint: `dL_dv/dL` refers to a claim about a variable defined above"#]],
    );
}

#[test]
fn two_readings_are_an_error() {
    check_after_names(
        "dL = 1 + 1\ndv = 2 * v\na = dL/dv\nb = dL / dv",
        expect![[r#"
        (define dL (+ 1 1))
        (define dv (* 2 v))
        (define b (/ dL dv))
        error: `dL/dv` has two readings: a reference to the claim, and a division at 8:5 `dL/dv`
          the variable `dL` at 6:1 `dL`
          the variable `dv` at 7:1 `dv`
          hint: write `dL / dv` with spaces to divide the variables; to refer to the claim, rename them"#]],
    );
    check_after_names(
        "dL = 1 + 1\nb = dL/dv",
        expect![[r#"
        (define dL (+ 1 1))
        (define b (ref L by v))"#]],
    );
}

#[test]
fn a_reference_comes_after_its_claim() {
    check_after_names(
        "y = 2 * v
dL/dy = dL/dn
t = dy/dv @ v
dy/dv = 2 * eye(n)
dy/dS = dy/dS",
        expect![[r#"
            (define y (* 2 v))
            (claim y by v Default (* 2 (call eye n)))
            error: `dL/dn` is not claimed above at 7:9 `dL/dn`
              hint: state it first, `dL/dn = …`, or write out its value here
            error: `dy/dv` is not claimed above at 8:5 `dy/dv`
              it is claimed here at 9:1 `dy/dv`
              hint: a reference comes after its claim: move the claim up
            error: `dy/dS` is not claimed above at 10:9 `dy/dS`
              hint: state it first, `dy/dS = …`, or write out its value here"#]],
    );
}

#[test]
fn a_half_known_reference() {
    check_after_names(
        "a = dL/ds\nb = dLoss/dv\nc = dL/dquery",
        expect![[r#"
        error: `s` is not defined at 6:9 `s`
          hint: did you mean `S`?
        error: `Loss` is not defined at 7:6 `Loss`
          hint: `dLoss/dv` refers to a claim about a variable defined above
        error: `query` is not defined at 8:9 `query`
          hint: `dL/dquery` refers to a claim about a variable defined above"#]],
    );
}

#[test]
fn a_claim_with_an_error_is_still_a_claim() {
    check_after_names(
        "y = 2 * v\ndL/dy = 2 *\na = dL/dy\nz = (\nb = dL/dy",
        expect![[r#"
        (define y (* 2 v))
        (define a (ref L by y))
        (define b (ref L by y))
        error: expected an expression after `*`, found the end of the line at 7:12 `⏎`
          hint: a statement ends with its line; newlines are free inside brackets
        error: `(` is never closed at 9:5 `(`
          the next statement seems to start here at 10:1 `b`
          hint: write the missing `)`"#]],
    );
}

#[test]
fn parameters_and_indices_hide_names() {
    check_after_names(
        "fn f(v) = dL/dv + v\nfn g(dL, dv) = dL / dv\nfn h(dL, dv) = dL/dv\nfn k(x) = dL/dv * x\nq[v] = dL/dv[v]",
        expect![[r#"
            (fn g(dL, dv) (/ dL dv))
            (fn k(x) (* (ref L by v) x))
            error: `v` is a parameter or an index here, so this refers to no claim at 6:15 `v`
              hint: give the parameter or the index another name
            error: `dL/dv` has two readings: a reference to the claim, and a division at 8:16 `dL/dv`
              hint: write `dL / dv` with spaces to divide the variables; to refer to the claim, rename them
            error: `v` is a parameter or an index here, so this refers to no claim at 10:12 `v`
              hint: give the parameter or the index another name"#]],
    );
}

#[test]
fn layouts_stand_only_in_heads() {
    check_after_names(
        "a = dL/dS [col]\nb = dL/dS[row] + 1\nc = dL/dS [v fixed]\ncol = 1 + 1\nd = dL/dS[col]",
        expect![[r#"
            (define col (+ 1 1))
            (define d (at (ref L by S) [col]))
            error: `[col]` stands only in a claim, before its `=` at 6:11 `[col]`
              hint: a reference has the layout in which its claim was written; leave this out
            error: `[row]` stands only in a claim, before its `=` at 7:10 `[row]`
              hint: a reference has the layout in which its claim was written; leave this out
            error: `[… fixed]` stands only in a claim, before its `=` at 8:11 `[v fixed`
              hint: a reference has the layout in which its claim was written; leave this out"#]],
    );
}

#[test]
fn an_ordinary_variable() {
    check_after_names(
        "dL_dv = 2 * v\na = dL_dv/n",
        expect![[r#"
        (define dL_dv (* 2 v))
        (define a (/ dL_dv n))
        warning: `dL_dv` is an ordinary variable, and no claim uses it at 6:1 `dL_dv`
          hint: write `dL/dv = …` to have it checked"#]],
    );
}
