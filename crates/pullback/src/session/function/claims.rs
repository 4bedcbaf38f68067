//! From gradients by name to claims of a program.

use pullback_array::{Array, DType};
use pullback_lang::program::{Program, Value, ValueKind};
use pullback_lang::{File, StatementKind};
use pullback_report::Problem;

use super::Error;
use super::given::listed;
use super::gradients::{Gradient, Gradients};

/// What a function claims, and by what it says that it computes no gradient.
#[derive(Default)]
pub(super) struct Found {
    claims: Vec<Numbers>,
    none: Vec<About>,
}

/// A gradient of this name.
pub(super) struct Numbers {
    pub(super) name: String,
    about: About,
    pub(super) array: Array,
}

/// Of what a derivative is, and by what.
#[derive(PartialEq, Eq)]
struct About {
    of: String,
    wrt: String,
}

/// What gradients claim of a program; all that is wrong with them where something is.
pub(super) fn found(program: &Program, gradients: &Gradients, dtype: DType) -> Result<Found, Vec<Problem>> {
    let mut found = Found::default();
    let mut problems = Vec::new();
    for (name, gradient) in &gradients.all {
        problems.extend(found.add(program, name, gradient, dtype).err());
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

impl Found {
    fn add(
        &mut self,
        program: &Program,
        name: &str,
        gradient: &Gradient,
        dtype: DType,
    ) -> Result<(), Problem> {
        let about = about(program, name)?;
        if self.none.contains(&about) || self.claims.iter().any(|known| known.about == about) {
            return Err(Problem::new(format!("the function returns `{name}` twice")));
        }
        let wrong = |error: &Error| {
            let problem = Problem::new(format!("the function's `{name}`: {error}"));
            let problem = match program.find(&about.wrt) {
                Some(value) => problem.at(value.span.start, value.span.end),
                None => problem,
            };
            error.hint().into_iter().fold(problem, |problem, hint| problem.with_hint(hint))
        };
        let Some(array) = gradient.array(&about.shape(program)).map_err(|error| wrong(&error))? else {
            self.none.push(about);
            return Ok(());
        };
        let array = match (array.dtype(), dtype) {
            (DType::I64, _) => {
                return Err(wrong(&Error::new("a gradient is made of floats, and these are integers")));
            }
            // In a file in single precision the function is given numbers that were rounded to it.
            (_, DType::F32) => array.cast(dtype).map_err(|error| wrong(&error))?,
            _ => array,
        };
        self.claims.push(Numbers { name: name.to_owned(), about, array });
        Ok(())
    }

    /// Is a gradient by this input there, or said not to be?
    fn tells(&self, input: &str) -> bool {
        self.claims.iter().map(|claim| &claim.about).chain(&self.none).any(|about| about.wrt == input)
    }
}

impl About {
    /// The shape of the derivative: that of what it is taken by, for a loss.
    fn shape(&self, program: &Program) -> Vec<usize> {
        let shape = |name: &str| program.find(name).map_or_else(Vec::new, |value| value.val.shape());
        [shape(&self.of), shape(&self.wrt)].concat()
    }
}

/// Says what is missing: gradients by inputs that are neither returned nor said not to be computed. A number that the text gives a
/// name, `eps = 1e-5`, is an input by which hardly anybody computes one: it may be missing.
pub(super) fn complete(file: &File, program: &Program, found: &Found) -> Result<(), Vec<Problem>> {
    let is_number = |input: &Value| {
        input.val.ndim() == 0
            && file.statements.iter().any(|statement| match &statement.kind {
                StatementKind::Input(stated) => stated.name.text == input.name && stated.shape.is_none(),
                _ => false,
            })
    };
    let inputs = program.values.iter().filter(|value| value.kind == ValueKind::Input);
    let missing =
        inputs.filter(|input| input.val.dtype().is_float() && !found.tells(&input.name) && !is_number(input));
    let mut problems: Vec<Problem> = missing
        .map(|input| {
            let name = &input.name;
            Problem::new(format!("the function returns no gradient by `{name}`"))
                .at(input.span.start, input.span.end)
                .with_hint(format!("return it, or say with `.none(\"{name}\")` that it is not computed"))
        })
        .collect();
    if problems.is_empty() && found.claims.is_empty() {
        problems.push(Problem::new("the function returns no gradient: there is nothing to judge"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Adds what a function claims to the claims of a program. Returns the numbers of the claims.
pub(super) fn add<'f>(
    program: &mut Program,
    found: &'f Found,
) -> Result<Vec<(usize, &'f Numbers)>, Vec<Problem>> {
    let mut numbers = Vec::new();
    for claim in &found.claims {
        match program.claim_numbers(&claim.about.of, &claim.about.wrt, &claim.array) {
            Ok(number) => numbers.push((number, claim)),
            Err(error) => {
                let message = format!("the function's `{}`: {}", claim.name, error.message());
                return Err(vec![Problem::new(message)]);
            }
        }
    }
    Ok(numbers)
}

/// What a gradient of this name belongs to: `X`, or `dL/dX`.
fn about(program: &Program, name: &str) -> Result<About, Problem> {
    let unknown = |part: &str| {
        let known: Vec<&str> = program.values.iter().map(|value| value.name.as_str()).collect();
        Problem::new(format!("the function returns `{name}`, and the forward pass has no `{part}`"))
            .with_hint(format!("it has {}", listed(&known)))
    };
    let derivative = name.replace('∂', "d");
    let (of, wrt) = match derivative.split_once('/') {
        Some((of, wrt)) => match (of.strip_prefix('d'), wrt.strip_prefix('d')) {
            (Some(of), Some(wrt)) => (of.to_owned(), wrt.to_owned()),
            _ => return Err(unknown(name)),
        },
        None => (loss(program)?, name.to_owned()),
    };
    if !losses(program).any(|loss| loss == of) && program.find(&of).is_none() {
        return Err(unknown(&of));
    }
    if program.find(&wrt).is_none() {
        return Err(unknown(&wrt));
    }
    Ok(About { of, wrt })
}

/// The losses of which cotangents are given.
fn losses(program: &Program) -> impl Iterator<Item = &str> {
    let upstream = program.values.iter().filter(|value| value.kind == ValueKind::Upstream);
    // `dL/dZ` is the cotangent of Z.
    upstream.filter_map(|value| Some(value.name.strip_prefix('d')?.split_once("/d")?.0))
}

/// What a gradient is one of where only the input is named: the loss whose cotangents are given last, or else the last
/// scalar.
fn loss(program: &Program) -> Result<String, Problem> {
    let given = losses(program).last().map(str::to_owned);
    given.or_else(|| program.last_scalar().map(|scalar| scalar.name.clone())).ok_or_else(|| {
        Problem::new("the forward pass has no loss that the function's gradients could be of")
            .with_hint("end it with a scalar, or give the cotangent of its output: `dL/dZ: [N, M] ~ randn`")
    })
}
