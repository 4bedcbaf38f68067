//! The formula that is owed for every wrong claim, also where no slip explains it: of what functions of the prelude compute, and of sizes
//! without a name.

use pullback::lang::print;

use crate::diagnosed::claims;

/// Programs of one input, and of a weight for each entry of the result.
const PROGRAMS: [(&str, &str); 14] = [
    ("x: [n=3, m=4] ~ randn", "silu(x)"),
    ("x: [n=3, m=4] ~ randn", "gelu(x)"),
    ("x: [n=3, m=4] ~ randn", "mish(x)"),
    ("x: [3, 4] ~ randn", "logsigmoid(x)"),
    ("x: [3] ~ randn", "mean(x^2)"),
    ("x: [3, 4] ~ randn", "sum(x, axis=1)"),
    ("x: [3, 4] ~ randn", "var(x, axis=0)"),
    ("x: [3, 4] ~ randn", "mse_loss(x, tanh(x))"),
    ("x: [3, 4] ~ randn", "prod(x, axis=1)"),
    ("x: [3, 4] ~ randn", "roll(x, -1, axis=1)"),
    ("x: [3, 4] ~ randn", "cumsum(x, axis=1)"),
    ("x: [n=5] ~ randn", "cumprod(x)"),
    ("x: [3, 4] ~ randn", "cumprod(x, axis=0)"),
    ("x: [2, 3] ~ randn", "log_ndtr(x)"),
];

#[test]
fn a_formula_is_told_of_numbers_that_nothing_explains() {
    for (input, value) in PROGRAMS {
        let source = |claim: &str| format!("{input}\ny = {value}\nL = sum(y * cos(y))\ndL/dx = {claim}\n");
        let wrong = claims(&source("x * exp(x) - cos(3 * x)")).pop().expect("a claim is there");
        let told = wrong.diagnoses.first().and_then(|found| found.fix.as_ref());
        let told =
            told.map(|fix| print(&fix.expr)).unwrap_or_else(|| panic!("{value}: {:#?}", wrong.diagnoses));
        let right = claims(&source(&told)).pop().expect("a claim is there");
        assert!(right.judgement.passes(), "{value}: {told} is {:?}", right.judgement.verdict);
        assert!(!told.contains("size(x"), "{value}: {told}");
    }
}
