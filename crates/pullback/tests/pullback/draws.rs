//! What holds on the numbers that the file draws and on no others is wrong. Each claim here is known from the mathematics, and what
//! is said of it is the same whatever the seed.

use std::path::Path;

use pullback::array::Array;
use pullback::array::Precision;
use pullback::array::file::{Dump, Entry};
use pullback::check::{Note, Verdict};
use pullback::lang::print;
use pullback::report::ClaimReport;
use pullback::session::{Data, check_dump};

use crate::diagnosed::claims;

fn last(source: &str) -> ClaimReport {
    claims(source).pop().expect("a claim is there")
}

fn is_of_draws(note: &Note) -> bool {
    matches!(note, Note::OtherDraw { .. })
}

/// Programs with a claim that forgets what depends on signs or orders, and the right claim.
const FORGOTTEN: [(&str, &str, &str, &str); 7] = [
    ("x: [3] ~ randn\nW: [3, 3] ~ randn\nz = W @ x\nL = sum(relu(z)^2)", "dL/dz", "2 * z", "2 * relu(z)"),
    ("z: [2] ~ randn\nL = sum(relu(z))", "dL/dz", "ones(2)", "step(z)"),
    ("z ~ randn\nL = abs(z)", "dL/dz", "z / z", "sign(z)"),
    (
        "W: [n=2, n] ~ randn\nx: [n] ~ randn\nL = sum(relu(W) @ x)",
        "dL/dW",
        "step(W.T) * outer(ones(n), x)",
        "step(W) * outer(ones(n), x)",
    ),
    ("x: [3] ~ randn\ny: [3] ~ randn\nL = max(x)", "dL/dx", "tie_share(y, axis=0)", "tie_share(x, axis=0)"),
    // What it is the name of is a number.
    (
        "z ~ randn\ny = leaky_relu(z, 0.2)\nL = 3 * y\ndL/dy = 3",
        "dL/dz",
        "dL/dy",
        "dL/dy * where(z > 0, 1, 0.2)",
    ),
    ("x: [2] ~ randn\nL = sum(abs(x))", "dL/dx", "sign(sum(x)) * ones(2)", "sign(x)"),
];

#[test]
fn whatever_the_seed() {
    let mut by_accident = 0;
    for (program, key, wrong, right) in FORGOTTEN {
        let program = program.replace("z ~ randn", "z: [] ~ randn");
        for seed in 0..24 {
            let at = |seed: u64, claim: &str| last(&format!("seed {seed}\n{program}\n{key} = {claim}"));
            // Where no gradient comes through a relu nothing can be told of it.
            let found = at(seed, right).judgement;
            let is_right = |verdict: Verdict| matches!(verdict, Verdict::Holds | Verdict::Vacuous);
            assert!(is_right(found.verdict), "{right} at {seed}: {found:?}");
            assert!(!found.notes.iter().any(is_of_draws), "{right} at {seed}: {:?}", found.notes);
            let is_dead = found.verdict == Verdict::Vacuous;
            let found = at(seed, wrong);
            if is_dead && found.judgement.verdict == Verdict::Vacuous {
                continue;
            }
            assert_eq!(found.judgement.verdict, Verdict::Wrong, "{wrong} at {seed}");
            let note = found.judgement.notes.iter().find_map(|note| match note {
                Note::OtherDraw { seeds, by, .. } => Some((seeds.clone(), *by)),
                _ => None,
            });
            let Some((seeds, by)) = note else { continue };
            by_accident += 1;
            // It is told where it is wrong, and it is wrong there.
            assert_eq!(seeds, [seed]);
            let there = at(seed + by, wrong).judgement;
            assert!(
                there.verdict == Verdict::Wrong && !there.notes.iter().any(is_of_draws),
                "{wrong} at {seed} + {by}"
            );
            assert_eq!(there.worst, found.judgement.worst);
            // What is told to be right is so elsewhere.
            for fix in found.diagnoses.iter().filter_map(|found| found.fix.as_ref()) {
                for other in 100..104 {
                    let verdict = at(other, &print(&fix.expr)).judgement.verdict;
                    assert!(is_right(verdict), "{wrong} at {seed}: {} at {other}", print(&fix.expr));
                }
            }
        }
    }
    // Of the 144 some tens agree at their own seed.
    assert!(by_accident > 20, "{by_accident}");
}

/// What follows a claim that is wrong on other draws alone is so too, and not by itself.
#[test]
fn what_refers_to_it_inherits() {
    let source = "seed 7\nx: [3] ~ randn\nW: [3, 3] ~ randn\nz = W @ x\nL = sum(relu(z)^2)\n\
        dL/dz = 2 * z\ndL/dW = outer(dL/dz, x)\ndL/dx = W.T @ dL/dz + relu(x) * 0";
    let found = claims(source);
    let verdicts: Vec<Verdict> = found.iter().map(|claim| claim.judgement.verdict).collect();
    assert_eq!(verdicts, [Verdict::Wrong, Verdict::Inherited, Verdict::Inherited]);
    assert_eq!(found[1].inherits, ["dL/dz"]);
    // One that is wrong by itself beside it is not inherited.
    let source = source.replace("+ relu(x) * 0", "* 2");
    assert_eq!(last(&source).judgement.verdict, Verdict::Wrong);
}

/// Numbers that are written down as claims are those of the file's seed; what is written down as data is not drawn.
#[test]
fn numbers_are_no_formulas() {
    let program = "seed 3\nx: [3] ~ randn\nL = sum(x^2)";
    let numbers = |source: &str| {
        let found = last(&format!("{source}\ndL/dx = 2 * x"));
        found.judgement.expected.expect("it is known").to_vec_f64()
    };
    let written = format!("{:?}", numbers(program));
    for claim in
        [format!("dL/dx = {written}"), format!("dL/dx = -(-{written})"), format!("g = {written}\ndL/dx = g")]
    {
        let found = last(&format!("{program}\n{claim}")).judgement;
        assert_eq!((found.verdict, found.notes.as_slice()), (Verdict::Holds, [].as_slice()), "{claim}");
    }
    // A reference to numbers is right where they are.
    let chain = format!("seed 3\nx: [3] ~ randn\ny = x\nL = sum(y^2)\ndL/dy = {written}\ndL/dx = dL/dy");
    assert!(claims(&chain).iter().all(|claim| claim.judgement.verdict == Verdict::Holds));
    let scalar = "seed 3\nz: [] ~ randn\nL = 3 * z\ndL/dz = 3";
    assert_eq!(last(scalar).judgement.verdict, Verdict::Holds);
    let stated = "z = [1, 2, 3]\nx: [3] ~ randn\nL = sum(relu(z)^2) + sum(x)\ndL/dz = 2 * z";
    assert_eq!(last(stated).judgement.verdict, Verdict::Holds);
}

/// What a dump gives in the place of what the file draws is not drawn anew.
#[test]
fn a_dump_is_no_draw() {
    let entry = |name: &str, numbers: &[f64]| Entry {
        name: name.to_string(),
        array: Array::from_slice(&[numbers.len()], numbers).expect("as many"),
        precision: Precision::F64,
        stored: Precision::F64,
    };
    let source = b"x: [n=3] ~ randn\nw: [n] ~ randn\nL = sum(w * relu(x))\ndL/dx = w\ndL/dw = relu(x)";
    let dump = Dump::new(vec![entry("x", &[1.0, 2.0, 3.0]), entry("dL/dw", &[1.0, 2.0, 3.0])]);
    let data = Data { name: "dump", dump: &dump };
    let report = check_dump("layer.grad", source, Path::new("."), &data);
    let verdicts: Vec<Verdict> = report.claims.iter().map(|claim| claim.judgement.verdict).collect();
    assert_eq!(verdicts, [Verdict::Holds, Verdict::Holds], "{:?}", report.errors);
}
