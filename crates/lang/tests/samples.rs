//! The samples on which PyTorch and JAX try their own operations, as calls of the language: which share is understood, and equal to what
//! they give. `samples_of_*.txt` list the others with what is said of them.

use std::collections::BTreeMap;

use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_lang::parse_expr;
use pullback_lang::program::{Scope, evaluate};
use pullback_ops::Val;
use serde_json::Value;

/// An array of the file; integers where it says so.
fn array(json: &Value) -> Array {
    let numbers =
        |key: &str| json[key].as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number"));
    let shape: Vec<usize> = numbers("shape").map(|size| size as usize).collect();
    let array =
        Array::from_slice(&shape, &numbers("data").collect::<Vec<f64>>()).expect("data of this shape");
    if json["dtype"] == "int64" { array.cast(DType::I64).expect("small integers") } else { array }
}

fn equal(what: &str, got: Option<&Val>, expected: &Value) -> Result<(), String> {
    let expected = array(expected);
    let got = match got {
        Some(val) => val.array().map_err(|error| format!("{what}: {error}"))?.clone(),
        None => Array::zeros(expected.shape(), DType::F64).expect("a small array"),
    };
    if got.shape() != expected.shape() {
        return Err(format!("{what}: the shape {:?}, not {:?}", got.shape(), expected.shape()));
    }
    let scale = expected.max_abs().max(1.0);
    let pairs = got.to_vec_f64().into_iter().zip(expected.to_vec_f64());
    let worst = pairs.map(|(x, y)| if x == y { 0.0 } else { (x - y).abs() }).fold(0.0, f64::max);
    if worst <= 1e-12 * scale { Ok(()) } else { Err(format!("{what}: off by {worst:.1e} of {scale:.1e}")) }
}

fn check(case: &Value) -> Result<(), String> {
    let mut scope = Scope::new(DType::F64);
    let mut inputs: Vec<(&str, Val)> = Vec::new();
    for (name, json) in case["inputs"].as_object().expect("inputs by name") {
        let val = Val::new(array(json)).named(name);
        scope.define(name, val.clone());
        if case["vjp"].get(name).is_some() {
            inputs.push((name, val));
        }
    }
    let call = case["call"].as_str().expect("a call");
    let expr = parse_expr(call).map_err(|error| error.to_string())?.expr;
    let output = evaluate(&expr, &scope).map_err(|error| error.to_string())?;
    equal("output", Some(&output), &case["output"])?;
    let cotangent = Val::new(array(&case["cotangent"]));
    let wrt: Vec<&Val> = inputs.iter().map(|(_, val)| val).collect();
    let gradients = pullback(&[(&output, &cotangent)], &wrt, &[]).map_err(|error| error.to_string())?;
    for ((name, _), gradient) in inputs.iter().zip(&gradients) {
        equal(&format!("vjp by {name}"), gradient.as_ref(), &case["vjp"][name])?;
    }
    Ok(())
}

/// Why a sample is not equal, where what is said of it does not tell: by the beginning of its name.
const REASONS: [(&str, &str); 17] = [
    ("betainc", "incomplete beta and gamma functions are not in the table"),
    ("igamma", "incomplete beta and gamma functions are not in the table"),
    (
        "cholesky_solve",
        "PyTorch gives the triangle that it does not read a slope; differences see none there",
    ),
    ("digamma", "PyTorch's derivative has ten digits"),
    ("nn.functional.hardsigmoid", "PyTorch's derivative has its sixth in single precision"),
    ("fft.irfftn", "transforms are along the last axis, or the last two"),
    ("linalg.eigh", "the matrix is not symmetric: PyTorch reads one triangle, here both count"),
    ("linalg.pinv hermitian", "the matrix is not symmetric: PyTorch reads one triangle, here both count"),
    ("linalg.lu_factor", "there is no factorisation with an order of rows among its results"),
    ("linalg.qr", "signs are a convention: the diagonal of r is positive here"),
    ("linalg.svd", "signs are a convention: the largest component of each column of u is positive here"),
    ("svd_lowrank", "PyTorch draws random numbers for it"),
    ("svd", "signs are a convention: the largest component of each column of u is positive here"),
    ("nextafter", "the next number of a format is no function of reals"),
    ("pca_lowrank", "PyTorch draws random numbers for it"),
    ("repeat", "`repeat` of a list is one thing in PyTorch and another in NumPy: it takes keywords"),
    ("slice", "PyTorch's own name for what is written `x[:]`"),
];

/// The list of what is not understood is up to date.
fn tried(golden: &str, list_of: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/../pullback/tests/golden/{golden}"));
    let cases: Value = serde_json::from_str(&text.expect("the golden file is there")).expect("it is JSON");
    let cases = cases.as_array().expect("a list of cases");
    let mut left_out: BTreeMap<&str, String> = BTreeMap::new();
    for case in cases {
        if let Err(why) = check(case) {
            let (name, call) =
                (case["name"].as_str().expect("a name"), case["call"].as_str().expect("a call"));
            left_out.insert(name, format!("{call} | {}", why.lines().next().unwrap_or_default()));
        }
    }
    let passed = cases.len() - left_out.len();
    let mut list = format!("{passed} of {} samples are equal; the others:\n", cases.len());
    for (name, why) in &left_out {
        list += &format!("{name} | {why}\n");
        if let Some((_, reason)) = REASONS.iter().find(|(of, _)| name.starts_with(of)) {
            list += &format!("    {reason}\n");
        }
    }
    let file = format!("{root}/tests/{list_of}");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &list).expect("the list is written");
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == list, "`UPDATE_EXPECT=1` rewrites {file}, which is not what was found:\n{list}");
}

#[test]
fn samples_of_pytorch() {
    tried("opinfo.json", "samples_of_pytorch.txt");
}

#[test]
fn samples_of_jax() {
    tried("lax.json", "samples_of_jax.txt");
}
