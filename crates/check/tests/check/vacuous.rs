//! Claims whose test could not have failed, and zeros that hold.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_check::{Claim, Judgement, Note, Subject, Verdict, judge};
use pullback_ops::{Result, Val};

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

fn judged(y: &Val, x: &Val, claim: &Val, zeros: bool) -> Judgement {
    let claim = Claim::of(claim).expect("a claim").written_as_zeros(zeros);
    judge(&Subject::new(y, x), &claim).expect("a judgement")
}

/// Zeros hold where the derivative is zero, another expression that comes to zero could not have failed, and what is not
/// zero is wrong. The way from x ends at `end`.
#[track_caller]
fn is_zero(y: &Val, x: &Val, end: &Val) {
    let zeros = Val::new(Array::zeros(&x.shape(), DType::F64).expect("zeros"));
    let holds = judged(y, x, &zeros, true);
    assert_eq!(holds.verdict, Verdict::Holds, "{holds:?}");
    assert!(holds.notes.contains(&Note::Zero), "{holds:?}");
    let nothing = (0.0 * x).expect("zeros");
    let vacuous = judged(y, x, &nothing, false);
    assert_eq!(vacuous.verdict, Verdict::Vacuous, "{vacuous:?}");
    assert!(vacuous.notes.contains(&Note::Zero), "{vacuous:?}");
    let ends = vacuous.unchanged.as_ref().map(Val::order);
    assert_eq!(ends, Some(end.order()), "{:?}", vacuous.unchanged);
    let mut data = vec![0.0; x.shape().iter().product()];
    data[0] = 1e-3;
    let wrong = judged(y, x, &given(&x.shape(), &data), false);
    assert_eq!(wrong.verdict, Verdict::Wrong, "{wrong:?}");
}

/// The shares of a softmax add up to 1, and what is left of a mean adds up to 0.
#[test]
fn zero_by_construction() -> Result<()> {
    let z = randn(1, &[5]);
    let total = z.softmax(0)?.sum_all()?;
    is_zero(&total, &z, &total);
    let loss = (&total * 3.0)?;
    is_zero(&loss, &z, &total);

    let x = randn(2, &[7]);
    let centred = (&x - &x.mean_all()?)?;
    let variance = centred.powf(2.0)?.mean_all()?;
    for eps in [0.0, 1e-5] {
        let normal = (&centred / &(&variance + eps)?.sqrt()?)?;
        let total = normal.sum_all()?;
        is_zero(&total, &x, &total);
        // Of a batch, and along the features.
        let batch = randn(3, &[3, 7]);
        let centred = (&batch - &batch.mean(&[1], true)?)?;
        let deviation = (&centred.powf(2.0)?.mean(&[1], true)? + eps)?.sqrt()?;
        let total = (&centred / &deviation)?.sum_all()?;
        is_zero(&total, &batch, &total);
    }
    Ok(())
}

/// At the bottom of a parabola.
#[test]
fn zero_at_a_point() -> Result<()> {
    let x = given(&[2], &[0.0, 0.0]);
    let square = x.powf(2.0)?;
    is_zero(&square.sum_all()?, &x, &square);
    let square = x.abs()?.powf(2.0)?;
    is_zero(&square.sum_all()?, &x, &square);
    Ok(())
}

/// Where terms cancel that leave no digit of the derivative, which is 1, zeros do not hold.
#[test]
fn what_cancels_to_nothing_is_not_zero() -> Result<()> {
    let x = given(&[2], &[0.3, 0.7]);
    let large = (1e20 * &x)?;
    let loss = (&(&large - &(1e20 * &x)?)? + &x)?.sum_all()?;
    let zeros = given(&[2], &[0.0, 0.0]);
    let judgement = judged(&loss, &x, &zeros, true);
    assert!(!judgement.passes(), "{judgement:?}");
    Ok(())
}

/// Beside 10¹³ a double keeps three decimals: a slope of 3 cannot be told from 2.5.
#[test]
fn tolerance_above_the_gradient() -> Result<()> {
    let x = given(&[3], &[1.0, 2.0, 3.0]);
    let offset = (&(3.0 * &x)?.sum_all()? + 1e13)?;
    let judgement = judged(&offset, &x, &given(&[3], &[3.0; 3]), false);
    assert_eq!(judgement.verdict, Verdict::Vacuous);
    let [Note::WithinTolerance { uncertainty, size }] = judgement.notes.as_slice() else {
        panic!("{judgement:?}");
    };
    assert!(*size == 3.0 && *uncertainty > 0.03, "{judgement:?}");
    Ok(())
}
