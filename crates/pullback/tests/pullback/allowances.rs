//! What rounding excuses and what it does not: `golden/allowances/` holds gradients as PyTorch computes them in four formats, and
//! wrong ones beside them that lie close to those.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::{Note, Verdict};
use pullback::report::ClaimReport;
use pullback::session::{Data, Terms, check_as};

use crate::command::root;

const DUMPS: &str = "crates/pullback/tests/golden/allowances";

/// The claims of a dump. What is wrong is wrong whatever its cause is.
fn judged(source: &str, entries: Vec<Entry>) -> Vec<ClaimReport> {
    let dump = Dump::new(entries);
    let data = Data { name: "dump", dump: &dump };
    let terms = Terms { verdicts_only: true, ..Terms::default() };
    let report = check_as("layer.grad", source.as_bytes(), Path::new("."), Some(&data), &terms, &mut |_| ());
    assert!(report.errors.is_empty(), "{source}: {:?}", report.errors);
    report.claims
}

fn entry(name: &str, shape: &[usize], numbers: &[f64], precision: Precision) -> Entry {
    let array = Array::from_slice(shape, numbers).expect("as many numbers as the shape has");
    Entry { name: name.to_string(), array, precision, stored: precision }
}

/// All that PyTorch returned holds in every format, and whatever has a slip is wrong in every format.
#[test]
fn what_pytorch_computes_and_what_it_does_not() {
    let cancelled = ["offset", "single", "stated"];
    let others = [
        "bias",
        "labels",
        "masked",
        "dropout",
        "hidden",
        "layernorm",
        "contracted",
        "many",
        "bent",
        "film",
        "ignored",
        "wide",
        "weighed",
        "saturated",
        "causal",
        "classifier",
        "attended",
        "recurrent",
    ];
    for program in cancelled.into_iter().chain(others) {
        let read = |name: String| std::fs::read(root().join(DUMPS).join(name)).expect("a golden file");
        let source = String::from_utf8(read(format!("{program}.grad"))).expect("UTF-8");
        for format in ["f64", "f32", "f16", "bf16"] {
            let name = format!("{program}-{format}.safetensors");
            let dump = Dump::from_bytes(&name, read(name.clone())).expect("a golden dump");
            let (slips, right): (Vec<Entry>, Vec<Entry>) =
                dump.entries().iter().cloned().partition(|entry| entry.name.contains(':'));
            let claims = judged(&source, right.clone());
            assert!(!claims.is_empty(), "{name}");
            for claim in &claims {
                let verdict = claim.judgement.verdict;
                assert_eq!(verdict, Verdict::Holds, "{name}: {}: {:?}", claim.key, claim.judgement);
            }
            let is_claimed = |entry: &Entry| claims.iter().any(|claim| claim.key == entry.name);
            let given: Vec<Entry> = right.iter().filter(|entry| !is_claimed(entry)).cloned().collect();
            let hides = cancelled.contains(&program) && ["f16", "bf16"].contains(&format);
            assert!(slips.len() >= 2 || hides, "{name}");
            for slip in slips {
                let (key, _) = slip.name.split_once(':').expect("a slip says what it is");
                let entry = Entry { name: key.to_string(), ..slip.clone() };
                let claim = judged(&source, [given.clone(), vec![entry]].concat()).remove(0);
                let is_wrong = matches!(claim.judgement.verdict, Verdict::Wrong | Verdict::Ambiguous);
                assert!(is_wrong, "{name}: {}: {:?}", slip.name, claim.judgement);
            }
        }
    }
}

/// Numbers between 0 and 1 without a pattern: the fractions of multiples of the golden ratio.
fn fractions(count: usize) -> Vec<f32> {
    (1..=count).map(|k| (k as f64 * 0.618_033_988_749_894_9).fract() as f32).collect()
}

/// A sum in f32, one number after the other.
fn one_by_one(numbers: &[f32]) -> f64 {
    f64::from(numbers.iter().fold(0.0f32, |sum, number| sum + number))
}

/// The gradient of a bias over 100,000 rows, added up one row after the other in f32: whatever the rows are it holds, and
/// without the last 256 of them it is wrong. A thousandth of a mean is what NumPy loses of it, so that of means more are dropped.
#[test]
fn the_last_rows_of_a_long_sum() {
    const ROWS: usize = 100_000;
    let source = "x: [N=9] ~ randn; b: [] ~ rand; z = x + b; dL/dz: [N] ~ randn";
    let signs = |k: usize| if (k * k / 7).is_multiple_of(2) { 1.0 } else { -1.0 };
    let positive = fractions(ROWS);
    let centred: Vec<f32> = positive.iter().map(|x| x - 0.5).collect();
    let signed: Vec<f32> = positive.iter().enumerate().map(|(k, x)| signs(k) * x).collect();
    for (what, rows, dropped) in [
        ("of one sign", positive, 256),
        ("around zero", centred, 256),
        ("of both signs", signed, 256),
        ("all the same", vec![0.1; ROWS], 256),
        ("means", vec![1.0 / ROWS as f32; ROWS], 1024),
    ] {
        let verdict = |sum: f64| {
            let wide: Vec<f64> = rows.iter().map(|&x| f64::from(x)).collect();
            let entries = vec![
                entry("dL/dz", &[ROWS], &wide, Precision::F32),
                entry("x", &[ROWS], &vec![0.0; ROWS], Precision::F32),
                entry("b", &[], &[0.5], Precision::F32),
                entry("dL/db", &[], &[sum], Precision::F32),
            ];
            judged(source, entries).remove(0).judgement
        };
        let right = verdict(one_by_one(&rows));
        assert_eq!(right.verdict, Verdict::Holds, "{what}: {right:?}");
        // What is dropped of numbers around zero may add up to next to nothing: there one row is dropped that does not.
        let cut = match what {
            "around zero" => one_by_one(&rows[..ROWS - 255]) + 0.5,
            _ => one_by_one(&rows[..ROWS - dropped]),
        };
        let wrong = verdict(cut);
        assert_eq!(wrong.verdict, Verdict::Wrong, "{what}: {wrong:?}");
    }
}

/// Comparisons of what is given exactly are the same in every code: no choice of them is turned, whichever way they are written.
#[test]
fn exact_choices_are_not_turned() {
    let cotangent = [0.5, -1.25, 2.0, 0.75, -0.5, 1.5];
    let x = [0.5, -1.0, 0.25, 2.0, -0.75, 1.0];
    // The mask in the program, where it is 1, and one entry beside it.
    let cases: [(&str, [f64; 6], usize); 7] = [
        ("i >= 3", [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2),
        ("i > 2.5", [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], 3),
        ("i == 4", [0.0, 0.0, 0.0, 0.0, 1.0, 0.0], 4),
        ("2 * i - 3 >= 3", [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], 3),
        ("i^2 <= 4", [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], 2),
        ("m != 1", [0.0, 1.0, 0.0, 1.0, 1.0, 0.0], 0),
        ("x >= 0.2", [1.0, 0.0, 1.0, 1.0, 0.0, 1.0], 2),
    ];
    for (mask, kept, off) in cases {
        let source =
            format!("x: [T=6] ~ randn; m: [T] ~ rand; i = arange(T); y = x * ({mask}); dL/dy: [T] ~ randn");
        for precision in [Precision::F64, Precision::F32, Precision::BF16] {
            let verdict = |kept: &[f64]| {
                let claimed: Vec<f64> = cotangent.iter().zip(kept).map(|(g, kept)| g * kept).collect();
                let entries = vec![
                    entry("x", &[6], &x, precision),
                    entry("m", &[6], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], precision),
                    entry("dL/dy", &[6], &cotangent, precision),
                    entry("dL/dx", &[6], &claimed, precision),
                ];
                judged(&source, entries).remove(0).judgement
            };
            let right = verdict(&kept);
            assert_eq!(right.verdict, Verdict::Holds, "{mask} in {precision}: {right:?}");
            let mut other = kept;
            other[off] = 1.0 - other[off];
            let wrong = verdict(&other);
            assert_eq!(wrong.verdict, Verdict::Wrong, "{mask} in {precision}: {wrong:?}");
            assert!(!wrong.notes.iter().any(|note| matches!(note, Note::Flipped(_))), "{mask}: {wrong:?}");
        }
    }
}

/// A choice that rounding does turn: z is 3·2⁻²⁴ above zero, and in f32 it comes out at or below. The other side is told as what it
/// is, with no finite difference beside it that says otherwise; and it excuses no other entry.
#[test]
fn a_turned_choice_explains_its_own_entries() {
    let source = "x: [D=2] ~ randn; w: [D] ~ randn; b: [] ~ rand; c: [] ~ rand; y = relu(sum(x * w) + b) * c; dL/dy: [] ~ rand";
    // 0.1 · 0.3 − 0.03: each product is rounded in f32.
    let single = |x: f64| f64::from(x as f32);
    let (x, w) = ([single(0.1), 0.0], [single(0.3), 1.0]);
    let b = -single(0.03);
    let z = x[0] * w[0] + b;
    assert!(z != 0.0 && z.abs() < 1e-8, "{z:e}");
    let kept = if z > 0.0 { 0.0 } else { 1.0 };
    let judged = |gradient: [f64; 2]| {
        let entries = vec![
            entry("x", &[2], &x, Precision::F32),
            entry("w", &[2], &w, Precision::F32),
            entry("b", &[], &[b], Precision::F32),
            entry("c", &[], &[2.0], Precision::F32),
            entry("dL/dy", &[], &[1.0], Precision::F32),
            entry("dL/dx", &[2], &gradient, Precision::F32),
        ];
        judged(source, entries).remove(0).judgement
    };
    let right = judged([kept * 2.0 * w[0], kept * 2.0 * w[1]]);
    assert_eq!(right.verdict, Verdict::Holds, "{right:?}");
    assert!(right.notes.contains(&Note::Flipped(1)), "{right:?}");
    let worst = right.worst.expect("entries");
    assert!(worst.difference.is_none() && (worst.claimed - worst.expected).abs() < 1e-6, "{worst:?}");
    // One of the two entries that the choice moves, and not the other.
    let wrong = judged([kept * 2.0 * w[0], (1.0 - kept) * 2.0 * w[1]]);
    assert_eq!(wrong.verdict, Verdict::Wrong, "{wrong:?}");
}
