//! What is said about files that parse and are wrong: the message, its place, its hint, and further places.

use std::collections::HashMap;
use std::path::Path;

use pullback_lang::program::{Inputs, Scope, elaborate, elaborate_with, evaluate};
use pullback_lang::{File, MAX_ERRORS, Names, StatementKind, parse, parse_expr_in};

use crate::errors;

/// One error: its message, the text at its place, what its hint contains, and the text at its second place. An empty
/// text stands for none.
#[track_caller]
fn one(source: &str, message: &str, place: &str, hint: &str, second: &str) {
    let errors = errors(source);
    let [error] = errors.as_slice() else { panic!("{} errors: {errors:?}\n{source}", errors.len()) };
    assert_eq!(error.message(), message, "{source}");
    assert_eq!(error.span().slice(source), place, "{source}");
    match error.hint() {
        Some(given) => assert!(!hint.is_empty() && given.contains(hint), "the hint of {source}: {given}"),
        None => assert_eq!(hint, "", "there is no hint: {source}"),
    }
    let label = error.labels().next().map_or("", |(span, _)| span.slice(source));
    assert_eq!(label, second, "{source}");
}

#[test]
fn names() {
    one("hidden = [1, 2]; y = hiden + 1", "`hiden` is not defined", "hiden", "did you mean `hidden`?", "");
    one(
        "x = [1, 2]; W = [3]; y = bias + 1",
        "`bias` is not defined",
        "bias",
        "defined here are `W`, `x`",
        "",
    );
    one("y = x + 1; x = [1, 2]", "`x` is not defined yet", "x", "move the definition up", "x");
    one("x = [1, 2]; y = x + y", "`y` is not defined yet", "y", "from top to bottom", "y");
    one("x = [1, 2]; y = relu + x", "`relu` is not defined", "relu", "write `relu(…)`", "");
    one(
        "x = [1, 2]; y = sofmax(x)",
        "there is no function `sofmax`",
        "sofmax",
        "did you mean `softmax`?",
        "",
    );
    one(
        "x = [1, 2]; y = frobnicate(x)",
        "there is no function `frobnicate`",
        "frobnicate",
        "`pullback ops` lists them",
        "",
    );
    // A function of another library has a formula, or nothing: no name that is merely spelt alike.
    for (call, name, hint) in [
        ("sqr(x)", "sqr", "`x^2` is what is called `sqr(x)` elsewhere"),
        ("eig(x)", "eig", "nothing that is there stands for it"),
        // `dot` takes two, and `outer` too.
        ("dott(x)", "dott", "`pullback ops` lists them"),
        ("dott(x, x)", "dott", "did you mean `dot`?"),
        ("oter(x)", "oter", "`pullback ops` lists them"),
    ] {
        let source = format!("x = [1, 2]; y = {call}");
        one(&source, &format!("there is no function `{name}`"), name, hint, "");
    }
    one("fn rms(a) = sqrt(mean(a^2)); x = [1]; y = rns(x)", "there is no function `rns`", "rns", "`rms`", "");
    one("x = [1, 2]; y = x(1)", "there is no function `x`", "x", "`x * (…)`", "");
    one("x = [1, 2]; y = delta(1)", "`delta` has indices, no arguments", "delta(1)", "`delta[i,j]`", "");
}

/// The parser refuses these in a text; a tree may come from elsewhere.
#[test]
fn a_name_has_one_meaning() {
    let joined = |first: &str, second: &str| {
        let mut statements = parse(first).file.statements;
        statements.extend(parse(second).file.statements);
        elaborate(&File { statements }, Path::new(".")).expect_err("the second statement is wrong").remove(0)
    };
    let error = joined("x = [1, 2]", "x = [3, 4]");
    assert_eq!(error.message(), "`x` is already a value");
    assert_eq!(error.labels().count(), 1);
    let error = joined("A: [n=2] ~ randn", "n = 2 * 3");
    assert_eq!(error.message(), "`n` is already a dim");
    assert_eq!(error.labels().count(), 1);
    let error = joined("n = 2 * 3", "A: [n=2] ~ randn");
    assert_eq!(error.message(), "`n` is already a value");
    let error = joined("fn f(a) = a", "fn f(a) = 2 * a");
    assert_eq!(error.message(), "the function `f` is defined already");
    let error = joined("x = [1, 2]; L = sum(x); dL/dx = ones(2)", "dL/dx = ones(2)");
    assert_eq!(error.message(), "`dL/dx` is claimed already");
    assert_eq!(error.labels().count(), 1);
}

#[test]
fn shapes() {
    one(
        "A: [2, 3] ~ randn; B: [2, 5] ~ randn; y = 1 + sum(A @ B)",
        "matmul: [2, 3] @ [2, 5]: the inner sizes 3 and 2 differ",
        "A @ B",
        "transposed",
        "",
    );
    one(
        "x: [n=3] ~ randn; y: [m=2] ~ randn; z = exp(x + y)",
        "add: the shapes [n=3] and [m=2] do not broadcast: n=3 ≠ m=2",
        "x + y",
        "aligned at their last axes",
        "",
    );
    one("A: [2, 3, 5] ~ randn; y = A.T", "transpose: [2, 3, 5] has 3 axes", "A.T", "permute", "");
    one("x: [n=3] ~ randn; y: [n=4] ~ randn", "`n` is 4 here and 3 above", "n", "one size", "n");
    one("x: [n=3] ~ randn; y: [n] = [1, 2]", "`n` is 2 here and 3 above", "n", "one size", "n");
    one("x: [2, 2] = [1, 2]", "2 axes are declared, and the numbers have the shape [2]", "[2, 2]", "", "");
    one("x: [3] = [1, 2]", "the shape [3] is declared, and the numbers have the shape [2]", "3", "", "");
    one("x: [n] ~ randn", "the size of `n` is not known", "n", "`n=3`", "");
    one("x: [1.5] ~ randn", "a size is a whole number from 0 on, not 1.5", "1.5", "write the number", "");
    one("x: [2 - 3] ~ randn", "a size is a whole number from 0 on, not -1", "2 - 3", "write the number", "");
    one(
        "x: [n=3] ~ randn; y: [x] ~ randn",
        "`x` is a value of shape [n=3], not a size",
        "x",
        "a size is a number",
        "",
    );
    one("x: [2, 3] ~ spd", "`spd` draws a square matrix, not [2, 3]", "spd", "[n=3, n]", "");
    one(
        "x = [[1, 2], [3]]",
        "the entries of this list have the shapes [2] and [1]",
        "[[1, 2], [3]]",
        "equally long",
        "",
    );
    one(
        "x = [1, 2]; y = [x, x] * 2",
        "a list holds numbers, and one entry has the shape [2]",
        "[x, x]",
        "`concat` and `stack`",
        "",
    );
}

/// A product of sizes that overflows is refused, and so is what passes the limit of memory.
#[test]
fn sizes_without_end() {
    pullback_array::memory::set_limit(64 << 20);
    for source in [
        "x: [4294967296, 4294967296] ~ randn",
        "x: [4294967296, 4294967296, 4294967296] ~ randn",
        "x = zeros(1000000000, 1000000000)",
        "n = 2; x = eye(9007199254740991)",
        "x = arange(9007199254740991)",
        "L: [] ~ randn; x: [n=3037000500] = [1]; y = x",
    ] {
        let errors = errors(source);
        assert_eq!(errors.len(), 1, "{source}: {errors:?}");
    }
}

#[test]
fn claims() {
    let head = "x: [n=3] ~ randn; k: [2] ~ randint(0, 3); L = sum(x^2); y = 2 * x";
    let one = |claim: &str, message: &str, place: &str, hint: &str, second: &str| {
        one(&format!("{head}; {claim}"), message, place, hint, second);
    };
    one("dL/dw = 2 * x", "`w` is not defined", "w", "defined here are", "");
    one("dQ/dx = 2 * x", "`Q` is not defined", "Q", "defined here are", "");
    one("dM/dx = 2 * x; M = sum(x)", "`M` is not defined yet", "M", "move the definition up", "M");
    one("dL/dn = 2 * x", "`n` is a dim of size 3, not a value", "n", "", "n");
    one("dL/dk = 2 * x", "`k` holds integers, which are not differentiable", "k", "", "k");
    one("dy/dx [w fixed] = eye(3)", "`w` is not defined", "w", "defined here are", "");
    one(
        "dy[i]/dx[j,k] = 0 * delta[i,j]",
        "`x` has the shape [n=3] and is given 2 indices",
        "x[j,k",
        "one index for each axis",
        "",
    );
    one("dL/dx = z", "`z` is not defined", "z", "defined here are", "");
}

/// The parser refuses such a reference in a text; with names from elsewhere it parses.
#[test]
fn references_to_nothing() {
    let names = Names::of(&parse("x = [1, 2]; L = sum(x); dL/dx = ones(2)").file);
    let expr = parse_expr_in("2 * dL/dx", &names).expect("it parses").expr;
    let error = evaluate(&expr, &Scope::new(pullback_array::DType::F64)).expect_err("nothing is claimed");
    assert_eq!(error.message(), "`dL/dx` is not claimed above");
    assert_eq!((error.span().start, error.span().end), (4, 9));
    assert!(error.hint().is_some_and(|hint| hint.contains("state it first")));
    // Nor does a claim come before itself.
    let program = crate::program("x = [1, 2]; L = sum(x); dL/dx = ones(2)");
    assert!(program.reclaimed(0, &expr, &HashMap::new()).is_err());
}

#[test]
fn given_cotangents() {
    let head = "X: [N=5, D=3] ~ randn; Z = 2 * X";
    let one = |rest: &str, message: &str, place: &str, hint: &str, second: &str| {
        one(&format!("{head}; {rest}"), message, place, hint, second);
    };
    one(
        "dL/dZ: [D, N] ~ randn",
        "`dL/dZ` has the shape [D=3, N=5] and `Z` has [N=5, D=3]",
        "[D, N]",
        "the shape of what",
        "Z",
    );
    one("dL/dQ: [N, D] ~ randn", "`Q` is not defined", "Q", "defined here are", "");
    one(
        "dL/dZ: [N, D] ~ randn; y = 2 * L",
        "`L` has no value: only its cotangents are given",
        "L",
        "dL/dx",
        "L",
    );
    one(
        "L = sum(Z); dL/dZ: [N, D] ~ randn",
        "`L` is defined, so its gradients follow from it",
        "L",
        "not defined",
        "L",
    );
    one(
        "dL/dZ: [N, D] ~ randn; dZ/dL = Z",
        "nothing is differentiated by `L`, which has no value",
        "L",
        "",
        "L",
    );
}

#[test]
fn index_notation() {
    let head = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn; A: [3, 3] ~ randn; fn f(a) = a^2; i0 = 1";
    let one = |rest: &str, message: &str, place: &str, hint: &str, second: &str| {
        one(&format!("{head}; {rest}"), message, place, hint, second);
    };
    let runs = "the index `k` runs over N=5 here and over D=3 elsewhere";
    one("Z[i,j] = X[i,k] * X[k,j]", runs, "k", "axes of one size", "k");
    one(
        "Z[i,j] = delta[i,k] * W[k,j] + X[i,j]",
        "the index `j` runs over D=3 here and over M=2 elsewhere",
        "j",
        "axes of one size",
        "j",
    );
    one(
        "Z[i,j] = X[i,k] * delta[k,j] * b[j]",
        "delta[k,j]: `k` runs over D=3 and `j` over M=2",
        "delta[k,j]",
        "equally far",
        "",
    );
    one("Z[i,j] = b[j]", "nothing says how far the index `i` runs", "i", "takes its range", "");
    one(
        "Z[i,j] = X[i,j,j]",
        "this has the shape [N=5, D=3] and is given 3 indices",
        "X[i,j,j]",
        "each axis",
        "",
    );
    one("Z[i] = X[i,j] + b", "`b` has the shape [M=2] and stands here without indices", "b", "`b[j]`", "");
    one("Z[i] = X[i,j+1]", "an index is a name or a number, and nothing computed", "j+1", "slice first", "");
    one(
        "Z[i] = X[i,:]",
        "in index notation every axis has an index: a name or a number",
        "X[i,:]",
        "slice first",
        "",
    );
    one("Z[i] = i * X[i,0]", "`i` is an index in this statement, and no number", "i", "hide other names", "");
    one("Z[i] = X[i,3]", "index: 3 lies outside axis 1 of [N=5, D=3]", "3", "from 0 to 2", "");
    one("Z[i] = X[i,k].T", "an entry has no transpose", "X[i,k].T", "order of the indices", "");
    one(
        "Z[i,j] = X[i,k] @ W[k,j]",
        "`@` multiplies whole matrices, and these are entries",
        "@",
        "with `*`",
        "",
    );
    one(
        "Z[i] = softmax(X[i,0], axis=0)",
        "`softmax` works on whole arrays, and these are entries",
        "softmax(X[i,0], axis=0)",
        "without indices",
        "",
    );
    one(
        "Z[i] = sum(X[i,0])",
        "`sum` works on whole arrays, and these are entries",
        "sum(X[i,0])",
        "without indices",
        "",
    );
    one("Z[i] = X[i,0] + delta[i,i,i]", "delta has two indices, not 3", "delta[i,i,i]", "`delta[i,j]`", "");
    one(
        "Z[i] = nothing(X[i,0])",
        "there is no function `nothing`",
        "nothing",
        "`pullback ops` lists them",
        "",
    );
    one("Z[i] = f(X[i,0], 2)", "`f` takes 1 arguments, without keywords here", "f(X[i,0], 2)", "`f(a)`", "");
}

/// Where the sum belongs, before or after the function, the notation does not say.
#[test]
fn summed_indices_may_not_hide() {
    let head = "X: [N=5, D=3] ~ randn; w: [D] ~ randn; fn f(a) = a^2";
    for (statement, inside) in [
        ("z[i] = exp(X[i,k])", "`exp(…)`"),
        ("z[i] = exp(X[i,k]) * w[k]", "`exp(…)`"),
        ("z[i] = X[i,k]^2", "a power"),
        ("z[i] = 2^X[i,k]", "a power"),
        ("z[i] = 1 / X[i,k]", "a denominator"),
        ("z[i] = X[i,k] / w[k]", "a denominator"),
        ("z[i] = f(X[i,k])", "`f(…)`"),
        ("z[i] = X[i,k] > 0", "a comparison"),
        ("z[i] = (X[i,k] + exp(w[k])) * w[k]", "`exp(…)`"),
    ] {
        let source = format!("{head}; {statement}");
        let errors = errors(&source);
        assert_eq!(errors.len(), 1, "{source}");
        assert_eq!(errors[0].message(), format!("the index `k` is summed, and stands inside of {inside}"));
        assert_eq!(errors[0].span().slice(&source), "k");
        assert!(errors[0].hint().is_some_and(|hint| hint.contains("on its left")));
    }
}

#[test]
fn subscripts() {
    let head = "x: [n=3] ~ randn; A: [2, 3] ~ randn; E: [2, 3, 5] ~ randn";
    let one = |rest: &str, message: &str, place: &str, hint: &str| {
        one(&format!("{head}; {rest}"), message, place, hint, "");
    };
    one("y = x[3]", "index: 3 lies outside axis 0 of [n=3]", "3", "from 0 to 2, or from -3 to -1");
    one("y = A[0, -4]", "index: -4 lies outside axis 1 of [2, 3]", "-4", "from 0 to 2");
    one("y = A[0, 0, 0]", "index: [2, 3] has 2 axes and is given 3 indices", "A[0, 0, 0]", "");
    one("y = x[::0]", "a slice has no step of 0", "x[::0]", "");
    one("y = x[0.5]", "an index is a whole number, not 0.5", "0.5", "");
    one("y = x[x]", "an index is a whole number or an array of them", "x", "randint");
    one("y = x[[0, 3]]", "gather: the index 3 lies outside axis 0 of [n=3]", "x[[0, 3]]", "");
    one(
        "y = E[1, :, [0, 2]]",
        "an index and an array of indices stand apart here",
        "E[1, :, [0, 2]]",
        "index twice",
    );
    one(
        "y = E[[0, 1], [0, 1, 2]]",
        "indices: the shapes [2] and [3] do not broadcast: 2 ≠ 3",
        "E[[0, 1], [0, 1, 2]]",
        "aligned at their last axes",
    );
    one("y = delta[0, 1]", "`delta` is not defined", "delta", "index notation");
}

#[test]
fn indices_that_are_computed() {
    let head = "k: [3] ~ randint(0, 2); x: [9] ~ randn; z: [3] ~ randn";
    let one = |rest: &str, message: &str, place: &str, hint: &str| {
        one(&format!("{head}; {rest}"), message, place, hint, "");
    };
    one("y = x[k / 2 + 0.25]", "an index is a whole number, not 0.25", "k / 2 + 0.25", "`long(…)`");
    one("y = x[k + z]", "an index is a whole number or an array of them", "k + z", "randint");
}

#[test]
fn arguments() {
    let head = "x: [n=3] ~ randn; fn f(a, b) = a + b; fn g(a) = a @ a.T @ [1, 2]";
    let one = |rest: &str, message: &str, place: &str, hint: &str, second: &str| {
        one(&format!("{head}; {rest}"), message, place, hint, second);
    };
    one(
        "y = sum(x, 0, 0, 0)",
        "sum: the number 0 is one argument too many",
        "sum(x, 0, 0, 0)",
        "axis=none",
        "",
    );
    one("y = sum(x, over=0)", "sum: there is no parameter `over`", "sum(x, over=0)", "axis=none", "");
    one("y = sum(x, axis=1)", "sum: `axis` is 1, outside 1 place", "sum(x, axis=1)", "", "");
    one("y = exp()", "exp: `x` is missing", "exp()", "exp(x)", "");
    one("y = f(x)", "`f` needs `b`", "f(x)", "`f(a, b)`", "");
    one("y = f(x, x, x)", "`f` takes 2 arguments and is given 3", "f(x, x, x)", "`f(a, b)`", "");
    one("y = f(x, c=x)", "`f` has no parameter `c`", "c", "`f(a, b)`", "");
    one("y = f(x, a=x)", "`a` is given twice", "a", "`f(a, b)`", "");
    one("y = eye(2, 3)", "`eye` does not take 2 arguments", "eye(2, 3)", "`eye(n)`", "");
    one("y = true + x", "`true` is no number", "true", "`1` or `0`", "");
    one("y = \"x\" + x", "\"x\" is a word, not a value", "\"x\"", "", "");
    one(
        "y = vec(x, diagonal)",
        "vec: `layout` is \"diagonal\" and must be one of row, col",
        "vec(x, diagonal)",
        "",
        "",
    );
    one(
        "k: [3] ~ randint(0, 2); y = x + hypot(k, k)",
        "hypot: integers are indices here, not numbers to compute with",
        "hypot(k, k)",
        "floats",
        "",
    );
}

/// Where the body of a function goes wrong, the place is in the body, and the call is the second place.
#[test]
fn inside_of_functions() {
    one(
        "fn g(a) = a @ [1, 2]; x = [1, 2, 3]; y = g(x)",
        "matmul: [3] @ [2]: the inner sizes 3 and 2 differ",
        "a @ [1, 2]",
        "",
        "g(x)",
    );
    let recursion = errors("fn f(a) = f(a) + 1; y = f(2)");
    assert_eq!(recursion.len(), 1);
    assert!(recursion[0].message().starts_with("this is nested more than"), "{recursion:?}");
    let mutual = errors("fn f(a) = g(a); fn g(a) = f(a); x: [2] ~ randn; z[i] = f(x[i])");
    assert!(mutual[0].message().starts_with("this is nested more than"), "{mutual:?}");
    // Doubling at each of 40 levels would be a million million calls.
    let mut source = "fn f0(a) = a + 1\n".to_owned();
    for k in 1..40 {
        source += &format!("fn f{k}(a) = f{}(f{}(a))\n", k - 1, k - 1);
    }
    let many = errors(&format!("{source}y = f39(1)"));
    assert!(many[0].message().contains("10000 calls"), "{many:?}");
    let many = errors(&format!("{source}x: [2] ~ randn; z[i] = f39(x[i])"));
    assert!(many[0].message().contains("10000 calls"), "{many:?}");
}

#[test]
fn inputs() {
    one(
        "x: [2] = load(\"nowhere.npy\")",
        "./nowhere.npy: No such file or directory (os error 2)",
        "load(\"nowhere.npy\")",
        "in the folder of the file",
        "",
    );
    one(
        "y = [1, 2]; x: [2] = 2 * y",
        "an input is given by numbers, and this is a value",
        "y",
        "leave out the declared shape",
        "",
    );
    one("x: [2] ~ uniform(1, 0)", "uniform: no interval from 1.0 to 0.0", "uniform", "", "");
    one(
        "x: [2] ~ randint(0, 1.5)",
        "randint goes from a whole number to another, not from 0 to 1.5",
        "randint",
        "",
        "",
    );
    one("dtype f32; dtype f64; x = [1]", "a file has one dtype", "dtype f64", "", "dtype f32");
    let mut given = Inputs::default();
    given.set("x", pullback_array::Array::from_slice(&[2], &[1.0, 2.0]).expect("two numbers"));
    let file = parse("x: [n=3] ~ randn").file;
    let errors = elaborate_with(&file, &given, Path::new(".")).expect_err("two are not three");
    assert_eq!(errors[0].message(), "the shape [n=3] is declared, and the numbers have the shape [2]");
}

/// One mistake gives one error, independent ones one each, and never more than twenty.
#[test]
fn errors_do_not_cascade() {
    let source = "x = [1, 2]; a = x @ [1, 2, 3]; b = a + 1; L = sum(b); dL/dx = 2 * b; dL/da = dL/dx * 2; c = nope; d[i] = b[i]";
    let errors = errors(source);
    let messages: Vec<&str> = errors.iter().map(|error| error.message()).collect();
    assert_eq!(messages, ["matmul: [2] @ [3]: the inner sizes 2 and 3 differ", "`nope` is not defined"]);
    let many: String = (0..50).map(|k| format!("y{k} = nope\n")).collect();
    assert_eq!(crate::errors(&many).len(), MAX_ERRORS);
    // The left and the right side of a claim are wrong independently.
    assert_eq!(crate::errors("x = [1, 2]; dQ/dx = 2 * w").len(), 2);
}

#[test]
fn a_file_states_something() {
    let errors = elaborate(&File::default(), Path::new(".")).expect_err("it is empty");
    assert_eq!(errors[0].message(), "this file states nothing");
    assert!(errors[0].hint().is_some_and(|hint| hint.contains("inputs, definitions and claims")));
    let parsed = parse("x = [1]").file;
    assert!(matches!(parsed.statements[0].kind, StatementKind::Input(_)));
}

/// What fails only when it is computed is placed at the expression whose own operation failed.
#[test]
fn what_fails_late_has_its_place_too() {
    let source = "A: [2, 2] = [[1, 2], [2, 4]]; B = inv(A.T) @ A; L = sum(B)";
    let program = crate::program(source);
    let loss = program.find("L").expect("L is defined");
    let error = program.array(&loss.val, loss.span).expect_err("A is singular");
    assert_eq!(error.span().slice(source), "inv(A.T)");
}
