//! What `jacobian` writes as a matrix is that matrix: each is written as a claim of the language too, which finite differences judge.

use pullback::report::{Form, Paint, jacobian_text};
use pullback::session::{Wanted, check_source, jacobian_source};

/// commutation(n, m) as the rows of an identity in another order.
const COMMUTATION: &str =
    "fn K(n, m) = reshape(permute(reshape(eye(n * m), [n, m, n * m]), [1, 0, 2]), [n * m, n * m])";

/// A program that defines F, by what it is differentiated, and in row-major and in column-major vec what is printed and the claim.
struct Case {
    program: &'static str,
    by: &'static str,
    rows: (&'static str, &'static str),
    columns: Option<(&'static str, &'static str)>,
}

const CASES: &[Case] = &[
    Case {
        program: "X: [N=3, M=4] ~ randn; F = X.T",
        by: "X",
        rows: ("commutation(N, M)", "K(3, 4)"),
        columns: Some(("commutation(N, M)", "K(4, 3)")),
    },
    Case {
        program: "A: [P=2, N=3] ~ randn; X: [N, M=4] ~ randn; B: [M, Q=5] ~ randn; F = A @ X @ B",
        by: "X",
        rows: ("A ⊗ Bᵀ", "kron(A, B.T)"),
        columns: Some(("Bᵀ ⊗ A", "kron(B.T, A)")),
    },
    Case {
        program: "A: [P=2, M=4] ~ randn; X: [N=3, M] ~ randn; B: [N, Q=5] ~ randn; F = A @ X.T @ B",
        by: "X",
        rows: ("(A ⊗ Bᵀ) commutation(N, M)", "kron(A, B.T) @ K(3, 4)"),
        columns: Some(("(Bᵀ ⊗ A) commutation(N, M)", "kron(B.T, A) @ K(4, 3)")),
    },
    Case {
        program: "X: [N=3, M=4] ~ randn; Y: [N, M] ~ randn; F = X * Y",
        by: "X",
        rows: ("diag(vec(Y))", "diag(vec(Y))"),
        columns: Some(("diag(vec(Y))", "diag(vec(Y, col))")),
    },
    Case {
        program: "X: [N=3, M=4] ~ randn; F = softmax(X, axis=1)",
        by: "X",
        rows: (
            "⊕_i (diag(F_i) − F_i F_iᵀ)",
            "block_diag(diag(F[0]) - outer(F[0], F[0]), diag(F[1]) - outer(F[1], F[1]), diag(F[2]) - outer(F[2], F[2]))",
        ),
        columns: None,
    },
    Case {
        program: "X: [N=3, N] ~ randn; F = X @ X",
        by: "X",
        rows: ("I_N ⊗ Xᵀ + X ⊗ I_N", "kron(eye(N), X.T) + kron(X, eye(N))"),
        columns: Some(("Xᵀ ⊗ I_N + I_N ⊗ X", "kron(X.T, eye(N)) + kron(eye(N), X)")),
    },
    Case {
        program: "X: [N=3, N] ~ randn; F = X + X.T",
        by: "X",
        rows: ("I_N ⊗ I_N + commutation(N, N)", "eye(N * N) + K(3, 3)"),
        columns: Some(("I_N ⊗ I_N + commutation(N, N)", "eye(N * N) + K(3, 3)")),
    },
    Case {
        program: "X: [N=3, M=4] ~ randn; W: [M, K=2] ~ randn; F = tanh(X @ W)",
        by: "X",
        rows: ("diag(vec(1 − F^2)) (I_N ⊗ Wᵀ)", "diag(vec(1 - F^2)) @ kron(eye(N), W.T)"),
        columns: Some(("diag(vec(1 − F^2)) (Wᵀ ⊗ I_N)", "diag(vec(1 - F^2, col)) @ kron(W.T, eye(N))")),
    },
    Case {
        program: "X: [N=3, M=4] ~ randn; W: [M, K=2] ~ randn; F = tanh(X @ W)",
        by: "W",
        rows: ("diag(vec(1 − F^2)) (X ⊗ I_K)", "diag(vec(1 - F^2)) @ kron(X, eye(K))"),
        columns: Some(("diag(vec(1 − F^2)) (I_K ⊗ X)", "diag(vec(1 - F^2, col)) @ kron(eye(K), X)")),
    },
    Case {
        program: "X: [M=4, N=3] ~ randn; x: [N] ~ randn; F = X * x",
        by: "x",
        rows: ("diag(vec(X)) (1_M ⊗ I_N)", "diag(vec(X)) @ kron(ones(M, 1), eye(N))"),
        columns: Some(("diag(vec(X)) (I_N ⊗ 1_M)", "diag(vec(X, col)) @ kron(eye(N), ones(M, 1))")),
    },
    Case {
        program: "X: [N=3, M=4, P=2] ~ randn; F = 2 * permute(X, [0, 2, 1])",
        by: "X",
        rows: ("2 (I_N ⊗ commutation(M, P))", "2 * kron(eye(N), K(4, 2))"),
        columns: None,
    },
    Case {
        program: "X: [N=3, M=4, P=2] ~ randn; F = permute(X, [2, 0, 1])",
        by: "X",
        rows: ("commutation(N·M, P)", "K(12, 2)"),
        columns: None,
    },
];

fn printed(case: &Case, form: Form) -> String {
    let wanted = Wanted { of: "F", wrt: case.by, dense: Some(form), again: None };
    let source = case.program.replace("; ", "\n");
    let report = jacobian_source("a program", source.as_bytes(), ".".as_ref(), &wanted)
        .unwrap_or_else(|invalid| panic!("{source}: {:?}", invalid.errors));
    jacobian_text(&report, Paint::Plain)
}

#[test]
fn it_is_the_matrix() {
    for case in CASES {
        let Case { program, by, rows, columns } = case;
        let text = printed(case, Form::Column);
        assert!(text.contains(&format!("  as a matrix  {}  (row-major vec)", rows.0)), "{program}\n{text}");
        let mut source =
            format!("{COMMUTATION}\n{}\ndF/d{by} [row] = {}\n", program.replace("; ", "\n"), rows.1);
        if let Some((notation, claim)) = columns {
            assert!(
                text.contains(&format!("               {notation}  (column-major vec)")),
                "{program}\n{text}"
            );
            source += &format!("dF/d{by} [col] = {claim}\n");
        }
        let checked = check_source("a program", source.as_bytes(), ".".as_ref());
        assert!(checked.errors.is_empty(), "{source}: {:?}", checked.errors);
        for claim in &checked.claims {
            assert!(claim.judgement.passes(), "{source}: {} is {:?}", claim.key, claim.judgement.verdict);
        }
    }
}

/// Blocks whose entries do not follow one another make no block-diagonal matrix: `X ⊗ I`.
#[test]
fn blocks_are_on_the_diagonal_where_it_is_said() {
    for (program, by, said) in [
        ("X: [N=3, M=4] ~ randn; W: [M, K=2] ~ randn; F = X @ W", "X", "block-diagonal, 3 blocks of 2 × 4"),
        (
            "X: [N=3, M=4] ~ randn; W: [M, K=2] ~ randn; F = X @ W",
            "W",
            "block-diagonal once its rows and columns are sorted, 2 blocks of 3 × 4",
        ),
        (
            "X: [N=3, M=4] ~ randn; F = softmax(X, axis=0)",
            "X",
            "block-diagonal once its rows and columns are sorted, 4 blocks of 3 × 3",
        ),
    ] {
        let case = Case { program, by, rows: ("", ""), columns: None };
        let text = printed(&case, Form::Row);
        assert!(text.contains(said), "{program} by {by}\n{text}");
        assert!(!text.contains("column-major"), "{text}");
    }
}
