//! Index notation against the same thing said without it.

use crate::{claimed, close, numbers, program};

const INPUTS: &str = "
    X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn; c: [N] ~ randn; s: [] ~ randn
    A: [K=3, K] ~ randn; p: [K] ~ randn; q: [K] ~ randn
    fn cube(a) = a^3
    fn mixed(a, b) = exp(a) * b + 1
";

/// Both have the same shape and the same numbers: each is a sum of at most 15 products, added up in another order.
#[track_caller]
fn equal(notation: &str, plain: &str) {
    let p = program(&format!("{INPUTS}\n{notation}\nexpected = {plain}"));
    let name = notation.split('[').next().expect("a name").trim();
    let shape = |name: &str| p.find(name).expect("it is there").val.shape();
    assert_eq!(shape(name), shape("expected"), "{notation}");
    close(&numbers(&p, name), &numbers(&p, "expected"), 1e-14);
}

#[test]
fn sums_of_products() {
    equal("Z[i,j] = X[i,k] * W[k,j] + b[j]", "X @ W + b");
    equal("Z[j,i] = X[i,k] * W[k,j] + b[j]", "(X @ W + b).T");
    equal("Z[i,j] = b[j] + c[i]", "reshape(c, [N, 1]) + b");
    equal("Z[i,j] = c[i] - b[j]", "reshape(c, [N, 1]) - b");
    equal("Z[i,j] = -X[i,k] * W[k,j] - -b[j]", "b - X @ W");
    equal("L[] = X[i,j] * X[i,j]", "sum(X^2)");
    equal("t[] = A[i,i]", "trace(A)");
    equal("d[i] = A[i,i]", "diag(A)");
    equal("T[j,i] = A[i,j]", "A.T");
    equal("u[i] = X[i,k]", "sum(X, axis=1)");
    equal("v[] = p[i] * A[i,j] * q[j]", "p @ A @ q");
    equal("h[i] = p[i] * q[i] * p[i]", "p * q * p");
    equal("O[i,j] = p[i] * q[j]", "outer(p, q)");
    equal("Z[i,j] = 2 * s * X[i,j] / N", "2 * s * X / N");
    equal("Z[i] = 3 + c[i] - 1/2", "c + 2.5");
    equal("Z[i] = c[i] + s", "c + s");
    equal("Z[i,j] = sum(b) * X[i,k] * W[k,j]", "sum(b) * (X @ W)");
    equal("r[j] = X[0,j] + X[-1,j] + X.T[j,1]", "X[0] + X[4] + X[1]");
    equal("r[i] = (X @ W)[i,1]", "(X @ W)[:,1]");
}

/// An index is summed in each added term by itself, in parentheses too.
#[test]
fn each_term_is_summed_by_itself() {
    equal("z[i] = X[i,k] + c[i]", "sum(X, axis=1) + c");
    equal("Z[i,j] = (X[i,k] + c[i]) * b[j]", "outer(sum(X, axis=1) + c, b)");
    equal("Z[i,j] = (X[i,k] + c[i]) * W[k,j]", "(X + reshape(c, [N, 1])) @ W");
    equal("z[] = (p[i] - q[i]) * (p[i] - q[i])", "sum((p - q)^2)");
    equal("z[] = (p[i] - q[j]) * (p[i] - q[j])", "sum((reshape(p, [K, 1]) - q)^2)");
    equal("z[i] = p[i] * (q[i] - (p[i] + (q[j] - 1)))", "p * (q - (p + (sum(q) - 1)))");
    equal("z[] = 1 + p[i] * (2 - q[i])", "1 + sum(p * (2 - q))");
}

#[test]
fn functions_powers_and_denominators() {
    equal("Z[i,j] = X[i,j]^2 / (1 + exp(X[i,j]))", "X^2 / (1 + exp(X))");
    equal("Z[i,j] = X[i,j] / c[i]", "X / reshape(c, [N, 1])");
    equal("Z[i,j] = tanh(c[i] * b[j])", "tanh(outer(c, b))");
    equal("Z[i,j] = exp(c[i]) * relu(b[j]) / s", "outer(exp(c), relu(b)) / s");
    equal("Z[i,j] = exp(X[i,j])^2 * 1/3 / s", "exp(X)^2 / 3 / s");
    equal("Z[i,j] = (c[i] > 0) * b[j]", "outer(c > 0, b)");
    equal("z[i] = cube(c[i]) + square(c[i])", "c^3 + c^2");
    equal("Z[i,j] = mixed(c[i], b[j])", "outer(exp(c), b) + 1");
    equal("z[i] = mixed(c[i], 2)", "2 * exp(c) + 1");
    equal("z[i] = sign(c[i]) * sqrt(abs(c[i]))", "sign(c) * sqrt(abs(c))");
}

#[test]
fn deltas_in_every_position() {
    equal("d[i,j] = delta[i,j] * p[j]", "diag(p)");
    equal("d[i,j] = delta[j,i] * p[i] * q[j]", "diag(p * q)");
    equal("d[i,j] = delta[i,j] - p[i] * q[j]", "eye(K) - outer(p, q)");
    equal("r[i] = delta[i,k] * p[k]", "p");
    equal("r[i] = delta[k,i] * A[k,j] * q[j]", "A @ q");
    equal("r[] = delta[i,j] * p[i] * q[j]", "p @ q");
    equal("r[] = delta[i,j] * A[i,j]", "trace(A)");
    equal("r[] = delta[i,j] * delta[j,k] * A[i,k]", "trace(A)");
    equal("r[i] = delta[i,j] * delta[j,k] * p[k]", "p");
    equal("r[] = delta[i,j] * delta[i,j] + 0 * p[i]", "K * 1");
    equal("r[] = delta[i,i] + 0 * p[i]", "K * 1");
    equal("r[i] = delta[i,i] * p[i]", "p");
    equal("r[i] = delta[i,0] * p[2] + delta[-1,i] + 0 * p[i]", "[1, 0, 0] * p[2] + [0, 0, 1]");
    equal("r[i] = (delta[i,j] - p[i] * p[j]) * q[j]", "(eye(K) - outer(p, p)) @ q");
    equal("E[i,j] = exp(delta[i,j] * p[i])", "exp(diag(p))");
    equal("T[i,j,k] = delta[i,j] * delta[j,k] * p[k]", "einsum(\"i->iii\", p)");
    equal("T[i,j,k,l] = delta[i,k] * delta[j,l] + 0 * A[i,j]", "einsum(\"ik,jl->ijkl\", eye(K), eye(K))");
}

/// Entry claims are the whole tensor, with the axes of what they are about.
#[test]
fn entry_claims() {
    let p = program(
        "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn
         Z = X @ W + b; L = sum(Z^2)
         dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]
         dZ[i,j]/dW[m,n] = X[i,m] * delta[j,n]
         dZ[i,j]/db[m] = delta[j,m]
         dL/db[j] = 2 * Z[i,j]
         dL/dW[m,n] = 2 * Z[i,j] * dZ/dW[i,j,m,n]
         e = einsum(\"im,nj->ijmn\", eye(N), W); f = einsum(\"im,jn->ijmn\", X, eye(M))
         g = einsum(\"i,jm->ijm\", ones(N), eye(M)); h = 2 * sum(Z, axis=0); w = 2 * X.T @ Z",
    );
    let keys: Vec<&str> = p.claims.iter().map(|claim| claim.key.as_str()).collect();
    assert_eq!(keys, ["dZ[i,j]/dX[m,n]", "dZ[i,j]/dW[m,n]", "dZ[i,j]/db[m]", "dL/db[j]", "dL/dW[m,n]"]);
    for (key, name) in [(keys[0], "e"), (keys[1], "f"), (keys[2], "g"), (keys[3], "h"), (keys[4], "w")] {
        let claim = claimed(&p, key);
        assert_eq!(claim.shape(), p.find(name).expect("it is there").val.shape(), "{key}");
        close(&claim.to_vec_f64(), &numbers(&p, name), 1e-14);
    }
    assert_eq!(p.claims[4].refers_to, [1]);
}

/// A term whose factors make a matrix product is one contraction, and a single reference is a copy of the value.
#[test]
fn a_term_is_one_operation() {
    let p = program("X: [5, 3] ~ randn; W: [3, 2] ~ randn; Z[i,j] = X[i,k] * W[k,j]; Y[i,j] = X[i,j]");
    let names: Vec<String> = p.find("Z").expect("Z").val.inputs().iter().map(|x| format!("{x:?}")).collect();
    assert_eq!(names, ["X: f64 [5, 3]", "W: f64 [3, 2]"]);
    let (x, y) = (&p.find("X").expect("X").val, &p.find("Y").expect("Y").val);
    assert_ne!(y.order(), x.order());
    assert_eq!(y.original().order(), x.order());
}
