//! Whether the lines of a backward pass are true of a program: each is evaluated index by index, as it is written, and held against the
//! derivative that reverse mode computes.
//!
//! No rule and no contraction has a part in it: a sum of products is added up over all values of all its indices. So what is printed is
//! tried, and not what it was printed from.

use std::cell::RefCell;
use std::collections::HashMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{jacobian, pullback};
use pullback_lang::program::{Program, Scope, evaluate};
use pullback_lang::{Expr, ExprKind, Span, make, parse_expr};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

use super::Stage;
use super::line::{Entry, Inner, Left, Line, Product, Right, Slope, Within};
use super::pieces::{by_names, called};
use crate::code::condition::is_comparison;

/// More products than this are not added up for one line.
const MOST_PRODUCTS: usize = 1 << 19;

/// How far a line may be off on numbers in double precision, relatively to the largest entry: rounding stays far below it, and a wrong
/// line far above.
const CLOSE: f64 = 1e-6;

/// Data on which a gradient is larger tell nothing: something that is inverted there is all but singular.
const LARGEST: f64 = 1e7;

/// A line that is not true of a program, or that could not be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Untrue {
    /// The number of its stage.
    pub stage: usize,
    /// The number of the line; of none that is the expression itself.
    pub line: Option<usize>,
    /// Could it not be evaluated?
    pub untried: bool,
}

/// The lines of a backward pass from the value called `output` that are not true of a program. Nothing, where the program is not finite
/// there.
pub fn untrue(stages: &[Stage], program: &Program, output: &str) -> Vec<Untrue> {
    let values: Vec<(String, Val)> =
        program.values.iter().map(|value| (value.name.clone(), value.val.clone())).collect();
    untrue_among(stages, &values, program.scope(), output)
}

/// The same of values and their names.
pub(super) fn untrue_among(
    stages: &[Stage],
    values: &[(String, Val)],
    scope: &Scope,
    output: &str,
) -> Vec<Untrue> {
    let Some(ground) = Ground::new(stages, values, scope, output) else { return Vec::new() };
    let mut found = Vec::new();
    let mut scope = ground.scope.clone();
    for (number, stage) in stages.iter().enumerate() {
        let mut tell = |line: Option<usize>, truth: Option<bool>| {
            if truth != Some(true) {
                found.push(Untrue { stage: number, line, untried: truth.is_none() });
            }
        };
        if let Some(code) = &stage.code {
            let value = evaluate(&by_names(code), &scope);
            if ground.find(&stage.of).is_none() && stage.lines.is_empty() {
                // A piece is what it is said to be.
                match value {
                    Ok(value) => scope.define(&stage.of, value),
                    Err(_) => tell(None, None),
                }
                continue;
            }
            let expected = ground.value(&stage.left, &scope);
            tell(
                None,
                match (value, expected) {
                    (Ok(value), Some(expected)) => Some(same(value.array().ok(), &expected)),
                    // What has no meaning there cannot be said to be wrong.
                    (Err(_), _) | (Ok(_), None) => None,
                },
            );
        }
        let mut left: Option<(Vec<String>, Array)> = None;
        for (place, line) in stage.lines.iter().enumerate() {
            // What is said beside goes on with nothing.
            match &line.left {
                Left::Sum { of, free } => {
                    tell(Some(place), ground.is_sum(of, free, line, &scope));
                    continue;
                }
                Left::Rule { call, letter, at } => {
                    tell(Some(place), ground.is_rule(call, letter, at, line, &scope));
                    continue;
                }
                _ => {}
            }
            if line.left != Left::Same {
                left = ground.left(&line.left, &scope);
            }
            tell(Some(place), left.as_ref().and_then(|left| ground.is_true(line, left, &scope)));
        }
    }
    found
}

/// What the lines are held against.
struct Ground<'a> {
    values: &'a [(String, Val)],
    /// The program's names, and the cotangents.
    scope: Scope,
    /// The names that a Jacobian between two of them holds.
    named: Vec<&'a Val>,
    /// Jacobians that lines have asked for.
    slopes: RefCell<HashMap<(String, String), Option<Array>>>,
}

impl<'a> Ground<'a> {
    fn new(
        stages: &[Stage],
        values_of: &'a [(String, Val)],
        scope: &Scope,
        output: &str,
    ) -> Option<Ground<'a>> {
        let find = |name: &str| values_of.iter().find(|(own, _)| own == name).map(|(_, value)| value);
        let of = find(output)?;
        // Of what is no number nothing is true.
        let has_nan =
            |val: &Val| val.array().is_ok_and(|array| array.to_vec_f64().iter().any(|x| x.is_nan()));
        if values_of.iter().any(|(_, value)| has_nan(value)) {
            return None;
        }
        let seed = match of.ndim() {
            0 => of.one(),
            _ => Val::new(Generator::new(1).randn(&of.shape(), DType::F64).ok()?),
        };
        let mut scope = scope.clone();
        let is_of = |stage: &&Stage| find(&stage.of).is_some();
        let wrt: Vec<&Stage> = stages.iter().filter(is_of).collect();
        let values: Vec<&Val> = wrt.iter().filter_map(|stage| find(&stage.of)).collect();
        let gradients = pullback(&[(of, &seed)], &values, &[]).ok()?;
        for ((stage, value), gradient) in wrt.iter().zip(&values).zip(gradients) {
            let gradient = match gradient {
                Some(gradient) => gradient,
                None => Val::new(Array::zeros(&value.shape(), DType::F64).ok()?),
            };
            // Where a matrix is all but singular numbers tell nothing.
            let numbers = gradient.array().ok()?;
            if !numbers.all_finite() || numbers.max_abs() > LARGEST {
                return None;
            }
            scope.define(&called(&stage.left), gradient);
        }
        if of.ndim() > 0 {
            let of_stage = |stage: &Stage| match &stage.left.kind {
                ExprKind::ClaimRef { of, .. } => Some(of.text.clone()),
                _ => None,
            };
            let loss = stages.iter().find_map(of_stage)?;
            scope.define(&called(&make::reference(Span::default(), &loss, output)), seed);
        }
        let named = values.iter().copied().chain([of]).collect();
        Some(Ground { values: values_of, scope, named, slopes: RefCell::default() })
    }

    fn find(&self, name: &str) -> Option<&'a Val> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    fn value(&self, expr: &Expr, scope: &Scope) -> Option<Array> {
        evaluate(&by_names(expr), scope).ok()?.array().ok().cloned()
    }

    /// The numbers of a left side, and the letters of its axes.
    fn left(&self, left: &Left, scope: &Scope) -> Option<(Vec<String>, Array)> {
        match left {
            Left::Same | Left::Sum { .. } | Left::Rule { .. } => None,
            Left::Entry(of, at) => Some((at.clone(), self.value(of, scope)?)),
            Left::Whole(of) => Some((Vec::new(), self.value(of, scope)?)),
            Left::Slope(slope) => {
                let letters = slope.of.1.iter().chain(&slope.by.1).cloned().collect();
                Some((letters, self.slope(slope)?))
            }
        }
    }

    fn slope(&self, slope: &Slope) -> Option<Array> {
        let key = (slope.of.0.clone(), slope.by.0.clone());
        if let Some(known) = self.slopes.borrow().get(&key) {
            return known.clone();
        }
        let found = self.slope_of(slope);
        self.slopes.borrow_mut().insert(key, found.clone());
        found
    }

    fn slope_of(&self, slope: &Slope) -> Option<Array> {
        let (of, by) = (self.find(&slope.of.0)?, self.find(&slope.by.0)?);
        let held: Vec<&Val> = self
            .named
            .iter()
            .copied()
            .filter(|value| value.id() != of.id() && value.id() != by.id())
            .collect();
        let entries: usize = of.shape().iter().chain(&by.shape()).product();
        if entries > MOST_PRODUCTS {
            return None;
        }
        jacobian(of, by, &held).ok()?.to_dense().ok()?.array().ok().cloned()
    }

    fn is_true(
        &self,
        line: &Line,
        (letters, expected): &(Vec<String>, Array),
        scope: &Scope,
    ) -> Option<bool> {
        match &line.right {
            Right::Whole(expr) => Some(same(Some(&self.value(expr, scope)?), expected)),
            Right::Products(products) => {
                let total = self.total(products, letters, expected.shape(), scope)?;
                Some(same(Some(&total), expected))
            }
        }
    }

    /// Is a sum what a line says, at all values of the letters that are free in it?
    fn is_sum(&self, of: &[Product], free: &[(String, Dim)], line: &Line, scope: &Scope) -> Option<bool> {
        let letters: Vec<String> = free.iter().map(|(letter, _)| letter.clone()).collect();
        let sizes: Vec<usize> = free.iter().map(|(_, dim)| self.size(dim, scope)).collect::<Option<_>>()?;
        let left = self.total(of, &letters, &sizes, scope)?;
        self.is_true(line, &(letters, left), scope)
    }

    /// Is the slope of a function what a line says, where the program uses it?
    fn is_rule(&self, call: &Expr, letter: &str, at: &Expr, line: &Line, scope: &Scope) -> Option<bool> {
        let Right::Whole(slope) = &line.right else { return None };
        let argument = Val::new(self.value(at, scope)?);
        let mut scope = scope.clone();
        scope.define(letter, argument.clone());
        let result = evaluate(call, &scope).ok()?;
        let ones = Val::new(Array::scalar(1.0, DType::F64).ok()?.broadcast_to(&result.shape()).ok()?);
        let expected = pullback(&[(&result, &ones)], &[&argument], &[]).ok()?.remove(0)?;
        Some(same(Some(&self.value(slope, &scope)?), expected.array().ok()?))
    }

    /// A size, in the program that lines are tried on.
    fn size(&self, dim: &Dim, scope: &Scope) -> Option<usize> {
        match dim.name() {
            Some(name) => {
                Some(self.value(&make::name(Span::default(), name.as_str()), scope)?.item().ok()? as usize)
            }
            None => Some(dim.size()),
        }
    }

    /// The sum of products at all values of some letters.
    fn total(
        &self,
        products: &[Product],
        letters: &[String],
        sizes: &[usize],
        scope: &Scope,
    ) -> Option<Array> {
        if letters.len() != sizes.len() {
            return None;
        }
        let mut total = vec![0.0; sizes.iter().product()];
        for product in products {
            self.add(product, (letters, sizes), scope, &mut total)?;
        }
        Array::from_vec(sizes, total).ok()
    }

    /// Adds a product at all values of all its letters.
    fn add(
        &self,
        product: &Product,
        (letters, sizes): (&[String], &[usize]),
        scope: &Scope,
        total: &mut [f64],
    ) -> Option<()> {
        let written = product.coef.to_string().replace('·', " * ");
        let coef = self.value(&parse_expr(&written).ok()?.expr, scope)?.item().ok()?;
        let mut loops = Loops::over(letters, sizes);
        for (letter, dim) in &product.over {
            loops.add(letter, self.size(dim, scope)?);
        }
        let mut factors: Vec<(Vec<f64>, Vec<usize>)> = Vec::new();
        let mut brackets: Vec<(Vec<f64>, Vec<usize>)> = Vec::new();
        let mut conditions: Vec<Condition> = Vec::new();
        for factor in &product.factors {
            let (array, at): (Array, Vec<Option<&str>>) = match factor {
                Entry::Of(expr, at) => {
                    (self.value(expr, scope)?, at.iter().map(|letter| letter.as_deref()).collect())
                }
                Entry::Within(within) => (
                    self.within(within, &loops, scope)?,
                    within.at.iter().map(|letter| letter.as_deref()).collect(),
                ),
                Entry::Slope(slope) => {
                    let at = slope.of.1.iter().chain(&slope.by.1).map(|letter| Some(letter.as_str()));
                    (self.slope(slope)?, at.collect())
                }
                Entry::Delta(a, b) => {
                    let linear = [(1, a.clone()), (-1, b.clone())];
                    conditions.push(Condition { linear: loops.weights(&linear)?, constant: 0, table: None });
                    continue;
                }
                Entry::Affine(linear, constant) => {
                    conditions.push(Condition {
                        linear: loops.weights(linear)?,
                        constant: *constant,
                        table: None,
                    });
                    continue;
                }
                Entry::Listed(linear, constant, table, at) => {
                    let array = self.value(&make::name(Span::default(), table), scope)?;
                    let at: Vec<Option<&str>> = at.iter().map(|letter| Some(letter.as_str())).collect();
                    let strides = loops.strides(&array, &at)?;
                    let table = Some((array.to_vec_f64(), strides));
                    conditions.push(Condition { linear: loops.weights(linear)?, constant: *constant, table });
                    continue;
                }
            };
            let strides = loops.strides(&array, &at)?;
            let is_bracket = matches!(factor, Entry::Of(expr, _) if is_comparison(expr));
            let own = if is_bracket { &mut brackets } else { &mut factors };
            own.push((array.to_vec_f64(), strides));
        }
        let out = loops.row_major(letters.len());
        loops.run(|at| {
            // A bracket that is zero makes a product zero, whatever else stands in it.
            let is_none = |(numbers, strides): &(Vec<f64>, Vec<usize>)| numbers[place(at, strides)] == 0.0;
            if conditions.iter().all(|condition| condition.holds(at)) && !brackets.iter().any(is_none) {
                let values = factors.iter().map(|(numbers, strides)| numbers[place(at, strides)]);
                total[place(at, &out)] += values.fold(coef, |product, value| product * value);
            }
        })
    }
}

impl Ground<'_> {
    /// An expression with sums in it, each added up at all values of the letters that it has.
    fn within(&self, within: &Within, loops: &Loops<'_>, scope: &Scope) -> Option<Array> {
        let mut inner = scope.clone();
        for Inner { name, at, products } in &within.sums {
            let sizes: Vec<usize> = at.iter().map(|letter| loops.size(letter).unwrap_or(1)).collect();
            inner.define(name, Val::new(self.total(products, at, &sizes, scope)?));
        }
        self.value(&within.of, &inner)
    }
}

/// Letters, each with how far it runs.
struct Loops<'a> {
    letters: Vec<&'a str>,
    sizes: Vec<usize>,
}

impl<'a> Loops<'a> {
    fn over(letters: &'a [String], sizes: &[usize]) -> Loops<'a> {
        Loops { letters: letters.iter().map(String::as_str).collect(), sizes: sizes.to_vec() }
    }

    fn add(&mut self, letter: &'a str, size: usize) {
        self.letters.push(letter);
        self.sizes.push(size);
    }

    /// How far a letter runs.
    fn size(&self, letter: &str) -> Option<usize> {
        Some(self.sizes[self.letters.iter().position(|own| *own == letter)?])
    }

    /// What one step of each letter is in an array with letters on its axes. `None` where these do not fit.
    fn strides(&self, array: &Array, at: &[Option<&str>]) -> Option<Vec<usize>> {
        if at.len() != array.ndim() {
            return None;
        }
        let mut strides = vec![0; self.letters.len()];
        let mut stride = 1;
        for (letter, &size) in at.iter().zip(array.shape()).rev() {
            match letter.and_then(|letter| self.letters.iter().position(|own| *own == letter)) {
                Some(own) if self.sizes[own] == size => strides[own] += stride,
                None if size == 1 => {}
                _ => return None,
            }
            stride *= size;
        }
        Some(strides)
    }

    /// The coefficient of each letter in an equation.
    fn weights(&self, linear: &[(i64, String)]) -> Option<Vec<i64>> {
        let mut weights = vec![0; self.letters.len()];
        for (coefficient, letter) in linear {
            weights[self.letters.iter().position(|own| own == letter)?] += coefficient;
        }
        Some(weights)
    }

    /// The strides of an array whose axes are the first letters.
    fn row_major(&self, count: usize) -> Vec<usize> {
        let mut strides = vec![0; self.letters.len()];
        let mut stride = 1;
        for at in (0..count).rev() {
            strides[at] = stride;
            stride *= self.sizes[at];
        }
        strides
    }

    /// Calls `visit` with every value of all letters; `None` where these are too many.
    fn run(&self, mut visit: impl FnMut(&[usize])) -> Option<()> {
        let count = self.sizes.iter().try_fold(1usize, |count, size| count.checked_mul(*size))?;
        if count > MOST_PRODUCTS {
            return None;
        }
        let mut at = vec![0; self.sizes.len()];
        for _ in 0..count {
            visit(&at);
            for place in (0..at.len()).rev() {
                at[place] += 1;
                if at[place] < self.sizes[place] {
                    break;
                }
                at[place] = 0;
            }
        }
        Some(())
    }
}

fn place(at: &[usize], strides: &[usize]) -> usize {
    at.iter().zip(strides).map(|(at, stride)| at * stride).sum()
}

/// An equation between letters, which count from 0 here as in code.
struct Condition {
    linear: Vec<i64>,
    constant: i64,
    /// What the left side is equal to, where that is not 0.
    table: Option<(Vec<f64>, Vec<usize>)>,
}

impl Condition {
    fn holds(&self, at: &[usize]) -> bool {
        let left =
            self.constant + self.linear.iter().zip(at).map(|(weight, at)| weight * *at as i64).sum::<i64>();
        match &self.table {
            None => left == 0,
            Some((entries, strides)) => {
                entries.get(place(at, strides)).is_some_and(|entry| *entry as i64 == left)
            }
        }
    }
}

/// Are two arrays the same, but for rounding?
pub(super) fn is_same(value: &Array, expected: &Array) -> bool {
    same(Some(value), expected)
}

fn same(value: Option<&Array>, expected: &Array) -> bool {
    let Some(value) = value else { return false };
    let Ok(value) = value.cast(DType::F64) else { return false };
    let Ok(expected) = expected.cast(DType::F64) else { return false };
    let (value_of, expected_of) = (value.as_f64(), expected.as_f64());
    // A mask's −∞ is no size.
    let size = expected_of.iter().filter(|x| x.is_finite()).fold(1e-3f64, |size, x| size.max(x.abs()));
    value.shape() == expected.shape()
        && value_of
            .iter()
            .zip(expected_of.iter())
            .all(|(a, b)| a == b || (a - b).abs() <= CLOSE * size || (a.is_nan() && b.is_nan()))
}
