//! Files about functions that are smooth and written in pieces with kinks, about symmetric matrices, and about integer labels: what
//! people published and checkers refused. The slopes are known in closed form.

use pullback::check::Verdict;
use pullback::report::ClaimReport;

use crate::diagnosed::claims;

/// The verdict on each claim, and the cause of the last one.
#[track_caller]
fn said(source: &str) -> (Vec<Verdict>, Option<&'static str>) {
    let found = claims(source);
    let cause = found.last().and_then(|claim: &ClaimReport| claim.diagnoses.first()).map(|found| found.cause);
    (found.iter().map(|claim| claim.judgement.verdict).collect(), cause)
}

#[track_caller]
fn all_hold(source: &str) {
    let (verdicts, _) = said(source);
    assert!(!verdicts.is_empty() && verdicts.iter().all(|v| *v == Verdict::Holds), "{source}\n{verdicts:?}");
}

/// A stable cross-entropy at zero logits, as a layer that is initialised with zeros has them, and what goes on behind it.
const CROSS_ENTROPY: &str = "
X: [N=5, D=3] ~ randn
t: [N] = [0, 1, 1, 0, 1]
w: [D] = [0, 0, 0]
z = X @ w
L = mean(relu(z) - z * t + log(1 + exp(-abs(z))))
";

const LOGADDEXP: &str = "
a: [3] = [1, 0.5, 2]
b: [3] = [1, 0.7, 2]
y = b + relu(a - b) + log(1 + exp(-abs(a - b)))
dL/dy: [3] = [1, 1, 1]
";

#[test]
fn slopes_of_smooth_pieces_hold() {
    all_hold(&format!("{CROSS_ENTROPY}dL/dz = (sigmoid(z) - t) / N\ndL/dw = X.T @ dL/dz"));
    all_hold(&format!("{LOGADDEXP}dL/da = sigmoid(a - b)\ndL/db = sigmoid(b - a)"));
    all_hold("x: [n=3] = [0, 1, -2]\nL = sum(relu(x) + log(1 + exp(-abs(x))))\ndL/dx = sigmoid(x)");
    all_hold("x: [3] = [-1, 0, 2]\ny = relu(x) - relu(-x)\ndL/dy: [3] ~ randn\ndL/dx = dL/dy");
    all_hold("x: [3] = [-1, 0, 2]\ny = abs(x)^2\ndL/dy: [3] ~ randn\ndL/dx = dL/dy * 2 * x");
}

#[test]
fn what_conventions_come_to_there_does_not() {
    let convention = (vec![Verdict::Wrong], Some("convention"));
    assert_eq!(said(&format!("{CROSS_ENTROPY}dL/dz = -t / N")), convention);
    assert_eq!(said("x: [2] = [0, 3]\nL = sum(relu(x) - relu(-x))\ndL/dx = step(x) + step(-x)"), convention);
    // A leaky relu of two relus: what these come to is none of the values between its slopes.
    assert_eq!(
        said("x: [2] = [0, 3]\nL = sum(relu(x) - 0.1 * relu(-x))\ndL/dx = (x > 0) + 0.1 * (x < 0)"),
        (vec![Verdict::Kink], None)
    );
    // Neither the slope nor that: the first of those that tie.
    let first = "dL/da = (a >= b) - sign(a - b) * exp(-abs(a - b)) / (1 + exp(-abs(a - b)))";
    assert_eq!(said(&format!("{LOGADDEXP}{first}")).0, [Verdict::Wrong]);
    // A slip is wrong there too.
    assert_eq!(said(&format!("{CROSS_ENTROPY}dL/dz = (sigmoid(z) - t)")).0, [Verdict::Wrong]);
}

#[test]
fn labels_that_are_integers() {
    let file = "z: [N=7] ~ randn\nt: [N] ~ randint(0, 2)\nL = mean(relu(z) - z * t + log(1 + exp(-abs(z))))";
    all_hold(&format!("{file}\ndL/dz = (sigmoid(z) - t) / N"));
    assert_eq!(said(&format!("{file}\ndL/dz = (sigmoid(z) + t) / N")).0, [Verdict::Wrong]);
}

/// Three conventions for a derivative by a symmetric matrix hold where it is declared, and one where it is not.
#[test]
fn symmetric_matrices() {
    let trace = "A: [n, n] ~ randn\nL = trace(A @ S @ S)\nG = (A @ S + S @ A).T\n";
    let inverse = "L = sum(inv(S))\nG = -inv(S).T @ ones(n, n) @ inv(S).T\n";
    for (declared, rest) in [("symmetric", trace), ("spd", trace), ("spd", inverse)] {
        for claim in ["G", "0.5 * (G + G.T)", "G + G.T - diag(diag(G))"] {
            all_hold(&format!("S: [n=3, n] ~ {declared}\n{rest}dL/dS = {claim}"));
        }
        let doubled = said(&format!("S: [n=3, n] ~ {declared}\n{rest}dL/dS = G + G.T"));
        assert_eq!(doubled.0, [Verdict::Wrong], "{declared}: {rest}");
    }
    let undeclared = said(&format!("S: [n=3, n] ~ randn\n{trace}dL/dS = 0.5 * (G + G.T)"));
    assert_eq!(undeclared.0, [Verdict::Wrong]);
}

/// The mean of nothing is 0/0, and says so.
#[test]
fn a_mean_of_nothing() {
    let found = claims("x: [0, 3] ~ randn\nw: [2] ~ randn\nL = sum(w) + mean(x)\ndL/dw = ones(2)");
    assert_eq!(found[0].judgement.verdict, Verdict::NotFinite);
}
