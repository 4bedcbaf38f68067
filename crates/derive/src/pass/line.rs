//! The lines of a derivation, as trees: sums of products with indices, and expressions of the language.

use std::collections::{HashMap, HashSet};

use pullback_lang::{Expr, ExprKind, parse_expr, print};
use pullback_network::{Coef, Dim, Label, Map, Operator, Written, written_sum};
use pullback_ops::{Factor, Term, Val};

use crate::notation::{ENTRYWISE, Math, Ranks, entry_of_expr, entry_of_expr_with, of_expr};

/// One line: what is said to be equal, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is about.
    pub left: Left,
    /// What that is.
    pub right: Right,
    /// Why it follows.
    pub why: String,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// The same as the line before.
    Same,
    /// An entry of a value, or of a cotangent; a whole scalar.
    Entry(Expr, Vec<String>),
    /// An entry of a Jacobian.
    Slope(Slope),
    /// A value as a whole.
    Whole(Expr),
    /// A sum of its own, for all values of the letters that are free in it.
    Sum {
        /// Its products.
        of: Vec<Product>,
        /// Letters that it is not summed over, each with its size.
        free: Vec<(String, Dim)>,
    },
    /// The slope of a function of one number, `tanh′(z)`.
    Rule {
        /// The function of the letter.
        call: Expr,
        /// The letter.
        letter: String,
        /// What the letter stands for where the rule is used.
        at: Expr,
    },
}

/// The entry of a Jacobian of one value by another, with all other values that have names held.
#[derive(Clone, Debug, PartialEq)]
pub struct Slope {
    /// What is differentiated, and the indices of its entry.
    pub of: (String, Vec<String>),
    /// By what.
    pub by: (String, Vec<String>),
}

/// What it is equal to.
#[derive(Clone, Debug, PartialEq)]
pub enum Right {
    /// A sum of products; zero without any.
    Products(Vec<Product>),
    /// An expression of the language.
    Whole(Expr),
}

/// One product, and what it is summed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The number in front.
    pub coef: Coef,
    /// The letters that are summed over, each to its size.
    pub over: Vec<(String, Dim)>,
    /// What is multiplied.
    pub factors: Vec<Entry>,
}

/// A factor.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// 1 where two letters are equal, else 0.
    Delta(String, String),
    /// An entry of an expression. An axis that is stretched has no letter.
    Of(Expr, Vec<Option<String>>),
    /// An entry of an expression in which names stand for sums of products.
    Within(Within),
    /// An entry of a Jacobian.
    Slope(Slope),
    /// 1 where a sum of letters, each times a whole number, and a number is zero, else 0; the letters count from 0.
    Affine(Vec<(i64, String)>, i64),
    /// 1 where a letter is the entry of a table of integers, else 0.
    Listed(Vec<(i64, String)>, i64, String, Vec<String>),
}

/// An entry of an expression that has sums in it: `tanh(Σ_k X_ik W_kj)`. Each sum has a name there, which only the tree knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Within {
    /// The expression, by the names of its sums.
    pub of: Expr,
    /// Its indices. An axis that is stretched has no letter.
    pub at: Vec<Option<String>>,
    /// What the names stand for.
    pub sums: Vec<Inner>,
}

/// A sum of products in an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Inner {
    /// What it is called in the expression.
    pub name: String,
    /// The indices of its axes.
    pub at: Vec<String>,
    /// The sum.
    pub products: Vec<Product>,
}

impl Line {
    /// Both sides in notation; where it goes on from the line before it has no left one.
    pub fn sides(&self, ranks: &Ranks<'_>) -> (Option<Math>, Math) {
        // What a rule is about is one number.
        let of_rule = |name: &str| match &self.left {
            Left::Rule { letter, .. } if letter == name => Some(Vec::new()),
            _ => ranks(name),
        };
        let ranks: &Ranks<'_> = &of_rule;
        let right = match &self.right {
            Right::Products(products) => sum_of(products, ranks),
            Right::Whole(expr) => of_expr(expr, ranks),
        };
        let left = match &self.left {
            Left::Same => return (None, right),
            Left::Entry(of, at) => of_expr(of, ranks).indexed(at),
            Left::Whole(of) => of_expr(of, ranks),
            Left::Slope(slope) => slope.math(),
            Left::Sum { of, .. } => sum_of(of, ranks),
            Left::Rule { call, .. } => derivative(of_expr(call, ranks)),
        };
        (Some(left), right)
    }

    /// Is it one product without a sum, about one entry?
    pub(super) fn is_single(&self) -> bool {
        matches!(&self.right, Right::Products(products) if matches!(&products[..], [only] if only.over.is_empty()))
    }

    /// Does it have an equation between places, `[6k + l = 4i + j]`, whose numbers are those of these sizes?
    pub fn has_places(&self) -> bool {
        let Right::Products(products) = &self.right else { return false };
        let factors = products.iter().flat_map(|product| &product.factors);
        factors.into_iter().any(|factor| matches!(factor, Entry::Affine(..) | Entry::Listed(..)))
    }

    /// Is there a δ in it?
    pub fn has_delta(&self) -> bool {
        let of = |products: &[Product]| products.iter().any(Product::has_delta);
        let left = match &self.left {
            Left::Sum { of: products, .. } => of(products),
            _ => false,
        };
        left || matches!(&self.right, Right::Products(products) if of(products))
    }

    /// Is anything in it multiplied entry by entry, with a sign for that?
    pub fn is_entrywise(&self, ranks: &Ranks<'_>) -> bool {
        let (left, right) = self.sides(ranks);
        left.into_iter().chain([right]).any(|side| side.has(&Math::Operator(ENTRYWISE)))
    }

    /// The line as text: `∂L/∂X = ∂L/∂Z Wᵀ`.
    pub fn text(&self, ranks: &Ranks<'_>) -> String {
        let (left, right) = self.sides(ranks);
        format!("{} {}", left.map_or("=".to_owned(), |left| left.text() + " ="), right.text())
    }
}

/// The derivative of a function of one number: `tanh′(z)`, `(√z)′`.
fn derivative(call: Math) -> Math {
    match call {
        Math::Call(function, arguments) => {
            Math::Call(Box::new(Math::Row(vec![*function, Math::Sign("′")])), arguments)
        }
        other => Math::Row(vec![Math::Bracketed(Box::new(other)), Math::Sign("′")]),
    }
}

impl Right {
    /// Tells the expressions that it is made of.
    pub(super) fn expressions(&self, tell: &mut dyn FnMut(&Expr)) {
        match self {
            Right::Whole(expr) => tell(expr),
            Right::Products(products) => products.iter().for_each(|product| product.expressions(tell)),
        }
    }
}

impl Product {
    fn has_delta(&self) -> bool {
        self.factors.iter().any(|factor| match factor {
            Entry::Delta(..) => true,
            Entry::Within(within) => within.sums.iter().flat_map(|sum| &sum.products).any(Product::has_delta),
            _ => false,
        })
    }

    /// Tells the expressions that it is made of.
    pub(super) fn expressions(&self, tell: &mut dyn FnMut(&Expr)) {
        for factor in &self.factors {
            match factor {
                Entry::Of(expr, _) => tell(expr),
                Entry::Within(within) => {
                    tell(&within.of);
                    within.sums.iter().flat_map(|sum| &sum.products).for_each(|own| own.expressions(tell));
                }
                _ => {}
            }
        }
    }

    /// All letters in it.
    pub(super) fn letters(&self) -> Vec<String> {
        let mut letters: Vec<String> = self.over.iter().map(|(letter, _)| letter.clone()).collect();
        for factor in &self.factors {
            match factor {
                Entry::Of(_, at) | Entry::Within(Within { at, .. }) => {
                    letters.extend(at.iter().flatten().cloned())
                }
                Entry::Delta(a, b) => letters.extend([a.clone(), b.clone()]),
                Entry::Slope(slope) => letters.extend(slope.of.1.iter().chain(&slope.by.1).cloned()),
                Entry::Affine(linear, _) => letters.extend(linear.iter().map(|(_, letter)| letter.clone())),
                Entry::Listed(linear, _, _, at) => {
                    letters.extend(linear.iter().map(|(_, letter)| letter.clone()).chain(at.iter().cloned()))
                }
            }
        }
        letters
    }

    /// What its sums are over, without what stands before them.
    pub(super) fn summed(&self) -> Product {
        let is_summed = |factor: &&Entry| match factor {
            Entry::Of(_, at) => {
                at.iter().flatten().any(|letter| self.over.iter().any(|(own, _)| own == letter))
            }
            _ => true,
        };
        let factors = self.factors.iter().filter(is_summed).cloned().collect();
        Product { coef: Coef::one(), over: self.over.clone(), factors }
    }
}

impl Slope {
    fn math(&self) -> Math {
        let side = |(name, at): &(String, Vec<String>)| Math::named(name).indexed(at);
        Math::slope(side(&self.of), side(&self.by))
    }
}

fn sum_of(products: &[Product], ranks: &Ranks<'_>) -> Math {
    if products.is_empty() {
        return Math::Number("0".into());
    }
    let mut parts = Vec::new();
    for (place, product) in products.iter().enumerate() {
        let negative = product.coef.is_negative();
        match (place, negative) {
            (0, true) => parts.push(Math::Sign("−")),
            (0, false) => {}
            (_, true) => parts.push(Math::Operator("−")),
            (_, false) => parts.push(Math::Operator("+")),
        }
        parts.push(product.math(ranks));
    }
    if let [only] = parts.as_slice() { only.clone() } else { Math::Row(parts) }
}

impl Product {
    fn math(&self, ranks: &Ranks<'_>) -> Math {
        let coef = self.coef.abs();
        let mut parts = Vec::new();
        if !coef.is_one() || (self.factors.is_empty() && self.over.is_empty()) {
            parts.push(number(&coef));
        }
        for (letter, dim) in &self.over {
            let to = dim
                .name()
                .map_or_else(|| Math::Number(dim.size().to_string()), |name| Math::word(name.as_str()));
            parts.push(Math::Sum(letter.clone(), Box::new(to)));
        }
        let alone = self.factors.len() == 1 && parts.is_empty();
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for factor in &self.factors {
            // What all is divided by stands below one bar.
            match factor.math(ranks) {
                math @ Math::Fraction(..) if math.is_slope() => above.push(math),
                Math::Fraction(over, under) => {
                    if *over != Math::Number("1".into()) {
                        above.push(*over);
                    }
                    below.push(*under);
                }
                math => above.push(math),
            }
        }
        let bracketed = |math: Math| {
            let is_sum = matches!(&math, Math::Row(parts) if parts.iter().any(|part| matches!(part, Math::Operator(_))) || parts.first() == Some(&Math::Sign("−")));
            if is_sum && !alone { Math::Bracketed(Box::new(math)) } else { math }
        };
        let product = |factors: Vec<Math>| match factors.len() {
            0 => Math::Number("1".into()),
            1 => factors[0].clone(),
            _ => Math::Product(factors.into_iter().map(bracketed).collect()),
        };
        match below.is_empty() {
            true => parts.extend(above.into_iter().map(bracketed)),
            false => parts.push(Math::Fraction(Box::new(product(above)), Box::new(product(below)))),
        }
        if let [only] = parts.as_slice() { only.clone() } else { Math::Product(parts) }
    }
}

impl Entry {
    fn math(&self, ranks: &Ranks<'_>) -> Math {
        match self {
            Entry::Delta(a, b) => Math::word("δ").indexed(&[a.clone(), b.clone()]),
            Entry::Of(expr, at) => {
                let at: Vec<String> =
                    at.iter().map(|letter| letter.clone().unwrap_or_else(|| ONLY.to_owned())).collect();
                entry_of_expr(expr, &at, ranks)
            }
            Entry::Within(Within { of, at, sums }) => {
                let at: Vec<String> =
                    at.iter().map(|letter| letter.clone().unwrap_or_else(|| ONLY.to_owned())).collect();
                let sum = |name: &str| {
                    let found = sums.iter().find(|sum| sum.name == name)?;
                    Some(sum_of(&found.products, ranks))
                };
                entry_of_expr_with(of, &at, ranks, &sum)
            }
            Entry::Slope(slope) => slope.math(),
            Entry::Affine(..) | Entry::Listed(..) => self.places(1),
        }
    }

    /// An equation between places, for letters that count from `first`: from 1 where sums say how far they go, and from 0, as in code,
    /// where they do not. (The entries of a table count from 0 as ever.)
    fn places(&self, first: i64) -> Math {
        let (Entry::Affine(linear, constant) | Entry::Listed(linear, constant, ..)) = self else {
            return self.math(&|_| None);
        };
        let constant = constant - first * linear.iter().map(|(coefficient, _)| coefficient).sum::<i64>();
        let rest = side(linear, -constant, -1);
        let right = match (self, &rest) {
            (Entry::Listed(_, _, table, at), Math::Number(zero)) if zero == "0" => {
                Math::word(table).indexed(at)
            }
            (Entry::Listed(_, _, table, at), _) => {
                Math::Row(vec![Math::word(table).indexed(at), Math::Operator("+"), rest])
            }
            _ => rest,
        };
        equation(side(linear, constant, 1), right)
    }
}

fn equation(left: Math, right: Math) -> Math {
    Math::Fenced("[", Box::new(Math::Row(vec![left, Math::Operator("="), right])), "]")
}

/// The terms of one sign of an affine equation.
fn side(linear: &[(i64, String)], constant: i64, sign: i64) -> Math {
    let mut parts = Vec::new();
    for (coefficient, letter) in linear.iter().filter(|(coefficient, _)| coefficient.signum() == sign) {
        if !parts.is_empty() {
            parts.push(Math::Operator("+"));
        }
        if coefficient.abs() != 1 {
            parts.push(Math::Number(coefficient.abs().to_string()));
        }
        parts.push(Math::word(letter));
    }
    if constant > 0 || parts.is_empty() {
        if !parts.is_empty() {
            parts.push(Math::Operator("+"));
        }
        parts.push(Math::Number(constant.max(0).to_string()));
    }
    if let [only] = parts.as_slice() { only.clone() } else { Math::Row(parts) }
}

/// A coefficient, as a fraction where it is one.
fn number(coef: &Coef) -> Math {
    let text = coef.collected().to_string();
    let row = |text: &str| {
        let mut parts = Vec::new();
        for part in text.split('·') {
            if !parts.is_empty() {
                parts.push(Math::Sign("·"));
            }
            parts.push(match part.split_once('^') {
                Some((base, power)) => {
                    Math::Super(Box::new(Math::word(base)), Box::new(Math::Number(power.to_owned())))
                }
                None if part.starts_with(|c: char| c.is_ascii_digit()) => Math::Number(part.to_owned()),
                // A size that a program computes of others: `(n - 1)`.
                None => match parse_expr(part) {
                    Ok(size) => of_expr(&size.expr, &|_| Some(Vec::new())),
                    Err(_) => Math::word(part),
                },
            });
        }
        if let [only] = parts.as_slice() { only.clone() } else { Math::Row(parts) }
    };
    match text.split_once('/') {
        Some((above, below)) => {
            let product = below.strip_prefix('(').and_then(|below| below.strip_suffix(')'));
            let below = product.filter(|_| below.contains('·')).unwrap_or(below);
            Math::Fraction(Box::new(row(above)), Box::new(row(below)))
        }
        None => row(&text),
    }
}

/// What is put in the place of expressions, and of slopes.
pub(super) struct Mapped<'a> {
    pub expr: &'a dyn Fn(&Expr) -> Expr,
    pub slope: &'a dyn Fn(&Slope) -> Slope,
}

impl Mapped<'_> {
    pub(super) fn line(&self, line: &Line) -> Line {
        Line {
            left: match &line.left {
                Left::Same => Left::Same,
                Left::Entry(of, at) => Left::Entry((self.expr)(of), at.clone()),
                Left::Slope(of) => Left::Slope((self.slope)(of)),
                Left::Whole(of) => Left::Whole((self.expr)(of)),
                Left::Sum { of, free } => Left::Sum { of: self.products(of), free: free.clone() },
                Left::Rule { call, letter, at } => {
                    Left::Rule { call: call.clone(), letter: letter.clone(), at: (self.expr)(at) }
                }
            },
            right: match &line.right {
                Right::Products(products) => Right::Products(self.products(products)),
                Right::Whole(of) => Right::Whole((self.expr)(of)),
            },
            why: line.why.clone(),
        }
    }

    fn products(&self, products: &[Product]) -> Vec<Product> {
        let factor = |factor: &Entry| match factor {
            Entry::Of(of, at) => Entry::Of((self.expr)(of), at.clone()),
            Entry::Within(within) => Entry::Within(Within {
                of: (self.expr)(&within.of),
                at: within.at.clone(),
                sums: within
                    .sums
                    .iter()
                    .map(|sum| Inner { products: self.products(&sum.products), ..sum.clone() })
                    .collect(),
            }),
            Entry::Slope(of) => Entry::Slope((self.slope)(of)),
            other => other.clone(),
        };
        let product = |product: &Product| Product {
            factors: product.factors.iter().map(factor).collect(),
            ..product.clone()
        };
        products.iter().map(product).collect()
    }
}

/// The only index of an axis of one entry.
pub(super) const ONLY: &str = "1";

/// Products as one line of plain text, `Σ_k X_ik W_kj`: values as the language writes them, with their indices behind.
pub(crate) fn plain(products: &[Product]) -> String {
    let written = products.iter().map(|product| {
        let factors = product.factors.iter().map(|factor| match factor {
            Entry::Of(expr, at) => {
                let at: Vec<String> =
                    at.iter().map(|letter| letter.clone().unwrap_or_else(|| "0".to_owned())).collect();
                let text = print(expr).replace(" - ", " − ").replace(" * ", " ⊙ ");
                let is_atom =
                    matches!(expr.kind, ExprKind::Name(_) | ExprKind::Call { .. } | ExprKind::Number { .. });
                pullback_network::indexed(&if is_atom { text } else { format!("({text})") }, &at)
            }
            other => other.places(0).text(),
        });
        Written {
            sums: product.over.iter().map(|(letter, _)| letter.clone()).collect(),
            coef: product.coef.clone(),
            factors: factors.collect(),
        }
    });
    written_sum(written.collect::<Vec<Written>>())
}

/// Letters for indices, of which none is a name of the program.
pub(crate) struct Alphabet {
    names: HashSet<String>,
}

impl Alphabet {
    pub(crate) fn without(names: HashSet<String>) -> Alphabet {
        Alphabet { names }
    }

    /// Letters for the axes of a value, as [`Alphabet::take`]; an axis of one entry that is there to be stretched has its only index.
    pub(super) fn of_axes(&self, wanted: &str, dims: &[Dim], taken: &[String]) -> Vec<String> {
        let mut letters = self.take(wanted, dims.len(), taken).into_iter();
        let letter =
            |dim: &Dim| if dim.is_single() { ONLY.to_owned() } else { letters.next().unwrap_or_default() };
        dims.iter().map(letter).collect()
    }

    /// The next letters that are free: those that are asked for first, as far as they are.
    pub(crate) fn take(&self, wanted: &str, count: usize, taken: &[String]) -> Vec<String> {
        let single = wanted.chars().chain("ijklmnpqrstuvwabcdefgho".chars()).map(String::from);
        let numbered = (1..).map(|k| format!("i{k}"));
        let mut found: Vec<String> = Vec::new();
        for letter in single.chain(numbered) {
            if found.len() == count {
                break;
            }
            if !self.names.contains(&letter) && !taken.contains(&letter) && !found.contains(&letter) {
                found.push(letter);
            }
        }
        found
    }
}

/// The letters of the labels of one line after another.
pub(crate) struct Lettering<'a> {
    pub alphabet: &'a Alphabet,
    /// What summed labels were called in a line before, and may be called again.
    pub known: HashMap<Label, String>,
    /// Letters that stand for something else around the product.
    pub taken: Vec<String>,
}

/// A term with its slots called by letters, and a cotangent in front; `None` where a value has no short form.
pub(crate) fn product(
    term: &Term,
    slots: &[String],
    lettering: &mut Lettering<'_>,
    written: &dyn Fn(&Val) -> Option<Expr>,
) -> Option<Product> {
    let mut own: HashMap<Label, String> = HashMap::new();
    let mut factors = Vec::new();
    for (&label, letter) in term.slots.iter().zip(slots) {
        match own.get(&label) {
            Some(first) if !label.dim().is_single() => {
                factors.push(Entry::Delta(first.clone(), letter.clone()))
            }
            Some(_) => {}
            None => {
                own.insert(label, letter.clone());
            }
        }
    }
    let mut over = Vec::new();
    for label in term.factors.iter().flat_map(Factor::labels) {
        if own.contains_key(&label) || label.dim().is_single() {
            continue;
        }
        let taken: Vec<String> = slots.iter().chain(own.values()).chain(&lettering.taken).cloned().collect();
        let letter = match lettering.known.get(&label) {
            Some(letter) if !taken.contains(letter) => letter.clone(),
            _ => lettering.alphabet.take("kl", 1, &taken).remove(0),
        };
        lettering.known.insert(label, letter.clone());
        own.insert(label, letter.clone());
        over.push((letter, label.dim()));
    }
    let letter = |label: &Label| own.get(label).cloned();
    let of_matrix = |operator: &Operator<Val>| {
        let (matrix, labels) = crate::code::of_operator(operator, written)?;
        Some(Entry::Of(matrix, labels.iter().map(letter).collect()))
    };
    for factor in &term.factors {
        factors.push(match factor {
            Factor::Dense(value, labels) => Entry::Of(written(value)?, labels.iter().map(letter).collect()),
            Factor::Operator(operator) => match &operator.map {
                // A selection by the integers of a name: what row of them says is the column.
                Map::Selection(index) => {
                    match (&operator.columns[..], &operator.batch[..], written(index)?.kind) {
                        ([column], [], ExprKind::Name(name)) => {
                            let at: Vec<String> = operator.rows.iter().map(letter).collect::<Option<_>>()?;
                            Entry::Listed(vec![(1, letter(column)?)], 0, name, at)
                        }
                        _ => of_matrix(operator)?,
                    }
                }
                _ => of_matrix(operator)?,
            },
            Factor::Relation(relation) => {
                let called = |linear: &[(i64, Label)]| -> Option<Vec<(i64, String)>> {
                    linear.iter().map(|(coefficient, label)| Some((*coefficient, letter(label)?))).collect()
                };
                let (linear, constant) = relation.left();
                match relation.right() {
                    None => Entry::Affine(called(linear)?, constant),
                    Some((table, labels)) => {
                        let name = table.symbol();
                        let at: Vec<String> = labels.iter().map(letter).collect::<Option<_>>()?;
                        Entry::Listed(called(linear)?, constant, name, at)
                    }
                }
            }
        });
    }
    Some(Product { coef: term.coef.clone(), over, factors })
}

/// The names in expressions.
pub(crate) fn names_of(values: &[Val]) -> HashSet<String> {
    let mut names = HashSet::new();
    for value in values {
        names.extend(value.dims().iter().filter_map(|dim| dim.name()).map(|name| name.as_str().to_owned()));
        if let Some(name) = value.name() {
            names.extend(name.as_str().split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        }
    }
    names
}

/// Is it a name or a reference, and nothing that is computed?
pub(super) fn is_name(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Name(_) | ExprKind::ClaimRef { .. } | ExprKind::Number { .. })
}
