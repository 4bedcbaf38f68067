//! A backward pass gives memory back, and a function says what it will hold. The counter belongs to the process, so that these tests
//! have one of their own, and run one after the other.

use pullback_array::{Array, DType, memory};
use pullback_autograd::Function;
use pullback_autograd::tensor::{Result, Tensor};
use pullback_ops::Val;

const BYTES: usize = 8 * 1000;

/// Arrays of a thousand numbers that are alive beside those of `before`.
fn arrays_since(before: usize) -> f64 {
    (memory::live() - before) as f64 / BYTES as f64
}

#[test]
fn memory_is_counted() -> Result<()> {
    what_the_rules_read_is_freed()?;
    what_a_call_holds_is_told()
}

/// A call goes through with as much as it says, and is refused with one array less.
fn what_a_call_holds_is_told() -> Result<()> {
    let numbers = Array::full(&[1000], 0.5, DType::F64)?;
    let x = Val::new(numbers.clone());
    // Of three values that are read again the first is held longest; the last sum reads them all.
    let a = x.exp()?;
    let b = a.sin()?;
    let c = (&a * &b)?;
    let chain = (0..6).try_fold(c, |value, _| value.tanh())?;
    let y = (&chain + &(&a * &b)?)?.sum(&[0], false)?;
    let function = Function::new(&[&x], &[&y], &[])?;
    let before = memory::used();
    let peak = function.peak();
    assert!((3..=5).contains(&(peak / BYTES)), "{peak}");
    memory::set_limit(before + peak);
    let enough = function.call(std::slice::from_ref(&numbers)).is_ok();
    memory::set_limit(before + peak - BYTES);
    let refused = Function::new(&[&x], &[&y], &[])?.call(&[numbers]).is_err_and(|error| error.is_memory());
    memory::set_limit(usize::MAX);
    assert!(enough && refused, "{enough} {refused}");
    Ok(())
}

fn what_the_rules_read_is_freed() -> Result<()> {
    let before = memory::live();
    let x = Tensor::new(Array::full(&[1000], 0.5, DType::F64)?).requires_grad_(true)?;
    let mut y = x.clone();
    for _ in 0..10 {
        // The tanh reads its result, the shift reads nothing; its result is the next one's operand.
        y = (&y.tanh()? + 1.0)?;
    }
    let loss = y.sum()?;
    drop(y);
    let recorded = arrays_since(before);
    assert!(recorded >= 20.0, "{recorded}: x and the results of ten layers of two operations are held");
    loss.pass().retain_graph(true).backward()?;
    assert!(arrays_since(before) >= recorded, "nothing is freed where the graph is retained");
    loss.backward()?;
    // What is left is x and its gradient, and a few numbers.
    let left = arrays_since(before);
    assert!((2.0..2.1).contains(&left), "{left} arrays are left");
    drop((x, loss));
    assert_eq!(memory::live(), before);
    Ok(())
}
