//! The Jacobian of one value of a file by another: structure, formula, cost, and numbers on demand.

use std::path::Path;

use pullback_array::memory;
use pullback_autograd::{Jacobian, Layout, jacobian};
use pullback_lang::program::{Program, Value};
use pullback_network::Value as _;
use pullback_ops::{Factor, Val};
use pullback_report::{Form, Invalid, JacobianReport, Payload, Problem};

use super::Opened;

/// Which Jacobian is wanted, and how much of it.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The name of what is differentiated.
    pub of: &'a str,
    /// The name of what it is differentiated by: an input or a definition.
    pub wrt: &'a str,
    /// How the numbers are to be laid out, if they are wanted.
    pub dense: Option<Form>,
}

/// The Jacobian of one value of a file by another. No number is computed unless it is wanted.
///
/// # Errors
/// Where the file is invalid, a name is none of its values, a rule has no Jacobian to give, or the numbers would pass the
/// limit on memory.
pub fn jacobian_source(
    name: &str,
    bytes: &[u8],
    base_dir: &Path,
    wanted: &Wanted<'_>,
) -> Result<JacobianReport, Invalid> {
    let opened = Opened::new(name, bytes, base_dir)?;
    let found = Found::new(&opened, wanted);
    match found.and_then(|found| found.report(&opened, wanted)) {
        Ok(report) => Ok(JacobianReport { warnings: opened.warnings, ..report }),
        Err(problem) => Err(opened.invalid(vec![problem])),
    }
}

/// The two values, and the Jacobian.
struct Found {
    of: Val,
    wrt: Val,
    jacobian: Jacobian,
}

impl Found {
    fn new(opened: &Opened, wanted: &Wanted<'_>) -> Result<Found, Problem> {
        let of = value(&opened.program, wanted.of, &opened.document.name)?.val.clone();
        let wrt = value(&opened.program, wanted.wrt, &opened.document.name)?.val.clone();
        let jacobian = jacobian(&of, &wrt, &[]).map_err(|error| without_place(&error))?;
        Ok(Found { of, wrt, jacobian })
    }

    fn report(&self, opened: &Opened, wanted: &Wanted<'_>) -> Result<JacobianReport, Problem> {
        let side = |name: &str, value: &Val| (name.to_string(), value.dims().to_vec());
        let dense = match wanted.dense {
            Some(form) => Some((form, self.numbers(wanted, form)?)),
            None => None,
        };
        Ok(JacobianReport {
            document: opened.document.clone(),
            of: side(wanted.of, &self.of),
            wrt: side(wanted.wrt, &self.wrt),
            dtype: self.of.dtype(),
            formula: self.jacobian.formula(),
            payloads: self.payloads(),
            cost: self.jacobian.cost(),
            dense,
            warnings: Vec::new(),
        })
    }

    /// The arrays of the formula, each once, in the order in which it has them. What is written alike is alike.
    fn payloads(&self) -> Vec<Payload> {
        let mut payloads = Vec::new();
        let terms = self.jacobian.network().terms();
        for factor in terms.iter().flat_map(|term| &term.factors) {
            let Factor::Dense(value, _) = factor else { continue };
            let payload = Payload { symbol: value.symbol(), dims: value.dims().to_vec() };
            if value.as_number().is_none() && !payloads.contains(&payload) {
                payloads.push(payload);
            }
        }
        payloads
    }

    fn numbers(&self, wanted: &Wanted<'_>, form: Form) -> Result<pullback_array::Array, Problem> {
        let entries = self.jacobian.cost().dense_entries;
        let bytes = entries * self.of.dtype().size_of() as f64;
        if bytes > memory::limit() as f64 {
            let size = memory::human(bytes as usize);
            let message = format!(
                "∂{}/∂{} written out takes {size}, and the limit on memory is {}",
                wanted.of,
                wanted.wrt,
                memory::human(memory::limit())
            );
            return Err(
                Problem::new(message).with_hint(format!("raise it with --memory, if {size} are there"))
            );
        }
        let value = match form {
            Form::Tensor => self.jacobian.to_dense(),
            Form::Row => self.jacobian.to_matrix(Layout::Row),
            Form::Column => self.jacobian.to_matrix(Layout::Column),
        };
        value.and_then(|value| value.array().cloned()).map_err(|error| without_place(&error))
    }
}

/// The value of a name. What is wrong was not written in the file but asked of it: the problem has no place there.
pub(super) fn value<'a>(program: &'a Program, name: &str, file: &str) -> Result<&'a Value, Problem> {
    if let Some(value) = program.find(name) {
        return Ok(value);
    }
    let names: Vec<String> = program.values.iter().map(|value| format!("`{}`", value.name)).collect();
    Err(Problem::new(format!("`{name}` is no value of {file}"))
        .with_hint(format!("its values are {}", names.join(", "))))
}

fn without_place(error: &pullback_ops::Error) -> Problem {
    Problem { hint: error.hint().map(str::to_string), ..Problem::new(error.to_string()) }
}
