//! What is said about text that is wrong: the message, the place underlined, the hint.

use crate::check;
use expect_test::expect;

#[test]
fn brackets() {
    check(
        "a = (x + 1",
        expect![[r#"
        error: `(` is never closed at 1:5 `(`
          hint: write the missing `)`
    "#]],
    );
    check(
        "a = f(x, [1, 2)",
        expect![[r#"
        error: `)` does not close `[` at 1:15 `)`
          opened here at 1:10 `[`
          hint: write `]` before it
    "#]],
    );
    check(
        "a = x + 1)",
        expect![[r#"
        error: `)` closes nothing at 1:10 `)`
          hint: remove it, or write the missing `(`
    "#]],
    );
    check(
        "a = x]",
        expect![[r#"
        error: `]` closes nothing at 1:6 `]`
          hint: remove it, or write the missing `[`
    "#]],
    );
    check(
        "a = ()",
        expect![[r#"
        error: expected an expression after `(`, found `)` at 1:6 `)`
    "#]],
    );
    check(
        "a = (x; b = 2",
        expect![[r#"
            (input b 2)
            error: `(` is never closed at 1:5 `(`
              the statement ends here at 1:7 `;`
              hint: write the missing `)`
        "#]],
    );
    check(
        "x: [n=3 ~ randn",
        expect![[r#"
            error: expected `,` or `]` after `3`, found `~` at 1:9 `~`
              hint: write the missing `]` before it
        "#]],
    );
}

#[test]
fn missing_operators_and_commas() {
    check(
        "a = 2 x\nb = x y\nc = (x) (y)\nd = [1 2 3]\ne = f(x y)\nf = [[1, 2] [3, 4]]\ng = A' B\nh = x if y else z\ni = [[1, 2]\n [3, 4]]",
        expect![[r#"
            error: an operator is missing between `2` and `x` at 1:7 `x`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: an operator is missing between `x` and `y` at 2:7 `y`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: an operator is missing between `)` and `(` at 3:9 `(`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: a comma is missing between `1` and `2` at 4:8 `2`
              hint: write `1, 2`
            error: a comma or an operator is missing between `x` and `y` at 5:9 `y`
              hint: write `,` between arguments, `*` or `@` for a product
            error: a comma is missing between `]` and `[` at 6:13 `[`
              hint: write `], [`
            error: an operator is missing between `'` and `B` at 7:8 `B`
              hint: write `*` for the product element by element, `@` for the matrix product
            error: expected an operator after `x`, found `if` at 8:7 `if`
              hint: there is no `if`; where `c` is 0 or 1, `c * a + (1 - c) * b` is one of both
            error: a comma is missing between `]` and `[` at 10:2 `[`
              hint: write `], [`
        "#]],
    );
}

#[test]
fn one_equals_or_two() {
    check(
        "a == 2\nb = c = 2\nd = f((x = 1))\ne = [x = 1]\nf += 1\ng = \nh = = 2\ni := 3",
        expect![[r#"
        error: a definition has one `=` at 1:3 `==`
          hint: write `a = …`
        error: `=` does not stand inside an expression at 2:7 `=`
          hint: a statement has one `=`; `==` compares
        error: `=` does not stand inside an expression at 3:10 `=`
          hint: a keyword argument is a name before `=`, as in `sum(x, axis=0)`; `==` compares
        error: `=` does not stand inside an expression at 4:8 `=`
          hint: `==` compares
        error: there is no `+=` at 5:3 `+=`
          hint: a name is bound once; write the whole sum on the right of one `=`
        error: expected an expression after `=`, found the end of the line at 6:5 `⏎`
          hint: a statement ends with its line; newlines are free inside brackets
        error: expected an expression after `=`, found `=` at 7:5 `=`
        error: expected a shape after `:`, found `=` at 8:4 `=`
          hint: a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar
    "#]],
    );
}

#[test]
fn methods_and_modules() {
    check(
        "a = x.sum()\nb = x.t()\nc = x.sum(axis=0, keepdims=true)\nd = (x @ y).mean()\ne = np.exp(x)\nf = torch.nn.relu(x)\ng = x.shape[0]\nh = x.T()\ni = x.grad\nj = x.foo\nk = x.",
        expect![[r#"
            (define a (call sum x))
            (define b (call t x))
            (define c (call sum x axis=0 keepdims=#true))
            (define d (call mean (@ x y)))
            (define e (call exp x))
            (define f (call relu x))
            (define g (at (call shape x) [0]))
            error: there is no `.T()` at 8:7 `T`
              hint: write `x.T`; `permute` and `transpose` are functions: `permute(A, [1, 0])`
            error: there is no `.grad` at 9:7 `grad`
              hint: a gradient is written `dL/dx`
            error: there is no `.foo` at 10:7 `foo`
              hint: attributes are `.T`, `.mT`, `.shape`, `.ndim` and `.size`; functions are called by their names, and `pullback ops` lists them
            error: expected `T` after `.`, found the end of the file at 11:7 ``
        "#]],
    );
}

#[test]
fn results_layers_and_operators_of_python() {
    check(
        "a = x.max(dim=1).values\nb = torch.sort(x).indices\nc = x.min(1, keepdim=True)[0]\nv, i = x.max(dim=1)\nd = nn.Softmax(dim=1)(x)\n\
         e = np.array([1, 2])\nf = ~(x > 0) ^ y\ng = x % 2 + x // 3\nh = x.gt(y)\nj = x.to(torch.float64)\nk = np.add.reduce(x)\n\
         l = torch.zeros(3, dtype=torch.float32, device=x.device)\nm = x.sum().values\nn = x.clamp_(0)\no = np.split(x, [1, 3])\n\
         p = x.where(x > 0, y)\nq = torch.gather(x, dim=1, index=i)\nr = (x > 0) ^ (y > 0)",
        expect![[r#"
            (define a (at (call max_and_place x dim=1) [0]))
            (define b (at (call sort x) [1]))
            (define c (at (call min_and_place x 1 keepdim=#true) [0]))
            (define (v i) (call max_and_place x dim=1))
            (define d (call softmax x dim=1))
            (input e [1 2])
            (define f (call logical_not (^ (> x 0) y)))
            (define g (+ (call remainder x 2) (call floor_divide x 3)))
            (define h (> x y))
            (define j (call float x))
            (define k (call sum x axis=0))
            (define l (call zeros 3))
            (define o (call split_at x [1 3]))
            (define p (call where (> x 0) x y))
            (define q (call take_along_axis x dim=1 index=i))
            (define r (^ (> x 0) (> y 0)))
            warning: `^` is a power here, of `(x > 0)` too at 18:5 `(x > 0) ^ (y > 0)`
              hint: one of both is `logical_xor(x > 0, y > 0)`
            error: there is no `.values` at 13:13 `values`
              hint: attributes are `.T`, `.mT`, `.shape`, `.ndim` and `.size`; functions are called by their names, and `pullback ops` lists them
            error: there is no `.clamp_()` at 14:7 `clamp_`
              hint: nothing is written in place; `clamp` makes another value
        "#]],
    );
}

#[test]
fn statements_of_other_languages() {
    check(
        "let x = 1\ndef f(x):\nimport numpy as np\nfor i in x\nprint(x)\nf(x) = 2 * x\na, b = f(x)\nx ~ randn\nx + 1\n+ 2\n2 = x\nassert x == 2\n(x)[0] = 3\nx[0] = 1\nx[i+1] = 2\n@decorator",
        expect![[r#"
            (define (a b) (call f x))
            error: no statement starts with `let` at 1:1 `let`
              hint: a definition needs no keyword: `a = W @ x`
            error: no statement starts with `def` at 2:1 `def`
              hint: a function is written `fn f(x) = …`, on one line
            error: no statement starts with `import` at 3:1 `import`
              hint: nothing is imported; all functions are there
            error: no statement starts with `for` at 4:1 `for`
              hint: a loop is written `scan t < T, h = h0 { h = … }`; sums as `sum(…)` or in index notation
            error: no statement starts with `print` at 5:1 `print`
              hint: `pullback run` prints every definition
            error: a function is defined with `fn` and a name at 6:1 `f`
              hint: write `fn f(x) = …`
            error: the shape of `x` is missing at 8:3 `~`
              hint: write `x: [m=2, n=3] ~ randn`, and `x: [] ~ randn` for a scalar
            error: an expression by itself states nothing at 9:1 `x + 1`
              hint: give it a name: `y = …`
            error: no statement starts with `+` at 10:1 `+`
              hint: to go on with the line above, put the whole expression in `(…)`
            error: this cannot stand to the left of `=` at 11:1 `2`
              hint: to its left stands a name, `Z[i,j]`, or a derivative such as `dL/dW`
            error: no statement starts with `assert` at 12:1 `assert`
              hint: a claim is written `dL/dx = …`
            error: this cannot stand to the left of `=` at 13:1 `(x)[0]`
              hint: to its left stands a name, `Z[i,j]`, or a derivative such as `dL/dW`
            error: an index on the left of `=` is a name at 14:3 `0`
              hint: single entries cannot be set; state the rule for all entries, as in `Z[i,j] = X[i,k] * W[k,j]`
            error: `x` is already a definition at 15:1 `x`
              bound here at 14:1 `x`
              hint: each name is bound once; choose another
            error: no statement starts with `@` at 16:1 `@`
              hint: to go on with the line above, put the whole expression in `(…)`
        "#]],
    );
}

#[test]
fn inputs() {
    check(
        "x: [n=3]
y: 3 ~ randn
z: [3] ~ gauss
w: [3] ~ radnn
v: [3] ~ randn(3)
u: [3] ~ normal
t: [3] ~ 2 * randn
s: [3] ~ randn * 2
r = randn(3)
q: [3] = rand
p: [3] = rand(3)
o: [3] = load(\"x\", 2)
n2: f32 = 2
m: = 3
l:
k: [a=] ~ randn
true = 3
fn f(x, x) = 2
fn g = 3
fn h(2) = 3",
        expect![[r#"
            (input q <3> rand)
            error: this input has a shape but no values at 1:8 `]`
              hint: draw them, `~ randn`, or give them, `= [1, 2, 3]`
            error: expected a shape after `:`, found `3` at 2:4 `3`
              hint: a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar
            error: there is no distribution `gauss` at 3:10 `gauss`
              hint: the distributions are `randn`, `rand`, `normal(μ, σ)`, `uniform(a, b)`, `randint(lo, hi)`, `positive`, `spd`, `symmetric`
            error: there is no distribution `radnn` at 4:10 `radnn`
              hint: did you mean `randn`?
            error: `randn` takes 0 arguments, not 1 at 5:10 `randn(3)`
              hint: write `~ randn`; the shape stands before it, in brackets
            error: `normal` takes 2 arguments, not 0 at 6:10 `normal`
              hint: write `~ normal(μ, σ)`; the shape stands before it, in brackets
            error: expected a distribution after `~`, found `2` at 7:10 `2`
              hint: the distributions are `randn`, `rand`, `normal(μ, σ)`, `uniform(a, b)`, `randint(lo, hi)`, `positive`, `spd`, `symmetric`
            error: a distribution cannot be computed with at 8:16 `*`
              hint: write `~ normal(μ, σ)`, or draw first and compute in a definition
            error: `randn` is a distribution, not a function at 9:5 `randn`
              hint: an input is drawn with `~`: `x: [n=3] ~ randn`
            error: `rand` is a distribution, not a function at 11:10 `rand`
              hint: an input is drawn with `~`: `x: [n=3] ~ rand`
            error: `load` takes the name of a file, and of an array in it at 12:10 `load("x", 2)`
              hint: write `load("x.npy")` or `load("d.npz", "x")`
            error: expected a shape after `:`, found `f32` at 13:5 `f32`
              hint: a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar
            error: expected a shape after `:`, found `=` at 14:4 `=`
              hint: a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar
            error: expected a shape after `:`, found the end of the line at 15:3 `⏎`
              hint: a shape stands in brackets: `[m=2, n=3]`, and `[]` for a scalar
            error: expected an expression after `=`, found `]` at 16:7 `]`
            error: `true` is a word of the language, not a name at 17:1 `true`
            error: `x` stands here twice at 18:9 `x`
              first here at 18:6 `x`
              hint: give each a name of its own
            error: `(` is missing after `g` at 19:6 `=`
              hint: a function is written `fn f(x) = …`
            error: expected a name after `(`, found `2` at 20:6 `2`
        "#]],
    );
}

#[test]
fn names_are_bound_once() {
    check(
        "x: [n=3] ~ randn\nx = 2\nn = 3\ny: [x=2] ~ randn\nz: [n=3] ~ randn\nx: [2] ~ randn\nfn f(a) = a\nfn f(b) = b\ndL/dx: [n] ~ randn\nL = 3",
        expect![[r#"
            (input x <n:=3> ~randn)
            (input z <n:=3> ~randn)
            (fn f(a) a)
            (given L by x <dim n> ~randn)
            error: `x` is already an input at 2:1 `x`
              bound here at 1:1 `x`
              hint: each name is bound once; choose another
            error: `n` is already a dim at 3:1 `n`
              bound here at 1:5 `n`
              hint: each name is bound once; choose another
            error: `x` is already an input at 4:5 `x`
              bound here at 1:1 `x`
              hint: dims and values share their names; choose another
            error: `x` is already an input at 6:1 `x`
              bound here at 1:1 `x`
              hint: each name is bound once; choose another
            error: the function `f` is defined already at 8:4 `f`
              defined here at 7:4 `f`
            error: `L` is already the loss of a given cotangent at 10:1 `L`
              bound here at 9:2 `L`
              hint: each name is bound once; choose another
        "#]],
    );
}

#[test]
fn calls() {
    check(
        "a = f(x, axis=0, axis=1)\nb = f(axis=0, x)\nc = f(, x)\nd = f(x,, y)\ne = f(axis=)\ng = a < b < c",
        expect![[r#"
            error: `axis` is given twice at 1:18 `axis`
              first here at 1:10 `axis`
            error: an argument without a keyword follows one with a keyword at 2:15 `x`
              the keyword at 2:7 `axis`
              hint: write the arguments without a keyword first
            error: expected an expression after `(`, found `,` at 3:7 `,`
            error: expected an expression after `,`, found `,` at 4:9 `,`
            error: expected an expression after `=`, found `)` at 5:12 `)`
            error: comparisons do not chain at 6:11 `<`
              hint: put each into brackets: `(a < b) & (b < c)`; `&` binds more tightly
        "#]],
    );
}

#[test]
fn lines_that_end_too_early() {
    check(
        "a = x +\n  y\nb = x\n  + y\nc = f(\n x,\n y)",
        expect![[r#"
        (define b x)
        (define c (call f x y))
        error: expected an expression after `+`, found the end of the line at 1:8 `⏎`
          hint: a statement ends with its line; newlines are free inside brackets
        error: an expression by itself states nothing at 2:3 `y`
          hint: give it a name: `y = …`
        error: no statement starts with `+` at 4:3 `+`
          hint: to go on with the line above, put the whole expression in `(…)`
    "#]],
    );
}
