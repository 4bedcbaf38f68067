//! What a part of a claim would have to be for the claim to be right, without trying one candidate after another.
//!
//! A claim is linear in most of its parts: ⟨R, claim⟩ = ⟨Aᵀ R, part⟩ + rest, for any R, where A is what the rest of the
//! expression does to the part. So one backward pass through the *claim* tells of any number of candidates whether they are
//! what is missing, or what belongs in the part's place, by two scalar products each: those of the candidate with Aᵀ R, for
//! two random R. A part in which the claim is not linear (under a root, a power) is not asked about here.

use std::collections::HashMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_lang::{BinaryOp, Expr, ExprKind};
use pullback_ops::Val;

use crate::case::Trial;
use crate::edit::{self, Path};
use crate::tree::{Tree, operands};

/// How near two scalar products must be, relatively: both are sums of a few rounded numbers. What passes is computed on all
/// data afterwards.
const CLOSE: f64 = 1e-8;

/// How far rounding may move a scalar product, in units of the numbers that it adds up.
const ROUNDING: f64 = 1e-13;

/// Missing numbers smaller than this share of the derivative are rounding.
const LEAST: f64 = 1e-9;

/// A derivative with more entries is not asked about: the random numbers alone would cost too much.
const MOST_ENTRIES: usize = 1 << 14;

/// What is sought at each part of a tree, on one set of data.
pub(crate) struct Sought {
    parts: Vec<(Path, Wanted)>,
}

/// What one part lacks.
pub(crate) struct Wanted {
    pub shape: Vec<usize>,
    /// Aᵀ R, for each R.
    pub pulled: [Vec<f64>; 2],
    /// ⟨R, derivative − claim⟩.
    missing: [f64; 2],
    /// ⟨Aᵀ R, part⟩.
    own: [f64; 2],
    /// How far rounding may move these numbers.
    noise: f64,
}

impl Sought {
    /// What is sought in a tree. `None` where the claim has not the shape of the derivative, or lacks nothing.
    pub(crate) fn of(tree: &Tree<'_>, trial: &Trial<'_>) -> Option<Sought> {
        if trial.is_in_loop() {
            // A part has another value in each step.
            return None;
        }
        let mut leaves = Leaves { tree, trial, parts: Vec::new(), names: HashMap::new() };
        let entries = tree.case.indices.is_some();
        let root = match entries {
            // Inside index notation a part has no value of its own: only the whole is asked about.
            true => {
                let whole = trial.root_value(&tree.claim_with(&tree.root))?;
                Val::with_dims(whole.array().ok()?.clone(), whole.dims()).ok()?
            }
            false => leaves.value(&tree.root, &mut Vec::new())?,
        };
        let claim = match tree.definition {
            None if entries => trial.value_of_root(&root)?,
            None => root.clone(),
            Some(_) => {
                let name = leaves.placeholder(&root);
                trial.value_among(&tree.claim_with(&edit::name(tree.root.span, &name)), &leaves.names)?
            }
        };
        if entries {
            leaves.parts.push((Vec::new(), root));
        }
        let claimed = claim.array().ok()?;
        let expected = trial.expected(claimed.shape()).filter(|array| array.len() <= MOST_ENTRIES)?;
        let mut generator = Generator::new(1);
        let sides =
            [generator.randn(claimed.shape(), DType::F64), generator.randn(claimed.shape(), DType::F64)];
        let [first, second] = sides;
        let sides = [first.ok()?, second.ok()?];
        let numbers = (claimed.to_vec_f64(), expected.to_vec_f64());
        let missing: Vec<f64> = numbers.1.iter().zip(&numbers.0).map(|(e, c)| e - c).collect();
        let size: f64 = numbers.0.iter().chain(&numbers.1).map(|x| x.abs()).sum();
        let missing = sides.each_ref().map(|side| dot(&side.to_vec_f64(), &missing));
        if !size.is_finite() || missing.iter().all(|missing| missing.abs() <= LEAST * size) {
            return None;
        }
        let vals: Vec<&Val> = leaves.parts.iter().map(|(_, val)| val).collect();
        let pulled = sides.each_ref().map(|side| {
            let side = Val::with_dims(side.clone(), claim.dims()).ok()?;
            pullback(&[(&claim, &side)], &vals, &[]).ok()
        });
        let [Some(first), Some(second)] = pulled else { return None };
        let parts = leaves.parts.iter().zip(first.iter().zip(&second)).filter_map(|((path, val), pair)| {
            let numbers = |pulled: &Option<Val>| Some(pulled.as_ref()?.array().ok()?.to_vec_f64());
            let pulled = [numbers(pair.0)?, numbers(pair.1)?];
            let part = val.array().ok()?.to_vec_f64();
            let own = pulled.each_ref().map(|pulled| dot(pulled, &part));
            let noise = ROUNDING * size
                + ROUNDING * pulled[0].iter().zip(&part).map(|(a, b)| (a * b).abs()).sum::<f64>();
            Some((path.clone(), Wanted { shape: val.shape(), pulled, missing, own, noise }))
        });
        Some(Sought { parts: parts.collect() })
    }

    /// What is sought at a part, where the claim is linear in it.
    pub(crate) fn at(&self, path: &[usize]) -> Option<&Wanted> {
        self.parts.iter().find(|(known, _)| known == path).map(|(_, wanted)| wanted)
    }

    /// By what a term that is there would have to be multiplied, where that is all that is missing.
    pub(crate) fn multiple(&self, tree: &Tree<'_>) -> Option<f64> {
        let mut terms = self.parts.iter().filter(|(path, _)| tree.is_term(path));
        terms.find_map(|(_, wanted)| Some(1.0 + wanted.share(wanted.own)?))
    }

    /// The part whose value is the nearest around a place in which the claim is linear, the place itself included.
    pub(crate) fn around<'p>(&self, path: &'p [usize]) -> Option<&'p [usize]> {
        (0..=path.len()).rev().map(|length| &path[..length]).find(|above| self.at(above).is_some())
    }
}

impl Wanted {
    /// The number by which a value with these scalar products has to be multiplied to be what is missing.
    pub(crate) fn share(&self, products: [f64; 2]) -> Option<f64> {
        let share = self.missing[0] / products[0];
        let rest = (share * products[1] - self.missing[1]).abs();
        let near = CLOSE * self.missing[1].abs() + self.noise * (1.0 + share.abs());
        (share.is_finite() && share != 0.0 && rest <= near).then_some(share)
    }

    /// Does a value belong in the part's place?
    pub(crate) fn is(&self, numbers: &[f64]) -> bool {
        (0..2).all(|side| {
            let wanted = self.missing[side] + self.own[side];
            let rest = (dot(&self.pulled[side], numbers) - wanted).abs();
            rest <= CLOSE * self.missing[side].abs() + 4.0 * self.noise
        })
    }

    /// What a factor of the part would have to be that is not there: where the part has these numbers.
    pub(crate) fn of_factor(&self, part: &[f64]) -> Wanted {
        let times = |pulled: &Vec<f64>| pulled.iter().zip(part).map(|(pulled, part)| pulled * part).collect();
        let missing = [self.missing[0] + self.own[0], self.missing[1] + self.own[1]];
        let (shape, pulled) = (self.shape.clone(), self.pulled.each_ref().map(times));
        Wanted { shape, pulled, missing, own: self.own, noise: self.noise }
    }

    /// The scalar products of a value with Aᵀ R.
    pub(crate) fn products(&self, numbers: &[f64]) -> [f64; 2] {
        self.pulled.each_ref().map(|pulled| dot(pulled, numbers))
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The values of the parts of a tree, each a node of its own: the same name in two places is two leaves.
struct Leaves<'t> {
    tree: &'t Tree<'t>,
    trial: &'t Trial<'t>,
    parts: Vec<(Path, Val)>,
    /// The parts that are computed, by the names that stand for them.
    names: HashMap<String, Val>,
}

impl Leaves<'_> {
    /// A part's value, computed from those of its parts in which it is linear.
    fn value(&mut self, expr: &Expr, path: &mut Path) -> Option<Val> {
        let mut stated = expr.clone();
        let mut below = Vec::new();
        for child in linear(expr) {
            path.push(child);
            let operand = (*expr.children().get(child)?).clone();
            if let Some(val) = self.value(&operand, path) {
                below.push((child, self.placeholder(&val)));
            }
            path.pop();
        }
        for (child, name) in below {
            if let Some(operand) = stated.children_mut().into_iter().nth(child) {
                *operand = edit::name(operand.span, &name);
            }
        }
        let val = match self.tree.is_number(expr) {
            true => return None,
            false => self.trial.value_among(&self.tree.in_context(&stated), &self.names)?,
        };
        let val = match linear(expr).is_empty() {
            true => Val::with_dims(val.array().ok()?.clone(), val.dims()).ok()?,
            false => val,
        };
        self.parts.push((path.clone(), val.clone()));
        Some(val)
    }

    fn placeholder(&mut self, val: &Val) -> String {
        // No name of a file begins like this.
        let name = format!("§{}", self.names.len());
        self.names.insert(name.clone(), val.clone());
        name
    }
}

/// The operands of a part in which it is linear.
pub(crate) fn linear(expr: &Expr) -> Vec<usize> {
    match &expr.kind {
        ExprKind::Binary { operator, .. } => match operator.kind {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::MatMul => vec![0, 1],
            BinaryOp::Div => vec![0],
            _ => Vec::new(),
        },
        ExprKind::Call { function, .. } => match function.text.as_str() {
            "sum" | "mean" | "outer" | "kron" | "diag" | "reshape" | "vec" | "unvec" | "permute"
            | "trace" | "einsum" | "dot" => operands(expr),
            _ => Vec::new(),
        },
        ExprKind::Negate(_) | ExprKind::Transpose(_) | ExprKind::Index { .. } => operands(expr),
        _ => Vec::new(),
    }
}

/// Numbers, as an array of a part's shape.
pub(crate) fn spread(array: &Array, shape: &[usize]) -> Option<Vec<f64>> {
    Some(array.broadcast_to(shape).ok()?.to_vec_f64())
}
