//! Gradients that are zero by construction: a claim that says how they come from others is told right or wrong all the same.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::{Note, Verdict};
use pullback::report::ClaimReport;
use pullback::session::{Data, check_dump};

use crate::diagnosed::claims;

const MAKEMORE: &str = include_str!("makemore_26.grad");

fn of(found: &[ClaimReport], key: &str) -> ClaimReport {
    found.iter().find(|claim| claim.key == key).expect("it is claimed").clone()
}

/// The 26 gradients of makemore, part 4, as they were published: two of them are zero by construction.
#[test]
fn makemore() {
    let found = claims(MAKEMORE);
    assert_eq!(found.len(), 26);
    for claim in &found {
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{}", claim.key);
    }
    for key in ["dloss/dlogit_maxes", "dloss/db1"] {
        let notes = of(&found, key).judgement.notes;
        assert!(notes.iter().any(|note| matches!(note, Note::AsMap { .. })), "{key}: {notes:?}");
    }
    let wrong = |from: &str, to: &str, key: &str| {
        let source = MAKEMORE.replace(from, to);
        assert_ne!(source, MAKEMORE);
        let found = of(&claims(&source), key);
        assert_eq!(found.judgement.verdict, Verdict::Wrong, "{to}");
        // What is left of zero by rounding explains nothing.
        let [unknown] = found.diagnoses.as_slice() else { panic!("{to}: {:?}", found.diagnoses) };
        assert!(unknown.cause == "unknown" && unknown.fix.is_none(), "{to}: {unknown:?}");
    };
    // Zero here, all of them, and wrong.
    wrong("db1 = sum(dloss/dhprebn, axis=0)", "db1 = 2 * sum(dloss/dhprebn, axis=0)", "dloss/db1");
    wrong("db1 = sum(dloss/dhprebn, axis=0)", "db1 = mean(dloss/dhprebn, axis=0)", "dloss/db1");
    wrong("dlogit_maxes = -sum(", "dlogit_maxes = sum(", "dloss/dlogit_maxes");
    // A mistake before them is not theirs.
    let source = MAKEMORE.replace("dloss/dhprebn = dloss/dbndiff + ", "dloss/dhprebn = dloss/dbndiff - ");
    let follows = of(&claims(&source), "dloss/db1");
    assert_eq!(follows.judgement.verdict, Verdict::Inherited);
    assert_eq!(follows.inherits, ["dloss/dhprebn"]);
}

/// The mean of what is centred: each claim is zero, whatever `g` is.
const CENTRED: &str = "\
x: [N=4, D=3] ~ randn
b: [D] ~ randn
a: [N, 1] ~ randn
h = x + b + a
c = h - mean(h, axis=0, keepdims=true)
y = tanh(c)
dL/dy: [N, D] ~ randn
dL/dc = dL/dy * (1 - y^2)
dL/dh = dL/dc - mean(dL/dc, axis=0, keepdims=true)
";

#[test]
fn maps_of_one_and_of_several() {
    let verdict =
        |claim: &str| claims(&format!("{CENTRED}{claim}")).pop().expect("a claim").judgement.verdict;
    assert_eq!(verdict("dL/db = sum(dL/dh, axis=0)"), Verdict::Holds);
    assert_eq!(verdict("g = dL/dh\ndL/db = sum(g, axis=0)"), Verdict::Holds);
    assert_eq!(
        verdict("dL/db = sum(dL/dc, axis=0) - sum(mean(dL/dc, axis=0) * ones(N, D), axis=0)"),
        Verdict::Holds
    );
    assert_eq!(verdict("dL/db = sum(dL/dh, axis=0) / N"), Verdict::Wrong);
    assert_eq!(verdict("dL/db = -sum(dL/dh, axis=0)"), Verdict::Wrong);
    // Another claim has nothing to do with it, and what it makes of it is zero here too.
    assert_eq!(verdict("dL/db = sum(dL/dh, axis=0) + sum(dL/dh, axis=0) * sum(a)"), Verdict::Wrong);
    // What refers to nothing cannot be tried; what is written as zeros says so.
    assert_eq!(verdict("dL/db = b - b"), Verdict::Vacuous);
    assert_eq!(verdict("dL/db = zeros(D)"), Verdict::Holds);
    // By two ways at once: the mean held, and through it.
    let both = "m = mean(h, axis=0, keepdims=true)\nc = h - m\n";
    let source = CENTRED.replace("c = h - mean(h, axis=0, keepdims=true)\n", both);
    let source = source.replace("dL/dh = dL/dc - mean(dL/dc, axis=0, keepdims=true)\n", "");
    let last = |claim: &str| {
        let source = format!("{source}dL/dm = -sum(dL/dc, axis=0, keepdims=true)\n{claim}");
        claims(&source).pop().expect("a claim").judgement.verdict
    };
    assert_eq!(last("dL/db = sum(dL/dc + dL/dm / N, axis=0)"), Verdict::Holds);
    assert_eq!(last("dL/db = sum(dL/dc, axis=0) + dL/dm[0]"), Verdict::Holds);
    assert_eq!(last("dL/db = 3 * (sum(dL/dc, axis=0) + dL/dm[0])"), Verdict::Wrong);
}

/// Numbers of other code that are zero but for rounding.
#[test]
fn in_a_dump() {
    let numbers = |seed: f64, count: usize| -> Vec<f64> {
        (0..count).map(|k| ((k as f64 + seed) * 1.7).sin()).map(|x| f64::from(x as f32)).collect()
    };
    let entry = |name: &str, shape: &[usize], numbers: &[f64]| Entry {
        name: name.to_string(),
        array: Array::from_slice(shape, numbers).expect("as many"),
        precision: Precision::F32,
        stored: Precision::F32,
    };
    let source =
        b"x: [N=4, D=3] ~ randn\nb: [D] ~ randn\nh = x + b\nc = h - mean(h, axis=0, keepdims=true)\n\
        y = tanh(c)\ndL/dy: [N, D] ~ randn";
    let verdict = |gradient: &[f64]| {
        let entries = vec![
            entry("x", &[4, 3], &numbers(0.3, 12)),
            entry("b", &[3], &numbers(0.9, 3)),
            entry("dL/dy", &[4, 3], &numbers(2.1, 12)),
            entry("dL/db", &[3], gradient),
        ];
        let dump = Dump::new(entries);
        let data = Data { name: "dump", dump: &dump };
        let report = check_dump("layer.grad", source, Path::new("."), &data);
        let judgement = report.claims[0].judgement.clone();
        let says_zero = |note: &Note| matches!(note, Note::Zero | Note::NoPath);
        (judgement.verdict, judgement.notes.iter().any(says_zero))
    };
    // What sums in f32 leave of twelve numbers of size 1.
    assert_eq!(verdict(&[3e-8, -6e-8, 1.5e-8]), (Verdict::Holds, true));
    assert_eq!(verdict(&[0.0; 3]), (Verdict::Holds, true));
    assert_eq!(verdict(&[3e-8, -6e-3, 1.5e-8]), (Verdict::Wrong, true));
}
