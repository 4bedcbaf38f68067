//! The step that notebook 002 names as next: a network with one hidden layer, all gradients by hand.
//!
//! ```sh
//! cargo run --release --example train_hidden
//! ```
//!
//! The targets are a linear function of |x|, which no linear layer can learn, and sixteen rectifiers can.
//! `examples/002-hidden-layer.grad` claims the same gradients, for `pullback check` to judge.

use std::error::Error;
use std::io::{Write, stdout};

use pullback::array::random::Generator;
use pullback::array::{Array, DType};
use pullback::autograd::tensor::{Result, Tensor};
use pullback::ops::Val;

const SAMPLES: usize = 100;
const FEATURES: usize = 4;
const HIDDEN: usize = 16;
const OUTPUTS: usize = 2;

/// Z₁ = X W₁ + b₁, A = relu(Z₁), Z₂ = A W₂ + b₂.
struct Network {
    w1: Tensor,
    b1: Tensor,
    w2: Tensor,
    b2: Tensor,
}

/// What a forward pass leaves for the backward pass.
struct Pass {
    z1: Tensor,
    a: Tensor,
    z2: Tensor,
}

/// A derivative of the loss by each parameter and each intermediate value, under its name.
type Gradients = [(&'static str, Tensor); 7];

impl Network {
    /// Weights of the size that keeps the scale of what goes through, drawn; biases of zero.
    fn new(generator: &mut Generator) -> Result<Network> {
        let zeros = |size: usize| -> Result<Tensor> { Ok(Tensor::new(Array::zeros(&[size], DType::F64)?)) };
        let mut weights = |rows: usize, columns: usize| {
            let drawn = Tensor::new(generator.randn(&[rows, columns], DType::F64)?);
            &drawn / (rows as f64).sqrt()
        };
        let (w1, w2) = (weights(FEATURES, HIDDEN)?, weights(HIDDEN, OUTPUTS)?);
        Ok(Network { w1, b1: zeros(HIDDEN)?, w2, b2: zeros(OUTPUTS)? })
    }

    fn forward(&self, x: &Tensor) -> Result<Pass> {
        let z1 = (&x.matmul(&self.w1)? + &self.b1)?;
        let a = z1.relu()?;
        let z2 = (&a.matmul(&self.w2)? + &self.b2)?;
        Ok(Pass { z1, a, z2 })
    }

    /// The gradients by hand, from the loss back to the first layer.
    fn backward(&self, x: &Tensor, pass: &Pass, target: &Tensor) -> Result<Gradients> {
        let over_samples = |g: &Tensor| g.map(|g| g.sum(&[0], false));
        let z2 = (&(2.0 * &(&pass.z2 - target)?)? / (SAMPLES * OUTPUTS) as f64)?;
        let a = z2.matmul(&self.w2.t()?)?;
        let z1 = (&a * &pass.z1.map(Val::step)?)?;
        Ok([
            ("w1", x.t()?.matmul(&z1)?),
            ("b1", over_samples(&z1)?),
            ("w2", pass.a.t()?.matmul(&z2)?),
            ("b2", over_samples(&z2)?),
            ("z1", z1),
            ("a", a),
            ("z2", z2),
        ])
    }

    fn parameters(&self) -> [&Tensor; 4] {
        [&self.w1, &self.b1, &self.w2, &self.b2]
    }
}

fn mse(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    (prediction - target)?.pow(2.0)?.mean()
}

/// The mean squared error that is left by the linear layer that fits best, from the normal equations.
fn best_of_a_linear_layer(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let one = Tensor::new(Array::ones(&[SAMPLES], DType::F64)?);
    // A column of ones beside the features: X [I 0] + 1 [0 1].
    let (mut left, mut right) = (vec![0.0; FEATURES * (FEATURES + 1)], vec![0.0; FEATURES + 1]);
    (0..FEATURES).for_each(|k| left[k * (FEATURES + 1) + k] = 1.0);
    right[FEATURES] = 1.0;
    let left = Tensor::from_slice(&[FEATURES, FEATURES + 1], &left)?;
    let right = Tensor::from_slice(&[FEATURES + 1], &right)?;
    let affine = (&x.matmul(&left)? + &one.zip(&right, Val::outer)?)?;
    let normal = affine.t()?.matmul(&affine)?;
    let weights = normal.zip(&affine.t()?.matmul(y)?, |a, b| a.solve(b, false))?;
    mse(&affine.matmul(&weights)?, y)
}

/// Compares every gradient by hand with the one that `backward` leaves.
fn compare(
    network: &Network,
    x: &Tensor,
    y: &Tensor,
    out: &mut dyn Write,
) -> std::result::Result<(), Box<dyn Error>> {
    let by_hand = network.backward(x, &network.forward(x)?, y)?;
    for parameter in network.parameters() {
        // Without this the second comparison would find the gradients of both: they accumulate.
        parameter.zero_grad();
        parameter.requires_grad_(true)?;
    }
    let pass = network.forward(x)?;
    for value in [&pass.z1, &pass.a, &pass.z2] {
        value.retain_grad()?;
    }
    mse(&pass.z2, y)?.backward()?;
    let values = [&network.w1, &network.b1, &network.w2, &network.b2, &pass.z1, &pass.a, &pass.z2];
    for ((name, by_hand), value) in by_hand.into_iter().zip(values) {
        let by_autograd = value.grad()?;
        // A sum over the samples rounds as often as there are samples.
        let rounding = SAMPLES as f64 * f64::EPSILON * by_autograd.array().max_abs();
        let difference = (&by_hand - &by_autograd)?.array().max_abs();
        writeln!(out, "{name}.grad by hand and by autograd agree: {}", difference <= rounding)?;
    }
    for parameter in network.parameters() {
        parameter.requires_grad_(false)?;
    }
    Ok(())
}

/// The example: what it prints, to `out`.
pub fn run(out: &mut dyn Write) -> std::result::Result<(), Box<dyn Error>> {
    let mut generator = Generator::new(0);
    let x = Tensor::new(generator.rand(&[SAMPLES, FEATURES], DType::F64)?);
    let x = (&(10.0 * &x)? - 5.0)?;
    let w_true = Tensor::from_slice(&[FEATURES, OUTPUTS], &[1.0, 1.0, 1.5, 1.5, 2.0, 3.0, 2.5, -0.5])?;
    let b_true = Tensor::from_slice(&[OUTPUTS], &[0.0, -1.0])?;
    let y = (&x.map(Val::abs)?.matmul(&w_true)? + &b_true)?;
    let network = Network::new(&mut generator)?;

    writeln!(out, "the best loss of a linear layer = {}", best_of_a_linear_layer(&x, &y)?)?;
    writeln!(out, "\nbefore the first step")?;
    compare(&network, &x, &y, out)?;
    writeln!(out, "\n500 steps of 0.02")?;
    for step in 0..=500 {
        let pass = network.forward(&x)?;
        if step % 50 == 0 {
            writeln!(out, "loss = {}", mse(&pass.z2, &y)?)?;
        }
        let gradients = network.backward(&x, &pass, &y)?;
        for (parameter, (_, gradient)) in network.parameters().into_iter().zip(gradients) {
            parameter.sub_(&(0.02 * &gradient)?)?;
        }
    }
    writeln!(out, "\nafter the last step")?;
    compare(&network, &x, &y, out)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    run(&mut stdout().lock())
}
