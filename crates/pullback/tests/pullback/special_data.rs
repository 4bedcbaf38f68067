//! Data that are special: sizes of 1, weights of ones, gradients that other code returned. Right claims hold on them, and what they
//! hide is said.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::{Judgement, Note, Same, Verdict};
use pullback::session::{Data, check_dump, check_source};

use crate::command::pullback;
use crate::diagnosed::claims;

#[track_caller]
fn all_hold(source: &str) -> Vec<Judgement> {
    let found = claims(source);
    for claim in &found {
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{} in\n{source}", claim.key);
    }
    found.into_iter().map(|claim| claim.judgement).collect()
}

#[track_caller]
fn all_hold_without_a_word(source: &str) {
    for judgement in all_hold(source) {
        assert_eq!(judgement.notes, [], "{source}");
    }
}

/// A dim of 1 is no reason to change the other sizes, nor those that are written out.
#[test]
fn a_dim_of_one() {
    all_hold_without_a_word(
        "X: [3, 1] ~ randn\nw: [K=1] ~ randn\nc: [M=3] ~ randn\nL = mean(X @ w) + sum(c^2)\n\
         dL/dw = sum(X, axis=0) / 3\ndL/dc = 2 * c",
    );
    all_hold_without_a_word(
        "x: [N=2, 3, M=3] ~ randn\nu: [D=1] ~ randn\nL = mean(x * x) + sum(reshape(u, [1]))\n\
         dL/dx = 2 * x / (3 * M * N)\ndL/du = ones(D)",
    );
    all_hold_without_a_word(
        "b: [K=1] ~ randn\nX: [4, 5] ~ randn\nL = mean((X + b)^2)\ndL/dX = 2 * (X + b) / 20",
    );
    all_hold_without_a_word(
        "X: [B=1, 6] ~ randn\nw: [6] ~ randn\nL = sum(X @ w) / B\ndL/dw = sum(X, axis=0) / B",
    );
    all_hold_without_a_word(
        "X: [4, 6] ~ randn\nH: [1, heads=1] ~ randn\nL = mean(X^2) * sum(H)\ndL/dX = X * sum(H) / 12",
    );
}

/// Where a size that is 1 here is forgotten it is doubted as ever.
#[test]
fn a_forgotten_dim_of_one() {
    let found = claims("X: [N=1, M=3] ~ randn\nL = sum(X^2) / N\ndL/dX = 2 * X").pop().expect("a claim");
    assert_eq!(found.judgement.verdict, Verdict::Ambiguous);
    let fix = found.diagnoses[0].fix.as_ref().map(|fix| pullback::lang::print(&fix.expr));
    assert_eq!(fix.as_deref(), Some("2 * X / N"));
}

/// A gradient that other code returned is no input.
#[test]
fn returned_gradients() {
    let loaded = "x = [0.5, -1, 2, 0.25]\nw = [1.5, -2, 0.75, 3]\nH = [1.5, -2, 0.75, 3]\nL = sum(w * x)";
    all_hold_without_a_word(&format!("{loaded}\ndL/dx = H"));
    all_hold_without_a_word(&format!("{loaded}\ndL/dx = 2 * H - H"));
    all_hold_without_a_word(&format!("{loaded}\nG = 2 * H\ndL/dx = G / 2"));
    // An input of the program is moved as ever.
    let symmetric = "A = [[2, 1], [1, 2]]\nx = [1, 2]\nz = A @ x\ndz/dx = A.T";
    assert_eq!(claims(symmetric)[0].judgement.verdict, Verdict::Ambiguous);
}

/// RMSNorm: `w` belongs inside of the sum.
fn norm(weights: &str, claim: &str) -> String {
    format!(
        "x: [N=2, d=4] ~ randn\n{weights}\nr = sqrt(mean(x^2, axis=1, keepdims=true) + 0.00000001)\n\
         y = w * x / r\nL = sum(y)\ndL/dx = {claim}"
    )
}

#[test]
fn values_that_hide_mistakes() {
    let outside = "w / r - w * x / (d * r^3) * sum(x, axis=1, keepdims=true)";
    let inside = "w / r - x / (d * r^3) * sum(w * x, axis=1, keepdims=true)";
    for weights in ["w: [d] = [1, 1, 1, 1]", "w = ones(d)", "w = 2 * ones(d)", "w = ones(d) + zeros(d)"] {
        let number = if weights.contains('2') { 2.0 } else { 1.0 };
        let is_told = |note: &Note| matches!(note, Note::Hidden { name, same: Same::Entries(x), of_numbers: false } if name == "w" && *x == number);
        let notes = all_hold(&norm(weights, outside)).remove(0).notes;
        assert!(notes.iter().any(is_told), "{weights}: {notes:?}");
        all_hold_without_a_word(&norm(weights, inside));
    }
    // With other weights it is seen.
    let found = claims(&norm("w: [d] ~ randn", outside)).pop().expect("a claim");
    assert_eq!(found.judgement.verdict, Verdict::Wrong);
    let identity = "A = eye(3)\nx: [3] ~ randn\nz = A @ x\nL = sum(z^2)\ndL/dx = 2 * A @ z";
    let notes = all_hold(identity).remove(0).notes;
    assert!(matches!(notes.as_slice(), [Note::Hidden { same: Same::Identity, .. }]), "{notes:?}");
    all_hold_without_a_word(&identity.replace("2 * A @ z", "2 * A.T @ z"));
}

/// Of numbers it is said where the derivative depends on such a value.
#[test]
fn weights_of_ones_in_a_dump() {
    let entry = |name: &str, shape: &[usize], numbers: &[f64]| Entry {
        name: name.to_string(),
        array: Array::from_slice(shape, numbers).expect("as many"),
        precision: Precision::F64,
        stored: Precision::F64,
    };
    let notes = |w: &[f64]| {
        let (x, g) = ([0.5, -1.0, 2.0], [1.0, 3.0, -2.0]);
        let entries = vec![
            entry("x", &[3], &x),
            entry("w", &[3], w),
            entry("dL/dy", &[3], &g),
            entry("dL/dx", &[3], &[0, 1, 2].map(|k| w[k] * g[k])),
            entry("dL/dw", &[3], &[0, 1, 2].map(|k| x[k] * g[k])),
        ];
        let dump = Dump::new(entries);
        let source = b"x: [n=3] ~ randn\nw: [n] ~ randn\none = ones(n)\ny = w * x * one\ndL/dy: [n] ~ randn";
        let data = Data { name: "dump", dump: &dump };
        let report = check_dump("layer.grad", source, Path::new("."), &data);
        let of = |claim: pullback::report::ClaimReport| {
            assert_eq!(claim.judgement.verdict, Verdict::Holds);
            (claim.key, claim.judgement.notes)
        };
        report.claims.into_iter().map(of).collect::<Vec<(String, Vec<Note>)>>()
    };
    let hidden = Note::Hidden { name: "w".into(), same: Same::Entries(1.0), of_numbers: true };
    assert_eq!(notes(&[1.0; 3]), [("dL/dx".into(), vec![hidden]), ("dL/dw".into(), vec![])]);
    assert_eq!(notes(&[1.0, 2.0, 0.5]), [("dL/dx".into(), vec![]), ("dL/dw".into(), vec![])]);
}

/// A mask is a mask though all of its numbers are the same: what is multiplied by it may count on 0 and 1.
#[test]
fn masks_whose_numbers_are_all_alike() {
    for mask in ["[0]", "[1]"] {
        all_hold(&format!(
            "x: [1] ~ randn\nm: [1] = {mask}\nh = masked_fill(x, m, 0.5)\nL = sum(h^2) + sum(x)\n\
             dL/dx = 2 * h * (1 - m) + 1"
        ));
    }
    let source = "x = [[-1, 2], [3, 1]]\nm = [[1, 1], [1, 1]]\nh = where(m, x^2, x)\nL = sum(h)\n";
    all_hold(&format!("{source}dL/dx = 2 * x * m + (1 - m)"));
}

/// Of three elements that tie each may be the middle one, or a share of it: one that is moved alone moves no median, and all of them
/// together do.
#[test]
fn which_of_three_that_tie_is_the_middle_one() {
    let kink_of = |middle: &str, claim: &str| {
        let source = format!("x = [3.0, 1, 3, 3, 7]\nL = 2 * {middle}\ndL/dx = {claim}");
        let judgement = claims(&source).remove(0).judgement;
        (judgement.verdict, judgement.kink)
    };
    for middle in ["median(x)", "kthvalue(x, 3, axis=0)[0]"] {
        let stated: Vec<bool> =
            ["[2, 0, 0, 0, 0]", "[0, 0, 2, 0, 0]", "[0, 0, 0, 2, 0]", "[2/3, 0, 2/3, 2/3, 0]"]
                .map(|claim| {
                    let (verdict, kink) = kink_of(middle, claim);
                    let kink = kink.expect("a kink");
                    assert!(
                        verdict == Verdict::Kink && kink.ordered && kink.inside,
                        "{middle}, {claim}: {kink:?}"
                    );
                    assert_eq!((kink.interval(), kink.entries), ([0.0, 2.0], 3), "{middle}, {claim}");
                    kink.conventional
                })
                .to_vec();
        assert_eq!(stated.iter().filter(|stated| **stated).count(), 1, "{middle}: {stated:?}");
        for wrong in ["[0, 2, 0, 0, 0]", "[2, 0, 2, 0, 0]", "[0, 0, 0, 0, 0]"] {
            assert_eq!(kink_of(middle, wrong).0, Verdict::Wrong, "{middle}, {wrong}");
        }
    }
}

/// The largest two of three that tie are weighted differently: moved alone each becomes the first or none, and the second as well by
/// orders of all.
#[test]
fn which_of_three_that_tie_is_the_second_one() {
    let verdict_of = |claim: &str| {
        let source = format!("x = [3.0, 3, 3]\nv, i = topk(x, 2)\nL = v[0] + 2 * v[1]\ndL/dx = {claim}");
        let judgement = claims(&source).remove(0).judgement;
        (judgement.verdict, judgement.kink.map(|kink| kink.interval()))
    };
    for claim in ["[0, 1, 2]", "[1, 2, 0]", "[2, 0, 1]"] {
        assert_eq!(verdict_of(claim), (Verdict::Kink, Some([0.0, 2.0])), "{claim}");
    }
    for wrong in ["[1, 2, 1]", "[0, 0, 3]", "[1, 1, 0]"] {
        assert_eq!(verdict_of(wrong).0, Verdict::Wrong, "{wrong}");
    }
}

/// A class that is none is no class counted from the end, and the number of rows that do not count is.
#[test]
fn classes_that_are_none() {
    for loss in ["cross_entropy(z, t)", "nll_loss(z, t)"] {
        let source = |t: &str| format!("z: [4, 3] ~ randn\nt = [0, 1, 2, {t}]\nL = {loss}\ndL/dz = z");
        for (t, none) in [("-1", "the class -1 is none of 3"), ("3", "the class 3 is none of 3")] {
            let report = check_source("l.grad", source(t).as_bytes(), Path::new("."));
            let said: Vec<String> = report.errors.iter().map(|error| error.message.clone()).collect();
            assert!(said.len() == 1 && said[0].contains(none), "{loss}, {t}: {said:?}");
        }
        assert_eq!(claims(&source("-100")).len(), 1, "{loss}");
    }
}

/// A length of 0 has the slope 0 by its convention, and so has a deviation of numbers that are all alike.
#[test]
fn norms_of_nothing() {
    let conventional = |source: &str| {
        let judgement = claims(source).remove(0).judgement;
        judgement.verdict == Verdict::Kink && judgement.passes()
    };
    assert!(conventional("x = [[3.0, 4], [0, 0]]\nL = sum(norm(x, axis=1))\ndL/dx = [[0.6, 0.8], [0, 0]]"));
    assert!(conventional(
        "x = [[2.0, 2, 2], [1, 2, 3]]\nL = sum(std(x, axis=1))\ndL/dx = [[0, 0, 0], [-1, 0, 1]] / sqrt(6)"
    ));
    let off =
        claims("x = [[3.0, 4], [0, 0]]\nL = sum(norm(x, axis=1))\ndL/dx = [[0.6, 0.8], [2, 0]]").remove(0);
    assert_eq!(off.judgement.verdict, Verdict::Wrong);
}

/// What integers divide by, and places beside a column of rows, as people write them.
#[test]
fn integers_as_numbers_and_as_places() {
    all_hold(
        "x: [N=6] ~ randn\nm: [N] ~ randint(1, 3)\nL = sum(m * x^2) / sum(m)\ndL/dx = 2 * m * x / sum(m)",
    );
    all_hold(
        "x: [N=4, M=5] ~ randn\ni: [N, 2] ~ randint(0, M)\ny = x[arange(N)[:, None], i]\nL = sum(y^2)\n\
         dL/dx = 2 * x * sum(one_hot(i, M), axis=1)",
    );
}

/// A method along a `dim` is PyTorch's.
#[test]
fn a_deviation_along_a_dim() {
    let source = "x: [N=3, M=4] ~ randn\nm = mean(x, axis=1, keepdims=true)\n";
    all_hold(&format!("{source}s = x.std(dim=1)\nL = sum(s)\ndL/dx = (x - m) / (3 * s[:, None])"));
    all_hold(&format!("{source}s = x.std(axis=1)\nL = sum(s)\ndL/dx = (x - m) / (4 * s[:, None])"));
    all_hold(
        "A: [4, 4] ~ randn\nL = sum(triu(A, diagonal=1)) + sum(diagonal(A, dim1=1, dim2=0))\n\
         dL/dA = triu(ones(4, 4), 1) + eye(4)",
    );
}

/// One entry of a mask that is wrong is one bit, which some slip or other gives by chance.
#[test]
fn a_bit_of_a_mask_is_no_cause() {
    let (x, w) = ([0.5, -1.2, 0.8, 1.4, -0.3, 0.9, -0.7, 0.2], [1.1, 0.4, -0.6, 0.3, 0.8, 1.7, -0.2, -1.5]);
    let right: Vec<f64> = x
        .iter()
        .zip(&w)
        .map(|(x, w)| if x * w + x > 0.0 { 2.0 * (x * w + x) * (w + 1.0) } else { 0.0 })
        .collect();
    let first = right.iter().position(|entry| *entry != 0.0).expect("some are not masked");
    let mut one_off = right.clone();
    one_off[first] = 0.0;
    let causes = |numbers: &[f64]| {
        let entry = |name: &str, numbers: &[f64]| Entry {
            name: name.to_string(),
            array: Array::from_slice(&[8], numbers).expect("eight numbers"),
            precision: Precision::F64,
            stored: Precision::F64,
        };
        let dump = Dump::new(vec![entry("x", &x), entry("w", &w), entry("dL/dx", numbers)]);
        let source = b"x: [n=8] ~ randn\nw: [n] ~ randn\ny = relu(x * w + x)\nL = sum(y^2)";
        let report = check_dump("layer.grad", source, Path::new("."), &Data { name: "dump", dump: &dump });
        let claim = report.claims.into_iter().next().expect("a claim");
        let causes: Vec<&str> = claim.diagnoses.iter().map(|found| found.cause).collect();
        (claim.judgement.verdict, causes)
    };
    assert_eq!(causes(&right), (Verdict::Holds, vec![]));
    assert_eq!(causes(&one_off), (Verdict::Wrong, vec!["unknown"]));
}

/// A difference of inputs that bf16 holds is exact in every code, so that rounding turns no choice that is made of it.
#[test]
fn a_choice_of_exact_differences() {
    let judged = |of_a: [f64; 2]| {
        let entry = |name: &str, numbers: [f64; 2]| Entry {
            name: name.to_string(),
            array: Array::from_slice(&[2], &numbers).expect("two numbers"),
            precision: Precision::BF16,
            stored: Precision::BF16,
        };
        // 1 - (a - b) is 0.0234375 and 0.5.
        let (a, b) = ([2.59375, 1.0], [1.6171875, 0.5]);
        let entries = vec![entry("a", a), entry("b", b), entry("dL/dy", [0.5, 0.25]), entry("dL/da", of_a)];
        let dump = Dump::new(entries);
        let source = b"a: [2] ~ randn\nb: [2] ~ randn\ny = relu(1 - (a - b))\ndL/dy: [2] ~ randn";
        let report = check_dump("layer.grad", source, Path::new("."), &Data { name: "dump", dump: &dump });
        report.claims.into_iter().next().expect("a claim").judgement.verdict
    };
    assert_eq!(judged([-0.5, -0.25]), Verdict::Holds);
    assert_eq!(judged([0.0, -0.25]), Verdict::Wrong);
}

/// Of a singular matrix the slopes of the determinant are its cofactors, and no inverse.
#[test]
fn the_determinant_of_a_singular_matrix() {
    let fix = |matrix: &str| {
        let claim = claims(&format!("A = {matrix}\nL = det(A)\ndL/dA = A")).remove(0);
        claim.diagnoses[0].fix.as_ref().map(|fix| pullback::lang::print(&fix.expr))
    };
    assert_eq!(fix("[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]").as_deref(), Some("cofactor(A)"));
    assert_eq!(fix("[[2.0, 2, 3], [4, 5, 6], [7, 8, 9]]").as_deref(), Some("det(A) * inv(A).T"));
}

/// What pads with threes is no product of its Jacobian, and a mask of −∞ is no fault.
#[test]
fn derivations_of_padding_and_of_masks() {
    for source in [
        "x: [N=2, D=3] ~ randn\ny = pad(x, [[0, 0], [1, 1]], value=3)\ndL/dy: [N, 5] ~ randn",
        "s: [T=3, T] ~ randn\nm: [T] ~ randint(0, 2)\np = masked_fill(s, m == 0, -inf)\ny = softmax(p, -1)\ndL/dy: [T, T] ~ randn",
    ] {
        let ran = pullback(&["derive", "-"], source);
        assert_eq!((ran.code, ran.stderr.contains("fault")), (0, false), "{}", ran.stderr);
    }
}
