//! An axis of a scalar: as in PyTorch, 0 or −1 is that of a row of one element, and the result is one for a scalar again. Where a call with
//! an axis cannot be made of a scalar as it is, it is made of that row.

use std::collections::HashMap;

use pullback_ops::Arg;

use super::failure::{Outcome, of_op};
use crate::Span;

/// The arguments of a call whose first one is a scalar, with each scalar as a row of one element; nothing where it is none.
pub(super) fn row(locals: &HashMap<String, Arg>, first: &str) -> Option<HashMap<String, Arg>> {
    let is_scalar = matches!(locals.get(first), Some(Arg::Value(x)) if x.ndim() == 0);
    let as_rows = || locals.iter().map(|(name, arg)| Some((name.clone(), as_row(arg)?))).collect();
    is_scalar.then(as_rows).flatten()
}

pub(super) fn as_row(arg: &Arg) -> Option<Arg> {
    match arg {
        Arg::Value(x) if x.ndim() == 0 => x.unsqueeze(0).ok().map(Arg::Value),
        other => Some(other.clone()),
    }
}

/// Results for a row of one element as those for a scalar: without its axis.
pub(super) fn of_row(span: Span, result: Arg) -> Outcome<Arg> {
    Ok(match result {
        Arg::Value(y) if y.dims().first().is_some_and(|dim| dim.size() == 1) => {
            let rest = y.dims()[1..].to_vec();
            Arg::Value(y.reshape(&rest).map_err(of_op(span))?)
        }
        Arg::List(items) => {
            Arg::List(items.into_iter().map(|item| of_row(span, item)).collect::<Outcome<_>>()?)
        }
        other => other,
    })
}
