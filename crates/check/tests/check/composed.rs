//! Functions that are smooth and written in pieces with kinks: a stable cross-entropy, softplus, logaddexp at 0. The slopes are
//! known in closed form; what the conventions of the pieces come to is another number.

use pullback_array::{Array, Precision};
use pullback_check::{Claim, Judgement, Moves, Note, Says, Subject, Verdict, judge};
use pullback_ops::{Result, Val};

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// relu(x) + ln(1 + exp(−|x|)), which is ln(1 + eˣ).
fn softplus(x: &Val) -> Result<Val> {
    &x.relu()? + &(&(-&x.abs()?)?.exp()? + 1.0)?.log()?
}

#[track_caller]
fn judged(y: &Val, x: &Val, claim: &[f64]) -> Judgement {
    let claim = Claim::of(&given(&x.shape(), claim)).expect("a claim");
    judge(&Subject::new(y, x), &claim).expect("a judgement")
}

/// The slope holds, with a note that names the operations; what the conventions come to is wrong, and so is any other number.
#[track_caller]
fn smooth_at(y: &Val, x: &Val, slope: &[f64], by_conventions: &[f64], ops: &[&str], entries: usize) {
    let right = judged(y, x, slope);
    assert_eq!((right.verdict, right.facts.worst), (Verdict::Holds, Says::BySlope), "{right:?}");
    let told = right.notes.iter().find_map(|note| match note {
        Note::Composed { entries, ops, .. } => Some((*entries, ops.clone())),
        _ => None,
    });
    let (told_entries, mut told_ops) = told.unwrap_or_else(|| panic!("no word of conventions: {right:?}"));
    told_ops.sort_unstable();
    assert_eq!((told_entries, told_ops.as_slice()), (entries, ops));
    let expected = right.expected.expect("small").to_vec_f64();
    assert!(expected.iter().zip(slope).all(|(a, b)| (a - b).abs() < 1e-6), "{expected:?}");
    let conventional = judged(y, x, by_conventions);
    assert_eq!((conventional.verdict, conventional.facts.worst), (Verdict::Wrong, Says::Convention));
    let neither: Vec<f64> = slope.iter().map(|slope| slope + 0.01).collect();
    let neither = judged(y, x, &neither);
    assert_eq!((neither.verdict, neither.facts.worst), (Verdict::Wrong, Says::Wrong), "{neither:?}");
}

#[test]
fn softplus_and_cross_entropy_at_zero() -> Result<()> {
    let x = given(&[3], &[0.0, 1.0, -2.0]);
    let slope = [0.0, 1.0, -2.0].map(sigmoid);
    smooth_at(&softplus(&x)?.sum_all()?, &x, &slope, &[0.0, slope[1], slope[2]], &["abs", "relu"], 1);
    // Logits of a layer that was initialised with zeros, and labels.
    let (z, t) = (given(&[4], &[0.0; 4]), [0.0, 1.0, 1.0, 0.0]);
    let loss = (&softplus(&z)? - &(&z * &given(&[4], &t))?)?.mean_all()?;
    let (slope, conventional) = (t.map(|t| (0.5 - t) / 4.0), t.map(|t| -t / 4.0));
    smooth_at(&loss, &z, &slope, &conventional, &["abs", "relu"], 4);
    Ok(())
}

#[test]
fn pieces_that_cancel() -> Result<()> {
    let x = given(&[3], &[-1.0, 0.0, 2.0]);
    let identity = (&x.relu()? - &(-&x)?.relu()?)?.sum_all()?;
    smooth_at(&identity, &x, &[1.0; 3], &[1.0, 0.0, 1.0], &["relu"], 1);
    // Twice, one within the other.
    let inner = (&x.relu()? - &(-&x)?.relu()?)?;
    let twice = (&inner.relu()? - &(-&inner)?.relu()?)?.sum_all()?;
    smooth_at(&twice, &x, &[1.0; 3], &[1.0, 0.0, 1.0], &["relu"], 1);
    // An ELU at 0.
    let elu = (&x.relu()? - &(1.0 - &(-&(-&x)?.relu()?)?.exp()?)?)?.sum_all()?;
    smooth_at(&elu, &x, &[(-1f64).exp(), 1.0, 1.0], &[(-1f64).exp(), 0.0, 1.0], &["relu"], 1);
    Ok(())
}

/// Where a kink is left it is one, whatever else is smooth beside it.
#[test]
fn a_kink_beside_smooth_pieces() -> Result<()> {
    let x = given(&[2], &[0.0, 0.0]);
    let (first, second) = (given(&[2], &[1.0, 0.0]), given(&[2], &[0.0, 1.0]));
    let loss = (&(&softplus(&x)? * &first)? + &(&x.relu()? * &second)?)?.sum_all()?;
    let conventional = judged(&loss, &x, &[0.5, 0.0]);
    assert!(conventional.verdict == Verdict::Kink && conventional.passes(), "{conventional:?}");
    let other = judged(&loss, &x, &[0.5, 1.0]);
    assert!(other.verdict == Verdict::Kink && !other.passes(), "{other:?}");
    assert_eq!(judged(&loss, &x, &[0.0, 0.0]).facts.worst, Says::Convention);
    Ok(())
}

/// So many entries that differences go along directions: all of them at kinks of pieces that fit together.
#[test]
fn along_directions() -> Result<()> {
    let count = 1500;
    let z = given(&[count], &vec![0.0; count]);
    let t: Vec<f64> = (0..count).map(|k| f64::from(u8::from(k % 3 == 0))).collect();
    let loss = (&softplus(&z)? - &(&z * &given(&[count], &t))?)?.sum_all()?;
    let slope: Vec<f64> = t.iter().map(|t| 0.5 - t).collect();
    let right = judged(&loss, &z, &slope);
    assert_eq!((right.verdict, right.facts.worst), (Verdict::Holds, Says::BySlope), "{:?}", right.notes);
    let conventional: Vec<f64> = t.iter().map(|t| -t).collect();
    let conventional = judged(&loss, &z, &conventional);
    assert_eq!((conventional.verdict, conventional.facts.worst), (Verdict::Wrong, Says::Convention));
    let mut off = slope.clone();
    off[700] += 1e-3;
    assert_eq!(judged(&loss, &z, &off).verdict, Verdict::Wrong);
    Ok(())
}

/// Numbers of other code, which computes the slope by the sigmoid, are right where no choice was turned.
#[test]
fn as_numbers() -> Result<()> {
    let z = given(&[4], &[0.0; 4]);
    let loss = softplus(&z)?.sum_all()?;
    let verdict = |numbers: [f32; 4]| -> Result<Judgement> {
        let numbers = Claim::numbers(&Array::from_slice(&[4], &numbers)?, Precision::F32)?;
        judge(&Subject::new(&loss, &z), &numbers)
    };
    let right = verdict([0.5; 4])?;
    assert!(right.verdict == Verdict::Holds, "{right:?}");
    assert!(!right.notes.iter().any(|note| matches!(note, Note::Flipped(_))), "{right:?}");
    assert_eq!(verdict([0.0; 4])?.facts.worst, Says::Convention);
    assert_eq!(verdict([0.5, 0.5, 0.51, 0.5])?.verdict, Verdict::Wrong);
    Ok(())
}

/// Of hundreds of ties, more than differences would find by halving, each entry is judged by its slopes, and the rest by
/// directions.
#[test]
fn hundreds_of_kinks() -> Result<()> {
    // A max over windows of 4 after a relu: every third window is zero.
    let (windows, width) = (600, 4);
    let data: Vec<f64> = (0..windows * width)
        .map(|k| if (k / width) % 3 == 0 { 0.0 } else { ((k * 7919) % 1013) as f64 / 1013.0 + 0.01 })
        .collect();
    let x = given(&[windows, width], &data);
    let loss = x.max(&[1], false)?.sum_all()?;
    let mut shares = vec![0.0; data.len()];
    for window in 0..windows {
        let of = &data[window * width..(window + 1) * width];
        let largest = of.iter().fold(0.0f64, |largest, x| largest.max(*x));
        let ties = of.iter().filter(|x| **x == largest).count() as f64;
        (0..width).filter(|k| of[*k] == largest).for_each(|k| shares[window * width + k] = 1.0 / ties);
    }
    let right = judged(&loss, &x, &shares);
    assert!(right.verdict == Verdict::Kink && right.passes(), "{:?} {:?}", right.verdict, right.notes);
    assert_eq!(right.kink.map(|kink| kink.entries), Some(800));
    // A mistake away from the kinks, and one outside of the slopes.
    let away = shares.iter().position(|share| *share == 1.0).expect("a window without ties");
    let mut off = shares.clone();
    off[away] = 0.9;
    assert_eq!(judged(&loss, &x, &off).verdict, Verdict::Wrong);
    let mut outside = shares.clone();
    outside[0] = 1.5;
    assert_eq!(judged(&loss, &x, &outside).verdict, Verdict::Wrong);
    Ok(())
}

/// By a symmetric matrix three conventions are in use; without the declaration one alone is right.
#[test]
fn conventions_of_symmetric_matrices() -> Result<()> {
    let s = given(&[3, 3], &[2.0, 0.5, -1.0, 0.5, 3.0, 0.25, -1.0, 0.25, 4.0]);
    let (a, b) = ([1.0, 2.0, 3.0], [0.5, -1.0, 4.0]);
    // aᵀ S b, whose free derivative is a bᵀ.
    let loss = (&given(&[3], &a) * &s.matmul(&given(&[3], &b))?)?.sum_all()?;
    let free: Vec<f64> = (0..9).map(|p| a[p / 3] * b[p % 3]).collect();
    let mirror = |p: usize| (p % 3) * 3 + p / 3;
    let halves: Vec<f64> = (0..9).map(|p| (free[p] + free[mirror(p)]) / 2.0).collect();
    let pairs: Vec<f64> =
        (0..9).map(|p| if mirror(p) == p { free[p] } else { free[p] + free[mirror(p)] }).collect();
    let doubled: Vec<f64> = free.iter().map(|entry| 2.0 * entry).collect();
    let judged = |claim: &[f64], symmetric: bool| -> Result<Judgement> {
        judge(&Subject::new(&loss, &s).by_symmetric(symmetric), &Claim::of(&given(&[3, 3], claim))?)
    };
    for (claim, moves) in [(&free, None), (&halves, Some(Moves::Halves)), (&pairs, Some(Moves::Pairs))] {
        let declared = judged(claim, true)?;
        assert_eq!(declared.verdict, Verdict::Holds, "{moves:?}: {declared:?}");
        let told = declared.notes.iter().find_map(|note| match note {
            Note::Symmetrised(moves) => Some(*moves),
            _ => None,
        });
        assert_eq!(told, moves);
        let verdict = if moves.is_none() { Verdict::Holds } else { Verdict::Wrong };
        assert_eq!(judged(claim, false)?.verdict, verdict, "{moves:?}");
    }
    assert_eq!(judged(&doubled, true)?.verdict, Verdict::Wrong);
    Ok(())
}

/// Numbers as large as −10³⁰, which are there to mask others, say nothing of how far these may be moved.
#[test]
fn masks_of_large_numbers() -> Result<()> {
    for mask in [-1e9, -1e30] {
        let z = given(&[2, 3], &[0.0, mask, 0.5, 0.0, 0.0, mask]);
        let p = z.softmax(1)?;
        let weights = [1.0, -2.0, 3.0, 0.5, 2.0, 5.0];
        let loss = (&p * &given(&[2, 3], &weights))?.sum_all()?;
        let shares = p.array()?.to_vec_f64();
        let slope: Vec<f64> = (0..6)
            .map(|k| {
                let row = k / 3 * 3..k / 3 * 3 + 3;
                let mean: f64 = row.map(|j| weights[j] * shares[j]).sum();
                shares[k] * (weights[k] - mean)
            })
            .collect();
        let right = judged(&loss, &z, &slope);
        assert_eq!(right.verdict, Verdict::Holds, "{mask}: {right:?}");
        let mut off = slope.clone();
        off[3] += 1e-6;
        assert_eq!(judged(&loss, &z, &off).verdict, Verdict::Wrong, "{mask}");
    }
    Ok(())
}

/// Beside such masks the shares are what they are, and the mask itself has a slope where it is zero.
#[test]
fn values_beside_large_masks() -> Result<()> {
    let (x, mask) = (given(&[3], &[0.3, -0.7, 1.1]), given(&[3], &[0.0, -1e30, 0.0]));
    let p = (&x + &mask)?.softmax(0)?;
    let loss = p.powf(2.0)?.sum_all()?;
    let shares = p.array()?.to_vec_f64();
    let of_shares: Vec<f64> = shares.iter().map(|share| 2.0 * share).collect();
    assert_eq!(judged(&loss, &p, &of_shares).verdict, Verdict::Holds);
    let square: f64 = shares.iter().map(|share| share * share).sum();
    let slope: Vec<f64> = shares.iter().map(|share| 2.0 * share * (share - square)).collect();
    for by in [&x, &mask] {
        let right = judged(&loss, by, &slope);
        assert_eq!(right.verdict, Verdict::Holds, "{right:?}");
    }
    Ok(())
}

/// What underflows leaves no digits to judge by, and no route is at fault.
#[test]
fn underflow() -> Result<()> {
    let x = given(&[3], &[1e-160, 2e-160, -3e-160]);
    let loss = x.powf(2.0)?.sum_all()?;
    let judgement = judged(&loss, &x, &[2e-160, 4e-160, -6e-160]);
    assert_eq!(judgement.verdict, Verdict::Vacuous, "{judgement:?}");
    assert!(!judgement.notes.iter().any(|note| matches!(note, Note::RoutesDisagree { .. })), "{judgement:?}");
    Ok(())
}

/// A kink beside pieces that fit together: its convention beside their slope is conventional, as is what all conventions come to.
#[test]
fn a_kink_among_pieces_that_fit() -> Result<()> {
    let x = given(&[2], &[0.0, 1.0]);
    let loss = (&softplus(&x)? + &x.relu()?)?.sum_all()?;
    let slope = 1.0 / (1.0 + (-1.0f64).exp());
    for (claimed, passes) in [(0.5, true), (0.0, true), (1.0, false), (1.5, false)] {
        let judgement = judged(&loss, &x, &[claimed, slope + 1.0]);
        assert_eq!((judgement.verdict, judgement.passes()), (Verdict::Kink, passes), "{claimed}");
    }
    assert_eq!(judged(&loss, &x, &[1.6, slope + 1.0]).verdict, Verdict::Wrong);
    // Two kinks beside them, one of them a tie of five.
    let tied = given(&[5], &[0.0; 5]);
    let most = tied.max(&[0], false)?;
    let loss = (&softplus(&most)? + &most.relu()?)?;
    let fifths = |share: f64| judged(&loss, &tied, &[share; 5]);
    let passes = [0.1, 0.0, 0.2].map(|share| fifths(share).passes());
    assert_eq!(passes, [true, true, false], "{:?}", fifths(0.1));
    // The same where the kink comes first: a tie of what is then fed to the smooth pieces.
    let tied = given(&[2], &[0.0, 0.0]);
    let loss = softplus(&tied.max(&[0], false)?)?;
    for (claimed, passes) in [([0.25, 0.25], true), ([0.0, 0.0], true), ([0.4, 0.1], false)] {
        let judgement = judged(&loss, &tied, &claimed);
        assert_eq!((judgement.verdict, judgement.passes()), (Verdict::Kink, passes), "{claimed:?}");
    }
    Ok(())
}

/// Of many entries each is held against its own slope, though differences are taken along directions of all of them.
#[test]
fn many_at_once() -> Result<()> {
    const SIZE: usize = 2000;
    let x: Vec<f64> = (0..SIZE).map(|k| if k % 5 < 3 { 0.0 } else { (k % 7) as f64 / 3.0 - 1.0 }).collect();
    let weights: Vec<f64> = (0..SIZE).map(|k| 1.0 + (k % 11) as f64 / 10.0).collect();
    let input = given(&[SIZE], &x);
    let y = (&softplus(&input)? * &given(&[SIZE], &weights))?.sum_all()?;
    let slopes: Vec<f64> = x.iter().zip(&weights).map(|(x, weight)| weight * sigmoid(*x)).collect();
    assert_eq!(judged(&y, &input, &slopes).verdict, Verdict::Holds);
    // One that is smooth, and one where the pieces fit together.
    for wrong in [3, 5] {
        let mut claim = slopes.clone();
        claim[wrong] *= 1.0 + 1e-9;
        let judgement = judged(&y, &input, &claim);
        assert_eq!((judgement.verdict, judgement.beyond), (Verdict::Wrong, vec![wrong]));
    }
    Ok(())
}
