//! The golden calls of the op table, evaluated as the language evaluates them: output, vjp, jvp and second order are
//! those of PyTorch.

use pullback_array::{Array, DType};
use pullback_autograd::{grad, jvp, pullback};
use pullback_lang::parse_expr;
use pullback_lang::program::{Scope, evaluate};
use pullback_ops::{Error, Val};
use serde_json::Value;

/// An array of the file, and whether it holds integers.
fn array(json: &Value) -> Array {
    let numbers =
        |key: &str| json[key].as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number"));
    let shape: Vec<usize> = numbers("shape").map(|size| size as usize).collect();
    let data: Vec<f64> = numbers("data").collect();
    let array = Array::from_slice(&shape, &data).expect("data of this shape");
    if json["dtype"] == "int64" { array.cast(DType::I64).expect("small integers") } else { array }
}

/// Compares with an entry of the file; zeros where the value is none.
fn compare(what: &str, got: Option<&Val>, expected: &Value, tolerance: f64) -> Result<(), String> {
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
    if worst <= tolerance * scale {
        Ok(())
    } else {
        Err(format!("{what}: off by {worst:.3e} of {scale:.3e}"))
    }
}

fn check(case: &Value) -> Result<(), String> {
    let mut scope = Scope::new(DType::F64);
    let mut inputs: Vec<(&str, Val)> = Vec::new();
    for (name, json) in case["inputs"].as_object().expect("inputs by name") {
        let val = Val::new(array(json)).named(name);
        scope.define(name, val.clone());
        if json["dtype"] != "int64" {
            inputs.push((name, val));
        }
    }
    let of_rule = |what: &'static str| move |error: Error| format!("{what}: {error}");
    let expr =
        parse_expr(case["call"].as_str().expect("a call")).map_err(|error| format!("parse: {error}"))?.expr;
    let output = evaluate(&expr, &scope).map_err(|error| format!("evaluate: {error}"))?;
    // A sum of a few terms, each rounded once, and functions that are good to a few units in the last place.
    compare("output", Some(&output), &case["output"], 1e-12)?;
    let cotangent = Val::new(array(&case["cotangent"]));
    let wrt: Vec<&Val> = inputs.iter().map(|(_, val)| val).collect();
    let gradients = pullback(&[(&output, &cotangent)], &wrt, &[]).map_err(of_rule("vjp"))?;
    // Derivatives of functions whose slope amplifies those errors by up to ten.
    for ((name, _), gradient) in inputs.iter().zip(&gradients) {
        compare(&format!("vjp by {name}"), gradient.as_ref(), &case["vjp"][name], 1e-11)?;
    }
    let tangents: Vec<Val> =
        inputs.iter().map(|(name, _)| Val::new(array(&case["tangent"][*name]))).collect();
    let pairs: Vec<(&Val, &Val)> = wrt.iter().copied().zip(&tangents).collect();
    let tangent = jvp(&output, &pairs).map_err(of_rule("jvp"))?;
    compare("jvp", tangent.as_ref(), &case["jvp"], 1e-11)?;
    // ∂⟨Jᵀȳ, t⟩/∂x, ȳ and t held.
    let mut product: Option<Val> = None;
    for (gradient, tangent) in gradients.iter().zip(&tangents) {
        if let Some(gradient) = gradient {
            let share = (gradient * tangent).and_then(|x| x.sum_all()).map_err(of_rule("hvp"))?;
            product = Some(match product {
                Some(sum) => (&sum + &share).map_err(of_rule("hvp"))?,
                None => share,
            });
        }
    }
    let second = match &product {
        Some(product) => grad(product, &wrt).map_err(of_rule("hvp"))?.into_iter().map(Some).collect(),
        None => vec![None; wrt.len()],
    };
    for ((name, _), second) in inputs.iter().zip(&second) {
        compare(&format!("hvp by {name}"), second.as_ref(), &case["hvp"][name], 1e-11)?;
    }
    Ok(())
}

/// All calls of a golden file, of which there are so many at least.
fn check_all(file: &str, least: usize) {
    let path = format!("{}/../pullback/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the golden file is there");
    let cases: Value = serde_json::from_str(&text).expect("it is JSON");
    let cases = cases.as_array().expect("a list of cases");
    assert!(cases.len() >= least, "only {} cases", cases.len());
    let verdict = |case: &Value| {
        let error = check(case).err()?;
        Some(format!("{} | {} | {error}", case["name"], case["call"]))
    };
    let failures: Vec<String> = cases.iter().filter_map(verdict).collect();
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn every_golden_call_is_what_pytorch_gives() {
    check_all("ops.json", 218);
}

#[test]
fn every_golden_call_of_the_vocabulary_is_what_pytorch_gives() {
    check_all("vocabulary.json", 380);
}
