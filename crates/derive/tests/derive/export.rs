//! Code of other languages: what is written, and what is saved. That it runs and agrees is `bench/export/check.py`'s affair.

use expect_test::expect;
use pullback_derive::{Exporting, Framework, Known, NotExported, Wanted, backward, export};
use pullback_lang::program::{Program, elaborate};
use pullback_lang::{Expr, StatementKind, parse};
use pullback_ops::Val;

fn exported(source: &str, wanted: Wanted) -> Result<String, NotExported> {
    let file = parse(source).file;
    let program: Program = elaborate(&file, ".".as_ref()).expect("the program is right").0;
    let output = program.values.last().expect("it defines something").val.clone();
    let is_input =
        |val: &&Val| val.inputs().is_empty() && val.name().is_some_and(|name| name.as_str() != "I");
    let inputs: Vec<&Val> = program.values.iter().map(|value| &value.val).filter(is_input).collect();
    let wrt: Vec<&Val> = inputs.iter().copied().filter(|val| val.dtype().is_float()).collect();
    let stages = backward(&output, &wrt, &Known::new(&output, &[])).expect("rules for all of it");
    let constant = |name: &str| -> Option<Expr> {
        file.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Definition(definition) if definition.name.text == name => {
                Some(definition.expr.clone())
            }
            _ => None,
        })
    };
    let asked = Exporting {
        output: &output,
        inputs: &inputs,
        wrt: &wrt,
        stages: &stages,
        scope: program.scope(),
        constant: &constant,
    };
    export(&asked, wanted)
}

fn written(source: &str, framework: Framework) -> String {
    exported(source, Wanted::Python { framework, autograd_function: true }).expect("it has code")
}

fn in_rust(source: &str) -> String {
    exported(source, Wanted::Rust { candle: false }).expect("it has code")
}

#[test]
fn a_layer_saves_what_it_reads() {
    let source = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn; Z = tanh(X @ W + b)";
    expect![[r#"
        import torch


        def forward(X, W, b):
            """Z, and what `backward` needs: 248 bytes."""
            Z = torch.tanh(X @ W + b)
            return Z, (Z, X, W)


        def backward(saved, grads):
            """The gradients by X, W, b; `grads` is that of Z."""
            (Z, X, W) = saved
            dZ = grads
            db = torch.sum(dZ * (1 - Z**2), axis=0)
            dW = X.T @ (dZ * (1 - Z**2))
            dX = dZ * (1 - Z**2) @ W.T
            return (dX, dW, db)


        class Layer(torch.autograd.Function):
            """Saves 248 bytes: Z, X, W."""

            @staticmethod
            def forward(ctx, X, W, b):
                output, saved = forward(X, W, b)
                ctx.save_for_backward(*saved[:3])
                ctx.sizes = saved[3:]
                return output

            @staticmethod
            def backward(ctx, grads):
                gradients = backward(tuple(ctx.saved_tensors) + tuple(ctx.sizes), grads)
                return gradients[0], gradients[1], gradients[2]
    "#]]
    .assert_eq(&written(source, Framework::Torch));
}

/// A loss's own cotangent is one in the steps, and whatever is given in the code.
#[test]
fn a_loss_scales_its_gradients() {
    let source = "x: [n=4] ~ randn; p = softmax(x, axis=0); L = -sum(log(p)) / n";
    expect![[r#"
        import numpy as np


        def _softmax(x, axis=-1):
            e = np.exp(x - np.max(x, axis=axis, keepdims=True))
            return e / np.sum(e, axis=axis, keepdims=True)


        def forward(x):
            """L, and what `backward` needs: 32 bytes."""
            n = x.shape[0]
            p = _softmax(x, axis=0)
            L = -np.sum(np.log(p)) / n
            return L, (p, n)


        def backward(saved, grads):
            """The gradients by x; `grads` is that of L."""
            (p, n) = saved
            dp = -1 / p / n
            dx = p * (dp - dp @ p)
            return (dx * grads,)
    "#]]
    .assert_eq(&written(source, Framework::Numpy));
}

/// A name that is a word of Python gets a line behind it.
#[test]
fn names_are_names_of_python() {
    let code = written("lambda: [n=4] ~ randn; np = 2 * lambda; L = sum(np^2)", Framework::Jax);
    assert!(code.contains("def forward(lambda_):") && code.contains("np_ = 2 * lambda_"), "{code}");
    assert!(code.contains("layer.defvjp(forward, _vjp)"), "{code}");
}

/// What the program computes of nothing is computed in the code too.
#[test]
fn constants_are_defined() {
    let source = "I = eye(3); X: [3, 3] ~ randn; L = sum(I * X^2 * inf)";
    let code = written(source, Framework::Numpy);
    assert!(code.contains("    I = np.eye(3)\n") && code.contains("float(\"inf\")"), "{code}");
    let code = in_rust(source);
    assert!(code.contains("let I = Array2::<f64>::eye(3);") && code.contains("f64::INFINITY"), "{code}");
}

/// Inputs are borrowed, what was computed is owned, and what is both saved and returned is there twice.
#[test]
fn rust_saves_what_it_reads() {
    let source = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn; Z = tanh(X @ W + b)";
    expect![[r#"
        // Needs ndarray = "0.17".
        use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

        /// What `backward` needs of `forward`: 248 bytes.
        #[allow(non_snake_case)]
        #[derive(Clone, Debug)]
        pub struct Saved<'a> {
            pub Z: Array2<f64>,
            pub X: ArrayView2<'a, f64>,
            pub W: ArrayView2<'a, f64>,
        }

        /// The gradients.
        #[allow(non_snake_case)]
        #[derive(Clone, Debug)]
        pub struct Gradients {
            pub X: Array2<f64>,
            pub W: Array2<f64>,
            pub b: Array1<f64>,
        }

        /// Z, and what `backward` needs.
        #[allow(non_snake_case)]
        pub fn forward<'a>(
            X: ArrayView2<'a, f64>,
            W: ArrayView2<'a, f64>,
            b: ArrayView1<f64>,
        ) -> (Array2<f64>, Saved<'a>) {
            let Z = (X.dot(&W) + &b).tanh();
            let saved = Saved { Z: Z.clone(), X, W };
            (Z, saved)
        }

        /// The gradients by X, W, b; `grads` is that of Z.
        #[allow(non_snake_case)]
        pub fn backward(saved: &Saved<'_>, grads: ArrayView2<f64>) -> Gradients {
            let Z = &saved.Z;
            let X = &saved.X;
            let W = &saved.W;
            let dZ = &grads;
            let db = (dZ * (1.0 - Z.powi(2))).sum_axis(Axis(0));
            let dW = X.t().dot(&(dZ * (1.0 - Z.powi(2))));
            let dX = (dZ * (1.0 - Z.powi(2))).dot(&W.t());
            Gradients { X: dX, W: dW, b: db }
        }
    "#]]
    .assert_eq(&in_rust(source));
}

/// Whole numbers stay whole, single precision stays single, and what ndarray lacks stands beside the code.
#[test]
fn rust_has_what_ndarray_lacks() {
    let source = "dtype f32; A: [2, 3] ~ randn; i: [2, 2] ~ randint(0, 3); Z = gather(stop_gradient(A), i, axis=1) * sum(A)";
    let code = in_rust(source);
    for part in [
        "A: ArrayView2<'a, f32>",
        "i: ArrayView2<'a, i64>",
        "let Z = gather::<Ix3>(&A, &i, Axis(1)) * A.sum();",
        "fn gather<R: Dimension>(",
    ] {
        assert!(code.contains(part), "{part} is not in\n{code}");
    }
    assert!(!code.contains("f64") && !code.contains("fn scatter_add"), "{code}");
}

/// Words of Rust and names of ndarray get a line behind them; Greek letters, of which the compiler warns, are spelt.
#[test]
fn names_are_names_of_rust() {
    let code =
        in_rust("α: [n=4] ~ randn; match = 2 * α; Axis = match^2; relu = Axis + relu(α); L = sum(relu)");
    for line in [
        "let match_ = 2.0 * &alpha;",
        "let Axis_ = match_.powi(2);",
        "let relu_ = &Axis_ + alpha.mapv(relu);",
    ] {
        assert!(code.contains(line), "{line} is not in\n{code}");
    }
}

/// What cannot be written is refused by its name.
#[test]
fn what_has_no_words_is_refused() {
    let refused = |source: &str, candle: bool| {
        let error = exported(source, Wanted::Rust { candle }).expect_err("there is no code");
        format!("{error}: {}", error.hint())
    };
    let four = "a: [] ~ randn; b: [] ~ randn; c: [] ~ randn; d: [] ~ randn; L = a * b * c * d";
    assert!(exported(four, Wanted::Rust { candle: false }).is_ok());
    expect!["an operation of candle has up to three inputs, and this program has 4: without `--candle` there are the two functions, which take as many inputs as there are"].assert_eq(&refused(four, true));
    let stacked = "A: [2, 3, 3] ~ randn; Z = inv(A)";
    expect![
        "`inv(A)` cannot be written in this language: `--steps full` shows its derivative index by index"
    ]
    .assert_eq(&refused(stacked, false));
    let unknown = "x: [3] ~ positive; s: [3] ~ randn; Z = s * stop_gradient(polygamma(1, x))";
    expect![
        "`polygamma` cannot be written in this language: `--steps full` shows its derivative index by index"
    ]
    .assert_eq(&refused(unknown, false));
}

/// Constants of PyTorch have the numbers of the inputs, whatever its default is.
#[test]
fn torch_has_the_numbers_of_the_inputs() {
    let source = "x: [n=4] ~ randn; k: [n] ~ randint(0, 3); m = (x > 0.1) + k / 3; y = where(k > 1, x, 0.1) * m; L = sum((eye(n) + 0.1 * ones(n, n)) @ y * maximum(x, 0.3))";
    expect![[r#"
        import torch


        def _eye(n, like):
            return torch.eye(n, dtype=like.dtype, device=like.device)


        def _float(x, like):
            return x.to(like.dtype)


        def _maximum(a, b, like=None):
            return torch.maximum(_tensor(a, like), _tensor(b, like))


        def _ones(*shape, like):
            shape = shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape
            return torch.ones(shape, dtype=like.dtype, device=like.device)


        def _step(x):
            return (x > 0).to(x.dtype)


        def _tensor(x, like):
            return torch.as_tensor(x) if like is None or torch.is_tensor(x) else torch.tensor(x, dtype=like.dtype, device=like.device)


        def _where(condition, a, b, like=None):
            return torch.where(torch.as_tensor(condition) != 0, _tensor(a, like), _tensor(b, like))


        def forward(x, k):
            """L, and what `backward` needs: 128 bytes."""
            n = x.shape[0]
            m = _step(x - 0.1) + _float(k, like=x) / 3
            y = _where(_step(_float(k, like=x) - 1), x, 0.1, like=x) * m
            L = torch.sum((_eye(n, like=x) + 0.1 * _ones(n, n, like=x)) @ y * _maximum(x, 0.3, like=x))
            return L, (x, y, m, k, n)


        def backward(saved, grads):
            """The gradients by x; `grads` is that of L."""
            (x, y, m, k, n) = saved
            dy = (_eye(n, like=x) + 0.1 * _ones(n, n, like=x)).T @ _maximum(x, 0.3, like=x)
            dx = (_eye(n, like=x) + 0.1 * _ones(n, n, like=x)) @ y * (_step(x - 0.3) + (1 - _step(0.3 - x))) / 2 + dy * m * _float(k > 1, like=x)
            return (dx * grads,)


        class Layer(torch.autograd.Function):
            """Saves 128 bytes: x, y, m, k."""

            @staticmethod
            def forward(ctx, x, k):
                output, saved = forward(x, k)
                ctx.save_for_backward(*saved[:4])
                ctx.sizes = saved[4:]
                return output

            @staticmethod
            def backward(ctx, grads):
                gradients = backward(tuple(ctx.saved_tensors) + tuple(ctx.sizes), grads)
                return gradients[0], None
    "#]].assert_eq(&written(source, Framework::Torch));
}
