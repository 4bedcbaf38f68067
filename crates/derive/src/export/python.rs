//! Expressions as Python, and the module that they make.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Name, Span, make, print};
use pullback_ops::find;

use super::program::{Exported, NotExported, Size};
use super::statement::{Loop, Statement};
use crate::code::condition::is_comparison;

/// A framework of Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// NumPy.
    Numpy,
    /// PyTorch.
    Torch,
    /// JAX.
    Jax,
}

/// Words that are no names in Python.
const RESERVED: [&str; 40] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "np",
    "jnp", "torch", "saved", "grads",
];

pub(super) fn module(
    program: &Exported,
    framework: Framework,
    autograd_function: bool,
) -> Result<String, NotExported> {
    let mut writer = Writer::new(program, framework);
    let incoming = writer.cotangent(&program.output.0);
    writer.like = writer.of_floats(&program.inputs).unwrap_or_default();
    let mut forward = Vec::new();
    for statement in &program.forward {
        writer.statement(statement, "", &mut forward)?;
    }
    writer.like = writer.of_floats(&program.saved).unwrap_or_else(|| "grads".to_owned());
    let mut backward = Vec::new();
    for statement in &program.backward {
        writer.statement(statement, "", &mut backward)?;
    }
    let inputs: Vec<String> = program.inputs.iter().map(|name| writer.name(name)).collect();
    let size = |sizes: &[Size], writer: &Writer<'_>| -> Vec<String> {
        let line = |size: &Size| match &size.of_input {
            Some((input, axis)) => {
                format!("{} = {}.shape[{axis}]", writer.name(&size.name), writer.name(input))
            }
            None => format!("{} = {}", writer.name(&size.name), size.size),
        };
        sizes.iter().map(line).collect()
    };
    let forward_sizes = size(&program.forward_sizes, &writer);
    let only_backward: Vec<Size> =
        program.sizes.iter().filter(|size| !program.forward_sizes.contains(size)).cloned().collect();
    let mut kept: Vec<String> = program.saved.iter().map(|name| writer.name(name)).collect();
    kept.extend(program.sizes.iter().map(|size| writer.name(&size.name)));
    let output = writer.name(&program.output.0);
    let results: Vec<String> = program
        .wrt
        .iter()
        .map(|name| {
            let cotangent = writer.cotangent(name);
            // The steps are those of a loss whose own cotangent is one.
            if program.output.1 { format!("{cotangent} * grads") } else { cotangent }
        })
        .collect();
    let tuple = |parts: &[String]| match parts {
        [only] => format!("({only},)"),
        parts => format!("({})", parts.join(", ")),
    };

    let mut text = writer.head();
    let _ = write!(text, "\n\ndef forward({}):\n", inputs.join(", "));
    let _ = writeln!(
        text,
        "    \"\"\"{}, and what `backward` needs: {} bytes.\"\"\"",
        program.output.0, program.bytes
    );
    for line in forward_sizes.iter().chain(&size(&only_backward, &writer)).chain(&forward) {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "    return {output}, {}", tuple(&kept));
    let names = program.wrt.join(", ");
    let _ = write!(
        text,
        "\n\ndef backward(saved, grads):\n    \"\"\"The gradients by {names}; `grads` is that of {}.\"\"\"\n",
        program.output.0
    );
    if !kept.is_empty() {
        let _ = writeln!(text, "    {} = saved", tuple(&kept));
    }
    if !program.output.1 {
        let _ = writeln!(text, "    {incoming} = grads");
    }
    for line in &backward {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "    return {}", tuple(&results));
    match framework {
        Framework::Torch if autograd_function => text += &function(program, &writer, &inputs),
        Framework::Jax => text += &custom_vjp(program, &inputs),
        _ => {}
    }
    Ok(text)
}

/// A `torch.autograd.Function`, which keeps tensors where PyTorch wants them and sizes beside them.
fn function(program: &Exported, writer: &Writer<'_>, inputs: &[String]) -> String {
    let wrt = |name: &String| program.wrt.iter().position(|wrt| wrt == name);
    let gradients: Vec<String> = program
        .inputs
        .iter()
        .map(|name| wrt(name).map_or("None".to_owned(), |at| format!("gradients[{at}]")))
        .collect();
    let saved: Vec<String> = program.saved.iter().map(|name| writer.name(name)).collect();
    let count = saved.len();
    format!(
        "\n\nclass Layer(torch.autograd.Function):\n    \"\"\"Saves {} bytes: {}.\"\"\"\n\n    @staticmethod\n    def forward(ctx, {inputs}):\n        output, saved = forward({inputs})\n        ctx.save_for_backward(*saved[:{count}])\n        ctx.sizes = saved[{count}:]\n        return output\n\n    @staticmethod\n    def backward(ctx, grads):\n        gradients = backward(tuple(ctx.saved_tensors) + tuple(ctx.sizes), grads)\n        return {}\n",
        program.bytes,
        if saved.is_empty() { "nothing".to_owned() } else { saved.join(", ") },
        gradients.join(", "),
        inputs = inputs.join(", "),
    )
}

/// A function with a `custom_vjp`. Integers have cotangents of no numbers.
fn custom_vjp(program: &Exported, inputs: &[String]) -> String {
    let wrt = |name: &String| program.wrt.iter().position(|wrt| wrt == name);
    let gradients: Vec<String> = program
        .inputs
        .iter()
        .map(|name| wrt(name).map_or("None".to_owned(), |at| format!("gradients[{at}]")))
        .collect();
    let gradients = if gradients.len() == 1 {
        format!("({},)", gradients[0])
    } else {
        format!("({})", gradients.join(", "))
    };
    format!(
        "\n\n@jax.custom_vjp\ndef layer({inputs}):\n    return forward({inputs})[0]\n\n\ndef _vjp(saved, grads):\n    gradients = backward(saved, grads)\n    return {gradients}\n\n\nlayer.defvjp(forward, _vjp)\n",
        inputs = inputs.join(", "),
    )
}

/// Does a slice go from behind to before?
fn goes_back(item: &IndexItem) -> bool {
    matches!(item, IndexItem::Slice { step: Some(step), .. } if matches!(step.kind, ExprKind::Negate(_)))
}

/// Turns the slices that go from behind to before, which PyTorch has not, and says which axes have to be turned before: behind an
/// ellipsis they are counted from the end. The element i is then the element −1 − i.
fn turned(items: &mut [IndexItem]) -> Vec<f64> {
    let takes = |item: &&IndexItem| matches!(item, IndexItem::At(_) | IndexItem::Slice { .. });
    let ellipsis = items.iter().position(|item| matches!(item, IndexItem::Ellipsis));
    let mut axes = Vec::new();
    for at in (0..items.len()).filter(|at| goes_back(&items[*at])).collect::<Vec<_>>() {
        axes.push(match ellipsis {
            Some(before) if before < at => -(items[at..].iter().filter(takes).count() as f64),
            _ => items[..at].iter().filter(takes).count() as f64,
        });
        let IndexItem::Slice { start, stop, step } = &mut items[at] else { continue };
        for place in [start, stop].into_iter().flatten() {
            let one = make::integer(place.span, 1);
            **place = match place.kind {
                ExprKind::Number { value, .. } => make::number(place.span, -1.0 - value),
                _ => make::binary(place.span, BinaryOp::Sub, make::negated(place), one),
            };
        }
        *step = step
            .take()
            .map(|step| Box::new(make::negated(&step)))
            .filter(|step| !matches!(step.kind, ExprKind::Number { value: 1.0, .. }));
    }
    axes
}

struct Writer<'a> {
    program: &'a Exported,
    framework: Framework,
    functions: HashMap<&'static str, &'static str>,
    /// The names of the program.
    taken: Vec<&'a str>,
    /// The functions that are defined beside the code.
    support: BTreeSet<String>,
    /// A value at hand, whose type of numbers constants have in PyTorch; elsewhere they take that of what they meet.
    like: String,
}

impl<'a> Writer<'a> {
    fn new(program: &'a Exported, framework: Framework) -> Writer<'a> {
        let column = if framework == Framework::Torch { 1 } else { 0 };
        let names = program.computed().chain(program.inputs.iter().map(String::as_str));
        Writer {
            program,
            framework,
            functions: super::functions(column).collect(),
            taken: names.collect(),
            support: BTreeSet::new(),
            like: String::new(),
        }
    }

    /// The first of some values of the program that is made of floats.
    fn of_floats(&self, names: &[String]) -> Option<String> {
        let is_float = |name: &&String| {
            let value = self.program.value(&make::name(Span::default(), name));
            value.is_ok_and(|value| value.dtype().is_float())
        };
        names.iter().find(is_float).map(|name| self.name(name))
    }

    /// A name of the program.
    fn name(&self, name: &str) -> String {
        let is_reserved =
            RESERVED.contains(&name) || self.functions.values().any(|function| *function == name);
        let is_function = matches!(name, "forward" | "backward" | "math" | "jax" | "layer" | "Layer");
        if is_reserved || is_function { format!("{name}_") } else { name.to_owned() }
    }

    /// The name of the cotangent of a value: `dZ`.
    fn cotangent(&self, of: &str) -> String {
        let mut name = format!("d{of}");
        while self.taken.contains(&name.as_str()) {
            name.push('_');
        }
        self.name(&name)
    }

    /// The lines of a statement.
    fn statement(
        &mut self,
        statement: &Statement,
        indent: &str,
        lines: &mut Vec<String>,
    ) -> Result<(), NotExported> {
        match statement {
            Statement::Define(left, right) => {
                let left: Vec<String> = left.iter().map(|left| self.expr(left)).collect::<Result<_, _>>()?;
                lines.push(format!("{indent}{} = {}", left.join(", "), self.expr(right)?));
            }
            Statement::Repeat(of) => self.repeated(of, indent, lines)?,
        }
        Ok(())
    }

    /// A `for` over the steps, with a list for what each leaves.
    fn repeated(&mut self, of: &Loop, indent: &str, lines: &mut Vec<String>) -> Result<(), NotExported> {
        let together = |pairs: Vec<(String, String)>| {
            let (left, right): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
            (!left.is_empty()).then(|| format!("{} = {}", left.join(", "), right.join(", ")))
        };
        let mut starts = Vec::new();
        for (name, start) in &of.carries {
            let is_number = self.is_torch() && self.is_number(start);
            let mut start = self.tree(start)?;
            if is_number {
                self.support.insert("_tensor".to_owned());
                let like = make::name(start.span, &self.like);
                start = make::call(start.span, "_tensor", vec![start, like], Vec::new());
            }
            starts.push((self.name(name), self.shown(&start)));
        }
        // Of a loop without steps there are no rows: no rows of the shape that they would have.
        let mut all: Vec<(String, String)> = Vec::new();
        for (carry, kept) in &of.starts {
            all.push((self.name(kept), self.name(carry)));
        }
        for row in &of.rows {
            let like = match &row.start {
                Some(start) => self.expr(start)?,
                None => self.name(&row.name),
            };
            all.push((self.name(&row.all), like));
        }
        if !all.is_empty() {
            self.support.insert("_stack".to_owned());
        }
        lines.extend(together(starts).map(|line| format!("{indent}{line}")));
        lines.extend(all.iter().map(|(all, _)| format!("{indent}{all} = []")));
        let steps = self.expr(&of.steps)?;
        let range =
            if of.backwards { format!("reversed(range({steps}))") } else { format!("range({steps})") };
        lines.push(format!("{indent}for {} in {range}:", self.name(&of.index)));
        let inner = format!("{indent}    ");
        for (carry, all) in &of.starts {
            lines.push(format!("{inner}{}.append({})", self.name(all), self.name(carry)));
        }
        for statement in &of.body {
            self.statement(statement, &inner, lines)?;
        }
        let mut next = Vec::new();
        for (name, value) in &of.next {
            let pair = (self.name(name), self.expr(value)?);
            next.extend((pair.0 != pair.1).then_some(pair));
        }
        lines.extend(together(next).map(|line| format!("{inner}{line}")));
        for row in &of.rows {
            lines.push(format!("{inner}{}.append({})", self.name(&row.all), self.name(&row.name)));
        }
        let order = if of.backwards { "[::-1]" } else { "" };
        lines.extend(all.iter().map(|(all, like)| format!("{indent}{all} = _stack({all}{order}, {like})")));
        Ok(())
    }

    fn expr(&mut self, expr: &Expr) -> Result<String, NotExported> {
        let tree = self.tree(expr)?;
        Ok(self.shown(&tree))
    }

    /// A tree of Python as text.
    fn shown(&self, tree: &Expr) -> String {
        let text = print(tree).replace('^', "**");
        // Of the words of the language three are written otherwise.
        let word = |word: &str| match word {
            "true" => "True".to_owned(),
            "false" => "False".to_owned(),
            "none" => "None".to_owned(),
            word => word.to_owned(),
        };
        let mut shown = String::new();
        let mut current = String::new();
        for character in text.chars() {
            if character.is_alphanumeric() || character == '_' {
                current.push(character);
                continue;
            }
            shown += &word(&current);
            current.clear();
            shown.push(character);
        }
        let text = shown + &word(&current);
        // Several axes are a tuple.
        let mut parts = text.split("axis=[");
        let mut shown = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let (axes, rest) = part.split_once(']').unwrap_or((part, ""));
            shown += &format!("axis=({axes}){rest}");
        }
        shown
    }

    fn tree(&mut self, expr: &Expr) -> Result<Expr, NotExported> {
        match &expr.kind {
            ExprKind::Name(name) => Ok(make::name(expr.span, &self.name(name))),
            ExprKind::Number { value, .. } if !value.is_finite() => {
                Ok(make::name(expr.span, &format!("float(\"{value}\")")))
            }
            ExprKind::ClaimRef { wrt, .. } => {
                let of = wrt.first().map_or("", |name| name.text.as_str());
                Ok(make::name(expr.span, &self.cotangent(of)))
            }
            // What is true or false is computed with as ones and zeros.
            _ if is_comparison(expr) && self.is_torch() => {
                let compared = self.condition(expr)?;
                Ok(self.floats(compared))
            }
            _ if is_comparison(expr) => {
                let one = make::name(expr.span, "1.0");
                Ok(make::binary(expr.span, BinaryOp::Mul, one, self.condition(expr)?))
            }
            ExprKind::Binary { operator, left, right } if self.is_torch() => {
                let meets_floats = self.is_of(left, true) || self.is_of(right, true);
                let is_left = self.is_of(expr, false) || (meets_floats && operator.kind != BinaryOp::MatMul);
                let operand = |writer: &mut Writer<'_>, part: &Expr| {
                    let written = writer.tree(part)?;
                    let stays = is_left || !writer.is_of(part, false);
                    Ok(if stays { written } else { writer.floats(written) })
                };
                let (a, b) = (operand(self, left)?, operand(self, right)?);
                Ok(make::binary(expr.span, operator.kind, a, b))
            }
            ExprKind::Call { function, args, kwargs } => self.call(expr, function, args, kwargs),
            ExprKind::Index { items, .. } if self.is_torch() && items.iter().any(goes_back) => {
                let mut written = self.with_written_parts(expr)?;
                if let ExprKind::Index { base, items } = &mut written.kind {
                    let axes = turned(items).into_iter().map(|axis| make::number(expr.span, axis)).collect();
                    let axes = Expr::new(expr.span, ExprKind::List(axes));
                    **base = make::call(expr.span, "torch.flip", vec![(**base).clone(), axes], Vec::new());
                }
                Ok(written)
            }
            _ => self.with_written_parts(expr),
        }
    }

    /// What is true or false, as that.
    fn condition(&mut self, expr: &Expr) -> Result<Expr, NotExported> {
        let ExprKind::Call { function, .. } = &expr.kind else { return self.with_written_parts(expr) };
        let target = self.functions.get(function.text.as_str()).copied();
        let target = target.ok_or_else(|| NotExported::Missing(format!("`{function}`")))?;
        let target = match self.framework {
            Framework::Jax => target.replace("np.", "jnp."),
            _ => target.to_owned(),
        };
        let mut copy = expr.clone();
        for child in copy.children_mut() {
            *child = self.condition(child)?;
        }
        if let ExprKind::Call { function, .. } = &mut copy.kind {
            function.text = target;
        }
        Ok(copy)
    }

    fn with_written_parts(&mut self, expr: &Expr) -> Result<Expr, NotExported> {
        let mut copy = expr.clone();
        for child in copy.children_mut() {
            *child = self.tree(child)?;
        }
        Ok(copy)
    }

    fn is_torch(&self) -> bool {
        self.framework == Framework::Torch
    }

    /// Is it an array of floats, or else of integers, that the code computes from what it is given?
    fn is_of(&self, expr: &Expr, floats: bool) -> bool {
        let value = self.program.value(expr);
        value.is_ok_and(|value| value.as_number().is_none() && value.dtype().is_float() == floats)
    }

    /// An array as floats, where PyTorch would make them of single precision.
    fn floats(&mut self, array: Expr) -> Expr {
        self.support.insert("_float".to_owned());
        let like = make::name(array.span, &self.like);
        make::call(array.span, "_float", vec![array], vec![("like", like)])
    }

    fn call(
        &mut self,
        expr: &Expr,
        function: &Name,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Result<Expr, NotExported> {
        let Some(&target) = self.functions.get(function.text.as_str()) else {
            return Err(NotExported::Missing(format!("`{function}`")));
        };
        let is_torch = self.is_torch();
        if is_torch
            && target.starts_with("torch.")
            && kwargs.is_empty()
            && find(&function.text).is_some()
            && let [number] = args
            && self.is_number(number)
        {
            let number = print(&self.tree(number)?);
            let text = format!("{target}(torch.tensor({number}, dtype=torch.float64)).item()");
            return Ok(make::name(expr.span, &text));
        }
        if target.starts_with('_') {
            self.support.insert(target.to_owned());
        }
        let mut copy = expr.clone();
        for child in copy.children_mut() {
            *child = match &child.kind {
                // `vec(A, col)`: a word, and no name.
                ExprKind::Name(word) if target == "_vec" && (word == "row" || word == "col") => {
                    Expr::new(child.span, ExprKind::Text(word.clone()))
                }
                _ if ["np.where", "_where"].contains(&target) && is_comparison(child) => {
                    self.condition(child)?
                }
                _ => self.tree(child)?,
            };
        }
        if let ExprKind::Call { function, kwargs: written, .. } = &mut copy.kind {
            function.text = match self.framework {
                Framework::Jax => target.replace("np.", "jnp."),
                _ => target.to_owned(),
            };
            // All axes have to be named, where they are kept.
            let has = |keyword: &str| kwargs.iter().any(|(name, _)| name.text == keyword);
            if is_torch && has("keepdims") && !has("axis") && args.len() == 1 {
                let rank = self.program.value(&args[0])?.ndim();
                let axes = (0..rank).map(|axis| make::integer(expr.span, axis)).collect();
                let axes = Expr::new(expr.span, ExprKind::List(axes));
                written.insert(0, (Name::new("axis", expr.span), axes));
            }
            let is_like = |line: &str| line.starts_with(&format!("def {target}(")) && line.contains("like");
            if is_torch && !self.is_of(expr, false) && include_str!("support_torch.py").lines().any(is_like) {
                written.push((Name::new("like", expr.span), make::name(expr.span, &self.like)));
            }
        }
        Ok(copy)
    }

    /// Is it a number that is made of numbers and sizes, and of no value that the code is given?
    fn is_number(&self, expr: &Expr) -> bool {
        let mut is_given = false;
        expr.walk(&mut |part| {
            is_given |= matches!(&part.kind, ExprKind::Name(name) if self.taken.contains(&name.as_str()));
        });
        !is_given && self.program.value(expr).is_ok_and(|value| value.as_number().is_some())
    }

    /// Imports, and the functions that the code uses.
    fn head(&self) -> String {
        let source = match self.framework {
            Framework::Torch => include_str!("support_torch.py"),
            _ => include_str!("support_numpy.py"),
        };
        let blocks: Vec<&str> = source.split("\n\n").collect();
        let called = |block: &str| {
            block.strip_prefix("def ").and_then(|rest| rest.split('(').next()).map(str::to_owned)
        };
        let mut wanted = self.support.clone();
        // One of them may use another.
        loop {
            let more: Vec<String> = blocks
                .iter()
                .filter(|block| called(block).is_some_and(|name| wanted.contains(&name)))
                .flat_map(|block| {
                    blocks
                        .iter()
                        .filter_map(|other| called(other))
                        .filter(move |name| block.contains(&format!("{name}(")))
                })
                .filter(|name| !wanted.contains(name))
                .collect();
            if more.is_empty() {
                break;
            }
            wanted.extend(more);
        }
        let used: Vec<&str> = blocks
            .iter()
            .copied()
            .filter(|block| called(block).is_some_and(|name| wanted.contains(&name)))
            .map(str::trim_end)
            .collect();
        let math = if used.iter().any(|block| block.contains("math.")) { "import math\n\n" } else { "" };
        let import = match self.framework {
            Framework::Numpy => "import numpy as np",
            Framework::Torch => "import torch",
            Framework::Jax => "import jax\nimport jax.numpy as jnp",
        };
        let mut text = format!("{math}{import}\n");
        for block in used {
            let block = match self.framework {
                Framework::Jax => block
                    .replace("np.", "jnp.")
                    .replace(
                        "def _stop_gradient(x):\n    return x",
                        "def _stop_gradient(x):\n    return jax.lax.stop_gradient(x)",
                    )
                    .replace("    jnp.add.at(y, index, x)\n    return y", "    return y.at[index].add(x)")
                    .replace("jnp.vectorize(math.erf, otypes=[float])(x)", "jax.scipy.special.erf(x)")
                    .replace("jnp.vectorize(math.erfc, otypes=[float])(x)", "jax.scipy.special.erfc(x)")
                    .replace("jnp.vectorize(math.lgamma, otypes=[float])(x)", "jax.scipy.special.gammaln(x)"),
                _ => block.to_owned(),
            };
            text += &format!("\n\n{block}\n");
        }
        text
    }
}
