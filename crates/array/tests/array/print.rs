//! Every printed text against PyTorch's own: `golden/prints.json`, made by `golden/prints.py`.

use pullback_array::{Array, DType};
use serde_json::Value;

fn golden_array(case: &Value) -> Array {
    let shape: Vec<usize> =
        case["shape"].as_array().expect("shape").iter().map(|n| n.as_u64().expect("size") as usize).collect();
    let values = case["values"].as_array().expect("values").iter().map(|e| e.as_str().expect("text"));
    let texts = values.cycle().take(shape.iter().product());
    match case["dtype"].as_str().expect("dtype") {
        "i64" => Array::from_vec(&shape, texts.map(|t| t.parse::<i64>().expect("i64")).collect()),
        "f64" => Array::from_vec(&shape, texts.map(|t| t.parse::<f64>().expect("f64")).collect()),
        _ => Array::from_vec(&shape, texts.map(|t| t.parse::<f64>().expect("f32") as f32).collect()),
    }
    .expect("as many elements as the shape has")
}

#[test]
fn prints_as_pytorch_does() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/prints.json")).expect("golden/prints.json");
    let cases = golden["cases"].as_array().expect("cases");
    assert!(cases.len() > 700);
    for case in cases {
        let array = golden_array(case);
        let theirs = case["text"].as_str().expect("text");
        assert_eq!(array.to_string(), theirs, "{} {}", case["dtype"], case["shape"]);
    }
}

/// A view prints as its copy does, and only the part shown is read.
#[test]
fn prints_views() {
    let row = Array::from_slice(&[1, 3], &[1.0, 2.0, 3.0]).expect("three elements");
    let view = row.broadcast_to(&[2, 3]).expect("a row").permute(&[1, 0]).expect("two axes");
    assert_eq!(view.to_string(), "tensor([[1., 1.],\n        [2., 2.],\n        [3., 3.]])");
    let huge = Array::zeros(&[], DType::F32).expect("one element").broadcast_to(&[1 << 40]).expect("a view");
    assert_eq!(huge.to_string(), "tensor([0., 0., 0.,  ..., 0., 0., 0.])");
    // Beyond the widest padding that the standard library knows.
    let text = row.broadcast_to(&[2, 3]).expect("a row").format(&"x".repeat(70_000));
    assert_eq!((text.lines().count(), text.len()), (2, 28 + 70_001));
}

/// Under a longer name the same lines, further to the right.
#[test]
fn a_name_moves_the_lines_and_breaks_none() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/prints.json")).expect("golden/prints.json");
    for case in golden["cases"].as_array().expect("cases") {
        let theirs = case["text"].as_str().expect("text");
        let line = |(number, line): (usize, &str)| match (number, line) {
            (0, _) | (_, "") => line.to_string(),
            _ => format!("        {line}"),
        };
        let moved: Vec<String> = theirs.lines().enumerate().map(line).collect();
        let prefix = "dL/dW = tensor(";
        let ours = format!("{prefix}{})", golden_array(case).format(prefix));
        assert_eq!(ours, format!("dL/dW = {}", moved.join("\n")), "{} {}", case["dtype"], case["shape"]);
    }
}
