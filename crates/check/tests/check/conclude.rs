//! Every combination of what can be known of an entry, and of a claim, with what is to follow from it.

use pullback_check::{
    Causes, Equals, Facts, Finite, OtherData, Point, Rules, Says, Verdict, Zero, conclude, entry,
};

use Equals::{Both, Neither, Slope};
use Point::{Kink, Smooth, Unseen};
use Rules::{Agree, Convention, Disagree};

/// What the contract says of entries where something is not smooth, case by case. `Equals::Rules` has its own name here.
const OF_RULES: Equals = Equals::Rules;
const ENTRIES: [(Point, Rules, Equals, Says); 36] = [
    // The routes agree with one another: the claim is right or wrong.
    (Smooth, Agree, Both, Says::Agrees),
    (Smooth, Agree, OF_RULES, Says::Agrees),
    (Smooth, Agree, Slope, Says::Wrong),
    (Smooth, Agree, Neither, Says::Wrong),
    // Differences from both sides agree with each other, and not with what the conventions come to: the slope is right.
    (Smooth, Convention, Both, Says::BySlope),
    (Smooth, Convention, OF_RULES, Says::Convention),
    (Smooth, Convention, Slope, Says::BySlope),
    (Smooth, Convention, Neither, Says::Wrong),
    // No reason is known: a fault of the checker, unless the claim is neither.
    (Smooth, Disagree, Both, Says::Fault),
    (Smooth, Disagree, OF_RULES, Says::Fault),
    (Smooth, Disagree, Slope, Says::Fault),
    (Smooth, Disagree, Neither, Says::Wrong),
    // Two slopes: the conventional value between them, another one between them, or one outside.
    (Kink, Agree, Both, Says::Conventional),
    (Kink, Agree, OF_RULES, Says::Conventional),
    (Kink, Agree, Slope, Says::OtherConvention),
    (Kink, Agree, Neither, Says::Wrong),
    // What the conventions come to lies outside of the slopes, and is the conventional value all the same.
    (Kink, Convention, Both, Says::Conventional),
    (Kink, Convention, OF_RULES, Says::Conventional),
    (Kink, Convention, Slope, Says::OtherConvention),
    (Kink, Convention, Neither, Says::Wrong),
    (Kink, Disagree, Both, Says::OtherConvention),
    (Kink, Disagree, OF_RULES, Says::Fault),
    (Kink, Disagree, Slope, Says::OtherConvention),
    (Kink, Disagree, Neither, Says::Wrong),
    // Differences cannot be measured.
    (Unseen, Agree, Both, Says::Unseen),
    (Unseen, Agree, OF_RULES, Says::Unseen),
    (Unseen, Agree, Slope, Says::Wrong),
    (Unseen, Agree, Neither, Says::Wrong),
    (Unseen, Convention, Both, Says::Unseen),
    (Unseen, Convention, OF_RULES, Says::Unseen),
    (Unseen, Convention, Slope, Says::Unseen),
    (Unseen, Convention, Neither, Says::Wrong),
    (Unseen, Disagree, Both, Says::Fault),
    (Unseen, Disagree, OF_RULES, Says::Fault),
    (Unseen, Disagree, Slope, Says::Fault),
    (Unseen, Disagree, Neither, Says::Wrong),
];

#[test]
fn every_entry() {
    for (point, rules, equals, says) in ENTRIES {
        assert_eq!(entry(point, rules, equals), says, "{point:?}, {rules:?}, {equals:?}");
    }
    let all: std::collections::HashSet<(Point, Rules, Equals)> =
        ENTRIES.iter().map(|&(point, rules, equals, _)| (point, rules, equals)).collect();
    assert_eq!(all.len(), ENTRIES.len(), "a combination stands twice, and another one is missing");
}

const SAYS: [Says; 8] = [
    Says::Agrees,
    Says::BySlope,
    Says::Conventional,
    Says::OtherConvention,
    Says::Unseen,
    Says::Fault,
    Says::Convention,
    Says::Wrong,
];

/// Every combination of facts.
fn all_facts() -> impl Iterator<Item = Facts> {
    let bools = [false, true];
    let each = move |of: Facts| {
        let finite = [Finite::Yes, Finite::No, Finite::BothNan].map(|finite| Facts { finite, ..of });
        let zero = finite.into_iter().flat_map(|of| {
            [Zero::No, Zero::Stated, Zero::Unstated, Zero::AsMap].map(|zero| Facts { zero, ..of })
        });
        let other_data = zero.flat_map(|of| {
            [OtherData::Right, OtherData::Wrong, OtherData::Doubtful]
                .map(|other_data| Facts { other_data, ..of })
        });
        let causes = other_data
            .flat_map(|of| [Causes::None, Causes::One, Causes::Several].map(|causes| Facts { causes, ..of }));
        causes.flat_map(move |of| {
            bools.into_iter().flat_map(move |digits| {
                bools.into_iter().flat_map(move |systematic| {
                    bools.into_iter().flat_map(move |inherits| {
                        bools.into_iter().map(move |empty| Facts {
                            digits,
                            systematic,
                            inherits,
                            empty,
                            ..of
                        })
                    })
                })
            })
        })
    };
    bools.into_iter().flat_map(move |fits| {
        SAYS.into_iter().flat_map(move |worst| each(Facts { fits, worst, ..Facts::default() }))
    })
}

/// What has to be so whatever else is: each line is a sentence of the contract.
#[test]
fn every_combination_of_facts() {
    let mut tried = 0;
    for facts in all_facts() {
        let verdict = conclude(&facts);
        let say = || format!("{facts:?}: {verdict}");
        tried += 1;
        // Nothing that a route contradicts holds, nor what no route has seen, nor what cannot have failed.
        if verdict == Verdict::Holds {
            let agrees = matches!(facts.worst, Says::Agrees | Says::BySlope) && facts.digits;
            assert!(facts.fits && facts.finite == Finite::Yes && (agrees || facts.empty), "{}", say());
            assert!(facts.zero != Zero::Unstated && facts.other_data == OtherData::Right, "{}", say());
            assert!(!facts.systematic || facts.empty, "{}", say());
        }
        // What inherits a mistake is not accused of one, and what is right inherits none.
        if verdict == Verdict::Inherited {
            assert!(facts.inherits, "{}", say());
        }
        // A wrong entry never passes, whatever else is known.
        if facts.worst == Says::Wrong && facts.fits && facts.finite == Finite::Yes && !facts.empty {
            assert!(matches!(verdict, Verdict::Wrong | Verdict::Inherited | Verdict::Ambiguous), "{}", say());
        }
        // `shape` and `not-finite` are said of nothing else.
        assert!(verdict != Verdict::Shape || !facts.fits, "{}", say());
        assert!(verdict != Verdict::NotFinite || facts.finite == Finite::No, "{}", say());
        // A kink is one.
        if verdict == Verdict::Kink {
            assert!(matches!(facts.worst, Says::Conventional | Says::OtherConvention), "{}", say());
        }
        // Undecided is what differences did not see, what they contradict for no reason, what has several causes, or what
        // other data speak against without deciding.
        if verdict == Verdict::Ambiguous {
            let undecided = matches!(facts.worst, Says::Fault | Says::Unseen);
            let by_causes = facts.causes == Causes::Several;
            assert!(undecided || by_causes || facts.other_data == OtherData::Doubtful, "{}", say());
        }
    }
    assert_eq!(tried, 2 * 8 * 108 * 16);
}

/// The verdicts of the cases that have a name.
#[test]
fn cases_by_name() {
    let holds = Facts::default();
    let wrong = Facts { worst: Says::Wrong, ..holds };
    let cases: [(&str, Facts, Verdict); 19] = [
        ("all agree", holds, Verdict::Holds),
        (
            "the derivative of pieces that fit together",
            Facts { worst: Says::BySlope, ..holds },
            Verdict::Holds,
        ),
        ("the convention's value there", Facts { worst: Says::Convention, ..holds }, Verdict::Wrong),
        ("a kink", Facts { worst: Says::Conventional, ..holds }, Verdict::Kink),
        ("another convention", Facts { worst: Says::OtherConvention, ..holds }, Verdict::Kink),
        ("no differences", Facts { worst: Says::Unseen, ..holds }, Verdict::Ambiguous),
        ("routes that disagree", Facts { worst: Says::Fault, ..holds }, Verdict::Ambiguous),
        ("too few digits", Facts { digits: false, ..holds }, Verdict::Vacuous),
        ("too few digits to be right by", Facts { digits: false, ..wrong }, Verdict::Wrong),
        ("a multiple within the tolerances", Facts { systematic: true, ..holds }, Verdict::Wrong),
        ("zero, and said so", Facts { zero: Zero::Stated, ..holds }, Verdict::Holds),
        ("zero by chance", Facts { zero: Zero::Unstated, ..holds }, Verdict::Vacuous),
        ("zero, and right as a map", Facts { zero: Zero::AsMap, ..holds }, Verdict::Holds),
        (
            "another's mistake on other draws",
            Facts { other_data: OtherData::Wrong, inherits: true, ..holds },
            Verdict::Inherited,
        ),
        ("the mistake of another claim", Facts { inherits: true, ..wrong }, Verdict::Inherited),
        ("in few digits", Facts { digits: false, inherits: true, ..holds }, Verdict::Inherited),
        ("several causes", Facts { causes: Causes::Several, ..wrong }, Verdict::Ambiguous),
        ("right on this draw alone", Facts { other_data: OtherData::Wrong, ..holds }, Verdict::Wrong),
        ("a shape whose cause is known", Facts { fits: false, causes: Causes::One, ..holds }, Verdict::Wrong),
    ];
    for (name, facts, verdict) in cases {
        assert_eq!(conclude(&facts), verdict, "{name}");
    }
}
