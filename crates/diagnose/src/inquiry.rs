//! A file with wrong claims, and all that is known when their causes are looked for.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use pullback_array::Array;
use pullback_check::{Claim as Numbers, ClaimLayout, Judgement, Truth, Verdict, judge, shapes};
use pullback_lang::program::{Claim, Claimed, Inputs, Program};
use pullback_lang::{EntryClaim, Expr, ExprKind, File, Name, Span, StatementKind};
use pullback_network::Value as _;
use pullback_ops::Val;

use crate::case::{CLOSE as CLOSE_TO_TRUTH, Case, Trial, Usable};
use crate::causes::CAUSES;
use crate::claimed::{layout, subject};
use crate::doubt::CLOSE as CLOSE_ON_OTHER_DATA;
use crate::fit::fit;
use crate::indexed::{beside, in_index_notation};
use crate::inherit::{is_wrong, referred};
use crate::loops::{bound, in_loops};
use crate::probe::{Probe, flagged, fresh, redrawn, relabelled};
use crate::redraw::is_right_here;
use crate::search::{Depth, search, search_costed};
use crate::stretch::is_judged_as_map;
use crate::tree::graph_of;
use crate::unknown::{facts, unexplained};
use crate::{Diagnosis, Fix};

/// Multiplications that the candidates for one claim may take, all together.
const MOST_WORK: f64 = 2_147_483_648.0;

/// Candidates for one claim, however small it is.
pub(crate) const MOST_CANDIDATES: usize = 4000;

/// Candidates for all claims of a file together: a file of a thousand wrong claims is not searched to its end.
const MOST_OF_FILE: usize = 100_000;

/// The precision that numbers of another shape may have, of which no tolerance was found: bf16 leaves more digits.
const OF_ANOTHER_SHAPE: f64 = 1e-2;

/// The checker's tolerances are so many times what right numbers in few digits are found to be off by, or more.
const SAFETY: f64 = 3.0;

/// How far a claim may be from another derivative to be held for it, relatively, before it is tried on other data.
const CLOSE: f64 = 1e-6;

/// A file with wrong claims.
pub(crate) struct Inquiry<'a> {
    pub file: &'a File,
    /// The program in double precision.
    pub exact: &'a Program,
    pub judged: &'a [Option<Judgement>],
    inputs: &'a Inputs,
    base_dir: &'a Path,
    elsewhere: &'a dyn Fn(&mut Program),
    own: Probe,
    /// Made when the first candidate is to be tried.
    fresh: OnceCell<Vec<Probe>>,
    /// The same with flags, labels and shares as they are.
    flagged: OnceCell<Vec<Probe>>,
    /// Made when something is to be told.
    redrawn: OnceCell<Vec<Probe>>,
    /// Candidates that may still be evaluated.
    left: Cell<usize>,
    /// The derivatives of wrong claims as formulas, once they were asked for.
    pub formulas: RefCell<HashMap<usize, Option<Fix>>>,
}

impl<'a> Inquiry<'a> {
    pub(crate) fn new(
        file: &'a File,
        exact: &'a Program,
        inputs: &'a Inputs,
        base_dir: &'a Path,
        judged: &'a [Option<Judgement>],
        elsewhere: &'a dyn Fn(&mut Program),
    ) -> Inquiry<'a> {
        let own = Probe::new(exact.clone(), false);
        let left = Cell::new(MOST_OF_FILE);
        Inquiry {
            file,
            exact,
            judged,
            inputs,
            base_dir,
            elsewhere,
            own,
            fresh: OnceCell::new(),
            flagged: OnceCell::new(),
            redrawn: OnceCell::new(),
            left,
            formulas: RefCell::default(),
        }
    }

    /// The claims that are wrong by themselves.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = usize> {
        let wrong = |judgement: &Judgement| matches!(judgement.verdict, Verdict::Wrong | Verdict::Shape);
        (0..self.judged.len()).filter(move |&claim| self.judged[claim].as_ref().is_some_and(wrong))
    }

    /// The claims that hold.
    pub(crate) fn right(&self) -> Vec<&'a Claim> {
        let passes = |judged: &&Option<Judgement>| judged.as_ref().is_some_and(Judgement::passes);
        let claims = self.exact.claims.iter().zip(self.judged.iter());
        claims.filter(|(_, judged)| passes(judged)).map(|(claim, _)| claim).collect()
    }

    /// What is found of a suspect: one cause, or several that the data cannot tell apart, or what can be said where none is known.
    pub(crate) fn diagnoses(&self, number: usize) -> Vec<Diagnosis> {
        for cause in CAUSES {
            if let Some(found) = (cause.whole)(self, number) {
                return vec![found];
            }
        }
        // Of a derivative that is zero here rounding is left, which every expression may be a multiple of.
        if self.judged[number].as_ref().is_some_and(is_judged_as_map) {
            return vec![unexplained(&self.exact.claims[number], None)];
        }
        let Some(mut case) = self.case(number) else {
            let fix = self.derived(number, None);
            return vec![unexplained(&self.exact.claims[number], fix)];
        };
        if self.judged[number].as_ref().is_some_and(is_right_here) {
            return self.of_what_is_right_here(number, &case);
        }
        let Some(expr) = &self.exact.claims[number].expr else { return fit(self, number, &case) };
        let mut flagged = self.with_flags(number);
        let depth = if flagged.is_some() { Depth::Singles } else { Depth::Pairs };
        let mut own = search_costed(self, number, &case, expr, depth);
        if let Some(with_flags) = flagged.take_if(|_| own.is_none()) {
            // One slip that is right where flags are flags still is likelier than two that are right for any numbers.
            own = search_costed(self, number, &with_flags, expr, Depth::Singles);
            if own.is_some() {
                self.spend(&case);
                case = with_flags;
            } else {
                own = search_costed(self, number, &case, expr, Depth::Pairs);
                self.spend(&with_flags);
                flagged = Some(with_flags);
            }
        }
        self.spend(&case);
        let depth = if own.is_some() { Depth::Singles } else { Depth::Pairs };
        let in_definition = in_index_notation(self, number, depth);
        // Of slips that are as likely it is the claim's own; but what is changed at the very name of a definition that is wrong
        // by itself is not the claim's.
        let at_name =
            own.iter().any(|(_, found)| found.iter().any(|found| self.is_name(&case, expr, found.span)));
        let own = own.map(|(cost, found)| (if at_name { u32::MAX } else { cost }, found));
        let in_loop = in_loops(self, number);
        let likeliest = own.into_iter().chain(in_definition).chain(in_loop).min_by_key(|(cost, _)| *cost);
        let mut found = likeliest.map_or_else(Vec::new, |(_, found)| found);
        if found.is_empty()
            && case.resized
            && self.has_sizes_as_numbers()
            && let Some(case) = self.at_own_sizes(number)
        {
            // What holds there may hold at those sizes only.
            found = search(self, number, &case, expr, Depth::Singles);
        }
        if found.is_empty()
            && let Some(flagged) = flagged
        {
            // What rests on flags, as `p - t` does on a target that is one-hot, is right where they are flags still.
            found = search(self, number, &flagged, expr, Depth::Pairs);
            if !found.is_empty() {
                case = flagged;
            }
        }
        for cause in CAUSES {
            (cause.refine)(&case, expr, &mut found);
        }
        if found.is_empty() {
            found = fit(self, number, &case);
        }
        // Of what is right in another layout it is the left side that is to be changed.
        let lacks = |found: &Diagnosis| found.fix.is_none() && found.cause != "vec-layout";
        if !found.is_empty() && !found.iter().any(lacks) {
            return found;
        }
        let fix = self.derived(number, Some(&case));
        if found.is_empty() {
            return vec![facts(&case, expr, fix)];
        }
        found.iter_mut().filter(|found| lacks(found)).for_each(|found| found.fix = fix.clone());
        found
    }

    /// What is found of a claim that is right on the data of the file: nothing can be seen of its mistake in its numbers.
    fn of_what_is_right_here(&self, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
        let Some(expr) = &self.exact.claims[number].expr else { return Vec::new() };
        let found = search(self, number, case, expr, Depth::Pairs);
        self.spend(case);
        match found.is_empty() {
            true => vec![unexplained(&self.exact.claims[number], self.derived(number, Some(case)))],
            false => found,
        }
    }

    /// Does the name of a definition in index notation that may be wrong stand at a place, in a claim or behind it?
    fn is_name(&self, case: &Case<'_>, expr: &Expr, span: Span) -> bool {
        let behind = self.file.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Definition(definition) => Some(&definition.expr),
            _ => None,
        });
        std::iter::once(expr).chain(behind).any(|expr| {
            let mut is_name = false;
            expr.walk(&mut |part| {
                let base = match &part.kind {
                    ExprKind::Index { base, .. } => &base.kind,
                    kind => kind,
                };
                let is_beside = matches!(base, ExprKind::Name(name) if case.beside.contains(name));
                is_name |= part.span == span && is_beside;
            });
            is_name
        })
    }

    /// Takes the candidates of a case off those that are left for the file.
    pub(crate) fn spend(&self, case: &Case<'_>) {
        self.left.set(self.left.get().saturating_sub(case.spent()));
    }

    /// Is what is claimed of one derivative another one, on the data of the file?
    pub(crate) fn claims_other(&self, number: usize, other: usize) -> bool {
        let is_other = || {
            let Claimed::Value { val, .. } = &self.exact.claims[number].claimed else { return None };
            let expected = self.judged[other].as_ref()?.expected.as_ref()?;
            Some(val.array().ok()?.is_near(expected, CLOSE))
        };
        is_other().unwrap_or(false)
    }

    /// How far a corrected claim is from the routes, where it holds.
    pub(crate) fn accepted(&self, number: usize, expr: &Expr) -> Option<f64> {
        let replaced = self.replaced(&self.own, number)?;
        self.holds(number, &self.exact.reclaimed(number, expr, &replaced).ok()?)
    }

    /// Is an expression that fits a case the derivative on more data too? What counts signs agrees on little data by chance.
    pub(crate) fn is_confirmed(&self, number: usize, case: &Case<'_>, expr: &Expr) -> bool {
        let Some(stated) = layout_of(case.claim) else { return false };
        let make = || {
            let mut probes = redrawn(self.file, self.exact, self.inputs, self.base_dir);
            let others = relabelled(self.file, self.exact, self.inputs, self.base_dir);
            probes.extend(others.into_iter().filter(|probe| self.is_right_on(probe)));
            probes
        };
        self.redrawn.get_or_init(make).iter().all(|probe| {
            let truth = probe.truth(number).filter(|truth| truth.tensor().max_abs() > 0.0);
            let (Some(truth), Some(replaced)) = (truth, self.replaced(probe, number)) else { return true };
            let close = self.precision(number);
            Trial::new(&probe.program, number, stated, replaced, truth, close).like(case.own()).fits(expr)
        })
    }

    /// Do all claims hold on other data that are expressions and hold on those of the file?
    fn is_right_on(&self, probe: &Probe) -> bool {
        let passes = |number: &usize| self.judged[*number].as_ref().is_some_and(Judgement::passes);
        (0..self.judged.len()).filter(passes).all(|number| {
            let claim = &self.exact.claims[number];
            let (Some(expr), Some(stated)) = (&claim.expr, layout_of(claim)) else { return true };
            let (Some(truth), Some(replaced)) = (probe.truth(number), self.replaced(probe, number)) else {
                return true;
            };
            Trial::new(&probe.program, number, stated, replaced, truth, self.precision(number))
                .is_derivative(expr)
        })
    }

    /// How far a value is from the routes of a claim, where it holds as one.
    pub(crate) fn holds(&self, number: usize, value: &Val) -> Option<f64> {
        let claim = &self.exact.claims[number];
        let numbers = Numbers::of(value).ok()?.in_layout(layout_of(claim)?);
        let judgement = judge(&subject(claim), &numbers).ok()?;
        judgement.passes().then_some(judgement.max_abs_error.unwrap_or(0.0))
    }

    /// A wrong claim and the data on which candidates are tried. `None` for one about a shape, and where the derivative is
    /// not known or zero: everything that vanishes would fit.
    pub(crate) fn case(&self, number: usize) -> Option<Case<'_>> {
        self.case_on(number, self.fresh(), |_| true)
    }

    /// The same where sizes without a name are what they are.
    pub(crate) fn case_by_name(&self, number: usize) -> Option<Case<'_>> {
        self.case_on(number, self.fresh(), |probe| !probe.literal)
    }

    /// The same without data of other sizes.
    fn at_own_sizes(&self, number: usize) -> Option<Case<'_>> {
        self.case_on(number, self.fresh(), |probe| !probe.resized)
    }

    /// The same on data whose flags are flags still; none where the file states no such.
    fn with_flags(&self, number: usize) -> Option<Case<'_>> {
        let make = || flagged(self.file, self.exact, self.inputs, self.base_dir);
        let probes = self.flagged.get_or_init(make);
        if probes.is_empty() { None } else { self.case_on(number, probes, |_| true) }
    }

    /// May a size stand as a number somewhere: has an axis no name?
    fn has_sizes_as_numbers(&self) -> bool {
        let mut dims = self.exact.values.iter().flat_map(|value| value.val.dims());
        dims.any(|dim| dim.name().is_none() && dim.size() > 1)
    }

    fn case_on<'s>(
        &'s self,
        number: usize,
        fresh: &'s [Probe],
        wanted: impl Fn(&Probe) -> bool,
    ) -> Option<Case<'s>> {
        let claim = self.exact.claims.get(number)?;
        let stated = layout_of(claim)?;
        let Claimed::Value { val, .. } = &claim.claimed else { return None };
        let close = self.precision(number);
        let mut trials = Vec::new();
        let mut resized = false;
        for probe in fresh.iter().filter(|probe| wanted(probe)).chain([&self.own]) {
            // Numbers from elsewhere are nothing that the file could claim on other data.
            if !probe.claims_as(claim, number) {
                continue;
            }
            let Some(truth) = probe.truth(number).filter(|truth| truth.tensor().max_abs() > 0.0) else {
                continue;
            };
            let Some(replaced) = self.replaced(probe, number) else { continue };
            resized |= probe.resized;
            trials.push((probe, Trial::new(&probe.program, number, stated, replaced, truth, close)));
        }
        // Without the data of the file there is nothing to explain.
        if !trials.last().is_some_and(|(probe, _)| std::ptr::eq(*probe, &self.own)) {
            return None;
        }
        let trials: Vec<Trial<'_>> = trials.into_iter().map(|(_, trial)| trial).collect();
        // Where most candidates end.
        let most = trials.first().map_or(0.0, |trial| MOST_WORK / trial.work());
        let most = (most as usize).min(MOST_CANDIDATES).min(self.left.get());
        let shaped = trials.last()?.truth.in_shape(&val.shape(), stated).is_some();
        let indices = self.indices(claim);
        let usable = Usable::before(self.file, self.exact, number, &|claim| self.is_usable(number, claim));
        let beside = beside(self, number).into_iter().map(|definition| definition.name.text.clone());
        let mut case = Case::new(claim, trials, resized, indices, usable, shaped, most);
        case.beside = beside.chain(bound(self, number)).collect();
        case.holds =
            self.judged.get(number).is_some_and(|judged| judged.as_ref().is_some_and(Judgement::passes));
        Some(case)
    }

    /// A case in which these numbers are sought in the place of the derivative, on the same data, by edits of an expression
    /// that takes so many multiplications. `names` are what it may use beside the values of the file, on each set of data.
    pub(crate) fn backwards<'s>(
        &'s self,
        number: usize,
        case: &Case<'s>,
        numbers: &'s [Truth],
        names: &[Rc<HashMap<String, Val>>],
        work: f64,
    ) -> Case<'s> {
        let sought = case.trials.iter().zip(numbers).zip(names);
        let trials: Vec<Trial<'s>> =
            sought.map(|((trial, numbers), names)| trial.seeking(numbers, names)).collect();
        let usable = Usable::before(self.file, self.exact, number, &|_| true);
        let usable = match names.last().filter(|names| !names.is_empty()) {
            Some(names) => usable.with_names(names),
            None => usable,
        };
        let most = ((MOST_WORK / work) as usize).min(MOST_CANDIDATES / 2).min(self.left.get());
        Case::new(case.claim, trials, case.resized, None, usable, true, most).backwards()
    }

    /// How far claimed numbers may be from what they are meant to be, relatively: numbers from elsewhere not quite as far as the
    /// checker lets them be, which is meant for the worst of claims that may be right; expressions only as far as rounding in double precision takes them.
    fn precision(&self, number: usize) -> f64 {
        let measured = || {
            let judged = self.judged.get(number)?.as_ref()?;
            Some(judged.tolerance? / (SAFETY * judged.expected.as_ref()?.max_abs()))
        };
        match self.exact.claims[number].expr {
            Some(_) => CLOSE_TO_TRUTH,
            None => {
                measured().filter(|close| close.is_finite()).unwrap_or(OF_ANOTHER_SHAPE).max(CLOSE_TO_TRUTH)
            }
        }
    }

    /// Is something so on other data on which the claim has no numbers? The derivative stands in for these.
    pub(crate) fn unclaimed(&self, number: usize, ask: &mut dyn FnMut(&Trial<'_>) -> bool) -> bool {
        self.unclaimed_on(number, |_| true, ask)
    }

    /// The same where sizes without a name are what they are.
    pub(crate) fn unclaimed_by_name(&self, number: usize, ask: &mut dyn FnMut(&Trial<'_>) -> bool) -> bool {
        self.unclaimed_on(number, |probe| !probe.literal, ask)
    }

    fn unclaimed_on(
        &self,
        number: usize,
        wanted: impl Fn(&Probe) -> bool,
        ask: &mut dyn FnMut(&Trial<'_>) -> bool,
    ) -> bool {
        let claim = &self.exact.claims[number];
        let [wrt] = claim.wrt_names.as_slice() else { return false };
        for probe in self.fresh().iter().filter(|probe| wanted(probe)) {
            let mut program = probe.program.clone();
            let Some(x) = program.find(wrt) else { return false };
            let shape: Vec<usize> = claim.of.shape().into_iter().chain(x.val.shape()).collect();
            let Ok(zeros) = Array::zeros(&shape, pullback_array::DType::F64) else { return false };
            let Ok(number) = program.claim_numbers(&claim.of_name, wrt, &zeros) else { return false };
            let probe = Probe::new(program, probe.resized);
            let Some(truth) = probe.truth(number) else { continue };
            let trial = Trial::new(
                &probe.program,
                number,
                ClaimLayout::Either,
                HashMap::new(),
                truth,
                CLOSE_TO_TRUTH,
            );
            if !ask(&trial) {
                return false;
            }
        }
        true
    }

    /// The same on the data of the file.
    pub(crate) fn off_here(&self, number: usize) -> Option<f64> {
        self.off(&self.own, number)
    }

    /// How far a claim is off on other data, as a share of the derivative's largest entry; none where that says nothing.
    pub(crate) fn off(&self, probe: &Probe, number: usize) -> Option<f64> {
        let claim = self.exact.claims.get(number)?;
        let expr = claim.expr.as_ref().filter(|_| probe.claims_as(claim, number))?;
        let truth = probe.truth(number).filter(|truth| truth.tensor().max_abs() > 0.0)?;
        let value = probe.program.reclaimed(number, expr, &self.replaced(probe, number)?).ok()?;
        let claimed = value.array().ok().filter(|array| array.all_finite())?;
        let expected = truth.in_shape(claimed.shape(), layout_of(claim)?)?;
        let difference = claimed.zip(&expected, "compare", |a, b| a - b, |a, b| a - b).ok()?;
        let off = difference.max_abs() / expected.max_abs();
        // Of a derivative whose terms cancel rounding leaves nothing to be off from: then the claim has to be wrong there.
        if off > CLOSE_ON_OTHER_DATA {
            let numbers = Numbers::of(&value).ok()?.in_layout(layout_of(claim)?);
            let judgement = judge(&subject(probe.program.claims.get(number)?), &numbers).ok()?;
            return (judgement.verdict == Verdict::Wrong).then_some(off);
        }
        Some(off)
    }

    /// Does what is claimed agree with autograd on other data? `None` where that says nothing.
    pub(crate) fn agrees_on(&self, probe: &Probe, number: usize, claimed: &Array) -> Option<bool> {
        let expected =
            probe.truth(number)?.in_shape(claimed.shape(), layout_of(&self.exact.claims[number])?)?;
        let difference = claimed.zip(&expected, "compare", |a, b| a - b, |a, b| a - b).ok()?;
        Some(difference.max_abs() <= CLOSE_ON_OTHER_DATA * expected.max_abs())
    }

    /// What is said of a claim on other data, where claims that it refers to have other values.
    pub(crate) fn judged_on(
        &self,
        probe: &Probe,
        number: usize,
        replaced: &HashMap<usize, Val>,
    ) -> Option<Judgement> {
        let claim = probe.program.claims.get(number)?;
        let Claimed::Value { layout: stated, zeros, .. } = claim.claimed else { return None };
        let value = probe.program.reclaimed(number, claim.expr.as_ref()?, replaced).ok()?;
        let numbers = Numbers::of(&value).ok()?.in_layout(layout(stated)).written_as_zeros(zeros);
        judge(&subject(claim), &numbers).ok()
    }

    /// The true values on other data of the claims that a claim refers to.
    pub(crate) fn truths(&self, probe: &Probe, number: usize) -> Option<HashMap<usize, Val>> {
        self.replaced(probe, number)
    }

    fn fresh(&self) -> &[Probe] {
        self.fresh.get_or_init(|| fresh(self.file, self.exact, self.inputs, self.base_dir, self.elsewhere))
    }

    /// The index names of a claim entry by entry.
    fn indices(&self, claim: &Claim) -> Option<Vec<Name>> {
        let statement = self.file.statements.iter().find(|statement| statement.span == claim.span)?;
        match &statement.kind {
            StatementKind::EntryClaim(EntryClaim { of_indices, wrt_indices, .. }) => {
                Some(of_indices.iter().chain(wrt_indices).cloned().collect())
            }
            _ => None,
        }
    }

    /// Is a claim wrong, by itself or by others?
    fn is_wrong(&self, claim: usize) -> bool {
        self.judged.get(claim).is_some_and(|judged| judged.as_ref().is_some_and(is_wrong))
    }

    /// May a corrected claim be built upon another one? Upon what it refers to, which has its true value then; else neither
    /// upon a wrong one, whose numbers will be others once it is put right, nor upon what has nothing to do with it.
    pub(crate) fn is_usable(&self, number: usize, other: usize) -> bool {
        let claims = &self.exact.claims;
        let is_behind = || graph_of(&claims[number].of).contains_key(&claims[other].of.id());
        referred(self.exact, number).contains(&other) || !self.is_wrong(other) && is_behind()
    }

    /// Does a claim refer to one that is wrong, directly or through others?
    pub(crate) fn refers_to_wrong(&self, number: usize) -> bool {
        referred(self.exact, number).into_iter().any(|claim| self.is_wrong(claim))
    }

    /// The true values of the wrong claims that a claim refers to; on other data than the file's, of all of them: what
    /// holds on one row only is no mistake of the claims that use it.
    fn replaced(&self, probe: &Probe, number: usize) -> Option<HashMap<usize, Val>> {
        let is_own = std::ptr::eq(probe, &self.own);
        let mut replaced = HashMap::new();
        for claim in referred(self.exact, number) {
            let truth = || in_layout_of(probe.truth(claim)?, &self.exact.claims[claim]);
            match self.is_wrong(claim) {
                true => drop(replaced.insert(claim, Val::new(truth()?))),
                false if is_own => {}
                false => replaced.extend(truth().map(|truth| (claim, Val::new(truth)))),
            }
        }
        Some(replaced)
    }
}

/// The layout of a claim about a value.
fn layout_of(claim: &Claim) -> Option<ClaimLayout> {
    match claim.claimed {
        Claimed::Value { layout: stated, .. } => Some(layout(stated)),
        Claimed::Shape(_) => None,
    }
}

/// A derivative in the shape in which a claim states it, or else in the usual one.
fn in_layout_of(truth: &Truth, claim: &Claim) -> Option<Array> {
    let Claimed::Value { val, .. } = &claim.claimed else { return None };
    let stated = layout_of(claim)?;
    let (y, x) = truth.sides();
    let usual = shapes(y, x, stated).into_iter().next()?;
    // A probe may have other sizes: of the claim's shape the number of axes counts.
    let alike = shapes(y, x, stated).into_iter().find(|shape| shape.len() == val.ndim());
    truth.in_shape(&alike.unwrap_or(usual), stated)
}
