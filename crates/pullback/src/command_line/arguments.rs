//! The arguments of the command line.

use std::str::FromStr;

use crate::array::Precision;
use crate::array::memory::human;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// Derives, checks and runs backward passes.
#[derive(Parser)]
#[command(name = "pullback", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args)]
pub struct Global {
    /// Print one JSON object; its schema is in `schemas/`
    #[arg(long, global = true)]
    pub json: bool,
    /// Print failures only, and no warnings
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// How much memory may be allocated, beside the few MiB of the program itself; what would pass it is refused
    #[arg(long, global = true, value_name = "SIZE", default_value_t = Size(2 << 30))]
    pub memory: Size,
    /// When to use colours; NO_COLOR is heeded
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Subcommand)]
pub enum Command {
    /// Judge every claim of each file
    #[command(after_help = EXIT_CODES)]
    Check {
        /// Files in the `.grad` language; `-` is standard input
        #[arg(required = true)]
        files: Vec<String>,
        /// Judge the numbers of other code in place of the file's: values of inputs, given cotangents and gradients by
        /// name (`x`, `dL/dx`), in an `.npz` or `.safetensors` file
        #[arg(long, value_name = "DUMP")]
        data: Option<String>,
        /// In which precision the numbers of the dump were computed, where their digits do not tell
        #[arg(long, value_name = "PRECISION", value_enum, requires = "data")]
        precision: Option<Computed>,
        /// Fail where the dump lacks the gradient by an input
        #[arg(long, requires = "data")]
        complete: bool,
    },
    /// Print every definition, then the gradient of the last scalar by every input
    Run {
        /// A file in the `.grad` language; `-` is standard input
        file: String,
    },
    /// Show the Jacobian of one value by another: structure, formula, cost, and numbers on demand
    Jacobian(JacobianArguments),
    /// Show the Hessian of a scalar: structure, formula, cost, and numbers on demand
    Hessian(HessianArguments),
    /// Derive gradients step by step, in index notation and in matrix notation
    #[command(
        override_usage = "pullback derive [OPTIONS] <FILE>\n       pullback derive [OPTIONS] -e <TEXT>"
    )]
    Derive(DeriveArguments),
    /// Show the op table: every operation with its formula, rule, domain and conventions
    Ops {
        /// One operation only, with the derivation of its rule; or a word that is looked for in all
        name: Option<String>,
    },
}

const EXIT_CODES: &str = "Exit code: 0 where every claim holds (or is at a kink and follows the convention), \
1 where one does not, cannot be decided, or could not have failed, 2 where a file is invalid; the highest of all files.";

#[derive(Args)]
pub struct JacobianArguments {
    /// A file in the `.grad` language; `-` is standard input
    pub file: String,
    /// The value that is differentiated
    #[arg(long, value_name = "NAME")]
    pub of: String,
    /// The value that it is differentiated by
    #[arg(long, value_name = "NAME")]
    pub wrt: String,
    /// Print the numbers, as a tensor
    #[arg(long)]
    pub dense: bool,
    /// Print the numbers as a matrix, with both values in row-major or in column-major vec
    #[arg(long, value_enum, value_name = "ORDER")]
    pub vec: Option<VecOrder>,
}

#[derive(Args)]
pub struct HessianArguments {
    /// A file in the `.grad` language; `-` is standard input
    pub file: String,
    /// The scalar that is differentiated
    #[arg(long, value_name = "NAME")]
    pub of: String,
    /// By what the first time, and by what the second; the same, where one is named
    #[arg(long, value_name = "NAME", required = true)]
    pub wrt: Vec<String>,
    /// Print the numbers, as a tensor
    #[arg(long)]
    pub dense: bool,
    /// Print the numbers as a matrix, with both values in row-major or in column-major vec
    #[arg(long, value_enum, value_name = "ORDER")]
    pub vec: Option<VecOrder>,
}

#[derive(Args)]
pub struct DeriveArguments {
    /// A file in the `.grad` language; `-` is standard input
    #[arg(required_unless_present = "expression", conflicts_with = "expression")]
    pub file: Option<String>,
    /// Statements or an expression in place of a file: undeclared names are inputs, upper case a matrix, lower case a
    /// vector
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub expression: Option<String>,
    /// What is differentiated; the value whose cotangent is given, else the last definition, if none is named
    #[arg(long, value_name = "NAME")]
    pub of: Option<String>,
    /// By which value; by every input, if none is given
    #[arg(long, value_name = "NAME")]
    pub wrt: Option<String>,
    /// The backward pass as a program, or every line
    #[arg(long, value_enum, value_name = "HOW", default_value_t = HowMuch::Full)]
    pub steps: HowMuch,
    /// Print the numbers too
    #[arg(long)]
    pub values: bool,
    /// The notation
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Notation::Text)]
    pub format: Notation,
    /// Make a page that stands alone
    #[arg(long)]
    pub document: bool,
    /// The backward pass as code, in place of the derivation
    #[arg(long, value_enum, value_name = "LANGUAGE", conflicts_with_all = ["format", "document", "json"])]
    pub code: Option<Written>,
    /// With `--code torch`: a `torch.autograd.Function` too
    #[arg(long, requires = "code")]
    pub autograd_function: bool,
    /// With `--code rust`: an operation of candle too
    #[arg(long, requires = "code")]
    pub candle: bool,
    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<String>,
}

impl DeriveArguments {
    /// An error where a flag is for another language than the one that is asked for.
    pub fn fit(&self) -> Result<(), clap::Error> {
        let flags = [
            (self.autograd_function, "--autograd-function", "torch", Written::Torch),
            (self.candle, "--candle", "rust", Written::Rust),
        ];
        for (given, flag, called, language) in flags {
            if given && self.code != Some(language) {
                let message = format!("the argument '{flag}' is for '--code {called}'");
                let mut command = Arguments::command();
                return Err(command.error(ErrorKind::ArgumentConflict, message));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// The language itself: a file whose claims can be checked
    Grad,
    Numpy,
    Torch,
    Jax,
    /// For ndarray
    Rust,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Notation {
    Text,
    /// As GitHub renders it
    Markdown,
    Latex,
    /// With MathML
    Html,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum HowMuch {
    /// The backward pass as a program
    Brief,
    /// Every line
    Full,
}

/// A precision in which other code computes.
#[derive(Clone, Copy, ValueEnum)]
pub enum Computed {
    F64,
    F32,
    /// f32, with operands of products rounded to 11 significant bits
    Tf32,
    Bf16,
    F16,
}

impl Computed {
    pub fn precision(self) -> Precision {
        match self {
            Computed::F64 => Precision::F64,
            Computed::F32 => Precision::F32,
            Computed::Tf32 => Precision::TF32,
            Computed::Bf16 => Precision::BF16,
            Computed::F16 => Precision::F16,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum VecOrder {
    /// The last index varies fastest
    Row,
    /// The first index varies fastest
    Col,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Color {
    /// Where the output is a terminal
    Auto,
    Always,
    Never,
}

/// A number of bytes: `512MiB`, `2GiB`, `1e9`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let text = text.trim();
        // An `e` may be part of the number: the unit starts at the first other letter.
        let unit_at = text.find(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E')).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let expected = || format!("`{text}` is no size: write it like 512MiB, 2GiB or 1e9");
        let number: f64 = number.trim().parse().map_err(|_| expected())?;
        let factor: f64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024.0f64.powi(2),
            "g" | "gib" => 1024.0f64.powi(3),
            "t" | "tib" => 1024.0f64.powi(4),
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            _ => return Err(expected()),
        };
        let bytes = number * factor;
        // NaN and negative numbers are no sizes; one beyond the largest integer is no limit.
        if bytes >= 0.0 { Ok(Size(bytes as usize)) } else { Err(expected()) }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&human(self.0).replace(' ', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let cases = [
            ("512MiB", Some(512 << 20)),
            ("2GiB", Some(2 << 30)),
            ("2 GiB", Some(2 << 30)),
            ("1e9", Some(1_000_000_000)),
            ("1.5g", Some(3 << 29)),
            ("64kB", Some(64_000)),
            ("0", Some(0)),
            ("1e99", Some(usize::MAX)),
            ("-1", None),
            ("NaN", None),
            ("2 bytes", None),
            ("", None),
            ("GiB", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse::<Size>().ok(), bytes.map(Size), "{text}");
        }
        assert_eq!(Size(2 << 30).to_string().parse(), Ok(Size(2 << 30)));
    }

    #[test]
    fn the_definition_of_the_arguments_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
