//! The arguments of a call, bound to the parameters of an operation.

use pullback_array::DType;
use pullback_network::Dim;

use crate::parameter::{Kind, Parameter, written};
use crate::{Entry, Error, Result, Val};

/// An argument as a program gives it.
#[derive(Debug, Clone)]
pub enum Arg {
    /// A value of the graph.
    Value(Val),
    /// A number that the program states, with the name of the size it is, if it is one.
    Number(f64, Option<Dim>),
    /// A list.
    List(Vec<Arg>),
    /// A string, or a bare word such as `col`.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// `none`: as if it were not given.
    Nothing,
}

/// The arguments of one call, by parameter.
#[derive(Debug)]
pub struct Args {
    op: &'static str,
    parameters: Vec<Parameter>,
    dtype: DType,
    bound: Vec<(&'static str, Arg)>,
}

/// Names that users of PyTorch and of NumPy write for the same parameter; `dims` are `axes`, or else an `axis`.
const SYNONYMS: [(&str, &str); 25] = [
    ("dim", "axis"),
    ("keepdim", "keepdims"),
    ("dims", "axes"),
    ("axes", "axis"),
    ("shifts", "shift"),
    ("diagonal", "k"),
    ("dim1", "axis1"),
    ("dim2", "axis2"),
    ("dim0", "axis0"),
    ("dimension", "axis"),
    ("src", "source"),
    ("ddof", "correction"),
    ("a_min", "min"),
    ("a_max", "max"),
    ("num_classes", "n"),
    ("steps", "n"),
    ("num", "n"),
    ("constant_values", "value"),
    ("input", "x"),
    ("x", "a"),
    ("other", "b"),
    ("exponent", "b"),
    ("weight", "w"),
    ("method", "interpolation"),
    ("targets", "target"),
];

impl Args {
    /// The name, of those that are parameters, that users of other libraries call so.
    pub fn synonym(keyword: &str, is_parameter: impl Fn(&str) -> bool) -> Option<&'static str> {
        let next = |keyword: &str| SYNONYMS.iter().find(|(from, _)| *from == keyword).map(|(_, to)| *to);
        std::iter::successors(next(keyword), |name| next(name)).find(|name| is_parameter(name))
    }

    /// Binds the arguments of a call of the operation `op` as its signature says. Numbers become values of `dtype` where
    /// values are wanted.
    ///
    /// # Errors
    /// Where an argument is missing, given twice, or not one of the operation's.
    pub fn bind(
        op: &'static str,
        entry: &'static Entry,
        positional: Vec<Arg>,
        keywords: Vec<(String, Arg)>,
        dtype: DType,
    ) -> Result<Args> {
        let call = format!("`{}`", written(entry.signature));
        let parameters = Parameter::all(entry.signature);
        let mut bound: Vec<(&'static str, Arg)> = Vec::new();
        let mut positional = positional.into_iter();
        for (at, parameter) in parameters.iter().enumerate() {
            let Parameter { name, kind, takes_rest, .. } = *parameter;
            if parameter.has_keyword {
                break;
            }
            if takes_rest {
                // All that is left, or one list: what follows that belongs to others.
                let of_rest = match positional.next() {
                    Some(list @ Arg::List(_)) => list,
                    first => Arg::List(first.into_iter().chain(positional.by_ref()).collect()),
                };
                bound.push((name, of_rest));
            } else if kind.is_list() && at + 1 == parameters.len() && positional.len() > 1 {
                // `x.reshape(3, 4)`.
                bound.push((name, Arg::List(positional.by_ref().collect())));
            } else if let Some(arg) = positional.next() {
                bound.push((name, arg));
            }
        }
        if let Some(extra) = positional.next() {
            return Err(
                Error::new(format!("{op}: {} is one argument too many", describe(&extra))).with_hint(call)
            );
        }
        for (keyword, arg) in keywords {
            let of_name = |name: &str| parameters.iter().find(|it| it.name == name);
            let synonym = Args::synonym(&keyword, |name| of_name(name).is_some());
            let known = of_name(&keyword).or_else(|| of_name(synonym?));
            let Some(&Parameter { name, .. }) = known else {
                return Err(Error::new(format!("{op}: there is no parameter `{keyword}`")).with_hint(call));
            };
            if bound.iter().any(|(given, _)| *given == name) {
                return Err(Error::new(format!("{op}: `{name}` is given twice")).with_hint(call));
            }
            bound.push((name, arg));
        }
        bound.retain(|(_, arg)| !matches!(arg, Arg::Nothing));
        for &Parameter { name, default, takes_rest, .. } in &parameters {
            if default.is_none() && !takes_rest && !bound.iter().any(|(given, _)| *given == name) {
                return Err(Error::new(format!("{op}: `{name}` is missing")).with_hint(call));
            }
        }
        Ok(Args { op, parameters, dtype, bound })
    }

    /// What was given for a parameter, which the signature has to have.
    fn find(&self, name: &str) -> Option<&Arg> {
        debug_assert!(self.parameters.iter().any(|it| it.name == name), "{}: no parameter `{name}`", self.op);
        self.bound.iter().find(|(given, _)| *given == name).map(|(_, arg)| arg)
    }

    fn wrong(&self, name: &str, wanted: &str, got: &Arg) -> Error {
        Error::new(format!("{}: `{name}` is {} and must be {wanted}", self.op, describe(got)))
    }

    /// A parameter that is a value.
    ///
    /// # Errors
    /// Where it is none.
    pub fn value(&self, name: &str) -> Result<Val> {
        match self.find(name) {
            Some(arg) => self.as_value(name, arg),
            None => Err(Error::new(format!("{}: `{name}` is missing", self.op))),
        }
    }

    /// All that a `*` parameter took.
    ///
    /// # Errors
    /// Where one of them is no value.
    pub fn values(&self, name: &str) -> Result<Vec<Val>> {
        match self.find(name) {
            Some(Arg::List(items)) => items.iter().map(|item| self.as_value(name, item)).collect(),
            _ => Ok(Vec::new()),
        }
    }

    fn as_value(&self, name: &str, arg: &Arg) -> Result<Val> {
        match arg {
            Arg::Value(value) => Ok(value.clone()),
            Arg::Number(number, _) => Ok(Val::number(*number, self.dtype)),
            other => Err(self.wrong(name, "a value", other)),
        }
    }

    /// One axis of a value with `rank` axes, a negative one counted from the end; `None` where it is not given.
    ///
    /// # Errors
    /// Where it is no integer, or there is no such axis.
    pub fn axis(&self, name: &str, rank: usize) -> Result<Option<usize>> {
        match self.find(name) {
            None => Ok(None),
            Some(arg) => self.as_axis(name, arg, rank).map(Some),
        }
    }

    fn as_axis(&self, name: &str, arg: &Arg, rank: usize) -> Result<usize> {
        let number = self.integer(name, arg)?;
        let axis = if number < 0 { number + rank as i64 } else { number };
        let missing = || {
            Error::new(format!(
                "{}: `{name}` is {number}, outside {rank} {}",
                self.op,
                if rank == 1 { "place" } else { "places" }
            ))
        };
        usize::try_from(axis).ok().filter(|&axis| axis < rank).ok_or_else(missing)
    }

    fn integer(&self, name: &str, arg: &Arg) -> Result<i64> {
        match arg {
            Arg::Number(number, _) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(*number as i64),
            other => Err(self.wrong(name, "an integer", other)),
        }
    }

    /// Is a parameter given as a list?
    pub fn is_list(&self, name: &str) -> bool {
        matches!(self.find(name), Some(Arg::List(_)))
    }

    /// One or several axes; all of them where the parameter is not given.
    ///
    /// # Errors
    /// Where one is no integer, or there is no such axis.
    pub fn axes(&self, name: &str, rank: usize) -> Result<Vec<usize>> {
        match self.find(name) {
            None => Ok((0..rank).collect()),
            Some(Arg::List(items)) => items.iter().map(|item| self.as_axis(name, item, rank)).collect(),
            // A scalar is reduced over nothing by its first axis and by its last, as in PyTorch.
            Some(one) if rank == 0 && matches!(self.integer(name, one)?, 0 | -1) => Ok(Vec::new()),
            Some(one) => Ok(vec![self.as_axis(name, one, rank)?]),
        }
    }

    /// A number of things, with its default.
    ///
    /// # Errors
    /// Where it is no whole number from 0 on.
    pub fn count(&self, name: &str, default: usize) -> Result<usize> {
        match self.find(name) {
            None => Ok(default),
            Some(arg) => {
                usize::try_from(self.integer(name, arg)?).map_err(|_| self.wrong(name, "at least 0", arg))
            }
        }
    }

    /// A shape: a list of sizes, or one size. A −1 is what is left of the elements of `of`.
    ///
    /// # Errors
    /// Where a size is no whole number.
    pub fn shape(&self, name: &str, of: Option<&Val>) -> Result<Vec<Dim>> {
        let arg = self.find(name).ok_or_else(|| Error::new(format!("{}: `{name}` is missing", self.op)))?;
        let items = match arg {
            Arg::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut dims = Vec::new();
        let mut open = None;
        for (at, item) in items.iter().enumerate() {
            let size = self.integer(name, item)?;
            match (item, usize::try_from(size)) {
                (Arg::Number(_, Some(dim)), Ok(_)) => dims.push(*dim),
                (_, Ok(size)) => dims.push(Dim::new(size)),
                _ if size == -1 && open.is_none() && of.is_some() => {
                    open = Some(at);
                    dims.push(Dim::new(1));
                }
                _ => return Err(self.wrong(name, "a list of sizes", item)),
            }
        }
        if let (Some(at), Some(of)) = (open, of) {
            let product =
                |dims: &[Dim]| dims.iter().map(|dim| dim.size()).fold(1usize, usize::saturating_mul);
            dims[at] = Dim::new(product(of.dims()).checked_div(product(&dims)).unwrap_or(0));
        }
        Ok(dims)
    }

    /// A list of sizes, or several arguments; `None` for −1, the size that there is.
    ///
    /// # Errors
    /// Where one is no whole number.
    pub fn sizes(&self, name: &str) -> Result<Vec<Option<Dim>>> {
        let arg = self.find(name).ok_or_else(|| Error::new(format!("{}: `{name}` is missing", self.op)))?;
        let items = match arg {
            Arg::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let size = |item: &Arg| {
            if matches!(item, Arg::Nothing) {
                return Ok(None);
            }
            match (item, self.integer(name, item)?) {
                (_, -1) => Ok(None),
                (Arg::Number(_, Some(dim)), _) => Ok(Some(*dim)),
                (_, size) => usize::try_from(size)
                    .map(|size| Some(Dim::new(size)))
                    .map_err(|_| self.wrong(name, "a list of sizes", item)),
            }
        };
        items.iter().map(size).collect()
    }

    /// A whole number, with its default.
    ///
    /// # Errors
    /// Where it is none.
    pub fn whole(&self, name: &str, default: i64) -> Result<i64> {
        self.find(name).map_or(Ok(default), |arg| self.integer(name, arg))
    }

    /// A number, with its default.
    ///
    /// # Errors
    /// Where it is none.
    pub fn number(&self, name: &str, default: f64) -> Result<f64> {
        match self.find(name) {
            None => Ok(default),
            Some(Arg::Number(number, _)) => Ok(*number),
            Some(other) => Err(self.wrong(name, "a number", other)),
        }
    }

    /// The numbers of a parameter that is given as a list of them, or as a value with numbers that is no scalar.
    pub fn several(&self, name: &str) -> Option<Result<Vec<f64>>> {
        match self.find(name)? {
            Arg::Value(value) if value.ndim() > 0 => Some(value.array().map(|array| array.to_vec_f64())),
            Arg::List(items) => {
                let number = |item: &Arg| self.integer(name, item).map(|number| number as f64);
                Some(items.iter().map(number).collect())
            }
            _ => None,
        }
    }

    /// Which axes of two values are summed over together: so many of the last of one and of the first of the other, or a list for each.
    ///
    /// # Errors
    /// Where it is neither, or there are no such axes.
    pub fn joined(&self, name: &str, (first, second): (usize, usize)) -> Result<(Vec<usize>, Vec<usize>)> {
        let axes = |arg: &Arg, rank: usize| match arg {
            Arg::List(items) => items.iter().map(|item| self.as_axis(name, item, rank)).collect(),
            one => Ok(vec![self.as_axis(name, one, rank)?]),
        };
        match self.find(name) {
            Some(Arg::List(both)) if both.len() == 2 => Ok((axes(&both[0], first)?, axes(&both[1], second)?)),
            Some(list @ Arg::List(_)) => {
                Err(self.wrong(name, "a number, or a list for each of two values", list))
            }
            _ => {
                let count = self.count(name, 2)?;
                if count > first.min(second) {
                    let message = format!("{}: {count} axes of {first} and of {second}", self.op);
                    return Err(Error::new(message));
                }
                Ok(((first - count..first).collect(), (0..count).collect()))
            }
        }
    }

    /// A parameter that is a value, where it is given.
    ///
    /// # Errors
    /// Where it is none.
    pub fn value_or_none(&self, name: &str) -> Result<Option<Val>> {
        self.find(name).map(|arg| self.as_value(name, arg)).transpose()
    }

    /// `true` or `false`; what the signature says where it is not given.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.find(name) {
            None => Ok(self.parameters.iter().any(|it| it.name == name && it.default == Some("true"))),
            Some(Arg::Flag(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(name, "true or false", other)),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// Where it is none.
    pub fn text(&self, name: &str) -> Result<String> {
        match self.find(name) {
            Some(Arg::Text(text)) => Ok(text.clone()),
            Some(other) => Err(self.wrong(name, "a string", other)),
            None => Err(Error::new(format!("{}: `{name}` is missing", self.op))),
        }
    }

    /// One of the words of a choice; the one that the signature names where it is not given.
    ///
    /// # Errors
    /// Where it is another word, or none.
    pub fn word(&self, name: &str) -> Result<&'static str> {
        let parameter = self.parameters.iter().find(|it| it.name == name);
        let (kind, default) = parameter.map_or((Kind::Text, None), |it| (it.kind, it.default));
        let given = match self.find(name) {
            None => default.unwrap_or_default(),
            Some(Arg::Text(text)) => text,
            Some(other) => return Err(self.wrong(name, &kind.to_string(), other)),
        };
        let found = kind.words().find(|word| *word == given);
        found.ok_or_else(|| self.wrong(name, &kind.to_string(), &Arg::Text(given.to_owned())))
    }

    /// Whole numbers: a list of them, or one.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        match self.find(name) {
            None => Ok(Vec::new()),
            Some(Arg::List(items)) => items.iter().map(|item| self.integer(name, item)).collect(),
            Some(one) => Ok(vec![self.integer(name, one)?]),
        }
    }

    /// A whole number from 0 on for each of `axes` axes: a list of them, or one for all.
    ///
    /// # Errors
    /// Where the list has another length, or holds something else.
    pub fn counts(&self, name: &str, default: usize, axes: usize) -> Result<Vec<usize>> {
        let one = |item: &Arg| {
            usize::try_from(self.integer(name, item)?).map_err(|_| self.wrong(name, "at least 0", item))
        };
        match self.find(name) {
            None => Ok(vec![default; axes]),
            Some(Arg::List(items)) if items.len() == axes => items.iter().map(one).collect(),
            // As in PyTorch: nothing said, or one for all.
            Some(Arg::List(items)) if items.is_empty() => Ok(vec![default; axes]),
            Some(Arg::List(items)) if items.len() == 1 => Ok(vec![one(&items[0])?; axes]),
            Some(list @ Arg::List(_)) => {
                Err(self.wrong(name, &format!("one number for each of {axes} axes"), list))
            }
            Some(item) => Ok(vec![one(item)?; axes]),
        }
    }

    /// A pair, before and behind, for each of `rank` axes: one number for all, a list of pairs, one for each axis, as NumPy has them, or
    /// the pairs one behind the other, those of the last axis first, as PyTorch has them.
    ///
    /// # Errors
    /// Where it is none of these.
    pub fn widths(&self, name: &str, rank: usize) -> Result<Vec<(i64, i64)>> {
        const WANTED: &str = "[left, right, …] from the last axis on, or [before, after] for each axis";
        let arg = self.find(name).ok_or_else(|| Error::new(format!("{}: `{name}` is missing", self.op)))?;
        let items = match arg {
            Arg::List(items) => items,
            one => {
                let both = self.integer(name, one)?;
                return Ok(vec![(both, both); rank]);
            }
        };
        if items.len() == rank && items.iter().all(|item| matches!(item, Arg::List(pair) if pair.len() == 2))
        {
            let pair = |item: &Arg| match item {
                Arg::List(pair) => Ok((self.integer(name, &pair[0])?, self.integer(name, &pair[1])?)),
                other => Err(self.wrong(name, WANTED, other)),
            };
            return items.iter().map(pair).collect();
        }
        let numbers: Vec<i64> = items.iter().map(|item| self.integer(name, item)).collect::<Result<_>>()?;
        if !numbers.len().is_multiple_of(2) || numbers.len() > 2 * rank {
            return Err(self.wrong(name, WANTED, arg));
        }
        let mut widths = vec![(0, 0); rank];
        for (place, pair) in numbers.chunks_exact(2).enumerate() {
            widths[rank - 1 - place] = (pair[0], pair[1]);
        }
        Ok(widths)
    }

    /// The order of a norm: a number, or the word for one of a matrix; 2 where it is not given.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn order(&self, name: &str) -> Result<std::result::Result<f64, &'static str>> {
        match self.find(name) {
            Some(Arg::Text(text)) if text == "fro" => Ok(Err("fro")),
            Some(Arg::Text(text)) if text == "nuc" => Ok(Err("nuc")),
            Some(text @ Arg::Text(_)) => Err(self.wrong(name, &Kind::Order.to_string(), text)),
            _ => self.number(name, 2.0).map(Ok),
        }
    }

    /// Is it given as this word?
    pub fn is_word(&self, name: &str, word: &str) -> bool {
        matches!(self.find(name), Some(Arg::Text(text)) if text == word)
    }

    /// Is there such a parameter?
    pub fn takes(&self, name: &str) -> bool {
        self.parameters.iter().any(|it| it.name == name)
    }

    /// Is it given?
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

fn describe(arg: &Arg) -> String {
    match arg {
        Arg::Value(value) => format!("a value of shape {:?}", value.dims()),
        Arg::Number(number, _) => format!("the number {number}"),
        Arg::List(items) => format!("a list of {}", items.len()),
        Arg::Text(text) => format!("\"{text}\""),
        Arg::Flag(flag) => format!("{flag}"),
        Arg::Nothing => "none".to_string(),
    }
}
