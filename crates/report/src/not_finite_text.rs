//! A number that is not finite, in words.

use pullback_check::{Arises, Judgement, NotFinite, Operand, What};
use pullback_ops::{Origin, find};

use crate::number::brief;
use crate::verdict_text::index;

/// Which number it is and what it was made of: one sentence.
pub(crate) fn not_finite_text(found: &NotFinite) -> String {
    let value = described(found);
    let at = if found.at.is_empty() { String::new() } else { format!(" {}", index(&found.at).trim_end()) };
    let entry = brief(found.entry);
    let operands = where_text(&found.operands);
    match found.what {
        What::Given => format!("{value} is {entry}{at}"),
        What::Slope => format!("{value} has the slope {entry}{at}{operands}"),
        What::Overflow => {
            format!("{value} is {entry}{at}{operands}: too large for {}", found.value.dtype())
        }
        What::Undefined | What::Pole => format!("{value} is {entry}{at}{operands}"),
    }
}

/// The value as it is written, in backticks.
fn described(found: &NotFinite) -> String {
    match (found.value.name(), found.value.origin()) {
        (None, Origin::Leaf) if found.arises == Arises::Claim => "the claim".to_string(),
        (Some(name), Origin::Leaf) => format!("`{name}`"),
        (Some(name), _) => format!("`{name} = {}`", bare(&found.value.expression())),
        (None, _) => format!("`{}`", bare(&found.value.expression())),
    }
}

/// An expression without brackets around all of it.
pub(crate) fn bare(expression: &str) -> &str {
    let Some(inside) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return expression;
    };
    let mut open = 0usize;
    for character in inside.chars() {
        match character {
            '(' => open += 1,
            ')' if open == 0 => return expression,
            ')' => open -= 1,
            _ => {}
        }
    }
    inside
}

/// `, where `x` is 0 and `n` is 0`; of a number that is written down there is nothing to say.
fn where_text(operands: &[Operand]) -> String {
    let is_computed = |operand: &&Operand| operand.expression.parse::<f64>().is_err();
    let mut parts: Vec<String> = operands
        .iter()
        .filter(is_computed)
        .map(|operand| format!("`{}` is {}", bare(&operand.expression), brief(operand.entry)))
        .collect();
    parts.dedup();
    if parts.is_empty() { String::new() } else { format!(", where {}", parts.join(" and ")) }
}

/// Its name in the op table.
pub(crate) fn op_of(found: &NotFinite) -> Option<&'static str> {
    match found.value.origin() {
        Origin::Call(op, _) => Some(op.name()),
        _ => None,
    }
}

/// What else there is to know of it: the domain of the operation; whose number it is.
pub(crate) fn not_finite_notes(judgement: &Judgement) -> Vec<String> {
    let Some(found) = &judgement.not_finite else { return Vec::new() };
    let mut notes = Vec::new();
    if let (What::Pole | What::Undefined | What::Slope, Some(op)) = (found.what, op_of(found))
        && let Some(page) = find(op)
    {
        notes.push(format!("the domain of `{op}`: {}", page.page("Domain").trim_end_matches('.')));
    }
    notes.push(match found.arises {
        Arises::Claim => "the program is finite; this is what the claim comes to".to_string(),
        Arises::Program => "it is the first such number on the way to what is differentiated".to_string(),
        Arises::Derivative => "the value is finite there, and its derivative is not".to_string(),
    });
    notes
}

/// What to do about it.
pub(crate) fn not_finite_hint(found: &NotFinite) -> &'static str {
    match (found.what, found.value.dtype()) {
        (What::Overflow, pullback_array::DType::F32) => "choose smaller inputs, or write `dtype f64`",
        (What::Overflow, _) => "choose smaller inputs, or compute with logarithms (`logsumexp`, `softmax`)",
        (What::Given, _) => "give numbers that are finite",
        _ => "choose inputs at which it is finite, or keep it from there, as an `eps` under a root does",
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn brackets_around_all_of_it() {
        let cases =
            [("(1 / x)", "1 / x"), ("(a) / (b)", "(a) / (b)"), ("((a) / (b))", "(a) / (b)"), ("x", "x")];
        for (expression, expected) in cases {
            assert_eq!(bare(expression), expected);
        }
    }
}
