//! What the routes say of a claim, before anything is concluded from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pullback_array::{Array, DType, Precision};
use pullback_autograd::{jacobian, pullback};
use pullback_network::Value;
use pullback_ops::{Error, Result, Val};

use crate::allowance::Shared;
use crate::claim::{Claim, Subject};
use crate::conclude::{Equals, Point, Rules, Says, entry};
use crate::convention::Fitted;
use crate::flips::Flips;
use crate::kink::OneSided;
use crate::limits::{MOST_ROUNDING, MOST_TRUNCATION};
use crate::routes::Derivative;
use crate::survey::Surveyed;
use crate::symmetric::Moves;

/// A subject as a first derivative: a Hessian is the derivative of a gradient, a third derivative that of a Hessian.
pub(crate) struct Reduced<'a> {
    pub subject: &'a Subject,
    /// What is differentiated by all but the last, one after the other: the value itself, its first derivative, and so on.
    pub before: Vec<Val>,
    pub y: Val,
    pub moves: Moves,
}

impl<'a> Reduced<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Result<Reduced<'a>> {
        for value in [&subject.of, subject.last()] {
            if value.dtype() != DType::F64 {
                return Err(Error::new(format!("a derivative of {} is not judged", value.dtype()))
                    .with_hint("give the program in f64, on the rounded inputs, and the claim's numbers in their own dtype"));
            }
        }
        let fixed: Vec<&Val> = subject.fixed.iter().collect();
        let (mut y, mut before) = (subject.of.clone(), Vec::new());
        for x in &subject.wrt[..subject.wrt.len() - 1] {
            let next = if y.ndim() == 0 {
                let gradient = pullback(&[(&y, &y.one())], &[x], &fixed)?.remove(0);
                gradient.map_or_else(|| pullback_autograd::zeros(x), Ok)?
            } else {
                jacobian(&y, x, &fixed)?.to_dense()?
            };
            before.push(std::mem::replace(&mut y, next));
        }
        Ok(Reduced { subject, before, y, moves: Moves::Freely })
    }

    pub(crate) fn derivative(&self) -> Derivative<'_> {
        let fixed = self.subject.fixed.iter().collect();
        Derivative { y: &self.y, x: self.subject.last(), fixed, moves: self.moves }
    }
}

/// A claim of the right shape, and what it is held against.
pub(crate) struct Case<'a> {
    pub reduced: &'a Reduced<'a>,
    pub claim: &'a Claim,
    pub tensor: Array,
    pub y: Vec<usize>,
    pub x: Vec<usize>,
    /// What is known of the derivative before it is claimed.
    pub known: Option<&'a Surveyed>,
}

/// The difference of one entry from one route, and how far it may be off.
#[derive(Clone, Copy)]
pub(crate) struct Gap {
    pub position: usize,
    pub error: f64,
    pub tolerance: f64,
}

impl Gap {
    pub(crate) fn new(position: usize, a: f64, b: f64, tolerance: f64) -> Gap {
        Gap { position, error: (a - b).abs(), tolerance }
    }

    /// Those that are beyond their tolerances, and of the others the one with the largest error and the one closest to its tolerance:
    /// of all that are within no more is said.
    pub(crate) fn loudest(gaps: impl Iterator<Item = Gap>) -> Vec<Gap> {
        let (mut loud, mut largest, mut closest): (Vec<Gap>, Option<Gap>, Option<Gap>) =
            (Vec::new(), None, None);
        for gap in gaps {
            if gap.ratio() > 1.0 || gap.error.is_nan() {
                loud.push(gap);
                continue;
            }
            if largest.is_none_or(|most| gap.error > most.error) {
                largest = Some(gap);
            }
            if closest.is_none_or(|most| gap.ratio() > most.ratio()) {
                closest = Some(gap);
            }
        }
        loud.extend(largest.into_iter().chain(closest));
        loud
    }

    /// The error in units of its tolerance; 0 where there is no error.
    pub(crate) fn ratio(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { self.error / self.tolerance }
    }
}

pub(crate) fn largest_error(gaps: &[Gap]) -> f64 {
    gaps.iter().map(|gap| gap.error).fold(0.0, f64::max)
}

/// The gap that speaks loudest: of those beyond their tolerance the largest, else the one closest to its tolerance.
pub(crate) fn worst(gaps: &[Gap]) -> Option<Gap> {
    let rank = |gap: &Gap| if gap.ratio() > 1.0 { (true, gap.error) } else { (false, gap.ratio()) };
    gaps.iter().copied().max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal))
}

/// What the routes say of a claim.
pub(crate) struct Evidence {
    pub claimed: Vec<f64>,
    /// How many entries a direction speaks of, those of a row; all of them, where rows were seen in sums alone.
    pub of_row: usize,
    pub derived: Derived,
    /// How far rounding may have moved each entry of the claim, and of autograd where that has been computed entry by entry.
    pub rounding: Vec<f64>,
    /// How far rounding of other code is measured to move each entry, before any factor.
    pub measured: Vec<f64>,
    /// How far it may move all of them together.
    pub shared: Option<Shared>,
    /// How far it may have moved the routes. Where the claim was computed in few digits the routes were not.
    pub of_routes: Vec<f64>,
    /// The claim against autograd, against the network, against finite differences.
    pub by_autograd: Vec<Gap>,
    pub by_network: Vec<Gap>,
    pub by_differences: Vec<Gap>,
    /// Autograd against the other two.
    pub among_routes: Vec<Gap>,
    /// What lies at a kink.
    pub kinks: Vec<AtKink>,
    /// Finite differences, entry by entry.
    pub estimates: Option<Vec<f64>>,
    /// Entries that are not zero and of which finite differences can tell nothing.
    pub unseen: usize,
    /// How far an entry may be from what finite differences say of it, at the most; and where they were taken entry by entry,
    /// how far each may be.
    pub truncation: f64,
    pub truncations: Vec<f64>,
    /// Entries of which too few digits are left, where most are left enough.
    pub blind: Vec<usize>,
    /// How far autograd is from another route, in tolerances, at the most.
    pub contradiction: f64,
    pub no_path: bool,
    pub scale: Scale,
    /// Choices that the claim makes otherwise; what they move it by is taken off it.
    pub flips: Option<Flips>,
    /// Entries that are at a kink of an operation and that finite differences see one slope of, another than the rules give.
    pub composed: Fitted,
    /// Entries at a kink whose slopes differences did not see one by one, and intervals that their derivatives lie in.
    pub unmeasured: BTreeMap<usize, (f64, f64)>,
    /// How many entries differences were seen to have one slope of beside kinks, along directions of such entries alone.
    pub seen_to_fit: usize,
    /// Was it found together with others? Then slopes of entries at kinks were seen together, too.
    pub together: bool,
    /// Does the gradient that a Hessian is the derivative of disagree with finite differences?
    pub gradient_disagrees: bool,
}

/// What autograd says.
pub(crate) enum Derived {
    /// Of all, as doubles in their order.
    All(Array),
    /// Of these entries alone.
    Some(HashMap<usize, f64>),
}

/// Sums of squares: of the entries of which rounding leaves half at least, and of all.
#[derive(Default)]
pub(crate) struct Told {
    told: f64,
    all: f64,
}

impl Told {
    pub(crate) fn add(&mut self, entry: f64, rounding: f64) {
        self.all += entry * entry;
        if 2.0 * rounding <= entry.abs() {
            self.told += entry * entry;
        }
    }

    /// The share of the former; none of nothing.
    pub(crate) fn share(&self) -> f64 {
        if self.all > 0.0 { self.told / self.all } else { 0.0 }
    }
}

/// How large a derivative is beside what rounding may do to it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scale {
    /// Is each entry no larger than its rounding errors?
    pub zero: bool,
    /// The largest entry.
    pub largest: f64,
    /// The largest rounding error of an entry of the claim.
    pub rounding: f64,
    /// The share of the derivative, as a sum of squares, in entries of which rounding leaves half at least.
    pub told: f64,
}

impl Scale {
    pub(crate) fn of(entries: &[f64], of_routes: impl IntoIterator<Item = f64>, rounding: &[f64]) -> Scale {
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0f64, |largest, a| largest.max(a.abs()));
        let zero = entries.iter().zip(of_routes).all(|(entry, error)| entry.abs() <= error);
        // In units of the largest, whose square may be none that there is.
        let (mut told, most) = (Told::default(), largest(entries));
        entries.iter().zip(rounding).for_each(|(entry, rounding)| told.add(entry / most, rounding / most));
        Scale { zero, largest: most, rounding: largest(rounding), told: told.share() }
    }
}

impl Evidence {
    /// Nothing is known.
    pub(crate) fn empty(no_path: bool) -> Evidence {
        Evidence {
            claimed: Vec::new(),
            of_row: usize::MAX,
            derived: Derived::Some(HashMap::new()),
            rounding: Vec::new(),
            measured: Vec::new(),
            shared: None,
            of_routes: Vec::new(),
            by_autograd: Vec::new(),
            by_network: Vec::new(),
            by_differences: Vec::new(),
            among_routes: Vec::new(),
            kinks: Vec::new(),
            estimates: None,
            unseen: 0,
            truncation: 0.0,
            truncations: Vec::new(),
            blind: Vec::new(),
            contradiction: 0.0,
            no_path,
            scale: Scale::default(),
            flips: None,
            composed: Fitted::default(),
            unmeasured: BTreeMap::new(),
            seen_to_fit: 0,
            together: false,
            gradient_disagrees: false,
        }
    }

    /// What is said of each entry, and of each direction by the first entry of its row.
    pub(crate) fn says(&self) -> Vec<(usize, Says)> {
        let disagrees = |gap: &Gap| gap.ratio() > 1.0;
        let off = |gaps: &[Gap]| -> BTreeSet<usize> {
            gaps.iter().filter(|gap| disagrees(gap)).map(|gap| gap.position).collect()
        };
        let (by_autograd, by_network) = (off(&self.by_autograd), off(&self.by_network));
        let is_rules = |p: usize| !by_autograd.contains(&p) && !by_network.contains(&p);
        // A direction leaves out what lies at kinks, and each entry whose pieces fit together is held against its slope.
        let is_left_out = |p: usize| {
            self.kink_at(p).is_some()
                || self.unmeasured.contains_key(&p)
                || self.composed.entries.contains_key(&p)
        };
        let is_rules_along = |row: usize| {
            let mut off = by_autograd.iter().chain(&by_network);
            !off.any(|&p| p / self.of_row == row && !is_left_out(p))
        };
        let disputed = off(&self.among_routes);
        let seen: BTreeSet<usize> = self.by_differences.iter().map(|gap| gap.position).collect();
        let by_entries = self.estimates.is_some();
        let is_composed = |p: usize| match by_entries {
            true => self.composed.entries.contains_key(&p),
            false => self.composed.entries.keys().any(|other| other / self.of_row == p / self.of_row),
        };
        let mut says = Vec::new();
        for gap in &self.by_differences {
            let p = gap.position;
            let is_rules = if by_entries { is_rules(p) } else { is_rules_along(p / self.of_row) };
            let rules = match disputed.contains(&p) {
                false => Rules::Agree,
                true if is_composed(p) => Rules::Convention,
                true => Rules::Disagree,
            };
            says.push((p, entry(Point::Smooth, rules, equals(is_rules, !disagrees(gap)))));
        }
        for kink in &self.kinks {
            let rules = if kink.holds(kink.stated) { Rules::Agree } else { Rules::Convention };
            let equals = equals(kink.follows(), kink.holds(kink.claimed));
            says.push((kink.position, entry(Point::Kink, rules, equals)));
        }
        // What differences tell of by directions, or not at all.
        for gap in &self.by_autograd {
            let p = gap.position;
            if self.kink_at(p).is_some()
                || by_entries && seen.contains(&p)
                || self.composed.entries.contains_key(&p)
            {
                continue;
            }
            if by_entries && self.blind.contains(&p) && is_rules(p) {
                continue;
            }
            let (point, is_slope) = match self.unmeasured.get(&p) {
                _ if by_entries => (Point::Unseen, is_rules(p)),
                Some(&(least, most)) => {
                    (Point::Kink, between(self.claimed[p], least, most, self.rounding[p]))
                }
                None => (Point::Smooth, is_rules(p)),
            };
            says.push((p, entry(point, Rules::Agree, equals(is_rules(p), is_slope))));
        }
        if !by_entries {
            for (&p, &slope) in &self.composed.entries {
                let is_slope = (self.claimed[p] - slope).abs() <= self.rounding[p];
                says.push((p, entry(Point::Smooth, Rules::Convention, equals(is_rules(p), is_slope))));
            }
        }
        if self.gradient_disagrees {
            says.push((0, entry(Point::Smooth, Rules::Disagree, Equals::Both)));
        }
        says
    }

    /// The claim against what the rules give, and where conventions do not compose against what they ought to come to.
    pub(crate) fn against_right(&self) -> Vec<Gap> {
        let composed = &self.composed.entries;
        let own = self.by_autograd.iter().filter(|gap| !composed.contains_key(&gap.position)).copied();
        let fitted =
            composed.iter().map(|(&p, &slope)| Gap::new(p, self.claimed[p], slope, self.rounding[p]));
        own.chain(fitted).collect()
    }

    /// Leaves out of what is judged the entries of which finite differences, and rounding where it is asked, leave too few digits beside
    /// the largest of the others, where that is no more than half of them: the rest could have failed.
    pub(crate) fn leave_out_blind(&mut self, by_rounding: bool) {
        let Derived::All(derived) = &self.derived else { return };
        let derived = derived.as_f64();
        let truncation = |p: usize| self.truncations.get(p).copied().unwrap_or(0.0);
        let is_told = |p: usize, largest: f64| {
            (!by_rounding || self.rounding[p] <= MOST_ROUNDING * largest)
                && truncation(p) <= MOST_TRUNCATION * largest
        };
        let most = |largest: f64, of: &dyn Fn(usize) -> f64| {
            (0..derived.len()).filter(|&p| is_told(p, largest)).fold(0.0f64, |most, p| most.max(of(p)))
        };
        // What is not told beside the largest entry is not told beside a smaller one.
        let mut largest = derived.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        loop {
            let told = (0..derived.len()).filter(|&p| is_told(p, largest)).count();
            if told == derived.len() || 2 * told < derived.len() {
                return;
            }
            let of_told = most(largest, &|p| derived[p].abs());
            if of_told == largest {
                break;
            }
            largest = of_told;
        }
        let rounding = most(largest, &|p| self.rounding[p]);
        let truncation = match self.truncations.is_empty() {
            true => self.truncation,
            false => most(largest, &|p| self.truncations[p]),
        };
        self.blind = (0..derived.len()).filter(|&p| !is_told(p, largest)).collect();
        (self.scale.largest, self.scale.rounding, self.truncation) = (largest, rounding, truncation);
    }

    /// What autograd says of one entry, where that has been computed.
    pub(crate) fn derived(&self, position: usize) -> Option<f64> {
        match &self.derived {
            Derived::All(entries) => Some(entries.as_f64()[position]),
            Derived::Some(entries) => entries.get(&position).copied(),
        }
    }

    /// The same, where all have been.
    pub(crate) fn stated(&self, position: usize) -> f64 {
        self.derived(position).unwrap_or(f64::NAN)
    }

    /// What the claim's other choices move an entry by.
    pub(crate) fn moved_by_choices(&self, position: usize) -> f64 {
        self.flips.as_ref().map_or(0.0, |flips| flips.moves[position])
    }

    /// What finite differences say of one entry.
    pub(crate) fn difference(&self, position: usize) -> Option<f64> {
        self.estimates.as_ref().map(|estimates| estimates[position]).filter(|estimate| estimate.is_finite())
    }

    /// The entry of which the routes disagree the most: the one sought out, where one was.
    pub(crate) fn contradicted_at(&self) -> usize {
        let sought = self.among_routes.iter().find(|gap| gap.error == f64::INFINITY);
        sought.copied().or_else(|| worst(&self.among_routes)).map_or(0, |gap| gap.position)
    }

    /// The kink that an entry is at.
    pub(crate) fn kink_at(&self, position: usize) -> Option<&AtKink> {
        let found = self.kinks.binary_search_by_key(&position, |kink| kink.position);
        found.ok().map(|at| &self.kinks[at])
    }

    /// In the order of the tensor.
    pub(crate) fn at_kinks(&self, kinks: &[OneSided]) -> Vec<AtKink> {
        let at_kink = |&OneSided { at, left, right, error }: &OneSided| {
            let (claimed, tolerance) = (self.claimed[at], self.rounding[at]);
            // Where other pieces fit together at a kink, their slope beside its convention is conventional too.
            let fitted = self.composed.beside_kinks.get(&at).copied();
            let stated = fitted.filter(|fitted| (claimed - fitted).abs() <= tolerance);
            let stated = stated.unwrap_or_else(|| self.stated(at));
            AtKink { position: at, left, right, error, claimed, stated, tolerance }
        };
        let mut all: Vec<AtKink> = kinks.iter().map(at_kink).collect();
        all.sort_by_key(|kink| kink.position);
        all
    }
}

/// An entry at a kink.
#[derive(Clone, Copy)]
pub(crate) struct AtKink {
    pub position: usize,
    pub left: f64,
    pub right: f64,
    /// How far the slopes may be off.
    pub error: f64,
    pub claimed: f64,
    /// What the conventions of the operations give.
    pub stated: f64,
    pub tolerance: f64,
}

impl AtKink {
    /// Is this what is claimed, within the error of a slope?
    pub(crate) fn is_claimed(&self, value: f64) -> bool {
        between(self.claimed, value, value, self.tolerance + self.error)
    }

    /// Does the claim follow the conventions?
    pub(crate) fn follows(&self) -> bool {
        (self.claimed - self.stated).abs() <= self.tolerance
    }

    /// Does a value lie between the slopes?
    pub(crate) fn holds(&self, value: f64) -> bool {
        between(value, self.left, self.right, self.tolerance + self.error)
    }
}

/// What a claim equals that is what the rules give, and what differences saw, or is not.
fn equals(rules: bool, slope: bool) -> Equals {
    match (rules, slope) {
        (true, true) => Equals::Both,
        (true, false) => Equals::Rules,
        (false, true) => Equals::Slope,
        (false, false) => Equals::Neither,
    }
}

/// Does a value lie between two slopes, within a tolerance?
pub(crate) fn between(value: f64, left: f64, right: f64, tolerance: f64) -> bool {
    (left.min(right) - tolerance..=left.max(right) + tolerance).contains(&value)
}

/// What entries of a row that are off by `errors` add up to along a direction.
pub(crate) fn reach(errors: &[f64], weights: &[f64]) -> f64 {
    errors.iter().zip(weights).map(|(error, weight)| error * weight.abs()).sum()
}

/// How far a number that other code computed in some precision may be off, where the result moves by `spread` times the
/// machine epsilon of a precision in which all intermediate results are rounded.
pub(crate) fn rounding_of(precision: Precision, spread: f64) -> f64 {
    // In 16 bits results are rounded when they are stored, by half an epsilon at the most: products and sums run in 32 bits.
    let rounded_inside = match precision {
        Precision::F16 | Precision::BF16 | Precision::TF32 => 0.5,
        Precision::F64 | Precision::F32 | Precision::Whole => 1.0,
    };
    rounded_inside * precision.epsilon() * spread + precision.underflow()
}

pub(crate) fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|w| w * w).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}

/// A derivative contracted with a direction of x: a number for each entry of y.
pub(crate) type Along<'a> = &'a dyn Fn(&Array) -> Result<Vec<f64>>;
