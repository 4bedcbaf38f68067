//! Notebook 002: a linear layer learns, by gradients that were worked out by hand; then `backward` is asked for them.
//!
//! ```sh
//! cargo run --release --example train_linear scatter.svg
//! ```
//!
//! prints the losses, and draws the data where a file is named. The notebook draws its data without a seed; seed 0 here.

use std::error::Error;
use std::io::{Write, stdout};

use plotters::prelude::{ChartBuilder, Circle, Color, IntoDrawingArea, RED, SVGBackend, WHITE};
use pullback::array::random::Generator;
use pullback::array::{Array, DType, SliceAxis};
use pullback::autograd::tensor::{Result, Tensor};

const SAMPLES: usize = 100;
const FEATURES: usize = 4;
const OUTPUTS: usize = 2;

fn lin(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    &x.matmul(w)? + b
}

fn mse(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    (prediction - target)?.pow(2.0)?.mean()
}

/// ∂L/∂y = 2 (y − t) / (N·H): the mean is over samples and outputs.
fn mse_grad(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    &(2.0 * &(prediction - target)?)? / (SAMPLES * OUTPUTS) as f64
}

/// ∂L/∂x = ∂L/∂y Wᵀ, ∂L/∂W = xᵀ ∂L/∂y, and ∂L/∂b, which is broadcast over the samples, is the sum over them.
fn lin_grad(x: &Tensor, w: &Tensor, y_grad: &Tensor) -> Result<[Tensor; 3]> {
    Ok([y_grad.matmul(&w.t()?)?, x.t()?.matmul(y_grad)?, y_grad.map(|g| g.sum(&[0], false))?])
}

/// A step down the gradients that were worked out by hand.
fn update(x: &Tensor, w: &Tensor, b: &Tensor, y: &Tensor, rate: f64) -> Result<()> {
    let [_, w_grad, b_grad] = lin_grad(x, w, &mse_grad(&lin(x, w, b)?, y)?)?;
    w.sub_(&(rate * &w_grad)?)?;
    b.sub_(&(rate * &b_grad)?)
}

/// `name = tensor(…)`, later lines below the first bracket.
pub fn show(out: &mut dyn Write, name: &str, tensor: &Tensor) -> std::io::Result<()> {
    let prefix = format!("{name} = tensor(");
    writeln!(out, "{prefix}{})", tensor.array().format(&prefix))
}

/// Do two gradients agree up to the rounding of a sum over the samples?
fn close(by_hand: &Tensor, by_autograd: &Tensor) -> Result<bool> {
    let largest = by_autograd.array().max_abs();
    let difference = (by_hand - by_autograd)?.array().max_abs();
    Ok(difference <= SAMPLES as f64 * f64::from(f32::EPSILON) * largest)
}

/// The example: what it prints, to `out`. Returns the input and the output that the plot is of.
pub fn run(out: &mut dyn Write) -> std::result::Result<(Tensor, Tensor), Box<dyn Error>> {
    let mut generator = Generator::new(0);
    let x = Tensor::new(generator.rand(&[SAMPLES, FEATURES], DType::F32)?);
    let x = (&(10.0 * &x)? - 5.0)?;
    let w_true = Tensor::from_slice(&[FEATURES, OUTPUTS], &[1.0f32, 1.0, 1.5, 1.5, 2.0, 3.0, 2.5, -0.5])?;
    let b_true = Tensor::from_slice(&[OUTPUTS], &[0.0f32, -1.0])?;
    let y = lin(&x, &w_true, &b_true)?;
    let w = Tensor::new(generator.randn(&[FEATURES, OUTPUTS], DType::F32)?);
    let b = Tensor::new(Array::zeros(&[OUTPUTS], DType::F32)?);
    let loss = || mse(&lin(&x, &w, &b)?, &y);

    writeln!(out, "the data, and the weights before the first step")?;
    let rows = SliceAxis { start: 0, step: 1, len: 7 };
    let columns = SliceAxis { start: 0, step: 1, len: OUTPUTS };
    show(out, "y[:7]", &Tensor::new(y.array().slice(&[rows, columns])?))?;
    show(out, "w", &w)?;
    show(out, "b", &b)?;
    show(out, "loss", &loss()?)?;

    writeln!(out, "\none step of 0.1, then twenty of 0.01")?;
    update(&x, &w, &b, &y, 0.1)?;
    show(out, "loss", &loss()?)?;
    for _ in 0..20 {
        show(out, "loss", &loss()?)?;
        update(&x, &w, &b, &y, 0.01)?;
    }

    writeln!(out, "\nwhat was learned, and what the data was made with")?;
    show(out, "w", &w)?;
    show(out, "b", &b)?;
    show(out, "w_true", &w_true)?;
    show(out, "b_true", &b_true)?;
    show(out, "loss", &loss()?)?;

    writeln!(out, "\nthe same gradients from backward")?;
    if let Err(error) = loss()?.backward() {
        writeln!(out, "error: {error}")?;
        writeln!(out, "  hint: {}", error.hint().unwrap_or_default())?;
    }
    let by_hand = lin_grad(&x, &w, &mse_grad(&lin(&x, &w, &b)?, &y)?)?;
    for leaf in [&x, &w, &b] {
        leaf.requires_grad_(true)?;
    }
    let loss = loss()?;
    loss.backward()?;
    writeln!(out, "loss = {loss}")?;
    for (name, leaf, by_hand) in [("x", &x, &by_hand[0]), ("w", &w, &by_hand[1]), ("b", &b, &by_hand[2])] {
        writeln!(out, "{name}.grad by hand and by autograd agree: {}", close(by_hand, &leaf.grad()?)?)?;
    }
    Ok((x.detach(), y))
}

/// The third feature against the second output, as SVG.
pub fn scatter(x: &Tensor, y: &Tensor) -> std::result::Result<String, Box<dyn Error>> {
    let column = |tensor: &Tensor, column: usize| -> Vec<f64> {
        tensor.array().to_vec_f64().chunks(tensor.shape()[1]).map(|row| row[column]).collect()
    };
    let points: Vec<(f64, f64)> = column(x, 2).into_iter().zip(column(y, 1)).collect();
    let reach = points.iter().fold(0.0, |reach: f64, (_, y)| reach.max(y.abs()));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (640, 480)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d(-5.0..5.0, -reach..reach)?;
        chart.configure_mesh().x_desc("input, feature 3").y_desc("output 2").draw()?;
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, RED.filled())))?;
        area.present()?;
    }
    Ok(svg)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let (x, y) = run(&mut stdout().lock())?;
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, scatter(&x, &y)?)?;
    }
    Ok(())
}
