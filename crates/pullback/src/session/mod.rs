//! From the bytes of a `.grad` file to a report: what each command does, without reading arguments and without printing.
//!
//! The only files that are opened here are those that a source loads data from; their paths are relative to a `base_dir`.
//!
//! | function | command |
//! |---|---|
//! | [`check_source`], [`check_dump`], [`check_as`] | `pullback check`, `pullback check --data` |
//! | [`run_source`] | `pullback run` |
//! | [`jacobian_source`] | `pullback jacobian` |
//! | [`derive_source`], [`derive_statements`] | `pullback derive` |
//!
//! [`function`] judges gradients that a function of one's own returns.

mod check;
mod data;
mod derive;
pub mod function;
mod jacobian;
mod run;

use std::path::Path;

use pullback_array::{Array, DType};
use pullback_autograd::Function;
use pullback_lang::program::{Inputs, Program, elaborate_at, elaborate_with};
use pullback_lang::{Error, File, parse_bytes};
use pullback_ops::{Origin, Val};
use pullback_report::{Document, Invalid, Problem};

pub use check::{check_as, check_dump, check_source, check_watched};
pub use data::{Data, Terms};
pub use derive::{Code, Derived, derive_source, derive_statements};
pub use jacobian::{Wanted, jacobian_source};
pub use run::run_source;

/// A file whose text has become a program.
struct Opened {
    document: Document,
    file: File,
    /// In the number format of the file.
    program: Program,
    inputs: Inputs,
    warnings: Vec<Problem>,
}

impl Opened {
    fn new(name: &str, bytes: &[u8], base_dir: &Path) -> Result<Opened, Invalid> {
        let (document, file, warnings) = Opened::parsed(name, bytes)?;
        Opened::elaborated(document, file, warnings, &Inputs::default(), base_dir)
    }

    /// The tree of a text, and what is probably not meant by it.
    fn parsed(name: &str, bytes: &[u8]) -> Result<(Document, File, Vec<Problem>), Invalid> {
        let document = Document::new(name, String::from_utf8_lossy(bytes));
        let parsed = parse_bytes(bytes);
        let warnings = problems(&parsed.warnings);
        if !parsed.errors.is_empty() {
            // What a statement with an error would have defined is missing: nothing below it can be judged.
            return Err(Invalid { document, errors: problems(&parsed.errors), warnings });
        }
        Ok((document, parsed.file, warnings))
    }

    /// The program of a tree, with numbers from elsewhere for some of its inputs.
    fn elaborated(
        document: Document,
        file: File,
        warnings: Vec<Problem>,
        given: &Inputs,
        base_dir: &Path,
    ) -> Result<Opened, Invalid> {
        match elaborate_with(&file, given, base_dir) {
            Ok((program, inputs)) => Ok(Opened { document, file, program, inputs, warnings }),
            Err(errors) => Err(Invalid { document, errors: problems(&errors), warnings }),
        }
    }

    /// The same program on the same numbers in double precision; itself, if it is in double precision.
    fn exact(&self, base_dir: &Path) -> Result<Program, Vec<Error>> {
        match self.program.dtype {
            DType::F64 => Ok(self.program.clone()),
            _ => elaborate_at(&self.file, &self.inputs, DType::F64, base_dir),
        }
    }

    /// Evaluates every value, so that an expression that cannot be evaluated is found where it stands. The first one is
    /// told: others may follow from it.
    fn evaluate(&self) -> Result<(), Problem> {
        for value in &self.program.values {
            self.program.array(&value.val, value.span).map_err(|error| Problem::from(&error))?;
        }
        Ok(())
    }

    /// The same, without keeping the numbers: what is large is run anew where it is asked for.
    fn try_out(&self) -> Result<(), Problem> {
        let values = self.program.values.iter().map(|value| &value.val);
        let (leaves, others): (Vec<&Val>, Vec<&Val>) =
            values.partition(|value| matches!(value.origin(), Origin::Leaf));
        let run = || {
            let arrays: Vec<Array> =
                leaves.iter().map(|leaf| leaf.array().cloned()).collect::<Result<_, _>>()?;
            Function::new(&leaves, &others, &[])?.call(&arrays)
        };
        match run() {
            Ok(_) => Ok(()),
            Err(_) => self.evaluate(),
        }
    }

    fn invalid(self, errors: Vec<Problem>) -> Invalid {
        Invalid { document: self.document, errors, warnings: self.warnings }
    }
}

fn problems(errors: &[Error]) -> Vec<Problem> {
    errors.iter().map(Problem::from).collect()
}
