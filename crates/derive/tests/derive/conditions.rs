//! Conditions are written as a person writes them, whatever steps they are in the graph, and every line with them is true.

use pullback_derive::{Known, backward, untrue, with_pieces};
use pullback_lang::program::elaborate;
use pullback_lang::{Names, parse, print};

/// The gradient of the last definition by the first input, as code; every line of all its steps holds.
#[track_caller]
fn gradient(source: &str) -> String {
    let file = parse(source).file;
    let program = elaborate(&file, ".".as_ref()).expect("the program is right").0;
    let output = program.values.last().expect("it defines something").clone();
    let wrt = &program.values[0].val;
    let stages = backward(&output.val, &[wrt], &Known::new(&output.val, &[])).expect("rules for all of it");
    let stages = with_pieces(stages, program.scope(), &Names::of(&file));
    assert_eq!(untrue(&stages, &program, &output.name), [], "{source}");
    for line in stages.iter().flat_map(|stage| &stage.lines) {
        let text = line.text(&|_| None);
        assert!(!text.contains("truth") && !text.contains("step"), "{source}: {text}");
    }
    stages.last().and_then(|stage| Some(print(stage.code.as_ref()?))).unwrap_or_default()
}

#[test]
fn comparisons_are_comparisons() {
    let cases = [
        ("y = where(x > 0, x, 0.1 * x)", "dL/dy * where(x > 0, 1, 0.1)"),
        ("y = where(0 > x, x, 0.1 * x)", "dL/dy * where(x < 0, 1, 0.1)"),
        ("y = x * (x >= 0.5) + (x <= 3) * x^2", "dL/dy * (2 * (x <= 3) * x + (x >= 0.5))"),
        ("y = where(x == t, x, 2 * x)", "dL/dy * where(x == t, 1, 2)"),
        ("y = where(x != t, x, 2 * x)", "dL/dy * where(x != t, 1, 2)"),
        ("y = where(t != 0, x, 3 * x)", "dL/dy * where(t != 0, 1, 3)"),
        ("y = where(t, x, 3 * x)", "dL/dy * where(t != 0, 1, 3)"),
        ("y = where(!(x > t), x, 2 * x)", "dL/dy * where(x <= t, 1, 2)"),
        ("y = clamp(x, -1, 1)", "dL/dy * (x > -1) * (x < 1)"),
        ("y = maximum(x, t)", "dL/dy * ((x > t) + (x >= t)) / 2"),
        ("y = masked_fill(x, t > 0, -1)", "dL/dy * (t <= 0)"),
        ("y = x * ((x > 0) & (t > 0))", "dL/dy * (x > 0) * (t > 0)"),
        ("y = x * (!(x > 0) | (x > 2))", "dL/dy * logical_or(x <= 0, x > 2)"),
        ("y = where((x > 0) & (x < 1), x^2, x)", "dL/dy * where(logical_or(x <= 0, x >= 1), 1, 2 * x)"),
        ("y = where((x > 0) | (x < -1), x^2, x)", "dL/dy * where((x <= 0) * (x >= -1), 1, 2 * x)"),
    ];
    for (source, expected) in cases {
        assert_eq!(gradient(&format!("x: [N=4] ~ randn; t: [N] ~ randn; {source}")), expected, "{source}");
    }
}

#[test]
fn a_condition_with_a_name_is_called_by_it() {
    let source = "x: [N=4] ~ randn; m = x > 0; y = where(m, x^2, x)";
    assert_eq!(gradient(source), "dL/dy * (1 - m + 2 * m * x)");
}

#[test]
fn masks_of_rows_and_columns() {
    let softmax = "dL/dA - sum(dL/dA * A, axis=1, keepdims=true)";
    let of = |mask: &str| {
        let declared = "S: [N=3, M=3] ~ randn; k: [N, M] = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]; i = arange(N)";
        gradient(&format!("{declared}; A = softmax({mask}, axis=-1)"))
    };
    assert_eq!(of("where(tril(ones(N, M)), S, -inf)"), format!("A * ({softmax}) * tril(ones(N, M))"));
    assert_eq!(
        of("where(i[:, None] >= i[None, :], S, -inf)"),
        format!("A * ({softmax}) * (i[:, None] >= i[None, :])")
    );
    assert_eq!(of("masked_fill(S, k, -inf)"), format!("A * ({softmax}) * (k == 0)"));
}

#[test]
fn what_is_not_taken_is_not_multiplied_by_zero() {
    let source = "x: [N=6] ~ randn; y = where(x > 0, sqrt(x), 0)";
    assert_eq!(gradient(source), "dL/dy * where(x > 0, 1 / sqrt(x), 0) / 2");
    let source = "x: [N=6] ~ randn; y = where(x > 0, log(x), x)";
    assert_eq!(gradient(source), "dL/dy * where(x <= 0, 1, 1 / x)");
}

#[test]
fn a_triangle_is_one() {
    assert_eq!(gradient("X: [N=3, M=3] ~ randn; S = tril(X, -1)"), "tril(dL/dS, -1)");
}

#[test]
fn the_slope_of_a_rectifier_stays_a_step() {
    let program = elaborate(&parse("x: [N=4] ~ randn; y = relu(x - 1)").file, ".".as_ref()).expect("right").0;
    let (x, y) = (&program.values[0].val, &program.values[1].val);
    let stages = backward(y, &[x], &Known::new(y, &[])).expect("rules for all of it");
    assert_eq!(stages[0].code.as_ref().map(print).as_deref(), Some("dL/dy * step(x - 1)"));
}
