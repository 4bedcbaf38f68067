//! A network as a matrix `[|y|, |x|]` in matrix notation, with both sides in row-major vec: `I_N ⊗ Wᵀ`, `diag(a) − a aᵀ`.
//!
//! Each component of a term is a matrix, a column or a row of its own, and the term is their Kronecker product, if the axes of
//! each follow one another on both sides. Terms that differ in one component alone are a sum in brackets times the others.
//! What has no such form, a relation or a block of several axes, has no matrix notation.

use crate::coef::Coef;
use crate::component::{Component, components, ranges};
use crate::dim::{Label, distinct};
use crate::factor::{Factor, Value};
use crate::formula::signed;
use crate::network::{Network, Term};

impl<V: Value> Network<V> {
    /// The matrix in matrix notation, both sides in row-major vec.
    pub(crate) fn vec_notation(&self) -> Option<String> {
        match self.terms().len() {
            0 | 1 => self.sum_formula(),
            _ => self.product_formula().or_else(|| self.sum_formula()),
        }
    }

    /// Terms that differ in one group of slots alone: its sum in brackets, times what is common to all.
    fn product_formula(&self) -> Option<String> {
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
        let bracket = format!("({})", inner.sum_formula()?);
        let own = Component { outputs, inputs, factors: Vec::new() };
        let mine = |part: &Component<V>| part.axes(split).any(|axis| differing.contains(&axis));
        let parts = in_vec_order(others(first).into_iter().chain([own]).collect(), &first.slots, split)?;
        let words: Option<Vec<String>> = parts
            .iter()
            .map(|part| match mine(part) {
                true => Some(bracket.clone()),
                false => written(part, &first.slots, split).map(|text| atom(&text)),
            })
            .collect();
        Some(words?.join(" ⊗ "))
    }

    fn sum_formula(&self) -> Option<String> {
        let term = |term: &Term<V>| {
            let (body, number) = (matrix_term(term, self.outputs().len())?, term.coef.abs());
            let text = if number.is_one() { body } else { format!("{number} {body}") };
            Some((term.coef.is_negative(), text))
        };
        Some(signed(self.terms().iter().map(term).collect::<Option<Vec<_>>>()?))
    }
}

/// A term as a Kronecker product of what its components are in matrix notation, without its coefficient.
fn matrix_term<V: Value>(term: &Term<V>, split: usize) -> Option<String> {
    let parts = in_vec_order(components(term, split), &term.slots, split)?;
    // What is over no slot is a number.
    let labels: Vec<Label> = parts.iter().flat_map(|part| part.labels(&term.slots, split)).collect();
    let is_number = |factor: &&Factor<V>| !factor.labels().iter().any(|label| labels.contains(label));
    let rest: Vec<Factor<V>> = term.factors.iter().filter(is_number).cloned().collect();
    let mut words = Vec::new();
    if !rest.is_empty() {
        let number = Term { coef: Coef::one(), slots: Vec::new(), factors: rest };
        words.push(number.matrix_notation(&|value: &V| value.symbol())?);
    }
    let written: Option<Vec<String>> = parts.iter().map(|part| written(part, &term.slots, split)).collect();
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
fn written<V: Value>(part: &Component<V>, slots: &[Label], split: usize) -> Option<String> {
    let outputs: Vec<Label> = part.outputs.iter().map(|&axis| slots[axis]).collect();
    let inputs: Vec<Label> = part.inputs.iter().map(|&axis| slots[split + axis]).collect();
    let size = |label: &Label| match label.dim().name() {
        Some(name) => name.to_string(),
        None => label.size().to_string(),
    };
    let notation = |slots: &[Label]| {
        let term = Term { coef: Coef::one(), slots: slots.to_vec(), factors: part.factors.clone() };
        term.matrix_notation(&|value: &V| value.symbol())
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
            [Factor::Dense(value, labels)] if labels == slots => value.symbol(),
            _ => notation(slots)?,
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
                if labels == many && distinct(labels.iter().copied()).len() == many.len() =>
            {
                Some(format!("diag(vec({}))", value.symbol()))
            }
            _ => None,
        },
        _ => None,
    }
}
