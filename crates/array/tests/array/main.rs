//! The tests of arrays: each module checks one of the crate's against an independent witness.

mod contract;
mod dump;
mod elementwise;
mod file;
mod index;
mod linalg;
mod matmul;
mod model;
mod print;
mod random;
mod reduce;
mod structure;
mod tiles;
