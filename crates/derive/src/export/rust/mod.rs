//! A program and its backward pass as a module of Rust, for ndarray.
//!
//! | module | what it knows |
//! |---|---|
//! | `piece` | how parts of expressions are put together |
//! | `expression` | how an expression of the language is written |
//! | `call` | how a function is called |
//! | `candle` | an operation of candle that calls the two functions |
//!
//! Rust wants to know of every part how many axes it has, and whether its numbers are whole. That is not told by rules of shapes here:
//! the language evaluates the part. What ndarray has no function for stands in `support.rs`, of which a module gets what it uses.
//!
//! What is saved is a struct `Saved`, which borrows the inputs and owns what was computed, and the gradients are one too.

mod call;
mod candle;
mod expression;
mod piece;

use std::fmt::Write;

use pullback_lang::{Expr, ExprKind};

use super::program::{Exported, NotExported, Size};
use super::statement::Statement;
use expression::Writer;
use piece::{Held, Kind, owned_type, viewed_type};

/// What is in scope of a module by the names of ndarray, where it is used. No variable may be called so.
const IMPORTED: &str = "Array Array1 Array2 Array3 Array4 Array5 Array6 ArrayD ArrayRef ArrayRef2 ArrayView1 \
    ArrayView2 ArrayView3 ArrayView4 ArrayView5 ArrayView6 ArrayViewD Axis DimMax Dimension Ix0 \
    Ix1 Ix2 Ix3 Ix4 Ix5 Ix6 IxDyn NewAxis RemoveAxis Zip arr0 arr1 aview0 concatenate stack";

/// What stands beside the functions, of which a module gets what it uses.
const SUPPORT: &str = include_str!("../support.rs");

pub(super) fn module(program: &Exported, candle: bool) -> Result<String, NotExported> {
    let mut writer = Writer::new(program);
    let functions = Functions::new(program, &mut writer)?;
    let mut body = functions.text();
    if candle {
        body += &candle::operation(&functions, &mut writer)?;
    }
    let support = writer.support();
    let code = format!("{body}{support}");
    let is_read = |name: &&str| {
        let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.any(|line| mentions(line, name))
    };
    let mut imported: Vec<&str> = IMPORTED.split(' ').filter(is_read).collect();
    // A macro, which no variable hides.
    imported.extend(code.contains("(s![").then_some("s"));
    let crates = [("ndarray", "0.17"), ("libm", "0.2"), ("candle_core", "0.11")];
    let is_needed = |name: &str| name == "ndarray" || code.contains(&format!("{name}::"));
    let needed: Vec<String> = crates
        .iter()
        .filter(|(name, _)| is_needed(name))
        .map(|(name, version)| format!("{} = \"{version}\"", name.replace('_', "-")))
        .collect();
    let mut text = format!("// Needs {}.\n", needed.join(", "));
    if !imported.is_empty() {
        let _ = writeln!(text, "use ndarray::{{{}}};", imported.join(", "));
    }
    text += &code;
    Ok(if program.dtype.size_of() == 4 { text.replace("f64", "f32").replace("F64", "F32") } else { text })
}

/// Does a text contain a name?
fn mentions(text: &str, name: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
}

/// The two functions, line by line.
struct Functions {
    /// The name of the output in the program and in the code, and what it is.
    output: (String, String, Kind),
    /// The names and kinds of the inputs.
    inputs: Vec<(String, Kind)>,
    /// Names, types and values of what is saved; whether it is an input.
    saved: Vec<(String, Kind, bool)>,
    /// The names of the gradients, and what they are.
    gradients: Vec<(String, Kind, String)>,
    forward: Vec<String>,
    backward: Vec<String>,
    bytes: usize,
}

impl Functions {
    fn new(program: &Exported, writer: &mut Writer<'_>) -> Result<Functions, NotExported> {
        fn defined(statement: &Statement) -> Result<(&[Expr], &Expr), NotExported> {
            match statement {
                Statement::Define(left, right) => Ok((left, right)),
                Statement::Repeat(_) => Err(NotExported::Missing("a loop".to_owned())),
            }
        }
        let kind = |writer: &Writer<'_>, name: &str| writer.kind_of_name(name);
        let mut inputs = Vec::new();
        for name in &program.inputs {
            inputs.push((writer.name(name), kind(writer, name)?));
            writer.bind(name, kind(writer, name)?, Held::View);
        }
        let mut forward = Vec::new();
        let mut saved = Vec::new();
        let computed: Vec<&str> = program.computed().collect();
        for name in &program.saved {
            saved.push((writer.name(name), kind(writer, name)?, !computed.contains(&name.as_str())));
        }
        let is_new = |size: &&Size| !program.forward_sizes.contains(size);
        for size in program.forward_sizes.iter().chain(program.sizes.iter().filter(is_new)) {
            let name = writer.name(&size.name);
            forward.push(match &size.of_input {
                Some((input, axis)) => format!("let {name} = {}.shape()[{axis}];", writer.name(input)),
                None => format!("let {name} = {}_usize;", size.size),
            });
            writer.bind(&size.name, Kind::Size, Held::Result);
        }
        for statement in &program.forward {
            let (left, expr) = defined(statement)?;
            let [Expr { kind: ExprKind::Name(name), .. }] = left else {
                return Err(NotExported::Missing(pullback_lang::print(expr)));
            };
            let value = writer.piece(expr)?;
            let value = if writer.kind_of_name(name)? == Kind::Number { value.float() } else { value };
            forward.push(format!("let {} = {};", writer.name(name), value.owned()));
            writer.bind(name, writer.kind_of_name(name)?, Held::Named);
        }
        for size in &program.sizes {
            saved.push((writer.name(&size.name), Kind::Size, false));
        }
        let output = (
            program.output.0.clone(),
            writer.name(&program.output.0),
            writer.kind_of_name(&program.output.0)?,
        );

        let mut backward = Vec::new();
        for name in &program.saved {
            writer.bind(name, kind(writer, name)?, Held::Borrowed);
        }
        for (name, kind, _) in &saved {
            let reference = if matches!(kind, Kind::Array { .. }) { "&" } else { "" };
            backward.push(format!("let {name} = {reference}saved.{name};"));
        }
        if !program.output.1 {
            backward.push(format!("let {} = &grads;", writer.cotangent(&program.output.0)));
            writer.bind_cotangent(&program.output.0, output.2, Held::Borrowed);
        }
        for statement in &program.backward {
            let (left, code) = defined(statement)?;
            let left = &left[0];
            let value = writer.piece(code)?.float();
            let name = writer.left(left);
            backward.push(format!("let {name} = {};", value.owned()));
            writer.bind_left(left)?;
        }
        let mut gradients = Vec::new();
        for name in &program.wrt {
            let cotangent = writer.cotangent_piece(name)?;
            // The steps are those of a loss whose own cotangent is one.
            let value = match (program.output.1, cotangent.held) {
                (true, _) => format!("{} * grads", cotangent.text),
                (false, Held::Borrowed) => cotangent.owned(),
                (false, _) => cotangent.text.clone(),
            };
            gradients.push((writer.name(name), cotangent.kind, value));
        }
        Ok(Functions { output, inputs, saved, gradients, forward, backward, bytes: program.bytes })
    }

    /// Does the struct of what is saved borrow anything?
    fn borrows(&self) -> bool {
        self.saved.iter().any(|(_, kind, is_input)| *is_input && matches!(kind, Kind::Array { .. }))
    }

    fn text(&self) -> String {
        let lifetime = if self.borrows() { "<'a>" } else { "" };
        let mut text = String::new();
        let _ = writeln!(text, "\n/// What `backward` needs of `forward`: {} bytes.", self.bytes);
        let fields = self.saved.iter().map(|(name, kind, is_input)| match is_input {
            true => (name.clone(), viewed_type(*kind, "'a, ")),
            false => (name.clone(), owned_type(*kind)),
        });
        text += &structure(&format!("Saved{lifetime}"), fields.collect());
        text += "\n/// The gradients.\n";
        let fields = self.gradients.iter().map(|(name, kind, _)| (name.clone(), owned_type(*kind)));
        text += &structure("Gradients", fields.collect());

        let (shown, output, kind) = &self.output;
        let _ = writeln!(text, "\n/// {shown}, and what `backward` needs.");
        let mut lines = self.forward.clone();
        let is_saved = |name: &str| self.saved.iter().any(|(saved, ..)| saved == name);
        let fields: Vec<String> = self
            .saved
            .iter()
            .map(|(name, kind, _)| match name == output && matches!(kind, Kind::Array { .. }) {
                true => format!("{name}: {name}.clone()"),
                false => name.clone(),
            })
            .collect();
        let saved =
            if fields.is_empty() { "Saved".to_owned() } else { listed("Saved { ", &fields, " }", "    ") };
        if is_saved(output) {
            lines.push(format!("let saved = {saved};"));
            lines.push(format!("({output}, saved)"));
        } else {
            lines.push(format!("({output}, {saved})"));
        }
        let lines = read(lines);
        let parameters: Vec<String> = self
            .inputs
            .iter()
            .map(|(name, kind)| {
                let lifetime = if is_saved(name) { "'a, " } else { "" };
                let is_used = lines.iter().any(|line| mentions(line, name));
                format!("{}{name}: {}", if is_used { "" } else { "_" }, viewed_type(*kind, lifetime))
            })
            .collect();
        let returned = format!("({}, Saved{lifetime})", owned_type(*kind));
        text += &function(&format!("forward{lifetime}"), &parameters, &returned, &lines);

        let names: Vec<&str> = self.gradients.iter().map(|(name, ..)| name.as_str()).collect();
        let _ = writeln!(text, "\n/// The gradients by {}; `grads` is that of {shown}.", names.join(", "));
        let mut lines = self.backward.clone();
        let fields: Vec<String> = self
            .gradients
            .iter()
            .map(|(name, _, value)| match name == value {
                true => name.clone(),
                false => format!("{name}: {value}"),
            })
            .collect();
        lines.push(listed("Gradients { ", &fields, " }", "    "));
        let lines = read(lines);
        // What is not read has a name that says so.
        let unused = |name: &str| if lines.iter().any(|line| mentions(line, name)) { "" } else { "_" };
        let parameters = [
            format!("{}saved: &Saved{}", unused("saved"), if self.borrows() { "<'_>" } else { "" }),
            format!("{}grads: {}", unused("grads"), viewed_type(*kind, "")),
        ];
        text += &function("backward", &parameters, "Gradients", &lines);
        text
    }
}

const ALLOWED: &str = "#[allow(non_snake_case)]";

fn structure(name: &str, fields: Vec<(String, String)>) -> String {
    let mut text = format!("{ALLOWED}\n#[derive(Clone, Debug)]\npub struct {name}");
    if fields.is_empty() {
        return text + ";\n";
    }
    text += " {\n";
    for (name, kind) in fields {
        let _ = writeln!(text, "    pub {name}: {kind},");
    }
    text + "}\n"
}

fn function(name: &str, parameters: &[String], returned: &str, lines: &[String]) -> String {
    let head = listed(&format!("pub fn {name}("), parameters, &format!(") -> {returned} {{"), "");
    let mut text = format!("{ALLOWED}\n{head}\n");
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text + "}\n"
}

/// Parts on one line, or on one each where that would be too long.
fn listed(before: &str, parts: &[String], after: &str, indent: &str) -> String {
    const WIDTH: usize = 100;
    let line = format!("{before}{}{after}", parts.join(", "));
    if indent.len() + line.chars().count() <= WIDTH {
        return line;
    }
    let parts: String = parts.iter().map(|part| format!("{indent}    {part},\n")).collect();
    format!("{}\n{parts}{indent}{}", before.trim_end(), after.trim_start())
}

/// Statements without the names that nothing reads.
fn read(lines: Vec<String>) -> Vec<String> {
    let name =
        |line: &str| line.strip_prefix("let ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let is_read = |at: usize, name: &str| lines[at + 1..].iter().any(|line| mentions(line, name));
    let kept = (0..lines.len()).filter(|&at| name(&lines[at]).is_none_or(|name| is_read(at, &name)));
    kept.map(|at| lines[at].clone()).collect()
}
