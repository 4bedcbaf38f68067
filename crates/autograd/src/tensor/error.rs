//! What a tensor refuses, and why one has no gradient.

use std::fmt;

use pullback_array::DType;

/// The result of an operation on tensors.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with tensors: an operation's own errors, and what PyTorch refuses too.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// What PyTorch says of the same mistake.
    in_pytorch: Option<String>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An operation's own: shapes that do not fit, memory.
    Operation,
    /// There is no gradient where one was asked for with `?`: see [`NoGradient`].
    NoGradient,
    /// A backward pass without a cotangent from more than one element.
    NotScalar,
    /// A backward pass from what does not require gradients.
    NothingRequiresGrad,
    /// A gradient by a tensor that does not require it.
    InputWithoutGrad,
    /// A gradient by a tensor on which no output depends.
    Unused,
    /// A second backward pass through what was freed by the first.
    Freed,
    /// A value that a rule reads was changed in place.
    Modified,
    /// A leaf that requires gradients is changed in place outside of `no_grad`.
    LeafInPlace,
    /// The flag of a tensor that was computed is taken from it.
    NotALeaf,
    /// Integers have no gradient.
    Integers,
    /// The gradient of what does not require one is to be retained.
    NothingToRetain,
    /// A cotangent of another shape, or not as many as outputs.
    Cotangent,
    /// What is to take a tensor's place has another shape or dtype.
    Place,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), hint: None, in_pytorch: None }
    }

    fn with_hint(self, hint: &str) -> Error {
        Error { hint: Some(hint.to_string()), ..self }
    }

    fn in_words_of_pytorch(self, words: impl Into<String>) -> Error {
        Error { in_pytorch: Some(words.into()), ..self }
    }

    /// The words in which PyTorch refuses the same, where it does.
    pub fn in_pytorch(&self) -> Option<&str> {
        self.in_pytorch.as_deref()
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Advice on what to do, where there is any.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) fn not_scalar(output: usize, shape: &[usize]) -> Error {
        Error::new(
            ErrorKind::NotScalar,
            format!(
                "backward: only a scalar has an implicit gradient of 1; output {output} has shape {shape:?}"
            ),
        )
        .with_hint("sum it, or give a cotangent of its shape: `backward_with`, `Pass::grad_outputs`")
        .in_words_of_pytorch("grad can be implicitly created only for scalar outputs")
    }

    pub(super) fn nothing_requires_grad(output: usize) -> Error {
        Error::new(
            ErrorKind::NothingRequiresGrad,
            format!("backward: element {output} of the outputs does not require grad, and was computed from nothing that does"),
        )
        .with_hint("call `requires_grad_(true)` on the leaves before they are used, outside of `no_grad`")
        .in_words_of_pytorch(format!("element {output} of tensors does not require grad and does not have a grad_fn"))
    }

    pub(super) fn input_without_grad(input: usize) -> Error {
        Error::new(ErrorKind::InputWithoutGrad, format!("grad: input {input} does not require grad"))
            .with_hint("call `requires_grad_(true)` on it before it is used")
            .in_words_of_pytorch("One of the differentiated Tensors does not require grad")
    }

    pub(super) fn unused(input: usize) -> Error {
        Error::new(ErrorKind::Unused, format!("grad: no output depends on input {input}"))
            .with_hint("`Pass::grad_allow_unused` returns None for it")
        .in_words_of_pytorch(format!(
                "The differentiated Tensor at index {input} appears to not have been used in the graph. Set allow_unused=True if this is \
                 the desired behavior."
            ))
    }

    pub(super) fn freed(op: &str) -> Error {
        Error::new(
            ErrorKind::Freed,
            format!("backward: a second pass through `{op}`, and the first freed what its rule reads"),
        )
        .with_hint("say `retain_graph(true)` in the first pass, or compute the outputs anew")
        .in_words_of_pytorch("Trying to backward through the graph a second time (or directly access saved tensors after they have already been \
             freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify \
             retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors \
             after calling backward.")
    }

    pub(super) fn modified(op: &str, what: &str, shape: &[usize], recorded: u64, now: u64) -> Error {
        Error::new(
            ErrorKind::Modified,
            format!(
                "backward: the rule of `{op}` reads {what}, of shape {shape:?}, which was changed in place since: \
                 it is at version {now}, and was at {recorded}"
            ),
        )
        .with_hint("change it after the backward pass, or compute a new tensor in its place")
        .in_words_of_pytorch(format!(
            "one of the variables needed for gradient computation has been modified by an inplace operation: [{shape:?}] is at \
             version {now}; expected version {recorded} instead. Hint: enable anomaly detection to find the operation that \
             failed to compute its gradient, with torch.autograd.set_detect_anomaly(True)."
        ))
    }

    pub(super) fn leaf_in_place() -> Error {
        Error::new(ErrorKind::LeafInPlace, "update: a leaf that requires grad is changed in place")
            .with_hint("do it inside of `no_grad`")
            .in_words_of_pytorch("a leaf Variable that requires grad is being used in an in-place operation.")
    }

    pub(super) fn not_a_leaf() -> Error {
        Error::new(ErrorKind::NotALeaf, "requires_grad_: only a leaf can be made not to require grad")
            .with_hint("`detach()` gives the same values without their history")
        .in_words_of_pytorch("you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that \
             doesn't require differentiation use var_no_grad = var.detach().")
    }

    pub(super) fn integers(dtype: DType) -> Error {
        Error::new(
            ErrorKind::Integers,
            format!("requires_grad_: only floats have gradients, and these are {dtype}"),
        )
        .with_hint("draw or load them as floats")
        .in_words_of_pytorch("only Tensors of floating point dtype can require gradients")
    }

    pub(super) fn nothing_to_retain() -> Error {
        Error::new(ErrorKind::NothingToRetain, "retain_grad: the tensor does not require grad")
            .with_hint("call `requires_grad_(true)` on what it is computed from, before that")
            .in_words_of_pytorch("can't retain_grad on Tensor that has requires_grad=False")
    }

    pub(super) fn cotangent_shape(output: usize, shape: &[usize], cotangent: &[usize]) -> Error {
        Error::new(
            ErrorKind::Cotangent,
            format!("backward: cotangent {output} has shape {cotangent:?} and output {output} {shape:?}"),
        )
        .with_hint("a cotangent has its output's shape")
        .in_words_of_pytorch(format!(
            "Mismatch in shape: grad_output[{output}] has a shape of torch.Size({cotangent:?}) and output[{output}] has a shape of \
             torch.Size({shape:?})."
        ))
    }

    pub(super) fn cotangent_count(outputs: usize, cotangents: usize) -> Error {
        Error::new(ErrorKind::Cotangent, format!("backward: {cotangents} cotangents for {outputs} outputs"))
            .with_hint("give one for each, `None` for a scalar's implicit 1")
    }

    pub(super) fn place(place: (&[usize], DType), value: (&[usize], DType)) -> Error {
        Error::new(
            ErrorKind::Place,
            format!("update: {} {:?} cannot take the place of {} {:?}", value.1, value.0, place.1, place.0),
        )
        .with_hint("a change in place keeps shape and dtype")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<pullback_ops::Error> for Error {
    fn from(error: pullback_ops::Error) -> Error {
        let hint = error.hint().map(str::to_string);
        Error { kind: ErrorKind::Operation, message: error.to_string(), hint, in_pytorch: None }
    }
}

impl From<pullback_array::Error> for Error {
    fn from(error: pullback_array::Error) -> Error {
        Error::from(pullback_ops::Error::from(error))
    }
}

/// Why a tensor has no gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoGradient {
    /// It does not require one.
    NotRequired,
    /// No backward pass has reached it since it was made or cleared.
    NotYet,
    /// It was computed, and the gradients of such tensors are not kept unless they are retained.
    NotRetained,
}

impl NoGradient {
    /// What PyTorch warns of, where it does.
    pub fn in_pytorch(self) -> Option<&'static str> {
        self.is_warning().then_some(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated \
             during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use \
             .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf \
             Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information.",
        )
    }

    /// Does PyTorch warn here? It returns None in any case.
    pub fn is_warning(self) -> bool {
        self == NoGradient::NotRetained
    }
}

impl fmt::Display for NoGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoGradient::NotRequired => "the tensor does not require grad",
            NoGradient::NotYet => "no backward pass has reached the tensor yet",
            NoGradient::NotRetained => {
                "the tensor is no leaf, so that its gradient is not kept: call `retain_grad()` on it before the backward \
                 pass, or read that of the leaf it is computed from"
            }
        })
    }
}

impl std::error::Error for NoGradient {}

impl From<NoGradient> for Error {
    fn from(reason: NoGradient) -> Error {
        Error::new(ErrorKind::NoGradient, format!("grad: {reason}"))
    }
}
