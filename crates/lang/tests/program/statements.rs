//! Inputs, precision, cotangents, references: what statements make of one another.

use std::collections::HashMap;
use std::path::Path;

use pullback_array::{Array, DType, file};
use pullback_autograd::grad;
use pullback_lang::program::{Claimed, Inputs, ValueKind, elaborate, elaborate_at, elaborate_with};
use pullback_lang::{Layout, parse, parse_expr};
use pullback_ops::Val;

use crate::{array, claimed, close, drawn, numbers, program};

/// torch.manual_seed(0) and torch.randn in f32, in file order; `seed` starts anew at its place. PyTorch 2.15 (CPU):
/// `torch.manual_seed(0); print(torch.randn(2, 3), torch.randn(3)); torch.manual_seed(0); print(torch.rand(2))`.
#[test]
fn inputs_are_drawn_as_pytorch_draws_them() {
    let p = program(
        "dtype f32; W: [2, 3] ~ randn; x: [3] ~ randn; seed 0; y: [2, 3] ~ randn; seed 0; z: [2] ~ rand",
    );
    let printed = |name: &str| array(&p, name).to_string();
    assert_eq!(printed("W"), "tensor([[ 1.5410, -0.2934, -2.1788],\n        [ 0.5684, -1.0845, -1.3986]])");
    assert_eq!(
        printed("x"),
        "tensor([0.4033, 0.8380, -0.7193])".replace("[0.4033, 0.8380", "[ 0.4033,  0.8380")
    );
    assert_eq!(printed("y"), printed("W"));
    assert_eq!(printed("z"), "tensor([0.4963, 0.7682])");
}

#[test]
fn distributions() {
    let p = program(
        "n0 = 3
         z: [1000] ~ normal(5, 0.1); u: [1000] ~ uniform(2, 3); k: [1000] ~ randint(-2, 2); e: [1000] ~ positive
         A: [n=7, n] ~ spd; S: [n, n] ~ symmetric; s: [] ~ randn
         inverse = inv(A)",
    );
    let within = |name: &str, lo: f64, hi: f64| {
        let all = numbers(&p, name);
        assert!(all.iter().all(|x| (lo..hi).contains(x)), "{name}");
    };
    within("z", 4.0, 6.0);
    within("u", 2.0, 3.0);
    within("k", -2.0, 2.0);
    within("e", f64::MIN_POSITIVE, f64::INFINITY);
    assert_eq!(p.find("k").expect("k").val.dtype(), DType::I64);
    assert_eq!(p.find("s").expect("s").val.ndim(), 0);
    for name in ["A", "S"] {
        let a = array(&p, name);
        assert_eq!(a.to_vec_f64(), a.permute(&[1, 0]).expect("two axes").to_vec_f64(), "{name}");
    }
    // The eigenvalues of A are at least 1, so those of its inverse at most 1, and xᵀ A x ≥ xᵀ x.
    let inverse = array(&p, "inverse");
    let trace: f64 = (0..7).map(|i| inverse.to_vec_f64()[8 * i]).sum();
    assert!(trace > 0.0 && trace <= 7.0, "{trace}");
}

/// The twin in another precision has the same numbers, rounded once, and its own roundings after that.
#[test]
fn the_twin_has_the_same_numbers() {
    let source =
        "dtype f32; x: [n=5] ~ randn; k: [2] ~ randint(0, 5); y = x / 3; c = [0.1, 0.2]; dq/dy: [n] ~ randn";
    let file = parse(source).file;
    let (single, inputs) = elaborate(&file, Path::new(".")).expect("the file is right");
    let double = elaborate_at(&file, &inputs, DType::F64, Path::new(".")).expect("its twin is too");
    assert_eq!((single.dtype, double.dtype), (DType::F32, DType::F64));
    assert_eq!(inputs.names().collect::<Vec<_>>(), ["x", "k", "c", "dq/dy"]);
    for name in ["x", "k", "c", "dq/dy"] {
        assert_eq!(numbers(&single, name), numbers(&double, name), "{name}");
    }
    let thirds: Vec<f64> = numbers(&double, "x").iter().map(|x| x / 3.0).collect();
    assert_eq!(numbers(&double, "y"), thirds);
    assert_eq!(double.find("k").expect("k").val.dtype(), DType::I64);
    let kinds: Vec<ValueKind> = single.values.iter().map(|value| value.kind).collect();
    use ValueKind::{Definition, Input, Upstream};
    assert_eq!(kinds, [Input, Input, Definition, Input, Upstream]);
}

/// Given numbers take the place of drawn ones and do not move those that are drawn after them.
#[test]
fn numbers_from_elsewhere() {
    let file = parse("x: [2] ~ randn; y: [2] ~ randn; L = sum(x * y)").file;
    let (own, _) = elaborate(&file, Path::new(".")).expect("the file is right");
    let mut given = Inputs::default();
    given.set("x", Array::from_slice(&[2], &[1.0, 0.0]).expect("two numbers"));
    let (p, inputs) = elaborate_with(&file, &given, Path::new(".")).expect("two are two");
    assert_eq!(numbers(&p, "y"), numbers(&own, "y"));
    assert_eq!(numbers(&p, "L"), numbers(&own, "y")[..1]);
    assert_eq!(inputs.iter().count(), 2);
}

#[test]
fn loaded_numbers_bind_dims() {
    let folder = std::env::temp_dir().join(format!("pullback-lang-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    let x = Array::from_slice(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("six numbers");
    file::save_npy(&x, folder.join("x.npy")).expect("it can be written");
    let parsed =
        parse("dtype f32; X: [N, D] = load(\"x.npy\"); Y = load(\"x.npy\"); w: [D] ~ randn; z = X @ w");
    let (p, _) = elaborate(&parsed.file, &folder).expect("the file is there");
    let wrong = elaborate(&parse("w: [D=4] ~ randn; X: [N, D] = load(\"x.npy\")").file, &folder);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    assert_eq!(format!("{:?}", p.find("X").expect("X").val), "X: f32 [N=2, D=3]");
    assert_eq!(format!("{:?}", p.find("z").expect("z").val.dims()), "[N=2]");
    assert_eq!(wrong.expect_err("4 is not 3")[0].message(), "`D` is 3 here and 4 above");
}

/// Claims about the loss of given cotangents are about Σ ⟨cotangent, output⟩.
#[test]
fn given_cotangents() {
    let (p, inputs) = drawn(
        "X: [5, 3] ~ randn; W: [3, 2] ~ randn; Z = X @ W; Y = tanh(Z)
         dL/dZ: [5, 2] ~ randn
         dL/dW = X.T @ dL/dZ
         dL/dY: [5, 2] ~ randn
         dE/dY: [5, 2] ~ randn
         dE/dZ = dE/dY * (1 - Y^2)",
    );
    assert!(inputs.get("dL/dZ").is_some() && inputs.get("dE/dY").is_some());
    let [weights, other] = p.claims.as_slice() else { panic!("two claims") };
    assert_eq!((weights.of_name.as_str(), weights.of.ndim()), ("L", 0));
    assert_eq!(weights.of.name().expect("it is called so").as_str(), "L");
    let gradient = grad(&weights.of, &[&weights.wrt[0]]).expect("it is there").remove(0);
    // dL/dY is given too, below the claim, and adds to the gradient what flows through Y.
    let expected = program(
        "X: [5, 3] ~ randn; W: [3, 2] ~ randn; Z = X @ W; Y = tanh(Z); a: [5, 2] ~ randn; b: [5, 2] ~ randn
         G = X.T @ (a + b * (1 - Y^2))",
    );
    close(&gradient.array().expect("numbers").to_vec_f64(), &numbers(&expected, "G"), 1e-13);
    let second = grad(&other.of, &[&other.wrt[0]]).expect("it is there").remove(0);
    close(&second.array().expect("numbers").to_vec_f64(), &claimed(&p, "dE/dZ").to_vec_f64(), 1e-14);
    assert_eq!(other.refers_to, [] as [usize; 0]);
}

/// A reference means the claim that says nothing of a layout, or else the first; a partial one last.
#[test]
fn references() {
    let p = program(
        "W: [m=2, n=3] ~ randn; x: [n] ~ randn; a = W @ x; L = sum(a)
         da/dW [col] = kron(x.T, eye(m))
         da/dW [row] = 2 * kron(eye(m), x.T)
         t = da/dW
         dL/dW = reshape(ones(m) @ da/dW, [m, n])
         da/dW = 3 * einsum(\"ij,k->ijk\", eye(m), x)
         dL/dx = sum(da/dW)
         u = sum(t) + sum(da/dW) + dL/dx
         dL/da = u",
    );
    let refers: Vec<&[usize]> = p.claims.iter().map(|claim| claim.refers_to.as_slice()).collect();
    assert_eq!(refers, [&[][..], &[], &[0], &[], &[3], &[0, 3, 4]]);
    let layouts: Vec<Layout> = p
        .claims
        .iter()
        .filter_map(|claim| match claim.claimed {
            Claimed::Value { layout, .. } => Some(layout),
            Claimed::Shape(_) => None,
        })
        .collect();
    assert_eq!(layouts[..2], [Layout::Col, Layout::Row]);
}

/// A corrected expression, and claims put right beneath, through definitions too.
#[test]
fn claims_computed_anew() {
    let p = program(
        "x = [1, 2]; y = 3 * x; L = sum(y^2)
         dL/dy = y
         t = 2 * dL/dy
         s[i] = t[i] + dL/dy[i]
         dL/dx = s
         dy[i]/dx[j] = 5 * delta[i,j]",
    );
    let numbers = |val: Val| val.array().expect("numbers").to_vec_f64();
    let own = p.claims[1].expr.as_ref().expect("it has one");
    assert_eq!(numbers(p.reclaimed(1, own, &HashMap::new()).expect("as it stands")), [9.0, 18.0]);
    let right = Val::new(Array::from_slice(&[2], &[6.0, 12.0]).expect("two numbers"));
    let replaced = HashMap::from([(0, right)]);
    assert_eq!(numbers(p.reclaimed(1, own, &replaced).expect("dL/dy put right")), [18.0, 36.0]);
    let parsed = parse_expr("3 * delta[i,j]").expect("it parses").expr;
    assert_eq!(
        numbers(p.reclaimed(2, &parsed, &HashMap::new()).expect("indices are known")),
        [3.0, 0.0, 0.0, 3.0]
    );
    assert!(p.reclaimed(9, own, &HashMap::new()).is_err());
}

#[test]
fn keys_names_and_zeros() {
    let p = program(
        "x = [1, 2]; y = x; z = 2 * x; L = sum(z^2); c = 1/2; M = c * L
         dL/dx = zeros(2)
         dz/dx [z fixed] = 2 * eye(2)
         shape(dz/dx) = [2, 2]
         d2L/dx2 = 8 * eye(2)
         d2L/dx dz = zeros(2, 2)
         dM/dc = L",
    );
    let keys: Vec<&str> = p.claims.iter().map(|claim| claim.key.as_str()).collect();
    assert_eq!(keys, ["dL/dx", "dz/dx [z fixed]", "shape(dz/dx)", "d2L/dx2", "d2L/dx dz", "dM/dc"]);
    let zeros: Vec<bool> =
        p.claims.iter().map(|claim| matches!(claim.claimed, Claimed::Value { zeros: true, .. })).collect();
    assert_eq!(zeros, [true, false, false, false, true, false]);
    assert!(matches!(&p.claims[2].claimed, Claimed::Shape(shape) if *shape == [2, 2]));
    assert_eq!((p.claims[3].wrt.len(), p.claims[1].fixed.len()), (2, 1));
    // What is another value under another name is a value of its own, and does not rename that.
    let y = &p.find("y").expect("y").val;
    let names = [y, y.original()].map(|val| val.name().expect("both have one").as_str());
    assert_eq!(names, ["y", "x"]);
    // A number of the program that has a name is a value that derivatives are taken by.
    let gradient = grad(&p.claims[5].of, &[&p.claims[5].wrt[0]]).expect("it is there").remove(0);
    assert_eq!(gradient.array().expect("numbers").item().expect("a scalar"), 20.0);
    assert_eq!(p.last_scalar().expect("M is one").name, "M");
}
