//! From what is known of a claim to its verdict: two pure functions and nothing else.
//!
//! What the routes say is measured elsewhere ([`crate::judge`]), and what is said of the claim on other data, beside other
//! claims and beside its causes, by those who know of these. Each of them states *facts*; what follows from them is decided
//! here alone, so that a table can try every combination.
//!
//! An entry is judged by [`entry`]:
//!
//! | differences saw | the rules give | the claim equals | it |
//! |---|---|---|---|
//! | one slope | that | it | agrees |
//! | one slope | another one: the conventions of kinked pieces do not compose | the slope | agrees, by the slope |
//! | | | what the rules give | follows a convention to a wrong value |
//! | | | neither | is wrong |
//! | one slope | another one, for no reason that is known | one of the two | cannot be decided: that is a fault of Pullback |
//! | two slopes | a value between them, or outside: conventions of several operations | that | follows the convention |
//! | | | another one between them | follows another one |
//! | | | none of them | is wrong |
//! | nothing | | what the rules give | cannot be decided |
//!
//! A claim is as good as its worst entry, and [`conclude`] adds what is known of it as a whole.

use crate::verdict::Verdict;

/// What finite differences saw of an entry, or along a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// One slope.
    Smooth,
    /// Two, from both sides.
    Kink,
    /// Nothing.
    Unseen,
}

/// What the rules of the operations give, put together, beside what differences saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rules {
    /// The same; at a kink, a value between the slopes.
    Agree,
    /// Something else, and an operation is at a kink of its own here: its convention does not compose with the others'.
    Convention,
    /// Something else, for no reason that is known.
    Disagree,
}

/// What a claimed entry equals, within its tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Equals {
    /// What the rules give and what differences saw.
    Both,
    /// What the rules give.
    Rules,
    /// The slope that differences saw; at a kink, a value between the two.
    Slope,
    /// None of these.
    Neither,
}

/// What is said of an entry, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// All routes agree with it.
    Agrees,
    /// Differences from both sides agree with it, and the conventions of the operations do not compose to it.
    BySlope,
    /// It is at a kink, and follows the conventions.
    Conventional,
    /// It is at a kink, and follows another convention.
    OtherConvention,
    /// Differences tell nothing of it.
    Unseen,
    /// The routes disagree for no reason that is known.
    Fault,
    /// It is what the conventions of the operations compose to, and not the derivative.
    Convention,
    /// It is none of what it could be.
    Wrong,
}

/// What is said of an entry.
pub fn entry(point: Point, rules: Rules, equals: Equals) -> Says {
    match (point, rules, equals) {
        (_, _, Equals::Neither) => Says::Wrong,
        (Point::Smooth, Rules::Agree, Equals::Both | Equals::Rules) => Says::Agrees,
        // Rules and differences are each within their own errors of one another, and the claim beyond its own of the rules.
        (Point::Smooth | Point::Unseen, Rules::Agree, Equals::Slope) => Says::Wrong,
        (Point::Smooth, Rules::Convention, Equals::Both | Equals::Slope) => Says::BySlope,
        (Point::Smooth, Rules::Convention, Equals::Rules) => Says::Convention,
        (Point::Kink, Rules::Agree | Rules::Convention, Equals::Both | Equals::Rules) => Says::Conventional,
        (Point::Kink, _, Equals::Both | Equals::Slope) => Says::OtherConvention,
        (Point::Smooth | Point::Kink, Rules::Disagree, _) => Says::Fault,
        (Point::Unseen, Rules::Disagree, _) => Says::Fault,
        (Point::Unseen, _, _) => Says::Unseen,
    }
}

/// Are the numbers of a claim, of the program and of its derivative finite?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Finite {
    /// All of them.
    #[default]
    Yes,
    /// Not all of them.
    No,
    /// Claim and derivative are NaN in the same places: no comparison could have failed.
    BothNan,
}

/// Is the derivative zero, and how is that claimed?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Zero {
    /// It is not.
    #[default]
    No,
    /// It is, and is said to be.
    Stated,
    /// It is, and the claim happens to be zero too.
    Unstated,
    /// It is, and the claim makes of any cotangents what comes back from them.
    AsMap,
}

/// What a claim is on other data than those of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OtherData {
    /// Right, as far as it was tried.
    #[default]
    Right,
    /// Wrong on numbers that the file draws, drawn anew.
    Wrong,
    /// Not the derivative where the numbers that the file states are moved, and one edit makes it so.
    Doubtful,
}

/// What is known of the causes of a claim that is not right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Causes {
    /// Nothing.
    #[default]
    None,
    /// One.
    One,
    /// Several that no data tell apart.
    Several,
}

/// What is known of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Has it the shape of the derivative?
    pub fits: bool,
    /// Is every number finite?
    pub finite: Finite,
    /// Has the derivative entries at all?
    pub empty: bool,
    /// What is said of its worst entry.
    pub worst: Says,
    /// Do rounding and the errors of differences leave it enough digits to be judged by?
    pub digits: bool,
    /// Is it off by what rounding, which goes both ways, does not explain of all entries together?
    pub systematic: bool,
    /// Is the derivative zero?
    pub zero: Zero,
    /// Does it hold once the wrong claims that it refers to are put right?
    pub inherits: bool,
    /// What is it on other data?
    pub other_data: OtherData,
    /// What is known of its causes?
    pub causes: Causes,
}

impl Default for Facts {
    /// Those of a claim that holds.
    fn default() -> Facts {
        Facts {
            fits: true,
            finite: Finite::Yes,
            empty: false,
            worst: Says::Agrees,
            digits: true,
            systematic: false,
            zero: Zero::No,
            inherits: false,
            other_data: OtherData::Right,
            causes: Causes::None,
        }
    }
}

/// The verdict on a claim of which this is known.
pub fn conclude(facts: &Facts) -> Verdict {
    let here = on_the_data_of_the_file(facts);
    let verdict = match (here, facts.other_data) {
        (Verdict::Holds | Verdict::Kink, OtherData::Wrong) => Verdict::Wrong,
        (Verdict::Holds, OtherData::Doubtful) => Verdict::Ambiguous,
        _ => here,
    };
    match (verdict, facts.causes) {
        (Verdict::Wrong | Verdict::Shape | Verdict::NotFinite, _) if facts.inherits => Verdict::Inherited,
        // In few digits it is not seen whether another's mistake is in it; that is known if it is.
        (Verdict::Vacuous, _) if facts.inherits && !facts.digits => Verdict::Inherited,
        (Verdict::Kink, _) if facts.inherits && facts.worst == Says::OtherConvention => Verdict::Inherited,
        (Verdict::Wrong | Verdict::Shape, Causes::Several) => Verdict::Ambiguous,
        // Of a shape whose cause is known it is the cause that is wrong.
        (Verdict::Shape, Causes::One) => Verdict::Wrong,
        _ => verdict,
    }
}

/// The verdict by the routes alone.
fn on_the_data_of_the_file(facts: &Facts) -> Verdict {
    if !facts.fits {
        return Verdict::Shape;
    }
    match facts.finite {
        Finite::Yes => {}
        Finite::No => return Verdict::NotFinite,
        Finite::BothNan => return Verdict::Vacuous,
    }
    match facts.worst {
        // There is nothing that could be wrong of nothing.
        _ if facts.empty => {
            return if facts.zero == Zero::Stated { Verdict::Holds } else { Verdict::Vacuous };
        }
        Says::Wrong | Says::Convention => return Verdict::Wrong,
        Says::Fault => return Verdict::Ambiguous,
        Says::OtherConvention => return Verdict::Kink,
        _ if !facts.digits => return Verdict::Vacuous,
        Says::Unseen => return Verdict::Ambiguous,
        Says::Conventional => return Verdict::Kink,
        Says::Agrees | Says::BySlope => {}
    }
    match facts.zero {
        Zero::Unstated => Verdict::Vacuous,
        _ if facts.systematic => Verdict::Wrong,
        Zero::No | Zero::Stated | Zero::AsMap => Verdict::Holds,
    }
}
