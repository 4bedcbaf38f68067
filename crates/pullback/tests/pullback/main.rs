//! The command and the session behind it, on files as their users write them.

mod allowances;
mod bad_input;
mod benchmark;
mod command;
mod derived;
mod diagnosed;
mod dumped;
mod examples;
mod function;
mod fuzz_regressions;
mod hostile_files;
mod hostile_text;
mod inherited;
mod json;
mod misled;
mod mutated;
mod printed;
mod readme;
mod robustness;
mod rounded;
mod seed_numbers;
mod seed_tensors;
mod sign_errors;
mod training;
mod verdicts;
