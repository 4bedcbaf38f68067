//! The committed examples: they elaborate in both precisions, and their claims are what differentiation gives.

use std::path::{Path, PathBuf};

use pullback_array::DType;
use pullback_autograd::{Layout as Vec2, jacobian};
use pullback_lang::program::{Claim, Claimed, Program, elaborate, elaborate_at};
use pullback_lang::{Layout, parse};
use pullback_ops::Val;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "grad"));
    // Those are the mistakes of the seeds: its claims are to be wrong.
    paths.retain(|path| !path.ends_with("mistakes.grad"));
    paths.sort();
    assert!(paths.len() >= 6, "{paths:?}");
    paths
}

/// The largest difference of a claim from the derivative, which the program of the claim gives by its own rules; and the
/// size of its largest entry.
fn difference(claim: &Claim) -> (f64, f64) {
    let fixed: Vec<_> = claim.fixed.iter().collect();
    let derivative = jacobian(&claim.of, &claim.wrt[0], &fixed).expect("the rules are there");
    let (val, layout) = match &claim.claimed {
        Claimed::Shape(shape) => {
            let dense = derivative.to_dense().expect("a small tensor");
            return (if dense.shape() == *shape { 0.0 } else { f64::INFINITY }, 0.0);
        }
        Claimed::Value { val, layout, .. } => (val, *layout),
    };
    let tensor = match layout {
        Layout::Default if val.ndim() == claim.of.ndim() + claim.wrt[0].ndim() => derivative.to_dense(),
        Layout::Default | Layout::Row => derivative.to_matrix(Vec2::Row),
        Layout::Col => derivative.to_matrix(Vec2::Column),
    };
    let tensor = tensor.expect("a small tensor");
    assert_eq!(tensor.shape(), val.shape(), "{}", claim.key);
    let largest = |val: &Val| val.array().expect("it has numbers").max_abs();
    (largest(&(&tensor - val).expect("floats of one shape")), largest(val))
}

#[test]
fn every_claim_of_every_example_is_its_derivative() {
    for path in examples() {
        let source = std::fs::read_to_string(&path).expect("it is text");
        let parsed = parse(&source);
        assert_eq!(parsed.errors, [], "{path:?}");
        let base = path.parent().expect("it lies in a folder");
        let (own, inputs) =
            elaborate(&parsed.file, base).unwrap_or_else(|errors| panic!("{path:?}: {errors:?}"));
        let twin = |dtype| elaborate_at(&parsed.file, &inputs, dtype, base).expect("as in its own dtype");
        let programs: [Program; 3] = [own, twin(DType::F32), twin(DType::F64)];
        for program in &programs {
            assert!(!program.claims.is_empty(), "{path:?}");
            for claim in &program.claims {
                // Values are of the order of 10 or of the claim, and sums have few terms.
                let (difference, largest) = difference(claim);
                let tolerance = 100.0 * program.dtype.epsilon() * largest.max(10.0);
                assert!(difference <= tolerance, "{path:?}: {} is off by {difference}", claim.key);
            }
        }
    }
}
