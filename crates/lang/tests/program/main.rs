//! The half from the tree to a program: what files elaborate to, and what is said about files that are wrong.

mod errors;
mod examples;
mod expressions;
mod notation;
mod robustness;
mod statements;

use std::path::Path;

use pullback_array::Array;
use pullback_lang::program::{Claimed, Inputs, Program, elaborate};
use pullback_lang::{Error, parse};

/// The program of a text that is right.
#[track_caller]
fn program(source: &str) -> Program {
    drawn(source).0
}

/// The program of a text that is right, and its inputs.
#[track_caller]
fn drawn(source: &str) -> (Program, Inputs) {
    let parsed = parse(source);
    assert_eq!(parsed.errors, [], "{source}");
    elaborate(&parsed.file, Path::new(".")).unwrap_or_else(|errors| panic!("{errors:?}\n{source}"))
}

/// What is said about a text that parses and is wrong.
#[track_caller]
fn errors(source: &str) -> Vec<Error> {
    let parsed = parse(source);
    assert_eq!(parsed.errors, [], "{source}");
    elaborate(&parsed.file, Path::new(".")).expect_err("the text is wrong")
}

/// The numbers of a value.
#[track_caller]
fn array(program: &Program, name: &str) -> Array {
    let value = program.find(name).unwrap_or_else(|| panic!("`{name}` is there"));
    value.val.array().expect("it has numbers").clone()
}

#[track_caller]
fn numbers(program: &Program, name: &str) -> Vec<f64> {
    array(program, name).to_vec_f64()
}

/// The numbers that a claim claims.
#[track_caller]
fn claimed(program: &Program, key: &str) -> Array {
    let claim =
        program.claims.iter().find(|claim| claim.key == key).unwrap_or_else(|| panic!("`{key}` is claimed"));
    let Claimed::Value { val, .. } = &claim.claimed else { panic!("a value is claimed") };
    val.array().expect("it has numbers").clone()
}

/// Are the numbers equal up to `tolerance` times the largest of them, or 1?
#[track_caller]
fn close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{got:?} and {expected:?}");
    let scale = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    for (x, y) in got.iter().zip(expected) {
        assert!((x - y).abs() <= tolerance * scale, "{got:?} and {expected:?}");
    }
}
