//! Right claims about programs that change over lengths far shorter than x is large: close to kinks, poles and the ends of
//! domains, and far from 0. Finite differences that go over such a place contradict nothing.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_check::{Claim, Judgement, Subject, Verdict, judge};
use pullback_network::Dim;
use pullback_ops::{Result, Val};

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

#[track_caller]
fn judged(y: &Val, x: &Val, claim: &Val) -> Judgement {
    judge(&Subject::new(y, x), &Claim::of(claim).expect("a claim")).expect("a judgement")
}

/// A right claim, and wrong ones: with one entry of it replaced.
#[track_caller]
fn holds(name: &str, y: &Val, x: &Val, claim: &Val, wrong: &[(usize, f64)]) {
    let right = judged(y, x, claim);
    assert_eq!(right.verdict, Verdict::Holds, "{name}: {right:?}");
    for &(at, entry) in wrong {
        let mut entries = claim.array().expect("numbers").to_vec_f64();
        entries[at] = entry;
        let judgement = judged(y, x, &given(&claim.shape(), &entries));
        assert_eq!(judgement.verdict, Verdict::Wrong, "{name} with {entry}: {judgement:?}");
    }
}

#[test]
fn close_to_a_kink() -> Result<()> {
    for distance in [1e-2, 3e-4, 1e-5, 1e-7, 3e-9, 1e-10] {
        let name = format!("{distance:e}");
        // The derivative is zero on this side: whatever coarse steps say is no better than nothing.
        let x = given(&[3], &[1.0, 1.0 + distance, 0.5]);
        let wrong = [(0, 0.5), (1, 0.5), (2, 0.1)];
        holds(&name, &x.max(&[0], false)?, &x, &given(&[3], &[0.0, 1.0, 0.0]), &wrong);
        let x = given(&[2], &[1.0, 2.0]);
        let loss = (&(&x - (1.0 + distance))?.relu()? + &x)?.sum_all()?;
        holds(&name, &loss, &x, &given(&[2], &[1.0, 2.0]), &[(0, 1.5), (0, 2.0)]);
        let loss = (&x - (1.0 - distance))?.abs()?.sum_all()?;
        holds(&name, &loss, &x, &given(&[2], &[1.0, 1.0]), &[(0, 0.0), (0, -1.0)]);
        // The second derivative jumps there.
        let square = (&x - (1.0 - distance))?.relu()?.powf(2.0)?.sum_all()?;
        let claim = Claim::of(&given(&[2, 2], &[2.0, 0.0, 0.0, 2.0]))?;
        let judgement = judge(&Subject::second(&square, &x, &x), &claim)?;
        assert_eq!(judgement.verdict, Verdict::Holds, "{distance:e}: {judgement:?}");
    }
    Ok(())
}

#[test]
fn steep_places_and_poles() -> Result<()> {
    let x = given(&[2], &[1.0, 3.0]);
    for distance in [1e-4, 1e-6, 1e-8] {
        let name = format!("{distance:e}");
        let shifted = (&x - (1.0 - distance))?;
        let loss = (1.0 / &shifted)?.sum_all()?;
        holds(&name, &loss, &x, &(-&shifted.powf(-2.0)?)?, &[(1, -0.26)]);
        let steep = (&(&x - 1.0)? / distance)?.tanh()?;
        let claim = (&(1.0 - &steep.powf(2.0)?)? / distance)?;
        holds(&name, &steep.sum_all()?, &x, &claim, &[(0, 0.5 / distance)]);
        // The distance of two points.
        let (a, b) = (given(&[3], &[1.0, 2.0, 3.0]), given(&[3], &[1.0, 2.0, 3.0 + distance]));
        let gap = (&a - &b)?;
        let length = gap.powf(2.0)?.sum_all()?.sqrt()?;
        holds(&name, &length, &a, &(&gap / &length)?, &[(2, -1.3), (2, 0.0)]);
        // A matrix close to a singular one.
        let matrix = given(&[2, 2], &[1.0, 1.0, 1.0, 1.0 + distance]);
        if distance >= 1e-6 {
            let right = given(&[2], &[1.0, 2.0]);
            let solution = matrix.solve(&right, false)?;
            let adjoint = matrix.solve(&given(&[2], &[1.0, 1.0]), true)?;
            let claim = (-&adjoint.outer(&solution)?)?;
            holds(&name, &solution.sum_all()?, &matrix, &claim, &[]);
        }
    }
    Ok(())
}

/// Where x is large beside the length over which the program changes, in all entries or in one of them.
#[test]
fn far_from_zero() -> Result<()> {
    let t = given(&[2], &[1_700_000_000.5, 1_700_000_001.25]);
    let shifted = (&t - 1.7e9)?;
    holds("softplus", &(&shifted.exp()? + 1.0)?.log()?.sum_all()?, &t, &shifted.sigmoid()?, &[(0, 0.6)]);
    let bell = (-&(&t - 1_700_000_000.5)?.powf(2.0)?)?.exp()?;
    let claim = (-&(2.0 * &(&(&t - 1_700_000_000.5)? * &bell)?)?)?;
    holds("a bell", &bell.sum_all()?, &t, &claim, &[(0, 0.1)]);
    let x = given(&[3], &[0.0, 1e6, 0.0]);
    let w = given(&[3], &[3.0, 1e-6, -2.0]);
    let total = (&w * &x)?.sum_all()?;
    holds("a feature of 1e6", &total.sin()?, &x, &(&w * &total.cos()?)?, &[(0, 1.6)]);
    // A row of a batch is a million times as large as the others.
    let mut scales = vec![1.0; 50];
    scales[3] = 1e6;
    let x = Val::new((&randn(1, &[50, 40]) * &given(&[50, 1], &scales))?.array()?.clone());
    let (p, g) = (x.softmax(1)?, randn(2, &[50, 40]));
    let weighted = (&p * &g)?;
    let claim = (&p * &(&g - &weighted.sum(&[1], true)?)?)?;
    holds("an outlier", &weighted.sum_all()?, &x, &claim, &[(7, 1.0)]);
    Ok(())
}

/// Close to where a program ends: the numbers of a file are exact, and so is how far they are from there.
#[test]
fn close_to_the_end_of_a_domain() -> Result<()> {
    let x = given(&[2], &[0.3, 1.0 - 1e-10]);
    let root = (1.0 - &x.powf(2.0)?)?.sqrt()?;
    holds("a root", &root.sum_all()?, &x, &(-&(&x / &root)?)?, &[(0, -0.3)]);
    for close in [1e-9, 1e-12] {
        let p = given(&[4], &[0.2, 0.5, 1.0 - close, 0.1]);
        let y = given(&[4], &[0.0, 1.0, 0.0, 1.0]);
        let other = (1.0 - &y)?;
        let loss = (-&(&(&y * &p.log()?)? + &(&other * &(1.0 - &p)?.log()?)?)?.sum_all()?)?;
        let claim = (&(&other / &(1.0 - &p)?)? - &(&y / &p)?)?;
        holds("an entropy", &loss, &p, &claim, &[(0, 1.26), (2, 2.0 / close), (3, 10.0)]);
    }
    // Where it is computed that close, nothing but the worse half is left, and nothing is judged.
    let p = (-&given(&[2], &[1e-13, 2e-13]))?.exp()?;
    let judgement = judged(&(1.0 - &p)?.log()?.sum_all()?, &p, &(-1.0 / &(1.0 - &p)?)?);
    assert_eq!(judgement.verdict, Verdict::Vacuous, "{judgement:?}");
    Ok(())
}

/// What is bent over a length that is short beside x is no kink: there is one derivative, and no subgradients.
#[test]
fn bends_are_no_kinks() -> Result<()> {
    let x = given(&[3], &[0.0, 1.0, -2.0]);
    let smooth = (&x.powf(2.0)? + 1e-20)?.sqrt()?;
    holds("a smooth abs", &smooth.sum_all()?, &x, &(&x / &smooth)?, &[(0, 0.7), (0, 1.0)]);
    let x = given(&[3], &[1.0, 1.000_000_01, 0.5]);
    holds("a near tie", &x.max(&[0], false)?, &x, &given(&[3], &[0.0, 1.0, 0.0]), &[(0, 0.5), (1, 0.5)]);
    Ok(())
}

/// The smallest of many spreads is small by chance: with a hundred thousand entries beside fifteen directions too.
#[test]
fn many_rows_along_many_directions() -> Result<()> {
    let column = [Dim::new(1000), Dim::new(1)];
    for seed in 0..3 {
        let a = randn(seed, &[1000, 1100]);
        let x = Val::new((0.02 * &randn(seed + 10, &[1100]))?.array()?.clone());
        let y = a.matmul(&x)?.tanh()?;
        let slopes = (1.0 - &y.powf(2.0)?)?.reshape(&column)?;
        let judgement = judged(&y, &x, &(&slopes * &a)?);
        assert_eq!(judgement.verdict, Verdict::Holds, "{seed}: {:?}", judgement.notes);
    }
    Ok(())
}
