//! The Rust that `derive --code rust` writes, compiled into this test: it is what lies in `golden/exported`, computes what the program
//! computes, and its gradients are those of finite differences of its own forward pass and of Pullback.
//! `UPDATE_EXPECT=1` writes the files anew.
//!
//! `bench/export/check.py` does the same for all examples, and for the operation of candle.

use expect_test::expect_file;
use ndarray::{Array, ArrayD, Dimension, Ix0, Ix1, Ix2, arr0};
use pullback::array::Array as Numbers;
use pullback::autograd;
use pullback::derive::Wanted;
use pullback::lang::parse;
use pullback::lang::program::{Program, ValueKind, elaborate};
use pullback::network::Value as _;
use pullback::ops::Val;
use pullback::session::{Code, Derived, derive_source};

use crate::command::root;
use written::{attention, gaussian_process, layer_norm, lstm_step, transformer_block};

#[allow(clippy::all, clippy::unwrap_used, reason = "it is code as users get it, and no part of Pullback")]
mod written {
    pub mod attention {
        include!("../golden/exported/attention.txt");
    }
    pub mod layer_norm {
        include!("../golden/exported/layer-norm.txt");
    }
    pub mod gaussian_process {
        include!("../golden/exported/gaussian-process.txt");
    }
    pub mod transformer_block {
        include!("../golden/exported/transformer-block.txt");
    }
    pub mod lstm_step {
        include!("../golden/exported/lstm-step.txt");
    }
}

/// A module's functions on arrays of any number of axes: the output, or with a cotangent the gradients by the inputs.
type Run = fn(&[ArrayD<f64>], Option<&ArrayD<f64>>) -> Vec<ArrayD<f64>>;

fn fixed<D: Dimension>(array: &ArrayD<f64>) -> Array<f64, D> {
    array.clone().into_dimensionality().expect("as many axes as the program has")
}

/// A module whose inputs and output are arrays.
macro_rules! of_arrays {
    ($module:ident($($x:ident: $d:ty),*) -> $out:ty) => {
        |given, cotangent| {
            let [$($x),*] = given else { panic!("as many as the program has") };
            $(let $x = fixed::<$d>($x);)*
            let (output, saved) = $module::forward($($x.view()),*);
            let Some(cotangent) = cotangent else { return vec![output.into_dyn()] };
            let gradients = $module::backward(&saved, fixed::<$out>(cotangent).view());
            vec![$(gradients.$x.into_dyn()),*]
        }
    };
}

#[expect(non_snake_case, reason = "as the programs have them")]
fn modules() -> Vec<(&'static str, Run)> {
    let gaussian_process: Run = |given, cotangent| {
        let number = |k: usize| fixed::<Ix0>(&given[k]).into_scalar();
        let (x, y) = (fixed::<Ix1>(&given[0]), fixed::<Ix1>(&given[1]));
        let (output, saved) = gaussian_process::forward(x.view(), y.view(), number(2), number(3), number(4));
        let Some(cotangent) = cotangent else { return vec![arr0(output).into_dyn()] };
        let found = gaussian_process::backward(&saved, cotangent.sum());
        let numbers = [found.l, found.s, found.n].map(|number| arr0(number).into_dyn());
        [found.x.into_dyn(), found.y.into_dyn()].into_iter().chain(numbers).collect()
    };
    vec![
        ("derive/attention", of_arrays!(attention(Q: Ix2, K: Ix2, V: Ix2) -> Ix2)),
        ("derive/layer-norm", of_arrays!(layer_norm(X: Ix2, g: Ix1, b: Ix1) -> Ix2)),
        ("statistics/gaussian-process", gaussian_process),
        (
            "networks/transformer-block",
            of_arrays!(transformer_block(
                x: Ix2, Wq: Ix2, Wk: Ix2, Wv: Ix2, Wo: Ix2, W1: Ix2, W2: Ix2
            ) -> Ix2),
        ),
        (
            "derive/lstm-step",
            of_arrays!(lstm_step(
                x: Ix1, h0: Ix1, c0: Ix1, U: Ix2, W: Ix2, Uf: Ix2, Wf: Ix2, Uo: Ix2, Wo: Ix2, Ui: Ix2, Wi: Ix2
            ) -> Ix1),
        ),
    ]
}

fn source(name: &str) -> Vec<u8> {
    std::fs::read(root().join("examples").join(format!("{name}.grad"))).expect("the example can be read")
}

#[test]
fn the_files_are_what_is_written() {
    for (name, _) in modules() {
        let wanted =
            Derived { code: Some(Code::Other(Wanted::Rust { candle: false })), ..Derived::default() };
        let report = derive_source(name, &source(name), ".".as_ref(), &wanted)
            .unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.errors));
        let file = name.rsplit('/').next().unwrap_or(name);
        expect_file![format!("../golden/exported/{file}.txt")]
            .assert_eq(&report.code.expect("it was wanted"));
    }
}

fn of_numbers(numbers: &Numbers) -> ArrayD<f64> {
    ArrayD::from_shape_vec(numbers.shape(), numbers.to_vec_f64())
        .expect("as many numbers as there are entries")
}

/// The largest difference, relatively to the largest entry where that is above one.
fn distance(a: &ArrayD<f64>, b: &ArrayD<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    let largest = |array: &ArrayD<f64>| array.fold(0.0, |largest: f64, x| largest.max(x.abs()));
    largest(&(a - b)) / largest(b).max(1.0)
}

/// Σ cotangent ∂output/∂input by central differences, whose error is some 1e-9 of the numbers here.
fn differences(run: Run, given: &[ArrayD<f64>], at: usize, cotangent: &ArrayD<f64>) -> ArrayD<f64> {
    const STEP: f64 = 1e-5;
    let side = |entry: usize, step: f64| {
        let mut moved = given.to_vec();
        *moved[at].iter_mut().nth(entry).expect("one of its entries") += step;
        (&run(&moved, None)[0] * cotangent).sum()
    };
    let slopes = (0..given[at].len()).map(|entry| (side(entry, STEP) - side(entry, -STEP)) / (2.0 * STEP));
    ArrayD::from_shape_vec(given[at].shape(), slopes.collect()).expect("one for each entry")
}

#[test]
fn they_compute_the_program_and_its_gradients() {
    for (name, run) in modules() {
        let text = String::from_utf8(source(name)).expect("UTF-8");
        let program: Program = elaborate(&parse(&text).file, ".".as_ref()).expect("the program is right").0;
        let upstream = program.values.iter().find(|value| value.kind == ValueKind::Upstream);
        let given_for = upstream.and_then(|value| value.name.split_once("/d")).map(|(_, of)| of);
        let last = || program.values.iter().rev().find(|value| value.kind == ValueKind::Definition);
        let output = match given_for {
            Some(of) => program.find(of),
            None => last(),
        };
        let output = &output.expect("it computes something").val;
        let inputs: Vec<&Val> = program
            .values
            .iter()
            .filter(|value| value.kind == ValueKind::Input)
            .map(|value| &value.val)
            .collect();
        let numbers = |val: &Val| of_numbers(val.array().expect("it can be computed"));
        let given: Vec<ArrayD<f64>> = inputs.iter().map(|input| numbers(input)).collect();
        assert!(distance(&run(&given, None)[0], &numbers(output)) < 1e-12, "{name}: the forward pass");

        let shape = output.shape();
        let entries: Vec<f64> = (0..shape.iter().product()).map(|k: usize| (k as f64 + 1.0).sin()).collect();
        let seed = Val::new(Numbers::from_slice(&shape, &entries).expect("it is small"));
        let own = autograd::pullback(&[(output, &seed)], &inputs, &[]).expect("there are rules");
        let cotangent = numbers(&seed);
        for (place, (gradient, own)) in run(&given, Some(&cotangent)).iter().zip(own).enumerate() {
            let measured = differences(run, &given, place, &cotangent);
            assert!(distance(gradient, &measured) < 1e-6, "{name}: {}, differences", inputs[place].symbol());
            let own = own.map_or_else(|| ArrayD::zeros(given[place].raw_dim()), |own| numbers(&own));
            assert!(distance(gradient, &own) < 1e-11, "{name}: {}, autograd", inputs[place].symbol());
        }
    }
}
