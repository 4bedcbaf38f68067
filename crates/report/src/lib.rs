//! From results to what a person or a program reads: text with carets, and JSON.
//!
//! Everything here is a pure function of data. Nothing is evaluated, judged, opened or printed: whoever has run a file
//! fills one of these in, asks for its text or its JSON, and writes that where it likes.
//!
//! | of the command | data | text | JSON |
//! |---|---|---|---|
//! | `check` | [`FileReport`] | [`check_text`] | [`check_json`] |
//! | `run` | [`RunReport`] | [`run_text`] | [`run_json`] |
//! | `jacobian` | [`JacobianReport`] | [`jacobian_text`] | [`jacobian_json`] |
//! | `derive` | [`DeriveReport`] | [`derive_text`], [`derive_page`] | [`derive_json`] |
//! | `ops` | the op table itself | [`ops_text`] | [`ops_json`] |
//!
//! What is wrong with a text is a [`Problem`], drawn by [`problem_text`]. The JSON of each command has a schema in
//! `schemas/`, and its key `schema` says which version of it. A key is absent where it does not apply; numbers that JSON has
//! no notation for are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. Names and sources come from anywhere: what a terminal
//! would act on is written by its number ([`visible`]), in JSON too.
//!
//! ```
//! use pullback_report::{Document, Paint, Problem, problem_text};
//!
//! let document = Document::new("layer.grad", "a = W @\n");
//! let problem = Problem::new("an operand is missing").at(7, 7).with_hint("write what is multiplied");
//! assert_eq!(
//!     problem_text(&document, &problem, Paint::Plain),
//!     "error: an operand is missing
//!  --> layer.grad:1:8
//!   |
//! 1 | a = W @
//!   |        ^
//!   |
//!   = help: write what is multiplied
//! "
//! );
//! ```

mod check;
mod check_json;
mod check_text;
mod derive;
mod derive_page;
mod derive_text;
mod diagnosis_text;
mod elsewhere;
mod jacobian;
mod jacobian_json;
mod kink_text;
mod not_finite_text;
mod number;
mod operations;
mod paint;
mod problem;
mod run;
mod verdict_text;
mod visible;

pub use check::{ClaimReport, FileReport, Sharer};
pub use check_json::check_json;
pub use check_text::{CheckTexts, Wanted, check_text};
pub use derive::{DeriveReport, Steps, derive_json};
pub use derive_page::{Format, Page, derive_page};
pub use derive_text::{Shown, derive_text};
pub use elsewhere::{Because, Elsewhere, Origin, deviation_problem};
pub use jacobian::{Form, JacobianReport, JacobianStep, Payload, Statement, jacobian_text};
pub use jacobian_json::jacobian_json;
pub use operations::{ops_json, ops_text};
pub use paint::Paint;
pub use problem::{Document, Invalid, Problem, invalid_json, invalid_text, problem_text, warning_text};
pub use run::{Named, RunReport, run_json, run_text};
pub use visible::visible;

/// The version of the JSON that this crate writes: the value of the key `schema`.
pub const SCHEMA: u32 = 1;
