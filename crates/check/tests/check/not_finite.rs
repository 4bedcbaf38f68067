//! Where a number that is not finite arises. The operations' values at their poles, and the largest numbers of the formats,
//! are those of IEEE 754.

use pullback_array::{Array, DType, Precision};
use pullback_check::{Arises, Claim, Judgement, NotFinite, Note, Subject, Verdict, What, judge};
use pullback_ops::{Result, Val};

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

/// Judges a claim that is not finite somewhere; what is told must be at the value that makes it so.
#[track_caller]
fn arises(y: &Val, x: &Val, claim: &Val, at: &Val, verdict: Verdict) -> (NotFinite, Judgement) {
    let judgement = judge(&Subject::new(y, x), &Claim::of(claim).expect("a claim")).expect("a judgement");
    assert_eq!(judgement.verdict, verdict, "{judgement:?}");
    assert!(!judgement.passes());
    let found = judgement.not_finite.clone().unwrap_or_else(|| panic!("not told: {judgement:?}"));
    assert_eq!(found.value.order(), at.order(), "{found:?}");
    assert_eq!(judgement.due_to().map(Val::order), Some(at.order()));
    (found, judgement)
}

fn entries(found: &NotFinite) -> Vec<f64> {
    found.operands.iter().map(|operand| operand.entry).collect()
}

#[test]
fn the_first_operation_in_forward_order() -> Result<()> {
    let x = given(&[3], &[1.0, 2.0, 0.0]).named("x");
    let p = (3.0 * &x)?.named("p");
    let y = p.log()?;
    // What comes after it is infinite too, and so is the claim.
    let loss = (2.0 * &y.sum_all()?)?;
    let (found, _) = arises(&loss, &x, &(2.0 / &x)?, &y, Verdict::NotFinite);
    assert_eq!((found.arises, found.what, found.at.as_slice()), (Arises::Program, What::Pole, &[2][..]));
    assert_eq!((entries(&found), found.entry), (vec![0.0], f64::NEG_INFINITY));
    assert_eq!(found.operands[0].expression, "p");

    let x = given(&[2, 2], &[1.0, 2.0, 0.0, 4.0]);
    let row = given(&[2], &[0.0, 1.0]);
    let quotient = (&x / &row)?;
    let (found, _) =
        arises(&quotient.sum_all()?, &x, &given(&[2, 2], &[1.0; 4]), &quotient, Verdict::NotFinite);
    // 1/0 at [0, 0] comes before 0/0 at [1, 0].
    assert_eq!((found.what, found.at.as_slice(), entries(&found)), (What::Pole, &[0, 0][..], vec![1.0, 0.0]));
    let x = given(&[2], &[0.0, 1.0]);
    let size = x.abs()?;
    let direction = (&x / &size)?;
    let (found, _) =
        arises(&direction.sum_all()?, &x, &given(&[2], &[0.0, 0.0]), &direction, Verdict::NotFinite);
    assert_eq!(
        (found.what, found.at.as_slice(), entries(&found)),
        (What::Undefined, &[0][..], vec![0.0, 0.0])
    );
    Ok(())
}

#[test]
fn overflow_and_what_is_given() -> Result<()> {
    // The largest double is 1.8e308, and exp(709.8) just beyond.
    let x = given(&[2], &[1.0, 710.0]);
    let y = x.exp()?;
    let (found, _) = arises(&y.sum_all()?, &x, &given(&[2], &[1.0, 1.0]), &y, Verdict::NotFinite);
    assert_eq!((found.what, found.at.as_slice(), entries(&found)), (What::Overflow, &[1][..], vec![710.0]));
    // A sum is made of no single entry.
    let x = given(&[2], &[1e308, 1e308]);
    let total = x.sum_all()?;
    let (found, _) = arises(&total, &x, &given(&[2], &[1.0, 1.0]), &total, Verdict::NotFinite);
    assert!(found.what == What::Overflow && found.operands.is_empty(), "{found:?}");
    // Nor is a product of square matrices, although the shapes would fit.
    let a = given(&[2, 2], &[1.0, 1e200, 1.0, 1.0]);
    let square = a.matmul(&a.transpose()?)?;
    let (found, _) = arises(&square.sum_all()?, &a, &a, &square, Verdict::NotFinite);
    assert!(found.what == What::Overflow && found.operands.is_empty(), "{found:?}");
    let x = given(&[2], &[1.0, f64::NAN]);
    let (found, _) = arises(&x.sum_all()?, &x, &given(&[2], &[1.0, 1.0]), &x, Verdict::NotFinite);
    assert_eq!((found.what, found.at.as_slice()), (What::Given, &[1][..]));
    Ok(())
}

#[test]
fn in_the_claim_alone() -> Result<()> {
    let x = given(&[3], &[1.0, 0.0, 2.0]);
    let loss = x.powf(2.0)?.sum_all()?;
    let inverse = (1.0 / &x)?;
    let claim = (&(2.0 * &x.powf(2.0)?)? * &inverse)?;
    let (found, _) = arises(&loss, &x, &claim, &inverse, Verdict::NotFinite);
    assert_eq!((found.arises, found.what, found.at.as_slice()), (Arises::Claim, What::Pole, &[1][..]));
    assert_eq!(entries(&found), [1.0, 0.0]);
    Ok(())
}

/// exp(100) is 2.7e43: too large for single precision, whose largest number is 3.4e38, and not for double.
#[test]
fn overflow_of_single_precision() -> Result<()> {
    let exact = given(&[2], &[1.0, 100.0]);
    let loss = exact.exp()?.sum_all()?;
    let single = Val::new(exact.array()?.cast(DType::F32)?);
    let computed = single.exp()?;
    let claim = Claim::evaluated(computed.array()?, &exact.exp()?)?.computed_by(&computed);
    let judgement = judge(&Subject::new(&loss, &exact), &claim)?;
    let found = judgement.not_finite.as_ref().expect("told");
    assert_eq!(judgement.verdict, Verdict::NotFinite);
    assert_eq!(
        (found.arises, found.what, found.value.order()),
        (Arises::Claim, What::Overflow, computed.order())
    );
    assert_eq!((found.at.as_slice(), found.value.dtype()), (&[1][..], DType::F32));
    // Numbers of which nothing is known.
    let judgement = judge(&Subject::new(&loss, &exact), &Claim::numbers(computed.array()?, Precision::F32)?)?;
    assert_eq!(judgement.not_finite.map(|found| (found.what, found.at)), Some((What::Given, vec![1])));
    Ok(())
}

#[test]
fn in_the_derivative_alone() -> Result<()> {
    let x = given(&[3], &[4.0, 0.0, 1.0]);
    let root = x.sqrt()?;
    let claim = given(&[3], &[0.25, 0.0, 0.5]);
    let (found, _) = arises(&root.sum_all()?, &x, &claim, &root, Verdict::NotFinite);
    assert_eq!((found.arises, found.what, found.at.as_slice()), (Arises::Derivative, What::Slope, &[1][..]));
    assert_eq!((found.entry, entries(&found)), (f64::INFINITY, vec![0.0]));
    // The norm at 0: its square root again, not the square.
    let x = given(&[2], &[0.0, 0.0]);
    let norm = x.powf(2.0)?.sum_all()?.sqrt()?;
    let (found, _) = arises(&norm, &x, &x, &norm, Verdict::NotFinite);
    assert_eq!((found.what, entries(&found)), (What::Slope, vec![0.0]));
    // An infinity on the way that the end of it hides.
    let x = given(&[1], &[1000.0]);
    let large = x.exp()?;
    let hidden = (1.0 / &(1.0 + &large)?)?.sum_all()?;
    let (found, _) = arises(&hidden, &x, &given(&[1], &[0.0]), &large, Verdict::NotFinite);
    assert_eq!(found.what, What::Overflow);
    Ok(())
}

/// x/‖x‖ at 0 against a derivative that is NaN too: no comparison of the two could have failed.
#[test]
fn nan_on_both_sides_is_vacuous() -> Result<()> {
    let x = given(&[2], &[0.0, 0.0]);
    let norm = x.powf(2.0)?.sum_all()?.sqrt()?;
    let (found, judgement) = arises(&norm, &x, &(&x / &norm)?, &norm, Verdict::Vacuous);
    assert_eq!((found.arises, found.what), (Arises::Derivative, What::Slope));
    assert_eq!(judgement.notes, [Note::BothNan(vec![0])]);
    // NaN against a derivative that is known is wrong, not untestable.
    let loss = x.powf(2.0)?.sum_all()?;
    let quotient = (&x / &norm)?;
    arises(&loss, &x, &quotient, &quotient, Verdict::NotFinite);
    Ok(())
}
