//! Functions that people type first and that are not there: what to write in their place, in the language as it is.
//!
//! A hint that names a function names one that exists, and a formula in one has the numbers of the function that it stands for.
//! Where there is no formula either, it says so, and nothing that is merely spelt alike is proposed.

use pullback_ops::find;

use crate::program::OWN;

/// A function that is not there: its name, its parameters, and a formula of them.
type Foreign = (&'static str, &'static str, Option<&'static str>);

/// Of NumPy, PyTorch and JAX. In a formula `n` is a size.
const FOREIGN: &[Foreign] = &[
    ("amin", "x", Some("-max(-x)")),
    ("arccos", "x", None),
    ("arcsin", "x", None),
    ("arctan", "x", None),
    ("argmax", "x", None),
    ("argmin", "x", None),
    ("argsort", "x", None),
    ("asin", "x", None),
    ("acos", "x", None),
    ("atan", "x", None),
    ("average", "x", Some("mean(x)")),
    ("bmm", "a, b", Some("a @ b")),
    ("cat", "a, b", None),
    ("ceil", "x", None),
    ("clamp", "x, low, high", Some("low + relu(x - low) - relu(x - high)")),
    ("clip", "x, low, high", Some("low + relu(x - low) - relu(x - high)")),
    ("concat", "a, b", None),
    ("concatenate", "a, b", None),
    ("cosh", "x", Some("(exp(x) + exp(-x)) / 2")),
    ("cot", "x", Some("cos(x) / sin(x)")),
    ("cov", "x", None),
    ("cross", "a, b", None),
    ("csc", "x", Some("1 / sin(x)")),
    ("cumprod", "x", None),
    ("cumsum", "x", None),
    ("det", "A", None),
    ("detach", "x", None),
    ("diff", "x", Some("x[1:] - x[:-1]")),
    ("divide", "a, b", Some("a / b")),
    ("eig", "A", None),
    ("eigh", "A", None),
    ("elu", "x", Some("relu(x) + exp(-relu(-x)) - 1")),
    ("erf", "x", None),
    ("exp2", "x", Some("2^x")),
    ("expm1", "x", Some("exp(x) - 1")),
    ("flatten", "x", Some("vec(x)")),
    ("flip", "x", None),
    ("floor", "x", None),
    ("fmax", "a, b", Some("b + relu(a - b)")),
    ("fmin", "a, b", Some("b - relu(b - a)")),
    ("gelu", "x", None),
    ("hypot", "a, b", Some("sqrt(a^2 + b^2)")),
    ("identity", "n", Some("eye(n)")),
    ("inner", "a, b", Some("sum(a * b)")),
    ("inverse", "A", Some("inv(A)")),
    ("l2_norm", "x", Some("sqrt(sum(x^2))")),
    ("leaky_relu", "x, slope", Some("relu(x) - slope * relu(-x)")),
    ("log10", "x", Some("log(x) / log(10)")),
    ("log1p", "x", Some("log(1 + x)")),
    ("log2", "x", Some("log(x) / log(2)")),
    ("log_softmax", "x", Some("x - logsumexp(x, axis=-1, keepdims=true)")),
    ("logaddexp", "a, b", Some("b + relu(a - b) + log(1 + exp(-abs(a - b)))")),
    ("logdet", "A", None),
    ("logit", "p", Some("log(p / (1 - p))")),
    ("logsigmoid", "x", Some("-relu(-x) - log(1 + exp(-abs(x)))")),
    ("maximum", "a, b", Some("b + relu(a - b)")),
    ("median", "x", None),
    ("min", "x", Some("-max(-x)")),
    ("minimum", "a, b", Some("b - relu(b - a)")),
    ("mm", "a, b", Some("a @ b")),
    ("mse_loss", "a, b", Some("mean((a - b)^2)")),
    ("multiply", "a, b", Some("a * b")),
    ("mv", "A, x", Some("A @ x")),
    ("negative", "x", Some("-x")),
    ("norm", "x", Some("sqrt(sum(x^2))")),
    ("one_hot", "k, n", Some("k[:, None] == arange(n)[None, :]")),
    ("ones_like", "x", Some("0 * x + 1")),
    ("pad", "x", None),
    ("pinv", "A", None),
    ("power", "a, b", Some("a^b")),
    ("prod", "x", None),
    ("ravel", "x", Some("vec(x)")),
    ("reciprocal", "x", Some("1 / x")),
    ("relu6", "x", Some("relu(x) - relu(x - 6)")),
    ("repeat", "x", None),
    ("roll", "x", None),
    ("round", "x", None),
    ("rsqrt", "x", Some("1 / sqrt(x)")),
    ("sec", "x", Some("1 / cos(x)")),
    ("silu", "x", Some("x * sigmoid(x)")),
    ("sinc", "x", None),
    ("sinh", "x", Some("(exp(x) - exp(-x)) / 2")),
    ("softplus", "x", Some("relu(x) + log(1 + exp(-abs(x)))")),
    ("sort", "x", None),
    ("sqr", "x", Some("x^2")),
    ("stack", "a, b", None),
    ("std", "x", Some("sqrt(mean((x - mean(x))^2))")),
    ("stop_gradient", "x", None),
    ("subtract", "a, b", Some("a - b")),
    ("svd", "A", None),
    ("swish", "x", Some("x * sigmoid(x)")),
    ("tan", "x", Some("sin(x) / cos(x)")),
    ("tile", "x", None),
    ("tril", "A", None),
    ("triu", "A", None),
    ("var", "x", Some("mean((x - mean(x))^2)")),
    ("where", "c, a, b", Some("c * a + (1 - c) * b")),
    ("zeros_like", "x", Some("0 * x")),
];

/// Is there a function of this name, which no file has to define?
pub(crate) fn exists(name: &str) -> bool {
    find(name).is_some() || OWN.iter().any(|(own, _)| *own == name)
}

/// What to write in the place of a function that is not there, where it is known elsewhere.
pub(crate) fn instead_of(name: &str) -> Option<String> {
    let (name, parameters, formula) = FOREIGN.iter().find(|(known, ..)| *known == name)?;
    Some(match formula {
        Some(formula) => format!("`{formula}` is what is called `{name}({parameters})` elsewhere"),
        None => "nothing that is there stands for it; `pullback ops` lists all functions".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::parse;
    use crate::program::elaborate;

    /// What the formulas are to come to, from definitions of their own: of entries, pairs of entries, or the whole of x.
    enum Witness {
        Entry(fn(f64) -> f64),
        Pair(fn(f64, f64) -> f64),
        Whole(fn(&[f64]) -> f64),
        /// A formula that needs a file of its own, and its numbers.
        File(&'static str, &'static [f64]),
    }

    const MATRICES: &str = "A = [[1, 2], [3, 4]]; a = [[1, 2], [3, 4]]; b = [[5, 6], [7, 8]]; x = [1, 10]";

    fn witness(name: &str) -> Witness {
        use Witness::{Entry, File, Pair, Whole};
        match name {
            "average" => Whole(|x| x.iter().sum::<f64>() / x.len() as f64),
            "amin" | "min" => Whole(|x| x.iter().copied().fold(f64::INFINITY, f64::min)),
            "norm" | "l2_norm" => Whole(|x| x.iter().map(|x| x * x).sum::<f64>().sqrt()),
            "var" => Whole(variance),
            "std" => Whole(|x| variance(x).sqrt()),
            "cosh" => Entry(f64::cosh),
            "sinh" => Entry(f64::sinh),
            "tan" => Entry(f64::tan),
            "cot" => Entry(|x| x.tan().recip()),
            "csc" => Entry(|x| x.sin().recip()),
            "sec" => Entry(|x| x.cos().recip()),
            "elu" => Entry(|x| if x > 0.0 { x } else { x.exp_m1() }),
            "exp2" => Entry(f64::exp2),
            "expm1" => Entry(f64::exp_m1),
            "log10" => Entry(f64::log10),
            "log1p" => Entry(f64::ln_1p),
            "log2" => Entry(f64::log2),
            "logsigmoid" => Entry(|x| -(-x).exp().ln_1p()),
            "negative" => Entry(|x| -x),
            "ones_like" => Entry(|_| 1.0),
            "zeros_like" => Entry(|_| 0.0),
            "reciprocal" => Entry(f64::recip),
            "relu6" => Entry(|x| x.clamp(0.0, 6.0)),
            "rsqrt" => Entry(|x| x.sqrt().recip()),
            "silu" | "swish" => Entry(|x| x / (1.0 + (-x).exp())),
            "softplus" => Entry(|x| x.exp().ln_1p()),
            "sqr" => Entry(|x| x * x),
            "fmax" | "maximum" => Pair(f64::max),
            "fmin" | "minimum" => Pair(f64::min),
            "hypot" => Pair(f64::hypot),
            "logaddexp" => Pair(|a, b| (a.exp() + b.exp()).ln()),
            "multiply" => Pair(|a, b| a * b),
            "divide" => Pair(|a, b| a / b),
            "subtract" => Pair(|a, b| a - b),
            "power" => Pair(f64::powf),
            "bmm" | "mm" => File(MATRICES, &[19.0, 22.0, 43.0, 50.0]),
            "mv" => File(MATRICES, &[21.0, 43.0]),
            "inverse" => File(MATRICES, &[-2.0, 1.0, 1.5, -0.5]),
            "inner" => File("a = [1, 2, 3]; b = [4, 5, 6]", &[32.0]),
            "mse_loss" => File("a = [1, 2, 3]; b = [4, 6, 3]", &[25.0 / 3.0]),
            "clamp" | "clip" => File("x = [-2, 0.5, 1, 9]; low = -1; high = 2", &[-1.0, 0.5, 1.0, 2.0]),
            "leaky_relu" => File("x = [-2, 3]; slope = 0.1", &[-0.2, 3.0]),
            "diff" => File("x = [1, 4, 9]", &[3.0, 5.0]),
            "flatten" | "ravel" => File("x = [[1, 2], [3, 4]]", &[1.0, 2.0, 3.0, 4.0]),
            "identity" => File("c: [n=2] = [1, 1]", &[1.0, 0.0, 0.0, 1.0]),
            "one_hot" => {
                File("c: [n=3] = [1, 1, 1]; k: [2] ~ randint(2, 3)", &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
            }
            "logit" => File("p = [0.5, 0.9]", &[0.0, 2.197_224_577_336_219_6]),
            "log_softmax" => File("x = [0, 0, 0, 0]", &[-1.386_294_361_119_890_6; 4]),
            "where" => File("c = [1, 0]; a = [2, 3]; b = [4, 5]", &[2.0, 5.0]),
            _ => panic!("`{name}` has a formula and no witness"),
        }
    }

    fn variance(x: &[f64]) -> f64 {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64
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
        let (x, a, b) = ([0.3, 1.7, 0.9], [0.4, 2.0, 3.0], [0.5, 1.5, 3.0]);
        let given = "x = [0.3, 1.7, 0.9]; a = [0.4, 2, 3]; b = [0.5, 1.5, 3]";
        for (name, _, formula) in FOREIGN.iter().filter(|(.., formula)| formula.is_some()) {
            let formula = formula.expect("it was asked for");
            let pair = |f: fn(f64, f64) -> f64| (0..3).map(|k| f(a[k], b[k])).collect();
            let (found, expected): (Vec<f64>, Vec<f64>) = match witness(name) {
                Witness::Entry(f) => (evaluated(given, formula), x.iter().map(|&x| f(x)).collect()),
                Witness::Pair(f) => (evaluated(given, formula), pair(f)),
                Witness::Whole(f) => (evaluated(given, formula), vec![f(&x)]),
                Witness::File(before, expected) => (evaluated(before, formula), expected.to_vec()),
            };
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 1e-14 * (1.0 + expected.abs()),
                    "{name}: {found}, not {expected}"
                );
            }
        }
        // Where a sign decides, both sides are tried.
        let signs = [
            ("elu", -1.5, (-1.5f64).exp_m1()),
            ("relu6", 8.0, 6.0),
            ("softplus", -3.0, (-3f64).exp().ln_1p()),
        ];
        for (name, at, expected) in signs {
            let formula =
                FOREIGN.iter().find(|(known, ..)| *known == name).and_then(|(.., formula)| *formula);
            let found = evaluated(&format!("x = {at}"), formula.expect("it has one"));
            assert!((found[0] - expected).abs() < 1e-15, "{name}: {found:?}");
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
