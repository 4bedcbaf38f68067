//! The op table. A line registers an operation: its file in `ops/`, its row in the table and its page of documentation.

use crate::{Args, Result, Sample, Val};

mod elementwise;

pub use elementwise::{Binary, Elementwise, Elementwise2, Slope, Unary};

/// What becomes of the axes of an operation's operands: a fact that is asked where sizes are sought, before there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axes {
    /// The result has those of the first operand.
    Kept,
    /// Those of all operands, which broadcast.
    Broadcast,
    /// Those of the first operand but for `axis`, of which none is left where it is not given.
    Reduced,
    /// Those of the first operand, which is a square matrix, or a batch of them.
    Square,
    /// The same without the two of the matrix.
    OfSquare,
    /// The operation's own affair.
    Own,
}

/// A row of the table: what the language, the documentation and the tests need to know of an operation.
pub struct Entry {
    /// The name, and the parameters with their kinds and their defaults; see [`Parameter`](crate::Parameter).
    pub signature: &'static str,
    /// Other names under which it may be called.
    pub aliases: &'static [&'static str],
    /// What becomes of its operands' axes.
    pub axes: Axes,
    /// Applies the operation to the arguments of a call.
    pub call: fn(&Args) -> Result<Val>,
    /// What the generic test tries it on: typical inputs, and awkward ones.
    pub samples: fn() -> Vec<Sample>,
}

/// An operation of the table with its page.
pub struct Operation {
    /// The name under which it is called.
    pub name: &'static str,
    /// Its row.
    pub entry: &'static Entry,
    /// Its source, whose head is its documentation.
    source: &'static str,
}

impl Operation {
    /// Which argument a parameter is, where a call has no keywords.
    pub fn place_of(&self, parameter: &str) -> Option<usize> {
        self.parameters().iter().position(|it| it.name == parameter)
    }

    /// What it is called with.
    pub fn parameters(&self) -> Vec<crate::Parameter> {
        crate::Parameter::all(self.entry.signature)
    }

    /// How a call is written: `sum(x, axis=none, keepdims=false)`.
    pub fn signature(&self) -> String {
        crate::parameter::written(self.entry.signature)
    }

    /// The paragraph under a heading of the operation's page: `Formula`, `Jacobian`, `Domain`, `At kinks and ties`, `Why`.
    /// Lines are joined; the empty heading is the summary at the top.
    pub fn page(&self, heading: &str) -> String {
        let head = self.source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let mut current = "";
        let mut lines = Vec::new();
        for line in head {
            match line.strip_prefix("# ") {
                Some(title) => current = title,
                None if current == heading && !line.is_empty() => lines.push(line),
                None => {}
            }
        }
        // Backticks are for rustdoc, which takes `[…]` for a link.
        lines.join(" ").replace('`', "")
    }
}

/// The name in a signature.
const fn called(signature: &'static str) -> &'static str {
    let mut length = 0;
    while length < signature.len() && signature.as_bytes()[length] != b'(' {
        length += 1;
    }
    signature.split_at(length).0
}

/// Is a heading in a file? At compile time, so that a page without one does not build.
const fn has(file: &[u8], heading: &[u8]) -> bool {
    let mut start = 0;
    while start + heading.len() <= file.len() {
        let mut length = 0;
        while length < heading.len() && file[start + length] == heading[length] {
            length += 1;
        }
        if length == heading.len() {
            return true;
        }
        start += 1;
    }
    false
}

macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        $(
            pub mod $name;
            const _: () = {
                let page = include_bytes!(concat!("ops/", stringify!($name), ".rs"));
                assert!(has(page, b"//! # Formula\n"), "the page has no heading `Formula`");
                assert!(has(page, b"//! # Jacobian\n"), "the page has no heading `Jacobian`");
                assert!(has(page, b"//! # Domain\n"), "the page has no heading `Domain`");
                assert!(has(page, b"//! # At kinks and ties\n"), "the page has no heading `At kinks and ties`");
                assert!(has(page, b"//! # Why\n"), "the page has no heading `Why`");
            };
        )*

        /// All operations, in alphabetical order.
        pub fn table() -> &'static [Operation] {
            static TABLE: &[Operation] = &[$(
                Operation {
                    name: called($name::ENTRY.signature),
                    entry: &$name::ENTRY,
                    source: include_str!(concat!("ops/", stringify!($name), ".rs")),
                },
            )*];
            TABLE
        }
    };
}

operations! {
    abs,
    acos,
    acosh,
    adaptive_max_pool,
    adaptive_max_pool_index,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    avg_pool,
    bessel_i,
    block_diag,
    broadcast_to,
    cbrt,
    ceil,
    cholesky,
    cofactor,
    column_stack,
    concat,
    conv,
    conv_transpose,
    copy,
    cos,
    cosh,
    cross_entropy,
    ctc_loss,
    cumprod,
    cumsum,
    det,
    diag,
    diagonal,
    div,
    dstack,
    eigh,
    einsum,
    erf,
    erfc,
    erfcx,
    erfinv,
    exp,
    exp2,
    expm,
    expm1,
    fftshift,
    flatten,
    flip,
    floor,
    fold,
    gather,
    hstack,
    hypot,
    ifftshift,
    im2col,
    index,
    interpolate,
    inv,
    isnan,
    kron,
    layer_norm,
    lgamma,
    linear_recurrence,
    log,
    log10,
    log1p,
    log2,
    log_ndtr,
    log_softmax,
    logcumsumexp,
    logdet,
    logsumexp,
    masked_scatter,
    masked_select,
    matmul,
    matrix_power,
    max,
    max_pool,
    max_pool_index,
    maximum,
    mean,
    minimum,
    movedim,
    mul,
    multi_dot,
    nan_to_num,
    narrow,
    neg,
    nll_loss,
    norm,
    outer,
    pad,
    permute,
    pick,
    pinv,
    polygamma,
    pow,
    prod,
    put,
    qr,
    reduce,
    relu,
    remainder,
    repeat,
    repeat_interleave,
    reshape,
    rms_norm,
    roll,
    round,
    scatter,
    scatter_add,
    second_cofactor,
    sigmoid,
    sign,
    sin,
    sinh,
    softmax,
    softplus,
    solve,
    sort,
    split,
    sqrt,
    squeeze,
    stack,
    std,
    step,
    stop_gradient,
    sub,
    sum,
    sum_to_size,
    svd,
    take_along_axis,
    tan,
    tanh,
    tensordot,
    tie_share,
    tile,
    trace,
    transpose,
    tril,
    triu,
    trunc,
    truth,
    unbind,
    unflatten,
    unsqueeze,
    var,
    vec,
    vstack,
    where_,
    whole,
    windows,
}

pub use conv::Strided;
pub use cross_entropy::Classes;
pub use einsum::Einsum;
pub use gather::Gather;
pub use index::{AxisIndex, Index};
pub use interpolate::Resampling;
pub use pad::{Around, Edge};
pub use reshape::Reshape;
pub use scatter_add::ScatterAdd;
pub use tie_share::Ties;

/// The operation that a call of this name applies.
pub fn find(name: &str) -> Option<&'static Operation> {
    table().iter().find(|op| op.name == name || op.entry.aliases.contains(&name))
}
