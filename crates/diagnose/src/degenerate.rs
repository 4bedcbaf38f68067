//! Values that hide mistakes: weights of ones, biases of zeros, a matrix that is the identity.
//!
//! On such data a gradient that forgets a factor is the same as one that does not, and what holds does so with a note. Of an
//! expression the note stands where it is off once that value alone is another one. Numbers from elsewhere cannot be asked on other
//! data: there it stands where the derivative depends on the value.

use std::path::Path;

use pullback_array::Array;
use pullback_check::{Judgement, Note, Same, Verdict};
use pullback_lang::File;
use pullback_lang::program::{Claim, Inputs, Program, ValueKind};
use pullback_network::Value as _;
use pullback_ops::{Origin, Val};

use crate::doubt::{CLOSE, MOST_NUMBERS};
use crate::inquiry::Inquiry;
use crate::probe::{Probe, with_moved};
use crate::tree::graph_of;

/// So many values of a file are tried, each on data of its own.
const MOST_VALUES: usize = 8;

/// What hides mistakes in each claim that holds.
pub fn degenerate(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    judged: &[Option<Judgement>],
) -> Vec<Vec<Note>> {
    let mut notes = vec![Vec::new(); exact.claims.len()];
    let holds = |number: &usize| {
        judged.get(*number).and_then(Option::as_ref).is_some_and(|judged| judged.verdict == Verdict::Holds)
    };
    let claims: Vec<usize> = (0..exact.claims.len()).filter(holds).collect();
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    if claims.is_empty() || numbers > MOST_NUMBERS {
        return notes;
    }
    let inquiry = Inquiry::new(file, exact, inputs, base_dir, judged, &|_| ());
    for Special { name, val, same, is_given } in special(exact, inputs).into_iter().take(MOST_VALUES) {
        let concerns = |&&number: &&usize| graph_of(&exact.claims[number].of).contains_key(&val.id());
        let concerned: Vec<usize> = claims.iter().filter(concerns).copied().collect();
        if concerned.is_empty() {
            continue;
        }
        let Some(program) = with_moved(file, exact, inputs, base_dir, &name) else { continue };
        let probe = Probe::new(program, false);
        for number in concerned {
            let hides = match exact.claims[number].expr {
                Some(_) => {
                    !inquiry.refers_to_wrong(number)
                        && inquiry.off(&probe, number).is_some_and(|off| off > CLOSE)
                }
                // What the file makes of constants is the same for the other code.
                None => is_given && depends(&inquiry, &probe, &exact.claims[number]).unwrap_or(false),
            };
            let of_numbers = exact.claims[number].expr.is_none();
            notes[number].extend(hides.then(|| Note::Hidden { name: name.clone(), same, of_numbers }));
        }
    }
    notes
}

/// A value whose entries are alike.
struct Special {
    name: String,
    val: Val,
    same: Same,
    /// Is it an input, and not made of constants?
    is_given: bool,
}

/// The values that are given or constructed and whose entries say nothing of where they stand.
fn special(exact: &Program, inputs: &Inputs) -> Vec<Special> {
    let mut found = Vec::new();
    for value in &exact.values {
        let is_given = value.kind != ValueKind::Definition && inputs.get(&value.name).is_some();
        let is_array = value.val.ndim() > 0 && value.val.dtype().is_float();
        if !is_array || !(is_given || is_constructed(&value.val, exact)) {
            continue;
        }
        let Ok(array) = value.val.array() else { continue };
        let (name, val) = (value.name.clone(), value.val.clone());
        found.extend(same(array).map(|same| Special { name, val, same, is_given }));
    }
    found
}

/// Is a value made of no input?
fn is_constructed(val: &Val, exact: &Program) -> bool {
    let graph = graph_of(val);
    let mut leaves = graph.values().filter(|leaf| matches!(leaf.origin(), Origin::Leaf));
    leaves.all(|leaf| leaf.id() == val.id() || !exact.values.iter().any(|value| value.val.id() == leaf.id()))
}

/// What is the same about the entries of an array of several.
pub(crate) fn same(array: &Array) -> Option<Same> {
    let numbers = array.to_vec_f64();
    let [first, others @ ..] = numbers.as_slice() else { return None };
    if others.is_empty() {
        return None;
    }
    if others.iter().all(|x| x == first) {
        return Some(Same::Entries(*first));
    }
    let [rows, columns] = *array.shape() else { return None };
    let is_unit = |(at, x): (usize, &f64)| *x == f64::from(u8::from(at / columns == at % columns));
    (rows == columns && numbers.iter().enumerate().all(is_unit)).then_some(Same::Identity)
}

/// Is the derivative that a claim of numbers is about another one on other data?
fn depends(inquiry: &Inquiry<'_>, probe: &Probe, claim: &Claim) -> Option<bool> {
    let [wrt] = claim.wrt_names.as_slice() else { return None };
    let [own, other] = [inquiry.exact, &probe.program].map(|program| {
        let mut program = program.clone();
        let zeros = Array::zeros(&claim.wrt[0].shape(), pullback_array::DType::F64).ok()?;
        let number = program.claim_numbers(&claim.of_name, wrt, &zeros).ok()?;
        Probe::new(program, false).truth(number).map(|truth| truth.tensor().clone())
    });
    let (own, other) = (own?, other?);
    let difference = own.zip(&other, "compare", |a, b| a - b, |a, b| a - b).ok()?;
    Some(difference.max_abs() > CLOSE * own.max_abs())
}
