//! The two functions as an operation of candle, for `apply_op1` to `apply_op3`.
//!
//! candle keeps no values for an operation's backward pass but its arguments and its result, so the forward pass is run again there. It
//! runs on the CPU.

use super::super::program::NotExported;
use super::Functions;
use super::expression::Writer;
use super::piece::{Held, Kind, Level, Piece, dimension};

/// The operation.
pub(super) fn operation(functions: &Functions, writer: &mut Writer<'_>) -> Result<String, NotExported> {
    let count = functions.inputs.len();
    if !(1..=3).contains(&count) {
        return Err(NotExported::TooManyInputs(count));
    }
    let read = |function: &str, from: &str, kind: Kind| match kind {
        Kind::Array { rank, .. } => format!("{function}::<{}>({from})?", dimension(rank)),
        _ => format!("{function}::<Ix0>({from})?.into_scalar()"),
    };
    let is_whole = |kind: Kind| matches!(kind, Kind::Whole | Kind::Array { whole: true, .. });
    let mut lines = |of: &str, from: &dyn Fn(usize) -> String| -> String {
        let mut lines = String::new();
        for (place, (name, kind)) in functions.inputs.iter().enumerate() {
            let function = format!("{}of_{of}", if is_whole(*kind) { "whole_" } else { "" });
            lines += &format!("        let {name} = {};\n", read(&function, &from(place + 1), *kind));
            writer.used.insert(function);
        }
        lines
    };
    let of_storage = lines("storage", &|k| format!("storage_{k}, layout_{k}"));
    let of_tensor = lines("tensor", &|k| format!("tensor_{k}"));
    let passed = |(name, kind): &(String, Kind)| match Piece::new(name, Level::Postfix, *kind, Held::Named) {
        array if array.is_array() => format!("{}.view()", array.text),
        number => number.text,
    };
    let passed: Vec<String> = functions.inputs.iter().map(passed).collect();
    let passed = passed.join(", ");
    let array = |text: &str, kind: Kind| match kind {
        Kind::Array { .. } => text.to_owned(),
        _ => format!("arr0({text})"),
    };
    let mut gradients = Vec::new();
    for (place, (name, _)) in functions.inputs.iter().enumerate() {
        gradients.push(match functions.gradients.iter().find(|(of, ..)| of == name) {
            Some((_, kind, _)) => {
                format!(
                    "Some(to_tensor({}, tensor_{})?)",
                    array(&format!("gradients.{name}"), *kind),
                    place + 1
                )
            }
            None => "None".to_owned(),
        });
    }
    writer.used.extend(["to_storage", "to_tensor", "of_tensor"].map(str::to_owned));
    let several = |parts: Vec<String>| match parts.as_slice() {
        [one] => one.clone(),
        parts => format!("({})", parts.join(", ")),
    };
    let each = |part: &dyn Fn(usize) -> String| (1..=count).map(part).collect::<Vec<String>>();
    let (shown, _, kind) = &functions.output;
    let grads = match kind {
        Kind::Array { .. } => format!("{}.view()", read("of_tensor", "grads", *kind)),
        _ => read("of_tensor", "grads", *kind),
    };
    let operation = format!(
        include_str!("candle.txt"),
        shown = shown,
        count = count,
        stored =
            each(&|k| format!("storage_{k}: &candle_core::CpuStorage, layout_{k}: &candle_core::Layout"))
                .join(", "),
        tensors = each(&|k| format!("tensor_{k}: &candle_core::Tensor")).join(", "),
        options = several(each(&|_| "Option<candle_core::Tensor>".to_owned())),
        of_storage = of_storage,
        of_tensor = of_tensor,
        passed = passed,
        output = array("output", *kind),
        grads = grads,
        gradients = several(gradients),
    );
    Ok(operation)
}
