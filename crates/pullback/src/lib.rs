//! Derives, checks and runs backward passes.
//!
//! A `.grad` file holds a forward pass and the gradients that someone worked out for it; [`session::check_source`] says of
//! each whether it is right.
//!
//! ```
//! use pullback::check::Verdict;
//! use pullback::session::check_source;
//!
//! let source = "
//! W: [m=2, n=3] ~ randn
//! x: [n] ~ randn
//! a = W @ x
//! L = sum(a^2)
//! dL/da = 2 * a
//! dL/dW = outer(x, dL/da)        # the factors are the wrong way round
//! ";
//! let report = check_source("layer.grad", source.as_bytes(), ".".as_ref());
//! let verdicts: Vec<Verdict> = report.claims.iter().map(|claim| claim.judgement.verdict).collect();
//! assert_eq!(verdicts, [Verdict::Holds, Verdict::Wrong]);
//! assert_eq!(report.exit_code(), 1);
//! ```
//!
//! The floors, from the ground up; each uses those above its own line and none below:
//!
//! | crate | what it is |
//! |---|---|
//! | [`array`](mod@array) | dense n-d arrays, random numbers equal to PyTorch's, NumPy's files |
//! | [`network`] | Jacobians in index notation |
//! | [`ops`] | the op table, and the graph that operations make |
//! | [`autograd`] | reverse mode, forward mode, Jacobians of programs |
//! | [`derive`](mod@derive) | a gradient step by step |
//! | [`check`] | a claim judged by independent routes |
//! | [`lang`] | the `.grad` language |
//! | [`diagnose`](mod@diagnose) | what is wrong with a wrong claim, and what would be right |
//! | [`report`] | results as text and as JSON |
//! | [`session`] | all of these together: from the bytes of a file to a report |
//!
//! The command `pullback` ([`command_line`]) does nothing but read files, call [`session`], and print what [`report`] makes of it.

pub use pullback_array as array;
pub use pullback_autograd as autograd;
pub use pullback_check as check;
pub use pullback_derive as derive;
pub use pullback_diagnose as diagnose;
pub use pullback_lang as lang;
pub use pullback_network as network;
pub use pullback_ops as ops;
pub use pullback_report as report;

pub mod command_line;
pub mod session;

pub use session::function;

/// The README's examples in Rust are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
