//! The numbers of a dump in place of a file's: what other code was given, computed and returned.
//!
//! [`names`] tells what each entry of the dump is in the file, [`sizes`] gives the file the dump's sizes, and [`forward`]
//! asks whether the other code computes what the file does. What is left are claims that are numbers, of a precision that
//! [`precision`] finds out; and those that are missing, of which [`lacking`] tells.

mod forward;
mod lacking;
mod names;
mod precision;
mod sizes;

use std::collections::HashMap;
use std::path::Path;

use pullback_array::file::{Dump, Entry};
use pullback_array::{Array, DType, Precision};
use pullback_check::ClaimLayout;
use pullback_diagnose::subject;
use pullback_lang::program::{Claimed, Inputs, Program, Scope, evaluate};
use pullback_lang::{File, Source, StatementKind};
use pullback_report::{Elsewhere, Origin, Problem};

pub(super) use forward::deviations;
pub(super) use lacking::{Lacking, claims_nothing};
use names::{Role, roles};
use precision::{Assumed, assumed};

/// Derivatives of more entries are not computed to find out the precision of numbers: their digits tell it.
const MOST_TRUE: usize = 1 << 14;

/// A dump, under the name by which a person knows it.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    /// The name of its file, as it was given.
    pub name: &'a str,
    /// What it holds.
    pub dump: &'a Dump,
}

/// On what terms a file or a dump is judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// In this precision its numbers were computed, whatever they look like.
    pub precision: Option<Precision>,
    /// It should have a gradient by every input: one that is missing is wrong.
    pub complete: bool,
    /// No causes are sought of what does not hold: that takes most of the time, and no claim passes or fails by it.
    pub verdicts_only: bool,
}

/// A dump put in order for a file.
pub(super) struct Sorted<'a> {
    name: &'a str,
    /// The file at the dump's sizes.
    pub file: File,
    /// The dump's numbers of the file's inputs and given cotangents.
    pub inputs: Inputs,
    entries: Vec<(Role, Entry)>,
    /// In what each entry was computed.
    assumed: Vec<Assumed>,
    /// Are all gradients to be there?
    complete: bool,
    /// What is to be said although nothing is wrong.
    pub warnings: Vec<Problem>,
}

impl<'a> Sorted<'a> {
    /// Finds out what the entries of a dump are in a file.
    pub(super) fn new(file: &File, data: &Data<'a>, terms: &Terms) -> Result<Sorted<'a>, Vec<Problem>> {
        let entries = roles(file, data.dump, &shown(data.name)).map_err(|problem| vec![problem])?;
        let assumed = assumed(&entries, terms.precision, &|_| None);
        let entries: Vec<(Role, Entry)> = entries
            .into_iter()
            .map(|(role, entry)| {
                let is_scalar = matches!(&role, Role::Input(name) if is_scalar(file, name));
                (role, if is_scalar { as_scalar(entry) } else { entry.clone() })
            })
            .collect();
        let given: Vec<(&str, &Entry)> = entries
            .iter()
            .filter_map(|(role, entry)| match role {
                Role::Input(name) => Some((name.as_str(), entry)),
                Role::Definition(_) | Role::Claim { .. } => None,
            })
            .collect();
        let resized = sizes::resized(file, &given, &shown(data.name))?;
        let mut inputs = Inputs::default();
        for (name, entry) in &given {
            inputs.set(name, numbers(file, name, entry, &shown(data.name)).map_err(|problem| vec![problem])?);
        }
        let mut warnings: Vec<Problem> = lacking(file, &inputs, &shown(data.name)).into_iter().collect();
        // Where all gradients were to be there, each that is missing is wrong.
        if !has_gradient(&entries) && !terms.complete {
            let told = format!(
                "{}; the file's own claims are judged on its numbers",
                lacking::how_gradients_are_named()
            );
            warnings.push(no_gradient(data.name).with_hint(told));
        }
        let complete = terms.complete;
        Ok(Sorted { name: data.name, file: resized, inputs, entries, assumed, complete, warnings })
    }

    /// Finds out once more in what the dump was computed, now that the true numbers of its gradients and values are known.
    pub(super) fn recognise(
        &mut self,
        exact: &Program,
        terms: &Terms,
        elsewhere: &mut HashMap<usize, Elsewhere>,
    ) {
        let entries: Vec<(Role, &Entry)> =
            self.entries.iter().map(|(role, entry)| (role.clone(), entry)).collect();
        let truth = |number: usize| {
            let (role, entry) = &entries[number];
            if let Role::Definition(name) = role {
                return exact.find(name)?.val.array().ok().cloned();
            }
            let (claim, _) = elsewhere.iter().find(|(_, known)| known.entry == entry.name)?;
            let claim = &exact.claims[*claim];
            let Claimed::Value { val, .. } = &claim.claimed else { return None };
            let truth = pullback_check::Truth::of(&subject(claim), MOST_TRUE).ok()??;
            truth.in_shape(&val.shape(), ClaimLayout::Either)
        };
        let assumed = assumed(&entries, terms.precision, &truth);
        for known in elsewhere.values_mut() {
            let number = entries.iter().position(|(_, entry)| entry.name == known.entry);
            if let Some(Assumed { precision, because }) = number.map(|number| &assumed[number]) {
                (known.precision, known.because) = (*precision, because.clone());
            }
        }
        self.assumed = assumed;
    }

    /// The names of the inputs and cotangents for which the file's own numbers stand.
    fn lacks(&self) -> Vec<String> {
        stated(&self.file)
            .filter(|(name, ..)| self.inputs.get(name).is_none())
            .map(|(name, ..)| name)
            .collect()
    }

    /// Puts the dump's gradients into a program as claims, and says which claims these are.
    pub(super) fn claim(&self, program: &mut Program) -> Result<HashMap<usize, Elsewhere>, Vec<Problem>> {
        if program.claims.is_empty() && !has_gradient(&self.entries) && !self.complete {
            return Err(vec![no_gradient(self.name).with_hint(lacking::how_gradients_are_named())]);
        }
        let (mut claims, mut problems) = (HashMap::new(), Vec::new());
        for ((role, entry), assumed) in self.entries.iter().zip(&self.assumed) {
            let Role::Claim { of, wrt } = role else { continue };
            match self.claim_one(program, of.as_deref(), wrt, entry, assumed) {
                Ok((number, elsewhere)) => {
                    if claims.insert(number, elsewhere).is_some() {
                        problems.push(self.twice(entry));
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(claims) } else { Err(problems) }
    }

    fn claim_one(
        &self,
        program: &mut Program,
        of: Option<&str>,
        wrt: &str,
        entry: &Entry,
        assumed: &Assumed,
    ) -> Result<(usize, Elsewhere), Problem> {
        let of = match of {
            Some(of) => of.to_string(),
            None => program.last_scalar().map(|loss| loss.name.clone()).ok_or_else(|| {
                Problem::new(format!(
                    "`{}` of {} is the gradient of a loss, and the file has none",
                    entry.name,
                    self.shown()
                ))
                .with_hint(format!("name what is differentiated: `dZ/d{wrt}`"))
            })?,
        };
        if entry.precision == Precision::Whole && are_bits(&entry.array) {
            return Err(Problem::new(format!(
                "`{}` of {} holds integers that look like the bits of bf16 numbers, and is a gradient",
                entry.name,
                self.shown()
            ))
            .with_hint(
                "write bf16 as such, by ml_dtypes or safetensors, or as f32: its bits are no numbers",
            ));
        }
        let is_scalar = [of.as_str(), wrt]
            .iter()
            .all(|name| program.find(name).is_none_or(|value| value.val.ndim() == 0));
        let entry = &if is_scalar { as_scalar(entry) } else { entry.clone() };
        let array = entry.array.cast(DType::F64).map_err(|error| Problem::new(error.to_string()))?;
        let number = program.claim_numbers(&of, wrt, &array).map_err(|error| Problem {
            message: format!("`{}` of {} can't be judged: {}", entry.name, self.shown(), error.message()),
            ..Problem::from(&error)
        })?;
        let elsewhere = Elsewhere {
            origin: origin(self.name),
            entry: entry.name.clone(),
            precision: assumed.precision,
            stored: entry.stored,
            because: assumed.because.clone(),
        };
        Ok((number, elsewhere))
    }

    /// What the dump is called where one of its entries is meant.
    fn shown(&self) -> String {
        shown(self.name)
    }

    fn twice(&self, entry: &Entry) -> Problem {
        Problem::new(format!("`{}` of {} stands in it under another name too", entry.name, self.shown()))
            .with_hint("each derivative is given once")
    }
}

/// Whence numbers of a dump come. Where it lies is known to whoever named it.
fn origin(dump: &str) -> Origin {
    Origin::Dump(shown(dump))
}

/// What a dump is called where one of its entries is meant: `dL/dx of rmsnorm.npz`.
fn shown(dump: &str) -> String {
    Path::new(dump).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn has_gradient(entries: &[(Role, Entry)]) -> bool {
    entries.iter().any(|(role, _)| matches!(role, Role::Claim { .. }))
}

fn no_gradient(dump: &str) -> Problem {
    Problem::new(format!("{dump} holds no gradient"))
}

/// May these integers be bf16 numbers that were read as their bits? Those of numbers between 2⁻⁶⁰ and 2⁶⁰ are integers that
/// a gradient hardly consists of.
fn are_bits(array: &Array) -> bool {
    let is_one = |bits: f64| {
        // The sign is the highest of 16 bits, read as unsigned or not.
        let bits = if bits < 0.0 { bits + 65536.0 } else { bits };
        let bits = if bits >= 32768.0 { bits - 32768.0 } else { bits };
        (8576.0..=23936.0).contains(&bits)
    };
    !is_zero(array) && array.all(|bits| bits == 0.0 || is_one(bits))
}

/// What holds scalars often makes an array of one entry of each: where the file has a scalar, that one is meant.
fn as_scalar(entry: &Entry) -> Entry {
    let array = match entry.array.shape() {
        [1] => entry.array.reshape(&[]).ok(),
        _ => None,
    };
    Entry { array: array.unwrap_or_else(|| entry.array.clone()), ..entry.clone() }
}

/// Is this input of a file a scalar, by what it declares or writes down?
fn is_scalar(file: &File, name: &str) -> bool {
    stated(file).filter(|(known, ..)| known == name).any(|(_, shape, source, _)| match (shape, source) {
        (Some(shape), _) => shape.dims.is_empty(),
        (None, Source::Literal(expr)) => {
            evaluate(expr, &Scope::new(DType::F64)).is_ok_and(|val| val.ndim() == 0)
        }
        (None, _) => false,
    })
}

/// Is everything zero?
pub(super) fn is_zero(array: &Array) -> bool {
    array.all(|x| x == 0.0)
}

/// The inputs and given cotangents of a file, by the names that they have in a dump, with what is declared of them.
fn stated(
    file: &File,
) -> impl Iterator<Item = (String, Option<&pullback_lang::Shape>, &Source, pullback_lang::Span)> {
    file.statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Input(input) => {
            Some((input.name.text.clone(), input.shape.as_ref(), &input.source, input.name.span))
        }
        StatementKind::Upstream(upstream) => Some((
            format!("d{}/d{}", upstream.of, upstream.wrt),
            Some(&upstream.shape),
            &upstream.source,
            upstream.of.span.to(upstream.wrt.span),
        )),
        _ => None,
    })
}

/// The numbers of an input as the file means them: whole where it draws whole ones, else such as may have a gradient. What
/// the file would load keeps its type.
fn numbers(file: &File, name: &str, entry: &Entry, dump: &str) -> Result<Array, Problem> {
    let source = stated(file).find(|(known, ..)| known == name).map(|(_, _, source, span)| (source, span));
    let wanted = match source {
        Some((Source::Distribution { name: drawn, .. }, _)) if drawn.text == "randint" => DType::I64,
        Some((Source::Load { .. }, _)) | None => entry.array.dtype(),
        Some(_) if entry.array.dtype().is_float() => entry.array.dtype(),
        Some(_) => DType::F64,
    };
    if wanted == DType::I64 && !entry.array.all(|x| x.fract() == 0.0) {
        let message = format!("`{name}` holds integers, and `{}` of {dump} fractions", entry.name);
        return Err(Problem { span: source.map(|(_, span)| span), ..Problem::new(message) });
    }
    entry.array.cast(wanted).map_err(|error| Problem::new(error.to_string()))
}

/// A warning that names the inputs of which the dump says nothing.
fn lacking(file: &File, inputs: &Inputs, dump: &str) -> Option<Problem> {
    let missing: Vec<_> = stated(file).filter(|(name, ..)| inputs.get(name).is_none()).collect();
    let (_, _, _, first) = missing.first()?;
    let names: Vec<String> = missing.iter().map(|(name, ..)| format!("`{name}`")).collect();
    Some(Problem {
        span: Some(*first),
        labels: missing[1..].iter().map(|(_, _, _, span)| (*span, "nor of this".to_string())).collect(),
        ..Problem::new(format!("{dump} says nothing of {}: the file's own numbers stand", names.join(", ")))
    })
}
