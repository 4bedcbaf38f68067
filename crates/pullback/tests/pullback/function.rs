//! Backward passes written by hand in plain Rust, judged by their forward passes.
//!
//! The functions are the witnesses: they are loops over indices, which know nothing of this library.

use std::cell::RefCell;

use pullback::array::{Array, DType};
use pullback::assert_gradients;
use pullback::check::Verdict;
use pullback::function::{Check, Given, Gradients, Returned};
use pullback::report::{FileReport, Paint, Wanted, check_text};

use crate::command::{root, without_noise};

const LINEAR: &str = "
    X: [N=5, D=3] ~ randn
    W: [D, M=2] ~ randn
    b: [M] ~ randn
    Z = X @ W + b
    dL/dZ: [N, M] ~ randn
";

/// The three gradients of a linear layer.
fn linear(given: &Given<'_>) -> Result<[Vec<f64>; 3], Box<dyn std::error::Error>> {
    let (x, w, dz) = (given.f64("X")?, given.f64("W")?, given.f64("dL/dZ")?);
    let (n, d, m) = (given.size("N")?, given.size("D")?, given.size("M")?);
    let (mut dx, mut dw, mut db) = (vec![0.0; n * d], vec![0.0; d * m], vec![0.0; m]);
    for i in 0..n {
        for j in 0..m {
            db[j] += dz[i * m + j];
            for k in 0..d {
                dx[i * d + k] += dz[i * m + j] * w[k * m + j];
                dw[k * m + j] += x[i * d + k] * dz[i * m + j];
            }
        }
    }
    Ok([dx, dw, db])
}

fn singles(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&number| number as f32).collect()
}

fn verdicts(report: &FileReport) -> Vec<(&str, Verdict)> {
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    report.claims.iter().map(|claim| (claim.key.as_str(), claim.judgement.verdict)).collect()
}

/// The first error and its hint.
fn error(report: &FileReport) -> (&str, &str) {
    assert_eq!(report.exit_code(), 2, "{:?}", verdicts(report));
    let error = &report.errors[0];
    (&error.message, error.hint.as_deref().unwrap_or(""))
}

#[test]
fn a_linear_layer_by_loops_holds() {
    assert_gradients!(LINEAR, |given| {
        let [dx, dw, db] = linear(given)?;
        let array = Array::from_slice(given.shape("W")?, &dw)?;
        Ok(Gradients::new().with("X", ([5, 3], dx)).with("dL/dW", array).with("∂L/∂b", db))
    });
}

/// In single precision twice: a whole file of it, and single gradients in a file in double precision.
#[test]
fn single_precision_has_its_own_tolerances() {
    for source in [format!("dtype f32\n{LINEAR}"), LINEAR.to_string()] {
        let report = Check::of(&*source).run(|given| {
            let [dx, dw, db] = linear(given)?.map(|gradient| singles(&gradient));
            Ok(Gradients::new().with("X", dx).with("W", dw).with("b", db))
        });
        let all = [("dL/dX", Verdict::Holds), ("dL/dW", Verdict::Holds), ("dL/db", Verdict::Holds)];
        assert_eq!(verdicts(&report), all);
        let tolerances = report.claims.iter().filter_map(|claim| claim.judgement.tolerance);
        assert!(tolerances.into_iter().all(|tolerance| (1e-8..1e-4).contains(&tolerance)));
    }
    // A millionth more is within neither precision.
    let report = Check::of(LINEAR).run(|given| {
        let [dx, dw, db] =
            linear(given)?.map(|gradient| gradient.iter().map(|g| g * 1.00001).collect::<Vec<f64>>());
        Ok(Gradients::new().with("X", dx).with("W", singles(&dw)).with("b", singles(&db)))
    });
    assert!(
        verdicts(&report).iter().all(|(_, verdict)| *verdict == Verdict::Wrong),
        "{:?}",
        verdicts(&report)
    );
}

/// `softmax(z) − one-hot`, over N.
fn cross_entropy(given: &Given<'_>) -> Returned {
    let (z, labels) = (given.f64("Z")?, given.i64("y")?);
    let (n, k) = (given.size("N")?, given.size("K")?);
    let mut dz = vec![0.0; n * k];
    for i in 0..n {
        let row = &z[i * k..(i + 1) * k];
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = row.iter().map(|z| (z - largest).exp()).sum();
        for j in 0..k {
            let hit = if labels[i] == j as i64 { 1.0 } else { 0.0 };
            dz[i * k + j] = ((row[j] - largest).exp() / total - hit) / n as f64;
        }
    }
    Ok(Gradients::new().with("Z", dz))
}

#[test]
fn softmax_and_cross_entropy_by_loops_hold() {
    let source = "
        Z: [N=7, K=5] ~ randn
        y: [N] ~ randint(0, 5)
        L = mean(logsumexp(Z, axis=1) - sum(gather(eye(K), y) * Z, axis=1))
    ";
    // Labels are no input that could have a gradient.
    assert_gradients!(source, cross_entropy);
    assert_gradients!(Check::of(format!("dtype f32; {source}")), cross_entropy);
}

/// The gradients of a layer norm by its input, its gain and its offset, from the normalised rows that the forward pass saved.
/// `projected` is whether the mean over the normalised row is taken off, which is what is forgotten.
fn layer_norm(given: &Given<'_>, projected: bool) -> Returned {
    let (x, saved, gain, dy) = (given.f32("X")?, given.f32("H")?, given.f32("g")?, given.f32("dL/dY")?);
    let (n, d) = (given.size("N")?, given.size("D")?);
    let (mut dx, mut dg, mut db) = (vec![0f32; n * d], vec![0f32; d], vec![0f32; d]);
    for i in 0..n {
        let row = i * d..(i + 1) * d;
        let (x, h, dy) = (&x[row.clone()], &saved[row.clone()], &dy[row.clone()]);
        let mean = x.iter().sum::<f32>() / d as f32;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / d as f32;
        let scale = 1.0 / (variance + 1e-5).sqrt();
        let dh: Vec<f32> = dy.iter().zip(&gain).map(|(dy, g)| dy * g).collect();
        let sum = dh.iter().sum::<f32>() / d as f32;
        let along: f32 =
            if projected { dh.iter().zip(h).map(|(dh, h)| dh * h).sum::<f32>() / d as f32 } else { 0.0 };
        for k in 0..d {
            dx[row.start + k] = scale * (dh[k] - sum - h[k] * along);
            dg[k] += dy[k] * h[k];
            db[k] += dy[k];
        }
    }
    Ok(Gradients::new().with("X", ([n, d], dx)).with("g", dg).with("b", db))
}

const LAYER_NORM: &str = "
    dtype f32
    X: [N=3, D=7] ~ randn
    g: [D] ~ randn
    b: [D] ~ randn
    C = X - mean(X, axis=1, keepdims=true)
    H = C / sqrt(mean(C^2, axis=1, keepdims=true) + 1e-5)
    Y = H * g + b
    dL/dY: [N, D] ~ randn
";

#[test]
fn a_layer_norm_by_loops_holds_and_its_mistake_is_found() {
    assert_gradients!(LAYER_NORM, |given| layer_norm(given, true));
    let report = Check::of(LAYER_NORM).run(|given| layer_norm(given, false));
    assert_eq!(
        verdicts(&report),
        [("dL/dX", Verdict::Wrong), ("dL/dg", Verdict::Holds), ("dL/db", Verdict::Holds)]
    );
    // The path through the variance: where H is computed.
    let [found] = report.claims[0].diagnoses.as_slice() else { panic!("{:?}", report.claims[0].diagnoses) };
    let line =
        LAYER_NORM.find("H = ").map(|start| start..start + LAYER_NORM[start..].find('\n').unwrap_or(0));
    assert!(line.is_some_and(|line| line.contains(&found.span.start)), "{found:?}");
}

/// A gradient that is not computed is not judged, and it makes no difference how that is said.
#[test]
fn gradients_are_optional() {
    let report = Check::of(LINEAR).run(|given| {
        let [_, dw, _] = linear(given)?;
        let bias: Option<Vec<f64>> = None;
        Ok(Gradients::new().none("X").with("W", Some(dw)).with("b", bias))
    });
    assert_eq!(verdicts(&report), [("dL/dW", Verdict::Holds)]);
}

/// Two outputs, each with a cotangent of its own; gradients by a value on the way; and two losses.
#[test]
fn several_outputs_and_losses_are_told_apart() {
    let outputs = "
        x: [n=3] ~ randn
        a = 2 * x
        p = a^2
        q = sin(x)
        dL/dp: [n] ~ randn
        dL/dq: [n] ~ randn
    ";
    assert_gradients!(outputs, |given| {
        let (x, dp, dq) = (given.f64("x")?, given.f64("dL/dp")?, given.f64("dL/dq")?);
        let da: Vec<f64> = given.f64("a")?.iter().zip(&dp).map(|(a, dp)| 2.0 * a * dp).collect();
        let dx: Vec<f64> = (0..3).map(|i| 2.0 * da[i] + x[i].cos() * dq[i]).collect();
        Ok(Gradients::new().with("x", dx).with("dL/da", da))
    });
    let losses = "
        x: [n=3] ~ randn
        K = sum(x)
        L = sum(x^2)
    ";
    let report = Check::of(losses).run(|given| {
        let twice: Vec<f64> = given.f64("x")?.iter().map(|x| 2.0 * x).collect();
        Ok(Gradients::new().with("dK/dx", vec![1.0; 3]).with("x", twice).with("dL/dK", 1.0))
    });
    // L does not depend on K.
    let all = [("dK/dx", Verdict::Holds), ("dL/dx", Verdict::Holds), ("dL/dK", Verdict::Wrong)];
    assert_eq!(verdicts(&report), all);
}

/// The function's gradients stand where the text claims the same, and other claims stay.
#[test]
fn claims_of_the_text_are_judged_too() {
    let source = "x: [n=3] ~ randn; y = x^2; L = sum(y); dL/dy = ones(n); dL/dx = x";
    let report = Check::of(source).run(|given| {
        Ok(Gradients::new().with("x", given.f64("x")?.iter().map(|x| 2.0 * x).collect::<Vec<f64>>()))
    });
    assert_eq!(verdicts(&report), [("dL/dy", Verdict::Holds), ("dL/dx", Verdict::Holds)]);
}

#[test]
fn what_is_missing_or_unknown_is_an_error_that_names_it() {
    let run = |gradients: fn() -> Gradients| {
        Check::of("x: [n=3] ~ randn; s = 2.0; L = sum(s * x)").run(move |_| Ok(gradients()))
    };
    let missing = run(|| Gradients::new().with("s", 0.0));
    assert_eq!(
        error(&missing),
        (
            "the function returns no gradient by `x`",
            "return it, or say with `.none(\"x\")` that it is not computed"
        )
    );
    let place = missing.errors[0].span.map(|span| span.slice(&missing.document.text).to_string());
    assert_eq!(place.as_deref(), Some("x"));
    let nothing = run(|| Gradients::new().none("x"));
    assert_eq!(error(&nothing).0, "the function returns no gradient: there is nothing to judge");
    let unknown = run(|| Gradients::new().with("y", vec![0.0; 3]));
    assert_eq!(
        error(&unknown),
        ("the function returns `y`, and the forward pass has no `y`", "it has `x`, `s` and `L`")
    );
    let other_loss = run(|| Gradients::new().with("dK/dx", vec![0.0; 3]));
    assert_eq!(error(&other_loss).0, "the function returns `dK/dx`, and the forward pass has no `K`");
    let twice = run(|| Gradients::new().with("x", vec![0.0; 3]).with("dL/dx", vec![0.0; 3]));
    assert_eq!(error(&twice).0, "the function returns `dL/dx` twice");
    let short = run(|| Gradients::new().with("x", vec![0.0; 2]));
    assert_eq!(error(&short).0, "the function's `x`: 2 numbers for the shape [3]");
    let misshapen = run(|| Gradients::new().with("x", ([2, 2], vec![0.0; 3])));
    assert!(error(&misshapen).0.contains("[2, 2] has 4 elements, not 3"), "{:?}", error(&misshapen));
    let integers = run(|| Gradients::new().with("x", vec![1i64; 3]));
    assert!(error(&integers).0.contains("integers"), "{:?}", error(&integers));
    let no_loss =
        Check::of("x: [n=3] ~ randn; y = 2 * x").run(|_| Ok(Gradients::new().with("x", vec![2.0; 3])));
    assert!(error(&no_loss).1.contains("give the cotangent of its output"), "{:?}", error(&no_loss));
}

/// Another shape than the derivative's is a claim that is judged, not an error.
#[test]
fn a_wrong_shape_is_a_verdict() {
    let report = Check::of(LINEAR).run(|given| {
        let [_, dw, _] = linear(given)?;
        Ok(Gradients::new().none("X").none("b").with("W", ([2, 3], dw)))
    });
    assert!(
        matches!(verdicts(&report)[..], [("dL/dW", Verdict::Shape | Verdict::Wrong)]),
        "{:?}",
        verdicts(&report)
    );
}

#[test]
fn what_the_function_asks_in_vain_is_an_error_with_advice() {
    let report = Check::of(LINEAR).run(|given| Ok(Gradients::new().with("X", given.f64("x")?)));
    assert_eq!(
        error(&report),
        (
            "the function returns an error: the forward pass has no `x`",
            "it has `X`, `W`, `b`, `Z` and `dL/dZ`"
        )
    );
    let report = Check::of(LINEAR).run(|given| Ok(Gradients::new().with("X", vec![0.0; given.size("K")?])));
    assert_eq!(error(&report).1, "it has `D`, `M` and `N`");
    let report = Check::of(LINEAR).run(|_| Err("no device".into()));
    assert_eq!(error(&report).0, "the function returns an error: no device");
    assert_eq!(error(&Check::of("x = y").run(|_| Ok(Gradients::new()))).0, "`y` is not defined");
}

/// A function is called once where all is right; where something is wrong on other data too, of other sizes only where that
/// was allowed.
#[test]
fn other_data_is_asked_for_where_something_is_wrong() {
    let asked = |check: Check, factor: f64| {
        let shapes = RefCell::new(Vec::new());
        let report = check.run(|given| {
            let x = given.f64("x")?;
            shapes.borrow_mut().push(x.len());
            if shapes.borrow().len() > 2 {
                // Nothing to be had there, which fails nothing.
                return Err("no more".into());
            }
            Ok(Gradients::new().with("x", x.iter().map(|x| factor * x).collect::<Vec<f64>>()))
        });
        assert!(report.errors.is_empty());
        shapes.into_inner()
    };
    let check = || Check::of("x: [n=11] ~ randn; L = sum(x^2)");
    assert_eq!(asked(check(), 2.0), [11]);
    assert_eq!(asked(check().at_any_size(), 2.0), [11]);
    let own_sizes = asked(check(), 3.0);
    assert!(own_sizes.len() > 1 && own_sizes.iter().all(|&size| size == 11), "{own_sizes:?}");
    let all_sizes = asked(check().at_any_size(), 3.0);
    assert!(all_sizes[0] == 11 && all_sizes[1..].iter().any(|&size| size != 11), "{all_sizes:?}");
}

/// In single precision a function sees, on all data, numbers that single precision can hold.
#[test]
fn what_a_function_is_given_in_single_precision_is_exact() {
    let report = Check::of("dtype f32; x: [n=11] ~ randn; L = sum(x^2)").at_any_size().run(|given| {
        let x = given.array("x")?;
        assert_eq!(x.cast(DType::F32)?.to_vec_f64(), x.to_vec_f64());
        Ok(Gradients::new().with("x", given.f32("x")?))
    });
    assert_eq!(verdicts(&report), [("dL/dx", Verdict::Wrong)]);
}

/// What is missing from the gradient of a mean, where the number of its entries could be any three.
#[test]
fn a_report_reads_well_without_an_expression() {
    let text = |check: Check| {
        let report = check.run(|given| {
            let twice = given.f64("x")?.iter().map(|x| 2.0 * x).collect::<Vec<f64>>();
            Ok(Gradients::new().with("x", twice))
        });
        check_text(&[report], Wanted::Everything, Paint::Plain)
    };
    let source = "x: [n=3] = [1, 2, 3]\nL = mean(x^2)\n";
    let all =
        |text: String, parts: &[&str]| parts.iter().for_each(|part| assert!(text.contains(part), "{text}"));
    let place = [
        " --> the forward pass:1:1",
        "1 | x: [n=3] = [1, 2, 3]",
        "at [2] the function has 6, the derivative is 2",
    ];
    all(text(Check::of(source)), &place);
    all(text(Check::of(source)), &["? dL/dx  ambiguous", "say so with `at_any_size()`"]);
    all(text(Check::of(source).at_any_size()), &place);
    all(text(Check::of(source).at_any_size()), &["✗ dL/dx  wrong", "the factor `1 / n` is missing"]);
}

#[test]
#[should_panic(expected = "the function returns no gradient by `b`")]
fn the_macro_panics_with_what_the_command_prints() {
    assert_gradients!(LINEAR, |given| {
        let [dx, dw, _] = linear(given)?;
        Ok(Gradients::new().with("X", dx).with("W", dw))
    });
}

/// The README's function without the term that it takes off, and what the README says that is printed of it.
#[test]
fn the_readme_shows_what_a_wrong_gradient_prints() {
    let source = "
    x: [n=7] ~ randn
    u = sqrt(mean(x^2))
    r = x / u
    dL/dr: [n] ~ randn
    ";
    let report = Check::of(source).run(|given| {
        let (u, dr) = (given.f64("u")?[0], given.f64("dL/dr")?);
        Ok(Gradients::new().with("x", dr.iter().map(|dr| dr / u).collect::<Vec<f64>>()))
    });
    let text = without_noise(&check_text(&[report], Wanted::Everything, Paint::Plain));
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the page is there");
    assert!(readme.contains(source), "the README's program is another one");
    assert!(without_noise(&readme).contains(&text), "{text}");
}
