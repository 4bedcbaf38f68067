//! Calls of functions: the last column of the table of functions says how each is written, in two words or three.
//!
//! | form | what is written |
//! |---|---|
//! | `each exp` | `x.exp()`, a method that numbers and arrays have |
//! | `map sigmoid` | `x.mapv(sigmoid)`, a function of one number |
//! | `both maximum` | a function of two numbers, entry by entry |
//! | `choose select` | one of two values, entry by entry |
//! | `total sum` | `x.sum_axis(Axis(1))` and `x.sum()`; axis after axis, where there are several |
//! | `lanes max` | `x.map_axis(Axis(1), max)`: a function of the numbers along an axis |
//! | `call softmax` | a function of arrays, and of what else the operation takes; `matrix inv` of matrices alone |
//! | `typed gather` | one whose result has as many axes as it is told to have |
//! | `filled ones`, `unit` | an array of some size |
//! | the rest | one function each |

use pullback_lang::{Expr, ExprKind, Name, print};
use pullback_ops::{Kind as Takes, Parameter, find};

use super::super::program::NotExported;
use super::expression::{Writer, float, rank, whole_number};
use super::piece::{Held, Kind, Level, Piece, dimension};

/// A call, with what its operation says of it.
struct Call<'a> {
    expr: &'a Expr,
    args: &'a [Expr],
    kwargs: &'a [(Name, Expr)],
    parameters: Vec<Parameter>,
    /// What it returns.
    kind: Kind,
}

impl Call<'_> {
    /// The argument that a parameter has.
    fn argument(&self, name: &str) -> Option<&Expr> {
        let of_keyword = self.kwargs.iter().find(|(keyword, _)| keyword.text == name).map(|(_, value)| value);
        let place = self.parameters.iter().position(|parameter| parameter.name == name);
        of_keyword.or_else(|| self.args.get(place?))
    }

    /// The values that it is called with.
    fn values(&self) -> Vec<&Expr> {
        let mut values = Vec::new();
        for (place, arg) in self.args.iter().enumerate() {
            let parameter = self.parameters.get(place).or(self.parameters.last());
            match (&arg.kind, parameter) {
                (ExprKind::List(items), Some(parameter)) if parameter.takes_rest => values.extend(items),
                (_, Some(parameter)) if parameter.kind.is_value() => values.push(arg),
                // A function that is a definition in the language states no parameters.
                (_, None) => values.push(arg),
                _ => {}
            }
        }
        values
    }

    /// The axes that a parameter names of so many; none, where it names none.
    fn axes(&self, name: &str, rank: usize) -> Option<Option<Vec<usize>>> {
        let Some(given) = self.argument(name) else { return Some(None) };
        let number = |expr: &Expr| {
            let axis = whole_number(expr)?;
            usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok()
        };
        match &given.kind {
            ExprKind::List(axes) => Some(Some(axes.iter().map(number).collect::<Option<_>>()?)),
            ExprKind::Name(name) if name == "none" => Some(None),
            _ => Some(Some(vec![number(given)?])),
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.argument(name).map(|given| &given.kind), Some(ExprKind::Bool(true)))
    }

    fn missing(&self) -> NotExported {
        NotExported::Missing(format!("`{}`", print(self.expr)))
    }
}

impl Writer<'_> {
    pub(super) fn call(
        &mut self,
        expr: &Expr,
        function: &str,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Result<Piece, NotExported> {
        let written = self.functions.get(function).copied();
        let written = written.ok_or_else(|| NotExported::Missing(format!("`{function}`")))?;
        let parameters = find(function).map_or(Vec::new(), |operation| operation.parameters());
        let call = Call { expr, args, kwargs, parameters, kind: self.kind(expr)? };
        let (form, name) = written.split_once(' ').unwrap_or((written, ""));
        let name = match name.starts_with("libm::") && self.program.dtype.size_of() == 4 {
            true => format!("{name}f"),
            false => name.to_owned(),
        };
        if form != "choose" {
            self.used.insert(name.clone());
        }
        match form {
            "each" => {
                let of = self.only_value(&call)?;
                Ok(Piece::result(format!("{}.{name}()", of.receiver()), call.kind))
            }
            "map" => {
                let of = self.only_value(&call)?;
                Ok(match of.is_array() {
                    true => Piece::result(format!("{}.mapv({name})", of.receiver()), of.kind),
                    false => Piece::result(format!("{name}({})", of.text), of.kind),
                })
            }
            "both" => match self.pieces(&call)?.as_slice() {
                [a, b] => self.of_two(expr, &name, a, b),
                _ => Err(call.missing()),
            },
            "choose" => self.choice(&call, &name),
            "total" => self.fold(&call, &name),
            "lanes" => self.lanes(&call, &name),
            "method" | "call" | "matrix" | "typed" => self.plain(&call, form, &name),
            "filled" => self.filled(&call, &name),
            "unit" | "unit_vector" | "range" => self.sized(&call, form),
            "joined" => self.joined(&call, &name),
            "summed" => self.contraction(&call, &name),
            "same" => self.only_value(&call),
            "reshaped" => self.reshaped(&call),
            "flat" => self.flat(&call),
            "permuted" | "swapped" => self.permuted(&call, form),
            "without_axes" | "with_axis" => self.with_axes(&call, form),
            _ => Err(call.missing()),
        }
    }

    /// The operands, as floating-point numbers.
    fn pieces(&mut self, call: &Call<'_>) -> Result<Vec<Piece>, NotExported> {
        call.values().into_iter().map(|value| Ok(self.piece(value)?.float())).collect()
    }

    /// The operand of a function that takes nothing else.
    fn only_value(&mut self, call: &Call<'_>) -> Result<Piece, NotExported> {
        match call.args {
            [of] if call.kwargs.is_empty() => Ok(self.piece(of)?.float()),
            _ => Err(call.missing()),
        }
    }

    fn first(&mut self, call: &Call<'_>) -> Result<Piece, NotExported> {
        Ok(self.piece(call.args.first().ok_or_else(|| call.missing())?)?.float())
    }

    fn choice(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let pieces = self.pieces(call)?;
        let [condition, a, b] = pieces.as_slice() else { return Err(call.missing()) };
        if !pieces.iter().any(Piece::is_array) {
            let text = format!("if {} != 0.0 {{ {} }} else {{ {} }}", condition.text, a.text, b.text);
            return Ok(Piece::new(text, Level::Sum, Kind::Number, Held::Result));
        }
        self.used.insert(name.to_owned());
        let [condition, a, b] = [condition, a, b].map(Piece::borrowed);
        Ok(Piece::result(format!("{name}({condition}, {a}, {b})"), float(call.kind)))
    }

    /// What a reduction leaves of an array: a number, or with axes of size one again where they are kept.
    fn reduced(&self, call: &Call<'_>, axes: &[usize], result: Piece) -> Piece {
        if !call.flag("keepdims") {
            return result;
        }
        let rank = rank(call.kind);
        if !result.is_array() {
            let sizes = vec!["1"; rank].join(", ");
            return Piece::result(format!("Array{rank}::from_elem(({sizes}), {})", result.text), call.kind);
        }
        let insert = |text: String, axis: &usize| format!("{text}.insert_axis(Axis({axis}))");
        Piece::result(axes.iter().fold(result.text, insert), call.kind)
    }

    /// The axes of a reduction, in order, and whether these are all.
    fn along(&self, call: &Call<'_>, of: &Piece) -> Result<(Vec<usize>, bool), NotExported> {
        let axes = call.axes("axis", of.rank()).ok_or_else(|| call.missing())?;
        let mut axes = axes.unwrap_or_else(|| (0..of.rank()).collect());
        axes.sort_unstable();
        let all = axes.len() == of.rank();
        Ok((axes, all))
    }

    fn fold(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let (name, behind) = match name.split_once(' ') {
            Some((name, method)) => (name, format!(".{method}()")),
            None => (name, String::new()),
        };
        let of = self.first(call)?;
        if !of.is_array() {
            return Ok(of);
        }
        let (axes, all) = self.along(call, &of)?;
        let result = match all {
            true => Piece::result(format!("{}.{name}(){behind}", of.receiver()), Kind::Number),
            false => {
                let one = |text: String, axis: &usize| format!("{text}.{name}_axis(Axis({axis})){behind}");
                let kind = Kind::Array { rank: of.rank() - axes.len(), whole: false };
                Piece::result(axes.iter().rev().fold(of.receiver(), one), kind)
            }
        };
        Ok(self.reduced(call, &axes, result))
    }

    fn lanes(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let of = self.first(call)?;
        if !of.is_array() {
            return Err(call.missing());
        }
        let (axes, all) = self.along(call, &of)?;
        let mut others = String::new();
        for parameter in call.parameters.clone() {
            if matches!(parameter.kind, Takes::Number | Takes::Count | Takes::Order) {
                let given = self.attribute(call, &parameter, of.rank())?;
                others += &format!(", {given}{}", if given.contains('.') { "" } else { ".0" });
            }
        }
        let function =
            if others.is_empty() { name.to_owned() } else { format!("|lane| {name}(lane{others})") };
        let result = if all {
            let lane = if of.rank() == 1 { of.receiver() } else { format!("{}.flatten()", of.receiver()) };
            Piece::result(format!("{name}({lane}.view(){others})"), Kind::Number)
        } else {
            let left = of.rank() - axes.len();
            let kind = Kind::Array { rank: left, whole: false };
            let text = match axes.as_slice() {
                [axis] => format!("{}.map_axis(Axis({axis}), {function})", of.receiver()),
                several => {
                    self.used.insert("merged".to_owned());
                    let merged =
                        format!("merged::<{}>({}, &{several:?})", dimension(left + 1), of.borrowed());
                    format!("{merged}.map_axis(Axis({left}), {function})")
                }
            };
            Piece::result(text, kind)
        };
        Ok(self.reduced(call, &axes, result))
    }

    /// A function of arrays, with all else that its operation takes.
    fn plain(&mut self, call: &Call<'_>, form: &str, name: &str) -> Result<Piece, NotExported> {
        let mut values = Vec::new();
        for value in call.values() {
            values.push(match listed(value) {
                Some(text) => Piece::result(text, Kind::Array { rank: 1, whole: true }),
                None => self.piece(value)?,
            });
        }
        let is_index = |place: usize| {
            call.parameters.get(place).is_some_and(|parameter| parameter.kind == Takes::Indices)
        };
        for (place, value) in values.iter_mut().enumerate() {
            *value = match (is_index(place), value.kind) {
                (false, _) => value.clone().float(),
                (true, Kind::Array { rank, whole: false }) => {
                    let text = format!("{}.mapv(|i| i as i64)", value.receiver());
                    Piece::result(text, Kind::Array { rank, whole: true })
                }
                (true, _) => value.clone(),
            };
        }
        let rank_of_first = values.first().map_or(0, Piece::rank);
        if form == "matrix" && rank_of_first != 2 {
            return Err(call.missing());
        }
        let mut given: Vec<String> = values.iter().map(Piece::borrowed).collect();
        for parameter in call.parameters.clone() {
            if !parameter.kind.is_value() {
                let attribute = self.attribute(call, &parameter, rank_of_first)?;
                given.extend(Some(attribute).filter(|attribute| !attribute.is_empty()));
            }
        }
        let kind = float(call.kind);
        let text = match form {
            "method" => {
                let of = values.first().ok_or_else(|| call.missing())?;
                format!("{}.{name}({})", of.receiver(), given[1..].join(", "))
            }
            "typed" => format!("{name}::<{}>({})", dimension(rank(kind)), given.join(", ")),
            _ => format!("{name}({})", given.join(", ")),
        };
        Ok(Piece::result(text, kind))
    }

    /// What a call gives a parameter that is no value.
    fn attribute(
        &mut self,
        call: &Call<'_>,
        parameter: &Parameter,
        rank: usize,
    ) -> Result<String, NotExported> {
        let given = call.argument(parameter.name);
        let default = parameter.default.unwrap_or_default();
        match parameter.kind {
            Takes::Axis => {
                let axes = call.axes(parameter.name, rank).ok_or_else(|| call.missing())?;
                let default =
                    || default.parse().map_or(0, |axis: i64| axis.rem_euclid(rank.max(1) as i64) as usize);
                Ok(format!("Axis({})", axes.and_then(|axes| axes.first().copied()).unwrap_or_else(default)))
            }
            Takes::Axes => {
                let axes = call.axes(parameter.name, rank).ok_or_else(|| call.missing())?;
                Ok(format!("&{:?}", axes.unwrap_or_else(|| (0..rank).collect())))
            }
            Takes::Flag => Ok(format!("{}", call.flag(parameter.name))),
            Takes::Shape => match given.map(|given| &given.kind) {
                Some(ExprKind::List(sizes)) if sizes.len() == 1 => self.size(&sizes[0]),
                Some(ExprKind::List(_)) | None => Err(call.missing()),
                Some(_) => self.size(given.ok_or_else(|| call.missing())?),
            },
            Takes::Number | Takes::Order => match given {
                Some(given) => match self.piece(given)?.float() {
                    Piece { text, is_literal: true, .. } => Ok(text),
                    piece if matches!(given.kind, ExprKind::Negate(_)) => Ok(piece.text),
                    _ => Err(call.missing()),
                },
                None if default.contains('.') => Ok(default.to_owned()),
                None => Ok(format!("{default}.0")),
            },
            Takes::Integer | Takes::Count => match given {
                Some(given) => match self.piece(given)? {
                    Piece { text, is_literal: true, .. } => Ok(text),
                    piece if matches!(given.kind, ExprKind::Negate(_)) => {
                        Ok(piece.text.trim_end_matches(".0").to_owned())
                    }
                    _ => Err(call.missing()),
                },
                None => Ok(default.to_owned()),
            },
            Takes::Widths => {
                let Some(ExprKind::List(pairs)) = given.map(|given| &given.kind) else {
                    return Err(call.missing());
                };
                let mut widths = Vec::new();
                for pair in pairs {
                    match &pair.kind {
                        ExprKind::List(pair) if pair.len() == 2 => {
                            widths.push(format!("({}, {})", self.size(&pair[0])?, self.size(&pair[1])?));
                        }
                        _ => return Err(call.missing()),
                    }
                }
                Ok(format!("&[{}]", widths.join(", ")))
            }
            _ if given.is_none() => Ok(String::new()),
            _ => Err(call.missing()),
        }
    }

    /// The sizes that a call lists.
    fn sizes(&mut self, call: &Call<'_>, args: &[Expr]) -> Result<Vec<String>, NotExported> {
        let listed = match args {
            [Expr { kind: ExprKind::List(sizes), .. }] => sizes,
            sizes => sizes,
        };
        if !call.kwargs.is_empty() {
            return Err(call.missing());
        }
        listed.iter().map(|size| self.size(size)).collect()
    }

    fn filled(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let sizes = self.sizes(call, call.args)?;
        if sizes.is_empty() {
            return Ok(Piece::literal(if name == "Array::ones" { "1.0" } else { "0.0" }, Kind::Number));
        }
        let typed = name.replace("Array", "Array::<f64, _>");
        Ok(Piece::result(format!("{typed}({})", shape(&sizes)), float(call.kind)))
    }

    fn sized(&mut self, call: &Call<'_>, form: &str) -> Result<Piece, NotExported> {
        let sizes = self.sizes(call, call.args)?;
        let text = match (form, sizes.as_slice(), call.kind) {
            ("unit", [size], _) => format!("Array2::<f64>::eye({size})"),
            ("unit_vector", [place, size], kind) => {
                let entry = format!("if i == {place} {{ 1.0_f64 }} else {{ 0.0 }}");
                let text = format!("Array1::from_shape_fn({size}, |i| {entry})");
                return Ok(Piece::result(text, float(kind)));
            }
            (_, [size], Kind::Array { whole: true, .. }) => format!("Array1::from_iter(0..{size} as i64)"),
            (_, [size], _) => format!("Array1::from_iter((0..{size}).map(|i| i as f64))"),
            _ => return Err(call.missing()),
        };
        Ok(Piece::result(text, call.kind))
    }

    fn joined(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let pieces = self.pieces(call)?;
        let rank = rank(call.kind);
        let axes = call.axes("axis", rank).ok_or_else(|| call.missing())?;
        let axis = axes.and_then(|axes| axes.first().copied()).unwrap_or(0);
        let views = pieces.iter().map(|piece| match piece.is_array() {
            true => format!("{}.view()", piece.receiver()),
            false => format!("aview0(&{})", piece.at_least(Level::Unary)),
        });
        let views: Vec<String> = views.collect();
        Ok(Piece::result(format!("{name}(Axis({axis}), &[{}]).unwrap()", views.join(", ")), call.kind))
    }

    fn contraction(&mut self, call: &Call<'_>, name: &str) -> Result<Piece, NotExported> {
        let [Expr { kind: ExprKind::Text(formula), .. }, operands @ ..] = call.args else {
            return Err(call.missing());
        };
        let mut views = Vec::new();
        for operand in operands {
            views.push(self.piece(operand)?.float().dynamic());
        }
        let kind = float(call.kind);
        let text = format!("{name}::<{}>({formula:?}, &[{}])", dimension(rank(kind)), views.join(", "));
        Ok(match kind {
            Kind::Number => Piece::result(format!("{text}.into_scalar()"), kind),
            kind => Piece::result(text, kind),
        })
    }

    fn reshaped(&mut self, call: &Call<'_>) -> Result<Piece, NotExported> {
        let of = self.first(call)?;
        let sizes = self.sizes(call, &call.args[1..])?;
        Ok(match (of.is_array(), sizes.is_empty()) {
            (true, true) => Piece::result(format!("{}.sum()", of.receiver()), Kind::Number),
            (true, false) => Piece::view(
                format!("{}.to_shape({}).unwrap()", of.receiver(), shape(&sizes)),
                float(call.kind),
            ),
            (false, true) => of,
            (false, false) => {
                Piece::result(format!("Array::from_elem({}, {})", shape(&sizes), of.text), float(call.kind))
            }
        })
    }

    /// All numbers in a row, those of a line first or those of a column.
    fn flat(&mut self, call: &Call<'_>) -> Result<Piece, NotExported> {
        let of = self.first(call)?;
        let by_columns = match call.args.get(1).map(|layout| &layout.kind) {
            None => false,
            Some(ExprKind::Name(layout) | ExprKind::Text(layout)) => layout == "col",
            Some(_) => return Err(call.missing()),
        };
        if !of.is_array() {
            return Ok(Piece::result(format!("arr1(&[{}])", of.text), call.kind));
        }
        let transposed = if by_columns { ".t()" } else { "" };
        Ok(Piece::view(format!("{}{transposed}.flatten()", of.receiver()), call.kind))
    }

    fn permuted(&mut self, call: &Call<'_>, form: &str) -> Result<Piece, NotExported> {
        let of = self.first(call)?;
        let rank = of.rank();
        let numbers = call.args[1..].iter().flat_map(|arg| match &arg.kind {
            ExprKind::List(axes) => axes.iter().collect(),
            _ => vec![arg],
        });
        let axis = |expr: &Expr| Some(whole_number(expr)?.rem_euclid(rank.max(1) as i64) as usize);
        let axes: Option<Vec<usize>> = numbers.map(axis).collect();
        let axes = axes.filter(|_| call.kwargs.is_empty()).ok_or_else(|| call.missing())?;
        let order = match (form, axes.as_slice()) {
            ("swapped", []) => (0..rank).rev().collect(),
            ("swapped", &[first, second]) => {
                let mut order: Vec<usize> = (0..rank).collect();
                order.swap(first, second);
                order
            }
            (_, axes) => axes.to_vec(),
        };
        if order == [1, 0] {
            return Ok(Piece::view(format!("{}.t()", of.receiver()), of.kind));
        }
        Ok(Piece::view(format!("{}.view().permuted_axes({order:?})", of.receiver()), of.kind))
    }

    fn with_axes(&mut self, call: &Call<'_>, form: &str) -> Result<Piece, NotExported> {
        let of = self.first(call)?;
        let axes = call.axes("axis", rank(call.kind).max(of.rank())).ok_or_else(|| call.missing())?;
        if form == "with_axis" {
            let axis = axes.and_then(|axes| axes.first().copied()).ok_or_else(|| call.missing())?;
            return Ok(match of.is_array() {
                true => Piece::view(format!("{}.view().insert_axis(Axis({axis}))", of.receiver()), call.kind),
                false => Piece::result(format!("arr1(&[{}])", of.text), call.kind),
            });
        }
        if rank(call.kind) == 0 {
            return Ok(Piece::result(format!("{}.sum()", of.receiver()), Kind::Number));
        }
        let value = self.program.value(&call.args[0])?;
        let ones = || (0..value.ndim()).filter(|&axis| value.dims()[axis].size() == 1).collect();
        let mut axes = axes.unwrap_or_else(ones);
        axes.sort_unstable();
        let without = |text: String, axis: &usize| format!("{text}.index_axis(Axis({axis}), 0)");
        Ok(Piece::view(axes.iter().rev().fold(of.receiver(), without), call.kind))
    }
}

/// Whole numbers that are written down.
fn listed(expr: &Expr) -> Option<String> {
    let ExprKind::List(items) = &expr.kind else { return None };
    let numbers: Vec<i64> = items.iter().map(whole_number).collect::<Option<_>>()?;
    Some(format!("arr1::<i64>(&{numbers:?})"))
}

/// A shape as ndarray takes it.
fn shape(sizes: &[String]) -> String {
    match sizes {
        [one] => one.clone(),
        several if several.len() <= 6 => format!("({})", several.join(", ")),
        several => format!("vec![{}]", several.join(", ")),
    }
}
