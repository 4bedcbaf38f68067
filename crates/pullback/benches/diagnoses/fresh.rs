//! The same program on other data: another seed, other sizes, drawn numbers where the file has literal ones.
//!
//! A correction is right if it gives the derivative there too. What the derivative is there is known from the file's own
//! correct claim, once `check_source` has judged that to hold on that very data; so each variant of a program is judged
//! once, claim by claim, and a correction is only evaluated.

use std::collections::HashMap;
use std::path::Path;

use pullback::array::Array;
use pullback::lang::program::{Claim, Claimed, Program, elaborate};
use pullback::lang::{Layout, Source as From, StatementKind, parse};
use pullback::ops::Val;
use pullback::session::check_source;

use crate::rewrite::elsewhere;
use crate::source::{Edit, Source, is_claim};

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
        let instead = elsewhere(source, seed, sizes, drawn);
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
    pub fn edited(&self, source: &Source, order: &[usize], edits: &[Edit]) -> Option<Program> {
        let text = source.written(order, edits, &self.instead);
        let parsed = parse(&text);
        if !parsed.errors.is_empty() {
            return None;
        }
        Some(elaborate(&parsed.file, Path::new(".")).ok()?.0)
    }

    /// Whether a claim, with these edits made, gives here what it gives as the file has it. The statements stand in the order in
    /// which the tool saw them: a correction may refer to what stood before.
    pub fn is_right(&self, source: &Source, order: &[usize], claim: usize, edits: &[Edit]) -> bool {
        let claims = order.iter().filter(|&&at| is_claim(&source.file.statements[at].kind));
        let place = claims.into_iter().position(|&at| at == claim);
        let (Some(place), Some(edited)) = (place, self.edited(source, order, edits)) else { return false };
        match (claimed(&edited, place), claimed(&self.program, source.claim_number(claim))) {
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
