//! The products of known values that a term of a derivative may be: `p * sum(p * g)`, `outer(a, a)`, `H.T @ G`.
//!
//! Not one of them is computed as an expression: what is asked of each are its scalar products with what is sought at a part
//! ([`Wanted`]), on one set of data. The few that may be what is missing there become expressions.

use std::cell::RefCell;

use pullback_lang::{BinaryOp, Expr, ExprKind, Span};

use crate::edit::{self, binary, call, integer};
use crate::factor::Names;
use crate::sought::{Wanted, dot, spread};
use crate::tree::Place;

/// Values from which products are made.
const MOST_VALUES: usize = 28;

/// Values of which products of three are made.
const MOST_OF_THREE: usize = 12;

/// Numbers in a part beyond which nothing is sought there.
const MOST_ENTRIES: usize = 4096;

/// What is proposed for one part.
const MOST_PROPOSED: usize = 3;

/// A term that may be missing, up to a factor.
pub(crate) struct Term {
    pub expr: Expr,
    /// The same with means in place of sums.
    pub averaged: Option<Expr>,
}

/// A value of the dictionary.
struct Ingredient {
    expr: Expr,
    shape: Vec<usize>,
    numbers: Vec<f64>,
    /// Its numbers in the shape of the part, where it broadcasts to that.
    spread: Option<Vec<f64>>,
}

/// How a term is made of ingredients, by number.
#[derive(Clone)]
enum Form {
    One,
    Eye,
    Product(Vec<usize>),
    Quotient(Option<usize>, usize),
    /// A sum over axes of a product, times something and divided by a power of something.
    Reduced {
        times: Option<usize>,
        over: Option<(usize, usize)>,
        of: Vec<usize>,
        axes: Vec<usize>,
    },
    /// A sum over the axes in front that the part has not.
    Summed(Vec<usize>),
    Outer(usize, usize),
    Diag(usize),
    MatMul {
        left: (usize, bool),
        right: (usize, bool),
    },
}

/// Which sums over axes are asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sums {
    /// By themselves: `sum(g)`, as a factor is one.
    Bare,
    /// Times and over others too, as a term is: `x * sum(x * g) / u^3`.
    Scaled,
}

/// The terms that may be missing at a part, the shortest first.
pub(crate) fn terms(place: &Place<'_>, wanted: &Wanted, sums: Sums) -> Vec<Term> {
    if wanted.pulled[0].len() > MOST_ENTRIES || wanted.shape.is_empty() && !place.is_root() {
        return Vec::new();
    }
    let ingredients = ingredients(place, &wanted.shape);
    let names = place.names();
    let dictionary = Dictionary { wanted, names: &names, ingredients, found: RefCell::default() };
    let case = place.case();
    let (values, entries) = (dictionary.ingredients.len(), wanted.pulled[0].len());
    if !case.look_up(4 * values * values * entries) {
        return Vec::new();
    }
    dictionary.entry_by_entry();
    if case.indices.is_none() {
        dictionary.products();
    }
    if case.indices.is_none() {
        dictionary.reduced(sums, &|multiplications| case.look_up(multiplications));
    }
    let Dictionary { ingredients, found, .. } = dictionary;
    let found = found.into_inner();
    let mut terms: Vec<(usize, Term)> = found
        .iter()
        .map(|form| {
            let built = |mean| form.expr(place, &ingredients, mean);
            let averaged = matches!(form, Form::Reduced { .. }).then(|| built(true));
            let term = Term { expr: built(false), averaged };
            (edit::size(&term.expr), term)
        })
        .collect();
    terms.sort_by_key(|(size, _)| *size);
    terms.into_iter().take(MOST_PROPOSED).map(|(_, term)| term).collect()
}

fn ingredients(place: &Place<'_>, shape: &[usize]) -> Vec<Ingredient> {
    let mut ingredients: Vec<Ingredient> = Vec::new();
    for (expr, array) in place.tree.values().iter().take(MOST_VALUES) {
        let numbers = array.to_vec_f64();
        let spread = spread(array, shape);
        ingredients.push(Ingredient { expr: expr.clone(), shape: array.shape().to_vec(), numbers, spread });
    }
    ingredients
}

/// What a sum is multiplied by, which power of what divides it, and the numbers of both together.
type Scaling = (Option<usize>, Option<(usize, usize)>, Vec<f64>);

struct Dictionary<'a> {
    wanted: &'a Wanted,
    names: &'a Names,
    ingredients: Vec<Ingredient>,
    found: RefCell<Vec<Form>>,
}

impl Dictionary<'_> {
    fn ask(&self, products: [f64; 2], form: impl FnOnce() -> Form) {
        // A term in one number may be anything: its share must be a number that has a name.
        if self.wanted.share(products).is_some_and(|share| self.names.may_be(share)) {
            self.found.borrow_mut().push(form());
        }
    }

    fn ask_numbers(&self, numbers: &[f64], form: impl FnOnce() -> Form) {
        self.ask(self.wanted.products(numbers), form);
    }

    /// Those that broadcast to the part, by number.
    fn spreading(&self) -> Vec<(usize, Vec<f64>)> {
        let all = self.ingredients.iter().enumerate();
        all.filter_map(|(at, ingredient)| Some((at, ingredient.spread.clone()?))).collect()
    }

    fn entry_by_entry(&self) {
        let spreading = self.spreading();
        let times = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a * b).collect() };
        let shape = self.wanted.shape.clone();
        self.ask_numbers(&vec![1.0; self.wanted.pulled[0].len()], || Form::One);
        if let [n, m] = shape[..]
            && n == m
        {
            let eye: Vec<f64> = (0..n * n).map(|at| if at / n == at % n { 1.0 } else { 0.0 }).collect();
            self.ask_numbers(&eye, || Form::Eye);
        }
        for (one, (i, a)) in spreading.iter().enumerate() {
            self.ask_numbers(a, || Form::Product(vec![*i]));
            let inverse: Vec<f64> = a.iter().map(|a| 1.0 / a).collect();
            self.ask_numbers(&inverse, || Form::Quotient(None, *i));
            for (other, (j, b)) in spreading.iter().enumerate() {
                if one != other {
                    self.ask_numbers(&times(&inverse, b), || Form::Quotient(Some(*j), *i));
                }
                if other < one {
                    continue;
                }
                let product = times(a, b);
                self.ask_numbers(&product, || Form::Product(vec![*i, *j]));
                if spreading.len() <= MOST_OF_THREE {
                    for (k, c) in &spreading[other..] {
                        self.ask_numbers(&times(&product, c), || Form::Product(vec![*i, *j, *k]));
                    }
                }
            }
        }
    }

    /// `u * sum(a * b, axis) / w^p`.
    fn reduced(&self, sums: Sums, may: &dyn Fn(usize) -> bool) {
        let shape = self.wanted.shape.clone();
        let spreading = self.spreading();
        let whole = |at: usize| self.ingredients[at].shape == shape;
        let mut bases: Vec<(Vec<usize>, Vec<f64>)> = Vec::new();
        for (one, (i, a)) in spreading.iter().enumerate() {
            if whole(*i) {
                bases.push((vec![*i], a.clone()));
            }
            for (j, b) in &spreading[one..] {
                if whole(*i) || whole(*j) {
                    bases.push((vec![*i, *j], a.iter().zip(b).map(|(a, b)| a * b).collect()));
                }
            }
        }
        let factors = match sums {
            Sums::Bare => vec![(None, None, vec![1.0; self.wanted.pulled[0].len()])],
            Sums::Scaled => self.scalings(&spreading),
        };
        for axes in axes_of_sums(shape.len()) {
            let sum = |numbers: &[f64]| summed(numbers, &shape, &axes);
            let left: usize =
                (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).product();
            if !may(factors.len() * (bases.len() * 2 * left + 2 * self.wanted.pulled[0].len())) {
                return;
            }
            let bases: Vec<(&Vec<usize>, Vec<f64>)> = bases.iter().map(|(of, n)| (of, sum(n))).collect();
            for (times, over, factor) in &factors {
                let pulled =
                    self.wanted.pulled.each_ref().map(|pulled| {
                        sum(&pulled.iter().zip(factor).map(|(p, f)| p * f).collect::<Vec<_>>())
                    });
                for (of, base) in &bases {
                    self.ask(pulled.each_ref().map(|pulled| dot(pulled, base)), || Form::Reduced {
                        times: *times,
                        over: *over,
                        of: (*of).clone(),
                        axes: axes.clone(),
                    });
                }
            }
        }
    }

    /// What a sum may be multiplied by, and divided by: by a statistic, which has fewer axes or one of length 1.
    fn scalings(&self, spreading: &[(usize, Vec<f64>)]) -> Vec<Scaling> {
        let has_name = |at: usize| {
            !matches!(self.ingredients[at].expr.kind, ExprKind::Binary { .. } | ExprKind::Call { .. })
        };
        let whole = |at: usize| self.ingredients[at].shape == self.wanted.shape;
        let statistics: Vec<&(usize, Vec<f64>)> =
            spreading.iter().filter(|(at, _)| !whole(*at) && has_name(*at)).collect();
        let mut factors: Vec<Scaling> = vec![(None, None, vec![1.0; self.wanted.pulled[0].len()])];
        factors.extend(spreading.iter().map(|(at, numbers)| (Some(*at), None, numbers.clone())));
        for number in 0..factors.len() {
            if factors[number].0.is_some_and(|times| !has_name(times)) {
                continue;
            }
            for (at, numbers) in &statistics {
                for power in 1..=3 {
                    let (times, _, factor) = &factors[number];
                    let over = factor.iter().zip(numbers).map(|(f, w)| f / w.powi(power)).collect();
                    let times = *times;
                    factors.push((times, Some((*at, power as usize)), over));
                }
            }
        }
        factors
    }

    /// Matrix products, outer products, diagonals, and sums over axes in front.
    fn products(&self) {
        let shape = self.wanted.shape.clone();
        for i in 0..self.ingredients.len() {
            if let Some(sum) = in_front(&self.ingredients[i].shape, &self.ingredients[i].numbers, &shape) {
                self.ask_numbers(&sum, || Form::Summed(vec![i]));
            }
            for j in 0..self.ingredients.len() {
                let (a, b) = (&self.ingredients[i], &self.ingredients[j]);
                if i <= j && a.shape == b.shape && a.shape.len() > shape.len() {
                    let product: Vec<f64> = a.numbers.iter().zip(&b.numbers).map(|(a, b)| a * b).collect();
                    if let Some(sum) = in_front(&a.shape, &product, &shape) {
                        self.ask_numbers(&sum, || Form::Summed(vec![i, j]));
                    }
                }
                match (&shape[..], &a.shape[..], &b.shape[..]) {
                    ([n, m], [p], [q]) if n == p && m == q => {
                        let outer: Vec<f64> =
                            a.numbers.iter().flat_map(|a| b.numbers.iter().map(move |b| a * b)).collect();
                        self.ask_numbers(&outer, || Form::Outer(i, j));
                        if i == j {
                            let n = *p;
                            let numbers = a_diagonal(&self.ingredients[i].numbers, n);
                            self.ask_numbers(&numbers, || Form::Diag(i));
                        }
                    }
                    (_, [_, _] | [_], [_, _] | [_]) => self.matrix_products(i, j),
                    _ => {}
                }
            }
        }
    }

    fn matrix_products(&self, i: usize, j: usize) {
        for (left, right) in [(false, false), (true, false), (false, true)] {
            let (a, b) = (&self.ingredients[i], &self.ingredients[j]);
            if left && a.shape.len() < 2 || right && b.shape.len() < 2 {
                continue;
            }
            let Some(numbers) = multiplied(a, left, b, right, &self.wanted.shape) else { continue };
            self.ask_numbers(&numbers, || Form::MatMul { left: (i, left), right: (j, right) });
        }
    }
}

/// The sets of axes over which a statistic is taken: each one, all but each one, and all.
fn axes_of_sums(ndim: usize) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..ndim).collect();
    let mut sets = vec![all.clone()];
    if ndim > 1 {
        sets.extend(all.iter().map(|&axis| vec![axis]));
    }
    if ndim > 2 {
        sets.extend(all.iter().map(|&axis| all.iter().copied().filter(|&other| other != axis).collect()));
    }
    if ndim == 0 { Vec::new() } else { sets }
}

/// Sums over axes; the others keep their order.
fn summed(numbers: &[f64], shape: &[usize], axes: &[usize]) -> Vec<f64> {
    let kept: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).collect();
    let mut sums = vec![0.0; kept.iter().map(|&axis| shape[axis]).product()];
    let mut index = vec![0; shape.len()];
    for number in numbers {
        let at = kept.iter().fold(0, |at, &axis| at * shape[axis] + index[axis]);
        sums[at] += number;
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    sums
}

/// A sum over the axes in front that `shape` has not.
fn in_front(from: &[usize], numbers: &[f64], shape: &[usize]) -> Option<Vec<f64>> {
    let more = from.len().checked_sub(shape.len()).filter(|&more| more > 0 && from[more..] == *shape)?;
    Some(summed(numbers, from, &(0..more).collect::<Vec<_>>()))
}

fn a_diagonal(numbers: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| if at / n == at % n { numbers[at / n] } else { 0.0 }).collect()
}

/// `a @ b`, either transposed; `None` where it has not the shape.
fn multiplied(a: &Ingredient, left: bool, b: &Ingredient, right: bool, shape: &[usize]) -> Option<Vec<f64>> {
    let matrix = |one: &Ingredient, transposed: bool, is_left: bool| match one.shape[..] {
        [n] if is_left => Some((1, n, n, 1)),
        [n] => Some((n, 1, 1, 1)),
        [n, m] if transposed => Some((m, n, 1, m)),
        [n, m] => Some((n, m, m, 1)),
        _ => None,
    };
    let (rows, inner, a_row, a_column) = matrix(a, left, true)?;
    let (other, columns, b_row, b_column) = matrix(b, right, false)?;
    let mut result: Vec<usize> = Vec::new();
    if a.shape.len() == 2 {
        result.push(rows);
    }
    if b.shape.len() == 2 {
        result.push(columns);
    }
    if inner != other || result != shape || shape.is_empty() {
        return None;
    }
    let mut numbers = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let entry = (0..inner)
                .map(|k| a.numbers[row * a_row + k * a_column] * b.numbers[k * b_row + column * b_column])
                .sum();
            numbers.push(entry);
        }
    }
    Some(numbers)
}

impl Form {
    fn expr(&self, place: &Place<'_>, ingredients: &[Ingredient], mean: bool) -> Expr {
        let at = place.expr.span;
        let of = |number: &usize| ingredients[*number].expr.clone();
        let product = |numbers: &[usize]| product(numbers, &of, at);
        match self {
            Form::One => integer(at, 1),
            Form::Eye => {
                let dims = place.dims.as_deref().unwrap_or_default();
                let size = dims.first().map(|dim| edit::dim(at, dim));
                call(at, "eye", size.into_iter().collect(), Vec::new())
            }
            Form::Product(numbers) => product(numbers),
            Form::Quotient(above, below) => {
                let above = above.as_ref().map_or_else(|| integer(at, 1), &of);
                binary(at, BinaryOp::Div, above, of(below))
            }
            Form::Reduced { times, over, of: summed, axes } => {
                let ndim = place.dims.as_ref().map_or(0, Vec::len);
                let function = if mean { "mean" } else { "sum" };
                let axis = |axis: &usize| integer(at, *axis);
                let keywords = match axes.as_slice() {
                    all if all.len() == ndim => Vec::new(),
                    [one] => vec![("axis", axis(one)), ("keepdims", Expr::new(at, ExprKind::Bool(true)))],
                    some => {
                        let list = ExprKind::List(some.iter().map(axis).collect());
                        vec![("axis", Expr::new(at, list)), ("keepdims", Expr::new(at, ExprKind::Bool(true)))]
                    }
                };
                let sum = call(at, function, vec![product(summed)], keywords);
                let whole = match times {
                    Some(times) => binary(at, BinaryOp::Mul, of(times), sum),
                    None => sum,
                };
                match over {
                    Some((over, 1)) => binary(at, BinaryOp::Div, whole, of(over)),
                    Some((over, power)) => {
                        let below = binary(at, BinaryOp::Pow, of(over), integer(at, *power));
                        binary(at, BinaryOp::Div, whole, below)
                    }
                    None => whole,
                }
            }
            Form::Summed(numbers) => {
                let axes = numbers.first().map_or(0, |&first| ingredients[first].shape.len());
                let more = axes - place.dims.as_ref().map_or(0, Vec::len);
                let axis = match more {
                    1 => integer(at, 0),
                    _ => Expr::new(at, ExprKind::List((0..more).map(|axis| integer(at, axis)).collect())),
                };
                call(at, "sum", vec![product(numbers)], vec![("axis", axis)])
            }
            Form::Outer(a, b) => call(at, "outer", vec![of(a), of(b)], Vec::new()),
            Form::Diag(a) => call(at, "diag", vec![of(a)], Vec::new()),
            Form::MatMul { left, right } => {
                let side = |(number, transposed): &(usize, bool)| match transposed {
                    true => edit::untransposed(&of(number)),
                    false => of(number),
                };
                binary(at, BinaryOp::MatMul, side(left), side(right))
            }
        }
    }
}

/// `a * b`, and `a^2` for `a * a`.
fn product(numbers: &[usize], of: &dyn Fn(&usize) -> Expr, at: Span) -> Expr {
    let mut parts: Vec<Expr> = Vec::new();
    for (position, number) in numbers.iter().enumerate() {
        if numbers[..position].contains(number) {
            continue;
        }
        let power = numbers.iter().filter(|other| *other == number).count();
        let base = of(number);
        parts.push(match power {
            1 => base,
            _ => binary(at, BinaryOp::Pow, base, integer(at, power)),
        });
    }
    let whole = parts.into_iter().reduce(|a, b| binary(at, BinaryOp::Mul, a, b));
    whole.unwrap_or_else(|| integer(at, 1))
}
