//! Every number that the seed notebooks print is printed here too, digit for digit.
//!
//! The table `tests/seed_numbers.tsv` says which number an example gives, and why the others are not asserted.

use std::collections::HashMap;
use std::path::Path;

use pullback::array::{Array, DType};
use pullback::autograd::{Layout, jacobian};
use pullback::check::Verdict;
use pullback::lang::parse_bytes;
use pullback::lang::program::{Claim, Claimed, Program, elaborate};
use pullback::network::Dim;
use pullback::ops::Val;
use pullback::session::{check_source, run_source};

use crate::command::root;

struct Row<'a> {
    line: usize,
    cell: &'a str,
    quantity: &'a str,
    printed: &'a str,
    example: &'a str,
    name: &'a str,
    how: &'a str,
    note: &'a str,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let lines = table.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    let rows = lines.map(|(number, line)| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [_seed, cell, quantity, printed, example, name, how, note] = cells[..] else {
            panic!("line {}: {} columns", number + 1, cells.len());
        };
        Row { line: number + 1, cell, quantity, printed, example, name, how, note }
    });
    // The first of them names the columns.
    rows.skip(1).collect()
}

/// An example, evaluated and judged.
struct Example {
    program: Program,
    verdicts: HashMap<String, Verdict>,
    /// What autograd gives for the last scalar by each input, by the name `dL/dx`.
    gradients: HashMap<String, Array>,
}

impl Example {
    fn new(path: &str) -> Example {
        let bytes = std::fs::read(root().join(path)).expect("the example can be read");
        let (program, _) =
            elaborate(&parse_bytes(&bytes).file, Path::new(".")).expect("the example is right");
        let report = check_source(path, &bytes, Path::new("."));
        let verdicts = report.claims.into_iter().map(|claim| (claim.key, claim.judgement.verdict)).collect();
        let run = run_source(path, &bytes, Path::new(".")).expect("the example runs");
        let gradients = run.gradients.into_iter().map(|gradient| (gradient.name, gradient.array)).collect();
        Example { program, verdicts, gradients }
    }

    fn claim(&self, key: &str) -> Option<&Claim> {
        self.program.claims.iter().find(|claim| claim.key == key)
    }

    /// What the table calls by this name: a gradient by autograd, or else an input, a definition or a claim. A tensor that
    /// no claim is written as is that of an entry claim.
    fn array(&self, name: &str) -> Array {
        if let Some(gradient) = name.strip_prefix("autograd ") {
            return self.gradients.get(gradient).unwrap_or_else(|| panic!("no gradient {gradient}")).clone();
        }
        if let Some(value) = self.program.find(name) {
            return value.val.array().expect("the example can be evaluated").clone();
        }
        let value = |claim: &Claim| match &claim.claimed {
            Claimed::Value { val, .. } => Some(val.array().expect("the example can be evaluated").clone()),
            Claimed::Shape(_) => None,
        };
        let of_pair = |claim: &&Claim| format!("d{}/d{}", claim.of_name, claim.wrt_names.join("")) == name;
        let entry = || self.program.claims.iter().filter(of_pair).find(|claim| claim.key.contains("]/d"));
        self.claim(name)
            .and_then(value)
            .or_else(|| entry().and_then(value))
            .unwrap_or_else(|| panic!("no {name}"))
    }
}

/// The entry of an array at `[i,j,…]`, in the notation and with as many decimals as `printed` has.
fn entry(array: &Array, how: &str, printed: &str) -> String {
    let index: Vec<usize> = how
        .trim_matches(['[', ']'])
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| part.trim().parse().expect("an index is a number"))
        .collect();
    assert_eq!(index.len(), array.ndim(), "an index for each axis of {:?}", array.shape());
    let flat = index.iter().zip(array.shape()).fold(0, |flat, (&i, &size)| {
        assert!(i < size, "{how} in {:?}", array.shape());
        flat * size + i
    });
    let value = array.to_vec_f64()[flat];
    let (digits, exponent) = printed.split_once('e').unwrap_or((printed, ""));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match exponent {
        // `1.`, as floats are printed that are whole; one that is not is no such number.
        "" if digits.ends_with('.') && value.fract() == 0.0 => format!("{value:.0}."),
        "" if digits.ends_with('.') => format!("{value:e}"),
        "" => format!("{value:.decimals$}"),
        // A sign and two digits.
        _ => {
            let text = format!("{value:.decimals$e}");
            let (digits, exponent) = text.split_once('e').expect("there is an exponent");
            let exponent: i32 = exponent.parse().expect("an exponent is a number");
            format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
    }
}

#[test]
fn every_number_is_printed_as_in_the_seeds() {
    let table =
        std::fs::read_to_string(root().join("crates/pullback/tests/seed_numbers.tsv")).expect("the table");
    let mut examples: HashMap<&str, Example> = HashMap::new();
    let (mut asserted, mut explained) = (0, 0);
    let mut wrong = Vec::new();
    for row in rows(&table) {
        if row.how == "-" {
            assert!(row.note.len() > 10, "line {}: no reason why it is not asserted", row.line);
            explained += 1;
            continue;
        }
        let example = examples.entry(row.example).or_insert_with(|| Example::new(row.example));
        let found = match row.how {
            "holds" => (example.verdicts.get(row.name) == Some(&Verdict::Holds)).to_string(),
            "shape" => match example.claim(row.name).map(|claim| &claim.claimed) {
                Some(Claimed::Shape(shape)) => {
                    assert_eq!(example.verdicts[row.name], Verdict::Holds, "line {}", row.line);
                    format!("{shape:?}")
                }
                _ => format!("{:?}", example.array(row.name).shape()),
            },
            index => entry(&example.array(row.name), index, row.printed),
        };
        let expected = if row.how == "holds" { "true" } else { row.printed };
        if found != expected {
            wrong.push(format!(
                "line {}: cell {}, {}: {found}, not {expected}",
                row.line, row.cell, row.quantity
            ));
        }
        asserted += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!((asserted, explained) == (546, 152), "{asserted} asserted, {explained} explained");
}

/// Seed 003: "68 Billion" entries of ∂Z/∂X for N = 64, D = M = 4096, 32 bits each: 256 GiB. Told without computing one.
#[test]
fn the_jacobian_that_does_not_fit_is_priced() {
    let (n, d, m) = (Dim::named("N", 64), Dim::named("D", 4096), Dim::named("M", 4096));
    let x = Val::symbol("X", &[n, d], DType::F32);
    let w = Val::symbol("W", &[d, m], DType::F32);
    let z = x.matmul(&w).expect("the shapes fit");
    let jacobian = jacobian(&z, &x, &[]).expect("a product has a Jacobian");
    let cost = jacobian.cost().expect("nothing is too large to be priced");
    assert_eq!(cost.dense_entries, 2f64.powi(36));
    assert_eq!(cost.dense_entries * 4.0 / 2f64.powi(30), 256.0);
    // Its structure is W and a delta: 64 MiB.
    assert_eq!(cost.stored_entries * 4.0 / 2f64.powi(20), 64.0);
    // Nothing had to be evaluated: the symbols have no numbers.
    assert!(jacobian.to_matrix(Layout::Row).is_ok_and(|matrix| !matrix.has_numbers()));
}
