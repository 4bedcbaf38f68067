//! What is said of claims at kinks. The slopes on both sides, and the values of PyTorch's conventions, are known.

use pullback_array::Array;
use pullback_check::{Claim, Follows, Judgement, Kink, Subject, Verdict, judge};
use pullback_ops::{Result, Val};

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

#[track_caller]
fn judged(y: &Val, x: &Val, claim: &[f64]) -> Judgement {
    let shape: Vec<usize> = y.shape().into_iter().chain(x.shape()).collect();
    let claim = Claim::of(&given(&shape, claim)).expect("a claim");
    judge(&Subject::new(y, x), &claim).expect("a judgement")
}

/// The claim, its verdict, whether it lies inside, the convention that it follows, and whether it passes.
type Case<'a> = (&'a [f64], Verdict, bool, Option<Follows>, bool);

#[track_caller]
fn all(y: &Val, x: &Val, cases: &[Case<'_>], rest: impl Fn(&Kink)) {
    for &(claim, verdict, inside, follows, passes) in cases {
        let judgement = judged(y, x, claim);
        assert_eq!(judgement.verdict, verdict, "{claim:?}: {judgement:?}");
        assert_eq!(judgement.passes(), passes, "{claim:?}: {judgement:?}");
        let kink = judgement.kink.unwrap_or_else(|| panic!("{claim:?}: no kink"));
        assert_eq!((kink.inside, kink.follows), (inside, follows), "{claim:?}: {kink:?}");
        rest(&kink);
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// The operation that makes a kink, and where in its input.
#[track_caller]
fn made_by(kink: &Kink, op: &str, at: &[usize]) {
    let origin = kink.origin.as_ref().unwrap_or_else(|| panic!("no operation: {kink:?}"));
    assert_eq!((origin.op, origin.at.as_slice()), (op, at), "{kink:?}");
}

#[test]
fn relu_at_zero() -> Result<()> {
    let x = given(&[3], &[-1.5, 0.0, 2.0]);
    let cases: [Case<'_>; 5] = [
        (&[0.0, 0.0, 1.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[0.0, 1.0, 1.0], Verdict::Kink, true, Some(Follows::Right), false),
        (&[0.0, 0.5, 1.0], Verdict::Kink, true, Some(Follows::Mean), false),
        (&[0.0, 0.3, 1.0], Verdict::Kink, true, None, false),
        (&[0.0, 2.0, 1.0], Verdict::Wrong, false, None, false),
    ];
    all(&x.relu()?.sum_all()?, &x, &cases, |kink| {
        assert!(kink.at == [1] && kink.entries == 1, "{kink:?}");
        assert!(close(kink.interval()[0], 0.0) && close(kink.interval()[1], 1.0) && kink.is_convex());
        made_by(kink, "relu", &[1]);
        let convention = kink.origin.as_ref().and_then(|origin| origin.convention.as_deref());
        assert_eq!(convention, Some("relu′(0) = 0, as in PyTorch."));
    });
    // Of −relu the same values, negative, are no subgradients.
    let cases: [Case<'_>; 3] = [
        (&[0.0, 0.0, -1.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[0.0, -1.0, -1.0], Verdict::Kink, true, Some(Follows::Right), false),
        (&[0.0, 1.0, -1.0], Verdict::Wrong, false, None, false),
    ];
    all(&(-&x.relu()?)?.sum_all()?, &x, &cases, |kink| assert!(!kink.is_convex()));
    Ok(())
}

#[test]
fn abs_and_a_chain_of_relus() -> Result<()> {
    let x = given(&[2], &[0.0, -3.0]);
    let cases: [Case<'_>; 4] = [
        (&[0.0, -1.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[1.0, -1.0], Verdict::Kink, true, Some(Follows::Right), false),
        (&[-1.0, -1.0], Verdict::Kink, true, Some(Follows::Left), false),
        (&[-1.1, -1.0], Verdict::Wrong, false, None, false),
    ];
    all(&x.abs()?.sum_all()?, &x, &cases, |kink| made_by(kink, "abs", &[0]));
    // Both are at their kinks; the first in forward order is told.
    let inner = x.relu()?;
    let outer = inner.relu()?;
    let cases: [Case<'_>; 2] = [
        (&[0.0, 0.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[1.0, 0.0], Verdict::Kink, true, Some(Follows::Right), false),
    ];
    all(&outer.sum_all()?, &x, &cases, |kink| {
        made_by(kink, "relu", &[0]);
        let value = &kink.origin.as_ref().expect("told").value;
        assert_eq!(value.order(), inner.order());
    });
    // |x|² has a slope at 0, and relu beside it a kink: that is named, although abs comes first.
    let square = x.abs()?.powf(2.0)?;
    assert_eq!(judged(&square.sum_all()?, &x, &[0.0, -6.0]).verdict, Verdict::Holds);
    let both = (&square + &x.relu()?)?.sum_all()?;
    all(&both, &x, &[(&[0.0, -6.0], Verdict::Kink, true, Some(Follows::Stated), true)], |kink| {
        made_by(kink, "relu", &[0]);
    });
    Ok(())
}

/// Ties of two and of three: `amax` shares, `max(dim)` gives all to the first, and giving all to each counts it twice.
#[test]
fn elements_that_tie() -> Result<()> {
    let x = given(&[2, 3], &[2.0, 2.0, 1.0, 5.0, 5.0, 5.0]);
    let cases: [Case<'_>; 6] = [
        (&[0.5, 0.5, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], Verdict::Kink, true, Some(Follows::FirstOfTies), false),
        (&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0], Verdict::Kink, true, Some(Follows::LastOfTies), false),
        (&[0.2, 0.8, 0.0, 0.2, 0.3, 0.5], Verdict::Kink, true, None, false),
        (&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0], Verdict::Wrong, false, None, false),
        (&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0], Verdict::Wrong, false, None, false),
    ];
    all(&x.max(&[1], false)?.sum_all()?, &x, &cases, |kink| {
        assert_eq!(kink.entries, 5);
        made_by(kink, "max", &[0, 0]);
        assert!(kink.interval() == [0.0, 1.0], "{kink:?}");
    });
    // Row by row, as a Jacobian.
    let one = given(&[3], &[4.0, 4.0, 4.0]);
    let y = (&one.max(&[0], false)? * &given(&[2], &[1.0, -2.0]))?;
    let first: [Case<'_>; 1] =
        [(&[1.0, 0.0, 0.0, -2.0, 0.0, 0.0], Verdict::Kink, true, Some(Follows::FirstOfTies), false)];
    all(&y, &one, &first, |kink| assert_eq!(kink.entries, 6));
    Ok(())
}

/// A clamp to [0, 1] made of relus, at both of its edges, and a leaky relu made of masks.
#[test]
fn compositions() -> Result<()> {
    let x = given(&[3], &[0.0, 0.5, 1.0]);
    let clamp = (&x.relu()? - &(&x - 1.0)?.relu()?)?.sum_all()?;
    let cases: [Case<'_>; 3] = [
        // PyTorch's clamp has slope 1 at both edges; of these two relus the first has slope 0.
        (&[0.0, 1.0, 1.0], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[1.0, 1.0, 1.0], Verdict::Kink, true, None, false),
        (&[0.5, 1.0, 0.5], Verdict::Kink, true, Some(Follows::Mean), false),
    ];
    all(&clamp, &x, &cases, |kink| assert_eq!(kink.entries, 2));

    let x = given(&[2], &[0.0, -3.0]);
    let above = x.step()?;
    let leaky = (&(&above * &x)? + &(&(0.1 * &(1.0 - &above)?)? * &x)?)?.sum_all()?;
    let cases: [Case<'_>; 3] = [
        (&[0.1, 0.1], Verdict::Kink, true, Some(Follows::Stated), true),
        (&[1.0, 0.1], Verdict::Kink, true, Some(Follows::Right), false),
        (&[0.0, 0.1], Verdict::Wrong, false, None, false),
    ];
    all(&leaky, &x, &cases, |kink| {
        made_by(kink, "step", &[0]);
        assert!(kink.origin.as_ref().is_some_and(|origin| origin.convention.is_none()));
    });
    Ok(())
}

/// Of several kinked entries the one that deviates is shown.
#[test]
fn the_entry_that_deviates_is_shown() -> Result<()> {
    let x = given(&[4], &[0.0, 1.0, 0.0, 0.0]);
    let loss = x.relu()?.sum_all()?;
    let kink = judged(&loss, &x, &[0.0, 1.0, 0.5, 1.0]).kink.expect("a kink");
    assert_eq!((kink.at.as_slice(), kink.entries, kink.follows), (&[2][..], 3, None));
    assert_eq!((kink.claimed, kink.stated), (0.5, 0.0));
    let kink = judged(&loss, &x, &[0.0, 1.0, 0.5, 1.5]).kink.expect("a kink");
    assert_eq!((kink.at.as_slice(), kink.inside), (&[3][..], false));
    // Where it is wrong elsewhere too, that is what counts.
    let judgement = judged(&loss, &x, &[0.0, 2.0, 1.0, 1.0]);
    assert!(judgement.verdict == Verdict::Wrong && judgement.worst.is_some_and(|worst| worst.at == [1]));
    Ok(())
}
