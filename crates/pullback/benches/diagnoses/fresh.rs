//! The same program on other data: another seed, other sizes, drawn numbers where the file has literal ones.
//!
//! A correction is right if it gives the derivative there too. What the derivative is there is known from the file's own
//! correct claim, once `check_source` has judged that to hold on that very data; so each variant of a program is judged
//! once, claim by claim, and a correction is only evaluated.

use std::collections::HashMap;
use std::path::Path;

use pullback::array::Array;
use pullback::lang::program::{Claim, Claimed, Program, elaborate};
use pullback::lang::{DimSpec, ExprKind, Layout, Shape, Source as From, StatementKind, parse, print};
use pullback::ops::Val;
use pullback::session::check_source;

use crate::source::{Edit, Source};

/// Numbers and their shape.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// The shape.
    pub shape: Vec<usize>,
    /// In row-major order.
    pub values: Vec<f64>,
}

impl Numbers {
    /// Those of an array.
    pub fn of(array: &Array) -> Numbers {
        Numbers { shape: array.shape().to_vec(), values: array.to_vec_f64() }
    }

    /// Are they the same up to `tolerance`, relative to the largest of both?
    pub fn equal(&self, other: &Numbers, tolerance: f64) -> bool {
        let largest = |numbers: &Numbers| numbers.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let bound = tolerance * largest(self).max(largest(other));
        self.shape == other.shape
            && self.values.iter().zip(&other.values).all(|(a, b)| (a - b).abs() <= bound)
    }

    /// No infinity and no NaN.
    pub fn finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// Two ways to compute the same number in double precision differ by less, in programs of this size; a wrong fix by more.
pub const SAME: f64 = 1e-7;

/// A program on other data.
pub struct Variant {
    instead: HashMap<usize, String>,
    /// The program with its own claims.
    pub program: Program,
    /// Which statements are claims that hold on this data.
    holds: Vec<usize>,
    /// Whether the sizes are others too.
    pub resized: bool,
}

/// How many variants a claim is tried on at least, if it holds on so many: what is right only where a sum happens to be
/// positive, say, is right on some.
pub const TRIED: usize = 3;

/// The variants of a program, those that differ most first. Not every program can have other sizes, or other numbers for its
/// literals; so there are as many variants as it takes until each claim holds on some as it stands in the file.
pub fn variants(source: &Source) -> Vec<Variant> {
    let literals = source.file.statements.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Input(input) if matches!(input.source, From::Literal(_)))
    });
    let mut all: Vec<Variant> = Vec::new();
    for (sizes, drawn) in [(true, true), (true, false), (false, true), (false, false)] {
        let enough = source
            .claims()
            .iter()
            .all(|&claim| all.iter().filter(|variant| variant.serves(claim)).count() >= TRIED);
        if enough || drawn && !literals {
            continue;
        }
        all.extend((1..=TRIED as u64).filter_map(|seed| Variant::new(source, 4711 * seed, sizes, drawn)));
    }
    all
}

impl Variant {
    fn new(source: &Source, seed: u64, sizes: bool, drawn: bool) -> Option<Variant> {
        let instead = rewritten(source, seed, sizes, drawn);
        let text = source.written(&source.all(), &[], &instead);
        let (program, _) = elaborate(&parse(&text).file, Path::new(".")).ok()?;
        let report = check_source(&source.name, text.as_bytes(), Path::new("."));
        let held = |at: &usize| {
            let claim = report.claims.get(source.claim_number(*at));
            report.errors.is_empty() && claim.is_some_and(|claim| claim.judgement.passes())
        };
        let holds: Vec<usize> = source.claims().into_iter().filter(held).collect();
        (!holds.is_empty()).then_some(Variant { instead, program, holds, resized: sizes })
    }

    /// Does the claim at this statement hold here as the file has it?
    pub fn serves(&self, claim: usize) -> bool {
        self.holds.contains(&claim)
    }

    /// The program with these edits made, here.
    pub fn edited(&self, source: &Source, edits: &[Edit]) -> Option<Program> {
        let text = source.written(&source.all(), edits, &self.instead);
        let parsed = parse(&text);
        if !parsed.errors.is_empty() {
            return None;
        }
        Some(elaborate(&parsed.file, Path::new(".")).ok()?.0)
    }

    /// Whether a claim, with these edits made, gives here what it gives as the file has it.
    pub fn is_right(&self, source: &Source, claim: usize, edits: &[Edit]) -> bool {
        let number = source.claim_number(claim);
        let Some(edited) = self.edited(source, edits) else { return false };
        match (claimed(&edited, number), claimed(&self.program, number)) {
            (Some(found), Some(right)) => found.equal(&right, SAME) && found.finite(),
            _ => false,
        }
    }
}

/// What a claim of a program says.
pub fn claimed(program: &Program, number: usize) -> Option<Numbers> {
    let claim = program.claims.get(number)?;
    match &claim.claimed {
        Claimed::Value { val, .. } => numbers(claim, val),
        Claimed::Shape(_) => None,
    }
}

/// The numbers of a value that is to be what a claim says. A Jacobian may be written as a tensor or as a matrix, which is the
/// same thing said in two ways: a tensor is taken as the matrix.
pub fn numbers(claim: &Claim, val: &Val) -> Option<Numbers> {
    let mut numbers = Numbers::of(val.array().ok()?);
    let by_column = matches!(claim.claimed, Claimed::Value { layout: Layout::Col, .. });
    if let ([wrt], false, false) = (claim.wrt.as_slice(), by_column, claim.of.ndim() == 0) {
        let (of, wrt) = (claim.of.shape(), wrt.shape());
        if numbers.shape == [of.clone(), wrt.clone()].concat() {
            numbers.shape = vec![of.iter().product(), wrt.iter().product()];
        }
    }
    Some(numbers)
}

/// The statements that have another text on other data. Double precision throughout: this is about formulas.
fn rewritten(source: &Source, seed: u64, sizes: bool, drawn: bool) -> HashMap<usize, String> {
    let mut instead = HashMap::new();
    let mut bound = 0;
    let mut seeded = false;
    for (at, statement) in source.file.statements.iter().enumerate() {
        let text = match &statement.kind {
            StatementKind::Seed(own) => {
                seeded = true;
                format!("seed {}", own + seed)
            }
            StatementKind::DType(_) => "dtype f64".to_owned(),
            StatementKind::Input(input) => {
                let literal = match &input.source {
                    From::Literal(expr) => Some(expr),
                    _ => None,
                };
                let shape = match (&input.shape, literal) {
                    (Some(shape), _) => shape_text(shape, sizes.then_some(&mut bound)),
                    (None, Some(expr)) => literal_shape(expr),
                    (None, None) => continue,
                };
                match literal {
                    Some(expr) if drawn && shape != "[]" => {
                        format!("{}: {shape} ~ {}", input.name, like(&print(expr)))
                    }
                    _ => {
                        let own = source.text(at);
                        let Some(declared) = &input.shape else { continue };
                        let from = declared.span.start - statement.span.start;
                        let to = declared.span.end - statement.span.start;
                        format!("{}{shape}{}", &own[..from], &own[to..])
                    }
                }
            }
            _ => continue,
        };
        instead.insert(at, text);
    }
    if !seeded {
        let first = instead.get(&0).cloned().unwrap_or_else(|| source.text(0).to_owned());
        instead.insert(0, format!("seed {seed}\n{first}"));
    }
    instead
}

/// A declared shape, with other sizes for the dims that it binds where there is a count of those bound so far.
fn shape_text(shape: &Shape, mut bound: Option<&mut usize>) -> String {
    // Small, all different, and not in order, so that no two axes can be taken for one another.
    const SIZES: [usize; 8] = [4, 3, 5, 2, 7, 6, 9, 8];
    let dims: Vec<String> = shape
        .dims
        .iter()
        .map(|dim| match (dim, bound.as_deref_mut()) {
            (DimSpec::Bind { name, size }, Some(count)) => {
                let own = print(size);
                let mut other = SIZES[*count % SIZES.len()];
                if other.to_string() == own {
                    other += 7;
                }
                *count += 1;
                format!("{name}={other}")
            }
            (DimSpec::Bind { name, size }, None) => format!("{name}={}", print(size)),
            (DimSpec::Dim(name), _) => name.text.clone(),
            (DimSpec::Size(size), _) => print(size),
        })
        .collect();
    format!("[{}]", dims.join(", "))
}

/// The shape that a literal has.
fn literal_shape(expr: &pullback::lang::Expr) -> String {
    let mut sizes = Vec::new();
    let mut at = expr;
    while let ExprKind::List(items) = &at.kind {
        sizes.push(items.len().to_string());
        match items.first() {
            Some(first) => at = first,
            None => break,
        }
    }
    format!("[{}]", sizes.join(", "))
}

/// A distribution whose numbers are of the kind of these: probabilities, positive numbers, any.
fn like(literal: &str) -> &'static str {
    let numbers = literal.split(['[', ']', ',', ' ']).filter_map(|word| word.parse::<f64>().ok());
    let (mut negative, mut above) = (literal.contains('-'), false);
    for number in numbers {
        negative |= number < 0.0;
        above |= number > 1.0;
    }
    match (negative, above) {
        (true, _) => "randn",
        (false, true) => "positive",
        (false, false) => "uniform(0.1, 0.9)",
    }
}
