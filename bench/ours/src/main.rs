//! `ours CASE SAMPLES BATCH`: Pullback through its public interface.
//!
//! `toy` and `linear`, and all other programs of `programs.rs`, do what a training step does: build the graph, derive the gradients,
//! evaluate both. With `-replay` behind the name they derive the gradients once and run the forward and the backward pass as an
//! `autograd::Function`, which is a plan from its second call on. `check` judges the three gradients of a linear layer that loops return.

mod programs;

use pullback::autograd::Function;
use pullback::function::{Check, Given, Gradients, Returned};
use pullback::ops::{Result, Val};

include!("../../samples.rs");

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, samples, batch] = arguments.as_slice() else { panic!("ours CASE SAMPLES BATCH") };
    let (samples, batch) = (samples.parse().expect("a number"), batch.parse().expect("a number"));
    if case == "check" {
        print_samples(samples, batch, || {
            let report = Check::of(LAYER).run(backward);
            assert_eq!((report.claims.len(), report.exit_code()), (3, 0));
        });
        return Ok(());
    }
    let found = programs::of(case.trim_end_matches("-replay"))?;
    let (arrays, program) = found.unwrap_or_else(|| panic!("no case {case}"));
    if case.ends_with("-replay") {
        let inputs: Vec<Val> = arrays.iter().cloned().map(Val::new).collect();
        let outputs = program(&inputs)?;
        let [inputs, outputs] = [&inputs, &outputs].map(|values| values.iter().collect::<Vec<_>>());
        let function = Function::new(&inputs, &outputs, &[])?;
        // The first call runs operation by operation; the plan is made in the second, which does not count.
        function.call(&arrays)?;
        print_samples(samples, batch, || {
            std::hint::black_box(function.call(&arrays).expect("it ran before"));
        });
    } else {
        print_samples(samples, batch, || {
            let inputs: Vec<Val> = arrays.iter().cloned().map(Val::new).collect();
            for output in program(&inputs).expect("the shapes fit") {
                std::hint::black_box(output.array().expect("there is memory"));
            }
        });
    }
    Ok(())
}

const LAYER: &str = "
    X: [N=32, D=64] ~ randn
    W: [D, M=64] ~ randn
    b: [M] ~ randn
    Z = X @ W + b
    dL/dZ: [N, M] ~ randn
";

/// The gradients of [`LAYER`], by loops.
fn backward(given: &Given<'_>) -> Returned {
    let (x, w, dz) = (given.f64("X")?, given.f64("W")?, given.f64("dL/dZ")?);
    let (n, d, m) = (given.size("N")?, given.size("D")?, given.size("M")?);
    let (mut dx, mut dw, mut db) = (vec![0.0; n * d], vec![0.0; d * m], vec![0.0; m]);
    for i in 0..n {
        let dz = &dz[i * m..(i + 1) * m];
        for k in 0..d {
            let (x, w, dw) = (x[i * d + k], &w[k * m..(k + 1) * m], &mut dw[k * m..(k + 1) * m]);
            dx[i * d + k] = dz.iter().zip(w).map(|(dz, w)| dz * w).sum();
            dw.iter_mut().zip(dz).for_each(|(dw, dz)| *dw += x * dz);
        }
        db.iter_mut().zip(dz).for_each(|(db, dz)| *db += dz);
    }
    Ok(Gradients::new().with("X", dx).with("W", dw).with("b", db))
}
