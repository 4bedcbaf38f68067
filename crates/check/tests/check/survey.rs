//! Claims about one output, all at once: what is found together, and what is left to be judged by itself.

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_check::{Claim, Follows, Judgement, Note, Subject, Survey, Verdict, judge_in};
use pullback_network::{Coef, Dim, Label};
use pullback_ops::{Factor, Network, Op, Result, Site, Spec, Val};

const SIZE: usize = 40;

fn randn(seed: u64) -> Val {
    Val::new(Generator::new(seed).randn(&[SIZE, SIZE], DType::F64).expect("an array"))
}

/// Applied between the layers.
type Between = fn(usize, &Val) -> Result<Val>;

/// Residual layers, the loss, and every value on the way.
fn layers(between: Between) -> Result<(Val, Vec<Val>)> {
    let mut x = randn(1);
    let mut values = vec![x.clone()];
    for k in 0..6 {
        let weights = randn(10 + k as u64);
        let h = (&x.matmul(&weights)? * 0.1)?;
        x = between(k, &(&x + &h.tanh()?)?)?;
        values.extend([weights, h, x.clone()]);
    }
    Ok((x.powf(2.0)?.sum_all()?, values))
}

/// The gradients by all values, as they are claimed.
fn gradients(loss: &Val, values: &[Val]) -> Result<Vec<Val>> {
    pullback_autograd::grad(loss, &values.iter().collect::<Vec<_>>())
}

/// Judges claims together, and says of each what is said of it, and whether it was found together with the others.
fn judged(loss: &Val, values: &[Val], claims: &[Claim]) -> Result<Vec<(Judgement, bool)>> {
    let asked: Vec<(Subject, &Claim)> =
        values.iter().map(|value| Subject::new(loss, value)).zip(claims).collect();
    let survey = Survey::new(&asked)?;
    let of = |(subject, claim): &(Subject, &Claim)| {
        let judgement = judge_in(&survey, subject, claim)?;
        let together = judgement.notes.contains(&Note::Together(3));
        Ok((judgement, together))
    };
    asked.iter().map(of).collect()
}

fn claimed(gradients: &[Val]) -> Result<Vec<Claim>> {
    gradients.iter().map(Claim::of).collect()
}

#[test]
fn right_claims_hold_together() -> Result<()> {
    let (loss, values) = layers(|_, x| Ok(x.clone()))?;
    for (judgement, together) in judged(&loss, &values, &claimed(&gradients(&loss, &values)?)?)? {
        assert!(judgement.verdict == Verdict::Holds && together, "{judgement:?}");
        let routes = judgement.routes;
        assert!(routes.autograd.is_some() && routes.jacobian.is_some() && routes.finite_difference.is_some());
    }
    Ok(())
}

/// One that is wrong is told with its entry, and no other is.
#[test]
fn a_wrong_claim_among_them() -> Result<()> {
    let (loss, values) = layers(|_, x| Ok(x.clone()))?;
    let gradients = gradients(&loss, &values)?;
    let wrong = 7;
    let mut claims = claimed(&gradients)?;
    let mut entries = gradients[wrong].array()?.to_vec_f64();
    entries[3 * SIZE + 5] *= 1.0 + 1e-9;
    claims[wrong] = Claim::of(&Val::new(Array::from_vec(&[SIZE, SIZE], entries)?))?;
    for (number, (judgement, together)) in judged(&loss, &values, &claims)?.into_iter().enumerate() {
        assert!(together);
        let expected = if number == wrong { Verdict::Wrong } else { Verdict::Holds };
        assert_eq!(judgement.verdict, expected, "{number}");
        assert!(number != wrong || judgement.beyond == [3 * SIZE + 5], "{:?}", judgement.beyond);
    }
    Ok(())
}

/// Numbers of other code, in the digits that they have.
#[test]
fn numbers_in_single_precision() -> Result<()> {
    let (loss, values) = layers(|_, x| Ok(x.clone()))?;
    for (times, verdict) in [(1.0, Verdict::Holds), (1.001, Verdict::Wrong)] {
        let numbers = |gradient: &Val| {
            let array = gradient.array()?.map(|x| x, |x| times * x)?.cast(DType::F32)?;
            Claim::numbers(&array, Precision::F32)
        };
        let claims: Vec<Claim> = gradients(&loss, &values)?.iter().map(numbers).collect::<Result<_>>()?;
        for (judgement, together) in judged(&loss, &values, &claims)? {
            assert!(together && judgement.verdict == verdict, "{judgement:?}");
        }
    }
    Ok(())
}

/// x³, with a rule that is wrong in one entry: `Some(slope)` in the place of 3, or that forgets all.
#[derive(Debug, PartialEq)]
struct Cube {
    wrong: Option<f64>,
}

impl Op for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].map(|x| x.powi(3), |x| x.powi(3))?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let Some(wrong) = self.wrong else { return Ok(at.network()) };
        let i = Label::for_dims(at.x().dims());
        let count = at.x().shape().iter().product();
        let mut slopes = vec![3.0; count];
        slopes[count / 3] = wrong;
        let slopes = Val::new(Array::from_vec(&at.x().shape(), slopes)?);
        let payload = (&slopes * &at.x().powf(2.0)?)?;
        Ok(at.network().plus_term(Coef::one(), &i, &i, [Factor::Dense(payload, i.clone())]))
    }
}

/// |x|, with a rule that has it twice as steep on the right.
#[derive(Debug, PartialEq)]
struct Bent;

impl Op for Bent {
    fn name(&self) -> &'static str {
        "bent"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].map(f32::abs, f64::abs)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.x().dims());
        let payload = (&(&at.x().step()? * 3.0)? - 1.0)?;
        Ok(at.network().plus_term(Coef::one(), &i, &i, [Factor::Dense(payload, i.clone())]))
    }
}

/// A rule that is wrong in one entry of 1600 makes the routes disagree along each direction: then each claim is judged by itself, and
/// those that it falsifies do not pass.
#[test]
fn a_rule_that_is_wrong_in_one_entry() -> Result<()> {
    let with_cube: Between = |k, x| {
        let bent = (&Val::apply(Cube { wrong: Some(6.0) }, &[&(x * 0.5)?])? * 0.1)?;
        if k == 2 { x + &bent } else { Ok(x.clone()) }
    };
    let (loss, values) = layers(with_cube)?;
    let found = judged(&loss, &values, &claimed(&gradients(&loss, &values)?)?)?;
    for (number, (judgement, together)) in found.iter().enumerate() {
        // Values behind the third layer do not depend on the rule.
        assert!(!together);
        assert_eq!(judgement.passes(), number >= 9, "{number}: {judgement:?}");
    }
    Ok(())
}

/// Of a rule that gives zero where there is a slope nothing is seen along a direction scaled by what it gives: it is judged by itself.
#[test]
fn what_is_falsely_zero() -> Result<()> {
    let (loss, mut values) = layers(|_, x| Ok(x.clone()))?;
    let forgotten = randn(30);
    let loss = (&loss + &Val::apply(Cube { wrong: None }, &[&forgotten])?.sum_all()?)?;
    values.push(forgotten);
    let zeros = Val::new(Array::zeros(&[SIZE, SIZE], DType::F64)?);
    let mut claims = claimed(&gradients(&loss, &values[..values.len() - 1])?)?;
    claims.push(Claim::of(&zeros)?.written_as_zeros(true));
    let found = judged(&loss, &values, &claims)?;
    let (last, others) = found.split_last().expect("some");
    assert!(!last.0.passes() && !last.1, "{:?}", last.0);
    assert!(others.iter().all(|(judgement, together)| judgement.passes() && *together));
    Ok(())
}

/// What moves the loss by a billionth of what the others do is judged by itself, and so its rule is.
#[test]
fn what_hardly_moves_the_loss() -> Result<()> {
    for (wrong, passes) in [(3.0, true), (6.0, false)] {
        let (loss, mut values) = layers(|_, x| Ok(x.clone()))?;
        let small = (&randn(30).abs()? + 0.5)?;
        let small = Val::new(small.array()?.clone());
        let cubes = Val::apply(Cube { wrong: Some(wrong) }, &[&small])?.sum_all()?;
        let loss = (&loss + &(&cubes * 1e-9)?)?;
        values.push(small);
        let found = judged(&loss, &values, &claimed(&gradients(&loss, &values)?)?)?;
        let (last, others) = found.split_last().expect("some");
        assert!(!last.1 && last.0.passes() == passes, "{:?}", last.0);
        assert!(others.iter().all(|(judgement, together)| judgement.passes() && *together));
    }
    Ok(())
}

/// Zeros in some places.
fn mask(zeros: usize) -> Val {
    let entries = (0..SIZE * SIZE).map(|k| if k < zeros { 0.0 } else { 1.0 }).collect::<Vec<f64>>();
    Val::new(Array::from_vec(&[SIZE, SIZE], entries).expect("an array"))
}

/// What x is here is taken off it, but for all but some entries: these are at 0, and move.
fn at_zero(x: &Val, some: usize) -> Result<Val> {
    &(x - &Val::new(x.array()?.clone()))? * &mask(SIZE * SIZE - some)
}

/// What a mask holds at a kink moves with nothing, and there all is smooth.
#[test]
fn kinks_behind_a_mask() -> Result<()> {
    let masked: Between = |k, x| if k == 3 { (x * &mask(600))?.relu() } else { Ok(x.clone()) };
    let (loss, values) = layers(masked)?;
    for (judgement, together) in judged(&loss, &values, &claimed(&gradients(&loss, &values)?)?)? {
        assert!(together && judgement.passes(), "{judgement:?}");
    }
    Ok(())
}

/// The entries that move something away from a kink are told to be there, and follow conventions; all others hold.
#[test]
fn kinks_on_the_way() -> Result<()> {
    let at_kink: Between = |k, x| if k == 3 { x + &at_zero(x, 1)?.abs()? } else { Ok(x.clone()) };
    let (loss, values) = layers(at_kink)?;
    let gradients = gradients(&loss, &values)?;
    let claims = claimed(&gradients)?;
    for (number, (judgement, together)) in judged(&loss, &values, &claims)?.into_iter().enumerate() {
        assert!(together && judgement.passes(), "{number}: {judgement:?}");
        // Values behind the fourth layer are not moved there.
        let expected = if number < 12 { Verdict::Kink } else { Verdict::Holds };
        assert_eq!(judgement.verdict, expected, "{number}");
    }
    // The last row of x is at the kink. What lies between both slopes follows another convention, and what lies outside none.
    let (last, beside) = (SIZE * SIZE - 1, SIZE * SIZE - 2 * SIZE);
    let found = judged(&loss, &values, &claims)?.remove(0).0.kink.expect("a kink");
    assert_eq!(found.entries, SIZE);
    let with = |position: usize, value: f64| -> Result<Judgement> {
        let mut claims = claimed(&gradients)?;
        let mut entries = gradients[0].array()?.to_vec_f64();
        entries[position] = value;
        claims[0] = Claim::of(&Val::new(Array::from_vec(&[SIZE, SIZE], entries)?))?;
        Ok(judged(&loss, &values, &claims)?.remove(0).0)
    };
    let stated = gradients[0].array()?.to_vec_f64();
    let one = with(last, stated[last] * (1.0 + 1e-6))?;
    let kink = one.kink.clone().expect("a kink");
    assert!(one.verdict == Verdict::Kink && !one.passes(), "{one:?}");
    let outside = 2.0 * kink.left.max(kink.right) - kink.left.min(kink.right);
    assert_eq!(with(last, outside)?.verdict, Verdict::Wrong);
    assert_eq!(with(beside, stated[beside] * (1.0 + 1e-6))?.verdict, Verdict::Wrong);
    Ok(())
}

/// A rule that is wrong on one side of a kink is not taken for granted there: what is at it is judged by itself.
#[test]
fn a_rule_that_is_wrong_beside_a_kink() -> Result<()> {
    let bent: Between = |k, x| match k {
        3 => x + &Val::apply(Bent, &[&at_zero(x, 5)?])?,
        _ => Ok(x.clone()),
    };
    let (loss, values) = layers(bent)?;
    let found = judged(&loss, &values, &claimed(&gradients(&loss, &values)?)?)?;
    for (number, (judgement, together)) in found.iter().enumerate() {
        assert_eq!(*together, number >= 12, "{number}: {judgement:?}");
    }
    Ok(())
}

/// Where pieces fit together there is a derivative, that of the program without them, and what conventions come to is none.
#[test]
fn pieces_that_fit() -> Result<()> {
    let pieces: Between = |k, x| match k {
        3 => {
            let zero = at_zero(x, 5)?;
            x + &(&zero.relu()? - &(&zero * -1.0)?.relu()?)?
        }
        _ => Ok(x.clone()),
    };
    let smooth: Between = |k, x| if k == 3 { x + &at_zero(x, 5)? } else { Ok(x.clone()) };
    let (loss, values) = layers(pieces)?;
    let conventions = claimed(&gradients(&loss, &values)?)?;
    let (smooth, of_smooth) = layers(smooth)?;
    let right = claimed(&gradients(&smooth, &of_smooth)?)?;
    for (number, (judgement, together)) in judged(&loss, &values, &right)?.into_iter().enumerate() {
        assert!(together && judgement.verdict == Verdict::Holds, "{number}: {judgement:?}");
    }
    for (number, (judgement, together)) in judged(&loss, &values, &conventions)?.into_iter().enumerate() {
        let expected = if number < 12 { Verdict::Wrong } else { Verdict::Holds };
        assert!(together && judgement.verdict == expected, "{number}: {judgement:?}");
    }
    Ok(())
}

/// The largest of pairs of which some tie: PyTorch's max pooling gives all to the first of these.
#[test]
fn ties_of_many() -> Result<()> {
    let x = Val::new(Generator::new(7).randn(&[480, 80], DType::F64)?);
    let weights = Val::new(Generator::new(8).randn(&[4800], DType::F64)?);
    let relu = x.relu()?;
    let largest = relu.reshape(&[Dim::new(4800), Dim::new(8)])?.max(&[1], false)?;
    let loss = (&largest.powf(2.0)? + &(&largest * &weights)?)?.sum_all()?;
    let values = vec![x, relu, largest];
    let gradients = gradients(&loss, &values)?;
    let found = judged(&loss, &values, &claimed(&gradients)?)?;
    assert_eq!(
        found.iter().map(|(found, _)| found.verdict).collect::<Vec<_>>(),
        [Verdict::Holds, Verdict::Kink, Verdict::Holds]
    );
    assert!(found.iter().all(|(found, together)| found.passes() && *together));
    let mut first = gradients[1].array()?.to_vec_f64();
    for window in first.chunks_exact_mut(8) {
        if window.iter().all(|share| *share == window[0]) {
            window[0] *= 8.0;
            window[1..].fill(0.0);
        }
    }
    let mut claims = claimed(&gradients)?;
    claims[1] = Claim::of(&Val::new(Array::from_vec(&[480, 80], first)?))?;
    let (judgement, _) = judged(&loss, &values, &claims)?.remove(1);
    let kink = judgement.kink.clone().expect("a kink");
    assert!(judgement.verdict == Verdict::Kink && !judgement.passes(), "{judgement:?}");
    assert_eq!(kink.follows, Some(Follows::FirstOfTies));
    Ok(())
}
