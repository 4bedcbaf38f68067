//! The .grad language, from text with spans to a program.
