//! Inverses and decompositions: of matrices whose inverses are known exactly, of those that have none, and of empty ones.

use pullback_array::{Array, DType};

/// Hilbert's matrices have integer inverses in closed form (Choi, 1983), and are so badly conditioned that a wrong
/// pivot shows. Condition of H₄: 15,514; n·κ·ε bounds the relative error.
#[test]
fn inverts_hilbert_matrices() {
    let inverse_4 =
        [16, -120, 240, -140, -120, 1200, -2700, 1680, 240, -2700, 6480, -4200, -140, 1680, -4200, 2800];
    for dtype in [DType::F32, DType::F64] {
        let hilbert: Vec<f64> = (0..16).map(|k| 1.0 / (k / 4 + k % 4 + 1) as f64).collect();
        let matrix = Array::from_vec(&[4, 4], hilbert).and_then(|a| a.cast(dtype)).expect("sixteen");
        let inverse = matrix.inverse().expect("regular").to_vec_f64();
        let bound = 4.0 * 15_514.0 * dtype.epsilon() * 6480.0;
        for (ours, exact) in inverse.iter().zip(inverse_4) {
            assert!((ours - f64::from(exact)).abs() <= bound, "{dtype}: {ours} is not {exact}");
        }
    }
}

/// A permutation needs pivots; a batch of a transposed view needs strides. Both have exact inverses.
#[test]
fn inverts_batches_of_views() {
    let cycle = [0.0, 2.0, 0.0, 0.0, 0.0, 4.0, 8.0, 0.0, 0.0];
    let scaled: Vec<f64> = cycle.iter().map(|v| v * 2.0).collect();
    let batch = Array::from_vec(&[2, 3, 3], [&cycle[..], &scaled].concat()).expect("eighteen");
    let inverse = batch.permute(&[0, 2, 1]).and_then(|a| a.inverse()).expect("regular");
    // (Aᵀ)⁻¹ of a scaled permutation has the reciprocals at the same places as A.
    let expected: Vec<f64> =
        batch.to_vec_f64().iter().map(|&v| if v == 0.0 { 0.0 } else { 1.0 / v }).collect();
    assert_eq!((inverse.shape(), inverse.to_vec_f64()), (&[2, 3, 3][..], expected));
    assert_eq!(
        Array::zeros(&[5, 0, 0], DType::F32).and_then(|a| a.inverse()).expect("empty").shape(),
        [5, 0, 0]
    );
}

/// The matrix of second differences has the inverse (i + 1)(n − j)/(n + 1), for i ≤ j: in one block of rows that are substituted at
/// once, in several, and in a last one that is short. An upper bidiagonal one has running sums, and solves transposed as those from the
/// other end.
#[test]
fn inverts_more_rows_than_a_block() {
    for n in [1, 31, 32, 33, 100] {
        let entry = |k: usize| match (k / n).abs_diff(k % n) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let matrix = Array::from_vec(&[n, n], (0..n * n).map(entry).collect::<Vec<f64>>()).expect("fits");
        for (k, x) in matrix.inverse().expect("regular").to_vec_f64().into_iter().enumerate() {
            let (low, high) = ((k / n).min(k % n), (k / n).max(k % n));
            let exact = ((low + 1) * (n - high)) as f64 / (n + 1) as f64;
            assert!((x - exact).abs() < 1e-12 * n as f64, "{n} {k}: {x} {exact}");
        }
        let entry = |k: usize| match (k % n).wrapping_sub(k / n) {
            0 => 1.0,
            1 => -1.0,
            _ => 0.0,
        };
        let matrix = Array::from_vec(&[n, n], (0..n * n).map(entry).collect::<Vec<f64>>()).expect("fits");
        let ones = Array::ones(&[n, 1], DType::F64).expect("fits");
        let [up, down] = [false, true].map(|transposed| matrix.solve(&ones, transposed).expect("regular"));
        assert_eq!(up.to_vec_f64(), (0..n).map(|k| (n - k) as f64).collect::<Vec<_>>());
        assert_eq!(down.to_vec_f64(), (0..n).map(|k| (k + 1) as f64).collect::<Vec<_>>());
    }
    let singular = Array::ones(&[40, 40], DType::F32).expect("fits");
    assert!(singular.inverse().is_err());
}

/// What is not finite has an inverse that is not, or none; it is no reason to stop.
#[test]
fn survives_what_is_not_finite() {
    for bad in [f64::NAN, f64::INFINITY] {
        let matrix =
            Array::from_slice(&[3, 3], &[1.0, 2.0, bad, 0.0, 1.0, 0.0, 3.0, bad, 1.0]).expect("nine");
        if let Ok(inverse) = matrix.inverse() {
            assert!(!inverse.all_finite());
        }
    }
}

#[test]
fn says_why_there_is_no_inverse() {
    let of = |shape: &[usize], dtype| Array::ones(shape, dtype).and_then(|a| a.inverse());
    let cases = [
        (of(&[2, 2], DType::F64), "inverse: [2, 2] is singular"),
        (of(&[7, 7], DType::F32), "inverse: [7, 7] is singular"),
        (of(&[3, 2, 2], DType::F64), "inverse: matrix 0 of [3, 2, 2] is singular"),
        (of(&[2, 3], DType::F64), "inverse: [2, 3] is no square matrix"),
        (of(&[2], DType::F64), "inverse: [2] is no square matrix"),
        (of(&[], DType::F64), "inverse: [] is no square matrix"),
        (of(&[2, 2], DType::I64), "inverse: integers have no inverse"),
    ];
    for (result, message) in cases {
        assert_eq!(result.expect_err(message).message(), message);
    }
}

/// A matrix without rows is its own decomposition.
#[test]
fn decomposes_matrices_without_rows() {
    let empty = Array::zeros(&[2, 0, 0], DType::F64).expect("empty");
    let (values, vectors) = empty.symmetric_eigen().expect("empty");
    assert_eq!((values.shape(), vectors.shape()), (&[2, 0][..], &[2, 0, 0][..]));
    let (q, r) = Array::zeros(&[3, 0], DType::F64).and_then(|a| a.qr()).expect("empty");
    assert_eq!((q.shape(), r.shape()), (&[3, 0][..], &[0, 0][..]));
    assert_eq!(empty.cholesky().expect("empty").shape(), [2, 0, 0]);
    let (sign, logarithm) = empty.log_determinant().expect("empty");
    assert_eq!((sign.to_vec_f64(), logarithm.to_vec_f64()), (vec![1.0; 2], vec![0.0; 2]));
}
