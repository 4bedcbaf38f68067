//! The Jacobian of one value of a file by another, and the Hessian of a scalar: structure, formula, cost, and numbers on demand.

use std::path::Path;

use pullback_array::memory;
use pullback_autograd::{Jacobian, Layout, Stage, grad, jacobian};
use pullback_check::{Probed, probe};
use pullback_derive::{conditional, derive};
use pullback_lang::parse_expr;
use pullback_lang::program::{Program, Value, evaluate};
use pullback_network::{Structure, Value as _};
use pullback_ops::{Factor, Val};
use pullback_report::{Form, Invalid, JacobianReport, JacobianStep, Payload, Problem, Statement};

use super::Opened;

/// More multiply–adds than this in one forward pass of tangents, and the structure is not probed.
const MOST_PROBED: f64 = 4e9;

/// Which Jacobian is wanted, and how much of it.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The name of what is differentiated.
    pub of: &'a str,
    /// The name of what it is differentiated by: an input or a definition.
    pub wrt: &'a str,
    /// How the numbers are to be laid out, if they are wanted.
    pub dense: Option<Form>,
    /// By what the gradient is differentiated once more, where a Hessian is wanted.
    pub again: Option<&'a str>,
}

impl Wanted<'_> {
    /// What is differentiated last, as a formula has it, and by what.
    fn names(&self) -> (String, &str) {
        match self.again {
            Some(again) => (format!("(∂{}/∂{})", self.of, self.wrt), again),
            None => (self.of.to_owned(), self.wrt),
        }
    }

    /// The two values in a program. Of a Hessian the first is the gradient, as short as it can be written.
    fn ends(&self, program: &Program, file: &str) -> Result<(Val, Val), Problem> {
        let of = float(program, self.of, file)?;
        let wrt = float(program, self.wrt, file)?;
        let Some(again) = self.again else { return Ok((of, wrt)) };
        if of.ndim() > 0 {
            let message = format!("`{}` has axes {:?}, and only scalars have a Hessian", self.of, of.dims());
            return Err(Problem::new(message).with_hint(format!(
                "`pullback jacobian --of {} --wrt {}` shows its Jacobian",
                self.of, self.wrt
            )));
        }
        let by = float(program, again, file)?;
        let gradient = match short_gradient(program, &of, &wrt) {
            Some(gradient) => gradient,
            None => grad(&of, &[&wrt]).map_err(|error| without_place(&error))?.remove(0),
        };
        Ok((gradient.named(&self.names().0), by))
    }
}

/// The gradient by its closed form, where that has one: it is as short as that is.
fn short_gradient(program: &Program, of: &Val, wrt: &Val) -> Option<Val> {
    let code = derive(of, wrt).ok()?.code?;
    let short = evaluate(&parse_expr(&code).ok()?.expr, program.scope()).ok()?;
    let gradient = grad(of, &[wrt]).ok()?.remove(0);
    let is_same =
        short.dims() == gradient.dims() && short.array().ok()?.is_near(gradient.array().ok()?, 1e-3);
    // A copy, since a name of its own is wanted for it.
    is_same.then(|| short.copy().ok()).flatten()
}

fn float(program: &Program, name: &str, file: &str) -> Result<Val, Problem> {
    let val = value(program, name, file)?.val.clone();
    if val.dtype().is_float() {
        return Ok(val);
    }
    Err(Problem::new(format!("`{name}` holds integers, which are not differentiable")))
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
    match found.and_then(|found| found.report(&opened, wanted, base_dir)) {
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
        let (of, wrt) = wanted.ends(&opened.program, &opened.document.name)?;
        let jacobian = jacobian(&of, &wrt, &[]).map_err(|error| without_place(&error))?;
        // Conditions are called as one writes them.
        for term in jacobian.stages().iter().flat_map(|stage| stage.network.terms()) {
            for factor in &term.factors {
                if let Factor::Dense(value, _) = factor
                    && let Some(written) = conditional(value)
                {
                    let _ = value.clone().named(&written);
                }
            }
        }
        Ok(Found { of, wrt, jacobian })
    }

    fn report(
        &self,
        opened: &Opened,
        wanted: &Wanted<'_>,
        base_dir: &Path,
    ) -> Result<JacobianReport, Problem> {
        let side = |name: &str, value: &Val| (name.to_string(), value.dims().to_vec());
        let (of, by) = wanted.names();
        let dense = match wanted.dense {
            Some(form) => Some((form, self.numbers(wanted, form)?)),
            None => None,
        };
        let Structure { matrix, by_columns, .. } = self.jacobian.structure();
        Ok(JacobianReport {
            document: opened.document.clone(),
            of: side(&of, &self.of),
            wrt: side(by, &self.wrt),
            dtype: self.of.dtype(),
            stages: self.jacobian.stages().iter().map(step).collect(),
            payloads: self.payloads(),
            statements: self.statements(opened, wanted, base_dir)?,
            matrix,
            by_columns,
            cost: self.jacobian.cost().map_err(|error| without_place(&error))?,
            reverse_mode_flops: self.jacobian.reverse_mode_flops(),
            operations: self.jacobian.operations().iter().map(step).collect(),
            dense,
            warnings: Vec::new(),
        })
    }

    /// The arrays of the formula, each once, in the order in which it has them. What is written alike is alike.
    fn payloads(&self) -> Vec<Payload> {
        let mut payloads = Vec::new();
        let stages = self.jacobian.stages();
        let terms = stages.iter().flat_map(|stage| stage.network.terms());
        for factor in terms.flat_map(|term| &term.factors) {
            let Factor::Dense(value, _) = factor else { continue };
            let payload = Payload { symbol: value.symbol(), dims: value.dims().to_vec() };
            if value.as_number().is_none() && !payloads.contains(&payload) {
                payloads.push(payload);
            }
        }
        payloads
    }

    /// What is said of the structure, each statement held against random probes of the program in double precision, where
    /// these are not too much work.
    fn statements(
        &self,
        opened: &Opened,
        wanted: &Wanted<'_>,
        base_dir: &Path,
    ) -> Result<Vec<Statement>, Problem> {
        let structure = self.jacobian.structure();
        let work: f64 = self.jacobian.operations().iter().map(|stage| stage.network.jvp_flops()).sum::<f64>();
        let exact = match work <= MOST_PROBED {
            true => opened.exact(base_dir).map_err(|errors| first(&errors))?,
            false => {
                let unprobed = |kind| Statement { kind, probed: Probed::Unprobed };
                return Ok(structure.kinds.into_iter().map(unprobed).collect());
            }
        };
        let (of, wrt) = wanted.ends(&exact, &opened.document.name)?;
        let probed = structure.kinds.into_iter().map(|kind| {
            let probed = probe(&of, &wrt, &kind).map_err(|error| without_place(&error))?;
            Ok(Statement { kind, probed })
        });
        probed.collect()
    }

    fn numbers(&self, wanted: &Wanted<'_>, form: Form) -> Result<pullback_array::Array, Problem> {
        let size = |value: &Val| value.shape().iter().map(|&size| size as f64).product::<f64>();
        let bytes = size(&self.of) * size(&self.wrt) * self.of.dtype().size_of() as f64;
        if bytes > memory::limit() as f64 {
            let size = memory::human(bytes as usize);
            let message = format!(
                "∂{}/∂{} written out takes {size}, and the limit on memory is {}",
                wanted.names().0,
                wanted.names().1,
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

/// A Jacobian on the way, with its price.
fn step(stage: &Stage<'_>) -> JacobianStep {
    let name = |value: &Val| match value.name() {
        Some(name) => name.to_string(),
        None => conditional(value).unwrap_or_else(|| value.expression()),
    };
    JacobianStep {
        of: (name(stage.of), stage.of.dims().to_vec()),
        by: (name(stage.by), stage.by.dims().to_vec()),
        formula: stage.network.formula(),
        cost: stage.network.cost(),
    }
}

fn first(errors: &[pullback_lang::Error]) -> Problem {
    errors.first().map_or_else(|| Problem::new("the program is invalid in double precision"), Problem::from)
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
