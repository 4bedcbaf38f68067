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
pub(crate) const MODULES: [&str; 13] =
    ["np", "numpy", "torch", "jnp", "jax", "tf", "math", "F", "nn", "optax", "scipy", "special", "lax"];

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
pub(crate) fn called_here(function: Name, args: &mut Vec<Expr>, keywords: &mut Vec<(Name, Expr)>) -> Name {
    // What is sorted is so in any case, and stably.
    if matches!(function.text.as_str(), "sort" | "argsort" | "topk") {
        keywords.retain(|(name, _)| !matches!(name.text.as_str(), "stable" | "sorted"));
    }
    let has = |text: &str| keywords.iter().any(|(name, _)| name.text == text);
    let renamed = match (function.text.as_str(), args.as_slice()) {
        // The words are PyTorch's.
        ("gather", [_]) if has("dim") && has("index") => "take_along_axis",
        ("scatter_add", [_]) if has("dim") && has("index") => "scatter_along_axis",
        ("array_split" | "tensor_split", [_, Expr { kind: ExprKind::List(_), .. }, ..]) => "split_at",
        // No axis is `1.0`.
        ("max", [_, Expr { kind: ExprKind::Number { integer: false, .. }, .. }]) => "maximum",
        ("min", [_, Expr { kind: ExprKind::Number { integer: false, .. }, .. }]) => "minimum",
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
    if renamed == "take_along_axis" && args.len() == 3 {
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
    // What numbers are stored as, and where, is not said here; nor is a chance that is 0.
    keywords.retain(|(name, value)| match name.text.as_str() {
        "dtype" | "device" | "requires_grad" | "layout" | "pin_memory" => false,
        "dropout_p" => !matches!(value.kind, ExprKind::Number { value: 0.0, .. }),
        _ => true,
    });
    if let Some((of, ufunc)) = module.rsplit_once('.')
        && matches!(of, "np" | "numpy" | "jnp")
        && matches!(function.text.as_str(), "reduce" | "accumulate" | "outer")
    {
        let has_axis = args.len() > 1 || keywords.iter().any(|(name, _)| name.text == "axis");
        let (text, reduces) = (of_ufunc(ufunc, &function.text), function.text == "reduce");
        function.text = text.map_or(format!("{ufunc}.{}", function.text), str::to_owned);
        if reduces && !has_axis {
            let first = ExprKind::Number { value: 0.0, integer: true };
            keywords.push((Name::new("axis", function.span), Expr::new(function.span, first)));
        }
        return;
    }
    let keyword =
        |text: &str, kind: ExprKind| (Name::new(text, function.span), Expr::new(function.span, kind));
    let has = |names: &[&str]| keywords.iter().any(|(name, _)| names.contains(&name.text.as_str()));
    let (is_torch, is_linalg) = (module.starts_with("torch"), module.contains("linalg"));
    let is_functional = module == "F" || module.contains("functional");
    let is_numpy = matches!(module, "np" | "numpy" | "jnp");
    let along = args.len() > 1 || has(&["dim", "axis"]);
    let is_flag = |arg: Option<&Expr>| matches!(arg, Some(Expr { kind: ExprKind::Bool(_), .. }));
    let renamed = match function.text.as_str() {
        // `torch.var(x, 1, False)`: an axis, and PyTorch's other word for the correction.
        "std" | "var" if is_torch && !has(&["correction"]) && is_flag(args.get(2)) => {
            let keeps = (args.len() > 3).then(|| args.remove(3));
            let ExprKind::Bool(flag) = args.remove(2).kind else { return };
            keywords.push(keyword("correction", ExprKind::Number { value: f64::from(flag), integer: true }));
            keywords.extend(keeps.map(|keeps| (Name::new("keepdims", function.span), keeps)));
            return;
        }
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
        // PyTorch's index comes first.
        "embedding" if is_functional => "embedding_of_rows",
        "unfold" if is_functional => "im2col",
        // A list of one size is understood already.
        "layer_norm"
            if is_functional && (args.get(1).is_some_and(is_sizes) || has(&["normalized_shape"])) =>
        {
            "layer_norm_over"
        }
        "rms_norm" if is_functional && (args.get(1).is_some_and(is_sizes) || has(&["normalized_shape"])) => {
            "rms_norm_over"
        }
        "rms_norm" if is_functional && args.len() < 3 && !has(&["eps"]) => {
            keywords.push(keyword("eps", ExprKind::Number { value: f64::EPSILON, integer: false }));
            return;
        }
        "cosine_similarity" if is_functional && args.len() < 3 && !has(&["dim", "axis"]) => {
            keywords.push(keyword("axis", ExprKind::Number { value: 1.0, integer: true }));
            return;
        }
        "dropout" if is_functional && keywords.iter().any(|(name, value)| is_off(name, value)) => {
            args.truncate(1);
            keywords.clear();
            "contiguous"
        }
        // NumPy counts the parts, or says where they begin.
        "split" if is_numpy && matches!(args.get(1), Some(Expr { kind: ExprKind::List(_), .. })) => {
            "split_at"
        }
        "split" if is_numpy => "array_split",
        "sort" if is_numpy => "sorted",
        "repeat" if is_numpy && args.len() > 1 => {
            for name in ["repeats", "axis"].iter().take(args.len() - 1) {
                keywords.push((Name::new(*name, function.span), args.remove(1)));
            }
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

/// `x.shape[1:]`, or one size.
fn is_sizes(arg: &Expr) -> bool {
    let mut is = matches!(arg.kind, ExprKind::Number { .. });
    arg.walk(&mut |part| {
        is |= matches!(&part.kind, ExprKind::Call { function, .. } if function.text == "shape");
    });
    is
}

/// `training=False`.
fn is_off(name: &Name, value: &Expr) -> bool {
    name.text == "training" && matches!(value.kind, ExprKind::Bool(false))
}

/// What a function of arrays of two becomes as `np.add.reduce` and the like; none of what has no name here.
fn of_ufunc(ufunc: &str, method: &str) -> Option<&'static str> {
    Some(match (ufunc, method) {
        ("add", "reduce") => "sum",
        ("multiply", "reduce") => "prod",
        ("maximum", "reduce") => "max",
        ("minimum", "reduce") => "min",
        ("add", "accumulate") => "cumsum",
        ("multiply", "accumulate") => "cumprod",
        ("maximum", "accumulate") => "cummax",
        ("minimum", "accumulate") => "cummin",
        ("multiply", "outer") => "outer",
        _ => return None,
    })
}

/// Methods that are no functions.
pub(crate) fn is_method(name: &str) -> bool {
    is_cast(name) || matches!(name, "new_zeros" | "new_ones" | "bool")
}

/// Methods that make the same numbers in another format, or put them elsewhere.
fn is_cast(method: &str) -> bool {
    matches!(method, "to" | "astype" | "type_as" | "type" | "cpu" | "cuda" | "requires_grad_" | "numpy")
}

/// What Python's `%` is.
pub(crate) const MODULO: &str = "remainder";

/// The function that an attribute of a tensor is.
pub(crate) fn of_attribute(name: &str) -> Option<&'static str> {
    match name {
        "data" => Some("detach"),
        "real" => Some("real"),
        _ => None,
    }
}

/// What makes an array of a list.
pub(crate) fn is_array(function: &str) -> bool {
    matches!(function, "array" | "asarray" | "tensor" | "as_tensor" | "from_numpy")
}

/// `x.to(torch.float64)`: what is made of x.
fn cast_by(args: &[Expr], keywords: &[(Name, Expr)]) -> &'static str {
    let to = args.get(1).or(keywords.iter().find(|(name, _)| name.text == "dtype").map(|(_, to)| to));
    match to.map(|to| &to.kind) {
        Some(ExprKind::Name(to)) if to.starts_with("float") || to == "double" => "float",
        Some(ExprKind::Name(to)) if to.starts_with("int") || to == "long" => "long",
        _ => "contiguous",
    }
}

/// A method along a `dim`, which is PyTorch's: `x.std(dim=1)` divides by n − 1 as `torch.std(x, dim=1)` does; and methods whose arguments
/// stand otherwise than those of the function.
pub(crate) fn of_method(function: &mut Name, args: &mut Vec<Expr>, keywords: &mut Vec<(Name, Expr)>) {
    match (function.text.as_str(), args.len()) {
        ("where", 3) => args.swap(0, 1),
        ("size", 1) if keywords.is_empty() => function.text = "shape".to_owned(),
        // `x.transpose(2, 0, 1)` is NumPy's, `x.repeat(2, 1, 1)` PyTorch's.
        ("transpose", 4..) => function.text = "permute".to_owned(),
        ("repeat", 4..) => function.text = "tile".to_owned(),
        ("new_zeros" | "new_ones", _) => {
            function.text = function.text.replace("new_", "");
            args.remove(0);
            keywords.clear();
        }
        (method, _) if is_cast(method) => {
            function.text = cast_by(args, keywords).to_owned();
            args.truncate(1);
            keywords.clear();
        }
        _ => {}
    }
    let is_torch = keywords.iter().any(|(name, _)| name.text == "dim");
    if is_torch && matches!(function.text.as_str(), "std" | "var") {
        of_module("torch", function, args, keywords);
    }
}

/// Functions of several results, and what these are called in PyTorch.
const RESULTS: [(&str, &str); 20] = [
    ("aminmax", "min max"),
    ("cummax_and_place", "values indices"),
    ("cummin_and_place", "values indices"),
    ("eigh", "eigenvalues eigenvectors"),
    ("kthvalue", "values indices"),
    ("linalg_lstsq", "solution residuals"),
    ("linalg_svd", "U S Vh"),
    ("max_and_place", "values indices"),
    ("median_and_place", "values indices"),
    ("min_and_place", "values indices"),
    ("mode", "values indices"),
    ("nanmedian_and_place", "values indices"),
    ("qr", "Q R"),
    ("slogdet", "sign logabsdet"),
    ("sort", "values indices"),
    ("svd", "U S V"),
    ("topk", "values indices"),
    ("triangular_solve", "solution cloned_coefficient"),
    ("std_mean", "std mean"),
    ("var_mean", "var mean"),
];

/// Which result of a call is called so, `x.sort(dim=1).values`; the call is then that of the function with these results, where one along an
/// axis has one here and two in PyTorch.
pub(crate) fn result_named(function: &mut Name, attribute: &str) -> Option<usize> {
    let paired = with_place(&function.text);
    let (_, names) = RESULTS.iter().find(|(known, _)| *known == paired)?;
    let at = names.split(' ').position(|name| name == attribute)?;
    function.text = paired;
    Some(at)
}

/// Layers without parameters: what they apply.
const LAYERS: [(&str, &str); 40] = [
    ("AdaptiveAvgPool1d", "adaptive_avg_pool1d"),
    ("AdaptiveAvgPool2d", "adaptive_avg_pool2d"),
    ("AvgPool1d", "avg_pool1d"),
    ("AvgPool2d", "avg_pool2d"),
    ("BCELoss", "binary_cross_entropy"),
    ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits"),
    ("CELU", "celu"),
    ("CosineSimilarity", "cosine_similarity"),
    ("CrossEntropyLoss", "cross_entropy"),
    ("ELU", "elu"),
    ("Flatten", "flatten_rows"),
    ("GELU", "gelu"),
    ("GLU", "glu"),
    ("GaussianNLLLoss", "gaussian_nll_loss"),
    ("Hardsigmoid", "hardsigmoid"),
    ("Hardswish", "hardswish"),
    ("Hardtanh", "hardtanh"),
    ("HuberLoss", "huber_loss"),
    ("KLDivLoss", "kl_div"),
    ("L1Loss", "l1_loss"),
    ("LayerNorm", "layer_norm"),
    ("LeakyReLU", "leaky_relu"),
    ("LogSigmoid", "logsigmoid"),
    ("LogSoftmax", "log_softmax"),
    ("MSELoss", "mse_loss"),
    ("MaxPool1d", "max_pool1d"),
    ("MaxPool2d", "max_pool2d"),
    ("Mish", "mish"),
    ("NLLLoss", "nll_loss"),
    ("PixelShuffle", "pixel_shuffle"),
    ("ReLU", "relu"),
    ("ReLU6", "relu6"),
    ("SiLU", "silu"),
    ("Sigmoid", "sigmoid"),
    ("SmoothL1Loss", "smooth_l1_loss"),
    ("Softmax", "softmax"),
    ("Softplus", "softplus"),
    ("Tanh", "tanh"),
    ("TripletMarginLoss", "triplet_margin_loss"),
    ("Unflatten", "unflatten"),
];

/// The function that a layer applies, `nn.Softmax(dim=1)(x)`.
pub(crate) fn of_layer(name: &str) -> Option<&'static str> {
    LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, function)| *function)
}

/// The function that gives the place too of what it takes along an axis; the same one of any other.
pub(crate) fn with_place(function: &str) -> String {
    match function {
        "max" | "min" | "median" | "nanmedian" | "cummax" | "cummin" => format!("{function}_and_place"),
        other => other.to_owned(),
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
    fn functions_of_a_file_are_called_as_they_are_written() {
        let before =
            "fn f(x, sorted=2) = x * sorted; fn gt(x, y) = x + y; fn size(x, axis=1) = x * axis; x = [0.5]";
        for (formula, number) in
            [("f(x, sorted=3)", 1.5), ("x.gt(2)", 2.5), ("x.size()", 0.5), ("x.f(sorted=4)", 2.0)]
        {
            assert_eq!(evaluated(before, formula), [number], "{formula}");
        }
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
    fn what_layers_apply_and_what_has_several_results_exists() {
        let functions =
            LAYERS.iter().map(|(_, function)| *function).chain(RESULTS.iter().map(|(name, _)| *name));
        functions.for_each(|name| assert!(exists(name), "there is no `{name}`"));
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
