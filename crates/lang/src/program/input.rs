//! Numbers from outside: drawn, written down, or read from a file; and the sizes of dims.
//!
//! Distributions beyond PyTorch's own are made of `randn`: `positive` is its exponential, `symmetric` is
//! (A + Aᵀ)/2, and `spd` is A Aᵀ/n + I, whose smallest eigenvalue is at least 1.

use std::collections::HashMap;
use std::path::Path;

use pullback_array::file::{Npz, load_npy};
use pullback_array::random::Generator;
use pullback_array::{Array, DType, MOST_AXES};
use pullback_network::Dim;
use pullback_ops::Arg;

use super::evaluate::{Evaluator, constant};
use super::failure::{Failure, Outcome, of_array};
use super::scope::{Meaning, Scope};
use crate::{DimSpec, Error, Expr, ExprKind, Name, Shape, Source, Span};

/// The numbers that a file's inputs have, by name and in file order; those of a given cotangent under `dL/dZ`.
///
/// They are drawn once, in the file's dtype, and used again for every other precision. Numbers from elsewhere are put
/// in with [`set`](Inputs::set) and handed to [`elaborate_with`](super::elaborate_with).
///
/// ```
/// use pullback_array::Array;
/// use pullback_lang::program::{Inputs, elaborate_with};
///
/// let file = pullback_lang::parse("x: [n] = load(\"not-there.npy\"); L = sum(x^2)").file;
/// let mut given = Inputs::default();
/// given.set("x", Array::from_slice(&[2], &[3.0, 4.0])?);
/// let (program, _) = elaborate_with(&file, &given, ".".as_ref()).expect("nothing is loaded");
/// assert_eq!(program.last_scalar().expect("L is one").val.array()?.item()?, 25.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    all: Vec<(String, Array)>,
    /// Where each stands in `all`.
    places: HashMap<String, usize>,
}

impl Inputs {
    /// The numbers of the input of this name.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.places.get(name).map(|&place| &self.all[place].1)
    }

    /// Gives an input these numbers, in place of those it had.
    pub fn set(&mut self, name: &str, array: Array) {
        match self.places.get(name) {
            Some(&place) => self.all[place].1 = array,
            None => {
                self.places.insert(name.to_owned(), self.all.len());
                self.all.push((name.to_owned(), array));
            }
        }
    }

    /// The names, in file order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| name.as_str())
    }

    /// Names and numbers, in file order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.all.iter().map(|(name, array)| (name.as_str(), array))
    }
}

/// The dims of a declared shape. A dim of which only the name stands there has the size it is bound to, or else that
/// of `array`, where the numbers are there already, and is bound to it.
pub(super) fn declared(scope: &mut Scope, shape: &Shape, array: Option<&Array>) -> Outcome<Vec<Dim>> {
    if let Some(array) = array.filter(|array| array.ndim() != shape.dims.len()) {
        let message = format!(
            "{} axes are declared, and the numbers have the shape {:?}",
            shape.dims.len(),
            array.shape()
        );
        return Err(Error::new(shape.span, message).into());
    }
    if shape.dims.len() > MOST_AXES {
        let message = format!("{} axes are declared; {MOST_AXES} are the most", shape.dims.len());
        return Err(Error::new(shape.span, message).with_hint("join some of them").into());
    }
    let mut dims = Vec::new();
    for (axis, spec) in shape.dims.iter().enumerate() {
        dims.push(match spec {
            DimSpec::Bind { name, size } => {
                let size = Evaluator::new(scope).size(size)?.size();
                bound(scope, name, size)?
            }
            DimSpec::Size(size) => Evaluator::new(scope).size(size)?,
            DimSpec::Dim(name) => named(scope, name, array.map(|array| array.shape()[axis]))?,
        });
    }
    Ok(dims)
}

/// `m=2`.
fn bound(scope: &mut Scope, name: &Name, size: usize) -> Outcome<Dim> {
    let dim = Dim::named(&name.text, size);
    match scope.get(&name.text) {
        Some(earlier) => match earlier.meaning {
            Meaning::Dim(known) if known.size() == size => Ok(dim),
            Meaning::Dim(known) => Err(two_sizes(name, known.size(), earlier.span, name.span, size)),
            _ => scope.bind(name, Meaning::Dim(dim)).map(|()| dim),
        },
        None => scope.bind(name, Meaning::Dim(dim)).map(|()| dim),
    }
}

/// `n`, whose size may come from the numbers.
fn named(scope: &mut Scope, name: &Name, size: Option<usize>) -> Outcome<Dim> {
    match (scope.get(&name.text).map(|earlier| &earlier.meaning), size) {
        (None, Some(size)) => bound(scope, name, size),
        (None, None) => Err(Error::new(name.span, format!("the size of `{name}` is not known"))
            .with_hint(format!("write `{name}=3` where it stands first"))
            .into()),
        (Some(Meaning::Dim(dim)), _) => Ok(*dim),
        (Some(Meaning::Failed), _) => Err(Failure::Silent),
        (Some(Meaning::Loss), _) => Err(Error::new(name.span, format!("`{name}` is no size")).into()),
        // `k = 3` and then `[k]`: a scalar input that is a whole number.
        (Some(Meaning::Value(val)), _) => {
            let size = constant(val).filter(|size| size.fract() == 0.0 && (0.0..9e15).contains(size));
            size.map(|size| Dim::named(&name.text, size as usize)).ok_or_else(|| {
                Error::new(name.span, format!("`{name}` is a value of shape {:?}, not a size", val.dims()))
                    .with_hint("a size is a number, or a dim bound with `[n=3]`")
                    .into()
            })
        }
    }
}

fn two_sizes(name: &Name, first: usize, at: Span, here: Span, second: usize) -> Failure {
    Error::new(here, format!("`{name}` is {second} here and {first} above"))
        .with_label(at, format!("`{name}` was bound to {first} here"))
        .with_hint("a dim has one size; give this one another name")
        .into()
}

/// Refuses numbers whose shape is not the declared one.
pub(super) fn check_shape(scope: &Scope, shape: &Shape, dims: &[Dim], array: &Array) -> Outcome<()> {
    for (axis, (&dim, &size)) in dims.iter().zip(array.shape()).enumerate() {
        if dim.size() != size {
            let spec = &shape.dims[axis];
            if let DimSpec::Dim(name) = spec
                && let Some(bound) = scope.get(&name.text)
            {
                return Err(two_sizes(name, dim.size(), bound.span, spec.span(), size));
            }
            let message =
                format!("the shape {dims:?} is declared, and the numbers have the shape {:?}", array.shape());
            return Err(Error::new(spec.span(), message).into());
        }
    }
    Ok(())
}

/// Numbers of a shape that are to be drawn.
pub(super) struct Drawing {
    name: Name,
    numbers: Vec<f64>,
    shape: Vec<usize>,
    dtype: DType,
}

impl Drawing {
    /// As a file states it.
    pub(super) fn stated(scope: &Scope, name: &Name, args: &[Expr], dims: &[Dim]) -> Outcome<Drawing> {
        let mut numbers = Vec::new();
        for arg in args {
            numbers.push(stated_number(scope, arg)?);
        }
        let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
        if matches!(name.text.as_str(), "spd" | "symmetric") && !matches!(shape[..], [m, n] if m == n) {
            let message = format!("`{name}` draws a square matrix, not {dims:?}");
            return Err(Error::new(name.span, message)
                .with_hint(format!("write `[n=3, n] ~ {name}`"))
                .into());
        }
        let drawing = Drawing { name: name.clone(), numbers, shape, dtype: scope.dtype };
        // None of them says whether there is such a distribution.
        drawing.of_shape(&vec![0; drawing.shape.len()], &mut Generator::new(0))?;
        Ok(drawing)
    }

    /// The next ones that the generator draws.
    pub(super) fn drawn(&self, generator: &mut Generator) -> Outcome<Array> {
        self.of_shape(&self.shape, generator)
    }

    fn of_shape(&self, shape: &[usize], generator: &mut Generator) -> Outcome<Array> {
        let Drawing { name, numbers, dtype, .. } = self;
        let dtype = *dtype;
        let drawn = match (name.text.as_str(), numbers.as_slice()) {
            ("randn", []) => generator.randn(shape, dtype),
            ("rand", []) => generator.rand(shape, dtype),
            ("normal", &[mean, deviation]) => generator.normal(mean, deviation, shape, dtype),
            ("uniform", &[lo, hi]) => generator.uniform(lo, hi, shape, dtype),
            ("randint", &[lo, hi]) => {
                if [lo, hi].iter().any(|end| end.fract() != 0.0 || end.abs() > 9e15) {
                    return Err(Error::new(
                        name.span,
                        format!("randint goes from a whole number to another, not from {lo} to {hi}"),
                    )
                    .into());
                }
                generator.randint(lo as i64, hi as i64, shape)
            }
            ("positive", []) => generator.randn(shape, dtype).and_then(|x| x.map(f32::exp, f64::exp)),
            ("spd", []) => generator.randn(shape, dtype).and_then(|a| positive_definite(&a, shape[0])),
            ("symmetric", []) => generator.randn(shape, dtype).and_then(|a| mean_with_transpose(&a)),
            _ => {
                return Err(Error::new(
                    name.span,
                    format!("there is no distribution `{name}` of {} numbers", numbers.len()),
                )
                .into());
            }
        };
        drawn.map_err(of_array(name.span))
    }
}

/// Is what a source draws a symmetric matrix?
pub(super) fn is_symmetric(source: &Source) -> bool {
    matches!(source, Source::Distribution { name, .. } if matches!(name.text.as_str(), "spd" | "symmetric"))
}

/// A Aᵀ/n + I, symmetric to the last bit.
fn positive_definite(a: &Array, n: usize) -> pullback_array::Result<Array> {
    let scale = 1.0 / n as f64;
    let product = mean_with_transpose(&a.matmul(&a.permute(&[1, 0])?)?)?;
    product.zip(&Array::eye(n, a.dtype())?, "spd", |p, one| p * scale as f32 + one, |p, one| p * scale + one)
}

/// (A + Aᵀ)/2.
fn mean_with_transpose(a: &Array) -> pullback_array::Result<Array> {
    a.zip(&a.permute(&[1, 0])?, "symmetric", |x, y| (x + y) / 2.0, |x, y| (x + y) / 2.0)
}

fn stated_number(scope: &Scope, expr: &Expr) -> Outcome<f64> {
    match Evaluator::new(scope).arg(expr)? {
        Arg::Number(number, _) => Ok(number),
        Arg::Value(val) if constant(&val).is_some() => Ok(constant(&val).expect("just seen")),
        _ => Err(Error::new(expr.span, "a distribution is described by numbers").into()),
    }
}

/// Numbers that the file writes down.
pub(super) fn written(scope: &Scope, expr: &Expr) -> Outcome<Array> {
    // Numbers computed from other values would be cut off from them, and so would gradients.
    let mut value = None;
    expr.walk(&mut |part| {
        let is_value = match &part.kind {
            ExprKind::Name(name) => {
                matches!(scope.get(name), Some(bound) if !matches!(bound.meaning, Meaning::Dim(_)))
            }
            ExprKind::ClaimRef { .. } => true,
            _ => false,
        };
        if is_value && value.is_none() {
            value = Some(part.span);
        }
    });
    if let Some(span) = value {
        return Err(Error::new(span, "an input is given by numbers, and this is a value")
            .with_hint("what is computed is a definition: leave out the declared shape")
            .into());
    }
    let val = Evaluator::new(scope).value(expr)?;
    val.array().cloned().map_err(super::failure::of_op(expr.span))
}

/// Numbers in a file, in its own dtype where they are integers.
pub(super) fn load(base_dir: &Path, path: &str, entry: Option<&str>, span: Span) -> Outcome<Array> {
    let place = base_dir.join(path);
    let is_archive = place.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npz"));
    let loaded = match entry {
        None if !is_archive => load_npy(&place),
        _ => Npz::open(&place).and_then(|mut archive| {
            let names = archive.names();
            match (entry, names.as_slice()) {
                (Some(name), _) => archive.read(name),
                (None, [only]) => archive.read(only),
                (None, _) => {
                    Err(pullback_array::Error::new(format!("{path} holds {} arrays", names.len())).with_hint(
                        format!("say which one: `load(\"{path}\", \"x\")`; it has {}", names.join(", ")),
                    ))
                }
            }
        }),
    };
    let advised = |error: pullback_array::Error| match (error.hint(), place.exists()) {
        (None, false) => error.with_hint("a path starts in the folder of the file that names it"),
        (None, true) if error.is_file() => error.with_hint(
            "what NumPy's `save` and `savez` write can be read: floating point, integers and booleans",
        ),
        _ => error,
    };
    loaded.map_err(|error| of_array(span)(advised(error)))
}

/// The numbers of an input in the dtype of a program; integers stay integers.
pub(super) fn cast(array: &Array, dtype: DType, span: Span) -> Outcome<Array> {
    if array.dtype() == DType::I64 { Ok(array.clone()) } else { array.cast(dtype).map_err(of_array(span)) }
}

/// Where the source of an input stands.
pub(super) fn span_of(source: &Source) -> Span {
    match source {
        Source::Distribution { name, args } => args.iter().fold(name.span, |span, arg| span.to(arg.span)),
        Source::Literal(expr) => expr.span,
        Source::Load { span, .. } => *span,
    }
}
