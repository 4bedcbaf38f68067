//! Statements, in file order.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_network::Value as _;
use pullback_ops::Val;

use super::claim::Claim;
use super::evaluate::{Evaluator, Place};
use super::failure::{Failure, Outcome, of_op};
use super::input::{self, Drawing, Inputs};
use super::notation;
use super::scope::{Meaning, Recipe, Scope, StatedValue};
use super::{Program, Value, ValueKind};
use crate::{
    Definitions, Error, File, MAX_ERRORS, Name, Names, Scan, Shape, Source, Span, Statement, StatementKind,
    Upstream,
};

/// The program of a file in the file's own dtype, and the numbers that its inputs were given. Files that it loads are
/// looked for in `base_dir`.
///
/// # Errors
/// All that is wrong with statements that do not depend on one another, in file order, at most
/// [`MAX_ERRORS`](crate::MAX_ERRORS).
pub fn elaborate(file: &File, base_dir: &Path) -> Result<(Program, Inputs), Vec<Error>> {
    elaborate_with(file, &Inputs::default(), base_dir)
}

/// As [`elaborate`], with numbers from elsewhere for some of the inputs. The other inputs get the numbers that they
/// would have had anyway.
///
/// # Errors
/// As [`elaborate`]; and where the numbers have another shape than the file declares.
pub fn elaborate_with(file: &File, given: &Inputs, base_dir: &Path) -> Result<(Program, Inputs), Vec<Error>> {
    Elaboration::new(file, dtype_of(file), given, base_dir, true).run(file)
}

/// The program of a file in another precision, on the numbers that [`elaborate`] gave its inputs.
///
/// # Errors
/// As [`elaborate`]; and where an input that is drawn has no numbers in `inputs`.
///
/// ```
/// # use pullback_array::DType;
/// # use pullback_lang::program::{elaborate, elaborate_at};
/// let file = pullback_lang::parse("dtype f32; x: [n=3] ~ randn; y = 0.1 * x").file;
/// let (single, inputs) = elaborate(&file, ".".as_ref()).expect("the file is right");
/// let double = elaborate_at(&file, &inputs, DType::F64, ".".as_ref()).expect("and so is its twin");
/// let [x, y] = ["x", "y"].map(|name| double.find(name).expect("it is there").val.array().expect("numbers").clone());
/// assert_eq!(x.to_vec_f64(), single.values[0].val.array().expect("numbers").to_vec_f64());
/// assert_eq!(y.to_vec_f64()[0], 0.1 * x.to_vec_f64()[0]);
/// ```
pub fn elaborate_at(
    file: &File,
    inputs: &Inputs,
    dtype: DType,
    base_dir: &Path,
) -> Result<Program, Vec<Error>> {
    Elaboration::new(file, dtype, inputs, base_dir, false).run(file).map(|(program, _)| program)
}

/// The dtype that a file states, wherever it does.
fn dtype_of(file: &File) -> DType {
    let stated = file.statements.iter().find_map(|statement| match statement.kind {
        StatementKind::DType(dtype) => Some(dtype),
        _ => None,
    });
    match stated {
        Some(crate::DType::F32) => DType::F32,
        Some(crate::DType::F64) | None => DType::F64,
    }
}

/// What is known while going down a file.
pub(super) struct Elaboration<'a> {
    given: &'a Inputs,
    base_dir: &'a Path,
    /// Are inputs drawn that are not given?
    draws: bool,
    generator: Generator,
    /// What was given instead of being drawn, to be drawn all the same before anything else is: given numbers do not move those that
    /// are drawn after them.
    undrawn: Vec<Drawing>,
    pub(super) scope: Scope,
    inputs: Inputs,
    pub(super) values: Vec<Value>,
    pub(super) claims: Vec<Claim>,
    pub(super) upstreams: Vec<(Upstream, Span, Val)>,
    places: HashMap<u64, Place>,
    dtype_stated: Option<(crate::DType, Span)>,
    pub(super) errors: Vec<Error>,
}

impl<'a> Elaboration<'a> {
    fn new(file: &File, dtype: DType, given: &'a Inputs, base_dir: &'a Path, draws: bool) -> Elaboration<'a> {
        Elaboration {
            given,
            base_dir,
            draws,
            generator: Generator::new(0),
            undrawn: Vec::new(),
            scope: Scope::within(dtype, Names::of(file)),
            inputs: Inputs::default(),
            values: Vec::new(),
            claims: Vec::new(),
            upstreams: Vec::new(),
            places: HashMap::new(),
            dtype_stated: None,
            errors: Vec::new(),
        }
    }

    fn run(mut self, file: &File) -> Result<(Program, Inputs), Vec<Error>> {
        if file.statements.is_empty() {
            return Err(vec![Error::new(Span::default(), "this file states nothing").with_hint(
                "a file needs inputs, definitions and claims: `x = [1, 2]`, `L = sum(x^2)`, `dL/dx = 2 * x`",
            )]);
        }
        for statement in &file.statements {
            let done = self.statement(statement);
            self.report(done);
            if self.errors.len() == MAX_ERRORS {
                return Err(self.errors);
            }
        }
        let losses = self.settle_losses();
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let Elaboration { scope, values, claims, places, inputs, .. } = self;
        Ok((Program { dtype: scope.dtype, values, claims, scope, losses, places }, inputs))
    }

    pub(super) fn report(&mut self, outcome: Outcome<()>) {
        if let Err(Failure::Said(error)) = outcome {
            self.errors.push(error);
        }
    }

    fn statement(&mut self, statement: &Statement) -> Outcome<()> {
        match &statement.kind {
            StatementKind::Seed(seed) => {
                self.undrawn.clear();
                self.generator.reseed(*seed);
                Ok(())
            }
            StatementKind::DType(dtype) => self.dtype(*dtype, statement.span),
            StatementKind::Input(input) => {
                let val = self.input(&input.name, &input.name.text, input.shape.as_ref(), &input.source);
                self.bind(&input.name, ValueKind::Input, val)?;
                if let Some(value) = self.values.last_mut() {
                    value.symmetric = input::is_symmetric(&input.source);
                }
                Ok(())
            }
            StatementKind::Definition(definition) => {
                let mut is_condition = false;
                let (val, refers_to) = self.evaluated(|evaluator| {
                    is_condition = evaluator.is_condition(&definition.expr);
                    evaluator.value(&definition.expr)
                });
                // A number written in the program becomes a value that derivatives can be taken by.
                let val = val.and_then(|val| match val.as_number() {
                    Some(_) => val.array().cloned().map(Val::new).map_err(of_op(definition.expr.span)),
                    None => Ok(val),
                });
                let bound = self.define(&definition.name, val, definition.expr.span);
                if is_condition {
                    self.scope.define_condition(&definition.name.text);
                }
                let recipe = Recipe::Value(definition.expr.clone());
                self.scope.trace(&definition.name.text, refers_to, recipe);
                bound
            }
            StatementKind::Definitions(definitions) => self.definitions(definitions),
            StatementKind::IndexDefinition(definition) => {
                let (indices, expr) = (&definition.indices, &definition.expr);
                let (val, refers_to) =
                    self.evaluated(|evaluator| notation::definition(evaluator, indices, expr));
                let bound = self.define(&definition.name, val, expr.span);
                let recipe = Recipe::Entries(indices.clone(), expr.clone());
                self.scope.trace(&definition.name.text, refers_to, recipe);
                bound
            }
            StatementKind::Function(function) => {
                if self.scope.defines(&function.name.text) {
                    let message = format!("the function `{}` is defined already", function.name);
                    return Err(Error::new(function.name.span, message).into());
                }
                self.scope.define_function(function);
                Ok(())
            }
            StatementKind::Scan(scan) => self.scan(scan),
            StatementKind::Upstream(upstream) => self.upstream(upstream, statement.span),
            StatementKind::Claim(claim) => self.claim(claim, statement.span),
            StatementKind::EntryClaim(claim) => self.entry_claim(claim, statement.span),
            StatementKind::ShapeClaim(claim) => self.shape_claim(claim, statement.span),
            StatementKind::Expression(expr) => {
                Err(Error::new(expr.span, "an expression by itself states nothing")
                    .with_hint("give it a name: `y = …`")
                    .into())
            }
        }
    }

    /// Several results of one expression.
    fn definitions(&mut self, definitions: &Definitions) -> Outcome<()> {
        let (expr, count) = (&definitions.expr, definitions.names.len());
        let (vals, refers_to) = self.evaluated(|evaluator| evaluator.results(expr, count));
        let vals: Vec<Outcome<Val>> = match vals {
            Ok(vals) => vals.into_iter().map(Ok).collect(),
            Err(failure) => {
                self.report(Err(failure));
                definitions.names.iter().map(|_| Err(Failure::Silent)).collect()
            }
        };
        for (number, (name, val)) in definitions.names.iter().zip(vals).enumerate() {
            if !name.binds() {
                continue;
            }
            let bound = self.define(name, val, expr.span);
            self.report(bound);
            let recipe = Recipe::Result { number, count, expr: expr.clone() };
            self.scope.trace(&name.text, refers_to.clone(), recipe);
        }
        Ok(())
    }

    /// A loop.
    fn scan(&mut self, scan: &Scan) -> Outcome<()> {
        let (bound, refers_to) = self.evaluated(|evaluator| evaluator.scan(scan));
        let bound: Vec<(&Name, Outcome<Val>)> = match bound {
            Ok(bound) => bound.into_iter().map(|(name, val)| (name, Ok(val))).collect(),
            Err(failure) => {
                self.report(Err(failure));
                scan.named().map(|name| (name, Err(Failure::Silent))).collect()
            }
        };
        let scan = Arc::new(scan.clone());
        for (number, (name, val)) in bound.into_iter().enumerate() {
            let bound = self.define(name, val, name.span);
            self.report(bound);
            self.scope.trace(&name.text, refers_to.clone(), Recipe::Loop { number, scan: scan.clone() });
        }
        Ok(())
    }

    fn dtype(&mut self, dtype: crate::DType, span: Span) -> Outcome<()> {
        match self.dtype_stated {
            Some((earlier, place)) if earlier != dtype => {
                Err(Error::new(span, "a file has one dtype").with_label(place, "stated here").into())
            }
            _ => {
                self.dtype_stated = Some((dtype, span));
                Ok(())
            }
        }
    }

    /// Evaluates with a fresh evaluator, whose notes are kept.
    pub(super) fn evaluated<T>(
        &mut self,
        evaluate: impl FnOnce(&mut Evaluator<'_>) -> Outcome<T>,
    ) -> (Outcome<T>, BTreeSet<usize>) {
        let mut evaluator = Evaluator::new(&self.scope);
        let result = evaluate(&mut evaluator);
        let (places, referred) = (evaluator.places, evaluator.referred);
        for (id, place) in places {
            self.places.entry(id).or_insert(place);
        }
        (result, referred)
    }

    /// Binds the name of a definition. Where its expression gives a value that is there already (`h = x`, `h = x[:]`, the
    /// transpose of a vector, the value of a claim), it is a copy of it: a derivative by `h` goes through `h` alone.
    fn define(&mut self, name: &Name, val: Outcome<Val>, span: Span) -> Outcome<()> {
        let is_claimed = |val: &Val| {
            let mut stated = self.scope.stated.iter();
            stated.any(|claim| matches!(&claim.value, StatedValue::Value(other) if other.id() == val.id()))
        };
        let val = val.and_then(|val| match val.name().is_some() || is_claimed(&val) {
            true => val.copy().map_err(of_op(span)),
            false => Ok(val),
        });
        if let Ok(val) = &val {
            self.places.entry(val.id()).or_insert(Place { span, whole: true });
        }
        self.bind(name, ValueKind::Definition, val)
    }

    /// Binds a name to a value, or to the fact that it has none.
    fn bind(&mut self, name: &Name, kind: ValueKind, val: Outcome<Val>) -> Outcome<()> {
        let meaning = match &val {
            Ok(val) => Meaning::Value(val.clone()),
            Err(_) => Meaning::Failed,
        };
        self.scope.bind(name, meaning)?;
        let val = val?.named(&name.text);
        self.values.push(Value { name: name.text.clone(), span: name.span, kind, symmetric: false, val });
        Ok(())
    }

    /// The value of an input, whose numbers are drawn, written down, loaded or given.
    pub(super) fn input(
        &mut self,
        name: &Name,
        key: &str,
        shape: Option<&Shape>,
        source: &Source,
    ) -> Outcome<Val> {
        let span = input::span_of(source);
        let given = self.given.get(key).cloned();
        let numbers = match (source, &given) {
            (Source::Distribution { .. }, _) => given,
            (_, Some(_)) => given,
            (Source::Literal(expr), None) => Some(input::written(&self.scope, expr)?),
            (Source::Load { path, entry, .. }, None) => {
                Some(input::load(self.base_dir, path, entry.as_deref(), span)?)
            }
        };
        let dims = match shape {
            Some(shape) => {
                let dims = input::declared(&mut self.scope, shape, numbers.as_ref())?;
                if let Some(array) = &numbers {
                    input::check_shape(&self.scope, shape, &dims, array)?;
                }
                Some(dims)
            }
            None => None,
        };
        let numbers = match (source, &dims) {
            (Source::Distribution { name: distribution, args }, Some(dims)) => {
                if self.draws {
                    let drawing = Drawing::stated(&self.scope, distribution, args, dims)?;
                    match numbers {
                        None => Some(self.drawn(&drawing)?),
                        given => {
                            self.undrawn.push(drawing);
                            given
                        }
                    }
                } else {
                    numbers
                }
            }
            _ => numbers,
        };
        let Some(numbers) = numbers else {
            return Err(Error::new(name.span, format!("there are no numbers for `{key}`")).into());
        };
        let numbers = input::cast(&numbers, self.scope.dtype, span)?;
        let val = match dims {
            Some(dims) => Val::with_dims(numbers.clone(), &dims).map_err(of_op(span))?,
            None => Val::new(numbers.clone()),
        };
        self.inputs.set(key, numbers);
        Ok(val.named(key))
    }

    fn drawn(&mut self, drawing: &Drawing) -> Outcome<Array> {
        for before in self.undrawn.drain(..) {
            before.drawn(&mut self.generator)?;
        }
        drawing.drawn(&mut self.generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given is not drawn, unless something is drawn after it; and then it is another number than the given one would leave.
    #[test]
    fn given_numbers_are_drawn_where_others_follow() -> Result<(), Box<dyn std::error::Error>> {
        let mut given = Inputs::default();
        given.set("x", Array::from_slice(&[2], &[3.0, 4.0])?);
        let generator_after = |text: &str| -> Result<(f64, Inputs), Box<dyn std::error::Error>> {
            let file = crate::parse(text).file;
            let mut elaboration = Elaboration::new(&file, DType::F64, &given, Path::new("."), true);
            let done: Vec<bool> =
                file.statements.iter().map(|each| elaboration.statement(each).is_ok()).collect();
            assert!(done.iter().all(|done| *done), "{text}");
            Ok((elaboration.generator.rand(&[], DType::F64)?.item()?, elaboration.inputs))
        };
        let (first, _) = generator_after("y = [1, 2]")?;
        assert_eq!(generator_after("x: [n=2] ~ rand")?.0, first);
        assert_eq!(generator_after("x: [n=2] ~ rand; seed 0")?.0, first);
        let (_, all) = generator_after("w: [n=2] ~ rand; y: [n] ~ rand")?;
        let (after, some) = generator_after("x: [n=2] ~ rand; y: [n] ~ rand")?;
        let y = |inputs: &Inputs| inputs.get("y").map(Array::to_vec_f64);
        assert_eq!(y(&some), y(&all));
        assert_ne!(after, first);
        // What cannot be drawn is said of what is given too.
        let file = crate::parse("x: [n=2] ~ uniform(1, 0)").file;
        let mut elaboration = Elaboration::new(&file, DType::F64, &given, Path::new("."), true);
        assert!(elaboration.statement(&file.statements[0]).is_err());
        Ok(())
    }
}
