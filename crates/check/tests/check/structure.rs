//! Statements about structure, true ones and false ones, asked of the program.

use pullback_array::DType;
use pullback_array::random::Generator;
use pullback_autograd::jacobian;
use pullback_check::{Probed, probe};
use pullback_network::{Dim, Kind};
use pullback_ops::{AxisIndex, Result, Val};

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

fn kronecker(groups: &[(&[usize], &[usize])]) -> Kind {
    Kind::Kronecker(groups.iter().map(|(o, i)| (o.to_vec(), i.to_vec())).collect())
}

/// Each true statement is confirmed, each false one contradicted. A matrix without structure contradicts all.
#[test]
fn true_statements_and_false_ones() -> Result<()> {
    let (x, w, v) = (randn(1, &[5, 3]), randn(2, &[3, 2]), randn(3, &[7]));
    let z = x.matmul(&w)?;
    // No two of its entries are related: no kind but a dense matrix.
    let dense = randn(4, &[10, 15])
        .matmul(&x.sin()?.reshape(&[Dim::new(15)])?)?
        .reshape(&[Dim::new(5), Dim::new(2)])?;
    let square = randn(5, &[7, 7]).matmul(&v)?;
    let axes: &[(&[usize], &[usize])] = &[(&[0], &[0]), (&[1], &[1])];
    let parts = || kronecker(axes);
    let blocks = || Kind::BlockDiagonal(vec![(0, 0)]);
    let cases: Vec<(&Val, &Val, Kind, bool)> = vec![
        (&z, &x, blocks(), true),
        (&z, &x, parts(), true),
        (&z, &x, Kind::BlockDiagonal(vec![(1, 1)]), false),
        (&dense, &x, blocks(), false),
        (&dense, &x, parts(), false),
        (&dense, &x, Kind::LowRank(9), false),
        (&square, &v, Kind::Diagonal, false),
        (&square, &v, Kind::DiagonalPlusLowRank(1), false),
        (&square, &v, Kind::Identity, false),
        (&square, &v, Kind::Zero, false),
        (&square, &v, Kind::Permutation, false),
        (&square, &v, Kind::Selection, false),
    ];
    let diagonal = v.tanh()?;
    let softmax = v.softmax(0)?;
    let turned = v.index(&[AxisIndex::range(6, -1, 7)])?;
    let part = v.index(&[AxisIndex::range(0, 2, 3)])?;
    let constant = v.sign()?;
    let low = randn(6, &[7, 2]).matmul(&randn(7, &[2, 7]).matmul(&v)?)?;
    let more: Vec<(&Val, &Val, Kind, bool)> = vec![
        (&diagonal, &v, Kind::Diagonal, true),
        (&diagonal, &v, Kind::Identity, false),
        (&softmax, &v, Kind::DiagonalPlusLowRank(1), true),
        (&softmax, &v, Kind::Diagonal, false),
        (&turned, &v, Kind::Permutation, true),
        (&turned, &v, Kind::Identity, false),
        (&part, &v, Kind::Selection, true),
        (&part, &v, Kind::Zero, false),
        (&constant, &v, Kind::Zero, true),
        (&v, &v, Kind::Identity, true),
        (&low, &v, Kind::LowRank(2), true),
        (&low, &v, Kind::LowRank(1), false),
    ];
    for (y, x, kind, holds) in cases.into_iter().chain(more) {
        let probed = probe(y, x, &kind)?;
        assert_eq!(matches!(probed, Probed::Confirmed(_)), holds, "{kind:?} of {y:?}: {probed:?}");
        assert_eq!(probed == Probed::Contradicted, !holds, "{kind:?} of {y:?}: {probed:?}");
    }
    assert_eq!(probe(&square, &v, &Kind::LowRank(17))?, Probed::Unprobed);
    Ok(())
}

/// Whatever is read off the labels of these programs is confirmed by the programs.
#[test]
fn what_is_said_is_confirmed() -> Result<()> {
    let (x, w) = (randn(1, &[5, 3]), randn(2, &[3, 4]));
    let z = x.matmul(&w)?;
    let unit = (&x / &(&x.powf(2.0)?.mean_all()? + 1e-5)?.sqrt()?)?;
    let programs = [
        (z.clone(), &x),
        (z.clone(), &w),
        (z.softmax(1)?, &z),
        (z.softmax(0)?, &z),
        (unit.clone(), &x),
        (unit.matmul(&w)?, &x),
        (x.matmul(&x.permute(&[1, 0])?)?, &x),
        (Val::einsum("bi,bij->bj", &[&x, &randn(3, &[5, 3, 2])])?, &x),
        (z.permute(&[1, 0])?.reshape(&[Dim::new(20)])?, &z),
        (w.index(&[AxisIndex::range(2, -1, 3), AxisIndex::range(1, 2, 2)])?, &w),
        (x.sum_all()?, &x),
    ];
    let mut said = 0;
    for (y, x) in &programs {
        for kind in jacobian(y, x, &[])?.structure().kinds {
            let probed = probe(y, x, &kind)?;
            assert!(probed != Probed::Contradicted, "{kind:?} of {y:?}");
            said += usize::from(matches!(probed, Probed::Confirmed(_)));
        }
    }
    assert!(said >= 12, "{said} statements");
    Ok(())
}

/// The shares of a softmax add up to 1: that they do not change is true up to rounding alone, which is no contradiction.
#[test]
fn rounding_contradicts_nothing() -> Result<()> {
    let (x, v) = (randn(1, &[]), randn(2, &[7]));
    let y = (&x * &v)?.softmax(0)?.sum_all()?;
    assert_eq!(probe(&y, &x, &Kind::Diagonal)?, Probed::Confirmed(2));
    Ok(())
}

/// A matrix without entries is asked nothing.
#[test]
fn nothing_is_asked_of_an_empty_matrix() -> Result<()> {
    let x = randn(1, &[2, 0]);
    let y = x.tanh()?;
    let kinds =
        [Kind::BlockDiagonal(vec![(0, 0)]), Kind::Identity, Kind::LowRank(1), kronecker(&[(&[0], &[0])])];
    for kind in kinds {
        assert_eq!(probe(&y, &x, &kind)?, Probed::Unprobed, "{kind:?}");
    }
    Ok(())
}
