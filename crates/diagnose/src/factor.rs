//! A number by its name: 0.1 is `1/(N * M)` where N is 5 and M is 2, and 1/21 where they are 3 and 7. Scalars of the
//! program have names too, and so have the numbers that it states: where the forward pass divides by 20, 0.05 is `1 / 20`, whatever
//! sizes happen to make 20.
//!
//! A name is one of many, and some of them fit any number that is known to few digits: what is no more than that has none.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make};

use crate::edit::{binary, call, integer, negated, number, size};

/// How far a ratio that was fitted may be from the number it is taken for, relatively.
const CLOSE: f64 = 1e-6;

/// Numerators and denominators beyond this are no factors that one forgets.
pub(crate) const LARGEST: usize = 12;

/// Numbers up to this come from powers and products.
pub(crate) const USUAL: usize = 4;

/// So many names may be expected to fit a number by chance that are as likely as the one that it is called by. A factor with a name
/// is made by mistake some times as often as one without, so that one in ten leaves little doubt.
const CHANCE: f64 = 0.1;

/// A number without any other name is one that somebody wrote if it has no more digits than this.
const MOST_DIGITS: i32 = 3;

/// A factor: a sign, a fraction, and sizes, scalars or stated numbers above and below it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Factor {
    pub negative: bool,
    numerator: f64,
    denominator: f64,
    above: Vec<Power>,
    below: Vec<Power>,
}

/// What a factor may be made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A size.
    Size,
    /// A scalar of the program, which is data.
    Scalar,
    /// A number that the program states: what it multiplies by, or divides by.
    Stated { divides: bool },
}

/// A size, a scalar of the program or a number in it, and its value on each set of data.
#[derive(Clone, Debug)]
pub(crate) struct Quantity {
    pub source: Expr,
    pub kind: Kind,
    pub values: Vec<f64>,
}

/// One of these, its square, its cube or its root.
#[derive(Clone, Debug, PartialEq)]
struct Power {
    source: Expr,
    kind: Kind,
    power: f64,
}

impl Power {
    /// Does it stand where derivatives have it? Sizes are divided by, as means do, and so are scalars, as norms do.
    fn is_in_place(&self, divides: bool) -> bool {
        match self.kind {
            Kind::Size | Kind::Scalar => divides,
            Kind::Stated { divides: own } => divides == own,
        }
    }

    fn length(&self) -> usize {
        let is_name = size(&self.source) == 1;
        if self.power == 1.0 && is_name { 1 } else { 2 }
    }
}

/// Powers of one quantity that are tried, and of two.
const POWERS: [f64; 8] = [-1.0, 1.0, -2.0, 2.0, -3.0, 3.0, -0.5, 0.5];
const POWERS_OF_TWO: [f64; 6] = [-1.0, 1.0, -2.0, 2.0, -3.0, 3.0];

/// One less than a size, by itself and with the size on the other side of the line: what an unbiased estimate divides by.
const POWERS_OF_ONE_LESS: [(f64, f64); 4] = [(-1.0, 0.0), (1.0, 0.0), (-1.0, 1.0), (1.0, -1.0)];

/// The products of sizes and scalars of which a number may be a simple fraction, the shortest first.
pub(crate) struct Names {
    quantities: Vec<Quantity>,
    products: Vec<Product>,
    /// What fractions of the products are on the data that come first, without their signs, the smallest first, each once; made
    /// when first asked for.
    fractions: OnceCell<Vec<f64>>,
    /// How many sets of sizes there are among the data.
    sizes: usize,
}

/// Powers of quantities, by number, and what they are on each set of data.
struct Product {
    powers: Vec<(usize, f64)>,
    values: Vec<f64>,
}

impl Names {
    pub(crate) fn new(mut quantities: Vec<Quantity>, trials: usize) -> Names {
        let mut powers: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
        for (one, quantity) in quantities.iter().enumerate() {
            // The root of what is data is one of its square, and loses a sign that it has elsewhere.
            let is_data = quantity.kind == Kind::Scalar;
            let own = POWERS.into_iter().filter(|&power| !(is_data && power == 0.5));
            powers.extend(own.map(|power| vec![(one, power)]));
        }
        for one in 0..quantities.len() {
            for other in one + 1..quantities.len() {
                let is_data = [one, other].iter().any(|&one| quantities[one].kind == Kind::Scalar);
                for a in POWERS_OF_TWO {
                    // One scalar for another is no factor but something else altogether.
                    let others = POWERS_OF_TWO.iter().filter(|&&b| !is_data || a * b > 0.0);
                    powers.extend(others.map(|&b| vec![(one, a), (other, b)]));
                }
            }
        }
        let sizes: BTreeSet<Vec<u64>> = (0..trials).map(|trial| sizes_of(&quantities, trial)).collect();
        for size in 0..quantities.len() {
            let Quantity { source, kind: Kind::Size, values } = &quantities[size] else { continue };
            let at = source.span;
            let source = binary(at, BinaryOp::Sub, source.clone(), integer(at, 1));
            let values = values.iter().map(|size| size - 1.0).collect();
            let less = quantities.len();
            quantities.push(Quantity { source, kind: Kind::Size, values });
            powers.extend(POWERS_OF_ONE_LESS.map(|(of_less, own)| match own {
                0.0 => vec![(less, of_less)],
                _ => vec![(less, of_less), (size, own)],
            }));
        }
        let value = |powers: &[(usize, f64)], trial: usize| {
            powers.iter().map(|&(one, power)| quantities[one].values[trial].powf(power)).product()
        };
        let products = powers.into_iter().map(|powers| {
            let values = (0..trials).map(|trial| value(&powers, trial)).collect();
            Product { powers, values }
        });
        let products: Vec<Product> = products.collect();
        Names { products, quantities, fractions: OnceCell::new(), sizes: sizes.len() }
    }

    /// The simplest factor that has these values, one for each set of data.
    pub(crate) fn factor(&self, values: &[f64]) -> Option<Factor> {
        self.factors(values, CLOSE).into_iter().next()
    }

    /// The simplest factors that have these values, which may be so far off, relatively: several where none is simpler than the others,
    /// and none where such a factor fits any number.
    fn factors(&self, values: &[f64], close: f64) -> Vec<Factor> {
        let candidates = self.products.iter().filter_map(|product| {
            let (negative, numerator, denominator) = fraction(values, &product.values, close)?;
            Some(self.named(product, negative, numerator as f64, denominator as f64))
        });
        // Of `N * M` and `D^2` the former is the likelier, and what only chance makes equal to one is no factor.
        let is_one = values.iter().all(|value| (value - 1.0).abs() <= close);
        let candidates: Vec<Factor> = candidates.filter(|factor| !is_one || factor.is_sign()).collect();
        let best =
            candidates.iter().map(Factor::rank).min().filter(|best| self.is_told(values, close, *best));
        match best {
            Some(best) => candidates.into_iter().filter(|factor| factor.rank() == best).collect(),
            None => written(values, close).into_iter().collect(),
        }
    }

    /// A product of quantities with a fraction before it.
    fn named(&self, product: &Product, negative: bool, numerator: f64, denominator: f64) -> Factor {
        let of_sign = |sign: f64| -> Vec<Power> {
            let of_sign = product.powers.iter().filter(|(_, power)| power * sign > 0.0);
            let power = |&(one, power): &(usize, f64)| {
                let Quantity { source, kind, .. } = &self.quantities[one];
                Power { source: source.clone(), kind: *kind, power: power.abs() }
            };
            of_sign.map(power).collect()
        };
        let (above, below) = (of_sign(1.0), of_sign(-1.0));
        Factor { negative, numerator, denominator, above, below }
    }

    /// Do values tell a factor of this rank, which is one of those that fit, from chance? So many factors of this rank or a better one
    /// are expected to be as near to any number like these; those that fit on data of several sizes fit several numbers.
    fn is_told(&self, values: &[f64], close: f64, rank: Rank) -> bool {
        let Some(&value) = values.first() else { return false };
        let mut near: Vec<f64> = Vec::new();
        for product in &self.products {
            let Some(&of_product) = product.values.first() else { continue };
            for &(numerator, denominator) in fractions() {
                let is = (numerator / denominator * of_product).abs();
                // Within a factor of two on either side.
                if is >= value.abs() / 2.0
                    && is <= value.abs() * 2.0
                    && self.named(product, false, numerator, denominator).rank() <= rank
                {
                    near.push(is);
                }
            }
        }
        near.sort_by(f64::total_cmp);
        near.dedup_by(|one, other| (*one - *other).abs() <= CLOSE * *other);
        let share = (close / std::f64::consts::LN_2).powi(self.sizes.max(1) as i32);
        near.len() as f64 * share <= CHANCE
    }

    /// Is a number one small number, one size or one scalar, or one over it, as far as the data tell that come first?
    pub(crate) fn is_single(&self, value: f64) -> bool {
        self.products.iter().any(|product| {
            let single = match product.powers.as_slice() {
                [] => USUAL as f64,
                [(_, power)] if power.abs() == 1.0 => 1.0,
                _ => return false,
            };
            let found = product.values.first().and_then(|&first| fraction(&[value], &[first], CLOSE));
            found.is_some_and(|(_, above, below)| above.min(below) == 1 && above.max(below) as f64 <= single)
        })
    }

    /// May a number be a factor, as far as the data tell that come first?
    pub(crate) fn may_be(&self, value: f64) -> bool {
        let fractions = self.fractions.get_or_init(|| self.fractions());
        let from = fractions.partition_point(|&fraction| fraction < value.abs() * (1.0 - CLOSE));
        fractions.get(from).is_some_and(|&fraction| fraction <= value.abs() * (1.0 + CLOSE))
    }

    fn fractions(&self) -> Vec<f64> {
        let firsts = self.products.iter().filter_map(|product| product.values.first());
        let mut magnitudes: Vec<f64> = firsts.map(|first| first.abs()).collect();
        magnitudes.sort_by(f64::total_cmp);
        magnitudes.dedup();
        let all = fractions().iter().map(|(above, below)| above / below);
        let mut all: Vec<f64> = all.flat_map(|part| magnitudes.iter().map(move |size| size * part)).collect();
        all.sort_unstable_by(f64::total_cmp);
        all.dedup();
        all
    }
}

/// The sizes in a set of data, exactly.
fn sizes_of(quantities: &[Quantity], trial: usize) -> Vec<u64> {
    let sizes = quantities.iter().filter(|quantity| quantity.kind == Kind::Size);
    sizes.map(|size| size.values[trial].to_bits()).collect()
}

/// A number that has no other name, the same on all data, or one over it, as one writes it: in few digits, where it is known so
/// precisely that not every number has so few.
fn written(values: &[f64], close: f64) -> Option<Factor> {
    let &value = values.first().filter(|value| value.is_finite() && **value != 0.0)?;
    if values.iter().any(|other| (other - value).abs() > close * value.abs()) {
        return None;
    }
    let (numerator, denominator) = (1..=MOST_DIGITS).find_map(|digits| {
        // Numbers of so many digits lie as near to one another as one part in this.
        let chance = 2.0 * close * 10f64.powi(digits);
        if chance > CHANCE {
            return None;
        }
        let near = |number: f64| {
            rounded(number, digits).filter(|rounded| (rounded - number).abs() <= close * number)
        };
        let above = near(value.abs()).map(|number| (number, 1.0));
        above.or_else(|| near(1.0 / value.abs()).map(|number| (1.0, number)))
    })?;
    let negative = value < 0.0;
    Some(Factor { negative, numerator, denominator, above: Vec::new(), below: Vec::new() })
}

/// A number in so many digits.
fn rounded(number: f64, digits: i32) -> Option<f64> {
    format!("{number:.0$e}", digits as usize - 1).parse().ok()
}

/// The fractions of small numbers, each once.
fn fractions() -> &'static [(f64, f64)] {
    static FRACTIONS: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    FRACTIONS.get_or_init(|| {
        let all =
            (1..=LARGEST).flat_map(|above| (1..=LARGEST).map(move |below| (above as f64, below as f64)));
        let mut all: Vec<(f64, f64)> = all.collect();
        all.sort_by(|(a, b), (c, d)| (a / b).total_cmp(&(c / d)).then(a.total_cmp(c)));
        all.dedup_by(|(a, b), (c, d)| *a / *b == *c / *d);
        all
    })
}

/// How unlikely a factor is, the likeliest first.
type Rank = (bool, (usize, usize));

/// Is it a number that comes from powers and products?
pub(crate) fn is_usual(number: f64) -> bool {
    number.fract() == 0.0 && number <= USUAL as f64
}

impl Factor {
    /// The simplest factor that has these values, one for each set of data.
    pub(crate) fn named(values: &[f64], quantities: &[Quantity]) -> Option<Factor> {
        Factor::all_within(values, quantities, CLOSE).into_iter().next()
    }

    /// The simplest factors that have these values, which may be so far off, relatively.
    pub(crate) fn all_within(values: &[f64], quantities: &[Quantity], close: f64) -> Vec<Factor> {
        Names::new(quantities.to_vec(), values.len()).factors(values, close.max(CLOSE))
    }

    fn rank(&self) -> Rank {
        (!self.is_likely(), self.length())
    }

    /// How much there is to write. Of a number and a size that is equal to it the size is the shorter one: it says where the
    /// factor comes from.
    pub(crate) fn length(&self) -> (usize, usize) {
        let powers = self.above.iter().chain(&self.below);
        let names: usize = powers.map(Power::length).sum();
        // A number that nobody puts in front of a gradient is a size more often, or a product of sizes.
        let numbers: usize = self.numbers().iter().map(|&number| if is_usual(number) { 1 } else { 3 }).sum();
        (numbers + names, self.numbers().len())
    }

    /// The same without its sign.
    pub(crate) fn magnitude(&self) -> Factor {
        Factor { negative: false, ..self.clone() }
    }

    /// Is it nothing but a sign?
    pub(crate) fn is_sign(&self) -> bool {
        self.is_number() && (self.numerator, self.denominator) == (1.0, 1.0)
    }

    /// One over it.
    pub(crate) fn inverse(&self) -> Factor {
        Factor {
            negative: self.negative,
            numerator: self.denominator,
            denominator: self.numerator,
            above: self.below.clone(),
            below: self.above.clone(),
        }
    }

    /// Is it one that was put in, rather than the inverse of one that was forgotten? Numbers are multiplied by, and all else stands
    /// where derivatives have it.
    pub(crate) fn is_extra(&self) -> bool {
        match self.is_number() {
            true => self.value().abs() > 1.0,
            false => {
                self.above.iter().all(|power| power.is_in_place(false))
                    && self.below.iter().all(|power| power.is_in_place(true))
            }
        }
    }

    /// Is it a number, without sizes and scalars?
    pub(crate) fn is_number(&self) -> bool {
        self.above.is_empty() && self.below.is_empty()
    }

    /// Is it a number that one puts in front of a gradient, or below it?
    pub(crate) fn is_usual(&self) -> bool {
        self.is_number() && self.numbers().into_iter().all(is_usual)
    }

    /// Is it one that is forgotten, or put in, by mistake: `2 / (N * M)`, `sqrt(d)`, or the inverse of such? Small numbers stand on
    /// one side of the line, and no more than two sizes or scalars on the other.
    pub(crate) fn is_likely(&self) -> bool {
        let is_plain = |powers: &[Power]| {
            powers.len() <= 2 && powers.iter().all(|power| [1.0, 0.5].contains(&power.power))
        };
        let is_side = |number: f64, other: f64, powers: &[Power]| {
            is_usual(number) && (other == 1.0 || powers.is_empty()) && is_plain(powers)
        };
        let sizes_below = self.above.is_empty() && is_side(self.numerator, self.denominator, &self.below);
        let sizes_above = self.below.is_empty() && is_side(self.denominator, self.numerator, &self.above);
        self.numbers().into_iter().all(is_usual) && (sizes_below || sizes_above)
    }

    /// The digits of a number that has no other name.
    pub(crate) fn digits(&self) -> u32 {
        let fractions =
            self.numbers().into_iter().filter(|number| number.fract() != 0.0 || *number > LARGEST as f64);
        let digits = |number: f64| {
            (1..=MOST_DIGITS).find(|&digits| rounded(number, digits) == Some(number)).unwrap_or(MOST_DIGITS)
        };
        fractions.map(digits).sum::<i32>() as u32
    }

    /// Its value, where it is a number.
    pub(crate) fn value(&self) -> f64 {
        let magnitude = self.numerator / self.denominator;
        if self.negative { -magnitude } else { magnitude }
    }

    fn numbers(&self) -> Vec<f64> {
        [self.numerator, self.denominator].into_iter().filter(|&part| part != 1.0).collect()
    }

    /// As an expression: `1 / (N * M)`.
    pub(crate) fn expr(&self, at: Span) -> Expr {
        let above = product(self.parts_above(at)).unwrap_or_else(|| integer(at, 1));
        let whole = match product(self.parts_below(at)) {
            Some(below) => binary(at, BinaryOp::Div, above, below),
            None => above,
        };
        if self.negative { negated(&whole) } else { whole }
    }

    fn parts_above(&self, at: Span) -> Vec<Expr> {
        parts(self.numerator, &self.above, at)
    }

    fn parts_below(&self, at: Span) -> Vec<Expr> {
        parts(self.denominator, &self.below, at)
    }

    /// The expression times this factor, with the factor where one would write it; and the part that was written
    /// differently, where it is a smaller one.
    pub(crate) fn times(&self, expr: &Expr) -> (Expr, Option<(Span, Expr)>) {
        let at = expr.span;
        if self.is_number()
            && let Some(changed) = self.in_literal(expr)
        {
            return changed;
        }
        if let Some(changed) = self.as_root(expr).or_else(|| self.exchanged(expr)) {
            return changed;
        }
        let mut whole = expr.clone();
        let mut place = None;
        if let Some(below) = product(self.parts_below(at)) {
            whole = match &expr.kind {
                ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => {
                    let divisor = taken_in(right, &below)
                        .unwrap_or_else(|| binary(right.span, BinaryOp::Mul, (**right).clone(), below));
                    place = Some((right.span, divisor.clone()));
                    binary(at, BinaryOp::Div, (**left).clone(), divisor)
                }
                _ => binary(at, BinaryOp::Div, whole, below),
            };
        }
        if let Some(above) = product(self.parts_above(at)) {
            whole = taken_in(&whole, &above).unwrap_or_else(|| {
                in_front(&whole, &|first| binary(first.span, BinaryOp::Mul, above.clone(), first.clone()))
            });
            place = None;
        }
        if self.negative {
            whole = in_front(&whole, &negated);
            place = None;
        }
        (whole, place)
    }

    /// `x / N` times N/M is `x / M`, and `N * x` times M/N is `M * x`: one takes the place of the other.
    fn exchanged(&self, expr: &Expr) -> Option<(Expr, Option<(Span, Expr)>)> {
        let at = expr.span;
        let (mut above, mut below) = (self.parts_above(at), self.parts_below(at));
        if above.is_empty() || below.is_empty() {
            return None;
        }
        // What a size stands for is no plain number.
        let find = |parts: &[Expr], with: &Expr, divides: bool| {
            let mut parts = parts.iter().enumerate().filter(|_| number(with).is_none());
            parts.find_map(|(at, part)| Some((at, exchanged(expr, part, with, divides)?)))
        };
        let (divisor, factor) = (product(below.clone())?, product(above.clone())?);
        let (mut whole, place, removed) = match find(&above, &divisor, true) {
            Some((at, (whole, span))) => {
                below.clear();
                (whole, (span, divisor), above.remove(at))
            }
            None => {
                let (at, (whole, span)) = find(&below, &factor, false)?;
                above.clear();
                (whole, (span, factor), below.remove(at))
            }
        };
        // That one size is taken for another is a slip of the pen; for a number it is a factor that is missing.
        let alone = above.is_empty() && below.is_empty() && !self.negative && number(&removed).is_none();
        if let Some(below) = product(below) {
            whole = binary(at, BinaryOp::Div, whole, below);
        }
        if let Some(above) = product(above) {
            whole =
                in_front(&whole, &|first| binary(first.span, BinaryOp::Mul, above.clone(), first.clone()));
        }
        if self.negative {
            whole = in_front(&whole, &negated);
        }
        Some((whole, alone.then_some(place)))
    }

    /// `x / d` times √d is `x / sqrt(d)`.
    fn as_root(&self, expr: &Expr) -> Option<(Expr, Option<(Span, Expr)>)> {
        let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
        let [Power { source, power: 0.5, .. }] = self.above.as_slice() else { return None };
        let alone = self.below.is_empty() && self.numbers().is_empty() && !self.negative;
        (alone && operator.kind == BinaryOp::Div && **right == *source).then(|| {
            let root = call(right.span, "sqrt", vec![source.clone()], Vec::new());
            let whole = binary(expr.span, BinaryOp::Div, (**left).clone(), root.clone());
            (whole, Some((right.span, root)))
        })
    }

    /// `3 * b` times 2/3 is `2 * b`: the number in front of a product, or below it, takes up a factor that is a number.
    fn in_literal(&self, expr: &Expr) -> Option<(Expr, Option<(Span, Expr)>)> {
        let taken_up = |literal: &Expr, factor: f64| {
            let value = number(literal)? * factor;
            // 1.3333333333333333 is nothing that one writes.
            let is_short = (value * 1e4).fract() == 0.0;
            // 1 is written by nothing, and that is another mistake: a factor too many.
            (value > 0.0 && value != 1.0 && is_short).then(|| {
                let integer = value.fract() == 0.0;
                Expr::new(literal.span, ExprKind::Number { value, integer })
            })
        };
        match &expr.kind {
            ExprKind::Number { .. } => {
                let with = taken_up(expr, self.value())?;
                Some((with.clone(), Some((expr.span, with))))
            }
            ExprKind::Binary { operator, left, right } => {
                let rebuilt = |left: Expr, right: Expr| binary(expr.span, operator.kind, left, right);
                // A divisor that becomes 1 is one too many, which is another mistake.
                if operator.kind == BinaryOp::Div && number(right) == Some(self.value()) {
                    return None;
                }
                let is_whole = |with: &Expr| number(with).is_some_and(|value| value.fract() == 0.0);
                let above = matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul)
                    .then(|| self.in_literal(left))
                    .flatten();
                // `2 * x / 4` times 1/4 is `2 * x / 16` rather than `0.5 * x / 4`.
                let above_is_whole = above
                    .as_ref()
                    .is_some_and(|(_, place)| place.as_ref().is_some_and(|(_, part)| is_whole(part)));
                if operator.kind == BinaryOp::Div
                    && !above_is_whole
                    && let Some(with) = taken_up(right, 1.0 / self.value()).filter(is_whole)
                {
                    return Some((rebuilt((**left).clone(), with.clone()), Some((right.span, with))));
                }
                above.map(|(with, place)| (rebuilt(with, (**right).clone()), place))
            }
            _ => None,
        }
    }
}

/// A product that holds a factor, with that factor once more: `3 * x` and `x` make `3 * x^2`.
pub(crate) fn taken_in(expr: &Expr, factor: &Expr) -> Option<Expr> {
    let power = |base: &Expr, exponent: usize| {
        binary(expr.span, BinaryOp::Pow, base.clone(), integer(expr.span, exponent))
    };
    if expr == factor && number(factor).is_none() {
        return Some(power(expr, 2));
    }
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    match (operator.kind, number(right)) {
        (BinaryOp::Pow, Some(exponent)) if **left == *factor && (2.0..9.0).contains(&exponent) => {
            (exponent.fract() == 0.0).then(|| power(left, exponent as usize + 1))
        }
        (BinaryOp::Mul, _) => match taken_in(right, factor) {
            Some(right) => Some(binary(expr.span, BinaryOp::Mul, (**left).clone(), right)),
            None => Some(binary(expr.span, BinaryOp::Mul, taken_in(left, factor)?, (**right).clone())),
        },
        (BinaryOp::Div, _) => {
            Some(binary(expr.span, BinaryOp::Div, taken_in(left, factor)?, (**right).clone()))
        }
        _ => None,
    }
}

/// A product in which another factor, or another divisor, stands in the place of one; and where that is.
fn exchanged(expr: &Expr, part: &Expr, with: &Expr, divides: bool) -> Option<(Expr, Span)> {
    if !divides && expr == part {
        return Some((with.clone(), expr.span));
    }
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    let rebuilt = |left: Expr, right: Expr| binary(expr.span, operator.kind, left, right);
    let of_right = match operator.kind {
        BinaryOp::Mul => exchanged(right, part, with, divides),
        BinaryOp::Div if divides => exchanged(right, part, with, false),
        BinaryOp::Div => None,
        _ => return None,
    };
    match of_right {
        Some((right, span)) => Some((rebuilt((**left).clone(), right), span)),
        None => {
            let (left, span) = exchanged(left, part, with, divides)?;
            Some((rebuilt(left, (**right).clone()), span))
        }
    }
}

/// A product with its first factor changed: a number in front of it multiplies the whole.
pub(crate) fn in_front(expr: &Expr, change: &dyn Fn(&Expr) -> Expr) -> Expr {
    match &expr.kind {
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul) =>
        {
            binary(expr.span, operator.kind, in_front(left, change), (**right).clone())
        }
        _ => change(expr),
    }
}

/// The fraction that the values are once the sizes are taken out, the same for all data.
fn fraction(values: &[f64], products: &[f64], close: f64) -> Option<(bool, usize, usize)> {
    let rest = |at: usize| values[at] / products[at];
    let first = rest(0);
    if first == 0.0 || !first.is_finite() {
        return None;
    }
    if !(1..values.len()).all(|at| (rest(at) - first).abs() <= close * first.abs()) {
        return None;
    }
    let magnitude = first.abs();
    // Most are no fraction of small numbers at all.
    let most = LARGEST as f64 + 0.5;
    if magnitude > most || magnitude * most < 1.0 {
        return None;
    }
    (1..=LARGEST).find_map(|denominator| {
        // The nearest whole number: below 2^16, so that the cast is exact.
        let numerator = f64::from((magnitude * denominator as f64 + 0.5) as u16);
        let fits = (magnitude * denominator as f64 - numerator).abs() <= close * numerator;
        (fits && (1.0..=LARGEST as f64).contains(&numerator)).then_some((
            first < 0.0,
            numerator as usize,
            denominator,
        ))
    })
}

fn parts(value: f64, powers: &[Power], at: Span) -> Vec<Expr> {
    let mut parts: Vec<Expr> = if value == 1.0 { Vec::new() } else { vec![make::number(at, value)] };
    parts.extend(powers.iter().map(|Power { source, power, .. }| match *power {
        2.0 | 3.0 => binary(at, BinaryOp::Pow, source.clone(), integer(at, *power as usize)),
        0.5 => call(at, "sqrt", vec![source.clone()], Vec::new()),
        _ => source.clone(),
    }));
    parts
}

fn product(parts: Vec<Expr>) -> Option<Expr> {
    parts.into_iter().reduce(|a, b| binary(a.span, BinaryOp::Mul, a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_lang::{parse_expr, print};

    fn dims() -> Vec<Quantity> {
        let quantity = |name: &str, values: [f64; 2]| {
            let source = parse_expr(name).expect("it parses").expr;
            let kind = if name == "u" { Kind::Scalar } else { Kind::Size };
            Quantity { source, kind, values: values.to_vec() }
        };
        vec![quantity("N", [3.0, 5.0]), quantity("M", [7.0, 2.0]), quantity("u", [0.37, 1.93])]
    }

    #[track_caller]
    fn check(values: &[f64], expr: &str, expected: Option<&str>) {
        let expr = parse_expr(expr).expect("it parses").expr;
        let found =
            Names::new(dims(), values.len()).factor(values).map(|factor| print(&factor.times(&expr).0));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_factor_is_written_where_one_would_write_it() {
        check(&[1.0 / 7.0, 0.5], "2 * (Z - T) / N", Some("2 * (Z - T) / (N * M)"));
        check(&[0.5, 0.5], "4 * x", Some("2 * x"));
        check(&[2.0 / 3.0, 2.0 / 3.0], "3 * b @ c", Some("2 * b @ c"));
        check(&[2.0 / 3.0, 2.0 / 3.0], "2 * x / 2", Some("2 * x / 3"));
        check(&[2.0 / 3.0, 2.0 / 3.0], "2 * x", Some("2 * 2 * x / 3"));
        check(&[0.25, 0.25], "2 * x / 4", Some("2 * x / 16"));
        check(&[2.0, 2.0], "2 * x / 4", Some("4 * x / 4"));
        check(&[0.5, 0.5], "x / 2", Some("x / 4"));
        check(&[0.5, 0.5], "x @ y", Some("x @ y / 2"));
        check(&[2.0 / 21.0, 0.2], "x", Some("2 * x / (N * M)"));
        check(&[-1.0, -1.0], "x @ y", Some("-x @ y"));
        check(&[3.0f64.sqrt(), 5.0f64.sqrt()], "x", Some("sqrt(N) * x"));
        check(&[9.0, 25.0], "x", Some("N^2 * x"));
        check(&[1.0 / (7.0 * 0.37 * 0.37), 1.0 / (2.0 * 1.93 * 1.93)], "x", Some("x / (M * u^2)"));
        check(&[0.37, 1.93], "3 * u^2", Some("3 * u^3"));
        check(&[1.0 / 0.37, 1.0 / 1.93], "x / u", Some("x / u^2"));
        check(&[3.0f64.sqrt(), 5.0f64.sqrt()], "x / N", Some("x / sqrt(N)"));
        check(&[3.0 / 7.0, 2.5], "x / N", Some("x / M"));
        check(&[7.0 / 3.0, 0.4], "2 * x * N", Some("2 * x * M"));
        check(&[1.0, 5.0 / 3.0], "3 * x", Some("N * x"));
        check(&[2.0 / 3.0, 4.0 / 5.0], "2 * x / (N - 1)", Some("2 * x / N"));
        check(&[3.0 / 2.0, 5.0 / 4.0], "2 * x / N", Some("2 * x / (N - 1)"));
        check(&[1.0 / 2.0, 1.0 / 4.0], "x @ y", Some("x @ y / (N - 1)"));
        check(&[-2.0 / 3.0, -4.0 / 5.0], "x / (N - 1)", Some("-x / N"));
        check(&[0.37 / 3.0, 1.93 / 5.0], "x", None);
        check(&[0.1234, 0.1234], "x", None);
        check(&[0.5, 0.29], "x", None);
    }
}
