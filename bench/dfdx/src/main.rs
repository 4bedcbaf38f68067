//! `dfdx-peer SAMPLES BATCH`: the toy graph of seed 001, forward and backward, by dfdx. Its tape is allocated anew for each
//! call, as in its documentation.

use dfdx::prelude::*;

include!("../../samples.rs");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [samples, batch] = arguments.as_slice() else { panic!("dfdx-peer SAMPLES BATCH") };
    let device = Cpu::default();
    // dfdx multiplies a vector by a matrix from the right: Wᵀ.
    let w: Tensor<Rank2<3, 2>, f32, _> = device.sample_normal();
    let x: Tensor<Rank1<3>, f32, _> = device.sample_normal();
    let g: Tensor<Rank1<2>, f32, _> = device.sample_normal();
    let b: Tensor<Rank1<2>, f32, _> = device.sample_normal();
    print_samples(samples.parse().expect("a number"), batch.parse().expect("a number"), || {
        let a = x.clone().traced(Gradients::leaky()).matmul(w.clone());
        let u = a.with_empty_tape().square().mean::<Rank0, _>().sqrt().broadcast::<Rank1<2>, _>();
        let v = (a / u) * g.clone() + b.clone();
        let gradients = v.square().sum::<Rank0, _>().backward();
        std::hint::black_box((gradients.get(&w), gradients.get(&g), gradients.get(&b)));
    });
}
