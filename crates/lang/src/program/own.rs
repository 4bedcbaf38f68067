//! The functions that are the language's own: those whose arguments are no values (`eye`, `zeros`, `ones`, `arange`), those that
//! tell sizes (`shape`, `size`, `ndim`, `len`) or kinds of numbers (`is_floating_point`), those that differentiate (`grad`, `jacobian`, `hessian`), and those that only say
//! something shorter (`square`, `dot`, `unvec`). Everything else is a function of the prelude, or an operation of the table.

use pullback_array::{Array, DType};
use pullback_network::Dim;
use pullback_ops::{Arg, Kind, Val};

use super::call::of_constants;
use super::evaluate::{Evaluator, constant};
use super::failure::{Failure, Outcome, of_array, of_op};
use crate::{BinaryOp, Error, Expr, ExprKind, Name, Span};

/// The functions that are the language's own, as they are called.
pub(crate) const OWN: [(&str, &str); 16] = [
    ("arange", "arange(n)"),
    ("delta", "delta[i,j]"),
    ("dot", "dot(a, b)"),
    ("eye", "eye(n)"),
    ("grad", "grad(y, x)"),
    ("hessian", "hessian(y, x)"),
    ("is_floating_point", "is_floating_point(x)"),
    ("jacobian", "jacobian(y, x)"),
    ("len", "len(x)"),
    ("ndim", "ndim(x)"),
    ("ones", "ones(m, n)"),
    ("shape", "shape(x)"),
    ("size", "size(x, axis=none)"),
    ("square", "square(x)"),
    ("unvec", "unvec(v, [m, n])"),
    ("zeros", "zeros(m, n)"),
];

/// A size as a number, which keeps its name.
fn of_dim(dim: &Dim) -> Arg {
    Arg::Number(dim.size() as f64, Some(*dim))
}

impl Evaluator<'_> {
    /// A call of one of them.
    pub(super) fn own(
        &mut self,
        span: Span,
        function: &Name,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Arg> {
        let usage = OWN.iter().find(|(name, _)| *name == function.text).map_or("", |(_, usage)| usage);
        let wrong =
            |message: String| Failure::Said(Error::new(span, message).with_hint(format!("write `{usage}`")));
        let taken = match function.text.as_str() {
            "unvec" => &["layout"][..],
            "size" => &["axis", "dim"],
            _ => &[],
        };
        if kwargs.iter().any(|(name, _)| !taken.contains(&name.text.as_str())) {
            return Err(wrong(format!(
                "`{function}` takes {}",
                if taken.is_empty() { "no keywords" } else { "no such keyword" }
            )));
        }
        match (function.text.as_str(), args) {
            ("shape", [x]) => return self.dims(x).map(|dims| Arg::List(dims.iter().map(of_dim).collect())),
            ("ndim", [x]) => return self.dims(x).map(|dims| Arg::Number(dims.len() as f64, None)),
            ("size", [x, axis @ ..]) if axis.len() + kwargs.len() <= 1 => {
                let dims = self.dims(x)?;
                let Some(axis) = axis.first().or(kwargs.first().map(|(_, axis)| axis)) else {
                    let count: f64 = dims.iter().map(|dim| dim.size() as f64).product();
                    return Ok(Arg::Number(count, None));
                };
                let number = self.whole_number(axis)?;
                let place = if number < 0 { number + dims.len() as i64 } else { number };
                let dim = usize::try_from(place).ok().and_then(|place| dims.get(place));
                return dim.map(of_dim).ok_or_else(|| {
                    Error::new(axis.span, format!("size: there is no axis {number} in {dims:?}")).into()
                });
            }
            ("len", [x]) => {
                let dims = self.dims(x)?;
                return dims.first().map(of_dim).ok_or_else(|| {
                    Error::new(x.span, "len: a scalar has no length")
                        .with_hint("`size(x)` counts all entries")
                        .into()
                });
            }
            ("is_floating_point", [x]) => {
                // What is true or not is no float elsewhere.
                return Ok(Arg::Flag(self.operand(x)?.dtype().is_float() && !self.is_condition(x)));
            }
            ("grad", [y, x]) => return self.grad_of(span, y, x).map(Arg::Value),
            ("jacobian", [y, x]) => return self.jacobian_of(span, y, x).map(Arg::Value),
            ("hessian", [y, x, other @ ..]) if other.len() <= 1 => {
                return self.hessian_of(span, y, x, other.first().unwrap_or(x)).map(Arg::Value);
            }
            _ => {}
        }
        self.made(span, function, args, kwargs, wrong).map(Arg::Value)
    }

    /// A value that is made of sizes, or of others by what is said shorter so.
    fn made(
        &mut self,
        span: Span,
        function: &Name,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
        wrong: impl Fn(String) -> Failure,
    ) -> Outcome<Val> {
        let dtype = self.scope.dtype;
        match (function.text.as_str(), args) {
            ("eye", [n]) => {
                let dim = self.size(n)?;
                let array = Array::eye(dim.size(), dtype).map_err(of_array(span))?;
                Val::with_dims(array, &[dim, dim]).map_err(of_op(span))
            }
            ("ones" | "zeros", sizes) => {
                let dims = self.sizes(sizes)?;
                let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
                let fill = if function.text == "ones" { 1.0 } else { 0.0 };
                let array = Array::full(&shape, fill, dtype).map_err(of_array(span))?;
                Val::with_dims(array, &dims).map_err(of_op(span))
            }
            ("arange", [start, stop, step @ ..]) if step.len() <= 1 => {
                let mut numbers = [self.stated(start)?, self.stated(stop)?, 1.0];
                if let [step] = step {
                    numbers[2] = self.stated(step)?;
                }
                let [start, stop, step] = numbers;
                if step == 0.0 {
                    return Err(wrong("`arange` has a step of 0".to_owned()));
                }
                // What is no number of elements is refused where they are made.
                let count = ((stop - start) / step).ceil().max(0.0) as usize;
                let numbers = Array::arange(count)
                    .and_then(|array| array.cast(DType::F64))
                    .and_then(|array| array.map(|x| x, |x| start + step * x))
                    .and_then(|array| array.cast(dtype));
                Ok(Val::new(numbers.map_err(of_array(span))?))
            }
            ("arange", [n]) => {
                let dim = self.size(n)?;
                let array =
                    Array::arange(dim.size()).and_then(|array| array.cast(dtype)).map_err(of_array(span))?;
                Val::with_dims(array, &[dim]).map_err(of_op(span))
            }
            ("square", [x]) => self.operand(x)?.powf(2.0).map_err(of_op(span)),
            ("dot", [a, b]) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                super::arithmetic::applied(BinaryOp::MatMul, &a, &b).map_err(of_op(span))
            }
            ("unvec", [v, sizes, layout @ ..]) if layout.len() + kwargs.len() <= 1 => {
                let v = self.operand(v)?;
                let dims = self.sizes(std::slice::from_ref(sizes))?;
                let layout = layout.first().or(kwargs.first().map(|(_, layout)| layout));
                match layout.map(|layout| self.word(layout, Kind::Word("row|col"))).transpose()?.as_deref() {
                    None | Some("row") => v.reshape(&dims).map_err(of_op(span)),
                    Some("col") => {
                        let reversed: Vec<Dim> = dims.iter().rev().copied().collect();
                        let axes: Vec<usize> = (0..dims.len()).rev().collect();
                        v.reshape(&reversed).and_then(|x| x.permute(&axes)).map_err(of_op(span))
                    }
                    Some(other) => Err(Error::new(span, format!("unvec: `{other}` is no layout"))
                        .with_hint("`row` or `col`")
                        .into()),
                }
            }
            ("delta", _) => Err(Error::new(span, "`delta` has indices, no arguments")
                .with_hint("write `delta[i,j]` in index notation, `eye(n)` elsewhere")
                .into()),
            (_, args) => Err(wrong(format!("`{function}` does not take {} arguments", args.len()))),
        }
    }

    /// A number that the program states, of `arange(0, 1, 0.25)`.
    fn stated(&mut self, expr: &Expr) -> Outcome<f64> {
        let number = match self.arg(expr)? {
            Arg::Number(number, _) => Some(number),
            Arg::Value(val) => constant(&self.outside(&val)).or_else(|| of_constants(&val)),
            _ => None,
        };
        let is_sound = |number: &f64| number.is_finite();
        number
            .filter(is_sound)
            .ok_or_else(|| Error::new(expr.span, "`arange` is of numbers that are stated").into())
    }

    /// The axes of a value.
    fn dims(&mut self, x: &Expr) -> Outcome<Vec<Dim>> {
        Ok(self.operand(x)?.dims().to_vec())
    }

    /// Sizes given as several arguments or as one list.
    fn sizes(&mut self, args: &[Expr]) -> Outcome<Vec<Dim>> {
        match args {
            [Expr { kind: ExprKind::List(items), .. }] => items.iter().map(|item| self.size(item)).collect(),
            // `ones(shape(x))`.
            [one] => match self.arg(one)? {
                Arg::List(items) => items.into_iter().map(|item| self.size_from(one, item)).collect(),
                arg => Ok(vec![self.size_from(one, arg)?]),
            },
            _ => args.iter().map(|arg| self.size(arg)).collect(),
        }
    }

    /// The size that an expression is.
    pub(super) fn size(&mut self, expr: &Expr) -> Outcome<Dim> {
        let arg = self.arg(expr)?;
        self.size_from(expr, arg)
    }

    fn size_from(&self, expr: &Expr, arg: Arg) -> Outcome<Dim> {
        let wrong = |what: String| {
            let message = format!("a size is a whole number from 0 on, not {what}");
            Failure::Said(
                Error::new(expr.span, message).with_hint("write the number, or a dim bound with `[n=3]`"),
            )
        };
        let (number, dim) = match arg {
            Arg::Number(number, dim) => (number, dim),
            Arg::Value(val) => match constant(&self.outside(&val)).or_else(|| of_constants(&val)) {
                Some(number) => (number, None),
                None => return Err(wrong(format!("a value of shape {:?}", val.dims()))),
            },
            _ => return Err(wrong("this".to_owned())),
        };
        // 2^53: every whole number below is one of f64's.
        if number.fract() != 0.0 || !(0.0..9_007_199_254_740_992.0).contains(&number) {
            return Err(wrong(format!("{number}")));
        }
        Ok(dim.unwrap_or(Dim::new(number as usize)))
    }
}
