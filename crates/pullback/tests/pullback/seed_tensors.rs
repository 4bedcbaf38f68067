//! The tensors of seed notebook 004 as the command prints them: brackets, blank lines, notation and all.
//!
//! `seed_numbers.rs` holds every number to its digits; here some tensors are held to the character.

use std::collections::HashMap;

use crate::command::pullback;

/// What a command prints, by name. The lines below a name's first are moved left by what stands before the tensor.
fn tensors(arguments: &[&str]) -> HashMap<String, String> {
    let ran = pullback(arguments, "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    let mut tensors: HashMap<String, String> = HashMap::new();
    let mut current: Option<(String, usize)> = None;
    for line in ran.stdout.lines() {
        if let Some((name, tensor)) =
            line.split_once(" = ").filter(|(_, tensor)| tensor.starts_with("tensor("))
        {
            tensors.insert(name.to_string(), tensor.to_string());
            current = Some((name.to_string(), name.chars().count() + " = ".len()));
        } else if let Some((name, indent)) = &current {
            let text = tensors.get_mut(name).expect("it was begun");
            let moved: String = line.chars().skip(*indent).collect();
            *text += &format!("\n{moved}");
        }
    }
    for text in tensors.values_mut() {
        text.truncate(text.trim_end().len());
    }
    tensors
}

#[track_caller]
fn prints(arguments: &[&str], expected: &[(&str, &str)]) {
    let tensors = tensors(arguments);
    for (name, text) in expected {
        assert_eq!(tensors.get(*name).map(String::as_str), Some(*text), "{name} of {arguments:?}");
    }
}

#[test]
fn functions_entry_by_entry() {
    const FILE: &str = "examples/004-elementwise.grad";
    prints(
        &["run", FILE],
        &[
            ("e", "tensor([ 2.7183,  7.3891, 20.0855, 54.5982])"),
            ("dsum_l/dx", "tensor([1.0000, 0.5000, 0.3333, 0.2500])"),
        ],
    );
    prints(
        &["jacobian", FILE, "--of", "u", "--wrt", "x", "--dense"],
        &[("∂u/∂x", "tensor([0.2500, 0.2500, 0.2500, 0.2500])")],
    );
    let diagonal = "\
tensor([[ 2.7183,  0.0000,  0.0000,  0.0000],
        [ 0.0000,  7.3891,  0.0000,  0.0000],
        [ 0.0000,  0.0000, 20.0855,  0.0000],
        [ 0.0000,  0.0000,  0.0000, 54.5982]])";
    prints(&["jacobian", FILE, "--of", "e", "--wrt", "x", "--dense"], &[("∂e/∂x", diagonal)]);
    let diagonal = "\
tensor([[1.0000, 0.0000, 0.0000, 0.0000],
        [0.0000, 0.5000, 0.0000, 0.0000],
        [0.0000, 0.0000, 0.3333, 0.0000],
        [0.0000, 0.0000, 0.0000, 0.2500]])";
    prints(&["jacobian", FILE, "--of", "l", "--wrt", "x", "--dense"], &[("∂l/∂x", diagonal)]);
}

#[test]
fn the_three_axes_of_a_jacobian() {
    const FILE: &str = "examples/004-affine.grad";
    // Cell 76.
    let by_weights = "\
tensor([[[1., 2., 3.],
         [0., 0., 0.]],

        [[0., 0., 0.],
         [1., 2., 3.]]])";
    // Cell 101, where it stands in a tuple and so one column further to the right.
    let of_the_second = "\
tensor([[[10., 15., 20.],
         [ 0.,  0.,  0.]],

        [[ 0.,  0.,  0.],
         [10., 15., 20.]]])";
    let summed = "\
tensor([[1., 2., 3.],
        [1., 2., 3.]])";
    prints(
        &["run", FILE],
        &[
            ("J_x", by_weights),
            ("J_t", of_the_second),
            ("dL/dW", summed),
            ("dL/db", "tensor([1., 1.])"),
            ("summed_twice", "tensor([2., 4., 6.])"),
            ("other_axis", summed),
        ],
    );
    prints(&["jacobian", FILE, "--of", "z", "--wrt", "W", "--dense"], &[("∂z/∂W", by_weights)]);
}

#[test]
fn gradients_in_the_thousands() {
    let by_weights = "\
tensor([[ 274.0000,  411.0000,  548.0000,  822.0000, 1096.0000],
        [ 551.3333,  827.0000, 1102.6666, 1654.0000, 2205.3333],
        [ 521.3333,  782.0000, 1042.6666, 1564.0000, 2085.3333]])";
    prints(
        &["run", "examples/004-mse.grad"],
        &[
            ("by_one", "tensor(1.)"),
            ("z", "tensor([42.1000, 87.7000, 88.2000])"),
            ("dL/dx", "tensor([ 45.6467,  59.1133,  72.5800,  96.7733, 120.9667])"),
            ("dL/dW", by_weights),
            ("dL/db", "tensor([27.4000, 55.1333, 52.1333])"),
            ("dL/dtarget", "tensor([-27.4000, -55.1333, -52.1333])"),
        ],
    );
}

#[test]
fn softmax_of_two() {
    let by_weights = "\
tensor([[ 0.0106,  0.0213],
        [-0.0106, -0.0213]])";
    let stacked = "\
tensor([[[ 0.0106,  0.0213],
         [-0.0106, -0.0213]]])";
    prints(
        &["run", "examples/004-softmax-mse.grad"],
        &[
            ("dL/dW", by_weights),
            ("dL/db", "tensor([ 0.0106, -0.0106])"),
            ("dL/dx", "tensor([ 0.0021, -0.0138])"),
            ("stacked", stacked),
            ("transposed", "tensor([ 0.0106, -0.0053])"),
        ],
    );
}

/// The largest weight's gradient is over a thousand times the smallest one's.
#[test]
fn scientific_notation() {
    let by_weights = "\
tensor([[-5.1207e-04,  9.7506e-05,  7.2401e-04, -1.8889e-04,  3.6038e-04],
        [ 1.3595e-01, -2.5887e-02, -1.9222e-01,  5.0148e-02, -9.5679e-02],
        [-1.3544e-01,  2.5789e-02,  1.9149e-01, -4.9959e-02,  9.5318e-02]])";
    prints(
        &["run", "examples/004-five-to-three.grad"],
        &[
            ("dL/dW", by_weights),
            ("dL/db", "tensor([-0.0003,  0.0882, -0.0879])"),
            ("dL/dx", "tensor([-0.0630,  0.0657, -0.1086,  0.1757,  0.0383])"),
        ],
    );
}
