//! What people write: functions under the names they know, several results, functions of several statements, conditions; judged by all
//! routes. `golden/vocabulary` holds forward passes in that vocabulary with the gradients of PyTorch.

use crate::command::{pullback, root};

/// Option prices, probits, sums over pairs, eigenvalues: what PyTorch computed for them holds.
#[test]
fn programs_of_others() {
    let folder = root().join("crates/pullback/tests/golden/vocabulary");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut programs: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    programs.retain(|path| path.extension().is_some_and(|end| end == "grad"));
    assert_eq!(programs.len(), 6);
    for path in programs {
        let (file, dump) = (path.display().to_string(), path.with_extension("npz").display().to_string());
        let checked = pullback(&["check", &file, "--data", &dump], "");
        assert_eq!(checked.code, 0, "{file}: {}{}", checked.stdout, checked.stderr);
        assert!(!checked.stdout.contains("kink") && checked.stdout.contains("holds"), "{}", checked.stdout);
    }
}

/// Mixers, attention, flows, filters, likelihoods, renderers: what PyTorch computed for them holds.
#[test]
fn programs_of_other_fields() {
    let folder = root().join("crates/pullback/tests/golden/programs");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut programs: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    programs.retain(|path| path.extension().is_some_and(|end| end == "grad"));
    assert!(programs.len() >= 49, "only {}", programs.len());
    let mut wrong = Vec::new();
    for path in programs {
        let (file, dump) = (path.display().to_string(), path.with_extension("npz").display().to_string());
        let checked = pullback(&["check", &file, "--data", &dump], "");
        if checked.code != 0 {
            wrong.push(format!("{file}: {}{}", checked.stdout, checked.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file, and its exit code.
fn checks(source: &str, code: i32) {
    let checked = pullback(&["check", "-"], source);
    assert_eq!(checked.code, code, "{source}\n{}{}", checked.stdout, checked.stderr);
}

#[test]
fn a_branch_that_is_not_taken_contributes_nothing() {
    // At 0 the slope of the logarithm is infinite, and below it is NaN.
    let forward = "x = [-1.5, 0, 0.5, 2]; L = sum(where(x > 0.1, log(x), x^3))";
    checks(&format!("{forward}; dL/dx = where(x > 0.1, 1 / x, 3 * x^2)"), 0);
    checks(&format!("{forward}; dL/dx = where(x > 0.1, 1 / x, 2 * x^2)"), 1);
    checks(&format!("{forward}; d2L/dx2 = diag(where(x > 0.1, -1 / x^2, 6 * x))"), 0);
    checks(
        "x = [-1.5, 0, 0.5, 2]; L = sum(where(x > 0.1, log(x), x)^2); d2L/dx2 = diag(where(x > 0.1, 2 * (1 - log(x)) / x^2, 2))",
        0,
    );
    // A distance of pairs, of which the diagonal has no slope.
    checks(
        "x: [n=4] ~ randn; i = arange(n)
         r = sqrt((x[:, None] - x[None, :])^2)
         L = sum(where(i[:, None] < i, r, 0))
         dL/dr = where(i[:, None] < i, 1, 0)
         dL/dx = sum(sign(x[:, None] - x[None, :]) * (i[:, None] < i), axis=1) - sum(sign(x[:, None] - x[None, :]) * (i[:, None] < i), axis=0)",
        0,
    );
}

/// Branches that meet smoothly have a derivative where the condition turns, which the conventions of comparisons do not come to.
#[test]
fn branches_that_meet() {
    for (forward, right, convention) in [
        ("where(x == 0, 0, x * 3)", "[3, 3, 3]", "where(x == 0, 0, 3)"),
        ("where(x != 2, x^2, 4)", "2 * x", "2 * x * (x != 2)"),
        ("xlogy(x, [3, 2, 5])", "log([3, 2, 5])", "0.9 * log([3, 2, 5])"),
    ] {
        let file = format!("x: [3] = [0, 0.5, 2]; L = sum({forward})");
        checks(&format!("{file}; dL/dx = {right}"), 0);
        checks(&format!("{file}; dL/dx = {convention}"), 1);
    }
}

/// A condition far from its bound has nothing to do with one that is at its own.
#[test]
fn conditions_behind_one_that_is_at_its_bound() {
    let forward =
        "x: [3] = [0, -1, 2]; r = where(x > 0, x, 0.1 * x); c = sum(r^2) + 1; L = where(c > 0, c, 0.1 * c)^2";
    checks(&format!("{forward}; dL/dx = 4 * c * r * where(x > 0, 1, 0.1)"), 0);
    checks(&format!("{forward}; dL/dx = 4.001 * c * r * where(x > 0, 1, 0.1)"), 1);
}

#[test]
fn what_is_held() {
    let forward = "x: [3] ~ randn; h = stop_gradient(x^2); L = sum(h * x)";
    checks(&format!("{forward}; dL/dh = x; dL/dx = x^2"), 0);
    // The gradient of what it would be without.
    checks(&format!("{forward}; dL/dx = 3 * x^2"), 1);
    checks("x: [3] ~ randn; L = sum(x.detach()); dL/dx = zeros(3)", 0);
}

#[test]
fn functions_of_several_statements_and_results() {
    checks(
        "fn cell(x, h, scale=1) {
           a = tanh(x + h)   # known to the next line
           b = scale * a; (a, b)
         }
         x: [3] ~ randn; h: [3] ~ randn
         _, s = cell(x, h, scale=2)
         c, d = cell(s, h)
         L = sum(c * d)
         dL/dc = 2 * d; dL/dd = c           # `d` is computed from `c`
         dL/ds = dL/dc * (1 - c^2)",
        0,
    );
    checks(
        "x: [5, 2] ~ randn; a, b, c = split(x, 2); L = sum(a * b) + sum(c); dL/dx = concat([b, a, ones(1, 2)])",
        0,
    );
    checks("A: [3, 3] ~ spd; w, V = torch.linalg.eigh(A); L = w[-1]; dL/dA = outer(V[:, 2], V[:, 2])", 0);
    for (source, told) in [
        (
            "x: [5] ~ randn; a, b = split(x, 2); L = sum(x); dL/dx = ones(5)",
            "this has 3 results, and 2 names stand before it",
        ),
        (
            "x: [5] ~ randn; a = split(x, 2) + 1; L = sum(x); dL/dx = ones(5)",
            "several results are bound at once",
        ),
        ("fn f(x) { a = x }\nx: [2] ~ randn; y = f(x)", "the block gives nothing"),
        ("fn f(x=1, y) = x\nx: [2] ~ randn; y = f(x)", "`y` has no default, and one before it has"),
        ("x: [2, 3] ~ randn; y: [3] ~ randn; z = huber_loss(x, y, delta=x @ x); L = z", "huber_loss"),
        ("x: [3] ~ randn; y = x > 0 & x < 1", "put each into brackets"),
    ] {
        let checked = pullback(&["check", "-"], source);
        let text = checked.stdout + &checked.stderr;
        assert!(checked.code == 2 && text.contains(told), "{source}\n{text}");
    }
}

/// What would be built before anything is evaluated is refused with its size, and no allocation fails.
#[test]
fn sizes_that_no_memory_holds() {
    for source in [
        "i: [300000, 1] ~ randint(0, 2); j: [300000] ~ randint(0, 2); x: [2, 2] ~ randn; y = x[i, j]",
        "x: [300000] ~ randn; y = tril(outer(x, x))",
        "x: [20000000] ~ randn; y, z = split(x, 1)",
    ] {
        let checked =
            pullback(&["check", "-", "--memory", "256M"], &format!("{source}; L = sum(x); dL/dx = x"));
        let text = checked.stdout + &checked.stderr;
        assert!(checked.code == 2 && text.contains("would pass the limit"), "{source}\n{text}");
    }
}

/// Derivatives as values, and of any order.
#[test]
fn derivatives_in_expressions() {
    let net = "x: [n=3] ~ randn; w: [n] ~ randn; y = sum(w * x^3); g = grad(y, x)";
    checks(
        &format!(
            "{net}; dy/dx = g; L = sum(g^2); dL/dg = 2 * g; dL/dx = 12 * w * x * g; dL/dw = 6 * x^2 * g"
        ),
        0,
    );
    checks(&format!("{net}; L = sum(g^2); dL/dx = 6 * w * x * g"), 1);
    checks(
        "x: [3] ~ randn; A: [2, 3] ~ randn; J = jacobian(tanh(A @ x), x); L = sum(J); dL/dJ = ones(2, 3)",
        0,
    );
    checks("x: [3] ~ randn; y = sum(x^4); H = hessian(y, x); d2y/dx2 = H; L = trace(H); dL/dx = 24 * x", 0);
    checks("x: [3] ~ randn; L = sum(x^4); d3L/dx3 = einsum(\"ij,jk->ijk\", eye(3), diag(24 * x))", 0);
    checks("x: [3] ~ randn; L = sum(x^4); d3L/dx3 = einsum(\"ij,jk->ijk\", eye(3), diag(12 * x))", 1);
    checks(
        "x: [3] ~ randn; y: [3] ~ randn; L = sum(x^2 * y); d3L/dx2 dy = 2 * einsum(\"ij,jk->ijk\", eye(3), eye(3))",
        0,
    );
    checks("x: [3] ~ randn; v = x^3; d2v/dx2 = einsum(\"ij,jk->ijk\", eye(3), diag(6 * x))", 0);
    checks(
        "x: [3] ~ randn; L = sum(x^5); d4L/dx4 = 120 * einsum(\"ij,ik,il,i->ijkl\", eye(3), eye(3), eye(3), x)",
        0,
    );
}

/// What a prefix means, sizes, and options that are known before there are numbers.
#[test]
fn prefixes_sizes_and_options() {
    checks("x: [n=4] ~ randn; s = torch.std(x); ds/dx = (x - mean(x)) / (s * (n - 1))", 0);
    checks("x: [n=4] ~ randn; s = np.std(x); ds/dx = (x - mean(x)) / (s * n)", 0);
    checks(
        "A: [4, 2] ~ randn; u, s, v = np.linalg.svd(A, full_matrices=False); L = sum(u @ diag(s) @ v); dL/dA = ones(4, 2)",
        0,
    );
    checks("x: [2, 3] ~ randn; L = sum(x) / x.shape[1] + len(x) * x.ndim; dL/dx = ones(shape(x)) / 3", 0);
    checks("x: [3] ~ randn; y: [3] ~ randn; L = mse_loss(x, y, reduction=\"sum\"); dL/dx = 2 * (x - y)", 0);
    checks(
        "x: [3] ~ randn; y: [3] ~ randn; L = mse_loss(x, y, reduction=\"middle\"); dL/dx = 2 * (x - y)",
        2,
    );
    checks("x: [5] ~ randn; v, i = topk(x, 2); L = sum(v); dL/dx = where(x >= v[1], 1, 0)", 0);
    checks("x: [5] ~ randn; L = median(x); dL/dx = where(x == L, 1, 0)", 0);
    checks(
        "x: [2, 3] ~ randn; i = [[0, 2], [1, 1]]; L = sum(torch.gather(x, 1, i)); dL/dx = [[1, 0, 1], [0, 2, 0]]",
        0,
    );
    checks("A: [3, 3] = [[1, 2, 3], [2, 4, 6], [1, 0, 1]]; L = det(A); dL/dA = cofactor(A)", 0);
}

/// The rules that SymPy tests its matrix derivatives on, with matrices A, B, X and vectors a, b, x, y.
#[test]
fn matrix_rules_of_sympy() {
    const GIVEN: &str = "A: [3, 3] ~ randn; B: [3, 3] ~ randn; X: [3, 3] ~ randn; a: [3] ~ randn; b: [3] ~ randn; x: [3] ~ randn; y: [3] ~ randn";
    const RULES: [(&str, &str, &str); 36] = [
        ("trace(A)", "A", "eye(3)"),
        ("trace(A @ B)", "A", "B.T"),
        ("trace(A.T @ B)", "A", "B"),
        ("trace(A.T @ B)", "B", "A"),
        ("trace(A.T)", "A", "eye(3)"),
        ("trace(X^2)", "X", "2 * eye(3) * X"),
        ("trace(X @ X)", "X", "2 * X.T"),
        ("trace(X.T @ X)", "X", "2 * X"),
        ("trace(X @ X.T)", "X", "2 * X"),
        ("trace(A @ X @ B)", "X", "A.T @ B.T"),
        ("trace(A @ X.T @ B)", "X", "B @ A"),
        ("trace(X @ B @ X.T)", "X", "X @ (B + B.T)"),
        ("trace(X.T @ B @ X)", "X", "(B + B.T) @ X"),
        ("trace(X @ A @ X)", "X", "X.T @ A.T + A.T @ X.T"),
        ("trace(X @ X @ X)", "X", "3 * X.T @ X.T"),
        ("trace(inv(X))", "X", "-(inv(X) @ inv(X)).T"),
        ("trace(A @ inv(X) @ B)", "X", "-(inv(X) @ B @ A @ inv(X)).T"),
        ("trace(inv(X + A))", "X", "-(inv(X + A) @ inv(X + A)).T"),
        ("a @ x", "x", "a"),
        ("x @ x", "x", "2 * x"),
        ("a @ X @ b", "X", "outer(a, b)"),
        ("a @ X.T @ b", "X", "outer(b, a)"),
        ("a @ X @ X @ b", "X", "outer(a, X @ b) + outer(X.T @ a, b)"),
        ("a @ X.T @ X @ b", "X", "X @ (outer(a, b) + outer(b, a))"),
        ("a @ inv(X) @ b", "X", "-outer(inv(X).T @ a, inv(X) @ b)"),
        ("x @ A @ x", "x", "(A + A.T) @ x"),
        ("(A @ x) @ (A @ x)", "x", "2 * A.T @ A @ x"),
        ("(A @ x - b) @ (A @ x - b)", "x", "2 * A.T @ (A @ x - b)"),
        ("(x - a) @ B @ (x - a)", "x", "(B + B.T) @ (x - a)"),
        ("norm(x)", "x", "x / norm(x)"),
        ("norm(x - a)", "x", "(x - a) / norm(x - a)"),
        ("det(X)", "X", "det(X) * inv(X).T"),
        ("det(A @ X @ B)", "X", "det(A @ X @ B) * inv(X).T"),
        ("logdet(X)", "X", "inv(X).T"),
        ("sum(A * X)", "X", "A"),
        ("sum(sin(A @ x))", "x", "A.T @ cos(A @ x)"),
    ];
    for (scalar, by, rule) in RULES {
        checks(&format!("{GIVEN}; L = {scalar}; dL/d{by} = {rule}"), 0);
    }
    // Derivatives of vectors and matrices, as tensors and as matrices.
    for (value, by, rule) in [
        ("A @ x", "x", "A"),
        ("x * a", "x", "diag(a)"),
        ("sin(A @ x)", "x", "diag(cos(A @ x)) @ A"),
        ("outer(x, a)", "x", "einsum(\"ik,j->ijk\", eye(3), a)"),
        ("X @ A", "X", "einsum(\"ik,lj->ijkl\", eye(3), A)"),
        ("A @ X", "X", "einsum(\"ik,jl->ijkl\", A, eye(3))"),
        ("X.T", "X", "einsum(\"il,jk->ijkl\", eye(3), eye(3))"),
        ("inv(X)", "X", "-einsum(\"ik,lj->ijkl\", inv(X), inv(X))"),
        ("x * (a @ x)", "x", "outer(x, a) + (a @ x) * eye(3)"),
    ] {
        checks(&format!("{GIVEN}; z = {value}; dz/d{by} = {rule}"), 0);
    }
}

#[test]
fn names_as_they_are_pasted() {
    checks(
        "z: [N=4, C=3] ~ randn; t: [N] ~ randint(0, C)
         L = F.cross_entropy(z, t)
         K = -z.log_softmax(dim=-1)[arange(N), t].mean()
         p = torch.softmax(z, dim=1)
         dL/dz = (p - one_hot(t, C)) / N
         dK/dz = dL/dz",
        0,
    );
    checks(
        "n = 4; x: [n / 2, n] ~ randn; L = x.reshape(n, -1).sum() * np.pi; dL/dx = pi * ones(n / 2, n)",
        0,
    );
    checks(
        "c: [3] ~ randn; L = sum(where(!(c > 0) | (c > 1), c, 2 * c)); dL/dc = where((c > 0) & (c <= 1), 2, 1)",
        0,
    );
}

/// What PyTorch means where the language's own functions of the same names mean something else.
#[test]
fn functions_mean_what_they_mean_where_they_come_from() {
    checks(
        "W: [V=5, D=2] ~ randn; t = [[0, 2], [2, 4]]; L = sum(F.embedding(t, W, padding_idx=2)^2)
         dL/dW = 2 * W * [[1], [0], [0], [0], [1]]",
        0,
    );
    checks("x: [m=3, n=4] ~ randn; v, i = x.max(dim=1); L = v.sum(); dL/dx = one_hot(i, n)", 0);
    checks(
        "x: [m=3, n=4] ~ randn; v = x.max(dim=1, keepdim=True).values; y = x - v; dL/dy: [m, n] ~ randn
         dL/dx = dL/dy - one_hot(argmax(x, axis=1), n) * sum(dL/dy, axis=1, keepdims=true)",
        0,
    );
    checks(
        "x: [B=2, H=3, D=4] ~ randn; t = [2, 0]; L = torch.einsum(\"...d,d->...\", x, ones(D)).sum()
         K = -F.log_softmax(x[:, 0], dim=1).gather(1, t.unsqueeze(1)).mean()
         dL/dx = ones(B, H, D)
         dK/dx = concat([((softmax(x[:, 0]) - one_hot([2, 0], D)) / B)[:, None], zeros(B, 2, D)], axis=1)",
        0,
    );
    checks(
        "x: [2, 6] ~ randn; a, b = np.split(x, 2, axis=1); L = sum(a * b)
         dL/dx = concat([b, a], axis=1)",
        0,
    );
}

/// PyTorch holds each norm above `eps`, and not their product: 0.8 is what its `cosine_similarity` gives of these.
#[test]
fn similar_vectors_may_be_small() {
    let ran = pullback(
        &["run", "-"],
        "a = [1e-5, 2e-5]\nb = [2e-5, 1e-5]\ny = cosine_similarity(a, b)\nz = cosine_similarity(1e-4 * a, [2, 1])\n",
    );
    assert!(
        ran.stdout.contains("y = tensor(0.8000)") && ran.stdout.contains("z = tensor(0.1789)"),
        "{}",
        ran.stdout
    );
}
