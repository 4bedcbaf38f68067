//! In what a dump was computed: told by digits, over all of it, and never by whole numbers. `golden/precision/` holds two dumps
//! that other people made, with PyTorch: counts in f64, and bf16 held as f32 beside a mask of ones.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::random::Generator;
use pullback::array::{Array, DType, Precision};
use pullback::check::Verdict;
use pullback::report::{Because, ClaimReport, FileReport};
use pullback::session::{Data, Terms, check_as};
use serde_json::Value;

use crate::command::{pullback, root};

fn judged(source: &str, entries: &[Entry], terms: &Terms) -> FileReport {
    let dump = Dump::new(entries.to_vec());
    let data = Data { name: "dump", dump: &dump };
    let report = check_as("layer.grad", source.as_bytes(), Path::new("."), Some(&data), terms, &mut |_| {});
    assert!(report.errors.is_empty(), "{source}: {:?}", report.errors);
    report
}

fn claims(source: &str, entries: &[Entry]) -> Vec<ClaimReport> {
    judged(source, entries, &Terms::default()).claims
}

/// What is said of one claim: verdict, precision, and why.
fn said(claim: &ClaimReport) -> (Verdict, Precision, Because) {
    let elsewhere = claim.elsewhere.as_ref().expect("numbers of a dump");
    (claim.judgement.verdict, elsewhere.precision, elsewhere.because.clone())
}

/// Numbers held in a format, whatever they were computed in.
fn held(name: &str, shape: &[usize], numbers: &[f64], stored: Precision) -> Entry {
    let array = Array::from_slice(shape, numbers).expect("as many numbers as the shape has");
    let array = if stored == Precision::F32 { array.cast(DType::F32).expect("it fits") } else { array };
    Entry { name: name.to_string(), array, precision: stored, stored }
}

fn whole(name: &str, numbers: &[i64]) -> Entry {
    let array = Array::from_slice(&[numbers.len()], numbers).expect("a vector");
    Entry { name: name.to_string(), array, precision: Precision::Whole, stored: Precision::Whole }
}

/// Standard normal numbers.
fn drawn(seed: u64, count: usize) -> Vec<f64> {
    Generator::new(seed).randn(&[count], DType::F64).expect("a few numbers").to_vec_f64()
}

/// To the nearest number of so many significant bits.
fn rounded(x: f64, bits: i32) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let unit = 2f64.powi(x.abs().log2().floor() as i32 + 1 - bits);
    (x / unit).round_ties_even() * unit
}

fn all_rounded(numbers: &[f64], bits: i32) -> Vec<f64> {
    numbers.iter().map(|&x| rounded(x, bits)).collect()
}

fn golden(name: &str) -> Vec<Entry> {
    let path = root().join("crates/pullback/tests/golden/precision").join(format!("{name}.npz"));
    Dump::open(path).expect("a golden dump").entries().to_vec()
}

/// Counts of tokens are whole numbers of eight bits or fewer, as are all their kind: of nothing are they evidence.
#[test]
fn three_dropped_tokens_are_wrong() {
    let counts = golden("counts");
    let claim = &claims("E: [V=6, D=4] ~ randn; k: [T=1000] ~ randint(0, 6); L = sum(E[k])", &counts)[0];
    assert_eq!(said(claim), (Verdict::Wrong, Precision::F64, Because::NoEvidence), "{:?}", claim.judgement);

    // Of several sizes, scaled by what keeps them simple, in both formats; right, and with three of them dropped in a row.
    for (tokens, divisor, bits) in [(1000, 1.0, 53), (1000, 8.0, 24), (4000, 1.0, 24), (60, 4.0, 53)] {
        let stored = if bits == 53 { Precision::F64 } else { Precision::F32 };
        let table = held("E", &[6, 2], &all_rounded(&drawn(3, 12), bits), stored);
        let read: Vec<i64> = (0..tokens).map(|k| (k * k + k / 7) % 6).collect();
        let gradient = |dropped: usize| -> Vec<f64> {
            let count = |row: i64| read[dropped..].iter().filter(|&&token| token == row).count() as f64;
            (0..12).map(|at| count(at / 2) / divisor).collect()
        };
        let source = format!("E: [V=6, D=2] ~ randn; k: [T=9] ~ randint(0, 6); L = sum(E[k]) / {divisor}");
        for (dropped, verdict) in [(0, Verdict::Holds), (3, Verdict::Wrong)] {
            let entries =
                [table.clone(), whole("k", &read), held("dL/dE", &[6, 2], &gradient(dropped), stored)];
            let (found, precision, because) = said(&claims(&source, &entries)[0]);
            assert_eq!((found, precision), (verdict, stored), "{tokens} / {divisor}, {dropped} dropped");
            assert_eq!(because, Because::NoEvidence);
        }
    }
}

/// Gradients of 0 and 1: which entry is the largest, which sign is positive.
#[test]
fn gradients_of_zeros_and_ones_are_exact() {
    let x = drawn(5, 24);
    let positive: Vec<f64> = x.iter().map(|&x| f64::from(x > 0.0)).collect();
    let mut off = positive.clone();
    off[7] = 1.0 - off[7];
    for (gradient, verdict) in [(&positive, Verdict::Holds), (&off, Verdict::Wrong)] {
        let entries = [held("x", &[24], &x, Precision::F64), held("dL/dx", &[24], gradient, Precision::F64)];
        let (found, precision, _) = said(&claims("x: [n=3] ~ randn; L = sum(relu(x))", &entries)[0]);
        assert_eq!((found, precision), (verdict, Precision::F64));
    }
}

const MASKED: &str = "x: [N=8, D=4] ~ randn; W: [D, H=64] ~ randn; m: [N, M=512] ~ rand; dy: [N, H] ~ randn
    L = sum(tanh((x @ W) * m[:, :64]) * dy)";

/// A mask says nothing, in whatever it is held.
#[test]
fn bf16_beside_a_mask_is_bf16() {
    let dump = golden("bfmask");
    let mask_as = |stored: Precision, dtype: DType| -> Vec<Entry> {
        let recast = |entry: &Entry| match entry.name.as_str() {
            "m" => Entry {
                array: entry.array.cast(dtype).expect("zeros and ones"),
                precision: stored,
                stored,
                ..entry.clone()
            },
            _ => entry.clone(),
        };
        dump.iter().map(recast).collect()
    };
    for entries in [dump.clone(), mask_as(Precision::F64, DType::F64), mask_as(Precision::Whole, DType::I64)]
    {
        for claim in claims(MASKED, &entries) {
            let (verdict, precision, because) = said(&claim);
            assert_eq!((verdict, precision), (Verdict::Holds, Precision::BF16), "{}", claim.key);
            assert_eq!(because, Because::OwnDigits);
        }
    }
    // By itself each gradient tells it too, and a wrong one is wrong.
    for name in ["dL/dx", "dL/dW"] {
        let wrong = |entry: &Entry| match entry.name == name {
            true => {
                let numbers: Vec<f64> =
                    entry.array.to_vec_f64().iter().map(|x| rounded(1.5 * x, 8)).collect();
                held(name, entry.array.shape(), &numbers, Precision::F32)
            }
            false => entry.clone(),
        };
        let given = dump.iter().filter(|entry| entry.name == name || !entry.name.starts_with("dL/"));
        let (verdict, precision, _) = said(&claims(MASKED, &given.map(wrong).collect::<Vec<_>>())[0]);
        assert_eq!((verdict, precision), (Verdict::Wrong, Precision::BF16), "{name}");
    }
}

const PRODUCT: &str = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; Z = X @ W; dL/dZ: [N, M] ~ randn";

/// X [16, 4], W [4, 2] and the cotangent, in bf16 held as f32, and ∂L/∂X = Ḡ Wᵀ and ∂L/∂W = Xᵀ Ḡ of them.
fn product() -> (Vec<Entry>, Vec<f64>, Vec<f64>) {
    let [x, w, g] = [(1, 64), (2, 8), (3, 32)].map(|(seed, count)| all_rounded(&drawn(seed, count), 8));
    let dx = (0..64).map(|at| (0..2).map(|j| g[at / 4 * 2 + j] * w[at % 4 * 2 + j]).sum()).collect();
    let dw = (0..8).map(|at| (0..16).map(|i| x[i * 4 + at / 2] * g[i * 2 + at % 2]).sum()).collect();
    let given = [("X", [16, 4], &x), ("W", [4, 2], &w), ("dL/dZ", [16, 2], &g)];
    (given.map(|(name, shape, numbers)| held(name, &shape, numbers, Precision::F32)).to_vec(), dx, dw)
}

/// f32 gradients of weights beside bf16 ones of activations are as coarse as what they were computed from.
#[test]
fn a_computation_is_as_coarse_as_its_coarsest_result() {
    let (given, dx, dw) = product();
    let of_activations = held("dL/dX", &[16, 4], &all_rounded(&dx, 8), Precision::F32);
    let of_weights = held("dL/dW", &[4, 2], &dw, Precision::F32);
    let found = claims(PRODUCT, &[given.clone(), vec![of_activations.clone(), of_weights.clone()]].concat());
    assert_eq!(said(&found[0]), (Verdict::Holds, Precision::BF16, Because::OwnDigits));
    let others = Because::OthersDigits { name: "dL/dX".to_string(), own: Some(Precision::F32) };
    assert_eq!(said(&found[1]), (Verdict::Holds, Precision::BF16, others));
    // Without it nothing computed says bf16: inputs may have been widened first.
    let alone = claims(PRODUCT, &[given.clone(), vec![of_weights]].concat());
    assert_eq!(said(&alone[0]), (Verdict::Holds, Precision::F32, Because::Held));
    // Of the inputs the finest decides, and their format only where the gradient may be a result in it.
    let few: Vec<f64> = all_rounded(&dw, 8);
    let in_bf16 =
        claims(PRODUCT, &[given.clone(), vec![held("dL/dW", &[4, 2], &few, Precision::F32)]].concat());
    assert_eq!(said(&in_bf16[0]).1, Precision::BF16);
    let mut finer = given;
    finer[0] = held("X", &[16, 4], &drawn(1, 64), Precision::F32);
    let wrong = held("dL/dW", &[4, 2], &[1.0, 2.0, -1.0, 0.5, 0.25, 3.0, -2.0, 1.0], Precision::F32);
    assert_eq!(
        said(&claims(PRODUCT, &[finer, vec![wrong]].concat())[0]),
        (Verdict::Wrong, Precision::F32, Because::NoEvidence)
    );
}

/// tenstorrent/tt-metal, issue 35885: 1 − tanh(x)² of rounded numbers has few digits, which are no rounded derivative's.
#[test]
fn what_a_difference_left_is_no_rounded_result() {
    let x = [
        0.2734375, 0.81640625, 1.3671875, 1.90625, 2.453125, 3.0, 3.5, 3.734375, 3.953125, 4.1875, 4.40625,
        4.625,
    ];
    let x: Vec<f64> = x.iter().chain(&x).enumerate().map(|(k, x)| if k < 12 { -x } else { *x }).collect();
    let square = |x: f64| rounded(x.tanh() * x.tanh(), 8);
    let gradient: Vec<f64> = x.iter().map(|&x| 1.0 - square(x)).collect();
    let entries = [
        held("x", &[24], &x, Precision::F32),
        held("dL/dy", &[24], &[1.0; 24], Precision::F32),
        held("dL/dx", &[24], &gradient, Precision::F32),
    ];
    let found = claims("x: [n=5] ~ randn; y = tanh(x); dL/dy: [n] ~ randn", &entries);
    assert_eq!(said(&found[0]), (Verdict::Wrong, Precision::F32, Because::NoEvidence));
}

/// A relu passes the numbers of its cotangent on, in whatever it ran.
#[test]
fn numbers_that_were_only_moved_tell_nothing() {
    let (x, g) = (drawn(8, 40), all_rounded(&drawn(9, 40), 8));
    let passed: Vec<f64> = x.iter().zip(&g).map(|(&x, &g)| if x > 0.0 { 2.0 * g } else { 0.0 }).collect();
    let entries = [
        held("x", &[40], &x, Precision::F32),
        held("dL/dy", &[40], &g, Precision::F32),
        held("dL/dx", &[40], &passed, Precision::F32),
    ];
    let found = claims("x: [n=5] ~ randn; y = 2 * relu(x); dL/dy: [n] ~ randn", &entries);
    assert_eq!(said(&found[0]), (Verdict::Holds, Precision::F32, Because::NoEvidence));
}

/// What is said goes before what is found; TF32 rounds the operands of products, and nothing else.
#[test]
fn a_precision_may_be_said() {
    let said_to_be = |precision| Terms { precision: Some(precision), ..Terms::default() };
    let path = root().join("crates/pullback/tests/golden/rounding/tf32.safetensors");
    let tf32 = Dump::open(path).expect("a golden dump").entries().to_vec();
    let verdict = |source: &str, entries: &[Entry], precision: Precision| {
        let report = judged(source, entries, &said_to_be(precision));
        assert!(
            report.claims.iter().all(|claim| said(claim).1 == precision && said(claim).2 == Because::Asked)
        );
        report.claims[0].judgement.verdict
    };
    assert_eq!(verdict(PRODUCT, &tf32, Precision::F32), Verdict::Wrong);
    assert_eq!(verdict(PRODUCT, &tf32, Precision::TF32), Verdict::Holds);
    let times = |factor: f64| -> Vec<Entry> {
        let scaled = |entry: &Entry| match entry.name.as_str() {
            "dL/dW" => {
                let numbers: Vec<f64> = entry.array.to_vec_f64().iter().map(|x| factor * x).collect();
                held("dL/dW", entry.array.shape(), &numbers, Precision::F32)
            }
            _ => entry.clone(),
        };
        tf32.iter().map(scaled).collect()
    };
    assert_eq!(verdict(PRODUCT, &times(1.05), Precision::TF32), Verdict::Wrong);

    // e^x, off by 1e-4 of each: no product is taken, so TF32 explains no more than f32 does.
    let x = drawn(11, 20);
    let off: Vec<f64> = x.iter().map(|x| x.exp() * 1.0001).collect();
    let entries = [held("x", &[20], &x, Precision::F32), held("dL/dx", &[20], &off, Precision::F32)];
    let source = "x: [n=5] ~ randn; L = sum(exp(x))";
    assert_eq!(verdict(source, &entries, Precision::TF32), Verdict::Wrong);
    assert_eq!(verdict(source, &entries, Precision::BF16), Verdict::Holds);
}

#[test]
fn the_command_says_what_is_assumed() {
    let file = "crates/pullback/tests/golden/dumps/linear.grad";
    let dump = "crates/pullback/tests/golden/dumps/linear.npz";
    let claims = |more: &[&str]| -> (i32, Value) {
        let ran = pullback(&[&["check", file, "--data", dump, "--json"], more].concat(), "");
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        (ran.code, json["files"][0]["claims"][0].clone())
    };
    let (code, claim) = claims(&[]);
    assert_eq!((code, claim["precision"].as_str()), (0, Some("bf16")));
    assert_eq!(claim["precision_because"], "all numbers are bf16 numbers");
    let (code, claim) = claims(&["--precision", "bf16"]);
    assert_eq!((code, claim["precision"].as_str()), (0, Some("bf16")));
    assert_eq!(claim["precision_because"], "said by the caller");
    // In f32 its forward pass is another one.
    let ran = pullback(&["check", file, "--data", dump, "--precision", "f32"], "");
    assert!(
        ran.code == 2 && ran.stdout.contains("is not what the file computes from the same inputs"),
        "{}",
        ran.stdout
    );
    let ran = pullback(&["check", file, "--precision", "f32"], "");
    assert!(ran.code == 2 && ran.stderr.contains("--data"), "{}", ran.stderr);
}

/// Four numbers of one size are on a grid, so that their own digits tell nothing; but they are what bf16 makes of the true ones, and
/// f32 would hold others.
#[test]
fn what_a_format_makes_of_the_true_numbers() {
    let x = [1.1, 1.2, 1.3, 1.4];
    let truth: Vec<f64> = x.iter().map(|x| 3.0 * x * x / 7.0).collect();
    let said_of = |gradient: &[f64]| {
        let entries = [held("x", &[4], &x, Precision::F32), held("dL/dx", &[4], gradient, Precision::F32)];
        said(&claims("x: [4] ~ randn; L = sum(x^3) / 7", &entries)[0])
    };
    assert_eq!(said_of(&all_rounded(&truth, 8)), (Verdict::Holds, Precision::BF16, Because::Rounded));
    assert_eq!(said_of(&all_rounded(&truth, 11)), (Verdict::Holds, Precision::F16, Because::Rounded));
    // What is off by more than such a format rounds is none of its numbers, and one name more makes no number more.
    let off: Vec<f64> = truth.iter().map(|x| 1.05 * x).collect();
    assert_eq!(said_of(&all_rounded(&off, 8)), (Verdict::Wrong, Precision::F32, Because::NoEvidence));
    let same = [truth[0]; 4].map(|x| rounded(x, 8));
    let entries = [held("x", &[4], &[1.1; 4], Precision::F32), held("dL/dx", &[4], &same, Precision::F32)];
    let alone = said(&claims("x: [4] ~ randn; L = sum(x^3) / 7", &entries)[0]);
    assert_eq!(alone, (Verdict::Wrong, Precision::F32, Because::NoEvidence));
    // One number is enough where it is the nearest that there is, and nothing that was given has more digits.
    let of_mean = |sixth: f64| {
        let gradient = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0].map(|sign| sign * sixth);
        let x = held("x", &[6], &[1.0, -2.0, 3.0, -4.0, 5.0, -6.0], Precision::F32);
        said(
            &claims("x: [6] ~ randn; L = mean(abs(x))", &[x, held("dL/dx", &[6], &gradient, Precision::F32)])
                [0],
        )
    };
    assert_eq!(of_mean(rounded(1.0 / 6.0, 8)), (Verdict::Holds, Precision::BF16, Because::Rounded));
    assert_eq!(of_mean(0.171875), (Verdict::Wrong, Precision::F32, Because::NoEvidence));
}
