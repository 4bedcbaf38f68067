//! A derivation as text: each step with its lines, formulas on the left and reasons on the right, no line wider than it may be.

use pullback_derive::Stage;
use pullback_lang::print;

use crate::derive::{DeriveReport, Steps};
use crate::paint::Paint;
use crate::visible::visible;

/// A formula up to this wide has its reason beside it, in a column with the others.
const COLUMN: usize = 56;

/// How a derivation is shown as text.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// How much of it.
    pub steps: Steps,
    /// How many characters a line may have.
    pub width: usize,
    /// How emphasis is written.
    pub paint: Paint,
}

/// The assumptions, the backward pass, and the gradients in closed form. Warnings are not in it.
pub fn derive_text(report: &DeriveReport, shown: Shown) -> String {
    let paint = shown.paint;
    let mut text = String::new();
    if !report.assumptions.is_empty() {
        text += &paint.aside(&format!("# assumed: {}\n", visible(&report.assumptions.join(", "))));
    }
    if let Some(chosen) = &report.chosen {
        text += &paint.aside(&format!("# {}\n", visible(chosen)));
    }
    if shown.steps == Steps::Full {
        text +=
            &report.legend().into_iter().map(|line| paint.aside(&format!("# {line}\n"))).collect::<String>();
    }
    if !text.is_empty() {
        text += "\n";
    }
    for (name, array) in report.values.iter().filter(|(name, _)| !name.contains("/d")) {
        text += &numbers(name, array);
    }
    let mut blocks = Vec::new();
    for stage in &report.stages {
        let mut block = stage_text(stage, report, shown);
        if let Some((name, array)) = report.values.iter().find(|(name, _)| *name == stage.name()) {
            block += &numbers(name, array);
        }
        blocks.push(block);
    }
    let separator = if shown.steps == Steps::Full { "\n" } else { "" };
    text += &blocks.join(separator);
    let closed: Vec<String> = report.readable().map(|stage| stage_text(stage, report, shown)).collect();
    if !closed.is_empty() {
        let title = paint.aside("# with all of it inserted, and simplified");
        text += &format!("\n{title}\n{}", closed.join(separator));
    }
    let notes: Vec<String> =
        report.notes().into_iter().map(|(name, says)| paint.aside(&format!("# {name}: {says}\n"))).collect();
    if shown.steps == Steps::Full && !notes.is_empty() {
        text += &format!("\n{}", notes.concat());
    }
    text
}

fn numbers(name: &str, array: &pullback_array::Array) -> String {
    let prefix = format!("{name} = ");
    format!("{prefix}{}\n", array.format(&prefix))
}

fn stage_text(stage: &Stage, report: &DeriveReport, shown: Shown) -> String {
    let paint = shown.paint;
    let ranks = |name: &str| report.rank(name);
    let head = match stage.said() {
        Some(code) => format!("{} = {}", stage.name(), print(code)),
        None => stage.name(),
    };
    let aside = format!("{:?}  {}", stage.dims, stage.rule());
    let aside = aside.trim_end();
    let mut text = String::new();
    let head = visible(&head);
    let lines = broken(&head, shown.width, 4);
    let beside = head.chars().count() + aside.chars().count() + 2 <= shown.width;
    for (place, line) in lines.iter().enumerate() {
        text += &paint.good(line);
        if place + 1 == lines.len() && beside {
            text += &format!("  {}", paint.aside(aside));
        }
        text += "\n";
    }
    if shown.steps == Steps::Brief {
        return text;
    }
    if !beside {
        text += &format!("    {}\n", paint.aside(aside));
    }
    let formulas: Vec<String> =
        stage.lines.iter().map(|line| visible(&line.text(&ranks)).into_owned()).collect();
    let widths = formulas.iter().map(|formula| formula.chars().count());
    let column = widths.filter(|&width| width <= COLUMN).max().unwrap_or(0);
    for (line, formula) in stage.lines.iter().zip(&formulas) {
        let wide = formula.chars().count().max(column) + line.why.chars().count() + 4;
        if wide <= shown.width {
            text += &format!("  {formula:column$}  {}\n", paint.aside(&line.why));
            continue;
        }
        for part in broken(formula, shown.width.saturating_sub(2), 4) {
            text += &format!("  {part}\n");
        }
        text += &format!("      {}\n", paint.aside(&line.why));
    }
    text
}

/// A formula on as many lines as it takes, broken before operators: those that bind loosest, as far as there are any.
pub(crate) fn broken(text: &str, width: usize, indent: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    let mut before = 0;
    while rest.len() + before > width && width > indent + 8 {
        let room = width - before;
        let Some(at) = place_to_break(&rest, room) else { break };
        let line: String = rest[..at].iter().collect();
        lines.push(format!("{}{}", " ".repeat(before), line.trim_end()));
        rest.drain(..at);
        while rest.first() == Some(&' ') {
            rest.remove(0);
        }
        before = indent;
    }
    lines.push(format!("{}{}", " ".repeat(before), rest.iter().collect::<String>()));
    lines
}

/// The last place within some room where a line may end, of those at the shallowest brackets.
fn place_to_break(text: &[char], room: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut best: Option<(usize, usize, usize)> = None;
    for (at, &character) in text.iter().enumerate().take(room) {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if at > 0 => {
                let next: String = text[at + 1..].iter().take(2).collect();
                let looseness = match next.as_str() {
                    "= " => 0,
                    "+ " | "− " | "- " => 1,
                    "⊙ " | "* " | "/ " | "@ " | "⊗ " => 2,
                    _ => 3,
                };
                // A line that is broken early is no better than one that is broken at a tighter place.
                let is_early = usize::from(at < room / 3);
                let key = (is_early, depth * 4 + looseness, usize::MAX - at);
                if best.is_none_or(|best| key < best) {
                    best = Some(key);
                }
            }
            _ => {}
        }
    }
    best.map(|(_, _, at)| usize::MAX - at)
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn long_formulas_are_broken_at_operators() {
        let text = "dL/dX = rstd * (dL/dY * g - mean(dL/dY * g, axis=1) - R * mean(dL/dY * g * R, axis=1))";
        let lines = broken(text, 60, 4);
        assert_eq!(
            lines,
            ["dL/dX = rstd * (dL/dY * g - mean(dL/dY * g, axis=1)", "    - R * mean(dL/dY * g * R, axis=1))"]
        );
        assert_eq!(broken("a + b", 60, 4), ["a + b"]);
        assert_eq!(broken("a_very_long_name_without_any_place_to_break", 20, 4).len(), 1);
    }
}
