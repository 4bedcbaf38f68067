//! Functions that people type first and that are not there: what to write in their place, in the language as it is.
//!
//! A hint that names a function names one that exists, and a formula in one has the numbers of the function that it stands for.
//! Where there is no formula either, it says so, and nothing that is merely spelt alike is proposed.

use pullback_ops::find;

use crate::prelude;
use crate::program::OWN;
use crate::{Expr, ExprKind, Name};

/// A function that is not there: its name, its parameters, and a formula of them.
type Foreign = (&'static str, &'static str, Option<&'static str>);

/// Of NumPy, PyTorch and JAX. In a formula `n` is a size.
const FOREIGN: &[Foreign] = &[("eig", "A", None), ("sqr", "x", Some("x^2"))];

/// Functions along an axis that people write for those of two values: `max(x, 0)`.
pub(crate) const TAKEN_FOR: [(&str, &str); 2] = [("max", "maximum"), ("min", "minimum")];

/// Words before a definition, elsewhere.
pub(crate) const KEYWORDS: [&str; 3] = ["let", "var", "const"];

/// What people import functions from: before a dot such a name says nothing, where the file has no value of that name.
pub(crate) const MODULES: [&str; 10] =
    ["np", "numpy", "torch", "jnp", "jax", "tf", "math", "F", "nn", "optax"];

/// Is there a function of this name, which no file has to define?
pub(crate) fn exists(name: &str) -> bool {
    find(name).is_some() || OWN.iter().any(|(own, _)| *own == name) || prelude::find(name).is_some()
}

/// What to write in the place of a function that is not there, where it is known elsewhere.
pub(crate) fn instead_of(name: &str) -> Option<String> {
    let (name, parameters, formula) = FOREIGN.iter().find(|(known, ..)| *known == name)?;
    Some(match formula {
        Some(formula) => format!("`{formula}` is what is called `{name}({parameters})` elsewhere"),
        None => "nothing that is there stands for it; `pullback ops` lists all functions".to_owned(),
    })
}

/// A call that PyTorch has under the same name with other arguments: `gather(x, 1, index)`, `scatter_add(x, 1, index, source)`, and
/// `layer_norm(x, [n], weight, bias)`, which says the size of the last axis once more.
pub(crate) fn called_here(function: Name, args: &mut Vec<Expr>) -> Name {
    let renamed = match (function.text.as_str(), args.as_slice()) {
        ("gather", [_, axis, _]) if is_number(axis) => "take_along_axis",
        ("scatter_add", [_, axis, _, _]) if is_number(axis) => "scatter_along_axis",
        ("layer_norm" | "rms_norm", [_, Expr { kind: ExprKind::List(sizes), .. }, ..])
            if sizes.len() == 1 =>
        {
            args.remove(1);
            return function;
        }
        ("layer_norm", [_, Expr { kind: ExprKind::List(_), .. }, ..]) => "layer_norm_over",
        // A list of values is as good as these.
        ("meshgrid" | "broadcast_tensors", [Expr { kind: ExprKind::List(values), .. }]) => {
            *args = values.clone();
            return function;
        }
        _ => return function,
    };
    if renamed == "take_along_axis" {
        args.swap(1, 2);
    }
    Name::new(renamed, function.span)
}

fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } => true,
        ExprKind::Negate(inside) => matches!(inside.kind, ExprKind::Number { .. }),
        _ => false,
    }
}

/// A call behind the name of a module, where that has a meaning: what divides by n − 1 in PyTorch, and by n in NumPy and here, says so;
/// the largest element along an axis comes with where it stands there; PyTorch's classes are axis 1; and in `linalg` the third result of a decomposition is vᵀ.
pub(crate) fn of_module(
    module: &str,
    function: &mut Name,
    args: &mut Vec<Expr>,
    keywords: &mut Vec<(Name, Expr)>,
) {
    let keyword =
        |text: &str, kind: ExprKind| (Name::new(text, function.span), Expr::new(function.span, kind));
    let has = |names: &[&str]| keywords.iter().any(|(name, _)| names.contains(&name.text.as_str()));
    let (is_torch, is_linalg) = (module.starts_with("torch"), module.contains("linalg"));
    let is_functional = module == "F" || module.contains("functional");
    let along = args.len() > 1 || has(&["dim", "axis"]);
    let renamed = match function.text.as_str() {
        "std" | "var" | "std_mean" | "var_mean" if is_torch && !has(&["correction"]) => {
            // The second argument may be PyTorch's other word for the correction, `unbiased`.
            let divisor = match args.get(1).map(|arg| &arg.kind) {
                Some(&ExprKind::Bool(flag)) => {
                    args.remove(1);
                    f64::from(flag)
                }
                _ => 1.0,
            };
            keywords.push(keyword("correction", ExprKind::Number { value: divisor, integer: true }));
            return;
        }
        "embedding" if is_functional && args.len() == 2 => {
            // PyTorch's index comes first.
            args.swap(0, 1);
            return;
        }
        "cross_entropy" if is_functional && !has(&["axis"]) => "cross_entropy_of_channels",
        "nll_loss" if is_functional && !has(&["axis"]) => "nll_loss_of_channels",
        "max" if is_torch && args.len() == 2 && !is_number(&args[1]) => "maximum",
        "min" if is_torch && args.len() == 2 && !is_number(&args[1]) => "minimum",
        "max" if is_torch && along => "max_and_place",
        "min" if is_torch && along => "min_and_place",
        "median" if is_torch && along => "median_and_place",
        "nanmedian" if is_torch && along => "nanmedian_and_place",
        "cummax" if is_torch => "cummax_and_place",
        "cummin" if is_torch => "cummin_and_place",
        "gradient" if is_torch => "gradient_by_axes",
        "median" if is_torch => "lower_median",
        "vander" if is_linalg && is_torch => {
            keywords.push(keyword("increasing", ExprKind::Bool(true)));
            return;
        }
        "svd" if is_linalg => "linalg_svd",
        "lstsq" if is_linalg => "linalg_lstsq",
        // Of a matrix the norm of an order is that of the matrix, and not of its entries.
        "norm" if is_linalg && (args.len() > 1 || has(&["ord"])) => "linalg_norm",
        _ => return,
    };
    function.text = renamed.to_owned();
}

/// A method along a `dim`, which is PyTorch's: `x.std(dim=1)` divides by n − 1 as `torch.std(x, dim=1)` does.
pub(crate) fn of_method(function: &mut Name, args: &mut Vec<Expr>, keywords: &mut Vec<(Name, Expr)>) {
    let is_torch = keywords.iter().any(|(name, _)| name.text == "dim");
    if is_torch && matches!(function.text.as_str(), "std" | "var") {
        of_module("torch", function, args, keywords);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parse;
    use crate::program::elaborate;

    /// What the formulas are to come to at 0.3, 1.7 and 0.9, from definitions of their own.
    fn witness(name: &str) -> Vec<f64> {
        let entry = |f: fn(f64) -> f64| [0.3, 1.7, 0.9].map(f).to_vec();
        match name {
            "sqr" => entry(|x| x * x),
            _ => panic!("`{name}` has a formula and no witness"),
        }
    }

    /// The numbers of a formula behind some statements.
    fn evaluated(before: &str, formula: &str) -> Vec<f64> {
        let source = format!("{before}; formula = {formula}");
        let parsed = parse(&source);
        assert!(parsed.errors.is_empty(), "{source}: {:?}", parsed.errors);
        let (program, _) =
            elaborate(&parsed.file, Path::new(".")).unwrap_or_else(|e| panic!("{source}: {e:?}"));
        program.find("formula").expect("it is defined").val.array().expect("it has numbers").to_vec_f64()
    }

    #[test]
    fn formulas_have_the_numbers_of_what_they_stand_for() {
        for (name, _, formula) in FOREIGN {
            let Some(formula) = formula else { continue };
            let (found, expected) =
                (evaluated("x = [0.3, 1.7, 0.9]; a = x; b = [0.4, 2, 3]", formula), witness(name));
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                let off = (found - expected).abs();
                assert!(off <= 1e-14 * (1.0 + expected.abs()), "{name}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn no_function_that_is_there_is_foreign() {
        for (name, ..) in FOREIGN {
            assert!(!exists(name), "`{name}` is there: it needs no hint");
        }
    }

    /// Every function that the text of this crate tells anybody to write is there.
    #[test]
    fn hints_name_functions_that_exist() {
        // What stands before a bracket without being called: words of statements, and names that an example makes up.
        const NO_FUNCTIONS: [&str; 10] =
            ["f", "load", "normal", "rand", "randint", "randn", "shape", "uniform", "positive", "elsewhere"];
        let mut named = 0;
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the crate's sources are there") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                let code = text.split("#[cfg(test)]").next().unwrap_or("");
                for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                    for function in functions_named(line) {
                        named += 1;
                        let known = exists(function) || NO_FUNCTIONS.contains(&function);
                        assert!(known, "{}: there is no `{function}`: {line}", path.display());
                    }
                }
            }
        }
        assert!(named > 20, "only {named} were found");
    }

    /// The functions that stand in backticks in the strings of a line.
    fn functions_named(line: &str) -> Vec<&str> {
        let quoted = line.split('`').skip(1).step_by(2);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut found = Vec::new();
        for piece in quoted {
            for (at, _) in piece.match_indices('(') {
                let word = piece[..at].rsplit(|c| !is_word(c)).next().unwrap_or("");
                if word.starts_with(|c: char| c.is_alphabetic()) {
                    found.push(word);
                }
            }
        }
        found
    }
}
