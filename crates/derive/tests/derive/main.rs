//! Derivations: lines, closed forms, the backward pass, code in other languages.

mod code;
mod conditions;
mod export;
mod linear_layer;
mod pass;
mod recurrences;
mod shortened;
