//! Jacobians of whole programs as values: what is done to them, against both modes of autograd.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{Jacobian, Layout, hessian, jacobian, jvp, pullback};
use pullback_network::{Coef, Dim, Kind, Label, Relation, Value};
use pullback_ops::{AxisIndex, Factor, Network, Result, Val};

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

fn numbers(value: &Val) -> Vec<f64> {
    value.array().expect("numbers").to_vec_f64()
}

#[track_caller]
fn assert_close(a: &Val, b: &Val, what: &str) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    let largest = b.array().expect("numbers").max_abs();
    // Some hundred roundings of numbers of this size; where it is small, of those of order one that cancelled to it.
    for (a, b) in numbers(a).iter().zip(numbers(b)) {
        assert!((a - b).abs() <= 1e-12 * largest.max(1e-2), "{what}: {a} and {b}");
    }
}

fn or_zeros(value: Option<Val>, shape: &[usize]) -> Val {
    value.unwrap_or_else(|| Val::new(Array::zeros(shape, DType::F64).expect("a small array")))
}

/// The whole matrix by reverse mode, a row for each entry of y.
fn by_rows(y: &Val, x: &Val) -> Result<Val> {
    let (rows, columns) = (y.shape().iter().product::<usize>(), x.shape().iter().product::<usize>());
    let mut entries = Vec::new();
    for row in 0..rows {
        let mut unit = vec![0.0; rows];
        unit[row] = 1.0;
        let unit = Val::new(Array::from_vec(&y.shape(), unit)?);
        entries.extend(numbers(&or_zeros(pullback(&[(y, &unit)], &[x], &[])?.remove(0), &x.shape())));
    }
    Ok(Val::new(Array::from_vec(&[rows, columns], entries)?))
}

/// A program of random operations on matrices and vectors of random sizes, with values used again.
fn random_program(seed: u64) -> Result<(Val, Val)> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let x = randn(seed, &[2 + draw(2), 2 + draw(3)]);
    let mut values = vec![x.clone()];
    for step in 0..3 + draw(9) {
        let a = values[if draw(3) > 0 { values.len() - 1 } else { draw(values.len()) }].clone();
        let b = values[draw(values.len())].clone();
        let same = a.dims() == b.dims();
        let last = a.ndim() - 1;
        let rank2 = a.ndim() == 2;
        let made = match draw(12) {
            0 if same => (&a + &b)?,
            1 if same => (&a * &b)?,
            2 if same => (&a - &b)?,
            3 => a.tanh()?,
            4 => a.sin()?,
            5 if rank2 => a.matmul(&randn(100 + step as u64, &[a.shape()[1], 2 + draw(3)]))?,
            6 if rank2 => randn(200 + step as u64, &[2 + draw(3), a.shape()[0]]).matmul(&a)?,
            7 if rank2 => a.permute(&[1, 0])?,
            8 => a.softmax(last)?,
            9 if rank2 => a.reshape(&[Dim::new(a.shape()[0] * a.shape()[1]), Dim::new(1)])?,
            10 if a.shape()[0] > 1 => {
                let mut index = vec![AxisIndex::range(1, 1, a.shape()[0] - 1)];
                index.extend(a.shape()[1..].iter().map(|&size| AxisIndex::range(0, 1, size)));
                a.index(&index)?
            }
            _ => (&a / &(&a.powf(2.0)?.mean_all()? + 1.0)?.sqrt()?)?,
        };
        values.push(made);
    }
    let y = values[values.len() - 1].clone();
    Ok((if draw(3) == 0 { y.powf(2.0)?.sum_all()? } else { y }, x))
}

/// Products, entries, transposition and the diagonal of 300 random programs; and never more work than reverse mode.
#[test]
fn random_programs() -> Result<()> {
    for seed in 0..300 {
        let (y, x) = random_program(seed)?;
        let what = format!("program {seed}: {y:?} by {:?}", x.dims());
        let jacobian = jacobian(&y, &x, &[])?;
        let (v, u) = (randn(seed + 1000, &y.shape()), randn(seed + 2000, &x.shape()));
        let backward = or_zeros(pullback(&[(&y, &v)], &[&x], &[])?.remove(0), &x.shape());
        assert_close(&or_zeros(jacobian.vjp(&v)?, &x.shape()), &backward, &format!("{what}: vjp"));
        let forward = or_zeros(jvp(&y, &[(&x, &u)])?, &y.shape());
        assert_close(&or_zeros(jacobian.jvp(&u)?, &y.shape()), &forward, &format!("{what}: jvp"));
        let turned = jacobian.transpose();
        assert_close(&or_zeros(turned.vjp(&u)?, &y.shape()), &forward, &format!("{what}: transposed"));
        let rows = by_rows(&y, &x)?;
        assert_close(&jacobian.to_matrix(Layout::Row)?, &rows, &format!("{what}: written out"));
        let transposed = turned.to_matrix(Layout::Row)?.permute(&[1, 0])?;
        assert_close(&transposed, &rows, &format!("{what}: transposed and written out"));
        if y.dims() == x.dims() {
            let count = rows.shape()[0];
            let diagonal = rows.diag()?.reshape(x.dims())?;
            assert_close(&jacobian.diagonal()?, &diagonal, &format!("{what}: the diagonal of {count}"));
        }
        let cost = jacobian.cost()?;
        let reverse = jacobian.reverse_mode_flops();
        assert!(cost.build_flops + cost.vjp_flops <= reverse, "{what}: {cost:?}, reverse mode {reverse}");
    }
    Ok(())
}

/// What is empty by its shape is no work in reverse mode, and leaves none to be spent elsewhere.
#[test]
fn an_empty_path_leaves_no_work_to_others() -> Result<()> {
    let x = randn(2, &[3, 3]);
    let diagonal = (&x + &(5.0 * &Val::new(Array::ones(&[3], DType::F64)?).diag()?)?)?.inv()?.diag()?;
    let normed = (&diagonal / &(&diagonal.powf(2.0)?.mean_all()? + 0.1)?.sqrt()?)?;
    let empty = normed.index(&[AxisIndex::range(1, 1, 0)])?.outer(&normed)?;
    let curvature = hessian(&empty.powf(2.0)?.sum_all()?, &x, &x)?;
    for jacobian in [curvature.transpose(), curvature] {
        let (cost, reverse) = (jacobian.cost()?, jacobian.reverse_mode_flops());
        assert!(cost.build_flops + cost.vjp_flops <= reverse, "{cost:?}, reverse mode {reverse}");
    }
    Ok(())
}

fn rms_layer(m: usize, n: usize) -> Result<[Val; 5]> {
    let (w, x, g) = (randn(1, &[m, n]).named("W"), randn(2, &[n]).named("x"), randn(3, &[m]).named("g"));
    let a = w.matmul(&x)?.named("a");
    let u = a.powf(2.0)?.mean_all()?.sqrt()?;
    let v = (&g * &(&a / &u)?)?.named("v");
    let loss = v.powf(2.0)?.sum_all()?;
    Ok([w, x, a, v, loss])
}

/// Seed 001: the gradient of the weights is one outer product, whatever the length of the program; m + n numbers.
#[test]
fn the_gradient_of_a_layer_is_an_outer_product() -> Result<()> {
    let (m, n) = (7, 5);
    let [w, _, _, _, loss] = rms_layer(m, n)?;
    let jacobian = jacobian(&loss, &w, &[])?;
    let cost = jacobian.cost()?;
    assert_eq!((cost.terms, cost.stored_entries), (1, (m + n) as f64));
    assert!(cost.build_flops + cost.vjp_flops <= jacobian.reverse_mode_flops());
    Ok(())
}

/// ∂v/∂W = ∂v/∂a ∂a/∂W, composed of two Jacobians, is the Jacobian of the composition.
#[test]
fn jacobians_compose() -> Result<()> {
    let [w, _, a, v, _] = rms_layer(3, 2)?;
    let (outer, inner) = (jacobian(&v, &a, &[])?, jacobian(&a, &w, &[])?);
    let composed = outer.compose(&inner)?;
    assert_close(&composed.to_dense()?, &jacobian(&v, &w, &[])?.to_dense()?, "entries");
    let cotangent = randn(9, &[3]);
    let by_parts = inner.vjp(&outer.vjp(&cotangent)?.expect("a path"))?.expect("a path");
    assert_close(&composed.vjp(&cotangent)?.expect("a path"), &by_parts, "vjp");
    let error = inner.compose(&outer).expect_err("the wrong way round").to_string();
    assert_eq!(error, "compose: a Jacobian by [3, 2] cannot follow one of [3]");
    Ok(())
}

#[test]
fn of_a_value_by_itself_and_by_what_it_does_not_depend_on() -> Result<()> {
    let (x, z) = (randn(1, &[2, 3]), randn(2, &[2]));
    let own = jacobian(&x, &x, &[])?;
    assert_eq!(own.structure().kinds, [Kind::Identity]);
    assert_close(&own.vjp(&x)?.expect("a path"), &x, "vjp");
    assert_close(&own.diagonal()?, &Val::new(Array::ones(&[2, 3], DType::F64)?), "the diagonal");
    let none = jacobian(&x, &z, &[])?;
    assert!(none.is_zero() && none.vjp(&x)?.is_none() && none.jvp(&z)?.is_none());
    assert_eq!((none.structure().kinds, none.formula()), (vec![Kind::Zero], "0".to_string()));
    assert_eq!(numbers(&none.to_dense()?), [0.0; 12]);
    assert!(none.diagonal().is_err_and(|error| error.hint().is_some()));
    // What is held does not follow, though it is computed from x at once; nor is anything differentiated by integers.
    let square = (&x * &x)?;
    assert!(jacobian(&square, &x, &[&square])?.is_zero());
    assert!(pullback(&[(&square, &x)], &[&x], &[&square])?[0].is_none());
    let whole = Val::new(x.array()?.cast(DType::I64)?);
    assert!(jacobian(&(&x * &whole)?, &whole, &[])?.is_zero());
    Ok(())
}

/// A residual branch per block, attention with its softmax, and a normalisation: terms grow with the length, not with the
/// number of paths, and the work is that of reverse mode.
#[test]
fn terms_stay_linear_in_depth() -> Result<()> {
    type Block = fn(&Val, u64) -> Result<Val>;
    let attention: Block = |x, k| {
        let d = x.shape()[1];
        let weight = |seed: u64| 0.3 * &randn(10 * k + seed, &[d, d]);
        let (q, key, value) = (x.matmul(&weight(1)?)?, x.matmul(&weight(2)?)?, x.matmul(&weight(3)?)?);
        x + &q.matmul(&key.permute(&[1, 0])?)?.softmax(1)?.matmul(&value)?
    };
    let normed: Block = |x, k| {
        let u = (&x.powf(2.0)?.mean_all()? + 1e-5)?.sqrt()?;
        x + &(x / &u)?.matmul(&(0.2 * &randn(50 + k, &[x.shape()[1], x.shape()[1]]))?)?.tanh()?
    };
    let blocks = [("attention", attention), ("a normalised branch", normed)];
    for (what, block) in blocks {
        let x = randn(1, &[4, 3]);
        let terms = |depth: u64| -> Result<(usize, Jacobian)> {
            let y = (0..depth).try_fold(x.clone(), |y, k| block(&y, k))?;
            let jacobian = jacobian(&y, &x, &[])?;
            let (v, cost) = (randn(7, &[4, 3]), jacobian.cost()?);
            let backward = pullback(&[(&y, &v)], &[&x], &[])?.remove(0).expect("a path");
            assert_close(&jacobian.vjp(&v)?.expect("a path"), &backward, what);
            assert!(cost.build_flops + cost.vjp_flops <= jacobian.reverse_mode_flops(), "{what}: {cost:?}");
            Ok((cost.terms, jacobian))
        };
        let (one, _) = terms(1)?;
        let (twelve, jacobian) = terms(12)?;
        assert!(twelve <= 12 * one, "{what}: {one} terms in one block, {twelve} in twelve");
        // Too long for one formula: several, each of which is short.
        assert!(jacobian.stages().len() > 1);
        assert!(jacobian.stages().iter().all(|stage| stage.network.terms().len() <= 16));
    }
    Ok(())
}

/// Residual blocks too many for one formula are shown in no more formulas than there are operations.
#[test]
fn formulas_stay_linear_in_depth() -> Result<()> {
    let x = randn(1, &[3]);
    let y = (0..100).try_fold(x.clone(), |y, _| &y + &y.tanh()?)?;
    let jacobian = jacobian(&y, &x, &[])?;
    let (operations, stages) = (jacobian.operations().len(), jacobian.stages());
    assert!(stages.len() <= operations, "{} formulas for {operations} operations", stages.len());
    Ok(())
}

/// Axes that are dealt out anew in each of many blocks: the relations between their indices are not joined without end.
#[test]
fn relations_stay_few() -> Result<()> {
    let x = randn(1, &[60]);
    let mixed = |y: &Val| -> Result<Val> {
        let turned = y.reshape(&[Dim::new(6), Dim::new(10)])?.permute(&[1, 0])?.reshape(&[Dim::new(60)])?;
        &turned.index(&[AxisIndex::range(59, -1, 60)])? + y
    };
    let y = (0..20).try_fold(x.clone(), |y, _| mixed(&y))?;
    let jacobian = jacobian(&y, &x, &[])?;
    assert!(jacobian.stages().iter().all(|stage| stage.network.cost().vjp_flops < 1e6));
    assert_close(&jacobian.to_matrix(Layout::Row)?, &by_rows(&y, &x)?, "written out");
    Ok(())
}

/// A shift takes each entry but one from its neighbour, and is no permutation; turning round is one.
#[test]
fn a_shift_is_no_permutation() {
    let (i, m) = (Label::new(5), Label::new(5));
    let structure = |coefficient, constant| {
        let relation = Relation::affine([(1, m), (coefficient, i)], constant);
        let network: Network = Network::zero(&[i.dim()], &[m.dim()]);
        network.plus_term(Coef::one(), &[i], &[m], [Factor::Relation(relation)]).structure()
    };
    assert_eq!(structure(-1, -1).kinds, [Kind::Selection]);
    assert_eq!(structure(1, -4).kinds, [Kind::Permutation]);
}

/// A matrix is named by its vec only where it is one: not where its diagonal stands alone.
#[test]
fn the_vec_of_a_diagonal_is_not_that_of_the_matrix() -> Result<()> {
    let a = randn(1, &[3, 3]).named("A");
    let jacobian = jacobian(&Val::einsum("ii,ii->", &[&a, &a])?, &a, &[])?;
    assert_eq!(jacobian.formula(), "2 δ_mn A_mm");
    assert_eq!(jacobian.structure().matrix, None);
    Ok(())
}

/// What the labels show of known matrices.
#[test]
fn structures() -> Result<()> {
    let (n, d, m) = (Dim::named("N", 5), Dim::named("D", 3), Dim::named("M", 2));
    let named = |seed, name: &str, dims: &[Dim]| {
        let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
        Val::with_dims(randn(seed, &shape).array()?.clone(), dims).map(|value| value.named(name))
    };
    let (x, w, b) = (named(1, "X", &[n, d])?, named(2, "W", &[d, m])?, named(3, "b", &[m])?);
    let z = (&x.matmul(&w)? + &b)?.named("Z");
    let s = z.softmax(1)?.named("s");
    let v = named(4, "v", &[d])?;
    let a = v.softmax(0)?.named("a");
    let (p, q) = (named(5, "P", &[n, d])?, named(6, "Q", &[n, d])?);
    let (r, square) = (named(7, "R", &[d, n])?, named(8, "S", &[d, d])?);
    let kronecker = |groups: &[(&[usize], &[usize])]| {
        Kind::Kronecker(groups.iter().map(|(o, i)| (o.to_vec(), i.to_vec())).collect())
    };
    let parts: &[(&[usize], &[usize])] = &[(&[0], &[0]), (&[1], &[1])];
    let blocks = |axes: &[(usize, usize)]| Kind::BlockDiagonal(axes.to_vec());
    let cases: Vec<(Val, &Val, Vec<Kind>, Option<&str>)> = vec![
        (z.clone(), &x, vec![blocks(&[(0, 0)]), kronecker(parts)], Some("I_N ⊗ Wᵀ")),
        (z.clone(), &w, vec![blocks(&[(1, 1)]), kronecker(parts)], Some("X ⊗ I_M")),
        (z.clone(), &b, vec![Kind::Selection], Some("1_N ⊗ I_M")),
        (x.tanh()?, &x, vec![Kind::Diagonal], None),
        (v.sin()?, &v, vec![Kind::Diagonal], Some("diag(cos(v))")),
        (x.permute(&[1, 0])?, &x, vec![Kind::Permutation], None),
        (x.reshape(&[Dim::new(15)])?, &x, vec![Kind::Permutation], None),
        (v.index(&[AxisIndex::range(1, 1, 2)])?, &v, vec![Kind::Selection], None),
        // As many outputs as inputs, but not each of them: a row of diag(v), and a matrix with its diagonal alone.
        (
            v.diag()?.index(&[AxisIndex::range(1, 1, 1), AxisIndex::range(0, 1, 3)])?.reshape(&[d])?,
            &v,
            vec![Kind::Selection],
            None,
        ),
        (square.diag()?.diag()?, &square, vec![Kind::Selection], None),
        (a.clone(), &v, vec![Kind::DiagonalPlusLowRank(1)], Some("diag(a) − a aᵀ")),
        (s.clone(), &z, vec![blocks(&[(0, 0)])], None),
        (w.matmul(&b)?.outer(&v)?.sum_all()?, &v, vec![], None),
        (
            Val::einsum("ij,k->ijk", &[&x, &b])?,
            &b,
            vec![blocks(&[(2, 0)]), kronecker(&[(&[0, 1], &[]), (&[2], &[0])])],
            Some("vec(X) ⊗ I_M"),
        ),
        // Several axes under one vec, a payload's or that of a matrix expression.
        (Val::einsum("ij,ij,ij->", &[&x, &p, &q])?, &x, vec![], Some("vec(P ⊙ Q)ᵀ")),
        (Val::einsum("ij,ji->", &[&x, &r])?, &x, vec![], Some("vec(Rᵀ)ᵀ")),
        ((&v * &v.matmul(&v)?)?, &v, vec![Kind::DiagonalPlusLowRank(1)], None),
        (w.matmul(&w.permute(&[1, 0])?.matmul(&v)?)?, &v, vec![Kind::LowRank(2)], None),
    ];
    for (y, x, kinds, matrix) in cases {
        let structure = jacobian(&y, x, &[])?.structure();
        let what = format!("{y:?} by {}", x.symbol());
        assert_eq!(structure.kinds, kinds, "{what}");
        if let Some(matrix) = matrix {
            assert_eq!(structure.matrix.as_deref(), Some(matrix), "{what}");
        }
    }
    Ok(())
}
