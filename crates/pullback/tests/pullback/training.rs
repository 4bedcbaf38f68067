//! The training examples: they print what PyTorch prints for the same seeds, and learn what they should.

use pullback::autograd::tensor::Tensor;

use crate::command::root;

#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/train_hidden.rs"]
mod train_hidden;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../../examples/train_linear.rs"]
mod train_linear;

fn text(run: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    run(&mut out);
    String::from_utf8(out).expect("the example prints UTF-8")
}

/// Every line that PyTorch printed is a line of `text`, in this order.
#[track_caller]
fn assert_has_lines_of(golden: &str, text: &str) {
    let mut lines = text.lines();
    for line in golden.lines().skip(1) {
        assert!(lines.any(|other| other == line), "`{line}` is missing, or stands elsewhere, in\n{text}");
    }
}

fn losses(text: &str) -> Vec<f64> {
    let number = |line: &str| line.strip_prefix("loss = tensor(")?.split([',', ')']).next()?.parse().ok();
    text.lines().filter_map(number).collect()
}

fn linear() -> (String, (Tensor, Tensor)) {
    let mut data = None;
    let text = text(|out| data = Some(train_linear::run(out).expect("the example runs")));
    (text, data.expect("it has run"))
}

#[test]
fn a_linear_layer_prints_what_pytorch_prints() {
    let (text, _) = linear();
    assert_has_lines_of(include_str!("../golden/train_linear.txt"), &text);
    // The error that the notebook meets there, then the comparison that it ends with.
    assert!(text.contains("error: backward: element 0 of the outputs does not require grad"), "{text}");
    for name in ["x", "w", "b"] {
        assert!(text.contains(&format!("{name}.grad by hand and by autograd agree: true")), "{text}");
    }
}

/// Features that are uniform on [−5, 5] have a variance of 25/3. A step of size s then leaves 1 − s·25/3 of what the weights
/// are off by, and 1 − s of what the bias is: 0.029 and 0.74 after all steps. In a sample of 100 the variances are off by a
/// tenth, which makes up to twice of the 0.029, and the means by 0.3, through which the weights' error moves the bias a little.
#[test]
fn a_linear_layer_learns_the_weights_and_not_the_bias() {
    let (text, _) = linear();
    let losses = losses(&text);
    assert!((100.0..1000.0).contains(&losses[0]), "{losses:?}");
    assert!(losses.windows(2).all(|pair| pair[1] <= pair[0]), "{losses:?}");
    assert!(losses.last().is_some_and(|&last| last < 1.0), "{losses:?}");

    let arrays: Vec<Vec<f64>> =
        ["w", "b", "w_true", "b_true"].iter().map(|name| last_array(&text, name)).collect();
    let first = first_array(&text, "w");
    let farthest = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let start = farthest(&first, &arrays[2]);
    assert!(farthest(&arrays[0], &arrays[2]) < 2.0 * 0.029 * start, "{arrays:?} from {start}");
    let left = farthest(&arrays[1], &arrays[3]);
    assert!((0.6..0.85).contains(&left), "{left} of 1 is left of the bias");
}

/// The numbers of the array that the text prints last under this name.
fn last_array(text: &str, name: &str) -> Vec<f64> {
    array_at(text, text.rfind(&format!("\n{name} = tensor(")).expect("the array is printed"))
}

fn first_array(text: &str, name: &str) -> Vec<f64> {
    array_at(text, text.find(&format!("\n{name} = tensor(")).expect("the array is printed"))
}

fn array_at(text: &str, at: usize) -> Vec<f64> {
    let from = at + text[at..].find('(').expect("tensor(");
    let to = from + text[from..].find(')').expect("a closing bracket");
    let words = text[from..to].split(['(', '[', ']', ',', '\n', ' ']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().expect("a number")).collect()
}

/// A circle for each sample, at a place that is an affine function of feature 3 and output 2, to the pixel.
#[test]
fn the_scatter_plot() {
    let (_, (x, y)) = linear();
    let svg = train_linear::scatter(&x, &y).expect("the plot is drawn");
    assert!(svg.contains("input, feature 3") && svg.contains("output 2"), "the axes have names");
    let attribute = |tag: &str, name: &str| -> f64 {
        let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
        value.and_then(|(value, _)| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {tag}"))
    };
    let circles: Vec<&str> = svg.split("<circle").skip(1).collect();
    assert_eq!(circles.len(), 100);
    for (name, tensor, column) in [("cx", &x, 2), ("cy", &y, 1)] {
        let values: Vec<f64> =
            tensor.array().to_vec_f64().chunks(tensor.shape()[1]).map(|row| row[column]).collect();
        let places: Vec<f64> = circles.iter().map(|circle| attribute(circle, name)).collect();
        let extreme = |sign: f64| {
            (0..100).max_by(|&i, &j| (sign * values[i]).total_cmp(&(sign * values[j]))).expect("100 samples")
        };
        let (low, high) = (extreme(-1.0), extreme(1.0));
        let slope = (places[high] - places[low]) / (values[high] - values[low]);
        assert!(slope.abs() > 5.0, "{slope} pixels a unit");
        assert_eq!(slope > 0.0, name == "cx", "upwards is towards smaller y in SVG");
        for (value, place) in values.iter().zip(&places) {
            // Three places are rounded to pixels.
            assert!((places[low] + slope * (value - values[low]) - place).abs() <= 1.5, "{value} {place}");
        }
    }
}

#[test]
fn a_hidden_layer_prints_what_pytorch_prints_and_learns() {
    let text = text(|out| train_hidden::run(out).expect("the example runs"));
    assert_has_lines_of(include_str!("../golden/train_hidden.txt"), &text);
    assert_eq!(text.matches("by hand and by autograd agree: true").count(), 14, "{text}");
    let losses = losses(&text);
    let linear = text.split_once("linear layer = tensor(").and_then(|(_, rest)| rest.split_once(')'));
    let linear: f64 = linear.and_then(|(number, _)| number.parse().ok()).expect("the best linear loss");
    assert!(losses.last().is_some_and(|&last| last < linear / 100.0), "{losses:?}, linear {linear}");
}

/// What the examples are run with, the README says.
#[test]
fn the_readme_names_the_examples() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README is there");
    for name in ["train_linear", "train_hidden"] {
        assert!(readme.contains(&format!("cargo run --release --example {name}")), "{name}");
    }
}
