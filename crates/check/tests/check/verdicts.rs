//! Claims whose verdict is known, each judged through one function.

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_check::{
    Claim, ClaimLayout, Judgement, Note, Says, Subject, Verdict, deviation, judge, judge_shape,
};
use pullback_network::{Coef, Label};
use pullback_ops::{Error, Factor, Network, Op, Result, Site, Spec, Val};

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

fn given(shape: &[usize], data: &[f64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

#[track_caller]
fn check(of: &Val, wrt: &Val, claim: &Val, expected: Verdict) -> Judgement {
    let judgement = judge(&Subject::new(of, wrt), &Claim::of(claim).expect("a claim")).expect("a judgement");
    assert_eq!(judgement.verdict, expected, "{judgement:?}");
    judgement
}

/// W x through RMSNorm to Σ v², and its gradients by hand.
struct Layer {
    w: Val,
    x: Val,
    a: Val,
    u: Val,
    v: Val,
    loss: Val,
}

fn layer(m: usize, n: usize) -> Result<Layer> {
    let (w, x, g) = (randn(1, &[m, n]), randn(2, &[n]), randn(3, &[m]));
    let a = w.matmul(&x)?;
    let u = a.powf(2.0)?.mean_all()?.sqrt()?;
    let v = (&g * &(&a / &u)?)?;
    let loss = v.powf(2.0)?.sum_all()?;
    Ok(Layer { w, x, a, u, v, loss })
}

#[test]
fn right_and_wrong_gradients() -> Result<()> {
    let Layer { w, x, a, u, v, loss } = layer(3, 5)?;
    let dv = (2.0 * &v)?;
    check(&loss, &v, &dv, Verdict::Holds);
    check(&loss, &v, &(-&dv)?, Verdict::Wrong);
    check(&loss, &v, &(1.000_000_1 * &dv)?, Verdict::Wrong);
    let wrong = check(&loss, &v, &(&dv + &given(&[3], &[0.0, 1e-9, 0.0]))?, Verdict::Wrong);
    assert_eq!(wrong.worst.map(|worst| worst.at), Some(vec![1]));
    check(&loss, &v, &dv.sum_all()?, Verdict::Shape);

    // ∂v/∂a with u following, and with u held.
    let g = (&v / &(&a / &u)?)?;
    let projection = (&given(&[3, 3], &[1., 0., 0., 0., 1., 0., 0., 0., 1.])
        - &(&a.outer(&a)? / &(3.0 * &u.powf(2.0)?)?)?)?;
    let total = g.diag()?.matmul(&(&projection / &u)?)?;
    check(&v, &a, &total, Verdict::Holds);
    let held = (&g / &u)?.diag()?;
    check(&v, &a, &held, Verdict::Wrong);
    let partial = Subject::new(&v, &a).holding(&[u]);
    assert_eq!(judge(&partial, &Claim::of(&held)?)?.verdict, Verdict::Holds);
    assert_eq!(judge(&partial, &Claim::of(&total)?)?.verdict, Verdict::Wrong);

    // The Jacobian by the weights, as a tensor and as a matrix in both layouts.
    let tensor = Val::einsum("ip,q->ipq", &[&given(&[3, 3], &[1., 0., 0., 0., 1., 0., 0., 0., 1.]), &x])?;
    check(&a, &w, &tensor, Verdict::Holds);
    let eye = given(&[3, 3], &[1., 0., 0., 0., 1., 0., 0., 0., 1.]);
    let (by_rows, by_columns) = (eye.kron(&x)?, x.kron(&eye)?);
    check(&a, &w, &by_rows, Verdict::Holds);
    check(&a, &w, &by_columns, Verdict::Wrong);
    let subject = Subject::new(&a, &w);
    assert_eq!(
        judge(&subject, &Claim::of(&by_columns)?.in_layout(ClaimLayout::Column))?.verdict,
        Verdict::Holds
    );
    assert_eq!(
        judge(&subject, &Claim::of(&by_rows)?.in_layout(ClaimLayout::Column))?.verdict,
        Verdict::Wrong
    );
    assert_eq!(judge_shape(&subject, &[3, 3, 5]).verdict, Verdict::Holds);
    assert_eq!(judge_shape(&subject, &[3, 15]).verdict, Verdict::Holds);
    assert_eq!(judge_shape(&subject, &[5, 3]).verdict, Verdict::Shape);
    Ok(())
}

#[test]
fn single_precision_gets_its_own_tolerance() -> Result<()> {
    let Layer { v, loss, .. } = layer(3, 5)?;
    let exact = (2.0 * &v)?;
    let rounded = exact.array()?.cast(DType::F32)?;
    let subject = Subject::new(&loss, &v);
    assert_eq!(judge(&subject, &Claim::evaluated(&rounded, &exact)?)?.verdict, Verdict::Holds);
    let off = rounded.map(|x| x * 1.000_01, |x| x)?;
    assert_eq!(judge(&subject, &Claim::evaluated(&off, &exact)?)?.verdict, Verdict::Wrong);
    assert_eq!(judge(&subject, &Claim::numbers(&rounded, Precision::F32)?)?.verdict, Verdict::Holds);
    Ok(())
}

/// Numbers of two digits are judged by the entries that two digits tell, and could not have failed where these tell none.
#[test]
fn numbers_of_few_digits() -> Result<()> {
    let x = given(&[3], &[1.0, -2.0, 3.0]);
    let verdict = |loss: &Val, numbers: &[f32], precision: Precision| -> Result<Verdict> {
        let numbers = Array::from_slice(&[3], numbers)?;
        Ok(judge(&Subject::new(loss, &x), &Claim::numbers(&numbers, precision)?)?.verdict)
    };
    let loss = x.powf(2.0)?.sum_all()?;
    // One unit in the last place of bf16, and of f16.
    for (off, precision) in [(1.0 / 128.0, Precision::BF16), (1.0 / 1024.0, Precision::F16)] {
        assert_eq!(verdict(&loss, &[2.0 + 2.0 * off, -4.0, 6.0], precision)?, Verdict::Holds);
        assert_eq!(verdict(&loss, &[2.0 + 64.0 * off, -4.0, 6.0], precision)?, Verdict::Wrong);
    }
    // A difference of large numbers, 2000 x − 1998 x: three digits are lost, and bf16 has no more.
    let (p, q, total) = (given(&[], &[1000.0]), given(&[], &[999.0]), x.powf(2.0)?.sum_all()?);
    let loss = (&(&p * &total)? - &(&q * &total)?)?;
    assert_eq!(verdict(&loss, &[2.0, -4.0, 6.0], Precision::F32)?, Verdict::Holds);
    assert_eq!(verdict(&loss, &[0.0, 9.0, 1.0], Precision::BF16)?, Verdict::Vacuous);
    // In f16 underflow is far from zero.
    let small = (1e-8 * &x.powf(2.0)?.sum_all()?)?;
    assert_eq!(verdict(&small, &[0.0, 0.0, 0.0], Precision::F16)?, Verdict::Vacuous);
    assert_eq!(verdict(&small, &[0.0, 0.0, 0.0], Precision::BF16)?, Verdict::Wrong);
    Ok(())
}

/// 2 x, rounded to bf16 as hardware does, to even: it holds. The same times 1.015 is nowhere off by more than bf16 may be, and
/// cannot be rounding all together.
#[test]
fn numbers_that_are_off_in_proportion() -> Result<()> {
    let (x, c) = (randn(7, &[256]), randn(8, &[256]).sin()?);
    let c = Val::new(c.array()?.clone());
    // What is stored on the way moves each entry farther than being stored itself.
    let loss = (&x * &c)?.powf(2.0)?.sum_all()?;
    let judged = |times: f64| -> Result<Judgement> {
        let rounded = |(x, c): (f64, f64)| {
            let bits = ((2.0 * times * x * c * c) as f32).to_bits();
            f32::from_bits((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
        };
        let numbers: Vec<f32> =
            x.array()?.to_vec_f64().into_iter().zip(c.array()?.to_vec_f64()).map(rounded).collect();
        let numbers = Claim::numbers(&Array::from_slice(&[256], &numbers)?, Precision::BF16)?;
        judge(&Subject::new(&loss, &x), &numbers)
    };
    assert_eq!(judged(1.0)?.verdict, Verdict::Holds);
    let wrong = judged(1.015)?;
    assert_eq!(wrong.verdict, Verdict::Wrong, "{wrong:?}");
    assert!(wrong.error_in_tolerances.is_some_and(|ratio| ratio <= 1.0), "{wrong:?}");
    let said = wrong.notes.iter().find_map(|note| match note {
        Note::OutOfProportion { times } => Some(*times),
        _ => None,
    });
    // bf16 has steps of 1/128 at the most, and 256 entries average them.
    assert!(said.is_some_and(|times| (times - 1.015).abs() < 1.0 / 128.0), "{wrong:?}");
    Ok(())
}

#[test]
fn other_code_may_compute_another_function() -> Result<()> {
    let y = given(&[2, 2], &[1.0, 0.0, 2.0, 4.0]).log()?;
    let off = |numbers: [f64; 4], precision| deviation(&y, &Array::from_slice(&[2, 2], &numbers)?, precision);
    let infinity = f64::NEG_INFINITY;
    let right = [0.0, infinity, 2f64.ln(), 4f64.ln()];
    assert_eq!(off(right, Precision::F64)?, None);
    assert_eq!(off([0.0, infinity, 0.69, 1.39], Precision::BF16)?, None);
    // ln 4 by the logarithm to base 2.
    let found = off([0.0, infinity, 1.0, 2.0], Precision::BF16)?.expect("another function");
    assert_eq!((found.at, found.claimed, found.expected), (vec![1, 1], 2.0, 4f64.ln()));
    let found = off([0.0, 0.0, right[2], right[3]], Precision::BF16)?.expect("no infinity");
    assert_eq!((found.at, found.claimed), (vec![0, 1], 0.0));
    assert!(off([f64::NAN, infinity, right[2], right[3]], Precision::F64)?.is_some());
    assert!(deviation(&y, &Array::from_slice(&[4], &right)?, Precision::F64).is_err());
    Ok(())
}

#[test]
fn second_derivatives() -> Result<()> {
    let (x, y) = (randn(4, &[3]), randn(5, &[2]));
    let loss = (&x.powf(3.0)?.sum_all()? * &y.powf(2.0)?.sum_all()?)?;
    let total = y.powf(2.0)?.sum_all()?;
    let own = (&(6.0 * &x)?.diag()? * &total)?;
    let mixed = (6.0 * &x.powf(2.0)?.outer(&y)?)?;
    let verdict = |subject: &Subject, claim: &Val| -> Result<Verdict> {
        Ok(judge(subject, &Claim::of(claim)?)?.verdict)
    };
    assert_eq!(verdict(&Subject::second(&loss, &x, &x), &own)?, Verdict::Holds);
    assert_eq!(verdict(&Subject::second(&loss, &x, &y), &mixed)?, Verdict::Holds);
    assert_eq!(verdict(&Subject::second(&loss, &y, &x), &mixed.transpose()?)?, Verdict::Holds);
    assert_eq!(verdict(&Subject::second(&loss, &y, &x), &mixed)?, Verdict::Shape);
    assert_eq!(verdict(&Subject::second(&loss, &x, &x), &(0.5 * &own)?)?, Verdict::Wrong);
    Ok(())
}

#[test]
fn kinks_follow_a_convention_or_do_not() -> Result<()> {
    let x = given(&[3], &[-1.5, 0.0, 2.0]);
    let loss = x.relu()?.sum_all()?;
    let conventional = check(&loss, &x, &given(&[3], &[0.0, 0.0, 1.0]), Verdict::Kink);
    assert!(conventional.passes());
    let kink = conventional.kink.expect("a kink");
    assert!(kink.at == [1] && kink.left.abs() < 1e-6 && (kink.right - 1.0).abs() < 1e-6, "{kink:?}");
    let other = check(&loss, &x, &given(&[3], &[0.0, 0.5, 1.0]), Verdict::Kink);
    assert!(!other.passes());
    check(&loss, &x, &given(&[3], &[0.0, 1.5, 1.0]), Verdict::Wrong);
    check(&loss, &x, &given(&[3], &[0.0, 0.0, 0.9]), Verdict::Wrong);

    // A tie: each of the tied elements has a slope on one side only.
    let tied = given(&[3], &[2.0, 2.0, 1.0]);
    assert!(check(&tied.max(&[0], false)?, &tied, &given(&[3], &[0.5, 0.5, 0.0]), Verdict::Kink).passes());
    assert!(!check(&tied.max(&[0], false)?, &tied, &given(&[3], &[1.0, 0.0, 0.0]), Verdict::Kink).passes());
    // Close to a kink there is none.
    let close = given(&[2], &[1e-6, -1e-6]);
    check(&close.abs()?.sum_all()?, &close, &given(&[2], &[1.0, -1.0]), Verdict::Holds);
    Ok(())
}

#[test]
fn what_could_not_have_failed_is_vacuous() -> Result<()> {
    let z = randn(6, &[5]);
    let total = z.softmax(0)?.sum_all()?;
    check(&total, &z, &(&z - &z)?, Verdict::Vacuous);
    check(&total, &z, &given(&[5], &[0.0, 0.0, 1e-3, 0.0, 0.0]), Verdict::Wrong);
    let zeros = given(&[5], &[0.0; 5]);
    let claim = Claim::of(&zeros)?.written_as_zeros(true);
    let judgement = judge(&Subject::new(&total, &z), &claim)?;
    assert_eq!((judgement.verdict, judgement.notes.as_slice()), (Verdict::Holds, &[Note::Zero][..]));
    let unrelated = randn(7, &[5]);
    let judgement = judge(&Subject::new(&total, &unrelated), &claim)?;
    assert_eq!((judgement.verdict, judgement.notes.as_slice()), (Verdict::Holds, &[Note::NoPath][..]));
    check(&total, &unrelated, &zeros, Verdict::Vacuous);

    let nan = given(&[2], &[f64::NAN, 1.0]);
    check(&nan.sum_all()?, &nan, &given(&[2], &[1.0, 1.0]), Verdict::NotFinite);
    let row = given(&[1, 3], &[1.0, 1.0, 1.0]);
    let x = given(&[3], &[1.0, 2.0, 4.0]);
    let judgement = check(&x.sum_all()?, &x, &row, Verdict::Shape);
    assert_eq!(judgement.notes, [Note::EqualByBroadcasting]);
    Ok(())
}

/// Beyond the entries that are tried one by one, random directions find a single wrong one.
#[test]
fn large_inputs_are_probed_along_directions() -> Result<()> {
    let (w, x) = (randn(8, &[37, 41]), randn(9, &[41]));
    let loss = w.matmul(&x)?.tanh()?.powf(2.0)?.sum_all()?;
    let t = w.matmul(&x)?.tanh()?;
    let right = (2.0 * &(&t * &(1.0 - &t.powf(2.0)?)?)?)?.outer(&x)?;
    let judgement = check(&loss, &w, &right, Verdict::Holds);
    assert!(matches!(judgement.notes.as_slice(), [Note::Directions(15)]), "{:?}", judgement.notes);
    let mut data = right.array()?.to_vec_f64();
    data[37 * 20 + 5] += 1e-7;
    let wrong = check(&loss, &w, &given(&[37, 41], &data), Verdict::Wrong);
    assert_eq!(wrong.worst.map(|worst| worst.at), Some(vec![(37 * 20 + 5) / 41, (37 * 20 + 5) % 41]));
    Ok(())
}

/// y = x³ with a rule that says 3x² at one element and 2x² at the others: wrong in the table, and so on both routes that
/// use it.
#[derive(Debug, PartialEq)]
struct WrongRule;

impl Op for WrongRule {
    fn name(&self) -> &'static str {
        "wrong_rule"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].map(|x| x.powi(3), |x| x.powi(3))?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.x().dims());
        let count = at.x().shape().iter().product();
        let mut slopes = vec![3.0; count];
        slopes[count / 3] = 2.0;
        let slopes = Val::new(Array::from_vec(&at.x().shape(), slopes)?);
        let payload = (&slopes * &at.x().powf(2.0)?)?;
        Ok(at.network().plus_term(Coef::one(), &i, &i, [Factor::Dense(payload, i.clone())]))
    }
}

#[test]
fn a_wrong_rule_does_not_pass() -> Result<()> {
    for count in [7, 2000] {
        let x = (&randn(10, &[count]).abs()? + 0.5)?;
        let x = Val::new(x.array()?.clone());
        let loss = Val::apply(WrongRule, &[&x])?.sum_all()?;
        let by_rule = pullback_autograd::grad(&loss, &[&x])?.remove(0);
        let judgement = check(&loss, &x, &by_rule, Verdict::Ambiguous);
        assert!(judgement.notes.iter().any(|note| matches!(note, Note::RoutesDisagree { .. })));
        assert_eq!(judgement.worst.map(|worst| worst.at), Some(vec![count / 3]), "{count}");
        let by_hand = (3.0 * &x.powf(2.0)?)?;
        assert!(!judge(&Subject::new(&loss, &x), &Claim::of(&by_hand)?)?.passes());
    }
    // Nor where the program changes over lengths far shorter than x is large: the first slope is the wrong one.
    for short in [1e-3, 1e-6, 1e-8] {
        let x = given(&[2], &[1.0, 2.0]);
        for inner in [(1.0 / &(&x - (1.0 - short))?)?, (&(&x - (1.0 + short))?.abs()? + 1.0)?] {
            let loss = Val::apply(WrongRule, &[&inner])?.sum_all()?;
            let by_rule = pullback_autograd::grad(&loss, &[&x])?.remove(0);
            let judgement = check(&loss, &x, &by_rule, Verdict::Ambiguous);
            assert!(judgement.notes.iter().any(|note| matches!(note, Note::RoutesDisagree { .. })));
        }
    }
    Ok(())
}

#[test]
fn a_singular_program_is_an_error_and_no_verdict() {
    let singular = given(&[2, 2], &[1.0, 2.0, 2.0, 4.0]);
    let result: std::result::Result<Judgement, Error> = (|| {
        let loss = singular.inv()?.sum_all()?;
        judge(&Subject::new(&loss, &singular), &Claim::of(&singular)?)
    })();
    assert!(result.is_err());
}

/// Each entry has its own tolerance: a small one beside a large one is not excused.
#[test]
fn entries_of_very_different_sizes() -> Result<()> {
    let x = given(&[2], &[0.0, 25.0]);
    let loss = x.exp()?.sum_all()?;
    let large = 25f64.exp();
    check(&loss, &x, &given(&[2], &[1.0, large]), Verdict::Holds);
    check(&loss, &x, &given(&[2], &[1.0001, large]), Verdict::Wrong);
    check(&loss, &x, &given(&[2], &[0.0, large]), Verdict::Wrong);
    let x = given(&[3], &[1e-3, 1.0, 1e13]);
    let loss = x.powf(2.0)?.sum_all()?;
    check(&loss, &x, &given(&[3], &[0.0, 2.0, 2e13]), Verdict::Wrong);
    let judgement = check(&loss, &x, &(2.0 * &x)?, Verdict::Holds);
    assert!(judgement.notes.iter().any(|note| matches!(note, Note::Unseen(_))), "{:?}", judgement.notes);
    Ok(())
}

/// Where rounding leaves a claim no digits, or finite differences none to judge by, nothing holds.
#[test]
fn what_rounding_hides_does_not_hold() -> Result<()> {
    let x = given(&[3], &[1.0, 2.0, 3.0]);
    let loss = x.powf(2.0)?.sum_all()?;
    let hidden = (&(&(1.5 * &x)? + 2e15)? - 2e15)?;
    assert!(!judge(&Subject::new(&loss, &x), &Claim::of(&hidden)?)?.passes());
    let offset = (&(3.0 * &x)?.sum_all()? + 1e13)?;
    assert!(!judge(&Subject::new(&offset, &x), &Claim::of(&given(&[3], &[2.5; 3]))?)?.passes());
    Ok(())
}

#[test]
fn second_derivatives_with_values_held() -> Result<()> {
    let x = given(&[], &[3.0]);
    let u = x.powf(1.0)?;
    let u = (&u * 1.0)?;
    let loss = (&x.powf(2.0)? * &u)?;
    let held = Subject::second(&loss, &x, &x).holding(&[u]);
    assert_eq!(judge(&held, &Claim::of(&given(&[], &[6.0]))?)?.verdict, Verdict::Holds);
    assert_eq!(judge(&held, &Claim::of(&given(&[], &[12.0]))?)?.verdict, Verdict::Wrong);
    Ok(())
}

/// Right claims close to where a program ends, or where it is lost in rounding: never wrong.
#[test]
fn right_claims_at_the_edge_of_a_domain() -> Result<()> {
    let x = given(&[2], &[1e-8, 1.0]);
    check(&x.log()?.sum_all()?, &x, &(1.0 / &x)?, Verdict::Holds);
    check(&x.sqrt()?.sum_all()?, &x, &(0.5 / &x.sqrt()?)?, Verdict::Holds);
    for at in [18.0, 20.0, 22.0, 25.0] {
        let z = given(&[1], &[at]);
        let p = z.sigmoid()?;
        let loss = (1.0 - &p)?.log()?.sum_all()?;
        let judgement = judge(&Subject::new(&loss, &z), &Claim::of(&(-&p)?)?)?;
        assert!(!matches!(judgement.verdict, Verdict::Wrong | Verdict::Kink), "{at}: {judgement:?}");
    }
    for edge in [1e-10, 1e-6] {
        let x = given(&[1], &[1.0 + edge]);
        let root = (&x - 1.0)?.sqrt()?;
        let judgement = judge(&Subject::new(&root.sum_all()?, &x), &Claim::of(&(0.5 / &root)?)?)?;
        assert_ne!(judgement.verdict, Verdict::Wrong, "{edge}: {judgement:?}");
    }
    Ok(())
}

#[test]
fn kinks_near_and_far() -> Result<()> {
    // A point that is close to a kink only beside the size of another entry.
    for data in [[1e-3, 1e6], [1e-9, 2.0], [-1e-9, 2.0]] {
        let x = given(&[2], &data);
        let loss = x.relu()?.sum_all()?;
        let slope = if data[0] > 0.0 { 1.0 } else { 0.0 };
        check(&loss, &x, &given(&[2], &[slope, 1.0]), Verdict::Holds);
        check(&loss, &x, &given(&[2], &[0.5, 1.0]), Verdict::Wrong);
    }
    // A kink everywhere, and zeros.
    let x = given(&[2], &[0.0, 0.0]);
    let zeros = Claim::of(&given(&[2], &[0.0, 0.0]))?.written_as_zeros(true);
    assert_eq!(judge(&Subject::new(&x.abs()?.sum_all()?, &x), &zeros)?.verdict, Verdict::Kink);
    // A tie does not widen the tolerance of what is not tied.
    let x = given(&[4], &[2.0, 2.0, 1.0, 0.5]);
    let loss = (&x.max(&[0], false)? + &x.powf(2.0)?.sum_all()?)?;
    assert!(check(&loss, &x, &given(&[4], &[4.5, 4.5, 2.0, 1.0]), Verdict::Kink).passes());
    check(&loss, &x, &given(&[4], &[4.5, 4.5, 2.000_000_1, 1.0]), Verdict::Wrong);
    // One kink among many entries, which are probed along directions.
    let mut data = randn(11, &[2000]).array()?.to_vec_f64();
    data[700] = 0.0;
    let x = given(&[2000], &data);
    let judgement = check(&x.relu()?.sum_all()?, &x, &x.step()?, Verdict::Kink);
    assert!(judgement.passes() && judgement.kink.is_some_and(|kink| kink.at == [700]));
    Ok(())
}

#[test]
fn a_program_in_single_precision_is_refused() -> Result<()> {
    let x = Val::new(Array::from_slice(&[2], &[1.0f32, 2.0])?);
    let loss = x.powf(2.0)?.sum_all()?;
    assert!(judge(&Subject::new(&loss, &x), &Claim::of(&(2.0 * &x)?)?).is_err());
    Ok(())
}

/// A claim of another shape about a Jacobian that no memory would hold is judged all the same.
#[test]
fn a_wrong_shape_costs_nothing() -> Result<()> {
    let x = randn(12, &[100_000]);
    let judgement = check(&x.exp()?, &x, &given(&[2], &[1.0, 2.0]), Verdict::Shape);
    assert_eq!(judgement.shape, [100_000, 100_000]);
    Ok(())
}

/// Attention over attention: what the joined Jacobian loses to rounding is not held against the claim.
#[test]
fn deep_attention() -> Result<()> {
    let mut z = randn(20, &[7, 5]);
    let x = z.clone();
    for layer in 0..5 {
        let weight = |k: u64| randn(30 + 10 * layer + k, &[5, 5]);
        let (q, k, v) = (z.matmul(&weight(0))?, z.matmul(&weight(1))?, z.matmul(&weight(2))?);
        z = (&z + &q.matmul(&k.transpose()?)?.softmax(1)?.matmul(&v)?)?;
    }
    let loss = z.powf(2.0)?.sum_all()?;
    let gradient = pullback_autograd::grad(&loss, &[&x])?.remove(0);
    let judgement = judge(&Subject::new(&loss, &x), &Claim::of(&gradient)?)?;
    assert!(matches!(judgement.verdict, Verdict::Holds | Verdict::Vacuous), "{judgement:?}");
    Ok(())
}

/// Where half of the entries are at kinks each is judged by its slopes, and the others along directions that leave these out.
#[test]
fn kinks_in_every_direction() -> Result<()> {
    // relu makes half of the entries 0, and |·| has a kink there.
    let z = Val::new(randn(13, &[2000]).relu()?.array()?.clone());
    let loss = z.abs()?.sum_all()?;
    let judgement = judge(&Subject::new(&loss, &z), &Claim::of(&z.sign()?)?)?;
    assert!(judgement.verdict == Verdict::Kink && judgement.passes(), "{judgement:?}");
    // The same with a wrong rule beside it, on few kinks and on many.
    for zeros in [3, 600] {
        let mut data = randn(14, &[2000]).abs()?.array()?.to_vec_f64();
        data[..zeros].fill(0.0);
        let x = given(&[2000], &data);
        let loss = (&Val::apply(WrongRule, &[&x])?.sum_all()? + &x.abs()?.sum_all()?)?;
        let by_rule = pullback_autograd::grad(&loss, &[&x])?.remove(0);
        assert!(!judge(&Subject::new(&loss, &x), &Claim::of(&by_rule)?)?.passes(), "{zeros}");
    }
    Ok(())
}

/// At a jump there is no slope, and what the operations state there is a convention: it is told as one. Another value passes
/// as little as it does at a kink, and the entries beside the jump are judged as ever.
#[test]
fn jumps_are_told_as_such() -> Result<()> {
    let x = given(&[2], &[0.0, 3.0]);
    let square = (&x.step()? * &(&x * &x)?)?;
    let (steps, stairs) = (x.step()?.sum_all()?, (&square + &x.step()?)?.sum_all()?);
    let signs = x.sign()?.sum_all()?;
    let cases: [(&Val, [f64; 2], Verdict, bool); 6] = [
        (&steps, [0.0, 0.0], Verdict::Kink, true),
        (&signs, [0.0, 0.0], Verdict::Kink, true),
        (&stairs, [0.0, 6.0], Verdict::Kink, true),
        (&stairs, [1.0, 6.0], Verdict::Kink, false),
        (&stairs, [-1.0, 6.0], Verdict::Wrong, false),
        (&stairs, [0.0, 6.1], Verdict::Wrong, false),
    ];
    for (loss, claimed, verdict, passes) in cases {
        let claim = Claim::of(&given(&[2], &claimed))?.written_as_zeros(claimed == [0.0, 0.0]);
        let judgement = judge(&Subject::new(loss, &x), &claim)?;
        assert_eq!((judgement.verdict, judgement.passes()), (verdict, passes), "{claimed:?}: {judgement:?}");
    }
    let slopes = |loss: &Val| -> Result<Option<[f64; 2]>> {
        let judgement = judge(&Subject::new(loss, &x), &Claim::of(&given(&[2], &[0.0, 6.0]))?)?;
        Ok(judgement.kink.map(|kink| [kink.left, kink.right]))
    };
    assert_eq!(slopes(&stairs)?, Some([0.0, f64::INFINITY]));
    Ok(())
}

/// relu(x) − relu(−x) is x, but the conventions at 0 make its slope 0 there. Beside another relu it is at a kink, and what the
/// conventions come to is no subgradient; it is the conventional value all the same, and told as such.
#[test]
fn conventions_that_do_not_compose() -> Result<()> {
    let x = given(&[1], &[0.0]);
    let line = (&x.relu()? - &x.negated()?.relu()?)?;
    let loss = (&(3.0 * &line)? + &x.relu()?)?.sum_all()?;
    let judgement = judge(&Subject::new(&loss, &x), &Claim::of(&given(&[1], &[0.0]))?)?;
    assert_eq!((judgement.verdict, judgement.facts.worst), (Verdict::Kink, Says::Conventional));
    assert!(judgement.passes());
    let inside = judge(&Subject::new(&loss, &x), &Claim::of(&given(&[1], &[3.5]))?)?;
    assert!(inside.verdict == Verdict::Kink && !inside.passes(), "{inside:?}");
    Ok(())
}

/// Hilbert matrices, whose inverses keep few digits or none: a right claim may be beyond judging, and is never wrong.
#[test]
fn badly_conditioned_programs() -> Result<()> {
    for n in [4, 6, 8, 10] {
        let entries: Vec<f64> = (0..n * n).map(|k| 1.0 / (k / n + k % n + 1) as f64).collect();
        let a = given(&[n, n], &entries);
        let inverse = a.inv()?;
        let right = (-&inverse.sum(&[0], false)?.outer(&inverse.sum(&[1], false)?)?)?;
        let judgement = judge(&Subject::new(&inverse.sum_all()?, &a), &Claim::of(&right)?)?;
        assert_ne!(judgement.verdict, Verdict::Wrong, "{n}: {judgement:?}");
        if n == 4 {
            assert_eq!(judgement.verdict, Verdict::Holds, "{judgement:?}");
        }
    }
    Ok(())
}
