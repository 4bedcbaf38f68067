//! Files that mislead a diagnosis: counts that agree by chance, claims that rest on wrong ones, sizes that are numbers too,
//! values that are zero. What is right is known from the mathematics; what is told is tried on data of other seeds.

use pullback::check::{Note, Verdict};
use pullback::lang::print;
use pullback::report::ClaimReport;

use crate::diagnosed::{check, claims};

/// The last claim of a source.
fn last(source: &str) -> ClaimReport {
    claims(source).pop().expect("a claim is there")
}

/// Is a fix of `key = wrong` that is told at one seed right at others? The number of fixes that were told.
#[track_caller]
fn told(layer: &str, key: &str, wrong: &str) -> usize {
    let mut told = 0;
    for seed in 0..12 {
        for found in last(&format!("seed {seed}\n{layer}\n{key} = {wrong}")).diagnoses {
            let Some(fix) = found.fix.map(|fix| print(&fix.expr)) else { continue };
            told += 1;
            for other in 100..106 {
                let verdict = last(&format!("seed {other}\n{layer}\n{key} = {fix}")).judgement.verdict;
                assert_ne!(verdict, Verdict::Wrong, "{key} = {wrong} at seed {seed}: {fix} at seed {other}");
            }
        }
    }
    told
}

/// How many of four numbers are positive is 2 on three sets of data in eight.
#[test]
fn counts_agree_by_chance() {
    let drawn = "y: [5] ~ randn\na: [4] ~ randn\nL = sum(y * sum(step(a)))";
    for wrong in ["ones(5)", "4 * ones(5)", "ones(5) / 2", "sum(step(y)) * ones(5)"] {
        told(drawn, "dL/dy", wrong);
    }
    let smooth = "y: [5] ~ randn\na: [4] ~ randn\nL = sum(y^2) * sum(step(a))";
    told(smooth, "dL/dy", "2 * y");
    // Numbers that are written down have other signs elsewhere too.
    let written = "y: [5] ~ randn\na: [4] = [1, -2, 3, 0.5]\nL = sum(y * sum(step(a)))";
    for found in last(&format!("{written}\ndL/dy = ones(5)")).diagnoses {
        assert!(found.fix.is_none_or(|fix| print(&fix.expr) != "3 * ones(5)"));
    }
    // What counts is found all the same.
    assert!(told(drawn, "dL/dy", "sum(sign(a)) * ones(5)") > 0);
    check(drawn, "dL/dy", "sum(sign(a)) * ones(5)", "wrong-derivative", "sign(a)", "sum(step(a)) * ones(5)");
    let kept = "x: [n=6] ~ randn\nm = step(x)\nc = sum(m)\nL = sum(relu(x)) / c";
    check(kept, "dL/dx", "m / n", "stale-operand", "n", "m / c");
    // Numbers that are written down are no sum over an axis, though there are as many.
    check(
        "y: [4] ~ randn\nL = 4 * sum(y^2)",
        "dL/dy",
        "[2, 2, 2, 2] * y",
        "missing-factor",
        "[2, 2, 2, 2] * y",
        "4 * [2, 2, 2, 2] * y",
    );
}

/// The wrong numbers of one claim are just what another one lacks.
#[test]
fn wrong_claims_are_not_built_upon() {
    let layer = "y: [4] ~ randn\nL = sum(y^3)\nK = 2 * sum(cosh_(y))\ndL/dy = sinh_(y)";
    let layer = layer.replace("cosh_(y)", "exp(y) + exp(-y)").replace("sinh_(y)", "exp(y) - exp(-y)");
    let found = claims(&format!("{layer}\ndK/dy = [2, 2, 2, 2]"));
    assert_eq!(found[0].judgement.verdict, Verdict::Wrong);
    for diagnosis in &found[1].diagnoses {
        let fix = diagnosis.fix.as_ref().map(|fix| print(&fix.expr)).unwrap_or_default();
        assert!(!fix.contains("dL/dy"), "{fix}");
    }
    // One that is referred to is used with its true value.
    let layer = "y: [4] ~ randn\nw: [4] ~ randn\nL = sum(sin(y^2) * w)\nK = 2 * L\ndL/dy = exp(y) + w";
    let [found] = last(&format!("{layer}\ndK/dy = 2 * dL/dy * w")).diagnoses.try_into().expect("one cause");
    let fix = found.fix.map(|fix| print(&fix.expr));
    assert_eq!((found.cause, fix.as_deref()), ("extra-factor", Some("2 * dL/dy")));
}

/// Two mistakes that cancel.
#[test]
fn what_rests_on_a_wrong_claim() {
    let source = "x: [n=3] ~ randn\ny = x^2\nL = sum(y^2)\ndL/dy = y\ndL/dx = 4 * dL/dy * x";
    let claim = last(source);
    assert_eq!(claim.judgement.verdict, Verdict::Holds);
    assert_eq!(claim.judgement.notes, [Note::RestsOn(vec!["dL/dy".to_string()])]);
    // What refers to it and is right without its mistake too does not rest on it.
    let claim = last("x: [n=3] ~ randn\ny = x^2\nL = sum(y^2)\ndL/dy = y\ndL/dx = 4 * x^3 + 0 * dL/dy");
    assert_eq!((claim.judgement.verdict, claim.judgement.notes.as_slice()), (Verdict::Holds, &[][..]));
}

/// An unbiased estimate divides by one less than a size.
#[test]
fn one_less_than_a_size() {
    let biased = "x: [N=7] ~ randn\nmu = mean(x)\nv = sum((x - mu)^2) / N";
    check(biased, "dv/dx", "2 * (x - mu) / (N - 1)", "missing-factor", "(N - 1)", "2 * (x - mu) / N");
    let unbiased = "x: [N=7] ~ randn\nmu = mean(x)\nv = sum((x - mu)^2) / (N - 1)";
    check(unbiased, "dv/dx", "2 * (x - mu) / N", "missing-factor", "N", "2 * (x - mu) / (N - 1)");
    check(unbiased, "dv/dx", "2 * (x - mu)", "missing-factor", "2 * (x - mu)", "2 * (x - mu) / (N - 1)");
    let norm =
        "x: [N=7] ~ randn\ndL/dy: [N] ~ randn\nmu = mean(x)\ns = sqrt(mean((x - mu)^2))\ny = (x - mu) / s";
    let gradient = |divisor: &str| format!("(dL/dy - mean(dL/dy) - y * sum(dL/dy * y) / {divisor}) / s");
    check(norm, "dL/dx", &gradient("(N - 1)"), "missing-factor", "(N - 1)", &gradient("N"));
    // A multiple that has no name here is the same on other data, and another one at other sizes.
    let unusual = "x: [N=7] ~ randn\nmu = mean(x)\nv = sum((x - mu)^2) / (0.37 * N + 1)";
    let found = last(&format!("{unusual}\ndv/dx = 2 * (x - mu) / N")).diagnoses.remove(0);
    assert!(found.cause == "unknown" && format!("{found:?}").contains("at other sizes"), "{found:?}");
    let words = last(&format!("{biased}\ndv/dx = 2 * (x - mu) / (N - 1)")).diagnoses.remove(0).explanation;
    assert!(format!("{words:?}").contains("(N - 1) / N"), "{words:?}");
}

/// 2 is a size of the file, and the 2 of a square.
#[test]
fn sizes_that_are_numbers_too() {
    let loss = "x: [N=2] ~ randn\nt: [N] ~ randn\nL = sum((x - t)^2) / N";
    let claim = last(&format!("{loss}\ndL/dx = x - t"));
    assert_eq!(claim.judgement.verdict, Verdict::Holds);
    let [Note::OffAtOtherSizes { share, right: Some(right) }] = claim.judgement.notes.as_slice() else {
        panic!("{:?}", claim.judgement.notes)
    };
    // The largest entry is 2/3 or 2/5 of what is claimed, or less.
    assert!(*share >= 0.5 && right == "2 * (x - t) / N", "{share} {right}");
    // N + M is N M where both are 2, and at no other sizes a product of powers of theirs.
    let layer = "X: [N=2, D=3] ~ randn\nW: [D, M=2] ~ randn\nZ = X @ W\nL = sum(Z^2) / (N * M)";
    let claim = last(&format!("{layer}\ndL/dZ = 2 * Z / (N + M)"));
    let notes = claim.judgement.notes.as_slice();
    assert!(matches!(notes, [Note::OffAtOtherSizes { right: None, .. }]), "{notes:?}");
    let claim = last(&format!("{loss}\ndL/dx = 2 * (x - t) / N"));
    assert_eq!((claim.judgement.verdict, claim.judgement.notes.as_slice()), (Verdict::Holds, &[][..]));
}

/// Right in another layout but for a factor: that the numbers are right would not be so.
#[test]
fn another_slip_beside_the_layout() {
    let layer = "W: [m=2, n=3] ~ randn\nx: [n] ~ randn\nz = W @ x";
    check(layer, "dz/dW", "2 * kron(x.T, eye(m))", "extra-factor", "2", "kron(eye(m), x.T)");
    check(layer, "dz/dW", "kron(x.T, eye(m))", "vec-layout", "kron(x.T, eye(m))", "kron(eye(m), x.T)");
}

/// A quadratic form has its matrix and the transposed one.
#[test]
fn twice_a_matrix_that_is_not_symmetric() {
    let form = "A: [n=4, n] ~ randn\nx: [n] ~ randn\nL = x @ A @ x";
    check(form, "dL/dx", "2 * A @ x", "transposed-factor", "2 * A", "(A + A.T) @ x");
    check(form, "d2L/dx2", "2 * A", "transposed-factor", "2 * A", "A + A.T");
    // Where it is symmetric one may say so.
    let claim = last("A = [[2, 1], [1, 2]]; x = [1, 2]; L = x @ A @ x; d2L/dx2 = 2 * A");
    assert_eq!(claim.judgement.verdict, Verdict::Holds);
}

#[test]
fn a_kernel_that_is_not_flipped() {
    let line =
        "x: [B=2, C=3, H=7] ~ randn\nw: [O=4, C, K=3] ~ randn\ny = conv(x, w)\ndL/dy: [B, O, 5] ~ randn";
    let turned = "permute(w, [1, 0, 2])";
    check(
        line,
        "dL/dx",
        &format!("conv(dL/dy, {turned}, padding=2)"),
        "transposed-factor",
        turned,
        &format!("conv(dL/dy, {turned}[:, :, ::-1], padding=2)"),
    );
}

/// The mask is what is missing, and not the `y / x` that equals it wherever x is not 0.
#[test]
fn masks_that_are_forgotten() {
    let masked = "x: [n=6] ~ randn\nmask: [n] ~ randint(0, 2)\ny = x * mask\ndL/dy: [n] ~ randn";
    check(masked, "dL/dx", "dL/dy", "missing-factor", "dL/dy", "dL/dy * mask");
    let dropped = "x: [n=6] ~ randn\nr: [n] ~ rand\np = 0.3\nmask = step(r - p)\ny = x * mask / (1 - p)\ndL/dy: [n] ~ randn";
    let claimed = "dL/dy / (1 - p)";
    check(dropped, "dL/dx", claimed, "missing-factor", claimed, "dL/dy / (1 - p) * mask");
    // Nothing here is divided by y.
    let sum = "y: [n=4] ~ randn\nL = sum(y^2)\nK = 2 * sum(y)\ndL/dy = 2 * y";
    for found in last(&format!("{sum}\ndK/dy = dL/dy")).diagnoses {
        assert!(found.fix.is_none_or(|fix| !print(&fix.expr).contains("/ y")));
    }
}

/// Why a derivative is zero is said of the claim's own values, and of this data.
#[test]
fn derivatives_that_are_zero() {
    let notes = |source: &str| {
        let judgement = last(source).judgement;
        (judgement.verdict, judgement.notes)
    };
    let independent = || Note::Independent { of: "L".to_string(), wrt: "y".to_string() };
    let apart = "x: [n=3] ~ randn\ny: [n] ~ randn\nL = sum(x^2)";
    assert_eq!(notes(&format!("{apart}\ndL/dy = x")), (Verdict::Wrong, vec![independent()]));
    assert_eq!(notes(&format!("{apart}\ndL/dy = x - x")), (Verdict::Vacuous, vec![independent()]));
    assert_eq!(notes(&format!("{apart}\ndL/dy = zeros(n)")), (Verdict::Holds, vec![independent()]));
    // The relu is dead here: its value does not change with x, and L changes with it.
    let dead = "x: [n=3] = [-1, -2, -3]\nw: [n] ~ randn\nh = relu(x)\nL = sum(h * w)";
    let flat = |wrt: &str, name: Option<&str>, expression: &str| Note::Flat {
        wrt: wrt.to_string(),
        name: name.map(str::to_string),
        expression: expression.to_string(),
        single: false,
    };
    let (_, found) = notes(&format!("{dead}\ndL/dx = w * step(x)"));
    assert_eq!(found, [Note::Zero, flat("x", Some("h"), "relu(x)")]);
    let (_, found) = notes(&format!("{dead}\ndL/dw = h"));
    assert_eq!(found, [Note::Zero, flat("w", None, "(h ⊙ w)")]);
    assert_eq!(notes(&format!("{dead}\ndL/dh = w")), (Verdict::Holds, Vec::new()));
}

/// An exponent that is a whole number is one in every precision: of a negative base nothing else has a power.
#[test]
fn a_named_exponent() {
    let source = "x: [n=4] ~ randn\nk = 3\nL = sum(x^k)";
    assert_eq!(last(&format!("{source}\ndL/dx = k * x^(k - 1)")).judgement.verdict, Verdict::Holds);
    assert_eq!(last(&format!("{source}\ndL/dx = 2 * x^2")).judgement.verdict, Verdict::Wrong);
}

/// Masks and labels that are written down might be others, and what counts them is no number: a fix that is told at some is right at others.
#[test]
fn what_masks_and_labels_count() {
    let mask = "x: [B=3, T=4] ~ randn\nm: [B, T] = STATED\nn = sum(m)\nL = sum(m * x^2) / n";
    let masks = ["[[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]", "[[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1]]"];
    let segments = "x: [N=6] ~ randn\ng: [N] = STATED\nc = sum(eye(3)[g], axis=0)\nmu = eye(3)[g].T @ x / c\ndL/dmu: [3] ~ randn";
    let weighed = "z: [N=6, K=3] ~ randn\nt: [N] = STATED\nw: [K] = [1, 2, 3]\nwn = w[t]\nW = sum(wn)\nY = eye(K)[t]\n\
                   P = softmax(z, axis=1)\nL = -sum(wn[:, None] * Y * log(P)) / W";
    let labels = ["[0, 0, 1, 1, 2, 2]", "[0, 1, 1, 2, 1, 1]"];
    let mut told = 0;
    for (layer, [here, there], claim) in [
        (mask, masks, "dL/dx = 2 * m * x / (B * T)"),
        (segments, labels, "dL/dx = dL/dmu[g]"),
        (weighed, labels, "dL/dz = wn[:, None] * (P - Y) / N"),
    ] {
        let (key, _) = claim.split_once(" = ").expect("a claim");
        let at = |stated: &str, claim: &str| last(&format!("{}\n{claim}", layer.replace("STATED", stated)));
        let found = at(here, claim);
        assert_eq!(found.judgement.verdict, Verdict::Wrong, "{claim}");
        for fix in found.diagnoses.into_iter().filter_map(|found| found.fix) {
            told += 1;
            let fix = format!("{key} = {}", print(&fix.expr));
            assert_ne!(at(there, &fix).judgement.verdict, Verdict::Wrong, "{claim}: {fix}");
        }
    }
    assert!(told >= 1, "{told}");
}
