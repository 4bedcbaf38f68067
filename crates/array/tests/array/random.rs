//! Every draw against PyTorch's own bits: `golden/draws.json`, made by `golden/draws.py`.

use pullback_array::{Array, DType, random::Generator};
use serde_json::Value;

/// The element bits of a golden call, most significant digit first.
fn golden_bits(call: &Value, digits: usize) -> Vec<u64> {
    let text = call["bits"].as_str().expect("bits").as_bytes();
    let parse =
        |chunk: &[u8]| u64::from_str_radix(std::str::from_utf8(chunk).expect("ASCII"), 16).expect("hex");
    text.chunks(digits).map(parse).collect()
}

fn bits(array: &Array) -> Vec<u64> {
    match array.dtype() {
        DType::F32 => array.view::<f32>().expect("f32").iter().map(|v| u64::from(v.to_bits())).collect(),
        DType::F64 => array.view::<f64>().expect("f64").iter().map(|v| v.to_bits()).collect(),
        DType::I64 => array.view::<i64>().expect("i64").iter().map(|&v| v as u64).collect(),
    }
}

fn draw(generator: &mut Generator, call: &Value) -> Array {
    let shape: Vec<usize> =
        call["shape"].as_array().expect("shape").iter().map(|n| n.as_u64().expect("size") as usize).collect();
    let dtype = if call["dtype"] == "f64" { DType::F64 } else { DType::F32 };
    let float = |i: usize| call["args"][i].as_f64().expect("argument");
    let integer = |i: usize| call["args"][i].as_i64().expect("argument");
    match call["fn"].as_str().expect("fn") {
        "rand" => generator.rand(&shape, dtype),
        "randn" => generator.randn(&shape, dtype),
        "normal" => generator.normal(float(0), float(1), &shape, dtype),
        "uniform" => generator.uniform(float(0), float(1), &shape, dtype),
        _ => generator.randint(integer(0), integer(1), &shape),
    }
    .expect("PyTorch could draw it")
}

#[test]
fn equals_pytorch_to_the_last_bit() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/draws.json")).expect("golden/draws.json");
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in golden["cases"].as_array().expect("cases") {
        let seed = case["seed"].as_u64().expect("seed");
        let mut generator = Generator::new(seed);
        for call in case["calls"].as_array().expect("calls") {
            let array = draw(&mut generator, call);
            let (ours, theirs) = (bits(&array), golden_bits(call, 2 * array.dtype().size_of()));
            compared += theirs.len();
            let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
            if ours.len() != theirs.len() || differ > 0 {
                let call = format!("{} {} {} {}", call["fn"], call["shape"], call["dtype"], call["args"]);
                wrong.push(format!("seed {seed}: {call}: {differ} of {} differ", theirs.len()));
            }
        }
    }
    assert!(compared > 5000, "only {compared} values compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The numbers that seed notebook 000 prints for its first draw of W.
#[test]
fn reseeding_starts_anew() {
    let mut generator = Generator::new(0);
    let first = generator.randn(&[3], DType::F32).expect("three numbers");
    generator.reseed(0);
    let again = generator.randn(&[3], DType::F32).expect("three numbers");
    assert_eq!(bits(&first), bits(&again));
}

#[test]
fn refuses_what_has_no_meaning() {
    let mut generator = Generator::new(0);
    let errors = [
        (generator.rand(&[2], DType::I64), "uniform: draws floats, not i64"),
        (generator.normal(0.0, -1.0, &[2], DType::F64), "normal: a standard deviation of -1.0"),
        (generator.uniform(1.0, 0.0, &[2], DType::F64), "uniform: no interval from 1.0 to 0.0"),
        (generator.uniform(f64::NAN, 0.0, &[2], DType::F64), "uniform: no interval from NaN to 0.0"),
        (generator.uniform(0.0, 1e300, &[2], DType::F32), "uniform: f32 has no interval from 0.0 to 1e300"),
        (generator.randint(3, 3, &[2]), "randint: no integers from 3 up to, but not with, 3"),
    ];
    for (result, message) in errors {
        assert_eq!(result.expect_err(message).message(), message);
    }
}
