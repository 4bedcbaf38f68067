//! Expressions: numbers, lists, indices as NumPy takes them, functions.

use pullback_array::{Array, DType};
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{parse, parse_expr};
use pullback_network::Dim;
use pullback_ops::Val;

use crate::{close, errors, numbers, program};

/// The value of an expression without names.
#[track_caller]
fn value(text: &str, scope: &Scope) -> Val {
    let expr = parse_expr(text).unwrap_or_else(|error| panic!("{text}: {error}")).expr;
    evaluate(&expr, scope).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn subscripts_are_numpys() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../golden/subscripts.json")).expect("it is JSON");
    let sizes = |json: &serde_json::Value| -> Vec<usize> {
        json.as_array().expect("a list").iter().map(|x| x.as_u64().expect("a size") as usize).collect()
    };
    for case in cases.as_array().expect("a list") {
        let shape = sizes(&case["shape"]);
        let count = shape.iter().product();
        let x = Array::arange(count).and_then(|x| x.cast(DType::F64)).and_then(|x| x.reshape(&shape));
        let mut scope = Scope::new(DType::F64);
        scope.define("x", Val::new(x.expect("a small array")));
        let text = format!("x[{}]", case["index"].as_str().expect("a text"));
        let got = value(&text, &scope);
        assert_eq!(got.shape(), sizes(&case["result"]["shape"]), "{text} of {shape:?}");
        let expected: Vec<f64> = sizes(&case["result"]["data"]).into_iter().map(|x| x as f64).collect();
        assert_eq!(got.array().expect("it has numbers").to_vec_f64(), expected, "{text} of {shape:?}");
    }
}

/// Arithmetic of numbers is done in f64 and makes one number, whatever the precision of the program.
#[test]
fn numbers_fold() {
    let mut scope = Scope::new(DType::F32);
    scope.define_dim(Dim::named("n", 3));
    let cases = [
        ("1/(2*n)", 1.0 / 6.0),
        ("2^-1 + 0.5", 1.0),
        ("-n^2", -9.0),
        ("2^3^2", 512.0),
        ("(n > 2) + (n < 2) + (n == 3)", 2.0),
        ("(n != 3) + (n >= 3) + (n <= 2)", 1.0),
        ("square(3) - 9", 0.0),
    ];
    for (text, expected) in cases {
        let got = value(text, &scope);
        if text.contains("square") {
            assert_eq!(got.array().expect("a number").item().expect("a scalar"), expected);
        } else {
            assert_eq!(got.as_number(), Some(expected), "{text}");
        }
    }
    assert_eq!(
        value("1/3", &scope).array().expect("a number").item().expect("a scalar"),
        f64::from(1.0f32 / 3.0)
    );
}

#[test]
fn comparisons_are_masks() {
    let p = program(
        "x = [-1, 0, 2]
         a = x > 0; b = x >= 0; c = x < 0; d = x <= 0; e = x == 0; f = x != 0
         g = (x > 0) * x",
    );
    for (name, expected) in [
        ("a", [0.0, 0.0, 1.0]),
        ("b", [0.0, 1.0, 1.0]),
        ("c", [1.0, 0.0, 0.0]),
        ("d", [1.0, 1.0, 0.0]),
        ("e", [0.0, 1.0, 0.0]),
        ("f", [1.0, 0.0, 1.0]),
        ("g", [0.0, 0.0, 2.0]),
    ] {
        assert_eq!(numbers(&p, name), expected, "{name}");
    }
}

#[test]
fn the_languages_own_functions() {
    let p = program(
        "A: [m=2, n=3] = [[1, 2, 3], [4, 5, 6]]
         I = eye(m)
         z = zeros(m, n) + ones([n])
         s = zeros([])
         r = arange(2 * m)
         q = square(A)
         d = dot(A, [1, 0, 2])
         u = unvec(vec(A), [m, n]) - A
         v = unvec(vec(A, col), [m, n], col) - A
         w = unvec(vec(A, col), [m, n], layout=\"col\") - A
         k = 3
         t = reshape(A, [k, -1])
         e = eye(k) @ [1, 2, 3]",
    );
    assert_eq!(numbers(&p, "I"), [1.0, 0.0, 0.0, 1.0]);
    assert_eq!(numbers(&p, "z"), [1.0; 6]);
    assert_eq!(numbers(&p, "s"), [0.0]);
    assert_eq!(numbers(&p, "r"), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(numbers(&p, "q"), [1.0, 4.0, 9.0, 16.0, 25.0, 36.0]);
    assert_eq!(numbers(&p, "d"), [7.0, 16.0]);
    for zero in ["u", "v", "w"] {
        assert_eq!(numbers(&p, zero), [0.0; 6], "{zero}");
    }
    let dims = |name: &str| format!("{:?}", p.find(name).expect("it is there").val.dims());
    assert_eq!(dims("I"), "[m=2, m=2]");
    assert_eq!(dims("z"), "[m=2, n=3]");
    assert_eq!(dims("u"), "[m=2, n=3]");
    assert_eq!(dims("t"), "[3, 2]");
    assert_eq!(numbers(&p, "e"), [1.0, 2.0, 3.0]);
}

#[test]
fn functions_of_the_file() {
    let p = program(
        "fn rms(a) = sqrt(mean(a^2))
         fn scaled(a, by) = a / by
         fn norm(a) = scaled(a, by=rms(a))
         n = [1, 2]
         x = [3, 4]
         y = norm(x)
         fn pick(x, i) = x[i]
         z = pick(x, -1)",
    );
    // rms is √(25/2).
    let rms = 12.5f64.sqrt();
    close(&numbers(&p, "y"), &[3.0 / rms, 4.0 / rms], 1e-15);
    assert_eq!(numbers(&p, "z"), [4.0]);
}

#[test]
fn lists_of_whole_numbers_are_indices() {
    let p = program(
        "x: [3, 2] = [[0, 1], [2, 3], [4, 5]]
         i = [2, 0]
         j: [2] ~ randint(1, 2)
         a = gather(x, [2, 0], axis=0); b = gather(x, i); c = x[i]; d = x[j]",
    );
    for name in ["a", "b", "c"] {
        assert_eq!(numbers(&p, name), [4.0, 5.0, 0.0, 1.0], "{name}");
    }
    assert_eq!(numbers(&p, "d"), [2.0, 3.0, 2.0, 3.0]);
}

/// A row of a thousand operators nests nothing; brackets as deep as the parser allows do, functions included.
#[test]
fn deep_expressions_need_no_deep_stack() {
    let sum = format!("x = [1, 2]; y = x{}", " + x".repeat(990));
    close(&numbers(&program(&sum), "y"), &[991.0, 1982.0], 1e-14);
    let parsed = parse(&format!("x = [1, 2]; y = {}x{}", "(1 + ".repeat(190), ")".repeat(190)));
    assert_eq!(parsed.errors, []);
    let (p, _) =
        pullback_lang::program::elaborate(&parsed.file, ".".as_ref()).expect("190 levels are allowed");
    assert_eq!(numbers(&p, "y"), [191.0, 192.0]);
}

#[test]
fn a_constant_is_called_as_it_is_written() {
    let p = program("m: [2] ~ randn; v = eye(2) @ m; w = m * [1, 2]; I = eye(2)");
    assert_eq!(format!("{:?}", p.find("w").expect("w").val.inputs()), "[m: f64 [2], [1, 2]: f64 [2]]");
    assert_eq!(format!("{:?}", p.find("v").expect("v").val.inputs()), "[eye(2): f64 [2, 2], m: f64 [2]]");
    assert_eq!(p.find("I").expect("I").val.name().expect("it has one").as_str(), "I");
}

/// A condition is a mask and not added to scores, however it is called.
#[test]
fn conditions_mask() {
    let p = program(
        "q = [[1, 2], [3, 4]]; v = [[1, 0], [0, 1]]; keep = arange(2)[:, None] >= arange(2); \
         a = scaled_dot_product_attention(q, q, v, attn_mask=keep); \
         b = scaled_dot_product_attention(q, q, v, attn_mask=tril(ones(2, 2)) == 1); \
         c = scaled_dot_product_attention(q, q, v, is_causal=true)",
    );
    assert_eq!(numbers(&p, "a"), numbers(&p, "c"));
    assert_eq!(numbers(&p, "b"), numbers(&p, "c"));
}

/// Where a condition is true, as NumPy and PyTorch select; integers that are compared are no indices.
#[test]
fn conditions_select() {
    let p = program(
        "x = [1, -2, 3, -4]; t = [0, 2, 1, 0]; A = [[1, 2], [3, 4], [5, 6], [7, 8]]; \
         a = x[x > 0]; b = x[t != 0]; c = A[x < 0]; d = A[A > 3]; e = x[(x > 0) & (x < 2) | !(t == 0)]; \
         m = t != 0; both = m & (x > 0); also = m; f = x[also]; g = x[both]; fn of(x, m) = x[m]; h = of(x, t)",
    );
    assert_eq!(numbers(&p, "f"), [-2.0, 3.0]);
    assert_eq!(numbers(&p, "g"), [3.0]);
    // What is given to a function of the same name for it is what it is.
    assert_eq!(numbers(&p, "h"), [1.0, 3.0, -2.0, 1.0]);
    assert_eq!(numbers(&p, "a"), [1.0, 3.0]);
    assert_eq!(numbers(&p, "b"), [-2.0, 3.0]);
    assert_eq!(numbers(&p, "c"), [3.0, 4.0, 7.0, 8.0]);
    assert_eq!(numbers(&p, "e"), [1.0, -2.0, 3.0]);
    assert_eq!(numbers(&p, "d"), [4.0, 5.0, 6.0, 7.0, 8.0]);
    let said = errors("x = [1, -2, 3]; A = [[1, 2], [3, 4]]; a = A[x > 0]");
    assert_eq!(said[0].message(), "a mask of shape [3] selects nothing of [2, 2]");
}
