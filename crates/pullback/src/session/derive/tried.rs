//! Whether what is written is true of a program: its code by its values, its lines one by one.

use std::collections::HashSet;

use pullback_array::random::Generator;
use pullback_autograd::pullback;
use pullback_derive::{Stage, Untrue, untrue};
use pullback_lang::parse_expr;
use pullback_lang::program::{Program, evaluate};
use pullback_network::Value as _;
use pullback_ops::Val;
use pullback_report::Problem;

use super::Subject;

/// Are lines of a program tried on its numbers?
pub(super) fn is_small(program: &Program) -> bool {
    program.values.iter().all(|value| value.val.shape().iter().product::<usize>() <= MOST_TRIED)
}

/// What is told of lines that are not true of the program on its own data, or on others.
pub(super) fn untrue_lines(stages: &[Stage], subject: &Subject<'_>, output: &str) -> Vec<Problem> {
    let mut told = Vec::new();
    let mut seen: HashSet<(usize, Option<usize>)> = HashSet::new();
    let small = |program: &&Program| is_small(program);
    for program in std::iter::once(subject.exact).chain(&subject.others).filter(small) {
        for Untrue { stage, line, untried } in untrue(stages, program, output) {
            // How places follow one another depends on sizes, whose names an equation between indices does not have.
            let of_sizes = line.is_some_and(|line| stages[stage].lines[line].has_places());
            let resized = has_other_sizes(program, subject.exact);
            if untried || (of_sizes && resized) || !seen.insert((stage, line)) {
                continue;
            }
            let which = line.map_or(String::new(), |line| format!(", line {}", line + 1));
            let step = stages[stage].name();
            told.push(match resized {
                // What a slice leaves, or a mean with a correction, has no name among the sizes of the program.
                true => {
                    Problem::new(format!("the step {step}{which} has numbers that are those of these sizes"))
                        .with_hint("at other sizes it has other ones; ask again with those")
                }
                false => Problem::new(format!(
                    "the step {step}{which} is not true of other data: a fault of Pullback"
                )),
            });
        }
    }
    told
}

/// Are values of other shapes there?
fn has_other_sizes(program: &Program, exact: &Program) -> bool {
    let shapes = |program: &Program| program.values.iter().map(|value| value.val.shape()).collect::<Vec<_>>();
    shapes(program) != shapes(exact)
}

/// Is what a derivation writes as a claim an expression of the language, with the gradient as its value? Not each product of
/// matrices is one: a payload may have no name.
pub(super) fn is_the_gradient(code: &str, loss: &str, program: &Program, output: &Val, wrt: &Val) -> bool {
    const COTANGENT: &str = "cotangent_of_the_output";
    let symbol = output.name().map_or("", |name| name.as_str());
    let code = code.replace(&format!("d{loss}/d{symbol}"), COTANGENT);
    let value = || -> Option<(Val, Val)> {
        let cotangent = Val::new(Generator::new(1).randn(&output.shape(), output.dtype()).ok()?);
        let mut scope = program.scope().clone();
        scope.define(COTANGENT, cotangent.clone());
        let claimed = evaluate(&parse_expr(&code).ok()?.expr, &scope).ok()?;
        let seed = if output.ndim() == 0 { output.one() } else { cotangent };
        let gradient = pullback(&[(output, &seed)], &[wrt], &[]).ok()?.remove(0)?;
        Some((claimed, gradient))
    };
    let Some((claimed, gradient)) = value() else { return false };
    let (Ok(claimed), Ok(gradient)) = (claimed.array(), gradient.array()) else { return false };
    // Loose, since it asks for the right formula and not for the last digits.
    claimed.is_near(gradient, 1e-3)
}

/// Lines of programs with larger values are not tried on numbers.
const MOST_TRIED: usize = 1 << 12;
