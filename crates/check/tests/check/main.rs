//! Verdicts: what is concluded, on which evidence, at which points. One binary, since each links the whole library.

mod composed;
mod conclude;
mod kinks;
mod large;
mod not_finite;
mod short_lengths;
mod structure;
mod survey;
mod vacuous;
mod verdicts;
