//! Operations that are made of others, as a definition says: one for derivatives, which have a form of their own, and many for a forward pass.

use std::collections::HashMap;

use pullback_array::Array;

use crate::op::Forward;
use crate::{Error, Origin, Result, Val};

/// What a definition makes of an array, each operation of it run by `inner`.
pub(crate) fn by_definition(
    definition: impl FnOnce(&Val) -> Result<Val>,
    x: &Array,
    inner: &mut Forward<'_>,
) -> Result<Array> {
    let result = definition(&Val::new(x.clone()))?;
    let mut made: HashMap<u64, Vec<Array>> = HashMap::new();
    for value in in_order(&result) {
        let arrays = match value.origin() {
            Origin::Call(op, inputs) => {
                let of = |input: &Val| made[&input.order()][input.output()].clone();
                let inputs: Vec<Array> = inputs.iter().map(of).collect();
                inner(op.as_ref(), &value, &inputs.iter().collect::<Vec<_>>())?
            }
            Origin::Leaf | Origin::Number(_) => vec![value.array()?.clone()],
        };
        made.insert(value.order(), arrays);
    }
    let arrays = made.remove(&result.order()).ok_or_else(|| Error::new("a definition makes nothing"))?;
    Ok(arrays[result.output()].clone())
}

/// The values that one is made of, itself too, each behind what it is made of.
fn in_order(result: &Val) -> Vec<Val> {
    let (mut all, mut pending): (HashMap<u64, Val>, Vec<Val>) = (HashMap::new(), vec![result.clone()]);
    while let Some(value) = pending.pop() {
        if all.insert(value.order(), value.clone()).is_none() {
            pending.extend(value.inputs().iter().cloned());
        }
    }
    let mut all: Vec<Val> = all.into_values().collect();
    all.sort_by_key(Val::order);
    all
}
