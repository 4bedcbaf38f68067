//! Code of other languages: what is written, and what is saved. That it runs and agrees is `bench/export/check.py`'s affair.

use expect_test::expect;
use pullback_derive::{Framework, Known, Wanted, backward, export};
use pullback_lang::parse;
use pullback_lang::program::{Program, elaborate};
use pullback_ops::Val;

fn written(source: &str, framework: Framework) -> String {
    let program: Program = elaborate(&parse(source).file, ".".as_ref()).expect("the program is right").0;
    let output = program.values.last().expect("it defines something").val.clone();
    let inputs: Vec<&Val> =
        program.values.iter().map(|value| &value.val).filter(|val| val.inputs().is_empty()).collect();
    let stages = backward(&output, &inputs, &Known::new(&output, &[])).expect("rules for all of it");
    let wanted = Wanted { framework, autograd_function: true };
    export(&output, &inputs, &inputs, &stages, wanted).expect("it has code")
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
