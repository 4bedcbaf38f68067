//! What is wrong with numbers: mistakes in local Jacobians, held against what a backward pass returned.
//!
//! Numbers have no expression that could be edited, and neither has every wrong expression the mistake of a single edit. But
//! a backward pass, however it is written, sends a cotangent through the operations of the forward pass, and multiplies it
//! by the Jacobian of each. A mistake is a wrong local Jacobian: a term of it is missing, a factor is transposed or taken of
//! another value, a share is overwritten where shares add. Each is tried at every value between x and y ([`Sweep`] says how
//! that is cheap), and what gives the very numbers that are claimed, on all data there is, is what went wrong. No text and no
//! edit is needed for that, and the same hypotheses serve a file's claims, a kernel's dump and a function.
//!
//! | module | what it knows |
//! |---|---|
//! | `sweep` | one pass backward and one forward, and what a mistake anywhere makes of the gradient |
//! | `node` | a value on the way, the operations it goes into, and a mistake's effect on its cotangent |
//! | `mistakes/*` | one kind of mistake each |
//! | `local` | which of them explain the numbers |
//! | `formula` | slips in a right formula of the gradient: the one that the file states, or the derived one |
//! | `beside` | such a slip, and something that was done to the whole beside it |
//! | `derived` | the formula that the forward pass gives |
//! | `neighbours` | other derivatives and values of the file in the numbers: in their place, added to them, multiplied with them |
//! | `whole`, `hypotheses` | what may have been done to the gradient as a whole: transposed, scaled, not summed, another one's |
//! | `multiple` | numbers that are a multiple of others |
//! | `facts` | what can be said of numbers that nothing explains |
//!
//! What is not here: edits of expressions (`search`), and words made into text.

mod beside;
mod derived;
mod facts;
mod formula;
mod hypotheses;
mod local;
mod mistakes;
mod multiple;
mod neighbours;
mod node;
mod sweep;
mod whole;

use std::cell::OnceCell;

use self::formula::{Costed, Right};
use self::neighbours::Times;
use crate::case::Case;
use crate::edit::size;
use crate::inquiry::Inquiry;
use crate::search::Depth;
use crate::{Diagnosis, Fix};
use pullback_lang::Expr;

/// What explains a claim leaves no more than this share of what is wrong with it.
const LEFT: f64 = 0.1;

/// One number or two, anything explains.
const FEWEST: usize = 3;

/// A slip that is dearer is one of odd numbers.
const LIKELY: u32 = 4;

/// A derived formula with more parts is long.
const SHORT: usize = 28;

/// What explains the numbers of a claim: one mistake, or several that no data at hand tells apart.
pub(crate) fn fit(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
    let fit = Fit { inquiry, number, case, rights: OnceCell::new() };
    let mut found = Fit::WAYS.iter().map(|way| way(&fit)).find(|found| !found.is_empty()).unwrap_or_default();
    if found.is_empty() || found.iter().any(|found| found.fix.is_none()) {
        let fix = inquiry.derived(number, Some(case));
        if found.is_empty() && !fit.is_expression() {
            found.push(facts::unexplained(case.claim));
        }
        found.iter_mut().filter(|found| found.fix.is_none()).for_each(|found| found.fix = fix.clone());
    }
    found
}

/// A claim that is to be explained.
struct Fit<'f> {
    inquiry: &'f Inquiry<'f>,
    number: usize,
    case: &'f Case<'f>,
    /// The formulas that the derivative has, short ones and long ones: in a long one many slips give the same numbers.
    rights: OnceCell<(Vec<Right>, Vec<Right>)>,
}

impl<'f> Fit<'f> {
    /// In what order explanations are sought: the first that is found is told.
    ///
    /// What needs no number that was fitted comes before what does, and a multiple of the whole before a sum with a multiple of
    /// something else.
    const WAYS: [fn(&Fit<'f>) -> Vec<Diagnosis>; 13] = [
        Fit::swapped,
        Fit::whole,
        Fit::another_claim,
        Fit::slip,
        Fit::neighbour,
        Fit::unnamed_multiple,
        Fit::local,
        Fit::slip_in_a_long_formula,
        Fit::multiple_of_a_neighbour,
        Fit::another_value,
        Fit::slip_beside,
        Fit::two_slips,
        Fit::facts,
    ];

    fn is_expression(&self) -> bool {
        self.inquiry.exact.claims[self.number].expr.is_some()
    }

    /// What explains the whole of the numbers, where they are not the derivative but for their last digits.
    fn of_whole<T: Default>(&self, found: impl FnOnce() -> T) -> T {
        if whole::is_right_nearly(self.case) { T::default() } else { found() }
    }

    /// Of an expression it is told elsewhere.
    fn of_numbers(&self, found: impl FnOnce() -> Option<Diagnosis>) -> Vec<Diagnosis> {
        if self.is_expression() { Vec::new() } else { found().into_iter().collect() }
    }

    fn rights(&self) -> &(Vec<Right>, Vec<Right>) {
        let is_short = |right: &Right| right.stated || size(&right.expr) <= SHORT;
        let rights = || formula::rights(self.inquiry, self.number, self.case);
        self.rights.get_or_init(|| rights().into_iter().partition(is_short))
    }

    fn slips(&self, rights: &[Right], depth: Depth) -> Option<Costed> {
        formula::slips(self.inquiry, self.number, self.case, rights, depth)
    }

    /// Two claims are the wrong way round.
    fn swapped(&self) -> Vec<Diagnosis> {
        self.of_whole(|| self.of_numbers(|| neighbours::swapped(self.inquiry, self.number, self.case)))
    }

    /// Something was done to the gradient as a whole.
    fn whole(&self) -> Vec<Diagnosis> {
        let found = self.of_whole(|| whole::found(self.inquiry, self.number, self.case));
        if !found.iter().all(|found| found.cause == "missing-sum") || found.is_empty() {
            return found;
        }
        // A matrix times a vector entry by entry is their product, not summed.
        match self.slips(&self.rights().0, Depth::Singles) {
            Some((_, slip)) if slip.iter().all(|slip| slip.cause == "elementwise-for-product") => slip,
            _ => found,
        }
    }

    /// The numbers are those of another claim.
    fn another_claim(&self) -> Vec<Diagnosis> {
        self.of_whole(|| self.of_numbers(|| neighbours::another(self.case)))
    }

    /// One slip in a formula; with it the mistake in a local Jacobian that it comes to.
    fn slip(&self) -> Vec<Diagnosis> {
        let Some((cost, slip)) = self.slips(&self.rights().0, Depth::Singles) else { return Vec::new() };
        // `11 * lam * w` for `lam * w` is less likely than `w` added.
        if cost > LIKELY {
            let likelier = [Fit::neighbour, Fit::unnamed_multiple]
                .iter()
                .map(|way| way(self))
                .find(|found| !found.is_empty());
            if let Some(likelier) = likelier {
                return likelier;
            }
        }
        both(slip, self.local())
    }

    /// Another value or derivative was added, or multiplied with.
    fn neighbour(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| neighbours::found(self.case, Times::Written))
    }

    /// A multiple of another value or derivative was added that nobody writes.
    fn multiple_of_a_neighbour(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| neighbours::found(self.case, Times::Any))
    }

    /// A mistake in a local Jacobian.
    fn local(&self) -> Vec<Diagnosis> {
        local::local(self.inquiry, self.number, self.case)
    }

    fn slip_in_a_long_formula(&self) -> Vec<Diagnosis> {
        self.slips(&self.rights().1, Depth::Singles).map_or_else(Vec::new, |(_, slip)| slip)
    }

    /// The gradient of a value between.
    fn another_value(&self) -> Vec<Diagnosis> {
        self.of_whole(|| whole::another(self.inquiry, self.number, self.case)).into_iter().collect()
    }

    /// The derivative times a number that nobody writes.
    fn unnamed_multiple(&self) -> Vec<Diagnosis> {
        whole::unnamed_multiple(self.case).into_iter().collect()
    }

    /// A slip in a formula, and something that was done to the whole.
    fn slip_beside(&self) -> Vec<Diagnosis> {
        formula::slips_beside(self.inquiry, self.number, self.case, &self.rights().0)
    }

    /// Two slips in the formula that one would begin with.
    fn two_slips(&self) -> Vec<Diagnosis> {
        let short = &self.rights().0;
        let first = &short[..short.len().min(1)];
        self.slips(first, Depth::PairsAlone).map_or_else(Vec::new, |(_, slips)| slips)
    }

    /// What can be seen of numbers that nothing explains.
    fn facts(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| facts::facts(self.case, self.inquiry.judged[self.number].as_ref()?))
    }
}

/// A slip in the formula, and the mistake in a local Jacobian that it comes to, where the two agree: the one says what is
/// computed, the other where and why that is wrong.
fn both(slip: Vec<Diagnosis>, local: Vec<Diagnosis>) -> Vec<Diagnosis> {
    match (slip.as_slice(), local.as_slice()) {
        ([slip], [local]) if slip.cause == local.cause => {
            let explanation = local.explanation.clone().say(" ").then(slip.explanation.clone());
            vec![Diagnosis { explanation, fix: slip.fix.clone(), ..local.clone() }]
        }
        _ => slip,
    }
}

impl Inquiry<'_> {
    /// The derivative as a formula, where there is one that holds on all data. It is owed for every claim that is wrong, whatever
    /// the search for its cause has spent.
    pub(crate) fn derived(&self, number: usize, case: Option<&Case<'_>>) -> Option<Fix> {
        let make = || {
            // Sizes without a name are numbers in a formula, which is true where they are what they are.
            let by_name = case.and_then(|_| self.case_by_name(number));
            let mut formulas = derived::whole(self, number);
            formulas.find_map(|expr| self.formula(number, by_name.as_ref(), expr))
        };
        self.formulas.borrow_mut().entry(number).or_insert_with(make).clone()
    }

    /// A formula as what is to be written, where it is the derivative.
    fn formula(&self, number: usize, case: Option<&Case<'_>>, expr: Expr) -> Option<Fix> {
        let is_expression = self.exact.claims[number].expr.is_some();
        let is_right = case.is_none_or(|case| case.is_derivative(&expr))
            && (is_expression || self.unclaimed_by_name(number, &mut |trial| trial.is_derivative(&expr)));
        // Numbers on which no candidates are tried are held against the routes, as an expression is.
        let residual = match is_right && (is_expression || case.is_none()) {
            true => Some(self.accepted(number, &expr)?),
            false => None,
        };
        is_right.then_some(Fix { definition: None, expr, residual: residual.filter(|_| is_expression) })
    }
}
