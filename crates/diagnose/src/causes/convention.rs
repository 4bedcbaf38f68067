//! The value that the conventions of operations at kinks come to, where the function has a derivative and it is another one:
//! `step(x) + step(-x)` for the slope of `relu(x) - relu(-x)` at 0.

use pullback_check::{Note, Says};

use super::Cause;
use crate::Diagnosis;
use crate::inquiry::Inquiry;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { whole, ..Cause::named("convention") };

fn whole(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let judgement = inquiry.judged[number].as_ref()?;
    if judgement.facts.worst != Says::Convention {
        return None;
    }
    let ops = judgement.notes.iter().find_map(|note| match note {
        Note::Composed { ops, .. } => Some(ops.clone()),
        _ => None,
    })?;
    let mut words = Words::new().say("This is what the conventions of ");
    for (position, op) in ops.iter().enumerate() {
        words = if position > 0 { words.say(" and ") } else { words }.source(*op);
    }
    let seen = " at their kinks come to, operation by operation. The pieces fit together there: the slopes on both sides are \
                the same, and that is the derivative.";
    let fix = inquiry.derived(number, None);
    let span = inquiry.exact.claims[number].expr_span;
    let label = Words::new().say("a convention, and not the derivative");
    Some(Diagnosis { cause: CAUSE.word, explanation: words.say(seen), span, label, partner: None, fix })
}
