//! Judges a claimed derivative by independent routes.
//!
//! Four routes lead to the same numbers: the **claim**, **autograd** (one vector–Jacobian product after another), the
//! **Jacobian** of the whole program contracted as one network, and **finite differences** of the forward pass. Autograd
//! and the Jacobian share the rules of the operations and so are not independent of each other: nothing *holds* unless
//! finite differences agree too.
//!
//! No tolerance is guessed, and each entry has its own. How far finite differences may be off is what they estimate
//! themselves (Ridders' method); how far rounding may have moved the claim and the routes is measured, by perturbing every
//! intermediate result and scaling the effect down to the precision used (stochastic arithmetic). One safety factor, stated
//! once, stands before both.
//!
//! Of the same kind is [`probe`]: what is said of the structure of a Jacobian, asked of the program.
//!
//! The verdict is a value ([`Judgement`]); what it looks like is decided elsewhere.
//!
//! ```
//! use pullback_array::Array;
//! use pullback_check::{Claim, Subject, Verdict, judge};
//! use pullback_ops::Val;
//!
//! let x = Val::new(Array::from_slice(&[3], &[1.0, 2.0, 3.0])?).named("x");
//! let loss = x.powf(2.0)?.sum_all()?;
//! let subject = Subject::new(&loss, &x);
//! let right = judge(&subject, &Claim::of(&(2.0 * &x)?)?)?;
//! assert_eq!(right.verdict, Verdict::Holds);
//! let wrong = judge(&subject, &Claim::of(&(3.0 * &x)?)?)?;
//! assert_eq!(wrong.verdict, Verdict::Wrong);
//! assert_eq!(wrong.worst.map(|worst| (worst.at, worst.claimed, worst.expected)), Some((vec![2], 9.0, 6.0)));
//! # Ok::<(), pullback_ops::Error>(())
//! ```

mod allowance;
mod claim;
mod conclude;
mod convention;
mod differences;
mod evidence;
mod exact;
mod flips;
mod forward;
mod gather;
mod graph;
mod judge;
mod jump;
mod kink;
mod layout;
mod limits;
mod not_finite;
mod other_code;
mod probes;
mod rounding;
mod routes;
mod structure;
mod survey;
mod symmetric;
mod truth;
mod verdict;
mod zero;

pub use claim::{Claim, Subject};
pub use conclude::{Causes, Equals, Facts, Finite, OtherData, Point, Rules, Says, Zero, conclude, entry};
pub use forward::deviation;
pub use judge::{judge, judge_in, judge_shape};
pub use layout::{ClaimLayout, shapes};
pub use not_finite::Operand;
pub use structure::{Probed, probe};
pub use survey::Survey;
pub use symmetric::Moves;
pub use truth::Truth;
pub use verdict::{
    Arises, Coarser, Entry, Follows, Judgement, Kink, KinkOrigin, NotFinite, Note, Routes, Same, Verdict,
    What,
};
