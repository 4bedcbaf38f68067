//! Code of other languages: what is written, and what is saved. That it runs and agrees is `bench/export/check.py`'s affair.

use expect_test::expect;
use pullback_derive::{Exporting, Framework, Known, NotExported, Wanted, backward, export, statements};
use pullback_lang::program::{Program, elaborate};
use pullback_lang::{Expr, StatementKind, parse};
use pullback_ops::Val;

fn exported(source: &str, wanted: Wanted) -> Result<String, NotExported> {
    asking(source, |asked| export(asked, wanted))
}

fn in_the_language(source: &str) -> String {
    asking(source, statements).expect("it has code")
}

fn asking(
    source: &str,
    ask: impl FnOnce(&Exporting<'_>) -> Result<String, NotExported>,
) -> Result<String, NotExported> {
    let file = parse(source).file;
    let program: Program = elaborate(&file, ".".as_ref()).expect("the program is right").0;
    let output = program.values.last().expect("it defines something").val.clone();
    let is_input =
        |val: &&Val| val.inputs().is_empty() && val.name().is_some_and(|name| name.as_str() != "I");
    let inputs: Vec<&Val> = program.values.iter().map(|value| &value.val).filter(is_input).collect();
    let wrt: Vec<&Val> = inputs.iter().copied().filter(|val| val.dtype().is_float()).collect();
    let known = Known::new(&output, &[]);
    let stages = backward(&output, &wrt, &known).expect("rules for all of it");
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
        known: &known,
        scope: program.scope(),
        constant: &constant,
    };
    ask(&asked)
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


        def _tensor(x, like):
            return torch.as_tensor(x) if like is None or torch.is_tensor(x) else torch.tensor(x, dtype=like.dtype, device=like.device)


        def _where(condition, a, b, like=None):
            return torch.where(torch.as_tensor(condition) != 0, _tensor(a, like), _tensor(b, like))


        def forward(x, k):
            """L, and what `backward` needs: 128 bytes."""
            n = x.shape[0]
            m = _float(x > 0.1, like=x) + _float(k, like=x) / 3
            y = _where(k > 1, x, 0.1, like=x) * m
            L = torch.sum((_eye(n, like=x) + 0.1 * _ones(n, n, like=x)) @ y * _maximum(x, 0.3, like=x))
            return L, (x, y, m, k, n)


        def backward(saved, grads):
            """The gradients by x; `grads` is that of L."""
            (x, y, m, k, n) = saved
            dy = (_eye(n, like=x) + 0.1 * _ones(n, n, like=x)).T @ _maximum(x, 0.3, like=x)
            dx = (_eye(n, like=x) + 0.1 * _ones(n, n, like=x)) @ y * (_float(x > 0.3, like=x) + _float(x >= 0.3, like=x)) / 2 + dy * m * _float(k > 1, like=x)
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

#[test]
fn a_loop_goes_back_through_its_steps() {
    expect![[r#"
        import numpy as np


        def _stack(rows, like):
            return np.stack(rows) if rows else np.zeros((0,) + np.shape(like))


        def _zeros(*shape):
            return np.zeros(shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape)


        def forward(X, h0, W):
            """L, and what `backward` needs: 384 bytes."""
            T = X.shape[0]
            D = X.shape[1]
            h = h0
            h_before = []
            hs = []
            for t in range(T):
                h_before.append(h)
                z = X[t] + h @ W
                h = np.tanh(z)
                hs.append(h)
            h_before = _stack(h_before, h)
            hs = _stack(hs, h)
            L = np.sum(hs**2) + np.sum(h**3)
            return L, (hs, h, X, h_before, W, D, T)


        def backward(saved, grads):
            """The gradients by X, h0, W; `grads` is that of L."""
            (hs, h, X, h_before, W, D, T) = saved
            dhs = 2 * hs
            dh = 3 * h**2
            gh, gW = dh, _zeros([D, D])
            gX = []
            for t in reversed(range(T)):
                z = X[t] + h_before[t] @ W
                h_next = np.tanh(z)
                gh_next = dhs[t] + gh
                gz = gh_next * (1 - h_next**2)
                gX_t = gz
                gh, gW = W @ gz, gW + np.outer(h_before[t], gz)
                gX.append(gX_t)
            gX = _stack(gX[::-1], _zeros([D]))
            dW = gW
            dh0 = gh
            dX = gX
            return (dX * grads, dh0 * grads, dW * grads)
    "#]]
    .assert_eq(&written(RECURRENT, Framework::Numpy));
}

const RECURRENT: &str = "X: [T=4, D=3] ~ randn; h0: [D] ~ randn; W: [D, D] ~ randn
scan t < T, h = h0 -> hs { z = X[t] + h @ W; h = tanh(z) }
L = sum(hs^2) + sum(h^3)";

#[test]
fn a_loop_in_the_language_is_a_loop() {
    expect![[r#"
        scan t < T, h_ = h0, h__kept = h0 -> _, h_before {
          h__kept = h_
          z = X[t] + h_ @ W
          h_ = tanh(z)
        }
        dL/dhs = 2 * hs
        dL/dh = 3 * h^2
        scan t_from_end < T, gh = dL/dh, gW = zeros([D, D]), gX_t = zeros([D]) -> _, _, gX_from_end {
          t = T - 1 - t_from_end
          z = X[t] + h_before[t] @ W
          h_next = tanh(z)
          gh_next = dL/dhs[t] + gh
          gz = gh_next * (1 - h_next^2)
          gX_t = gz
          gh = W @ gz
          gW = gW + outer(h_before[t], gz)
        }
        gX = flip(gX_from_end, axis=0)
        dL/dW = gW
        dL/dh0 = gh
        dL/dX = gX
    "#]]
    .assert_eq(&in_the_language(RECURRENT));
}

#[test]
fn several_carries_go_back_together() {
    let source = "X: [T=4, B=2, D=3] ~ randn; h0: [B, H=2] ~ randn; c0: [B, H] ~ randn; Wih: [4*H, D] ~ randn; Whh: [4*H, H] ~ randn; b: [4*H] ~ randn
scan t < T, h = h0, c = c0 -> hs {
  z = X[t] @ Wih.T + h @ Whh.T + b
  i = sigmoid(z[:, :H])
  f = sigmoid(z[:, H:2*H])
  g = tanh(z[:, 2*H:3*H])
  o = sigmoid(z[:, 3*H:])
  c = f * c + i * g
  h = o * tanh(c)
}
Z = hs * 2
";
    expect![[r#"
        import torch


        def _pad(x, widths, value=0):
            return torch.nn.functional.pad(x, [width for pair in reversed(widths) for width in pair], value=value)


        def _stack(rows, like):
            return torch.stack(rows) if rows else like.new_zeros((0,) + tuple(like.shape))


        def _zeros(*shape, like):
            shape = shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape
            return torch.zeros(shape, dtype=like.dtype, device=like.device)


        def forward(X, h0, c0, Wih, Whh, b):
            """Z, and what `backward` needs: 832 bytes."""
            T = X.shape[0]
            B = X.shape[1]
            H = h0.shape[1]
            D = X.shape[2]
            h, c = h0, c0
            h_before = []
            c_before = []
            hs = []
            for t in range(T):
                h_before.append(h)
                c_before.append(c)
                z = X[t] @ Wih.T + h @ Whh.T + b
                i = torch.sigmoid(z[:, :2])
                f = torch.sigmoid(z[:, 2:4])
                g = torch.tanh(z[:, 4:6])
                o = torch.sigmoid(z[:, 6:])
                c_next = f * c + i * g
                h, c = o * torch.tanh(c_next), c_next
                hs.append(h)
            h_before = _stack(h_before, h)
            c_before = _stack(c_before, c)
            hs = _stack(hs, h)
            Z = hs * 2
            return Z, (X, Wih, h_before, Whh, b, c_before, B, H, D, T)


        def backward(saved, grads):
            """The gradients by X, h0, c0, Wih, Whh, b; `grads` is that of Z."""
            (X, Wih, h_before, Whh, b, c_before, B, H, D, T) = saved
            dZ = grads
            dhs = 2 * dZ
            gh, gc, gWih, gWhh, gb = _zeros([B, H], like=X), _zeros([B, H], like=X), _zeros([8, D], like=X), _zeros([8, H], like=X), _zeros([8], like=X)
            gX = []
            for t in reversed(range(T)):
                z = X[t] @ Wih.T + h_before[t] @ Whh.T + b
                i = torch.sigmoid(z[:, :2])
                f = torch.sigmoid(z[:, 2:4])
                g = torch.tanh(z[:, 4:6])
                o = torch.sigmoid(z[:, 6:])
                c_next = f * c_before[t] + i * g
                gh_next = dhs[t] + gh
                gc_next = gc + gh_next * o * (1 - torch.tanh(c_next)**2)
                go = gh_next * torch.tanh(c_next)
                gg = gc_next * i
                gf = gc_next * c_before[t]
                gi = gc_next * g
                gz = _pad(go * o * (1 - o), [[0, 0], [6, 0]]) + _pad(gg * (1 - g**2), [[0, 0], [4, 2]]) + _pad(gf * f * (1 - f), [[0, 0], [2, 4]]) + _pad(gi * i * (1 - i), [[0, 0], [0, 6]])
                gX_t = gz @ Wih
                gh, gc, gWih, gWhh, gb = gz @ Whh, gc_next * f, gWih + gz.T @ X[t], gWhh + gz.T @ h_before[t], gb + torch.sum(gz, axis=0)
                gX.append(gX_t)
            gX = _stack(gX[::-1], _zeros([B, D], like=X))
            db = gb
            dWhh = gWhh
            dWih = gWih
            dc0 = gc
            dh0 = gh
            dX = gX
            return (dX, dh0, dc0, dWih, dWhh, db)


        class Layer(torch.autograd.Function):
            """Saves 832 bytes: X, Wih, h_before, Whh, b, c_before."""

            @staticmethod
            def forward(ctx, X, h0, c0, Wih, Whh, b):
                output, saved = forward(X, h0, c0, Wih, Whh, b)
                ctx.save_for_backward(*saved[:6])
                ctx.sizes = saved[6:]
                return output

            @staticmethod
            def backward(ctx, grads):
                gradients = backward(tuple(ctx.saved_tensors) + tuple(ctx.sizes), grads)
                return gradients[0], gradients[1], gradients[2], gradients[3], gradients[4], gradients[5]
    "#]].assert_eq(&written(source, Framework::Torch));
}

#[test]
fn loops_nest() {
    let source = "X: [T=4, D=3] ~ randn; a: [] ~ randn; W: [D, D] ~ randn
scan t < T, h = X[0] { scan k < 2, u = h { u = sin(u @ W) * a }; h = u + X[t] * sum(X) }
L = sum(h^3)";
    expect![[r#"
        scan t < T, h_ = X[0], h__kept = X[0] -> _, h_before {
          h__kept = h_
          scan k < 2, u = h_, u_kept = h_ -> _, u_before {
            u_kept = u
            u = sin(u @ W) * a
          }
          h_ = u + X[t] * sum(X)
        }
        dL/dh = 3 * h^2
        scan t_from_end < T, gh = dL/dh, gW = zeros([D, D]), ga = zeros([]), gX_ = zeros([T, D]), gX_t = zeros([D]) -> _, _, _, _, gX_from_end {
          t = T - 1 - t_from_end
          scan k < 2, u = h_before[t], u_kept = h_before[t] -> _, u_before {
            u_kept = u
            u = sin(u @ W) * a
          }
          gh_next = gh
          gu_ = gh_next
          scan k_from_end < 2, gu = gu_, gW_ = zeros([D, D]), ga_ = zeros([]) {
            k = 2 - 1 - k_from_end
            gu_next = gu
            gu = a * W @ (gu_next * cos(u_before[k] @ W))
            gW_ = gW_ + a * outer(u_before[k], gu_next * cos(u_before[k] @ W))
            ga_ = ga_ + gu_next @ sin(u_before[k] @ W)
          }
          gX_t = sum(X) * gh_next
          gh = gu
          gW = gW + gW_
          ga = ga + ga_
          gX_ = gX_ + gh_next @ X[t] * ones([T, D])
        }
        gX = flip(gX_from_end, axis=0)
        dL/dW = gW
        dL/da = ga
        dL/dX = gX + gX_ + outer(one_hot(0, T), gh)

        import jax
        import jax.numpy as jnp


        def _one_hot(index, n):
            return jnp.where(jnp.arange(n) == index, 1.0, 0.0)


        def _ones(*shape):
            return jnp.ones(shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape)


        def _stack(rows, like):
            return jnp.stack(rows) if rows else jnp.zeros((0,) + jnp.shape(like))


        def _zeros(*shape):
            return jnp.zeros(shape[0] if shape and isinstance(shape[0], (list, tuple)) else shape)


        def forward(X, a, W):
            """L, and what `backward` needs: 296 bytes."""
            T = X.shape[0]
            D = X.shape[1]
            h = X[0]
            h_before = []
            for t in range(T):
                h_before.append(h)
                u = h
                u_before = []
                for k in range(2):
                    u_before.append(u)
                    u = jnp.sin(u @ W) * a
                u_before = _stack(u_before, u)
                h = u + X[t] * jnp.sum(X)
            h_before = _stack(h_before, h)
            L = jnp.sum(h**3)
            return L, (h, h_before, W, a, X, D, T)


        def backward(saved, grads):
            """The gradients by X, a, W; `grads` is that of L."""
            (h, h_before, W, a, X, D, T) = saved
            dh = 3 * h**2
            gh, gW, ga, gX_ = dh, _zeros([D, D]), _zeros([]), _zeros([T, D])
            gX = []
            for t in reversed(range(T)):
                u = h_before[t]
                u_before = []
                for k in range(2):
                    u_before.append(u)
                    u = jnp.sin(u @ W) * a
                u_before = _stack(u_before, u)
                gh_next = gh
                gu_ = gh_next
                gu, gW_, ga_ = gu_, _zeros([D, D]), _zeros([])
                for k in reversed(range(2)):
                    gu_next = gu
                    gu, gW_, ga_ = a * W @ (gu_next * jnp.cos(u_before[k] @ W)), gW_ + a * jnp.outer(u_before[k], gu_next * jnp.cos(u_before[k] @ W)), ga_ + gu_next @ jnp.sin(u_before[k] @ W)
                gX_t = jnp.sum(X) * gh_next
                gh, gW, ga, gX_ = gu, gW + gW_, ga + ga_, gX_ + gh_next @ X[t] * _ones([T, D])
                gX.append(gX_t)
            gX = _stack(gX[::-1], _zeros([D]))
            dW = gW
            da = ga
            dX = gX + gX_ + jnp.outer(_one_hot(0, T), gh)
            return (dX * grads, da * grads, dW * grads)


        @jax.custom_vjp
        def layer(X, a, W):
            return forward(X, a, W)[0]


        def _vjp(saved, grads):
            gradients = backward(saved, grads)
            return (gradients[0], gradients[1], gradients[2])


        layer.defvjp(forward, _vjp)
    "#]].assert_eq(&format!("{}\n{}", in_the_language(source), written(source, Framework::Jax)));
}

/// PyTorch has no slices with negative steps.
#[test]
fn torch_turns_axes() {
    let source = "A: [N=5, M=3] ~ randn; Z = A[1, ::-1] * A[4:0:-2, 0][1] + A[::-1][:3, 1] + flip(A)[0]";
    let code = written(source, Framework::Torch);
    let forward = code.lines().find(|line| line.contains("Z = ")).expect("it is computed");
    expect!["Z = torch.flip(A, [1])[1, :] * torch.flip(A, [0])[:-1:2, 0][1] + torch.flip(A, [0])[:][:3, 1] + torch.reshape(torch.flip(torch.reshape(torch.flip(A, [0])[:], [N, M]), [1])[:, :], [N, M])[0]"].assert_eq(forward.trim());
}

/// Numbers that a function of the prelude computes of its parameters are written without these, and selected elements have words.
#[test]
fn what_functions_make_of_their_parameters() {
    let huber = written("x: [n=5] ~ randn; t: [n] ~ randn; L = huber_loss(x, t)", Framework::Numpy);
    assert!(!huber.contains("delta"), "{huber}");
    let source = "z: [n=3, c=4] ~ randn; t: [n] ~ randint(0, 4); L = -mean(log_softmax(z)[arange(n), t])";
    assert!(written(source, Framework::Torch).contains("def _pick("));
}
