//! Statements, in file order.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use pullback_array::DType;
use pullback_array::random::Generator;
use pullback_ops::Val;

use super::claim::{Claim, Claimed, Subject, differentiable, is_zeros, numerator, ranges};
use super::evaluate::Evaluator;
use super::failure::{Failure, Outcome, of_op};
use super::input::{self, Inputs};
use super::notation;
use super::scope::{Meaning, Recipe, Scope, Stated, StatedValue};
use super::{Program, Value, ValueKind};
use crate::syntax::ast::derivative;
use crate::{
    ClaimKey, EntryClaim, Error, Expr, File, Layout, MAX_ERRORS, Name, Names, Shape, ShapeClaim, Source,
    Span, Statement, StatementKind, Upstream,
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
struct Elaboration<'a> {
    given: &'a Inputs,
    base_dir: &'a Path,
    /// Are inputs drawn that are not given?
    draws: bool,
    generator: Generator,
    scope: Scope,
    inputs: Inputs,
    values: Vec<Value>,
    claims: Vec<Pending>,
    upstreams: Vec<(Upstream, Span, Val)>,
    places: HashMap<u64, Span>,
    dtype_stated: Option<(crate::DType, Span)>,
    errors: Vec<Error>,
}

/// A claim whose `of` may be a loss, of which not all cotangents are known yet.
struct Pending {
    of: Subject,
    of_name: Name,
    rest: Unfinished,
}

/// The other parts of a claim.
struct Unfinished {
    key: String,
    span: Span,
    wrt: Vec<Val>,
    wrt_names: Vec<String>,
    fixed: Vec<Val>,
    claimed: Claimed,
    refers_to: BTreeSet<usize>,
    expr_span: Span,
    expr: Option<Expr>,
    entry: Option<Vec<(Name, pullback_network::Dim)>>,
}

impl<'a> Elaboration<'a> {
    fn new(file: &File, dtype: DType, given: &'a Inputs, base_dir: &'a Path, draws: bool) -> Elaboration<'a> {
        Elaboration {
            given,
            base_dir,
            draws,
            generator: Generator::new(0),
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
        let losses = self.losses();
        let scope = std::mem::replace(&mut self.scope, Scope::new(DType::F64));
        let claims: Vec<Claim> = std::mem::take(&mut self.claims)
            .into_iter()
            .filter_map(|pending| finished(pending, &losses))
            .collect();
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let program = Program { dtype: scope.dtype, values: self.values, claims, scope, places: self.places };
        Ok((program, self.inputs))
    }

    fn report(&mut self, outcome: Outcome<()>) {
        if let Err(Failure::Said(error)) = outcome {
            self.errors.push(error);
        }
    }

    fn statement(&mut self, statement: &Statement) -> Outcome<()> {
        match &statement.kind {
            StatementKind::Seed(seed) => {
                self.generator.reseed(*seed);
                Ok(())
            }
            StatementKind::DType(dtype) => self.dtype(*dtype, statement.span),
            StatementKind::Input(input) => {
                let val = self.input(&input.name, &input.name.text, input.shape.as_ref(), &input.source);
                self.bind(&input.name, ValueKind::Input, val)
            }
            StatementKind::Definition(definition) => {
                let (val, refers_to) = self.evaluated(|evaluator| evaluator.value(&definition.expr));
                // A number written in the program becomes a value that derivatives can be taken by.
                let val = val.and_then(|val| match val.as_number() {
                    Some(_) => val.array().cloned().map(Val::new).map_err(of_op(definition.expr.span)),
                    None => Ok(val),
                });
                let bound = self.bind(&definition.name, ValueKind::Definition, val);
                let recipe = Recipe { indices: None, expr: definition.expr.clone() };
                self.scope.trace(&definition.name.text, refers_to, recipe);
                bound
            }
            StatementKind::IndexDefinition(definition) => {
                let (indices, expr) = (&definition.indices, &definition.expr);
                let (val, refers_to) =
                    self.evaluated(|evaluator| notation::definition(evaluator, indices, expr));
                let bound = self.bind(&definition.name, ValueKind::Definition, val);
                let recipe = Recipe { indices: Some(indices.clone()), expr: expr.clone() };
                self.scope.trace(&definition.name.text, refers_to, recipe);
                bound
            }
            StatementKind::Function(function) => {
                if self.scope.function(&function.name.text).is_some() {
                    let message = format!("the function `{}` is defined already", function.name);
                    return Err(Error::new(function.name.span, message).into());
                }
                self.scope.define_function(function);
                Ok(())
            }
            StatementKind::Upstream(upstream) => self.upstream(upstream, statement.span),
            StatementKind::Claim(claim) => {
                let (value, refers_to) = self.evaluated(|evaluator| evaluator.value(&claim.expr));
                let subject = self.check_not_claimed(&claim.key.to_string(), statement.span);
                let subject = subject.and_then(|()| self.subject(&claim.key));
                self.state(&claim.key, value.as_ref().ok());
                let (of, wrt, fixed) = self.first_of(subject, &value)?;
                let zeros = is_zeros(&self.scope, &claim.expr);
                let claimed = Claimed::Value { val: value?, layout: claim.key.layout, zeros };
                let rest = Unfinished {
                    key: claim.key.to_string(),
                    span: statement.span,
                    wrt,
                    wrt_names: texts(&claim.key.wrt),
                    fixed,
                    claimed,
                    refers_to,
                    expr_span: claim.expr.span,
                    expr: Some(claim.expr.clone()),
                    entry: None,
                };
                self.claims.push(Pending { of, of_name: claim.key.of.clone(), rest });
                Ok(())
            }
            StatementKind::EntryClaim(claim) => self.entry_claim(claim, statement.span),
            StatementKind::ShapeClaim(claim) => self.shape_claim(claim, statement.span),
            StatementKind::Expression(expr) => {
                Err(Error::new(expr.span, "an expression by itself states nothing")
                    .with_hint("give it a name: `y = …`")
                    .into())
            }
        }
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
    fn evaluated<T>(
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

    /// Binds a name to a value, or to the fact that it has none.
    fn bind(&mut self, name: &Name, kind: ValueKind, val: Outcome<Val>) -> Outcome<()> {
        let meaning = match &val {
            Ok(val) => Meaning::Value(val.clone()),
            Err(_) => Meaning::Failed,
        };
        self.scope.bind(name, meaning)?;
        let val = val?.named(&name.text);
        self.values.push(Value { name: name.text.clone(), span: name.span, kind, val });
        Ok(())
    }

    /// The value of an input, whose numbers are drawn, written down, loaded or given.
    fn input(&mut self, name: &Name, key: &str, shape: Option<&Shape>, source: &Source) -> Outcome<Val> {
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
                // Given numbers do not move those that are drawn after them.
                let drawn = match (self.draws, &numbers) {
                    (true, _) => {
                        Some(input::draw(&self.scope, &mut self.generator, distribution, args, dims)?)
                    }
                    (false, _) => None,
                };
                numbers.or(drawn)
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

    /// `dL/dZ: [N, M] ~ randn`.
    fn upstream(&mut self, upstream: &Upstream, span: Span) -> Outcome<()> {
        let Upstream { of, wrt, shape, source } = upstream;
        let key = format!("d{of}/d{wrt}");
        let known =
            self.scope.get(&of.text).map(|bound| (matches!(bound.meaning, Meaning::Loss), bound.span));
        let bound = match known {
            Some((true, _)) => Ok(()),
            Some((false, place)) => {
                Err(Error::new(of.span, format!("`{of}` is defined, so its gradients follow from it"))
                    .with_label(place, "defined here")
                    .with_hint(format!(
                        "a cotangent is given for a loss that is not defined; choose another name than `{of}`"
                    ))
                    .into())
            }
            None => self.scope.bind(of, Meaning::Loss),
        };
        let twice = match self.scope.upstream(&of.text, &wrt.text) {
            Some(_) => Err(Error::new(span, format!("`{key}` is given already")).into()),
            None => Ok(()),
        };
        let val = bound.and(twice).and_then(|()| self.input(wrt, &key, Some(shape), source));
        self.scope.add_upstream(&of.text, &wrt.text, val.as_ref().ok().cloned());
        let val = val?;
        self.values.push(Value {
            name: key,
            span: of.span.to(wrt.span),
            kind: ValueKind::Upstream,
            val: val.clone(),
        });
        self.upstreams.push((upstream.clone(), span, val));
        Ok(())
    }

    /// The scalars whose gradients are the given cotangents: the sum of ⟨cotangent, output⟩ over all of one loss.
    fn losses(&mut self) -> HashMap<String, Val> {
        let mut losses: HashMap<String, Val> = HashMap::new();
        for (upstream, span, cotangent) in std::mem::take(&mut self.upstreams) {
            let share = self.share(&upstream, span, &cotangent);
            let total = share.and_then(|share| match losses.get(&upstream.of.text) {
                Some(sum) => (sum + &share).map_err(of_op(span)),
                None => Ok(share),
            });
            match total {
                Ok(total) => {
                    losses.insert(upstream.of.text.clone(), total);
                }
                Err(failure) => self.report(Err(failure)),
            }
        }
        losses.into_iter().map(|(name, val)| (name.clone(), val.named(&name))).collect()
    }

    fn share(&self, upstream: &Upstream, span: Span, cotangent: &Val) -> Outcome<Val> {
        let output = differentiable(&self.scope, &upstream.wrt)?;
        if output.shape() != cotangent.shape() {
            let (of, wrt) = (&upstream.of, &upstream.wrt);
            let message = format!(
                "`d{of}/d{wrt}` has the shape {:?} and `{wrt}` has {:?}",
                cotangent.dims(),
                output.dims()
            );
            let error = Error::new(upstream.shape.span, message);
            return Err(match self.scope.get(&wrt.text) {
                Some(bound) => error.with_label(bound.span, format!("`{wrt}` is defined here")),
                None => error,
            }
            .with_hint("a gradient has the shape of what it belongs to")
            .into());
        }
        (cotangent * &output).and_then(|product| product.sum_all()).map_err(of_op(span))
    }

    fn check_not_claimed(&self, key: &str, span: Span) -> Outcome<()> {
        match self.claims.iter().find(|claim| claim.rest.key == key) {
            None => Ok(()),
            Some(earlier) => Err(Error::new(span, format!("`{key}` is claimed already"))
                .with_label(earlier.rest.span, "claimed here")
                .with_hint("a file claims each derivative once in each layout")
                .into()),
        }
    }

    /// What a claim's key names.
    fn subject(&self, key: &ClaimKey) -> Outcome<(Subject, Vec<Val>, Vec<Val>)> {
        let of = numerator(&self.scope, &key.of)?;
        let wrt =
            key.wrt.iter().map(|name| differentiable(&self.scope, name)).collect::<Outcome<Vec<Val>>>()?;
        let fixed =
            key.fixed.iter().map(|name| differentiable(&self.scope, name)).collect::<Outcome<Vec<Val>>>()?;
        if wrt.len() > 1 && !of.dims().is_empty() {
            let message = format!("a Hessian is a scalar's, and `{}` has the shape {:?}", key.of, of.dims());
            return Err(Error::new(key.of.span, message).into());
        }
        Ok((of, wrt, fixed))
    }

    /// The subject of a claim; of two failures, the one that stands first in the text, unless it is silent.
    fn first_of<T, V>(&mut self, subject: Outcome<T>, value: &Outcome<V>) -> Outcome<T> {
        if let (Err(Failure::Said(_)), Err(Failure::Said(second))) = (&subject, value)
            && self.errors.len() + 1 < MAX_ERRORS
        {
            let second = second.clone();
            self.report(subject.map(|_| ()));
            return Err(Failure::Said(second));
        }
        subject
    }

    /// Makes a claim known to later references.
    fn state(&mut self, key: &ClaimKey, value: Option<&Val>) {
        self.scope.stated.push(Stated {
            of: key.of.text.clone(),
            wrt: texts(&key.wrt),
            layout: key.layout,
            partial: !key.fixed.is_empty(),
            value: value.map_or(StatedValue::Failed, |val| StatedValue::Value(val.clone())),
        });
    }

    /// `dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]`.
    fn entry_claim(&mut self, claim: &EntryClaim, span: Span) -> Outcome<()> {
        let EntryClaim { of, of_indices, wrt, wrt_indices, expr } = claim;
        let shown = |name: &Name, indices: &[Name]| match indices {
            [] => format!("d{name}"),
            _ => format!("d{name}[{}]", texts(indices).join(",")),
        };
        let key = format!("{}/{}", shown(of, of_indices), shown(wrt, wrt_indices));
        let subject = self.check_not_claimed(&key, span).and_then(|()| {
            let of_val = numerator(&self.scope, of)?;
            let wrt_val = differentiable(&self.scope, wrt)?;
            let mut entry = ranges(of, of_indices, of_val.dims())?;
            entry.extend(ranges(wrt, wrt_indices, wrt_val.dims())?);
            Ok((of_val, wrt_val, entry))
        });
        let (value, refers_to) = match &subject {
            Ok((_, _, entry)) => self.evaluated(|evaluator| notation::entries(evaluator, entry, expr)),
            Err(_) => (Err(Failure::Silent), BTreeSet::new()),
        };
        let total =
            ClaimKey { of: of.clone(), wrt: vec![wrt.clone()], layout: Layout::Default, fixed: Vec::new() };
        self.state(&total, value.as_ref().ok());
        let (of_val, wrt_val, entry) = subject?;
        let claimed =
            Claimed::Value { val: value?, layout: Layout::Default, zeros: is_zeros(&self.scope, expr) };
        let rest = Unfinished {
            key,
            span,
            wrt: vec![wrt_val],
            wrt_names: vec![wrt.text.clone()],
            fixed: Vec::new(),
            claimed,
            refers_to,
            expr_span: expr.span,
            expr: Some(expr.clone()),
            entry: Some(entry),
        };
        self.claims.push(Pending { of: of_val, of_name: of.clone(), rest });
        Ok(())
    }

    /// `shape(dZ/db) = [N, M, M]`.
    fn shape_claim(&mut self, claim: &ShapeClaim, span: Span) -> Outcome<()> {
        let key = format!("shape({})", derivative(&claim.of, &claim.wrt));
        // Nothing can refer to a shape, but it has its number among the claims.
        self.scope.stated.push(Stated {
            of: claim.of.text.clone(),
            wrt: texts(&claim.wrt),
            layout: Layout::Default,
            partial: false,
            value: StatedValue::Shape,
        });
        self.check_not_claimed(&key, span)?;
        let total = ClaimKey {
            of: claim.of.clone(),
            wrt: claim.wrt.clone(),
            layout: Layout::Default,
            fixed: Vec::new(),
        };
        let (of, wrt, fixed) = self.subject(&total)?;
        let mut sizes = Vec::new();
        for size in &claim.sizes {
            sizes.push(Evaluator::new(&self.scope).size(size)?.size());
        }
        let rest = Unfinished {
            key,
            span,
            wrt,
            wrt_names: texts(&claim.wrt),
            fixed,
            claimed: Claimed::Shape(sizes),
            refers_to: BTreeSet::new(),
            expr_span: claim.sizes_span,
            expr: None,
            entry: None,
        };
        self.claims.push(Pending { of, of_name: claim.of.clone(), rest });
        Ok(())
    }
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}

/// A claim whose loss is known; `None` where an error about the loss has been reported.
fn finished(pending: Pending, losses: &HashMap<String, Val>) -> Option<Claim> {
    let Pending { of, of_name, rest } = pending;
    let of = match of {
        Subject::Value(val) => val,
        Subject::Loss => losses.get(&of_name.text)?.clone(),
    };
    Some(Claim {
        key: rest.key,
        span: rest.span,
        of,
        of_name: of_name.text,
        wrt: rest.wrt,
        wrt_names: rest.wrt_names,
        fixed: rest.fixed,
        claimed: rest.claimed,
        refers_to: rest.refers_to.into_iter().collect(),
        expr_span: rest.expr_span,
        expr: rest.expr,
        entry: rest.entry,
    })
}
