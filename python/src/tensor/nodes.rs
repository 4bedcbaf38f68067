//! What PyTorch calls the node of a backward pass: what stands in `grad_fn=<MulBackward0>`.
//!
//! It is the name of the function, but where PyTorch has several ways to compute one, or computes it by others. Pullback's own
//! rules have nothing to do with it; an operation of the language that PyTorch makes of several is called by its own name here.

/// What a call was given, as far as it decides about a name.
pub struct Given<'a> {
    /// The axes of each tensor, in the order in which they stand.
    pub ranks: &'a [usize],
    /// Is the first operand a number?
    pub starts_with_number: bool,
    /// Is the second one?
    pub ends_with_number: bool,
    /// Does the call say along which axis?
    pub has_axis: bool,
}

/// The node of a call of this name.
pub fn node(called: &str, given: &Given<'_>) -> String {
    let one = |name: &str| name.to_owned();
    let overload = |first: bool| if first { "0" } else { "1" };
    match (called, given.ranks) {
        ("matmul", [1, 1]) => one("DotBackward0"),
        ("matmul", [2, 1]) => one("MvBackward0"),
        ("matmul", [1, 2]) => one("SqueezeBackward4"),
        ("matmul", [2, 2]) => one("MmBackward0"),
        // Computed as the transpose of a product of transposes, and laid out in rows.
        ("matmul", [2, _]) => one("CloneBackward0"),
        ("matmul" | "kron", _) => one("UnsafeViewBackward0"),
        ("outer", _) => one("MulBackward0"),
        ("einsum", ranks) if ranks.len() > 1 => one("ViewBackward0"),
        ("reshape" | "flatten" | "ravel", _) => one("ViewBackward0"),
        ("sub" | "subtract", _) if given.starts_with_number => one("RsubBackward1"),
        // As a reciprocal, times the number.
        ("div" | "divide", _) if given.starts_with_number => one("MulBackward0"),
        ("pow", _) if given.starts_with_number => one("PowBackward2"),
        ("pow", _) => format!("PowBackward{}", overload(given.ends_with_number)),
        ("square", _) => one("PowBackward0"),
        ("sum" | "mean" | "prod" | "squeeze", _) => {
            format!("{}Backward{}", camel(called), overload(!given.has_axis))
        }
        ("max" | "min", _) => format!("{}Backward{}", camel(called), overload(given.has_axis)),
        ("clamp", _) => one("ClampBackward1"),
        ("diag", [1]) => one("DiagEmbedBackward0"),
        ("diag", _) => one("DiagonalBackward0_copy"),
        ("norm" | "vector_norm", _) => one("LinalgVectorNormBackward0"),
        ("inv" | "inverse", _) => one("LinalgInvExBackward0"),
        ("solve", _) => one("LinalgSolveExBackward0"),
        ("det" | "svd" | "eigh" | "cross", _) => format!("Linalg{}Backward0", camel(called)),
        ("cholesky", _) => one("LinalgCholeskyExBackward0"),
        ("cross_entropy", _) => one("NllLossBackward0"),
        ("layer_norm", _) => one("NativeLayerNormBackward0"),
        ("linear", ranks) => one(if ranks.len() > 2 { "AddmmBackward0" } else { "MmBackward0" }),
        ("chunk", _) => one("SplitBackward0"),
        ("conv1d" | "conv2d" | "conv3d", _) => one("ConvolutionBackward0"),
        _ => format!("{}Backward0", camel(called)),
    }
}

/// `log_softmax` as `LogSoftmax`; a letter behind a digit is a capital, `Log1P`.
fn camel(name: &str) -> String {
    let mut is_first = true;
    let mut written = String::new();
    for letter in name.chars() {
        match letter {
            '_' => is_first = true,
            _ => {
                if is_first {
                    written.extend(letter.to_uppercase())
                } else {
                    written.push(letter)
                }
                is_first = letter.is_ascii_digit();
            }
        }
    }
    written
}

/// The node of an operation of Pullback's own.
pub fn plain(operation: &str) -> String {
    format!("{}Backward0", camel(operation))
}
