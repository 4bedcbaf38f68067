//! Operands in the wrong order: `Ḡ Xᵀ` for `Xᵀ Ḡ`, or a share that is transposed as a whole, where the shapes do not tell.

use pullback_ops::Factor;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule, with_terms};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "swapped-operands", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(used, at)).collect()
}

/// The cotangent, the operand's share and the factor may each be transposed; what is left of these once the plain
/// transposition of the factor is taken away.
fn of_use(used: &Use, at: usize) -> Vec<Slip> {
    let (outputs, inputs) = (used.network.outputs(), used.network.inputs());
    let is_square = |dims: &[pullback_network::Dim]| {
        dims.len() >= 2
            && dims[dims.len() - 1].size() == dims[dims.len() - 2].size()
            && dims[dims.len() - 1].size() > 1
    };
    let is_product = used.network.terms().len() == 1
        && matches!(used.network.terms()[0].factors.as_slice(), [Factor::Dense(_, labels)] if labels.len() >= 2);
    if !is_product {
        return Vec::new();
    }
    let mut slips = Vec::new();
    for (swap_output, swap_input, swap_factor) in [
        (true, false, false),
        (false, true, false),
        (true, true, false),
        (true, false, true),
        (false, true, true),
        (true, true, true),
    ] {
        if (swap_output && !is_square(outputs)) || (swap_input && !is_square(inputs)) {
            continue;
        }
        let split = outputs.len();
        let network = with_terms(&used.network, |_, mut term| {
            let count = term.slots.len();
            if swap_output {
                term.slots.swap(split - 1, split - 2);
            }
            if swap_input {
                term.slots.swap(count - 1, count - 2);
            }
            if let (true, Factor::Dense(_, labels)) = (swap_factor, &mut term.factors[0]) {
                let last = labels.len() - 1;
                labels.swap(last, last - 1);
            }
            Some(term)
        });
        let words = Words::new()
            .say("The operands stand in the wrong order, or are transposed, in the backward pass of ")
            .source(used.written())
            .say(": ")
            .source(rule(used))
            .say(".");
        let key = format!("{at}:swapped {swap_output} {swap_input} {swap_factor}");
        let share = network.and_then(|network| used.share_by(&network));
        slips.extend(share.and_then(|share| Slip::instead(key, used, &share, 36, words)));
    }
    slips
}
