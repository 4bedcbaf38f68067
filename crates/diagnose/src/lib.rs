//! Finds what is wrong with a wrong claim, and what would be right.
//!
//! A claim is an expression, and most mistakes are slips: a factor transposed, a `1/M` forgotten, two claims the wrong way
//! round. So the search goes over *edits* of the expression: every cause ([`causes`](self)) proposes changes of its parts,
//! and what gives the true derivative, not only on the data of the file but on data drawn anew and at other sizes, is what
//! was meant. The edit says what was wrong, its place is the place of the mistake, and the changed expression is the fix,
//! which is then judged like any claim.
//!
//! A false cause is worse than none: where nothing fits, the cause is `unknown` and only facts are told, or nothing is.
//! Where several causes fit that no data at hand tells apart, all of them are returned.
//!
//! ```
//! use pullback_check::judge;
//! use pullback_diagnose::{diagnose, subject};
//! use pullback_lang::{parse, print};
//! use pullback_lang::program::{Claimed, elaborate};
//!
//! let file = parse("W: [n=2, n] ~ randn; x: [n] ~ randn; z = W @ x; dz/dx = W.T").file;
//! let (program, inputs) = elaborate(&file, ".".as_ref()).expect("the file is right");
//! let Claimed::Value { val, .. } = &program.claims[0].claimed else { panic!("a value is claimed") };
//! let judgement = judge(&subject(&program.claims[0]), &pullback_check::Claim::of(val)?)?;
//! let found = diagnose(&file, &program, &inputs, ".".as_ref(), &[Some(judgement)], &|_| ());
//! assert_eq!(found[0][0].cause, "transposed-factor");
//! assert_eq!(found[0][0].fix.as_ref().map(|fix| print(&fix.expr)).as_deref(), Some("W"));
//! # Ok::<(), pullback_ops::Error>(())
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | `causes/*` | one cause each: what it proposes, and what is to be said |
//! | `search` | which proposals are tried, in which order, and which is told |
//! | `case`, `probe` | the data on which they are tried |
//! | `tree`, `edit`, `factor` | expressions, their parts, changes of them; a number by its name |
//! | `sought`, `dictionary` | what a part lacks, and the products of known values that may be it |
//! | `divisors`, `stated` | what an expression may be divided by; the numbers that the forward pass states |
//! | `derivative` | the derivatives of the functions that a program applies |
//! | `fit` | mistakes in local Jacobians, held against claimed numbers |
//! | `indexed` | definitions in index notation |
//! | `loops` | statements of the bodies of loops |
//! | `shared` | definitions whose one mistake makes several claims wrong |
//! | `inherit` | claims that are wrong only because others are; which comes first |
//! | `flat` | why a derivative is zero |
//! | `doubt` | claims that hold on the data of the file only |
//! | `degenerate` | values that hide mistakes: weights of ones |
//! | `stretch` | claims about a derivative that is zero, tried as maps of cotangents |
//! | `redraw` | claims that hold on what the file's seed draws, and not on what others do |
//!
//! No text is made here: what is to be said is data ([`Words`]), and others show it.

mod case;
mod causes;
mod claimed;
mod degenerate;
mod derivative;
mod diagnosis;
mod dictionary;
mod divisors;
mod doubt;
mod edit;
mod factor;
mod fit;
mod flat;
mod indexed;
mod inherit;
mod inquiry;
mod loops;
mod probe;
mod redraw;
mod search;
mod shared;
mod sought;
mod stated;
mod stretch;
mod tree;
mod unknown;
mod words;

use std::path::Path;

use pullback_check::Judgement;
use pullback_lang::File;
use pullback_lang::program::{Inputs, Program};

pub use claimed::{layout, subject};
pub use degenerate::degenerate;
pub use diagnosis::{Diagnosis, Fix, Partner};
pub use doubt::{Doubt, Other, doubts};
pub use flat::flat;
pub use inherit::{distances, inherited, resting};
pub use probe::on_other_data;
pub use redraw::on_other_draws;
pub use shared::sharing;
pub use stretch::as_maps;
pub use words::{Part, Words};

/// What is wrong with each claim of a file: nothing, for one that is right, inherits its mistake, or whose mistake is not
/// found; one diagnosis; or several, where no data at hand tells them apart.
///
/// `exact` is the program in double precision, `inputs` are its numbers, and `judged` says what was found of each claim;
/// a claim that could not be judged has no judgement. Where claims are numbers from elsewhere
/// ([`Program::claim_numbers`]), `elsewhere` states them on other data too: it is given the program on that data, in which
/// the claims of the file stand, and adds what it can.
pub fn diagnose(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    judged: &[Option<Judgement>],
    elsewhere: &dyn Fn(&mut Program),
) -> Vec<Vec<Diagnosis>> {
    let inquiry = inquiry::Inquiry::new(file, exact, inputs, base_dir, judged, elsewhere);
    let suspects: Vec<usize> = inquiry.suspects().collect();
    let mut shared = shared::in_definitions(&inquiry);
    let of = |claim| match shared.remove(&claim) {
        Some(found) => vec![found],
        None if suspects.contains(&claim) => inquiry.diagnoses(claim),
        None => Vec::new(),
    };
    (0..exact.claims.len()).map(of).collect()
}
