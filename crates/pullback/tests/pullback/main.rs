//! The command and the session behind it, on files as their users write them.

mod aliases;
mod allowances;
mod bad_input;
mod battery;
mod benchmark;
mod command;
mod derived;
mod diagnosed;
mod draws;
mod dumped;
mod examples;
mod exported;
mod function;
mod fuzz_regressions;
mod hostile_files;
mod hostile_text;
mod inherited;
mod json;
mod loops;
mod matrix_notation;
mod misled;
mod mutated;
mod obeyed;
mod owed;
mod precision;
mod printed;
mod readme;
mod robustness;
mod rounded;
mod seed_numbers;
mod seed_tensors;
mod sign_errors;
mod smooth_pieces;
mod special_data;
mod training;
mod unjudged;
mod verdicts;
mod vocabulary;
mod zero;

/// As the command.
#[global_allocator]
static ALLOCATOR: pullback::array::memory::Counted = pullback::array::memory::Counted;
