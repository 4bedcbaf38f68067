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

/// What PyTorch computes by a function of another name, the last of several where there are several: by that one's.
const COMPUTED_BY: [(&str, &str); 82] = [
    ("absolute", "abs"),
    ("arccos", "acos"),
    ("arccosh", "acosh"),
    ("arcsin", "asin"),
    ("arcsinh", "asinh"),
    ("arctan", "atan"),
    ("arctan2", "atan2"),
    ("arctanh", "atanh"),
    ("batch_norm", "native_batch_norm"),
    ("broadcast_to", "expand"),
    ("cholesky", "linalg_cholesky_ex"),
    ("chunk", "split"),
    ("column_stack", "cat"),
    ("concat", "cat"),
    ("concatenate", "cat"),
    ("conv1d", "convolution"),
    ("conv2d", "convolution"),
    ("conv3d", "convolution"),
    ("conv_transpose1d", "convolution"),
    ("conv_transpose2d", "convolution"),
    ("conv_transpose3d", "convolution"),
    ("cross", "linalg_cross"),
    ("cross_entropy", "nll_loss"),
    ("cumulative_trapezoid", "cumsum"),
    ("det", "linalg_det"),
    ("diagflat", "diag_embed"),
    ("diff", "sub"),
    ("divide", "div"),
    ("eigh", "linalg_eigh"),
    ("eigvalsh", "linalg_eigh"),
    ("entr", "special_entr"),
    ("erfcx", "special_erfcx"),
    ("expand_as", "expand"),
    ("expit", "sigmoid"),
    ("flatten", "view"),
    ("fliplr", "flip"),
    ("flipud", "flip"),
    ("fold", "col2im"),
    ("gammaln", "lgamma"),
    ("group_norm", "native_group_norm"),
    ("hstack", "cat"),
    ("inner", "view"),
    ("inv", "linalg_inv_ex"),
    ("inverse", "linalg_inv_ex"),
    ("kron", "unsafe_view"),
    ("layer_norm", "native_layer_norm"),
    ("log_ndtr", "special_log_ndtr"),
    ("logsigmoid", "log_sigmoid"),
    ("matrix_exp", "linalg_matrix_exp"),
    ("moveaxis", "permute"),
    ("movedim", "permute"),
    ("multiply", "mul"),
    ("narrow", "slice"),
    ("ndtri", "special_ndtri"),
    ("negative", "neg"),
    ("norm", "linalg_vector_norm"),
    ("outer", "mul"),
    ("pad", "constant_pad_nd"),
    ("pinv", "linalg_pinv"),
    ("pinverse", "linalg_pinv"),
    ("prelu", "prelu_kernel"),
    ("qr", "linalg_qr"),
    ("ravel", "view"),
    ("relu6", "hardtanh"),
    ("reshape", "view"),
    ("reshape_as", "view"),
    ("row_stack", "cat"),
    ("selu", "elu"),
    ("slogdet", "linalg_slogdet"),
    ("softmin", "softmax"),
    ("solve", "linalg_solve_ex"),
    ("solve_triangular", "linalg_solve_triangular"),
    ("subtract", "sub"),
    ("svd", "linalg_svd"),
    ("svdvals", "linalg_svd"),
    ("swapaxes", "transpose"),
    ("tile", "repeat"),
    ("true_divide", "div"),
    ("unflatten", "view"),
    ("vector_norm", "linalg_vector_norm"),
    ("view_as", "view"),
    ("vstack", "cat"),
];

/// The node of a call of this name.
pub fn node(called: &str, given: &Given<'_>) -> String {
    let one = |name: &str| name.to_owned();
    let overload = |first: bool| if first { "0" } else { "1" };
    let called = COMPUTED_BY.iter().find(|(name, _)| *name == called).map_or(called, |(_, by)| by);
    match (called, given.ranks) {
        ("matmul", [1, 1]) => one("DotBackward0"),
        ("matmul", [2, 1]) => one("MvBackward0"),
        ("matmul", [1, 2]) => one("SqueezeBackward4"),
        ("matmul", [2, 2]) => one("MmBackward0"),
        // Computed as the transpose of a product of transposes, and laid out in rows.
        ("matmul", [2, _]) => one("CloneBackward0"),
        ("matmul", _) => one("UnsafeViewBackward0"),
        ("einsum", ranks) if ranks.len() > 1 => one("ViewBackward0"),
        ("sub", _) if given.starts_with_number => one("RsubBackward1"),
        // As a reciprocal, times the number.
        ("div", _) if given.starts_with_number => one("MulBackward0"),
        ("pow", _) if given.starts_with_number => one("PowBackward2"),
        ("pow", _) => format!("PowBackward{}", overload(given.ends_with_number)),
        ("square", _) => one("PowBackward0"),
        ("sum" | "mean" | "prod" | "squeeze", _) => {
            format!("{}Backward{}", camel(called), overload(!given.has_axis))
        }
        ("max", [_, _]) => one("MaximumBackward0"),
        ("min", [_, _]) => one("MinimumBackward0"),
        ("max" | "min", _) => format!("{}Backward{}", camel(called), overload(given.has_axis)),
        ("clamp" | "clip", _) => one("ClampBackward1"),
        ("diag", [1]) => one("DiagEmbedBackward0"),
        ("diag", _) => one("DiagonalBackward0_copy"),
        ("linear", ranks) => one(if ranks.len() > 2 { "AddmmBackward0" } else { "MmBackward0" }),
        _ => plain(called),
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
