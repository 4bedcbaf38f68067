//! Claims that hold on the data of the file and perhaps on no other: `A.T` for `A` where the matrix that is written down is
//! symmetric, `3 * x` for `3 * x^2` where x is 1.
//!
//! Only numbers that are written down or loaded can agree by accident, and sizes that are 1 or 2; a file without them is not
//! looked at. What fails on moved numbers is not wrong for that: targets that are one-hot, and whatever else the file's author knows
//! of the data, may be what it rests on. So it is doubted only where one edit makes it right on all data.

use std::path::Path;

use pullback_check::{Judgement, Verdict};
use pullback_lang::program::{Claimed, Inputs, Program, ValueKind};
use pullback_lang::{Expr, ExprKind, File};
use pullback_network::Value as _;

use crate::Diagnosis;
use crate::inquiry::Inquiry;
use crate::probe::{Probe, at_other_sizes, moved_data, other_signs};
use crate::search::{Depth, search};
use crate::tree::graph_of;
use crate::words::Words;

/// How far a claim may be off on other data and still be right there, relatively: on data that is worse conditioned than the
/// file's own, rounding may take more digits than it is let elsewhere. Beyond this it has to be wrong there by all routes.
pub(crate) const CLOSE: f64 = 1e-5;

/// Inputs of more numbers are no data of which one knows that it is special.
pub(crate) const MOST_NUMBERS: usize = 1 << 16;

/// A claim that holds here and not on other data.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// How far it is off there, as a share of the largest entry of the derivative.
    pub off: f64,
    /// What is other there.
    pub by: Other,
    /// The edit that makes it right there too, where there is one.
    pub diagnosis: Option<Diagnosis>,
}

/// What is other on data on which a claim does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// The numbers.
    Numbers,
    /// The sizes only. The file may mean its own: that is no mistake.
    Sizes,
    /// The signs of the numbers only, which may be what the file's author knows of them.
    Signs,
}

/// What is to be doubted of the claims that hold.
pub fn doubts(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    judged: &[Option<Judgement>],
) -> Vec<Option<Doubt>> {
    let holds =
        |judged: &Option<Judgement>| judged.as_ref().is_some_and(|judged| judged.verdict == Verdict::Holds);
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    let inquiry = Inquiry::new(file, exact, inputs, base_dir, judged, &|_| ());
    if numbers > MOST_NUMBERS || !judged.iter().any(holds) {
        return vec![None; exact.claims.len()];
    }
    let has_named = |size: usize| {
        let mut dims = exact.values.iter().flat_map(|value| value.val.dims());
        dims.any(|dim| dim.name().is_some() && dim.size() == size)
    };
    let resized = |wanted: bool, are_changed: &dyn Fn(usize) -> bool| match wanted {
        true => at_other_sizes(file, exact, inputs, base_dir, are_changed),
        false => Vec::new(),
    };
    let mut probes: Vec<Probe> = Vec::new();
    probes.extend(moved_data(file, exact, inputs, base_dir));
    // A size of 1 is there to be another one; where one is 2, a number may stand for it.
    probes.extend(resized(has_named(1), &|size| size == 1));
    let sizes = resized(has_named(2), &|_| true);
    let signs = other_signs(file, exact, inputs, base_dir);
    let doubt = |number: usize| -> Option<Doubt> {
        judged.get(number).filter(|judged| holds(judged))?;
        // On other data the claims that it refers to are right: what rests on a wrong one differs by that. Numbers from
        // elsewhere are not what they are on other data.
        // What holds by another convention than that of the operations does so there too.
        let is_conventional = inquiry.off_here(number).is_some_and(|off| off > CLOSE);
        if is_conventional || inquiry.refers_to_wrong(number) || is_of_other_numbers(exact, number) {
            return None;
        }
        let off = |probes: &[Probe]| {
            probes.iter().filter_map(|probe| inquiry.off(probe, number)).fold(0.0, f64::max)
        };
        let by_data = off(&probes);
        if by_data > CLOSE {
            let diagnosis = diagnosis(&inquiry, number);
            return Some(Doubt { off: by_data, by: Other::Numbers, diagnosis });
        }
        let by_sizes = off(&sizes);
        if by_sizes > CLOSE {
            let diagnosis = diagnosis(&inquiry, number);
            return Some(Doubt { off: by_sizes, by: Other::Sizes, diagnosis });
        }
        let by_signs = off(&signs);
        (by_signs > CLOSE).then_some(Doubt { off: by_signs, by: Other::Signs, diagnosis: None })
    };
    (0..exact.claims.len()).map(doubt).collect()
}

/// Is a claim made of inputs that what it differentiates has nothing to do with, as the gradient that other code returned?
fn is_of_other_numbers(exact: &Program, number: usize) -> bool {
    let claim = &exact.claims[number];
    let Claimed::Value { val, .. } = &claim.claimed else { return false };
    let (forward, claimed) = (graph_of(&claim.of), graph_of(val));
    let mut inputs = exact.values.iter().filter(|value| value.kind != ValueKind::Definition);
    inputs.any(|input| {
        let id = input.val.id();
        input.val.ndim() > 0
            && input.val.dtype().is_float()
            && claimed.contains_key(&id)
            && !forward.contains_key(&id)
    })
}

fn names_a_value(expr: &Expr) -> bool {
    let mut names = false;
    expr.walk(&mut |part| {
        names |= !matches!(
            part.kind,
            ExprKind::Number { .. } | ExprKind::List(_) | ExprKind::Negate(_) | ExprKind::Binary { .. }
        );
    });
    names
}

fn diagnosis(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let claim = inquiry.exact.claims.get(number)?;
    let Claimed::Value { .. } = claim.claimed else { return None };
    // Numbers that are written out are those of the file's data: no slip of a formula.
    let expr = claim.expr.as_ref().filter(|expr| names_a_value(expr))?;
    let case = inquiry.case_by_name(number)?;
    let mut found = search(inquiry, number, &case, expr, Depth::Singles);
    let found = if found.len() == 1 { found.pop() } else { None }?;
    let words = match found.cause {
        "transposed-factor" => {
            "On the data of the file both are the same, since a matrix is symmetric there; on other data not. "
        }
        _ => {
            "On the data of the file both give the same numbers; on other data only what is proposed is the derivative. "
        }
    };
    Some(Diagnosis { explanation: Words::new().say(words).then(found.explanation), ..found })
}
