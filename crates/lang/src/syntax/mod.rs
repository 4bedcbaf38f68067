//! From text to tree: everything that can be said about a `.grad` file without evaluating it.

pub(crate) mod ast;
mod claim;
pub(crate) mod expr;
mod expression;
mod head;
pub(crate) mod hint;
mod lexer;
pub(crate) mod lint;
pub mod make;
pub(crate) mod names;
mod operand;
pub(crate) mod parse;
mod parser;
pub(crate) mod print;
mod reference;
mod scan;
pub(crate) mod source;
mod statement;
mod unexpected;
