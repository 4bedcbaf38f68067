//! `--data`: numbers of other code in place of a file's. `golden/dumps/` holds what PyTorch computed, right and with slips.

use std::path::Path;

use expect_test::expect;
use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::Verdict;
use pullback::report::FileReport;
use pullback::session::{Data, check_dump};
use serde_json::Value;

use crate::command::{Ran, pullback, root};

const DUMPS: &str = "crates/pullback/tests/golden/dumps";

/// Judges entries of a dump on a file.
fn judged(source: &str, entries: Vec<Entry>) -> FileReport {
    let dump = Dump::new(entries);
    check_dump("layer.grad", source.as_bytes(), Path::new("."), &Data { name: "dump", dump: &dump })
}

/// Numbers in f64.
fn entry(name: &str, shape: &[usize], numbers: &[f64]) -> Entry {
    in_precision(name, shape, numbers, Precision::F64)
}

fn in_precision(name: &str, shape: &[usize], numbers: &[f64], precision: Precision) -> Entry {
    let array = Array::from_slice(shape, numbers).expect("as many numbers as the shape has");
    Entry { name: name.to_string(), array, precision, stored: precision }
}

/// Every layer in every format: all that autograd returned holds, and whatever has a slip is wrong.
#[test]
fn what_pytorch_computes() {
    for layer in ["linear", "tanh", "gelu", "xent", "layernorm", "rmsnorm", "attention"] {
        let read = |name: String| std::fs::read(root().join(DUMPS).join(name)).expect("a golden file");
        let source = String::from_utf8(read(format!("{layer}.grad"))).expect("UTF-8");
        for format in ["f64", "f32", "f16", "bf16"] {
            let name = format!("{layer}-{format}.safetensors");
            let dump = Dump::from_bytes(&name, read(name.clone())).expect("a golden dump");
            let (slips, right): (Vec<Entry>, Vec<Entry>) =
                dump.entries().iter().cloned().partition(|entry| entry.name.contains(':'));
            let report = judged(&source, right.clone());
            assert!(report.errors.is_empty(), "{name}: {:?}", report.errors);
            assert!(report.warnings.is_empty(), "{name}: {:?}", report.warnings);
            let mut dumped = 0;
            for claim in &report.claims {
                let judgement = &claim.judgement;
                assert_eq!(judgement.verdict, Verdict::Holds, "{name}: {}: {judgement:?}", claim.key);
                if let Some(elsewhere) = &claim.elsewhere {
                    dumped += 1;
                    assert_eq!(elsewhere.precision.to_string(), format, "{name}: {}", claim.key);
                }
            }
            assert!(dumped >= 2, "{name}: {dumped} claims");
            // Inputs and given cotangents, and one wrong gradient.
            let is_given = |entry: &&Entry| {
                let claims = report.claims.iter().filter_map(|claim| claim.elsewhere.as_ref());
                !claims.into_iter().any(|elsewhere| elsewhere.entry == entry.name)
            };
            let given: Vec<Entry> = right.iter().filter(is_given).cloned().collect();
            assert!(slips.len() >= 2, "{name}: {} slips", slips.len());
            for slip in slips {
                let (key, what) = slip.name.split_once(':').expect("a slip says what it is");
                let wrong = Entry { name: key.to_string(), ..slip.clone() };
                let report = judged(&source, [given.clone(), vec![wrong]].concat());
                let claim = report.claims.iter().find(|claim| claim.key == key);
                let claim = claim.unwrap_or_else(|| panic!("{name}: {:?}", report.errors));
                // Several causes may fit in few digits.
                let wrong = match claim.judgement.verdict {
                    Verdict::Ambiguous => claim.diagnoses.len() > 1,
                    verdict => verdict == Verdict::Wrong,
                };
                assert!(wrong, "{name}: {key}:{what}: {:?}", claim.judgement);
            }
        }
    }
}

const SQUARE: &str = "X: [N=2, D=3] ~ randn; s = 2.0; Z = s * X^2; L = sum(Z)\ndL/dX = 2 * s * X";

fn squared() -> Vec<Entry> {
    vec![entry("X", &[1, 2], &[1.0, 3.0]), entry("s", &[], &[0.5]), entry("dL/dX", &[1, 2], &[1.0, 3.0])]
}

#[test]
fn a_derivative_has_several_names() {
    for name in ["dL/dX", "∂L/∂X", "dL_dX", "X.grad"] {
        let mut entries = squared();
        entries[2].name = name.to_string();
        let report = judged(SQUARE, entries);
        let verdicts: Vec<_> =
            report.claims.iter().map(|claim| (&*claim.key, claim.judgement.verdict)).collect();
        assert_eq!(verdicts, [("dL/dX", Verdict::Holds)], "{name}: {:?}", report.errors);
        assert!(report.claims[0].elsewhere.is_some() && report.warnings.is_empty(), "{name}");
    }
    // A Jacobian, as a tensor and as a matrix; and a value of the file of that name goes first.
    let jacobian = [1.0, 0.0, 0.0, 3.0];
    for shape in [&[1, 2, 1, 2][..], &[2, 2]] {
        let report = judged(
            SQUARE,
            vec![squared()[0].clone(), squared()[1].clone(), entry("dZ/dX", shape, &jacobian)],
        );
        // The file's own claim is judged too, on the numbers of the dump.
        let verdicts: Vec<_> =
            report.claims.iter().map(|claim| (&*claim.key, claim.judgement.verdict)).collect();
        assert_eq!(verdicts, [("dL/dX", Verdict::Holds), ("dZ/dX", Verdict::Holds)]);
    }
    let source = format!("{SQUARE}; dL_dX = 3 * X");
    let mut entries = squared();
    entries[2].name = "dL_dX".to_string();
    let report = judged(&source, entries);
    assert!(report.errors[0].message.starts_with("`dL_dX` of dump is not what the file computes"));
}

#[test]
fn sizes_with_names_are_those_of_the_dump() {
    let source =
        "W: [D=3, M=2] ~ randn; b: [M] ~ randn; X: [N=5, D] ~ randn; dL/dZ: [N, M] ~ randn; Z = X @ W + b";
    let ones = |name: &str, shape: &[usize]| entry(name, shape, &vec![1.0; shape.iter().product()]);
    // ∂L/∂W = Xᵀ ∂L/∂Z: each entry is a sum of N ones. The bias is drawn at the size of the dump.
    let right = entry("dL/dW", &[4, 1], &[7.0; 4]);
    let report =
        judged(source, vec![ones("X", &[7, 4]), ones("W", &[4, 1]), ones("dL/dZ", &[7, 1]), right.clone()]);
    assert_eq!(report.claims[0].judgement.verdict, Verdict::Holds, "{:?}", report.errors);
    assert_eq!(report.warnings[0].message, "dump says nothing of `b`: the file's own numbers stand");
    let report = judged(source, vec![ones("X", &[7, 4]), ones("W", &[3, 1]), right]);
    assert_eq!(report.errors[0].message, "`D` is 3 in `W` [3, 1] and 4 in `X` [7, 4] of dump");
    assert_eq!(report.exit_code(), 2);
}

#[test]
fn dumps_that_do_not_fit() {
    let x = || squared()[0].clone();
    let matrix = "X: [2, D=3] ~ randn; k: [D] ~ randint(0, 9); L = sum(X^2)";
    let bits = Entry { array: Array::from_slice(&[1, 2], &[16256i64, 16448]).expect("two"), ..x() };
    let bits =
        Entry { name: "dL/dX".to_string(), precision: Precision::Whole, stored: Precision::Whole, ..bits };
    let cases: [(&str, Vec<Entry>, &str, &str); 12] = [
        (
            SQUARE,
            vec![entry("dLdX", &[], &[1.0])],
            "the file has nothing for `dLdX` of dump",
            "did you mean `dL/dX`?",
        ),
        (SQUARE, vec![entry("dL/dx", &[], &[1.0])], "the file has nothing for `dL/dx` of dump", "`dL/dX`"),
        (
            SQUARE,
            vec![entry("arr_0", &[], &[1.0])],
            "the file has nothing for `arr_0` of dump",
            "`X`, `s`, `Z`",
        ),
        (
            "X: [N=2] ~ randn; Z = X^2",
            vec![entry("dE/dZ", &[2], &[1.0, 1.0])],
            "the file has nothing for `dE/dZ` of dump",
            "declare `dE/dZ: [N, M] ~ randn`",
        ),
        (
            SQUARE,
            vec![entry("X", &[2], &[1.0, 2.0])],
            "`X` of dump has the shape [2], and 2 axes are declared",
            "",
        ),
        (
            matrix,
            vec![x()],
            "`X` of dump has the shape [1, 2], and this axis has 2",
            "an axis with a name, `[N=5]`, takes the size that is given",
        ),
        (matrix, vec![entry("k", &[1], &[0.5])], "`k` holds integers, and `k` of dump fractions", ""),
        (
            SQUARE,
            vec![entry("s", &[2], &[1.0, 2.0])],
            "`s` of dump has the shape [2], and the file's []",
            "declare the shape with names",
        ),
        (
            SQUARE,
            vec![x(), entry("dL/dX", &[1, 2], &[1.0, 2.0]), entry("X.grad", &[1, 2], &[1.0, 2.0])],
            "`X.grad` of dump stands in it under another name too",
            "once",
        ),
        (SQUARE, vec![x(), x()], "`X` and `X` of dump are the same", "once"),
        (
            SQUARE,
            vec![x(), bits],
            "`dL/dX` of dump holds integers that look like the bits of bf16 numbers, and is a gradient",
            "its bits are no numbers",
        ),
        (
            SQUARE,
            vec![x(), entry("Z", &[3], &[1.0; 3])],
            "`Z` of dump has the shape [3], and the file computes",
            "",
        ),
    ];
    for (source, entries, message, hint) in cases {
        let report = judged(source, entries);
        let error = report.errors.first().unwrap_or_else(|| panic!("{message}: {:?}", report.claims));
        assert!(error.message.starts_with(message), "{} is not {message}", error.message);
        assert!(error.hint.as_deref().unwrap_or("").contains(hint), "{message}: {:?}", error.hint);
        assert!(report.claims.is_empty() && report.exit_code() == 2);
    }
}

/// The file's precision is not the dump's: an f64 dump is judged on its own inputs, whatever the file states.
#[test]
fn an_f32_file_does_not_round_a_dump() {
    let x = [0.1, 0.2 + 1e-12];
    let entries = || vec![entry("x", &[2], &x), entry("dL/dx", &[2], &[2.0 * x[0], 2.0 * x[1]])];
    let source = "dtype f32; x: [n=3] ~ randn; L = sum(x^2); d2L/dx2 = 2 * eye(n)";
    let report = judged(source, entries());
    let verdicts: Vec<Verdict> = report.claims.iter().map(|claim| claim.judgement.verdict).collect();
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Holds], "{:?}", report.errors);
    assert!(report.claims[1].judgement.tolerance.is_some_and(|tolerance| tolerance < 1e-12));
    let mut off = entries();
    off[1] = entry("dL/dx", &[2], &[2.0 * x[0], 2.0 * x[1] + 1e-11]);
    assert_eq!(judged(source, off).claims[1].judgement.verdict, Verdict::Wrong);
}

/// Zeros of a gradient that is zero say so; what merely rounds to them could not have failed.
#[test]
fn a_gradient_of_zero() {
    let source = "z: [n=3] ~ randn; a = softmax(z); L = sum(a)";
    let z = || entry("z", &[3], &[0.5, -1.0, 2.0]);
    let verdict = |numbers: &[f64]| {
        judged(source, vec![z(), entry("dL/dz", &[3], numbers)]).claims[0].judgement.verdict
    };
    assert_eq!(verdict(&[0.0; 3]), Verdict::Holds);
    // Zero but for rounding: other code cannot write it otherwise.
    assert_eq!(verdict(&[1e-17, 0.0, -1e-17]), Verdict::Holds);
    assert_eq!(verdict(&[0.1, 0.0, 0.0]), Verdict::Wrong);
}

/// The text with `ε` for the errors and tolerances in it, which in bf16 are no noise.
fn without_measures(text: &str) -> String {
    let mut before = "";
    let word = |word| {
        let is_measure = matches!(std::mem::replace(&mut before, word), "error " | "tolerance ");
        let number = word.trim_end_matches([' ', ',']);
        if is_measure && number.parse::<f64>().is_ok() {
            word.replace(number, "ε")
        } else {
            word.to_string()
        }
    };
    text.split_inclusive(' ').map(word).collect()
}

#[test]
fn the_command_on_a_right_dump() {
    let (file, dump) = (format!("{DUMPS}/linear.grad"), format!("{DUMPS}/linear.npz"));
    let Ran { code, stdout, stderr } = pullback(&["check", &file, "--data", &dump], "");
    let said = format!("exit code {code}\n{}{stderr}", without_measures(&stdout));
    expect![[r#"
        exit code 0
        crates/pullback/tests/golden/dumps/linear.grad
          ✓ dL/dW  holds  error ε, tolerance ε  (autograd, Jacobian, finite differences)  (numbers of linear.npz, bf16 held as f32)
          ✓ dL/dX  holds  error ε, tolerance ε  (autograd, Jacobian, finite differences)  (numbers of linear.npz, bf16 held as f32)
          note: dL/dW and dL/dX are taken to be computed in bf16 (all numbers are bf16 numbers); the option `precision` says otherwise
          note: linear.npz has no dL/db; with `--complete` what is missing is wrong
          2 claims hold
    "#]]
    .assert_eq(&said);
}

#[test]
fn the_command_on_a_wrong_dump() {
    let (file, dump) = (format!("{DUMPS}/linear.grad"), format!("{DUMPS}/linear-wrong.npz"));
    let Ran { code, stdout, .. } = pullback(&["check", &file, "--data", &dump, "--json"], "");
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let file = &json["files"][0];
    assert_eq!((code, file["data"].as_str()), (1, Some(&*dump)));
    let claims: Vec<_> = file["claims"].as_array().expect("claims").iter().collect();
    let told: Vec<[&str; 4]> = claims
        .iter()
        .map(|claim| ["claim", "verdict", "source", "precision"].map(|key| claim[key].as_str().unwrap_or("")))
        .collect();
    assert_eq!(told, [["dL/dW", "holds", "dump", "bf16"], ["dL/dX", "wrong", "dump", "bf16"]]);
    // No claim of the file is about X: its place is where X is bound.
    assert_eq!((&claims[0]["span"]["line"], &claims[1]["span"]["line"]), (&Value::from(7), &Value::from(2)));
}

#[test]
fn dumps_that_are_none_end_the_command() {
    let file = format!("{DUMPS}/linear.grad");
    let cases: [(&[&str], &str); 4] = [
        (&["check", &file, "--data", "no/such.npz"], "error: no/such.npz: "),
        (&["check", &file, "--data", &file], "linear.grad: this is no dump"),
        (
            &["check", &file, &file, "--data", "no/such.npz"],
            "a dump belongs to one file, and several are given",
        ),
        (&["check", &file, "--data", DUMPS], "dumps: not a file"),
    ];
    for (arguments, says) in cases {
        let ran = pullback(arguments, "");
        assert!(
            ran.code == 2 && (ran.stdout.clone() + &ran.stderr).contains(says),
            "{says}: {}{}",
            ran.stdout,
            ran.stderr
        );
        let json = pullback(&[arguments, &["--json"]].concat(), "");
        let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
        assert!(json.to_string().contains("error"), "{json}");
    }
    // A dump of which the limit on memory leaves no room for.
    let dump = format!("{DUMPS}/linear.npz");
    let ran = pullback(&["check", &file, "--data", &dump, "--memory", "1kB"], "");
    assert!(ran.code == 2 && ran.stdout.contains("out of memory"), "{}{}", ran.stdout, ran.stderr);
}
