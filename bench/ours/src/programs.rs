//! The programs that are timed: outputs and gradients from inputs, and the shapes of the inputs.

use pullback::array::random::Generator;
use pullback::array::{Array, DType};
use pullback::autograd::{grad, pullback};
use pullback::ops::{Result, Val};

/// Outputs and gradients from inputs.
pub type Program = fn(&[Val]) -> Result<Vec<Val>>;

/// Rows and columns of what is normalised.
const SIZE: usize = 4096;

/// The layers of the residual network, its batch and its width.
const LAYERS: usize = 20;
const BATCH: usize = 1024;
const WIDTH: usize = 512;

/// A program by its name, with arrays for its inputs.
pub fn of(case: &str) -> Result<Option<(Vec<Array>, Program)>> {
    let mut generator = Generator::new(0);
    let table = vec![SIZE, SIZE];
    let (shapes, program): (Vec<Vec<usize>>, Program) = match case {
        "toy" => (vec![vec![2, 3], vec![3], vec![2], vec![2]], toy),
        "linear" => (vec![vec![64, 4096], vec![4096, 4096], vec![4096], vec![64, 4096]], linear),
        "rms_norm" => (vec![table.clone(), vec![SIZE], table], rms_norm),
        "layer_norm" => (vec![table.clone(), vec![SIZE], vec![SIZE], table], layer_norm),
        "softmax" => (vec![table.clone(), table], softmax),
        "cross_entropy" => (vec![table], cross_entropy),
        "residual" => ([vec![vec![BATCH, WIDTH]], vec![vec![WIDTH, WIDTH]; LAYERS]].concat(), residual),
        _ => return Ok(None),
    };
    let arrays = shapes.iter().map(|shape| generator.randn(shape, DType::F32));
    Ok(Some((arrays.collect::<pullback::array::Result<_>>()?, program)))
}

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
    pulled(&(&x.matmul(w)? + b)?, dz, &[x, w, b])
}

/// g · x / √(mean(x²) + ε), and the gradients by x and g.
fn rms_norm(inputs: &[Val]) -> Result<Vec<Val>> {
    let [x, g, dy] = inputs else { panic!("three inputs") };
    let u = (&x.powf(2.0)?.mean(&[1], true)? + 1e-6)?.sqrt()?;
    pulled(&(g * &(x / &u)?)?, dy, &[x, g])
}

/// g · (x − μ) / √(mean((x − μ)²) + ε) + b, and the gradients by x, g and b.
fn layer_norm(inputs: &[Val]) -> Result<Vec<Val>> {
    let [x, g, b, dy] = inputs else { panic!("four inputs") };
    let deviation = (x - &x.mean(&[1], true)?)?;
    let u = (&deviation.powf(2.0)?.mean(&[1], true)? + 1e-5)?.sqrt()?;
    pulled(&(&(g * &(&deviation / &u)?)? + b)?, dy, &[x, g, b])
}

/// The softmax of each row, and the gradient.
fn softmax(inputs: &[Val]) -> Result<Vec<Val>> {
    let [x, dy] = inputs else { panic!("two inputs") };
    pulled(&x.softmax(1)?, dy, &[x])
}

/// The cross-entropy of each row with a class, and the gradient.
fn cross_entropy(inputs: &[Val]) -> Result<Vec<Val>> {
    let [z] = inputs else { panic!("one input") };
    let classes = (0..SIZE as i64).map(|row| row * 7919 % SIZE as i64).collect::<Vec<_>>();
    let loss = z.cross_entropy(&Val::new(Array::from_vec(&[SIZE], classes)?))?;
    Ok([grad(&loss, &[z])?, vec![loss]].concat())
}

/// h ← h + tanh(h W), twenty times, then Σh²; and the gradients by all W.
fn residual(inputs: &[Val]) -> Result<Vec<Val>> {
    let [x, weights @ ..] = inputs else { panic!("an input and weights") };
    let mut h = x.clone();
    for w in weights {
        h = (&h + &h.matmul(&(w * 0.03)?)?.tanh()?)?;
    }
    let loss = h.powf(2.0)?.sum_all()?;
    Ok([grad(&loss, &weights.iter().collect::<Vec<_>>())?, vec![loss]].concat())
}

fn pulled(y: &Val, dy: &Val, wrt: &[&Val]) -> Result<Vec<Val>> {
    let gradients = pullback(&[(y, dy)], wrt, &[])?;
    Ok(gradients.into_iter().flatten().chain([y.clone()]).collect())
}
