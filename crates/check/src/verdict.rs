//! What a judgement says.

use std::fmt;

use pullback_array::{Array, Precision};
use pullback_ops::Val;

use crate::conclude::{Facts, conclude};
use crate::not_finite::Operand;
use crate::symmetric::Moves;

/// The verdict on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It agrees with every route, within tolerances that could have failed it.
    Holds,
    /// It does not.
    Wrong,
    /// It holds once the wrong claims that it refers to are replaced by the true values.
    Inherited,
    /// The routes do not agree among themselves; or the claim is wrong, and no data at hand tells which of several causes it is.
    Ambiguous,
    /// The test could not have failed.
    Vacuous,
    /// The derivative does not exist at this point: the slopes on both sides differ.
    Kink,
    /// It has not the shape of the derivative.
    Shape,
    /// A number in the claim or in the program is infinite or NaN.
    NotFinite,
}

impl Verdict {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Wrong => "wrong",
            Verdict::Inherited => "inherited",
            Verdict::Ambiguous => "ambiguous",
            Verdict::Vacuous => "vacuous",
            Verdict::Kink => "kink",
            Verdict::Shape => "shape",
            Verdict::NotFinite => "not-finite",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a judgement says of one claim.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict: what [`conclude`] makes of the facts.
    pub verdict: Verdict,
    /// What is known of the claim.
    pub facts: Facts,
    /// The shape of the derivative, in the layout of the claim.
    pub shape: Vec<usize>,
    /// The shape of the claim, where it is not that.
    pub claimed_shape: Option<Vec<usize>>,
    /// The largest difference of the claim from the routes. Absent where the shapes differ.
    pub max_abs_error: Option<f64>,
    /// The tolerance of the worst entry.
    pub tolerance: Option<f64>,
    /// The difference of the worst entry, in units of its tolerance.
    pub error_in_tolerances: Option<f64>,
    /// The largest difference of the claim from each route.
    pub routes: Routes,
    /// The worst entry: of those beyond their tolerance the one that deviates most, else the one closest to its tolerance.
    pub worst: Option<Entry>,
    /// What lies at a kink.
    pub kink: Option<Kink>,
    /// Where a number that is not finite arises.
    pub not_finite: Option<NotFinite>,
    /// Of a derivative that is zero although there is a path: the value that does not change, although what it is computed
    /// from does.
    pub unchanged: Option<Val>,
    /// The entries of a wrong claim that deviate from autograd by more than their tolerances, as positions in the tensor
    /// `[y…, x…]`; where all were tested together, those that were sought out.
    pub beyond: Vec<usize>,
    /// What else is to be said.
    pub notes: Vec<Note>,
    /// The derivative by autograd, in the layout of the claim.
    pub expected: Option<Array>,
}

impl Note {
    /// The word for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Note::NoPath => "no-path",
            Note::Independent { .. } => "independent",
            Note::Zero => "zero",
            Note::WithinTolerance { .. } => "too-few-digits",
            Note::Probes(_) => "probes",
            Note::Directions(_) => "directions",
            Note::Together(_) => "together",
            Note::NoEntries => "no-entries",
            Note::NoDifferences => "no-differences",
            Note::RoutesDisagree { .. } => "routes-disagree",
            Note::Unseen(_) => "unseen-entries",
            Note::Blind { .. } => "blind-entries",
            Note::BothNan(_) => "both-nan",
            Note::OutOfProportion { .. } => "out-of-proportion",
            Note::OneSided { .. } => "one-sided",
            Note::Composed { .. } => "conventions",
            Note::Symmetrised(_) => "symmetric-convention",
            Note::Unmeasured(_) => "unmeasured-kinks",
            Note::Rounded(_) => "rounded-entries",
            Note::Flat { .. } => "flat",
            Note::Flipped(_) => "turned-choices",
            Note::Coarser(_) => "coarser-arithmetic",
            Note::Narrow { .. } => "narrow-format",
            Note::EqualByBroadcasting => "equal-by-broadcasting",
            Note::OffElsewhere(_) => "off-on-other-data",
            Note::OffAtOtherSizes { .. } => "off-at-other-sizes",
            Note::OffAtOtherSigns(_) => "off-at-other-signs",
            Note::OtherDraw { .. } => "off-on-other-draws",
            Note::Hidden { .. } => "degenerate-data",
            Note::AsMap { .. } => "right-as-map",
            Note::WrongAsMap { .. } => "wrong-as-map",
            Note::RestsOn(_) => "mistakes-cancel",
        }
    }

    /// The entries that it speaks of, by their indices in the layout of the claim, where it names some.
    pub fn entries(&self) -> Option<&[usize]> {
        match self {
            Note::Blind { first, .. } | Note::Composed { first, .. } | Note::BothNan(first) => Some(first),
            _ => None,
        }
    }
}

impl Judgement {
    /// The judgement that these facts lead to.
    #[must_use]
    pub fn with(mut self, facts: Facts) -> Judgement {
        self.facts = facts;
        self.conclude();
        self
    }

    /// Draws the conclusion again, from facts that have become more.
    pub fn conclude(&mut self) {
        self.verdict = conclude(&self.facts);
    }

    /// May a check that meets this judgement succeed?
    pub fn passes(&self) -> bool {
        match self.verdict {
            Verdict::Holds => true,
            Verdict::Kink => self.kink.as_ref().is_some_and(|kink| kink.conventional),
            _ => false,
        }
    }

    /// The value of the program, or of the claim, that the verdict is due to: the one that makes a kink, the first that is
    /// not finite, or the one that does not change.
    pub fn due_to(&self) -> Option<&Val> {
        let kink = self.kink.as_ref().and_then(|kink| kink.origin.as_ref()).map(|origin| &origin.value);
        let not_finite = self.not_finite.as_ref().map(|found| &found.value);
        not_finite.or(kink).or(self.unchanged.as_ref())
    }
}

/// The largest difference of a claim from each route that was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Routes {
    /// From reverse mode, operation by operation.
    pub autograd: Option<f64>,
    /// From the Jacobian of the program, as one network.
    pub jacobian: Option<f64>,
    /// From finite differences of the forward pass.
    pub finite_difference: Option<f64>,
}

/// One entry of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its index, in the layout of the claim.
    pub at: Vec<usize>,
    /// What the claim says.
    pub claimed: f64,
    /// What autograd says.
    pub expected: f64,
    /// What finite differences say, where they were taken entry by entry.
    pub difference: Option<f64>,
}

/// A derivative at a kink.
#[derive(Clone, Debug)]
pub struct Kink {
    /// The entry, in the layout of the claim: the first that lies outside the interval, else the first that is not the value
    /// of the convention, else the first.
    pub at: Vec<usize>,
    /// The slope on the left.
    pub left: f64,
    /// The slope on the right.
    pub right: f64,
    /// Are these no slopes, but the least and the most that orders of elements that tie make of the entry?
    pub ordered: bool,
    /// What the claim says.
    pub claimed: f64,
    /// What the conventions of the operations give.
    pub stated: f64,
    /// How many entries of the derivative are at a kink.
    pub entries: usize,
    /// Does every claimed entry at a kink lie between its slopes? For one entry that is: is it a subgradient, where the
    /// function is convex, or the negative of one of its negative, where it is concave.
    pub inside: bool,
    /// What the claimed entries at kinks have in common.
    pub follows: Option<Follows>,
    /// Does the claim follow the stated conventions of the operations, whether or not these come to a value between the slopes?
    pub conventional: bool,
    /// The operation that makes the kink.
    pub origin: Option<KinkOrigin>,
}

impl Kink {
    /// The values between the slopes.
    pub fn interval(&self) -> [f64; 2] {
        [self.left.min(self.right), self.left.max(self.right)]
    }

    /// Are these values the subgradients by this entry: does the slope grow?
    pub fn is_convex(&self) -> bool {
        self.left <= self.right
    }
}

/// A choice at kinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Follows {
    /// The conventions that the operations state.
    Stated,
    /// Of elements that tie, all to the first.
    FirstOfTies,
    /// Of elements that tie, all to the last.
    LastOfTies,
    /// The slope on the left.
    Left,
    /// The slope on the right.
    Right,
    /// The mean of the slopes.
    Mean,
}

impl Follows {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Follows::Stated => "stated",
            Follows::FirstOfTies => "first-of-ties",
            Follows::LastOfTies => "last-of-ties",
            Follows::Left => "left",
            Follows::Right => "right",
            Follows::Mean => "mean",
        }
    }
}

/// The operation that makes a kink: the first, in forward order, whose input is at a kink that this entry of the derivative
/// depends on.
#[derive(Clone, Debug)]
pub struct KinkOrigin {
    /// Its name.
    pub op: &'static str,
    /// Its result.
    pub value: Val,
    /// Where in its input.
    pub at: Vec<usize>,
    /// Its convention, as the op table states it; none for a mask of the program.
    pub convention: Option<String>,
}

/// A number that is infinite or NaN, where it arises.
#[derive(Clone, Debug)]
pub struct NotFinite {
    /// In the claim, in the program, or in a derivative of it.
    pub arises: Arises,
    /// How.
    pub what: What,
    /// The result of the operation that makes it, or what was given.
    pub value: Val,
    /// Where in it; empty where that cannot be told.
    pub at: Vec<usize>,
    /// The number; of a slope that is not finite, the slope.
    pub entry: f64,
    /// What the operation made it of, where it works entry by entry.
    pub operands: Vec<Operand>,
}

/// Where a number that is not finite arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arises {
    /// In the expression of the claim.
    Claim,
    /// On the way to what is differentiated.
    Program,
    /// In its derivative alone.
    Derivative,
}

impl Arises {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Arises::Claim => "claim",
            Arises::Program => "program",
            Arises::Derivative => "derivative",
        }
    }
}

/// How a number that is not finite arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// It was given: drawn, written or loaded.
    Given,
    /// The operation has no value there: 0/0, the logarithm of −1.
    Undefined,
    /// It has a pole there: 1/0, the logarithm of 0.
    Pole,
    /// The result is too large for the number format.
    Overflow,
    /// The operation has a value there, and no finite slope: the square root at 0.
    Slope,
}

impl What {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            What::Given => "given",
            What::Undefined => "undefined",
            What::Pole => "pole",
            What::Overflow => "overflow",
            What::Slope => "slope",
        }
    }
}

/// Arithmetic that is coarser than the precision of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coarser {
    /// Sums run in these 16 bits too.
    Sums(Precision),
    /// Operands of products are rounded to TF32.
    Tf32,
}

/// How the entries of a value are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Same {
    /// Each is this number.
    Entries(f64),
    /// It is an identity matrix.
    Identity,
}

/// What else is to be said of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The derivative is zero by construction: there is no path, or each passes what is piecewise constant.
    NoPath,
    /// The derivative is zero since there is no path: what is differentiated does not depend on what it is differentiated by.
    Independent {
        /// The name of what is differentiated.
        of: String,
        /// The name of what it is differentiated by.
        wrt: String,
    },
    /// The derivative is zero, although there is a path.
    Zero,
    /// Rounding, or the error of finite differences, leaves the derivative too few digits to be judged by.
    WithinTolerance {
        /// How far an entry may be off.
        uncertainty: f64,
        /// The largest entry of the derivative; for one that is zero, the slope that it might have had.
        size: f64,
    },
    /// The entries are so many that autograd and the Jacobian were asked for this many random sums of rows, with signs.
    Probes(usize),
    /// Finite differences were taken along this many random directions.
    Directions(usize),
    /// The routes were taken once for all claims about the same output, along this many random directions that move all that is
    /// claimed at once.
    Together(usize),
    /// The derivative has no entries.
    NoEntries,
    /// Finite differences could tell nothing.
    NoDifferences,
    /// Autograd disagrees with the contracted Jacobian, or with finite differences.
    RoutesDisagree {
        /// The largest difference in units of its tolerance.
        in_tolerances: f64,
    },
    /// So many entries that are not zero are too small beside what finite differences can tell of them; they agree with
    /// autograd and the Jacobian.
    Unseen(usize),
    /// So many entries are left too few digits to be judged, by rounding or since finite differences see nothing of them; they
    /// are within that of all routes.
    Blind {
        /// How many.
        entries: usize,
        /// The first of them, in the layout of the claim.
        first: Vec<usize>,
    },
    /// Claim and derivative are both NaN at this entry: no comparison could have failed.
    BothNan(Vec<usize>),
    /// Numbers from elsewhere lie to one side of the derivative by more than rounding explains, each within its tolerance.
    OneSided {
        /// How far they are off in the mean, in units of what rounding is measured to do to each.
        off: f64,
    },
    /// Numbers from elsewhere are this number times the derivative, all together, each within its tolerance.
    OutOfProportion {
        /// The number, as it is fitted.
        times: f64,
    },
    /// The function is differentiable at these entries, where operations are at kinks: what their conventions come to,
    /// operation by operation, is not the derivative, which differences from both sides tell.
    Composed {
        /// How many entries.
        entries: usize,
        /// The first of them, in the layout of the claim.
        first: Vec<usize>,
        /// The operations whose conventions they are.
        ops: Vec<&'static str>,
    },
    /// What the derivative is taken by is symmetric, and the claim follows another convention than moving each entry alone.
    Symmetrised(Moves),
    /// So many entries may be at a kink and are too many for both slopes to be measured: they are what the rules give.
    Unmeasured(usize),
    /// So many entries that are not zero are too small beside the others for the digits of numbers from elsewhere.
    Rounded(usize),
    /// What the derivative is taken by reaches no further than this value, which does not change with it.
    Flat {
        /// The name of what the derivative is taken by.
        wrt: String,
        /// Its name in the program.
        name: Option<String>,
        /// How it is computed.
        expression: String,
        /// Is it a softmax over an axis of length 1?
        single: bool,
    },
    /// Numbers from elsewhere are right if so many choices (signs of values near zero, which element is the largest) were made
    /// otherwise, each within the rounding of what it rests on.
    Flipped(usize),
    /// Numbers from elsewhere are wrong in their precision, and would be explained by coarser arithmetic.
    Coarser(Coarser),
    /// The expression holds in f64, and the file's precision cannot hold its numbers.
    Narrow {
        /// By how much the claim is off in that precision.
        error: f64,
    },
    /// The shapes are equal after broadcasting only.
    EqualByBroadcasting,
    /// It holds on the data of the file; on data drawn anew it is off by this share of the derivative's largest entry.
    OffElsewhere(f64),
    /// It holds on what the file's seeds draw, and is wrong on what others do: that is what is judged.
    OtherDraw {
        /// The seeds of the file, in order.
        seeds: Vec<u64>,
        /// By how much the others are larger.
        by: u64,
        /// Is the mistake its own, and not that of a claim it refers to?
        by_itself: bool,
    },
    /// It holds on the signs of the numbers that the file states; where they have others it is off by this share of the
    /// derivative's largest entry.
    OffAtOtherSigns(f64),
    /// It holds at the sizes of the file, and not at others.
    OffAtOtherSizes {
        /// By how much it is off there, as a share of the derivative's largest entry.
        share: f64,
        /// What holds there, where that is known.
        right: Option<String>,
    },
    /// Mistakes that have to do with a value cannot be seen, since its entries are all alike.
    Hidden {
        /// Its name.
        name: String,
        /// How they are alike.
        same: Same,
        /// Are the claimed numbers from elsewhere, so that they cannot be asked on other data?
        of_numbers: bool,
    },
    /// The derivative is zero here; with random cotangents in the place of these claims it is what comes back from them.
    AsMap {
        /// The claims.
        keys: Vec<String>,
    },
    /// The derivative is zero here; with random cotangents in the place of these claims it is not what comes back from them, and
    /// that is judged.
    WrongAsMap {
        /// The claims.
        keys: Vec<String>,
    },
    /// It holds by the mistakes of these claims: once they are put right, it does not.
    RestsOn(Vec<String>),
}
