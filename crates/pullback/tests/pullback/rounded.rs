//! Numbers that are off by rounding alone hold, and such as are not don't: `golden/rounding/` holds what PyTorch and NumPy
//! compute in f32, f16 and bf16, and wrong numbers beside it.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::{Coarser, Note, Verdict};
use pullback::report::ClaimReport;
use pullback::session::{Data, check_dump, check_source};

use crate::command::root;

const PRODUCT: &str = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; Z = X @ W; dL/dZ: [N, M] ~ randn";
const SCALAR: &str = "x: [D=5] ~ randn; s: [] ~ rand; L = sum((s * x)^2)";
const RELU: &str =
    "x: [N=5, D=3] ~ randn; g: [D] ~ randn; b: [D] ~ randn; y = relu(x * g + b); dL/dy: [N, D] ~ randn";
const LARGEST: &str = "X: [N=5, D=3] ~ randn; w: [D] ~ randn; y = max(X * w, axis=1); dL/dy: [N] ~ randn";
const ONES: &str = "x: [N=5, D=3] ~ rand; b: [D] ~ rand; z = x + b; dL/dz: [N, D] ~ randn";

/// The claims of a dump, each by itself: those that are right, and those that have a slip.
fn judged(source: &str, name: &str) -> [Vec<ClaimReport>; 2] {
    let path = root().join("crates/pullback/tests/golden/rounding").join(format!("{name}.safetensors"));
    let dump = Dump::open(&path).expect("a golden dump");
    let (slips, right): (Vec<Entry>, Vec<Entry>) =
        dump.entries().iter().cloned().partition(|entry| entry.name.contains(':'));
    let report = |entries: Vec<Entry>| {
        let dump = Dump::new(entries);
        let report =
            check_dump("layer.grad", source.as_bytes(), Path::new("."), &Data { name: "dump", dump: &dump });
        assert!(report.errors.is_empty(), "{name}: {:?}", report.errors);
        report.claims
    };
    let claims = report(right.clone());
    let is_claimed = |entry: &Entry| claims.iter().any(|claim| claim.key == entry.name);
    let given: Vec<Entry> = right.iter().filter(|entry| !is_claimed(entry)).cloned().collect();
    let wrong = slips.into_iter().map(|slip| {
        let (key, _) = slip.name.split_once(':').expect("a slip says what it is");
        let entry = Entry { name: key.to_string(), ..slip.clone() };
        let mut claim = report([given.clone(), vec![entry]].concat()).remove(0);
        claim.key = slip.name;
        claim
    });
    let wrong = wrong.collect();
    [claims, wrong]
}

/// Right numbers hold, wrong ones do not.
fn told_apart(source: &str, name: &str, slips: usize) -> Vec<ClaimReport> {
    let [right, wrong] = judged(source, name);
    for claim in &right {
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{name}: {}: {:?}", claim.key, claim.judgement);
    }
    assert_eq!(wrong.len(), slips, "{name}");
    for claim in &wrong {
        let is_wrong = matches!(claim.judgement.verdict, Verdict::Wrong | Verdict::Ambiguous);
        assert!(is_wrong, "{name}: {}: {:?}", claim.key, claim.judgement);
    }
    right
}

/// Sums of 200 to 600 products in 16 bits: kernels add up in 32, and what they return is off by the last rounding.
#[test]
fn sums_of_16_bits_run_in_32() {
    for name in ["product-bf16", "product-f16", "long-bf16"] {
        told_apart(PRODUCT, name, 6);
    }
    told_apart(SCALAR, "scalar-bf16", 1);
}

#[test]
fn coarser_arithmetic_is_named() {
    for (name, coarser) in [("naive-bf16", Coarser::Sums(Precision::BF16)), ("tf32", Coarser::Tf32)] {
        let [claims, _] = judged(PRODUCT, name);
        let judgement = &claims[0].judgement;
        assert_eq!(judgement.verdict, Verdict::Wrong, "{name}: {judgement:?}");
        assert!(judgement.notes.contains(&Note::Coarser(coarser)), "{name}: {judgement:?}");
    }
}

/// Signs and largest elements that rounding turned are counted, and excuse nothing else.
#[test]
fn choices_that_rounding_turns() {
    for (source, name, slips) in [(RELU, "relu-bf16", 3), (LARGEST, "max-bf16", 1)] {
        let right = told_apart(source, name, slips);
        let turned = |note: &Note| matches!(note, Note::Flipped(count) if (1..8).contains(count));
        assert!(right.iter().any(|claim| claim.judgement.notes.iter().any(turned)), "{name}: {right:?}");
    }
}

/// 200 times 0.1, added up one by one in f32.
#[test]
fn sums_of_one_sign_drift() {
    told_apart(ONES, "ones-f32", 1);
}

#[test]
fn single_precision_held_as_double() {
    let right = told_apart(PRODUCT, "single-in-double", 0);
    let elsewhere = right[0].elsewhere.as_ref().expect("numbers of a dump");
    assert_eq!((elsewhere.precision, elsewhere.stored), (Precision::F32, Precision::F64));
}

#[test]
fn gradients_may_be_whole() {
    let whole = |name: &str, numbers: [i64; 3]| Entry {
        name: name.to_string(),
        array: Array::from_slice(&[3], &numbers).expect("three"),
        precision: Precision::Whole,
        stored: Precision::Whole,
    };
    for (numbers, verdict) in [([3, 3, 3], Verdict::Holds), ([3, 4, 3], Verdict::Wrong)] {
        let dump = Dump::new(vec![whole("x", [1, 2, 5]), whole("dL/dx", numbers)]);
        let data = Data { name: "dump", dump: &dump };
        let report = check_dump("layer.grad", b"x: [D=9] ~ randn; L = sum(3 * x)", Path::new("."), &data);
        assert_eq!(report.claims[0].judgement.verdict, verdict, "{:?}", report.errors);
    }
}

/// What is too small for f32 becomes zero there; in f64 the formulas hold, and no cause is made up. Of what is too small for f64
/// nothing can be told.
#[test]
fn underflow_is_no_mistake() {
    let files = [
        "dtype f32; z = [100, 3, 2, 0]; L = logsumexp(z, axis=0) - z[0]; dL/dz = softmax(z, axis=0) - [1, 0, 0, 0]",
        "dtype f32; x = [1, 2, 10.1]; L = sum(exp(-x^2)); dL/dx = -2 * x * exp(-x^2)",
        "dtype f32; z = [100, 3, 2, 0]; p = softmax(z, axis=0); dp/dz = diag(p) - outer(p, p)",
        // A sign that f32 turns: the sum is 0 there, and above in f64.
        "dtype f32; x = [1, 1e-9, -1]; z = x[0] + x[1] + x[2]; L = relu(z); dL/dx = step(z) * ones(3)",
    ];
    let judged = |source: &str| check_source("file.grad", source.as_bytes(), Path::new(".")).claims.remove(0);
    for source in files {
        let claim = judged(source);
        let passes = claim.judgement.passes() || claim.judgement.verdict == Verdict::Vacuous;
        assert!(passes && claim.diagnoses.is_empty(), "{source}: {claim:?}");
    }
    let tiny = judged("x = [27.1, 27.15]; L = sum(exp(-x^2)); dL/dx = -2 * x * exp(-x^2)");
    assert_eq!(tiny.judgement.verdict, Verdict::Vacuous, "{tiny:?}");
    let wrong = judged("dtype f32; x = [1, 2, 10.1]; L = sum(exp(-x^2)); dL/dx = 2 * x * exp(-x^2)");
    assert_eq!(wrong.judgement.verdict, Verdict::Wrong, "{wrong:?}");
}
