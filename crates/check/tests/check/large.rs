//! Jacobians that are not gone through row by row: the Jacobian of W x is W.

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_check::{Claim, Follows, Judgement, Note, Subject, Verdict, judge};
use pullback_ops::{Result, Val};

const SIZE: usize = 1000;
const SMALLER: usize = 300;

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("an array"))
}

#[track_caller]
fn judged(y: &Val, x: &Val, claim: &Val) -> Judgement {
    let judgement = judge(&Subject::new(y, x), &Claim::of(claim).expect("a claim")).expect("a judgement");
    assert!(judgement.notes.contains(&Note::Probes(20)), "{:?}", judgement.notes);
    judgement
}

/// A copy with one entry off.
fn with(claim: &Val, position: usize, by: f64) -> Result<Val> {
    let mut entries = claim.array()?.to_vec_f64();
    entries[position] += by;
    Ok(Val::new(Array::from_vec(&claim.shape(), entries)?))
}

/// One wrong entry among 10⁶ is found and named, wherever it is and however little it is off.
#[test]
fn one_wrong_entry_among_a_million() -> Result<()> {
    let (w, x) = (randn(1, &[SIZE, SIZE]), randn(2, &[SIZE]));
    let y = w.matmul(&x)?;
    let right = judged(&y, &x, &w);
    assert_eq!(right.verdict, Verdict::Holds, "{right:?}");
    assert!(right.routes.autograd.is_some() && right.routes.jacobian.is_some());
    assert!(right.routes.finite_difference.is_some());
    for (position, by) in [(SIZE * 617 + 42, 1e-6), (SIZE * SIZE - 1, 1.0)] {
        let wrong = judged(&y, &x, &with(&w, position, by)?);
        assert_eq!(wrong.verdict, Verdict::Wrong);
        let off = |route: Option<f64>| route.is_some_and(|off| (off - by).abs() < 1e-9);
        assert!(off(wrong.routes.autograd) && off(wrong.routes.jacobian), "{:?}", wrong.routes);
        let worst = wrong.worst.expect("an entry");
        assert_eq!(worst.at, [position / SIZE, position % SIZE]);
        assert_eq!(worst.expected, w.array()?.to_vec_f64()[position]);
        assert!((worst.claimed - worst.expected - by).abs() < 1e-12 * by.max(1.0));
    }
    Ok(())
}

/// Numbers of other code, in single precision: the same, with the digits that they have.
#[test]
fn numbers_in_single_precision() -> Result<()> {
    let (w, x) = (randn(1, &[SMALLER, SMALLER]), randn(2, &[SMALLER]));
    let y = w.matmul(&x)?;
    for (by, verdict) in [(0.0, Verdict::Holds), (0.1, Verdict::Wrong)] {
        let numbers = with(&w, SMALLER * 100 + 3, by)?.array()?.cast(DType::F32)?;
        let judgement = judge(&Subject::new(&y, &x), &Claim::numbers(&numbers, Precision::F32)?)?;
        assert_eq!(judgement.verdict, verdict, "{judgement:?}");
        let worst = judgement.worst.expect("an entry");
        assert!(verdict == Verdict::Holds || worst.at == [100, 3], "{worst:?}");
    }
    Ok(())
}

/// diag(1 − y²) W with a wrong sign, transposed, and with entries that make up for one another in every sum of their row or
/// with half of the signs.
#[test]
fn other_mistakes() -> Result<()> {
    let (w, x) = (randn(3, &[SMALLER, SMALLER]), randn(4, &[SMALLER]));
    let y = (0.1 * &w.matmul(&x)?)?.tanh()?;
    let slope = (0.1 * &(1.0 - &y.powf(2.0)?)?)?;
    let right = slope.diag()?.matmul(&w)?;
    assert_eq!(judged(&y, &x, &right).verdict, Verdict::Holds);
    assert_eq!(judged(&y, &x, &(-&right)?).verdict, Verdict::Wrong);
    assert_eq!(judged(&y, &x, &right.transpose()?).verdict, Verdict::Wrong);
    for other in [5 * SMALLER + 8, 6 * SMALLER + 7] {
        let first = 5 * SMALLER + 7;
        let shifted = with(&with(&right, first, 1e-4)?, other, -1e-4)?;
        let worst = judged(&y, &x, &shifted).worst.expect("an entry");
        let at = worst.at[0] * SMALLER + worst.at[1];
        assert!(at == first || at == other, "{worst:?}");
    }
    Ok(())
}

/// A kink in a column of them: the convention, the other side's slope, and what is wrong beside it.
#[test]
fn kinks_among_them() -> Result<()> {
    let mut data = randn(5, &[SMALLER]).array()?.to_vec_f64();
    data[123] = 0.0;
    let (w, x) = (randn(6, &[SMALLER, SMALLER]), Val::new(Array::from_vec(&[SMALLER], data)?));
    let y = w.matmul(&x.relu()?)?;
    let right = (&w * &x.step()?)?;
    let judgement = judged(&y, &x, &right);
    assert!(judgement.verdict == Verdict::Kink && judgement.passes(), "{judgement:?}");
    assert_eq!(judgement.kink.map(|kink| (kink.at, kink.entries)), Some((vec![0, 123], SMALLER)));
    let other = (&w * &(1.0 - &x.negated()?.step()?)?)?;
    let judgement = judged(&y, &x, &other);
    assert!(judgement.verdict == Verdict::Kink && !judgement.passes(), "{judgement:?}");
    assert_eq!(judgement.kink.and_then(|kink| kink.follows), Some(Follows::Right));
    assert_eq!(judged(&y, &x, &with(&other, 9, 1e-3)?).verdict, Verdict::Wrong);
    assert_eq!(judged(&y, &x, &with(&right, 123, 1e3)?).verdict, Verdict::Wrong);
    Ok(())
}
