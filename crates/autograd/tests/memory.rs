//! The memory argument of seed 003: a linear layer of 64 records with 4096 features and outputs. The limit on memory belongs
//! to the process, so this test is alone in its own.

use pullback_array::random::Generator;
use pullback_array::{DType, memory};
use pullback_autograd::{Layout, jacobian, pullback};
use pullback_network::Dim;
use pullback_ops::{Result, Val};

#[test]
fn a_jacobian_of_256_gib_takes_no_memory_until_it_is_written_out() -> Result<()> {
    let (n, d, m) = (Dim::named("N", 64), Dim::named("D", 4096), Dim::named("M", 4096));
    memory::set_limit(2 << 30);
    let mut generator = Generator::new(0);
    let mut draw = |name: &str, dims: &[Dim]| -> Result<Val> {
        let sizes: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
        Ok(Val::with_dims(generator.randn(&sizes, DType::F32)?, dims)?.named(name))
    };
    let (x, w, b, cotangent) =
        (draw("X", &[n, d])?, draw("W", &[d, m])?, draw("b", &[m])?, draw("G", &[n, m])?);
    let z = (&x.matmul(&w)? + &b)?.named("Z");
    let drawn = memory::live();

    // By X: the numbers of W, which is not copied. By W: those of X.
    let by = [(&x, "δ_im W_nj", 36, 24), (&w, "δ_jn X_im", 42, 18), (&b, "δ_jm", 30, 0)];
    for (wrt, formula, dense, stored) in by {
        let inputs = memory::live();
        assert!(inputs - drawn <= 64, "{} B stay of the Jacobian before", inputs - drawn);
        let jacobian = jacobian(&z, wrt, &[])?;
        let cost = jacobian.cost()?;
        assert_eq!((jacobian.formula().as_str(), cost.dense_entries), (formula, 2f64.powi(dense)));
        assert_eq!(cost.stored_entries, if stored == 0 { 0.0 } else { 2f64.powi(stored) });
        assert_eq!(cost.build_flops, 0.0);
        assert_eq!(memory::live(), inputs, "built and priced without an array");

        // Written out it is refused, with its size, before anything is touched.
        let size = memory::human(1 << (dense + 2));
        for dense in [jacobian.to_dense()?, jacobian.to_matrix(Layout::Column)?] {
            let error = dense.array().expect_err("it does not fit").to_string();
            assert!(error.contains(&size), "{size}: {error}");
        }
        // What is left is the number 1, which a written-out delta is made of.
        let before = memory::live();
        assert!(before <= inputs + 4, "{} B", before - inputs);

        // Contracted it takes the memory of its result, and gives what reverse mode gives.
        let gradient = jacobian.vjp(&cotangent)?.expect("a path");
        let result = gradient.array()?.nbytes();
        assert_eq!(memory::live(), before + result);
        let reverse = pullback(&[(&z, &cotangent)], &[wrt], &[])?.remove(0).expect("a path");
        let off = gradient.array()?.zip(reverse.array()?, "compare", |a, b| a - b, |a, b| a - b)?.max_abs();
        assert!(off <= 1e-6 * reverse.array()?.max_abs(), "{formula}: {off}");
    }
    assert_eq!(memory::human(1 << 38), "256 GiB");
    Ok(())
}
