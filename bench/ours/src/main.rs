//! `ours toy|toy-replay|linear|linear-replay|check SAMPLES BATCH`: Pullback through its public interface.
//!
//! `toy` and `linear` do what a training step does: build the graph, derive the gradients, evaluate both. The `-replay`
//! cases derive the gradients once and run the forward and the backward pass as an `autograd::Function` on other arrays.
//! `check` judges the three gradients of a linear layer that loops return.

use pullback::array::random::Generator;
use pullback::array::{Array, DType};
use pullback::autograd::{Function, grad, pullback};
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
    let mut generator = Generator::new(0);
    let mut draw = |shape: &[usize]| generator.randn(shape, DType::F32);
    let (arrays, program): (Vec<Array>, Program) = match case.trim_end_matches("-replay") {
        "toy" => (vec![draw(&[2, 3])?, draw(&[3])?, draw(&[2])?, draw(&[2])?], toy),
        "linear" => {
            let (n, d, m) = (64, 4096, 4096);
            (vec![draw(&[n, d])?, draw(&[d, m])?, draw(&[m])?, draw(&[n, m])?], linear)
        }
        _ => panic!("no case {case}"),
    };
    if case.ends_with("-replay") {
        let inputs: Vec<Val> = arrays.iter().cloned().map(Val::new).collect();
        let outputs = program(&inputs)?;
        let [inputs, outputs] = [&inputs, &outputs].map(|values| values.iter().collect::<Vec<_>>());
        let function = Function::new(&inputs, &outputs, &[])?;
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

/// Outputs and gradients from inputs.
type Program = fn(&[Val]) -> Result<Vec<Val>>;

/// Linear → RMSNorm → gain and bias → Σv², and the gradients by W, g and b.
fn toy(inputs: &[Val]) -> Result<Vec<Val>> {
    let [w, x, g, b] = inputs else { panic!("four inputs") };
    let a = w.matmul(x)?;
    let u = a.powf(2.0)?.mean_all()?.sqrt()?;
    let v = (&(g * &(&a / &u)?)? + b)?;
    let loss = v.powf(2.0)?.sum_all()?;
    let mut outputs = grad(&loss, &[w, g, b])?;
    outputs.push(loss);
    Ok(outputs)
}

/// Z = X W + b, and the gradients by X, W and b for a given ∂L/∂Z.
fn linear(inputs: &[Val]) -> Result<Vec<Val>> {
    let [x, w, b, dz] = inputs else { panic!("four inputs") };
    let z = (&x.matmul(w)? + b)?;
    let gradients = pullback(&[(&z, dz)], &[x, w, b], &[])?;
    Ok(gradients.into_iter().flatten().chain([z]).collect())
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
