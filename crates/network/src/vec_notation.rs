//! A network as a matrix `[|y|, |x|]` in matrix notation, with both sides in row-major vec, `I_N ⊗ Wᵀ`, or in column-major vec, `W ⊗ I_N`.
//!
//! Each component of a term is a matrix, a column or a row of its own, and the term is their Kronecker product, if the axes of
//! each follow one another on both sides. Terms that differ in one component alone are a sum in brackets times the others.
//!
//! | where they do not | what is written |
//! |---|---|
//! | once two neighbouring axes of x are swapped they do | a product with a commutation matrix: `commutation(M, N) vec(X) = vec(Xᵀ)` for `X: [M, N]` |
//! | a payload over all of y, or of x, stands between them | a diagonal matrix on that side: `diag(vec(S)) (X ⊗ I_K)` |
//! | rows of y depend on the same rows of x alone | the direct sum of the blocks: `⊕_i (diag(F_i) − F_i F_iᵀ)`, with F_i a row of F |
//!
//! What has no such form, a relation or a payload over more axes, has no matrix notation.

use std::collections::HashSet;

use crate::coef::Coef;
use crate::component::{Component, components, ranges};
use crate::dim::{Dim, Label, distinct};
use crate::factor::{Factor, Value};
use crate::formula::signed;
use crate::network::{Network, Term};

/// How parts are written.
struct Words<'a, V> {
    symbol: &'a dyn Fn(&V) -> String,
    /// Are the axes those of the network in the opposite order, so that a vec is column-major?
    by_columns: bool,
}

impl<V: Value> Network<V> {
    /// The matrix in matrix notation, both sides in row-major vec or in column-major vec.
    pub(crate) fn vec_notation(&self, by_columns: bool) -> Option<String> {
        let words = Words { symbol: &|value: &V| value.symbol(), by_columns };
        if !by_columns {
            return self.in_words(&words).or_else(|| self.blocks());
        }
        let backwards = |dims: &[Dim]| dims.iter().rev().copied().collect::<Vec<_>>();
        let mut turned = Network::zero(&backwards(self.outputs()), &backwards(self.inputs()));
        for term in self.terms() {
            let (o, i) = term.slots.split_at(self.outputs().len());
            let (o, i): (Vec<Label>, Vec<Label>) =
                (o.iter().rev().copied().collect(), i.iter().rev().copied().collect());
            turned = turned.plus_term(term.coef.clone(), &o, &i, term.factors.iter().cloned());
        }
        turned.in_words(&words)
    }

    fn in_words(&self, words: &Words<'_, V>) -> Option<String> {
        match self.terms().len() {
            0 | 1 => self.sum_formula(words),
            _ => self.product_formula(words).or_else(|| self.sum_formula(words)),
        }
    }

    /// Rows of y that depend on the same rows of x alone: the direct sum of what each block is.
    fn blocks(&self) -> Option<String> {
        let split = self.outputs().len();
        if split < 2 || self.inputs().len() < 2 || self.outputs()[0].size() < 2 {
            return None;
        }
        let mut inner = Network::zero(&self.outputs()[1..], &self.inputs()[1..]);
        // Payloads of which a row stands in each block, and those that are the same in all.
        let (mut rows, mut others) = (HashSet::new(), HashSet::new());
        for term in self.terms() {
            let (o, i) = term.slots.split_at(split);
            let block = o[0];
            if i[0] != block || o[1..].contains(&block) || i[1..].contains(&block) {
                return None;
            }
            let mut factors = Vec::new();
            for factor in &term.factors {
                factors.push(match factor {
                    Factor::Dense(value, labels) if labels.first() == Some(&block) => {
                        rows.insert(value.id());
                        let rest = labels[1..].iter().copied().filter(ranges).collect::<Vec<_>>();
                        if rest.contains(&block) {
                            return None;
                        }
                        Factor::Dense(value.clone(), rest)
                    }
                    Factor::Dense(value, labels) if !labels.contains(&block) => {
                        others.insert(value.id());
                        factor.clone()
                    }
                    _ => return None,
                });
            }
            inner = inner.plus_term(term.coef.clone(), &o[1..], &i[1..], factors);
        }
        if rows.is_empty() || !rows.is_disjoint(&others) {
            return None;
        }
        let symbol = |value: &V| match rows.contains(&value.id()) {
            true => format!("{}_i", atom(&value.symbol())),
            false => value.symbol(),
        };
        let text = inner.in_words(&Words { symbol: &symbol, by_columns: false })?;
        Some(format!("⊕_i {}", atom(&text)))
    }

    /// Terms that differ in one group of slots alone: its sum in brackets, times what is common to all.
    fn product_formula(&self, words: &Words<'_, V>) -> Option<String> {
        let split = self.outputs().len();
        let groups = self.groups();
        let differing: Vec<&Vec<usize>> = groups.iter().filter(|group| !self.is_common(group)).collect();
        let (&[differing], true) = (differing.as_slice(), groups.len() > 1) else { return None };
        let outputs: Vec<usize> = differing.iter().copied().filter(|&axis| axis < split).collect();
        let inputs: Vec<usize> =
            differing.iter().filter(|&&axis| axis >= split).map(|axis| axis - split).collect();
        let mut inner = Network::zero(
            &outputs.iter().map(|&axis| self.outputs()[axis]).collect::<Vec<_>>(),
            &inputs.iter().map(|&axis| self.inputs()[axis]).collect::<Vec<_>>(),
        );
        let others = |term: &Term<V>| -> Vec<Component<V>> {
            let parts = components(term, split).into_iter();
            parts.filter(|part| !part.axes(split).any(|axis| differing.contains(&axis))).collect()
        };
        for term in self.terms() {
            let elsewhere: Vec<Label> =
                others(term).iter().flat_map(|part| part.labels(&term.slots, split)).collect();
            let is_own = |factor: &&Factor<V>| !factor.labels().iter().any(|label| elsewhere.contains(label));
            let slots: Vec<Label> = differing.iter().map(|&axis| term.slots[axis]).collect();
            let (o, i) = slots.split_at(outputs.len());
            let own: Vec<Factor<V>> = term.factors.iter().filter(is_own).cloned().collect();
            inner = inner.plus_term(term.coef.clone(), o, i, own);
        }
        let first = &self.terms()[0];
        let bracket = format!("({})", inner.sum_formula(words)?);
        let own = Component { outputs, inputs, factors: Vec::new() };
        let mine = |part: &Component<V>| part.axes(split).any(|axis| differing.contains(&axis));
        let parts = in_vec_order(others(first).into_iter().chain([own]).collect(), &first.slots, split)?;
        let written: Option<Vec<String>> = parts
            .iter()
            .map(|part| match mine(part) {
                true => Some(bracket.clone()),
                false => written(part, &first.slots, split, words).map(|text| atom(&text)),
            })
            .collect();
        Some(written?.join(" ⊗ "))
    }

    fn sum_formula(&self, words: &Words<'_, V>) -> Option<String> {
        let split = self.outputs().len();
        let term = |term: &Term<V>| {
            let body = commuted(term, split, words).or_else(|| scaled(term, split, words))?;
            let number = term.coef.abs();
            let text = if number.is_one() { body } else { format!("{number} {body}") };
            Some((term.coef.is_negative(), text))
        };
        Some(signed(self.terms().iter().map(term).collect::<Option<Vec<_>>>()?))
    }
}

/// A term without its coefficient, two groups of neighbouring axes of x swapped where its components do not follow one another else.
fn commuted<V: Value>(term: &Term<V>, split: usize, words: &Words<'_, V>) -> Option<String> {
    if let Some(text) = matrix_term(term, split, words) {
        return Some(text);
    }
    let inputs: Vec<Label> = term.slots[split..].iter().copied().filter(ranges).collect();
    let count = inputs.len();
    let places =
        (0..count).flat_map(|a| (a + 1..count).flat_map(move |b| (b + 1..=count).map(move |c| (a, b, c))));
    for (a, b, c) in places {
        let order = [&inputs[..a], &inputs[b..c], &inputs[a..b], &inputs[c..]].concat();
        let slots = [&term.slots[..split], &order].concat();
        let swapped = Term { coef: Coef::one(), slots, factors: term.factors.clone() };
        let Some(text) = matrix_term(&swapped, split, words) else { continue };
        let mut parts = Vec::new();
        parts.extend(inputs[..a].iter().map(|label| format!("I_{}", size(label))));
        let (first, second) = (sizes(&inputs[a..b]), sizes(&inputs[b..c]));
        let (first, second) = if words.by_columns { (second, first) } else { (first, second) };
        parts.push(format!("commutation({first}, {second})"));
        parts.extend(inputs[c..].iter().map(|label| format!("I_{}", size(label))));
        let product = parts.join(" ⊗ ");
        let outputs: Vec<Label> = term.slots[..split].iter().copied().filter(ranges).collect();
        return Some(match (term.factors.is_empty() && outputs == order, parts.len()) {
            (true, count) if count == 1 || term.coef.abs().is_one() => product,
            (true, _) => format!("({product})"),
            (false, _) => format!("{} {}", atom(&text), atom(&product)),
        });
    }
    None
}

/// A term of which a payload has all axes of one side: a diagonal matrix times the rest.
fn scaled<V: Value>(term: &Term<V>, split: usize, words: &Words<'_, V>) -> Option<String> {
    let sides = [&term.slots[..split], &term.slots[split..]];
    for (is_input, side) in sides.into_iter().enumerate() {
        let axes: Vec<Label> = side.iter().copied().filter(ranges).collect();
        if axes.is_empty() || distinct(axes.iter().copied()).len() < axes.len() {
            continue;
        }
        for (at, factor) in term.factors.iter().enumerate() {
            let Factor::Dense(value, labels) = factor else { continue };
            let own: Vec<Label> = labels.iter().copied().filter(ranges).collect();
            if own != words.in_order(&axes) {
                continue;
            }
            let mut factors = term.factors.clone();
            factors.remove(at);
            let rest = Term { coef: Coef::one(), slots: term.slots.clone(), factors };
            // A label that is summed stays so only where another factor has it: here all are axes.
            let Some(rest) = commuted(&rest, split, words) else { continue };
            let name = (words.symbol)(value);
            let bracketed = name.starts_with('(') && atom(&name) == name;
            let diagonal = match (axes.len(), bracketed) {
                (1, true) => format!("diag{name}"),
                (1, false) => format!("diag({name})"),
                (_, true) => format!("diag(vec{name})"),
                (_, false) => format!("diag(vec({name}))"),
            };
            return Some(match is_input {
                0 => format!("{diagonal} {}", atom(&rest)),
                _ => format!("{} {diagonal}", atom(&rest)),
            });
        }
    }
    None
}

impl<V> Words<'_, V> {
    /// The labels of axes in the order in which a payload that is written as its vec has them.
    fn in_order(&self, axes: &[Label]) -> Vec<Label> {
        match self.by_columns {
            true => axes.iter().rev().copied().collect(),
            false => axes.to_vec(),
        }
    }
}

/// The name of a size, or the size.
fn size(label: &Label) -> String {
    label.dim().name().map_or_else(|| label.size().to_string(), |name| name.to_string())
}

fn sizes(labels: &[Label]) -> String {
    labels.iter().map(size).collect::<Vec<_>>().join("·")
}

/// A term as a Kronecker product of what its components are in matrix notation, without its coefficient.
fn matrix_term<V: Value>(term: &Term<V>, split: usize, own: &Words<'_, V>) -> Option<String> {
    let parts = in_vec_order(components(term, split), &term.slots, split)?;
    // What is over no slot is a number.
    let labels: Vec<Label> = parts.iter().flat_map(|part| part.labels(&term.slots, split)).collect();
    let is_number = |factor: &&Factor<V>| !factor.labels().iter().any(|label| labels.contains(label));
    let rest: Vec<Factor<V>> = term.factors.iter().filter(is_number).cloned().collect();
    let mut words = Vec::new();
    if !rest.is_empty() {
        let number = Term { coef: Coef::one(), slots: Vec::new(), factors: rest };
        words.push(number.matrix_notation(&own.symbol)?);
    }
    let written: Option<Vec<String>> =
        parts.iter().map(|part| written(part, &term.slots, split, own)).collect();
    let written = written?;
    let is_column = |part: &Component<V>| part.inputs.is_empty();
    let is_row = |part: &Component<V>| part.outputs.is_empty();
    match (parts.as_slice(), written.as_slice()) {
        ([], []) if words.is_empty() => words.push("1".to_string()),
        ([], []) => {}
        ([a, b], [first, second]) if is_column(a) && is_row(b) => words.push(format!("{first} {second}")),
        ([_], [only]) => words.push(only.clone()),
        _ => {
            let product = written.iter().map(|part| atom(part)).collect::<Vec<_>>().join(" ⊗ ");
            words.push(if words.is_empty() && term.coef.abs().is_one() {
                product
            } else {
                format!("({product})")
            });
        }
    }
    Some(words.join(" "))
}

/// The text as one operand: in brackets, unless it is a single word or stands in brackets already.
fn atom(text: &str) -> String {
    let mut depth = 0;
    let outside = text.chars().any(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0 && c == ' '
    });
    if outside { format!("({text})") } else { text.to_string() }
}

/// The components in an order in which the axes of each follow one another on both sides. `None`: there is none.
fn in_vec_order<V: Value>(
    mut parts: Vec<Component<V>>,
    slots: &[Label],
    split: usize,
) -> Option<Vec<Component<V>>> {
    let axes = |from: usize, to: usize| (from..to).filter(|&k| ranges(&slots[k])).map(move |k| k - from);
    let (mut outputs, mut inputs) = (axes(0, split).peekable(), axes(split, slots.len()).peekable());
    let mut ordered: Vec<Component<V>> = Vec::new();
    while !parts.is_empty() {
        let (o, i) = (outputs.peek().copied(), inputs.peek().copied());
        let starts = |own: &[usize], next: Option<usize>| own.is_empty() || own.first().copied() == next;
        // What starts on both sides first; a column before a row: a bᵀ.
        let fits = |part: &Component<V>| starts(&part.outputs, o) && starts(&part.inputs, i);
        let weight = |part: &Component<V>| match (part.outputs.is_empty(), part.inputs.is_empty()) {
            (false, true) => 0,
            (true, false) => 1,
            _ => 2,
        };
        let next = (0..parts.len()).filter(|&k| fits(&parts[k])).min_by_key(|&k| weight(&parts[k]))?;
        let part = parts.remove(next);
        if !part.outputs.iter().all(|&axis| outputs.next() == Some(axis))
            || !part.inputs.iter().all(|&axis| inputs.next() == Some(axis))
        {
            return None;
        }
        ordered.push(part);
    }
    Some(ordered)
}

/// A component as a matrix, a column or a row.
fn written<V: Value>(
    part: &Component<V>,
    slots: &[Label],
    split: usize,
    words: &Words<'_, V>,
) -> Option<String> {
    let outputs: Vec<Label> = part.outputs.iter().map(|&axis| slots[axis]).collect();
    let inputs: Vec<Label> = part.inputs.iter().map(|&axis| slots[split + axis]).collect();
    let notation = |slots: &[Label]| {
        let term = Term { coef: Coef::one(), slots: slots.to_vec(), factors: part.factors.clone() };
        term.matrix_notation(&words.symbol)
    };
    // Several axes on one side are one under a vec: of a payload that has them all, or of a matrix. A label twice among them
    // is a diagonal, of which the vec of a payload would be too much.
    let vec = |slots: &[Label]| {
        if slots.len() < 2 {
            return notation(slots);
        }
        if distinct(slots.iter().copied()).len() < slots.len() {
            return None;
        }
        let inner = match part.factors.as_slice() {
            [Factor::Dense(value, labels)] if *labels == words.in_order(slots) => (words.symbol)(value),
            _ => notation(&words.in_order(slots))?,
        };
        let bracketed = inner.starts_with('(') && inner.ends_with(')') && atom(&inner) == inner;
        Some(if bracketed { format!("vec{inner}") } else { format!("vec({inner})") })
    };
    let turned = |text: String| format!("{}ᵀ", atom(&text));
    match (outputs.as_slice(), inputs.as_slice()) {
        ([o], [i]) if o == i && part.factors.is_empty() => Some(format!("I_{}", size(o))),
        ([o], [i]) if o == i => notation(&[*o]).map(|vector| match vector.starts_with('(') {
            // Already in brackets.
            true if atom(&vector) == vector => format!("diag{vector}"),
            _ => format!("diag({vector})"),
        }),
        ([o], [i]) => notation(&[*o, *i]),
        ([o], []) if part.factors.is_empty() => Some(format!("1_{}", size(o))),
        ([], [i]) if part.factors.is_empty() => Some(format!("1_{}ᵀ", size(i))),
        (column, []) => vec(column),
        ([], row) => vec(row).map(turned),
        // Several axes under one vec, with a payload that has them all.
        (many, same) if many == same && part.factors.len() == 1 => match &part.factors[0] {
            Factor::Dense(value, labels)
                if *labels == words.in_order(many)
                    && distinct(labels.iter().copied()).len() == many.len() =>
            {
                Some(format!("diag(vec({}))", (words.symbol)(value)))
            }
            _ => None,
        },
        _ => None,
    }
}
